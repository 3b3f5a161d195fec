/* Tiles, asked of a chain, and proofs where the file of tiles cannot be
 * believed. */
#define _GNU_SOURCE /* memmem */
#include "fixture_proving.h"

#include "log/tiles.h"

/* ---- making ---- */

static struct buf *tiles(struct fixture *f)
{
    return memory_disk_file(f->chain.disk, f->path);
}

/* ---- tiles ---- */

static void assert_tile(struct fixture *f, unsigned level, uint64_t index,
                        uint64_t width)
{
    struct told t;
    struct bytes data;
    char a[40];
    char b[40];
    char c[40];
    ask_ok(f, &t, "tile",
           ARGS(number_arg(a, "index", index), number_arg(b, "level", level),
                number_arg(c, "width", width)));
    struct mp mp = mp_open(mp_map_get(buf_bytes(&t.result), "data"));
    assert_int_equal(mp_get_bin(&mp, &data, NULL), 0);
    assert_int_equal(data.len, width * HASH_SIZE);
    uint64_t leaves = (uint64_t)1 << (level * TILES_WIDTH_BITS);
    for (uint64_t i = 0; i < width; i++) {
        uint8_t want[HASH_SIZE];
        merkle_root_of_hashes(
            (const uint8_t(*)[HASH_SIZE])(f->hashes +
                                          (index * TILES_WIDTH + i) * leaves),
            leaves, want);
        assert_memory_equal(data.data + i * HASH_SIZE, want, HASH_SIZE);
    }
    buf_deinit(&t.result);
}

static void tiles_are_those_of_the_leaves(void **state)
{
    struct fixture *f = *state;
    uint64_t full = f->size / TILES_WIDTH;
    for (int mode = 0; mode < 2; mode++) {
        for (uint64_t i = 0; i < full; i++) {
            assert_tile(f, 0, i, TILES_WIDTH);
            assert_tile(f, 0, i, 1 + i);
        }
        assert_tile(f, 0, full, f->size % TILES_WIDTH);
        assert_tile(f, 0, full, 1);
        assert_tile(f, 1, 0, full);
        assert_tile(f, 1, 0, 1);
        reopen(f, LOG_READ_ONLY);
    }
    ask_fails(f, "tile", ARGS("index#0", "level#2"), ATE_ENOT_FOUND,
              "no such tile");
    ask_fails(f, "tile", ARGS("index#100", "level#0"), ATE_ENOT_FOUND,
              "no such tile");
    ask_fails(f, "tile", ARGS("index#0", "level#0", "width#257"),
              ATE_ENOT_FOUND, "no such tile");
    ask_fails(f, "tile", ARGS("index#0", "level#0", "width#0"), ATE_ENOT_FOUND,
              "no such tile");
    ask_fails(f, "tile", ARGS("index#18446744073709551615", "level#0"),
              ATE_EINVALID, "");
    ask_fails(f, "tile", ARGS("index#0", "level#8"), ATE_ENOT_FOUND,
              "so large");
    ask_fails(f, "tile", ARGS("index#0", "level=leaves"), ATE_EINVALID,
              "whole number");
}

static void entries_are_the_leaves(void **state)
{
    struct fixture *f = *state;
    for (uint64_t index = 0; index <= f->size / TILES_WIDTH; index++) {
        struct told t;
        struct bytes data;
        char a[40];
        ask_ok(f, &t, "tile",
               ARGS(number_arg(a, "index", index), "level=entries"));
        uint64_t width = number_at(&t, "width");
        struct mp mp = mp_open(mp_map_get(buf_bytes(&t.result), "data"));
        assert_int_equal(mp_get_bin(&mp, &data, NULL), 0);
        assert_int_equal(data.len, width * (2 + LOG_LEAF_SIZE));
        for (uint64_t i = 0; i < width; i++) {
            const uint8_t *at = data.data + i * (2 + LOG_LEAF_SIZE);
            uint8_t hash[HASH_SIZE];
            assert_int_equal(at[0] << 8 | at[1], LOG_LEAF_SIZE);
            hash_leaf(bytes_of(at + 2, LOG_LEAF_SIZE), hash);
            assert_memory_equal(hash, f->hashes[index * TILES_WIDTH + i],
                                HASH_SIZE);
        }
        buf_deinit(&t.result);
    }
}

