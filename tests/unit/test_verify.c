/* Checking a chain of a node: what it comes to, and damage that it finds. */
#define _GNU_SOURCE /* memmem */
#include "fixture_plain.h"

/* ---- checking ---- */

/* It takes a walk over all of it. */
static void info_leaves_the_state_out(void **state)
{
    struct bench *s = *state;
    struct ask ask;
    note(s, "bank", "x");
    assert_int_equal(read_(&s->world, s->node, &ask, "bank", "info", ARGS()),
                     0);
    assert_false(contains(&ask.result, "state_root"));
    assert_false(contains(&ask.result, "objects"));
    ask_end(&ask);
    assert_int_equal(
        read_(&s->world, s->node, &ask, "bank", "info", ARGS("state=maybe")),
        ATE_EINVALID);
    ask_end(&ask);
}

static void verify_comes_to_what_is_there(void **state)
{
    struct bench *s = *state;
    struct ask info;
    struct ask ask;
    for (int i = 0; i < 3; i++)
        note(s, "bank", "x");
    read_(&s->world, s->node, &info, "bank", "info", ARGS("state=true"));
    assert_int_equal(int_at(&info.result, "objects"), 3);
    assert_int_equal(read_(&s->world, s->node, &ask, "bank", "verify", ARGS()),
                     0);
    assert_true(same_text(&info.result, "root", &ask.result, "root"));
    assert_true(same_text(&info.result, "state_root", &ask.result, "state"));
    assert_int_equal(int_at(&ask.result, "transactions"), 5);
    ask_end(&ask);
    /* The same when nothing is open. */
    world_pass(&s->world, s->node, NODE_CHAIN_IDLE_MS + 1);
    assert_int_equal(s->node->open_count, 0);
    assert_int_equal(read_(&s->world, s->node, &ask, "bank", "verify", ARGS()),
                     0);
    assert_true(same_text(&info.result, "root", &ask.result, "root"));
    assert_int_equal(s->node->open_count, 0);
    ask_end(&ask);
    ask_end(&info);
}

static void a_flipped_byte_is_found(void **state)
{
    struct bench *s = *state;
    struct ask ask;
    note(s, "bank", "x");
    world_pass(&s->world, s->node, NODE_MARK_MS);
    struct buf *head = head_of(s, "bank");
    head->data[head->len - 40] ^= 1;
    assert_int_equal(read_(&s->world, s->node, &ask, "bank", "verify", ARGS()),
                     ATE_ECORRUPT);
    assert_non_null(strstr(ask.err.text, "chain bank"));
    assert_non_null(strstr(ask.err.text, "1.head"));
    ask_end(&ask);
    /* What was read before it was damaged is still told. */
    assert_int_equal(read_(&s->world, s->node, &ask, "bank", "info", ARGS()),
                     0);
    assert_true(text_is(&ask.result, "state", "open"));
    ask_end(&ask);
    /* Opened again it is readable up to the damage, and takes nothing. */
    world_pass(&s->world, s->node, NODE_CHAIN_IDLE_MS + 1);
    assert_int_equal(read_(&s->world, s->node, &ask, "bank", "info", ARGS()),
                     0);
    assert_true(text_is(&ask.result, "state", "damaged"));
    ask_end(&ask);
    assert_int_equal(
        call(&s->world, s->node, &ask, "bank", "note.append", ARGS("text=x")),
        ATE_ECORRUPT);
    ask_end(&ask);
    head->data[head->len - 40] ^= 1;
}

/* What could not be judged again is not told as if it were all there is. */
static void a_node_that_gives_up_tells_no_half_truth(void **state)
{
    struct bench *s = *state;
    struct ask ask;
    call_ok(&s->world, s->node, NULL, "chain.create",
            ARGS("bundle=bin:tired", "name=slow"));
    call_ok(&s->world, s->node, "slow", "note.append", ARGS("text=x"));
    world_pass(&s->world, s->node, NODE_CHAIN_IDLE_MS + 1);
    assert_int_equal(
        read_(&s->world, s->node, &ask, "slow", "list", ARGS("type=note")),
        ATE_EUNAVAILABLE);
    assert_non_null(strstr(ask.err.text, "chain slow"));
    assert_non_null(strstr(ask.err.text, "is tired"));
    ask_end(&ask);
    assert_int_equal(
        call(&s->world, s->node, &ask, "slow", "note.append", ARGS("text=y")),
        ATE_EUNAVAILABLE);
    ask_end(&ask);
    assert_int_equal(read_(&s->world, s->node, &ask, "slow", "info", ARGS()),
                     0);
    ask_end(&ask);
    assert_int_equal(read_(&s->world, s->node, &ask, "slow", "verify", ARGS()),
                     ATE_EUNAVAILABLE);
    ask_end(&ask);
}

/* However far the chain in use has gone on since. */
static void a_log_that_lost_its_end_is_found(void **state)
{
    struct bench *s = *state;
    struct ask ask;
    struct buf kept = {0};
    note(s, "bank", "x");
    world_pass(&s->world, s->node, NODE_CHAIN_IDLE_MS + 1);
    buf_put_bytes(&kept, buf_bytes(head_of(s, "bank")));
    note(s, "bank", "told to somebody");
    world_pass(&s->world, s->node, NODE_MARK_MS);
    struct buf *head = head_of(s, "bank");
    struct buf whole = *head;
    *head = kept;
    assert_int_equal(read_(&s->world, s->node, &ask, "bank", "verify", ARGS()),
                     ATE_ECORRUPT);
    assert_non_null(strstr(ask.err.text, "the log ends at size"));
    ask_end(&ask);
    *head = whole;
    buf_deinit(&kept);
}

static void checking_can_be_canceled(void **state)
{
    struct bench *s = *state;
    struct ask ask;
    start_read(s->node, &ask, "bank", "verify", ARGS());
    node_flush(s->node);
    node_cancel(s->node, &ask.request);
    node_flush(s->node);
    assert_true(ask.done);
    assert_int_equal(ask.code, ATE_ECANCELED);
    world_run(&s->world, s->node);
    assert_true(ring_is_empty(&s->node->verifying));
    ask_end(&ask);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(info_leaves_the_state_out),
        TEST(verify_comes_to_what_is_there),
        TEST(a_flipped_byte_is_found),
        TEST(a_node_that_gives_up_tells_no_half_truth),
        TEST(a_log_that_lost_its_end_is_found),
        TEST(checking_can_be_canceled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
