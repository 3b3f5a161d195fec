/* event_fields: the fields of the engine's own events, from bytes and back.
 * Maps are canonical, which the header codec has seen to; each field is asked
 * for by its name, and none may be left over. The first error sticks. */
#ifndef ATE_ACCEPTANCE_EVENT_FIELDS_H
#define ATE_ACCEPTANCE_EVENT_FIELDS_H

#include "base/err.h"
#include "base/mapping.h"
#include "base/msgpack.h"
#include "crypto/key.h"

struct event_fields {
    struct bytes map;
    uint32_t found;
    int rc;
    struct err *err;
};

/* `err` may be NULL, then texts go to `unused`. */
struct event_fields event_fields_open(struct bytes map, struct err *err,
                                      struct err *unused);
/* 0, or the first error, with the type's name in front. */
int event_fields_end(struct event_fields *r, const char *type);

/* NULL, 0, `otherwise`, or false: absent, or after an error. */
const uint8_t *event_fields_take_bin(struct event_fields *r, const char *name,
                                     size_t len, bool optional);
uint64_t event_fields_take_uint(struct event_fields *r, const char *name);
int64_t event_fields_take_int(struct event_fields *r, const char *name,
                              bool optional, int64_t otherwise);
bool event_fields_take_record(struct event_fields *r, const char *name,
                              bool optional, struct key_record *record);

/* Any other: a reader over the value (mp.at NULL: there is none), and the code
 * that reading it came to. */
struct mp event_fields_take(struct event_fields *r, const char *name,
                            bool optional);
void event_fields_took(struct event_fields *r, struct mp *mp, const char *name,
                       int rc);

/* And back; `data` NULL: no entry. */
void event_fields_bin(struct mapping *m, const char *name, const uint8_t *data,
                      size_t len);
#endif
