/* Those that answer in place of an instruction answer false where it is to do
 * its work itself: for operands that it refuses it names the variable. */
#include "sandbox/operations.h"

#include <string.h>

#include "sandbox/length.h"
#include "sandbox/sandbox.h"

enum {
    CONCAT_SMALL = 512,
    VARARGS_STEP = 8, /* values for one step of gas */
};

const char *const operation_names[OPERATION_COUNT] = {
    [OPERATION_LENGTH] = "#",    [OPERATION_CONCAT] = "..",
    [OPERATION_COMPARE] = "<",   [OPERATION_ARITHMETIC] = "+",
    [OPERATION_VARARGS] = "...",
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

/* What is to be joined. */
struct operands {
    int count;
    bool numbers; /* there is one among them */
    bool counts;  /* what is made may read as a number */
    size_t most;  /* bytes that they take */
};

/* False: one of them is neither a text nor a number. */
static bool measure(lua_State *L, struct operands *o)
{
    *o = (struct operands){.count = lua_gettop(L)};
    for (int i = 1; i <= o->count; i++) {
        int type = lua_type(L, i);
        if (type == LUA_TSTRING && o->most == 0)
            o->counts =
                lua_text_may_count(lua_tostring(L, i), lua_objlen(L, i));
        if (type == LUA_TSTRING)
            o->most += lua_objlen(L, i);
        else if (type == LUA_TNUMBER)
            o->most += LIB_NUMBER_TEXT;
        else
            return false;
        o->numbers |= type == LUA_TNUMBER;
    }
    return true;
}

static size_t join(lua_State *L, const struct operands *o, char *made)
{
    char room[LIB_NUMBER_TEXT];
    size_t total = 0, len = 0;

    for (int i = 1; i <= o->count; i++) {
        const char *text = room;
        if (lua_type(L, i) == LUA_TSTRING)
            text = lua_tolstring(L, i, &len);
        else
            len = lib_number_text(room, lua_tonumber(L, i));
        memcpy(made + total, text, len);
        total += len;
    }
    return total;
}

/* The instruction joins a few short texts fastest. Numbers it would write
 * otherwise than tostring, and of long texts and of those that may read as
 * numbers it would not tell. */
static int concat(lua_State *L)
{
    char small[CONCAT_SMALL];
    struct operands o;

    if (!measure(L, &o)) {
        lua_pushboolean(L, 0);
        return 1;
    }
    if (!o.numbers && !o.counts && o.most <= LUA_TEXT_LONG) {
        sandbox_charge_bytes(L, o.most);
        lua_pushboolean(L, 0);
        return 1;
    }
    if (o.most > LIB_TEXT_MAX + (size_t)o.count * LIB_NUMBER_TEXT)
        lib_charge_text(L, o.most, "..");
    char *made = small;
    if (o.most > sizeof(small))
        made = sandbox_scratch(L, o.most);
    size_t total = join(L, &o, made);
    lib_charge_text(L, total, "..");
    lua_text_push(L, made, total);
    if (made != small)
        sandbox_scratch_free(L, made, o.most);
    return 1;
}

int operation_compare(lua_State *L)
{
    if (lua_type(L, 1) != LUA_TSTRING || lua_type(L, 2) != LUA_TSTRING)
        return 0;
    size_t a = lua_objlen(L, 1), b = lua_objlen(L, 2);
    sandbox_charge(L, (a < b ? a : b) / SANDBOX_BYTES_STEP);
    return 0;
}

int operation_arithmetic(lua_State *L)
{
    size_t len;

    for (int i = 1; i <= lua_gettop(L); i++) {
        if (lua_type(L, i) != LUA_TSTRING)
            continue;
        const char *text = lua_tolstring(L, i, &len);
        sandbox_charge(L, lua_text_number_gas(bytes_of(text, len)));
    }
    return 0;
}

/* They are copied twice. */
static int charge_varargs(lua_State *L)
{
    sandbox_charge(L, (uint64_t)lua_gettop(L) / VARARGS_STEP);
    return 0;
}

static const luaL_Reg functions[] = {
    {"#", length},
    {"..", concat},
    {"<", operation_compare},
    {"+", operation_arithmetic},
    {"...", charge_varargs},
    {NULL, NULL},
};

const struct library lib_operations = {"operations", functions, NULL};
