/* problem: what went wrong with a request, as RFC 9457 tells it.
 *
 * Codes of the engine keep their names, statuses and texts; HTTP's own get
 * names beside them. The URL of a problem's type is served by the door itself:
 * /problems/REFUSED. */
#ifndef FRONTENDS_REST_PROBLEM_H
#define FRONTENDS_REST_PROBLEM_H

struct ate_error;
struct buffer;

struct problem {
    int status;       /* HTTP's; 0: there is none */
    const char *name; /* "REFUSED", "NOT_ACCEPTABLE"; static */
    char rule[128];   /* that refused, or "" */
    char reason[32];  /* as of ate_error, or "" */
    char at[1024];    /* what is meant: JSON pointers, a line each */
    char detail[1024];
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

/* Where a request has the engine's arguments: those in `from`, a pointer or "",
 * stand in `to` of the request. */
struct problem_place {
    const char *from;
    const char *to;
};

/* What the engine said. `place` NULL: the request names no argument. */
void problem_of_error(struct problem *p, const struct ate_error *error,
                      const struct problem_place *place);

/* application/problem+json. */
void problem_put(const struct problem *p, const char *request_id,
                 struct buffer *out);

/* What a name means, or NULL; *status gets its status. */
const char *problem_meaning(const char *name, int *status);
#endif
