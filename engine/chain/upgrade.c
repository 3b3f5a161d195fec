/* Frames are read ahead, several at a time, and tried in order, in slices: one
 * may end between two events of a transaction. Nobody but this file sees the
 * core until the last one is done.
 *
 * (1) Every frame below `frame` has been tried, none above it; of that one what
 *     `place` says. Its slot is kept until it is done.
 * (2) `then` is the logic of the bundle in force at the transaction that is
 *     tried: its versions say from which an event's fields are converted. */
#include "chain/upgrade.h"

#include <assert.h>
#include <string.h>

#include "acceptance/bundle_events.h"
#include "acceptance/logic.h"
#include "base/memory.h"
#include "base/msgpack.h"
#include "chain/member.h"
#include "chain/slice.h"
#include "event/bundle.h"
#include "schema/compat.h"
#include "schema/fields.h"
#include "schema/value.h"
#include "state/work.h"

enum { UPGRADE_AHEAD = 32 }; /* frames read at a time */

/* A frame on its way in: payload, inline section, bodies. */
struct slot {
    struct upgrade *upgrade;
    uint64_t frame;
    bool under_way;
    bool there;
    enum log_part part;
    struct log_read read;
    struct log_frame header;
    struct buf payload;
    struct buf inlined;
    struct buf bodies;
    int code;
    struct err err;
};

/* A bundle that the log brought so far. */
struct known_bundle {
    uint8_t hash[HASH_SIZE];
    struct buf bytes;
    struct known_bundle *next;
};

/* The state root that the activation starts from. The pin keeps its version
 * the one of that number. */
struct root_making {
    struct task task;
    struct upgrade *upgrade;
    struct tree *tree;
    struct tree_pin *pin;
    struct known_root root;
};

/* How far the frame that is tried has got. */
struct place {
    bool in_batch;
    bool in_member; /* its transaction is open */
    struct batch_reader batch;
    struct batch_member member;
    struct member_bodies bodies;
    struct member_sigs sigs;
    struct scratch decoded;
    struct batch_event *events; /* in it, the member's */
    uint32_t next;              /* of these */
};

struct upgrade {
    struct chain *chain;
    struct core core;
    struct trial trial; /* open while place.in_member */
    struct place place;
    struct trial_refold refold;
    struct logic *then;
    struct known_bundle *bundles;
    bool reads_bodies;
    uint64_t frame;
    uint64_t index;
    uint64_t end;
    uint64_t asked; /* the next frame to be read */
    struct slot slots[UPGRADE_AHEAD];
    size_t under_way;
    bool trying;
    struct slice slice;
    struct root_making making;
    struct upgrade_report report;
    uint64_t refused_index; /* the newest; report.refused > 0 */
    struct err err;         /* code not 0: it failed */
    chain_done *done;
    void *ctx;
};

/* ---- bundles ---- */

static void remember_bundle(struct upgrade *u, const uint8_t hash[HASH_SIZE],
                            struct bytes bytes)
{
    struct known_bundle *b = mem_zero(1, sizeof(*b));
    memcpy(b->hash, hash, HASH_SIZE);
    buf_put_bytes(&b->bytes, bytes);
    b->next = u->bundles;
    u->bundles = b;
}

/* The bundle with this hash is in force from here on. */
static int set_then(struct upgrade *u, const uint8_t hash[HASH_SIZE],
                    struct err *err)
{
    struct known_bundle *b = u->bundles;
    while (b != NULL && memcmp(b->hash, hash, HASH_SIZE) != 0)
        b = b->next;
    if (b == NULL)
        return err_set(err, ATE_ECORRUPT,
                       "a bundle is activated that the log does not have");
    if (u->then != NULL)
        u->then->free(u->then);
    u->then = NULL;
    const struct logic_maker *maker = u->chain->deps.logic;
    struct logic_limits limits = core_limits(&u->core);
    return maker->load(maker->ctx, buf_bytes(&b->bytes), &limits, &u->then,
                       err);
}

/* ---- converting ---- */

static int64_t version_of(const struct schema *s, const struct event_type *type)
{
    const struct schema_part *part = schema_part(s, type->schema);
    return part != NULL ? part->version : 0;
}

