/* Nodes: in two tables, by number and by (folder, name).
 *
 * (1) A node that is current has its name in the table; at most one has.
 * (2) It lives while the kernel, an open file, an op, a fetch or a child needs
 *     it. Then a current one becomes idle and is kept for a while, the oldest
 *     go first; any other is freed. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "mount/inside.h"
#include "mount/names.h"

/* ---- hashes and lists ---- */

uint64_t bytes_hash(const void *data, size_t len)
{
    const unsigned char *bytes = data;
    uint64_t hash = 14695981039346656037u;
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ bytes[i]) * 1099511628211u;
    return hash;
}

static struct inode **ino_slot(struct door *d, uint64_t ino)
{
    return &d->inos[ino % TABLE_SIZE];
}

static size_t name_slot(const struct inode *parent, const char *name)
{
    return (bytes_hash(name, strlen(name)) ^ parent->ino * 31) % TABLE_SIZE;
}

static void idle_remove(struct door *d, struct inode *node)
{
    if (!node->is_idle)
        return;
    *(node->idle_prev ? &node->idle_prev->idle_next : &d->idle.first) =
        node->idle_next;
    *(node->idle_next ? &node->idle_next->idle_prev : &d->idle.last) =
        node->idle_prev;
    node->is_idle = false;
    d->idle_count--;
}

static void idle_add(struct door *d, struct inode *node)
{
    node->is_idle = true;
    node->idle_next = NULL;
    node->idle_prev = d->idle.last;
    *(d->idle.last ? &d->idle.last->idle_next : &d->idle.first) = node;
    d->idle.last = node;
    d->idle_count++;
}

static void kept_remove(struct door *d, struct inode *node)
{
    if (!node->is_kept)
        return;
    *(node->kept_prev ? &node->kept_prev->kept_next : &d->kept.first) =
        node->kept_next;
    *(node->kept_next ? &node->kept_next->kept_prev : &d->kept.last) =
        node->kept_prev;
    node->is_kept = false;
    d->kept_bytes -= node->content->len;
}

static void kept_add(struct door *d, struct inode *node)
{
    node->is_kept = true;
    node->kept_next = NULL;
    node->kept_prev = d->kept.last;
    *(d->kept.last ? &d->kept.last->kept_next : &d->kept.first) = node;
    d->kept.last = node;
    d->kept_bytes += node->content->len;
}

/* ---- making and finding ---- */

static void name_add(struct door *d, struct inode *node)
{
    struct inode **slot = &d->names[name_slot(node->parent, node->name)];
    node->name_next = *slot;
    *slot = node;
    node->is_current = true;
}

static void name_remove(struct door *d, struct inode *node)
{
    struct inode **at = &d->names[name_slot(node->parent, node->name)];
    while (*at != node)
        at = &(*at)->name_next;
    *at = node->name_next;
    node->is_current = false;
}

struct inode *inode_new(struct door *d, enum node_kind kind,
                        struct inode *parent, const char *name)
{
    struct inode *node = memory_new(sizeof(*node));
    node->kind = kind;
    node->ino = ++d->last_ino;
    node->name = memory_string(name);
    node->parent = parent;
    node->mtime_ms = d->now_ms + d->options.epoch_ms;
    struct inode **slot = ino_slot(d, node->ino);
    node->ino_next = *slot;
    *slot = node;
    d->node_count++;
    if (parent != NULL) {
        node->chain = parent->chain;
        inode_ref(parent);
        name_add(d, node);
    }
    return node;
}

void inode_move(struct door *d, struct inode *node, struct inode *parent,
                const char *name)
{
    struct inode *before = node->parent;
    name_remove(d, node);
    free(node->name);
    node->name = memory_string(name);
    inode_ref(parent);
    node->parent = parent;
    node->chain = parent->chain;
    name_add(d, node);
    inode_unref(d, before);
}

struct inode *inode_by_number(const struct door *d, uint64_t ino)
{
    struct inode *at = d->inos[ino % TABLE_SIZE];
    while (at != NULL && at->ino != ino)
        at = at->ino_next;
    return at;
}

struct inode *inode_find(const struct door *d, const struct inode *parent,
                         const char *name)
{
    struct inode *at = d->names[name_slot(parent, name)];
    while (at != NULL && (at->parent != parent || strcmp(at->name, name) != 0))
        at = at->name_next;
    return at;
}

