/* batch: transactions of one author under one signature, as a frame holds them.
 *
 * Writing appends to a buffer: batch_put, then as many members as it was told.
 * Reading walks the members once, strict and without copies: everything points
 * into the payload, which has to outlive the reader. What hashes and signatures
 * prove is asked for separately, so that cheap checks can come first:
 * batch_next checks shapes and bounds, batch_member_decode events,
 * batch_member_check digests, batch_signature_verify the author's signature.
 * The verdict digest is not under that signature; the chain's log leaf covers
 * it. */
#ifndef ATE_EVENT_BATCH_H
#define ATE_EVENT_BATCH_H

#include "base/msgpack.h"
#include "event/header.h"
#include "event/ids.h"
#include "event/sigs.h"
#include "event/tx.h"

/* ---- Writing. ---- */

/* Append what stands before the members; `members` of them have to follow, 1 to
 * LIMIT_BATCH_TXS. */
void batch_put(struct buf *out, const uint8_t author[KEY_ID_SIZE],
               const uint8_t signature[SIGN_SIZE], size_t members);

struct batch_part {
    struct bytes tx_header;
    const struct further_sig *sigs; /* sorted: sigs_sort */
    size_t sig_count;
    const struct bytes *events; /* encoded headers */
    size_t event_count;
    struct bytes read_set;  /* len 0: none */
    struct bytes result;    /* len 0: none */
    const uint8_t *verdict; /* digest, 32 bytes */
};

/* Append an accepted member, or what is left of a refused one. */
void batch_put_member(struct buf *out, const struct batch_part *part);
/* One that was read, with these signatures and this digest instead. */
struct batch_member;
void batch_copy_member(struct buf *out, const struct batch_member *member,
                       const struct further_sig *sigs, size_t sig_count,
                       const uint8_t *verdict);
void batch_put_refused(struct buf *out, const uint8_t tx_id[TX_ID_SIZE]);

/* ---- Reading. ---- */

struct batch_reader {
    const uint8_t *author;    /* key id, 32 bytes */
    const uint8_t *signature; /* 64 bytes */
    uint32_t count;           /* members, refused ones too */
    uint32_t next;            /* number of the member batch_next reads */
    struct mp mp;
};

struct batch_member {
    bool refused;
    const uint8_t *refused_id; /* tx id of a refused one; all below is unset */
    struct bytes tx_header;    /* encoded */
    struct tx_header tx;       /* decoded */
    struct sigs sigs;
    uint32_t event_count;   /* = tx.count */
    struct bytes events;    /* encoded array of bin: batch_events */
    struct bytes read_set;  /* data NULL: none, or dropped by a flip */
    struct bytes result;    /* data NULL: none, or dropped by a flip */
    const uint8_t *verdict; /* digest, 32 bytes */
};

/* Errors of all: INVALID (the text says which member and field), LIMIT. */
int batch_open(struct batch_reader *r, struct bytes payload, struct err *err);

/* 1: a member; 0: the end, nothing is left over; negative: the code. Checks
 * that the header's author is the batch's and its count that of the events.
 * Event headers are bounded here and decoded by event_header_get. */
int batch_next(struct batch_reader *r, struct batch_member *member,
               struct err *err);

/* The encoded headers of a member that batch_next gave, in order. */
struct batch_events {
    struct mp mp;
    uint32_t left;
};
struct batch_events batch_events(const struct batch_member *member);
bool batch_events_next(struct batch_events *events, struct bytes *header);

void batch_member_id(const struct batch_member *member, uint8_t suite,
                     const uint8_t *chain_id, uint8_t out[TX_ID_SIZE]);

/* An event as it is known after it was read once. */
struct batch_event {
    struct bytes raw;           /* the encoded header */
    struct event_header header; /* of it */
    uint8_t id[EVENT_ID_SIZE];
};

/* Decode all events of an accepted member into `events`, which has room for
 * member->event_count; each has to be the author's. Errors: INVALID, LIMIT. */
int batch_member_decode(const struct batch_member *member, uint8_t suite,
                        const uint8_t *chain_id, struct batch_event *events,
                        struct err *err);

/* The root of these events, read set and result are what its header says, and
 * the result is a canonical value. A section may be absent though the header
 * has its digest, as in proofs. Errors: CORRUPT, INVALID. */
int batch_member_check(const struct batch_member *member,
                       const struct batch_event *events, struct err *err);
/* It has the sections that its header has digests of: what was read is compared
 * by the read set alone, and nobody but the author may say that it is not to
 * be. Errors: INVALID. */
int batch_member_check_whole(const struct batch_member *member,
                             struct err *err);

/* ---- The author's signature. ---- */

/* What is signed: H("batch", suite, chain id, count, root over tx ids). */
void batch_signed_hash(uint8_t suite, const uint8_t *chain_id, uint64_t count,
                       const uint8_t root[HASH_SIZE], uint8_t out[HASH_SIZE]);

void batch_sign(const struct key_pair *pair, const uint8_t *chain_id,
                const uint8_t (*tx_ids)[TX_ID_SIZE], size_t count,
                uint8_t signature[SIGN_SIZE]);

bool batch_signature_verify(const struct key_record *author,
                            const uint8_t *chain_id,
                            const uint8_t (*tx_ids)[TX_ID_SIZE], size_t count,
                            const uint8_t signature[SIGN_SIZE]);
#endif
