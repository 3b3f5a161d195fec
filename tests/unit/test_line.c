/* Reads that take long: cut by steps, never by the clock alone, and gone on
 * with in their order; what they tell is the same. */
#define _GNU_SOURCE /* memmem */
#include "fixture_bundles.h"

#include "query/line.h"

enum { ROWS = 200, READS = 3, ROUNDS_MAX = 1000 };

/* A piece may be cut when it took LINE_STEPS steps; what it looked at before
 * counts, too. */
enum { PIECES = ROWS / LINE_STEPS };

#define SHELVES                                                                \
    "shop:event('put', {doc = 'd',\n"                                          \
    "    header = {n = t.integer(), v = t.integer()}})\n"                      \
    "shop:event('moved', {doc = 'd',\n"                                        \
    "    header = {from = t.integer(), to = t.integer()}})\n"                  \
    "shop:view('all', {doc = 'd', key = {'n'},\n"                              \
    "    row = {n = t.integer(), v = t.default(t.integer(), 0)},\n"            \
    "    fold = {put = function(rows, e) rows:set(e.n, {v = e.v}) end,\n"      \
    "        moved = function(rows, e)\n"                                      \
    "            rows:add(e.from, {v = -1})\n"                                 \
    "            rows:add(e.to, {v = 1})\n"                                    \
    "        end}})\n"                                                         \
    "shop:method('fill', {doc = 'd', mode = 'write',\n"                        \
    "    args = {count = t.integer()},\n"                                      \
    "    run = function(ctx, args)\n"                                          \
    "        for n = 1, args.count do ctx:emit('put', {n = n, v = 1}) end\n"   \
    "    end})\n"                                                              \
    "shop:worker('see', {doc = 'd', on = {'put'}, run = function() end})\n"

struct bench {
    struct fixture_chain f;
    struct query_line line;
    int64_t now_us;
    int64_t step_us; /* each look at the clock takes so long */
    size_t looks;
};

static int64_t look(void *ctx)
{
    struct bench *b = ctx;
    b->looks++;
    return b->now_us += b->step_us;
}

static int set_up(void **state)
{
    struct bench *b = mem_zero(1, sizeof(*b));
    shop_open(&b->f, SHELVES);
    fixture_ok(&b->f, 0, "fill", ARGS("count=200"));
    b->step_us = LINE_SLICE_US; /* the second look finds it over */
    query_line_init(&b->line, look, b);
    *state = b;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *b = *state;
    assert_true(ring_is_empty(&b->line.waiting));
    fixture_close(&b->f);
    mem_free(b);
    return 0;
}

/* "name=value" pairs in order; `where` "v=7" or NULL. */
static void begin(struct bench *b, struct fixture_query *q, const char *method,
                  const char *column, const char *where)
{
    struct buf args = {0};
    *q = (struct fixture_query){0};
    mp_put_map(&args, 1 + (column != NULL) + (where != NULL));
    if (column != NULL) {
        mp_put_text(&args, "column");
        mp_put_text(&args, column);
    }
    mp_put_text(&args, "view");
    mp_put_text(&args, "all");
    if (where != NULL) {
        mp_put_text(&args, "where");
        mp_put_map(&args, 1);
        mp_put_str(&args, bytes_of(where, 1));
        mp_put_text(&args, where + 2);
    }
    q->query = query_start(b->f.chain, bytes_of_text(method), buf_bytes(&args),
                           ROWS + 1, query_chunk_came, query_over, q);
    query_share_turns(q->query, &b->line);
    query_run(q->query);
    buf_deinit(&args);
}

/* Until it ended; how many turns it took. */
static size_t turns_to_the_end(struct bench *b, struct fixture_query *q)
{
    size_t turns = 0;
    while (q->query != NULL) {
        assert_true(turns++ < ROUNDS_MAX);
        query_line_run(&b->line);
    }
    return turns;
}

static int64_t number_of(const struct fixture_query *q)
{
    int64_t value = -1;
    struct mp mp = mp_open(buf_bytes(&q->result));
    assert_int_equal(mp_get_int(&mp, &value, NULL), 0);
    return value;
}

static void what_matches_nothing_is_cut(void **state)
{
    struct bench *b = *state;
    struct fixture_query q;
    begin(b, &q, "view", NULL, "v=7");
    assert_non_null(q.query);
    assert_true(turns_to_the_end(b, &q) >= PIECES / 2);
    assert_int_equal(q.code, 0);
    assert_int_equal(q.count, 0);
    end_query(&q);
}

/* Rows are told as without a line, each once and in their order. */
static void what_is_cut_tells_the_same(void **state)
{
    struct bench *b = *state;
    struct fixture_query q;
    struct buf rows = {0};
    size_t count = 0;
    rows_of(&b->f, "all", &rows, &count);
    begin(b, &q, "view", NULL, NULL);
    assert_non_null(q.query);
    assert_in_range(q.count, 1, 3 * LINE_STEPS);
    assert_true(turns_to_the_end(b, &q) >= PIECES / 2);
    assert_int_equal(q.count, count);
    assert_true(bytes_equal(buf_bytes(&q.rows), buf_bytes(&rows)));
    end_query(&q);
    buf_deinit(&rows);
}

