#include "script/lua_value.h"

#include <assert.h>
#include <inttypes.h>
#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/msgpack.h"
#include "sandbox/lib.h"
#include "schema/handle.h"
#include "script/box.h"

enum { STACK_OF_A_LEVEL = 8, NAME_SHOWN = 64 };

static char none_key; /* its address is `ctx.none` */

void lua_value_push_none(lua_State *L)
{
    lua_pushlightuserdata(L, &none_key);
}

const char *lua_path_field(char *room, const char *path, const char *name)
{
    return text_place(room, PATH_ROOM, path,
                      bytes_of(name, strnlen(name, NAME_SHOWN)));
}

const char *lua_path_item(char *room, const char *path, size_t i)
{
    snprintf(room, PATH_ROOM, "%s[%zu]", path, i);
    return room;
}

void lua_value_push_ref(lua_State *L, const uint8_t id[LUA_ID_SIZE])
{
    char ref[LUA_REF_SIZE] = {0};
    memcpy(ref + 1, id, LUA_ID_SIZE);
    lua_pushlstring(L, ref, sizeof(ref));
}

/* What was stored has been checked: this is damage, not a mistake. */
static int damaged(lua_State *L, const char *path)
{
    struct err err;
    err_set(&err, ATE_ECORRUPT, "%s: what is stored there is damaged", path);
    return sandbox_raise(L, &err);
}

static void push_text(lua_State *L, struct bytes text, const char *path)
{
    if (text.len > LIB_TEXT_MAX) {
        struct err err;
        err_set(&err, ATE_ELIMIT,
                "%s: %zu bytes; Lua takes at most %d at a time", path, text.len,
                LIB_TEXT_MAX);
        sandbox_raise(L, &err);
    }
    sandbox_charge_bytes(L, text.len);
    lua_text_push(L, (const char *)text.data, text.len);
}

static void push_integer(lua_State *L, int64_t value, const char *path)
{
    sandbox_charge(L, 1);
    if (value > LIB_INTEGER_MAX || value < -LIB_INTEGER_MAX)
        sandbox_error(L,
                      "%s: %" PRId64 " is beyond 2^53, more than Lua can hold",
                      path, value);
    lua_pushnumber(L, (lua_Number)value);
}

static void push_any(lua_State *L, struct mp *mp, const char *path);

static void push_any_list(lua_State *L, struct mp *mp, const char *path)
{
    uint32_t count = 0;
    if (mp_get_array(mp, &count, NULL) != 0)
        damaged(L, path);
    lua_createtable(L, 0, 0);
    for (uint32_t i = 0; i < count; i++) {
        push_any(L, mp, path);
        lua_rawseti(L, -2, (int)i + 1);
    }
}

static void push_any_map(lua_State *L, struct mp *mp, const char *path)
{
    uint32_t count = 0;
    if (mp_get_map(mp, &count, NULL) != 0)
        damaged(L, path);
    lua_createtable(L, 0, 0);
    for (uint32_t i = 0; i < count; i++) {
        struct bytes name;
        if (mp_get_str(mp, &name, NULL) != 0)
            damaged(L, path);
        push_text(L, name, path);
        push_any(L, mp, path);
        lua_rawset(L, -3);
    }
}

static void push_any(lua_State *L, struct mp *mp, const char *path)
{
    enum mp_kind kind;
    struct bytes bytes = {0};
    bool boolean = false;
    int64_t integer = 0;
    int rc = 0;
    luaL_checkstack(L, STACK_OF_A_LEVEL, "values nest too deep");
    sandbox_charge(L, 1);
    if (mp_peek(mp, &kind, NULL) != 0)
        damaged(L, path);
    switch (kind) {
    case MP_NIL:
        rc = mp_get_nil(mp, NULL);
        lua_pushnil(L);
        break;
    case MP_BOOL:
        rc = mp_get_bool(mp, &boolean, NULL);
        lua_pushboolean(L, boolean);
        break;
    case MP_INT:
    case MP_UINT:
        rc = mp_get_int(mp, &integer, NULL);
        push_integer(L, integer, path);
        break;
    case MP_STR:
        rc = mp_get_str(mp, &bytes, NULL);
        push_text(L, bytes, path);
        break;
    case MP_BIN:
        rc = mp_get_bin(mp, &bytes, NULL);
        if (bytes.len == LUA_ID_SIZE)
            lua_value_push_ref(L, bytes.data);
        else
            push_text(L, bytes, path);
        break;
    case MP_ARRAY:
        push_any_list(L, mp, path);
        break;
    case MP_MAP:
        push_any_map(L, mp, path);
        break;
    }
    if (rc != 0)
        damaged(L, path);
}

void lua_value_push_plain(lua_State *L, struct bytes value, const char *path)
{
    struct mp mp = mp_open_known(value);
    push_any(L, &mp, path);
}

/* ---- by type ---- */

static void push_at(lua_State *L, const struct value_type *type, struct mp *mp,
                    const char *path);

static void push_list(lua_State *L, const struct value_type *type,
                      struct mp *mp, const char *path)
{
    uint32_t count = 0;
    if (mp_get_array(mp, &count, NULL) != 0)
        damaged(L, path);
    sandbox_charge(L, 1);
    lua_createtable(L, count < 256 ? (int)count : 256, 0);
    for (uint32_t i = 0; i < count; i++) {
        push_at(L, type->item, mp, path);
        lua_rawseti(L, -2, (int)i + 1);
    }
}

