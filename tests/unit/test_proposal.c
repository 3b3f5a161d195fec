/* Proposals: batches as text that people send each other, signed one after the
 * other, handed in at last. */
#include "fixture_land.h"

#include "event/proposal.h"

enum { ERR_WORDS = sizeof(((struct err *)0)->text) };

static void make_text(struct fixture_chain *f, struct bytes raw,
                      struct buf *text)
{
    const struct core *core = chain_core(f->chain);
    proposal_put(text, core->id, core->genesis.name, raw);
}

static void fails(struct bytes text, int code, const char *words)
{
    struct proposal p;
    struct err err = {0};
    int rc = proposal_get(text, &p, &err);
    if (rc != code || strstr(err.text, words) == NULL)
        fail_msg("want %s: %s, got %s: %s", err_name(code), words, err_name(rc),
                 err.text);
    proposal_deinit(&p);
}

/* ---- the text ---- */

static void a_text_is_read_as_it_was_written(void **state)
{
    struct land *l = *state;
    struct proposal p;
    struct err err;
    struct buf text = {0};
    const char raw[] = "\x93\xc4\x01p\xc4\x02in\xc4\x00";
    make_text(&l->f, bytes_of(raw, sizeof(raw) - 1), &text);
    assert_int_equal(strncmp(buf_text(&text), "ate-proposal 1\nchain ", 21), 0);
    assert_int_equal(proposal_get(buf_bytes(&text), &p, &err), 0);
    assert_memory_equal(p.chain, chain_core(l->f.chain)->id, CHAIN_ID_SIZE);
    assert_true(bytes_equal(p.name, bytes_of_text("test")));
    assert_true(bytes_equal(p.payload, bytes_of_text("p")));
    assert_true(bytes_equal(p.inlined, bytes_of_text("in")));
    assert_int_equal(p.bodies.len, 0);
    proposal_deinit(&p);
    proposal_deinit(&p);
    buf_deinit(&text);
}

static void what_is_no_proposal_is_refused(void **state)
{
#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define CHAIN "chain " ID " bank/main\n"
    static const struct {
        const char *text;
        const char *words;
    } cases[] = {
        {"", "its first line"},
        {"ate-proposal 2\n" CHAIN "k8QAxADEAA==\n", "its first line"},
        {"ate-proposal 1\r\n" CHAIN "k8QAxADEAA==\n", "its first line"},
        {"ate-proposal 1\n", "its second line"},
        {"ate-proposal 1\nchain " ID "\nk8QAxADEAA==\n", "its second line"},
        {"ate-proposal 1\nchain " ID " \nk8QAxADEAA==\n", "its second line"},
        {"ate-proposal 1\nchain " ID " .x\nk8QAxADEAA==\n", "its second line"},
        {"ate-proposal 1\nchain " ID " a//b\nk8QAxADEAA==\n",
         "its second line"},
        {"ate-proposal 1\nchain 0123 bank\nk8QAxADEAA==\n", "its second line"},
        {"ate-proposal 1\n" CHAIN, "its third line"},
        {"ate-proposal 1\n" CHAIN "k8QAxADEAA==", "its third line"},
        {"ate-proposal 1\n" CHAIN "k8QAxADEAA==\n\n", "its third line"},
        {"ate-proposal 1\n" CHAIN "k8QAxADEAA==\nx", "its third line"},
        {"ate-proposal 1\n" CHAIN "k8QAxADEAA\n", "its third line"},
        {"ate-proposal 1\n" CHAIN "k8QA xADEAA==\n", "its third line"},
        {"ate-proposal 1\n" CHAIN "k8QAxADEAB==\n", "its third line"},
        {"ate-proposal 1\n" CHAIN "\n", "proposal"},
        {"ate-proposal 1\n" CHAIN "k8QAxAA=\n", "proposal"},
        {"ate-proposal 1\n" CHAIN "k8QAxADEAMA=\n", "proposal"},
        {"ate-proposal 1\n" CHAIN "k8QAxADA\n", "proposal"},
        {"ate-proposal 1\n" CHAIN "wA==\n", "proposal"},
    };
    (void)state;
    struct proposal p;
    struct err err;
    assert_int_equal(
        proposal_get(bytes_of_text("ate-proposal 1\n" CHAIN "k8QAxADEAA==\n"),
                     &p, &err),
        0);
    proposal_deinit(&p);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        fails(bytes_of_text(cases[i].text), ATE_EINVALID, cases[i].words);
}

static void a_text_has_a_bound(void **state)
{
    (void)state;
    struct buf text = {0};
    memset(buf_grow(&text, LIMIT_FRAME_PAYLOAD + 1), 'A',
           LIMIT_FRAME_PAYLOAD + 1);
    fails(buf_bytes(&text), ATE_ELIMIT, "at most");
    text.len--;
    fails(buf_bytes(&text), ATE_EINVALID, "its first line");
    buf_deinit(&text);
}

