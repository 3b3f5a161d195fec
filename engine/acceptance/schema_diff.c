#include "acceptance/schema_diff.h"

#include <stdlib.h>
#include <string.h>

#include "base/msgpack.h"
#include "crypto/hash.h"
#include "schema/describe.h"
#include "schema/fields.h"
#include "schema/schema.h"

/* One declaration: its name, and what it says, with the code it has. */
struct item {
    const char *name; /* full */
    struct buf said;
};

struct diff {
    struct logic *logics[2]; /* before, after */
    struct buf lines;
    uint32_t count;
};

static void put_line(struct diff *d, const char *what, const char *name,
                     const char *change)
{
    struct buf text = {0};
    const struct schema *s = d->logics[1]->schema;
    buf_printf(&text, "%s %s %s", what, schema_short(s, name), change);
    mp_put_str(&d->lines, buf_bytes(&text));
    buf_deinit(&text);
    d->count++;
}

static void put_function(struct logic *l, int function, struct buf *out)
{
    uint8_t digest[HASH_SIZE] = {0};
    if (function != 0)
        l->digest(l, function, digest);
    buf_put(out, digest, sizeof(digest));
}

/* Where it is declared is no part of what it says. Takes `map` over. */
static void put_said(struct buf *map, struct item *item)
{
    struct buf nowhere = {0};
    mp_put_map(&nowhere, 1);
    mp_put_text(&nowhere, "where");
    mp_put_nil(&nowhere);
    fields_merge(&item->said, buf_bytes(map), buf_bytes(&nowhere));
    buf_deinit(&nowhere);
    buf_deinit(map);
}

/* ---- kinds of declarations ---- */

enum { KIND_TYPE, KIND_VIEW, KIND_RULE, KIND_METHOD, KIND_WORKER, KINDS };
static const char *const kind_words[KINDS] = {"type", "view", "rule", "method",
                                              "worker"};

static size_t count_of(const struct schema *s, int kind)
{
    switch (kind) {
    case KIND_TYPE:
        return s->type_count;
    case KIND_VIEW:
        return s->view_count;
    case KIND_RULE:
        return s->rule_count;
    case KIND_METHOD:
        return s->method_count;
    default:
        return s->worker_count;
    }
}

static void take_type(struct logic *l, const struct event_type *type,
                      struct item *item)
{
    struct buf said = {0};
    item->name = type->name;
    describe_event_type(&said, l->schema, type);
    put_said(&said, item);
    put_function(l, type->keep, &item->said);
    buf_put_u8(&item->said, type->erasable);
    for (size_t i = 0; i < type->right_count; i++)
        buf_put(&item->said, type->rights[i].name,
                strlen(type->rights[i].name) + 1);
    for (size_t i = 0; i < type->upgrade_count; i++) {
        buf_put_be64(&item->said, (uint64_t)type->upgrades[i].version);
        put_function(l, type->upgrades[i].function, &item->said);
    }
}

static void take_view(struct logic *l, const struct view *view,
                      struct item *item)
{
    struct buf said = {0};
    item->name = view->name;
    describe_view(&said, l->schema, view);
    put_said(&said, item);
    buf_put_u8(&item->said, view->reads_bodies);
    for (size_t i = 0; i < view->fold_count; i++) {
        buf_put_text(&item->said, view->folds[i].type);
        put_function(l, view->folds[i].function, &item->said);
    }
}

static void take_rule(struct logic *l, const struct rule *rule,
                      struct item *item)
{
    struct buf said = {0};
    item->name = rule->name;
    describe_rule(&said, l->schema, rule);
    put_said(&said, item);
    put_function(l, rule->function, &item->said);
}

static void take_worker(struct logic *l, const struct worker *worker,
                        struct item *item)
{
    struct buf said = {0};
    item->name = worker->method.name;
    describe_worker(&said, l->schema, worker);
    put_said(&said, item);
    put_function(l, worker->method.function, &item->said);
}

static void take_item(struct logic *l, int kind, size_t i, struct item *item)
{
    const struct schema *s = l->schema;
    if (kind == KIND_TYPE) {
        take_type(l, &s->types[i], item);
    } else if (kind == KIND_VIEW) {
        take_view(l, &s->views[i], item);
    } else if (kind == KIND_RULE) {
        take_rule(l, &s->rules[i], item);
    } else if (kind == KIND_WORKER) {
        take_worker(l, &s->workers[i], item);
    } else {
        const struct method *m = &s->methods[i];
        struct buf said = {0};
        item->name = m->name;
        describe_method(&said, s, m);
        put_said(&said, item);
        put_function(l, m->function, &item->said);
    }
}

/* Default methods change with their types. */
static bool is_told(const struct schema *s, int kind, size_t i)
{
    return kind != KIND_METHOD || s->methods[i].by_default == DEFAULT_NONE;
}

/* ---- comparing ---- */

static const char *name_of(const struct schema *s, int kind, size_t i)
{
    switch (kind) {
    case KIND_TYPE:
        return s->types[i].name;
    case KIND_VIEW:
        return s->views[i].name;
    case KIND_RULE:
        return s->rules[i].name;
    case KIND_METHOD:
        return s->methods[i].name;
    default:
        return s->workers[i].method.name;
    }
}

static bool find(struct logic *l, int kind, const char *name, size_t *at)
{
    for (*at = 0; *at < count_of(l->schema, kind); (*at)++)
        if (strcmp(name_of(l->schema, kind, *at), name) == 0)
            return true;
    return false;
}

static void compare_kind(struct diff *d, int kind)
{
    struct logic *before = d->logics[0];
    struct logic *after = d->logics[1];
    size_t at = 0;
    for (size_t i = 0; i < count_of(after->schema, kind); i++) {
        struct item is = {0};
        struct item was = {0};
        if (!is_told(after->schema, kind, i))
            continue;
        take_item(after, kind, i, &is);
        if (!find(before, kind, is.name, &at)) {
            put_line(d, kind_words[kind], is.name, "is new");
        } else {
            take_item(before, kind, at, &was);
            if (!bytes_equal(buf_bytes(&was.said), buf_bytes(&is.said)))
                put_line(d, kind_words[kind], is.name, "changed");
        }
        buf_deinit(&is.said);
        buf_deinit(&was.said);
    }
    for (size_t i = 0; i < count_of(before->schema, kind); i++) {
        struct item was = {0};
        if (!is_told(before->schema, kind, i))
            continue;
        take_item(before, kind, i, &was);
        if (!find(after, kind, was.name, &at))
            put_line(d, kind_words[kind], was.name, "is gone");
        buf_deinit(&was.said);
    }
}

void schema_diff(struct logic *before, struct logic *after, struct buf *out)
{
    struct diff d = {.logics = {before, after}};
    for (int kind = 0; kind < KINDS; kind++)
        compare_kind(&d, kind);
    mp_put_array(out, d.count);
    buf_put_bytes(out, buf_bytes(&d.lines));
    buf_deinit(&d.lines);
}
