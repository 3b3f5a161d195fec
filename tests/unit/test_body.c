#include "fixture_event.h"

#include "event/body.h"

enum { PIECE = LIMIT_BODY_PIECE };

/* A body whose bytes differ from place to place. */
static struct buf make(size_t len)
{
    struct buf b = {0};
    buf_reserve(&b, len + 1);
    for (size_t i = 0; i < len; i++)
        buf_put_u8(&b, (uint8_t)(i * 31 + i / 251));
    return b;
}

/* docs/format.md section 4: a tree over pieces, made by hand. */
static void hash_by_hand(struct bytes body, uint8_t out[HASH_SIZE])
{
    struct merkle tree;
    merkle_init(&tree);
    for (size_t at = 0; at < body.len; at += PIECE) {
        size_t left = body.len - at;
        merkle_append_leaf(
            &tree, bytes_of(body.data + at, left < PIECE ? left : PIECE));
    }
    merkle_root(&tree, out);
}

static const size_t lengths[] = {
    0,         1,         1024,          PIECE - 1,    PIECE,
    PIECE + 1, 2 * PIECE, 3 * PIECE + 9, 5 * PIECE - 1};
enum { LENGTHS = sizeof(lengths) / sizeof(lengths[0]) };

static void bodies_hash_in_pieces(void **state)
{
    (void)state;
    for (size_t i = 0; i < LENGTHS; i++) {
        struct buf body = make(lengths[i]);
        uint8_t want[HASH_SIZE];
        uint8_t got[HASH_SIZE];
        hash_by_hand(buf_bytes(&body), want);
        body_hash(buf_bytes(&body), got);
        assert_memory_equal(got, want, HASH_SIZE);
        buf_deinit(&body);
    }
}

/* However a body arrives, its hash and leaves are the same. */
static void arrival_does_not_matter(void **state)
{
    (void)state;
    static const size_t steps[] = {1000, PIECE - 1, PIECE, PIECE + 1, 200000};
    struct buf body = make(3 * PIECE + 9);
    uint8_t want[HASH_SIZE];
    body_hash(buf_bytes(&body), want);
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        struct body_hasher h;
        uint8_t got[HASH_SIZE];
        body_hasher_init(&h, false);
        for (size_t at = 0; at < body.len; at += steps[i]) {
            size_t left = body.len - at;
            body_hasher_put(&h, bytes_of(body.data + at,
                                         left < steps[i] ? left : steps[i]));
        }
        body_hasher_end(&h, got);
        assert_memory_equal(got, want, HASH_SIZE);
        assert_int_equal(h.leaves.len, 4 * HASH_SIZE);
        body_hasher_deinit(&h);
        body_hasher_deinit(&h);
    }
    struct body_hasher dropped;
    body_hasher_init(&dropped, false);
    body_hasher_put(&dropped, bytes_of(body.data, PIECE + 7));
    body_hasher_deinit(&dropped);
    buf_deinit(&body);
}

/* A range read checks its pieces alone. */
static void pieces_verify_alone(void **state)
{
    (void)state;
    struct buf body = make(2 * PIECE + 9);
    struct body_hasher h;
    uint8_t hash[HASH_SIZE];
    body_hasher_init(&h, false);
    body_hasher_put(&h, buf_bytes(&body));
    body_hasher_end(&h, hash);
    const uint8_t *leaves = h.leaves.data;
    struct bytes last = bytes_of(body.data + 2 * PIECE, 9);
    assert_true(body_piece_is(leaves + 2 * HASH_SIZE, last));
    assert_false(body_piece_is(leaves + HASH_SIZE, last));
    body.data[2 * PIECE] ^= 1;
    assert_false(body_piece_is(leaves + 2 * HASH_SIZE, last));
    body_hasher_deinit(&h);
    buf_deinit(&body);
}

