/* The socket of a data folder, and who connects to it: bytes over real sockets,
 * a node on a memory disk behind them. One thread; nothing sleeps. */
#define _GNU_SOURCE /* memmem, nftw */
#include "fixture_node.h"

#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/limits.h"
#include "io/local_socket.h"
#include "io/server.h"
#include "net/frame.h"

enum { WAIT_MS = 20000 };

struct bench {
    char folder[300];
    struct world world;
    struct node *node;
    uv_loop_t uv;
    struct server *server;
    bool in_turn;
    bool closed;
    int64_t passes_ms; /* when a turn begins */
};

/* As a loop does it: the node hears what time it is. */
static void turn(void *ctx)
{
    struct bench *s = ctx;
    s->in_turn = true;
    s->world.wall_ms += s->passes_ms;
    s->world.steady_us += s->passes_ms * 1000;
    node_tick(s->node, s->world.wall_ms, s->world.steady_us);
}

static int64_t now_ms(void)
{
    return (int64_t)(uv_hrtime() / 1000000);
}

/* One turn of the loop, as io/loop.c does it. */
static void spin(struct bench *s)
{
    uv_run(&s->uv, UV_RUN_NOWAIT);
    bool more = s->in_turn;
    while (more) {
        s->in_turn = false;
        world_run(&s->world, s->node);
        more = (s->server != NULL && server_flush(s->server)) || s->in_turn;
    }
}

static void begin(struct bench *s, int64_t hello_us, int64_t stall_us)
{
    struct err err;
    struct server_options options = {
        .fd = -1,
        .uv = &s->uv,
        .node = s->node,
        .folder = s->folder,
        .hello_us = hello_us,
        .stall_us = stall_us,
        .farewell_us = 50000,
        .turn = turn,
        .ctx = s,
    };
    if (server_open(&s->server, &options, &err) != 0)
        fail_msg("%s", err.text);
}

static int set_up(void **state)
{
    struct bench *s = mem_zero(1, sizeof(*s));
    const char *tmp = getenv("TMPDIR");
    world_init(&s->world);
    s->node = world_node(&s->world, false, 0);
    create(&s->world, s->node, "bank");
    snprintf(s->folder, sizeof(s->folder), "%s/ate-test-XXXXXX",
             tmp != NULL ? tmp : "/tmp");
    assert_non_null(mkdtemp(s->folder));
    assert_int_equal(uv_loop_init(&s->uv), 0);
    *state = s;
    return 0;
}

static void is_closed(void *ctx)
{
    struct bench *s = ctx;
    s->closed = true;
    s->server = NULL;
}

static void end(struct bench *s)
{
    int64_t late = now_ms() + WAIT_MS;
    if (s->server == NULL)
        return;
    server_stop(s->server);
    server_close(s->server, is_closed, s);
    while (!s->closed && now_ms() < late)
        spin(s);
    assert_true(s->closed);
}

