/* One thread at a time does what a node does, while another looks after its Lua
 * (watchdog.h). Whatever there is to do, it takes one step: the clocks, the
 * disk's completions, the messages of other threads, then one flush, so that
 * what came in together is written together, and what that made leaves in one
 * write a caller.
 *
 * The loop's own thread takes a step after all that came in a turn of its loop.
 * While it sleeps, a thread that would have to wake it takes the step itself
 * (turns.h): one that calls, and one of the disk that has finished a job. What
 * only the loop can do then, it is woken for.
 *
 * (1) The node, its chains and their sandboxes are touched by whoever has the
 *     turn, and so is the loop; other threads touch the inbox, under the mutex,
 *     and the clock set by hand.
 * (2) A message is in the inbox before the wake-up that it causes, and a step
 *     takes all there are: wake-ups may fall together, none is lost.
 * (3) The handles are closed, and the loop ends, only when the node stopped and
 *     the server, if there is one, gave its last words.
 * (4) While `in_turn`, the idle handle keeps the loop from waiting: the step at
 *     the end of the turn comes at once, whichever callback began it. */
#include "io/loop.h"

#include <assert.h>
#include <limits.h>
#include <malloc.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

#include "base/map.h"
#include "base/memory.h"
#include "chain/logic.h"
#include "chain/materializer.h"
#include "crypto/sign.h"
#include "io/disk.h"
#include "io/happened.h"
#include "io/http.h"
#include "io/memory_disk.h"
#include "io/server.h"
#include "io/services.h"
#include "io/turns.h"
#include "io/watchdog.h"
#include "io/workers.h"
#include "script/script.h"
#include "script/watch.h"

enum message_kind {
    MESSAGE_ASK,
    MESSAGE_CANCEL,
    MESSAGE_GRANT,
    MESSAGE_LISTEN,
    MESSAGE_CALLERS,
    MESSAGE_SERVE,
    MESSAGE_REPLY,
    MESSAGE_WATCH,
};

/* A service, or what one answered. */
struct serving {
    char *name;
    struct port *port; /* WATCH; SERVE: one of these two */
    struct http *http;
    int code; /* REPLY */
    struct err err;
    struct buf answer;
};

static void serving_free(struct serving *s)
{
    mem_free(s->name);
    buf_deinit(&s->answer);
    mem_free(s);
}

/* Somebody waits for it. */
struct listening {
    int fd;           /* LISTEN: or -1 */
    uint32_t callers; /* CALLERS: how many */
    bool done;        /* under the mutex */
    struct err err;
};

struct message {
    enum message_kind kind;
    uint64_t number;
    uint32_t chunks;
    struct loop_request *request; /* ASK */
    struct listening *listening;  /* LISTEN, CALLERS */
    struct serving *serving;      /* SERVE, REPLY, WATCH */
};

struct inbox {
    struct message *messages;
    size_t count;
    size_t cap;
};

struct loop {
    struct loop_options options;
    char *path; /* absolute; NULL: memory */
    struct real_disk *disk;
    struct memory_disk *memory;
    struct node *node;
    struct script_cache *scripts;
    struct watch watch; /* over all Lua of the node */
    struct watchdog watchdog;
    struct logic_maker logic;
    struct map requests;  /* number to request */
    struct inbox working; /* what a step took from the inbox */

    pthread_t thread;
    struct turns turns;
    bool runs;            /* steps may be taken */
    uint64_t sleeps_till; /* its thread, in ms of the loop's clock; 0: it does
                             not sleep */
    uv_loop_t uv;
    uv_async_t wake;
    uv_timer_t timer;
    uv_check_t turn_end;
    uv_idle_t no_wait;
    struct workers workers;
    struct service_hub *hub;
    struct port *watcher;  /* is told what happens; or NULL */
    struct server *server; /* NULL: nobody can connect */
    uint32_t callers;      /* how many may; 0: as limits.h has it */
    bool in_turn;
    bool stopping;
    bool stopped;

