/* Both sides of a connection against each other, over a pipe that splits and
 * joins bytes at random. SEED repeats a run. */
#define _GNU_SOURCE /* memmem */
#include "fixture_net.h"

/* ---- the same as without a socket ---- */

static void answers_are_those_of_the_node(void **state)
{
    struct bench *s = *state;
    struct peer p = {0};
    static const struct {
        enum request_kind kind;
        const char *chain;
        const char *method;
        const char *args[3];
    } asks[] = {
        {REQUEST_CALL, NULL, "chain.ls", {NULL}},
        {REQUEST_CALL, NULL, "key.show", {"name=me"}},
        {REQUEST_CALL, NULL, "key.sow", {"name=me"}},
        {REQUEST_READ, "bank", "info", {NULL}},
        {REQUEST_READ, "bank", "list", {"type=note"}},
        {REQUEST_READ, "bank", "tail", {NULL}},
        {REQUEST_CALL, "bank", "note.list", {NULL}},
        {REQUEST_CALL, "bank", "note.appendd", {NULL}},
        {REQUEST_CALL, "bank", "note.append", {"txt=a"}},
        {REQUEST_READ, "bnk", "info", {NULL}},
        {REQUEST_READ, "bank", "verify", {NULL}},
    };
    peer_connect(s, &p);
    call_ok(&s->world, s->node, "bank", "note.append", ARGS("text=a"));
    for (size_t i = 0; i < sizeof(asks) / sizeof(*asks); i++) {
        struct ask here;
        struct ask there;
        ask_begin(s->node, &here, asks[i].kind, asks[i].chain, asks[i].method,
                  asks[i].args);
        node_ask(s->node, &here.request);
        world_run(&s->world, s->node);
        peer_ask(&p, &there, asks[i].kind, asks[i].chain, asks[i].method,
                 asks[i].args);
        run(s, PEERS(&p));
        assert_true(here.done && there.done);
        assert_int_equal(here.code, there.code);
        assert_same(&here.result, &there.result);
        if (strcmp(asks[i].method, "verify") != 0) /* its steps may differ */
            assert_same(&here.chunks, &there.chunks);
        if (here.code != 0)
            assert_string_equal(here.err.text, there.err.text);
        ask_end(&here);
        ask_end(&there);
    }
    peer_deinit(&p);
}

static void a_write_gives_a_receipt(void **state)
{
    struct bench *s = *state;
    struct peer p = {0};
    struct ask ask;
    peer_connect(s, &p);
    peer_ask(&p, &ask, REQUEST_CALL, "bank", "note.append", ARGS("text=a"));
    run(s, PEERS(&p));
    assert_int_equal(ask.code, 0);
    assert_int_equal(int_at(&ask.result, "index"), 2);
    ask_end(&ask);
    peer_deinit(&p);
}

static void a_repeated_call_id_gets_the_stored_answer(void **state)
{
    struct bench *s = *state;
    struct peer p = {0};
    struct ask ask;
    struct ask again;
    struct ask other;
    peer_connect(s, &p);
    peer_ask(&p, &ask, REQUEST_CALL, "bank", "note.append", ARGS("text=a"));
    ask_begin(s->node, &again, REQUEST_CALL, "bank", "note.append",
              ARGS("text=a"));
    ask_begin(s->node, &other, REQUEST_CALL, "bank", "note.append",
              ARGS("text=b"));
    memcpy(again.request.call_id, ask.request.call_id, NODE_CALL_ID);
    memcpy(other.request.call_id, ask.request.call_id, NODE_CALL_ID);
    client_session_ask(p.client, &again.request, ++s->number, 0);
    client_session_ask(p.client, &other.request, ++s->number, 0);
    run(s, PEERS(&p));
    assert_int_equal(ask.code, 0);
    assert_int_equal(again.code, 0);
    assert_int_equal(int_at(&ask.result, "index"),
                     int_at(&again.result, "index"));
    assert_int_equal(other.code, ATE_ECONFLICT);
    ask_end(&ask);
    ask_end(&again);
    ask_end(&other);
    peer_deinit(&p);
}

