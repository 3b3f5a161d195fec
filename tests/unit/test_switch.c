/* A bundle is put in force while work goes on: what happens between, who may do
 * it, how it is undone, and who reads meanwhile. */
#include "fixture_bundles.h"
#include "fixture_land.h"

#include "event/proposal.h"
#include "sim/sim_disk.h"

enum { MANY = 300 }; /* frames: more than may be tried while writes are held */

#define NOTE "shop:event('note', {doc = 'd', header = {n = t.integer()}})\n"
#define SUM(factor)                                                            \
    "shop:view('total', {doc = 'd', key = {'k'},\n"                            \
    "    row = {k = t.integer(), sum = t.default(t.integer(), 0)},\n"          \
    "    fold = {note = function(rows, note)\n"                                \
    "        rows:add(1, {sum = " factor " * note.n})\n"                       \
    "    end}})\n"                                                             \
    "shop:view('each', {doc = 'd', key = {'at'},\n"                            \
    "    row = {at = t.integer(), n = t.integer()},\n"                         \
    "    fold = {note = function(rows, note, tx)\n"                            \
    "        rows:set(tx.index, {n = note.n})\n"                               \
    "    end}})\n"
#define VERSION_1 NOTE SUM("1")
#define VERSION_2 NOTE SUM("10")
#define VERSION_3 NOTE SUM("100")

static void notes(struct fixture_chain *f, int count)
{
    for (int i = 0; i < count; i++)
        fixture_ok(f, 0, "note.append", ARGS("n=1"));
}

/* One turn of the driver. */
static bool turn(struct fixture_chain *f)
{
    chain_flush(f->chain);
    return f->pump(f->pump_ctx);
}

/* ---- while work goes on ---- */

/* Calls that come at any moment of it are answered; the sum has all of them,
 * and each once. */
static void calls_go_on_meanwhile(void **state)
{
    struct fixture_chain f;
    struct fixture_call active;
    struct fixture_call calls[MANY];
    size_t begun = 0;
    size_t before = 0; /* answered, while it was not yet in force */
    struct err err;
    char sum[32];
    (void)state;
    shop_open(&f, VERSION_1);
    notes(&f, MANY);
    bring_ok(&f, 2, VERSION_2);
    begin_activation(&f, &active);
    for (int turns = 0; !active.done; turns++) {
        assert_true(turns < 10000);
        if (begun < MANY) {
            fixture_begin(&f, &calls[begun], (int)begun % 3, "note.append",
                          ARGS("n=1"));
            begun++;
        }
        f.now += 400; /* heartbeats are due all the time */
        turn(&f);
        before = 0;
        for (size_t i = 0; i < begun; i++)
            before += calls[i].done;
    }
    fixture_run(&f);
    assert_true(before > 2 && begun > before);
    assert_int_equal(end_call(&active, &err), 0);
    for (size_t i = 0; i < begun; i++)
        assert_int_equal(end_call(&calls[i], &err), 0);
    assert_int_equal(version_now(&f), 2);
    snprintf(sum, sizeof(sum), "%zu", 10 * (MANY + begun));
    assert_value(&f, "total", "sum", sum);
    assert_reopens(&f);
    fixture_close(&f);
}

#define MANY_NOTES                                                             \
    "shop:method('many', {doc = 'd', mode = 'write',\n"                        \
    "    args = {count = t.integer()},\n"                                      \
    "    run = function(ctx, args)\n"                                          \
    "        for _ = 1, args.count do ctx:emit('note', {n = 1}) end\n"         \
    "    end})\n"

/* Rows of the one view or of the other: never of half a frame. */
static void assert_whole(struct fixture_chain *f, uint64_t notes)
{
    struct fixture_query q;
    int64_t sum = 0;
    begin_query(f, &q, "view", "view=total", 10);
    if (q.query != NULL) { /* a switch is being made durable */
        query_cancel(q.query);
        query_run(q.query);
        end_query(&q);
        return;
    }
    assert_int_equal(q.count, 1);
    struct mp mp = mp_open(mp_map_get(buf_bytes(&q.rows), "sum"));
    assert_int_equal(mp_get_int(&mp, &sum, NULL), 0);
    assert_true((uint64_t)sum >= (version_now(f) == 1 ? 1 : 10) * notes);
    assert_int_equal(sum % (version_now(f) == 1 ? 1 : 10), 0);
    end_query(&q);
}

