/* (1) A call is in `calls` from when it is asked to the daemon's answer. It is
 *     in `waiting`, or it was sent and is in `sent`.
 * (2) What is sent never exceeds what the daemon said may be under way.
 * (3) A call that was answered here for its deadline has no request any more;
 *     until the daemon answers it counts for (2) alone.
 * (4) No call is due before `due_us`, which may be earlier than all of them. */
#include "net/client_session.h"

#include <assert.h>
#include <string.h>

#include "base/hex.h"
#include "base/limits.h"
#include "base/memory.h"
#include "base/msgpack.h"
#include "base/ring.h"
#include "base/version.h"
#include "net/frame.h"

enum { US_PER_MS = 1000 };

enum client_state { CLIENT_APART, CLIENT_HELLO, CLIENT_READY };

struct asked_call {
    struct node_request *request; /* NULL: invariant (3) */
    uint64_t number;
    size_t size; /* of its frame */
    uint32_t credit;
    bool sent;
    bool canceled;
    int64_t deadline_us; /* INT64_MAX: none */
    struct ring ring;    /* in `waiting` or `sent` */
};

struct client_session {
    bool read_only;
    enum client_state state;
    struct map calls;
    size_t unanswered; /* of those, the ones with a request */
    struct ring waiting;
    struct ring sent;
    size_t sent_count;
    size_t sent_bytes;
    uint32_t calls_max; /* as the daemon said */
    uint32_t bytes_max;
    int64_t due_us;
    struct net_input in;
    struct buf out;
    size_t written; /* of `out` */
};

/* ---- life ---- */

struct client_session *client_session_new(bool read_only,
                                          const uint8_t seed[MAP_SEED_LEN])
{
    struct client_session *s = mem_zero(1, sizeof(*s));
    s->read_only = read_only;
    s->due_us = INT64_MAX;
    map_init(&s->calls, seed);
    ring_init(&s->waiting);
    ring_init(&s->sent);
    return s;
}

void client_session_free(struct client_session *s)
{
    if (s == NULL)
        return;
    assert(s->calls.count == 0);
    map_deinit(&s->calls);
    net_input_deinit(&s->in);
    buf_deinit(&s->out);
    mem_free(s);
}

bool client_session_is_ready(const struct client_session *s)
{
    return s->state == CLIENT_READY;
}

size_t client_session_calls(const struct client_session *s)
{
    return s->unanswered;
}

static struct bytes number_key(const uint64_t *number)
{
    return bytes_of(number, sizeof(*number));
}

static struct asked_call *find(const struct client_session *s, uint64_t number)
{
    return map_get_pointer(&s->calls, number_key(&number));
}

/* Tell the requester; the call stays. */
static void tell(struct client_session *s, struct asked_call *c, int code,
                 const struct err *err, struct bytes result)
{
    struct node_request *request = c->request;
    if (request == NULL)
        return;
    c->request = NULL;
    s->unanswered--;
    request->final(request, code, err, result);
}

static void forget(struct client_session *s, struct asked_call *c)
{
    assert(c->request == NULL);
    if (c->sent) {
        s->sent_count--;
        s->sent_bytes -= c->size;
    }
    ring_remove(&c->ring);
    map_delete_pointer(&s->calls, number_key(&c->number));
    mem_free(c);
}

static void fail(struct client_session *s, struct asked_call *c,
                 const struct err *err)
{
    tell(s, c, err->code, err, bytes_of(NULL, 0));
    forget(s, c);
}

/* ---- sending ---- */

/* Invariant (2). */
static bool has_room(const struct client_session *s, size_t size)
{
    return s->sent_count < s->calls_max && s->sent_bytes + size <= s->bytes_max;
}

/* The daemon gets what is left of a deadline. */
static void send_call(struct client_session *s, struct asked_call *c,
                      int64_t steady_us)
{
    struct node_request *r = c->request;
    const uint32_t deadline_ms = r->deadline_ms;
    int64_t left_ms = (c->deadline_us - steady_us) / US_PER_MS;
    if (deadline_ms != 0)
        r->deadline_ms = left_ms > 0 ? (uint32_t)left_ms : 1;
    net_call_put(&s->out, c->number, r);
    r->deadline_ms = deadline_ms;
    c->credit = r->credit != 0 ? r->credit : NODE_CREDIT;
    c->sent = true;
    s->sent_count++;
    s->sent_bytes += c->size;
    ring_add(&s->sent, &c->ring);
}

