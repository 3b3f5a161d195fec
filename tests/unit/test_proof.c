#include "fixture_event.h"

#include "crypto/proof.h"

/* Trees up to this size are gone through without a gap. */
enum { SIZES = 300 };

static uint8_t leaves[SIZES][HASH_SIZE];

/* ---- the RFC's definitions, word by word ---- */

/* MTH of the `count` leaves from `start` on; kept, for it is asked often. */
static const uint8_t *defined_root(size_t start, size_t count)
{
    static uint8_t roots[SIZES][SIZES + 1][HASH_SIZE];
    static bool known[SIZES][SIZES + 1];
    uint8_t *root = roots[start][count];
    if (known[start][count])
        return root;
    known[start][count] = true;
    if (count == 1) {
        memcpy(root, leaves[start], HASH_SIZE);
        return root;
    }
    size_t k = 1;
    while (k * 2 < count)
        k *= 2;
    hash_node(defined_root(start, k), defined_root(start + k, count - k), root);
    return root;
}

static void add(struct proof *proof, const uint8_t *hash)
{
    memcpy(proof->hashes[proof->count++], hash, HASH_SIZE);
}

/* PATH(m, D[n]) of section 2.1.3.1, the leaves being those from `start` on. */
static void defined_path(size_t start, size_t m, size_t n, struct proof *proof)
{
    size_t k = 1;
    if (n == 1)
        return;
    while (k * 2 < n)
        k *= 2;
    if (m < k) {
        defined_path(start, m, k, proof);
        add(proof, defined_root(start + k, n - k));
    } else {
        defined_path(start + k, m - k, n - k, proof);
        add(proof, defined_root(start, k));
    }
}

/* SUBPROOF(m, D[n], b) of section 2.1.4.1. */
static void defined_subproof(size_t start, size_t m, size_t n, bool b,
                             struct proof *proof)
{
    size_t k = 1;
    if (m == n) {
        if (!b)
            add(proof, defined_root(start, n));
        return;
    }
    while (k * 2 < n)
        k *= 2;
    if (m <= k) {
        defined_subproof(start, m, k, b, proof);
        add(proof, defined_root(start + k, n - k));
    } else {
        defined_subproof(start + k, m - k, n - k, false, proof);
        add(proof, defined_root(start, k));
    }
}

/* ---- a source over the same leaves ---- */

static int node(void *ctx, unsigned height, uint64_t index,
                uint8_t out[HASH_SIZE], struct err *err)
{
    size_t *size = ctx;
    (void)err;
    assert_true(height < 64);
    assert_true((index + 1) << height <= *size);
    memcpy(out, defined_root(index << height, (size_t)1 << height), HASH_SIZE);
    return 0;
}

static struct proof_source source_of(size_t *size)
{
    return (struct proof_source){.node = node, .ctx = size};
}

static int fill_leaves(void **state)
{
    (void)state;
    for (size_t i = 0; i < SIZES; i++) {
        uint8_t leaf[2] = {(uint8_t)(i >> 8), (uint8_t)i};
        hash_leaf(bytes_of(leaf, sizeof(leaf)), leaves[i]);
    }
    return 0;
}

static void assert_proof(const struct proof *got, const struct proof *want)
{
    assert_int_equal(got->count, want->count);
    assert_memory_equal(got->hashes, want->hashes, want->count * HASH_SIZE);
}

static void inclusion_is_as_defined_at_every_size(void **state)
{
    (void)state;
    for (size_t size = 1; size <= SIZES; size++) {
        struct proof_source source = source_of(&size);
        uint8_t root[HASH_SIZE];
        assert_int_equal(proof_root(&source, size, root, NULL), 0);
        assert_memory_equal(root, defined_root(0, size), HASH_SIZE);
        for (size_t i = 0; i < size; i++) {
            struct proof proof;
            struct proof want = {0};
            struct err err = {0};
            assert_int_equal(proof_inclusion(&source, i, size, &proof, &err),
                             0);
            defined_path(0, i, size, &want);
            assert_proof(&proof, &want);
            assert_int_equal(
                proof_check_inclusion(&proof, leaves[i], i, size, root, &err),
                0);
        }
    }
}

