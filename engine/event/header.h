/* header: the event header, which is stored, hashed and forwarded verbatim.
 *
 * Reading is strict (canonical, bounded) and copies nothing: every pointer of
 * the struct points into the bytes read. What a header means where it stands in
 * a chain is judged elsewhere. */
#ifndef ATE_EVENT_HEADER_H
#define ATE_EVENT_HEADER_H

#include "base/bytes.h"

struct err;

enum {
    EVENT_DELETES = 1, /* flag: the event deletes its object */
    EVENT_FLAGS = EVENT_DELETES,
};

struct event_header {
    const uint8_t *object;   /* id, 16 bytes */
    struct bytes type;       /* schema.type */
    const uint8_t *parent;   /* object id, 16 bytes; NULL: none */
    const uint8_t *previous; /* event id, 32 bytes; NULL: the object's first */
    const uint8_t *author;   /* key id, 32 bytes */
    const uint8_t *auth_ref; /* event id, 32 bytes; NULL: none */
    uint64_t flags;
    uint64_t body_length;     /* bytes stored */
    const uint8_t *body_hash; /* 32 bytes; NULL exactly when length is 0 */
    struct bytes seal;        /* encoded array; data NULL: not sealed */
    struct bytes fields;      /* encoded map */
};

/* Append the encoded header. Its parts are asserted to be well-formed, except
 * that `fields` may make it larger than LIMIT_EVENT_HEADER: whoever takes
 * fields from outside compares the size appended. */
void event_header_put(struct buf *out, const struct event_header *header);

/* Read a whole header; `raw` has to outlive `header`. The text names the field
 * that is wrong. Errors: INVALID, LIMIT. */
int event_header_get(struct bytes raw, struct event_header *header,
                     struct err *err);

/* The same of one that was read before, such as those in the state: what is
 * known of it is not looked at again. */
void event_header_known(struct bytes raw, struct event_header *header);

/* Its type alone, of a header that may not be one: then of anything. */
struct bytes event_header_type(struct bytes raw);

/* `schema.type`: lower-case letters, digits and '_', with one '.' between two
 * parts that are not empty; at most LIMIT_TYPE_NAME bytes. */
bool event_type_valid(struct bytes type);
#endif
