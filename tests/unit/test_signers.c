/* Further signatures and ate.key, by docs/format.md section 3. */
#include "fixture_land.h"

/* ---- further signatures ---- */

static void purposes_are_author_and_root(void **state)
{
    static const char *const others[] = {"endorser", "authors", "a", "auth.or"};
    struct land *l = *state;
    struct tx t;
    meets(l, pair(0));
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        tx_begin(&l->f, &t, &l->f.keys[0]);
        tx_word(&t, "x");
        tx_sign(&t, pair(0), others[i]);
        tx_no(&t, ATE_EINVALID, "means nothing; there are author and root");
    }
    tx_begin(&l->f, &t, &l->f.keys[0]);
    tx_word(&t, "x");
    tx_sign(&t, pair(0), "author");
    tx_sign(&t, &l->f.order, "root");
    tx_ok(&t);
}

/* One key may sign for each purpose, the author too. */
static void one_key_signs_once_for_each_purpose(void **state)
{
    struct land *l = *state;
    struct tx t;
    meets(l, pair(0));
    tx_begin(&l->f, &t, pair(0));
    tx_word(&t, "x");
    tx_sign(&t, pair(0), "author");
    tx_sign(&t, pair(0), "root");
    tx_sign(&t, &l->f.keys[0], "author");
    tx_sign(&t, &l->f.keys[0], "root");
    tx_ok(&t);
}

/* Hand in one batch whose bytes were changed after it was signed. */
static void changed_is_refused(struct land *l, struct tx *t, bool further,
                               const char *words)
{
    struct handed h;
    const char *text;
    batch_of(&h, t, 1);
    if (further)
        t->signatures[0][5] ^= 1;
    buf_clear(&h.payload);
    uint8_t signature[SIGN_SIZE];
    batch_sign(t->author, chain_core(l->f.chain)->id,
               (const uint8_t(*)[TX_ID_SIZE])t->id, 1, signature);
    signature[40] ^= further ? 0 : 1;
    batch_put(&h.payload, t->author->id, signature, 1);
    put_tx(&h, t);
    hand_in(&l->f, &h);
    fixture_run(&l->f);
    assert_int_equal(handed_code(&h, &text), ATE_ECORRUPT);
    assert_non_null(strstr(text, "a signature of the batch is not good"));
    assert_forgery_refused(&l->f, &h, 1, words);
    handed_end(&h);
    tx_end(t);
}

static void each_signature_is_good(void **state)
{
    struct land *l = *state;
    struct tx t;
    meets(l, pair(0));
    tx_begin(&l->f, &t, &l->f.keys[0]);
    tx_word(&t, "x");
    tx_sign(&t, pair(0), "author");
    changed_is_refused(l, &t, true, "the further signature for 'author'");
    tx_begin(&l->f, &t, &l->f.keys[0]);
    tx_word(&t, "x");
    changed_is_refused(l, &t, false, "the batch's signature is not good");
}

/* Signed for one purpose, it is no signature for the other. */
static void a_signature_is_for_its_purpose(void **state)
{
    struct land *l = *state;
    struct tx t;
    struct handed h;
    const char *text;
    meets(l, pair(0));
    tx_begin(&l->f, &t, pair(0));
    tx_word(&t, "x");
    tx_sign(&t, &l->f.keys[0], "author");
    batch_of(&h, &t, 1);
    buf_clear(&h.payload);
    uint8_t signature[SIGN_SIZE];
    batch_sign(t.author, chain_core(l->f.chain)->id,
               (const uint8_t(*)[TX_ID_SIZE])t.id, 1, signature);
    t.sigs[0].purpose = bytes_of_text("root");
    batch_put(&h.payload, t.author->id, signature, 1);
    put_tx(&h, &t);
    hand_in(&l->f, &h);
    fixture_run(&l->f);
    assert_int_equal(handed_code(&h, &text), ATE_ECORRUPT);
    assert_forgery_refused(&l->f, &h, 1, "the further signature for 'root'");
    handed_end(&h);
    tx_end(&t);
}

static void a_signer_is_known_or_comes_along(void **state)
{
    struct land *l = *state;
    uint8_t id[EVENT_ID_SIZE];
    struct tx t;
    tx_begin(&l->f, &t, &l->f.keys[0]);
    tx_word(&t, "x");
    tx_sign(&t, pair(0), "author");
    tx_no(&t, ATE_EDENIED, "by a key that is not in the log");
    /* A delegation's key is known from then on, not within. */
    tx_begin(&l->f, &t, &l->f.keys[0]);
    tx_give(&t, (struct give){.to = pair(0)->id,
                              .rights = "create",
                              .key = &pair(0)->record});
    tx_sign(&t, pair(0), "author");
    tx_no(&t, ATE_EDENIED, "by a key that is not in the log");
    tx_begin(&l->f, &t, &l->f.keys[0]);
    tx_key(&t, &pair(0)->record);
    tx_word(&t, "x");
    tx_sign(&t, pair(0), "author");
    tx_ok(&t);
    root_gives(l,
               (struct give){.to = pair(1)->id,
                             .rights = "create",
                             .key = &pair(1)->record},
               id);
    tx_begin(&l->f, &t, &l->f.keys[0]);
    tx_word(&t, "x");
    tx_sign(&t, pair(1), "author");
    tx_ok(&t);
}