static void consistency_is_as_defined_at_every_size(void **state)
{
    (void)state;
    for (size_t to = 1; to <= SIZES; to++) {
        struct proof_source source = source_of(&to);
        for (size_t from = 1; from <= to; from++) {
            struct proof proof;
            struct proof want = {0};
            struct err err = {0};
            assert_int_equal(proof_consistency(&source, from, to, &proof, &err),
                             0);
            defined_subproof(0, from, to, true, &want);
            assert_proof(&proof, &want);
            assert_int_equal(proof_check_consistency(&proof, from,
                                                     defined_root(0, from), to,
                                                     defined_root(0, to), &err),
                             0);
        }
    }
}

/* ---- what is refused ---- */

static int check_inclusion(const struct proof *proof, const uint8_t *leaf,
                           uint64_t index, uint64_t size, const uint8_t *root)
{
    struct err err = {0};
    int rc = proof_check_inclusion(proof, leaf, index, size, root, &err);
    if (rc != 0) {
        assert_int_equal(rc, err.code);
        assert_true(err.text[0] != '\0');
    }
    return rc;
}

/* One hash more, less or other at any place. */
static void each_change(const struct proof *good,
                        void (*refused)(const struct proof *proof, void *ctx),
                        void *ctx)
{
    struct proof bad;
    for (size_t i = 0; i < good->count; i++) {
        bad = *good;
        bad.hashes[i][i % HASH_SIZE] ^= 1;
        refused(&bad, ctx);
        bad = *good;
        memmove(bad.hashes[i], bad.hashes[i + 1],
                (bad.count - i - 1) * HASH_SIZE);
        bad.count--;
        refused(&bad, ctx);
        if (i > 0 && memcmp(good->hashes[i], good->hashes[i - 1], HASH_SIZE)) {
            bad = *good;
            memcpy(bad.hashes[i], good->hashes[i - 1], HASH_SIZE);
            memcpy(bad.hashes[i - 1], good->hashes[i], HASH_SIZE);
            refused(&bad, ctx);
        }
    }
    for (size_t i = 0; i <= good->count; i++) {
        bad = *good;
        memmove(bad.hashes[i + 1], bad.hashes[i], (bad.count - i) * HASH_SIZE);
        memset(bad.hashes[i], 0, HASH_SIZE);
        bad.count++;
        refused(&bad, ctx);
    }
}

struct place {
    uint64_t a;
    uint64_t b;
};

static void inclusion_refused(const struct proof *proof, void *ctx)
{
    const struct place *p = ctx;
    assert_int_equal(
        check_inclusion(proof, leaves[p->a], p->a, p->b, defined_root(0, p->b)),
        ATE_ECORRUPT);
}

static void changed_inclusion_is_refused(void **state)
{
    (void)state;
    for (size_t size = 1; size <= 40; size++) {
        for (size_t i = 0; i < size; i++) {
            struct proof proof = {0};
            struct place place = {i, size};
            const uint8_t *root = defined_root(0, size);
            defined_path(0, i, size, &proof);
            each_change(&proof, inclusion_refused, &place);
            assert_true(check_inclusion(&proof, leaves[(i + 1) % SIZES], i,
                                        size, root) < 0);
            for (size_t other = 0; other < 2 * size; other++)
                if (other != i)
                    assert_true(check_inclusion(&proof, leaves[i], other, size,
                                                root) < 0);
            assert_true(check_inclusion(&proof, leaves[i], i, size,
                                        defined_root(0, size + 1)) < 0);
        }
    }
}

static void consistency_refused(const struct proof *proof, void *ctx)
{
    const struct place *p = ctx;
    struct err err = {0};
    assert_int_equal(proof_check_consistency(proof, p->a, defined_root(0, p->a),
                                             p->b, defined_root(0, p->b), &err),
                     ATE_ECORRUPT);
}

