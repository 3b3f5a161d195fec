/* The switch to another bundle: its core is made beside the one in force
 * (upgrade.c) and takes its place just before `ate.activate` is judged.
 *
 * (1) While the log is tried under the new bundle, work goes on. When little of
 *     it is left, writes are held, what is under way becomes durable, and the
 *     rest is tried: then both cores stand at the same transaction. They are
 *     held until the state root is made, too.
 * (2) The exchange is undone when the activation is not placed, or not
 *     written. So nothing else may take a place on the new core before it: the
 *     heartbeat that it needs is written before the exchange.
 * (3) From the exchange until that is durable nobody reads: what is durable
 *     belongs to the old core, and that is all that is left of it. The node's
 *     own questions, who orders the chain for one, are answered from there.
 * (4) No state root and no survey is being made when the cores change places,
 *     and none is begun before the activation is placed: its tree may go. */
#include <assert.h>
#include <string.h>

#include "acceptance/bundle_events.h"
#include "acceptance/core_open.h"
#include "base/memory.h"
#include "chain/member.h"
#include "chain/upgrade.h"

/* What may be tried while writes are held. Where they come as fast as they are
 * tried, little is never left: after so many rounds they are held anyway. */
enum {
    SWITCH_LAG = 64,             /* frames */
    SWITCH_LAG_BYTES = 64 << 10, /* of them in the header file */
    SWITCH_ROUNDS = 16,
};

struct switching {
    struct chain *chain;
    struct upgrade *upgrade;
    bool places;  /* the activation is to be placed: not a proposal */
    bool beaten;  /* its heartbeat was written */
    bool running; /* the upgrade is */
    uint32_t rounds;
    bool holding;   /* writes wait */
    bool finished;  /* the new core is */
    bool exchanged; /* c->core is the new one, upgrade's the old one */
    bool placed;    /* its activation is on its way to the disk */
    chain_done *ready;
    void *ctx;
};

bool switch_holds(const struct chain *c)
{
    return c->switching != NULL && c->switching->holding;
}

bool switch_is_made(const struct chain *c)
{
    return c->switching != NULL && c->switching->exchanged;
}

const struct core *switch_left(const struct chain *c)
{
    return switch_is_made(c) ? upgrade_core(c->switching->upgrade) : NULL;
}

/* The cores change places. Structs that point to &c->core go on with it. */
static void exchange_cores(struct chain *c, struct upgrade *u)
{
    struct core *other = upgrade_core(u);
    struct core core = c->core;
    holds_end(&c->holds);
    memcpy(other->bundle_hash, core.bundle_hash, HASH_SIZE);
    c->core = *other;
    c->term_stamp = 0; /* another head */
    *other = core;
    touched_forget(c);
    c->epoch++;
    rooting_forget(c);
}

