/* Files that are in no chain: what editors and copying tools make beside the
 * one they are about to write. They live here, in bounded memory, until they
 * are removed or renamed onto a file of the chain, which writes that.
 *
 * Editors also rename the file itself away, to have a backup, and write it
 * anew. Nothing happens in the chain: the backup is a scratch copy, the name is
 * free until it is written, and when the backup goes without that it is there
 * again.
 *
 * The folders of a chain are made anew when its schema changes, when a key is
 * deleted, and when it was closed for others. The old ones stay for the files
 * in them, until there is one with their path that takes those, or until there
 * is no room. */
#define _GNU_SOURCE /* RENAME_NOREPLACE */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mount/inside.h"

/* ---- in their folder ---- */

void scratch_add(struct inode *folder, struct inode *node)
{
    node->scratch_next = folder->scratch;
    folder->scratch = node;
    listing_changes(folder);
    inode_ref(node);
}

void scratch_drop(struct inode *node)
{
    struct inode **at = &node->parent->scratch;
    while (*at != NULL && *at != node)
        at = &(*at)->scratch_next;
    if (*at == NULL)
        return;
    *at = node->scratch_next;
    node->scratch_next = NULL;
    listing_changes(node->parent);
    assert(node->refs > 1 || node->handles > 0 || node->lookups > 0);
    node->refs--; /* whoever calls has it otherwise, too */
}

/* ---- when their folder goes ---- */

/* One that is about to be a file of the chain is that of whoever makes it. */
static void end_files(struct door *d, struct inode *folder)
{
    for (struct inode *n = folder->scratch, *next; n != NULL; n = next) {
        next = n->scratch_next;
        if (n->kind == NODE_SCRATCH)
            scratch_remove(d, n);
    }
}

void scratch_leave(struct inode *folder)
{
    if (folder->scratch == NULL)
        return;
    inode_ref(folder);
    folder->left_next = folder->chain->left;
    folder->chain->left = folder;
}

static void take_from(struct door *d, struct inode *folder, struct inode *left)
{
    for (struct inode *n = left->scratch, *next; n != NULL; n = next) {
        next = n->scratch_next;
        if (n->kind != NODE_SCRATCH)
            continue;
        char *name = memory_string(n->name);
        inode_ref(n);
        scratch_drop(n);
        inode_move(d, n, folder, name);
        scratch_add(folder, n);
        inode_unref(d, n);
        free(name);
    }
}

static bool has_path(const struct inode *folder, const char *path)
{
    struct buffer its = {0};
    inode_path(folder, &its);
    bool same = strcmp(its.data, path) == 0;
    buffer_free(&its);
    return same;
}

void scratch_adopt(struct door *d, struct inode *folder)
{
    struct buffer path = {0};
    struct inode **at = &folder->chain->left;
    if (*at == NULL)
        return;
    inode_path(folder, &path);
    while (*at != NULL) {
        struct inode *left = *at;
        if (!has_path(left, path.data)) {
            at = &left->left_next;
            continue;
        }
        *at = left->left_next;
        take_from(d, folder, left);
        inode_unref(d, left);
    }
    buffer_free(&path);
}

/* Nobody has looked for them since. */
static void end_left(struct door *d)
{
    for (struct chain *c = d->chains; c != NULL; c = c->next)
        while (c->left != NULL) {
            struct inode *left = c->left;
            c->left = left->left_next;
            end_files(d, left);
            inode_unref(d, left);
        }
}

/* ---- made, and sized ---- */

int scratch_make(struct door *d, struct op *op, struct inode *folder,
                 const char *name, struct inode **made)
{
    if (folder->kind != NODE_FOLDER || folder->chain == NULL)
        return -EPERM;
    if (d->scratch_count >= DOOR_SCRATCH_FILES)
        end_left(d);
    if (d->scratch_count >= DOOR_SCRATCH_FILES)
        return -ENOSPC;
    struct inode *node = inode_new(d, NODE_SCRATCH, folder, name);
    unsigned mode = op->ask.mode & 0777;
    node->mode = mode != 0 ? mode : 0600;
    scratch_add(folder, node);
    d->scratch_count++;
    *made = node;
    return 0;
}

