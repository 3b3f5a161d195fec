#include <math.h>
#include <string.h>

#include "sandbox/length.h"
#include "sandbox/lib.h"
#include "sandbox/sandbox.h"

/* The length of the list at index 1; charges for it. */
static int list_length(lua_State *L, const char *function)
{
    lib_arg_table(L, 1, function);
    return (int)length_of(L, 1);
}

/* A position of 1 to `max`. */
static int arg_position(lua_State *L, int arg, const char *function, int max)
{
    int64_t position = lib_arg_integer(L, arg, function);
    if (position < 1 || position > max)
        sandbox_error(L, "%s: position %lld is not within 1 to %d", function,
                      (long long)position, max);
    return (int)position;
}

/* insert(list, value) or insert(list, position, value). */
static int insert(lua_State *L)
{
    int count = list_length(L, "table.insert");
    int args = lua_gettop(L);

    if (args != 2 && args != 3)
        return sandbox_error(L, "table.insert: takes a list, a position if "
                                "any, and a value");
    if (args == 2) {
        lua_rawseti(L, 1, count + 1);
        return 0;
    }
    int position = arg_position(L, 2, "table.insert", count + 1);
    sandbox_charge(L, (uint64_t)(count + 1 - position));
    for (int i = count; i >= position; i--) {
        lua_rawgeti(L, 1, i);
        lua_rawseti(L, 1, i + 1);
    }
    lua_settop(L, 3);
    lua_rawseti(L, 1, position);
    return 0;
}

/* remove(list) or remove(list, position): returns what was there. */
static int remove_at(lua_State *L)
{
    int count = list_length(L, "table.remove");

    if (count == 0)
        return 0;
    int position = count;
    if (!lua_isnoneornil(L, 2))
        position = arg_position(L, 2, "table.remove", count);
    sandbox_charge(L, (uint64_t)(count - position));
    lua_rawgeti(L, 1, position);
    for (int i = position; i < count; i++) {
        lua_rawgeti(L, 1, i + 1);
        lua_rawseti(L, 1, i);
    }
    lua_pushnil(L);
    lua_rawseti(L, 1, count);
    return 1;
}

/* The text of element `i`, left on the stack. */
static const char *element_text(lua_State *L, int i, char *room, size_t *len)
{
    lua_rawgeti(L, 1, i);
    int type = lua_type(L, -1);
    if (type != LUA_TSTRING && type != LUA_TNUMBER)
        sandbox_error(L, "table.concat: element %d is a %s", i,
                      luaL_typename(L, -1));
    return lib_any_text(L, -1, "table.concat", room, len);
}

static size_t concat_length(lua_State *L, int first, int last, size_t between)
{
    char room[LIB_NUMBER_TEXT];
    size_t total = 0, len;

    for (int i = first; i <= last; i++) {
        element_text(L, i, room, &len);
        lua_pop(L, 1);
        total += len + (i < last ? between : 0);
        lib_charge_text(L, total < LIB_TEXT_MAX ? 0 : total, "table.concat");
    }
    lib_charge_text(L, total, "table.concat");
    return total;
}

/* concat(list, separator, first, last) */
static int concat(lua_State *L)
{
    char room[LIB_NUMBER_TEXT];
    size_t between = 0, len;
    const char *separator = "";
    int count = list_length(L, "table.concat");

    if (!lua_isnoneornil(L, 2))
        separator = lib_arg_text(L, 2, "table.concat", &between);
    int64_t first = lib_arg_or(L, 3, "table.concat", 1);
    int64_t last = lib_arg_or(L, 4, "table.concat", count);
    if (first > last) {
        lua_pushliteral(L, "");
        return 1;
    }
    if (first < 1 || last > count)
        return sandbox_error(L, "table.concat: the list has %d elements",
                             count);
    size_t total = concat_length(L, (int)first, (int)last, between);
    char *text = sandbox_scratch(L, total);
    char *at = text;
    for (int i = (int)first; i <= last; i++) {
        const char *element = element_text(L, i, room, &len);
        memcpy(at, element, len);
        at += len;
        lua_pop(L, 1);
        if (i < last) {
            memcpy(at, separator, between);
            at += between;
        }
    }
    lua_text_push(L, text, total);
    sandbox_scratch_free(L, text, total);
    return 1;
}

/* Sorting without a function: all numbers or all texts. */

