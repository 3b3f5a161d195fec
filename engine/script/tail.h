/* tail: calls in tail position made plain ones.
 *
 * LuaJIT forgets the frame of a function that ends in `return f(x)`. An error
 * of f then has no place in the bundle's files. Rewriting the dump keeps the
 * frame: the call returns to its caller, which returns what came. */
#ifndef ATE_SCRIPT_TAIL_H
#define ATE_SCRIPT_TAIL_H

#include "base/bytes.h"

struct err;

/* Append `dump` to `out`, rewritten. Errors: CORRUPT (not a dump), LIMIT (a
 * function has become too long). `out` then holds part of it. */
int tail_rewrite(struct buf *out, struct bytes dump, const char *file,
                 struct err *err);
#endif
