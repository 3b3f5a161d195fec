/* The head of a copy-on-write B+tree, and how it is written.
 *
 * (1) All leaves are at the same depth. No leaf is empty; a branch has two
 *     children at least; an empty tree has no page.
 * (2) Key k lies below slot s of a branch if and only if
 *     key(s) <= k < key(s + 1), without a bound at the ends.
 * (3) Each page below the head is referred to once. A write touches the pages
 *     from the root to its leaf first, so that it changes only pages that no
 *     mark and no pin keeps.
 *
 * By (1) a tree of depth d has 2^(d-1) leaves at least, and there are fewer
 * than 2^32 pages: TREE_DEPTH_MAX cannot be reached.
 *
 * What grows over a page is split and gives its parent one more child, up to a
 * new root. A page that shrinks below a quarter is merged with a neighbour if
 * both fit into one; a branch left with one child, where that is not so, shares
 * with its neighbour instead, to keep (1). */
#include "base/tree.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "base/memory.h"
#include "base/tree_inside.h"

enum { THIN_MAX = NODE_SPACE / 4 };

static_assert((int)TREE_KEY_MAX == (int)NODE_KEY_MAX, "one bound for keys");
static_assert(offsetof(struct tree_pin, kept) == 0, "unpinning casts");

/* The pages from the root to a leaf; slot[i] leads to page[i + 1]. */
struct path {
    int depth;
    uint32_t page[TREE_DEPTH_MAX];
    unsigned slot[TREE_DEPTH_MAX];
};

struct tree *tree_new(void)
{
    struct tree *t = mem_zero(1, sizeof(*t));
    pages_init(&t->pages);
    return t;
}

void tree_free(struct tree *t)
{
    if (t == NULL)
        return;
    while (t->pages.newest_pin != NULL)
        tree_unpin(t, (struct tree_pin *)t->pages.newest_pin);
    pages_deinit(&t->pages);
    mem_free(t);
}

struct tree_version tree_head(const struct tree *t)
{
    return (struct tree_version){.tree = t, .root = t->head.page};
}

bool tree_get(struct tree_version v, struct bytes key, struct bytes *value)
{
    if (v.root == 0)
        return false;
    const struct pages *pages = &v.tree->pages;
    const uint8_t *page = page_read(pages, v.root);
    while (node_kind(page) == NODE_BRANCH)
        page = page_read(pages, node_child(page, node_find_child(page, key)));
    unsigned slot;
    if (!node_find(page, key, &slot))
        return false;
    *value = tree_value_at(v.tree, page, slot);
    return true;
}

/* ---- the way down ---- */

/* True when the key is there; else it belongs before the leaf's slot. */
static bool find_path(const struct tree *t, struct bytes key, struct path *path)
{
    uint32_t at = t->head.page;
    assert(at != 0);
    for (path->depth = 0;;) {
        assert(path->depth < TREE_DEPTH_MAX);
        int level = path->depth++;
        const uint8_t *page = page_read(&t->pages, at);
        path->page[level] = at;
        if (node_kind(page) == NODE_LEAF)
            return node_find(page, key, &path->slot[level]);
        path->slot[level] = node_find_child(page, key);
        at = node_child(page, path->slot[level]);
    }
}

/* The page itself if it is writable, else a copy in its place. */
static uint32_t touch(struct pages *p, uint32_t page)
{
    if (page_is_writable(p, page))
        return page;
    uint32_t copy = page_new(p);
    node_copy(page_write(p, copy), page_read(p, page));
    page_drop(p, page);
    return copy;
}

/* Make a child of a writable branch writable. */
static uint32_t touch_child(struct tree *t, uint32_t parent, unsigned slot)
{
    uint8_t *page = page_write(&t->pages, parent);
    uint32_t child = node_child(page, slot);
    uint32_t touched = touch(&t->pages, child);
    if (touched != child)
        node_set_child(page, slot, touched);
    return touched;
}

static void touch_path(struct tree *t, struct path *path)
{
    path->page[0] = t->head.page = touch(&t->pages, t->head.page);
    for (int i = 1; i < path->depth; i++)
        path->page[i] = touch_child(t, path->page[i - 1], path->slot[i - 1]);
}

/* ---- putting ---- */

