/* A node on a memory disk, with a schema that needs no Lua: `toy.note` is a
 * fact with one text, and has default methods. The disk can be made to run
 * full, or to fail at one kind of operation. With the bundle `tired` the node
 * gives up when it judges a note again.
 */
#ifndef ATE_TESTS_FIXTURE_NODE_H
#define ATE_TESTS_FIXTURE_NODE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "acceptance/call.h"
#include "acceptance/logic.h"
#include "acceptance/materializer.h"
#include "acceptance/trial.h"
#include "base/memory.h"
#include "base/msgpack.h"
#include "crypto/sign.h"
#include "declare/default_methods.h"
#include "io/memory_disk.h"
#include "node/inside.h"

/* ---- the schema ---- */

struct toy {
    struct logic logic;
    struct schema schema;
};

static void toy_begin(struct logic *l, struct trial *trial)
{
    (void)l;
    (void)trial;
}

static int toy_check(struct logic *l, struct trial *trial,
                     const struct rule *rule, size_t n, struct err *err)
{
    (void)l;
    (void)rule;
    (void)n;
    return !trial->replays ? 0 : err_set(err, ATE_EUNAVAILABLE, "is tired");
}

static uint64_t toy_gas(const struct logic *l)
{
    (void)l;
    return 7;
}

static void toy_free(struct logic *l)
{
    struct toy *toy = (struct toy *)(void *)l;
    schema_deinit(&toy->schema);
    mem_free(toy);
}

static void toy_fill(struct schema *s)
{
    s->main = mem_text("toy");
    s->parts = mem_zero(1, sizeof(*s->parts));
    s->part_count = 1;
    s->parts[0] = (struct schema_part){
        .name = mem_text("toy"), .doc = mem_text("A toy."), .version = 3};
    s->types = mem_zero(1, sizeof(*s->types));
    s->type_count = 1;
    struct event_type *type = &s->types[0];
    type->name = mem_text("toy.note");
    type->schema = mem_text("toy");
    type->doc = mem_text("A note.");
    type->where = mem_text("toy.lua:1");
    type->parent = -1;
    type->header.items = mem_zero(1, sizeof(struct field));
    type->header.count = 1;
    type->header.items[0] = (struct field){
        .name = mem_text("text"),
        .type = {.kind = VALUE_TEXT,
                 .min = INT64_MIN,
                 .max = INT64_MAX,
                 .len_max = 100},
    };
    s->method_count = default_methods_count(type);
    s->methods = mem_zero(s->method_count, sizeof(*s->methods));
    default_methods_put(type, s->methods);
}

static void toy_add_rule(struct schema *s)
{
    s->rules = mem_zero(1, sizeof(*s->rules));
    s->rule_count = 1;
    struct rule *rule = &s->rules[0];
    rule->name = mem_text("toy.asked");
    rule->schema = mem_text("toy");
    rule->doc = mem_text("Is asked.");
    rule->where = mem_text("toy.lua:2");
    rule->on.items = mem_zero(1, sizeof(*rule->on.items));
    rule->on.items[0] = mem_text("toy.note");
    rule->on.count = 1;
}

static int toy_load(void *ctx, struct bytes bundle,
                    const struct logic_limits *limits, struct logic **out,
                    struct err *err)
{
    (void)ctx;
    (void)limits;
    if (bundle.len == 0 || bundle.data[0] != 't')
        return err_set(err, ATE_ESCRIPT, "not a toy");
    struct toy *toy = mem_zero(1, sizeof(*toy));
    toy_fill(&toy->schema);
    if (bytes_equal(bundle, bytes_of_text("tired")))
        toy_add_rule(&toy->schema);
    toy->logic = (struct logic){
        .schema = &toy->schema,
        .begin = toy_begin,
        .check = toy_check,
        .gas = toy_gas,
        .free = toy_free,
    };
    *out = &toy->logic;
    return 0;
}

static const struct logic_maker toy_maker = {.load = toy_load};

/* ---- the world ---- */

struct world {
    const struct logic_maker *maker; /* that of toys, or another one */
    struct memory_disk *memory;
    struct disk disk;      /* in front of it */
    bool full;             /* writes to header files find no room */
    enum job_kind broken;  /* jobs that do this fail, nothing done; 0: none, */
    const char *broken_in; /* where the path has this in it */
    struct job *refused;
    size_t writes;  /* jobs that wrote to header files */
    size_t lists;   /* jobs that listed a folder */
    uint8_t random; /* never random, but never twice the same */
    int64_t wall_ms;
    int64_t steady_us;
    bool doubts;     /* its nodes doubt a time of day that jumps */
    int64_t look_us; /* each look at the clock takes so long */
    int64_t looked_us;
};

