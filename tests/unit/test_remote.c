/* A data folder that another serves: how one gets to it, and what is said when
 * it goes. Runs in the root of the tree, for the schema of examples/bank. */
#define _GNU_SOURCE /* nftw */
#include "fixture_ate.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>

#include "base/err.h"
#include "base/memory.h"
#include "io/local_socket.h"
#include "io/remote.h"
#include "net/frame.h"

/* ---- listening ---- */

static void listening_makes_a_socket_and_closing_removes_it(void **state)
{
    struct bench *b = *state;
    struct ate_error error;
    struct stat st;
    char path[400];
    snprintf(path, sizeof(path), "%s/socket", b->folder);
    assert_int_equal(ate_is_remote(b->ate), 0);
    assert_int_equal(stat(path, &st), -1);
    assert_int_equal(ate_listen(b->ate, &error), 0);
    assert_int_equal(ate_listen(b->ate, NULL), 0);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    ate_close(b->ate);
    assert_int_equal(stat(path, &st), -1);
    assert_int_equal(ate_open(&b->ate, b->folder, 0, &error), 0);
    assert_int_equal(ate_is_remote(b->ate), 0);
}

static void only_what_is_open_for_writing_is_served(void **state)
{
    struct bench *b = *state;
    struct ate_error error;
    struct ate *other;
    assert_int_equal(ate_open(&other, NULL, ATE_MEMORY, &error), 0);
    assert_int_equal(ate_listen(other, &error), ATE_INVALID);
    ate_close(other);
    assert_int_equal(ate_open(&other, b->folder, ATE_READ_ONLY, &error), 0);
    assert_int_equal(ate_listen(other, &error), ATE_INVALID);
    ate_close(other);
    assert_int_equal(ate_listen(b->ate, &error), 0);
    assert_int_equal(ate_open(&other, b->folder, ATE_CREATE, &error), 0);
    assert_int_equal(ate_is_remote(other), 1);
    assert_int_equal(ate_listen(other, &error), ATE_UNAVAILABLE);
    assert_non_null(strstr(error.text, "another process serves"));
    ate_close(other);
}

static void what_is_in_the_way_is_said(void **state)
{
    struct bench *b = *state;
    struct ate_error error;
    char path[400];
    snprintf(path, sizeof(path), "%s/socket", b->folder);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fclose(file);
    assert_int_equal(ate_listen(b->ate, &error), ATE_CONFLICT);
    assert_non_null(strstr(error.text, path));
    ask_ok(b, ate_read, "bank", "info", NULL);
}

/* ---- deadlines ---- */

static void deadlines_pass_through_the_socket(void **state)
{
    struct bench *b = *state;
    struct ate_answer answer;
    const struct ate_request request = {
        .chain = "bank",
        .method = "tail",
        .args = "\x81\xa6"
                "follow\xc3",
        .args_len = 9,
        .deadline_ms = 50,
    };
    uint64_t call = ate_read(b->ate, b->port, &request);
    assert_int_equal(end_of(b->port, call, &answer, NULL), ATE_CANCELED);
    assert_non_null(strstr(answer.error.text, "the deadline of 50 ms passed"));
}

/* ---- the end of a connection ---- */

/* Writes are answered, who follows is told, and the next call comes too late.
 */
static void a_daemon_that_stops_answers_first(void **state)
{
    struct bench *b = *state;
    struct ate_answer answer;
    size_t written = 0;
    uint64_t follow = start(b, ate_read, "bank", "tail", ARGS("follow=true"));
    for (int i = 0; i < CALLS; i++)
        start(b, ate_call, "bank", "transfer",
              ARGS("amount=0.01", "from=bob", "to=eve"));
    /* One answer means that all calls have arrived: they were sent before. */
    do {
        assert_int_equal(ate_port_next(b->port, &answer, WAIT_MS), 1);
        ate_free(&answer.value);
    } while (answer.kind != ATE_ANSWER_FINAL);
    ate_close(b->owner);
    b->owner = NULL;
    for (int ends = 1; ends < CALLS + 1;) {
        assert_int_equal(ate_port_next(b->port, &answer, WAIT_MS), 1);
        ate_free(&answer.value);
        if (answer.kind != ATE_ANSWER_FINAL)
            continue;
        ends++;
        if (answer.call != follow) {
            written += answer.error.code == 0;
            continue;
        }
        assert_int_equal(answer.error.code, ATE_UNAVAILABLE);
        assert_non_null(strstr(answer.error.text, "the daemon is stopping"));
    }
    assert_int_equal(ask(b, ate_read, "bank", "info", NULL, &answer),
                     ATE_UNAVAILABLE);
    assert_non_null(strstr(answer.error.text, "no daemon serves"));
    assert_true(written > 0);
}

