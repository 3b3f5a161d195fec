/* Batches that were signed elsewhere, on their way into the log.
 *
 * (1) A batch is filtered when it arrives, by what the head says then: that
 *     keeps junk from the pool and proves nothing. It is judged when it takes
 *     its place.
 * (2) Batches take their places in the order in which they arrived, so that
 *     those of one author keep their sequences; one whose signatures are being
 *     checked holds up those behind it.
 * (3) A batch that activates a bundle is that one transaction. Its place waits
 *     for the switch (switch.c), and those behind it do; so what can be said
 *     against it is said before the log is tried.
 * (4) A refused member leaves its id in the frame, for the signature covers all
 *     ids; a batch of which nothing is accepted leaves nothing.
 * (5) What a member had read is compared when the rest of it was judged: who
 *     has no right to write makes nobody walk. One that was refused, perhaps
 *     because of what came meanwhile, is STALE if little has to be walked to
 *     know; else the refusal stands. What a batch may make this node walk is
 *     counted, for the engine's thread does nothing else meanwhile. */
#include <assert.h>
#include <string.h>

#include "base/memory.h"
#include "base/msgpack.h"
#include "chain/authority.h"
#include "chain/bundle_events.h"
#include "chain/delegation.h"
#include "chain/logic.h"
#include "chain/member.h"
#include "chain/reads.h"
#include "event/receipt.h"

enum { REFUSED_READS = 4096 }; /* invariant (5): what is little */

enum submit_step {
    SUBMIT_CHECKING, /* by the pool */
    SUBMIT_CHECKED,
    SUBMIT_SWITCHING,  /* to the bundle that it activates */
    SUBMIT_PLACED,     /* until the log is durable up to wait_size */
    SUBMIT_LOOKING_UP, /* what is in the log already */
    SUBMIT_READY,      /* to be told */
};

/* A member as it was read once. */
struct submit_member {
    struct batch_member m;
    struct batch_event *events; /* NULL when it is a refused one */
};

/* One further signature to be checked. */
struct further_check {
    struct further_sig sig;
    struct key_record record;
    const uint8_t *tx_id;
};

struct submit_state {
    struct task task;
    struct chain *chain;
    struct chain_submit *submit;
    struct submit_state *next;
    enum submit_step step;
    uint64_t wait_size;
    size_t looking_up;
    struct trial trial;
    uint64_t reads_left;         /* of what its read sets may stand for, */
    uint64_t refused_reads_left; /* and of members that were refused */
    bool activates;              /* invariant (3) */
    uint64_t next_sequence;      /* its author's, when it arrived */
    struct body_walk walk;       /* over the bodies that its events say */
    struct submit_member *members;
    struct scratch decoded; /* their events */

    /* For the pool, which reads nothing else: the chain goes on meanwhile, and
     * its core may change places with another. */
    struct key_record author;
    uint8_t chain_id[CHAIN_ID_SIZE];
    uint8_t author_id[KEY_ID_SIZE];
    uint8_t signature[SIGN_SIZE];
    uint8_t (*ids)[TX_ID_SIZE];
    size_t count;
    struct further_check *further;
    size_t further_count;
    size_t further_cap;
    bool good;
};

/* ---- results ---- */

void chain_submit_deinit(struct chain_submit *submit)
{
    for (size_t i = 0; i < submit->count; i++) {
        mem_free(submit->results[i].err);
        buf_deinit(&submit->results[i].receipt);
    }
    mem_free(submit->results);
    submit->results = NULL;
    submit->count = 0;
}

static void refuse(struct submit_result *r, const struct err *err)
{
    r->code = err->code;
    r->err = mem_copy(err, sizeof(*err));
}

/* ---- filtering ---- */

static int filter_delegation(struct chain *c, const uint8_t *auth_ref,
                             struct err *err)
{
    if (auth_ref == NULL)
        return 0;
    struct place_in_log now = {
        .v = state_head(&c->core.state),
        .index = c->next_index,
        .time = state_time(state_head(&c->core.state)),
    };
    struct delegation d;
    return delegation_in_force(&now, auth_ref, &d, err);
}