static bool writes_head(const struct job *job, uint32_t *which)
{
    for (uint32_t i = 0; i < job->count; i++) {
        size_t len = strlen(job->op[i].path);
        *which = i;
        if (job->op[i].kind == JOB_WRITE && len > 5 &&
            strcmp(job->op[i].path + len - 5, ".head") == 0)
            return true;
    }
    return false;
}

static bool is_broken(const struct world *w, const struct job *job,
                      uint32_t *which)
{
    for (uint32_t i = 0; i < job->count && w->broken != 0; i++) {
        *which = i;
        if (job->op[i].kind == w->broken &&
            strstr(job->op[i].path, w->broken_in) != NULL)
            return true;
    }
    return false;
}

static void world_submit(void *ctx, struct job *job)
{
    struct world *w = ctx;
    uint32_t which = 0;
    bool writes = writes_head(job, &which);
    w->writes += writes;
    w->lists += job->count > 0 && job->op[0].kind == JOB_LIST;
    bool no_room = writes && w->full;
    if (no_room || is_broken(w, job, &which)) {
        job->error = no_room ? ENOSPC : EIO;
        job->failed = which;
        job->next = w->refused;
        w->refused = job;
        return;
    }
    const struct disk *below = memory_disk_interface(w->memory);
    below->submit(below->ctx, job);
}

static size_t world_reap(struct world *w)
{
    struct job *job = w->refused;
    size_t count = 0;
    w->refused = NULL;
    while (job != NULL) {
        struct job *next = job->next;
        job->done(job);
        job = next;
        count++;
    }
    return count + memory_disk_reap(w->memory);
}

static void world_unmap(void *ctx, struct bytes mapped)
{
    struct world *w = ctx;
    const struct disk *disk = memory_disk_interface(w->memory);
    disk->unmap(disk->ctx, mapped);
}

static void world_random(void *ctx, void *out, size_t len)
{
    struct world *w = ctx;
    memset(out, 0, len);
    if (len > 0)
        ((uint8_t *)out)[0] = ++w->random;
}

static int64_t world_steady(void *ctx)
{
    struct world *w = ctx;
    return w->looked_us += w->look_us;
}

static void world_init(struct world *w)
{
    *w = (struct world){
        .maker = &toy_maker, .wall_ms = 1700000000000, .steady_us = 1000000};
    assert_int_equal(crypto_init(NULL), 0);
    w->memory = memory_disk_new();
    memory_disk_clock(w->memory, &w->wall_ms);
    w->disk =
        (struct disk){.ctx = w, .submit = world_submit, .unmap = world_unmap};
}

static void world_deinit(struct world *w)
{
    memory_disk_free(w->memory);
}

/* ---- a node ---- */

static void node_ready(void *ctx, int code, const struct err *err)
{
    int *out = ctx;
    if (code != 0)
        print_message("%s\n", err->text);
    *out = code;
}

static int world_logic_new(void *ctx, struct logic_maker *out, struct err *err)
{
    struct world *w = ctx;
    (void)err;
    *out = *w->maker;
    return 0;
}

static void world_logic_free(void *ctx, struct logic_maker *maker)
{
    (void)ctx;
    (void)maker;
}

static void world_run(struct world *w, struct node *node)
{
    node_tick(node, w->wall_ms, w->steady_us);
    bool more;
    do {
        more = node_flush(node);
    } while (world_reap(w) > 0 || more);
    node_flush(node);
}

static inline void world_pass(struct world *w, struct node *node, int64_t ms)
{
    w->wall_ms += ms;
    w->steady_us += ms * 1000;
    world_run(w, node);
}

static struct node *world_node(struct world *w, bool read_only,
                               uint32_t chains_max)
{
    struct node_env env = {
        .disk = &w->disk,
        .logic = w->maker,
        .materializers = materializers,
        .logic_new = world_logic_new,
        .logic_free = world_logic_free,
        .random = world_random,
        .steady_us = world_steady,
        .ctx = w,
        .read_only = read_only,
        .clock_by_hand = !w->doubts,
        .path = "/data",
        .chains_max = chains_max,
    };
    int code = 1;
    struct node *node = node_new(&env);
    node_tick(node, w->wall_ms, w->steady_us);
    node_start(node, node_ready, &code);
    while (world_reap(w) > 0) {
    }
    assert_int_equal(code, 0);
    return node;
}

static void world_stop(struct world *w, struct node *node)
{
    int code = 1;
    node_stop(node, node_ready, &code);
    world_run(w, node);
    assert_int_equal(code, 0);
    node_free(node);
}

/* ---- asking ---- */

struct ask {
    struct node_request request;
    struct buf args;
    struct buf result;
    struct buf chunks; /* one after the other */
    size_t chunk_count;
    bool done;
    int code;
    struct err err;
};

static void ask_chunk(struct node_request *request, struct bytes value)
{
    struct ask *ask = request->owner;
    assert_false(ask->done);
    assert_int_equal(mp_check(value, NULL), 0);
    buf_put_bytes(&ask->chunks, value);
    ask->chunk_count++;
}

