#include "fixture_event.h"

/* The hash is SHA-256 itself, not something near it (FIPS 180-4). */
static void sha256_is_the_standard_one(void **state)
{
    (void)state;
    uint8_t out[HASH_SIZE];
    sha256(bytes_of_text(""), out);
    assert_hash(out, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b"
                     "7852b855");
    sha256(bytes_of_text("abc"), out);
    assert_hash(out, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61"
                     "f20015ad");
}

/* The bytes are those of docs/format.md section 1, put together by hand. */
static void labelled_hash_has_the_documented_bytes(void **state)
{
    (void)state;
    static const uint8_t by_hand[] = "\x05"
                                     "event"
                                     "\0\0\0\1\x07"
                                     "\0\0\0\x08\0\0\0\0\0\0\1\2"
                                     "\0\0\0\3abc"
                                     "\0\0\0\0";
    uint8_t want[HASH_SIZE];
    uint8_t got[HASH_SIZE];
    struct hasher h;
    sha256(bytes_of(by_hand, sizeof(by_hand) - 1), want);
    hash_begin(&h, LABEL_EVENT);
    hash_u8(&h, 7);
    hash_u64(&h, 0x102);
    hash_part(&h, bytes_of_text("abc"));
    hash_part_of(&h, NULL, HASH_SIZE);
    hash_end(&h, got);
    assert_memory_equal(got, want, HASH_SIZE);
}

static void labels_differ(void **state)
{
    (void)state;
    for (int i = 0; i < LABEL_COUNT; i++) {
        assert_true(strlen(label_text((enum label)i)) > 0);
        for (int j = 0; j < i; j++)
            assert_string_not_equal(label_text((enum label)i),
                                    label_text((enum label)j));
    }
}

enum { BLOCKS = 8 * 64 }; /* bytes, of SHA-256's blocks */

/* However input is cut, the hash is that of the whole. */
static void cuts_do_not_matter(void **state)
{
    (void)state;
    static uint8_t data[4 * BLOCKS];
    uint8_t want[HASH_SIZE];
    uint8_t got[HASH_SIZE];
    struct hasher h;
    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = (uint8_t)(i * 7);
    sha256(bytes_of(data, sizeof(data)), want);
    for (size_t step = 1; step <= sizeof(data); step += step < 600 ? 1 : 97) {
        hash_begin_bare(&h);
        for (size_t at = 0; at < sizeof(data); at += step) {
            size_t left = sizeof(data) - at;
            hash_bare(&h, bytes_of(data + at, left < step ? left : step));
        }
        hash_end(&h, got);
        assert_memory_equal(got, want, HASH_SIZE);
    }
}

/* Hashers that are open together, one of them dropped, stay apart. */
static void open_hashers_stay_apart(void **state)
{
    (void)state;
    enum { COUNT = 12 };
    static uint8_t data[2 * BLOCKS];
    struct hasher h[COUNT];
    uint8_t want[HASH_SIZE];
    uint8_t got[HASH_SIZE];
    for (int i = 0; i < COUNT; i++) {
        hash_begin(&h[i], LABEL_TX);
        hash_part(&h[i], bytes_of(data, sizeof(data)));
    }
    hash_drop(&h[0]);
    hash_drop(&h[0]);
    for (int i = 1; i < COUNT; i++)
        hash_u8(&h[i], (uint8_t)i);
    for (int i = 1; i < COUNT; i++) {
        struct hasher alone;
        hash_begin(&alone, LABEL_TX);
        hash_part(&alone, bytes_of(data, sizeof(data)));
        hash_u8(&alone, (uint8_t)i);
        hash_end(&alone, want);
        hash_end(&h[i], got);
        assert_memory_equal(got, want, HASH_SIZE);
    }
}

/* Ids of one object under another label, chain or suite are other ids. */
static void ids_depend_on_every_part(void **state)
{
    (void)state;
    uint8_t chain[2][CHAIN_ID_SIZE] = {{1}, {2}};
    uint8_t ids[6][HASH_SIZE];
    struct bytes header = bytes_of_text("header");
    event_id(1, chain[0], header, ids[0]);
    event_id(1, chain[1], header, ids[1]);
    event_id(2, chain[0], header, ids[2]);
    tx_id(1, chain[0], header, ids[3]);
    event_id(1, chain[0], bytes_of_text("headef"), ids[4]);
    chain_id(header, ids[5]);
    for (int i = 0; i < 6; i++)
        for (int j = 0; j < i; j++)
            assert_memory_not_equal(ids[i], ids[j], HASH_SIZE);
}

/* Where an entry's value ends and the next entry begins cannot be moved. */
static void verdicts_tell_entries_apart(void **state)
{
    (void)state;
    uint8_t id[EVENT_ID_SIZE] = {9};
    uint8_t digests[3][HASH_SIZE];
    struct bytes ab = bytes_of_text("ab");
    struct bytes b = bytes_of_text("b");
    struct verdict v;

    verdict_begin(&v);
    verdict_event(&v, id);
    verdict_entry(&v, 2, bytes_of_text("k"), &ab);
    verdict_end(&v, digests[0]);
    verdict_begin(&v);
    verdict_event(&v, id);
    verdict_entry(&v, 2, bytes_of_text("ka"), &b);
    verdict_end(&v, digests[1]);
    verdict_begin(&v);
    verdict_event(&v, id);
    verdict_entry(&v, 2, bytes_of_text("k"), NULL);
    verdict_end(&v, digests[2]);
    assert_memory_not_equal(digests[0], digests[1], HASH_SIZE);
    assert_memory_not_equal(digests[0], digests[2], HASH_SIZE);
}

/* An object's id does not depend on how it was made, a fact's on everything. */
static void object_and_fact_ids_are_stable(void **state)
{
    (void)state;
    uint8_t chain[CHAIN_ID_SIZE] = {1};
    uint8_t none[OBJECT_ID_SIZE] = {0};
    uint8_t a[OBJECT_ID_SIZE];
    uint8_t b[OBJECT_ID_SIZE];
    struct bytes type = bytes_of_text("bank.account");
    struct bytes key = bytes_of("\x91\xa3"
                                "ann",
                                5);
    object_id(chain, type, NULL, key, a);
    object_id(chain, type, none, key, b);
    assert_memory_equal(a, b, OBJECT_ID_SIZE);
    fact_id(chain, chain, chain, 0, a);
    fact_id(chain, chain, chain, 1, b);
    assert_memory_not_equal(a, b, OBJECT_ID_SIZE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sha256_is_the_standard_one),
        cmocka_unit_test(labelled_hash_has_the_documented_bytes),
        cmocka_unit_test(labels_differ),
        cmocka_unit_test(cuts_do_not_matter),
        cmocka_unit_test(open_hashers_stay_apart),
        cmocka_unit_test(ids_depend_on_every_part),
        cmocka_unit_test(verdicts_tell_entries_apart),
        cmocka_unit_test(object_and_fact_ids_are_stable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
