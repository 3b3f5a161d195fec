/* problem: what went wrong with a request, as RFC 9457 tells it.
 *
 * Codes of the engine keep their names, statuses and texts; HTTP's own get
 * names beside them. The URL of a problem's type is served by the door itself:
 * /problems/REFUSED. */
#ifndef FRONTENDS_REST_PROBLEM_H
#define FRONTENDS_REST_PROBLEM_H

#include <jansson.h>
#include <stdbool.h>

struct ate_error;
struct buffer;

struct problem {
    int status;       /* HTTP's; 0: there is none */
    const char *name; /* "REFUSED", "NOT_ACCEPTABLE"; static */
    char rule[128];   /* that refused, or "" */
    char detail[1024];
    char field[256]; /* JSON pointer to what is meant, or "" */
    char also[512];  /* pointers to more of it, each ended by a line feed */
};

/* Fill it; returns -1, for `return problem_set(...)`. `name` is one of the
 * table's, engine's or HTTP's, and gives the status. */
int problem_set(struct problem *p, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same, INVALID, about one field, `field` its name in the request. */
int problem_field(struct problem *p, const char *field, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Say which field of the request a problem is about; returns -1. */
int problem_point(struct problem *p, const char *field);

/* Add what who mistyped `name` may have meant of these, which NULL ends;
 * returns -1. */
int problem_near(struct problem *p, const char *name, const char *const *names);

/* What the engine said. `fields`, a list of {name} or NULL: which of them the
 * text is about. */
void problem_of_error(struct problem *p, const struct ate_error *error,
                      const json_t *fields);

/* application/problem+json. */
void problem_put(const struct problem *p, const char *request_id,
                 struct buffer *out);

/* What a name means, or NULL; *status gets its status. */
const char *problem_meaning(const char *name, int *status);
#endif
