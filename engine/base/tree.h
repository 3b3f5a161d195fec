/* tree: an ordered map from bytes to bytes, in copy-on-write B+tree pages.
 *
 * There is one writable version, the head. A mark is a point the head can be
 * taken back to; a pin is a version that stays readable, whatever is written
 * later. Pages refer to each other by number, not by pointer, so that a version
 * can be written out and mapped again. Keys compare as memcmp does, a shorter
 * one first; keys are at most TREE_KEY_MAX bytes, values TREE_VALUE_MAX. */
#ifndef ATE_BASE_TREE_H
#define ATE_BASE_TREE_H

#include "bytes.h"

enum { TREE_KEY_MAX = 1024, TREE_VALUE_MAX = 1 << 20 };

struct tree;

/* A version to read: the head's `tree_head(t)`, or a pin's. */
struct tree_version {
    const struct tree *tree;
    uint32_t root; /* page number, 0 = empty */
};

struct tree *tree_new(void);
void tree_free(struct tree *t); /* NULL is harmless; ends every pin */

struct tree_version tree_head(const struct tree *t);

/* Put replaces. Both bounds are asserted: callers check what comes from
 * outside. `key` and `value` must not be borrowed from the head itself: it
 * changes. */
void tree_put(struct tree *t, struct bytes key, struct bytes value);
bool tree_delete(struct tree *t, struct bytes key); /* false: was not there */

/* Marks nest like brackets: the last one taken is undone or kept first. A kept
 * mark costs nothing later; an undone one gives its pages back at once. */
struct tree_mark {
    uint32_t depth;
};
struct tree_mark tree_mark(struct tree *t);
void tree_undo(struct tree *t, struct tree_mark mark);
uint64_t tree_undos(const struct tree *t); /* how often that was done */
void tree_keep(struct tree *t, struct tree_mark mark);

/* A pin costs the pages that later writes replace, until it is dropped. Pins
 * may be taken only while no mark is open. A pinned version may be read on
 * another thread while the owner writes the head; pinning and unpinning are the
 * owner's. */
struct tree_pin;
struct tree_pin *tree_pin(struct tree *t);
void tree_unpin(struct tree *t, struct tree_pin *pin); /* NULL is harmless */
/* One more has it, and drops it, too: the last one to drop it ends it. */
void tree_pin_again(struct tree_pin *pin);
struct tree_version tree_pinned(const struct tree_pin *pin);

/* The value stays valid until the head is next written to (head) or until the
 * pin is dropped (pin). False: not there. */
bool tree_get(struct tree_version v, struct bytes key, struct bytes *value);

/* A cursor stands on an entry or is at an end; it stays valid as its version
 * does. Needs no closing. */
enum { TREE_DEPTH_MAX = 32 }; /* a branch has two children at least */
struct tree_cursor {
    struct tree_version v;
    int depth; /* 0: at an end */
    uint32_t page[TREE_DEPTH_MAX];
    uint16_t slot[TREE_DEPTH_MAX];
};
/* To the first entry >= key; false when there is none. */
bool tree_seek(struct tree_cursor *c, struct tree_version v, struct bytes key);
/* To the last entry < key; false when there is none. */
bool tree_seek_before(struct tree_cursor *c, struct tree_version v,
                      struct bytes key);
bool tree_seek_last(struct tree_cursor *c, struct tree_version v);
bool tree_next(struct tree_cursor *c);
bool tree_previous(struct tree_cursor *c);
struct bytes tree_cursor_key(const struct tree_cursor *c);
struct bytes tree_cursor_value(const struct tree_cursor *c);

struct tree_stats {
    uint64_t entries; /* of the head */
    /* With those that marks and pins keep; a long value takes one. */
    uint64_t pages_used;
    uint64_t pages_free;
    uint64_t bytes_reserved;
};
void tree_stats(const struct tree *t, struct tree_stats *stats);

/* Assert every invariant of the tree and its pages. Walks everything: for
 * tests. */
void tree_check(const struct tree *t);
#endif
