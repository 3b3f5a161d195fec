/* How a run is bounded:
 *
 * (1) The count hook fires every SANDBOX_STEP instructions, in every function
 *     and at every depth; C functions charge for what they do, and so do
 *     large blocks of memory. Instructions whose time grows with a text or with
 *     what a table holds are replaced (replace.h). Nothing else
 *     runs: no function of Lua's own libraries but ipairs, select and type is
 *     there, and these work one element at a time.
 * (2) Once a limit is passed the sandbox is dead: the hook fires at every
 *     instruction and raises each time, so no protected call between here and
 *     the outermost can swallow it, and every sandbox_run that returns says
 *     why. Only sandbox_begin brings it back.
 * (3) Memory is the arena's. Lua throws without calling the error handler when
 *     it runs out, so the allocator itself notes the place.
 * (4) The stack is one block of the arena, so recursion ends at its largest
 *     block, or at Lua's own bound while loading, where blocks may be larger:
 *     Lua has no room for the error handler then, either. C functions that
 *     call Lua count their nesting besides, for the C stack is not the arena's.
 * (5) Errors are kept in `error`, not on Lua's stack: making a text needs no
 *     memory of the arena, and a struct err passes through Lua unchanged.
 * (6) Loading is bounded by all that it allocates, whether alive or garbage.
 *     The collector is stopped, and garbage is collected whole, at steps that
 *     are the same in every process: at the end of each file and of what C
 *     runs, and when the hook fires. It runs often at first (COLLECT_BYTES), so
 *     that the garbage of loading does not make the image larger; once
 *     COLLECT_FINE was allocated, only after a share of what is alive was, so
 *     that collecting takes no more time than allocating.
 *
 * The image is taken while no call is in progress, with the hook set: the
 * restored state counts its first step from the same instruction each time. */
#include "sandbox/sandbox.h"

#include <assert.h>
#include <lauxlib.h>
#include <luajit.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "sandbox/environment.h"
#include "sandbox/length.h"
#include "sandbox/watch.h"

enum {
    LOAD_BLOCK_MAX = 1 << 20,
    LARGE_BLOCK = 1024, /* of memory: is charged by bytes */
    FULL_STACK = LUAI_MAXSTACK * sizeof(double), /* a slot is as large */
    REPLAY_FACTOR = 16, /* how much more memory a run may be given */
    /* While loading, see (6). */
    COLLECT_FINE = 256 << 10,
    COLLECT_BYTES = 1 << 10,
    COLLECT_SHARE = 2,
    BLOCK_FACTOR = 2,  /* a block takes less than this times what is asked */
    STACK_SLOTS = 128, /* kept in the image, so that runs need not grow it */
};

static void on_count(lua_State *L, lua_Debug *frame);

/* Invariant (6). */
static bool may_load(struct sandbox *s, size_t old_size, size_t new_size)
{
    if (s->sealed || s->collects || new_size <= old_size)
        return true;
    s->loaded += new_size;
    if (s->loaded <= SANDBOX_LOAD_MEMORY)
        return true;
    s->arena.refused = ARENA_FULL;
    return false;
}

/* Without a charge. */
static void *take(struct sandbox *s, void *old, size_t old_size,
                  size_t new_size)
{
    bool fine = s->arena.refused == ARENA_FINE;
    void *block = NULL;

    if (may_load(s, old_size, new_size))
        block = arena_alloc(&s->arena, old, old_size, new_size);
    bool ends = block == NULL || new_size >= FULL_STACK;

    if (s->active > 0 && fine && ends && new_size > old_size)
        sandbox_where(s->lua, 1, s->place, sizeof(s->place));
    return block;
}

/* As lua_Alloc. A table that is full is made anew by one instruction, which
 * may be the same one each time; the next look at the budget sees it. */
