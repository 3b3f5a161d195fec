/* What a transaction says that its author had seen, by docs/format.md section
 * 8: the log and the bundle. What of the state is in test_read_set.c. */
#include "fixture_land.h"

#include "chain/history.h"

/* ---- the log ---- */

static void it_saw_the_log_at_the_end_of_a_frame(void **state)
{
    struct land *l = *state;
    struct fixture_chain *f = &l->f;
    uint8_t root[HASH_SIZE];
    struct tx t[2];
    struct handed h;
    chain_root(f->chain, root);
    uint64_t size = chain_size(f->chain);
    for (uint64_t i = 0; i < 2; i++) { /* one frame of two */
        tx_begin(f, &t[i], &f->keys[0]);
        t[i].first_sequence += i;
        tx_word(&t[i], "x");
    }
    batch_of(&h, t, 2);
    hand_in(f, &h);
    fixture_run(f);
    assert_int_equal(h.submit.results[1].code, 0);
    handed_end(&h);
    tx_end(&t[0]);
    tx_end(&t[1]);

    const struct {
        uint64_t size;
        int change; /* of the root */
        const char *words;
    } cases[] = {
        {size, 0, NULL},
        {size, 1, "the author saw another log"},
        {size + 1, 0, "the author saw another log"}, /* inside of the frame */
        {size + 3, 0, "the author saw another log"}, /* not there yet */
        {1, 0, "the author saw another log"},        /* genesis has another */
        {UINT64_MAX, 0, "the author saw another log"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct tx one;
        tx_begin(f, &one, &f->keys[0]);
        one.seen_size = cases[i].size;
        memcpy(one.seen_root, root, HASH_SIZE);
        one.seen_root[3] ^= (uint8_t)cases[i].change;
        tx_word(&one, "x");
        if (cases[i].words == NULL)
            tx_ok(&one);
        else
            tx_no(&one, ATE_EINVALID, cases[i].words);
    }
    struct tx none; /* who had seen nothing says so */
    tx_begin(f, &none, &f->keys[0]);
    none.seen_size = 0;
    tx_word(&none, "x");
    tx_ok(&none);
}

/* 4,096 ends of frames back it can be checked, with genesis' own; not further.
 */
static void what_is_too_old_cannot_be_checked(void **state)
{
    struct land *l = *state;
    struct fixture_chain *f = &l->f;
    uint8_t root[HASH_SIZE];
    struct tx t;
    chain_root(f->chain, root);
    uint64_t size = chain_size(f->chain);
    for (int i = 1; i < HISTORY_MAX; i++)
        fixture_ok(f, 0, "word.append", ARGS("text=x"));
    for (int i = 0; i < 2; i++) {
        tx_begin(f, &t, &f->keys[0]);
        t.seen_size = size;
        memcpy(t.seen_root, root, HASH_SIZE);
        tx_word(&t, "x");
        if (i == 0)
            tx_ok(&t); /* and with it there are as many again */
        else
            tx_no(&t, ATE_ESTALE, "is too old to be checked");
    }
}

/* ---- bundle, token ---- */

static void its_bundle_is_the_one_in_force(void **state)
{
    struct land *l = *state;
    struct tx t;
    tx_begin(&l->f, &t, &l->f.keys[0]);
    t.bundle[0] ^= 1;
    tx_word(&t, "x");
    tx_no(&t, ATE_ESTALE, "with another bundle");
    tx_begin(&l->f, &t, &l->f.keys[0]);
    t.has_bundle = false;
    tx_word(&t, "x");
    tx_no(&t, ATE_ESTALE, "with another bundle");
}

static void what_this_version_does_not_know_is_refused(void **state)
{
    struct land *l = *state;
    struct buf fields = {0};
    uint8_t token[32] = {1};
    struct tx t;
    tx_begin(&l->f, &t, &l->f.keys[0]);
    t.token = token;
    tx_word(&t, "x");
    tx_no(&t, ATE_EUNAVAILABLE, "with a token");
    tx_begin(&l->f, &t, &l->f.keys[0]);
    mp_put_map(&fields, 0);
    tx_fact(&t, "ate.keyring", &fields, NULL);
    tx_no(&t, ATE_EUNAVAILABLE, "a later one does");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        open_test(it_saw_the_log_at_the_end_of_a_frame),
        open_test(what_is_too_old_cannot_be_checked),
        open_test(its_bundle_is_the_one_in_force),
        open_test(what_this_version_does_not_know_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
