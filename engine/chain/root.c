/* The state root: a binary radix tree over the slots of all entries. Its shape
 * depends on the entries alone: sorted by slot, a range splits at the first bit
 * in which its first and last slot differ. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "chain/state.h"

struct leaf {
    uint8_t slot[HASH_SIZE];
    uint8_t hash[HASH_SIZE];
};

static void leaf_of(struct leaf *leaf, struct bytes key, struct bytes value)
{
    struct hasher h;
    hash_begin(&h, LABEL_SLOT);
    hash_u8(&h, key.data[0]);
    hash_part(&h, bytes_of(key.data + 1, key.len - 1));
    hash_end(&h, leaf->slot);
    hash_begin(&h, LABEL_LEAF);
    hash_part(&h, bytes_of(leaf->slot, HASH_SIZE));
    hash_part(&h, value);
    hash_end(&h, leaf->hash);
}

static int by_slot(const void *a, const void *b)
{
    return memcmp(((const struct leaf *)a)->slot,
                  ((const struct leaf *)b)->slot, HASH_SIZE);
}

/* The number of the first bit that differs, from the highest of byte 0. */
static unsigned first_difference(const uint8_t *a, const uint8_t *b)
{
    unsigned i = 0;
    while (i < HASH_SIZE && a[i] == b[i])
        i++;
    assert(i < HASH_SIZE);
    return i * 8 + (unsigned)__builtin_clz((unsigned)(a[i] ^ b[i])) - 24;
}

static bool bit_is_set(const uint8_t *slot, unsigned bit)
{
    return (slot[bit / 8] >> (7 - bit % 8) & 1) != 0;
}

/* Depth is bounded by the 256 bits of a slot. */
static void node_hash(const struct leaf *leaves, size_t count,
                      uint8_t out[HASH_SIZE])
{
    if (count == 1) {
        memcpy(out, leaves[0].hash, HASH_SIZE);
        return;
    }
    unsigned bit = first_difference(leaves[0].slot, leaves[count - 1].slot);
    size_t low = 1;
    size_t high = count - 1; /* the first leaf with the bit set is in here */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (bit_is_set(leaves[middle].slot, bit))
            high = middle;
        else
            low = middle + 1;
    }
    uint8_t left[HASH_SIZE];
    uint8_t right[HASH_SIZE];
    node_hash(leaves, low, left);
    node_hash(leaves + low, count - low, right);
    struct hasher h;
    hash_begin(&h, LABEL_NODE);
    hash_u64(&h, bit);
    hash_part(&h, bytes_of(left, HASH_SIZE));
    hash_part(&h, bytes_of(right, HASH_SIZE));
    hash_end(&h, out);
}

void state_root(struct tree_version v, uint8_t root[32])
{
    const uint8_t first = STATE_CHAIN;
    struct leaf *leaves = NULL;
    size_t count = 0;
    size_t cap = 0;
    struct tree_cursor c;
    bool more = tree_seek(&c, v, bytes_of(&first, 1));
    while (more && tree_cursor_key(&c).data[0] <= STATE_KIND_LAST) {
        leaves = mem_array_grow(leaves, count, &cap, sizeof(*leaves));
        leaf_of(&leaves[count++], tree_cursor_key(&c), tree_cursor_value(&c));
        more = tree_next(&c);
    }
    memset(root, 0, HASH_SIZE);
    if (count > 0) {
        qsort(leaves, count, sizeof(*leaves), by_slot);
        node_hash(leaves, count, root);
    }
    mem_free(leaves);
}
