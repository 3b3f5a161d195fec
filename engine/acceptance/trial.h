/* trial: one transaction while it takes its place: everything that depends on
 * position is judged here, at once, for one's own calls, for what others send
 * and for what is read back from a log alike.
 *
 * trial_begin() opens a transaction of the state; then each event is added: it
 * is judged over the state before it, then applied and folded; then
 * trial_finish() asks what concerns the whole and leaves the verdict digest;
 * then the owner keeps or undoes it. After any error only trial_undo() is
 * allowed. */
#ifndef ATE_ACCEPTANCE_TRIAL_H
#define ATE_ACCEPTANCE_TRIAL_H

#include "acceptance/core.h"

struct batch_event;
struct reads;
struct trial;
struct view;

enum change { CHANGE_FACT, CHANGE_NEW, CHANGE_EDIT, CHANGE_DELETE };

struct trial_event {
    struct bytes raw;           /* the header; lives until the trial ends */
    struct event_header header; /* of it */
    uint8_t id[EVENT_ID_SIZE];
    const struct event_type *type; /* NULL: one of the engine's own */
    bool converted;                /* its fields are not those of `raw` */
    enum change change;
    struct bytes before;               /* EDIT, DELETE: the version before */
    struct event_header before_header; /* of it */
    struct bytes body;                 /* data NULL: none, or not at hand */
    bool has_new_large; /* its body is a large one that no event had before */
};

/* What folds wrote, counted again each time. */
struct trial_rows {
    size_t count;
    size_t bytes; /* of keys and columns */
};

/* What was accepted under another schema is tried under this one: header fields
 * are converted, and no stage of the pipeline has a say. */
struct trial_refold {
    /* e->type is set: replace e->header.fields, into the trial's scratch.
     * Errors: those of logic->upgrade(), INVALID. */
    int (*convert)(void *ctx, struct trial *t, struct trial_event *e,
                   struct err *err);
    /* What the pipeline would say today of an event, and at last of all of them
     * (`e` NULL); the callback NULL: it is not asked. */
    void (*judged)(void *ctx, const struct trial_event *e, int code,
                   const struct err *err);
    void *ctx;
};

struct trial {
    struct core *core;
    uint64_t index; /* the place it takes */
    int64_t time;   /* log time there, ms */
    const uint8_t *author;
    const uint8_t *caller; /* identity acted for, or the author */
    const uint8_t *call_id;
    uint64_t first_sequence;        /* of its author */
    const struct further_sig *sigs; /* of others; verified, or to be made */
    size_t sig_count;
    /* Read back from a log: gas and memory are 16-fold then, since they bind
     * the node that accepts, not those that check; and it is never undone to go
     * on: after an error its state is of no use (state_begin_final()). */
    bool replays;
    const struct trial_refold *refold; /* or NULL */

    bool open;
    struct scratch scratch; /* the events and their bytes */

    struct trial_event **events; /* their addresses stay */
    size_t count;
    size_t cap;
    size_t header_bytes;
    size_t body_bytes;
    struct trial_rows rows;
    struct trial_rows private_rows; /* of views that read bodies */
    uint8_t verdict[HASH_SIZE];     /* after trial_finish() */
};

/* What a further signature is for, besides PURPOSE_ROOT. */
#define PURPOSE_CO_AUTHOR "author"

/* `t` is the caller's, all zeros before the first use; it sets the fields up to
 * `replays`, and what they point to outlives the trial. */
void trial_begin(struct trial *t);
void trial_deinit(struct trial *t); /* undoes one that is open; safe twice */

/* Judge and apply one event. `raw` and `body` are copied. `body` data NULL: it
 * is not at hand (then nothing that reads bodies sees it). Errors: INVALID,
 * REFUSED, DENIED, NOT_FOUND, CONFLICT, SCRIPT, LIMIT. */
int trial_add(struct trial *t, struct bytes raw, struct bytes body,
              struct err *err);
/* The same of one that was decoded before. Nothing is copied: what `event`
 * points to, and `body`, outlive the trial. */
int trial_add_decoded(struct trial *t, const struct batch_event *event,
                      struct bytes body, struct err *err);

/* One of the engine's own facts, by the trial's author: made, then added.
 * `auth_ref` NULL: it rests on none. */
int trial_add_own(struct trial *t, const char *type, struct bytes fields,
                  const uint8_t *auth_ref, struct bytes body, struct err *err);

/* A fold is about to write or delete a row of `bytes`. Errors: LIMIT. */
int trial_count_row(struct trial *t, const struct view *view, size_t bytes,
                    struct err *err);

/* The transaction's last word, and its verdict digest. Errors: as trial_add().
 */
int trial_finish(struct trial *t, struct err *err);

/* End it: its changes stay, or nothing of it does. Safe twice. */
void trial_keep(struct trial *t);
void trial_undo(struct trial *t);
#endif
