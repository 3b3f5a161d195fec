/* utf8: what is text, what is a name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "base/utf8.h"

static bool valid(const char *text)
{
    return utf8_valid(bytes_of_text(text));
}

static void each_code_point_is_valid_and_surrogates_are_not(void **state)
{
    (void)state;
    for (uint32_t c = 0; c <= 0x110010; c++) {
        uint8_t p[4];
        size_t len = 0;
        if (c < 0x80) {
            p[len++] = (uint8_t)c;
        } else if (c < 0x800) {
            p[len++] = (uint8_t)(0xc0 | c >> 6);
            p[len++] = (uint8_t)(0x80 | (c & 63));
        } else if (c < 0x10000) {
            p[len++] = (uint8_t)(0xe0 | c >> 12);
            p[len++] = (uint8_t)(0x80 | (c >> 6 & 63));
            p[len++] = (uint8_t)(0x80 | (c & 63));
        } else {
            p[len++] = (uint8_t)(0xf0 | c >> 18);
            p[len++] = (uint8_t)(0x80 | (c >> 12 & 63));
            p[len++] = (uint8_t)(0x80 | (c >> 6 & 63));
            p[len++] = (uint8_t)(0x80 | (c & 63));
        }
        bool surrogate = c >= 0xd800 && c <= 0xdfff;
        assert_int_equal(utf8_valid(bytes_of(p, len)),
                         !surrogate && c <= 0x10ffff);
        if (len > 1)
            assert_false(utf8_valid(bytes_of(p, len - 1)));
    }
}

static void overlong_forms_and_stray_bytes_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "\xc0\x80",
        "\xc1\xbf",
        "\xe0\x9f\xbf",
        "\xf0\x8f\xbf\xbf",
        "\xf5\x80\x80\x80",
        "\xff",
        "\x80",
        "a\xbf",
        "\xc3",
        "\xe2\x82",
        "\xf0\x9f\x90",
        "\xc3(",
        "\xe2\x28\xa1",
        "\xe2\x82(",
        "\xf0\x9f\x90(",
        "\xc3\xa9\xa9",
        "\xed\xa0\x80",
        "\xf4\x90\x80\x80",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(valid(bad[i]));
}

/* Eight bytes are looked at in one step where they are ASCII. */
static void bad_byte_is_found_at_every_place(void **state)
{
    (void)state;
    for (size_t len = 1; len < 40; len++) {
        for (size_t at = 0; at < len; at++) {
            uint8_t text[40];
            memset(text, 'a', sizeof(text));
            assert_true(utf8_valid(bytes_of(text, len)));
            text[at] = 0x80;
            assert_false(utf8_valid(bytes_of(text, len)));
        }
    }
    assert_true(utf8_valid(bytes_of(NULL, 0)));
    assert_true(utf8_valid(bytes_of("a\0b", 3)));
}

static void names_are_one_segment_of_a_path(void **state)
{
    (void)state;
    assert_true(name_valid(bytes_of_text("bank")));
    assert_true(name_valid(bytes_of_text("a b")));
    assert_true(name_valid(bytes_of_text("a.b")));
    assert_true(name_valid(bytes_of_text("\xc3\xa4meise")));
    assert_true(name_valid(bytes_of_text("-")));
    static const char *const bad[] = {"",     ".",     "..",    ".hidden",
                                      "a/b",  "/",     "a\n",   "\x01",
                                      "\x1f", "a\x7f", "a\xff", "\xed\xa0\x80"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(name_valid(bytes_of_text(bad[i])));
    assert_false(name_valid(bytes_of("a\0b", 3)));
}

static void name_has_at_most_255_bytes(void **state)
{
    (void)state;
    char name[LIMIT_NAME + 1];
    memset(name, 'n', sizeof(name));
    assert_true(name_valid(bytes_of(name, LIMIT_NAME)));
    assert_false(name_valid(bytes_of(name, LIMIT_NAME + 1)));
}

static void words_are_small_letters_digits_and_what_is_named(void **state)
{
    (void)state;
    assert_true(word_valid(bytes_of_text("az09"), 4, ""));
    assert_true(word_valid(bytes_of_text("a_.b"), 4, "_."));
    assert_false(word_valid(bytes_of_text(""), 4, "_."));
    assert_false(word_valid(bytes_of_text("abcde"), 4, "_."));
    assert_false(word_valid(bytes_of_text("a-b"), 4, "_."));
    static const char *const bad[] = {"A", "`", "{", "/", ":", "\xc3\xa4"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(word_valid(bytes_of_text(bad[i]), 4, "_"));
    assert_false(word_valid(bytes_of("a\0", 2), 4, "_"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_code_point_is_valid_and_surrogates_are_not),
        cmocka_unit_test(overlong_forms_and_stray_bytes_are_refused),
        cmocka_unit_test(bad_byte_is_found_at_every_place),
        cmocka_unit_test(names_are_one_segment_of_a_path),
        cmocka_unit_test(name_has_at_most_255_bytes),
        cmocka_unit_test(words_are_small_letters_digits_and_what_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
