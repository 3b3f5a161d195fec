/* Batches byte by byte: whatever is changed in one, it is refused or means the
 * same; bodies fill their regions exactly; what a transaction says of the log,
 * its bundle and its call is what docs/format.md section 8 wants. */
#include "fixture_land.h"

/* ---- regions of bodies ---- */

static void is_code(const struct handed *h, int code, const char *words)
{
    const char *text;
    int got = handed_code(h, &text);
    if (got != code || (code != 0 && strstr(text, words) == NULL))
        fail_msg("want %s: %s, got %s: %s", err_name(code), words,
                 err_name(got), text);
}

/* Bodies of every kind that a batch carries. */
static void put_words(struct tx *t)
{
    tx_word_of(t, "inline", 100, NULL);
    tx_word_of(t, "one piece", 5001, NULL);
    tx_word_of(t, "a whole piece, nearly", 65001, NULL);
    tx_word_of(t, "inline again", 1001, NULL);
}

static void bodies_of_every_kind_are_taken(void **state)
{
    struct land *l = *state;
    struct tx t;
    tx_begin(&l->f, &t, &l->f.keys[0]);
    put_words(&t);
    tx_ok(&t);
}

static void bodies_fill_their_regions_exactly(void **state)
{
    static const struct {
        int inlined;
        int bodies;
    } more[] = {{1, 0},  {-1, 0},   {0, 8},     {0, -8},    {0, 1},
                {0, -1}, {64, -64}, {-2000, 0}, {0, -70000}};
    struct land *l = *state;
    struct both_roots before = roots_now(&l->f);
    for (size_t i = 0; i < sizeof(more) / sizeof(more[0]); i++) {
        struct handed h;
        struct tx t;
        tx_begin(&l->f, &t, &l->f.keys[0]);
        put_words(&t);
        batch_of(&h, &t, 1);
        for (int k = 0; k < more[i].inlined; k++)
            buf_put_u8(&h.inlined, 0);
        for (int k = 0; k < more[i].bodies; k++)
            buf_put_u8(&h.bodies, 0);
        if (more[i].inlined < 0)
            h.inlined.len -= (size_t)-more[i].inlined < h.inlined.len
                                 ? (size_t)-more[i].inlined
                                 : h.inlined.len;
        if (more[i].bodies < 0)
            h.bodies.len -= (size_t)-more[i].bodies < h.bodies.len
                                ? (size_t)-more[i].bodies
                                : h.bodies.len;
        hand_in(&l->f, &h);
        fixture_run(&l->f);
        is_code(&h, ATE_EINVALID, "its bodies are");
        assert_same_roots(&l->f, before);
        handed_end(&h);
        tx_end(&t);
    }
}

/* Each byte counts: of a body, of padding. */
static void each_byte_of_a_region_counts(void **state)
{
    struct land *l = *state;
    struct both_roots before = roots_now(&l->f);
    struct handed h;
    struct tx t;
    tx_begin(&l->f, &t, &l->f.keys[0]);
    put_words(&t);
    batch_of(&h, &t, 1);
    struct buf *const regions[] = {&h.inlined, &h.bodies};
    for (int r = 0; r < 2; r++) {
        for (size_t at = 0; at < regions[r]->len; at++) {
            /* Bodies are long runs of one letter: some of those will do. */
            if (regions[r]->data[at] == 'm' && at % 499 != 0)
                continue;
            regions[r]->data[at] ^= 1;
            hand_in(&l->f, &h);
            fixture_run(&l->f);
            const char *text;
            if (handed_code(&h, &text) == 0)
                fail_msg("byte %zu of region %d makes no difference", at, r);
            chain_submit_deinit(&h.submit);
            regions[r]->data[at] ^= 1;
        }
    }
    assert_same_roots(&l->f, before);
    hand_in(&l->f, &h);
    fixture_run(&l->f);
    is_code(&h, 0, "");
    handed_end(&h);
    tx_end(&t);
    assert_replays(&l->f);
}

/* A verifier that reads bodies finds false padding behind one, too. */
static void false_padding_in_a_log_is_found(void **state)
{
    struct land *l = *state;
    struct kept kept;
    struct tx t;
    tx_begin(&l->f, &t, &l->f.keys[0]);
    put_words(&t);
    tx_ok(&t);
    keep_files(&l->f, &kept);
    for (int i = 0; i < 2; i++) {
        chain_free(l->f.chain);
        l->f.chain = chain_new(&l->f.deps);
        chain_check_bodies(l->f.chain);
        chain_open(l->f.chain, kept.folder, kept.id, LOG_READ_ONLY,
                   fixture_done, &l->f);
        fixture_wait(&l->f);
        assert_int_equal(l->f.done_code, i == 0 ? 0 : ATE_ECORRUPT);
        struct buf *body = land_file(&l->f, &kept, "1.body");
        body->data[body->len - 5] ^= 1;
    }
    put_back(&l->f, &kept);
    drop_kept(&kept);
}

