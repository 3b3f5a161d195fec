/* Order: transactions take their places, batches are signed, groups are
 * written.
 *
 * A transaction is *placed* when its trial was kept: it has its index, and the
 * head has its effects. It waits in the open batch until that is *sealed*:
 * signed once for all its members, whose leaves then enter the log's tree.
 * Sealed frames wait in the next group; one group is written at a time, and
 * what arrives meanwhile forms the next one.
 *
 * (1) next_index = tree.size + pending_count.
 * (2) tree.size >= writing_tree.size >= durable.size.
 * (3) The head holds what is placed; the pin `sealed` of the state what is
 * being written; the pin `durable` what is durable. */
#include <assert.h>
#include <string.h>

#include "base/memory.h"
#include "base/msgpack.h"
#include "chain/engine_types.h"
#include "chain/inside.h"
#include "chain/leaves.h"
#include "chain/roots.h"
#include "chain/snapshot.h"
#include "event/batch.h"

enum { BATCH_BYTES_MAX = 4 << 20 }; /* with bodies: then it is sealed */

/* ---- who orders ---- */

bool order_holds(struct chain *c)
{
    term_renew(state_head(&c->core.state), &c->term);
    const struct key_pair *pair = c->deps.order_pair(c->deps.ctx, c->term.id);
    if (pair != NULL)
        c->ordered_by = pair;
    return pair != NULL;
}

int order_refuse(const struct chain *c, const char *what, struct err *err)
{
    struct term term;
    term_get(state_head(&c->core.state), &term);
    return err_set(err, ATE_EUNAVAILABLE,
                   "%s: this node does not hold the chain's order key (term "
                   "%llu), so it cannot order writes",
                   what, (unsigned long long)term.number);
}

/* ---- pending transactions ---- */

static void pending_deinit(struct pending *p)
{
    buf_deinit(&p->tx_header);
    buf_deinit(&p->events);
    mem_free(p->event_lengths);
    buf_deinit(&p->inlined);
    buf_deinit(&p->bodies);
    buf_deinit(&p->read_set);
    buf_deinit(&p->result);
    mem_free(p->sigs);
    mem_free(p->signatures);
}

