#include "lua/failure.h"

#include <stdbool.h>
#include <string.h>
#include <lauxlib.h>

#include "ate.h"

#define ERROR_META "ate.error"

static void push_lines(lua_State *L, const char *lines)
{
    lua_newtable(L);
    for (int i = 1; *lines != '\0'; i++) {
        size_t len = strcspn(lines, "\n");
        lua_pushlstring(L, lines, len);
        lua_rawseti(L, -2, i);
        lines += len + (lines[len] == '\n');
    }
}

static void set_text(lua_State *L, const char *name, const char *text)
{
    if (text[0] == '\0')
        return;
    lua_pushstring(L, text);
    lua_setfield(L, -2, name);
}

void failure_push(lua_State *L, const struct ate_error *error)
{
    lua_createtable(L, 0, 6);
    lua_pushstring(L, ate_code_name(error->code));
    lua_setfield(L, -2, "code");
    lua_pushinteger(L, ate_code_exit(error->code));
    lua_setfield(L, -2, "exit");
    lua_pushstring(L, error->text);
    lua_setfield(L, -2, "text");
    set_text(L, "rule", error->rule);
    set_text(L, "reason", error->reason);
    if (error->at[0] != '\0') {
        push_lines(L, error->at);
        lua_setfield(L, -2, "at");
    }
    luaL_getmetatable(L, ERROR_META);
    lua_setmetatable(L, -2);
}

int failure_results(lua_State *L, const struct ate_error *error)
{
    lua_pushnil(L);
    failure_push(L, error);
    return 2;
}

int failure_or_true(lua_State *L, int code, const struct ate_error *error)
{
    if (code != 0)
        return failure_results(L, error);
    lua_pushboolean(L, true);
    return 1;
}

int failure_code(const char *name)
{
    for (int code = ATE_IO; code >= ATE_CANCELED; code--)
        if (strcmp(ate_code_name(code), name) == 0)
            return code;
    return 0;
}

int failure_make(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);
    const char *text = luaL_checkstring(L, 2);
    const char *reason = luaL_optstring(L, 3, "");
    struct ate_error error = {.code = failure_code(name)};
    luaL_argcheck(L, error.code != 0, 1, "no such code");
    failure_push(L, &error);
    lua_pushstring(L, text);
    lua_setfield(L, -2, "text");
    set_text(L, "reason", reason);
    return 1;
}

static int error_text(lua_State *L)
{
    lua_getfield(L, 1, "text");
    return 1;
}

void failure_setup(lua_State *L)
{
    luaL_newmetatable(L, ERROR_META);
    lua_pushcfunction(L, error_text);
    lua_setfield(L, -2, "__tostring");
    lua_pop(L, 1);
}
