/* Objects, events, and what is said of a schema as a whole. */
#include "declare/declaring.h"

#include <assert.h>
#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "declare/declare_value.h"
#include "declare/vocabulary.h"
#include "schema/rights.h"

enum { KEY_MAX = 8 }; /* fields of a key */

void declare_part(struct declaring *d, const struct record *record,
                  struct schema_part *part)
{
    static const char *const keys[] = {"doc", "version", "bodies", "context",
                                       NULL};
    static const char *const bodies[] = {"open", "sealed", NULL};
    struct place place = place_at(record->where, record->name);
    struct place version = place_in(&place, "version");
    int options = lua_gettop(d->L);
    part->name = mem_text(record->name);
    name_allowed(d, &place, record->name);
    if (strcmp(record->name, "ate") == 0)
        wrong(d, &place, "'ate' is the engine's own: take another name");
    read_keys(d, &place, options, keys);
    part->doc = read_doc(d, &place, options);
    bool known = read_integer(d, &place, options, "version", &part->version);
    if (!known && !is_told(d, &version))
        wrong(d, &version,
              "want a whole number that grows with the schema; "
              "begin with 1");
    else if (known && part->version < 1)
        wrong(d, &version, "is at least 1");
    part->sealed = read_word(d, &place, options, "bodies", bodies, 0) == 1;
    if (read_push(d, options, "context")) {
        struct place at = place_in(&place, "context");
        read_fields(d, &at, USE_CONTEXT, NULL, &part->context);
        lua_pop(d->L, 1);
    }
}

/* ---- body ---- */

static void read_raw_body(struct declaring *d, const struct place *place,
                          struct event_type *type)
{
    type->raw_body = mem_zero(1, sizeof(*type->raw_body));
    type->raw_body->len_max = 1;
    read_type(d, place, USE_RAW, NULL, type->raw_body);
    enum value_kind kind = type->raw_body->kind;
    if (kind != VALUE_TEXT && kind != VALUE_BLOB)
        wrong(d, place, "is a table of fields, or one t.text or t.blob");
    if (fields_find(&type->header, bytes_of_text("body")) != NULL)
        wrong(d, place,
              "is called 'body' where it is read and written, and "
              "the header has a field of that name");
}

static void read_body(struct declaring *d, const struct place *place,
                      int options, struct event_type *type)
{
    struct place at = place_in(place, "body");
    if (!read_push(d, options, "body"))
        return;
    if (vocabulary_is_type(d->L, -1))
        read_raw_body(d, &at, type);
    else
        read_fields(d, &at, USE_BODY, NULL, &type->body);
    lua_pop(d->L, 1);
    for (size_t i = 0; i < type->body.count; i++) {
        const char *name = type->body.items[i].name;
        if (fields_find(&type->header, bytes_of_text(name)) == NULL)
            continue;
        struct place field = place_in(&at, name);
        wrong(d, &field, "is a field of the header already");
    }
}

/* ---- key and parent ---- */

static bool may_name(enum value_kind kind)
{
    return kind == VALUE_NAME || kind == VALUE_INTEGER || kind == VALUE_ENUM ||
           kind == VALUE_DATE || kind == VALUE_MONTH || kind == VALUE_REF ||
           kind == VALUE_IDENTITY;
}

static void check_key_field(struct declaring *d, const struct place *place,
                            const struct place *header,
                            const struct field *field)
{
    const struct value_type *type = &field->type;
    struct place at = place_in(header, field->name);
    if (is_told(d, &at))
        return;
    if (type->kind == VALUE_TEXT)
        wrong(d, place,
              "'%s' is a text: a key is part of a path, so it takes "
              "t.name",
              field->name);
    else if (!may_name(type->kind))
        wrong(d, place,
              "'%s' is none of name, integer, enum, date, month, "
              "ref and identity",
              field->name);
    if (type->optional || type->default_value.len > 0)
        wrong(d, place,
              "'%s' is always given: it is neither optional nor has "
              "it a default",
              field->name);
}

/* Names of fields that have to stand in the header. */
static void check_in_header(struct declaring *d, const struct place *place,
                            const struct event_type *type, const char *name)
{
    if (fields_find(&type->body, bytes_of_text(name)) != NULL)
        wrong(d, place, "'%s' is in the body: move it to the header", name);
}

