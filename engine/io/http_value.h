/* http_value: what goes out over HTTP, from a request of a worker, and what it
 * is told of the answer (http.h has both maps). Bytes only: no network. */
#ifndef ATE_IO_HTTP_VALUE_H
#define ATE_IO_HTTP_VALUE_H

#include "base/bytes.h"
#include "node/service.h"

struct err;

/* A request as it is sent. Texts end with a zero. */
struct http_request {
    struct buf method;
    struct buf url;
    struct buf headers; /* "name: value\0" each */
    struct buf body;
    bool has_body;
    long timeout_s;
};

/* `key` goes with it as Idempotency-Key. `r` holds copies, and is to be
 * deinited whatever came of it. Errors: INVALID, LIMIT. */
int http_request_get(struct bytes map, const uint8_t key[SERVICE_KEY_SIZE],
                     struct http_request *r, struct err *err);
void http_request_deinit(struct http_request *r); /* safe twice */
/* Add headers, an encoded map of texts by name, or nothing (len 0); one of that
 * name is replaced. Errors: INVALID. */
int http_request_headers(struct http_request *r, struct bytes headers,
                         struct err *err);

/* Append the map. `headers`: the lines of the last block, as they came. */
void http_answer_put(struct buf *out, long status, struct bytes headers,
                     struct bytes body);
/* The value of a header in such lines, borrowed of them; len 0: it is not
 * there. `name` in small or large letters. */
struct bytes http_header_find(struct bytes headers, const char *name);
#endif
