/* roots: whom a chain trusts at the bottom of it all: the root keys, k of which
 * have to agree, and the order key of the term. Genesis names the first ones;
 * `ate.roots` and `ate.order` events (authority.c) put others in their place.
 */
#ifndef ATE_STATE_ROOTS_H
#define ATE_STATE_ROOTS_H

#include "base/limits.h"
#include "crypto/key.h"
#include "state/state.h"

struct roots {
    size_t count;
    struct key_record records[LIMIT_ROOT_KEYS];
    uint8_t ids[LIMIT_ROOT_KEYS][KEY_ID_SIZE];
    uint64_t threshold; /* k */
    bool has_next;
    uint8_t next[HASH_SIZE]; /* digest of the set that may come after */
};

void roots_get(struct tree_version v, struct roots *roots);
/* The position in `roots`, or -1. */
int roots_find(const struct roots *roots, const uint8_t id[KEY_ID_SIZE]);

/* H("roots", [record, ...], k): what genesis and rotations commit to. */
void roots_digest(const struct key_record *records, size_t count, uint64_t k,
                  uint8_t out[HASH_SIZE]);
/* The same for keys that are all different, else INVALID: two records with one
 * sign key are one key. 1 <= k <= count <= LIMIT_ROOT_KEYS. */
int roots_check(const struct key_record *records, size_t count, uint64_t k,
                struct err *err);

void roots_put(struct state *s, const struct key_record *records, size_t count,
               uint64_t k, const uint8_t *next_or_null);

/* Who orders the chain. Genesis begins the first term, each `ate.order` event
 * the next. */
struct term {
    uint64_t number; /* from 1 */
    uint64_t index;  /* of the transaction that begins it */
    struct key_record record;
    uint8_t id[KEY_ID_SIZE]; /* the order key's */
};

void term_get(struct tree_version v, struct term *term);
void term_put(struct state *s, uint64_t number, uint64_t index,
              const struct key_record *record);
/* The last term that began below `index`; false: none did. */
bool term_before(struct tree_version v, uint64_t index, struct term *term);
/* The terms that a checkpoint of `size` > 0 may belong to: the one that its
 * last transaction stands in, and where that begins it, the one that ended
 * there, too (docs/format.md section 3). Their count; the newer first. */
size_t terms_at(struct tree_version v, uint64_t size, struct term found[2]);
#endif
