/* (1) A lane is there while it has jobs waiting or one running. It is in the
 *     ready list exactly when it has one waiting and none running.
 * (2) Each job of lane 0 gets a lane of its own.
 * (3) A thread is started when more lanes are ready than threads are free; it
 *     ends with the disk.
 * (4) All fields are under the mutex. It is never held during a job or a
 *     wake.
 * (5) A thread that tells the owner of a job, and is handed the next one for
 *     it, wakes nobody: it takes that itself when it has told. On a busy
 *     machine whoever it woke would take its processor. */
#include "io/disk.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "base/err.h"
#include "base/memory.h"
#include "io/files.h"
#include "io/thread.h"

enum { BUCKETS = 256 };

struct lane {
    uint64_t id;
    struct job *first;
    struct job **last;
    bool running;
    struct lane *bucket_next;
    struct lane *ready_next;
};

struct real_disk {
    struct disk interface;
    struct disk_options options;
    struct files *files;

    pthread_mutex_t mutex;
    pthread_cond_t work;
    pthread_cond_t done;
    struct lane *bucket[BUCKETS];
    struct lane *ready;
    struct lane **ready_last;
    uint32_t ready_count;
    struct job *finished;
    struct job **finished_last;
    uint64_t under_way;
    pthread_t *threads;
    uint32_t threads_count;
    uint32_t idle;
    bool stopping;
};

static struct lane *lane_new(uint64_t id)
{
    struct lane *lane = mem_zero(1, sizeof(*lane));
    lane->id = id;
    lane->last = &lane->first;
    return lane;
}

static struct lane *lane_find(struct real_disk *d, uint64_t id)
{
    struct lane **bucket = &d->bucket[id % BUCKETS];
    for (struct lane *lane = *bucket; lane != NULL; lane = lane->bucket_next)
        if (lane->id == id)
            return lane;
    struct lane *lane = lane_new(id);
    lane->bucket_next = *bucket;
    *bucket = lane;
    return lane;
}

static void lane_free(struct real_disk *d, struct lane *lane)
{
    if (lane->id != 0) {
        struct lane **p = &d->bucket[lane->id % BUCKETS];
        while (*p != lane)
            p = &(*p)->bucket_next;
        *p = lane->bucket_next;
    }
    mem_free(lane);
}

static void lane_ready(struct real_disk *d, struct lane *lane)
{
    lane->ready_next = NULL;
    *d->ready_last = lane;
    d->ready_last = &lane->ready_next;
    d->ready_count++;
}

static struct lane *ready_take(struct real_disk *d)
{
    struct lane *lane = d->ready;
    d->ready = lane->ready_next;
    if (d->ready == NULL)
        d->ready_last = &d->ready;
    d->ready_count--;
    return lane;
}

/* Into the list of finished jobs; true when the owner has to be woken. */
static bool finish(struct real_disk *d, struct job *job)
{
    bool was_empty = d->finished == NULL;
    job->next = NULL;
    *d->finished_last = job;
    d->finished_last = &job->next;
    assert(d->under_way > 0);
    d->under_way--;
    pthread_cond_signal(&d->done);
    return was_empty;
}

/* Invariant (5): set while this thread tells. */
static _Thread_local const struct real_disk *back_soon;

static void wake(struct real_disk *d)
{
    if (d->options.wake != NULL)
        d->options.wake(d->options.wake_ctx);
}

/* Run one job of a ready lane. Called and left with the mutex held. */
static void work_once(struct real_disk *d)
{
    struct lane *lane = ready_take(d);
    struct job *job = lane->first;

    lane->first = job->next;
    if (lane->first == NULL)
        lane->last = &lane->first;
    lane->running = true;
    pthread_mutex_unlock(&d->mutex);
    files_run(d->files, job);
    pthread_mutex_lock(&d->mutex);
    lane->running = false;
    if (lane->first != NULL)
        lane_ready(d, lane);
    else
        lane_free(d, lane);
    if (finish(d, job)) {
        pthread_mutex_unlock(&d->mutex);
        back_soon = d;
        wake(d);
        back_soon = NULL;
        pthread_mutex_lock(&d->mutex);
    }
}

static void *thread_main(void *ctx)
{
    struct real_disk *d = ctx;

    pthread_mutex_lock(&d->mutex);
    for (;;) {
        while (d->ready == NULL && !d->stopping) {
            d->idle++;
            pthread_cond_wait(&d->work, &d->mutex);
            d->idle--;
        }
        if (d->ready == NULL)
            break;
        work_once(d);
    }
    pthread_mutex_unlock(&d->mutex);
    return NULL;
}

