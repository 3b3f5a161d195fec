#include "fixture_event.h"

#include "event/genesis.h"

static const uint8_t filler[HASH_SIZE] = {0};
static uint8_t nonce[GENESIS_NONCE_SIZE];
static uint8_t next_set[HASH_SIZE];
static uint8_t bundle_hash[HASH_SIZE];

static void fill(struct genesis *g)
{
    struct key_pair pair;
    memset(nonce, 0x0e, sizeof(nonce));
    memset(next_set, 0x1e, sizeof(next_set));
    memset(bundle_hash, 0xbb, sizeof(bundle_hash));
    *g = (struct genesis){
        .format = GENESIS_FORMAT,
        .suite = SUITE_1,
        .nonce = nonce,
        .log_time = 1700000000000,
        .name = bytes_of_text("bank/main"),
        .partition = bytes_of_text("bank"),
        .root_count = 3,
        .threshold = 2,
        .next = next_set,
        .pipeline_count = 3,
        .pipeline = {bytes_of_text("trust-delegation"),
                     bytes_of_text("serializer"),
                     bytes_of_text("structured-logic")},
        .limits = bytes_of("\x82\xa7"
                           "call_ms\xce\x05\x26\x5c\x00\xa3"
                           "gas\xce\x00\x0f\x42\x40",
                           23),
        .engine = bytes_of_text("0.1.0"),
        .bundle_hash = bundle_hash,
        .bundle_length = 4321,
    };
    for (uint8_t i = 0; i < 3; i++) {
        fixture_pair(&pair, (uint8_t)(11 + i));
        g->roots[i] = pair.record;
    }
    fixture_pair(&pair, 1);
    g->order = pair.record;
}

static void encode(struct buf *out)
{
    struct genesis g;
    fill(&g);
    assert_int_equal(genesis_put(out, &g, NULL), 0);
}

static int decode(struct bytes raw, struct err *err)
{
    struct genesis g;
    return genesis_get(raw, &g, err);
}

static void genesis_round_trips(void **state)
{
    (void)state;
    struct genesis want;
    struct genesis got;
    struct buf raw = {0};
    struct buf again = {0};
    fill(&want);
    encode(&raw);
    assert_int_equal(genesis_get(buf_bytes(&raw), &got, NULL), 0);
    assert_true(bytes_equal(got.name, want.name));
    assert_true(bytes_equal(got.partition, want.partition));
    assert_true(bytes_equal(got.engine, want.engine));
    assert_true(got.log_time == want.log_time);
    assert_int_equal(got.root_count, 3);
    assert_int_equal(got.threshold, 2);
    assert_int_equal(got.pipeline_count, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_record(&got.roots[i], &want.roots[i]);
        assert_true(bytes_equal(got.pipeline[i], want.pipeline[i]));
    }
    assert_record(&got.order, &want.order);
    assert_int_equal(got.bundle_length, 4321);
    assert_int_equal(genesis_limit(&got, "gas", 5), 1000000);
    assert_int_equal(genesis_limit(&got, "call_ms", 5), 86400000);
    assert_int_equal(genesis_limit(&got, "memory", 5), 5);
    assert_int_equal(genesis_put(&again, &got, NULL), 0);
    assert_true(bytes_equal(buf_bytes(&again), buf_bytes(&raw)));
    fixture_cut_everywhere(decode, buf_bytes(&raw));
    buf_deinit(&raw);
    buf_deinit(&again);
}

/* What is accepted is what would be written, whatever bit was flipped. */
static void flipped_bits_stay_canonical(void **state)
{
    (void)state;
    struct buf raw = {0};
    encode(&raw);
    for (size_t bit = 0; bit < 8 * raw.len; bit++) {
        struct genesis g;
        struct buf again = {0};
        raw.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        if (genesis_get(buf_bytes(&raw), &g, NULL) == 0) {
            assert_int_equal(genesis_put(&again, &g, NULL), 0);
            assert_true(bytes_equal(buf_bytes(&again), buf_bytes(&raw)));
        }
        raw.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        buf_deinit(&again);
    }
    buf_deinit(&raw);
}

