/* state: what a chain's log adds up to, as entries (kind, key) -> value in one
 * copy-on-write tree (docs/format.md section 6).
 *
 * Two versions live side by side: the head, which acceptance reads and writes,
 * and the durable one, which readers see. Writing happens between state_begin()
 * and state_keep() or state_undo(): a transaction leaves everything or nothing.
 */
#ifndef ATE_STATE_STATE_H
#define ATE_STATE_STATE_H

#include <assert.h>

#include "base/scratch.h"
#include "base/tree.h"
#include "event/header.h"
#include "event/ids.h"
#include "event/sigs.h"
#include "schema/schema.h"

/* What this node wrote into its own state is well-formed: reading it back fails
 * only if memory is damaged. */
static inline void state_own(int rc)
{
    assert(rc == 0);
}

enum state_kind {
    STATE_CHAIN = 1,
    STATE_OBJECT = 2,
    STATE_ROW = 3,
    STATE_DELEGATION = 4,
    STATE_KEYRING = 5,
    STATE_AUTHOR = 6,
    STATE_THROTTLE = 7,
    STATE_CALL = 8,
    STATE_WORK = 9,               /* work.h */
    STATE_KIND_LAST = STATE_WORK, /* of those that make up the state root */

    /* Derived from the ones above. */
    STATE_CHILD = 0x41,     /* type 00, parent id or zeros, key -> object id */
    STATE_ROW_ORDER = 0x42, /* view 00, order columns, key columns -> nothing */
    STATE_CALL_TIME = 0x43, /* log time, call id -> nothing */
    STATE_PRIVATE_ROW = 0x44, /* rows of views that read bodies */
    STATE_VERSION = 0x45,     /* object id, index, n -> nothing: its history */
    STATE_HOLDER = 0x46,  /* who may do what and where, until when, event id of
                             the delegation -> nothing: holders.c */
    STATE_GRANT = 0x47,   /* index, n -> event id of the delegation there */
    STATE_BEAT = 0x48,    /* index of a heartbeat -> its log time */
    STATE_TERM = 0x49,    /* index that begins a term -> number, key record */
    STATE_LARGE = 0x4a,   /* hash of a large body -> its length, is it sealed */
    STATE_RESTING = 0x4b, /* event id of a delegation, of one that rests on it
                             -> nothing */
    STATE_PLACE = 0x4c, /* type 00, index, n -> object id: of facts without key
                           whose type has a parent */
};

struct state {
    struct tree *tree;
    struct tree_pin *durable; /* NULL: nothing is durable yet */
    struct tree_pin *sealed;  /* in the group that is under way */
    bool open;                /* a transaction is */
    bool can_undo;            /* that one; then `mark` is its beginning */
    bool spoilt;              /* one that could not be undone was */
    struct tree_mark mark;
    /* Keys, kind byte first, of the entries of kinds 2 to 5 and of private rows
     * that the open transaction touched, and how child entries of the types of
     * its objects begin. They stay until the next one opens. */
    struct bytes *changes;
    size_t change_count;
    size_t change_cap;
    /* Of the head: what is asked for each transaction, and seldom changes. */
    uint64_t seldom_puts; /* of STATE_CHAIN and STATE_TERM */
    uint64_t time_stamp;  /* of when `time` was looked up; 0: never */
    int64_t time;
    struct scratch scratch; /* of the open transaction */
    struct buf key;         /* composed here */
    struct buf value;
};

void state_init(struct state *s);
/* One that goes on from what was written out; all of that is durable. */
void state_init_mapped(struct state *s, struct tree *tree);
void state_deinit(struct state *s);

void state_begin(struct state *s);
/* The same of what is read back from a log, at a lower price: it cannot be
 * undone. After state_undo() nothing but state_deinit() makes sense then. */
void state_begin_final(struct state *s);
void state_keep(struct state *s);
void state_undo(struct state *s);

/* Put `changes` in order, each key once. */
void state_sort_changes(struct state *s);

struct tree_version state_head(const struct state *s);
struct tree_version state_durable(const struct state *s); /* may be empty */
/* The durable version as it is now, for one more: unpinned like any other.
 * NULL: nothing is durable yet. */
struct tree_pin *state_pin_durable(struct state *s);
/* The head as it is now will be durable with the group that is being written;
 * and: that group is durable. Not while a transaction is open. */
void state_seal(struct state *s);
void state_sealed_is_durable(struct state *s);
/* Reopening: all that was replayed is durable. */
void state_all_is_durable(struct state *s);

/* `value` as tree_get() has it. */
bool state_get(struct tree_version v, enum state_kind kind, struct bytes key,
               struct bytes *value);
void state_put(struct state *s, enum state_kind kind, struct bytes key,
               struct bytes value);
bool state_delete(struct state *s, enum state_kind kind, struct bytes key);

/* ---- objects ---- */

enum object_life { OBJECT_ABSENT, OBJECT_LIVE, OBJECT_SPENT };

/* All that it points to lives as long as the version's value does. */
struct object {
    uint8_t event[32];
    uint64_t index; /* where its newest event stands */
    uint64_t n;
    struct bytes raw;           /* the event header */
    struct event_header header; /* with fields as today's schema has them */
    bool converted;             /* they are not those of `raw` */
    struct bytes spent_key;     /* SPENT: what object_key() gives */
    struct bytes spent_scale;   /* SPENT: what object_scale() gives */
};

