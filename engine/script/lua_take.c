/* From Lua to stored values.
 *
 * Tables are read raw: a table of Lua's has no metatable, and one of ours holds
 * its fields itself, but for those of a body that nobody has touched yet.
 * The order in which Lua walks a table shows nowhere: maps are written in the
 * order of their names, and of several unknown names the smallest is told. */
#include <assert.h>
#include <lauxlib.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/limits.h"
#include "base/msgpack.h"
#include "base/utf8.h"
#include "sandbox/length.h"
#include "sandbox/lib.h"
#include "schema/handle.h"
#include "script/box.h"
#include "script/lua_key.h"
#include "script/lua_value.h"

enum { STACK_OF_A_LEVEL = 8 };

static int absolute(lua_State *L, int index)
{
    return index > 0 ? index : lua_gettop(L) + index + 1;
}

/* What was given instead, for texts: "12.5", "a table". */
static int wrong(lua_State *L, int index, const char *path, const char *wanted)
{
    char number[LIB_NUMBER_TEXT];
    if (lua_type(L, index) == LUA_TNUMBER) {
        lib_number_text(number, lua_tonumber(L, index));
        return sandbox_error(L, "%s: %s is needed, got %s", path, wanted,
                             number);
    }
    if (lua_isnil(L, index))
        return sandbox_error(L, "%s: %s is needed, got nil", path, wanted);
    return sandbox_error(L, "%s: %s is needed, got a %s", path, wanted,
                         luaL_typename(L, index));
}

static struct bytes text_at(lua_State *L, int index)
{
    size_t len = 0;
    const char *text = lua_tolstring(L, index, &len);
    return bytes_of(text, len);
}

static void take_text(lua_State *L, int index, struct buf *out,
                      const char *path)
{
    if (lua_type(L, index) != LUA_TSTRING)
        wrong(L, index, path, "a text");
    struct bytes text = text_at(L, index);
    sandbox_charge_bytes(L, text.len);
    if (!utf8_valid(text))
        sandbox_error(L, "%s: a text is needed, got bytes that are no UTF-8",
                      path);
    mp_put_str(out, text);
}

static void take_integer(lua_State *L, int index, struct buf *out,
                         const char *path)
{
    if (lua_type(L, index) != LUA_TNUMBER)
        wrong(L, index, path, "a whole number");
    double number = lua_tonumber(L, index);
    if (!(number == floor(number)) || number > (double)LIB_INTEGER_MAX ||
        number < -(double)LIB_INTEGER_MAX)
        wrong(L, index, path,
              number == floor(number) ? "a whole number up to 2^53"
                                      : "a whole number");
    mp_put_int(out, (int64_t)number);
}

static void take_identity(lua_State *L, int index, struct buf *out,
                          const char *path)
{
    if (lua_type(L, index) != LUA_TSTRING ||
        text_at(L, index).len != LUA_IDENTITY_SIZE)
        wrong(L, index, path, "an identity (32 bytes, such as tx.author)");
    mp_put_bin(out, text_at(L, index));
}

static void take_ref(lua_State *L, int index, const struct value_type *type,
                     struct buf *out, const char *path)
{
    uint8_t id[LUA_ID_SIZE];
    const struct event_type *target =
        schema_type(box_of(L)->schema, bytes_of_text(type->target));
    assert(target != NULL);
    lua_key_object(L, index, target, id, path);
    mp_put_bin(out, bytes_of(id, sizeof(id)));
}

/* As lua_value_push_handle() made it. */
static void take_handle(lua_State *L, int index, struct buf *out,
                        const char *path)
{
    struct handle handle = {.length = 0};
    lua_text_push(L, "hash", 4);
    lua_rawget(L, index);
    lua_text_push(L, "length", 6);
    lua_rawget(L, index);
    struct bytes hash = {NULL, 0};
    if (lua_type(L, -2) == LUA_TSTRING)
        hash = text_at(L, -2);
    double length = lua_type(L, -1) == LUA_TNUMBER ? lua_tonumber(L, -1) : 0;
    if (hash.len != HASH_SIZE || !(length >= 1) ||
        length > (double)LIMIT_BODY || length != floor(length))
        wrong(L, index, path, "a string of bytes, or a large body's handle");
    assert(hash.data != NULL);
    memcpy(handle.hash, hash.data, HASH_SIZE);
    handle.length = (uint64_t)length;
    lua_pop(L, 2);
    handle_put(out, &handle);
}

