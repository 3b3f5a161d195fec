/* Looks are counted, time is not taken: while the whole process stood still,
 * by a signal or with its machine, no run was slow. */
#include "io/watchdog.h"

#include <assert.h>
#include <errno.h>
#include <time.h>

#include "base/err.h"
#include "io/thread.h"
#include "sandbox/watch.h"

bool watchdog_look(struct watchdog *w)
{
    uint64_t run = watch_run(w->watch);
    if (run != w->run)
        w->looks = 0;
    else if (run != 0 && ++w->looks >= WATCHDOG_LOOKS)
        watch_stop(w->watch, run);
    w->run = run;
    return run != 0;
}

/* Called by the thread that runs Lua. */
static void wake(void *ctx)
{
    struct watchdog *w = ctx;
    pthread_mutex_lock(&w->mutex);
    atomic_store(&w->watch->asleep, false);
    pthread_cond_signal(&w->news);
    pthread_mutex_unlock(&w->mutex);
}

static void pass_time(struct watchdog *w)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    int64_t ns = until.tv_nsec + w->look_ms * 1000000;
    until.tv_sec += ns / 1000000000;
    until.tv_nsec = ns % 1000000000;
    while (!w->ending &&
           pthread_cond_timedwait(&w->news, &w->mutex, &until) != ETIMEDOUT) {
    }
}

/* Until a run begins; see sandbox/watch.c on why none is missed. */
static void sleep_until_run(struct watchdog *w)
{
    atomic_store(&w->watch->asleep, true);
    while (!w->ending && atomic_load(&w->watch->asleep) &&
           watch_run(w->watch) == 0)
        pthread_cond_wait(&w->news, &w->mutex);
    atomic_store(&w->watch->asleep, false);
}

static void *thread_main(void *ctx)
{
    struct watchdog *w = ctx;
    pthread_mutex_lock(&w->mutex);
    while (!w->ending) {
        if (!watchdog_look(w))
            sleep_until_run(w);
        pass_time(w);
    }
    pthread_mutex_unlock(&w->mutex);
    return NULL;
}

int watchdog_start(struct watchdog *w, struct watch *watch, int64_t look_ms,
                   struct err *err)
{
    pthread_condattr_t clock;
    *w = (struct watchdog){.watch = watch, .look_ms = look_ms};
    watch->limit_ms = (uint64_t)(WATCHDOG_LOOKS * look_ms);
    watch->wake = wake;
    watch->ctx = w;
    pthread_mutex_init(&w->mutex, NULL);
    pthread_condattr_init(&clock);
    pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    pthread_cond_init(&w->news, &clock);
    pthread_condattr_destroy(&clock);
    int rc = thread_start(&w->thread, thread_main, w);
    w->started = rc == 0;
    if (rc == 0)
        return 0;
    pthread_cond_destroy(&w->news);
    pthread_mutex_destroy(&w->mutex);
    return err_errno(err, rc, "starting the thread that watches over Lua");
}

void watchdog_stop(struct watchdog *w)
{
    if (!w->started)
        return;
    assert(watch_run(w->watch) == 0);
    pthread_mutex_lock(&w->mutex);
    w->ending = true;
    pthread_cond_signal(&w->news);
    pthread_mutex_unlock(&w->mutex);
    pthread_join(w->thread, NULL);
    pthread_cond_destroy(&w->news);
    pthread_mutex_destroy(&w->mutex);
    w->watch->wake = NULL;
    w->started = false;
}
