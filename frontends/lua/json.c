#include "lua/codec.h"

#include <stdbool.h>
#include <stdlib.h>
#include <lauxlib.h>
#include <jansson.h>
#include "base/buffer.h"
#include "base/json.h"
#include "base/pack.h"
#include "lua/scratch.h"
#include "lua/value.h"

static void release_json(void *resource)
{
    json_decref(resource);
}

static int failure(lua_State *L, const char *error)
{
    lua_pushnil(L);
    lua_pushstring(L, error);
    return 2;
}

/* ---- decode ---- */

static const char *push_json(lua_State *L, const json_t *json, int depth);

static const char *push_array(lua_State *L, const json_t *json, int depth)
{
    const char *error = NULL;
    size_t count = json_array_size(json);
    lua_createtable(L, (int)count, 0);
    value_mark_list(L);
    for (size_t i = 0; i < count && error == NULL; i++) {
        error = push_json(L, json_array_get(json, i), depth + 1);
        lua_rawseti(L, -2, (int)i + 1);
    }
    return error;
}

static const char *push_object(lua_State *L, json_t *json, int depth)
{
    const char *key, *error = NULL;
    json_t *item;
    lua_newtable(L);
    json_object_foreach(json, key, item)
    {
        error = push_json(L, item, depth + 1);
        lua_setfield(L, -2, key);
        if (error != NULL)
            break;
    }
    return error;
}

/* Pushes exactly one value, also when it fails. */
static const char *push_json(lua_State *L, const json_t *json, int depth)
{
    luaL_checkstack(L, 4, "JSON: too deep");
    if (depth > VALUE_DEPTH_MAX) {
        lua_pushnil(L);
        return "the value is too deep";
    }
    switch (json_typeof(json)) {
    case JSON_NULL:
        value_push_null(L);
        return NULL;
    case JSON_TRUE:
    case JSON_FALSE:
        lua_pushboolean(L, json_is_true(json));
        return NULL;
    case JSON_INTEGER:
        value_push_integer(L, json_integer_value(json));
        return NULL;
    case JSON_REAL:
        lua_pushnumber(L, json_real_value(json));
        return NULL;
    case JSON_STRING:
        lua_pushlstring(L, json_string_value(json), json_string_length(json));
        return NULL;
    case JSON_ARRAY:
        return push_array(L, json, depth);
    case JSON_OBJECT:
        break;
    }
    return push_object(L, (json_t *)(uintptr_t)json, depth);
}

int json_decode(lua_State *L)
{
    size_t len;
    const char *text = luaL_checklstring(L, 1, &len);
    struct scratch *scratch = scratch_push(L, release_json);
    struct buffer *why = scratch_buffer(L);
    json_t *json = json_read(text, len, JSON_ALLOW_NUL, why);
    scratch->resource = json;
    if (json == NULL)
        return failure(L, why->data);
    const char *problem = push_json(L, json, 0);
    scratch_release(scratch);
    return problem == NULL ? 1 : failure(L, problem);
}

/* ---- encode ---- */

int json_encode(lua_State *L)
{
    luaL_checkany(L, 1);
    int indent = (int)luaL_optinteger(L, 2, 0);
    luaL_argcheck(L, indent >= 0 && indent < 32, 2, "an indent is 0 to 31");
    lua_settop(L, 1);
    struct buffer *packed = scratch_buffer(L);
    struct buffer *text = scratch_buffer(L);
    struct json_style style = {.indent = indent,
                               .levels = indent > 0 ? VALUE_DEPTH_MAX + 1 : 0};
    const char *error = pack_write(L, 1, packed);
    if (error != NULL)
        return failure(L, error);
    struct pack value = pack_open(packed->data, packed->len);
    if (json_put(text, &value, &style) != 0)
        return failure(L, "JSON has no infinite numbers, and keys are UTF-8");
    lua_pushlstring(L, text->data, text->len);
    buffer_free(packed);
    buffer_free(text);
    return 1;
}