static void send_waiting(struct client_session *s, int64_t steady_us)
{
    while (s->state == CLIENT_READY && !ring_is_empty(&s->waiting)) {
        struct asked_call *c =
            ring_entry(s->waiting.after, struct asked_call, ring);
        if (!has_room(s, c->size))
            return;
        send_call(s, c, steady_us);
    }
}

static void set_deadline(struct client_session *s, struct asked_call *c,
                         int64_t steady_us)
{
    c->deadline_us = INT64_MAX;
    if (c->request->deadline_ms == 0)
        return;
    c->deadline_us = steady_us + (int64_t)c->request->deadline_ms * US_PER_MS;
    if (c->deadline_us < s->due_us)
        s->due_us = c->deadline_us;
}

void client_session_ask(struct client_session *s, struct node_request *request,
                        uint64_t number, int64_t steady_us)
{
    struct err err;
    int rc = net_call_check(request, &err);
    if (rc != 0) {
        request->final(request, rc, &err, bytes_of(NULL, 0));
        return;
    }
    struct asked_call *c = mem_zero(1, sizeof(*c));
    c->request = request;
    c->number = number;
    c->size = net_call_size(request);
    assert(number != 0 && find(s, number) == NULL);
    map_put_pointer(&s->calls, number_key(&c->number), c);
    s->unanswered++;
    ring_init(&c->ring);
    ring_add(&s->waiting, &c->ring);
    set_deadline(s, c, steady_us);
    send_waiting(s, steady_us);
}

void client_session_grant(struct client_session *s, uint64_t number,
                          uint32_t chunks)
{
    struct asked_call *c = find(s, number);
    if (c == NULL || c->request == NULL || chunks == 0)
        return;
    uint32_t *credit = c->sent ? &c->credit : &c->request->credit;
    if (!c->sent && *credit == 0)
        *credit = NODE_CREDIT;
    *credit = *credit > UINT32_MAX - chunks ? UINT32_MAX : *credit + chunks;
    if (c->sent)
        net_credit_put(&s->out, number, chunks);
}

static void cancel(struct client_session *s, struct asked_call *c)
{
    struct err err;
    if (c->request == NULL || c->canceled)
        return;
    c->canceled = true;
    if (c->sent) {
        net_cancel_put(&s->out, c->number);
        return;
    }
    err_set(&err, ATE_ECANCELED, "%.*s: canceled", (int)c->request->method.len,
            (const char *)c->request->method.data);
    err_reason(&err, "by_asker");
    fail(s, c, &err);
}

void client_session_cancel(struct client_session *s, uint64_t number)
{
    struct asked_call *c = find(s, number);
    if (c != NULL)
        cancel(s, c);
}

static void cancel_reads_in(struct client_session *s, struct ring *calls)
{
    struct ring *next;
    for (struct ring *r = calls->after; r != calls; r = next) {
        struct asked_call *c = ring_entry(r, struct asked_call, ring);
        next = r->after;
        if (c->request != NULL && c->request->kind == REQUEST_READ)
            cancel(s, c);
    }
}

void client_session_cancel_reads(struct client_session *s)
{
    cancel_reads_in(s, &s->waiting);
    cancel_reads_in(s, &s->sent);
}

/* ---- what comes ---- */

static int not_expected(const struct net_frame *frame, const char *why,
                        struct err *err)
{
    return err_set(err, ATE_EINVALID,
                   "the daemon sent what it must not: kind %d of call %llu, %s",
                   frame->kind, (unsigned long long)frame->call, why);
}

