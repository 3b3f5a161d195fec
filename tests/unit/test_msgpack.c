/* msgpack: the canonical form, byte by byte, and what is not part of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/memory.h"
#include "base/msgpack.h"

/* A literal with zeros in it. */
#define LITERAL(text) bytes_of(text, sizeof(text) - 1)

static void assert_bytes(struct buf *b, const char *want, size_t len)
{
    assert_int_equal(b->len, len);
    assert_memory_equal(b->data, want, len);
    buf_clear(b);
}

#define assert_written(b, want) assert_bytes(b, want, sizeof(want) - 1)

/* ---- writing ---- */

static void integers_are_written_in_their_shortest_form(void **state)
{
    (void)state;
    static const struct {
        int64_t value;
        const char *bytes;
        size_t len;
    } cases[] = {
        {0, "\x00", 1},
        {127, "\x7f", 1},
        {128, "\xcc\x80", 2},
        {255, "\xcc\xff", 2},
        {256, "\xcd\x01\x00", 3},
        {65535, "\xcd\xff\xff", 3},
        {65536, "\xce\x00\x01\x00\x00", 5},
        {UINT32_MAX, "\xce\xff\xff\xff\xff", 5},
        {1LL << 32, "\xcf\x00\x00\x00\x01\x00\x00\x00\x00", 9},
        {INT64_MAX, "\xcf\x7f\xff\xff\xff\xff\xff\xff\xff", 9},
        {-1, "\xff", 1},
        {-32, "\xe0", 1},
        {-33, "\xd0\xdf", 2},
        {-128, "\xd0\x80", 2},
        {-129, "\xd1\xff\x7f", 3},
        {-32768, "\xd1\x80\x00", 3},
        {-32769, "\xd2\xff\xff\x7f\xff", 5},
        {INT32_MIN, "\xd2\x80\x00\x00\x00", 5},
        {INT32_MIN - 1LL, "\xd3\xff\xff\xff\xff\x7f\xff\xff\xff", 9},
        {INT64_MIN, "\xd3\x80\x00\x00\x00\x00\x00\x00\x00", 9},
    };
    struct buf b = {0};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        mp_put_int(&b, cases[i].value);
        struct mp mp = mp_open(buf_bytes(&b));
        int64_t value = 1;
        assert_int_equal(mp_get_int(&mp, &value, NULL), 0);
        assert_true(value == cases[i].value);
        assert_int_equal(mp_done(&mp, NULL), 0);
        assert_bytes(&b, cases[i].bytes, cases[i].len);
    }
    mp_put_uint(&b, UINT64_MAX);
    assert_written(&b, "\xcf\xff\xff\xff\xff\xff\xff\xff\xff");
    buf_deinit(&b);
}

static void simple_values_are_one_byte(void **state)
{
    (void)state;
    struct buf b = {0};
    mp_put_nil(&b);
    mp_put_bool(&b, false);
    mp_put_bool(&b, true);
    mp_put_bin_or_nil(&b, (struct bytes){0});
    mp_put_bin_or_nil(&b, LITERAL("x"));
    mp_put_id(&b, NULL, 2);
    mp_put_id(&b, (const uint8_t *)"id", 2);
    assert_written(&b, "\xc0\xc2\xc3\xc0\xc4\x01x\xc0\xc4\x02id");
    buf_deinit(&b);
}

