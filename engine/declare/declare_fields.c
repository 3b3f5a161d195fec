/* Tables of fields, what their types say of each other, and copies of them. */
#include "declare/declare_value.h"

#include <assert.h>
#include <lauxlib.h>
#include <string.h>

#include "base/memory.h"
#include "declare/vocabulary.h"

/* Members that objects and events have in Lua beside their fields. */
static bool is_reserved(enum value_use use, const char *name)
{
    return (use == USE_HEADER || use == USE_BODY) &&
           (strcmp(name, "id") == 0 || strcmp(name, "change") == 0 ||
            strcmp(name, "before") == 0);
}

/* ---- amounts that have the scale of another field's target ---- */

/* A list of amounts has its `of` beside the list. */
static const struct value_type *amount_of(const struct value_type *type)
{
    while (type->kind == VALUE_LIST)
        type = type->item;
    return type->kind == VALUE_AMOUNT && type->of != NULL ? type : NULL;
}

static void check_of(struct declaring *d, const struct place *place,
                     const struct value_type *amount,
                     const struct fields *fields, const struct fields *around)
{
    struct bytes name = bytes_of_text(amount->of);
    const struct field *field = fields_find(fields, name);
    if (field == NULL && around != NULL)
        field = fields_find(around, name);
    if (field == NULL) {
        wrong(d, place, "of names '%s', and there is no such field beside it",
              amount->of);
        return;
    }
    if (field->type.kind != VALUE_REF) {
        wrong(d, place, "of names '%s', which is no ref", amount->of);
        return;
    }
    const struct event_type *target =
        schema_type(d->out, bytes_of_text(field->type.target));
    assert(target != NULL); /* a ref has a target that is there */
    d->scales = mem_array_grow(d->scales, d->scale_count, &d->scale_cap,
                               sizeof(d->scales[0]));
    d->scales[d->scale_count++] =
        (struct scale_check){.place = *place, .target = target};
}

void check_scales(struct declaring *d)
{
    for (size_t i = 0; i < d->scale_count; i++) {
        const struct scale_check *check = &d->scales[i];
        const struct field *scale =
            fields_find(&check->target->header, bytes_of_text("scale"));
        if (scale == NULL || scale->type.kind != VALUE_INTEGER ||
            scale->type.optional)
            wrong(d, &check->place,
                  "of refers to '%s', whose header has no integer 'scale'",
                  check->target->name);
    }
    d->scale_count = 0;
}

/* ---- reading ---- */

/* The line of the type that field `name` of the table at `table` has. */
static struct place place_of_field(struct declaring *d,
                                   const struct place *place, int table,
                                   const char *name)
{
    struct place at = place_in(place, name);
    lua_getfield(d->L, table, name);
    if (vocabulary_is_type(d->L, -1)) {
        vocabulary_push_type(d->L, -1);
        lua_getfield(d->L, -1, "where");
        at = place_at(lua_tostring(d->L, -1), at.path);
        lua_pop(d->L, 2);
    }
    lua_pop(d->L, 1);
    return at;
}

static void read_field(const struct reading *r, const struct place *place,
                       int table, struct field *field)
{
    struct place at = place_of_field(r->d, place, table, field->name);
    if (is_reserved(r->use, field->name) && r->depth == 0)
        wrong(r->d, &at,
              "every object and event has an '%s' of its own: take "
              "another name",
              field->name);
    lua_getfield(r->d->L, table, field->name);
    read_value(r, at, &field->type, &field->doc);
    lua_pop(r->d->L, 1);
}

