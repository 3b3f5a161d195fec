/* Which chains of a node are open, what is said of those that are not, and what
 * a node sees that reads beside another. */
#define _GNU_SOURCE /* memmem */
#include "fixture_plain.h"

/* ---- what is said of chains ---- */

static void info_names_the_folder(void **state)
{
    struct bench *s = *state;
    struct ask ask;
    assert_int_equal(read_(&s->world, s->node, &ask, "bank", "info", ARGS()),
                     0);
    assert_true(contains(&ask.result, "/data/"));
    assert_true(text_is(&ask.result, "name", "bank"));
    ask_end(&ask);
}

/* A glance sees genesis: the version that is in force it knows while nothing
 * came behind, where another bundle could be. */
static void a_glance_tells_no_version_that_may_be_old(void **state)
{
    struct bench *s = *state;
    for (int i = 0; i < 2; i++) {
        struct ask list;
        if (i == 1)
            note(s, "bank", "x");
        world_pass(&s->world, s->node, NODE_CHAIN_IDLE_MS + 1);
        assert_int_equal(s->node->open_count, 0);
        call(&s->world, s->node, &list, NULL, "chain.ls", ARGS());
        struct buf map = {.data = list.result.data + 1,
                          .len = list.result.len - 1};
        assert_true(text_is(&map, "schema", "toy"));
        assert_int_equal(contains(&list.result, "version"), i == 0);
        ask_end(&list);
    }
}

/* A list says the same of chains that are open and of those that are not. */
static void closed_chains_are_listed_by_a_glance(void **state)
{
    struct bench *s = *state;
    struct ask open;
    struct ask closed;
    note(s, "bank", "x");
    call(&s->world, s->node, &open, NULL, "chain.ls", ARGS());
    world_pass(&s->world, s->node, NODE_CHAIN_IDLE_MS + 1);
    assert_int_equal(s->node->open_count, 0);
    call(&s->world, s->node, &closed, NULL, "chain.ls", ARGS());
    assert_int_equal(s->node->open_count, 0);
    const struct buf *both[] = {&open.result, &closed.result};
    for (int i = 0; i < 2; i++) {
        /* The one map of the list, behind the byte that begins the list. */
        struct buf map = {.data = both[i]->data + 1, .len = both[i]->len - 1};
        assert_true(text_is(&map, "name", "bank"));
        assert_true(text_is(&map, "schema", "toy"));
        assert_int_equal(contains(both[i], "version"), i == 0);
        assert_int_equal(int_at(&map, "size"), 3);
        assert_true(text_is(&map, "state", i == 0 ? "open" : "closed"));
    }
    ask_end(&open);
    ask_end(&closed);
    struct buf *head = head_of(s, "bank");
    head->data[LOG_FRAMES_START] ^= 1;
    call(&s->world, s->node, &closed, NULL, "chain.ls", ARGS());
    assert_true(contains(&closed.result, "damaged"));
    ask_end(&closed);
    head->data[LOG_FRAMES_START] ^= 1;
}

/* ---- opening and closing ---- */

static uint64_t marked(struct bench *s, const char *name)
{
    struct hosted *h = hosted_find(s->node, bytes_of_text(name));
    return chain_log(h->chain)->marked.transactions;
}

static void idle_chains_are_marked_then_closed(void **state)
{
    struct bench *s = *state;
    note(s, "bank", "x");
    assert_int_equal(marked(s, "bank"), 1);
    int64_t deadline = node_next_deadline(s->node);
    assert_int_equal(deadline, s->world.steady_us + NODE_MARK_MS * 1000);
    world_pass(&s->world, s->node, NODE_MARK_MS);
    assert_int_equal(marked(s, "bank"), 3);
    assert_int_equal(s->node->open_count, 1);
    world_pass(&s->world, s->node, NODE_CHAIN_IDLE_MS);
    assert_int_equal(s->node->open_count, 0);
    assert_int_equal(node_next_deadline(s->node), INT64_MAX);
    note(s, "bank", "y");
    assert_int_equal(s->node->open_count, 1);
}

static void few_places_serve_many_chains(void **state)
{
    struct bench *s = *state;
    static const char *const names[] = {"a", "b", "c", "d", "e"};
    struct ask asks[15];
    world_stop(&s->world, s->node);
    s->node = world_node(&s->world, false, 2);
    for (size_t i = 0; i < 5; i++)
        create(&s->world, s->node, names[i]);
    for (size_t i = 0; i < 15; i++)
        start_call(s->node, &asks[i], names[i % 5], "note.append",
                   ARGS("text=x"));
    world_run(&s->world, s->node);
    for (size_t i = 0; i < 15; i++) {
        assert_int_equal(asks[i].code, 0);
        ask_end(&asks[i]);
    }
    assert_in_range(s->node->open_count, 0, 2);
}

/* A reader that never goes on keeps its chain open, and others wait; it cannot
 * keep them for ever, as it can be canceled. */
static void a_place_is_free_when_its_reader_ends(void **state)
{
    struct bench *s = *state;
    struct ask follow;
    struct ask ask;
    world_stop(&s->world, s->node);
    s->node = world_node(&s->world, false, 1);
    start_read(s->node, &follow, "bank", "tail", ARGS("follow=true"));
    world_run(&s->world, s->node);
    start_call(s->node, &ask, NULL, "chain.create",
               ARGS("bundle=bin:toy", "name=other"));
    world_run(&s->world, s->node);
    assert_int_equal(ask.code, 0);
    ask_end(&ask);
    node_cancel(s->node, &follow.request);
    world_run(&s->world, s->node);
    ask_end(&follow);
    call_ok(&s->world, s->node, "other", "note.append", ARGS("text=x"));
    call_ok(&s->world, s->node, "bank", "note.append", ARGS("text=x"));
}

