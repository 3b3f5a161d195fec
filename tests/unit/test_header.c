#include "fixture_event.h"

#include "base/limits.h"

static int decode(struct bytes raw, struct err *err)
{
    struct event_header header;
    return event_header_get(raw, &header, err);
}

static void encode(struct buf *out, uint8_t n)
{
    struct fixture_batch f;
    fixture_batch_open(&f);
    buf_put_bytes(out, buf_bytes(&f.events[n - 1]));
    fixture_batch_close(&f);
}

static void headers_round_trip(void **state)
{
    (void)state;
    for (uint8_t n = 1; n <= FIXTURE_EVENTS; n++) {
        struct event_header header;
        struct buf raw = {0};
        struct buf again = {0};
        encode(&raw, n);
        assert_int_equal(event_header_get(buf_bytes(&raw), &header, NULL), 0);
        assert_int_equal(header.object[0], n);
        assert_true(bytes_equal(header.type, bytes_of_text("bank.transfer")));
        assert_int_equal(header.parent != NULL, n == 1);
        assert_int_equal(header.previous != NULL, n == 2);
        assert_int_equal(header.auth_ref != NULL, n == 2);
        assert_int_equal(header.flags, n == 2 ? EVENT_DELETES : 0);
        assert_int_equal(header.body_length, n == 1 ? 70000 : 0);
        assert_null(header.seal.data);
        event_header_put(&again, &header);
        assert_true(bytes_equal(buf_bytes(&again), buf_bytes(&raw)));
        fixture_cut_everywhere(decode, buf_bytes(&raw));
        buf_deinit(&raw);
        buf_deinit(&again);
    }
}

static void seals_are_kept_as_they_are(void **state)
{
    (void)state;
    struct event_header header;
    struct buf raw = {0};
    struct buf again = {0};
    encode(&raw, 3);
    assert_int_equal(event_header_get(buf_bytes(&raw), &header, NULL), 0);
    header.seal = bytes_of("\x94\x01\x02\x03\x04", 5);
    event_header_put(&again, &header);
    assert_int_equal(event_header_get(buf_bytes(&again), &header, NULL), 0);
    assert_true(bytes_equal(header.seal, bytes_of("\x94\1\2\3\4", 5)));
    buf_deinit(&raw);
    buf_deinit(&again);
}

#define ID16 "c41000112233445566778899aabbccddeeff"
#define ID32                                                                   \
    "c42000112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static const struct {
    size_t part;
    const char *hex;
    const char *words;
} malformed[] = {
    {0, "c0", "object id"},
    {0, "c40f00112233445566778899aabbccddee", "object id"},
    {0, "b030303030303030303030303030303030", "object id"}, /* str */
    {1, "c0", "type"},
    {1, "a0", "type"},
    {1, "a3612e2e", "type"},     /* a.. */
    {1, "a22e61", "type"},       /* .a */
    {1, "a2612e", "type"},       /* a. */
    {1, "a16c", "type"},         /* no dot */
    {1, "a3412e62", "type"},     /* A.b */
    {1, "a5612e622e63", "type"}, /* a.b.c */
    {1, "a3612e20", "type"},     /* a. and a space */
    {1, "c403612e62", "type"},   /* bin */
    {2, ID32, "parent"},
    {2, "00", "parent"},
    {3, ID16, "previous"},
    {4, "c0", "author"},
    {4, ID16, "author"},
    {5, ID16, "auth_ref"},
    {6, "02", "flags"},
    {6, "ff", "flags"},
    {6, "c0", "flags"},
    {6, "cfffffffffffffffff", "flags"},
    {7, "01", "body hash"}, /* a length without a hash */
    {7, "ff", "body length"},
    {7, "cf0000004000000001", "body length"}, /* over the limit */
    {8, ID32, "body hash"},                   /* a hash of nothing */
    {8, ID16, "body hash"},
    {9, "80", "seal"},
    {9, "01", "seal"},
    {10, "c0", "fields"},
    {10, "90", "fields"},
    {10, "82a16201a16102", "encoding"},   /* not sorted */
    {10, "82a16101a16102", "encoding"},   /* twice */
    {10, "8101c0", "encoding"},           /* key no text */
    {10, "81a161ca00000000", "encoding"}, /* float */
    {10, "81a161cc07", "encoding"},       /* not the shortest */
    {10, "81a161d90161", "encoding"},
};

/* The third event has no optional part, so that each can be put wrong alone. */
static void each_malformed_part_is_named(void **state)
{
    (void)state;
    struct fixture_parts parts;
    struct buf raw = {0};
    struct err err;
    encode(&raw, 3);
    fixture_parts_open(&parts, buf_bytes(&raw));
    for (size_t i = 0; i < sizeof(malformed) / sizeof(malformed[0]); i++) {
        buf_clear(&raw);
        fixture_parts_join(&parts, malformed[i].part, malformed[i].hex, &raw);
        int rc = fixture_decode_copy(decode, buf_bytes(&raw), &err);
        assert_true(rc == ATE_EINVALID || rc == ATE_ELIMIT);
        assert_error(rc, &err, rc, malformed[i].words);
    }
    fixture_parts_close(&parts);
    buf_deinit(&raw);
}

