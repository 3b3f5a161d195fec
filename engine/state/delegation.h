/* delegation: what one key lets another do: rights on a subtree of objects, to
 * a depth, until a log time (docs/format.md section 3). Entries of kind 4, by
 * the id of the event that made them.
 *
 * Everything here is a function of a version of the state, a place in the log
 * and the log time there. A delegation is in force from the transaction after
 * its own until it is revoked or its time has passed, and only while those it
 * rests on are. */
#ifndef ATE_STATE_DELEGATION_H
#define ATE_STATE_DELEGATION_H

#include "schema/rights.h"
#include "state/state.h"

enum {
    DELEGATION_DEPTH_MAX = 16,  /* delegations that rest on each other */
    DELEGATION_RIGHTS_MAX = 32, /* of one */
};

struct delegation {
    const uint8_t *to;       /* identity, 32 bytes */
    const uint8_t *object;   /* 16 bytes; NULL: the whole chain */
    struct bytes rights;     /* canonical array of text, sorted */
    uint64_t depth;          /* how many may still rest on it, in a row */
    int64_t until;           /* log time, ms; INT64_MAX: for ever */
    const uint8_t *act_for;  /* whom `to` may act for; NULL unless that is the
                                right */
    const uint8_t *by;       /* key id of its author */
    const uint8_t *auth_ref; /* event id of the one it rests on; NULL: roots, or
                                for act_for its author */
    uint64_t index;
    uint64_t n;
    bool revoked;
    uint64_t revoked_index;
};

/* False: no such one. It lives as the version's value does. */
bool delegation_get(struct tree_version v, const uint8_t id[EVENT_ID_SIZE],
                    struct delegation *d);
/* The same of its entry's value, which it points into. */
void delegation_read(struct bytes value, struct delegation *d);
void delegation_put(struct state *s, const uint8_t id[EVENT_ID_SIZE],
                    const struct delegation *d);
void delegation_revoke(struct state *s, const uint8_t id[EVENT_ID_SIZE],
                       uint64_t index);

/* Where and when something is done. */
struct place_in_log {
    struct tree_version v;
    uint64_t index;
    int64_t time; /* ms */
};

/* Is it in force there? Errors: DENIED, which says why not. */
int delegation_in_force(const struct place_in_log *at,
                        const uint8_t id[EVENT_ID_SIZE], struct delegation *d,
                        struct err *err);

bool delegation_gives(const struct delegation *d, const char *right);
/* Every right of `less` is one of `more`. */
bool rights_within(struct bytes less, struct bytes more);

/* Is the object `id`, whose parent is `parent` (or NULL), `top` or below it?
 * `top` NULL: the whole chain. */
bool object_is_within(struct tree_version v, const uint8_t *top,
                      const uint8_t *id, const uint8_t *parent);

/* The one that stands at a position of the log; false: none does. */
bool delegation_at(struct tree_version v, uint64_t index, uint64_t n,
                   uint8_t id[EVENT_ID_SIZE]);
#endif
