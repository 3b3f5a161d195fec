#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/msgpack.h"
#include "schema/value.h"

enum { ROUNDS = 20000 };

static struct schema empty;

static struct value_type type_of(enum value_kind kind)
{
    return (struct value_type){
        .kind = kind, .min = INT64_MIN, .max = INT64_MAX, .len_max = 255};
}

static struct buf text(const char *data, size_t len)
{
    struct buf b = {0};
    mp_put_str(&b, bytes_of(data, len));
    return b;
}

static struct buf number(int64_t value)
{
    struct buf b = {0};
    mp_put_int(&b, value);
    return b;
}

static struct buf bin(size_t len)
{
    static const uint8_t zeros[64];
    struct buf b = {0};
    mp_put_bin(&b, bytes_of(zeros, len));
    return b;
}

static bool fits(const struct value_type *type, struct buf value)
{
    struct err err;
    int rc = value_check(&empty, type, buf_bytes(&value), "x", &err);
    if (rc != 0) {
        assert_int_equal(rc, ATE_EINVALID);
        assert_memory_equal(err.text, "x", 1);
    }
    buf_deinit(&value);
    return rc == 0;
}

/* ---- checks ---- */

static void dates_are_days_of_the_calendar(void **state)
{
    static const char *const good[] = {"2026-11-22", "2024-02-29", "2000-02-29",
                                       "0001-01-01", "9999-12-31"};
    static const char *const bad[] = {
        "2026-02-29", "1900-02-29", "2026-00-10", "2026-13-01", "2026-04-31",
        "2026-11-00", "0000-01-01", "2026-1-1",   "2026-11-2x", "2026/11/22",
        "26-11-22",   "",           "2026-11-22 "};
    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        assert_true(date_valid(bytes_of_text(good[i])));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(date_valid(bytes_of_text(bad[i])));
    assert_true(month_valid(bytes_of_text("2026-11")));
    assert_false(month_valid(bytes_of_text("2026-00")));
    assert_false(month_valid(bytes_of_text("2026-13")));
    assert_false(month_valid(bytes_of_text("2026-11-01")));
    assert_false(month_valid(bytes_of_text("2026")));
}

static void text_has_no_control_characters(void **state)
{
    struct value_type type = type_of(VALUE_TEXT);
    (void)state;
    type.len_min = 1;
    type.len_max = 5;
    assert_true(fits(&type, text("a\n\tb", 4)));
    assert_true(fits(&type, text("\xc3\xa4", 2)));
    assert_false(fits(&type, text("a\0b", 3)));
    assert_false(fits(&type, text("a\rb", 3)));
    assert_false(fits(&type, text("\x1b[0m", 4)));
    assert_false(fits(&type, text("\x7f", 1)));
    assert_false(fits(&type, text("", 0)));
    assert_false(fits(&type, text("abcdef", 6)));
    assert_false(fits(&type, number(5)));
}

static void names_are_segments_of_paths(void **state)
{
    struct value_type type = type_of(VALUE_NAME);
    (void)state;
    assert_true(fits(&type, text("alice", 5)));
    assert_false(fits(&type, text("a/b", 3)));
    assert_false(fits(&type, text(".hidden", 7)));
    assert_false(fits(&type, text("a\nb", 3)));
    type.len_max = 4;
    assert_false(fits(&type, text("alice", 5)));
}

static void numbers_stay_in_their_bounds(void **state)
{
    struct value_type type = type_of(VALUE_AMOUNT);
    (void)state;
    assert_true(fits(&type, number(INT64_MIN)));
    assert_true(fits(&type, number(INT64_MAX)));
    type.min = 1;
    type.max = 10;
    assert_true(fits(&type, number(1)));
    assert_true(fits(&type, number(10)));
    assert_false(fits(&type, number(0)));
    assert_false(fits(&type, number(11)));
    assert_false(fits(&type, text("1", 1)));
    type = type_of(VALUE_TIME);
    assert_true(fits(&type, number(INT64_C(1) << 53)));
    assert_false(fits(&type, number((INT64_C(1) << 53) + 1)));
}

static void bytes_have_their_lengths(void **state)
{
    struct value_type ref = type_of(VALUE_REF);
    struct value_type identity = type_of(VALUE_IDENTITY);
    struct value_type blob = type_of(VALUE_BLOB);
    (void)state;
    blob.len_max = 20;
    assert_true(fits(&ref, bin(16)));
    assert_false(fits(&ref, bin(17)));
    assert_false(fits(&ref, text("alice", 5)));
    assert_true(fits(&identity, bin(32)));
    assert_false(fits(&identity, bin(16)));
    assert_true(fits(&blob, bin(20)));
    assert_false(fits(&blob, bin(21)));
}