static void each_malformed_part_is_named(void **state)
{
    (void)state;
    static const struct {
        size_t part;
        const char *hex;
        const char *words;
    } bad[] = {
        {0, "02", "format"},
        {0, "c0", "format"},
        {1, "00", "suite"},
        {1, "02", "suite"},
        {1, "cd0101", "suite"}, /* 257 is not 1 */
        {2, "c0", "nonce"},
        {2, "c40101", "nonce"},
        {3, "ff", "log time"},
        {3, "cf8000000000000000", "log time"},
        {4, "a0", "name"},
        {4, "a12e", "name"},
        {4, "a2612f", "name"},
        {4, "a22f61", "name"},
        {4, "a4612f2f62", "name"},
        {4, "a3610a62", "name"},
        {4, "c40161", "name"},
        {5, "a0", "partition"},
        {6, "90", "root keys"},
        {6, "c0", "root keys"},
        {6, "9190", "root keys"},
        {7, "00", "genesis, k:"},
        {7, "04", "genesis, k:"}, /* of three */
        {8, "c40101", "next root keys"},
        {9, "c0", "order key"},
        {10, "90", "pipeline"},
        {10, "91a0", "pipeline"},
        {10, "91a141", "pipeline"},
        {10, "92a161a161", "pipeline: a is there twice"},
        {11, "90", "limits"},
        {11, "81a161ff", "limits"},
        {11, "81a161c0", "limits"},
        {11, "81a001", "limits"},
        {11, "82a16201a16101", "encoding"},
        {12, "a0", "engine version"},
        {13, "c0", "bundle hash"},
        {14, "00", "bundle length"},
        {14, "ce7fffffff", "bundle length"},
    };
    struct fixture_parts parts;
    struct buf raw = {0};
    struct err err;
    encode(&raw);
    fixture_parts_open(&parts, buf_bytes(&raw));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        buf_clear(&raw);
        fixture_parts_join(&parts, bad[i].part, bad[i].hex, &raw);
        int rc = fixture_decode_copy(decode, buf_bytes(&raw), &err);
        assert_error(rc, &err, ATE_EINVALID, bad[i].words);
    }
    fixture_parts_close(&parts);
    buf_deinit(&raw);
}

/* One holder with two box keys would count as two of the k. */
static void root_keys_are_different_holders(void **state)
{
    (void)state;
    struct genesis g;
    struct err err;
    struct buf raw = {0};
    fill(&g);
    g.roots[2] = g.roots[0];
    g.roots[2].box[0] ^= 1;
    buf_put_text(&raw, "before");
    assert_error(genesis_put(&raw, &g, &err), &err, ATE_EINVALID,
                 "numbers 0 and 2 are the same key");
    assert_int_equal(raw.len, 6);
    buf_deinit(&raw);
}

/* What people give is an error, never a failed assertion. */
static void bad_wishes_are_errors(void **state)
{
    (void)state;
    struct genesis g;
    struct err err;
    struct buf raw = {0};
    fill(&g);
    g.name = bytes_of_text("bank/\xff");
    assert_error(genesis_put(&raw, &g, &err), &err, ATE_EINVALID, "UTF-8");
    fill(&g);
    g.root_count = LIMIT_ROOT_KEYS + 1;
    assert_error(genesis_put(&raw, &g, &err), &err, ATE_ELIMIT, "root keys");
    fill(&g);
    g.pipeline_count = GENESIS_PIPELINE_MAX + 1;
    assert_error(genesis_put(&raw, &g, &err), &err, ATE_ELIMIT,
                 "materializers");
    fill(&g);
    g.pipeline[1] = bytes_of_text("\xff");
    assert_error(genesis_put(&raw, &g, &err), &err, ATE_EINVALID,
                 "materializer 1");
    fill(&g);
    g.threshold = 0;
    assert_error(genesis_put(&raw, &g, &err), &err, ATE_EINVALID,
                 "genesis, k:");
    assert_int_equal(raw.len, 0);
    buf_deinit(&raw);
}

struct signer {
    uint8_t pair;
    const char *purpose;
};

