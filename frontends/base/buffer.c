#include "base/buffer.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *memory_grow(void *old, size_t size)
{
    void *memory = realloc(old, size > 0 ? size : 1);
    if (memory == NULL)
        abort();
    return memory;
}

void *memory_new(size_t size)
{
    return memset(memory_grow(NULL, size), 0, size);
}

char *memory_text(const char *data, size_t len)
{
    char *copy = memory_grow(NULL, len + 1);
    if (len > 0)
        memcpy(copy, data, len);
    copy[len] = '\0';
    return copy;
}

char *memory_string(const char *string)
{
    return memory_text(string, strlen(string));
}

/* Room for `len` more bytes and a NUL. */
static void reserve(struct buffer *b, size_t len)
{
    size_t want = b->len + len + 1;
    if (want <= b->room)
        return;
    size_t room = b->room < 128 ? 256 : b->room * 2;
    b->room = room < want ? want : room;
    b->data = memory_grow(b->data, b->room);
}

void buffer_put(struct buffer *b, const void *data, size_t len)
{
    reserve(b, len);
    if (len > 0)
        memcpy(b->data + b->len, data, len);
    b->len += len;
    b->data[b->len] = '\0';
}

void buffer_text(struct buffer *b, const char *text)
{
    buffer_put(b, text, strlen(text));
}

void buffer_byte(struct buffer *b, char byte)
{
    buffer_put(b, &byte, 1);
}

void buffer_printf(struct buffer *b, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    assert(len >= 0);
    reserve(b, (size_t)len);
    va_start(args, format);
    vsnprintf(b->data + b->len, (size_t)len + 1, format, args);
    va_end(args);
    b->len += (size_t)len;
}

void buffer_hex(struct buffer *b, const void *data, size_t len)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *at = data;
    reserve(b, 2 * len);
    for (size_t i = 0; i < len; i++) {
        b->data[b->len++] = digits[at[i] >> 4];
        b->data[b->len++] = digits[at[i] & 15];
    }
    b->data[b->len] = '\0';
}

void buffer_unsigned(struct buffer *b, uint64_t number)
{
    char digits[20];
    size_t at = sizeof(digits);
    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    buffer_put(b, digits + at, sizeof(digits) - at);
}

void buffer_integer(struct buffer *b, int64_t number)
{
    if (number < 0)
        buffer_byte(b, '-');
    buffer_unsigned(b, number < 0 ? -(uint64_t)number : (uint64_t)number);
}

void buffer_resize(struct buffer *b, size_t len)
{
    if (len > b->len) {
        reserve(b, len - b->len);
        memset(b->data + b->len, 0, len - b->len);
    }
    b->len = len;
    if (b->data != NULL)
        b->data[len] = '\0';
}

void buffer_drop(struct buffer *b, size_t len)
{
    assert(len <= b->len);
    if (len == 0)
        return;
    memmove(b->data, b->data + len, b->len - len);
    buffer_resize(b, b->len - len);
}

const char *buffer_string(const struct buffer *b)
{
    return b->data != NULL ? b->data : "";
}

void buffer_clear(struct buffer *b)
{
    buffer_resize(b, 0);
}

void buffer_free(struct buffer *b)
{
    free(b->data);
    *b = (struct buffer){0};
}