static void read_element(lua_State *L, struct lib_item *item, int i, int type)
{
    lua_rawgeti(L, 1, i);
    if (lua_type(L, -1) != type || (type != LUA_TNUMBER && type != LUA_TSTRING))
        sandbox_error(L,
                      "table.sort: element %d is a %s; without a function "
                      "to compare, all are numbers or all are texts",
                      i, luaL_typename(L, -1));
    *item = (struct lib_item){.index = (uint32_t)i};
    if (type == LUA_TSTRING)
        item->text = lua_tolstring(L, -1, &item->len);
    else
        item->number = lua_tonumber(L, -1);
    if (isnan(item->number))
        sandbox_error(L, "table.sort: element %d is not a number", i);
    lua_pop(L, 1);
}

/* Push a list of the first `count` elements of the one at `from`. */
static void push_copy(lua_State *L, int from, int count)
{
    lua_createtable(L, count, 0);
    for (int i = 1; i <= count; i++) {
        lua_rawgeti(L, from, i);
        lua_rawseti(L, -2, i);
    }
}

static void sort_plain(lua_State *L, int count)
{
    size_t size = 2 * (size_t)count * sizeof(struct lib_item);
    struct lib_item *items = sandbox_scratch(L, size);

    lua_rawgeti(L, 1, 1);
    int type = lua_type(L, -1);
    lua_settop(L, 1);
    for (int i = 0; i < count; i++)
        read_element(L, &items[i], i + 1, type);
    push_copy(L, 1, count); /* keeps texts alive and at hand */
    lib_sort_items(L, items, items + count, (size_t)count);
    for (int i = 0; i < count; i++) {
        lua_rawgeti(L, 2, (int)items[i].index);
        lua_rawseti(L, 1, i + 1);
    }
    sandbox_scratch_free(L, items, size);
}

/* Sorting with a function. Lists stand at 3 and 4, the function at 2. */

static bool is_less(lua_State *L, int from, int a, int b)
{
    sandbox_charge(L, 1);
    lua_pushvalue(L, 2);
    lua_rawgeti(L, from, a);
    lua_rawgeti(L, from, b);
    lua_call(L, 2, 1);
    bool less = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return less;
}

/* Merge from[start..middle) and from[middle..end) into the other list. The
 * right one goes first only when it is less: that keeps equal ones in order. */
static void merge_lists(lua_State *L, int from, int start, int middle, int end)
{
    int to = from == 3 ? 4 : 3;
    int left = start, right = middle;

    for (int i = start; i < end; i++) {
        bool take_left =
            right >= end || (left < middle && !is_less(L, from, right, left));
        lua_rawgeti(L, from, take_left ? left++ : right++);
        lua_rawseti(L, to, i);
    }
}

static void sort_with(lua_State *L, int count)
{
    int from = 3;

    push_copy(L, 1, count);
    lua_createtable(L, count, 0);
    sandbox_nest(L);
    for (int64_t width = 1; width < count; width *= 2) {
        for (int64_t at = 1; at <= count; at += 2 * width) {
            int64_t middle = at + width, end = at + 2 * width;
            merge_lists(L, from, (int)at,
                        (int)(middle <= count ? middle : count + 1),
                        (int)(end <= count ? end : count + 1));
        }
        from = from == 3 ? 4 : 3;
    }
    sandbox_unnest(L);
    for (int i = 1; i <= count; i++) {
        lua_rawgeti(L, from, i);
        lua_rawseti(L, 1, i);
    }
}

/* sort(list, less): in place; stable. */
static int sort(lua_State *L)
{
    int count = list_length(L, "table.sort");

    sandbox_charge(L, (uint64_t)count);
    if (lua_isnoneornil(L, 2)) {
        lua_settop(L, 1);
        if (count > 0)
            sort_plain(L, count);
        return 0;
    }
    if (lua_type(L, 2) != LUA_TFUNCTION)
        return sandbox_error(L, "table.sort: argument 2 must be a function");
    lua_settop(L, 2);
    sort_with(L, count);
    return 0;
}

static int unpack(lua_State *L)
{
    for (const luaL_Reg *f = lib_base.functions; f->name != NULL; f++)
        if (strcmp(f->name, "unpack") == 0)
            return f->func(L);
    return 0;
}

static const luaL_Reg functions[] = {
    {"insert", insert}, {"remove", remove_at}, {"concat", concat},
    {"sort", sort},     {"unpack", unpack},    {NULL, NULL},
};

const struct library lib_table = {"table", functions, NULL};
