/* The state root: a binary radix tree over the slots of all entries. Its shape
 * depends on the entries alone: what is below a node is split at the first bit
 * in which its slots differ. */
#include <assert.h>
#include <string.h>

#include "base/memory.h"
#include "state/state.h"

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

static bool bit_is_set(const uint8_t *slot, unsigned bit)
{
    return (slot[bit / 8] >> (7 - bit % 8) & 1) != 0;
}

/* Those whose bit is not set go first; how many these are. */
static size_t split(struct leaf *leaves, size_t count, unsigned bit)
{
    size_t low = 0;
    size_t high = count;
    while (low < high) {
        if (!bit_is_set(leaves[low].slot, bit)) {
            low++;
            continue;
        }
        struct leaf leaf = leaves[low];
        leaves[low] = leaves[--high];
        leaves[high] = leaf;
    }
    return low;
}

/* Of leaves whose slots agree below `bit`. Depth is bounded by the 256 bits of
 * a slot. */
static void node_hash(struct leaf *leaves, size_t count, unsigned bit,
                      uint8_t out[HASH_SIZE])
{
    if (count == 1) {
        memcpy(out, leaves[0].hash, HASH_SIZE);
        return;
    }
    size_t low;
    for (;; bit++) {
        assert(bit < HASH_SIZE * 8);
        low = split(leaves, count, bit);
        if (low > 0 && low < count)
            break;
    }
    uint8_t left[HASH_SIZE];
    uint8_t right[HASH_SIZE];
    node_hash(leaves, low, bit + 1, left);
    node_hash(leaves + low, count - low, bit + 1, right);
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
    if (count > 0)
        node_hash(leaves, count, 0, root);
    mem_free(leaves);
}
