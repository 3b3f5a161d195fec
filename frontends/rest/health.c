#include "rest/health.h"

#include "ate.h"
#include "base/buffer.h"
#include "rest/calls.h"
#include "rest/door.h"
#include "rest/meters.h"

enum { READY_MS = 2000 }; /* in which the engine answers, or is not ready */

/* A question to the engine. */
struct health {
    h2o_req_t *req;
    struct door *door;
    struct call *call;
};

static void reply(h2o_req_t *req, int status, const char *reason,
                  const char *media, const char *text, size_t len)
{
    req->res.status = status;
    req->res.reason = reason;
    h2o_add_header(&req->pool, &req->res.headers, H2O_TOKEN_CONTENT_TYPE, NULL,
                   media, strlen(media));
    h2o_add_header(&req->pool, &req->res.headers, H2O_TOKEN_CACHE_CONTROL, NULL,
                   H2O_STRLIT("no-store"));
    req->res.content_length = len;
    h2o_send_inline(req, text, len);
}

static void reply_text(h2o_req_t *req, int status, const char *reason,
                       const char *text)
{
    reply(req, status, reason, "text/plain; charset=utf-8", text, strlen(text));
}

static void reply_metrics(struct door *d, h2o_req_t *req)
{
    struct buffer out = {0};
    meters_put(&d->meters, d->calls.under_way, d->stream_count, &out);
    reply(req, 200, "OK", "text/plain; version=0.0.4; charset=utf-8", out.data,
          out.len);
    buffer_free(&out);
}

static void answered(void *owner, const struct ate_answer *answer)
{
    struct health *h = owner;
    if (answer->kind != ATE_ANSWER_FINAL)
        return;
    h->call = NULL;
    if (answer->error.code == 0)
        reply_text(h->req, 200, "OK", "ready\n");
    else
        reply_text(h->req, 503, "Service Unavailable",
                   "the engine does not answer\n");
}

static void dispose(void *memory)
{
    struct health *h = memory;
    if (h->call != NULL)
        calls_drop(&h->door->calls, h->call);
}

/* The engine's thread has to answer what costs it nothing. */
static void ask_engine(struct door *d, h2o_req_t *req)
{
    struct health *h = h2o_mem_alloc_shared(&req->pool, sizeof(*h), dispose);
    struct ate_request request = {.method = "key.ls", .deadline_ms = READY_MS};
    *h = (struct health){.req = req, .door = d};
    h->call = calls_start(&d->calls, true, &request, answered, h);
}

static bool is(const h2o_req_t *req, const char *path)
{
    size_t len = req->query_at == SIZE_MAX ? req->path.len : req->query_at;
    return len == strlen(path) && memcmp(req->path.base, path, len) == 0;
}

void health_begin(struct door *d, h2o_req_t *req)
{
    bool reads =
        h2o_memis(req->method.base, req->method.len, H2O_STRLIT("GET")) ||
        h2o_memis(req->method.base, req->method.len, H2O_STRLIT("HEAD"));
    if (!reads) {
        h2o_add_header_by_str(&req->pool, &req->res.headers,
                              H2O_STRLIT("allow"), 1, NULL,
                              H2O_STRLIT("GET, HEAD"));
        reply_text(req, 405, "Method Not Allowed", "only GET and HEAD\n");
    } else if (is(req, "/healthz")) {
        reply_text(req, 200, "OK", "alive\n");
    } else if (is(req, "/metrics")) {
        reply_metrics(d, req);
    } else if (is(req, "/readyz") && d->is_stopping) {
        reply_text(req, 503, "Service Unavailable", "stopping\n");
    } else if (is(req, "/readyz")) {
        ask_engine(d, req);
    } else {
        reply_text(req, 404, "Not Found",
                   "here are /metrics, /healthz and /readyz\n");
    }
}
