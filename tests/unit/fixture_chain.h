/* A chain on a memory disk, with real Lua, for tests that look inside. */
#ifndef ATE_TESTS_FIXTURE_CHAIN_H
#define ATE_TESTS_FIXTURE_CHAIN_H

#include "fixture_dump.h"
#include "fixture_schema.h"

#include "base/hex.h"
#include "base/memory.h"
#include "base/msgpack.h"
#include "chain/chain.h"
#include "chain/slice.h"
#include "io/memory_disk.h"
#include "script/script.h"

enum { FIXTURE_KEYS = 3 };

struct fixture_chain {
    struct memory_disk *disk; /* NULL: another one, which `pump` moves on */
    bool (*pump)(void *ctx);
    void *pump_ctx;
    struct script_cache *cache;
    struct logic_maker maker;
    struct key_pair order;
    struct key_pair keys[FIXTURE_KEYS]; /* me, alice, bob */
    struct door_names names;
    struct chain_deps deps;
    struct chain *chain;
    struct buf bundle;
    bool default_pipeline; /* else one that accepts strangers, too, or */
    struct bytes pipeline[GENESIS_PIPELINE_MAX]; /* this one */
    size_t pipeline_count;
    size_t root_count;   /* the first of `keys`; 0: one */
    uint64_t threshold;  /* how many of them have to agree; 0: one */
    const uint8_t *next; /* digest of the set that may follow, or NULL */
    int64_t now;
    bool skips_rules; /* forgeries are judged without them */
    uint64_t calls;   /* for call ids */
    uint64_t random;
    int done_code;
    bool is_done;
    struct err done_err;
    struct pool pool; /* of fixture_work_late() */
    struct task *late;
    int64_t steady_us; /* of fixture_cut(): how often it was asked, times */
    int64_t step_us;   /* this */
};

static const char *const fixture_key_names[FIXTURE_KEYS] = {"me", "alice",
                                                            "bob"};

static bool fixture_find(void *ctx, struct bytes name, uint8_t id[32])
{
    struct fixture_chain *f = ctx;
    for (int i = 0; i < FIXTURE_KEYS; i++) {
        if (!bytes_equal(name, bytes_of_text(fixture_key_names[i])))
            continue;
        memcpy(id, f->keys[i].id, 32);
        return true;
    }
    return false;
}

static bool fixture_name(void *ctx, const uint8_t id[32], struct buf *out)
{
    struct fixture_chain *f = ctx;
    for (int i = 0; i < FIXTURE_KEYS; i++) {
        if (memcmp(id, f->keys[i].id, 32) != 0)
            continue;
        buf_put_text(out, fixture_key_names[i]);
        return true;
    }
    return false;
}

static bool fixture_record(void *ctx, const uint8_t id[32],
                           struct key_record *record)
{
    struct fixture_chain *f = ctx;
    for (int i = 0; i < FIXTURE_KEYS; i++) {
        if (memcmp(id, f->keys[i].id, 32) != 0)
            continue;
        *record = f->keys[i].record;
        return true;
    }
    return false;
}

static void fixture_list(void *ctx, struct buf *out)
{
    (void)ctx;
    buf_put_text(out, "me, alice, bob");
}

static const struct key_pair *fixture_order(void *ctx, const uint8_t id[32])
{
    struct fixture_chain *f = ctx;
    return memcmp(id, f->order.id, 32) == 0 ? &f->order : NULL;
}

/* The node's own key orders, too. */
static const struct key_pair *fixture_node(void *ctx)
{
    struct fixture_chain *f = ctx;
    return &f->order;
}

static void fixture_random(void *ctx, void *out, size_t len)
{
    struct fixture_chain *f = ctx;
    uint8_t *bytes = out;
    f->random++;
    for (size_t i = 0; i < len; i++)
        bytes[i] = (uint8_t)(f->random >> i % 8 * 8);
}

static int64_t fixture_now(void *ctx)
{
    struct fixture_chain *f = ctx;
    return f->now;
}

static void fixture_pair(struct key_pair *pair, uint8_t seed)
{
    uint8_t sign[32];
    uint8_t box[32];
    memset(sign, seed, sizeof(sign));
    memset(box, seed + 100, sizeof(box));
    key_pair_from_seeds(pair, sign, box);
}

static void fixture_done(void *ctx, int code, const struct err *err)
{
    struct fixture_chain *f = ctx;
    f->is_done = true;
    f->done_code = code;
    f->done_err = *err;
}

static bool fixture_pump(void *ctx)
{
    return memory_disk_reap(ctx) > 0;
}

/* Until nothing is left to be done. */
static inline void fixture_run(struct fixture_chain *f)
{
    do {
        chain_flush(f->chain);
    } while (f->pump(f->pump_ctx));
}

static inline void fixture_wait(struct fixture_chain *f)
{
    while (!f->is_done && f->pump(f->pump_ctx)) {
    }
    assert_true(f->is_done);
    f->is_done = false;
}

