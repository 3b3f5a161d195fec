/* State roots in heartbeats: made beside the work, checked by who reads. */
#include "fixture_chain.h"

#include "acceptance/engine_types.h"
#include "base/tree_writer.h"
#include "chain/inside.h"

enum { EVERY = 64 }; /* instead of STATE_ROOT_EVERY */

static void greet_until(struct fixture_chain *f, uint64_t size)
{
    while (f->chain->next_index < size)
        fixture_ok(f, 0, "greeting.append", ARGS("to=world"));
}

/* The heartbeat that tells a state root; index 0: none does. */
struct told {
    uint64_t index;
    uint8_t root[HASH_SIZE];
    bool is_done;
};

static int look(void *ctx, const struct chain_tx *tx, struct err *err)
{
    struct told *told = ctx;
    struct heartbeat h;
    struct event_header header;
    struct bytes raw;
    struct batch_events events = batch_events(tx->member);
    (void)err;
    assert_true(batch_events_next(&events, &raw));
    assert_int_equal(event_header_get(raw, &header, NULL), 0);
    if (!bytes_equal(header.type, bytes_of_text("ate.heartbeat")))
        return 0;
    assert_int_equal(heartbeat_get(header.fields, &h, NULL), 0);
    if (h.state == NULL)
        return 0;
    assert_int_equal(told->index, 0);
    told->index = tx->index;
    memcpy(told->root, h.state, HASH_SIZE);
    return 0;
}

static void looked(void *ctx, int code, const struct err *err)
{
    struct told *told = ctx;
    (void)err;
    assert_int_equal(code, 0);
    told->is_done = true;
}

static struct told find_told(struct fixture_chain *f)
{
    struct told told = {0};
    chain_read_transactions(f->chain, 1, UINT64_MAX / 2, look, looked, &told);
    while (!told.is_done && f->pump(f->pump_ctx)) {
    }
    assert_true(told.is_done);
    return told;
}

/* A chain of EVERY transactions less one. */
static int set_up(void **state)
{
    struct fixture_chain *f = mem_zero(1, sizeof(*f));
    fixture_open_disk(f, NULL, NULL, NULL);
    f->deps.state_root_every = EVERY;
    fixture_create_here(f, "examples/hello", "hello");
    greet_until(f, EVERY - 1);
    *state = f;
    return 0;
}

static void the_next_heartbeat_tells_the_root(void **state)
{
    struct fixture_chain *f = *state;
    uint8_t root[HASH_SIZE];
    greet_until(f, EVERY);
    state_root(chain_version(f->chain), root);
    fixture_ok(f, 0, "greeting.append", ARGS("to=moon")); /* makes the root */
    assert_int_equal(find_told(f).index, 0);
    fixture_ok(f, 0, "greeting.append", ARGS("to=moon")); /* tells it first */
    fixture_ok(f, 0, "greeting.append", ARGS("to=moon"));
    f->now += 5000;
    fixture_ok(f, 0, "greeting.append", ARGS("to=moon"));
    struct told told = find_told(f);
    assert_int_equal(told.index, EVERY + 1);
    assert_memory_equal(told.root, root, HASH_SIZE);

    assert_int_equal(fixture_reopen(f, LOG_READ_WRITE), 0);
    assert_true(f->chain->rooting.told);
    assert_memory_equal(f->chain->rooting.root, root, HASH_SIZE);
    fixture_work_late(f);
    assert_int_equal(fixture_reopen(f, LOG_READ_WRITE), 0);
    assert_memory_equal(f->chain->rooting.root, root, HASH_SIZE);
}

/* The state that the root is of has to be seen between two transactions, so a
 * heartbeat that is due just before it stands alone. */
