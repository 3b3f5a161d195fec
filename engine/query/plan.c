/* plan: what another bundle would change, and what the log comes to under it.
 * It is tried from the beginning, on a core of its own; nothing is written. */
#include <string.h>

#include "acceptance/logic.h"
#include "acceptance/schema_diff.h"
#include "base/msgpack.h"
#include "chain/upgrade.h"
#include "query/inside.h"

enum { PLAN_PIECE = 256 }; /* frames between two reports of progress */

static int begin(struct query *q, struct err *err)
{
    static const char *const names[] = {"bundle", NULL};
    struct bytes bundle;
    int rc = query_check_args(q, names, err);
    struct mp mp = mp_open(mp_map_get(buf_bytes(&q->args), "bundle"));
    if (rc == 0 && (mp.at == NULL || mp_get_bin(&mp, &bundle, NULL) != 0))
        rc = args_wrong("bundle", "has to be bytes", err);
    if (rc == 0)
        rc = upgrade_new(&q->upgrade, q->chain, bundle, true, err);
    return rc;
}

static void tried(void *ctx, int code, const struct err *err)
{
    query_resume(ctx, code, err);
}

static void put_report(struct query *q)
{
    struct mapping m = {0};
    const struct upgrade_report *r = upgrade_report(q->upgrade);
    struct logic *before = chain_core(q->chain)->logic;
    struct logic *after = upgrade_core(q->upgrade)->logic;
    const struct schema *s = after->schema;
    schema_diff(before, after, mapping_key(&m, "changes"));
    mapping_hex(&m, "bundle",
                bytes_of(upgrade_core(q->upgrade)->loaded, HASH_SIZE));
    mapping_text(&m, "schema", s->main);
    mapping_int(&m, "version", schema_part(s, s->main)->version);
    mapping_uint(&m, "transactions", r->transactions);
    mapping_uint(&m, "events", r->events);
    mapping_uint(&m, "converted", r->converted);
    mapping_uint(&m, "refused", r->refused);
    if (r->refused > 0) {
        mapping_text(&m, "refusal", r->refusal.text);
        mapping_uint(&m, "refused_index", r->refused_index);
    }
    mapping_put(&m, &q->result);
}

static int step(struct query *q, struct err *err)
{
    struct mapping m = {0};
    uint64_t at = upgrade_frame(q->upgrade);
    uint64_t end = chain_log(q->chain)->end.frames;
    (void)err;
    if (at == end) {
        put_report(q);
        return STEP_END;
    }
    if (at > 0) {
        mapping_uint(&m, "done", at);
        mapping_uint(&m, "total", end);
        mapping_put(&m, &q->row);
        query_emit(q);
    }
    q->waiting = true;
    upgrade_run(q->upgrade, at + PLAN_PIECE < end ? at + PLAN_PIECE : end,
                tried, q);
    return STEP_WAIT;
}

const struct query_kind query_plan = {
    .name = "plan", .begin = begin, .step = step};
