/* http: the service of that name: requests over HTTP by libcurl, on a thread of
 * its own. Only hosts that the configuration names are asked, at addresses that
 * are public unless it says otherwise; nothing is followed to another place.
 *
 * A request is a map:
 *
 *     {url, method? ("GET"), headers? {name: text}, body? (text or bytes),
 *      json? (any value, as the body), timeout_s?}
 *
 * and what is answered {status, headers {name: text}, body? , json?}: json in
 * place of body where the type says so and it is; numbers in it that are not
 * whole are texts. Every request has its idempotency key as the header
 * Idempotency-Key. 408, 425, 429 and 5xx are no answers: it is asked again. */
#ifndef ATE_IO_HTTP_H
#define ATE_IO_HTTP_H

#include "node/service.h"

struct http;

enum {
    HTTP_BODY_MAX = 48 << 10,    /* of an answer */
    HTTP_HEADERS_MAX = 16 << 10, /* of an answer, all together */
    HTTP_TIMEOUT_S = 30,
    HTTP_TIMEOUT_S_MAX = 300,
    HTTP_CONNECT_S = 10,
    HTTP_AT_A_TIME = 64, /* connections */
    HTTP_HOSTS_MAX = 256,
};

/* Start it. `config` is a map in msgpack:
 *
 *     {hosts: [text or {host: text, headers: {name: text}}],
 *      private?: [text], ca?: text}
 *
 * A host is "example.com" (https, port 443), "example.com:8443",
 * "http://example.com:8080", "*.example.com" or "*"; its headers go with every
 * request to it. `private` names addresses, or networks such as 10.0.0.0/8,
 * that may be connected to though they are not public; `ca` is a file of
 * certificates to trust instead of the system's. `config` is borrowed for the
 * call. Errors: INVALID, UNAVAILABLE (no thread, no libcurl). */
int http_open(struct http **out, struct bytes config, struct err *err);
/* `wake` is called, from another thread, when http_reap() has something to
 * tell. Before the first request. */
void http_set_wake(struct http *http, void (*wake)(void *ctx), void *ctx);
/* What is under way is dropped, and not told. NULL is harmless. */
void http_close(struct http *http);

/* As struct services has them, and what calls `done` of those that ended. By
 * one thread, the owner's. */
void http_send(struct http *http, struct service_request *request);
void http_cancel(struct http *http, struct service_request *request);
void http_reap(struct http *http);
#endif