static void *allocate(void *ud, void *old, size_t old_size, size_t new_size)
{
    struct sandbox *s = ud;
    void *block = take(s, old, old_size, new_size);

    if (new_size == 0 && old_size >= LARGE_BLOCK)
        collisions_give(&s->tables, old, old_size);
    if (block == NULL || new_size <= old_size || new_size < LARGE_BLOCK)
        return block;
    s->gas_used += new_size / SANDBOX_BYTES_STEP;
    if (old == NULL)
        collisions_take(&s->tables, block, new_size);
    return block;
}

struct sandbox *sandbox_of(lua_State *L)
{
    void *ud;

    lua_getallocf(L, &ud);
    return ud;
}

lua_State *sandbox_L(struct sandbox *s)
{
    return s->lua;
}

static int on_panic(lua_State *L)
{
    (void)L;
    assert(!"Lua raised an error outside sandbox_run");
    return 0;
}

bool sandbox_where(lua_State *L, int level, char *place, size_t cap)
{
    lua_Debug frame;

    place[0] = '\0';
    for (int i = 0; lua_getstack(L, i, &frame) != 0; i++) {
        if (lua_getinfo(L, "Sl", &frame) == 0 || frame.source[0] != '@' ||
            frame.currentline <= 0 || --level > 0)
            continue;
        snprintf(place, cap, "%s:%d", frame.short_src, frame.currentline);
        return true;
    }
    return false;
}

/* It may make Lua's table of texts smaller, which has to succeed; and it starts
 * the collector. */
static void collect(lua_State *L)
{
    struct sandbox *s = sandbox_of(L);
    size_t more = COLLECT_BYTES;

    s->collects = true;
    lua_gc(L, LUA_GCCOLLECT, 0);
    lua_gc(L, LUA_GCSTOP, 0);
    s->collects = false;
    size_t alive = (size_t)lua_gc(L, LUA_GCCOUNT, 0) << 10;
    if (s->loaded >= COLLECT_FINE)
        more = alive / COLLECT_SHARE;
    s->collect_at = s->loaded + more;
}

void sandbox_collect(lua_State *L)
{
    const struct sandbox *s = sandbox_of(L);

    if (!s->sealed && !s->dead && s->loaded >= s->collect_at)
        collect(L);
}

/* Limits: passing one, and what is said then. */

static int die(struct sandbox *s)
{
    s->dead = true;
    lua_sethook(s->lua, on_count, LUA_MASKCOUNT, 1);
    lua_pushnil(s->lua);
    return lua_error(s->lua);
}

static int die_of_gas(struct sandbox *s)
{
    char place[sizeof(s->place)];

    if (!s->dead) {
        bool known = sandbox_where(s->lua, 1, place, sizeof(place));
        err_set(&s->limit_error, ATE_ELIMIT, "ran longer than %llu steps%s%s",
                (unsigned long long)s->now.gas, known ? " at " : "", place);
    }
    return die(s);
}

static int die_of_watch(struct sandbox *s)
{
    char place[sizeof(s->place)];
    bool known = sandbox_where(s->lua, 1, place, sizeof(place));

    err_set(&s->limit_error, ATE_EUNAVAILABLE,
            "stopped%s%s, for it ran longer than %llu ms: an alarm of this "
            "node, and no verdict",
            known ? " at " : "", place, (unsigned long long)s->watch->limit_ms);
    err_reason(&s->limit_error, "alarm");
    return die(s);
}

/* What is charged for steps. */
static uint64_t price_of(const struct sandbox *s, uint64_t steps)
{
    return s->tables.found ? COLLISIONS_PRICE * steps : steps;
}

static void on_count(lua_State *L, lua_Debug *frame)
{
    struct sandbox *s = sandbox_of(L);

    (void)frame;
    if (s->dead)
        die(s);
    if (s->tables.count > 0)
        collisions_look(&s->tables);
    s->gas_used += price_of(s, SANDBOX_STEP);
    if (s->watch != NULL && watch_is_stopped(s->watch))
        die_of_watch(s);
    if (s->gas_used > s->now.gas)
        die_of_gas(s);
    sandbox_collect(L);
}