static void the_next_call_finds_a_new_daemon(void **state)
{
    struct bench *b = *state;
    struct ate_answer answer;
    struct ate_error error;
    struct ate *again;
    ate_close(b->owner);
    b->owner = NULL;
    assert_int_equal(ask(b, ate_read, "bank", "info", NULL, &answer),
                     ATE_UNAVAILABLE);
    assert_int_equal(ate_open(&again, b->folder, 0, &error), 0);
    assert_int_equal(ate_listen(again, &error), 0);
    ask_ok(b, ate_read, "bank", "info", NULL);
    ask_ok(b, ate_call, "bank", "transfer",
           ARGS("amount=1", "from=bob", "to=eve"));
    b->owner = again;
}

/* ---- who fetches answers ---- */

/* Whoever waits fetches them; from when somebody polls, the thread does. */
static void a_port_may_be_watched_at_any_time(void **state)
{
    struct bench *b = *state;
    struct ate_answer answer;
    struct pollfd fd = {.events = POLLIN};
    ask_ok(b, ate_read, "bank", "info", NULL);
    uint64_t call = start(b, ate_read, "bank", "info", NULL);
    fd.fd = ate_port_fd(b->port);
    assert_int_equal(poll(&fd, 1, WAIT_MS), 1);
    assert_int_equal(end_of(b->port, call, &answer, NULL), 0);
    ate_free(&answer.value);
    assert_int_equal(poll(&fd, 1, 0), 0);
    call = start(b, ate_read, "bank", "info", NULL);
    assert_int_equal(poll(&fd, 1, WAIT_MS), 1);
    assert_int_equal(end_of(b->port, call, &answer, NULL), 0);
    ate_free(&answer.value);
}

static void not_waiting_fetches_too(void **state)
{
    struct bench *b = *state;
    struct ate_answer answer;
    start(b, ate_read, "bank", "info", NULL);
    while (ate_port_next(b->port, &answer, 0) == 0)
        ;
    assert_int_equal(answer.error.code, 0);
    ate_free(&answer.value);
    assert_int_equal(ate_port_next(b->port, &answer, 0), 0);
    assert_int_equal(ate_port_next(b->port, &answer, 1), 0);
}

/* Nobody waits, and still it is taken out of the socket. */
static void answers_that_nobody_fetches_come_in(void **state)
{
    struct bench *b = *state;
    struct bench other = {.ate = b->ate, .port = ate_port_new()};
    uint64_t call = start(&other, ate_read, "bank", "info", NULL);
    ate_close(b->ate); /* waits for it */
    b->ate = NULL;
    struct ate_answer answer;
    assert_int_equal(ate_port_next(other.port, &answer, 0), 1);
    assert_int_equal(answer.call, call);
    ate_free(&answer.value);
    ate_port_free(other.port);
}

struct waiter {
    struct bench bench;
    pthread_t thread;
    int failed;
};

static void *wait_and_ask(void *ctx)
{
    struct waiter *w = ctx;
    struct ate_answer answer;
    for (int i = 0; i < 10 * CALLS; i++) {
        uint64_t call = start(&w->bench, ate_read, "bank", "info", NULL);
        w->failed += ate_port_next(w->bench.port, &answer, WAIT_MS) != 1 ||
                     answer.call != call || answer.error.code != 0;
        ate_free(&answer.value);
    }
    return NULL;
}

