/* work: what the workers of an open chain do on this node.
 *
 * An item of a worker (state/work.h) that is taken in hand is run, and what it
 * asks is journaled. It is run again, which gives the key of what is journaled;
 * that is sent, its answer journaled, and the item run again, until a run ends
 * it. What fails is tried again later, and parked at last. Of each worker one
 * item is under way at a time, in the order of the log; those that wait to be
 * tried again let others pass. */
#ifndef ATE_NODE_WORK_H
#define ATE_NODE_WORK_H

#include "node/inside.h"
#include "node/service.h"
#include "state/work.h"

enum {
    WORK_ATTEMPTS_MAX = 12,     /* then it is parked */
    WORK_RETRY_MS = 1000,       /* the first time, doubled each time */
    WORK_RETRY_MS_MAX = 900000, /* and never more */
    WORK_WAITING_MAX = 256,     /* of a worker, to be tried again: no others
                                   are begun */
    WORK_RUN_MAX = 100000,      /* items that one ate.workers works */
    WORK_FAILURES_MAX = 100,    /* that it tells of */
};

enum item_step {
    ITEM_RUN,    /* its function is to be run, or runs */
    ITEM_ASK,    /* what it asks is being journaled */
    ITEM_SEND,   /* and is outside */
    ITEM_ANSWER, /* the answer is being journaled */
    ITEM_PARK,   /* it is being parked */
    ITEM_WAIT,   /* until due_us */
};

/* An item in hand. */
struct work {
    struct hosted *hosted; /* while under way it is one of its users */
    struct ring ring;      /* in its works */
    char *worker;          /* qualified */
    struct work_item item;
    enum item_step step;
    bool under_way; /* a call or a request is */
    bool came_back; /* and that has ended */
    bool is_unsent; /* what it asks was journaled just now, so never sent */
    uint32_t attempts;
    int64_t due_us;
    uint64_t pass; /* of its hosted, when it was tried last */
    struct err why;
    struct buf args;
    struct chain_call call;
    struct work_asking asking;
    struct service_request sent;
    struct buf answer;
    int reply_code;
    uint32_t retry_ms;
};

/* Take an item in hand; it is run at the next work_step(). */
struct work *work_new(struct hosted *h, const char *worker, struct bytes item);
void work_free(struct work *w);            /* nothing of it is under way */
bool work_is_active(const struct work *w); /* it does not wait */
/* Go on, as far as that is possible now: only while the chain is not busy. */
void work_step(struct work *w);
/* It waits: try it now. */
void work_try_now(struct work *w);
/* What is outside is let go: it will be asked again. */
void work_cancel(struct work *w);

/* What came of an attempt; it is called before the item is freed, or when it
 * begins to wait. */
enum work_end { WORK_IS_DONE, WORK_IS_GONE, WORK_FAILED, WORK_WAS_PARKED };
void working_told(const struct work *w, enum work_end end); /* working.c */
#endif