static int remove_one(const char *path, const struct stat *st, int type,
                      struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

static int tear_down(void **state)
{
    struct bench *s = *state;
    end(s);
    spin(s);
    assert_int_equal(uv_loop_close(&s->uv), 0);
    world_stop(&s->world, s->node);
    world_deinit(&s->world);
    nftw(s->folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    mem_free(s);
    return 0;
}

/* ---- a caller that is only bytes ---- */

struct raw {
    int fd;
    struct buf said; /* by the daemon */
    bool ended;
};

static void raw_send(const struct raw *raw, const struct buf *bytes)
{
    assert_int_equal(send(raw->fd, bytes->data, bytes->len, MSG_NOSIGNAL),
                     bytes->len);
}

static void raw_connect(struct bench *s, struct raw *raw, bool says_hello)
{
    struct err err;
    struct buf hello = {0};
    struct net_hello h = {.version = NET_VERSION};
    *raw = (struct raw){0};
    raw->fd = local_socket_connect(s->folder, WAIT_MS, &err);
    if (raw->fd < 0)
        fail_msg("%s", err.text);
    net_hello_put(&hello, &h);
    if (says_hello)
        raw_send(raw, &hello);
    buf_deinit(&hello);
}

static void raw_close(struct raw *raw)
{
    close(raw->fd);
    buf_deinit(&raw->said);
}

static void raw_read(struct raw *raw)
{
    uint8_t buffer[1 << 16];
    ssize_t n;
    while ((n = recv(raw->fd, buffer, sizeof(buffer), 0)) > 0)
        buf_put(&raw->said, buffer, (size_t)n);
    raw->ended |= n == 0 || (n < 0 && errno != EAGAIN);
}

/* Frames of a kind among what was said; the last one. */
static size_t frames_of(const struct raw *raw, enum net_frame_kind kind,
                        struct net_frame *last)
{
    struct bytes in = buf_bytes(&raw->said);
    struct net_frame frame;
    size_t count = 0;
    while (net_frame_next(&in, LIMIT_NET_ANSWER, &frame, NULL) == 1) {
        count += frame.kind == kind;
        if (frame.kind == kind)
            *last = frame;
    }
    return count;
}

/* Until the daemon has said so many frames of a kind. */
static void wait_for(struct bench *s, struct raw *raw, enum net_frame_kind kind,
                     size_t count, struct net_frame *last)
{
    int64_t late = now_ms() + WAIT_MS;
    while (frames_of(raw, kind, last) < count) {
        assert_true(now_ms() < late);
        spin(s);
        raw_read(raw);
    }
}

static void wait_for_end(struct bench *s, struct raw *raw)
{
    int64_t late = now_ms() + WAIT_MS;
    while (!raw->ended) {
        assert_true(now_ms() < late);
        spin(s);
        raw_read(raw);
    }
}

static void put_request(struct buf *out, uint64_t number, const char *method,
                        struct bytes args, uint32_t credit)
{
    struct node_request r = {.kind = REQUEST_READ,
                             .chain = bytes_of_text("bank"),
                             .method = bytes_of_text(method),
                             .args = args,
                             .credit = credit};
    net_call_put(out, number, &r);
}

static void raw_ask(struct raw *raw, uint64_t number, const char *method,
                    struct bytes args, uint32_t credit)
{
    struct buf out = {0};
    put_request(&out, number, method, args, credit);
    raw_send(raw, &out);
    buf_deinit(&out);
}

static const struct bytes no_args = {0};

static void assert_last_word(const struct raw *raw, int code, const char *text)
{
    struct net_frame frame = {0};
    struct err word;
    struct bytes value;
    assert_true(frames_of(raw, NET_ANSWER, &frame) > 0);
    assert_int_equal(frame.call, 0);
    assert_int_equal(net_answer_get(&frame, &word, &value, NULL), 0);
    if (word.code != code || strstr(word.text, text) == NULL)
        fail_msg("%d %s", word.code, word.text);
}

static void assert_serves(struct bench *s)
{
    struct raw raw;
    struct net_frame frame;
    raw_connect(s, &raw, true);
    raw_ask(&raw, 1, "info", no_args, 0);
    wait_for(s, &raw, NET_ANSWER, 1, &frame);
    assert_int_equal(frame.call, 1);
    raw_close(&raw);
}

/* ---- the socket ---- */

static void only_its_owner_may_open_the_socket(void **state)
{
    struct bench *s = *state;
    char path[400];
    struct stat st;
    begin(s, 0, 0);
    snprintf(path, sizeof(path), "%s/socket", s->folder);
    assert_int_equal(lstat(path, &st), 0);
    assert_true(S_ISSOCK(st.st_mode));
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_serves(s);
    end(s);
    assert_int_equal(lstat(path, &st), -1);
}

static void a_stale_socket_is_replaced(void **state)
{
    struct bench *s = *state;
    struct err err;
    int stale = local_socket_listen(s->folder, &err);
    assert_true(stale >= 0);
    close(stale); /* as when a process is killed: the name stays */
    assert_int_equal(local_socket_connect(s->folder, WAIT_MS, &err),
                     ATE_ENOT_FOUND);
    begin(s, 0, 0);
    assert_serves(s);
}

static void what_is_no_socket_is_left_alone(void **state)
{
    struct bench *s = *state;
    char path[400];
    struct err err;
    snprintf(path, sizeof(path), "%s/socket", s->folder);
    int fd = open(path, O_CREAT | O_WRONLY, 0600);
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(local_socket_connect(s->folder, WAIT_MS, &err),
                     ATE_ENOT_FOUND);
    assert_int_equal(local_socket_listen(s->folder, &err), ATE_ECONFLICT);
    assert_non_null(strstr(err.text, "no socket"));
    assert_int_equal(access(path, F_OK), 0);
}

static void deep_folders_have_sockets_too(void **state)
{
    struct bench *s = *state;
    char name[60];
    memset(name, 'd', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    for (int i = 0; i < 2; i++) {
        size_t len = strlen(s->folder);
        snprintf(s->folder + len, sizeof(s->folder) - len, "/%s", name);
        assert_int_equal(mkdir(s->folder, 0700), 0);
    }
    assert_true(strlen(s->folder) > 108);
    begin(s, 0, 0);
    assert_serves(s);
    end(s);
    s->folder[strlen(s->folder) - 120] = '\0'; /* for its removal */
}

/* ---- who connects ---- */

static void malformed_callers_do_not_disturb_others(void **state)
{
    struct bench *s = *state;
    struct raw good;
    struct raw bad;
    struct net_frame frame;
    struct buf garbage = {0};
    begin(s, 0, 0);
    raw_connect(s, &good, true);
    raw_ask(&good, 1, "tail",
            bytes_of("\x81\xa6"
                     "follow\xc3",
                     9),
            0);
    wait_for(s, &good, NET_DATA, 1, &frame);
    raw_connect(s, &bad, false);
    buf_put_text(&garbage, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    raw_send(&bad, &garbage);
    wait_for_end(s, &bad);
    assert_last_word(&bad, ATE_ELIMIT, "a frame has at most");
    raw_close(&bad);
    raw_ask(&good, 2, "info", no_args, 0);
    wait_for(s, &good, NET_ANSWER, 1, &frame);
    assert_int_equal(frame.call, 2);
    raw_close(&good);
    buf_deinit(&garbage);
}

/* The end of its call and its own are one turn: what the first has to say, it
 * says to nobody. */
static void who_leaves_when_a_deadline_passes_disturbs_nobody(void **state)
{
    struct bench *s = *state;
    struct raw raw;
    struct net_frame frame;
    struct buf out = {0};
    struct node_request r = {
        .kind = REQUEST_READ,
        .chain = bytes_of_text("bank"),
        .method = bytes_of_text("tail"),
        .args = bytes_of("\x81\xa6"
                         "follow\xc3",
                         9),
        .deadline_ms = 5,
    };
    begin(s, 0, 0);
    raw_connect(s, &raw, true);
    net_call_put(&out, 1, &r);
    raw_send(&raw, &out);
    wait_for(s, &raw, NET_DATA, 1, &frame);
    s->passes_ms = 10;
    raw_close(&raw);
    spin(s);
    s->passes_ms = 0;
    assert_serves(s);
    buf_deinit(&out);
}

/* It sends as fast as it can, and never what it must not. */
static void a_flood_does_not_keep_others_waiting(void **state)
{
    struct bench *s = *state;
    struct raw flood;
    struct raw good;
    struct buf cancels = {0};
    struct net_frame frame;
    size_t sent = 0;
    begin(s, 0, 0);
    raw_connect(s, &flood, true);
    raw_connect(s, &good, true);
    wait_for(s, &flood, NET_HELLO, 1, &frame);
    wait_for(s, &good, NET_HELLO, 1, &frame);
    while (cancels.len < 1 << 20)
        net_cancel_put(&cancels, 77);
    raw_ask(&good, 1, "info", no_args, 0);
    for (int turns = 0; frames_of(&good, NET_ANSWER, &frame) == 0; turns++) {
        ssize_t n = send(flood.fd, cancels.data + sent, cancels.len - sent,
                         MSG_NOSIGNAL);
        sent = n > 0 ? (sent + (size_t)n) % cancels.len : sent;
        spin(s);
        raw_read(&good);
        assert_true(turns < 20);
    }
    raw_close(&flood);
    raw_close(&good);
    buf_deinit(&cancels);
}

static void the_crowd_is_bounded(void **state)
{
    struct bench *s = *state;
    static struct raw crowd[LIMIT_NET_PEERS];
    struct raw more;
    struct net_frame frame;
    begin(s, 0, 0);
    for (size_t i = 0; i < LIMIT_NET_PEERS; i++) {
        raw_connect(s, &crowd[i], true);
        wait_for(s, &crowd[i], NET_HELLO, 1, &frame);
    }
    raw_connect(s, &more, true);
    wait_for_end(s, &more);
    assert_last_word(&more, ATE_EUNAVAILABLE, "256 callers are there");
    raw_close(&more);
    raw_ask(&crowd[7], 1, "info", no_args, 0);
    wait_for(s, &crowd[7], NET_ANSWER, 1, &frame);
    raw_close(&crowd[0]);
    spin(s);
    spin(s);
    assert_serves(s); /* its place is free */
    for (size_t i = 1; i < LIMIT_NET_PEERS; i++)
        raw_close(&crowd[i]);
}

/* Who is there stays, and who comes finds the new bound. */
static void the_bound_can_be_changed(void **state)
{
    struct bench *s = *state;
    struct raw crowd[3], more;
    struct net_frame frame;
    begin(s, 0, 0);
    for (size_t i = 0; i < 3; i++) {
        raw_connect(s, &crowd[i], true);
        wait_for(s, &crowd[i], NET_HELLO, 1, &frame);
    }
    server_callers(s->server, 2);
    raw_connect(s, &more, true);
    wait_for_end(s, &more);
    assert_last_word(&more, ATE_EUNAVAILABLE, "2 callers are there");
    raw_close(&more);
    for (uint32_t i = 0; i < 3; i++) {
        raw_ask(&crowd[i], 1, "info", no_args, 0);
        wait_for(s, &crowd[i], NET_ANSWER, 1, &frame);
    }
    server_callers(s->server, 4);
    raw_connect(s, &more, true);
    wait_for(s, &more, NET_HELLO, 1, &frame);
    raw_close(&more);
    for (size_t i = 0; i < 3; i++)
        raw_close(&crowd[i]);
}

static void who_says_no_hello_is_dropped(void **state)
{
    struct bench *s = *state;
    struct raw raw;
    begin(s, 20000, 0);
    raw_connect(s, &raw, false);
    wait_for_end(s, &raw);
    assert_last_word(&raw, ATE_EUNAVAILABLE, "no HELLO within 20 ms");
    raw_close(&raw);
    assert_serves(s);
}

/* As many as may be, each in the middle of the largest frame there is. */
static void who_stop_within_a_frame_are_dropped(void **state)
{
    enum { COUNT = LIMIT_NET_PEERS - 1 };
    struct bench *s = *state;
    static struct raw crowd[COUNT];
    static const uint8_t begun[100] = {LIMIT_NET_CALL & 0xff,
                                       LIMIT_NET_CALL >> 8 & 0xff,
                                       LIMIT_NET_CALL >> 16 & 0xff,
                                       LIMIT_NET_CALL >> 24,
                                       NET_CALL,
                                       1};
    struct buf half = {0};
    struct net_frame frame;
    begin(s, 0, 100000);
    buf_put(&half, begun, sizeof(begun));
    for (size_t i = 0; i < COUNT; i++) {
        raw_connect(s, &crowd[i], true);
        wait_for(s, &crowd[i], NET_HELLO, 1, &frame);
        raw_send(&crowd[i], &half);
    }
    assert_serves(s); /* whoever asks meanwhile */
    for (size_t i = 0; i < COUNT; i++) {
        wait_for_end(s, &crowd[i]);
        assert_last_word(&crowd[i], ATE_EUNAVAILABLE,
                         "a frame was not whole 100 ms after it began");
        raw_close(&crowd[i]);
    }
    assert_serves(s);
    buf_deinit(&half);
}

static void write_notes(struct bench *s, size_t count)
{
    char text[110];
    memset(text, 'x', sizeof(text));
    memcpy(text, "text=", 5);
    text[104] = '\0';
    for (size_t i = 0; i < count; i++)
        call_ok(&s->world, s->node, "bank", "note.append", ARGS(text));
}

static const struct bytes of_notes = {
    .data = (const uint8_t *)"\x81\xa4type\xa4note", .len = 11};

/* What is written for it fills the socket, and then only so much more. */
static void who_does_not_read_is_dropped(void **state)
{
    struct bench *s = *state;
    struct raw raw;
    write_notes(s, 4000); /* takes its time under the sanitizers */
    int64_t late = now_ms() + WAIT_MS;
    begin(s, 0, 60000);
    raw_connect(s, &raw, true);
    raw_ask(&raw, 1, "list", of_notes, UINT32_MAX);
    raw_ask(&raw, 2, "list", of_notes, UINT32_MAX);
    struct pollfd hung_up = {.fd = raw.fd};
    while (poll(&hung_up, 1, 0) == 0) {
        assert_true(now_ms() < late);
        spin(s);
    }
    assert_true((hung_up.revents & POLLHUP) != 0);
    raw_close(&raw);
    assert_serves(s);
}

static void who_reads_slowly_gets_all(void **state)
{
    enum { ROWS = 3000 };
    struct bench *s = *state;
    struct raw raw;
    struct net_frame frame;
    write_notes(s, ROWS);
    int64_t late = now_ms() + WAIT_MS;
    begin(s, 0, 0);
    raw_connect(s, &raw, true);
    raw_ask(&raw, 1, "list", of_notes, UINT32_MAX);
    while (frames_of(&raw, NET_ANSWER, &frame) == 0) {
        uint8_t buffer[20000];
        spin(s);
        ssize_t n = recv(raw.fd, buffer, sizeof(buffer), 0);
        if (n > 0)
            buf_put(&raw.said, buffer, (size_t)n);
        assert_true(now_ms() < late);
    }
    assert_int_equal(frames_of(&raw, NET_DATA, &frame), ROWS);
    raw_close(&raw);
}

/* Answers leave in one write: the caller finds them all at once. */
static void answers_of_one_turn_leave_together(void **state)
{
    enum { COUNT = 100 };
    struct bench *s = *state;
    struct raw raw;
    struct net_frame frame;
    struct buf calls = {0};
    begin(s, 0, 0);
    raw_connect(s, &raw, true);
    wait_for(s, &raw, NET_HELLO, 1, &frame);
    for (uint64_t i = 1; i <= COUNT; i++)
        put_request(&calls, i, "info", no_args, 0);
    raw_send(&raw, &calls);
    do {
        spin(s);
        raw_read(&raw);
    } while (frames_of(&raw, NET_ANSWER, &frame) == 0);
    assert_int_equal(frames_of(&raw, NET_ANSWER, &frame), COUNT);
    raw_close(&raw);
    buf_deinit(&calls);
}

/* ---- the end ---- */

static void closing_says_goodbye(void **state)
{
    struct bench *s = *state;
    struct raw raw;
    struct raw stuck;
    struct net_frame frame;
    write_notes(s, 4000);
    begin(s, 0, 0);
    raw_connect(s, &raw, true);
    raw_connect(s, &stuck, true);
    raw_ask(&stuck, 1, "list", of_notes, UINT32_MAX);
    raw_ask(&stuck, 2, "list", of_notes, UINT32_MAX);
    wait_for(s, &raw, NET_HELLO, 1, &frame);
    end(s); /* who does not read is waited for a moment only */
    raw_read(&raw);
    assert_last_word(&raw, ATE_EUNAVAILABLE, "the daemon has stopped");
    assert_true(raw.ended);
    raw_close(&raw);
    raw_close(&stuck);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(only_its_owner_may_open_the_socket),
        TEST(a_stale_socket_is_replaced),
        TEST(what_is_no_socket_is_left_alone),
        TEST(deep_folders_have_sockets_too),
        TEST(malformed_callers_do_not_disturb_others),
        TEST(who_leaves_when_a_deadline_passes_disturbs_nobody),
        TEST(a_flood_does_not_keep_others_waiting),
        TEST(the_crowd_is_bounded),
        TEST(the_bound_can_be_changed),
        TEST(who_says_no_hello_is_dropped),
        TEST(who_stop_within_a_frame_are_dropped),
        TEST(who_does_not_read_is_dropped),
        TEST(who_reads_slowly_gets_all),
        TEST(answers_of_one_turn_leave_together),
        TEST(closing_says_goodbye),
    };
    signal(SIGPIPE, SIG_IGN); /* as it is blocked on the engine's thread */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
