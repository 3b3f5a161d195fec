/* ids: every name and digest that is made by hashing (docs/format.md 2 and 3).
 *
 * `chain_id` is 32 bytes throughout, `suite` the one of the author's key record
 * (of genesis, for the chain itself). Nothing here fails or keeps memory. */
#ifndef ATE_EVENT_IDS_H
#define ATE_EVENT_IDS_H

#include "crypto/hash.h"

enum {
    CHAIN_ID_SIZE = HASH_SIZE,
    TX_ID_SIZE = HASH_SIZE,
    EVENT_ID_SIZE = HASH_SIZE,
    OBJECT_ID_SIZE = 16,
    CALL_ID_SIZE = 16,
    LOG_LEAF_SIZE = 1 + 8 + 3 * HASH_SIZE,
};

/* Of the encoded genesis. */
void chain_id(struct bytes genesis, uint8_t out[CHAIN_ID_SIZE]);

/* Of the encoded headers, as stored. */
void event_id(uint8_t suite, const uint8_t *chain_id, struct bytes header,
              uint8_t out[EVENT_ID_SIZE]);
void tx_id(uint8_t suite, const uint8_t *chain_id, struct bytes header,
           uint8_t out[TX_ID_SIZE]);

/* Of an object with a natural key, unique under its parent. `key_fields` is a
 * canonical array of the key's values; `parent_id` NULL: no parent. */
void object_id(const uint8_t *chain_id, struct bytes type,
               const uint8_t *parent_id, struct bytes key_fields,
               uint8_t out[OBJECT_ID_SIZE]);

/* Of the n-th event (from 0) of a call, where the type has no key. */
void fact_id(const uint8_t *chain_id, const uint8_t *author_key_id,
             const uint8_t *call_id, uint64_t n, uint8_t out[OBJECT_ID_SIZE]);

/* What the call record says of a method's arguments, read set and result. */
void args_digest(struct bytes arguments, uint8_t out[HASH_SIZE]);
void reads_digest(struct bytes read_set, uint8_t out[HASH_SIZE]);
void result_digest(struct bytes result, uint8_t out[HASH_SIZE]);

/* Verdict digest: begin, each event id in order, then each changed state entry
 * of kinds 2 to 5 sorted by kind and key (`value` NULL: deleted), end. The
 * order of events before entries and of kinds is asserted. */
struct verdict {
    struct hasher hasher;
    unsigned kind; /* of the last entry; 0 before the first */
};
void verdict_begin(struct verdict *v);
void verdict_event(struct verdict *v, const uint8_t id[EVENT_ID_SIZE]);
void verdict_entry(struct verdict *v, uint8_t kind, struct bytes key,
                   const struct bytes *value);
void verdict_end(struct verdict *v, uint8_t out[HASH_SIZE]);

/* The bytes of leaf `index` of a chain's log, to be hashed by merkle.h. `sigs`
 * is made by sigs_hash. */
void log_leaf(uint8_t suite, uint64_t index, const uint8_t tx_id[TX_ID_SIZE],
              const uint8_t sigs[HASH_SIZE], const uint8_t verdict[HASH_SIZE],
              uint8_t out[LOG_LEAF_SIZE]);
#endif