/* ---- signing ---- */

static void put_raw(const struct handed *h, struct buf *raw)
{
    mp_put_array(raw, 3);
    mp_put_bin(raw, buf_bytes(&h->payload));
    mp_put_bin(raw, buf_bytes(&h->inlined));
    mp_put_bin(raw, buf_bytes(&h->bodies));
}

/* `text` with a signature more. */
static int sign(struct fixture_chain *f, struct buf *text,
                const struct key_pair *who, const char *purpose,
                struct err *err)
{
    struct proposal p;
    struct buf raw = {0};
    struct buf signed_text = {0};
    int rc = proposal_get(buf_bytes(text), &p, err);
    if (rc == 0)
        rc = proposal_sign(&p, who, bytes_of_text(purpose), &raw, err);
    if (rc == 0) {
        make_text(f, buf_bytes(&raw), &signed_text);
        buf_clear(text);
        buf_put_bytes(text, buf_bytes(&signed_text));
    }
    proposal_deinit(&p);
    buf_deinit(&raw);
    buf_deinit(&signed_text);
    return rc;
}

static void signs(struct fixture_chain *f, struct buf *text,
                  const struct key_pair *who, const char *purpose)
{
    struct err err;
    if (sign(f, text, who, purpose, &err) != 0)
        fail_msg("%s", err.text);
}

/* Hand the text in; the code of its first member. */
static int submits(struct fixture_chain *f, const struct buf *text,
                   char words[ERR_WORDS])
{
    struct proposal p;
    struct handed h = {.done = false};
    struct err err;
    const char *why = "";
    int rc = proposal_get(buf_bytes(text), &p, &err);
    words[0] = '\0';
    if (rc == 0) {
        buf_put_bytes(&h.payload, p.payload);
        buf_put_bytes(&h.inlined, p.inlined);
        buf_put_bytes(&h.bodies, p.bodies);
        hand_in(f, &h);
        fixture_run(f);
        rc = handed_code(&h, &why);
        snprintf(words, ERR_WORDS, "%s", why);
        handed_end(&h);
    }
    proposal_deinit(&p);
    return rc;
}

/* Signatures come in any order, and one that is there is kept as it is. */
static void signatures_are_sorted_and_come_once(void **state)
{
    struct land *l = *state;
    struct fixture_chain *f = &l->f;
    struct buf text[2] = {{0}, {0}};
    struct buf raw = {0};
    struct handed h;
    struct tx t[2];
    char words[ERR_WORDS];
    for (size_t i = 0; i < 3; i++)
        meets(l, pair(i));
    for (uint64_t i = 0; i < 2; i++) {
        tx_begin(f, &t[i], pair(0));
        t[i].first_sequence += i;
        tx_word_of(&t[i], "x", i * 2000, NULL);
    }
    batch_of(&h, t, 2);
    put_raw(&h, &raw);
    static const size_t orders[2][4] = {{1, 2, 1, 2}, {2, 1, 2, 1}};
    static const char *const purposes[2][4] = {
        {"author", "author", "root", "root"},
        {"root", "root", "author", "author"}};
    for (int i = 0; i < 2; i++) {
        make_text(f, buf_bytes(&raw), &text[i]);
        for (int k = 0; k < 4; k++)
            signs(f, &text[i], pair(orders[i][k]), purposes[i][k]);
        for (int k = 0; k < 4; k++) /* again changes nothing */
            signs(f, &text[i], pair(orders[i][k]), purposes[i][k]);
    }
    assert_true(bytes_equal(buf_bytes(&text[0]), buf_bytes(&text[1])));
    assert_int_equal(submits(f, &text[0], words), 0);
    assert_replays(f);
    for (int i = 0; i < 2; i++) {
        buf_deinit(&text[i]);
        tx_end(&t[i]);
    }
    buf_deinit(&raw);
    handed_end(&h);
}

static void its_author_does_not_sign_again(void **state)
{
    struct land *l = *state;
    struct buf text = {0};
    struct buf raw = {0};
    struct handed h;
    struct tx t;
    struct err err;
    tx_begin(&l->f, &t, &l->f.keys[0]);
    tx_word(&t, "x");
    batch_of(&h, &t, 1);
    put_raw(&h, &raw);
    make_text(&l->f, buf_bytes(&raw), &text);
    assert_int_equal(sign(&l->f, &text, &l->f.keys[0], "root", &err),
                     ATE_ECONFLICT);
    assert_non_null(strstr(err.text, "its author has signed it"));
    buf_deinit(&text);
    buf_deinit(&raw);
    handed_end(&h);
    tx_end(&t);
}

