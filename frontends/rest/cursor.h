/* cursor: where a page ended, as text that askers hand back.
 *
 *     base64url of JSON [position or null, after]
 *
 * `position` is the index of the last transaction that the log had when the
 * first page was read: what the pages say, and the events after it, are the
 * whole truth. `after` is what the engine goes on behind. It is no secret, and
 * believed no more than any other argument. */
#ifndef FRONTENDS_REST_CURSOR_H
#define FRONTENDS_REST_CURSOR_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct buffer;
struct problem;

#define POSITION_NONE INT64_C(-1)

/* `after` is JSON text. */
void cursor_put(struct buffer *out, int64_t position, const char *after,
                size_t len);
/* `after` gets a value that is the caller's. */
int cursor_get(const char *text, int64_t *position, json_t **after,
               struct problem *problem);
#endif