static void take_page(lua_State *L, int index, const struct value_type *type,
                      struct buf *out, const char *path);

/* The items of the list at `index`: 1 to n and nothing else. */
static size_t list_length(lua_State *L, int index, const char *path)
{
    size_t count = 0;
    if (!lua_istable(L, index))
        wrong(L, index, path, "a list");
    if (!length_whole(L, index, &count))
        sandbox_error(L, "%s: a list is needed, got a table without [%zu]",
                      path, count + 1);
    return count;
}

static void take_list(lua_State *L, int index, const struct value_type *type,
                      struct buf *out, const char *path)
{
    char room[PATH_ROOM];
    size_t count = list_length(L, index, path);
    mp_put_array(out, (uint32_t)count);
    for (size_t i = 1; i <= count; i++) {
        lua_rawgeti(L, index, (int)i);
        lua_value_take(L, -1, type->item, out, lua_path_item(room, path, i));
        lua_pop(L, 1);
    }
}

void lua_value_take(lua_State *L, int index, const struct value_type *type,
                    struct buf *out, const char *path)
{
    index = absolute(L, index);
    luaL_checkstack(L, STACK_OF_A_LEVEL, "values nest too deep");
    sandbox_charge(L, 1);
    switch (type->kind) {
    case VALUE_TEXT:
    case VALUE_NAME:
    case VALUE_ENUM:
    case VALUE_DATE:
    case VALUE_MONTH:
        take_text(L, index, out, path);
        return;
    case VALUE_BLOB:
        if (type->large && lua_istable(L, index)) {
            take_handle(L, index, out, path);
            return;
        }
        if (lua_type(L, index) != LUA_TSTRING)
            wrong(L, index, path, "a string of bytes");
        sandbox_charge_bytes(L, text_at(L, index).len);
        mp_put_bin(out, text_at(L, index));
        return;
    case VALUE_BOOLEAN:
        if (!lua_isboolean(L, index))
            wrong(L, index, path, "true or false");
        mp_put_bool(out, lua_toboolean(L, index) != 0);
        return;
    case VALUE_INTEGER:
    case VALUE_AMOUNT:
    case VALUE_TIME:
        take_integer(L, index, out, path);
        return;
    case VALUE_IDENTITY:
        take_identity(L, index, out, path);
        return;
    case VALUE_REF:
        take_ref(L, index, type, out, path);
        return;
    case VALUE_EVENT_TYPE:
        mp_put_text(out, box_type(L, index, path)->name);
        return;
    case VALUE_STRUCT:
        lua_value_take_fields(L, index, &type->fields, false, out, path,
                              "field");
        return;
    case VALUE_LIST:
        take_list(L, index, type, out, path);
        return;
    case VALUE_PAGE:
        take_page(L, index, type, out, path);
        return;
    }
}

/* ---- maps of fields ---- */

/* Push what the table holds under `name`. */
static void push_member(lua_State *L, int index, const struct shape *shape,
                        const char *name)
{
    lua_pushstring(L, name);
    lua_rawget(L, index);
    if (!lua_isnil(L, -1) || shape == NULL || shape->kind != SHAPE_RECORD ||
        fields_find(&shape->all, bytes_of_text(name)) == NULL)
        return;
    lua_pop(L, 1);
    lua_getfield(L, index, name);
}

static bool is_known(const struct shape *shape, const struct fields *fields,
                     struct bytes name)
{
    static const char *const builtin[] = {"id", "type", "change", "before"};
    if (fields_find(fields, name) != NULL)
        return true;
    if (shape == NULL || shape->kind != SHAPE_RECORD)
        return false;
    for (size_t i = 0; i < sizeof(builtin) / sizeof(builtin[0]); i++)
        if (bytes_equal(name, bytes_of_text(builtin[i])))
            return true;
    return false;
}

