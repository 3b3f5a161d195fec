/* A row is written as a whole: what a fold does not name is taken from the row
 * that stands there, else from the column's default.
 *
 * What reaches the state here has been checked: each value against its column,
 * the key and the entry in the view's order against the size of a state key,
 * the columns against that of a value. */
#include "script/lua_rows.h"

#include <assert.h>
#include <inttypes.h>
#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

#include "acceptance/trial.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/msgpack.h"
#include "sandbox/lib.h"
#include "schema/value.h"
#include "script/box.h"
#include "script/lua_key.h"
#include "script/lua_value.h"

static const char rows_tag[] = "rows";

struct rows {
    const char *tag;
};

/* ---- reading ---- */

static void push_whole(lua_State *L, const struct view *view, size_t start)
{
    struct buf *out = &box_run(L)->out;
    lua_value_push_fields(L, &view->columns,
                          bytes_of(out->data + start, out->len - start),
                          box_short_name(L, view->name));
}

void lua_rows_push_row(lua_State *L, const struct view *view, struct bytes key,
                       struct bytes columns)
{
    struct buf *out = &box_run(L)->out;
    size_t start = out->len;
    sandbox_charge_bytes(L, key.len + columns.len);
    row_whole(out, view, key, columns);
    push_whole(L, view, start);
    out->len = start;
}

static void push_defaults(lua_State *L, const struct view *view,
                          struct bytes key)
{
    static const uint8_t empty_map = 0x80;
    struct script_run *run = box_run(L);
    size_t whole = run->value.len;
    size_t start = run->out.len;
    row_whole(&run->value, view, key, bytes_of(&empty_map, 1));
    fields_add_defaults(
        &run->out, &view->columns,
        bytes_of(run->value.data + whole, run->value.len - whole));
    run->value.len = whole;
    push_whole(L, view, start);
    run->out.len = start;
}

void lua_rows_push(lua_State *L, const struct view *view, struct bytes key,
                   const char *path)
{
    struct script_run *run = box_run(L);
    struct bytes columns;
    sandbox_charge(L, BOX_STEP_GAS);
    bool found = run->call != NULL
                     ? call_row(run->call, view, key, &columns)
                     : row_get(box_version(run), view, key, &columns);
    if (!found)
        lua_key_check_absent(L, view, key, path);
    if (found)
        lua_rows_push_row(L, view, key, columns);
    else if (view->gives_defaults)
        push_defaults(L, view, key);
    else
        lua_pushnil(L);
}

/* ---- what a row becomes ---- */

struct rewrite {
    const struct view *view;
    struct bytes key;
    bool found;
    struct bytes columns; /* of the row that stands there */
    bool adds;            /* values are added to what is there */
    const char *path;
};

/* What the column holds before the change; data NULL: nothing. Columns are
 * asked for in their order, by `walk` through those of the row. */
static struct bytes held(const struct rewrite *change, struct mp_walk *walk,
                         const struct field *column)
{
    struct bytes value = {NULL, 0};
    if (change->found)
        value = mp_walk_get(walk, column->name);
    if (value.data == NULL && !change->found &&
        column->type.default_value.len > 0)
        value = column->type.default_value;
    return value;
}

/* Argument 3's value for a column: pushed; false when it has none. */
static bool push_given(lua_State *L, const struct field *column)
{
    lua_pushstring(L, column->name);
    lua_rawget(L, 3);
    if (!lua_isnil(L, -1))
        return true;
    lua_pop(L, 1);
    return false;
}

static void put_sum(lua_State *L, struct bytes before,
                    const struct field *column, struct buf *out,
                    const char *path)
{
    int64_t more = 0;
    int64_t sum = 0;
    struct mp mp;
    struct buf *given = &box_run(L)->value;
    size_t start = given->len;
    if (column->type.kind != VALUE_INTEGER && column->type.kind != VALUE_AMOUNT)
        sandbox_error(L,
                      "%s: only whole numbers and amounts are added; use "
                      "rows:set",
                      path);
    if (before.data == NULL)
        sandbox_error(L,
                      "%s: there is nothing to add to: give the column a "
                      "default, or use rows:set first",
                      path);
    lua_value_take(L, -1, &column->type, given, path);
    mp = mp_open(bytes_of(given->data + start, given->len - start));
    int rc = mp_get_int(&mp, &more, NULL);
    assert(rc == 0);
    mp = mp_open(before);
    rc = mp_get_int(&mp, &sum, NULL);
    assert(rc == 0);
    given->len = start;
    int64_t was = sum;
    if (__builtin_add_overflow(sum, more, &sum))
        sandbox_error(L,
                      "%s: %" PRId64 " and %" PRId64
                      " add up to more than 64 bits hold",
                      path, was, more);
    mp_put_int(out, sum);
}

