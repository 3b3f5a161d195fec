/* (1) The page alone, at /console/, may change under its address; it names the
 *     other files by the hash of all of them, so those never change.
 * (2) The policy allows scripts and styles of this origin and nothing inline,
 *     and requests to this origin alone: what a chain holds is text to the
 *     page, and if it were not, it could tell nobody. */
#include "rest/console.h"

#include <string.h>

#include "rest/exchange.h"
#include "rest/problem.h"

static const char policy[] =
    "default-src 'none'; script-src 'self'; style-src 'self'; "
    "connect-src 'self'; img-src 'self'; worker-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

static bool is_first(const struct exchange *x, const char *name)
{
    return x->target.segment_count > 0 &&
           strcmp(x->target.segments[0], name) == 0;
}

bool console_is_asked(const struct exchange *x)
{
    if (x->target.segment_count == 0)
        return accepts_by_name(x->ask.accept, "text/html");
    return is_first(x, "console");
}

static void reply_empty(struct exchange *x, int status)
{
    exchange_reply(x, status, NULL, "", 0);
}

static void redirect(struct exchange *x)
{
    exchange_header_put(x, "location", "/console/");
    exchange_header_put(x, "cache-control", "no-cache");
    reply_empty(x, 302);
}

/* The path behind /console/, or NULL: there is not even that slash. */
static const char *path_of(const struct exchange *x, size_t *len)
{
    static const char root[] = "/console/";
    const h2o_req_t *req = x->req;
    size_t all = req->query_at == SIZE_MAX ? req->path.len : req->query_at;
    if (all < sizeof(root) - 1 ||
        memcmp(req->path.base, root, sizeof(root) - 1) != 0)
        return NULL;
    *len = all - (sizeof(root) - 1);
    return req->path.base + sizeof(root) - 1;
}

static const struct console_file *find(const char *path, size_t len)
{
    for (size_t i = 0; i < console_file_count; i++)
        if (strlen(console_files[i].path) == len &&
            memcmp(console_files[i].path, path, len) == 0)
            return &console_files[i];
    return NULL;
}

static void put_headers(struct exchange *x, const struct console_file *file,
                        const char *etag)
{
    bool is_page = file->path[0] == '\0'; /* see (1) */
    exchange_header_put(x, "content-security-policy", policy);
    exchange_header_put(x, "referrer-policy", "no-referrer");
    exchange_header_put(x, "cross-origin-opener-policy", "same-origin");
    exchange_header_put(x, "cross-origin-resource-policy", "same-origin");
    exchange_header_put(x, "etag", etag);
    exchange_header_put(x, "cache-control",
                        is_page ? "no-cache"
                                : "public, max-age=31536000, immutable");
}

static void reply_file(struct exchange *x, const struct console_file *file)
{
    char etag[RESULT_ETAG];
    exchange_etag(x, file->etag, file->media, file->len, etag);
    put_headers(x, file, etag);
    if (!exchange_judge(x, etag))
        exchange_reply(x, 200, file->media, file->data, file->len);
}

void console_reply(struct exchange *x)
{
    struct problem problem;
    size_t len = 0;
    const char *path = path_of(x, &len);
    x->plan.verbs = VERB_GET;
    if (x->ask.verb != VERB_GET) {
        problem_set(&problem, "METHOD_NOT_ALLOWED",
                    "the console's files have GET and HEAD");
        exchange_fail(x, &problem);
        return;
    }
    if (path == NULL) {
        redirect(x);
        return;
    }
    const struct console_file *file = find(path, len);
    if (file != NULL) {
        reply_file(x, file);
        return;
    }
    problem_set(&problem, "NOT_FOUND",
                "the console has no such file; it "
                "begins at /console/");
    exchange_fail(x, &problem);
}
