/* Root keys, k of n, and how others take their place, by docs/format.md
 * section 3. The chain has three, of which two have to agree. */
#include "fixture_land.h"

static const struct key_pair *root(const struct land *l, size_t n)
{
    return &l->f.keys[n];
}

static struct land *new_land(void)
{
    struct land *l = mem_zero(1, sizeof(*l));
    fixture_open_disk(&l->f, NULL, NULL, NULL);
    l->f.default_pipeline = true;
    l->f.root_count = 3;
    l->f.threshold = 2;
    return l;
}

static int two_of_three(void **state)
{
    struct land *l = new_land();
    land_make(l);
    *state = l;
    return 0;
}

static struct key_set set_of(const struct key_pair *const *pairs, size_t count,
                             uint64_t k)
{
    struct key_set s = {.count = count, .k = k};
    for (size_t i = 0; i < count; i++)
        s.records[i] = pairs[i]->record;
    return s;
}

/* Genesis commits to the set {30, 31}, of which both agree. */
static struct key_set promised(void)
{
    const struct key_pair *const pairs[] = {pair(0), pair(1)};
    return set_of(pairs, 2, 2);
}

static int with_next(void **state)
{
    static uint8_t digest[HASH_SIZE];
    struct land *l = new_land();
    struct key_set s = promised();
    set_digest(&s, digest);
    l->f.next = digest;
    land_make(l);
    *state = l;
    return 0;
}

/* ---- agreeing ---- */