static void bodies_of_a_batch_have_a_bound(void **state)
{
    struct land *l = *state;
    for (int i = 0; i < 2; i++) {
        struct handed h;
        struct tx t;
        tx_begin(&l->f, &t, &l->f.keys[0]);
        tx_word(&t, "x");
        batch_of(&h, &t, 1);
        struct buf *region = i == 0 ? &h.bodies : &h.inlined;
        size_t max = i == 0 ? LIMIT_TX_BODIES : LIMIT_FRAME_PAYLOAD / 2;
        memset(buf_grow(region, max), 0, max);
        hand_in(&l->f, &h);
        fixture_run(&l->f);
        is_code(&h, ATE_EINVALID, "its bodies are");
        chain_submit_deinit(&h.submit);
        buf_put_u8(region, 0);
        hand_in(&l->f, &h);
        fixture_run(&l->f);
        is_code(&h, ATE_ELIMIT, "bodies of a batch");
        handed_end(&h);
        tx_end(&t);
    }
}

/* ---- any bit ---- */

/* [2, house id, digest of what stands there]. */
static void put_read(struct land *l, struct tx *t)
{
    struct bytes value;
    uint8_t digest[HASH_SIZE];
    bool there = state_get(chain_version(l->f.chain), STATE_OBJECT,
                           bytes_of(l->house, OBJECT_ID_SIZE), &value);
    assert_true(there);
    hash_of(LABEL_SEEN, value, digest);
    mp_put_array(&t->read_set, 1);
    mp_put_array(&t->read_set, 3);
    mp_put_uint(&t->read_set, STATE_OBJECT);
    mp_put_bin(&t->read_set, bytes_of(l->house, OBJECT_ID_SIZE));
    mp_put_bin(&t->read_set, bytes_of(digest, HASH_SIZE));
}

/* Two members with all that there is: both kinds of further signatures, a
 * delegation that rests on one, an auth_ref, a caller, a body, a read set, a
 * result. */
static void make_everything(struct land *l, const uint8_t *grant,
                            struct tx t[2])
{
    struct fixture_chain *f = &l->f;
    for (uint64_t i = 0; i < 2; i++) {
        tx_begin(f, &t[i], pair(0));
        t[i].first_sequence += 10 * i;
    }
    tx_key(&t[0], &pair(1)->record);
    tx_give(&t[0], (struct give){.to = pair(2)->id,
                                 .rights = "create,tax",
                                 .object = l->town,
                                 .under = grant,
                                 .key = &pair(2)->record,
                                 .until = f->now + 1000000});
    tx_place(&t[0], "land.house", l->town, "new", NULL, 0, grant);
    tx_word_of(&t[0], "x", 40, NULL);
    tx_sign(&t[0], pair(1), "author");
    tx_sign(&t[0], &f->keys[0], "root");
    put_read(l, &t[0]);
    mp_put_text(&t[0].result, "done");
    t[0].caller = pair(1)->id;
    tx_claim(&t[1], l->house, pair(0)->id, NULL);
}

/* All that a verdict digest says is nothing here: the orderer makes it. */
static bool is_verdict(const struct buf *payload, size_t at)
{
    struct batch_reader r;
    struct batch_member m;
    struct err err;
    assert_int_equal(batch_open(&r, buf_bytes(payload), &err), 0);
    while (batch_next(&r, &m, &err) == 1) {
        size_t from = (size_t)(m.verdict - payload->data);
        if (at >= from && at < from + HASH_SIZE)
            return true;
    }
    return false;
}

static void any_bit_that_is_changed_refuses_or_means_nothing(void **state)
{
    struct land *l = *state;
    struct fixture_chain *f = &l->f;
    uint8_t grant[EVENT_ID_SIZE];
    struct handed h;
    struct tx t[2];
    struct kept kept;
    size_t accepted = 0;
    root_gives(l,
               (struct give){.to = pair(0)->id,
                             .rights = "create,delegate,tax",
                             .object = l->country,
                             .key = &pair(0)->record,
                             .depth = 1},
               grant);
    make_everything(l, grant, t);
    batch_of(&h, t, 2);
    struct both_roots before = roots_now(f);
    keep_files(f, &kept);
    for (size_t at = 0; at < h.payload.len; at++) {
        for (size_t k = 0; k < 2; k++) {
            uint8_t bit = (uint8_t)(1u << (at + 3 * k) % 8);
            h.payload.data[at] ^= bit;
            hand_in(f, &h);
            fixture_run(f);
            assert_true(h.done);
            bool taken = false;
            for (size_t n = 0; n < h.submit.count; n++)
                taken |= h.submit.code == 0 && h.submit.results[n].code == 0;
            h.payload.data[at] ^= bit;
            if (!taken) {
                chain_submit_deinit(&h.submit);
                assert_same_roots(f, before);
                continue;
            }
            if (!is_verdict(&h.payload, at))
                fail_msg("bit %u of byte %zu of %zu is accepted", bit, at,
                         h.payload.len);
            for (size_t n = 0; n < 2; n++)
                assert_memory_equal(h.submit.results[n].tx_id, t[n].id,
                                    TX_ID_SIZE);
            chain_submit_deinit(&h.submit);
            accepted++;
            put_back(f, &kept);
        }
    }
    assert_int_equal(accepted, 2 * 2 * HASH_SIZE);
    hand_in(f, &h);
    fixture_run(f);
    is_code(&h, 0, "");
    assert_int_equal(h.submit.results[1].code, 0);
    assert_replays(f);
    drop_kept(&kept);
    handed_end(&h);
    tx_end(&t[0]);
    tx_end(&t[1]);
}

