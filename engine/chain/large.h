/* large: reading bodies that stand in files of their own.
 *
 * The leaf hashes behind a body are checked against its hash first, then each
 * piece against its leaf hash: a range is verified by itself, and nothing is
 * held but the leaf hashes of that range and one step of it. */
#ifndef ATE_CHAIN_LARGE_H
#define ATE_CHAIN_LARGE_H

#include "chain/chain.h"
#include "schema/handle.h"

struct large_read;

/* The next bytes; none: it is at its end. Errors: CORRUPT (what is wrong, and
 * where), IO, NOT_FOUND (its file is missing). */
typedef void large_got(void *ctx, struct bytes bytes, int code,
                       const struct err *err);

/* Read `length` bytes from `offset` on, or as many as there are. The chain
 * stays open until it is closed. */
struct large_read *large_open(struct chain *c, const struct handle *handle,
                              bool sealed, uint64_t offset, uint64_t length,
                              large_got *got, void *ctx);
/* One at a time. Up to LARGE_STEP bytes come; after an error or the end, no
 * more. */
enum { LARGE_STEP = 256 << 10 };
void large_next(struct large_read *r);
void large_close(
    struct large_read *r); /* no step under way; NULL is harmless */
#endif
