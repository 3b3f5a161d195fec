#include "fixture_event.h"

#include "base/limits.h"

static int walk(struct bytes payload, struct err *err)
{
    struct batch_reader r;
    struct batch_member member;
    int rc = batch_open(&r, payload, err);
    if (rc != 0)
        return rc;
    while ((rc = batch_next(&r, &member, err)) == 1)
        continue;
    return rc;
}

static int check_member(const struct batch_member *m, uint8_t suite,
                        const uint8_t *chain_id, struct err *err)
{
    struct batch_event events[4];
    if (m->refused)
        return 0;
    assert_true(m->event_count <= sizeof(events) / sizeof(*events));
    int rc = batch_member_decode(m, suite, chain_id, events, err);
    return rc == 0 ? batch_member_check(m, events, err) : rc;
}

/* All that a stored batch says by itself: shapes, digests of every member, and
 * the signature by this key. */
static int verify_by(struct bytes payload, const struct key_record *author,
                     const uint8_t *chain_id, struct err *err)
{
    enum { MEMBERS_MAX = 16 };
    struct batch_reader r;
    struct batch_member m;
    uint8_t ids[MEMBERS_MAX][TX_ID_SIZE];
    size_t count = 0;
    int rc = batch_open(&r, payload, err);
    while (rc == 0 && (rc = batch_next(&r, &m, err)) == 1) {
        if (count == MEMBERS_MAX)
            return err_set(err, ATE_ELIMIT, "more than the fixture's");
        rc = check_member(&m, author->suite, chain_id, err);
        if (rc != 0)
            return err_wrap(err, "transaction %zu", count);
        batch_member_id(&m, author->suite, chain_id, ids[count++]);
    }
    if (rc == 0 && !batch_signature_verify(author, chain_id,
                                           (const uint8_t(*)[TX_ID_SIZE])ids,
                                           count, r.signature))
        rc = err_set(err, ATE_ECORRUPT, "its signature is wrong");
    return rc;
}

static int verify(const struct fixture_batch *f, struct bytes payload,
                  struct err *err)
{
    return verify_by(payload, &f->author.record, f->chain, err);
}

static void batches_round_trip(void **state)
{
    (void)state;
    struct fixture_batch f;
    struct batch_reader r;
    struct batch_member m;
    struct bytes header;
    struct err err;
    uint8_t id[TX_ID_SIZE];
    fixture_batch_open(&f);
    assert_int_equal(batch_open(&r, buf_bytes(&f.payload), &err), 0);
    assert_memory_equal(r.author, f.author.id, KEY_ID_SIZE);
    assert_int_equal(r.count, 3);

    assert_int_equal(batch_next(&r, &m, &err), 1);
    assert_false(m.refused);
    assert_true(bytes_equal(m.tx_header, buf_bytes(&f.tx[0])));
    assert_int_equal(m.sigs.count, 2);
    assert_int_equal(m.event_count, 2);
    assert_true(bytes_equal(m.read_set, fixture_read_set()));
    assert_true(bytes_equal(m.result, fixture_result()));
    assert_memory_equal(m.verdict, f.verdict, HASH_SIZE);
    struct batch_events events = batch_events(&m);
    for (int i = 0; i < 2; i++) {
        assert_true(batch_events_next(&events, &header));
        assert_true(bytes_equal(header, buf_bytes(&f.events[i])));
    }
    assert_false(batch_events_next(&events, &header));
    batch_member_id(&m, SUITE_1, f.chain, id);
    assert_memory_equal(id, f.ids[0], TX_ID_SIZE);

    assert_int_equal(batch_next(&r, &m, &err), 1);
    assert_true(m.refused);
    batch_member_id(&m, SUITE_1, f.chain, id);
    assert_memory_equal(id, f.ids[1], TX_ID_SIZE);

    assert_int_equal(batch_next(&r, &m, &err), 1);
    assert_int_equal(m.sigs.count, 0);
    assert_null(m.read_set.data);
    assert_null(m.result.data);
    assert_int_equal(batch_next(&r, &m, &err), 0);
    assert_int_equal(batch_next(&r, &m, &err), 0);
    assert_int_equal(verify(&f, buf_bytes(&f.payload), &err), 0);
    fixture_batch_close(&f);
}

static void cut_batches_are_refused(void **state)
{
    (void)state;
    struct fixture_batch f;
    fixture_batch_open(&f);
    fixture_cut_everywhere(walk, buf_bytes(&f.payload));
    fixture_batch_close(&f);
}

