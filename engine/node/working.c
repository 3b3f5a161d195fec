/* What workers do next: of the chains that are open here, and of those that
 * have to be opened for it.
 *
 * (1) Nothing is begun unless workers work by themselves (node_work()), or
 *     somebody waits for them (ate.workers).
 * (2) A chain that is closed has nothing to do before the time that is noted in
 *     `sleeping`: what comes to it, opens it. When workers begin to work by
 *     themselves, all chains are opened once, one after the other. */
#include <assert.h>
#include <string.h>

#include "base/mapping.h"
#include "base/memory.h"
#include "base/msgpack.h"
#include "node/events.h"
#include "node/work.h"
#include "query/args.h"
#include "state/roots.h"

enum { US_PER_MS = 1000, LOOK_AGAIN_MS = 60000 };

/* Somebody waits until everything that waits was tried once. */
struct working_run {
    char *worker; /* this one alone; NULL: all */
    uint64_t pass;
    uint64_t done;
    uint64_t failed;
    uint64_t parked;
    struct buf failures; /* maps */
    uint32_t failure_count;
};

struct sweep {
    struct buf at; /* name of the chain that is open for it, or was last */
    bool ended;
};

static struct work *work_at(struct ring *r)
{
    return ring_entry(r, struct work, ring);
}

static struct asked *asked_at(struct ring *r)
{
    return ring_entry(r, struct asked, ring);
}

/* ---- who waits ---- */

void working_run_free(struct working_run *run)
{
    if (run == NULL)
        return;
    mem_free(run->worker);
    buf_deinit(&run->failures);
    mem_free(run);
}

static bool is_of(const struct working_run *run, const char *worker)
{
    return run->worker == NULL || strcmp(run->worker, worker) == 0;
}

static void tell(const struct work *w, struct working_run *run,
                 enum work_end end)
{
    struct mapping m = {0};
    if (run->failure_count == WORK_FAILURES_MAX)
        return;
    const struct schema *s = chain_core(w->hosted->chain)->schema;
    struct buf item = {0};
    work_item_text(work_item_bytes(&w->item), &item);
    mapping_text(&m, "worker", schema_short(s, w->worker));
    mapping_str(&m, "item", buf_bytes(&item));
    mapping_text(&m, "outcome", end == WORK_FAILED ? "failed" : "parked");
    mapping_text(&m, "code", err_name(w->why.code));
    if (w->why.reason[0] != '\0')
        mapping_text(&m, "reason", w->why.reason);
    mapping_text(&m, "text", w->why.text);
    mapping_put(&m, &run->failures);
    run->failure_count++;
    buf_deinit(&item);
}

void working_told(const struct work *w, enum work_end end)
{
    struct hosted *h = w->hosted;
    if (end == WORK_FAILED || end == WORK_WAS_PARKED)
        events_worked(w, end == WORK_FAILED ? "failed" : "parked");
    for (struct ring *r = h->runs.after; r != &h->runs; r = r->after) {
        struct working_run *run = asked_at(r)->run;
        if (!is_of(run, w->worker))
            continue;
        run->done += end == WORK_IS_DONE;
        run->failed += end == WORK_FAILED;
        run->parked += end == WORK_WAS_PARKED;
        if (end == WORK_FAILED || end == WORK_WAS_PARKED)
            tell(w, run, end);
    }
}

static void end_run(struct asked *a)
{
    struct working_run *run = a->run;
    struct mapping m = {0};
    struct buf out = {0};
    struct err none = {0};
    mapping_uint(&m, "done", run->done);
    mapping_uint(&m, "failed", run->failed);
    struct buf *failures = mapping_key(&m, "failures");
    mp_put_array(failures, run->failure_count);
    buf_put_bytes(failures, buf_bytes(&run->failures));
    mapping_uint(&m, "parked", run->parked);
    mapping_put(&m, &out);
    asked_end(a, 0, &none, buf_bytes(&out));
    buf_deinit(&out);
}