static void two_different_root_keys_agree(void **state)
{
    struct land *l = *state;
    const struct {
        const struct key_pair *author;
        struct signer with[2];
        bool enough;
    } cases[] = {
        {root(l, 0), {{root(l, 1), bytes_of_text("root"), false}}, true},
        {root(l, 2), {{root(l, 1), bytes_of_text("root"), false}}, true},
        {&l->f.order,
         {{root(l, 0), bytes_of_text("root"), false},
          {root(l, 2), bytes_of_text("root"), false}},
         true},
        {root(l, 0), {{NULL, {NULL, 0}, false}}, false},
        {root(l, 0), {{root(l, 0), bytes_of_text("root"), false}}, false},
        {root(l, 0),
         {{root(l, 0), bytes_of_text("root"), false},
          {root(l, 0), bytes_of_text("author"), false}},
         false},
        {root(l, 0), {{root(l, 1), bytes_of_text("author"), false}}, false},
        {root(l, 0), {{&l->f.order, bytes_of_text("root"), false}}, false},
        {&l->f.order, {{root(l, 0), bytes_of_text("root"), false}}, false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct tx t;
        tx_begin(&l->f, &t, cases[i].author);
        tx_word(&t, "x");
        for (size_t k = 0; k < 2; k++)
            if (cases[i].with[k].pair != NULL)
                t.signers[t.signer_count++] = cases[i].with[k];
        if (cases[i].enough)
            tx_ok(&t);
        else
            tx_no(&t, ATE_EDENIED, "no delegation gives its author the right");
    }
}

static void one_of_them_makes_no_delegation(void **state)
{
    struct land *l = *state;
    struct tx t;
    struct give g = {.to = pair(0)->id, .rights = "create"};
    tx_begin(&l->f, &t, root(l, 0));
    tx_give(&t, g);
    tx_no(&t, ATE_EDENIED, "2 of the chain's 3 root keys");
    tx_begin(&l->f, &t, root(l, 0));
    tx_give(&t, g);
    tx_sign(&t, root(l, 1), "root");
    tx_ok(&t);
}

/* Genesis with one key as two: not made. */
static void two_records_of_one_key_make_no_chain(void **state)
{
    struct land *l = *state;
    struct fixture_chain *f = &l->f;
    struct err err = {0};
    struct buf out = {0};
    struct key_record keys[2] = {pair(0)->record, pair(0)->record};
    const struct key_pair *signers[] = {pair(0)};
    const uint8_t hash[HASH_SIZE] = {0};
    memset(keys[1].box, 1, sizeof(keys[1].box));
    struct chain_birth birth = {
        .name = bytes_of_text("twice"),
        .bundle = buf_bytes(&f->bundle),
        .roots = keys,
        .root_count = 2,
        .threshold = 2,
        .signers = signers,
        .signer_count = 1,
        .order = &f->order,
        .time = f->now,
    };
    struct chain *c = chain_new(&f->deps);
    chain_create(c, &birth, fixture_done, f);
    fixture_wait(f);
    assert_int_equal(f->done_code, ATE_EINVALID);
    assert_non_null(strstr(f->done_err.text, "are one key"));
    chain_free(c);
    struct genesis g = {
        .format = 1,
        .suite = SUITE_1,
        .nonce = hash,
        .name = bytes_of_text("twice"),
        .partition = bytes_of_text("twice"),
        .root_count = 2,
        .roots = {keys[0], keys[1]},
        .threshold = 2,
        .order = f->order.record,
        .pipeline_count = 1,
        .pipeline = {bytes_of_text("serializer")},
        .limits = bytes_of("\x80", 1),
        .engine = bytes_of_text("1"),
        .bundle_hash = hash,
        .bundle_length = 1,
    };
    assert_int_equal(genesis_put(&out, &g, &err), ATE_EINVALID);
    buf_deinit(&out);
}

/* ---- other keys ---- */

static void old_and_new_keys_agree_on_a_rotation(void **state)
{
    struct land *l = *state;
    const struct key_pair *const keys[] = {root(l, 0), pair(0), pair(1)};
    struct key_set s = set_of(keys, 3, 2);
    struct tx t;
    /* two old ones, one of them new */
    tx_begin(&l->f, &t, root(l, 0));
    tx_roots(&t, &s, NULL);
    tx_sign(&t, root(l, 1), "root");
    tx_no(&t, ATE_EDENIED, "2 of the new keys have to sign it, too, 1 did");
    /* two new ones, one of them old; the other only as a co-author */
    tx_begin(&l->f, &t, root(l, 0));
    tx_roots(&t, &s, NULL);
    tx_sign(&t, pair(0), "root");
    tx_sign(&t, root(l, 1), "author");
    tx_no(&t, ATE_EDENIED, "it takes 2 of the chain's 3 root keys");
    /* two old, and a new one as a co-author */
    tx_begin(&l->f, &t, root(l, 0));
    tx_roots(&t, &s, NULL);
    tx_sign(&t, root(l, 1), "root");
    tx_sign(&t, pair(0), "author");
    tx_no(&t, ATE_EDENIED, "2 of the new keys have to sign it, too, 1 did");
    /* both */
    tx_begin(&l->f, &t, root(l, 0));
    tx_roots(&t, &s, NULL);
    tx_sign(&t, root(l, 1), "root");
    tx_sign(&t, pair(0), "root");
    tx_ok(&t);
    struct roots now;
    roots_get(chain_version(l->f.chain), &now);
    assert_int_equal(now.count, 3);
    assert_int_equal(now.threshold, 2);
    assert_false(now.has_next);
    /* From then on these agree, and no others. */
    tx_begin(&l->f, &t, root(l, 1));
    tx_word(&t, "x");
    tx_sign(&t, root(l, 2), "root");
    tx_no(&t, ATE_EDENIED, "no delegation gives its author the right");
    tx_begin(&l->f, &t, pair(1));
    tx_word(&t, "x");
    tx_sign(&t, pair(0), "root");
    tx_ok(&t);
}

/* The new keys come along with the event, the author's too. */
static void a_new_root_key_may_be_the_author(void **state)
{
    struct land *l = *state;
    const struct key_pair *const keys[] = {pair(3)};
    struct key_set s = set_of(keys, 1, 1);
    struct tx t;
    tx_begin(&l->f, &t, pair(3));
    tx_roots(&t, &s, NULL);
    tx_sign(&t, root(l, 0), "root");
    tx_sign(&t, root(l, 1), "root");
    tx_ok(&t);
    tx_begin(&l->f, &t, pair(3));
    tx_word(&t, "x");
    tx_ok(&t);
}

static void sets_that_are_none_are_refused(void **state)
{
    struct land *l = *state;
    static const struct {
        size_t count;
        uint64_t k;
        bool twice;
        const char *words;
    } cases[] = {
        {2, 0, false, "0 of 2 root keys cannot agree"},
        {2, 3, false, "3 of 2 root keys cannot agree"},
        {2, UINT64_MAX, false, "root keys cannot agree"},
        {0, 0, false, "0 root keys"},
        {17, 1, false, "17 root keys"},
        {2, 2, true, "are one key"},
        {3, 1, true, "are one key"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct key_set s = {.count = cases[i].count, .k = cases[i].k};
        struct tx t;
        for (size_t k = 0; k < s.count; k++) {
            s.records[k] = root(l, k % 3)->record;
            s.records[k].sign[0] ^= k >= 3 ? (uint8_t)k : 0;
        }
        if (cases[i].twice) {
            s.records[1] = s.records[0];
            memset(s.records[1].box, 1, BOX_PUBLIC_SIZE);
        }
        tx_begin(&l->f, &t, root(l, 0));
        tx_roots(&t, &s, NULL);
        tx_sign(&t, root(l, 1), "root");
        tx_no(&t, ATE_EINVALID, cases[i].words);
    }
}

/* Sixteen is not one too many. */
static void sixteen_keys_are_a_set(void **state)
{
    struct land *l = *state;
    struct key_set s = {.count = 16, .k = 2};
    struct tx t;
    for (size_t k = 0; k < s.count; k++) {
        s.records[k] = root(l, k % 3)->record;
        s.records[k].sign[0] ^= k >= 3 ? (uint8_t)k : 0;
    }
    tx_begin(&l->f, &t, root(l, 0));
    tx_roots(&t, &s, NULL);
    tx_sign(&t, root(l, 1), "root");
    tx_ok(&t);
}

/* ---- a set that was committed to ---- */

static void rotates(struct land *l, const struct key_set *s,
                    const uint8_t *next, const char *words)
{
    struct tx t;
    tx_begin(&l->f, &t, root(l, 0));
    tx_roots(&t, s, next);
    tx_sign(&t, root(l, 1), "root");
    tx_sign(&t, pair(0), "root");
    tx_sign(&t, pair(1), "root");
    if (words == NULL)
        tx_ok(&t);
    else
        tx_no(&t, ATE_EDENIED, words);
}

static void the_promised_set_follows_and_no_other(void **state)
{
    struct land *l = *state;
    const struct key_pair *const turned[] = {pair(1), pair(0)};
    const struct key_pair *const more[] = {pair(0), pair(1), pair(2)};
    struct key_set s = promised();
    struct key_set other = s;
    other.k = 1;
    rotates(l, &other, NULL, "another set of keys");
    other = set_of(turned, 2, 2); /* a set is a list: its order counts */
    rotates(l, &other, NULL, "another set of keys");
    other = set_of(more, 3, 2);
    rotates(l, &other, NULL, "another set of keys");
    rotates(l, &s, NULL, NULL);
}

/* One rotation promises the next; one that promises nothing leaves it open. */
static void a_rotation_promises_the_next(void **state)
{
    struct land *l = *state;
    const struct key_pair *const last[] = {pair(2)};
    struct key_set s = promised();
    struct key_set next = set_of(last, 1, 1);
    uint8_t digest[HASH_SIZE];
    struct tx t;
    set_digest(&next, digest);
    rotates(l, &s, digest, NULL);
    tx_begin(&l->f, &t, pair(0));
    tx_roots(&t, &s, NULL); /* the same again is another than promised */
    tx_sign(&t, pair(1), "root");
    tx_no(&t, ATE_EDENIED, "another set of keys");
    tx_begin(&l->f, &t, pair(0));
    tx_roots(&t, &next, NULL);
    tx_sign(&t, pair(1), "root");
    tx_sign(&t, pair(2), "root");
    tx_ok(&t);
    tx_begin(&l->f, &t, pair(2)); /* nothing is promised any more */
    tx_roots(&t, &s, NULL);
    tx_sign(&t, pair(0), "root");
    tx_sign(&t, pair(1), "root");
    tx_ok(&t);
}

/* ---- by the method ---- */

/* ate.rotate makes what is written here by hand. */
static void the_method_makes_the_same_event(void **state)
{
    struct land *l = *state;
    struct fixture_chain *f = &l->f;
    struct fixture_call c = {0};
    const struct signer signers[] = {
        {root(l, 1), bytes_of_text("root"), false},
    };
    mp_put_map(&c.args, 2);
    mp_put_text(&c.args, "keys");
    mp_put_array(&c.args, 2);
    mp_put_text(&c.args, "alice");
    mp_put_text(&c.args, "me");
    mp_put_text(&c.args, "next");
    mp_put_array(&c.args, 1);
    mp_put_text(&c.args, "bob");
    c.call = (struct chain_call){
        .method = bytes_of_text("ate.rotate"),
        .args = buf_bytes(&c.args),
        .author = root(l, 0),
        .call_id = {9},
        .signers = signers,
        .signer_count = 1,
        .done = fixture_answered,
        .owner = &c,
    };
    chain_call(f->chain, &c.call);
    fixture_run(f);
    if (c.call.code != 0)
        fail_msg("%s", c.call.err.text);
    fixture_end(&c);
    struct roots now;
    const struct key_pair *const bob[] = {root(l, 2)};
    struct key_set next = set_of(bob, 1, 1);
    uint8_t digest[HASH_SIZE];
    set_digest(&next, digest);
    roots_get(chain_version(f->chain), &now);
    assert_int_equal(now.count, 2);
    assert_int_equal(now.threshold, 2);
    assert_true(now.has_next);
    assert_memory_equal(now.next, digest, HASH_SIZE);
    assert_replays(f);
}

#define roots_test(name)                                                       \
    cmocka_unit_test_setup_teardown(name, two_of_three, land_close)
#define next_test(name)                                                        \
    cmocka_unit_test_setup_teardown(name, with_next, land_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        roots_test(two_different_root_keys_agree),
        roots_test(one_of_them_makes_no_delegation),
        roots_test(two_records_of_one_key_make_no_chain),
        roots_test(old_and_new_keys_agree_on_a_rotation),
        roots_test(a_new_root_key_may_be_the_author),
        roots_test(sets_that_are_none_are_refused),
        roots_test(sixteen_keys_are_a_set),
        next_test(the_promised_set_follows_and_no_other),
        next_test(a_rotation_promises_the_next),
        roots_test(the_method_makes_the_same_event),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