/* All are looked for at once: known ones, and those who come along in another
 * order than they sign in, one of them for two purposes. */
static void all_who_sign_are_found(void **state)
{
    struct land *l = *state;
    struct tx t;
    meets(l, pair(3));
    tx_begin(&l->f, &t, &l->f.keys[0]);
    tx_key(&t, &pair(2)->record);
    tx_key(&t, &pair(1)->record);
    tx_word(&t, "x");
    tx_sign(&t, pair(1), "author");
    tx_sign(&t, pair(1), "root");
    tx_sign(&t, pair(2), "author");
    tx_sign(&t, pair(3), "author");
    tx_ok(&t);

    tx_begin(&l->f, &t, &l->f.keys[0]);
    tx_key(&t, &pair(4)->record);
    tx_word(&t, "x");
    tx_sign(&t, pair(4), "author");
    tx_sign(&t, pair(5), "author"); /* who is not there */
    tx_no(&t, ATE_EDENIED, "by a key that is not in the log");
}

/* So much is one piece of work for the pool, and nobody else's waits for more
 * of it. */
static void signatures_of_a_batch_have_a_bound(void **state)
{
    enum { MEMBERS = LIMIT_BATCH_SIGNATURES / TX_SIGNERS + 1 };
    static_assert(LIMIT_BATCH_SIGNATURES % TX_SIGNERS == 0, "exactly");
    struct land *l = *state;
    struct fixture_chain *f = &l->f;
    struct tx *t = mem_alloc(MEMBERS * sizeof(*t));
    for (size_t i = 0; i < TX_SIGNERS; i++)
        meets(l, pair(i));
    for (size_t i = 0; i < MEMBERS; i++) {
        tx_begin(f, &t[i], &f->keys[0]);
        t[i].first_sequence += i;
        tx_word(&t[i], "x");
        for (size_t k = 0; k < TX_SIGNERS; k++)
            tx_sign(&t[i], pair(k), "author");
    }
    for (size_t more = 2; more-- > 0;) {
        struct handed h;
        const char *text;
        batch_of(&h, t, MEMBERS - 1 + more);
        hand_in(f, &h);
        fixture_run(f);
        int code = handed_code(&h, &text);
        assert_int_equal(code, more == 1 ? ATE_ELIMIT : 0);
        if (more == 1)
            assert_non_null(strstr(text, "make several batches of it"));
        handed_end(&h);
    }
    for (size_t i = 0; i < MEMBERS; i++)
        tx_end(&t[i]);
    mem_free(t);
    assert_replays(f);
}

/* ---- ate.key ---- */

static void a_key_stands_at_the_head_among_others(void **state)
{
    struct land *l = *state;
    struct tx t;
    tx_begin(&l->f, &t, &l->f.keys[0]);
    tx_word(&t, "first");
    tx_key(&t, &pair(0)->record);
    tx_sign(&t, pair(0), "author");
    tx_no(&t, ATE_EINVALID, "stands at the head");
    tx_begin(&l->f, &t, &l->f.keys[0]);
    tx_give(&t, (struct give){.to = pair(1)->id, .rights = "create"});
    tx_key(&t, &pair(0)->record);
    tx_sign(&t, pair(0), "author");
    tx_no(&t, ATE_EINVALID, "stands at the head");
    tx_begin(&l->f, &t, pair(2));
    tx_key(&t, &pair(0)->record); /* its author's need not come first */
    tx_key(&t, &pair(2)->record);
    tx_key(&t, &pair(1)->record);
    tx_sign(&t, pair(0), "author");
    tx_sign(&t, pair(1), "root");
    tx_word(&t, "last");
    tx_ok(&t);
}

static void a_key_is_of_somebody_who_signs(void **state)
{
    struct land *l = *state;
    struct tx t;
    tx_begin(&l->f, &t, &l->f.keys[0]);
    tx_key(&t, &pair(0)->record);
    tx_word(&t, "x");
    tx_no(&t, ATE_EINVALID, "has not signed the transaction");
    /* The same sign key with another box key is another key. */
    struct key_pair twin = *pair(0);
    memcpy(twin.record.box, pair(1)->record.box, BOX_PUBLIC_SIZE);
    tx_begin(&l->f, &t, &l->f.keys[0]);
    tx_key(&t, &twin.record);
    tx_word(&t, "x");
    tx_sign(&t, pair(0), "author");
    tx_no(&t, ATE_EDENIED, "by a key that is not in the log");
}

