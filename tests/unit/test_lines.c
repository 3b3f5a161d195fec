/* lines: what strict texts are made of has one form each, and a taker that says
 * no has taken nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/lines.h"

static void a_line_ends_in_a_newline(void **state)
{
    (void)state;
    struct bytes rest = bytes_of_text("one\n\ntorn");
    struct bytes line = {0};
    assert_true(line_take(&rest, &line));
    assert_true(bytes_equal(line, bytes_of_text("one")));
    assert_true(line_take(&rest, &line));
    assert_int_equal(line.len, 0);
    line = bytes_of_text("kept");
    assert_false(line_take(&rest, &line));
    assert_true(bytes_equal(line, bytes_of_text("kept")));
    assert_true(bytes_equal(rest, bytes_of_text("torn")));
    rest = bytes_of(NULL, 0);
    assert_false(line_take(&rest, &line));
}

static void a_word_is_taken_whole_or_not_at_all(void **state)
{
    (void)state;
    struct bytes rest = bytes_of_text("index 7");
    assert_false(word_take(&rest, "index 77"));
    assert_false(word_take(&rest, "Index "));
    assert_true(word_take(&rest, "index "));
    assert_true(bytes_equal(rest, bytes_of_text("7")));
    assert_true(word_take(&rest, "7"));
    assert_false(word_take(&rest, "7"));
}

static void a_number_has_one_form(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "00",
        "01",
        "-1",
        "+1",
        " 1",
        "1 ",
        "0x1",
        "1e3",
        "1.",
        "18446744073709551616",
        "99999999999999999999",
    };
    uint64_t number = 0;
    assert_true(decimal_get(bytes_of_text("0"), &number));
    assert_int_equal(number, 0);
    assert_true(decimal_get(bytes_of_text("18446744073709551615"), &number));
    assert_true(number == UINT64_MAX);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(decimal_get(bytes_of_text(bad[i]), &number));
    assert_true(number == UINT64_MAX);
}

static void base64_of_another_length_is_refused(void **state)
{
    (void)state;
    uint8_t out[4] = "old";
    assert_false(base64_get_fixed(bytes_of_text("Zm8="), out, 3));
    assert_false(base64_get_fixed(bytes_of_text("Zm9vYg=="), out, 3));
    assert_false(base64_get_fixed(bytes_of_text("Zm9"), out, 3));
    assert_string_equal(out, "old");
    assert_true(base64_get_fixed(bytes_of_text("Zm9v"), out, 3));
    assert_string_equal(out, "foo");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_ends_in_a_newline),
        cmocka_unit_test(a_word_is_taken_whole_or_not_at_all),
        cmocka_unit_test(a_number_has_one_form),
        cmocka_unit_test(base64_of_another_length_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
