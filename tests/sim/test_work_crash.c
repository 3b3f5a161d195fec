/* Workers on a node whose power fails at every action of the disk, in every way
 * the disk knows, while services answer, fail, or do what was asked and lose
 * the answer. Afterwards a new process lets them work to the end: inside, each
 * order was noted, paid and closed once; outside, whatever was asked for one
 * thing was asked with one key, and a service that looks at keys paid once. */
#include "unit/fixture_schema.h"

#include <stdlib.h>

#include "base/memory.h"
#include "base/msgpack.h"
#include "chain/mapping.h"
#include "node/inside.h"
#include "node/service.h"
#include "script/script.h"
#include "sim/rng.h"
#include "sim/sim_disk.h"

enum { ORDERS = 3, PASSES_MAX = 40, EFFECTS_MAX = 64 };

/* What was asked of the bank, ever, in whatever future. */
struct effect {
    uint8_t key[SERVICE_KEY_SIZE];
    struct buf request;
};

static struct effect effects[EFFECTS_MAX];
static size_t effect_count;
static uint64_t sends;

/* One process: a node on a disk, and a bank. */
struct process {
    struct sim_disk *disk;
    struct node *node;
    struct script_cache *cache;
    struct logic_maker maker;
    struct services services;
    struct service_request *asked[8]; /* not answered yet */
    size_t asked_count;
    struct rng *rng;
    bool bank_fails; /* now and then */
    int64_t wall_ms;
    int64_t steady_us;
    uint64_t calls;
    bool (*step)(void *ctx);
    void *step_ctx;
};

/* ---- the bank ---- */

/* One key stands for one request, for ever. */
static void note_effect(const struct service_request *r)
{
    sends++;
    for (size_t i = 0; i < effect_count; i++) {
        bool same_key = memcmp(effects[i].key, r->key, sizeof(r->key)) == 0;
        bool same = bytes_equal(buf_bytes(&effects[i].request), r->request);
        if (same_key != same)
            fail_msg("a key stands for two requests, or a request has two");
        if (same_key)
            return;
    }
    assert_true(effect_count < EFFECTS_MAX);
    struct effect *e = &effects[effect_count++];
    memcpy(e->key, r->key, sizeof(e->key));
    buf_put_bytes(&e->request, r->request);
}

