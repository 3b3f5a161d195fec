/* compat: may a schema follow on another in one chain? Types only grow: what
 * was stored has to fit what is declared now, or be converted by the type's
 * `upgrade`. Views, rules and methods are free. */
#ifndef ATE_SCHEMA_COMPAT_H
#define ATE_SCHEMA_COMPAT_H

#include "schema/schema.h"

struct err;

/* Errors: INVALID, naming type, field and what to do, also for a version that
 * was not counted up. */
int schema_may_follow(const struct schema *before, const struct schema *after,
                      struct err *err);

/* Does what was stored of this type by `before` have to be converted: by
 * `upgrade`, or by new defaults? */
bool type_needs_upgrade(const struct event_type *before,
                        const struct event_type *after);

/* What `before`, of this version, stored of a type cannot be converted, as
 * `err` says. Where that is for want of an upgrade from the version, put it
 * before the text: an older schema may have had one. Returns the code. */
int type_say_unconverted(const struct event_type *before,
                         const struct event_type *after, int64_t version,
                         struct err *err);
#endif
