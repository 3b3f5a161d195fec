/* leaves: the leaves of a chain's log: how they come in, and how they are made
 * again from stored frames. */
#ifndef ATE_CHAIN_LEAVES_H
#define ATE_CHAIN_LEAVES_H

#include "chain/chain.h"

/* The next leaf of the log: into its tree and its tiles. */
void leaves_add(struct chain *c, const uint8_t leaf[LOG_LEAF_SIZE]);

/* Read leaves `from` to `to` (not included) of an open chain's log from their
 * frames, in order. Then `done` is called. A visit that returns false ends it.
 * Errors: CORRUPT, IO, NOT_FOUND, CANCELED (a visit ended it). */
typedef bool leaves_visit(void *ctx, uint64_t index,
                          const uint8_t leaf[LOG_LEAF_SIZE]);
void leaves_read(struct chain *c, uint64_t from, uint64_t to,
                 leaves_visit *visit, chain_done *done, void *ctx);
#endif
