/* Bodies in pieces.
 *
 * (1) Every piece but the last is of full size; the last is not empty. Leaf =
 *     RFC 9162's hash of a piece, body hash = root over leaves.
 * (2) Where there is one piece its leaf is the body hash: leaf hashes are kept
 *     of large bodies only. */
#include "event/body.h"

#include <assert.h>
#include <string.h>

#include "base/err.h"
#include "event/header.h"

/* The mark in front of a leaf (RFC 9162). */
static const uint8_t leaf_mark = 0x00;

void body_hasher_init(struct body_hasher *h, bool sealed)
{
    merkle_init(&h->tree);
    h->piece_size = body_piece_size(sealed);
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
        size_t n = h->piece_size - h->piece_len;
        if (n > bytes.len)
            n = bytes.len;
        hash_bare(&h->piece, bytes_of(bytes.data, n));
        h->piece_len += n;
        if (h->piece_len == h->piece_size)
            end_piece(h);
        bytes = bytes_of(bytes.data + n, bytes.len - n);
    }
}

void body_hasher_end(struct body_hasher *h, uint8_t out[HASH_SIZE])
{
    if (h->piece_len > 0)
        end_piece(h);
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
    body_hasher_init(&h, false);
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

bool body_padding_is(struct bytes padding)
{
    for (size_t i = 0; i < padding.len; i++)
        if (padding.data[i] != 0)
            return false;
    return true;
}

bool body_piece_is(const uint8_t leaf[HASH_SIZE], struct bytes piece)
{
    uint8_t found[HASH_SIZE];
    hash_leaf(piece, found);
    return memcmp(found, leaf, HASH_SIZE) == 0;
}

size_t body_piece_size(bool sealed)
{
    return sealed ? LIMIT_BODY_SEALED_PIECE : LIMIT_BODY_PIECE;
}

uint64_t body_pieces(uint64_t length, bool sealed)
{
    size_t size = body_piece_size(sealed);
    return length / size + (length % size != 0);
}

enum body_home body_home(struct bytes type, uint64_t length, bool sealed)
{
    if (length == 0)
        return BODY_NONE;
    if (length <= LIMIT_BODY_INLINE ||
        bytes_equal(type, bytes_of_text(TYPE_BUNDLE)))
        return BODY_INLINE;
    return body_pieces(length, sealed) == 1 ? BODY_FILE : BODY_LARGE;
}

enum body_home body_home_of(const struct event_header *header)
{
    return body_home(header->type, header->body_length,
                     header->seal.data != NULL);
}

uint64_t body_file_size(uint64_t length)
{
    return (length + 7) / 8 * 8;
}

uint64_t body_leaves_offset(uint64_t length)
{
    return (length + 7) / 8 * 8;
}

uint64_t body_large_size(uint64_t length, bool sealed)
{
    return body_leaves_offset(length) + body_pieces(length, sealed) * HASH_SIZE;
}
