#include "rest/base64url.h"

#include <stdint.h>
#include <string.h>

#include "base/buffer.h"

static const char digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

enum { DIGITS = sizeof(digits) - 1 };

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
        const char *digit = memchr(digits, text[i], DIGITS);
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