static int filter_delegations(struct chain *c, const struct submit_member *m,
                              struct err *err)
{
    int rc = 0;
    for (uint32_t i = 0; rc == 0 && i < m->m.event_count; i++)
        rc = filter_delegation(c, m->events[i].header.auth_ref, err);
    return rc;
}

/* For what it does it is judged at its place: what that is about may come to be
 * until then. Who calls for himself needs nobody's word. */
static int filter_caller(struct chain *c, const struct batch_member *m,
                         struct err *err)
{
    const struct tx_header *tx = &m->tx;
    struct further_sig list[LIMIT_TX_SIGNATURES];
    if (tx->call.caller == NULL)
        return 0;
    struct trial t = {
        .core = &c->core,
        .index = c->next_index,
        .time = state_time(state_head(&c->core.state)),
        .author = tx->author,
        .caller = tx->call.caller,
        .sigs = list,
        .sig_count = sigs_list(&m->sigs, list),
    };
    return authority_check_caller(&t, NULL, err);
}

static int filter_sequence(const struct submit_state *s,
                           const struct batch_member *m, struct err *err)
{
    if (m->tx.first_sequence >= s->next_sequence)
        return 0;
    return err_set(err, ATE_ECONFLICT,
                   "the author's sequence is at %llu already",
                   (unsigned long long)s->next_sequence);
}

static int filter_standing(struct submit_state *s,
                           const struct submit_member *m, struct err *err)
{
    struct chain *c = s->chain;
    struct call_entry entry;
    int rc = filter_sequence(s, &m->m, err);
    if (rc == 0)
        rc = filter_caller(c, &m->m, err);
    if (rc == 0)
        rc = filter_delegations(c, m, err);
    /* One whose call id is known may be a resend: then its sequence is used,
     * what it rested on may have ended, and none of that matters. */
    if (rc != 0 &&
        state_call(state_head(&c->core.state), m->m.tx.call.id, &entry))
        return 0;
    return rc;
}

static int take_sigs(struct submit_state *s, const struct batch_member *m,
                     const uint8_t *id, struct err *err)
{
    struct further_sig list[LIMIT_TX_SIGNATURES];
    struct key_record records[LIMIT_TX_SIGNATURES];
    size_t count = sigs_list(&m->sigs, list);
    if (s->further_count + count > LIMIT_BATCH_SIGNATURES)
        return err_set(err, ATE_ELIMIT,
                       "the further signatures of a batch are at most %d; make "
                       "several batches of it",
                       LIMIT_BATCH_SIGNATURES);
    int rc = member_find_keys(s->chain, m, list, count, records, err);
    for (size_t i = 0; rc == 0 && i < count; i++) {
        s->further = mem_array_grow(s->further, s->further_count,
                                    &s->further_cap, sizeof(*s->further));
        s->further[s->further_count++] = (struct further_check){
            .sig = list[i],
            .record = records[i],
            .tx_id = id,
        };
    }
    return rc;
}

static void skip_bodies(const struct submit_member *m, struct body_walk *walk)
{
    for (uint32_t i = 0; i < m->m.event_count; i++)
        if (m->events[i].header.body_length > 0)
            body_walk_next(walk, &m->events[i].header);
}

/* The regions are filled exactly, before anything is placed. */
static int check_bodies_fit(const struct submit_state *s, struct err *err)
{
    const struct signed_parts *parts = &s->submit->parts;
    if (s->walk.inline_at == parts->inlined.len &&
        s->walk.file_at == parts->bodies.len)
        return 0;
    return err_set(err, ATE_EINVALID,
                   "submit: its bodies are %zu and %zu bytes, its events say "
                   "%llu and %llu",
                   parts->inlined.len, parts->bodies.len,
                   (unsigned long long)s->walk.inline_at,
                   (unsigned long long)s->walk.file_at);
}

