/* (1) A call is in `calls` from its frame to its answer; its struct and a copy
 *     of its frame are one allocation. `call_bytes` adds up their frames.
 * (2) A caller's credit is passed on to the node in portions: a call has at
 *     most its share of LIMIT_NET_CHUNKS, and gets more only while less than
 *     LIMIT_NET_QUEUE bytes wait to be written. So a caller that does not read
 *     makes nothing pile up, whatever credit it gave.
 * (3) A call is in `hungry` exactly when it has credit, none of it is passed
 *     on, and too much waits.
 * (4) A session that is over puts nothing into `out` and takes nothing in.
 * (5) The stall is counted from when the driver got something to write, anew
 *     each time that it wrote everything, or LIMIT_NET_STALL_BYTES: a trickle
 *     does not keep a session alive.
 * (6) A frame is whole within the same time from its first byte, however it
 *     trickles: who stops half-way holds memory for so long, not for ever. */
#include "net/server_session.h"

#include <assert.h>
#include <string.h>

#include "base/limits.h"
#include "base/memory.h"
#include "base/ring.h"
#include "base/version.h"
#include "net/frame.h"

enum session_state { SESSION_HELLO, SESSION_TALK, SESSION_OVER };

struct served_call {
    struct node_request request; /* first, so that one pointer is the other */
    struct server_session *session;
    uint64_t number;
    size_t size;        /* of its frame */
    uint32_t credit;    /* given by the caller, not passed on */
    uint32_t passed;    /* passed on, not used */
    bool canceled;      /* by the caller */
    bool too_large;     /* it gave what fits no frame */
    struct ring hungry; /* in session->hungry */
};

struct server_session {
    const struct server_env *env;
    void *peer;
    enum session_state state;
    bool read_only;
    bool stopping;
    bool cut;
    bool gone;
    struct map calls; /* number to call */
    size_t call_bytes;
    struct ring hungry;
    struct net_input in;
    struct buf out;
    size_t handed;    /* to the driver, and not written yet */
    size_t taken;     /* written since stall_us */
    int64_t stall_us; /* the stall is counted from here, if handed > 0 */
    int64_t since_us; /* in SESSION_HELLO and SESSION_OVER: from when on */
    int64_t frame_us; /* a frame has begun, but is not whole: from when on */
};

/* ---- life ---- */

struct server_session *server_session_new(const struct server_env *env,
                                          void *peer,
                                          const uint8_t seed[MAP_SEED_LEN],
                                          int64_t steady_us)
{
    struct server_session *s = mem_zero(1, sizeof(*s));
    s->env = env;
    s->peer = peer;
    s->since_us = steady_us;
    map_init(&s->calls, seed);
    ring_init(&s->hungry);
    return s;
}

static void session_free(struct server_session *s)
{
    assert(s->calls.count == 0 && s->call_bytes == 0);
    map_deinit(&s->calls);
    net_input_deinit(&s->in);
    buf_deinit(&s->out);
    mem_free(s);
}

static void touch(struct server_session *s)
{
    if (!s->gone)
        s->env->touched(s->peer);
}

static void cancel_all(struct server_session *s)
{
    size_t at = 0;
    struct bytes key;
    uint64_t value;
    while (map_each(&s->calls, &at, &key, &value)) {
        struct served_call *c = map_get_pointer(&s->calls, key);
        c->canceled = true;
        node_cancel(s->env->node, &c->request);
    }
}

/* The last word. Invariant (4). */
static void end(struct server_session *s, const struct err *why,
                int64_t steady_us)
{
    if (s->state == SESSION_OVER)
        return;
    net_answer_put(&s->out, 0, why->code, why, bytes_of(NULL, 0));
    s->state = SESSION_OVER;
    s->since_us = steady_us;
    net_input_deinit(&s->in);
    cancel_all(s);
    touch(s);
}

void server_session_leave(struct server_session *s)
{
    s->gone = true;
    s->state = SESSION_OVER;
    cancel_all(s);
    if (s->calls.count == 0)
        session_free(s);
}

void server_session_stop(struct server_session *s)
{
    s->stopping = true;
}

