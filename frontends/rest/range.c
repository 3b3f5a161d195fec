#include "rest/range.h"

#include <stdbool.h>
#include <string.h>

/* Digits from *at on; false: none, or more than any file has. */
static bool take_digits(const char **at, const char *end, uint64_t *number)
{
    const char *begin = *at;
    *number = 0;
    for (; *at < end && **at >= '0' && **at <= '9'; (*at)++) {
        if (*number > UINT64_MAX / 100)
            return false;
        *number = *number * 10 + (uint64_t)(**at - '0');
    }
    return *at > begin;
}

static enum range_is part(struct range *r, uint64_t offset, uint64_t length)
{
    *r = (struct range){offset, length};
    return RANGE_PART;
}

enum range_is range_take(struct range *r, const char *header, size_t len,
                         uint64_t size)
{
    static const char unit[] = "bytes=";
    const char *end = header + len;
    const char *at = header + sizeof(unit) - 1;
    uint64_t first, last;
    *r = (struct range){0, size};
    if (header == NULL || len < sizeof(unit) ||
        memcmp(header, unit, sizeof(unit) - 1) != 0)
        return RANGE_WHOLE;
    if (*at == '-') { /* the last so many */
        at++;
        if (!take_digits(&at, end, &last) || at != end)
            return RANGE_WHOLE;
        if (last == 0 || size == 0)
            return RANGE_BEYOND;
        return last < size ? part(r, size - last, last) : part(r, 0, size);
    }
    if (!take_digits(&at, end, &first) || at == end || *at++ != '-')
        return RANGE_WHOLE;
    bool is_open = at == end;
    if (!is_open &&
        (!take_digits(&at, end, &last) || at != end || last < first))
        return RANGE_WHOLE;
    if (first >= size)
        return RANGE_BEYOND;
    if (is_open || last >= size)
        last = size - 1;
    return part(r, first, last - first + 1);
}