/* Each length on both sides of a change of form: written, read, checked. */
static void lengths_take_their_shortest_form(void **state)
{
    (void)state;
    static const struct {
        size_t len;
        size_t str_head;
        size_t bin_head;
    } cases[] = {
        {0, 1, 2},   {31, 1, 2},    {32, 2, 2},    {255, 2, 2},
        {256, 3, 3}, {65535, 3, 3}, {65536, 5, 5},
    };
    static char text[65536];
    memset(text, 't', sizeof(text));
    struct buf b = {0};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct bytes content = bytes_of(text, cases[i].len);
        struct bytes got;
        mp_put_str(&b, content);
        assert_int_equal(b.len, cases[i].str_head + cases[i].len);
        assert_int_equal(mp_check(buf_bytes(&b), NULL), 0);
        struct mp mp = mp_open(buf_bytes(&b));
        assert_int_equal(mp_get_str(&mp, &got, NULL), 0);
        assert_true(bytes_equal(got, content));
        buf_clear(&b);
        mp_put_bin(&b, content);
        assert_int_equal(b.len, cases[i].bin_head + cases[i].len);
        assert_int_equal(mp_check(buf_bytes(&b), NULL), 0);
        mp = mp_open(buf_bytes(&b));
        assert_int_equal(mp_get_bin(&mp, &got, NULL), 0);
        assert_true(bytes_equal(got, content));
        buf_clear(&b);
    }
    buf_deinit(&b);
}

static void counts_take_their_shortest_form(void **state)
{
    (void)state;
    struct buf b = {0};
    mp_put_array(&b, 15);
    mp_put_array(&b, 16);
    mp_put_array(&b, 65535);
    mp_put_array(&b, 65536);
    assert_written(&b, "\x9f\xdc\x00\x10\xdc\xff\xff\xdd\x00\x01\x00\x00");
    mp_put_map(&b, 15);
    mp_put_map(&b, 16);
    mp_put_map(&b, 65536);
    assert_written(&b, "\x8f\xde\x00\x10\xdf\x00\x01\x00\x00");
    for (uint32_t count = 14; count < 70000; count *= 3) {
        mp_put_array(&b, count);
        for (uint32_t i = 0; i < count; i++)
            mp_put_nil(&b);
        assert_int_equal(mp_check(buf_bytes(&b), NULL), 0);
        buf_clear(&b);
    }
    buf_deinit(&b);
}

/* ---- reading ---- */

/* [nil, true, -5, 2^64-1, "text", bin 3, nil for bin, [1, 2], {a: 1, b: []}] */
static void put_sample(struct buf *b)
{
    mp_put_array(b, 9);
    mp_put_nil(b);
    mp_put_bool(b, true);
    mp_put_int(b, -5);
    mp_put_uint(b, UINT64_MAX);
    mp_put_text(b, "text");
    mp_put_bin(b, LITERAL("\x00\x01\x02"));
    mp_put_nil(b);
    mp_put_array(b, 2);
    mp_put_int(b, 1);
    mp_put_int(b, 2);
    mp_put_map(b, 2);
    mp_put_text(b, "a");
    mp_put_int(b, 1);
    mp_put_text(b, "b");
    mp_put_array(b, 0);
}

/* Read all of the sample, looking once at the end. */
static int read_sample(struct bytes bytes)
{
    struct mp mp = mp_open(bytes);
    bool truth = false;
    int64_t number = 0;
    uint64_t large = 0;
    struct bytes text = {0};
    const uint8_t *three = NULL;
    const uint8_t *none = bytes.data;
    struct bytes map = {0};
    uint32_t count = 0;
    mp_get_array_of(&mp, 9, NULL);
    mp_get_nil(&mp, NULL);
    mp_get_bool(&mp, &truth, NULL);
    mp_get_int(&mp, &number, NULL);
    mp_get_uint(&mp, &large, NULL);
    mp_get_str(&mp, &text, NULL);
    mp_get_bin_of(&mp, 3, &three, NULL);
    mp_get_bin_or_nil(&mp, 3, &none, NULL);
    mp_get_array(&mp, &count, NULL);
    mp_skip(&mp, NULL, NULL);
    mp_skip(&mp, NULL, NULL);
    mp_skip(&mp, &map, NULL);
    int rc = mp_done(&mp, NULL);
    if (rc != 0)
        return rc;
    assert_true(truth);
    assert_int_equal(number, -5);
    assert_true(large == UINT64_MAX);
    assert_true(bytes_equal(text, bytes_of_text("text")));
    assert_memory_equal(three, "\x00\x01\x02", 3);
    assert_null(none);
    assert_int_equal(count, 2);
    assert_true(bytes_equal(mp_map_get(map, "b"), LITERAL("\x90")));
    return 0;
}

