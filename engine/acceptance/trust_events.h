/* trust_events: the events that change who may do what: `ate.delegation`,
 * `ate.revocation`, `ate.roots`, `ate.order` (docs/format.md section 3). Fixed
 * rules judge them, at their place in the log. */
#ifndef ATE_ACCEPTANCE_TRUST_EVENTS_H
#define ATE_ACCEPTANCE_TRUST_EVENTS_H

#include "acceptance/authority.h"
#include "state/delegation.h"
#include "state/roots.h"

#define TYPE_DELEGATION "ate.delegation"
#define TYPE_REVOCATION "ate.revocation"
#define TYPE_ROOTS "ate.roots"
#define TYPE_ORDER "ate.order"

/* Judge and apply. Errors: INVALID, DENIED, NOT_FOUND, CONFLICT. */
int apply_delegation(struct trial *t, const struct trial_event *e, size_t n,
                     struct err *err);
int apply_revocation(struct trial *t, const struct trial_event *e, size_t n,
                     struct err *err);
int apply_roots(struct trial *t, const struct trial_event *e, size_t n,
                struct err *err);
int apply_order(struct trial *t, const struct trial_event *e, size_t n,
                struct err *err);

/* All of the transaction is accepted: delegations that it made are found from
 * now on, as they count from the next one. */
void trust_finish(struct trial *t);

/* The object that it is about, or that the delegation is which it revokes; of
 * what is none, or is not well-formed, the spot stays as it was. */
void delegation_spot(const struct trial *t, const struct trial_event *e,
                     struct spot *spot);
void revocation_spot(const struct trial *t, const struct trial_event *e,
                     struct spot *spot);

/* ---- their fields ---- */

struct delegation_fields {
    const uint8_t *to;
    const uint8_t *object;  /* or NULL */
    const uint8_t *act_for; /* or NULL */
    struct bytes rights;    /* canonical array of text, sorted */
    uint64_t depth;
    int64_t until; /* INT64_MAX: for ever */
    bool has_record;
    struct key_record record; /* of `to`, so that the log knows it */
};
void delegation_fields_put(struct buf *out, const struct delegation_fields *f);
int delegation_fields_get(struct bytes map, struct delegation_fields *f,
                          struct err *err);

void revocation_fields_put(struct buf *out, const uint8_t id[EVENT_ID_SIZE]);
int revocation_fields_get(struct bytes map, const uint8_t **id,
                          struct err *err);

struct roots_fields {
    size_t count;
    struct key_record records[LIMIT_ROOT_KEYS];
    uint64_t threshold;
    const uint8_t *next; /* digest, or NULL */
};
void roots_fields_put(struct buf *out, const struct roots_fields *f);
int roots_fields_get(struct bytes map, struct roots_fields *f, struct err *err);

struct order_fields {
    uint64_t term;
    struct key_record record;
};
void order_fields_put(struct buf *out, const struct order_fields *f);
int order_fields_get(struct bytes map, struct order_fields *f, struct err *err);
#endif
