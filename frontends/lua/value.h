/* value: what doors say, as values of trusted Lua.
 *
 * nil inside a list or map is `ate.null`, a light userdata. An integer is a
 * number up to 2^53 and an int64_t of the ffi beyond. A list that came from
 * outside has the metatable `ate.list`, so that an empty one stays a list; a
 * table that Lua made is a list when it has an item 1. Bytes to be sent as
 * such are `ate.bin(text)`; texts that are no UTF-8 are sent as bytes, too. */
#ifndef FRONTENDS_LUA_VALUE_H
#define FRONTENDS_LUA_VALUE_H

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { VALUE_DEPTH_MAX = 64 };

enum value_shape {
    VALUE_NIL,
    VALUE_BOOLEAN,
    VALUE_INTEGER,
    VALUE_NUMBER,
    VALUE_TEXT,
    VALUE_BYTES,
    VALUE_LIST,
    VALUE_MAP,
    VALUE_OTHER, /* a function, a thread, ...: nothing to be sent */
};

/* What one Lua value is; the parts that its shape names are filled. */
struct value {
    enum value_shape shape;
    bool boolean;
    int64_t integer;
    double number;
    const char *text; /* of TEXT and BYTES; lives as long as the value */
    size_t len;       /* of TEXT and BYTES, items of LIST */
};

/* Register the metatables; to be called once for each state. Leaves the
 * stack as it was. */
void value_setup(lua_State *L);

/* Look at the value at `index`. The stack is as before. */
void value_get(lua_State *L, int index, struct value *value);

void value_push_null(lua_State *L);
void value_push_integer(lua_State *L, int64_t integer);

/* Give the table on top of the stack the metatable of lists. */
void value_mark_list(lua_State *L);

/* Push the keys of the map at `index` as a list sorted by bytes and return
 * how many there are; -1 when one is no text (then nothing is pushed). */
int value_push_keys(lua_State *L, int index);

/* Functions of Lua: bin(text) -> bytes, list(table) -> the same table,
 * is_list(value) -> boolean. */
int value_bin(lua_State *L);
int value_list(lua_State *L);
int value_is_list(lua_State *L);
#endif
