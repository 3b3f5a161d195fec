/* manifest: the file `cur`, which says which generation of a chain is live.
 *
 * docs/format.md section 5 has the byte table. It is replaced whole, by a
 * rename. */
#ifndef ATE_LOG_MANIFEST_H
#define ATE_LOG_MANIFEST_H

#include "frame.h"

enum { MANIFEST_SIZE = 64 };

struct manifest {
    uint64_t generation;
    uint8_t chain[16]; /* the first half of the chain id */
    uint8_t
        first[LOG_HASH_SIZE]; /* chain hash of the generation's first frame */
};

void manifest_put(uint8_t bytes[MANIFEST_SIZE],
                  const struct manifest *manifest);

/* Errors: CORRUPT; UNAVAILABLE for a file of a later format version. */
int manifest_get(struct manifest *manifest, struct bytes bytes,
                 struct err *err);
#endif