static void ask_final(struct node_request *request, int code,
                      const struct err *err, struct bytes result)
{
    struct ask *ask = request->owner;
    assert_false(ask->done);
    ask->done = true;
    ask->code = code;
    if (code != 0)
        ask->err = *err;
    if (result.len > 0)
        assert_int_equal(mp_check(result, NULL), 0);
    buf_put_bytes(&ask->result, result);
}

static uint64_t ask_count;

/* Arguments are "name=value", sorted by name: a text, or after '#' a number, or
 * true or false. `chain` NULL: the node. */
static void ask_begin(struct node *node, struct ask *ask,
                      enum request_kind kind, const char *chain,
                      const char *method, const char *const *args)
{
    uint32_t count = 0;
    while (args[count] != NULL)
        count++;
    *ask = (struct ask){0};
    mp_put_map(&ask->args, count);
    for (uint32_t i = 0; i < count; i++) {
        const char *eq = strchr(args[i], '=');
        mp_put_str(&ask->args, bytes_of(args[i], (size_t)(eq - args[i])));
        if (strcmp(eq, "=true") == 0)
            mp_put_bool(&ask->args, true);
        else if (eq[1] == '#')
            mp_put_int(&ask->args, atoll(eq + 2));
        else if (strncmp(eq, "=bin:", 5) == 0)
            mp_put_bin(&ask->args, bytes_of_text(eq + 5));
        else
            mp_put_text(&ask->args, eq + 1);
    }
    ask->request = (struct node_request){
        .kind = kind,
        .of_node = chain == NULL,
        .chain = bytes_of_text(chain != NULL ? chain : ""),
        .method = bytes_of_text(method),
        .args = buf_bytes(&ask->args),
        .chunk = ask_chunk,
        .final = ask_final,
        .owner = ask,
    };
    put_be64(ask->request.call_id, ++ask_count);
    (void)node;
}

static void ask_end(struct ask *ask)
{
    assert_true(ask->done);
    buf_deinit(&ask->args);
    buf_deinit(&ask->result);
    buf_deinit(&ask->chunks);
}

#define ARGS(...) ((const char *const[]){__VA_ARGS__ __VA_OPT__(, ) NULL})

static void start_call(struct node *node, struct ask *ask, const char *chain,
                       const char *method, const char *const *args)
{
    ask_begin(node, ask, REQUEST_CALL, chain, method, args);
    node_ask(node, &ask->request);
}

static inline void start_read(struct node *node, struct ask *ask,
                              const char *chain, const char *method,
                              const char *const *args)
{
    ask_begin(node, ask, REQUEST_READ, chain, method, args);
    node_ask(node, &ask->request);
}

static int call(struct world *w, struct node *node, struct ask *ask,
                const char *chain, const char *method, const char *const *args)
{
    start_call(node, ask, chain, method, args);
    world_run(w, node);
    assert_true(ask->done);
    return ask->code;
}

static inline int read_(struct world *w, struct node *node, struct ask *ask,
                        const char *chain, const char *method,
                        const char *const *args)
{
    start_read(node, ask, chain, method, args);
    world_run(w, node);
    assert_true(ask->done);
    return ask->code;
}

/* A call that has to succeed, and whose answer does not matter. */
static void call_ok(struct world *w, struct node *node, const char *chain,
                    const char *method, const char *const *args)
{
    struct ask ask;
    if (call(w, node, &ask, chain, method, args) != 0)
        fail_msg("%s: %s", method, ask.err.text);
    ask_end(&ask);
}

static inline void create(struct world *w, struct node *node, const char *name)
{
    char arg[300];
    snprintf(arg, sizeof(arg), "name=%s", name);
    call_ok(w, node, NULL, "chain.create", ARGS("bundle=bin:toy", arg));
}

/* Of a result that is a map: a whole number, and a text. */
static inline int64_t int_at(const struct buf *map, const char *name)
{
    int64_t value = -1;
    struct mp mp = mp_open(mp_map_get(buf_bytes(map), name));
    assert_int_equal(mp_get_int(&mp, &value, NULL), 0);
    return value;
}

static inline bool text_is(const struct buf *map, const char *name,
                           const char *text)
{
    struct bytes value;
    struct mp mp = mp_open(mp_map_get(buf_bytes(map), name));
    assert_int_equal(mp_get_str(&mp, &value, NULL), 0);
    return bytes_equal(value, bytes_of_text(text));
}

static inline bool same_text(const struct buf *a, const char *name_a,
                             const struct buf *b, const char *name_b)
{
    struct bytes one = mp_map_get(buf_bytes(a), name_a);
    struct bytes other = mp_map_get(buf_bytes(b), name_b);
    return one.len > 1 && bytes_equal(one, other);
}

static inline bool contains(const struct buf *bytes, const char *text)
{
    return memmem(bytes->data, bytes->len, text, strlen(text)) != NULL;
}
#endif