void server_session_end(struct server_session *s, const struct err *why,
                        int64_t steady_us)
{
    end(s, why, steady_us);
}

/* ---- streams ---- */

size_t server_session_waiting(const struct server_session *s)
{
    return s->out.len;
}

static bool is_full(const struct server_session *s)
{
    return s->handed + s->out.len >= LIMIT_NET_QUEUE;
}

/* A call's share, at least one chunk. */
static uint32_t share(const struct server_session *s)
{
    size_t calls = s->calls.count > 0 ? s->calls.count : 1;
    size_t chunks = LIMIT_NET_CHUNKS / calls;
    return chunks > 0 ? (uint32_t)chunks : 1;
}

/* Invariants (2) and (3). */
static void feed(struct served_call *c)
{
    struct server_session *s = c->session;
    if (c->credit == 0 || s->state == SESSION_OVER)
        return;
    if (is_full(s)) {
        if (c->passed == 0)
            ring_add(&s->hungry, &c->hungry);
        return;
    }
    ring_remove(&c->hungry);
    uint32_t most = share(s);
    if (c->passed > most / 2)
        return;
    uint32_t more = most - c->passed;
    more = more < c->credit ? more : c->credit;
    c->credit -= more;
    c->passed += more;
    node_grant(s->env->node, &c->request, more);
}

static void chunk(struct node_request *request, struct bytes value)
{
    struct served_call *c = (struct served_call *)(void *)request;
    struct server_session *s = c->session;
    assert(c->passed > 0);
    c->passed--;
    if (s->state == SESSION_OVER || c->too_large)
        return;
    if (value.len > LIMIT_NET_ANSWER - NET_FRAME_HEAD) {
        c->too_large = true;
        node_cancel(s->env->node, request);
        return;
    }
    net_data_put(&s->out, c->number, value);
    touch(s);
    feed(c);
}

static bool feed_hungry(struct server_session *s)
{
    bool fed = false;
    while (!ring_is_empty(&s->hungry) && !is_full(s)) {
        feed(ring_entry(s->hungry.after, struct served_call, hungry));
        fed = true;
    }
    return fed;
}

/* ---- answers ---- */

static int say_stopping(const struct served_call *c, struct err *err)
{
    return err_set(err, ATE_EUNAVAILABLE, "%.*s: the daemon is stopping",
                   (int)c->request.method.len,
                   (const char *)c->request.method.data);
}

/* What the caller is told, where that is not what the node says. */
static int reword(const struct served_call *c, int code, struct bytes result,
                  struct err *other)
{
    const struct server_session *s = c->session;
    struct bytes method = c->request.method;
    if (c->too_large || result.len > LIMIT_NET_ANSWER - NET_FRAME_HEAD - 1)
        return err_set(other, ATE_ELIMIT,
                       "%.*s: gave more than the %d bytes that can be told "
                       "at once",
                       (int)method.len, (const char *)method.data,
                       LIMIT_NET_ANSWER);
    if (code == ATE_ECANCELED && s->stopping && !c->canceled &&
        c->request.deadline_ms == 0)
        return say_stopping(c, other);
    return 0;
}

static struct bytes number_key(const uint64_t *number)
{
    return bytes_of(number, sizeof(*number));
}

static void final(struct node_request *request, int code, const struct err *err,
                  struct bytes result)
{
    struct served_call *c = (struct served_call *)(void *)request;
    struct server_session *s = c->session;
    struct err other;
    int reworded = reword(c, code, result, &other);
    if (s->state != SESSION_OVER) {
        if (reworded != 0)
            net_answer_put(&s->out, c->number, reworded, &other,
                           bytes_of(NULL, 0));
        else
            net_answer_put(&s->out, c->number, code, err, result);
        touch(s);
    }
    map_delete_pointer(&s->calls, number_key(&c->number));
    ring_remove(&c->hungry);
    s->call_bytes -= c->size;
    mem_free(c);
    if (s->gone && s->calls.count == 0)
        session_free(s);
}

/* ---- frames ---- */

