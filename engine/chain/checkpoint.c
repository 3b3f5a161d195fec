#include "chain/checkpoint.h"

#include <string.h>

#include "base/hex.h"
#include "chain/inside.h"
#include "state/roots.h"

uint64_t checkpoint_size(const struct chain *c)
{
    uint64_t marked = c->log.marked.transactions;
    if (c->log.mode == LOG_READ_ONLY && marked < c->durable.size)
        return marked;
    return c->durable.size;
}

int checkpoint_sign(const struct chain *c, const struct checkpoint *checkpoint,
                    struct buf *text, struct err *err)
{
    struct term found[2];
    size_t count = terms_at(chain_version(c), checkpoint->size, found);
    for (size_t i = 0; i < count; i++) {
        const struct key_pair *pair =
            c->deps.order_pair(c->deps.ctx, found[i].id);
        if (pair == NULL)
            continue;
        note_checkpoint_put(text, c->core.id, checkpoint, pair);
        return 0;
    }
    err_set(err, ATE_EUNAVAILABLE,
            "this node does not hold the chain's order key (term %llu), so it "
            "cannot sign a checkpoint; one that the key's holder signed can be "
            "given",
            (unsigned long long)found[0].number);
    return err_reason(err, "no_order_key");
}

void checkpoint_vkey(const struct chain *c, uint64_t size, struct buf *text)
{
    struct term found[2];
    terms_at(chain_version(c), size, found);
    note_vkey_put(text, c->core.id, found[0].record.sign);
}

static int other_chain(const struct chain *c, const uint8_t *named,
                       struct err *err)
{
    struct buf text = {0};
    hex_put(&text, bytes_of(named, CHAIN_ID_SIZE));
    int rc = err_set(err, ATE_ECORRUPT,
                     "the checkpoint is of another chain, %s, not of %.*s",
                     buf_text(&text), (int)c->core.genesis.name.len,
                     (const char *)c->core.genesis.name.data);
    buf_deinit(&text);
    return rc;
}

/* Some term of the chain whose key signed it, for the text; 0: none. */
static uint64_t find_term(const struct chain *c, struct bytes text)
{
    struct checkpoint any;
    struct term term = {.index = UINT64_MAX};
    while (term_before(chain_version(c), term.index, &term))
        if (note_checkpoint_verify(text, c->core.id, term.record.sign, &any,
                                   NULL) == 0)
            return term.number;
    return 0;
}

int checkpoint_verify(const struct chain *c, struct bytes text,
                      struct checkpoint *checkpoint, uint64_t *term,
                      struct err *err)
{
    uint8_t named[CHAIN_ID_SIZE];
    struct term found[2];
    int rc = note_origin(text, named, err);
    if (rc == 0 && memcmp(named, c->core.id, CHAIN_ID_SIZE) != 0)
        return other_chain(c, named, err);
    if (rc == 0)
        rc = note_checkpoint_get(text, c->core.id, checkpoint, err);
    if (rc == 0 && checkpoint->size == 0)
        rc = err_set(err, ATE_EINVALID, "a checkpoint of nothing");
    if (rc != 0) {
        err->code = ATE_ECORRUPT;
        return ATE_ECORRUPT;
    }
    size_t count = terms_at(chain_version(c), checkpoint->size, found);
    for (size_t i = 0; i < count; i++) {
        *term = found[i].number;
        if (note_checkpoint_verify(text, c->core.id, found[i].record.sign,
                                   checkpoint, NULL) == 0)
            return 0;
    }
    uint64_t other = find_term(c, text);
    if (other == 0)
        return err_set(err, ATE_ECORRUPT,
                       "the checkpoint is signed by no order key of this "
                       "chain");
    return err_set(err, ATE_ECORRUPT,
                   "the checkpoint is signed by the order key of term %llu, "
                   "but the log stands in term %llu at that size",
                   (unsigned long long)other,
                   (unsigned long long)found[0].number);
}
