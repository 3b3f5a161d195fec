/* history: sizes and roots that the log had lately, for what authors say they
 * have seen. It reaches back HISTORY_MAX frames; what is older can't be checked
 * any more. */
#ifndef ATE_CHAIN_HISTORY_H
#define ATE_CHAIN_HISTORY_H

#include "crypto/merkle.h"

enum { HISTORY_MAX = 4096 };

struct history {
    struct history_entry *entries; /* a ring */
    size_t count;
    size_t next;
};

/* Those of sizes up to `size`, oldest first: be64 size, root; and back. False:
 * that is not what history_put made. */
void history_put(const struct history *h, uint64_t size, struct buf *out);
bool history_get(struct history *h, struct bytes raw);

void history_add(struct history *h, const struct merkle *log);
/* Errors: STALE (too old), INVALID (never had that root at that size). */
struct err;
int history_check(const struct history *h, uint64_t size,
                  const uint8_t *root_or_null, struct err *err);
void history_deinit(struct history *h); /* safe twice */
#endif
