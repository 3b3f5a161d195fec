/* A core with a schema given as text, on which transactions are tried and
 * methods are called. The caller is one key, which is a root key, too; objects
 * are named as at doors. */
#ifndef ATE_TESTS_UNIT_FIXTURE_SCRIPT_H
#define ATE_TESTS_UNIT_FIXTURE_SCRIPT_H

#include "fixture_event.h"
#include "fixture_schema.h"

#include "acceptance/call.h"
#include "acceptance/core_open.h"
#include "acceptance/door.h"
#include "acceptance/logic.h"
#include "acceptance/materializer.h"
#include "event/body.h"
#include "event/genesis.h"
#include "sandbox/watch.h"
#include "script/script.h"

struct world {
    struct watch watch;
    struct script_cache *cache;
    struct logic_maker script;
    struct logic_maker maker; /* `script`, with the gas that the test wants */
    uint64_t gas_of_runs;
    struct core core;
    struct key_pair me;    /* root, and order key */
    struct key_pair other; /* another author, not a root key */
    const struct key_pair *author;
    uint64_t index;  /* of the next transaction */
    struct err err;  /* of the last call */
    struct buf text; /* what the last call gave, see world_show() */
    uint64_t gas;
    uint8_t verdict[HASH_SIZE];
    bool replays;      /* transactions are as if read back from a log */
    bool keeps_bodies; /* NEED is answered with `body` */
    struct buf body;
};

static inline void world_genesis(struct world *w, struct bytes bundle,
                                 uint64_t gas, struct buf *out)
{
    struct err err;
    uint8_t hash[HASH_SIZE];
    uint8_t nonce[GENESIS_NONCE_SIZE] = {7};
    struct buf limits = {0};
    struct genesis g = {
        .format = GENESIS_FORMAT,
        .suite = SUITE_1,
        .nonce = nonce,
        .log_time = 1000,
        .name = bytes_of_text("test"),
        .partition = bytes_of_text("test"),
        .root_count = 1,
        .roots = {w->me.record},
        .threshold = 1,
        .order = w->me.record,
        .engine = bytes_of_text("test"),
        .bundle_hash = hash,
        .bundle_length = bundle.len,
    };
    mp_put_map(&limits, 2);
    mp_put_text(&limits, "gas");
    mp_put_uint(&limits, gas);
    mp_put_text(&limits, "memory");
    mp_put_uint(&limits, 1 << 20);
    g.limits = buf_bytes(&limits);
    g.pipeline_count = fixture_pipeline(g.pipeline);
    body_hash(bundle, hash);
    if (genesis_put(out, &g, &err) != 0)
        fail_msg("genesis: %s", err.text);
    buf_deinit(&limits);
}

/* Genesis allows no more than LIMIT_RUN_GAS; a test may. */
static inline int world_load(void *ctx, struct bytes bundle,
                             const struct logic_limits *limits,
                             struct logic **out, struct err *err)
{
    const struct world *w = ctx;
    struct logic_limits more = *limits;
    if (w->gas_of_runs > LIMIT_RUN_GAS)
        more.gas = w->gas_of_runs;
    return w->script.load(w->script.ctx, bundle, &more, out, err);
}

static inline void world_open_bundle(struct world *w, struct bytes bundle,
                                     uint64_t gas)
{
    struct err err;
    struct buf genesis = {0};
    *w = (struct world){0};
    fixture_pair(&w->me, 1);
    fixture_pair(&w->other, 2);
    w->author = &w->me;
    w->cache = script_cache_new(&w->watch);
    w->script = script_maker(w->cache);
    w->maker = (struct logic_maker){.ctx = w, .load = world_load};
    w->gas_of_runs = gas;
    w->index = 1;
    world_genesis(w, bundle, gas < LIMIT_RUN_GAS ? gas : LIMIT_RUN_GAS,
                  &genesis);
    if (core_open(&w->core, buf_bytes(&genesis), bundle, &w->maker,
                  materializers, &err) != 0)
        fail_msg("core: %s", err.text);
    struct buf record = {0};
    key_record_put(&record, &w->other.record);
    struct author author = {.record = buf_bytes(&record)};
    state_begin(&w->core.state);
    state_put_author(&w->core.state, w->other.id, &author);
    state_keep(&w->core.state);
    buf_deinit(&record);
    buf_deinit(&genesis);
}

