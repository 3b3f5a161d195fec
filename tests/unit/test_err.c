/* err: codes, their table, and texts that are put together. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"

#include <errno.h>

#include "base/bytes.h"
#include "base/utf8.h"

static void table_gives_all_faces_of_a_code(void **state)
{
    (void)state;
    assert_int_equal(ATE_EREFUSED, -4);
    assert_string_equal(err_name(ATE_EREFUSED), "REFUSED");
    assert_int_equal(err_posix(ATE_EREFUSED), EPERM);
    assert_int_equal(err_http(ATE_EREFUSED), 422);
    assert_int_equal(err_exit(ATE_EREFUSED), 6);
    assert_string_equal(err_name(ATE_ENEED), "NEED");
}

/* Numbers are on the wire and in scripts: none may change or come twice. */
static void numbers_are_1_to_14(void **state)
{
    (void)state;
    static const int codes[] = {
#define X(name, number, posix, http, exit_code, meaning) ATE_E##name,
        ERR_TABLE(X)
#undef X
    };
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
        assert_int_equal(codes[i], -(int)(i + 1));
}

static void unknown_code_is_io(void **state)
{
    (void)state;
    assert_string_equal(err_name(-999), "IO");
    assert_int_equal(err_http(7), 500);
}

static void set_fills_and_returns_the_code(void **state)
{
    (void)state;
    struct err err = {.rule = "left over"};
    assert_int_equal(err_set(&err, ATE_ELIMIT, "%d of %d", 7, 5), ATE_ELIMIT);
    assert_int_equal(err.code, ATE_ELIMIT);
    assert_string_equal(err.text, "7 of 5");
    assert_string_equal(err.rule, "");
    assert_int_equal(err_set(NULL, ATE_ELIMIT, "x"), ATE_ELIMIT);
}

static void wrap_puts_context_in_front_and_keeps_the_rest(void **state)
{
    (void)state;
    struct err err;
    err_set(&err, ATE_EREFUSED, "is with ada");
    strcpy(err.rule, "one_reader");
    assert_int_equal(err_wrap(&err, "book %d", 7), ATE_EREFUSED);
    assert_string_equal(err.text, "book 7: is with ada");
    assert_string_equal(err.rule, "one_reader");
    assert_int_equal(err_wrap(NULL, "x"), ATE_EIO);
}

static void old_text_may_be_an_argument(void **state)
{
    (void)state;
    struct err err;
    err_set(&err, ATE_EIO, "inner");
    err_set(&err, ATE_EINVALID, "outer (%s)", err.text);
    assert_string_equal(err.text, "outer (inner)");
}

/* What is cut must stay UTF-8: it goes out as JSON. */
static void long_text_is_cut_at_a_character(void **state)
{
    (void)state;
    char text[2 * ERR_TEXT_MAX];
    for (int shift = 0; shift < 4; shift++) {
        struct err err;
        memset(text, 'a', (size_t)shift);
        text[shift] = '\0';
        while (strlen(text) < ERR_TEXT_MAX + 100)
            strcat(text, "\xf0\x9f\x90\x9c");
        err_set(&err, ATE_EIO, "%s", text);
        assert_in_range(strlen(err.text), ERR_TEXT_MAX - 4, ERR_TEXT_MAX - 1);
        assert_true(utf8_valid(bytes_of_text(err.text)));
        err_wrap(&err, "%d", shift);
        assert_in_range(strlen(err.text), ERR_TEXT_MAX - 4, ERR_TEXT_MAX - 1);
        assert_true(utf8_valid(bytes_of_text(err.text)));
        err_errno(&err, ENOENT, "%s", text);
        assert_true(utf8_valid(bytes_of_text(err.text)));
    }
}

static void errno_maps_to_codes(void **state)
{
    (void)state;
    static const struct {
        int posix;
        int code;
    } cases[] = {
        {ENOSPC, ATE_EFULL},     {EDQUOT, ATE_EFULL},  {EACCES, ATE_EDENIED},
        {EPERM, ATE_EDENIED},    {EROFS, ATE_EDENIED}, {ENOENT, ATE_ENOT_FOUND},
        {EEXIST, ATE_ECONFLICT}, {EIO, ATE_EIO},       {EBADF, ATE_EIO},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct err err;
        assert_int_equal(err_errno(&err, cases[i].posix, "open %s", "/x"),
                         cases[i].code);
        assert_non_null(strstr(err.text, "open /x: "));
        assert_non_null(strstr(err.text, strerror(cases[i].posix)));
    }
    assert_int_equal(err_errno(NULL, ENOENT, "x"), ATE_ENOT_FOUND);
}

