/* `state` is a userdata for each schema of the bundle; what it holds stands in
 * a table behind its metatable: the schema's views and types by their short
 * names, and the other schemas' `state`. Each view and type is a userdata with
 * the struct of its declaration. */
#include "script/lua_state.h"

#include <assert.h>
#include <inttypes.h>
#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

#include "base/msgpack.h"
#include "base/near.h"
#include "sandbox/lib.h"
#include "script/box.h"
#include "script/lua_key.h"
#include "script/lua_record.h"
#include "script/lua_rows.h"
#include "script/lua_value.h"

enum { SUGGEST_MAX = 512 };

static const char state_tag[] = "state";
static const char view_tag[] = "view";
static const char objects_tag[] = "objects";

struct proxy {
    const char *tag;
    const struct view *view;
    const struct event_type *type;
};

static const char *path_of(char *room, lua_State *L, const char *name,
                           const char *function)
{
    const char *short_name = box_short_name(L, name);
    size_t len = text_append(room, PATH_ROOM, 0, bytes_of_text(short_name));
    len = text_append(room, PATH_ROOM, len, bytes_of(":", 1));
    text_append(room, PATH_ROOM, len, bytes_of_text(function));
    return room;
}

/* Rows that depend on who reads have no place in a verdict. */
static const struct view *view_at(lua_State *L, const char *usage)
{
    const struct proxy *self = box_self(L, view_tag, usage);
    if (self->view->reads_bodies && box_run(L)->trial != NULL)
        sandbox_error(L,
                      "%s is kept for each reader (reads = 'bodies'): rules "
                      "cannot read it",
                      box_short_name(L, self->view->name));
    return self->view;
}

static const struct event_type *type_at(lua_State *L, const char *usage)
{
    const struct proxy *self = box_self(L, objects_tag, usage);
    return self->type;
}

/* ---- options of each ---- */

struct walk {
    bool backward;
    uint64_t limit;
    bool after; /* it is on top of the stack */
};

static int64_t limit_at(lua_State *L, int index, const char *path)
{
    int64_t limit = 0;
    if (!lib_to_integer(L, index, &limit) || limit < 0)
        sandbox_error(L, "%s: limit is a whole number from 0 on", path);
    return limit;
}

static bool order_at(lua_State *L, int index, const char *path)
{
    const char *order = lib_name(L, index);
    if (strcmp(order, "first") != 0 && strcmp(order, "last_first") != 0)
        sandbox_error(L, "%s: order is 'first' or 'last_first'", path);
    return strcmp(order, "last_first") == 0;
}

static void check_option_names(lua_State *L, int index, const char *path)
{
    static const char *const names[] = {"after", "limit", "order"};
    lua_pushnil(L);
    while (lua_next(L, index) != 0) {
        lua_pop(L, 1);
        const char *name = lib_name(L, -1);
        bool known = false;
        for (size_t i = 0; i < 3; i++)
            known = known || strcmp(names[i], name) == 0;
        if (!known)
            sandbox_error(L,
                          "%s: its options are after, limit and order, not "
                          "'%s'",
                          path, name);
    }
}

/* Pushes the value of `after`, or nil. */
static struct walk walk_at(lua_State *L, int index, const char *path)
{
    struct walk walk = {.limit = UINT64_MAX};
    if (lua_isnil(L, index)) {
        lua_pushnil(L);
        return walk;
    }
    if (!lua_istable(L, index))
        sandbox_error(L, "%s: options are a table, got a %s", path,
                      luaL_typename(L, index));
    check_option_names(L, index, path);
    lua_pushliteral(L, "limit");
    lua_rawget(L, index);
    if (!lua_isnil(L, -1))
        walk.limit = (uint64_t)limit_at(L, -1, path);
    lua_pushliteral(L, "order");
    lua_rawget(L, index);
    if (!lua_isnil(L, -1))
        walk.backward = order_at(L, -1, path);
    lua_pop(L, 2);
    lua_pushliteral(L, "after");
    lua_rawget(L, index);
    walk.after = !lua_isnil(L, -1);
    return walk;
}

/* ---- walking rows ---- */

static bool next_row(struct script_run *run, struct box_scan *scan,
                     struct bytes *key, struct bytes *columns)
{
    bool found = false;
    if (scan->left > 0) {
        scan->left--;
        scan->rows.v = box_version(run);
        found = run->call != NULL
                    ? call_row_next(run->call, &scan->rows, key, columns)
                    : row_scan_next(&scan->rows, key, columns);
    }
    if (!found)
        box_scan_end(scan);
    return found;
}

