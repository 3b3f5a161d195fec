/* task: work for the pool: a computation that touches nothing but its own
 * struct.
 *
 * The core fills in a task and hands it to `pool->submit`; `work` runs
 * somewhere, on any thread, then `done` on the core's own thread, later and
 * never from within submit. In between the task belongs to the pool.
 *
 * What is needed before the core's own thread can go on is forked and joined
 * instead: between the two another thread may work on it, and `join` returns
 * when it is done, whoever did it. */
#ifndef ATE_BASE_TASK_H
#define ATE_BASE_TASK_H

#include <stddef.h>

struct task {
    void (*work)(struct task *task);
    void (*done)(struct task *task);
    struct task *next; /* the pool's */
};

struct forked {
    void (*work)(struct forked *forked);
    /* The pool's. */
    struct forked *next;
    struct forked *before;
    _Atomic int state;
};

struct pool {
    void *ctx;
    void (*submit)(void *ctx, struct task *task);
    /* Both, or neither: then what is forked is done when it is joined. Each
     * that is forked is joined once. */
    void (*fork)(void *ctx, struct forked *forked);
    void (*join)(void *ctx, struct forked *forked);
};

/* By way of a pool that may be NULL. */
static inline void pool_fork(const struct pool *pool, struct forked *forked)
{
    if (pool != NULL && pool->fork != NULL)
        pool->fork(pool->ctx, forked);
}

static inline void pool_join(const struct pool *pool, struct forked *forked)
{
    if (pool != NULL && pool->join != NULL)
        pool->join(pool->ctx, forked);
    else
        forked->work(forked);
}
#endif