/* Invariant (3); false when there is no thread at all. */
static bool have_thread(struct real_disk *d)
{
    if (d->ready_count <= d->idle || d->threads_count == d->options.threads_max)
        return true;
    if (thread_start(&d->threads[d->threads_count], thread_main, d) == 0)
        d->threads_count++;
    return d->threads_count > 0;
}

static void submit(void *ctx, struct job *job)
{
    struct real_disk *d = ctx;
    bool woken = false;

    pthread_mutex_lock(&d->mutex);
    assert(!d->stopping);
    struct lane *lane = job->lane != 0 ? lane_find(d, job->lane) : lane_new(0);
    bool waits = lane->first != NULL || lane->running;
    job->next = NULL;
    *lane->last = job;
    lane->last = &job->next;
    d->under_way++;
    if (!waits)
        lane_ready(d, lane);
    bool is_mine = back_soon == d && d->ready_count == 1;
    bool has_thread = is_mine || have_thread(d);
    if (!has_thread) {
        /* Without a single thread nothing else can be waiting. */
        ready_take(d);
        lane_free(d, lane);
        job->error = EAGAIN;
        woken = finish(d, job);
    }
    pthread_mutex_unlock(&d->mutex);
    if (has_thread && !is_mine) /* who is woken wants the mutex at once */
        pthread_cond_signal(&d->work);
    if (woken)
        wake(d);
}

static void unmap(void *ctx, struct bytes mapped)
{
    (void)ctx;
    files_unmap(mapped);
}

int disk_open(struct real_disk **out, const char *path,
              const struct disk_options *options, struct err *err)
{
    struct files *files;
    uint32_t files_max = options->files_max;

    *out = NULL;
    assert(options->write || !options->create);
    int rc = files_open(&files, path, options->write, options->create,
                        files_max != 0 ? files_max : DISK_FILES, err);
    if (rc != 0)
        return rc;
    struct real_disk *d = mem_zero(1, sizeof(*d));
    d->interface = (struct disk){.ctx = d, .submit = submit, .unmap = unmap};
    d->options = *options;
    if (d->options.threads_max == 0)
        d->options.threads_max = DISK_THREADS;
    d->files = files;
    pthread_mutex_init(&d->mutex, NULL);
    pthread_cond_init(&d->work, NULL);
    pthread_cond_init(&d->done, NULL);
    d->ready_last = &d->ready;
    d->finished_last = &d->finished;
    d->threads = mem_zero(d->options.threads_max, sizeof(*d->threads));
    *out = d;
    return 0;
}

const struct disk *disk_interface(struct real_disk *d)
{
    return &d->interface;
}

static size_t call_done(struct job *job)
{
    size_t count = 0;
    while (job != NULL) {
        struct job *next = job->next; /* done() may free or reuse the job */
        job->done(job);
        job = next;
        count++;
    }
    return count;
}

/* With the mutex held. */
static struct job *take_finished(struct real_disk *d)
{
    struct job *job = d->finished;
    d->finished = NULL;
    d->finished_last = &d->finished;
    return job;
}

size_t disk_reap(struct real_disk *d)
{
    pthread_mutex_lock(&d->mutex);
    struct job *job = take_finished(d);
    pthread_mutex_unlock(&d->mutex);
    return call_done(job);
}

size_t disk_wait(struct real_disk *d)
{
    pthread_mutex_lock(&d->mutex);
    while (d->finished == NULL && d->under_way > 0)
        pthread_cond_wait(&d->done, &d->mutex);
    struct job *job = take_finished(d);
    pthread_mutex_unlock(&d->mutex);
    return call_done(job);
}

void disk_close(struct real_disk *d)
{
    if (d == NULL)
        return;
    pthread_mutex_lock(&d->mutex);
    d->stopping = true;
    pthread_cond_broadcast(&d->work);
    pthread_mutex_unlock(&d->mutex);
    for (uint32_t i = 0; i < d->threads_count; i++)
        pthread_join(d->threads[i], NULL);
    assert(d->under_way == 0);
    files_close(d->files);
    pthread_cond_destroy(&d->done);
    pthread_cond_destroy(&d->work);
    pthread_mutex_destroy(&d->mutex);
    mem_free(d->threads);
    mem_free(d);
}
