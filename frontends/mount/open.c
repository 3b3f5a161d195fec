/* Open files, and what is done with them. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ate.h"
#include "base/text.h"
#include "mount/inside.h"

/* ---- handles ---- */

static bool writes(int flags)
{
    return (flags & O_ACCMODE) != O_RDONLY;
}

struct handle *handle_new(struct door *d, struct inode *node, int flags)
{
    struct handle *h = memory_new(sizeof(*h));
    h->node = node;
    h->flags = flags;
    h->moves = node->moves;
    h->next = d->handles;
    if (d->handles != NULL)
        d->handles->prev = h;
    d->handles = h;
    node->handles++;
    inode_settle(d, node);
    return h;
}

void handle_free(struct door *d, struct handle *h)
{
    *(h->prev != NULL ? &h->prev->next : &d->handles) = h->next;
    if (h->next != NULL)
        h->next->prev = h->prev;
    struct inode *node = h->node;
    content_unref(h->content);
    buffer_free(&h->pending);
    buffer_free(&h->refused);
    buffer_free(&h->reply);
    buffer_free(&h->data);
    listing_end(h);
    free(h);
    node->handles--;
    inode_settle(d, node);
}

static const struct source *special(const struct inode *node)
{
    const struct source *reader = inode_reader(node);
    bool is = reader != NULL &&
              (reader->kind == SOURCE_EVENTS || reader->kind == SOURCE_WATCH);
    return is ? reader : NULL;
}

static bool is_document(const struct handle *h)
{
    return inode_writer(h->node) != NULL && !is_command(h->node) &&
           writes(h->flags);
}

/* ---- open ---- */

static struct told told_open(struct door *d, struct handle *h)
{
    struct told told = told_attr(d, h->node);
    const struct source *source = special(h->node);
    told.handle = (uint64_t)(uintptr_t)h;
    told.is_stream = is_command(h->node) && writes(h->flags);
    told.direct = source != NULL || is_command(h->node) || is_document(h);
    return told;
}

static int open_special(struct door *d, struct op *op, struct inode *node,
                        struct handle **made)
{
    const struct source *source = special(node);
    if (writes(op->ask.flags))
        return -EACCES;
    int rc = chain_need(d, op, node->chain);
    if (rc == 0 && source->kind == SOURCE_EVENTS)
        rc = lines_need(d, op, node->chain);
    if (rc != 0)
        return rc;
    *made = handle_new(d, node, op->ask.flags);
    (*made)->watches = source->kind == SOURCE_WATCH;
    (*made)->watched_type = source->index;
    return 0;
}

/* Truncated as it is opened: what it holds from now on is nothing, but that is
 * no call until something is written, or nothing ever was. */
static void start_writing(struct door *d, struct handle *h, int flags)
{
    bool cut = (flags & O_TRUNC) != 0;
    if (h->node->kind == NODE_SCRATCH) {
        if (cut)
            scratch_resize(d, h->node, 0);
        return;
    }
    if (is_command(h->node))
        return;
    h->has_base = !h->node->is_pending;
    h->is_loaded = cut || h->node->is_pending;
    h->is_cut = cut && !h->node->is_pending;
    h->is_in_order = h->is_loaded;
}

static int open_node(struct door *d, struct op *op, struct inode *node,
                     struct handle **made)
{
    int flags = op->ask.flags;
    if (node->kind == NODE_FOLDER || node->kind == NODE_ABOVE)
        return -EISDIR;
    if (special(node) != NULL)
        return open_special(d, op, node, made);
    if (writes(flags) && !inode_writable(node))
        return -EACCES;
    bool reads = node->kind != NODE_SCRATCH && !node->is_pending &&
                 !(writes(flags) && is_command(node));
    if (reads && !(writes(flags) && (flags & O_TRUNC) != 0)) {
        int rc = content_need(d, op, node);
        if (rc != 0)
            return rc;
    }
    *made = handle_new(d, node, flags);
    if (writes(flags))
        start_writing(d, *made, flags);
    else if (reads)
        (*made)->content = content_ref(node->content);
    return 0;
}