    pthread_mutex_t mutex; /* of what follows */
    pthread_cond_t told;   /* that it started, or listens */
    bool has_started;
    struct err start_err;
    struct inbox inbox;
    bool is_told; /* somebody comes for it */
    bool closing;

    _Atomic int64_t clock_ms; /* set by hand */
};

/* ---- what the node needs of the world ---- */

static void random_bytes(void *ctx, void *out, size_t len)
{
    (void)ctx;
    randombytes_buf(out, len);
}

static int logic_new(void *ctx, struct logic_maker *out, struct err *err)
{
    struct loop *loop = ctx;
    (void)err;
    *out = script_maker(script_cache_new(&loop->watch));
    return 0;
}

static void logic_free(void *ctx, struct logic_maker *maker)
{
    (void)ctx;
    script_cache_free(maker->ctx);
}

static void happened(void *ctx, struct bytes event)
{
    const struct loop *loop = ctx;
    happened_tell(loop->watcher, event);
}

static void caller_refused(void *ctx, const struct err *why)
{
    const struct loop *loop = ctx;
    happened_refused(loop->watcher, why);
}

static int64_t wall_ms(struct loop *loop)
{
    struct timespec now;
    if (loop->memory != NULL)
        return atomic_load(&loop->clock_ms);
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int64_t steady_us(void)
{
    return (int64_t)(uv_hrtime() / 1000);
}

static int64_t steady_now(void *ctx)
{
    (void)ctx;
    return steady_us();
}

static struct node *make_node(struct loop *loop)
{
    struct node_env env = {
        .disk = loop->memory != NULL ? memory_disk_interface(loop->memory)
                                     : disk_interface(loop->disk),
        .logic = &loop->logic,
        .materializers = materializers,
        .pool = &loop->workers.pool,
        .services = service_hub_interface(loop->hub),
        .logic_new = logic_new,
        .logic_free = logic_free,
        .random = random_bytes,
        .steady_us = steady_now,
        .happened = happened,
        .ctx = loop,
        .read_only = loop->options.read_only,
        .folder = loop->options.folder,
        .path = loop->path,
    };
    return node_new(&env);
}

/* ---- messages ---- */

static void wake(void *ctx)
{
    struct loop *loop = ctx;
    uv_async_send(&loop->wake);
}

static bool step_here(struct loop *loop, bool may_write);

/* True: nobody was told to come for what is in the inbox. */
static bool put(struct loop *loop, const struct message *message, bool later)
{
    pthread_mutex_lock(&loop->mutex);
    struct inbox *in = &loop->inbox;
    in->messages =
        mem_array_grow(in->messages, in->count, &in->cap, sizeof(*message));
    in->messages[in->count++] = *message;
    bool is_first = !loop->is_told;
    loop->is_told |= !later;
    pthread_mutex_unlock(&loop->mutex);
    return is_first;
}

void loop_work(void *ctx)
{
    struct loop *loop = ctx;
    /* This thread may get SIGPIPE when it writes to a socket. */
    if (!step_here(loop, false))
        wake(loop);
}

static void post(struct loop *loop, const struct message *message)
{
    if (put(loop, message, false))
        loop_work(loop);
}

void loop_ask(struct loop *loop, struct loop_request *request, enum asker asker)
{
    struct message message = {
        .kind = MESSAGE_ASK,
        .number = request->number,
        .request = request,
    };
    bool is_first = put(loop, &message, asker == ASKER_GATHERS);
    if (is_first && asker == ASKER_WAITS)
        loop_work(loop);
    else if (is_first && asker == ASKER_POLLS)
        wake(loop);
}

void loop_cancel(struct loop *loop, uint64_t number)
{
    post(loop, &(struct message){.kind = MESSAGE_CANCEL, .number = number});
}

void loop_grant(struct loop *loop, uint64_t number, uint32_t chunks)
{
    post(loop, &(struct message){
                   .kind = MESSAGE_GRANT,
                   .number = number,
                   .chunks = chunks,
               });
}

static struct bytes number_key(const uint64_t *number)
{
    return bytes_of(number, sizeof(*number));
}

void loop_forget(struct loop *loop, const struct loop_request *request)
{
    map_delete_pointer(&loop->requests, number_key(&request->number));
}

/* ---- serving ---- */

static void no_waiting(uv_idle_t *handle)
{
    (void)handle;
}

/* Invariant (4). */
static void begin_turn(void *ctx)
{
    struct loop *loop = ctx;
    if (loop->in_turn)
        return;
    loop->in_turn = true;
    uv_idle_start(&loop->no_wait, no_waiting);
    node_tick(loop->node, wall_ms(loop), steady_us());
}

static int start_listening(struct loop *loop, int fd, struct err *err)
{
    struct server_options options = {
        .uv = &loop->uv,
        .node = loop->node,
        .folder = loop->path,
        .fd = fd,
        .callers = loop->callers,
        .turn = begin_turn,
        .refused = caller_refused,
        .ctx = loop,
    };
    if (loop->stopping)
        return err_set(err, ATE_ECANCELED,
                       "listen: the data folder is being closed");
    if (loop->server != NULL)
        return 0;
    int rc = server_open(&loop->server, &options, err);
    if (rc == 0)
        node_work(loop->node);
    return rc;
}

static void tell(struct loop *loop, struct listening *listening,
                 const struct err *err)
{
    pthread_mutex_lock(&loop->mutex);
    listening->err = *err;
    listening->done = true;
    pthread_cond_broadcast(&loop->told);
    pthread_mutex_unlock(&loop->mutex);
}

/* Have the loop's thread do it, and wait until it has. */
static void have_done(struct loop *loop, enum message_kind kind,
                      struct listening *listening)
{
    post(loop, &(struct message){.kind = kind, .listening = listening});
    pthread_mutex_lock(&loop->mutex);
    while (!listening->done)
        pthread_cond_wait(&loop->told, &loop->mutex);
    pthread_mutex_unlock(&loop->mutex);
}

static void listen_for(struct loop *loop, struct listening *listening)
{
    struct err err = {0};
    bool had = loop->server != NULL;
    int rc = start_listening(loop, listening->fd, &err);
    if (listening->fd >= 0 && (rc != 0 || had))
        close(listening->fd);
    tell(loop, listening, &err);
}

int loop_listen(struct loop *loop, int fd, struct err *err)
{
    struct listening listening = {.fd = fd};
    const struct loop_options *o = &loop->options;
    if (loop->memory != NULL || o->read_only || o->folder) {
        if (fd >= 0)
            close(fd);
        return err_set(err, ATE_EINVALID,
                       "listen: only what is open for writing is served");
    }
    have_done(loop, MESSAGE_LISTEN, &listening);
    if (listening.err.code != 0)
        *err = listening.err;
    return listening.err.code;
}

void loop_callers(struct loop *loop, uint32_t most)
{
    struct listening listening = {.fd = -1, .callers = most};
    have_done(loop, MESSAGE_CALLERS, &listening);
}

static void take_callers(struct loop *loop, struct listening *listening)
{
    struct err none = {0};
    loop->callers = listening->callers;
    if (loop->server != NULL)
        server_callers(loop->server, loop->callers);
    tell(loop, listening, &none);
}

/* ---- what happens ---- */

void loop_watch(struct loop *loop, struct port *port)
{
    struct serving *s = mem_zero(1, sizeof(*s));
    s->port = port;
    post(loop, &(struct message){.kind = MESSAGE_WATCH, .serving = s});
}

static void watch_by(struct loop *loop, struct port *port)
{
    happened_end(loop->watcher);
    loop->watcher = port;
}

/* ---- services ---- */

static int may_serve(const struct loop *loop, struct err *err)
{
    if (!loop->options.read_only && !loop->options.folder)
        return 0;
    return err_set(err, ATE_EINVALID,
                   "services: workers work only where the data folder is open "
                   "for writing");
}

int loop_serve(struct loop *loop, const char *name, struct port *port,
               struct err *err)
{
    struct serving *s = mem_zero(1, sizeof(*s));
    if (may_serve(loop, err) != 0) {
        mem_free(s);
        return err->code;
    }
    s->name = mem_text(name);
    s->port = port;
    post(loop, &(struct message){.kind = MESSAGE_SERVE, .serving = s});
    return 0;
}

int loop_serve_http(struct loop *loop, struct http *http, struct err *err)
{
    struct serving *s = mem_zero(1, sizeof(*s));
    if (may_serve(loop, err) != 0) {
        mem_free(s);
        return err->code;
    }
    http_set_wake(http, wake, loop);
    s->http = http;
    post(loop, &(struct message){.kind = MESSAGE_SERVE, .serving = s});
    return 0;
}

void loop_reply(struct loop *loop, uint64_t number,
                const struct service_reply *reply)
{
    struct serving *s = mem_zero(1, sizeof(*s));
    s->code = reply->code;
    if (reply->code != 0)
        s->err = *reply->err;
    buf_put_bytes(&s->answer, reply->answer);
    post(loop, &(struct message){
                   .kind = MESSAGE_REPLY,
                   .number = number,
                   .serving = s,
               });
}

static void take_service(struct loop *loop, const struct message *message)
{
    struct serving *s = message->serving;
    if (message->kind == MESSAGE_REPLY) {
        struct service_reply reply = {
            .code = s->code,
            .err = &s->err,
            .answer = buf_bytes(&s->answer),
        };
        service_hub_reply(loop->hub, message->number, &reply);
    } else if (message->kind == MESSAGE_WATCH) {
        watch_by(loop, s->port);
    } else if (s->http != NULL) {
        service_hub_serve_http(loop->hub, s->http);
    } else {
        service_hub_serve(loop->hub, s->name, s->port);
    }
    serving_free(s);
}

/* ---- taking messages ---- */

/* It came while the node stops. */
static void refuse(struct node_request *request)
{
    struct err err;
    err_set(&err, ATE_ECANCELED, "%.*s: the data folder is being closed",
            (int)request->method.len, (const char *)request->method.data);
    request->final(request, err.code, &err, bytes_of(NULL, 0));
}

static void take(struct loop *loop, const struct message *message)
{
    if (message->kind == MESSAGE_ASK && loop->stopping) {
        refuse(&message->request->request);
        return;
    }
    if (message->kind == MESSAGE_LISTEN) {
        listen_for(loop, message->listening);
        return;
    }
    if (message->kind == MESSAGE_CALLERS) {
        take_callers(loop, message->listening);
        return;
    }
    if (message->serving != NULL) {
        take_service(loop, message);
        return;
    }
    if (message->kind == MESSAGE_ASK) {
        map_put_pointer(&loop->requests, number_key(&message->number),
                        message->request);
        node_ask(loop->node, &message->request->request);
        return;
    }
    struct loop_request *request =
        map_get_pointer(&loop->requests, number_key(&message->number));
    if (request == NULL)
        return;
    if (message->kind == MESSAGE_CANCEL)
        node_cancel(loop->node, &request->request);
    else
        node_grant(loop->node, &request->request, message->chunks);
}

/* True: the caller wants to close, and nothing came before that. */
static bool take_messages(struct loop *loop)
{
    struct inbox taken = loop->working;
    pthread_mutex_lock(&loop->mutex);
    loop->working = loop->inbox;
    loop->inbox = taken;
    loop->inbox.count = 0;
    loop->is_told = false;
    bool closing = loop->closing;
    pthread_mutex_unlock(&loop->mutex);
    for (size_t i = 0; i < loop->working.count; i++)
        take(loop, &loop->working.messages[i]);
    return closing;
}

/* ---- steps ---- */

static size_t reap(struct loop *loop)
{
    return loop->memory != NULL ? memory_disk_reap(loop->memory)
                                : disk_reap(loop->disk);
}

static void node_stopped(void *ctx, int code, const struct err *err)
{
    struct loop *loop = ctx;
    (void)code;
    (void)err;
    loop->stopped = true;
}

static void step(struct loop *loop);

static void timer_fired(uv_timer_t *timer)
{
    step(timer->data);
}

static void woken(uv_async_t *handle)
{
    begin_turn(handle->data);
}

static void end_turn(uv_check_t *handle)
{
    struct loop *loop = handle->data;
    if (loop->in_turn)
        step(loop);
}

static void set_timer(struct loop *loop)
{
    int64_t deadline = node_next_deadline(loop->node);
    if (deadline == INT64_MAX) {
        uv_timer_stop(&loop->timer);
        return;
    }
    int64_t left_us = deadline - steady_us();
    uint64_t left_ms = left_us > 0 ? (uint64_t)(left_us + 999) / 1000 : 0;
    uv_update_time(&loop->uv);
    uv_timer_start(&loop->timer, timer_fired, left_ms, 0);
}

static void close_handles(void *ctx)
{
    struct loop *loop = ctx;
    uv_close((uv_handle_t *)&loop->wake, NULL);
    uv_close((uv_handle_t *)&loop->timer, NULL);
    uv_close((uv_handle_t *)&loop->turn_end, NULL);
    uv_close((uv_handle_t *)&loop->no_wait, NULL);
}

/* Invariant (3). */
static void end_if_stopped(struct loop *loop)
{
    if (!loop->stopped)
        return;
    uv_timer_stop(&loop->timer);
    if (loop->server != NULL)
        server_close(loop->server, close_handles, loop);
    else
        close_handles(loop);
}

static void stop(struct loop *loop)
{
    loop->stopping = true;
    if (loop->server != NULL)
        server_stop(loop->server);
    node_stop(loop->node, node_stopped, loop);
}

/* All but what the loop's own thread does. True: there is more. */
static bool work(struct loop *loop, bool may_stop)
{
    node_tick(loop->node, wall_ms(loop), steady_us());
    reap(loop);
    service_hub_reap(loop->hub);
    bool closing = take_messages(loop);
    if (closing && may_stop && !loop->stopping)
        stop(loop);
    bool more = node_flush(loop->node);
    while (loop->memory != NULL && (reap(loop) > 0 || more))
        more = node_flush(loop->node);
    return more;
}

static void step(struct loop *loop)
{
    loop->in_turn = false;
    uv_idle_stop(&loop->no_wait);
    if (loop->stopped)
        return;
    bool more = work(loop, true);
    if (loop->server != NULL && server_flush(loop->server))
        more = true;
    if (more && !loop->stopped)
        begin_turn(loop);
    if (!loop->stopped)
        set_timer(loop);
    end_if_stopped(loop);
}

/* Is there something that only the loop's thread does, or sooner than it would
 * wake? */
static bool needs_loop(const struct loop *loop)
{
    int left_ms = uv_backend_timeout(&loop->uv);
    return loop->in_turn ||
           (left_ms >= 0 &&
            uv_now(&loop->uv) + (uint64_t)left_ms < loop->sleeps_till);
}

/* Take a step on this thread, which is not the loop's; false: somebody else is
 * at one, or has to be. */
static bool step_here(struct loop *loop, bool may_write)
{
    if (!turns_try(&loop->turns))
        return false;
    bool may = loop->runs && !loop->stopping;
    bool wakes = false;
    if (may) {
        uv_update_time(&loop->uv);
        wakes = work(loop, false);
        if (loop->server != NULL && (!may_write || server_flush(loop->server)))
            wakes |= server_is_due(loop->server);
        set_timer(loop);
        wakes |= needs_loop(loop);
    }
    turns_leave(&loop->turns);
    if (wakes)
        wake(loop);
    return may;
}

/* A job is finished; called by a thread of the disk, or by who is at a step. */
static void job_finished(void *ctx)
{
    struct loop *loop = ctx;
    if (!step_here(loop, true))
        wake(loop);
}

/* ---- the thread ---- */

static void tell_started(struct loop *loop, const struct err *err)
{
    pthread_mutex_lock(&loop->mutex);
    loop->has_started = true;
    loop->start_err = *err;
    pthread_cond_signal(&loop->told);
    pthread_mutex_unlock(&loop->mutex);
}

struct starting {
    bool done;
    struct err err;
};

static void node_started(void *ctx, int code, const struct err *err)
{
    struct starting *s = ctx;
    (void)code;
    s->done = true;
    s->err = *err;
}

/* Nothing else goes on yet, so waiting for the disk is all there is to do. */
static int start_node(struct loop *loop)
{
    struct starting s = {0};
    loop->node = make_node(loop);
    node_tick(loop->node, wall_ms(loop), steady_us());
    node_start(loop->node, node_started, &s);
    while (!s.done) {
        if (loop->memory != NULL)
            memory_disk_reap(loop->memory);
        else
            disk_wait(loop->disk);
    }
    tell_started(loop, &s.err);
    return s.err.code;
}

static void sleep_until_something_comes(struct loop *loop)
{
    struct pollfd events = {.fd = uv_backend_fd(&loop->uv), .events = POLLIN};
    int timeout_ms = uv_backend_timeout(&loop->uv);
    if (timeout_ms == 0)
        return;
    loop->sleeps_till =
        timeout_ms < 0 ? UINT64_MAX : uv_now(&loop->uv) + (uint64_t)timeout_ms;
    turns_leave(&loop->turns);
    poll(&events, 1, timeout_ms);
    turns_take(&loop->turns);
    loop->sleeps_till = 0;
}

/* Until its handles are closed. */
static void run(struct loop *loop)
{
    loop->runs = true;
    step(loop); /* a wake-up may have come before the loop ran */
    while (uv_run(&loop->uv, UV_RUN_NOWAIT) != 0)
        sleep_until_something_comes(loop);
    loop->runs = false;
    assert(loop->stopped);
}

static void *thread_main(void *ctx)
{
    struct loop *loop = ctx;
    turns_take(&loop->turns);
    loop->scripts = script_cache_new(&loop->watch);
    loop->hub = service_hub_new(wake, loop);
    loop->logic = script_maker(loop->scripts);
    if (start_node(loop) == 0) {
        run(loop);
    } else {
        close_handles(loop);
        uv_run(&loop->uv, UV_RUN_DEFAULT);
    }
    node_free(loop->node);
    watch_by(loop, NULL);
    service_hub_free(loop->hub);
    script_cache_free(loop->scripts);
    turns_leave(&loop->turns);
    return NULL;
}

/* ---- opening and closing ---- */

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
        .wake = job_finished,
        .wake_ctx = loop,
    };
    int rc = disk_open(&loop->disk, o->path, &options, err);
    if (rc != 0)
        return rc;
    char room[PATH_MAX];
    loop->path = mem_text(realpath(o->path, room) != NULL ? room : o->path);
    return 0;
}

