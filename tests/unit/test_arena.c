#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sandbox/arena.h"

enum { SIZE = 1 << 20, SLOTS = 64 };

static int set_up(void **state)
{
    struct arena *a = calloc(1, sizeof(*a));

    arena_init(a, SIZE);
    *state = a;
    return 0;
}

static int tear_down(void **state)
{
    arena_deinit(*state);
    arena_deinit(*state);
    free(*state);
    return 0;
}

static void blocks_are_aligned_and_apart(void **state)
{
    struct arena *a = *state;
    uint8_t *last = NULL;
    size_t last_size = 0;

    for (size_t size = 1; size < 3000; size += 7) {
        uint8_t *block = arena_alloc(a, NULL, 0, size);
        assert_non_null(block);
        assert_int_equal((uintptr_t)block % ARENA_GRAIN, 0);
        assert_true(last == NULL || block >= last + last_size);
        last = block;
        last_size = size;
    }
}

static void freed_block_is_used_again(void **state)
{
    struct arena *a = *state;
    void *first = arena_alloc(a, NULL, 0, 100);
    void *second = arena_alloc(a, NULL, 0, 100);

    assert_ptr_equal(arena_alloc(a, first, 100, 0), NULL);
    assert_ptr_equal(arena_alloc(a, NULL, 0, 105), first); /* same class */
    assert_ptr_not_equal(first, second);
}

/* Garbage made and dropped in a stack's order costs nothing. */
static void last_block_goes_back_to_the_pointer(void **state)
{
    struct arena *a = *state;
    void *keep = arena_alloc(a, NULL, 0, 48);
    size_t used = a->marks.used;
    void *block = arena_alloc(a, NULL, 0, 5000);

    arena_alloc(a, block, 5000, 0);
    assert_int_equal(a->marks.used, used);
    assert_ptr_equal(arena_alloc(a, NULL, 0, 70), block);
    assert_non_null(keep);
}

static void last_block_grows_in_place(void **state)
{
    struct arena *a = *state;
    uint8_t *block = arena_alloc(a, NULL, 0, 64);

    memset(block, 7, 64);
    assert_ptr_equal(arena_alloc(a, block, 64, 20000), block);
    arena_alloc(a, NULL, 0, 16);
    uint8_t *moved = arena_alloc(a, block, 20000, 40000);
    assert_ptr_not_equal(moved, block);
    assert_int_equal(moved[63], 7);
}

static void limit_refuses_and_keeps_the_old_block(void **state)
{
    struct arena *a = *state;

    arena_limit(a, 8192, ARENA_BLOCK_MAX);
    uint8_t *block = arena_alloc(a, NULL, 0, 4000);
    memset(block, 9, 4000);
    assert_null(arena_alloc(a, NULL, 0, 5000));
    assert_int_equal(a->refused, ARENA_FULL);
    assert_null(arena_alloc(a, block, 4000, 9000));
    assert_int_equal(block[3999], 9);
    arena_limit(a, SIZE, ARENA_BLOCK_MAX);
    assert_int_equal(a->refused, ARENA_FINE);
    assert_non_null(arena_alloc(a, NULL, 0, 5000));
}

static void one_block_is_bounded(void **state)
{
    struct arena *a = *state;

    assert_null(arena_alloc(a, NULL, 0, ARENA_BLOCK_MAX + 1));
    assert_int_equal(a->refused, ARENA_TOO_LARGE);
    assert_non_null(arena_alloc(a, NULL, 0, ARENA_BLOCK_MAX));
}

/* Lua must be able to double its table of strings. */
static void table_of_strings_may_be_larger(void **state)
{
    struct arena *a = *state;

    assert_non_null(arena_alloc(a, NULL, 0, 128 << 10));
    assert_non_null(arena_alloc(a, NULL, 0, 256 << 10));
    assert_null(arena_alloc(a, NULL, 0, 512 << 10));
}

/* A list of live blocks, each filled with its number. */
struct live {
    uint8_t *block[SLOTS];
    size_t size[SLOTS];
};

static void check_live(const struct live *live)
{
    for (int i = 0; i < SLOTS; i++)
        for (size_t n = 0; live->block[i] != NULL && n < live->size[i]; n++)
            if (live->block[i][n] != i)
                fail_msg("block %d changed at %zu", i, n);
}

static void step(struct arena *a, struct live *live, unsigned random)
{
    unsigned i = random % SLOTS;
    size_t size = (random >> 8) % 9 == 0 ? 0 : (random >> 12) % 4000;
    uint8_t *block = arena_alloc(a, live->block[i], live->size[i], size);

    if (block == NULL && size > 0)
        return; /* refused: the old one stays */
    live->block[i] = block;
    live->size[i] = size;
    if (block != NULL)
        memset(block, (int)i, size);
}

static unsigned next_random(unsigned *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 4;
}

static void random_blocks_never_overlap(void **state)
{
    struct arena *a = *state;
    struct live live = {0};
    unsigned seed = 20261122;

    print_message("seed %u\n", seed);
    arena_limit(a, 150000, ARENA_BLOCK_MAX);
    for (int i = 0; i < 20000; i++) {
        step(a, &live, next_random(&seed));
        if (i % 100 == 0)
            check_live(&live);
    }
    check_live(&live);
}

/* Byte for byte, and the same addresses again for the same calls. */
static void restore_is_exact(void **state)
{
    struct arena *a = *state;
    struct live live = {0}, first, second;
    unsigned seed = 7;

    for (int i = 0; i < 500; i++)
        step(a, &live, next_random(&seed));
    arena_image_take(a);
    size_t used = a->marks.used;
    assert_int_equal(arena_image_size(a), used);
    assert_true(arena_image_matches(a));
    for (int round = 0; round < 3; round++) {
        unsigned same = 99;
        second = live;
        for (int i = 0; i < 2000; i++)
            step(a, &second, next_random(&same));
        if (round > 0)
            assert_memory_equal(&first, &second, sizeof(first));
        first = second;
        assert_false(arena_image_matches(a));
        arena_image_restore(a);
        assert_int_equal(a->marks.used, used);
        assert_true(arena_image_matches(a));
        check_live(&live);
    }
}

/* What one process refuses, every process refuses. */
static void refusals_depend_on_the_calls_alone(void **state)
{
    size_t used[2];

    (void)state;
    for (int round = 0; round < 2; round++) {
        struct arena a;
        struct live live = {0};
        unsigned seed = 3;
        arena_init(&a, SIZE);
        arena_limit(&a, 100000, ARENA_BLOCK_MAX);
        int steps = 0;
        while (a.refused == ARENA_FINE && steps++ < 100000)
            step(&a, &live, next_random(&seed));
        used[round] = a.marks.used * 100000 + (size_t)steps;
        arena_deinit(&a);
    }
    assert_int_equal(used[0], used[1]);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(blocks_are_aligned_and_apart),
        TEST(freed_block_is_used_again),
        TEST(last_block_goes_back_to_the_pointer),
        TEST(last_block_grows_in_place),
        TEST(limit_refuses_and_keeps_the_old_block),
        TEST(one_block_is_bounded),
        TEST(table_of_strings_may_be_larger),
        TEST(random_blocks_never_overlap),
        TEST(restore_is_exact),
        cmocka_unit_test(refusals_depend_on_the_calls_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