void read_table(const struct reading *r, const struct place *place,
                const struct fields *around, struct fields *out)
{
    struct declaring *d = r->d;
    int table = lua_gettop(d->L);
    assert(out->count == 0 && out->items == NULL);
    if (!lua_istable(d->L, table)) {
        wrong(d, place, "want a table of fields, such as {name = t.name()}");
        return;
    }
    const struct text_list *names = read_names(d, place, table);
    out->items = mem_zero(names->count, sizeof(out->items[0]));
    for (size_t i = 0; i < names->count; i++) {
        struct place at = place_of_field(d, place, table, names->items[i]);
        if (!name_allowed(d, &at, names->items[i]))
            continue;
        struct field *field = &out->items[out->count++];
        field->name = mem_text(names->items[i]);
        field->type.len_max = 1;
        read_field(r, place, table, field);
    }
    for (size_t i = 0; i < out->count; i++) {
        const struct value_type *amount = amount_of(&out->items[i].type);
        if (amount == NULL)
            continue;
        struct place at = place_of_field(d, place, table, out->items[i].name);
        check_of(d, &at, amount, out, around);
    }
}

void read_fields(struct declaring *d, const struct place *place,
                 enum value_use use, const struct fields *around,
                 struct fields *out)
{
    struct reading r = {.d = d, .use = use, .is_field = true};
    read_table(&r, place, around, out);
}

void read_type(struct declaring *d, const struct place *place,
               enum value_use use, const struct fields *around,
               struct value_type *out)
{
    static const struct fields none = {0};
    struct reading r = {.d = d, .use = use};
    read_value(&r, *place, out, NULL);
    const struct value_type *amount = amount_of(out);
    if (amount != NULL)
        check_of(d, place, amount, around != NULL ? around : &none, NULL);
}

/* ---- copies ---- */

static void type_copy(struct value_type *out, const struct value_type *type);

static void fields_copy(struct fields *out, const struct fields *fields)
{
    out->count = fields->count;
    out->items = mem_zero(fields->count, sizeof(out->items[0]));
    for (size_t i = 0; i < fields->count; i++) {
        const struct field *field = &fields->items[i];
        out->items[i].name = mem_text(field->name);
        out->items[i].doc = field->doc == NULL ? NULL : mem_text(field->doc);
        type_copy(&out->items[i].type, &field->type);
    }
}

static void type_copy(struct value_type *out, const struct value_type *type)
{
    struct bytes value = type->default_value;
    *out = *type;
    out->of = type->of == NULL ? NULL : mem_text(type->of);
    out->target = type->target == NULL ? NULL : mem_text(type->target);
    out->words = NULL;
    if (type->word_count > 0)
        out->words = mem_zero(type->word_count, sizeof(out->words[0]));
    for (size_t i = 0; i < type->word_count; i++)
        out->words[i] = mem_text(type->words[i]);
    fields_copy(&out->fields, &type->fields);
    out->item = NULL;
    if (type->item != NULL) {
        out->item = mem_zero(1, sizeof(*out->item));
        type_copy(out->item, type->item);
    }
    if (value.len > 0)
        out->default_value =
            bytes_of(mem_copy(value.data, value.len), value.len);
}

struct field *fields_add_one(struct declaring *d, const struct place *place,
                             struct fields *out, const char *name,
                             const struct value_type *type)
{
    size_t at = 0;
    while (at < out->count && strcmp(out->items[at].name, name) < 0)
        at++;
    if (at < out->count && strcmp(out->items[at].name, name) == 0) {
        wrong(d, place, "has two fields called '%s'", name);
        return NULL;
    }
    out->items =
        mem_resize(out->items, (out->count + 1) * sizeof(out->items[0]));
    memmove(&out->items[at + 1], &out->items[at],
            (out->count - at) * sizeof(out->items[0]));
    out->count++;
    out->items[at] = (struct field){.name = mem_text(name)};
    type_copy(&out->items[at].type, type);
    return &out->items[at];
}

void fields_add(struct declaring *d, const struct place *place,
                struct fields *out, const struct fields *more)
{
    for (size_t i = 0; i < more->count; i++) {
        const struct field *field = &more->items[i];
        struct field *copy =
            fields_add_one(d, place, out, field->name, &field->type);
        if (copy != NULL && field->doc != NULL)
            copy->doc = mem_text(field->doc);
    }
}
