#include "acceptance/core.h"

#include <assert.h>
#include <string.h>

#include "acceptance/core_open.h"
#include "acceptance/logic.h"
#include "acceptance/materializer.h"
#include "base/err.h"
#include "base/msgpack.h"
#include "event/body.h"
#include "state/roots.h"

static const char *const default_pipeline[] = {"trust-delegation", "serializer",
                                               "structured-logic"};

size_t core_default_pipeline(struct bytes names[GENESIS_PIPELINE_MAX])
{
    size_t count = sizeof(default_pipeline) / sizeof(*default_pipeline);
    for (size_t i = 0; i < count; i++)
        names[i] = bytes_of_text(default_pipeline[i]);
    return count;
}

void core_default_limits(struct buf *limits)
{
    mp_put_map(limits, 3);
    mp_put_text(limits, "call_ms");
    mp_put_uint(limits, CORE_CALL_MS);
    mp_put_text(limits, "gas");
    mp_put_uint(limits, CORE_GAS);
    mp_put_text(limits, "memory");
    mp_put_uint(limits, CORE_MEMORY);
}

static int check_bundle(const struct genesis *g, struct bytes bundle,
                        struct err *err)
{
    int rc = body_check(bundle, g->bundle_length, g->bundle_hash, err);
    return rc == 0 ? 0 : err_wrap(err, "genesis: bundle");
}

/* One that means nothing here may mean something to others. */
static int check_limits(const struct core *core, struct err *err)
{
    static const char *const known[] = {"call_ms", "gas", "memory"};
    struct mp mp = mp_open(core->genesis.limits);
    uint32_t count = 0;
    int rc = mp_get_map(&mp, &count, err);
    for (uint32_t i = 0; i < count && rc == 0; i++) {
        struct bytes name;
        bool is_known = false;
        rc = mp_get_str(&mp, &name, err);
        for (size_t k = 0; k < sizeof(known) / sizeof(*known); k++)
            is_known |= bytes_equal(name, bytes_of_text(known[k]));
        if (rc == 0 && !is_known)
            rc = err_set(err, ATE_EUNAVAILABLE,
                         "genesis: this version does not know the limit '%.*s'",
                         (int)name.len, (const char *)name.data);
        if (rc == 0)
            rc = mp_skip(&mp, NULL, err);
    }
    return rc;
}

/* Rules, folds and indexes take it for granted that fields fit their types. */
static int check_serializer(const struct core *core, struct err *err)
{
    for (size_t i = 0; i < core->pipeline.count; i++)
        if (strcmp(core->pipeline.stages[i]->name, "serializer") == 0)
            return 0;
    return err_set(err, ATE_EINVALID,
                   "pipeline: the stage 'serializer' is missing; without it "
                   "nothing has to fit its type");
}

/* A schema that wants its bodies sealed needs a pipeline that can. */
static int check_bodies(const struct core *core, struct err *err)
{
    for (size_t i = 0; i < core->schema->part_count; i++) {
        if (!core->schema->parts[i].sealed)
            continue;
        for (size_t k = 0; k < core->pipeline.count; k++)
            if (core->pipeline.stages[k]->seal != NULL)
                return 0;
        return err_set(err, ATE_EINVALID,
                       "schema %s: bodies = 'sealed', but no stage of the "
                       "pipeline seals bodies; say bodies = 'open'",
                       core->schema->parts[i].name);
    }
    return 0;
}

static void remember(struct core *core)
{
    const struct genesis *g = &core->genesis;
    memcpy(core->bundle_hash, g->bundle_hash, HASH_SIZE);
    core->call_ms =
        (int64_t)genesis_limit(g, "call_ms", (uint64_t)CORE_CALL_MS);
    if (core->call_ms < 0)
        core->call_ms = INT64_MAX / 2;
    core->gas = core_limits(core).gas;
}

static void put_author(struct core *core, const struct key_record *record)
{
    uint8_t id[KEY_ID_SIZE];
    struct buf raw = {0};
    key_id(record, id);
    key_record_put(&raw, record);
    struct author author = {.record = buf_bytes(&raw)};
    state_put_author(&core->state, id, &author);
    buf_deinit(&raw);
}

/* The state that genesis leaves: entries of kind 1, and its keys as authors. */
static void put_first_state(struct core *core)
{
    const struct genesis *g = &core->genesis;
    struct state *state = &core->state;
    struct buf value = {0};
    state_begin(state);

    roots_put(state, g->roots, g->root_count, g->threshold, g->next);
    term_put(state, 1, 0, &g->order);

    mp_put_bin(&value, bytes_of(g->bundle_hash, HASH_SIZE));
    state_put_chain(state, "bundle", buf_bytes(&value));

    buf_clear(&value);
    mp_put_uint(&value, g->log_time);
    state_put_chain(state, "time", buf_bytes(&value));

    for (size_t i = 0; i < g->root_count; i++)
        put_author(core, &g->roots[i]);
    put_author(core, &g->order);
    state_keep(state);
    buf_deinit(&value);
}

struct logic_limits core_limits(const struct core *core)
{
    return (struct logic_limits){
        .gas = genesis_limit(&core->genesis, "gas", CORE_GAS),
        .memory = genesis_limit(&core->genesis, "memory", CORE_MEMORY),
    };
}

int core_open(struct core *core, struct bytes genesis, struct bytes bundle,
              const struct logic_maker *maker,
              const struct materializer *const *known, struct err *err)
{
    struct genesis g;
    int rc = genesis_get(genesis, &g, err);
    if (rc == 0)
        rc = check_bundle(&g, bundle, err);
    return rc != 0 ? rc
                   : core_open_with(core, genesis, bundle, maker, known, err);
}

int core_open_with(struct core *core, struct bytes genesis, struct bytes bundle,
                   const struct logic_maker *maker,
                   const struct materializer *const *known, struct err *err)
{
    assert(core->logic == NULL);
    buf_put_bytes(&core->genesis_raw, genesis);
    chain_id(buf_bytes(&core->genesis_raw), core->id);
    core->maker = maker;
    body_hash(bundle, core->loaded);
    int rc = genesis_get(buf_bytes(&core->genesis_raw), &core->genesis, err);
    if (rc == 0)
        rc = pipeline_init(&core->pipeline, core->genesis.pipeline,
                           core->genesis.pipeline_count, known, err);
    if (rc == 0)
        rc = check_limits(core, err);
    if (rc == 0)
        rc = check_serializer(core, err);
    if (rc != 0)
        return rc;
    struct logic_limits limits = core_limits(core);
    rc = maker->load(maker->ctx, bundle, &limits, &core->logic, err);
    if (rc != 0)
        return rc;
    core->schema = core->logic->schema;
    rc = check_bodies(core, err);
    if (rc != 0)
        return rc;
    remember(core);
    state_init(&core->state);
    put_first_state(core);
    return 0;
}

void core_close(struct core *core)
{
    state_deinit(&core->state);
    if (core->logic != NULL)
        core->logic->free(core->logic);
    buf_deinit(&core->genesis_raw);
    *core = (struct core){.names = core->names};
}

void core_root(const struct core *core, struct tree_version v,
               uint8_t root[HASH_SIZE])
{
    const struct known_root *known = core->root;
    if (known != NULL && known->of.tree == v.tree && known->of.root == v.root)
        memcpy(root, known->digest, HASH_SIZE);
    else
        state_root(v, root);
}
