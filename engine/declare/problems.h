/* problems: the mistakes of a schema, collected so that its author sees them
 * together, each with its place. */
#ifndef ATE_DECLARE_PROBLEMS_H
#define ATE_DECLARE_PROBLEMS_H

#include <stdarg.h>
#include <stddef.h>

struct err;

/* Where something is declared: the line of the call, and the way to it through
 * names. */
struct place {
    char where[240]; /* "bank.lua:31" */
    char path[192];  /* "bank.transfer.rest" */
};

struct place place_at(const char *where, const char *path);
/* One step further: "<path>.<name>". */
struct place place_in(const struct place *place, const char *name);

struct problem {
    char *where;
    char *text;
};

/* All zeros is an empty one. */
struct problems {
    struct problem *items;
    size_t count;
    size_t cap;
    size_t passed_over; /* above PROBLEMS_MAX */
};

enum { PROBLEMS_MAX = 1000 };

void problems_vadd(struct problems *p, const struct place *place,
                   const char *format, va_list args);

/* 0 when there are none, else INVALID with "path: text (file:line)" lines
 * sorted by file and line; those that do not fit are counted. */
int problems_result(struct problems *p, struct err *err);
void problems_deinit(struct problems *p); /* safe twice */
#endif