int do_open(struct door *d, struct op *op)
{
    struct handle *h = NULL;
    int rc = open_node(d, op, op->node, &h);
    if (rc != 0)
        return rc;
    struct told told = told_open(d, h);
    return op_tell(d, op, &told);
}

static int make_file(struct door *d, struct op *op, struct inode **made)
{
    char *value;
    struct inode *moved = inode_find(d, op->node, op->ask.name);
    if (moved != NULL && moved->is_moved) { /* somebody writes it anew */
        held_take(d, moved);
        moved->is_moved = false;
        *made = moved;
        return 0;
    }
    const struct route *route = find_writer(op->node, op->ask.name, &value);
    if (route == NULL && !find_takes_scratch(op->node, op->ask.name))
        return op->node->chain == NULL ? -EPERM : -ENOENT;
    if (route == NULL)
        return scratch_make(d, op, op->node, op->ask.name, made);
    if (!text_is_utf8(value, strlen(value))) { /* it never is a key */
        free(value);
        return -EINVAL;
    }
    *made = inode_new(d, NODE_FILE, op->node, op->ask.name);
    (*made)->route = route;
    (*made)->shape = shape_ref(op->node->shape);
    (*made)->value = value;
    (*made)->is_pending = true;
    scratch_add(op->node, *made);
    return 0;
}

int do_create(struct door *d, struct op *op)
{
    struct inode *node = NULL;
    struct handle *h = NULL;
    if (op->node->kind != NODE_FOLDER)
        return -EPERM;
    int rc = find_name(d, op, op->node, op->ask.name, &node);
    if (rc == 0 && (op->ask.flags & O_EXCL) != 0)
        return -EEXIST;
    if (rc == -ENOENT) {
        rc = make_file(d, op, &node);
        op->ask.flags |= O_TRUNC;
    }
    if (rc == 0)
        rc = open_node(d, op, node, &h);
    if (rc != 0)
        return rc;
    struct told told = told_open(d, h);
    node->lookups++;
    return op_tell(d, op, &told);
}

/* ---- read and write ---- */

static int tell_slice(struct door *d, struct op *op, const char *data,
                      size_t len)
{
    size_t at = op->ask.offset < len ? (size_t)op->ask.offset : len;
    size_t size = len - at < op->ask.size ? len - at : op->ask.size;
    struct told told = {.data = len > 0 ? data + at : "", .len = size};
    return op_tell(d, op, &told);
}

int do_read(struct door *d, struct op *op)
{
    struct handle *h = op->handle;
    const struct inode *node = h->node;
    const struct source *source = special(node);
    if (h->watches)
        return watch_read(d, op);
    if (source != NULL)
        return lines_read(d, op, node->chain);
    if (node->kind == NODE_SCRATCH)
        return tell_slice(d, op, node->data.data, node->data.len);
    if (is_command(node) && writes(h->flags))
        return command_read(d, op);
    if (is_document(h))
        return document_read(d, op);
    if (h->content == NULL)
        return -EIO;
    return tell_slice(d, op, h->content->data, h->content->len);
}

static int write_scratch(struct door *d, struct op *op)
{
    struct inode *node = op->handle->node;
    uint64_t end = op->ask.offset + op->ask.size;
    if (op->ask.offset > DOOR_SCRATCH_MAX || end > DOOR_SCRATCH_MAX)
        return -EFBIG;
    int rc = end > node->data.len ? scratch_resize(d, node, end) : 0;
    if (rc != 0)
        return rc;
    if (op->ask.size > 0)
        memcpy(node->data.data + op->ask.offset, op->ask.data, op->ask.size);
    node->mtime_ms = d->now_ms + d->options.epoch_ms;
    struct told told = {.len = op->ask.size};
    return op_tell(d, op, &told);
}

int do_write(struct door *d, struct op *op)
{
    struct handle *h = op->handle;
    if (!writes(h->flags))
        return -EBADF;
    if (h->node->kind == NODE_SCRATCH)
        return write_scratch(d, op);
    if (is_command(h->node))
        return command_write(d, op);
    return document_write(d, op);
}

/* ---- closing ---- */

