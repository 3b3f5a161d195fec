/* work_moved: what workers have to do under one schema and under another. */
#ifndef ATE_STATE_WORK_MOVED_H
#define ATE_STATE_WORK_MOVED_H

#include <stdint.h>

#include "base/tree.h"

struct work_moved {
    uint64_t dropped; /* wait or are parked in the one state alone */
    uint64_t new;     /* in the other alone */
};

/* Of the worker with this full name, which either schema may lack. */
struct work_moved work_moved(struct tree_version before,
                             struct tree_version after, const char *worker);
#endif
