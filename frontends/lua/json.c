#include "lua/codec.h"

#include <stdbool.h>
#include <stdlib.h>
#include <lauxlib.h>
#include <jansson.h>
#include "lua/scratch.h"
#include "lua/value.h"

static void release_json(void *resource)
{
    json_decref(resource);
}

static void release_text(void *resource)
{
    free(resource);
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
    json_error_t error;
    json_t *json = json_loadb(
        text, len, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL,
        &error);
    scratch->resource = json;
    if (json == NULL) {
        lua_pushnil(L);
        lua_pushfstring(L, "line %d, column %d: %s", error.line, error.column,
                        error.text);
        return 2;
    }
    const char *problem = push_json(L, json, 0);
    scratch_release(scratch);
    return problem == NULL ? 1 : failure(L, problem);
}

/* ---- encode ---- */

/* A value under construction: what is made hangs on its parent at once, and
 * the root on a scratch, so that an error of Lua loses nothing. */
static const char *write_json(lua_State *L, int index, json_t **out, int depth);

static json_t *hex_text(const char *bytes, size_t len)
{
    static const char digits[] = "0123456789abcdef";
    char *text = malloc(len * 2 + 1);
    if (text == NULL)
        return NULL;
    for (size_t i = 0; i < len; i++) {
        text[2 * i] = digits[(unsigned char)bytes[i] >> 4];
        text[2 * i + 1] = digits[(unsigned char)bytes[i] & 15];
    }
    json_t *json = json_stringn_nocheck(text, len * 2);
    free(text);
    return json;
}

static const char *write_array(lua_State *L, int index, size_t len,
                               json_t *array, int depth)
{
    const char *error = NULL;
    for (size_t i = 1; i <= len && error == NULL; i++) {
        json_t *item;
        lua_rawgeti(L, index, (int)i);
        error = write_json(L, lua_gettop(L), &item, depth + 1);
        lua_pop(L, 1);
        if (item != NULL)
            json_array_append_new(array, item);
    }
    return error;
}

static const char *write_object(lua_State *L, int index, json_t *object,
                                int depth)
{
    const char *error = NULL;
    int count = value_push_keys(L, index);
    if (count < 0)
        return "a key of a map is no text";
    int keys = lua_gettop(L);
    for (int i = 1; i <= count && error == NULL; i++) {
        json_t *item;
        size_t len;
        lua_rawgeti(L, keys, i);
        const char *key = lua_tolstring(L, -1, &len);
        lua_pushvalue(L, -1);
        lua_rawget(L, index);
        error = write_json(L, lua_gettop(L), &item, depth + 1);
        if (item != NULL && json_object_setn_new(object, key, len, item) != 0)
            error = "a key of a map is no UTF-8";
        lua_settop(L, keys);
    }
    lua_pop(L, 1);
    return error;
}

static const char *write_scalar(const struct value *value, json_t **out)
{
    switch (value->shape) {
    case VALUE_NIL:
        *out = json_null();
        return NULL;
    case VALUE_BOOLEAN:
        *out = json_boolean(value->boolean);
        return NULL;
    case VALUE_INTEGER:
        *out = json_integer(value->integer);
        return NULL;
    case VALUE_NUMBER:
        *out = json_real(value->number);
        return *out == NULL ? "JSON has no infinite numbers" : NULL;
    case VALUE_TEXT:
        *out = json_stringn_nocheck(value->text, value->len);
        return NULL;
    case VALUE_BYTES:
        *out = hex_text(value->text, value->len);
        return NULL;
    default:
        return "a function, thread or foreign object is no value";
    }
}

/* The root is anchored before it is filled: see json_encode(). */
static const char *write_json(lua_State *L, int index, json_t **out, int depth)
{
    struct value value;
    *out = NULL;
    if (depth > VALUE_DEPTH_MAX)
        return "the value is too deep, or contains itself";
    value_get(L, index, &value);
    if (value.shape != VALUE_LIST && value.shape != VALUE_MAP)
        return write_scalar(&value, out);
    struct scratch *scratch = scratch_push(L, release_json);
    bool list = value.shape == VALUE_LIST;
    json_t *json = list ? json_array() : json_object();
    scratch->resource = json;
    const char *error = list ? write_array(L, index, value.len, json, depth)
                             : write_object(L, index, json, depth);
    scratch->resource = NULL;
    lua_pop(L, 1);
    *out = json;
    return error;
}

int json_encode(lua_State *L)
{
    luaL_checkany(L, 1);
    int indent = (int)luaL_optinteger(L, 2, 0);
    luaL_argcheck(L, indent >= 0 && indent < 32, 2, "an indent is 0 to 31");
    lua_settop(L, 1);
    struct scratch *root = scratch_push(L, release_json);
    struct scratch *text = scratch_push(L, release_text);
    json_t *json;
    const char *error = write_json(L, 1, &json, 0);
    root->resource = json;
    if (error != NULL)
        return failure(L, error);
    size_t flags = JSON_SORT_KEYS | JSON_ENCODE_ANY;
    flags |= indent > 0 ? JSON_INDENT((size_t)indent) : JSON_COMPACT;
    text->resource = json_dumps(json, flags);
    if (text->resource == NULL)
        return failure(L, "the value can't be written as JSON");
    lua_pushstring(L, text->resource);
    scratch_release(text);
    scratch_release(root);
    return 1;
}
