/* source: the Lua that a chain keeps, as it was published: which modules a
 * bundle has, or the text of one.
 *
 * (1) What is told is of one bundle, whose hash is told with it: the bytes that
 *     the logic in force was loaded from, or a body that was compared with the
 *     hash that its event has.
 * (2) The version of a bundle stands in its Lua alone, so any but the one in
 *     force is loaded to know it: first the one that may be activated, then
 *     those that were in force, the newest first; one a step. */
#include <inttypes.h>
#include <string.h>

#include "acceptance/bundle_events.h"
#include "acceptance/core_open.h"
#include "acceptance/logic.h"
#include "base/memory.h"
#include "base/msgpack.h"
#include "base/near.h"
#include "crypto/hash.h"
#include "event/batch.h"
#include "event/bundle.h"
#include "query/inside.h"

enum {
    SPAN_FIRST = 64, /* transactions that are searched at a time, */
    SPAN_MAX = 4096, /* twice as many each time */
    NAMES_TOLD = 24,
};

enum source_phase {
    SOURCE_IN_FORCE,
    SOURCE_NEXT,
    SOURCE_PAST,
    SOURCE_SEARCHED, /* the event that brought it */
    SOURCE_PLACED,   /* and its body */
    SOURCE_READ,
};

struct query_source {
    struct bytes module; /* borrowed of the arguments; data NULL: all */
    uint64_t wanted;     /* version; UINT64_MAX: the one in force */
    enum source_phase phase;
    size_t past; /* of those that were in force before: how many are done */
    uint8_t hash[HASH_SIZE]; /* of the bundle that is looked at */
    uint64_t until;    /* its event is searched for before this transaction, */
    uint64_t span;     /* in so many of them; */
    bool is_placed;    /* it was found, */
    uint64_t index;    /* in this transaction, */
    uint64_t n;        /* as this event of it */
    struct buf bundle; /* its body */
    struct buf versions; /* those that were met, for the error */
};

void query_source_free(struct query_source *s)
{
    if (s == NULL)
        return;
    buf_deinit(&s->bundle);
    buf_deinit(&s->versions);
    mem_free(s);
}

static int begin(struct query *q, struct err *err)
{
    static const char *const names[] = {"module", "version", NULL};
    struct query_source *s = q->source = mem_zero(1, sizeof(*s));
    s->wanted = UINT64_MAX;
    int rc = query_check_args(q, names, err);
    if (rc == 0)
        rc = query_take_text(q, "module", false, &s->module, err);
    return rc != 0 ? rc : query_take_uint(q, "version", &s->wanted, err);
}

/* ---- what is told ---- */

static void put_module(const struct query *q,
                       const struct bundle_module *module, struct mapping *m)
{
    const struct logic_maker *maker = chain_core(q->chain)->maker;
    uint8_t hash[HASH_SIZE];
    sha256(module->source, hash);
    mapping_str(m, "name", module->name);
    mapping_str(m, "file", module->file);
    mapping_uint(m, "bytes", module->source.len);
    mapping_hex(m, "sha256", bytes_of(hash, HASH_SIZE));
    if (maker->knows != NULL && maker->knows(module->name, module->source))
        mapping_bool(m, "standard", true);
}

static void put_modules(const struct query *q, const struct bundle *bundle,
                        struct mapping *m)
{
    struct bundle_cursor cursor = bundle_modules(bundle);
    struct bundle_module module;
    struct buf *out = mapping_key(m, "modules");
    mp_put_array(out, bundle->count);
    while (bundle_next(&cursor, &module)) {
        struct mapping one = {0};
        put_module(q, &module, &one);
        mapping_put(&one, out);
    }
    mapping_str(m, "main", bundle->main_module);
}

/* `; there are ate, ate.types, bank` */
static void list_names(const struct bundle *bundle, struct buf *list)
{
    struct bundle_cursor cursor = bundle_modules(bundle);
    struct bundle_module module;
    buf_put_text(list, "; there are ");
    for (size_t i = 0; i < NAMES_TOLD && bundle_next(&cursor, &module); i++) {
        buf_put_text(list, i > 0 ? ", " : "");
        buf_put_bytes(list, module.name);
    }
    if (bundle->count > NAMES_TOLD)
        buf_printf(list, " and %" PRIu32 " more", bundle->count - NAMES_TOLD);
}

