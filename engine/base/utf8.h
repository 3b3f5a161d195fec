/* utf8: what counts as text, and what counts as a name. */
#ifndef ATE_BASE_UTF8_H
#define ATE_BASE_UTF8_H

#include "bytes.h"

/* Valid UTF-8 up to U+10FFFF; no surrogates, nothing overlong. */
bool utf8_valid(struct bytes text);

/* One segment of a path that people type: UTF-8, 1 to LIMIT_NAME bytes, no '/',
 * no control character (U+0000 to U+001F, U+007F), no '.' in front. */
bool name_valid(struct bytes name);

/* A name that programs give: 1 to `len_max` lower-case letters, digits and
 * those in `also`. */
bool word_valid(struct bytes word, size_t len_max, const char *also);
#endif
