/* What of arithmetic gives the same bits on every machine: rounding, the sign,
 * the larger of two; and integers of 32 bits. */
#include <math.h>

#include "sandbox/lib.h"
#include "sandbox/sandbox.h"

static int round_down(lua_State *L)
{
    lua_pushnumber(L, floor(lib_arg_number(L, 1, "math.floor")));
    return 1;
}

static int round_up(lua_State *L)
{
    lua_pushnumber(L, ceil(lib_arg_number(L, 1, "math.ceil")));
    return 1;
}

static int absolute(lua_State *L)
{
    lua_pushnumber(L, fabs(lib_arg_number(L, 1, "math.abs")));
    return 1;
}

static int smallest(lua_State *L)
{
    double least = lib_arg_number(L, 1, "math.min");
    int count = lua_gettop(L);

    sandbox_charge(L, (uint64_t)count);
    for (int i = 2; i <= count; i++) {
        double number = lib_arg_number(L, i, "math.min");
        least = number < least ? number : least;
    }
    lua_pushnumber(L, least);
    return 1;
}

static int largest(lua_State *L)
{
    double most = lib_arg_number(L, 1, "math.max");
    int count = lua_gettop(L);

    sandbox_charge(L, (uint64_t)count);
    for (int i = 2; i <= count; i++) {
        double number = lib_arg_number(L, i, "math.max");
        most = number > most ? number : most;
    }
    lua_pushnumber(L, most);
    return 1;
}

static int modulo(lua_State *L)
{
    double a = lib_arg_number(L, 1, "math.fmod");
    double b = lib_arg_number(L, 2, "math.fmod");

    if (b == 0)
        return sandbox_error(L, "math.fmod: division by zero");
    lua_pushnumber(L, fmod(a, b));
    return 1;
}

static const luaL_Reg math_functions[] = {
    {"floor", round_down}, {"ceil", round_up}, {"abs", absolute},
    {"min", smallest},     {"max", largest},   {"fmod", modulo},
    {NULL, NULL},
};

const struct library lib_math = {"math", math_functions, NULL};

/* bit: results are signed integers of 32 bits, as in LuaJIT. */

static uint32_t arg_bits(lua_State *L, int arg, const char *function)
{
    int64_t value = lib_arg_integer(L, arg, function);

    if (value < INT32_MIN || value > UINT32_MAX)
        sandbox_error(L, "%s: argument %d does not fit 32 bits", function, arg);
    return (uint32_t)value;
}

static int push_bits(lua_State *L, uint32_t bits)
{
    lua_pushinteger(L, (int32_t)bits);
    return 1;
}

static int to_bits(lua_State *L)
{
    return push_bits(L, arg_bits(L, 1, "bit.tobit"));
}

static int bit_not(lua_State *L)
{
    return push_bits(L, ~arg_bits(L, 1, "bit.bnot"));
}

static int bit_and(lua_State *L)
{
    uint32_t bits = arg_bits(L, 1, "bit.band");

    for (int i = lua_gettop(L); i > 1; i--)
        bits &= arg_bits(L, i, "bit.band");
    sandbox_charge(L, (uint64_t)lua_gettop(L));
    return push_bits(L, bits);
}

static int bit_or(lua_State *L)
{
    uint32_t bits = arg_bits(L, 1, "bit.bor");

    for (int i = lua_gettop(L); i > 1; i--)
        bits |= arg_bits(L, i, "bit.bor");
    sandbox_charge(L, (uint64_t)lua_gettop(L));
    return push_bits(L, bits);
}

static int bit_xor(lua_State *L)
{
    uint32_t bits = arg_bits(L, 1, "bit.bxor");

    for (int i = lua_gettop(L); i > 1; i--)
        bits ^= arg_bits(L, i, "bit.bxor");
    sandbox_charge(L, (uint64_t)lua_gettop(L));
    return push_bits(L, bits);
}

/* How far: the lowest five bits count, as in LuaJIT. */
static unsigned arg_shift(lua_State *L, const char *function)
{
    return arg_bits(L, 2, function) & 31;
}

static int shift_left(lua_State *L)
{
    uint32_t bits = arg_bits(L, 1, "bit.lshift");
    return push_bits(L, bits << arg_shift(L, "bit.lshift"));
}

static int shift_right(lua_State *L)
{
    uint32_t bits = arg_bits(L, 1, "bit.rshift");
    return push_bits(L, bits >> arg_shift(L, "bit.rshift"));
}

static int shift_right_signed(lua_State *L)
{
    uint32_t bits = arg_bits(L, 1, "bit.arshift");
    unsigned by = arg_shift(L, "bit.arshift");
    uint32_t sign = bits >> 31 != 0 && by > 0 ? ~(UINT32_MAX >> by) : 0;
    return push_bits(L, bits >> by | sign);
}

static int rotate_left(lua_State *L)
{
    uint32_t bits = arg_bits(L, 1, "bit.rol");
    unsigned by = arg_shift(L, "bit.rol");
    return push_bits(L, bits << by | bits >> (32 - by) % 32);
}

static int rotate_right(lua_State *L)
{
    uint32_t bits = arg_bits(L, 1, "bit.ror");
    unsigned by = arg_shift(L, "bit.ror");
    return push_bits(L, bits >> by | bits << (32 - by) % 32);
}

static const luaL_Reg bit_functions[] = {
    {"tobit", to_bits},
    {"bnot", bit_not},
    {"band", bit_and},
    {"bor", bit_or},
    {"bxor", bit_xor},
    {"lshift", shift_left},
    {"rshift", shift_right},
    {"arshift", shift_right_signed},
    {"rol", rotate_left},
    {"ror", rotate_right},
    {NULL, NULL},
};

const struct library lib_bit = {"bit", bit_functions, NULL};
