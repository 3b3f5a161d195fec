/* The way of a request: who asks, what for, of which chain (chains.c), with
 * what plan (plan.c); then one call, its answers as a body (result.c), and the
 * response. A stream goes on in follower.c.
 *
 * (1) h2o calls dispose() when the request's memory goes, in whatever state it
 *     is; nothing that was started outlives it but writes, which nobody hears
 *     of any more.
 * (2) A response is sent once: whoever sends it has no search and no call under
 *     way, or has dropped them. */
#include "rest/exchange.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <openssl/sha.h>

#include "ate.h"
#include "base/pack.h"
#include "base/whole.h"
#include "rest/arguments.h"
#include "rest/call_id.h"
#include "rest/calls.h"
#include "rest/chains.h"
#include "rest/console.h"
#include "rest/cursor.h"
#include "rest/door.h"
#include "rest/download.h"
#include "rest/follower.h"
#include "rest/headers.h"
#include "rest/model.h"
#include "rest/node_paths.h"
#include "rest/origins.h"
#include "rest/wire.h"

static h2o_mime_attributes_t compressible = {
    1, H2O_MIME_ATTRIBUTE_PRIORITY_NORMAL};
static h2o_mime_attributes_t as_is = {0, H2O_MIME_ATTRIBUTE_PRIORITY_NORMAL};

/* ---- headers ---- */

void exchange_header_put(struct exchange *x, const char *name,
                         const char *value)
{
    headers_put(x->req, name, value);
}

static void put(void *ctx, const char *name, const char *value)
{
    exchange_header_put(ctx, name, value);
}

void exchange_headers(struct exchange *x, const char *media)
{
    if (media != NULL)
        exchange_header_put(x, "content-type", media);
    exchange_header_put(x, "x-request-id", x->request_id);
    exchange_header_put(x, "x-content-type-options", "nosniff");
    size_t len;
    const char *origin = headers_find(x->req, "origin", &len);
    origins_tell(x->door->origins, origin, len, put, x);
    if (x->door->is_stopping)
        x->req->http1_is_persistent = 0;
}

/* Theirs if it can be told again, else one of this run. */
static void take_request_id(struct exchange *x)
{
    size_t len;
    const char *given = headers_find(x->req, "x-request-id", &len);
    bool good = given != NULL && len > 0 && len <= LIMIT_REQUEST_ID;
    for (size_t i = 0; good && i < len; i++)
        good = given[i] > ' ' && given[i] < 0x7f && given[i] != '"';
    if (good)
        snprintf(x->request_id, sizeof(x->request_id), "%.*s", (int)len, given);
    else
        snprintf(x->request_id, sizeof(x->request_id), "%s-%llu",
                 x->door->id_prefix, (unsigned long long)++x->door->next_id);
}

/* ---- responses ---- */

static bool is_bytes(const char *media)
{
    return media != NULL && strcmp(media, "application/octet-stream") == 0;
}

void exchange_reply(struct exchange *x, int status, const char *media,
                    const char *body, size_t len)
{
    h2o_req_t *req = x->req;
    static h2o_generator_t generator = {NULL, NULL};
    req->res.status = status;
    req->res.reason = status == 200   ? "OK"
                      : status == 201 ? "Created"
                      : status == 204 ? "No Content"
                      : status == 302 ? "Found"
                      : status == 304 ? "Not Modified"
                                      : "Problem";
    req->res.mime_attr = is_bytes(media) ? &as_is : &compressible;
    exchange_headers(x, media);
    bool has_body = status != 204 && status != 304;
    if (has_body)
        req->res.content_length = len;
    if (x->is_head)
        req->compress_hint = H2O_COMPRESS_HINT_DISABLE;
    h2o_iovec_t bytes = h2o_strdup(&req->pool, body, has_body ? len : 0);
    h2o_start_response(req, &generator);
    h2o_send(req, &bytes, has_body && !x->is_head && len > 0 ? 1 : 0,
             H2O_SEND_STATE_FINAL);
}

static void put_allow(struct exchange *x)
{
    char allowed[80];
    verbs_text(x->plan.verbs, allowed, sizeof(allowed));
    exchange_header_put(x, "allow", allowed);
}

