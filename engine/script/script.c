/* A cache of loaded bundles, and the logic of one chain over them.
 *
 * (1) The judge's image is put back before each function. Gas is counted on for
 *     one event, and for a whole transaction: `judged` says which one it is
 *     counted for. begin() makes it stale, so no transaction counts for
 *     another, even if both have the same address.
 * (2) A fold that reads bodies has the chain's own limits for itself alone,
 *     whoever runs it: where it ends for good is the same when an event is
 *     accepted, when it is replayed, and whatever else looked at it.
 * (3) The host's image is put back before each run.
 * (4) A rule or fold that fails ends the transaction; whatever state its
 *     sandbox is in, the next begin() makes it good. */
#include "script/script.h"

#include <assert.h>
#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

#include "acceptance/door.h"
#include "base/err.h"
#include "base/memory.h"
#include "crypto/hash.h"
#include "declare/bundle_load.h"
#include "declare/vocabulary.h"
#include "script/box.h"
#include "script/lua_ctx.h"
#include "script/lua_function.h"
#include "script/lua_record.h"
#include "script/lua_rows.h"
#include "script/lua_value.h"

struct entry {
    uint8_t hash[HASH_SIZE];
    struct logic_limits limits;
    struct buf bundle;
    struct box *judge;
    struct box *host;
    const void *judged_for; /* the logic that gas is counted for; or NULL */
    const struct trial *judged_trial;
    size_t judged_event;
    size_t refs;
    struct entry *next;
};

struct script_cache {
    struct watch *watch; /* or NULL */
    struct entry *entries;
};

struct script {
    struct logic logic; /* first: a struct logic is one of these */
    struct script_cache *cache;
    struct entry *entry;
    uint64_t gas;
};

static struct script *script_of(struct logic *l)
{
    return (struct script *)l;
}

/* ---- rules and folds ---- */

static void begin(struct logic *l, struct trial *trial)
{
    struct script *s = script_of(l);
    (void)trial;
    s->entry->judged_for = NULL;
    s->gas = 0;
}

/* Invariants (1) and (2). */
static void begin_judge(struct script *s, struct trial *trial, size_t n,
                        const struct view *view)
{
    struct entry *e = s->entry;
    bool is_private = view != NULL && view->reads_bodies;
    if (is_private)
        box_begin(e->judge, false);
    else if (e->judged_for != s || e->judged_trial != trial ||
             e->judged_event != n)
        box_begin(e->judge, trial->replays);
    else
        box_begin_again(e->judge);
    e->judged_for = is_private ? NULL : s;
    e->judged_trial = trial;
    e->judged_event = n;
}

static struct box *judge_of(struct script *s, struct trial *trial, size_t n,
                            const struct view *view)
{
    struct entry *e = s->entry;
    begin_judge(s, trial, n, view);
    struct script_run *run = &e->judge->run;
    run->core = trial->core;
    run->trial = trial;
    run->n = n;
    run->call = NULL;
    run->method = NULL;
    run->rule = NULL;
    run->view = view;
    run->refused = false;
    buf_clear(&run->out);
    return e->judge;
}

/* A replay has more of everything than whoever accepted the event, so running
 * out says something of this node, and nothing of the log. */
static int replay_ran_out(struct err *err)
{
    err_set(err, ATE_EUNAVAILABLE, "%s", err->text);
    return err_reason(err, "replay_limit");
}

static int run_judge(struct script *s, struct box *b, lua_CFunction function,
                     struct err *err)
{
    uint64_t before = sandbox_gas_used(b->sandbox);
    int rc = sandbox_run(b->sandbox, function, b, err);
    s->gas += sandbox_gas_used(b->sandbox) - before;
    bool is_private = b->run.view != NULL && b->run.view->reads_bodies;
    if (rc == ATE_ELIMIT && b->run.trial->replays && !is_private &&
        sandbox_is_dead(b->sandbox))
        return replay_ran_out(err);
    return rc;
}

/* NULL: the rule is about a whole transaction. */
static const struct trial_event *event_of(const struct script_run *run)
{
    return run->n == SIZE_MAX ? NULL : run->trial->events[run->n];
}

static const struct event_type *type_of(const struct script_run *run)
{
    const struct trial_event *event = event_of(run);
    return event == NULL ? NULL : event->type;
}

/* As rules see them: of a deletion, those of what is deleted. */
static struct bytes fields_of(const struct script_run *run)
{
    const struct trial_event *event = event_of(run);
    if (event == NULL)
        return bytes_of(NULL, 0);
    return event->change == CHANGE_DELETE ? event->before_header.fields
                                          : event->header.fields;
}

