/* Calls and reads, asked of a node: grouped, in turn, canceled. */
#define _GNU_SOURCE /* memmem */
#include "fixture_plain.h"

/* ---- calls ---- */

/* A few calls that come in together are one group: they get one root, and the
 * header file is written once. */
static void calls_before_one_flush_are_one_group(void **state)
{
    struct bench *s = *state;
    struct ask asks[3];
    note(s, "bank", "first");
    size_t writes = s->world.writes;
    for (size_t i = 0; i < 3; i++)
        start_call(s->node, &asks[i], "bank", "note.append", ARGS("text=x"));
    world_run(&s->world, s->node);
    assert_int_equal(s->world.writes, writes + 1);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(asks[i].code, 0);
        assert_true(
            same_text(&asks[0].result, "root", &asks[i].result, "root"));
        assert_int_equal(int_at(&asks[i].result, "index"),
                         int_at(&asks[0].result, "index") + (int64_t)i);
        assert_int_equal(int_at(&asks[i].result, "gas"), 7);
    }
    for (size_t i = 0; i < 3; i++)
        ask_end(&asks[i]);
}

static void a_repeated_call_id_gets_the_first_answer(void **state)
{
    struct bench *s = *state;
    struct ask one;
    struct ask again;
    struct ask other;
    call(&s->world, s->node, &one, "bank", "note.append", ARGS("text=a"));
    ask_begin(s->node, &again, REQUEST_CALL, "bank", "note.append",
              ARGS("text=a"));
    memcpy(again.request.call_id, one.request.call_id, NODE_CALL_ID);
    node_ask(s->node, &again.request);
    ask_begin(s->node, &other, REQUEST_CALL, "bank", "note.append",
              ARGS("text=b"));
    memcpy(other.request.call_id, one.request.call_id, NODE_CALL_ID);
    node_ask(s->node, &other.request);
    world_run(&s->world, s->node);
    assert_int_equal(again.code, 0);
    assert_int_equal(int_at(&again.result, "index"),
                     int_at(&one.result, "index"));
    assert_true(same_text(&one.result, "result", &again.result, "result"));
    assert_int_equal(other.code, ATE_ECONFLICT);
    ask_end(&one);
    ask_end(&again);
    ask_end(&other);
}

static void arguments_have_to_be_a_map(void **state)
{
    struct bench *s = *state;
    struct ask ask;
    ask_begin(s->node, &ask, REQUEST_CALL, "bank", "note.append", ARGS());
    ask.request.args = bytes_of("\x01", 1);
    node_ask(s->node, &ask.request);
    assert_int_equal(ask.code, ATE_EINVALID);
    ask_end(&ask);
    ask_begin(s->node, &ask, REQUEST_CALL, "bank", "note.append", ARGS());
    ask.request.args = bytes_of("\xc1", 1);
    node_ask(s->node, &ask.request);
    assert_int_equal(ask.code, ATE_EINVALID);
    ask_end(&ask);
}

static void texts_have_to_be_utf8(void **state)
{
    struct bench *s = *state;
    struct ask ask;
    assert_int_equal(
        read_(&s->world, s->node, &ask, "bank", "list", ARGS("type=bin:\xff")),
        ATE_EINVALID);
    assert_non_null(strstr(ask.err.text, "'type' is not UTF-8"));
    ask_end(&ask);
}

/* A full disk fails the call and nothing else: the chain is opened again by the
 * next one. */
static void a_full_disk_is_survived(void **state)
{
    struct bench *s = *state;
    struct ask ask;
    struct ask follow;
    note(s, "bank", "before");
    start_read(s->node, &follow, "bank", "tail", ARGS("follow=true"));
    world_run(&s->world, s->node);
    s->world.full = true;
    assert_int_equal(
        call(&s->world, s->node, &ask, "bank", "note.append", ARGS("text=no")),
        ATE_EFULL);
    ask_end(&ask);
    assert_int_equal(follow.code, ATE_EFULL); /* what it read from is gone */
    ask_end(&follow);
    s->world.full = false;
    note(s, "bank", "after");
    assert_int_equal(
        read_(&s->world, s->node, &ask, "bank", "list", ARGS("type=note")), 0);
    assert_int_equal(ask.chunk_count, 2);
    assert_false(contains(&ask.chunks, "\xa2no"));
    ask_end(&ask);
}

/* What was placed behind a group that found no room fails with it, and keeps
 * nobody from opening the chain again. */