int scratch_resize(struct door *d, struct inode *node, uint64_t size)
{
    if (size > DOOR_SCRATCH_MAX)
        return -EFBIG;
    uint64_t others = d->scratch_bytes - node->data.len;
    if (size > node->data.len && others + size > DOOR_SCRATCH_MAX) {
        end_left(d);
        others = d->scratch_bytes - node->data.len;
        if (others + size > DOOR_SCRATCH_MAX)
            return -ENOSPC;
    }
    d->scratch_bytes += size;
    d->scratch_bytes -= node->data.len;
    buffer_resize(&node->data, (size_t)size);
    node->mtime_ms = d->now_ms + d->options.epoch_ms;
    return 0;
}

/* The file that was moved here is at its place again. */
static void give_back(struct door *d, struct inode *node)
{
    struct inode *origin = node->origin;
    node->origin = NULL;
    if (origin == NULL)
        return;
    origin->is_moved = false;
    inode_unref(d, origin);
}

/* It loses its name; its data goes when nobody has it open any more. */
void scratch_remove(struct door *d, struct inode *node)
{
    inode_ref(node);
    give_back(d, node);
    scratch_drop(node);
    if (node->kind == NODE_SCRATCH)
        d->scratch_count--;
    inode_detach(d, node);
    inode_unref(d, node);
}

/* ---- unlink ---- */

int scratch_unlink(struct door *d, struct op *op)
{
    struct inode *node;
    if (op->caller != NULL)
        return held_unlink(d, op, op->caller);
    int rc = find_name(d, op, op->node, op->ask.name, &node);
    if (rc != 0)
        return rc;
    if (node->kind == NODE_SCRATCH || node->is_pending) {
        node->is_gone = true;
        scratch_remove(d, node);
        return op_done(d, op);
    }
    if (node->kind == NODE_FOLDER || node->kind == NODE_ABOVE)
        return -EISDIR;
    return held_unlink(d, op, node);
}

/* ---- rename ---- */

static bool has_content(const struct inode *node, const struct buffer *text)
{
    return node->is_known && node->size == text->len &&
           node->hash == bytes_hash(text->data, text->len);
}

/* The kernel gives the target's name to the file that was renamed: what it
 * should show there, it has to ask for. */
static int end_rename(struct door *d, struct op *op)
{
    op_done(d, op);
    d->world.forget_entry(d->world.ctx, op->to->ino, op->ask.to_name);
    d->world.forget_data(d->world.ctx, op->to->ino);
    return 0;
}

static int move_scratch(struct door *d, struct op *op, struct inode *node)
{
    struct inode *other = inode_find(d, op->to, op->ask.to_name);
    if (op->to->kind != NODE_FOLDER || op->to->chain == NULL)
        return -EPERM;
    if (other == node)
        return op_done(d, op);
    inode_ref(node);
    if (other != NULL)
        scratch_remove(d, other);
    scratch_drop(node);
    inode_move(d, node, op->to, op->ask.to_name);
    scratch_add(op->to, node);
    inode_unref(d, node);
    return op_done(d, op);
}

/* A file of the chain goes to a scratch name. */
static int move_away(struct door *d, struct op *op, struct inode *node)
{
    struct inode *made;
    char *value;
    if (find_writer(op->to, op->ask.to_name, &value) != NULL) {
        free(value);
        return -EXDEV;
    }
    if (is_command(node) || !inode_writable(node))
        return -EPERM;
    int rc = content_need(d, op, node);
    if (rc != 0)
        return rc;
    struct inode *other = inode_find(d, op->to, op->ask.to_name);
    if (other != NULL)
        scratch_remove(d, other);
    op->ask.mode = 0644;
    rc = scratch_make(d, op, op->to, op->ask.to_name, &made);
    if (rc != 0)
        return rc;
    rc = scratch_resize(d, made, node->content->len);
    if (rc != 0) {
        scratch_remove(d, made);
        return rc;
    }
    memcpy(made->data.data, node->content->data, node->content->len);
    made->mtime_ms = node->mtime_ms;
    made->origin = node;
    inode_ref(node);
    node->is_moved = true;
    node->moves++;
    return end_rename(d, op);
}

/* A scratch file onto a file of the chain: the call that writes it. */
static int begin_call(struct door *d, struct op *op, struct inode *from,
                      struct inode *target)
{
    if (!inode_writable(target))
        return -EACCES;
    if (from->origin == target && has_content(target, &from->data)) {
        scratch_remove(d, from);
        return end_rename(d, op);
    }
    buffer_put(&op->work, from->data.data, from->data.len);
    if (op->caller != target) {
        inode_ref(target);
        op->caller = target;
    }
    op->stage = STAGE_CALL;
    return is_command(target)
               ? 0
               : document_call(d, op, target, "", op->work.data, op->work.len);
}

