/* buffer: bytes that grow, for what a door reads and writes.
 *
 * A zeroed struct is empty. Behind the bytes of one that was written to stands
 * a NUL, so that they can be used as a C string. Memory that cannot be had ends
 * the process, as in the engine: sizes from outside are bounded before. */
#ifndef FRONTENDS_BASE_BUFFER_H
#define FRONTENDS_BASE_BUFFER_H

#include <stddef.h>
#include <stdint.h>

struct buffer {
    char *data;
    size_t len;
    size_t room;
};

/* Memory that is there, freed by free(): zeroed; a copy that ends with NUL, of
 * bytes or of a string; and `old` with another size. */
void *memory_new(size_t size);
char *memory_text(const char *data, size_t len);
char *memory_string(const char *string);
void *memory_grow(void *old, size_t size);

void buffer_put(struct buffer *b, const void *data, size_t len);
void buffer_text(struct buffer *b, const char *text);
void buffer_byte(struct buffer *b, char byte);
void buffer_printf(struct buffer *b, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void buffer_hex(struct buffer *b, const void *data, size_t len);
void buffer_integer(struct buffer *b, int64_t number); /* in decimal */
void buffer_unsigned(struct buffer *b, uint64_t number);

/* Make it `len` long; what is new is zeros. */
void buffer_resize(struct buffer *b, size_t len);
/* Take `len` bytes off its front. */
void buffer_drop(struct buffer *b, size_t len);
/* The bytes so far as text, "" when there are none; until the next change. */
const char *buffer_string(const struct buffer *b);
void buffer_clear(struct buffer *b); /* keeps the memory */
void buffer_free(struct buffer *b);  /* safe twice */
#endif