static void what_is_written_is_read(void **state)
{
    (void)state;
    struct buf b = {0};
    put_sample(&b);
    assert_int_equal(mp_check(buf_bytes(&b), NULL), 0);
    assert_int_equal(read_sample(buf_bytes(&b)), 0);
    buf_deinit(&b);
}

/* From a buffer of just that size, so that the sanitizer sees a read too far.
 */
static void cut_at_any_byte_is_invalid(void **state)
{
    (void)state;
    struct buf b = {0};
    put_sample(&b);
    for (size_t len = 0; len < b.len; len++) {
        uint8_t *cut = mem_copy(b.data, len);
        struct err err = {0};
        assert_int_equal(mp_check(bytes_of(cut, len), &err), ATE_EINVALID);
        assert_non_null(strstr(err.text, "msgpack at byte "));
        assert_int_equal(read_sample(bytes_of(cut, len)), ATE_EINVALID);
        mem_free(cut);
    }
    buf_deinit(&b);
}

static void first_failure_sticks(void **state)
{
    (void)state;
    struct mp mp = mp_open(LITERAL("\x01\x02"));
    struct bytes text;
    int64_t number = 77;
    enum mp_kind kind;
    uint32_t count;
    struct err err = {0};
    assert_int_equal(mp_get_str(&mp, &text, &err), ATE_EINVALID);
    assert_string_equal(err.text, "msgpack at byte 0: an integer, want text");
    assert_int_equal(mp.failed, ATE_EINVALID);
    assert_int_equal(mp_get_int(&mp, &number, NULL), ATE_EINVALID);
    assert_int_equal(number, 77);
    assert_int_equal(mp_peek(&mp, &kind, NULL), ATE_EINVALID);
    assert_int_equal(mp_get_array(&mp, &count, NULL), ATE_EINVALID);
    assert_int_equal(mp_skip(&mp, NULL, NULL), ATE_EINVALID);
    assert_int_equal(mp_done(&mp, NULL), ATE_EINVALID);
    assert_false(mp_take_nil(&mp));
}

static void peek_names_what_stands_here(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t len;
        enum mp_kind kind;
    } cases[] = {
        {"\xc0", 1, MP_NIL},
        {"\xc3", 1, MP_BOOL},
        {"\x05", 1, MP_INT},
        {"\xe0", 1, MP_INT},
        {"\xcf\x7f\xff\xff\xff\xff\xff\xff\xff", 9, MP_INT},
        {"\xcf\x80\x00\x00\x00\x00\x00\x00\x00", 9, MP_UINT},
        {"\xa1x", 2, MP_STR},
        {"\xc4\x00", 2, MP_BIN},
        {"\x90", 1, MP_ARRAY},
        {"\x80", 1, MP_MAP},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct mp mp = mp_open(bytes_of(cases[i].bytes, cases[i].len));
        enum mp_kind kind;
        assert_int_equal(mp_peek(&mp, &kind, NULL), 0);
        assert_int_equal(kind, cases[i].kind);
        assert_ptr_equal(mp.at, mp.start);
    }
}