static int take_hello(struct client_session *s, const struct net_frame *frame,
                      int64_t steady_us, struct err *err)
{
    struct net_hello hello;
    if (frame->kind != NET_HELLO)
        return not_expected(frame, "before HELLO", err);
    int rc = net_hello_get(frame, &hello, err);
    if (rc != 0)
        return rc;
    if (hello.version != NET_VERSION) {
        err_set(err, ATE_EINVALID,
                "the daemon speaks version %u of the frames, this ate (%s) "
                "version %d",
                hello.version, ENGINE_VERSION, NET_VERSION);
        return err_reason(err, "other_version");
    }
    if (hello.calls_max == 0 || hello.bytes_max < LIMIT_NET_CALL)
        return not_expected(frame, "with no room for a call", err);
    s->calls_max = hello.calls_max;
    s->bytes_max = hello.bytes_max;
    s->state = CLIENT_READY;
    send_waiting(s, steady_us);
    return 0;
}

static int check_value(struct bytes value, struct err *err)
{
    return mp_check(value, err) == 0
               ? 0
               : err_wrap(err, "the daemon sent no value");
}

static int take_data(struct asked_call *c, const struct net_frame *frame,
                     struct err *err)
{
    if (c->credit == 0)
        return not_expected(frame, "without credit", err);
    c->credit--;
    int rc = check_value(frame->rest, err);
    if (rc == 0 && c->request != NULL)
        c->request->chunk(c->request, frame->rest);
    return rc;
}

static int take_answer(struct client_session *s, struct asked_call *c,
                       const struct net_frame *frame, int64_t steady_us,
                       struct err *err)
{
    struct err answer;
    struct bytes value;
    int rc = net_answer_get(frame, &answer, &value, err);
    if (rc == 0 && value.len > 0)
        rc = check_value(value, err);
    if (rc != 0)
        return rc;
    tell(s, c, answer.code, &answer, value);
    forget(s, c);
    send_waiting(s, steady_us);
    return 0;
}

/* The daemon's last word: why it wants no more of us. In place of HELLO, one
 * that says nothing to us is of another version of the frames. */
static int take_last_word(const struct client_session *s,
                          const struct net_frame *frame, struct err *err)
{
    struct err answer;
    struct bytes value;
    int rc = net_answer_get(frame, &answer, &value, err);
    if (rc != 0 && s->state == CLIENT_HELLO) {
        err_set(err, ATE_EINVALID,
                "the daemon speaks another version of the frames than this "
                "ate (%s), %d",
                ENGINE_VERSION, NET_VERSION);
        return err_reason(err, "other_version");
    }
    if (rc == 0 && answer.code == 0)
        return not_expected(frame, "which says nothing", err);
    if (rc == 0)
        *err = answer;
    return rc == 0 ? answer.code : rc;
}

static int take_frame(struct client_session *s, const struct net_frame *frame,
                      int64_t steady_us, struct err *err)
{
    if (frame->kind == NET_ANSWER && frame->call == 0)
        return take_last_word(s, frame, err);
    if (s->state == CLIENT_HELLO)
        return take_hello(s, frame, steady_us, err);
    struct asked_call *c = find(s, frame->call);
    if (c == NULL || !c->sent)
        return not_expected(frame, "which is not under way", err);
    if (frame->kind == NET_DATA)
        return take_data(c, frame, err);
    if (frame->kind == NET_ANSWER)
        return take_answer(s, c, frame, steady_us, err);
    return not_expected(frame, "which is not for callers", err);
}

int client_session_input(struct client_session *s, struct bytes in,
                         int64_t steady_us, struct err *err)
{
    struct net_frame frame;
    int rc;
    assert(s->state != CLIENT_APART);
    in = net_input_add(&s->in, in);
    do {
        size_t most =
            s->state == CLIENT_HELLO ? NET_LAST_WORD_MAX : LIMIT_NET_ANSWER;
        rc = net_frame_next(&in, most, &frame, err);
        if (rc == 1) {
            rc = take_frame(s, &frame, steady_us, err);
            rc = rc == 0 ? 1 : rc;
        }
    } while (rc == 1);
    if (rc == 0)
        net_input_rest(&s->in, in);
    return rc;
}

/* ---- what goes ---- */

struct bytes client_session_output(const struct client_session *s)
{
    struct bytes all = buf_bytes(&s->out);
    return bytes_of(all.data + s->written, all.len - s->written);
}

