/* chain_life: a short life of a whole chain, Lua included, on whatever disk it
 * is given, and the check of what is there afterwards.
 *
 * It is created, takes calls with bodies of every kind (in the frame, in a body
 * file, put before), writes snapshots and marks, and is closed. Any step
 * may fail; each call is answered nonetheless. What has to hold whatever failed
 * is what has to hold after a power failure: what was acknowledged is there,
 * what is there is whole, and opening does not refuse. */
#ifndef ATE_SIM_CHAIN_LIFE_H
#define ATE_SIM_CHAIN_LIFE_H

#include "unit/fixture_chain.h"

enum { LIFE_BODY = LIMIT_BODY_PIECE + 999 }; /* two pieces */

struct life {
    struct fixture_chain f;
    struct buf bundle;          /* of the schema, read once */
    struct script_cache *cache; /* what its Lua is compiled to */
    struct buf body;
    uint8_t hash[HASH_SIZE];
    uint8_t id[CHAIN_ID_SIZE];
    bool born;      /* creation was acknowledged */
    uint64_t acked; /* transactions below it were */
    uint64_t last;  /* the newest of them, with its id */
    uint8_t last_tx[TX_ID_SIZE];
    bool named;       /* one that names the large body was */
    unsigned refused; /* calls that ended otherwise */
    char why[1400];   /* the first of them */
    /* Called when something was acknowledged, or NULL. */
    void (*told)(void *ctx, const struct life *life);
    void *told_ctx;
};

/* Read the schema and make the large body. Runs in the root of the tree. */
void life_init(struct life *l);
void life_deinit(struct life *l);

/* Forget what was acknowledged: another life begins. */
void life_reset(struct life *l);

/* As much of the life as works, on a disk that `pump` moves on; the chain is
 * closed at the end. */
void life_run(struct life *l, const struct disk *disk, bool (*pump)(void *ctx),
              void *ctx);

/* A new process on the same disk: all that was acknowledged is there and whole,
 * and the chain goes on. Fails the test, naming `what`, when it is not so. */
void life_check(struct life *l, const struct disk *disk,
                bool (*pump)(void *ctx), void *ctx, const char *what);

/* Open what a life left: as a node does, or as verify, which takes nobody's
 * word and reads all bodies. Returns the code; life_close() comes next anyway.
 */
int life_open(struct life *l, const struct disk *disk, bool (*pump)(void *ctx),
              void *ctx, bool verifies);
void life_close(struct life *l);
#endif
