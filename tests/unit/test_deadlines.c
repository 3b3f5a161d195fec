/* Requests that have a deadline, and those that may only read. */
#define _GNU_SOURCE /* memmem */
#include "fixture_plain.h"

/* Time passes, and nothing else happens: the disk is not looked at. */
static void wait_ms(struct bench *s, int64_t ms)
{
    s->world.wall_ms += ms;
    s->world.steady_us += ms * 1000;
    node_tick(s->node, s->world.wall_ms, s->world.steady_us);
    node_flush(s->node);
}

static void start_within(struct bench *s, struct ask *ask,
                         enum request_kind kind, const char *method,
                         const char *const *args, uint32_t deadline_ms)
{
    ask_begin(s->node, ask, kind, "bank", method, args);
    ask->request.deadline_ms = deadline_ms;
    node_ask(s->node, &ask->request);
    node_flush(s->node);
}

static size_t notes(struct bench *s)
{
    struct ask ask;
    assert_int_equal(
        read_(&s->world, s->node, &ask, "bank", "list", ARGS("type=note")), 0);
    size_t count = ask.chunk_count;
    ask_end(&ask);
    return count;
}

/* The same call again, by its id. */
static void repeat(struct bench *s, const struct ask *first, struct ask *again,
                   const char *const *args)
{
    ask_begin(s->node, again, REQUEST_CALL, "bank", "note.append", args);
    memcpy(again->request.call_id, first->request.call_id, NODE_CALL_ID);
    node_ask(s->node, &again->request);
    world_run(&s->world, s->node);
}

static void what_is_done_in_time_is_answered(void **state)
{
    struct bench *s = *state;
    struct ask ask;
    start_within(s, &ask, REQUEST_CALL, "note.append", ARGS("text=a"), 100);
    world_run(&s->world, s->node);
    assert_int_equal(ask.code, 0);
    ask_end(&ask);
    wait_ms(s, 1000);
    assert_int_equal(notes(s), 1);
}

static void the_node_wants_to_be_woken_at_a_deadline(void **state)
{
    struct bench *s = *state;
    struct ask late;
    struct ask soon;
    int64_t now = s->world.steady_us;
    start_within(s, &late, REQUEST_CALL, "note.append", ARGS("text=a"), 90);
    start_within(s, &soon, REQUEST_CALL, "note.append", ARGS("text=b"), 30);
    assert_int_equal(node_next_deadline(s->node), now + 30000);
    wait_ms(s, 30);
    assert_true(soon.done);
    assert_false(late.done);
    assert_int_equal(node_next_deadline(s->node), now + 90000);
    wait_ms(s, 60);
    assert_true(late.done);
    ask_end(&soon);
    ask_end(&late);
}

/* It cannot be taken back; its call id tells what became of it. */
static void a_write_under_way_is_written_all_the_same(void **state)
{
    struct bench *s = *state;
    struct ask ask;
    struct ask again;
    char id[2 * NODE_CALL_ID + 1];
    start_within(s, &ask, REQUEST_CALL, "note.append", ARGS("text=a"), 50);
    wait_ms(s, 49);
    assert_false(ask.done);
    wait_ms(s, 1);
    assert_int_equal(ask.code, ATE_ECANCELED);
    for (size_t i = 0; i < NODE_CALL_ID; i++)
        snprintf(id + 2 * i, 3, "%02x", ask.request.call_id[i]);
    assert_non_null(strstr(ask.err.text, "note.append: the deadline of 50 ms"));
    assert_non_null(strstr(ask.err.text, id));
    node_cancel(s->node, &ask.request); /* it has ended */
    node_grant(s->node, &ask.request, 1);
    world_run(&s->world, s->node);
    assert_int_equal(notes(s), 1);
    repeat(s, &ask, &again, ARGS("text=a"));
    assert_int_equal(again.code, 0);
    ask_end(&again);
    repeat(s, &ask, &again, ARGS("text=b"));
    assert_int_equal(again.code, ATE_ECONFLICT);
    ask_end(&again);
    assert_int_equal(notes(s), 1);
    ask_end(&ask);
}

/* The chain has to be opened first, and the disk does not answer. */
static void what_had_not_begun_is_never_done(void **state)
{
    struct bench *s = *state;
    struct ask write;
    struct ask read;
    world_pass(&s->world, s->node, NODE_CHAIN_IDLE_MS + 1);
    world_pass(&s->world, s->node, 1);
    start_within(s, &write, REQUEST_CALL, "note.append", ARGS("text=a"), 10);
    start_within(s, &read, REQUEST_READ, "list", ARGS("type=note"), 10);
    wait_ms(s, 10);
    assert_int_equal(write.code, ATE_ECANCELED);
    assert_int_equal(read.code, ATE_ECANCELED);
    assert_null(strstr(write.err.text, "not known"));
    assert_null(strstr(read.err.text, "not known"));
    ask_end(&write);
    ask_end(&read);
    world_run(&s->world, s->node);
    assert_int_equal(notes(s), 0);
}

