/* Callers, and daemons, that say what they must not, or nothing. SEED repeats a
 * run. */
#define _GNU_SOURCE /* memmem */
#include "fixture_net.h"

/* ---- who says what he must not ---- */

/* A caller that is only bytes. */
static void raw_begin(struct bench *s, struct peer *p, bool says_hello)
{
    struct buf hello = {0};
    struct net_hello h = {.version = NET_VERSION};
    *p = (struct peer){.bench = s};
    p->server = server_session_new(&s->env, p, no_seed, s->world.steady_us);
    if (!says_hello)
        return;
    net_hello_put(&hello, &h);
    server_session_input(p->server, buf_bytes(&hello), s->world.steady_us);
    buf_deinit(&hello);
}

/* What was said, and whether the last of it is a last word. */
static bool raw_last_word(struct bench *s, struct peer *p, struct err *word)
{
    struct buf out = {0};
    struct net_frame frame = {.kind = NET_HELLO};
    struct err err;
    struct bytes value;
    *word = (struct err){0};
    server_session_output(p->server, &out, s->world.steady_us);
    server_session_wrote(p->server, out.len, s->world.steady_us);
    struct bytes in = buf_bytes(&out);
    while (in.len > 0)
        assert_int_equal(net_frame_next(&in, LIMIT_NET_ANSWER, &frame, &err),
                         1);
    bool is_last = frame.kind == NET_ANSWER && frame.call == 0;
    if (is_last)
        assert_int_equal(net_answer_get(&frame, word, &value, &err), 0);
    buf_deinit(&out);
    return is_last;
}

static void raw_end(struct bench *s, struct peer *p)
{
    server_session_leave(p->server);
    world_run(&s->world, s->node);
}

static void put_call(struct buf *out, uint64_t number)
{
    struct node_request r = {.kind = REQUEST_READ,
                             .chain = bytes_of_text("bank"),
                             .method = bytes_of_text("tail"),
                             .args = bytes_of("\x81\xa6"
                                              "follow\xc3",
                                              9)};
    net_call_put(out, number, &r);
}

static void assert_dropped(struct bench *s, struct buf *raw, bool says_hello,
                           int code, const char *text)
{
    struct peer p;
    struct err word;
    raw_begin(s, &p, says_hello);
    for (size_t at = 0; at < raw->len;) { /* in pieces */
        size_t len = some_of(s, raw->len - at);
        server_session_input(p.server, bytes_of(raw->data + at, len),
                             s->world.steady_us);
        at += len;
    }
    node_flush(s->node);
    if (!raw_last_word(s, &p, &word))
        fail_msg("%s: nothing was said", text);
    if (word.code != code || strstr(word.text, text) == NULL)
        fail_msg("%s: %d %s", text, word.code, word.text);
    assert_int_equal(server_session_fate(p.server), SESSION_ENDS);
    server_session_input(p.server, bytes_of("more", 4), s->world.steady_us);
    raw_end(s, &p);
    buf_clear(raw);
}

static void malformed_callers_are_told_and_dropped(void **state)
{
    struct bench *s = *state;
    struct buf raw = {0};
    struct net_hello hello = {.version = NET_VERSION + 1};
    struct err err;

    buf_put_text(&raw, "GET / HTTP/1.1\r\n\r\n");
    assert_dropped(s, &raw, false, ATE_ELIMIT, "at most 287 bytes here");
    put_call(&raw, 1);
    assert_dropped(s, &raw, false, ATE_EINVALID, "has to be HELLO");
    net_hello_put(&raw, &hello);
    assert_dropped(s, &raw, false, ATE_EINVALID, "you speak version 4");
    hello.version = NET_VERSION;
    net_hello_put(&raw, &hello);
    raw.data[NET_FRAME_HEAD] = 'X';
    assert_dropped(s, &raw, false, ATE_EINVALID, "not ATECALL");
    net_hello_put(&raw, &hello);
    assert_dropped(s, &raw, true, ATE_EINVALID, "kind 1 is not for");
    net_data_put(&raw, 1, bytes_of("\xc0", 1));
    assert_dropped(s, &raw, true, ATE_EINVALID, "kind 3 is not for");
    net_answer_put(&raw, 1, 0, &err, bytes_of("\xc0", 1));
    assert_dropped(s, &raw, true, ATE_EINVALID, "kind 5 is not for");
    buf_put(&raw, "\x0c\0\0\0\2", 5);
    assert_dropped(s, &raw, true, ATE_EINVALID, "at least 13 bytes");
    buf_put(&raw, "\x0d\0\0\0\x63", 5);
    assert_dropped(s, &raw, true, ATE_EINVALID, "no frame of kind 99");
    buf_put(&raw, "\0\0\0\x7f\2", 5);
    assert_dropped(s, &raw, true, ATE_ELIMIT, "a frame has at most");
    put_call(&raw, 1);
    put_le32(raw.data, 30);
    assert_dropped(s, &raw, true, ATE_EINVALID, "CALL: its fields");
    put_call(&raw, 1);
    put_call(&raw, 1);
    assert_dropped(s, &raw, true, ATE_EINVALID, "call 1 is under way");
    net_credit_put(&raw, 1, 1);
    raw.data[NET_FRAME_HEAD] = 0;
    assert_dropped(s, &raw, true, ATE_EINVALID, "CREDIT: of no chunks");
    net_cancel_put(&raw, 1);
    buf_put_u8(&raw, 0);
    put_le32(raw.data, NET_FRAME_HEAD + 1);
    assert_dropped(s, &raw, true, ATE_EINVALID, "CANCEL: its fields");
    buf_deinit(&raw);
}

