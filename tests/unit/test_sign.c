#include "fixture_event.h"

/* RFC 8032, section 7.1, test 2. */
static void signatures_are_those_of_rfc_8032(void **state)
{
    (void)state;
    uint8_t seed[SIGN_SEED_SIZE];
    uint8_t want_key[SIGN_PUBLIC_SIZE];
    uint8_t want[SIGN_SIZE];
    uint8_t key[SIGN_PUBLIC_SIZE];
    uint8_t secret[SIGN_SECRET_SIZE];
    uint8_t signature[SIGN_SIZE];
    fixture_hex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8"
                "a6fb",
                seed);
    fixture_hex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4"
                "660c",
                want_key);
    fixture_hex("92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb"
                "69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d2916"
                "12bb0c00",
                want);
    assert_int_equal(crypto_init(NULL), 0);
    sign_pair(seed, key, secret);
    assert_memory_equal(key, want_key, sizeof(key));
    sign_bytes(secret, bytes_of("\x72", 1), signature);
    assert_memory_equal(signature, want, sizeof(want));
    assert_true(sign_verify(key, bytes_of("\x72", 1), signature));
    assert_false(sign_verify(key, bytes_of("\x73", 1), signature));
}

/* Each bit of key, message and signature counts. */
static void any_flipped_bit_is_refused(void **state)
{
    (void)state;
    struct key_pair pair;
    uint8_t all[SIGN_PUBLIC_SIZE + SIGN_SIZE + 8] = {0};
    uint8_t *signature = all + SIGN_PUBLIC_SIZE;
    struct bytes message = bytes_of(all + SIGN_PUBLIC_SIZE + SIGN_SIZE, 8);
    fixture_pair(&pair, 1);
    memcpy(all, pair.record.sign, SIGN_PUBLIC_SIZE);
    sign_bytes(pair.secret, message, signature);
    assert_true(sign_verify(all, message, signature));
    for (size_t bit = 0; bit < 8 * sizeof(all); bit++) {
        all[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_false(sign_verify(all, message, signature));
        all[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}

/* Vectors of "Taming the many EdDSAs" (Chalkias, Garillot, Nikolaenko, 2020).
 * Every node has to judge them alike; a library that changes one of these
 * verdicts changes what chains accept. */
static const struct {
    const char *message;
    const char *key;
    const char *signature;
    bool good;
    const char *why;
} edge_cases[] = {
    {"8c93255d71dcab10e8f379c26200f3c7bd5f09d9bc3068d3ef4edeb4853022b6",
     "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
     "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"
     "0000000000000000000000000000000000000000000000000000000000000000",
     false, "small-order key and R"},
    {"9bd9f44f4dcc75bd531b56b2cd280b0bb38fc1cd6d1230e14861d861de092e79",
     "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
     "f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43"
     "a5bb704786be79fc476f91d3f3f89b03984d8068dcf1bb7dfc6637b45450ac04",
     false, "small-order key"},
    {"aebf3f2601a0c8c5d39cc7d8911642f740b78168218da8471772b35f9d35b9ab",
     "f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43",
     "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa"
     "8c4bd45aecaca5b24fb97bc10ac27ac8751a7dfe1baff8b953ec9f5833ca260e",
     false, "small-order R"},
    {"9bd9f44f4dcc75bd531b56b2cd280b0bb38fc1cd6d1230e14861d861de092e79",
     "cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d",
     "9046a64750444938de19f227bb80485e92b83fdb4b6506c160484c016cc1852f"
     "87909e14428a7a1d62e9f22f3d3ad7802db02eb2e688b6c52fcd6648a98bd009",
     true, "mixed order, good without the cofactor"},
    {"e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec4011eaccd55b53f56c",
     "cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d",
     "160a1cb0dc9c0258cd0a7d23e94d8fa878bcb1925f2c64246b2dee1796bed512"
     "5ec6bc982a269b723e0668e540911a9a6a58921d6925e434ab10aa7940551a09",
     false, "good only with the cofactor"},
    {"e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec4011eaccd55b53f56c",
     "cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d",
     "21122a84e0b5fca4052f5b1235c80a537878b38f3142356b2c2384ebad4668b7"
     "e40bc836dac0f71076f9abe3a53f9c03c1ceeeddb658d0030494ace586687405",
     false, "good only with the cofactor before reduction"},
    {"85e241a07d148b41e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec40",
     "442aad9f089ad9e14647b1ef9099a1ff4798d78589e66f28eca69c11f582a623",
     "e96f66be976d82e60150baecff9906684aebb1ef181f67a7189ac78ea23b6c0e"
     "547f7690a0e2ddcd04d87dbc3490dc19b3b3052f7ff0538cb68afb369ba3a514",
     false, "S above the group order"},
    {"85e241a07d148b41e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec40",
     "442aad9f089ad9e14647b1ef9099a1ff4798d78589e66f28eca69c11f582a623",
     "8ce5b96c8f26d0ab6c47958c9e68b937104cd36e13c33566acd2fe8d38aa1942"
     "7e71f98a473474f2f13f06f97c20d58cc3f54b8bd0d272f42b695dd7e89a8c22",
     false, "S far above the group order"},
    {"fdaebc429f4a735932a160da1301080c13280eea8bc280d1b392c6b9e6ba3a5a",
     "f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43",
     "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"
     "454d370c8d9fc323a41450f8d513eafeb5b0697390c1e505a0d4ddc71f566607",
     false, "small-order R in a non-canonical encoding"},
    {"84b698d39be126ff55fe45079e6c8bf64a0d7db6994560b4e96b7021eb39c1a1",
     "f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43",
     "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"
     "084d5b99c2a9463d9c8bd5026916996984eeec87ddf1d3be329006ace1b37b09",
     false, "the same, hashed as encoded"},
};

static void edge_cases_are_judged_as_always(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(edge_cases) / sizeof(edge_cases[0]); i++) {
        uint8_t message[32];
        uint8_t key[SIGN_PUBLIC_SIZE];
        uint8_t signature[SIGN_SIZE];
        fixture_hex(edge_cases[i].message, message);
        fixture_hex(edge_cases[i].key, key);
        fixture_hex(edge_cases[i].signature, signature);
        bool good = sign_verify(key, bytes_of(message, 32), signature);
        if (good != edge_cases[i].good)
            print_error("edge case %zu: %s\n", i, edge_cases[i].why);
        assert_int_equal(good, edge_cases[i].good);
    }
}

/* Adding the group order to S makes another encoding of the same signature; it
 * has to be refused, or one transaction had two valid forms. */
static void malleated_signature_is_refused(void **state)
{
    (void)state;
    struct key_pair pair;
    uint8_t order[32];
    uint8_t signature[SIGN_SIZE];
    unsigned carry = 0;
    fixture_pair(&pair, 1);
    fixture_hex("edd3f55c1a631258d69cf7a2def9de14000000000000000000000000000000"
                "10",
                order);
    sign_bytes(pair.secret, bytes_of_text("m"), signature);
    for (size_t i = 0; i < 32; i++) {
        carry += signature[32 + i] + (unsigned)order[i];
        signature[32 + i] = (uint8_t)carry;
        carry >>= 8;
    }
    assert_int_equal(carry, 0);
    assert_false(sign_verify(pair.record.sign, bytes_of_text("m"), signature));
}

/* Points of small order in every encoding, as keys: with R the same point and
 * S = 0 some would verify anything. */
static void small_order_keys_sign_nothing(void **state)
{
    (void)state;
    static const char *const keys[] = {
        "0100000000000000000000000000000000000000000000000000000000000000",
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0000000000000000000000000000000000000000000000000000000000000080",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
        /* The same points, written with y not reduced or x = 0 negative. */
        "0100000000000000000000000000000000000000000000000000000000000080",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    };
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        uint8_t key[SIGN_PUBLIC_SIZE];
        uint8_t signature[SIGN_SIZE] = {0};
        fixture_hex(keys[i], key);
        for (uint8_t n = 0; n < 16; n++) { /* the hash differs each time */
            signature[0] = 1;              /* R = the neutral point */
            memset(signature + 1, 0, SIGN_SIZE - 1);
            assert_false(sign_verify(key, bytes_of(&n, 1), signature));
            memcpy(signature, key, 32); /* R = the key */
            assert_false(sign_verify(key, bytes_of(&n, 1), signature));
        }
    }
}

/* y + p in place of y: such encodings exist for y below 19 only. Nobody knows a
 * secret of most of these points, so that this shows refusal, not its reason.
 */
static void non_canonical_keys_are_refused(void **state)
{
    (void)state;
    uint8_t signature[SIGN_SIZE];
    struct key_pair pair;
    fixture_pair(&pair, 1);
    sign_bytes(pair.secret, bytes_of_text("m"), signature);
    for (int y = 0; y < 19; y++) {
        uint8_t key[SIGN_PUBLIC_SIZE];
        memset(key, 0xff, sizeof(key));
        key[0] = (uint8_t)(0xed + y);
        key[31] = 0x7f;
        assert_false(sign_verify(key, bytes_of_text("m"), signature));
        key[31] = 0xff;
        assert_false(sign_verify(key, bytes_of_text("m"), signature));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signatures_are_those_of_rfc_8032),
        cmocka_unit_test(any_flipped_bit_is_refused),
        cmocka_unit_test(edge_cases_are_judged_as_always),
        cmocka_unit_test(malleated_signature_is_refused),
        cmocka_unit_test(small_order_keys_sign_nothing),
        cmocka_unit_test(non_canonical_keys_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
