#include "fixture_event.h"

#include <stdio.h>

#include "base/crc32c.h"
#include "io/memory_disk.h"
#include "log/tiles.h"

/* The size that tlog-tiles takes as its example: 273 full tiles of level 0 and
 * 112 hashes more, one full tile of level 1 and 17 hashes, one of level 2. */
enum { EXAMPLE = 70000 };

static const uint8_t chain[LOG_CHAIN_SIZE] = {0xab, 0xcd, 1, 2, 3};

struct fixture {
    struct memory_disk *disk;
    struct tiles tiles;
    struct merkle tree;
    char folder[LOG_PATH_MAX];
    int code;
    bool done;
};

static void leaf_hash(uint64_t index, uint8_t out[HASH_SIZE])
{
    uint8_t leaf[8];
    put_be64(leaf, index);
    hash_leaf(bytes_of(leaf, sizeof(leaf)), out);
}

static int setup(void **state)
{
    struct fixture *f = mem_zero(1, sizeof(*f));
    f->disk = memory_disk_new();
    log_folder(f->folder, chain);
    char path[LOG_PATH_MAX + 16];
    snprintf(path, sizeof(path), "%s/cur", f->folder);
    memory_disk_put(f->disk, path, bytes_of("x", 1));
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    memory_disk_run(f->disk);
    tiles_deinit(&f->tiles);
    memory_disk_free(f->disk);
    mem_free(f);
    return 0;
}

static void open_tiles(struct fixture *f, bool writes)
{
    memory_disk_run(f->disk);
    tiles_deinit(&f->tiles);
    merkle_init(&f->tree);
    tiles_init(&f->tiles, memory_disk_interface(f->disk), f->folder, chain,
               writes, NULL, NULL);
    tiles_open(&f->tiles, false);
}

/* Leaves up to `size`, durable at once. */
static void add_to(struct fixture *f, uint64_t size)
{
    while (f->tree.size < size) {
        uint8_t hash[HASH_SIZE];
        leaf_hash(f->tree.size, hash);
        merkle_append_hash(&f->tree, hash);
        tiles_add(&f->tiles, hash);
        if (f->tree.size % 1000 == 0) {
            tiles_durable(&f->tiles, f->tree.size);
            memory_disk_run(f->disk);
        }
    }
    tiles_durable(&f->tiles, size);
    memory_disk_run(f->disk);
    assert_true(tiles_at_rest(&f->tiles));
}

static void sync_tiles(struct fixture *f)
{
    tiles_sync(&f->tiles);
    memory_disk_run(f->disk);
    assert_true(tiles_at_rest(&f->tiles));
}

static struct buf *file(struct fixture *f)
{
    char path[LOG_PATH_MAX + 16];
    snprintf(path, sizeof(path), "%s/tiles", f->folder);
    return memory_disk_file(f->disk, path);
}

/* What tile n of a level has to hold: its definition. */
static void defined_tile(unsigned level, uint64_t index, uint8_t *out)
{
    uint64_t leaves = (uint64_t)1 << (level * TILES_WIDTH_BITS);
    uint64_t at = index * TILES_WIDTH * leaves;
    for (size_t i = 0; i < TILES_WIDTH; i++) {
        struct merkle m;
        merkle_init(&m);
        for (uint64_t k = 0; k < leaves; k++) {
            uint8_t hash[HASH_SIZE];
            leaf_hash(at++, hash);
            merkle_append_hash(&m, hash);
        }
        merkle_root(&m, out + i * HASH_SIZE);
    }
}

/* Tile at a place of the file is the right one. */
static void assert_tile(struct fixture *f, uint64_t position)
{
    uint8_t want[TILES_TILE];
    unsigned level;
    uint64_t index;
    tiles_at(position, &level, &index);
    defined_tile(level, index, want);
    assert_true(file(f)->len >= (position + 2) * TILES_TILE);
    assert_memory_equal(file(f)->data + (position + 1) * TILES_TILE, want,
                        TILES_TILE);
}

static void assert_file(struct fixture *f, uint64_t size)
{
    uint64_t count = tiles_count(size);
    assert_int_equal(file(f)->len, (count + 1) * TILES_TILE);
    for (uint64_t i = 0; i < count; i++)
        assert_tile(f, i);
}

static uint64_t header_says(struct fixture *f)
{
    return get_le64(file(f)->data + 40);
}

/* ---- places ---- */

