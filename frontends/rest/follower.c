/* (1) A read is watched from before it is read: its first answer is of size S
 *     or later, and the log is followed from S on. A transaction that came in
 *     between is seen twice, never not at all; the second answer is equal and
 *     stays unsaid.
 * (2) Credit is given back for what has left the process, so an asker that does
 *     not read holds at most LIMIT_STREAM_BYTES and a few rows. */
#include "rest/follower.h"

#include <stdlib.h>
#include <string.h>

#include "ate.h"
#include "base/pack.h"
#include "rest/arguments.h"
#include "rest/calls.h"
#include "rest/cursor.h"
#include "rest/door.h"
#include "rest/exchange.h"
#include "rest/headers.h"
#include "rest/stream.h"
#include "rest/web.h"
#include "rest/wire.h"

enum { CREDIT = 64 };

struct follower {
    struct stream stream;
    bool streams; /* the response has begun */
    struct call *tail;
    uint32_t taken;     /* rows since credit was given back */
    int64_t index;      /* of the last transaction that is known of */
    int64_t resumed;    /* Last-Event-ID, or POSITION_NONE */
    bool is_dirty;      /* the read has to be done again */
    struct buffer last; /* what was said last of the read: event and data */
};

static void read_again(struct exchange *x);

/* Is it another than what was said last, an answer or a problem? It is the last
 * from now on. */
static bool is_news(struct follower *w, const char *event,
                    const struct buffer *data)
{
    struct buffer said = {0};
    buffer_text(&said, event);
    buffer_put(&said, data->data, data->len);
    bool same = said.len == w->last.len &&
                memcmp(said.data, w->last.data, said.len) == 0;
    buffer_free(&w->last);
    w->last = said;
    return !same;
}

static void fail(struct exchange *x, const struct problem *problem)
{
    static const char event[] = "problem";
    struct follower *w = x->follower;
    struct buffer body = {0};
    if (!w->streams) {
        exchange_fail(x, problem);
        return;
    }
    problem_put(problem, x->request_id, &body);
    if (is_news(w, event, &body))
        stream_event(&w->stream, event, POSITION_NONE, body.data, body.len);
    buffer_free(&body);
}

static void drained(void *owner)
{
    struct exchange *x = owner;
    struct follower *w = x->follower;
    if (w->tail != NULL && w->taken > 0)
        calls_grant(&x->door->calls, w->tail, w->taken);
    w->taken = 0;
    if (w->is_dirty)
        read_again(x);
}

static void begin_stream(struct exchange *x)
{
    struct follower *w = x->follower;
    static h2o_mime_attributes_t as_is = {0,
                                          H2O_MIME_ATTRIBUTE_PRIORITY_NORMAL};
    x->req->res.status = 200;
    x->req->res.reason = "OK";
    x->req->res.mime_attr = &as_is;
    exchange_headers(x, "text/event-stream");
    exchange_header_put(x, "cache-control", "no-store");
    exchange_header_put(x, "x-accel-buffering", "no");
    w->streams = true;
    stream_begin(&w->stream, x->req, drained, x);
}

/* ---- the log ---- */

static void put_row(struct exchange *x, const struct ate_answer *answer)
{
    struct buffer body = {0};
    wire_put_json(&body, answer->value.data, answer->value.len);
    stream_event(&x->follower->stream, "transaction", x->follower->index,
                 body.data, body.len);
    buffer_free(&body);
}

static void tail_ended(struct exchange *x, const struct ate_answer *answer)
{
    struct problem problem;
    x->follower->tail = NULL;
    if (answer->error.code != 0) {
        problem_of_error(&problem, &answer->error, NULL);
        fail(x, &problem);
    }
    if (x->follower->streams)
        stream_end(&x->follower->stream);
}

static void came(void *owner, const struct ate_answer *answer)
{
    struct exchange *x = owner;
    struct follower *w = x->follower;
    if (answer->kind == ATE_ANSWER_FINAL) {
        tail_ended(x, answer);
        return;
    }
    w->index = wire_number(answer->value.data, answer->value.len, "index",
                           POSITION_NONE);
    w->taken++;
    if (x->plan.is_tail) {
        put_row(x, answer);
        return;
    }
    w->is_dirty = true;
    if (!w->stream.sends)
        drained(x);
}

static void follow(struct exchange *x, int64_t from)
{
    struct buffer args = {0};
    pack_put_map(&args, 2);
    pack_put_string(&args, "follow");
    pack_put_boolean(&args, true);
    pack_put_string(&args, "from");
    pack_put_integer(&args, from);
    struct ate_request request = {
        .chain = x->chain,
        .method = "tail",
        .args = args.data,
        .args_len = args.len,
        .credit = CREDIT,
    };
    x->follower->tail = calls_start(&x->door->calls, false, &request, came, x);
    buffer_free(&args);
}

/* ---- reads ---- */

/* An answer as it was before is not said again; nor is the first one to who had
 * it. */
