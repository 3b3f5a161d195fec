#include "script/box.h"

#include <assert.h>
#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/limits.h"
#include "base/memory.h"
#include "base/near.h"
#include "declare/bundle_load.h"
#include "declare/declare.h"
#include "sandbox/lib.h"
#include "script/lua_ctx.h"
#include "script/lua_rows.h"
#include "script/lua_state.h"
#include "script/lua_tx.h"

enum { NAME_ROOM = LIMIT_TYPE_NAME + LIMIT_KIND_NAME + 2, SUGGEST_MAX = 256 };

/* ---- making one ---- */

static int setup(lua_State *L)
{
    struct box *b = lua_touserdata(L, 1);
    shapes_setup(L, &b->shapes);
    lua_state_setup(L, b);
    lua_rows_setup(L, b);
    lua_tx_setup(L, b);
    lua_ctx_setup(L, b);
    return 0;
}

static int load(struct box *b, const struct bundle *bundle,
                const struct schema *schema, struct err *err)
{
    char main_module[NAME_ROOM];
    snprintf(main_module, sizeof(main_module), "%.*s",
             (int)bundle->main_module.len,
             (const char *)bundle->main_module.data);
    int rc = declare_load(b->sandbox, main_module, &b->own, err);
    if (rc != 0)
        return rc;
    b->schema = schema != NULL ? schema : &b->own;
    b->states = mem_zero(b->schema->part_count + 1, sizeof(*b->states));
    shapes_init(&b->shapes, b->schema);
    rc = sandbox_setup(b->sandbox, setup, b, err);
    return rc != 0 ? rc : sandbox_seal(b->sandbox, err);
}

int box_new(struct box **out, struct bytes raw,
            const struct sandbox_limits *limits, const struct schema *schema,
            struct watch *watch, struct err *err)
{
    struct bundle bundle;
    *out = NULL;
    int rc = bundle_get(raw, &bundle, err);
    if (rc != 0)
        return rc;
    struct box *b = mem_zero(1, sizeof(*b));
    b->sandbox = sandbox_new(*limits, bundle_find_module, &bundle);
    b->sandbox->bind = b;
    b->sandbox->run = &b->run;
    b->sandbox->watch = watch;
    rc = load(b, &bundle, schema, err);
    if (rc == 0)
        *out = b;
    else
        box_free(b);
    return rc;
}

static void run_clear(struct script_run *run)
{
    buf_clear(&run->out);
    buf_clear(&run->key);
    buf_clear(&run->value);
    scratch_reset(&run->heap);
    run->object_count = 0;
    run->keys = 0;
    for (size_t i = 0; i < run->scan_count; i++)
        box_scan_end(run->scans[i]);
}

void box_free(struct box *b)
{
    if (b == NULL)
        return;
    struct script_run *run = &b->run;
    run_clear(run);
    for (size_t i = 0; i < run->scan_count; i++)
        mem_free(run->scans[i]);
    mem_free(run->scans);
    mem_free(run->objects);
    buf_deinit(&run->out);
    buf_deinit(&run->key);
    buf_deinit(&run->value);
    scratch_deinit(&run->heap);
    sandbox_free(b->sandbox);
    shapes_deinit(&b->shapes);
    schema_deinit(&b->own);
    mem_free(b->states);
    mem_free(b);
}

void box_begin(struct box *b, bool replays)
{
    struct sandbox_limits limits = b->sandbox->limits;
    if (replays) {
        limits.gas = limits.gas < UINT64_MAX / BOX_REPLAY_FACTOR
                         ? limits.gas * BOX_REPLAY_FACTOR
                         : UINT64_MAX;
        limits.memory = limits.memory < SANDBOX_MEMORY_MAX / BOX_REPLAY_FACTOR
                            ? limits.memory * BOX_REPLAY_FACTOR
                            : SANDBOX_MEMORY_MAX;
    }
    sandbox_begin_within(b->sandbox, limits);
    run_clear(&b->run);
}

void box_begin_again(struct box *b)
{
    sandbox_begin_again(b->sandbox);
    run_clear(&b->run);
}

/* ---- what C functions ask ---- */

struct box *box_of(lua_State *L)
{
    return sandbox_of(L)->bind;
}

struct script_run *box_run(lua_State *L)
{
    return sandbox_of(L)->run;
}

struct tree_version box_version(const struct script_run *run)
{
    assert((run->trial == NULL) != (run->call == NULL));
    return run->call != NULL ? run->call->version
                             : state_head(&run->core->state);
}

void *box_self(lua_State *L, const char *tag, const char *usage)
{
    const char **self = lua_touserdata(L, 1);
    if (lua_type(L, 1) != LUA_TUSERDATA || *self != tag)
        sandbox_error(L, "write %s, with a colon", usage);
    return self;
}

int box_takes_no_values(lua_State *L)
{
    return sandbox_error(L, "%s takes no values of yours",
                         lua_tostring(L, lua_upvalueindex(1)));
}

