/* Who sleeps is woken: beginning a run writes `run`, then reads `asleep`; who
 * wants to sleep writes `asleep`, then reads `run`. All four are in one order
 * for both threads (seq_cst), so at least one of them sees the other. */
#include "sandbox/watch.h"

#include <assert.h>
#include <stddef.h>

void watch_begin(struct watch *w)
{
    if (w->depth++ > 0)
        return;
    atomic_store(&w->run, ++w->count);
    if (atomic_load(&w->asleep) && w->wake != NULL)
        w->wake(w->ctx);
}

void watch_end(struct watch *w)
{
    assert(w->depth > 0);
    if (--w->depth == 0)
        atomic_store_explicit(&w->run, 0, memory_order_relaxed);
}

bool watch_is_stopped(const struct watch *w)
{
    return atomic_load_explicit(&w->stop, memory_order_relaxed) == w->count;
}

uint64_t watch_run(const struct watch *w)
{
    return atomic_load(&w->run);
}

void watch_stop(struct watch *w, uint64_t run)
{
    assert(run > 0);
    atomic_store_explicit(&w->stop, run, memory_order_relaxed);
}
