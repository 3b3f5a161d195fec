#include "rest/node_paths.h"

#include <stdlib.h>
#include <string.h>

#include "ate.h"
#include "rest/calls.h"
#include "rest/door.h"
#include "rest/exchange.h"
#include "rest/openapi.h"
#include "rest/peer.h"
#include "rest/wire.h"

static bool is(const struct exchange *x, size_t count, const char *first)
{
    return x->target.segment_count == count &&
           strcmp(x->target.segments[0], first) == 0;
}

bool node_path_is_open(const struct exchange *x)
{
    return is(x, 2, "problems") || is(x, 1, "ws");
}

bool node_path_is_own(const struct exchange *x)
{
    const struct target *t = &x->target;
    return t->segment_count < 2 || strcmp(t->segments[0], "v1") != 0;
}

/* Only GET here. False: it was refused. */
static bool may_get(struct exchange *x)
{
    struct problem problem;
    x->plan.verbs = VERB_GET;
    if (x->ask.verb == VERB_GET) {
        if (exchange_refuse_match(x, &problem) == 0)
            return true;
        exchange_fail(x, &problem);
        return false;
    }
    if (x->ask.verb == VERB_OPTIONS) {
        exchange_header_put(x, "allow", "GET, HEAD, OPTIONS");
        exchange_reply(x, 204, NULL, "", 0);
        return false;
    }
    problem_set(&problem, "METHOD_NOT_ALLOWED",
                "this resource has GET, HEAD, OPTIONS");
    exchange_fail(x, &problem);
    return false;
}

static void reply_problem(struct exchange *x)
{
    const char *name = x->target.segments[1];
    struct problem problem;
    struct buffer body = {0};
    int status;
    const char *title = problem_meaning(name, &status);
    if (!may_get(x))
        return;
    if (title == NULL) {
        problem_set(&problem, "NOT_FOUND", "there is no code '%.100s'", name);
        exchange_fail(x, &problem);
        return;
    }
    buffer_printf(&body, "{\"code\":\"%s\",\"title\":\"%s\",\"status\":%d}",
                  name, title, status);
    exchange_reply(x, 200, "application/json", body.data, body.len);
    buffer_free(&body);
}

static void reply_openapi(struct exchange *x)
{
    struct buffer body = {0};
    if (!may_get(x))
        return;
    openapi_put_node(&body);
    exchange_reply(x, 200, "application/json", body.data, body.len);
    buffer_free(&body);
}

static void listed(void *owner, const struct ate_answer *answer)
{
    struct exchange *x = owner;
    struct problem problem;
    struct buffer body = {0};
    if (answer->kind != ATE_ANSWER_FINAL)
        return;
    x->call = NULL;
    if (answer->error.code != 0) {
        problem_of_error(&problem, &answer->error, NULL);
        exchange_fail(x, &problem);
        return;
    }
    buffer_text(&body, "{\"items\":");
    wire_put_json(&body, answer->value.data, answer->value.len);
    buffer_text(&body, ",\"next\":null}");
    exchange_header_put(x, "cache-control", "private, no-cache");
    exchange_reply(x, 200, "application/json", body.data, body.len);
    buffer_free(&body);
}

static void reply_chains(struct exchange *x)
{
    struct ate_request request = {.method = "chain.ls",
                                  .deadline_ms = x->door->limits.call_ms};
    if (may_get(x))
        x->call = calls_start(&x->door->calls, true, &request, listed, x);
}

/* The same as at the socket of --metrics. */
static void reply_metrics(struct exchange *x)
{
    struct buffer out = {0};
    struct door *d = x->door;
    if (!may_get(x))
        return;
    meters_put(&d->meters, d->calls.under_way, d->stream_count, &out);
    exchange_header_put(x, "cache-control", "no-store");
    exchange_reply(x, 200, "text/plain; version=0.0.4; charset=utf-8", out.data,
                   out.len);
    buffer_free(&out);
}

void node_path_reply(struct exchange *x)
{
    struct problem problem;
    if (is(x, 2, "problems"))
        reply_problem(x);
    else if (is(x, 1, "ws"))
        peer_begin(x);
    else if (is(x, 1, "openapi.json"))
        reply_openapi(x);
    else if (is(x, 1, "metrics"))
        reply_metrics(x);
    else if (is(x, 1, "v1"))
        reply_chains(x);
    else {
        problem_set(&problem, "NOT_FOUND",
                    "paths here begin with /v1/CHAIN; "
                    "/openapi.json describes them, /v1 lists the chains");
        exchange_fail(x, &problem);
    }
}
