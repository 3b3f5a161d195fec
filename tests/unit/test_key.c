#include "fixture_event.h"

#include <sodium.h>

static int decode(struct bytes raw, struct err *err)
{
    struct key_record record;
    return key_record_decode(raw, &record, err);
}

static void record_round_trips(void **state)
{
    (void)state;
    struct key_pair pair;
    struct key_record record;
    struct buf raw = {0};
    fixture_pair(&pair, 1);
    key_record_put(&raw, &pair.record);
    assert_int_equal(raw.len, KEY_RECORD_MAX);
    assert_int_equal(key_record_decode(buf_bytes(&raw), &record, NULL), 0);
    assert_record(&record, &pair.record);
    fixture_cut_everywhere(decode, buf_bytes(&raw));
    buf_deinit(&raw);
}

/* The key id covers suite and both keys: the id on a grant picks a box key as
 * well as a signing key. */
static void id_covers_the_whole_record(void **state)
{
    (void)state;
    struct key_pair pair;
    struct key_record other;
    uint8_t id[KEY_ID_SIZE];
    fixture_pair(&pair, 1);
    assert_hash(pair.id, "673cf2363b6661dea61c81f0e6b6ed0cc488ac58"
                         "3127aa8cf02a85f26cb92188");
    other = pair.record;
    other.box[0] ^= 1;
    key_id(&other, id);
    assert_memory_not_equal(id, pair.id, KEY_ID_SIZE);
    other = pair.record;
    other.suite = 2;
    key_id(&other, id);
    assert_memory_not_equal(id, pair.id, KEY_ID_SIZE);
}

static void unknown_suite_is_refused(void **state)
{
    (void)state;
    struct key_pair pair;
    struct buf raw = {0};
    struct err err;
    fixture_pair(&pair, 1);
    pair.record.suite = 2;
    key_record_put(&raw, &pair.record);
    assert_error(decode(buf_bytes(&raw), &err), &err, ATE_EINVALID, "suite 2");
    buf_deinit(&raw);
}

static void file_round_trips(void **state)
{
    (void)state;
    struct key_pair pair;
    struct key_pair again;
    struct buf text = {0};
    struct err err;
    fixture_pair(&pair, 1);
    key_pair_write(&text, &pair);
    assert_string_equal(
        buf_text(&text),
        "ate-key 1\n"
        "sign 010101010101010101010101010101010101010101010101010101010101010"
        "1\n"
        "box 6565656565656565656565656565656565656565656565656565656565656565"
        "\n");
    assert_int_equal(key_pair_read(buf_bytes(&text), &again, &err), 0);
    assert_memory_equal(&again, &pair, sizeof(pair));
    buf_wipe(&text);
    assert_null(text.data);
}

static int read_file(struct bytes text, struct err *err)
{
    struct key_pair pair;
    int rc = key_pair_read(text, &pair, err);
    if (rc != 0) /* nothing of a half-read secret is left */
        assert_true(sodium_is_zero((const uint8_t *)&pair, sizeof(pair)));
    return rc;
}

static void malformed_file_names_the_line(void **state)
{
    (void)state;
    struct key_pair pair;
    struct buf text = {0};
    struct err err;
    fixture_pair(&pair, 1);
    key_pair_write(&text, &pair);
    fixture_cut_everywhere(read_file, buf_bytes(&text));
    static const struct {
        size_t at;
        const char *words;
    } places[] = {{8, "first line"}, {12, "second"}, {40, "second"},
                  {79, "second"},    {80, "third"},  {100, "third"},
                  {148, "third"}};
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        uint8_t saved = text.data[places[i].at];
        text.data[places[i].at] = 'x';
        assert_error(read_file(buf_bytes(&text), &err), &err, ATE_EINVALID,
                     places[i].words);
        text.data[places[i].at] = saved;
    }
    buf_wipe(&text);
}

static void wiping_leaves_nothing(void **state)
{
    (void)state;
    struct key_pair pair;
    fixture_pair(&pair, 1);
    key_pair_wipe(&pair);
    assert_true(sodium_is_zero((const uint8_t *)&pair, sizeof(pair)));
    key_pair_wipe(&pair);
    struct buf empty = {0};
    buf_wipe(&empty);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(record_round_trips),
        cmocka_unit_test(id_covers_the_whole_record),
        cmocka_unit_test(unknown_suite_is_refused),
        cmocka_unit_test(file_round_trips),
        cmocka_unit_test(malformed_file_names_the_line),
        cmocka_unit_test(wiping_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