/* What the chain's log holds of a batch: a leaf for each accepted member. */
static void log_root(const struct fixture_batch *f, struct bytes payload,
                     uint8_t out[HASH_SIZE])
{
    struct batch_reader r;
    struct batch_member m;
    struct merkle log;
    merkle_init(&log);
    assert_int_equal(batch_open(&r, payload, NULL), 0);
    while (batch_next(&r, &m, NULL) == 1) {
        uint8_t id[TX_ID_SIZE];
        uint8_t sigs[HASH_SIZE];
        uint8_t leaf[LOG_LEAF_SIZE];
        if (m.refused)
            continue;
        batch_member_id(&m, SUITE_1, f->chain, id);
        sigs_hash(r.signature, &m.sigs, sigs);
        log_leaf(SUITE_1, log.size, id, sigs, m.verdict, leaf);
        merkle_append_leaf(&log, bytes_of(leaf, sizeof(leaf)));
    }
    merkle_root(&log, out);
}

/* True when the byte at this place of the payload is under the author's
 * signature: all but further signatures and verdict digests are. */
static bool is_signed(const struct fixture_batch *f, const uint8_t *at)
{
    struct batch_reader r;
    struct batch_member m;
    assert_int_equal(batch_open(&r, buf_bytes(&f->payload), NULL), 0);
    while (batch_next(&r, &m, NULL) == 1) {
        if (m.refused)
            continue;
        if (at >= m.sigs.raw.data && at < m.sigs.raw.data + m.sigs.raw.len)
            return false;
        if (at >= m.verdict && at < m.verdict + HASH_SIZE)
            return false;
    }
    return true;
}

/* Each bit of a stored batch counts: decode, a digest or the signature refuses
 * it; what these leave open changes the log's root. */
static void any_flipped_bit_is_found(void **state)
{
    (void)state;
    struct fixture_batch f;
    struct err err;
    uint8_t root[HASH_SIZE];
    uint8_t other[HASH_SIZE];
    fixture_batch_open(&f);
    log_root(&f, buf_bytes(&f.payload), root);
    size_t open_bytes = 0;
    for (size_t i = 0; i < f.payload.len; i++) {
        bool must_fail = is_signed(&f, f.payload.data + i);
        open_bytes += !must_fail;
        for (int bit = 0; bit < 8; bit++) {
            f.payload.data[i] ^= (uint8_t)(1 << bit);
            int rc = verify(&f, buf_bytes(&f.payload), &err);
            assert_true(rc < 0 || !must_fail);
            if (rc == 0) {
                log_root(&f, buf_bytes(&f.payload), other);
                assert_memory_not_equal(root, other, HASH_SIZE);
            }
            f.payload.data[i] ^= (uint8_t)(1 << bit);
        }
    }
    assert_in_range(open_bytes, 64, 400);
    assert_int_equal(verify(&f, buf_bytes(&f.payload), &err), 0);
    fixture_batch_close(&f);
}

static void batches_belong_to_key_and_chain(void **state)
{
    (void)state;
    struct fixture_batch f;
    struct err err;
    uint8_t other_chain[CHAIN_ID_SIZE] = {1};
    fixture_batch_open(&f);
    struct bytes payload = buf_bytes(&f.payload);
    assert_error(verify_by(payload, &f.witness[0].record, f.chain, &err), &err,
                 ATE_ECORRUPT, "its signature");
    assert_error(verify_by(payload, &f.author.record, other_chain, &err), &err,
                 ATE_ECORRUPT, "transaction 0");
    assert_true(batch_signature_verify(&f.author.record, f.chain,
                                       (const uint8_t(*)[TX_ID_SIZE])f.ids, 3,
                                       payload.data + 1 + 34 + 2));
    assert_false(batch_signature_verify(&f.author.record, f.chain,
                                        (const uint8_t(*)[TX_ID_SIZE])f.ids, 2,
                                        payload.data + 1 + 34 + 2));
    fixture_batch_close(&f);
}

static void further_signatures_verify(void **state)
{
    (void)state;
    struct fixture_batch f;
    fixture_batch_open(&f);
    struct further_sig sig = {.key_id = f.witness[0].id,
                              .purpose = bytes_of_text("author"),
                              .signature = f.signatures[0]};
    struct key_record *record = &f.witness[0].record;
    assert_true(further_sig_verify(&sig, record, f.chain, f.ids[0]));
    assert_false(further_sig_verify(&sig, record, f.chain, f.ids[1]));
    assert_false(further_sig_verify(&sig, record, f.ids[0], f.ids[0]));
    assert_false(
        further_sig_verify(&sig, &f.witness[1].record, f.chain, f.ids[0]));
    sig.purpose = bytes_of_text("endorse");
    assert_false(further_sig_verify(&sig, record, f.chain, f.ids[0]));
    fixture_batch_close(&f);
}

