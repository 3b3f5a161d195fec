/* Alarms of a chain's node: a run that was stopped decides nothing of what is
 * stored, neither rows nor whether the log is good. */
#include "fixture_bundles.h"

#include <pthread.h>

#include "sandbox/watch.h"

struct stopper {
    struct watch *watch;
    atomic_bool ends;
};

enum { TRIES = 1000 }; /* until the other thread came in time */

/* Runs of a few steps end before they notice. */
static void *stop_all_runs(void *ctx)
{
    struct stopper *s = ctx;
    while (!atomic_load(&s->ends)) {
        uint64_t run = watch_run(s->watch);
        if (run != 0)
            watch_stop(s->watch, run);
    }
    return NULL;
}

/* A rule that takes a while, and a view that reads bodies: a note of `n` takes
 * n thousand turns of a loop. */
static const char slow_rest[] =
    "local function turn(n)\n"
    "    local sum = 0\n"
    "    for i = 1, n * 1000 do sum = sum + i % 7 end\n"
    "    return sum\n"
    "end\n"
    "shop:event('rest', {doc = 'd', header = {n = t.integer()}})\n"
    "shop:event('note', {doc = 'd', header = {n = t.integer()},\n"
    "    body = {more = t.text()}})\n"
    "shop:rule('slow', {doc = 'd', on = {'rest'},\n"
    "    check = function(_, rest) return turn(rest.n) >= 0 end})\n"
    "shop:view('total', {doc = 'd', reads = 'bodies', key = {'k'},\n"
    "    row = {k = t.integer(), sum = t.default(t.integer(), 0)},\n"
    "    fold = {note = function(rows, note)\n"
    "        rows:add(1, {sum = 1 + 0 * turn(note.n)})\n"
    "    end}})\n";

static void open_slow(struct fixture_chain *f, struct watch *watch)
{
    fixture_open_disk(f, NULL, NULL, NULL);
    script_cache_free(f->cache);
    f->cache = script_cache_new(watch);
    f->maker = script_maker(f->cache);
    shop_birth(f, slow_rest);
}

/* Opening gives up somewhere: what stands before it is there, and nobody calls
 * the log damaged. Opened on a calmer day it is whole. */
static void gives_up_and_recovers(struct fixture_chain *f, struct watch *watch)
{
    pthread_t thread;
    struct stopper stopper = {.watch = watch};
    struct fixture_query q;
    const struct err *why;
    struct both_sides was = sides_now(f);
    int rc = 0;
    assert_int_equal(pthread_create(&thread, NULL, stop_all_runs, &stopper), 0);
    for (int i = 0; i < TRIES && rc == 0; i++)
        rc = fixture_reopen(f, LOG_READ_WRITE);
    atomic_store(&stopper.ends, true);
    pthread_join(thread, NULL);
    assert_refused(rc, &f->done_err, ATE_EUNAVAILABLE, "an alarm of this node");
    assert_int_equal(chain_state(f->chain, &why), ATE_EUNAVAILABLE);
    assert_string_equal(chain_state_word(f->chain), "unchecked");
    assert_true(chain_size(f->chain) < was.size);
    assert_true(chain_size(f->chain) > 0);
    begin_query(f, &q, "info", NULL, 1);
    fixture_run(f);
    assert_int_equal(q.code, 0);
    struct mp mp = mp_open(mp_map_get(buf_bytes(&q.result), "state"));
    struct bytes word;
    assert_int_equal(mp_get_str(&mp, &word, NULL), 0);
    assert_true(bytes_equal(word, bytes_of_text("unchecked")));
    end_query(&q);
    /* The rule that takes so long can be read. */
    begin_query(f, &q, "source", "module=shop", 1);
    fixture_run(f);
    assert_int_equal(q.code, 0);
    assert_non_null(mp_map_get(buf_bytes(&q.result), "source").data);
    end_query(&q);
    assert_int_equal(fixture_reopen(f, LOG_READ_WRITE), 0);
    assert_string_equal(chain_state_word(f->chain), "open");
    assert_sides(f, was);
}

static void a_chain_that_opening_gave_up_on_is_unchecked(void **state)
{
    struct fixture_chain f;
    struct watch watch = {.limit_ms = 2000};
    (void)state;
    open_slow(&f, &watch);
    fixture_ok(&f, 0, "rest.append", ARGS("n=0"));
    fixture_ok(&f, 0, "rest.append", ARGS("n=90"));
    gives_up_and_recovers(&f, &watch);
    fixture_ok(&f, 0, "rest.append", ARGS("n=1"));
    fixture_close(&f);
}

/* Rows of a view that reads bodies do not depend on who was in a hurry: not
 * when the event is accepted, not when it is replayed. */
static void an_alarm_decides_no_rows(void **state)
{
    struct fixture_chain f;
    struct watch watch = {.limit_ms = 2000};
    struct stopper stopper = {.watch = &watch};
    struct fixture_call c;
    pthread_t thread;
    struct err err;
    (void)state;
    open_slow(&f, &watch);
    fixture_ok(&f, 0, "note.append", ARGS("more=x", "n=0"));
    struct both_sides was = sides_now(&f);
    int rc = 0;
    int notes = 1;
    char sum[16];
    assert_int_equal(pthread_create(&thread, NULL, stop_all_runs, &stopper), 0);
    for (int i = 0; i < TRIES && rc == 0; i++) {
        was = sides_now(&f);
        fixture_call(&f, &c, 0, "note.append", ARGS("more=x", "n=90"));
        rc = end_call(&c, &err);
        notes += rc == 0;
    }
    atomic_store(&stopper.ends, true);
    pthread_join(thread, NULL);
    assert_refused(rc, &err, ATE_EUNAVAILABLE, "view total, fold of note");
    assert_sides(&f, was);
    assert_int_equal(chain_core(f.chain)->fold_failures, 0);
    snprintf(sum, sizeof(sum), "%d", notes);
    assert_value(&f, "total", "sum", sum);
    if (notes == 1)
        fixture_ok(&f, 0, "note.append", ARGS("more=x", "n=90"));
    snprintf(sum, sizeof(sum), "%d", notes + (notes == 1));
    gives_up_and_recovers(&f, &watch);
    assert_value(&f, "total", "sum", sum);
    fixture_close(&f);
}

/* What takes more than the chain allows has no row, whoever folds it: a replay
 * allows such a fold no more than he did who accepted. */
static void limits_of_private_folds_are_the_same_for_all(void **state)
{
    struct fixture_chain f;
    (void)state;
    open_slow(&f, NULL);
    fixture_ok(&f, 0, "note.append", ARGS("more=x", "n=1"));
    fixture_ok(&f, 0, "note.append", ARGS("more=x", "n=900"));
    assert_value(&f, "total", "sum", "1");
    assert_int_equal(chain_core(f.chain)->fold_failures, 1);
    assert_int_equal(fixture_reopen(&f, LOG_READ_ONLY), 0);
    assert_value(&f, "total", "sum", "1");
    assert_int_equal(chain_core(f.chain)->fold_failures, 1);
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_chain_that_opening_gave_up_on_is_unchecked),
        cmocka_unit_test(an_alarm_decides_no_rows),
        cmocka_unit_test(limits_of_private_folds_are_the_same_for_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
