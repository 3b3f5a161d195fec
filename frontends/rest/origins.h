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
/* Put the headers that let a page of `origin`, which is NULL if none was said,
 * read an answer. A page that may not read a problem is told of a network that
 * fails: every answer to a head that was read has them. */
void origins_tell(const char *origins, const char *origin, size_t len,
                  void (*put)(void *ctx, const char *name, const char *value),
                  void *ctx);
#endif
