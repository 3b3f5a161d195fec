/* Appending to the tree of RFC 9162, section 2.1.
 *
 * (1) peaks[i] is set exactly where bit i of size is; the peak of the highest
 *     bit holds the oldest leaves.
 * (2) Appending is counting: a peak of the same height joins the new subtree on
 *     its left and is carried, as a set bit is when 1 is added.
 * (3) The root joins the peaks from the lowest up, the higher one left; that is
 *     the RFC's split at the largest power of two below the size. */
#include "crypto/merkle.h"

#include <assert.h>
#include <string.h>

void merkle_init(struct merkle *m)
{
    m->size = 0;
}

void merkle_append_hash(struct merkle *m, const uint8_t leaf_hash[HASH_SIZE])
{
    uint8_t carried[HASH_SIZE];
    memcpy(carried, leaf_hash, HASH_SIZE);
    assert(m->size < UINT64_MAX);
    unsigned height = 0;
    for (; (m->size >> height & 1) != 0; height++)
        hash_node(m->peaks[height], carried, carried);
    memcpy(m->peaks[height], carried, HASH_SIZE);
    m->size++;
}

void merkle_append_leaf(struct merkle *m, struct bytes leaf)
{
    uint8_t leaf_hash[HASH_SIZE];
    hash_leaf(leaf, leaf_hash);
    merkle_append_hash(m, leaf_hash);
}

void merkle_root(const struct merkle *m, uint8_t out[HASH_SIZE])
{
    if (m->size == 0) {
        sha256((struct bytes){0}, out);
        return;
    }
    unsigned height = (unsigned)__builtin_ctzll(m->size);
    uint8_t root[HASH_SIZE];
    memcpy(root, m->peaks[height], HASH_SIZE);
    for (height++; height < 64; height++)
        if ((m->size >> height & 1) != 0)
            hash_node(m->peaks[height], root, root);
    memcpy(out, root, HASH_SIZE);
}

void merkle_root_of_ids(const uint8_t (*ids)[HASH_SIZE], size_t count,
                        uint8_t out[HASH_SIZE])
{
    struct merkle m;
    merkle_init(&m);
    for (size_t i = 0; i < count; i++)
        merkle_append_leaf(&m, bytes_of(ids[i], HASH_SIZE));
    merkle_root(&m, out);
}

void merkle_root_of_hashes(const uint8_t (*leaf_hashes)[HASH_SIZE],
                           size_t count, uint8_t out[HASH_SIZE])
{
    struct merkle m;
    merkle_init(&m);
    for (size_t i = 0; i < count; i++)
        merkle_append_hash(&m, leaf_hashes[i]);
    merkle_root(&m, out);
}
