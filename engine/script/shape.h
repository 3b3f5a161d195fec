/* shape: what a table of Lua that C made stands for.
 *
 * Events, objects, rows, arguments and structs reach Lua as plain tables with a
 * metatable: reading a field that is not declared is an error that says which
 * was probably meant, an optional one that is absent reads as nil. The
 * metatable also tells C what it once made. */
#ifndef ATE_SCRIPT_SHAPE_H
#define ATE_SCRIPT_SHAPE_H

#include <lua.h>
#include <stdbool.h>

#include "schema/schema.h"

enum shape_kind {
    SHAPE_RECORD, /* an event or object: it has id, type, change, before */
    SHAPE_ROW,
    SHAPE_FIELDS, /* arguments, a context, a struct */
};

struct shape {
    const void *key; /* the items of its fields, or the fields if empty */
    enum shape_kind kind;
    const char *name; /* as errors call it */
    const char *word; /* what it is made of: "field", "column", "argument" */
    const struct fields *fields;   /* of a record: the header */
    const struct event_type *type; /* of a record */
    const struct view *view;       /* of a row */
    struct fields all; /* of a record: header and body, `body` a raw one */
    bool has_type;     /* `type` is one of these */
    int metatable;     /* luaL_ref */
};

struct shapes {
    struct shape *items; /* sorted by key */
    size_t count;
    size_t cap;
};

/* Every shape that the schema has; it has to outlive them. */
void shapes_init(struct shapes *s, const struct schema *schema);
void shapes_deinit(struct shapes *s); /* safe twice */

/* In sandbox_setup: make the metatables. */
void shapes_setup(lua_State *L, struct shapes *s);

/* NULL: there is none. */
const struct shape *shape_of_fields(const struct shapes *s,
                                    const struct fields *fields);

/* What the table at `index` was made as; NULL: by Lua, or it is no table. */
const struct shape *shape_of(lua_State *L, int index);

/* Give the table on top of the stack its metatable. `shape` may be NULL. */
void shape_set(lua_State *L, const struct shape *shape);

/* Raise the error that `fields` (and `more`, unless NULL) has no `name`. */
int shape_unknown(lua_State *L, const char *what, const char *word,
                  const struct fields *fields, const struct fields *more,
                  const char *name);

#endif
