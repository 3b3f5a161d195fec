/* proof_report: what a proof file or a receipt says, as a map for doors. No
 * chain is needed; so fields of events are in stored form, for their types
 * stand in the schema, bytes as hexadecimal text. */
#ifndef ATE_EVENT_PROOF_REPORT_H
#define ATE_EVENT_PROOF_REPORT_H

#include "base/bytes.h"

struct err;

/* Check a text: one that begins as a proof file is one, any other is taken for
 * a receipt in base64. `vkey` len 0: the order key of genesis, whom alone a
 * receipt does not know. Appends a map (engine/ate.h). Errors: CORRUPT, INVALID
 * (the vkey), LIMIT. */
int proof_report(struct bytes text, struct bytes vkey, struct buf *out,
                 struct err *err);
#endif
