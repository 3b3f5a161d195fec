#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdatomic.h>

#include "base/memory.h"
#include "io/crew.h"
#include "io/turns.h"

/* ---- what is forked and joined ---- */

struct part {
    struct forked forked; /* first, so that one pointer is the other */
    atomic_uint times;
    pthread_t by;
    atomic_bool *gate; /* waits until it is open; or NULL */
    atomic_uint *begun;
};

static void work(struct forked *forked)
{
    struct part *part = (struct part *)forked;
    part->by = pthread_self();
    if (part->begun != NULL)
        atomic_fetch_add(part->begun, 1);
    while (part->gate != NULL && !atomic_load(part->gate))
        ;
    atomic_fetch_add(&part->times, 1);
}

static struct part *parts_new(size_t count)
{
    struct part *parts = mem_zero(count, sizeof(*parts));
    for (size_t i = 0; i < count; i++)
        parts[i].forked.work = work;
    return parts;
}

static void fork_all(struct crew *crew, struct part *parts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        crew_fork(crew, &parts[i].forked);
}

static void each_is_done_once_when_it_is_joined(void **state)
{
    enum { COUNT = 1000, ROUNDS = 20 };
    struct crew *crew = crew_new(2);
    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        struct part *parts = parts_new(COUNT);
        fork_all(crew, parts, COUNT);
        for (size_t i = COUNT; i-- > 0;) {
            crew_join(crew, &parts[i].forked);
            assert_int_equal(parts[i].times, 1);
        }
        mem_free(parts);
    }
    crew_free(crew);
}

static void without_threads_the_owner_does_all(void **state)
{
    enum { COUNT = 10 };
    struct crew *crew = crew_new(0);
    struct part *parts = parts_new(COUNT);
    (void)state;
    fork_all(crew, parts, COUNT);
    for (size_t i = 0; i < COUNT; i++)
        assert_int_equal(parts[i].times, 0);
    for (size_t i = 0; i < COUNT; i++) {
        crew_join(crew, &parts[i].forked);
        assert_true(pthread_equal(parts[i].by, pthread_self()));
    }
    mem_free(parts);
    crew_free(crew);
}

/* Both threads are at work at the same time, or this does not end. */
static void others_work_before_anything_is_joined(void **state)
{
    enum { COUNT = 8 };
    atomic_bool gate = false;
    atomic_uint begun = 0;
    struct crew *crew = crew_new(2);
    struct part *parts = parts_new(COUNT);
    (void)state;
    for (size_t i = 0; i < COUNT; i++) {
        parts[i].gate = &gate;
        parts[i].begun = &begun;
    }
    fork_all(crew, parts, COUNT);
    while (atomic_load(&begun) < 2)
        ;
    atomic_store(&gate, true);
    for (size_t i = 0; i < COUNT; i++)
        crew_join(crew, &parts[i].forked);
    assert_false(pthread_equal(parts[0].by, pthread_self()));
    mem_free(parts);
    crew_free(crew);
}

/* ---- turns ---- */

static void *tries(void *ctx)
{
    struct turns *turns = ctx;
    bool got = turns_try(turns);
    if (got)
        turns_leave(turns);
    return got ? turns : NULL;
}

static bool another_gets_it(struct turns *turns)
{
    pthread_t thread;
    void *got;
    assert_int_equal(pthread_create(&thread, NULL, tries, turns), 0);
    assert_int_equal(pthread_join(thread, &got), 0);
    return got != NULL;
}

static void one_thread_has_the_turn(void **state)
{
    struct turns turns;
    (void)state;
    turns_init(&turns);
    assert_true(another_gets_it(&turns));
    turns_take(&turns);
    assert_false(another_gets_it(&turns));
    assert_false(turns_try(&turns)); /* nor the one that has it */
    turns_leave(&turns);
    assert_true(another_gets_it(&turns));
    turns_deinit(&turns);
}

struct owner {
    struct turns turns;
    atomic_bool had_it;
};

static void *takes(void *ctx)
{
    struct owner *owner = ctx;
    turns_take(&owner->turns);
    atomic_store(&owner->had_it, true);
    turns_leave(&owner->turns);
    return NULL;
}

static void an_owner_that_waits_comes_first(void **state)
{
    struct owner owner = {.had_it = false};
    pthread_t thread;
    (void)state;
    turns_init(&owner.turns);
    assert_true(turns_try(&owner.turns));
    assert_int_equal(pthread_create(&thread, NULL, takes, &owner), 0);
    while (!atomic_load(&owner.turns.wanted))
        ;
    turns_leave(&owner.turns);
    if (turns_try(&owner.turns)) {
        assert_true(atomic_load(&owner.had_it));
        turns_leave(&owner.turns);
    }
    assert_int_equal(pthread_join(thread, NULL), 0);
    turns_deinit(&owner.turns);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_is_done_once_when_it_is_joined),
        cmocka_unit_test(without_threads_the_owner_does_all),
        cmocka_unit_test(others_work_before_anything_is_joined),
        cmocka_unit_test(one_thread_has_the_turn),
        cmocka_unit_test(an_owner_that_waits_comes_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
