/* Writing goes through msgpack-c's packer. Reading is done here: msgpack-c
 * makes a tree in a zone first and allocates for a list what its header says
 * (five bytes make it reserve 8 GiB), while this holds nothing and pushes each
 * value at once.
 *
 * (1) A length is compared with the bytes that are left before it is used.
 * (2) Nothing is deeper than VALUE_DEPTH_MAX.
 * (3) Bytes after the value are an error. */
#include "lua/codec.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <lauxlib.h>
#include <msgpack.h>
#include "lua/scratch.h"
#include "lua/value.h"

struct reader {
    const uint8_t *at;
    const uint8_t *end;
    const char *error;
};

static bool fail(struct reader *r, const char *error)
{
    if (r->error == NULL)
        r->error = error;
    return false;
}

static bool take(struct reader *r, size_t n, uint64_t *value)
{
    if ((size_t)(r->end - r->at) < n)
        return fail(r, "msgpack: cut short");
    *value = 0;
    for (size_t i = 0; i < n; i++)
        *value = *value << 8 | *r->at++;
    return true;
}

static bool read_text(lua_State *L, struct reader *r, uint64_t len)
{
    if (len > (size_t)(r->end - r->at)) /* (1) */
        return fail(r, "msgpack: a text is cut short");
    lua_pushlstring(L, (const char *)r->at, (size_t)len);
    r->at += len;
    return true;
}

static bool read_value(lua_State *L, struct reader *r, int depth);

static bool read_list(lua_State *L, struct reader *r, uint64_t count, int depth)
{
    if (count > (size_t)(r->end - r->at)) /* (1) an item has a byte or more */
        return fail(r, "msgpack: a list is cut short");
    lua_createtable(L, (int)count, 0);
    value_mark_list(L);
    for (uint64_t i = 1; i <= count; i++) {
        if (!read_value(L, r, depth + 1))
            return false;
        lua_rawseti(L, -2, (int)i);
    }
    return true;
}

static bool read_map(lua_State *L, struct reader *r, uint64_t count, int depth)
{
    if (count > (size_t)(r->end - r->at) / 2) /* (1) */
        return fail(r, "msgpack: a map is cut short");
    lua_createtable(L, 0, (int)count);
    for (uint64_t i = 0; i < count; i++) {
        if (!read_value(L, r, depth + 1))
            return false;
        if (lua_type(L, -1) != LUA_TSTRING && lua_type(L, -1) != LUA_TNUMBER)
            return fail(r, "msgpack: a key is no text");
        if (!read_value(L, r, depth + 1))
            return false;
        lua_rawset(L, -3);
    }
    return true;
}

static bool read_float(lua_State *L, struct reader *r, size_t size)
{
    uint64_t bits;
    if (!take(r, size, &bits))
        return false;
    if (size == 4) {
        uint32_t bits32 = (uint32_t)bits;
        float number;
        memcpy(&number, &bits32, sizeof(number));
        lua_pushnumber(L, (lua_Number)number);
    } else {
        double number;
        memcpy(&number, &bits, sizeof(number));
        lua_pushnumber(L, number);
    }
    return true;
}

static bool read_unsigned(lua_State *L, struct reader *r, size_t size)
{
    uint64_t value;
    if (!take(r, size, &value))
        return false;
    if (value > INT64_MAX)
        return fail(r, "msgpack: an integer is above 2^63 - 1");
    value_push_integer(L, (int64_t)value);
    return true;
}

static bool read_signed(lua_State *L, struct reader *r, size_t size)
{
    uint64_t value;
    if (!take(r, size, &value))
        return false;
    unsigned shift = 64 - 8 * (unsigned)size;
    value_push_integer(L, (int64_t)(value << shift) >> shift);
    return true;
}

/* What has its length behind the tag. */
static bool read_sized(lua_State *L, struct reader *r, uint8_t tag, int depth)
{
    uint64_t len;
    switch (tag) {
    case 0xc4:
    case 0xc5:
    case 0xc6:
        return take(r, (size_t)1 << (tag - 0xc4), &len) && read_text(L, r, len);
    case 0xd9:
    case 0xda:
    case 0xdb:
        return take(r, (size_t)1 << (tag - 0xd9), &len) && read_text(L, r, len);
    case 0xdc:
    case 0xdd:
        return take(r, tag == 0xdc ? 2 : 4, &len) &&
               read_list(L, r, len, depth);
    case 0xde:
    case 0xdf:
        return take(r, tag == 0xde ? 2 : 4, &len) && read_map(L, r, len, depth);
    default:
        return fail(r, "msgpack: an unknown kind of value");
    }
}