static void kinds_are_not_mixed_up(void **state)
{
    (void)state;
    struct mp mp = mp_open(LITERAL("\xcf\x80\x00\x00\x00\x00\x00\x00\x00"));
    int64_t number;
    assert_int_equal(mp_get_int(&mp, &number, NULL), ATE_EINVALID);
    mp = mp_open(LITERAL("\xff"));
    uint64_t large;
    assert_int_equal(mp_get_uint(&mp, &large, NULL), ATE_EINVALID);
    mp = mp_open(LITERAL("\xa1x"));
    assert_int_equal(mp_get_uint(&mp, &large, NULL), ATE_EINVALID);
    mp = mp_open(LITERAL("\xa1x"));
    struct bytes bytes;
    assert_int_equal(mp_get_bin(&mp, &bytes, NULL), ATE_EINVALID);
    mp = mp_open(LITERAL("\xc4\x01x"));
    assert_int_equal(mp_get_str(&mp, &bytes, NULL), ATE_EINVALID);
    mp = mp_open(LITERAL("\x91\xc0"));
    uint32_t count;
    assert_int_equal(mp_get_map(&mp, &count, NULL), ATE_EINVALID);
}

static void lengths_asked_for_are_exact(void **state)
{
    (void)state;
    const uint8_t *bytes;
    struct err err = {0};
    struct mp mp = mp_open(LITERAL("\xc4\x02xy"));
    assert_int_equal(mp_get_bin_of(&mp, 3, &bytes, &err), ATE_EINVALID);
    assert_string_equal(err.text, "msgpack at byte 0: 2 bytes, want 3");
    mp = mp_open(LITERAL("\x92\xc0\xc0"));
    assert_int_equal(mp_get_array_of(&mp, 3, &err), ATE_EINVALID);
    assert_string_equal(err.text, "msgpack at byte 0: an array of 2, want 3");
    mp = mp_open(LITERAL("\xc4\x02xy"));
    assert_int_equal(mp_get_bin_or_nil(&mp, 2, &bytes, NULL), 0);
    assert_memory_equal(bytes, "xy", 2);
}

/* One by one: what other encoders may write and nobody here may accept. */
static void other_forms_are_invalid(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        const char *bytes;
        size_t len;
    } cases[] = {
#define CASE(what, bytes) {what, bytes, sizeof(bytes) - 1}
        CASE("nothing", ""),
        CASE("two values", "\x01\x02"),
        CASE("the unused byte", "\xc1"),
        CASE("uint8 of 127", "\xcc\x7f"),
        CASE("uint16 of 255", "\xcd\x00\xff"),
        CASE("uint32 of 65535", "\xce\x00\x00\xff\xff"),
        CASE("uint64 of 2^32 - 1", "\xcf\x00\x00\x00\x00\xff\xff\xff\xff"),
        CASE("int8 of -32", "\xd0\xe0"),
        CASE("int8 of 5", "\xd0\x05"),
        CASE("int16 of -128", "\xd1\xff\x80"),
        CASE("int16 of 300", "\xd1\x01\x2c"),
        CASE("int32 of -32768", "\xd2\xff\xff\x80\x00"),
        CASE("int32 of 70000", "\xd2\x00\x01\x11\x70"),
        CASE("int64 of -2^31", "\xd3\xff\xff\xff\xff\x80\x00\x00\x00"),
        CASE("int64 of 2^32", "\xd3\x00\x00\x00\x01\x00\x00\x00\x00"),
        CASE("str8 of 1", "\xd9\x01x"),
        CASE("str16 of 1", "\xda\x00\x01x"),
        CASE("str32 of 1", "\xdb\x00\x00\x00\x01x"),
        CASE("bin16 of 1", "\xc5\x00\x01x"),
        CASE("bin32 of 1", "\xc6\x00\x00\x00\x01x"),
        CASE("array16 of 1", "\xdc\x00\x01\xc0"),
        CASE("array32 of 1", "\xdd\x00\x00\x00\x01\xc0"),
        CASE("map16 of 1", "\xde\x00\x01\xa1x\xc0"),
        CASE("map32 of 1", "\xdf\x00\x00\x00\x01\xa1x\xc0"),
        CASE("float32", "\xca\x3f\x80\x00\x00"),
        CASE("float64", "\xcb\x3f\xf0\x00\x00\x00\x00\x00\x00"),
        CASE("fixext1", "\xd4\x01x"),
        CASE("fixext16", "\xd8\x01xxxxxxxxxxxxxxxx"),
        CASE("ext8", "\xc7\x01\x01x"),
        CASE("ext32", "\xc9\x00\x00\x00\x01\x01x"),
        CASE("str that is not UTF-8", "\xa1\xff"),
        CASE("str with a surrogate", "\xa3\xed\xa0\x80"),
        CASE("map key not UTF-8", "\x81\xa1\xff\xc0"),
        CASE("map key integer", "\x81\x01\xc0"),
        CASE("map key bin", "\x81\xc4\x01x\xc0"),
        CASE("map key nil", "\x81\xc0\xc0"),
        CASE("map key map", "\x81\x80\xc0"),
        CASE("map keys not sorted", "\x82\xa1\x62\x01\xa1\x61\x02"),
        CASE("map key twice", "\x82\xa1\x61\x01\xa1\x61\x02"),
        CASE("map keys by length", "\x82\xa1\x62\x01\xa2\x61\x61\x02"),
        CASE("inner map not sorted", "\x91\x82\xa1\x62\x01\xa1\x61\x02"),
        CASE("str longer than the rest", "\xa5xxxx"),
        CASE("bin of 4 GiB", "\xc6\xff\xff\xff\xff"),
        CASE("str of 4 GiB", "\xdb\xff\xff\xff\xff"),
        CASE("array of 4 G", "\xdd\xff\xff\xff\xff"),
        CASE("map of 4 G", "\xdf\xff\xff\xff\xff"),
        CASE("map of 2 G", "\xdf\x80\x00\x00\x00"),
#undef CASE
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct err err = {0};
        int rc = mp_check(bytes_of(cases[i].bytes, cases[i].len), &err);
        if (rc != ATE_EINVALID)
            print_message("accepted: %s\n", cases[i].what);
        assert_int_equal(rc, ATE_EINVALID);
        assert_int_equal(err.code, ATE_EINVALID);
    }
}

