/* shape: a chain's schema, as the door needs it; read from what `ate_read`
 * schema gives. */
#ifndef FRONTENDS_MOUNT_SHAPE_H
#define FRONTENDS_MOUNT_SHAPE_H

#include <stdbool.h>
#include <stddef.h>

struct pack;

enum { FIELDS_DEPTH_MAX = 8, PIECES_MAX = 16 };

struct field {
    char *name;
    char *kind;   /* text, name, integer, ... */
    char *doc;    /* or NULL */
    char *target; /* of a ref: the type's short name, else NULL */
    char **words; /* of an enum */
    size_t word_count;
    bool optional;   /* may be left out: is optional or has a default */
    char *item_kind; /* of a list */
};

struct fields {
    struct field *items;
    size_t count;
};

struct type {
    char *name;
    bool is_object;
    struct fields header;
    char **key; /* names of key fields, in order */
    size_t key_count;
    char *parent;  /* the field that names the parent, or NULL */
    size_t pieces; /* of its key, between slashes; 0: not always as many, or
                    * more than PIECES_MAX */
    bool can_put, can_delete;
};

struct view {
    char *name;
    struct fields columns; /* the key in front */
    size_t key_count;
    bool sorted_here; /* the engine's order is one of hashes */
    size_t *order;    /* columns to sort by; then the key */
    size_t order_count;
};

struct method {
    char *name;
    char *doc;
    bool writes;
    struct fields args;
    char *file;    /* or NULL */
    char *content; /* the argument that is the file, or NULL */
    char *returns; /* kind of the result, or NULL */
};

struct shape {
    unsigned refs;
    struct type *types;
    size_t type_count;
    struct view *views;
    size_t view_count;
    struct method *methods;
    size_t method_count;
    struct route *root; /* routes.h; owned */
};

/* NULL when `schema` is no schema. */
struct shape *shape_new(const struct pack *schema);
struct shape *shape_ref(struct shape *shape);
void shape_unref(struct shape *shape); /* NULL is harmless */

const struct field *fields_get(const struct fields *fields, const char *name);

/* The index of a type, -1 when there is none. */
int shape_type(const struct shape *shape, const char *name);
int shape_method(const struct shape *shape, const char *name);
#endif
