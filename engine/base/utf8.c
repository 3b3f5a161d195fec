#include "base/utf8.h"

#include <string.h>

#include "base/limits.h"

static bool is_tail(uint8_t byte)
{
    return (byte & 0xc0) == 0x80;
}

/* Bytes of the character at `p`, of which `left` are there; 0 if it is none.
 * The second byte's range keeps out overlong forms, surrogates and everything
 * above U+10FFFF (Unicode, table 3-7). */
static size_t character(const uint8_t *p, size_t left)
{
    uint8_t lead = p[0];
    if (lead < 0x80)
        return 1;
    if (lead < 0xc2 || lead > 0xf4)
        return 0;
    size_t len = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    if (left < len)
        return 0;
    uint8_t low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
    uint8_t high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
    if (p[1] < low || p[1] > high)
        return 0;
    for (size_t i = 2; i < len; i++)
        if (!is_tail(p[i]))
            return 0;
    return len;
}

/* How many bytes from here on are ASCII, most texts whole; perhaps fewer than
 * there are. */
static size_t ascii_from(const uint8_t *p, size_t left)
{
    const uint64_t high = 0x8080808080808080ULL;
    uint64_t four[4];
    size_t at = 0;
    for (; left - at >= sizeof(four); at += sizeof(four)) {
        memcpy(four, p + at, sizeof(four));
        if (((four[0] | four[1] | four[2] | four[3]) & high) != 0)
            break;
    }
    for (; left - at >= sizeof(*four); at += sizeof(*four)) {
        memcpy(four, p + at, sizeof(*four));
        if ((*four & high) != 0)
            break;
    }
    return at;
}

bool utf8_valid(struct bytes text)
{
    size_t at = 0;
    while (at < text.len) {
        at += ascii_from(text.data + at, text.len - at);
        for (int i = 0; i < 8 && at < text.len; i++) { /* then look again */
            size_t len = character(text.data + at, text.len - at);
            if (len == 0)
                return false;
            at += len;
        }
    }
    return true;
}

bool name_valid(struct bytes name)
{
    if (name.len == 0 || name.len > LIMIT_NAME || name.data[0] == '.')
        return false;
    for (size_t i = 0; i < name.len; i++) {
        uint8_t byte = name.data[i];
        if (byte < 0x20 || byte == 0x7f || byte == '/')
            return false;
    }
    return utf8_valid(name);
}

bool word_valid(struct bytes word, size_t len_max, const char *also)
{
    if (word.len == 0 || word.len > len_max)
        return false;
    for (size_t i = 0; i < word.len; i++) {
        uint8_t c = word.data[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
              (c != '\0' && strchr(also, c) != NULL)))
            return false;
    }
    return true;
}
