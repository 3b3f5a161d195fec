#include "rest/model.h"

#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"

const char *model_text(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

json_t *model_field(const json_t *fields, const char *name)
{
    for (size_t i = 0; i < json_array_size(fields); i++) {
        json_t *field = json_array_get(fields, i);
        const char *own = model_text(field, "name");
        if (own != NULL && strcmp(own, name) == 0)
            return field;
    }
    return NULL;
}

const char **model_names(json_t *things, const char *const *more)
{
    size_t count = 0;
    size_t room = json_object_size(things) + json_array_size(things) + 1;
    const char *name;
    json_t *unused;
    for (size_t i = 0; more != NULL && more[i] != NULL; i++)
        room++;
    const char **names = memory_new(room * sizeof(*names));
    json_object_foreach(things, name, unused)
    {
        names[count++] = name;
    }
    for (size_t i = 0; i < json_array_size(things); i++)
        if ((name = model_text(json_array_get(things, i), "name")) != NULL)
            names[count++] = name;
    for (size_t i = 0; more != NULL && more[i] != NULL; i++)
        names[count++] = more[i];
    return names;
}

bool model_is_object(const json_t *type)
{
    const char *kind = model_text(type, "kind");
    return kind != NULL && strcmp(kind, "object") == 0;
}

bool model_reads(const json_t *method)
{
    const char *mode = model_text(method, "mode");
    return mode != NULL && strcmp(mode, "read") == 0;
}

json_t *model_default(const struct model *m, const char *type, const char *word)
{
    struct buffer name = {0};
    buffer_printf(&name, "%s.%s", type, word);
    json_t *method = json_object_get(m->methods, buffer_string(&name));
    buffer_free(&name);
    return json_is_true(json_object_get(method, "default")) ? method : NULL;
}

bool model_key_field(const json_t *type, size_t i, const char **name)
{
    const char *parent = model_text(type, "parent");
    *name = json_string_value(json_array_get(json_object_get(type, "key"), i));
    return *name != NULL && (parent == NULL || strcmp(parent, *name) != 0);
}

/* ---- making one ---- */

/* Cut "a/{b}/c" at its slashes. False: more parts than a route has. */
static bool cut(struct route *r, char *at)
{
    while (at != NULL && *at != '\0') {
        char *slash = strchr(at, '/');
        size_t len = slash != NULL ? (size_t)(slash - at) : strlen(at);
        bool is_argument = at[0] == '{' && at[len - 1] == '}';
        if (r->count == ROUTE_PARTS || len == 0)
            return false;
        at[is_argument ? len - 1 : len] = '\0';
        r->parts[r->count] = is_argument ? at + 1 : at;
        r->is_argument[r->count++] = is_argument;
        at = slash != NULL ? slash + 1 : NULL;
    }
    return r->count > 0;
}

static void route_free(struct route *r)
{
    free(r->verb);
    free(r->room);
    *r = (struct route){0};
}

/* The engine has checked annotations when the schema was loaded; what this
 * version does not understand is no route. */
static bool route_make(struct route *r, const char *rest, json_t *method)
{
    const char *blank = strchr(rest, ' ');
    *r = (struct route){.method = method};
    if (blank == NULL || blank[1] != '/')
        return false;
    r->verb = memory_text(rest, (size_t)(blank - rest));
    r->room = memory_text(blank + 2, strlen(blank + 2));
    if (cut(r, r->room))
        return true;
    route_free(r);
    return false;
}

/* Words stand before arguments, so that the first that fits is meant. */
static int compare_routes(const void *a, const void *b)
{
    const struct route *one = a;
    const struct route *other = b;
    size_t count = one->count < other->count ? one->count : other->count;
    for (size_t i = 0; i < count; i++)
        if (one->is_argument[i] != other->is_argument[i])
            return one->is_argument[i] ? 1 : -1;
    return (one->count > other->count) - (one->count < other->count);
}

static void add_routes(struct model *m)
{
    const char *name;
    json_t *method;
    m->routes =
        memory_new((json_object_size(m->methods) + 1) * sizeof(m->routes[0]));
    json_object_foreach(m->methods, name, method)
    {
        const char *rest = model_text(method, "rest");
        if (rest != NULL &&
            route_make(&m->routes[m->route_count], rest, method))
            m->route_count++;
    }
    qsort(m->routes, m->route_count, sizeof(m->routes[0]), compare_routes);
}

static json_t *by_name(const json_t *list)
{
    json_t *map = json_object();
    for (size_t i = 0; i < json_array_size(list); i++) {
        json_t *item = json_array_get(list, i);
        const char *name = model_text(item, "name");
        if (name != NULL)
            json_object_set(map, name, item);
    }
    return map;
}

struct model *model_new(json_t *schema)
{
    struct model *m = memory_new(sizeof(*m));
    m->refs = 1;
    m->schema = schema;
    m->types = by_name(json_object_get(schema, "types"));
    m->views = by_name(json_object_get(schema, "views"));
    m->methods = by_name(json_object_get(schema, "methods"));
    add_routes(m);
    return m;
}

struct model *model_ref(struct model *m)
{
    m->refs++;
    return m;
}

void model_unref(struct model *m)
{
    if (m == NULL || --m->refs > 0)
        return;
    for (size_t i = 0; i < m->route_count; i++)
        route_free(&m->routes[i]);
    free(m->routes);
    json_decref(m->types);
    json_decref(m->views);
    json_decref(m->methods);
    json_decref(m->schema);
    free(m);
}
