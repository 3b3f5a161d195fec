/* Subscriptions through ate.h: in this process, and through a socket. What they
 * tell row by row is tested in test_follow.c. Runs in the root of the tree, for
 * the schema of examples/bank. */
#define _GNU_SOURCE /* nftw */
#include "fixture_ate.h"

enum { SUBSCRIBERS = 100, WRITES = 30 };

static uint64_t subscribe(struct bench *b, const char *method,
                          const char *const *names, uint64_t from,
                          uint32_t credit)
{
    struct buf args = {0};
    uint32_t count = 0;
    while (names[count] != NULL)
        count++;
    mp_put_map(&args, count + 1 + (from > 0));
    for (uint32_t i = 0; i < count; i++) {
        const char *eq = strchr(names[i], '=');
        mp_put_str(&args, bytes_of(names[i], (size_t)(eq - names[i])));
        mp_put_text(&args, eq + 1);
    }
    mp_put_text(&args, "follow");
    mp_put_bool(&args, true);
    if (from > 0) {
        mp_put_text(&args, "from");
        mp_put_uint(&args, from);
    }
    struct ate_request request = {
        .chain = "bank",
        .method = method,
        .args = args.data,
        .args_len = args.len,
        .credit = credit,
    };
    uint64_t call = ate_read(b->ate, b->port, &request);
    buf_deinit(&args);
    return call;
}

static void transfer(struct bench *b, struct ate_port *port)
{
    struct ate_answer answer;
    struct buf args = {0};
    put_args(&args, ARGS("amount=0.01", "from=bob", "to=eve"));
    struct ate_request request = {
        .chain = "bank",
        .method = "transfer",
        .args = args.data,
        .args_len = args.len,
    };
    uint64_t call = ate_call(b->ate, port, &request);
    if (end_of(port, call, &answer, NULL) != 0)
        fail_msg("%s", answer.error.text);
    ate_free(&answer.value);
    buf_deinit(&args);
}

/* What eve has by a chunk of the view of balances; false: it does not say. */
static bool eve_has(const struct ate_answer *answer, char *out, size_t size)
{
    struct bytes map = bytes_of(answer->value.data, answer->value.len);
    struct mp mp = mp_open(mp_map_get(map, "changes"));
    uint32_t count = 0;
    bool found = false;
    if (mp_get_array(&mp, &count, NULL) != 0)
        return false;
    for (uint32_t i = 0; i < count; i++) {
        struct bytes change, text;
        mp_skip(&mp, &change, NULL);
        struct bytes row = mp_map_get(change, "put");
        struct mp name = mp_open(mp_map_get(row, "account"));
        assert_int_equal(mp_get_str(&name, &text, NULL), 0);
        if (!bytes_equal(text, bytes_of_text("eve")))
            continue;
        struct mp amount = mp_open(mp_map_get(row, "amount"));
        assert_int_equal(mp_get_str(&amount, &text, NULL), 0);
        snprintf(out, size, "%.*s", (int)text.len, (const char *)text.data);
        found = true;
    }
    return found;
}

static void next(struct bench *b, uint64_t call, struct ate_answer *answer)
{
    assert_int_equal(ate_port_next(b->port, answer, WAIT_MS), 1);
    assert_int_equal(answer->call, call);
}

static void end_subscription(struct bench *b, uint64_t call)
{
    struct ate_answer answer;
    ate_cancel(b->ate, call);
    assert_int_equal(end_of(b->port, call, &answer, NULL), ATE_CANCELED);
}

/* ---- what is told ---- */

static void each_write_is_told_with_its_position(void **state)
{
    struct bench *b = *state;
    struct ate_port *port = ate_port_new();
    struct ate_answer answer;
    char eve[40] = "";
    uint64_t call = subscribe(b, "view", ARGS("view=balance"), 0, 0);
    next(b, call, &answer);
    int64_t at = int_at(&answer, "at");
    ate_free(&answer.value);
    for (int i = 1; i <= WRITES; i++) {
        char want[40];
        snprintf(want, sizeof(want), "0.%02d", i);
        transfer(b, port);
        next(b, call, &answer);
        assert_true(int_at(&answer, "at") > at);
        at = int_at(&answer, "at");
        assert_true(eve_has(&answer, eve, sizeof(eve)));
        assert_string_equal(eve, want);
        ate_free(&answer.value);
    }
    end_subscription(b, call);
    ate_port_free(port);
}

