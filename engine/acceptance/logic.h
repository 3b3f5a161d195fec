/* logic: what runs a schema's functions. chain/ asks it; engine/script is the
 * one that there is. */
#ifndef ATE_ACCEPTANCE_LOGIC_H
#define ATE_ACCEPTANCE_LOGIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

struct call;
struct err;
struct event_type;
struct method;
struct rule;
struct schema;
struct trial;
struct view;

struct logic_limits {
    uint64_t gas; /* steps of one function of a rule or fold; of one method */
    uint64_t memory; /* bytes a run may use beyond the loaded bundle */
};

struct logic {
    const struct schema *schema; /* as long as the logic lives */
    struct bytes bundle;         /* the same */
    bool runs_nothing; /* no_rules.h: what would stand in rows is not known */

    /* A transaction begins to be judged: nothing of an earlier one may show. */
    void (*begin)(struct logic *l, struct trial *trial);
    /* Ask a rule about event `n` of the trial (SIZE_MAX: about the whole
     * transaction). 0: passed. Errors: REFUSED with rule and text, SCRIPT,
     * LIMIT; UNAVAILABLE when this node gave up: no verdict. */
    int (*check)(struct logic *l, struct trial *trial, const struct rule *rule,
                 size_t n, struct err *err);
    /* Fold event `n` into a view; it writes rows. Errors: SCRIPT, LIMIT,
     * UNAVAILABLE as above. */
    int (*fold)(struct logic *l, struct trial *trial, const struct view *view,
                int function, size_t n, struct err *err);
    /* Run a declared method: call->result gets the stored form. Errors: what
     * the call's functions returned (REFUSED, ...), SCRIPT, LIMIT, NEED,
     * UNAVAILABLE as above. */
    int (*run)(struct logic *l, struct call *call, struct err *err);
    /* Convert header fields that an older version of the schema stored, by one
     * of the type's upgrades; appends the map. Errors: SCRIPT, LIMIT, INVALID,
     * UNAVAILABLE as above. */
    int (*upgrade)(struct logic *l, const struct event_type *type, int function,
                   struct bytes fields, struct buf *out, struct err *err);
    /* What a function is: its code, and the constants it sees. */
    void (*digest)(struct logic *l, int function, uint8_t out[32]);
    /* Steps used since begin() or since run() started, both counted. */
    uint64_t (*gas)(const struct logic *l);
    void (*free)(struct logic *l);
};

/* Loads bundles; `node` passes it down. Errors: SCRIPT, INVALID, LIMIT,
 * UNAVAILABLE (made by a version that this one does not know). */
struct logic_maker {
    void *ctx;
    int (*load)(void *ctx, struct bytes bundle,
                const struct logic_limits *limits, struct logic **out,
                struct err *err);
    /* Is this text of a module the engine's own under this name, or a schema's
     * that comes with it, and no one else's? NULL: nothing is known. */
    bool (*knows)(struct bytes module, struct bytes source);
};
#endif
