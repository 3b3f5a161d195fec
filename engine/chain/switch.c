/* The switch to another bundle: its core is made beside the one in force
 * (upgrade.c) and takes its place just before `ate.activate` is judged.
 *
 * (1) While the log is tried under the new bundle, work goes on. When little of
 *     it is left, writes are held, what is under way becomes durable, and the
 *     rest is tried: then both cores stand at the same transaction.
 * (2) The exchange is undone when the activation is not placed.
 * (3) From the exchange until that is durable nobody reads: what is durable
 *     belongs to the old core, and that is all that is left of it. */
#include <assert.h>
#include <string.h>

#include "base/memory.h"
#include "chain/bundle_events.h"
#include "chain/core_open.h"
#include "chain/upgrade.h"

enum { SWITCH_LAG = 64 }; /* frames that may be tried while writes are held */

struct switching {
    struct chain *chain;
    struct upgrade *upgrade;
    bool running;   /* the upgrade is */
    bool holding;   /* writes wait */
    bool exchanged; /* c->core is the new one, upgrade's the old one */
    bool placed;    /* its activation is on its way to the disk */
    chain_done *ready;
    void *ctx;
};

bool switch_holds(const struct chain *c)
{
    return c->switching != NULL && c->switching->holding;
}

/* The cores change places. Structs that point to &c->core go on with it. */
static void exchange(struct switching *s)
{
    struct chain *c = s->chain;
    struct core *other = upgrade_core(s->upgrade);
    struct core core = c->core;
    memcpy(other->bundle_hash, core.bundle_hash, HASH_SIZE);
    c->core = *other;
    *other = core;
    s->exchanged = !s->exchanged;
    touched_forget(c);
    c->epoch++;
}

static void end(struct switching *s)
{
    struct chain *c = s->chain;
    assert(!s->running);
    if (s->exchanged && !s->placed)
        exchange(s);
    upgrade_free(s->upgrade);
    mem_free(s);
    c->switching = NULL;
    c->hidden = false;
}

static void fail(struct switching *s, const struct err *err)
{
    chain_done *ready = s->ready;
    void *ctx = s->ctx;
    struct err copy = *err;
    end(s);
    ready(ctx, copy.code, &copy);
}

static void tried(void *ctx, int code, const struct err *err)
{
    struct switching *s = ctx;
    struct chain *c = s->chain;
    s->running = false;
    if (c->why.code != 0)
        fail(s, &c->why);
    else if (code != 0)
        fail(s, err);
    chain_flush(c); /* comes back by switch_step() */
}

static void run(struct switching *s)
{
    s->running = true;
    upgrade_run(s->upgrade, s->chain->log.end.frames, tried, s);
}

void switch_step(struct chain *c)
{
    struct switching *s = c->switching;
    if (s == NULL || s->running || s->exchanged || s->upgrade == NULL)
        return;
    uint64_t left = c->log.end.frames - upgrade_frame(s->upgrade);
    s->holding |= left <= SWITCH_LAG;
    if (left > 0) {
        run(s);
        return;
    }
    if (c->writing || !order_is_empty(c) || c->placed.first != NULL ||
        c->fetching > 0 || c->rooting.running > 0 || c->snapshotting != NULL)
        return;
    struct err err;
    if (upgrade_carry(s->upgrade, &err) != 0) {
        fail(s, &err);
        return;
    }
    exchange(s);
    c->hidden = true;
    s->ready(s->ctx, 0, NULL);
}

static void bundle_read(void *ctx, struct bytes body, int code,
                        const struct err *why)
{
    struct switching *s = ctx;
    struct err err = {0};
    s->running = false;
    if (code == 0)
        code = upgrade_new(&s->upgrade, s->chain, body, false, &err);
    else
        err = *why;
    if (code != 0)
        fail(s, &err);
    chain_flush(s->chain);
}