static bool read_value(lua_State *L, struct reader *r, int depth)
{
    uint64_t byte;
    if (depth > VALUE_DEPTH_MAX) /* (2) */
        return fail(r, "msgpack: too deep");
    luaL_checkstack(L, 4, "msgpack: too deep");
    if (!take(r, 1, &byte))
        return false;
    uint8_t tag = (uint8_t)byte;
    if (tag < 0x80 || tag >= 0xe0) {
        lua_pushinteger(L, (int8_t)tag);
        return true;
    }
    if (tag < 0x90)
        return read_map(L, r, tag & 0x0f, depth);
    if (tag < 0xa0)
        return read_list(L, r, tag & 0x0f, depth);
    if (tag < 0xc0)
        return read_text(L, r, tag & 0x1f);
    if (tag == 0xc0) {
        value_push_null(L);
        return true;
    }
    if (tag == 0xc2 || tag == 0xc3) {
        lua_pushboolean(L, tag == 0xc3);
        return true;
    }
    if (tag == 0xca || tag == 0xcb)
        return read_float(L, r, tag == 0xca ? 4 : 8);
    if (tag >= 0xcc && tag <= 0xcf)
        return read_unsigned(L, r, (size_t)1 << (tag - 0xcc));
    if (tag >= 0xd0 && tag <= 0xd3)
        return read_signed(L, r, (size_t)1 << (tag - 0xd0));
    return read_sized(L, r, tag, depth);
}

int pack_push(lua_State *L, const uint8_t *data, size_t len)
{
    struct reader r = {.at = data, .end = data + len};
    int top = lua_gettop(L);
    if (len == 0) {
        value_push_null(L);
        return 0;
    }
    if (read_value(L, &r, 0) && r.at != r.end)
        fail(&r, "msgpack: bytes after the value"); /* (3) */
    if (r.error != NULL) {
        lua_settop(L, top);
        lua_pushstring(L, r.error);
        return -1;
    }
    return 0;
}

static void free_sbuffer(void *resource)
{
    msgpack_sbuffer_free(resource);
}

static const char *write_value(lua_State *L, int index, msgpack_packer *packer,
                               int depth);

static const char *write_list(lua_State *L, int index, size_t len,
                              msgpack_packer *packer, int depth)
{
    const char *error = NULL;
    msgpack_pack_array(packer, len);
    for (size_t i = 1; i <= len && error == NULL; i++) {
        lua_rawgeti(L, index, (int)i);
        error = write_value(L, lua_gettop(L), packer, depth + 1);
        lua_pop(L, 1);
    }
    return error;
}

static const char *write_map(lua_State *L, int index, msgpack_packer *packer,
                             int depth)
{
    const char *error = NULL;
    int count = value_push_keys(L, index);
    if (count < 0)
        return "a key of a map is no text";
    int keys = lua_gettop(L);
    msgpack_pack_map(packer, (size_t)count);
    for (int i = 1; i <= count && error == NULL; i++) {
        lua_rawgeti(L, keys, i);
        error = write_value(L, keys + 1, packer, depth + 1);
        lua_rawget(L, index);
        if (error == NULL)
            error = write_value(L, keys + 1, packer, depth + 1);
        lua_settop(L, keys);
    }
    lua_pop(L, 1);
    return error;
}

static const char *write_value(lua_State *L, int index, msgpack_packer *packer,
                               int depth)
{
    struct value value;
    if (depth > VALUE_DEPTH_MAX)
        return "the value is too deep, or contains itself";
    value_get(L, index, &value);
    switch (value.shape) {
    case VALUE_NIL:
        msgpack_pack_nil(packer);
        return NULL;
    case VALUE_BOOLEAN:
        value.boolean ? msgpack_pack_true(packer) : msgpack_pack_false(packer);
        return NULL;
    case VALUE_INTEGER:
        msgpack_pack_int64(packer, value.integer);
        return NULL;
    case VALUE_NUMBER:
        msgpack_pack_double(packer, value.number);
        return NULL;
    case VALUE_TEXT:
        msgpack_pack_str_with_body(packer, value.text, value.len);
        return NULL;
    case VALUE_BYTES:
        msgpack_pack_bin_with_body(packer, value.text, value.len);
        return NULL;
    case VALUE_LIST:
        return write_list(L, index, value.len, packer, depth);
    case VALUE_MAP:
        return write_map(L, index, packer, depth);
    case VALUE_OTHER:
        break;
    }
    return "a function, thread or foreign object is no value";
}

int pack_from(lua_State *L, int index)
{
    if (index < 0)
        index = lua_gettop(L) + index + 1;
    struct scratch *scratch = scratch_push(L, free_sbuffer);
    msgpack_sbuffer *buffer = msgpack_sbuffer_new();
    scratch->resource = buffer;
    msgpack_packer packer;
    msgpack_packer_init(&packer, buffer, msgpack_sbuffer_write);
    const char *error = write_value(L, index, &packer, 0);
    if (error == NULL)
        lua_pushlstring(L, buffer->data, buffer->size);
    else
        lua_pushstring(L, error);
    scratch_release(scratch);
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