/* One upgrade after the other, from the version that stored it on. */
static int run_upgrades(struct upgrade *u, const struct event_type *type,
                        int64_t from, struct buf *fields, struct err *err)
{
    struct logic *logic = u->core.logic;
    for (size_t i = 0; i < type->upgrade_count; i++) {
        struct buf out = {0};
        if (type->upgrades[i].version < from)
            continue;
        int rc = logic->upgrade(logic, type, type->upgrades[i].function,
                                buf_bytes(fields), &out, err);
        buf_deinit(fields);
        *fields = out;
        if (rc != 0)
            return rc;
    }
    return 0;
}

/* Append fields that were stored under the bundle then, as the new one has
 * them; nothing when they stay as they are. */
static int convert_fields(void *ctx, const struct event_type *type,
                          const struct event_header *header,
                          struct bytes stored, struct buf *out, struct err *err)
{
    struct upgrade *u = ctx;
    const struct schema *then = u->then->schema;
    const struct event_type *was = schema_type(then, header->type);
    if (was == NULL)
        return err_set(err, ATE_ECORRUPT, "%s: no type of the bundle then",
                       type->name);
    if (u->chain->skips_rules || !type_needs_upgrade(was, type))
        return 0;
    struct buf fields = {0};
    buf_put_bytes(&fields, stored);
    int rc = run_upgrades(u, type, version_of(then, was), &fields, err);
    if (rc == 0) {
        fields_add_defaults(out, &type->header, buf_bytes(&fields));
        rc = fields_check(u->core.schema, &type->header, buf_bytes(out),
                          type->name, err);
    }
    if (rc != 0 && rc != ATE_EUNAVAILABLE)
        rc = type_say_unconverted(was, type, version_of(then, was), err);
    if (rc == 0 && out->len > LIMIT_EVENT_HEADER)
        rc = err_set(err, ATE_ELIMIT, "%s: converted, its fields are too large",
                     type->name);
    if (rc == 0 && bytes_equal(buf_bytes(out), stored))
        buf_clear(out);
    buf_deinit(&fields);
    return rc;
}

static int convert(void *ctx, struct trial *t, struct trial_event *e,
                   struct err *err)
{
    struct upgrade *u = ctx;
    struct buf whole = {0};
    int rc =
        convert_fields(u, e->type, &e->header, e->header.fields, &whole, err);
    if (rc == 0 && whole.len > 0) {
        e->header.fields = scratch_copy(&t->scratch, buf_bytes(&whole));
        e->converted = true;
        u->report.converted++;
    }
    buf_deinit(&whole);
    return rc;
}

static void judged(void *ctx, const struct trial_event *e, int code,
                   const struct err *err)
{
    struct upgrade *u = ctx;
    bool said = u->report.refused > 0 && u->refused_index == u->index;
    if (code == 0 || (e == NULL && said))
        return; /* the whole was refused with one of its events */
    u->refused_index = u->index;
    if (u->report.refused++ > 0)
        return;
    u->report.refusal = *err;
    u->report.refused_index = u->index;
}

/* ---- trying ---- */

/* A bundle that comes, and one that is activated. */
static int note_bundles(struct upgrade *u, const struct trial *t,
                        struct err *err)
{
    for (size_t i = 0; i < t->count; i++) {
        const struct trial_event *e = t->events[i];
        struct activate_fields f;
        if (bytes_equal(e->header.type, bytes_of_text(TYPE_BUNDLE)))
            remember_bundle(u, e->header.body_hash, e->body);
        if (!bytes_equal(e->header.type, bytes_of_text(TYPE_ACTIVATE)))
            continue;
        int rc = activate_fields_get(e->header.fields, &f, err);
        if (rc == 0)
            rc = set_then(u, f.bundle, err);
        if (rc != 0)
            return rc;
    }
    return 0;
}

enum { STEP_OVER = 0, STEP_DONE = 1 }; /* the slice; what was to be done */

