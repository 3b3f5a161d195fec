/* A node with real Lua on a simulated disk, whose workers ask a bank: the
 * schema is tests/lua/schemas/jobs.lua, in a chain called jobs. */
#ifndef ATE_TESTS_FIXTURE_BANK_H
#define ATE_TESTS_FIXTURE_BANK_H

#include "fixture_schema.h"

#include <stdlib.h>

#include "base/mapping.h"
#include "base/memory.h"
#include "base/msgpack.h"
#include "node/inside.h"
#include "node/service.h"
#include "script/script.h"
#include "sim/rng.h"
#include "sim/sim_disk.h"

enum { PASSES_MAX = 40, ASKED_MAX = 8 };

/* One process: a node on a disk, and a bank. */
struct process {
    struct sim_disk *disk;
    struct node *node;
    struct script_cache *cache;
    struct logic_maker maker;
    struct services services;
    struct service_request *asked[ASKED_MAX]; /* not answered yet */
    size_t asked_count;
    struct rng *rng;
    uint64_t fails;    /* the bank, so many times of three; above: always */
    bool is_silent;    /* it answers nothing */
    uint32_t retry_ms; /* it says, when it fails */
    uint64_t sends;
    void (*sent)(struct process *p, const struct service_request *r);
    int64_t wall_ms;
    int64_t steady_us;
    int64_t idle_ms; /* of chains; 0: as nodes have it */
    uint64_t calls;
    bool (*step)(void *ctx);
    void *step_ctx;
};

/* ---- the bank ---- */

static void bank_send(void *ctx, struct service_request *r)
{
    struct process *p = ctx;
    p->sends++;
    if (p->sent != NULL)
        p->sent(p, r);
    assert_true(p->asked_count < ASKED_MAX);
    p->asked[p->asked_count++] = r;
}

static void bank_cancel(void *ctx, struct service_request *r)
{
    struct process *p = ctx;
    for (size_t i = 0; i < p->asked_count; i++)
        if (p->asked[i] == r)
            p->asked[i] = p->asked[--p->asked_count];
}

/* The answer follows from the key: who asks twice hears the same. */
static void bank_answer(struct process *p)
{
    struct service_request *r = p->asked[--p->asked_count];
    struct err err;
    struct mapping m = {0};
    struct buf answer = {0};
    struct service_reply reply = {0};
    mapping_hex(&m, "number", bytes_of(r->key, 4));
    mapping_hex(&m, "receipt", bytes_of(r->key + 4, 4));
    mapping_put(&m, &answer);
    if (rng_below(p->rng, 3) < p->fails) {
        reply.retry_ms = p->retry_ms;
        reply.code = err_set(&err, ATE_EUNAVAILABLE, "the bank is shut");
        reply.err = &err;
    } else {
        reply.answer = buf_bytes(&answer);
    }
    r->done(r, &reply);
    buf_deinit(&answer);
}

/* ---- a process ---- */

static void some_bytes(void *ctx, void *out, size_t len)
{
    struct process *p = ctx;
    for (size_t i = 0; i < len; i++)
        ((uint8_t *)out)[i] = (uint8_t)rng_below(p->rng, 256);
}

static int no_logic(void *ctx, struct logic_maker *out, struct err *err)
{
    (void)ctx;
    (void)out;
    return err_set(err, ATE_EUNAVAILABLE, "nobody verifies here");
}

static void no_free(void *ctx, struct logic_maker *maker)
{
    (void)ctx;
    (void)maker;
}

struct told {
    bool done;
    int code;
    struct err err;
};

static void told(void *ctx, int code, const struct err *err)
{
    struct told *t = ctx;
    *t = (struct told){.done = true, .code = code, .err = *err};
}

static bool plain_step(void *ctx)
{
    return sim_disk_step(ctx);
}

/* `p->idle_ms` is set. */
static void process_begin(struct process *p, struct sim_disk *disk,
                          struct rng *rng)
{
    *p = (struct process){
        .disk = disk,
        .rng = rng,
        .wall_ms = 1700000000000,
        .steady_us = 1000000,
        .idle_ms = p->idle_ms,
        .cache = script_cache_new(NULL),
    };
    p->step = plain_step;
    p->step_ctx = disk;
    p->maker = script_maker(p->cache);
    p->services = (struct services){p, bank_send, bank_cancel};
    struct node_env env = {
        .disk = sim_disk_interface(disk),
        .logic = &p->maker,
        .materializers = materializers,
        .services = &p->services,
        .logic_new = no_logic,
        .logic_free = no_free,
        .random = some_bytes,
        .ctx = p,
        .chain_idle_ms = p->idle_ms,
    };
    p->node = node_new(&env);
}

static int process_start(struct process *p)
{
    struct told t = {0};
    node_tick(p->node, p->wall_ms, p->steady_us);
    node_start(p->node, told, &t);
    while (!t.done && sim_disk_step(p->disk)) {
    }
    assert_true(t.done);
    return t.code;
}