static void enums_are_one_of_their_words(void **state)
{
    char *words[] = {"low", "high"};
    struct value_type type = type_of(VALUE_ENUM);
    struct err err;
    struct buf value = text("hihg", 4);
    (void)state;
    type.words = words;
    type.word_count = 2;
    assert_true(fits(&type, text("high", 4)));
    assert_int_equal(
        value_check(&empty, &type, buf_bytes(&value), "rank", &err),
        ATE_EINVALID);
    assert_string_equal(
        err.text, "rank: 'hihg' is none of low, high; did you mean 'high'?");
    buf_deinit(&value);
}

static void event_types_are_full_names(void **state)
{
    struct event_type types[] = {{.name = "bank.account"}};
    struct schema s = {.main = "bank", .types = types, .type_count = 1};
    struct value_type type = type_of(VALUE_EVENT_TYPE);
    struct buf full = text("bank.account", 12);
    struct buf leaf = text("account", 7);
    (void)state;
    assert_int_equal(value_check(&s, &type, buf_bytes(&full), "x", NULL), 0);
    assert_int_equal(value_check(&s, &type, buf_bytes(&leaf), "x", NULL),
                     ATE_EINVALID);
    buf_deinit(&full);
    buf_deinit(&leaf);
}

static void nothing_stands_behind_a_value(void **state)
{
    struct value_type type = type_of(VALUE_INTEGER);
    struct buf value = number(1);
    (void)state;
    mp_put_int(&value, 2);
    assert_false(fits(&type, value));
}

/* ---- fields ---- */

static struct field a_b_c[3];

/* a: integer; b: optional list of refs; c: integer, 7 by default. */
static struct fields fields_a_b_c(void)
{
    static struct value_type item;
    static const uint8_t seven[] = {7};
    item = type_of(VALUE_REF);
    item.target = "bank.account";
    a_b_c[0] = (struct field){.name = "a", .type = type_of(VALUE_INTEGER)};
    a_b_c[1] = (struct field){.name = "b", .type = type_of(VALUE_LIST)};
    a_b_c[1].type.optional = true;
    a_b_c[1].type.len_max = 2;
    a_b_c[1].type.item = &item;
    a_b_c[2] = (struct field){.name = "c", .type = type_of(VALUE_INTEGER)};
    a_b_c[2].type.default_value = bytes_of(seven, 1);
    return (struct fields){.items = a_b_c, .count = 3};
}

static void put_field(struct buf *b, const char *name, int64_t value)
{
    mp_put_text(b, name);
    mp_put_int(b, value);
}

static int check(const struct buf *map, struct err *err)
{
    struct fields fields = fields_a_b_c();
    return fields_check(&empty, &fields, buf_bytes(map), "header", err);
}

static void fields_are_all_there_and_no_other(void **state)
{
    struct buf map = {0};
    struct err err;
    (void)state;
    mp_put_map(&map, 2);
    put_field(&map, "a", 1);
    put_field(&map, "c", 2);
    assert_int_equal(check(&map, &err), 0);
    buf_clear(&map);
    mp_put_map(&map, 1);
    put_field(&map, "c", 2);
    assert_int_equal(check(&map, &err), ATE_EINVALID);
    assert_string_equal(err.text, "header.a: is missing");
    buf_clear(&map);
    mp_put_map(&map, 1);
    put_field(&map, "a", 2);
    assert_int_equal(check(&map, &err), ATE_EINVALID);
    assert_string_equal(err.text, "header.c: is missing");
    buf_clear(&map);
    mp_put_map(&map, 3);
    put_field(&map, "a", 1);
    put_field(&map, "c", 2);
    put_field(&map, "cc", 2);
    assert_int_equal(check(&map, &err), ATE_EINVALID);
    assert_string_equal(err.text,
                        "header.cc: no such field; did you mean 'c'?");
    buf_deinit(&map);
}

static void fields_come_sorted_and_once(void **state)
{
    struct buf map = {0};
    (void)state;
    mp_put_map(&map, 2);
    put_field(&map, "c", 1);
    put_field(&map, "a", 2);
    assert_int_equal(check(&map, NULL), ATE_EINVALID);
    buf_clear(&map);
    mp_put_map(&map, 3);
    put_field(&map, "a", 1);
    put_field(&map, "a", 2);
    put_field(&map, "c", 2);
    assert_int_equal(check(&map, NULL), ATE_EINVALID);
    buf_deinit(&map);
}

