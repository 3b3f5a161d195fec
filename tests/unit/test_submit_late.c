/* Batches between their arrival and their place: signatures are checked late,
 * and meanwhile the chain goes on. What was true when they arrived proves
 * nothing; their place decides. And disks that are full. */
#include "fixture_land.h"

#include <errno.h>

/* ---- a pool that works when it is told to ---- */

struct late {
    struct land land;
    struct task *tasks; /* the newest first */
    bool held;
    /* In front of the memory disk. */
    struct disk disk;
    const struct disk *below;
    bool full;       /* writes to header files find no room, */
    bool unreadable; /* reads of them fail */
    struct job *refused;
};

static struct late *the;

static void take_task(void *ctx, struct task *task)
{
    (void)ctx;
    task->next = the->tasks;
    the->tasks = task;
}

static const struct pool late_pool = {.submit = take_task};

static bool work(void)
{
    struct task *task = the->tasks;
    if (task == NULL)
        return false;
    the->tasks = task->next;
    task->work(task);
    task->done(task);
    return true;
}

static bool pump(void *ctx)
{
    struct late *s = ctx;
    struct job *job = s->refused;
    if (job != NULL) {
        s->refused = job->next;
        job->done(job);
        return true;
    }
    if (memory_disk_reap(s->land.f.disk) > 0)
        return true;
    return !s->held && work();
}

static int error_of(const struct late *s, const struct job_op *op)
{
    size_t length = op->path != NULL ? strlen(op->path) : 0;
    if (length < 5 || strcmp(op->path + length - 5, ".head") != 0)
        return 0;
    if (s->full && op->kind == JOB_WRITE)
        return ENOSPC;
    return s->unreadable && op->kind == JOB_READ ? EIO : 0;
}

static void submit_job(void *ctx, struct job *job)
{
    struct late *s = ctx;
    for (uint32_t i = 0; i < job->count; i++) {
        job->error = error_of(s, &job->op[i]);
        if (job->error == 0)
            continue;
        job->failed = i;
        job->next = s->refused;
        s->refused = job;
        return;
    }
    s->below->submit(s->below->ctx, job);
}

static int set_up(void **state)
{
    struct late *s = mem_zero(1, sizeof(*s));
    struct fixture_chain *f = &s->land.f;
    the = s;
    fixture_open_disk(f, NULL, NULL, NULL);
    s->below = f->deps.disk;
    s->disk = (struct disk){.ctx = s, .submit = submit_job};
    f->deps.disk = &s->disk;
    f->deps.pool = &late_pool;
    f->pump = pump;
    f->pump_ctx = s;
    land_make(&s->land);
    land_fill(&s->land);
    *state = s;
    return 0;
}

static int tear_down(void **state)
{
    struct late *s = *state;
    fixture_close(&s->land.f);
    mem_free(s);
    return 0;
}

/* Hand the transaction in, its signatures not yet checked. */
static void held_batch(struct late *s, struct handed *h, struct tx *t)
{
    s->held = true;
    batch_of(h, t, 1);
    hand_in(&s->land.f, h);
    fixture_run(&s->land.f);
    assert_false(h->done);
    assert_non_null(s->tasks);
}

static void all_end(struct handed *h, struct tx *t, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        handed_end(&h[i]);
        tx_end(&t[i]);
    }
}

/* The pool does its work. */
static void released(struct late *s)
{
    s->held = false;
    fixture_run(&s->land.f);
    assert_null(s->tasks);
}

static void is_code(const struct handed *h, int code, const char *words)
{
    const char *text;
    int got = handed_code(h, &text);
    if (got != code || (code != 0 && strstr(text, words) == NULL))
        fail_msg("want %s: %s, got %s: %s", err_name(code), words,
                 err_name(got), text);
}

static uint64_t grants(struct late *s, uint8_t id[EVENT_ID_SIZE])
{
    root_gives(&s->land,
               (struct give){.to = pair(0)->id,
                             .rights = "create",
                             .key = &pair(0)->record},
               id);
    return chain_size(s->land.f.chain);
}

