/* The whole engine where tiles become full, while the power fails at every
 * action: what is recovered proves every transaction, from whatever is left of
 * the file of tiles. */
#include "unit/fixture_chain.h"

#include "query/query.h"
#include "event/proof_file.h"
#include "log/tiles.h"
#include "sim/rng.h"
#include "sim/seeds.h"
#include "sim/sim_disk.h"

/* So many transactions before power begins to fail, and while it does. */
enum { QUIET = 500, STREAM = 40, COMMITS = 14, IN_FLIGHT = 3 };

struct script {
    struct fixture_chain f;
    struct sim_disk *disk;
    uint64_t seed;
    uint64_t acked; /* transactions below it were */
    uint64_t recoveries;
    uint64_t vouched; /* tiles that headers spoke of, summed up */
};

static bool pump_plain(void *ctx)
{
    return sim_disk_step(ctx);
}

struct told {
    bool done;
    struct buf proof;
};

static void told_done(void *ctx, int code, const struct err *err,
                      struct bytes result)
{
    struct told *t = ctx;
    struct bytes text = {NULL, 0};
    if (code != 0)
        fail_msg("%s", err->text);
    struct mp mp = mp_open(mp_map_get(result, "proof"));
    mp_get_str(&mp, &text, NULL);
    buf_put_bytes(&t->proof, text);
    t->done = true;
}

static void prove(struct fixture_chain *f, uint64_t index)
{
    struct told t = {0};
    struct buf args = {0};
    struct proof_file file;
    struct proof_checked checked;
    struct err err = {0};
    mp_put_map(&args, 1);
    mp_put_text(&args, "index");
    mp_put_uint(&args, index);
    struct query *q = query_start(f->chain, bytes_of_text("proof"),
                                  buf_bytes(&args), 10, NULL, told_done, &t);
    query_run(q);
    fixture_run(f);
    assert_true(t.done);
    int rc = proof_file_get(buf_bytes(&t.proof), &file, &err);
    if (rc == 0)
        rc = proof_file_check(&file, NULL, &checked, &err);
    if (rc != 0)
        fail_msg("%s", err.text);
    assert_true(checked.checkpoint.size == chain_size(f->chain));
    proof_file_deinit(&file);
    buf_deinit(&t.proof);
    buf_deinit(&args);
}

static void mark_idle(struct fixture_chain *f)
{
    struct err err = {0};
    if (chain_mark(f->chain, fixture_done, f, &err) == 0)
        fixture_wait(f);
    fixture_run(f);
    assert_true(chain_is_idle(f->chain));
}

/* What the file of a chain that was closed in order vouches for. */
static uint64_t vouched(struct sim_disk *disk, const uint8_t *id)
{
    char path[LOG_PATH_MAX + 8];
    log_folder(path, id);
    strcat(path, "/tiles");
    const struct buf *file = sim_disk_file(disk, path);
    return file != NULL && file->len >= TILES_HEADER ? get_le64(file->data + 40)
                                                     : 0;
}

/* A new process on the disk that is left. */
static void recover(struct script *s, enum sim_loss loss)
{
    struct sim_disk *disk = sim_disk_copy(s->disk, s->seed);
    struct script after = *s;
    char folder[LOG_PATH_MAX];
    uint8_t id[CHAIN_ID_SIZE];
    memcpy(id, chain_core(s->f.chain)->id, sizeof(id));
    sim_disk_die(disk);
    sim_disk_revive(disk, loss, s->seed++);
    after.f.deps.disk = sim_disk_interface(disk);
    after.f.deps.ctx = &after.f;
    after.f.pump_ctx = disk;
    after.f.pump = pump_plain;
    after.f.is_done = false;
    after.f.chain = chain_new(&after.f.deps);
    log_folder(folder, id);
    chain_open(after.f.chain, folder, id, LOG_READ_WRITE, fixture_done,
               &after.f);
    fixture_wait(&after.f);
    if (after.f.done_code != 0)
        fail_msg("loss %d: %s", loss, after.f.done_err.text);
    uint64_t size = chain_size(after.f.chain);
    assert_true(size >= s->acked);
    for (uint64_t index = 0; index < size; index += 1 + size / 7)
        prove(&after.f, index);
    prove(&after.f, size - 1);
    mark_idle(&after.f);
    chain_free(after.f.chain);
    assert_true(vouched(disk, id) == tiles_count(size));
    s->vouched += vouched(disk, id);
    s->recoveries++;
    sim_disk_free(disk);
}

/* Called between any two actions of the script. */
static bool pump_and_crash(void *ctx)
{
    static const enum sim_loss losses[] = {SIM_KEEP_NONE, SIM_KEEP_SOME,
                                           SIM_KEEP_GARBAGE};
    struct script *s = ctx;
    if (!sim_disk_step(s->disk))
        return false;
    recover(s, losses[s->recoveries % 3]);
    return true;
}

static void commit(struct script *s, size_t count)
{
    struct fixture_call calls[STREAM];
    for (size_t i = 0; i < count; i++)
        fixture_begin(&s->f, &calls[i], (int)(i % 2), "greeting.append",
                      ARGS("to=you"));
    fixture_run(&s->f);
    for (size_t i = 0; i < count; i++) {
        assert_true(calls[i].done && calls[i].call.code == 0);
        if (calls[i].call.index + 1 > s->acked)
            s->acked = calls[i].call.index + 1;
        fixture_end(&calls[i]);
    }
}

static void crash_from(uint64_t seed)
{
    struct script *s = mem_zero(1, sizeof(*s));
    s->seed = seed;
    print_message("seed %llu (SEED sets it)\n", (unsigned long long)seed);
    struct rng rng = {s->seed};
    s->disk = sim_disk_new(s->seed);
    fixture_open_disk(&s->f, sim_disk_interface(s->disk), pump_plain, s->disk);
    fixture_create_here(&s->f, "examples/hello", "hello");
    while (s->acked < QUIET)
        commit(s, s->acked + STREAM < QUIET ? STREAM : QUIET - s->acked);
    s->f.pump = pump_and_crash;
    s->f.pump_ctx = s;
    for (int i = 0; i < COMMITS; i++) {
        commit(s, 1 + rng_below(&rng, IN_FLIGHT));
        if (i % 3 == 2)
            mark_idle(&s->f);
    }
    s->f.pump = pump_plain;
    s->f.pump_ctx = s->disk;
    print_message("%llu recoveries\n", (unsigned long long)s->recoveries);
    assert_true(s->acked > QUIET + 20 && s->recoveries > 40);
    assert_true(s->vouched > s->recoveries);
    chain_free(s->f.chain);
    script_cache_free(s->f.cache);
    buf_deinit(&s->f.bundle);
    sim_disk_free(s->disk);
    mem_free(s);
}

static void no_crash_keeps_a_transaction_from_being_proved(void **state)
{
    (void)state;
    seeds_each(1, crash_from);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_crash_keeps_a_transaction_from_being_proved),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