void exchange_fail(struct exchange *x, const struct problem *problem)
{
    struct buffer body = {0};
    if (problem->status == 405)
        put_allow(x);
    if (problem->status == 401)
        exchange_header_put(x, "www-authenticate", "Bearer realm=\"ate\"");
    if (problem->status == 503 || problem->status == 429)
        exchange_header_put(x, "retry-after", "1");
    exchange_header_put(x, "cache-control", "no-store");
    problem_put(problem, x->request_id, &body);
    exchange_reply(x, problem->status, "application/problem+json", body.data,
                   body.len);
    buffer_free(&body);
}

/* ---- the answer ---- */

/* What HTTP calls otherwise than the engine does; NULL: nothing. */
static const char *http_name(const struct exchange *x,
                             const struct ate_error *error)
{
    if (error->code == ATE_CONFLICT && x->has_key &&
        strcmp(error->reason, "call_id_used") == 0)
        return "KEY_REUSED";
    bool failed = (error->code == ATE_CONFLICT && x->plan.creates_alone) ||
                  (error->code == ATE_STALE && x->plan.is_based);
    return failed ? "PRECONDITION_FAILED" : NULL;
}

int exchange_take(struct exchange *x, const struct ate_answer *answer,
                  struct problem *problem)
{
    const struct ate_bytes *value = &answer->value;
    if (answer->kind == ATE_ANSWER_DATA) {
        result_row(&x->result, value->data, value->len);
        return 0;
    }
    x->call = NULL;
    if (answer->error.code != 0) {
        const char *name = http_name(x, &answer->error);
        problem_of_error(problem, &answer->error, x->plan.place);
        if (name != NULL)
            problem_set(problem, name, "%s", answer->error.text);
        if (answer->error.code == ATE_NOT_FOUND && x->plan.resumes != NULL)
            arguments_behind(x->plan.resumed, x->plan.resumes, problem);
        if (answer->error.code == ATE_STALE && !x->plan.is_based)
            chains_forget(&x->door->chains, x->chain); /* another schema */
        return -1;
    }
    if (!result_end(&x->result, value->data, value->len))
        return problem_set(problem, "NOT_FOUND",
                           "there is no such transaction");
    return 1;
}

/* Is one of the ETags of If-None-Match this one? */
static bool is_known(const struct exchange *x, const char *etag)
{
    size_t len;
    const char *given = headers_find(x->req, "if-none-match", &len);
    return x->ask.verb == VERB_GET && len > 0 && etag[0] != '\0' &&
           headers_have_etag(given, len, etag, false);
}

/* Does If-Match want another than this? */
static bool is_another(const struct exchange *x, const char *etag)
{
    size_t len;
    const char *given = headers_find(x->req, "if-match", &len);
    return len > 0 && !headers_have_etag(given, len, etag, true);
}

/* Does the parameter at `at` say where the page begins? A view's column may be
 * called `after`, too. */
static bool is_place(const struct exchange *x, const char *at, size_t len)
{
    return (len >= 7 && memcmp(at, "cursor=", 7) == 0) ||
           (x->plan.is_tail && len >= 6 && memcmp(at, "after=", 6) == 0);
}

static void link_next(const struct exchange *x, struct buffer *link)
{
    const h2o_req_t *req = x->req;
    size_t path = req->query_at == SIZE_MAX ? req->path.len : req->query_at;
    const char *at = req->path.base + path;
    const char *end = req->path.base + req->path.len;
    buffer_byte(link, '<');
    buffer_put(link, req->path.base, path);
    buffer_text(link, "?cursor=");
    buffer_put(link, x->result.next.data, x->result.next.len);
    for (at += at < end; at < end;) {
        const char *amp = memchr(at, '&', (size_t)(end - at));
        size_t len = (size_t)((amp != NULL ? amp : end) - at);
        if (len > 0 && !is_place(x, at, len)) {
            buffer_byte(link, '&');
            buffer_put(link, at, len);
        }
        at += len + 1;
    }
    buffer_text(link, ">; rel=\"next\"");
}

