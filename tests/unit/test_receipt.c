#include "fixture_event.h"

#include "crypto/note.h"
#include "event/receipt.h"

static int decode(struct bytes raw, struct err *err)
{
    struct receipt receipt;
    return receipt_get(raw, &receipt, err);
}

static void receipts_round_trip(void **state)
{
    (void)state;
    static const uint8_t id[HASH_SIZE] = {7};
    struct receipt receipt = {.index = 12345678901,
                              .tx_id = id,
                              .checkpoint = bytes_of_text("ate/...\n")};
    struct receipt got;
    struct buf raw = {0};
    receipt_put(&raw, &receipt);
    assert_int_equal(receipt_get(buf_bytes(&raw), &got, NULL), 0);
    assert_true(got.index == receipt.index);
    assert_memory_equal(got.tx_id, id, HASH_SIZE);
    assert_true(bytes_equal(got.checkpoint, receipt.checkpoint));
    fixture_cut_everywhere(decode, buf_bytes(&raw));
    buf_deinit(&raw);
}

static void long_checkpoints_are_refused(void **state)
{
    (void)state;
    uint8_t text[NOTE_MAX + 1];
    struct err err;
    struct buf raw = {0};
    memset(text, 'a', sizeof(text));
    mp_put_array(&raw, 3);
    mp_put_uint(&raw, 1);
    mp_put_bin(&raw, bytes_of(text, HASH_SIZE));
    mp_put_str(&raw, bytes_of(text, sizeof(text)));
    assert_error(decode(buf_bytes(&raw), &err), &err, ATE_ELIMIT,
                 "checkpoint of");
    buf_deinit(&raw);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(receipts_round_trip),
        cmocka_unit_test(long_checkpoints_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
