#include "mount/shape.h"

#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/pack.h"
#include "mount/routes.h"

/* ---- reading ---- */

static char **take_words(const struct pack *map, const char *key, size_t *count)
{
    struct pack list = pack_find(map, key);
    *count = 0;
    if (list.kind != PACK_LIST || list.count == 0)
        return NULL;
    char **words = memory_new(list.count * sizeof(*words));
    struct pack at = pack_first(&list);
    for (size_t i = 0; i < list.count; i++) {
        struct buffer word = {0};
        if (at.kind == PACK_TEXT)
            buffer_put(&word, at.data, at.len);
        else
            buffer_text(&word, "");
        words[(*count)++] = word.data;
        at = pack_next(&at);
    }
    return words;
}

static char *text_or_empty(const struct pack *map, const char *key)
{
    char *text = pack_copy_text(map, key);
    return text != NULL ? text : memory_string("");
}

static void take_field(const struct pack *map, struct field *field)
{
    struct pack item = pack_find(map, "item");
    field->name = text_or_empty(map, "name");
    field->kind = text_or_empty(map, "kind");
    field->doc = pack_copy_text(map, "doc");
    field->target = pack_copy_text(map, "target");
    field->words = take_words(map, "words", &field->word_count);
    field->optional = pack_find_true(map, "optional") ||
                      pack_find(map, "default").kind != PACK_NONE;
    field->item_kind = pack_copy_text(&item, "kind");
}

static void take_fields(const struct pack *map, const char *key,
                        struct fields *fields)
{
    struct pack list = pack_find(map, key);
    if (list.kind != PACK_LIST || list.count == 0)
        return;
    fields->items = memory_new(list.count * sizeof(*fields->items));
    struct pack at = pack_first(&list);
    for (size_t i = 0; i < list.count; i++) {
        take_field(&at, &fields->items[fields->count++]);
        at = pack_next(&at);
    }
}

static void take_type(const struct pack *map, struct type *type)
{
    struct pack kind = pack_find(map, "kind");
    int64_t pieces = pack_find_integer(map, "pieces", 0);
    type->name = text_or_empty(map, "name");
    type->is_object = pack_is(&kind, "object");
    type->parent = pack_copy_text(map, "parent");
    type->key = take_words(map, "key", &type->key_count);
    type->pieces = pieces > 0 && pieces <= PIECES_MAX ? (size_t)pieces : 0;
    take_fields(map, "header", &type->header);
}

/* The columns of the key in front, as the command line shows them. */
static void sort_columns(struct view *view, char **key, size_t key_count)
{
    for (size_t k = 0; k < key_count; k++)
        for (size_t i = k; i < view->columns.count; i++) {
            struct field *items = view->columns.items;
            if (strcmp(items[i].name, key[k]) != 0)
                continue;
            struct field found = items[i];
            memmove(&items[k + 1], &items[k], (i - k) * sizeof(*items));
            items[k] = found;
            view->key_count = k + 1;
            break;
        }
}

static bool is_hashed(const struct field *field)
{
    return strcmp(field->kind, "ref") == 0 ||
           strcmp(field->kind, "identity") == 0;
}

static void add_order(struct view *view, size_t column)
{
    view->order[view->order_count++] = column;
    view->sorted_here =
        view->sorted_here || is_hashed(&view->columns.items[column]);
}

static void free_words(char **words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(words[i]);
    free(words);
}

static void take_view(const struct pack *map, struct view *view)
{
    size_t key_count;
    size_t order_count;
    char **key = take_words(map, "key", &key_count);
    char **order = take_words(map, "order", &order_count);
    view->name = text_or_empty(map, "name");
    take_fields(map, "columns", &view->columns);
    sort_columns(view, key, key_count);
    view->order = memory_new((key_count + order_count) * sizeof(size_t));
    for (size_t i = 0; i < order_count; i++)
        for (size_t c = 0; c < view->columns.count; c++)
            if (strcmp(view->columns.items[c].name, order[i]) == 0)
                add_order(view, c);
    for (size_t i = 0; i < view->key_count; i++)
        add_order(view, i);
    free_words(key, key_count);
    free_words(order, order_count);
}