static void put_location(struct exchange *x)
{
    struct buffer location = {0};
    buffer_text(&location, "/v1/");
    path_put_key(&location, x->chain, strlen(x->chain));
    buffer_printf(&location, "/types/%s/", x->plan.type);
    buffer_put(&location, x->result.key.data, x->result.key.len);
    exchange_header_put(x, "location", buffer_string(&location));
    buffer_free(&location);
}

static bool prefers_little(const struct exchange *x)
{
    char value[16];
    return headers_prefer(x->req, "return", value, sizeof(value)) &&
           strcmp(value, "minimal") == 0;
}

static void fail_match(struct exchange *x)
{
    struct problem problem;
    problem_set(&problem, "PRECONDITION_FAILED",
                "what is there has none of the ETags of If-Match");
    exchange_fail(x, &problem);
}

/* As h2o decides it, when it is sent. */
static bool is_compressed(const struct exchange *x, const char *media,
                          size_t len)
{
    return !x->is_head && x->req->version >= 0x101 && !is_bytes(media) &&
           len >= GZIP_FROM &&
           (h2o_get_compressible_types(&x->req->headers) &
            H2O_COMPRESSIBLE_GZIP) != 0;
}

void exchange_etag(const struct exchange *x, const char *etag,
                   const char *media, size_t len, char out[RESULT_ETAG])
{
    size_t end = strlen(etag);
    bool is_strong = end > 0 && etag[0] == '"';
    if (is_strong && is_compressed(x, media, len))
        snprintf(out, RESULT_ETAG, "%.*s-gzip\"", (int)end - 1, etag);
    else
        snprintf(out, RESULT_ETAG, "%s", etag);
}

bool exchange_judge(struct exchange *x, const char *etag)
{
    if (is_another(x, etag))
        fail_match(x);
    else if (is_known(x, etag))
        exchange_reply(x, 304, NULL, "", 0);
    else
        return false;
    return true;
}

int exchange_refuse_match(const struct exchange *x, struct problem *problem)
{
    if (x->ask.if_match[0] == '\0')
        return 0;
    return problem_field(problem, "If-Match",
                         "what this is has no ETag; leave If-Match out");
}

static void reply_page(struct exchange *x, const struct kept_page *page)
{
    char etag[RESULT_ETAG];
    const char *media =
        x->plan.media != NULL ? x->plan.media : "application/json";
    exchange_etag(x, page->etag, media, page->body.len, etag);
    if (etag[0] != '\0')
        exchange_header_put(x, "etag", etag);
    /* A tile that is full never changes, and one that is not neither: another
     * width is another address. */
    exchange_header_put(x, "cache-control",
                        x->plan.shape == SHAPE_BYTES
                            ? "private, max-age=31536000, immutable"
                            : "private, no-cache");
    exchange_header_put(x, "vary", "Accept, Authorization");
    if (page->link.len > 0)
        exchange_header_put(x, "link", buffer_string(&page->link));
    if (!exchange_judge(x, etag))
        exchange_reply(x, 200, media, page->body.data, page->body.len);
}

static void reply_read(struct exchange *x)
{
    const struct result *r = &x->result;
    struct kept_page page = {.generation = x->generation, .body = r->body};
    memcpy(page.etag, r->etag, sizeof(page.etag));
    if (r->next.len > 0)
        link_next(x, &page.link);
    bool is_whole = !x->plan.wants_position || x->plan.has_after ||
                    r->position != POSITION_NONE;
    if (x->keeps && is_whole)
        kept_put(&x->door->kept, x->req, uv_now(&x->door->loop), &page);
    reply_page(x, &page);
    buffer_free(&page.link);
}

/* The same was asked before, and nothing changed since. */
static bool reply_kept(struct exchange *x)
{
    struct kept *kept = &x->door->kept;
    if (x->ask.verb != VERB_GET)
        return false;
    h2o_cache_ref_t *ref =
        kept_find(kept, x->req, uv_now(&x->door->loop), x->generation);
    if (ref == NULL)
        return false;
    x->door->meters.kept++;
    reply_page(x, kept_page(ref));
    kept_release(kept, ref);
    return true;
}

