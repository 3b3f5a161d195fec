/* checkpoint: sizes and roots of an open chain's log, signed by its order key,
 * and those that others show. */
#ifndef ATE_CHAIN_CHECKPOINT_H
#define ATE_CHAIN_CHECKPOINT_H

#include "chain/chain.h"
#include "crypto/note.h"

/* The largest size that may be signed: a reader beside a writer sees frames
 * that may still be lost, and signs none of them. */
uint64_t checkpoint_size(const struct chain *c);

/* Append the note, signed by the key of the term that this size stands in.
 * Errors: UNAVAILABLE (this node does not hold the key). */
int checkpoint_sign(const struct chain *c, const struct checkpoint *checkpoint,
                    struct buf *text, struct err *err);

/* The key that checks notes of this size, as a vkey. */
void checkpoint_vkey(const struct chain *c, uint64_t size, struct buf *text);

/* A note that somebody shows: is it of this chain, and signed by an order key
 * of its size's term? `term` gets its number. What it says of the log is not
 * compared here. Errors: CORRUPT. */
int checkpoint_verify(const struct chain *c, struct bytes text,
                      struct checkpoint *checkpoint, uint64_t *term,
                      struct err *err);
#endif