void sandbox_charge(lua_State *L, uint64_t steps)
{
    struct sandbox *s = sandbox_of(L);

    s->gas_used += price_of(s, steps);
    if (s->gas_used > s->now.gas || s->dead)
        die_of_gas(s);
}

void sandbox_charge_bytes(lua_State *L, size_t len)
{
    sandbox_charge(L, 1 + len / SANDBOX_BYTES_STEP);
}

/* Memory ran out; Lua has unwound already, so nothing is raised here. */
static void note_memory(struct sandbox *s)
{
    const struct arena *a = &s->arena;
    const char *at = s->place[0] == '\0' ? "" : " at ";

    if (!s->dead && a->refused == ARENA_TOO_LARGE)
        err_set(&s->limit_error, ATE_ELIMIT,
                "needs a text or table of more than %zu bytes, or calls that "
                "nest too deep%s%s",
                a->block_max, at, s->place);
    else if (!s->dead)
        err_set(&s->limit_error, ATE_ELIMIT,
                "needs more than %zu bytes of memory%s%s", s->now.memory, at,
                s->place);
    s->dead = true;
    lua_sethook(s->lua, on_count, LUA_MASKCOUNT, 1);
}

/* Errors. */

int sandbox_raise(lua_State *L, const struct err *err)
{
    struct sandbox *s = sandbox_of(L);

    assert(err->code < 0);
    if (err != &s->error)
        s->error = *err;
    s->raised = true;
    lua_pushnil(L);
    return lua_error(L);
}

int sandbox_error(lua_State *L, const char *format, ...)
{
    struct sandbox *s = sandbox_of(L);
    char text[ERR_TEXT_MAX], place[sizeof(s->place)];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    bool known = sandbox_where(L, 1, place, sizeof(place));
    err_set(&s->error, ATE_ESCRIPT, "%s%s%s", place, known ? ": " : "", text);
    return sandbox_raise(L, &s->error);
}

static int nests_too_deep(const struct sandbox *s, struct err *err)
{
    return err_set(err, ATE_ESCRIPT, "calls nest too deep%s%s",
                   s->place[0] == '\0' ? "" : " at ", s->place);
}

/* The message of an error that Lua itself raised, or a C function of Lua's. It
 * names the file it happened in; when that is one of the engine's own, the
 * place in the bundle is put before it. */
static int on_error(lua_State *L)
{
    struct sandbox *s = sandbox_of(L);
    char place[sizeof(s->place)];

    if (s->dead || s->raised)
        return 1;
    const char *text = "an error without a text";
    if (lua_type(L, 1) == LUA_TSTRING)
        text = lua_tostring(L, 1);
    s->raised = true;
    if (s->place[0] != '\0' && strstr(text, "stack overflow") != NULL) {
        nests_too_deep(s, &s->error);
        return 1;
    }
    bool known = sandbox_where(L, 1, place, sizeof(place));
    bool named = strncmp(text, place, strlen(place)) == 0;
    err_set(&s->error, ATE_ESCRIPT, "%s%s%s", known && !named ? place : "",
            known && !named ? ": " : "", text);
    return 1;
}

void sandbox_nest(lua_State *L)
{
    struct sandbox *s = sandbox_of(L);

    if (s->nest >= SANDBOX_NEST_MAX)
        sandbox_error(L, "calls nest too deep");
    s->nest++;
}

void sandbox_unnest(lua_State *L)
{
    struct sandbox *s = sandbox_of(L);

    assert(s->nest > 0);
    s->nest--;
}

/* Protected calls. */

/* What Lua made of a call's arguments are none of them. */
static int fail(struct err *err, const struct err *from)
{
    if (err == NULL)
        return from->code;
    *err = *from;
    return err_at_none(err);
}

static int outcome(struct sandbox *s, int status, struct err *err)
{
    bool raised = s->raised;

    s->raised = false;
    if (status == LUA_ERRMEM || (status != 0 && s->arena.refused != ARENA_FINE))
        note_memory(s);
    if (s->dead)
        return fail(err, &s->limit_error);
    if (status == 0)
        return 0;
    if (raised)
        return fail(err, &s->error);
    return nests_too_deep(s, err); /* there was no room for the handler */
}

