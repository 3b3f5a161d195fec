/* A chain in use.
 *
 * (1) Calls are started only while it is open and not busy: a mark or a poll
 *     has the log for itself. Queries go on beside both.
 * (2) Beside a writer, a request is served by an opening or a poll that began
 *     after it came: what was durable before it was asked is seen.
 * (3) A chain is closed only in hosted_settle(), when nobody uses it and
 *     nothing is under way; before that its watermark is written, and
 *     what lets it open fast.
 * (4) A chain that went bad while it was open (a write failed, the disk was
 *     full, the log was cut behind what had been read) takes nothing more. Its
 *     reads end, and it is opened anew by the next request. One that was bad
 *     when it was opened stays, readable up to the damage. */
#include <assert.h>
#include <string.h>

#include "base/limits.h"
#include "base/memory.h"
#include "node/events.h"
#include "node/inside.h"

enum { US_PER_MS = 1000, WHOLE_TURN = 3, WHOLE_BEHIND = 8 };

static struct asked *first_asked(struct ring *ring)
{
    struct ring *r = ring_take(ring);
    return r != NULL ? ring_entry(r, struct asked, ring) : NULL;
}

struct hosted *hosted_find(struct node *node, struct bytes name)
{
    return map_get_pointer(&node->hosted, name);
}

static struct hosted *hosted_new(struct node *node, struct bytes name)
{
    struct hosted *h = mem_zero(1, sizeof(*h));
    h->node = node;
    h->name = mem_zero(1, name.len + 1);
    memcpy(h->name, name.data, name.len);
    h->used_us = node->steady_us;
    ring_init(&h->waiting);
    ring_init(&h->served);
    ring_init(&h->reads);
    ring_init(&h->runs);
    ring_init(&h->works);
    h->wake_us = INT64_MAX;
    ring_init(&h->touched);
    ring_init(&h->cut);
    ring_init(&h->used);
    ring_init(&h->dirty);
    map_put_pointer(&node->hosted, name, h);
    return h;
}

static void hosted_free(struct hosted *h)
{
    assert(h->chain == NULL && h->users == 0);
    assert(ring_is_empty(&h->waiting) && ring_is_empty(&h->served));
    assert(ring_is_empty(&h->works) && ring_is_empty(&h->runs));
    ring_remove(&h->touched);
    ring_remove(&h->cut);
    ring_remove(&h->used);
    ring_remove(&h->dirty);
    map_delete_pointer(&h->node->hosted, bytes_of_text(h->name));
    mem_free(h->name);
    mem_free(h);
}

void hosted_touch(struct hosted *h)
{
    ring_add(&h->node->touched, &h->touched);
}

static void use(struct hosted *h)
{
    h->expired = false;
    h->used_us = h->node->steady_us;
    if (h->state == HOSTED_OPEN)
        ring_add(&h->node->used, &h->used);
}

void hosted_ask(struct hosted *h, struct asked *a)
{
    a->hosted = h;
    ring_add(&h->waiting, &a->ring);
    use(h);
    hosted_touch(h);
}

/* ---- opening ---- */

/* Even a damaged one can be read, up to the damage. */
static bool is_readable(const struct chain *chain)
{
    return chain_log(chain)->state != LOG_CLOSED &&
           chain_core(chain)->schema != NULL;
}

static void chain_opened(void *ctx, int code, const struct err *err)
{
    struct hosted *h = ctx;
    (void)code;
    h->opened = true;
    h->outcome = *err;
    hosted_touch(h);
}

static void chain_rested(void *ctx)
{
    hosted_touch(ctx);
}

static void open_chain(struct hosted *h)
{
    struct node *node = h->node;
    char folder[LOG_PATH_MAX] = "";
    assert(h->chain == NULL);
    h->state = HOSTED_OPENING;
    h->chain = chain_new(&node->deps);
    chain_when_rested(h->chain, chain_rested, h);
    h->reopen = false;
    node->open_count++;
    ring_remove(&h->used);
    ring_move(&h->served, &h->waiting);
    if (!node->env.folder)
        log_folder(folder, h->id);
    chain_open(h->chain, folder, node->env.folder ? NULL : h->id,
               node->read_only ? LOG_READ_ONLY : LOG_READ_WRITE, chain_opened,
               h);
}

