/* (1) A peer goes when h2o says that its connection has ended (`heard` with no
 *     message), and nowhere else. h2o_websocket_proceed() may say so: nothing
 *     of the peer is touched behind it.
 * (2) Answers never come while a message is heard, and `heard` queues without
 *     proceeding: h2o, which called it, does.
 * (3) An asker's credit is passed on in portions: a call has at most CREDIT of
 *     it, and gets more only while the asker is not behind (`is_behind`). So
 *     what waits for an asker who does not read is bounded, whatever credit it
 *     gave: who has more than LIMIT_PEER_BYTES to read starts no call, and who
 *     is behind and goes on to say what is answered at once, is cut off.
 * (4) Behind a close of ours nothing is heard any more (RFC 6455, 5.5.1), for
 *     it could not be answered; who does not close then is cut off. */
#include "rest/peer.h"

#include <stdlib.h>
#include <string.h>

#include <h2o.h>
#include <h2o/websocket.h>

#include "ate.h"
#include "rest/calls.h"
#include "rest/door.h"
#include "rest/exchange.h"
#include "rest/headers.h"
#include "rest/message.h"
#include "rest/web.h"
#include "rest/wire.h"

enum { CREDIT = 64 };

struct session {
    struct peer *peer;
    int64_t id;
    struct call *call;
    bool leaves_credit; /* to the door */
    uint32_t given;     /* by the asker, and not passed on */
    uint32_t room;      /* of CREDIT: what may be passed on */
    struct session *next;
};

struct peer {
    struct door *door;
    h2o_websocket_conn_t *conn;
    struct session *sessions;
    size_t session_count;
    size_t unread;      /* answers said at once, since it is behind */
    uint64_t key;       /* the number of that which let it in */
    uint64_t closed_ms; /* when we closed it, see (4); 0: we have not */
    struct peer *next;
};

/* ---- what is said ---- */

static void queue(struct peer *p, const struct buffer *text)
{
    struct wslay_event_msg message = {
        .opcode = WSLAY_TEXT_FRAME,
        .msg = (const uint8_t *)text->data,
        .msg_length = text->len,
    };
    wslay_event_queue_msg(p->conn->ws_ctx, &message);
}

static void queue_close(struct peer *p, uint16_t code, const char *why)
{
    wslay_event_queue_close(p->conn->ws_ctx, code, (const uint8_t *)why,
                            strlen(why));
    p->closed_ms = uv_now(&p->door->loop);
}

/* Send what is queued; see (1). */
static void send_on(struct peer *p)
{
    if (p->conn->sock != NULL)
        h2o_websocket_proceed(p->conn);
}

static void queue_problem(struct peer *p, bool has_id, int64_t id,
                          const struct problem *problem)
{
    struct buffer text = {0};
    buffer_byte(&text, '{');
    if (has_id)
        buffer_printf(&text, "\"id\":%lld,", (long long)id);
    buffer_text(&text, "\"problem\":");
    problem_put(problem, NULL, &text);
    buffer_byte(&text, '}');
    queue(p, &text);
    buffer_free(&text);
}

static void queue_value(struct peer *p, int64_t id, const char *name,
                        const struct ate_bytes *value)
{
    struct buffer text = {0};
    buffer_printf(&text, "{\"id\":%lld,\"%s\":", (long long)id, name);
    wire_put_json(&text, value->data, value->len);
    buffer_byte(&text, '}');
    queue(p, &text);
    buffer_free(&text);
}

/* ---- sessions ---- */

static struct session **find(struct peer *p, int64_t id)
{
    struct session **at = &p->sessions;
    while (*at != NULL && (*at)->id != id)
        at = &(*at)->next;
    return at;
}

static void session_end(struct session *s)
{
    struct session **at = find(s->peer, s->id);
    *at = s->next;
    s->peer->session_count--;
    free(s);
}

static size_t queued(const struct peer *p)
{
    return wslay_event_get_queued_msg_length(p->conn->ws_ctx);
}

/* Much waits that the asker has not read. */
static bool is_behind(const struct peer *p)
{
    return queued(p) > LIMIT_STREAM_BYTES ||
           wslay_event_get_queued_msg_count(p->conn->ws_ctx) >
               LIMIT_PEER_UNREAD;
}

/* Invariant (3). */
static void pass_on(struct session *s)
{
    bool all = s->leaves_credit || s->given > s->room;
    uint32_t chunks = all ? s->room : s->given;
    if (chunks == 0 || is_behind(s->peer))
        return;
    calls_grant(&s->peer->door->calls, s->call, chunks);
    s->room -= chunks;
    s->given -= s->leaves_credit ? 0 : chunks;
}