/* A payload whose genesis these signed. */
static void sign(struct bytes genesis, const struct signer *signers,
                 size_t count, struct buf *out)
{
    static uint8_t signatures[8][SIGN_SIZE];
    static struct key_pair pairs[8];
    struct further_sig list[8];
    uint8_t id[CHAIN_ID_SIZE];
    chain_id(genesis, id);
    for (size_t i = 0; i < count; i++) {
        struct bytes purpose = bytes_of_text(signers[i].purpose);
        fixture_pair(&pairs[i], signers[i].pair);
        further_sig_make(&pairs[i], id, purpose, id, signatures[i]);
        list[i] = (struct further_sig){pairs[i].id, purpose, signatures[i]};
    }
    assert_true(sigs_sort(list, count));
    genesis_payload_put(out, genesis, list, count);
}

/* How genesis_verify judges it when these signed. */
static int judge(const struct signer *signers, size_t count, struct err *err)
{
    struct buf raw = {0};
    struct buf out = {0};
    struct genesis_payload payload;
    struct genesis g;
    uint8_t id[CHAIN_ID_SIZE];
    encode(&raw);
    sign(buf_bytes(&raw), signers, count, &out);
    assert_int_equal(genesis_payload_get(buf_bytes(&out), &payload, err), 0);
    assert_true(bytes_equal(payload.genesis, buf_bytes(&raw)));
    assert_int_equal(genesis_get(payload.genesis, &g, err), 0);
    chain_id(payload.genesis, id);
    int rc = genesis_verify(&g, &payload.sigs, id, err);
    buf_deinit(&raw);
    buf_deinit(&out);
    return rc;
}

static void k_different_root_keys_make_a_chain(void **state)
{
    (void)state;
    struct err err;
    const struct signer two[] = {{11, "root"}, {13, "root"}};
    const struct signer three[] = {{11, "root"}, {12, "root"}, {13, "root"}};
    const struct signer twice[] = {{11, "root"}, {11, "roots"}};
    const struct signer stranger[] = {{11, "root"}, {12, "root"}, {14, "root"}};
    const struct signer other[] = {{11, "root"}, {12, "author"}};
    assert_int_equal(judge(two, 2, &err), 0);
    assert_int_equal(judge(three, 3, &err), 0);
    assert_error(judge(two, 0, &err), &err, ATE_ECORRUPT, "0 root keys");
    assert_error(judge(two, 1, &err), &err, ATE_ECORRUPT,
                 "1 root keys signed, it takes 2");
    assert_error(judge(twice, 2, &err), &err, ATE_ECORRUPT, "not a root");
    assert_error(judge(stranger, 3, &err), &err, ATE_ECORRUPT, "not a root");
    assert_error(judge(other, 2, &err), &err, ATE_ECORRUPT, "not a root");
}

static int decode_payload(struct bytes raw, struct err *err)
{
    struct genesis_payload payload;
    return genesis_payload_get(raw, &payload, err);
}

