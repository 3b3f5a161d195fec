#include "schema/describe.h"

#include <string.h>

#include "base/mapping.h"
#include "base/msgpack.h"
#include "schema/fields.h"

static const char *const kind_names[] = {
    [VALUE_TEXT] = "text",
    [VALUE_NAME] = "name",
    [VALUE_BLOB] = "blob",
    [VALUE_BOOLEAN] = "boolean",
    [VALUE_INTEGER] = "integer",
    [VALUE_AMOUNT] = "amount",
    [VALUE_ENUM] = "enum",
    [VALUE_DATE] = "date",
    [VALUE_MONTH] = "month",
    [VALUE_TIME] = "time",
    [VALUE_IDENTITY] = "identity",
    [VALUE_REF] = "ref",
    [VALUE_EVENT_TYPE] = "event_type",
    [VALUE_STRUCT] = "struct",
    [VALUE_LIST] = "list",
    [VALUE_PAGE] = "page",
};

const char *describe_kind(enum value_kind kind)
{
    return kind_names[kind];
}

static void put_fields(struct buf *out, const struct schema *s,
                       const struct fields *fields);
static void put_type(struct buf *out, const struct schema *s,
                     const struct value_type *type);

static void put_words(struct buf *out, char *const *words, size_t count)
{
    mp_put_array(out, (uint32_t)count);
    for (size_t i = 0; i < count; i++)
        mp_put_text(out, words[i]);
}

static void describe_bounds(struct mapping *m, const struct value_type *type)
{
    bool number = type->kind == VALUE_INTEGER || type->kind == VALUE_AMOUNT;
    bool sized = type->kind == VALUE_TEXT || type->kind == VALUE_NAME ||
                 type->kind == VALUE_BLOB || type->kind == VALUE_LIST;
    if (number && type->min > -SCHEMA_EXACT_MAX)
        mapping_int(m, "min", type->min);
    if (number && type->max < SCHEMA_EXACT_MAX)
        mapping_int(m, "max", type->max);
    if (sized && type->len_min > 0)
        mapping_uint(m, "min", type->len_min);
    if (sized)
        mapping_uint(m, "max", type->len_max);
}

static void describe_type(struct mapping *m, const struct schema *s,
                          const struct value_type *type)
{
    mapping_text(m, "kind", kind_names[type->kind]);
    if (type->optional)
        mapping_bool(m, "optional", true);
    if (type->once)
        mapping_bool(m, "once", true);
    describe_bounds(m, type);
    if (type->kind == VALUE_AMOUNT && type->scale >= 0)
        mapping_int(m, "scale", type->scale);
    mapping_text_or_not(m, "of", type->of);
    if (type->target != NULL)
        mapping_text(m, "target", schema_short(s, type->target));
    if (type->word_count > 0)
        put_words(mapping_key(m, "words"), type->words, type->word_count);
    if (type->kind == VALUE_STRUCT)
        put_fields(mapping_key(m, "fields"), s, &type->fields);
    if (type->item != NULL)
        put_type(mapping_key(m, "item"), s, type->item);
    if (type->default_value.len > 0)
        buf_put_bytes(mapping_key(m, "default"), type->default_value);
}

static void put_type(struct buf *out, const struct schema *s,
                     const struct value_type *type)
{
    struct mapping m = {0};
    describe_type(&m, s, type);
    mapping_put(&m, out);
}

static void put_field(struct buf *out, const struct schema *s,
                      const struct field *field)
{
    struct mapping m = {0};
    mapping_text(&m, "name", field->name);
    mapping_text_or_not(&m, "doc", field->doc);
    describe_type(&m, s, &field->type);
    mapping_put(&m, out);
}

static void put_fields(struct buf *out, const struct schema *s,
                       const struct fields *fields)
{
    mp_put_array(out, (uint32_t)fields->count);
    for (size_t i = 0; i < fields->count; i++)
        put_field(out, s, &fields->items[i]);
}

