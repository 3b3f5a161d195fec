/* engine_types: events `ate.*`, which fixed rules judge, not the pipeline
 * (docs/format.md section 3). */
#ifndef ATE_ACCEPTANCE_ENGINE_TYPES_H
#define ATE_ACCEPTANCE_ENGINE_TYPES_H

#include "acceptance/authority.h"
#include "crypto/merkle.h"

#define TYPE_KEY "ate.key"
#define TYPE_HEARTBEAT "ate.heartbeat"

bool engine_type_is(struct bytes type);

/* It is an `ate.key`. */
bool engine_type_is_key(const struct trial_event *e);

/* What it is about, for whom it is done for: the object of a delegation or of
 * the one that is revoked, else the whole chain. Of what is not well-formed it
 * is the whole chain, too. */
void engine_type_spot(const struct trial *t, const struct trial_event *e,
                      struct spot *spot);

/* Judge and apply event `n` of a trial. Errors: INVALID, DENIED, CONFLICT. */
int engine_type_apply(struct trial *t, const struct trial_event *e, size_t n,
                      struct err *err);

/* The transaction is a heartbeat. */
bool engine_type_alone(const struct trial *t);

/* Keys that the log did not know come with an event that the pipeline judges,
 * or with the root keys: strangers bring nothing else in. */
bool engine_types_have_company(const struct trial *t);

struct heartbeat {
    int64_t time;
    uint64_t size; /* the log before it */
    const uint8_t *root;
    const uint8_t *state; /* state root before it, or NULL */
};
void heartbeat_put(struct buf *fields, const struct heartbeat *h);
int heartbeat_get(struct bytes fields, struct heartbeat *h, struct err *err);

/* The key record of an `ate.key` event. Errors: INVALID. */
void key_fields_put(struct buf *fields, const struct key_record *record);
int key_fields_get(struct bytes fields, struct key_record *record,
                   struct err *err);
#endif
