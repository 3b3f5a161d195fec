/* limits: the largest of everything that comes from outside, in one place.
 *
 * Each is checked before anything of that size is allocated; that is why
 * memory.h may end the process instead of reporting a failure. Sizes are bytes
 * unless the name says otherwise. Those marked (format) are part of what every
 * node has to agree on: changing one changes verdicts. */
#ifndef ATE_BASE_LIMITS_H
#define ATE_BASE_LIMITS_H

#include <assert.h>
#include <stdint.h>

enum {
    /* Events, transactions, batches. */
    LIMIT_EVENT_HEADER = 64 << 10, /* (format) one event header */
    LIMIT_TX_HEADERS = 1 << 20, /* (format) event headers of one transaction */
    LIMIT_TX_EVENTS = 4096,     /* (format) events of one transaction */
    LIMIT_TX_ROWS = 1 << 18,    /* (format) rows that its folds write */
    LIMIT_TX_ROW_BYTES = 64 << 20,  /* (format) their keys and columns */
    LIMIT_BATCH_TXS = 4096,         /* (format) transactions of one batch */
    LIMIT_TX_SIGNATURES = 64,       /* (format) further signatures of one */
    LIMIT_BATCH_SIGNATURES = 4096,  /* of a batch that is handed in */
    LIMIT_READ_SET = 64 << 10,      /* (format) one transaction's read set */
    LIMIT_TX_READS = 1 << 21,       /* (format) entries that it stands for */
    LIMIT_BATCH_READS = 1 << 16,    /* of a batch that is handed in, or ... */
    LIMIT_READ_GAS = 10,            /* ... a run's gas by this, if more */
    LIMIT_RESULT = 64 << 10,        /* (format) what a method returns */
    LIMIT_ARGS = 16 << 20,          /* arguments of a method */
    LIMIT_CONTEXT = 65535,          /* the context of a call */
    LIMIT_FRAME_PAYLOAD = 64 << 20, /* one frame of the header file */

    /* Bodies. */
    LIMIT_BODY_PIECE = 65536,             /* (format) what one hash covers, */
    LIMIT_BODY_SEALED_PIECE = 65536 + 16, /* (format) and of a sealed one */
    LIMIT_BODY_INLINE = 1024,             /* (format) above: in the body file */
    LIMIT_BODY_SEGMENT = 1 << 30,         /* (format) one body file */
    LIMIT_TX_BODIES = 64 << 20,           /* those of one call's events */

    /* Schemas. */
    LIMIT_BUNDLE = 1 << 20,      /* (format) all Lua of a chain */
    LIMIT_BUNDLE_MODULES = 256,  /* (format) files of a bundle */
    LIMIT_GENESIS = 64 << 10,    /* (format) without its body */
    LIMIT_RUN_GAS = 16000000,    /* (format) what genesis may allow a run */
    LIMIT_RUN_MEMORY = 64 << 20, /* (format) likewise, bytes */
    LIMIT_ROOT_KEYS = 16,        /* (format) of one set */

    /* Names. */
    LIMIT_NAME = 255,       /* one segment of a path */
    LIMIT_CHAIN_NAME = 255, /* a chain's whole path, such as bank/main */
    LIMIT_TYPE_NAME = 128,  /* (format) schema.type */
    LIMIT_KIND_NAME = 64,   /* (format) field, view, rule, method, purpose */

    /* State. */
    LIMIT_WORK_ASKS = 64,        /* (format) of services, by a worker */
    LIMIT_STATE_KEY = 1024,      /* (format) kind and key of an entry */
    LIMIT_STATE_VALUE = 1 << 20, /* (format) value of an entry */
    LIMIT_PARENTS = 256,         /* (format) objects above an object */

    /* Callers that come through a socket. */
    LIMIT_NET_TEXT = 65535, /* a name, or a list of names, in a call */
    LIMIT_NET_CALL = LIMIT_ARGS + (512 << 10), /* a frame to the daemon */
    LIMIT_NET_ANSWER = 256 << 20,              /* a frame to a caller */
    LIMIT_NET_PEERS = 256,           /* callers at a time, unless told */
    LIMIT_NET_PEERS_MAX = 4096,      /* and at most */
    LIMIT_NET_CALLS = 1024,          /* calls of one that are under way */
    LIMIT_NET_CALL_BYTES = 32 << 20, /* the frames of these */
    LIMIT_NET_QUEUE = 256 << 10, /* more than this waits: nothing is streamed */
    LIMIT_NET_CHUNKS = 256, /* that the streams of one may be ahead of that */
    LIMIT_NET_HELLO_MS = 5000,        /* until it said HELLO */
    LIMIT_NET_STALL_MS = 30000,       /* in which it takes all that waits, or */
    LIMIT_NET_STALL_BYTES = 64 << 10, /* so much; and says a frame to its end */
    LIMIT_NET_FAREWELL_MS = 5000,     /* for the last words to it */
    LIMIT_NET_GRACE_MS = 1000, /* after a deadline, for the daemon to say so */

    /* One process. */
    LIMIT_CHAINS_OPEN = 4096,
};

static_assert(LIMIT_TX_HEADERS >= LIMIT_EVENT_HEADER, "one header must fit");
/* What a method walks is paid for by gas; what its own folds had deleted there
 * is not. */
static_assert(LIMIT_TX_READS >= LIMIT_RUN_GAS / LIMIT_READ_GAS + LIMIT_TX_ROWS +
                                    LIMIT_READ_SET,
              "whatever a method reads must fit");
/* (format) one body; 64-bit. */
#define LIMIT_BODY ((uint64_t)1 << 38)

static_assert(LIMIT_BODY_SEGMENT % LIMIT_BODY_PIECE == 0, "whole pieces");
static_assert(LIMIT_NET_CALL_BYTES >= LIMIT_NET_CALL, "one call must fit");
static_assert(LIMIT_NET_CALLS >= LIMIT_NET_CHUNKS,
              "as server_session.c has it");
static_assert(LIMIT_FRAME_PAYLOAD >= LIMIT_TX_HEADERS, "one tx must fit");
#endif
