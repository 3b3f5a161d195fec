/* materializers: the stages of a pipeline that this build has, one file each.
 *
 * acceptance/materializer.h declares what a stage is, and the table
 * `materializers` that `node` passes down. */
#ifndef ATE_MATERIALIZERS_MATERIALIZERS_H
#define ATE_MATERIALIZERS_MATERIALIZERS_H

#include "acceptance/materializer.h"

/* YES to every event: whatever is well-formed and signed enters. */
extern const struct materializer accept_all;

/* YES when k different root keys signed the transaction. */
extern const struct materializer master_key_validator;

/* NO to what does not fit its type: fields, body, refs, and what the type has
 * turned off. Errors: INVALID, NOT_FOUND (a ref to what is not live), DENIED
 * (turned off), LIMIT. */
extern const struct materializer serializer;

/* NO to what a rule of the schema refuses, and to an event without the one that
 * its type says it comes `with`. Errors: REFUSED, SCRIPT, LIMIT. */
extern const struct materializer structured_logic;

/* YES to what a delegation covers, and to what k root keys signed. */
extern const struct materializer trust_delegation;

#endif
