/* While a log is tried again under another bundle, only items of rows are
 * looked at: they come of the rows. Those of events, and what was asked, are
 * carried over from the state before (work_carry()). */
#include "acceptance/work_events.h"

#include <string.h>

#include "acceptance/authority.h"
#include "acceptance/event_fields.h"
#include "acceptance/logic.h"
#include "base/err.h"
#include "base/msgpack.h"
#include "state/delegation.h"
#include "state/roots.h"
#include "state/work.h"

/* ---- fields ---- */

static const char *const outcomes[WORK_OUTCOMES] = {
    [WORK_DONE] = "done",
    [WORK_PARK] = "parked",
    [WORK_RETRIED] = "retried",
    [WORK_DROPPED] = "dropped",
};

static struct bytes take_text(struct event_fields *r, const char *name,
                              bool optional, size_t len_max)
{
    struct bytes text = {NULL, 0};
    struct mp mp = event_fields_take(r, name, optional);
    if (r->rc != 0 || mp.at == NULL)
        return text;
    event_fields_took(r, &mp, name, mp_get_str(&mp, &text, r->err));
    if (r->rc == 0 && text.len > len_max)
        r->rc = err_set(r->err, ATE_EINVALID, "field '%s': is too long", name);
    return text;
}

static struct bytes take_item(struct event_fields *r)
{
    struct bytes item = {NULL, 0};
    struct mp mp = event_fields_take(r, "item", false);
    if (r->rc == 0)
        event_fields_took(r, &mp, "item", mp_get_bin(&mp, &item, r->err));
    if (r->rc == 0 && !work_item_waits(item) && !work_item_is_parked(item))
        r->rc = err_set(r->err, ATE_EINVALID, "field 'item': is none");
    return item;
}

void work_fields_put(struct buf *out, const struct work_fields *f)
{
    struct mapping m = {0};
    event_fields_bin(&m, "item", f->item.data, f->item.len);
    mapping_text(&m, "outcome", outcomes[f->outcome]);
    if (f->why.data != NULL)
        mapping_str(&m, "why", f->why);
    mapping_str(&m, "worker", f->worker);
    mapping_put(&m, out);
}

int work_fields_get(struct bytes map, struct work_fields *f, struct err *err)
{
    struct err unused;
    struct event_fields r = event_fields_open(map, err, &unused);
    *f = (struct work_fields){.outcome = WORK_OUTCOMES};
    f->item = take_item(&r);
    struct bytes word = take_text(&r, "outcome", false, LIMIT_KIND_NAME);
    f->why = take_text(&r, "why", true, WORK_WHY_MAX);
    f->worker = take_text(&r, "worker", false, LIMIT_TYPE_NAME);
    for (int i = 0; i < WORK_OUTCOMES; i++)
        if (r.rc == 0 && bytes_equal(word, bytes_of_text(outcomes[i])))
            f->outcome = (enum work_outcome)i;
    bool of_parked = f->outcome == WORK_RETRIED || f->outcome == WORK_DROPPED;
    if (r.rc == 0 && (f->outcome == WORK_OUTCOMES ||
                      work_item_is_parked(f->item) != of_parked ||
                      (f->why.data != NULL) != (f->outcome == WORK_PARK)))
        r.rc = err_set(r.err, ATE_EINVALID,
                       "its outcome is none, or not one of its item");
    return event_fields_end(&r, TYPE_WORK);
}

void ask_fields_put(struct buf *out, const struct ask_fields *f)
{
    struct mapping m = {0};
    event_fields_bin(&m, "item", f->item.data, f->item.len);
    mapping_uint(&m, "n", f->n);
    if (f->service.data != NULL)
        mapping_str(&m, "service", f->service);
    mapping_str(&m, "worker", f->worker);
    mapping_put(&m, out);
}

int ask_fields_get(struct bytes map, bool asks, struct ask_fields *f,
                   struct err *err)
{
    struct err unused;
    struct event_fields r = event_fields_open(map, err, &unused);
    *f = (struct ask_fields){0};
    f->item = take_item(&r);
    f->n = event_fields_take_uint(&r, "n");
    if (asks)
        f->service = take_text(&r, "service", false, LIMIT_KIND_NAME);
    f->worker = take_text(&r, "worker", false, LIMIT_TYPE_NAME);
    if (r.rc == 0 && (!work_item_waits(f->item) || f->n >= WORK_ASKS_MAX))
        r.rc = err_set(r.err, ATE_EINVALID,
                       "its item is parked, or it is beyond %d", WORK_ASKS_MAX);
    return event_fields_end(&r, asks ? TYPE_ASK : TYPE_ANSWER);
}