static int begin_member(struct upgrade *u, struct err *err)
{
    struct place *p = &u->place;
    struct trial *t = &u->trial;
    scratch_reset(&p->decoded);
    int rc = member_decode(&u->core, &p->member, &p->decoded, &p->events, err);
    if (rc != 0)
        return rc;
    t->core = &u->core;
    t->refold = &u->refold;
    member_begin(t, u->index, &p->member, &p->sigs, true);
    p->next = 0;
    p->in_member = true;
    return 0;
}

static int end_member(struct upgrade *u, struct err *err)
{
    struct trial *t = &u->trial;
    int rc = trial_finish(t, err);
    if (rc == 0)
        rc = note_bundles(u, t, err);
    if (rc != 0)
        return rc;
    u->report.transactions++;
    for (size_t i = 0; i < t->count; i++)
        u->report.events += t->events[i]->type != NULL;
    member_keep(&u->core, t, &u->place.member);
    u->place.in_member = false;
    u->index++;
    return STEP_DONE;
}

/* The transaction, from where it is. */
static int try_member(struct upgrade *u, struct err *err)
{
    struct place *p = &u->place;
    int rc = 0;
    while (rc == 0 && p->next < p->member.event_count) {
        rc = member_add(&u->trial, &p->events[p->next], p->next, &p->bodies,
                        err);
        p->next++;
        if (rc == 0 && slice_is_over(&u->slice))
            return STEP_OVER;
    }
    if (rc == 0)
        rc = end_member(u, err);
    if (rc == STEP_DONE)
        return STEP_DONE;
    trial_undo(&u->trial);
    p->in_member = false;
    err_at_none(err);
    if (rc == ATE_EUNAVAILABLE && strcmp(err->reason, "replay_limit") == 0)
        err_reason(err, "schema_limit"); /* of one that is only tried */
    return err_wrap(err, "transaction %llu", (unsigned long long)u->index);
}

static int begin_batch(struct upgrade *u, const struct slot *s, struct err *err)
{
    struct place *p = &u->place;
    p->bodies = (struct member_bodies){
        .inlined = buf_bytes(&s->inlined),
        .file = u->reads_bodies ? buf_bytes(&s->bodies) : bytes_of(NULL, 0),
    };
    int rc = batch_open(&p->batch, buf_bytes(&s->payload), err);
    u->index = s->header.index;
    p->in_batch = rc == 0;
    return rc;
}

/* The next transaction of it that was accepted, or the end of it. */
static int next_member(struct upgrade *u, struct err *err)
{
    struct place *p = &u->place;
    int rc;
    do
        rc = batch_next(&p->batch, &p->member, err);
    while (rc == 1 && p->member.refused);
    if (rc != 1) {
        p->in_batch = false;
        return rc;
    }
    rc = begin_member(u, err);
    return rc == 0 ? 1 : rc;
}

static int try_batch(struct upgrade *u, const struct slot *s, struct err *err)
{
    struct place *p = &u->place;
    int rc = p->in_batch ? 0 : begin_batch(u, s, err);
    while (rc == 0) {
        if (!p->in_member && (rc = next_member(u, err)) != 1)
            return rc == 0 ? STEP_DONE : rc;
        rc = try_member(u, err);
        if (rc != STEP_DONE)
            return rc;
        if (slice_is_over(&u->slice))
            return STEP_OVER;
        rc = 0;
    }
    return rc;
}

static int try_frame(struct upgrade *u, const struct slot *s, struct err *err)
{
    if (s->code != 0) {
        *err = s->err;
        return s->code;
    }
    if (s->frame > 0)
        return try_batch(u, s, err);
    const struct genesis *g = &u->core.genesis;
    remember_bundle(u, g->bundle_hash, buf_bytes(&s->inlined));
    int rc = set_then(u, g->bundle_hash, err);
    return rc == 0 ? STEP_DONE : rc;
}

/* ---- reading ahead ---- */

static void go_on(struct upgrade *u);

static bool wants_part(const struct upgrade *u, const struct log_frame *h,
                       enum log_part part)
{
    if (part == LOG_INLINE)
        return h->inline_len > 0;
    return u->reads_bodies && h->body_len > 0;
}

static void part_read(struct log_read *read, int code, const struct err *err);

