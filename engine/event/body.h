/* body: how a body is hashed, and how much room it takes where it is stored.
 *
 * Body hash = RFC 9162 root over its stored pieces, so that a range can be
 * verified by its pieces' leaf hashes alone. A piece is LIMIT_BODY_PIECE bytes,
 * of a sealed body LIMIT_BODY_SEALED_PIECE; a body of several pieces is a large
 * one and stands in a file of its own. */
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
    size_t piece_size;
    size_t piece_len;  /* bytes of the piece begun; 0: none is */
    uint64_t length;   /* bytes so far */
    struct buf leaves; /* leaf hashes of finished pieces, 32 bytes each */
};

void body_hasher_init(struct body_hasher *h, bool sealed);
void body_hasher_put(struct body_hasher *h, struct bytes bytes);
/* The hash of what came (of no bytes: the empty tree's, which is stored as
 * nil). `leaves` is complete then, and stays until deinit. */
void body_hasher_end(struct body_hasher *h, uint8_t out[HASH_SIZE]);
void body_hasher_deinit(struct body_hasher *h); /* safe twice, and before end */

/* A clear body in one call. */
void body_hash(struct bytes body, uint8_t out[HASH_SIZE]);

/* CORRUPT when the clear body is not `length` bytes with this hash; `hash`
 * NULL: no body. */
int body_check(struct bytes body, uint64_t length, const uint8_t *hash,
               struct err *err);

/* What stands behind a body up to a multiple of 8: zeros. */
bool body_padding_is(struct bytes padding);

/* Is this the piece that the leaf hash is of? */
bool body_piece_is(const uint8_t leaf[HASH_SIZE], struct bytes piece);

size_t body_piece_size(bool sealed);
uint64_t body_pieces(uint64_t length, bool sealed);

/* Where a body is stored. */
enum body_home {
    BODY_NONE,   /* its length is 0 */
    BODY_INLINE, /* in the frame's inline section: small ones, and bundles of
                    any size, so that a header file alone opens a chain */
    BODY_FILE,   /* in the body file, padded to 8 */
    BODY_LARGE,  /* in a file of its own */
};
enum body_home body_home(struct bytes type, uint64_t length, bool sealed);
struct event_header;
enum body_home body_home_of(const struct event_header *header);

/* Bytes it takes in the body file. */
uint64_t body_file_size(uint64_t length);

/* In a file of its own: where its leaf hashes begin (behind it, padded to 8),
 * and the file's size. */
uint64_t body_leaves_offset(uint64_t length);
uint64_t body_large_size(uint64_t length, bool sealed);
#endif
