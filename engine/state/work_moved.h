/* work_moved: what workers have to do under one schema and under another. */
#ifndef ATE_STATE_WORK_MOVED_H
#define ATE_STATE_WORK_MOVED_H

#include <stdint.h>

#include "base/tree.h"

struct work_moved {
    uint64_t dropped; /* items that wait or are parked before alone */
    uint64_t new;     /* and after alone */
};

/* Of the worker with this full name, which either schema may lack. All its
 * items are looked at. */
struct work_moved work_moved(struct tree_version before,
                             struct tree_version after, const char *worker);
#endif