static void floods_are_told_and_dropped(void **state)
{
    struct bench *s = *state;
    struct buf raw = {0};
    struct node_request r = {.of_node = true,
                             .method = bytes_of_text("chain.create")};
    struct buf large = {0};
    for (uint64_t i = 1; i <= LIMIT_NET_CALLS + 1; i++)
        put_call(&raw, i);
    assert_dropped(s, &raw, true, ATE_ELIMIT, "more than 1024 calls");
    mp_put_map(&large, 1);
    mp_put_text(&large, "bundle");
    buf_put(&large, "\xc6\0\xf0\0\0", 5); /* a bin of 15 MiB */
    memset(buf_grow(&large, 15 << 20), 0, 15 << 20);
    r.args = buf_bytes(&large);
    for (uint64_t i = 1; i <= 3; i++)
        net_call_put(&raw, i, &r);
    s->rng.state = 1; /* in pieces that are not too small */
    assert_dropped(s, &raw, true, ATE_ELIMIT, "calls of more than 33554432");
    buf_deinit(&raw);
    buf_deinit(&large);
}

/* CREDIT and CANCEL of calls that have ended, or never were, mean nothing. */
static void what_came_too_late_is_passed_over(void **state)
{
    struct bench *s = *state;
    struct peer p;
    struct err word;
    struct buf raw = {0};
    raw_begin(s, &p, true);
    net_credit_put(&raw, 77, 1);
    net_cancel_put(&raw, 77);
    server_session_input(p.server, buf_bytes(&raw), s->world.steady_us);
    assert_false(raw_last_word(s, &p, &word));
    assert_int_equal(server_session_fate(p.server), SESSION_GOES_ON);
    raw_end(s, &p);
    buf_deinit(&raw);
}

static void silence_instead_of_hello_is_dropped(void **state)
{
    struct bench *s = *state;
    struct peer p;
    struct err word;
    int64_t start = s->world.steady_us;
    int64_t late = start + s->env.hello_us;
    raw_begin(s, &p, false);
    assert_int_equal(server_session_deadline(p.server), late);
    server_session_input(p.server, bytes_of("\x20", 1), late - 1);
    server_session_tick(p.server, late - 1);
    assert_int_equal(server_session_fate(p.server), SESSION_GOES_ON);
    server_session_tick(p.server, late);
    assert_int_equal(server_session_fate(p.server), SESSION_ENDS);
    assert_true(raw_last_word(s, &p, &word));
    assert_non_null(strstr(word.text, "no HELLO within 5000 ms"));
    server_session_tick(p.server, late + s->env.farewell_us);
    assert_int_equal(server_session_fate(p.server), SESSION_CUT);
    raw_end(s, &p);
    raw_begin(s, &p, true); /* whoever said it may be silent */
    assert_false(raw_last_word(s, &p, &word));
    assert_int_equal(server_session_deadline(p.server), INT64_MAX);
    raw_end(s, &p);
}

/* Not every byte of it counts: a trickle holds memory as silence does. */
static void who_stops_within_a_frame_is_dropped(void **state)
{
    struct bench *s = *state;
    struct peer p;
    struct buf raw = {0};
    struct err word;
    int64_t now = s->world.steady_us;
    raw_begin(s, &p, true);
    put_call(&raw, 1);
    size_t half = raw.len / 2;
    server_session_input(p.server, bytes_of(raw.data, half), now);
    assert_int_equal(server_session_deadline(p.server), now + s->env.stall_us);
    now += s->env.stall_us - 1;
    server_session_input(p.server, bytes_of(raw.data + half, 1), now);
    server_session_tick(p.server, now);
    assert_int_equal(server_session_fate(p.server), SESSION_GOES_ON);
    server_session_tick(p.server, now + 1);
    assert_int_equal(server_session_fate(p.server), SESSION_ENDS);
    assert_true(raw_last_word(s, &p, &word));
    assert_int_equal(word.code, ATE_EUNAVAILABLE);
    assert_non_null(strstr(word.text, "not whole 30000 ms after it began"));
    raw_end(s, &p);
    buf_deinit(&raw);
}