bool work_made_by(const struct trial *t, struct bytes *worker)
{
    for (size_t i = 0; i < t->count; i++) {
        const struct trial_event *e = t->events[i];
        struct work_fields f;
        if (e->type != NULL ||
            !bytes_equal(e->header.type, bytes_of_text(TYPE_WORK)) ||
            work_fields_get(e->header.fields, &f, NULL) != 0 ||
            f.outcome != WORK_DONE)
            continue;
        *worker = f.worker;
        return true;
    }
    return false;
}

/* ---- who ---- */

static bool is_order_key(const struct trial *t)
{
    struct term term;
    term_get(state_head(&t->core->state), &term);
    return memcmp(t->author, term.id, KEY_ID_SIZE) == 0;
}

static int need_order_key(const struct trial *t, const char *type,
                          struct err *err)
{
    if (is_order_key(t))
        return 0;
    return err_set(err, ATE_EDENIED,
                   "%s: only the order key of the term signs it", type);
}

/* Who takes back what is parked. */
static int need_right(const struct trial *t, struct err *err)
{
    struct spot all = {NULL, NULL};
    if (is_order_key(t) || authority_is_root(t) ||
        authority_may(t, RIGHT_ORDER, &all))
        return 0;
    return err_set(err, ATE_EDENIED,
                   TYPE_WORK ": it takes the chain's root keys, or the right "
                             "'" RIGHT_ORDER "' on the whole chain");
}

static const struct worker *find_worker(const struct trial *t,
                                        struct bytes name)
{
    const struct worker *w = schema_worker(t->core->schema, name);
    return w != NULL && bytes_equal(name, bytes_of_text(w->method.name)) ? w
                                                                         : NULL;
}

static int no_worker(const char *type, struct bytes name, struct err *err)
{
    return err_set(err, ATE_ENOT_FOUND, "%s: there is no worker '%.*s'", type,
                   (int)name.len, (const char *)name.data);
}

/* ---- ate.work ---- */

static void change(struct trial *t, size_t n, const struct worker *worker,
                   const struct work_fields *f)
{
    struct state *s = &t->core->state;
    const char *name = worker->method.name;
    struct work_item place = work_item_at(WORK_PARKED, t->index, n);
    switch (f->outcome) {
    case WORK_PARK:
        work_park(s, name, f->item, work_item_bytes(&place), t->time, f->why);
        break;
    case WORK_RETRIED:
        work_retry(s, worker, f->item);
        break;
    case WORK_DROPPED:
        work_drop(s, name, f->item);
        break;
    case WORK_DONE:
    default:
        work_end(s, name, f->item);
    }
}

/* Of a row, when no fold runs: what is said of it is believed. */
static bool believe(const struct trial *t, const struct worker *worker,
                    struct bytes item)
{
    if (!t->core->logic->runs_nothing || worker->view == NULL ||
        work_item_class(item) != WORK_DUE)
        return false;
    work_believe(&t->core->state, worker->method.name, item);
    return true;
}

/* Of an item that waits: is there one, and has its time come? */
static int check_waits(const struct trial *t, const char *type,
                       const struct worker *worker, struct bytes item,
                       struct err *err)
{
    struct bytes value;
    const char *name = worker->method.name;
    believe(t, worker, item);
    if (!work_get(state_head(&t->core->state), name, item, &value))
        return err_set(err, ATE_ENOT_FOUND,
                       "%s: nothing waits there for %s: it was worked, or is "
                       "gone",
                       type, name);
    if (work_item_class(item) == WORK_DUE && work_item_time(item) > t->time)
        return err_set(err, ATE_EINVALID,
                       "%s: its time has not come, by log time", type);
    return 0;
}

/* What a log said that is tried again. */
static int rework(struct trial *t, size_t n, const struct work_fields *f)
{
    const struct worker *worker = find_worker(t, f->worker);
    struct bytes value;
    if (worker == NULL || worker->view == NULL)
        return 0;
    if (work_item_waits(f->item))
        believe(t, worker, f->item);
    if (work_item_is_parked(f->item) ||
        (work_item_class(f->item) == WORK_DUE &&
         work_get(state_head(&t->core->state), worker->method.name, f->item,
                  &value)))
        change(t, n, worker, f);
    return 0;
}

