/* Bodies in pieces.
 *
 * (1) Every piece but the last is LIMIT_BODY_PIECE bytes long; the last is not
 *     empty. Leaf = RFC 9162's hash of a piece, body hash = root over leaves.
 * (2) In the body file a body begins at a multiple of 8 and is padded to one;
 *     leaf hashes follow only where there are several pieces, for of one piece
 *     the leaf is the body hash. */
#include "event/body.h"

#include <assert.h>
#include <string.h>

#include "base/err.h"

static_assert(HASH_SIZE % 8 == 0, "leaf hashes keep the alignment");

/* The mark in front of a leaf (RFC 9162). */
static const uint8_t leaf_mark = 0x00;

void body_hasher_init(struct body_hasher *h)
{
    merkle_init(&h->tree);
    h->piece_len = 0;
    h->length = 0;
    h->leaves = (struct buf){0};
}

static void end_piece(struct body_hasher *h)
{
    uint8_t leaf[HASH_SIZE];
    hash_end(&h->piece, leaf);
    h->piece_len = 0;
    merkle_append_hash(&h->tree, leaf);
    buf_put(&h->leaves, leaf, sizeof(leaf));
}

void body_hasher_put(struct body_hasher *h, struct bytes bytes)
{
    h->length += bytes.len;
    while (bytes.len > 0) {
        if (h->piece_len == 0) {
            hash_begin_bare(&h->piece);
            hash_bare(&h->piece, bytes_of(&leaf_mark, 1));
        }
        size_t n = LIMIT_BODY_PIECE - h->piece_len;
        if (n > bytes.len)
            n = bytes.len;
        hash_bare(&h->piece, bytes_of(bytes.data, n));
        h->piece_len += n;
        if (h->piece_len == LIMIT_BODY_PIECE)
            end_piece(h);
        bytes = bytes_of(bytes.data + n, bytes.len - n);
    }
}

void body_hasher_end(struct body_hasher *h, uint8_t out[HASH_SIZE])
{
    if (h->piece_len > 0)
        end_piece(h);
    assert(h->tree.size == body_pieces(h->length));
    merkle_root(&h->tree, out);
}

void body_hasher_deinit(struct body_hasher *h)
{
    if (h->piece_len > 0)
        hash_drop(&h->piece);
    h->piece_len = 0;
    buf_deinit(&h->leaves);
}

void body_hash(struct bytes body, uint8_t out[HASH_SIZE])
{
    struct body_hasher h;
    body_hasher_init(&h);
    body_hasher_put(&h, body);
    body_hasher_end(&h, out);
    body_hasher_deinit(&h);
}

int body_check(struct bytes body, uint64_t length, const uint8_t *hash,
               struct err *err)
{
    uint8_t found[HASH_SIZE];
    if (body.len != length)
        return err_set(err, ATE_ECORRUPT, "body of %zu bytes, want %llu",
                       body.len, (unsigned long long)length);
    if (hash == NULL)
        return length == 0 ? 0
                           : err_set(err, ATE_ECORRUPT, "body without a hash");
    body_hash(body, found);
    if (memcmp(found, hash, HASH_SIZE) != 0)
        return err_set(err, ATE_ECORRUPT, "body is not what its hash says");
    return 0;
}

static bool is_zero(struct bytes bytes)
{
    for (size_t i = 0; i < bytes.len; i++)
        if (bytes.data[i] != 0)
            return false;
    return true;
}

int body_check_stored(struct bytes stored, uint64_t length, struct err *err)
{
    struct bytes body = bytes_of(stored.data, length);
    struct bytes rest =
        bytes_of(stored.data + length, stored.len - (size_t)length);
    assert(stored.len == body_file_size(length));
    bool good = true;
    if (body_pieces(length) > 1) {
        struct body_hasher h;
        uint8_t hash[HASH_SIZE];
        size_t leaves_at = (size_t)(body_leaves_offset(length) - length);
        body_hasher_init(&h);
        body_hasher_put(&h, body);
        body_hasher_end(&h, hash);
        good = bytes_equal(bytes_of(rest.data + leaves_at, h.leaves.len),
                           buf_bytes(&h.leaves));
        body_hasher_deinit(&h);
        rest.len = leaves_at; /* hashes keep the alignment: the end */
    }
    if (good && is_zero(rest))
        return 0;
    return err_set(err, ATE_ECORRUPT,
                   "what stands behind the body is not its padding and the "
                   "hashes of its pieces");
}

void body_hash_of_leaves(struct bytes leaves, uint8_t out[HASH_SIZE])
{
    struct merkle m;
    merkle_init(&m);
    assert(leaves.len % HASH_SIZE == 0);
    for (size_t at = 0; at < leaves.len; at += HASH_SIZE)
        merkle_append_hash(&m, leaves.data + at);
    merkle_root(&m, out);
}

int body_piece_check(struct bytes leaves, uint64_t n, struct bytes piece,
                     struct err *err)
{
    uint8_t leaf[HASH_SIZE];
    assert(n < leaves.len / HASH_SIZE);
    hash_leaf(piece, leaf);
    if (memcmp(leaf, leaves.data + n * HASH_SIZE, HASH_SIZE) != 0)
        return err_set(err, ATE_ECORRUPT,
                       "piece %llu of a body is not what its hash says",
                       (unsigned long long)n);
    return 0;
}

uint64_t body_pieces(uint64_t length)
{
    return length / LIMIT_BODY_PIECE + (length % LIMIT_BODY_PIECE != 0);
}

bool body_is_inline(struct bytes type, uint64_t length)
{
    return length <= LIMIT_BODY_INLINE ||
           bytes_equal(type, bytes_of_text(TYPE_BUNDLE));
}

uint64_t body_leaves_offset(uint64_t length)
{
    assert(length <= LIMIT_BODY_SEGMENT);
    return (length + 7) / 8 * 8;
}

uint64_t body_file_size(uint64_t length)
{
    uint64_t pieces = body_pieces(length);
    return body_leaves_offset(length) + (pieces > 1 ? pieces * HASH_SIZE : 0);
}
