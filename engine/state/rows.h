/* rows: the rows of views, by key and in order. A row is the canonical map of
 * its columns outside the key; the key columns stand in the entry's key. */
#ifndef ATE_STATE_ROWS_H
#define ATE_STATE_ROWS_H

#include "state/state.h"

/* A row's key begins with its view's name; then the ordered forms of the key
 * columns are appended, in the order declared, with value_put_ordered(). */
void row_key_begin(struct buf *key, const struct view *view);

/* False: there is no such row. As tree_get(). */
bool row_get(struct tree_version v, const struct view *view, struct bytes key,
             struct bytes *columns);
void row_put(struct state *s, const struct view *view, struct bytes key,
             struct bytes columns);
bool row_delete(struct state *s, const struct view *view, struct bytes key);

/* The time in a column, ms; INT64_MIN: there is none. */
int64_t row_time(const struct view *view, size_t column, struct bytes key,
                 struct bytes columns);

/* Append the canonical map of all columns, key columns included. */
void row_whole(struct buf *out, const struct view *view, struct bytes key,
               struct bytes columns);

/* Walk rows: in the view's `order` when it has one, else by key. `prefix` holds
 * the ordered forms of the first columns of that order (it need not name all);
 * `after`: a position of an earlier row_scan_position(), or len 0. Each step
 * looks at the version anew: the caller may set `v` in between. */
struct row_scan {
    const struct view *view;
    struct tree_version v;
    struct buf prefix; /* view name 00, ordered columns */
    struct buf at;     /* the entry it stands on; empty before the first */
    struct buf key;    /* key of that row */
    bool backward;
};
void row_scan_open(struct row_scan *scan, struct tree_version v,
                   const struct view *view, struct bytes prefix,
                   struct bytes after, bool backward);
/* `key` lives until the next step, `columns` as the version does. */
bool row_scan_next(struct row_scan *scan, struct bytes *key,
                   struct bytes *columns);
struct bytes row_scan_position(const struct row_scan *scan);
void row_scan_close(struct row_scan *scan);
/* The kind of the entries that a scan walks, and of the rows themselves. */
enum state_kind row_scan_kind(const struct view *view);
#endif
