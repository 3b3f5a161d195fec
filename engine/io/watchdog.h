/* watchdog: a thread that stops runs of Lua that do not end.
 *
 * Gas bounds a run by what it does, the same on every machine; this bounds it
 * by time, for the sake of everybody who waits for the engine's thread. It is
 * an alarm of this node and never a verdict: the run fails with UNAVAILABLE. */
#ifndef ATE_IO_WATCHDOG_H
#define ATE_IO_WATCHDOG_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct err;
struct watch;

enum {
    WATCHDOG_LOOKS = 8, /* that still find a run, after the first */
    WATCHDOG_LOOK_MS = 250,
};

struct watchdog {
    struct watch *watch;
    int64_t look_ms;
    uint64_t run;   /* that was under way at the last look */
    unsigned looks; /* at it since the first */

    bool started;
    pthread_t thread;
    pthread_mutex_t mutex; /* of what follows, and of falling asleep */
    pthread_cond_t news;
    bool ending;
};

/* Start the thread. It takes `watch` over but for its runs; both stay where
 * they are until watchdog_stop(). `look_ms`: WATCHDOG_LOOK_MS. Errors: IO. */
int watchdog_start(struct watchdog *w, struct watch *watch, int64_t look_ms,
                   struct err *err);

/* No run is under way any more. Harmless when it was not started, or twice. */
void watchdog_stop(struct watchdog *w);

/* What the thread does every `look_ms`; false: no run is under way. */
bool watchdog_look(struct watchdog *w);
#endif
