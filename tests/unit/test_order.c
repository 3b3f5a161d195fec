/* The order key and its terms, and heartbeats, by docs/format.md section 3. The
 * node holds two order keys, unless a test takes one away. */
#include "fixture_land.h"

#include "crypto/note.h"

static bool holds_first;
static bool holds_second;

static const struct key_pair *second(void)
{
    return pair(9);
}

static const struct key_pair *two_keys(void *ctx, const uint8_t id[32])
{
    struct fixture_chain *f = ctx;
    if (holds_first && memcmp(id, f->order.id, 32) == 0)
        return &f->order;
    return holds_second && memcmp(id, second()->id, 32) == 0 ? second() : NULL;
}

static int set_up(void **state)
{
    struct land *l = mem_zero(1, sizeof(*l));
    holds_first = true;
    holds_second = true;
    fixture_open_disk(&l->f, NULL, NULL, NULL);
    l->f.default_pipeline = true;
    l->f.deps.order_pair = two_keys;
    land_make(l);
    land_fill(l);
    *state = l;
    return 0;
}

static void term_is(struct land *l, uint64_t number, const struct key_pair *who)
{
    struct term term;
    term_get(chain_version(l->f.chain), &term);
    assert_int_equal(term.number, number);
    assert_memory_equal(term.id, who->id, KEY_ID_SIZE);
}

static void orders(struct land *l, const struct key_pair *author,
                   const struct key_pair *who, uint64_t term, int code,
                   const char *words)
{
    struct tx t;
    tx_begin(&l->f, &t, author);
    tx_order(&t, &who->record, term);
    if (code == 0)
        tx_ok(&t);
    else
        tx_no(&t, code, words);
}

/* ---- terms ---- */

static void terms_count_up_by_one(void **state)
{
    struct land *l = *state;
    const struct key_pair *me = &l->f.keys[0];
    term_is(l, 1, &l->f.order);
    orders(l, me, second(), 3, ATE_ECONFLICT, "term 2 follows on 1, not 3");
    orders(l, me, second(), 1, ATE_ECONFLICT, "term 2 follows on 1, not 1");
    orders(l, me, second(), 0, ATE_ECONFLICT, "term 2 follows on 1, not 0");
    orders(l, me, second(), UINT64_MAX, ATE_ECONFLICT, "term 2 follows on 1");
    orders(l, me, second(), 2, 0, NULL);
    term_is(l, 2, second());
    orders(l, me, &l->f.order, 2, ATE_ECONFLICT, "term 3 follows on 2, not 2");
    orders(l, me, second(), 3, 0, NULL); /* for another term: a restored copy */
    orders(l, me, &l->f.order, 4, 0, NULL);
    term_is(l, 4, &l->f.order);
}

/* Root keys, or who has the right `order` on the whole chain. */
static void who_may_name_the_order_key(void **state)
{
    struct land *l = *state;
    uint8_t id[EVENT_ID_SIZE];
    struct tx t;
    orders(l, &l->f.order, second(), 2, ATE_EDENIED,
           "the right 'order' on the whole chain, or 1 of the chain's 1 root");
    struct give g = {.to = pair(0)->id,
                     .rights = "order",
                     .object = l->country,
                     .key = &pair(0)->record};
    root_gives(l, g, id);
    orders(l, pair(0), second(), 2, ATE_EDENIED, "on the whole chain");
    g.object = NULL;
    g.rights = "create,delegate,write";
    root_gives(l, g, id);
    orders(l, pair(0), second(), 2, ATE_EDENIED, "on the whole chain");
    g.rights = "order";
    root_gives(l, g, id);
    orders(l, pair(0), second(), 2, 0, NULL);
    /* By a co-author's right, too. */
    tx_begin(&l->f, &t, &l->f.order);
    tx_order(&t, &l->f.order.record, 3);
    tx_sign(&t, pair(0), "root");
    tx_no(&t, ATE_EDENIED, "on the whole chain");
    tx_begin(&l->f, &t, &l->f.order);
    tx_order(&t, &l->f.order.record, 3);
    tx_sign(&t, pair(0), "author");
    tx_ok(&t);
    tx_begin(&l->f, &t, pair(0));
    tx_revoke(&t, id);
    tx_ok(&t);
    orders(l, pair(0), second(), 4, ATE_EDENIED, "on the whole chain");
}

