/* From the list of declarations to the schema.
 *
 * (1) All names are known before any declaration is read: a ref, a fold or a
 *     rule may name what is declared further down or in another file.
 * (2) What is read comes in the order parts, types, views, rules, methods,
 *     workers; each needs only what stands before it.
 * (3) A name that is declared twice is told and counts once. Types and views of
 *     a schema share one set of names, as do the schemas: `state.x` has to mean
 *     one thing. Methods have a set of their own (declared names have no dot,
 *     default ones have).
 * (4) Arrays are as large as they will be before pointers into them are
 *     taken. */
#include "declare/declare.h"

#include <assert.h>
#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/limits.h"
#include "base/memory.h"
#include "declare/declare_value.h"
#include "declare/declaring.h"
#include "declare/default_methods.h"
#include "declare/vocabulary.h"
#include "sandbox/sandbox.h"

static_assert((int)LIMIT_TYPE_NAME <= (int)sizeof(((struct place *)0)->path),
              "a name fits a path");

/* ---- records ---- */

static const char *const kind_names[] = {
    [DECLARED_SCHEMA] = "schema", [DECLARED_OBJECT] = "object",
    [DECLARED_EVENT] = "event",   [DECLARED_VIEW] = "view",
    [DECLARED_RULE] = "rule",     [DECLARED_METHOD] = "method",
    [DECLARED_WORKER] = "worker",
};

/* The text of a member of the table on top of the stack; the table holds it. */
static const char *member(lua_State *L, const char *key)
{
    lua_getfield(L, -1, key);
    const char *text = lua_tostring(L, -1);
    lua_pop(L, 1);
    return text;
}

static int kind_of(const char *name)
{
    for (int kind = 0; kind < DECLARED_KINDS; kind++)
        if (strcmp(kind_names[kind], name) == 0)
            return kind;
    return -1;
}

static void take_mistake(struct declaring *d)
{
    const char *where = member(d->L, "where");
    const char *path = member(d->L, "name");
    const char *text = member(d->L, "options");
    struct place place = place_at(where, path);
    wrong(d, &place, "%s", text);
}

static void take_record(struct declaring *d, int index)
{
    const char *schema = member(d->L, "schema");
    const char *leaf = member(d->L, "name");
    const char *where = member(d->L, "where");
    int kind = kind_of(member(d->L, "kind"));
    assert(kind >= 0);
    buf_clear(&d->scratch);
    if (kind != DECLARED_SCHEMA)
        buf_printf(&d->scratch, "%s.", schema);
    buf_put_text(&d->scratch, leaf);
    d->records = mem_array_grow(d->records, d->record_count, &d->record_cap,
                                sizeof(d->records[0]));
    struct record *record = &d->records[d->record_count++];
    *record = (struct record){
        .name = mem_text(buf_text(&d->scratch)),
        .kind = (enum declared)kind,
        .schema = mem_text(schema),
        .where = mem_text(where),
        .index = index,
    };
    record->leaf = kind == DECLARED_SCHEMA ? record->name
                                           : record->name + strlen(schema) + 1;
}

static void take_records(struct declaring *d)
{
    int list = lua_gettop(d->L);
    int count = (int)lua_objlen(d->L, list);
    if (count > DECLARE_COUNT_MAX) {
        struct place place = place_at("", "the schema");
        wrong(d, &place, "has more than %d declarations", DECLARE_COUNT_MAX);
        count = DECLARE_COUNT_MAX;
    }
    for (int i = 1; i <= count; i++) {
        lua_rawgeti(d->L, list, i);
        if (strcmp(member(d->L, "kind"), "mistake") == 0)
            take_mistake(d);
        else
            take_record(d, i);
        lua_pop(d->L, 1);
    }
}

/* Those that are found by name together stand together: invariant (3). */
static int group_of(const struct record *record)
{
    return record->kind == DECLARED_EVENT ? DECLARED_OBJECT : (int)record->kind;
}

static int compare_records(const void *a, const void *b)
{
    const struct record *one = a;
    const struct record *two = b;
    int order = group_of(one) - group_of(two);
    if (order == 0 && one->kind != DECLARED_RULE)
        order = strcmp(one->name, two->name);
    return order != 0 ? order : one->index - two->index;
}

static bool share_names(const struct record *one, const struct record *two)
{
    bool one_is_state =
        group_of(one) == DECLARED_OBJECT || one->kind == DECLARED_VIEW;
    bool two_is_state =
        group_of(two) == DECLARED_OBJECT || two->kind == DECLARED_VIEW;
    if (one_is_state && two->kind == DECLARED_SCHEMA)
        return strcmp(one->leaf, two->name) == 0;
    if (one->kind != two->kind && !(one_is_state && two_is_state))
        return false;
    return strcmp(one->name, two->name) == 0;
}

