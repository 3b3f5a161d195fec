/* snapshot: a chain as it stood at one place of its log, written out so that
 * opening maps it and replays only what came after.
 *
 * It is a cache of the log and never more: made by this node for itself, and
 * passed by whenever anything about it is in doubt. Nobody else is shown it,
 * and `verify` does not look at it. */
#ifndef ATE_CHAIN_SNAPSHOT_H
#define ATE_CHAIN_SNAPSHOT_H

#include "chain/chain.h"
#include "chain/snapshot_file.h"

enum {
    SNAPSHOT_TRANSACTIONS_MIN = 1 << 10, /* so many new ones: one at closing, */
    SNAPSHOT_TRANSACTIONS_SHARE = 64,    /* at least one for so many entries, */
    SNAPSHOT_TRANSACTIONS_MAX = 1 << 16, /* and no more than this */
    SNAPSHOT_EVENTS = 1 << 20, /* so many: one while work goes on; and */
    SNAPSHOT_SHARE = 16, /* at least one for so many entries of the state, so
                            that an event costs the same however many */
};

/* ---- snapshot_open.c ---- */

/* Look for one and for the verified mark, and take what is good: core, tree,
 * tiles, history are then as they were, and `then` may open the log from
 * c->resumed.start. With found = false the chain is as before. */
typedef void snapshot_then(struct chain *c, bool found);
void snapshot_open(struct chain *c, snapshot_then *then);
/* The tiles are at rest: perhaps it waits for that. */
void snapshot_tiles_rest(struct chain *c);
/* Give the mapped file back: nothing of the state is used any more. */
void snapshot_unmap(struct chain *c);

/* ---- snapshot_write.c ---- */

/* The head is sealed and will be durable with the group that is written now:
 * keep it, if a snapshot is due. Then snapshot_go() once that group is durable,
 * or snapshot_drop() when it is not going to be. */
void snapshot_pin(struct chain *c);
void snapshot_go(struct chain *c);
void snapshot_drop(struct chain *c);
/* The same for a chain that is idle; false: none is due. */
bool snapshot_at_rest(struct chain *c);
/* After how many transactions a chain that closes, with so many entries in its
 * state, is written: each opening replays them, 40 us each, where an entry is
 * written once, in 1 us. */
uint64_t snapshot_transactions(uint64_t entries);

/* ---- snapshot_meta.c ---- */

/* What the durable chain is made of besides its state and places. The end can
 * wait until all else is written: its state root may be there by then. */
void snapshot_meta_put(const struct chain *c, struct buf *out);
void snapshot_meta_end(const struct chain *c, uint64_t size, struct buf *out);
/* Make the core anew, with `tree` for its state; the tree is then the core's,
 * or freed. `leaves` gets the hashes of those of the tile that is not full.
 * Errors: CORRUPT, and those of core_open_with(). */
int snapshot_meta_get(struct chain *c, struct bytes meta, struct tree *tree,
                      struct bytes *leaves, struct err *err);
#endif