void switch_prepare(struct chain *c, chain_done *ready, void *ctx)
{
    struct next_bundle next;
    struct err err;
    int rc = 0;
    if (c->switching != NULL)
        rc = err_set(&err, ATE_ECONFLICT,
                     "another bundle is being activated just now");
    else if (!next_bundle_get(state_head(&c->core.state), &next))
        rc = err_set(&err, ATE_ENOT_FOUND,
                     "there is no bundle to be activated; ate.bundle brings "
                     "one");
    else if (next.index >= c->durable.size)
        rc = err_set(&err, ATE_EUNAVAILABLE,
                     "the bundle is being written just now; try again");
    if (rc != 0) {
        ready(ctx, rc, &err);
        return;
    }
    struct switching *s = mem_zero(1, sizeof(*s));
    s->chain = c;
    s->ready = ready;
    s->ctx = ctx;
    s->running = true;
    c->switching = s;
    chain_read_body(c, next.index, next.n, bundle_read, s);
}

void switch_end(struct chain *c, bool placed)
{
    struct switching *s = c->switching;
    assert(s != NULL && s->exchanged);
    s->placed = placed;
    if (!placed)
        end(s);
}

void switch_durable(struct chain *c)
{
    if (c->switching != NULL && c->switching->placed)
        end(c->switching);
}

/* ---- while a log is read ---- */

/* The frame that activates a bundle, until the log before it was tried. */
struct replay_switch {
    struct chain *chain;
    struct upgrade *upgrade;
    struct log_frame frame;
    struct buf payload;
    struct buf inlined;
    int code; /* of the trial */
    struct err err;
};

static void replay_end(struct replay_switch *r)
{
    upgrade_free(r->upgrade);
    buf_deinit(&r->payload);
    buf_deinit(&r->inlined);
    mem_free(r);
}

static void replay_exchange(void *ctx)
{
    struct replay_switch *r = ctx;
    struct chain *c = r->chain;
    struct err err = r->err;
    int code = r->code;
    if (code == 0)
        code = upgrade_carry(r->upgrade, &err);
    if (code == 0) {
        struct core *other = upgrade_core(r->upgrade);
        struct core core = c->core;
        memcpy(other->bundle_hash, core.bundle_hash, HASH_SIZE);
        c->core = *other;
        *other = core;
        touched_forget(c);
        c->epoch++;
        c->hidden = true;
        code = replay_activation(c, &r->frame, &err);
    }
    replay_end(r);
    if (code == LOG_PAUSE)
        c->check_paused = true;
    else
        log_resume(&c->log, code, &err);
}

static void replay_tried(void *ctx, int code, const struct err *why)
{
    struct replay_switch *r = ctx;
    r->code = code;
    if (code != 0)
        r->err = *why;
    rooting_when_idle(r->chain, replay_exchange, r);
}

static void replay_bundle_read(void *ctx, struct bytes body, int code,
                               const struct err *why)
{
    struct replay_switch *r = ctx;
    struct err err = {0};
    if (code == 0)
        code = upgrade_new(&r->upgrade, r->chain, body, false, &err);
    else
        err = *why;
    if (code == 0)
        upgrade_run(r->upgrade, r->frame.sequence, replay_tried, r);
    else
        replay_tried(r, code, &err);
}

int switch_replay(struct chain *c, const struct log_frame *frame,
                  struct err *err)
{
    struct next_bundle next;
    if (!next_bundle_get(state_head(&c->core.state), &next))
        return err_set(err, ATE_ECORRUPT,
                       TYPE_ACTIVATE ": there is no bundle to be activated");
    struct replay_switch *r = mem_zero(1, sizeof(*r));
    r->chain = c;
    buf_put_bytes(&r->payload, frame->payload);
    buf_put_bytes(&r->inlined, frame->inlined);
    r->frame = *frame;
    r->frame.payload = buf_bytes(&r->payload);
    r->frame.inlined = buf_bytes(&r->inlined);
    chain_read_body(c, next.index, next.n, replay_bundle_read, r);
    return LOG_PAUSE;
}

bool frame_activates(const struct log_frame *frame)
{
    struct batch_reader batch;
    struct batch_member m;
    struct bytes raw;
    struct event_header h;
    if (frame->type != LOG_BATCH ||
        batch_open(&batch, frame->payload, NULL) != 0)
        return false;
    while (batch_next(&batch, &m, NULL) == 1) {
        if (m.refused)
            continue;
        struct batch_events events = batch_events(&m);
        if (batch_events_next(&events, &raw) &&
            event_header_get(raw, &h, NULL) == 0 &&
            bytes_equal(h.type, bytes_of_text(TYPE_ACTIVATE)))
            return true;
    }
    return false;
}