static void check_names(lua_State *L, int index, const struct shape *shape,
                        const struct fields *fields, const char *path,
                        const char *word)
{
    const char *smallest = NULL;
    size_t count = 0;
    lua_pushnil(L);
    while (lua_next(L, index) != 0) {
        lua_pop(L, 1);
        count++;
        if (lua_type(L, -1) != LUA_TSTRING)
            sandbox_error(L, "%s: %ss have names, got a key that is a %s", path,
                          word, luaL_typename(L, -1));
        const char *name = lib_name(L, -1);
        if (!is_known(shape, fields, text_at(L, -1)) &&
            (smallest == NULL || strcmp(name, smallest) < 0))
            smallest = name;
    }
    sandbox_charge(L, 1 + count);
    if (smallest != NULL)
        shape_unknown(L, path, word, fields, NULL, smallest);
}

static bool is_none(lua_State *L, int index)
{
    bool same;
    lua_value_push_none(L);
    same = lua_rawequal(L, index < 0 ? index - 1 : index, -1) != 0;
    lua_pop(L, 1);
    return same;
}

void lua_value_take_fields(lua_State *L, int index, const struct fields *fields,
                           bool removes, struct buf *out, const char *path,
                           const char *word)
{
    char room[PATH_ROOM];
    uint32_t count = 0;
    index = absolute(L, index);
    luaL_checkstack(L, STACK_OF_A_LEVEL, "values nest too deep");
    if (!lua_istable(L, index))
        wrong(L, index, path, "a table");
    const struct shape *shape = shape_of(L, index);
    check_names(L, index, shape, fields, path, word);
    for (size_t i = 0; i < fields->count; i++) {
        push_member(L, index, shape, fields->items[i].name);
        count += !lua_isnil(L, -1);
        lua_pop(L, 1);
    }
    mp_put_map(out, count);
    for (size_t i = 0; i < fields->count; i++) {
        const struct field *field = &fields->items[i];
        push_member(L, index, shape, field->name);
        if (!lua_isnil(L, -1)) {
            mp_put_text(out, field->name);
            if (removes && is_none(L, -1))
                mp_put_nil(out);
            else
                lua_value_take(L, -1, &field->type, out,
                               lua_path_field(room, path, field->name));
        }
        lua_pop(L, 1);
    }
}

/* ---- without a type ---- */

struct name {
    const char *text; /* of the table's, which stays */
    size_t len;
};

static int by_text(const void *a, const void *b)
{
    const struct name *x = a;
    const struct name *y = b;
    return bytes_compare(bytes_of(x->text, x->len), bytes_of(y->text, y->len));
}

/* The table's keys in order, in scratch memory that the caller gives back. */
static struct name *names_of(lua_State *L, int index, const char *path,
                             size_t *count)
{
    size_t n = 0;
    lua_pushnil(L);
    while (lua_next(L, index) != 0) {
        lua_pop(L, 1);
        if (lua_type(L, -1) != LUA_TSTRING || !utf8_valid(text_at(L, -1)))
            sandbox_error(L,
                          "%s: a list or a table with names is needed, got "
                          "a key that is a %s",
                          path, luaL_typename(L, -1));
        n++;
    }
    sandbox_charge(L, 1 + 4 * n);
    struct name *names = sandbox_scratch(L, n * sizeof(*names));
    *count = n;
    n = 0;
    lua_pushnil(L);
    while (lua_next(L, index) != 0) {
        lua_pop(L, 1);
        names[n].text = lua_tolstring(L, -1, &names[n].len);
        n++;
    }
    qsort(names, n, sizeof(*names), by_text);
    return names;
}

static void take_any(lua_State *L, int index, struct buf *out, const char *path,
                     int depth);

static void take_any_list(lua_State *L, int index, struct buf *out,
                          const char *path, int depth)
{
    char room[PATH_ROOM];
    size_t count = list_length(L, index, path);
    mp_put_array(out, (uint32_t)count);
    for (size_t i = 1; i <= count; i++) {
        lua_rawgeti(L, index, (int)i);
        take_any(L, -1, out, lua_path_item(room, path, i), depth);
        lua_pop(L, 1);
    }
}

static const struct field *find_field(const struct fields *first,
                                      const struct fields *second,
                                      struct bytes name)
{
    const struct field *field = NULL;
    if (first != NULL)
        field = fields_find(first, name);
    if (field == NULL && second != NULL)
        field = fields_find(second, name);
    return field;
}

