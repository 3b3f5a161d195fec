/* The power fails at every action of a script that brings bundles and puts them
 * in force, in every way the disk knows. What was acknowledged is there
 * afterwards: the bundle, and rows folded by it and by no other. Then the
 * chain goes on, and the next bundle can be put in force. The same when it goes
 * between any two slices of the folding, within a frame. */
#include "unit/fixture_bundles.h"

#include "sim/seeds.h"
#include "sim/sim_disk.h"

enum {
    REPLAYS_EVERY = 8,
    LAST_VERSION = 3,
    LOOKS = 10, /* at the clock, in a slice: some ten events */
};

#define CRASH_NOTE                                                             \
    "shop:event('note', {doc = 'd', header = {n = t.integer()%s}%s})\n"        \
    "shop:view('total', {doc = 'd', key = {'k'},\n"                            \
    "    row = {k = t.integer(), sum = t.default(t.integer(), 0)},\n"          \
    "    fold = {note = function(rows, note)\n"                                \
    "        rows:add(1, {sum = %s * note.n})\n"                               \
    "    end}})\n"                                                             \
    "shop:view('each', {doc = 'd', key = {'at'},\n"                            \
    "    row = {at = t.integer(), n = t.default(t.integer(), 0)},\n"           \
    "    fold = {note = function(rows, note, tx)\n"                            \
    "        rows:add(tx.index, {n = note.n})\n"                               \
    "    end}})\n"                                                             \
    "shop:method('many', {doc = 'd', mode = 'write',\n"                        \
    "    args = {count = t.integer()}, run = function(ctx, args)\n"            \
    "        for _ = 1, args.count do ctx:emit('note', {n = 1}) end\n"         \
    "    end})\n"

/* Each version's sum is ten times the one before, for each note of 1. */
static void rest_of(int version, char *out, size_t size)
{
    static const char *const fields[] = {"", ", f = t.default(t.integer(), 10)",
                                         ", f = t.default(t.integer(), 10)"};
    static const char *const upgrades[] = {"", "",
                                           ", upgrade = {[2] = function(old)\n"
                                           "    old.f = (old.f or 10) * 10\n"
                                           "    return old\n"
                                           "end}"};
    static const char *const factors[] = {"1", "note.f", "note.f"};
    snprintf(out, size, CRASH_NOTE, fields[version - 1], upgrades[version - 1],
             factors[version - 1]);
}

struct script {
    struct fixture_chain f;
    struct sim_disk *disk;
    uint64_t acked;  /* transactions below it were acknowledged */
    int64_t version; /* in force then */
    uint64_t recoveries;
    uint64_t resumed;
    uint64_t versions[LAST_VERSION + 1]; /* found after a crash */
    uint64_t slices;                     /* that crashed */
    uint64_t many;                       /* notes beside one a transaction */
    uint64_t seed;
};

/* Tasks of the pool, slices among them, when the disk has nothing to do. */
static bool pump_plain(void *ctx)
{
    struct script *s = ctx;
    struct task *task = s->f.late;
    if (sim_disk_step(s->disk))
        return true;
    if (task == NULL)
        return false;
    s->f.late = task->next;
    task->work(task);
    task->done(task);
    return true;
}

/* Version 3 stores what it takes, and multiplies what it finds: then a note of
 * its own has to say so. */
static void append_note(struct fixture_chain *f)
{
    if (version_now(f) == 3)
        fixture_ok(f, 0, "note.append", ARGS("f=100", "n=1"));
    else
        fixture_ok(f, 0, "note.append", ARGS("n=1"));
}

/* Rows are what one version makes of all notes. */
static void check_rows(struct fixture_chain *f, uint64_t many)
{
    struct buf rows = {0};
    size_t count;
    char sum[32];
    int64_t each = 1;
    for (int64_t v = 1; v < version_now(f); v++)
        each *= 10;
    rows_of(f, "each", &rows, &count);
    buf_deinit(&rows);
    if (count == 0)
        return;
    int64_t notes = (int64_t)count + (int64_t)many;
    snprintf(sum, sizeof(sum), "%lld", (long long)(each * notes));
    assert_value(f, "total", "sum", sum);
}

static void check_replay(struct script *s, const char *folder)
{
    struct both_sides was = sides_now(&s->f);
    struct chain *chain = s->f.chain;
    s->f.deps.node_pair = NULL;
    s->f.chain = chain_new(&s->f.deps);
    chain_open(s->f.chain, folder, chain_core(chain)->id, LOG_READ_ONLY,
               fixture_done, &s->f);
    fixture_wait(&s->f);
    if (s->f.done_code != 0)
        fail_msg("replay: %s", s->f.done_err.text);
    assert_sides(&s->f, was);
    check_rows(&s->f, s->many);
    chain_free(s->f.chain);
    s->f.chain = chain;
}

/* What came and was not activated, or the next version, can be. */
static void go_on(struct script *s)
{
    struct next_bundle next;
    struct err err;
    char rest[2048];
    if (!next_bundle_get(chain_version(s->f.chain), &next)) {
        int version = (int)version_now(&s->f) + 1;
        if (version > LAST_VERSION)
            return;
        rest_of(version, rest, sizeof(rest));
        bring_ok(&s->f, version, rest);
    }
    if (activate(&s->f, &err) != 0)
        fail_msg("activating afterwards: %s", err.text);
    check_rows(&s->f, s->many);
}

