/* The whole engine, Lua included, on the simulated disk: the power fails at
 * every action of a script of 60 commits, in every way the disk knows. What was
 * acknowledged is there afterwards, every verdict holds, and the chain goes on.
 */
#include "unit/fixture_chain.h"

#include "chain/inside.h"
#include "sim/rng.h"
#include "sim/seeds.h"
#include "sim/sim_disk.h"

enum { COMMITS = 60, SNAPSHOT_EVERY = 7, REPLAYS_EVERY = 16 };

/* One script under way, and what it was promised. */
struct script {
    struct fixture_chain f;
    struct sim_disk *disk;
    struct fixture_call calls[3];
    size_t in_flight;
    uint64_t acked;      /* transactions below it were */
    uint8_t last_tx[32]; /* the newest of them */
    uint64_t last_index;
    uint64_t recoveries;
    uint64_t resumed; /* from a snapshot */
    uint64_t seed;
};

static bool pump_plain(void *ctx)
{
    return sim_disk_step(ctx);
}

static int has_transaction(void *ctx, const struct chain_tx *tx,
                           struct err *err)
{
    struct script *s = ctx;
    uint8_t id[TX_ID_SIZE];
    (void)err;
    assert_int_equal(tx->index, s->last_index);
    assert_non_null(tx->member);
    batch_member_id(tx->member, SUITE_1, chain_core(s->f.chain)->id, id);
    assert_memory_equal(id, s->last_tx, sizeof(id));
    s->last_index = UINT64_MAX; /* seen */
    return 0;
}

static void read_done(void *ctx, int code, const struct err *err)
{
    (void)ctx;
    (void)err;
    assert_int_equal(code, 0);
}

/* Opened once more, by replay, it is the same. */
static void check_replay(struct script *s, const char *folder)
{
    uint8_t root[2][HASH_SIZE];
    struct chain *chain = s->f.chain;
    state_root(chain_version(chain), root[0]);
    s->f.deps.node_pair = NULL;
    s->f.chain = chain_new(&s->f.deps);
    chain_open(s->f.chain, folder, chain_core(chain)->id, LOG_READ_ONLY,
               fixture_done, &s->f);
    fixture_wait(&s->f);
    assert_int_equal(s->f.done_code, 0);
    state_root(chain_version(s->f.chain), root[1]);
    assert_memory_equal(root[0], root[1], HASH_SIZE);
    chain_free(s->f.chain);
    s->f.chain = chain;
}

/* A new process on the disk that is left. */
static void recover(struct script *s, enum sim_loss loss)
{
    struct sim_disk *disk = sim_disk_copy(s->disk, s->seed);
    struct script after = *s;
    char folder[LOG_PATH_MAX];
    sim_disk_die(disk);
    sim_disk_revive(disk, loss, s->seed++);
    after.f.deps.disk = sim_disk_interface(disk);
    after.f.deps.ctx = &after.f;
    after.f.pump_ctx = disk;
    after.f.pump = pump_plain;
    after.f.is_done = false;
    after.f.chain = chain_new(&after.f.deps);
    log_folder(folder, chain_core(s->f.chain)->id);
    chain_open(after.f.chain, folder, chain_core(s->f.chain)->id,
               LOG_READ_WRITE, fixture_done, &after.f);
    fixture_wait(&after.f);
    s->recoveries++;
    if (s->acked == 0 && after.f.done_code == ATE_ENOT_FOUND) {
        /* Created, but never promised. */
    } else if (after.f.done_code != 0) {
        fail_msg("loss %d after %llu acknowledged: %s", loss,
                 (unsigned long long)s->acked, after.f.done_err.text);
    } else {
        assert_true(chain_size(after.f.chain) >= s->acked);
        if (s->last_index > 0) {
            chain_read_transactions(after.f.chain, s->last_index, 1,
                                    has_transaction, read_done, &after);
            fixture_run(&after.f);
            assert_true(after.last_index == UINT64_MAX);
        }
        s->resumed += after.f.chain->resumed.file.len > 0;
        fixture_ok(&after.f, 0, "account.put", ARGS("name=late", "owner=me"));
        fixture_run(&after.f);
        if (s->recoveries % REPLAYS_EVERY == 0)
            check_replay(&after, folder);
    }
    chain_free(after.f.chain);
    sim_disk_free(disk);
}

