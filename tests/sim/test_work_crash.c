/* Workers on a node whose power fails at every action of the disk, in every way
 * the disk knows, while services answer, fail, or do what was asked and lose
 * the answer. Afterwards a new process lets them work to the end: inside, each
 * order was noted, paid and closed once; outside, whatever was asked for one
 * thing was asked with one key, and a service that looks at keys paid once. */
#include "unit/fixture_bank.h"
#include "sim/seeds.h"

enum { ORDERS = 3, EFFECTS_MAX = 64 };
static const char SOON[] = "2023-11-14T22:13:20.500Z";

/* What was asked of the bank, ever, in whatever future. */
struct effect {
    uint8_t key[SERVICE_KEY_SIZE];
    struct buf request;
};

static struct effect effects[EFFECTS_MAX];
static size_t effect_count;
static uint64_t sends;

/* One key stands for one request, for ever. */
static void note_effect(struct process *p, const struct service_request *r)
{
    (void)p;
    sends++;
    for (size_t i = 0; i < effect_count; i++) {
        bool same_key = memcmp(effects[i].key, r->key, sizeof(r->key)) == 0;
        bool same = bytes_equal(buf_bytes(&effects[i].request), r->request);
        if (same_key != same)
            fail_msg("a key stands for two requests, or a request has two");
        if (same_key)
            return;
    }
    assert_true(effect_count < EFFECTS_MAX);
    struct effect *e = &effects[effect_count++];
    memcpy(e->key, r->key, sizeof(e->key));
    buf_put_bytes(&e->request, r->request);
}

/* ---- the script ---- */

struct script {
    struct process p;
    struct rng rng;
    size_t acked; /* orders */
    uint64_t recoveries;
    uint64_t paid; /* of them, found paid without any work */
    uint64_t seed;
};

static void each_is_done_once(struct process *p, size_t orders)
{
    assert_int_equal(count(p, "noted"), orders);
    assert_int_equal(count(p, "paid"), orders);
    assert_int_equal(count(p, "closed"), orders);
}

/* A new process on what is left of the disk. */
static void recover(struct script *s, enum sim_loss loss)
{
    struct sim_disk *disk = sim_disk_copy(s->p.disk, s->seed);
    struct rng rng = {s->seed};
    struct process p = {0};
    sim_disk_die(disk);
    sim_disk_revive(disk, loss, s->seed++);
    process_begin(&p, disk, &rng);
    p.sent = note_effect;
    p.wall_ms = s->p.wall_ms + 10000;
    s->recoveries++;
    if (process_start(&p) != 0)
        fail_msg("the node does not start");
    struct ask a;
    struct mapping m = {0};
    ask(&p, &a, REQUEST_READ, false, "info", &m);
    buf_deinit(&a.result);
    if (a.code == ATE_ENOT_FOUND && s->acked == 0) {
        /* The chain was not promised yet. */
    } else if (a.code != 0) {
        fail_msg("loss %d: %s", loss, a.err.text);
    } else {
        size_t orders = count(&p, "placed");
        assert_true(orders >= s->acked);
        s->paid += count(&p, "paid");
        work_to_the_end(&p);
        each_is_done_once(&p, orders);
    }
    process_end(&p);
    sim_disk_free(disk);
}

static bool step_and_crash(void *ctx)
{
    struct script *s = ctx;
    if (!sim_disk_step(s->p.disk))
        return false;
    for (int loss = 0; loss < SIM_LOSSES; loss++)
        recover(s, (enum sim_loss)loss);
    return true;
}

static void everything_is_worked_once(void **state)
{
    struct script *s = mem_zero(1, sizeof(*s));
    (void)state;
    s->seed = seeds_first();
    print_message("seed %llu (SEED sets it)\n", (unsigned long long)s->seed);
    s->rng = (struct rng){s->seed};
    process_begin(&s->p, sim_disk_new(s->seed), &s->rng);
    s->p.sent = note_effect;
    s->p.fails = 1;
    assert_int_equal(process_start(&s->p), 0);
    create_jobs(&s->p);
    s->p.step = step_and_crash;
    s->p.step_ctx = s;
    for (size_t i = 0; i < ORDERS; i++) {
        place_order(&s->p, i, SOON);
        s->acked++;
        s->p.wall_ms += 400;
        if (i == 0)
            work_to_the_end(&s->p);
    }
    work_to_the_end(&s->p);
    each_is_done_once(&s->p, ORDERS);
    /* Two things are asked for each order; what follows the first answer is the
     * same in every future, as the answer follows from the key. */
    assert_int_equal(effect_count, 2 * ORDERS);
    print_message("%llu recoveries, %llu requests for %zu effects\n",
                  (unsigned long long)s->recoveries, (unsigned long long)sends,
                  effect_count);
    assert_true(s->recoveries >= 400 && s->paid > 0);
    s->p.step = plain_step;
    s->p.step_ctx = s->p.disk;
    process_end(&s->p);
    sim_disk_free(s->p.disk);
    for (size_t i = 0; i < effect_count; i++)
        buf_deinit(&effects[i].request);
    mem_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_is_worked_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
