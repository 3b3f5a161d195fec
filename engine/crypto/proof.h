/* proof: inclusion and consistency proofs of RFC 9162, section 2.1.
 *
 * Making one asks a source for the hashes of complete subtrees and joins them;
 * checking one needs nothing but what stands in it. A check takes a proof of
 * exactly the length that its sizes demand, and compares roots; hashes left
 * over, missing or in another order are refused. */
#ifndef ATE_CRYPTO_PROOF_H
#define ATE_CRYPTO_PROOF_H

#include "crypto/hash.h"

struct err;

/* A tree of 2^64 - 1 leaves has 64 levels; consistency takes one hash more. */
enum { PROOF_HASHES_MAX = 65 };

struct proof {
    size_t count;
    uint8_t hashes[PROOF_HASHES_MAX][HASH_SIZE];
};

/* The root of the 2^height leaves from leaf `index` << height on, all of which
 * there are. Returns 0, or a code that ends the making of the proof: NEED (the
 * source gets it and the maker tries again), IO, CORRUPT. */
struct proof_source {
    int (*node)(void *ctx, unsigned height, uint64_t index,
                uint8_t out[HASH_SIZE], struct err *err);
    void *ctx;
};

/* Root of the first `size` leaves. */
int proof_root(const struct proof_source *source, uint64_t size,
               uint8_t root[HASH_SIZE], struct err *err);

/* Errors of both: INVALID (no such leaf or size), the source's. */
int proof_inclusion(const struct proof_source *source, uint64_t index,
                    uint64_t size, struct proof *proof, struct err *err);
int proof_consistency(const struct proof_source *source, uint64_t from,
                      uint64_t to, struct proof *proof, struct err *err);

/* The root that a leaf's hash and its proof come to. Errors: CORRUPT (length
 * and size disagree), INVALID (no such leaf). */
int proof_inclusion_root(const struct proof *proof,
                         const uint8_t leaf[HASH_SIZE], uint64_t index,
                         uint64_t size, uint8_t root[HASH_SIZE],
                         struct err *err);

/* Errors of both: CORRUPT (does not come to the root), INVALID (no such leaf or
 * size). The tree of no leaves is in every tree's past, and its proof empty. */
int proof_check_inclusion(const struct proof *proof,
                          const uint8_t leaf[HASH_SIZE], uint64_t index,
                          uint64_t size, const uint8_t root[HASH_SIZE],
                          struct err *err);
int proof_check_consistency(const struct proof *proof, uint64_t from,
                            const uint8_t from_root[HASH_SIZE], uint64_t to,
                            const uint8_t to_root[HASH_SIZE], struct err *err);
#endif
