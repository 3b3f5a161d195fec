/* Questions about proofs and checkpoints, put to a chain: what it answers is
 * checked by the other side's means alone. */
#define _GNU_SOURCE /* memmem */
#include "fixture_proving.h"

#include "event/receipt.h"

/* ---- asking ---- */

static void root_at(const struct told *t, const char *name, uint8_t out[32])
{
    struct bytes text = text_at(t, name);
    assert_true(text.len == 64 &&
                hex_get((const char *)text.data, text.len, out));
}

/* ---- proofs ---- */

static void every_transaction_is_proved_at_any_size(void **state)
{
    struct fixture *f = *state;
    for (uint64_t index = 0; index < f->size; index += 7)
        prove(f, index, f->size);
    prove_some(f, 50);
    reopen(f, LOG_READ_WRITE);
    prove_some(f, 100);
    reopen(f, LOG_READ_ONLY);
    prove_some(f, 100);
}

static void the_newest_checkpoint_is_the_default(void **state)
{
    struct fixture *f = *state;
    struct told t;
    ask_ok(f, &t, "proof", ARGS("index#5"));
    assert_proved(f, text_at(&t, "proof"), 5, f->size, NULL);
    assert_true(number_at(&t, "size") == f->size);
    buf_deinit(&t.result);
}

static void consistency_is_proved_between_any_sizes(void **state)
{
    struct fixture *f = *state;
    char a[40];
    char b[40];
    for (uint64_t to = f->size; to > 0; to = to * 3 / 4) {
        for (uint64_t from = 0; from <= to; from += 1 + to / 9) {
            struct told t;
            struct proof proof = {0};
            uint8_t root[2][HASH_SIZE];
            uint8_t want[HASH_SIZE];
            struct err err = {0};
            ask_ok(f, &t, "consistency",
                   ARGS(number_arg(a, "from", from), number_arg(b, "to", to)));
            root_at(&t, "from_root", root[0]);
            root_at(&t, "to_root", root[1]);
            true_root(f, from, want);
            assert_memory_equal(root[0], want, HASH_SIZE);
            true_root(f, to, want);
            assert_memory_equal(root[1], want, HASH_SIZE);
            struct mp mp = mp_open(mp_map_get(buf_bytes(&t.result), "hashes"));
            uint32_t count = 0;
            assert_int_equal(mp_get_array(&mp, &count, NULL), 0);
            for (uint32_t i = 0; i < count; i++) {
                struct bytes hex;
                assert_int_equal(mp_get_str(&mp, &hex, NULL), 0);
                assert_true(hex_get((const char *)hex.data, hex.len,
                                    proof.hashes[proof.count++]));
            }
            assert_int_equal(proof_check_consistency(&proof, from, root[0], to,
                                                     root[1], &err),
                             0);
            buf_deinit(&t.result);
        }
    }
}

static void what_is_not_there_is_not_proved(void **state)
{
    struct fixture *f = *state;
    char a[40];
    ask_fails(f, "proof", ARGS(number_arg(a, "index", f->size)), ATE_ENOT_FOUND,
              "not among");
    ask_fails(f, "proof", ARGS("index#5", "size#5"), ATE_ENOT_FOUND,
              "not among the 5");
    ask_fails(f, "proof", ARGS("index#5", "size#100000"), ATE_ENOT_FOUND,
              "not 100000");
    ask_fails(f, "proof", ARGS("size#9"), ATE_EINVALID, "'index' is missing");
    ask_fails(f, "proof", ARGS("index=x"), ATE_EINVALID, "whole number");
    ask_fails(f, "proof", ARGS("idx#1"), ATE_EINVALID, "no argument");
    ask_fails(f, "checkpoint", ARGS("size#0"), ATE_EINVALID, "1 or more");
    ask_fails(f, "checkpoint", ARGS("size#100000"), ATE_ENOT_FOUND, "here has");
    ask_fails(f, "consistency", ARGS("from#9", "to#8"), ATE_EINVALID,
              "at most 'to'");
    ask_fails(f, "consistency", ARGS("from#100000"), ATE_ENOT_FOUND,
              "not 100000");
}

/* ---- checkpoints ---- */

