/* Large bodies on the simulated disk: the power fails at every action of a
 * script that puts two of them and names them, in every way the disk knows.
 * What an acknowledged transaction names is whole afterwards, what was complete
 * can be claimed, and what was not can be gone on with or put again. */
#include "unit/fixture_chain.h"

#include "chain/inside.h"
#include "unit/fixture_large.h"
#include "event/body.h"
#include "sim/seeds.h"
#include "sim/sim_disk.h"

enum {
    PIECE = LIMIT_BODY_PIECE,
    BODY = 2 * PIECE + 999, /* three pieces */
    BODIES = 2,
    SEEDS = 6,
    LATE = BODIES, /* one that nobody put before the crash */
};

static const uint64_t cuts[] = {0, PIECE - 5, 2 * PIECE, BODY};

/* How far one got, as it was acknowledged. */
enum fate { NOTHING, BEGUN, COMPLETE, NAMED };

struct script {
    struct fixture_chain f;
    struct sim_disk *disk;
    struct buf body[BODIES + 1];
    uint8_t hash[BODIES + 1][HASH_SIZE];
    enum fate fate[BODIES + 1];
    uint64_t recoveries;
    uint64_t seed;
};

/* ---- one request at a time ---- */

static void put_answered(struct put *put)
{
    *(bool *)put->owner = true;
}

/* `data` of body `i` from `from` to `to`, or its end. Its code. */
static int put(struct fixture_chain *f, const struct script *s, int i,
               uint64_t from, uint64_t to, const uint8_t *end, uint64_t *length)
{
    uint8_t id[UPLOAD_ID_SIZE];
    bool done = false;
    memset(id, 'a' + i, sizeof(id));
    struct put put = {
        .id = id,
        .offset = from,
        .data = bytes_of(s->body[i].data + from, to - from),
        .ends = end != NULL,
        .hash = end,
        .done = put_answered,
        .owner = &done,
    };
    chain_put(f->chain, &put);
    while (!done)
        assert_true(f->pump(f->pump_ctx));
    *length = put.length;
    return put.code;
}

static int name_film(struct fixture_chain *f, const struct script *s, int i,
                     const char *name, uint64_t *index)
{
    struct fixture_call c = {0};
    mp_put_map(&c.args, 3);
    mp_put_text(&c.args, "body");
    mp_put_map(&c.args, 2);
    mp_put_text(&c.args, "hash");
    mp_put_bin(&c.args, bytes_of(s->hash[i], HASH_SIZE));
    mp_put_text(&c.args, "length");
    mp_put_uint(&c.args, BODY);
    mp_put_text(&c.args, "name");
    mp_put_text(&c.args, name);
    mp_put_text(&c.args, "year");
    mp_put_uint(&c.args, 1927);
    c.call.method = bytes_of_text("film.create");
    c.call.args = buf_bytes(&c.args);
    c.call.author = &f->keys[0];
    put_be64(c.call.call_id, ++f->calls);
    c.call.done = fixture_answered;
    c.call.owner = &c;
    chain_call(f->chain, &c.call);
    while (!c.done) {
        chain_flush(f->chain);
        if (!c.done)
            assert_true(f->pump(f->pump_ctx));
    }
    int code = c.call.code;
    *index = c.call.index;
    fixture_end(&c);
    return code;
}

/* ---- after the crash ---- */

static bool pump_plain(void *ctx)
{
    return sim_disk_step(ctx);
}

/* Go on where it is; if what came of that is not it, put it again. */
static void put_rest(struct fixture_chain *f, const struct script *s, int i)
{
    uint64_t at = 0;
    int code = put(f, s, i, 0, 0, NULL, &at);
    assert_int_equal(code, 0);
    if (at < BODY)
        assert_int_equal(put(f, s, i, at, BODY, NULL, &at), 0);
    code = put(f, s, i, 0, 0, s->hash[i], &at);
    if (code == 0)
        return;
    assert_int_equal(code, ATE_EINVALID);
    assert_int_equal(put(f, s, i, 0, BODY, NULL, &at), 0);
    assert_int_equal(put(f, s, i, 0, 0, s->hash[i], &at), 0);
}

/* Whatever a transaction names afterwards is whole. */
static void check_body(struct fixture_chain *f, const struct script *s, int i)
{
    uint64_t index;
    if (s->fate[i] == NAMED)
        assert_large(f, s->hash[i], buf_bytes(&s->body[i]));
    int code = name_film(f, s, i, i == 0 ? "late 0" : "late 1", &index);
    if (code == ATE_ENOT_FOUND && s->fate[i] < COMPLETE) {
        put_rest(f, s, i);
        code = name_film(f, s, i, i == 0 ? "late 0" : "late 1", &index);
    }
    assert_int_equal(code, 0);
    fixture_run(f);
    assert_large(f, s->hash[i], buf_bytes(&s->body[i]));
}

