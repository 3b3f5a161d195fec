#include "sandbox/lib.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "sandbox/sandbox.h"

static const struct library *const tables[] = {
    &lib_string,
    &lib_table,
    &lib_math,
    &lib_bit,
};

/* Globals that are no part of lib_base. */
static const char *const others[] = {"ipairs", "select", "type", "require"};

void lib_push(lua_State *L, const struct library *library)
{
    lua_newtable(L);
    for (const luaL_Reg *f = library->functions; f->name != NULL; f++) {
        lua_pushcfunction(L, f->func);
        lua_setfield(L, -2, f->name);
    }
    const struct lib_constant *c = library->constants;
    for (; c != NULL && c->name != NULL; c++) {
        lua_pushnumber(L, c->value);
        lua_setfield(L, -2, c->name);
    }
}

static bool has_member(const struct library *library, const char *member)
{
    for (const luaL_Reg *f = library->functions; f->name != NULL; f++)
        if (strcmp(f->name, member) == 0)
            return true;
    const struct lib_constant *c = library->constants;
    for (; c != NULL && c->name != NULL; c++)
        if (strcmp(c->name, member) == 0)
            return true;
    return false;
}

bool lib_has(const char *name, const char *member)
{
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
        if (strcmp(tables[i]->name, name) == 0)
            return member[0] == '\0' || has_member(tables[i], member);
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        if (strcmp(others[i], name) == 0)
            return true;
    return has_member(&lib_base, name);
}

bool lib_to_integer(lua_State *L, int index, int64_t *value)
{
    if (lua_type(L, index) != LUA_TNUMBER)
        return false;
    double number = lua_tonumber(L, index);
    if (!(number >= (double)-LIB_INTEGER_MAX &&
          number <= (double)LIB_INTEGER_MAX))
        return false;
    *value = (int64_t)number;
    return (double)*value == number;
}

/* "string.rep: argument 2 must be an integer, got nil" */
static void bad_argument(lua_State *L, int arg, const char *function,
                         const char *wanted)
{
    char text[LIB_NUMBER_TEXT];

    if (lua_type(L, arg) == LUA_TNUMBER)
        lib_number_text(text, lua_tonumber(L, arg));
    else
        snprintf(text, sizeof(text), "%s",
                 lua_isnoneornil(L, arg) ? "nil" : luaL_typename(L, arg));
    sandbox_error(L, "%s: argument %d must be %s, got %s", function, arg,
                  wanted, text);
}

int64_t lib_arg_integer(lua_State *L, int arg, const char *function)
{
    int64_t value = 0;

    if (!lib_to_integer(L, arg, &value))
        bad_argument(L, arg, function, "an integer of at most 2^53");
    return value;
}

int64_t lib_arg_or(lua_State *L, int arg, const char *function,
                   int64_t otherwise)
{
    if (lua_isnoneornil(L, arg))
        return otherwise;
    return lib_arg_integer(L, arg, function);
}

double lib_arg_number(lua_State *L, int arg, const char *function)
{
    if (lua_type(L, arg) != LUA_TNUMBER)
        bad_argument(L, arg, function, "a number");
    return lua_tonumber(L, arg);
}

const char *lib_arg_text(lua_State *L, int arg, const char *function,
                         size_t *len)
{
    if (lua_type(L, arg) != LUA_TSTRING)
        bad_argument(L, arg, function, "a text");
    return lua_tolstring(L, arg, len);
}

const char *lib_name(lua_State *L, int index)
{
    size_t len = 0;
    if (lua_type(L, index) != LUA_TSTRING)
        return "?";
    const char *name = lua_tolstring(L, index, &len);
    return strlen(name) == len ? name : "?";
}

void lib_arg_table(lua_State *L, int arg, const char *function)
{
    if (lua_type(L, arg) != LUA_TTABLE)
        bad_argument(L, arg, function, "a table");
}

void lib_push_integer(lua_State *L, int64_t value, const char *function)
{
    if (value > LIB_INTEGER_MAX || value < -LIB_INTEGER_MAX)
        sandbox_error(L, "%s: the result is beyond 2^53", function);
    lua_pushnumber(L, (double)value);
}

const char *lib_any_text(lua_State *L, int arg, const char *function,
                         char room[LIB_NUMBER_TEXT], size_t *len)
{
    switch (lua_type(L, arg)) {
    case LUA_TSTRING:
        return lua_tolstring(L, arg, len);
    case LUA_TNUMBER:
        *len = lib_number_text(room, lua_tonumber(L, arg));
        return room;
    case LUA_TBOOLEAN:
        *len = lua_toboolean(L, arg) ? 4 : 5;
        return lua_toboolean(L, arg) ? "true" : "false";
    default:
        bad_argument(L, arg, function, "a text, a number or a boolean");
        return NULL;
    }
}

void lib_charge_text(lua_State *L, size_t len, const char *function)
{
    if (len > LIB_TEXT_MAX)
        sandbox_error(L, "%s: the text would have more than %d bytes", function,
                      LIB_TEXT_MAX);
    sandbox_charge_bytes(L, len);
}