static void recover(struct script *s, enum sim_loss loss)
{
    struct sim_disk *disk = sim_disk_copy(s->disk, s->seed);
    struct script after = *s;
    char folder[LOG_PATH_MAX];
    sim_disk_die(disk);
    sim_disk_revive(disk, loss, s->seed++);
    after.f.deps.disk = sim_disk_interface(disk);
    after.f.deps.ctx = &after.f;
    after.disk = disk;
    after.f.pump_ctx = &after;
    after.f.pump = pump_plain;
    after.f.late = NULL;
    after.f.pool.ctx = &after.f;
    if (s->f.deps.pool != NULL)
        after.f.deps.pool = &after.f.pool;
    after.f.is_done = false;
    after.f.chain = chain_new(&after.f.deps);
    log_folder(folder, chain_core(s->f.chain)->id);
    chain_open(after.f.chain, folder, chain_core(s->f.chain)->id,
               LOG_READ_WRITE, fixture_done, &after.f);
    fixture_wait(&after.f);
    s->recoveries++;
    if (after.f.done_code != 0)
        fail_msg("loss %d after %llu acknowledged: %s", loss,
                 (unsigned long long)s->acked, after.f.done_err.text);
    assert_true(chain_size(after.f.chain) >= s->acked);
    assert_true(version_now(&after.f) >= s->version);
    s->versions[version_now(&after.f)]++;
    s->resumed += after.f.chain->resumed.file.len > 0;
    check_rows(&after.f, s->many);
    append_note(&after.f);
    if (s->recoveries % REPLAYS_EVERY == 0) {
        check_rows(&after.f, s->many);
        go_on(&after);
        check_replay(&after, folder);
    }
    chain_free(after.f.chain);
    sim_disk_free(disk);
}

static bool pump_and_crash_slices(void *ctx)
{
    struct script *s = ctx;
    if (s->f.late != NULL && s->f.chain->switching != NULL) {
        recover(s, (enum sim_loss)(s->slices % SIM_LOSSES));
        s->slices++;
    }
    return pump_plain(s);
}

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
    s->acked = chain_size(s->f.chain);
    s->version = version_now(&s->f);
}

static void append_notes(struct script *s, int count)
{
    for (int i = 0; i < count; i++) {
        append_note(&s->f);
        acknowledge(s);
    }
}

static void put_in_force(struct script *s, int version)
{
    char rest[2048];
    struct err err;
    rest_of(version, rest, sizeof(rest));
    bring_ok(&s->f, version, rest);
    acknowledge(s);
    s->f.now += 3000; /* its heartbeat is written before */
    if (activate(&s->f, &err) != 0)
        fail_msg("%s", err.text);
    acknowledge(s);
}

/* A chain of version 1; power does not go yet. `cuts`: work is cut. */
static struct script *script_open(uint64_t seed, bool cuts)
{
    struct script *s = mem_zero(1, sizeof(*s));
    char rest[2048];
    s->seed = seed;
    print_message("seed %llu (SEED sets it)\n", (unsigned long long)seed);
    s->disk = sim_disk_new(s->seed);
    fixture_open_disk(&s->f, sim_disk_interface(s->disk), pump_plain, s);
    s->f.deps.snapshot_events = 4;
    s->f.pool = (struct pool){.ctx = &s->f, .submit = fixture_submit_late};
    if (cuts) {
        s->f.deps.pool = &s->f.pool;
        fixture_cut(&s->f, LOOKS);
    }
    rest_of(1, rest, sizeof(rest));
    shop_birth(&s->f, rest);
    return s;
}

static void script_close(struct script *s)
{
    fixture_run(&s->f);
    s->f.pump = pump_plain;
    chain_free(s->f.chain);
    script_cache_free(s->f.cache);
    buf_deinit(&s->f.bundle);
    sim_disk_free(s->disk);
    mem_free(s);
}

static void crash_from(uint64_t seed)
{
    struct script *s = script_open(seed, false);
    append_notes(s, 3);
    s->f.pump = pump_and_crash;
    for (int version = 2; version <= LAST_VERSION; version++) {
        put_in_force(s, version);
        append_notes(s, 2);
        struct err err = {0};
        if (chain_mark(s->f.chain, fixture_done, &s->f, &err) == 0)
            fixture_wait(&s->f);
    }
    print_message(
        "%llu recoveries, %llu from snapshots; versions 1, 2, 3 "
        "found %llu, %llu, %llu times\n",
        (unsigned long long)s->recoveries, (unsigned long long)s->resumed,
        (unsigned long long)s->versions[1], (unsigned long long)s->versions[2],
        (unsigned long long)s->versions[3]);
    assert_true(s->recoveries >= 300 && s->resumed >= 20);
    for (int version = 1; version <= LAST_VERSION; version++)
        assert_true(s->versions[version] >= 20);
    script_close(s);
}

/* A slice is of some ten events, a frame of more. */
static void no_crash_leaves_half_a_frame(void **state)
{
    enum { FRAMES = 4, EVENTS = 60 };
    struct script *s = script_open(seeds_first(), true);
    (void)state;
    append_notes(s, 1);
    for (int i = 0; i < FRAMES; i++) {
        fixture_ok(&s->f, 0, "many", ARGS("count=60"));
        s->many += EVENTS - 1;
    }
    acknowledge(s);
    s->f.pump = pump_and_crash_slices;
    put_in_force(s, 2);
    append_notes(s, 1);
    check_rows(&s->f, s->many);
    print_message("%llu slices\n", (unsigned long long)s->slices);
    assert_true(s->slices >= FRAMES * EVENTS / LOOKS / 2);
    assert_true(s->versions[1] == s->recoveries);
    script_close(s);
}

static void no_crash_leaves_half_a_switch(void **state)
{
    (void)state;
    seeds_each(1, crash_from);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_crash_leaves_half_a_switch),
        cmocka_unit_test(no_crash_leaves_half_a_frame),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