/* `source` is the file shop.lua. */
static inline void world_open_gas(struct world *w, const char *source,
                                  uint64_t gas)
{
    struct err err;
    struct buf bundle = {0};
    if (bundle_build(&bundle, "shop", fixture_text, (void *)source, NULL, NULL,
                     &err) != 0)
        fail_msg("%s", err.text);
    world_open_bundle(w, buf_bytes(&bundle), gas);
    buf_deinit(&bundle);
}

static inline void world_open(struct world *w, const char *source)
{
    world_open_gas(w, source, 100000);
}

static inline void world_close(struct world *w)
{
    core_close(&w->core);
    script_cache_free(w->cache);
    buf_deinit(&w->text);
    buf_deinit(&w->body);
}

/* ---- stored values as text: refs as @key, other bytes as #length ---- */

static inline void world_show_bin(struct world *w, struct bytes bytes,
                                  struct buf *out)
{
    struct door door = {.core = &w->core,
                        .version = state_head(&w->core.state)};
    if (bytes.len == OBJECT_ID_SIZE) {
        buf_put_u8(out, '@');
        door_put_ref(&door, bytes.data, out);
    } else if (bytes_equal(bytes, bytes_of(w->me.id, KEY_ID_SIZE))) {
        buf_put_text(out, "me");
    } else {
        buf_printf(out, "#%zu", bytes.len);
    }
}

static inline void world_show_at(struct world *w, struct mp *mp,
                                 struct buf *out);

/* Those of a list, or of a map. */
static inline void world_show_items(struct world *w, struct mp *mp,
                                    uint32_t count, bool is_map,
                                    struct buf *out)
{
    buf_put_u8(out, is_map ? '{' : '[');
    for (uint32_t i = 0; i < count; i++) {
        buf_put_text(out, i > 0 ? "," : "");
        world_show_at(w, mp, out);
        if (!is_map)
            continue;
        buf_put_u8(out, '=');
        world_show_at(w, mp, out);
    }
    buf_put_u8(out, is_map ? '}' : ']');
}

static inline void world_show_at(struct world *w, struct mp *mp,
                                 struct buf *out)
{
    enum mp_kind kind;
    struct bytes bytes = {0};
    bool boolean = false;
    int64_t integer = 0;
    uint32_t count = 0;
    assert_int_equal(mp_peek(mp, &kind, NULL), 0);
    switch (kind) {
    case MP_NIL:
        mp_get_nil(mp, NULL);
        buf_put_text(out, "nil");
        break;
    case MP_BOOL:
        mp_get_bool(mp, &boolean, NULL);
        buf_put_text(out, boolean ? "true" : "false");
        break;
    case MP_INT:
    case MP_UINT:
        mp_get_int(mp, &integer, NULL);
        buf_printf(out, "%lld", (long long)integer);
        break;
    case MP_STR:
        mp_get_str(mp, &bytes, NULL);
        buf_put_bytes(out, bytes);
        break;
    case MP_BIN:
        mp_get_bin(mp, &bytes, NULL);
        world_show_bin(w, bytes, out);
        break;
    case MP_ARRAY:
        mp_get_array(mp, &count, NULL);
        world_show_items(w, mp, count, false, out);
        break;
    case MP_MAP:
        mp_get_map(mp, &count, NULL);
        world_show_items(w, mp, count, true, out);
        break;
    }
}

static inline void world_show(struct world *w, struct bytes value)
{
    buf_clear(&w->text);
    if (value.len == 0) {
        buf_put_text(&w->text, "nothing");
        return;
    }
    struct mp mp = mp_open(value);
    world_show_at(w, &mp, &w->text);
    assert_int_equal(mp_done(&mp, NULL), 0);
}

/* ---- calls ---- */

/* "from=alice amount=5": the arguments of a method, stored form; names in
 * order. A value of digits alone is a number, "me" the caller, _ a space. */
