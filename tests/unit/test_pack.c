/* pack: msgpack as doors read and write it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/buffer.h"
#include "base/pack.h"

static void numbers_come_back(void **state)
{
    static const int64_t numbers[] = {0,
                                      127,
                                      128,
                                      255,
                                      256,
                                      65535,
                                      65536,
                                      -1,
                                      -32,
                                      -33,
                                      -128,
                                      -129,
                                      -32768,
                                      -32769,
                                      INT32_MAX,
                                      INT32_MIN,
                                      INT64_MAX,
                                      INT64_MIN,
                                      (int64_t)UINT32_MAX + 1};
    (void)state;
    for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
        struct buffer out = {0};
        pack_put_integer(&out, numbers[i]);
        struct pack back = pack_open(out.data, out.len);
        assert_int_equal(back.kind, PACK_INTEGER);
        assert_true(back.integer == numbers[i]);
        assert_int_equal(pack_size(&back), out.len);
        for (size_t cut = 0; cut < out.len; cut++) {
            back = pack_open(out.data, cut);
            assert_int_equal(back.kind, PACK_NONE);
        }
        buffer_free(&out);
    }
}

/* Five bytes may claim four thousand million items. */
static void false_lengths_are_nothing(void **state)
{
    static const uint8_t claims[][6] = {{0xdd, 0xff, 0xff, 0xff, 0xff, 0xc0},
                                        {0xdf, 0xff, 0xff, 0xff, 0xff, 0xc0},
                                        {0xdb, 0xff, 0xff, 0xff, 0xff, 0x61},
                                        {0xc6, 0x00, 0x00, 0x00, 0x02, 0x61}};
    (void)state;
    for (size_t i = 0; i < sizeof(claims) / sizeof(*claims); i++) {
        struct pack item = pack_open(claims[i], sizeof(claims[i]));
        assert_int_equal(pack_size(&item), 0);
        assert_int_equal(pack_find(&item, "x").kind, PACK_NONE);
    }
}

/* What reads in order ends where `pack_size` says, and tells damage. */
static void readers_walk_once(void **state)
{
    struct buffer out = {0};
    (void)state;
    pack_put_map(&out, 2);
    pack_put_string(&out, "list");
    pack_put_list(&out, 2);
    pack_put_nil(&out);
    pack_put_map(&out, 0);
    pack_put_string(&out, "x");
    pack_put_real(&out, 0.5);
    for (size_t cut = 0; cut <= out.len; cut++) {
        const uint8_t *data = (const uint8_t *)out.data;
        struct pack_reader r = {.at = data, .end = data + cut};
        pack_skip(&r);
        assert_int_equal(r.bad, cut < out.len);
    }
    struct pack map = pack_open(out.data, out.len);
    assert_int_equal(pack_size(&map), out.len);
    assert_int_equal(pack_find(&map, "x").kind, PACK_REAL);
    buffer_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_come_back),
        cmocka_unit_test(false_lengths_are_nothing),
        cmocka_unit_test(readers_walk_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
