/* chains: models of the chains that are asked for, kept while they are.
 *
 * A chain is found by the beginning of a path: no chain's name is the beginning
 * of another's, so the first that there is is meant. While no schema has
 * changed (ate_schema_generation()) its model is right; else the chain is asked
 * first whether its bundle is still the same. Where nobody knows whether one
 * has changed, a model counts for CHAIN_CHECK_MS. */
#ifndef FRONTENDS_REST_CHAINS_H
#define FRONTENDS_REST_CHAINS_H

#include <stddef.h>
#include <stdint.h>

struct ate_error;
struct calls;
struct chain_entry;
struct model;
struct target;

enum { CHAINS_KEPT = 256, CHAIN_PIECES = 16, CHAIN_CHECK_MS = 10 };

struct chains {
    struct calls *calls;
    struct chain_entry *first; /* the most recently used */
    size_t count;
};

/* What came of a search: borrowed until the callback returns. */
struct chain_found {
    const char *name;
    struct model *model; /* of the schema in force when it was searched */
    size_t first;        /* the segment behind the name */
};

/* `found` is NULL after an error. */
typedef void chains_fn(void *owner, const struct chain_found *found,
                       const struct ate_error *error);

/* A search under way. */
struct chains_search;

void chains_init(struct chains *c, struct calls *calls);
void chains_free(struct chains *c);

/* Find the chain that the segments from `from` on begin with. `target` stays
 * until `fn` was called, which may be before this returns: then it gives
 * NULL. */
struct chains_search *chains_find(struct chains *c, const struct target *target,
                                  size_t from, chains_fn *fn, void *owner);
void chains_stop(struct chains_search *search);
/* What is known of a chain may be old: look at it anew. */
void chains_forget(struct chains *c, const char *name);
#endif