/* Each bit of the first frame counts. */
static void any_flipped_bit_is_refused(void **state)
{
    (void)state;
    const struct signer two[] = {{11, "root"}, {12, "root"}};
    struct buf raw = {0};
    struct buf out = {0};
    uint8_t id[CHAIN_ID_SIZE];
    encode(&raw);
    sign(buf_bytes(&raw), two, 2, &out);
    fixture_cut_everywhere(decode_payload, buf_bytes(&out));
    for (size_t bit = 0; bit < 8 * out.len; bit++) {
        struct genesis_payload payload;
        struct genesis g;
        out.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        int rc = genesis_payload_get(buf_bytes(&out), &payload, NULL);
        if (rc == 0)
            rc = genesis_get(payload.genesis, &g, NULL);
        if (rc == 0) {
            chain_id(payload.genesis, id);
            rc = genesis_verify(&g, &payload.sigs, id, NULL);
        }
        assert_true(rc < 0);
        out.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    buf_deinit(&raw);
    buf_deinit(&out);
}

/* The bytes of version 1, as a reader made from docs/format.md alone has them.
 * A change here is a change of the format. */
static void bytes_of_a_fixed_genesis_are_golden(void **state)
{
    (void)state;
    const struct signer two[] = {{11, "root"}, {12, "root"}};
    struct buf raw = {0};
    struct buf out = {0};
    struct genesis_payload payload;
    uint8_t hash[HASH_SIZE];
    uint8_t leaf[LOG_LEAF_SIZE];
    uint8_t id[CHAIN_ID_SIZE];
    encode(&raw);
    chain_id(buf_bytes(&raw), id);
    assert_hash(id, "ab2ac944ad0da61ed9edb50bc05caaa243cf5c09"
                    "084fa4467ce99257d76fdbe7");
    sign(buf_bytes(&raw), two, 2, &out);
    sha256(buf_bytes(&out), hash);
    assert_hash(hash, "f287c861b281a8775dcb462e8f403ffa7e3054b3"
                      "a9264afe2cd64e566bd5f942");
    assert_int_equal(genesis_payload_get(buf_bytes(&out), &payload, NULL), 0);
    genesis_leaf(SUITE_1, id, &payload.sigs, leaf);
    hash_leaf(bytes_of(leaf, sizeof(leaf)), hash);
    assert_hash(hash, "c7479d8553697a961c69ed503209f6bc4b855802"
                      "6e2292389506e7a342deea2e");
    buf_deinit(&raw);
    buf_deinit(&out);
}

static void chain_names_are_paths(void **state)
{
    (void)state;
    char text[LIMIT_CHAIN_NAME + 1];
    memset(text, 'a', sizeof(text));
    assert_true(chain_name_valid(bytes_of(text, LIMIT_CHAIN_NAME)));
    assert_false(chain_name_valid(bytes_of(text, LIMIT_CHAIN_NAME + 1)));
    assert_true(chain_name_valid(bytes_of_text("a/b c/\xc3\xa4")));
    assert_false(chain_name_valid(bytes_of_text("")));
    assert_false(chain_name_valid(bytes_of_text("a/../b")));
    assert_false(chain_name_valid(bytes_of(filler, 1)));
}

/* A chain of others must not keep those who read it busy, or take all of their
 * memory. */
static void what_a_run_may_take_has_an_end(void **state)
{
    static const struct {
        const char *name;
        uint64_t value;
        const char *error; /* NULL: is taken */
    } lines[] = {
        {"gas", 1, NULL},
        {"gas", LIMIT_RUN_GAS, NULL},
        {"gas", LIMIT_RUN_GAS + 1,
         "genesis, limits: 'gas' is 16000001, want 1 to 16000000"},
        {"gas", UINT64_MAX, "'gas' is 18446744073709551615"},
        {"gas", 0, "'gas' is 0, want 1 to"},
        {"memory", LIMIT_RUN_MEMORY, NULL},
        {"memory", LIMIT_RUN_MEMORY + 1,
         "'memory' is 67108865, want 1 to 67108864"},
        {"memory", 0, "'memory' is 0, want 1 to"},
        {"call_ms", UINT64_MAX, NULL},
        {"gases", UINT64_MAX, NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
        struct genesis g;
        struct err err;
        struct buf limits = {0}, out = {0};
        fill(&g);
        mp_put_map(&limits, 1);
        mp_put_text(&limits, lines[i].name);
        mp_put_uint(&limits, lines[i].value);
        g.limits = buf_bytes(&limits);
        int rc = genesis_put(&out, &g, &err);
        if (lines[i].error == NULL)
            assert_int_equal(rc, 0);
        else
            assert_error(rc, &err, ATE_ELIMIT, lines[i].error);
        buf_deinit(&limits);
        buf_deinit(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(genesis_round_trips),
        cmocka_unit_test(flipped_bits_stay_canonical),
        cmocka_unit_test(each_malformed_part_is_named),
        cmocka_unit_test(root_keys_are_different_holders),
        cmocka_unit_test(bad_wishes_are_errors),
        cmocka_unit_test(k_different_root_keys_make_a_chain),
        cmocka_unit_test(any_flipped_bit_is_refused),
        cmocka_unit_test(bytes_of_a_fixed_genesis_are_golden),
        cmocka_unit_test(chain_names_are_paths),
        cmocka_unit_test(what_a_run_may_take_has_an_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
