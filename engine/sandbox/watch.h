/* watch: which run of Lua is under way, shown to a thread beside the one that
 * runs it, which may have it stopped.
 *
 * Runs have numbers. Stopping means one number, so a stop that comes late finds
 * another run under way, or none, and does nothing. What a stop means is not
 * for a verdict: the run ends with UNAVAILABLE, on this node, this time.
 *
 * One thread begins and ends runs, in any number of sandboxes; a run that
 * begins within another is part of it. Another thread may sleep while there is
 * none: it sets `asleep`, looks once more, and waits for `wake`. */
#ifndef ATE_SANDBOX_WATCH_H
#define ATE_SANDBOX_WATCH_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct watch {
    uint64_t limit_ms;       /* what is said of a run that was stopped */
    void (*wake)(void *ctx); /* a run began and `asleep` is set; or NULL */
    void *ctx;
    atomic_bool asleep;

    /* The watch's own. */
    unsigned depth;        /* of runs in runs */
    uint64_t count;        /* of runs so far */
    _Atomic uint64_t run;  /* the number of the one under way; 0: none */
    _Atomic uint64_t stop; /* of the one that is to end */
};

/* Around each run. */
void watch_begin(struct watch *w);
void watch_end(struct watch *w);

/* From within a run: is it to end? */
bool watch_is_stopped(const struct watch *w);

/* From any thread: which run is under way (0: none), and end it. */
uint64_t watch_run(const struct watch *w);
void watch_stop(struct watch *w, uint64_t run);
#endif
