/* ask: one request, as the parts that decide about it see it.
 *
 * It knows no socket: exchange.c makes it from a request of h2o's, tests and
 * the fuzzer by hand. Everything is borrowed. */
#ifndef FRONTENDS_REST_ASK_H
#define FRONTENDS_REST_ASK_H

#include <stdbool.h>
#include <stddef.h>

#include "rest/target.h"

struct problem;

enum verb {
    VERB_GET = 1, /* HEAD, too */
    VERB_POST = 2,
    VERB_PUT = 4,
    VERB_PATCH = 8,
    VERB_DELETE = 16,
    VERB_OPTIONS = 32,
};
enum {
    VERB_ALL = VERB_GET | VERB_POST | VERB_PUT | VERB_PATCH | VERB_DELETE,
};

struct ask {
    enum verb verb;
    const char *chain;           /* its name */
    const struct target *target; /* of the whole address */
    size_t first;                /* segment behind the chain's name */
    const char *body;
    size_t body_len;
    const char *content_type; /* headers; "" when they are not there */
    const char *accept;
    const char *if_match;
    const char *if_none_match;
};

/* The verb of a name, 0: none that is known here. */
enum verb verb_of(const char *name, size_t len);
/* "GET, HEAD, POST, OPTIONS" for a set of them. */
void verbs_text(unsigned verbs, char *out, size_t size);

/* Does an Accept header take this type? An empty one takes all. */
bool accepts(const char *accept, const char *type);
/* Does it name the type, not by a star? */
bool accepts_by_name(const char *accept, const char *type);
/* Is a Content-Type this one, whatever its parameters? */
bool is_content_type(const char *header, const char *type);
#endif
