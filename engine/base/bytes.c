#include "base/bytes.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"

enum { BUF_CAP_MIN = 512 };

size_t bytes_zeros(struct bytes bytes)
{
    size_t at = 0;
    uint64_t word = 0;

    for (; at + sizeof(word) <= bytes.len; at += sizeof(word)) {
        memcpy(&word, bytes.data + at, sizeof(word));
        if (word != 0)
            break;
    }
    while (at < bytes.len && bytes.data[at] == 0)
        at++;
    return at;
}

void buf_deinit(struct buf *b)
{
    mem_free(b->data);
    *b = (struct buf){0};
}

void buf_clear(struct buf *b)
{
    b->len = 0;
}

void buf_reserve(struct buf *b, size_t more)
{
    assert(b->len <= b->cap);
    if (more <= b->cap - b->len)
        return;
    assert(more <= SIZE_MAX / 2 - b->len);
    size_t cap = b->cap < BUF_CAP_MIN ? BUF_CAP_MIN : b->cap * 2;
    if (cap < b->len + more)
        cap = b->len + more;
    b->data = mem_resize(b->data, cap);
    b->cap = cap;
}

void buf_put_text(struct buf *b, const char *text)
{
    buf_put(b, text, strlen(text));
}

void buf_put_be64(struct buf *b, uint64_t value)
{
    put_be64(buf_grow(b, 8), value);
}

void buf_put_decimal(struct buf *b, uint64_t number)
{
    char digits[20];
    size_t at = sizeof(digits);
    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    buf_put(b, digits + at, sizeof(digits) - at);
}

void buf_printf(struct buf *b, const char *format, ...)
{
    assert(format != NULL);
    va_list args;
    va_start(args, format);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    assert(len >= 0);
    buf_reserve(b, (size_t)len + 1);
    va_start(args, format);
    vsnprintf((char *)b->data + b->len, (size_t)len + 1, format, args);
    va_end(args);
    b->len += (size_t)len;
}

void buf_pad(struct buf *b, size_t alignment)
{
    assert(alignment > 0);
    size_t over = b->len % alignment;
    if (over == 0)
        return;
    size_t more = alignment - over;
    memset(buf_grow(b, more), 0, more);
}

struct bytes buf_bytes(const struct buf *b)
{
    return bytes_of(b->data, b->len);
}

const char *buf_text(struct buf *b)
{
    buf_reserve(b, 1);
    b->data[b->len] = '\0';
    return (const char *)b->data;
}

bool buf_next_prefix(struct buf *b)
{
    while (b->len > 0 && b->data[b->len - 1] == 0xff)
        b->len--;
    if (b->len == 0)
        return false;
    b->data[b->len - 1]++;
    return true;
}

size_t text_append(char *room, size_t size, size_t len, struct bytes more)
{
    assert(len < size);
    size_t fits = more.len < size - 1 - len ? more.len : size - 1 - len;
    if (fits > 0)
        memcpy(room + len, more.data, fits);
    room[len + fits] = '\0';
    return len + fits;
}

const char *text_place(char *room, size_t size, const char *path,
                       struct bytes name)
{
    size_t len = text_append(room, size, 0, bytes_of_text(path));
    if (len > 0)
        len = text_append(room, size, len, bytes_of(".", 1));
    text_append(room, size, len, name);
    return room;
}