/* A decoder allocates by counts: they may not promise more than can come. */
static void counts_are_covered_by_bytes(void **state)
{
    (void)state;
    uint32_t count;
    struct mp mp = mp_open(LITERAL("\x93\xc0\xc0"));
    assert_int_equal(mp_get_array(&mp, &count, NULL), ATE_EINVALID);
    mp = mp_open(LITERAL("\x82\xa0\xc0\xa1"));
    assert_int_equal(mp_get_map(&mp, &count, NULL), ATE_EINVALID);
    mp = mp_open(LITERAL("\xdd\x7f\xff\xff\xff\xc0"));
    assert_int_equal(mp_get_array(&mp, &count, NULL), ATE_EINVALID);
}

static struct bytes nested(struct buf *b, int depth, bool maps)
{
    buf_clear(b);
    for (int i = 1; i < depth; i++)
        buf_put_text(b, maps ? "\x81\xa0" : "\x91");
    buf_put_u8(b, maps ? 0x80 : 0x90);
    return buf_bytes(b);
}

static void nesting_ends_at_16(void **state)
{
    (void)state;
    struct buf b = {0};
    struct buf out = {0};
    for (int maps = 0; maps < 2; maps++) {
        struct bytes fits = nested(&b, MP_DEPTH_MAX, maps);
        assert_int_equal(mp_check(fits, NULL), 0);
        assert_int_equal(mp_canonical(&out, fits, NULL), 0);
        struct bytes over = nested(&b, MP_DEPTH_MAX + 1, maps);
        assert_int_equal(mp_check(over, NULL), ATE_EINVALID);
        assert_int_equal(mp_canonical(&out, over, NULL), ATE_ELIMIT);
        struct bytes far = nested(&b, 100000, maps);
        assert_int_equal(mp_check(far, NULL), ATE_EINVALID);
        assert_int_equal(mp_canonical(&out, far, NULL), ATE_ELIMIT);
    }
    buf_deinit(&b);
    buf_deinit(&out);
}