/* Under the `nargs` arguments stands the function. */
static int call_protected(struct sandbox *s, int nargs, int nresults,
                          struct err *err)
{
    lua_State *L = s->lua;
    int handler = lua_gettop(L) - nargs;
    int nest = s->nest;

    assert(handler >= 1);
    if (nest >= SANDBOX_NEST_MAX) {
        lua_settop(L, handler - 1);
        return err_set(err, ATE_ESCRIPT, "calls nest too deep");
    }
    lua_rawgeti(L, LUA_REGISTRYINDEX, s->refs.handler);
    lua_insert(L, handler);
    s->nest++;
    s->active++;
    if (s->watch != NULL)
        watch_begin(s->watch);
    int rc = outcome(s, lua_pcall(L, nargs, nresults, handler), err);
    sandbox_collect(L);
    if (s->watch != NULL)
        watch_end(s->watch);
    s->active--;
    s->nest = nest;
    if (rc == 0)
        lua_remove(L, handler);
    else
        lua_settop(L, handler - 1);
    return rc;
}

/* What sandbox_run wants run is taken from the sandbox: pushing a function or
 * a pointer can need memory, and outside the protected call must not. */
static int trampoline(lua_State *L)
{
    struct sandbox *s = sandbox_of(L);
    lua_CFunction entry = s->entry;

    lua_pushlightuserdata(L, s->entry_arg);
    entry(L);
    return 0;
}

int sandbox_run(struct sandbox *s, lua_CFunction fn, void *arg, struct err *err)
{
    if (s->dead)
        return fail(err, &s->limit_error);
    s->entry = fn;
    s->entry_arg = arg;
    lua_rawgeti(s->lua, LUA_REGISTRYINDEX, s->refs.trampoline);
    return call_protected(s, 0, 0, err);
}

int sandbox_call(struct sandbox *s, int ref, int nargs, int nresults,
                 struct err *err)
{
    lua_State *L = s->lua;

    assert(nargs >= 0 && lua_gettop(L) >= nargs);
    if (s->dead) {
        lua_pop(L, nargs);
        return fail(err, &s->limit_error);
    }
    lua_rawgeti(L, LUA_REGISTRYINDEX, ref);
    lua_insert(L, -nargs - 1);
    return call_protected(s, nargs, nresults, err);
}

void *sandbox_scratch(lua_State *L, size_t size)
{
    struct sandbox *s = sandbox_of(L);
    size_t block_max = s->arena.block_max;

    s->arena.block_max = SANDBOX_MEMORY_MAX;
    void *scratch = take(s, NULL, 0, size == 0 ? 1 : size);
    s->arena.block_max = block_max;
    if (scratch == NULL) {
        sandbox_error(L, "out of memory");
    }
    return scratch;
}

void sandbox_scratch_free(lua_State *L, void *scratch, size_t size)
{
    arena_alloc(&sandbox_of(L)->arena, scratch, size == 0 ? 1 : size, 0);
}

/* Life. */

