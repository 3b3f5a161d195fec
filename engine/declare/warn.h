/* warn: what `ate check` says of a schema that is allowed but looks wrong. */
#ifndef ATE_DECLARE_WARN_H
#define ATE_DECLARE_WARN_H

#include "base/bytes.h"

struct bundle;
struct sandbox;
struct schema;

/* Append a line for each warning: "text (file:line)\n". `s` is the sandbox that
 * the schema was loaded in, sealed or not, and `bundle` what it was loaded
 * from. Returns how many there are. */
int schema_warnings(struct sandbox *s, const struct schema *schema,
                    const struct bundle *bundle, struct buf *out);
#endif