static void answered(void *owner, const struct ate_answer *answer)
{
    struct session *s = owner;
    struct peer *p = s->peer;
    static const struct problem_place place = {"", "/args"};
    struct problem problem;
    if (answer->kind == ATE_ANSWER_DATA) {
        queue_value(p, s->id, "data", &answer->value);
        s->room++;
        if (s->room >= CREDIT / 2)
            pass_on(s);
    } else if (answer->error.code != 0) {
        problem_of_error(&problem, &answer->error, &place);
        queue_problem(p, true, s->id, &problem);
        session_end(s);
    } else {
        queue_value(p, s->id, "result", &answer->value);
        session_end(s);
    }
    send_on(p);
}

static int ask(struct peer *p, const struct message *m, struct problem *problem)
{
    bool is_call = m->kind == MESSAGE_CALL;
    if (*find(p, m->id) != NULL)
        return problem_field(problem, "id", "'id' %lld is under way",
                             (long long)m->id);
    if (p->session_count == LIMIT_PEER_CALLS)
        return problem_set(problem, "TOO_MANY",
                           "at most %d calls of a web "
                           "socket are under way",
                           LIMIT_PEER_CALLS);
    if (queued(p) > LIMIT_PEER_BYTES)
        return problem_set(problem, "TOO_MANY",
                           "more than %d bytes of answers wait for you to "
                           "read them",
                           LIMIT_PEER_BYTES);
    bool leaves_credit = m->credit == 0;
    uint32_t first = leaves_credit || m->credit > CREDIT ? CREDIT : m->credit;
    struct session *s = memory_new(sizeof(*s));
    *s = (struct session){.peer = p,
                          .id = m->id,
                          .leaves_credit = leaves_credit,
                          .given = leaves_credit ? 0 : m->credit - first,
                          .room = CREDIT - first,
                          .next = p->sessions};
    p->sessions = s;
    p->session_count++;
    struct ate_request request = {
        .chain = m->chain,
        .method = m->method,
        .args = m->args.data,
        .args_len = m->args.len,
        .context = m->context.data,
        .context_len = m->context.len,
        .as = m->as,
        .act_for = m->act_for,
        .call_id = m->has_key ? m->call_id : NULL,
        .credit = first,
        .deadline_ms = is_call ? p->door->limits.call_ms : 0,
    };
    s->call = calls_start(&p->door->calls, is_call, &request, answered, s);
    return 0;
}

static int take(struct peer *p, const struct message *m,
                struct problem *problem)
{
    if (m->kind == MESSAGE_CALL || m->kind == MESSAGE_READ)
        return ask(p, m, problem);
    struct session *s = *find(p, m->id);
    if (s == NULL) /* it has just ended: its answer is on the way */
        return 0;
    if (m->kind == MESSAGE_CREDIT) {
        s->given += m->credit <= UINT32_MAX - s->given ? m->credit : 0;
        pass_on(s);
        return 0;
    }
    calls_drop(&p->door->calls, s->call);
    session_end(s);
    return problem_set(problem, "CANCELED", "canceled, as you asked");
}

/* True: it is answered at once, by a problem. */
static bool take_text(struct peer *p, const char *text, size_t len)
{
    struct message m;
    struct problem problem;
    p->door->meters.messages++;
    bool failed = message_take(&m, text, len, &problem) != 0 ||
                  take(p, &m, &problem) != 0;
    if (failed)
        queue_problem(p, m.has_id, m.id, &problem);
    message_free(&m);
    return failed;
}

/* It said what is answered at once: that needs no credit, so it is counted.
 * Behind it h2o says that the connection has ended, see (1). */
static void count_unread(struct peer *p)
{
    p->unread = is_behind(p) ? p->unread + 1 : 0;
    if (p->unread != LIMIT_PEER_UNREAD || p->conn->sock == NULL)
        return;
    p->door->meters.stalled++;
    web_abort(h2o_socket_get_fd(p->conn->sock));
}

/* ---- begin and end ---- */

static void drop_sessions(struct peer *p)
{
    for (struct session *s = p->sessions, *next; s != NULL; s = next) {
        next = s->next;
        calls_drop(&p->door->calls, s->call);
        free(s);
    }
    p->sessions = NULL;
    p->session_count = 0;
}

static void peer_free(struct peer *p)
{
    struct peer **at = &p->door->peers;
    while (*at != p)
        at = &(*at)->next;
    *at = p->next;
    p->door->stream_count--;
    drop_sessions(p);
    h2o_websocket_close(p->conn);
    free(p);
}

/* Nothing is told it, or done for it, from now on. */
static void turn_out(struct peer *p, uint16_t code, const char *why)
{
    drop_sessions(p);
    if (p->closed_ms == 0)
        queue_close(p, code, why);
}

/* Its key counts no more. */
static void lock_out(struct peer *p)
{
    turn_out(p, WSLAY_CODE_POLICY_VIOLATION,
             "the key is not this node's any more");
}