static int take_hello(struct server_session *s, const struct net_frame *frame,
                      struct err *err)
{
    struct net_hello hello;
    if (frame->kind != NET_HELLO)
        return err_set(err, ATE_EINVALID, "the first frame has to be HELLO");
    int rc = net_hello_get(frame, &hello, err);
    if (rc != 0)
        return rc;
    if (hello.version != NET_VERSION) {
        err_set(err, ATE_EINVALID,
                "you speak version %u of the frames, the daemon (ate %s) "
                "version %d",
                hello.version, ENGINE_VERSION, NET_VERSION);
        return err_reason(err, "other_version");
    }
    s->read_only = hello.read_only;
    s->state = SESSION_TALK;
    struct net_hello answer = {
        .version = NET_VERSION,
        .calls_max = LIMIT_NET_CALLS,
        .bytes_max = LIMIT_NET_CALL_BYTES,
        .engine = bytes_of_text(ENGINE_VERSION),
    };
    net_hello_put(&s->out, &answer);
    touch(s);
    return 0;
}

static int check_room(const struct server_session *s, uint64_t number,
                      size_t size, struct err *err)
{
    if (s->calls.count == LIMIT_NET_CALLS)
        return err_set(err, ATE_ELIMIT, "more than %d calls are under way",
                       LIMIT_NET_CALLS);
    if (s->call_bytes + size > LIMIT_NET_CALL_BYTES)
        return err_set(err, ATE_ELIMIT,
                       "calls of more than %d bytes are under way",
                       LIMIT_NET_CALL_BYTES);
    if (map_get_pointer(&s->calls, number_key(&number)) != NULL)
        return err_set(err, ATE_EINVALID, "call %llu is under way already",
                       (unsigned long long)number);
    return 0;
}

/* Split the credit: what is passed on at once, and the rest. */
static void set_credit(struct served_call *c)
{
    uint32_t all = c->request.credit != 0 ? c->request.credit : NODE_CREDIT;
    uint32_t most = is_full(c->session) ? 1 : share(c->session);
    c->passed = all < most ? all : most;
    c->credit = all - c->passed;
    c->request.credit = c->passed;
}

static int take_call(struct server_session *s, const struct net_frame *frame,
                     struct err *err)
{
    size_t size = NET_FRAME_HEAD + frame->rest.len;
    int rc = check_room(s, frame->call, size, err);
    if (rc != 0)
        return rc;
    struct served_call *c = mem_alloc(sizeof(*c) + frame->rest.len);
    struct net_frame copy = *frame;
    *c =
        (struct served_call){.session = s, .number = frame->call, .size = size};
    memcpy(c + 1, frame->rest.data, frame->rest.len);
    copy.rest.data = (const uint8_t *)(c + 1);
    rc = net_call_get(&copy, &c->request, err);
    if (rc != 0) {
        mem_free(c);
        return rc;
    }
    c->request.read_only = s->read_only;
    c->request.chunk = chunk;
    c->request.final = final;
    ring_init(&c->hungry);
    map_put_pointer(&s->calls, number_key(&c->number), c);
    s->call_bytes += size;
    set_credit(c);
    if (s->stopping) {
        struct err why;
        int code = say_stopping(c, &why);
        final(&c->request, code, &why, bytes_of(NULL, 0));
    } else {
        node_ask(s->env->node, &c->request);
    }
    return 0;
}

/* One that has ended is none: both sides were under way. */
static struct served_call *find(struct server_session *s, uint64_t number)
{
    return map_get_pointer(&s->calls, number_key(&number));
}

static int take_credit(struct server_session *s, const struct net_frame *frame,
                       struct err *err)
{
    uint32_t chunks;
    int rc = net_credit_get(frame, &chunks, err);
    struct served_call *c = rc == 0 ? find(s, frame->call) : NULL;
    if (c == NULL)
        return rc;
    c->credit =
        c->credit > UINT32_MAX - chunks ? UINT32_MAX : c->credit + chunks;
    feed(c);
    return 0;
}

static int take_cancel(struct server_session *s, const struct net_frame *frame,
                       struct err *err)
{
    int rc = net_cancel_get(frame, err);
    struct served_call *c = rc == 0 ? find(s, frame->call) : NULL;
    if (c == NULL)
        return rc;
    c->canceled = true;
    node_cancel(s->env->node, &c->request);
    return 0;
}

