/* plan: what a request asks of the engine, and how the answer will look.
 *
 * From an ask and a model alone, without a socket or a chain. */
#ifndef FRONTENDS_REST_PLAN_H
#define FRONTENDS_REST_PLAN_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "rest/ask.h"

struct model;
struct problem;
struct problem_place;

enum plan_shape {
    SHAPE_HERE,   /* `body` is the answer; nothing is asked */
    SHAPE_VALUE,  /* the result as it is */
    SHAPE_OBJECT, /* the result, whose version is its ETag */
    SHAPE_ROWS,   /* {items, next, position} */
    SHAPE_WRITE,  /* {result, index, tx, receipt, ...} */
    SHAPE_TEXT,   /* the entry `entry` of the result as text */
    SHAPE_BYTES,  /* its entry `entry`, bytes that never change */
    SHAPE_FILE,   /* the file `file` of the chain (download.h) */
};

/* What a cursor is made of. */
enum plan_page {
    PAGE_NONE,  /* there is one page */
    PAGE_ID,    /* of the last row, its id */
    PAGE_ROW,   /* its columns in `columns` */
    PAGE_INDEX, /* its index */
    PAGE_NAME,  /* its name */
    PAGE_AT,    /* where it stands, as a version */
};

enum { PAGE_DEFAULT = 100, PAGE_MOST = 1000 };

struct plan {
    enum plan_shape shape;
    bool is_call; /* of a method, not a read of ate.h's own */
    bool is_write;
    bool keeps;         /* a read that gives the same while the generation is */
    bool is_tail;       /* rows are transactions: streamed as they are */
    bool is_create;     /* the result names what was made: 201 */
    bool creates_alone; /* CONFLICT means If-None-Match: * */
    bool is_based;      /* STALE means If-Match */
    const char *type;   /* of `is_create`; borrowed from the model */
    char *method;
    struct buffer args;
    enum plan_page page;
    const json_t *columns; /* names; borrowed from the model */
    size_t limit;
    int64_t position; /* of the cursor */
    bool wants_position;
    bool has_after;
    const char *resumes; /* of the log: the parameter that says where; NULL */
    int64_t resumed;     /* and the index of the last that the asker has */
    const char *entry;
    const char *media; /* its content type */
    char *file;        /* of SHAPE_FILE: its name */
    struct buffer body;
    /* Where the arguments are that the request names, or NULL; static. */
    const struct problem_place *place;
    unsigned verbs; /* that the resource has, also after a failure */
};

/* Fill a zeroed `p`; after a failure it holds nothing but `verbs`. The model
 * has to outlive it. */
int plan_make(struct plan *p, const struct model *m, const struct ask *ask,
              struct problem *problem);
void plan_free(struct plan *p); /* safe twice */

/* The first segments behind a chain's name that are the door's own, or NULL
 * behind the last. An annotation may begin with none of them: the engine, which
 * knows no door, has a list of them, too (declare_method.c), and a test
 * compares the two. */
const char *plan_word(size_t i);
#endif
