/* node: the inside of one tree page: cells in the order of their keys.
 *
 * A leaf's cells hold entries; a branch's hold children, each with the lowest
 * key it may contain (empty in slot 0, which takes everything below slot 1). A
 * cell is passed around as its bytes; node_leaf_cell and node_branch_cell make
 * one. Functions work on a page's PAGE_BYTES; who may write them is for the
 * caller to know. */
#ifndef ATE_BASE_NODE_H
#define ATE_BASE_NODE_H

#include "bytes.h"
#include "pages.h"

enum node_kind { NODE_LEAF = 1, NODE_BRANCH = 2 };

enum {
    NODE_KEY_MAX = 1024,
    NODE_HEADER = 12,
    NODE_SPACE = PAGE_BYTES - NODE_HEADER, /* for cells and their slots */
    NODE_SLOT = 6,
    NODE_CELL_MAX = 2 + 2 + NODE_KEY_MAX + 8, /* a run's: what is longest */
    NODE_CELLS_MAX = NODE_SPACE / (NODE_SLOT + 4),
};

/* A value: its bytes in the cell, or a run of `run_len` bytes. */
struct node_value {
    struct bytes here;
    uint32_t run; /* page number; 0: it is here */
    uint32_t run_len;
};

void node_init(uint8_t *page, enum node_kind kind);
/* All that counts of a page; what is free in it is not touched. */
void node_copy(uint8_t *to, const uint8_t *from);
enum node_kind node_kind(const uint8_t *page);
unsigned node_count(const uint8_t *page);
size_t node_used(const uint8_t *page); /* of NODE_SPACE */

/* Borrowed from the page. */
struct bytes node_key(const uint8_t *page, unsigned slot);
struct node_value node_value(const uint8_t *page, unsigned slot);
uint32_t node_child(const uint8_t *page, unsigned slot);
void node_set_child(uint8_t *page, unsigned slot, uint32_t child);
void node_set_run(uint8_t *page, unsigned slot, uint32_t run); /* it has one */

/* Leaf: the first slot whose key is >= `key`, perhaps node_count; true when it
 * is equal. */
bool node_find(const uint8_t *page, struct bytes key, unsigned *slot);
/* Branch: the slot of the child that may contain `key`. */
unsigned node_find_child(const uint8_t *page, struct bytes key);

/* Build a cell in `room`; the result is its bytes. A value that does not fit
 * beside its key has to be in a run. */
bool node_fits_inline(size_t key_len, size_t value_len);
struct bytes node_leaf_cell(uint8_t room[NODE_CELL_MAX], struct bytes key,
                            struct node_value value);
struct bytes node_branch_cell(uint8_t room[NODE_CELL_MAX], struct bytes key,
                              uint32_t child);

bool node_has_room(const uint8_t *page, size_t cell_len);
/* There has to be room; `cell` lies outside the page. */
void node_insert(uint8_t *page, unsigned slot, struct bytes cell);
/* In place, for the same key; false, and nothing done, if the length differs.
 */
bool node_overwrite(uint8_t *page, unsigned slot, struct bytes cell);
void node_remove(uint8_t *page, unsigned slot);

void node_check(const uint8_t *page); /* asserts its invariants, for tests */

/* Insert `cell` into `left`, which has no room for it, by spreading all over
 * `left` and the fresh `right`. `separator` (room for NODE_KEY_MAX) gets the
 * key that now divides them; returns its length. */
size_t node_split(uint8_t *left, uint8_t *right, unsigned slot,
                  struct bytes cell, uint8_t *separator);

/* Whether all of `right` fits into `left`, and putting it there. `divider` is
 * the key that divides the two in their parent. */
bool node_can_merge(const uint8_t *left, const uint8_t *right,
                    struct bytes divider);
void node_merge(uint8_t *left, const uint8_t *right, struct bytes divider);

/* Two branches that cannot merge, one of them with a single child: share
 * evenly. As node_split for the rest. */
size_t node_share(uint8_t *left, uint8_t *right, struct bytes divider,
                  uint8_t *separator);
#endif