/* Names of the fields at these positions, in that order. */
static void put_columns(struct buf *out, const struct fields *fields,
                        const size_t *positions, size_t count)
{
    mp_put_array(out, (uint32_t)count);
    for (size_t i = 0; i < count; i++)
        mp_put_text(out, fields->items[positions[i]].name);
}

static void put_off(struct buf *out, unsigned off)
{
    static const struct {
        enum type_off bit;
        const char *name;
    } words[] = {
        {OFF_APPEND, "append"},   {OFF_CREATE, "create"},
        {OFF_DELETE, "delete"},   {OFF_GET, "get"},
        {OFF_HISTORY, "history"}, {OFF_LIST, "list"},
        {OFF_PATCH, "patch"},     {OFF_PUT, "put"},
        {OFF_WATCH, "watch"},
    };
    mp_put_array(out, (uint32_t)__builtin_popcount(off));
    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
        if ((off & words[i].bit) != 0)
            mp_put_text(out, words[i].name);
}

void describe_event_type(struct buf *out, const struct schema *s,
                         const struct event_type *type)
{
    struct mapping m = {0};
    mapping_text(&m, "name", schema_short(s, type->name));
    mapping_text_or_not(&m, "doc", type->doc);
    mapping_text_or_not(&m, "where", type->where);
    mapping_text(&m, "kind", type->is_object ? "object" : "event");
    put_fields(mapping_key(&m, "header"), s, &type->header);
    if (type->raw_body != NULL)
        put_type(mapping_key(&m, "body"), s, type->raw_body);
    else
        put_fields(mapping_key(&m, "body"), s, &type->body);
    put_columns(mapping_key(&m, "key"), &type->header, type->key,
                type->key_count);
    struct key_pieces pieces = schema_key_pieces(s, type);
    if (!pieces.vary)
        mapping_uint(&m, "pieces", pieces.least);
    if (type->parent >= 0)
        mapping_text(&m, "parent", type->header.items[type->parent].name);
    put_off(mapping_key(&m, "off"), type->off);
    mapping_text_or_not(&m, "with", type->with);
    mapping_put(&m, out);
}

void describe_view(struct buf *out, const struct schema *s,
                   const struct view *view)
{
    struct mapping m = {0};
    mapping_text(&m, "name", schema_short(s, view->name));
    mapping_text_or_not(&m, "doc", view->doc);
    mapping_text_or_not(&m, "where", view->where);
    put_fields(mapping_key(&m, "columns"), s, &view->columns);
    put_columns(mapping_key(&m, "key"), &view->columns, view->key,
                view->key_count);
    put_columns(mapping_key(&m, "order"), &view->columns, view->order,
                view->order_count);
    mapping_put(&m, out);
}

void describe_rule(struct buf *out, const struct schema *s,
                   const struct rule *rule)
{
    struct mapping m = {0};
    mapping_text(&m, "name", schema_short(s, rule->name));
    mapping_text_or_not(&m, "doc", rule->doc);
    mapping_text_or_not(&m, "where", rule->where);
    struct buf *on = mapping_key(&m, "on");
    mp_put_array(on, (uint32_t)rule->on.count);
    for (size_t i = 0; i < rule->on.count; i++)
        mp_put_text(on, schema_short(s, rule->on.items[i]));
    mapping_text_or_not(&m, "text", rule->text);
    mapping_text(&m, "per", rule->per_transaction ? "transaction" : "event");
    mapping_put(&m, out);
}

