/* Sealing: transactions take their places in batches, which are signed and
 * become frames of the next group.
 *
 * (1) next_index = tree.size + what the unsealed batches hold.
 * (2) Of the unsealed batches the last is open: the next transaction of its
 *     author joins it. Those before are closed, and their signatures under way.
 * (3) group_bodies has the large bodies of sealed and unsealed batches, in
 *     order. */
#include <assert.h>
#include <string.h>

#include "base/memory.h"
#include "base/msgpack.h"
#include "chain/inside.h"
#include "chain/leaves.h"
#include "chain/signing.h"
#include "event/batch.h"

enum { BATCH_BYTES_MAX = 4 << 20 }; /* with bodies: then it is closed */

/* ---- a transaction's bytes ---- */

/* Where they go. */
struct places {
    struct buf *members;
    struct buf *inlined; /* its small bodies */
    struct buf *bodies;  /* its large ones, as the body file has them */
};

static size_t places_size(const struct places *to)
{
    return to->members->len + to->inlined->len + to->bodies->len;
}

/* Lay out one body as docs/format.md section 4 has it. */
static void put_body(const struct places *to, const struct trial_event *e)
{
    switch (body_home_of(&e->header)) {
    case BODY_INLINE:
        buf_put_bytes(to->inlined, e->body);
        return;
    case BODY_FILE:
        buf_put_bytes(to->bodies, e->body);
        buf_pad(to->bodies, 8);
        return;
    default:
        return; /* none, or in a file of its own */
    }
}

struct body_place body_walk_next(struct body_walk *w,
                                 const struct event_header *header)
{
    uint64_t length = header->body_length;
    struct body_place place = {.home = body_home_of(header)};
    if (place.home == BODY_INLINE) {
        place.offset = w->inline_at;
        w->inline_at += length;
    } else if (place.home == BODY_FILE) {
        place.offset = w->file_at;
        w->file_at += body_file_size(length);
    }
    return place;
}

static void event_root_of(const struct trial *t, uint8_t root[HASH_SIZE])
{
    uint8_t(*ids)[HASH_SIZE] = mem_alloc(t->count * sizeof(*ids));
    for (size_t i = 0; i < t->count; i++)
        memcpy(ids[i], t->events[i]->id, HASH_SIZE);
    merkle_root_of_ids(ids, t->count, root);
    mem_free(ids);
}

/* Into c->tx_header. Sets the id. */
static void make_tx_header(struct chain *c, struct placing *placing)
{
    const struct trial *t = placing->trial;
    uint8_t event_root[HASH_SIZE];
    event_root_of(t, event_root);
    struct tx_header header = {
        .author = placing->author->id,
        .first_sequence = t->first_sequence,
        .count = t->count,
        .event_root = event_root,
        .seen_size = c->durable.size,
        .seen_root = c->durable.size > 0 ? chain_durable_root(c) : NULL,
        .call = placing->call,
    };
    buf_clear(&c->tx_header);
    tx_header_put(&c->tx_header, &header);
    tx_id(c->core.genesis.suite, c->core.id, buf_bytes(&c->tx_header),
          placing->tx_id);
}

struct signed_by {
    struct further_sig *sigs; /* sorted */
    uint8_t (*signatures)[SIGN_SIZE];
    size_t count;
};

/* Others sign the transaction's id, each for itself. */
static struct signed_by sign_by_others(struct chain *c,
                                       const struct placing *placing)
{
    struct signed_by by = {0};
    size_t count = placing->signer_count;
    if (count == 0)
        return by;
    by.sigs = mem_alloc(count * sizeof(*by.sigs));
    by.signatures = mem_alloc(count * sizeof(*by.signatures));
    for (size_t i = 0; i < count; i++) {
        const struct signer *s = &placing->signers[i];
        if (s->is_absent)
            continue;
        size_t k = by.count++;
        further_sig_make(s->pair, c->core.id, s->purpose, placing->tx_id,
                         by.signatures[k]);
        by.sigs[k] = (struct further_sig){
            .key_id = s->pair->id,
            .purpose = s->purpose,
            .signature = by.signatures[k],
        };
    }
    bool distinct = sigs_sort(by.sigs, by.count);
    assert(distinct);
    return by;
}

