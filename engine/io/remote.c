/* (1) All but `path`, `wake` and the thread is under the mutex. It is not held
 *     while somebody reads or waits.
 * (2) Whoever has put something into the session's output writes it, unless the
 *     socket took no more: then the thread does, when it takes more again.
 * (3) The thread waits at most until `wakes_us`; who needs it earlier wakes it.
 * (4) One at a time is `fetching`: he alone waits for what comes, reads it, and
 *     closes the socket.
 * (5) At first callers who wait for an answer fetch it themselves, for to be
 *     woken by another thread costs more than all the rest of a call. The
 *     thread looks after them: when answers are due and nobody has fetched for
 *     a while, when two wait at once, when a port is watched by its
 *     descriptor, or when the connection ends, it fetches from then on
 *     (`thread_fetches`). */
#define _GNU_SOURCE /* POLLRDHUP */
#include "io/remote.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "base/limits.h"
#include "base/memory.h"
#include "crypto/sign.h"
#include "io/local_socket.h"
#include "io/port.h"
#include "io/thread.h"
#include "net/client_session.h"

enum {
    READ_SIZE = 64 << 10,
    US_PER_MS = 1000,
    LOOK_MS = 200, /* how often the thread looks after callers */
};

struct remote {
    struct port_source source; /* first, so that one pointer is the other */
    _Atomic unsigned refs;     /* its owner's, and of ports */
    char *path;                /* absolute */
    uint32_t wait_ms;          /* 0: nobody said how long */
    int wake;                  /* eventfds, for the thread */
    int kick;                  /* and for a caller who fetches */
    pthread_t thread;

    pthread_mutex_t mutex;
    struct client_session *session;
    int fd;       /* -1: not connected */
    bool is_full; /* the socket took no more */
    bool closing;
    bool thread_fetches;
    bool fetching;
    pthread_cond_t fetched; /* nobody is fetching */
    uint64_t fetches;       /* that callers did */
    uint64_t looked_at;     /* of these, when the thread looked */
    bool asleep;            /* it does not look, for nothing goes on */
    int64_t wakes_us;
    uint8_t buffer[READ_SIZE]; /* of who is fetching */
};

static int64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void set(int eventfd)
{
    static const uint64_t one = 1;
    ssize_t n = write(eventfd, &one, sizeof(one));
    (void)n; /* full: it is set already */
}

static void unset(int eventfd)
{
    uint64_t count;
    ssize_t n = read(eventfd, &count, sizeof(count));
    (void)n; /* nothing: it was not set */
}

static void wake(struct remote *r)
{
    set(r->wake);
}

/* ---- the connection; with the mutex held ---- */

static int gone(struct remote *r, int posix, struct err *err)
{
    if (posix == 0 || posix == ECONNRESET || posix == EPIPE)
        return err_set(err, ATE_EUNAVAILABLE,
                       "the connection to the daemon of %s ended", r->path);
    return err_errno(err, posix, "the connection to the daemon of %s", r->path);
}

/* Invariant (2). What fails here shows when it is read. */
static void write_out(struct remote *r)
{
    while (r->fd >= 0 && !r->is_full) {
        struct bytes out = client_session_output(r->session);
        if (out.len == 0)
            return;
        ssize_t n = send(r->fd, out.data, out.len, MSG_NOSIGNAL);
        if (n >= 0) {
            client_session_wrote(r->session, (size_t)n);
        } else if (errno != EINTR) {
            r->is_full = errno == EAGAIN;
            if (r->is_full)
                wake(r);
            return;
        }
    }
}

static int connect_now(struct remote *r, int timeout_ms, struct err *err)
{
    int fd = local_socket_connect(r->path, timeout_ms, err);
    if (fd < 0)
        return fd;
    int rc = local_socket_check(fd, r->path, err);
    if (rc != 0) {
        close(fd);
        return rc;
    }
    r->fd = fd;
    r->is_full = false;
    client_session_begin(r->session);
    write_out(r);
    return 0;
}

static void disconnect(struct remote *r, const struct err *why)
{
    close(r->fd);
    r->fd = -1;
    r->is_full = false;
    client_session_lost(r->session, why);
}

/* ---- fetching ---- */

/* Take what has come: 1, or 0 when nothing has, or a code. Called and left
 * with the mutex held; not held while it reads. */
