/* Frames are read ahead, several at a time, and tried in order.
 *
 * (1) Every frame below `frame` has been tried, none above it.
 * (2) `then` is the logic of the bundle in force at the transaction that is
 *     tried: its versions say from which an event's fields are converted. */
#include "chain/upgrade.h"

#include <assert.h>
#include <string.h>

#include "base/memory.h"
#include "base/msgpack.h"
#include "chain/bundle_events.h"
#include "chain/compat.h"
#include "chain/fields.h"
#include "chain/logic.h"
#include "chain/member.h"
#include "chain/value.h"
#include "chain/work.h"

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

struct upgrade {
    struct chain *chain;
    struct core core;
    struct trial trial;
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

static int try_member(struct upgrade *u, const struct batch_member *m,
                      struct member_bodies *bodies, struct err *err)
{
    struct member_sigs sigs;
    struct trial *t = &u->trial;
    t->core = &u->core;
    t->refold = &u->refold;
    member_begin(t, u->index, m, &sigs, true);
    int rc = member_add_events(t, m, bodies, err);
    if (rc == 0)
        rc = trial_finish(t, err);
    if (rc == 0)
        rc = note_bundles(u, t, err);
    if (rc != 0) {
        trial_undo(t);
        return err_wrap(err, "transaction %llu", (unsigned long long)u->index);
    }
    u->report.transactions++;
    for (size_t i = 0; i < t->count; i++)
        u->report.events += t->events[i]->type != NULL;
    member_keep(&u->core, t, m);
    u->index++;
    return 0;
}

static int try_batch(struct upgrade *u, struct slot *s, struct err *err)
{
    struct batch_reader r;
    struct batch_member m;
    struct member_bodies bodies = {
        .inlined = buf_bytes(&s->inlined),
        .file = u->reads_bodies ? buf_bytes(&s->bodies) : bytes_of(NULL, 0),
    };
    int rc = batch_open(&r, buf_bytes(&s->payload), err);
    u->index = s->header.index;
    while (rc == 0 && (rc = batch_next(&r, &m, err)) == 1)
        rc = m.refused ? 0 : try_member(u, &m, &bodies, err);
    return rc;
}

static int try_frame(struct upgrade *u, struct slot *s, struct err *err)
{
    if (s->code != 0) {
        *err = s->err;
        return s->code;
    }
    if (s->frame > 0)
        return try_batch(u, s, err);
    const struct genesis *g = &u->core.genesis;
    remember_bundle(u, g->bundle_hash, buf_bytes(&s->inlined));
    return set_then(u, g->bundle_hash, err);
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
    s->there = false;
    if (try_frame(u, s, &u->err) == 0)
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
    if (u->trying || u->done == NULL)
        return;
    u->trying = true; /* reads may come back within this loop */
    read_ahead(u);
    while (next_is_there(u)) {
        try_next(u);
        read_ahead(u);
    }
    u->trying = false;
    if (u->under_way > 0 || (u->err.code == 0 && u->frame < u->end))
        return;
    chain_done *done = u->done;
    u->done = NULL;
    for (size_t i = 0; i < UPGRADE_AHEAD; i++)
        u->slots[i].there = false;
    u->asked = u->frame;
    done(u->ctx, u->err.code, &u->err);
}

/* ---- life ---- */

int upgrade_new(struct upgrade **out, struct chain *c, struct bytes bundle,
                bool judges, struct err *err)
{
    struct upgrade *u = mem_zero(1, sizeof(*u));
    *out = NULL;
    u->chain = c;
    u->core.names = c->core.names;
    u->refold = (struct trial_refold){
        .convert = convert,
        .judged = judges ? judged : NULL,
        .ctx = u,
    };
    int rc = core_open_with(&u->core, buf_bytes(&c->core.genesis_raw), bundle,
                            c->deps.logic, c->deps.materializers, err);
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

void upgrade_free(struct upgrade *u)
{
    if (u == NULL)
        return;
    assert(u->under_way == 0 && u->done == NULL);
    trial_deinit(&u->trial);
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

int upgrade_carry(struct upgrade *u, struct err *err)
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
