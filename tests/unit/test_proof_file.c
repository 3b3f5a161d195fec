#include "fixture_event.h"

#include "event/genesis.h"
#include "event/proof_file.h"

enum { LEAVES = 11 };

/* A chain of its own: genesis, a batch of two accepted and one refused
 * transaction, then leaves of which nothing is known. */
struct fixture {
    struct key_pair order;
    struct buf genesis;
    struct buf genesis_payload;
    uint8_t chain[CHAIN_ID_SIZE];
    struct fixture_batch batch;
    uint8_t hashes[LEAVES][HASH_SIZE];
    bool hides_keys;
    struct buf text;
};

static const uint8_t nonce[GENESIS_NONCE_SIZE];
static const uint8_t bundle_hash[HASH_SIZE] = {7};

static void make_genesis(struct fixture *f)
{
    struct key_pair root;
    uint8_t signature[SIGN_SIZE];
    fixture_pair(&root, 11);
    fixture_pair(&f->order, 9);
    struct genesis g = {
        .format = GENESIS_FORMAT,
        .suite = SUITE_1,
        .nonce = nonce,
        .name = bytes_of_text("bank"),
        .partition = bytes_of_text("bank"),
        .root_count = 1,
        .roots = {root.record},
        .threshold = 1,
        .order = f->order.record,
        .pipeline_count = 1,
        .pipeline = {bytes_of_text("serializer")},
        .limits = bytes_of("\x80", 1),
        .engine = bytes_of_text("0.1.0"),
        .bundle_hash = bundle_hash,
        .bundle_length = 1,
    };
    assert_int_equal(genesis_put(&f->genesis, &g, NULL), 0);
    chain_id(buf_bytes(&f->genesis), f->chain);
    further_sig_make(&root, f->chain, bytes_of_text(PURPOSE_ROOT), f->chain,
                     signature);
    struct further_sig sig = {
        .key_id = root.id,
        .purpose = bytes_of_text(PURPOSE_ROOT),
        .signature = signature,
    };
    genesis_payload_put(&f->genesis_payload, buf_bytes(&f->genesis), &sig, 1);
}

static bool find_key(void *ctx, const uint8_t id[KEY_ID_SIZE],
                     struct key_record *record)
{
    struct fixture *f = ctx;
    const struct key_pair *pairs[] = {&f->batch.author, &f->batch.witness[0],
                                      &f->batch.witness[1]};
    for (size_t i = 0; i < 3; i++) {
        if (memcmp(pairs[i]->id, id, KEY_ID_SIZE) != 0 || f->hides_keys)
            continue;
        *record = pairs[i]->record;
        return true;
    }
    return false;
}

static int make_extra(struct fixture *f, uint64_t index, struct buf *extra,
                      uint8_t hash[HASH_SIZE], struct err *err)
{
    struct proof_leaf leaf = {
        .genesis_payload = buf_bytes(&f->genesis_payload),
        .payload = index > 0 ? buf_bytes(&f->batch.payload) : bytes_of(NULL, 0),
        .number = index - 1,
        .index = index,
        .suite = SUITE_1,
        .chain = f->chain,
        .find_key = find_key,
        .ctx = f,
    };
    return proof_file_extra(extra, &leaf, hash, err);
}

static int node(void *ctx, unsigned height, uint64_t index,
                uint8_t out[HASH_SIZE], struct err *err)
{
    struct fixture *f = ctx;
    (void)err;
    merkle_root_of_hashes(
        (const uint8_t(*)[HASH_SIZE])(f->hashes + (index << height)),
        (size_t)1 << height, out);
    return 0;
}

/* The proof of a leaf in the tree of `size`, as text. */
static void make_proof(struct fixture *f, uint64_t index, uint64_t size)
{
    struct buf extra = {0};
    struct buf note = {0};
    struct proof proof;
    struct proof_source source = {.node = node, .ctx = f};
    struct checkpoint checkpoint = {.size = size};
    uint8_t hash[HASH_SIZE];
    assert_int_equal(make_extra(f, index, &extra, hash, NULL), 0);
    assert_memory_equal(hash, f->hashes[index], HASH_SIZE);
    assert_int_equal(proof_inclusion(&source, index, size, &proof, NULL), 0);
    assert_int_equal(proof_root(&source, size, checkpoint.root, NULL), 0);
    note_checkpoint_put(&note, f->chain, &checkpoint, &f->order);
    buf_clear(&f->text);
    proof_file_put(&f->text, buf_bytes(&extra), index, &proof,
                   buf_bytes(&note));
    buf_deinit(&extra);
    buf_deinit(&note);
}

static int setup(void **state)
{
    struct fixture *f = mem_zero(1, sizeof(*f));
    make_genesis(f);
    fixture_batch_open_in(&f->batch, f->chain);
    for (uint64_t i = 0; i < LEAVES; i++) {
        struct buf extra = {0};
        memset(f->hashes[i], (int)i, HASH_SIZE);
        if (i <= 2)
            assert_int_equal(make_extra(f, i, &extra, f->hashes[i], NULL), 0);
        buf_deinit(&extra);
    }
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    fixture_batch_close(&f->batch);
    buf_deinit(&f->genesis);
    buf_deinit(&f->genesis_payload);
    buf_deinit(&f->text);
    mem_free(f);
    return 0;
}