static int take_frame(struct server_session *s, const struct net_frame *frame,
                      struct err *err)
{
    if (s->state == SESSION_HELLO)
        return take_hello(s, frame, err);
    switch (frame->kind) {
    case NET_CALL:
        return take_call(s, frame, err);
    case NET_CREDIT:
        return take_credit(s, frame, err);
    case NET_CANCEL:
        return take_cancel(s, frame, err);
    default:
        return err_set(err, ATE_EINVALID,
                       "a frame of kind %d is not for the daemon", frame->kind);
    }
}

void server_session_input(struct server_session *s, struct bytes in,
                          int64_t steady_us)
{
    struct net_frame frame;
    struct err err;
    int rc = 0;
    if (s->state == SESSION_OVER)
        return;
    bool goes_on = s->in.kept.len > 0;
    in = net_input_add(&s->in, in);
    do {
        size_t most =
            s->state == SESSION_HELLO ? NET_HELLO_MAX : LIMIT_NET_CALL;
        rc = net_frame_next(&in, most, &frame, &err);
        if (rc == 1) {
            rc = take_frame(s, &frame, &err);
            rc = rc == 0 ? 1 : rc;
            goes_on = false;
        }
    } while (rc == 1);
    if (!goes_on)
        s->frame_us = steady_us;
    if (rc == 0)
        net_input_rest(&s->in, in);
    else
        end(s, &err, steady_us);
}

/* ---- output ---- */

void server_session_output(struct server_session *s, struct buf *out,
                           int64_t steady_us)
{
    assert(out->len == 0);
    if (s->handed == 0) { /* invariant (5) */
        s->stall_us = steady_us;
        s->taken = 0;
    }
    s->handed += s->out.len;
    struct buf empty = *out;
    *out = s->out;
    s->out = empty;
}

bool server_session_wrote(struct server_session *s, size_t len,
                          int64_t steady_us)
{
    assert(len <= s->handed);
    s->handed -= len;
    s->taken += len;
    if (s->handed == 0 || s->taken >= LIMIT_NET_STALL_BYTES) {
        s->stall_us = steady_us;
        s->taken = 0;
    }
    return feed_hungry(s);
}

/* ---- time ---- */

/* Of the frame that has begun; invariant (6). */
static int64_t frame_deadline(const struct server_session *s)
{
    bool is_half = s->state == SESSION_TALK && s->in.kept.len > 0;
    return is_half ? s->frame_us + s->env->stall_us : INT64_MAX;
}

static int64_t stall_deadline(const struct server_session *s)
{
    return s->handed > 0 ? s->stall_us + s->env->stall_us : INT64_MAX;
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

int64_t server_session_deadline(const struct server_session *s)
{
    const struct server_env *env = s->env;
    int64_t deadline = INT64_MAX;
    if (s->state == SESSION_HELLO)
        deadline = s->since_us + env->hello_us;
    else if (s->state == SESSION_OVER)
        deadline = s->since_us + env->farewell_us;
    deadline = earlier(deadline, stall_deadline(s));
    deadline = earlier(deadline, frame_deadline(s));
    return s->cut ? INT64_MAX : deadline;
}

void server_session_tick(struct server_session *s, int64_t steady_us)
{
    struct err err;
    if (server_session_deadline(s) > steady_us)
        return;
    if (s->state == SESSION_HELLO) {
        err_set(&err, ATE_EUNAVAILABLE, "no HELLO within %lld ms",
                (long long)(s->env->hello_us / 1000));
        end(s, &err, steady_us);
        return;
    }
    if (stall_deadline(s) > steady_us && frame_deadline(s) <= steady_us) {
        err_set(&err, ATE_EUNAVAILABLE,
                "a frame was not whole %lld ms after it began",
                (long long)(s->env->stall_us / 1000));
        end(s, &err, steady_us);
        return;
    }
    s->state = SESSION_OVER; /* it cannot be told: it does not read */
    cancel_all(s);
    s->cut = true;
    touch(s);
}

enum server_session_fate server_session_fate(const struct server_session *s)
{
    if (s->cut)
        return SESSION_CUT;
    return s->state == SESSION_OVER ? SESSION_ENDS : SESSION_GOES_ON;
}