static void read_key(struct declaring *d, const struct place *place,
                     int options, struct event_type *type)
{
    struct place at = place_in(place, "key");
    struct place header = place_in(place, "header");
    const struct text_list *names = read_texts(d, place, options, "key");
    if (names == NULL) {
        bool there = read_push(d, options, "key");
        if (there)
            lua_pop(d->L, 1);
        else if (type->is_object)
            wrong(d, &at,
                  "is missing: an object is found by fields of its "
                  "header, such as key = {'name'}");
        return;
    }
    if (names->count == 0)
        wrong(d, &at, "names no field");
    if (names->count > KEY_MAX)
        wrong(d, &at, "names more than %d fields", KEY_MAX);
    for (size_t i = 0; i < names->count; i++)
        check_in_header(d, &at, type, names->items[i]);
    if (is_told(d, &at))
        return;
    type->key = find_columns(d, &at, names, &type->header, &type->key_count);
    for (size_t i = 0; i < type->key_count; i++)
        check_key_field(d, &at, &header, &type->header.items[type->key[i]]);
}

static void read_parent(struct declaring *d, const struct place *place,
                        int options, struct event_type *type)
{
    struct place at = place_in(place, "parent");
    char *name = read_text(d, place, options, "parent");
    type->parent = -1;
    if (name == NULL)
        return;
    const struct field *field = fields_find(&type->header, bytes_of_text(name));
    check_in_header(d, &at, type, name);
    if (field == NULL && !is_told(d, &at)) {
        const char *names[64];
        size_t count = type->header.count < 64 ? type->header.count : 64;
        for (size_t i = 0; i < count; i++)
            names[i] = type->header.items[i].name;
        wrong(d, &at, "the header has no field '%s'%s", name,
              suggest(d, name, names, count));
    } else if (field == NULL) {
        type->parent = -1;
    } else if (field->type.kind != VALUE_REF) {
        wrong(d, &at, "'%s' is no ref", name);
    } else {
        type->parent = (int)(field - type->header.items);
    }
    mem_free(name);
}

/* ---- the rest ---- */

static void read_off(struct declaring *d, const struct place *place,
                     int options, struct event_type *type)
{
    static const struct {
        const char *word;
        unsigned bit;
        bool object, event;
    } words[] = {
        {"create", OFF_CREATE, true, false},
        {"get", OFF_GET, true, true},
        {"list", OFF_LIST, true, true},
        {"put", OFF_PUT, true, false},
        {"patch", OFF_PATCH, true, false},
        {"delete", OFF_DELETE, true, false},
        {"history", OFF_HISTORY, true, false},
        {"watch", OFF_WATCH, true, true},
        {"append", OFF_APPEND, false, true},
    };
    const char *allowed[16];
    size_t count = 0;
    struct place at = place_in(place, "off");
    const struct text_list *off = read_texts(d, place, options, "off");
    for (size_t w = 0; w < sizeof(words) / sizeof(words[0]); w++)
        if (type->is_object ? words[w].object : words[w].event)
            allowed[count++] = words[w].word;
    for (size_t i = 0; off != NULL && i < off->count; i++) {
        unsigned bit = 0;
        for (size_t w = 0; w < sizeof(words) / sizeof(words[0]); w++)
            if (strcmp(words[w].word, off->items[i]) == 0 &&
                (type->is_object ? words[w].object : words[w].event))
                bit = words[w].bit;
        if (bit == 0)
            wrong(d, &at, "%s has no default method '%s'%s",
                  type->is_object ? "an object" : "an event", off->items[i],
                  suggest(d, off->items[i], allowed, count));
        type->off |= bit;
    }
}

static void read_rights(struct declaring *d, const struct place *place,
                        int options, struct event_type *type)
{
    struct place at = place_in(place, "rights");
    if (!read_push(d, options, "rights"))
        return;
    int table = lua_gettop(d->L);
    if (!lua_istable(d->L, table)) {
        wrong(d, &at, "want a table of names and what they mean");
        lua_pop(d->L, 1);
        return;
    }
    const struct text_list *names = read_names(d, &at, table);
    type->rights = mem_zero(names->count, sizeof(type->rights[0]));
    for (size_t i = 0; i < names->count; i++) {
        struct place right = place_in(&at, names->items[i]);
        name_allowed(d, &right, names->items[i]);
        if (right_is_own(names->items[i]))
            wrong(d, &right,
                  "is a right of the engine's own, as are create, write, "
                  "delete, delegate, grant_reading, order and act_for: take "
                  "another name");
        struct right *out = &type->rights[type->right_count++];
        out->name = mem_text(names->items[i]);
        out->doc = read_text(d, &at, table, names->items[i]);
    }
    lua_pop(d->L, 1);
}

