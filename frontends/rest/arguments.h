/* arguments: what a request says, as the map that a method takes.
 *
 * Texts of paths and queries become what their field's type is; values of a
 * JSON body are what they are, and the engine judges them. */
#ifndef FRONTENDS_REST_ARGUMENTS_H
#define FRONTENDS_REST_ARGUMENTS_H

#include <jansson.h>
#include <stddef.h>

struct ask;
struct buffer;
struct problem;

/* The object that the body holds, or an empty one where there is none. NULL:
 * the problem says why, 415 for another content type. */
json_t *arguments_body(const struct ask *ask, struct problem *problem);

/* What the header Ate-Context says, a JSON object, appended as msgpack. */
int arguments_context(const char *text, size_t len, struct buffer *out,
                      struct problem *problem);

/* Set an argument from a text, by the type of its field. It may not be there
 * yet, from the body. */
int arguments_text(json_t *args, const json_t *field, const char *text,
                   struct problem *problem);

/* A whole number from `least`, 0 or more, to `most` in a text; `name` for the
 * problem. */
int arguments_number(const char *text, const char *name, json_int_t least,
                     json_int_t most, json_int_t *number,
                     struct problem *problem);

/* The log does not have the transaction of this index, from which somebody goes
 * on: NOT_FOUND, for nothing may ever come. Returns -1. */
int arguments_behind(json_int_t index, const char *name,
                     struct problem *problem);
#endif