int do_flush(struct door *d, struct op *op)
{
    struct handle *h = op->handle;
    if (is_command(h->node) && writes(h->flags))
        return command_flush(d, op);
    bool has_news = h->is_dirty && !h->node->is_gone;
    bool judges = is_document(h) && (has_news || op->stage != STAGE_BEGIN);
    int rc = judges ? document_judge(d, op, h) : 0;
    return rc != 0 ? rc : op_done(d, op);
}

/* Nobody hears of an error any more: what was written and refused is told by
 * flush before. Here only a file that was emptied, and nothing else, is
 * judged. */
int do_release(struct door *d, struct op *op)
{
    struct handle *h = op->handle;
    bool cut = is_document(h) && h->is_cut;
    int rc = cut ? document_judge(d, op, h) : 0;
    if (rc == DOOR_WAIT)
        return rc;
    if (h->node->is_pending && h->node->handles == 1) {
        if (!h->was_judged && !h->node->is_gone)
            op_problem(d, op, h->node, document_method(h->node, "put"),
                       ATE_INVALID, "nothing was written, so nothing was made");
        scratch_remove(d, h->node);
    }
    op->handle = NULL;
    handle_free(d, h);
    return op_done(d, op);
}

/* ---- attributes ---- */

static int resize_copy(struct door *d, struct op *op, struct handle *h)
{
    int rc = op->ask.offset == 0 ? 0 : document_load(d, op, h);
    if (rc != 0)
        return rc;
    h->is_loaded = true;
    buffer_resize(&h->data, (size_t)op->ask.offset);
    h->is_dirty = true;
    h->is_cut = false;
    h->is_called = false;
    h->is_in_order = op->ask.offset == 0;
    return 0;
}

/* By a path: nobody closes that, so it is judged at once. */
static int cut(struct door *d, struct op *op, struct inode *node)
{
    if (node->is_pending) /* what there is belongs to who made it */
        return op->ask.offset == 0 ? 0 : -EOPNOTSUPP;
    if (op->handle == NULL) {
        op->handle = handle_new(d, node, O_WRONLY);
        op->handle->has_base = true;
        op->is_cutting = true;
    }
    bool is_cut = op->stage != STAGE_BEGIN || op->handle->is_dirty;
    int rc = is_cut ? 0 : resize_copy(d, op, op->handle);
    return rc != 0 ? rc : document_judge(d, op, op->handle);
}

static int resize(struct door *d, struct op *op, struct inode *node)
{
    struct handle *h = op->handle;
    if (node->kind == NODE_SCRATCH)
        return scratch_resize(d, node, op->ask.offset);
    if (is_command(node))
        return 0; /* a shell empties what it is about to write */
    if (!inode_writable(node))
        return -EACCES;
    if (op->ask.offset > DOOR_CALL_MAX)
        return -EFBIG;
    if (h == NULL || op->is_cutting)
        return cut(d, op, node);
    return is_document(h) ? resize_copy(d, op, h) : -EBADF;
}

/* What others may is nothing anyway, for they do not see the mount: who says
 * that they may not, as `install -m 600` does, gets that. */
static bool is_no_change(unsigned before, unsigned mode)
{
    return (mode & 0700) == (before & 0700) && (mode & ~before) == 0;
}

int do_setattr(struct door *d, struct op *op)
{
    struct inode *node = op->node;
    unsigned set = op->ask.set;
    struct attr before = inode_attr(d, node);
    bool is_scratch = node->kind == NODE_SCRATCH;
    if ((set & SET_MODE) != 0 && !is_scratch &&
        !is_no_change(before.mode, op->ask.mode & 0777))
        return -EPERM;
    if ((set & SET_SIZE) != 0) {
        int rc = resize(d, op, node);
        if (rc != 0)
            return rc;
    }
    if ((set & SET_MODE) != 0 && is_scratch)
        node->mode = op->ask.mode & 0777;
    if ((set & SET_MTIME) != 0 && is_scratch)
        node->mtime_ms = op->ask.mtime_ms;
    struct told told = told_attr(d, node);
    if (op->handle != NULL && !op->is_cutting && is_document(op->handle))
        told.attr.size = op->handle->data.len;
    return op_tell(d, op, &told);
}
