/* bytes and memory: comparing, growing, and numbers in both orders. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/memory.h"

static void shorter_one_comes_first(void **state)
{
    (void)state;
    struct bytes a = bytes_of_text("ab");
    struct bytes b = bytes_of_text("abc");
    assert_true(bytes_compare(a, b) < 0);
    assert_true(bytes_compare(b, a) > 0);
    assert_int_equal(bytes_compare(a, a), 0);
    assert_true(bytes_compare(bytes_of_text("b"), b) > 0);
    assert_true(bytes_compare(bytes_of("\xff", 1), bytes_of("\x01", 1)) > 0);
}

static void empty_ones_are_equal_wherever_they_point(void **state)
{
    (void)state;
    assert_true(bytes_equal(bytes_of(NULL, 0), bytes_of("a", 0)));
    assert_int_equal(bytes_compare(bytes_of(NULL, 0), bytes_of("a", 0)), 0);
    assert_true(bytes_compare(bytes_of(NULL, 0), bytes_of("a", 1)) < 0);
    assert_false(bytes_equal(bytes_of("a", 1), bytes_of("b", 1)));
    assert_false(bytes_equal(bytes_of("a", 1), bytes_of("a", 0)));
}

static void buffer_grows_and_keeps_what_it_has(void **state)
{
    (void)state;
    struct buf b = {0};
    for (int i = 0; i < 10000; i++)
        buf_put_u8(&b, (uint8_t)i);
    assert_int_equal(b.len, 10000);
    for (int i = 0; i < 10000; i++)
        assert_int_equal(b.data[i], (uint8_t)i);
    size_t cap = b.cap;
    buf_clear(&b);
    assert_int_equal(b.len, 0);
    assert_int_equal(b.cap, cap);
    buf_reserve(&b, cap + 1);
    assert_true(b.cap > cap);
    buf_deinit(&b);
    buf_deinit(&b);
    assert_null(b.data);
}

static void writers_append(void **state)
{
    (void)state;
    struct buf b = {0};
    buf_put(&b, NULL, 0);
    buf_put_text(&b, "a");
    buf_put_bytes(&b, bytes_of_text("bc"));
    buf_put_be64(&b, 0x0102030405060708ULL);
    buf_printf(&b, "%s-%03d", "x", 7);
    static const char want[] = "abc\1\2\3\4\5\6\7\10x-007";
    assert_true(bytes_equal(buf_bytes(&b), bytes_of(want, sizeof(want) - 1)));
    buf_deinit(&b);
}

static void printf_of_any_length_fits(void **state)
{
    (void)state;
    for (int len = 0; len < 300; len++) {
        struct buf b = {0};
        buf_printf(&b, "%*s", len, "");
        assert_int_equal(b.len, len);
        buf_deinit(&b);
    }
}

static void decimals_are_as_printf_has_them(void **state)
{
    static const uint64_t numbers[] = {0, 9, 10, 1234567890, UINT64_MAX};
    (void)state;
    for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
        struct buf ours = {0};
        struct buf theirs = {0};
        buf_put_decimal(&ours, numbers[i]);
        buf_printf(&theirs, "%llu", (unsigned long long)numbers[i]);
        assert_true(bytes_equal(buf_bytes(&ours), buf_bytes(&theirs)));
        buf_deinit(&ours);
        buf_deinit(&theirs);
    }
}

static void appended_text_is_cut_where_its_room_ends(void **state)
{
    char room[6] = "?????";
    (void)state;
    size_t len = text_append(room, sizeof(room), 0, bytes_of_text(""));
    assert_string_equal(room, "");
    len = text_append(room, sizeof(room), len, bytes_of_text("abc"));
    assert_string_equal(room, "abc");
    len = text_append(room, sizeof(room), len, bytes_of_text("defg"));
    assert_string_equal(room, "abcde");
    assert_int_equal(len, 5);
    assert_int_equal(text_append(room, 6, len, bytes_of_text("h")), 5);
    assert_string_equal(room, "abcde");
}

static void text_ends_in_a_zero_that_is_not_counted(void **state)
{
    (void)state;
    struct buf b = {0};
    assert_string_equal(buf_text(&b), "");
    while (b.len < 64)
        buf_put_u8(&b, 'x');
    assert_int_equal(strlen(buf_text(&b)), 64);
    assert_int_equal(b.len, 64);
    buf_deinit(&b);
}

static void padding_goes_to_the_next_multiple(void **state)
{
    (void)state;
    struct buf b = {0};
    buf_pad(&b, 8);
    assert_int_equal(b.len, 0);
    buf_put_u8(&b, 1);
    buf_pad(&b, 8);
    assert_int_equal(b.len, 8);
    assert_memory_equal(b.data, "\1\0\0\0\0\0\0\0", 8);
    buf_pad(&b, 8);
    assert_int_equal(b.len, 8);
    buf_deinit(&b);
}

static void numbers_are_written_in_both_orders(void **state)
{
    (void)state;
    uint8_t p[8];
    put_le16(p, 0x0102);
    assert_memory_equal(p, "\2\1", 2);
    assert_int_equal(get_le16(p), 0x0102);
    put_le32(p, 0xf1020304);
    assert_memory_equal(p, "\4\3\2\xf1", 4);
    assert_true(get_le32(p) == 0xf1020304);
    put_be32(p, 0xf1020304);
    assert_memory_equal(p, "\xf1\2\3\4", 4);
    assert_true(get_be32(p) == 0xf1020304);
    put_le64(p, 0xf102030405060708ULL);
    assert_memory_equal(p, "\10\7\6\5\4\3\2\xf1", 8);
    assert_true(get_le64(p) == 0xf102030405060708ULL);
    put_be64(p, 0xf102030405060708ULL);
    assert_memory_equal(p, "\xf1\2\3\4\5\6\7\10", 8);
    assert_true(get_be64(p) == 0xf102030405060708ULL);
}

static void memory_helpers_do_what_they_say(void **state)
{
    (void)state;
    uint8_t *zeros = mem_zero(3, 5);
    assert_memory_equal(zeros, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 15);
    char *copy = mem_text("ant");
    assert_string_equal(copy, "ant");
    void *nothing = mem_copy(NULL, 0);
    assert_non_null(nothing);
    mem_free(zeros);
    mem_free(copy);
    mem_free(nothing);
    mem_free(NULL);
    nothing = mem_zero(0, 8);
    assert_non_null(nothing);
    nothing = mem_resize(nothing, 0);
    assert_non_null(nothing);
    mem_free(nothing);
}

static void array_doubles(void **state)
{
    (void)state;
    uint32_t *array = NULL;
    size_t cap = 0;
    int moves = 0;
    for (size_t count = 0; count < 1000; count++) {
        size_t before = cap;
        array = mem_array_grow(array, count, &cap, sizeof(*array));
        moves += cap != before;
        array[count] = (uint32_t)count;
    }
    assert_int_equal(cap, 1024);
    assert_int_equal(moves, 8);
    for (uint32_t i = 0; i < 1000; i++)
        assert_int_equal(array[i], i);
    mem_free(array);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shorter_one_comes_first),
        cmocka_unit_test(empty_ones_are_equal_wherever_they_point),
        cmocka_unit_test(buffer_grows_and_keeps_what_it_has),
        cmocka_unit_test(writers_append),
        cmocka_unit_test(printf_of_any_length_fits),
        cmocka_unit_test(decimals_are_as_printf_has_them),
        cmocka_unit_test(appended_text_is_cut_where_its_room_ends),
        cmocka_unit_test(text_ends_in_a_zero_that_is_not_counted),
        cmocka_unit_test(padding_goes_to_the_next_multiple),
        cmocka_unit_test(numbers_are_written_in_both_orders),
        cmocka_unit_test(memory_helpers_do_what_they_say),
        cmocka_unit_test(array_doubles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
