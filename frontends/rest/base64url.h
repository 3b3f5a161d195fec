/* base64url: bytes as RFC 4648 has them in addresses, without padding. */
#ifndef FRONTENDS_REST_BASE64URL_H
#define FRONTENDS_REST_BASE64URL_H

#include <stddef.h>

struct buffer;

void base64url_put(struct buffer *b, const void *data, size_t len);
/* 0, or -1: these are none. */
int base64url_get(const char *text, size_t len, struct buffer *b);
#endif