/* Tell of names that are taken, and drop the later ones. */
static void drop_doubles(struct declaring *d)
{
    size_t kept = 0;
    for (size_t i = 0; i < d->record_count; i++) {
        struct record *record = &d->records[i];
        const struct record *first = NULL;
        for (size_t j = 0; j < kept && first == NULL; j++)
            if (share_names(record, &d->records[j]))
                first = &d->records[j];
        if (first == NULL) {
            d->records[kept++] = *record;
            continue;
        }
        struct place place = place_at(record->where, record->name);
        wrong(d, &place, "the %s '%s' has that name already (%s)",
              kind_names[first->kind], first->name, first->where);
        mem_free(record->name);
        mem_free(record->schema);
        mem_free(record->where);
    }
    d->record_count = kept;
}

/* ---- arrays ---- */

static size_t count_kind(const struct declaring *d, enum declared kind)
{
    size_t count = 0;
    for (size_t i = 0; i < d->record_count; i++)
        count += group_of(&d->records[i]) == (int)kind ? 1 : 0;
    return count;
}

static const struct record *first_of(const struct declaring *d,
                                     enum declared kind)
{
    size_t i = 0;
    while (i < d->record_count && group_of(&d->records[i]) != (int)kind)
        i++;
    return d->record_count > 0 ? &d->records[i] : NULL;
}

static void name_types(struct declaring *d)
{
    struct schema *s = d->out;
    const struct record *record = first_of(d, DECLARED_OBJECT);
    size_t count = count_kind(d, DECLARED_OBJECT);
    s->types = mem_zero(count, sizeof(s->types[0]));
    s->type_count = count;
    for (size_t i = 0; i < count; i++, record++) {
        struct event_type *type = &s->types[i];
        type->name = mem_text(record->name);
        type->schema = mem_text(record->schema);
        type->where = mem_text(record->where);
        type->is_object = record->kind == DECLARED_OBJECT;
        type->parent = -1;
    }
}

static void name_views(struct declaring *d)
{
    struct schema *s = d->out;
    const struct record *record = first_of(d, DECLARED_VIEW);
    size_t count = count_kind(d, DECLARED_VIEW);
    s->views = mem_zero(count, sizeof(s->views[0]));
    s->view_count = count;
    for (size_t i = 0; i < count; i++, record++) {
        s->views[i].name = mem_text(record->name);
        s->views[i].schema = mem_text(record->schema);
        s->views[i].where = mem_text(record->where);
    }
}

static void name_rules(struct declaring *d)
{
    struct schema *s = d->out;
    const struct record *record = first_of(d, DECLARED_RULE);
    size_t count = count_kind(d, DECLARED_RULE);
    s->rules = mem_zero(count, sizeof(s->rules[0]));
    s->rule_count = count;
    for (size_t i = 0; i < count; i++, record++) {
        s->rules[i].name = mem_text(record->name);
        s->rules[i].schema = mem_text(record->schema);
        s->rules[i].where = mem_text(record->where);
    }
}

/* Declared ones only; the default ones come when all is read. */
static void name_methods(struct declaring *d)
{
    struct schema *s = d->out;
    const struct record *record = first_of(d, DECLARED_METHOD);
    size_t count = count_kind(d, DECLARED_METHOD);
    s->methods = mem_zero(count, sizeof(s->methods[0]));
    s->method_count = count;
    for (size_t i = 0; i < count; i++, record++) {
        s->methods[i].name = mem_text(record->name);
        s->methods[i].schema = mem_text(record->schema);
        s->methods[i].where = mem_text(record->where);
    }
}

static void name_workers(struct declaring *d)
{
    struct schema *s = d->out;
    const struct record *record = first_of(d, DECLARED_WORKER);
    size_t count = count_kind(d, DECLARED_WORKER);
    s->workers = mem_zero(count, sizeof(s->workers[0]));
    s->worker_count = count;
    for (size_t i = 0; i < count; i++, record++) {
        struct method *method = &s->workers[i].method;
        method->name = mem_text(record->name);
        method->schema = mem_text(record->schema);
        method->where = mem_text(record->where);
        method->mode = METHOD_WRITE;
        method->by_default = DEFAULT_WORKER;
    }
}

static int compare_methods(const void *a, const void *b)
{
    const struct method *one = a;
    const struct method *two = b;
    return strcmp(one->name, two->name);
}

