/* rooting: state roots, made by the pool at every STATE_ROOT_EVERY transactions
 * while work goes on, and told by the next heartbeat.
 *
 * The `state` of a heartbeat is the state root of the chain when it had as many
 * transactions as the largest multiple of STATE_ROOT_EVERY that is not above
 * the heartbeat's `size` (docs/format.md section 3). */
#ifndef ATE_CHAIN_ROOTING_H
#define ATE_CHAIN_ROOTING_H

#include "chain/chain.h"

enum { STATE_ROOT_EVERY = 1 << 16 };

struct rooting {
    uint64_t size;  /* where the newest one is made; 0: none yet */
    uint64_t begun; /* the last size for which it was begun here */
    bool known;     /* it was made: */
    uint8_t root[HASH_SIZE];
    bool told;                  /* a heartbeat has it */
    struct rooting_task *task;  /* that makes it, when it is under way */
    struct rooting_task *noted; /* that would make it; NULL, or task is */
    size_t running;             /* of it and of older ones */
    void (*then)(void *ctx);    /* when none is */
    void *then_ctx;
};

/* How many transactions there are from one to the next. */
uint64_t rooting_every(const struct chain *c);
/* A transaction is about to be tried at next_index; no mark is open. */
void rooting_note(struct chain *c);
/* Make the one that was noted, if there is one; or never. */
void rooting_begin(struct chain *c);
void rooting_drop(struct chain *c);
/* What the next transaction is tried on is not what it was: a root of this very
 * size is another one. None is being made. */
void rooting_forget(struct chain *c);
/* The next transaction is the last one before a root is made: if it is a
 * heartbeat it stands alone, so that the state between is seen. */
bool rooting_is_near(const struct chain *c);
/* What a heartbeat of now has to tell; NULL: nothing. */
const uint8_t *rooting_news(const struct chain *c);

/* Call `then` when no root is being made any more, what was noted included, and
 * no survey (survey.h), at once or later: their tree may go then. */
void rooting_when_idle(struct chain *c, void (*then)(void *ctx), void *ctx);
bool rooting_is_idle(const struct chain *c);
void rooting_rest(struct chain *c); /* a survey ended: it may be now */

/* A heartbeat that is replayed tells this one. What is still being made is
 * compared when it is there (chain_checked()). Errors: CORRUPT. */
int rooting_check(struct chain *c, const uint8_t state[HASH_SIZE],
                  struct err *err);
#endif