/* One frame has far more than fits in a slice. Between any two, reads and
 * writes are served, and reads see what is in force, whole. */
static void frames_are_cut_between_events(void **state)
{
    enum { TXS = 5, EVENTS = 200, CALLS = 400, LOOKS = 10 };
    struct fixture_chain f;
    struct fixture_call active;
    struct fixture_call calls[CALLS];
    struct err err;
    char sum[32];
    size_t begun = 0;
    size_t slices = 0;
    size_t served = 0; /* while a slice was to come */
    (void)state;
    fixture_open_disk(&f, NULL, NULL, NULL);
    fixture_work_late(&f);
    fixture_cut(&f, LOOKS);
    shop_birth(&f, VERSION_1 MANY_NOTES);
    for (int i = 0; i < TXS; i++)
        fixture_ok(&f, 0, "many", ARGS("count=200"));
    bring_ok(&f, 2, VERSION_2 MANY_NOTES);
    begin_activation(&f, &active);
    for (int turns = 0; !active.done; turns++) {
        struct term term;
        term_get(chain_version(f.chain), &term); /* there is always one */
        assert_true(turns < 10000);
        assert_whole(&f, TXS * EVENTS);
        bool rests = f.late != NULL;
        slices += rests;
        if (rests && begun < CALLS && begun == served) {
            fixture_begin(&f, &calls[begun], (int)begun % 3, "note.append",
                          ARGS("n=1"));
            begun++;
            while (!calls[begun - 1].done) { /* only the disk works */
                chain_flush(f.chain);
                if (memory_disk_reap(f.disk) == 0)
                    break;
            }
            served += calls[begun - 1].done;
        }
        turn(&f);
    }
    fixture_run(&f);
    assert_int_equal(end_call(&active, &err), 0);
    for (size_t i = 0; i < begun; i++)
        assert_int_equal(end_call(&calls[i], &err), 0);
    print_message("%zu slices, %zu calls served between\n", slices, served);
    assert_true(slices > TXS * EVENTS / LOOKS / 2 && served > 10);
    snprintf(sum, sizeof(sum), "%zu", 10 * (TXS * EVENTS + begun));
    assert_value(&f, "total", "sum", sum);
    assert_reopens(&f);
    fixture_close(&f);
}

/* Two at once: one is told. */
static void one_at_a_time(void **state)
{
    struct fixture_chain f;
    struct fixture_call first;
    struct fixture_call second;
    struct err err;
    (void)state;
    shop_open(&f, VERSION_1);
    bring_ok(&f, 2, VERSION_2);
    begin_activation(&f, &first);
    begin_activation(&f, &second);
    fixture_run(&f);
    assert_int_equal(end_call(&first, &err), 0);
    assert_refused(end_call(&second, &err), &err, ATE_ECONFLICT,
                   "another bundle is being activated just now");
    assert_int_equal(version_now(&f), 2);
    fixture_close(&f);
}

/* Its bundle is on its way to the disk: it waits for that. */
static void both_calls_may_come_together(void **state)
{
    struct fixture_chain f;
    struct fixture_call brings;
    struct fixture_call active;
    struct err err;
    (void)state;
    shop_open(&f, VERSION_1);
    begin_call(&f, &brings, 0, "ate.bundle", bundle_args(2, VERSION_2));
    chain_call(f.chain, &brings.call);
    begin_activation(&f, &active);
    fixture_run(&f);
    assert_int_equal(end_call(&brings, &err), 0);
    assert_int_equal(end_call(&active, &err), 0);
    assert_int_equal(version_now(&f), 2);
    assert_reopens(&f);
    fixture_close(&f);
}

/* A stranger does not make the log be tried. */
static void only_root_keys_activate(void **state)
{
    struct fixture_chain f;
    struct fixture_call c;
    struct err err;
    (void)state;
    shop_open(&f, VERSION_1);
    bring_ok(&f, 2, VERSION_2);
    begin_call(&f, &c, 1, "ate.activate", (struct buf){0});
    chain_call(f.chain, &c.call);
    assert_null(f.chain->switching);
    fixture_run(&f);
    assert_refused(end_call(&c, &err), &err, ATE_EDENIED,
                   "it takes the chain's root keys");
    fixture_close(&f);
}

/* ---- signed elsewhere ---- */

