/* plan: what another bundle would change, and what the log comes to under it.
 * It is tried from the beginning, on a core of its own; nothing is written. */
#include <string.h>

#include "acceptance/logic.h"
#include "acceptance/schema_diff.h"
#include "base/msgpack.h"
#include "chain/upgrade.h"
#include "query/inside.h"
#include "state/work_moved.h"

enum { PLAN_PIECE = 256 }; /* frames between two reports of progress */

static int begin(struct query *q, struct err *err)
{
    static const char *const names[] = {"bundle", NULL};
    struct bytes bundle = {NULL, 0};
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

/* ---- what workers have to do ---- */

struct work_list {
    struct query *q;
    const struct schema *schema; /* that has the worker */
    struct buf items;
    uint32_t count;
};

static void put_work(struct work_list *list, const struct worker *worker)
{
    struct mapping m = {0};
    const char *name = worker->method.name;
    struct work_moved moved =
        work_moved(state_head(&chain_core(list->q->chain)->state),
                   state_head(&upgrade_core(list->q->upgrade)->state), name);
    if (moved.dropped == 0 && moved.new == 0)
        return;
    mapping_text(&m, "worker", schema_short(list->schema, name));
    mapping_uint(&m, "dropped", moved.dropped);
    mapping_uint(&m, "new", moved.new);
    mapping_put(&m, &list->items);
    list->count++;
}

/* Of the workers of both schemas, each once. */
static void put_works(struct query *q, const struct schema *before,
                      const struct schema *after, struct buf *out)
{
    struct work_list list = {.q = q, .schema = after};
    for (size_t i = 0; i < after->worker_count; i++)
        put_work(&list, &after->workers[i]);
    list.schema = before;
    for (size_t i = 0; i < before->worker_count; i++) {
        const char *name = before->workers[i].method.name;
        if (schema_worker(after, bytes_of_text(name)) == NULL)
            put_work(&list, &before->workers[i]);
    }
    mp_put_array(out, list.count);
    buf_put_bytes(out, buf_bytes(&list.items));
    buf_deinit(&list.items);
}

static void put_report(struct query *q)
{
    struct mapping m = {0};
    const struct upgrade_report *r = upgrade_report(q->upgrade);
    struct logic *before = chain_core(q->chain)->logic;
    struct logic *after = upgrade_core(q->upgrade)->logic;
    const struct schema *s = after->schema;
    schema_diff(before, after, mapping_key(&m, "changes"));
    put_works(q, before->schema, s, mapping_key(&m, "work"));
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
    if (q->carried) {
        put_report(q);
        return STEP_END;
    }
    if (at == end) {
        q->carried = true;
        q->waiting = true;
        upgrade_finish(q->upgrade, false, tried, q);
        return STEP_WAIT;
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
