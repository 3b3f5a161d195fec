/* door: values between the form that people and programs use (engine/ate.h) and
 * the stored form. Every door and every call passes through here. */
#ifndef ATE_ACCEPTANCE_DOOR_H
#define ATE_ACCEPTANCE_DOOR_H

#include "acceptance/core.h"
#include "crypto/key.h"
#include "schema/value.h"

/* The caller's own list of names for keys. */
struct door_names {
    void *ctx;
    bool (*find)(void *ctx, struct bytes name, uint8_t id[32]);
    bool (*name)(void *ctx, const uint8_t id[32], struct buf *out);
    /* The public key of an id, when the list has it. NULL: it has none. */
    bool (*record)(void *ctx, const uint8_t id[32], struct key_record *out);
    /* Those that are near, for texts: append "alice, bob". */
    void (*list)(void *ctx, struct buf *out);
};

struct door {
    const struct core *core;
    struct tree_version version; /* refs are looked up here */
    const struct door_names *names;
    bool takes_spent; /* refs may name what was deleted */
};

/* The map that a value stands in, door form or stored: an amount finds there
 * the commodity whose scale it has. `fields` NULL: none. */
struct door_scope {
    const struct fields *fields;
    struct bytes map;
};

/* What stands for fields that a caller left out. */
enum door_taking {
    TAKE_WHOLE, /* their defaults */
    TAKE_GIVEN, /* nothing, but within structs their defaults */
    TAKE_PART,  /* nothing; and nil stands for "take it away" (patches) */
};

/* A map that a caller sent (canonical msgpack, door form) to a stored map of
 * `fields`: amounts, refs, identities, times read; unknown fields, and missing
 * ones but with TAKE_PART, refused with the nearest name. `what` names it in
 * errors ("transfer"; NULL: the caller does). Errors: INVALID, NOT_FOUND (a
 * ref's object). */
int door_take(const struct door *d, const struct fields *fields,
              struct bytes map, enum door_taking taking, const char *what,
              struct buf *out, struct err *err);

/* One value. */
int door_take_value(const struct door *d, const struct value_type *type,
                    struct bytes value, const struct door_scope *scope,
                    const char *path, struct buf *out, struct err *err);

/* A stored map to door form, appended as a canonical map; and one value. What
 * is given is canonical; where it does not fit its type, as in a proposal that
 * nobody has judged, it is shown as it is. */
void door_give(const struct door *d, const struct fields *fields,
               struct bytes map, struct buf *out);
void door_give_value(const struct door *d, const struct value_type *type,
                     struct bytes value, const struct door_scope *scope,
                     struct buf *out);

/* The text of a ref: parent names and key fields joined by '/', or
 * "<index>.<n>"; of what never was "/?", which no key is like. What was deleted
 * is called as before. And back: NOT_FOUND names type and key. */
void door_put_ref(const struct door *d, const uint8_t id[16], struct buf *text);
/* The same of one that may not be there yet, by parent and key of this header;
 * nothing for what has no key. */
void door_put_key(const struct door *d, const struct event_type *type,
                  const struct event_header *header, struct buf *text);
int door_get_ref(const struct door *d, const struct event_type *type,
                 struct bytes text, uint8_t id[16], struct err *err);

/* Is it the id of an object or fact of this type that is there? Errors:
 * NOT_FOUND, which tells what was deleted from what never was. */
int door_check_ref(const struct door *d, const struct event_type *type,
                   const uint8_t id[16], struct err *err);

/* Errors: NOT_FOUND, with the names there are. */
int door_get_identity(const struct door *d, struct bytes text, uint8_t id[32],
                      struct err *err);
void door_put_identity(const struct door *d, const uint8_t id[32],
                       struct buf *text);

/* A refusal's text: "{from} would hold {left}" with the values that the rule
 * gave, and those of the event's fields where it gave none (canonical maps,
 * stored form). {x} prints as the event's field x, others as `says` has them,
 * and what nobody gave as "?"; what an amount is `of` is looked for likewise.
 * `event_fields` is NULL where there is no event. */
void door_refusal(const struct door *d, const char *text,
                  const struct fields *event_fields, struct bytes event,
                  const struct fields *says, struct bytes values,
                  struct buf *out);
#endif
