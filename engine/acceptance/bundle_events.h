/* bundle_events: `ate.bundle` brings a bundle, `ate.activate` puts it in force
 * (docs/format.md section 3). */
#ifndef ATE_ACCEPTANCE_BUNDLE_EVENTS_H
#define ATE_ACCEPTANCE_BUNDLE_EVENTS_H

#include "acceptance/trial.h"
#include "event/body.h"

#define TYPE_ACTIVATE "ate.activate"

struct activate_fields {
    const uint8_t *bundle; /* its hash */
    const uint8_t *state; /* state root before it, under this bundle; or NULL */
};
void activate_fields_put(struct buf *out, const struct activate_fields *f);
int activate_fields_get(struct bytes map, struct activate_fields *f,
                        struct err *err);

/* The bundle that may be activated: hash and place of its event. */
struct next_bundle {
    const uint8_t *hash;
    uint64_t index;
    uint64_t n;
};
bool next_bundle_get(struct tree_version v, struct next_bundle *next);

/* Those that were put in force after genesis' own, in order: how many, and
 * number `i` of them, from 0 on, which has to be less. */
struct activated_bundle {
    uint64_t index;      /* of the transaction that did it */
    const uint8_t *hash; /* HASH_SIZE bytes, borrowed of the version */
};
size_t activated_count(struct tree_version v);
struct activated_bundle activated_get(struct tree_version v, size_t i);

/* May the trial's keys activate what came last, and is that `bundle` (NULL:
 * whichever)? To be asked before the log is tried under it. Errors: DENIED,
 * NOT_FOUND, CONFLICT. */
int activation_allowed(const struct trial *t, const uint8_t *bundle,
                       struct err *err);

/* Judge and apply. Errors: INVALID, DENIED, CONFLICT, SCRIPT, NOT_FOUND. */
int apply_bundle(struct trial *t, const struct trial_event *e, size_t n,
                 struct err *err);
int apply_activate(struct trial *t, const struct trial_event *e, size_t n,
                   struct err *err);

/* The trial activates a bundle. */
bool trial_activates(const struct trial *t);
#endif