/* Depth is counted for the header as a whole: its fields stand one deeper. */
static void deep_fields_are_refused(void **state)
{
    (void)state;
    struct fixture_parts parts;
    struct buf raw = {0};
    struct err err;
    encode(&raw, 3);
    fixture_parts_open(&parts, buf_bytes(&raw));
    for (int depth = MP_DEPTH_MAX - 1; depth <= MP_DEPTH_MAX; depth++) {
        struct buf hex = {0};
        buf_clear(&raw);
        buf_put_text(&hex, "81a161");
        for (int i = 1; i < depth; i++)
            buf_put_text(&hex, i + 1 < depth ? "91" : "90");
        fixture_parts_join(&parts, 10, buf_text(&hex), &raw);
        int rc = decode(buf_bytes(&raw), &err);
        assert_int_equal(rc, depth < MP_DEPTH_MAX ? 0 : ATE_EINVALID);
        buf_deinit(&hex);
    }
    fixture_parts_close(&parts);
    buf_deinit(&raw);
}

static void large_headers_are_refused(void **state)
{
    (void)state;
    struct event_header header;
    struct buf first = {0};
    struct buf raw = {0};
    struct buf fields = {0};
    struct err err;
    encode(&first, 3);
    assert_int_equal(event_header_get(buf_bytes(&first), &header, &err), 0);
    mp_put_map(&fields, 1);
    mp_put_text(&fields, "a");
    size_t head = first.len - header.fields.len + fields.len + 3;
    for (size_t over = 0; over <= 1; over++) {
        buf_clear(&raw);
        fields.len = 3;
        uint8_t *blob = mem_zero(1, LIMIT_EVENT_HEADER);
        mp_put_bin(&fields, bytes_of(blob, LIMIT_EVENT_HEADER - head + over));
        mem_free(blob);
        header.fields = buf_bytes(&fields);
        event_header_put(&raw, &header);
        assert_int_equal(raw.len, LIMIT_EVENT_HEADER + over);
        int rc = decode(buf_bytes(&raw), &err);
        if (over == 0)
            assert_int_equal(rc, 0);
        else
            assert_error(rc, &err, ATE_ELIMIT, "event header of");
    }
    buf_deinit(&first);
    buf_deinit(&raw);
    buf_deinit(&fields);
}

/* Whatever a flipped bit makes is refused or has one encoding of its own. */
static void flipped_bits_stay_canonical(void **state)
{
    (void)state;
    struct buf raw = {0};
    encode(&raw, 1);
    for (size_t bit = 0; bit < 8 * raw.len; bit++) {
        struct event_header header;
        struct buf again = {0};
        raw.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        if (event_header_get(buf_bytes(&raw), &header, NULL) == 0) {
            event_header_put(&again, &header);
            assert_true(bytes_equal(buf_bytes(&again), buf_bytes(&raw)));
        }
        raw.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        buf_deinit(&again);
    }
    buf_deinit(&raw);
}

static void type_names_have_a_length(void **state)
{
    (void)state;
    char text[LIMIT_TYPE_NAME + 2];
    memset(text, 'a', sizeof(text));
    text[3] = '.';
    assert_true(event_type_valid(bytes_of(text, LIMIT_TYPE_NAME)));
    assert_false(event_type_valid(bytes_of(text, LIMIT_TYPE_NAME + 1)));
    assert_true(event_type_valid(bytes_of_text("key_2.put_3")));
}

/* The bytes of version 1. A change here is a change of the format. */
static void id_of_a_fixed_event_is_golden(void **state)
{
    (void)state;
    struct fixture_batch f;
    uint8_t id[EVENT_ID_SIZE];
    fixture_batch_open(&f);
    event_id(SUITE_1, f.chain, buf_bytes(&f.events[0]), id);
    assert_hash(id, "ac2f6e327b7c5b489ebdc38b9fcff773b223360c"
                    "e669013754c3d55be695eaec");
    fixture_batch_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(headers_round_trip),
        cmocka_unit_test(seals_are_kept_as_they_are),
        cmocka_unit_test(each_malformed_part_is_named),
        cmocka_unit_test(deep_fields_are_refused),
        cmocka_unit_test(large_headers_are_refused),
        cmocka_unit_test(flipped_bits_stay_canonical),
        cmocka_unit_test(type_names_have_a_length),
        cmocka_unit_test(id_of_a_fixed_event_is_golden),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