static void revokes(struct late *s, const uint8_t *id)
{
    struct fixture_call c;
    struct delegation d;
    char grant[60];
    assert_true(delegation_get(chain_version(s->land.f.chain), id, &d));
    snprintf(grant, sizeof(grant), "grant=%llu.%llu",
             (unsigned long long)d.index, (unsigned long long)d.n);
    if (fixture_call(&s->land.f, &c, 0, "ate.revoke", ARGS(grant)) != 0)
        fail_msg("%s", c.call.err.text);
    fixture_end(&c);
}

/* ---- a revocation races a write ---- */

/* It passed the filter; then what it rests on was taken back. */
static void a_revocation_before_its_place_refuses_it(void **state)
{
    struct late *s = *state;
    uint8_t id[EVENT_ID_SIZE];
    struct handed h;
    struct tx t;
    grants(s, id);
    tx_begin(&s->land.f, &t, pair(0));
    tx_word_of(&t, "x", 0, id);
    held_batch(s, &h, &t);
    revokes(s, id);
    struct both_roots before = roots_now(&s->land.f);
    released(s);
    is_code(&h, ATE_EDENIED, "was revoked by transaction");
    assert_same_roots(&s->land.f, before);
    assert_replays(&s->land.f);
    handed_end(&h);
    tx_end(&t);
}

/* The mirror: it took its place first, durable or not. */
static void a_revocation_behind_its_place_changes_nothing(void **state)
{
    struct late *s = *state;
    struct fixture_chain *f = &s->land.f;
    uint8_t id[EVENT_ID_SIZE];
    struct handed h[2];
    struct tx t[2];
    grants(s, id);
    tx_begin(f, &t[0], pair(0));
    tx_word_of(&t[0], "x", 0, id);
    tx_begin(f, &t[1], &f->keys[0]);
    tx_revoke(&t[1], id);
    held_batch(s, &h[0], &t[0]);
    batch_of(&h[1], &t[1], 1); /* behind it, its signatures checked first */
    hand_in(f, &h[1]);
    assert_true(work());
    fixture_run(f);
    assert_false(h[1].done);
    released(s);
    is_code(&h[0], 0, "");
    is_code(&h[1], 0, "");
    assert_true(h[0].submit.results[0].index < h[1].submit.results[0].index);
    assert_replays(f);
    all_end(h, t, 2);
}

static void a_revocation_in_front_of_it_in_the_queue_refuses_it(void **state)
{
    struct late *s = *state;
    struct fixture_chain *f = &s->land.f;
    uint8_t id[EVENT_ID_SIZE];
    struct handed h[2];
    struct tx t[2];
    grants(s, id);
    tx_begin(f, &t[0], &f->keys[0]);
    tx_revoke(&t[0], id);
    tx_begin(f, &t[1], pair(0));
    tx_word_of(&t[1], "x", 0, id);
    held_batch(s, &h[0], &t[0]);
    batch_of(&h[1], &t[1], 1);
    hand_in(f, &h[1]);
    released(s);
    is_code(&h[0], 0, "");
    is_code(&h[1], ATE_EDENIED, "was revoked by transaction");
    assert_replays(f);
    all_end(h, t, 2);
}

/* A caller is one at its place, too: the word of who lets another act may be
 * taken back meanwhile. */
static void a_caller_may_take_the_word_back_before_its_place(void **state)
{
    struct late *s = *state;
    struct fixture_chain *f = &s->land.f;
    uint8_t id[EVENT_ID_SIZE];
    struct handed h;
    struct tx t;
    root_gives(&s->land,
               (struct give){.to = pair(0)->id,
                             .rights = "act_for",
                             .act_for = f->keys[0].id,
                             .key = &pair(0)->record},
               id);
    tx_begin(f, &t, pair(0));
    t.caller = f->keys[0].id;
    tx_word(&t, "x");
    held_batch(s, &h, &t);
    revokes(s, id);
    struct both_roots before = roots_now(f);
    released(s);
    is_code(&h, ATE_EDENIED, "granting act_for on /, or signs, too");
    assert_same_roots(f, before);
    assert_replays(f);
    handed_end(&h);
    tx_end(&t);
}

