/* openapi_schema: types of fields as JSON Schema, as OpenAPI 3.1 has it. */
#ifndef FRONTENDS_REST_OPENAPI_SCHEMA_H
#define FRONTENDS_REST_OPENAPI_SCHEMA_H

#include <jansson.h>
#include <stdbool.h>

/* The schema of one value; the caller has it. `field` NULL: anything. */
json_t *schema_of_field(const json_t *field);
/* Of a map of fields, without those whose names are in `but` (a list, or
 * NULL). `is_partial`: none of them has to be there. */
json_t *schema_of_fields(const json_t *fields, const json_t *but,
                         bool is_partial);
/* Of an object or event of a type as it is read. */
json_t *schema_of_type(const json_t *type);
/* In a schema of fields, null in place of those of `fields` that are optional.
 */
void schema_take_null(json_t *schema, const json_t *fields);
#endif
