/* Merge sort, bottom up: it ends after n log n comparisons whatever these say,
 * keeps equal ones in order, and gives one result on every machine. A list that
 * is in order already costs one pass. */
#include <assert.h>
#include <string.h>

#include "sandbox/lib.h"
#include "sandbox/sandbox.h"

/* At most 0 when `a` may stand before `b`. Charges for the bytes it looks at:
 * a list can hold one long text many times. */
static int compare(lua_State *L, const struct lib_item *a,
                   const struct lib_item *b)
{
    if (a->text == NULL || b->text == NULL) {
        if (a->text != NULL || b->text != NULL)
            return a->text == NULL ? -1 : 1;
        return a->number < b->number ? -1 : a->number > b->number;
    }
    if (a->text == b->text)
        return 0;
    size_t shorter = a->len < b->len ? a->len : b->len;
    if (L != NULL && shorter > SANDBOX_BYTES_STEP)
        sandbox_charge_bytes(L, shorter);
    int order = memcmp(a->text, b->text, shorter);
    return order != 0 ? order : a->len < b->len ? -1 : a->len > b->len;
}

static bool in_order(lua_State *L, const struct lib_item *items, size_t count)
{
    for (size_t i = 1; i < count; i++)
        if (compare(L, &items[i - 1], &items[i]) > 0)
            return false;
    return true;
}

static void merge(lua_State *L, const struct lib_item *from,
                  struct lib_item *to, size_t middle, size_t end)
{
    size_t left = 0, right = middle;

    for (size_t i = 0; i < end; i++)
        if (left < middle &&
            (right >= end || compare(L, &from[left], &from[right]) <= 0))
            to[i] = from[left++];
        else
            to[i] = from[right++];
}

void lib_sort_items(lua_State *L, struct lib_item *items,
                    struct lib_item *spare, size_t count)
{
    struct lib_item *from = items, *to = spare;

    if (L != NULL)
        sandbox_charge(L, count);
    if (in_order(L, items, count))
        return;
    for (size_t width = 1; width < count; width *= 2) {
        if (L != NULL)
            sandbox_charge(L, count);
        for (size_t at = 0; at < count; at += 2 * width) {
            size_t left = count - at;
            merge(L, from + at, to + at, width < left ? width : left,
                  2 * width < left ? 2 * width : left);
        }
        struct lib_item *swap = from;
        from = to;
        to = swap;
    }
    if (from != items)
        memcpy(items, from, count * sizeof(*items));
}
