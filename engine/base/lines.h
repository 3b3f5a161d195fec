/* lines: what texts that are read strictly, line by line, are made of. Each has
 * one form only, the one that is written. */
#ifndef ATE_BASE_LINES_H
#define ATE_BASE_LINES_H

#include "bytes.h"

/* Take a line off the front, without its newline. False leaves both as they
 * were: no newline is left. */
bool line_take(struct bytes *rest, struct bytes *line);

/* Take these bytes off the front. False leaves `rest` as it was. */
bool word_take(struct bytes *rest, const char *word);

/* Decimal, all of the text: no leading zero, no sign, at most 2^64 - 1. */
bool decimal_get(struct bytes text, uint64_t *number);

/* Exactly `len` bytes in base64, as base64_get() has it. False leaves `out` as
 * it was. */
bool base64_get_fixed(struct bytes text, uint8_t *out, size_t len);
#endif