static void a_key_comes_once(void **state)
{
    struct land *l = *state;
    struct tx t;
    meets(l, pair(0));
    tx_begin(&l->f, &t, pair(0));
    tx_key(&t, &pair(0)->record);
    tx_word(&t, "x");
    tx_no(&t, ATE_ECONFLICT, "this key is known");
    tx_begin(&l->f, &t, pair(1));
    tx_key(&t, &pair(1)->record);
    tx_key(&t, &pair(1)->record);
    tx_word(&t, "x");
    tx_no(&t, ATE_ECONFLICT, "this key is known");
    tx_begin(&l->f, &t, &l->f.order); /* genesis brought it */
    tx_key(&t, &l->f.order.record);
    tx_word(&t, "x");
    tx_no(&t, ATE_ECONFLICT, "this key is known");
}

/* Lest strangers fill a chain with keys: something that its pipeline took has
 * to follow, or root keys sign. */
static void a_key_does_not_come_alone(void **state)
{
    struct land *l = *state;
    struct tx t;
    tx_begin(&l->f, &t, pair(0));
    tx_key(&t, &pair(0)->record);
    tx_no(&t, ATE_EINVALID, "has to follow it");
    tx_begin(&l->f, &t, pair(0));
    tx_key(&t, &pair(0)->record);
    tx_sign(&t, &l->f.keys[0], "author");
    tx_no(&t, ATE_EINVALID, "has to follow it");
    tx_begin(&l->f, &t, pair(0));
    tx_key(&t, &pair(0)->record);
    tx_sign(&t, &l->f.keys[0], "root");
    tx_ok(&t);
    tx_begin(&l->f, &t, &l->f.keys[0]);
    tx_key(&t, &pair(1)->record);
    tx_sign(&t, pair(1), "author");
    tx_ok(&t);
}

static void an_author_is_known_or_comes_along(void **state)
{
    struct land *l = *state;
    struct tx t;
    tx_begin(&l->f, &t, pair(0));
    tx_word(&t, "x");
    tx_no(&t, ATE_EDENIED, "the author's key is not in the log");
    tx_begin(&l->f, &t, pair(0));
    tx_key(&t, &pair(1)->record);
    tx_sign(&t, pair(1), "author");
    tx_word(&t, "x");
    tx_no(&t, ATE_EDENIED, "the author's key is not in the log");
}

/* In the default pipeline a stranger's event has to be let in as anybody's. */
static void a_stranger_is_let_in_by_root_keys(void **state)
{
    struct land *l = *state;
    struct tx t;
    tx_begin(&l->f, &t, pair(0));
    tx_key(&t, &pair(0)->record);
    tx_word(&t, "x");
    tx_no(&t, ATE_EDENIED, "no delegation gives its author the right");
    tx_begin(&l->f, &t, pair(0));
    tx_key(&t, &pair(0)->record);
    tx_word(&t, "x");
    tx_sign(&t, &l->f.keys[0], "root");
    tx_ok(&t);
}

/* ---- the fields of ate.key ---- */

static void its_fields_are_three(void **state)
{
    struct land *l = *state;
    for (int wrong = 0; wrong < 6; wrong++) {
        struct buf fields = {0};
        struct tx t;
        const struct key_record *r = &pair(0)->record;
        mp_put_map(&fields, wrong == 0 ? 2 : wrong == 1 ? 4 : 3);
        mp_put_text(&fields, wrong == 2 ? "bux" : "box");
        mp_put_bin(&fields, bytes_of(r->box, BOX_PUBLIC_SIZE - (wrong == 3)));
        mp_put_text(&fields, "sign");
        if (wrong == 4)
            mp_put_str(&fields, bytes_of_text("none"));
        else
            mp_put_bin(&fields, bytes_of(r->sign, SIGN_PUBLIC_SIZE));
        if (wrong != 0) {
            mp_put_text(&fields, "suite");
            mp_put_uint(&fields, wrong == 5 ? 2 : SUITE_1);
        }
        if (wrong == 1) {
            mp_put_text(&fields, "suites");
            mp_put_uint(&fields, 1);
        }
        tx_begin(&l->f, &t, &l->f.keys[0]);
        tx_fact(&t, "ate.key", &fields, NULL);
        tx_word(&t, "x");
        tx_no(&t, ATE_EINVALID, "ate.key");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        open_test(purposes_are_author_and_root),
        open_test(one_key_signs_once_for_each_purpose),
        open_test(each_signature_is_good),
        open_test(a_signature_is_for_its_purpose),
        open_test(a_signer_is_known_or_comes_along),
        open_test(all_who_sign_are_found),
        open_test(signatures_of_a_batch_have_a_bound),
        open_test(a_key_stands_at_the_head_among_others),
        open_test(a_key_is_of_somebody_who_signs),
        open_test(a_key_comes_once),
        open_test(a_key_does_not_come_alone),
        open_test(an_author_is_known_or_comes_along),
        trust_test(a_stranger_is_let_in_by_root_keys),
        open_test(its_fields_are_three),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