static void bank_send(void *ctx, struct service_request *r)
{
    struct process *p = ctx;
    note_effect(r);
    assert_true(p->asked_count < 8);
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
    if (p->bank_fails && rng_below(p->rng, 3) == 0) {
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

static void process_begin(struct process *p, struct sim_disk *disk,
                          struct rng *rng)
{
    *p = (struct process){
        .disk = disk,
        .rng = rng,
        .wall_ms = 1700000000000,
        .steady_us = 1000000,
        .cache = script_cache_new(NULL),
    };
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

static bool plain_step(void *ctx)
{
    return sim_disk_step(ctx);
}

/* Until nothing is left to be done. */
static void process_run(struct process *p)
{
    bool more = true;
    node_tick(p->node, p->wall_ms, p->steady_us);
    while (more) {
        node_flush(p->node);
        more = p->step(p->step_ctx);
        if (!more && p->asked_count > 0) {
            bank_answer(p);
            more = true;
        }
    }
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
static void work_to_the_end(struct process *p)
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

/* ---- the script ---- */

struct script {
    struct process p;
    struct rng rng;
    size_t acked; /* orders */
    uint64_t recoveries;
    uint64_t paid; /* of them, found paid without any work */
    uint64_t seed;
};

static void each_is_done_once(struct process *p, size_t orders)
{
    assert_int_equal(count(p, "noted"), orders);
    assert_int_equal(count(p, "paid"), orders);
    assert_int_equal(count(p, "closed"), orders);
}

/* A new process on what is left of the disk. */
static void recover(struct script *s, enum sim_loss loss)
{
    struct sim_disk *disk = sim_disk_copy(s->p.disk, s->seed);
    struct rng rng = {s->seed};
    struct process p;
    sim_disk_die(disk);
    sim_disk_revive(disk, loss, s->seed++);
    process_begin(&p, disk, &rng);
    p.step = plain_step;
    p.step_ctx = disk;
    p.wall_ms = s->p.wall_ms + 10000;
    s->recoveries++;
    if (process_start(&p) != 0)
        fail_msg("the node does not start");
    struct ask a;
    struct mapping m = {0};
    ask(&p, &a, REQUEST_READ, false, "info", &m);
    buf_deinit(&a.result);
    if (a.code == ATE_ENOT_FOUND && s->acked == 0) {
        /* The chain was not promised yet. */
    } else if (a.code != 0) {
        fail_msg("loss %d: %s", loss, a.err.text);
    } else {
        size_t orders = count(&p, "placed");
        assert_true(orders >= s->acked);
        s->paid += count(&p, "paid");
        work_to_the_end(&p);
        each_is_done_once(&p, orders);
    }
    process_end(&p);
    sim_disk_free(disk);
}

static bool step_and_crash(void *ctx)
{
    struct script *s = ctx;
    if (!sim_disk_step(s->p.disk))
        return false;
    for (int loss = 0; loss < SIM_LOSSES; loss++)
        recover(s, (enum sim_loss)loss);
    return true;
}

static void create(struct script *s)
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
    ask(&s->p, &a, REQUEST_CALL, true, "chain.create", &m);
    if (a.code != 0)
        fail_msg("chain.create: %s", a.err.text);
    buf_deinit(&a.result);
    buf_deinit(&bundle);
}

static void place_order(struct script *s, size_t n)
{
    struct ask a;
    struct mapping m = {0};
    char name[16];
    snprintf(name, sizeof(name), "order-%zu", n);
    mapping_text(&m, "name", name);
    mapping_int(&m, "pieces", (int64_t)n + 1);
    mapping_text(&m, "till", "2023-11-14T22:13:20.500Z");
    ask(&s->p, &a, REQUEST_CALL, false, "placed.append", &m);
    if (a.code != 0)
        fail_msg("placed.append: %s", a.err.text);
    buf_deinit(&a.result);
    s->acked++;
}

static void everything_is_worked_once(void **state)
{
    const char *text = getenv("WORK_SEED");
    struct script *s = mem_zero(1, sizeof(*s));
    (void)state;
    s->seed = text != NULL ? strtoull(text, NULL, 10) : 1;
    print_message("seed %llu (WORK_SEED sets it)\n",
                  (unsigned long long)s->seed);
    s->rng = (struct rng){s->seed};
    process_begin(&s->p, sim_disk_new(s->seed), &s->rng);
    s->p.bank_fails = true;
    s->p.step = plain_step;
    s->p.step_ctx = s->p.disk;
    assert_int_equal(process_start(&s->p), 0);
    create(s);
    s->p.step = step_and_crash;
    s->p.step_ctx = s;
    for (size_t i = 0; i < ORDERS; i++) {
        place_order(s, i);
        s->p.wall_ms += 400;
        if (i == 0)
            work_to_the_end(&s->p);
    }
    work_to_the_end(&s->p);
    each_is_done_once(&s->p, ORDERS);
    /* Two things are asked for each order; what follows the first answer is the
     * same in every future, as the answer follows from the key. */
    assert_int_equal(effect_count, 2 * ORDERS);
    print_message("%llu recoveries, %llu requests for %zu effects\n",
                  (unsigned long long)s->recoveries, (unsigned long long)sends,
                  effect_count);
    assert_true(s->recoveries >= 400 && s->paid > 0);
    s->p.step = plain_step;
    s->p.step_ctx = s->p.disk;
    process_end(&s->p);
    sim_disk_free(s->p.disk);
    for (size_t i = 0; i < effect_count; i++)
        buf_deinit(&effects[i].request);
    mem_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_is_worked_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
