/* (1) c->rooting.size is the largest multiple of STATE_ROOT_EVERY that is not
 *     above the transactions tried so far.
 * (2) `task` is NULL or makes the root of that size; older tasks run on and
 *     are only compared with what their heartbeat told, if it came meanwhile.
 * (3) While a log is replayed, `noted` is the newest size that no heartbeat
 *     told so far, unless it is below the verified mark. It becomes `task` when
 *     one tells it, when the log ends, and before its tree goes.
 * (4) A node that orders begins no root while one is running, none for an
 *     activation that may yet be undone, and none so soon that roots would cost
 *     more than a share of what the transactions between them do: that size is
 *     then never told. */
#include "chain/rooting.h"

#include <assert.h>
#include <string.h>

#include "base/memory.h"
#include "base/tree_writer.h"
#include "chain/inside.h"

enum {
    ROOT_IN_CHECKS = 128, /* as much work as so many signatures of a batch */
    /* A root hashes all entries, 1 us each (docs/decisions/0099): one for an
     * eighth as many transactions is 8 us of a pool's thread for each. */
    ROOT_SHARE = 8,
};

struct rooting_task {
    struct task task;
    struct chain *chain;
    struct tree *tree;
    struct tree_pin *pin;
    struct tree_version version;
    uint8_t root[HASH_SIZE];
    bool expects; /* a heartbeat came meanwhile, and told */
    uint8_t expected[HASH_SIZE];
};

static bool is_replaying(const struct chain *c)
{
    return c->done != NULL;
}

static void work(struct task *task)
{
    struct rooting_task *k = (struct rooting_task *)task;
    state_root(k->version, k->root);
}

static void done(struct task *task)
{
    struct rooting_task *k = (struct rooting_task *)task;
    struct chain *c = k->chain;
    struct rooting *r = &c->rooting;
    tree_unpin(k->tree, k->pin);
    if (k->expects && memcmp(k->expected, k->root, HASH_SIZE) != 0)
        c->check_failed = true;
    if (r->task == k) {
        r->task = NULL;
        r->known = true;
        memcpy(r->root, k->root, HASH_SIZE);
    }
    r->running--;
    mem_free(k);
    rooting_rest(c);
    checks_end(c, ROOT_IN_CHECKS);
    /* Who noted it at once is at work, and goes on himself. */
    if (is_replaying(c) || c->deps.pool == NULL)
        return;
    chain_flush(c); /* perhaps it waited for this one */
    chain_rested(c);
}

bool rooting_is_idle(const struct chain *c)
{
    return c->rooting.running == 0 && c->surveys == 0;
}

void rooting_rest(struct chain *c)
{
    struct rooting *r = &c->rooting;
    if (!rooting_is_idle(c) || r->then == NULL)
        return;
    void (*then)(void *ctx) = r->then;
    r->then = NULL;
    then(r->then_ctx);
}

void rooting_when_idle(struct chain *c, void (*then)(void *ctx), void *ctx)
{
    assert(c->rooting.then == NULL);
    rooting_begin(c);
    if (rooting_is_idle(c)) {
        then(ctx);
        return;
    }
    c->rooting.then = then;
    c->rooting.then_ctx = ctx;
}

uint64_t rooting_every(const struct chain *c)
{
    uint32_t own = c->deps.state_root_every;
    return own != 0 ? own : STATE_ROOT_EVERY;
}

/* Invariant (4). */
static bool must_wait(const struct chain *c)
{
    const struct rooting *r = &c->rooting;
    uint64_t share = tree_entries(c->core.state.tree) / ROOT_SHARE;
    return r->running > 0 || switch_is_made(c) || r->size - r->begun < share;
}

void rooting_note(struct chain *c)
{
    struct rooting *r = &c->rooting;
    if (c->next_index == 0 || c->next_index % rooting_every(c) != 0 ||
        c->next_index == r->size)
        return;
    r->size = c->next_index;
    r->known = false;
    r->told = false;
    r->task = NULL;
    rooting_drop(c);
    if (chain_is_verified(c) || (!is_replaying(c) && must_wait(c)))
        return;
    struct rooting_task *k = mem_zero(1, sizeof(*k));
    k->task.work = work;
    k->task.done = done;
    k->chain = c;
    k->tree = c->core.state.tree;
    k->pin = tree_pin(k->tree);
    k->version = tree_pinned(k->pin);
    r->noted = k;
    if (!is_replaying(c))
        rooting_begin(c);
}

void rooting_begin(struct chain *c)
{
    struct rooting *r = &c->rooting;
    if (r->noted == NULL)
        return;
    r->task = r->noted;
    r->noted = NULL;
    r->begun = r->size;
    r->running++;
    checks_begin(c, &r->task->task, ROOT_IN_CHECKS);
}

void rooting_drop(struct chain *c)
{
    struct rooting_task *k = c->rooting.noted;
    if (k == NULL)
        return;
    c->rooting.noted = NULL;
    tree_unpin(k->tree, k->pin);
    mem_free(k);
}

void rooting_forget(struct chain *c)
{
    struct rooting *r = &c->rooting;
    if (r->size != c->next_index || r->size == 0)
        return;
    assert(r->running == 0);
    r->size = 0; /* rooting_note() comes by once more */
    r->begun = 0;
    r->known = false;
}

bool rooting_is_near(const struct chain *c)
{
    return (c->next_index + 1) % rooting_every(c) == 0;
}

const uint8_t *rooting_news(const struct chain *c)
{
    const struct rooting *r = &c->rooting;
    bool is_newest = c->next_index - r->size < rooting_every(c);
    return r->known && !r->told && is_newest ? r->root : NULL;
}

int rooting_check(struct chain *c, const uint8_t state[HASH_SIZE],
                  struct err *err)
{
    struct rooting *r = &c->rooting;
    r->told = true;
    if (r->size == 0)
        return err_set(err, ATE_ECORRUPT,
                       "it tells a state root before one is due");
    if (chain_is_verified(c) || c->rows_unknown)
        return 0;
    rooting_begin(c);
    if (r->task != NULL) {
        r->task->expects = true;
        memcpy(r->task->expected, state, HASH_SIZE);
        return 0;
    }
    if (!r->known) { /* a snapshot did not have it: replay all */
        c->check_failed = true;
        return 0;
    }
    if (memcmp(state, r->root, HASH_SIZE) == 0)
        return 0;
    return err_set(err, ATE_ECORRUPT, "the state root differs");
}
