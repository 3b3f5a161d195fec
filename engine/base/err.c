#include "base/err.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"

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
    err->reason[0] = '\0';
    err->at[0] = '\0';
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

int err_add(struct err *err, const char *format, ...)
{
    if (err == NULL)
        return ATE_EIO;
    assert(err->code < 0);
    char text[ERR_TEXT_MAX];
    va_list args;
    va_start(args, format);
    format_text(text, format, args);
    va_end(args);
    append_text(err->text, "", text);
    return err->code;
}

int err_reason(struct err *err, const char *reason)
{
    if (err == NULL)
        return ATE_EIO;
    assert(err->code < 0 && strlen(reason) < ERR_REASON_MAX);
    memcpy(err->reason, reason, strlen(reason) + 1);
    return err->code;
}

/* ---- arguments ---- */

enum { STEP_MAX = ERR_AT_MAX + 1 }; /* the last character may be two */

/* "/name" as RFC 6901 writes it, without a zero behind; 0: it cannot stand in
 * a line, or is too long. */
static size_t put_step(char step[STEP_MAX], struct bytes name)
{
    size_t len = 0;
    step[len++] = '/';
    for (size_t i = 0; i < name.len; i++) {
        char c = (char)name.data[i];
        if (c == '\n' || c == '\0' || len >= ERR_AT_MAX)
            return 0;
        step[len++] = c == '/' ? '~' : c;
        if (c == '~' || c == '/')
            step[len++] = c == '~' ? '0' : '1';
    }
    return len < ERR_AT_MAX ? len : 0;
}

/* One more pointer: `step`, then `rest`. False: there is no room. */
static bool add_pointer(char at[ERR_AT_MAX], const char *step, size_t step_len,
                        const char *rest, size_t rest_len)
{
    size_t len = strlen(at);
    size_t need = (len > 0) + step_len + rest_len;
    if (len + need >= ERR_AT_MAX)
        return false;
    if (len > 0)
        at[len++] = '\n';
    memcpy(at + len, step, step_len);
    memcpy(at + len + step_len, rest, rest_len);
    at[len + step_len + rest_len] = '\0';
    return true;
}

int err_at_name(struct err *err, struct bytes name)
{
    char step[STEP_MAX];
    char at[ERR_AT_MAX] = "";
    if (err == NULL)
        return ATE_EIO;
    assert(err->code < 0);
    size_t len = put_step(step, name);
    for (const char *rest = err->at; len > 0 && *rest != '\0';) {
        size_t rest_len = strcspn(rest, "\n");
        add_pointer(at, step, len, rest, rest_len);
        rest += rest_len + (rest[rest_len] == '\n');
    }
    if (len > 0 && at[0] == '\0')
        add_pointer(at, step, len, "", 0);
    memcpy(err->at, at, sizeof(at));
    return err->code;
}

int err_at(struct err *err, const char *name)
{
    return err_at_name(err, bytes_of_text(name));
}

int err_at_item(struct err *err, size_t i)
{
    char number[24];
    snprintf(number, sizeof(number), "%zu", i);
    return err_at(err, number);
}

int err_at_also(struct err *err, const char *name)
{
    char step[STEP_MAX];
    if (err == NULL)
        return ATE_EIO;
    assert(err->code < 0);
    size_t len = put_step(step, bytes_of_text(name));
    if (len > 0)
        add_pointer(err->at, step, len, "", 0);
    return err->code;
}

int err_at_none(struct err *err)
{
    if (err == NULL)
        return ATE_EIO;
    assert(err->code < 0);
    err->at[0] = '\0';
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
    err_set(err, code, "%s", text);
    if (posix == EROFS)
        err_reason(err, "read_only_disk");
    return code;
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
