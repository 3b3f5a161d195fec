#include "script/lua_function.h"

#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/hash.h"
#include "event/bundle.h"
#include "sandbox/sandbox.h"

enum {
    FUNCTION_DEPTH_MAX = 100,
    FUNCTION_VALUES_MAX = 10000,
};

struct digesting {
    lua_State *L;
    struct bytes bundle;
    struct hasher hasher;
    size_t left; /* values that are still looked at */
    int seen;    /* where the table is of what was met: its number */
    int count;   /* of these */
    bool unseen; /* something was not looked into */
};

static void put_value(struct digesting *d, int depth);

/* The lines from `first` to `last`, counted from 1. */
static struct bytes lines_of(struct bytes source, int first, int last)
{
    const uint8_t *at = source.data;
    const uint8_t *end = source.data + source.len;
    const uint8_t *from = NULL;
    for (int line = 1; at < end && line <= last; line++) {
        const uint8_t *stop = memchr(at, '\n', (size_t)(end - at));
        if (line == first)
            from = at;
        at = stop != NULL ? stop + 1 : end;
    }
    return from != NULL ? bytes_of(from, (size_t)(at - from))
                        : bytes_of(NULL, 0);
}

static void put_lines(struct digesting *d, const lua_Debug *info)
{
    struct bundle bundle;
    struct bundle_module module;
    if (info->source[0] != '@' || bundle_get(d->bundle, &bundle, NULL) != 0)
        return;
    struct bundle_cursor cursor = bundle_modules(&bundle);
    while (bundle_next(&cursor, &module))
        if (bytes_equal(module.file, bytes_of_text(info->source + 1)))
            hash_part(&d->hasher, lines_of(module.source, info->linedefined,
                                           info->lastlinedefined));
}

/* Written in C: by its name. One without stands in no file of an author's. */
static void put_library_function(struct digesting *d)
{
    size_t len = 0;
    sandbox_push_name(d->L);
    const char *name = lua_tolstring(d->L, -1, &len);
    if (name != NULL)
        hash_part(&d->hasher, bytes_of(name, len));
    lua_pop(d->L, 1);
}

/* The one on top of the stack. */
static void put_function(struct digesting *d, int depth)
{
    lua_Debug info;
    lua_pushvalue(d->L, -1);
    lua_getinfo(d->L, ">S", &info);
    if (info.what[0] == 'C') {
        put_library_function(d);
        return;
    }
    put_lines(d, &info);
    for (int i = 1; lua_getupvalue(d->L, -1, i) != NULL; i++) {
        put_value(d, depth + 1);
        lua_pop(d->L, 1);
    }
}

struct key {
    const char *text; /* of the table's, which stays; NULL: a number */
    size_t len;
    double number;
};

static int compare_keys(const void *a, const void *b)
{
    const struct key *x = a;
    const struct key *y = b;
    if (x->text == NULL || y->text == NULL)
        return x->text != y->text
                   ? (x->text == NULL ? -1 : 1)
                   : (x->number > y->number) - (x->number < y->number);
    return bytes_compare(bytes_of(x->text, x->len), bytes_of(y->text, y->len));
}

/* The key on top of the stack; false: one that has no order. */
static bool take_key(lua_State *L, struct key *key)
{
    *key = (struct key){0};
    if (lua_type(L, -1) == LUA_TSTRING)
        key->text = lua_tolstring(L, -1, &key->len);
    else if (lua_type(L, -1) == LUA_TNUMBER)
        key->number = lua_tonumber(L, -1);
    else
        return false;
    return true;
}

/* The table's keys in order, in scratch memory; all of them, so that which are
 * left out does not depend on how Lua walks a table. */
