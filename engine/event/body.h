/* body: how a body is hashed, and how much room it takes where it is stored.
 *
 * Body hash = RFC 9162 root over its stored pieces of LIMIT_BODY_PIECE bytes,
 * so that a range can be verified by its pieces' leaf hashes alone. */
#ifndef ATE_EVENT_BODY_H
#define ATE_EVENT_BODY_H

#include "base/limits.h"
#include "crypto/merkle.h"

struct err;

#define TYPE_BUNDLE "ate.bundle" /* whose body is one (event/bundle.h) */

/* Hashes a body as it arrives. Storage of the caller's; it owns `leaves`. */
struct body_hasher {
    struct merkle tree;
    struct hasher piece;
    size_t piece_len;  /* bytes of the piece begun; 0: none is */
    uint64_t length;   /* bytes so far */
    struct buf leaves; /* leaf hashes of finished pieces, 32 bytes each */
};

void body_hasher_init(struct body_hasher *h);
void body_hasher_put(struct body_hasher *h, struct bytes bytes);
/* The hash of what came (of no bytes: the empty tree's, which is stored as
 * nil). `leaves` is complete then, and stays until deinit. */
void body_hasher_end(struct body_hasher *h, uint8_t out[HASH_SIZE]);
void body_hasher_deinit(struct body_hasher *h); /* safe twice, and before end */

/* A body in one call. */
void body_hash(struct bytes body, uint8_t out[HASH_SIZE]);

/* CORRUPT when the body is not `length` bytes with this hash; `hash` NULL: no
 * body. */
int body_check(struct bytes body, uint64_t length, const uint8_t *hash,
               struct err *err);

/* CORRUPT when what stands behind a body in the body file is not its padding
 * and its leaf hashes. `stored` is body_file_size(length) bytes. */
int body_check_stored(struct bytes stored, uint64_t length, struct err *err);

/* The hash that leaf hashes, 32 bytes each, add up to. */
void body_hash_of_leaves(struct bytes leaves, uint8_t out[HASH_SIZE]);

/* CORRUPT when piece `n` does not belong to the body whose leaf hashes these
 * are (and which were checked against the body hash). */
int body_piece_check(struct bytes leaves, uint64_t n, struct bytes piece,
                     struct err *err);

/* Pieces of a body of this length; length at most LIMIT_BODY_SEGMENT. */
uint64_t body_pieces(uint64_t length);

/* Stored in the frame's inline section, rather than in the body file? Small ones
 * are, and bundles of any size: a header file alone opens a chain. */
bool body_is_inline(struct bytes type, uint64_t length);

/* Bytes it takes in the body file when it is not inline: padded to 8, then its
 * leaf hashes if it has several pieces. */
uint64_t body_file_size(uint64_t length);
/* Where its leaf hashes begin, from the body's first byte. */
uint64_t body_leaves_offset(uint64_t length);
#endif
