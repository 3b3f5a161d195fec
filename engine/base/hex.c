#include "base/hex.h"

#include <assert.h>

static const char hex_digits[] = "0123456789abcdef";

void hex_put(struct buf *b, struct bytes bytes)
{
    assert(bytes.len <= SIZE_MAX / 2);
    uint8_t *at = buf_grow(b, bytes.len * 2);
    for (size_t i = 0; i < bytes.len; i++) {
        at[2 * i] = (uint8_t)hex_digits[bytes.data[i] >> 4];
        at[2 * i + 1] = (uint8_t)hex_digits[bytes.data[i] & 15];
    }
}

/* -1 for what is no digit. */
static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

bool hex_get(const char *text, size_t len, uint8_t *out)
{
    if (len % 2 != 0)
        return false;
    for (size_t i = 0; i < len; i += 2) {
        int high = hex_value(text[i]);
        int low = hex_value(text[i + 1]);
        if (high < 0 || low < 0)
            return false;
        out[i / 2] = (uint8_t)(high << 4 | low);
    }
    return true;
}

static const char base64_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static void put_digits(uint8_t at[4], uint32_t three)
{
    at[0] = (uint8_t)base64_digits[three >> 18];
    at[1] = (uint8_t)base64_digits[three >> 12 & 63];
    at[2] = (uint8_t)base64_digits[three >> 6 & 63];
    at[3] = (uint8_t)base64_digits[three & 63];
}

size_t base64_size(size_t len)
{
    return (len + 2) / 3 * 4;
}

void base64_put(struct buf *b, struct bytes bytes)
{
    uint8_t *at = buf_grow(b, base64_size(bytes.len));
    const uint8_t *p = bytes.data;
    size_t left = bytes.len;
    for (; left >= 3; left -= 3, p += 3, at += 4)
        put_digits(at, (uint32_t)(p[0] << 16 | p[1] << 8 | p[2]));
    if (left == 0)
        return;
    put_digits(at, (uint32_t)(p[0] << 16 | (left > 1 ? p[1] << 8 : 0)));
    at[3] = '=';
    if (left == 1)
        at[2] = '=';
}

static int base64_value(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == '+')
        return 62;
    return c == '/' ? 63 : -1;
}

/* Four characters to `count` bytes, of which 3 - count are padding. */
static bool base64_four(const char *text, size_t count, struct buf *out)
{
    uint32_t three = 0;
    for (size_t i = 0; i < 4; i++) {
        bool padding = i > count;
        int value = padding ? 0 : base64_value(text[i]);
        if (value < 0 || (padding && text[i] != '='))
            return false;
        three = three << 6 | (uint32_t)value;
    }
    uint32_t unused = (1u << 8 * (3 - count)) - 1;
    if ((three & unused) != 0)
        return false;
    for (size_t i = 0; i < count; i++)
        buf_put_u8(out, (uint8_t)(three >> (16 - 8 * i)));
    return true;
}

bool base64_get(const char *text, size_t len, struct buf *out)
{
    if (len % 4 != 0)
        return false;
    size_t len_before = out->len;
    for (size_t i = 0; i < len; i += 4) {
        size_t count = 3;
        if (i + 4 == len && text[i + 3] == '=')
            count = text[i + 2] == '=' ? 1 : 2;
        if (!base64_four(text + i, count, out)) {
            out->len = len_before;
            return false;
        }
    }
    return true;
}