static void readers_write_nothing(void **state)
{
    struct bench *s = *state;
    struct peer p = {.client = client_session_new(true, no_seed)};
    struct ask write;
    struct ask read;
    peer_connect(s, &p);
    peer_ask(&p, &write, REQUEST_CALL, "bank", "note.append", ARGS("text=a"));
    peer_ask(&p, &read, REQUEST_READ, "bank", "list", ARGS("type=note"));
    run(s, PEERS(&p));
    assert_int_equal(write.code, ATE_EUNAVAILABLE);
    assert_non_null(strstr(write.err.text, "reading only"));
    assert_int_equal(read.code, 0);
    assert_int_equal(read.chunk_count, 0);
    ask_end(&write);
    ask_end(&read);
    peer_deinit(&p);
}

/* ---- many at random ---- */

enum { STORM_PEERS = 3, STORM_CALLS = 120 };

struct storm {
    struct peer peers[STORM_PEERS];
    struct ask asks[STORM_PEERS * STORM_CALLS];
    uint64_t numbers[STORM_PEERS * STORM_CALLS];
    bool follows[STORM_PEERS * STORM_CALLS];
    size_t count;
    size_t appends;
};

static void storm_ask(struct bench *s, struct storm *storm, struct peer *p)
{
    size_t i = storm->count++;
    struct ask *ask = &storm->asks[i];
    char text[50];
    snprintf(text, sizeof(text), "text=note %zu", i);
    storm->follows[i] = false;
    switch (rng_below(&s->rng, 5)) {
    case 0:
        ask_begin(s->node, ask, REQUEST_READ, "bank", "list",
                  ARGS("type=note"));
        break;
    case 1:
        ask_begin(s->node, ask, REQUEST_READ, "bank", "tail",
                  ARGS("follow=true"));
        storm->follows[i] = true;
        break;
    case 2:
        ask_begin(s->node, ask, REQUEST_CALL, "bank", "no.such", ARGS());
        break;
    default:
        ask_begin(s->node, ask, REQUEST_CALL, "bank", "note.append",
                  ARGS(text));
        storm->appends++;
        break;
    }
    ask->request.credit = (uint32_t)rng_below(&s->rng, 4) * 3;
    storm->numbers[i] = ++s->number;
    client_session_ask(p->client, &ask->request, s->number, s->world.steady_us);
}

/* Give every call credit, and let followers go. */
static void storm_settle(struct bench *s, struct storm *storm,
                         struct peer *const *peers)
{
    for (size_t i = 0; i < storm->count; i++) {
        struct peer *p = &storm->peers[i % STORM_PEERS];
        client_session_grant(p->client, storm->numbers[i], 100000);
    }
    run(s, peers);
    for (size_t i = 0; i < storm->count; i++) {
        struct peer *p = &storm->peers[i % STORM_PEERS];
        if (storm->follows[i])
            client_session_cancel(p->client, storm->numbers[i]);
    }
    run(s, peers);
}

static void storm_check(struct bench *s, struct storm *storm)
{
    size_t written = 0;
    for (size_t i = 0; i < storm->count; i++) {
        struct ask *ask = &storm->asks[i];
        assert_true(ask->done);
        if (storm->follows[i]) {
            assert_int_equal(ask->code, ATE_ECANCELED);
        } else if (ask->request.kind == REQUEST_READ) {
            assert_int_equal(ask->code, 0);
        } else if (ask->code == 0) {
            written++;
        } else {
            assert_int_equal(ask->code, ATE_ENOT_FOUND);
        }
        ask_end(ask);
    }
    assert_int_equal(written, storm->appends);
    struct ask all;
    start_read(s->node, &all, "bank", "list", ARGS("type=note"));
    node_grant(s->node, &all.request, 1000000);
    world_run(&s->world, s->node);
    assert_int_equal(all.chunk_count, storm->appends);
    ask_end(&all);
}