static void checkpoints_are_signed_by_the_order_key(void **state)
{
    struct fixture *f = *state;
    static const uint64_t sizes[] = {1, 2, 255, 256, 300, SMALL};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
        struct told t;
        struct checkpoint checkpoint;
        struct err err;
        uint8_t root[HASH_SIZE];
        uint8_t chain[HASH_SIZE];
        uint8_t key[SIGN_PUBLIC_SIZE];
        char a[40];
        ask_ok(f, &t, "checkpoint", ARGS(number_arg(a, "size", sizes[i])));
        assert_int_equal(note_vkey_get(text_at(&t, "vkey"), chain, key, &err),
                         0);
        assert_memory_equal(chain, chain_core(f->chain.chain)->id,
                            CHAIN_ID_SIZE);
        assert_memory_equal(key, f->chain.order.record.sign, SIGN_PUBLIC_SIZE);
        assert_int_equal(note_checkpoint_verify(text_at(&t, "checkpoint"),
                                                chain, key, &checkpoint, &err),
                         0);
        assert_true(checkpoint.size == sizes[i]);
        true_root(f, sizes[i], root);
        assert_memory_equal(checkpoint.root, root, HASH_SIZE);
        buf_deinit(&t.result);
    }
}

/* Beside a writer a reader sees frames that may yet be lost. */
static void a_reader_signs_what_is_marked(void **state)
{
    struct fixture *f = *state;
    struct told t;
    uint64_t marked = f->size;
    greet(f, 10); /* the last group is durable, and no mark tells of it */
    read_hashes(f);
    char folder[LOG_PATH_MAX];
    struct chain *writer = f->chain.chain;
    log_folder(folder, chain_core(writer)->id);
    f->chain.chain = chain_new(&f->chain.deps);
    chain_open(f->chain.chain, folder, chain_core(writer)->id, LOG_READ_ONLY,
               fixture_done, &f->chain);
    fixture_wait(&f->chain);
    assert_true(chain_size(f->chain.chain) == f->size);
    ask_ok(f, &t, "checkpoint", ARGS());
    assert_true(number_at(&t, "size") == marked);
    buf_deinit(&t.result);
    char a[40];
    ask_fails(f, "checkpoint", ARGS(number_arg(a, "size", f->size)),
              ATE_EUNAVAILABLE, "not known to be durable");
    chain_free(f->chain.chain);
    f->chain.chain = writer;
}

static void without_the_key_nothing_is_signed(void **state)
{
    struct fixture *f = *state;
    struct told t;
    struct buf note = {0};
    ask_ok(f, &t, "checkpoint", ARGS("size#700"));
    buf_put_text(&note, "checkpoint=");
    buf_put_bytes(&note, text_at(&t, "checkpoint"));
    buf_deinit(&t.result);
    f->has_key = false;
    ask_fails(f, "checkpoint", ARGS(), ATE_EUNAVAILABLE, "does not hold");
    ask_fails(f, "proof", ARGS("index#5"), ATE_EUNAVAILABLE, "does not hold");
    /* But one that was signed elsewhere will do. */
    ask_ok(f, &t, "proof", ARGS(buf_text(&note), "index#5"));
    assert_proved(f, text_at(&t, "proof"), 5, 700, NULL);
    buf_deinit(&t.result);
    ask_fails(f, "proof", ARGS(buf_text(&note), "index#700"), ATE_ENOT_FOUND,
              "not among");
    buf_deinit(&note);
}

static void put_note(struct buf *arg, const uint8_t *chain, uint64_t size,
                     const uint8_t *root, const struct key_pair *pair)
{
    struct checkpoint checkpoint = {.size = size};
    memcpy(checkpoint.root, root, HASH_SIZE);
    buf_clear(arg);
    buf_put_text(arg, "checkpoint=");
    note_checkpoint_put(arg, chain, &checkpoint, pair);
}

static void false_checkpoints_are_refused(void **state)
{
    struct fixture *f = *state;
    const uint8_t *chain = chain_core(f->chain.chain)->id;
    const struct key_pair *order = &f->chain.order;
    static const uint8_t other[CHAIN_ID_SIZE] = {1};
    uint8_t root[HASH_SIZE];
    struct buf arg = {0};
    struct told t;
    true_root(f, 700, root);
    put_note(&arg, chain, 700, root, order);
    ask_ok(f, &t, "check", ARGS(buf_text(&arg)));
    assert_true(number_at(&t, "size") == 700 && number_at(&t, "term") == 1);
    buf_deinit(&t.result);
    put_note(&arg, other, 700, root, order);
    ask_fails(f, "check", ARGS(buf_text(&arg)), ATE_ECORRUPT, "another chain");
    put_note(&arg, chain, 700, root, &f->later);
    ask_fails(f, "check", ARGS(buf_text(&arg)), ATE_ECORRUPT, "no order key");
    put_note(&arg, chain, 701, root, order);
    ask_fails(f, "check", ARGS(buf_text(&arg)), ATE_ECORRUPT, "another log");
    ask_fails(f, "proof", ARGS(buf_text(&arg), "index#1"), ATE_ECORRUPT,
              "another log");
    put_note(&arg, chain, 100000, root, order);
    ask_fails(f, "check", ARGS(buf_text(&arg)), ATE_EUNAVAILABLE,
              "cannot be compared");
    put_note(&arg, chain, 0, root, order);
    ask_fails(f, "check", ARGS(buf_text(&arg)), ATE_ECORRUPT, "of nothing");
    ask_fails(f, "check", ARGS("checkpoint=hello"), ATE_ECORRUPT, "names no");
    ask_fails(f, "check", ARGS(), ATE_EINVALID, "missing");
    buf_deinit(&arg);
}