/* Their names, each with a zero behind it in `texts`. */
static void point_at_names(const struct bundle *bundle, struct buf *texts,
                           const char **names)
{
    struct bundle_cursor cursor = bundle_modules(bundle);
    struct bundle_module module;
    while (bundle_next(&cursor, &module)) {
        buf_put_bytes(texts, module.name);
        buf_put_u8(texts, 0);
    }
    const char *at = buf_text(texts);
    for (size_t i = 0; i < bundle->count; i++) {
        names[i] = at;
        at += strlen(at) + 1;
    }
}

static int no_module(const struct bundle *bundle, struct bytes name,
                     struct err *err)
{
    struct buf texts = {0};
    struct buf list = {0};
    const char **names = mem_alloc(bundle->count * sizeof(*names));
    point_at_names(bundle, &texts, names);
    list_names(bundle, &list);
    int rc = err_set(err, ATE_ENOT_FOUND, "no module '%.*s'", (int)name.len,
                     (const char *)name.data);
    near_tell(err, name, names, bundle->count, buf_text(&list));
    err_at(err, "module");
    mem_free(names);
    buf_deinit(&texts);
    buf_deinit(&list);
    return rc;
}

static void put_bundle(const struct logic *logic, const uint8_t hash[HASH_SIZE],
                       bool in_force, struct mapping *m)
{
    const struct schema *schema = logic->schema;
    mapping_text(m, "schema", schema->main);
    mapping_int(m, "version", schema_part(schema, schema->main)->version);
    mapping_hex(m, "bundle", bytes_of(hash, HASH_SIZE));
    mapping_bool(m, "in_force", in_force);
}

static int tell(struct query *q, const struct logic *logic,
                const uint8_t hash[HASH_SIZE], bool in_force, struct err *err)
{
    struct bytes name = q->source->module;
    struct bundle_module module;
    struct bundle bundle;
    struct mapping m = {0};
    int rc = bundle_get(logic->bundle, &bundle, err);
    if (rc == 0 && name.data != NULL && !bundle_find(&bundle, name, &module))
        rc = no_module(&bundle, name, err);
    if (rc != 0)
        return rc;
    put_bundle(logic, hash, in_force, &m);
    if (name.data == NULL) {
        put_modules(q, &bundle, &m);
    } else {
        put_module(q, &module, &m);
        mapping_str(&m, "source", module.source);
    }
    mapping_put(&m, &q->result);
    return STEP_END;
}

/* Is it the version that is wanted? Else it is noted. */
static bool is_wanted(struct query_source *s, const struct logic *logic)
{
    const struct schema *schema = logic->schema;
    int64_t version = schema_part(schema, schema->main)->version;
    if ((uint64_t)version == s->wanted)
        return true;
    buf_printf(&s->versions, "%s%" PRId64, s->versions.len > 0 ? ", " : "",
               version);
    return false;
}

/* ---- which bundle ---- */

static int tell_in_force(struct query *q, struct err *err)
{
    const struct core *core = chain_core(q->chain);
    struct query_source *s = q->source;
    if (s->wanted == UINT64_MAX || is_wanted(s, core->logic))
        return tell(q, core->logic, core->loaded, true, err);
    s->phase = SOURCE_NEXT;
    return STEP_MORE;
}

static int take_next(struct query *q)
{
    struct query_source *s = q->source;
    struct next_bundle next;
    s->phase = SOURCE_PAST;
    if (!next_bundle_get(q->door.version, &next))
        return STEP_MORE;
    memcpy(s->hash, next.hash, HASH_SIZE);
    s->index = next.index;
    s->n = next.n;
    s->phase = SOURCE_PLACED;
    return STEP_MORE;
}

static int no_version(struct query *q, struct err *err)
{
    struct query_source *s = q->source;
    err_set(err, ATE_ENOT_FOUND, "no version %" PRIu64 "; there are %s",
            s->wanted, buf_text(&s->versions));
    return err_at(err, "version");
}

