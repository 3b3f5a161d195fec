/* receipt: what a caller keeps to prove that a transaction was taken.
 *
 * [index, tx id, checkpoint]: the checkpoint (crypto/note.h) covers the index.
 */
#ifndef ATE_EVENT_RECEIPT_H
#define ATE_EVENT_RECEIPT_H

#include "base/bytes.h"

struct err;

struct receipt {
    uint64_t index;
    const uint8_t *tx_id;    /* 32 bytes */
    struct bytes checkpoint; /* text of a signed note, at most NOTE_MAX */
};

void receipt_put(struct buf *out, const struct receipt *receipt);

/* `raw` has to outlive `receipt`. Judges neither index nor checkpoint.
 * Errors: INVALID, LIMIT. */
int receipt_get(struct bytes raw, struct receipt *receipt, struct err *err);
#endif
