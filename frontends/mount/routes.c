/* (1) Of two things at one path, what was put there first stays: first come
 *     the chain's own files, then methods in the order of the schema.
 * (2) A path at which there is a file and below which there are others is a
 *     folder; the method is still in methods/. */
#include "mount/routes.h"

#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "mount/shape.h"

/* ---- segments ---- */

static struct route *find(struct route *up, bool is_variable,
                          const char *prefix, const char *suffix)
{
    for (struct route *r = up->first; r != NULL; r = r->next)
        if (r->is_variable == is_variable && strcmp(r->prefix, prefix) == 0 &&
            strcmp(r->suffix, suffix) == 0)
            return r;
    return NULL;
}

static struct route *step(struct route *up, bool is_variable,
                          const char *prefix, const char *suffix)
{
    struct route *route = find(up, is_variable, prefix, suffix);
    if (route != NULL)
        return route;
    route = memory_new(sizeof(*route));
    route->is_variable = is_variable;
    route->prefix = memory_string(prefix);
    route->suffix = memory_string(suffix);
    route->depth = up->up != NULL ? up->depth + 1 : 0;
    route->up = up;
    if (up->last != NULL)
        up->last->next = route;
    else
        up->first = route;
    up->last = route;
    return route;
}

static struct route *step_word(struct route *up, const char *word)
{
    return step(up, false, word, "");
}

static bool same_domain(const struct domain *a, const struct domain *b)
{
    if (a->type >= 0 || b->type >= 0)
        return a->type == b->type && a->depth == b->depth &&
               a->piece == b->piece && a->pieces == b->pieces;
    return a->field == b->field;
}

static void add_domain(struct route *route, struct domain domain)
{
    for (size_t i = 0; i < route->domain_count; i++)
        if (same_domain(&route->domains[i], &domain))
            return;
    size_t size = (route->domain_count + 1) * sizeof(domain);
    route->domains = memory_grow(route->domains, size);
    route->domains[route->domain_count++] = domain;
}

/* Which type's keys tell the piece of a key: that of a parent, whose keys are
 * all there are, when the piece is one of its own. */
static int owner_of(const struct shape *shape, int type, size_t piece)
{
    for (int hops = 0; hops < FIELDS_DEPTH_MAX; hops++) {
        const struct type *t = &shape->types[type];
        const struct field *parent =
            t->parent != NULL ? fields_get(&t->header, t->parent) : NULL;
        int above = parent != NULL ? shape_type(shape, parent->target) : -1;
        if (above < 0 || piece >= shape->types[above].pieces)
            return type;
        type = above;
    }
    return type;
}

static size_t pieces_of(const struct shape *shape, int type)
{
    size_t pieces = type >= 0 ? shape->types[type].pieces : 1;
    return pieces > 0 ? pieces : 1;
}

/* The segments of one argument; its last one. */
static struct route *step_value(const struct shape *shape, struct route *up,
                                const char *prefix, const struct field *field,
                                int type, const char *suffix)
{
    size_t count = pieces_of(shape, type);
    size_t depth = up->up != NULL ? up->depth + 1 : 0;
    for (size_t i = 0; i < count; i++) {
        up = step(up, true, i == 0 ? prefix : "", i + 1 < count ? "" : suffix);
        int owner =
            type >= 0 && i + 1 < count ? owner_of(shape, type, i) : type;
        add_domain(up, (struct domain){
                           .field = type < 0 ? field : NULL,
                           .type = owner,
                           .depth = depth,
                           .piece = i,
                           .pieces = pieces_of(shape, owner),
                       });
    }
    return up;
}

/* ---- sources ---- */

static struct source *source_new(enum source_kind kind, int index)
{
    struct source *source = memory_new(sizeof(*source));
    source->kind = kind;
    source->index = index;
    return source;
}

static void bind(struct source *source, const char *name, size_t depth,
                 size_t pieces)
{
    size_t size = (source->binding_count + 1) * sizeof(*source->bindings);
    source->bindings = memory_grow(source->bindings, size);
    source->bindings[source->binding_count++] =
        (struct binding){name, depth, pieces};
}

static void source_free(struct source *source)
{
    if (source != NULL)
        free(source->bindings);
    free(source);
}

static void put(struct source **place, struct source *source)
{
    if (*place == NULL)
        *place = source;
    else
        source_free(source); /* (1) */
}

/* ---- the chain's own files ---- */

static void add_type(const struct shape *shape, struct route *types, int index)
{
    const struct type *type = &shape->types[index];
    struct route *folder = step_word(types, type->name);
    struct route *watch = step_word(folder, "watch");
    watch->is_hidden = true;
    put(&watch->reader, source_new(SOURCE_WATCH, index));
    struct route *file = step_value(shape, folder, "", NULL, index, ".json");
    for (int i = 0; i < (type->can_put ? 2 : 1); i++) {
        struct source *source = source_new(SOURCE_OBJECT, index);
        bind(source, "", folder->depth + 1, pieces_of(shape, index));
        put(i == 0 ? &file->reader : &file->writer, source);
    }
}

