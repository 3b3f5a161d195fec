/* engine_methods: methods `ate.*` that every chain has, whatever its schema:
 * they make trust events (trust_events.h). Called as all methods are. */
#ifndef ATE_ACCEPTANCE_ENGINE_METHODS_H
#define ATE_ACCEPTANCE_ENGINE_METHODS_H

#include "acceptance/call.h"

/* ate.grant {to, rights [text], object? "type/key", depth?, until?, under?}
 * ate.revoke {grant "index.n"}
 * ate.order {to}
 * ate.bundle {bundle bin}  ate.activate {}
 * ate.rotate {keys [identity], threshold?, next? [identity], next_threshold?}
 * ate.retry {parked "index.n"}  ate.drop {parked "index.n"}
 * and those by which the node lets workers work: ate.work, ate.park, ate.ask,
 * ate.answer (work_methods.h).
 * NULL: no such method. */
const struct method *engine_method(struct bytes name);

/* Run one in a trial, as logic->run() does. Errors: INVALID, NOT_FOUND, DENIED,
 * CONFLICT. */
int engine_method_run(struct call *c, struct err *err);

/* For those who make such events: append one; a body of len 0 is none. */
int engine_emit(struct call *c, const char *type, struct bytes fields,
                const uint8_t *auth_ref, struct bytes body, struct err *err);
/* An argument that is there and of its type. */
struct bytes engine_arg_text(const struct call *c, const char *name);
struct bytes engine_arg_bytes(const struct call *c, const char *name);
int64_t engine_arg_int(const struct call *c, const char *name,
                       int64_t otherwise);
/* The bundle that ate.activate is to put in force, into `room`; NULL: whichever
 * came last. Errors: INVALID. */
int engine_arg_bundle(const struct call *c, uint8_t room[HASH_SIZE],
                      const uint8_t **bundle, struct err *err);
/* "12.0", as index and n; false: it is none. */
bool engine_place_get(struct bytes text, uint64_t *index, uint64_t *n);

#define ENGINE_ARG(name_, kind_, optional_, max_, doc_)                        \
    {                                                                          \
        .name = (char *)(name_), .doc = (char *)(doc_),                        \
        .type = {                                                              \
            .kind = (kind_),                                                   \
            .optional = (optional_),                                           \
            .min = INT64_MIN,                                                  \
            .max = INT64_MAX,                                                  \
            .len_max = (max_),                                                 \
        },                                                                     \
    }
#endif
