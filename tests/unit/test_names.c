#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/err.h"
#include "log/names.h"

static void id_of(uint8_t id[NAMES_ID_SIZE], uint8_t n)
{
    memset(id, n, NAMES_ID_SIZE);
}

static int add(struct names *names, const char *name, uint8_t n)
{
    uint8_t id[NAMES_ID_SIZE];
    id_of(id, n);
    return names_add(names, id, bytes_of_text(name), NULL);
}

static int check(const struct names *names, const char *name)
{
    return names_check(names, bytes_of_text(name), NULL);
}

static void put_line(struct buf *file, const char *name, uint8_t n)
{
    uint8_t id[NAMES_ID_SIZE];
    id_of(id, n);
    names_line(file, id, bytes_of_text(name));
}

static void line_is_laid_out_as_documented(void **state)
{
    struct buf file = {0};
    (void)state;

    put_line(&file, "bank/main", 0xab);
    assert_int_equal(file.len, 8 + 1 + 64 + 1 + 9 + 1);
    assert_int_equal(file.data[8], ' ');
    assert_memory_equal(file.data + 9, "abababab", 8);
    assert_memory_equal(file.data + 73, " bank/main\n", 11);
    buf_deinit(&file);
}

static void what_was_written_is_found(void **state)
{
    struct names names;
    struct buf file = {0};
    struct bytes name;
    uint8_t id[NAMES_ID_SIZE];
    (void)state;

    put_line(&file, "bank/main", 1);
    put_line(&file, "bank/mainly", 2);
    put_line(&file, "shop", 3);
    names_init(&names);
    assert_int_equal(names_parse(&names, buf_bytes(&file), NULL), 0);
    assert_int_equal(names.count, 3);
    assert_true(names_find(&names, bytes_of_text("bank/main"), id));
    assert_int_equal(id[0], 1);
    assert_false(names_find(&names, bytes_of_text("bank"), id));
    id_of(id, 2);
    assert_true(names_of(&names, id, &name));
    assert_true(bytes_equal(name, bytes_of_text("bank/mainly")));
    names_deinit(&names);
    names_deinit(&names);
    buf_deinit(&file);
}

static void no_name_is_the_beginning_of_another(void **state)
{
    struct names names;
    (void)state;

    names_init(&names);
    assert_int_equal(add(&names, "bank/main", 1), 0);
    assert_int_equal(check(&names, "bank/main"), ATE_ECONFLICT);
    assert_int_equal(check(&names, "bank"), ATE_ECONFLICT);
    assert_int_equal(check(&names, "bank/main/old"), ATE_ECONFLICT);
    assert_int_equal(check(&names, "bank/main/old/older"), ATE_ECONFLICT);
    assert_int_equal(check(&names, "bank/mainly"), 0);
    assert_int_equal(check(&names, "bank/mai"), 0);
    assert_int_equal(check(&names, "ban"), 0);
    /* '.' sorts before '/': a neighbour must not hide the one below. */
    assert_int_equal(add(&names, "a.b", 2), 0);
    assert_int_equal(add(&names, "a/b", 3), 0);
    assert_int_equal(check(&names, "a"), ATE_ECONFLICT);
    /* One chain, one name. */
    assert_int_equal(add(&names, "else", 1), ATE_ECONFLICT);
    names_deinit(&names);
}

static void what_is_no_path_is_invalid(void **state)
{
    static const char *const bad[] = {"",     "/",     "/a",    "a/",   "a//b",
                                      ".a",   "a/.b",  "a\nb",  "a/..", ".",
                                      "\xff", "a\x01", "a/\x7f"};
    struct names names;
    char longest[300];
    (void)state;

    names_init(&names);
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        assert_int_equal(check(&names, bad[i]), ATE_EINVALID);
    memset(longest, 'a', sizeof(longest));
    longest[255] = '\0';
    assert_int_equal(check(&names, longest), 0);
    longest[255] = 'a';
    longest[256] = '\0';
    assert_int_equal(check(&names, longest), ATE_ELIMIT);
    names_deinit(&names);
}

/* Wherever the last line is torn, those before it are there. */
static void torn_end_is_told(void **state)
{
    struct buf file = {0};
    struct err err;
    (void)state;

    put_line(&file, "first", 1);
    size_t first = file.len;
    put_line(&file, "second", 2);
    for (size_t len = 0; len < file.len; len++) {
        struct names names;
        bool whole = len == 0 || len == first;
        names_init(&names);
        assert_int_equal(names_parse(&names, bytes_of(file.data, len), &err),
                         whole ? 0 : ATE_ECORRUPT);
        assert_int_equal(names.count, len >= first ? 1 : 0);
        names_deinit(&names);
    }
    assert_string_equal(err.text, "line 2: it is torn");
    buf_deinit(&file);
}

/* The good lines are taken, wherever they stand. */
static void damage_is_told_with_its_line(void **state)
{
    struct buf file = {0};
    struct err err;
    (void)state;

    put_line(&file, "first", 1);
    put_line(&file, "second", 2);
    put_line(&file, "third", 3);
    for (size_t at = 0; at < file.len; at++) {
        struct names names;
        file.data[at] ^= 1;
        names_init(&names);
        assert_int_equal(names_parse(&names, buf_bytes(&file), &err),
                         ATE_ECORRUPT);
        assert_true(names.count == 2 || names.count == 1); /* a line feed */
        assert_non_null(strstr(err.text, "line "));
        names_deinit(&names);
        file.data[at] ^= 1;
    }
    buf_deinit(&file);
}

static void walk_is_in_order_of_names(void **state)
{
    struct names names;
    struct bytes name = {0};
    uint8_t id[NAMES_ID_SIZE];
    char seen[64] = "";
    (void)state;

    names_init(&names);
    assert_false(names_next(&names, name, &name, id));
    add(&names, "c", 3);
    add(&names, "a", 1);
    add(&names, "b/x", 2);
    while (names_next(&names, name, &name, id)) {
        strncat(seen, (const char *)name.data, name.len);
        strcat(seen, " ");
        assert_int_equal(id[0], name.data[0] - 'a' + 1);
    }
    assert_string_equal(seen, "a b/x c ");
    names_deinit(&names);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(line_is_laid_out_as_documented),
        cmocka_unit_test(what_was_written_is_found),
        cmocka_unit_test(no_name_is_the_beginning_of_another),
        cmocka_unit_test(what_is_no_path_is_invalid),
        cmocka_unit_test(torn_end_is_told),
        cmocka_unit_test(damage_is_told_with_its_line),
        cmocka_unit_test(walk_is_in_order_of_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
