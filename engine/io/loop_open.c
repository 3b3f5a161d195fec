/* How a loop is opened and closed. */
#include <assert.h>
#include <limits.h>
#include <malloc.h>
#include <sodium.h>
#include <stdlib.h>

#include "base/memory.h"
#include "crypto/sign.h"
#include "io/disk.h"
#include "io/loop_inside.h"
#include "io/memory_disk.h"
#include "io/thread.h"

/* What is freed is used again at once: fresh memory costs microseconds a page.
 * Threads that take turns (turns.h) are not to keep some each. */
static void keep_memory(void)
{
    mallopt(M_ARENA_MAX, 1);
    mallopt(M_TRIM_THRESHOLD, 1 << 30);
    mallopt(M_MMAP_THRESHOLD, 32 << 20); /* the most that glibc takes */
}

static int open_disk(struct loop *loop, struct err *err)
{
    const struct loop_options *o = &loop->options;
    if (o->path == NULL) {
        loop->memory = memory_disk_new();
        return 0;
    }
    bool read_only = o->read_only || o->folder;
    struct disk_options options = {
        .write = !read_only,
        .create = o->create && !read_only,
        .wake = loop_job_finished,
        .wake_ctx = loop,
    };
    int rc = disk_open(&loop->disk, o->path, &options, err);
    if (rc != 0)
        return rc;
    char room[PATH_MAX];
    loop->path = mem_text(realpath(o->path, room) != NULL ? room : o->path);
    return 0;
}

static void loop_free(struct loop *loop)
{
    watchdog_stop(&loop->watchdog);
    disk_close(loop->disk); /* its threads may still wake the handle */
    int rc = uv_loop_close(&loop->uv);
    assert(rc == 0);
    workers_deinit(&loop->workers);
    memory_disk_free(loop->memory);
    assert(loop->inbox.count == 0 && loop->requests.count == 0);
    map_deinit(&loop->requests);
    mem_free(loop->inbox.messages);
    mem_free(loop->working.messages);
    pthread_cond_destroy(&loop->told);
    pthread_mutex_destroy(&loop->mutex);
    turns_deinit(&loop->turns);
    mem_free(loop->path);
    mem_free(loop);
}

static int start_thread(struct loop *loop, struct err *err)
{
    int rc =
        watchdog_start(&loop->watchdog, &loop->watch, WATCHDOG_LOOK_MS, err);
    if (rc == 0) {
        int posix = thread_start(&loop->thread, loop_thread, loop);
        if (posix != 0)
            rc = err_errno(err, posix, "starting the engine's thread");
    }
    if (rc != 0) {
        loop_close_handles(loop);
        uv_run(&loop->uv, UV_RUN_DEFAULT);
    }
    return rc;
}

int loop_open(struct loop **out, const struct loop_options *options,
              struct err *err)
{
    uint8_t seed[MAP_SEED_LEN];
    *out = NULL;
    int rc = crypto_init(err);
    if (rc != 0)
        return rc;
    keep_memory();
    struct loop *loop = mem_zero(1, sizeof(*loop));
    loop->options = *options;
    randombytes_buf(seed, sizeof(seed));
    map_init(&loop->requests, seed);
    pthread_mutex_init(&loop->mutex, NULL);
    pthread_cond_init(&loop->told, NULL);
    turns_init(&loop->turns);
    loop_init_handles(loop);
    rc = open_disk(loop, err);
    if (rc != 0) {
        loop_close_handles(loop);
        uv_run(&loop->uv, UV_RUN_DEFAULT);
        loop_free(loop);
        return rc;
    }
    rc = start_thread(loop, err);
    if (rc != 0) {
        loop_free(loop);
        return rc;
    }
    pthread_mutex_lock(&loop->mutex);
    while (!loop->has_started)
        pthread_cond_wait(&loop->told, &loop->mutex);
    pthread_mutex_unlock(&loop->mutex);
    if (loop->start_err.code != 0) {
        *err = loop->start_err;
        pthread_join(loop->thread, NULL);
        loop_free(loop);
        return err->code;
    }
    *out = loop;
    return 0;
}

void loop_close(struct loop *loop)
{
    if (loop == NULL)
        return;
    pthread_mutex_lock(&loop->mutex);
    loop->closing = true;
    pthread_mutex_unlock(&loop->mutex);
    loop_wake(loop);
    pthread_join(loop->thread, NULL);
    loop_free(loop);
}

int loop_set_clock(struct loop *loop, int64_t time_ms, struct err *err)
{
    if (loop->memory == NULL)
        return err_set(err, ATE_EINVALID,
                       "the clock is set by hand only in memory");
    int64_t before = atomic_load(&loop->clock_ms);
    do {
        if (time_ms < before)
            return err_set(err, ATE_EINVALID,
                           "the clock stands at %lld ms and never goes back",
                           (long long)before);
    } while (!atomic_compare_exchange_weak(&loop->clock_ms, &before, time_ms));
    return 0;
}