/* A new process on the disk that is left. */
static void recover(struct script *s, enum sim_loss loss)
{
    struct sim_disk *disk = sim_disk_copy(s->disk, s->seed);
    struct fixture_chain f = s->f;
    char folder[LOG_PATH_MAX];
    uint64_t index;
    sim_disk_die(disk);
    sim_disk_revive(disk, loss, s->seed++);
    f.deps.disk = sim_disk_interface(disk);
    f.deps.ctx = &f;
    f.pump_ctx = disk;
    f.pump = pump_plain;
    f.is_done = false;
    f.chain = chain_new(&f.deps);
    log_folder(folder, chain_core(s->f.chain)->id);
    chain_open(f.chain, folder, chain_core(s->f.chain)->id, LOG_READ_WRITE,
               fixture_done, &f);
    fixture_wait(&f);
    if (f.done_code != 0)
        fail_msg("loss %d, seed %llu: %s", loss,
                 (unsigned long long)s->seed - 1, f.done_err.text);
    for (int i = 0; i < BODIES; i++)
        check_body(&f, s, i);
    put_rest(&f, s, LATE);
    assert_int_equal(name_film(&f, s, LATE, "late", &index), 0);
    fixture_run(&f);
    assert_large(&f, s->hash[LATE], buf_bytes(&s->body[LATE]));
    chain_free(f.chain);
    sim_disk_free(disk);
    s->recoveries++;
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

/* ---- the script ---- */

static void put_body(struct script *s, int i)
{
    uint64_t length = 0;
    for (int k = 0; k < 3; k++) {
        assert_int_equal(put(&s->f, s, i, cuts[k], cuts[k + 1], NULL, &length),
                         0);
        assert_int_equal(length, cuts[k + 1]);
        s->fate[i] = BEGUN;
    }
    const uint8_t *hash = s->hash[i];
    assert_int_equal(put(&s->f, s, i, 0, 0, hash, &length), 0);
    s->fate[i] = COMPLETE;
}

static void make_body(struct script *s, int i)
{
    for (uint32_t at = 0; at < BODY; at++)
        buf_put_u8(&s->body[i], (uint8_t)(1 + at * 5 + at / 241 + i * 3));
    body_hash(buf_bytes(&s->body[i]), s->hash[i]);
}

static uint64_t run_script(uint64_t seed)
{
    struct script *s = mem_zero(1, sizeof(*s));
    uint64_t index;
    s->seed = seed;
    s->disk = sim_disk_new(seed);
    for (int i = 0; i <= BODIES; i++)
        make_body(s, i);
    fixture_open_disk(&s->f, sim_disk_interface(s->disk), pump_plain, s->disk);
    fixture_create_here(&s->f, "tests/lua/schemas", "films");
    fixture_run(&s->f);
    s->f.pump = pump_and_crash;
    s->f.pump_ctx = s;
    put_body(s, 0);
    assert_int_equal(name_film(&s->f, s, 0, "first", &index), 0);
    s->fate[0] = NAMED;
    put_body(s, 1); /* while the first one moves */
    fixture_run(&s->f);
    assert_int_equal(name_film(&s->f, s, 1, "second", &index), 0);
    s->fate[1] = NAMED;
    fixture_run(&s->f);
    s->f.pump = pump_plain;
    s->f.pump_ctx = s->disk;
    for (int i = 0; i < BODIES; i++)
        assert_large(&s->f, s->hash[i], buf_bytes(&s->body[i]));
    chain_free(s->f.chain);
    script_cache_free(s->f.cache);
    buf_deinit(&s->f.bundle);
    for (int i = 0; i <= BODIES; i++)
        buf_deinit(&s->body[i]);
    sim_disk_free(s->disk);
    uint64_t recoveries = s->recoveries;
    mem_free(s);
    return recoveries;
}

static void no_crash_loses_a_large_body(void **state)
{
    uint64_t seed = seeds_first();
    unsigned rounds = seeds_rounds(SEEDS);
    uint64_t recoveries = 0;
    (void)state;
    print_message("seeds %llu to %llu (SEED sets the first)\n",
                  (unsigned long long)seed,
                  (unsigned long long)seed + rounds - 1);
    for (unsigned i = 0; i < rounds; i++)
        recoveries += run_script(seed + i);
    print_message("%llu recoveries\n", (unsigned long long)recoveries);
    assert_true(recoveries > 170 * rounds);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_crash_loses_a_large_body),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
