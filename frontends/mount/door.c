/* Asks: each becomes an op, which runs until it is told its end. */
#include "mount/door.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ate.h"
#include "mount/inside.h"

enum { DEADLINE_MS = 30000, GRACE_MS = 1000 };

/* ---- ops ---- */

static void op_add(struct door *d, struct op *op)
{
    op->next = d->ops;
    if (d->ops != NULL)
        d->ops->prev = op;
    d->ops = op;
    d->op_count++;
}

bool op_holds(const struct op *op)
{
    return op->ask.kind == ASK_RENAME || op->ask.kind == ASK_UNLINK ||
           op->ask.kind == ASK_CREATE;
}

bool ops_hold(struct door *d, uint64_t folder, const char *name)
{
    for (struct op *op = d->ops; op != NULL; op = op->next) {
        if (!op_holds(op) || (op->ask.ino != folder && op->ask.to != folder))
            continue;
        buffer_put(&op->later, &folder, sizeof(folder));
        buffer_put(&op->later, name, strlen(name) + 1);
        return true;
    }
    return false;
}

static void forget_later(struct door *d, const struct buffer *later)
{
    for (size_t at = 0; at < later->len;) {
        uint64_t folder;
        const char *name = later->data + at + sizeof(folder);
        memcpy(&folder, later->data + at, sizeof(folder));
        d->world.forget_entry(d->world.ctx, folder, name);
        at += sizeof(folder) + strlen(name) + 1;
    }
}

static void op_free(struct door *d, struct op *op)
{
    *(op->prev != NULL ? &op->prev->next : &d->ops) = op->next;
    if (op->next != NULL)
        op->next->prev = op->prev;
    d->op_count--;
    for (struct fetch *f = d->fetches; f != NULL; f = f->next)
        if (f->check == op)
            f->check = NULL;
    if (op->handle != NULL && op->ask.kind == ASK_WRITE &&
        op->stage == STAGE_CALL) {
        op->handle->is_busy = false; /* given up in the middle of a call */
        buffer_clear(&op->handle->pending);
    }
    if (op->handle != NULL && (op->ask.kind == ASK_OPENDIR || op->is_cutting))
        handle_free(d, op->handle);
    if (op->ask.kind == ASK_DELETE)
        held_end(d, op->node);
    forget_later(d, &op->later);
    buffer_free(&op->later);
    inode_unref(d, op->node);
    inode_unref(d, op->to);
    inode_unref(d, op->caller);
    buffer_free(&op->reply);
    buffer_free(&op->work);
    free(op->checked);
    free((char *)op->ask.name);
    free((char *)op->ask.to_name);
    free((void *)op->ask.data);
    free(op);
}

int op_tell(struct door *d, struct op *op, const struct told *told)
{
    d->world.tell(d->world.ctx, op->ask.token, told);
    return 0;
}

int op_done(struct door *d, struct op *op)
{
    struct told told = {.error = 0};
    return op_tell(d, op, &told);
}

static void op_fail(struct door *d, struct op *op, int error)
{
    struct told told = {.error = error};
    if (op->call != 0)
        d->world.cancel(d->world.ctx, op->call);
    if (op->ask.kind == ASK_RELEASE && op->handle != NULL) {
        handle_free(d, op->handle); /* whatever became of its last call */
        op->handle = NULL;
    }
    op_tell(d, op, &told);
    op_free(d, op);
}

int op_wait(struct op *op, struct fetch *fetch)
{
    op->waits = fetch;
    return DOOR_WAIT;
}

void op_move(struct door *d, const struct fetch *from, struct fetch *to)
{
    for (struct op *op = d->ops; op != NULL; op = op->next)
        if (op->waits == from)
            op->waits = to;
}

static struct op *waiting_for(const struct door *d, const struct fetch *fetch)
{
    for (struct op *op = d->ops; op != NULL; op = op->next)
        if (op->waits == fetch)
            return op;
    return NULL;
}

/* A look that finds nothing may find something else: it decides by itself. */
static bool decides(const struct op *op, int code)
{
    return code == ENOENT &&
           (op->ask.kind == ASK_LOOKUP || op->ask.kind == ASK_CREATE ||
            op->ask.kind == ASK_RENAME || op->ask.kind == ASK_UNLINK ||
            op->ask.kind == ASK_FLUSH || op->ask.kind == ASK_FSYNC ||
            op->ask.kind == ASK_WRITE);
}

void op_wake(struct door *d, struct fetch *fetch, int code)
{
    struct op *op;
    while ((op = waiting_for(d, fetch)) != NULL) {
        op->waits = NULL;
        if (decides(op, code))
            op->found_none = true;
        if (code != 0 && !decides(op, code))
            op_fail(d, op, code);
        else
            op_run(d, op);
    }
}