/* Each frame has its own time, also one that comes with the end of another. */
static void frames_that_come_whole_in_time_are_many(void **state)
{
    struct bench *s = *state;
    struct peer p;
    struct buf raw = {0};
    struct err word;
    int64_t now = s->world.steady_us;
    raw_begin(s, &p, true);
    for (uint64_t i = 1; i <= 5; i++)
        put_call(&raw, i);
    size_t each = raw.len / 5;
    server_session_input(p.server, bytes_of(raw.data, each / 2), now);
    for (size_t i = 0; i < 4; i++) {
        now += s->env.stall_us - 1;
        server_session_input(
            p.server, bytes_of(raw.data + i * each + each / 2, each), now);
        server_session_tick(p.server, now + 1);
        assert_int_equal(server_session_deadline(p.server),
                         now + s->env.stall_us);
    }
    server_session_input(
        p.server, bytes_of(raw.data + 4 * each + each / 2, each - each / 2),
        now);
    assert_int_equal(server_session_deadline(p.server), INT64_MAX);
    assert_false(raw_last_word(s, &p, &word));
    world_run(&s->world, s->node);
    raw_end(s, &p);
    buf_deinit(&raw);
}

static void who_does_not_read_is_dropped(void **state)
{
    struct bench *s = *state;
    struct peer p;
    struct buf raw = {0};
    struct buf out = {0};
    int64_t now = s->world.steady_us;
    raw_begin(s, &p, true);
    put_call(&raw, 1);
    server_session_input(p.server, buf_bytes(&raw), now);
    world_run(&s->world, s->node);
    server_session_output(p.server, &out, now);
    assert_true(out.len > 100);
    assert_int_equal(server_session_deadline(p.server), now + s->env.stall_us);
    now += s->env.stall_us - 1;
    server_session_tick(p.server, now);
    assert_int_equal(server_session_fate(p.server), SESSION_GOES_ON);
    server_session_wrote(p.server, 1, now); /* a trickle does not help */
    server_session_tick(p.server, now + 1);
    assert_int_equal(server_session_fate(p.server), SESSION_CUT);
    raw_end(s, &p);
    buf_deinit(&raw);
    buf_deinit(&out);
}

static void who_reads_slowly_is_not_dropped(void **state)
{
    struct bench *s = *state;
    struct peer p;
    struct buf raw = {0};
    struct buf out = {0};
    int64_t now = s->world.steady_us;
    fill(s, 2000);
    raw_begin(s, &p, true);
    struct node_request r = {.kind = REQUEST_READ,
                             .chain = bytes_of_text("bank"),
                             .method = bytes_of_text("list"),
                             .args = bytes_of("\x81\xa4type\xa4note", 11),
                             .credit = 2000};
    net_call_put(&raw, 1, &r);
    server_session_input(p.server, buf_bytes(&raw), now);
    node_flush(s->node);
    server_session_output(p.server, &out, now);
    size_t left = out.len;
    assert_true(left > 3 * LIMIT_NET_STALL_BYTES);
    while (left > 0) {
        size_t len =
            left < LIMIT_NET_STALL_BYTES ? left : LIMIT_NET_STALL_BYTES;
        now += s->env.stall_us - 1;
        server_session_tick(p.server, now);
        server_session_wrote(p.server, len, now);
        left -= len;
    }
    assert_int_equal(server_session_fate(p.server), SESSION_GOES_ON);
    assert_int_equal(server_session_deadline(p.server), INT64_MAX);
    raw_end(s, &p);
    buf_deinit(&raw);
    buf_deinit(&out);
}

/* ---- a daemon that says what it must not ---- */

static int client_fails(struct buf *raw, bool says_hello, bool asks,
                        struct err *err)
{
    struct client_session *client = client_session_new(false, no_seed);
    struct net_hello hello = {
        .version = NET_VERSION, .calls_max = 1, .bytes_max = LIMIT_NET_CALL};
    struct buf said = {0};
    struct ask ask;
    client_session_begin(client);
    if (says_hello) {
        net_hello_put(&said, &hello);
        assert_int_equal(client_session_input(client, buf_bytes(&said), 0, err),
                         0);
        assert_true(client_session_is_ready(client));
    }
    if (asks) {
        ask_begin(NULL, &ask, REQUEST_READ, "bank", "list", ARGS());
        ask.request.credit = 1;
        client_session_ask(client, &ask.request, 1, 0);
    }
    int rc = client_session_input(client, buf_bytes(raw), 0, err);
    struct err why = *err;
    if (rc == 0)
        err_set(&why, ATE_EUNAVAILABLE, "closed");
    client_session_lost(client, &why);
    if (asks)
        ask_end(&ask);
    client_session_free(client);
    buf_deinit(&said);
    buf_clear(raw);
    return rc;
}