static void exchange(struct switching *s)
{
    assert(rooting_is_idle(s->chain)); /* invariant (4) */
    exchange_cores(s->chain, s->upgrade);
    s->exchanged = !s->exchanged;
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
    generation_next_schema(c->deps.generation);
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

static bool is_little_left(const struct switching *s)
{
    const struct log *log = &s->chain->log;
    uint64_t frame = upgrade_frame(s->upgrade);
    if (frame == log->end.frames)
        return true;
    uint64_t bytes = log->end.offset - log_place_at(log, frame).offset;
    return log->end.frames - frame <= SWITCH_LAG && bytes <= SWITCH_LAG_BYTES;
}

static void run(struct switching *s)
{
    s->rounds++;
    s->running = true;
    upgrade_run(s->upgrade, s->chain->log.end.frames, tried, s);
}

static void finished(void *ctx, int code, const struct err *err)
{
    struct switching *s = ctx;
    s->finished = code == 0;
    tried(ctx, code, err);
}

/* Invariant (2). Once: a disk that takes a second for it must not make this go
 * on for ever. 1: it has to be written first. */
static int beat(struct switching *s, struct err *err)
{
    struct chain *c = s->chain;
    int64_t now = c->deps.now(c->deps.ctx);
    if (!s->places || s->beaten || !order_holds(c) ||
        !order_needs_heartbeat(c, now))
        return 0;
    s->beaten = true;
    rooting_note(c);
    int rc = order_beat(c, now, err);
    return rc != 0 ? rc : 1;
}

static bool is_quiet(const struct chain *c)
{
    return !c->writing && order_is_empty(c) && c->placed.first == NULL &&
           c->fetching == 0 && rooting_is_idle(c) && c->snapshotting == NULL;
}

void switch_step(struct chain *c)
{
    struct switching *s = c->switching;
    struct err err;
    if (s == NULL || s->running || s->exchanged)
        return;
    if (c->why.code != 0) {
        fail(s, &c->why);
        return;
    }
    uint64_t left = c->log.end.frames - upgrade_frame(s->upgrade);
    s->holding |= s->rounds >= SWITCH_ROUNDS || is_little_left(s);
    assert(left == 0 || !s->finished); /* nothing takes a place meanwhile */
    if (left > 0) {
        run(s);
        return;
    }
    if (!is_quiet(c))
        return;
    int rc = beat(s, &err);
    if (rc == 1)
        return;
    if (rc != 0) {
        fail(s, &err);
        return;
    }
    if (!s->finished) {
        s->running = true;
        upgrade_finish(s->upgrade, s->places, finished, s);
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
    struct chain *c = s->chain;
    struct err err = {0};
    s->running = false;
    if (code == 0)
        code = upgrade_new(&s->upgrade, c, body, false, &err);
    else
        err = *why;
    if (code != 0)
        fail(s, &err);
    chain_flush(c);
}

bool switch_must_wait(const struct chain *c)
{
    struct next_bundle next;
    return next_bundle_get(state_head(&c->core.state), &next) &&
           next.index >= c->durable.size;
}

void switch_prepare(struct chain *c, bool places, chain_done *ready, void *ctx)
{
    struct next_bundle next;
    struct err err;
    if (c->switching != NULL) {
        int rc = err_set(&err, ATE_ECONFLICT,
                         "another bundle is being activated just now");
        ready(ctx, rc, &err);
        return;
    }
    bool there = next_bundle_get(state_head(&c->core.state), &next);
    assert(there && next.index < c->durable.size);
    struct switching *s = mem_zero(1, sizeof(*s));
    s->chain = c;
    s->places = places;
    s->ready = ready;
    s->ctx = ctx;
    s->running = true;
    c->switching = s;
    chain_read_body(c, next.index, next.n, bundle_read, s);
}

void switch_end(struct chain *c, bool placed)
{
    struct switching *s = c->switching;
    assert(s != NULL && s->exchanged && (s->places || !placed));
    s->placed = placed;
    if (!placed)
        end(s);
}

void switch_durable(struct chain *c)
{
    if (c->switching != NULL && c->switching->placed)
        end(c->switching);
}

void switch_failed(struct chain *c)
{
    struct switching *s = c->switching;
    if (s == NULL || s->running)
        return; /* tried() will see */
    if (s->placed) {
        s->placed = false;
        end(s);
    } else if (!s->exchanged) {
        fail(s, &c->why);
    }
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

static void replay_free(struct replay_switch *r)
{
    upgrade_free(r->upgrade);
    buf_deinit(&r->payload);
    buf_deinit(&r->inlined);
    mem_free(r);
}

static void replay_end(struct replay_switch *r)
{
    struct chain *c = r->chain;
    struct err err = r->err;
    int code = r->code;
    replay_free(r);
    if (code == LOG_PAUSE)
        c->check_paused = true;
    else
        log_resume(&c->log, code, &err);
}

/* What is readable of the log ends before it: under the bundle before it. */
static void replay_exchange_back(void *ctx)
{
    struct replay_switch *r = ctx;
    exchange_cores(r->chain, r->upgrade);
    replay_end(r);
}

static void replay_exchange(void *ctx)
{
    struct replay_switch *r = ctx;
    struct chain *c = r->chain;
    if (r->code == 0) {
        exchange_cores(c, r->upgrade);
        c->hidden = true;
        r->code = replay_activation(c, &r->frame, &r->err);
        if (r->code != 0 && r->code != LOG_PAUSE) {
            rooting_when_idle(c, replay_exchange_back, r);
            return;
        }
    }
    replay_end(r);
}

static void replay_finished(void *ctx, int code, const struct err *why)
{
    struct replay_switch *r = ctx;
    r->code = code;
    if (code != 0)
        r->err = *why;
    rooting_when_idle(r->chain, replay_exchange, r);
}

static void replay_tried(void *ctx, int code, const struct err *why)
{
    struct replay_switch *r = ctx;
    if (code != 0)
        replay_finished(r, code, why);
    else
        upgrade_finish(r->upgrade, true, replay_finished, r);
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
        replay_finished(r, code, &err);
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

static bool activates(const struct batch_member *m)
{
    struct batch_events events = batch_events(m);
    struct bytes raw;
    while (batch_events_next(&events, &raw))
        if (bytes_equal(event_header_type(raw), bytes_of_text(TYPE_ACTIVATE)))
            return true;
    return false;
}

bool frame_activates(const struct log_frame *frame)
{
    struct batch_reader batch;
    struct batch_member m;
    if (frame->type != LOG_BATCH ||
        batch_open(&batch, frame->payload, NULL) != 0)
        return false;
    while (batch_next(&batch, &m, NULL) == 1)
        if (!m.refused && activates(&m))
            return true;
    return false;
}