/* `disk` NULL: a memory disk of its own. */
static inline void fixture_open_disk(struct fixture_chain *f,
                                     const struct disk *disk,
                                     bool (*pump)(void *ctx), void *pump_ctx)
{
    *f = (struct fixture_chain){
        .now = 1700000000000, .pump = pump, .pump_ctx = pump_ctx};
    assert_int_equal(crypto_init(NULL), 0);
    if (disk == NULL) {
        f->disk = memory_disk_new();
        f->pump = fixture_pump;
        f->pump_ctx = f->disk;
        disk = memory_disk_interface(f->disk);
    }
    f->cache = script_cache_new(NULL);
    f->maker = script_maker(f->cache);
    fixture_pair(&f->order, 9);
    for (int i = 0; i < FIXTURE_KEYS; i++)
        fixture_pair(&f->keys[i], (uint8_t)(i + 1));
    f->names = (struct door_names){
        .ctx = f,
        .find = fixture_find,
        .name = fixture_name,
        .record = fixture_record,
        .list = fixture_list,
    };
    f->deps = (struct chain_deps){
        .disk = disk,
        .logic = &f->maker,
        .materializers = materializers,
        .names = &f->names,
        .now = fixture_now,
        .order_pair = fixture_order,
        .node_pair = fixture_node,
        .random = fixture_random,
        .ctx = f,
    };
}

/* ---- a pool that does its work when nothing else is left to do ---- */

static void fixture_submit_late(void *ctx, struct task *task)
{
    struct fixture_chain *f = ctx;
    task->next = f->late;
    f->late = task;
}

static bool fixture_pump_late(void *ctx)
{
    struct fixture_chain *f = ctx;
    struct task *task = f->late;
    if (memory_disk_reap(f->disk) > 0)
        return true;
    if (task == NULL)
        return false;
    f->late = task->next;
    task->work(task);
    task->done(task);
    return true;
}

static inline void fixture_work_late(struct fixture_chain *f)
{
    f->pool = (struct pool){.ctx = f, .submit = fixture_submit_late};
    f->deps.pool = &f->pool;
    f->pump = fixture_pump_late;
    f->pump_ctx = f;
}

static int64_t fixture_steady(void *ctx)
{
    struct fixture_chain *f = ctx;
    return f->steady_us += f->step_us;
}

/* Long work is cut: a slice is over when it has looked at the clock so often.
 */
static inline void fixture_cut(struct fixture_chain *f, int looks)
{
    f->step_us = SLICE_US / looks;
    f->deps.steady_us = fixture_steady;
}

/* A new chain of f->bundle on the disk that is open. */
static inline int fixture_birth(struct fixture_chain *f)
{
    const struct key_pair *signers[FIXTURE_KEYS];
    struct key_record roots[FIXTURE_KEYS];
    for (int i = 0; i < FIXTURE_KEYS; i++) {
        signers[i] = &f->keys[i];
        roots[i] = f->keys[i].record;
    }
    size_t count = f->root_count > 0 ? f->root_count : 1;
    if (f->pipeline_count == 0 && !f->default_pipeline)
        f->pipeline_count = fixture_pipeline(f->pipeline);
    struct chain_birth birth = {
        .name = bytes_of_text("test"),
        .bundle = buf_bytes(&f->bundle),
        .pipeline = f->pipeline,
        .pipeline_count = f->pipeline_count,
        .roots = roots,
        .root_count = count,
        .threshold = f->threshold > 0 ? f->threshold : 1,
        .next = f->next,
        .signers = signers,
        .signer_count = count,
        .order = &f->order,
        .time = f->now,
    };
    f->chain = chain_new(&f->deps);
    chain_create(f->chain, &birth, fixture_done, f);
    fixture_wait(f);
    return f->done_code;
}

/* The same with the schema FOLDER/MAIN.lua. */
static inline void fixture_create_here(struct fixture_chain *f,
                                       const char *folder,
                                       const char *main_module)
{
    struct err err = {0};
    int rc = bundle_build(&f->bundle, main_module, fixture_source,
                          (void *)(uintptr_t)folder, NULL, NULL, &err);
    if (rc != 0)
        fail_msg("%s", err.text);
    if (fixture_birth(f) != 0)
        fail_msg("%s", f->done_err.text);
}

static inline void fixture_create(struct fixture_chain *f, const char *folder,
                                  const char *main_module)
{
    fixture_open_disk(f, NULL, NULL, NULL);
    fixture_create_here(f, folder, main_module);
}

/* Close the chain and open it again, by replay. */
static inline int fixture_reopen(struct fixture_chain *f, enum log_mode mode)
{
    char folder[LOG_PATH_MAX];
    uint8_t id[CHAIN_ID_SIZE];
    memcpy(id, chain_core(f->chain)->id, sizeof(id));
    log_folder(folder, id);
    chain_free(f->chain);
    f->chain = chain_new(&f->deps);
    chain_open(f->chain, folder, id, mode, fixture_done, f);
    fixture_wait(f);
    return f->done_code;
}

