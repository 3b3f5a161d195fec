#include "script/lua_function.h"

#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/hash.h"
#include "event/bundle.h"
#include "sandbox/sandbox.h"

enum {
    FUNCTION_DEPTH_MAX = 4,
    FUNCTION_KEYS_MAX = 256, /* of a table that is looked into */
    FUNCTION_VALUES_MAX = 10000,
};

struct digesting {
    lua_State *L;
    struct bytes bundle;
    struct hasher hasher;
    size_t left; /* values that are still looked at */
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

/* The one on top of the stack. */
static void put_function(struct digesting *d, int depth)
{
    lua_Debug info;
    lua_pushvalue(d->L, -1);
    lua_getinfo(d->L, ">S", &info);
    if (info.what[0] == 'C')
        return;
    put_lines(d, &info);
    for (int i = 1; lua_getupvalue(d->L, -1, i) != NULL; i++) {
        put_value(d, depth + 1);
        lua_pop(d->L, 1);
    }
}

struct name {
    const char *text; /* of the table's, which stays */
    size_t len;
};

static int compare_names(const void *a, const void *b)
{
    const struct name *x = a;
    const struct name *y = b;
    return bytes_compare(bytes_of(x->text, x->len), bytes_of(y->text, y->len));
}

/* The table's text keys in order, in scratch memory; all of them, so that which
 * are left out does not depend on how Lua walks a table. */
static struct name *names_of(lua_State *L, int table, size_t *count)
{
    struct name *names = NULL;
    for (int pass = 0; pass < 2; pass++) {
        if (pass == 1)
            names = sandbox_scratch(L, *count * sizeof(*names));
        *count = 0;
        lua_pushnil(L);
        while (lua_next(L, table) != 0) {
            lua_pop(L, 1);
            if (lua_type(L, -1) != LUA_TSTRING)
                continue;
            if (pass == 1)
                names[*count].text = lua_tolstring(L, -1, &names[*count].len);
            (*count)++;
        }
    }
    qsort(names, *count, sizeof(*names), compare_names);
    return names;
}

/* Its text keys in order, then its list. */
static void put_table(struct digesting *d, int depth)
{
    size_t count = 0;
    int table = lua_gettop(d->L);
    struct name *names = names_of(d->L, table, &count);
    for (size_t i = 0; i < count && i < FUNCTION_KEYS_MAX; i++) {
        hash_part(&d->hasher, bytes_of(names[i].text, names[i].len));
        lua_pushlstring(d->L, names[i].text, names[i].len);
        lua_rawget(d->L, table);
        put_value(d, depth + 1);
        lua_pop(d->L, 1);
    }
    sandbox_scratch_free(d->L, names, count * sizeof(*names));
    for (int i = 1; i <= FUNCTION_KEYS_MAX; i++) {
        lua_rawgeti(d->L, table, i);
        bool is_last = lua_isnil(d->L, -1);
        if (!is_last)
            put_value(d, depth + 1);
        lua_pop(d->L, 1);
        if (is_last)
            break;
    }
}

/* The value on top of the stack. */
static void put_value(struct digesting *d, int depth)
{
    size_t len = 0;
    double number = 0;
    int type = lua_type(d->L, -1);
    if (d->left == 0)
        return;
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
        if (depth < FUNCTION_DEPTH_MAX)
            put_function(d, depth);
        break;
    case LUA_TTABLE:
        if (depth < FUNCTION_DEPTH_MAX)
            put_table(d, depth);
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
    put_value(&d, 0);
    hash_end(&d.hasher, digest);
}
