/* A row's key is made of columns in the order that the view declares, the
 * beginning of a walk of the columns that rows are put in order by, then those
 * of the key. Both are ordered forms one behind the other.
 *
 * A ref is 16 bytes in Lua and says nothing of its type. One to an invoice,
 * where accounts are the key, would find no row and so be given defaults: every
 * account were empty, and none frozen. So the type of a ref is looked up where
 * there is no row, or a walk begins:
 *
 * (1) An id is of one type for ever, also when it is spent: what was found
 *     stays true. What no event has made known, as in a rule the object that
 *     is new with the event of another, is of no type, and no error.
 * (2) It is looked up in the version that the run reads anyway, and with the
 *     event that is judged: the same on every machine.
 * (3) It stands in no read set. By (1) it could turn into an error only for an
 *     id that nobody knew when the method ran; the row itself stands there.
 * (4) Where a row was found there is nothing to look up. Folds write no row
 *     whose key was not checked, so it costs what is there already nothing. */
#include "script/lua_key.h"

#include <assert.h>
#include <lauxlib.h>
#include <string.h>

#include "base/err.h"
#include "sandbox/length.h"
#include "sandbox/lib.h"
#include "schema/value.h"
#include "script/box.h"
#include "script/lua_value.h"

enum { COLUMNS_MAX = 64 };

/* ---- refs to another type ---- */

/* The type of what has this id; data NULL: nobody knows. */
static struct bytes type_of(const struct script_run *run, const uint8_t id[16])
{
    struct object o;
    if (state_object(box_version(run), id, &o) != OBJECT_ABSENT)
        return o.header.type;
    if (run->trial == NULL || run->n == SIZE_MAX)
        return bytes_of(NULL, 0);
    const struct event_header *judged = &run->trial->events[run->n]->header;
    if (memcmp(judged->object, id, LUA_ID_SIZE) == 0)
        return judged->type;
    return bytes_of(NULL, 0);
}

void lua_key_check_type(lua_State *L, const struct value_type *type,
                        const uint8_t id[16], const char *path)
{
    assert(type->kind == VALUE_REF);
    if (!type->exact)
        return;
    sandbox_charge(L, BOX_STEP_GAS);
    struct bytes is = type_of(box_run(L), id);
    if (is.data != NULL && !bytes_equal(is, bytes_of_text(type->target)))
        sandbox_error(L, "%s: the ref names a %.*s, not a %s", path,
                      (int)is.len, (const char *)is.data, type->target);
}

void lua_key_check_absent(lua_State *L, const struct view *view,
                          struct bytes key, const char *path)
{
    char room[PATH_ROOM];
    struct buf *value = &box_run(L)->value;
    size_t start = value->len;
    size_t at = strlen(view->name) + 1;
    for (size_t i = 0; i < view->key_count; i++) {
        const struct field *column = &view->columns.items[view->key[i]];
        if (column->type.kind == VALUE_REF)
            lua_key_check_type(L, &column->type, key.data + at,
                               lua_path_field(room, path, column->name));
        at += value_get_ordered(value, &column->type,
                                bytes_of(key.data + at, key.len - at));
        value->len = start;
    }
    assert(at == key.len);
}

/* ---- keys ---- */

/* The columns of a key, in its order. */
struct key_columns {
    const struct view *view;
    size_t items[COLUMNS_MAX]; /* positions in the view's columns */
    size_t count;
    bool all;    /* none may be missing */
    bool checks; /* what refs name */
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
    size_t at = out->len;
    value_put_ordered(out, &column->type, taken);
    if (key->checks && column->type.kind == VALUE_REF)
        lua_key_check_type(L, &column->type, out->data + at, path);
    value->len = start;
    lua_pop(L, 1);
}

static void put_list(lua_State *L, int index, const struct key_columns *key,
                     struct buf *out)
{
    size_t given = 0;
    if (!length_whole(L, index, &given))
        sandbox_error(L,
                      "%s: a list is needed for a key, got a table without "
                      "[%zu]",
                      key->path, given + 1);
    if (given > key->count)
        sandbox_error(L, "%s: the key has %zu columns, got %zu values",
                      key->path, key->count, given);
    if (key->all && given < key->count)
        missing(L, key, given);
    for (size_t i = 0; i < given; i++) {
        lua_rawgeti(L, index, (int)i + 1);
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
        const char *name = lib_name(L, -1);
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
    struct key_columns key = {
        .view = view, .all = all, .checks = true, .path = path};
    if (lua_isnil(L, index))
        return;
    add_columns(&key, view->order, view->order_count);
    add_columns(&key, view->key, view->key_count);
    put_columns(L, index, &key, out);
}
