/* opening: an opening or a poll under way.
 *
 * It is the log's from log_open() or log_poll() until one of its ends below,
 * which frees it: who calls one of those does nothing with it afterwards. From
 * above: open.c finds where to begin, recover.c walks the frames, repair.c
 * makes the files agree. */
#ifndef ATE_LOG_OPENING_H
#define ATE_LOG_OPENING_H

#include "log/inside.h"

struct log_opening {
    log_visit *visit;
    void *visit_ctx;
    uint8_t chain[LOG_CHAIN_SIZE];
    bool any_chain;
    const struct log_start *start; /* until it was compared; or NULL */
    bool poll;
    bool paused;
    uint32_t attempts;

    struct watermark mark; /* W */
    struct buf small;      /* cur, names in the folder */
    struct buf slots[2];
    struct buf gaps[2]; /* behind them, where all bytes are zeros */
    struct err stain;   /* code not 0: one is not */

    uint64_t size;                 /* of the header file */
    uint64_t at;                   /* where in it the window begins */
    struct buf window;             /* grows behind, is cut off in front */
    void (*then)(struct log *log); /* when the window has grown */

    struct log_frame frame;  /* good, parts in the window */
    struct watermark before; /* log->end before it */
    struct err why;          /* why there is no good frame at the end */

    struct buf piece;   /* of bodies, or of what is written again */
    uint64_t body_done; /* of the frame's bodies */
    uint32_t body_crc;  /* of those */
    char path[LOG_PATH_MAX];

    uint64_t scan;         /* next place to look for a later frame */
    uint32_t segment;      /* being written again */
    const char *copy_path; /* the range of a file that is written again */
    uint64_t copy_lane;
    uint64_t copy_at;
    uint64_t copy_to;
    void (*copied)(struct log *log);
};

/* With log->outcome: an opening leaves the log closed, a poll as it was. */
void opening_give_up(struct log *log);
void opening_give_up_job(struct log *log, const struct job *job);
/* The same with STALE: `what` has happened to the log behind us. */
void opening_stale(struct log *log, const char *what);

/* With log->outcome: readable up to log->end. */
void opening_refuse(struct log *log);

void opening_ready(struct log *log);

/* Is [from, from + len) of the header file in the window? Otherwise read it,
 * with more behind it, drop what stands before it, and come back by `then`. */
bool opening_have(struct log *log, uint64_t from, uint64_t len,
                  void (*then)(struct log *log));
const uint8_t *opening_at(const struct log *log, uint64_t offset);

/* Walk on from log->end, whose frame is not taken yet; the window begins where
 * it may, opening->mark is W. Ends the opening, or pauses it. */
void opening_walk(struct log *log);

/* Opened to write, all good frames taken: make the files agree with log->end,
 * and end the opening. */
void opening_repair(struct log *log);
#endif
