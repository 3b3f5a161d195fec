/* survey: what takes a walk over all of the state, made by the pool while work
 * goes on: of the durable version as it is when it is asked for. */
#ifndef ATE_CHAIN_SURVEY_H
#define ATE_CHAIN_SURVEY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/task.h"
#include "base/tree.h"
#include "crypto/hash.h"

struct chain;

struct survey {
    uint8_t root[HASH_SIZE]; /* of the state */
    uint64_t objects;        /* that live, and facts */
    uint64_t rows;

    struct task task; /* private from here on */
    struct chain *chain;
    struct tree *tree;
    struct tree_pin *pin;
    struct tree_version version;
    void (*done)(void *ctx);
    void *ctx;
};

/* False: another core waits to take its place. */
bool survey_may_begin(const struct chain *c);
/* The caller's storage, which stays where it is until `done`: that comes later,
 * without a pool at once. Meanwhile no other core takes its place. */
void survey_begin(struct survey *s, struct chain *c, void (*done)(void *ctx),
                  void *ctx);
#endif