static void heard(h2o_websocket_conn_t *conn,
                  const struct wslay_event_on_msg_recv_arg *message)
{
    struct peer *p = conn->data;
    if (message == NULL) {
        peer_free(p);
        return;
    }
    if (p->closed_ms != 0)
        return;
    if (p->key != bearer_number(&p->door->bearer, uv_now(&p->door->loop))) {
        lock_out(p);
        return;
    }
    bool is_answered = message->opcode == WSLAY_PING;
    if (message->opcode == WSLAY_TEXT_FRAME)
        is_answered =
            take_text(p, (const char *)message->msg, message->msg_length);
    else if (message->opcode == WSLAY_BINARY_FRAME)
        queue_close(p, WSLAY_CODE_UNSUPPORTED_DATA, "messages are text");
    if (is_answered)
        count_unread(p);
}

#define BEARER "ate.bearer."

/* Which subprotocol is spoken, and is the key with it? */
static bool take_protocols(struct exchange *x, bool *is_known)
{
    size_t len;
    const char *list = headers_find(x->req, "sec-websocket-protocol", &len);
    bool may = false;
    *is_known = false;
    for (size_t i = 0; list != NULL && i < len;) {
        const char *at = list + i;
        const char *comma = memchr(at, ',', len - i);
        size_t one = comma != NULL ? (size_t)(comma - at) : len - i;
        i += one + 1;
        while (one > 0 && *at == ' ') {
            at++;
            one--;
        }
        if (one == strlen("ate.v1.json") && memcmp(at, "ate.v1.json", one) == 0)
            *is_known = true;
        if (one > strlen(BEARER) && memcmp(at, BEARER, strlen(BEARER)) == 0)
            may = bearer_is(&x->door->bearer, at + strlen(BEARER),
                            one - strlen(BEARER), uv_now(&x->door->loop));
    }
    if (may)
        return true;
    const char *text = headers_find(x->req, "authorization", &len);
    return text != NULL &&
           bearer_opens(&x->door->bearer, text, len, uv_now(&x->door->loop));
}

static int may_begin(struct exchange *x, const char **key,
                     struct problem *problem)
{
    bool is_known;
    x->plan.verbs = VERB_GET;
    if (x->ask.verb != VERB_GET)
        return problem_set(problem, "METHOD_NOT_ALLOWED",
                           "a web socket begins with GET");
    if (!take_protocols(x, &is_known))
        return problem_set(problem, "UNAUTHORIZED",
                           "send 'Authorization: "
                           "Bearer KEY', or the subprotocol " BEARER "KEY "
                           "beside ate.v1.json");
    if (headers_check_handshake(x->req, problem) != 0)
        return -1;
    if (h2o_is_websocket_handshake(x->req, key) != 0 || *key == NULL)
        return problem_set(problem, "INVALID",
                           "this is a web socket: send its "
                           "handshake, RFC 6455");
    if (!is_known)
        return problem_field(problem, "Sec-WebSocket-Protocol",
                             "the subprotocol here is ate.v1.json");
    return door_check_room(x->door, problem);
}

void peer_begin(struct exchange *x)
{
    struct problem problem;
    const char *key = NULL;
    if (may_begin(x, &key, &problem) != 0) {
        exchange_fail(x, &problem);
        return;
    }
    struct door *d = x->door;
    struct peer *p = memory_new(sizeof(*p));
    p->door = d;
    p->key = x->key;
    p->next = d->peers;
    d->peers = p;
    d->stream_count++;
    exchange_header_put(x, "sec-websocket-protocol", "ate.v1.json");
    web_keep(x->req);
    p->conn = h2o_upgrade_to_websocket(x->req, key, p, heard);
    wslay_event_config_set_max_recv_msg_length(p->conn->ws_ctx, LIMIT_MESSAGE);
}

/* ---- all of them ---- */

void peers_beat(struct door *d)
{
    struct wslay_event_msg ping = {.opcode = WSLAY_PING};
    for (struct peer *p = d->peers, *next; p != NULL; p = next) {
        next = p->next;
        if (p->conn->sock == NULL || is_behind(p))
            continue;
        wslay_event_queue_msg(p->conn->ws_ctx, &ping);
        send_on(p);
    }
}

/* Invariant (4). Behind it h2o says that the connection has ended, see (1). */
static void end_closed(struct peer *p)
{
    if (p->closed_ms != 0 && p->conn->sock != NULL &&
        uv_now(&p->door->loop) - p->closed_ms >= LIMIT_CLOSE_MS)
        web_end(h2o_socket_get_fd(p->conn->sock));
}

void peers_tick(struct door *d)
{
    for (struct peer *p = d->peers; p != NULL; p = p->next) {
        for (struct session *s = p->sessions; s != NULL; s = s->next)
            pass_on(s);
        end_closed(p);
    }
}

void peers_judge(struct door *d, uint64_t key)
{
    for (struct peer *p = d->peers, *next; p != NULL; p = next) {
        next = p->next;
        if (p->key == key)
            continue;
        lock_out(p);
        send_on(p);
    }
}

void peers_end(struct door *d)
{
    for (struct peer *p = d->peers, *next; p != NULL; p = next) {
        next = p->next;
        turn_out(p, WSLAY_CODE_GOING_AWAY, "the door closes");
        send_on(p);
    }
}