/* What its bytes say, whatever the state is. */
static int read_member(struct submit_state *s, struct submit_member *m,
                       const uint8_t *id, struct err *err)
{
    struct chain *c = s->chain;
    if (member_is_heartbeat(&m->m))
        return err_set(err, ATE_EDENIED, "heartbeats are made here alone");
    int rc = member_decode(&c->core, &m->m, &s->decoded, &m->events, err);
    if (rc == 0)
        rc = batch_member_check(&m->m, m->events, err);
    if (rc != 0)
        return rc;
    s->activates |= member_activation(&m->m, m->events) != NULL;
    if (s->activates && s->submit->count > 1)
        return err_set(err, ATE_EINVALID,
                       TYPE_ACTIVATE ": is alone in its batch");
    skip_bodies(m, &s->walk);
    return take_sigs(s, &m->m, id, err);
}

/* What is wrong with its bytes refuses the whole batch; what is wrong with its
 * standing, this member. */
static int filter_member(struct submit_state *s,
                         const struct batch_member *read, struct err *err)
{
    struct chain *c = s->chain;
    struct submit_member *m = &s->members[s->count];
    struct submit_result *r = &s->submit->results[s->count];
    uint8_t *id = s->ids[s->count++];
    struct err why;
    m->m = *read;
    batch_member_id(&m->m, c->core.genesis.suite, c->core.id, id);
    if (m->m.refused) {
        err_set(&why, ATE_EDENIED, "nothing but its id is here");
        refuse(r, &why);
        return 0;
    }
    memcpy(r->tx_id, id, TX_ID_SIZE);
    int rc = read_member(s, m, id, err);
    if (rc == 0 && filter_standing(s, m, &why) != 0)
        refuse(r, &why);
    return rc;
}

static uint64_t next_sequence_of(const struct chain *c, const uint8_t *author)
{
    struct author known;
    bool there = state_author(state_head(&c->core.state), author, &known);
    return there ? known.next_sequence : 0;
}

static int filter(struct submit_state *s, struct err *err)
{
    struct chain_submit *submit = s->submit;
    struct batch_reader r;
    struct batch_member m;
    struct bytes payload = submit->parts.payload;
    if (payload.len > LIMIT_FRAME_PAYLOAD / 2)
        return err_set(err, ATE_ELIMIT, "a batch has at most %d bytes",
                       LIMIT_FRAME_PAYLOAD / 2);
    if (submit->parts.bodies.len > LIMIT_TX_BODIES ||
        submit->parts.inlined.len > LIMIT_FRAME_PAYLOAD / 2)
        return err_set(err, ATE_ELIMIT,
                       "the bodies of a batch have at most %d bytes",
                       LIMIT_TX_BODIES);
    int rc = batch_open(&r, payload, err);
    if (rc == 0)
        rc = member_author(s->chain, payload, r.author, &s->author, err);
    if (rc != 0)
        return rc;
    s->next_sequence = next_sequence_of(s->chain, r.author);
    memcpy(s->author_id, r.author, KEY_ID_SIZE);
    memcpy(s->chain_id, s->chain->core.id, CHAIN_ID_SIZE);
    memcpy(s->signature, r.signature, SIGN_SIZE);
    s->ids = mem_zero(r.count, sizeof(*s->ids));
    s->members = mem_zero(r.count, sizeof(*s->members));
    submit->results = mem_zero(r.count, sizeof(*submit->results));
    submit->count = r.count;
    while ((rc = batch_next(&r, &m, err)) == 1) {
        rc = filter_member(s, &m, err);
        if (rc != 0)
            return err_wrap(err, "member %zu", s->count - 1);
    }
    return rc == 0 ? check_bodies_fit(s, err) : rc;
}

/* ---- signatures ---- */

static void check_signatures(struct task *task)
{
    struct submit_state *s = (struct submit_state *)task;
    s->good = batch_signature_verify(&s->author, s->chain_id,
                                     (const uint8_t(*)[TX_ID_SIZE])s->ids,
                                     s->count, s->signature);
    for (size_t i = 0; i < s->further_count && s->good; i++)
        s->good = further_sig_verify(&s->further[i].sig, &s->further[i].record,
                                     s->chain_id, s->further[i].tx_id);
}