/* Who lets the author act nowhere at all is no caller: that takes no place. */
static void the_filter_knows_who_is_no_caller(void **state)
{
    struct late *s = *state;
    struct fixture_chain *f = &s->land.f;
    uint8_t id[EVENT_ID_SIZE];
    struct handed h;
    struct tx t;
    grants(s, id);
    tx_begin(f, &t, pair(0));
    t.caller = f->keys[0].id;
    tx_word_of(&t, "x", 0, id);
    held_batch(s, &h, &t);
    assert_int_equal(h.submit.results[0].code, ATE_EDENIED);
    released(s);
    is_code(&h, ATE_EDENIED, "act_for on what it is about, or signs, too");
    handed_end(&h);
    tx_end(&t);
}

/* Time passes, too; and a heartbeat of its own may be what ends it. */
static void it_may_end_before_its_place(void **state)
{
    struct late *s = *state;
    struct fixture_chain *f = &s->land.f;
    uint8_t id[EVENT_ID_SIZE];
    struct handed h;
    struct tx t;
    root_gives(&s->land,
               (struct give){.to = pair(0)->id,
                             .rights = "create",
                             .key = &pair(0)->record,
                             .until = f->now + 5000},
               id);
    tx_begin(f, &t, pair(0));
    tx_word_of(&t, "x", 0, id);
    held_batch(s, &h, &t);
    struct both_roots before = roots_now(f);
    f->now += 6000;
    released(s);
    is_code(&h, ATE_EDENIED, "has passed");
    assert_same_roots(f, before); /* nor the heartbeat */
    handed_end(&h);
    tx_end(&t);
}

/* The keys that have to agree are those at its place. */
static void root_keys_may_change_before_its_place(void **state)
{
    struct late *s = *state;
    struct fixture_chain *f = &s->land.f;
    struct handed h;
    struct fixture_call c;
    struct tx t;
    tx_begin(f, &t, &f->keys[0]);
    t.first_sequence += 100;
    tx_give(&t, (struct give){.to = pair(0)->id, .rights = "create"});
    held_batch(s, &h, &t);
    c = (struct fixture_call){0};
    mp_put_map(&c.args, 1);
    mp_put_text(&c.args, "keys");
    mp_put_array(&c.args, 1);
    mp_put_text(&c.args, "alice");
    const struct signer alice = {&f->keys[1], bytes_of_text("root"), false};
    c.call = (struct chain_call){
        .method = bytes_of_text("ate.rotate"),
        .args = buf_bytes(&c.args),
        .author = &f->keys[0],
        .call_id = {1},
        .signers = &alice,
        .signer_count = 1,
        .done = fixture_answered,
        .owner = &c,
    };
    chain_call(f->chain, &c.call);
    fixture_run(f);
    if (c.call.code != 0)
        fail_msg("%s", c.call.err.text);
    fixture_end(&c);
    released(s);
    is_code(&h, ATE_EDENIED, "1 of the chain's 1 root key");
    assert_replays(f);
    handed_end(&h);
    tx_end(&t);
}

/* Somebody else was faster: the version before is not the newest any more. */
static void an_edit_that_comes_late_is_refused(void **state)
{
    struct late *s = *state;
    struct fixture_chain *f = &s->land.f;
    uint8_t event[EVENT_ID_SIZE];
    struct handed h[2];
    struct tx t[2];
    newest_event(f, s->land.country, event);
    for (int i = 0; i < 2; i++) {
        tx_begin(f, &t[i], &f->keys[0]);
        t[i].first_sequence += (uint64_t)i;
        tx_place(&t[i], "land.country", NULL, "a", event, 0, NULL);
    }
    held_batch(s, &h[0], &t[0]);
    batch_of(&h[1], &t[1], 1);
    hand_in(f, &h[1]);
    released(s);
    is_code(&h[0], 0, "");
    is_code(&h[1], ATE_ECONFLICT, "was changed by another event meanwhile");
    assert_replays(f);
    all_end(h, t, 2);
}

