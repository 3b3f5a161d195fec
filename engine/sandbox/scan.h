/* scan: what compiled Lua does, read from its dump (LuaJIT 2.1, version 2).
 *
 * A chunk is refused when it holds what cannot be bounded or differs between
 * machines: the `^` operator, literals such as 1LL and 2i (they load the FFI),
 * writes to globals. Every read of a global is reported. */
#ifndef ATE_SANDBOX_SCAN_H
#define ATE_SANDBOX_SCAN_H

#include "base/bytes.h"

struct err;
struct text_lengths;

enum { SCAN_NAME_MAX = 64 };

/* A global that the chunk reads; `member` is the field read of it at once, or
 * "". */
struct scan_global {
    const char *name;
    const char *member;
    int line;
};

/* Not 0 ends the scan with that code. */
typedef int (*scan_visit)(void *ctx, const struct scan_global *global,
                          struct err *err);

/* `dump` is what lua_dump wrote, unstripped; `file` is for errors. `visit` may
 * be NULL. `lengths`, unless NULL, gets those of text constants that are not in
 * it yet. Errors: SCRIPT (refused, with file:line), CORRUPT (not a dump of this
 * LuaJIT), what visit gave. */
int scan_dump(struct bytes dump, const char *file, scan_visit visit, void *ctx,
              struct text_lengths *lengths, struct err *err);
#endif
