/* Snapshots and the verified mark: opening is faster, and the chain the same.
 */
#include "fixture_chain.h"

#include "base/tree_writer.h"
#include "chain/inside.h"
#include "chain/snapshot.h"

enum { EVERY = 40 }; /* transactions or events; instead of the usual ones */

/* Everything that shows a chain to be the same. */
struct picture {
    uint64_t size;
    uint8_t log[HASH_SIZE];
    uint8_t state[HASH_SIZE];
    int64_t time;
    uint64_t entries; /* with the derived ones */
};

static struct picture picture_of(struct fixture_chain *f)
{
    struct picture p = {
        .size = chain_size(f->chain),
        .time = chain_time_at(f->chain, chain_size(f->chain) - 1),
        .entries = tree_entries(f->chain->core.state.tree),
    };
    chain_root(f->chain, p.log);
    state_root(chain_version(f->chain), p.state);
    return p;
}

static void assert_same(struct picture a, struct picture b)
{
    assert_int_equal(a.size, b.size);
    assert_memory_equal(a.log, b.log, HASH_SIZE);
    assert_memory_equal(a.state, b.state, HASH_SIZE);
    assert_int_equal(a.time, b.time);
    assert_int_equal(a.entries, b.entries);
}

static bool is_resumed(const struct fixture_chain *f)
{
    return f->chain->resumed.file.len > 0;
}

static void pay(struct fixture_chain *f, int times)
{
    for (int i = 0; i < times; i++) {
        f->now += 300;
        fixture_ok(f, 1, "transfer",
                   ARGS("amount=0.01", "from=alice", "to=bob"));
    }
}

static const char *path_of(struct fixture_chain *f, const char *name)
{
    static char path[LOG_PATH_MAX];
    char folder[LOG_PATH_MAX];
    log_folder(folder, chain_core(f->chain)->id);
    log_path(path, folder, name);
    return path;
}

static struct buf *file_of(struct fixture_chain *f, const char *name)
{
    return memory_disk_file(f->disk, path_of(f, name));
}

static int set_up(void **state)
{
    struct fixture_chain *f = mem_zero(1, sizeof(*f));
    fixture_open_disk(f, NULL, NULL, NULL);
    f->deps.snapshot_transactions = EVERY;
    f->deps.state_root_every = 16;
    fixture_create_here(f, "examples/bank", "bank");
    fixture_accounts(f);
    *state = f;
    return 0;
}

static void closing_leaves_a_snapshot_when_it_is_worth_it(void **state)
{
    struct fixture_chain *f = *state;
    pay(f, 3);
    fixture_conclude(f);
    assert_null(file_of(f, "snapshot"));
    assert_non_null(file_of(f, "verified"));
    pay(f, EVERY);
    fixture_conclude(f);
    assert_non_null(file_of(f, "snapshot"));
    assert_null(file_of(f, "snapshot.new"));
}

/* Each opening replays the transactions, closing writes the entries once. */
static void both_costs_decide(void **state)
{
    const uint64_t million = 1000000;
    (void)state;
    assert_int_equal(snapshot_transactions(0), SNAPSHOT_TRANSACTIONS_MIN);
    assert_int_equal(snapshot_transactions(SNAPSHOT_TRANSACTIONS_MIN * 64),
                     SNAPSHOT_TRANSACTIONS_MIN);
    assert_int_equal(snapshot_transactions(million), million / 64);
    assert_int_equal(snapshot_transactions(1000 * million),
                     SNAPSHOT_TRANSACTIONS_MAX);
}

/* What was replayed counts, too: a chain that nobody wrote to since. */
static void some_thousand_are_worth_it(void **state)
{
    struct fixture_chain *f = *state;
    f->deps.snapshot_transactions = 0;
    assert_int_equal(fixture_reopen(f, LOG_READ_WRITE), 0);
    while (chain_size(f->chain) + 8 < SNAPSHOT_TRANSACTIONS_MIN)
        pay(f, 1);
    fixture_conclude(f);
    assert_null(file_of(f, "snapshot"));
    pay(f, 8);
    assert_int_equal(fixture_reopen(f, LOG_READ_WRITE), 0);
    assert_false(is_resumed(f));
    fixture_conclude(f);
    assert_non_null(file_of(f, "snapshot"));
    struct picture before = picture_of(f);
    assert_int_equal(fixture_reopen(f, LOG_READ_WRITE), 0);
    assert_true(is_resumed(f));
    assert_same(picture_of(f), before);
}