static void open_with_two_roots(struct fixture_chain *f)
{
    fixture_open_disk(f, NULL, NULL, NULL);
    f->root_count = 2;
    f->threshold = 2;
    shop_birth(f, VERSION_1);
    notes(f, 3);
    struct fixture_call c;
    struct err err;
    struct signer other = {&f->keys[1], bytes_of_text(PURPOSE_ROOT), false};
    begin_call(f, &c, 0, "ate.bundle", bundle_args(2, VERSION_2));
    c.call.signers = &other;
    c.call.signer_count = 1;
    chain_call(f->chain, &c.call);
    fixture_run(f);
    assert_int_equal(end_call(&c, &err), 0);
}

static size_t tx_activate(struct tx *t, const uint8_t *bundle,
                          const uint8_t *root_or_null)
{
    struct buf fields = {0};
    struct activate_fields a = {bundle, root_or_null};
    activate_fields_put(&fields, &a);
    return tx_fact(t, TYPE_ACTIVATE, &fields, NULL);
}

/* The hash of the bundle that came last. */
static void next_hash(struct fixture_chain *f, uint8_t hash[HASH_SIZE])
{
    struct next_bundle next;
    assert_true(next_bundle_get(chain_version(f->chain), &next));
    memcpy(hash, next.hash, HASH_SIZE);
}

static void begin_tx(struct fixture_chain *f, struct tx *t,
                     const uint8_t *state_or_null)
{
    uint8_t hash[HASH_SIZE];
    next_hash(f, hash);
    tx_begin(f, t, &f->keys[0]);
    tx_activate(t, hash, state_or_null);
}

/* Handed in, it comes to this; nothing of it remains when it is refused. */
static void handed(struct fixture_chain *f, struct tx *t, size_t count,
                   int code, const char *words)
{
    struct handed h;
    const char *text = "";
    struct err err = {0};
    struct both_sides was = sides_now(f);
    batch_of(&h, t, count);
    hand_in(f, &h);
    fixture_run(f);
    int got = handed_code(&h, &text);
    snprintf(err.text, sizeof(err.text), "%s", text);
    assert_true(got == code || got != 0);
    if (code != 0) {
        assert_refused(got, &err, code, words);
        assert_sides(f, was);
        assert_int_equal(version_now(f), 1);
    } else if (got != 0) {
        fail_msg("%s", text);
    }
    assert_null(f->chain->switching);
    assert_false(f->chain->hidden);
    handed_end(&h);
    for (size_t i = 0; i < count; i++)
        tx_end(&t[i]);
}

static void a_batch_activates(void **state)
{
    struct fixture_chain f;
    struct tx t;
    (void)state;
    for (int beats = 0; beats < 2; beats++) {
        open_with_two_roots(&f);
        f.now += beats * 5000; /* a heartbeat has to come first */
        begin_tx(&f, &t, NULL);
        tx_sign(&t, &f.keys[1], PURPOSE_ROOT);
        handed(&f, &t, 1, 0, "");
        assert_int_equal(version_now(&f), 2);
        assert_value(&f, "total", "sum", "30");
        notes(&f, 1);
        assert_value(&f, "total", "sum", "40");
        assert_reopens(&f);
        fixture_close(&f);
    }
}

static void a_batch_that_may_not_is_refused(void **state)
{
    struct fixture_chain f;
    struct tx t[2];
    uint8_t other[HASH_SIZE] = {1};
    (void)state;
    open_with_two_roots(&f);
    begin_tx(&f, t, NULL);
    handed(&f, t, 1, ATE_EDENIED, "it takes the chain's root keys");
    begin_tx(&f, t, NULL);
    tx_sign(t, &f.keys[1], PURPOSE_CO_AUTHOR);
    handed(&f, t, 1, ATE_EDENIED, "it takes the chain's root keys");
    tx_begin(&f, t, &f.keys[0]);
    tx_activate(t, other, NULL);
    tx_sign(t, &f.keys[1], PURPOSE_ROOT);
    handed(&f, t, 1, ATE_ECONFLICT,
           "it names another bundle than the one that came last");
    /* With a state root of something else: known only after the log was tried.
     */
    begin_tx(&f, t, other);
    tx_sign(t, &f.keys[1], PURPOSE_ROOT);
    handed(&f, t, 1, ATE_ESTALE, "the state root under the new bundle differs");
    /* Made under another bundle. */
    begin_tx(&f, t, NULL);
    tx_sign(t, &f.keys[1], PURPOSE_ROOT);
    t->bundle[0] ^= 1;
    handed(&f, t, 1, ATE_ESTALE, "another bundle than the one in force");
    /* Not alone: in its transaction, in its batch. */
    begin_tx(&f, t, NULL);
    tx_activate(t, other, NULL);
    tx_sign(t, &f.keys[1], PURPOSE_ROOT);
    handed(&f, t, 1, ATE_EINVALID, "is alone in its transaction");
    begin_tx(&f, &t[0], NULL);
    begin_tx(&f, &t[1], NULL);
    t[1].first_sequence++;
    handed(&f, t, 2, ATE_EINVALID, "is alone in its batch");
    notes(&f, 2);
    assert_value(&f, "total", "sum", "5");
    assert_reopens(&f);
    fixture_close(&f);
}