/* Sealing makes each piece 16 bytes longer. */
static void sealed_pieces_are_longer(void **state)
{
    (void)state;
    enum { SEALED = LIMIT_BODY_SEALED_PIECE };
    struct buf body = make(2 * SEALED + 5);
    struct merkle tree;
    struct body_hasher h;
    uint8_t want[HASH_SIZE];
    uint8_t got[HASH_SIZE];
    merkle_init(&tree);
    merkle_append_leaf(&tree, bytes_of(body.data, SEALED));
    merkle_append_leaf(&tree, bytes_of(body.data + SEALED, SEALED));
    merkle_append_leaf(&tree, bytes_of(body.data + 2 * SEALED, 5));
    merkle_root(&tree, want);
    body_hasher_init(&h, true);
    body_hasher_put(&h, buf_bytes(&body));
    body_hasher_end(&h, got);
    assert_memory_equal(got, want, HASH_SIZE);
    body_hasher_deinit(&h);
    buf_deinit(&body);
}

static void changed_bodies_are_corrupt(void **state)
{
    (void)state;
    struct buf body = make(PIECE + 1);
    struct err err;
    uint8_t hash[HASH_SIZE];
    body_hash(buf_bytes(&body), hash);
    assert_int_equal(body_check(buf_bytes(&body), body.len, hash, &err), 0);
    assert_error(body_check(buf_bytes(&body), body.len + 1, hash, &err), &err,
                 ATE_ECORRUPT, "want 65538");
    body.data[PIECE] ^= 0x80;
    assert_error(body_check(buf_bytes(&body), body.len, hash, &err), &err,
                 ATE_ECORRUPT, "not what its hash says");
    assert_int_equal(body_check((struct bytes){0}, 0, NULL, &err), 0);
    assert_error(body_check(buf_bytes(&body), body.len, NULL, &err), &err,
                 ATE_ECORRUPT, "without a hash");
    buf_deinit(&body);
}

/* What the body file has behind a body: zeros to the next multiple of 8. */
static void padding_is_zeros(void **state)
{
    (void)state;
    struct buf body = make(1025);
    buf_pad(&body, 8);
    assert_int_equal(body.len, body_file_size(1025));
    struct bytes padding = bytes_of(body.data + 1025, body.len - 1025);
    assert_true(body_padding_is(padding));
    assert_true(body_padding_is(bytes_of(NULL, 0)));
    for (size_t at = 1025; at < body.len; at++) {
        body.data[at] ^= 0x10;
        assert_false(body_padding_is(padding));
        body.data[at] ^= 0x10;
    }
    buf_deinit(&body);
}

static void places_are_as_documented(void **state)
{
    (void)state;
    static const struct {
        uint64_t length;
        bool sealed;
        enum body_home home;
        uint64_t pieces, size;
    } rows[] = {
        {0, false, BODY_NONE, 0, 0},
        {1, false, BODY_INLINE, 1, 0},
        {1024, true, BODY_INLINE, 1, 0},
        {1025, false, BODY_FILE, 1, 1032},
        {PIECE, false, BODY_FILE, 1, PIECE},
        {PIECE + 1, true, BODY_FILE, 1, PIECE + 8},
        {PIECE + 16, true, BODY_FILE, 1, PIECE + 16},
        {PIECE + 17, true, BODY_LARGE, 2, PIECE + 24 + 64},
        {PIECE + 1, false, BODY_LARGE, 2, PIECE + 8 + 64},
        {2 * PIECE, false, BODY_LARGE, 2, 2 * PIECE + 64},
        {LIMIT_BODY, false, BODY_LARGE, 1 << 22,
         LIMIT_BODY + ((uint64_t)32 << 22)},
    };
    struct bytes bundle = bytes_of_text(TYPE_BUNDLE);
    struct bytes other = bytes_of_text("shop.page");
    assert_int_equal(body_home(bundle, LIMIT_BUNDLE, false), BODY_INLINE);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint64_t length = rows[i].length;
        bool sealed = rows[i].sealed;
        assert_int_equal(body_pieces(length, sealed), rows[i].pieces);
        assert_int_equal(body_home(other, length, sealed), rows[i].home);
        if (rows[i].home == BODY_FILE)
            assert_int_equal(body_file_size(length), rows[i].size);
        if (rows[i].home == BODY_LARGE)
            assert_int_equal(body_large_size(length, sealed), rows[i].size);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bodies_hash_in_pieces),
        cmocka_unit_test(arrival_does_not_matter),
        cmocka_unit_test(pieces_verify_alone),
        cmocka_unit_test(sealed_pieces_are_longer),
        cmocka_unit_test(changed_bodies_are_corrupt),
        cmocka_unit_test(padding_is_zeros),
        cmocka_unit_test(places_are_as_documented),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
