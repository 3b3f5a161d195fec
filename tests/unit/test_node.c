/* A node from the outside: what is asked, what is answered, what stays open. */
#define _GNU_SOURCE /* memmem */
#include "fixture_plain.h"

static void note(struct bench *s, const char *chain, const char *text)
{
    char arg[200];
    snprintf(arg, sizeof(arg), "text=%s", text);
    call_ok(&s->world, s->node, chain, "note.append", ARGS(arg));
}

static struct buf *head_of(struct bench *s, const char *name)
{
    uint8_t id[NAMES_ID_SIZE];
    char folder[LOG_PATH_MAX];
    char path[LOG_PATH_MAX + 8];
    assert_true(names_find(&s->node->names.names, bytes_of_text(name), id));
    log_folder(folder, id);
    snprintf(path, sizeof(path), "%s/1.head", folder);
    struct buf *head = memory_disk_file(s->world.memory, path);
    assert_non_null(head);
    return head;
}

/* ---- creating and naming ---- */

static void creating_makes_keys_and_a_name(void **state)
{
    struct bench *s = *state;
    struct ask ask;
    assert_int_equal(call(&s->world, s->node, &ask, NULL, "chain.ls", ARGS()),
                     0);
    assert_true(contains(&ask.result, "bank"));
    ask_end(&ask);
    assert_int_equal(call(&s->world, s->node, &ask, NULL, "key.ls", ARGS()), 0);
    assert_true(contains(&ask.result, "me"));
    assert_false(contains(&ask.result, "node"));
    ask_end(&ask);
    assert_int_equal(
        call(&s->world, s->node, &ask, NULL, "key.ls", ARGS("all=true")), 0);
    assert_true(contains(&ask.result, "node"));
    ask_end(&ask);
    assert_non_null(memory_disk_file(s->world.memory, "keys/me.key"));
    struct buf *names = memory_disk_file(s->world.memory, "names");
    assert_non_null(names);
    assert_true(contains(names, " bank\n"));
}

/* Only one of two gets the name, though neither was there when both asked. */
static void a_name_is_given_once(void **state)
{
    struct bench *s = *state;
    struct ask one;
    struct ask other;
    start_call(s->node, &one, NULL, "chain.create",
               ARGS("bundle=bin:toy", "name=shop"));
    start_call(s->node, &other, NULL, "chain.create",
               ARGS("bundle=bin:toy2", "name=shop"));
    world_run(&s->world, s->node);
    assert_int_equal(one.code, 0);
    assert_true(text_is(&one.result, "schema", "toy"));
    assert_int_equal(other.code, ATE_ECONFLICT);
    ask_end(&one);
    ask_end(&other);
}

static void what_cannot_be_created_leaves_nothing(void **state)
{
    static const struct {
        const char *args[4];
        int code;
    } cases[] = {
        {{"bundle=bin:no toy", "name=x"}, ATE_ESCRIPT},
        {{"bundle=bin:toy", "name=.x"}, ATE_EINVALID},
        {{"bundle=bin:toy", "name=bank/x"}, ATE_ECONFLICT},
        {{"bundle=bin:toy"}, ATE_EINVALID},
        {{"name=x"}, ATE_EINVALID},
        {{"bundle=bin:toy", "nam=x"}, ATE_EINVALID},
        {{"bundle=bin:toy", "name=x", "version=#4"}, ATE_ECONFLICT},
    };
    struct bench *s = *state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct ask ask;
        int code =
            call(&s->world, s->node, &ask, NULL, "chain.create", cases[i].args);
        if (code != cases[i].code)
            fail_msg("case %zu: %d, %s", i, code, ask.err.text);
        ask_end(&ask);
    }
    struct ask ask;
    assert_int_equal(call(&s->world, s->node, &ask, "x", "note.append", ARGS()),
                     ATE_ENOT_FOUND);
    ask_end(&ask);
}

static void unknown_names_are_suggested(void **state)
{
    struct bench *s = *state;
    struct ask ask;
    assert_int_equal(read_(&s->world, s->node, &ask, "bnak", "info", ARGS()),
                     ATE_ENOT_FOUND);
    assert_non_null(strstr(ask.err.text, "did you mean 'bank'"));
    ask_end(&ask);
    assert_int_equal(read_(&s->world, s->node, &ask, "bank", "inof", ARGS()),
                     ATE_ENOT_FOUND);
    assert_non_null(strstr(ask.err.text, "did you mean 'info'"));
    ask_end(&ask);
    assert_int_equal(call(&s->world, s->node, &ask, NULL, "chain.lss", ARGS()),
                     ATE_ENOT_FOUND);
    assert_non_null(strstr(ask.err.text, "did you mean 'chain.ls'"));
    ask_end(&ask);
    assert_int_equal(
        call(&s->world, s->node, &ask, "bank", "note.appendd", ARGS()),
        ATE_ENOT_FOUND);
    ask_end(&ask);
}

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

static void unknown_keys_do_not_sign(void **state)
{
    struct bench *s = *state;
    struct ask ask;
    ask_begin(s->node, &ask, REQUEST_CALL, "bank", "note.append",
              ARGS("text=a"));
    ask.request.as = bytes_of_text("mee");
    node_ask(s->node, &ask.request);
    world_run(&s->world, s->node);
    assert_int_equal(ask.code, ATE_ENOT_FOUND);
    assert_non_null(strstr(ask.err.text, "did you mean 'me'"));
    ask_end(&ask);
}

