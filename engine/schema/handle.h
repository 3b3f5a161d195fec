/* handle: what stands for a large body where a value is wanted: its hash and
 * its length. Stored and in calls' arguments it is {hash bin 32, length}, at
 * doors {hash: hexadecimal text, length}. Only a blob whose type says `large`
 * may be one. */
#ifndef ATE_SCHEMA_HANDLE_H
#define ATE_SCHEMA_HANDLE_H

#include "base/bytes.h"
#include "crypto/hash.h"

struct err;

struct handle {
    uint8_t hash[HASH_SIZE];
    uint64_t length;
};

/* Of a header whose body is a large one. */
struct event_header;
struct handle handle_of(const struct event_header *header);

/* Is this value a map, and not bytes? */
bool handle_is(struct bytes value);

/* Stored form. Errors: INVALID (another map; so short that it is no large
 * body), LIMIT (LIMIT_BODY). */
int handle_get(struct bytes value, struct handle *handle, struct err *err);
void handle_put(struct buf *out, const struct handle *handle);

/* Door form; the hash may be 32 bytes there, too. Errors: the same. */
int handle_take(struct bytes value, struct buf *out, struct err *err);
void handle_give(struct buf *out, const struct handle *handle);
#endif