static int take_worker(struct asked *a, struct err *err)
{
    static const char *const names[] = {"worker", NULL};
    const struct schema *s = chain_core(a->hosted->chain)->schema;
    struct bytes name = {NULL, 0};
    int rc = args_check(buf_bytes(&a->args), names, err);
    if (rc == 0)
        rc = args_text(buf_bytes(&a->args), "worker", false, &name, err);
    if (rc != 0 || name.data == NULL)
        return rc;
    const struct worker *worker = schema_worker(s, name);
    if (worker == NULL)
        return schema_no_worker(s, name, err);
    a->run->worker = mem_text(worker->method.name);
    return 0;
}

void working_ask(struct asked *a)
{
    struct err err;
    struct hosted *h = a->hosted;
    a->run = mem_zero(1, sizeof(*a->run));
    if (take_worker(a, &err) != 0) {
        err_wrap(&err, "ate.workers");
        asked_fail(a, &err);
        return;
    }
    a->run->pass = ++h->pass;
    ring_add(&h->runs, &a->ring);
}

static void end_runs(struct hosted *h, const struct err *err)
{
    struct ring *r;
    while ((r = ring_take(&h->runs)) != NULL)
        asked_fail(asked_at(r), err);
}

static void drop_canceled(struct hosted *h)
{
    struct ring *next;
    for (struct ring *r = h->runs.after; r != &h->runs; r = next) {
        struct asked *a = asked_at(r);
        struct err err;
        next = r->after;
        if (asked_is_canceled(a)) {
            asked_cancel(a);
        } else if (a->run->done >= WORK_RUN_MAX) {
            err_set(&err, ATE_ELIMIT,
                    "ate.workers: worked %d times, and there is more: does a "
                    "worker make what it waits for?",
                    WORK_RUN_MAX);
            asked_fail(a, &err);
        }
    }
}

/* ---- what is next ---- */

static struct work *find(struct hosted *h, const char *worker,
                         struct bytes item)
{
    for (struct ring *r = h->works.after; r != &h->works; r = r->after) {
        struct work *w = work_at(r);
        if (strcmp(w->worker, worker) == 0 &&
            bytes_equal(work_item_bytes(&w->item), item))
            return w;
    }
    return NULL;
}

/* Is one of its items under way, or do too many wait? */
static bool has_enough(const struct hosted *h, const char *worker)
{
    size_t waiting = 0;
    for (struct ring *r = h->works.after; r != &h->works; r = r->after) {
        struct work *w = work_at(r);
        if (strcmp(w->worker, worker) != 0)
            continue;
        if (work_is_active(w))
            return true;
        waiting++;
    }
    return waiting >= WORK_WAITING_MAX;
}

static void wake_at(struct hosted *h, int64_t us)
{
    if (us < h->wake_us)
        h->wake_us = us;
}

/* A clock may be set: nobody sleeps longer than a minute. */
static void wake_for(struct hosted *h, int64_t time_ms)
{
    struct node *node = h->node;
    int64_t left_ms = LOOK_AGAIN_MS;
    bool stands = clock_doubt(&node->clock) > 0; /* it would come at once */
    if (!stands && time_ms - node->clock.wall_ms < left_ms)
        left_ms = time_ms - node->clock.wall_ms;
    wake_at(h, node->steady_us + left_ms * US_PER_MS);
}

/* The first item of a worker that nobody has in hand and whose time has come.
 */