/* ---- order of arrival ---- */

/* The pool answers the newest first; places are taken in order all the same. */
static void batches_of_one_author_keep_their_order(void **state)
{
    enum { BATCHES = 50 };
    struct late *s = *state;
    struct fixture_chain *f = &s->land.f;
    struct handed h[BATCHES];
    struct tx t[BATCHES];
    meets(&s->land, pair(0));
    uint64_t size = chain_size(f->chain);
    s->held = true;
    for (size_t i = 0; i < BATCHES; i++) {
        tx_begin(f, &t[i], pair(0));
        t[i].first_sequence += i;
        tx_word_of(&t[i], "x", i % 3 * 900, NULL);
        batch_of(&h[i], &t[i], 1);
        hand_in(f, &h[i]);
        fixture_run(f);
    }
    released(s);
    for (size_t i = 0; i < BATCHES; i++) {
        is_code(&h[i], 0, "");
        assert_int_equal(h[i].submit.results[0].index, size + i);
        handed_end(&h[i]);
        tx_end(&t[i]);
    }
    assert_replays(f);
}

/* The same batch twice, while the first is on its way: it enters once. */
static void a_resend_in_flight_enters_once(void **state)
{
    struct late *s = *state;
    struct fixture_chain *f = &s->land.f;
    struct handed h;
    struct handed once;
    struct tx t;
    meets(&s->land, pair(0));
    uint64_t size = chain_size(f->chain);
    tx_begin(f, &t, pair(0));
    tx_word(&t, "x");
    held_batch(s, &h, &t);
    batch_of(&once, &t, 1);
    hand_in(f, &once);
    released(s);
    is_code(&h, 0, "");
    is_code(&once, 0, "");
    assert_false(h.submit.results[0].known);
    assert_true(once.submit.results[0].known);
    assert_int_equal(once.submit.results[0].index, size);
    assert_int_equal(chain_size(f->chain), size + 1);
    assert_replays(f);
    handed_end(&h);
    handed_end(&once);
    tx_end(&t);
}

/* A bad signature refuses its own batch, not the ones around it. */
static void a_bad_signature_refuses_its_batch_alone(void **state)
{
    struct late *s = *state;
    struct fixture_chain *f = &s->land.f;
    struct handed h[3];
    struct tx t[3];
    meets(&s->land, pair(0));
    s->held = true;
    for (size_t i = 0; i < 3; i++) {
        tx_begin(f, &t[i], pair(0));
        t[i].first_sequence += i;
        tx_word(&t[i], "x");
        batch_of(&h[i], &t[i], 1);
        if (i == 1) /* behind the author's key id, a bin of 64 */
            h[i].payload.data[1 + 34 + 2 + 10] ^= 1;
        hand_in(f, &h[i]);
    }
    released(s);
    is_code(&h[0], 0, "");
    is_code(&h[1], ATE_ECORRUPT, "a signature of the batch is not good");
    is_code(&h[2], 0, "");
    assert_replays(f);
    all_end(h, t, 3);
}

/* While the pool checks signatures the chain goes on, and its core may change
 * places with another: what the pool needs it has for itself. Here the id of
 * the chain's core is another's as long as it works. */
static void the_pool_looks_at_nothing_of_the_chain(void **state)
{
    struct late *s = *state;
    struct fixture_chain *f = &s->land.f;
    uint8_t *id = (uint8_t *)chain_core(f->chain)->id;
    struct handed h;
    struct tx t;
    tx_begin(f, &t, &f->keys[0]);
    tx_key(&t, &pair(1)->record);
    tx_word(&t, "x");
    tx_sign(&t, pair(1), "author");
    batch_of(&h, &t, 1);
    hand_in(f, &h);
    struct task *task = s->tasks;
    assert_non_null(task);
    s->tasks = NULL;
    id[0] ^= 1;
    task->work(task);
    id[0] ^= 1;
    task->done(task);
    fixture_run(f);
    is_code(&h, 0, "");
    handed_end(&h);
    tx_end(&t);
}

/* ---- a disk that fails ---- */

