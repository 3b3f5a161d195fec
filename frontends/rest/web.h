/* web: one HTTP/1.1 server of h2o's on a loop: its address, its connections and
 * what bounds them. It does not know what is asked.
 *
 * A connection is cut off when its request is not whole in time, when nobody
 * takes its answer, when there are too many, and when too much of requests has
 * come; h2o's own errors are made problems (RFC 9457). */
#ifndef FRONTENDS_REST_WEB_H
#define FRONTENDS_REST_WEB_H

#include <stdbool.h>

#include <h2o.h>

#include "rest/limits.h"

struct ate_error;
struct client;
struct meters;

struct web {
    h2o_globalconf_t config;
    h2o_context_t context;
    h2o_accept_ctx_t accept;
    uv_tcp_t listener;
    uv_timer_t sweep;
    uv_check_t weigh;
    struct client *clients;
    struct rest_limits limits;
    char too_large[64]; /* what is said of a body */
    struct meters *meters;
    char where[128]; /* http://127.0.0.1:43211 */
    bool is_open;
    bool is_stopping;
    void (*asked)(void *owner, h2o_req_t *req);
    /* May who sends this value of Authorization send a large body? NULL: nobody
     * may. */
    bool (*knows)(void *owner, const char *text, size_t len);
    void *owner;
    const char *origins; /* whose pages may read problems (origins.h) */
};

struct web_options {
    const char *address; /* HOST:PORT or PORT, which is on loopback */
    int fd;              /* listens, in place of it; -1: none */
    const char *cert;    /* file of a chain, or NULL: no TLS */
    const char *key;     /* file of its key */
    bool may_be_plain;   /* beyond loopback, without TLS */
    struct rest_limits limits;
};

/* Whether web_open() would take the address and the files, without binding.
 * Errors: INVALID. */
int web_check(const struct web_options *options, struct ate_error *error);

/* Would the one have what the other listens at? Both are good. */
bool web_collide(const struct web_options *a, const struct web_options *b);

/* Bind and listen. Errors: INVALID (an address, a certificate), CONFLICT (the
 * address is in use), DENIED, IO. */
int web_open(struct web *w, uv_loop_t *loop, const struct web_options *options,
             struct ate_error *error);
/* Take over other certificates, for who connects from now on. */
void web_renew(struct web *w, SSL_CTX *ssl);
/* Take nobody any more; close who waits for nothing. Who made web sockets ends
 * those. */
void web_stop(struct web *w);
bool web_is_idle(const struct web *w); /* all have gone */
/* This request becomes a web socket: its connection may be silent from now on,
 * for as long as it lives. */
void web_keep(h2o_req_t *req);
/* Has the other side closed, while its answer goes on? h2o does not read
 * meanwhile, and learns it of a write alone. */
bool web_is_left(const h2o_req_t *req);
/* Of a connection whose other side does not read: its reads and writes fail
 * from now on, h2o closes it, and the other side is told at once. */
void web_abort(int fd);
/* The same, but what was written still arrives. */
void web_end(int fd);
void web_cut(struct web *w); /* end those that have not */
/* Behind web_stop(), when it is idle; the loop has to turn once more. */
void web_close(struct web *w);
/* Behind that. */
void web_free(struct web *w);
#endif