static void changed_consistency_is_refused(void **state)
{
    (void)state;
    for (size_t to = 1; to <= 40; to++) {
        for (size_t from = 1; from <= to; from++) {
            struct proof proof = {0};
            struct place place = {from, to};
            defined_subproof(0, from, to, true, &proof);
            each_change(&proof, consistency_refused, &place);
            for (size_t other = 1; other <= to; other++) {
                /* Another size with this one's root, and the other way. */
                if (other == from)
                    continue;
                assert_true(proof_check_consistency(
                                &proof, other, defined_root(0, from), to,
                                defined_root(0, to), NULL) < 0);
                assert_true(proof_check_consistency(
                                &proof, from, defined_root(0, other), to,
                                defined_root(0, to), NULL) < 0);
            }
            if (from < to)
                assert_true(proof_check_consistency(
                                &proof, from, defined_root(0, to), to,
                                defined_root(0, from), NULL) < 0);
        }
    }
}

/* A proof's length says how many leaves there are; a size of another shape
 * needs another one. (One of the same shape is told apart by the root.) */
static void sizes_outside_of_the_tree_are_refused(void **state)
{
    (void)state;
    size_t size = 7;
    struct proof_source source = source_of(&size);
    struct proof proof = {0};
    struct err err = {0};
    assert_error(proof_inclusion(&source, 7, 7, &proof, &err), &err,
                 ATE_EINVALID, "no leaf 7");
    assert_error(proof_inclusion(&source, 0, 0, &proof, &err), &err,
                 ATE_EINVALID, "no leaf 0");
    assert_error(proof_consistency(&source, 8, 7, &proof, &err), &err,
                 ATE_EINVALID, "not in the past");
    assert_error(
        proof_check_inclusion(&proof, leaves[0], 1, 1, leaves[0], &err), &err,
        ATE_EINVALID, "no leaf 1");
    assert_error(
        proof_check_consistency(&proof, 2, leaves[0], 1, leaves[0], &err), &err,
        ATE_EINVALID, "not in the past");
    proof.count = 1;
    assert_error(
        proof_check_inclusion(&proof, leaves[0], 0, 1, leaves[0], &err), &err,
        ATE_ECORRUPT, "of 1 hashes");
    assert_true(check_inclusion(&proof, leaves[0], 0, UINT64_MAX, leaves[0]) <
                0);
}

/* Of nothing there is one root, and it needs no proof. */
static void the_empty_tree_is_in_every_past(void **state)
{
    (void)state;
    size_t size = 7;
    struct proof_source source = source_of(&size);
    struct proof proof;
    struct err err = {0};
    uint8_t empty[HASH_SIZE];
    assert_int_equal(proof_root(&source, 0, empty, &err), 0);
    assert_hash(empty, "e3b0c44298fc1c149afbf4c8996fb924"
                       "27ae41e4649b934ca495991b7852b855");
    assert_int_equal(proof_consistency(&source, 0, 7, &proof, &err), 0);
    assert_int_equal(proof.count, 0);
    assert_int_equal(
        proof_check_consistency(&proof, 0, empty, 7, defined_root(0, 7), &err),
        0);
    assert_int_equal(proof_check_consistency(&proof, 0, empty, 0, empty, &err),
                     0);
    assert_error(proof_check_consistency(&proof, 0, leaves[0], 7,
                                         defined_root(0, 7), &err),
                 &err, ATE_ECORRUPT, "differ");
}

/* The sources may have to fetch: what they say comes through. */
static int absent(void *ctx, unsigned height, uint64_t index,
                  uint8_t out[HASH_SIZE], struct err *err)
{
    (void)ctx;
    (void)height;
    (void)index;
    (void)out;
    return err_set(err, ATE_ENEED, "not at hand");
}

