#include "base/near.h"

#include <assert.h>

enum {
    NEAR_LEN_MAX = 64, /* longer names are not worth a suggestion */
    NEAR_SHORT = 4,    /* up to here one letter may differ, above it two */
    NEAR_DIFFER = 2,
};

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c - 'A' + 'a') : c;
}

static bool is_same(uint8_t a, uint8_t b)
{
    return lower(a) == lower(b);
}

/* How many letters have to be put in, taken out, replaced or swapped with their
 * neighbour (Damerau and Levenshtein's distance, each pair swapped once). Three
 * rows of the table are enough: the current one and the two above. */
static size_t distance(struct bytes a, struct bytes b)
{
    size_t rows[3][NEAR_LEN_MAX + 1];
    assert(a.len <= NEAR_LEN_MAX && b.len <= NEAR_LEN_MAX);
    for (size_t j = 0; j <= b.len; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= a.len; i++) {
        size_t *row = rows[i % 3];
        const size_t *above = rows[(i + 2) % 3];
        const size_t *second = rows[(i + 1) % 3];
        row[0] = i;
        for (size_t j = 1; j <= b.len; j++) {
            bool same = is_same(a.data[i - 1], b.data[j - 1]);
            row[j] = least(above[j - 1] + (same ? 0 : 1),
                           least(above[j], row[j - 1]) + 1);
            bool swapped = i > 1 && j > 1 &&
                           is_same(a.data[i - 1], b.data[j - 2]) &&
                           is_same(a.data[i - 2], b.data[j - 1]);
            if (swapped)
                row[j] = least(row[j], second[j - 2] + 1);
        }
    }
    return rows[a.len % 3][b.len];
}

static size_t may_differ(size_t len)
{
    if (len <= NEAR_SHORT)
        return 1;
    return len / 3 > NEAR_DIFFER ? len / 3 : NEAR_DIFFER;
}

const char *near_name(struct bytes name, const char *const *candidates,
                      size_t count)
{
    const char *nearest = NULL;
    size_t nearest_rank = SIZE_MAX;
    if (name.len == 0 || name.len > NEAR_LEN_MAX)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        struct bytes candidate = bytes_of_text(candidates[i]);
        if (candidate.len > NEAR_LEN_MAX)
            continue;
        size_t d = distance(name, candidate);
        size_t longer = name.len > candidate.len ? name.len : candidate.len;
        bool begins = is_same(name.data[0], (uint8_t)candidates[i][0]);
        size_t rank = 2 * d + (begins ? 0 : 1);
        if (d <= may_differ(longer) && rank < nearest_rank) {
            nearest = candidates[i];
            nearest_rank = rank;
        }
    }
    return nearest;
}

bool near_tell(struct err *err, struct bytes name,
               const char *const *candidates, size_t count,
               const char *otherwise)
{
    const char *near = near_name(name, candidates, count);
    if (near != NULL)
        err_add(err, "; did you mean '%s'?", near);
    else
        err_add(err, "%s", otherwise);
    return near != NULL;
}
