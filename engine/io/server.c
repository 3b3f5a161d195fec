/* (1) A peer has at most one write under way; what is said meanwhile is the
 *     next one. So the memory that a caller can hold is what its session
 *     bounds.
 * (2) A peer that sends more than a buffer full in a turn is not read again
 *     before the next: it cannot keep others waiting.
 * (3) A peer is freed in the callback of its handle's closing, and its session
 *     is left before that. */
#include "io/server.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/memory.h"
#include "base/ring.h"
#include "io/local_socket.h"
#include "net/frame.h"
#include "net/server_session.h"

enum {
    READ_SIZE = 16 << 10,
    BACKLOG = 128,
    WATCH_MS = 1000,
    US_PER_MS = 1000,
};

struct peer {
    uv_pipe_t pipe; /* first, so that one pointer is the other */
    struct server *server;
    struct server_session *session; /* NULL: being closed */
    uv_write_t write;
    bool is_writing;
    struct buf writing;
    size_t told;      /* of `writing`: what the session knows to be written */
    struct ring ring; /* in server->peers */
    struct ring touched; /* in server->touched */
    struct ring paused;  /* in server->paused */
};

struct server {
    struct server_options options;
    struct server_env env;
    char *folder;
    uv_pipe_t listener;
    uv_timer_t watch;
    size_t handles; /* these two and those of peers that are not closed */
    size_t peer_count;
    bool stopped;
    struct ring peers;
    struct ring touched; /* there is something to write, or to close */
    struct ring paused;
    void (*closed)(void *ctx);
    void *closed_ctx;
    uint8_t buffer[READ_SIZE];
};

static int64_t now_us(void)
{
    return (int64_t)(uv_hrtime() / 1000);
}

/* ---- the end of a peer, and of all ---- */

static void handle_closed(struct server *s)
{
    assert(s->handles > 0);
    if (--s->handles > 0)
        return;
    void (*closed)(void *ctx) = s->closed;
    void *ctx = s->closed_ctx;
    assert(closed != NULL);
    mem_free(s->folder);
    mem_free(s);
    closed(ctx);
}

static void own_handle_closed(uv_handle_t *handle)
{
    handle_closed(handle->data);
}

static void close_watch_if_last(struct server *s)
{
    uv_handle_t *watch = (uv_handle_t *)&s->watch;
    if (s->closed != NULL && s->peer_count == 0 && !uv_is_closing(watch))
        uv_close(watch, own_handle_closed);
}

static void peer_closed(uv_handle_t *handle)
{
    struct peer *p = (struct peer *)(void *)handle;
    struct server *s = p->server;
    buf_deinit(&p->writing);
    mem_free(p);
    s->peer_count--;
    close_watch_if_last(s);
    handle_closed(s);
}

/* Invariant (3). */
static void peer_close(struct peer *p)
{
    struct server *s = p->server;
    struct server_session *session = p->session;
    if (session == NULL)
        return;
    /* Its calls are canceled. The turn looks at the clock, which may end some
     * of them before, and touch the peer: it is in no ring only then. */
    s->options.turn(s->options.ctx);
    server_session_leave(session);
    p->session = NULL;
    ring_remove(&p->ring);
    ring_remove(&p->touched);
    ring_remove(&p->paused);
    uv_close((uv_handle_t *)&p->pipe, peer_closed);
}

/* ---- time ---- */

static void watched(uv_timer_t *timer);

/* Somebody may be late from now on. */
static void watch(struct server *s)
{
    const struct server_env *env = &s->env;
    int64_t every_us = WATCH_MS * US_PER_MS;
    every_us = env->hello_us < every_us ? env->hello_us : every_us;
    every_us = env->stall_us < every_us ? env->stall_us : every_us;
    every_us = env->farewell_us < every_us ? env->farewell_us : every_us;
    uint64_t every_ms = (uint64_t)every_us / 2 / US_PER_MS + 1;
    if (!uv_is_active((uv_handle_t *)&s->watch))
        uv_timer_start(&s->watch, watched, every_ms, every_ms);
}

/* libuv tells how much of a write is done only at its end, or when asked. */
static void tell_progress(struct peer *p, int64_t at_us)
{
    if (!p->is_writing)
        return;
    size_t left = uv_stream_get_write_queue_size((uv_stream_t *)&p->pipe);
    size_t done = p->writing.len - left;
    if (left > p->writing.len || done <= p->told)
        return;
    size_t more = done - p->told;
    p->told = done;
    server_session_wrote(p->session, more, at_us);
}

static void watched(uv_timer_t *timer)
{
    struct server *s = timer->data;
    int64_t now = now_us();
    int64_t next = INT64_MAX;
    s->options.turn(s->options.ctx);
    for (struct ring *r = s->peers.after; r != &s->peers; r = r->after) {
        struct peer *p = ring_entry(r, struct peer, ring);
        tell_progress(p, now);
        server_session_tick(p->session, now);
        int64_t due = server_session_deadline(p->session);
        next = due < next ? due : next;
    }
    server_flush(s);
    if (next == INT64_MAX)
        uv_timer_stop(timer);
}