/* Sixty-four sign with it, no more. */
static void so_many_sign_and_no_more(void **state)
{
    struct land *l = *state;
    struct fixture_chain *f = &l->f;
    struct buf text = {0};
    struct buf raw = {0};
    struct handed h;
    struct tx t;
    struct err err;
    char words[ERR_WORDS];
    tx_begin(f, &t, &f->keys[0]);
    tx_word(&t, "x");
    batch_of(&h, &t, 1);
    put_raw(&h, &raw);
    make_text(f, buf_bytes(&raw), &text);
    for (uint8_t i = 0; i < LIMIT_TX_SIGNATURES; i++) {
        struct key_pair who;
        fixture_pair(&who, (uint8_t)(100 + i));
        signs(f, &text, &who, "author");
    }
    assert_int_equal(sign(f, &text, pair(0), "author", &err), ATE_ELIMIT);
    assert_non_null(strstr(err.text, "at most 64"));
    /* It is a batch, though of keys that nobody knows. */
    assert_int_equal(submits(f, &text, words), ATE_EDENIED);
    assert_non_null(strstr(words, "by a key that is not in the log"));
    buf_deinit(&text);
    buf_deinit(&raw);
    handed_end(&h);
    tx_end(&t);
}

/* ---- from a call ---- */

/* A proposal of the method, as text. */
static void proposes(struct land *l, const struct key_pair *author,
                     const char *method, const char *const *args,
                     const struct signer *signers, size_t count,
                     struct buf *text)
{
    struct fixture_chain *f = &l->f;
    struct fixture_call c = {0};
    struct both_roots before = roots_now(f);
    uint64_t size = chain_size(f->chain);
    uint32_t n = 0;
    while (args[n] != NULL)
        n++;
    mp_put_map(&c.args, n);
    for (uint32_t i = 0; i < n; i++) {
        const char *eq = strchr(args[i], '=');
        mp_put_str(&c.args, bytes_of(args[i], (size_t)(eq - args[i])));
        mp_put_text(&c.args, eq + 1);
    }
    c.call = (struct chain_call){
        .method = bytes_of_text(method),
        .args = buf_bytes(&c.args),
        .author = author,
        .signers = signers,
        .signer_count = count,
        .proposes = true,
        .done = fixture_answered,
        .owner = &c,
    };
    put_be64(c.call.call_id, ++f->calls);
    chain_call(f->chain, &c.call);
    fixture_run(f);
    if (c.call.code != 0)
        fail_msg("%s", c.call.err.text);
    assert_false(c.call.wrote);
    buf_clear(text);
    make_text(f, buf_bytes(&c.call.proposal), text);
    buf_deinit(&c.call.proposal);
    fixture_end(&c);
    assert_same_roots(f, before); /* nothing was written */
    assert_int_equal(chain_size(f->chain), size);
}

static struct signer absent(const struct key_pair *who, const char *purpose)
{
    return (struct signer){who, bytes_of_text(purpose), true};
}

/* Two strangers sign one transaction, in two places. */
static void two_strangers_make_one_transaction(void **state)
{
    struct land *l = *state;
    struct fixture_chain *f = &l->f;
    struct buf text = {0};
    struct buf lacks = {0};
    char words[ERR_WORDS];
    const struct signer with = absent(pair(1), "author");
    proposes(l, pair(0), "word.append", ARGS("text=deal"), &with, 1, &text);
    buf_put_bytes(&lacks, buf_bytes(&text));
    assert_int_equal(submits(f, &lacks, words), ATE_EINVALID);
    assert_non_null(
        strstr(words, "has not signed the transaction")); /* its ate.key */
    signs(f, &text, pair(1), "author");
    f->now += 5000;
    assert_int_equal(submits(f, &text, words), 0);
    uint64_t size = chain_size(f->chain);
    assert_int_equal(submits(f, &text, words), 0); /* the first receipt */
    assert_int_equal(chain_size(f->chain), size);
    /* The same transaction with fewer signatures is no other one. */
    assert_int_equal(submits(f, &lacks, words), 0);
    assert_replays(f);
    buf_deinit(&text);
    buf_deinit(&lacks);
}

/* Its author goes on writing meanwhile. */
static void its_author_writes_on_until_it_is_signed(void **state)
{
    struct land *l = *state;
    struct fixture_chain *f = &l->f;
    struct buf text = {0};
    char words[ERR_WORDS];
    const struct signer with = absent(pair(1), "author");
    meets(l, pair(1));
    proposes(l, &f->keys[0], "word.append", ARGS("text=deal"), &with, 1, &text);
    for (int i = 0; i < 20; i++)
        land_pass(l, 100);
    signs(f, &text, pair(1), "author");
    assert_int_equal(submits(f, &text, words), 0);
    land_pass(l, 100);
    assert_replays(f);
    buf_deinit(&text);
}

