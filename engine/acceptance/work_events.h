/* work_events: the events by which workers work: `ate.work` ends, parks or
 * takes back an item, `ate.ask` journals a request before it goes outside,
 * `ate.answer` what came back (docs/format.md section 3). */
#ifndef ATE_ACCEPTANCE_WORK_EVENTS_H
#define ATE_ACCEPTANCE_WORK_EVENTS_H

#include "acceptance/trial.h"

#define TYPE_WORK "ate.work"
#define TYPE_ASK "ate.ask"
#define TYPE_ANSWER "ate.answer"

/* What becomes of an item. */
enum work_outcome {
    WORK_DONE,    /* of one that waits: it was worked */
    WORK_PARK,    /* it waits until somebody takes it back */
    WORK_RETRIED, /* of one that is parked: it waits again */
    WORK_DROPPED, /* and: it is never worked */
    WORK_OUTCOMES,
};

struct work_fields {
    struct bytes worker; /* qualified name */
    struct bytes item;
    enum work_outcome outcome;
    struct bytes why; /* of PARK; data NULL: none */
};
void work_fields_put(struct buf *out, const struct work_fields *f);
int work_fields_get(struct bytes map, struct work_fields *f, struct err *err);

struct ask_fields {
    struct bytes worker;
    struct bytes item;
    uint64_t n;
    struct bytes service; /* of ASK; the request is the event's body */
};
void ask_fields_put(struct buf *out, const struct ask_fields *f);
int ask_fields_get(struct bytes map, bool asks, struct ask_fields *f,
                   struct err *err);

/* The worker that made the transaction, so far: it ended an item there. False:
 * none did. */
bool work_made_by(const struct trial *t, struct bytes *worker);

/* Judge and apply. Errors: INVALID, DENIED, NOT_FOUND (the item does not wait),
 * CONFLICT. */
int apply_work(struct trial *t, const struct trial_event *e, size_t n,
               struct err *err);
int apply_ask(struct trial *t, const struct trial_event *e, size_t n,
              struct err *err);
int apply_answer(struct trial *t, const struct trial_event *e, size_t n,
                 struct err *err);
#endif
