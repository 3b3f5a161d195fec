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
#include <string.h>

#include "acceptance/bundle_events.h"
#include "base/memory.h"
#include "chain/member.h"
#include "chain/submit_inside.h"
#include "event/receipt.h"
#include "state/reads.h"

enum { REFUSED_READS = 4096 }; /* invariant (5): what is little */

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
    uint64_t paid = c->core.gas / LIMIT_READ_GAS;
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

static int judge(struct submit_state *s, const struct submit_member *m,
                 struct member_sigs *sigs, struct member_bodies *b, bool beats,
                 struct err *err)
{
    struct chain *c = s->chain;
    struct tree_version before = state_head(&c->core.state);
    int rc = member_judge(c, &s->trial, c->next_index + beats, &m->m, m->events,
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
    struct tree_mark mark;
    int rc = order_open_place(c, now, &beats, &mark, err);
    if (rc != 0)
        return rc;
    rc = judge(s, m, &sigs, b, beats, err);
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
            submit_refuse(r, &why);
        batch_put_refused(&f->payload, s->ids[i]);
        b->walk = from;
        submit_skip_bodies(m, &b->walk); /* those that it brought */
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
        submit_refuse(&s->submit->results[0], why);
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
        submit_refuse(r, &err);
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
static int found(void *ctx, const struct chain_tx *tx, struct err *err)
{
    struct submit_state *s = ctx;
    const struct core *core = &s->chain->core;
    uint8_t id[TX_ID_SIZE];
    if (tx->member == NULL)
        return err_set(err, ATE_ECORRUPT, "genesis has no call id");
    batch_member_id(tx->member, core->genesis.suite, core->id, id);
    for (size_t i = 0; i < s->submit->count; i++) {
        struct submit_result *r = &s->submit->results[i];
        struct err other;
        if (!r->known || r->index != tx->index || r->code != 0)
            continue;
        r->compared = true;
        if (memcmp(id, r->tx_id, TX_ID_SIZE) == 0)
            continue;
        err_set(&other, ATE_ECONFLICT,
                "its call id was used by transaction %llu",
                (unsigned long long)tx->index);
        submit_refuse(r, &other);
    }
    return 0;
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
            submit_refuse(r, &err);
    }
}

/* Nobody gets a receipt whose transaction was not looked at. */
static void all_looked_up(struct submit_state *s)
{
    if (s->not_read.code == 0)
        err_set(&s->not_read, ATE_ECORRUPT,
                "the transaction that its call id was used by is not there");
    for (size_t i = 0; i < s->submit->count; i++) {
        struct submit_result *r = &s->submit->results[i];
        if (r->known && r->code == 0 && !r->compared)
            submit_refuse(r, &s->not_read);
    }
    give_receipts(s);
    end(s, 0, NULL);
}

static void looked_up(void *ctx, int code, const struct err *err)
{
    struct submit_state *s = ctx;
    struct chain *c = s->chain;
    if (code != 0)
        s->not_read = *err;
    if (--s->looking_up > 0)
        return;
    all_looked_up(s);
    chain_flush(c);
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
    if (--s->looking_up == 0)
        all_looked_up(s);
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
        rc = submit_filter(s, &err);
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
