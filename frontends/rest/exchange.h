/* exchange: one request and its response.
 *
 * It lives in the pool of h2o's request and goes with it, whether it was
 * answered or its asker went away; what it asked of the engine is then
 * dropped. */
#ifndef FRONTENDS_REST_EXCHANGE_H
#define FRONTENDS_REST_EXCHANGE_H

#include <stdbool.h>
#include <stdint.h>

#include <h2o.h>

#include "rest/ask.h"
#include "rest/call_id.h"
#include "rest/limits.h"
#include "rest/plan.h"
#include "rest/problem.h"
#include "rest/result.h"
#include "rest/target.h"

struct ate_answer;
struct ate_error;
struct call;
struct chain_found;
struct chains_search;
struct door;
struct model;
struct follower;
struct download;

struct exchange {
    h2o_req_t *req;
    struct door *door;
    uint64_t began_ns;
    bool is_head;
    char request_id[LIMIT_REQUEST_ID + 1];
    struct ask ask;
    struct target target;
    char *headers[4]; /* copies that `ask` points to */
    char *chain;
    struct model *model;
    struct plan plan;
    struct result result;
    struct chains_search *search;
    struct call *info; /* asked for the position, or NULL */
    struct call *call;
    int64_t position;
    uint64_t generation; /* when it came */
    uint64_t key;        /* the number of that which let it in */
    bool keeps;          /* the answer is kept */
    bool has_key;        /* an Idempotency-Key */
    uint8_t call_id[CALL_ID];
    struct buffer context;     /* of a method; empty: none */
    struct follower *follower; /* of a stream */
    struct download *download; /* of a file */
    struct exchange *next_stream;
};

/* Take a request of h2o's. */
void exchange_begin(struct door *d, h2o_req_t *req);

/* Take what a search gave, and plan what is asked by the schema that it found.
 * -1: the problem. */
int exchange_plan(struct exchange *x, const struct chain_found *found,
                  const struct ate_error *error, struct problem *problem);
/* Start the plan: answers go to `fn` with the exchange as owner. The call is
 * in x->call. */
void exchange_call(struct exchange *x,
                   void (*fn)(void *owner, const struct ate_answer *answer));
/* Take an answer into x->result. 1: it was the last and all is well; 0: more
 * come; -1: the problem. */
int exchange_take(struct exchange *x, const struct ate_answer *answer,
                  struct problem *problem);

/* The ETag of an answer of `len` bytes, into `out`: a strong one is another
 * when they are sent compressed, being other bytes (RFC 9110, 8.8.3.3). */
void exchange_etag(const struct exchange *x, const char *etag,
                   const char *media, size_t len, char out[RESULT_ETAG]);
/* What If-Match and If-None-Match make of an answer to a read that has this
 * ETag. True: something else was sent, 412 or 304. */
bool exchange_judge(struct exchange *x, const char *etag);
/* Where there is no ETag, If-Match is refused. */
int exchange_refuse_match(const struct exchange *x, struct problem *problem);

/* Headers that every response has. */
void exchange_headers(struct exchange *x, const char *media);
void exchange_header_put(struct exchange *x, const char *name,
                         const char *value);
/* The end: a body, or a problem. */
void exchange_reply(struct exchange *x, int status, const char *media,
                    const char *body, size_t len);
void exchange_fail(struct exchange *x, const struct problem *problem);
#endif
