/* hex: bytes as text, in hexadecimal and in base64. */
#ifndef ATE_BASE_HEX_H
#define ATE_BASE_HEX_H

#include "bytes.h"

/* Two lower-case digits a byte. */
void hex_put(struct buf *b, struct bytes bytes);

/* `len` digits of either case, an even number, make len / 2 bytes at `out`.
 * False for anything else; `out` may have been written to by then. */
bool hex_get(const char *text, size_t len, uint8_t *out);

/* The standard alphabet with padding, no line breaks (RFC 4648, section 4). */
size_t base64_size(size_t len); /* of so many bytes as text */
void base64_put(struct buf *b, struct bytes bytes);

/* Appends the bytes to `out`. Only what base64_put writes is taken: padded,
 * no foreign characters, unused bits zero. False leaves `out` as it was. */
bool base64_get(const char *text, size_t len, struct buf *out);
#endif
