/* Integers that are exact or an error: arguments and results are at most 2^53,
 * which a Lua number holds exactly; what is between is 128 bits wide. */
#include "sandbox/lib.h"
#include "sandbox/sandbox.h"

static int push_wide(lua_State *L, __int128 value, const char *function)
{
    if (value > LIB_INTEGER_MAX || value < -LIB_INTEGER_MAX)
        return sandbox_error(L, "%s: the result is beyond 2^53", function);
    lua_pushnumber(L, (double)(int64_t)value);
    return 1;
}

/* add(a, b, ...) */
static int add(lua_State *L)
{
    __int128 sum = lib_arg_integer(L, 1, "ate.int.add");
    int count = lua_gettop(L) < 2 ? 2 : lua_gettop(L);

    for (int i = 2; i <= count; i++)
        sum += lib_arg_integer(L, i, "ate.int.add");
    sandbox_charge(L, (uint64_t)count);
    return push_wide(L, sum, "ate.int.add");
}

static int subtract(lua_State *L)
{
    int64_t a = lib_arg_integer(L, 1, "ate.int.sub");
    int64_t b = lib_arg_integer(L, 2, "ate.int.sub");
    return push_wide(L, (__int128)a - b, "ate.int.sub");
}

static int multiply(lua_State *L)
{
    int64_t a = lib_arg_integer(L, 1, "ate.int.mul");
    int64_t b = lib_arg_integer(L, 2, "ate.int.mul");
    return push_wide(L, (__int128)a * b, "ate.int.mul");
}

/* Round down, as `%` does: a == b * div(a, b) + mod(a, b). */
static __int128 divide_down(__int128 a, __int128 b)
{
    __int128 quotient = a / b;
    return a % b != 0 && (a < 0) != (b < 0) ? quotient - 1 : quotient;
}

static int64_t arg_divisor(lua_State *L, int arg, const char *function)
{
    int64_t value = lib_arg_integer(L, arg, function);

    if (value == 0)
        sandbox_error(L, "%s: division by zero", function);
    return value;
}

static int divide(lua_State *L)
{
    int64_t a = lib_arg_integer(L, 1, "ate.int.div");
    int64_t b = arg_divisor(L, 2, "ate.int.div");
    return push_wide(L, divide_down(a, b), "ate.int.div");
}

static int modulo(lua_State *L)
{
    int64_t a = lib_arg_integer(L, 1, "ate.int.mod");
    int64_t b = arg_divisor(L, 2, "ate.int.mod");
    return push_wide(L, a - divide_down(a, b) * b, "ate.int.mod");
}

/* muldiv(a, b, c): a * b / c rounded down, with all digits in between. */
static int multiply_divide(lua_State *L)
{
    int64_t a = lib_arg_integer(L, 1, "ate.int.muldiv");
    int64_t b = lib_arg_integer(L, 2, "ate.int.muldiv");
    int64_t c = arg_divisor(L, 3, "ate.int.muldiv");
    return push_wide(L, divide_down((__int128)a * b, c), "ate.int.muldiv");
}

static int power(lua_State *L)
{
    int64_t base = lib_arg_integer(L, 1, "ate.int.pow");
    int64_t exponent = lib_arg_integer(L, 2, "ate.int.pow");
    __int128 result = 1;

    if (exponent < 0)
        return sandbox_error(L, "ate.int.pow: the exponent is negative");
    if (base >= -1 && base <= 1) /* the only ones whose powers stay small */
        exponent = exponent == 0 ? 0 : 2 - exponent % 2;
    for (int64_t i = 0; i < exponent; i++) {
        result *= base;
        if (result > LIB_INTEGER_MAX || result < -LIB_INTEGER_MAX)
            break;
    }
    return push_wide(L, result, "ate.int.pow");
}

static int absolute(lua_State *L)
{
    int64_t a = lib_arg_integer(L, 1, "ate.int.abs");
    return push_wide(L, a < 0 ? -a : a, "ate.int.abs");
}

static int negate(lua_State *L)
{
    return push_wide(L, -lib_arg_integer(L, 1, "ate.int.neg"), "ate.int.neg");
}

/* cmp(a, b): -1, 0 or 1. */
static int compare(lua_State *L)
{
    int64_t a = lib_arg_integer(L, 1, "ate.int.cmp");
    int64_t b = lib_arg_integer(L, 2, "ate.int.cmp");
    lua_pushinteger(L, a < b ? -1 : a > b);
    return 1;
}

/* sum(list) */
static int sum(lua_State *L)
{
    __int128 total = 0;

    lib_arg_table(L, 1, "ate.int.sum");
    for (int i = 1;; i++) {
        int64_t value;
        lua_rawgeti(L, 1, i);
        if (lua_isnil(L, -1))
            break;
        sandbox_charge(L, 1);
        if (!lib_to_integer(L, -1, &value))
            return sandbox_error(L,
                                 "ate.int.sum: element %d is not an "
                                 "integer of at most 2^53",
                                 i);
        total += value;
        lua_pop(L, 1);
    }
    return push_wide(L, total, "ate.int.sum");
}

static int is_integer(lua_State *L)
{
    int64_t value;

    lua_pushboolean(L, lib_to_integer(L, 1, &value));
    return 1;
}

static const luaL_Reg functions[] = {
    {"add", add},     {"sub", subtract}, {"mul", multiply},
    {"div", divide},  {"mod", modulo},   {"muldiv", multiply_divide},
    {"pow", power},   {"abs", absolute}, {"neg", negate},
    {"cmp", compare}, {"sum", sum},      {"is", is_integer},
    {NULL, NULL},
};

static const struct lib_constant constants[] = {
    {"max", (double)LIB_INTEGER_MAX},
    {"min", (double)-LIB_INTEGER_MAX},
    {NULL, 0},
};

const struct library lib_int = {"ate.int", functions, constants};