/* The values of a refusal, by the types that its text prints them with. */
static void take_refusal(lua_State *L, struct script_run *run, const char *name)
{
    const struct event_type *type = type_of(run);
    lua_value_take_names(L, -1, type != NULL ? &type->header : NULL,
                         &run->rule->says, &run->out, name);
    run->refused = true;
}

static int ask_rule(lua_State *L)
{
    struct box *b = lua_touserdata(L, 1);
    struct script_run *run = &b->run;
    const char *name = schema_short(b->schema, run->rule->name);
    int top = lua_gettop(L);
    luaL_checkstack(L, 8, "rule");
    sandbox_charge(L, BOX_RUN_GAS);
    lua_rawgeti(L, LUA_REGISTRYINDEX, run->function);
    box_push_state(L, run->part);
    if (run->n != SIZE_MAX)
        lua_record_push_event(L, run->trial, run->n, false);
    lua_rawgeti(L, LUA_REGISTRYINDEX, b->tx);
    sandbox_nest(L);
    lua_call(L, lua_gettop(L) - top - 1, 1);
    sandbox_unnest(L);
    if (lua_isboolean(L, -1) && lua_toboolean(L, -1)) {
        if (!vocabulary_denied(L))
            return 0;
        return sandbox_error(L,
                             "made an ate.deny() and returned true: what "
                             "refuses has to be returned, and is true to 'and' "
                             "and 'if' (%s)",
                             run->rule->where);
    }
    if (vocabulary_refusal(L, lua_gettop(L))) {
        take_refusal(L, run, name);
        return 0;
    }
    const char *got = luaL_typename(L, -1);
    if (lua_isboolean(L, -1))
        got = "false";
    return sandbox_error(L,
                         "returned %s; it has to return true or ate.deny() "
                         "(%s)",
                         got, run->rule->where);
}

static int refusal(struct script *s, const struct script_run *run,
                   const char *name, struct err *err)
{
    const struct rule *rule = run->rule;
    const struct event_type *type = type_of(run);
    struct door door = {
        .core = run->core,
        .version = state_head(&run->core->state),
        .names = run->core->names,
    };
    struct buf text = {0};
    (void)s;
    buf_printf(&text, "%s: ", name);
    if (rule->text != NULL)
        door_refusal(&door, rule->text, type != NULL ? &type->header : NULL,
                     fields_of(run), &rule->says, buf_bytes(&run->out), &text);
    else
        buf_put_text(&text, rule->doc);
    err_set(err, ATE_EREFUSED, "%s", buf_text(&text));
    buf_deinit(&text);
    if (err != NULL)
        snprintf(err->rule, sizeof(err->rule), "%s", name);
    return ATE_EREFUSED;
}

static int check(struct logic *l, struct trial *trial, const struct rule *rule,
                 size_t n, struct err *err)
{
    struct script *s = script_of(l);
    struct box *b = judge_of(s, trial, n, NULL);
    struct err why = {0};
    const char *name = schema_short(b->schema, rule->name);
    b->run.rule = rule;
    b->run.part = rule->schema;
    b->run.function = rule->function;
    int rc = run_judge(s, b, ask_rule, &why);
    if (rc == 0)
        return b->run.refused ? refusal(s, &b->run, name, err) : 0;
    err_wrap(&why, "rule %s", name);
    if (err != NULL)
        *err = why;
    return rc;
}

static int run_fold(lua_State *L)
{
    struct box *b = lua_touserdata(L, 1);
    struct script_run *run = &b->run;
    luaL_checkstack(L, 8, "fold");
    sandbox_charge(L, BOX_RUN_GAS);
    lua_rawgeti(L, LUA_REGISTRYINDEX, run->function);
    lua_rawgeti(L, LUA_REGISTRYINDEX, b->rows);
    lua_record_push_event(L, run->trial, run->n, run->view->reads_bodies);
    lua_rawgeti(L, LUA_REGISTRYINDEX, b->tx);
    sandbox_nest(L);
    lua_call(L, 3, 0);
    sandbox_unnest(L);
    return 0;
}

static int fold(struct logic *l, struct trial *trial, const struct view *view,
                int function, size_t n, struct err *err)
{
    struct script *s = script_of(l);
    struct box *b = judge_of(s, trial, n, view);
    struct err why = {0};
    b->run.part = view->schema;
    b->run.function = function;
    int rc = run_judge(s, b, run_fold, &why);
    b->run.view = NULL;
    if (rc == 0)
        return 0;
    err_wrap(&why, "view %s, fold of %s", schema_short(b->schema, view->name),
             schema_short(b->schema, trial->events[n]->type->name));
    if (err != NULL)
        *err = why;
    return rc;
}