static void opening_goes_on_from_it(void **state)
{
    struct fixture_chain *f = *state;
    pay(f, EVERY);
    fixture_conclude(f);
    pay(f, 5);
    struct picture before = picture_of(f);
    uint64_t end = f->chain->log.end.frames;
    assert_int_equal(fixture_reopen(f, LOG_READ_ONLY), 0);
    assert_true(is_resumed(f));
    assert_true(f->chain->resumed.start.end.frames < end);
    assert_same(picture_of(f), before);
    assert_int_equal(fixture_reopen(f, LOG_READ_WRITE), 0);
    assert_true(is_resumed(f));
    assert_same(picture_of(f), before);

    /* It goes on as if nothing had been, to the next snapshot. */
    pay(f, EVERY);
    fixture_conclude(f);
    before = picture_of(f);
    f->deps.node_pair = NULL;
    assert_int_equal(fixture_reopen(f, LOG_READ_WRITE), 0);
    assert_false(is_resumed(f));
    assert_same(picture_of(f), before);
    f->deps.node_pair = fixture_node;
    assert_int_equal(fixture_reopen(f, LOG_READ_WRITE), 0);
    assert_true(is_resumed(f));
    assert_int_equal(f->chain->resumed.start.end.frames,
                     f->chain->log.end.frames);
    assert_same(picture_of(f), before);
}

static void one_is_made_while_work_goes_on(void **state)
{
    struct fixture_chain *f = *state;
    fixture_work_late(f);
    f->deps.snapshot_events = EVERY;
    assert_int_equal(fixture_reopen(f, LOG_READ_WRITE), 0);
    /* The pool is stopped, the disk is not. */
    bool (*late)(void *ctx) = f->pump;
    f->pump = fixture_pump;
    f->pump_ctx = f->disk;
    pay(f, 2 * EVERY);
    assert_non_null(f->chain->snapshotting);
    assert_null(file_of(f, "snapshot"));
    f->pump = late;
    f->pump_ctx = f;
    fixture_run(f);
    assert_null(f->chain->snapshotting);
    assert_non_null(file_of(f, "snapshot"));
    fixture_run(f);
    struct picture before = picture_of(f);
    assert_int_equal(fixture_reopen(f, LOG_READ_WRITE), 0);
    assert_true(is_resumed(f));
    assert_true(f->chain->resumed.start.end.transactions < before.size);
    assert_same(picture_of(f), before);
}

/* A byte is changed here and there: what is in doubt is made anew. */
static void a_changed_snapshot_is_passed_by(void **state)
{
    struct fixture_chain *f = *state;
    pay(f, EVERY);
    fixture_conclude(f);
    struct picture before = picture_of(f);
    struct buf *file = file_of(f, "snapshot");
    size_t len = file->len;
    assert_true(len > PAGE_BYTES);
    for (size_t at = 0; at < len; at += at < 220 ? 3 : len / 40) {
        file->data[at] ^= 0x10;
        assert_int_equal(fixture_reopen(f, LOG_READ_ONLY), 0);
        if (is_resumed(f))
            fail_msg("byte %zu of %zu was not missed", at, len);
        assert_same(picture_of(f), before);
        file->data[at] ^= 0x10;
    }
    file->len = len - 1;
    assert_int_equal(fixture_reopen(f, LOG_READ_ONLY), 0);
    assert_false(is_resumed(f));
    file->len = 0;
    assert_int_equal(fixture_reopen(f, LOG_READ_ONLY), 0);
    assert_false(is_resumed(f));
    file->len = len;
    assert_int_equal(fixture_reopen(f, LOG_READ_ONLY), 0);
    assert_true(is_resumed(f));
}

static const struct key_pair *other_node(void *ctx)
{
    struct fixture_chain *f = ctx;
    return &f->keys[2];
}