static void reason_and_arguments_stay_until_another_error(void **state)
{
    (void)state;
    struct err err;
    err_set(&err, ATE_EINVALID, "no");
    assert_int_equal(err_at(&err, "to"), ATE_EINVALID);
    assert_int_equal(err_reason(&err, "unknown_field"), ATE_EINVALID);
    err_wrap(&err, "transfer");
    assert_int_equal(err_add(&err, "; did you mean '%s'?", "two"),
                     ATE_EINVALID);
    assert_string_equal(err.text, "transfer: no; did you mean 'two'?");
    assert_string_equal(err.at, "/to");
    assert_string_equal(err.reason, "unknown_field");
    err_set(&err, ATE_EIO, "%s", err.text);
    assert_string_equal(err.at, "");
    assert_string_equal(err.reason, "");
    assert_int_equal(err_at(NULL, "x"), ATE_EIO);
    assert_int_equal(err_reason(NULL, "x"), ATE_EIO);
}

static void arguments_are_named_from_within_to_without(void **state)
{
    (void)state;
    struct err err;
    err_set(&err, ATE_EINVALID, "a/b and m~n of the third line are missing");
    err_at(&err, "a/b");
    assert_int_equal(err_at_also(&err, "m~n"), ATE_EINVALID);
    assert_string_equal(err.at, "/a~1b\n/m~0n");
    assert_int_equal(err_at_item(&err, 2), ATE_EINVALID);
    err_at(&err, "lines");
    assert_string_equal(err.at, "/lines/2/a~1b\n/lines/2/m~0n");
    assert_int_equal(err_at_none(&err), ATE_EINVALID);
    assert_string_equal(err.at, "");
    err_at(&err, "");
    assert_string_equal(err.at, "/");
}

/* A name is somebody's, and must not be able to mean another argument: what has
 * no room, or no place in a line, is told by what holds it. */
static void pointer_is_cut_before_a_name_never_within(void **state)
{
    (void)state;
    struct err err;
    char name[ERR_AT_MAX + 1];
    for (size_t len = ERR_AT_MAX - 4; len <= ERR_AT_MAX; len++) {
        memset(name, 'x', len);
        name[len] = '\0';
        err_set(&err, ATE_EINVALID, "no");
        err_at(&err, name);
        if (len < ERR_AT_MAX - 1)
            assert_int_equal(strlen(err.at), 1 + len);
        else
            assert_string_equal(err.at, "");
        err_at(&err, "args");
        assert_string_equal(err.at, "/args");
    }
    err_set(&err, ATE_EINVALID, "no");
    err_at_name(&err, bytes_of("a\n/to", 5));
    assert_string_equal(err.at, "");
    err_at(&err, "args");
    err_at_name(&err, bytes_of("to\0more", 7));
    assert_string_equal(err.at, "");
    for (size_t i = 0; i < 2 * ERR_AT_MAX; i++)
        err_at_also(&err, "~~~");
    assert_int_equal(strlen(err.at) % 8, 7);
    assert_true(strlen(err.at) < ERR_AT_MAX);
    err_at(&err, "outer");
    assert_memory_equal(err.at, "/outer/~0~0~0\n/outer/", 21);
    assert_true(strlen(err.at) < ERR_AT_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table_gives_all_faces_of_a_code),
        cmocka_unit_test(numbers_are_1_to_14),
        cmocka_unit_test(unknown_code_is_io),
        cmocka_unit_test(set_fills_and_returns_the_code),
        cmocka_unit_test(wrap_puts_context_in_front_and_keeps_the_rest),
        cmocka_unit_test(old_text_may_be_an_argument),
        cmocka_unit_test(long_text_is_cut_at_a_character),
        cmocka_unit_test(errno_maps_to_codes),
        cmocka_unit_test(reason_and_arguments_stay_until_another_error),
        cmocka_unit_test(arguments_are_named_from_within_to_without),
        cmocka_unit_test(pointer_is_cut_before_a_name_never_within),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