/* ---- writing ---- */

static void peer_touched(void *ctx)
{
    struct peer *p = ctx;
    ring_add(&p->server->touched, &p->touched);
}

static void all_written(struct peer *p)
{
    buf_clear(&p->writing);
    if (p->writing.cap > NET_KEEP)
        buf_deinit(&p->writing);
}

static void written(uv_write_t *write, int status)
{
    struct peer *p = write->data;
    struct server *s = p->server;
    p->is_writing = false;
    if (p->session == NULL)
        return;
    if (status != 0) {
        peer_close(p);
        return;
    }
    s->options.turn(s->options.ctx); /* what has room now may go on */
    server_session_wrote(p->session, p->writing.len - p->told, now_us());
    all_written(p);
    peer_touched(p);
}

/* What the socket did not take at once. */
static int write_rest(struct peer *p, size_t done)
{
    uv_buf_t rest = uv_buf_init((char *)p->writing.data + done,
                                (unsigned)(p->writing.len - done));
    p->told = done;
    p->is_writing = true;
    p->write.data = p;
    watch(p->server);
    return uv_write(&p->write, (uv_stream_t *)&p->pipe, &rest, 1, written);
}

/* Invariant (1). True: the session has given more to the node. */
static bool peer_write(struct peer *p)
{
    int64_t now = now_us();
    if (p->is_writing || server_session_waiting(p->session) == 0)
        return false;
    server_session_output(p->session, &p->writing, now);
    uv_buf_t all =
        uv_buf_init((char *)p->writing.data, (unsigned)p->writing.len);
    int rc = uv_try_write((uv_stream_t *)&p->pipe, &all, 1);
    size_t done = rc > 0 ? (size_t)rc : 0;
    bool more = server_session_wrote(p->session, done, now);
    if (rc < 0 && rc != UV_EAGAIN)
        peer_close(p);
    else if (done == p->writing.len)
        all_written(p);
    else if (write_rest(p, done) != 0)
        peer_close(p);
    return more;
}

static void peer_end(struct peer *p)
{
    enum server_session_fate fate = server_session_fate(p->session);
    bool is_done = !p->is_writing && server_session_waiting(p->session) == 0;
    if (fate == SESSION_CUT || (fate == SESSION_ENDS && is_done))
        peer_close(p);
    else if (fate == SESSION_ENDS)
        watch(p->server);
}

static void read_again(struct server *s);

bool server_flush(struct server *s)
{
    struct ring touched;
    struct ring *r;
    bool more = false;
    ring_init(&touched);
    ring_move(&touched, &s->touched);
    while ((r = ring_take(&touched)) != NULL) {
        struct peer *p = ring_entry(r, struct peer, touched);
        more |= peer_write(p);
        if (p->session != NULL)
            peer_end(p);
    }
    read_again(s);
    return more;
}

bool server_is_due(const struct server *s)
{
    return !ring_is_empty(&s->touched) || !ring_is_empty(&s->paused);
}

/* ---- reading ---- */

static void give_buffer(uv_handle_t *handle, size_t wanted, uv_buf_t *buf)
{
    struct peer *p = (struct peer *)(void *)handle;
    (void)wanted;
    *buf = uv_buf_init((char *)p->server->buffer, READ_SIZE);
}

static void peer_read(uv_stream_t *stream, ssize_t len, const uv_buf_t *buf)
{
    struct peer *p = (struct peer *)(void *)stream;
    struct server *s = p->server;
    if (len < 0)
        peer_close(p);
    if (len <= 0)
        return;
    s->options.turn(s->options.ctx);
    server_session_input(p->session, bytes_of(buf->base, (size_t)len),
                         now_us());
    if (server_session_deadline(p->session) != INT64_MAX)
        watch(s);
    if (len < READ_SIZE)
        return;
    uv_read_stop(stream); /* invariant (2) */
    ring_add(&s->paused, &p->paused);
}

static void start_reading(struct peer *p)
{
    if (uv_read_start((uv_stream_t *)&p->pipe, give_buffer, peer_read) != 0)
        peer_close(p);
}

static void read_again(struct server *s)
{
    struct ring *r;
    while ((r = ring_take(&s->paused)) != NULL)
        start_reading(ring_entry(r, struct peer, paused));
}

/* ---- who connects ---- */

/* Say why, as far as it can be said at once, and close. */
static void turn_away(struct peer *p, const struct err *why)
{
    struct buf word = {0};
    net_answer_put(&word, 0, why->code, why, bytes_of(NULL, 0));
    uv_buf_t all = uv_buf_init((char *)word.data, (unsigned)word.len);
    uv_try_write((uv_stream_t *)&p->pipe, &all, 1);
    buf_deinit(&word);
    uv_close((uv_handle_t *)&p->pipe, peer_closed);
}

