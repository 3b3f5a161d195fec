/* Ports that gather: what a loop asks is begun when it looks for answers. */
#define _GNU_SOURCE
#include <poll.h>

#include "fixture_ate.h"

static struct bench with_port_of_its_own(const struct bench *b)
{
    struct bench own = {.ate = b->ate, .port = ate_port_new()};
    assert_non_null(own.port);
    ate_port_gather(own.port);
    return own;
}

static void pay(struct bench *own)
{
    start(own, ate_call, "bank", "transfer",
          ARGS("amount=1", "from=bob", "to=eve"));
}

static size_t transfers(struct bench *b)
{
    struct ate_answer answer;
    size_t rows = 0;
    uint64_t call = start(b, ate_read, "bank", "list", ARGS("type=transfer"));
    assert_int_equal(end_of(b->port, call, &answer, &rows), 0);
    ate_free(&answer.value);
    return rows;
}

/* As a loop does: look until there is none, then sleep. */
static void take_finals(struct bench *own, size_t count)
{
    struct pollfd fd = {.fd = ate_port_fd(own->port), .events = POLLIN};
    struct ate_answer answer;
    while (count > 0) {
        while (count > 0 && ate_port_next(own->port, &answer, 0) == 1) {
            if (answer.kind == ATE_ANSWER_FINAL) {
                assert_int_equal(answer.error.code, 0);
                count--;
            }
            ate_free(&answer.value);
        }
        if (count > 0)
            assert_int_equal(poll(&fd, 1, -1), 1);
    }
}

static void few_and_many_are_answered(void **state)
{
    static const size_t counts[] = {1, 4, 5, 60};
    struct bench *b = *state;
    struct bench own = with_port_of_its_own(b);
    size_t sum = 0;
    for (size_t i = 0; i < sizeof(counts) / sizeof(*counts); i++) {
        for (size_t k = 0; k < counts[i]; k++)
            pay(&own);
        take_finals(&own, counts[i]);
        sum += counts[i];
        assert_int_equal(transfers(b), sum);
    }
    ate_port_free(own.port);
}

static void reads_and_writes_mix(void **state)
{
    struct bench *b = *state;
    struct bench own = with_port_of_its_own(b);
    for (int i = 0; i < 50; i++) {
        start(&own, ate_read, "bank", "info", NULL);
        pay(&own);
        start(&own, ate_read, "bank", "get", ARGS("key=bob", "type=account"));
        take_finals(&own, 3);
    }
    assert_int_equal(transfers(b), 50);
    ate_port_free(own.port);
}

/* Nobody waits for the answer; the call goes on. */
static void freeing_the_port_begins_what_it_gathered(void **state)
{
    struct bench *b = *state;
    struct bench own = with_port_of_its_own(b);
    pay(&own);
    ate_port_free(own.port);
    ask_ok(b, ate_call, "bank", "transfer",
           ARGS("amount=1", "from=bob", "to=eve")); /* stands behind it */
    assert_int_equal(transfers(b), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(few_and_many_are_answered),
        TEST(reads_and_writes_mix),
        TEST(freeing_the_port_begins_what_it_gathered),
        REMOTE(few_and_many_are_answered),
        REMOTE(reads_and_writes_mix),
        REMOTE(freeing_the_port_begins_what_it_gathered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