/* The new key makes the heartbeats from then on. */
static void the_key_of_the_term_signs_heartbeats(void **state)
{
    struct land *l = *state;
    struct author author;
    orders(l, &l->f.keys[0], second(), 2, 0, NULL);
    assert_true(state_author(chain_version(l->f.chain), second()->id, &author));
    assert_int_equal(author.next_sequence, 0);
    land_pass(l, 5000);
    assert_true(state_author(chain_version(l->f.chain), second()->id, &author));
    assert_int_equal(author.next_sequence, 1);
    assert_replays(&l->f);
}

/* Who does not hold the key of the term writes nothing. */
static void who_lost_the_term_writes_no_more(void **state)
{
    struct land *l = *state;
    struct fixture_call c;
    struct handed h;
    const char *text;
    struct tx t;
    holds_second = false;
    orders(l, &l->f.keys[0], second(), 2, 0, NULL);
    assert_int_equal(fixture_call(&l->f, &c, 0, "word.append", ARGS("text=x")),
                     ATE_EUNAVAILABLE);
    assert_non_null(strstr(c.call.err.text, "does not hold the chain's order "
                                            "key (term 2)"));
    fixture_end(&c);
    tx_begin(&l->f, &t, &l->f.keys[0]);
    tx_word(&t, "x");
    batch_of(&h, &t, 1);
    hand_in(&l->f, &h);
    fixture_run(&l->f);
    assert_int_equal(handed_code(&h, &text), ATE_EUNAVAILABLE);
    handed_end(&h);
    tx_end(&t);
    /* Nor a heartbeat: what takes the term back comes without one. */
    l->f.now += 60000;
    orders(l, &l->f.keys[0], &l->f.order, 3, 0, NULL);
    land_pass(l, 0);
    assert_replays(&l->f);
}

/* In one batch: what comes behind the hand-over is not taken. */
static void a_batch_ends_with_the_term(void **state)
{
    struct land *l = *state;
    struct fixture_chain *f = &l->f;
    struct handed h;
    struct tx t[3];
    struct receipt receipt;
    struct checkpoint checkpoint;
    struct err err;
    holds_second = false;
    for (size_t i = 0; i < 3; i++) {
        tx_begin(f, &t[i], &f->keys[0]);
        t[i].first_sequence += i;
        if (i == 1)
            tx_order(&t[i], &second()->record, 2);
        else
            tx_word(&t[i], "x");
    }
    batch_of(&h, t, 3);
    hand_in(f, &h);
    fixture_run(f);
    assert_int_equal(h.submit.code, 0);
    assert_int_equal(h.submit.results[0].code, 0);
    assert_int_equal(h.submit.results[1].code, 0);
    assert_int_equal(h.submit.results[2].code, ATE_EUNAVAILABLE);
    /* The checkpoint is signed by the key of the term that just ended. */
    assert_int_equal(
        receipt_get(buf_bytes(&h.submit.results[1].receipt), &receipt, &err),
        0);
    assert_int_equal(
        note_checkpoint_verify(receipt.checkpoint, chain_core(f->chain)->id,
                               f->order.record.sign, &checkpoint, &err),
        0);
    assert_int_equal(checkpoint.size, chain_size(f->chain));
    handed_end(&h);
    for (size_t i = 0; i < 3; i++)
        tx_end(&t[i]);
    assert_replays(f);
}

/* ---- heartbeats ---- */

struct beat {
    const struct key_pair *author;
    const char *method;
    int64_t later; /* ms after the last */
    int more;      /* of its size */
    bool wrong_root;
    bool bundle; /* says more of its call */
    bool caller;
    bool signer;
    bool company;
    const char *words; /* why it is refused */
};

