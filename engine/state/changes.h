/* changes: which entries of a chain's state changed lately, for those who
 * follow what it adds up to.
 *
 * Each entry stands here once, at the place of its newest change: who has seen
 * all up to a place sees each entry that changed behind it once, however often
 * it did. When there are too many, the oldest are forgotten.
 *
 * Keys begin with their kind, as in the state. Beside entries, what they belong
 * to has a key: a type, whatever object of it changed, and a view, whatever row
 * of it did. */
#ifndef ATE_STATE_CHANGES_H
#define ATE_STATE_CHANGES_H

#include "base/map.h"
#include "schema/schema.h"

enum { CHANGES_MAX = 16384 };

struct changed {
    uint64_t number; /* counted from 1 on */
    uint64_t size;   /* of the log: it holds from there on */
    uint8_t *key;    /* NULL: it changed again, see further on */
    size_t key_len;
};

static inline struct bytes change_key(const struct changed *change)
{
    return bytes_of(change->key, change->key_len);
}

struct changes {
    struct changed *items; /* in order of their numbers */
    size_t count;
    size_t cap;
    size_t max;
    size_t live;      /* those that have a key */
    struct map last;  /* key to number */
    uint64_t number;  /* the newest */
    uint64_t lost;    /* the newest that was forgotten */
    uint64_t since;   /* all that changed behind this size is here */
    struct buf owner; /* of the entries that were added last, or empty */
    /* Some of them are not durable yet: nobody may look now. */
    bool ahead;
};

/* `max`: how many entries are kept; 0: CHANGES_MAX. */
void changes_init(struct changes *c, size_t max,
                  const uint8_t seed[MAP_SEED_LEN]);
void changes_deinit(struct changes *c); /* safe twice */

/* Nothing is known of what changed up to `size`. */
void changes_forget(struct changes *c, uint64_t size);

/* The entry with this key changed; it holds from `size` on, which never
 * decreases. A row's view changed with it. After some of one size:
 * changes_added(), before anybody looks. */
void changes_add(struct changes *c, struct bytes key, uint64_t size);
void changes_added(struct changes *c, uint64_t size);

/* Is all that changed behind change `number` still here? */
bool changes_reach(const struct changes *c, uint64_t number);

/* The number up to which somebody has seen all who has seen a log of `size`.
 * False: too long ago, or further than `end`, the log's. */
bool changes_at(const struct changes *c, uint64_t size, uint64_t end,
                uint64_t *number);

/* The first one behind `number`, until the next change; NULL: none. */
const struct changed *changes_after(const struct changes *c, uint64_t number);

/* When the entry, the type or the view last changed; 0: not lately. */
uint64_t changes_last(const struct changes *c, struct bytes key);

/* Keys of what entries belong to. */
void changes_type_key(struct buf *out, const struct event_type *type);
void changes_view_key(struct buf *out, const struct view *view);
/* The same, of an entry; false: it belongs to nothing that has one. */
bool changes_owner_key(struct buf *out, struct bytes key);
#endif