void ops_news(struct door *d, const struct chain *chain)
{
    for (struct op *op = d->ops, *next; op != NULL; op = next) {
        next = op->next;
        const struct inode *node = op->caller != NULL ? op->caller : op->node;
        if (!op->waits_for_more || node == NULL || node->chain != chain)
            continue;
        op->waits_for_more = false;
        op_run(d, op);
    }
}

void door_flushed(struct door *d, uint64_t number)
{
    for (struct op *op = d->ops, *next; op != NULL; op = next) {
        next = op->next;
        if (number == 0 || op->flush != number)
            continue;
        op->flush = 0;
        op->index = 0; /* it has settled */
        op->waits_for_more = false;
        op_run(d, op);
    }
}

/* ---- what they do ---- */

struct told told_attr(const struct door *d, const struct inode *node)
{
    struct told told = {.attr = inode_attr(d, node)};
    const struct source *reader = inode_reader(node);
    bool grows = reader != NULL && reader->kind == SOURCE_EVENTS;
    told.keep =
        !grows && node->kind != NODE_SCRATCH && node->kind != NODE_ABOVE &&
        !node->is_pending &&
        (node->kind == NODE_FOLDER || node->is_fresh || !node->is_current);
    return told;
}

void tell_entry(struct door *d, struct op *op, struct inode *node)
{
    struct told told = told_attr(d, node);
    node->lookups++;
    inode_settle(d, node);
    op_tell(d, op, &told);
}

static int need_size(struct door *d, struct op *op, struct inode *node)
{
    const struct source *reader = inode_reader(node);
    bool grows = reader != NULL && reader->kind == SOURCE_EVENTS;
    if (!grows || d->now_ms - op->start_ms >= DOOR_STAT_MS)
        return 0;
    int rc = chain_need(d, op, node->chain);
    return rc == 0 ? lines_need(d, op, node->chain) : rc;
}

static int do_lookup(struct door *d, struct op *op)
{
    struct inode *node;
    int rc = find_name(d, op, op->node, op->ask.name, &node);
    if (rc == 0)
        rc = need_size(d, op, node);
    if (rc != 0)
        return rc;
    tell_entry(d, op, node);
    return 0;
}

static int do_getattr(struct door *d, struct op *op)
{
    int rc = need_size(d, op, op->node);
    if (rc != 0)
        return rc;
    struct told told = told_attr(d, op->node);
    if (op->handle != NULL && op->handle->is_loaded)
        told.attr.size = op->handle->data.len;
    return op_tell(d, op, &told);
}

static int do_access(struct door *d, struct op *op)
{
    struct attr attr = inode_attr(d, op->node);
    bool no = (op->ask.flags & W_OK) != 0 && (attr.mode & 0200) == 0;
    no = no || ((op->ask.flags & X_OK) != 0 && !attr.is_folder &&
                (attr.mode & 0100) == 0);
    return no ? -EACCES : op_done(d, op);
}

static int op_do(struct door *d, struct op *op)
{
    static int (*const how[])(struct door * d, struct op * op) = {
        [ASK_LOOKUP] = do_lookup,      [ASK_GETATTR] = do_getattr,
        [ASK_SETATTR] = do_setattr,    [ASK_ACCESS] = do_access,
        [ASK_OPEN] = do_open,          [ASK_CREATE] = do_create,
        [ASK_READ] = do_read,          [ASK_WRITE] = do_write,
        [ASK_FLUSH] = do_flush,        [ASK_FSYNC] = do_flush,
        [ASK_RELEASE] = do_release,    [ASK_OPENDIR] = do_opendir,
        [ASK_READDIR] = do_readdir,    [ASK_UNLINK] = scratch_unlink,
        [ASK_RENAME] = scratch_rename, [ASK_DELETE] = held_delete,
    };
    if (op->runs == 0 && held_gate(d, op))
        return DOOR_WAIT;
    if (++op->runs > DOOR_RUNS_MAX && op->waits_for_more == false &&
        op->taken == 0 && op->ask.kind != ASK_READ)
        return -EIO;
    return how[op->ask.kind](d, op);
}

void op_run(struct door *d, struct op *op)
{
    int rc = op_do(d, op);
    if (rc < 0)
        op_fail(d, op, -rc);
    else if (rc == 0)
        op_free(d, op);
    else
        assert(op->waits != NULL || op->is_calling || op->waits_for_more ||
               op->is_gated);
}

/* ---- asking ---- */

static void refuse(struct door *d, void *token, int error)
{
    struct told told = {.error = error};
    d->world.tell(d->world.ctx, token, &told);
}

static char *copy_name(const char *name)
{
    return name != NULL ? memory_string(name) : NULL;
}

/* What has to be taken, however many there are. */
static bool is_due(const struct ask *ask)
{
    return ask->kind == ASK_RELEASE || ask->kind == ASK_DELETE;
}