static void end(struct submit_state *s, int code, const struct err *err)
{
    s->submit->code = code;
    if (code != 0)
        s->submit->err = *err;
    s->step = SUBMIT_READY;
}

static void take_checked(struct submit_state *s)
{
    struct chain *c = s->chain;
    struct err err;
    s->step = SUBMIT_CHECKED;
    if (c->why.code != 0)
        end(s, c->why.code, &c->why);
    else if (!s->good)
        end(s,
            err_set(&err, ATE_ECORRUPT,
                    "submit: a signature of the batch is not good"),
            &err);
}

static void checked(struct task *task)
{
    struct submit_state *s = (struct submit_state *)task;
    take_checked(s);
    chain_flush(s->chain);
}

/* ---- placing ---- */

/* The frame that is put together of what is accepted. */
struct frame_parts {
    struct buf payload;
    struct buf inlined;
    struct buf bodies;
    uint32_t accepted;
};

static void copy_range(struct buf *to, struct bytes all, uint64_t from,
                       uint64_t end)
{
    if (end > from)
        buf_put(to, all.data + from, end - from);
}

static void copy_bodies(struct frame_parts *f, const struct member_bodies *b,
                        const struct body_walk *from)
{
    copy_range(&f->inlined, b->inlined, from->inline_at, b->walk.inline_at);
    copy_range(&f->bodies, b->file, from->file_at, b->walk.file_at);
}

static void copy_member(struct frame_parts *f, const struct batch_member *m,
                        const uint8_t *verdict)
{
    struct further_sig sigs[LIMIT_TX_SIGNATURES];
    size_t count = sigs_list(&m->sigs, sigs);
    batch_copy_member(&f->payload, m, sigs, count, verdict);
}

/* What a method of this chain can have read for its gas, but not little. */
static uint64_t reads_max(const struct chain *c)
{
    uint64_t paid = core_limits(&c->core).gas / LIMIT_READ_GAS;
    return paid > LIMIT_BATCH_READS ? paid : LIMIT_BATCH_READS;
}

/* Could it have been accepted if something else stood there? */
static bool may_be_stale(int code)
{
    return code == 0 || code == ATE_EREFUSED || code == ATE_ECONFLICT ||
           code == ATE_ENOT_FOUND;
}

/* Invariant (5). */
static int check_reads(struct submit_state *s, const struct batch_member *m,
                       struct tree_version before, int judged, struct err *err)
{
    struct err why;
    uint64_t *left = judged == 0 ? &s->reads_left : &s->refused_reads_left;
    if (m->read_set.data == NULL || !may_be_stale(judged))
        return judged;
    int rc = reads_check(m->read_set, before, left, &why);
    if (rc == 0 || (judged != 0 && rc != ATE_ESTALE))
        return judged;
    *err = why;
    if (rc == ATE_ESTALE)
        err_wrap(err, "what it had read was changed meanwhile; run it again");
    if (rc == ATE_ELIMIT)
        return err_set(err, rc,
                       "what the transactions of a batch had read is looked at "
                       "again up to %llu entries; make several batches of it, "
                       "or read less",
                       (unsigned long long)reads_max(s->chain));
    return rc;
}

/* With its heartbeat, if it needs one. */
static int judge(struct submit_state *s, const struct submit_member *m,
                 struct member_sigs *sigs, struct member_bodies *b, bool beats,
                 struct err *err)
{
    struct chain *c = s->chain;
    int rc = 0;
    if (beats)
        rc = order_try_heartbeat(c, c->deps.now(c->deps.ctx), err);
    if (rc != 0)
        return rc;
    struct tree_version before = state_head(&c->core.state);
    rc = member_judge(c, &s->trial, c->next_index + beats, &m->m, m->events,
                      sigs, b, false, err);
    if (rc != 0) /* it was undone */
        before = state_head(&c->core.state);
    rc = check_reads(s, &m->m, before, rc, err);
    return rc == 0 ? chain_has_bodies(c, &s->trial, err) : rc;
}

