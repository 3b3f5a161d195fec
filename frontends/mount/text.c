#include "mount/text.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *must_grow(void *old, size_t size)
{
    void *data = realloc(old, size > 0 ? size : 1);
    if (data == NULL)
        abort();
    return data;
}

void *must_zero(size_t size)
{
    return memset(must_grow(NULL, size), 0, size);
}

char *must_copy(const char *text)
{
    size_t size = strlen(text) + 1;
    return memcpy(must_grow(NULL, size), text, size);
}

static void reserve(struct text *text, size_t more)
{
    size_t want = text->len + more + 1;
    if (want <= text->room)
        return;
    size_t room = text->room < 32 ? 64 : text->room * 2;
    text->room = room < want ? want : room;
    text->data = must_grow(text->data, text->room);
}

void text_put(struct text *text, const void *data, size_t len)
{
    reserve(text, len);
    if (len > 0)
        memcpy(text->data + text->len, data, len);
    text->len += len;
    text->data[text->len] = '\0';
}

void text_puts(struct text *text, const char *string)
{
    text_put(text, string, strlen(string));
}

void text_putc(struct text *text, char c)
{
    text_put(text, &c, 1);
}

void text_printf(struct text *text, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    assert(len >= 0);
    reserve(text, (size_t)len);
    va_start(args, format);
    vsnprintf(text->data + text->len, (size_t)len + 1, format, args);
    va_end(args);
    text->len += (size_t)len;
}

void text_resize(struct text *text, size_t len)
{
    if (len > text->len) {
        reserve(text, len - text->len);
        memset(text->data + text->len, 0, len - text->len);
    }
    text->len = len;
    if (text->data != NULL)
        text->data[len] = '\0';
}

void text_drop(struct text *text, size_t len)
{
    assert(len <= text->len);
    if (len == 0)
        return;
    memmove(text->data, text->data + len, text->len - len);
    text_resize(text, text->len - len);
}

void text_clear(struct text *text)
{
    text_resize(text, 0);
}

void text_free(struct text *text)
{
    free(text->data);
    *text = (struct text){0};
}

const char *text_string(const struct text *text)
{
    return text->data != NULL ? text->data : "";
}

struct content *content_new(const void *data, size_t len)
{
    struct content *content = must_grow(NULL, sizeof(*content) + len);
    content->refs = 1;
    content->len = len;
    if (len > 0)
        memcpy(content->data, data, len);
    return content;
}

struct content *content_ref(struct content *content)
{
    if (content != NULL)
        content->refs++;
    return content;
}

void content_unref(struct content *content)
{
    if (content != NULL && --content->refs == 0)
        free(content);
}
