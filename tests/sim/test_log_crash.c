/* Power failures at every action of a log's life, and of its recoveries.
 *
 * Most of the 100,000 recoveries of a run of all tests are made here
 * (tests/run adds them up). Seeds: seeds.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "sim/log_script.h"
#include "sim/seeds.h"

enum { ROUNDS = 4 };

static unsigned rounds;
static uint64_t first_seed;

static void expect_clean(const char *what, const struct tally *t)
{
    print_message("%s from seed %llu: %llu recoveries, %llu lost, %llu wrong, "
                  "%llu refused\n",
                  what, (unsigned long long)first_seed,
                  (unsigned long long)t->recoveries,
                  (unsigned long long)t->lost, (unsigned long long)t->wrong,
                  (unsigned long long)t->refused);
    if (tally_failures(t) != 0)
        print_message("first: %s\n", t->first);
    assert_int_equal(tally_failures(t), 0);
}

/* The rule of recovery, for each action of 60 commits and each kind of loss. */
static void no_power_failure_loses_what_was_acknowledged(void **state)
{
    struct tally tally = {0};
    (void)state;
    for (unsigned i = 0; i < rounds; i++)
        crash_everywhere(first_seed + i, 60, 8, NULL, &tally);
    expect_clean("crash at every action", &tally);
    assert_true(tally.recoveries >= 15000ULL * rounds);
}

/* A log that was recovered is written to and crashes again. */
static void a_life_with_four_crashes_loses_nothing(void **state)
{
    struct tally tally = {0};
    (void)state;
    for (unsigned i = 0; i < 1500 * rounds; i++)
        crash_in_life(first_seed + i, NULL, &tally);
    expect_clean("lives with four crashes", &tally);
    assert_true(tally.recoveries >= 4000ULL * rounds);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_power_failure_loses_what_was_acknowledged),
        cmocka_unit_test(a_life_with_four_crashes_loses_nothing),
    };
    rounds = seeds_rounds(ROUNDS);
    first_seed = seeds_first();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