static int try_member(struct submit_state *s, const struct submit_member *m,
                      struct member_bodies *b, struct submit_result *r,
                      struct frame_parts *f, struct err *err)
{
    struct chain *c = s->chain;
    struct member_sigs sigs;
    bool orders = order_holds(c);
    int64_t now = c->deps.now(c->deps.ctx);
    bool beats = orders && f->accepted == 0 && !switch_is_made(c) &&
                 order_needs_heartbeat(c, now);
    rooting_note(c);
    if (beats && rooting_is_near(c)) {
        beats = false;
        int rc = order_beat(c, now, err);
        if (rc != 0)
            return rc;
        rooting_note(c);
    }
    struct tree_mark mark = tree_mark(c->core.state.tree);
    int rc = judge(s, m, &sigs, b, beats, err);
    if (rc == 0 && !orders && !order_holds(c))
        rc = order_refuse(c, "submit", err);
    if (rc != 0) {
        trial_undo(&s->trial);
        tree_undo(c->core.state.tree, mark);
        return rc;
    }
    member_keep(&c->core, &s->trial, &m->m);
    tree_keep(c->core.state.tree, mark);
    if (beats)
        order_place_heartbeat(c);
    r->index = c->next_index;
    chain_placed(c, &s->trial);
    order_put_leaf(c, r->tx_id, s->signature, &m->m.sigs, s->trial.verdict);
    f->accepted++;
    return 0;
}

/* The call of a transaction that is in the log, perhaps the same one. */
static bool is_known(struct submit_state *s, const struct batch_member *m,
                     struct submit_result *r)
{
    struct call_entry entry;
    r->known =
        state_call(state_head(&s->chain->core.state), m->tx.call.id, &entry);
    if (!r->known)
        return false;
    r->index = entry.index;
    return true;
}

static void place_member(struct submit_state *s, size_t i,
                         struct member_bodies *b, struct frame_parts *f)
{
    const struct submit_member *m = &s->members[i];
    struct submit_result *r = &s->submit->results[i];
    struct body_walk from = b->walk;
    struct err why = {0};
    if (r->code == 0 && try_member(s, m, b, r, f, &why) == 0) {
        copy_bodies(f, b, &from);
        copy_member(f, &m->m, s->trial.verdict);
    } else {
        if (r->code == 0 && !is_known(s, &m->m, r))
            refuse(r, &why);
        batch_put_refused(&f->payload, s->ids[i]);
        b->walk = from;
        skip_bodies(m, &b->walk); /* those that it brought */
    }
    if (r->code == 0 && s->wait_size <= r->index)
        s->wait_size = r->index + 1;
}

static void place(struct submit_state *s, struct frame_parts *f)
{
    struct member_bodies b = {
        .inlined = s->submit->parts.inlined,
        .file = s->submit->parts.bodies,
    };
    s->reads_left = reads_max(s->chain);
    s->refused_reads_left = REFUSED_READS;
    order_seal(s->chain);
    batch_put(&f->payload, s->author_id, s->signature, s->count);
    for (size_t i = 0; i < s->count; i++)
        place_member(s, i, &b, f);
}

static void look_up(struct submit_state *s);

static void take_places(struct submit_state *s)
{
    struct frame_parts f = {0};
    place(s, &f);
    if (f.accepted > 0) {
        struct signed_parts parts = {
            buf_bytes(&f.payload),
            buf_bytes(&f.inlined),
            buf_bytes(&f.bodies),
        };
        order_add_signed(s->chain, &parts, f.accepted);
    }
    buf_deinit(&f.payload);
    buf_deinit(&f.inlined);
    buf_deinit(&f.bodies);
}

static bool has_to_become_durable(const struct submit_state *s)
{
    return s->wait_size > s->chain->durable.size;
}

static void settle(struct submit_state *s)
{
    if (has_to_become_durable(s))
        s->step = SUBMIT_PLACED;
    else
        look_up(s);
}

