/* authority: who speaks for whom in a transaction, and what they may do there.
 *
 * A transaction speaks for its author, for co-authors, and for an identity that
 * its author may act for here; the caller is one of these at all its events.
 * Those who hold a delegation, and those they speak for, may do what it says. k
 * root keys that sign may do everything. */
#ifndef ATE_ACCEPTANCE_AUTHORITY_H
#define ATE_ACCEPTANCE_AUTHORITY_H

#include "acceptance/trial.h"

struct buf;
struct delegation;

/* A place in the tree of objects: an object that is there or comes to be. */
struct spot {
    const uint8_t *object; /* 16 bytes; NULL: the whole chain */
    const uint8_t *parent; /* or NULL */
};

/* Does the transaction speak for `identity` at the spot? */
bool authority_by(const struct trial *t, const uint8_t identity[32],
                  const struct spot *spot);

/* k different root keys sign: the author, and further signatures for
 * PURPOSE_ROOT. */
bool authority_is_root(const struct trial *t);

/* tx:may(right, object). */
bool authority_may(const struct trial *t, const char *right,
                   const struct spot *spot);

/* Does this delegation, in force and held here, give the right at the spot?
 * Errors: DENIED. */
int authority_check(const struct trial *t, const uint8_t id[EVENT_ID_SIZE],
                    const char *right, const struct spot *spot,
                    struct delegation *d, struct err *err);

/* One that does, of those at one place the last to end: what an event names as
 * its auth_ref. False: none. */
bool authority_find(const struct trial *t, const char *right,
                    const struct spot *spot, uint8_t id[EVENT_ID_SIZE]);

/* The same for one that lets the author act for `identity`; `spot` NULL:
 * somewhere. */
bool authority_find_act_for(const struct trial *t, const uint8_t identity[32],
                            const struct spot *spot, uint8_t id[EVENT_ID_SIZE]);

/* Its author holds some delegation that is in force. */
bool authority_holds_any(const struct trial *t);

/* The caller, when another than the author, is one that the transaction speaks
 * for at the spot, which is that of an event of it; `spot` NULL: somewhere,
 * which is no more than a filter. Errors: DENIED, which says what would do. */
int authority_check_caller(const struct trial *t, const struct spot *spot,
                           struct err *err);

/* Of an event that names a delegation: does it cover what the event does?
 * Errors: DENIED. */
int authority_check_event(const struct trial *t, const struct trial_event *e,
                          struct err *err);
/* For texts: what its author would need, as ate grant takes it. */
void authority_put_want(const struct trial *t, const struct trial_event *e,
                        struct buf *out);

/* The right that an event of this kind takes. */
const char *authority_right(enum change change);
#endif
