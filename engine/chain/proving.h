/* proving: hashes of a chain's tree, for proofs about sizes that it has now or
 * had.
 *
 * What is not in memory comes from the file of tiles. Nothing in that is
 * believed: a tile is taken when its root is the hash that the tile above has
 * for it, and so on up to what is in memory, which was made from the log. A
 * tile that is missing or not the right one is made from the log's frames, and
 * put in its place in the file where this process writes.
 *
 * One struct serves one question; it keeps the tiles that it has seen. */
#ifndef ATE_CHAIN_PROVING_H
#define ATE_CHAIN_PROVING_H

#include "chain/chain.h"
#include "crypto/proof.h"
#include "log/tiles.h"

struct proving;

struct proving *proving_new(struct chain *c);
void proving_free(struct proving *p); /* nothing under way; NULL is harmless */

/* Hashes of leaves that are durable, for crypto/proof.h. NEED: proving_fetch()
 * gets what is missing, then all is asked for again. */
struct proof_source proving_source(struct proving *p);
/* The first `width` hashes of a tile, all of them durable. Errors: NEED. */
int proving_tile(struct proving *p, unsigned level, uint64_t index,
                 size_t width, struct buf *out, struct err *err);

/* Get what the last NEED was about. `done` may be called at once. Errors:
 * CORRUPT (the log's frames are not what they were), IO, CANCELED. */
void proving_fetch(struct proving *p, chain_done *done, void *ctx);
/* Let a fetch end soon, with CANCELED. */
void proving_stop(struct proving *p);
#endif
