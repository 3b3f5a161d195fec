/* service: what workers ask outside: named services that the driver offers.
 *
 * A request is in the log before it is sent. It is sent again, with the same
 * key, until an answer came: a service that looks at the key does what was
 * asked once. */
#ifndef ATE_NODE_SERVICE_H
#define ATE_NODE_SERVICE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

struct err;

enum { SERVICE_KEY_SIZE = 32 };

struct service_reply {
    /* 0: it answered. UNAVAILABLE, IO, CANCELED: ask again later. Others: it
     * never will. */
    int code;
    const struct err *err;
    struct bytes answer; /* any msgpack value */
    uint32_t retry_ms;   /* ask again not before; 0: it does not say */
};

/* The asker owns the struct and all it points to, until `done` or cancel(). */
struct service_request {
    struct bytes service; /* its name */
    struct bytes chain;   /* who asks: name of the chain, and */
    struct bytes worker;  /* of the worker, for people */
    uint8_t key[SERVICE_KEY_SIZE];
    bool again; /* it may have been sent before, and be under way there */
    struct bytes request; /* a canonical msgpack value */
    void (*done)(struct service_request *request,
                 const struct service_reply *reply);
    void *owner;

    void *state; /* the service's */
};

struct services {
    void *ctx;
    /* `done` is called later, never from within. */
    void (*send)(void *ctx, struct service_request *request);
    /* `done` will not be called; whether it was done outside is not known. */
    void (*cancel)(void *ctx, struct service_request *request);
};
#endif