/* Nothing of what is under way comes back: the power failed. */
static void process_end(struct process *p)
{
    struct told t = {0};
    node_tick(p->node, p->wall_ms, p->steady_us);
    node_stop(p->node, told, &t);
    while (!t.done) {
        node_flush(p->node);
        sim_disk_step(p->disk);
    }
    node_free(p->node);
    script_cache_free(p->cache);
}

/* Until nothing is left to be done. */
static void process_run(struct process *p)
{
    bool more = true;
    node_tick(p->node, p->wall_ms, p->steady_us);
    while (more) {
        more = node_flush(p->node);
        more |= p->step(p->step_ctx);
        if (!more && p->asked_count > 0 && !p->is_silent) {
            bank_answer(p);
            more = true;
        }
    }
}

/* Time passes, and what is due then is done. */
static inline void process_pass(struct process *p, int64_t ms)
{
    p->wall_ms += ms;
    p->steady_us += ms * 1000;
    process_run(p);
}

/* ---- asking it ---- */

struct ask {
    struct node_request request;
    struct buf args;
    struct buf result;
    size_t chunks;
    bool done;
    int code;
    struct err err;
};

static void ask_chunk(struct node_request *request, struct bytes value)
{
    struct ask *ask = request->owner;
    (void)value;
    ask->chunks++;
}

static void ask_final(struct node_request *request, int code,
                      const struct err *err, struct bytes result)
{
    struct ask *ask = request->owner;
    ask->done = true;
    ask->code = code;
    if (code != 0)
        ask->err = *err;
    buf_put_bytes(&ask->result, result);
}

/* Takes the arguments in `m` over. */
static void ask(struct process *p, struct ask *a, enum request_kind kind,
                bool of_node, const char *method, struct mapping *m)
{
    *a = (struct ask){0};
    mapping_put(m, &a->args);
    a->request = (struct node_request){
        .kind = kind,
        .of_node = of_node,
        .chain = bytes_of_text(of_node ? "" : "jobs"),
        .method = bytes_of_text(method),
        .args = buf_bytes(&a->args),
        .chunk = ask_chunk,
        .final = ask_final,
        .owner = a,
    };
    put_be64(a->request.call_id, ++p->calls);
    some_bytes(p, a->request.call_id + 8, 8);
    node_ask(p->node, &a->request);
    process_run(p);
    assert_true(a->done);
    buf_deinit(&a->args);
}

static int64_t number_at(const struct buf *map, const char *name)
{
    int64_t value = -1;
    struct mp mp = mp_open(mp_map_get(buf_bytes(map), name));
    assert_int_equal(mp_get_int(&mp, &value, NULL), 0);
    return value;
}

static size_t count(struct process *p, const char *type)
{
    struct ask a;
    struct mapping m = {0};
    mapping_text(&m, "type", type);
    ask(p, &a, REQUEST_READ, false, "list", &m);
    if (a.code != 0)
        fail_msg("list %s: %s", type, a.err.text);
    buf_deinit(&a.result);
    return a.chunks;
}

/* Let workers work, again and again, until nothing fails. */
static inline void work_to_the_end(struct process *p)
{
    for (int pass = 0; pass < PASSES_MAX; pass++) {
        struct ask a;
        struct mapping m = {0};
        ask(p, &a, REQUEST_CALL, false, "ate.workers", &m);
        if (a.code != 0)
            fail_msg("ate.workers: %s", a.err.text);
        bool failed = number_at(&a.result, "failed") > 0;
        assert_int_equal(number_at(&a.result, "parked"), 0);
        buf_deinit(&a.result);
        if (!failed)
            return;
    }
    fail_msg("workers never end");
}

/* ---- what is asked of it ---- */

static void create_jobs(struct process *p)
{
    struct err err = {0};
    struct ask a;
    struct mapping m = {0};
    struct buf bundle = {0};
    int rc =
        bundle_build(&bundle, "jobs", fixture_source,
                     (void *)(uintptr_t) "tests/lua/schemas", NULL, NULL, &err);
    if (rc != 0)
        fail_msg("%s", err.text);
    mapping_text(&m, "name", "jobs");
    mp_put_bin(mapping_key(&m, "bundle"), buf_bytes(&bundle));
    struct buf *accept = mapping_key(&m, "accept");
    mp_put_array(accept, 3);
    mp_put_text(accept, "accept-all");
    mp_put_text(accept, "serializer");
    mp_put_text(accept, "structured-logic");
    ask(p, &a, REQUEST_CALL, true, "chain.create", &m);
    if (a.code != 0)
        fail_msg("chain.create: %s", a.err.text);
    buf_deinit(&a.result);
    buf_deinit(&bundle);
}

/* `till` NULL: it has no end. */
static void place_order(struct process *p, size_t n, const char *till)
{
    struct ask a;
    struct mapping m = {0};
    char name[16];
    snprintf(name, sizeof(name), "order-%zu", n);
    mapping_text(&m, "name", name);
    mapping_int(&m, "pieces", (int64_t)n + 1);
    mapping_text_or_not(&m, "till", till);
    ask(p, &a, REQUEST_CALL, false, "placed.append", &m);
    if (a.code != 0)
        fail_msg("placed.append: %s", a.err.text);
    buf_deinit(&a.result);
}
#endif