static int compare_versions(const void *a, const void *b)
{
    const struct upgrade_from *x = a;
    const struct upgrade_from *y = b;
    return x->version < y->version ? -1 : x->version > y->version;
}

/* The function on top of the stack converts what that version stored. */
static void add_upgrade(struct declaring *d, struct event_type *type,
                        int64_t version)
{
    size_t count = type->upgrade_count;
    type->upgrades =
        mem_resize(type->upgrades, (count + 1) * sizeof(*type->upgrades));
    lua_pushvalue(d->L, -1);
    type->upgrades[type->upgrade_count++] = (struct upgrade_from){
        .version = version,
        .function = luaL_ref(d->L, LUA_REGISTRYINDEX),
    };
}

/* What turns an older version's fields into today's. */
static void read_upgrades(struct declaring *d, const struct place *place,
                          int options, struct event_type *type)
{
    struct place at = place_in(place, "upgrade");
    if (!read_push(d, options, "upgrade"))
        return;
    int table = lua_gettop(d->L);
    const struct schema_part *part = schema_part(d->out, d->schema);
    bool good = lua_istable(d->L, table);
    lua_pushnil(d->L);
    while (good && lua_next(d->L, table) != 0) {
        double version =
            lua_type(d->L, -2) == LUA_TNUMBER ? lua_tonumber(d->L, -2) : 0;
        good = lua_isfunction(d->L, -1) && version >= 1 &&
               version < (double)part->version &&
               version == (double)(int64_t)version;
        if (good)
            add_upgrade(d, type, (int64_t)version);
        lua_pop(d->L, 1);
    }
    if (type->upgrade_count > 0)
        qsort(type->upgrades, type->upgrade_count, sizeof(*type->upgrades),
              compare_versions);
    if (!good)
        wrong(d, &at,
              "want functions by the older version they start from, "
              "such as {[1] = function(old) ... end}");
    lua_settop(d->L, table - 1);
}

static void read_with(struct declaring *d, const struct place *place,
                      int options, struct event_type *type)
{
    struct place at = place_in(place, "with");
    char *name = read_text(d, place, options, "with");
    if (name == NULL)
        return;
    const struct event_type *with = find_type(d, &at, name);
    mem_free(name);
    if (with == type)
        wrong(d, &at, "names the type itself");
    else if (with != NULL)
        type->with = mem_text(with->name);
}

void declare_type(struct declaring *d, const struct record *record,
                  struct event_type *type)
{
    static const char *const object_keys[] = {
        "doc",  "key",    "parent", "header",  "body", "off",
        "with", "rights", "keep",   "upgrade", NULL};
    static const char *const event_keys[] = {
        "doc",  "key",      "parent", "header",  "body", "off",
        "with", "erasable", "keep",   "upgrade", NULL};
    struct place place = place_at(record->where, record->name);
    struct place header = place_in(&place, "header");
    int options = lua_gettop(d->L);
    read_keys(d, &place, options, type->is_object ? object_keys : event_keys);
    type->doc = read_doc(d, &place, options);
    if (read_push(d, options, "header")) {
        read_fields(d, &header, USE_HEADER, NULL, &type->header);
        lua_pop(d->L, 1);
    }
    read_body(d, &place, options, type);
    read_parent(d, &place, options, type);
    read_key(d, &place, options, type);
    read_off(d, &place, options, type);
    read_with(d, &place, options, type);
    read_rights(d, &place, options, type);
    read_upgrades(d, &place, options, type);
    type->keep = read_function(d, &place, options, "keep", false);
    type->erasable = read_boolean(d, &place, options, "erasable");
    assert(lua_gettop(d->L) == options);
}

/* Doors name an object by its parent and key, and have to find it by that. */
void check_text_keys(struct declaring *d)
{
    for (size_t i = 0; i < d->out->type_count; i++) {
        const struct event_type *type = &d->out->types[i];
        struct place place = place_at(type->where, type->name);
        struct place at = place_in(&place, "key");
        if (!is_told(d, &at) && schema_key_is_ambiguous(d->out, type))
            wrong(d, &at,
                  "more than one part of it may have an optional parent: a "
                  "text such as a/b/c would not tell what is whose");
    }
}
