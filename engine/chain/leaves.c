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
    struct chain *chain;
    uint64_t from;
    uint64_t to;
    leaves_visit *visit;
    chain_done *done;
    void *ctx;
    struct log_read read;
};

static void reading_end(struct leaves_reading *r, int code,
                        const struct err *err)
{
    struct err none = {0};
    r->chain->looking--;
    r->done(r->ctx, code, code != 0 ? err : &none);
    buf_deinit(&r->read.bytes);
    mem_free(r);
}

static int tell(struct leaves_reading *r, uint64_t index, const uint8_t *leaf,
                struct err *err)
{
    if (r->visit(r->ctx, index, leaf))
        return 0;
    return err_set(err, ATE_ECANCELED, "reading leaves was canceled");
}

static int visit_batch(struct leaves_reading *r, const struct log_frame *frame,
                       struct bytes payload, struct err *err)
{
    const struct core *core = &r->chain->core;
    struct batch_reader batch;
    struct batch_member m;
    uint64_t index = frame->index;
    int rc = batch_open(&batch, payload, err);
    while (rc == 0 && (rc = batch_next(&batch, &m, err)) == 1) {
        uint8_t id[TX_ID_SIZE];
        uint8_t sigs[HASH_SIZE];
        uint8_t leaf[LOG_LEAF_SIZE];
        rc = 0;
        if (m.refused)
            continue;
        if (index >= r->from && index < r->to) {
            batch_member_id(&m, core->genesis.suite, core->id, id);
            sigs_hash(batch.signature, &m.sigs, sigs);
            log_leaf(core->genesis.suite, index, id, sigs, m.verdict, leaf);
            rc = tell(r, index, leaf, err);
        }
        index++;
    }
    return rc;
}

static int visit_genesis(struct leaves_reading *r, struct bytes payload,
                         struct err *err)
{
    struct genesis_payload g;
    uint8_t leaf[LOG_LEAF_SIZE];
    int rc = genesis_payload_get(payload, &g, err);
    if (rc != 0)
        return rc;
    genesis_leaf(r->chain->core.genesis.suite, r->chain->core.id, &g.sigs,
                 leaf);
    return tell(r, 0, leaf, err);
}

static void reading_next(struct leaves_reading *r);

static void frame_read(struct log_read *read, int code, const struct err *why)
{
    struct leaves_reading *r = read->owner;
    struct err err = {0};
    if (code != 0)
        err = *why;
    else if (read->header.type == LOG_GENESIS)
        code = visit_genesis(r, buf_bytes(&read->bytes), &err);
    else
        code = visit_batch(r, &read->header, buf_bytes(&read->bytes), &err);
    if (code != 0) {
        reading_end(r, code, &err);
        return;
    }
    r->from = read->header.index + read->header.count;
    reading_next(r);
}

static void reading_next(struct leaves_reading *r)
{
    uint64_t frame = 0;
    struct err err;
    if (r->from >= r->to) {
        reading_end(r, 0, NULL);
        return;
    }
    if (!log_find(&r->chain->log, r->from, &frame)) {
        reading_end(r,
                    err_set(&err, ATE_ENOT_FOUND, "no transaction %llu",
                            (unsigned long long)r->from),
                    &err);
        return;
    }
    r->read.frame = frame;
    r->read.part = LOG_PAYLOAD;
    r->read.offset = 0;
    r->read.length = UINT64_MAX;
    r->read.done = frame_read;
    r->read.owner = r;
    log_read(&r->chain->log, &r->read);
}

void leaves_read(struct chain *c, uint64_t from, uint64_t to,
                 leaves_visit *visit, chain_done *done, void *ctx)
{
    struct leaves_reading *r = mem_zero(1, sizeof(*r));
    *r = (struct leaves_reading){
        .chain = c,
        .from = from,
        .to = to,
        .visit = visit,
        .done = done,
        .ctx = ctx,
    };
    c->looking++;
    reading_next(r);
}
