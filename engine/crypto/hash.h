/* hash: SHA-256, alone and as the labelled H of docs/format.md section 1.
 *
 * H(label, a, b, ...) hashes the label with its length in one byte, then each
 * part with its length in four: nothing can be read two ways. A hasher is
 * begun, fed and ended; several may be open at a time, and each belongs to one
 * thread at a time. Nothing here fails. */
#ifndef ATE_CRYPTO_HASH_H
#define ATE_CRYPTO_HASH_H

#include "base/bytes.h"
#include "crypto/labels.h"

enum { HASH_SIZE = 32 };

/* Storage of the caller's. It owns nothing, and may be forgotten. */
struct hasher {
    uint64_t state[14];   /* libcrypto's */
    uint32_t count;       /* of bytes that it has not been given yet */
    uint8_t pending[204]; /* so that it gets small parts together */
};

void hash_begin(struct hasher *h, enum label label);
void hash_part(struct hasher *h, struct bytes part); /* nil: len 0 */
void hash_u8(struct hasher *h, uint8_t value);       /* a part of 1 byte */
void hash_u64(struct hasher *h, uint64_t value);     /* a part of 8 bytes */
void hash_end(struct hasher *h, uint8_t out[HASH_SIZE]);
/* Instead of the end: wipe what was put in. Safe twice, and after it. */
void hash_drop(struct hasher *h);

/* A part that is a hash or an id; NULL is nil. */
void hash_part_of(struct hasher *h, const uint8_t *data, size_t len);

/* Bare SHA-256 of a stream: no label, no lengths. */
void hash_begin_bare(struct hasher *h);
void hash_bare(struct hasher *h, struct bytes bytes);

void sha256(struct bytes bytes, uint8_t out[HASH_SIZE]);

/* H of a label and one part. */
void hash_of(enum label label, struct bytes part, uint8_t out[HASH_SIZE]);

/* RFC 9162: SHA-256(0x00 || leaf) and SHA-256(0x01 || left || right). `out` may
 * be one of the inputs. */
void hash_leaf(struct bytes leaf, uint8_t out[HASH_SIZE]);
void hash_node(const uint8_t left[HASH_SIZE], const uint8_t right[HASH_SIZE],
               uint8_t out[HASH_SIZE]);
#endif