/* In a log, too; one that was refused is company. */
static void a_log_activates_in_no_company(void **state)
{
    struct fixture_chain f;
    struct handed h;
    struct tx t;
    uint8_t other[TX_ID_SIZE] = {1};
    (void)state;
    for (int i = 0; i < 2; i++) {
        open_with_two_roots(&f);
        begin_tx(&f, &t, NULL);
        tx_sign(&t, &f.keys[1], PURPOSE_ROOT);
        as_ordered(&h, &t, i == 0 ? other : NULL);
        if (i == 0)
            assert_forgery_refused(&f, &h, 1, "is alone in its batch");
        else
            assert_forgery_taken(&f, &h);
        assert_int_equal(version_now(&f), 1 + i);
        handed_end(&h);
        tx_end(&t);
        fixture_close(&f);
    }
}

/* One that cannot be put in force says why to whoever hands it in. */
static void a_batch_is_told_why_the_log_refuses(void **state)
{
    struct fixture_chain f;
    struct tx t;
    (void)state;
    shop_open(&f, VERSION_1);
    notes(&f, 3);
    bring_ok(&f, 2,
             NOTE "shop:view('bad', {doc = 'd', key = {'k'},\n"
                  "    row = {k = t.integer()},\n"
                  "    fold = {note = function() error('boom') end}})\n");
    begin_tx(&f, &t, NULL);
    handed(&f, &t, 1, ATE_ESCRIPT, "boom");
    assert_reopens(&f);
    fixture_close(&f);
}

/* Those behind it keep their order; it is known when it comes again. */
static void batches_keep_their_order(void **state)
{
    struct fixture_chain f;
    struct tx t;
    struct handed first;
    struct handed again;
    const char *text;
    (void)state;
    shop_open(&f, VERSION_1);
    notes(&f, MANY);
    bring_ok(&f, 2, VERSION_2);
    begin_tx(&f, &t, NULL);
    batch_of(&first, &t, 1);
    batch_of(&again, &t, 1);
    hand_in(&f, &first);
    hand_in(&f, &again);
    struct fixture_call call;
    turn(&f);
    fixture_begin(&f, &call, 1, "note.append", ARGS("n=1"));
    fixture_run(&f);
    assert_int_equal(handed_code(&first, &text), 0);
    assert_int_equal(handed_code(&again, &text), 0);
    assert_true(again.submit.results[0].known);
    assert_int_equal(first.submit.results[0].index,
                     again.submit.results[0].index);
    struct err err;
    end_call(&call, &err);
    assert_int_equal(version_now(&f), 2);
    assert_reopens(&f);
    handed_end(&first);
    handed_end(&again);
    tx_end(&t);
    fixture_close(&f);
}

