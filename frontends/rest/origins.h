/* origins: whose pages may read REST, with commas in between. Each is compared
 * as browsers send it, letter by letter, so one that no browser sends would let
 * nobody in and tell nobody why. */
#ifndef FRONTENDS_REST_ORIGINS_H
#define FRONTENDS_REST_ORIGINS_H

#include <stdbool.h>
#include <stddef.h>

struct ate_error;

/* Is each of them SCHEME://HOST or SCHEME://HOST:PORT? "" is none. Errors:
 * INVALID. */
int origins_check(const char *origins, struct ate_error *error);
/* Is it one of those? */
bool origins_have(const char *origins, const char *origin, size_t len);
#endif
