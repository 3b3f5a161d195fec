/* near: what somebody who mistyped a name may have meant, by the same rule as
 * the engine's near_name(). */
#ifndef FRONTENDS_BASE_NEAR_H
#define FRONTENDS_BASE_NEAR_H

#include <stdbool.h>
#include <stddef.h>

/* Is `name`, which nobody declared, so near to `candidate` that this may be
 * meant, and nearer than `*distance`, which is set then? Begin with SIZE_MAX.
 */
bool near_is(const char *name, const char *candidate, size_t *distance);
#endif