/* Stopped, and begun again at the last position: each transaction once. */
static void a_tail_goes_on_where_it_stopped(void **state)
{
    struct bench *b = *state;
    struct ate_port *port = ate_port_new();
    struct ate_answer answer;
    uint64_t from = 0;
    int64_t seen = -1;
    for (int i = 0; i < 10; i++) {
        transfer(b, port);
        uint64_t call = subscribe(b, "tail", ARGS(NULL), from, 0);
        for (int k = 0; k < 2 || seen < 0; k++) {
            transfer(b, port);
            next(b, call, &answer);
            assert_int_equal(int_at(&answer, "index"), seen + 1);
            seen = int_at(&answer, "index");
            ate_free(&answer.value);
        }
        from = (uint64_t)seen + 1;
        end_subscription(b, call);
    }
    ate_port_free(port);
}

static void a_position_is_gone_on_from(void **state)
{
    struct bench *b = *state;
    struct ate_port *port = ate_port_new();
    struct ate_answer answer;
    char eve[40] = "";
    uint64_t call = subscribe(b, "view", ARGS("view=balance"), 0, 0);
    transfer(b, port);
    next(b, call, &answer);
    uint64_t at = (uint64_t)int_at(&answer, "at");
    ate_free(&answer.value);
    end_subscription(b, call);
    for (int i = 0; i < WRITES; i++)
        transfer(b, port);
    call = subscribe(b, "view", ARGS("view=balance"), at, 0);
    next(b, call, &answer);
    assert_true(eve_has(&answer, eve, sizeof(eve)));
    assert_string_equal(eve, "0.31"); /* the newest, once */
    at = (uint64_t)int_at(&answer, "at");
    ate_free(&answer.value);
    end_subscription(b, call);
    call = subscribe(b, "view", ARGS("view=balance"), at, 0);
    next(b, call, &answer);
    assert_false(eve_has(&answer, eve, sizeof(eve))); /* nothing since */
    assert_int_equal(int_at(&answer, "at"), at);
    ate_free(&answer.value);
    end_subscription(b, call);
    ate_port_free(port);
}

/* ---- many, and slow ones ---- */

/* One that takes nothing does not keep writes from being made, and then is
 * told the newest. */
static void a_stalled_one_slows_nobody(void **state)
{
    struct bench *b = *state;
    struct ate_port *port = ate_port_new();
    struct ate_answer answer;
    char eve[40] = "";
    uint64_t call = subscribe(b, "view", ARGS("view=balance"), 0, 1);
    next(b, call, &answer);
    ate_free(&answer.value);
    for (int i = 0; i < WRITES; i++)
        transfer(b, port);
    assert_int_equal(ate_port_next(b->port, &answer, 0), 0);
    ate_grant(b->ate, call, 1);
    next(b, call, &answer);
    assert_true(eve_has(&answer, eve, sizeof(eve)));
    assert_string_equal(eve, "0.30");
    ate_free(&answer.value);
    end_subscription(b, call);
    ate_port_free(port);
}

static void a_hundred_are_all_told(void **state)
{
    struct bench *b = *state;
    struct ate_port *port = ate_port_new();
    struct ate_answer answer;
    uint64_t calls[SUBSCRIBERS];
    bool told[SUBSCRIBERS] = {0};
    size_t left = SUBSCRIBERS;
    char eve[40] = "";
    for (size_t i = 0; i < SUBSCRIBERS; i++)
        calls[i] = subscribe(b, "view", ARGS("view=balance"), 0, 0);
    for (int i = 0; i < WRITES; i++)
        transfer(b, port);
    while (left > 0) {
        assert_int_equal(ate_port_next(b->port, &answer, WAIT_MS), 1);
        assert_int_equal(answer.kind, ATE_ANSWER_DATA);
        if (eve_has(&answer, eve, sizeof(eve)) && strcmp(eve, "0.30") == 0) {
            size_t i = (size_t)(answer.call - calls[0]);
            assert_int_equal(answer.call, calls[i]);
            assert_false(told[i]);
            told[i] = true;
            left--;
        }
        ate_free(&answer.value);
    }
    for (size_t i = 0; i < SUBSCRIBERS; i++)
        ate_cancel(b->ate, calls[i]);
    for (size_t ended = 0; ended < SUBSCRIBERS;) {
        assert_int_equal(ate_port_next(b->port, &answer, WAIT_MS), 1);
        ended += answer.kind == ATE_ANSWER_FINAL;
        ate_free(&answer.value);
    }
    ate_port_free(port);
}

