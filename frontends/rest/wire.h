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
#include <msgpack.h>
#include <stdbool.h>

struct buffer;
struct problem;

enum { WIRE_DEPTH = 32 };

/* Append a text as JSON. Bytes that are no UTF-8 become U+FFFD. */
void text_put_json(struct buffer *out, const char *text, size_t len);
/* Append bytes as hexadecimal digits, as a blob is written in JSON. */
void bytes_put_hex(struct buffer *out, const char *data, size_t len);
/* Whether bytes are UTF-8 of Unicode's own. */
bool text_is_utf8(const char *text, size_t len);
/* Cut what a bounded print left of a character at the end. */
void text_mend(char *text);

/* Append one msgpack value of the engine's as JSON; nothing at all is null. */
void wire_put_json(struct buffer *out, const void *msgpack, size_t len);
void wire_put_object(struct buffer *out, const msgpack_object *value);
/* The same as a tree; the caller has it. */
json_t *wire_tree(const void *msgpack, size_t len);

/* Parse a body. NULL: the problem says why, with line and column. */
json_t *wire_parse(const char *text, size_t len, struct problem *problem);
/* Append a value; `name` says whose it is when it is none that is taken. */
int wire_pack(msgpack_packer *out, const json_t *value, const char *name,
              struct problem *problem);
void wire_pack_text(msgpack_packer *out, const char *text, size_t len);

/* The entry of a map, or NULL. */
const msgpack_object *wire_entry(const msgpack_object *map, const char *name);
bool wire_is_text(const msgpack_object *value);
/* The whole number at a key of a map in msgpack, or `none`. */
int64_t wire_number(const void *msgpack, size_t len, const char *name,
                    int64_t none);
#endif
