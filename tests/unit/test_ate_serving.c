/* The public header as whoever serves a folder uses it: what workers ask, what
 * happens there, who may connect. Runs in the root of the tree. */
#define _GNU_SOURCE /* nftw, memmem */
#include "fixture_ate.h"

#include <fcntl.h>
#include <sys/socket.h>

/* What a worker asks comes to the port; the number of it is given back. */
static uint64_t asked_at(struct bench *b, const char *expected)
{
    struct ate_answer answer;
    char text[100];
    assert_int_equal(ate_port_next(b->port, &answer, WAIT_MS), 1);
    assert_int_equal(answer.kind, ATE_ANSWER_ASKED);
    text_at(&answer, "worker", text, sizeof(text));
    assert_string_equal(text, "jobs.pay");
    text_at(&answer, "key", text, sizeof(text));
    assert_int_equal(strlen(text), 64);
    assert_non_null(memmem(answer.value.data, answer.value.len, expected,
                           strlen(expected)));
    ate_free(&answer.value);
    return answer.call;
}

static void reply_with(struct bench *b, uint64_t call, const char *name)
{
    struct buf out = {0};
    mp_put_map(&out, 1);
    mp_put_text(&out, name);
    mp_put_text(&out, "7");
    ate_reply(b->ate, call, NULL, out.data, out.len);
    ate_reply(b->ate, call, NULL, out.data, out.len); /* nobody waits for it */
    buf_deinit(&out);
}

static void a_program_serves_what_workers_ask(void **state)
{
    struct bench *b = *state;
    struct ate_answer answer;
    struct ate_error error;
    struct ate_error later = {.code = ATE_UNAVAILABLE, .text = "shut"};
    struct buf args = {0};
    create_chain(b, "tests/lua/schemas/jobs.lua", "jobs");
    assert_int_equal(ate_provide(b->ate, b->port, "", &error), ATE_INVALID);
    assert_int_equal(ate_provide(b->ate, b->port, "bank", &error), 0);
    mp_put_map(&args, 2);
    mp_put_text(&args, "name");
    mp_put_text(&args, "a");
    mp_put_text(&args, "pieces");
    mp_put_int(&args, 1);
    struct ate_request place = {
        .chain = "jobs",
        .method = "placed.append",
        .args = args.data,
        .args_len = args.len,
    };
    assert_int_equal(
        end_of(b->port, ate_call(b->ate, b->port, &place), &answer, NULL), 0);
    ate_free(&answer.value);
    buf_deinit(&args);

    uint64_t work = start(b, ate_call, "jobs", "ate.workers", NULL);
    ate_reply(b->ate, asked_at(b, "pay"), &later, NULL, 0);
    assert_int_equal(end_of(b->port, work, &answer, NULL), 0);
    assert_int_equal(int_at(&answer, "failed"), 1);
    ate_free(&answer.value);

    work = start(b, ate_call, "jobs", "ate.workers", NULL);
    reply_with(b, asked_at(b, "pay"), "number");
    reply_with(b, asked_at(b, "send"), "receipt");
    assert_int_equal(end_of(b->port, work, &answer, NULL), 0);
    assert_int_equal(int_at(&answer, "done"), 1);
    ate_free(&answer.value);
    assert_int_equal(ate_http(b->ate, "\xc1", 1, &error), ATE_INVALID);
    assert_int_equal(ate_http(b->ate, "\x80", 1, &error), 0);
    assert_int_equal(ate_http(b->ate, "\x80", 1, &error), 0); /* another one */
}