/* Have that chain closed which was not used for longest. */
static void make_place(struct node *node)
{
    for (struct ring *r = node->used.after; r != &node->used; r = r->after) {
        struct hosted *other = ring_entry(r, struct hosted, used);
        if (other->users > 0 || other->busy)
            continue;
        hosted_touch(other);
        return;
    }
}

/* Open it now, or when another was closed. */
static void open_or_queue(struct hosted *h)
{
    struct node *node = h->node;
    if (node->open_count < node->chains_max) {
        open_chain(h);
        return;
    }
    if (ring_is_empty(&h->used))
        ring_add(&node->queued, &h->used);
    make_place(node);
}

struct hosted *hosted_open(struct node *node, struct bytes name,
                           const uint8_t *id)
{
    struct hosted *h = hosted_new(node, name);
    if (id != NULL)
        memcpy(h->id, id, CHAIN_ID_SIZE);
    h->state = HOSTED_QUEUED;
    hosted_touch(h); /* opened when its first request stands in the queue */
    return h;
}

static void is_open(struct hosted *h)
{
    const struct err *why;
    h->state = HOSTED_OPEN;
    h->open_code = chain_state(h->chain, &why);
    h->told_size = chain_size(h->chain);
    h->reopen = false;
    use(h);
    events_opened(h);
}

void hosted_adopt(struct node *node, struct bytes name, struct chain *chain)
{
    struct hosted *h = hosted_new(node, name);
    memcpy(h->id, chain_core(chain)->id, CHAIN_ID_SIZE);
    h->chain = chain;
    chain_when_rested(chain, chain_rested, h);
    node->open_count++;
    is_open(h);
    hosted_committed(h);
    if (node->open_count > node->chains_max)
        make_place(node);
    hosted_touch(h);
}

/* ---- closing ---- */

static void free_chain(struct hosted *h)
{
    struct node *node = h->node;
    working_leave(h);
    chain_free(h->chain);
    h->chain = NULL;
    assert(node->open_count > 0);
    node->open_count--;
    node->follows -= h->follows;
    h->follows = 0;
    ring_remove(&h->used);
    ring_remove(&h->dirty);
    struct ring *next = ring_take(&node->queued);
    if (next != NULL)
        hosted_touch(ring_entry(next, struct hosted, used));
}

/* Open it again if somebody waits for it, else forget it. */
static void drop(struct hosted *h)
{
    free_chain(h);
    h->state = HOSTED_QUEUED;
    if (ring_is_empty(&h->waiting))
        hosted_free(h);
    else
        hosted_touch(h);
}

static void marked(void *ctx, int code, const struct err *err)
{
    struct hosted *h = ctx;
    (void)err;
    h->busy = false;
    h->reopen |= code != 0; /* the log is FAILED */
    hosted_touch(h);
}

typedef int chain_step(struct chain *chain, chain_done *done, void *ctx,
                       struct err *err);

/* Write what is to be written at rest; false: there is nothing, or no way to.
 */
static bool mark(struct hosted *h, chain_step *step)
{
    struct err err;
    assert(!h->busy && chain_is_idle(h->chain));
    ring_remove(&h->dirty);
    h->busy = step(h->chain, marked, h, &err) == 0;
    return h->busy;
}

static bool has_to_go(const struct hosted *h)
{
    if (h->reopen)
        return true;
    if (!ring_is_empty(&h->waiting))
        return false;
    const struct node *node = h->node;
    return (h->expired && !working_holds(h)) || node->stopping ||
           !ring_is_empty(&node->queued) || node->open_count > node->chains_max;
}