/* ---- life ---- */

void inode_list(struct inode *node)
{
    struct chain *chain = node->chain;
    if (node->listed_link != NULL || chain == NULL)
        return;
    node->listed_next = chain->listed;
    node->listed_link = &chain->listed;
    if (chain->listed != NULL)
        chain->listed->listed_link = &node->listed_next;
    chain->listed = node;
}

static bool listed_remove(struct inode *node)
{
    if (node->listed_link == NULL)
        return false;
    *node->listed_link = node->listed_next;
    if (node->listed_next != NULL)
        node->listed_next->listed_link = node->listed_link;
    node->listed_link = NULL;
    node->listed_next = NULL;
    return true;
}

void inode_unlist(struct door *d, struct inode *node)
{
    if (!listed_remove(node))
        return;
    node->mtime_ms = node->chain->time_ms;
    listing_changes(node);
    if (listing_drops(d, node))
        d->world.forget_data(d->world.ctx, node->ino);
    else
        d->world.forget_attr(d->world.ctx, node->ino);
}

static void fresh_remove(struct inode *node)
{
    if (node->fresh_link == NULL)
        return;
    *node->fresh_link = node->fresh_next;
    if (node->fresh_next != NULL)
        node->fresh_next->fresh_link = node->fresh_link;
    node->fresh_link = NULL;
    node->fresh_next = NULL;
}

static void inode_free(struct door *d, struct inode *node)
{
    struct inode *parent = node->parent;
    struct inode **at = ino_slot(d, node->ino);
    while (*at != node)
        at = &(*at)->ino_next;
    *at = node->ino_next;
    if (node->is_current && parent != NULL)
        name_remove(d, node);
    idle_remove(d, node);
    fresh_remove(node);
    listed_remove(node);
    inode_set_content(d, node, NULL);
    d->scratch_bytes -= node->data.len;
    d->node_count--;
    shape_unref(node->shape);
    buffer_free(&node->data);
    free(node->name);
    free(node->value);
    struct inode *origin = node->origin;
    free(node);
    inode_unref(d, origin);
    inode_unref(d, parent);
}

static bool is_needed(const struct inode *node)
{
    return node->lookups > 0 || node->handles > 0 || node->refs > 0;
}

void inode_settle(struct door *d, struct inode *node)
{
    if (is_needed(node)) {
        idle_remove(d, node);
        return;
    }
    if (!node->is_current) {
        inode_free(d, node);
        return;
    }
    if (!node->is_idle)
        idle_add(d, node);
    inodes_trim(d);
}

void inodes_trim(struct door *d)
{
    while (d->idle_count > DOOR_NODES_MAX) {
        struct inode *oldest = d->idle.first;
        assert(oldest != NULL && !is_needed(oldest));
        inode_free(d, oldest);
    }
}

void inode_ref(struct inode *node)
{
    node->refs++;
}

void inode_unref(struct door *d, struct inode *node)
{
    if (node == NULL)
        return;
    assert(node->refs > 0);
    node->refs--;
    inode_settle(d, node);
}

void inode_detach(struct door *d, struct inode *node)
{
    if (!node->is_current || node->parent == NULL)
        return;
    inode_forget_entry(d, node);
    name_remove(d, node);
    fresh_remove(node);
    node->is_fresh = false;
    inode_settle(d, node);
}

struct inode *inode_replace(struct door *d, struct inode *node)
{
    struct inode *parent = node->parent;
    struct buffer name = {0};
    assert(node->is_current && parent != NULL);
    inode_ref(node);
    inode_ref(parent);
    buffer_text(&name, node->name);
    inode_detach(d, node);
    struct inode *next = inode_new(d, node->kind, parent, name.data);
    next->route = node->route;
    next->shape = shape_ref(node->shape);
    next->value = node->value != NULL ? memory_string(node->value) : NULL;
    buffer_free(&name);
    held_follow(d, node, next);
    inode_unref(d, parent);
    inode_unref(d, node);
    return next;
}

/* ---- contents ---- */

static void trim_contents(struct door *d)
{
    uint64_t most = d->options.cache_max;
    struct inode *node = d->kept.first;
    while (node != NULL && d->kept_bytes > most) {
        struct inode *next = node->kept_next;
        if (node->refs == 0 && node != d->kept.last)
            inode_set_content(d, node, NULL);
        node = next;
    }
}

