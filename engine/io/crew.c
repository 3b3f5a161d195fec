/* (1) What waits is in the list, oldest first, under the mutex; a thread takes
 *     the oldest. Whoever joins takes what it joins out of the list and works
 *     itself, unless a thread has it.
 * (2) A thread that sleeps is woken when WAKE_AT wait, not by each: waking one
 *     costs the owner as much as a part of the work.
 * (3) A thread that found no room to be started is not missed: joining does
 *     the work. */
#include "io/crew.h"

#include <assert.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <unistd.h>

#include "base/memory.h"
#include "io/thread.h"

enum { WAKE_AT = 4, YIELDS = 100 };

enum { WAITING, TAKEN, DONE };

struct crew {
    pthread_mutex_t mutex; /* of all below */
    pthread_cond_t work;
    pthread_cond_t done;
    struct forked *first;
    struct forked *last;
    uint32_t waiting;
    uint32_t idle;
    uint32_t threads_max;
    uint32_t threads_count;
    pthread_t threads[CREW_THREADS];
    bool stopping;
};

/* ---- with the mutex held ---- */

static void append(struct crew *crew, struct forked *f)
{
    f->next = NULL;
    f->before = crew->last;
    if (crew->last != NULL)
        crew->last->next = f;
    else
        crew->first = f;
    crew->last = f;
    crew->waiting++;
}

static void take_out(struct crew *crew, struct forked *f)
{
    if (f->before != NULL)
        f->before->next = f->next;
    else
        crew->first = f->next;
    if (f->next != NULL)
        f->next->before = f->before;
    else
        crew->last = f->before;
    crew->waiting--;
    atomic_store(&f->state, TAKEN);
}

static void work_once(struct crew *crew)
{
    struct forked *f = crew->first;
    take_out(crew, f);
    pthread_mutex_unlock(&crew->mutex);
    f->work(f);
    pthread_mutex_lock(&crew->mutex);
    atomic_store(&f->state, DONE); /* from here on it is the owner's */
    pthread_cond_signal(&crew->done);
}

static void *thread_main(void *ctx)
{
    struct crew *crew = ctx;
    pthread_mutex_lock(&crew->mutex);
    for (;;) {
        while (crew->first == NULL && !crew->stopping) {
            crew->idle++;
            pthread_cond_wait(&crew->work, &crew->mutex);
            crew->idle--;
        }
        if (crew->first == NULL)
            break;
        work_once(crew);
    }
    pthread_mutex_unlock(&crew->mutex);
    return NULL;
}

/* ---- the owner's ---- */

uint32_t crew_size(void)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    if (cores <= 1)
        return 0;
    return cores - 1 < CREW_THREADS ? (uint32_t)(cores - 1) : CREW_THREADS;
}

struct crew *crew_new(uint32_t threads)
{
    assert(threads <= CREW_THREADS);
    struct crew *crew = mem_zero(1, sizeof(*crew));
    crew->threads_max = threads;
    pthread_mutex_init(&crew->mutex, NULL);
    pthread_cond_init(&crew->work, NULL);
    pthread_cond_init(&crew->done, NULL);
    return crew;
}

void crew_free(struct crew *crew)
{
    if (crew == NULL)
        return;
    pthread_mutex_lock(&crew->mutex);
    assert(crew->first == NULL);
    crew->stopping = true;
    pthread_cond_broadcast(&crew->work);
    pthread_mutex_unlock(&crew->mutex);
    for (uint32_t i = 0; i < crew->threads_count; i++)
        pthread_join(crew->threads[i], NULL);
    pthread_cond_destroy(&crew->done);
    pthread_cond_destroy(&crew->work);
    pthread_mutex_destroy(&crew->mutex);
    mem_free(crew);
}

void crew_fork(struct crew *crew, struct forked *forked)
{
    pthread_mutex_lock(&crew->mutex);
    atomic_store(&forked->state, WAITING);
    append(crew, forked);
    if (crew->waiting >= WAKE_AT) {
        if (crew->idle > 0)
            pthread_cond_signal(&crew->work);
        else if (crew->threads_count < crew->threads_max &&
                 thread_start(&crew->threads[crew->threads_count], thread_main,
                              crew) == 0)
            crew->threads_count++;
    }
    pthread_mutex_unlock(&crew->mutex);
}

/* The work is short: to be woken from sleep takes longer than its end does. */
static bool is_soon_done(const struct forked *forked)
{
    for (int i = 0; i < YIELDS; i++) {
        if (atomic_load(&forked->state) == DONE)
            return true;
        sched_yield();
    }
    return false;
}

void crew_join(struct crew *crew, struct forked *forked)
{
    pthread_mutex_lock(&crew->mutex);
    bool is_mine = atomic_load(&forked->state) == WAITING;
    if (is_mine)
        take_out(crew, forked);
    pthread_mutex_unlock(&crew->mutex);
    if (is_mine)
        forked->work(forked);
    if (is_mine || is_soon_done(forked))
        return;
    pthread_mutex_lock(&crew->mutex);
    while (atomic_load(&forked->state) != DONE)
        pthread_cond_wait(&crew->done, &crew->mutex);
    pthread_mutex_unlock(&crew->mutex);
}
