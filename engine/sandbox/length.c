/* Elements have to be counted one by one, and `t[#t + 1] = x` in a loop asks
 * each time: so they are read where LuaJIT keeps them, 8 bytes each. A table
 * on a machine of 64 bits is
 *
 *     offset  size
 *         16     8  address of the array: t[0], t[1], ...
 *         48     4  its length, that of t[0] counted
 *
 * and nil has all bits set. Nothing else is relied on: elements behind the
 * array are asked for, and a table is only read when length_probe() has found
 * one that it made itself to look like that. */
#include "sandbox/length.h"

#include <lauxlib.h>
#include <stdint.h>
#include <string.h>

#include "sandbox/sandbox.h"

enum { ARRAY_AT = 16, ARRAY_LENGTH_AT = 48, TABLE_SIZE = 64 };

#define NIL UINT64_MAX

struct array {
    const uint64_t *items; /* items[i] is t[i] */
    uint32_t length;
};

static struct array array_of(const uint8_t *table)
{
    struct array a;
    uint64_t address;

    memcpy(&address, table + ARRAY_AT, sizeof(address));
    memcpy(&a.length, table + ARRAY_LENGTH_AT, sizeof(a.length));
    a.items = (const uint64_t *)(uintptr_t)address;
    return a;
}

/* How many elements from t[1] on stand in the array before the first nil. */
static size_t count_in_array(const struct array *a)
{
    size_t i = 1;

    while (i + 4 <= a->length && a->items[i] != NIL && a->items[i + 1] != NIL &&
           a->items[i + 2] != NIL && a->items[i + 3] != NIL)
        i += 4;
    while (i < a->length && a->items[i] != NIL)
        i++;
    return i - 1;
}

/* Go on from `n`, by Lua's C interface. */
static size_t count_from(lua_State *L, int index, size_t n)
{
    luaL_checkstack(L, 1, "length");
    for (bool more = true; more; n += more) {
        lua_rawgeti(L, index, (int)n + 1);
        more = !lua_isnil(L, -1);
        lua_pop(L, 1);
    }
    return n;
}

static size_t count(lua_State *L, int index)
{
    size_t n = 0;

    if (sandbox_of(L)->sees_arrays) {
        struct array a = array_of(lua_topointer(L, index));
        if (a.length > 0)
            n = count_in_array(&a);
        if (n + 1 < a.length)
            return n;
    }
    return count_from(L, index, n);
}

static int absolute(lua_State *L, int index)
{
    return index > 0 ? index : lua_gettop(L) + index + 1;
}

size_t length_of(lua_State *L, int index)
{
    size_t n = count(L, absolute(L, index));
    sandbox_charge(L, 1 + n / LENGTH_STEP);
    return n;
}

bool length_whole(lua_State *L, int index, size_t *n)
{
    size_t entries = 0;

    index = absolute(L, index);
    luaL_checkstack(L, 2, "length");
    lua_pushnil(L);
    while (lua_next(L, index) != 0) {
        lua_pop(L, 1);
        entries++;
    }
    sandbox_charge(L, entries);
    *n = length_of(L, index);
    return entries == *n;
}

/* Is [at, at + len) memory of the arena? */
static bool is_inside(const struct arena *arena, const void *at, size_t len)
{
    uintptr_t start = (uintptr_t)arena->block;
    uintptr_t from = (uintptr_t)at;

    return from >= start && from - start <= arena->size &&
           len <= arena->size - (from - start);
}

bool length_probe(lua_State *L)
{
    static const double wanted[] = {0, 1.5, 0, -3.25, 4};
    enum { ITEMS = sizeof(wanted) / sizeof(wanted[0]) };
    const struct arena *arena = &sandbox_of(L)->arena;

    lua_createtable(L, ITEMS - 1, 0);
    for (int i = 1; i < ITEMS; i++) {
        lua_pushnumber(L, wanted[i]);
        if (wanted[i] != 0)
            lua_rawseti(L, -2, i);
        else
            lua_pop(L, 1); /* t[2] is nil */
    }
    const void *table = lua_topointer(L, -1);
    lua_pop(L, 1);
    if (!is_inside(arena, table, TABLE_SIZE))
        return false;
    struct array a = array_of(table);
    if (a.length != ITEMS ||
        !is_inside(arena, a.items, ITEMS * sizeof(*a.items)) ||
        (uintptr_t)a.items % sizeof(*a.items) != 0)
        return false;
    for (int i = 1; i < ITEMS; i++) {
        uint64_t bits = NIL;
        if (wanted[i] != 0)
            memcpy(&bits, &wanted[i], sizeof(bits));
        if (a.items[i] != bits)
            return false;
    }
    return true;
}
