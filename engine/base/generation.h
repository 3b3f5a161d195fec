/* generation: a number that grows whenever a read might be answered otherwise
 * than before. Any thread may look at it; who reads twice while it is the same
 * reads the same. */
#ifndef ATE_BASE_GENERATION_H
#define ATE_BASE_GENERATION_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

struct generation {
    _Atomic uint64_t number;  /* of steps; all zeros is the first */
    _Atomic uint64_t schemas; /* of these that may have changed a schema */
};

/* To be called in the turn in which something changes, by its owner. NULL:
 * nobody wants to know. */
static inline void generation_next(struct generation *g)
{
    if (g != NULL)
        atomic_fetch_add_explicit(&g->number, 1, memory_order_release);
}

/* The same where what a schema declares may be another. The number grows last:
 * who sees it new sees the other new, too. */
static inline void generation_next_schema(struct generation *g)
{
    if (g != NULL)
        atomic_fetch_add_explicit(&g->schemas, 1, memory_order_release);
    generation_next(g);
}

/* From 1 on. */
static inline uint64_t generation_of_schemas(const struct generation *g)
{
    return atomic_load_explicit(&g->schemas, memory_order_acquire) + 1;
}

/* From 1 on. */
static inline uint64_t generation_of(const struct generation *g)
{
    return atomic_load_explicit(&g->number, memory_order_acquire) + 1;
}
#endif
