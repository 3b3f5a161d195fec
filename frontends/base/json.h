/* json: JSON out of the engine's values, and JSON as arguments. */
#ifndef FRONTENDS_BASE_JSON_H
#define FRONTENDS_BASE_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct buffer;
struct pack;

/* How values look, bytes in hexadecimal. All zeros: one line. */
struct json_style {
    int indent; /* columns, and how many levels have a line for each entry; */
    int levels; /* what is deeper stands on one */
    bool is_exact; /* integers beyond 2^53 are texts: JavaScript rounds them */
};

/* Append a value; `style` NULL: all zeros. 0, or -1: JSON does not have all of
 * it. Infinite numbers and what is damaged are null then, keys that are no
 * texts as they are. */
int json_put(struct buffer *out, const struct pack *value,
             const struct json_style *style);

/* Append a text as a JSON string. Bytes that are no UTF-8 become U+FFFD. */
void json_put_text(struct buffer *out, const char *data, size_t len);

/* Read one JSON document that has no key twice; `flags` of jansson's, besides.
 * What is whole as it is written, up to WHOLE_MAX, is an integer, `1e3` and
 * `1.0`, too, and what is not never looks so. The caller has it. NULL: `why`
 * says what is wrong, and mostly the line and the column. */
json_t *json_read(const char *data, size_t len, size_t flags,
                  struct buffer *why);

/* Append it as msgpack: 0, or -1: it is more than PACK_DEPTH_MAX deep. */
int pack_put_json(struct buffer *out, const json_t *value);
#endif