static int decode_sigs(struct bytes raw, struct err *err)
{
    struct mp mp = mp_open(raw);
    struct sigs sigs;
    int rc = sigs_get(&mp, &sigs, err);
    return rc == 0 ? mp_done(&mp, err) : rc;
}

static void put_sig(struct buf *out, const struct further_sig *sig)
{
    mp_put_array(out, 3);
    mp_put_bin(out, bytes_of(sig->key_id, KEY_ID_SIZE));
    mp_put_str(out, sig->purpose);
    mp_put_bin(out, bytes_of(sig->signature, SIGN_SIZE));
}

/* A set of signatures has one order, or one transaction had several leaves. */
static void unsorted_signatures_are_refused(void **state)
{
    (void)state;
    static const uint8_t keys[2][KEY_ID_SIZE] = {{1}, {2}};
    static const uint8_t signature[SIGN_SIZE];
    struct further_sig list[3] = {
        {keys[0], bytes_of_text("a"), signature},
        {keys[0], bytes_of_text("b"), signature},
        {keys[1], bytes_of_text("a"), signature},
    };
    static const struct {
        size_t a, b;
        bool good;
    } orders[] = {{0, 1, true},  {1, 2, true},  {0, 2, true}, {1, 0, false},
                  {2, 0, false}, {2, 1, false}, {0, 0, false}};
    struct err err;
    struct buf raw = {0};
    for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
        buf_clear(&raw);
        mp_put_array(&raw, 2);
        put_sig(&raw, &list[orders[i].a]);
        put_sig(&raw, &list[orders[i].b]);
        int rc = decode_sigs(buf_bytes(&raw), &err);
        if (orders[i].good)
            assert_int_equal(rc, 0);
        else
            assert_error(rc, &err, ATE_EINVALID, "signature 1: not sorted");
    }
    struct further_sig twice[2] = {list[0], list[0]};
    assert_false(sigs_sort(twice, 2));
    buf_clear(&raw);
    sigs_put(&raw, list, 3);
    fixture_cut_everywhere(decode_sigs, buf_bytes(&raw));
    buf_deinit(&raw);
}

static void malformed_signatures_are_refused(void **state)
{
    (void)state;
    static const uint8_t key[KEY_ID_SIZE];
    static const uint8_t signature[SIGN_SIZE];
    struct err err;
    struct buf raw = {0};
    static const char *const purposes[] = {"", "Root", "a b", "\xc3\xa4"};
    for (size_t i = 0; i < sizeof(purposes) / sizeof(purposes[0]); i++) {
        struct further_sig sig = {key, bytes_of_text(purposes[i]), signature};
        buf_clear(&raw);
        mp_put_array(&raw, 1);
        put_sig(&raw, &sig);
        assert_error(decode_sigs(buf_bytes(&raw), &err), &err, ATE_EINVALID,
                     "purpose");
    }
    buf_clear(&raw);
    mp_put_array(&raw, LIMIT_TX_SIGNATURES + 1);
    for (int i = 0; i <= LIMIT_TX_SIGNATURES; i++)
        mp_put_nil(&raw);
    assert_error(decode_sigs(buf_bytes(&raw), &err), &err, ATE_ELIMIT,
                 "65 further signatures");
    buf_deinit(&raw);
}

/* The batch with one part of its second accepted member replaced. */
static void put_with(const struct fixture_batch *f, size_t part,
                     struct bytes value, struct buf *out)
{
    struct batch_reader r;
    struct bytes members;
    struct mp mp = mp_open(buf_bytes(&f->payload));
    assert_int_equal(batch_open(&r, buf_bytes(&f->payload), NULL), 0);
    batch_put(out, r.author, r.signature, 3);
    mp_get_array_of(&mp, 3, NULL);
    mp_skip(&mp, NULL, NULL);
    mp_skip(&mp, NULL, NULL);
    mp_get_array_of(&mp, 3, NULL);
    const uint8_t *start = mp.at;
    mp_skip(&mp, NULL, NULL);
    mp_skip(&mp, NULL, NULL);
    members = bytes_of(start, (size_t)(mp.at - start));
    buf_put_bytes(out, members);
    mp_get_array_of(&mp, 6, NULL);
    mp_put_array(out, 6);
    for (size_t i = 0; i < 6; i++) {
        struct bytes raw;
        assert_int_equal(mp_skip(&mp, &raw, NULL), 0);
        buf_put_bytes(out, i == part ? value : raw);
    }
}

