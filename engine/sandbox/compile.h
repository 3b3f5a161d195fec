/* compile: Lua source to a dump that has been scanned.
 *
 * It happens in a state of its own that is dropped at once, so that neither the
 * compiler's garbage nor what a hostile source does to the lexer reaches the
 * state that runs. */
#ifndef ATE_SANDBOX_COMPILE_H
#define ATE_SANDBOX_COMPILE_H

#include "base/bytes.h"
#include "sandbox/scan.h"

enum { COMPILE_SOURCE_MAX = 64 << 10 };

/* Append the dump of `source` to `dump`. `chunk` is Lua's chunk name: '@' or
 * '=' and the file name. Text only, at most COMPILE_SOURCE_MAX bytes. Errors:
 * SCRIPT with file:line, LIMIT, what `visit` gave. `lengths` as in scan.h. */
int compile_source(struct buf *dump, struct bytes source, const char *chunk,
                   scan_visit visit, void *ctx, struct text_lengths *lengths,
                   struct err *err);
#endif