static void receipts_are_compared_with_the_chain(void **state)
{
    struct fixture *f = *state;
    struct fixture_call c;
    struct receipt receipt;
    struct told t;
    struct buf note = {0};
    struct buf tx = {0};
    char a[40];
    assert_int_equal(
        fixture_call(&f->chain, &c, 1, "greeting.append", ARGS("to=me")), 0);
    assert_int_equal(receipt_get(buf_bytes(&c.call.receipt), &receipt, NULL),
                     0);
    greet(f, 20);
    buf_put_text(&note, "checkpoint=");
    buf_put_bytes(&note, receipt.checkpoint);
    buf_put_text(&tx, "tx=");
    hex_put(&tx, bytes_of(receipt.tx_id, TX_ID_SIZE));
    ask_ok(f, &t, "check",
           ARGS(buf_text(&note), number_arg(a, "index", receipt.index),
                buf_text(&tx)));
    assert_true(number_at(&t, "index") == receipt.index);
    buf_deinit(&t.result);
    ask_fails(f, "check",
              ARGS(buf_text(&note), number_arg(a, "index", receipt.index - 1),
                   buf_text(&tx)),
              ATE_ECORRUPT, "is another one");
    ask_fails(f, "check",
              ARGS(buf_text(&note), number_arg(a, "index", receipt.index + 1),
                   buf_text(&tx)),
              ATE_ECORRUPT, "does not cover");
    ask_fails(f, "check", ARGS(buf_text(&note), "index#3"), ATE_EINVALID,
              "'tx' is missing");
    fixture_end(&c);
    buf_deinit(&note);
    buf_deinit(&tx);
}

/* ---- terms ---- */

static void checkpoints_follow_the_terms(void **state)
{
    struct fixture *f = *state;
    struct fixture_call c;
    struct told t;
    struct buf arg = {0};
    const uint8_t *chain = chain_core(f->chain.chain)->id;
    uint8_t root[HASH_SIZE];
    char a[40];
    f->chain.keys[2] = f->later; /* known as bob */
    int rc = fixture_call(&f->chain, &c, 0, "ate.order", ARGS("to=bob"));
    if (rc != 0)
        fail_msg("%s", c.call.err.text);
    uint64_t end = c.call.index + 1;
    fixture_end(&c);
    greet(f, 10);
    read_hashes(f);
    for (int mode = 0; mode < 2; mode++) {
        for (uint64_t size = end - 1; size <= end + 1; size++) {
            uint64_t term = size < end ? 1 : 2;
            ask_ok(f, &t, "proof",
                   ARGS("index#3", number_arg(a, "size", size)));
            assert_proved(f, text_at(&t, "proof"), 3, size,
                          term == 1 ? NULL : f->later.record.sign);
            buf_deinit(&t.result);
            true_root(f, size, root);
            put_note(&arg, chain, size, root, &f->later);
            if (term == 1)
                ask_fails(f, "check", ARGS(buf_text(&arg)), ATE_ECORRUPT,
                          "of term 2, but the log stands in term 1");
            else
                ask_ok(f, &t, "check", ARGS(buf_text(&arg)));
            if (term == 2)
                buf_deinit(&t.result);
            /* Where the transaction ends the term, both keys will do. */
            put_note(&arg, chain, size, root, &f->chain.order);
            if (size > end)
                ask_fails(f, "check", ARGS(buf_text(&arg)), ATE_ECORRUPT,
                          "of term 1, but the log stands in term 2");
            else
                ask_ok(f, &t, "check", ARGS(buf_text(&arg)));
            if (size <= end)
                buf_deinit(&t.result);
        }
        reopen(f, LOG_READ_WRITE);
        chain = chain_core(f->chain.chain)->id;
    }
    buf_deinit(&arg);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(every_transaction_is_proved_at_any_size),
        TEST(the_newest_checkpoint_is_the_default),
        TEST(consistency_is_proved_between_any_sizes),
        TEST(what_is_not_there_is_not_proved),
        TEST(checkpoints_are_signed_by_the_order_key),
        TEST(a_reader_signs_what_is_marked),
        TEST(without_the_key_nothing_is_signed),
        TEST(false_checkpoints_are_refused),
        TEST(receipts_are_compared_with_the_chain),
        TEST(checkpoints_follow_the_terms),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
