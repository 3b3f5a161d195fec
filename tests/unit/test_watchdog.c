#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <sched.h>
#include <string.h>

#include "io/watchdog.h"
#include "sandbox/sandbox.h"
#include "sandbox/watch.h"

/* A sandbox whose function never ends, and would need gas for years. */
struct world {
    struct watch watch;
    struct watchdog dog;
    struct sandbox *sandbox;
    int spin;
};

static void world_begin(struct world *w)
{
    struct sandbox_limits none = {.gas = UINT64_MAX, .memory = 1 << 20};
    sandbox_begin_within(w->sandbox, none);
}

static void world_open(struct world *w)
{
    static const char source[] = "return function() while true do end end";
    struct sandbox_module module = {.file = "bank.lua",
                                    .source = bytes_of_text(source)};
    struct err err;
    *w = (struct world){.dog = {.watch = &w->watch}};
    w->sandbox = sandbox_new((struct sandbox_limits){0}, NULL, NULL);
    if (sandbox_load_source(w->sandbox, "bank", &module, &w->spin, &err) != 0 ||
        sandbox_seal(w->sandbox, &err) != 0)
        fail_msg("%s", err.text);
    w->sandbox->watch = &w->watch;
    world_begin(w);
}

static void run_nothing(struct world *w)
{
    watch_begin(&w->watch);
    watch_end(&w->watch);
}

static void a_run_that_stays_is_stopped(void **state)
{
    struct world w;
    (void)state;
    world_open(&w);
    assert_false(watchdog_look(&w.dog));
    watch_begin(&w.watch);
    assert_true(watchdog_look(&w.dog));
    for (int i = 1; i < WATCHDOG_LOOKS; i++)
        watchdog_look(&w.dog);
    assert_false(watch_is_stopped(&w.watch));
    watchdog_look(&w.dog);
    assert_true(watch_is_stopped(&w.watch));
    watch_end(&w.watch);
    watch_begin(&w.watch);
    assert_false(watch_is_stopped(&w.watch));
    watch_end(&w.watch);
    sandbox_free(w.sandbox);
}

static void many_short_runs_are_not_one_long_run(void **state)
{
    struct world w;
    (void)state;
    world_open(&w);
    for (int i = 0; i < 10 * WATCHDOG_LOOKS; i++) {
        watch_begin(&w.watch);
        assert_true(watchdog_look(&w.dog));
        assert_false(watch_is_stopped(&w.watch));
        watch_end(&w.watch);
    }
    sandbox_free(w.sandbox);
}

static void spin(struct world *w)
{
    struct err err;
    world_begin(w);
    int rc = sandbox_call(w->sandbox, w->spin, 0, 0, &err);
    assert_int_equal(rc, ATE_EUNAVAILABLE);
    assert_non_null(strstr(err.text, "longer than 8 ms: an alarm"));
}

/* Nothing else would end these runs. */
static void the_thread_looks_by_itself(void **state)
{
    struct world w;
    (void)state;
    world_open(&w);
    assert_int_equal(watchdog_start(&w.dog, &w.watch, 1, NULL), 0);
    spin(&w);
    spin(&w);
    while (!atomic_load(&w.watch.asleep))
        sched_yield();
    run_nothing(&w);
    while (!atomic_load(&w.watch.asleep))
        sched_yield();
    spin(&w);
    watchdog_stop(&w.dog);
    watchdog_stop(&w.dog);
    sandbox_free(w.sandbox);
}

static void one_that_had_nothing_to_do_ends(void **state)
{
    struct world w;
    struct watchdog never = {0};
    (void)state;
    world_open(&w);
    assert_int_equal(watchdog_start(&w.dog, &w.watch, WATCHDOG_LOOK_MS, NULL),
                     0);
    watchdog_stop(&w.dog);
    watchdog_stop(&never);
    sandbox_free(w.sandbox);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_run_that_stays_is_stopped),
        cmocka_unit_test(many_short_runs_are_not_one_long_run),
        cmocka_unit_test(the_thread_looks_by_itself),
        cmocka_unit_test(one_that_had_nothing_to_do_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
