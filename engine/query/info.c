/* info and schema: what a chain is. What takes a walk over all of its state is
 * told only when it is asked for. */
#include <string.h>

#include "acceptance/bundle_events.h"
#include "base/memory.h"
#include "base/msgpack.h"
#include "chain/checkpoint.h"
#include "chain/survey.h"
#include "query/inside.h"
#include "schema/describe.h"
#include "schema/fields.h"
#include "schema/time_text.h"
#include "state/roots.h"

static int nothing_begin(struct query *q, struct err *err)
{
    static const char *const names[] = {NULL};
    return query_check_args(q, names, err);
}

static void put_schema(struct mapping *m, const struct schema *s)
{
    const struct schema_part *part = schema_part(s, s->main);
    mapping_text(m, "schema", s->main);
    mapping_int(m, "version", part->version);
    mapping_text(m, "bodies", part->sealed ? "sealed" : "open");
}

static void put_genesis(struct query *q, struct mapping *m)
{
    const struct core *core = chain_core(q->chain);
    const struct genesis *g = &core->genesis;
    mapping_str(m, "name", g->name);
    mapping_hex(m, "id", bytes_of(core->id, CHAIN_ID_SIZE));
    mapping_hex(m, "bundle", bytes_of(core->bundle_hash, HASH_SIZE));
    struct next_bundle next;
    if (next_bundle_get(q->door.version, &next))
        mapping_hex(m, "next_bundle", bytes_of(next.hash, HASH_SIZE));
    struct buf *out = mapping_key(m, "accept");
    mp_put_array(out, (uint32_t)g->pipeline_count);
    for (size_t i = 0; i < g->pipeline_count; i++)
        mp_put_str(out, g->pipeline[i]);
}

/* Who is trusted at the bottom, as of now. */
static void put_roots(struct query *q, struct mapping *m)
{
    struct roots roots;
    struct term term;
    struct buf text = {0};
    roots_get(q->door.version, &roots);
    term_get(q->door.version, &term);
    struct buf *out = mapping_key(m, "roots");
    mp_put_array(out, (uint32_t)roots.count);
    for (size_t i = 0; i < roots.count; i++) {
        buf_clear(&text);
        door_put_identity(&q->door, roots.ids[i], &text);
        mp_put_str(out, buf_bytes(&text));
    }
    mapping_uint(m, "threshold", roots.threshold);
    if (roots.has_next)
        mapping_hex(m, "next_roots", bytes_of(roots.next, HASH_SIZE));
    buf_clear(&text);
    door_put_identity(&q->door, term.id, &text);
    mapping_str(m, "order", buf_bytes(&text));
    mapping_uint(m, "term", term.number);
    buf_clear(&text);
    checkpoint_vkey(q->chain, chain_size(q->chain), &text);
    mapping_str(m, "vkey", buf_bytes(&text));
    buf_deinit(&text);
}

/* What stands, or stood, behind the last good frame. */
static void put_tail(const struct log *log, struct mapping *m)
{
    bool reads = log->mode == LOG_READ_ONLY;
    if (log->cut > 0)
        mapping_uint(m, reads ? "torn_bytes" : "cut_bytes", log->cut);
    if (log->suspect)
        mapping_text(m, "suspect",
                     "among what opening cut off was a good frame");
    if (log->bad_slot.code != 0)
        mapping_text(m, "damaged_slot", log->bad_slot.text);
}

static void put_log(struct query *q, struct mapping *m)
{
    const struct log *log = chain_log(q->chain);
    struct tree_version v = q->door.version;
    uint8_t root[HASH_SIZE];
    struct buf text = {0};
    const struct err *why = NULL;
    chain_root(q->chain, root);
    mapping_uint(m, "size", chain_size(q->chain));
    mapping_hex(m, "root", bytes_of(root, HASH_SIZE));
    time_put(&text, state_time(v));
    mapping_str(m, "time", buf_bytes(&text));
    buf_deinit(&text);
    int64_t ahead_ms = chain_time_ahead(q->chain);
    if (ahead_ms > 0)
        mapping_uint(m, "time_ahead_ms", (uint64_t)ahead_ms);
    mapping_uint(m, "head_bytes", log->end.offset);
    mapping_uint(m, "body_bytes", log->end.body_offset);
    put_tail(log, m);
    const struct core *core = chain_core(q->chain);
    mapping_uint(m, "fold_failures", core->fold_failures);
    if (core->fold_failures > 0)
        mapping_text(m, "fold_failure", core->fold_failure.text);
    bool bad = chain_state(q->chain, &why) != 0;
    mapping_text(m, "state", chain_state_word(q->chain));
    if (bad) {
        mapping_text(m, "error", why->text);
        mapping_text(m, "code", err_name(why->code));
        if (why->reason[0] != '\0')
            mapping_text(m, "reason", why->reason);
    }
}

static void surveyed(void *ctx)
{
    query_resume(ctx, 0, NULL);
}

static void put_survey(struct query *q)
{
    const struct survey *survey = q->survey;
    struct mapping m = {0};
    struct buf more = {0};
    struct buf all = {0};
    mapping_hex(&m, "state_root", bytes_of(survey->root, HASH_SIZE));
    mapping_uint(&m, "objects", survey->objects);
    mapping_uint(&m, "rows", survey->rows);
    mapping_put(&m, &more);
    fields_merge(&all, buf_bytes(&q->result), buf_bytes(&more));
    buf_deinit(&more);
    buf_deinit(&q->result);
    q->result = all;
}

static void put_info(struct query *q)
{
    struct mapping m = {0};
    put_genesis(q, &m);
    put_roots(q, &m);
    put_schema(&m, chain_core(q->chain)->schema);
    put_log(q, &m);
    mapping_put(&m, &q->result);
}

/* All of it is as it was when the survey began. */
static int info_step(struct query *q, struct err *err)
{
    if (q->survey != NULL) {
        put_survey(q);
        return STEP_END;
    }
    if (q->all && !survey_may_begin(q->chain))
        return err_set(err, ATE_EUNAVAILABLE,
                       "another schema is being put in force, which waits for "
                       "those that look at all of the state; ask again");
    put_info(q);
    if (!q->all)
        return STEP_END;
    q->survey = mem_zero(1, sizeof(*q->survey));
    q->waiting = true;
    survey_begin(q->survey, q->chain, surveyed, q);
    return STEP_WAIT;
}

static int info_begin(struct query *q, struct err *err)
{
    static const char *const names[] = {"state", NULL};
    int rc = query_check_args(q, names, err);
    return rc != 0 ? rc : query_take_flag(q, "state", &q->all, err);
}

const struct query_kind query_info = {
    .name = "info",
    .begin = info_begin,
    .step = info_step,
    .of_damaged = true,
};

static int schema_step(struct query *q, struct err *err)
{
    (void)err;
    schema_describe(chain_core(q->chain)->schema, &q->result);
    return STEP_END;
}

const struct query_kind query_schema = {
    .name = "schema",
    .begin = nothing_begin,
    .step = schema_step,
    .of_damaged = true,
};
