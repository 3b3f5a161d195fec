#include "declare/default_methods.h"

#include <assert.h>
#include <string.h>

#include "base/limits.h"
#include "base/memory.h"
#include "declare/declare_value.h"

enum { LIST_MAX = 1000 /* objects of one answer */ };

static const struct {
    const char *word;
    const char *doc;
    enum method_default by_default;
    enum method_mode mode;
    unsigned off;
    bool object, event;
} rows[] = {
    {"append", "Write one down.", DEFAULT_APPEND, METHOD_WRITE, OFF_APPEND,
     false, true},
    {"create", "Make one that is not there yet.", DEFAULT_CREATE, METHOD_WRITE,
     OFF_CREATE, true, false},
    {"delete", "Delete one.", DEFAULT_DELETE, METHOD_WRITE, OFF_DELETE, true,
     false},
    {"get", "Read one.", DEFAULT_GET, METHOD_READ, OFF_GET, true, true},
    {"history", "All versions of one, the newest first.", DEFAULT_HISTORY,
     METHOD_READ, OFF_HISTORY, true, false},
    {"list", "All that are there.", DEFAULT_LIST, METHOD_READ, OFF_LIST, true,
     true},
    {"patch", "Change some fields of one.", DEFAULT_PATCH, METHOD_WRITE,
     OFF_PATCH, true, false},
    {"put", "Make one, or write all fields of the one that is there.",
     DEFAULT_PUT, METHOD_WRITE, OFF_PUT, true, false},
    {"watch", "What happens to them from now on.", DEFAULT_WATCH, METHOD_READ,
     OFF_WATCH, true, true},
};
enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

static bool has(const struct event_type *type, size_t row)
{
    return (type->is_object ? rows[row].object : rows[row].event) &&
           (type->off & rows[row].off) == 0;
}

size_t default_methods_count(const struct event_type *type)
{
    size_t count = 0;
    for (size_t i = 0; i < ROWS; i++)
        count += has(type, i) ? 1 : 0;
    return count;
}

static struct value_type simple(enum value_kind kind, bool optional)
{
    return (struct value_type){
        .kind = kind,
        .optional = optional,
        .min = kind == VALUE_INTEGER ? 1 : INT64_MIN,
        .max = kind == VALUE_INTEGER ? LIST_MAX : INT64_MAX,
        .len_max = LIMIT_STATE_KEY,
    };
}

static void add(struct fields *out, const char *name,
                const struct value_type *type)
{
    fields_add_one(NULL, NULL, out, name, type);
}

static void add_id(struct fields *out, const struct event_type *type,
                   bool optional)
{
    struct value_type ref = simple(VALUE_REF, optional);
    ref.target = type->name;
    add(out, "id", &ref);
}

/* Names are told apart when the type is declared, so nothing is there twice. */
static void add_all(struct fields *out, const struct event_type *type)
{
    fields_add(NULL, NULL, out, &type->header);
    fields_add(NULL, NULL, out, &type->body);
    if (type->raw_body != NULL)
        add(out, "body", type->raw_body);
}

static void make_optional(struct value_type *type)
{
    mem_free((void *)type->default_value.data);
    type->default_value = (struct bytes){0};
    type->optional = true;
}

/* Does a field of the header name the object? */
static bool is_name(const struct event_type *type, size_t position)
{
    for (size_t i = 0; i < type->key_count; i++)
        if (type->key[i] == position)
            return true;
    return type->parent >= 0 && (size_t)type->parent == position;
}

/* Which one: its id or, where it has a key, the fields that name it. */
static void add_name(struct fields *out, const struct event_type *type)
{
    add_id(out, type, type->key_count > 0);
    for (size_t i = 0; i < type->header.count && type->key_count > 0; i++) {
        struct value_type optional = type->header.items[i].type;
        optional.optional = true;
        if (is_name(type, i))
            add(out, type->header.items[i].name, &optional);
    }
}

