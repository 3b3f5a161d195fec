/* large_check: read all large bodies of a chain, as a stranger does who trusts
 * nothing. */
#ifndef ATE_CHAIN_LARGE_CHECK_H
#define ATE_CHAIN_LARGE_CHECK_H

#include "chain/chain.h"

struct large_check;

/* Of the durable version; NULL: there are none, and `done` is not called. Else
 * it is called later, never from within, and the check is gone then. Errors:
 * those of large_next(), the first; CANCELED. */
struct large_check *large_check_start(struct chain *c, chain_done *done,
                                      void *ctx);
void large_check_stop(struct large_check *k); /* done with CANCELED, soon */
/* Bytes of all, and of those that were read. */
uint64_t large_check_total(const struct large_check *k);
uint64_t large_check_bytes(const struct large_check *k);
uint64_t large_check_count(const struct large_check *k); /* that were good */
#endif
