/* A text key is what doors show: the parent's text key, then the key fields,
 * joined by '/'; a key field that is the parent is not written twice. The text
 * is cut at each '/' and the type says what the pieces are; the last field of
 * all takes the rest, so that a text may hold a '/'. */
#include "script/lua_key.h"

#include <assert.h>
#include <errno.h>
#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/hex.h"
#include "base/msgpack.h"
#include "base/utf8.h"
#include "chain/value.h"
#include "script/box.h"
#include "script/lua_value.h"

enum {
    PIECES_MAX = 32,
    KEY_FIELDS_MAX = 16,
    PARENTS_MAX = 16, /* types inside each other that a text can name */
    COLUMNS_MAX = 64,
    NUMBER_LEN = 24, /* digits of an int64, sign, zero */
};

/* ---- objects by their text key ---- */

struct pieces {
    const char *path;
    struct bytes items[PIECES_MAX];
    size_t count;
    size_t next;
};

static int not_a_key(lua_State *L, const struct event_type *type,
                     const char *path)
{
    return sandbox_error(L,
                         "%s: no key of a %s: give its parent's names and "
                         "its key fields joined by '/', a table of them, or "
                         "its ref",
                         path, type->name);
}

static int only_by_ref(lua_State *L, const struct event_type *type,
                       const char *path)
{
    return sandbox_error(L, "%s: a %s has no key: name it by its ref", path,
                         type->name);
}

static void put_number(lua_State *L, struct bytes text, struct buf *out,
                       const struct event_type *type, const char *path)
{
    char digits[NUMBER_LEN];
    char *end = digits;
    if (text.len == 0 || text.len >= sizeof(digits))
        not_a_key(L, type, path);
    memcpy(digits, text.data, text.len);
    digits[text.len] = '\0';
    errno = 0;
    long long number = strtoll(digits, &end, 10);
    if (errno != 0 || *end != '\0' || end == digits)
        not_a_key(L, type, path);
    mp_put_int(out, number);
}

static void put_identity(lua_State *L, struct bytes text, struct buf *out,
                         const struct event_type *type, const char *path)
{
    static const char prefix[] = "key:";
    uint8_t id[LUA_IDENTITY_SIZE];
    size_t skip = strlen(prefix);
    if (text.len != skip + 2 * sizeof(id) ||
        memcmp(text.data, prefix, skip) != 0 ||
        !hex_get((const char *)text.data + skip, 2 * sizeof(id), id))
        not_a_key(L, type, path);
    mp_put_bin(out, bytes_of(id, sizeof(id)));
}

/* One piece as the stored value of a key field that is no ref. */
static void put_piece(lua_State *L, const struct event_type *type,
                      const struct field *field, struct bytes text,
                      struct buf *out, const char *path)
{
    switch (field->type.kind) {
    case VALUE_INTEGER:
    case VALUE_AMOUNT:
    case VALUE_TIME:
        put_number(L, text, out, type, path);
        break;
    case VALUE_IDENTITY:
        put_identity(L, text, out, type, path);
        break;
    default:
        mp_put_str(out, text);
        break;
    }
}

static const struct event_type *target_of(lua_State *L,
                                          const struct field *field)
{
    const struct event_type *target =
        schema_type(box_of(L)->schema, bytes_of_text(field->type.target));
    assert(target != NULL);
    return target;
}

/* What stands in one field of the key. */
struct key_value {
    bool is_ref;
    uint8_t id[LUA_ID_SIZE];
    struct bytes text;
};

static int key_place(const struct event_type *type, size_t field)
{
    for (size_t i = 0; i < type->key_count; i++)
        if (type->key[i] == field)
            return (int)i;
    return -1;
}

/* The id of what run->value holds from `start` on: a map of parent and key
 * fields. It is cut off. */
static void finish(lua_State *L, const struct event_type *type, size_t start,
                   uint8_t id[16], const char *path)
{
    struct err err;
    struct script_run *run = box_run(L);
    struct bytes map =
        bytes_of(run->value.data + start, run->value.len - start);
    sandbox_charge_bytes(L, map.len);
    sandbox_charge(L, BOX_STEP_GAS);
    int rc = call_key_id(run->core, type, map, id, &err);
    run->value.len = start;
    if (rc != 0)
        sandbox_error(L, "%s: %s", path, err.text);
}

static void resolve(lua_State *L, const struct event_type *type,
                    struct pieces *pieces, int depth, bool rest,
                    uint8_t id[16]);

/* The next piece; with `rest`, all that is left. */
static struct bytes next_piece(struct pieces *pieces, bool rest)
{
    assert(pieces->next < pieces->count);
    struct bytes piece = pieces->items[pieces->next++];
    if (rest) {
        struct bytes last = pieces->items[pieces->count - 1];
        piece.len = (size_t)(last.data + last.len - piece.data);
        pieces->next = pieces->count;
    }
    return piece;
}

