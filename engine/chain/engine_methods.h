/* engine_methods: methods `ate.*` that every chain has, whatever its schema:
 * they make trust events (trust_events.h). Called as all methods are. */
#ifndef ATE_CHAIN_ENGINE_METHODS_H
#define ATE_CHAIN_ENGINE_METHODS_H

#include "chain/call.h"

/* ate.grant {to, rights [text], object? "type/key", depth?, until?, under?}
 * ate.revoke {grant "index.n"}
 * ate.order {to}
 * ate.bundle {bundle bin}  ate.activate {}
 * ate.rotate {keys [identity], threshold?, next? [identity], next_threshold?}
 * NULL: no such method. */
const struct method *engine_method(struct bytes name);

/* Those that there are; for suggestions and descriptions. */
extern const struct method *const engine_methods;
size_t engine_methods_count(void);

/* Run one in a trial, as logic->run() does. Errors: INVALID, NOT_FOUND, DENIED,
 * CONFLICT. */
int engine_method_run(struct call *c, struct err *err);
#endif
