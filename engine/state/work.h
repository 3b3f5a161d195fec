/* work: what a chain's workers have still to do (docs/format.md section 6, kind
 * 9). A worker that waits for events has an *item* for each that came, one that
 * waits for times has one for each row that has one; a transaction with an
 * `ate.work` event takes it away, so that it is worked once, whatever crashes.
 *
 * An item is a few bytes: its class, then what it is about. */
#ifndef ATE_STATE_WORK_H
#define ATE_STATE_WORK_H

#include "base/limits.h"
#include "crypto/hash.h"
#include "state/state.h"

enum work_class {
    WORK_EVENT = 1,  /* index u64, n u64 of the event */
    WORK_DUE = 2,    /* time in ordered form, SHA-256 of the row's key */
    WORK_PARKED = 3, /* index u64, n u64 of the `ate.work` that parked it */
    WORK_ASK = 4,    /* no item: item, n u8 of what it asked outside */
};

enum {
    WORK_PLACE_SIZE = 1 + 16,   /* of items EVENT and PARKED */
    WORK_DUE_SIZE = 1 + 8 + 32, /* of items DUE */
    WORK_ITEM_MAX = WORK_DUE_SIZE,
    WORK_ASKS_MAX = LIMIT_WORK_ASKS, /* that the run of one item may make */
    WORK_WHY_MAX = 1024, /* bytes of the reason for which one is parked */
};

struct work_item {
    uint8_t bytes[WORK_ITEM_MAX];
    size_t len;
};

struct work_item work_item_at(enum work_class class, uint64_t index,
                              uint64_t n);
static inline struct bytes work_item_bytes(const struct work_item *item)
{
    return bytes_of(item->bytes, item->len);
}
/* Is it one of class EVENT or DUE; of class PARKED? */
bool work_item_waits(struct bytes item);
bool work_item_is_parked(struct bytes item);
/* What it is about. */
enum work_class work_item_class(struct bytes item);
uint64_t work_item_index(struct bytes item); /* of EVENT and PARKED */
uint64_t work_item_n(struct bytes item);
int64_t work_item_time(struct bytes item); /* of DUE: ms */

/* Append how people see it: the place of an event, or of the parking; a time
 * and four bytes that tell rows apart. */
void work_item_text(struct bytes item, struct buf *out);

/* ---- items come ---- */

/* A row's item is said to wait, and no fold runs that would know: it does, and
 * its row stays unknown. No item of such a row is ever due by itself. */
void work_believe(struct state *s, const char *worker, struct bytes item);

/* What was asked for such an item counts anew: its row may have changed. */
void work_forget_asks(struct state *s, const char *worker, struct bytes item);

/* An event was accepted that workers wait for. */
void work_note_event(struct state *s, const struct event_type *type,
                     const uint8_t event[EVENT_ID_SIZE], uint64_t index,
                     uint64_t n, struct bytes raw);

/* A row's time becomes another; INT64_MIN: there is none. */
void work_note_time(struct state *s, const char *worker, struct bytes row_key,
                    int64_t before, int64_t after);

/* ---- and go ---- */

/* The value of an item that waits; false: there is none. */
bool work_get(struct tree_version v, const char *worker, struct bytes item,
              struct bytes *value);
/* The event of a WORK_EVENT item, as it was when it came. */
void work_event(struct bytes item, struct bytes value, struct object *o);
/* The key of the row of a WORK_DUE item. */
struct bytes work_row_key(struct bytes value);

/* It was worked, or dropped: nothing of it stays. */
void work_end(struct state *s, const char *worker, struct bytes item);

struct work_parked {
    int64_t time; /* when, by log time */
    struct bytes why;
    struct bytes item;
    struct bytes value;
};
/* It waits no more, until it is taken back; `place` is where it is then. */
void work_park(struct state *s, const char *worker, struct bytes item,
               struct bytes place, int64_t time, struct bytes why);
bool work_parked(struct tree_version v, const char *worker, struct bytes place,
                 struct work_parked *parked);
/* It waits again, if there is still something to do; or is dropped. */
void work_retry(struct state *s, const struct worker *worker,
                struct bytes place);
void work_drop(struct state *s, const char *worker, struct bytes place);

/* ---- what was asked outside ---- */

struct work_ask {
    struct bytes service;
    const uint8_t *digest; /* body hash of the request */
    uint64_t index, n;     /* of its `ate.ask` */
    bool answered;
    uint64_t answer_index, answer_n;
};
bool work_ask(struct tree_version v, const char *worker, struct bytes item,
              uint64_t n, struct work_ask *ask);
void work_put_ask(struct state *s, const char *worker, struct bytes item,
                  uint64_t n, const struct work_ask *ask);

/* The key that goes outside with number `n`, which is journaled as `ask`: the
 * same however often it goes, and no other's. */
void work_effect_key(const uint8_t *chain_id, const char *worker,
                     struct bytes item, struct bytes value, uint64_t n,
                     const struct work_ask *ask, uint8_t out[HASH_SIZE]);

/* ---- walking ---- */

/* What all keys of a worker's entries of a class begin with, kind first, for
 * state_step(). */
void work_prefix(struct buf *out, const char *worker, enum work_class class);
/* The item in a key that begins so. */
struct bytes work_item_in(const char *worker, struct bytes key);

/* ---- another schema ---- */

/* Of events, and of what was asked and parked: the items of `from` come to
 * `to`, whose rows have theirs already. `convert` makes fields of an event what
 * the schema of `to` has; it leaves `out` empty when they stay as they are. */
typedef int work_convert(void *ctx, const struct event_type *type,
                         const struct event_header *header, struct bytes fields,
                         struct buf *out, struct err *err);
int work_carry(struct tree_version from, const struct schema *before,
               struct state *to, const struct schema *after,
               work_convert *convert, void *ctx, struct err *err);
#endif