void box_push_state(lua_State *L, const char *part)
{
    struct box *b = box_of(L);
    size_t i = 0;
    while (strcmp(b->schema->parts[i].name, part) != 0) {
        i++;
        assert(i < b->schema->part_count);
    }
    lua_rawgeti(L, LUA_REGISTRYINDEX, b->states[i]);
}

/* ---- loops ---- */

struct box_scan *box_scan_new(lua_State *L, size_t *slot)
{
    struct script_run *run = box_run(L);
    size_t i = 0;
    while (i < run->scan_count && run->scans[i]->open)
        i++;
    if (i == BOX_SCANS_MAX)
        sandbox_error(L,
                      "more than %d loops over rows were left before their "
                      "end",
                      BOX_SCANS_MAX);
    if (i == run->scan_count) {
        run->scans = mem_array_grow(run->scans, run->scan_count, &run->scan_cap,
                                    sizeof(*run->scans));
        run->scans[run->scan_count++] = mem_zero(1, sizeof(struct box_scan));
    }
    struct box_scan *scan = run->scans[i];
    *scan = (struct box_scan){.serial = ++run->scan_serial};
    *slot = i;
    return scan;
}

struct box_scan *box_scan_of(struct script_run *run, size_t slot,
                             uint64_t serial)
{
    struct box_scan *scan = slot < run->scan_count ? run->scans[slot] : NULL;
    return scan != NULL && scan->open && scan->serial == serial ? scan : NULL;
}

void box_scan_end(struct box_scan *scan)
{
    if (!scan->open)
        return;
    scan->open = false;
    if (scan->is_rows)
        row_scan_close(&scan->rows);
    else
        object_scan_close(&scan->objects);
}

/* ---- names ---- */

const char *box_short_name(lua_State *L, const char *name)
{
    return schema_short(box_of(L)->schema, name);
}

/* The short name of what belongs to the schema at hand, else the whole one. */
static const char *name_here(const char *part, const char *name)
{
    size_t len = strlen(part);
    return strncmp(name, part, len) == 0 && name[len] == '.' ? name + len + 1
                                                             : name;
}

static bool whole_name(lua_State *L, int index, const char *what, char *room)
{
    if (lua_type(L, index) != LUA_TSTRING)
        sandbox_error(L, "%s: a name is needed, got a %s", what,
                      luaL_typename(L, index));
    const char *name = lib_name(L, index);
    const char *part = strchr(name, '.') != NULL ? "" : box_run(L)->part;
    int len = snprintf(room, NAME_ROOM, "%s%s%s", part,
                       part[0] == '\0' ? "" : ".", name);
    return len < NAME_ROOM;
}

/* The same name in another schema, which has to be said in full. */
static const char *elsewhere(const char *name, const char *const *names,
                             size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *dot = strchr(names[i], '.');
        if (dot != NULL && strcmp(dot + 1, name) == 0)
            return names[i];
    }
    return NULL;
}

static int unknown_name(lua_State *L, int index, const char *what,
                        const char *word, const char *const *names,
                        size_t count)
{
    const char *name = lib_name(L, index);
    const char *near = elsewhere(name, names, count);
    if (near == NULL)
        near = near_name(bytes_of_text(name), names, count);
    if (near == NULL)
        return sandbox_error(L, "%s: there is no %s '%s'", what, word, name);
    return sandbox_error(L, "%s: there is no %s '%s'; did you mean '%s'?", what,
                         word, name, near);
}

const struct event_type *box_type(lua_State *L, int index, const char *what)
{
    char room[NAME_ROOM];
    const char *names[SUGGEST_MAX];
    const struct schema *schema = box_of(L)->schema;
    const struct event_type *type = NULL;
    if (whole_name(L, index, what, room))
        type = schema_type(schema, bytes_of_text(room));
    if (type != NULL)
        return type;
    size_t count = 0;
    for (size_t i = 0; i < schema->type_count && count < SUGGEST_MAX; i++)
        names[count++] = name_here(box_run(L)->part, schema->types[i].name);
    unknown_name(L, index, what, "type", names, count);
    return NULL;
}

const struct method *box_method(lua_State *L, int index, const char *what)
{
    char room[NAME_ROOM];
    const char *names[SUGGEST_MAX];
    const struct schema *schema = box_of(L)->schema;
    const char *part = box_run(L)->part;
    const struct method *method = NULL;
    bool fits = whole_name(L, index, what, room);
    if (strchr(lib_name(L, index), '.') != NULL) {
        /* A default method of one's own types has a dot, too: account.put */
        char own[NAME_ROOM];
        int len = snprintf(own, sizeof(own), "%s.%s", part, room);
        if (len < NAME_ROOM)
            method = schema_method(schema, bytes_of_text(own));
    }
    if (method == NULL && fits)
        method = schema_method(schema, bytes_of_text(room));
    if (method != NULL)
        return method;
    size_t count = 0;
    for (size_t i = 0; i < schema->method_count && count < SUGGEST_MAX; i++)
        names[count++] = name_here(part, schema->methods[i].name);
    unknown_name(L, index, what, "method", names, count);
    return NULL;
}
