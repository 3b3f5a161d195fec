/* materializer: one stage of a chain's pipeline.
 *
 * Stages are asked in the order of the pipeline. Acceptance is decided in one
 * place, pipeline_judge(): the first NO ends it, and without any YES the event
 * is refused. A hook that a stage does not have is NULL. */
#ifndef ATE_ACCEPTANCE_MATERIALIZER_H
#define ATE_ACCEPTANCE_MATERIALIZER_H

#include <stdbool.h>

#include "base/bytes.h"

struct err;
struct core;
struct pipeline;
struct trial;
struct trial_event;

enum answer { ANSWER_ABSTAIN, ANSWER_YES, ANSWER_NO };

struct materializer {
    const char *name;
    /* For texts: why it says yes to nothing when it abstains; NULL: it never
     * says yes. */
    const char *abstains;
    bool takes_delegations; /* events name the one they rest on (auth_ref) */

    /* Acceptance: may event `event` of the transaction enter, over the state
     * before it and after the earlier ones? NO fills `err`. */
    enum answer (*accept)(struct trial *trial, const struct trial_event *event,
                          struct err *err);
    /* After the last event: NO refuses the whole transaction; YES does nothing.
     */
    enum answer (*accept_whole)(struct trial *trial, struct err *err);
    /* A body goes out to disk or comes in: seal or open it with the keys of the
     * context. `out` gets the other form. 0, or DENIED without the key. */
    int (*seal)(const struct core *core, void *context,
                const struct trial_event *event, struct bytes clear,
                struct buf *out, struct err *err);
    int (*open)(const struct core *core, void *context,
                const struct trial_event *event, struct bytes sealed,
                struct buf *out, struct err *err);
    /* Flip, newest first: does this event stay? */
    bool (*keep)(const struct core *core, const struct trial_event *event);
    /* The event is durable and this node holds the order key of the term. */
    void (*arrived)(const struct core *core, const struct trial_event *event);
};

/* All that this build has, ended by a NULL. `node` passes it down. */
extern const struct materializer *const materializers[];

/* Find the stages of a pipeline by name in `known`. Errors: INVALID, naming the
 * one that is not known and those that are. */
int pipeline_init(struct pipeline *p, const struct bytes *names, size_t count,
                  const struct materializer *const *known, struct err *err);

/* 0: accepted. Errors: REFUSED, INVALID, NOT_FOUND, SCRIPT, LIMIT... as the
 * stage that said no put it; DENIED when no stage said yes. */
int pipeline_judge(const struct pipeline *p, struct trial *trial,
                   const struct trial_event *event, struct err *err);
int pipeline_judge_whole(const struct pipeline *p, struct trial *trial,
                         struct err *err);
#endif