/* Lay out one body as docs/format.md section 4 has it. */
static void put_body(struct pending *p, const struct trial_event *e)
{
    switch (body_home_of(&e->header)) {
    case BODY_INLINE:
        buf_put_bytes(&p->inlined, e->body);
        return;
    case BODY_FILE:
        buf_put_bytes(&p->bodies, e->body);
        buf_pad(&p->bodies, 8);
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

static void put_events(struct pending *p, const struct trial *t)
{
    p->event_count = t->count;
    p->event_lengths = mem_alloc(t->count * sizeof(*p->event_lengths));
    for (size_t i = 0; i < t->count; i++) {
        const struct trial_event *e = t->events[i];
        p->event_lengths[i] = e->raw.len;
        buf_put_bytes(&p->events, e->raw);
        put_body(p, e);
    }
}

static void put_tx_header(struct chain *c, struct pending *p,
                          const struct placing *placing)
{
    const struct trial *t = placing->trial;
    uint8_t event_root[HASH_SIZE];
    uint8_t seen_root[HASH_SIZE];
    uint8_t(*ids)[HASH_SIZE] = mem_alloc(t->count * sizeof(*ids));
    for (size_t i = 0; i < t->count; i++)
        memcpy(ids[i], t->events[i]->id, HASH_SIZE);
    merkle_root_of_ids(ids, t->count, event_root);
    mem_free(ids);
    merkle_root(&c->durable, seen_root);
    struct tx_header header = {
        .author = placing->author->id,
        .first_sequence = t->first_sequence,
        .count = t->count,
        .event_root = event_root,
        .seen_size = c->durable.size,
        .seen_root = c->durable.size > 0 ? seen_root : NULL,
        .call = placing->call,
    };
    tx_header_put(&p->tx_header, &header);
    tx_id(c->core.genesis.suite, c->core.id, buf_bytes(&p->tx_header),
          p->tx_id);
}

/* Others sign the transaction's id, each for itself. */
static void put_signers(struct chain *c, struct pending *p,
                        const struct placing *placing)
{
    size_t count = placing->signer_count;
    if (count == 0)
        return;
    p->sigs = mem_alloc(count * sizeof(*p->sigs));
    p->signatures = mem_alloc(count * sizeof(*p->signatures));
    p->sig_count = 0;
    for (size_t i = 0; i < count; i++) {
        const struct signer *s = &placing->signers[i];
        if (s->is_absent)
            continue;
        size_t k = p->sig_count++;
        further_sig_make(s->pair, c->core.id, s->purpose, p->tx_id,
                         p->signatures[k]);
        p->sigs[k] = (struct further_sig){
            .key_id = s->pair->id,
            .purpose = s->purpose,
            .signature = p->signatures[k],
        };
    }
    bool distinct = sigs_sort(p->sigs, p->sig_count);
    assert(distinct);
}

static void put_member(struct buf *payload, const struct pending *p);

static void fill_pending(struct chain *c, struct pending *p,
                         const struct placing *placing)
{
    put_tx_header(c, p, placing);
    put_signers(c, p, placing);
    put_events(p, placing->trial);
    buf_put_bytes(&p->read_set, placing->read_set);
    buf_put_bytes(&p->result, placing->result);
    memcpy(p->verdict, placing->trial->verdict, HASH_SIZE);
}

void order_propose(struct chain *c, struct placing *placing, struct buf *out)
{
    struct pending p = {0};
    struct buf payload = {0};
    uint8_t signature[SIGN_SIZE];
    fill_pending(c, &p, placing);
    batch_sign(placing->author, c->core.id,
               (const uint8_t(*)[TX_ID_SIZE])p.tx_id, 1, signature);
    batch_put(&payload, placing->author->id, signature, 1);
    put_member(&payload, &p);
    mp_put_array(out, 3);
    mp_put_bin(out, buf_bytes(&payload));
    mp_put_bin(out, buf_bytes(&p.inlined));
    mp_put_bin(out, buf_bytes(&p.bodies));
    memcpy(placing->tx_id, p.tx_id, TX_ID_SIZE);
    buf_deinit(&payload);
    pending_deinit(&p);
}

/* Close the open batch: it was sealed, or falls. */
static void drop_pending(struct chain *c)
{
    for (size_t i = 0; i < c->pending_count; i++)
        pending_deinit(&c->pending[i]);
    c->pending_count = 0;
    c->pending_bytes = 0;
    c->batch_author = NULL;
}

static size_t pending_size(const struct pending *p)
{
    return p->tx_header.len + p->events.len + p->read_set.len + p->result.len +
           p->inlined.len + p->bodies.len + 9 * p->event_count + 256;
}

void order_place(struct chain *c, struct placing *placing)
{
    assert(placing->trial->index == c->next_index);
    bool other =
        c->batch_author != NULL &&
        memcmp(c->batch_author->id, placing->author->id, KEY_ID_SIZE) != 0;
    if (other || c->pending_count == LIMIT_BATCH_TXS ||
        c->pending_bytes >= BATCH_BYTES_MAX)
        order_seal(c);
    c->batch_author = placing->author;
    c->pending = mem_array_grow(c->pending, c->pending_count, &c->pending_cap,
                                sizeof(*c->pending));
    struct pending *p = &c->pending[c->pending_count++];
    *p = (struct pending){0};
    fill_pending(c, p, placing);
    memcpy(placing->tx_id, p->tx_id, TX_ID_SIZE);
    c->pending_bytes += pending_size(p);
    c->waiting_bytes += pending_size(p);
    chain_placed(c, placing->trial);
}

/* ---- sealing ---- */

static void put_member(struct buf *payload, const struct pending *p)
{
    struct bytes *events = mem_alloc(p->event_count * sizeof(*events));
    size_t at = 0;
    for (size_t i = 0; i < p->event_count; i++) {
        events[i] = bytes_of(p->events.data + at, p->event_lengths[i]);
        at += p->event_lengths[i];
    }
    struct batch_part part = {
        .tx_header = buf_bytes(&p->tx_header),
        .sigs = p->sigs,
        .sig_count = p->sig_count,
        .events = events,
        .event_count = p->event_count,
        .read_set = buf_bytes(&p->read_set),
        .result = buf_bytes(&p->result),
        .verdict = p->verdict,
    };
    batch_put_member(payload, &part);
    mem_free(events);
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

static void put_pending_leaf(struct chain *c, const struct pending *p,
                             const uint8_t signature[SIGN_SIZE])
{
    struct buf raw = {0};
    sigs_put(&raw, p->sigs, p->sig_count);
    struct sigs further = {buf_bytes(&raw), (uint32_t)p->sig_count};
    order_put_leaf(c, p->tx_id, signature, &further, p->verdict);
    buf_deinit(&raw);
}

static struct sealed *new_sealed(struct chain *c, uint32_t count)
{
    c->sealed = mem_array_grow(c->sealed, c->sealed_count, &c->sealed_cap,
                               sizeof(*c->sealed));
    struct sealed *s = &c->sealed[c->sealed_count++];
    *s = (struct sealed){.count = count};
    return s;
}

void order_seal(struct chain *c)
{
    if (c->pending_count == 0)
        return;
    uint8_t signature[SIGN_SIZE];
    uint8_t(*ids)[TX_ID_SIZE] = mem_alloc(c->pending_count * sizeof(*ids));
    for (size_t i = 0; i < c->pending_count; i++)
        memcpy(ids[i], c->pending[i].tx_id, TX_ID_SIZE);
    batch_sign(c->batch_author, c->core.id, ids, c->pending_count, signature);
    mem_free(ids);

    struct sealed *s = new_sealed(c, (uint32_t)c->pending_count);
    batch_put(&s->payload, c->batch_author->id, signature, c->pending_count);
    for (size_t i = 0; i < c->pending_count; i++) {
        struct pending *p = &c->pending[i];
        put_member(&s->payload, p);
        put_pending_leaf(c, p, signature);
        buf_put_bytes(&s->inlined, buf_bytes(&p->inlined));
        buf_put_bytes(&c->group_bodies, buf_bytes(&p->bodies));
        s->body_len += p->bodies.len;
    }
    drop_pending(c);
    history_add(&c->history, &c->tree);
    assert(c->next_index == c->tree.size);
}

void order_add_signed(struct chain *c, const struct signed_parts *parts,
                      uint32_t count)
{
    assert(c->pending_count == 0 && count > 0);
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

/* ---- heartbeats ---- */

bool order_needs_heartbeat(const struct chain *c, int64_t now)
{
    int64_t time = state_time(state_head(&c->core.state));
    return c->next_index == 1 || rooting_news(c) != NULL ||
           (now > time && now - time >= HEARTBEAT_MS);
}

/* A heartbeat's call id has to differ from any other of the order key: it is
 * made of the chain's size and the log's root, which never come again together.
 */
static void heartbeat_call_id(struct chain *c, uint8_t id[CALL_ID_SIZE])
{
    uint8_t hash[HASH_SIZE];
    merkle_root(&c->tree, hash);
    memcpy(id, hash, CALL_ID_SIZE);
}

static void put_heartbeat_fields(struct chain *c, int64_t time,
                                 struct buf *fields)
{
    uint8_t root[HASH_SIZE];
    merkle_root(&c->tree, root);
    struct heartbeat h = {.time = time,
                          .size = c->tree.size,
                          .root = root,
                          .state = rooting_news(c)};
    heartbeat_put(fields, &h);
}

int order_try_heartbeat(struct chain *c, int64_t now, struct err *err)
{
    assert(c->pending_count == 0);
    struct trial *t = &c->trial;
    struct author author;
    struct term term;
    int64_t last = state_time(state_head(&c->core.state));
    int64_t time = now > last ? now : last;
    term_get(state_head(&c->core.state), &term);
    bool known = state_author(state_head(&c->core.state), term.id, &author);
    assert(known);
    memcpy(c->heartbeat_key, term.id, KEY_ID_SIZE);
    uint8_t call_id[CALL_ID_SIZE];
    heartbeat_call_id(c, call_id);
    memcpy(c->heartbeat_call, call_id, CALL_ID_SIZE);
    t->core = &c->core;
    t->index = c->next_index;
    t->time = time;
    t->author = c->heartbeat_key;
    t->caller = c->heartbeat_key;
    t->call_id = c->heartbeat_call;
    t->first_sequence = author.next_sequence;
    t->sigs = NULL;
    t->sig_count = 0;
    t->replays = false;

    struct buf fields = {0};
    struct buf raw = {0};
    uint8_t id[OBJECT_ID_SIZE];
    put_heartbeat_fields(c, time, &fields);
    fact_id(c->core.id, term.id, call_id, 0, id);
    struct event_header header = {
        .object = id,
        .type = bytes_of_text(TYPE_HEARTBEAT),
        .author = term.id,
        .fields = buf_bytes(&fields),
    };
    event_header_put(&raw, &header);
    trial_begin(t);
    int rc = trial_add(t, buf_bytes(&raw), bytes_of(NULL, 0), err);
    if (rc == 0)
        rc = trial_finish(t, err);
    if (rc == 0)
        trial_keep(t);
    else
        trial_undo(t);
    buf_deinit(&fields);
    buf_deinit(&raw);
    return rc;
}

void order_place_heartbeat(struct chain *c)
{
    struct placing placing = {
        .trial = &c->trial,
        .author = c->deps.order_pair(c->deps.ctx, c->heartbeat_key),
        .call = {.id = c->heartbeat_call,
                 .method = bytes_of_text(TYPE_HEARTBEAT)},
    };
    assert(placing.author != NULL);
    struct heartbeat h;
    int rc = heartbeat_get(c->trial.events[0]->header.fields, &h, NULL);
    assert(rc == 0);
    c->rooting.told |= h.state != NULL;
    order_place(c, &placing);
    order_seal(c);
}

int order_beat(struct chain *c, int64_t now, struct err *err)
{
    order_seal(c);
    int rc = order_try_heartbeat(c, now, err);
    if (rc == 0)
        order_place_heartbeat(c);
    return rc;
}

/* ---- groups ---- */

bool order_is_empty(const struct chain *c)
{
    return c->pending_count == 0 && c->sealed_count == 0;
}

bool order_is_full(const struct chain *c)
{
    return c->sealed_count + c->writing_frames >= WAITING_FRAMES_MAX ||
           c->waiting_bytes >= WAITING_BYTES_MAX;
}

static void drop_sealed(struct chain *c)
{
    for (size_t i = 0; i < c->sealed_count; i++) {
        buf_deinit(&c->sealed[i].payload);
        buf_deinit(&c->sealed[i].inlined);
    }
    c->sealed_count = 0;
}

void order_deinit(struct chain *c)
{
    drop_pending(c);
    mem_free(c->pending);
    c->pending = NULL;
    c->pending_cap = 0;
    drop_sealed(c);
    mem_free(c->sealed);
    c->sealed = NULL;
    c->sealed_cap = 0;
    buf_deinit(&c->group_bodies);
    buf_deinit(&c->writing_bodies);
}

static void told_root(struct chain *c)
{
    if (!c->tells_root)
        return;
    c->tells_root = false;
    chain_rested(c);
}

static void group_done(void *ctx, int code, const struct err *err)
{
    struct chain *c = ctx;
    c->writing = false;
    c->writing_frames = 0;
    buf_clear(&c->writing_bodies);
    if (code != 0) {
        tiles_stop(&c->tiles);
        c->why = *err;
        err_wrap(&c->why, "chain %.*s", (int)c->core.genesis.name.len,
                 (const char *)c->core.genesis.name.data);
        drop_pending(c); /* what stands behind the group falls with it */
        drop_sealed(c);
        touched_drop(c);
        buf_clear(&c->group_bodies);
        c->waiting_bytes = 0;
        snapshot_drop(c);
        switch_failed(c);
        submit_failed(c, &c->why);
        calls_failed(c, &c->why);
        calls_deliver(c);
        submit_deliver(c);
        told_root(c);
        return;
    }
    state_sealed_is_durable(&c->core.state);
    c->durable = c->writing_tree;
    touched_durable(c);
    switch_durable(c);
    tiles_durable(&c->tiles, c->durable.size);
    snapshot_go(c);
    uploads_durable(&c->uploads, c->durable.size);
    calls_durable(c);
    submit_durable(c);
    chain_flush(c);
    told_root(c);
}

static int append_group(struct chain *c, struct err *err)
{
    struct log_entry *entries = mem_alloc(c->sealed_count * sizeof(*entries));
    for (size_t i = 0; i < c->sealed_count; i++) {
        const struct sealed *s = &c->sealed[i];
        entries[i] = (struct log_entry){
            .type = LOG_BATCH,
            .count = s->count,
            .payload = buf_bytes(&s->payload),
            .inlined = buf_bytes(&s->inlined),
            .body_len = s->body_len,
        };
    }
    struct buf bodies = c->writing_bodies;
    c->writing_bodies = c->group_bodies;
    c->group_bodies = bodies;
    struct log_group group = {
        .entries = entries,
        .count = c->sealed_count,
        .bodies = buf_bytes(&c->writing_bodies),
    };
    int rc = log_append(&c->log, &group, group_done, c, err);
    mem_free(entries);
    return rc;
}

void chain_flush(struct chain *c)
{
    if (c->why.code == 0)
        submit_advance(c);
    switch_step(c);
    calls_deliver(c);
    submit_deliver(c);
    if (c->writing || order_is_empty(c) || c->why.code != 0)
        return;
    order_seal(c);
    state_seal(&c->core.state);
    touched_seal(c);
    snapshot_pin(c);
    c->writing = true;
    c->writing_frames = c->sealed_count;
    c->waiting_bytes = 0;
    c->writing_tree = c->tree;
    queue_move(&c->flying, &c->placed);
    struct err err;
    int rc = append_group(c, &err);
    drop_sealed(c);
    if (rc != 0)
        group_done(c, rc, &err);
}