static void whatever_the_pipe_does_all_is_answered(void **state)
{
    struct bench *s = *state;
    struct storm *storm = mem_zero(1, sizeof(*storm));
    struct peer *peers[STORM_PEERS + 1] = {0};
    for (size_t i = 0; i < STORM_PEERS; i++) {
        peers[i] = &storm->peers[i];
        peer_connect(s, peers[i]);
    }
    for (size_t i = 0; i < STORM_CALLS; i++) {
        for (size_t k = 0; k < STORM_PEERS; k++)
            storm_ask(s, storm, peers[k]);
        if (rng_below(&s->rng, 10) == 0)
            run(s, peers);
        else if (rng_coin(&s->rng))
            peer_pump(peers[rng_below(&s->rng, STORM_PEERS)]);
    }
    storm_settle(s, storm, peers);
    storm_check(s, storm);
    for (size_t i = 0; i < STORM_PEERS; i++) {
        assert_int_equal(client_session_calls(peers[i]->client), 0);
        peer_deinit(peers[i]);
    }
    mem_free(storm);
}

/* More than the daemon lets be under way: the rest waits at home. */
static void too_many_calls_wait_for_room(void **state)
{
    struct bench *s = *state;
    struct peer p = {0};
    const size_t count = 2 * LIMIT_NET_CALLS + 10;
    struct ask *asks = mem_zero(count, sizeof(*asks));
    peer_connect(s, &p);
    for (size_t i = 0; i < count; i++)
        peer_ask(&p, &asks[i], REQUEST_CALL, NULL, "key.show", ARGS("name=me"));
    run(s, PEERS(&p));
    assert_int_equal(p.lost.code, 0);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(asks[i].code, 0);
        ask_end(&asks[i]);
    }
    mem_free(asks);
    peer_deinit(&p);
}

static void large_arguments_wait_for_room(void **state)
{
    struct bench *s = *state;
    struct peer p = {0};
    enum { COUNT = 8, SIZE = 7 << 20 };
    struct ask asks[COUNT];
    char *arg = mem_alloc(SIZE + 100);
    int len = snprintf(arg, 100, "text=");
    memset(arg + len, 'x', SIZE);
    arg[len + SIZE] = '\0';
    peer_connect(s, &p);
    for (size_t i = 0; i < COUNT; i++)
        peer_ask(&p, &asks[i], REQUEST_CALL, "bank", "note.append", ARGS(arg));
    s->rng.state = 1; /* whole pieces now and then, or it takes for ever */
    run(s, PEERS(&p));
    assert_int_equal(p.lost.code, 0);
    for (size_t i = 0; i < COUNT; i++) {
        assert_int_equal(asks[i].code, ATE_EINVALID); /* 100 bytes at most */
        ask_end(&asks[i]);
    }
    mem_free(arg);
    peer_deinit(&p);
}

static void what_cannot_travel_is_told_at_once(void **state)
{
    struct bench *s = *state;
    struct peer p = {0};
    struct ask ask;
    char *name = mem_zero(1, LIMIT_NET_TEXT + 2);
    memset(name, 'x', LIMIT_NET_TEXT + 1);
    peer_connect(s, &p);
    peer_ask(&p, &ask, REQUEST_READ, name, "info", ARGS());
    assert_int_equal(ask.code, ATE_ELIMIT);
    ask_end(&ask);
    mem_free(name);
    peer_deinit(&p);
}

/* ---- streams ---- */

static void streams_stop_without_credit(void **state)
{
    struct bench *s = *state;
    struct peer p = {0};
    struct ask ask;
    fill(s, 1000);
    peer_connect(s, &p);
    ask_begin(s->node, &ask, REQUEST_READ, "bank", "list", ARGS("type=note"));
    ask.request.credit = 5;
    client_session_ask(p.client, &ask.request, ++s->number, 0);
    run(s, PEERS(&p));
    assert_int_equal(ask.chunk_count, 5);
    client_session_grant(p.client, s->number, 300);
    run(s, PEERS(&p));
    assert_int_equal(ask.chunk_count, 305);
    assert_false(ask.done);
    client_session_grant(p.client, s->number, UINT32_MAX);
    client_session_grant(p.client, s->number, UINT32_MAX);
    run(s, PEERS(&p));
    assert_int_equal(ask.chunk_count, 1000);
    assert_int_equal(ask.code, 0);
    ask_end(&ask);
    peer_deinit(&p);
}

