#include "schema/compat.h"

#include <string.h>

#include "base/err.h"

/* ---- values ---- */

static bool same_text(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool has_word(const struct value_type *type, const char *word)
{
    for (size_t i = 0; i < type->word_count; i++)
        if (strcmp(type->words[i], word) == 0)
            return true;
    return false;
}

/* Is what may be absent there allowed to be absent here? */
static bool may_lack(const struct value_type *type)
{
    return type->optional || type->default_value.len > 0;
}

/* A number that bundles from before SCHEMA_EXACT_MAX left free counts as one
 * that is bounded by it: beyond that nobody could read it. */
static bool is_narrower(const struct value_type *before,
                        const struct value_type *after)
{
    return (after->min > before->min && after->min > -SCHEMA_EXACT_MAX) ||
           (after->max < before->max && after->max < SCHEMA_EXACT_MAX);
}

static const char *fields_differ(const struct fields *before,
                                 const struct fields *after);

/* Why a value that fits `before` may not fit `after`; NULL: it does. */
static const char *value_differs(const struct value_type *before,
                                 const struct value_type *after)
{
    if (before->kind != after->kind)
        return "is of another kind";
    if (before->optional && !may_lack(after))
        return "may be absent in what is stored; let it be optional or give it "
               "a default";
    if (is_narrower(before, after))
        return "has narrower bounds";
    if (after->len_min > before->len_min || after->len_max < before->len_max)
        return "has narrower lengths";
    if (before->kind == VALUE_AMOUNT &&
        (before->scale != after->scale || !same_text(before->of, after->of)))
        return "has another scale";
    if (!same_text(before->target, after->target))
        return "names another type";
    for (size_t i = 0; i < before->word_count; i++)
        if (!has_word(after, before->words[i]))
            return "lacks a word that it had";
    if (before->kind == VALUE_STRUCT)
        return fields_differ(&before->fields, &after->fields);
    if (before->kind == VALUE_LIST)
        return value_differs(before->item, after->item);
    return NULL;
}

/* What stands in a list or struct gets no defaults: there it has to fit. */
static const char *fields_differ(const struct fields *before,
                                 const struct fields *after)
{
    for (size_t i = 0; i < before->count; i++) {
        const struct field *field =
            fields_find(after, bytes_of_text(before->items[i].name));
        if (field == NULL)
            return "lacks a field that it had";
        const char *why = value_differs(&before->items[i].type, &field->type);
        if (why != NULL)
            return why;
    }
    for (size_t i = 0; i < after->count; i++)
        if (!after->items[i].type.optional &&
            fields_find(before, bytes_of_text(after->items[i].name)) == NULL)
            return "has a new field, which has to be optional there";
    return NULL;
}

/* ---- types ---- */

struct why {
    const char *field; /* or NULL */
    const char *text;
};

static bool find_difference(const struct fields *before,
                            const struct fields *after, struct why *why)
{
    for (size_t i = 0; i < before->count; i++) {
        const char *name = before->items[i].name;
        const struct field *field = fields_find(after, bytes_of_text(name));
        why->field = name;
        why->text = field == NULL
                        ? "is gone"
                        : value_differs(&before->items[i].type, &field->type);
        if (why->text != NULL)
            return true;
    }
    for (size_t i = 0; i < after->count; i++) {
        why->field = after->items[i].name;
        why->text = "is new, and needs a default or has to be optional";
        if (!may_lack(&after->items[i].type) &&
            fields_find(before, bytes_of_text(why->field)) == NULL)
            return true;
    }
    return false;
}

static bool has_new_defaults(const struct fields *before,
                             const struct fields *after)
{
    for (size_t i = 0; i < after->count; i++) {
        const struct field *field = &after->items[i];
        const struct field *was =
            fields_find(before, bytes_of_text(field->name));
        if (field->type.default_value.len > 0 &&
            (was == NULL || was->type.optional))
            return true;
    }
    return false;
}

bool type_needs_upgrade(const struct event_type *before,
                        const struct event_type *after)
{
    struct why why;
    return find_difference(&before->header, &after->header, &why) ||
           has_new_defaults(&before->header, &after->header) ||
           after->upgrade_count > 0;
}

int type_say_unconverted(const struct event_type *before,
                         const struct event_type *after, int64_t version,
                         struct err *err)
{
    struct why why;
    if (event_type_upgrade(after, version) != 0 ||
        !find_difference(&before->header, &after->header, &why))
        return err->code;
    long long v = (long long)version;
    return err_wrap(err,
                    "version %lld stored it, %s.%s %s, and there is no "
                    "upgrade[%lld] (%s); keep that as long as the log has "
                    "events of version %lld",
                    v, after->name, why.field, why.text, v, after->where, v);
}

static bool same_key(const struct event_type *a, const struct event_type *b)
{
    if (a->key_count != b->key_count)
        return false;
    for (size_t i = 0; i < a->key_count; i++) {
        const struct field *x = &a->header.items[a->key[i]];
        const struct field *y = &b->header.items[b->key[i]];
        if (strcmp(x->name, y->name) != 0 || x->type.kind != y->type.kind ||
            !same_text(x->type.target, y->type.target))
            return false;
    }
    return true;
}

static const char *parent_name(const struct event_type *type)
{
    return type->parent < 0 ? NULL : type->header.items[type->parent].name;
}

static int refuse(const struct event_type *type, const struct why *why,
                  struct err *err)
{
    return err_set(err, ATE_EINVALID, "%s%s%s %s (%s)", type->name,
                   why->field != NULL ? "." : "",
                   why->field != NULL ? why->field : "", why->text,
                   type->where);
}

/* What no upgrade can change: ids are made of it. */
static int check_frame(const struct event_type *before,
                       const struct event_type *after, struct err *err)
{
    struct why why = {NULL, NULL};
    if (before->is_object != after->is_object)
        why.text = "was an object or an event, and stays one";
    else if (!same_key(before, after))
        why.text = "keeps its key for ever";
    else if (!same_text(parent_name(before), parent_name(after)))
        why.text = "keeps its parent for ever";
    else if ((before->raw_body != NULL) != (after->raw_body != NULL) ||
             (before->raw_body != NULL &&
              before->raw_body->kind != after->raw_body->kind))
        why.text = "keeps the kind of its body for ever";
    return why.text == NULL ? 0 : refuse(after, &why, err);
}

/* Bodies are not converted: they have to fit as they are stored. */
static int check_bodies(const struct event_type *before,
                        const struct event_type *after, struct err *err)
{
    struct why why = {"body", fields_differ(&before->body, &after->body)};
    if (why.text == NULL && before->raw_body != NULL)
        why.text = value_differs(before->raw_body, after->raw_body);
    return why.text == NULL ? 0 : refuse(after, &why, err);
}

static int type_may_follow(const struct event_type *before,
                           const struct event_type *after, int64_t version,
                           struct err *err)
{
    struct why why = {NULL, NULL};
    int rc = check_frame(before, after, err);
    if (rc == 0)
        rc = check_bodies(before, after, err);
    if (rc != 0 || !find_difference(&before->header, &after->header, &why) ||
        event_type_upgrade(after, version) != 0)
        return rc;
    return err_set(err, ATE_EINVALID,
                   "%s.%s %s (%s); types only grow, the rest takes upgrade = "
                   "{[%lld] = function(old) ... end}",
                   after->name, why.field, why.text, after->where,
                   (long long)version);
}

/* ---- schemas ---- */

static int part_may_follow(const struct schema_part *before,
                           const struct schema *after, struct err *err)
{
    const struct schema_part *part = schema_part(after, before->name);
    if (part == NULL)
        return err_set(err, ATE_EINVALID,
                       "schema %s: is gone, and events of its types may be "
                       "stored",
                       before->name);
    if (part->sealed != before->sealed)
        return err_set(err, ATE_EINVALID,
                       "schema %s: keeps bodies = '%s' for ever", before->name,
                       before->sealed ? "sealed" : "open");
    if (part->version >= before->version)
        return 0;
    return err_set(err, ATE_EINVALID,
                   "schema %s: version %lld follows on %lld; count it up",
                   before->name, (long long)part->version,
                   (long long)before->version);
}

int schema_may_follow(const struct schema *before, const struct schema *after,
                      struct err *err)
{
    if (strcmp(before->main, after->main) != 0)
        return err_set(err, ATE_EINVALID,
                       "the chain's schema is %s, this one is %s", before->main,
                       after->main);
    for (size_t i = 0; i < before->part_count; i++) {
        int rc = part_may_follow(&before->parts[i], after, err);
        if (rc != 0)
            return rc;
    }
    const struct schema_part *was = schema_part(before, before->main);
    const struct schema_part *is = schema_part(after, after->main);
    if (is->version == was->version)
        return err_set(err, ATE_EINVALID,
                       "schema %s: its version is %lld as before; count it up",
                       after->main, (long long)is->version);
    for (size_t i = 0; i < before->type_count; i++) {
        const struct event_type *type = &before->types[i];
        const struct event_type *now =
            schema_type(after, bytes_of_text(type->name));
        if (now == NULL)
            return err_set(err, ATE_EINVALID,
                           "%s: is gone; types only grow (turn its methods "
                           "off instead)",
                           type->name);
        int rc = type_may_follow(
            type, now, schema_part(before, type->schema)->version, err);
        if (rc != 0)
            return rc;
    }
    return 0;
}