static void a_source_that_has_nothing_ends_it(void **state)
{
    (void)state;
    struct proof_source source = {.node = absent};
    struct proof proof;
    struct err err = {0};
    uint8_t root[HASH_SIZE];
    assert_int_equal(proof_root(&source, 5, root, &err), ATE_ENEED);
    assert_int_equal(proof_inclusion(&source, 2, 5, &proof, &err), ATE_ENEED);
    assert_int_equal(proof_consistency(&source, 2, 5, &proof, &err), ATE_ENEED);
}

/* ---- published vectors ---- */

/* The eight leaves of Certificate Transparency's tests (test_merkle.c has their
 * roots), and proofs over them as its implementations publish them. */
struct vector {
    uint64_t a; /* index; the smaller size */
    uint64_t b; /* size; the larger */
    const char *hashes[4];
};

static const struct vector inclusions[] = {
    {0, 1, {NULL}},
    {0,
     8,
     {"96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
      "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
      "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"}},
    {5,
     8,
     {"bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
      "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
      "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"}},
    {2,
     3,
     {"fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"}},
    {1,
     5,
     {"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
      "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
      "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"}},
};

static const struct vector consistencies[] = {
    {1, 1, {NULL}},
    {1,
     8,
     {"96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
      "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
      "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"}},
    {6,
     8,
     {"0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
      "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
      "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"}},
    {2,
     5,
     {"5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
      "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"}},
    {6,
     7,
     {"0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
      "b08693ec2e721597130641e8211e7eedccb4c26413963eee6c1e2ed16ffb1a5f",
      "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"}},
};

static void vector_leaves(void)
{
    static const char *const hex[] = {
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    };
    for (size_t i = 0; i < 8; i++) {
        uint8_t data[16];
        fixture_hex(hex[i], data);
        hash_leaf(bytes_of(data, strlen(hex[i]) / 2), leaves[i]);
    }
}

static void assert_vector(const struct proof *proof, const struct vector *v)
{
    size_t count = 0;
    for (; v->hashes[count] != NULL; count++)
        assert_hash(proof->hashes[count], v->hashes[count]);
    assert_int_equal(proof->count, count);
}

static void root_of(size_t size, uint8_t root[HASH_SIZE])
{
    merkle_root_of_hashes((const uint8_t(*)[HASH_SIZE])leaves, size, root);
}

/* Straight from the hashes, past what defined_root() has kept. */
static int plain_node(void *ctx, unsigned height, uint64_t index,
                      uint8_t out[HASH_SIZE], struct err *err)
{
    (void)ctx;
    (void)err;
    merkle_root_of_hashes(
        (const uint8_t(*)[HASH_SIZE])(leaves + (index << height)),
        (size_t)1 << height, out);
    return 0;
}

static void published_vectors_hold(void **state)
{
    (void)state;
    struct proof_source source = {.node = plain_node};
    struct proof proof;
    uint8_t from[HASH_SIZE];
    uint8_t to[HASH_SIZE];
    vector_leaves();
    for (size_t i = 0; i < sizeof(inclusions) / sizeof(*inclusions); i++) {
        const struct vector *v = &inclusions[i];
        assert_int_equal(proof_inclusion(&source, v->a, v->b, &proof, NULL), 0);
        assert_vector(&proof, v);
        root_of(v->b, to);
        assert_int_equal(check_inclusion(&proof, leaves[v->a], v->a, v->b, to),
                         0);
    }
    for (size_t i = 0; i < sizeof(consistencies) / sizeof(*consistencies);
         i++) {
        const struct vector *v = &consistencies[i];
        assert_int_equal(proof_consistency(&source, v->a, v->b, &proof, NULL),
                         0);
        assert_vector(&proof, v);
        root_of(v->a, from);
        root_of(v->b, to);
        assert_int_equal(
            proof_check_consistency(&proof, v->a, from, v->b, to, NULL), 0);
    }
    fill_leaves(NULL);
}