void describe_method(struct buf *out, const struct schema *s,
                     const struct method *method)
{
    static const char *const runs[] = {[RUNS_BOTH] = "both",
                                       [RUNS_SERVER] = "server",
                                       [RUNS_CLIENT] = "client"};
    struct mapping m = {0};
    mapping_text(&m, "name", schema_short(s, method->name));
    mapping_text_or_not(&m, "doc", method->doc);
    mapping_text_or_not(&m, "where", method->where);
    mapping_text(&m, "mode", method->mode == METHOD_READ ? "read" : "write");
    mapping_text(&m, "runs", runs[method->runs]);
    put_fields(mapping_key(&m, "args"), s, &method->args);
    const struct schema_part *part = schema_part(s, method->schema);
    if (method->by_default == DEFAULT_NONE && part->context.count > 0)
        put_fields(mapping_key(&m, "context"), s, &part->context);
    if (method->returns != NULL)
        put_type(mapping_key(&m, "returns"), s, method->returns);
    mapping_bool(&m, "default", method->by_default != DEFAULT_NONE);
    /* What stood beside `run` for doors, whatever it is. */
    struct buf own = {0};
    mapping_put(&m, &own);
    fields_merge(out, buf_bytes(&own),
                 method->annotations.len > 0 ? method->annotations
                                             : bytes_of(NULL, 0));
    buf_deinit(&own);
}

void describe_worker(struct buf *out, const struct schema *s,
                     const struct worker *worker)
{
    struct mapping m = {0};
    mapping_text(&m, "name", schema_short(s, worker->method.name));
    mapping_text_or_not(&m, "doc", worker->method.doc);
    mapping_text_or_not(&m, "where", worker->method.where);
    if (worker->view != NULL) {
        struct buf *due = mapping_key(&m, "due");
        mp_put_array(due, 2);
        mp_put_text(due, schema_short(s, worker->view->name));
        mp_put_text(due, worker->view->columns.items[worker->column].name);
    } else {
        struct buf *on = mapping_key(&m, "on");
        mp_put_array(on, (uint32_t)worker->on.count);
        for (size_t i = 0; i < worker->on.count; i++)
            mp_put_text(on, schema_short(s, worker->on.items[i]));
    }
    mapping_put(&m, out);
}

static void put_part(struct buf *out, const struct schema *s,
                     const struct schema_part *part)
{
    struct mapping m = {0};
    mapping_text(&m, "name", part->name);
    mapping_text_or_not(&m, "doc", part->doc);
    mapping_int(&m, "version", part->version);
    mapping_text(&m, "bodies", part->sealed ? "sealed" : "open");
    if (part->context.count > 0)
        put_fields(mapping_key(&m, "context"), s, &part->context);
    mapping_put(&m, out);
}

/* What comes is followed, not called: a TYPE.watch has nothing to give. */
static bool is_callable(const struct method *method)
{
    return method->by_default != DEFAULT_WATCH;
}

static void put_methods(struct buf *out, const struct schema *s)
{
    uint32_t count = 0;
    for (size_t i = 0; i < s->method_count; i++)
        count += is_callable(&s->methods[i]) ? 1 : 0;
    mp_put_array(out, count);
    for (size_t i = 0; i < s->method_count; i++)
        if (is_callable(&s->methods[i]))
            describe_method(out, s, &s->methods[i]);
}

void schema_describe(const struct schema *s, struct buf *out)
{
    struct mapping m = {0};
    mapping_text(&m, "main", s->main);
    struct buf *list = mapping_key(&m, "parts");
    mp_put_array(list, (uint32_t)s->part_count);
    for (size_t i = 0; i < s->part_count; i++)
        put_part(list, s, &s->parts[i]);
    list = mapping_key(&m, "types");
    mp_put_array(list, (uint32_t)s->type_count);
    for (size_t i = 0; i < s->type_count; i++)
        describe_event_type(list, s, &s->types[i]);
    list = mapping_key(&m, "views");
    mp_put_array(list, (uint32_t)s->view_count);
    for (size_t i = 0; i < s->view_count; i++)
        describe_view(list, s, &s->views[i]);
    list = mapping_key(&m, "rules");
    mp_put_array(list, (uint32_t)s->rule_count);
    for (size_t i = 0; i < s->rule_count; i++)
        describe_rule(list, s, &s->rules[i]);
    put_methods(mapping_key(&m, "methods"), s);
    list = mapping_key(&m, "workers");
    mp_put_array(list, (uint32_t)s->worker_count);
    for (size_t i = 0; i < s->worker_count; i++)
        describe_worker(list, s, &s->workers[i]);
    mapping_put(&m, out);
}
