/* Batches that were signed elsewhere: which of their members enter the log, at
 * which places, and what whoever handed them in is told. */
#include "fixture_land.h"

#include "crypto/note.h"

enum { MEMBERS_MAX = 8 };

static void end_all(struct tx *t, size_t count, struct handed *h)
{
    for (size_t i = 0; i < count; i++)
        tx_end(&t[i]);
    handed_end(h);
}

static void is_code(const struct handed *h, size_t n, int code,
                    const char *words)
{
    const struct submit_result *r = &h->submit.results[n];
    if (r->code != code || (code != 0 && strstr(r->err->text, words) == NULL))
        fail_msg("member %zu: want %s: %s, got %s: %s", n, err_name(code),
                 words, err_name(r->code), r->err != NULL ? r->err->text : "");
}

/* The receipt of a member says its index and id, and its checkpoint, by the
 * order key, the root of the log as it is. */
static void has_receipt(struct land *l, const struct handed *h, size_t n,
                        uint64_t index)
{
    const struct submit_result *r = &h->submit.results[n];
    struct receipt receipt;
    struct checkpoint checkpoint;
    struct err err;
    uint8_t root[HASH_SIZE];
    assert_int_equal(r->index, index);
    assert_int_equal(receipt_get(buf_bytes(&r->receipt), &receipt, &err), 0);
    assert_int_equal(receipt.index, index);
    assert_memory_equal(receipt.tx_id, r->tx_id, TX_ID_SIZE);
    assert_int_equal(
        note_checkpoint_verify(receipt.checkpoint, chain_core(l->f.chain)->id,
                               l->f.order.record.sign, &checkpoint, &err),
        0);
    chain_root(l->f.chain, root);
    assert_int_equal(checkpoint.size, chain_size(l->f.chain));
    assert_memory_equal(checkpoint.root, root, HASH_SIZE);
    assert_memory_equal(h->submit.root, root, HASH_SIZE);
}

/* ---- members, accepted and refused ---- */

/* Five of which the second and the fourth are refused: the others have the next
 * indices, and the frame keeps the ids of all. */
static void refused_members_leave_their_ids(void **state)
{
    struct land *l = *state;
    struct fixture_chain *f = &l->f;
    struct tx t[5];
    struct handed h;
    meets(l, pair(0));
    uint64_t size = chain_size(f->chain);
    uint64_t frames = chain_log(f->chain)->end.frames;
    f->now += 5000; /* a heartbeat comes first */
    for (size_t i = 0; i < 5; i++) {
        tx_begin(f, &t[i], pair(0));
        t[i].first_sequence += i;
        if (i % 2 == 0)
            tx_word_of(&t[i], "x", i * 700, NULL); /* bodies of all kinds */
        else if (i == 1)
            tx_claim(&t[i], l->house, pair(1)->id, NULL);
        else
            tx_place(&t[i], "land.country", NULL, "a", NULL, 0, NULL);
    }
    batch_of(&h, t, 5);
    hand_in(f, &h);
    fixture_run(f);
    assert_int_equal(h.submit.code, 0);
    assert_int_equal(h.submit.count, 5);
    is_code(&h, 0, 0, "");
    is_code(&h, 1, ATE_EREFUSED, "that is not");
    is_code(&h, 2, 0, "");
    is_code(&h, 3, ATE_ECONFLICT, "exists already");
    is_code(&h, 4, 0, "");
    assert_string_equal(h.submit.results[1].err->rule, "not_them");
    for (size_t i = 0; i < 3; i++)
        has_receipt(l, &h, 2 * i, size + 1 + i);
    for (size_t i = 0; i < 5; i++)
        assert_memory_equal(h.submit.results[i].tx_id, t[i].id, TX_ID_SIZE);
    assert_int_equal(chain_size(f->chain), size + 4);
    assert_int_equal(chain_log(f->chain)->end.frames, frames + 2);
    assert_replays(f);
    end_all(t, 5, &h);
}

static void a_batch_of_which_nothing_is_accepted_leaves_nothing(void **state)
{
    struct land *l = *state;
    struct fixture_chain *f = &l->f;
    struct tx t[2];
    struct handed h;
    meets(l, pair(0));
    struct both_roots before = roots_now(f);
    f->now += 5000; /* not even the heartbeat */
    for (size_t i = 0; i < 2; i++) {
        tx_begin(f, &t[i], pair(0));
        t[i].first_sequence += i;
        tx_claim(&t[i], l->house, pair(1)->id, NULL);
    }
    batch_of(&h, t, 2);
    hand_in(f, &h);
    fixture_run(f);
    is_code(&h, 0, ATE_EREFUSED, "that is not");
    is_code(&h, 1, ATE_EREFUSED, "that is not");
    assert_same_roots(f, before);
    assert_replays(f);
    end_all(t, 2, &h);
}