/* The trees of RFC 9162, section 2.1.5, by the letters it gives them. */
static void examples_of_rfc_9162_hold(void **state)
{
    (void)state;
    struct proof_source source = {.node = plain_node};
    uint8_t g[HASH_SIZE];
    uint8_t h[HASH_SIZE];
    uint8_t i[HASH_SIZE];
    uint8_t k[HASH_SIZE];
    uint8_t l[HASH_SIZE];
    const uint8_t *a = leaves[0], *b = leaves[1], *c = leaves[2];
    const uint8_t *d = leaves[3], *e = leaves[4], *f = leaves[5];
    const uint8_t *j = leaves[6];
    hash_node(a, b, g);
    hash_node(c, d, h);
    hash_node(e, f, i);
    hash_node(g, h, k);
    hash_node(i, j, l);
    const struct {
        uint64_t a, b;
        bool is_inclusion;
        const uint8_t *hashes[5];
    } examples[] = {
        {0, 7, true, {b, h, l}},     {3, 7, true, {c, g, l}},
        {4, 7, true, {f, j, k}},     {6, 7, true, {i, k}},
        {3, 7, false, {c, d, g, l}}, {4, 7, false, {l}},
        {6, 7, false, {i, j, k}},
    };
    for (size_t n = 0; n < sizeof(examples) / sizeof(*examples); n++) {
        struct proof proof;
        struct proof want = {0};
        int rc = examples[n].is_inclusion
                     ? proof_inclusion(&source, examples[n].a, examples[n].b,
                                       &proof, NULL)
                     : proof_consistency(&source, examples[n].a, examples[n].b,
                                         &proof, NULL);
        assert_int_equal(rc, 0);
        while (examples[n].hashes[want.count] != NULL)
            add(&want, examples[n].hashes[want.count]);
        assert_proof(&proof, &want);
    }
}

/* Far larger than anything that could be built: every subtree is known by its
 * place alone. */
static int placed_node(void *ctx, unsigned height, uint64_t index,
                       uint8_t out[HASH_SIZE], struct err *err)
{
    (void)ctx;
    (void)err;
    memset(out, 0, HASH_SIZE);
    put_be64(out, height);
    put_be64(out + 8, index);
    return 0;
}

static void the_largest_sizes_fit(void **state)
{
    (void)state;
    static const uint64_t sizes[] = {
        UINT64_MAX,         UINT64_MAX - 1,
        (uint64_t)1 << 63,  ((uint64_t)1 << 63) + 1,
        UINT64_MAX / 3 * 2,
    };
    struct proof_source source = {.node = placed_node};
    struct proof proof;
    struct err err = {0};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
        uint64_t size = sizes[i];
        for (unsigned bit = 0; bit < 64; bit++) {
            uint64_t at = size - 1 - (((uint64_t)1 << bit) & (size - 1));
            assert_int_equal(proof_inclusion(&source, at, size, &proof, &err),
                             0);
            assert_true(proof.count <= 64);
            uint8_t root[HASH_SIZE];
            assert_int_equal(
                proof_inclusion_root(&proof, leaves[0], at, size, root, &err),
                0);
            if (at == 0)
                continue;
            assert_int_equal(proof_consistency(&source, at, size, &proof, &err),
                             0);
            assert_true(proof.count > 0 && proof.count <= PROOF_HASHES_MAX);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(inclusion_is_as_defined_at_every_size),
        cmocka_unit_test(consistency_is_as_defined_at_every_size),
        cmocka_unit_test(changed_inclusion_is_refused),
        cmocka_unit_test(changed_consistency_is_refused),
        cmocka_unit_test(sizes_outside_of_the_tree_are_refused),
        cmocka_unit_test(the_empty_tree_is_in_every_past),
        cmocka_unit_test(a_source_that_has_nothing_ends_it),
        cmocka_unit_test(published_vectors_hold),
        cmocka_unit_test(examples_of_rfc_9162_hold),
        cmocka_unit_test(the_largest_sizes_fit),
    };
    return cmocka_run_group_tests(tests, fill_leaves, NULL);
}
