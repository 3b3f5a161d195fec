/* Files that prove a transaction, and receipts: whatever is accepted is written
 * again to the same bytes. Signatures hardly ever hold here, so what a check
 * comes to is not compared with anything. */
#include <assert.h>
#include <string.h>

#include "base/err.h"
#include "event/proof_file.h"
#include "event/receipt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check_file(struct bytes text)
{
    struct proof_file file;
    struct proof_checked checked;
    struct buf again = {0};
    struct err err;
    if (proof_file_get(text, &file, &err) == 0) {
        proof_file_put(&again, buf_bytes(&file.raw), file.index, &file.proof,
                       file.checkpoint);
        assert(bytes_equal(buf_bytes(&again), text));
        proof_file_check(&file, NULL, &checked, &err);
    }
    proof_file_deinit(&file);
    buf_deinit(&again);
}

/* The line that no mutation would find: what stands in it is fuzzed bare. */
static void check_extra(struct bytes extra)
{
    struct buf text = {0};
    static const struct proof proof = {.count = 1};
    proof_file_put(&text, extra, 1, &proof, bytes_of_text("ate/\n"));
    check_file(buf_bytes(&text));
    buf_deinit(&text);
}

static void check_receipt(struct bytes raw)
{
    struct receipt receipt;
    struct buf again = {0};
    struct checkpoint checkpoint;
    uint8_t chain[CHAIN_ID_SIZE];
    if (receipt_get(raw, &receipt, NULL) != 0)
        return;
    receipt_put(&again, &receipt);
    assert(bytes_equal(buf_bytes(&again), raw));
    if (note_origin(receipt.checkpoint, chain, NULL) == 0)
        note_checkpoint_get(receipt.checkpoint, chain, &checkpoint, NULL);
    buf_deinit(&again);
}

static void check_vkey(struct bytes text)
{
    uint8_t chain[CHAIN_ID_SIZE];
    uint8_t key[SIGN_PUBLIC_SIZE];
    struct buf again = {0};
    if (note_vkey_get(text, chain, key, NULL) != 0)
        return;
    note_vkey_put(&again, chain, key);
    assert(bytes_equal(buf_bytes(&again), text));
    buf_deinit(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct bytes raw = bytes_of(data, len);
    check_file(raw);
    check_extra(raw);
    check_receipt(raw);
    check_vkey(raw);
    return 0;
}
