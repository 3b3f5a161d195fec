/* json: values of the engine as JSON, and JSON as arguments. */
#ifndef FRONTENDS_MOUNT_JSON_H
#define FRONTENDS_MOUNT_JSON_H

#include <stddef.h>

struct pack;
struct text;

/* Append `value` on one line, as `ate --json` shows it: bytes are hexadecimal.
 */
void json_put(struct text *out, const struct pack *value);

/* The same with a line for each entry of the outermost map or list, and a
 * newline at the end: easy to grep, to edit and to compare. */
void json_put_lines(struct text *out, const struct pack *value);

/* Append a text as a JSON string. */
void json_put_text(struct text *out, const char *data, size_t len);

/* Append one JSON document as msgpack. 0, or -1 and `why` says where. */
int json_take(struct text *out, const char *data, size_t len, struct text *why);
#endif