static void place_all(struct submit_state *s)
{
    take_places(s);
    settle(s);
}

/* ---- activations ---- */

/* What its place will ask of it, as far as the head can tell now. */
static int check_activation(struct submit_state *s,
                            const struct submit_member *m, struct err *err)
{
    struct chain *c = s->chain;
    struct member_sigs sigs;
    struct activate_fields f;
    struct trial *t = &s->trial;
    if (!order_holds(c))
        return order_refuse(c, "submit", err);
    int rc = activate_fields_get(
        member_activation(&m->m, m->events)->header.fields, &f, err);
    if (rc != 0)
        return rc;
    t->core = &c->core;
    member_begin(t, c->next_index, &m->m, &sigs, false);
    rc = activation_allowed(t, f.bundle, err);
    trial_undo(t);
    return rc;
}

/* Whoever is told is told of the core that stays. */
static void switch_ready(void *ctx, int code, const struct err *why)
{
    struct submit_state *s = ctx;
    struct chain *c = s->chain;
    bool fails = c->why.code != 0;
    if (code != 0)
        refuse(&s->submit->results[0], why);
    if (!fails)
        take_places(s);
    bool placed = !fails && has_to_become_durable(s);
    if (code == 0)
        switch_end(c, placed);
    if (fails)
        end(s, c->why.code, &c->why);
    else
        settle(s);
    if (!placed)
        calls_release(c); /* those that were held back */
    chain_flush(c);
}

/* True: it has its place, or was refused. Else it may be gone already. */
static bool place_activation(struct submit_state *s)
{
    struct chain *c = s->chain;
    struct submit_result *r = &s->submit->results[0];
    const struct submit_member *m = &s->members[0];
    const uint8_t *bundle = m->m.tx.call.bundle;
    struct err err;
    bool is_stale = bundle == NULL || memcmp(bundle, c->core.bundle_hash,
                                             HASH_SIZE) != 0; /* it is told */
    if (r->code == 0 && !is_stale && !is_known(s, &m->m, r) &&
        check_activation(s, m, &err) != 0)
        refuse(r, &err);
    if (r->code != 0 || is_stale || r->known) {
        place_all(s);
        return true;
    }
    if (c->switching != NULL || switch_must_wait(c))
        return false; /* comes by again */
    s->step = SUBMIT_SWITCHING;
    switch_prepare(c, true, switch_ready, s);
    return false;
}

/* ---- telling ---- */

/* A call id that was used: by this transaction, or by another? */
static void found(void *ctx, uint64_t index, const struct batch_member *m,
                  int code, const struct err *why)
{
    struct submit_state *s = ctx;
    uint8_t id[TX_ID_SIZE];
    if (code == 0 && m != NULL)
        batch_member_id(m, s->chain->core.genesis.suite, s->chain->core.id, id);
    for (size_t i = 0; i < s->submit->count; i++) {
        struct submit_result *r = &s->submit->results[i];
        struct err err;
        if (!r->known || r->index != index || r->code != 0)
            continue;
        if (code == 0 && m != NULL && memcmp(id, r->tx_id, TX_ID_SIZE) == 0)
            continue;
        if (code != 0)
            err = *why;
        else
            err_set(&err, ATE_ECONFLICT,
                    "its call id was used by transaction %llu",
                    (unsigned long long)index);
        refuse(r, &err);
    }
}

static void give_receipt(struct submit_result *r, struct bytes checkpoint)
{
    struct receipt receipt = {
        .index = r->index,
        .tx_id = r->tx_id,
        .checkpoint = checkpoint,
    };
    receipt_put(&r->receipt, &receipt);
}

static void give_receipts(struct submit_state *s)
{
    struct bytes checkpoint;
    struct err err;
    int rc =
        checkpoint_of_durable(s->chain, &checkpoint, s->submit->root, &err);
    for (size_t i = 0; i < s->submit->count; i++) {
        struct submit_result *r = &s->submit->results[i];
        if (r->code != 0)
            continue;
        if (rc == 0)
            give_receipt(r, checkpoint);
        else
            refuse(r, &err);
    }
}