/* What moves from rows that are to come to those that were added already is
 * neither lost nor counted twice. */
static void a_sum_is_over_one_version(void **state)
{
    struct bench *b = *state;
    struct fixture_query q;
    begin(b, &q, "sum", "v", NULL);
    size_t turns = 0;
    while (q.query != NULL) {
        assert_true(turns++ < ROUNDS_MAX);
        fixture_ok(&b->f, 0, "moved.append", ARGS("from=200", "to=1"));
        fixture_ok(&b->f, 0, "put.append", ARGS("n=199", "v=50"));
        query_line_run(&b->line);
    }
    assert_true(turns >= PIECES / 2);
    assert_int_equal(q.code, 0);
    assert_int_equal(number_of(&q), ROWS);
    end_query(&q);
    begin(b, &q, "sum", "v", NULL);
    turns_to_the_end(b, &q);
    assert_int_equal(number_of(&q), ROWS + 49);
    end_query(&q);
}

/* Nobody holds a version of the core that went. */
static void a_sum_ends_with_its_schema(void **state)
{
    struct bench *b = *state;
    struct fixture_query q;
    begin(b, &q, "sum", "v", NULL);
    assert_non_null(q.query);
    switch_ok(&b->f, 2, SHELVES);
    turns_to_the_end(b, &q);
    assert_int_equal(q.code, ATE_ESTALE);
    end_query(&q);
}

/* One that is canceled does not wait for its turn. */
static void a_cancel_needs_no_turn(void **state)
{
    struct bench *b = *state;
    struct fixture_query q[2];
    begin(b, &q[0], "view", NULL, "v=7");
    begin(b, &q[1], "sum", "v", NULL);
    for (int i = 1; i >= 0; i--) {
        assert_non_null(q[i].query);
        query_run(q[i].query); /* it waits: nothing comes of it */
        assert_non_null(q[i].query);
        query_cancel(q[i].query);
        query_run(q[i].query);
        assert_null(q[i].query);
        assert_int_equal(q[i].code, ATE_ECANCELED);
        end_query(&q[i]);
    }
    assert_true(ring_is_empty(&b->line.waiting));
}

/* However many stand in the line, a turn is one slice: here that of one. Each
 * gets as many turns as the others. */
static void they_take_turns(void **state)
{
    struct bench *b = *state;
    struct fixture_query q[READS];
    size_t ended = 0;
    size_t turns = 0;
    for (int i = 0; i < READS; i++)
        begin(b, &q[i], "view", NULL, NULL);
    while (query_line_run(&b->line), !ring_is_empty(&b->line.waiting)) {
        size_t least = SIZE_MAX;
        size_t most = 0;
        assert_true(turns++ < ROUNDS_MAX);
        for (int i = 0; i < READS; i++) {
            least = q[i].count < least ? q[i].count : least;
            most = q[i].count > most ? q[i].count : most;
        }
        assert_in_range(most - least, 0, 4 * LINE_STEPS);
    }
    assert_true(turns >= READS * PIECES / 2);
    for (int i = 0; i < READS; i++) {
        ended += q[i].query == NULL && q[i].count == ROWS;
        end_query(&q[i]);
    }
    assert_int_equal(ended, READS);
}

/* Not even a look at the clock. */
static void a_short_read_pays_nothing(void **state)
{
    struct bench *b = *state;
    struct fixture_query q;
    begin(b, &q, "view", NULL, "n=150");
    assert_null(q.query);
    assert_int_equal(q.count, 1);
    assert_int_equal(b->looks, 0);
    end_query(&q);
}

/* Where time does not pass, all is done in one turn. */
static void a_slice_is_used_up(void **state)
{
    struct bench *b = *state;
    struct fixture_query q;
    b->step_us = 0;
    begin(b, &q, "view", NULL, NULL);
    assert_null(q.query);
    assert_true(b->looks >= PIECES);
    end_query(&q);
}

static void begin_workers(struct bench *b, struct fixture_query *q)
{
    struct buf none = {0};
    *q = (struct fixture_query){0};
    mp_put_map(&none, 0);
    q->query =
        query_start(b->f.chain, bytes_of_text("workers"), buf_bytes(&none), 10,
                    query_chunk_came, query_over, q);
    query_share_turns(q->query, &b->line);
    query_run(q->query);
    buf_deinit(&none);
}

static void waiting_work_is_counted_in_turns(void **state)
{
    struct bench *b = *state;
    struct fixture_query q;
    begin_workers(b, &q);
    assert_true(turns_to_the_end(b, &q) >= PIECES / 2);
    assert_int_equal(q.code, 0);
    int64_t waiting = 0;
    struct mp mp = mp_open(mp_map_get(buf_bytes(&q.rows), "waiting"));
    assert_int_equal(mp_get_int(&mp, &waiting, NULL), 0);
    assert_int_equal(waiting, ROWS);
    end_query(&q);
}

