/* proposal: a batch that waits for further signatures, as a text that people
 * send each other (docs/format.md section 3).
 *
 *     ate-proposal 1
 *     chain <chain id, 64 hex> <name>
 *     <base64 of [payload bin, inline section bin, body region bin]>
 */
#ifndef ATE_EVENT_PROPOSAL_H
#define ATE_EVENT_PROPOSAL_H

#include "event/batch.h"

struct proposal {
    uint8_t chain[CHAIN_ID_SIZE];
    struct bytes name;    /* into the text */
    struct buf raw;       /* the encoded array; what follows points into it */
    struct bytes payload; /* of a batch frame */
    struct bytes inlined;
    struct bytes bodies;
};

void proposal_put(struct buf *text, const uint8_t chain[CHAIN_ID_SIZE],
                  struct bytes name, struct bytes raw);

/* The text has to outlive `p`; the caller deinits it, after errors, too.
 * Errors: INVALID, LIMIT. */
int proposal_get(struct bytes text, struct proposal *p, struct err *err);
void proposal_deinit(struct proposal *p); /* safe twice */

/* Append the raw array again with a signature more on each member, by `pair`
 * for `purpose`; one that is there already is kept. Errors: INVALID, LIMIT (too
 * many), CONFLICT (by the author). */
int proposal_sign(const struct proposal *p, const struct key_pair *pair,
                  struct bytes purpose, struct buf *raw, struct err *err);
#endif