static void each_malformed_part_is_named(void **state)
{
    (void)state;
    static const struct {
        size_t part;
        const char *hex;
        const char *words;
    } bad[] = {
        {0, "c0", "transaction 2, header"},
        {0, "c400", "transaction 2, header"},
        {1, "c0", "further signatures"},
        {1, "9190", "further signatures"},
        {2, "c0", "event headers"},
        {2, "90", "event headers: 0 of them"},
        {2, "92c400c400", "event headers: 2 of them"},
        {2, "9101", "event headers"},
        {3, "c400", "read set: empty"},
        {3, "c40101", "read set: the transaction header has no digest"},
        {3, "a161", "read set"},
        {4, "c400", "result: empty"},
        {4, "80", "result"},
        {5, "c0", "verdict digest"},
        {5, "c40101", "verdict digest"},
    };
    struct fixture_batch f;
    struct err err;
    struct buf raw = {0};
    struct buf value = {0};
    fixture_batch_open(&f);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        buf_clear(&raw);
        buf_clear(&value);
        size_t len = strlen(bad[i].hex);
        fixture_hex(bad[i].hex, buf_grow(&value, len / 2));
        put_with(&f, bad[i].part, buf_bytes(&value), &raw);
        assert_error(fixture_decode_copy(walk, buf_bytes(&raw), &err), &err,
                     ATE_EINVALID, bad[i].words);
    }
    buf_deinit(&raw);
    buf_deinit(&value);
    fixture_batch_close(&f);
}

/* A result that is not the one the header speaks of, and one dropped. */
static void sections_are_what_the_header_says(void **state)
{
    (void)state;
    struct fixture_batch f;
    struct err err;
    struct buf raw = {0};
    fixture_batch_open(&f);
    put_with(&f, 4, bytes_of("\xc4\x01\x01", 3), &raw);
    assert_int_equal(walk(buf_bytes(&raw), &err), 0);
    assert_error(verify(&f, buf_bytes(&raw), &err), &err, ATE_ECORRUPT,
                 "its result");
    buf_clear(&raw);
    put_with(&f, 4, bytes_of("\xc0", 1), &raw);
    assert_int_equal(verify(&f, buf_bytes(&raw), &err), 0);
    buf_deinit(&raw);
    fixture_batch_close(&f);
}

/* One byte too much in a section, one event too many: refused by its size. */
static void sections_are_bounded(void **state)
{
    (void)state;
    struct fixture_batch f;
    struct err err;
    struct buf raw = {0};
    struct buf value = {0};
    uint8_t *zeros = mem_zero(1, LIMIT_TX_HEADERS);
    fixture_batch_open(&f);
    mp_put_bin(&value, bytes_of(zeros, LIMIT_RESULT + 1));
    put_with(&f, 4, buf_bytes(&value), &raw);
    assert_error(walk(buf_bytes(&raw), &err), &err, ATE_ELIMIT, "result");
    buf_clear(&raw);
    buf_clear(&value);
    mp_put_array(&value, 1);
    mp_put_bin(&value, bytes_of(zeros, LIMIT_EVENT_HEADER + 1));
    put_with(&f, 2, buf_bytes(&value), &raw);
    assert_error(walk(buf_bytes(&raw), &err), &err, ATE_ELIMIT,
                 "event headers");
    mem_free(zeros);
    buf_deinit(&raw);
    buf_deinit(&value);
    fixture_batch_close(&f);
}

static void member_counts_are_bounded(void **state)
{
    (void)state;
    struct fixture_batch f;
    struct batch_reader r;
    struct err err;
    struct buf raw = {0};
    fixture_batch_open(&f);
    for (uint32_t count = 0; count <= LIMIT_BATCH_TXS + 1;
         count += LIMIT_BATCH_TXS + 1) {
        buf_clear(&raw);
        mp_put_array(&raw, 3);
        mp_put_bin(&raw, bytes_of(f.author.id, KEY_ID_SIZE));
        mp_put_bin(&raw, bytes_of(f.signatures[0], SIGN_SIZE));
        mp_put_array(&raw, count);
        memset(buf_grow(&raw, count), 0xc0, count);
        assert_error(batch_open(&r, buf_bytes(&raw), &err), &err,
                     count == 0 ? ATE_EINVALID : ATE_ELIMIT, "transactions");
    }
    buf_deinit(&raw);
    fixture_batch_close(&f);
}