static void reply_write(struct exchange *x)
{
    const struct result *r = &x->result;
    exchange_header_put(x, "cache-control", "no-store");
    if (x->plan.is_create)
        put_location(x);
    if (prefers_little(x)) {
        exchange_header_put(x, "preference-applied", "return=minimal");
        exchange_reply(x, 204, NULL, "", 0);
        return;
    }
    exchange_reply(x, x->plan.is_create ? 201 : 200, "application/json",
                   r->body.data, r->body.len);
}

static void answered(void *owner, const struct ate_answer *answer)
{
    struct exchange *x = owner;
    struct problem problem;
    int rc = exchange_take(x, answer, &problem);
    if (rc < 0)
        exchange_fail(x, &problem);
    else if (rc > 0 && x->plan.is_write)
        reply_write(x);
    else if (rc > 0)
        reply_read(x);
}

/* ---- the call ---- */

/* As of ate_request: NULL when it is not said. The request's. */
static const char *said(const struct exchange *x, const char *header)
{
    size_t len;
    const char *text = headers_find(x->req, header, &len);
    return text != NULL ? h2o_strdup(&x->req->pool, text, len).base : NULL;
}

/* Idempotency-Key: a text, in quotes or without. */
static int take_key(struct exchange *x, struct problem *problem)
{
    size_t len;
    const char *key = headers_find(x->req, "idempotency-key", &len);
    if (key == NULL || !x->plan.is_write)
        return 0;
    x->has_key = true;
    return call_id_take(key, len, said(x, "ate-as"), said(x, "ate-act-for"),
                        x->call_id, problem);
}

/* Ate-Context: what a method may know. Who sends it with every request means
 * methods alone. */
static int take_context(struct exchange *x, struct problem *problem)
{
    size_t len;
    const char *text = headers_find(x->req, "ate-context", &len);
    if (text == NULL || !x->plan.is_call)
        return 0;
    return arguments_context(text, len, &x->context, problem);
}

/* Prefer: wait=5 */
static uint32_t deadline_of(const struct exchange *x)
{
    uint32_t most = x->door->limits.call_ms;
    char value[24];
    int64_t seconds = 0;
    if (!headers_prefer(x->req, "wait", value, sizeof(value)) ||
        !whole_text(value, strlen(value), &seconds) || seconds <= 0 ||
        seconds >= most / 1000)
        return most;
    return (uint32_t)seconds * 1000;
}

/* A method that reads is asked to read, so that it writes nothing even if it
 * has come to write since it was planned. */
static void ask_to_read(const struct plan *p, struct ate_request *request,
                        struct buffer *args)
{
    pack_put_map(args, 2);
    pack_put_string(args, "method");
    pack_put_string(args, p->method);
    pack_put_string(args, "args");
    buffer_put(args, p->args.data, p->args.len);
    request->method = "call";
    request->args = args->data;
    request->args_len = args->len;
}

void exchange_call(struct exchange *x,
                   void (*fn)(void *owner, const struct ate_answer *answer))
{
    struct buffer args = {0};
    struct ate_request request = {
        .chain = x->chain,
        .method = x->plan.method,
        .args = x->plan.args.data,
        .args_len = x->plan.args.len,
        .context = x->context.data,
        .context_len = x->context.len,
        .as = said(x, "ate-as"),
        .act_for = said(x, "ate-act-for"),
        .call_id = x->has_key ? x->call_id : NULL,
        .credit = PAGE_MOST + 2,
        .deadline_ms = deadline_of(x),
    };
    if (x->plan.is_call && !x->plan.is_write)
        ask_to_read(&x->plan, &request, &args);
    /* Of a stream its events' ids say it, and rows alone make a change. */
    result_begin(&x->result, &x->plan, x->follower != NULL ? -1 : x->position);
    x->call = calls_start(&x->door->calls, x->plan.is_write, &request, fn, x);
    buffer_free(&args);
}

/* The size of the log before a page is read: what comes after it is in the
 * events that follow. */
static void told_size(void *owner, const struct ate_answer *answer)
{
    struct exchange *x = owner;
    if (answer->kind != ATE_ANSWER_FINAL)
        return;
    x->info = NULL;
    if (answer->error.code != 0)
        return;
    int64_t size =
        wire_number(answer->value.data, answer->value.len, "size", 0);
    x->result.position = x->position = size - 1;
}