static void put_member(const struct chain *c, const struct placing *placing,
                       const struct signed_by *by, const struct places *to)
{
    const struct trial *t = placing->trial;
    struct bytes *events = mem_alloc(t->count * sizeof(*events));
    for (size_t i = 0; i < t->count; i++) {
        events[i] = t->events[i]->raw;
        put_body(to, t->events[i]);
    }
    struct batch_part part = {
        .tx_header = buf_bytes(&c->tx_header),
        .sigs = by->sigs,
        .sig_count = by->count,
        .events = events,
        .event_count = t->count,
        .read_set = placing->read_set,
        .result = placing->result,
        .verdict = t->verdict,
    };
    batch_put_member(to->members, &part);
    mem_free(events);
}

/* Sets the id; `sigs` gets the others' signatures, `count` how many. */
static void put_transaction(struct chain *c, struct placing *placing,
                            const struct places *to, struct buf *sigs,
                            size_t *count)
{
    make_tx_header(c, placing);
    struct signed_by by = sign_by_others(c, placing);
    put_member(c, placing, &by, to);
    if (by.count > 0)
        sigs_put(sigs, by.sigs, by.count);
    *count = by.count;
    mem_free(by.sigs);
    mem_free(by.signatures);
}

void order_propose(struct chain *c, struct placing *placing, struct buf *out)
{
    struct buf payload = {0};
    struct buf member = {0};
    struct buf inlined = {0};
    struct buf bodies = {0};
    struct buf sigs = {0};
    struct places to = {&member, &inlined, &bodies};
    uint8_t signature[SIGN_SIZE];
    size_t count;
    put_transaction(c, placing, &to, &sigs, &count);
    batch_sign(placing->author, c->core.id,
               (const uint8_t(*)[TX_ID_SIZE])placing->tx_id, 1, signature);
    batch_put(&payload, placing->author->id, signature, 1);
    buf_put_bytes(&payload, buf_bytes(&member));
    mp_put_array(out, 3);
    mp_put_bin(out, buf_bytes(&payload));
    mp_put_bin(out, buf_bytes(&inlined));
    mp_put_bin(out, buf_bytes(&bodies));
    buf_deinit(&payload);
    buf_deinit(&member);
    buf_deinit(&inlined);
    buf_deinit(&bodies);
    buf_deinit(&sigs);
}

/* ---- unsealed batches ---- */

static struct batch *open_batch(struct chain *c)
{
    return c->batch_count > 0 ? &c->batches[c->batch_count - 1] : NULL;
}

static void batch_deinit(struct batch *b)
{
    for (size_t i = 0; i < b->leaf_count; i++)
        buf_deinit(&b->leaves[i].sigs);
    mem_free(b->leaves);
    buf_deinit(&b->members);
    buf_deinit(&b->inlined);
    if (b->signing != NULL)
        signing_free(b->signing);
}

static void begin_signing(struct chain *c, struct batch *b)
{
    uint8_t(*ids)[TX_ID_SIZE] = mem_alloc(b->leaf_count * sizeof(*ids));
    for (size_t i = 0; i < b->leaf_count; i++)
        memcpy(ids[i], b->leaves[i].tx_id, TX_ID_SIZE);
    b->signing = signing_new(b->author, c->core.id, ids, b->leaf_count);
}

/* The open one is closed: somebody else may sign it meanwhile. */
static struct batch *new_batch(struct chain *c, const struct key_pair *author)
{
    struct batch *before = open_batch(c);
    if (before != NULL) {
        begin_signing(c, before);
        signing_fork(before->signing, c->deps.pool);
    }
    c->batches = mem_array_grow(c->batches, c->batch_count, &c->batch_cap,
                                sizeof(*c->batches));
    struct batch *b = &c->batches[c->batch_count++];
    *b = (struct batch){.author = author};
    return b;
}

static bool may_join(const struct batch *b, const struct key_pair *author)
{
    return b != NULL && memcmp(b->author->id, author->id, KEY_ID_SIZE) == 0 &&
           b->leaf_count < LIMIT_BATCH_TXS &&
           b->members.len + b->inlined.len + b->body_len < BATCH_BYTES_MAX;
}

static struct batch_leaf *new_leaf(struct batch *b)
{
    b->leaves = mem_array_grow(b->leaves, b->leaf_count, &b->leaf_cap,
                               sizeof(*b->leaves));
    struct batch_leaf *leaf = &b->leaves[b->leaf_count++];
    *leaf = (struct batch_leaf){0};
    return leaf;
}

