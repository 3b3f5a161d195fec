/* routes: which paths a chain has, and what stands there.
 *
 * A tree of segments. A segment is a word, or a place for one piece of an
 * argument between a prefix and a suffix: `{from}`, `{page}.md`. A ref is
 * written in as many segments as its key has pieces; where that differs from
 * key to key, in one, its slashes escaped (names.h). */
#ifndef FRONTENDS_MOUNT_ROUTES_H
#define FRONTENDS_MOUNT_ROUTES_H

#include <stdbool.h>
#include <stddef.h>

struct shape;
struct field;

enum { ROUTE_DEPTH_MAX = 64 };

/* An argument, or the key of an object, in a path: from the segment at `depth`
 * on, `pieces` of them. The first segment in a chain's folder is depth 0. */
struct binding {
    const char *name; /* the argument's; of the shape */
    size_t depth;
    size_t pieces;
};

enum source_kind {
    SOURCE_OBJECT,
    SOURCE_CSV,   /* a view */
    SOURCE_JSONL, /* likewise */
    SOURCE_METHOD,
    SOURCE_EVENTS,
    SOURCE_WATCH,
};

struct source {
    enum source_kind kind;
    int index;       /* of the type, view or method; of WATCH: the type or -1 */
    bool is_command; /* lines written are calls; else the whole file is one */
    struct binding *bindings;
    size_t binding_count;
};

/* Does the path say this argument? */
bool source_binds(const struct source *source, const char *name);

/* Which values may stand at a variable segment. */
struct domain {
    const struct field *field; /* whose values; NULL: a key of `type` */
    int type;                  /* what a ref names, -1: no ref */
    size_t depth;              /* where its key begins */
    size_t piece, pieces;      /* which piece of it this is, of how many */
};

struct route {
    bool is_variable;
    bool is_hidden; /* opens by name, and is in no listing */
    char *prefix;   /* of a word: the word */
    char *suffix;
    size_t depth;
    struct domain *domains;
    size_t domain_count;
    struct source *reader; /* what one reads there, or NULL */
    struct source *writer; /* what is written there, or NULL */
    struct route *first, *last, *next, *up;
};

/* The tree of a shape; its root is the chain's folder. */
struct route *routes_new(const struct shape *shape);
void routes_free(struct route *root); /* NULL is harmless */

static inline bool route_is_folder(const struct route *route)
{
    return route->first != NULL || (!route->reader && !route->writer);
}
#endif
