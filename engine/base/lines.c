#include "base/lines.h"

#include "base/hex.h"

bool line_take(struct bytes *rest, struct bytes *line)
{
    const uint8_t *end =
        rest->len > 0 ? memchr(rest->data, '\n', rest->len) : NULL;
    if (end == NULL)
        return false;
    *line = bytes_of(rest->data, (size_t)(end - rest->data));
    *rest = bytes_of(end + 1, rest->len - line->len - 1);
    return true;
}

bool word_take(struct bytes *rest, const char *word)
{
    size_t len = strlen(word);
    if (rest->len < len || memcmp(rest->data, word, len) != 0)
        return false;
    *rest = bytes_of(rest->data + len, rest->len - len);
    return true;
}

bool decimal_get(struct bytes text, uint64_t *number)
{
    uint64_t sum = 0;
    if (text.len == 0 || (text.len > 1 && text.data[0] == '0'))
        return false;
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] < '0' || text.data[i] > '9' ||
            __builtin_mul_overflow(sum, 10u, &sum) ||
            __builtin_add_overflow(sum, text.data[i] - '0', &sum))
            return false;
    *number = sum;
    return true;
}

bool base64_get_fixed(struct bytes text, uint8_t *out, size_t len)
{
    struct buf b = {0};
    bool ok = base64_get((const char *)text.data, text.len, &b) && b.len == len;
    if (ok)
        memcpy(out, b.data, len);
    buf_deinit(&b);
    return ok;
}