void door_ask(struct door *d, const struct ask *ask)
{
    struct inode *node = inode_by_number(d, ask->ino);
    struct inode *to = ask->to != 0 ? inode_by_number(d, ask->to) : NULL;
    if (node == NULL || (ask->to != 0 && to == NULL)) {
        refuse(d, ask->token, ESTALE);
        return;
    }
    if (d->op_count >= DOOR_ASKS_MAX && !is_due(ask)) {
        refuse(d, ask->token, EAGAIN);
        return;
    }
    struct op *op = memory_new(sizeof(*op));
    op->ask = *ask;
    op->ask.name = copy_name(ask->name);
    op->ask.to_name = copy_name(ask->to_name);
    if (ask->data != NULL)
        op->ask.data =
            memcpy(memory_grow(NULL, ask->size), ask->data, ask->size);
    op->handle = (struct handle *)(uintptr_t)ask->handle;
    op->node = node;
    op->to = to;
    inode_ref(node);
    if (to != NULL)
        inode_ref(to);
    op->start_ms = d->now_ms;
    op->deadline_ms = d->now_ms + d->options.deadline_ms;
    op_add(d, op);
    op_run(d, op);
}

/* A call is asked to end and answers; whoever only waits ends at once. */
void door_interrupt(struct door *d, void *token)
{
    for (struct op *op = d->ops; op != NULL; op = op->next) {
        if (op->ask.token != token)
            continue;
        op->is_interrupted = true;
        if (op->is_calling)
            d->world.cancel(d->world.ctx, op->call);
        else if (op->waits_for_more) {
            op->waits_for_more = false;
            op_run(d, op);
        } else if (op->ask.kind != ASK_RELEASE)
            op_fail(d, op, EINTR);
        return;
    }
}

void door_forget(struct door *d, uint64_t ino, uint64_t count)
{
    struct inode *node = inode_by_number(d, ino);
    if (node == NULL)
        return;
    node->lookups -= count < node->lookups ? count : node->lookups;
    inode_settle(d, node);
}

/* One whose call does not answer even after its deadline is told without. */
static void end_late(struct door *d, struct op *op)
{
    bool calls = op->is_calling && !op->has_answer;
    if (calls && d->now_ms < op->deadline_ms + GRACE_MS)
        return;
    if (calls)
        op_problem(d, op, op->caller, op->method, ATE_CANCELED,
                   "no answer before the deadline: whether it was done is not "
                   "known");
    op_fail(d, op, ETIMEDOUT);
}

static bool is_sizing(const struct door *d, const struct op *op)
{
    return op->waits != NULL && op->waits->chain != NULL &&
           op->waits == op->waits->chain->log.fetch &&
           (op->ask.kind == ASK_LOOKUP || op->ask.kind == ASK_GETATTR) &&
           d->now_ms - op->start_ms >= DOOR_STAT_MS;
}

void door_tick(struct door *d, int64_t now_ms)
{
    d->now_ms = now_ms;
    for (struct op *op = d->ops, *next; op != NULL; op = next) {
        next = op->next;
        bool settles = op->settle_ms != 0 && now_ms >= op->settle_ms;
        if (now_ms >= op->deadline_ms && !settles) {
            end_late(d, op);
        } else if (is_sizing(d, op)) {
            op->waits = NULL;
            op_run(d, op);
        } else if (settles && op->waits_for_more) {
            op->waits_for_more = false;
            op_run(d, op);
        }
    }
    held_tick(d);
    held_wake(d);
}

size_t door_held(const struct door *d)
{
    return d->held_count;
}

void door_finish(struct door *d)
{
    held_finish(d, NULL);
}

size_t door_pending(const struct door *d)
{
    return d->op_count;
}

/* ---- life ---- */

struct door *door_new(const struct world *world,
                      const struct door_options *options, int64_t now_ms)
{
    struct door *d = memory_new(sizeof(*d));
    d->world = *world;
    d->options = *options;
    if (d->options.deadline_ms == 0)
        d->options.deadline_ms = DEADLINE_MS;
    if (d->options.cache_max == 0)
        d->options.cache_max = DOOR_CACHE_MAX;
    if (d->options.chains_max == 0)
        d->options.chains_max = DOOR_FOLLOWED_MAX;
    d->as = options->as != NULL ? memory_string(options->as) : NULL;
    d->now_ms = now_ms;
    d->root = inode_new(d, NODE_ABOVE, NULL, "");
    d->root->is_current = true;
    inode_ref(d->root);
    assert(d->root->ino == DOOR_ROOT);
    return d;
}

void door_free(struct door *d)
{
    if (d == NULL)
        return;
    while (d->ops != NULL)
        op_fail(d, d->ops, EINTR);
    held_free(d);
    fetches_free(d);
    while (d->handles != NULL)
        handle_free(d, d->handles);
    inodes_free(d);
    replies_free(d);
    chains_end(d);
    free(d->as);
    free(d);
}
