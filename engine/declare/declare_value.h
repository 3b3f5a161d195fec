/* declare_value: the types of fields, from what t.text() and the like made. */
#ifndef ATE_DECLARE_DECLARE_VALUE_H
#define ATE_DECLARE_DECLARE_VALUE_H

#include "declare/declaring.h"

/* Where a type stands; bounds and what may be said of it differ. */
enum value_use {
    USE_HEADER,
    USE_BODY,
    USE_RAW, /* a body that is one text or blob */
    USE_ROW,
    USE_ARGS,
    USE_RETURNS,
    USE_SAYS,
    USE_CONTEXT,
};

/* One type being read. */
struct reading {
    struct declaring *d;
    enum value_use use;
    int depth;     /* of structs and lists around it */
    int wraps;     /* t.optional, t.default and t.once around it */
    bool is_field; /* may be optional, have a default, be once */
};

/* Read the table of fields on top of the stack into `out`, which is empty; the
 * stack stays. `around` (or NULL) holds further fields that `of` of an amount
 * may name. */
void read_fields(struct declaring *d, const struct place *place,
                 enum value_use use, const struct fields *around,
                 struct fields *out);

/* Likewise one type that is no field's. */
void read_type(struct declaring *d, const struct place *place,
               enum value_use use, const struct fields *around,
               struct value_type *out);

/* The same for what stands inside another type; `place` is the outer one's, and
 * gets the line of the type. *doc, if it is NULL, gets a new text. */
void read_table(const struct reading *r, const struct place *place,
                const struct fields *around, struct fields *out);
void read_value(const struct reading *r, struct place place,
                struct value_type *out, char **doc);

/* Does every scale that was asked for exist? When all types have been read. */
void check_scales(struct declaring *d);

/* Copies. To add a name that is there is told, and passed over (NULL then). */
void fields_add(struct declaring *d, const struct place *place,
                struct fields *out, const struct fields *more);
struct field *fields_add_one(struct declaring *d, const struct place *place,
                             struct fields *out, const char *name,
                             const struct value_type *type);
#endif
