/* openapi_parts: what descriptions of all chains have in common, and refer to.
 */
#ifndef FRONTENDS_REST_OPENAPI_PARTS_H
#define FRONTENDS_REST_OPENAPI_PARTS_H

#include <jansson.h>
#include <stdbool.h>

/* A reference to components/KIND/NAME. */
json_t *openapi_ref(const char *kind, const char *name);
/* The `content` of one media type; takes `schema` over. */
json_t *openapi_content(const char *media, json_t *schema);
/* The components, with these schemas, which are taken over; `of_chain`: with
 * what chains alone refer to, too. */
json_t *openapi_components(json_t *schemas, bool of_chain);
#endif
