#include "chain/leaves.h"

#include <string.h>

#include "base/memory.h"
#include "chain/inside.h"

void leaves_add(struct chain *c, const uint8_t leaf[LOG_LEAF_SIZE])
{
    uint8_t hash[HASH_SIZE];
    hash_leaf(bytes_of(leaf, LOG_LEAF_SIZE), hash);
    merkle_append_hash(&c->tree, hash);
    tiles_add(&c->tiles, hash);
}

/* ---- reading ---- */

struct leaves_reading {
    const struct core *core;
    leaves_visit *visit;
    chain_done *done;
    void *ctx;
};

static int leaf_of(const struct core *core, const struct chain_tx *tx,
                   uint8_t leaf[LOG_LEAF_SIZE], struct err *err)
{
    struct genesis_payload g;
    uint8_t id[TX_ID_SIZE];
    uint8_t sigs[HASH_SIZE];
    if (tx->member != NULL) {
        batch_member_id(tx->member, core->genesis.suite, core->id, id);
        sigs_hash(tx->batch->signature, &tx->member->sigs, sigs);
        log_leaf(core->genesis.suite, tx->index, id, sigs, tx->member->verdict,
                 leaf);
        return 0;
    }
    int rc = genesis_payload_get(tx->payload, &g, err);
    if (rc == 0)
        genesis_leaf(core->genesis.suite, core->id, &g.sigs, leaf);
    return rc;
}

static int visit_tx(void *ctx, const struct chain_tx *tx, struct err *err)
{
    struct leaves_reading *r = ctx;
    uint8_t leaf[LOG_LEAF_SIZE];
    int rc = leaf_of(r->core, tx, leaf, err);
    if (rc == 0 && !r->visit(r->ctx, tx->index, leaf))
        rc = err_set(err, ATE_ECANCELED, "reading leaves was canceled");
    return rc;
}

static void reading_done(void *ctx, int code, const struct err *err)
{
    struct leaves_reading r = *(struct leaves_reading *)ctx;
    mem_free(ctx);
    r.done(r.ctx, code, err);
}

void leaves_read(struct chain *c, uint64_t from, uint64_t to,
                 leaves_visit *visit, chain_done *done, void *ctx)
{
    struct leaves_reading *r = mem_zero(1, sizeof(*r));
    *r = (struct leaves_reading){&c->core, visit, done, ctx};
    chain_read_transactions(c, from, to - from, visit_tx, reading_done, r);
}
