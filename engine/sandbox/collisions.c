/* A place on a machine of 64 bits is
 *
 *     offset  size
 *          0     8  value
 *          8     8  key
 *         16     8  address of the next place of the chain, or 0
 *
 * and there are a power of two of them, one behind the other. Nothing else is
 * relied on, and the probe finds out. A text that takes as many bytes is looked
 * at like a table: an address that leads outside ends a chain.
 *
 * Each look goes on where the last one ended, over a share of all places: so
 * neither many tables nor such as come and go hide one. The walk from a place
 * goes COLLISIONS_LONG steps at most. */
#include "sandbox/collisions.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/memory.h"

enum {
    PLACE_SIZE = 24,
    KEY_AT = 8,
    NEXT_AT = 16,
    LOOK_SHARE = 16, /* all places are seen in so many looks, or less */
    LOOK_LEAST = 32,
};

void collisions_deinit(struct collisions *c)
{
    mem_free(c->tables);
    *c = (struct collisions){0};
}

/* 0: a block of this size is no large table's. */
static size_t places_of(size_t size)
{
    size_t count = size / PLACE_SIZE;

    return size % PLACE_SIZE == 0 && count >= COLLISIONS_LARGE &&
                   (count & (count - 1)) == 0
               ? count
               : 0;
}

void collisions_take(struct collisions *c, const void *block, size_t size)
{
    size_t count = places_of(size);

    if (count == 0)
        return;
    c->tables =
        mem_array_grow(c->tables, c->count, &c->cap, sizeof(*c->tables));
    c->tables[c->count++] = (struct places){block, count};
    c->places += count;
}

void collisions_give(struct collisions *c, const void *block, size_t size)
{
    size_t i = 0;

    if (places_of(size) == 0)
        return;
    while (i < c->count && c->tables[i].at != block)
        i++;
    if (i == c->count)
        return; /* it grew to this size, as no places do */
    c->places -= c->tables[i].count;
    c->count--;
    memmove(&c->tables[i], &c->tables[i + 1],
            (c->count - i) * sizeof(*c->tables));
    if (i == c->table)
        c->place = 0;
    if (i < c->table)
        c->table--;
}

/* The place behind number `i`; t->count: none. */
static size_t next_of(const struct places *t, size_t i)
{
    uint64_t next;
    uintptr_t start = (uintptr_t)t->at;

    memcpy(&next, (const uint8_t *)t->at + i * PLACE_SIZE + NEXT_AT,
           sizeof(next));
    if (next < start || (next - start) % PLACE_SIZE != 0 ||
        (next - start) / PLACE_SIZE >= t->count)
        return t->count;
    return (next - start) / PLACE_SIZE;
}

static bool is_long(const struct places *t, size_t i)
{
    size_t keys = 1;

    while (keys < COLLISIONS_LONG && (i = next_of(t, i)) < t->count)
        keys++;
    return keys == COLLISIONS_LONG;
}

void collisions_look(struct collisions *c)
{
    size_t left = LOOK_LEAST + c->places / LOOK_SHARE;

    for (; left > 0 && c->count > 0 && !c->found; left--) {
        if (c->table >= c->count)
            c->table = 0;
        c->found = is_long(&c->tables[c->table], c->place);
        if (++c->place >= c->tables[c->table].count) {
            c->place = 0;
            c->table++;
        }
    }
}

void collisions_copy(struct collisions *to, const struct collisions *from)
{
    struct collisions made = *from;

    made.tables = to->tables;
    made.cap = to->cap;
    while (made.cap < from->count)
        made.tables = mem_array_grow(made.tables, made.cap, &made.cap,
                                     sizeof(*made.tables));
    if (from->count > 0)
        memcpy(made.tables, from->tables, from->count * sizeof(*made.tables));
    *to = made;
}

bool collisions_probe(lua_State *L, struct collisions *c)
{
    size_t keys = 0, followed = 0;

    lua_createtable(L, 0, COLLISIONS_LARGE);
    bool good = c->count == 1 && c->tables[0].count == COLLISIONS_LARGE;
    for (int i = 0; good && i < COLLISIONS_LARGE; i++) {
        lua_pushnumber(L, i + 0.5);
        lua_pushboolean(L, true);
        lua_rawset(L, -3);
    }
    good = good && c->count == 1;
    for (size_t i = 0; good && i < COLLISIONS_LARGE; i++) {
        const uint8_t *place = (const uint8_t *)c->tables[0].at;
        double key;
        uint64_t next;
        memcpy(&key, place + i * PLACE_SIZE + KEY_AT, sizeof(key));
        memcpy(&next, place + i * PLACE_SIZE + NEXT_AT, sizeof(next));
        keys += key >= 0.5 && key < COLLISIONS_LARGE;
        good = next == 0 || next_of(&c->tables[0], i) < COLLISIONS_LARGE;
        followed += next != 0;
    }
    lua_pop(L, 1);
    lua_gc(L, LUA_GCCOLLECT, 0); /* else its places stand in the image */
    lua_gc(L, LUA_GCSTOP, 0);
    good = good && c->count == 0;
    return good && keys == COLLISIONS_LARGE && followed > 0;
}