static void read_part(struct slot *s, enum log_part part)
{
    s->part = part;
    s->read = (struct log_read){
        .frame = s->frame,
        .part = part,
        .length = UINT64_MAX,
        .done = part_read,
        .owner = s,
    };
    log_read(&s->upgrade->chain->log, &s->read);
}

static void part_read(struct log_read *read, int code, const struct err *err)
{
    struct slot *s = read->owner;
    struct upgrade *u = s->upgrade;
    struct buf *to[] = {&s->payload, &s->inlined, &s->bodies};
    buf_deinit(to[s->part]);
    *to[s->part] = read->bytes;
    read->bytes = (struct buf){0};
    s->header = read->header;
    s->code = code;
    if (code != 0)
        s->err = *err;
    for (int part = (int)s->part + 1; code == 0 && part <= LOG_BODIES; part++) {
        if (!wants_part(u, &s->header, part))
            continue;
        read_part(s, part);
        return;
    }
    s->under_way = false;
    s->there = true;
    u->under_way--;
    go_on(u);
}

static void read_ahead(struct upgrade *u)
{
    while (u->err.code == 0 && u->asked < u->end &&
           u->asked < u->frame + UPGRADE_AHEAD) {
        struct slot *s = &u->slots[u->asked % UPGRADE_AHEAD];
        assert(!s->under_way && !s->there);
        s->upgrade = u;
        s->frame = u->asked++;
        s->under_way = true;
        buf_clear(&s->inlined);
        buf_clear(&s->bodies);
        u->under_way++;
        read_part(s, LOG_PAYLOAD);
    }
}

static void try_next(struct upgrade *u)
{
    struct slot *s = &u->slots[u->frame % UPGRADE_AHEAD];
    int rc = try_frame(u, s, &u->err);
    if (rc == STEP_OVER) {
        slice_rest(&u->slice);
        return;
    }
    s->there = false;
    if (rc == STEP_DONE)
        u->frame++;
    else if (s->frame > 0)
        err_wrap(&u->err, "bundle");
}

static bool next_is_there(const struct upgrade *u)
{
    const struct slot *s = &u->slots[u->frame % UPGRADE_AHEAD];
    return u->err.code == 0 && u->frame < u->end && s->there &&
           s->frame == u->frame;
}

static void go_on(struct upgrade *u)
{
    if (u->trying || u->slice.rests || u->done == NULL)
        return;
    u->trying = true; /* reads may come back within this loop */
    read_ahead(u);
    slice_begin(&u->slice);
    while (!u->slice.rests && next_is_there(u)) {
        try_next(u);
        read_ahead(u);
    }
    slice_end(&u->slice);
    u->trying = false;
    if (u->slice.rests || u->under_way > 0 ||
        (u->err.code == 0 && u->frame < u->end))
        return;
    chain_done *done = u->done;
    u->done = NULL;
    for (size_t i = 0; i < UPGRADE_AHEAD; i++)
        u->slots[i].there = false;
    u->asked = u->frame;
    done(u->ctx, u->err.code, &u->err);
}

static void rested(void *ctx)
{
    go_on(ctx);
}

/* ---- life ---- */

/* Its version would be as before, but that is not what somebody who gave a file
 * another name has to hear. */
static int check_renamed(const struct logic *before, const struct logic *after,
                         struct err *err)
{
    struct bundle was, is;
    if (bundle_get(before->bundle, &was, NULL) != 0 ||
        bundle_get(after->bundle, &is, NULL) != 0 ||
        !bundle_same_sources(&was, &is))
        return 0;
    return err_set(err, ATE_EINVALID,
                   "schema %s: only names of files differ from the one in "
                   "force, %.*s was %.*s: there is nothing to change",
                   after->schema->main, (int)is.main_module.len,
                   (const char *)is.main_module.data, (int)was.main_module.len,
                   (const char *)was.main_module.data);
}