static int open_state(lua_State *L)
{
    struct sandbox *s = sandbox_of(L);

    lua_pushcfunction(L, on_error);
    s->refs.handler = luaL_ref(L, LUA_REGISTRYINDEX);
    lua_pushcfunction(L, trampoline);
    s->refs.trampoline = luaL_ref(L, LUA_REGISTRYINDEX);
    s->sees_arrays = length_probe(L);
    bool known = collisions_probe(L, &s->tables);
    assert(known); /* else gas would not be the same everywhere */
    environment_open(L);
    return 0;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

struct sandbox *sandbox_new(struct sandbox_limits limits, sandbox_find find,
                            void *find_ctx)
{
    struct sandbox *s = mem_zero(1, sizeof(*s));

    s->limits.gas = limits.gas == 0 ? SANDBOX_GAS_DEFAULT : limits.gas;
    s->limits.memory =
        limits.memory == 0 ? SANDBOX_MEMORY_DEFAULT : limits.memory;
    s->limits.memory = least(s->limits.memory, SANDBOX_MEMORY_MAX);
    s->now.gas = SANDBOX_LOAD_GAS;
    s->now.memory = SANDBOX_LOAD_MEMORY;
    s->find = find;
    s->find_ctx = find_ctx;
    size_t most = least(s->limits.memory * REPLAY_FACTOR, SANDBOX_MEMORY_MAX);
    arena_init(&s->arena,
               BLOCK_FACTOR * SANDBOX_LOAD_MEMORY + (most + 15) / 16 * 16);
    arena_limit(&s->arena, SIZE_MAX, LOAD_BLOCK_MAX);
    s->lua = lua_newstate(allocate, s);
    assert(s->lua != NULL);
    lua_atpanic(s->lua, on_panic);
    lua_gc(s->lua, LUA_GCSTOP, 0);
    luaJIT_setmode(s->lua, 0, LUAJIT_MODE_ENGINE | LUAJIT_MODE_OFF);
    int status = lua_cpcall(s->lua, open_state, NULL);
    assert(status == 0);
    (void)status;
    lua_sethook(s->lua, on_count, LUA_MASKCOUNT, SANDBOX_STEP);
    return s;
}

/* The state is not closed: all it owns is in the arena. */
void sandbox_free(struct sandbox *s)
{
    if (s == NULL)
        return;
    assert(s->active == 0);
    arena_deinit(&s->arena);
    collisions_deinit(&s->tables);
    collisions_deinit(&s->image_tables);
    mem_free(s);
}

int sandbox_setup(struct sandbox *s, lua_CFunction fn, void *arg,
                  struct err *err)
{
    assert(!s->sealed);
    return sandbox_run(s, fn, arg, err);
}

static int seal(lua_State *L)
{
    environment_seal(L);
    collect(L);
    luaL_checkstack(L, STACK_SLOTS, "seal");
    return 0;
}

int sandbox_seal(struct sandbox *s, struct err *err)
{
    assert(!s->sealed && s->active == 0);
    int rc = sandbox_run(s, seal, NULL, err);
    if (rc != 0)
        return rc;
    assert(lua_gettop(s->lua) == 0);
    lua_sethook(s->lua, on_count, LUA_MASKCOUNT, SANDBOX_STEP);
    arena_image_take(&s->arena);
    s->image_texts = s->texts;
    collisions_copy(&s->image_tables, &s->tables);
    s->sealed = true;
    return 0;
}

void sandbox_begin(struct sandbox *s)
{
    sandbox_begin_within(s, s->limits);
}

static void put_back(struct sandbox *s)
{
    assert(s->sealed && s->active == 0);
    arena_image_restore(&s->arena);
    arena_limit(&s->arena, arena_image_size(&s->arena) + s->now.memory,
                ARENA_BLOCK_MAX);
    s->texts = s->image_texts;
    collisions_copy(&s->tables, &s->image_tables);
    s->nest = 0;
    s->raised = false;
    s->place[0] = '\0';
}

void sandbox_begin_within(struct sandbox *s, struct sandbox_limits limits)
{
    size_t room = s->arena.size - arena_image_size(&s->arena);

    s->now = limits;
    s->now.memory = least(limits.memory, room);
    put_back(s);
    s->gas_used = 0;
    s->dead = false;
}

void sandbox_begin_again(struct sandbox *s)
{
    put_back(s);
    s->dead = s->dead && s->gas_used > s->now.gas;
}

bool sandbox_is_dead(const struct sandbox *s)
{
    return s->dead;
}

uint64_t sandbox_gas_used(const struct sandbox *s)
{
    return s->gas_used;
}

size_t sandbox_memory_used(const struct sandbox *s)
{
    size_t image = s->arena.image_marks.used;
    return s->arena.marks.used > image ? s->arena.marks.used - image : 0;
}
