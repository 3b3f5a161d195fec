#include "rest/buffer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *or_die(void *memory)
{
    if (memory == NULL)
        abort();
    return memory;
}

void *memory_new(size_t size)
{
    return or_die(calloc(1, size));
}

char *memory_text(const char *data, size_t len)
{
    char *copy = or_die(malloc(len + 1));
    if (len > 0)
        memcpy(copy, data, len);
    copy[len] = '\0';
    return copy;
}

/* Room for `len` more bytes and a NUL. */
static void reserve(struct buffer *b, size_t len)
{
    if (b->len + len + 1 <= b->room)
        return;
    size_t room = b->room < 256 ? 256 : b->room * 2;
    while (room < b->len + len + 1)
        room *= 2;
    b->data = or_die(realloc(b->data, room));
    b->room = room;
}

void buffer_put(struct buffer *b, const void *data, size_t len)
{
    reserve(b, len);
    if (len > 0)
        memcpy(b->data + b->len, data, len);
    b->len += len;
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
    if (len <= 0)
        return;
    reserve(b, (size_t)len);
    va_start(args, format);
    vsnprintf(b->data + b->len, (size_t)len + 1, format, args);
    va_end(args);
    b->len += (size_t)len;
}

const char *buffer_string(struct buffer *b)
{
    reserve(b, 0);
    b->data[b->len] = '\0';
    return b->data;
}

void buffer_clear(struct buffer *b)
{
    b->len = 0;
}

void buffer_free(struct buffer *b)
{
    free(b->data);
    *b = (struct buffer){0};
}

static const char digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void base64url_put(struct buffer *b, const void *data, size_t len)
{
    const uint8_t *at = data;
    for (size_t i = 0; i < len; i += 3) {
        size_t have = len - i < 3 ? len - i : 3;
        uint32_t bits = (uint32_t)at[i] << 16;
        bits |= have > 1 ? (uint32_t)at[i + 1] << 8 : 0;
        bits |= have > 2 ? at[i + 2] : 0;
        for (size_t k = 0; k <= have; k++)
            buffer_byte(b, digits[bits >> (18 - 6 * k) & 63]);
    }
}

int base64url_get(const char *text, size_t len, struct buffer *b)
{
    uint32_t bits = 0;
    unsigned have = 0;
    for (size_t i = 0; i < len; i++) {
        const char *digit = memchr(digits, text[i], 64);
        if (digit == NULL)
            return -1;
        bits = bits << 6 | (uint32_t)(digit - digits);
        have += 6;
        if (have < 8)
            continue;
        have -= 8;
        buffer_byte(b, (char)(bits >> have & 255));
    }
    /* No digit stands alone, and what is left over is zero. */
    return have == 6 || (bits & ((1u << have) - 1)) != 0 ? -1 : 0;
}