/* ---- methods ---- */

/* What a worker waited for. */
static void push_subject(lua_State *L, const struct work_run *work)
{
    const struct box *b = box_of(L);
    if (work->event == NULL) {
        lua_rows_push_row(L, work->worker->view, work->row_key, work->columns);
        return;
    }
    const struct event_type *type =
        schema_type(b->schema, work->event->header.type);
    assert(type != NULL);
    lua_record_push_past(L, type, work->event);
}

static void push_args(lua_State *L, const struct method *method,
                      struct bytes args)
{
    static const uint8_t empty_map = 0x80;
    if (args.len == 0)
        args = bytes_of(&empty_map, 1);
    lua_value_push_fields(L, &method->args, args,
                          schema_short(box_of(L)->schema, method->name));
}

static int run_method(lua_State *L)
{
    struct box *b = lua_touserdata(L, 1);
    struct call *call = b->run.call;
    const struct method *method = call->method;
    luaL_checkstack(L, 8, "method");
    if (call->work != NULL)
        push_subject(L, call->work);
    else
        push_args(L, method, call->args);
    lua_ctx_run(L, method);
    lua_ctx_take_result(L, -1, method, &b->run.out);
    return 0;
}

static int run(struct logic *l, struct call *call, struct err *err)
{
    struct script *s = script_of(l);
    struct box *b = s->entry->host;
    const struct method *method = call->method;
    struct err why = {0};
    assert((call->work != NULL) == (method->by_default == DEFAULT_WORKER));
    s->gas = 0;
    box_begin(b, false);
    b->run.core = call->core;
    b->run.trial = NULL;
    b->run.rule = NULL;
    b->run.view = NULL;
    b->run.call = call;
    b->run.method = method;
    b->run.part = method->schema;
    int rc = sandbox_run(b->sandbox, run_method, b, &why);
    s->gas += sandbox_gas_used(b->sandbox);
    b->run.call = NULL;
    buf_clear(&call->result);
    if (rc == 0)
        buf_put_bytes(&call->result, buf_bytes(&b->run.out));
    else if (rc == ATE_ESCRIPT || rc == ATE_ELIMIT ||
             sandbox_is_dead(b->sandbox))
        err_wrap(&why, "%s %s", call->work != NULL ? "worker" : "method",
                 schema_short(b->schema, method->name));
    if (rc != 0 && err != NULL)
        *err = why;
    return rc;
}

/* ---- upgrades ---- */

struct upgrade_run {
    struct box *box;
    const struct event_type *type;
    struct bytes fields;
};

static int run_upgrade(lua_State *L)
{
    const struct upgrade_run *u = lua_touserdata(L, 1);
    const struct event_type *type = u->type;
    luaL_checkstack(L, 8, "upgrade");
    lua_rawgeti(L, LUA_REGISTRYINDEX, u->box->run.function);
    lua_value_push_plain(L, u->fields, type->name);
    sandbox_nest(L);
    lua_call(L, 1, 1);
    sandbox_unnest(L);
    if (!lua_istable(L, -1))
        return sandbox_error(L,
                             "returned %s; it has to return a table of "
                             "fields",
                             luaL_typename(L, -1));
    lua_value_take_fields(L, -1, &type->header, false, &u->box->run.out,
                          type->name, "field");
    return 0;
}

static int upgrade(struct logic *l, const struct event_type *type, int function,
                   struct bytes fields, struct buf *out, struct err *err)
{
    struct script *s = script_of(l);
    struct box *b = s->entry->judge;
    struct upgrade_run u = {b, type, fields};
    struct err why = {0};
    s->entry->judged_for = NULL; /* its image is not a rule's any more */
    box_begin(b, true);
    b->run.core = NULL; /* it sees nothing but the fields */
    b->run.trial = NULL;
    b->run.call = NULL;
    b->run.rule = NULL;
    b->run.view = NULL;
    b->run.part = type->schema;
    b->run.function = function;
    buf_clear(&b->run.out);
    int rc = sandbox_run(b->sandbox, run_upgrade, &u, &why);
    if (rc == ATE_ELIMIT && sandbox_is_dead(b->sandbox))
        rc = replay_ran_out(&why);
    if (rc == 0) {
        buf_put_bytes(out, buf_bytes(&b->run.out));
        return 0;
    }
    err_wrap(&why, "upgrade of %s", type->name);
    if (err != NULL)
        *err = why;
    return rc;
}

