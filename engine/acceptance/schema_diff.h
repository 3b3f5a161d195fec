/* schema_diff: what changed from one schema to the next, in words. */
#ifndef ATE_ACCEPTANCE_SCHEMA_DIFF_H
#define ATE_ACCEPTANCE_SCHEMA_DIFF_H

#include "acceptance/logic.h"

/* Append an array of texts, such as "rule too_deep changed"; empty when the two
 * declare the same. */
void schema_diff(struct logic *before, struct logic *after, struct buf *out);
#endif
