/* The node as its driver sees it: life, which way a request goes, time, and the
 * flush.
 *
 * (1) What a callback learns is only noted. node_flush() settles it, until
 *     nothing is left that was touched, so what came before one flush is
 *     written together.
 * (2) Queries that take long go on behind that, when what the calls left is on
 *     its way to the disk.
 * (3) A name that nobody knows is looked for once more where another process
 *     may have written it since.
 * (4) It has stopped when no request, chain, creation, check or file is under
 *     way any more; a flush notices. */
#include "node/node.h"

#include <assert.h>
#include <string.h>

#include "base/limits.h"
#include "base/memory.h"
#include "base/near.h"
#include "node/inside.h"

enum { NAMES_NEAR_MAX = 4096 /* looked through for the name that was meant */ };

/* ---- life ---- */

static int64_t wall_now(void *ctx)
{
    const struct node *node = ctx;
    return node->clock.wall_ms;
}

static int64_t wall_doubt(void *ctx)
{
    const struct node *node = ctx;
    return clock_doubt(&node->clock);
}

static int64_t steady_now(void *ctx)
{
    const struct node *node = ctx;
    return node->env.steady_us(node->env.ctx);
}

static const struct key_pair *order_pair(void *ctx, const uint8_t id[32])
{
    struct node *node = ctx;
    const struct key_entry *entry = keys_by_id(&node->keys, id);
    if (entry == NULL || keys_may_sign(&node->keys, entry, NULL) != 0)
        return NULL;
    return &entry->pair;
}

static const struct key_pair *node_pair(void *ctx)
{
    struct node *node = ctx;
    const struct key_pair *pair = NULL;
    keys_find(&node->keys, bytes_of_text(KEY_NAME_NODE), &pair, NULL);
    return pair;
}

static void node_random(void *ctx, void *out, size_t len)
{
    struct node *node = ctx;
    node->env.random(node->env.ctx, out, len);
}

static void init_rings(struct node *node)
{
    ring_init(&node->touched);
    ring_init(&node->cut);
    ring_init(&node->used);
    ring_init(&node->dirty);
    ring_init(&node->queued);
    ring_init(&node->timed);
    ring_init(&node->lost);
    ring_init(&node->searching);
    ring_init(&node->creates);
    ring_init(&node->verifying);
}

struct node *node_new(const struct node_env *env)
{
    struct node *node = mem_zero(1, sizeof(*node));
    uint8_t seed[MAP_SEED_LEN];
    node->env = *env;
    node->read_only = env->read_only || env->folder;
    node->chains_max =
        env->chains_max != 0 ? env->chains_max : (uint32_t)LIMIT_CHAINS_OPEN;
    node->idle_us =
        (env->chain_idle_ms != 0 ? env->chain_idle_ms : NODE_CHAIN_IDLE_MS) *
        1000;
    node->clock.by_hand = env->clock_by_hand;
    init_rings(node);
    node->timed_us = INT64_MAX;
    node->work_us = INT64_MAX;
    env->random(env->ctx, seed, sizeof(seed));
    map_init(&node->hosted, seed);
    map_init(&node->sleeping, seed);
    keys_init(&node->keys, env->disk, env->random, env->ctx);
    node->keys.folder = env->path;
    node->keys.generation = &node->generation;
    node->door_names = keys_door_names(&node->keys);
    names_file_init(&node->names, env->disk);
    node->deps = (struct chain_deps){
        .disk = env->disk,
        .logic = env->logic,
        .materializers = env->materializers,
        .names = &node->door_names,
        .pool = env->pool,
        .now = wall_now,
        .doubt = wall_doubt,
        .steady_us = env->steady_us != NULL ? steady_now : NULL,
        .order_pair = order_pair,
        .node_pair = node_pair,
        .random = node_random,
        .ctx = node,
        .generation = &node->generation,
    };
    query_line_init(&node->line, node->deps.steady_us, node);
    return node;
}

void node_free(struct node *node)
{
    if (node == NULL)
        return;
    assert(node->asked_count == 0);
    assert(node->hosted.count == 0 && node->open_count == 0);
    working_end(node);
    map_deinit(&node->hosted);
    map_deinit(&node->sleeping);
    names_file_deinit(&node->names);
    keys_deinit(&node->keys);
    mem_free(node);
}

