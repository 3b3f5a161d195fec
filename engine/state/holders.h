/* holders: the delegations that somebody holds, as they are asked for: one
 * right, or acting for one identity, at one object. Derived entries (kinds 0x46
 * and 0x4b), which stand in no root.
 *
 * A delegation is looked for from the end of its transaction on until it, or
 * one that it rests on, is revoked; of those that stand at one place the last
 * to end comes first. So an answer is one look, whatever else somebody holds,
 * held, or was given by strangers. */
#ifndef ATE_STATE_HOLDERS_H
#define ATE_STATE_HOLDERS_H

#include "state/delegation.h"

/* What is looked for. */
struct held {
    const uint8_t *to;      /* identity, 32 bytes */
    const char *right;      /* NULL: any, with holders_find_anywhere() alone */
    const uint8_t *act_for; /* whom, with RIGHT_ACT_FOR; else NULL */
};

/* At the end of the transaction that made it. */
void holders_add(struct state *s, const uint8_t id[EVENT_ID_SIZE]);

/* It was revoked: it and all that rest on it go. Each goes once, so that this
 * costs no more than making them did. */
void holders_drop(struct state *s, const uint8_t id[EVENT_ID_SIZE]);

/* One that gives it, is in force and is of this very object (NULL: of the whole
 * chain). */
bool holders_find(const struct place_in_log *at, const struct held *hold,
                  const uint8_t *object, uint8_t id[EVENT_ID_SIZE]);

/* The same of any object or none: for RIGHT_ACT_FOR, and for any right. */
bool holders_find_anywhere(const struct place_in_log *at,
                           const struct held *hold, uint8_t id[EVENT_ID_SIZE]);
#endif