static void grow_root(struct tree *t, struct bytes right_cell)
{
    uint32_t root = page_new(&t->pages);
    uint8_t *page = page_write(&t->pages, root);
    uint8_t room[NODE_CELL_MAX];
    node_init(page, NODE_BRANCH);
    node_insert(page, 0,
                node_branch_cell(room, (struct bytes){0}, t->head.page));
    node_insert(page, 1, right_cell);
    t->head.page = root;
}

/* Insert a cell at a slot of the page on `level`; splits go up from there. */
static void insert(struct tree *t, const struct path *path, int level,
                   unsigned slot, struct bytes cell)
{
    uint8_t room[NODE_CELL_MAX];
    uint8_t separator[NODE_KEY_MAX];
    for (;;) {
        uint8_t *page = page_write(&t->pages, path->page[level]);
        if (node_has_room(page, cell.len)) {
            node_insert(page, slot, cell);
            return;
        }
        uint32_t right = page_new(&t->pages);
        size_t len = node_split(page, page_write(&t->pages, right), slot, cell,
                                separator);
        cell = node_branch_cell(room, bytes_of(separator, len), right);
        if (level == 0) {
            grow_root(t, cell);
            return;
        }
        slot = path->slot[--level] + 1;
    }
}

static struct node_value store_value(struct tree *t, struct bytes key,
                                     struct bytes value)
{
    if (node_fits_inline(key.len, value.len))
        return (struct node_value){.here = value};
    uint32_t run = page_new_run(&t->pages, value.len);
    memcpy(page_write(&t->pages, run), value.data, value.len);
    return (struct node_value){.run = run, .run_len = (uint32_t)value.len};
}

static void drop_value(struct tree *t, const uint8_t *leaf, unsigned slot)
{
    struct node_value value = node_value(leaf, slot);
    if (value.run != 0)
        page_drop(&t->pages, value.run);
}

static uint32_t new_leaf(struct tree *t)
{
    uint32_t page = page_new(&t->pages);
    node_init(page_write(&t->pages, page), NODE_LEAF);
    return page;
}

void tree_put(struct tree *t, struct bytes key, struct bytes value)
{
    assert(key.len <= TREE_KEY_MAX);
    assert(value.len <= TREE_VALUE_MAX);
    uint8_t room[NODE_CELL_MAX];
    struct path path;
    if (t->head.page == 0)
        t->head.page = new_leaf(t);
    bool found = find_path(t, key, &path);
    touch_path(t, &path);
    int level = path.depth - 1;
    unsigned slot = path.slot[level];
    uint8_t *leaf = page_write(&t->pages, path.page[level]);
    struct bytes cell = node_leaf_cell(room, key, store_value(t, key, value));
    if (found) {
        drop_value(t, leaf, slot);
        if (node_overwrite(leaf, slot, cell))
            return;
        node_remove(leaf, slot);
    } else {
        t->head.entries++;
    }
    insert(t, &path, level, slot, cell);
}

/* ---- deleting ---- */

static bool is_single(const uint8_t *page)
{
    return node_kind(page) == NODE_BRANCH && node_count(page) == 1;
}

static bool can_merge(const struct tree *t, const uint8_t *parent,
                      unsigned left_slot)
{
    return node_can_merge(
        page_read(&t->pages, node_child(parent, left_slot)),
        page_read(&t->pages, node_child(parent, left_slot + 1)),
        node_key(parent, left_slot + 1));
}

/* Children left_slot and left_slot + 1 become one. */
static void merge(struct tree *t, uint32_t parent, unsigned left_slot)
{
    uint32_t left = touch_child(t, parent, left_slot);
    uint8_t *page = page_write(&t->pages, parent);
    uint32_t right = node_child(page, left_slot + 1);
    node_merge(page_write(&t->pages, left), page_read(&t->pages, right),
               node_key(page, left_slot + 1));
    page_drop(&t->pages, right);
    node_remove(page, left_slot + 1);
}

/* Two branches below the page on `level` share their children anew. The key
 * that divides them changes, and may be too long for the parent as it is. */
