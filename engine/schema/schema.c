#include "schema/schema.h"

#include <assert.h>
#include <string.h>

#include "base/err.h"
#include "base/memory.h"
#include "base/near.h"

/* ---- freeing ---- */

static void texts_free(char **items, size_t count)
{
    for (size_t i = 0; i < count; i++)
        mem_free(items[i]);
    mem_free(items);
}

static void value_type_free(struct value_type *type)
{
    if (type == NULL)
        return;
    value_type_deinit(type);
    mem_free(type);
}

void value_type_deinit(struct value_type *type)
{
    mem_free(type->of);
    mem_free(type->target);
    texts_free(type->words, type->word_count);
    fields_deinit(&type->fields);
    value_type_free(type->item);
    mem_free((void *)type->default_value.data);
    *type = (struct value_type){0};
}

void fields_deinit(struct fields *fields)
{
    for (size_t i = 0; i < fields->count; i++) {
        mem_free(fields->items[i].name);
        mem_free(fields->items[i].doc);
        value_type_deinit(&fields->items[i].type);
    }
    mem_free(fields->items);
    *fields = (struct fields){0};
}

static void event_type_deinit(struct event_type *type)
{
    mem_free(type->name);
    mem_free(type->schema);
    mem_free(type->doc);
    mem_free(type->where);
    fields_deinit(&type->header);
    fields_deinit(&type->body);
    value_type_free(type->raw_body);
    mem_free(type->key);
    mem_free(type->with);
    for (size_t i = 0; i < type->right_count; i++) {
        mem_free(type->rights[i].name);
        mem_free(type->rights[i].doc);
    }
    mem_free(type->rights);
    mem_free(type->upgrades);
    mem_free(type->workers);
}

static void view_deinit(struct view *view)
{
    mem_free(view->name);
    mem_free(view->schema);
    mem_free(view->doc);
    mem_free(view->where);
    fields_deinit(&view->columns);
    mem_free(view->key);
    mem_free(view->order);
    for (size_t i = 0; i < view->fold_count; i++)
        mem_free(view->folds[i].type);
    mem_free(view->folds);
    mem_free(view->due);
}

static void rule_deinit(struct rule *rule)
{
    mem_free(rule->name);
    mem_free(rule->schema);
    mem_free(rule->doc);
    mem_free(rule->where);
    texts_free(rule->on.items, rule->on.count);
    mem_free(rule->text);
    fields_deinit(&rule->says);
}

static void method_deinit(struct method *method)
{
    mem_free(method->name);
    mem_free(method->schema);
    mem_free(method->doc);
    mem_free(method->where);
    fields_deinit(&method->args);
    value_type_free(method->returns);
    mem_free((void *)method->annotations.data);
}

static void worker_deinit(struct worker *worker)
{
    method_deinit(&worker->method);
    texts_free(worker->on.items, worker->on.count);
}

void schema_deinit(struct schema *s)
{
    for (size_t i = 0; i < s->part_count; i++) {
        mem_free(s->parts[i].name);
        mem_free(s->parts[i].doc);
        fields_deinit(&s->parts[i].context);
    }
    for (size_t i = 0; i < s->type_count; i++)
        event_type_deinit(&s->types[i]);
    for (size_t i = 0; i < s->view_count; i++)
        view_deinit(&s->views[i]);
    for (size_t i = 0; i < s->rule_count; i++)
        rule_deinit(&s->rules[i]);
    for (size_t i = 0; i < s->method_count; i++)
        method_deinit(&s->methods[i]);
    for (size_t i = 0; i < s->worker_count; i++)
        worker_deinit(&s->workers[i]);
    mem_free(s->main);
    mem_free(s->parts);
    mem_free(s->types);
    mem_free(s->views);
    mem_free(s->rules);
    mem_free(s->methods);
    mem_free(s->workers);
    *s = (struct schema){0};
}

/* ---- finding ---- */

/* Every struct that is looked up by name starts with its name. */
static_assert(offsetof(struct event_type, name) == 0, "found by name");
static_assert(offsetof(struct view, name) == 0, "found by name");
static_assert(offsetof(struct method, name) == 0, "found by name");
static_assert(offsetof(struct field, name) == 0, "found by name");
static_assert(offsetof(struct worker, method) == 0, "found by name");

static const char *name_at(const void *items, size_t size, size_t i)
{
    const char *name;
    memcpy(&name, (const uint8_t *)items + i * size, sizeof(name));
    return name;
}

/* Compare `name` with "<prefix>.<tail>", or with `tail` alone when prefix is
 * NULL, without putting the two together. */
static int compare_name(const char *name, const char *prefix, struct bytes tail)
{
    if (prefix != NULL) {
        size_t len = strlen(prefix);
        int order = strncmp(name, prefix, len);
        if (order != 0)
            return order;
        if (name[len] != '.')
            return (uint8_t)name[len] - '.';
        name += len + 1;
    }
    return bytes_compare(bytes_of_text(name), tail);
}

