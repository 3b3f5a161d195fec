/* (1) levels[0..depth) are copies of the branches from the root to where the
 *     writer stands; slots below `slot` have the numbers that their children
 *     were written under. */
#include "base/tree_writer.h"

#include <assert.h>
#include <string.h>

#include "base/memory.h"
#include "base/tree_inside.h"

struct level {
    uint8_t page[PAGE_BYTES];
    unsigned slot; /* the child to be written next */
};

struct tree_writer {
    struct tree_version v;
    struct level *levels; /* TREE_DEPTH_MAX of them */
    int depth;
    uint32_t next; /* number of the next page */
    uint32_t root;
    bool begun;
};

struct tree_writer *tree_writer_new(struct tree_version v)
{
    struct tree_writer *w = mem_zero(1, sizeof(*w));
    w->v = v;
    w->levels = mem_alloc(TREE_DEPTH_MAX * sizeof(*w->levels));
    w->next = 1;
    return w;
}

void tree_writer_free(struct tree_writer *w)
{
    if (w == NULL)
        return;
    mem_free(w->levels);
    mem_free(w);
}

static uint32_t put_page(struct tree_writer *w, const uint8_t *page,
                         struct buf *out)
{
    assert(w->next < UINT32_MAX);
    buf_put(out, page, PAGE_BYTES);
    return w->next++;
}

static uint32_t put_run(struct tree_writer *w, const struct node_value *value,
                        struct buf *out)
{
    uint32_t first = w->next;
    size_t pages = ((size_t)value->run_len + PAGE_BYTES - 1) / PAGE_BYTES;
    size_t start = out->len;
    assert(w->next < UINT32_MAX - pages);
    buf_put(out, page_read(&w->v.tree->pages, value->run), value->run_len);
    static const uint8_t zeros[PAGE_BYTES];
    buf_put(out, zeros, pages * PAGE_BYTES - (out->len - start));
    w->next += (uint32_t)pages;
    return first;
}

static uint32_t put_leaf(struct tree_writer *w, const uint8_t *page,
                         struct buf *out)
{
    uint8_t copy[PAGE_BYTES] = {0};
    node_copy(copy, page);
    for (unsigned i = 0; i < node_count(page); i++) {
        struct node_value value = node_value(page, i);
        if (value.run != 0)
            node_set_run(copy, i, put_run(w, &value, out));
    }
    return put_page(w, copy, out);
}

/* A child of the deepest level was written, or the whole tree. */
static void written(struct tree_writer *w, uint32_t number)
{
    if (w->depth == 0) {
        w->root = number;
        return;
    }
    struct level *above = &w->levels[w->depth - 1];
    node_set_child(above->page, above->slot++, number);
}

static void go_down(struct tree_writer *w, uint32_t number, struct buf *out)
{
    const uint8_t *page = page_read(&w->v.tree->pages, number);
    if (node_kind(page) == NODE_LEAF) {
        written(w, put_leaf(w, page, out));
        return;
    }
    assert(w->depth < TREE_DEPTH_MAX);
    struct level *level = &w->levels[w->depth++];
    *level = (struct level){0};
    node_copy(level->page, page);
}

/* One leaf more, or one branch that is complete; false: all was written. */
static bool step(struct tree_writer *w, struct buf *out)
{
    if (!w->begun) {
        w->begun = true;
        if (w->v.root != 0)
            go_down(w, w->v.root, out);
        return w->v.root != 0;
    }
    if (w->depth == 0)
        return false;
    struct level *level = &w->levels[w->depth - 1];
    if (level->slot < node_count(level->page)) {
        go_down(w, node_child(level->page, level->slot), out);
        return true;
    }
    w->depth--;
    written(w, put_page(w, level->page, out));
    return true;
}

bool tree_writer_next(struct tree_writer *w, size_t least, struct buf *out)
{
    size_t start = out->len;
    while (out->len - start < least && step(w, out))
        ;
    return out->len > start;
}

uint32_t tree_writer_root(const struct tree_writer *w)
{
    return w->root;
}

uint32_t tree_writer_count(const struct tree_writer *w)
{
    return w->next;
}

struct tree *tree_new_mapped(const uint8_t *mapped, uint32_t count,
                             uint32_t root, uint64_t entries)
{
    struct tree *t = mem_zero(1, sizeof(*t));
    assert(root < count);
    pages_init_mapped(&t->pages, mapped, count);
    t->head = (struct pages_root){.page = root, .entries = entries};
    return t;
}

uint64_t tree_entries(const struct tree *t)
{
    return t->head.entries;
}
