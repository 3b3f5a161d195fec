/* Tiles when the power fails, at any action: what the header vouches for is
 * there, whatever else the disk kept; and from any state that is left the file
 * is made whole by adding the leaves once more. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "base/memory.h"
#include "log/tiles.h"
#include "sim/rng.h"
#include "sim/seeds.h"
#include "sim/sim_disk.h"

/* Enough for full tiles of two levels; the first 65536 come at once. */
enum { BASE = 65536 - 700, LEAVES = 65536 + 6000, STEP_MAX = 300 };

#define FOLDER "ab"
static const uint8_t chain[LOG_CHAIN_SIZE] = {1, 2, 3};

struct run {
    struct sim_disk *disk;
    struct tiles tiles;
    struct tiles model; /* without a disk: tells what is right */
    uint8_t (*leaves)[HASH_SIZE];
    uint64_t seed;
    uint64_t recoveries;
    uint64_t lost; /* tiles vouched for that were not there */
    uint64_t vouched;
};

static void make_leaves(struct run *r)
{
    r->leaves = mem_alloc(LEAVES * sizeof(*r->leaves));
    for (uint64_t i = 0; i < LEAVES; i++) {
        uint8_t leaf[8];
        put_be64(leaf, i);
        hash_leaf(bytes_of(leaf, sizeof(leaf)), r->leaves[i]);
    }
}

static void open_on(struct tiles *t, struct sim_disk *disk)
{
    tiles_init(t, sim_disk_interface(disk), FOLDER, chain, true, NULL, NULL);
    tiles_open(t, false);
}

static void fetched(struct tiles_read *read)
{
    *(bool *)read->owner = true;
}

/* Is the tile at a place of the disk the right one? */
static bool is_right(struct run *r, struct sim_disk *disk,
                     const struct tiles *t, uint64_t position)
{
    bool done = false;
    struct tiles_read read = {.done = fetched, .owner = &done};
    struct buf want = {0};
    tiles_at(position, &read.level, &read.index);
    tiles_fetch(t, &read);
    sim_disk_run(disk);
    assert_true(done);
    bool there =
        tiles_hashes(&r->model, read.level, read.index, TILES_WIDTH, &want);
    assert_true(there);
    bool right = bytes_equal(buf_bytes(&want), buf_bytes(&read.bytes));
    buf_deinit(&want);
    buf_deinit(&read.bytes);
    return right;
}

/* The first of them and the last are the likely ones to be wrong. */
static uint64_t count_wrong(struct run *r, struct sim_disk *disk,
                            const struct tiles *t, uint64_t count)
{
    uint64_t wrong = 0;
    for (uint64_t i = 0; i < count; i++)
        if (i < 3 || i + 20 > count)
            wrong += !is_right(r, disk, t, i);
    return wrong;
}

/* A new process on the disk that is left. */
static void recover(struct run *r, enum sim_loss loss, bool goes_on)
{
    struct sim_disk *disk = sim_disk_copy(r->disk, r->seed);
    struct tiles t;
    sim_disk_die(disk);
    sim_disk_revive(disk, loss, r->seed++);
    open_on(&t, disk);
    sim_disk_run(disk);
    r->recoveries++;
    r->vouched += t.synced;
    r->lost += count_wrong(r, disk, &t, t.synced);
    if (goes_on) {
        for (uint64_t i = 0; i < LEAVES; i++) {
            tiles_add(&t, r->leaves[i]);
            if (i % 10000 == 0 || i + 1 == LEAVES) {
                tiles_durable(&t, i + 1);
                sim_disk_run(disk);
            }
        }
        tiles_opened(&t);
        tiles_sync(&t);
        sim_disk_run(disk);
        assert_true(tiles_at_rest(&t));
        assert_int_equal(t.synced, tiles_count(LEAVES));
        r->lost += count_wrong(r, disk, &t, t.synced);
    }
    tiles_deinit(&t);
    sim_disk_free(disk);
}

static void step_and_crash(struct run *r)
{
    while (sim_disk_step(r->disk)) {
        for (int loss = 0; loss < SIM_LOSSES; loss++)
            recover(r, (enum sim_loss)loss, r->recoveries % 97 == 0);
    }
}

static void add_to(struct run *r, uint64_t size)
{
    while (r->tiles.size < size)
        tiles_add(&r->tiles, r->leaves[r->tiles.size]);
    tiles_durable(&r->tiles, size);
}

static void begin(struct run *r, uint64_t seed)
{
    *r = (struct run){.seed = seed};
    make_leaves(r);
    /* Without durable leaves nothing leaves the model's memory. */
    tiles_init(&r->model, NULL, FOLDER, chain, false, NULL, NULL);
    for (uint64_t i = 0; i < LEAVES; i++)
        tiles_add(&r->model, r->leaves[i]);
    r->disk = sim_disk_new(seed);
}