/* ---- files that cannot be believed ---- */

static void a_damaged_tile_is_made_again(void **state)
{
    struct fixture *f = *state;
    struct buf good = {0};
    buf_put_bytes(&good, buf_bytes(tiles(f)));
    for (uint64_t i = 1; i <= 3; i++)
        tiles(f)->data[i * TILES_TILE + 1000] ^= 0x40;
    prove_some(f, 40);
    assert_true(bytes_equal(buf_bytes(tiles(f)), buf_bytes(&good)));
    buf_deinit(&good);
}

static void a_reader_repairs_nothing_and_proves_all(void **state)
{
    struct fixture *f = *state;
    reopen(f, LOG_READ_ONLY);
    for (uint64_t i = 1; i <= 3; i++)
        tiles(f)->data[i * TILES_TILE + 1000] ^= 0x40;
    struct buf before = {0};
    buf_put_bytes(&before, buf_bytes(tiles(f)));
    prove_some(f, 40);
    tiles_are_those_of_the_leaves(state);
    assert_true(bytes_equal(buf_bytes(tiles(f)), buf_bytes(&before)));
    buf_deinit(&before);
}

static void without_a_file_all_is_proved(void **state)
{
    struct fixture *f = *state;
    reopen(f, LOG_READ_ONLY);
    tiles(f)->len = 0;
    prove_some(f, 40);
    tiles_are_those_of_the_leaves(state);
    reopen(f, LOG_READ_WRITE); /* and a writer fills it again */
    mark(f);
    assert_int_equal(tiles(f)->len, (3 + 1) * TILES_TILE);
    prove_some(f, 40);
}

static void another_chain_s_tiles_are_no_use(void **state)
{
    struct fixture *f = *state;
    struct fixture *other = make(SMALL + 100);
    memcpy(tiles(f)->data, tiles(other)->data, tiles(f)->len);
    prove_some(f, 40);
    reopen(f, LOG_READ_ONLY);
    memcpy(tiles(f)->data, tiles(other)->data, tiles(f)->len);
    prove_some(f, 40);
    void *gone = other;
    tear_down(&gone);
}

/* Reading frames anew shows what has changed since they were replayed. */
static void a_log_that_changed_proves_nothing_false(void **state)
{
    struct fixture *f = *state;
    char head[LOG_PATH_MAX + 16];
    reopen(f, LOG_READ_ONLY);
    tiles(f)->len = 0;
    log_folder(head, chain_core(f->chain.chain)->id);
    strcat(head, "/1.head");
    struct buf *file = memory_disk_file(f->chain.disk, head);
    file->data[chain_log(f->chain.chain)->end.offset / 3] ^= 1;
    ask_fails(f, "proof", ARGS("index#2"), ATE_ECORRUPT, "frame");
}

/* The last transaction of the frame at `at` gets another verdict. */
static void spoil(struct buf *file, uint64_t at)
{
    struct log_frame frame;
    struct buf payload = {0};
    struct buf again = {0};
    struct err err;
    assert_int_equal(
        log_frame_get(&frame, bytes_of(file->data + at, file->len - at), &err),
        0);
    buf_put_bytes(&payload, frame.payload);
    payload.data[payload.len - 1] ^= 1;
    frame.payload = buf_bytes(&payload);
    log_frame_put(&again, &frame);
    memcpy(file->data + at, again.data, again.len);
    buf_deinit(&payload);
    buf_deinit(&again);
}