static void a_full_disk_fails_what_waits_behind(void **state)
{
    struct bench *s = *state;
    struct ask first;
    struct ask second;
    note(s, "bank", "before");
    s->world.full = true;
    ask_begin(s->node, &first, REQUEST_CALL, "bank", "note.append",
              ARGS("text=no"));
    node_ask(s->node, &first.request);
    node_flush(s->node); /* its group is under way */
    assert_false(first.done);
    ask_begin(s->node, &second, REQUEST_CALL, "bank", "note.append",
              ARGS("text=nor this"));
    node_ask(s->node, &second.request);
    node_flush(s->node);
    assert_false(second.done);
    world_run(&s->world, s->node);
    assert_int_equal(first.code, ATE_EFULL);
    assert_int_equal(second.code, ATE_EFULL);
    ask_end(&first);
    ask_end(&second);
    s->world.full = false;
    note(s, "bank", "after");
}

/* Of many calls the first half is written while the others are worked, which
 * are cut in halves, too, until they are few; they keep their order. */
static void half_of_what_waits_is_worked_at_a_time(void **state)
{
    enum { CALLS = 24 };
    struct bench *s = *state;
    struct ask asks[CALLS];
    size_t writes;
    note(s, "bank", "before");
    for (int i = 0; i < CALLS; i++) {
        ask_begin(s->node, &asks[i], REQUEST_CALL, "bank", "note.append",
                  ARGS("text=one of many"));
        node_ask(s->node, &asks[i].request);
    }
    writes = s->world.writes;
    assert_true(node_flush(s->node)); /* 12 */
    assert_int_equal(s->world.writes, writes + 1);
    assert_true(node_flush(s->node)); /* 6, behind the group under way */
    assert_false(node_flush(s->node));
    assert_int_equal(s->world.writes, writes + 1);
    world_reap(&s->world);
    for (int i = 0; i < CALLS; i++)
        assert_int_equal(asks[i].done, i < CALLS / 2);
    world_run(&s->world, s->node);
    for (int i = 0; i < CALLS; i++) {
        assert_true(asks[i].done);
        assert_int_equal(asks[i].code, 0);
        ask_end(&asks[i]);
    }
}

/* A call that is canceled before its half comes is not begun. */
static void what_waits_for_its_half_can_be_canceled(void **state)
{
    enum { CALLS = 8 };
    struct bench *s = *state;
    struct ask asks[CALLS];
    note(s, "bank", "before");
    for (int i = 0; i < CALLS; i++) {
        ask_begin(s->node, &asks[i], REQUEST_CALL, "bank", "note.append",
                  ARGS("text=one of many"));
        node_ask(s->node, &asks[i].request);
    }
    assert_true(node_flush(s->node));
    node_cancel(s->node, &asks[CALLS - 1].request);
    world_run(&s->world, s->node);
    for (int i = 0; i < CALLS; i++) {
        assert_true(asks[i].done);
        assert_int_equal(asks[i].code, i < CALLS - 1 ? 0 : ATE_ECANCELED);
        ask_end(&asks[i]);
    }
}

/* ---- reads ---- */

static void default_reads_can_be_called(void **state)
{
    struct bench *s = *state;
    struct ask ask;
    note(s, "bank", "one");
    note(s, "bank", "two");
    assert_int_equal(
        call(&s->world, s->node, &ask, "bank", "note.list", ARGS("limit=#1")),
        0);
    assert_int_equal(ask.chunk_count, 1);
    ask_end(&ask);
    assert_int_equal(
        call(&s->world, s->node, &ask, "bank", "note.get", ARGS("id=2.0")), 0);
    assert_true(text_is(&ask.result, "id", "2.0"));
    ask_end(&ask);
    assert_int_equal(
        call(&s->world, s->node, &ask, "bank", "note.get", ARGS("idd=2.0")),
        ATE_EINVALID);
    ask_end(&ask);
    assert_int_equal(call(&s->world, s->node, &ask, "bank", "note.get", ARGS()),
                     ATE_EINVALID);
    ask_end(&ask);
}

enum { LONG = 100 }; /* notes: far more than the steps of a turn */

/* From now on reads are cut at each look at the clock but the first. */
static void make_reads_long(struct bench *s)
{
    for (int i = 0; i < LONG; i++)
        note(s, "bank", "one of many");
    s->world.look_us = LINE_SLICE_US;
}

/* Calls are asked and written between the turns of a read that takes long. */
static void calls_get_their_turn_beside_long_reads(void **state)
{
    enum { READS = 4 };
    struct bench *s = *state;
    struct ask reads[READS];
    struct ask write;
    make_reads_long(s);
    for (int i = 0; i < READS; i++)
        start_read(s->node, &reads[i], "bank", "list", ARGS("type=note"));
    assert_true(node_flush(s->node));
    start_call(s->node, &write, "bank", "note.append", ARGS("text=between"));
    for (int i = 0; i < 3; i++) { /* it is placed, written, told */
        node_tick(s->node, s->world.wall_ms, s->world.steady_us);
        assert_true(node_flush(s->node));
        world_reap(&s->world);
    }
    assert_true(write.done);
    assert_int_equal(write.code, 0);
    world_run(&s->world, s->node);
    for (int i = 0; i < READS; i++) {
        assert_int_equal(reads[i].code, 0);
        assert_in_range(reads[i].chunk_count, LONG, LONG + 1);
        ask_end(&reads[i]);
    }
    ask_end(&write);
}

