/* note: checkpoints of a chain's log as C2SP signed notes.
 *
 *     ate/<chain id, 64 hex>
 *     <size, decimal>
 *     <root, base64>
 *
 *     <U+2014> ate/<chain id, 64 hex> <base64 of key hash and signature>
 *
 * The key hash has 4 bytes. Origin and key name are one. Lines of further
 * signers (witnesses) may follow; they are checked for shape only. Tools that
 * know C2SP notes read them. */
#ifndef ATE_CRYPTO_NOTE_H
#define ATE_CRYPTO_NOTE_H

#include "crypto/key.h"

enum {
    NOTE_MAX = 8 << 10,       /* bytes of a note */
    NOTE_SIGNATURES_MAX = 16, /* lines of signatures */
};

struct checkpoint {
    uint64_t size; /* leaves of the log */
    uint8_t root[HASH_SIZE];
};

/* Append the note, signed by `pair`. */
void note_checkpoint_put(struct buf *out, const uint8_t chain_id[HASH_SIZE],
                         const struct checkpoint *checkpoint,
                         const struct key_pair *pair);

/* Read a note of this chain without judging its signature.
 * Errors: INVALID (shape, or another chain's), LIMIT. */
int note_checkpoint_get(struct bytes text, const uint8_t chain_id[HASH_SIZE],
                        struct checkpoint *checkpoint, struct err *err);

/* The chain that the note's first line names. Errors: INVALID. */
int note_origin(struct bytes text, uint8_t chain_id[HASH_SIZE],
                struct err *err);

/* The same, and demand the signature of this key.
 * Errors: INVALID, LIMIT, CORRUPT (not signed by the key). */
int note_checkpoint_verify(struct bytes text, const uint8_t chain_id[HASH_SIZE],
                           const uint8_t public_key[SIGN_PUBLIC_SIZE],
                           struct checkpoint *checkpoint, struct err *err);

/* A key as C2SP tools take it, a "vkey":
 *
 *     ate/<chain id, 64 hex>+<key hash, 8 hex>+<base64 of 0x01 and the key>
 *
 * Reading takes exactly what writing makes. Errors: INVALID. */
void note_vkey_put(struct buf *out, const uint8_t chain_id[HASH_SIZE],
                   const uint8_t public_key[SIGN_PUBLIC_SIZE]);
int note_vkey_get(struct bytes text, uint8_t chain_id[HASH_SIZE],
                  uint8_t public_key[SIGN_PUBLIC_SIZE], struct err *err);
#endif