/* Nothing is written by it, nothing is in force; handed in later, it is. */
static void a_proposal_activates_when_it_is_handed_in(void **state)
{
    struct fixture_chain f;
    struct fixture_call c;
    struct handed h = {0};
    struct bytes parts[3];
    const char *text = "";
    struct err err;
    (void)state;
    open_with_two_roots(&f);
    struct both_sides was = sides_now(&f);
    struct signer other = {&f.keys[1], bytes_of_text(PURPOSE_ROOT), false};
    begin_call(&f, &c, 0, "ate.activate", (struct buf){0});
    c.call.signers = &other;
    c.call.signer_count = 1;
    c.call.proposes = true;
    chain_call(f.chain, &c.call);
    fixture_run(&f);
    assert_true(c.done);
    assert_int_equal(c.call.code, 0);
    assert_false(c.call.wrote);
    assert_sides(&f, was);
    assert_int_equal(version_now(&f), 1);
    assert_false(f.chain->hidden);
    notes(&f, 2); /* the state is another one then */
    struct mp mp = mp_open(buf_bytes(&c.call.proposal));
    assert_int_equal(mp_get_array_of(&mp, 3, NULL), 0);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(mp_get_bin(&mp, &parts[i], NULL), 0);
    buf_put_bytes(&h.payload, parts[0]);
    hand_in(&f, &h);
    fixture_run(&f);
    if (handed_code(&h, &text) != 0)
        fail_msg("%s", text);
    assert_int_equal(version_now(&f), 2);
    assert_value(&f, "total", "sum", "50");
    assert_reopens(&f);
    end_call(&c, &err);
    handed_end(&h);
    fixture_close(&f);
}

/* ---- state roots ---- */

/* At each place of a small rhythm of roots, after a refused call or not, with
 * or without a heartbeat that is due. */
static void roots_are_those_of_the_core_in_place(void **state)
{
    enum { EVERY = 4 };
    (void)state;
    for (int i = 0; i < 4 * EVERY; i++) {
        struct fixture_chain f;
        struct err err;
        struct fixture_call c;
        fixture_open_disk(&f, NULL, NULL, NULL);
        f.deps.state_root_every = EVERY;
        shop_birth(&f, VERSION_1);
        notes(&f, 1 + i % EVERY);
        bring_ok(&f, 2, VERSION_2);
        fixture_call(&f, &c, 0, "note.append", ARGS("n=many"));
        end_call(&c, &err);
        fixture_call(&f, &c, 1, "ate.bundle", ARGS("bundle=x"));
        end_call(&c, &err); /* DENIED, when it was tried */
        f.now += i / EVERY % 2 * 5000;
        struct buf none = {0};
        struct both_sides was = sides_now(&f);
        if (i / EVERY >= 2) { /* an activation that is undone */
            struct tx t;
            uint8_t other[HASH_SIZE] = {7};
            begin_tx(&f, &t, other);
            struct handed h;
            batch_of(&h, &t, 1);
            hand_in(&f, &h);
            fixture_run(&f);
            handed_end(&h);
            tx_end(&t);
            assert_true(chain_size(f.chain) <= was.size + 1); /* heartbeat */
        }
        if (activate(&f, &err) != 0)
            fail_msg("%s", err.text);
        notes(&f, 2);
        f.now += 5000; /* tells a root, if one is to be told */
        notes(&f, 2 * EVERY);
        f.now += 5000;
        notes(&f, 1);
        assert_reopens(&f);
        buf_deinit(&none);
        fixture_close(&f);
    }
}

/* With a pool, whose root is being made when all is ready. */
static void a_root_that_is_being_made_is_waited_for(void **state)
{
    enum { EVERY = 4 };
    (void)state;
    for (int i = 0; i < EVERY; i++) {
        struct fixture_chain f;
        struct err err;
        fixture_open_disk(&f, NULL, NULL, NULL);
        f.deps.state_root_every = EVERY;
        fixture_work_late(&f);
        shop_birth(&f, VERSION_1);
        notes(&f, 1 + i);
        bring_ok(&f, 2, VERSION_2);
        if (activate(&f, &err) != 0)
            fail_msg("%s", err.text);
        notes(&f, 2 * EVERY);
        f.now += 5000;
        notes(&f, 1);
        assert_reopens(&f);
        fixture_close(&f);
    }
}

/* ---- snapshots ---- */

static bool is_resumed(const struct fixture_chain *f)
{
    return f->chain->resumed.file.len > 0;
}

