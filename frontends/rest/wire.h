/* wire: values between JSON, as the door speaks it, and msgpack, as ate.h
 * takes it.
 *
 * JSON that comes in is UTF-8, has no key twice, nothing deeper than
 * WIRE_DEPTH, and whole numbers up to 2^53 alone: an amount is a text. What
 * goes out beyond 2^53 is a text, for JavaScript would round it. Bytes are
 * hexadecimal digits both ways, as at every door. */
#ifndef FRONTENDS_REST_WIRE_H
#define FRONTENDS_REST_WIRE_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

struct buffer;
struct pack;
struct problem;

enum { WIRE_DEPTH = 32 };

/* Append one msgpack value of the engine's as JSON; nothing at all is null. */
void wire_put_json(struct buffer *out, const void *msgpack, size_t len);
void wire_put(struct buffer *out, const struct pack *value);
/* The same as a tree; the caller has it. */
json_t *wire_tree(const void *msgpack, size_t len);

/* Parse a body. NULL: the problem says why, with line and column. */
json_t *wire_parse(const char *text, size_t len, struct problem *problem);
/* Append a value; `name` says whose it is when it is none that is taken. */
int wire_pack(struct buffer *out, const json_t *value, const char *name,
              struct problem *problem);

/* The whole number at a key of a map in msgpack, or `none`. */
int64_t wire_number(const void *msgpack, size_t len, const char *name,
                    int64_t none);
#endif