static const void *find(const void *items, size_t count, size_t size,
                        const char *prefix, struct bytes tail)
{
    size_t low = 0;
    size_t high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = compare_name(name_at(items, size, middle), prefix, tail);
        if (order == 0)
            return (const uint8_t *)items + middle * size;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

static const void *find_qualified(const struct schema *s, const void *items,
                                  size_t count, size_t size, struct bytes name)
{
    const void *found = find(items, count, size, NULL, name);
    if (found == NULL && s->main != NULL)
        found = find(items, count, size, s->main, name);
    return found;
}

const struct event_type *schema_type(const struct schema *s, struct bytes name)
{
    return find_qualified(s, s->types, s->type_count, sizeof(s->types[0]),
                          name);
}

int event_type_upgrade(const struct event_type *type, int64_t version)
{
    for (size_t i = 0; i < type->upgrade_count; i++)
        if (type->upgrades[i].version == version)
            return type->upgrades[i].function;
    return 0;
}

const struct view *schema_view(const struct schema *s, struct bytes name)
{
    return find_qualified(s, s->views, s->view_count, sizeof(s->views[0]),
                          name);
}

bool view_is_key(const struct view *view, size_t column)
{
    for (size_t i = 0; i < view->key_count; i++)
        if (view->key[i] == column)
            return true;
    return false;
}

const struct method *schema_method(const struct schema *s, struct bytes name)
{
    return find_qualified(s, s->methods, s->method_count, sizeof(s->methods[0]),
                          name);
}

const struct worker *schema_worker(const struct schema *s, struct bytes name)
{
    return find_qualified(s, s->workers, s->worker_count, sizeof(s->workers[0]),
                          name);
}

int schema_no_worker(const struct schema *s, struct bytes name, struct err *err)
{
    const char **names = mem_alloc((s->worker_count + 1) * sizeof(*names));
    for (size_t i = 0; i < s->worker_count; i++)
        names[i] = schema_short(s, s->workers[i].method.name);
    int rc = err_set(err, ATE_ENOT_FOUND, "no worker '%.*s'", (int)name.len,
                     (const char *)name.data);
    near_tell(err, name, names, s->worker_count, "");
    mem_free(names);
    return rc;
}

const struct schema_part *schema_part(const struct schema *s, const char *name)
{
    for (size_t i = 0; i < s->part_count; i++)
        if (strcmp(s->parts[i].name, name) == 0)
            return &s->parts[i];
    return NULL;
}

const struct field *fields_find(const struct fields *fields, struct bytes name)
{
    return find(fields->items, fields->count, sizeof(fields->items[0]), NULL,
                name);
}

const char *schema_short(const struct schema *s, const char *name)
{
    assert(name != NULL);
    size_t len = s->main == NULL ? 0 : strlen(s->main);
    if (len > 0 && strncmp(name, s->main, len) == 0 && name[len] == '.')
        return name + len + 1;
    return name;
}

/* ---- text keys ---- */

enum {
    KEY_DEPTH_MAX = 8, /* keys within keys */
    /* Counting ends behind so many, or a schema whose keys hold keys eight
     * times over would take hours. */
    KEY_PIECES_MAX = 4096,
};

static struct key_pieces pieces_of(const struct schema *s,
                                   const struct event_type *type, int depth,
                                   size_t *varying);

static struct key_pieces ref_pieces(const struct schema *s,
                                    const struct field *field, int depth)
{
    size_t varying = 0;
    const char *name = field->type.target;
    const struct event_type *target =
        name != NULL ? schema_type(s, bytes_of_text(name)) : NULL;
    return pieces_of(s, target, depth + 1, &varying);
}

static struct key_pieces parent_pieces(const struct schema *s,
                                       const struct event_type *type, int depth)
{
    if (type->parent < 0)
        return (struct key_pieces){0, false};
    const struct field *field = &type->header.items[type->parent];
    if (field->type.optional)
        return (struct key_pieces){0, true};
    return ref_pieces(s, field, depth);
}

static struct key_pieces field_pieces(const struct schema *s,
                                      const struct field *field, int depth)
{
    if (field->type.kind == VALUE_REF)
        return ref_pieces(s, field, depth);
    return (struct key_pieces){1, false};
}

/* What has no key is written as its place, one piece. */
static struct key_pieces pieces_of(const struct schema *s,
                                   const struct event_type *type, int depth,
                                   size_t *varying)
{
    if (type == NULL || type->key_count == 0 || depth > KEY_DEPTH_MAX)
        return (struct key_pieces){1, false};
    struct key_pieces all = parent_pieces(s, type, depth);
    *varying += all.vary;
    for (size_t i = 0; i < type->key_count; i++) {
        if (all.least > KEY_PIECES_MAX || *varying > 1)
            break;
        if (!event_type_writes(type, i))
            continue;
        struct key_pieces one =
            field_pieces(s, &type->header.items[type->key[i]], depth);
        all.least += one.least;
        all.vary |= one.vary;
        *varying += one.vary;
    }
    return all;
}

struct key_pieces schema_key_pieces(const struct schema *s,
                                    const struct event_type *type)
{
    size_t varying = 0;
    return pieces_of(s, type, 0, &varying);
}

struct key_pieces schema_parent_pieces(const struct schema *s,
                                       const struct event_type *type)
{
    return parent_pieces(s, type, 0);
}

struct key_pieces schema_field_pieces(const struct schema *s,
                                      const struct field *field)
{
    return field_pieces(s, field, 0);
}

bool schema_key_is_ambiguous(const struct schema *s,
                             const struct event_type *type)
{
    size_t varying = 0;
    pieces_of(s, type, 0, &varying);
    return varying > 1;
}

bool event_type_writes(const struct event_type *type, size_t key)
{
    return (int)type->key[key] != type->parent;
}