/* The loop over the rows that argument 2 leads to; `after`: the stack's top. */
static struct box_scan *open_rows(lua_State *L, const struct view *view,
                                  const struct walk *walk, size_t *slot,
                                  const char *path)
{
    struct script_run *run = box_run(L);
    size_t prefix = run->key.len;
    lua_key_prefix(L, 2, view, false, &run->key, path);
    size_t after = run->key.len;
    if (walk->after) {
        buf_put_u8(&run->key, (uint8_t)row_scan_kind(view));
        row_key_begin(&run->key, view);
        lua_key_prefix(L, -1, view, true, &run->key, "after");
    }
    struct box_scan *scan = box_scan_new(L, slot);
    row_scan_open(&scan->rows, box_version(run), view,
                  bytes_of(run->key.data + prefix, after - prefix),
                  bytes_of(run->key.data + after, run->key.len - after),
                  walk->backward);
    run->key.len = prefix;
    scan->is_rows = true;
    scan->open = true;
    scan->left = walk->limit;
    return scan;
}

/* Upvalues: slot, serial. */
static int step_rows(lua_State *L)
{
    struct script_run *run = box_run(L);
    struct bytes key;
    struct bytes columns;
    struct box_scan *scan =
        box_scan_of(run, (size_t)lua_tonumber(L, lua_upvalueindex(1)),
                    (uint64_t)lua_tonumber(L, lua_upvalueindex(2)));
    lua_settop(L, 0);
    sandbox_charge(L, BOX_STEP_GAS);
    if (scan == NULL || !next_row(run, scan, &key, &columns))
        lua_pushnil(L);
    else
        lua_rows_push_row(L, scan->rows.view, key, columns);
    return 1;
}

static void push_loop(lua_State *L, size_t slot, const struct box_scan *scan,
                      lua_CFunction step)
{
    lua_pushnumber(L, (lua_Number)slot);
    lua_pushnumber(L, (lua_Number)scan->serial);
    lua_pushcclosure(L, step, 2);
}

static int view_each(lua_State *L)
{
    char room[PATH_ROOM];
    size_t slot = 0;
    lua_settop(L, 3);
    const struct view *view = view_at(L, "VIEW:each(prefix, options)");
    const char *path = path_of(room, L, view->name, "each");
    struct walk walk = walk_at(L, 3, path);
    struct box_scan *scan = open_rows(L, view, &walk, &slot, path);
    push_loop(L, slot, scan, step_rows);
    return 1;
}

static int view_get(lua_State *L)
{
    char room[PATH_ROOM];
    lua_settop(L, 2);
    const struct view *view = view_at(L, "VIEW:get(key)");
    struct buf *key = &box_run(L)->key;
    size_t start = key->len;
    const char *path = path_of(room, L, view->name, "get");
    lua_key_row(L, 2, view, key, path);
    lua_rows_push(L, view, bytes_of(key->data + start, key->len - start), path);
    key->len = start;
    return 1;
}

static int view_count(lua_State *L)
{
    char room[PATH_ROOM];
    struct walk walk = {.limit = UINT64_MAX};
    struct bytes key;
    struct bytes columns;
    size_t slot = 0;
    int64_t count = 0;
    lua_settop(L, 2);
    const struct view *view = view_at(L, "VIEW:count(prefix)");
    struct box_scan *scan =
        open_rows(L, view, &walk, &slot, path_of(room, L, view->name, "count"));
    sandbox_charge(L, BOX_STEP_GAS);
    while (next_row(box_run(L), scan, &key, &columns)) {
        sandbox_charge(L, BOX_STEP_GAS);
        count++;
    }
    lib_push_integer(L, count, "count");
    return 1;
}

/* An absent optional counts as nothing. */
static int64_t column_value(lua_State *L, const struct view *view,
                            const char *name, struct bytes key,
                            struct bytes columns)
{
    struct buf *whole = &box_run(L)->out;
    size_t start = whole->len;
    int64_t number = 0;
    struct bytes value = mp_map_get(columns, name);
    if (value.data == NULL) { /* a column of the key, or absent */
        row_whole(whole, view, key, columns);
        value =
            mp_map_get(bytes_of(whole->data + start, whole->len - start), name);
    }
    if (value.data != NULL) {
        struct mp mp = mp_open(value);
        int rc = mp_get_int(&mp, &number, NULL);
        assert(rc == 0);
    }
    whole->len = start;
    return number;
}