static void a_resend_that_cannot_be_looked_up_gets_no_receipt(void **state)
{
    struct late *s = *state;
    struct fixture_chain *f = &s->land.f;
    struct handed h[3];
    struct tx t[2];
    meets(&s->land, pair(0));
    for (size_t i = 0; i < 2; i++) {
        tx_begin(f, &t[i], pair(0));
        t[i].first_sequence += i;
        if (i == 1) /* another transaction with its call id */
            memcpy(t[1].call_id, t[0].call_id, CALL_ID_SIZE);
        tx_word_of(&t[i], "x", 3, NULL);
        batch_of(&h[i], &t[i], 1);
    }
    hand_in(f, &h[0]);
    fixture_run(f);
    is_code(&h[0], 0, "");
    handed_end(&h[0]);
    batch_of(&h[0], &t[0], 1);
    batch_of(&h[2], &t[1], 1);
    s->unreadable = true;
    for (size_t i = 0; i < 2; i++) {
        hand_in(f, &h[i]);
        fixture_run(f);
        is_code(&h[i], ATE_EIO, ".head");
        assert_int_equal(h[i].submit.results[0].receipt.len, 0);
        handed_end(&h[i]);
    }
    s->unreadable = false;
    hand_in(f, &h[2]);
    fixture_run(f);
    is_code(&h[2], ATE_ECONFLICT, "call id was used by transaction");
    handed_end(&h[2]);
    for (size_t i = 0; i < 2; i++)
        tx_end(&t[i]);
}

static void a_full_disk_fails_what_was_placed_and_what_waits(void **state)
{
    struct late *s = *state;
    struct fixture_chain *f = &s->land.f;
    struct handed h[3];
    struct tx t[3];
    meets(&s->land, pair(0));
    struct both_roots before = roots_now(f);
    for (size_t i = 0; i < 3; i++) {
        tx_begin(f, &t[i], pair(0));
        t[i].first_sequence += i;
        tx_word_of(&t[i], "x", 5000, NULL);
        batch_of(&h[i], &t[i], 1);
    }
    s->full = true;
    hand_in(f, &h[0]);
    s->held = true;
    fixture_run(f); /* nothing yet: its signatures wait */
    assert_true(work());
    chain_flush(f->chain); /* under way */
    hand_in(f, &h[1]);
    assert_true(work()); /* placed behind it */
    hand_in(f, &h[2]);   /* being checked */
    released(s);
    for (size_t i = 0; i < 3; i++)
        is_code(&h[i], ATE_EFULL, "chain test");
    for (size_t i = 0; i < 3; i++) {
        handed_end(&h[i]);
        batch_of(&h[i], &t[i], 1);
    }
    /* What was told to have failed is not there, and can be sent again. */
    s->full = false;
    assert_int_equal(fixture_reopen(f, LOG_READ_WRITE), 0);
    assert_same_roots(f, before);
    for (size_t i = 0; i < 3; i++) {
        hand_in(f, &h[i]);
        fixture_run(f);
        is_code(&h[i], 0, "");
        assert_false(h[i].submit.results[0].known);
        handed_end(&h[i]);
        tx_end(&t[i]);
    }
    assert_replays(f);
}

#define late_test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        late_test(a_revocation_before_its_place_refuses_it),
        late_test(a_revocation_behind_its_place_changes_nothing),
        late_test(a_revocation_in_front_of_it_in_the_queue_refuses_it),
        late_test(a_caller_may_take_the_word_back_before_its_place),
        late_test(the_filter_knows_who_is_no_caller),
        late_test(it_may_end_before_its_place),
        late_test(root_keys_may_change_before_its_place),
        late_test(an_edit_that_comes_late_is_refused),
        late_test(batches_of_one_author_keep_their_order),
        late_test(a_resend_in_flight_enters_once),
        late_test(a_bad_signature_refuses_its_batch_alone),
        late_test(the_pool_looks_at_nothing_of_the_chain),
        late_test(a_resend_that_cannot_be_looked_up_gets_no_receipt),
        late_test(a_full_disk_fails_what_was_placed_and_what_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
