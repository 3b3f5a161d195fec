/* A metatable holds two things: [1], the struct shape as a light userdata, by
 * which C knows the table again, and __index, which is called for what the
 * table does not hold. Lua code has no way to set or read a metatable. */
#include "script/shape.h"

#include <assert.h>
#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/near.h"
#include "sandbox/lib.h"
#include "sandbox/sandbox.h"
#include "script/lua_record.h"

enum { SUGGEST_MAX = 256 }; /* names that are looked at for a suggestion */

static const void *key_of(const struct fields *fields)
{
    return fields->items != NULL ? (const void *)fields->items : fields;
}

/* ---- what the schema has ---- */

static void add(struct shapes *s, struct shape shape);

static void add_value(struct shapes *s, const struct value_type *type,
                      const char *name)
{
    if (type->kind == VALUE_LIST)
        add_value(s, type->item, name);
    else if (type->kind == VALUE_STRUCT)
        add(s, (struct shape){.kind = SHAPE_FIELDS,
                              .name = name,
                              .word = "field",
                              .fields = &type->fields});
}

static void add_fields(struct shapes *s, const struct fields *fields)
{
    for (size_t i = 0; i < fields->count; i++)
        add_value(s, &fields->items[i].type, fields->items[i].name);
}

static void add(struct shapes *s, struct shape shape)
{
    shape.key = key_of(shape.fields);
    s->items = mem_array_grow(s->items, s->count, &s->cap, sizeof(*s->items));
    s->items[s->count++] = shape;
    add_fields(s, shape.fields);
}

static int by_name(const void *a, const void *b)
{
    const struct field *x = a;
    const struct field *y = b;
    return strcmp(x->name, y->name);
}

/* Shallow copies: what the fields point to stays the type's. */
static struct fields all_fields(const struct event_type *type)
{
    struct fields all = {0};
    size_t most = type->header.count + type->body.count + 1;
    all.items = mem_zero(most, sizeof(*all.items));
    for (size_t i = 0; i < type->header.count; i++)
        all.items[all.count++] = type->header.items[i];
    for (size_t i = 0; i < type->body.count; i++)
        all.items[all.count++] = type->body.items[i];
    if (type->raw_body != NULL)
        all.items[all.count++] =
            (struct field){.name = (char *)"body", .type = *type->raw_body};
    qsort(all.items, all.count, sizeof(*all.items), by_name);
    return all;
}

static int by_key(const void *a, const void *b)
{
    const struct shape *x = a;
    const struct shape *y = b;
    uintptr_t p = (uintptr_t)x->key;
    uintptr_t q = (uintptr_t)y->key;
    return p < q ? -1 : p > q;
}

/* Types may share the items of a struct: one shape is enough for both. */
static void drop_twins(struct shapes *s)
{
    size_t kept = 0;
    for (size_t i = 0; i < s->count; i++)
        if (kept == 0 || s->items[kept - 1].key != s->items[i].key)
            s->items[kept++] = s->items[i];
    s->count = kept;
}

static void add_type(struct shapes *s, const struct schema *schema,
                     const struct event_type *type)
{
    struct fields all = all_fields(type);
    bool has_type = fields_find(&all, bytes_of_text("type")) != NULL;
    add(s, (struct shape){.kind = SHAPE_RECORD,
                          .name = schema_short(schema, type->name),
                          .word = "field",
                          .fields = &type->header,
                          .type = type,
                          .all = all,
                          .has_type = has_type});
    add_fields(s, &type->body);
}

static void add_method(struct shapes *s, const struct schema *schema,
                       const struct method *method)
{
    const char *name = schema_short(schema, method->name);
    add(s, (struct shape){.kind = SHAPE_FIELDS,
                          .name = name,
                          .word = "argument",
                          .fields = &method->args});
    if (method->returns != NULL)
        add_value(s, method->returns, name);
}

void shapes_init(struct shapes *s, const struct schema *schema)
{
    *s = (struct shapes){0};
    for (size_t i = 0; i < schema->type_count; i++)
        add_type(s, schema, &schema->types[i]);
    for (size_t i = 0; i < schema->view_count; i++)
        add(s,
            (struct shape){.kind = SHAPE_ROW,
                           .name = schema_short(schema, schema->views[i].name),
                           .word = "column",
                           .fields = &schema->views[i].columns,
                           .view = &schema->views[i]});
    for (size_t i = 0; i < schema->method_count; i++)
        add_method(s, schema, &schema->methods[i]);
    for (size_t i = 0; i < schema->part_count; i++)
        add(s, (struct shape){.kind = SHAPE_FIELDS,
                              .name = "ctx.data",
                              .word = "value",
                              .fields = &schema->parts[i].context});
    qsort(s->items, s->count, sizeof(*s->items), by_key);
    drop_twins(s);
}

