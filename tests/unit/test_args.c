/* Arguments of a request: which there may be, and of which kind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/err.h"
#include "base/msgpack.h"
#include "query/args.h"

enum { TEXTS = 3 };

/* {bytes, flag, list, nil, number, text, torn}, sorted by name. */
static int set_up(void **state)
{
    static struct buf map;
    map = (struct buf){0};
    mp_put_map(&map, 7);
    mp_put_text(&map, "bytes");
    mp_put_bin(&map, bytes_of("\0\1", 2));
    mp_put_text(&map, "flag");
    mp_put_bool(&map, true);
    mp_put_text(&map, "list");
    mp_put_array(&map, 2);
    mp_put_text(&map, "a");
    mp_put_text(&map, "b");
    mp_put_text(&map, "nil");
    mp_put_nil(&map);
    mp_put_text(&map, "number");
    mp_put_int(&map, -7);
    mp_put_text(&map, "text");
    mp_put_text(&map, "hello");
    mp_put_text(&map, "torn");
    mp_put_bin(&map, bytes_of("\xff", 1));
    *state = &map;
    return 0;
}

static int tear_down(void **state)
{
    buf_deinit(*state);
    return 0;
}

static void is_invalid(int code, const struct err *err, const char *words)
{
    if (code != ATE_EINVALID || strcmp(err->text, words) != 0)
        fail_msg("%d: %s", code, err->text);
}

static void no_others_are_taken_than_there_are(void **state)
{
    static const char *const all[] = {"bytes",  "flag", "list", "nil",
                                      "number", "text", "torn", NULL};
    static const char *const none[] = {NULL};
    const char *some[8];
    struct bytes map = buf_bytes(*state);
    struct err err;
    memcpy(some, all, sizeof(some));
    assert_int_equal(args_check(map, all, &err), 0);
    assert_int_equal(args_check(bytes_of(NULL, 0), none, &err), 0);
    some[4] = "numbers";
    is_invalid(args_check(map, some, &err), &err,
               "no argument 'number'; did you mean 'numbers'?");
    is_invalid(args_check(map, none, &err), &err, "no argument 'bytes'");
}

static void each_is_of_its_kind(void **state)
{
    struct bytes map = buf_bytes(*state);
    struct bytes bytes;
    struct bytes texts[TEXTS];
    size_t count;
    struct err err;
    int64_t number = 0;
    bool flag = false;
    bool there;
    assert_int_equal(args_text(map, "text", true, &bytes, &err), 0);
    assert_true(bytes_equal(bytes, bytes_of_text("hello")));
    assert_int_equal(args_bytes(map, "bytes", true, &bytes, &err), 0);
    assert_int_equal(bytes.len, 2);
    assert_int_equal(args_bool(map, "flag", &flag, &err), 0);
    assert_true(flag);
    assert_int_equal(args_int(map, "number", &there, &number, &err), 0);
    assert_true(there && number == -7);
    assert_int_equal(args_texts(map, "list", texts, TEXTS, &count, &err), 0);
    assert_true(count == 2 && bytes_equal(texts[1], bytes_of_text("b")));
    is_invalid(args_text(map, "number", false, &bytes, &err), &err,
               "'number' has to be text");
    is_invalid(args_text(map, "bytes", false, &bytes, &err), &err,
               "'bytes' has to be text");
    is_invalid(args_text(map, "torn", false, &bytes, &err), &err,
               "'torn' is not UTF-8");
    is_invalid(args_bytes(map, "text", false, &bytes, &err), &err,
               "'text' has to be bytes");
    is_invalid(args_bool(map, "text", &flag, &err), &err,
               "'text' has to be true or false");
    is_invalid(args_int(map, "text", &there, &number, &err), &err,
               "'text' has to be a whole number");
    is_invalid(args_texts(map, "text", texts, TEXTS, &count, &err), &err,
               "'text' has to be a list of texts");
    assert_int_equal(args_texts(map, "list", texts, 1, &count, &err),
                     ATE_ELIMIT);
}

static void nil_is_absent(void **state)
{
    static const char *const names[] = {"nil", "nothing"};
    struct bytes map = buf_bytes(*state);
    struct bytes bytes;
    struct bytes texts[TEXTS];
    size_t count;
    struct err err;
    int64_t number;
    bool flag;
    for (size_t i = 0; i < 2; i++) {
        const char *name = names[i];
        flag = true;
        assert_int_equal(args_text(map, name, false, &bytes, &err), 0);
        assert_null(bytes.data);
        assert_int_equal(args_bytes(map, name, false, &bytes, &err), 0);
        assert_null(bytes.data);
        assert_int_equal(args_bool(map, name, &flag, &err), 0);
        assert_false(flag);
        assert_int_equal(args_int(map, name, &flag, &number, &err), 0);
        assert_false(flag);
        assert_int_equal(args_texts(map, name, texts, TEXTS, &count, &err), 0);
        assert_int_equal(count, 0);
    }
    is_invalid(args_text(map, "nil", true, &bytes, &err), &err,
               "'nil' is missing");
    is_invalid(args_bytes(map, "nothing", true, &bytes, &err), &err,
               "'nothing' is missing");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(no_others_are_taken_than_there_are),
        TEST(each_is_of_its_kind),
        TEST(nil_is_absent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