int apply_work(struct trial *t, const struct trial_event *e, size_t n,
               struct err *err)
{
    struct work_fields f;
    struct work_parked parked;
    int rc = work_fields_get(e->header.fields, &f, err);
    if (rc != 0)
        return rc;
    if (t->refold != NULL)
        return rework(t, n, &f);
    bool waits = work_item_waits(f.item);
    rc = waits ? need_order_key(t, TYPE_WORK, err) : need_right(t, err);
    if (rc != 0)
        return rc;
    const struct worker *worker = find_worker(t, f.worker);
    if (worker == NULL)
        return no_worker(TYPE_WORK, f.worker, err);
    if (waits)
        rc = check_waits(t, TYPE_WORK, worker, f.item, err);
    else if (!work_parked(state_head(&t->core->state), worker->method.name,
                          f.item, &parked))
        rc = err_set(err, ATE_ENOT_FOUND,
                     TYPE_WORK ": nothing that was parked there waits for it");
    if (rc == 0)
        change(t, n, worker, &f);
    return rc;
}

/* ---- ate.ask, ate.answer ---- */

/* A request or an answer: one canonical value that a run can take. */
static int check_value(const char *type, const struct trial_event *e,
                       struct err *err)
{
    if (e->header.body_length == 0 || e->header.body_length > LIMIT_BODY_PIECE)
        return err_set(
            err, ATE_EINVALID, "%s: its body has %llu bytes, want 1 to %d",
            type, (unsigned long long)e->header.body_length, LIMIT_BODY_PIECE);
    if (e->body.data != NULL && mp_check(e->body, err) != 0)
        return err_wrap(err, "%s: body", type);
    return 0;
}

static int check_ask(struct trial *t, const char *type,
                     const struct trial_event *e, struct ask_fields *f,
                     const struct worker **worker, struct err *err)
{
    bool asks = strcmp(type, TYPE_ASK) == 0;
    int rc = ask_fields_get(e->header.fields, asks, f, err);
    if (rc != 0)
        return rc;
    *worker = find_worker(t, f->worker);
    if (t->refold != NULL) {
        if (*worker != NULL)
            believe(t, *worker, f->item);
        return 0;
    }
    rc = check_value(type, e, err);
    if (rc == 0)
        rc = need_order_key(t, type, err);
    if (rc == 0 && *worker == NULL)
        rc = no_worker(type, f->worker, err);
    if (rc == 0)
        rc = check_waits(t, type, *worker, f->item, err);
    return rc;
}

int apply_ask(struct trial *t, const struct trial_event *e, size_t n,
              struct err *err)
{
    struct ask_fields f;
    struct work_ask last;
    const struct worker *worker = NULL;
    int rc = check_ask(t, TYPE_ASK, e, &f, &worker, err);
    if (rc != 0 || t->refold != NULL)
        return rc;
    struct tree_version v = state_head(&t->core->state);
    const char *name = worker->method.name;
    if (f.n == 0 && believe(t, worker, f.item)) {
        work_forget_asks(&t->core->state, name, f.item);
        v = state_head(&t->core->state);
    }
    if (work_ask(v, name, f.item, f.n, &last) ||
        (f.n > 0 &&
         !(work_ask(v, name, f.item, f.n - 1, &last) && last.answered)))
        return err_set(err, ATE_ECONFLICT,
                       TYPE_ASK ": it was asked, or what comes before it was "
                                "not answered");
    struct work_ask ask = {
        .service = f.service,
        .digest = e->header.body_hash,
        .index = t->index,
        .n = n,
    };
    work_put_ask(&t->core->state, name, f.item, f.n, &ask);
    return 0;
}

int apply_answer(struct trial *t, const struct trial_event *e, size_t n,
                 struct err *err)
{
    struct ask_fields f;
    struct work_ask ask;
    const struct worker *worker = NULL;
    int rc = check_ask(t, TYPE_ANSWER, e, &f, &worker, err);
    if (rc != 0 || t->refold != NULL)
        return rc;
    const char *name = worker->method.name;
    if (!work_ask(state_head(&t->core->state), name, f.item, f.n, &ask) ||
        ask.answered)
        return err_set(err, ATE_ECONFLICT,
                       TYPE_ANSWER ": it was not asked, or answered already");
    ask.answered = true;
    ask.answer_index = t->index;
    ask.answer_n = n;
    uint8_t digest[HASH_SIZE];
    memcpy(digest, ask.digest, HASH_SIZE);
    ask.digest = digest;
    work_put_ask(&t->core->state, name, f.item, f.n, &ask);
    return 0;
}
