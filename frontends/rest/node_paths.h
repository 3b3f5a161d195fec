/* node_paths: addresses of the node itself: /openapi.json, /v1, /problems/NAME,
 * /ws. All others are below a chain. */
#ifndef FRONTENDS_REST_NODE_PATHS_H
#define FRONTENDS_REST_NODE_PATHS_H

#include <stdbool.h>

struct exchange;

/* Is it one that anybody may read? A web socket brings its key itself. */
bool node_path_is_open(const struct exchange *x);
/* Is it not below a chain? */
bool node_path_is_own(const struct exchange *x);
/* Answer it, now or later. */
void node_path_reply(struct exchange *x);
#endif