/* A frame is undone as a whole, with leaves that filled a tile. */
static void a_bad_frame_over_the_end_of_a_tile_is_refused(void **state)
{
    struct fixture *f = *state;
    struct chain *c = f->chain.chain;
    char head[LOG_PATH_MAX + 16];
    log_folder(head, chain_core(c)->id);
    strcat(head, "/1.head");
    uint64_t at = 0;
    uint64_t frames = c->log.end.frames;
    for (uint64_t i = 1; i + 1 < frames && at == 0; i++) {
        uint64_t first = log_place_at(&c->log, i).index;
        uint64_t next = log_place_at(&c->log, i + 1).index;
        if (first / TILES_WIDTH != next / TILES_WIDTH &&
            first % TILES_WIDTH != 0 && next % TILES_WIDTH != 0)
            at = log_place_at(&c->log, i).offset;
    }
    assert_true(at > 0);
    spoil(memory_disk_file(f->chain.disk, head), at);
    assert_int_equal(fixture_reopen(&f->chain, LOG_READ_ONLY), ATE_ECORRUPT);
    assert_non_null(strstr(f->chain.done_err.text, "the verdict differs"));
    assert_true(chain_size(f->chain.chain) % TILES_WIDTH != 0);
}

/* ---- a log with full tiles of level 1 ---- */

static void prove_few(struct fixture *f)
{
    static const uint64_t sizes[] = {65535, 65536, 65537, 66000, LARGE};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++)
        for (uint64_t index = 100; index < sizes[i]; index += sizes[i] / 3)
            prove(f, index, sizes[i]);
    assert_tile(f, 1, 0, TILES_WIDTH);
    assert_tile(f, 2, 0, 1);
}

static void tiles_above_are_made_again_too(void **state)
{
    (void)state;
    struct fixture *f = make(LARGE);
    struct buf good = {0};
    reopen(f, LOG_READ_WRITE);
    mark(f);
    buf_put_bytes(&good, buf_bytes(tiles(f)));
    uint64_t one = (tiles_position(1, 0) + 1) * TILES_TILE;
    prove_few(f);
    /* The tile of level 1, then also one below it. */
    tiles(f)->data[one + 5] ^= 1;
    prove_few(f);
    assert_true(bytes_equal(buf_bytes(tiles(f)), buf_bytes(&good)));
    reopen(f, LOG_READ_WRITE);
    tiles(f)->data[one + 5] ^= 1;
    tiles(f)->data[9 * TILES_TILE + 5] ^= 1;
    prove_few(f);
    assert_memory_equal(tiles(f)->data + one, good.data + one, TILES_TILE);
    reopen(f, LOG_READ_ONLY);
    tiles(f)->len = 0;
    prove_few(f);
    buf_deinit(&good);
    void *gone = f;
    tear_down(&gone);
}

/* What takes long ends when nobody waits for it. */
static void a_long_fetch_can_be_canceled(void **state)
{
    struct fixture *f = *state;
    struct told t = {0};
    struct buf map = {0};
    reopen(f, LOG_READ_ONLY);
    tiles(f)->len = 0;
    mp_put_map(&map, 1);
    mp_put_text(&map, "index");
    mp_put_uint(&map, 2);
    struct query *q = query_start(f->chain.chain, bytes_of_text("proof"),
                                  buf_bytes(&map), 100, NULL, told_done, &t);
    query_run(q);
    memory_disk_reap(f->chain.disk);
    query_cancel(q);
    query_run(q);
    fixture_run(&f->chain);
    assert_true(t.done);
    assert_int_equal(t.code, ATE_ECANCELED);
    assert_true(chain_is_idle(f->chain.chain));
    buf_deinit(&map);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(tiles_are_those_of_the_leaves),
        TEST(entries_are_the_leaves),
        TEST(a_damaged_tile_is_made_again),
        TEST(a_reader_repairs_nothing_and_proves_all),
        TEST(without_a_file_all_is_proved),
        TEST(another_chain_s_tiles_are_no_use),
        TEST(a_log_that_changed_proves_nothing_false),
        TEST(a_bad_frame_over_the_end_of_a_tile_is_refused),
        TEST(a_long_fetch_can_be_canceled),
        cmocka_unit_test(tiles_above_are_made_again_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