static void failed_skip_stays_where_it_was(void **state)
{
    (void)state;
    struct mp mp = mp_open(LITERAL("\xc0\x92\x01\xc1"));
    struct bytes raw = {0};
    assert_int_equal(mp_skip(&mp, &raw, NULL), 0);
    assert_int_equal(raw.len, 1);
    const uint8_t *at = mp.at;
    struct err err = {0};
    assert_int_equal(mp_skip(&mp, &raw, &err), ATE_EINVALID);
    assert_ptr_equal(mp.at, at);
    assert_non_null(strstr(err.text, "at byte 3"));
}

static void map_gives_raw_values_by_key(void **state)
{
    (void)state;
    struct bytes map = LITERAL("\x83\xa1"
                               "a\x01\xa2"
                               "aa\x92\x02\x03\xa1"
                               "b\xc0");
    assert_int_equal(mp_check(map, NULL), 0);
    assert_true(bytes_equal(mp_map_get(map, "a"), LITERAL("\x01")));
    assert_true(bytes_equal(mp_map_get(map, "aa"), LITERAL("\x92\x02\x03")));
    assert_true(bytes_equal(mp_map_get(map, "b"), LITERAL("\xc0")));
    assert_null(mp_map_get(map, "").data);
    struct mp_walk walk = mp_walk_open(map);
    assert_null(mp_walk_get(&walk, "").data);
    assert_true(bytes_equal(mp_walk_get(&walk, "a"), LITERAL("\x01")));
    assert_true(bytes_equal(mp_walk_get(&walk, "a"), LITERAL("\x01")));
    assert_null(mp_walk_get(&walk, "ab").data);
    assert_true(bytes_equal(mp_walk_get(&walk, "b"), LITERAL("\xc0")));
    assert_null(mp_walk_get(&walk, "c").data);
    walk = mp_walk_open(bytes_of(map.data, map.len - 1)); /* torn */
    assert_null(mp_walk_get(&walk, "b").data);
    walk = mp_walk_open(LITERAL("\x01"));
    assert_null(mp_walk_get(&walk, "a").data);
    assert_null(mp_map_get(map, "ab").data);
    assert_null(mp_map_get(map, "c").data);
    assert_null(mp_map_get(LITERAL("\x80"), "a").data);
    assert_null(mp_map_get(LITERAL("\x01"), "a").data);
    assert_null(mp_map_get(LITERAL("\x82\xa1"), "a").data);
}

/* ---- what clients send ---- */

static void loose_forms_become_canonical(void **state)
{
    (void)state;
    static const struct {
        struct bytes loose;
        struct bytes want;
    } cases[] = {
#define CASE(loose, want)                                                      \
    {                                                                          \
        {(const uint8_t *)(loose), sizeof(loose) - 1},                         \
        {                                                                      \
            (const uint8_t *)(want), sizeof(want) - 1                          \
        }                                                                      \
    }
        CASE("\xc0", "\xc0"),
        CASE("\xc2", "\xc2"),
        CASE("\xcc\x05", "\x05"),
        CASE("\xd3\x00\x00\x00\x00\x00\x00\x00\x80", "\xcc\x80"),
        CASE("\xd3\xff\xff\xff\xff\xff\xff\xff\xff", "\xff"),
        CASE("\xcf\xff\xff\xff\xff\xff\xff\xff\xff",
             "\xcf\xff\xff\xff\xff\xff\xff\xff\xff"),
        CASE("\xdb\x00\x00\x00\x01x", "\xa1x"),
        CASE("\xc6\x00\x00\x00\x01x", "\xc4\x01x"),
        CASE("\xdd\x00\x00\x00\x01\xc3", "\x91\xc3"),
        CASE("\xdf\x00\x00\x00\x01\xd9\x01x\xc3", "\x81\xa1x\xc3"),
        CASE("\x83\xa1\x62\x01\xa2\x61\x61\x02\xa1\x61\x03",
             "\x83\xa1\x61\x03\xa2\x61\x61\x02\xa1\x62\x01"),
        /* floats that hold integers */
        CASE("\xca\x40\x40\x00\x00", "\x03"),
        CASE("\xcb\xc0\x08\x00\x00\x00\x00\x00\x00", "\xfd"),
        CASE("\xcb\x80\x00\x00\x00\x00\x00\x00\x00", "\x00"),
        CASE("\xcb\xc3\xe0\x00\x00\x00\x00\x00\x00",
             "\xd3\x80\x00\x00\x00\x00\x00\x00\x00"),
        CASE("\xcb\x43\xe0\x00\x00\x00\x00\x00\x00",
             "\xcf\x80\x00\x00\x00\x00\x00\x00\x00"),
        CASE("\xcb\x43\xef\xff\xff\xff\xff\xff\xff",
             "\xcf\xff\xff\xff\xff\xff\xff\xf8\x00"),
#undef CASE
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct buf out = {0};
        buf_put_u8(&out, '!');
        assert_int_equal(mp_canonical(&out, cases[i].loose, NULL), 0);
        struct bytes got = bytes_of(out.data + 1, out.len - 1);
        assert_true(bytes_equal(got, cases[i].want));
        assert_int_equal(mp_check(got, NULL), 0);
        buf_deinit(&out);
    }
}