/* What happens comes to whoever watches, and not beside the answers. */
static void a_program_is_told_what_happens(void **state)
{
    struct bench *b = *state;
    struct ate_answer answer;
    struct ate_error error;
    struct ate_port *port = ate_port_new();
    char text[100];
    assert_int_equal(ate_watch(b->ate, port, &error), 0);
    ate_close(b->ate);
    assert_int_equal(ate_open(&b->ate, b->folder, 0, &error), 0);
    assert_int_equal(ate_port_next(port, &answer, 0), 0);
    assert_int_equal(ate_watch(b->ate, port, &error), 0);
    assert_int_equal(ask(b, ate_read, "bank", "info", NULL, &answer), 0);
    ate_free(&answer.value);
    assert_int_equal(ate_port_next(port, &answer, -1), 1);
    assert_int_equal(answer.kind, ATE_ANSWER_NOTICE);
    assert_int_equal(answer.call, 0);
    text_at(&answer, "event", text, sizeof(text));
    assert_string_equal(text, "opened");
    text_at(&answer, "chain", text, sizeof(text));
    assert_string_equal(text, "bank");
    assert_int_equal(int_at(&answer, "size"), 4);
    ate_free(&answer.value);
    assert_int_equal(ate_port_next(port, &answer, 0), 0);
    ate_port_free(port);
}

/* Whatever comes of it, the descriptor is not the caller's any more. */
static void a_socket_from_elsewhere_is_no_socket_of_a_folder(void **state)
{
    struct bench *b = *state;
    struct ate_error error;
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_true(fd >= 0);
    assert_int_equal(ate_listen_at(b->ate, fd, &error), ATE_INVALID);
    assert_non_null(strstr(error.text, "is no Unix socket that listens at"));
    assert_int_equal(fcntl(fd, F_GETFD), -1);
    assert_int_equal(ate_listen_at(b->ate, -1, &error), ATE_INVALID);
    assert_int_equal(ate_listen(b->ate, &error), 0);
}

static void callers_are_bounded_by_who_serves(void **state)
{
    struct bench *b = *state;
    struct ate *first = NULL, *second = NULL;
    struct ate_error error;
    assert_int_equal(ate_callers_max(b->ate, 0, &error), ATE_INVALID);
    assert_int_equal(ate_callers_max(b->ate, 4097, &error), ATE_INVALID);
    assert_non_null(strstr(error.text, "1 to 4096 may be, not 4097"));
    assert_int_equal(ate_callers_max(b->ate, 1, &error), 0);
    assert_int_equal(ate_listen(b->ate, &error), 0);
    assert_int_equal(ate_open(&first, b->folder, 0, &error), 0);
    assert_int_equal(ate_callers_max(first, 2, &error), ATE_UNAVAILABLE);
    assert_int_equal(ate_open(&second, b->folder, 0, &error), ATE_UNAVAILABLE);
    assert_non_null(strstr(error.text, "1 callers are there"));
    assert_int_equal(ate_callers_max(b->ate, 2, &error), 0);
    assert_int_equal(ate_open(&second, b->folder, 0, &error), 0);
    ate_close(second);
    ate_close(first);
}

/* Not through the process that listens, and not beside it. */
static void a_local_folder_is_opened_by_itself(void **state)
{
    struct bench *b = *state;
    struct ate *other = NULL;
    struct ate_error error;
    assert_int_equal(ate_listen(b->ate, &error), 0);
    assert_int_equal(ate_open(&other, b->folder, 0, &error), 0);
    assert_int_equal(ate_is_remote(other), 1);
    assert_int_equal(ate_watch(other, b->port, &error), ATE_UNAVAILABLE);
    ate_close(other);
    assert_int_equal(ate_open(&other, b->folder, ATE_LOCAL, &error),
                     ATE_UNAVAILABLE);
    assert_null(other);
}

/* Where another process serves the folder, its workers are not ours. */
static void services_are_where_the_folder_is(void **state)
{
    struct bench *b = *state;
    struct ate_error error;
    assert_int_equal(ate_provide(b->ate, b->port, "bank", &error),
                     ATE_UNAVAILABLE);
    assert_int_equal(ate_http(b->ate, "\x80", 1, &error), ATE_UNAVAILABLE);
    ate_reply(b->ate, 1, NULL, NULL, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_program_serves_what_workers_ask),
        TEST(a_program_is_told_what_happens),
        TEST(a_socket_from_elsewhere_is_no_socket_of_a_folder),
        TEST(callers_are_bounded_by_who_serves),
        TEST(a_local_folder_is_opened_by_itself),
        REMOTE(services_are_where_the_folder_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