static void looked_up(void *ctx, int code, const struct err *err)
{
    struct submit_state *s = ctx;
    (void)code;
    (void)err; /* each has been told */
    if (--s->looking_up > 0)
        return;
    give_receipts(s);
    end(s, 0, NULL);
    chain_flush(s->chain);
}

static void look_up(struct submit_state *s)
{
    s->step = SUBMIT_LOOKING_UP;
    s->looking_up = 1;
    for (size_t i = 0; i < s->submit->count; i++) {
        struct submit_result *r = &s->submit->results[i];
        if (!r->known || r->code != 0)
            continue;
        s->looking_up++;
        chain_read_transactions(s->chain, r->index, 1, found, looked_up, s);
    }
    if (--s->looking_up > 0)
        return;
    give_receipts(s);
    end(s, 0, NULL);
}

static void free_state(struct submit_state *s)
{
    trial_deinit(&s->trial);
    scratch_deinit(&s->decoded);
    mem_free(s->members);
    mem_free(s->ids);
    mem_free(s->further);
    mem_free(s);
}

void submit_deliver(struct chain *c)
{
    struct submit_state **p = &c->submits.first;
    while (*p != NULL) {
        struct submit_state *s = *p;
        if (s->step != SUBMIT_READY) {
            p = &s->next;
            continue;
        }
        *p = s->next;
        if (c->submits.last == &s->next)
            c->submits.last = p;
        struct chain_submit *submit = s->submit;
        submit->state = NULL;
        free_state(s);
        submit->done(submit);
        p = &c->submits.first; /* whoever was told may have changed it */
    }
}

/* ---- the chain's side ---- */

void submit_advance(struct chain *c)
{
    for (struct submit_state *s = c->submits.first; s != NULL; s = s->next) {
        bool waits = s->step == SUBMIT_CHECKING || s->step == SUBMIT_SWITCHING;
        if (waits || order_is_full(c) || switch_holds(c) || c->hidden)
            return; /* invariant (2) */
        if (s->step == SUBMIT_CHECKED && !s->activates)
            place_all(s);
        else if (s->step == SUBMIT_CHECKED && !place_activation(s))
            return; /* invariant (3) */
    }
}

void submit_durable(struct chain *c)
{
    for (struct submit_state *s = c->submits.first; s != NULL; s = s->next)
        if (s->step == SUBMIT_PLACED && s->wait_size <= c->durable.size)
            look_up(s);
}

void submit_failed(struct chain *c, const struct err *why)
{
    for (struct submit_state *s = c->submits.first; s != NULL; s = s->next)
        if (s->step == SUBMIT_CHECKED || s->step == SUBMIT_PLACED)
            end(s, why->code, why);
}

static int check_may_submit(struct chain *c, struct err *err)
{
    if (c->why.code != 0) {
        *err = c->why;
        return c->why.code;
    }
    if (c->log.mode == LOG_READ_ONLY || c->log.state != LOG_READY)
        return err_set(err, ATE_EUNAVAILABLE,
                       "the chain is open for reading only");
    return 0;
}

void chain_submit(struct chain *c, struct chain_submit *submit)
{
    struct submit_state *s = mem_zero(1, sizeof(*s));
    struct err err;
    submit->state = s;
    submit->code = 0;
    submit->results = NULL;
    submit->count = 0;
    s->chain = c;
    s->submit = submit;
    s->task.work = check_signatures;
    s->task.done = checked;
    *c->submits.last = s;
    c->submits.last = &s->next;
    int rc = check_may_submit(c, &err);
    if (rc == 0)
        rc = filter(s, &err);
    if (rc != 0) {
        err_wrap(&err, "submit");
        end(s, rc, &err);
    } else if (c->deps.pool != NULL) {
        c->deps.pool->submit(c->deps.pool->ctx, &s->task);
    } else {
        check_signatures(&s->task);
        take_checked(s);
    }
}