static const char *summed_column(lua_State *L, const struct view *view,
                                 const char *path)
{
    if (lua_type(L, 2) != LUA_TSTRING)
        sandbox_error(L,
                      "%s: the name of a column comes first, then the "
                      "beginning of a key",
                      path);
    const char *name = lib_name(L, 2);
    const struct field *column =
        fields_find(&view->columns, bytes_of_text(name));
    if (column == NULL)
        shape_unknown(L, box_short_name(L, view->name), "column",
                      &view->columns, NULL, name);
    if (column->type.kind != VALUE_INTEGER && column->type.kind != VALUE_AMOUNT)
        sandbox_error(L, "%s: '%s' is no number that can be added", path, name);
    return column->name;
}

static int view_sum(lua_State *L)
{
    char room[PATH_ROOM];
    struct walk walk = {.limit = UINT64_MAX};
    struct bytes key;
    struct bytes columns;
    size_t slot = 0;
    int64_t sum = 0;
    lua_settop(L, 3);
    const struct view *view = view_at(L, "VIEW:sum(column, prefix)");
    const char *path = path_of(room, L, view->name, "sum");
    const char *name = summed_column(L, view, path);
    lua_remove(L, 2); /* the prefix is argument 2 now */
    struct box_scan *scan = open_rows(L, view, &walk, &slot, path);
    sandbox_charge(L, BOX_STEP_GAS);
    while (next_row(box_run(L), scan, &key, &columns)) {
        sandbox_charge(L, BOX_STEP_GAS);
        int64_t more = column_value(L, view, name, key, columns);
        if (__builtin_add_overflow(sum, more, &sum))
            sandbox_error(L, "%s: the sum of '%s' does not fit 64 bits", path,
                          name);
    }
    lib_push_integer(L, sum, path);
    return 1;
}

/* ---- objects ---- */

/* A ref may name an object of any type. */
static void check_type(lua_State *L, const struct event_type *type,
                       const struct object *o, const char *path)
{
    if (!bytes_equal(o->header.type, bytes_of_text(type->name)))
        sandbox_error(L, "%s: the ref names a %.*s, not a %s", path,
                      (int)o->header.type.len,
                      (const char *)o->header.type.data, type->name);
}

static int objects_get(lua_State *L)
{
    char room[PATH_ROOM];
    uint8_t id[LUA_ID_SIZE];
    struct object o;
    lua_settop(L, 2);
    struct script_run *run = box_run(L);
    const struct event_type *type = type_at(L, "TYPE:get(key)");
    const char *path = path_of(room, L, type->name, "get");
    lua_key_object(L, 2, type, id, path);
    sandbox_charge(L, BOX_STEP_GAS);
    bool live = run->call != NULL
                    ? call_object(run->call, id, &o)
                    : state_object(box_version(run), id, &o) == OBJECT_LIVE;
    if (!live) {
        lua_pushnil(L);
        return 1;
    }
    check_type(L, type, &o, path);
    lua_record_push_object(L, type, id, &o);
    return 1;
}

/* The parent that argument 2 names; NULL: all. */
static const uint8_t *parent_at(lua_State *L, const struct event_type *type,
                                uint8_t room[LUA_ID_SIZE], const char *path)
{
    if (lua_isnil(L, 2))
        return object_any_parent;
    if (type->parent < 0)
        sandbox_error(L, "%s: a %s has no parent", path, type->name);
    const struct field *field = &type->header.items[type->parent];
    const struct event_type *parent =
        schema_type(box_of(L)->schema, bytes_of_text(field->type.target));
    assert(parent != NULL);
    lua_key_object(L, 2, parent, room, path);
    lua_key_check_type(L, &field->type, room, path);
    return room;
}

/* Append the place of the object that the value on top of the stack names. */
static void put_position(lua_State *L, const struct event_type *type,
                         struct buf *out, const char *path)
{
    uint8_t id[LUA_ID_SIZE];
    struct object o;
    lua_key_object(L, -1, type, id, path);
    if (state_object(box_version(box_run(L)), id, &o) != OBJECT_LIVE)
        sandbox_error(L, "%s: what `after` names is not there", path);
    check_type(L, type, &o, path);
    object_scan_place(out, type, &o);
}

static struct box_scan *open_objects(lua_State *L,
                                     const struct event_type *type,
                                     const struct walk *walk, size_t *slot,
                                     const char *path)
{
    uint8_t room[LUA_ID_SIZE];
    struct script_run *run = box_run(L);
    const uint8_t *parent = parent_at(L, type, room, path);
    size_t start = run->key.len;
    if (walk->after)
        put_position(L, type, &run->key, path);
    struct box_scan *scan = box_scan_new(L, slot);
    object_scan_open(&scan->objects, box_version(run), type, parent,
                     bytes_of(run->key.data + start, run->key.len - start),
                     walk->backward);
    run->key.len = start;
    scan->is_rows = false;
    scan->open = true;
    scan->left = walk->limit;
    scan->type = type;
    return scan;
}

