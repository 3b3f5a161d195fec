#include "base/text.h"

#include <string.h>
#include <utf8proc.h>

size_t text_step(const char *at, size_t left)
{
    utf8proc_int32_t point;
    if ((unsigned char)*at < 0x80)
        return 1;
    utf8proc_ssize_t len = utf8proc_iterate((const utf8proc_uint8_t *)at,
                                            (utf8proc_ssize_t)left, &point);
    return len > 0 ? (size_t)len : 0;
}

bool text_is_utf8(const char *text, size_t len)
{
    for (size_t i = 0; i < len;) {
        size_t step = text_step(text + i, len - i);
        if (step == 0)
            return false;
        i += step;
    }
    return true;
}

void text_mend(char *text)
{
    size_t len = strlen(text);
    for (size_t back = 1; back <= 3 && back <= len; back++) {
        if ((unsigned char)text[len - back] < 0xc0)
            continue;
        if (text_step(text + len - back, back) == 0)
            text[len - back] = '\0';
        return;
    }
}