uint64_t node_generation(const struct node *node)
{
    return generation_of(&node->generation);
}

uint64_t node_schema_generation(const struct node *node)
{
    return generation_of_schemas(&node->generation);
}

static void end_start(struct node *node, const struct err *err)
{
    node_done *done = node->done;
    node->done = NULL;
    done(node->done_ctx, err->code, err);
}

/* Whoever may read a chain need not be allowed to read the keys. */
static void keys_loaded(void *ctx, int code, const struct err *err)
{
    struct node *node = ctx;
    struct err none = {0};
    bool matters = code != 0 && !(node->read_only && code == ATE_EDENIED);
    end_start(node, matters ? err : &none);
}

static void names_loaded(void *ctx, int code, const struct err *err)
{
    struct node *node = ctx;
    if (code != 0)
        end_start(node, err);
    else
        keys_load(&node->keys, keys_loaded, node);
}

void node_start(struct node *node, node_done *done, void *ctx)
{
    assert(node->done == NULL);
    node->done = done;
    node->done_ctx = ctx;
    if (node->env.folder) {
        struct err none = {0};
        end_start(node, &none);
        return;
    }
    names_file_read(&node->names, !node->read_only, names_loaded, node);
}

void node_stop(struct node *node, node_done *done, void *ctx)
{
    assert(node->done == NULL && !node->stopping);
    node->stopping = true;
    node->done = done;
    node->done_ctx = ctx;
    size_t at = 0;
    struct bytes name;
    uint64_t value;
    while (map_each(&node->hosted, &at, &name, &value))
        hosted_touch(hosted_find(node, name));
}

static bool has_stopped(const struct node *node)
{
    return node->stopping && node->hosted.count == 0 &&
           node->asked_count == 0 && node->creating == NULL &&
           ring_is_empty(&node->verifying) && keys_are_idle(&node->keys) &&
           !names_file_is_busy(&node->names);
}

int node_may_make_me(const struct node *node, struct err *err)
{
    const struct names_file *names = &node->names;
    if (names->names.count == 0 && names->unnamed.count == 0)
        return 0;
    struct buf list = {0};
    node->door_names.list(node->door_names.ctx, &list);
    err_set(err, ATE_ENOT_FOUND,
            "no key '" KEY_NAME_ME
            "', and none is made where there are chains: put keys/" KEY_NAME_ME
            ".key back if it was lost, or name another key%s%s%s",
            list.len > 0 ? " (there are: " : "", buf_text(&list),
            list.len > 0 ? ")" : "");
    buf_deinit(&list);
    return err_reason(err, "no_key_me");
}

/* ---- routing ---- */

static void no_chain(struct asked *a)
{
    struct node *node = a->node;
    struct bytes name = a->request->chain;
    const struct unnamed *claims = unnamed_find(&node->names.unnamed, name);
    if (claims != NULL) {
        asked_fail(a, &claims->why);
        return;
    }
    struct bytes at = bytes_of(NULL, 0);
    uint8_t id[NAMES_ID_SIZE];
    char **names = mem_zero(NAMES_NEAR_MAX, sizeof(*names));
    size_t count = 0;
    while (count < NAMES_NEAR_MAX &&
           names_next(&node->names.names, at, &at, id)) {
        names[count] = mem_zero(1, at.len + 1);
        memcpy(names[count++], at.data, at.len);
    }
    struct err err;
    err_set(&err, ATE_ENOT_FOUND, "no chain '%.*s'",
            (int)(name.len < LIMIT_NAME ? name.len : LIMIT_NAME),
            (const char *)name.data);
    bool is_near = near_tell(&err, name, (const char *const *)names, count, "");
    err_reason(&err, is_near ? "misspelt_chain" : "no_chain");
    for (size_t i = 0; i < count; i++)
        mem_free(names[i]);
    mem_free(names);
    asked_fail(a, &err);
}

