/* clock: is the time of day to be believed? What a node writes of it into a
 * log stands there for ever, so a clock that is set far ahead while the node
 * runs is not followed: it is wrong, or somebody says that it is right, by
 * starting the node anew. */
#ifndef ATE_NODE_CLOCK_H
#define ATE_NODE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

enum { CLOCK_AHEAD_MS = 3600000 }; /* so much at once is in doubt */

struct clock {
    int64_t wall_ms;   /* the latest time of day that was believed; it is the
                          node's, and never goes back */
    int64_t steady_us; /* when that was */
    int64_t ahead_ms;  /* how far it is ahead of that and what passed since */
    bool runs;         /* it was looked at once */
    bool by_hand;      /* who sets it knows what he does */
};

/* `steady_us` is since some start and goes on as the time of day does, but for
 * that being set. */
void clock_look(struct clock *c, int64_t wall_ms, int64_t steady_us);
/* By how many ms it was set ahead, if that is in doubt; else 0. */
int64_t clock_doubt(const struct clock *c);
#endif