/* Whose key is only known by its public part orders elsewhere. */
static void a_public_key_does_not_order(void **state)
{
    struct bench *s = *state;
    struct ask ask;
    call_ok(&s->world, s->node, NULL, "key.add",
            ARGS("name=other", "public=ate-pub 1\n"
                               "sign f7be307e0bdc99cfddb7e9d310125fb9"
                               "d323e31fbf570f6bad081244eea80b26\n"
                               "box cde4409b6a17310ec784b8c6beb7f391"
                               "7313d10496b08146132daa8301f2645a\n"));
    note(s, "bank", "one");
    call_ok(&s->world, s->node, "bank", "ate.order", ARGS("to=other"));
    assert_int_equal(
        call(&s->world, s->node, &ask, "bank", "note.append", ARGS("text=two")),
        ATE_EUNAVAILABLE);
    assert_non_null(strstr(ask.err.text, "does not hold"));
    ask_end(&ask);
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

/* Of ten calls the first five are written while the others are worked; they
 * keep their order. */
static void half_of_what_waits_is_worked_at_a_time(void **state)
{
    enum { CALLS = 10 };
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
    assert_true(node_flush(s->node)); /* 5 */
    assert_int_equal(s->world.writes, writes + 1);
    assert_true(node_flush(s->node)); /* 3, behind the group under way */
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

/* ---- keys that were lost, or are open ---- */

/* Whoever writes under a new key is somebody else to the chains. */
static void me_is_made_only_where_nothing_is(void **state)
{
    struct bench *s = *state;
    struct world *w = &s->world;
    struct ask ask;
    struct buf kept = {0};
    call_ok(w, s->node, NULL, "key.new", ARGS("name=bob"));
    world_stop(w, s->node);
    buf_put_bytes(&kept, buf_bytes(memory_disk_file(w->memory, "keys/me.key")));
    memory_disk_remove(w->memory, "keys/me.key");
    s->node = world_node(w, false, 0);
    assert_int_equal(
        call(w, s->node, &ask, "bank", "note.append", ARGS("text=x")),
        ATE_ENOT_FOUND);
    assert_non_null(strstr(ask.err.text, "put keys/me.key back"));
    assert_non_null(strstr(ask.err.text, "(there are: bob)"));
    ask_end(&ask);
    assert_int_equal(call(w, s->node, &ask, NULL, "chain.create",
                          ARGS("bundle=bin:toy", "name=new")),
                     ATE_ENOT_FOUND);
    ask_end(&ask);
    assert_int_equal(read_(w, s->node, &ask, "bank", "list", ARGS("type=note")),
                     0);
    ask_end(&ask);
    assert_null(memory_disk_file(w->memory, "keys/me.key"));
    world_stop(w, s->node);
    memory_disk_put(w->memory, "keys/me.key", buf_bytes(&kept));
    s->node = world_node(w, false, 0);
    note(s, "bank", "x");
    buf_deinit(&kept);
}

static void open_keys_sign_nothing(void **state)
{
    struct bench *s = *state;
    struct world *w = &s->world;
    struct ask ask;
    static const char *const files[] = {"keys/me.key", "keys/node.key"};
    for (size_t i = 0; i < 2; i++) {
        world_stop(w, s->node);
        memory_disk_chmod(w->memory, files[i], 0644);
        s->node = world_node(w, false, 0);
        assert_int_equal(
            call(w, s->node, &ask, "bank", "note.append", ARGS("text=x")),
            ATE_EDENIED);
        assert_non_null(strstr(ask.err.text, "chmod 600 '/data/keys/"));
        assert_non_null(strstr(ask.err.text, files[i]));
        ask_end(&ask);
        assert_int_equal(call(w, s->node, &ask, NULL, "chain.create",
                              ARGS("bundle=bin:toy", "name=new")),
                         ATE_EDENIED);
        ask_end(&ask);
        assert_int_equal(
            read_(w, s->node, &ask, "bank", "list", ARGS("type=note")), 0);
        ask_end(&ask);
        assert_int_equal(call(w, s->node, &ask, "bank", "note.list", ARGS()),
                         0);
        ask_end(&ask);
        memory_disk_chmod(w->memory, files[i], 0600);
    }
    world_stop(w, s->node);
    s->node = world_node(w, false, 0);
    note(s, "bank", "x");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(creating_makes_keys_and_a_name),
        TEST(a_name_is_given_once),
        TEST(what_cannot_be_created_leaves_nothing),
        TEST(unknown_names_are_suggested),
        TEST(calls_before_one_flush_are_one_group),
        TEST(a_repeated_call_id_gets_the_first_answer),
        TEST(unknown_keys_do_not_sign),
        TEST(a_public_key_does_not_order),
        TEST(me_is_made_only_where_nothing_is),
        TEST(open_keys_sign_nothing),
        TEST(arguments_have_to_be_a_map),
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
        TEST(info_names_the_folder),
        TEST(closed_chains_are_listed_by_a_glance),
        TEST(a_glance_tells_no_version_that_may_be_old),
        TEST(idle_chains_are_marked_then_closed),
        TEST(few_places_serve_many_chains),
        TEST(a_place_is_free_when_its_reader_ends),
        TEST(stopping_waits_for_calls_and_ends_reads),
        TEST(info_leaves_the_state_out),
        TEST(verify_comes_to_what_is_there),
        TEST(a_flipped_byte_is_found),
        TEST(a_node_that_gives_up_tells_no_half_truth),
        TEST(a_log_that_lost_its_end_is_found),
        TEST(checking_can_be_canceled),
        TEST(readers_see_what_the_writer_wrote),
        TEST(a_log_that_was_cut_back_is_read_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
