/* What is read is pushed at once, without a tree of it between.
 *
 * (1) Nothing is deeper than VALUE_DEPTH_MAX.
 * (2) Bytes after the value are an error. */
#include "lua/codec.h"

#include <lauxlib.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include "base/buffer.h"
#include "base/pack.h"
#include "lua/scratch.h"
#include "lua/value.h"

/* ---- reading ---- */

static const char *push_next(lua_State *L, struct pack_reader *r, int depth);

static const char *push_list(lua_State *L, struct pack_reader *r, size_t count,
                             int depth)
{
    const char *error = NULL;
    lua_createtable(L, (int)count, 0);
    value_mark_list(L);
    for (size_t i = 1; i <= count && error == NULL; i++) {
        error = push_next(L, r, depth + 1);
        if (error == NULL)
            lua_rawseti(L, -2, (int)i);
    }
    return error;
}

/* A text, or a number: but one that is none, which no table takes. */
static bool is_key(lua_State *L, int at)
{
    if (lua_type(L, at) == LUA_TNUMBER)
        return !isnan(lua_tonumber(L, at));
    return lua_type(L, at) == LUA_TSTRING;
}

static const char *push_map(lua_State *L, struct pack_reader *r, size_t count,
                            int depth)
{
    const char *error = NULL;
    lua_createtable(L, 0, (int)count);
    for (size_t i = 0; i < count && error == NULL; i++) {
        error = push_next(L, r, depth + 1);
        if (error == NULL && !is_key(L, -1))
            error = "msgpack: a key is no text";
        if (error == NULL)
            error = push_next(L, r, depth + 1);
        if (error == NULL)
            lua_rawset(L, -3);
    }
    return error;
}

/* Pushes one value at least, also when it fails. */
static const char *push_next(lua_State *L, struct pack_reader *r, int depth)
{
    luaL_checkstack(L, 4, "msgpack: too deep");
    struct pack item = {.kind = PACK_NONE};
    if (depth <= VALUE_DEPTH_MAX) /* (1) */
        item = pack_read(r);
    switch (item.kind) {
    case PACK_NONE:
        lua_pushnil(L);
        return r->bad ? "msgpack: cut short, or an unknown kind of value"
                      : "msgpack: too deep";
    case PACK_NIL:
        value_push_null(L);
        return NULL;
    case PACK_BOOLEAN:
        lua_pushboolean(L, item.boolean);
        return NULL;
    case PACK_INTEGER:
        value_push_integer(L, item.integer);
        return NULL;
    case PACK_UNSIGNED:
        lua_pushnil(L);
        return "msgpack: an integer is above 2^63 - 1";
    case PACK_REAL:
        lua_pushnumber(L, item.real);
        return NULL;
    case PACK_TEXT:
    case PACK_BYTES:
        lua_pushlstring(L, (const char *)item.data, item.len);
        return NULL;
    case PACK_LIST:
        return push_list(L, r, item.count, depth);
    case PACK_MAP:
        break;
    }
    return push_map(L, r, item.count, depth);
}

int pack_push(lua_State *L, const uint8_t *data, size_t len)
{
    struct pack_reader r = {.at = data, .end = data + len};
    int top = lua_gettop(L);
    if (len == 0) {
        value_push_null(L);
        return 0;
    }
    const char *error = push_next(L, &r, 0);
    if (error == NULL && r.at != r.end)
        error = "msgpack: bytes after the value"; /* (2) */
    if (error != NULL) {
        lua_settop(L, top);
        lua_pushstring(L, error);
    }
    return error == NULL ? 0 : -1;
}

/* ---- writing ---- */

static void free_buffer(void *resource)
{
    buffer_free(resource);
    free(resource);
}

static const char *write_value(lua_State *L, int index, struct buffer *out,
                               int depth);

static const char *write_list(lua_State *L, int index, size_t len,
                              struct buffer *out, int depth)
{
    const char *error = NULL;
    pack_put_list(out, len);
    for (size_t i = 1; i <= len && error == NULL; i++) {
        lua_rawgeti(L, index, (int)i);
        error = write_value(L, lua_gettop(L), out, depth + 1);
        lua_pop(L, 1);
    }
    return error;
}

static const char *write_map(lua_State *L, int index, struct buffer *out,
                             int depth)
{
    const char *error = NULL;
    int count = value_push_keys(L, index);
    if (count < 0)
        return "a key of a map is no text";
    int keys = lua_gettop(L);
    pack_put_map(out, (size_t)count);
    for (int i = 1; i <= count && error == NULL; i++) {
        lua_rawgeti(L, keys, i);
        error = write_value(L, keys + 1, out, depth + 1);
        lua_rawget(L, index);
        if (error == NULL)
            error = write_value(L, keys + 1, out, depth + 1);
        lua_settop(L, keys);
    }
    lua_pop(L, 1);
    return error;
}

static const char *write_value(lua_State *L, int index, struct buffer *out,
                               int depth)
{
    struct value value;
    if (depth > VALUE_DEPTH_MAX)
        return "the value is too deep, or contains itself";
    value_get(L, index, &value);
    switch (value.shape) {
    case VALUE_NIL:
        pack_put_nil(out);
        return NULL;
    case VALUE_BOOLEAN:
        pack_put_boolean(out, value.boolean);
        return NULL;
    case VALUE_INTEGER:
        pack_put_integer(out, value.integer);
        return NULL;
    case VALUE_NUMBER:
        pack_put_real(out, value.number);
        return NULL;
    case VALUE_TEXT:
        pack_put_text(out, value.text, value.len);
        return NULL;
    case VALUE_BYTES:
        pack_put_bytes(out, value.text, value.len);
        return NULL;
    case VALUE_LIST:
        return write_list(L, index, value.len, out, depth);
    case VALUE_MAP:
        return write_map(L, index, out, depth);
    case VALUE_OTHER:
        break;
    }
    return "a function, thread or foreign object is no value";
}

struct buffer *scratch_buffer(lua_State *L)
{
    struct scratch *scratch = scratch_push(L, free_buffer);
    return scratch->resource = memory_new(sizeof(struct buffer));
}

const char *pack_write(lua_State *L, int index, struct buffer *out)
{
    if (index < 0)
        index = lua_gettop(L) + index + 1;
    return write_value(L, index, out, 0);
}

int pack_from(lua_State *L, int index)
{
    if (index < 0)
        index = lua_gettop(L) + index + 1;
    struct buffer *out = scratch_buffer(L);
    const char *error = write_value(L, index, out, 0);
    if (error == NULL)
        lua_pushlstring(L, out->data, out->len);
    else
        lua_pushstring(L, error);
    buffer_free(out);
    lua_remove(L, -2);
    return error == NULL ? 0 : -1;
}

/* Turn what the two above leave into what Lua expects. */
static int answer(lua_State *L, int rc)
{
    if (rc == 0)
        return 1;
    lua_pushnil(L);
    lua_insert(L, -2);
    return 2;
}

int pack_encode(lua_State *L)
{
    luaL_checkany(L, 1);
    return answer(L, pack_from(L, 1));
}

int pack_decode(lua_State *L)
{
    size_t len;
    const char *data = luaL_checklstring(L, 1, &len);
    return answer(L, pack_push(L, (const uint8_t *)data, len));
}
