/* work_methods: the engine's methods about workers.
 *
 *     ate.work {worker, item}         runs the worker's function, and ends the
 *                                     item in the same transaction
 *     ate.park {worker, item, why}
 *     ate.ask {worker, item, n, service, request}
 *     ate.answer {worker, item, n, answer}
 *     ate.retry {parked "index.n"}, ate.drop {parked "index.n"}
 *
 * Items, requests and answers are blobs; a worker's name is qualified. */
#ifndef ATE_ACCEPTANCE_WORK_METHODS_H
#define ATE_ACCEPTANCE_WORK_METHODS_H

#include "acceptance/call.h"

/* Errors: those of apply_work() and its like; of ate.work those of the run,
 * too: NEED with call->asking when it asks a service. */
int work_method_run(struct call *c, struct err *err);

/* What their arguments are. */
extern struct field work_item_args[2];
extern struct field work_park_args[3];
extern struct field work_ask_args[5];
extern struct field work_answer_args[4];
extern struct field work_parked_args[1];
#endif