static int body_check_of(const struct event_type *type, const void *data,
                         size_t len)
{
    return body_fits(&empty, type, bytes_of(data, len), "body", NULL);
}

/* A body was good under the schema of its time: `c` had no default then. */
static void stored_bodies_may_lack_defaults(void **state)
{
    struct event_type type = {.body = fields_a_b_c()};
    struct buf map = {0};
    (void)state;
    mp_put_map(&map, 1);
    put_field(&map, "a", 1);
    assert_int_equal(body_check_of(&type, map.data, map.len), 0);
    assert_true(body_check_of(&type, map.data, map.len - 1) < 0);
    buf_clear(&map);
    mp_put_map(&map, 1);
    put_field(&map, "c", 1);
    assert_true(body_check_of(&type, map.data, map.len) < 0);
    buf_clear(&map);
    mp_put_int(&map, 1);
    assert_true(body_check_of(&type, map.data, map.len) < 0);
    assert_true(body_check_of(&type, "\x81\x01\x01", 3) < 0);
    assert_true(body_check_of(&type, "\xc1", 1) < 0);
    buf_deinit(&map);
}

static void raw_bodies_are_text_or_bytes(void **state)
{
    struct value_type raw = type_of(VALUE_TEXT);
    struct event_type type = {.raw_body = &raw};
    (void)state;
    raw.len_max = 4;
    assert_int_equal(body_check_of(&type, "text", 4), 0);
    assert_true(body_check_of(&type, "texts", 5) < 0);
    assert_true(body_check_of(&type, "\xff", 1) < 0);
    assert_true(body_check_of(&type, "\x1b", 1) < 0);
    raw.kind = VALUE_BLOB;
    assert_int_equal(body_check_of(&type, "\xff", 1), 0);
}

static void put_refs(struct buf *map, uint32_t count)
{
    static const uint8_t id[16] = {1};
    mp_put_map(map, 3);
    put_field(map, "a", 1);
    mp_put_text(map, "b");
    mp_put_array(map, count);
    for (uint32_t i = 0; i < count; i++)
        mp_put_bin(map, bytes_of(id, 16));
    put_field(map, "c", 1);
}

static int count_ref(void *ctx, const char *path, const char *target,
                     const uint8_t *id, struct err *err)
{
    int *count = ctx;
    char want[16];
    snprintf(want, sizeof(want), "b[%d]", ++*count);
    assert_string_equal(path, want);
    assert_string_equal(target, "bank.account");
    assert_int_equal(id[0], 1);
    return *count == 2 ? err_set(err, ATE_ENOT_FOUND, "enough") : 0;
}

static void refs_are_met_at_any_depth(void **state)
{
    struct fields fields = fields_a_b_c();
    struct buf map = {0};
    int count = 0;
    (void)state;
    put_refs(&map, 1);
    assert_int_equal(check(&map, NULL), 0);
    assert_int_equal(
        fields_each_ref(&fields, buf_bytes(&map), count_ref, &count, NULL), 0);
    assert_int_equal(count, 1);
    buf_clear(&map);
    put_refs(&map, 3);
    count = 0;
    assert_int_equal(
        fields_each_ref(&fields, buf_bytes(&map), count_ref, &count, NULL),
        ATE_ENOT_FOUND);
    assert_int_equal(count, 2);
    buf_deinit(&map);
}

static void lists_have_at_most_their_items(void **state)
{
    struct buf map = {0};
    struct err err;
    (void)state;
    put_refs(&map, 3);
    assert_int_equal(check(&map, &err), ATE_EINVALID);
    assert_string_equal(err.text, "header.b: 3 items, at most 2 are allowed");
    buf_deinit(&map);
}

static void defaults_are_put_where_they_belong(void **state)
{
    struct fields fields = fields_a_b_c();
    struct buf map = {0};
    struct buf want = {0};
    struct buf got = {0};
    (void)state;
    mp_put_map(&map, 1);
    put_field(&map, "a", 1);
    mp_put_map(&want, 2);
    put_field(&want, "a", 1);
    put_field(&want, "c", 7);
    fields_add_defaults(&got, &fields, buf_bytes(&map));
    assert_true(bytes_equal(buf_bytes(&got), buf_bytes(&want)));
    buf_clear(&got);
    fields_add_defaults(&got, &fields, buf_bytes(&want));
    assert_true(bytes_equal(buf_bytes(&got), buf_bytes(&want)));
    buf_deinit(&map);
    buf_deinit(&want);
    buf_deinit(&got);
}