static void a_follower_ends_at_its_deadline(void **state)
{
    struct bench *s = *state;
    struct ask ask;
    start_within(s, &ask, REQUEST_READ, "tail", ARGS("follow=true"), 500);
    world_run(&s->world, s->node);
    assert_int_equal(ask.chunk_count, 1);
    assert_false(ask.done);
    wait_ms(s, 500);
    assert_int_equal(ask.code, ATE_ECANCELED);
    size_t told = ask.chunk_count;
    call_ok(&s->world, s->node, "bank", "note.append", ARGS("text=a"));
    assert_int_equal(ask.chunk_count, told);
    ask_end(&ask);
}

static void checking_ends_at_its_deadline(void **state)
{
    struct bench *s = *state;
    struct ask ask;
    start_within(s, &ask, REQUEST_READ, "verify", ARGS(), 20);
    wait_ms(s, 20);
    assert_int_equal(ask.code, ATE_ECANCELED);
    ask_end(&ask);
    world_run(&s->world, s->node);
}

/* One that was begun may be there afterwards, one that waited is not. */
static void creating_has_deadlines_too(void **state)
{
    struct bench *s = *state;
    struct ask first;
    struct ask second;
    struct ask ls;
    ask_begin(s->node, &first, REQUEST_CALL, NULL, "chain.create",
              ARGS("bundle=bin:toy", "name=first"));
    ask_begin(s->node, &second, REQUEST_CALL, NULL, "chain.create",
              ARGS("bundle=bin:toy", "name=second"));
    first.request.deadline_ms = second.request.deadline_ms = 40;
    node_ask(s->node, &first.request);
    node_ask(s->node, &second.request);
    node_flush(s->node);
    wait_ms(s, 40);
    assert_int_equal(first.code, ATE_ECANCELED);
    assert_int_equal(second.code, ATE_ECANCELED);
    assert_non_null(strstr(first.err.text, "not known"));
    ask_end(&first);
    ask_end(&second);
    world_run(&s->world, s->node);
    assert_int_equal(call(&s->world, s->node, &ls, NULL, "chain.ls", ARGS()),
                     0);
    assert_true(contains(&ls.result, "first"));
    assert_false(contains(&ls.result, "second"));
    ask_end(&ls);
}

/* tear_down() stops the node, which waits for the write. */
static void stopping_waits_for_what_was_given_up(void **state)
{
    struct bench *s = *state;
    struct ask ask;
    start_within(s, &ask, REQUEST_CALL, "note.append", ARGS("text=a"), 5);
    wait_ms(s, 5);
    assert_int_equal(ask.code, ATE_ECANCELED);
    ask_end(&ask);
}

static void who_may_only_read_writes_nothing(void **state)
{
    static const struct {
        const char *chain;
        const char *method;
        const char *args[4];
    } writes[] = {
        {"bank", "note.append", {"text=a"}},
        {NULL, "key.new", {"name=bob"}},
        {NULL, "chain.create", {"bundle=bin:toy", "name=x"}},
    };
    struct bench *s = *state;
    struct ask ask;
    for (size_t i = 0; i < sizeof(writes) / sizeof(*writes); i++) {
        ask_begin(s->node, &ask, REQUEST_CALL, writes[i].chain,
                  writes[i].method, writes[i].args);
        ask.request.read_only = true;
        node_ask(s->node, &ask.request);
        world_run(&s->world, s->node);
        assert_int_equal(ask.code, ATE_EUNAVAILABLE);
        assert_non_null(strstr(ask.err.text, "reading only"));
        ask_end(&ask);
    }
    ask_begin(s->node, &ask, REQUEST_READ, "bank", "info", ARGS());
    ask.request.read_only = true;
    node_ask(s->node, &ask.request);
    world_run(&s->world, s->node);
    assert_int_equal(ask.code, 0);
    ask_end(&ask);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_done_in_time_is_answered),
        TEST(the_node_wants_to_be_woken_at_a_deadline),
        TEST(a_write_under_way_is_written_all_the_same),
        TEST(what_had_not_begun_is_never_done),
        TEST(a_follower_ends_at_its_deadline),
        TEST(checking_ends_at_its_deadline),
        TEST(creating_has_deadlines_too),
        TEST(stopping_waits_for_what_was_given_up),
        TEST(who_may_only_read_writes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
