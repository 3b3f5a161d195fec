/* key: what is known of a key pair by others, the pair itself, and its file.
 *
 * The suite stands in the record that a verifier already trusts, never in a
 * message. Suite 1: SHA-256, Ed25519, X25519. */
#ifndef ATE_CRYPTO_KEY_H
#define ATE_CRYPTO_KEY_H

#include "base/bytes.h"
#include "crypto/hash.h"
#include "crypto/sign.h"

struct err;
struct mp;

enum {
    SUITE_1 = 1,
    KEY_ID_SIZE = HASH_SIZE,
    BOX_PUBLIC_SIZE = 32,
    BOX_SECRET_SIZE = 32,
    KEY_RECORD_MAX = 70, /* bytes of an encoded record */
};

struct key_record {
    uint8_t suite;
    uint8_t sign[SIGN_PUBLIC_SIZE]; /* Ed25519 */
    uint8_t box[BOX_PUBLIC_SIZE];   /* X25519 */
};

/* Append [suite, sign key, box key]. */
void key_record_put(struct buf *out, const struct key_record *record);
/* Read the record that stands at the reader. Errors: INVALID. */
int key_record_get(struct mp *mp, struct key_record *record, struct err *err);
/* The same of a whole buffer with nothing behind it. Errors: INVALID. */
int key_record_decode(struct bytes raw, struct key_record *record,
                      struct err *err);

/* H("key", record). */
void key_id(const struct key_record *record, uint8_t out[KEY_ID_SIZE]);

/* Holds secrets: whoever has one wipes it on every path. */
struct key_pair {
    struct key_record record;
    uint8_t id[KEY_ID_SIZE];
    uint8_t secret[SIGN_SECRET_SIZE];
    uint8_t box_secret[BOX_SECRET_SIZE];
};

/* Both secrets are 32 random bytes that the caller wipes. */
void key_pair_from_seeds(struct key_pair *pair,
                         const uint8_t sign_seed[SIGN_SEED_SIZE],
                         const uint8_t box_secret[BOX_SECRET_SIZE]);
void key_pair_wipe(struct key_pair *pair); /* safe twice */

/* The text of a key file (docs/format.md section 8). `out` then holds secrets:
 * wipe it with buf_wipe. Reading takes exactly what writing makes; after a
 * failure `pair` is wiped. Errors: INVALID. */
void key_pair_write(struct buf *out, const struct key_pair *pair);
int key_pair_read(struct bytes text, struct key_pair *pair, struct err *err);

/* The same for what others may know of it. Errors: INVALID. */
void key_record_write(struct buf *out, const struct key_record *record);
int key_record_read(struct bytes text, struct key_record *record,
                    struct err *err);

/* Zero the whole memory of a buffer that held secrets, then free it. The caller
 * reserved enough before writing, else growing has left copies behind. */
void buf_wipe(struct buf *b);
#endif
