/* (1) items[] is in order of `number` and of `size`.
 * (2) `last` has exactly the keys that stand in items[], with the numbers of
 *     the items that hold them.
 * (3) Whoever has seen all up to `lost` misses nothing here.
 * (4) What an entry belongs to stands behind it, so that who has seen that one
 *     has seen the entry; for a run of entries of one owner it stands once. */
#include "state/changes.h"

#include <assert.h>
#include <string.h>

#include "base/memory.h"
#include "state/state.h"

void changes_init(struct changes *c, size_t max,
                  const uint8_t seed[MAP_SEED_LEN])
{
    *c = (struct changes){.max = max != 0 ? max : CHANGES_MAX};
    assert(c->max >= 4);
    map_init(&c->last, seed);
}

static void drop_keys(struct changes *c)
{
    for (size_t i = 0; i < c->count; i++)
        mem_free(c->items[i].key);
    c->count = 0;
    c->live = 0;
}

void changes_deinit(struct changes *c)
{
    drop_keys(c);
    mem_free(c->items);
    c->items = NULL;
    buf_deinit(&c->owner);
    map_deinit(&c->last);
}

void changes_forget(struct changes *c, uint64_t size)
{
    drop_keys(c);
    map_clear(&c->last);
    c->lost = c->number;
    c->since = size;
}

/* ---- finding ---- */

/* The first item whose number is above. */
static size_t place_after(const struct changes *c, uint64_t number)
{
    size_t low = 0;
    size_t high = c->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (c->items[middle].number > number)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

bool changes_reach(const struct changes *c, uint64_t number)
{
    return number >= c->lost;
}

bool changes_at(const struct changes *c, uint64_t size, uint64_t end,
                uint64_t *number)
{
    if (size < c->since || size > end)
        return false;
    size_t low = 0;
    size_t high = c->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (c->items[middle].size > size)
            high = middle;
        else
            low = middle + 1;
    }
    *number = low < c->count ? c->items[low].number - 1 : c->number;
    return true;
}

const struct changed *changes_after(const struct changes *c, uint64_t number)
{
    if (number >= c->number)
        return NULL;
    for (size_t i = place_after(c, number); i < c->count; i++)
        if (c->items[i].key != NULL)
            return &c->items[i];
    return NULL;
}

uint64_t changes_last(const struct changes *c, struct bytes key)
{
    uint64_t number = 0;
    map_get(&c->last, key, &number);
    return number;
}

/* ---- adding ---- */

/* Forget the oldest until a half is free. */
static void make_room(struct changes *c)
{
    size_t drop = c->live > c->max / 2 ? c->live - c->max / 2 : 0;
    size_t kept = 0;
    for (size_t i = 0; i < c->count; i++) {
        struct changed *item = &c->items[i];
        if (item->key == NULL)
            continue;
        if (drop > 0) {
            drop--;
            c->live--;
            c->lost = item->number;
            c->since = item->size;
            map_delete(&c->last, change_key(item), NULL);
            mem_free(item->key);
            continue;
        }
        c->items[kept++] = *item;
    }
    c->count = kept;
    assert(c->count == c->live);
}

/* Its key, taken from where it stood, or a copy. */
static uint8_t *take_key(struct changes *c, struct bytes key)
{
    uint64_t number;
    if (!map_get(&c->last, key, &number)) {
        c->live++;
        return mem_copy(key.data, key.len);
    }
    struct changed *before = &c->items[place_after(c, number - 1)];
    assert(before->number == number);
    assert(bytes_equal(change_key(before), key));
    uint8_t *taken = before->key;
    before->key = NULL;
    return taken;
}

static void add(struct changes *c, struct bytes key, uint64_t size)
{
    if (c->count == c->max)
        make_room(c);
    c->items = mem_array_grow(c->items, c->count, &c->cap, sizeof(*c->items));
    assert(c->count == 0 || c->items[c->count - 1].size <= size);
    uint8_t *own = take_key(c, key);
    c->items[c->count++] = (struct changed){
        .number = ++c->number,
        .size = size,
        .key = own,
        .key_len = key.len,
    };
    map_put(&c->last, key, c->number);
}

void changes_add(struct changes *c, struct bytes key, uint64_t size)
{
    struct buf owner = {0};
    assert(key.len > 0);
    changes_owner_key(&owner, key);
    if (!bytes_equal(buf_bytes(&owner), buf_bytes(&c->owner)))
        changes_added(c, size);
    if (!bytes_equal(buf_bytes(&owner), key))
        add(c, key, size);
    buf_deinit(&c->owner);
    c->owner = owner;
}

/* Invariant (4). */
void changes_added(struct changes *c, uint64_t size)
{
    if (c->owner.len > 0)
        add(c, buf_bytes(&c->owner), size);
    buf_clear(&c->owner);
}

/* ---- keys of what entries belong to ---- */

void changes_type_key(struct buf *out, const struct event_type *type)
{
    buf_put_u8(out, STATE_CHILD);
    buf_put(out, type->name, strlen(type->name) + 1);
}

void changes_view_key(struct buf *out, const struct view *view)
{
    buf_put_u8(out, STATE_ROW);
    buf_put(out, view->name, strlen(view->name) + 1);
}

bool changes_owner_key(struct buf *out, struct bytes key)
{
    uint8_t kind = key.data[0];
    bool is_row = kind == STATE_ROW || kind == STATE_PRIVATE_ROW ||
                  kind == STATE_ROW_ORDER;
    const uint8_t *end = memchr(key.data + 1, 0, key.len - 1);
    if ((!is_row && kind != STATE_CHILD) || end == NULL)
        return false;
    buf_put_u8(out, kind == STATE_CHILD ? STATE_CHILD : STATE_ROW);
    buf_put(out, key.data + 1, (size_t)(end - key.data));
    return true;
}
