/* limits: the most of everything that askers bring, in one place. docs/rest.md
 * has the same table. What an operator may change is a struct, of which the
 * constants are the defaults. */
#ifndef FRONTENDS_REST_LIMITS_H
#define FRONTENDS_REST_LIMITS_H

#include <stddef.h>
#include <stdint.h>

enum {
    LIMIT_CONNECTIONS = 1024,
    LIMIT_STREAMS = 512,       /* event streams and web sockets */
    LIMIT_BODY = 16 << 20,     /* bytes of a request's body; never more */
    LIMIT_BODIES = 256 << 20,  /* bytes of all requests that come at a time */
    LIMIT_STRANGER = 64 << 10, /* bytes of one without the key */
    LIMIT_REQUEST_MS = 10000,  /* in which a request has come, whole */
    LIMIT_IDLE_MS = 10000,     /* until the next one begins */
    LIMIT_HANDSHAKE_MS = 10000,
    LIMIT_CALL_MS = 30000,    /* in which the engine has answered */
    LIMIT_STALL_MS = 30000,   /* in which an asker takes some of the answer */
    LIMIT_FAREWELL_MS = 5000, /* for what is under way when the door closes */
    LIMIT_KEY = 255,          /* bytes of an Idempotency-Key */
    LIMIT_REQUEST_ID = 128,   /* bytes of an X-Request-Id */
    LIMIT_STREAM_BYTES = 64 << 10, /* that wait: no more is asked for */
    LIMIT_MESSAGE = 1 << 20,       /* bytes of a web socket's message */
    LIMIT_PEER_CALLS = 64,         /* of one web socket under way */
    LIMIT_PEER_BYTES = 8 << 20,    /* that wait for one: it starts no call */
    LIMIT_CLOSE_MS = 5000,         /* in which it closes behind a close */
    LIMIT_PEER_UNREAD = 1024,      /* messages that may wait, and be answered */
    HEARTBEAT_MS = 15000,          /* between signs of life on a stream */
    GZIP_FROM = 1024,              /* bytes that are worth compressing */
};

/* 0 in any of them: the constant. */
struct rest_limits {
    size_t connections;
    size_t streams;
    size_t body;
    uint32_t request_ms;
    uint32_t idle_ms;
    uint32_t call_ms;
};

/* The same with the constants in place of zeros. */
struct rest_limits limits_of(struct rest_limits given);
#endif
