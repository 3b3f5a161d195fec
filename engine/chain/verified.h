/* verified: the mark up to which this node has verified a log, in the file
 * `verified` beside it. Replay leaves out there what says of the log no more
 * than that: signatures, what authors had read, and state roots.
 *
 * It carries a tag that only this node can make. One that is missing, old or
 * cut costs time and nothing else. One that is good and names what the log does
 * not have tells that somebody took away what this node had made durable, and
 * perhaps signed: then the chain is for reading only. */
#ifndef ATE_CHAIN_VERIFIED_H
#define ATE_CHAIN_VERIFIED_H

#include "chain/chain.h"

enum {
    VERIFIED_SIZE = 248,
    VERIFIED_WORTH = 1 << 12, /* transactions, while work goes on */
};

struct verified {
    struct watermark end; /* frames 0: there is no mark */
    uint64_t rooted;      /* size of the newest state root there; 0: not had */
    bool told;
    uint8_t root[HASH_SIZE];
};

/* What the file has; without a mark if that is not good. */
void verified_get(const struct chain *c, struct bytes file, struct verified *v);

/* Does the mark cover the next frame that is replayed? */
bool verified_covers(const struct chain *c, uint64_t frame);
/* A frame was replayed. False: the mark is of another log. */
bool verified_passed(struct chain *c, const struct log_frame *frame);

/* This node says, in a mark or a snapshot, that it made the log durable up to
 * `end`. */
void verified_says(struct chain *c, const struct watermark *end);
/* Is a frame that was read, or the end of the log, what it says? */
void verified_look(struct chain *c, const struct log_frame *frame);
void verified_look_end(struct chain *c);
/* 0, or CORRUPT: the log is not the one it says. */
int verified_check(const struct chain *c, struct err *err);

/* The chain is idle: write the mark anew, if it has moved since by as much as
 * is worth it. True: that is under way. */
bool verified_write(struct chain *c, uint64_t worth);
#endif