/* Credit is a promise; what counts is what is read. */
static void who_does_not_read_makes_nothing_pile_up(void **state)
{
    enum { ROWS = 5000, ROW_MAX = 500, LISTS = 20 };
    struct bench *s = *state;
    struct peer p = {0};
    struct peer other = {0};
    struct ask lists[LISTS];
    struct ask ask;
    fill(s, ROWS);
    peer_connect(s, &p);
    peer_connect(s, &other);
    run(s, PEERS(&p, &other));
    p.is_stuck = true;
    for (size_t i = 0; i < LISTS; i++) {
        ask_begin(s->node, &lists[i], REQUEST_READ, "bank", "list",
                  ARGS("type=note"));
        lists[i].request.credit = UINT32_MAX;
        client_session_ask(p.client, &lists[i].request, ++s->number, 0);
    }
    run(s, PEERS(&p, &other));
    assert_true(p.to_client.len >= LIMIT_NET_QUEUE);
    assert_true(p.to_client.len <
                LIMIT_NET_QUEUE + 2 * LIMIT_NET_CHUNKS * ROW_MAX);
    peer_ask(&other, &ask, REQUEST_READ, "bank", "info", ARGS());
    run(s, PEERS(&p, &other)); /* nobody else notices */
    assert_int_equal(ask.code, 0);
    ask_end(&ask);
    p.is_stuck = false;
    run(s, PEERS(&p, &other));
    for (size_t i = 0; i < LISTS; i++) {
        assert_int_equal(lists[i].code, 0);
        assert_int_equal(lists[i].chunk_count, ROWS);
        ask_end(&lists[i]);
    }
    peer_deinit(&p);
    peer_deinit(&other);
}

/* Each gets its share, though there are more streams than chunks to share. */
static void many_followers_are_all_told(void **state)
{
    enum { COUNT = LIMIT_NET_CHUNKS + 50 };
    struct bench *s = *state;
    struct peer p = {0};
    struct ask *asks = mem_zero(COUNT, sizeof(*asks));
    peer_connect(s, &p);
    for (size_t i = 0; i < COUNT; i++)
        peer_ask(&p, &asks[i], REQUEST_READ, "bank", "tail",
                 ARGS("follow=true"));
    run(s, PEERS(&p));
    size_t before = asks[0].chunk_count;
    fill(s, 3);
    run(s, PEERS(&p));
    assert_true(asks[0].chunk_count >= before + 3); /* heartbeats come, too */
    for (size_t i = 0; i < COUNT; i++)
        assert_int_equal(asks[i].chunk_count, asks[0].chunk_count);
    peer_break(&p, "gone");
    run(s, PEERS(&p));
    for (size_t i = 0; i < COUNT; i++) {
        assert_int_equal(asks[i].code, ATE_EUNAVAILABLE);
        ask_end(&asks[i]);
    }
    mem_free(asks);
    peer_deinit(&p);
}

/* ---- canceling, leaving ---- */

static void canceling_ends_a_follower(void **state)
{
    struct bench *s = *state;
    struct peer p = {0};
    struct ask ask;
    struct ask unsent;
    peer_connect(s, &p);
    uint64_t number =
        peer_ask(&p, &ask, REQUEST_READ, "bank", "tail", ARGS("follow=true"));
    run(s, PEERS(&p));
    assert_false(ask.done);
    client_session_cancel(p.client, number);
    client_session_cancel(p.client, number);
    run(s, PEERS(&p));
    assert_int_equal(ask.code, ATE_ECANCELED);
    client_session_cancel(p.client, number);
    client_session_grant(p.client, number, 1);
    run(s, PEERS(&p));
    ask_end(&ask);
    peer_break(&p, "gone");
    number = peer_ask(&p, &unsent, REQUEST_READ, "bank", "info", ARGS());
    client_session_cancel(p.client, number);
    assert_int_equal(unsent.code, ATE_ECANCELED);
    ask_end(&unsent);
    peer_deinit(&p);
}

