#include "lua/value.h"

#include <assert.h>
#include <string.h>
#include <lauxlib.h>
#include "base/text.h"

/* An int64_t is a value of LuaJIT's ffi, for which the C API has no functions:
 * two functions of Lua make one and recognize one, and lua_topointer() gives
 * the address of its bytes. */
static const char INTEGER_CODE[] =
    "local ffi = require('ffi')\n"
    "local i64, u64 = ffi.typeof('int64_t'), ffi.typeof('uint64_t')\n"
    "return i64, function(v)\n"
    "    return ffi.istype(i64, v) and 1 or ffi.istype(u64, v) and 2 or 0\n"
    "end\n";

#define LIST_META "ate.list"
#define BIN_META "ate.bin"

enum { TYPE_CDATA = 10 };               /* LuaJIT's, beside those of lua.h */
static const double EXACT_MAX = 0x1p53; /* integers up to it are numbers */

/* Addresses of these are keys of the registry. */
static char key_make, key_recognize;

/* Take the value on top of the stack into the registry. */
static void keep(lua_State *L, char *key)
{
    lua_pushlightuserdata(L, key);
    lua_insert(L, -2);
    lua_settable(L, LUA_REGISTRYINDEX);
}

void value_setup(lua_State *L)
{
    luaL_newmetatable(L, LIST_META);
    lua_pushliteral(L, "list");
    lua_setfield(L, -2, "__metatable");
    luaL_newmetatable(L, BIN_META);
    lua_pop(L, 2);
    if (luaL_loadstring(L, INTEGER_CODE) != 0)
        lua_error(L);
    lua_call(L, 0, 2);
    keep(L, &key_recognize);
    keep(L, &key_make);
}

void value_push_null(lua_State *L)
{
    lua_pushlightuserdata(L, NULL);
}

void value_push_integer(lua_State *L, int64_t integer)
{
    if (integer >= -(int64_t)EXACT_MAX && integer <= (int64_t)EXACT_MAX) {
        lua_pushnumber(L, (lua_Number)integer);
        return;
    }
    lua_pushlightuserdata(L, &key_make);
    lua_gettable(L, LUA_REGISTRYINDEX);
    lua_call(L, 0, 1);
    assert(lua_type(L, -1) == TYPE_CDATA);
    memcpy((void *)(uintptr_t)lua_topointer(L, -1), &integer, sizeof(integer));
}

void value_mark_list(lua_State *L)
{
    luaL_getmetatable(L, LIST_META);
    lua_setmetatable(L, -2);
}

static bool has_metatable(lua_State *L, int index, const char *name)
{
    if (!lua_getmetatable(L, index))
        return false;
    luaL_getmetatable(L, name);
    bool same = lua_rawequal(L, -1, -2);
    lua_pop(L, 2);
    return same;
}

static void get_number(lua_State *L, int index, struct value *value)
{
    double number = lua_tonumber(L, index);
    value->shape = VALUE_NUMBER;
    value->number = number;
    if (number >= -EXACT_MAX && number <= EXACT_MAX &&
        number == (double)(int64_t)number) {
        value->shape = VALUE_INTEGER;
        value->integer = (int64_t)number;
    }
}

static void get_cdata(lua_State *L, int index, struct value *value)
{
    lua_pushvalue(L, index);
    lua_pushlightuserdata(L, &key_recognize);
    lua_gettable(L, LUA_REGISTRYINDEX);
    lua_insert(L, -2);
    lua_call(L, 1, 1);
    int kind = (int)lua_tointeger(L, -1);
    lua_pop(L, 1);
    if (kind == 0)
        return;
    memcpy(&value->integer, lua_topointer(L, index), sizeof(value->integer));
    if (kind == 1 || value->integer >= 0)
        value->shape = VALUE_INTEGER;
}

static void get_table(lua_State *L, int index, struct value *value)
{
    if (has_metatable(L, index, BIN_META)) {
        lua_rawgeti(L, index, 1); /* the table keeps the text alive */
        value->text = lua_tolstring(L, -1, &value->len);
        lua_pop(L, 1);
        value->shape = VALUE_BYTES;
        return;
    }
    value->len = lua_objlen(L, index);
    bool list = value->len > 0 || has_metatable(L, index, LIST_META);
    value->shape = list ? VALUE_LIST : VALUE_MAP;
}

void value_get(lua_State *L, int index, struct value *value)
{
    if (index < 0)
        index = lua_gettop(L) + index + 1;
    luaL_checkstack(L, 4, "a value is too deep");
    *value = (struct value){.shape = VALUE_OTHER};
    switch (lua_type(L, index)) {
    case LUA_TNIL:
        value->shape = VALUE_NIL;
        break;
    case LUA_TLIGHTUSERDATA:
        if (lua_touserdata(L, index) == NULL)
            value->shape = VALUE_NIL;
        break;
    case LUA_TBOOLEAN:
        value->shape = VALUE_BOOLEAN;
        value->boolean = lua_toboolean(L, index);
        break;
    case LUA_TNUMBER:
        get_number(L, index, value);
        break;
    case LUA_TSTRING:
        value->text = lua_tolstring(L, index, &value->len);
        value->shape =
            text_is_utf8(value->text, value->len) ? VALUE_TEXT : VALUE_BYTES;
        break;
    case LUA_TTABLE:
        get_table(L, index, value);
        break;
    case TYPE_CDATA:
        get_cdata(L, index, value);
        break;
    default:
        break;
    }
}

/* Sort the list on top of the stack with Lua's own table.sort, which compares
 * with strcoll(); the program never leaves the C locale for that category. */
static void sort_list(lua_State *L)
{
    lua_getglobal(L, "table");
    lua_getfield(L, -1, "sort");
    lua_remove(L, -2);
    lua_pushvalue(L, -2);
    lua_call(L, 1, 0);
}

int value_push_keys(lua_State *L, int index)
{
    if (index < 0)
        index = lua_gettop(L) + index + 1;
    luaL_checkstack(L, 6, "a value is too deep");
    lua_newtable(L);
    int keys = lua_gettop(L);
    int count = 0;
    for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
        if (lua_type(L, -2) != LUA_TSTRING) {
            lua_settop(L, keys - 1);
            return -1;
        }
        lua_pushvalue(L, -2);
        lua_rawseti(L, keys, ++count);
    }
    sort_list(L);
    assert(lua_gettop(L) == keys);
    return count;
}

int value_bin(lua_State *L)
{
    luaL_checkstring(L, 1);
    lua_createtable(L, 1, 0);
    lua_pushvalue(L, 1);
    lua_rawseti(L, -2, 1);
    luaL_getmetatable(L, BIN_META);
    lua_setmetatable(L, -2);
    return 1;
}

int value_list(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    value_mark_list(L);
    return 1;
}

int value_is_list(lua_State *L)
{
    struct value value;
    luaL_checkany(L, 1);
    value_get(L, 1, &value);
    lua_pushboolean(L, value.shape == VALUE_LIST);
    return 1;
}