/* Counted as the leaves come in, without arithmetic. */
static void places_follow_the_order_of_filling(void **state)
{
    (void)state;
    uint64_t position = 0;
    for (uint64_t n = 0; n < 3 * 65536; n++) {
        uint64_t index = n;
        assert_int_equal(tiles_count(n * TILES_WIDTH), position);
        assert_int_equal(tiles_count(n * TILES_WIDTH + 255), position);
        for (unsigned level = 0;; level++) {
            unsigned got_level;
            uint64_t got_index;
            assert_int_equal(tiles_position(level, index), position);
            tiles_at(position, &got_level, &got_index);
            assert_int_equal(got_level, level);
            assert_true(got_index == index);
            bool is_last = (index + 1) % TILES_WIDTH != 0;
            assert_int_equal(tiles_covered(position + 1),
                             (n + (is_last ? 1 : 0)) * TILES_WIDTH);
            position++;
            if (is_last)
                break;
            index = (index + 1) / TILES_WIDTH - 1;
        }
    }
}

/* ---- writing ---- */

static void the_example_of_tlog_tiles_is_laid_out(void **state)
{
    struct fixture *f = *state;
    open_tiles(f, true);
    add_to(f, EXAMPLE);
    sync_tiles(f);
    assert_file(f, EXAMPLE);
    assert_int_equal(tiles_count(EXAMPLE), 273 + 1);
    assert_int_equal(header_says(f), 274);
    assert_int_equal(f->tiles.synced, 274);
    assert_int_equal(tiles_covered(f->tiles.synced), 273 * 256);
    assert_int_equal(f->tiles.level[0].count, 112);
    assert_int_equal(f->tiles.level[1].count, 17);
    assert_int_equal(f->tiles.level[2].count, 1);
    assert_int_equal(f->tiles.level[3].count, 0);
    assert_true(tiles_agree(&f->tiles, &f->tree));
    f->tree.peaks[4][0] ^= 1;
    assert_false(tiles_agree(&f->tiles, &f->tree));
}

static void a_small_log_has_no_file(void **state)
{
    struct fixture *f = *state;
    open_tiles(f, true);
    add_to(f, 255);
    sync_tiles(f);
    assert_null(file(f));
    add_to(f, 256);
    assert_non_null(file(f));
}

static void what_is_not_durable_is_not_written(void **state)
{
    struct fixture *f = *state;
    open_tiles(f, true);
    add_to(f, 300);
    for (uint64_t i = 300; i < 1000; i++) {
        uint8_t hash[HASH_SIZE];
        leaf_hash(i, hash);
        tiles_add(&f->tiles, hash);
    }
    memory_disk_run(f->disk);
    assert_file(f, 300);
    tiles_durable(&f->tiles, 767);
    memory_disk_run(f->disk);
    assert_file(f, 767);
    tiles_durable(&f->tiles, 768);
    memory_disk_run(f->disk);
    assert_file(f, 768);
}

static void the_header_speaks_of_what_was_synced(void **state)
{
    struct fixture *f = *state;
    open_tiles(f, true);
    add_to(f, 600);
    assert_int_equal(header_says(f), 0);
    assert_int_equal(f->tiles.synced, 0);
    sync_tiles(f);
    assert_int_equal(header_says(f), 2);
    add_to(f, 800);
    assert_int_equal(header_says(f), 2);
    assert_false(tiles_sync(&f->tiles) && tiles_at_rest(&f->tiles));
    memory_disk_run(f->disk);
    assert_int_equal(header_says(f), 3);
    assert_false(tiles_sync(&f->tiles)); /* it is */
}

static void memory_holds_what_is_not_full(void **state)
{
    struct fixture *f = *state;
    for (int writes = 0; writes < 2; writes++) {
        open_tiles(f, writes);
        add_to(f, EXAMPLE);
        assert_int_equal(f->tiles.level[0].count, 112);
        assert_true(f->tiles.level[0].cap <= 2048);
        assert_int_equal(f->tiles.level[1].count, 17);
    }
}

/* ---- opening again ---- */

static void fill(struct fixture *f, uint64_t size)
{
    open_tiles(f, true);
    add_to(f, size);
    tiles_opened(&f->tiles);
    sync_tiles(f);
}

static void a_good_file_is_left_alone(void **state)
{
    struct fixture *f = *state;
    fill(f, 2000);
    file(f)->data[3 * TILES_TILE] ^= 1; /* nobody looks, nobody writes */
    fill(f, 2000);
    assert_int_equal(f->tiles.synced, 7);
    file(f)->data[3 * TILES_TILE] ^= 1;
    assert_file(f, 2000);
    fill(f, 4000);
    assert_file(f, 4000);
}

static void what_the_header_does_not_vouch_for_is_written_again(void **state)
{
    struct fixture *f = *state;
    fill(f, 1000);
    add_to(f, 2000); /* not synced: the machine stops here */
    file(f)->data[6 * TILES_TILE] ^= 1;
    fill(f, 2000);
    assert_file(f, 2000);
    assert_int_equal(header_says(f), 7);
}

