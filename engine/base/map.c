/* Open addressing with robin hood order.
 *
 * (1) cap is 0 or a power of two, and count <= cap * 7 / 8: a free slot always
 *     ends a search.
 * (2) An entry stands at or behind the slot its hash names (its home), with no
 *     free slot in between.
 * (3) Along a run of filled slots the distance from home grows by at most one a
 *     slot: a search may end where it would be farther from home than what it
 *     meets.
 *
 * Deleting shifts the entries behind one back, so that there are no
 * tombstones. */
#include "base/map.h"

#include <assert.h>
#include <string.h>

#include "base/memory.h"

enum { CAP_MIN = 8, INLINE_MAX = 32 };

struct map_slot {
    uint64_t hash;
    uint64_t value;
    uint32_t key_len;
    bool used;
    union {
        uint8_t bytes[INLINE_MAX]; /* an id fits */
        uint8_t *data;             /* a longer key, owned */
    } key;
};

/* ---- SipHash-1-3 (Aumasson, Bernstein) ---- */

static uint64_t rotate(uint64_t x, int bits)
{
    return x << bits | x >> (64 - bits);
}

static void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[0] = rotate(v[0], 32);
    v[2] += v[3];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[2] = rotate(v[2], 32);
}

static void sip_word(uint64_t v[4], uint64_t word)
{
    v[3] ^= word;
    sip_round(v);
    v[0] ^= word;
}

uint64_t siphash13(const uint64_t key[2], struct bytes bytes)
{
    uint64_t v[4] = {
        key[0] ^ 0x736f6d6570736575ULL,
        key[1] ^ 0x646f72616e646f6dULL,
        key[0] ^ 0x6c7967656e657261ULL,
        key[1] ^ 0x7465646279746573ULL,
    };
    size_t at = 0;
    for (; bytes.len - at >= 8; at += 8)
        sip_word(v, get_le64(bytes.data + at));
    uint64_t last = (uint64_t)bytes.len << 56;
    for (size_t i = 0; at + i < bytes.len; i++)
        last |= (uint64_t)bytes.data[at + i] << 8 * i;
    sip_word(v, last);
    v[2] ^= 0xff;
    for (int i = 0; i < 3; i++)
        sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* ---- slots ---- */

static struct bytes slot_key(const struct map_slot *slot)
{
    bool is_inline = slot->key_len <= INLINE_MAX;
    return bytes_of(is_inline ? slot->key.bytes : slot->key.data,
                    slot->key_len);
}

static void slot_set_key(struct map_slot *slot, struct bytes key)
{
    slot->key_len = (uint32_t)key.len;
    if (key.len > INLINE_MAX)
        slot->key.data = mem_copy(key.data, key.len);
    else if (key.len > 0)
        memcpy(slot->key.bytes, key.data, key.len);
}

static void slot_free_key(struct map_slot *slot)
{
    if (slot->used && slot->key_len > INLINE_MAX)
        mem_free(slot->key.data);
}

static size_t distance(const struct map *m, size_t at)
{
    return (at - m->slots[at].hash) & (m->cap - 1);
}

/* The slot that holds the key, or NULL. */
static struct map_slot *find(const struct map *m, struct bytes key,
                             uint64_t hash)
{
    if (m->count == 0)
        return NULL;
    size_t at = hash & (m->cap - 1);
    for (size_t far = 0;; far++, at = (at + 1) & (m->cap - 1)) {
        struct map_slot *slot = &m->slots[at];
        if (!slot->used || distance(m, at) < far) /* (1) (3) */
            return NULL;
        if (slot->hash == hash && bytes_equal(slot_key(slot), key))
            return slot;
    }
}

/* Put an entry that is not there yet; takes over its key. */
static void place(struct map *m, struct map_slot entry)
{
    size_t at = entry.hash & (m->cap - 1);
    for (size_t far = 0;; far++, at = (at + 1) & (m->cap - 1)) {
        struct map_slot *slot = &m->slots[at];
        if (!slot->used) {
            *slot = entry;
            return;
        }
        size_t other = distance(m, at);
        if (other < far) { /* the richer one moves on */
            struct map_slot moved = *slot;
            *slot = entry;
            entry = moved;
            far = other;
        }
    }
}

static void grow(struct map *m)
{
    struct map_slot *old = m->slots;
    size_t old_cap = m->cap;
    assert(old_cap <= SIZE_MAX / 4 / sizeof(*old));
    m->cap = old_cap == 0 ? CAP_MIN : old_cap * 2;
    m->slots = mem_zero(m->cap, sizeof(*m->slots));
    for (size_t i = 0; i < old_cap; i++)
        if (old[i].used)
            place(m, old[i]);
    mem_free(old);
}

/* ---- the map ---- */

void map_init(struct map *m, const uint8_t seed[MAP_SEED_LEN])
{
    *m = (struct map){.seed = {get_le64(seed), get_le64(seed + 8)}};
}

void map_clear(struct map *m)
{
    for (size_t i = 0; i < m->cap; i++)
        slot_free_key(&m->slots[i]);
    mem_free(m->slots);
    m->slots = NULL;
    m->cap = 0;
    m->count = 0;
}

void map_deinit(struct map *m)
{
    map_clear(m);
}

bool map_put(struct map *m, struct bytes key, uint64_t value)
{
    assert(key.len <= MAP_KEY_MAX);
    uint64_t hash = siphash13(m->seed, key);
    struct map_slot *slot = find(m, key, hash);
    if (slot != NULL) {
        slot->value = value;
        return false;
    }
    if (m->count >= m->cap / 8 * 7)
        grow(m);
    struct map_slot entry = {.hash = hash, .value = value, .used = true};
    slot_set_key(&entry, key);
    place(m, entry);
    m->count++;
    return true;
}

bool map_get(const struct map *m, struct bytes key, uint64_t *value)
{
    const struct map_slot *slot = find(m, key, siphash13(m->seed, key));
    if (slot == NULL)
        return false;
    *value = slot->value;
    return true;
}

bool map_delete(struct map *m, struct bytes key, uint64_t *value)
{
    struct map_slot *slot = find(m, key, siphash13(m->seed, key));
    if (slot == NULL)
        return false;
    if (value != NULL)
        *value = slot->value;
    slot_free_key(slot);
    size_t at = (size_t)(slot - m->slots);
    for (;;) {
        size_t next = (at + 1) & (m->cap - 1);
        if (!m->slots[next].used || distance(m, next) == 0)
            break;
        m->slots[at] = m->slots[next];
        at = next;
    }
    m->slots[at] = (struct map_slot){0};
    m->count--;
    return true;
}

bool map_put_pointer(struct map *m, struct bytes key, void *pointer)
{
    assert(pointer != NULL);
    return map_put(m, key, (uintptr_t)pointer);
}

void *map_get_pointer(const struct map *m, struct bytes key)
{
    uint64_t value;
    return map_get(m, key, &value) ? (void *)(uintptr_t)value : NULL;
}

void *map_delete_pointer(struct map *m, struct bytes key)
{
    uint64_t value;
    return map_delete(m, key, &value) ? (void *)(uintptr_t)value : NULL;
}

bool map_each(const struct map *m, size_t *position, struct bytes *key,
              uint64_t *value)
{
    while (*position < m->cap && !m->slots[*position].used)
        ++*position;
    if (*position >= m->cap)
        return false;
    const struct map_slot *slot = &m->slots[(*position)++];
    *key = slot_key(slot);
    *value = slot->value;
    return true;
}
