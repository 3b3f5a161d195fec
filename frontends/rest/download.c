/* (1) First its size is asked for, which the headers tell; then the bytes.
 * (2) Credit is given back for what has left the process: an asker that does
 *     not read holds at most CREDIT chunks.
 * (3) Files of a chain only grow. One that ends early, or cannot be read on,
 *     breaks the connection: the asker sees fewer bytes than were promised. */
#include "rest/download.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ate.h"
#include "base/pack.h"
#include "rest/calls.h"
#include "rest/door.h"
#include "rest/exchange.h"
#include "rest/headers.h"
#include "rest/range.h"
#include "rest/stream.h"
#include "rest/wire.h"

enum { CREDIT = 4 };

struct download {
    struct stream stream;
    struct exchange *exchange;
    bool is_there;
    uint64_t size;
    struct range range;
    uint64_t left;  /* to come of it */
    uint32_t taken; /* chunks since credit was given back */
};

static void ask(struct download *d, const char *read, uint32_t credit,
                call_fn *fn)
{
    struct exchange *x = d->exchange;
    struct buffer args = {0};
    bool is_bytes = d->is_there;
    pack_put_map(&args, is_bytes ? 3 : 1);
    if (is_bytes) {
        pack_put_string(&args, "length");
        pack_put_unsigned(&args, d->range.length);
    }
    pack_put_string(&args, "name");
    pack_put_string(&args, x->plan.file);
    if (is_bytes) {
        pack_put_string(&args, "offset");
        pack_put_unsigned(&args, d->range.offset);
    }
    struct ate_request request = {
        .chain = x->chain,
        .method = read,
        .args = args.data,
        .args_len = args.len,
        .credit = credit,
        .deadline_ms = is_bytes ? 0 : x->door->limits.call_ms,
    };
    x->call = calls_start(&x->door->calls, false, &request, fn, x);
    buffer_free(&args);
}

/* ---- bytes ---- */

static void drained(void *owner)
{
    struct download *d = owner;
    struct exchange *x = d->exchange;
    if (x->call != NULL && d->taken > 0)
        calls_grant(&x->door->calls, x->call, d->taken);
    d->taken = 0;
}

static void put_chunk(struct download *d, const struct ate_bytes *value)
{
    struct pack chunk = pack_open(value->data, value->len);
    if (chunk.kind == PACK_BYTES && chunk.len <= d->left) {
        d->left -= chunk.len;
        stream_put(&d->stream, (const char *)chunk.data, chunk.len);
    }
    d->taken++;
}

static void came(void *owner, const struct ate_answer *answer)
{
    struct exchange *x = owner;
    struct download *d = x->download;
    if (answer->kind == ATE_ANSWER_DATA) {
        put_chunk(d, &answer->value);
        return;
    }
    x->call = NULL;
    if (answer->error.code == 0 && d->left == 0) {
        stream_end(&d->stream);
    } else {
        x->req->http1_is_persistent = 0; /* see (3) */
        stream_break(&d->stream);
    }
}

/* ---- headers ---- */

static void put_range(struct exchange *x, const struct download *d)
{
    char text[80];
    snprintf(text, sizeof(text), "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64,
             d->range.offset, d->range.offset + d->range.length - 1, d->size);
    exchange_header_put(x, "content-range", text);
}

/* Files grow, so nobody keeps them. */
static void put_headers(struct exchange *x)
{
    exchange_header_put(x, "accept-ranges", "bytes");
    exchange_header_put(x, "cache-control", "no-store");
}

static void reply_beyond(struct exchange *x, const struct download *d)
{
    char text[40];
    struct problem problem;
    snprintf(text, sizeof(text), "bytes */%" PRIu64, d->size);
    exchange_header_put(x, "content-range", text);
    problem_set(&problem, "RANGE_NOT_SATISFIABLE",
                "%s has %" PRIu64 " bytes, and the range begins behind them",
                x->plan.file, d->size);
    exchange_fail(x, &problem);
}

static void reply(struct exchange *x, struct download *d)
{
    static h2o_mime_attributes_t as_is = {0,
                                          H2O_MIME_ATTRIBUTE_PRIORITY_NORMAL};
    size_t len;
    /* A file has no ETag that If-Range could name: then it is the whole. */
    bool has_if = headers_find(x->req, "if-range", &len) != NULL;
    const char *header = headers_find(x->req, "range", &len);
    enum range_is is = range_take(&d->range, has_if ? NULL : header,
                                  has_if ? 0 : len, d->size);
    if (is == RANGE_BEYOND) {
        reply_beyond(x, d);
        return;
    }
    put_headers(x);
    if (is == RANGE_PART)
        put_range(x, d);
    x->req->res.status = is == RANGE_PART ? 206 : 200;
    x->req->res.reason = is == RANGE_PART ? "Partial Content" : "OK";
    x->req->res.mime_attr = &as_is;
    x->req->res.content_length = d->range.length;
    exchange_headers(x, x->plan.media);
    stream_open(&d->stream, x->req, drained, d);
    d->left = d->range.length;
    if (x->is_head || d->left == 0)
        stream_end(&d->stream);
    else
        ask(d, "file", CREDIT, came);
}

/* ---- begin and end ---- */

static void sized(void *owner, const struct ate_answer *answer)
{
    struct exchange *x = owner;
    struct download *d = x->download;
    struct problem problem;
    if (answer->kind == ATE_ANSWER_DATA) {
        d->size = (uint64_t)wire_number(answer->value.data, answer->value.len,
                                        "size", 0);
        d->is_there = true;
        return;
    }
    x->call = NULL;
    if (answer->error.code == 0 && d->is_there) {
        reply(x, d);
        return;
    }
    if (answer->error.code != 0)
        problem_of_error(&problem, &answer->error, NULL);
    else
        problem_set(&problem, "NOT_FOUND", "there is no such file");
    exchange_fail(x, &problem);
}

void download_begin(struct exchange *x)
{
    struct download *d = memory_new(sizeof(*d));
    d->exchange = x;
    x->download = d;
    ask(d, "files", 2, sized);
}

void download_free(struct download *d)
{
    if (d == NULL)
        return;
    stream_free(&d->stream);
    free(d);
}
