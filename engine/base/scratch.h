/* scratch: memory that is given back all at once, for the length of one event.
 */
#ifndef ATE_BASE_SCRATCH_H
#define ATE_BASE_SCRATCH_H

#include "base/bytes.h"

/* All zeros is an empty one. What it hands out stays where it is until reset.
 */
struct scratch {
    struct scratch_block *block; /* the newest; older ones behind it */
};

void *scratch_alloc(struct scratch *s, size_t size); /* aligned to 8, not set */
struct bytes scratch_copy(struct scratch *s, struct bytes bytes);
void scratch_reset(struct scratch *s);  /* keeps one block for the next time */
void scratch_deinit(struct scratch *s); /* safe twice */
#endif
