/* core: what one chain is made of while it is open, as all of chain/ shares it.
 */
#ifndef ATE_ACCEPTANCE_CORE_H
#define ATE_ACCEPTANCE_CORE_H

#include "base/err.h"
#include "event/genesis.h"
#include "event/ids.h"
#include "state/state.h"

struct door_names;
struct logic;
struct logic_maker;
struct materializer;

struct pipeline {
    const struct materializer *stages[GENESIS_PIPELINE_MAX];
    size_t count;
    bool takes_delegations; /* some stage does */
};

/* A state root that was made already. */
struct known_root {
    struct tree_version of;
    uint8_t digest[HASH_SIZE];
};

struct core {
    uint8_t id[CHAIN_ID_SIZE];
    struct buf genesis_raw;
    struct genesis genesis;         /* points into genesis_raw */
    uint8_t bundle_hash[HASH_SIZE]; /* of the bundle in force */
    uint8_t loaded[HASH_SIZE]; /* of the one that `logic` was loaded from */
    const struct logic_maker *maker;
    struct pipeline pipeline;
    struct logic *logic;
    const struct schema *schema; /* the logic's */
    struct state state;
    const struct known_root *root; /* of a version that stays; or NULL */
    bool unconverted; /* objects have the fields that older bundles gave them */
    int64_t call_ms;  /* how long call ids are kept */
    uint64_t gas;     /* as core_limits() has it */
    uint64_t looks;   /* for delegations, ever: rules are charged for theirs */
    const struct door_names *names; /* the caller's, for texts; or NULL */
    uint64_t fold_failures;         /* of views that read bodies */
    struct err fold_failure;        /* the newest of them */
};

/* The state root of one of its versions, which may have been made already. */
void core_root(const struct core *core, struct tree_version v,
               uint8_t root[HASH_SIZE]);
#endif