/* What has its place is written; who asks again by its call id is told. */
static void a_caller_that_goes_leaves_its_write(void **state)
{
    struct bench *s = *state;
    struct peer p = {0};
    struct ask write;
    struct ask follow;
    struct ask again;
    peer_connect(s, &p);
    peer_ask(&p, &follow, REQUEST_READ, "bank", "tail", ARGS("follow=true"));
    run(s, PEERS(&p));
    peer_ask(&p, &write, REQUEST_CALL, "bank", "note.append", ARGS("text=a"));
    while (pump_to_server(&p))
        ;
    node_flush(s->node); /* it has its place */
    assert_false(write.done);
    peer_break(&p, "the pipe broke");
    assert_int_equal(write.code, ATE_EUNAVAILABLE);
    assert_non_null(strstr(write.err.text, "note.append: the pipe broke"));
    assert_non_null(strstr(write.err.text, "whether it was written is not"));
    assert_int_equal(follow.code, ATE_EUNAVAILABLE);
    assert_null(strstr(follow.err.text, "whether"));
    world_run(&s->world, s->node);
    peer_connect(s, &p);
    ask_begin(s->node, &again, REQUEST_CALL, "bank", "note.append",
              ARGS("text=a"));
    memcpy(again.request.call_id, write.request.call_id, NODE_CALL_ID);
    client_session_ask(p.client, &again.request, ++s->number, 0);
    run(s, PEERS(&p));
    assert_int_equal(again.code, 0);
    assert_int_equal(int_at(&again.result, "index"), 2);
    ask_end(&write);
    ask_end(&follow);
    ask_end(&again);
    peer_deinit(&p);
}

static void callers_that_go_at_any_moment_leave_nothing(void **state)
{
    struct bench *s = *state;
    struct peer p = {0};
    for (int round = 0; round < 100; round++) {
        struct ask asks[8];
        peer_connect(s, &p);
        for (size_t i = 0; i < 8; i++)
            peer_ask(&p, &asks[i],
                     rng_coin(&s->rng) ? REQUEST_READ : REQUEST_CALL, "bank",
                     rng_coin(&s->rng) ? "tail" : "note.append",
                     ARGS("text=a"));
        for (uint64_t i = rng_below(&s->rng, 10); i > 0; i--)
            peer_pump(&p);
        if (rng_coin(&s->rng))
            node_flush(s->node);
        if (rng_coin(&s->rng))
            world_reap(&s->world);
        peer_break(&p, "gone");
        for (size_t i = 0; i < 8; i++)
            ask_end(&asks[i]);
    }
    peer_deinit(&p);
    world_run(&s->world, s->node);
    assert_int_equal(s->node->asked_count, 0);
}

/* ---- stopping ---- */

static void stopping_answers_writes_and_refuses_calls(void **state)
{
    struct bench *s = *state;
    struct peer p = {0};
    struct ask write;
    struct ask follow;
    struct ask late;
    struct ask unsent;
    struct err why;
    int code = 1;
    peer_connect(s, &p);
    peer_ask(&p, &follow, REQUEST_READ, "bank", "tail", ARGS("follow=true"));
    run(s, PEERS(&p));
    peer_ask(&p, &write, REQUEST_CALL, "bank", "note.append", ARGS("text=a"));
    while (pump_to_server(&p))
        ;
    node_flush(s->node);
    server_session_stop(p.server);
    node_stop(s->node, node_ready, &code);
    peer_ask(&p, &late, REQUEST_CALL, "bank", "note.append", ARGS("text=b"));
    run(s, PEERS(&p));
    assert_int_equal(code, 0);
    assert_int_equal(write.code, 0);
    assert_int_equal(late.code, ATE_EUNAVAILABLE);
    assert_non_null(strstr(late.err.text, "the daemon is stopping"));
    assert_int_equal(follow.code, ATE_EUNAVAILABLE);
    assert_non_null(strstr(follow.err.text, "the daemon is stopping"));
    err_set(&why, ATE_EUNAVAILABLE, "the daemon has stopped");
    server_session_end(p.server, &why, s->world.steady_us);
    peer_ask(&p, &unsent, REQUEST_READ, "bank", "info", ARGS());
    run(s, PEERS(&p));
    assert_null(p.server);
    assert_int_equal(unsent.code, ATE_EUNAVAILABLE);
    assert_non_null(strstr(unsent.err.text, "the daemon has stopped"));
    ask_end(&write);
    ask_end(&follow);
    ask_end(&late);
    ask_end(&unsent);
    peer_deinit(&p);
    node_free(s->node);
    s->node = world_node(&s->world, false, 0);
}

