/* Event and transaction headers, further signatures, key records, bundles and
 * receipts: what is accepted has no other encoding. The first byte picks. */
#include <assert.h>

#include "base/msgpack.h"
#include "event/bundle.h"
#include "event/header.h"
#include "event/receipt.h"
#include "event/sigs.h"
#include "event/tx.h"
#include "base/limits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static bool put_event(struct bytes raw, struct buf *out)
{
    struct event_header header;
    if (event_header_get(raw, &header, NULL) != 0)
        return false;
    event_header_put(out, &header);
    return true;
}

static bool put_tx(struct bytes raw, struct buf *out)
{
    struct tx_header header;
    if (tx_header_get(raw, &header, NULL) != 0)
        return false;
    tx_header_put(out, &header);
    return true;
}

static bool put_sigs(struct bytes raw, struct buf *out)
{
    struct mp mp = mp_open(raw);
    struct sigs sigs;
    struct further_sig list[LIMIT_TX_SIGNATURES];
    if (sigs_get(&mp, &sigs, NULL) != 0 || mp_done(&mp, NULL) != 0)
        return false;
    sigs_put(out, list, sigs_list(&sigs, list));
    return true;
}

static bool put_key(struct bytes raw, struct buf *out)
{
    struct key_record record;
    if (key_record_decode(raw, &record, NULL) != 0)
        return false;
    key_record_put(out, &record);
    return true;
}

static bool put_bundle(struct bytes raw, struct buf *out)
{
    static struct bundle_module modules[LIMIT_BUNDLE_MODULES];
    struct bundle bundle;
    size_t count = 0;
    if (bundle_get(raw, &bundle, NULL) != 0)
        return false;
    struct bundle_cursor cursor = bundle_modules(&bundle);
    while (bundle_next(&cursor, &modules[count]))
        if (++count == bundle.count)
            break;
    int rc = bundle_put(out, bundle.main_module, modules, count, NULL);
    assert(rc == 0);
    return true;
}

static bool put_receipt(struct bytes raw, struct buf *out)
{
    struct receipt receipt;
    if (receipt_get(raw, &receipt, NULL) != 0)
        return false;
    receipt_put(out, &receipt);
    return true;
}

static bool (*const puts_of[])(struct bytes raw, struct buf *out) = {
    put_event, put_tx, put_sigs, put_key, put_bundle, put_receipt,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct buf out = {0};
    if (len == 0)
        return 0;
    size_t which = data[0] % (sizeof(puts_of) / sizeof(puts_of[0]));
    struct bytes raw = bytes_of(data + 1, len - 1);
    if (puts_of[which](raw, &out))
        assert(bytes_equal(buf_bytes(&out), raw));
    buf_deinit(&out);
    return 0;
}