int upgrade_new(struct upgrade **out, struct chain *c, struct bytes bundle,
                bool judges, struct err *err)
{
    struct upgrade *u = mem_zero(1, sizeof(*u));
    *out = NULL;
    u->chain = c;
    slice_init(&u->slice, &c->deps, rested, u);
    u->core.names = c->core.names;
    u->refold = (struct trial_refold){
        .convert = convert,
        .judged = judges ? judged : NULL,
        .ctx = u,
    };
    int rc = core_open_with(&u->core, buf_bytes(&c->core.genesis_raw), bundle,
                            c->deps.logic, c->deps.materializers, err);
    if (rc == 0 && memcmp(c->core.loaded, u->core.loaded, HASH_SIZE) != 0)
        rc = check_renamed(c->core.logic, u->core.logic, err);
    if (rc == 0)
        rc = schema_may_follow(c->core.schema, u->core.schema, err);
    if (rc != 0) {
        upgrade_free(u);
        return rc;
    }
    u->core.unconverted = c->skips_rules;
    for (size_t i = 0; i < u->core.schema->view_count; i++)
        u->reads_bodies |= u->core.schema->views[i].reads_bodies;
    *out = u;
    return 0;
}

/* Either core may be the one that it was made of. */
static void forget_root(struct upgrade *u)
{
    struct root_making *r = &u->making;
    if (r->pin == NULL)
        return;
    u->core.root = NULL;
    u->chain->core.root = NULL;
    tree_unpin(r->tree, r->pin);
    r->pin = NULL;
}

void upgrade_free(struct upgrade *u)
{
    if (u == NULL)
        return;
    assert(u->under_way == 0 && u->done == NULL && !u->slice.rests);
    forget_root(u);
    trial_deinit(&u->trial);
    scratch_deinit(&u->place.decoded);
    core_close(&u->core);
    if (u->then != NULL)
        u->then->free(u->then);
    while (u->bundles != NULL) {
        struct known_bundle *b = u->bundles;
        u->bundles = b->next;
        buf_deinit(&b->bytes);
        mem_free(b);
    }
    for (size_t i = 0; i < UPGRADE_AHEAD; i++) {
        buf_deinit(&u->slots[i].payload);
        buf_deinit(&u->slots[i].inlined);
        buf_deinit(&u->slots[i].bodies);
    }
    mem_free(u);
}

void upgrade_run(struct upgrade *u, uint64_t end, chain_done *done, void *ctx)
{
    assert(u->done == NULL && u->err.code == 0);
    u->end = end;
    u->done = done;
    u->ctx = ctx;
    go_on(u);
}

/* What workers of the core in force have still to do comes along. */
static int carry(struct upgrade *u, struct err *err)
{
    struct state *to = &u->core.state;
    const struct core *from = &u->chain->core;
    state_begin(to);
    int rc = work_carry(state_head(&from->state), from->schema, to,
                        u->core.schema, convert_fields, u, err);
    if (rc == 0)
        state_keep(to);
    else
        state_undo(to);
    return rc;
}

static void make_root(struct task *task)
{
    struct root_making *r = (struct root_making *)task;
    state_root(r->root.of, r->root.digest);
}

static void root_made(struct task *task)
{
    struct root_making *r = (struct root_making *)task;
    struct upgrade *u = r->upgrade;
    chain_done *done = u->done;
    u->core.root = &r->root;
    u->done = NULL;
    done(u->ctx, 0, &u->err);
}

void upgrade_finish(struct upgrade *u, bool wants_root, chain_done *done,
                    void *ctx)
{
    const struct pool *pool = u->chain->deps.pool;
    struct root_making *r = &u->making;
    assert(u->done == NULL && u->err.code == 0 && r->pin == NULL);
    if (carry(u, &u->err) != 0 || !wants_root) {
        done(ctx, u->err.code, &u->err);
        return;
    }
    u->done = done;
    u->ctx = ctx;
    r->upgrade = u;
    r->tree = u->core.state.tree;
    r->pin = tree_pin(r->tree);
    r->root.of = tree_pinned(r->pin);
    r->task = (struct task){.work = make_root, .done = root_made};
    if (pool != NULL) {
        pool->submit(pool->ctx, &r->task);
        return;
    }
    make_root(&r->task);
    root_made(&r->task);
}

uint64_t upgrade_frame(const struct upgrade *u)
{
    return u->frame;
}

const struct upgrade_report *upgrade_report(const struct upgrade *u)
{
    return &u->report;
}

struct core *upgrade_core(struct upgrade *u)
{
    return &u->core;
}
