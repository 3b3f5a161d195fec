#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/crc32c.h"
#include "base/err.h"
#include "log/manifest.h"

static void put_sample(uint8_t bytes[MANIFEST_SIZE])
{
    struct manifest m = {.generation = 3};
    memset(m.chain, 0x33, sizeof(m.chain));
    memset(m.first, 0x44, sizeof(m.first));
    manifest_put(bytes, &m);
}

static void cur_is_laid_out_as_documented(void **state)
{
    uint8_t b[MANIFEST_SIZE];
    static const uint8_t zeros[12];
    (void)state;

    put_sample(b);
    assert_memory_equal(b, "ATECUR\0\1", 8);
    assert_int_equal(get_le64(b + 8), 3);
    assert_int_equal(b[16], 0x33);
    assert_int_equal(b[31], 0x33);
    assert_int_equal(b[32], 0x44);
    assert_int_equal(b[47], 0x44);
    assert_memory_equal(b + 48, zeros, 12);
    assert_int_equal(get_le32(b + 60), crc32c(0, b, 60));
}

static void what_was_put_is_got(void **state)
{
    uint8_t b[MANIFEST_SIZE];
    struct manifest m;
    (void)state;

    put_sample(b);
    assert_int_equal(manifest_get(&m, bytes_of(b, sizeof(b)), NULL), 0);
    assert_int_equal(m.generation, 3);
    assert_int_equal(m.first[15], 0x44);
}

static void torn_or_changed_cur_is_corrupt(void **state)
{
    uint8_t b[MANIFEST_SIZE + 1] = {0};
    struct manifest m;
    (void)state;

    put_sample(b);
    for (size_t len = 0; len <= sizeof(b); len++)
        if (len != MANIFEST_SIZE)
            assert_int_equal(manifest_get(&m, bytes_of(b, len), NULL),
                             ATE_ECORRUPT);
    for (size_t bit = 0; bit < MANIFEST_SIZE * 8; bit++) {
        b[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_equal(manifest_get(&m, bytes_of(b, MANIFEST_SIZE), NULL),
                         ATE_ECORRUPT);
        b[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}

static void later_format_is_unavailable(void **state)
{
    uint8_t b[MANIFEST_SIZE];
    struct manifest m;
    (void)state;

    put_sample(b);
    b[7] = 9;
    put_le32(b + 60, crc32c(0, b, 60));
    assert_int_equal(manifest_get(&m, bytes_of(b, sizeof(b)), NULL),
                     ATE_EUNAVAILABLE);
}

static void cur_that_makes_no_sense_is_corrupt(void **state)
{
    static const size_t changed[] = {8, 48, 59};
    (void)state;
    for (size_t i = 0; i < sizeof(changed) / sizeof(*changed); i++) {
        uint8_t b[MANIFEST_SIZE];
        struct manifest m;
        put_sample(b);
        b[changed[i]] = changed[i] == 8 ? 0 : 1;
        put_le32(b + 60, crc32c(0, b, 60));
        assert_int_equal(manifest_get(&m, bytes_of(b, sizeof(b)), NULL),
                         ATE_ECORRUPT);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cur_is_laid_out_as_documented),
        cmocka_unit_test(what_was_put_is_got),
        cmocka_unit_test(torn_or_changed_cur_is_corrupt),
        cmocka_unit_test(later_format_is_unavailable),
        cmocka_unit_test(cur_that_makes_no_sense_is_corrupt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