static int read_once(struct remote *r, struct err *err)
{
    int fd = r->fd;
    pthread_mutex_unlock(&r->mutex);
    ssize_t n = recv(fd, r->buffer, READ_SIZE, 0);
    int posix = errno;
    pthread_mutex_lock(&r->mutex);
    if (n > 0) {
        int rc = client_session_input(
            r->session, bytes_of(r->buffer, (size_t)n), now_us(), err);
        return rc != 0 ? rc : 1;
    }
    if (n < 0 && (posix == EAGAIN || posix == EINTR))
        return 0;
    return gone(r, n < 0 ? posix : 0, err);
}

/* By who is fetching. */
static void read_some(struct remote *r)
{
    struct err err;
    int rc = read_once(r, &err);
    if (rc < 0)
        disconnect(r, &err);
    else
        write_out(r); /* calls that waited for room */
}

static void begin_fetching(struct remote *r)
{
    assert(!r->fetching && r->fd >= 0);
    r->fetching = true;
}

static void end_fetching(struct remote *r)
{
    r->fetching = false;
    pthread_cond_broadcast(&r->fetched);
}

/* A caller who fetches does not see what others push to his port: here, when
 * fewer calls wait than would if nothing had been pushed. */
static void tell_fetcher(struct remote *r, size_t expected)
{
    if (r->fetching && !r->thread_fetches &&
        client_session_calls(r->session) < expected)
        set(r->kick);
}

/* Invariant (5). */
static void let_thread_fetch(struct remote *r)
{
    if (r->thread_fetches)
        return;
    r->thread_fetches = true;
    set(r->fetching ? r->kick : r->wake);
}

static struct remote *remote_of(struct port_source *source)
{
    return (struct remote *)(void *)source;
}

/* By a caller. */
static bool fetch(struct port_source *source, int timeout)
{
    struct remote *r = remote_of(source);
    pthread_mutex_lock(&r->mutex);
    if (r->fetching)
        let_thread_fetch(r); /* two wait at once */
    bool may = !r->thread_fetches && !r->closing && r->fd >= 0;
    if (may) {
        struct pollfd fds[2] = {
            {.fd = r->fd, .events = POLLIN},
            {.fd = r->kick, .events = POLLIN},
        };
        begin_fetching(r);
        r->fetches++;
        pthread_mutex_unlock(&r->mutex);
        int n = poll(fds, 2, timeout);
        pthread_mutex_lock(&r->mutex);
        if (n > 0 && fds[0].revents != 0)
            read_some(r);
        if (n > 0 && fds[1].revents != 0)
            unset(r->kick);
        end_fetching(r);
        if (r->thread_fetches)
            wake(r); /* it had to wait for us */
    }
    pthread_mutex_unlock(&r->mutex);
    return may;
}

static void leave(struct port_source *source)
{
    struct remote *r = remote_of(source);
    pthread_mutex_lock(&r->mutex);
    let_thread_fetch(r);
    pthread_mutex_unlock(&r->mutex);
}

/* ---- the thread ---- */

/* Milliseconds until somebody's deadline, rounded up; -1: for ever. */
static int timeout_ms(int64_t deadline_us)
{
    if (deadline_us == INT64_MAX)
        return -1;
    int64_t left_ms = (deadline_us - now_us() + US_PER_MS - 1) / US_PER_MS;
    if (left_ms < 0)
        return 0;
    return left_ms < INT_MAX ? (int)left_ms : INT_MAX;
}

/* Is anybody waiting for answers, and nobody fetching them? */
static void look_after_callers(struct remote *r)
{
    bool is_idle = !r->fetching && r->fetches == r->looked_at;
    r->looked_at = r->fetches;
    if (r->thread_fetches || !is_idle)
        return;
    if (client_session_calls(r->session) > 0)
        r->thread_fetches = true;
    else
        r->asleep = true;
}

/* When it has to act, should nothing come. */
static int64_t next_look(const struct remote *r)
{
    int64_t deadline = client_session_deadline(r->session);
    if (r->thread_fetches || r->asleep)
        return deadline;
    int64_t look = now_us() + LOOK_MS * US_PER_MS;
    return look < deadline ? look : deadline;
}

/* What the thread waits for at the socket: what comes, or that it ends. */
static nfds_t wait_at_socket(struct remote *r, struct pollfd *fd)
{
    bool is_theirs = r->fetching && r->thread_fetches; /* they wake us */
    *fd = (struct pollfd){.fd = r->fd, .events = POLLRDHUP};
    if (r->fd < 0 || is_theirs)
        return 0;
    if (r->thread_fetches) {
        fd->events = POLLIN;
        begin_fetching(r);
    }
    if (r->is_full)
        fd->events |= POLLOUT;
    return 1;
}

