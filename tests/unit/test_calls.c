/* Calls in flight: what arrives twice, what arrives faster than the disk takes
 * it, and keys that are used up. Whatever happened, the log that was written
 * opens again, with the same state. */
#include "fixture_chain.h"

#include "chain/history.h"
#include "chain/inside.h"

#define bank_test(name)                                                        \
    cmocka_unit_test_setup_teardown(name, fixture_bank, fixture_tear_down)

#define PAY ARGS("amount=1", "from=alice", "to=bob")

/* A client that lost its connection sends again while the first call is still
 * being written: both get the answer of the one transaction. */
static void a_call_repeated_in_flight_enters_once(void **state)
{
    struct fixture_chain *f = *state;
    struct fixture_call c[3];
    uint64_t size = chain_size(f->chain);
    for (int i = 0; i < 3; i++) {
        fixture_begin(f, &c[i], 1, "transfer", PAY);
        f->calls--;
        if (i == 1)
            chain_flush(f->chain); /* the third finds it under way */
    }
    fixture_run(f);
    assert_int_equal(chain_size(f->chain), size + 1);
    for (int i = 0; i < 3; i++) {
        assert_true(c[i].done);
        assert_int_equal(c[i].call.code, 0);
        assert_true(c[i].call.wrote);
        assert_int_equal(c[i].call.index, size);
        fixture_end(&c[i]);
    }
    fixture_reopens(f);
}

/* Arguments alone do not make a call the same. */
static void a_call_id_belongs_to_one_method_and_author(void **state)
{
    struct fixture_chain *f = *state;
    struct fixture_call c;
    fixture_ok(f, 1, "account.put", ARGS("name=carol", "owner=alice"));
    uint64_t size = chain_size(f->chain);
    f->calls--;
    assert_int_equal(fixture_call(f, &c, 1, "account.create",
                                  ARGS("name=carol", "owner=alice")),
                     ATE_ECONFLICT);
    assert_non_null(strstr(c.call.err.text, "for another method"));
    assert_false(c.call.wrote);
    fixture_end(&c);
    f->calls--;
    assert_int_equal(fixture_call(f, &c, 2, "account.put",
                                  ARGS("name=carol", "owner=alice")),
                     ATE_ECONFLICT);
    assert_non_null(strstr(c.call.err.text, "by another author"));
    fixture_end(&c);
    assert_int_equal(chain_size(f->chain), size);
}

/* Two authors in turn: each call is a frame of its own. They arrive faster than
 * the disk takes them; all the same each gets in, in order, and what its author
 * had seen can still be checked when the log is read back. */
static void more_calls_than_a_group_holds_wait(void **state)
{
    enum { CALLS = 2 * HISTORY_MAX };
    struct fixture_chain *f = *state;
    struct fixture_call *c = mem_zero(CALLS, sizeof(*c));
    for (int i = 0; i < CALLS; i++) {
        fixture_begin(f, &c[i], 1 + i % 2, "transfer",
                      i % 2 == 0 ? ARGS("amount=1", "from=alice", "to=bob")
                                 : ARGS("amount=1", "from=bob", "to=alice"));
        if (i == 0 || i == CALLS / 4)
            chain_flush(f->chain); /* the disk does not come back yet */
    }
    fixture_run(f);
    for (int i = 0; i < CALLS; i++) {
        assert_true(c[i].done);
        if (c[i].call.code != 0)
            fail_msg("call %d: %s", i, c[i].call.err.text);
        assert_int_equal(c[i].call.index, 4 + i);
        fixture_end(&c[i]);
    }
    mem_free(c);
    fixture_reopens(f);
}

/* A later call names what an earlier one makes, though both wait. */
static void waiting_calls_see_those_before_them(void **state)
{
    enum { CALLS = HISTORY_MAX };
    struct fixture_chain *f = *state;
    struct fixture_call *c = mem_zero(CALLS + 2, sizeof(*c));
    for (int i = 0; i < CALLS; i++)
        fixture_begin(f, &c[i], 1 + i % 2, "account.put",
                      ARGS("name=other", "owner=alice"));
    fixture_begin(f, &c[CALLS], 1, "account.put",
                  ARGS("name=late", "owner=alice"));
    fixture_begin(f, &c[CALLS + 1], 1, "transfer",
                  ARGS("amount=1", "from=late", "to=bob"));
    fixture_run(f);
    if (c[CALLS + 1].call.code != 0)
        fail_msg("%s", c[CALLS + 1].call.err.text);
    for (int i = 0; i < CALLS + 2; i++)
        fixture_end(&c[i]);
    mem_free(c);
}

/* ---- signatures that others make meanwhile ---- */

struct forking {
    struct pool pool;
    struct forked *forked[8]; /* that are not joined */
    size_t count;
    size_t forks;
    size_t joins;
};

static void fork_one(void *ctx, struct forked *forked)
{
    struct forking *w = ctx;
    assert_in_range(w->count, 0, 7);
    w->forked[w->count++] = forked;
    w->forks++;
}

/* It was not begun before: what needs it too early finds nothing. */
static void join_one(void *ctx, struct forked *forked)
{
    struct forking *w = ctx;
    size_t at = 0;
    while (at < w->count && w->forked[at] != forked)
        at++;
    assert_in_range(at, 0, w->count - 1);
    w->forked[at] = w->forked[--w->count];
    w->joins++;
    forked->work(forked);
}

static void let_fork(struct fixture_chain *f, struct forking *w)
{
    *w = (struct forking){
        .pool = {.ctx = w, .fork = fork_one, .join = join_one}};
    f->chain->deps.pool = &w->pool;
}

/* By alice, alice, alice, bob, alice: three batches, two of which the next
 * author closed. */
static void batches_of_others_are_signed_meanwhile(void **state)
{
    struct fixture_chain *f = *state;
    struct fixture_call c[5];
    struct forking w;
    let_fork(f, &w);
    for (int i = 0; i < 5; i++)
        fixture_begin(f, &c[i], i == 3 ? 2 : 1, "transfer",
                      i == 3 ? ARGS("amount=1", "from=bob", "to=alice") : PAY);
    assert_int_equal(w.joins, 0);
    fixture_run(f);
    assert_int_equal(w.forks, 2);
    assert_int_equal(w.joins, 2);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(c[i].call.code, 0);
        fixture_end(&c[i]);
    }
    f->chain->deps.pool = NULL;
    fixture_reopens(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        bank_test(a_call_repeated_in_flight_enters_once),
        bank_test(a_call_id_belongs_to_one_method_and_author),
        bank_test(more_calls_than_a_group_holds_wait),
        bank_test(waiting_calls_see_those_before_them),
        bank_test(batches_of_others_are_signed_meanwhile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