void client_session_wrote(struct client_session *s, size_t len)
{
    assert(len <= s->out.len - s->written);
    s->written += len;
    if (s->written < s->out.len) {
        if (s->written < NET_KEEP)
            return;
        memmove(s->out.data, s->out.data + s->written, s->out.len - s->written);
    }
    s->out.len -= s->written;
    s->written = 0;
    if (s->out.len == 0 && s->out.cap > NET_KEEP)
        buf_deinit(&s->out);
}

/* ---- connections ---- */

void client_session_begin(struct client_session *s)
{
    struct net_hello hello = {
        .version = NET_VERSION,
        .read_only = s->read_only,
        .engine = bytes_of_text(ENGINE_VERSION),
    };
    assert(s->state == CLIENT_APART && s->out.len == 0);
    s->state = CLIENT_HELLO;
    net_hello_put(&s->out, &hello);
}

/* A method of a chain has a call id by which it can be looked for. */
static void say_unknown(const struct node_request *r, struct err *err)
{
    struct buf id = {0};
    char context[ERR_TEXT_MAX];
    if (r->kind == REQUEST_READ)
        return;
    memcpy(context, err->text, sizeof(context));
    hex_put(&id, bytes_of(r->call_id, NODE_CALL_ID));
    if (r->of_node)
        err_set(err, err->code, "%s; whether it was done is not known",
                context);
    else
        err_set(err, err->code,
                "%s; whether it was written is not known: asked again with "
                "the call id %s it answers",
                context, buf_text(&id));
    buf_deinit(&id);
}

static void lose(struct client_session *s, struct asked_call *c,
                 const struct err *why)
{
    struct err err;
    const struct node_request *r = c->request;
    if (r != NULL) {
        err_set(&err, ATE_EUNAVAILABLE, "%.*s: %s", (int)r->method.len,
                (const char *)r->method.data, why->text);
        if (c->sent)
            say_unknown(r, &err);
        tell(s, c, err.code, &err, bytes_of(NULL, 0));
    }
    forget(s, c);
}

static void lose_all(struct client_session *s, struct ring *calls,
                     const struct err *why)
{
    while (!ring_is_empty(calls))
        lose(s, ring_entry(calls->after, struct asked_call, ring), why);
}

void client_session_lost(struct client_session *s, const struct err *why)
{
    s->state = CLIENT_APART;
    net_input_deinit(&s->in);
    buf_deinit(&s->out);
    s->written = 0;
    lose_all(s, &s->sent, why);
    lose_all(s, &s->waiting, why);
    assert(s->calls.count == 0 && s->sent_count == 0 && s->sent_bytes == 0);
}

/* ---- time ---- */

int64_t client_session_deadline(const struct client_session *s)
{
    return s->due_us;
}

/* The daemon tells it best, and has a moment to do so. */
static int64_t due(const struct asked_call *c)
{
    if (c->request == NULL || c->deadline_us == INT64_MAX)
        return INT64_MAX;
    return c->deadline_us + (c->sent ? LIMIT_NET_GRACE_MS * US_PER_MS : 0);
}

/* Invariant (3). */
static void expire(struct client_session *s, struct asked_call *c)
{
    struct err err;
    const struct node_request *r = c->request;
    err_set(&err, ATE_ECANCELED, "%.*s: the deadline of %lu ms passed",
            (int)r->method.len, (const char *)r->method.data,
            (unsigned long)r->deadline_ms);
    if (!c->sent) {
        fail(s, c, &err);
        return;
    }
    say_unknown(r, &err);
    net_cancel_put(&s->out, c->number);
    tell(s, c, err.code, &err, bytes_of(NULL, 0));
}

static void expire_in(struct client_session *s, struct ring *calls,
                      int64_t steady_us)
{
    struct ring *next;
    for (struct ring *r = calls->after; r != calls; r = next) {
        struct asked_call *c = ring_entry(r, struct asked_call, ring);
        int64_t at = due(c);
        next = r->after;
        if (at <= steady_us)
            expire(s, c);
        else if (at < s->due_us)
            s->due_us = at;
    }
}

void client_session_tick(struct client_session *s, int64_t steady_us)
{
    if (s->due_us > steady_us)
        return;
    s->due_us = INT64_MAX; /* invariant (4) */
    expire_in(s, &s->waiting, steady_us);
    expire_in(s, &s->sent, steady_us);
}
