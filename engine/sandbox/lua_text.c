#include "sandbox/lua_text.h"

#include <string.h>

#include "sandbox/environment.h"
#include "sandbox/operations.h"
#include "sandbox/sandbox.h"

enum {
    DIGITS_FREE = 11,   /* that cost no more than a few instructions */
    DIGITS_STEP = 64,   /* squares of digits for one step: some 60 ns */
    DIGITS_MAX = 800,   /* as in LuaJIT */
    EXPONENT = 256,     /* digits that one is paid for as */
    SHORT_EXPONENT = 2, /* no shorter text has one */
};

static bool is_one_of(uint8_t c, const char *set)
{
    return c != '\0' && strchr(set, c) != NULL;
}

/* Could Lua read all of it as a number? More is taken for one than is one: what
 * matters is that Lua stops soon at any other text. */
static bool reads_as_number(struct bytes text)
{
    static const char space[] = " \t\n\v\f\r";
    size_t i = 0;

    while (i < text.len && is_one_of(text.data[i], space))
        i++;
    if (i < text.len && is_one_of(text.data[i], "+-"))
        i++;
    bool is_hex = i + 1 < text.len && text.data[i] == '0' &&
                  is_one_of(text.data[i + 1], "xX");
    const char *digits =
        is_hex ? "0123456789abcdefABCDEFxX.pP+-" : "0123456789.eE+-";
    while (i < text.len && is_one_of(text.data[i], digits))
        i++;
    while (i < text.len && is_one_of(text.data[i], "aAfFiInNlLtTuUyY"))
        i++;
    while (i < text.len && is_one_of(text.data[i], space))
        i++;
    return i == text.len;
}

bool lua_text_may_count(const char *text, size_t len)
{
    return len == 0 || is_one_of((uint8_t)text[0], " \t\n\v\f\r+-.0123456789");
}

/* Lua looks at no more digits than DIGITS_MAX. An exponent, which makes a
 * number of as many digits out of any, is paid for as EXPONENT of them. */
uint64_t lua_text_number_gas(struct bytes text)
{
    size_t digits = text.len < DIGITS_MAX ? text.len : DIGITS_MAX;
    if (!lua_text_may_count((const char *)text.data, text.len) ||
        text.len <= SHORT_EXPONENT || !reads_as_number(text))
        return 0;
    for (size_t i = 0; i < text.len; i++)
        if (is_one_of(text.data[i], "eEpP")) {
            digits += EXPONENT;
            break;
        }
    uint64_t gas = digits > DIGITS_FREE ? digits * digits / DIGITS_STEP : 0;
    return gas + text.len / SANDBOX_BYTES_STEP;
}

void lua_text_measure(struct text_lengths *lengths, struct bytes text)
{
    lengths->is_long |= text.len > LUA_TEXT_LONG;
    lengths->counts = lengths->counts || lua_text_number_gas(text) > 0;
}

void lua_text_add(struct text_lengths *lengths, const struct text_lengths *more)
{
    lengths->is_long |= more->is_long;
    lengths->counts |= more->counts;
}

void lua_text_note(lua_State *L, const struct text_lengths *lengths)
{
    struct text_lengths *known = &sandbox_of(L)->texts;

    if (lengths->is_long && !known->is_long)
        environment_charge(L, OPERATION_COMPARE, operation_compare);
    if (lengths->counts && !known->counts)
        environment_charge(L, OPERATION_ARITHMETIC, operation_arithmetic);
    lua_text_add(known, lengths);
}

void lua_text_push(lua_State *L, const char *text, size_t len)
{
    struct text_lengths lengths = {0};

    lua_text_measure(&lengths, bytes_of(text, len));
    if (lengths.is_long || lengths.counts)
        lua_text_note(L, &lengths);
    lua_pushlstring(L, text, len);
}