/* Leave the chain as a node does that closes it. */
static inline void fixture_conclude(struct fixture_chain *f)
{
    struct err err = {0};
    int rc;
    fixture_run(f);
    assert_true(chain_is_idle(f->chain));
    while ((rc = chain_conclude(f->chain, fixture_done, f, &err)) == 0) {
        fixture_wait(f);
        fixture_run(f);
        assert_true(chain_is_idle(f->chain));
    }
    assert_int_equal(rc, 1);
}

/* What the test ends with, for other readers. */
static inline void fixture_dump(struct fixture_chain *f)
{
    char folder[LOG_PATH_MAX];
    if (f->disk == NULL || f->chain == NULL ||
        chain_core(f->chain)->genesis_raw.len == 0)
        return;
    log_folder(folder, chain_core(f->chain)->id);
    dump_chain(f->disk, folder, "left");
}

static inline void fixture_close(struct fixture_chain *f)
{
    fixture_dump(f);
    chain_free(f->chain);
    script_cache_free(f->cache);
    if (f->disk != NULL)
        memory_disk_free(f->disk);
    buf_deinit(&f->bundle);
}

/* ---- calls ---- */

struct fixture_call {
    struct chain_call call;
    struct buf args;
    bool done;
};

static inline void fixture_answered(struct chain_call *call)
{
    struct fixture_call *c = call->owner;
    c->done = true;
}

/* Arguments are "name=value" texts, ended by NULL, sorted by name. */
static inline void fixture_begin(struct fixture_chain *f,
                                 struct fixture_call *c, int key,
                                 const char *method, const char *const *args)
{
    *c = (struct fixture_call){0};
    uint32_t count = 0;
    while (args[count] != NULL)
        count++;
    mp_put_map(&c->args, count);
    for (uint32_t i = 0; i < count; i++) {
        const char *eq = strchr(args[i], '=');
        mp_put_str(&c->args, bytes_of(args[i], (size_t)(eq - args[i])));
        mp_put_text(&c->args, eq + 1);
    }
    c->call.method = bytes_of_text(method);
    c->call.args = buf_bytes(&c->args);
    c->call.author = &f->keys[key];
    put_be64(c->call.call_id, ++f->calls);
    c->call.done = fixture_answered;
    c->call.owner = c;
    chain_call(f->chain, &c->call);
}

static inline void fixture_end(struct fixture_call *c)
{
    buf_deinit(&c->args);
    buf_deinit(&c->call.result);
    buf_deinit(&c->call.receipt);
}

/* One call from start to answer. */
static inline int fixture_call(struct fixture_chain *f, struct fixture_call *c,
                               int key, const char *method,
                               const char *const *args)
{
    fixture_begin(f, c, key, method, args);
    fixture_run(f);
    assert_true(c->done);
    return c->call.code;
}

#define ARGS(...) ((const char *const[]){__VA_ARGS__ __VA_OPT__(, ) NULL})

/* A call that has to be accepted. */
static inline uint64_t fixture_ok(struct fixture_chain *f, int key,
                                  const char *method, const char *const *args)
{
    struct fixture_call c;
    if (fixture_call(f, &c, key, method, args) != 0)
        fail_msg("%s: %s", method, c.call.err.text);
    uint64_t index = c.call.index;
    fixture_end(&c);
    return index;
}

/* ---- what many tests begin and end with ---- */

static inline struct fixture_chain *fixture_new(const char *folder,
                                                const char *name)
{
    struct fixture_chain *f = mem_zero(1, sizeof(*f));
    fixture_create(f, folder, name);
    return f;
}

static inline void fixture_accounts(struct fixture_chain *f)
{
    fixture_ok(f, 0, "account.put", ARGS("name=alice", "owner=alice"));
    fixture_ok(f, 0, "account.put", ARGS("name=bob", "owner=bob"));
}

static inline int fixture_bank(void **state)
{
    struct fixture_chain *f = fixture_new("examples/bank", "bank");
    fixture_accounts(f);
    *state = f;
    return 0;
}

static inline int fixture_tear_down(void **state)
{
    struct fixture_chain *f = *state;
    fixture_close(f);
    mem_free(f);
    return 0;
}

/* Opened again, by replay, everything is as it was. */
static inline void fixture_reopens(struct fixture_chain *f)
{
    uint8_t before[2][HASH_SIZE];
    uint8_t after[2][HASH_SIZE];
    chain_root(f->chain, before[0]);
    state_root(chain_version(f->chain), before[1]);
    if (fixture_reopen(f, LOG_READ_WRITE) != 0)
        fail_msg("%s", f->done_err.text);
    chain_root(f->chain, after[0]);
    state_root(chain_version(f->chain), after[1]);
    assert_memory_equal(before, after, sizeof(before));
}
#endif