/* Nobody's transaction is taken into a batch that another key signs. */
static void foreign_transactions_are_refused(void **state)
{
    (void)state;
    struct fixture_batch f;
    struct tx_header tx;
    struct err err;
    struct buf header = {0};
    struct buf value = {0};
    struct buf raw = {0};
    fixture_batch_open(&f);
    assert_int_equal(tx_header_get(buf_bytes(&f.tx[1]), &tx, NULL), 0);
    tx.author = f.witness[0].id;
    tx_header_put(&header, &tx);
    mp_put_bin(&value, buf_bytes(&header));
    put_with(&f, 0, buf_bytes(&value), &raw);
    assert_error(walk(buf_bytes(&raw), &err), &err, ATE_EINVALID,
                 "its author is not the batch's");
    buf_deinit(&header);
    buf_deinit(&value);
    buf_deinit(&raw);
    fixture_batch_close(&f);
}

/* The same for an event inside a transaction, whose root it is under. */
static void foreign_events_are_refused(void **state)
{
    (void)state;
    struct fixture_batch f;
    struct event_header event;
    struct batch_member m;
    struct err err;
    struct buf raw = {0};
    uint8_t id[EVENT_ID_SIZE];
    uint8_t root[HASH_SIZE];
    fixture_batch_open(&f);
    assert_int_equal(event_header_get(buf_bytes(&f.events[2]), &event, NULL),
                     0);
    event.author = f.witness[0].id;
    mp_put_array(&raw, 1);
    struct buf header = {0};
    event_header_put(&header, &event);
    mp_put_bin(&raw, buf_bytes(&header));
    event_id(SUITE_1, f.chain, buf_bytes(&header), id);
    merkle_root_of_ids((const uint8_t(*)[HASH_SIZE])id, 1, root);
    m = (struct batch_member){.event_count = 1, .events = buf_bytes(&raw)};
    assert_int_equal(tx_header_get(buf_bytes(&f.tx[1]), &m.tx, NULL), 0);
    m.tx.event_root = root;
    assert_error(check_member(&m, SUITE_1, f.chain, &err), &err, ATE_EINVALID,
                 "event 0: its author");
    buf_deinit(&header);
    buf_deinit(&raw);
    fixture_batch_close(&f);
}

/* The bytes of version 1, as a reader made from docs/format.md alone has them.
 * A change here is a change of the format. */
static void bytes_of_a_fixed_batch_are_golden(void **state)
{
    (void)state;
    struct fixture_batch f;
    struct batch_reader r;
    struct batch_member m;
    uint8_t hash[HASH_SIZE];
    uint8_t leaf[LOG_LEAF_SIZE];
    fixture_batch_open(&f);
    sha256(buf_bytes(&f.payload), hash);
    assert_hash(hash, "3c8e306fe750d198ed0c0a0be0f21a4f23e70a0b"
                      "ed57435723371dfd35656b45");
    assert_int_equal(batch_open(&r, buf_bytes(&f.payload), NULL), 0);
    assert_int_equal(batch_next(&r, &m, NULL), 1);
    sigs_hash(r.signature, &m.sigs, hash);
    log_leaf(SUITE_1, 7, f.ids[0], hash, f.verdict, leaf);
    hash_leaf(bytes_of(leaf, sizeof(leaf)), hash);
    assert_hash(hash, "1b44a325f511aef8690e2533e5cc3ef45f01a7ec"
                      "adbbea3917c97ee0b535b4c3");
    fixture_batch_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(batches_round_trip),
        cmocka_unit_test(cut_batches_are_refused),
        cmocka_unit_test(any_flipped_bit_is_found),
        cmocka_unit_test(batches_belong_to_key_and_chain),
        cmocka_unit_test(further_signatures_verify),
        cmocka_unit_test(unsorted_signatures_are_refused),
        cmocka_unit_test(malformed_signatures_are_refused),
        cmocka_unit_test(each_malformed_part_is_named),
        cmocka_unit_test(sections_are_what_the_header_says),
        cmocka_unit_test(sections_are_bounded),
        cmocka_unit_test(member_counts_are_bounded),
        cmocka_unit_test(foreign_transactions_are_refused),
        cmocka_unit_test(foreign_events_are_refused),
        cmocka_unit_test(bytes_of_a_fixed_batch_are_golden),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
