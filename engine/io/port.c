/* (1) The descriptor is readable exactly while the queue has an answer: both
 *     change under the mutex.
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

struct port {
    int fd;
    pthread_mutex_t mutex;
    pthread_cond_t filled;
    struct answer *first;
    struct answer **last;
    size_t refs;
    bool closed;
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

void port_ref(struct port *port)
{
    pthread_mutex_lock(&port->mutex);
    port->refs++;
    pthread_mutex_unlock(&port->mutex);
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
    close(port->fd);
    pthread_cond_destroy(&port->filled);
    pthread_mutex_destroy(&port->mutex);
    mem_free(port);
}

void port_close(struct port *port)
{
    if (port == NULL)
        return;
    pthread_mutex_lock(&port->mutex);
    port->closed = true;
    struct answer *answers = port->first;
    port->first = NULL;
    port->last = &port->first;
    pthread_mutex_unlock(&port->mutex);
    drop_answers(answers);
    port_unref(port);
}

int port_fd(const struct port *port)
{
    return port->fd;
}

/* The counter of an eventfd cannot be full or, below, empty: see (1). */
static void set_readable(struct port *port)
{
    uint64_t one = 1;
    ssize_t n = write(port->fd, &one, sizeof(one));
    assert(n == (ssize_t)sizeof(one));
}

static void set_unreadable(struct port *port)
{
    uint64_t count;
    ssize_t n = read(port->fd, &count, sizeof(count));
    assert(n == (ssize_t)sizeof(count));
}

void port_push(struct port *port, struct answer *answer)
{
    pthread_mutex_lock(&port->mutex);
    if (!port->closed) {
        if (port->first == NULL)
            set_readable(port);
        *port->last = answer;
        port->last = &answer->next;
        answer = NULL;
        pthread_cond_signal(&port->filled);
    }
    pthread_mutex_unlock(&port->mutex);
    answer_free(answer);
}

static struct timespec deadline_in(int timeout_ms)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    at.tv_sec += timeout_ms / 1000;
    at.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
    if (at.tv_nsec >= 1000000000) {
        at.tv_sec++;
        at.tv_nsec -= 1000000000;
    }
    return at;
}

/* With the mutex held. */
static void wait_for_one(struct port *port, int timeout_ms)
{
    if (timeout_ms == 0)
        return;
    struct timespec at = deadline_in(timeout_ms > 0 ? timeout_ms : 0);
    int rc = 0;
    while (port->first == NULL && rc != ETIMEDOUT) {
        if (timeout_ms < 0)
            rc = pthread_cond_wait(&port->filled, &port->mutex);
        else
            rc = pthread_cond_timedwait(&port->filled, &port->mutex, &at);
    }
}

struct answer *port_next(struct port *port, int timeout_ms)
{
    pthread_mutex_lock(&port->mutex);
    wait_for_one(port, timeout_ms);
    struct answer *answer = port->first;
    if (answer != NULL) {
        port->first = answer->next;
        if (port->first == NULL) {
            port->last = &port->first;
            set_unreadable(port);
        }
        answer->next = NULL;
    }
    pthread_mutex_unlock(&port->mutex);
    return answer;
}
