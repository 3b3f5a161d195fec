#include "base/err.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

struct row {
    int code;
    int posix;
    int http;
    int exit_code;
    const char *name;
};

static const struct row rows[] = {
#define X(name, number, posix, http, exit_code, meaning)                       \
    {-(number), posix, http, exit_code, #name},
    ERR_TABLE(X)
#undef X
};

static const struct row *row_of(int code)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (rows[i].code == code)
            return &rows[i];
    return &rows[0];
}

/* A text that was cut ends in a whole character, so that it stays UTF-8. */
static void end_in_whole_character(char *text, size_t len)
{
    size_t start = len;
    while (start > 0 && ((uint8_t)text[start - 1] & 0xc0) == 0x80)
        start--;
    if (start == 0)
        return;
    uint8_t lead = (uint8_t)text[start - 1];
    size_t want = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : lead >= 0xc0 ? 1 : 0;
    if (len - start < want)
        text[start - 1] = '\0';
}

static void format_text(char *text, const char *format, va_list args)
{
    int len = vsnprintf(text, ERR_TEXT_MAX, format, args);
    if (len < 0)
        text[0] = '\0';
    else if (len >= ERR_TEXT_MAX)
        end_in_whole_character(text, ERR_TEXT_MAX - 1);
}

/* Append to what stands in `text`, with `separator` between. */
static void append_text(char *text, const char *separator, const char *more)
{
    size_t len = strlen(text);
    size_t room = ERR_TEXT_MAX - len;
    int added = snprintf(text + len, room, "%s%s", separator, more);
    if (added >= 0 && (size_t)added >= room)
        end_in_whole_character(text, ERR_TEXT_MAX - 1);
}

int err_set(struct err *err, int code, const char *format, ...)
{
    assert(code < 0);
    if (err == NULL)
        return code;
    char text[ERR_TEXT_MAX]; /* an argument may be the old text */
    va_list args;
    va_start(args, format);
    format_text(text, format, args);
    va_end(args);
    err->code = code;
    err->rule[0] = '\0';
    memcpy(err->text, text, strlen(text) + 1);
    return code;
}

int err_wrap(struct err *err, const char *format, ...)
{
    if (err == NULL)
        return ATE_EIO;
    assert(err->code < 0);
    char text[ERR_TEXT_MAX];
    va_list args;
    va_start(args, format);
    format_text(text, format, args);
    va_end(args);
    append_text(text, ": ", err->text);
    memcpy(err->text, text, strlen(text) + 1);
    return err->code;
}

static int code_of_errno(int posix)
{
    switch (posix) {
    case ENOSPC:
    case EDQUOT:
        return ATE_EFULL;
    case EACCES:
    case EPERM:
    case EROFS:
        return ATE_EDENIED;
    case ENOENT:
        return ATE_ENOT_FOUND;
    case EEXIST:
        return ATE_ECONFLICT;
    default:
        return ATE_EIO;
    }
}

int err_errno(struct err *err, int posix, const char *format, ...)
{
    int code = code_of_errno(posix);
    if (err == NULL)
        return code;
    char text[ERR_TEXT_MAX];
    va_list args;
    va_start(args, format);
    format_text(text, format, args);
    va_end(args);
    append_text(text, ": ", strerror(posix));
    return err_set(err, code, "%s", text);
}

const char *err_name(int code)
{
    return row_of(code)->name;
}

int err_posix(int code)
{
    return row_of(code)->posix;
}

int err_http(int code)
{
    return row_of(code)->http;
}

int err_exit(int code)
{
    return row_of(code)->exit_code;
}
