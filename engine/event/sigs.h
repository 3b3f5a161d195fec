/* sigs: further signatures of a transaction: co-authors, root keys, endorsers.
 *
 * Each is [key id, purpose, signature over H("sign", suite, chain id, purpose,
 * tx id)]. A list is sorted by key id, then purpose, and holds no pair twice.
 */
#ifndef ATE_EVENT_SIGS_H
#define ATE_EVENT_SIGS_H

#include "crypto/key.h"

struct err;
struct mp;

struct further_sig {
    const uint8_t *key_id;    /* 32 bytes */
    struct bytes purpose;     /* such as "root" */
    const uint8_t *signature; /* 64 bytes */
};

/* The chain's own: k of them over a chain id make its genesis. */
#define PURPOSE_ROOT "root"

/* A checked list inside the bytes it was read from. */
struct sigs {
    struct bytes raw; /* the encoded array */
    uint32_t count;
};

/* Append the array. Asserts order, purposes and at most LIMIT_TX_SIGNATURES. */
void sigs_put(struct buf *out, const struct further_sig *list, size_t count);

/* Read the array that stands at the reader and check order and shapes; nothing
 * is copied. Errors: INVALID, LIMIT. */
int sigs_get(struct mp *mp, struct sigs *sigs, struct err *err);

/* Fill `list` with the signatures; returns their count, at most
 * LIMIT_TX_SIGNATURES, which `list` has room for. */
size_t sigs_list(const struct sigs *sigs, struct further_sig *list);

/* Sort a list for sigs_put; false when a pair of key id and purpose is twice.
 */
bool sigs_sort(struct further_sig *list, size_t count);

/* Sign a transaction (genesis: `tx_id` is the chain id) for a purpose. */
void further_sig_make(const struct key_pair *pair, const uint8_t *chain_id,
                      struct bytes purpose, const uint8_t *tx_id,
                      uint8_t signature[SIGN_SIZE]);

/* True when `record` is the signer's and the signature is good. */
bool further_sig_verify(const struct further_sig *sig,
                        const struct key_record *record,
                        const uint8_t *chain_id, const uint8_t *tx_id);

/* H("sigs", batch signature, then of each key id, purpose, signature): part of
 * the log leaf. `batch_signature` NULL: genesis, which has none. */
void sigs_hash(const uint8_t *batch_signature, const struct sigs *sigs,
               uint8_t out[HASH_SIZE]);
#endif