static void say(struct exchange *x, int64_t index)
{
    static const char event[] = "change";
    struct follower *w = x->follower;
    const struct buffer *body = &x->result.body;
    bool is_first = !w->streams;
    if (is_first)
        begin_stream(x);
    if (is_news(w, event, body) && !(is_first && w->resumed == index))
        stream_event(&w->stream, event, index, body->data, body->len);
    if (is_first)
        follow(x, index + 1);
}

/* It has been read, or could not be. */
static void go_on(struct exchange *x)
{
    const struct follower *w = x->follower;
    if (w->streams && w->is_dirty && !w->stream.sends)
        read_again(x);
}

static void answered(void *owner, const struct ate_answer *answer)
{
    struct exchange *x = owner;
    struct problem problem;
    int rc = exchange_take(x, answer, &problem);
    if (rc == 0)
        return;
    if (rc < 0)
        fail(x, &problem);
    else
        say(x, x->position);
    go_on(x);
}

static void searched(void *owner, const struct chain_found *found,
                     const struct ate_error *error)
{
    struct exchange *x = owner;
    struct problem problem;
    if (exchange_plan(x, found, error, &problem) == 0) {
        exchange_call(x, answered);
    } else {
        fail(x, &problem);
        go_on(x);
    }
}

/* What changed may be the schema, so it is planned anew. */
static void read_again(struct exchange *x)
{
    struct follower *w = x->follower;
    if (x->search != NULL || x->call != NULL ||
        w->stream.waiting.len > LIMIT_STREAM_BYTES)
        return;
    w->is_dirty = false;
    x->position = w->index;
    x->search = chains_find(&x->door->chains, &x->target, 1, searched, x);
}

/* Where the tail of a plan begins, unless a Last-Event-ID says so. */
static int64_t from_of(const struct exchange *x)
{
    int64_t last = x->follower->resumed;
    return last != POSITION_NONE
               ? last + 1
               : wire_number(x->plan.args.data, x->plan.args.len, "from", 0);
}

/* Who had more than there is would wait for ever, or miss what comes. */
static int check_end(const struct exchange *x, int64_t size,
                     struct problem *problem)
{
    const struct plan *p = &x->plan;
    int64_t last = x->follower->resumed;
    if (last != POSITION_NONE)
        return last < size ? 0
                           : arguments_behind(last, "Last-Event-ID", problem);
    return p->resumes == NULL || p->resumed < size
               ? 0
               : arguments_behind(p->resumed, p->resumes, problem);
}

/* The size of the log, before anything is said. */
static void told(void *owner, const struct ate_answer *answer)
{
    struct exchange *x = owner;
    struct problem problem;
    if (answer->kind != ATE_ANSWER_FINAL)
        return;
    x->info = NULL;
    if (answer->error.code != 0) {
        problem_of_error(&problem, &answer->error, NULL);
        exchange_fail(x, &problem);
        return;
    }
    int64_t size =
        wire_number(answer->value.data, answer->value.len, "size", 0);
    if (check_end(x, size, &problem) != 0) {
        exchange_fail(x, &problem);
    } else if (x->plan.is_tail) {
        begin_stream(x);
        follow(x, from_of(x));
    } else {
        x->follower->index = size - 1;
        read_again(x);
    }
}

/* ---- begin and end ---- */

static int take_last_id(struct exchange *x, struct problem *problem)
{
    size_t len;
    const char *text = headers_find(x->req, "last-event-id", &len);
    json_int_t index;
    x->follower->resumed = POSITION_NONE;
    if (text == NULL || len == 0)
        return 0;
    char *copy = memory_text(text, len);
    int rc = arguments_number(copy, "Last-Event-ID", 0, INT64_C(1) << 53,
                              &index, problem);
    free(copy);
    if (rc == 0)
        x->follower->resumed = index;
    return rc;
}

void follower_begin(struct exchange *x)
{
    struct problem problem;
    struct door *d = x->door;
    if (door_check_room(d, &problem) != 0) {
        exchange_fail(x, &problem);
        return;
    }
    x->follower = memory_new(sizeof(*x->follower));
    x->next_stream = d->streams;
    d->streams = x;
    d->stream_count++;
    if (take_last_id(x, &problem) != 0) {
        exchange_fail(x, &problem);
        return;
    }
    struct ate_request info = {.chain = x->chain, .method = "info"};
    x->info = calls_start(&d->calls, false, &info, told, x);
}

void follower_beat(struct exchange *x)
{
    if (x->follower->streams)
        stream_beat(&x->follower->stream);
}

void followers_look(struct door *d)
{
    for (struct exchange *x = d->streams, *next; x != NULL; x = next) {
        next = x->next_stream;
        if (x->follower->streams && web_is_left(x->req))
            stream_end(&x->follower->stream);
    }
}

void follower_end(struct exchange *x)
{
    if (x->follower->streams)
        stream_end(&x->follower->stream);
}

void follower_free(struct exchange *x)
{
    struct exchange **at = &x->door->streams;
    while (*at != x)
        at = &(*at)->next_stream;
    *at = x->next_stream;
    x->door->stream_count--;
    if (x->follower->tail != NULL)
        calls_drop(&x->door->calls, x->follower->tail);
    stream_free(&x->follower->stream);
    buffer_free(&x->follower->last);
    free(x->follower);
    x->follower = NULL;
}
