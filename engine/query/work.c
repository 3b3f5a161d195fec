/* workers: those of a schema, and how much waits for each. work: what waits,
 * and what is parked, worker by worker. */
#include <string.h>

#include "base/msgpack.h"
#include "query/inside.h"
#include "schema/time_text.h"
#include "state/work.h"

static void put_place(struct buf *out, uint64_t index, uint64_t n)
{
    buf_printf(out, "%llu.%llu", (unsigned long long)index,
               (unsigned long long)n);
}

void work_item_text(struct bytes item, struct buf *out)
{
    if (work_item_class(item) != WORK_DUE) {
        put_place(out, work_item_index(item), work_item_n(item));
        return;
    }
    time_put(out, work_item_time(item));
    buf_printf(out, "#%02x%02x%02x%02x", item.data[9], item.data[10],
               item.data[11], item.data[12]);
}

/* ---- workers ---- */

static int workers_begin(struct query *q, struct err *err)
{
    static const char *const names[] = {NULL};
    return query_check_args(q, names, err);
}

/* Count a worker's items of a class, as far as a step goes. True: all are. */
static bool count_items(struct query *q, const char *worker,
                        enum work_class class, uint64_t *count)
{
    struct buf prefix = {0};
    struct bytes key;
    struct bytes value;
    bool more;
    work_prefix(&prefix, worker, class);
    do {
        more = state_step(q->door.version, buf_bytes(&prefix), &q->at, false,
                          &key, &value);
        if (more && (*count)++ == 0 && class == WORK_DUE)
            q->due = work_item_time(work_item_in(worker, key));
    } while (more && !query_has_worked(q));
    if (!more)
        buf_clear(&q->at);
    buf_deinit(&prefix);
    return !more;
}

static void put_worker(struct query *q, const struct worker *worker)
{
    const struct schema *s = chain_core(q->chain)->schema;
    const char *name = worker->method.name;
    bool is_due = worker->view != NULL;
    struct mapping m = {0};
    struct buf next = {0};
    mapping_text(&m, "worker", schema_short(s, name));
    mapping_text(&m, "doc", worker->method.doc);
    struct buf *list = mapping_key(&m, is_due ? "due" : "on");
    mp_put_array(list, (uint32_t)(is_due ? 2 : worker->on.count));
    if (is_due) {
        mp_put_text(list, schema_short(s, worker->view->name));
        mp_put_text(list, worker->view->columns.items[worker->column].name);
    }
    for (size_t i = 0; i < worker->on.count; i++)
        mp_put_text(list, schema_short(s, worker->on.items[i]));
    mapping_uint(&m, "waiting", q->counted[0]);
    if (is_due && q->counted[0] > 0) {
        time_put(&next, q->due);
        mapping_str(&m, "next", buf_bytes(&next));
    }
    mapping_uint(&m, "parked", q->counted[1]);
    mapping_put(&m, &q->row);
    buf_deinit(&next);
}

/* q->n: the worker; q->index: which of its items are counted. */
static int workers_step(struct query *q, struct err *err)
{
    const struct schema *s = chain_core(q->chain)->schema;
    (void)err;
    if (q->n >= s->worker_count)
        return STEP_END;
    const struct worker *worker = &s->workers[q->n];
    enum work_class waits = worker->view != NULL ? WORK_DUE : WORK_EVENT;
    enum work_class class = q->index == 0 ? waits : WORK_PARKED;
    if (!count_items(q, worker->method.name, class, &q->counted[q->index]))
        return STEP_MORE;
    if (q->index++ == 0)
        return STEP_MORE;
    put_worker(q, worker);
    query_emit(q);
    q->n++;
    q->index = q->counted[0] = q->counted[1] = 0;
    return STEP_MORE;
}

const struct query_kind query_workers = {
    .name = "workers",
    .begin = workers_begin,
    .step = workers_step,
    .of_schema = true,
};

/* ---- work ---- */

