#include "node/clock.h"

int64_t clock_doubt(const struct clock *c)
{
    return c->ahead_ms > CLOCK_AHEAD_MS && !c->by_hand ? c->ahead_ms : 0;
}

bool clock_look(struct clock *c, int64_t wall_ms, int64_t steady_us)
{
    int64_t apart_ms = wall_ms - steady_us / 1000;
    if (!c->runs || apart_ms < c->apart_ms)
        c->apart_ms = apart_ms;
    c->runs = true;
    c->ahead_ms = apart_ms - c->apart_ms;
    return clock_doubt(c) == 0;
}