static void snapshots_go_across_it(void **state)
{
    struct fixture_chain f;
    (void)state;
    for (int late = 0; late < 2; late++) {
        fixture_open_disk(&f, NULL, NULL, NULL);
        f.deps.snapshot_transactions = 1;
        shop_birth(&f, VERSION_1);
        notes(&f, 5);
        if (late) /* the snapshot is of the bundle before */
            fixture_conclude(&f);
        bring_ok(&f, 2, VERSION_2);
        if (late) {
            fixture_conclude(&f); /* the next one names what may be activated */
            assert_int_equal(fixture_reopen(&f, LOG_READ_WRITE), 0);
            assert_true(is_resumed(&f));
        }
        struct err err;
        assert_int_equal(activate(&f, &err), 0);
        notes(&f, 2);
        if (!late)
            fixture_conclude(&f);
        struct both_sides was = sides_now(&f);
        assert_int_equal(fixture_reopen(&f, LOG_READ_WRITE), 0);
        assert_true(is_resumed(&f));
        assert_sides(&f, was);
        assert_int_equal(version_now(&f), 2);
        assert_value(&f, "total", "sum", "70");
        switch_ok(&f, 3, VERSION_3); /* tries the log from its beginning */
        assert_value(&f, "total", "sum", "700");
        was = sides_now(&f);
        f.deps.node_pair = NULL; /* from the log alone */
        assert_int_equal(fixture_reopen(&f, LOG_READ_ONLY), 0);
        assert_false(is_resumed(&f));
        assert_sides(&f, was);
        fixture_close(&f);
    }
}

/* ---- readers ---- */

/* A second chain on the same disk, which polls. */
struct reader {
    struct fixture_chain f;
};

static void poll(struct reader *r)
{
    chain_poll(r->f.chain, fixture_done, &r->f);
    fixture_wait(&r->f);
    if (r->f.done_code != 0)
        fail_msg("poll: %s", r->f.done_err.text);
}

static void a_reader_beside_the_writer_follows(void **state)
{
    struct fixture_chain f;
    struct reader r;
    struct fixture_call active;
    struct err err;
    (void)state;
    shop_open(&f, VERSION_1);
    notes(&f, MANY);
    r.f = f;
    r.f.deps.ctx = &r.f;
    r.f.chain = chain_new(&r.f.deps);
    char folder[LOG_PATH_MAX];
    log_folder(folder, chain_core(f.chain)->id);
    chain_open(r.f.chain, folder, chain_core(f.chain)->id, LOG_READ_ONLY,
               fixture_done, &r.f);
    fixture_wait(&r.f);
    bring_ok(&f, 2, VERSION_2);
    poll(&r);
    uint64_t epoch = chain_epoch(r.f.chain);
    struct fixture_query q;
    begin_query(&r.f, &q, "view", "view=each", 1);
    assert_int_equal(q.count, 1);
    begin_activation(&f, &active);
    fixture_run(&f);
    assert_int_equal(end_call(&active, &err), 0);
    notes(&f, 3);
    poll(&r);
    if (chain_size(r.f.chain) < chain_size(f.chain))
        poll(&r); /* what no watermark covered yet */
    assert_true(chain_epoch(r.f.chain) > epoch);
    assert_int_equal(version_now(&r.f), 2);
    assert_false(chain_is_hidden(r.f.chain));
    assert_sides(&r.f, sides_now(&f));
    query_grant(q.query, 10);
    query_run(q.query);
    assert_refused(q.code, &q.err, ATE_ESTALE, "another schema is in force");
    end_query(&q);
    chain_free(r.f.chain);
    fixture_close(&f);
}

/* Of one that has begun, rows of the old and of the new never come together. */
static void queries_under_way_end_as_stale(void **state)
{
    struct fixture_chain f;
    struct fixture_query rows;
    struct fixture_query list;
    struct fixture_query tail;
    struct fixture_query plan;
    (void)state;
    shop_open(&f, VERSION_1);
    notes(&f, 20);
    begin_query(&f, &rows, "view", "view=each", 3);
    begin_query(&f, &list, "list", "type=note", 3);
    begin_query(&f, &tail, "tail", NULL, 3);
    fixture_run(&f);
    struct buf args = bundle_args(2, VERSION_2);
    plan = (struct fixture_query){0};
    plan.query = query_start(f.chain, bytes_of_text("plan"), buf_bytes(&args),
                             0, query_chunk_came, query_over, &plan);
    query_run(plan.query);
    buf_deinit(&args);
    switch_ok(&f, 2, VERSION_2);
    struct fixture_query *const all[] = {&rows, &list, &plan};
    for (size_t i = 0; i < 3; i++) {
        query_grant(all[i]->query, 1000);
        query_run(all[i]->query);
        fixture_run(&f);
        assert_refused(all[i]->code, &all[i]->err, ATE_ESTALE,
                       "another schema is in force now; ask again");
        end_query(all[i]);
    }
    /* What is no schema's goes on. */
    query_grant(tail.query, 1000);
    query_run(tail.query);
    fixture_run(&f);
    assert_int_equal(tail.code, 0);
    end_query(&tail);
    fixture_close(&f);
}

