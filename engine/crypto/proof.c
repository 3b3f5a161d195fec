/* Proofs are made from the root down and told from the leaf up.
 *
 * (1) A tree of n > 1 leaves is split behind its first k, the largest power of
 *     two below n. So every part that a split leaves begins at a multiple of
 *     the powers of two it is made of: it is a row of complete subtrees, one
 *     for each bit set in its length, the largest first.
 * (2) Going down, each split adds the root of the side that is left alone. The
 *     one added last stands first in the proof.
 * (3) Checking follows RFC 9162, 2.1.3.2 and 2.1.4.2: two numbers, the place
 *     looked at and the last one of its level, lose their lowest bit with each
 *     level and say on which side the next hash stands; the proof ends where
 *     the last place is 0. */
#include "crypto/proof.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "base/err.h"

/* The largest power of two below n > 1. */
static uint64_t split(uint64_t n)
{
    assert(n > 1);
    return (uint64_t)1 << (63 - __builtin_clzll(n - 1));
}

/* Root of the `count` leaves from `start` on; they are a part as (1) has it. */
static int part_root(const struct proof_source *source, uint64_t start,
                     uint64_t count, uint8_t root[HASH_SIZE], struct err *err)
{
    uint8_t nodes[64][HASH_SIZE];
    size_t n = 0;
    assert(count > 0);
    for (unsigned height = 64; height-- > 0;) {
        uint64_t leaves = (uint64_t)1 << height;
        if ((count & leaves) == 0)
            continue;
        assert(start % leaves == 0);
        int rc =
            source->node(source->ctx, height, start >> height, nodes[n], err);
        if (rc != 0)
            return rc;
        start += leaves;
        n++;
    }
    memcpy(root, nodes[--n], HASH_SIZE);
    while (n > 0)
        hash_node(nodes[--n], root, root);
    return 0;
}

int proof_root(const struct proof_source *source, uint64_t size,
               uint8_t root[HASH_SIZE], struct err *err)
{
    if (size > 0)
        return part_root(source, 0, size, root, err);
    sha256(bytes_of(NULL, 0), root);
    return 0;
}

/* A proof while it is made. */
struct making {
    const struct proof_source *source;
    struct proof *proof;
    uint64_t start; /* of the part we stand in */
    uint64_t count; /* leaves of it */
};

static int add_part(struct making *m, uint64_t start, uint64_t count,
                    struct err *err)
{
    assert(m->proof->count < PROOF_HASHES_MAX);
    return part_root(m->source, start, count,
                     m->proof->hashes[m->proof->count++], err);
}

/* Go down into the side that holds leaf `leaf`, and add the other. */
static int descend(struct making *m, uint64_t leaf, struct err *err)
{
    uint64_t k = split(m->count);
    if (leaf - m->start < k) {
        int rc = add_part(m, m->start + k, m->count - k, err);
        m->count = k;
        return rc;
    }
    int rc = add_part(m, m->start, k, err);
    m->start += k;
    m->count -= k;
    return rc;
}

/* Invariant (2). */
static void turn(struct proof *proof)
{
    for (size_t i = 0, k = proof->count; i + 1 < k; i++) {
        uint8_t kept[HASH_SIZE];
        memcpy(kept, proof->hashes[i], HASH_SIZE);
        memcpy(proof->hashes[i], proof->hashes[--k], HASH_SIZE);
        memcpy(proof->hashes[k], kept, HASH_SIZE);
    }
}

static int no_leaf(uint64_t index, uint64_t size, struct err *err)
{
    return err_set(err, ATE_EINVALID,
                   "a tree of %" PRIu64 " leaves has no leaf %" PRIu64, size,
                   index);
}

static int no_past(uint64_t from, uint64_t to, struct err *err)
{
    return err_set(err, ATE_EINVALID,
                   "a tree of %" PRIu64 " leaves is not in the past of one of "
                   "%" PRIu64,
                   from, to);
}

int proof_inclusion(const struct proof_source *source, uint64_t index,
                    uint64_t size, struct proof *proof, struct err *err)
{
    struct making m = {.source = source, .proof = proof, .count = size};
    int rc = 0;
    proof->count = 0;
    if (index >= size)
        return no_leaf(index, size, err);
    while (m.count > 1 && rc == 0)
        rc = descend(&m, index, err);
    turn(proof);
    return rc;
}

int proof_consistency(const struct proof_source *source, uint64_t from,
                      uint64_t to, struct proof *proof, struct err *err)
{
    struct making m = {.source = source, .proof = proof, .count = to};
    int rc = 0;
    proof->count = 0;
    if (from > to)
        return no_past(from, to, err);
    if (from == 0)
        return 0;
    /* Until the part ends where the smaller tree does. */
    while (m.start + m.count != from && rc == 0)
        rc = descend(&m, from - 1, err);
    if (m.start > 0 && rc == 0)
        rc = add_part(&m, m.start, m.count, err);
    turn(proof);
    return rc;
}