/* ---- what takes a walk over all ---- */

static void begin_info(struct bench *b, struct fixture_query *q)
{
    struct buf args = {0};
    *q = (struct fixture_query){0};
    mp_put_map(&args, 1);
    mp_put_text(&args, "state");
    mp_put_bool(&args, true);
    q->query = query_start(b->f.chain, bytes_of_text("info"), buf_bytes(&args),
                           1, query_chunk_came, query_over, q);
    query_run(q->query);
    buf_deinit(&args);
}

static int64_t told(const struct fixture_query *q, const char *name)
{
    int64_t value = -1;
    struct mp mp = mp_open(mp_map_get(buf_bytes(&q->result), name));
    assert_int_equal(mp_get_int(&mp, &value, NULL), 0);
    return value;
}

/* The pool makes it while calls are written; all of it is of one size. */
static void a_survey_is_made_beside_the_work(void **state)
{
    struct bench *b = *state;
    struct fixture_query q;
    struct fixture_query then;
    struct fixture_call c;
    begin_info(b, &then); /* no pool: at once */
    assert_null(then.query);
    fixture_work_late(&b->f);
    b->f.chain->deps.pool = &b->f.pool;
    begin_info(b, &q);
    assert_non_null(q.query);
    fixture_begin(&b->f, &c, 0, "put.append", ARGS("n=1000", "v=1"));
    while (!c.done) {
        chain_flush(b->f.chain);
        memory_disk_reap(b->f.disk);
    }
    assert_int_equal(c.call.code, 0);
    fixture_end(&c);
    assert_non_null(q.query);
    assert_false(chain_is_idle(b->f.chain));
    fixture_run(&b->f);
    assert_null(q.query);
    assert_true(bytes_equal(buf_bytes(&q.result), buf_bytes(&then.result)));
    assert_int_equal(told(&q, "rows"), ROWS);
    assert_int_equal(told(&q, "objects"), ROWS);
    end_query(&q);
    end_query(&then);
}

/* The core stays until nobody walks over it; and none begins to meanwhile, or
 * there would always be one more that it waits for. */
static void another_schema_waits_for_a_survey(void **state)
{
    struct bench *b = *state;
    struct fixture_query q;
    struct fixture_query late;
    struct fixture_call c;
    struct err err;
    bring_ok(&b->f, 2, SHELVES);
    fixture_work_late(&b->f);
    b->f.chain->deps.pool = &b->f.pool;
    begin_info(b, &q);
    struct task *walk = b->f.late; /* the pool does all else before */
    b->f.late = NULL;
    begin_activation(&b->f, &c);
    fixture_run(&b->f);
    assert_false(c.done);
    assert_int_equal(chain_epoch(b->f.chain), 0);
    begin_info(b, &late);
    assert_null(late.query);
    assert_int_equal(late.code, ATE_EUNAVAILABLE);
    assert_null(b->f.late);
    end_query(&late);
    walk->work(walk);
    walk->done(walk);
    assert_null(q.query);
    assert_int_equal(q.code, 0);
    fixture_run(&b->f);
    assert_int_equal(end_call(&c, &err), 0);
    assert_int_equal(chain_epoch(b->f.chain), 1);
    end_query(&q);
}

/* Their places in the list are other workers' then. */
static void workers_end_with_their_schema(void **state)
{
    struct bench *b = *state;
    struct fixture_query q;
    begin_workers(b, &q);
    assert_non_null(q.query);
    switch_ok(&b->f, 2,
              SHELVES "shop:worker('aaa', {doc = 'd', on = {'moved'},\n"
                      "    run = function() end})\n");
    turns_to_the_end(b, &q);
    assert_int_equal(q.code, ATE_ESTALE);
    end_query(&q);
}

/* What one turn has left of its slice is no other's. */
static void a_turn_has_a_slice_of_its_own(void **state)
{
    struct bench *b = *state;
    struct fixture_query q;
    b->step_us = 1; /* a view is read within one slice */
    for (int i = 0; i < 3; i++) {
        query_line_turn(&b->line);
        begin(b, &q, "view", NULL, NULL);
        assert_null(q.query);
        end_query(&q);
        b->now_us += 1000000;
    }
}

#define line_test(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        line_test(what_matches_nothing_is_cut),
        line_test(what_is_cut_tells_the_same),
        line_test(a_sum_is_over_one_version),
        line_test(a_sum_ends_with_its_schema),
        line_test(a_cancel_needs_no_turn),
        line_test(they_take_turns),
        line_test(a_short_read_pays_nothing),
        line_test(a_slice_is_used_up),
        line_test(waiting_work_is_counted_in_turns),
        line_test(a_survey_is_made_beside_the_work),
        line_test(another_schema_waits_for_a_survey),
        line_test(workers_end_with_their_schema),
        line_test(a_turn_has_a_slice_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