/* What it rests on is judged at its place: it was read, and changed since. */
static void what_it_read_may_be_stale_by_then(void **state)
{
    struct land *l = *state;
    struct fixture_chain *f = &l->f;
    struct buf text = {0};
    char words[ERR_WORDS];
    const struct signer with = absent(pair(1), "author");
    meets(l, pair(1));
    proposes(l, &f->keys[0], "house.delete", ARGS("name=c", "town=a/b"), &with,
             1, &text);
    signs(f, &text, pair(1), "author");
    fixture_ok(f, 0, "house.delete", ARGS("name=c", "town=a/b"));
    int rc = submits(f, &text, words);
    assert_true(rc == ATE_ESTALE || rc == ATE_ECONFLICT ||
                rc == ATE_ENOT_FOUND);
    buf_deinit(&text);
}

/* Where the order key is not, proposals are made all the same. */
static const struct key_pair *no_key(void *ctx, const uint8_t id[32])
{
    (void)ctx;
    (void)id;
    return NULL;
}

static void a_copy_proposes_what_another_node_takes(void **state)
{
    struct land *l = *state;
    struct fixture_chain *f = &l->f;
    struct buf text = {0};
    char words[ERR_WORDS];
    meets(l, pair(1));
    f->deps.order_pair = no_key;
    assert_int_equal(fixture_reopen(f, LOG_READ_WRITE), 0);
    const struct signer with = absent(pair(1), "author");
    proposes(l, &f->keys[0], "word.append", ARGS("text=deal"), &with, 1, &text);
    signs(f, &text, pair(1), "author");
    assert_int_equal(submits(f, &text, words), ATE_EUNAVAILABLE);
    assert_non_null(strstr(words, "does not hold the chain's order key"));
    f->deps.order_pair = fixture_order;
    assert_int_equal(fixture_reopen(f, LOG_READ_WRITE), 0);
    assert_int_equal(submits(f, &text, words), 0);
    /* And there, whoever hands it in again is told that it is in the log. */
    f->deps.order_pair = no_key;
    assert_int_equal(fixture_reopen(f, LOG_READ_WRITE), 0);
    assert_int_equal(submits(f, &text, words), ATE_EUNAVAILABLE);
    assert_non_null(strstr(words, "it is in the log"));
    f->deps.order_pair = fixture_order;
    assert_int_equal(fixture_reopen(f, LOG_READ_WRITE), 0);
    buf_deinit(&text);
}

/* Any letter changed: refused, or the same transaction (of its verdict digest
 * nothing counts, and of its chain's name neither). */
static void any_letter_that_is_changed_refuses_or_means_nothing(void **state)
{
    struct land *l = *state;
    struct fixture_chain *f = &l->f;
    struct buf text = {0};
    struct kept kept;
    char words[ERR_WORDS];
    const struct signer with[] = {absent(pair(1), "author"),
                                  absent(&f->keys[0], "root")};
    proposes(l, pair(0), "word.append", ARGS("more=body", "text=deal"), with, 2,
             &text);
    signs(f, &text, pair(1), "author");
    signs(f, &text, &f->keys[0], "root");
    struct both_roots before = roots_now(f);
    size_t accepted = 0;
    size_t from =
        (size_t)((uint8_t *)strrchr(buf_text(&text), ' ') - text.data) + 6;
    keep_files(f, &kept);
    for (size_t at = from; at < text.len; at++) {
        uint8_t was = text.data[at];
        text.data[at] = was == 'A' ? 'B' : 'A';
        int rc = submits(f, &text, words);
        text.data[at] = was;
        if (rc == 0) {
            accepted++;
            put_back(f, &kept);
        }
        assert_same_roots(f, before);
    }
    assert_true(accepted >= 42 && accepted <= 44); /* 32 bytes in base64 */
    assert_int_equal(submits(f, &text, words), 0);
    drop_kept(&kept);
    buf_deinit(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        open_test(a_text_is_read_as_it_was_written),
        open_test(what_is_no_proposal_is_refused),
        open_test(a_text_has_a_bound),
        open_test(signatures_are_sorted_and_come_once),
        open_test(its_author_does_not_sign_again),
        open_test(so_many_sign_and_no_more),
        open_test(two_strangers_make_one_transaction),
        open_test(its_author_writes_on_until_it_is_signed),
        open_test(what_it_read_may_be_stale_by_then),
        open_test(a_copy_proposes_what_another_node_takes),
        open_test(any_letter_that_is_changed_refuses_or_means_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