/* ---- disks that fail ---- */

static bool pump_sim(void *ctx)
{
    return sim_disk_step(ctx);
}

static void still_reads(struct fixture_chain *f)
{
    struct fixture_query q;
    begin_query(f, &q, "view", "view=each", 100);
    fixture_run(f);
    assert_int_equal(q.code, 0);
    assert_true(q.count >= 3);
    end_query(&q);
}

/* A chain of version 1 with version 2 brought, on a disk that fails as `fault`
 * says at action n of its activation. False: that had fewer. */
static bool activation_fails(uint64_t n, struct sim_fault fault)
{
    struct fixture_chain f;
    struct sim_disk *disk = sim_disk_new(n);
    struct fixture_call active;
    struct fixture_call held;
    struct err err;
    fixture_open_disk(&f, sim_disk_interface(disk), pump_sim, disk);
    shop_birth(&f, VERSION_1);
    notes(&f, 3);
    bring_ok(&f, 2, VERSION_2);
    f.now += 5000;
    fault.action = sim_disk_actions(disk) + n;
    fault.error = 5; /* EIO */
    sim_disk_fault(disk, &fault);
    begin_activation(&f, &active);
    turn(&f);
    fixture_begin(&f, &held, 0, "note.append", ARGS("n=1"));
    fixture_run(&f);
    bool hit = sim_disk_faults(disk) > 0;
    sim_disk_fault(disk, &(struct sim_fault){.kind = SIM_NO_FAULT});
    assert_true(held.done);
    assert_true(held.call.code == 0 || f.chain->why.code != 0);
    assert_false(chain_is_hidden(f.chain));
    assert_null(f.chain->switching);
    bool told = active.done && active.call.code == 0;
    assert_int_equal(version_now(&f), told ? 2 : 1);
    still_reads(&f);
    end_call(&active, &err);
    end_call(&held, &err);
    if (fixture_reopen(&f, LOG_READ_WRITE) != 0)
        fail_msg("action %llu, kind %d: %s", (unsigned long long)n,
                 (int)fault.kind, f.done_err.text);
    assert_true(version_now(&f) >= (told ? 2 : 1));
    notes(&f, 1);
    fixture_close(&f);
    sim_disk_free(disk);
    return hit;
}

/* Every action of an activation fails, in every way. Then either it is in force
 * or it is not, whoever asked is told, readers go on reading what is durable,
 * and the log opens. */
static void a_disk_that_fails_leaves_one_or_the_other(void **state)
{
    static const struct sim_fault kinds[] = {
        {.kind = SIM_ERROR, .for_ever = true},
        {.kind = SIM_ERROR},
        {.kind = SIM_LOSES_SYNC, .for_ever = true},
    };
    uint64_t failed = 0;
    bool more = true;
    (void)state;
    for (uint64_t n = 0; more; n++) {
        more = false;
        for (size_t k = 0; k < sizeof(kinds) / sizeof(*kinds); k++) {
            bool hit = activation_fails(n, kinds[k]);
            more |= hit;
            failed += hit;
        }
    }
    print_message("%llu faults\n", (unsigned long long)failed);
    assert_true(failed >= 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calls_go_on_meanwhile),
        cmocka_unit_test(frames_are_cut_between_events),
        cmocka_unit_test(one_at_a_time),
        cmocka_unit_test(both_calls_may_come_together),
        cmocka_unit_test(only_root_keys_activate),
        cmocka_unit_test(a_batch_activates),
        cmocka_unit_test(a_batch_that_may_not_is_refused),
        cmocka_unit_test(a_log_activates_in_no_company),
        cmocka_unit_test(a_batch_is_told_why_the_log_refuses),
        cmocka_unit_test(batches_keep_their_order),
        cmocka_unit_test(a_proposal_activates_when_it_is_handed_in),
        cmocka_unit_test(roots_are_those_of_the_core_in_place),
        cmocka_unit_test(a_root_that_is_being_made_is_waited_for),
        cmocka_unit_test(snapshots_go_across_it),
        cmocka_unit_test(a_reader_beside_the_writer_follows),
        cmocka_unit_test(queries_under_way_end_as_stale),
        cmocka_unit_test(a_disk_that_fails_leaves_one_or_the_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
