/* tx: the transaction header and the record of the call that made it.
 *
 * Like an event header it is stored and hashed verbatim; reading is strict and
 * copies nothing. */
#ifndef ATE_EVENT_TX_H
#define ATE_EVENT_TX_H

#include "base/bytes.h"
#include "base/limits.h"

struct err;

enum { TX_HEADER_MAX = 1024 }; /* bytes of an encoded header */
#define TX_SEQUENCE_MAX (INT64_MAX - LIMIT_TX_EVENTS) /* of a first one */

struct call_record {
    const uint8_t *id;     /* 16 bytes */
    struct bytes method;   /* its name */
    const uint8_t *bundle; /* 32 bytes each, or NULL: bundle hash, */
    const uint8_t *args;   /* digests of the arguments, */
    const uint8_t *reads;  /* the read set, */
    const uint8_t *result; /* the result; */
    const uint8_t *caller; /* identity acted for, */
    const uint8_t *token;  /* token used */
};

struct tx_header {
    const uint8_t *author;     /* key id, 32 bytes */
    uint64_t first_sequence;   /* of the first event; they count up by 1 */
    uint64_t count;            /* events, 1 to LIMIT_TX_EVENTS */
    const uint8_t *event_root; /* 32 bytes */
    uint64_t seen_size;        /* log size the author had verified */
    const uint8_t *seen_root;  /* 32 bytes; NULL exactly when size is 0 */
    struct call_record call;
};

/* Append the encoded header; asserts that it is well-formed. */
void tx_header_put(struct buf *out, const struct tx_header *header);

/* Read a whole header; `raw` has to outlive `header`. The text names the field
 * that is wrong. Errors: INVALID, LIMIT. */
int tx_header_get(struct bytes raw, struct tx_header *header, struct err *err);
#endif