static void a_heartbeat_before_the_root_stands_alone(void **state)
{
    struct fixture_chain *f = *state;
    f->now += 5000;
    fixture_ok(f, 0, "greeting.append", ARGS("to=moon"));
    assert_int_equal(chain_size(f->chain), EVERY + 1);
    assert_int_equal(f->chain->rooting.size, EVERY);
    assert_true(f->chain->rooting.known);
    fixture_ok(f, 0, "greeting.append", ARGS("to=moon"));
    assert_int_equal(find_told(f).index, EVERY + 1);
    assert_int_equal(fixture_reopen(f, LOG_READ_ONLY), 0);
}

/* While the pool makes it, nothing waits for it. */
static void work_goes_on_beside_it(void **state)
{
    struct fixture_chain *f = *state;
    fixture_work_late(f);
    f->chain->deps.pool = &f->pool;
    bool (*late)(void *ctx) = f->pump;
    void *late_ctx = f->pump_ctx;
    f->pump = fixture_pump;
    f->pump_ctx = f->disk;
    greet_until(f, EVERY + 20);
    f->now += 5000;
    fixture_ok(f, 0, "greeting.append", ARGS("to=moon"));
    assert_int_equal(f->chain->rooting.running, 1);
    assert_false(chain_is_idle(f->chain));
    assert_int_equal(find_told(f).index, 0);
    f->pump = late;
    f->pump_ctx = late_ctx;
    fixture_run(f);
    assert_true(chain_is_idle(f->chain));
    uint64_t size = chain_size(f->chain);
    fixture_ok(f, 0, "greeting.append", ARGS("to=moon"));
    assert_int_equal(find_told(f).index, size);
    assert_int_equal(fixture_reopen(f, LOG_READ_WRITE), 0);
}

static void count_and_work(void *ctx, struct task *task)
{
    ++*(uint64_t *)ctx;
    task->work(task);
    task->done(task);
}

/* Else roots would cost more with each transaction, and at last keep a core
 * busy. */
static void roots_are_rarer_where_there_is_more(void **state)
{
    struct fixture_chain *f = *state;
    struct rooting *r = &f->chain->rooting;
    uint64_t begun = 0;
    unsigned roots = 0;
    f->chain->deps.state_root_every = 4;
    while (f->chain->next_index < 400) {
        greet_until(f, f->chain->next_index + 1);
        uint64_t share = tree_entries(f->chain->core.state.tree) / 8;
        if (r->begun != begun) {
            assert_true(begun == 0 || r->begun - begun >= share - 1);
            roots++;
        } else {
            assert_true(r->size - begun < share);
        }
        begun = r->begun;
    }
    assert_in_range(roots, 3, 8);
    f->deps.state_root_every = 4;
    uint64_t submitted = 0;
    f->deps.pool = &(struct pool){.ctx = &submitted, .submit = count_and_work};
    assert_int_equal(fixture_reopen(f, LOG_READ_ONLY), 0);
    /* What no heartbeat told is not made again, but for the last. */
    assert_in_range(submitted - chain_progress(f->chain)->signatures, roots,
                    roots + 1);
    f->deps.pool = NULL;
    assert_int_equal(fixture_reopen(f, LOG_READ_ONLY), 0);
}

static void a_false_root_is_found(void **state)
{
    struct fixture_chain *f = *state;
    greet_until(f, EVERY + 1);
    f->chain->rooting.root[0] ^= 1;
    fixture_ok(f, 0, "greeting.append", ARGS("to=moon"));
    assert_int_equal(fixture_reopen(f, LOG_READ_ONLY), ATE_ECORRUPT);
    assert_non_null(strstr(f->done_err.text, "transaction 65"));
    assert_non_null(strstr(f->done_err.text, "the state root differs"));
    /* With a pool it shows only at the end, and names the same place. */
    fixture_work_late(f);
    assert_int_equal(fixture_reopen(f, LOG_READ_ONLY), ATE_ECORRUPT);
    assert_non_null(strstr(f->done_err.text, "transaction 65"));
}

#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, set_up, fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_next_heartbeat_tells_the_root),
        TEST(a_heartbeat_before_the_root_stands_alone),
        TEST(work_goes_on_beside_it),
        TEST(roots_are_rarer_where_there_is_more),
        TEST(a_false_root_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
