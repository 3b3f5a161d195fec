/* Open folders, and what the kernel keeps of them.
 *
 * A handle has a list of names of its own, which only changes when it is read
 * from the start. Of what those who keep (h->keeps) read, the kernel makes one
 * list for all of them: it puts an entry behind the one with the number before,
 * whoever read that, and reads from there once it has seen an end. So with
 * lists of two states of a folder it would lose or double names, and for good
 * when an old one gets there after it was told to forget.
 *
 * (1) While a handle that keeps has the names of an older state, and until the
 *     next that keeps is open, the folder is mixed: its list in the kernel is
 *     of no worth, no end is told that would make it whole, and nobody else
 *     keeps. So who is in the middle of it never reads from another list.
 * (2) Who opens a mixed folder that nobody has open keeps, and drops the list;
 *     the kernel does that before the folder is open.
 * (3) What is dropped and was not read to its end never gets one: the kernel
 *     adds nothing to a page that is not there. So nothing is dropped before
 *     its time, and who opens such a folder (is_partial) reads it to the end
 *     first, and keeps nothing; the next one drops it.
 * (4) The kernel is told to drop a whole list for those alone who have the
 *     folder open, and may begin again. It does so some time later; until then
 *     nobody keeps, for it must not drop what is begun meanwhile (3). */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "mount/inside.h"

void listing_changes(struct inode *folder)
{
    folder->names_state++;
    folder->is_mixed = true;
}

bool listing_drops(struct door *d, struct inode *folder)
{
    bool drops = folder->is_whole && folder->keepers > 0;
    if (drops)
        folder->dropped_ms = d->now_ms;
    folder->is_whole = false;
    return drops;
}

void listing_clear(struct handle *h)
{
    for (size_t i = 0; i < h->name_count; i++)
        free((char *)h->names[i].name);
    h->name_count = 0;
}

void listing_end(struct handle *h)
{
    struct inode *folder = h->node;
    if (h->keeps)
        folder->keepers--;
    if (h->drops && !h->has_begun)
        folder->is_mixed = true; /* nobody heard of it, maybe not the kernel */
    listing_clear(h);
    free(h->names);
}

static uint64_t names_hash(const struct handle *h)
{
    uint64_t hash = h->name_count;
    for (size_t i = 0; i < h->name_count; i++)
        hash =
            hash * 31 + bytes_hash(h->names[i].name, strlen(h->names[i].name));
    return hash;
}

/* What nobody told us of is seen here. */
static int take_names(struct door *d, struct op *op, struct handle *h)
{
    struct inode *folder = h->node;
    int rc = list_names(d, op, folder, h);
    if (rc != 0)
        return rc;
    uint64_t hash = names_hash(h);
    if (hash != folder->names_hash)
        listing_changes(folder);
    folder->names_hash = hash;
    h->names_state = folder->names_state;
    if (folder->kind == NODE_FOLDER && folder->chain->is_ready)
        inode_list(folder);
    return 0;
}

/* ---- open ---- */

static void keep(struct inode *folder, struct handle *h)
{
    h->keeps = true;
    folder->keepers++;
    h->drops = folder->is_mixed && !folder->is_partial; /* (3) */
    if (h->drops)
        folder->is_mixed = folder->is_whole = false;
}

static bool may_keep(const struct door *d, const struct inode *folder)
{
    bool drops = folder->dropped_ms > 0 &&
                 d->now_ms - folder->dropped_ms < DOOR_SETTLE_MS; /* (4) */
    return folder->kind == NODE_FOLDER && folder->chain->is_ready && !drops &&
           !(folder->is_mixed && folder->keepers > 0);
}

static struct told told_folder(const struct door *d, struct inode *folder,
                               struct handle *h)
{
    if (may_keep(d, folder))
        keep(folder, h);
    return (struct told){.handle = (uint64_t)(uintptr_t)h,
                         .shares = h->keeps,
                         .keep = h->keeps && !h->drops};
}

int do_opendir(struct door *d, struct op *op)
{
    struct inode *node = op->node;
    if (node->kind != NODE_FOLDER && node->kind != NODE_ABOVE)
        return -ENOTDIR;
    if (op->handle == NULL)
        op->handle = handle_new(d, node, O_RDONLY);
    int rc = take_names(d, op, op->handle);
    if (rc == DOOR_WAIT)
        return rc;
    struct handle *h = op->handle;
    op->handle = NULL;
    if (rc != 0) {
        handle_free(d, h);
        return rc;
    }
    struct told told = told_folder(d, node, h);
    return op_tell(d, op, &told);
}

/* ---- read ---- */

/* A folder that has no name any more shows what it had. */
static bool has_to_list(const struct op *op, const struct handle *h)
{
    return op->ask.begins && h->node->is_current &&
           (h->has_begun || h->names_state != h->node->names_state);
}

/* Does the kernel take an end for that of what it keeps? (1) */
static bool is_old(const struct handle *h)
{
    return h->node->is_mixed || h->names_state != h->node->names_state;
}

static struct told told_names(struct handle *h, uint64_t at)
{
    struct inode *folder = h->node;
    bool ends = at >= h->name_count;
    struct told told = {.is_old = h->keeps && is_old(h)};
    if (h->keeps)
        folder->is_partial = !ends;
    if (ends && h->keeps && !told.is_old)
        folder->is_whole = true;
    if (!ends) {
        told.names = h->names + at;
        told.name_count = h->name_count - (size_t)at;
    }
    return told;
}

int do_readdir(struct door *d, struct op *op)
{
    struct handle *h = op->handle;
    int rc = has_to_list(op, h) ? take_names(d, op, h) : 0;
    if (rc != 0)
        return rc;
    h->has_begun = true;
    struct told told = told_names(h, op->ask.offset);
    return op_tell(d, op, &told);
}