static bool next_item(struct hosted *h, const struct worker *worker,
                      struct work_item *item)
{
    struct buf prefix = {0};
    struct buf at = {0};
    struct bytes key;
    struct bytes value;
    const char *name = worker->method.name;
    bool is_due = worker->view != NULL;
    bool found = false;
    work_prefix(&prefix, name, is_due ? WORK_DUE : WORK_EVENT);
    while (!found && state_step(chain_version(h->chain), buf_bytes(&prefix),
                                &at, false, &key, &value)) {
        struct bytes bytes = work_item_in(name, key);
        if (is_due && work_item_time(bytes) > h->node->clock.wall_ms) {
            wake_for(h, work_item_time(bytes));
            break;
        }
        found = find(h, name, bytes) == NULL;
        item->len = bytes.len;
        memcpy(item->bytes, bytes.data, bytes.len);
    }
    buf_deinit(&prefix);
    buf_deinit(&at);
    return found;
}

/* Who wants this worker to work; the newest pass of those who do, too. */
static bool is_wanted(const struct hosted *h, const char *worker,
                      uint64_t *pass)
{
    bool wanted = h->node->works;
    *pass = 0;
    for (struct ring *r = h->runs.after; r != &h->runs; r = r->after) {
        const struct working_run *run = asked_at(r)->run;
        if (!is_of(run, worker))
            continue;
        wanted = true;
        *pass = run->pass > *pass ? run->pass : *pass;
    }
    return wanted;
}

static void pick(struct hosted *h)
{
    const struct schema *s = chain_core(h->chain)->schema;
    struct work_item item;
    uint64_t pass;
    for (size_t i = 0; i < s->worker_count; i++) {
        const struct worker *worker = &s->workers[i];
        const char *name = worker->method.name;
        if (is_wanted(h, name, &pass) && !has_enough(h, name) &&
            next_item(h, worker, &item))
            work_step(work_new(h, name, work_item_bytes(&item)));
    }
}

static void retry(struct hosted *h)
{
    for (struct ring *r = h->works.after; r != &h->works; r = r->after) {
        struct work *w = work_at(r);
        uint64_t pass;
        if (work_is_active(w) || !is_wanted(h, w->worker, &pass))
            continue;
        bool is_due = h->node->works && w->due_us <= h->node->steady_us;
        if (is_due || w->pass < pass)
            work_try_now(w);
    }
}

/* Those that wait, be it since just now, are tried again in time. */
static void wake_for_retries(struct hosted *h)
{
    if (!h->node->works)
        return;
    for (struct ring *r = h->works.after; r != &h->works; r = r->after)
        if (!work_is_active(work_at(r)))
            wake_at(h, work_at(r)->due_us);
}

static void step_all(struct hosted *h)
{
    struct ring *next;
    for (struct ring *r = h->works.after; r != &h->works; r = next) {
        next = r->after;
        work_step(work_at(r));
    }
}

/* Nothing of what they wait for is left to be tried. */
static void end_rested(struct hosted *h)
{
    struct ring *next;
    for (struct ring *a = h->runs.after; a != &h->runs; a = next) {
        bool busy = false;
        const struct working_run *run = asked_at(a)->run;
        next = a->after;
        for (struct ring *r = h->works.after; r != &h->works; r = r->after) {
            struct work *w = work_at(r);
            busy |= is_of(run, w->worker) &&
                    (work_is_active(w) || w->pass < run->pass);
        }
        if (!busy)
            end_run(asked_at(a));
    }
}

/* ---- life ---- */

/* Let go of what is in hand; what is being written ends by itself. */
static void release(struct hosted *h)
{
    struct ring *next;
    for (struct ring *r = h->works.after; r != &h->works; r = next) {
        struct work *w = work_at(r);
        next = r->after;
        work_cancel(w);
        if (!w->under_way)
            work_free(w);
    }
}

