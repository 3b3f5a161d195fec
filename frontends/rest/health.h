/* health: /metrics, /healthz and /readyz, on a socket of their own and without
 * a key: nothing there names what users keep. */
#ifndef FRONTENDS_REST_HEALTH_H
#define FRONTENDS_REST_HEALTH_H

#include <h2o.h>

struct door;

void health_begin(struct door *d, h2o_req_t *req);
#endif