static void start(struct exchange *x)
{
    struct ate_request info = {.chain = x->chain, .method = "info"};
    x->position = x->plan.position;
    if (x->plan.wants_position && !x->plan.has_after)
        x->info = calls_start(&x->door->calls, false, &info, told_size, x);
    exchange_call(x, answered);
}

/* ---- who asks, and what ---- */

static bool has_bearer(const struct exchange *x)
{
    size_t len;
    const char *text = headers_find(x->req, "authorization", &len);
    return text != NULL &&
           bearer_opens(&x->door->bearer, text, len, uv_now(&x->door->loop));
}

static int refuse_bearer(const struct exchange *x, struct problem *problem)
{
    size_t len;
    const char *text = headers_find(x->req, "authorization", &len);
    return problem_set(problem, "UNAUTHORIZED", "%s",
                       text == NULL
                           ? "send 'Authorization: Bearer KEY'; ate key bearer "
                             "prints the key of this node"
                           : "the key is not this node's; ate key bearer "
                             "prints it");
}

/* What a page of another origin may do, before it does. */
static bool reply_preflight(struct exchange *x)
{
    size_t len;
    if (x->ask.verb != VERB_OPTIONS ||
        headers_find(x->req, "access-control-request-method", &len) == NULL)
        return false;
    const char *origin = headers_find(x->req, "origin", &len);
    if (origin == NULL || headers_repeat(x->req, "origin") ||
        !door_takes_origin(x->door, origin, len))
        return false;
    exchange_header_put(x, "access-control-allow-methods",
                        "GET, HEAD, POST, PUT, PATCH, DELETE");
    exchange_header_put(
        x, "access-control-allow-headers",
        "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match,"
        " Last-Event-ID, Prefer, Range, X-Request-Id, Ate-As, Ate-Act-For,"
        " Ate-Context");
    exchange_header_put(x, "access-control-max-age", "600");
    exchange_reply(x, 204, NULL, "", 0);
    return true;
}

/* OPTIONS *: of the server as a whole (RFC 9110, 9.3.7). */
static bool reply_options(struct exchange *x)
{
    if (x->ask.verb != VERB_OPTIONS ||
        !h2o_memis(x->req->path.base, x->req->path.len, H2O_STRLIT("*")))
        return false;
    x->plan.verbs = VERB_ALL;
    put_allow(x);
    exchange_reply(x, 204, NULL, "", 0);
    return true;
}

static bool wants_stream(const struct exchange *x)
{
    return x->ask.verb == VERB_GET && !x->is_head &&
           x->plan.shape != SHAPE_HERE && x->plan.shape != SHAPE_FILE &&
           accepts_by_name(x->ask.accept, "text/event-stream");
}

/* May what a read gives be kept, and given to who asks the same? Its plan came
 * of the model, which was right when it was found; another schema makes another
 * generation. */
static bool keeps(const struct exchange *x)
{
    return x->plan.keeps && x->ask.verb == VERB_GET && !x->is_head;
}

/* What comes in pieces has no ETag that could be compared before. */
static void begin_pieces(struct exchange *x)
{
    struct problem problem;
    if (exchange_refuse_match(x, &problem) != 0) {
        exchange_fail(x, &problem);
    } else if (wants_stream(x)) {
        follower_begin(x);
    } else {
        download_begin(x);
    }
}

int exchange_plan(struct exchange *x, const struct chain_found *found,
                  const struct ate_error *error, struct problem *problem)
{
    x->search = NULL;
    if (found == NULL) {
        problem_of_error(problem, error, NULL);
        return -1;
    }
    free(x->chain);
    x->chain = memory_text(found->name, strlen(found->name));
    plan_free(&x->plan);
    model_unref(x->model);
    x->model = model_ref(found->model);
    x->ask.chain = x->chain;
    x->ask.first = found->first;
    return plan_make(&x->plan, x->model, &x->ask, problem);
}

