/* tree_writer: a version of a tree written out page by page, so that it can be
 * mapped again (pages.h).
 *
 * Pages get new numbers, from 1 up, in the order in which they are written:
 * children before their parents, the root last; number 0 stands for the header
 * that somebody else writes there. A long value takes whole pages. The version
 * stays pinned until the writer is freed; writing may happen on another thread
 * than its owner's. */
#ifndef ATE_BASE_TREE_WRITER_H
#define ATE_BASE_TREE_WRITER_H

#include "base/tree.h"

struct tree_writer;

struct tree_writer *tree_writer_new(struct tree_version v);
void tree_writer_free(struct tree_writer *w); /* NULL is harmless */

/* Append at least `least` bytes of pages, or what is left; false: that was
 * nothing, and the end. */
bool tree_writer_next(struct tree_writer *w, size_t least, struct buf *out);

/* After the end: the root's number (0: an empty tree), and how many pages there
 * are with the header. */
uint32_t tree_writer_root(const struct tree_writer *w);
uint32_t tree_writer_count(const struct tree_writer *w);

/* A tree that begins with pages that were written so. `mapped` is header and
 * pages, `count` of them; it outlives the tree. */
struct tree *tree_new_mapped(const uint8_t *mapped, uint32_t count,
                             uint32_t root, uint64_t entries);
uint64_t tree_entries(const struct tree *t); /* of the head */
#endif