static void add_changes(struct fields *out, const struct event_type *type)
{
    struct fields all = {0};
    add_all(&all, type);
    for (size_t i = 0; i < all.count; i++) {
        struct field *field = &all.items[i];
        const struct field *header =
            fields_find(&type->header, bytes_of_text(field->name));
        if (header != NULL &&
            is_name(type, (size_t)(header - type->header.items)))
            continue;
        make_optional(&field->type);
        add(out, field->name, &field->type);
    }
    fields_deinit(&all);
    add_name(out, type);
}

static void add_page(struct fields *out, const struct event_type *type)
{
    struct value_type after = simple(VALUE_TEXT, true);
    struct value_type limit = simple(VALUE_INTEGER, true);
    add(out, "after", &after);
    add(out, "limit", &limit);
    if (type->parent < 0)
        return;
    const struct field *parent = &type->header.items[type->parent];
    bool taken = strcmp(parent->name, "after") == 0 ||
                 strcmp(parent->name, "limit") == 0;
    if (taken)
        return;
    struct value_type ref = parent->type;
    ref.optional = true;
    add(out, parent->name, &ref);
}

/* The version that a write is based on. */
static void add_before(struct fields *out)
{
    struct value_type before = simple(VALUE_TEXT, true);
    add(out, "before", &before);
}

static void add_args(struct method *method, const struct event_type *type)
{
    struct value_type after = simple(VALUE_TEXT, true);
    if (method->by_default == DEFAULT_PUT ||
        method->by_default == DEFAULT_PATCH ||
        method->by_default == DEFAULT_DELETE)
        add_before(&method->args);
    switch (method->by_default) {
    case DEFAULT_CREATE:
    case DEFAULT_PUT:
    case DEFAULT_APPEND:
        add_all(&method->args, type);
        break;
    case DEFAULT_PATCH:
        add_changes(&method->args, type);
        break;
    case DEFAULT_GET:
    case DEFAULT_DELETE:
    case DEFAULT_HISTORY:
        add_name(&method->args, type);
        break;
    case DEFAULT_LIST:
        add_page(&method->args, type);
        break;
    case DEFAULT_WATCH:
        add(&method->args, "after", &after);
        break;
    default:
        break;
    }
}

/* An object as it is read: who cannot read its body gets the rest. */
static struct value_type as_read(const struct event_type *type)
{
    struct value_type whole = simple(VALUE_STRUCT, false);
    add_all(&whole.fields, type);
    for (size_t i = 0; i < whole.fields.count; i++)
        make_optional(&whole.fields.items[i].type);
    add_id(&whole.fields, type, false);
    return whole;
}

static void set_returns(struct method *method, const struct event_type *type)
{
    struct value_type returns;
    switch (method->by_default) {
    case DEFAULT_CREATE:
    case DEFAULT_PUT:
    case DEFAULT_PATCH:
    case DEFAULT_APPEND:
        returns = simple(VALUE_REF, false);
        returns.target = mem_text(type->name);
        break;
    case DEFAULT_GET:
        returns = as_read(type);
        break;
    case DEFAULT_LIST:
        returns = simple(VALUE_LIST, false);
        returns.len_max = LIST_MAX;
        returns.item = mem_zero(1, sizeof(*returns.item));
        *returns.item = as_read(type);
        break;
    default:
        return;
    }
    method->returns = mem_copy(&returns, sizeof(returns));
}

void default_methods_put(const struct event_type *type, struct method *out)
{
    size_t at = 0;
    for (size_t i = 0; i < ROWS; i++) {
        if (!has(type, i))
            continue;
        struct method *method = &out[at++];
        struct buf name = {0};
        buf_printf(&name, "%s.%s", type->name, rows[i].word);
        *method = (struct method){
            .name = mem_text(buf_text(&name)),
            .schema = mem_text(type->schema),
            .doc = mem_text(rows[i].doc),
            .where = mem_text(type->where),
            .mode = rows[i].mode,
            .by_default = rows[i].by_default,
            .type = type,
        };
        buf_deinit(&name);
        add_args(method, type);
        set_returns(method, type);
    }
    assert(at == default_methods_count(type));
}
