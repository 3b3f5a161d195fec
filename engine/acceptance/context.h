/* context: what a caller supplies beside a method's arguments, as the schema
 * that declares the method has it (`context` in docs/schema.md). Methods read
 * it as ctx.data; rules, folds and the log never see it. */
#ifndef ATE_ACCEPTANCE_CONTEXT_H
#define ATE_ACCEPTANCE_CONTEXT_H

#include "acceptance/door.h"

/* What the caller of `method` gave, a canonical map in door form or nothing
 * (len 0), to stored form, appended to `out`; nothing is appended for nothing.
 * Default methods read none of it: it is checked and left out. Errors: those of
 * door_take(), also when it lacks what has no default; INVALID (there is no
 * context to give). */
int context_take(const struct door *d, const struct method *method,
                 struct bytes given, enum door_taking taking, struct buf *out,
                 struct err *err);

/* The first field that has to be given, and is not there; NULL: none. `map` is
 * a canonical map, or empty. */
const struct field *context_lacks(const struct fields *context,
                                  struct bytes map);
#endif