static bool next_object(struct script_run *run, struct box_scan *scan,
                        uint8_t id[LUA_ID_SIZE])
{
    bool found = false;
    if (scan->left > 0) {
        scan->left--;
        scan->objects.v = box_version(run);
        found = run->call != NULL
                    ? call_object_next(run->call, &scan->objects, id)
                    : object_scan_next(&scan->objects, id);
    }
    if (!found)
        box_scan_end(scan);
    return found;
}

/* Upvalues: slot, serial. */
static int step_objects(lua_State *L)
{
    uint8_t id[LUA_ID_SIZE];
    struct object o;
    struct script_run *run = box_run(L);
    struct box_scan *scan =
        box_scan_of(run, (size_t)lua_tonumber(L, lua_upvalueindex(1)),
                    (uint64_t)lua_tonumber(L, lua_upvalueindex(2)));
    lua_settop(L, 0);
    sandbox_charge(L, BOX_STEP_GAS);
    lua_pushnil(L);
    if (scan == NULL || !next_object(run, scan, id))
        return 1;
    bool live = run->call != NULL
                    ? call_object(run->call, id, &o)
                    : state_object(box_version(run), id, &o) == OBJECT_LIVE;
    assert(live);
    (void)live;
    lua_record_push_object(L, scan->type, id, &o);
    return 1;
}

static int objects_each(lua_State *L)
{
    char room[PATH_ROOM];
    size_t slot = 0;
    lua_settop(L, 3);
    const struct event_type *type = type_at(L, "TYPE:each(parent, options)");
    const char *path = path_of(room, L, type->name, "each");
    struct walk walk = walk_at(L, 3, path);
    struct box_scan *scan = open_objects(L, type, &walk, &slot, path);
    push_loop(L, slot, scan, step_objects);
    return 1;
}

static int objects_count(lua_State *L)
{
    char room[PATH_ROOM];
    uint8_t id[LUA_ID_SIZE];
    struct walk walk = {.limit = UINT64_MAX};
    size_t slot = 0;
    int64_t count = 0;
    lua_settop(L, 2);
    const struct event_type *type = type_at(L, "TYPE:count(parent)");
    struct box_scan *scan = open_objects(L, type, &walk, &slot,
                                         path_of(room, L, type->name, "count"));
    sandbox_charge(L, BOX_STEP_GAS);
    while (next_object(box_run(L), scan, id)) {
        sandbox_charge(L, BOX_STEP_GAS);
        count++;
    }
    lib_push_integer(L, count, "count");
    return 1;
}

/* ---- names that are not there ---- */

/* Upvalue 1: what it is, upvalue 2: a sentence on what it has. */
static int no_function(lua_State *L)
{
    const char *name = lib_name(L, 2);
    return sandbox_error(L, "%s has no function '%s': it has %s",
                         lua_tostring(L, lua_upvalueindex(1)), name,
                         lua_tostring(L, lua_upvalueindex(2)));
}

/* Upvalue 1: the schema's part. */
static int no_name(lua_State *L)
{
    const char *names[SUGGEST_MAX];
    size_t count = 0;
    const struct schema *schema = box_of(L)->schema;
    const struct schema_part *part = lua_touserdata(L, lua_upvalueindex(1));
    const char *name = lib_name(L, 2);
    for (size_t i = 0; i < schema->view_count && count < SUGGEST_MAX; i++)
        if (strcmp(schema->views[i].schema, part->name) == 0)
            names[count++] = strchr(schema->views[i].name, '.') + 1;
    for (size_t i = 0; i < schema->type_count && count < SUGGEST_MAX; i++)
        if (strcmp(schema->types[i].schema, part->name) == 0)
            names[count++] = strchr(schema->types[i].name, '.') + 1;
    for (size_t i = 0; i < schema->part_count && count < SUGGEST_MAX; i++)
        names[count++] = schema->parts[i].name;
    const char *near = near_name(bytes_of_text(name), names, count);
    if (near == NULL)
        return sandbox_error(L, "state: %s has no view and no type '%s'",
                             part->name, name);
    return sandbox_error(L,
                         "state: %s has no view and no type '%s'; did you mean "
                         "'%s'?",
                         part->name, name, near);
}

/* ---- setting up ---- */