static void another_nodes_snapshot_is_passed_by(void **state)
{
    struct fixture_chain *f = *state;
    pay(f, EVERY);
    fixture_conclude(f);
    struct picture before = picture_of(f);
    f->deps.node_pair = other_node;
    assert_int_equal(fixture_reopen(f, LOG_READ_ONLY), 0);
    assert_false(is_resumed(f));
    assert_int_equal(f->chain->verified.end.frames, 0);
    assert_same(picture_of(f), before);
}

/* Without the tiles' file there is nothing to go on from. */
static void lost_tiles_are_made_anew(void **state)
{
    struct fixture_chain *f = *state;
    pay(f, 300);
    fixture_conclude(f);
    struct picture before = picture_of(f);
    assert_true(before.size > TILES_WIDTH);
    assert_int_equal(fixture_reopen(f, LOG_READ_WRITE), 0);
    assert_true(is_resumed(f));
    struct buf *tiles = file_of(f, "tiles");
    tiles->len = TILES_TILE;
    assert_int_equal(fixture_reopen(f, LOG_READ_WRITE), 0);
    assert_false(is_resumed(f));
    assert_same(picture_of(f), before);
    fixture_conclude(f);
    assert_int_equal(fixture_reopen(f, LOG_READ_WRITE), 0);
    tiles = file_of(f, "tiles");
    tiles->data[TILES_TILE + 5] ^= 1;
    assert_int_equal(fixture_reopen(f, LOG_READ_WRITE), 0);
    assert_false(is_resumed(f));
    assert_same(picture_of(f), before);
}

/* ---- the verified mark ---- */

static uint64_t signatures(struct fixture_chain *f)
{
    return chain_progress(f->chain)->signatures;
}

static void signatures_below_the_mark_are_left_out(void **state)
{
    struct fixture_chain *f = *state;
    pay(f, 10);
    fixture_conclude(f);
    struct picture before = picture_of(f);
    assert_int_equal(fixture_reopen(f, LOG_READ_WRITE), 0);
    assert_int_equal(signatures(f), 1); /* genesis */
    assert_same(picture_of(f), before);
    pay(f, 3);
    assert_int_equal(fixture_reopen(f, LOG_READ_WRITE), 0);
    assert_in_range(signatures(f), 4, 8);
    file_of(f, "verified")->data[240] ^= 1;
    assert_int_equal(fixture_reopen(f, LOG_READ_WRITE), 0);
    assert_true(signatures(f) > 10);
}

static void keep(struct fixture_chain *f, const char *name, struct buf *copy)
{
    buf_clear(copy);
    buf_put_bytes(copy, buf_bytes(file_of(f, name)));
}

static void put_back(struct fixture_chain *f, const char *name,
                     const struct buf *copy)
{
    struct buf *file = file_of(f, name);
    buf_clear(file);
    buf_put_bytes(file, buf_bytes(copy));
}

/* It is read, and nothing is written: not by a call, not by leaving it. */
static void assert_gone(struct fixture_chain *f, const char *words)
{
    struct buf mark = {0};
    struct buf head = {0};
    struct fixture_call c;
    keep(f, "verified", &mark);
    keep(f, "1.head", &head);
    assert_int_equal(fixture_reopen(f, LOG_READ_WRITE), ATE_ECORRUPT);
    if (strstr(f->done_err.text, words) == NULL)
        fail_msg("%s", f->done_err.text);
    assert_true(chain_size(f->chain) > 1);
    fixture_call(f, &c, 1, "transfer",
                 ARGS("amount=0.01", "from=alice", "to=bob"));
    assert_int_equal(c.call.code, ATE_ECORRUPT);
    fixture_end(&c);
    fixture_conclude(f);
    assert_true(
        bytes_equal(buf_bytes(file_of(f, "verified")), buf_bytes(&mark)));
    assert_true(bytes_equal(buf_bytes(file_of(f, "1.head")), buf_bytes(&head)));
    assert_int_equal(fixture_reopen(f, LOG_READ_ONLY), ATE_ECORRUPT);
    buf_deinit(&mark);
    buf_deinit(&head);
}

/* Somebody put an older copy of the log in its place: what was signed since
 * would be signed again, for another history. */
