#include "fixture_event.h"

#include "base/limits.h"

static int decode(struct bytes raw, struct err *err)
{
    struct tx_header header;
    return tx_header_get(raw, &header, err);
}

static void encode(struct buf *out, size_t n)
{
    struct fixture_batch f;
    fixture_batch_open(&f);
    buf_put_bytes(out, buf_bytes(&f.tx[n]));
    fixture_batch_close(&f);
}

static void headers_round_trip(void **state)
{
    (void)state;
    for (size_t n = 0; n < 2; n++) {
        struct tx_header header;
        struct buf raw = {0};
        struct buf again = {0};
        encode(&raw, n);
        assert_int_equal(tx_header_get(buf_bytes(&raw), &header, NULL), 0);
        assert_int_equal(header.first_sequence, n == 0 ? 1000 : 1002);
        assert_int_equal(header.count, n == 0 ? 2 : 1);
        assert_int_equal(header.seen_size, n == 0 ? 5 : 0);
        assert_int_equal(header.call.id[0], 0xca);
        assert_int_equal(header.call.reads != NULL, n == 0);
        assert_non_null(header.call.result);
        assert_null(header.call.caller);
        tx_header_put(&again, &header);
        assert_true(bytes_equal(buf_bytes(&again), buf_bytes(&raw)));
        fixture_cut_everywhere(decode, buf_bytes(&raw));
        buf_deinit(&raw);
        buf_deinit(&again);
    }
}

/* The largest header there can be fits the bound. */
static void a_full_header_fits(void **state)
{
    (void)state;
    uint8_t hash[HASH_SIZE] = {1};
    char method[LIMIT_TYPE_NAME];
    struct tx_header header;
    struct buf raw = {0};
    memset(method, 'm', sizeof(method));
    tx_header_put(&raw, &(struct tx_header){
                            .author = hash,
                            .first_sequence = INT64_MAX - LIMIT_TX_EVENTS,
                            .count = LIMIT_TX_EVENTS,
                            .event_root = hash,
                            .seen_size = UINT64_MAX,
                            .seen_root = hash,
                            .call = {.id = hash,
                                     .method = bytes_of(method, sizeof(method)),
                                     .bundle = hash,
                                     .args = hash,
                                     .reads = hash,
                                     .result = hash,
                                     .caller = hash,
                                     .token = hash},
                        });
    assert_int_equal(tx_header_get(buf_bytes(&raw), &header, NULL), 0);
    assert_true(header.seen_size == UINT64_MAX);
    buf_deinit(&raw);
}

#define ID16 "c41000112233445566778899aabbccddeeff"
#define ID32                                                                   \
    "c42000112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

struct malformed {
    size_t part;
    const char *hex;
    const char *words;
};

static const struct malformed bad_parts[] = {
    {0, "c0", "author"},
    {0, ID16, "author"},
    {1, "c0", "first sequence"},
    {1, "ff", "first sequence"},
    {1, "cf7fffffffffffffff", "first sequence"},
    {1, "cd0001", "first sequence"}, /* not the shortest */
    {2, "00", "count"},
    {2, "cd1001", "count"},
    {2, "c3", "count"},
    {3, "c0", "event root"},
    {3, ID16, "event root"},
    {4, "00", "seen root"}, /* a root of nothing */
    {4, "c0", "seen size"},
    {5, "c0", "seen root"}, /* a size without a root */
    {5, ID16, "seen root"},
    {6, "c0", "call"},
    {6, "90", "call"},
};

static const struct malformed bad_calls[] = {
    {0, "c0", "call id"}, {0, ID32, "call id"},   {1, "c0", "method"},
    {1, "a0", "method"},  {1, "a12d", "method"},  {1, "a141", "method"},
    {2, ID16, "bundle"},  {3, ID16, "arguments"}, {4, ID16, "read set"},
    {5, ID16, "result"},  {6, ID16, "caller"},    {7, ID16, "token"},
};

static void expect(const struct fixture_parts *parts,
                   const struct malformed *bad, struct bytes *call)
{
    struct buf raw = {0};
    struct err err;
    if (call == NULL) {
        fixture_parts_join(parts, bad->part, bad->hex, &raw);
    } else {
        mp_put_array(&raw, 7);
        for (size_t i = 0; i < 6; i++)
            buf_put_bytes(&raw, buf_bytes(&parts->part[i]));
        buf_put_bytes(&raw, *call);
    }
    int rc = fixture_decode_copy(decode, buf_bytes(&raw), &err);
    assert_true(rc == ATE_EINVALID || rc == ATE_ELIMIT);
    assert_error(rc, &err, rc, bad->words);
    buf_deinit(&raw);
}

static void each_malformed_part_is_named(void **state)
{
    (void)state;
    struct fixture_parts parts;
    struct fixture_parts call;
    struct buf raw = {0};
    encode(&raw, 0);
    fixture_parts_open(&parts, buf_bytes(&raw));
    for (size_t i = 0; i < sizeof(bad_parts) / sizeof(bad_parts[0]); i++)
        expect(&parts, &bad_parts[i], NULL);
    fixture_parts_open(&call, buf_bytes(&parts.part[6]));
    for (size_t i = 0; i < sizeof(bad_calls) / sizeof(bad_calls[0]); i++) {
        buf_clear(&raw);
        fixture_parts_join(&call, bad_calls[i].part, bad_calls[i].hex, &raw);
        struct bytes bad_call = buf_bytes(&raw);
        expect(&parts, &bad_calls[i], &bad_call);
    }
    fixture_parts_close(&parts);
    fixture_parts_close(&call);
    buf_deinit(&raw);
}

static void long_headers_are_refused(void **state)
{
    (void)state;
    uint8_t raw[TX_HEADER_MAX + 1] = {0};
    struct err err;
    assert_error(decode(bytes_of(raw, sizeof(raw)), &err), &err, ATE_ELIMIT,
                 "transaction header of");
}

/* Whatever a flipped bit makes is refused or has one encoding of its own. */
static void flipped_bits_stay_canonical(void **state)
{
    (void)state;
    struct buf raw = {0};
    encode(&raw, 0);
    for (size_t bit = 0; bit < 8 * raw.len; bit++) {
        struct tx_header header;
        struct buf again = {0};
        raw.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        if (tx_header_get(buf_bytes(&raw), &header, NULL) == 0) {
            tx_header_put(&again, &header);
            assert_true(bytes_equal(buf_bytes(&again), buf_bytes(&raw)));
        }
        raw.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        buf_deinit(&again);
    }
    buf_deinit(&raw);
}

static void id_of_a_fixed_transaction_is_golden(void **state)
{
    (void)state;
    struct fixture_batch f;
    fixture_batch_open(&f);
    assert_hash(f.ids[0], "bab1a517a97a0cb986e8af52952642f84f522d48"
                          "58ce5c539ffb1aee3f2e3125");
    fixture_batch_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(headers_round_trip),
        cmocka_unit_test(a_full_header_fits),
        cmocka_unit_test(each_malformed_part_is_named),
        cmocka_unit_test(long_headers_are_refused),
        cmocka_unit_test(flipped_bits_stay_canonical),
        cmocka_unit_test(id_of_a_fixed_transaction_is_golden),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