void inode_set_content(struct door *d, struct inode *node,
                       struct content *content)
{
    kept_remove(d, node);
    content_unref(node->content);
    node->content = content;
    if (content == NULL)
        return;
    node->size = content->len;
    node->hash = bytes_hash(content->data, content->len);
    node->is_known = true;
    kept_add(d, node);
    trim_contents(d);
}

void inode_use(struct door *d, struct inode *node)
{
    if (!node->is_kept || d->kept.last == node)
        return;
    kept_remove(d, node);
    kept_add(d, node);
}

void inode_is_derived(struct inode *node)
{
    struct chain *chain = node->chain;
    node->is_fresh = true;
    if (node->fresh_link != NULL || chain == NULL)
        return;
    node->fresh_next = chain->fresh;
    node->fresh_link = &chain->fresh;
    if (chain->fresh != NULL)
        chain->fresh->fresh_link = &node->fresh_next;
    chain->fresh = node;
}

void inode_went_stale(struct door *d, struct inode *node)
{
    fresh_remove(node);
    if (!node->is_fresh)
        return;
    node->is_fresh = false;
    inode_forget_entry(d, node);
}

void inode_forget_entry(struct door *d, const struct inode *node)
{
    if (node->lookups == 0 || node->parent == NULL || !node->is_current)
        return;
    if (!ops_hold(d, node->parent->ino, node->name))
        d->world.forget_entry(d->world.ctx, node->parent->ino, node->name);
}

void inodes_free(struct door *d)
{
    for (size_t i = 0; i < TABLE_SIZE; i++)
        for (struct inode *n = d->inos[i]; n != NULL; n = n->ino_next) {
            n->lookups = 0;
            n->refs++; /* none goes while we walk */
        }
    for (size_t i = 0; i < TABLE_SIZE; i++)
        while (d->inos[i] != NULL) {
            struct inode *n = d->inos[i];
            n->parent = NULL;
            n->is_current = false;
            n->origin = NULL;
            inode_free(d, n);
        }
}

/* ---- what is told of them ---- */

const struct source *inode_writer(const struct inode *node)
{
    return node->kind == NODE_FILE ? node->route->writer : NULL;
}

const struct source *inode_reader(const struct inode *node)
{
    return node->kind == NODE_FILE ? node->route->reader : NULL;
}

bool is_command(const struct inode *node)
{
    const struct source *writer = inode_writer(node);
    return writer != NULL && writer->is_command;
}

bool inode_writable(const struct inode *node)
{
    return node->kind == NODE_SCRATCH || inode_writer(node) != NULL;
}

struct attr inode_attr(const struct door *d, const struct inode *node)
{
    struct attr attr = {.ino = node->ino, .mtime_ms = node->mtime_ms};
    const struct source *reader = inode_reader(node);
    (void)d;
    if (node->kind == NODE_ABOVE || node->kind == NODE_FOLDER) {
        attr.is_folder = true;
        attr.mode = 0755;
        return attr;
    }
    attr.mode = inode_writable(node) ? 0644 : 0444;
    attr.size = node->size;
    if (node->kind == NODE_SCRATCH) {
        attr.mode = node->mode;
        attr.size = node->data.len;
    } else if (reader != NULL && reader->kind == SOURCE_EVENTS) {
        attr.size = node->chain->log.size;
        attr.mtime_ms = node->chain->time_ms;
    }
    return attr;
}

const char *inode_value(const struct inode *node, size_t depth)
{
    while (node != NULL && node->route != NULL &&
           (node->route->up == NULL || node->route->depth != depth))
        node = node->parent;
    return node != NULL && node->value != NULL ? node->value : "";
}

char *binding_text(const struct inode *node, const struct binding *binding)
{
    struct buffer text = {0};
    buffer_text(&text, "");
    for (size_t i = 0; i < binding->pieces; i++) {
        if (i > 0)
            buffer_byte(&text, '/');
        buffer_text(&text, inode_value(node, binding->depth + i));
    }
    return text.data;
}

void inode_path(const struct inode *node, struct buffer *out)
{
    if (node->parent == NULL || node->parent->chain == NULL) {
        buffer_text(out, "");
        return;
    }
    inode_path(node->parent, out);
    if (out->len > 0)
        buffer_byte(out, '/');
    buffer_text(out, node->name);
}