static void take_method(const struct pack *map, struct method *method)
{
    struct pack mode = pack_find(map, "mode");
    struct pack returns = pack_find(map, "returns");
    method->name = text_or_empty(map, "name");
    method->doc = text_or_empty(map, "doc");
    method->writes = !pack_is(&mode, "read");
    method->file = pack_copy_text(map, "file");
    method->content = pack_copy_text(map, "content");
    method->returns = pack_copy_text(&returns, "kind");
    take_fields(map, "args", &method->args);
}

/* ---- what follows from it ---- */

const struct field *fields_get(const struct fields *fields, const char *name)
{
    for (size_t i = 0; i < fields->count; i++)
        if (strcmp(fields->items[i].name, name) == 0)
            return &fields->items[i];
    return NULL;
}

int shape_type(const struct shape *shape, const char *name)
{
    for (size_t i = 0; name != NULL && i < shape->type_count; i++)
        if (strcmp(shape->types[i].name, name) == 0)
            return (int)i;
    return -1;
}

int shape_method(const struct shape *shape, const char *name)
{
    for (size_t i = 0; i < shape->method_count; i++)
        if (strcmp(shape->methods[i].name, name) == 0)
            return (int)i;
    return -1;
}

static bool has_method(const struct shape *shape, const struct type *type,
                       const char *verb)
{
    struct buffer name = {0};
    buffer_printf(&name, "%s.%s", type->name, verb);
    bool has = shape_method(shape, name.data) >= 0;
    buffer_free(&name);
    return has;
}

static void finish(struct shape *shape)
{
    for (size_t i = 0; i < shape->type_count; i++) {
        struct type *type = &shape->types[i];
        type->can_put = type->key_count > 0 && has_method(shape, type, "put");
        type->can_delete = has_method(shape, type, "delete");
    }
    shape->root = routes_new(shape);
}

#define TAKE_ALL(key, take, items, number)                                     \
    do {                                                                       \
        struct pack list = pack_find(schema, key);                             \
        struct pack at = pack_first(&list);                                    \
        shape->items = memory_new(list.count * sizeof(*shape->items));         \
        for (size_t i = 0; i < list.count && at.kind == PACK_MAP; i++) {       \
            take(&at, &shape->items[shape->number++]);                         \
            at = pack_next(&at);                                               \
        }                                                                      \
    } while (0)

struct shape *shape_new(const struct pack *schema)
{
    if (schema->kind != PACK_MAP)
        return NULL;
    struct shape *shape = memory_new(sizeof(*shape));
    shape->refs = 1;
    TAKE_ALL("types", take_type, types, type_count);
    TAKE_ALL("views", take_view, views, view_count);
    TAKE_ALL("methods", take_method, methods, method_count);
    finish(shape);
    return shape;
}

/* ---- freeing ---- */

static void free_fields(struct fields *fields)
{
    for (size_t i = 0; i < fields->count; i++) {
        struct field *field = &fields->items[i];
        free(field->name);
        free(field->kind);
        free(field->doc);
        free(field->target);
        free(field->item_kind);
        free_words(field->words, field->word_count);
    }
    free(fields->items);
}

static void free_types(struct shape *shape)
{
    for (size_t i = 0; i < shape->type_count; i++) {
        struct type *type = &shape->types[i];
        free(type->name);
        free(type->parent);
        free_words(type->key, type->key_count);
        free_fields(&type->header);
    }
    free(shape->types);
}

static void free_methods(struct shape *shape)
{
    for (size_t i = 0; i < shape->method_count; i++) {
        struct method *method = &shape->methods[i];
        free(method->name);
        free(method->doc);
        free(method->file);
        free(method->content);
        free(method->returns);
        free_fields(&method->args);
    }
    free(shape->methods);
}

struct shape *shape_ref(struct shape *shape)
{
    if (shape != NULL)
        shape->refs++;
    return shape;
}

void shape_unref(struct shape *shape)
{
    if (shape == NULL || --shape->refs > 0)
        return;
    free_types(shape);
    free_methods(shape);
    for (size_t i = 0; i < shape->view_count; i++) {
        free(shape->views[i].name);
        free(shape->views[i].order);
        free_fields(&shape->views[i].columns);
    }
    free(shape->views);
    routes_free(shape->root);
    free(shape);
}
