/* text: bytes that grow. A zeroed struct is an empty one. Behind the bytes of
 * one that is not empty stands a NUL, so that they can be used as a C string.
 * Running out of memory ends the process, as in the engine. */
#ifndef FRONTENDS_MOUNT_TEXT_H
#define FRONTENDS_MOUNT_TEXT_H

#include <stddef.h>
#include <stdint.h>

struct text {
    char *data;
    size_t len;
    size_t room;
};

void *must_zero(size_t size);
void *must_grow(void *old, size_t size);
char *must_copy(const char *text);

void text_put(struct text *text, const void *data, size_t len);
void text_puts(struct text *text, const char *string);
void text_putc(struct text *text, char c);
void text_printf(struct text *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Make it `len` long; what is new is zeros. */
void text_resize(struct text *text, size_t len);

/* Take `len` bytes off its front. */
void text_drop(struct text *text, size_t len);
void text_clear(struct text *text);
void text_free(struct text *text);

/* As a C string, "" when it is empty. */
const char *text_string(const struct text *text);

/* ---- bytes that several hold ---- */

struct content {
    unsigned refs;
    size_t len;
    char data[];
};

struct content *content_new(const void *data, size_t len);
struct content *content_ref(struct content *content); /* NULL is harmless */
void content_unref(struct content *content);          /* likewise */
#endif
