#include "script/lua_text.h"

#include <string.h>

#include "script/environment.h"
#include "script/sandbox.h"

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

void lua_text_measure(struct text_lengths *lengths, struct bytes text)
{
    if (text.len > LUA_TEXT_LONG && text.len > lengths->any)
        lengths->any = text.len;
    if (text.len > LUA_TEXT_LONG && text.len > lengths->number &&
        reads_as_number(text))
        lengths->number = text.len;
}

void lua_text_add(struct text_lengths *lengths, const struct text_lengths *more)
{
    if (more->any > lengths->any)
        lengths->any = more->any;
    if (more->number > lengths->number)
        lengths->number = more->number;
}

void lua_text_note(lua_State *L, const struct text_lengths *lengths)
{
    struct text_lengths *known = &sandbox_of(L)->texts;

    if (known->any == 0 && lengths->any > 0)
        environment_charge_comparisons(L);
    lua_text_add(known, lengths);
}

void lua_text_push(lua_State *L, const char *text, size_t len)
{
    if (len > LUA_TEXT_LONG) {
        struct text_lengths lengths = {0};
        lua_text_measure(&lengths, bytes_of(text, len));
        lua_text_note(L, &lengths);
    }
    lua_pushlstring(L, text, len);
}
