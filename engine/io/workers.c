#include "io/workers.h"

#include <assert.h>

#include "base/memory.h"
#include "io/crew.h"
#include "io/thread.h"

struct queued {
    uv_work_t work;
    struct task *task;
    struct workers *workers;
};

static void run(uv_work_t *work)
{
    struct queued *q = work->data;
    q->task->work(q->task);
}

static void ran(uv_work_t *work, int status)
{
    struct queued *q = work->data;
    struct task *task = q->task;
    struct workers *w = q->workers;
    assert(status == 0); /* nothing is ever canceled */
    mem_free(q);
    task->done(task);
    w->after(w->ctx);
}

static void submit(void *ctx, struct task *task)
{
    struct workers *w = ctx;
    struct queued *q = mem_zero(1, sizeof(*q));
    q->task = task;
    q->workers = w;
    q->work.data = q;
    sigset_t before;
    thread_signals_off(&before); /* the first starts libuv's threads */
    int rc = uv_queue_work(w->loop, &q->work, run, ran);
    assert(rc == 0);
    thread_signals_back(&before);
}

static void fork_by_crew(void *ctx, struct forked *forked)
{
    struct workers *w = ctx;
    crew_fork(w->crew, forked);
}

static void join_by_crew(void *ctx, struct forked *forked)
{
    struct workers *w = ctx;
    crew_join(w->crew, forked);
}

void workers_init(struct workers *w, uv_loop_t *loop, void (*after)(void *ctx),
                  void *ctx)
{
    *w = (struct workers){
        .loop = loop,
        .pool = {w, submit, fork_by_crew, join_by_crew},
        .crew = crew_new(crew_size()),
        .after = after,
        .ctx = ctx,
    };
}

void workers_deinit(struct workers *w)
{
    crew_free(w->crew);
}
