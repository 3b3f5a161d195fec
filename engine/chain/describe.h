/* describe: a schema as a map, for those who complete, print and check what
 * people type (docs/schema.md lists its keys). */
#ifndef ATE_CHAIN_DESCRIBE_H
#define ATE_CHAIN_DESCRIBE_H

#include "chain/schema.h"

/* Append the map {main, parts, types, views, rules, methods}. */
void schema_describe(const struct schema *s, struct buf *out);
#endif