/* The last field of the key that is written; -1: none is. */
static int last_written(const struct event_type *type)
{
    int last = -1;
    for (size_t i = 0; i < type->key_count; i++)
        if ((int)type->key[i] != type->parent)
            last = (int)i;
    return last;
}

/* Take the pieces that the parent and the key fields need, in this order. */
static void take_pieces(lua_State *L, const struct event_type *type,
                        struct pieces *pieces, int depth, bool rest,
                        struct key_value *parent, struct key_value *values)
{
    int last = last_written(type);
    if (type->parent >= 0) {
        parent->is_ref = true;
        resolve(L, target_of(L, &type->header.items[type->parent]), pieces,
                depth + 1, rest && last < 0, parent->id);
    }
    for (size_t i = 0; i < type->key_count; i++) {
        const struct field *field = &type->header.items[type->key[i]];
        values[i] = (struct key_value){.is_ref = field->type.kind == VALUE_REF};
        if ((int)type->key[i] == type->parent) {
            values[i] = *parent;
        } else if (values[i].is_ref) {
            resolve(L, target_of(L, field), pieces, depth + 1,
                    rest && (int)i == last, values[i].id);
        } else {
            if (pieces->next == pieces->count)
                not_a_key(L, type, pieces->path);
            values[i].text = next_piece(pieces, rest && (int)i == last);
        }
    }
}

static void resolve(lua_State *L, const struct event_type *type,
                    struct pieces *pieces, int depth, bool rest, uint8_t id[16])
{
    struct key_value parent = {0};
    struct key_value values[KEY_FIELDS_MAX];
    if (type->key_count == 0 || type->key_count > KEY_FIELDS_MAX ||
        depth == PARENTS_MAX)
        only_by_ref(L, type, pieces->path);
    take_pieces(L, type, pieces, depth, rest, &parent, values);

    struct buf *map = &box_run(L)->value;
    size_t start = map->len;
    bool apart = type->parent >= 0 && key_place(type, type->parent) < 0;
    mp_put_map(map, (uint32_t)type->key_count + (apart ? 1 : 0));
    for (size_t i = 0; i < type->header.count; i++) {
        const struct field *field = &type->header.items[i];
        int place = key_place(type, i);
        if (place < 0 && (int)i != type->parent)
            continue;
        const struct key_value *value = place < 0 ? &parent : &values[place];
        mp_put_text(map, field->name);
        if (value->is_ref)
            mp_put_bin(map, bytes_of(value->id, LUA_ID_SIZE));
        else
            put_piece(L, type, field, value->text, map, pieces->path);
    }
    finish(L, type, start, id, pieces->path);
}

static void from_text(lua_State *L, struct bytes text,
                      const struct event_type *type, uint8_t id[16],
                      const char *path)
{
    struct pieces pieces = {.path = path};
    const uint8_t *at = text.data;
    const uint8_t *end = text.data + text.len;
    sandbox_charge_bytes(L, text.len);
    if (!utf8_valid(text))
        not_a_key(L, type, path);
    for (;;) {
        const uint8_t *slash = memchr(at, '/', (size_t)(end - at));
        const uint8_t *stop = slash == NULL ? end : slash;
        if (pieces.count == PIECES_MAX)
            not_a_key(L, type, path);
        pieces.items[pieces.count++] = bytes_of(at, (size_t)(stop - at));
        if (slash == NULL)
            break;
        at = slash + 1;
    }
    resolve(L, type, &pieces, 0, true, id);
    if (pieces.next != pieces.count)
        not_a_key(L, type, path);
}

/* ---- objects by a table ---- */

static void from_record(lua_State *L, int index, const struct shape *shape,
                        const struct event_type *type, uint8_t id[16],
                        const char *path)
{
    if (strcmp(shape->type->name, type->name) != 0)
        sandbox_error(L, "%s: a %s is needed, got a %s", path, type->name,
                      shape->type->name);
    lua_pushliteral(L, "id");
    lua_rawget(L, index);
    size_t len = 0;
    const char *ref =
        lua_type(L, -1) == LUA_TSTRING ? lua_tolstring(L, -1, &len) : NULL;
    if (len != LUA_REF_SIZE || ref[0] != '\0')
        sandbox_error(L, "%s: its id is no ref any more", path);
    memcpy(id, ref + 1, LUA_ID_SIZE);
    lua_pop(L, 1);
}

