/* services: those that the workers of this process may ask (node/service.h):
 * the ones that whoever opened the folder serves through a port, and http. All
 * of it on the engine's thread. */
#ifndef ATE_IO_SERVICES_H
#define ATE_IO_SERVICES_H

#include "node/service.h"

struct http;
struct port;
struct service_hub;

/* `wake` has service_hub_reap() called soon, from any thread. */
struct service_hub *service_hub_new(void (*wake)(void *ctx), void *ctx);
/* Nobody waits for an answer any more. NULL is harmless. */
void service_hub_free(struct service_hub *hub);
const struct services *service_hub_interface(struct service_hub *hub);

/* Requests to `name` go to the port, as answers of calls of their own; another
 * service of that name is forgotten. Takes its reference over. */
void service_hub_serve(struct service_hub *hub, const char *name,
                       struct port *port);
/* The service `http`; takes it over. */
void service_hub_serve_http(struct service_hub *hub, struct http *http);

/* What came back for a request that went to a port. One that nobody waits for
 * is dropped. */
void service_hub_reply(struct service_hub *hub, uint64_t number,
                       const struct service_reply *reply);

/* Tell what came back meanwhile. */
void service_hub_reap(struct service_hub *hub);
#endif