void order_place(struct chain *c, struct placing *placing)
{
    assert(placing->trial->index == c->next_index);
    struct batch *b = open_batch(c);
    if (!may_join(b, placing->author))
        b = new_batch(c, placing->author);
    struct places to = {&b->members, &b->inlined, &c->group_bodies};
    struct batch_leaf *leaf = new_leaf(b);
    size_t size_before = places_size(&to);
    size_t bodies_before = c->group_bodies.len;
    put_transaction(c, placing, &to, &leaf->sigs, &leaf->sig_count);
    memcpy(leaf->tx_id, placing->tx_id, TX_ID_SIZE);
    memcpy(leaf->verdict, placing->trial->verdict, HASH_SIZE);
    b->body_len += c->group_bodies.len - bodies_before;
    c->waiting_bytes += places_size(&to) - size_before;
    chain_placed(c, placing->trial);
}

/* The newest first: others began with the oldest. */
static void join_all(struct chain *c)
{
    for (size_t i = c->batch_count; i-- > 0;)
        if (c->batches[i].signing != NULL)
            signing_join(c->batches[i].signing, c->deps.pool);
}

static void drop_batches(struct chain *c)
{
    for (size_t i = 0; i < c->batch_count; i++)
        batch_deinit(&c->batches[i]);
    c->batch_count = 0;
}

/* ---- sealed ones ---- */

static struct sealed *new_sealed(struct chain *c, size_t count)
{
    c->sealed = mem_array_grow(c->sealed, c->sealed_count, &c->sealed_cap,
                               sizeof(*c->sealed));
    struct sealed *s = &c->sealed[c->sealed_count++];
    *s = (struct sealed){.count = (uint32_t)count};
    return s;
}

void order_put_leaf(struct chain *c, const uint8_t tx_id[TX_ID_SIZE],
                    const uint8_t signature[SIGN_SIZE],
                    const struct sigs *further, const uint8_t *verdict)
{
    uint8_t sigs[HASH_SIZE];
    uint8_t leaf[LOG_LEAF_SIZE];
    sigs_hash(signature, further, sigs);
    log_leaf(c->core.genesis.suite, c->tree.size, tx_id, sigs, verdict, leaf);
    leaves_add(c, leaf);
}

static void seal(struct chain *c, struct batch *b)
{
    const uint8_t *signature = signing_signature(b->signing);
    struct sealed *s = new_sealed(c, b->leaf_count);
    batch_put(&s->payload, b->author->id, signature, b->leaf_count);
    buf_put_bytes(&s->payload, buf_bytes(&b->members));
    s->inlined = b->inlined;
    b->inlined = (struct buf){0};
    s->body_len = b->body_len;
    for (size_t i = 0; i < b->leaf_count; i++) {
        const struct batch_leaf *leaf = &b->leaves[i];
        struct sigs further = {buf_bytes(&leaf->sigs),
                               (uint32_t)leaf->sig_count};
        order_put_leaf(c, leaf->tx_id, signature, &further, leaf->verdict);
    }
    history_add(&c->history, &c->tree);
}

void order_seal(struct chain *c)
{
    if (c->batch_count == 0)
        return;
    begin_signing(c, open_batch(c));
    join_all(c);
    for (size_t i = 0; i < c->batch_count; i++)
        seal(c, &c->batches[i]);
    drop_batches(c);
    assert(c->next_index == c->tree.size);
}

void order_add_signed(struct chain *c, const struct signed_parts *parts,
                      uint32_t count)
{
    assert(c->batch_count == 0 && count > 0);
    assert(c->next_index == c->tree.size);
    struct sealed *s = new_sealed(c, count);
    buf_put_bytes(&s->payload, parts->payload);
    buf_put_bytes(&s->inlined, parts->inlined);
    buf_put_bytes(&c->group_bodies, parts->bodies);
    s->body_len = parts->bodies.len;
    c->waiting_bytes +=
        parts->payload.len + parts->inlined.len + parts->bodies.len;
    history_add(&c->history, &c->tree);
}

void order_drop_sealed(struct chain *c)
{
    for (size_t i = 0; i < c->sealed_count; i++) {
        buf_deinit(&c->sealed[i].payload);
        buf_deinit(&c->sealed[i].inlined);
    }
    c->sealed_count = 0;
}

void order_drop_unwritten(struct chain *c)
{
    join_all(c);
    drop_batches(c);
    order_drop_sealed(c);
    buf_clear(&c->group_bodies);
    c->waiting_bytes = 0;
}

void sealing_deinit(struct chain *c)
{
    order_drop_unwritten(c);
    mem_free(c->batches);
    mem_free(c->sealed);
    c->batches = NULL;
    c->batch_cap = 0;
    c->sealed = NULL;
    c->sealed_cap = 0;
    buf_deinit(&c->group_bodies);
    buf_deinit(&c->tx_header);
}