/* Fills `o`, unless ABSENT. Of what is SPENT, which was deleted, only place,
 * type, parent, key and scale are known: there is no `raw`, and the header has
 * nothing but type and parent. */
enum object_life state_object(struct tree_version v, const uint8_t id[16],
                              struct object *o);

/* The value of field `i` of the key; what amounts of this object's have as
 * their scale. LIVE or SPENT; data NULL: there is none. */
struct bytes object_key(const struct object *o, const struct event_type *type,
                        size_t i);
struct bytes object_scale(const struct object *o);

/* Write a new version of an object or a fact, or spend its id; keeps the
 * indexes of children and versions. `converted`: the header's fields are not
 * those of `raw`, and are kept beside it. */
void state_put_object(struct state *s, const struct event_type *type,
                      const uint8_t event[32], uint64_t index, uint64_t n,
                      struct bytes raw, const struct event_header *header,
                      bool converted);
void state_spend_object(struct state *s, const struct event_type *type,
                        const uint8_t event[32], uint64_t index, uint64_t n,
                        const struct event_header *header);

/* A fact of a type without key, by its place in the log. */
bool state_at_place(struct tree_version v, const struct event_type *type,
                    uint64_t index, uint64_t n, uint8_t id[16]);

/* The next older version of an object: the first call takes *index =
 * UINT64_MAX. */
bool state_version_before(struct tree_version v, const uint8_t id[16],
                          uint64_t *index, uint64_t *n);

/* Walk live objects of a type under a parent (NULL: those that have none), in
 * the order of their keys; facts without key stand in the order of the log.
 * Each step looks at the version anew: the caller may set `v` in between. */
struct object_scan {
    struct tree_version v;
    struct buf prefix;
    struct buf at; /* key of the entry it stands on; empty before the first */
    bool backward;
};
/* `after`: a key of an earlier object_scan_position(), or len 0. */
void object_scan_open(struct object_scan *scan, struct tree_version v,
                      const struct event_type *type, const uint8_t *parent,
                      struct bytes after, bool backward);
bool object_scan_next(struct object_scan *scan, uint8_t id[16]);
/* The position at which a scan stands on this object, or stood on it before it
 * was deleted. */
void object_scan_place(struct buf *out, const struct event_type *type,
                       const struct object *o);
struct bytes object_scan_position(const struct object_scan *scan);
void object_scan_close(struct object_scan *scan);
/* All of a type whatever their parents: the same with this as `parent`. */
extern const uint8_t object_any_parent[OBJECT_ID_SIZE];

/* One step of a scan over the entries whose keys, kind byte first, begin with
 * `prefix`: to the neighbour of `at` (empty: the first or last of all), which
 * becomes `at`. False at the end. */
bool state_step(struct tree_version v, struct bytes prefix, struct buf *at,
                bool backward, struct bytes *key, struct bytes *value);

/* ---- small entries ---- */

struct author {
    uint64_t next_sequence;
    struct bytes record; /* a key record, canonical */
};
bool state_author(struct tree_version v, const uint8_t id[32],
                  struct author *author);
void state_put_author(struct state *s, const uint8_t id[32],
                      const struct author *author);

int64_t state_time(struct tree_version v); /* log time, ms */
int64_t state_head_time(struct state *s);  /* of the head, looked up once */
/* Never 0. While it stays, what entries of STATE_CHAIN and STATE_TERM say at
 * the head does, too. */
uint64_t state_stamp(const struct state *s);
/* The heartbeat at `index` sets log time. */
void state_put_time(struct state *s, uint64_t index, int64_t time);
/* Log time at `index`; false: no heartbeat stands there or before. */
bool state_time_at(struct tree_version v, uint64_t index, int64_t *time);

/* Large bodies that events of the log have. */
struct large {
    uint64_t length;
    bool sealed;
};
void state_put_large(struct state *s, const uint8_t hash[HASH_SIZE],
                     const struct large *large);
bool state_large(struct tree_version v, const uint8_t hash[HASH_SIZE],
                 struct large *large);
/* The next one behind `hash`, which it replaces; all zeros: the first. */
bool state_large_next(struct tree_version v, uint8_t hash[HASH_SIZE],
                      struct large *large);
/* Of entries whose keys are an index: the last one below `index`. */
bool state_before(struct tree_version v, enum state_kind kind, uint64_t index,
                  uint64_t *found, struct bytes *value);
void state_put_chain(struct state *s, const char *key, struct bytes value);
bool state_chain(struct tree_version v, const char *key, struct bytes *value);

struct call_entry {
    uint64_t index;
    const uint8_t *args_digest;   /* or NULL */
    const uint8_t *result_digest; /* or NULL */
};
bool state_call(struct tree_version v, const uint8_t id[16],
                struct call_entry *entry);
/* Also forgets what is older than `keep_ms` of log time. */
void state_put_call(struct state *s, const uint8_t id[16],
                    const struct call_entry *entry, int64_t time,
                    int64_t keep_ms);

/* ---- root ---- */

/* The state root of kinds 1 to 9 (docs/format.md section 6): O(n log n). */
void state_root(struct tree_version v, uint8_t root[32]);
#endif