static int check(struct bytes text, const uint8_t *key,
                 struct proof_checked *checked, struct err *err)
{
    struct proof_file file;
    int rc = proof_file_get(text, &file, err);
    if (rc == 0)
        rc = proof_file_check(&file, key, checked, err);
    proof_file_deinit(&file);
    return rc;
}

static int check_plain(struct bytes text, struct err *err)
{
    struct proof_checked checked;
    return check(text, NULL, &checked, err);
}

/* ---- what is proved ---- */

static void a_transaction_is_proved_to_who_has_nothing_else(void **state)
{
    struct fixture *f = *state;
    for (uint64_t index = 1; index <= 2; index++) {
        for (uint64_t size = index + 1; size <= LEAVES; size++) {
            struct proof_file file;
            struct proof_checked checked;
            struct err err = {0};
            make_proof(f, index, size);
            assert_true(proof_file_is(buf_bytes(&f->text)));
            assert_int_equal(proof_file_get(buf_bytes(&f->text), &file, &err),
                             0);
            assert_int_equal(proof_file_check(&file, NULL, &checked, &err), 0);
            assert_memory_equal(checked.chain, f->chain, CHAIN_ID_SIZE);
            assert_memory_equal(checked.tx, f->batch.ids[index == 1 ? 0 : 2],
                                TX_ID_SIZE);
            assert_true(checked.checkpoint.size == size);
            assert_true(checked.order_is_first && checked.author_checked);
            assert_int_equal(checked.further_checked, index == 1 ? 2 : 0);
            assert_int_equal(file.member.event_count, index == 1 ? 2 : 1);
            assert_true(file.member.read_set.data == NULL);
            assert_int_equal(file.count, 3);
            assert_int_equal(file.place, index == 1 ? 0 : 2);
            proof_file_deinit(&file);
        }
    }
}

static void genesis_is_proved(void **state)
{
    struct fixture *f = *state;
    struct proof_file file;
    struct proof_checked checked;
    struct err err = {0};
    make_proof(f, 0, 5);
    assert_int_equal(proof_file_get(buf_bytes(&f->text), &file, &err), 0);
    assert_int_equal(proof_file_check(&file, NULL, &checked, &err), 0);
    assert_true(file.is_genesis);
    assert_true(bytes_equal(file.genesis.name, bytes_of_text("bank")));
    assert_memory_equal(checked.tx, f->chain, TX_ID_SIZE);
    proof_file_deinit(&file);
}

/* Readable by other tools: lines as C2SP has them, the note verbatim. */
static void the_text_is_a_c2sp_proof(void **state)
{
    struct fixture *f = *state;
    make_proof(f, 2, 5);
    const char *text = buf_text(&f->text);
    assert_true(strncmp(text, "c2sp.org/tlog-proof@v1\nextra ", 29) == 0);
    const char *index = strstr(text, "\nindex 2\n");
    assert_non_null(index);
    const char *note = strstr(index, "\n\nate/");
    assert_non_null(note);
    assert_int_equal(note - (index + 8), 3 * 45);
    assert_non_null(strstr(note, "\n5\n"));
}

/* ---- what is refused ---- */

