/* rest: the REST door, on a thread and a loop of its own.
 *
 * It reaches the engine by ate.h alone, finds what it serves by walking schemas
 * and their annotations, and lets in who has the data folder's bearer key. */
#ifndef FRONTENDS_REST_REST_H
#define FRONTENDS_REST_REST_H

#include <stdbool.h>

#include "rest/limits.h"

struct ate;
struct ate_error;
struct rest;

struct rest_options {
    const char *folder;  /* the data folder, where the bearer key is */
    const char *address; /* HOST:PORT, or NULL: no REST */
    const char *metrics; /* likewise, of /metrics, /healthz and /readyz */
    int fd;           /* a socket that listens, in place of `address`; it is */
    int metrics_fd;   /* the door's from then on; -1: there is none */
    const char *cert; /* files for TLS 1.3, or NULL */
    const char *key;
    const char
        *origins;      /* of pages that may read it, commas between; or NULL */
    bool may_be_plain; /* beyond loopback, without TLS */
    struct rest_limits limits;
};

/* Whether rest_start() would take these, as far as it shows without a folder
 * and without listening. Errors: INVALID (an address, a file, an origin). */
int rest_check(const struct rest_options *options, struct ate_error *error);

/* From the return of this on it takes requests. `ate` has to outlive it.
 * Errors: INVALID, CONFLICT (an address in use), DENIED, IO, FULL. */
int rest_start(struct rest **out, struct ate *ate,
               const struct rest_options *options, struct ate_error *error);
/* "http://127.0.0.1:43211", or "" */
const char *rest_where(const struct rest *r);
const char *rest_metrics_where(const struct rest *r);
/* Who connects from now on gets these certificates. Errors: INVALID (and those
 * before stay in use; or there were none). */
int rest_renew(struct rest *r, const char *cert, const char *key,
               struct ate_error *error);
/* Take nobody any more, let what is under way end, for 5 seconds at most. NULL
 * is harmless. */
void rest_stop(struct rest *r);
#endif
