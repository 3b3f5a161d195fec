#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/crc32c.h"
#include "base/err.h"
#include "log/watermark.h"

static struct watermark sample(void)
{
    struct watermark m = {.generation = 1,
                          .counter = 9,
                          .offset = 0x2000 + 960,
                          .frames = 4,
                          .transactions = 11,
                          .segment = 1,
                          .body_offset = 512};
    memset(m.chain, 0x11, sizeof(m.chain));
    memset(m.hash, 0x22, sizeof(m.hash));
    return m;
}

static void slot_is_laid_out_as_documented(void **state)
{
    struct watermark m = sample();
    uint8_t s[LOG_SLOT_SIZE];
    (void)state;

    watermark_put(s, &m);
    assert_memory_equal(s, "ATELOG\0\1", 8);
    assert_memory_equal(s + 8, m.chain, 32);
    assert_int_equal(get_le64(s + 40), 1);
    assert_int_equal(get_le64(s + 48), 9);
    assert_int_equal(get_le64(s + 56), 0x2000 + 960);
    assert_int_equal(get_le64(s + 64), 4);
    assert_int_equal(get_le64(s + 72), 11);
    assert_int_equal(get_le32(s + 80), 1);
    assert_int_equal(get_le64(s + 88), 512);
    assert_memory_equal(s + 96, m.hash, 16);
    assert_int_equal(get_le32(s + 124), crc32c(0, s, 124));
}

static void slots_take_turns_by_counter(void **state)
{
    (void)state;
    assert_int_equal(watermark_place(0), 0);
    assert_int_equal(watermark_place(1), 0x1000);
    assert_int_equal(watermark_place(UINT64_MAX), 0x1000);
}

static void what_was_put_is_got(void **state)
{
    struct watermark m = sample();
    struct watermark got;
    uint8_t s[LOG_SLOT_SIZE];
    (void)state;

    watermark_put(s, &m);
    assert_int_equal(watermark_get(&got, s, NULL), 0);
    assert_int_equal(got.counter, m.counter);
    assert_int_equal(got.offset, m.offset);
    assert_int_equal(got.transactions, m.transactions);
    assert_int_equal(got.body_offset, m.body_offset);
    assert_memory_equal(got.hash, m.hash, sizeof(m.hash));
}

static void every_flipped_bit_is_corrupt(void **state)
{
    struct watermark m = sample();
    uint8_t s[LOG_SLOT_SIZE];
    (void)state;

    watermark_put(s, &m);
    for (size_t bit = 0; bit < sizeof(s) * 8; bit++) {
        s[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_equal(watermark_get(&m, s, NULL), ATE_ECORRUPT);
        s[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}

/* Not damage: the user needs a newer program, not a repair. */
static void later_format_is_unavailable(void **state)
{
    struct watermark m = sample();
    uint8_t s[LOG_SLOT_SIZE];
    struct err err;
    (void)state;

    watermark_put(s, &m);
    s[7] = 2;
    put_le32(s + 124, crc32c(0, s, 124));
    assert_int_equal(watermark_get(&m, s, &err), ATE_EUNAVAILABLE);
    assert_non_null(strstr(err.text, "format 2"));
}

static void slot_that_makes_no_sense_is_corrupt(void **state)
{
    static const size_t zeroed[] = {40, 56, 64, 80};
    (void)state;
    for (size_t i = 0; i < sizeof(zeroed) / sizeof(*zeroed); i++) {
        struct watermark m = sample();
        uint8_t s[LOG_SLOT_SIZE];
        watermark_put(s, &m);
        memset(s + zeroed[i], 0, zeroed[i] == 80 ? 4 : 8);
        put_le32(s + 124, crc32c(0, s, 124));
        assert_int_equal(watermark_get(&m, s, NULL), ATE_ECORRUPT);
    }
}

static void reserved_bytes_are_zeros(void **state)
{
    static const size_t reserved[] = {84, 87, 112, 123};
    (void)state;
    for (size_t i = 0; i < sizeof(reserved) / sizeof(*reserved); i++) {
        struct watermark m = sample();
        uint8_t s[LOG_SLOT_SIZE];
        watermark_put(s, &m);
        s[reserved[i]] = 1;
        put_le32(s + 124, crc32c(0, s, 124));
        assert_int_equal(watermark_get(&m, s, NULL), ATE_ECORRUPT);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slot_is_laid_out_as_documented),
        cmocka_unit_test(slots_take_turns_by_counter),
        cmocka_unit_test(what_was_put_is_got),
        cmocka_unit_test(every_flipped_bit_is_corrupt),
        cmocka_unit_test(later_format_is_unavailable),
        cmocka_unit_test(slot_that_makes_no_sense_is_corrupt),
        cmocka_unit_test(reserved_bytes_are_zeros),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