static void a_log_that_lacks_what_was_durable_is_refused(void **state)
{
    struct fixture_chain *f = *state;
    struct buf older = {0};
    struct buf newer = {0};
    struct buf mark = {0};
    pay(f, 4);
    fixture_conclude(f);
    keep(f, "1.head", &older);
    pay(f, 4);
    fixture_conclude(f);
    keep(f, "1.head", &newer);
    keep(f, "verified", &mark);
    put_back(f, "1.head", &older);
    assert_gone(f, "the log ends at size");
    put_back(f, "1.head", &newer);
    assert_int_equal(fixture_reopen(f, LOG_READ_WRITE), 0);

    /* whoever wants that goes on from there */
    put_back(f, "1.head", &older);
    memory_disk_remove(f->disk, path_of(f, "verified"));
    assert_int_equal(fixture_reopen(f, LOG_READ_WRITE), 0);
    assert_true(signatures(f) > 5);
    pay(f, 12);
    fixture_conclude(f);
    put_back(f, "verified", &mark);
    assert_gone(f, "the log goes another way");
    buf_deinit(&older);
    buf_deinit(&newer);
    buf_deinit(&mark);
}

static void a_snapshot_tells_it_too(void **state)
{
    struct fixture_chain *f = *state;
    struct buf older = {0};
    struct buf snapshot = {0};
    pay(f, 4);
    fixture_conclude(f);
    keep(f, "1.head", &older);
    pay(f, EVERY);
    fixture_conclude(f);
    keep(f, "snapshot", &snapshot);
    put_back(f, "1.head", &older);
    file_of(f, "verified")->data[240] ^= 1;
    assert_gone(f, "the log ends at size");

    memory_disk_remove(f->disk, path_of(f, "verified"));
    memory_disk_remove(f->disk, path_of(f, "snapshot"));
    assert_int_equal(fixture_reopen(f, LOG_READ_WRITE), 0);
    pay(f, EVERY + 10);
    fixture_conclude(f);
    put_back(f, "snapshot", &snapshot); /* the mark knows better */
    assert_int_equal(fixture_reopen(f, LOG_READ_ONLY), 0);
    assert_false(is_resumed(f));
    file_of(f, "verified")->data[240] ^= 1;
    assert_gone(f, "the log goes another way");
    buf_deinit(&older);
    buf_deinit(&snapshot);
}

/* A root that no heartbeat has told is told before the chain rests, and known
 * after opening whatever way it was opened. */
static void state_roots_survive(void **state)
{
    struct fixture_chain *f = *state;
    while (f->chain->next_index < 17)
        fixture_ok(f, 1, "transfer",
                   ARGS("amount=0.01", "from=alice", "to=bob"));
    assert_true(f->chain->rooting.known && !f->chain->rooting.told);
    uint64_t size = chain_size(f->chain);
    fixture_conclude(f);
    assert_int_equal(chain_size(f->chain), size + 1);
    assert_true(f->chain->rooting.told);
    assert_int_equal(fixture_reopen(f, LOG_READ_WRITE), 0);
    assert_int_equal(signatures(f), 1);
    assert_true(f->chain->rooting.known && f->chain->rooting.told);
    pay(f, EVERY);
    fixture_conclude(f);
    struct rooting before = f->chain->rooting;
    assert_int_equal(fixture_reopen(f, LOG_READ_WRITE), 0);
    assert_true(is_resumed(f));
    assert_int_equal(f->chain->rooting.size, before.size);
    assert_memory_equal(f->chain->rooting.root, before.root, HASH_SIZE);
    pay(f, 40);
    assert_int_equal(fixture_reopen(f, LOG_READ_WRITE), 0);
    assert_true(is_resumed(f));
}

#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, set_up, fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(closing_leaves_a_snapshot_when_it_is_worth_it),
        TEST(both_costs_decide),
        TEST(some_thousand_are_worth_it),
        TEST(opening_goes_on_from_it),
        TEST(one_is_made_while_work_goes_on),
        TEST(a_changed_snapshot_is_passed_by),
        TEST(another_nodes_snapshot_is_passed_by),
        TEST(lost_tiles_are_made_anew),
        TEST(signatures_below_the_mark_are_left_out),
        TEST(a_log_that_lacks_what_was_durable_is_refused),
        TEST(a_snapshot_tells_it_too),
        TEST(state_roots_survive),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