/* Keys other than those of parent and key fields are refused. */
static void check_key_names(lua_State *L, int index,
                            const struct event_type *type, const char *path)
{
    struct field items[KEY_FIELDS_MAX + 1];
    struct fields fields = {.items = items};
    for (size_t i = 0; i < type->header.count && fields.count <= KEY_FIELDS_MAX;
         i++)
        if ((int)i == type->parent || key_place(type, i) >= 0)
            items[fields.count++] = type->header.items[i];
    const char *smallest = NULL;
    lua_pushnil(L);
    while (lua_next(L, index) != 0) {
        lua_pop(L, 1);
        if (lua_type(L, -1) != LUA_TSTRING)
            not_a_key(L, type, path);
        const char *name = lua_tostring(L, -1);
        if (fields_find(&fields, bytes_of_text(name)) == NULL &&
            (smallest == NULL || strcmp(name, smallest) < 0))
            smallest = name;
    }
    if (smallest != NULL)
        shape_unknown(L, path, "key field", &fields, NULL, smallest);
}

static void from_fields(lua_State *L, int index, const struct event_type *type,
                        uint8_t id[16], const char *path)
{
    char room[PATH_ROOM];
    struct buf *map = &box_run(L)->value;
    size_t start = map->len;
    uint32_t count = 0;
    if (type->key_count == 0)
        only_by_ref(L, type, path);
    luaL_checkstack(L, 4, "keys nest too deep");
    check_key_names(L, index, type, path);
    for (int pass = 0; pass < 2; pass++) {
        if (pass == 1)
            mp_put_map(map, count);
        for (size_t i = 0; i < type->header.count; i++) {
            const struct field *field = &type->header.items[i];
            if ((int)i != type->parent && key_place(type, i) < 0)
                continue;
            lua_pushstring(L, field->name);
            lua_rawget(L, index);
            if (!lua_isnil(L, -1) && pass == 0) {
                count++;
            } else if (!lua_isnil(L, -1)) {
                mp_put_text(map, field->name);
                lua_value_take(L, -1, &field->type, map,
                               lua_path_field(room, path, field->name));
            }
            lua_pop(L, 1);
        }
    }
    finish(L, type, start, id, path);
}

/* A key that is one integer may be said as a number. */
static void from_number(lua_State *L, int index, const struct event_type *type,
                        uint8_t id[16], const char *path)
{
    struct buf *map = &box_run(L)->value;
    size_t start = map->len;
    if (type->key_count != 1 || type->parent >= 0)
        not_a_key(L, type, path);
    const struct field *field = &type->header.items[type->key[0]];
    mp_put_map(map, 1);
    mp_put_text(map, field->name);
    lua_value_take(L, index, &field->type, map, path);
    finish(L, type, start, id, path);
}

void lua_key_object(lua_State *L, int index, const struct event_type *type,
                    uint8_t id[16], const char *path)
{
    size_t len = 0;
    const char *text;
    index = index > 0 ? index : lua_gettop(L) + index + 1;
    switch (lua_type(L, index)) {
    case LUA_TSTRING:
        text = lua_tolstring(L, index, &len);
        if (len == LUA_REF_SIZE && text[0] == '\0')
            memcpy(id, text + 1, LUA_ID_SIZE);
        else
            from_text(L, bytes_of(text, len), type, id, path);
        return;
    case LUA_TNUMBER:
        from_number(L, index, type, id, path);
        return;
    case LUA_TTABLE: {
        const struct shape *shape = shape_of(L, index);
        if (shape != NULL && shape->kind == SHAPE_RECORD)
            from_record(L, index, shape, type, id, path);
        else
            from_fields(L, index, type, id, path);
        return;
    }
    default:
        sandbox_error(L, "%s: a %s is needed, got %s%s", path, type->name,
                      lua_isnil(L, index) ? "" : "a ",
                      lua_isnil(L, index) ? "nil" : luaL_typename(L, index));
    }
}

/* ---- rows ---- */

/* The columns of a key, in its order. */
struct key_columns {
    const struct view *view;
    size_t items[COLUMNS_MAX]; /* positions in the view's columns */
    size_t count;
    bool all; /* none may be missing */
    const char *path;
};

static const struct field *column_of(const struct key_columns *key, size_t i)
{
    return &key->view->columns.items[key->items[i]];
}

static void add_columns(struct key_columns *key, const size_t *positions,
                        size_t count)
{
    for (size_t i = 0; i < count; i++) {
        assert(key->count < COLUMNS_MAX);
        key->items[key->count++] = positions[i];
    }
}

static int missing(lua_State *L, const struct key_columns *key, size_t i)
{
    return sandbox_error(L, "%s: '%s' of the key is missing", key->path,
                         column_of(key, i)->name);
}

/* The value on top of the stack as column `i`, popped. */
static void put_column(lua_State *L, const struct key_columns *key, size_t i,
                       struct buf *out)
{
    char room[PATH_ROOM];
    struct err err;
    struct buf *value = &box_run(L)->value;
    const struct field *column = column_of(key, i);
    const char *path = lua_path_field(room, key->path, column->name);
    size_t start = value->len;
    lua_value_take(L, -1, &column->type, value, path);
    struct bytes taken = bytes_of(value->data + start, value->len - start);
    if (value_check(box_of(L)->schema, &column->type, taken, path, &err) != 0)
        sandbox_error(L, "%s", err.text);
    value_put_ordered(out, &column->type, taken);
    value->len = start;
    lua_pop(L, 1);
}

