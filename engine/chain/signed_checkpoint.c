/* Checkpoints that the order key signs. A receipt needs one as soon as its
 * group is durable, so it is signed while the group is being written; it leaves
 * this file only when its size and root are those that are durable. */
#include <string.h>

#include "chain/inside.h"
#include "crypto/note.h"

/* The pair of the term that is durable; where it was just handed over, of the
 * one before. */
static const struct key_pair *order_signer(struct chain *c)
{
    struct term term = *order_term(c);
    if (term.index >= c->durable.size)
        term_get(chain_version(c), &term);
    const struct key_pair *pair = c->deps.order_pair(c->deps.ctx, term.id);
    return pair != NULL ? pair : c->ordered_by;
}

static void sign(struct chain *c, uint64_t size, const uint8_t root[HASH_SIZE],
                 const struct key_pair *pair)
{
    struct signed_checkpoint *s = &c->checkpoint;
    struct checkpoint checkpoint = {.size = size};
    memcpy(checkpoint.root, root, HASH_SIZE);
    buf_clear(&s->text);
    note_checkpoint_put(&s->text, c->core.id, &checkpoint, pair);
    s->size = size;
    memcpy(s->root, root, HASH_SIZE);
    memcpy(s->signer, pair->id, KEY_ID_SIZE);
}

static bool is_signed(const struct chain *c, uint64_t size,
                      const uint8_t root[HASH_SIZE],
                      const struct key_pair *pair)
{
    const struct signed_checkpoint *s = &c->checkpoint;
    return s->text.len > 0 && s->size == size &&
           memcmp(s->root, root, HASH_SIZE) == 0 &&
           memcmp(s->signer, pair->id, KEY_ID_SIZE) == 0;
}

int checkpoint_of_durable(struct chain *c, struct bytes *text,
                          uint8_t root[HASH_SIZE], struct err *err)
{
    const struct key_pair *pair = order_signer(c);
    const uint8_t *durable_root = chain_durable_root(c);
    if (pair == NULL) {
        err_set(err, ATE_EUNAVAILABLE,
                "it is in the log, but this node does not hold the chain's "
                "order key, so it cannot sign a receipt");
        return err_reason(err, "no_order_key");
    }
    if (!is_signed(c, c->durable.size, durable_root, pair))
        sign(c, c->durable.size, durable_root, pair);
    *text = buf_bytes(&c->checkpoint.text);
    memcpy(root, durable_root, HASH_SIZE);
    return 0;
}

void checkpoint_ahead(struct chain *c)
{
    const struct key_pair *pair = order_signer(c);
    uint8_t root[HASH_SIZE];
    if (pair == NULL)
        return;
    merkle_root(&c->writing_tree, root);
    sign(c, c->writing_tree.size, root, pair);
}
