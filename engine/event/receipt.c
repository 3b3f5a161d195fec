#include "event/receipt.h"

#include <assert.h>

#include "base/err.h"
#include "base/msgpack.h"
#include "crypto/note.h"

enum { RECEIPT_PARTS = 3 };

void receipt_put(struct buf *out, const struct receipt *receipt)
{
    assert(receipt->checkpoint.len <= NOTE_MAX);
    mp_put_array(out, RECEIPT_PARTS);
    mp_put_uint(out, receipt->index);
    mp_put_bin(out, bytes_of(receipt->tx_id, HASH_SIZE));
    mp_put_str(out, receipt->checkpoint);
}

int receipt_get(struct bytes raw, struct receipt *receipt, struct err *err)
{
    *receipt = (struct receipt){0};
    struct mp mp = mp_open(raw);
    mp_get_array_of(&mp, RECEIPT_PARTS, err);
    mp_get_uint(&mp, &receipt->index, err);
    mp_get_bin_of(&mp, HASH_SIZE, &receipt->tx_id, err);
    mp_get_str(&mp, &receipt->checkpoint, err);
    int rc = mp_done(&mp, err);
    if (rc == 0 && receipt->checkpoint.len > NOTE_MAX)
        rc = err_set(err, ATE_ELIMIT, "a checkpoint of %zu bytes, at most %d",
                     receipt->checkpoint.len, NOTE_MAX);
    if (rc != 0)
        err_wrap(err, "receipt");
    return rc;
}
