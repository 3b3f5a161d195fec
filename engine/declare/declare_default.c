#include "declare/declare_default.h"

#include <lauxlib.h>
#include <string.h>

#include "base/err.h"
#include "base/memory.h"
#include "base/msgpack.h"
#include "base/utf8.h"
#include "sandbox/length.h"
#include "schema/value.h"

static bool put_value(struct declaring *d, const struct place *place,
                      const struct value_type *type);

static bool put_text(struct declaring *d, const struct place *place)
{
    size_t len;
    if (lua_type(d->L, -1) != LUA_TSTRING) {
        wrong(d, place, "its default: want text, got %s",
              luaL_typename(d->L, -1));
        return false;
    }
    const char *text = lua_tolstring(d->L, -1, &len);
    if (!utf8_valid(bytes_of(text, len))) {
        wrong(d, place, "its default is not UTF-8");
        return false;
    }
    mp_put_str(&d->value, bytes_of(text, len));
    return true;
}

static bool put_whole(struct declaring *d, const struct place *place)
{
    static const double most = 9007199254740992.0; /* 2^53 */
    bool is_number = lua_type(d->L, -1) == LUA_TNUMBER;
    double number = is_number ? lua_tonumber(d->L, -1) : 0;
    if (!is_number || number < -most || number > most ||
        number != (double)(int64_t)number) {
        wrong(d, place, "its default: want a whole number, got %s",
              is_number ? "another" : luaL_typename(d->L, -1));
        return false;
    }
    mp_put_int(&d->value, (int64_t)number);
    return true;
}

static bool put_list(struct declaring *d, const struct place *place,
                     const struct value_type *type)
{
    size_t count = 0;
    int list = lua_gettop(d->L);
    bool good = length_whole(d->L, list, &count);
    if (!good)
        wrong(d, place, "its default: want a list, got a table without [%zu]",
              count + 1);
    mp_put_array(&d->value, (uint32_t)count);
    for (size_t i = 1; i <= count && good; i++) {
        lua_rawgeti(d->L, list, (int)i);
        good = put_value(d, place, type->item);
        lua_pop(d->L, 1);
    }
    return good;
}

static bool put_struct(struct declaring *d, const struct place *place,
                       const struct value_type *type)
{
    bool good = true;
    int table = lua_gettop(d->L);
    const struct text_list *names = read_names(d, place, table);
    mp_put_map(&d->value, (uint32_t)names->count);
    for (size_t i = 0; i < names->count && good; i++) {
        struct bytes name = bytes_of_text(names->items[i]);
        const struct field *field = fields_find(&type->fields, name);
        if (field == NULL) {
            wrong(d, place, "its default has a field '%s' that it has not",
                  names->items[i]);
            return false;
        }
        mp_put_str(&d->value, name);
        lua_getfield(d->L, table, names->items[i]);
        good = put_value(d, place, &field->type);
        lua_pop(d->L, 1);
    }
    return good;
}

static bool put_value(struct declaring *d, const struct place *place,
                      const struct value_type *type)
{
    luaL_checkstack(d->L, 4, "a default nests too deep");
    switch (type->kind) {
    case VALUE_TEXT:
    case VALUE_NAME:
    case VALUE_ENUM:
    case VALUE_DATE:
    case VALUE_MONTH:
        return put_text(d, place);
    case VALUE_INTEGER:
    case VALUE_AMOUNT:
    case VALUE_TIME:
        return put_whole(d, place);
    case VALUE_BOOLEAN:
        if (lua_isboolean(d->L, -1)) {
            mp_put_bool(&d->value, lua_toboolean(d->L, -1) != 0);
            return true;
        }
        break;
    case VALUE_LIST:
        if (lua_istable(d->L, -1))
            return put_list(d, place, type);
        break;
    case VALUE_STRUCT:
        if (lua_istable(d->L, -1))
            return put_struct(d, place, type);
        break;
    default:
        wrong(d, place,
              "refs, identities, blobs and event types have no "
              "default");
        return false;
    }
    wrong(d, place, "its default: a %s does not fit", luaL_typename(d->L, -1));
    return false;
}

void read_default_value(struct declaring *d, const struct place *place,
                        struct value_type *type)
{
    struct err err;
    struct buf whole = {0};
    buf_clear(&d->value);
    if (lua_isnil(d->L, -1)) {
        wrong(d, place, "t.default wants a type and a value");
        return;
    }
    if (!put_value(d, place, type))
        return;
    if (type->kind == VALUE_STRUCT)
        fields_add_defaults(&whole, &type->fields, buf_bytes(&d->value));
    else
        buf_put_bytes(&whole, buf_bytes(&d->value));
    if (value_check(d->out, type, buf_bytes(&whole), "its default", &err) == 0)
        type->default_value =
            bytes_of(mem_copy(whole.data, whole.len), whole.len);
    else
        wrong(d, place, "%s", err.text);
    buf_deinit(&whole);
}