/* Called between any two actions of the script. */
static bool pump_and_crash(void *ctx)
{
    struct script *s = ctx;
    if (!sim_disk_step(s->disk))
        return false;
    for (int loss = 0; loss < SIM_LOSSES; loss++)
        recover(s, (enum sim_loss)loss);
    return true;
}

static void acknowledge(struct script *s)
{
    for (size_t i = 0; i < s->in_flight; i++) {
        struct fixture_call *c = &s->calls[i];
        if (!c->done)
            continue;
        assert_int_equal(c->call.code, 0);
        if (c->call.index + 1 > s->acked) {
            s->acked = c->call.index + 1;
            s->last_index = c->call.index;
            memcpy(s->last_tx, c->call.tx_id, sizeof(s->last_tx));
        }
    }
}

/* One group of one to three calls; acknowledged one by one as they come. */
static void commit(struct script *s, struct rng *rng)
{
    s->in_flight = 1 + rng_below(rng, 3);
    for (size_t i = 0; i < s->in_flight; i++)
        fixture_begin(&s->f, &s->calls[i], 1, "transfer",
                      ARGS("amount=0.10", "from=alice", "to=bob"));
    s->f.now += (int64_t)rng_below(rng, 700);
    bool all = false;
    while (!all) {
        chain_flush(s->f.chain);
        acknowledge(s);
        all = true;
        for (size_t i = 0; i < s->in_flight; i++)
            all = all && s->calls[i].done;
        if (!all)
            assert_true(s->f.pump(s->f.pump_ctx));
    }
    for (size_t i = 0; i < s->in_flight; i++)
        fixture_end(&s->calls[i]);
    s->in_flight = 0;
}

static void mark_idle(struct script *s)
{
    struct err err = {0};
    if (chain_mark(s->f.chain, fixture_done, &s->f, &err) == 0)
        fixture_wait(&s->f);
}

static void crash_from(uint64_t seed)
{
    struct script *s = mem_zero(1, sizeof(*s));
    struct rng rng = {seed};
    print_message("seed %llu (SEED sets it)\n", (unsigned long long)seed);
    s->seed = seed;
    s->disk = sim_disk_new(seed);
    fixture_open_disk(&s->f, sim_disk_interface(s->disk), pump_plain, s->disk);
    s->f.deps.snapshot_events = SNAPSHOT_EVERY;
    fixture_create_here(&s->f, "examples/bank", "bank");
    s->acked = 1; /* genesis */
    s->f.pump = pump_and_crash;
    s->f.pump_ctx = s;
    fixture_accounts(&s->f);
    for (int i = 0; i < COMMITS; i++) {
        commit(s, &rng);
        if (rng_below(&rng, 5) == 0)
            mark_idle(s);
    }
    print_message("%llu recoveries, %llu of them from snapshots\n",
                  (unsigned long long)s->recoveries,
                  (unsigned long long)s->resumed);
    assert_true(s->recoveries >= 1000 && s->resumed >= 100);
    fixture_run(&s->f);
    s->f.pump = pump_plain;
    s->f.pump_ctx = s->disk;
    chain_free(s->f.chain);
    script_cache_free(s->f.cache);
    buf_deinit(&s->f.bundle);
    sim_disk_free(s->disk);
    mem_free(s);
}

static void no_crash_of_the_engine_loses_a_commit(void **state)
{
    (void)state;
    seeds_each(1, crash_from);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_crash_of_the_engine_loses_a_commit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