static void what_cannot_be_canonical_is_invalid(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t len;
    } cases[] = {
#define CASE(bytes) {bytes, sizeof(bytes) - 1}
        CASE(""),
        CASE("\xc1"),
        CASE("\x01\x02"),
        CASE("\xca\x3f\xc0\x00\x00"),                 /* 1.5 */
        CASE("\xcb\x7f\xf0\x00\x00\x00\x00\x00\x00"), /* infinite */
        CASE("\xcb\x7f\xf8\x00\x00\x00\x00\x00\x00"), /* not a number */
        CASE("\xcb\x43\xf0\x00\x00\x00\x00\x00\x00"), /* 2^64 */
        CASE("\xcb\xc3\xe0\x00\x00\x00\x00\x00\x01"), /* below -2^63 */
        CASE("\xcb\x3f\xf0\x00"),
        CASE("\xd4\x01x"),
        CASE("\xd8\x01xxxxxxxxxxxxxxxx"),
        CASE("\xc7\x01\x01x"),
        CASE("\xc9\xff\xff\xff\xff\x01"),
        CASE("\x81\x01\xc0"),
        CASE("\x81\xc4\x01x\xc0"),
        CASE("\x82\xa1x\x01\xa1x\x02"),
        CASE("\x82\xa1x\x01\xd9\x01x\x02"),
        CASE("\xa1\xff"),
        CASE("\x81\xa1\xff\xc0"),
        CASE("\xa2x"),
        CASE("\x92\xc0"),
        CASE("\xdd\xff\xff\xff\xff"),
        CASE("\xdf\xff\xff\xff\xff"),
        CASE("\xdb\xff\xff\xff\xff"),
        CASE("\xc6\xff\xff\xff\xff"),
        CASE("\xdd\x00\x00"),
#undef CASE
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct buf out = {0};
        struct err err = {0};
        buf_put_text(&out, "before");
        uint8_t *exact = mem_copy(cases[i].bytes, cases[i].len);
        struct bytes loose = bytes_of(exact, cases[i].len);
        assert_int_equal(mp_canonical(&out, loose, &err), ATE_EINVALID);
        assert_int_equal(err.code, ATE_EINVALID);
        assert_string_equal(buf_text(&out), "before");
        mem_free(exact);
        buf_deinit(&out);
    }
}

