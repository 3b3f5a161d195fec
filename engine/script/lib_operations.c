/* Each answers false for operands that the instruction itself is to refuse: it
 * names the variable that holds them. */
#include "script/length.h"
#include "script/operations.h"

const char *const operation_names[OPERATION_COUNT] = {
    [OPERATION_LENGTH] = "#",
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

static const luaL_Reg functions[] = {
    {"#", length},
    {NULL, NULL},
};

const struct library lib_operations = {"operations", functions, NULL};
