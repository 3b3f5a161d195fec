#include "chain/core.h"

#include <assert.h>
#include <string.h>

#include "base/err.h"
#include "base/msgpack.h"
#include "chain/core_open.h"
#include "chain/logic.h"
#include "chain/materializer.h"
#include "event/body.h"

static const char *const default_pipeline[] = {"accept-all", "serializer",
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

static int check_bundle(const struct core *core, struct bytes bundle,
                        struct err *err)
{
    int rc = body_check(bundle, core->genesis.bundle_length,
                        core->genesis.bundle_hash, err);
    return rc == 0 ? 0 : err_wrap(err, "genesis: bundle");
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

static void remember_keys(struct core *core)
{
    const struct genesis *g = &core->genesis;
    for (size_t i = 0; i < g->root_count; i++)
        key_id(&g->roots[i], core->root_keys[i]);
    key_id(&g->order, core->order_key);
    memcpy(core->bundle_hash, g->bundle_hash, HASH_SIZE);
    core->call_ms =
        (int64_t)genesis_limit(g, "call_ms", (uint64_t)CORE_CALL_MS);
    if (core->call_ms < 0)
        core->call_ms = INT64_MAX / 2;
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

    mp_put_array(&value, 3);
    mp_put_array(&value, (uint32_t)g->root_count);
    for (size_t i = 0; i < g->root_count; i++)
        key_record_put(&value, &g->roots[i]);
    mp_put_uint(&value, g->threshold);
    mp_put_bin_or_nil(&value, bytes_of(g->next, g->next ? HASH_SIZE : 0));
    state_put_chain(state, "roots", buf_bytes(&value));

    buf_clear(&value);
    mp_put_array(&value, 2);
    mp_put_uint(&value, 1);
    key_record_put(&value, &g->order);
    state_put_chain(state, "order", buf_bytes(&value));

    buf_clear(&value);
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

int core_open(struct core *core, struct bytes genesis, struct bytes bundle,
              const struct logic_maker *maker,
              const struct materializer *const *known, struct err *err)
{
    assert(core->logic == NULL);
    buf_put_bytes(&core->genesis_raw, genesis);
    chain_id(buf_bytes(&core->genesis_raw), core->id);
    int rc = genesis_get(buf_bytes(&core->genesis_raw), &core->genesis, err);
    if (rc == 0)
        rc = check_bundle(core, bundle, err);
    if (rc == 0)
        rc = pipeline_init(&core->pipeline, core->genesis.pipeline,
                           core->genesis.pipeline_count, known, err);
    if (rc != 0)
        return rc;
    struct logic_limits limits = {
        .gas = genesis_limit(&core->genesis, "gas", CORE_GAS),
        .memory = genesis_limit(&core->genesis, "memory", CORE_MEMORY),
    };
    rc = maker->load(maker->ctx, bundle, &limits, &core->logic, err);
    if (rc != 0)
        return rc;
    core->schema = core->logic->schema;
    rc = check_bodies(core, err);
    if (rc != 0)
        return rc;
    remember_keys(core);
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
    *core = (struct core){0};
}