/* ---- the end ---- */

static void closing_ends_them_and_says_so(void **state)
{
    struct bench *b = *state;
    struct ate_answer answer;
    uint64_t call = subscribe(b, "view", ARGS("view=balance"), 0, 0);
    next(b, call, &answer);
    ate_free(&answer.value);
    bool is_remote = b->owner != NULL;
    ate_close(is_remote ? b->owner : b->ate);
    if (is_remote)
        b->owner = NULL;
    else
        b->ate = NULL;
    int code = end_of(b->port, call, &answer, NULL);
    assert_int_equal(code, is_remote ? ATE_UNAVAILABLE : ATE_CANCELED);
    assert_non_null(strstr(answer.error.text,
                           is_remote ? "the daemon is stopping"
                                     : "the data folder is being closed"));
}

static void what_cannot_be_followed_says_why(void **state)
{
    struct bench *b = *state;
    struct ate_answer answer;
    uint64_t call = subscribe(b, "view", ARGS("view=blance"), 0, 0);
    assert_int_equal(end_of(b->port, call, &answer, NULL), ATE_NOT_FOUND);
    assert_non_null(strstr(answer.error.text, "did you mean 'balance'"));
    call = subscribe(b, "call", ARGS("method=transfer"), 0, 0);
    assert_int_equal(end_of(b->port, call, &answer, NULL), ATE_INVALID);
    assert_non_null(strstr(answer.error.text, "transfer: writes"));
}

/* A default method that reads is followed by its name, too. */
static void default_methods_are_followed(void **state)
{
    struct bench *b = *state;
    struct ate_answer answer;
    char name[40] = "";
    struct bytes value;
    struct buf args = {0};
    mp_put_map(&args, 3);
    mp_put_text(&args, "args");
    mp_put_map(&args, 1);
    mp_put_text(&args, "name");
    mp_put_text(&args, "bob");
    mp_put_text(&args, "follow");
    mp_put_bool(&args, true);
    mp_put_text(&args, "method");
    mp_put_text(&args, "account.get");
    struct ate_request request = {
        .chain = "bank",
        .method = "call",
        .args = args.data,
        .args_len = args.len,
    };
    uint64_t call = ate_read(b->ate, b->port, &request);
    next(b, call, &answer);
    value = mp_map_get(bytes_of(answer.value.data, answer.value.len), "value");
    struct mp mp = mp_open(mp_map_get(value, "name"));
    struct bytes text;
    assert_int_equal(mp_get_str(&mp, &text, NULL), 0);
    snprintf(name, sizeof(name), "%.*s", (int)text.len,
             (const char *)text.data);
    assert_string_equal(name, "bob");
    ate_free(&answer.value);
    buf_deinit(&args);
    end_subscription(b, call);
}

#define BOTH(test)                                                             \
    cmocka_unit_test_setup_teardown(test, set_up, tear_down),                  \
        cmocka_unit_test_setup_teardown(test, set_up_remote, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(each_write_is_told_with_its_position),
        BOTH(a_tail_goes_on_where_it_stopped),
        BOTH(a_position_is_gone_on_from),
        BOTH(a_stalled_one_slows_nobody),
        BOTH(a_hundred_are_all_told),
        BOTH(closing_ends_them_and_says_so),
        BOTH(what_cannot_be_followed_says_why),
        BOTH(default_methods_are_followed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