/* ---- deadlines ---- */

static void the_daemon_keeps_deadlines(void **state)
{
    struct bench *s = *state;
    struct peer p = {0};
    struct ask ask;
    peer_connect(s, &p);
    ask_begin(s->node, &ask, REQUEST_READ, "bank", "tail", ARGS("follow=true"));
    ask.request.deadline_ms = 200;
    client_session_ask(p.client, &ask.request, ++s->number, s->world.steady_us);
    run(s, PEERS(&p));
    pass_ms(s, PEERS(&p), 199);
    assert_false(ask.done);
    pass_ms(s, PEERS(&p), 1);
    assert_int_equal(ask.code, ATE_ECANCELED);
    assert_non_null(strstr(ask.err.text, "deadline of 200 ms"));
    pass_ms(s, PEERS(&p), 5000);
    ask_end(&ask);
    peer_deinit(&p);
}

/* The caller does not wait for ever for a daemon that stands still. */
static void callers_keep_deadlines_themselves(void **state)
{
    struct bench *s = *state;
    struct peer p = {0};
    struct ask sent;
    struct ask unsent;
    struct ask next;
    int64_t now = s->world.steady_us;
    peer_connect(s, &p);
    run(s, PEERS(&p));
    ask_begin(s->node, &sent, REQUEST_CALL, "bank", "note.append",
              ARGS("text=a"));
    sent.request.deadline_ms = 200;
    client_session_ask(p.client, &sent.request, ++s->number, now);
    assert_int_equal(client_session_deadline(p.client), now + 200000);
    client_session_tick(p.client, now + 200000);
    assert_false(sent.done); /* the daemon may still say so */
    now += 200000 + LIMIT_NET_GRACE_MS * 1000;
    assert_int_equal(client_session_deadline(p.client), now);
    client_session_tick(p.client, now);
    assert_int_equal(sent.code, ATE_ECANCELED);
    assert_non_null(strstr(sent.err.text, "whether it was written is not"));
    assert_int_equal(client_session_deadline(p.client), INT64_MAX);
    assert_int_equal(client_session_calls(p.client), 0);
    run(s, PEERS(&p)); /* its answer comes, and is nobody's */
    assert_int_equal(p.lost.code, 0);
    peer_break(&p, "gone");
    ask_begin(s->node, &unsent, REQUEST_CALL, "bank", "note.append",
              ARGS("text=a"));
    unsent.request.deadline_ms = 10;
    client_session_ask(p.client, &unsent.request, ++s->number, now);
    client_session_tick(p.client, now + 10000);
    assert_int_equal(unsent.code, ATE_ECANCELED);
    assert_null(strstr(unsent.err.text, "whether"));
    peer_connect(s, &p);
    peer_ask(&p, &next, REQUEST_READ, "bank", "info", ARGS());
    run(s, PEERS(&p));
    assert_int_equal(next.code, 0);
    ask_end(&sent);
    ask_end(&unsent);
    ask_end(&next);
    peer_deinit(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SEEDED(answers_are_those_of_the_node),
        SEEDED(a_write_gives_a_receipt),
        SEEDED(a_repeated_call_id_gets_the_stored_answer),
        SEEDED(readers_write_nothing),
        SEEDED(whatever_the_pipe_does_all_is_answered),
        SEEDED(too_many_calls_wait_for_room),
        SEEDED(large_arguments_wait_for_room),
        SEEDED(what_cannot_travel_is_told_at_once),
        SEEDED(streams_stop_without_credit),
        SEEDED(who_does_not_read_makes_nothing_pile_up),
        SEEDED(many_followers_are_all_told),
        SEEDED(canceling_ends_a_follower),
        SEEDED(a_caller_that_goes_leaves_its_write),
        SEEDED(callers_that_go_at_any_moment_leave_nothing),
        SEEDED(stopping_answers_writes_and_refuses_calls),
        SEEDED(the_daemon_keeps_deadlines),
        SEEDED(callers_keep_deadlines_themselves),
    };
    return run_seeded(tests);
}