static int work_begin(struct query *q, struct err *err)
{
    static const char *const names[] = {"limit", "parked", "worker", NULL};
    const struct schema *s = chain_core(q->chain)->schema;
    struct bytes name = {NULL, 0};
    int rc = query_check_args(q, names, err);
    if (rc == 0)
        rc = query_take_page(q, err);
    if (rc == 0)
        rc = query_take_flag(q, "parked", &q->all, err); /* those alone */
    if (rc == 0)
        rc = query_take_text(q, "worker", false, &name, err);
    if (rc != 0 || name.data == NULL)
        return rc;
    const struct worker *worker = schema_worker(s, name);
    if (worker == NULL)
        return schema_no_worker(s, name, err);
    q->has_object = true; /* one worker */
    q->n = (uint64_t)(worker - s->workers);
    return 0;
}

/* What it is about: the event's type and object, or the row. */
static void put_subject(struct query *q, const struct worker *worker,
                        struct bytes item, struct bytes value,
                        struct mapping *m)
{
    const struct schema *s = chain_core(q->chain)->schema;
    struct bytes columns;
    struct object o;
    struct buf text = {0};
    if (work_item_class(item) == WORK_EVENT) {
        work_event(item, value, &o);
        const struct event_type *type = schema_type(s, o.header.type);
        if (type != NULL)
            buf_printf(&text, "%s/", schema_short(s, type->name));
        door_put_ref(&q->door, o.header.object, &text);
        mapping_str(m, "what", buf_bytes(&text));
    } else {
        struct buf row = {0};
        time_put(&text, work_item_time(item));
        mapping_str(m, "due", buf_bytes(&text));
        struct bytes key = work_row_key(value);
        if (row_get(q->door.version, worker->view, key, &columns)) {
            row_whole(&row, worker->view, key, columns);
            door_give(&q->door, &worker->view->columns, buf_bytes(&row),
                      mapping_key(m, "row"));
        }
        buf_deinit(&row);
    }
    buf_deinit(&text);
}

static void put_item(struct query *q, const struct worker *worker,
                     struct bytes item, struct bytes value)
{
    const char *name = worker->method.name;
    struct mapping m = {0};
    struct buf text = {0};
    struct work_parked parked;
    bool is_parked = work_item_is_parked(item);
    mapping_text(&m, "worker",
                 schema_short(chain_core(q->chain)->schema, name));
    work_item_text(item, &text);
    mapping_str(&m, is_parked ? "parked" : "item", buf_bytes(&text));
    if (is_parked) {
        bool there = work_parked(q->door.version, name, item, &parked);
        assert(there);
        buf_clear(&text);
        work_item_text(parked.item, &text);
        mapping_str(&m, "item", buf_bytes(&text));
        mapping_str(&m, "why", parked.why);
        buf_clear(&text);
        time_put(&text, parked.time);
        mapping_str(&m, "time", buf_bytes(&text));
        put_subject(q, worker, parked.item, parked.value, &m);
    } else {
        put_subject(q, worker, item, value, &m);
    }
    mapping_put(&m, &q->row);
    buf_deinit(&text);
}

/* q->n: the worker; q->index: 0, what is parked, or 1, what waits. */
static int work_query_step(struct query *q, struct err *err)
{
    const struct schema *s = chain_core(q->chain)->schema;
    struct buf prefix = {0};
    struct bytes key;
    struct bytes value;
    (void)err;
    if (q->limit == 0 || q->n >= s->worker_count)
        return STEP_END;
    const struct worker *worker = &s->workers[q->n];
    enum work_class waits = worker->view != NULL ? WORK_DUE : WORK_EVENT;
    work_prefix(&prefix, worker->method.name,
                q->index == 0 ? WORK_PARKED : waits);
    bool found = state_step(q->door.version, buf_bytes(&prefix), &q->at, false,
                            &key, &value);
    buf_deinit(&prefix);
    if (found) {
        put_item(q, worker, work_item_in(worker->method.name, key), value);
        query_emit(q);
        return STEP_MORE;
    }
    buf_clear(&q->at);
    if (q->index == 0 && !q->all) {
        q->index = 1;
        return STEP_MORE;
    }
    q->index = 0;
    q->n++;
    return q->has_object ? STEP_END : STEP_MORE;
}

const struct query_kind query_work = {
    .name = "work",
    .begin = work_begin,
    .step = work_query_step,
    .of_schema = true,
};
