/* What submit.c and submit_filter.c share: a batch on its way into the log. */
#ifndef ATE_CHAIN_SUBMIT_INSIDE_H
#define ATE_CHAIN_SUBMIT_INSIDE_H

#include "chain/inside.h"
#include "event/batch.h"

enum submit_step {
    SUBMIT_CHECKING, /* by the pool */
    SUBMIT_CHECKED,
    SUBMIT_SWITCHING,  /* to the bundle that it activates */
    SUBMIT_PLACED,     /* until the log is durable up to wait_size */
    SUBMIT_LOOKING_UP, /* what is in the log already */
    SUBMIT_READY,      /* to be told */
};

/* A member as it was read once. */
struct submit_member {
    struct batch_member m;
    struct batch_event *events; /* NULL when it is a refused one */
};

/* One further signature to be checked. */
struct further_check {
    struct further_sig sig;
    struct key_record record;
    const uint8_t *tx_id;
};

struct submit_state {
    struct task task;
    struct chain *chain;
    struct chain_submit *submit;
    struct submit_state *next;
    enum submit_step step;
    uint64_t wait_size;
    size_t looking_up;
    struct err not_read; /* why one of those could not be looked up */
    struct trial trial;
    uint64_t reads_left;         /* of what its read sets may stand for, */
    uint64_t refused_reads_left; /* and of members that were refused */
    bool activates;              /* invariant (3) */
    uint64_t next_sequence;      /* its author's, when it arrived */
    struct body_walk walk;       /* over the bodies that its events say */
    struct submit_member *members;
    struct scratch decoded; /* their events */

    /* For the pool, which reads nothing else: the chain goes on meanwhile, and
     * its core may change places with another. */
    struct key_record author;
    uint8_t chain_id[CHAIN_ID_SIZE];
    uint8_t author_id[KEY_ID_SIZE];
    uint8_t signature[SIGN_SIZE];
    uint8_t (*ids)[TX_ID_SIZE];
    size_t count;
    struct further_check *further;
    size_t further_count;
    size_t further_cap;
    bool good;
};

/* `err` is copied. */
void submit_refuse(struct submit_result *r, const struct err *err);

/* Read the batch of s->submit, once: fills `members`, the results, and what the
 * pool is to check. Whoever has no standing is refused here. INVALID, LIMIT,
 * DENIED: all of it is, and nothing else was done. */
int submit_filter(struct submit_state *s, struct err *err);

/* Pass the bodies that a member brought. */
void submit_skip_bodies(const struct submit_member *m, struct body_walk *walk);
#endif
