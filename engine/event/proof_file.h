/* proof_file: a file that proves one transaction to whoever holds nothing else
 * of the chain (docs/format.md section 10).
 *
 *     c2sp.org/tlog-proof@v1
 *     extra <base64 of what the leaf is made of, and of genesis>
 *     index <decimal>
 *     <base64 of a hash>                 as many as the inclusion proof has
 *
 *     <the checkpoint: a signed note>
 *
 * C2SP's tlog-proof, with all in `extra` that leads from genesis to the leaf:
 * genesis gives the chain's id and its first order key, the transaction its
 * events, its author and its other signers. */
#ifndef ATE_EVENT_PROOF_FILE_H
#define ATE_EVENT_PROOF_FILE_H

#include "crypto/note.h"
#include "crypto/proof.h"
#include "event/batch.h"
#include "event/genesis.h"

enum {
    PROOF_FILE_MAX = 4 << 20, /* bytes */
    PROOF_FILE_KEYS_MAX = LIMIT_TX_SIGNATURES + 1,
    PROOF_FILE_BATCH_PATH_MAX = 12, /* hashes: of LIMIT_BATCH_TXS members */
};

/* ---- Writing. ---- */

/* What a leaf is made of. */
struct proof_leaf {
    struct bytes genesis_payload; /* of frame 0 */
    struct bytes payload;         /* of its batch's frame; len 0: genesis */
    uint64_t number; /* which of the batch's accepted members it is, from 0 */
    uint64_t index;  /* of the leaf */
    uint8_t suite;
    const uint8_t *chain; /* id */
    /* The record of a key that the chain knows. */
    bool (*find_key)(void *ctx, const uint8_t id[KEY_ID_SIZE],
                     struct key_record *record);
    void *ctx;
};
/* Append what `extra` holds. `leaf_hash` is set. Read set and result are left
 * out. Errors: INVALID (no such member). */
int proof_file_extra(struct buf *extra, const struct proof_leaf *leaf,
                     uint8_t leaf_hash[HASH_SIZE], struct err *err);
void proof_file_put(struct buf *text, struct bytes extra, uint64_t index,
                    const struct proof *proof, struct bytes checkpoint);

/* ---- Reading. ---- */

struct proof_file {
    struct buf raw; /* `extra`; what follows points into it or into the text */
    struct bytes genesis_raw;
    struct genesis genesis;
    struct sigs root_sigs;
    bool is_genesis;           /* it proves leaf 0, else: */
    struct batch_reader batch; /* one that has only this member */
    struct batch_member member;
    uint64_t count; /* members of the batch */
    uint64_t place; /* of this one among them */
    struct proof batch_proof;
    size_t key_count;
    struct key_record keys[PROOF_FILE_KEYS_MAX];
    uint64_t index;
    struct proof proof;
    struct bytes checkpoint; /* text */
};

/* Does it begin as one? */
bool proof_file_is(struct bytes text);
/* Read the shape. The text has to outlive `f`; the caller deinits it, after
 * errors, too. Errors: CORRUPT (with the line), LIMIT. */
int proof_file_get(struct bytes text, struct proof_file *f, struct err *err);
void proof_file_deinit(struct proof_file *f); /* safe twice */

/* What a proof comes to. */
struct proof_checked {
    uint8_t chain[CHAIN_ID_SIZE];
    uint8_t tx[TX_ID_SIZE]; /* of genesis: the chain id */
    struct checkpoint checkpoint;
    uint8_t order[SIGN_PUBLIC_SIZE]; /* the key that signed it */
    bool order_is_first;    /* genesis has it; else the caller gave it */
    bool author_checked;    /* the author's key is in the file */
    size_t further_checked; /* of the further signatures those whose key is */
};

/* Check everything, nothing trusted but `order_key`: the order key of the
 * checkpoint's term, or NULL for that of genesis. Errors: CORRUPT, naming what
 * does not fit. */
int proof_file_check(const struct proof_file *f,
                     const uint8_t order_key[SIGN_PUBLIC_SIZE],
                     struct proof_checked *checked, struct err *err);

/* The record of a key that the file has, in its list or in genesis. */
bool proof_file_key(const struct proof_file *f, const uint8_t id[KEY_ID_SIZE],
                    struct key_record *record);
#endif
