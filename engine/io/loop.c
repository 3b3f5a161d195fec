/* One thread at a time does what a node does, while another looks after its Lua
 * (watchdog.h). Whatever there is to do, it takes one step: the clocks, the
 * disk's completions, the messages of other threads, then one flush, so that
 * what came in together is written together, and what that made leaves in one
 * write a caller.
 *
 * The loop's own thread takes a step after all that came in a turn of its loop.
 * While it sleeps, a thread that would have to wake it does itself what cannot
 * wait (turns.h): one that calls takes the step, one of the disk tells who
 * waited for its job. What only the loop can do then, it is woken for.
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
#include "io/loop_inside.h"

#include <assert.h>
#include <poll.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "acceptance/materializer.h"
#include "base/memory.h"
#include "io/disk.h"
#include "io/happened.h"
#include "io/memory_disk.h"
#include "io/server.h"
#include "io/services.h"
#include "script/script.h"

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

static int64_t wall_ms(struct loop *loop)
{
    struct timespec now;
    if (loop->memory != NULL)
        return atomic_load(&loop->clock_ms);
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* It goes on while the machine is suspended, as the time of day does. */
static int64_t steady_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_BOOTTIME, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
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
        .clock_by_hand = loop->memory != NULL,
        .path = loop->path,
    };
    return node_new(&env);
}

/* ---- turns of the loop ---- */

void loop_wake(void *ctx)
{
    struct loop *loop = ctx;
    uv_async_send(&loop->wake);
}

static void no_waiting(uv_idle_t *handle)
{
    (void)handle;
}

/* Invariant (4). */
void loop_begin_turn(void *ctx)
{
    struct loop *loop = ctx;
    if (loop->in_turn)
        return;
    loop->in_turn = true;
    uv_idle_start(&loop->no_wait, no_waiting);
    node_tick(loop->node, wall_ms(loop), steady_us());
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
    loop_begin_turn(handle->data);
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

void loop_close_handles(void *ctx)
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
        server_close(loop->server, loop_close_handles, loop);
    else
        loop_close_handles(loop);
}

static void stop(struct loop *loop)
{
    loop->stopping = true;
    if (loop->server != NULL)
        server_stop(loop->server);
    node_stop(loop->node, node_stopped, loop);
}

/* Take in what has happened. */
static void take_in(struct loop *loop, bool may_stop)
{
    node_tick(loop->node, wall_ms(loop), steady_us());
    reap(loop);
    service_hub_reap(loop->hub);
    bool closing = loop_take_messages(loop);
    if (closing && may_stop && !loop->stopping)
        stop(loop);
}

/* All but what the loop's own thread does. True: there is more. */
static bool work(struct loop *loop, bool may_stop)
{
    take_in(loop, may_stop);
    bool more = node_flush(loop->node);
    while (loop->memory != NULL && (reap(loop) > 0 || more)) {
        if (more)
            take_in(loop, may_stop);
        more = node_flush(loop->node);
    }
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
        loop_begin_turn(loop);
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

/* True: this thread, which is not the loop's, has the turn, and may use it. */
static bool take_turn(struct loop *loop)
{
    if (!turns_try(&loop->turns))
        return false;
    if (loop->runs && !loop->stopping) {
        uv_update_time(&loop->uv);
        return true;
    }
    turns_leave(&loop->turns);
    return false;
}

bool loop_step_here(struct loop *loop)
{
    if (!take_turn(loop))
        return false;
    bool wakes = work(loop, false);
    set_timer(loop);
    wakes |= loop->server != NULL && server_is_due(loop->server);
    wakes |= needs_loop(loop);
    turns_leave(&loop->turns);
    if (wakes)
        loop_wake(loop);
    return true;
}

/* Who waited for it is told on this thread; what follows is the loop's. */
void loop_job_finished(void *ctx)
{
    struct loop *loop = ctx;
    if (take_turn(loop)) {
        node_tick(loop->node, wall_ms(loop), steady_us());
        reap(loop);
        if (loop->server != NULL)
            server_flush(loop->server);
        turns_leave(&loop->turns);
    }
    loop_wake(loop);
}

void loop_init_handles(struct loop *loop)
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
    workers_init(&loop->workers, &loop->uv, loop_wake, loop);
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

void *loop_thread(void *ctx)
{
    struct loop *loop = ctx;
    turns_take(&loop->turns);
    loop->scripts = script_cache_new(&loop->watch);
    loop->hub = service_hub_new(loop_wake, loop);
    loop->logic = script_maker(loop->scripts);
    if (start_node(loop) == 0) {
        run(loop);
    } else {
        loop_close_handles(loop);
        uv_run(&loop->uv, UV_RUN_DEFAULT);
    }
    node_free(loop->node);
    loop_watch_by(loop, NULL);
    service_hub_free(loop->hub);
    script_cache_free(loop->scripts);
    turns_leave(&loop->turns);
    return NULL;
}