/* As version 2 had it, without what an error says in data. */
static void put_last_word_of_before(struct buf *raw)
{
    static const uint8_t head[] = {19, 0, 0, 0, NET_ANSWER, 0, 0, 0,   0,  0,
                                   0,  0, 0, 2, 0,          2, 0, 'n', 'o'};
    buf_put_bytes(raw, bytes_of(head, sizeof(head)));
}

static void a_daemon_that_errs_is_left(void **state)
{
    (void)state;
    struct buf raw = {0};
    struct err err;
    struct err word;
    struct net_hello hello = {.version = NET_VERSION + 1};
    const struct bytes nil = bytes_of("\xc0", 1);

    buf_put_text(&raw, "HTTP/1.1 400 Bad Request\r\n");
    assert_int_equal(client_fails(&raw, false, true, &err), ATE_ELIMIT);
    net_hello_put(&raw, &hello);
    assert_int_equal(client_fails(&raw, false, true, &err), ATE_EINVALID);
    assert_non_null(strstr(err.text, "the daemon speaks version 4"));
    assert_string_equal(err.reason, "other_version");
    put_last_word_of_before(&raw);
    assert_int_equal(client_fails(&raw, false, true, &err), ATE_EINVALID);
    assert_non_null(strstr(err.text, "the daemon speaks another version"));
    assert_string_equal(err.reason, "other_version");
    hello.version = NET_VERSION;
    net_hello_put(&raw, &hello);
    assert_int_equal(client_fails(&raw, false, true, &err), ATE_EINVALID);
    assert_non_null(strstr(err.text, "no room"));
    net_data_put(&raw, 1, nil);
    assert_int_equal(client_fails(&raw, false, true, &err), ATE_EINVALID);
    net_data_put(&raw, 2, nil);
    assert_int_equal(client_fails(&raw, true, true, &err), ATE_EINVALID);
    net_data_put(&raw, 1, nil);
    assert_int_equal(client_fails(&raw, true, true, &err), 0);
    net_data_put(&raw, 1, nil);
    net_data_put(&raw, 1, nil); /* credit was for one */
    assert_int_equal(client_fails(&raw, true, true, &err), ATE_EINVALID);
    assert_non_null(strstr(err.text, "without credit"));
    net_data_put(&raw, 1, bytes_of("\xc1", 1)); /* no msgpack */
    assert_int_equal(client_fails(&raw, true, true, &err), ATE_EINVALID);
    net_answer_put(&raw, 1, 0, NULL, bytes_of("\x92\xc0", 2));
    assert_int_equal(client_fails(&raw, true, true, &err), ATE_EINVALID);
    net_answer_put(&raw, 1, 0, NULL, nil);
    net_answer_put(&raw, 1, 0, NULL, nil);
    assert_int_equal(client_fails(&raw, true, true, &err), ATE_EINVALID);
    net_answer_put(&raw, 1, 0, NULL, nil);
    assert_int_equal(client_fails(&raw, true, false, &err), ATE_EINVALID);
    net_credit_put(&raw, 1, 1);
    assert_int_equal(client_fails(&raw, true, true, &err), ATE_EINVALID);
    net_answer_put(&raw, 0, 0, NULL, nil);
    assert_int_equal(client_fails(&raw, true, true, &err), ATE_EINVALID);
    err_set(&word, ATE_EDENIED, "only alice may");
    net_answer_put(&raw, 0, word.code, &word, nil);
    assert_int_equal(client_fails(&raw, false, true, &err), ATE_EDENIED);
    assert_string_equal(err.text, "only alice may");
    buf_deinit(&raw);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SEEDED(malformed_callers_are_told_and_dropped),
        SEEDED(floods_are_told_and_dropped),
        SEEDED(what_came_too_late_is_passed_over),
        SEEDED(silence_instead_of_hello_is_dropped),
        SEEDED(who_stops_within_a_frame_is_dropped),
        SEEDED(frames_that_come_whole_in_time_are_many),
        SEEDED(who_does_not_read_is_dropped),
        SEEDED(who_reads_slowly_is_not_dropped),
        SEEDED(a_daemon_that_errs_is_left),
    };
    return run_seeded(tests);
}
