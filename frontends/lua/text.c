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

/* Points that nobody sees, so that two names look alike: without width, or a
 * blank that is not the one of the keyboard. The ideographic one is as wide as
 * a letter, and usual between names. */
static bool is_invisible(utf8proc_int32_t point)
{
    if (point < 0x80 || point == 0x3000)
        return false;
    const utf8proc_property_t *p = utf8proc_get_property(point);
    return p->ignorable || p->category == UTF8PROC_CATEGORY_ZS ||
           point == 0x2800 || (point >= 0xfff9 && point <= 0xfffb);
}

/* What is written behind a picture goes on with it: another picture is joined,
 * or it is told to be one. */
static bool goes_on(utf8proc_int32_t point)
{
    return point == 0x200d || point == 0xfe0e || point == 0xfe0f ||
           (point >= 0x1f3fb && point <= 0x1f3ff);
}

static bool is_picture(utf8proc_int32_t point)
{
    return point >= 0 && utf8proc_get_property(point)->boundclass ==
                             UTF8PROC_BOUNDCLASS_EXTENDED_PICTOGRAPHIC;
}

/* The escape of a point, "" where it stays as it is. */
static void escape_of(utf8proc_int32_t point, unsigned char byte,
                      bool is_behind_picture, char *out, size_t size)
{
    bool stays = is_behind_picture && goes_on(point);
    out[0] = '\0';
    if (point < 0)
        snprintf(out, size, "\\x%02x", byte);
    else if (point == '\n' || point == '\t')
        snprintf(out, size, "\\%c", point == '\n' ? 'n' : 't');
    else if (point < 0xa0 && is_harmful(point))
        snprintf(out, size, "\\x%02x", (unsigned)point);
    else if (!stays && (is_harmful(point) || is_invisible(point)))
        snprintf(out, size, "\\u{%x}", (unsigned)point);
}

/* printable(text[, keep]) -> the text with all that could harm a terminal, or
 * that nobody sees, written as \n, \x1b or \u{202e}. `keep` names characters
 * to be left. */
static int text_printable(lua_State *L)
{
    size_t len;
    const char *text = luaL_checklstring(L, 1, &len);
    const char *keep = luaL_optstring(L, 2, "");
    luaL_Buffer out;
    luaL_buffinit(L, &out);
    bool is_behind_picture = false;
    for (size_t at = 0; at < len;) {
        utf8proc_int32_t point;
        size_t n = next_point(text + at, len - at, &point);
        char escape[16] = "";
        if (point <= 0 || point >= 0x80 || strchr(keep, point) == NULL)
            escape_of(point, (unsigned char)text[at], is_behind_picture, escape,
                      sizeof(escape));
        if (escape[0] != '\0')
            luaL_addstring(&out, escape);
        else
            luaL_addlstring(&out, text + at, n);
        is_behind_picture =
            is_picture(point) || (is_behind_picture && goes_on(point));
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
