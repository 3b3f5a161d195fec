/* tree_inside: what tree.c, tree_cursor.c and tree_check.c know of a tree. */
#ifndef ATE_BASE_TREE_INSIDE_H
#define ATE_BASE_TREE_INSIDE_H

#include "base/node.h"
#include "base/pages.h"
#include "base/tree.h"

struct tree {
    struct pages pages;
    struct pages_root head;
    uint64_t undos;
};

struct tree_pin {
    struct pages_pin kept; /* first, so that one pointer is the other */
    struct tree_version version;
    size_t others; /* who have it besides who took it */
};

static inline struct bytes tree_value_at(const struct tree *t,
                                         const uint8_t *leaf, unsigned slot)
{
    struct node_value value = node_value(leaf, slot);
    if (value.run == 0)
        return value.here;
    return bytes_of(page_read(&t->pages, value.run), value.run_len);
}
#endif
