#include "crypto/mac.h"
#include "fixture_event.h"

/* Test case 13 of the GCM specification (McGrew and Viega). */
static void tag_is_that_of_gcm(void **state)
{
    const struct mac_key zero = {{0}};
    uint8_t tag[MAC_TAG_SIZE];
    struct buf text = {0};
    (void)state;
    mac_tag(&zero, 0, bytes_of(NULL, 0), tag);
    hex_put(&text, bytes_of(tag, sizeof(tag)));
    assert_string_equal(buf_text(&text), "530f8afbc74536b9a963b4f1c4cb738b");
    buf_deinit(&text);
}

static void keys_differ_by_pair_and_salt(void **state)
{
    struct key_pair pair[2];
    struct mac_key key[3];
    uint8_t salt[MAC_SALT_SIZE] = {1};
    (void)state;
    for (uint8_t i = 0; i < 2; i++) {
        uint8_t seed[SIGN_SEED_SIZE] = {i};
        key_pair_from_seeds(&pair[i], seed, seed);
        mac_key_make(&key[i], &pair[i], salt);
    }
    salt[15] = 1;
    mac_key_make(&key[2], &pair[0], salt);
    assert_memory_not_equal(key[0].bytes, key[1].bytes, sizeof(key[0].bytes));
    assert_memory_not_equal(key[0].bytes, key[2].bytes, sizeof(key[0].bytes));
    mac_key_wipe(&key[2]);
    assert_memory_equal(key[2].bytes, (uint8_t[32]){0}, 32);
}

static void only_the_same_piece_passes(void **state)
{
    const struct mac_key key = {{7}};
    const struct mac_key other = {{8}};
    uint8_t tag[MAC_TAG_SIZE];
    (void)state;
    mac_tag(&key, 3, bytes_of_text("a piece"), tag);
    assert_true(mac_check(&key, 3, bytes_of_text("a piece"), tag));
    assert_false(mac_check(&key, 4, bytes_of_text("a piece"), tag));
    assert_false(mac_check(&key, 3, bytes_of_text("a peace"), tag));
    assert_false(mac_check(&key, 3, bytes_of_text("a piec"), tag));
    assert_false(mac_check(&other, 3, bytes_of_text("a piece"), tag));
    tag[0] ^= 0x80;
    assert_false(mac_check(&key, 3, bytes_of_text("a piece"), tag));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tag_is_that_of_gcm),
        cmocka_unit_test(keys_differ_by_pair_and_salt),
        cmocka_unit_test(only_the_same_piece_passes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