static void push_metatable(lua_State *L, const luaL_Reg *functions,
                           size_t count, const char *what, const char *has)
{
    lua_createtable(L, 0, 2);
    lua_createtable(L, 0, (int)count);
    for (size_t i = 0; i < count; i++) {
        lua_pushcfunction(L, functions[i].func);
        lua_setfield(L, -2, functions[i].name);
    }
    lua_createtable(L, 0, 1);
    lua_pushstring(L, what);
    lua_pushstring(L, has);
    lua_pushcclosure(L, no_function, 2);
    lua_setfield(L, -2, "__index");
    lua_setmetatable(L, -2);
    lua_setfield(L, -2, "__index");
    lua_pushstring(L, what);
    lua_pushcclosure(L, box_takes_no_values, 1);
    lua_setfield(L, -2, "__newindex");
}

static void push_proxy(lua_State *L, const struct proxy *from, int metatable)
{
    struct proxy *proxy = lua_newuserdata(L, sizeof(*proxy));
    *proxy = *from;
    lua_pushvalue(L, metatable);
    lua_setmetatable(L, -2);
}

static bool belongs(const struct schema_part *part, const char *schema)
{
    return strcmp(part->name, schema) == 0;
}

/* Set what `state` of one schema has in the table on top of the stack. */
static void set_names(lua_State *L, const struct schema *schema,
                      const struct schema_part *part, int of_views,
                      int of_objects)
{
    for (size_t i = 0; i < schema->type_count; i++) {
        const struct event_type *type = &schema->types[i];
        if (!belongs(part, type->schema))
            continue;
        push_proxy(L, &(struct proxy){.tag = objects_tag, .type = type},
                   of_objects);
        lua_setfield(L, -2, strchr(type->name, '.') + 1);
    }
    for (size_t i = 0; i < schema->view_count; i++) {
        const struct view *view = &schema->views[i];
        if (!belongs(part, view->schema))
            continue;
        push_proxy(L, &(struct proxy){.tag = view_tag, .view = view}, of_views);
        lua_setfield(L, -2, strchr(view->name, '.') + 1);
    }
    lua_createtable(L, 0, 1);
    lua_pushlightuserdata(L, (void *)part);
    lua_pushcclosure(L, no_name, 1);
    lua_setfield(L, -2, "__index");
    lua_setmetatable(L, -2);
}

/* Push the `state` whose names stand in the table on top of the stack, which
 * stays below it. */
static void push_state(lua_State *L)
{
    struct proxy *state = lua_newuserdata(L, sizeof(*state));
    *state = (struct proxy){.tag = state_tag};
    lua_createtable(L, 0, 2);
    lua_pushvalue(L, -3);
    lua_setfield(L, -2, "__index");
    lua_pushliteral(L, "state");
    lua_pushcclosure(L, box_takes_no_values, 1);
    lua_setfield(L, -2, "__newindex");
    lua_setmetatable(L, -2);
}

/* Each schema's names get the other schemas' states, but where a view or type
 * has the same name. */
static void link_states(lua_State *L, const struct box *b, int first)
{
    size_t count = b->schema->part_count;
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < count; k++) {
            const char *name = b->schema->parts[k].name;
            lua_pushstring(L, name);
            lua_rawget(L, first + (int)i);
            bool taken = !lua_isnil(L, -1);
            lua_pop(L, 1);
            if (taken)
                continue;
            lua_pushstring(L, name);
            lua_rawgeti(L, LUA_REGISTRYINDEX, b->states[k]);
            lua_rawset(L, first + (int)i);
        }
    }
}

void lua_state_setup(lua_State *L, struct box *b)
{
    static const luaL_Reg of_views[] = {
        {"get", view_get},
        {"each", view_each},
        {"sum", view_sum},
        {"count", view_count},
    };
    static const luaL_Reg of_objects[] = {
        {"get", objects_get},
        {"each", objects_each},
        {"count", objects_count},
    };
    int top = lua_gettop(L);
    luaL_checkstack(L, (int)b->schema->part_count + 16, "too many schemas");
    push_metatable(L, of_views, 4, "a view", "get, each, sum and count");
    push_metatable(L, of_objects, 3, "a type", "get, each and count");
    for (size_t i = 0; i < b->schema->part_count; i++) {
        lua_newtable(L);
        set_names(L, b->schema, &b->schema->parts[i], top + 1, top + 2);
        push_state(L);
        b->states[i] = luaL_ref(L, LUA_REGISTRYINDEX);
    }
    link_states(L, b, top + 3);
    lua_settop(L, top);
}
