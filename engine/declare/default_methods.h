/* default_methods: what every type can do without a line of Lua (declare.h says
 * with which arguments). */
#ifndef ATE_DECLARE_DEFAULT_METHODS_H
#define ATE_DECLARE_DEFAULT_METHODS_H

#include "schema/schema.h"

/* How many methods a type has. */
size_t default_methods_count(const struct event_type *type);

/* Fill that many at `out`, which are all zeros. */
void default_methods_put(const struct event_type *type, struct method *out);
#endif
