/* A frozen table is kept beside a copy of it: {table, name, copy} in a list
 * that the seal goes through and drops. Tables that are read in every run cost
 * nothing for that, unlike ones behind a metatable. */
#include "sandbox/host.h"

#include <lauxlib.h>

#include "sandbox/sandbox.h"

void sandbox_push_host(lua_State *L)
{
    lua_rawgeti(L, LUA_REGISTRYINDEX, sandbox_of(L)->refs.host);
}

static void push_frozen(lua_State *L)
{
    lua_rawgeti(L, LUA_REGISTRYINDEX, sandbox_of(L)->refs.frozen);
}

static int host_setmetatable(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 2);
    lua_setmetatable(L, 1);
    return 1;
}

static int host_getmetatable(lua_State *L)
{
    luaL_checkany(L, 1);
    return lua_getmetatable(L, 1);
}

static int host_rawget(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 2);
    lua_rawget(L, 1);
    return 1;
}

static int host_rawset(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 3);
    lua_rawset(L, 1);
    return 1;
}

static int host_rawequal(lua_State *L)
{
    lua_pushboolean(L, lua_rawequal(L, 1, 2));
    return 1;
}

static int host_next(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 2);
    sandbox_charge(L, 1);
    return lua_next(L, 1) ? 2 : 0;
}

static int host_where(lua_State *L)
{
    char place[SANDBOX_FILE_MAX];

    if (!sandbox_where(L, (int)luaL_optinteger(L, 1, 1), place, sizeof(place)))
        return 0;
    lua_pushstring(L, place);
    return 1;
}

/* freeze(table, name): keep a copy until the seal. */
static int freeze(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    luaL_checktype(L, 2, LUA_TSTRING);
    push_frozen(L);
    lua_createtable(L, 3, 0);
    lua_pushvalue(L, 1);
    lua_rawseti(L, -2, 1);
    lua_pushvalue(L, 2);
    lua_rawseti(L, -2, 2);
    lua_newtable(L);
    for (lua_pushnil(L); lua_next(L, 1) != 0;) {
        lua_pushvalue(L, -2);
        lua_insert(L, -2);
        lua_rawset(L, -4);
    }
    lua_rawseti(L, -2, 3);
    lua_rawseti(L, -2, (int)lua_objlen(L, -2) + 1);
    lua_settop(L, 1);
    return 1;
}

static const luaL_Reg host_functions[] = {
    {"setmetatable", host_setmetatable},
    {"getmetatable", host_getmetatable},
    {"rawget", host_rawget},
    {"rawset", host_rawset},
    {"rawequal", host_rawequal},
    {"next", host_next},
    {"where", host_where},
    {"freeze", freeze},
    {NULL, NULL},
};

/* Raise an error unless every entry of the table at `a` is in the one at `b`.
 */
static void check_same(lua_State *L, int a, int b, const char *name)
{
    for (lua_pushnil(L); lua_next(L, a) != 0; lua_pop(L, 1)) {
        lua_pushvalue(L, -2);
        lua_rawget(L, b);
        if (!lua_rawequal(L, -1, -2))
            sandbox_error(L,
                          "%s.%s was changed while the bundle was loaded: "
                          "keep functions of yours in a table of yours",
                          name,
                          lua_type(L, -3) == LUA_TSTRING ? lua_tostring(L, -3)
                                                         : "?");
        lua_pop(L, 1);
    }
}

static void check_frozen(lua_State *L)
{
    push_frozen(L);
    int list = lua_gettop(L);
    int count = (int)lua_objlen(L, list);
    for (int i = 1; i <= count; i++) {
        lua_settop(L, list);
        lua_rawgeti(L, list, i);
        for (int n = 1; n <= 3; n++)
            lua_rawgeti(L, list + 1, n);
        const char *name = lua_tostring(L, list + 3);
        check_same(L, list + 2, list + 4, name);
        check_same(L, list + 4, list + 2, name);
    }
    lua_settop(L, list - 1);
}

void host_freeze(lua_State *L, const char *name)
{
    lua_pushcfunction(L, freeze);
    lua_pushvalue(L, -2);
    lua_pushstring(L, name);
    lua_call(L, 2, 0);
}

void host_seal(lua_State *L)
{
    struct sandbox_refs *refs = &sandbox_of(L)->refs;

    check_frozen(L);
    luaL_unref(L, LUA_REGISTRYINDEX, refs->frozen);
    refs->frozen = LUA_NOREF;
}

void host_open(lua_State *L)
{
    struct sandbox_refs *refs = &sandbox_of(L)->refs;

    lua_newtable(L);
    refs->frozen = luaL_ref(L, LUA_REGISTRYINDEX);
    lua_newtable(L);
    luaL_register(L, NULL, host_functions);
    refs->host = luaL_ref(L, LUA_REGISTRYINDEX);
}
