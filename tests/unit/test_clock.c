/* The time of day that a node believes, and what it says of others. */
#define _GNU_SOURCE /* memmem */
#include "fixture_plain.h"

enum { HOUR_MS = 3600000 };

static void again(struct bench *s)
{
    world_stop(&s->world, s->node);
    s->node = world_node(&s->world, false, 0);
}

static int set_up_doubting(void **state)
{
    int rc = set_up(state);
    struct bench *s = *state;
    s->world.doubts = true;
    again(s);
    return rc;
}

/* 0, or what the call was refused with. */
static int append(struct bench *s)
{
    struct ask ask;
    int code =
        call(&s->world, s->node, &ask, "bank", "note.append", ARGS("text=a"));
    if (code != 0 && strstr(ask.err.text, "went ahead by") == NULL)
        fail_msg("%s", ask.err.text);
    ask_end(&ask);
    return code;
}

static bool info_has(struct bench *s, const char *name)
{
    struct ask ask;
    assert_int_equal(read_(&s->world, s->node, &ask, "bank", "info", ARGS()),
                     0);
    bool has =
        memmem(ask.result.data, ask.result.len, name, strlen(name)) != NULL;
    ask_end(&ask);
    return has;
}

static void a_clock_that_is_set_far_ahead_is_not_followed(void **state)
{
    struct bench *s = *state;
    assert_int_equal(append(s), 0);
    s->world.wall_ms += 30 * HOUR_MS;
    assert_int_equal(append(s), ATE_EUNAVAILABLE);
    s->world.wall_ms -= 30 * HOUR_MS;
    assert_int_equal(append(s), 0);
    assert_false(info_has(s, "time_ahead_ms"));
}

static void who_starts_the_node_anew_says_that_it_is_right(void **state)
{
    struct bench *s = *state;
    s->world.wall_ms += 30 * HOUR_MS;
    assert_int_equal(append(s), ATE_EUNAVAILABLE);
    again(s);
    assert_int_equal(append(s), 0);
}

static void what_is_set_a_little_or_back_is_followed(void **state)
{
    struct bench *s = *state;
    s->world.wall_ms += HOUR_MS;
    assert_int_equal(append(s), 0);
    s->world.wall_ms -= 10 * HOUR_MS;
    assert_int_equal(append(s), 0);
    s->world.wall_ms += 10 * HOUR_MS; /* and put right */
    assert_int_equal(append(s), 0);
    s->world.wall_ms += HOUR_MS + 1;
    assert_int_equal(append(s), ATE_EUNAVAILABLE);
}

static void time_that_passes_is_no_jump(void **state)
{
    struct bench *s = *state;
    world_pass(&s->world, s->node, 1000 * (int64_t)HOUR_MS);
    assert_int_equal(append(s), 0);
}

/* It was written under a wrong clock: time stands still, and that is told. */
static void time_that_is_ahead_is_told(void **state)
{
    struct bench *s = *state;
    s->world.wall_ms += 30 * HOUR_MS;
    again(s);
    assert_int_equal(append(s), 0);
    assert_false(info_has(s, "time_ahead_ms"));
    s->world.wall_ms -= 30 * HOUR_MS;
    again(s);
    assert_true(info_has(s, "time_ahead_ms"));
    assert_int_equal(append(s), 0);
}

#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, set_up_doubting, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_clock_that_is_set_far_ahead_is_not_followed),
        TEST(who_starts_the_node_anew_says_that_it_is_right),
        TEST(what_is_set_a_little_or_back_is_followed),
        TEST(time_that_passes_is_no_jump),
        TEST(time_that_is_ahead_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