/* That of genesis, whose body it is, is the last. */
static int take_past(struct query *q, struct err *err)
{
    struct query_source *s = q->source;
    size_t count = activated_count(q->door.version);
    if (s->past == count)
        return no_version(q, err);
    s->past++;
    if (s->past == count) {
        s->index = s->n = 0;
        s->phase = SOURCE_PLACED;
        return STEP_MORE;
    }
    struct activated_bundle was =
        activated_get(q->door.version, count - 1 - s->past);
    memcpy(s->hash, was.hash, HASH_SIZE);
    s->until = was.index;
    s->span = SPAN_FIRST;
    s->is_placed = false;
    s->phase = SOURCE_SEARCHED;
    return STEP_MORE;
}

/* ---- where its event is ---- */

static int visit(void *ctx, const struct chain_tx *tx, struct err *err)
{
    struct query_source *s = ((struct query *)ctx)->source;
    struct event_header h;
    struct bytes raw;
    (void)err;
    if (tx->member == NULL)
        return 0;
    struct batch_events events = batch_events(tx->member);
    for (uint64_t n = 0; batch_events_next(&events, &raw); n++) {
        if (event_header_get(raw, &h, NULL) != 0 || h.body_hash == NULL ||
            !bytes_equal(h.type, bytes_of_text(TYPE_BUNDLE)) ||
            memcmp(h.body_hash, s->hash, HASH_SIZE) != 0)
            continue;
        s->index = tx->index;
        s->n = n;
        s->is_placed = true;
    }
    return 0;
}

static void searched(void *ctx, int code, const struct err *err)
{
    query_resume(ctx, code, err);
}

/* The newest before its activation, wherever that is: mostly right there. */
static int search(struct query *q, struct err *err)
{
    struct query_source *s = q->source;
    if (s->is_placed) {
        s->phase = SOURCE_PLACED;
        return STEP_MORE;
    }
    if (s->until == 0)
        return err_set(err, ATE_ECORRUPT,
                       "the log does not have a bundle that was in force");
    uint64_t count = s->span < s->until ? s->span : s->until;
    s->until -= count;
    s->span = s->span < SPAN_MAX ? 2 * s->span : s->span;
    q->waiting = true;
    chain_read_transactions(q->chain, s->until, count, visit, searched, q);
    return STEP_WAIT;
}

static void got_body(void *ctx, struct bytes body, int code,
                     const struct err *err)
{
    struct query *q = ctx;
    buf_clear(&q->source->bundle);
    if (code == 0)
        buf_put_bytes(&q->source->bundle, body);
    query_resume(q, code, err);
}

static int read_bundle(struct query *q)
{
    struct query_source *s = q->source;
    s->phase = SOURCE_READ;
    q->waiting = true;
    chain_read_body(q->chain, s->index, s->n, got_body, q);
    return STEP_WAIT;
}

static int look(struct query *q, struct err *err)
{
    const struct core *core = chain_core(q->chain);
    struct query_source *s = q->source;
    struct logic_limits limits = core_limits(core);
    struct bytes bundle = buf_bytes(&s->bundle);
    struct logic *logic = NULL;
    int rc = core->maker->load(core->maker->ctx, bundle, &limits, &logic, err);
    if (rc != 0)
        return err_wrap(err, "the bundle of transaction %" PRIu64, s->index);
    s->phase = SOURCE_PAST;
    rc = STEP_MORE;
    if (is_wanted(s, logic)) {
        body_hash(bundle, s->hash);
        rc = tell(q, logic, s->hash, false, err);
    }
    logic->free(logic);
    return rc;
}

static int step(struct query *q, struct err *err)
{
    switch (q->source->phase) {
    case SOURCE_IN_FORCE:
        return tell_in_force(q, err);
    case SOURCE_NEXT:
        return take_next(q);
    case SOURCE_PAST:
        return take_past(q, err);
    case SOURCE_SEARCHED:
        return search(q, err);
    case SOURCE_PLACED:
        return read_bundle(q);
    case SOURCE_READ:
        break;
    }
    return look(q, err);
}

const struct query_kind query_source = {
    .name = "source",
    .begin = begin,
    .step = step,
    .of_damaged = true,
    .of_schema = true,
};
