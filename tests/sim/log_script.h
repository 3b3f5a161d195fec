/* log_script: a log written by a seeded script on a simulated disk, the model
 * of what it was told, and the check of what is there after a crash.
 *
 * What has to hold, whenever the power went: what was acknowledged is there,
 * byte for byte; what is there was written, in order; and opening does not
 * refuse. */
#ifndef ATE_SIM_LOG_SCRIPT_H
#define ATE_SIM_LOG_SCRIPT_H

#include "log/log.h"
#include "sim/rng.h"
#include "sim/sim_disk.h"

struct model_frame {
    struct buf payload;
    struct buf inlined;
    struct buf bodies;
    uint32_t count;
};

/* What the log was told: frames that were submitted; of these so many are known
 * to be durable. */
struct model {
    struct model_frame *frames;
    size_t submitted;
    size_t cap;
    size_t acked;
};

void model_deinit(struct model *m);
/* Forget all behind the first `count` frames. */
void model_cut(struct model *m, size_t count);

struct tally {
    uint64_t recoveries;
    uint64_t lost;    /* acknowledged, and not there */
    uint64_t wrong;   /* there, and never written so */
    uint64_t refused; /* nothing was damaged, and opening failed */
    char first[1400]; /* what went wrong first */
};

uint64_t tally_failures(const struct tally *t);

/* A log at work. */
struct script {
    struct sim_disk *disk;
    struct log log;
    struct model model;
    struct rng rng;
    uint64_t seed;
    bool finished; /* the operation under way */
    int code;      /* and its outcome */
    struct err err;
    sim_hook *mutant; /* what is wrong with this build of the log, or NULL */
    void (*watch)(struct script *s); /* before each action, or NULL */
    void *watch_ctx;
    struct tally *tally;
    uint8_t forged[LOG_SLOT_SIZE]; /* for mutants */
};

enum { SCRIPT_SEGMENT = 16 << 10 };

/* With a new disk. */
void script_init(struct script *s, uint64_t seed, struct tally *tally);
/* With a disk as it is, which becomes the script's. */
void script_init_on(struct script *s, struct sim_disk *disk, uint64_t seed,
                    struct tally *tally);
void script_deinit(struct script *s);

/* Each returns the outcome. That it ends while the disk has something to do is
 * asserted. */
int script_create(struct script *s);
int script_append(struct script *s); /* one to four frames */
int script_mark(struct script *s);   /* 0, too, when there is nothing to mark */
/* Read back one frame that is durable; INVALID when it is not what it should
 * be. */
int script_read(struct script *s, size_t frame);

/* Create, then so many commits, now and then an idle mark; stops at the first
 * failure that leaves the log useless, and returns it. FULL goes on. */
int script_run(struct script *s, unsigned commits);

/* The disk stops: what is under way fails, and the log is closed. */
void script_crash(struct script *s);

/* Open the disk's log read-write with a new struct log, and hold it against
 * `model`: counts in the tally. Leaves the log open if that worked; the number
 * of frames found, or -1. `what` says for people where this was. */
long script_recover(struct script *s, const struct model *model,
                    const char *what);

/* Power failures at each action of a script of `commits`, with every kind of
 * loss and `seeds` seeds for those that need one, and in a part of the
 * recoveries. */
void crash_everywhere(uint64_t seed, unsigned commits, unsigned seeds,
                      sim_hook *mutant, struct tally *tally);

/* One fault at each action of a script, once and for ever, then a new process
 * and a power failure. What the log said about the fault has to be true: FULL,
 * nothing of the group is left and the log goes on; anything else, the log is
 * FAILED and readable as far as it acknowledged. `lying` makes failed syncs say
 * that all is well, which the log can't survive. */
void fault_everywhere(uint64_t seed, unsigned commits, bool lying,
                      sim_hook *mutant, struct tally *tally);

/* A log with up to four power failures in its life, each at a random action. */
void crash_in_life(uint64_t seed, sim_hook *mutant, struct tally *tally);
#endif