/* Fields and map are both sorted by name. */
static void set_fields(lua_State *L, const struct fields *fields, struct mp *mp,
                       const char *path)
{
    char room[PATH_ROOM];
    uint32_t count = 0;
    const struct field *field = fields->items;
    const struct field *end = field + fields->count;
    if (mp_get_map(mp, &count, NULL) != 0)
        damaged(L, path);
    for (uint32_t i = 0; i < count; i++, field++) {
        struct bytes name;
        if (mp_get_str(mp, &name, NULL) != 0)
            damaged(L, path);
        while (field < end && !bytes_equal(bytes_of_text(field->name), name))
            field++;
        if (field == end)
            damaged(L, path);
        lua_text_push(L, (const char *)name.data, name.len);
        push_at(L, &field->type, mp, lua_path_field(room, path, field->name));
        lua_rawset(L, -3);
    }
}

static void push_struct(lua_State *L, const struct fields *fields,
                        struct mp *mp, const char *path)
{
    sandbox_charge(L, 1);
    lua_createtable(L, 0, (int)fields->count);
    set_fields(L, fields, mp, path);
    shape_set(L, shape_of_fields(&box_of(L)->shapes, fields));
}

void lua_value_push_handle(lua_State *L, const struct handle *handle)
{
    sandbox_charge(L, 1);
    lua_createtable(L, 0, 2);
    lua_text_push(L, "hash", 4);
    lua_text_push(L, (const char *)handle->hash, HASH_SIZE);
    lua_rawset(L, -3);
    lua_text_push(L, "length", 6);
    lua_pushnumber(L, (double)handle->length);
    lua_rawset(L, -3);
}

static int push_handle(lua_State *L, struct mp *mp)
{
    struct handle handle;
    struct bytes value;
    int rc = mp_skip(mp, &value, NULL);
    if (rc == 0)
        rc = handle_get(value, &handle, NULL);
    if (rc == 0)
        lua_value_push_handle(L, &handle);
    return rc;
}

static int push_bytes(lua_State *L, const struct value_type *type,
                      struct mp *mp, const char *path)
{
    struct bytes bytes = {0};
    const uint8_t *fixed = NULL;
    enum mp_kind kind = MP_NIL;
    int rc;
    switch (type->kind) {
    case VALUE_REF:
        rc = mp_get_bin_of(mp, LUA_ID_SIZE, &fixed, NULL);
        if (rc == 0)
            lua_value_push_ref(L, fixed);
        return rc;
    case VALUE_IDENTITY:
        rc = mp_get_bin_of(mp, LUA_IDENTITY_SIZE, &fixed, NULL);
        if (rc == 0)
            lua_text_push(L, (const char *)fixed, LUA_IDENTITY_SIZE);
        return rc;
    case VALUE_BLOB:
        if (mp_peek(mp, &kind, NULL) == 0 && kind == MP_MAP)
            return push_handle(L, mp);
        rc = mp_get_bin(mp, &bytes, NULL);
        break;
    default:
        rc = mp_get_str(mp, &bytes, NULL);
        break;
    }
    if (rc == 0)
        push_text(L, bytes, path);
    return rc;
}

static void push_at(lua_State *L, const struct value_type *type, struct mp *mp,
                    const char *path)
{
    bool boolean = false;
    int64_t integer = 0;
    int rc = 0;
    luaL_checkstack(L, STACK_OF_A_LEVEL, "values nest too deep");
    sandbox_charge(L, 1);
    if (type->optional && mp_take_nil(mp)) {
        lua_pushnil(L);
        return;
    }
    switch (type->kind) {
    case VALUE_BOOLEAN:
        rc = mp_get_bool(mp, &boolean, NULL);
        lua_pushboolean(L, boolean);
        break;
    case VALUE_INTEGER:
    case VALUE_AMOUNT:
    case VALUE_TIME:
        rc = mp_get_int(mp, &integer, NULL);
        push_integer(L, integer, path);
        break;
    case VALUE_STRUCT:
        push_struct(L, &type->fields, mp, path);
        break;
    case VALUE_LIST:
        push_list(L, type, mp, path);
        break;
    case VALUE_PAGE:
        push_any(L, mp, path);
        break;
    default:
        rc = push_bytes(L, type, mp, path);
        break;
    }
    if (rc != 0)
        damaged(L, path);
}

void lua_value_push(lua_State *L, const struct value_type *type,
                    struct bytes value, const char *path)
{
    struct mp mp = mp_open_known(value);
    push_at(L, type, &mp, path);
}

void lua_value_set_fields(lua_State *L, const struct fields *fields,
                          struct bytes map, const char *path)
{
    struct mp mp = mp_open_known(map);
    assert(lua_istable(L, -1));
    set_fields(L, fields, &mp, path);
}

void lua_value_push_fields(lua_State *L, const struct fields *fields,
                           struct bytes map, const char *path)
{
    struct mp mp = mp_open_known(map);
    luaL_checkstack(L, STACK_OF_A_LEVEL, "values nest too deep");
    push_struct(L, fields, &mp, path);
}
