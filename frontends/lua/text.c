#include "lua/host.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <lauxlib.h>
#include <utf8proc.h>

/* Read one code point; a byte that is no UTF-8 counts as one point, -1. */
static size_t next_point(const char *text, size_t len, utf8proc_int32_t *point)
{
    utf8proc_ssize_t n = utf8proc_iterate((const utf8proc_uint8_t *)text,
                                          (utf8proc_ssize_t)len, point);
    if (n > 0)
        return (size_t)n;
    *point = -1;
    return 1;
}

/* width(text) -> columns that it takes on a terminal. */
static int text_width(lua_State *L)
{
    size_t len;
    const char *text = luaL_checklstring(L, 1, &len);
    int columns = 0;
    for (size_t at = 0; at < len;) {
        utf8proc_int32_t point;
        at += next_point(text + at, len - at, &point);
        columns += point < 0 ? 1 : utf8proc_charwidth(point);
    }
    lua_pushinteger(L, columns);
    return 1;
}

/* Points that move the cursor, start commands or reorder what stands around
 * them: controls, line separators, and directions of writing. */
static bool is_harmful(utf8proc_int32_t point)
{
    if (point < 0x20 || (point >= 0x7f && point < 0xa0))
        return true;
    return (point >= 0x2028 && point <= 0x202e) ||
           (point >= 0x2066 && point <= 0x2069) || point == 0xfeff;
}

/* printable(text[, keep]) -> the text with all that could harm a terminal
 * written as \n, \x1b or \u{202e}. `keep` names characters to be left. */
static int text_printable(lua_State *L)
{
    size_t len;
    const char *text = luaL_checklstring(L, 1, &len);
    const char *keep = luaL_optstring(L, 2, "");
    luaL_Buffer out;
    luaL_buffinit(L, &out);
    for (size_t at = 0; at < len;) {
        utf8proc_int32_t point;
        size_t n = next_point(text + at, len - at, &point);
        char escape[16] = "";
        if (point < 0)
            snprintf(escape, sizeof(escape), "\\x%02x",
                     (unsigned char)text[at]);
        else if (point > 0 && point < 0x80 && strchr(keep, point) != NULL)
            escape[0] = '\0';
        else if (point == '\n' || point == '\t')
            snprintf(escape, sizeof(escape), "\\%c", point == '\n' ? 'n' : 't');
        else if (is_harmful(point))
            snprintf(escape, sizeof(escape),
                     point < 0x100 ? "\\x%02x" : "\\u{%x}", (unsigned)point);
        if (escape[0] != '\0')
            luaL_addstring(&out, escape);
        else
            luaL_addlstring(&out, text + at, n);
        at += n;
    }
    luaL_pushresult(&out);
    return 1;
}

/* cut(text, columns) -> as much of the text as fits. */
static int text_cut(lua_State *L)
{
    size_t len, at = 0;
    const char *text = luaL_checklstring(L, 1, &len);
    int columns = (int)luaL_checkinteger(L, 2);
    while (at < len) {
        utf8proc_int32_t point;
        size_t n = next_point(text + at, len - at, &point);
        columns -= point < 0 ? 1 : utf8proc_charwidth(point);
        if (columns < 0)
            break;
        at += n;
    }
    lua_pushlstring(L, text, at);
    return 1;
}

/* valid(text) -> whether it is UTF-8. */
static int text_valid(lua_State *L)
{
    size_t len;
    const char *text = luaL_checklstring(L, 1, &len);
    for (size_t at = 0; at < len;) {
        utf8proc_int32_t point;
        at += next_point(text + at, len - at, &point);
        if (point < 0) {
            lua_pushboolean(L, false);
            return 1;
        }
    }
    lua_pushboolean(L, true);
    return 1;
}

int text_push(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"width", text_width}, {"cut", text_cut}, {"printable", text_printable},
        {"valid", text_valid}, {NULL, NULL},
    };
    lua_newtable(L);
    luaL_register(L, NULL, functions);
    return 1;
}
