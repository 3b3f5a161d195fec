/* (1) From when somebody asked for the descriptor it is readable exactly while
 *     the queue has an answer: both change under the mutex. Before, it is left
 *     alone, which saves two system calls an answer. So it is in a port that
 *     gathers for what comes while its caller looks.
 * (2) A closed port takes nothing in; the last reference frees it. */
#include "io/port.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "base/memory.h"

enum { GATHERED_MOST = 4 }; /* with more, two threads are better than one */

struct port {
    int fd;
    pthread_mutex_t mutex;
    pthread_cond_t filled;
    struct answer *first;
    struct answer **last;
    size_t count; /* of answers */
    size_t refs;
    bool closed;
    bool has_fd;      /* somebody has the descriptor */
    bool is_readable; /* and it is */
    bool gathers;
    bool handed_over;        /* it asked too much for that, until it looks */
    bool looks;              /* its caller, who takes what comes */
    void (*owed)(void *ctx); /* work that waits for that; or NULL */
    void *owed_ctx;
    uint32_t owed_count;        /* of calls */
    bool only_waits;            /* whoever waits does not fetch */
    struct port_source *source; /* or NULL */
};

struct answer *answer_new(uint64_t call, bool is_final, int code,
                          const struct err *err, struct bytes value)
{
    struct answer *answer = mem_zero(1, sizeof(*answer));
    answer->call = call;
    answer->is_final = is_final;
    if (code != 0)
        answer->err = mem_copy(err, sizeof(*err));
    else
        buf_put_bytes(&answer->value, value);
    return answer;
}

void answer_free(struct answer *answer)
{
    if (answer == NULL)
        return;
    mem_free(answer->err);
    buf_deinit(&answer->value);
    mem_free(answer);
}

struct port *port_new(void)
{
    pthread_condattr_t attributes;
    int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (fd < 0)
        return NULL;
    struct port *port = mem_zero(1, sizeof(*port));
    port->fd = fd;
    port->last = &port->first;
    port->refs = 1;
    pthread_mutex_init(&port->mutex, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&port->filled, &attributes);
    pthread_condattr_destroy(&attributes);
    return port;
}

static void drop_answers(struct answer *answer)
{
    while (answer != NULL) {
        struct answer *next = answer->next;
        answer_free(answer);
        answer = next;
    }
}

void port_unref(struct port *port)
{
    pthread_mutex_lock(&port->mutex);
    assert(port->refs > 0);
    bool last = --port->refs == 0;
    pthread_mutex_unlock(&port->mutex);
    if (!last)
        return;
    drop_answers(port->first);
    if (port->source != NULL)
        port->source->unref(port->source);
    close(port->fd);
    pthread_cond_destroy(&port->filled);
    pthread_mutex_destroy(&port->mutex);
    mem_free(port);
}

/* ---- what is gathered ---- */

void port_gather(struct port *port)
{
    pthread_mutex_lock(&port->mutex);
    port->gathers = true;
    pthread_mutex_unlock(&port->mutex);
}

/* The work is no longer owed: gives it, or NULL. With the mutex held. */
static void (*let_go(struct port *port))(void *ctx)
{
    void (*owed)(void *ctx) = port->owed;
    port->owed = NULL;
    port->owed_count = 0;
    return owed;
}

enum asker port_asks(struct port *port, void (*work)(void *ctx), void *ctx)
{
    void (*other)(void *ctx) = NULL;
    void *other_ctx = port->owed_ctx;
    pthread_mutex_lock(&port->mutex);
    enum asker asker = port->gathers  ? ASKER_GATHERS
                       : port->has_fd ? ASKER_POLLS
                                      : ASKER_WAITS;
    if (asker == ASKER_GATHERS && port->owed_ctx != ctx)
        other = let_go(port);
    if (asker == ASKER_GATHERS && port->owed_count == GATHERED_MOST) {
        port->handed_over = true;
        let_go(port);
    }
    if (port->handed_over)
        asker = ASKER_POLLS;
    if (asker == ASKER_GATHERS) {
        port->owed = work;
        port->owed_ctx = ctx;
        port->owed_count++;
    }
    pthread_mutex_unlock(&port->mutex);
    if (other != NULL)
        other(other_ctx);
    return asker;
}

/* With the mutex held, but for the work. */
static void work_owed(struct port *port)
{
    while (port->owed != NULL) {
        void (*owed)(void *ctx) = let_go(port);
        port->looks = true;
        pthread_mutex_unlock(&port->mutex);
        owed(port->owed_ctx);
        pthread_mutex_lock(&port->mutex);
        port->looks = false;
    }
}

void port_close(struct port *port)
{
    if (port == NULL)
        return;
    pthread_mutex_lock(&port->mutex);
    work_owed(port);
    port->closed = true;
    struct answer *answers = port->first;
    port->first = NULL;
    port->last = &port->first;
    port->count = 0;
    pthread_mutex_unlock(&port->mutex);
    drop_answers(answers);
    port_unref(port);
}