static struct key *keys_of(struct digesting *d, int table, size_t *count)
{
    lua_State *L = d->L;
    struct key *keys = NULL;
    struct key key;
    bool others = false;
    for (int pass = 0; pass < 2; pass++) {
        if (pass == 1)
            keys = sandbox_scratch(L, *count * sizeof(*keys));
        *count = 0;
        lua_pushnil(L);
        while (lua_next(L, table) != 0) {
            lua_pop(L, 1);
            if (!take_key(L, &key))
                others = true;
            else if (pass == 0)
                (*count)++;
            else
                keys[(*count)++] = key;
        }
    }
    if (others)
        d->unseen = true;
    qsort(keys, *count, sizeof(*keys), compare_keys);
    return keys;
}

static void push_key(struct digesting *d, const struct key *key)
{
    if (key->text != NULL) {
        hash_part(&d->hasher, bytes_of(key->text, key->len));
        lua_pushlstring(d->L, key->text, key->len);
    } else {
        hash_part(&d->hasher, bytes_of(&key->number, sizeof(key->number)));
        lua_pushnumber(d->L, key->number);
    }
}

static void put_table(struct digesting *d, int depth)
{
    size_t count = 0;
    int table = lua_gettop(d->L);
    struct key *keys = keys_of(d, table, &count);
    for (size_t i = 0; i < count && d->left > 0; i++) {
        push_key(d, &keys[i]);
        lua_rawget(d->L, table);
        put_value(d, depth + 1);
        lua_pop(d->L, 1);
    }
    if (d->left == 0)
        d->unseen = true;
    sandbox_scratch_free(d->L, keys, count * sizeof(*keys));
}

/* The function or table on top of the stack: what was met before is its number,
 * what is too deep may be anything. */
static void put_inside(struct digesting *d, int depth)
{
    lua_pushvalue(d->L, -1);
    lua_rawget(d->L, d->seen);
    int number = (int)lua_tointeger(d->L, -1);
    lua_pop(d->L, 1);
    hash_u64(&d->hasher, (uint64_t)number);
    if (number > 0)
        return;
    lua_pushvalue(d->L, -1);
    lua_pushinteger(d->L, ++d->count);
    lua_rawset(d->L, d->seen);
    if (depth >= FUNCTION_DEPTH_MAX)
        d->unseen = true;
    else if (lua_type(d->L, -1) == LUA_TTABLE)
        put_table(d, depth);
    else
        put_function(d, depth);
}

/* The value on top of the stack. */
static void put_value(struct digesting *d, int depth)
{
    size_t len = 0;
    double number = 0;
    int type = lua_type(d->L, -1);
    if (d->left == 0) {
        d->unseen = true;
        return;
    }
    d->left--;
    hash_u8(&d->hasher, (uint8_t)type);
    luaL_checkstack(d->L, 8, "digest");
    switch (type) {
    case LUA_TBOOLEAN:
        hash_u8(&d->hasher, (uint8_t)lua_toboolean(d->L, -1));
        break;
    case LUA_TNUMBER:
        number = lua_tonumber(d->L, -1);
        hash_part(&d->hasher, bytes_of(&number, sizeof(number)));
        break;
    case LUA_TSTRING: {
        const char *text = lua_tolstring(d->L, -1, &len);
        hash_part(&d->hasher, bytes_of(text, len));
        break;
    }
    case LUA_TFUNCTION:
    case LUA_TTABLE:
        put_inside(d, depth);
        break;
    default:
        break;
    }
}

void lua_function_digest(lua_State *L, struct bytes bundle, uint8_t digest[32])
{
    struct digesting d = {
        .L = L, .bundle = bundle, .left = FUNCTION_VALUES_MAX};
    hash_begin(&d.hasher, LABEL_SEEN);
    lua_newtable(L);
    d.seen = lua_gettop(L);
    lua_pushvalue(L, -2);
    put_value(&d, 0);
    lua_pop(L, 2);
    if (d.unseen) /* any line of the bundle may have changed it */
        hash_part(&d.hasher, bundle);
    hash_end(&d.hasher, digest);
}
