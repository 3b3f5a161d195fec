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
        body_hasher_init(&h);
        for (size_t at = 0; at < body.len; at += steps[i]) {
            size_t left = body.len - at;
            body_hasher_put(&h, bytes_of(body.data + at,
                                         left < steps[i] ? left : steps[i]));
        }
        body_hasher_end(&h, got);
        assert_memory_equal(got, want, HASH_SIZE);
        assert_int_equal(h.leaves.len, 4 * HASH_SIZE);
        body_hash_of_leaves(buf_bytes(&h.leaves), got);
        assert_memory_equal(got, want, HASH_SIZE);
        body_hasher_deinit(&h);
        body_hasher_deinit(&h);
    }
    struct body_hasher dropped;
    body_hasher_init(&dropped);
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
    struct err err;
    uint8_t hash[HASH_SIZE];
    body_hasher_init(&h);
    body_hasher_put(&h, buf_bytes(&body));
    body_hasher_end(&h, hash);
    struct bytes leaves = buf_bytes(&h.leaves);
    struct bytes last = bytes_of(body.data + 2 * PIECE, 9);
    assert_int_equal(body_piece_check(leaves, 2, last, &err), 0);
    assert_error(body_piece_check(leaves, 1, last, &err), &err, ATE_ECORRUPT,
                 "piece 1");
    body.data[2 * PIECE] ^= 1;
    assert_error(body_piece_check(leaves, 2, last, &err), &err, ATE_ECORRUPT,
                 "piece 2");
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

/* What the body file has: the body, zeros to the next multiple of 8, the hashes
 * of several pieces; each of its bytes has one value. */
static void what_stands_behind_a_body_is_checked(void **state)
{
    (void)state;
    static const size_t sizes[] = {1025, 1032, PIECE, PIECE + 1, 2 * PIECE};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct buf body = make(sizes[i]);
        struct body_hasher h;
        struct err err;
        uint8_t hash[HASH_SIZE];
        body_hasher_init(&h);
        body_hasher_put(&h, buf_bytes(&body));
        body_hasher_end(&h, hash);
        buf_pad(&body, 8);
        if (sizes[i] > PIECE)
            buf_put_bytes(&body, buf_bytes(&h.leaves));
        assert_int_equal(body.len, body_file_size(sizes[i]));
        assert_int_equal(body_check_stored(buf_bytes(&body), sizes[i], &err),
                         0);
        for (size_t at = sizes[i]; at < body.len; at++) {
            body.data[at] ^= 0x10;
            assert_error(body_check_stored(buf_bytes(&body), sizes[i], &err),
                         &err, ATE_ECORRUPT, "stands behind the body");
            body.data[at] ^= 0x10;
        }
        body_hasher_deinit(&h);
        buf_deinit(&body);
    }
}

static void places_are_as_documented(void **state)
{
    (void)state;
    static const struct {
        uint64_t length, pieces, size;
    } rows[] = {
        {0, 0, 0},
        {1, 1, 0},
        {1024, 1, 0},
        {1025, 1, 1032},
        {PIECE, 1, PIECE},
        {PIECE + 1, 2, PIECE + 8 + 64},
        {2 * PIECE, 2, 2 * PIECE + 64},
        {LIMIT_BODY, 16376, LIMIT_BODY + 16376 * 32},
    };
    struct bytes other = bytes_of_text("shop.page");
    assert_true(body_is_inline(bytes_of_text(TYPE_BUNDLE), LIMIT_BUNDLE));
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(body_pieces(rows[i].length), rows[i].pieces);
        if (rows[i].size > 0)
            assert_int_equal(body_file_size(rows[i].length), rows[i].size);
        assert_int_equal(body_is_inline(other, rows[i].length),
                         rows[i].length <= 1024);
    }
    assert_true(body_file_size(LIMIT_BODY) <= LIMIT_BODY_SEGMENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bodies_hash_in_pieces),
        cmocka_unit_test(arrival_does_not_matter),
        cmocka_unit_test(pieces_verify_alone),
        cmocka_unit_test(changed_bodies_are_corrupt),
        cmocka_unit_test(what_stands_behind_a_body_is_checked),
        cmocka_unit_test(places_are_as_documented),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
