/* Walking a version of a tree, in both directions.
 *
 * (1) A cursor that stands on an entry has depth >= 1; page[depth - 1] is a
 *     leaf, and slot[i] of page[i] leads to page[i + 1].
 * (2) At an end depth is 0. */
#include "base/tree.h"

#include <assert.h>

#include "base/tree_inside.h"

static const uint8_t *page_at(const struct tree_cursor *c, int level)
{
    return page_read(&c->v.tree->pages, c->page[level]);
}

static void push(struct tree_cursor *c, uint32_t page, unsigned slot)
{
    assert(c->depth < TREE_DEPTH_MAX);
    c->page[c->depth] = page;
    c->slot[c->depth++] = (uint16_t)slot;
}

/* The child that the deepest slot leads to; 0 when that is a leaf. */
static uint32_t child_below(const struct tree_cursor *c)
{
    const uint8_t *page = page_at(c, c->depth - 1);
    if (node_kind(page) == NODE_LEAF)
        return 0;
    return node_child(page, c->slot[c->depth - 1]);
}

/* To where `key` is or would be; the slot may be one behind the leaf's last. */
static void descend(struct tree_cursor *c, struct bytes key)
{
    uint32_t at = c->v.root;
    while (at != 0) {
        const uint8_t *page = page_read(&c->v.tree->pages, at);
        unsigned slot;
        if (node_kind(page) == NODE_LEAF)
            node_find(page, key, &slot);
        else
            slot = node_find_child(page, key);
        push(c, at, slot);
        at = child_below(c);
    }
}

static void open_cursor(struct tree_cursor *c, struct tree_version v)
{
    c->v = v;
    c->depth = 0;
}

/* From a slot that may lie behind the last one on to the next entry. */
static bool settle_forward(struct tree_cursor *c)
{
    while (c->depth > 0 &&
           c->slot[c->depth - 1] >= node_count(page_at(c, c->depth - 1))) {
        c->depth--;
        if (c->depth > 0)
            c->slot[c->depth - 1]++;
    }
    if (c->depth == 0)
        return false;
    for (uint32_t child; (child = child_below(c)) != 0;)
        push(c, child, 0);
    return true;
}

static void push_last(struct tree_cursor *c, uint32_t page)
{
    unsigned count = node_count(page_read(&c->v.tree->pages, page));
    assert(count > 0);
    push(c, page, count - 1);
}

/* Down to the last entry below the deepest slot. */
static void descend_last(struct tree_cursor *c)
{
    for (uint32_t child; (child = child_below(c)) != 0;)
        push_last(c, child);
}

bool tree_seek(struct tree_cursor *c, struct tree_version v, struct bytes key)
{
    open_cursor(c, v);
    descend(c, key);
    return settle_forward(c);
}

bool tree_seek_before(struct tree_cursor *c, struct tree_version v,
                      struct bytes key)
{
    open_cursor(c, v);
    descend(c, key);
    return tree_previous(c);
}

bool tree_seek_last(struct tree_cursor *c, struct tree_version v)
{
    open_cursor(c, v);
    if (v.root == 0)
        return false;
    push_last(c, v.root);
    descend_last(c);
    return true;
}

bool tree_next(struct tree_cursor *c)
{
    if (c->depth == 0)
        return false;
    c->slot[c->depth - 1]++;
    return settle_forward(c);
}

bool tree_previous(struct tree_cursor *c)
{
    while (c->depth > 0 && c->slot[c->depth - 1] == 0)
        c->depth--;
    if (c->depth == 0)
        return false;
    c->slot[c->depth - 1]--;
    descend_last(c);
    return true;
}

struct bytes tree_cursor_key(const struct tree_cursor *c)
{
    assert(c->depth > 0);
    return node_key(page_at(c, c->depth - 1), c->slot[c->depth - 1]);
}

struct bytes tree_cursor_value(const struct tree_cursor *c)
{
    assert(c->depth > 0);
    return tree_value_at(c->v.tree, page_at(c, c->depth - 1),
                         c->slot[c->depth - 1]);
}