static inline void world_args(struct world *w, const struct method *method,
                              const char *text, struct buf *out)
{
    struct buf map = {0};
    struct err err;
    uint32_t count = 0;
    struct door door = {.core = &w->core,
                        .version = state_head(&w->core.state)};
    for (const char *at = text; *at != '\0'; at++)
        count += *at == '=';
    mp_put_map(&map, count);
    while (*text != '\0') {
        size_t name = strcspn(text, "=");
        size_t value = strcspn(text + name + 1, " ");
        const char *v = text + name + 1;
        mp_put_str(&map, bytes_of(text, name));
        if (value > 0 &&
            strspn(v + (*v == '-'), "0123456789") == value - (*v == '-')) {
            mp_put_int(&map, atoll(v));
        } else if (value == 2 && memcmp(v, "me", 2) == 0) {
            struct buf id = {0};
            buf_put_text(&id, "key:");
            hex_put(&id, bytes_of(w->me.id, KEY_ID_SIZE));
            mp_put_str(&map, buf_bytes(&id));
            buf_deinit(&id);
        } else {
            struct buf copy = {0};
            buf_put(&copy, v, value);
            for (size_t i = 0; i < copy.len; i++)
                if (copy.data[i] == '_')
                    copy.data[i] = ' ';
            mp_put_str(&map, buf_bytes(&copy));
            buf_deinit(&copy);
        }
        text = v + value;
        text += *text == ' ';
    }
    if (door_take(&door, &method->args, buf_bytes(&map), TAKE_WHOLE,
                  method->name, out, &err) != 0)
        fail_msg("arguments: %s", err.text);
    buf_deinit(&map);
}

static inline int world_run(struct world *w, struct call *call)
{
    struct logic *logic = w->core.logic;
    if (call->method->by_default != DEFAULT_NONE)
        return call_run_default(call, &w->err);
    int rc = logic->run(logic, call, &w->err);
    w->gas = logic->gas(logic);
    return rc;
}

/* Call a method as the chain does: 0, or a code with w->err; w->text has what
 * it gave. A write takes the next place of the log, or leaves nothing. */
static inline int world_call(struct world *w, const char *name,
                             const char *args)
{
    struct call call;
    struct buf stored = {0};
    uint8_t call_id[CALL_ID_SIZE] = {0};
    const struct method *method =
        schema_method(w->core.schema, bytes_of_text(name));
    if (method == NULL)
        fail_msg("no method %s", name);
    world_args(w, method, args, &stored);
    put_be64(call_id, w->index);
    w->err = (struct err){0};
    call_init(&call);
    call.core = &w->core;
    call.method = method;
    call.args = buf_bytes(&stored);
    call.caller = w->author->id;
    call.where = "client";
    call.time = 5000;
    call.version = state_head(&w->core.state);
    call.writes = method->mode == METHOD_WRITE;
    call.author = call.writes ? w->author->id : NULL;
    call.trial.core = &w->core;
    call.trial.index = w->index;
    call.trial.time = 5000;
    call.trial.author = w->author->id;
    call.trial.caller = w->author->id;
    call.trial.call_id = call_id;
    call.trial.first_sequence = w->index * 1000;
    call.trial.replays = w->replays;
    if (call.writes)
        trial_begin(&call.trial);
    int rc = world_run(w, &call);
    if (rc == ATE_ENEED && w->keeps_bodies) {
        if (call.writes) {
            trial_undo(&call.trial);
            trial_begin(&call.trial);
            call.version = state_head(&w->core.state);
        }
        call_give_body(&call, call.need_index, call.need_n,
                       buf_bytes(&w->body));
        rc = world_run(w, &call);
    }
    if (rc == 0 && call.writes && call.trial.count > 0)
        rc = trial_finish(&call.trial, &w->err);
    memcpy(w->verdict, call.trial.verdict, HASH_SIZE);
    if (rc == 0 && call.writes && call.trial.count > 0) {
        trial_keep(&call.trial);
        w->index++;
    } else {
        trial_undo(&call.trial);
    }
    if (rc == 0)
        world_show(w, buf_bytes(&call.result));
    call_deinit(&call);
    buf_deinit(&stored);
    return rc;
}

/* The call has to succeed, and give this. */
static inline void world_gives(struct world *w, const char *name,
                               const char *args, const char *text)
{
    int rc = world_call(w, name, args);
    if (rc != 0)
        fail_msg("%s: %s: %s", name, err_name(rc), w->err.text);
    if (text != NULL)
        assert_string_equal(buf_text(&w->text), text);
}

static inline void world_fails(struct world *w, const char *name,
                               const char *args, int code, const char *words)
{
    int rc = world_call(w, name, args);
    if (rc == 0)
        fail_msg("%s gives %s, want %s: %s", name, buf_text(&w->text),
                 err_name(code), words);
    assert_error(rc, &w->err, code, words);
}

#endif
