/* rewrite: compiled Lua made to do what replace.h says instead of some of its
 * instructions. It works on dumps that scan.h passed. */
#ifndef ATE_SANDBOX_REWRITE_H
#define ATE_SANDBOX_REWRITE_H

#include "base/bytes.h"

struct err;

/* Append `dump` to `out`, rewritten. Errors: CORRUPT (not a dump), LIMIT (a
 * function has become too long or too wide). `out` then holds part of it. */
int rewrite_dump(struct buf *out, struct bytes dump, const char *file,
                 struct err *err);
#endif
