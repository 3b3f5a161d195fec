#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/crc32c.h"
#include "base/err.h"
#include "crypto/hash.h"
#include "log/frame.h"

static struct log_frame sample(void)
{
    struct log_frame f = {.type = LOG_BATCH,
                          .sequence = 5,
                          .index = 70000,
                          .count = 3,
                          .segment = 2,
                          .body_offset = 4096,
                          .body_len = 80,
                          .body_crc = 0x01020304,
                          .payload = bytes_of("the payload", 11),
                          .inlined = bytes_of("small bodies", 12)};
    memset(f.before, 0xab, sizeof(f.before));
    return f;
}

/* The table of docs/format.md, field by field. */
static void header_is_laid_out_as_documented(void **state)
{
    struct log_frame f = sample();
    struct buf b = {0};
    (void)state;

    log_frame_put(&b, &f);
    assert_int_equal(b.len, 96 + 16 + 16);
    assert_memory_equal(b.data, "ATEF\2\0\0\0", 8);
    assert_int_equal(get_le64(b.data + 8), 5);
    assert_int_equal(get_le64(b.data + 16), 70000);
    assert_int_equal(get_le32(b.data + 24), 3);
    assert_int_equal(get_le32(b.data + 28), 11);
    assert_int_equal(get_le32(b.data + 32), 12);
    assert_int_equal(get_le32(b.data + 36), 2);
    assert_int_equal(get_le64(b.data + 40), 4096);
    assert_int_equal(get_le64(b.data + 48), 80);
    assert_memory_equal(b.data + 56, f.before, 16);
    assert_int_equal(get_le64(b.data + 72), 0);
    assert_int_equal(get_le32(b.data + 80), crc32c(0, "the payload", 11));
    assert_int_equal(get_le32(b.data + 84), crc32c(0, "small bodies", 12));
    assert_int_equal(get_le32(b.data + 88), 0x01020304);
    assert_int_equal(get_le32(b.data + 92), crc32c(0, b.data, 92));
    assert_memory_equal(b.data + 96, "the payload\0\0\0\0\0", 16);
    assert_memory_equal(b.data + 112, "small bodies\0\0\0\0", 16);
    buf_deinit(&b);
}

static void chain_hash_leaves_out_where_bodies_lie(void **state)
{
    struct log_frame f = sample();
    struct log_frame g = sample();
    struct buf b = {0};
    uint8_t full[HASH_SIZE];
    struct hasher h;
    (void)state;

    g.segment = 0;
    g.body_offset = g.body_len = g.body_crc = 0;
    g.inlined.len = 0;
    log_frame_put(&b, &f);
    log_frame_put(&b, &g);
    assert_memory_equal(f.hash, g.hash, LOG_HASH_SIZE);
    hash_begin(&h, LABEL_FRAME);
    hash_part_of(&h, f.before, 16);
    hash_u64(&h, LOG_BATCH);
    hash_u64(&h, 5);
    hash_u64(&h, 70000);
    hash_u64(&h, 3);
    hash_part(&h, f.payload);
    hash_end(&h, full);
    assert_memory_equal(f.hash, full, LOG_HASH_SIZE);
    buf_deinit(&b);
}

static void what_was_put_is_got(void **state)
{
    struct log_frame f = sample();
    struct log_frame g;
    struct buf b = {0};
    struct err err;
    (void)state;

    log_frame_put(&b, &f);
    assert_int_equal(log_frame_get(&g, buf_bytes(&b), &err), 0);
    assert_int_equal(g.type, f.type);
    assert_int_equal(g.index, f.index);
    assert_int_equal(g.body_crc, f.body_crc);
    assert_true(bytes_equal(g.payload, f.payload));
    assert_true(bytes_equal(g.inlined, f.inlined));
    assert_memory_equal(g.hash, f.hash, LOG_HASH_SIZE);
    buf_deinit(&b);
}

static void frame_of_nothing_is_its_header(void **state)
{
    struct log_frame f = {.type = LOG_GENESIS, .count = 1};
    struct log_frame g;
    struct buf b = {0};
    struct err err;
    (void)state;

    log_frame_put(&b, &f);
    assert_int_equal(b.len, LOG_FRAME_HEADER);
    assert_int_equal(log_frame_get(&g, buf_bytes(&b), &err), 0);
    assert_int_equal(g.payload.len, 0);
    buf_deinit(&b);
}

/* Not one bit of a frame may change unseen, padding and zeros included. */
static void every_flipped_bit_is_corrupt(void **state)
{
    struct log_frame f = sample();
    struct log_frame g;
    struct buf b = {0};
    (void)state;

    log_frame_put(&b, &f);
    for (size_t bit = 0; bit < b.len * 8; bit++) {
        b.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_equal(log_frame_header(&g, b.data, NULL) == 0
                             ? log_frame_get(&g, buf_bytes(&b), NULL)
                             : ATE_ECORRUPT,
                         ATE_ECORRUPT);
        b.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    assert_int_equal(log_frame_get(&g, buf_bytes(&b), NULL), 0);
    buf_deinit(&b);
}

/* Whoever can compute a checksum still gets no length past the limits. */
static void header_with_absurd_fields_is_corrupt(void **state)
{
    static const struct {
        size_t at;
        uint32_t value;
    } bad[] = {
        {4, 3},           /* type */
        {4, 0x10002},     /* flags */
        {28, 0x7fffffff}, /* payload */
        {32, 0xffffffff}, /* inline */
        {36, 0},          /* bodies without a segment */
        {40, 4097},       /* bodies not aligned */
        {44, 1},          /* bodies behind the end of a segment */
        {48, 81},         /* not padded */
        {52, 1},          /* more than a segment */
        {72, 1},          /* zeros */
    };
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        struct log_frame f = sample();
        struct buf b = {0};
        log_frame_put(&b, &f);
        put_le32(b.data + bad[i].at, bad[i].value);
        put_le32(b.data + 92, crc32c(0, b.data, 92));
        assert_int_equal(log_frame_header(&f, b.data, NULL), ATE_ECORRUPT);
        buf_deinit(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(header_is_laid_out_as_documented),
        cmocka_unit_test(chain_hash_leaves_out_where_bodies_lie),
        cmocka_unit_test(what_was_put_is_got),
        cmocka_unit_test(frame_of_nothing_is_its_header),
        cmocka_unit_test(every_flipped_bit_is_corrupt),
        cmocka_unit_test(header_with_absurd_fields_is_corrupt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
