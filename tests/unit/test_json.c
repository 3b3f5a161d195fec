/* json: what doors write of the engine's values, and read of people's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/buffer.h"
#include "base/json.h"
#include "base/pack.h"
#include "base/whole.h"

/* Read `document`, and write it in a style. */
static void check(const char *document, const struct json_style *style,
                  const char *want)
{
    struct buffer packed = {0}, out = {0}, why = {0};
    json_t *tree = json_read(document, strlen(document), JSON_ALLOW_NUL, &why);
    assert_non_null(tree);
    assert_int_equal(pack_put_json(&packed, tree), 0);
    struct pack value = pack_open(packed.data, packed.len);
    assert_int_equal(pack_size(&value), packed.len);
    assert_int_equal(json_put(&out, &value, style), 0);
    assert_string_equal(buffer_string(&out), want);
    json_decref(tree);
    buffer_free(&packed);
    buffer_free(&out);
}

static void texts_are_escaped(void **state)
{
    (void)state;
    check("\"a\\u0000\\n\\t\\u001f\\u007f\\\"\\\\/\"", NULL,
          "\"a\\u0000\\n\\t\\u001f\\u007f\\\"\\\\/\"");
    check("\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\"", NULL,
          "\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\"");
}

/* Cut characters, surrogates, longer forms than needed: no UTF-8 comes out
 * that the other side would refuse. */
static void what_is_no_text_is_mended(void **state)
{
    static const char *const wrong[] = {"\xff", "\xc3", "\xc0\xaf",
                                        "\xed\xa0\x80", "\xf4\x90\x80\x80"};
    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        struct buffer out = {0};
        json_put_text(&out, wrong[i], strlen(wrong[i]));
        json_t *back = json_loadb(out.data, out.len, JSON_DECODE_ANY, NULL);
        assert_non_null(back);
        assert_non_null(strstr(json_string_value(back), "\xef\xbf\xbd"));
        json_decref(back);
        buffer_free(&out);
    }
}

static void entries_have_lines(void **state)
{
    static const struct json_style one = {.indent = 2, .levels = 1};
    static const struct json_style all = {.indent = 1, .levels = 9};
    const char *text = "{\"a\":[1,{\"b\":[]}],\"c\":{}}";
    (void)state;
    check(text, NULL, text);
    check(text, &one, "{\n  \"a\": [1,{\"b\":[]}],\n  \"c\": {}\n}");
    check(text, &all,
          "{\n \"a\": [\n  1,\n  {\n   \"b\": []\n  }\n ],\n \"c\": {}\n}");
    check("[]", &one, "[]");
    check("1", &one, "1");
}

static void numbers_stay_what_they_are(void **state)
{
    static const struct json_style exact = {.is_exact = true};
    (void)state;
    check("[9007199254740992,-9007199254740992]", &exact,
          "[9007199254740992,-9007199254740992]");
    check("[9007199254740993,-9007199254740993]", &exact,
          "[\"9007199254740993\",\"-9007199254740993\"]");
    check("9007199254740993", NULL, "9007199254740993");
    check("[0.5,1e300]", NULL, "[0.5,1.0000000000000001e+300]");
}

/* JSON has one kind of number, and programs write whole ones in many ways. */
static void whole_numbers_are_integers(void **state)
{
    (void)state;
    check("[1.0,1e3,-0.5E+1,1200e-2,0.0,-0.0,0e99,-0]", NULL,
          "[1,1000,-5,12,0,0,0,0]");
    check("{\"a\\\"1.0\":[\"1e3\",1e3,true,false,null,{\"e\":2.50e1}]}", NULL,
          "{\"a\\\"1.0\":[\"1e3\",1000,true,false,null,{\"e\":25}]}");
    check("9007199254740992.0", NULL, "9007199254740992");
    check("-90071992547409920e-1", NULL, "-9007199254740992");
    check("[1e16,2.5]", NULL, "[10000000000000000.0,2.5]");
}

/* As a double it is another number, and a whole one: as if that were meant. */
static void what_rounds_to_whole_is_refused(void **state)
{
    static const char *const wrong[] = {
        "9007199254740993.0",
        "-9007199254740992.5",
        "4503599627370497.3",
        "1.00000000000000000001",
        "1e-400",
        "[1,{\"a\":1e-999}]",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        struct buffer why = {0};
        assert_null(json_read(wrong[i], strlen(wrong[i]), 0, &why));
        assert_non_null(strstr(why.data, "more digits"));
        buffer_free(&why);
    }
}

static void words_are_digits(void **state)
{
    static const char *const wrong[] = {"",
                                        "-",
                                        "+1",
                                        "1e3",
                                        "1.0",
                                        " 1",
                                        "1 ",
                                        "--1",
                                        "0x1",
                                        "9223372036854775808",
                                        "-9223372036854775809"};
    int64_t number = 0;
    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
        assert_false(whole_text(wrong[i], strlen(wrong[i]), &number));
    assert_true(whole_text("-9223372036854775808", 20, &number));
    assert_true(number == INT64_MIN);
    assert_true(
        whole_text("00000000000000000000009223372036854775807", 41, &number));
    assert_true(number == INT64_MAX);
}

static void bytes_are_hexadecimal_digits(void **state)
{
    struct buffer packed = {0}, out = {0};
    (void)state;
    pack_put_bytes(&packed, "\x00\xff", 2);
    struct pack value = pack_open(packed.data, packed.len);
    assert_int_equal(json_put(&out, &value, NULL), 0);
    assert_string_equal(out.data, "\"00ff\"");
    buffer_free(&packed);
    buffer_free(&out);
}

static void refused(struct buffer *packed)
{
    struct buffer out = {0};
    struct pack value = pack_open(packed->data, packed->len);
    assert_int_equal(json_put(&out, &value, NULL), -1);
    buffer_free(&out);
    buffer_free(packed);
}

static void what_json_lacks_is_told(void **state)
{
    struct buffer packed = {0};
    double zero = 0;
    (void)state;
    pack_put_real(&packed, 1 / zero);
    refused(&packed);
    pack_put_map(&packed, 1);
    pack_put_integer(&packed, 1);
    pack_put_nil(&packed);
    refused(&packed);
    pack_put_list(&packed, 2);
    pack_put_nil(&packed);
    refused(&packed);
    for (int i = 0; i <= PACK_DEPTH_MAX; i++)
        pack_put_list(&packed, 1);
    pack_put_nil(&packed);
    refused(&packed);
}

static void documents_say_where_they_are_wrong(void **state)
{
    struct buffer why = {0};
    (void)state;
    assert_null(json_read("{\n1", 3, 0, &why));
    assert_non_null(strstr(why.data, "line 2, column "));
    assert_null(json_read("{\"a\":1,\"a\":2}", 13, 0, &why));
    assert_null(json_read("", 0, 0, &why));
    buffer_clear(&why);
    assert_null(json_read("\"\\u0000\"", 8, 0, &why));
    assert_non_null(strstr(why.data, "a text has no \\u0000 here"));
    buffer_free(&why);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_escaped),
        cmocka_unit_test(what_is_no_text_is_mended),
        cmocka_unit_test(entries_have_lines),
        cmocka_unit_test(numbers_stay_what_they_are),
        cmocka_unit_test(whole_numbers_are_integers),
        cmocka_unit_test(what_rounds_to_whole_is_refused),
        cmocka_unit_test(words_are_digits),
        cmocka_unit_test(bytes_are_hexadecimal_digits),
        cmocka_unit_test(what_json_lacks_is_told),
        cmocka_unit_test(documents_say_where_they_are_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
