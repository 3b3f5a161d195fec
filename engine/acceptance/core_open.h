/* core_open: how a core comes to be and what it starts from. */
#ifndef ATE_ACCEPTANCE_CORE_OPEN_H
#define ATE_ACCEPTANCE_CORE_OPEN_H

#include "acceptance/core.h"

struct logic_limits;
struct logic_maker;

/* Limits that genesis sets unless told otherwise. */
enum {
    CORE_GAS = 1000000,      /* steps of one function */
    CORE_MEMORY = 4 << 20,   /* bytes of one run */
    CORE_CALL_MS = 86400000, /* call ids are kept for a day */
};

/* Take in genesis and its bundle; `core` is all zeros before. Checks the
 * genesis, but not its signatures. After a failure core_close() it. Errors:
 * INVALID, LIMIT, CORRUPT, SCRIPT. */
int core_open(struct core *core, struct bytes genesis, struct bytes bundle,
              const struct logic_maker *maker,
              const struct materializer *const *known, struct err *err);
void core_close(struct core *core); /* safe twice */

/* The same with another bundle than genesis', which may follow on it. */
int core_open_with(struct core *core, struct bytes genesis, struct bytes bundle,
                   const struct logic_maker *maker,
                   const struct materializer *const *known, struct err *err);

/* The limits that genesis sets. */
struct logic_limits core_limits(const struct core *core);

/* Names of the pipeline that a chain has unless told otherwise; their count. */
size_t core_default_pipeline(struct bytes names[GENESIS_PIPELINE_MAX]);
void core_default_limits(struct buf *limits); /* an encoded map */
#endif
