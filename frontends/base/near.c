#include "base/near.h"

#include <assert.h>
#include <string.h>

enum {
    LEN_MAX = 64, /* longer names are not worth a suggestion */
    SHORT = 4,    /* up to here one letter may differ, above it two */
    DIFFER = 2,
};

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* How many letters have to be put in, taken out, replaced or swapped with their
 * neighbour. Three rows of the table are enough: this one and two above. */
static size_t distance_of(const char *a, size_t a_len, const char *b,
                          size_t b_len)
{
    size_t rows[3][LEN_MAX + 1];
    assert(a_len <= LEN_MAX && b_len <= LEN_MAX);
    for (size_t j = 0; j <= b_len; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= a_len; i++) {
        size_t *row = rows[i % 3];
        const size_t *above = rows[(i + 2) % 3];
        const size_t *second = rows[(i + 1) % 3];
        row[0] = i;
        for (size_t j = 1; j <= b_len; j++) {
            row[j] = least(above[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1),
                           least(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = least(row[j], second[j - 2] + 1);
        }
    }
    return rows[a_len % 3][b_len];
}

static size_t may_differ(size_t len)
{
    if (len <= SHORT)
        return 1;
    return len / 3 > DIFFER ? len / 3 : DIFFER;
}

bool near_is(const char *name, const char *candidate, size_t *distance)
{
    size_t len = strlen(name);
    size_t other = strlen(candidate);
    if (len == 0 || len > LEN_MAX || other > LEN_MAX)
        return false;
    size_t d = distance_of(name, len, candidate, other);
    if (d > may_differ(len > other ? len : other) || d >= *distance)
        return false;
    *distance = d;
    return true;
}
