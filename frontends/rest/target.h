/* target: the path and the query of a request, taken apart.
 *
 * Each segment is decoded by itself, so that what is encoded in it never
 * separates anything. Refused: '.' and '..' in any spelling, empty segments,
 * NUL, what is no UTF-8, a parameter that is there twice. */
#ifndef FRONTENDS_REST_TARGET_H
#define FRONTENDS_REST_TARGET_H

#include <stdbool.h>
#include <stddef.h>

struct problem;

enum {
    TARGET_BYTES = 8 << 10, /* path and query */
    TARGET_SEGMENTS = 64,
    TARGET_PARAMETERS = 64,
};

struct parameter {
    const char *name;
    const char *value;
};

struct target {
    char *room; /* all texts point into it */
    size_t segment_count;
    const char *segments[TARGET_SEGMENTS];
    size_t parameter_count;
    struct parameter parameters[TARGET_PARAMETERS];
};

/* `path` begins with '/'; after a failure `t` is empty. */
int target_parse(struct target *t, const char *path, size_t len,
                 struct problem *problem);
void target_free(struct target *t); /* safe twice */

/* The value of a parameter, or NULL. */
const char *target_parameter(const struct target *t, const char *name);
#endif