/* The first one fetches for the second, too, until the thread does. */
static void waiting_at_once_keeps_nobody_waiting(void **state)
{
    struct bench *b = *state;
    struct waiter waiters[THREADS] = {0};
    for (int i = 0; i < THREADS; i++) {
        waiters[i].bench =
            (struct bench){.ate = b->ate, .port = ate_port_new()};
        assert_int_equal(
            pthread_create(&waiters[i].thread, NULL, wait_and_ask, &waiters[i]),
            0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(waiters[i].thread, NULL);
        assert_int_equal(waiters[i].failed, 0);
        ate_port_free(waiters[i].bench.port);
    }
}

static void *ask_in_memory(void *ctx)
{
    struct waiter *w = ctx;
    start(&w->bench, ate_call, NULL, "key.ls", NULL);
    return NULL;
}

/* One port, two folders: what comes from one is seen by who waits at the other.
 */
static void a_port_serves_two_folders(void **state)
{
    struct bench *b = *state;
    struct waiter w = {.bench = {.port = b->port}};
    struct ate_error error;
    struct ate_answer answer;
    assert_int_equal(ate_open(&w.bench.ate, NULL, ATE_MEMORY, &error), 0);
    ask_ok(b, ate_read, "bank", "info", NULL);
    assert_int_equal(pthread_create(&w.thread, NULL, ask_in_memory, &w), 0);
    assert_int_equal(ate_port_next(b->port, &answer, WAIT_MS), 1);
    assert_int_equal(answer.error.code, 0);
    ate_free(&answer.value);
    pthread_join(w.thread, NULL);
    ask_ok(b, ate_read, "bank", "info", NULL);
    ask_ok(&w.bench, ate_call, NULL, "key.ls", NULL);
    ate_close(w.bench.ate);
}

/* ---- daemons that are none ---- */

struct fake {
    struct bench *bench;
    pthread_t thread;
    int listener;
    struct buf says;
    bool holds; /* then it waits until the caller goes */
};

/* Take one caller, read a little, say something, hang up. */
static void *fake_main(void *ctx)
{
    struct fake *fake = ctx;
    struct pollfd poll_fd = {.fd = fake->listener, .events = POLLIN};
    char buffer[1000];
    if (poll(&poll_fd, 1, WAIT_MS) != 1)
        return NULL;
    int fd = accept(fake->listener, NULL, NULL);
    ssize_t n = recv(fd, buffer, sizeof(buffer), 0);
    if (n > 0 && fake->says.len > 0)
        n = send(fd, fake->says.data, fake->says.len, MSG_NOSIGNAL);
    while (fake->holds && n > 0)
        n = recv(fd, buffer, sizeof(buffer), 0);
    close(fd);
    return NULL;
}

static int open_fake(struct bench *b, struct fake *fake, uint32_t wait_ms,
                     struct err *err)
{
    struct remote *remote = NULL;
    struct remote_options options = {.path = b->folder, .wait_ms = wait_ms};
    fake->listener = local_socket_listen(b->folder, err);
    assert_true(fake->listener >= 0);
    assert_int_equal(pthread_create(&fake->thread, NULL, fake_main, fake), 0);
    int rc = remote_open(&remote, &options, err);
    assert_null(remote);
    pthread_join(fake->thread, NULL);
    close(fake->listener);
    buf_deinit(&fake->says);
    return rc;
}

static void who_is_no_daemon_is_not_waited_for(void **state)
{
    struct bench *b = *state;
    struct err err;
    struct err word;
    struct net_hello hello = {.version = NET_VERSION + 1};
    struct fake fake = {.holds = true};
    assert_int_equal(open_fake(b, &fake, 30, &err), ATE_ECANCELED);
    assert_non_null(strstr(err.text, "the daemon says nothing for 30 ms; see"));
    fake.holds = false;
    assert_int_equal(open_fake(b, &fake, WAIT_MS, &err), ATE_EUNAVAILABLE);
    assert_non_null(strstr(err.text, "ended"));
    buf_put_text(&fake.says, "220 mail.example.com ESMTP\r\n");
    assert_true(open_fake(b, &fake, WAIT_MS, &err) < 0);
    net_hello_put(&fake.says, &hello);
    assert_int_equal(open_fake(b, &fake, WAIT_MS, &err), ATE_EINVALID);
    assert_non_null(strstr(err.text, "speaks version 4"));
    err_set(&word, ATE_EDENIED, "you are not let in");
    net_answer_put(&fake.says, 0, word.code, &word, bytes_of(NULL, 0));
    assert_int_equal(open_fake(b, &fake, WAIT_MS, &err), ATE_EDENIED);
    assert_string_equal(err.text, "you are not let in");
}

/* It listens, and takes nobody. Those who wait to be taken get in the way of
 * others: then it is connecting that takes too long. */
static void opening_has_one_end(void **state)
{
    struct bench *b = *state;
    struct ate *there;
    struct ate_error error;
    struct err err;
    int callers[SOMAXCONN + 1];
    int count = 0;
    int listener = local_socket_listen(b->folder, &err);
    assert_true(listener >= 0);
    assert_int_equal(ate_open_within(&there, b->folder, 0, 20, &error),
                     ATE_CANCELED);
    assert_null(there);
    assert_non_null(strstr(error.text, "open "));
    assert_non_null(strstr(error.text, b->folder));
    assert_non_null(strstr(error.text, "the daemon says nothing for 20 ms"));
    while (count <= SOMAXCONN &&
           (callers[count] = local_socket_connect(b->folder, 0, &err)) >= 0)
        count++;
    assert_true(count <= SOMAXCONN);
    assert_int_equal(err.code, ATE_EUNAVAILABLE);
    assert_int_equal(ate_open_within(&there, b->folder, 0, 20, &error),
                     ATE_CANCELED);
    assert_null(there);
    while (count > 0)
        close(callers[--count]);
    close(listener);
}

/* Where nobody listens there is nobody to wait for: no wait is too short. */
static void opening_without_a_daemon_is_not_bounded(void **state)
{
    struct bench *b = *state;
    struct ate_error error;
    ate_close(b->ate);
    assert_int_equal(ate_open_within(&b->ate, b->folder, 0, 1, &error), 0);
    assert_int_equal(ate_is_remote(b->ate), 0);
}

static void a_daemon_that_answers_is_soon_enough(void **state)
{
    struct bench *b = *state;
    struct ate_error error;
    struct bench there = {.port = b->port};
    assert_int_equal(ate_open_within(&there.ate, b->folder, 0, WAIT_MS, &error),
                     0);
    assert_int_equal(ate_is_remote(there.ate), 1);
    ask_ok(&there, ate_read, "bank", "info", NULL);
    ate_close(there.ate);
}

/* It says HELLO, and nothing more. Whoever waits for an answer fetches it, so
 * he has to be told when there will be none. */
static void a_daemon_that_stands_still_is_not_waited_for(void **state)
{
    struct bench *b = *state;
    struct bench there = {.port = ate_port_new()};
    struct err err;
    struct ate_error error;
    struct ate_answer answer;
    struct net_hello hello = {
        .version = NET_VERSION, .calls_max = 1, .bytes_max = 32 << 20};
    struct fake fake = {.holds = true};
    struct ate_request request = {
        .chain = "bank", .method = "transfer", .deadline_ms = 50};
    net_hello_put(&fake.says, &hello);
    fake.listener = local_socket_listen(b->folder, &err);
    assert_int_equal(pthread_create(&fake.thread, NULL, fake_main, &fake), 0);
    assert_int_equal(ate_open(&there.ate, b->folder, 0, &error), 0);
    assert_int_equal(ate_is_remote(there.ate), 1);
    time_t late = time(NULL) + WAIT_MS / 2000;
    uint64_t sent = ate_call(there.ate, there.port, &request);
    uint64_t unsent = ate_call(there.ate, there.port, &request);
    assert_int_equal(end_of(there.port, unsent, &answer, NULL), ATE_CANCELED);
    assert_null(strstr(answer.error.text, "whether"));
    assert_int_equal(end_of(there.port, sent, &answer, NULL), ATE_CANCELED);
    assert_non_null(strstr(answer.error.text, "whether it was written is not"));
    assert_true(time(NULL) < late);
    ate_close(there.ate);
    ate_port_free(there.port);
    pthread_join(fake.thread, NULL);
    close(fake.listener);
    buf_deinit(&fake.says);
}

/* Where nobody listens any more, the folder is opened as if nobody ever had. */
static void a_stale_socket_does_not_matter(void **state)
{
    struct bench *b = *state;
    struct ate_error error;
    struct err err;
    ate_close(b->ate);
    int fd = local_socket_listen(b->folder, &err);
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(ate_open(&b->ate, b->folder, 0, &error), 0);
    assert_int_equal(ate_is_remote(b->ate), 0);
    ask_ok(b, ate_read, "bank", "info", NULL);
    assert_int_equal(ate_listen(b->ate, &error), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(listening_makes_a_socket_and_closing_removes_it),
        TEST(only_what_is_open_for_writing_is_served),
        TEST(what_is_in_the_way_is_said),
        REMOTE(deadlines_pass_through_the_socket),
        REMOTE(a_daemon_that_stops_answers_first),
        REMOTE(the_next_call_finds_a_new_daemon),
        REMOTE(a_port_may_be_watched_at_any_time),
        REMOTE(not_waiting_fetches_too),
        REMOTE(answers_that_nobody_fetches_come_in),
        REMOTE(waiting_at_once_keeps_nobody_waiting),
        REMOTE(a_port_serves_two_folders),
        TEST(who_is_no_daemon_is_not_waited_for),
        TEST(opening_has_one_end),
        TEST(opening_without_a_daemon_is_not_bounded),
        REMOTE(a_daemon_that_answers_is_soon_enough),
        TEST(a_daemon_that_stands_still_is_not_waited_for),
        TEST(a_stale_socket_does_not_matter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
