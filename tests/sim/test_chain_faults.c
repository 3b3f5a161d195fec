/* The whole engine, Lua included, on a disk that fails: each operation of a
 * chain's life in each way, once and for ever. Every call is answered, and what
 * was acknowledged is there when a new process opens the chain, whether the
 * power went meanwhile or not.
 *
 * Seeds: seeds.h. */
#include "sim/chain_life.h"

#include <errno.h>

#include "sim/seeds.h"
#include "sim/sim_disk.h"

struct trials {
    struct life life;
    uint64_t seed;
    uint64_t faults;
    uint64_t refused; /* calls that were told so */
    uint64_t recoveries;
};

static bool pump(void *ctx)
{
    return sim_disk_step(ctx);
}

static void restart(struct trials *t, struct sim_disk *disk, enum sim_loss loss,
                    const char *what)
{
    struct life after = t->life;
    struct sim_disk *left = sim_disk_copy(disk, t->seed);
    char text[160];
    sim_disk_revive(left, loss, t->seed + t->recoveries++);
    snprintf(text, sizeof(text), "%s, loss %d", what, loss);
    life_check(&after, sim_disk_interface(left), pump, left, text);
    sim_disk_free(left);
}

/* The number of actions, when nothing fails. */
static uint64_t try_fault(struct trials *t, const struct sim_fault *fault,
                          const char *what)
{
    struct sim_disk *disk = sim_disk_new(t->seed);
    if (fault != NULL)
        sim_disk_fault(disk, fault);
    life_reset(&t->life);
    life_run(&t->life, sim_disk_interface(disk), pump, disk);
    uint64_t actions = sim_disk_actions(disk);
    if (fault == NULL) {
        if (t->life.refused > 0)
            fail_msg("a good disk: %s", t->life.why);
    }
    if (fault == NULL || sim_disk_faults(disk) > 0) {
        t->faults += sim_disk_faults(disk) > 0;
        t->refused += t->life.refused;
        restart(t, disk, SIM_KEEP_CACHE, what);
        restart(t, disk, t->recoveries % 4 == 0 ? SIM_KEEP_NONE : SIM_KEEP_SOME,
                what);
    }
    sim_disk_free(disk);
    return actions;
}

static void fail_everywhere(struct trials *t)
{
    uint64_t actions = try_fault(t, NULL, "no fault");
    size_t kinds = SIM_FAULTS;
    for (uint64_t i = 0; i < actions * kinds * 2; i++) {
        size_t kind = i % kinds;
        struct sim_fault fault = sim_faults[kind].fault;
        char what[100];
        fault.action = i / kinds / 2;
        fault.for_ever = i / kinds % 2;
        snprintf(what, sizeof(what), "seed %llu, %s%s at action %llu",
                 (unsigned long long)t->seed, sim_faults[kind].text,
                 fault.for_ever ? " for ever" : "",
                 (unsigned long long)fault.action);
        try_fault(t, &fault, what);
    }
}

static void no_fault_loses_what_a_chain_acknowledged(void **state)
{
    struct trials *t = mem_zero(1, sizeof(*t));
    uint64_t first = seeds_first();
    unsigned rounds = seeds_rounds(1);
    (void)state;
    life_init(&t->life);
    print_message("from seed %llu (SEED sets it)\n", (unsigned long long)first);
    for (t->seed = first; t->seed < first + rounds; t->seed++)
        fail_everywhere(t);
    print_message("%llu faults, %llu calls that were told of them, "
                  "%llu recoveries\n",
                  (unsigned long long)t->faults, (unsigned long long)t->refused,
                  (unsigned long long)t->recoveries);
    assert_true(t->faults > 500 && t->refused > 500);
    life_deinit(&t->life);
    mem_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_fault_loses_what_a_chain_acknowledged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
