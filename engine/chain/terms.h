/* terms: which order key a checkpoint of a size is signed by, as the log tells.
 *
 * Genesis begins the first term, each `ate.order` event the next. A checkpoint
 * belongs to the term that its last transaction stands in; where that
 * transaction ends a term, it belongs to both (docs/format.md section 3). */
#ifndef ATE_CHAIN_TERMS_H
#define ATE_CHAIN_TERMS_H

#include "crypto/key.h"

struct term_start {
    uint64_t index; /* of the transaction that begins it */
    struct key_record record;
    uint8_t id[KEY_ID_SIZE];
};

/* All zeros is one of a chain without genesis. */
struct terms {
    struct term_start *starts;
    size_t count;
    size_t cap;
};

void terms_deinit(struct terms *t); /* safe twice */
void terms_add(struct terms *t, uint64_t index,
               const struct key_record *record);
/* A transaction takes this index: what was tried there before is gone. */
void terms_cut(struct terms *t, uint64_t index);

/* The terms that a checkpoint of `size` > 0 may belong to, one or two, the
 * newer first; NULL for none. Numbers count from 1. */
struct terms_found {
    const struct term_start *start[2];
    uint64_t number; /* of the first of them */
};
void terms_at(const struct terms *t, uint64_t size, struct terms_found *found);
#endif