/* It is read back when its call is repeated, and by everybody else. */
static void a_result_is_one_canonical_value(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
        bool is_good;
    } cases[] = {
        {"\xa1x", 2, true}, {"\x81\xa1x\xc0", 4, true}, {"\xc1", 1, false},
        {"\xa1", 1, false}, {"\xc0\xc0", 2, false},     {"\xcc\x01", 2, false},
    };
    struct land *l = *state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct tx t;
        tx_begin(&l->f, &t, &l->f.keys[0]);
        tx_word(&t, "x");
        buf_put(&t.result, cases[i].bytes, cases[i].len);
        if (cases[i].is_good)
            tx_ok(&t);
        else
            tx_no(&t, ATE_EINVALID, "its result");
    }
}

/* Cut short anywhere, or with more behind it. */
static void a_payload_that_is_cut_is_refused(void **state)
{
    struct land *l = *state;
    struct handed h;
    struct tx t;
    const char *text;
    tx_begin(&l->f, &t, &l->f.keys[0]);
    tx_word(&t, "x");
    batch_of(&h, &t, 1);
    size_t len = h.payload.len;
    for (size_t cut = 0; cut < len; cut++) {
        h.payload.len = cut;
        hand_in(&l->f, &h);
        fixture_run(&l->f);
        assert_int_not_equal(handed_code(&h, &text), 0);
        chain_submit_deinit(&h.submit);
    }
    h.payload.len = len;
    buf_put_u8(&h.payload, 0xc0);
    hand_in(&l->f, &h);
    fixture_run(&l->f);
    is_code(&h, ATE_EINVALID, "");
    handed_end(&h);
    tx_end(&t);
}

/* ---- many ---- */

static void a_batch_has_as_many_members_as_it_may(void **state)
{
    enum { MANY = LIMIT_BATCH_TXS };
    struct land *l = *state;
    struct handed h;
    struct tx *t = mem_zero(MANY, sizeof(*t));
    uint64_t size = chain_size(l->f.chain);
    for (size_t i = 0; i < MANY; i++) {
        tx_begin(&l->f, &t[i], &l->f.keys[0]);
        t[i].first_sequence += i;
        if (i % 100 == 99)
            tx_claim(&t[i], l->house, pair(1)->id, NULL); /* refused */
        else
            tx_word(&t[i], "x");
    }
    batch_of(&h, t, MANY);
    hand_in(&l->f, &h);
    fixture_run(&l->f);
    is_code(&h, 0, "");
    uint64_t next = size;
    for (size_t i = 0; i < MANY; i++) {
        const struct submit_result *r = &h.submit.results[i];
        assert_int_equal(r->code, i % 100 == 99 ? ATE_EREFUSED : 0);
        if (r->code == 0)
            assert_int_equal(r->index, next++);
        tx_end(&t[i]);
    }
    assert_int_equal(chain_size(l->f.chain), next);
    assert_replays(&l->f);
    handed_end(&h);
    mem_free(t);
}

/* A state root is due in its middle: nothing comes between its members. */
static void a_batch_crosses_places_of_state_roots(void **state)
{
    enum { MEMBERS = 50, EVERY = 16 };
    struct land *l = *state;
    struct handed h;
    struct tx t[MEMBERS];
    l->f.deps.state_root_every = EVERY;
    assert_int_equal(fixture_reopen(&l->f, LOG_READ_WRITE), 0);
    uint64_t next = chain_size(l->f.chain);
    for (size_t i = 0; i < MEMBERS; i++) {
        tx_begin(&l->f, &t[i], &l->f.keys[0]);
        t[i].first_sequence += i;
        tx_word(&t[i], "x");
    }
    batch_of(&h, t, MEMBERS);
    hand_in(&l->f, &h);
    fixture_run(&l->f);
    is_code(&h, 0, "");
    for (size_t i = 0; i < MEMBERS; i++) {
        assert_int_equal(h.submit.results[i].code, 0);
        assert_int_equal(h.submit.results[i].index, next + i);
        tx_end(&t[i]);
    }
    assert_replays(&l->f);
    handed_end(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        open_test(bodies_of_every_kind_are_taken),
        open_test(bodies_fill_their_regions_exactly),
        open_test(each_byte_of_a_region_counts),
        open_test(false_padding_in_a_log_is_found),
        open_test(bodies_of_a_batch_have_a_bound),
        open_test(any_bit_that_is_changed_refuses_or_means_nothing),
        open_test(a_result_is_one_canonical_value),
        open_test(a_payload_that_is_cut_is_refused),
        open_test(a_batch_has_as_many_members_as_it_may),
        open_test(a_batch_crosses_places_of_state_roots),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
