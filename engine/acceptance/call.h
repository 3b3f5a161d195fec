/* call: one call of a method while it runs, and what a method can do.
 *
 * A write runs over the head, inside a trial of its own: each event that it
 * makes is judged and folded at once, so the next read sees it. A read runs
 * over the durable version. Maps of fields are in stored form; header and body
 * fields stand in one map, the type tells which is which. */
#ifndef ATE_ACCEPTANCE_CALL_H
#define ATE_ACCEPTANCE_CALL_H

#include "acceptance/trial.h"
#include "state/reads.h"
#include "state/rows.h"

struct call_body; /* a body that was fetched for this call */
struct worker;

/* The run of a worker's function for one item, instead of a method's. */
struct work_run {
    const struct worker *worker;
    struct bytes item;
    const struct object *event; /* what came; or NULL, and */
    struct bytes row_key;       /* a row whose time has passed */
    struct bytes columns;
    uint64_t asked; /* services, so far */
};

/* What such a run asks outside: it ends there, and starts again when that was
 * answered. */
struct work_asking {
    bool is_asking;
    bool is_journaled; /* the log has it already, at `index` and `ask_n` */
    uint64_t n;        /* so many were asked before */
    uint64_t index, ask_n;
    uint8_t key[HASH_SIZE]; /* idempotency key, once it is journaled */
    struct buf service;
    struct buf request;
};

struct call {
    struct core *core;
    const struct method *method;
    struct bytes args;           /* canonical map, stored form */
    const uint8_t *caller;       /* identity */
    const uint8_t *author;       /* key id; NULL for reads */
    struct bytes context;        /* the caller's declared context, or len 0 */
    const char *where;           /* "client", "server" */
    struct tree_version version; /* what reads see */
    struct tree_version before;  /* of a write: the state that it began with */
    int64_t time;                /* log time */
    bool writes;
    bool proposes;      /* it takes its place later, over another state */
    bool watches;       /* a read whose read set is wanted, too */
    struct trial trial; /* open while a write runs */
    struct reads reads; /* of a write, or one that watches */
    struct buf result;  /* stored form; empty: nil */

    /* After ATE_ENEED: which body has to be given with call_give_body(). */
    uint64_t need_index;
    uint64_t need_n;
    struct call_body *bodies;
    size_t body_count;

    struct work_run *work; /* NULL: a method is run */
    struct work_asking asking;
};

void call_init(struct call *c);
void call_deinit(struct call *c);

/* Append the event of a fact. `id` gets its object's id. `fields` may lack
 * defaults. Errors: those of trial_add(); INVALID for a type that is an object.
 */
int call_emit(struct call *c, const struct event_type *type,
              struct bytes fields, uint8_t id[16], struct err *err);

/* A new object: CONFLICT when its key is taken. */
int call_create(struct call *c, const struct event_type *type,
                struct bytes fields, uint8_t id[16], struct err *err);
/* A new object, or all fields of the one with that key replaced. */
int call_put(struct call *c, const struct event_type *type, struct bytes fields,
             uint8_t id[16], struct err *err);
/* Some fields replaced; an optional one that is nil in `fields` is taken away.
 * Errors: NOT_FOUND, NEED (its body). */
int call_patch(struct call *c, const uint8_t id[16], struct bytes fields,
               struct err *err);
int call_delete(struct call *c, const uint8_t id[16], struct err *err);

/* The id of the object of `type` that `fields` name by parent and key fields.
 * Errors: INVALID (a key field is missing or does not fit). */
int call_key_id(const struct core *core, const struct event_type *type,
                struct bytes fields, uint8_t id[16], struct err *err);

/* Read; a write also notes it in its read set, as does one that watches, which
 * notes rows of views that read bodies, too. False: not live. */
bool call_object(struct call *c, const uint8_t id[16], struct object *o);
bool call_row(struct call *c, const struct view *view, struct bytes key,
              struct bytes *columns);
/* Steps of scans that were opened over call->version; a write notes what they
 * pass. Writing between two steps is allowed. */
bool call_row_next(struct call *c, struct row_scan *scan, struct bytes *key,
                   struct bytes *columns);
bool call_object_next(struct call *c, struct object_scan *scan, uint8_t id[16]);
/* The body of a live object's version, stored form. Errors: NEED, NOT_FOUND
 * (it has none), CORRUPT. */
int call_body_of(struct call *c, const struct object *o, struct bytes *body,
                 struct err *err);

/* Ask a service, from within a worker's run; `answer` is a canonical value.
 * Errors: NEED (not answered yet: call->asking, or a body), INVALID (no worker,
 * or nothing that can be asked), CONFLICT (it asked for something else when it
 * ran before), LIMIT. */
int call_ask(struct call *c, struct bytes service, struct bytes request,
             struct bytes *answer, struct err *err);

/* The engine fetched what NEED asked for. */
void call_give_body(struct call *c, uint64_t index, uint64_t n,
                    struct bytes body);

/* Run one of the default methods (method->by_default): the result as
 * logic->run() leaves it. */
int call_run_default(struct call *c, struct err *err);
#endif