static void loose_sizes_are_limited(void **state)
{
    (void)state;
    struct buf out = {0};
    uint8_t *bytes = mem_alloc(MP_LOOSE_MAX + 1);
    memset(bytes, 0xc0, MP_LOOSE_MAX + 1);
    assert_int_equal(
        mp_canonical(&out, bytes_of(bytes, MP_LOOSE_MAX + 1), NULL),
        ATE_ELIMIT);
    bytes[0] = 0xdd;
    put_be32(bytes + 1, MP_LOOSE_VALUES_MAX);
    assert_int_equal(
        mp_canonical(&out, bytes_of(bytes, MP_LOOSE_VALUES_MAX + 5), NULL),
        ATE_ELIMIT);
    put_be32(bytes + 1, MP_LOOSE_VALUES_MAX - 1);
    assert_int_equal(
        mp_canonical(&out, bytes_of(bytes, MP_LOOSE_VALUES_MAX + 4), NULL), 0);
    assert_int_equal(out.len, MP_LOOSE_VALUES_MAX + 4);
    mem_free(bytes);
    buf_deinit(&out);
}

static void canonical_bytes_stay_as_they_are(void **state)
{
    (void)state;
    struct buf b = {0};
    struct buf out = {0};
    put_sample(&b);
    assert_int_equal(mp_canonical(&out, buf_bytes(&b), NULL), 0);
    assert_true(bytes_equal(buf_bytes(&out), buf_bytes(&b)));
    buf_deinit(&b);
    buf_deinit(&out);
}

static uint64_t next_random(uint64_t *random)
{
    *random += 0x9e3779b97f4a7c15ULL;
    uint64_t x = *random;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ULL;
    x = (x ^ x >> 27) * 0x94d049bb133111ebULL;
    return x ^ x >> 31;
}

/* Both decoders of the same bytes have to agree: what one takes as canonical
 * the other leaves as it is, and what the other makes is canonical. */
static void damaged_bytes_never_split_the_decoders(void **state)
{
    (void)state;
    uint64_t random = 7;
    print_message("seed %llu\n", (unsigned long long)random);
    struct buf b = {0};
    struct buf out = {0};
    for (int i = 0; i < 200000; i++) {
        buf_clear(&b);
        buf_clear(&out);
        put_sample(&b);
        for (uint64_t hits = next_random(&random) % 4; hits-- > 0;)
            b.data[next_random(&random) % b.len] =
                (uint8_t)next_random(&random);
        bool canonical = mp_check(buf_bytes(&b), NULL) == 0;
        bool readable = mp_canonical(&out, buf_bytes(&b), NULL) == 0;
        assert_true(readable || !canonical);
        if (readable)
            assert_int_equal(mp_check(buf_bytes(&out), NULL), 0);
        if (readable)
            assert_int_equal(bytes_equal(buf_bytes(&b), buf_bytes(&out)),
                             canonical);
    }
    buf_deinit(&b);
    buf_deinit(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_are_written_in_their_shortest_form),
        cmocka_unit_test(simple_values_are_one_byte),
        cmocka_unit_test(lengths_take_their_shortest_form),
        cmocka_unit_test(counts_take_their_shortest_form),
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(cut_at_any_byte_is_invalid),
        cmocka_unit_test(first_failure_sticks),
        cmocka_unit_test(peek_names_what_stands_here),
        cmocka_unit_test(kinds_are_not_mixed_up),
        cmocka_unit_test(lengths_asked_for_are_exact),
        cmocka_unit_test(other_forms_are_invalid),
        cmocka_unit_test(counts_are_covered_by_bytes),
        cmocka_unit_test(nesting_ends_at_16),
        cmocka_unit_test(failed_skip_stays_where_it_was),
        cmocka_unit_test(map_gives_raw_values_by_key),
        cmocka_unit_test(loose_forms_become_canonical),
        cmocka_unit_test(what_cannot_be_canonical_is_invalid),
        cmocka_unit_test(loose_sizes_are_limited),
        cmocka_unit_test(canonical_bytes_stay_as_they_are),
        cmocka_unit_test(damaged_bytes_never_split_the_decoders),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