static void init_handles(struct loop *loop)
{
    int rc = uv_loop_init(&loop->uv);
    assert(rc == 0);
    rc = uv_async_init(&loop->uv, &loop->wake, woken);
    assert(rc == 0);
    rc = uv_timer_init(&loop->uv, &loop->timer);
    assert(rc == 0);
    rc = uv_idle_init(&loop->uv, &loop->no_wait);
    assert(rc == 0);
    rc = uv_check_init(&loop->uv, &loop->turn_end);
    assert(rc == 0);
    rc = uv_check_start(&loop->turn_end, end_turn);
    assert(rc == 0);
    loop->wake.data = loop;
    loop->timer.data = loop;
    loop->turn_end.data = loop;
    workers_init(&loop->workers, &loop->uv, wake, loop);
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
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are not for them */
    int rc =
        watchdog_start(&loop->watchdog, &loop->watch, WATCHDOG_LOOK_MS, err);
    if (rc == 0) {
        int posix = pthread_create(&loop->thread, NULL, thread_main, loop);
        if (posix != 0)
            rc = err_errno(err, posix, "starting the engine's thread");
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (rc != 0) {
        close_handles(loop);
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
    init_handles(loop);
    rc = open_disk(loop, err);
    if (rc != 0) {
        close_handles(loop);
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
    wake(loop);
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