static void put_beat(struct land *l, struct tx *t, const struct beat *b)
{
    struct buf fields = {0};
    uint8_t root[HASH_SIZE];
    chain_root(l->f.chain, root);
    root[0] ^= b->wrong_root;
    mp_put_map(&fields, 3);
    mp_put_text(&fields, "root");
    mp_put_bin(&fields, bytes_of(root, HASH_SIZE));
    mp_put_text(&fields, "size");
    mp_put_uint(&fields, (uint64_t)((int64_t)chain_size(l->f.chain) + b->more));
    mp_put_text(&fields, "time");
    mp_put_int(&fields, state_time(chain_version(l->f.chain)) + b->later);
    tx_fact(t, "ate.heartbeat", &fields, NULL);
}

/* A heartbeat that somebody wrote into the log: is it refused? (A good one only
 * by its verdict digest, which is not made here.) */
static void heartbeats_in_the_log_are_judged(void **state)
{
    struct land *l = *state;
    const struct key_pair *order = &l->f.order;
    const struct beat cases[] = {
        {.author = order, .words = "the verdict differs"},
        {.author = order, .later = 99999, .words = "the verdict differs"},
        {.author = order, .later = -1, .words = "log time goes back"},
        {.author = &l->f.keys[0], .words = "only the order key of the term"},
        {.author = second(), .words = "author's key is not in the log"},
        {.author = order, .more = 1, .words = "size or root differ"},
        {.author = order, .more = -1, .words = "size or root differ"},
        {.author = order, .wrong_root = true, .words = "size or root differ"},
        {.author = order, .bundle = true, .words = "says more of its call"},
        {.author = order, .caller = true, .words = "says more of its call"},
        {.author = order, .signer = true, .words = "says more of its call"},
        {.author = order, .company = true, .words = "is alone"},
        {.author = order,
         .method = "by.hand",
         .bundle = true,
         .words = "its method and its events are not of one kind"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct beat *b = &cases[i];
        struct handed h;
        struct tx t;
        tx_begin(&l->f, &t, b->author);
        t.method = b->method != NULL ? b->method : "ate.heartbeat";
        t.has_bundle = b->bundle;
        t.caller = b->caller ? b->author->id : NULL;
        if (b->signer)
            tx_sign(&t, &l->f.keys[0], "root");
        put_beat(l, &t, b);
        if (b->company)
            tx_word(&t, "x");
        batch_of(&h, &t, 1);
        h.submit.done = NULL;
        assert_forgery_refused(&l->f, &h, 1, b->words);
        handed_end(&h);
        tx_end(&t);
    }
}

/* It leaves no call, so it may have the id of one. */
static void a_heartbeat_may_have_any_call_id(void **state)
{
    struct land *l = *state;
    const struct beat beat = {.author = &l->f.order, .later = 10};
    uint8_t call[CALL_ID_SIZE];
    struct handed h;
    struct tx t;
    tx_begin(&l->f, &t, &l->f.keys[0]);
    memcpy(call, t.call_id, sizeof(call));
    tx_word(&t, "x");
    tx_ok(&t);
    tx_begin(&l->f, &t, &l->f.order);
    memcpy(t.call_id, call, sizeof(call));
    t.method = "ate.heartbeat";
    t.has_bundle = false;
    put_beat(l, &t, &beat);
    as_ordered(&h, &t, NULL);
    assert_forgery_taken(&l->f, &h);
    handed_end(&h);
    tx_end(&t);
}

/* Who verifies without rules does not know what they would say; where no row of
 * a view may have changed, the digest is known all the same. */
static void without_rules_a_verdict_counts(void **state)
{
    struct land *l = *state;
    const struct beat beat = {.author = &l->f.order};
    struct handed h;
    struct tx t;
    tx_begin(&l->f, &t, &l->f.order);
    t.method = "ate.heartbeat";
    t.has_bundle = false;
    put_beat(l, &t, &beat);
    batch_of(&h, &t, 1);
    l->f.skips_rules = true;
    assert_forgery_refused(&l->f, &h, 1, "the verdict differs");
    handed_end(&h);
    tx_end(&t);
}

/* After the hand-over the old key's are worth nothing. */
static void the_old_key_makes_no_heartbeat(void **state)
{
    struct land *l = *state;
    const struct beat beat = {.author = &l->f.order};
    struct handed h;
    struct tx t;
    orders(l, &l->f.keys[0], second(), 2, 0, NULL);
    tx_begin(&l->f, &t, &l->f.order);
    t.method = "ate.heartbeat";
    t.has_bundle = false;
    put_beat(l, &t, &beat);
    batch_of(&h, &t, 1);
    assert_forgery_refused(&l->f, &h, 1, "only the order key of the term");
    handed_end(&h);
    tx_end(&t);
}

/* Nobody hands in a heartbeat, not even a good one. */
static void heartbeats_are_not_handed_in(void **state)
{
    struct land *l = *state;
    const struct beat beat = {.author = &l->f.order, .later = 5000};
    struct handed h;
    const char *text;
    struct tx t;
    tx_begin(&l->f, &t, &l->f.order);
    t.method = "ate.heartbeat";
    t.has_bundle = false;
    put_beat(l, &t, &beat);
    batch_of(&h, &t, 1);
    hand_in(&l->f, &h);
    fixture_run(&l->f);
    assert_int_equal(handed_code(&h, &text), ATE_EDENIED);
    assert_non_null(strstr(text, "heartbeats are made here alone"));
    handed_end(&h);
    tx_end(&t);
}

/* ---- by the method ---- */

/* Where no key of the term is, the one call that is taken is ate.order with
 * root keys: so a copy of a chain becomes one that can be written to. */
static void the_method_takes_a_chain_over(void **state)
{
    struct land *l = *state;
    struct fixture_call c;
    char to[80] = "to=key:";
    struct buf hex = {0};
    hex_put(&hex, bytes_of(second()->id, 32));
    strncat(to, buf_text(&hex), 64);
    buf_deinit(&hex);
    holds_first = false;
    assert_int_equal(fixture_call(&l->f, &c, 0, "word.append", ARGS("text=x")),
                     ATE_EUNAVAILABLE);
    fixture_end(&c);
    assert_int_equal(fixture_call(&l->f, &c, 0, "ate.order", ARGS(to)),
                     ATE_ENOT_FOUND); /* nobody knows that key */
    assert_string_equal(c.call.err.reason, "no_public_key");
    fixture_end(&c);
    struct tx t;
    tx_begin(&l->f, &t, &l->f.keys[0]);
    tx_order(&t, &second()->record, 2);
    tx_ok(&t);
    fixture_ok(&l->f, 0, "word.append", ARGS("text=x"));
    fixture_ok(&l->f, 0, "ate.order", ARGS("to=alice"));
    term_is(l, 3, &l->f.keys[1]);
    assert_int_equal(fixture_call(&l->f, &c, 1, "ate.order", ARGS("to=alice")),
                     ATE_EDENIED); /* to order is not to decide who does */
    fixture_end(&c);
    assert_replays(&l->f);
}

#define order_test(name)                                                       \
    cmocka_unit_test_setup_teardown(name, set_up, land_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        order_test(terms_count_up_by_one),
        order_test(who_may_name_the_order_key),
        order_test(the_key_of_the_term_signs_heartbeats),
        order_test(who_lost_the_term_writes_no_more),
        order_test(a_batch_ends_with_the_term),
        order_test(heartbeats_in_the_log_are_judged),
        order_test(a_heartbeat_may_have_any_call_id),
        order_test(without_rules_a_verdict_counts),
        order_test(the_old_key_makes_no_heartbeat),
        order_test(heartbeats_are_not_handed_in),
        order_test(the_method_takes_a_chain_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
