/* member: a transaction of a batch that comes as bytes, at its place in the
 * log.
 */
#ifndef ATE_CHAIN_MEMBER_H
#define ATE_CHAIN_MEMBER_H

#include "chain/inside.h"

/* Where the bodies of a batch are: regions as a frame has them, and how far its
 * members have got in them. */
struct member_bodies {
    struct bytes inlined;
    struct bytes file; /* data NULL: not at hand */
    const char *path;  /* of the body file, for texts, or NULL */
    uint64_t offset;   /* where in it `file` begins */
    struct body_walk walk;
    bool is_inlined; /* the body passed last */
    uint64_t at;     /* where in its region that begins */
};

/* The body of the next event that has one; what is stored behind it is looked
 * at, too. Data NULL: it is not at hand. Errors: CORRUPT. */
int member_body(struct member_bodies *b, const struct event_header *h,
                struct bytes *body, struct err *err);

/* Its events, decoded into `room`. Errors: those of batch_member_decode(). */
int member_decode(const struct core *core, const struct batch_member *m,
                  struct scratch *room, struct batch_event **events,
                  struct err *err);

/* Room for further signatures; outlives the trial. */
struct member_sigs {
    struct further_sig list[LIMIT_TX_SIGNATURES];
    size_t count;
};

/* The key record of a batch's author: known to the log, or brought along by its
 * first accepted transaction. Errors: DENIED. */
int member_author(struct chain *c, struct bytes payload, const uint8_t *id,
                  struct key_record *record, struct err *err);

/* Every further signature is good, and for something that means something.
 * Errors: INVALID, DENIED (an unknown key), CORRUPT. */
int member_check_sigs(struct chain *c, const struct batch_member *m,
                      const uint8_t *tx_id, struct err *err);

/* The key of each of these further signatures of it, at most
 * LIMIT_TX_SIGNATURES: known, or brought along by the transaction, of which
 * every event is read at most once. Errors: INVALID (for what?), DENIED. */
int member_find_keys(struct chain *c, const struct batch_member *m,
                     const struct further_sig *list, size_t count,
                     struct key_record *records, struct err *err);

bool member_is_heartbeat(const struct batch_member *m);
/* The first of its events that is an ate.activate; NULL: none is. */
const struct batch_event *member_activation(const struct batch_member *m,
                                            const struct batch_event *events);

/* Judge it in trial `t`, as transaction `index`; `events` are its own, decoded.
 * 0: the trial is finished and open, to be kept by member_keep() or undone.
 * After an error it is undone. All that it points to outlives the trial.
 * Errors: those of trial_add() and trial_finish(), STALE (bundle, `seen` too
 * old, an activation over another state), CONFLICT (its call id is known). */
int member_judge(struct chain *c, struct trial *t, uint64_t index,
                 const struct batch_member *m, const struct batch_event *events,
                 struct member_sigs *sigs, struct member_bodies *bodies,
                 bool replays, struct err *err);
void member_keep(struct core *core, struct trial *t,
                 const struct batch_member *m);

/* The parts of that: begin a trial (t->core is set), and add its event n. */
void member_begin(struct trial *t, uint64_t index, const struct batch_member *m,
                  struct member_sigs *sigs, bool replays);
int member_add(struct trial *t, const struct batch_event *event, uint32_t n,
               struct member_bodies *bodies, struct err *err);
#endif