struct digest_run {
    struct bytes bundle;
    int function;
    uint8_t *out;
};

static int run_digest(lua_State *L)
{
    const struct digest_run *d = lua_touserdata(L, 1);
    lua_rawgeti(L, LUA_REGISTRYINDEX, d->function);
    lua_function_digest(L, d->bundle, d->out);
    return 0;
}

/* Of what stands in the image, and not of what the last run made of it. One
 * that cannot be made is that of the bundle. */
static void digest(struct logic *l, int function, uint8_t out[32])
{
    struct entry *e = script_of(l)->entry;
    struct digest_run d = {buf_bytes(&e->bundle), function, out};
    e->judged_for = NULL;
    box_begin(e->judge, true);
    if (sandbox_run(e->judge->sandbox, run_digest, &d, NULL) != 0)
        sha256(d.bundle, out);
}

/* ---- the cache ---- */

static uint64_t gas(const struct logic *l)
{
    return ((const struct script *)l)->gas;
}

static void entry_free(struct entry *e)
{
    buf_deinit(&e->bundle);
    box_free(e->host);
    box_free(e->judge);
    mem_free(e);
}

static void logic_free(struct logic *l)
{
    struct script *s = script_of(l);
    struct entry *e = s->entry;
    assert(e->refs > 0);
    if (e->judged_for == s)
        e->judged_for = NULL;
    if (--e->refs == 0) {
        struct entry **at = &s->cache->entries;
        while (*at != e)
            at = &(*at)->next;
        *at = e->next;
        entry_free(e);
    }
    mem_free(s);
}

static struct entry *find(const struct script_cache *cache,
                          const uint8_t hash[HASH_SIZE],
                          const struct logic_limits *limits)
{
    for (struct entry *e = cache->entries; e != NULL; e = e->next)
        if (memcmp(e->hash, hash, HASH_SIZE) == 0 &&
            e->limits.gas == limits->gas && e->limits.memory == limits->memory)
            return e;
    return NULL;
}

static struct sandbox_limits of_runs(const struct logic_limits *limits)
{
    return (struct sandbox_limits){
        .gas = limits->gas,
        .memory = limits->memory < SANDBOX_MEMORY_MAX ? (size_t)limits->memory
                                                      : SANDBOX_MEMORY_MAX,
    };
}

static int entry_new(struct script_cache *cache, struct bytes bundle,
                     const struct logic_limits *limits, struct entry **out,
                     struct err *err)
{
    struct entry *e = mem_zero(1, sizeof(*e));
    struct sandbox_limits runs = of_runs(limits);
    int rc = box_new(&e->judge, bundle, &runs, NULL, cache->watch, err);
    if (rc == 0)
        rc = box_new(&e->host, bundle, &runs, e->judge->schema, cache->watch,
                     err);
    if (rc != 0) {
        entry_free(e);
        return rc;
    }
    e->limits = *limits;
    buf_put_bytes(&e->bundle, bundle);
    e->next = cache->entries;
    cache->entries = e;
    *out = e;
    return 0;
}

static int load(void *ctx, struct bytes bundle,
                const struct logic_limits *limits, struct logic **out,
                struct err *err)
{
    struct script_cache *cache = ctx;
    uint8_t hash[HASH_SIZE];
    sha256(bundle, hash);
    struct entry *e = find(cache, hash, limits);
    *out = NULL;
    if (e == NULL) {
        int rc = entry_new(cache, bundle, limits, &e, err);
        if (rc != 0)
            return rc;
        memcpy(e->hash, hash, HASH_SIZE);
    }
    e->refs++;
    struct script *s = mem_zero(1, sizeof(*s));
    *s = (struct script){
        .logic =
            {
                .schema = e->judge->schema,
                .begin = begin,
                .check = check,
                .fold = fold,
                .run = run,
                .upgrade = upgrade,
                .digest = digest,
                .gas = gas,
                .free = logic_free,
            },
        .cache = cache,
        .entry = e,
    };
    s->logic.bundle = buf_bytes(&s->entry->bundle);
    *out = &s->logic;
    return 0;
}

struct script_cache *script_cache_new(struct watch *watch)
{
    struct script_cache *cache = mem_zero(1, sizeof(*cache));
    cache->watch = watch;
    return cache;
}

void script_cache_free(struct script_cache *cache)
{
    if (cache == NULL)
        return;
    assert(cache->entries == NULL);
    mem_free(cache);
}

struct logic_maker script_maker(struct script_cache *cache)
{
    return (struct logic_maker){
        .ctx = cache, .load = load, .knows = bundle_knows};
}