static void add_view(const struct shape *shape, struct route *views, int index)
{
    struct buffer name = {0};
    buffer_printf(&name, "%s.csv", shape->views[index].name);
    put(&step_word(views, name.data)->reader, source_new(SOURCE_CSV, index));
    buffer_clear(&name);
    buffer_printf(&name, "%s.jsonl", shape->views[index].name);
    put(&step_word(views, name.data)->reader, source_new(SOURCE_JSONL, index));
    buffer_free(&name);
}

static void add_own(const struct shape *shape, struct route *root)
{
    struct route *types = step_word(root, "types");
    struct route *views = step_word(root, "views");
    struct route *methods = step_word(root, "methods");
    struct route *watch = step_word(root, "watch");
    struct route *events = step_word(root, "events.jsonl");
    put(&events->reader, source_new(SOURCE_EVENTS, -1));
    watch->is_hidden = true;
    put(&watch->reader, source_new(SOURCE_WATCH, -1));
    for (size_t i = 0; i < shape->type_count; i++)
        add_type(shape, types, (int)i);
    for (size_t i = 0; i < shape->view_count; i++)
        add_view(shape, views, (int)i);
    for (size_t i = 0; i < shape->method_count; i++) {
        struct source *source = source_new(SOURCE_METHOD, (int)i);
        source->is_command = true;
        put(&step_word(methods, shape->methods[i].name)->writer, source);
    }
}

/* ---- those of methods ---- */

/* One segment of a template: prefix{name}suffix, or a word. False when there
 * are several arguments in it. */
struct segment {
    struct buffer prefix, name, suffix;
    bool is_variable;
};

static bool read_segment(const char *at, size_t len, struct segment *segment)
{
    const char *open = memchr(at, '{', len);
    const char *close = memchr(at, '}', len);
    segment->is_variable = open != NULL;
    size_t before = open != NULL ? (size_t)(open - at) : len;
    buffer_put(&segment->prefix, at, before);
    if (open == NULL)
        return true;
    if (close == NULL || close < open)
        return false;
    buffer_put(&segment->name, open + 1, (size_t)(close - open - 1));
    buffer_put(&segment->suffix, close + 1, len - (size_t)(close + 1 - at));
    return strchr(segment->suffix.data, '{') == NULL;
}

static void free_segment(struct segment *segment)
{
    buffer_free(&segment->prefix);
    buffer_free(&segment->name);
    buffer_free(&segment->suffix);
}

static struct route *step_segment(const struct shape *shape, struct route *up,
                                  const struct method *method,
                                  const struct segment *segment,
                                  struct source *source)
{
    if (!segment->is_variable)
        return step_word(up, segment->prefix.data);
    const struct field *arg =
        fields_get(&method->args, buffer_string(&segment->name));
    if (arg == NULL)
        return NULL;
    int type = shape_type(shape, arg->target);
    size_t depth = up->up != NULL ? up->depth + 1 : 0;
    bind(source, arg->name, depth, pieces_of(shape, type));
    return step_value(shape, up, buffer_string(&segment->prefix), arg, type,
                      buffer_string(&segment->suffix));
}

static struct route *walk(const struct shape *shape, struct route *root,
                          const struct method *method, struct source *source)
{
    struct route *at = root;
    for (const char *c = method->file; at != NULL; c++) {
        struct segment segment = {0};
        size_t len = strcspn(c, "/");
        bool good = len > 0 && read_segment(c, len, &segment);
        at = good ? step_segment(shape, at, method, &segment, source) : NULL;
        free_segment(&segment);
        c += len;
        if (*c == '\0')
            break;
    }
    return at;
}

bool source_binds(const struct source *source, const char *name)
{
    for (size_t i = 0; i < source->binding_count; i++)
        if (strcmp(source->bindings[i].name, name) == 0)
            return true;
    return false;
}

/* Does the path, with the file's own content, say all a call needs? */
static bool says_all(const struct method *method, const struct source *source)
{
    for (size_t i = 0; i < method->args.count; i++) {
        const struct field *arg = &method->args.items[i];
        bool is_content =
            method->content != NULL && strcmp(arg->name, method->content) == 0;
        if (!arg->optional && !is_content && !source_binds(source, arg->name))
            return false;
    }
    return true;
}

static void add_method(const struct shape *shape, struct route *root, int index)
{
    const struct method *method = &shape->methods[index];
    struct source *source = source_new(SOURCE_METHOD, index);
    struct route *at = NULL;
    if (method->file != NULL)
        at = walk(shape, root, method, source);
    if (at == NULL || at == root) {
        source_free(source);
        return;
    }
    bool whole = says_all(method, source) &&
                 (!method->writes || method->content != NULL);
    source->is_command = !whole;
    put(whole && !method->writes ? &at->reader : &at->writer, source);
}

/* ---- all ---- */

struct route *routes_new(const struct shape *shape)
{
    struct route *root = memory_new(sizeof(*root));
    root->prefix = memory_string("");
    root->suffix = memory_string("");
    add_own(shape, root);
    for (size_t i = 0; i < shape->method_count; i++)
        add_method(shape, root, (int)i);
    return root;
}

void routes_free(struct route *root)
{
    if (root == NULL)
        return;
    for (struct route *at = root->first; at != NULL;) {
        struct route *next = at->next;
        routes_free(at);
        at = next;
    }
    source_free(root->reader);
    source_free(root->writer);
    free(root->domains);
    free(root->prefix);
    free(root->suffix);
    free(root);
}
