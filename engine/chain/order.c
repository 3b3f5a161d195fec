/* Order: who orders, heartbeats, and groups that are written.
 *
 * A transaction is *placed* when its trial was kept: it has its index, and the
 * head has its effects. It waits in a batch until that is *sealed* (sealing.c):
 * signed once for all its members, whose leaves then enter the log's tree.
 * Sealed frames wait in the next group; one group is written at a time, and
 * what arrives meanwhile forms the next one.
 *
 * (1) tree.size >= writing_tree.size >= durable.size.
 * (2) The head holds what is placed; the pin `sealed` of the state what is
 * being written; the pin `durable` what is durable. */
#include <assert.h>
#include <string.h>

#include "acceptance/engine_types.h"
#include "base/memory.h"
#include "base/msgpack.h"
#include "chain/inside.h"
#include "chain/leaves.h"
#include "chain/snapshot.h"
#include "event/batch.h"
#include "state/roots.h"

/* ---- who orders ---- */

const struct term *order_term(struct chain *c)
{
    uint64_t stamp = state_stamp(&c->core.state);
    if (c->term_stamp != stamp)
        term_get(state_head(&c->core.state), &c->term);
    c->term_stamp = stamp;
    return &c->term;
}

bool order_holds(struct chain *c)
{
    const struct key_pair *pair =
        c->deps.order_pair(c->deps.ctx, order_term(c)->id);
    if (pair != NULL)
        c->ordered_by = pair;
    return pair != NULL;
}

int order_refuse(const struct chain *c, const char *what, struct err *err)
{
    struct term term;
    term_get(state_head(&c->core.state), &term);
    err_set(err, ATE_EUNAVAILABLE,
            "%s: this node does not hold the chain's order key (term %llu), so "
            "it cannot order writes",
            what, (unsigned long long)term.number);
    return err_reason(err, "no_order_key");
}

/* ---- heartbeats ---- */

/* By how many ms the clock is not believed. */
static int64_t doubt(const struct chain *c)
{
    return c->deps.doubt != NULL ? c->deps.doubt(c->deps.ctx) : 0;
}

/* What a heartbeat says stays so: nobody can take a time back. */
static int check_clock(const struct chain *c, struct err *err)
{
    int64_t ahead_ms = doubt(c);
    if (ahead_ms == 0)
        return 0;
    return err_set(err, ATE_EUNAVAILABLE,
                   "the clock of this node went ahead by %lld s at once, and "
                   "what the log says of time can't be taken back: set it "
                   "right or, if it is right now, start the node again",
                   (long long)(ahead_ms / 1000));
}

bool order_needs_heartbeat(struct chain *c, int64_t now)
{
    int64_t time = state_head_time(&c->core.state);
    return c->next_index == 1 || rooting_news(c) != NULL || doubt(c) > 0 ||
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

/* Judge it and apply it to the state; it is left in c->trial. */
static int try_heartbeat(struct chain *c, int64_t now, struct err *err)
{
    assert(c->batch_count == 0);
    if (check_clock(c, err) != 0)
        return err->code;
    struct trial *t = &c->trial;
    struct author author;
    struct term term;
    int64_t last = state_head_time(&c->core.state);
    int64_t time = now > last ? now : last;
    term_get(state_head(&c->core.state), &term);
    bool known = state_author(state_head(&c->core.state), term.id, &author);
    assert(known);
    memcpy(c->heartbeat_key, term.id, KEY_ID_SIZE);
    heartbeat_call_id(c, c->heartbeat_call);
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
    put_heartbeat_fields(c, time, &fields);
    trial_begin(t);
    int rc = trial_add_own(t, TYPE_HEARTBEAT, buf_bytes(&fields), NULL,
                           bytes_of(NULL, 0), err);
    if (rc == 0)
        rc = trial_finish(t, err);
    if (rc == 0)
        trial_keep(t);
    else
        trial_undo(t);
    buf_deinit(&fields);
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
    int rc = try_heartbeat(c, now, err);
    if (rc == 0)
        order_place_heartbeat(c);
    return rc;
}

int order_open_place(struct chain *c, int64_t now, bool *beats,
                     struct tree_mark *mark, struct err *err)
{
    struct tree *tree = c->core.state.tree;
    rooting_note(c);
    if (*beats && rooting_is_near(c)) {
        *beats = false;
        int rc = order_beat(c, now, err);
        if (rc != 0)
            return rc;
        rooting_note(c);
    }
    if (*beats)
        order_seal(c);
    *mark = tree_mark(tree);
    int rc = *beats ? try_heartbeat(c, now, err) : 0;
    if (rc != 0)
        tree_undo(tree, *mark);
    return rc;
}

/* ---- groups ---- */

bool order_is_empty(const struct chain *c)
{
    return c->batch_count == 0 && c->sealed_count == 0;
}

bool order_is_full(const struct chain *c)
{
    return c->batch_count + c->sealed_count + c->writing_frames >=
               WAITING_FRAMES_MAX ||
           c->waiting_bytes >= WAITING_BYTES_MAX;
}

void order_deinit(struct chain *c)
{
    sealing_deinit(c);
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
    generation_next(c->deps.generation);
    if (code != 0) {
        tiles_stop(&c->tiles);
        c->why = *err;
        err_wrap(&c->why, "chain %.*s", (int)c->core.genesis.name.len,
                 (const char *)c->core.genesis.name.data);
        order_drop_unwritten(c); /* what stands behind falls with it */
        touched_drop(c);
        snapshot_drop(c);
        switch_failed(c);
        submit_failed(c, &c->why);
        calls_failed(c, &c->why);
        chain_deliver(c);
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
    queue_move(&c->landed, &c->flying);
    calls_release(c);
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

/* What waits becomes the next group. */
static void write_group(struct chain *c)
{
    struct err err;
    order_seal(c);
    state_seal(&c->core.state);
    touched_seal(c);
    snapshot_pin(c);
    c->writing = true;
    c->writing_frames = c->sealed_count;
    c->waiting_bytes = 0;
    c->writing_tree = c->tree;
    queue_move(&c->flying, &c->placed);
    int rc = append_group(c, &err);
    order_drop_sealed(c);
    if (rc != 0)
        group_done(c, rc, &err);
}

/* Whoever is told is told while the disk has the next group. */
void chain_flush(struct chain *c)
{
    if (c->why.code == 0)
        submit_advance(c);
    switch_step(c);
    bool writes = !c->writing && !order_is_empty(c) && c->why.code == 0;
    if (writes)
        write_group(c);
    calls_land(c);
    if (writes && c->flying.first != NULL)
        checkpoint_ahead(c);
    chain_deliver(c);
    submit_deliver(c);
}