static void stopping_waits_for_calls_and_ends_reads(void **state)
{
    struct bench *s = *state;
    struct ask call_;
    struct ask follow;
    struct ask unopened;
    int code = 1;
    create(&s->world, s->node, "other");
    start_read(s->node, &follow, "bank", "tail", ARGS("follow=true"));
    world_run(&s->world, s->node);
    start_call(s->node, &call_, "bank", "note.append", ARGS("text=x"));
    world_pass(&s->world, s->node, 0);
    world_stop(&s->world, s->node);
    s->node = world_node(&s->world, false, 0);
    assert_int_equal(follow.code, ATE_ECANCELED);
    assert_int_equal(call_.code, 0);
    ask_end(&follow);
    ask_end(&call_);
    start_call(s->node, &call_, "bank", "note.append", ARGS("text=x"));
    start_read(s->node, &unopened, "other", "info", ARGS());
    node_stop(s->node, node_ready, &code);
    world_run(&s->world, s->node);
    assert_int_equal(code, 0);
    assert_int_equal(call_.code, 0);
    assert_int_equal(unopened.code, ATE_ECANCELED);
    ask_end(&call_);
    ask_end(&unopened);
    node_free(s->node);
    s->node = world_node(&s->world, false, 0);
}

/* ---- beside a writer ---- */

static void readers_see_what_the_writer_wrote(void **state)
{
    struct bench *s = *state;
    struct world *w = &s->world;
    struct node *reader = world_node(w, true, 0);
    struct ask ask;
    struct ask follow;
    note(s, "bank", "one");
    assert_int_equal(read_(w, reader, &ask, "bank", "list", ARGS("type=note")),
                     0);
    assert_int_equal(ask.chunk_count, 1);
    ask_end(&ask);
    start_read(reader, &follow, "bank", "tail", ARGS("follow=true"));
    world_run(w, reader);
    size_t told = follow.chunk_count;
    note(s, "bank", "two");
    assert_int_equal(read_(w, reader, &ask, "bank", "list", ARGS("type=note")),
                     0);
    assert_int_equal(ask.chunk_count, 2);
    ask_end(&ask);
    note(s, "bank", "three");
    assert_true(node_next_deadline(reader) <=
                w->steady_us + NODE_POLL_MS * 1000);
    world_pass(w, reader, NODE_POLL_MS);
    assert_int_equal(follow.chunk_count, told + 2);
    /* A chain that is made later, too. */
    create(w, s->node, "later");
    assert_int_equal(read_(w, reader, &ask, "later", "info", ARGS()), 0);
    ask_end(&ask);
    assert_int_equal(
        call(w, reader, &ask, "bank", "note.append", ARGS("text=x")),
        ATE_EUNAVAILABLE);
    ask_end(&ask);
    assert_int_equal(call(w, reader, &ask, NULL, "key.new", ARGS("name=x")),
                     ATE_EUNAVAILABLE);
    ask_end(&ask);
    assert_int_equal(call(w, reader, &ask, NULL, "chain.create",
                          ARGS("bundle=bin:toy", "name=x")),
                     ATE_EUNAVAILABLE);
    ask_end(&ask);
    world_stop(w, reader);
    assert_int_equal(follow.code, ATE_ECANCELED);
    ask_end(&follow);
}

/* The writer cut back what a reader had read: a follower hears of it, and the
 * next read starts afresh. */
static void a_log_that_was_cut_back_is_read_anew(void **state)
{
    struct bench *s = *state;
    struct world *w = &s->world;
    struct ask ask;
    struct ask follow;
    struct buf kept = {0};
    note(s, "bank", "one");
    world_pass(w, s->node, NODE_CHAIN_IDLE_MS + 1);
    buf_put_bytes(&kept, buf_bytes(head_of(s, "bank")));
    note(s, "bank", "two");
    struct node *reader = world_node(w, true, 0);
    start_read(reader, &follow, "bank", "tail", ARGS("follow=true"));
    world_run(w, reader);
    struct buf whole = *head_of(s, "bank");
    *head_of(s, "bank") = kept;
    assert_int_equal(read_(w, reader, &ask, "bank", "list", ARGS("type=note")),
                     0);
    assert_int_equal(ask.chunk_count, 1);
    ask_end(&ask);
    assert_int_equal(follow.code, ATE_ESTALE);
    ask_end(&follow);
    world_stop(w, reader);
    *head_of(s, "bank") = whole;
    buf_deinit(&kept);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(info_names_the_folder),
        TEST(closed_chains_are_listed_by_a_glance),
        TEST(a_glance_tells_no_version_that_may_be_old),
        TEST(idle_chains_are_marked_then_closed),
        TEST(few_places_serve_many_chains),
        TEST(a_place_is_free_when_its_reader_ends),
        TEST(stopping_waits_for_calls_and_ends_reads),
        TEST(readers_see_what_the_writer_wrote),
        TEST(a_log_that_was_cut_back_is_read_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
