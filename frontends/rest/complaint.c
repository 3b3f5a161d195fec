/* Where h2o has read a head, what it says of it passes through filters, and is
 * exchanged here. */
#include "rest/complaint.h"

#include "base/buffer.h"
#include "rest/headers.h"
#include "rest/origins.h"
#include "rest/problem.h"

struct filter {
    h2o_filter_t super;
    const char *too_large;
    const char *origins;
};

struct problem_stream {
    h2o_ostream_t super;
    h2o_iovec_t body;
};

void complaint_put(int status, const char *why, struct buffer *out)
{
    struct problem p;
    const char *name = status == 413   ? "TOO_LARGE"
                       : status == 408 ? "TIMEOUT"
                       : status == 401 ? "UNAUTHORIZED"
                       : status == 503 ? "UNAVAILABLE"
                       : status >= 500 ? "IO"
                                       : "INVALID";
    problem_set(&p, name, "%s", why);
    p.status = status;
    problem_put(&p, NULL, out);
}

static void send_problem(h2o_ostream_t *self, h2o_req_t *req, h2o_iovec_t *bufs,
                         size_t count, h2o_send_state_t state)
{
    struct problem_stream *s = (struct problem_stream *)self;
    bool is_head = h2o_memis(req->input.method.base, req->input.method.len,
                             H2O_STRLIT("HEAD"));
    (void)bufs;
    (void)count;
    bool sends = state == H2O_SEND_STATE_FINAL && !is_head;
    h2o_ostream_send_next(self, req, &s->body, sends ? 1 : 0, state);
}

static bool is_own(h2o_req_t *req)
{
    ssize_t at =
        h2o_find_header(&req->res.headers, H2O_TOKEN_CONTENT_TYPE, SIZE_MAX);
    return req->res.status < 400 ||
           (at != -1 && h2o_memis(req->res.headers.entries[at].value.base,
                                  req->res.headers.entries[at].value.len,
                                  H2O_STRLIT("application/problem+json")));
}

/* What h2o says of a head that it has read. */
static const char *why_not(const struct filter *f, int status)
{
    switch (status) {
    case 400:
        return "Content-Length is no number, Transfer-Encoding is not "
               "'chunked', or a chunk is malformed";
    case 413:
        return f->too_large;
    case 417:
        return "Expect takes '100-continue' alone";
    default:
        return "the request is no HTTP/1.1 that is understood here";
    }
}

static void put(void *ctx, const char *name, const char *value)
{
    headers_put(ctx, name, value);
}

void complaint_tell_origin(h2o_req_t *req, const char *origins)
{
    size_t len;
    const char *origin = headers_find(req, "origin", &len);
    origins_tell(origins, origin, len, put, req);
}

static void make_problem(h2o_filter_t *self, h2o_req_t *req,
                         h2o_ostream_t **slot)
{
    struct buffer text = {0};
    const struct filter *f = (struct filter *)self;
    if (!is_own(req)) {
        complaint_put(req->res.status, why_not(f, req->res.status), &text);
        struct problem_stream *s =
            (struct problem_stream *)h2o_add_ostream(req, sizeof(*s), slot);
        s->super.do_send = send_problem;
        s->body = h2o_strdup(&req->pool, text.data, text.len);
        h2o_set_header(&req->pool, &req->res.headers, H2O_TOKEN_CONTENT_TYPE,
                       H2O_STRLIT("application/problem+json"), 1);
        complaint_tell_origin(req, f->origins);
        req->res.content_length = text.len;
        buffer_free(&text);
        slot = &s->super.next;
    }
    h2o_setup_next_ostream(req, slot);
}

void complaint_filter(h2o_pathconf_t *path, const char *too_large,
                      const char *origins)
{
    struct filter *f = (struct filter *)h2o_create_filter(path, sizeof(*f));
    f->super.on_setup_ostream = make_problem;
    f->too_large = too_large;
    f->origins = origins;
}