/* Invariant (3). */
static void close_if_unused(struct hosted *h)
{
    if (h->busy || h->users > 0 || !has_to_go(h) || !chain_is_idle(h->chain))
        return;
    if (h->reopen || !mark(h, chain_conclude))
        drop(h);
}

/* ---- polling ---- */

static void chain_polled(void *ctx, int code, const struct err *err)
{
    struct hosted *h = ctx;
    (void)code;
    (void)err; /* chain_state() has it */
    h->busy = false;
    h->polled = true;
    hosted_touch(h);
}

static bool can_poll(const struct hosted *h)
{
    return h->node->read_only && chain_log(h->chain)->state == LOG_READY;
}

static void poll(struct hosted *h)
{
    h->busy = true;
    h->wants_poll = false;
    ring_move(&h->served, &h->waiting);
    chain_poll(h->chain, chain_polled, h);
}

/* ---- settling ---- */

/* Of those that were not started. */
static void drop_canceled(struct ring *ring)
{
    struct ring rest;
    struct asked *a;
    ring_init(&rest);
    while ((a = first_asked(ring)) != NULL) {
        if (asked_is_canceled(a))
            asked_cancel(a);
        else
            ring_add(&rest, &a->ring);
    }
    ring_move(ring, &rest);
}

static void start(struct hosted *h, struct asked *a)
{
    if (asked_is_canceled(a)) {
        asked_cancel(a);
        return;
    }
    a->started = true;
    h->users++;
    serve(a);
}

static void start_all(struct hosted *h, struct ring *ring)
{
    struct asked *a;
    while ((a = first_asked(ring)) != NULL)
        start(h, a);
}

static size_t count_of(const struct ring *ring)
{
    size_t count = 0;
    for (const struct ring *r = ring->after; r != ring; r = r->after)
        count++;
    return count;
}

/* Half of what waits. The rest waits for the next flush: if the disk is idle by
 * then it writes the first half while the second is worked. Of a few there is
 * none, and less so while it is busy: each group has a price. */
static void start_some(struct hosted *h)
{
    size_t count = count_of(&h->waiting);
    struct asked *a;
    if (!ring_is_empty(&h->cut))
        return;
    if (count > (chain_is_writing(h->chain) ? WHOLE_BEHIND : WHOLE_TURN))
        count -= count / 2;
    while (count-- > 0 && (a = first_asked(&h->waiting)) != NULL)
        start(h, a);
    if (!ring_is_empty(&h->waiting))
        ring_add(&h->node->cut, &h->cut);
}

static void fail_all(struct ring *ring, const struct err *err)
{
    struct asked *a;
    while ((a = first_asked(ring)) != NULL) {
        struct err named = *err;
        asked_name_chain(a, &named);
        asked_fail(a, &named);
    }
}

/* The opening ended; false: it cannot be used, and is gone. */
static bool settle_opening(struct hosted *h)
{
    struct err err = h->outcome;
    h->opened = false;
    if (is_readable(h->chain)) {
        is_open(h);
        start_all(h, &h->served);
        return true;
    }
    events_damaged(h, &err);
    fail_all(&h->served, &err);
    fail_all(&h->waiting, &err);
    drop(h);
    return false;
}

/* Invariants (1) and (2). */
static void start_waiting(struct hosted *h)
{
    if (h->polled && !h->reopen) {
        start_all(h, &h->served);
        chain_flush(h->chain); /* the next poll may keep us from it */
    }
    h->polled = false;
    if (h->reopen) { /* a poll that found it bad serves nobody */
        ring_move(&h->served, &h->waiting);
        ring_move(&h->waiting, &h->served);
        return;
    }
    bool asked = !ring_is_empty(&h->waiting);
    if (can_poll(h) && (asked || h->wants_poll))
        poll(h);
    else if (asked)
        start_some(h);
}

