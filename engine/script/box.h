/* box: one sandbox with a bundle in it, and what its C functions work with.
 *
 * C functions get at it by box_run(L): what is being run, for which chain, and
 * buffers that outlive a Lua error. The buffers are used as stacks: a function
 * appends, uses what it appended, and cuts the buffer back; an error leaves its
 * part, which the next run clears. */
#ifndef ATE_SCRIPT_BOX_H
#define ATE_SCRIPT_BOX_H

#include <assert.h>

#include "acceptance/call.h"
#include "base/limits.h"
#include "base/scratch.h"
#include "sandbox/sandbox.h"
#include "script/shape.h"

enum {
    BOX_SCANS_MAX =
        4096,          /* loops over rows or objects that are not at an end */
    BOX_STEP_GAS = 10, /* of one look at the state, of one row */
    BOX_RUN_GAS = 500, /* of putting the image back for a rule or fold */
    BOX_REPLAY_FACTOR = 16,
};

static_assert((int)BOX_STEP_GAS >= (int)LIMIT_READ_GAS, "gas bounds read sets");

/* What one loop in Lua walks; slots are used again, told apart by `serial`. */
struct box_scan {
    uint64_t serial;
    bool open;
    bool is_rows;
    uint64_t left; /* of the loop's limit */
    const struct event_type *type;
    struct row_scan rows;
    struct object_scan objects;
};

struct script_run {
    struct core *core;
    const char *part; /* the schema whose short names hold */

    /* A rule or a fold; NULL in methods. */
    struct trial *trial;
    size_t n;                /* the event, or SIZE_MAX: the whole transaction */
    const struct rule *rule; /* or NULL */
    const struct view *view; /* that is being folded, or NULL */
    int function;
    bool refused; /* `out` holds the values of the refusal */

    /* A method; NULL in rules and folds. */
    struct call *call;
    const struct method *method; /* the innermost */

    int keys; /* tables that name objects, inside each other */

    /* As stacks, see above. */
    struct buf out;
    struct buf key;
    struct buf value;

    struct scratch heap;    /* copies that live until the run ends */
    struct object *objects; /* whose bodies Lua may still touch */
    size_t object_count;
    size_t object_cap;
    struct box_scan **scans;
    size_t scan_count;
    size_t scan_cap;
    uint64_t scan_serial;
};

struct box {
    struct sandbox *sandbox;
    const struct schema *schema; /* what C goes by; outlives the box */
    struct schema own;           /* as loaded here: its functions' numbers */
    struct shapes shapes;
    int *states; /* for each schema part: luaL_ref of its `state` */
    int rows;    /* luaL_ref of what folds get */
    int tx;      /* of what rules and folds get */
    int ctx;     /* of the metatable of ctx */
    struct script_run run;
};

/* Load the bundle and take the image. `schema` NULL: the box goes by its own;
 * `watch` NULL: nobody stops its runs. The caller frees it. Errors: SCRIPT,
 * INVALID, LIMIT, UNAVAILABLE (stopped, or see bundle_load.h). */
int box_new(struct box **out, struct bytes bundle,
            const struct sandbox_limits *limits, const struct schema *schema,
            struct watch *watch, struct err *err);
void box_free(struct box *b); /* NULL is harmless */

/* The image is put back; buffers and loops of the run before are cleared. With
 * `replays` the limits are BOX_REPLAY_FACTOR times those of the box. */
void box_begin(struct box *b, bool replays);

/* The same within one budget of gas. */
void box_begin_again(struct box *b);

struct box *box_of(lua_State *L);
struct script_run *box_run(lua_State *L);

/* What reads see now. */
struct tree_version box_version(const struct script_run *run);

/* Push the `state` of a schema of the bundle. */
void box_push_state(lua_State *L, const char *part);

/* A slot for a loop, its serial set; raises an error when there are too many.
 * NULL from box_scan_of: that loop has ended. */
struct box_scan *box_scan_new(lua_State *L, size_t *slot);
struct box_scan *box_scan_of(struct script_run *run, size_t slot,
                             uint64_t serial);
void box_scan_end(struct box_scan *scan);

/* The name that doors use of a type, view or method of the schema. Borrowed. */
const char *box_short_name(lua_State *L, const char *name);

/* The type or view that a name means in the schema whose short names hold.
 * Type: raises an error that says what was probably meant. */
const struct event_type *box_type(lua_State *L, int index, const char *what);
const struct method *box_method(lua_State *L, int index, const char *what);

/* The userdata that a function was called on, which begins with `tag`; `usage`
 * is said when it is something else: "tx:by(identity)". */
void *box_self(lua_State *L, const char *tag, const char *usage);

/* A __newindex that refuses; upvalue 1 says what. */
int box_takes_no_values(lua_State *L);

#endif