static int run_call(struct door *d, struct op *op)
{
    struct inode *target = op->caller;
    int rc = 0;
    if (is_command(target)) {
        rc = command_run(d, op, target, &op->work);
        if (rc == 0 && !op->is_partial && op->taken < op->work.len) {
            buffer_text(&op->work, "\n"); /* a file may end without one */
            rc = command_run(d, op, target, &op->work);
        }
        if (rc == 0 && (op->is_partial || op->taken < op->work.len))
            rc = op->is_partial ? -ETIMEDOUT : -EINVAL;
    } else if (op->is_calling) {
        rc = call_end(op);
    }
    return rc;
}

static int end_call(struct door *d, struct op *op)
{
    struct inode *from = inode_find(d, op->node, op->ask.name);
    struct inode *target = op->caller;
    if (command_settle(d, op) == DOOR_WAIT)
        return DOOR_WAIT;
    if (target->is_pending) {
        target->is_pending = false;
        scratch_drop(target);
    }
    if (target->is_moved)
        target->is_moved = false;
    if (from != NULL && from->kind == NODE_SCRATCH) {
        struct inode *origin = from->origin;
        from->origin = NULL;
        inode_unref(d, origin);
        scratch_remove(d, from);
    }
    return end_rename(d, op);
}

/* The file that a rename makes, where there is none yet. */
static struct inode *make_target(struct door *d, struct op *op)
{
    char *value;
    const struct route *route = find_writer(op->to, op->ask.to_name, &value);
    if (route == NULL)
        return NULL;
    struct inode *node = inode_new(d, NODE_FILE, op->to, op->ask.to_name);
    node->route = route;
    node->shape = shape_ref(op->to->shape);
    node->value = value;
    node->is_pending = true;
    scratch_add(op->to, node);
    return node;
}

static int find_target(struct door *d, struct op *op, struct inode **target)
{
    *target = inode_find(d, op->to, op->ask.to_name);
    if (*target != NULL && (*target)->is_moved)
        held_take(d, *target);
    if (*target != NULL && ((*target)->is_moved || (*target)->is_pending ||
                            (*target)->kind == NODE_SCRATCH))
        return 0;
    int rc = find_name(d, op, op->to, op->ask.to_name, target);
    return rc == -ENOENT ? 0 : rc;
}

static int begin_rename(struct door *d, struct op *op)
{
    struct inode *target = NULL;
    struct inode *from = inode_find(d, op->node, op->ask.name);
    if ((op->ask.flags & ~RENAME_NOREPLACE) != 0)
        return -EINVAL;
    int rc = find_target(d, op, &target);
    if (rc != 0)
        return rc;
    if (from == NULL || from->is_moved)
        return -ENOENT;
    if (from->kind == NODE_FOLDER || from->kind == NODE_ABOVE)
        return -EPERM;
    bool to_scratch = target == NULL || target->kind == NODE_SCRATCH;
    if ((op->ask.flags & RENAME_NOREPLACE) != 0 && target != NULL &&
        !target->is_moved)
        return -EEXIST;
    if (target != NULL &&
        (target->kind == NODE_FOLDER || target->kind == NODE_ABOVE))
        return -EISDIR;
    if (from->kind != NODE_SCRATCH && !to_scratch)
        held_crosses(d, op, target);
    if (from->kind != NODE_SCRATCH)
        return to_scratch ? move_away(d, op, from) : -EXDEV;
    if (target == NULL)
        target = make_target(d, op);
    if (target == NULL || target->kind == NODE_SCRATCH)
        return move_scratch(d, op, from);
    return begin_call(d, op, from, target);
}

int scratch_rename(struct door *d, struct op *op)
{
    int rc = 0;
    if (op->stage == STAGE_BEGIN)
        rc = begin_rename(d, op);
    if (rc == 0 && op->stage == STAGE_CALL) {
        rc = run_call(d, op);
        if (rc == 0)
            op->stage = STAGE_SETTLE;
    }
    if (rc == 0 && op->stage == STAGE_SETTLE)
        return end_call(d, op);
    if (rc < 0 && op->caller != NULL && op->caller->is_pending)
        scratch_remove(d, op->caller);
    return rc;
}
