/* openapi: what the door serves, as OpenAPI 3.1.
 *
 * Made from a chain's model alone, so that it cannot differ from what is
 * served: both walk the same types, views, methods and annotations. */
#ifndef FRONTENDS_REST_OPENAPI_H
#define FRONTENDS_REST_OPENAPI_H

struct buffer;
struct model;

/* Of one chain: /v1/CHAIN/openapi.json. */
void openapi_put_chain(struct buffer *out, const char *chain,
                       const struct model *m);
/* Of the node: /openapi.json. */
void openapi_put_node(struct buffer *out);
#endif
