/* describe: a schema as a map, for those who complete, print and check what
 * people type (docs/schema.md lists its keys). */
#ifndef ATE_SCHEMA_DESCRIBE_H
#define ATE_SCHEMA_DESCRIBE_H

#include "schema/schema.h"

/* Append the map {main, parts, types, views, rules, methods, workers}. */
void schema_describe(const struct schema *s, struct buf *out);

/* What a kind of value is called: "text", "ref". */
const char *describe_kind(enum value_kind kind);

/* Append the map of one declaration. */
void describe_event_type(struct buf *out, const struct schema *s,
                         const struct event_type *type);
void describe_view(struct buf *out, const struct schema *s,
                   const struct view *view);
void describe_rule(struct buf *out, const struct schema *s,
                   const struct rule *rule);
void describe_method(struct buf *out, const struct schema *s,
                     const struct method *method);
void describe_worker(struct buf *out, const struct schema *s,
                     const struct worker *worker);
#endif
