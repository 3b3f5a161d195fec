/* buffer: bytes that grow, for what a door writes.
 *
 * A zeroed struct is empty. Memory that cannot be had ends the process, as
 * everywhere: sizes from outside are bounded before. */
#ifndef FRONTENDS_REST_BUFFER_H
#define FRONTENDS_REST_BUFFER_H

#include <stddef.h>
#include <stdint.h>

struct buffer {
    char *data;
    size_t len;
    size_t room;
};

/* Memory that is there, zeroed; freed by free(). */
void *memory_new(size_t size);
char *memory_text(const char *data, size_t len); /* a copy that ends with NUL */

void buffer_put(struct buffer *b, const void *data, size_t len);
void buffer_text(struct buffer *b, const char *text);
void buffer_byte(struct buffer *b, char byte);
void buffer_printf(struct buffer *b, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* The bytes so far as text; valid until the next change. */
const char *buffer_string(struct buffer *b);
void buffer_clear(struct buffer *b); /* keeps the memory */
void buffer_free(struct buffer *b);  /* safe twice */

/* base64url without padding, as RFC 4648 has it. */
void base64url_put(struct buffer *b, const void *data, size_t len);
/* 0, or -1: these are none. */
int base64url_get(const char *text, size_t len, struct buffer *b);
#endif