/* Why no worker of the chain works here; 0: they do. */
static int check_works(struct hosted *h, struct err *err)
{
    struct node *node = h->node;
    const struct err *why;
    const struct log *log = chain_log(h->chain);
    struct term term;
    if (node->stopping || h->reopen)
        return err_set(err, ATE_ECANCELED,
                       "ate.workers: the chain is being closed");
    if (chain_state(h->chain, &why) != 0) {
        *err = *why;
        return err->code;
    }
    if (node->read_only || log->mode == LOG_READ_ONLY ||
        log->state != LOG_READY)
        return err_set(err, ATE_EUNAVAILABLE,
                       "ate.workers: the chain is open for reading only");
    term_get(chain_version(h->chain), &term);
    if (node->deps.order_pair(node->deps.ctx, term.id) == NULL)
        return err_set(err, ATE_EUNAVAILABLE,
                       "ate.workers: workers work where the chain's order key "
                       "is (term %llu), and it is not here",
                       (unsigned long long)term.number);
    return 0;
}

/* The sweep, or a time, had it opened: it may be closed again. */
static void rest(struct hosted *h)
{
    bool was_woken = h->wakes;
    h->wakes = false;
    if (was_woken && h->users == 0 && !working_holds(h) &&
        ring_is_empty(&h->waiting))
        h->expired = true;
    if (h->wake_us < h->node->work_us)
        h->node->work_us = h->wake_us;
}

void working_settle(struct hosted *h)
{
    struct err err;
    bool wanted =
        h->node->works || !ring_is_empty(&h->runs) || !ring_is_empty(&h->works);
    h->wake_us = INT64_MAX;
    if (!wanted || chain_is_hidden(h->chain))
        return;
    map_delete(&h->node->sleeping, bytes_of_text(h->name), NULL);
    if (chain_core(h->chain)->schema->worker_count == 0 &&
        ring_is_empty(&h->runs) && ring_is_empty(&h->works)) {
        rest(h);
        return;
    }
    if (check_works(h, &err) != 0) {
        end_runs(h, &err);
        release(h);
        rest(h);
        return;
    }
    drop_canceled(h);
    retry(h);
    step_all(h);
    pick(h);
    wake_for_retries(h);
    end_rested(h);
    rest(h);
}

bool working_holds(const struct hosted *h)
{
    return !ring_is_empty(&h->works);
}

/* Invariant (2). */
void working_leave(struct hosted *h)
{
    struct err err;
    struct node *node = h->node;
    err_set(&err, ATE_ECANCELED, "ate.workers: the chain is being closed");
    end_runs(h, &err);
    release(h);
    assert(ring_is_empty(&h->works));
    if (!node->works || node->stopping || h->wake_us == INT64_MAX)
        return;
    map_put(&node->sleeping, bytes_of_text(h->name), (uint64_t)h->wake_us);
    if (h->wake_us < node->work_us)
        node->work_us = h->wake_us;
}

/* ---- time ---- */

static void wake_open(struct node *node)
{
    size_t at = 0;
    struct bytes name;
    uint64_t value;
    while (map_each(&node->hosted, &at, &name, &value)) {
        struct hosted *h = hosted_find(node, name);
        if (h->wake_us <= node->steady_us)
            hosted_touch(h);
        else if (h->wake_us < node->work_us)
            node->work_us = h->wake_us;
    }
}

static void open_for_work(struct node *node, struct bytes name)
{
    uint8_t id[NAMES_ID_SIZE];
    struct hosted *h = hosted_find(node, name);
    if (h == NULL && names_find(&node->names.names, name, id))
        h = hosted_open(node, name, id);
    if (h == NULL)
        return;
    h->wakes = h->state != HOSTED_OPEN;
    hosted_touch(h);
}

/* One that is due; false: none is. */
static bool wake_one(struct node *node)
{
    size_t at = 0;
    struct bytes name;
    uint64_t us;
    while (map_each(&node->sleeping, &at, &name, &us)) {
        if ((int64_t)us <= node->steady_us) {
            struct buf copy = {0};
            buf_put_bytes(&copy, name);
            map_delete(&node->sleeping, buf_bytes(&copy), NULL);
            open_for_work(node, buf_bytes(&copy));
            buf_deinit(&copy);
            return true;
        }
        if ((int64_t)us < node->work_us)
            node->work_us = (int64_t)us;
    }
    return false;
}

