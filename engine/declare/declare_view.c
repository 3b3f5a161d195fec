/* Views. */
#include "declare/declaring.h"

#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/memory.h"
#include "declare/declare.h"
#include "declare/declare_value.h"
#include "schema/value.h"

enum {
    COLUMNS_MAX = 16, /* of a key or an order */
    KEY_OVERHEAD =
        8, /* kind, zero behind the name, what an index puts before */
};

/* The longest ordered form of a column. */
static size_t ordered_max(const struct value_type *type)
{
    switch (type->kind) {
    case VALUE_TEXT:
    case VALUE_NAME:
        return type->len_max + 2;
    case VALUE_ENUM:
        return LIMIT_KIND_NAME + 2;
    case VALUE_EVENT_TYPE:
        return LIMIT_TYPE_NAME + 2;
    case VALUE_DATE:
    case VALUE_MONTH:
        return sizeof("2026-11-22") + 1;
    case VALUE_IDENTITY:
        return 32;
    case VALUE_REF:
        return 16;
    default:
        return 8;
    }
}

static void check_column(struct declaring *d, const struct place *place,
                         const struct field *column)
{
    const struct value_type *type = &column->type;
    if (!value_kind_orders(type->kind))
        wrong(d, place,
              "'%s' has no order: no blob, struct or list stands "
              "here",
              column->name);
    else if (type->optional)
        wrong(d, place, "'%s' is optional: what stands here is always there",
              column->name);
    else if ((type->kind == VALUE_TEXT || type->kind == VALUE_NAME) &&
             type->len_max > DECLARE_KEY_TEXT)
        wrong(d, place,
              "'%s' may be too long: give it t.text({max = %d}) or "
              "less",
              column->name, DECLARE_KEY_TEXT);
}

static size_t *read_columns(struct declaring *d, const struct place *place,
                            int options, const char *key,
                            const struct view *view, size_t *count)
{
    struct place at = place_in(place, key);
    const struct text_list *names = read_texts(d, place, options, key);
    if (names == NULL)
        return NULL;
    if (names->count == 0 || names->count > COLUMNS_MAX)
        wrong(d, &at, "names 1 to %d columns of the row", COLUMNS_MAX);
    size_t *found = find_columns(d, &at, names, &view->columns, count);
    for (size_t i = 0; i < *count; i++)
        check_column(d, &at, &view->columns.items[found[i]]);
    return found;
}

/* A view of key columns alone is a set, in which absent means absent. */
static bool gives_defaults(const struct view *view)
{
    for (size_t i = 0; i < view->columns.count; i++)
        if (!view_is_key(view, i) &&
            view->columns.items[i].type.default_value.len == 0)
            return false;
    return view->columns.count > view->key_count;
}

static void check_key(struct declaring *d, const struct place *place,
                      int options, struct view *view)
{
    struct place key = place_in(place, "key");
    size_t size = strlen(view->name) + KEY_OVERHEAD;
    if (view->key == NULL) {
        bool there = read_push(d, options, "key");
        if (there)
            lua_pop(d->L, 1);
        else
            wrong(d, &key,
                  "is missing: name the columns that tell rows "
                  "apart, such as key = {'account'}");
    }
    for (size_t i = 0; i < view->key_count; i++) {
        const struct field *column = &view->columns.items[view->key[i]];
        size += ordered_max(&column->type);
        if (column->type.default_value.len > 0)
            wrong(d, &key, "'%s' has a default: a key is always given",
                  column->name);
    }
    for (size_t i = 0; i < view->order_count; i++)
        size += ordered_max(&view->columns.items[view->order[i]].type);
    if (size > LIMIT_STATE_KEY && !is_told(d, place))
        wrong(d, &key,
              "and order may take %zu bytes together, %d are allowed: "
              "give the texts a smaller max",
              size, LIMIT_STATE_KEY);
    view->gives_defaults = gives_defaults(view);
}

static int compare_folds(const void *a, const void *b)
{
    const struct fold *one = a;
    const struct fold *two = b;
    return strcmp(one->type, two->type);
}

static void read_fold(struct declaring *d, const struct place *place, int table,
                      const char *name, struct view *view)
{
    struct place at = place_in(place, name);
    const struct event_type *type = find_type(d, &at, name);
    int function = read_function(d, place, table, name, true);
    if (type == NULL)
        return;
    if (type->erasable)
        wrong(d, &at,
              "'%s' is erasable, and a view could not be folded again "
              "once it is erased",
              type->name);
    for (size_t i = 0; i < view->fold_count; i++)
        if (strcmp(view->folds[i].type, type->name) == 0)
            wrong(d, &at, "'%s' is folded twice", type->name);
    view->folds[view->fold_count++] =
        (struct fold){.type = mem_text(type->name), .function = function};
}

static void read_folds(struct declaring *d, const struct place *place,
                       int options, struct view *view)
{
    struct place at = place_in(place, "fold");
    if (!read_push(d, options, "fold")) {
        wrong(d, &at, "is missing: say by type what an event does to the rows");
        return;
    }
    int table = lua_gettop(d->L);
    if (!lua_istable(d->L, table)) {
        wrong(d, &at, "want a table of functions by type, got %s",
              luaL_typename(d->L, table));
        lua_pop(d->L, 1);
        return;
    }
    const struct text_list *names = read_names(d, &at, table);
    if (names->count == 0)
        wrong(d, &at, "folds no type: the view would stay empty");
    view->folds = mem_zero(names->count, sizeof(view->folds[0]));
    for (size_t i = 0; i < names->count; i++)
        read_fold(d, &at, table, names->items[i], view);
    if (view->fold_count > 0)
        qsort(view->folds, view->fold_count, sizeof(view->folds[0]),
              compare_folds);
    lua_pop(d->L, 1);
}

void declare_view(struct declaring *d, const struct record *record,
                  struct view *view)
{
    static const char *const keys[] = {"doc",  "key",   "row", "order",
                                       "fold", "reads", NULL};
    static const char *const reads[] = {"headers", "bodies", NULL};
    struct place place = place_at(record->where, record->name);
    struct place row = place_in(&place, "row");
    int options = lua_gettop(d->L);
    read_keys(d, &place, options, keys);
    view->doc = read_doc(d, &place, options);
    view->reads_bodies = read_word(d, &place, options, "reads", reads, 0) == 1;
    if (read_push(d, options, "row")) {
        read_fields(d, &row, USE_ROW, NULL, &view->columns);
        lua_pop(d->L, 1);
    } else {
        wrong(d, &row, "is missing: name the columns and their types");
    }
    view->key = read_columns(d, &place, options, "key", view, &view->key_count);
    view->order =
        read_columns(d, &place, options, "order", view, &view->order_count);
    check_key(d, &place, options, view);
    read_folds(d, &place, options, view);
    assert(lua_gettop(d->L) == options);
}