/* ---- checking ---- */

/* The place looked at and the last one of its level (3). */
struct climb {
    uint64_t place;
    uint64_t last;
};

static bool is_left_out(const struct climb *c)
{
    return (c->place & 1) != 0 || c->place == c->last;
}

static void climb_one(struct climb *c)
{
    c->place >>= 1;
    c->last >>= 1;
}

/* Behind a hash that stood on the left: to the level where the place has a
 * right neighbour again. */
static void climb_edge(struct climb *c)
{
    while ((c->place & 1) == 0 && c->place != 0)
        climb_one(c);
}

static int wrong_length(const struct proof *proof, struct err *err)
{
    return err_set(err, ATE_ECORRUPT,
                   "a proof of %zu hashes is not of these sizes", proof->count);
}

int proof_inclusion_root(const struct proof *proof,
                         const uint8_t leaf[HASH_SIZE], uint64_t index,
                         uint64_t size, uint8_t root[HASH_SIZE],
                         struct err *err)
{
    struct climb c = {.place = index, .last = size - 1};
    if (index >= size)
        return no_leaf(index, size, err);
    memcpy(root, leaf, HASH_SIZE);
    for (size_t i = 0; i < proof->count; i++) {
        if (c.last == 0)
            return wrong_length(proof, err);
        if (is_left_out(&c)) {
            hash_node(proof->hashes[i], root, root);
            climb_edge(&c);
        } else {
            hash_node(root, proof->hashes[i], root);
        }
        climb_one(&c);
    }
    return c.last == 0 ? 0 : wrong_length(proof, err);
}

int proof_check_inclusion(const struct proof *proof,
                          const uint8_t leaf[HASH_SIZE], uint64_t index,
                          uint64_t size, const uint8_t root[HASH_SIZE],
                          struct err *err)
{
    uint8_t found[HASH_SIZE];
    int rc = proof_inclusion_root(proof, leaf, index, size, found, err);
    if (rc != 0)
        return rc;
    if (memcmp(found, root, HASH_SIZE) != 0)
        return err_set(err, ATE_ECORRUPT,
                       "leaf %" PRIu64 " and its proof do not come to the "
                       "root of %" PRIu64 " leaves",
                       index, size);
    return 0;
}

/* Sizes of which nothing is left to be proved by hashes. */
static int check_trivial(const struct proof *proof, uint64_t from,
                         const uint8_t *from_root, uint64_t to,
                         const uint8_t *to_root, struct err *err)
{
    uint8_t empty[HASH_SIZE];
    sha256(bytes_of(NULL, 0), empty);
    if (proof->count != 0)
        return wrong_length(proof, err);
    if ((from == 0 && memcmp(from_root, empty, HASH_SIZE) != 0) ||
        (from == to && memcmp(from_root, to_root, HASH_SIZE) != 0))
        return err_set(err, ATE_ECORRUPT,
                       "two roots of %" PRIu64 " leaves differ", from);
    return 0;
}

int proof_check_consistency(const struct proof *proof, uint64_t from,
                            const uint8_t from_root[HASH_SIZE], uint64_t to,
                            const uint8_t to_root[HASH_SIZE], struct err *err)
{
    uint8_t past[HASH_SIZE];
    uint8_t now[HASH_SIZE];
    if (from > to)
        return no_past(from, to, err);
    if (from == 0 || from == to)
        return check_trivial(proof, from, from_root, to, to_root, err);
    /* The smaller tree's root is the first hash where it is one subtree. */
    bool is_subtree = (from & (from - 1)) == 0;
    size_t i = is_subtree ? 0 : 1;
    if (proof->count == 0)
        return wrong_length(proof, err);
    memcpy(past, is_subtree ? from_root : proof->hashes[0], HASH_SIZE);
    memcpy(now, past, HASH_SIZE);
    struct climb c = {.place = from - 1, .last = to - 1};
    while ((c.place & 1) != 0)
        climb_one(&c);
    for (; i < proof->count; i++) {
        if (c.last == 0)
            return wrong_length(proof, err);
        if (is_left_out(&c)) {
            hash_node(proof->hashes[i], past, past);
            hash_node(proof->hashes[i], now, now);
            climb_edge(&c);
        } else {
            hash_node(now, proof->hashes[i], now);
        }
        climb_one(&c);
    }
    if (c.last != 0)
        return wrong_length(proof, err);
    if (memcmp(past, from_root, HASH_SIZE) != 0)
        return err_set(
            err, ATE_ECORRUPT,
            "the proof does not come to the root of %" PRIu64 " leaves", from);
    if (memcmp(now, to_root, HASH_SIZE) != 0)
        return err_set(
            err, ATE_ECORRUPT,
            "the proof does not come to the root of %" PRIu64 " leaves", to);
    return 0;
}