static void take_any_map(lua_State *L, int index, const struct fields *first,
                         const struct fields *second, struct buf *out,
                         const char *path, int depth)
{
    char room[PATH_ROOM];
    size_t count = 0;
    struct name *names = names_of(L, index, path, &count);
    mp_put_map(out, (uint32_t)count);
    for (size_t i = 0; i < count; i++) {
        struct bytes name = bytes_of(names[i].text, names[i].len);
        const struct field *field = find_field(first, second, name);
        const char *at = lua_path_field(room, path, names[i].text);
        mp_put_str(out, name);
        lua_pushlstring(L, names[i].text, names[i].len);
        lua_rawget(L, index);
        if (field != NULL)
            lua_value_take(L, -1, &field->type, out, at);
        else
            take_any(L, -1, out, at, depth);
        lua_pop(L, 1);
    }
    sandbox_scratch_free(L, names, count * sizeof(*names));
}

static void take_table(lua_State *L, int index, struct buf *out,
                       const char *path, int depth)
{
    const struct shape *shape = shape_of(L, index);
    if (depth == MP_DEPTH_MAX)
        sandbox_error(L, "%s: tables nest too deep", path);
    if (shape != NULL && shape->kind == SHAPE_ROW) {
        take_any_map(L, index, &shape->view->columns, NULL, out, path,
                     depth + 1);
        return;
    }
    if (shape != NULL) {
        lua_value_take_fields(L, index,
                              shape->type != NULL ? &shape->all : shape->fields,
                              false, out, path, shape->word);
        return;
    }
    lua_rawgeti(L, index, 1);
    bool is_list = !lua_isnil(L, -1);
    lua_pop(L, 1);
    lua_pushnil(L);
    if (lua_next(L, index) == 0)
        is_list = true;
    else
        lua_pop(L, 2);
    if (is_list)
        take_any_list(L, index, out, path, depth + 1);
    else
        take_any_map(L, index, NULL, NULL, out, path, depth + 1);
}

static void take_string(lua_State *L, int index, struct buf *out)
{
    struct bytes text = text_at(L, index);
    sandbox_charge_bytes(L, text.len);
    if (text.len == LUA_REF_SIZE && text.data[0] == 0)
        mp_put_bin(out, bytes_of(text.data + 1, LUA_ID_SIZE));
    else if (utf8_valid(text))
        mp_put_str(out, text);
    else
        mp_put_bin(out, text);
}

static void take_any(lua_State *L, int index, struct buf *out, const char *path,
                     int depth)
{
    index = absolute(L, index);
    luaL_checkstack(L, STACK_OF_A_LEVEL, "values nest too deep");
    sandbox_charge(L, 1);
    switch (lua_type(L, index)) {
    case LUA_TNIL:
        mp_put_nil(out);
        return;
    case LUA_TBOOLEAN:
        mp_put_bool(out, lua_toboolean(L, index) != 0);
        return;
    case LUA_TNUMBER:
        take_integer(L, index, out, path);
        return;
    case LUA_TSTRING:
        take_string(L, index, out);
        return;
    case LUA_TTABLE:
        take_table(L, index, out, path, depth);
        return;
    default:
        wrong(L, index, path, "a value");
    }
}

void lua_value_take_plain(lua_State *L, int index, struct buf *out,
                          const char *path)
{
    take_any(L, index, out, path, 0);
}

/* ---- pages ---- */

void lua_value_take_names(lua_State *L, int index, const struct fields *first,
                          const struct fields *second, struct buf *out,
                          const char *path)
{
    index = absolute(L, index);
    luaL_checkstack(L, STACK_OF_A_LEVEL, "values nest too deep");
    if (!lua_istable(L, index))
        wrong(L, index, path, "a table");
    take_any_map(L, index, first, second, out, path, 1);
}

static void take_page(lua_State *L, int index, const struct value_type *type,
                      struct buf *out, const char *path)
{
    char room[PATH_ROOM];
    const struct view *view =
        schema_view(box_of(L)->schema, bytes_of_text(type->target));
    assert(view != NULL);
    size_t count = list_length(L, index, path);
    mp_put_array(out, (uint32_t)count);
    for (size_t i = 1; i <= count; i++) {
        lua_rawgeti(L, index, (int)i);
        lua_value_take_names(L, -1, &view->columns, NULL, out,
                             lua_path_item(room, path, i));
        lua_pop(L, 1);
    }
}