/* Called and left with the mutex held. */
static void turn(struct remote *r)
{
    struct pollfd fds[2] = {{.fd = r->wake, .events = POLLIN}};
    nfds_t fd_count = 1 + wait_at_socket(r, &fds[1]);
    bool fetches = fd_count == 2 && r->thread_fetches;
    r->wakes_us = next_look(r);
    int timeout = timeout_ms(r->wakes_us);
    pthread_mutex_unlock(&r->mutex);
    int n = poll(fds, fd_count, timeout);
    if (n > 0 && fds[0].revents != 0)
        unset(r->wake);
    pthread_mutex_lock(&r->mutex);
    short at_socket = n > 0 && fd_count == 2 ? fds[1].revents : 0;
    if ((at_socket & POLLOUT) != 0)
        r->is_full = false;
    if (fetches && (at_socket & ~POLLOUT) != 0)
        read_some(r);
    if (fetches)
        end_fetching(r);
    else if ((at_socket & ~POLLOUT) != 0)
        r->thread_fetches = true; /* it ended: there are last words */
    if (n == 0)
        look_after_callers(r);
    size_t calls = client_session_calls(r->session);
    client_session_tick(r->session, now_us());
    tell_fetcher(r, calls);
    write_out(r);
}

static void *thread_main(void *ctx)
{
    struct remote *r = ctx;
    pthread_mutex_lock(&r->mutex);
    while (!r->closing || client_session_calls(r->session) > 0)
        turn(r);
    if (r->fd >= 0)
        shutdown(r->fd, SHUT_RDWR); /* whoever fetches comes back */
    while (r->fetching)
        pthread_cond_wait(&r->fetched, &r->mutex);
    if (r->fd >= 0)
        disconnect(r, &(struct err){.code = ATE_ECANCELED});
    pthread_mutex_unlock(&r->mutex);
    return NULL;
}

/* ---- opening and closing ---- */

static uint32_t waits_ms(const struct remote *r)
{
    return r->wait_ms != 0 ? r->wait_ms : LIMIT_NET_HELLO_MS;
}

/* The daemon stands still. For whoever said how long to wait, it is as with a
 * call whose deadline passed. */
static int late(const struct remote *r, struct err *err)
{
    return err_set(err, r->wait_ms != 0 ? ATE_ECANCELED : ATE_EUNAVAILABLE,
                   "open %s: the daemon says nothing for %lu ms; see why the "
                   "process that serves it stands still, or end it and start "
                   "it again",
                   r->path, (unsigned long)waits_ms(r));
}

/* Nothing else goes on yet: wait until the daemon has said HELLO. */
static int shake_hands(struct remote *r, int64_t late_us, struct err *err)
{
    while (!client_session_is_ready(r->session)) {
        struct pollfd poll_fd = {.fd = r->fd, .events = POLLIN};
        int left_ms = timeout_ms(late_us);
        if (left_ms == 0)
            return late(r, err);
        if (poll(&poll_fd, 1, left_ms) <= 0)
            continue;
        int rc = read_once(r, err); /* nobody else could */
        if (rc < 0)
            return rc;
    }
    return 0;
}

static int start(struct remote *r, struct err *err)
{
    int64_t late_us = now_us() + (int64_t)waits_ms(r) * US_PER_MS;
    int rc = connect_now(r, timeout_ms(late_us), err);
    if (rc == ATE_EDENIED && r->fd < 0)
        err->code = ATE_ENOT_FOUND; /* it is not for us to know */
    if (rc == ATE_EUNAVAILABLE)
        return late(r, err);
    if (rc != 0)
        return err->code;
    rc = shake_hands(r, late_us, err);
    if (rc == 0) {
        int posix = thread_start(&r->thread, thread_main, r);
        if (posix != 0)
            rc = err_errno(err, posix, "starting a thread");
    }
    if (rc != 0)
        disconnect(r, err);
    return rc;
}

static void ref(struct port_source *source)
{
    atomic_fetch_add(&remote_of(source)->refs, 1);
}

static void unref(struct port_source *source)
{
    struct remote *r = remote_of(source);
    if (atomic_fetch_sub(&r->refs, 1) > 1)
        return;
    client_session_free(r->session);
    if (r->wake >= 0)
        close(r->wake);
    if (r->kick >= 0)
        close(r->kick);
    pthread_cond_destroy(&r->fetched);
    pthread_mutex_destroy(&r->mutex);
    mem_free(r->path);
    mem_free(r);
}