static void every_changed_byte_is_refused(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    for (uint64_t index = 0; index <= 2; index++) {
        make_proof(f, index, 7);
        for (size_t bit = 0; bit < 8 * f->text.len; bit += 5 + bit % 7) {
            f->text.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
            int rc = check_plain(buf_bytes(&f->text), &err);
            if (rc != ATE_ECORRUPT)
                print_error("index %d, bit %zu: %d\n", (int)index, bit, rc);
            assert_int_equal(rc, ATE_ECORRUPT);
            assert_true(strncmp(err.text, "proof: ", 7) == 0);
            f->text.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
        fixture_cut_everywhere(check_plain, buf_bytes(&f->text));
    }
}

/* The file with other bytes in `extra`, all else as before. */
static int check_extra(struct fixture *f, struct bytes extra, struct err *err)
{
    struct buf text = {0};
    const char *all = buf_text(&f->text);
    const char *rest = strstr(all, "\nindex ");
    buf_put_text(&text, "c2sp.org/tlog-proof@v1\nextra ");
    base64_put(&text, extra);
    buf_put_text(&text, rest);
    int rc = check_plain(buf_bytes(&text), err);
    buf_deinit(&text);
    return rc;
}

static void every_changed_bit_of_extra_is_refused(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    for (uint64_t index = 0; index <= 1; index++) {
        struct buf extra = {0};
        uint8_t hash[HASH_SIZE];
        make_proof(f, index, 7);
        assert_int_equal(make_extra(f, index, &extra, hash, &err), 0);
        assert_int_equal(check_extra(f, buf_bytes(&extra), &err), 0);
        for (size_t bit = 0; bit < 8 * extra.len; bit++) {
            extra.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
            assert_int_equal(check_extra(f, buf_bytes(&extra), &err),
                             ATE_ECORRUPT);
            extra.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
        buf_deinit(&extra);
    }
}

/* Each part of `extra` replaced by another value that is well-formed. */
static void other_parts_are_refused(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    static const struct {
        size_t part;
        const char *hex;
        const char *words;
    } wrong[] = {
        {0, "c400", "line 2"},
        {1, "90", "genesis"},
        {2, "c0", "line 2"},
        {3, "02", "of 2 hashes is not of these sizes"},
        {3, "cd1001", "4097 members"},
        {3, "04", "author's signature"},
        {4, "01", "author's signature"},
        {4, "03", "no leaf 3"},
        {5, "90", "of 0 hashes"},
        {6, "c0", "line 2"},
    };
    struct buf extra = {0};
    uint8_t hash[HASH_SIZE];
    make_proof(f, 1, 7);
    assert_int_equal(make_extra(f, 1, &extra, hash, &err), 0);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        struct fixture_parts parts;
        struct buf changed = {0};
        fixture_parts_open(&parts, buf_bytes(&extra));
        fixture_parts_join(&parts, wrong[i].part, wrong[i].hex, &changed);
        int rc = check_extra(f, buf_bytes(&changed), &err);
        assert_error(rc, &err, ATE_ECORRUPT, wrong[i].words);
        fixture_parts_close(&parts);
        buf_deinit(&changed);
    }
    buf_deinit(&extra);
}

static void another_leaf_s_parts_are_refused(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    struct buf extra = {0};
    uint8_t hash[HASH_SIZE];
    make_proof(f, 1, 7);
    assert_int_equal(make_extra(f, 2, &extra, hash, &err), 0);
    assert_error(check_extra(f, buf_bytes(&extra), &err), &err, ATE_ECORRUPT,
                 "inclusion");
    buf_deinit(&extra);
}

/* ---- keys ---- */

static void signatures_of_unknown_keys_are_told_apart(void **state)
{
    struct fixture *f = *state;
    struct proof_checked checked;
    struct err err = {0};
    f->hides_keys = true;
    make_proof(f, 1, 7);
    assert_int_equal(check(buf_bytes(&f->text), NULL, &checked, &err), 0);
    assert_false(checked.author_checked);
    assert_int_equal(checked.further_checked, 0);
}

static void a_later_order_key_has_to_be_given(void **state)
{
    struct fixture *f = *state;
    struct proof_checked checked;
    struct key_pair first = f->order;
    struct err err = {0};
    fixture_pair(&f->order, 10);
    make_proof(f, 1, 7);
    assert_error(check(buf_bytes(&f->text), NULL, &checked, &err), &err,
                 ATE_ECORRUPT, "give the one that you trust");
    assert_int_equal(
        check(buf_bytes(&f->text), f->order.record.sign, &checked, &err), 0);
    assert_false(checked.order_is_first);
    assert_error(check(buf_bytes(&f->text), first.record.sign, &checked, &err),
                 &err, ATE_ECORRUPT, "signed by another key");
}

static void a_checkpoint_of_another_chain_is_refused(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    make_proof(f, 1, 7);
    struct buf text = {0};
    struct buf note = {0};
    uint8_t other[CHAIN_ID_SIZE] = {1};
    struct checkpoint checkpoint = {.size = 7};
    note_checkpoint_put(&note, other, &checkpoint, &f->order);
    const char *all = buf_text(&f->text);
    buf_put(&text, all, (size_t)(strstr(all, "\n\nate/") + 2 - all));
    buf_put_bytes(&text, buf_bytes(&note));
    assert_error(check_plain(buf_bytes(&text), &err), &err, ATE_ECORRUPT,
                 "not the id of the chain");
    buf_deinit(&text);
    buf_deinit(&note);
}

static void long_files_are_refused(void **state)
{
    (void)state;
    struct err err = {0};
    uint8_t *huge = mem_zero(1, PROOF_FILE_MAX + 1);
    assert_error(check_plain(bytes_of(huge, PROOF_FILE_MAX + 1), &err), &err,
                 ATE_ELIMIT, "bytes, at most");
    mem_free(huge);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_transaction_is_proved_to_who_has_nothing_else),
        TEST(genesis_is_proved),
        TEST(the_text_is_a_c2sp_proof),
        TEST(every_changed_byte_is_refused),
        TEST(every_changed_bit_of_extra_is_refused),
        TEST(other_parts_are_refused),
        TEST(another_leaf_s_parts_are_refused),
        TEST(signatures_of_unknown_keys_are_told_apart),
        TEST(a_later_order_key_has_to_be_given),
        TEST(a_checkpoint_of_another_chain_is_refused),
        TEST(long_files_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