static void add_default_methods(struct schema *s)
{
    size_t count = s->method_count;
    for (size_t i = 0; i < s->type_count; i++)
        count += default_methods_count(&s->types[i]);
    s->methods = mem_resize(s->methods, (count + 1) * sizeof(s->methods[0]));
    memset(&s->methods[s->method_count], 0,
           (count + 1 - s->method_count) * sizeof(s->methods[0]));
    for (size_t i = 0; i < s->type_count; i++) {
        default_methods_put(&s->types[i], &s->methods[s->method_count]);
        s->method_count += default_methods_count(&s->types[i]);
    }
    assert(s->method_count == count);
    qsort(s->methods, count, sizeof(s->methods[0]), compare_methods);
}

/* ---- reading ---- */

static bool check_name(struct declaring *d, const struct record *record)
{
    struct place place = place_at(record->where, record->name);
    return name_allowed(d, &place, record->leaf);
}

/* Read the records of one kind; the table of options is on top of the stack. */
static void read_kind(struct declaring *d, enum declared kind, int list)
{
    struct schema *s = d->out;
    const struct record *record = first_of(d, kind);
    size_t count = count_kind(d, kind);
    for (size_t i = 0; i < count; i++, record++) {
        d->schema = record->schema;
        lua_rawgeti(d->L, list, record->index);
        lua_getfield(d->L, -1, "options");
        if (kind != DECLARED_SCHEMA)
            check_name(d, record);
        if (kind == DECLARED_SCHEMA) {
            s->part_count = i + 1;
            declare_part(d, record, &s->parts[i]);
        } else if (kind == DECLARED_OBJECT) {
            declare_type(d, record, &s->types[i]);
        } else if (kind == DECLARED_VIEW) {
            declare_view(d, record, &s->views[i]);
        } else if (kind == DECLARED_RULE) {
            declare_rule(d, record, &s->rules[i]);
        } else if (kind == DECLARED_METHOD) {
            declare_method(d, record, &s->methods[i]);
        } else {
            declare_worker(d, record, &s->workers[i]);
        }
        lua_settop(d->L, list);
    }
}

static void read_all(struct declaring *d, int list)
{
    size_t parts = count_kind(d, DECLARED_SCHEMA);
    d->out->parts = mem_zero(parts, sizeof(d->out->parts[0]));
    name_types(d);
    name_views(d);
    name_rules(d);
    name_methods(d);
    name_workers(d);
    read_kind(d, DECLARED_SCHEMA, list);
    read_kind(d, DECLARED_OBJECT, list);
    check_scales(d);
    check_text_keys(d);
    read_kind(d, DECLARED_VIEW, list);
    read_kind(d, DECLARED_RULE, list);
    read_kind(d, DECLARED_METHOD, list);
    read_kind(d, DECLARED_WORKER, list);
    check_scales(d);
    declare_clashes(d);
}

/* What the main module returned says which schema is meant by short names. */
static void read_main(struct declaring *d, const char *main_module)
{
    lua_rawgeti(d->L, LUA_REGISTRYINDEX, d->main);
    if (vocabulary_push_name(d->L, lua_gettop(d->L))) {
        d->out->main = mem_text(lua_tostring(d->L, -1));
        lua_pop(d->L, 2);
        return;
    }
    const struct record *schema = first_of(d, DECLARED_SCHEMA);
    bool declares = count_kind(d, DECLARED_SCHEMA) > 0;
    struct place place = place_at(declares ? schema->where : "", main_module);
    wrong(d, &place, "gives back no schema: end the file with 'return %s'",
          declares ? schema->name : "schema");
    lua_pop(d->L, 1);
}

struct load {
    struct declaring d;
    const char *main_module;
};

static int walk(lua_State *L)
{
    struct load *load = lua_touserdata(L, 1);
    struct declaring *d = &load->d;
    luaL_checkstack(L, 64, "no room to read declarations");
    d->L = L;
    vocabulary_push_list(L);
    int list = lua_gettop(L);
    take_records(d);
    if (d->record_count > 0)
        qsort(d->records, d->record_count, sizeof(d->records[0]),
              compare_records);
    drop_doubles(d);
    read_main(d, load->main_module);
    read_all(d, list);
    lua_settop(L, list - 1);
    vocabulary_close(L);
    luaL_unref(L, LUA_REGISTRYINDEX, d->main);
    return 0;
}

int declare_load(struct sandbox *s, const char *main_module, struct schema *out,
                 struct err *err)
{
    struct load load = {.main_module = main_module};
    *out = (struct schema){0};
    load.d.out = out;
    int rc = vocabulary_setup(s, err);
    if (rc == 0)
        rc = sandbox_load(s, main_module, &load.d.main, err);
    if (rc == 0)
        rc = sandbox_setup(s, walk, &load, err);
    if (rc == 0)
        rc = problems_result(&load.d.problems, err);
    if (rc == 0)
        add_default_methods(out);
    else
        schema_deinit(out);
    declaring_deinit(&load.d);
    return rc;
}
