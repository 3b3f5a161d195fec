/* task: work for the pool: a computation that touches nothing but its own
 * struct.
 *
 * The core fills in a task and hands it to `pool->submit`; `work` runs
 * somewhere, on any thread, then `done` on the core's own thread, later and
 * never from within submit. In between the task belongs to the pool. */
#ifndef ATE_BASE_TASK_H
#define ATE_BASE_TASK_H

struct task {
    void (*work)(struct task *task);
    void (*done)(struct task *task);
    struct task *next; /* the pool's */
};

struct pool {
    void *ctx;
    void (*submit)(void *ctx, struct task *task);
};
#endif