static void ignore(struct job *job)
{
    assert_int_equal(job->error, 0);
}

static void make_folder(struct run *r)
{
    struct job job;
    job_init(&job, 0, ignore, NULL);
    job_mkdir(&job, FOLDER);
    job_sync_folder(&job, "");
    job_submit(sim_disk_interface(r->disk), &job);
    sim_disk_run(r->disk);
}

static void end(struct run *r)
{
    sim_disk_run(r->disk);
    tiles_deinit(&r->tiles);
    tiles_deinit(&r->model);
    sim_disk_free(r->disk);
    mem_free(r->leaves);
}

/* The script: leaves come in, now and then what is full is synced. */
static void run(struct run *r, sim_hook *hook)
{
    struct rng rng = {r->seed};
    make_folder(r);
    sim_disk_hook(r->disk, hook, NULL);
    open_on(&r->tiles, r->disk);
    sim_disk_run(r->disk);
    for (uint64_t size = 0; size < BASE; size += 10000) {
        add_to(r, size);
        sim_disk_run(r->disk);
    }
    add_to(r, BASE);
    sim_disk_run(r->disk);
    tiles_sync(&r->tiles);
    step_and_crash(r);
    for (uint64_t size = BASE; size < LEAVES;) {
        size += 1 + rng_below(&rng, STEP_MAX);
        add_to(r, size < LEAVES ? size : LEAVES);
        if (rng_coin(&rng))
            tiles_sync(&r->tiles);
        step_and_crash(r);
    }
}

static uint64_t seed_of_run(void)
{
    uint64_t seed = seeds_first();
    print_message("seed %llu (SEED sets it)\n", (unsigned long long)seed);
    return seed;
}

static void no_crash_breaks_what_the_header_vouches_for(void **state)
{
    (void)state;
    struct run r;
    begin(&r, seed_of_run());
    run(&r, NULL);
    print_message("%llu recoveries\n", (unsigned long long)r.recoveries);
    assert_int_equal(r.lost, 0);
    assert_true(r.recoveries > 300 && r.vouched > 0);
    end(&r);
}

/* ---- and a wrong writer is found out ---- */

static bool no_sync(void *ctx, struct job_op *op)
{
    (void)ctx;
    return op->kind == JOB_SYNC;
}

static void a_header_before_its_tiles_is_caught(void **state)
{
    (void)state;
    struct run r;
    begin(&r, seed_of_run());
    run(&r, no_sync);
    assert_true(r.lost > 0);
    end(&r);
}

/* ---- errors ---- */

/* Each operation fails in turn: nothing is lost that was vouched for, nothing
 * more is promised, and the next process makes all of it good. */
static void errors_end_the_writing(void **state)
{
    (void)state;
    static const enum sim_fault_kind kinds[] = {SIM_ERROR, SIM_SHORT_WRITE,
                                                SIM_LOSES_SYNC};
    uint64_t faults = 0;
    for (size_t k = 0; k < sizeof(kinds) / sizeof(*kinds); k++) {
        for (uint64_t at = 0; at < 40; at++) {
            struct run r = {.seed = at + 1};
            make_leaves(&r);
            tiles_init(&r.model, NULL, FOLDER, chain, false, NULL, NULL);
            for (uint64_t i = 0; i < 3000; i++)
                tiles_add(&r.model, r.leaves[i]);
            r.disk = sim_disk_new(r.seed);
            make_folder(&r);
            open_on(&r.tiles, r.disk);
            sim_disk_run(r.disk);
            struct sim_fault fault = {
                .kind = kinds[k],
                .action = sim_disk_actions(r.disk) + at,
                .error = EIO,
            };
            sim_disk_fault(r.disk, &fault);
            for (uint64_t size = 250; size <= 3000; size += 250) {
                add_to(&r, size);
                if (size % 500 == 0)
                    tiles_sync(&r.tiles);
                sim_disk_run(r.disk);
                assert_true(tiles_at_rest(&r.tiles));
            }
            faults += sim_disk_faults(r.disk);
            assert_true(r.tiles.level[0].count < TILES_WIDTH);
            recover(&r, SIM_KEEP_NONE, false);
            recover(&r, SIM_KEEP_SOME, false);
            assert_int_equal(r.lost, 0);
            end(&r);
        }
    }
    assert_true(faults > 60);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_crash_breaks_what_the_header_vouches_for),
        cmocka_unit_test(a_header_before_its_tiles_is_caught),
        cmocka_unit_test(errors_end_the_writing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