static struct remote *remote_new(const char *path,
                                 const struct remote_options *options)
{
    struct remote *r = mem_zero(1, sizeof(*r));
    uint8_t seed[MAP_SEED_LEN];
    r->source = (struct port_source){fetch, leave, ref, unref};
    r->refs = 1;
    r->path = mem_text(path);
    r->wait_ms = options->wait_ms;
    r->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    r->kick = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    r->fd = -1;
    pthread_mutex_init(&r->mutex, NULL);
    pthread_cond_init(&r->fetched, NULL);
    randombytes_buf(seed, sizeof(seed));
    r->session = client_session_new(options->read_only, seed);
    return r;
}

int remote_open(struct remote **out, const struct remote_options *options,
                struct err *err)
{
    char room[PATH_MAX];
    *out = NULL;
    if (crypto_init(err) != 0)
        return err->code;
    const char *path = realpath(options->path, room);
    if (path == NULL)
        return err_errno(err, errno, "%s", options->path);
    struct remote *r = remote_new(path, options);
    pthread_mutex_lock(&r->mutex);
    int rc = r->wake >= 0 && r->kick >= 0 ? start(r, err)
                                          : err_errno(err, EMFILE, "%s", path);
    pthread_mutex_unlock(&r->mutex);
    if (rc != 0)
        unref(&r->source);
    else
        *out = r;
    return rc;
}

void remote_close(struct remote *r)
{
    if (r == NULL)
        return;
    pthread_mutex_lock(&r->mutex);
    r->closing = true;
    r->thread_fetches = true;
    client_session_cancel_reads(r->session);
    write_out(r);
    pthread_mutex_unlock(&r->mutex);
    wake(r);
    pthread_join(r->thread, NULL);
    unref(&r->source);
}

/* ---- asking ---- */

static bool something_came(const struct remote *r)
{
    uint8_t byte;
    return recv(r->fd, &byte, 1, MSG_PEEK) >= 0 || errno != EAGAIN;
}

/* While nothing is under way, what comes is the end of the connection, as a
 * rule. Who asks now had better not ask there. */
static void notice_end(struct remote *r)
{
    while (r->fd >= 0 && client_session_calls(r->session) == 0 &&
           something_came(r)) {
        if (r->fetching) { /* they see it, too */
            pthread_cond_wait(&r->fetched, &r->mutex);
            continue;
        }
        begin_fetching(r);
        read_some(r);
        end_fetching(r);
    }
}

/* Connected, or the code that everything asked now fails with. */
static int be_connected(struct remote *r, struct err *err)
{
    notice_end(r);
    if (r->fd >= 0)
        return 0;
    int rc = connect_now(r, 0, err); /* callers do not wait */
    if (rc == ATE_ENOT_FOUND)
        err_set(err, ATE_EUNAVAILABLE, "no daemon serves %s any more", r->path);
    if (rc == 0)
        wake(r); /* it looks after it */
    return rc;
}

void remote_ask(struct remote *r, struct node_request *request, uint64_t number)
{
    struct err err;
    int64_t now = now_us();
    pthread_mutex_lock(&r->mutex);
    assert(!r->closing);
    int rc = be_connected(r, &err);
    size_t calls = client_session_calls(r->session);
    client_session_ask(r->session, request, number, now);
    if (rc != 0)
        client_session_lost(r->session, &err);
    tell_fetcher(r, calls + 1);
    write_out(r);
    bool is_sooner = client_session_deadline(r->session) < r->wakes_us;
    bool was_asleep = r->asleep;
    r->asleep = false;
    pthread_mutex_unlock(&r->mutex);
    if (is_sooner || was_asleep)
        wake(r); /* invariants (3) and (5) */
}

struct port_source *remote_source(struct remote *r)
{
    return &r->source;
}

void remote_cancel(struct remote *r, uint64_t number)
{
    pthread_mutex_lock(&r->mutex);
    size_t calls = client_session_calls(r->session);
    client_session_cancel(r->session, number);
    tell_fetcher(r, calls);
    write_out(r);
    pthread_mutex_unlock(&r->mutex);
}

void remote_grant(struct remote *r, uint64_t number, uint32_t chunks)
{
    pthread_mutex_lock(&r->mutex);
    client_session_grant(r->session, number, chunks);
    write_out(r);
    pthread_mutex_unlock(&r->mutex);
}