/* Invariant (4). */
static void notice_state(struct hosted *h)
{
    const struct err *why;
    int code = chain_state(h->chain, &why);
    if (code != h->open_code && code != 0 && !h->reopen)
        events_damaged(h, why);
    if (code != h->open_code)
        h->reopen = true;
    if (!h->reopen)
        return;
    for (struct ring *r = h->reads.after; r != &h->reads; r = r->after) {
        struct asked *a = ring_entry(r, struct asked, ring);
        if (a->why == NULL && code != 0)
            a->why = mem_copy(why, sizeof(*why));
        a->canceled = true;
    }
    serve_reads(h, false);
}

static void settle_open(struct hosted *h)
{
    notice_state(h);
    if (!h->busy) {
        start_waiting(h);
        if (!h->busy) {
            working_settle(h);
            chain_flush(h->chain);
        }
    }
    uint64_t size = chain_size(h->chain);
    bool grew = size != h->told_size;
    h->told_size = size;
    serve_reads(h, grew);
    notice_state(h);
    close_if_unused(h);
}

void hosted_settle(struct hosted *h)
{
    drop_canceled(&h->served);
    drop_canceled(&h->waiting);
    if (h->state == HOSTED_OPENING && h->node->stopping &&
        ring_is_empty(&h->served) && ring_is_empty(&h->waiting))
        chain_stop(h->chain);
    if (h->opened && !settle_opening(h))
        return;
    if (h->state == HOSTED_OPEN)
        settle_open(h);
    else if (h->state == HOSTED_QUEUED && ring_is_empty(&h->waiting) &&
             !h->wakes)
        hosted_free(h);
    else if (h->state == HOSTED_QUEUED)
        open_or_queue(h);
}

/* ---- time ---- */

void hosted_committed(struct hosted *h)
{
    h->dirty_us = h->node->steady_us;
    ring_add(&h->node->dirty, &h->dirty);
}

static void mark_dirty(struct node *node)
{
    int64_t due_us = node->steady_us - NODE_MARK_MS * US_PER_MS;
    for (;;) {
        struct ring *r = node->dirty.after;
        struct hosted *h = ring_entry(r, struct hosted, dirty);
        if (r == &node->dirty || h->dirty_us > due_us)
            return;
        if (h->busy || !chain_is_idle(h->chain))
            hosted_committed(h); /* later, then */
        else
            mark(h, chain_mark);
    }
}

static void expire_unused(struct node *node)
{
    for (;;) {
        struct ring *r = node->used.after;
        struct hosted *h = ring_entry(r, struct hosted, used);
        if (r == &node->used || h->used_us > node->steady_us - node->idle_us)
            return;
        use(h);
        h->expired = h->users == 0 && !chain_keeps_puts(h->chain);
        hosted_touch(h);
    }
}

static void poll_for_followers(struct node *node)
{
    if (!node->read_only || node->follows == 0 ||
        node->poll_us > node->steady_us)
        return;
    node->poll_us = node->steady_us + NODE_POLL_MS * US_PER_MS;
    for (struct ring *r = node->used.after; r != &node->used; r = r->after) {
        struct hosted *h = ring_entry(r, struct hosted, used);
        h->wants_poll = h->follows > 0;
        if (h->wants_poll)
            hosted_touch(h);
    }
}

void hosted_tick(struct node *node)
{
    mark_dirty(node);
    expire_unused(node);
    poll_for_followers(node);
}

int64_t hosted_deadline(const struct node *node)
{
    int64_t deadline = INT64_MAX;
    if (!ring_is_empty(&node->dirty))
        deadline =
            ring_entry(node->dirty.after, struct hosted, dirty)->dirty_us +
            NODE_MARK_MS * US_PER_MS;
    if (!ring_is_empty(&node->used)) {
        int64_t at =
            ring_entry(node->used.after, struct hosted, used)->used_us +
            node->idle_us;
        deadline = at < deadline ? at : deadline;
    }
    if (node->read_only && node->follows > 0 && node->poll_us < deadline)
        deadline = node->poll_us;
    return deadline;
}