/* The next chain, when the one before is open, or could not be opened. */
static void sweep_on(struct node *node)
{
    struct sweep *s = node->sweep;
    struct bytes name;
    uint8_t id[NAMES_ID_SIZE];
    if (s == NULL || s->ended || node->stopping)
        return;
    struct hosted *h = hosted_find(node, buf_bytes(&s->at));
    if (h != NULL && h->wakes)
        return;
    s->ended = !names_next(&node->names.names, buf_bytes(&s->at), &name, id);
    if (s->ended)
        return;
    struct buf next = {0};
    buf_put_bytes(&next, name);
    buf_deinit(&s->at);
    s->at = next;
    open_for_work(node, buf_bytes(&s->at));
}

void working_tick(struct node *node)
{
    if (!node->works || node->stopping)
        return;
    sweep_on(node);
    if (node->work_us > node->steady_us)
        return;
    node->work_us = INT64_MAX;
    wake_open(node);
    while (wake_one(node)) {
    }
}

int64_t working_deadline(const struct node *node)
{
    if (!node->works || node->stopping)
        return INT64_MAX;
    if (node->sweep != NULL && !node->sweep->ended)
        return node->steady_us + US_PER_MS;
    return node->work_us;
}

void node_work(struct node *node)
{
    if (node->works || node->read_only)
        return;
    node->works = true;
    node->sweep = mem_zero(1, sizeof(*node->sweep));
    size_t at = 0;
    struct bytes name;
    uint64_t value;
    while (map_each(&node->hosted, &at, &name, &value))
        hosted_touch(hosted_find(node, name));
}

void working_end(struct node *node)
{
    if (node->sweep != NULL)
        buf_deinit(&node->sweep->at);
    mem_free(node->sweep);
    node->sweep = NULL;
}

/* ---- what is in hand ---- */

static const char *step_word(enum item_step step)
{
    static const char *const words[] = {
        [ITEM_RUN] = "runs",       [ITEM_ASK] = "asks",
        [ITEM_SEND] = "sent",      [ITEM_ANSWER] = "answered",
        [ITEM_PARK] = "is parked", [ITEM_WAIT] = "waits",
    };
    return words[step];
}

static void put_work(struct hosted *h, const struct work *w, struct buf *out)
{
    struct mapping m = {0};
    struct buf item = {0};
    const struct schema *s = chain_core(h->chain)->schema;
    work_item_text(work_item_bytes(&w->item), &item);
    mapping_text(&m, "worker", schema_short(s, w->worker));
    mapping_str(&m, "item", buf_bytes(&item));
    mapping_text(&m, "step", step_word(w->step));
    mapping_uint(&m, "attempts", w->attempts);
    if (w->why.code != 0)
        mapping_text(&m, "why", w->why.text);
    if (w->step == ITEM_WAIT) {
        int64_t left = (w->due_us - h->node->steady_us) / US_PER_MS;
        mapping_int(&m, "in_ms", left > 0 ? left : 0);
    }
    mapping_put(&m, out);
    buf_deinit(&item);
}

void working_list(struct asked *a)
{
    static const char *const names[] = {NULL};
    struct hosted *h = a->hosted;
    struct buf list = {0};
    struct buf out = {0};
    struct err err = {0};
    uint32_t count = 0;
    if (args_check(buf_bytes(&a->args), names, &err) != 0) {
        err_wrap(&err, "trying");
        asked_fail(a, &err);
        return;
    }
    for (struct ring *r = h->works.after; r != &h->works; r = r->after) {
        put_work(h, work_at(r), &list);
        count++;
    }
    mp_put_array(&out, count);
    buf_put_bytes(&out, buf_bytes(&list));
    asked_end(a, 0, &err, buf_bytes(&out));
    buf_deinit(&list);
    buf_deinit(&out);
}