/* Neither a deadline nor a cancel waits for the read's end. */
static void a_long_read_can_be_ended(void **state)
{
    struct bench *s = *state;
    struct ask asks[2];
    make_reads_long(s);
    for (int i = 0; i < 2; i++) {
        ask_begin(s->node, &asks[i], REQUEST_READ, "bank", "list",
                  ARGS("type=note"));
        asks[i].request.deadline_ms = i == 0 ? 5 : 0;
        node_ask(s->node, &asks[i].request);
    }
    assert_true(node_flush(s->node));
    s->world.steady_us += 5000;
    node_tick(s->node, s->world.wall_ms, s->world.steady_us);
    node_cancel(s->node, &asks[1].request);
    assert_false(node_flush(s->node)); /* nothing is left of them */
    for (int i = 0; i < 2; i++) {
        assert_true(asks[i].done);
        assert_int_equal(asks[i].code, ATE_ECANCELED);
        assert_in_range(asks[i].chunk_count, 1, LONG - 1);
        ask_end(&asks[i]);
    }
}

/* Who stops does not wait for it, either. */
static void stopping_ends_a_long_read(void **state)
{
    struct bench *s = *state;
    struct ask ask;
    make_reads_long(s);
    start_read(s->node, &ask, "bank", "list", ARGS("type=note"));
    assert_true(node_flush(s->node));
    world_stop(&s->world, s->node);
    assert_true(ask.done);
    assert_int_equal(ask.code, ATE_ECANCELED);
    ask_end(&ask);
    s->node = world_node(&s->world, false, 0);
}

static void output_stops_without_credit(void **state)
{
    struct bench *s = *state;
    struct ask ask;
    for (int i = 0; i < 5; i++)
        note(s, "bank", "x");
    ask_begin(s->node, &ask, REQUEST_READ, "bank", "list", ARGS("type=note"));
    ask.request.credit = 2;
    node_ask(s->node, &ask.request);
    world_run(&s->world, s->node);
    assert_int_equal(ask.chunk_count, 2);
    assert_false(ask.done);
    node_grant(s->node, &ask.request, 2);
    world_run(&s->world, s->node);
    assert_int_equal(ask.chunk_count, 4);
    node_grant(s->node, &ask.request, 10);
    world_run(&s->world, s->node);
    assert_int_equal(ask.chunk_count, 5);
    assert_int_equal(ask.code, 0);
    ask_end(&ask);
}

static void followers_are_told_until_they_cancel(void **state)
{
    struct bench *s = *state;
    struct ask ask;
    start_read(s->node, &ask, "bank", "tail", ARGS("follow=true"));
    world_run(&s->world, s->node);
    assert_int_equal(ask.chunk_count, 1); /* genesis */
    note(s, "bank", "hello");
    assert_int_equal(ask.chunk_count, 3); /* a heartbeat, too */
    assert_true(contains(&ask.chunks, "hello"));
    assert_false(ask.done);
    node_cancel(s->node, &ask.request);
    world_run(&s->world, s->node);
    assert_int_equal(ask.code, ATE_ECANCELED);
    node_cancel(s->node, &ask.request); /* nobody is asked any more */
    ask_end(&ask);
}

static void what_waits_for_its_chain_can_be_canceled(void **state)
{
    struct bench *s = *state;
    struct ask ask;
    struct ask other;
    world_pass(&s->world, s->node, NODE_CHAIN_IDLE_MS + 1);
    assert_int_equal(s->node->open_count, 0);
    start_call(s->node, &ask, "bank", "note.append", ARGS("text=never"));
    start_call(s->node, &other, "bank", "note.append", ARGS("text=x"));
    node_cancel(s->node, &ask.request);
    world_run(&s->world, s->node);
    assert_int_equal(ask.code, ATE_ECANCELED);
    assert_int_equal(other.code, 0);
    ask_end(&ask);
    ask_end(&other);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(calls_before_one_flush_are_one_group),
        TEST(a_repeated_call_id_gets_the_first_answer),
        TEST(arguments_have_to_be_a_map),
        TEST(texts_have_to_be_utf8),
        TEST(a_full_disk_is_survived),
        TEST(a_full_disk_fails_what_waits_behind),
        TEST(half_of_what_waits_is_worked_at_a_time),
        TEST(what_waits_for_its_half_can_be_canceled),
        TEST(default_reads_can_be_called),
        TEST(calls_get_their_turn_beside_long_reads),
        TEST(a_long_read_can_be_ended),
        TEST(stopping_ends_a_long_read),
        TEST(output_stops_without_credit),
        TEST(followers_are_told_until_they_cancel),
        TEST(what_waits_for_its_chain_can_be_canceled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