/* What is unknown stays, and stays in its place: the check after tells it. */
static void defaults_keep_what_is_unknown(void **state)
{
    struct fields fields = fields_a_b_c();
    struct buf map = {0};
    struct buf got = {0};
    (void)state;
    mp_put_map(&map, 2);
    put_field(&map, "0", 1);
    put_field(&map, "zz", 1);
    fields_add_defaults(&got, &fields, buf_bytes(&map));
    assert_int_equal(mp_check(buf_bytes(&got), NULL), 0);
    assert_int_equal(got.data[0], 0x83);
    buf_deinit(&map);
    buf_deinit(&got);
}

static void defaults_reach_into_lists_of_structs(void **state)
{
    struct value_type item = type_of(VALUE_STRUCT);
    struct field list = {.name = "l", .type = type_of(VALUE_LIST)};
    struct fields fields = {.items = &list, .count = 1};
    struct buf map = {0};
    struct buf got = {0};
    (void)state;
    item.fields = fields_a_b_c();
    list.type.item = &item;
    mp_put_map(&map, 1);
    mp_put_text(&map, "l");
    mp_put_array(&map, 1);
    mp_put_map(&map, 1);
    put_field(&map, "a", 1);
    fields_add_defaults(&got, &fields, buf_bytes(&map));
    assert_int_equal(fields_check(&empty, &fields, buf_bytes(&got), "", NULL),
                     0);
    buf_deinit(&map);
    buf_deinit(&got);
}

/* ---- ordered form ---- */

static const enum value_kind ordered_kinds[] = {
    VALUE_TEXT,   VALUE_NAME, VALUE_BOOLEAN,  VALUE_INTEGER,
    VALUE_AMOUNT, VALUE_ENUM, VALUE_DATE,     VALUE_MONTH,
    VALUE_TIME,   VALUE_REF,  VALUE_IDENTITY, VALUE_EVENT_TYPE};

static int64_t random_number(unsigned *seed)
{
    static const int64_t edges[] = {INT64_MIN, -1, 0, 1, 255, 256, INT64_MAX};
    int64_t wide = (int64_t)rand_r(seed) << 32 ^ rand_r(seed);
    int small = rand_r(seed) % 7;
    return rand_r(seed) % 2 == 0 ? edges[small]
                                 : (rand_r(seed) % 2 == 0 ? wide : -wide);
}

/* A value of few letters, so that beginnings are often the same; with zeros,
 * though no text that is stored has them. */
static void put_random(struct buf *out, enum value_kind kind, unsigned *seed)
{
    char letters[32];
    size_t len = kind == VALUE_REF        ? 16
                 : kind == VALUE_IDENTITY ? 32
                                          : (size_t)(rand_r(seed) % 4);
    for (size_t i = 0; i < len; i++)
        letters[i] = "\0\1ab~"[rand_r(seed) % 5];
    if (kind == VALUE_BOOLEAN)
        mp_put_bool(out, rand_r(seed) % 2 == 0);
    else if (kind == VALUE_INTEGER || kind == VALUE_AMOUNT ||
             kind == VALUE_TIME)
        mp_put_int(out, random_number(seed));
    else if (kind == VALUE_REF || kind == VALUE_IDENTITY)
        mp_put_bin(out, bytes_of(letters, len));
    else
        mp_put_str(out, bytes_of(letters, len));
}

static int sign_of(int64_t n)
{
    return (n > 0) - (n < 0);
}

static int compare_values(enum value_kind kind, struct bytes a, struct bytes b)
{
    struct mp one = mp_open(a);
    struct mp two = mp_open(b);
    int64_t m, n;
    struct bytes x, y;
    if (kind == VALUE_BOOLEAN)
        return sign_of(a.data[0] - b.data[0]);
    if (kind == VALUE_INTEGER || kind == VALUE_AMOUNT || kind == VALUE_TIME) {
        assert_int_equal(mp_get_int(&one, &m, NULL), 0);
        assert_int_equal(mp_get_int(&two, &n, NULL), 0);
        return (m > n) - (m < n);
    }
    if (kind == VALUE_REF || kind == VALUE_IDENTITY) {
        assert_int_equal(mp_get_bin(&one, &x, NULL), 0);
        assert_int_equal(mp_get_bin(&two, &y, NULL), 0);
    } else {
        assert_int_equal(mp_get_str(&one, &x, NULL), 0);
        assert_int_equal(mp_get_str(&two, &y, NULL), 0);
    }
    return sign_of(bytes_compare(x, y));
}

