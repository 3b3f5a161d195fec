#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "sandbox/length.h"
#include "sandbox/lib.h"
#include "sandbox/sandbox.h"

/* The place of the function `level` calls up; of the nearest caller in users'
 * files when that is not in one. */
static void place_of(lua_State *L, int level, char *place, size_t cap)
{
    lua_Debug frame;
    int skip = 1;

    for (int i = 1; i < level && lua_getstack(L, i, &frame) != 0; i++)
        if (lua_getinfo(L, "Sl", &frame) != 0 && frame.source[0] == '@' &&
            frame.currentline > 0)
            skip++;
    sandbox_where(L, skip, place, cap);
}

/* error(text, level): as Lua's, but there is no way to catch it. */
static int error(lua_State *L)
{
    char room[LIB_NUMBER_TEXT], place[SANDBOX_FILE_MAX] = "";
    struct err err;
    size_t len;

    if (lua_isnoneornil(L, 1))
        return sandbox_error(L, "error without a text");
    if (lua_type(L, 1) == LUA_TTABLE)
        return sandbox_error(L, "error takes a text, got a table");
    const char *text = lib_any_text(L, 1, "error", room, &len);
    int64_t level = lib_arg_or(L, 2, "error", 1);
    if (level > 0)
        place_of(L, level > 100 ? 100 : (int)level, place, sizeof(place));
    err_set(&err, ATE_ESCRIPT, "%s%s%s", place, place[0] == '\0' ? "" : ": ",
            text);
    return sandbox_raise(L, &err);
}

static int assert_true(lua_State *L)
{
    char room[LIB_NUMBER_TEXT];
    size_t len;

    if (lua_toboolean(L, 1))
        return lua_gettop(L);
    if (lua_isnoneornil(L, 2))
        return sandbox_error(L, "assertion failed");
    return sandbox_error(L, "%s", lib_any_text(L, 2, "assert", room, &len));
}

static int digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'Z')
        return c - 'A' + 10;
    return 99;
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* An integer in a base, at most 2^53; false for anything else. */
static bool read_integer(const char *text, size_t len, int base, double *number)
{
    const char *end = text + len;
    int64_t value = 0;

    while (text < end && is_space(*text))
        text++;
    while (end > text && is_space(end[-1]))
        end--;
    bool negative = text < end && *text == '-';
    if (negative)
        text++;
    if (text == end)
        return false;
    for (; text < end; text++) {
        int digit = digit_of(*text);
        if (digit >= base)
            return false;
        value = value * base + digit;
        if (value > LIB_INTEGER_MAX)
            return false;
    }
    *number = (double)(negative ? -value : value);
    return true;
}

/* Plain decimals, with a fraction and an exponent. Lua's reader would take
 * 0x1p4, inf and 1LL too; strtod would ask the locale. */
static bool is_decimal(const char *text, size_t len)
{
    const char *end = text + len;
    int digits = 0;

    while (text < end && is_space(*text))
        text++;
    while (end > text && is_space(end[-1]))
        end--;
    if (text < end && *text == '-')
        text++;
    for (; text < end && *text >= '0' && *text <= '9'; text++)
        digits++;
    if (text < end && *text == '.')
        for (text++; text < end && *text >= '0' && *text <= '9'; text++)
            digits++;
    if (digits == 0)
        return false;
    if (text < end && (*text == 'e' || *text == 'E')) {
        text++;
        if (text < end && (*text == '-' || *text == '+'))
            text++;
        if (text == end)
            return false;
        while (text < end && *text >= '0' && *text <= '9')
            text++;
    }
    return text == end;
}

/* The text at 1. */
static void push_decimal(lua_State *L, const char *text, size_t len)
{
    sandbox_charge(L, lua_text_number_gas(bytes_of(text, len)));
    lua_pushnumber(L, lua_tonumber(L, 1));
}

/* tonumber(text or number, base): nil for what is no number. */
static int to_number(lua_State *L)
{
    size_t len;
    double number;

    if (lua_gettop(L) == 0)
        return sandbox_error(L, "tonumber: argument 1 is missing");
    int64_t base = lib_arg_or(L, 2, "tonumber", 10);
    if (base < 2 || base > 36)
        return sandbox_error(L, "tonumber: a base is between 2 and 36");
    if (lua_type(L, 1) == LUA_TNUMBER) {
        lua_settop(L, 1);
        return 1;
    }
    if (lua_type(L, 1) != LUA_TSTRING) {
        lua_pushnil(L);
        return 1;
    }
    const char *text = lua_tolstring(L, 1, &len);
    sandbox_charge_bytes(L, len);
    if (read_integer(text, len, (int)base, &number))
        lua_pushnumber(L, number);
    else if (lua_isnoneornil(L, 2) && is_decimal(text, len))
        push_decimal(L, text, len);
    else
        lua_pushnil(L);
    return 1;
}

/* tostring: of what has a text. Tables and functions would show addresses. */
static int to_string(lua_State *L)
{
    char room[LIB_NUMBER_TEXT];
    size_t len;

    if (lua_gettop(L) == 1 && lua_isnil(L, 1)) {
        lua_pushliteral(L, "nil");
        return 1;
    }
    const char *text = lib_any_text(L, 1, "tostring", room, &len);
    lua_text_push(L, text, len);
    return 1;
}

static int unpack(lua_State *L)
{
    lib_arg_table(L, 1, "unpack");
    int64_t first = lib_arg_or(L, 2, "unpack", 1);
    int64_t last = lib_arg_or(L, 3, "unpack", 0);
    if (lua_isnoneornil(L, 3))
        last = (int64_t)length_of(L, 1);

    if (first > last)
        return 0;
    if (last - first >= LIB_UNPACK_MAX || first < INT32_MIN || last > INT32_MAX)
        return sandbox_error(L, "unpack: at most %d values", LIB_UNPACK_MAX);
    int count = (int)(last - first + 1);
    sandbox_charge(L, (uint64_t)count);
    luaL_checkstack(L, count, "unpack");
    for (int i = 0; i < count; i++)
        lua_rawgeti(L, 1, (int)first + i);
    return count;
}

static const luaL_Reg functions[] = {
    {"error", error},        {"assert", assert_true}, {"tonumber", to_number},
    {"tostring", to_string}, {"unpack", unpack},      {NULL, NULL},
};

const struct library lib_base = {"_G", functions, NULL};