static void put_list(lua_State *L, int index, const struct key_columns *key,
                     struct buf *out)
{
    size_t given = lua_objlen(L, index);
    if (given > key->count)
        sandbox_error(L, "%s: the key has %zu columns, got %zu values",
                      key->path, key->count, given);
    if (key->all && given < key->count)
        missing(L, key, given);
    for (size_t i = 0; i < given; i++) {
        lua_rawgeti(L, index, (int)i + 1);
        if (lua_isnil(L, -1))
            missing(L, key, i);
        put_column(L, key, i, out);
    }
}

static bool is_key_column(const struct key_columns *key, const char *name)
{
    for (size_t i = 0; i < key->count; i++)
        if (strcmp(column_of(key, i)->name, name) == 0)
            return true;
    return false;
}

static void check_column_names(lua_State *L, int index,
                               const struct key_columns *key)
{
    const char *smallest = NULL;
    lua_pushnil(L);
    while (lua_next(L, index) != 0) {
        lua_pop(L, 1);
        if (lua_type(L, -1) != LUA_TSTRING)
            sandbox_error(L,
                          "%s: a key is a value, a list, or a table of "
                          "columns",
                          key->path);
        const char *name = lua_tostring(L, -1);
        if (!is_key_column(key, name) &&
            (smallest == NULL || strcmp(name, smallest) < 0))
            smallest = name;
    }
    if (smallest == NULL)
        return;
    if (fields_find(&key->view->columns, bytes_of_text(smallest)) != NULL)
        sandbox_error(L, "%s: the column '%s' is no part of the key", key->path,
                      smallest);
    shape_unknown(L, key->path, "column", &key->view->columns, NULL, smallest);
}

/* The order of a view may begin with columns of its key, which then come again.
 */
static bool comes_again(const struct key_columns *key, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (key->items[k] == key->items[i])
            return true;
    return false;
}

static void put_named(lua_State *L, int index, const struct key_columns *key,
                      struct buf *out)
{
    size_t gap = SIZE_MAX;
    for (size_t i = 0; i < key->count; i++) {
        lua_pushstring(L, column_of(key, i)->name);
        lua_rawget(L, index);
        if (lua_isnil(L, -1)) {
            if (key->all)
                missing(L, key, i);
            gap = gap == SIZE_MAX ? i : gap;
            lua_pop(L, 1);
        } else if (gap != SIZE_MAX && comes_again(key, i)) {
            lua_pop(L, 1);
        } else if (gap != SIZE_MAX) {
            sandbox_error(L,
                          "%s: '%s' is given without '%s', which stands "
                          "before it",
                          key->path, column_of(key, i)->name,
                          column_of(key, gap)->name);
        } else {
            put_column(L, key, i, out);
        }
    }
}

static void put_columns(lua_State *L, int index, const struct key_columns *key,
                        struct buf *out)
{
    index = index > 0 ? index : lua_gettop(L) + index + 1;
    luaL_checkstack(L, 8, "keys nest too deep");
    sandbox_charge(L, 1 + key->count);
    const struct shape *shape = shape_of(L, index);
    if (!lua_istable(L, index) ||
        (shape != NULL && shape->kind == SHAPE_RECORD)) {
        if (lua_isnil(L, index) || (key->all && key->count > 1))
            missing(L, key, lua_isnil(L, index) ? 0 : 1);
        lua_pushvalue(L, index);
        put_column(L, key, 0, out);
        return;
    }
    lua_rawgeti(L, index, 1);
    bool is_list = !lua_isnil(L, -1);
    lua_pop(L, 1);
    if (is_list) {
        put_list(L, index, key, out);
        return;
    }
    if (shape == NULL || shape->view != key->view)
        check_column_names(L, index, key);
    put_named(L, index, key, out);
}

void lua_key_row(lua_State *L, int index, const struct view *view,
                 struct buf *out, const char *path)
{
    struct key_columns key = {.view = view, .all = true, .path = path};
    add_columns(&key, view->key, view->key_count);
    row_key_begin(out, view);
    put_columns(L, index, &key, out);
}

void lua_key_prefix(lua_State *L, int index, const struct view *view, bool all,
                    struct buf *out, const char *path)
{
    struct key_columns key = {.view = view, .all = all, .path = path};
    if (lua_isnil(L, index))
        return;
    add_columns(&key, view->order, view->order_count);
    add_columns(&key, view->key, view->key_count);
    put_columns(L, index, &key, out);
}