/* The counter of an eventfd cannot be full or, below, empty: see (1). */
static void set_readable(struct port *port)
{
    uint64_t one = 1;
    port->is_readable = true;
    ssize_t n = write(port->fd, &one, sizeof(one));
    assert(n == (ssize_t)sizeof(one));
}

static void set_unreadable(struct port *port)
{
    uint64_t count;
    port->is_readable = false;
    ssize_t n = read(port->fd, &count, sizeof(count));
    assert(n == (ssize_t)sizeof(count));
}

/* Whoever waits does not fetch any more. Gives the source to be left by
 * leave(), or NULL. With the mutex held. */
static struct port_source *stop_fetching(struct port *port)
{
    struct port_source *source = port->only_waits ? NULL : port->source;
    port->only_waits = true;
    if (source != NULL)
        source->ref(source);
    return source;
}

/* Without the mutex. */
static void leave(struct port_source *source)
{
    if (source == NULL)
        return;
    source->leave(source);
    source->unref(source);
}

/* A port whose answers come from several places is not fetched for: whoever
 * waited at one would not see the other. */
void port_ref(struct port *port, struct port_source *source)
{
    struct port_source *left = NULL;
    bool is_new = false;
    pthread_mutex_lock(&port->mutex);
    port->refs++;
    if (source == NULL) {
        left = stop_fetching(port);
    } else if (port->source == NULL) {
        port->source = source;
        source->ref(source);
        is_new = port->only_waits;
    } else if (port->source != source) {
        left = stop_fetching(port);
        is_new = true;
    }
    pthread_mutex_unlock(&port->mutex);
    leave(left);
    if (is_new)
        source->leave(source);
}

int port_fd(struct port *port)
{
    pthread_mutex_lock(&port->mutex);
    struct port_source *left = stop_fetching(port);
    if (!port->has_fd && port->first != NULL)
        set_readable(port);
    port->has_fd = true;
    pthread_mutex_unlock(&port->mutex);
    leave(left);
    return port->fd;
}

void port_offer(struct port *port, struct answer *answer, size_t most)
{
    pthread_mutex_lock(&port->mutex);
    if (!port->closed && port->count < most) {
        if (port->has_fd && !port->is_readable && !port->looks)
            set_readable(port);
        *port->last = answer;
        port->last = &answer->next;
        port->count++;
        answer = NULL;
        pthread_cond_signal(&port->filled);
    }
    pthread_mutex_unlock(&port->mutex);
    answer_free(answer);
}

void port_push(struct port *port, struct answer *answer)
{
    port_offer(port, answer, SIZE_MAX);
}

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Until `late_ms` by the clock; -1: for ever. With the mutex held. */
static void wait_for_one(struct port *port, int64_t late_ms)
{
    struct timespec at = {
        .tv_sec = late_ms / 1000,
        .tv_nsec = (long)(late_ms % 1000) * 1000000,
    };
    int rc = 0;
    while (port->first == NULL && rc != ETIMEDOUT) {
        if (late_ms < 0)
            rc = pthread_cond_wait(&port->filled, &port->mutex);
        else
            rc = pthread_cond_timedwait(&port->filled, &port->mutex, &at);
    }
}

/* Until there is one, or somebody else fetches; false: the time is up. With the
 * mutex held, but for the fetching. */
static bool fetch_one(struct port *port, int64_t late_ms)
{
    while (port->first == NULL && port->source != NULL && !port->only_waits) {
        struct port_source *source = port->source;
        int64_t left_ms = late_ms < 0 ? -1 : late_ms - now_ms();
        source->ref(source);
        pthread_mutex_unlock(&port->mutex);
        bool fetched = source->fetch(
            source, late_ms >= 0 && left_ms < 0 ? 0 : (int)left_ms);
        source->unref(source);
        pthread_mutex_lock(&port->mutex);
        if (!fetched)
            return true;
        if (late_ms >= 0 && left_ms <= 0)
            return false;
    }
    return true;
}

struct answer *port_next(struct port *port, int timeout_ms)
{
    int64_t late_ms = timeout_ms < 0 ? -1 : 0;
    if (timeout_ms > 0)
        late_ms = now_ms() + timeout_ms;
    pthread_mutex_lock(&port->mutex);
    port->handed_over = false;
    work_owed(port);
    bool may_wait = fetch_one(port, late_ms) && timeout_ms != 0;
    if (may_wait && port->first == NULL)
        wait_for_one(port, late_ms);
    struct answer *answer = port->first;
    if (answer != NULL) {
        port->first = answer->next;
        port->count--;
        if (port->first == NULL) {
            port->last = &port->first;
            if (port->is_readable)
                set_unreadable(port);
        }
        answer->next = NULL;
    }
    pthread_mutex_unlock(&port->mutex);
    return answer;
}
