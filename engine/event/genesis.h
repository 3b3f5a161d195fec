/* genesis: what a chain starts from and takes its id from.
 *
 * Reading is strict; texts and hashes point into the bytes read, keys are
 * copied. Its body is the bundle. */
#ifndef ATE_EVENT_GENESIS_H
#define ATE_EVENT_GENESIS_H

#include "base/limits.h"
#include "event/sigs.h"

enum {
    GENESIS_FORMAT = 1,
    GENESIS_NONCE_SIZE = 16,
    GENESIS_PIPELINE_MAX = 16,
    GENESIS_LIMITS_MAX = 64,
};

struct genesis {
    uint64_t format; /* GENESIS_FORMAT */
    uint8_t suite;
    const uint8_t *nonce;   /* 16 bytes */
    uint64_t log_time;      /* ms since 1970 UTC */
    struct bytes name;      /* a path such as bank/main */
    struct bytes partition; /* places the chain on a node */
    size_t root_count;      /* 1 to LIMIT_ROOT_KEYS, all different */
    struct key_record roots[LIMIT_ROOT_KEYS];
    uint64_t threshold;      /* k: 1 to root_count */
    const uint8_t *next;     /* digest of the next set, 32 bytes; NULL: none */
    struct key_record order; /* order key of term 1 */
    size_t pipeline_count;   /* 1 to GENESIS_PIPELINE_MAX, all different */
    struct bytes pipeline[GENESIS_PIPELINE_MAX];
    struct bytes limits;        /* encoded map of text to integers >= 0; `gas`
                                   and `memory` at most LIMIT_RUN_... */
    struct bytes engine;        /* version that made it */
    const uint8_t *bundle_hash; /* body hash, 32 bytes */
    uint64_t bundle_length;     /* 1 to LIMIT_BUNDLE */
};

/* Append the encoded genesis. What people give (names, keys, pipeline, limits)
 * is checked as reading does; after an error `out` is as before.
 * Errors: INVALID, LIMIT. */
int genesis_put(struct buf *out, const struct genesis *genesis,
                struct err *err);

/* `raw` has to outlive `genesis`. Errors: INVALID, LIMIT. */
int genesis_get(struct bytes raw, struct genesis *genesis, struct err *err);

/* The limit of that name, or `otherwise` where genesis does not set it. */
uint64_t genesis_limit(const struct genesis *genesis, const char *name,
                       uint64_t otherwise);

/* A chain's name: valid names joined by '/', at most LIMIT_CHAIN_NAME bytes. */
bool chain_name_valid(struct bytes name);

/* Payload of the first frame: [genesis bin, [further sig, ...]]. */
struct genesis_payload {
    struct bytes genesis; /* encoded; points into the payload */
    struct sigs sigs;
};
void genesis_payload_put(struct buf *out, struct bytes genesis,
                         const struct further_sig *sigs, size_t count);
int genesis_payload_get(struct bytes raw, struct genesis_payload *payload,
                        struct err *err); /* INVALID, LIMIT */

/* At least k different root keys signed the chain id, and nothing else did:
 * each signature is by a root key, for PURPOSE_ROOT, and good. Errors: CORRUPT.
 */
int genesis_verify(const struct genesis *genesis, const struct sigs *sigs,
                   const uint8_t chain_id[HASH_SIZE], struct err *err);

/* Log leaf 0 is the genesis: chain id in place of a tx id, no batch signature,
 * no events. Makes its bytes (LOG_LEAF_SIZE, event/ids.h). */
void genesis_leaf(uint8_t suite, const uint8_t chain_id[HASH_SIZE],
                  const struct sigs *sigs, uint8_t *out);
#endif