static void route(struct asked *a)
{
    struct node *node = a->node;
    struct bytes name = a->request->chain;
    uint8_t id[NAMES_ID_SIZE];
    if (a->request->of_node) {
        own_ask(a);
        return;
    }
    bool is_folder = node->env.folder && name.len == 0;
    bool is_verify = a->request->kind == REQUEST_READ &&
                     bytes_equal(a->request->method, bytes_of_text("verify"));
    struct hosted *h = hosted_find(node, name);
    if (h == NULL && !is_folder && !names_find(&node->names.names, name, id)) {
        bool may_be_new = node->read_only && !node->env.folder;
        if (may_be_new && !a->looked_again)
            node_search(a);
        else
            no_chain(a);
        return;
    }
    if (h == NULL && is_verify) { /* no need to open it twice */
        verify_start(a, is_folder ? NULL : id);
        return;
    }
    if (h == NULL)
        h = hosted_open(node, name, is_folder ? NULL : id);
    hosted_ask(h, a);
}

static void searched(void *ctx, int code, const struct err *err);

static void search(struct node *node)
{
    if (ring_is_empty(&node->lost) || names_file_is_busy(&node->names))
        return;
    ring_move(&node->searching, &node->lost);
    names_file_read(&node->names, false, searched, node);
}

static void searched(void *ctx, int code, const struct err *err)
{
    struct node *node = ctx;
    struct ring *r;
    while ((r = ring_take(&node->searching)) != NULL) {
        struct asked *a = ring_entry(r, struct asked, ring);
        a->looked_again = true;
        if (code != 0)
            asked_fail(a, err);
        else
            route(a);
    }
    search(node);
}

void node_search(struct asked *a)
{
    ring_add(&a->node->lost, &a->ring);
    search(a->node);
}

void node_ask(struct node *node, struct node_request *request)
{
    assert(node->done == NULL && !node->stopping);
    struct asked *a = asked_new(node, request);
    if (a != NULL)
        route(a);
}

void node_cancel(struct node *node, struct node_request *request)
{
    struct asked *a = request->asked;
    if (a == NULL)
        return;
    assert(a->node == node);
    a->canceled = true;
    if (a->hosted != NULL)
        hosted_touch(a->hosted);
}

void node_grant(struct node *node, struct node_request *request,
                uint32_t chunks)
{
    struct asked *a = request->asked;
    if (a == NULL)
        return;
    assert(a->node == node);
    if (a->query != NULL) {
        query_grant(a->query, chunks);
        a->wants_run = true;
        hosted_touch(a->hosted);
    } else if (a->verifying != NULL) {
        verify_grant(a->verifying, chunks);
    } else if (!a->started) {
        request->credit =
            (request->credit != 0 ? request->credit : NODE_CREDIT) + chunks;
    }
}

/* ---- time ---- */

void node_tick(struct node *node, int64_t wall_ms, int64_t steady_us)
{
    clock_look(&node->clock, wall_ms, steady_us);
    assert(steady_us >= node->steady_us);
    node->steady_us = steady_us;
    asked_expire(node);
    hosted_tick(node);
    working_tick(node);
}

int64_t node_next_deadline(const struct node *node)
{
    int64_t deadline = hosted_deadline(node);
    int64_t work = working_deadline(node);
    deadline = work < deadline ? work : deadline;
    return node->timed_us < deadline ? node->timed_us : deadline;
}

static void settle(struct node *node)
{
    struct ring *r;
    do {
        create_settle(node);
        while ((r = ring_take(&node->touched)) != NULL)
            hosted_settle(ring_entry(r, struct hosted, touched));
        verify_settle_all(node);
    } while (!ring_is_empty(&node->touched) || create_can_settle(node));
}

/* What calls have left is on its way to the disk when long reads go on. */
bool node_flush(struct node *node)
{
    struct ring *r;
    query_line_turn(&node->line);
    while ((r = ring_take(&node->cut)) != NULL)
        hosted_touch(ring_entry(r, struct hosted, cut));
    settle(node);
    if (!ring_is_empty(&node->line.waiting)) {
        query_line_run(&node->line);
        settle(node);
    }
    if (node->done != NULL && has_stopped(node))
        end_start(node, &(struct err){0});
    return !ring_is_empty(&node->line.waiting) || !ring_is_empty(&node->cut);
}
