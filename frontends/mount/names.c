#include "mount/names.h"

#include <ctype.h>
#include <string.h>

#include "base/buffer.h"

static int digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Would the three bytes at `at` be read as one that is written "%XX"? */
static bool is_written(const char *at, size_t left)
{
    return left >= 3 && at[0] == '%' && digit(at[1]) >= 0 && digit(at[2]) >= 0;
}

static bool needs(const char *value, size_t len, size_t i)
{
    unsigned char c = (unsigned char)value[i];
    if (c < 0x20 || c == 0x7f || c == '/')
        return true;
    if (c == '.' && i == 0)
        return true;
    if (len == 1 && c == '%')
        return true; /* "%" alone is the empty value */
    return is_written(value + i, len - i);
}

void name_put(struct buffer *out, const char *value, size_t len)
{
    if (len == 0)
        buffer_byte(out, '%');
    for (size_t i = 0; i < len; i++) {
        if (needs(value, len, i))
            buffer_printf(out, "%%%02X", (unsigned)(unsigned char)value[i]);
        else
            buffer_byte(out, value[i]);
    }
}

bool name_take(struct buffer *out, const char *name, size_t len)
{
    size_t start = out->len;
    if (len == 0)
        return false;
    for (size_t i = 0; i < len && !(len == 1 && name[0] == '%'); i++) {
        if (is_written(name + i, len - i)) {
            buffer_byte(out,
                        (char)(digit(name[i + 1]) << 4 | digit(name[i + 2])));
            i += 2;
        } else {
            buffer_byte(out, name[i]);
        }
    }
    struct buffer again = {0};
    name_put(&again, out->data != NULL ? out->data + start : "",
             out->len - start);
    bool same = again.len == len && memcmp(again.data, name, len) == 0;
    buffer_free(&again);
    if (!same && out->len > start)
        buffer_resize(out, start);
    return same;
}

static bool ends_with(const char *name, const char *end)
{
    size_t len = strlen(name);
    size_t size = strlen(end);
    return len > size && strcmp(name + len - size, end) == 0;
}

bool name_is_scratch(const char *name)
{
    size_t len = strlen(name);
    bool letters = len == 9;
    for (const char *c = name; *c != '\0'; c++)
        letters = letters && isalnum((unsigned char)*c);
    return name[0] == '.' || (name[0] == '#' && ends_with(name, "#")) ||
           ends_with(name, "~") || ends_with(name, ".swp") ||
           ends_with(name, ".tmp") || (letters && strncmp(name, "sed", 3) == 0);
}