static void a_bad_header_vouches_for_nothing(void **state)
{
    struct fixture *f = *state;
    fill(f, 1000);
    for (size_t i = 0; i < TILES_HEADER; i++) {
        if (i == 7)
            continue; /* the version, below */
        file(f)->data[i] ^= 0x10;
        memset(file(f)->data + TILES_TILE, 0, 3 * TILES_TILE);
        fill(f, 1000);
        assert_file(f, 1000);
    }
}

static void a_foreign_file_is_replaced(void **state)
{
    struct fixture *f = *state;
    fill(f, 1000);
    uint8_t *data = file(f)->data;
    data[20] ^= 1; /* another chain's, and whole */
    put_le32(data + 60, crc32c(0, data, 60));
    data[TILES_TILE] ^= 1;
    fill(f, 1000);
    assert_file(f, 1000);
}

static void a_short_file_is_filled_up(void **state)
{
    struct fixture *f = *state;
    static const size_t sizes[] = {
        0, 1, 63, 64, TILES_TILE, 2 * TILES_TILE, 3 * TILES_TILE - 1};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
        fill(f, 1000);
        file(f)->len = sizes[i];
        fill(f, 1000);
        assert_file(f, 1000);
        assert_int_equal(header_says(f), 3);
    }
}

static void a_file_of_more_than_the_log_is_not_believed(void **state)
{
    struct fixture *f = *state;
    fill(f, 2000);
    memset(file(f)->data + 3 * TILES_TILE, 7, TILES_TILE);
    open_tiles(f, true);
    add_to(f, 600); /* an older copy of the log */
    tiles_opened(&f->tiles);
    assert_int_equal(f->tiles.synced, 2);
    add_to(f, 2000);
    sync_tiles(f);
    assert_file(f, 2000);
}

static void a_later_file_is_left_alone(void **state)
{
    struct fixture *f = *state;
    fill(f, 1000);
    uint8_t *data = file(f)->data;
    data[7] = 2;
    put_le32(data + 60, crc32c(0, data, 60));
    open_tiles(f, true);
    add_to(f, 3000);
    assert_false(tiles_sync(&f->tiles));
    assert_int_equal(file(f)->len, 4 * TILES_TILE);
    assert_true(f->tiles.level[0].count < TILES_WIDTH);
    assert_true(tiles_agree(&f->tiles, &f->tree));
}

static void a_reader_writes_nothing(void **state)
{
    struct fixture *f = *state;
    open_tiles(f, false);
    add_to(f, 1000);
    assert_false(tiles_sync(&f->tiles));
    assert_null(file(f));
}

static void after_an_error_nothing_is_written(void **state)
{
    struct fixture *f = *state;
    fill(f, 1000);
    tiles_stop(&f->tiles);
    add_to(f, 3000);
    assert_false(tiles_sync(&f->tiles));
    assert_file(f, 1000);
    assert_true(f->tiles.level[0].count < TILES_WIDTH);
}

/* ---- reading ---- */

static void fetched(struct tiles_read *read)
{
    bool *done = read->owner;
    *done = true;
}

static bool fetch(struct fixture *f, unsigned level, uint64_t index,
                  struct tiles_read *read)
{
    bool done = false;
    *read = (struct tiles_read){
        .level = level, .index = index, .done = fetched, .owner = &done};
    tiles_fetch(&f->tiles, read);
    memory_disk_run(f->disk);
    assert_true(done);
    return read->bytes.len == TILES_TILE;
}

static void tiles_are_read_by_place(void **state)
{
    struct fixture *f = *state;
    struct tiles_read read;
    uint8_t want[TILES_TILE];
    fill(f, EXAMPLE);
    static const struct {
        unsigned level;
        uint64_t index;
    } some[] = {{0, 0}, {0, 255}, {0, 256}, {0, 272}, {1, 0}};
    for (size_t i = 0; i < sizeof(some) / sizeof(*some); i++) {
        assert_true(fetch(f, some[i].level, some[i].index, &read));
        defined_tile(some[i].level, some[i].index, want);
        assert_memory_equal(read.bytes.data, want, TILES_TILE);
        buf_deinit(&read.bytes);
    }
    assert_false(fetch(f, 0, 273, &read));
    assert_false(fetch(f, 1, 1, &read));
    buf_deinit(&read.bytes);
    open_tiles(f, false); /* a reader reads the same file */
    assert_true(fetch(f, 0, 7, &read));
    buf_deinit(&read.bytes);
}

