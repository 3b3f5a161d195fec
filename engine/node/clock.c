#include "node/clock.h"

int64_t clock_doubt(const struct clock *c)
{
    return c->ahead_ms > CLOCK_AHEAD_MS && !c->by_hand ? c->ahead_ms : 0;
}

void clock_look(struct clock *c, int64_t wall_ms, int64_t steady_us)
{
    int64_t passed_ms = (steady_us - c->steady_us) / 1000;
    c->ahead_ms = c->runs ? wall_ms - c->wall_ms - passed_ms : 0;
    c->runs = true;
    if (wall_ms <= c->wall_ms || clock_doubt(c) > 0)
        return;
    c->wall_ms = wall_ms;
    c->steady_us = steady_us;
}