static int may_enter(const struct peer *p, struct err *err)
{
    const struct server *s = p->server;
    uv_os_fd_t fd;
    int rc = uv_fileno((const uv_handle_t *)&p->pipe, &fd);
    assert(rc == 0);
    rc = local_socket_check(fd, s->folder, err);
    if (rc == 0 && s->peer_count > s->options.callers)
        rc = err_set(err, ATE_EUNAVAILABLE,
                     "%s: %u callers are there, as many as may be", s->folder,
                     s->options.callers);
    return rc;
}

void server_callers(struct server *s, uint32_t most)
{
    s->options.callers = most;
}

static void peer_begin(struct peer *p)
{
    struct server *s = p->server;
    uint8_t seed[MAP_SEED_LEN];
    randombytes_buf(seed, sizeof(seed));
    p->session = server_session_new(&s->env, p, seed, now_us());
    ring_add(&s->peers, &p->ring);
    watch(s);
    start_reading(p);
}

static void connected(uv_stream_t *listener, int status)
{
    struct server *s = listener->data;
    struct err err;
    if (status != 0)
        return; /* he has gone again, or no descriptor is left */
    struct peer *p = mem_zero(1, sizeof(*p));
    int rc = uv_pipe_init(s->options.uv, &p->pipe, 0);
    assert(rc == 0);
    p->server = s;
    ring_init(&p->ring);
    ring_init(&p->touched);
    ring_init(&p->paused);
    s->handles++;
    s->peer_count++;
    if (uv_accept(listener, (uv_stream_t *)&p->pipe) != 0) {
        uv_close((uv_handle_t *)&p->pipe, peer_closed);
    } else if (may_enter(p, &err) != 0) {
        if (s->options.refused != NULL)
            s->options.refused(s->options.ctx, &err);
        turn_away(p, &err);
    } else {
        peer_begin(p);
    }
}

/* ---- life ---- */

static int64_t or_limit(int64_t us, int64_t limit_ms)
{
    return us != 0 ? us : limit_ms * US_PER_MS;
}

static void init_handles(struct server *s, int fd)
{
    int rc = uv_pipe_init(s->options.uv, &s->listener, 0);
    assert(rc == 0);
    rc = uv_pipe_open(&s->listener, fd);
    assert(rc == 0);
    rc = uv_timer_init(s->options.uv, &s->watch);
    assert(rc == 0);
    s->listener.data = s;
    s->watch.data = s;
    s->handles = 2;
    rc = uv_listen((uv_stream_t *)&s->listener, BACKLOG, connected);
    assert(rc == 0);
}

int server_open(struct server **out, const struct server_options *options,
                struct err *err)
{
    *out = NULL;
    int fd = options->fd;
    int rc = 0;
    if (fd >= 0)
        rc = local_socket_adopt(fd, options->folder, err);
    else
        rc = fd = local_socket_listen(options->folder, err);
    if (rc < 0)
        return rc;
    struct server *s = mem_zero(1, sizeof(*s));
    s->options = *options;
    if (options->callers == 0)
        s->options.callers = LIMIT_NET_PEERS;
    s->folder = mem_text(options->folder);
    s->env = (struct server_env){
        .node = options->node,
        .hello_us = or_limit(options->hello_us, LIMIT_NET_HELLO_MS),
        .stall_us = or_limit(options->stall_us, LIMIT_NET_STALL_MS),
        .farewell_us = or_limit(options->farewell_us, LIMIT_NET_FAREWELL_MS),
        .touched = peer_touched,
    };
    ring_init(&s->peers);
    ring_init(&s->touched);
    ring_init(&s->paused);
    init_handles(s, fd);
    *out = s;
    return 0;
}

void server_stop(struct server *s)
{
    if (s->stopped)
        return;
    s->stopped = true;
    if (s->options.fd < 0)
        local_socket_remove(s->folder);
    uv_close((uv_handle_t *)&s->listener, own_handle_closed);
    for (struct ring *r = s->peers.after; r != &s->peers; r = r->after)
        server_session_stop(ring_entry(r, struct peer, ring)->session);
}

void server_close(struct server *s, void (*closed)(void *ctx), void *ctx)
{
    struct err why;
    assert(s->stopped && s->closed == NULL);
    s->closed = closed;
    s->closed_ctx = ctx;
    err_set(&why, ATE_EUNAVAILABLE, "the daemon has stopped");
    for (struct ring *r = s->peers.after; r != &s->peers; r = r->after)
        server_session_end(ring_entry(r, struct peer, ring)->session, &why,
                           now_us());
    close_watch_if_last(s);
    server_flush(s);
}
