/* result: what the engine answers to a plan, put together as the body of a
 * response. It knows no socket. */
#ifndef FRONTENDS_REST_RESULT_H
#define FRONTENDS_REST_RESULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"

struct plan;

enum { RESULT_ETAG = 80 };

struct result {
    const struct plan *plan;
    struct buffer body;
    struct buffer next;  /* the cursor of the next page, or empty */
    struct buffer after; /* JSON that it will be made of */
    struct buffer key;   /* of what was made, as a path has it */
    size_t rows;
    bool has_more;
    int64_t position;
    char etag[RESULT_ETAG]; /* with its quotes, or "" */
};

/* For one run of a plan, which it outlives. */
void result_begin(struct result *r, const struct plan *plan, int64_t position);
void result_free(struct result *r); /* safe twice */

void result_row(struct result *r, const void *msgpack, size_t len);
/* The end. False: there is no such row. */
bool result_end(struct result *r, const void *msgpack, size_t len);

/* Append a key with its segments encoded, and the slashes between them. */
void path_put_key(struct buffer *out, const char *key, size_t len);
#endif
