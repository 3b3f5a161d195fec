#include "acceptance/work_methods.h"

#include <assert.h>

#include "acceptance/engine_methods.h"
#include "acceptance/logic.h"
#include "acceptance/work_events.h"
#include "base/err.h"
#include "base/msgpack.h"
#include "state/work.h"

#define WORKER                                                                 \
    ENGINE_ARG("worker", VALUE_TEXT, false, LIMIT_TYPE_NAME,                   \
               "Its full name, such as bank.overdue.")
#define ITEM                                                                   \
    ENGINE_ARG("item", VALUE_BLOB, false, WORK_ITEM_MAX, "What waits for it.")
#define NUMBER                                                                 \
    ENGINE_ARG("n", VALUE_INTEGER, false, 1, "How many it asked before.")

struct field work_item_args[] = {ITEM, WORKER};
struct field work_park_args[] = {
    ITEM,
    ENGINE_ARG("why", VALUE_TEXT, false, WORK_WHY_MAX, "Why it is."),
    WORKER,
};
struct field work_ask_args[] = {
    ITEM,
    NUMBER,
    ENGINE_ARG("request", VALUE_BLOB, false, LIMIT_BODY_PIECE, "The request."),
    ENGINE_ARG("service", VALUE_TEXT, false, LIMIT_KIND_NAME, "Whom it asks."),
    WORKER,
};
struct field work_answer_args[] = {
    ENGINE_ARG("answer", VALUE_BLOB, false, LIMIT_BODY_PIECE, "The answer."),
    ITEM,
    NUMBER,
    WORKER,
};
struct field work_parked_args[] = {
    ENGINE_ARG("parked", VALUE_TEXT, false, 48,
               "Where it was parked, such as 12.0."),
};

/* ---- events ---- */

static int emit_work(struct call *c, const struct work_fields *f,
                     struct err *err)
{
    struct buf fields = {0};
    work_fields_put(&fields, f);
    int rc = engine_emit(c, TYPE_WORK, buf_bytes(&fields), NULL,
                         bytes_of(NULL, 0), err);
    buf_deinit(&fields);
    return rc;
}

static int run_park(struct call *c, struct err *err)
{
    struct work_fields f = {
        .worker = engine_arg_text(c, "worker"),
        .item = engine_arg_bytes(c, "item"),
        .outcome = WORK_PARK,
        .why = engine_arg_text(c, "why"),
    };
    return emit_work(c, &f, err);
}

static int run_asked(struct call *c, const char *type, const char *body,
                     struct err *err)
{
    struct buf fields = {0};
    struct ask_fields f = {
        .worker = engine_arg_text(c, "worker"),
        .item = engine_arg_bytes(c, "item"),
        .n = (uint64_t)engine_arg_int(c, "n", 0),
        .service = engine_arg_text(c, "service"),
    };
    ask_fields_put(&fields, &f);
    int rc = engine_emit(c, type, buf_bytes(&fields), NULL,
                         engine_arg_bytes(c, body), err);
    buf_deinit(&fields);
    return rc;
}

/* Whose it is that was parked there; NULL: nobody's. */
static const struct worker *find_parked(const struct call *c,
                                        struct bytes place)
{
    const struct schema *s = c->core->schema;
    struct work_parked parked;
    for (size_t i = 0; i < s->worker_count; i++)
        if (work_parked(c->version, s->workers[i].method.name, place, &parked))
            return &s->workers[i];
    return NULL;
}

static int run_parked(struct call *c, enum work_outcome outcome,
                      struct err *err)
{
    struct bytes text = engine_arg_text(c, "parked");
    uint64_t index = 0;
    uint64_t n = 0;
    if (!engine_place_get(text, &index, &n)) {
        err_set(err, ATE_EINVALID,
                "'%.*s': want the place where it was parked, such as 12.0",
                (int)text.len, (const char *)text.data);
        return err_at(err, "parked");
    }
    struct work_item place = work_item_at(WORK_PARKED, index, n);
    const struct worker *worker = find_parked(c, work_item_bytes(&place));
    if (worker == NULL) {
        err_set(err, ATE_ENOT_FOUND, "nothing is parked at '%.*s'",
                (int)text.len, (const char *)text.data);
        return err_at(err, "parked");
    }
    struct work_fields f = {
        .worker = bytes_of_text(worker->method.name),
        .item = work_item_bytes(&place),
        .outcome = outcome,
    };
    return emit_work(c, &f, err);
}

/* ---- working ---- */

static int run_function(struct call *c, struct work_run *work, struct err *err)
{
    const struct method *method = c->method;
    c->method = &work->worker->method;
    c->work = work;
    int rc = c->core->logic->run(c->core->logic, c, err);
    c->method = method;
    c->work = NULL;
    buf_clear(&c->result); /* nobody asked for it */
    return rc;
}

/* What it is about: the event, or the row, as they stand before the call. */
static int take_subject(const struct call *c, struct work_run *work,
                        struct object *event, struct err *err)
{
    struct bytes value;
    const char *name = work->worker->method.name;
    if (!work_item_waits(work->item) ||
        !work_get(c->before, name, work->item, &value))
        return err_set(err, ATE_ENOT_FOUND,
                       "nothing waits there for %s: it was worked, or is gone",
                       name);
    if (work_item_class(work->item) == WORK_EVENT) {
        work_event(work->item, value, event);
        work->event = event;
        return 0;
    }
    work->row_key = work_row_key(value);
    bool there =
        row_get(c->before, work->worker->view, work->row_key, &work->columns);
    assert(there);
    if (work_item_time(work->item) <= c->time)
        return 0;
    return err_set(err, ATE_EINVALID, "%s: its time has not come, by log time",
                   name);
}

/* The item ends first: what the function does to the row that it waited for, it
 * does to one that is worked already. */
static int run_work(struct call *c, struct err *err)
{
    struct object event;
    struct bytes name = engine_arg_text(c, "worker");
    struct work_run work = {
        .worker = schema_worker(c->core->schema, name),
        .item = engine_arg_bytes(c, "item"),
    };
    c->asking.is_asking = false;
    if (work.worker == NULL) {
        err_set(err, ATE_ENOT_FOUND, "there is no worker '%.*s'", (int)name.len,
                (const char *)name.data);
        return err_at(err, "worker");
    }
    struct work_fields f = {
        .worker = bytes_of_text(work.worker->method.name),
        .item = work.item,
        .outcome = WORK_DONE,
    };
    int rc = take_subject(c, &work, &event, err);
    if (rc == 0)
        rc = emit_work(c, &f, err);
    return rc == 0 ? run_function(c, &work, err) : rc;
}

int work_method_run(struct call *c, struct err *err)
{
    switch (c->method->by_default) {
    case DEFAULT_WORK:
        return run_work(c, err);
    case DEFAULT_PARK:
        return run_park(c, err);
    case DEFAULT_ASK:
        return run_asked(c, TYPE_ASK, "request", err);
    case DEFAULT_ANSWER:
        return run_asked(c, TYPE_ANSWER, "answer", err);
    case DEFAULT_RETRY:
        return run_parked(c, WORK_RETRIED, err);
    case DEFAULT_DROP:
        return run_parked(c, WORK_DROPPED, err);
    default:
        assert(!"a method of the engine");
        return err_set(err, ATE_EINVALID, "%s", c->method->name);
    }
}
