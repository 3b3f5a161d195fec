/* hex: hexadecimal and base64 there and back, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/hex.h"

static void hex_goes_there_and_back(void **state)
{
    (void)state;
    struct buf b = {0};
    hex_put(&b, bytes_of("\x00\x1f\xa0\xff", 4));
    assert_string_equal(buf_text(&b), "001fa0ff");
    uint8_t out[4];
    assert_true(hex_get("001fA0Ff", 8, out));
    assert_memory_equal(out, "\x00\x1f\xa0\xff", 4);
    assert_true(hex_get("", 0, out));
    buf_clear(&b);
    hex_put(&b, bytes_of(NULL, 0));
    assert_int_equal(b.len, 0);
    buf_deinit(&b);
}

static void foreign_or_odd_hex_is_refused(void **state)
{
    (void)state;
    uint8_t out[4];
    assert_false(hex_get("abc", 3, out));
    assert_false(hex_get("0g", 2, out));
    assert_false(hex_get(" 0", 2, out));
    assert_false(hex_get("0x00", 4, out));
    assert_false(hex_get("\xc3\xa9", 2, out));
}

/* RFC 4648, section 10. */
static void base64_known_values(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"", ""},
        {"f", "Zg=="},
        {"fo", "Zm8="},
        {"foo", "Zm9v"},
        {"foob", "Zm9vYg=="},
        {"fooba", "Zm9vYmE="},
        {"foobar", "Zm9vYmFy"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct buf b = {0};
        base64_put(&b, bytes_of_text(cases[i][0]));
        assert_string_equal(buf_text(&b), cases[i][1]);
        buf_clear(&b);
        assert_true(base64_get(cases[i][1], strlen(cases[i][1]), &b));
        assert_string_equal(buf_text(&b), cases[i][0]);
        buf_deinit(&b);
    }
}

static void base64_carries_every_byte(void **state)
{
    (void)state;
    uint8_t all[256];
    for (size_t i = 0; i < sizeof(all); i++)
        all[i] = (uint8_t)(255 - i);
    struct buf text = {0};
    struct buf back = {0};
    base64_put(&text, bytes_of(all, sizeof(all)));
    assert_true(base64_get((const char *)text.data, text.len, &back));
    assert_true(bytes_equal(buf_bytes(&back), bytes_of(all, sizeof(all))));
    buf_deinit(&text);
    buf_deinit(&back);
}

/* One text for one value: whoever signs notes relies on it. */
static void loose_base64_is_refused(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "Zg",       "Zg=",      "Zh==",     "Zm9=",      "Z===", "====",
        "Zg==Zg==", "Zm 9",     "Zm9v\n",   "Zm-_",      "Z=g=", "=Zg=",
        "Zm9vZg=",  "Zm9v====", "Zm9vZ===", "Zm9vZg==Z",
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct buf b = {0};
        buf_put_text(&b, "before");
        assert_false(base64_get(cases[i], strlen(cases[i]), &b));
        assert_string_equal(buf_text(&b), "before");
        buf_deinit(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hex_goes_there_and_back),
        cmocka_unit_test(foreign_or_odd_hex_is_refused),
        cmocka_unit_test(base64_known_values),
        cmocka_unit_test(base64_carries_every_byte),
        cmocka_unit_test(loose_base64_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
