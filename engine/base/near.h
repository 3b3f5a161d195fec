/* near: what somebody who mistyped a name probably meant. */
#ifndef ATE_BASE_NEAR_H
#define ATE_BASE_NEAR_H

#include <stdbool.h>

#include "base/bytes.h"
#include "base/err.h"

/* The candidate that `name` was probably meant to be, or NULL: at most two
 * letters differ, or a third of them; of those that are as near, one with the
 * same first letter, which is rarely wrong. For "did you mean". */
const char *near_name(struct bytes name, const char *const *candidates,
                      size_t count);
/* Say so behind the text of `err`, which is set, or NULL; `otherwise` where
 * none is near: then false. */
bool near_tell(struct err *err, struct bytes name,
               const char *const *candidates, size_t count,
               const char *otherwise);
#endif
