/* Objects that were unlinked. Whether somebody deletes one, or is about to
 * write it anew, nobody says: `mv` from another file system, `install` and `cp
 * --remove-destination` unlink a file and then create it, and the key of a
 * deleted object is spent for ever.
 *
 * (1) An unlink is judged at once, as a proposal: what rules and rights refuse
 *     fails. What they allow has no name any more, and is held.
 * (2) When the name is created again, or a file renamed onto it, that is the
 *     object itself, which the call then writes; it was never deleted. Who has
 *     it open from before the unlink has no name to write to: ESTALE.
 * (3) Otherwise it is deleted, as soon as who unlinked it has ended or unlinks
 *     another, at the latest after DOOR_HELD_MS, and before the door ends.
 * (4) Asks that come after that began wait for it, so what an `rm` did is seen
 *     by whoever ran it.
 * (5) Who was told EXDEV for a rename onto the file, and unlinks it within that
 *     time, copies: it is deleted in no case, but has its name again when no
 *     copy came.
 * (6) What is deleted is the version that was judged: who wrote another one
 *     meanwhile keeps it, and the name is there again. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mount/inside.h"

struct held {
    struct held *next;
    struct inode *node; /* which is_moved */
    uint32_t pid;
    int64_t until_ms;
    char version[sizeof(((struct inode *)0)->version)]; /* (6) */
    bool copies;                                        /* (5) */
    bool goes; /* it is being deleted */
};

/* ---- in the list, the newest first ---- */

static void let_go(struct door *d, struct held **at)
{
    struct held *held = *at;
    struct inode *node = held->node;
    *at = held->next;
    free(held);
    d->held_count--;
    node->is_moved = false;
    inode_went_stale(d, node);
    inode_unlist(d, node->parent);
    inode_unref(d, node);
}

static struct held **held_of(struct door *d, const struct inode *node)
{
    struct held **at = &d->held;
    while (*at != NULL && (*at)->node != node)
        at = &(*at)->next;
    return at;
}

static void hold(struct door *d, struct inode *node, const struct op *op)
{
    struct held *held = memory_new(sizeof(*held));
    *held = (struct held){.next = d->held,
                          .node = node,
                          .pid = op->ask.pid,
                          .until_ms = d->now_ms + DOOR_HELD_MS,
                          .copies = !op->proposes};
    memcpy(held->version, op->caller->version, sizeof(held->version));
    inode_ref(node);
    node->is_moved = true;
    node->moves++;
    d->held = held;
    if (++d->held_count > DOOR_HELD_MAX)
        for (; held != NULL; held = held->next)
            if (held->next == NULL)
                held->until_ms = d->now_ms;
}

void held_take(struct door *d, struct inode *node)
{
    struct held **at = held_of(d, node);
    if (*at != NULL && !(*at)->goes)
        let_go(d, at);
}

void held_follow(struct door *d, struct inode *node, struct inode *next)
{
    struct held *held = *held_of(d, node);
    if (held == NULL || held->goes)
        return;
    inode_ref(next);
    next->is_moved = true;
    node->is_moved = false;
    held->node = next;
    inode_unref(d, node);
}

void held_end(struct door *d, struct inode *node)
{
    struct held **at = held_of(d, node);
    if (*at != NULL)
        let_go(d, at);
}

bool held_has(const struct door *d, const struct chain *chain)
{
    for (const struct held *held = d->held; held != NULL; held = held->next)
        if (held->node->chain == chain)
            return true;
    return false;
}

void held_free(struct door *d)
{
    while (d->held != NULL)
        let_go(d, &d->held);
}

/* ---- unlinking ---- */

void held_crosses(struct door *d, const struct op *op,
                  const struct inode *target)
{
    d->crossing_pid = op->ask.pid;
    d->crossing_ino = target->ino;
    d->crossing_ms = d->now_ms;
}

static bool is_copy(const struct door *d, const struct op *op,
                    const struct inode *node)
{
    return op->ask.pid != 0 && d->crossing_pid == op->ask.pid &&
           d->crossing_ino == node->ino &&
           d->now_ms - d->crossing_ms < DOOR_HELD_MS && !is_command(node) &&
           inode_writable(node);
}

static int type_of(const struct inode *node)
{
    const struct source *source = inode_reader(node);
    bool is_object = source != NULL && source->kind == SOURCE_OBJECT;
    return is_object ? (int)source->index : -1;
}