static void compare_pair(enum value_kind kind, unsigned *seed)
{
    struct value_type type = type_of(kind);
    struct buf a = {0}, b = {0}, x = {0}, y = {0}, back = {0};
    put_random(&a, kind, seed);
    put_random(&b, kind, seed);
    value_put_ordered(&x, &type, buf_bytes(&a));
    value_put_ordered(&y, &type, buf_bytes(&b));
    int want = compare_values(kind, buf_bytes(&a), buf_bytes(&b));
    assert_int_equal(sign_of(bytes_compare(buf_bytes(&x), buf_bytes(&y))),
                     want);
    /* Followed by anything, the order stays and the value comes back. */
    size_t len = x.len;
    buf_put(&x, "\xff\0", 2);
    buf_put(&y, "\0\xff", 2);
    if (want != 0)
        assert_int_equal(sign_of(bytes_compare(buf_bytes(&x), buf_bytes(&y))),
                         want);
    assert_int_equal(value_get_ordered(&back, &type, buf_bytes(&x)), len);
    assert_true(bytes_equal(buf_bytes(&back), buf_bytes(&a)));
    buf_deinit(&a);
    buf_deinit(&b);
    buf_deinit(&x);
    buf_deinit(&y);
    buf_deinit(&back);
}

static void ordered_form_compares_as_values_do(void **state)
{
    const char *given = getenv("SEED");
    unsigned seed = given == NULL ? 20261122 : (unsigned)atoi(given);
    (void)state;
    print_message("SEED=%u\n", seed);
    for (int i = 0; i < ROUNDS; i++)
        compare_pair(ordered_kinds[(size_t)i % (sizeof(ordered_kinds) /
                                                sizeof(ordered_kinds[0]))],
                     &seed);
}

static void ordered_form_is_that_of_the_format(void **state)
{
    struct value_type integer = type_of(VALUE_INTEGER);
    struct value_type words = type_of(VALUE_TEXT);
    struct buf value = number(-1);
    struct buf out = {0};
    (void)state;
    value_put_ordered(&out, &integer, buf_bytes(&value));
    assert_memory_equal(out.data, "\x7f\xff\xff\xff\xff\xff\xff\xff", 8);
    buf_deinit(&value);
    buf_clear(&out);
    value = text("a\0b", 3);
    value_put_ordered(&out, &words, buf_bytes(&value));
    assert_int_equal(out.len, 6);
    assert_memory_equal(out.data,
                        "a\0\xff"
                        "b\0\0",
                        6);
    buf_deinit(&value);
    buf_deinit(&out);
}

static void what_is_cut_short_is_not_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(ordered_kinds) / sizeof(ordered_kinds[0]);
         i++) {
        unsigned seed = 7;
        struct value_type type = type_of(ordered_kinds[i]);
        struct buf value = {0}, out = {0}, back = {0};
        put_random(&value, ordered_kinds[i], &seed);
        value_put_ordered(&out, &type, buf_bytes(&value));
        for (size_t len = 0; len < out.len; len++)
            assert_int_equal(
                value_get_ordered(&back, &type, bytes_of(out.data, len)), 0);
        assert_int_equal(back.len, 0);
        buf_deinit(&value);
        buf_deinit(&out);
        buf_deinit(&back);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dates_are_days_of_the_calendar),
        cmocka_unit_test(text_has_no_control_characters),
        cmocka_unit_test(names_are_segments_of_paths),
        cmocka_unit_test(numbers_stay_in_their_bounds),
        cmocka_unit_test(bytes_have_their_lengths),
        cmocka_unit_test(enums_are_one_of_their_words),
        cmocka_unit_test(event_types_are_full_names),
        cmocka_unit_test(nothing_stands_behind_a_value),
        cmocka_unit_test(fields_are_all_there_and_no_other),
        cmocka_unit_test(fields_come_sorted_and_once),
        cmocka_unit_test(stored_bodies_may_lack_defaults),
        cmocka_unit_test(raw_bodies_are_text_or_bytes),
        cmocka_unit_test(refs_are_met_at_any_depth),
        cmocka_unit_test(lists_have_at_most_their_items),
        cmocka_unit_test(defaults_are_put_where_they_belong),
        cmocka_unit_test(defaults_keep_what_is_unknown),
        cmocka_unit_test(defaults_reach_into_lists_of_structs),
        cmocka_unit_test(ordered_form_compares_as_values_do),
        cmocka_unit_test(ordered_form_is_that_of_the_format),
        cmocka_unit_test(what_is_cut_short_is_not_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