/* The heartbeat comes before the first that is accepted. */
static void a_heartbeat_comes_before_the_first_accepted(void **state)
{
    struct land *l = *state;
    struct fixture_chain *f = &l->f;
    struct tx t[2];
    struct handed h;
    meets(l, pair(0));
    uint64_t size = chain_size(f->chain);
    f->now += 7000;
    for (size_t i = 0; i < 2; i++) {
        tx_begin(f, &t[i], pair(0));
        t[i].first_sequence += i;
        tx_claim(&t[i], l->house, pair(1 - i)->id, NULL);
    }
    batch_of(&h, t, 2);
    hand_in(f, &h);
    fixture_run(f);
    is_code(&h, 0, ATE_EREFUSED, "that is not");
    is_code(&h, 1, 0, "");
    assert_int_equal(h.submit.results[1].index, size + 1);
    assert_int_equal(state_time(chain_version(f->chain)), f->now);
    assert_replays(f);
    end_all(t, 2, &h);
}

/* What one member does the next one sees. */
static void members_see_those_before_them(void **state)
{
    struct land *l = *state;
    struct fixture_chain *f = &l->f;
    uint8_t country[OBJECT_ID_SIZE];
    struct tx t[4];
    struct handed h;
    object_named(f, "land.country", NULL, "new", country);
    for (size_t i = 0; i < 4; i++) {
        tx_begin(f, &t[i], &f->keys[0]);
        t[i].first_sequence += i;
    }
    tx_place(&t[0], "land.town", country, "too early", NULL, 0, NULL);
    tx_place(&t[1], "land.country", NULL, "new", NULL, 0, NULL);
    tx_place(&t[2], "land.country", NULL, "new", NULL, 0, NULL);
    tx_place(&t[3], "land.town", country, "in time", NULL, 0, NULL);
    batch_of(&h, t, 4);
    hand_in(f, &h);
    fixture_run(f);
    is_code(&h, 0, ATE_ENOT_FOUND, "no such");
    is_code(&h, 1, 0, "");
    is_code(&h, 2, ATE_ECONFLICT, "exists already");
    is_code(&h, 3, 0, "");
    assert_replays(f);
    end_all(t, 4, &h);
}

/* ---- sequences ---- */

/* Gaps are allowed, lower ones are not. */
static void sequences_only_go_up(void **state)
{
    struct land *l = *state;
    struct fixture_chain *f = &l->f;
    struct tx t;
    struct author author;
    meets(l, pair(0));
    tx_begin(f, &t, pair(0));
    t.first_sequence += 1000;
    tx_word(&t, "a gap");
    tx_word(&t, "of two");
    tx_ok(&t);
    assert_true(state_author(chain_version(f->chain), pair(0)->id, &author));
    assert_int_equal(author.next_sequence, 1004);
    tx_begin(f, &t, pair(0));
    t.first_sequence = 1003;
    tx_word(&t, "x");
    tx_no(&t, ATE_ECONFLICT, "sequence is at 1004 already");
    tx_begin(f, &t, pair(0));
    t.first_sequence = (uint64_t)INT64_MAX - 4096;
    tx_word(&t, "the last");
    tx_ok(&t);
}

/* In a batch whose members stand in another order, what comes late is lost. */
static void members_stand_in_the_order_of_their_sequences(void **state)
{
    struct land *l = *state;
    struct fixture_chain *f = &l->f;
    struct tx t[2];
    struct handed h;
    meets(l, pair(0));
    for (size_t i = 0; i < 2; i++) {
        tx_begin(f, &t[i], pair(0));
        t[i].first_sequence += 1 - i;
        tx_word(&t[i], "x");
    }
    batch_of(&h, t, 2);
    hand_in(f, &h);
    fixture_run(f);
    is_code(&h, 0, 0, "");
    is_code(&h, 1, ATE_ECONFLICT, "sequence is at");
    assert_replays(f);
    end_all(t, 2, &h);
}

/* ---- handed in again ---- */

static void again(struct land *l, const struct handed *h, struct handed *once)
{
    *once = (struct handed){0};
    buf_put_bytes(&once->payload, buf_bytes(&h->payload));
    buf_put_bytes(&once->inlined, buf_bytes(&h->inlined));
    buf_put_bytes(&once->bodies, buf_bytes(&h->bodies));
    hand_in(&l->f, once);
    fixture_run(&l->f);
    assert_true(once->done);
}