/* Append the column's new value and check it. */
static void put_given(lua_State *L, const struct rewrite *change,
                      struct bytes before, const struct field *column,
                      struct buf *out)
{
    char room[PATH_ROOM];
    struct err err;
    size_t start = out->len;
    const char *path = lua_path_field(room, change->path, column->name);
    if (change->adds)
        put_sum(L, before, column, out, path);
    else
        lua_value_take(L, -1, &column->type, out, path);
    if (value_check(box_of(L)->schema, &column->type,
                    bytes_of(out->data + start, out->len - start), path,
                    &err) != 0)
        sandbox_error(L, "%s", err.text);
}

/* 1 when the row will have the column, 0 when it will not. */
static uint32_t will_have(lua_State *L, const struct rewrite *change,
                          struct bytes before, const struct field *column)
{
    if (push_given(L, column)) {
        lua_pop(L, 1);
        return 1;
    }
    if (before.data != NULL)
        return 1;
    if (!column->type.optional)
        sandbox_error(L,
                      "%s.%s is missing: the row is new, and the column has "
                      "no default",
                      change->path, column->name);
    return 0;
}

static void put_columns(lua_State *L, const struct rewrite *change,
                        struct buf *out)
{
    const struct view *view = change->view;
    uint32_t count = 0;
    struct mp_walk walk = mp_walk_open(change->columns);
    for (size_t i = 0; i < view->columns.count; i++) {
        const struct field *column = &view->columns.items[i];
        if (!view_is_key(view, i))
            count += will_have(L, change, held(change, &walk, column), column);
    }
    sandbox_charge(L, view->columns.count);
    mp_put_map(out, count);
    walk = mp_walk_open(change->columns);
    for (size_t i = 0; i < view->columns.count; i++) {
        const struct field *column = &view->columns.items[i];
        if (view_is_key(view, i))
            continue;
        struct bytes value = held(change, &walk, column);
        if (push_given(L, column)) {
            mp_put_text(out, column->name);
            put_given(L, change, value, column, out);
            lua_pop(L, 1);
            continue;
        }
        if (value.data == NULL)
            continue;
        mp_put_text(out, column->name);
        buf_put_bytes(out, value);
    }
}

/* The names of argument 3 are columns outside the key. */
static void check_names(lua_State *L, const struct view *view, const char *path)
{
    const char *smallest = NULL;
    if (!lua_istable(L, 3))
        sandbox_error(L, "%s: a table of columns is needed, got %s%s", path,
                      lua_isnil(L, 3) ? "" : "a ",
                      lua_isnil(L, 3) ? "nil" : luaL_typename(L, 3));
    lua_pushnil(L);
    while (lua_next(L, 3) != 0) {
        lua_pop(L, 1);
        if (lua_type(L, -1) != LUA_TSTRING)
            sandbox_error(L, "%s: columns have names, got a key that is a %s",
                          path, luaL_typename(L, -1));
        const char *name = lib_name(L, -1);
        const struct field *column =
            fields_find(&view->columns, bytes_of_text(name));
        bool known = column != NULL &&
                     !view_is_key(view, (size_t)(column - view->columns.items));
        if (!known && (smallest == NULL || strcmp(name, smallest) < 0))
            smallest = name;
    }
    if (smallest == NULL)
        return;
    if (fields_find(&view->columns, bytes_of_text(smallest)) != NULL)
        sandbox_error(L, "%s: '%s' is part of the key and stands there", path,
                      smallest);
    shape_unknown(L, path, "column", &view->columns, NULL, smallest);
}

/* ---- writing ---- */

/* The entry in the order of the view fits a state key, and its columns are
 * there. */
static void check_order(lua_State *L, const struct view *view, struct bytes key,
                        struct bytes columns, const char *path)
{
    struct buf *order = &box_run(L)->value;
    size_t start = order->len;
    for (size_t i = 0; i < view->order_count; i++) {
        const struct field *column = &view->columns.items[view->order[i]];
        if (view_is_key(view, view->order[i]))
            continue; /* as long as in the key, which is counted below */
        struct bytes value = mp_map_get(columns, column->name);
        if (value.data == NULL)
            sandbox_error(L, "%s.%s is missing: rows are put in order by it",
                          path, column->name);
        value_put_ordered(order, &column->type, value);
    }
    size_t size = 1 + 2 * key.len + (order->len - start);
    order->len = start;
    if (view->order_count > 0 && size > LIMIT_STATE_KEY)
        sandbox_error(L,
                      "%s: key and order of the row take %zu bytes, at most "
                      "%d are possible",
                      path, size, LIMIT_STATE_KEY);
}

static void check_sizes(lua_State *L, const struct rewrite *change,
                        struct bytes columns)
{
    if (columns.len > LIMIT_STATE_VALUE)
        sandbox_error(L, "%s: the row takes %zu bytes, at most %d are possible",
                      change->path, columns.len, LIMIT_STATE_VALUE);
    check_order(L, change->view, change->key, columns, change->path);
}

static const struct view *folded_view(lua_State *L, const char *usage)
{
    const struct view *view = box_run(L)->view;
    box_self(L, rows_tag, usage);
    if (view == NULL)
        sandbox_error(L, "rows are written in folds alone");
    return view;
}

