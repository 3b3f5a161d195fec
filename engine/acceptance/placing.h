/* placing: where an event belongs, whatever a pipeline says of it: its parent,
 * the object that its key gives, the version that it follows. */
#ifndef ATE_ACCEPTANCE_PLACING_H
#define ATE_ACCEPTANCE_PLACING_H

#include "acceptance/trial.h"

/* Asks the state before it; e->type is one of the schema's. Sets e->change, and
 * e->before where there is a version before. Errors: INVALID, CONFLICT,
 * NOT_FOUND, LIMIT. */
int placing_check(struct trial *t, struct trial_event *e, struct err *err);
#endif