/* The chain is found, or not. */
static void found(void *owner, const struct chain_found *found,
                  const struct ate_error *error)
{
    struct exchange *x = owner;
    struct problem problem;
    bool is_good = exchange_plan(x, found, error, &problem) == 0 &&
                   take_key(x, &problem) == 0 && take_context(x, &problem) == 0;
    x->keeps = is_good && keeps(x);
    if (!is_good) {
        if (x->ask.verb == VERB_OPTIONS && problem.status == 405) {
            put_allow(x);
            exchange_reply(x, 204, NULL, "", 0);
        } else {
            exchange_fail(x, &problem);
        }
    } else if (wants_stream(x) || x->plan.shape == SHAPE_FILE) {
        begin_pieces(x);
    } else if (x->plan.shape == SHAPE_HERE) {
        x->result.plan = &x->plan;
        buffer_put(&x->result.body, x->plan.body.data, x->plan.body.len);
        reply_read(x);
    } else {
        start(x);
    }
}

static int take_verb(struct exchange *x, struct problem *problem)
{
    const h2o_iovec_t *method = &x->req->method;
    x->is_head = h2o_memis(method->base, method->len, H2O_STRLIT("HEAD"));
    x->ask.verb = verb_of(method->base, method->len);
    if (x->ask.verb != 0)
        return 0;
    x->plan.verbs = VERB_ALL;
    return problem_set(
        problem, "METHOD_NOT_ALLOWED", "there is no method '%.*s' here",
        (int)(method->len < 20 ? method->len : 20), method->base);
}

static void take_headers(struct exchange *x)
{
    static const char *const names[] = {"content-type", "accept", "if-match",
                                        "if-none-match"};
    for (size_t i = 0; i < 4; i++)
        x->headers[i] = headers_copy(x->req, names[i]);
    x->ask.content_type = x->headers[0];
    x->ask.accept = x->headers[1];
    x->ask.if_match = x->headers[2];
    x->ask.if_none_match = x->headers[3];
    x->ask.target = &x->target;
    x->ask.body = x->req->entity.base;
    x->ask.body_len = x->req->entity.len;
}

static int take(struct exchange *x, struct problem *problem)
{
    take_headers(x);
    return target_parse(&x->target, x->req->path.base, x->req->path.len,
                        problem);
}

static void dispose(void *memory)
{
    struct exchange *x = memory;
    struct calls *calls = &x->door->calls;
    if (x->search != NULL)
        chains_stop(x->search);
    if (x->info != NULL)
        calls_drop(calls, x->info);
    if (x->call != NULL)
        calls_drop(calls, x->call);
    if (x->follower != NULL)
        follower_free(x);
    download_free(x->download);
    meters_request(&x->door->meters, x->req->res.status,
                   uv_hrtime() - x->began_ns);
    for (size_t i = 0; i < 4; i++)
        free(x->headers[i]);
    free(x->chain);
    buffer_free(&x->context);
    plan_free(&x->plan);
    result_free(&x->result);
    target_free(&x->target);
    model_unref(x->model);
}

void exchange_begin(struct door *d, h2o_req_t *req)
{
    struct problem problem;
    struct exchange *x = h2o_mem_alloc_shared(&req->pool, sizeof(*x), dispose);
    *x = (struct exchange){
        .req = req, .door = d, .began_ns = uv_hrtime(), .position = -1};
    take_request_id(x);
    x->generation = ate_generation(d->ate);
    int rc = take_verb(x, &problem);
    if (rc == 0 && reply_preflight(x)) /* also of what will be a problem */
        return;
    if (rc == 0)
        rc = headers_check(req, &problem);
    if (rc == 0 && reply_options(x))
        return;
    bool is_let_in = rc == 0 && has_bearer(x);
    x->key = d->bearer.number;
    if (is_let_in && reply_kept(x))
        return;
    if (rc == 0)
        rc = take(x, &problem);
    if (rc == 0 && console_is_asked(x)) {
        console_reply(x);
        return;
    }
    if (rc == 0 && node_path_is_open(x)) {
        node_path_reply(x);
        return;
    }
    if (rc == 0 && !is_let_in)
        rc = refuse_bearer(x, &problem);
    if (rc != 0)
        exchange_fail(x, &problem);
    else if (node_path_is_own(x))
        node_path_reply(x);
    else
        x->search = chains_find(&d->chains, &x->target, 1, found, x);
}