/* Append the key that argument 2 names. */
static void take_key(lua_State *L, const struct view *view, struct buf *key,
                     const char *path)
{
    size_t start = key->len;
    lua_key_row(L, 2, view, key, path);
    if (key->len - start >= LIMIT_STATE_KEY)
        sandbox_error(L, "%s: the key takes %zu bytes, at most %d are possible",
                      path, key->len - start, LIMIT_STATE_KEY - 1);
}

static const char *path_of(char *room, lua_State *L, const struct view *view,
                           const char *function)
{
    const char *name = box_short_name(L, view->name);
    size_t len = text_append(room, PATH_ROOM, 0, bytes_of_text(name));
    len = text_append(room, PATH_ROOM, len, bytes_of_text(": rows:"));
    text_append(room, PATH_ROOM, len, bytes_of_text(function));
    return room;
}

static void count_row(lua_State *L, const struct view *view, size_t bytes)
{
    struct err err;
    if (trial_count_row(box_run(L)->trial, view, bytes, &err) != 0)
        sandbox_raise(L, &err);
}

static void write(lua_State *L, const struct view *view, bool adds,
                  const char *path)
{
    struct script_run *run = box_run(L);
    struct rewrite change = {.view = view, .adds = adds, .path = path};
    size_t key = run->key.len;
    size_t out = run->out.len;
    check_names(L, view, path);
    take_key(L, view, &run->key, path);
    change.key = bytes_of(run->key.data + key, run->key.len - key);
    change.found = row_get(box_version(run), view, change.key, &change.columns);
    if (!change.found)
        lua_key_check_absent(L, view, change.key, path);
    put_columns(L, &change, &run->out);
    struct bytes columns = bytes_of(run->out.data + out, run->out.len - out);
    check_sizes(L, &change, columns);
    sandbox_charge_bytes(L, change.key.len + columns.len);
    count_row(L, view, change.key.len + columns.len);
    row_put(&run->core->state, view, change.key, columns);
    run->key.len = key;
    run->out.len = out;
}

static int rows_add(lua_State *L)
{
    char room[PATH_ROOM];
    lua_settop(L, 3);
    const struct view *view = folded_view(L, "rows:add(key, {column = more})");
    sandbox_charge(L, 2 * BOX_STEP_GAS);
    write(L, view, true, path_of(room, L, view, "add"));
    return 0;
}

static int rows_set(lua_State *L)
{
    char room[PATH_ROOM];
    lua_settop(L, 3);
    const struct view *view = folded_view(L, "rows:set(key, {column = value})");
    sandbox_charge(L, 2 * BOX_STEP_GAS);
    write(L, view, false, path_of(room, L, view, "set"));
    return 0;
}

static int rows_delete(lua_State *L)
{
    char room[PATH_ROOM];
    lua_settop(L, 2);
    const struct view *view = folded_view(L, "rows:delete(key)");
    struct script_run *run = box_run(L);
    size_t start = run->key.len;
    sandbox_charge(L, 2 * BOX_STEP_GAS);
    const char *path = path_of(room, L, view, "delete");
    take_key(L, view, &run->key, path);
    struct bytes key = bytes_of(run->key.data + start, run->key.len - start);
    count_row(L, view, key.len);
    if (!row_delete(&run->core->state, view, key))
        lua_key_check_absent(L, view, key, path);
    run->key.len = start;
    return 0;
}

static int rows_get(lua_State *L)
{
    char room[PATH_ROOM];
    lua_settop(L, 2);
    const struct view *view = folded_view(L, "rows:get(key)");
    struct buf *key = &box_run(L)->key;
    size_t start = key->len;
    const char *path = path_of(room, L, view, "get");
    lua_key_row(L, 2, view, key, path);
    lua_rows_push(L, view, bytes_of(key->data + start, key->len - start), path);
    key->len = start;
    return 1;
}

static int no_function(lua_State *L)
{
    const char *name = lib_name(L, 2);
    return sandbox_error(L,
                         "rows has no function '%s': it has add, set, "
                         "delete and get",
                         name);
}

void lua_rows_setup(lua_State *L, struct box *b)
{
    static const luaL_Reg functions[] = {
        {"add", rows_add},
        {"set", rows_set},
        {"delete", rows_delete},
        {"get", rows_get},
    };
    struct rows *rows = lua_newuserdata(L, sizeof(*rows));
    rows->tag = rows_tag;
    lua_createtable(L, 0, 2);
    lua_createtable(L, 0, 4);
    for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
        lua_pushcfunction(L, functions[i].func);
        lua_setfield(L, -2, functions[i].name);
    }
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, no_function);
    lua_setfield(L, -2, "__index");
    lua_setmetatable(L, -2);
    lua_setfield(L, -2, "__index");
    lua_pushliteral(L, "rows");
    lua_pushcclosure(L, box_takes_no_values, 1);
    lua_setfield(L, -2, "__newindex");
    lua_setmetatable(L, -2);
    b->rows = luaL_ref(L, LUA_REGISTRYINDEX);
}