static void a_resend_gets_the_first_receipt(void **state)
{
    struct land *l = *state;
    struct fixture_chain *f = &l->f;
    struct tx t[2];
    struct handed h;
    struct handed once;
    meets(l, pair(0));
    for (size_t i = 0; i < 2; i++) {
        tx_begin(f, &t[i], pair(0));
        t[i].first_sequence += i;
        tx_word_of(&t[i], "x", 3000, NULL);
    }
    batch_of(&h, t, 2);
    hand_in(f, &h);
    fixture_run(f);
    uint64_t index = h.submit.results[0].index;
    land_pass(l, 3000);
    struct both_roots before = roots_now(f);
    for (int i = 0; i < 2; i++) {
        again(l, &h, &once);
        assert_int_equal(once.submit.code, 0);
        for (size_t n = 0; n < 2; n++) {
            is_code(&once, n, 0, "");
            assert_true(once.submit.results[n].known);
            has_receipt(l, &once, n, index + n);
        }
        handed_end(&once);
        assert_same_roots(f, before);
        assert_replays(f);
    }
    end_all(t, 2, &h);
}

/* Whatever became of what it rested on: it is in the log. */
static void a_resend_gets_its_receipt_after_a_revocation(void **state)
{
    struct land *l = *state;
    struct fixture_chain *f = &l->f;
    uint8_t id[EVENT_ID_SIZE];
    struct tx t;
    struct tx r;
    struct handed h;
    struct handed once;
    root_gives(l,
               (struct give){.to = pair(0)->id,
                             .rights = "create",
                             .key = &pair(0)->record},
               id);
    tx_begin(f, &t, pair(0));
    tx_word_of(&t, "x", 0, id);
    batch_of(&h, &t, 1);
    hand_in(f, &h);
    fixture_run(f);
    is_code(&h, 0, 0, "");
    tx_begin(f, &r, pair(0));
    tx_revoke(&r, id);
    tx_ok(&r);
    again(l, &h, &once);
    is_code(&once, 0, 0, "");
    assert_true(once.submit.results[0].known);
    has_receipt(l, &once, 0, h.submit.results[0].index);
    handed_end(&once);
    end_all(&t, 1, &h);
}

/* Some of it was refused the first time: that may be taken now. */
static void a_resend_may_have_more_accepted(void **state)
{
    struct land *l = *state;
    struct fixture_chain *f = &l->f;
    struct tx t[2];
    struct handed h;
    struct handed once;
    uint8_t country[OBJECT_ID_SIZE];
    object_named(f, "land.country", NULL, "new", country);
    meets(l, pair(0));
    for (size_t i = 0; i < 2; i++) {
        tx_begin(f, &t[i], pair(0));
        t[i].first_sequence += i;
    }
    tx_word(&t[0], "x");
    tx_place(&t[1], "land.town", country, "t", NULL, 0, NULL);
    batch_of(&h, t, 2);
    hand_in(f, &h);
    fixture_run(f);
    is_code(&h, 0, 0, "");
    is_code(&h, 1, ATE_ENOT_FOUND, "no such");
    fixture_ok(f, 0, "country.create", ARGS("name=new"));
    again(l, &h, &once);
    is_code(&once, 0, 0, "");
    is_code(&once, 1, 0, "");
    assert_true(once.submit.results[0].known);
    assert_false(once.submit.results[1].known);
    assert_replays(f);
    handed_end(&once);
    end_all(t, 2, &h);
}

static void another_transaction_with_its_call_id_is_refused(void **state)
{
    struct land *l = *state;
    struct fixture_chain *f = &l->f;
    uint8_t call_id[CALL_ID_SIZE];
    struct tx t[2];
    struct handed h;
    meets(l, pair(0));
    tx_begin(f, &t[0], pair(0));
    memcpy(call_id, t[0].call_id, CALL_ID_SIZE);
    tx_word(&t[0], "first");
    uint64_t index = tx_ok(&t[0]);
    for (size_t i = 0; i < 2; i++) { /* by the same author, and by another */
        char words[80];
        tx_begin(f, &t[0], i == 0 ? pair(0) : &f->keys[0]);
        memcpy(t[0].call_id, call_id, CALL_ID_SIZE);
        tx_word(&t[0], "second");
        snprintf(words, sizeof(words),
                 "its call id was used by transaction "
                 "%llu",
                 (unsigned long long)index);
        tx_no(&t[0], ATE_ECONFLICT, words);
    }
    /* And twice in one batch. */
    for (size_t i = 0; i < 2; i++) {
        tx_begin(f, &t[i], pair(0));
        t[i].first_sequence += i;
        memset(t[i].call_id, 7, CALL_ID_SIZE);
        tx_word(&t[i], "x");
    }
    batch_of(&h, t, 2);
    hand_in(f, &h);
    fixture_run(f);
    is_code(&h, 0, 0, "");
    is_code(&h, 1, ATE_ECONFLICT, "its call id was used");
    assert_replays(f);
    end_all(t, 2, &h);
}

