/* (1) All but `path`, `wake` and the thread is under the mutex. The thread
 *     reads and waits without it; it alone closes the socket.
 * (2) Whoever has put something into the session's output writes it, unless the
 *     socket took no more: then the thread does, when it takes more again.
 * (3) The thread waits at most until `wakes_us`; who needs it earlier wakes it.
 */
#include "io/remote.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sodium.h>
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
#include "net/client_session.h"

enum { READ_SIZE = 64 << 10, US_PER_MS = 1000 };

struct remote {
    char *path; /* absolute */
    int hello_ms;
    int wake; /* an eventfd */
    pthread_t thread;

    pthread_mutex_t mutex;
    struct client_session *session;
    int fd;       /* -1: not connected */
    bool is_full; /* the socket took no more */
    bool closing;
    int64_t wakes_us;
    uint8_t buffer[READ_SIZE]; /* the thread's */
};

static int64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void wake(struct remote *r)
{
    static const uint64_t one = 1;
    ssize_t n = write(r->wake, &one, sizeof(one));
    (void)n; /* full: it has been woken */
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

/* ---- reading ---- */

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

static void read_some(struct remote *r)
{
    struct err err;
    int rc = read_once(r, &err);
    if (rc < 0)
        disconnect(r, &err);
    else
        write_out(r); /* calls that waited for room */
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

/* Called and left with the mutex held. */
static void turn(struct remote *r)
{
    struct pollfd fds[2] = {
        {.fd = r->wake, .events = POLLIN},
        {.fd = r->fd, .events = POLLIN},
    };
    uint64_t count;
    if (r->is_full)
        fds[1].events |= POLLOUT;
    nfds_t fd_count = r->fd >= 0 ? 2 : 1;
    r->wakes_us = client_session_deadline(r->session);
    int timeout = timeout_ms(r->wakes_us);
    pthread_mutex_unlock(&r->mutex);
    int n = poll(fds, fd_count, timeout);
    if (n > 0 && fds[0].revents != 0) {
        ssize_t got = read(r->wake, &count, sizeof(count));
        (void)got; /* nothing: somebody else's wake-up was taken with it */
    }
    pthread_mutex_lock(&r->mutex);
    if (n > 0 && (fds[1].revents & POLLOUT) != 0)
        r->is_full = false;
    if (n > 0 && (fds[1].revents & ~POLLOUT) != 0)
        read_some(r);
    client_session_tick(r->session, now_us());
    write_out(r);
}

static void *thread_main(void *ctx)
{
    struct remote *r = ctx;
    pthread_mutex_lock(&r->mutex);
    while (!r->closing || client_session_calls(r->session) > 0)
        turn(r);
    if (r->fd >= 0)
        disconnect(r, &(struct err){.code = ATE_ECANCELED});
    pthread_mutex_unlock(&r->mutex);
    return NULL;
}

/* ---- opening and closing ---- */

/* Nothing else goes on yet: wait until the daemon has said HELLO. */
static int shake_hands(struct remote *r, struct err *err)
{
    int64_t late_us = now_us() + (int64_t)r->hello_ms * US_PER_MS;
    while (!client_session_is_ready(r->session)) {
        struct pollfd poll_fd = {.fd = r->fd, .events = POLLIN};
        int left_ms = timeout_ms(late_us);
        if (left_ms == 0)
            return err_set(err, ATE_EUNAVAILABLE, "%s: the daemon says nothing",
                           r->path);
        if (poll(&poll_fd, 1, left_ms) <= 0)
            continue;
        int rc = read_once(r, err);
        if (rc < 0)
            return rc;
    }
    return 0;
}

static int start(struct remote *r, struct err *err)
{
    sigset_t all;
    sigset_t before;
    int rc = connect_now(r, r->hello_ms, err);
    if (rc == ATE_EDENIED && r->fd < 0)
        err->code = ATE_ENOT_FOUND; /* it is not for us to know */
    if (rc != 0)
        return err->code;
    rc = shake_hands(r, err);
    if (rc == 0) {
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before); /* not for it */
        int posix = pthread_create(&r->thread, NULL, thread_main, r);
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        if (posix != 0)
            rc = err_errno(err, posix, "starting a thread");
    }
    if (rc != 0)
        disconnect(r, err);
    return rc;
}

static void remote_free(struct remote *r)
{
    client_session_free(r->session);
    close(r->wake);
    pthread_mutex_destroy(&r->mutex);
    mem_free(r->path);
    mem_free(r);
}

int remote_open(struct remote **out, const struct remote_options *options,
                struct err *err)
{
    char room[PATH_MAX];
    uint8_t seed[MAP_SEED_LEN];
    *out = NULL;
    if (crypto_init(err) != 0)
        return err->code;
    const char *path = realpath(options->path, room);
    if (path == NULL)
        return err_errno(err, errno, "%s", options->path);
    int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (fd < 0)
        return err_errno(err, errno, "%s", path);
    struct remote *r = mem_zero(1, sizeof(*r));
    r->path = mem_text(path);
    r->hello_ms =
        options->hello_ms != 0 ? options->hello_ms : LIMIT_NET_HELLO_MS;
    r->wake = fd;
    r->fd = -1;
    pthread_mutex_init(&r->mutex, NULL);
    randombytes_buf(seed, sizeof(seed));
    r->session = client_session_new(options->read_only, seed);
    pthread_mutex_lock(&r->mutex);
    int rc = start(r, err);
    pthread_mutex_unlock(&r->mutex);
    if (rc != 0)
        remote_free(r);
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
    client_session_cancel_reads(r->session);
    write_out(r);
    pthread_mutex_unlock(&r->mutex);
    wake(r);
    pthread_join(r->thread, NULL);
    remote_free(r);
}

/* ---- asking ---- */

/* Connected, or the code that everything asked now fails with. */
static int be_connected(struct remote *r, struct err *err)
{
    if (r->fd >= 0)
        return 0;
    int rc = connect_now(r, 0, err); /* callers do not wait */
    if (rc == ATE_ENOT_FOUND)
        err_set(err, ATE_EUNAVAILABLE, "no daemon serves %s any more", r->path);
    if (rc == 0)
        wake(r); /* to read it */
    return rc;
}

void remote_ask(struct remote *r, struct node_request *request, uint64_t number)
{
    struct err err;
    int64_t now = now_us();
    pthread_mutex_lock(&r->mutex);
    assert(!r->closing);
    int rc = be_connected(r, &err);
    client_session_ask(r->session, request, number, now);
    if (rc != 0)
        client_session_lost(r->session, &err);
    write_out(r);
    bool is_sooner = client_session_deadline(r->session) < r->wakes_us;
    pthread_mutex_unlock(&r->mutex);
    if (is_sooner)
        wake(r); /* invariant (3) */
}

void remote_cancel(struct remote *r, uint64_t number)
{
    pthread_mutex_lock(&r->mutex);
    client_session_cancel(r->session, number);
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