static void nodes_come_from_memory(void **state)
{
    struct fixture *f = *state;
    uint8_t node[HASH_SIZE];
    open_tiles(f, true);
    add_to(f, 1000); /* 768 in tiles */
    assert_false(tiles_node(&f->tiles, 0, 767, node));
    assert_true(tiles_node(&f->tiles, 0, 768, node));
    assert_true(tiles_node(&f->tiles, 0, 999, node));
    assert_false(tiles_node(&f->tiles, 0, 1000, node));
    assert_true(tiles_node(&f->tiles, 5, 24, node));  /* 768 to 799 */
    assert_false(tiles_node(&f->tiles, 5, 31, node)); /* 992 to 1023 */
    assert_true(tiles_node(&f->tiles, 8, 2, node));
    assert_false(tiles_node(&f->tiles, 8, 3, node));
    assert_true(tiles_node(&f->tiles, 9, 0, node)); /* 0 to 511 */
    assert_false(tiles_node(&f->tiles, 9, 1, node));
    assert_false(tiles_node(&f->tiles, 63, 0, node));
}

static void a_bad_tile_is_repaired_in_place(void **state)
{
    struct fixture *f = *state;
    uint8_t tile[TILES_TILE];
    fill(f, 2000);
    file(f)->data[3 * TILES_TILE + 100] ^= 1;
    defined_tile(0, 2, tile);
    tiles_repair(&f->tiles, 0, 2, tile);
    tiles_repair(&f->tiles, 0, 2, tile); /* asked for twice, done once */
    assert_int_equal(f->tiles.repair_count, 1);
    memory_disk_run(f->disk);
    assert_file(f, 2000);
    assert_true(tiles_sync(&f->tiles));
    memory_disk_run(f->disk);
    tiles_repair(&f->tiles, 0, 100, tile); /* not there yet */
    assert_int_equal(f->tiles.repair_count, 0);
}

/* ---- without replay ---- */

static void load_done(void *ctx, int code, const struct err *err)
{
    struct fixture *f = ctx;
    assert_int_equal(code, err->code);
    f->done = true;
    f->code = code;
}

static int load(struct fixture *f, uint64_t size)
{
    f->done = false;
    open_tiles(f, true);
    memory_disk_run(f->disk);
    tiles_load(&f->tiles, size, load_done, f);
    memory_disk_run(f->disk);
    assert_true(f->done);
    if (f->code != 0)
        return f->code;
    for (uint64_t i = f->tiles.size; i < size; i++) {
        uint8_t hash[HASH_SIZE];
        leaf_hash(i, hash);
        tiles_add(&f->tiles, hash);
    }
    tiles_durable(&f->tiles, size);
    return 0;
}

static void loading_is_as_good_as_adding(void **state)
{
    struct fixture *f = *state;
    static const uint64_t sizes[] = {
        256, 257, 511, 512, 65535, 65536, 65537, 66000, EXAMPLE - 112, EXAMPLE};
    fill(f, EXAMPLE);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
        assert_int_equal(load(f, sizes[i]), 0);
        for (uint64_t k = 0; k < sizes[i]; k++) {
            uint8_t hash[HASH_SIZE];
            leaf_hash(k, hash);
            merkle_append_hash(&f->tree, hash);
        }
        assert_int_equal(f->tiles.size, sizes[i]);
        assert_true(tiles_agree(&f->tiles, &f->tree));
    }
    add_to(f, EXAMPLE + 1000); /* and it goes on */
    sync_tiles(f);
    assert_file(f, EXAMPLE + 1000);
}

static void a_damaged_file_does_not_agree(void **state)
{
    struct fixture *f = *state;
    fill(f, 5000);
    struct merkle tree = f->tree;
    file(f)->data[9 * TILES_TILE + 77] ^= 4;
    assert_int_equal(load(f, 5000), 0);
    assert_false(tiles_agree(&f->tiles, &tree));
    file(f)->data[9 * TILES_TILE + 77] ^= 4;
    assert_int_equal(load(f, 5000), 0);
    assert_true(tiles_agree(&f->tiles, &tree));
    file(f)->len -= 1;
    assert_int_equal(load(f, 5000), ATE_ECORRUPT);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(places_follow_the_order_of_filling),
        TEST(the_example_of_tlog_tiles_is_laid_out),
        TEST(a_small_log_has_no_file),
        TEST(what_is_not_durable_is_not_written),
        TEST(the_header_speaks_of_what_was_synced),
        TEST(memory_holds_what_is_not_full),
        TEST(a_good_file_is_left_alone),
        TEST(what_the_header_does_not_vouch_for_is_written_again),
        TEST(a_bad_header_vouches_for_nothing),
        TEST(a_foreign_file_is_replaced),
        TEST(a_short_file_is_filled_up),
        TEST(a_file_of_more_than_the_log_is_not_believed),
        TEST(a_later_file_is_left_alone),
        TEST(a_reader_writes_nothing),
        TEST(after_an_error_nothing_is_written),
        TEST(tiles_are_read_by_place),
        TEST(nodes_come_from_memory),
        TEST(a_bad_tile_is_repaired_in_place),
        TEST(loading_is_as_good_as_adding),
        TEST(a_damaged_file_does_not_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
