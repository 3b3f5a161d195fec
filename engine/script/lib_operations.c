/* Each answers false for operands that the instruction itself is to refuse: it
 * names the variable that holds them. */
#include "script/operations.h"

#include <string.h>

#include "script/length.h"
#include "script/sandbox.h"

enum { CONCAT_SMALL = 512 };

const char *const operation_names[OPERATION_COUNT] = {
    [OPERATION_LENGTH] = "#",
    [OPERATION_CONCAT] = "..",
};

static int length(lua_State *L)
{
    switch (lua_type(L, 1)) {
    case LUA_TTABLE:
        lua_pushnumber(L, (lua_Number)length_of(L, 1));
        return 1;
    case LUA_TSTRING:
        lua_pushnumber(L, (lua_Number)lua_objlen(L, 1));
        return 1;
    default:
        lua_pushboolean(L, 0);
        return 1;
    }
}

/* The text of operand `i`; NULL: it has none. */
static const char *operand(lua_State *L, int i, char room[LIB_NUMBER_TEXT],
                           size_t *len)
{
    switch (lua_type(L, i)) {
    case LUA_TSTRING:
        return lua_tolstring(L, i, len);
    case LUA_TNUMBER:
        *len = lib_number_text(L, room, lua_tonumber(L, i));
        return room;
    default:
        return NULL;
    }
}

/* Lua's own conversion of numbers would be another than tostring's. */
static int concat(lua_State *L)
{
    char room[LIB_NUMBER_TEXT], small[CONCAT_SMALL];
    int count = lua_gettop(L);
    size_t total = 0, len = 0;

    for (int i = 1; i <= count; i++) {
        if (operand(L, i, room, &len) == NULL) {
            lua_pushboolean(L, 0);
            return 1;
        }
        total += len;
    }
    lib_charge_text(L, total, "..");
    char *made = total > sizeof(small) ? sandbox_scratch(L, total) : small;
    char *at = made;
    for (int i = 1; i <= count; i++) {
        const char *text = operand(L, i, room, &len);
        memcpy(at, text, len);
        at += len;
    }
    lua_pushlstring(L, made, total);
    if (made != small)
        sandbox_scratch_free(L, made, total);
    return 1;
}

static const luaL_Reg functions[] = {
    {"#", length},
    {"..", concat},
    {NULL, NULL},
};

const struct library lib_operations = {"operations", functions, NULL};
