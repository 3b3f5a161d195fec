/* merkle: the tree of RFC 9162, kept as its peaks.
 *
 * A tree of n leaves is a row of complete subtrees, one for each bit set in n;
 * appending costs two hashes on average, the root at most 64. The struct is
 * plain: copy it by assignment to go back to it later. All zeros is empty. */
#ifndef ATE_CRYPTO_MERKLE_H
#define ATE_CRYPTO_MERKLE_H

#include "crypto/hash.h"

struct merkle {
    uint64_t size; /* leaves */
    /* peaks[i], where bit i of size is set: root of a subtree of 2^i leaves. */
    uint8_t peaks[64][HASH_SIZE];
};

void merkle_init(struct merkle *m);
void merkle_append_leaf(struct merkle *m, struct bytes leaf);
void merkle_append_hash(struct merkle *m, const uint8_t leaf_hash[HASH_SIZE]);
/* Over no leaves it is SHA-256(""). */
void merkle_root(const struct merkle *m, uint8_t out[HASH_SIZE]);

/* The root over leaves that are ids of 32 bytes, one behind the other. */
void merkle_root_of_ids(const uint8_t (*ids)[HASH_SIZE], size_t count,
                        uint8_t out[HASH_SIZE]);
/* The same where the leaves are hashed already. */
void merkle_root_of_hashes(const uint8_t (*leaf_hashes)[HASH_SIZE],
                           size_t count, uint8_t out[HASH_SIZE]);
#endif