static void share(struct tree *t, const struct path *path, int level,
                  unsigned left_slot)
{
    uint32_t parent = path->page[level];
    uint32_t left = touch_child(t, parent, left_slot);
    uint32_t right = touch_child(t, parent, left_slot + 1);
    uint8_t *page = page_write(&t->pages, parent);
    uint8_t separator[NODE_KEY_MAX];
    uint8_t room[NODE_CELL_MAX];
    size_t len =
        node_share(page_write(&t->pages, left), page_write(&t->pages, right),
                   node_key(page, left_slot + 1), separator);
    node_remove(page, left_slot + 1);
    insert(t, path, level, left_slot + 1,
           node_branch_cell(room, bytes_of(separator, len), right));
}

/* Mend the page on `level`, which became thin. True: its parent lost a child.
 */
static bool mend(struct tree *t, const struct path *path, int level)
{
    uint32_t parent = path->page[level - 1];
    const uint8_t *page = page_read(&t->pages, parent);
    unsigned slot = path->slot[level - 1];
    unsigned left_slot = slot > 0 ? slot - 1 : 0;
    unsigned last_pair = node_count(page) - 2;
    assert(node_count(page) >= 2);
    for (unsigned i = left_slot; i <= slot && i <= last_pair; i++) {
        if (can_merge(t, page, i)) {
            merge(t, parent, i);
            return true;
        }
    }
    if (is_single(page_read(&t->pages, path->page[level])))
        share(t, path, level - 1, left_slot);
    return false;
}

/* A root needs neither a single child nor an existence without cells. */
static void shrink_root(struct tree *t)
{
    uint32_t root = t->head.page;
    const uint8_t *page = page_read(&t->pages, root);
    if (is_single(page))
        t->head.page = node_child(page, 0);
    else if (node_count(page) == 0)
        t->head.page = 0;
    else
        return;
    page_drop(&t->pages, root);
}

bool tree_delete(struct tree *t, struct bytes key)
{
    struct path path;
    if (t->head.page == 0 || !find_path(t, key, &path))
        return false;
    touch_path(t, &path);
    int level = path.depth - 1;
    uint8_t *leaf = page_write(&t->pages, path.page[level]);
    drop_value(t, leaf, path.slot[level]);
    node_remove(leaf, path.slot[level]);
    assert(t->head.entries > 0);
    t->head.entries--;
    for (; level > 0; level--) {
        const uint8_t *page = page_read(&t->pages, path.page[level]);
        bool thin = node_used(page) <= THIN_MAX || is_single(page);
        if (!thin || !mend(t, &path, level))
            break;
    }
    shrink_root(t);
    return true;
}

/* ---- versions ---- */

struct tree_mark tree_mark(struct tree *t)
{
    pages_mark(&t->pages, t->head);
    return (struct tree_mark){.depth = (uint32_t)t->pages.mark_count};
}

void tree_undo(struct tree *t, struct tree_mark mark)
{
    assert(mark.depth > 0 && mark.depth == t->pages.mark_count);
    t->head = pages_undo(&t->pages);
    t->undos++;
}

uint64_t tree_undos(const struct tree *t)
{
    return t->undos;
}

void tree_keep(struct tree *t, struct tree_mark mark)
{
    assert(mark.depth > 0 && mark.depth == t->pages.mark_count);
    pages_keep(&t->pages);
}

struct tree_pin *tree_pin(struct tree *t)
{
    struct tree_pin *pin = mem_zero(1, sizeof(*pin));
    pages_pin(&t->pages, &pin->kept);
    pin->version = tree_head(t);
    return pin;
}

void tree_pin_again(struct tree_pin *pin)
{
    pin->others++;
}

void tree_unpin(struct tree *t, struct tree_pin *pin)
{
    if (pin == NULL)
        return;
    assert(pin->version.tree == t);
    if (pin->others > 0) {
        pin->others--;
        return;
    }
    pages_unpin(&t->pages, &pin->kept);
    mem_free(pin);
}

struct tree_version tree_pinned(const struct tree_pin *pin)
{
    return pin->version;
}

void tree_stats(const struct tree *t, struct tree_stats *stats)
{
    *stats = (struct tree_stats){
        .entries = t->head.entries,
        .pages_used = t->pages.pages_used,
        .pages_free = t->pages.pages_free,
        .bytes_reserved = t->pages.bytes_reserved + sizeof(*t),
    };
}
