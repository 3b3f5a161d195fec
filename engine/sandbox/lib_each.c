#include "sandbox/lib.h"
#include "sandbox/sandbox.h"

/* each's iterator: upvalues are the table, its keys in order, and how many of
 * them have been given. A key whose value has gone meanwhile is passed over. */
static int next_pair(lua_State *L)
{
    int at = (int)lua_tointeger(L, lua_upvalueindex(3));

    for (;;) {
        lua_settop(L, 0);
        lua_rawgeti(L, lua_upvalueindex(2), ++at);
        if (lua_isnil(L, 1))
            return 1;
        lua_pushvalue(L, 1);
        lua_rawget(L, lua_upvalueindex(1));
        if (!lua_isnil(L, 2))
            break;
    }
    lua_pushinteger(L, at);
    lua_replace(L, lua_upvalueindex(3));
    return 2;
}

/* Push a list of the keys of the table at 1, as they come. */
static size_t push_keys(lua_State *L)
{
    size_t count = 0;

    lua_newtable(L);
    for (lua_pushnil(L); lua_next(L, 1) != 0; count++) {
        lua_pop(L, 1);
        if (lua_type(L, -1) != LUA_TNUMBER && lua_type(L, -1) != LUA_TSTRING)
            sandbox_error(L,
                          "ate.each: a key is a %s; only numbers and texts "
                          "have an order",
                          luaL_typename(L, -1));
        sandbox_charge(L, 1);
        lua_pushvalue(L, -1);
        lua_rawseti(L, -3, (int)count + 1);
    }
    return count;
}

static void fill(lua_State *L, struct lib_item *items, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        items[i] = (struct lib_item){.index = (uint32_t)i + 1};
        lua_rawgeti(L, 2, (int)i + 1);
        if (lua_type(L, -1) == LUA_TSTRING)
            items[i].text = lua_tolstring(L, -1, &items[i].len);
        else
            items[i].number = lua_tonumber(L, -1);
        lua_pop(L, 1);
    }
}

/* Keys come in an order that differs between processes, so what sorting them
 * would cost must not depend on it: the worst case is charged, by count and
 * length. */
static void charge_sort(lua_State *L, const struct lib_item *items,
                        size_t count)
{
    size_t rounds = 1;
    for (size_t width = 1; width < count; width *= 2)
        rounds++;
    sandbox_charge(L, count * rounds);
    for (size_t i = 0; i < count; i++)
        if (items[i].text != NULL && items[i].len > SANDBOX_BYTES_STEP)
            sandbox_charge_bytes(L, items[i].len * rounds);
}

/* Replace the list of keys at 2 by one in order. */
static void sort_keys(lua_State *L, size_t count)
{
    size_t size = 2 * count * sizeof(struct lib_item);
    struct lib_item *items = sandbox_scratch(L, size);

    fill(L, items, count);
    charge_sort(L, items, count);
    lib_sort_items(NULL, items, items + count, count);
    lua_createtable(L, (int)count, 0);
    for (size_t i = 0; i < count; i++) {
        lua_rawgeti(L, 2, (int)items[i].index);
        lua_rawseti(L, 3, (int)i + 1);
    }
    lua_replace(L, 2);
    sandbox_scratch_free(L, items, size);
}

/* each(table): for a generic `for`, key and value in the order of the keys:
 * numbers by value, then texts by bytes. */
static int each(lua_State *L)
{
    lib_arg_table(L, 1, "ate.each");
    lua_settop(L, 1);
    size_t count = push_keys(L);
    if (count > 1)
        sort_keys(L, count);
    lua_pushinteger(L, 0);
    lua_pushcclosure(L, next_pair, 3);
    return 1;
}

static const luaL_Reg functions[] = {{"each", each}, {NULL, NULL}};

const struct library lib_ate = {"ate.lib", functions, NULL};