/* A call id is refused as long as its entry is there, and that goes when a
 * later transaction leaves its own. (Its facts' ids are the author's and the
 * call's: by the same author they would be there already.) */
static void a_call_id_is_free_again_when_its_entry_went(void **state)
{
    enum { DAY = 86400000 };
    struct land *l = *state;
    struct fixture_chain *f = &l->f;
    struct tx t;
    meets(l, pair(0));
    for (int i = 0; i < 3; i++) {
        tx_begin(f, &t, i == 0 ? &f->keys[0] : pair(0));
        memset(t.call_id, 9, CALL_ID_SIZE);
        tx_word(&t, "x");
        if (i == 1) {
            tx_no(&t, ATE_ECONFLICT, "its call id was used");
            land_pass(l, 0);
            continue;
        }
        tx_ok(&t);
        f->now += DAY + 2000; /* nothing comes meanwhile */
    }
}

/* ---- what the whole batch is refused for ---- */

static void what_is_no_batch_is_refused(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
    } cases[] = {
        {"", 0},
        {"\xc0", 1},
        {"\x93\xc4", 2},
        {"\x90", 1},
    };
    struct land *l = *state;
    struct handed h;
    const char *text;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        h = (struct handed){0};
        buf_put(&h.payload, cases[i].bytes, cases[i].len);
        hand_in(&l->f, &h);
        fixture_run(&l->f);
        assert_int_equal(handed_code(&h, &text), ATE_EINVALID);
        assert_non_null(strstr(text, "submit"));
        handed_end(&h);
    }
}

static void nothing_but_its_id_is_not_accepted(void **state)
{
    struct land *l = *state;
    struct fixture_chain *f = &l->f;
    struct handed h;
    struct tx t[2];
    uint8_t ids[3][TX_ID_SIZE] = {{0}};
    uint8_t signature[SIGN_SIZE];
    for (size_t i = 0; i < 2; i++) {
        tx_begin(f, &t[i], &f->keys[0]);
        t[i].first_sequence += i;
        tx_word(&t[i], "x");
    }
    batch_of(&h, t, 2);
    memcpy(ids[0], t[0].id, TX_ID_SIZE);
    memset(ids[1], 5, TX_ID_SIZE);
    memcpy(ids[2], t[1].id, TX_ID_SIZE);
    batch_sign(t->author, chain_core(f->chain)->id,
               (const uint8_t(*)[TX_ID_SIZE])ids, 3, signature);
    buf_clear(&h.payload);
    batch_put(&h.payload, t->author->id, signature, 3);
    put_tx(&h, &t[0]);
    batch_put_refused(&h.payload, ids[1]);
    put_tx(&h, &t[1]);
    hand_in(f, &h);
    fixture_run(f);
    is_code(&h, 0, 0, "");
    is_code(&h, 1, ATE_EDENIED, "nothing but its id is here");
    is_code(&h, 2, 0, "");
    assert_replays(f);
    end_all(t, 2, &h);
}

static void a_chain_that_is_read_takes_nothing(void **state)
{
    struct land *l = *state;
    struct handed h;
    struct tx t;
    const char *text;
    assert_int_equal(fixture_reopen(&l->f, LOG_READ_ONLY), 0);
    tx_begin(&l->f, &t, &l->f.keys[0]);
    tx_word(&t, "x");
    batch_of(&h, &t, 1);
    hand_in(&l->f, &h);
    fixture_run(&l->f);
    assert_int_equal(handed_code(&h, &text), ATE_EUNAVAILABLE);
    end_all(&t, 1, &h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        open_test(refused_members_leave_their_ids),
        open_test(a_batch_of_which_nothing_is_accepted_leaves_nothing),
        open_test(a_heartbeat_comes_before_the_first_accepted),
        open_test(members_see_those_before_them),
        open_test(sequences_only_go_up),
        open_test(members_stand_in_the_order_of_their_sequences),
        open_test(a_resend_gets_the_first_receipt),
        open_test(a_resend_gets_its_receipt_after_a_revocation),
        open_test(a_resend_may_have_more_accepted),
        open_test(another_transaction_with_its_call_id_is_refused),
        open_test(a_call_id_is_free_again_when_its_entry_went),
        open_test(what_is_no_batch_is_refused),
        open_test(nothing_but_its_id_is_not_accepted),
        open_test(a_chain_that_is_read_takes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
