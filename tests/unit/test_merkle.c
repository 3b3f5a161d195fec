#include "fixture_event.h"

/* The leaves and roots that Certificate Transparency's implementations test
 * themselves with. */
static const char *const leaves_hex[] = {
    "",
    "00",
    "10",
    "2021",
    "3031",
    "40414243",
    "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
};

static const char *const roots[] = {
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
};

enum { LEAVES = 8 };

static void roots_are_those_of_rfc_9162(void **state)
{
    (void)state;
    uint8_t leaf[16];
    struct merkle m;
    uint8_t root[HASH_SIZE];
    merkle_init(&m);
    for (size_t i = 0; i <= LEAVES; i++) {
        merkle_root(&m, root);
        assert_hash(root, roots[i]);
        if (i == LEAVES)
            break;
        fixture_hex(leaves_hex[i], leaf);
        merkle_append_leaf(&m, bytes_of(leaf, strlen(leaves_hex[i]) / 2));
    }
}

/* The RFC's definition, word by word, over `count` leaf hashes. */
static void defined_root(const uint8_t (*hashes)[HASH_SIZE], size_t count,
                         uint8_t out[HASH_SIZE])
{
    uint8_t left[HASH_SIZE];
    uint8_t right[HASH_SIZE];
    size_t k = 1;
    if (count == 1) {
        memcpy(out, hashes[0], HASH_SIZE);
        return;
    }
    while (k * 2 < count)
        k *= 2;
    defined_root(hashes, k, left);
    defined_root(hashes + k, count - k, right);
    hash_node(left, right, out);
}

static void every_size_has_the_defined_root(void **state)
{
    (void)state;
    enum { COUNT = 260 };
    static uint8_t ids[COUNT][HASH_SIZE];
    static uint8_t hashes[COUNT][HASH_SIZE];
    uint8_t want[HASH_SIZE];
    uint8_t got[HASH_SIZE];
    struct merkle m;
    merkle_init(&m);
    for (size_t i = 0; i < COUNT; i++) {
        memset(ids[i], (int)i, HASH_SIZE);
        hash_leaf(bytes_of(ids[i], HASH_SIZE), hashes[i]);
        merkle_append_hash(&m, hashes[i]);
        assert_int_equal(m.size, i + 1);
        defined_root((const uint8_t(*)[HASH_SIZE])hashes, i + 1, want);
        merkle_root(&m, got);
        assert_memory_equal(got, want, HASH_SIZE);
    }
    merkle_root_of_ids((const uint8_t(*)[HASH_SIZE])ids, COUNT, got);
    assert_memory_equal(got, want, HASH_SIZE);
    merkle_root_of_hashes((const uint8_t(*)[HASH_SIZE])hashes, COUNT, got);
    assert_memory_equal(got, want, HASH_SIZE);
}

/* A copy is a point to go back to: appending to one leaves the other alone. */
static void copies_are_independent(void **state)
{
    (void)state;
    struct merkle m;
    uint8_t before[HASH_SIZE];
    uint8_t after[HASH_SIZE];
    merkle_init(&m);
    for (int i = 0; i < 7; i++)
        merkle_append_leaf(&m, bytes_of_text("leaf"));
    struct merkle saved = m;
    merkle_root(&m, before);
    merkle_append_leaf(&m, bytes_of_text("more"));
    merkle_root(&saved, after);
    assert_memory_equal(before, after, HASH_SIZE);
    merkle_append_leaf(&saved, bytes_of_text("more"));
    merkle_root(&m, before);
    merkle_root(&saved, after);
    assert_memory_equal(before, after, HASH_SIZE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(roots_are_those_of_rfc_9162),
        cmocka_unit_test(every_size_has_the_defined_root),
        cmocka_unit_test(copies_are_independent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