/* Others wrote it, and we did not hear of that yet. */
static int judge_anew(struct door *d, struct op *op, struct inode *node)
{
    inode_went_stale(d, node);
    op->caller = NULL;
    op->stage = STAGE_BEGIN;
    op->has_fetched = false;
    inode_unref(d, node);
    return scratch_unlink(d, op);
}

int held_unlink(struct door *d, struct op *op, struct inode *node)
{
    if (op->stage == STAGE_BEGIN) {
        op->stage = STAGE_CALL;
        op->proposes = !is_copy(d, op, node);
        if (op->proposes)
            return document_delete(d, op, node, node->version);
        d->crossing_pid = 0; /* once */
        inode_ref(node);
        op->caller = node;
    }
    if (op->stage == STAGE_CALL) {
        int rc = op->is_calling ? call_end(op) : 0;
        if (rc == -ESTALE)
            return judge_anew(d, op, node);
        if (rc != 0)
            return rc;
        struct inode *now = inode_find(d, node->parent, node->name);
        if (now == NULL || now->is_moved)
            return -ENOENT; /* somebody was faster */
        hold(d, now, op);
        chain_doubts(d, node->chain, type_of(node));
        op->index = node->chain->seen; /* what the kernel keeps goes first */
        op->stage = STAGE_SETTLE;
    }
    return command_settle(d, op) == DOOR_WAIT ? DOOR_WAIT : op_done(d, op);
}

/* ---- deleting ---- */

/* (3): an ask of the door's own; or (5). */
static void begin(struct door *d, struct held **at)
{
    struct held *held = *at;
    if (held->copies) {
        let_go(d, at);
        return;
    }
    struct ask ask = {.kind = ASK_DELETE, .ino = held->node->ino};
    held->goes = true;
    door_ask(d, &ask);
}

static bool is_due(const struct door *d, const struct held *held)
{
    return !held->goes && (d->now_ms >= held->until_ms ||
                           !d->world.lives(d->world.ctx, held->pid));
}

void held_tick(struct door *d)
{
    struct held **at = &d->held;
    while (*at != NULL) {
        bool due = is_due(d, *at);
        if (due)
            begin(d, at);
        at = due ? &d->held : &(*at)->next; /* it may have ended already */
    }
}

void held_finish(struct door *d, const struct chain *chain)
{
    for (struct held *held = d->held; held != NULL; held = held->next)
        if (chain == NULL || held->node->chain == chain)
            held->until_ms = d->now_ms;
    held_tick(d);
}

/* It goes on to another. */
static void finish_of(struct door *d, uint32_t pid)
{
    for (struct held *held = d->held; held != NULL; held = held->next)
        if (pid != 0 && held->pid == pid)
            held->until_ms = d->now_ms;
    held_tick(d);
}

int held_delete(struct door *d, struct op *op)
{
    if (op->stage == STAGE_BEGIN) {
        op->stage = STAGE_CALL;
        return document_delete(d, op, op->node,
                               (*held_of(d, op->node))->version);
    }
    if (op->stage == STAGE_CALL) {
        int rc = call_end(op);
        if (rc != 0)
            return rc;
        op->stage = STAGE_SETTLE;
    }
    return command_hears(d, op) == DOOR_WAIT ? DOOR_WAIT : op_done(d, op);
}

/* ---- others' asks ---- */

static bool goes_in(const struct door *d, const struct chain *chain)
{
    for (const struct held *held = d->held; held != NULL; held = held->next)
        if (held->goes && held->node->chain == chain)
            return true;
    return false;
}

bool held_gate(struct door *d, struct op *op)
{
    if (d->held == NULL || op->ask.kind == ASK_RELEASE ||
        op->ask.kind == ASK_DELETE)
        return false;
    if (op->ask.kind == ASK_UNLINK)
        finish_of(d, op->ask.pid);
    op->is_gated = goes_in(d, op->node->chain);
    return op->is_gated;
}

void held_wake(struct door *d)
{
    struct op *op = d->ops;
    while (op != NULL) {
        bool runs = op->is_gated && !goes_in(d, op->node->chain);
        if (runs) {
            op->is_gated = false;
            op_run(d, op);
        }
        op = runs ? d->ops : op->next; /* any may have gone meanwhile */
    }
}