void shapes_deinit(struct shapes *s)
{
    for (size_t i = 0; i < s->count; i++)
        mem_free(s->items[i].all.items);
    mem_free(s->items);
    *s = (struct shapes){0};
}

const struct shape *shape_of_fields(const struct shapes *s,
                                    const struct fields *fields)
{
    struct shape wanted = {.key = key_of(fields)};
    return s->count == 0 ? NULL
                         : bsearch(&wanted, s->items, s->count,
                                   sizeof(*s->items), by_key);
}

/* ---- reading what a table does not hold ---- */

static size_t names_of(const struct fields *fields, const char **names,
                       size_t count)
{
    for (size_t i = 0; i < fields->count && count < SUGGEST_MAX; i++)
        names[count++] = fields->items[i].name;
    return count;
}

int shape_unknown(lua_State *L, const char *what, const char *word,
                  const struct fields *fields, const struct fields *more,
                  const char *name)
{
    const char *names[SUGGEST_MAX];
    size_t count = names_of(fields, names, 0);
    if (more != NULL)
        count = names_of(more, names, count);
    const char *near = near_name(bytes_of_text(name), names, count);
    if (near == NULL)
        return sandbox_error(L, "%s has no %s '%s'", what, word, name);
    return sandbox_error(L, "%s has no %s '%s'; did you mean '%s'?", what, word,
                         name, near);
}

static bool is_builtin(const char *name)
{
    static const char *const builtin[] = {"id", "type", "change", "before"};
    for (size_t i = 0; i < sizeof(builtin) / sizeof(builtin[0]); i++)
        if (strcmp(name, builtin[i]) == 0)
            return true;
    return false;
}

static bool in_body(const struct event_type *type, struct bytes name)
{
    return fields_find(&type->body, name) != NULL ||
           (type->raw_body != NULL && bytes_equal(name, bytes_of_text("body")));
}

static int read_absent(lua_State *L)
{
    const struct shape *shape = lua_touserdata(L, lua_upvalueindex(1));
    lua_settop(L, 2);
    if (lua_type(L, 2) != LUA_TSTRING)
        return sandbox_error(L, "%s has its %ss by name, got a %s", shape->name,
                             shape->word, luaL_typename(L, 2));
    const char *name = lib_name(L, 2);
    lua_pushnil(L);
    if (fields_find(shape->fields, bytes_of_text(name)) != NULL)
        return 1; /* an optional one that is absent */
    if (shape->kind != SHAPE_RECORD)
        return shape_unknown(L, shape->name, shape->word, shape->fields, NULL,
                             name);
    if (in_body(shape->type, bytes_of_text(name))) {
        lua_record_push_body_field(L, 1, shape, name);
        return 1;
    }
    if (is_builtin(name))
        return 1;
    return shape_unknown(L, shape->name, shape->word, &shape->all, NULL, name);
}

void shapes_setup(lua_State *L, struct shapes *s)
{
    for (size_t i = 0; i < s->count; i++) {
        lua_createtable(L, 1, 1);
        lua_pushlightuserdata(L, &s->items[i]);
        lua_rawseti(L, -2, 1);
        lua_pushlightuserdata(L, &s->items[i]);
        lua_pushcclosure(L, read_absent, 1);
        lua_setfield(L, -2, "__index");
        s->items[i].metatable = luaL_ref(L, LUA_REGISTRYINDEX);
    }
}

const struct shape *shape_of(lua_State *L, int index)
{
    if (!lua_istable(L, index) || !lua_getmetatable(L, index))
        return NULL;
    lua_rawgeti(L, -1, 1);
    const struct shape *shape =
        lua_islightuserdata(L, -1) ? lua_touserdata(L, -1) : NULL;
    lua_pop(L, 2);
    return shape;
}

void shape_set(lua_State *L, const struct shape *shape)
{
    assert(lua_istable(L, -1));
    if (shape == NULL)
        return;
    lua_rawgeti(L, LUA_REGISTRYINDEX, shape->metatable);
    lua_setmetatable(L, -2);
}
