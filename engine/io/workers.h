/* workers: the pool (base/task.h) of a loop: libuv's worker threads, and a crew
 * (io/crew.h). They compute; files have threads of their own (io/disk.h). */
#ifndef ATE_IO_WORKERS_H
#define ATE_IO_WORKERS_H

#include <uv.h>

#include "base/task.h"

struct workers {
    uv_loop_t *loop;
    struct pool pool;
    struct crew *crew;
    void (*after)(void *ctx); /* a task's done() was called */
    void *ctx;
};

/* `w` and `loop` stay where they are while the pool is in use. */
void workers_init(struct workers *w, uv_loop_t *loop, void (*after)(void *ctx),
                  void *ctx);
void workers_deinit(struct workers *w);
#endif
