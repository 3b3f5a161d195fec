#include <lauxlib.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "fixture_sandbox.h"
#include "sandbox/watch.h"

/* A few modules, as a bundle would hold them. */
struct module {
    const char *name;
    const char *file;
    const char *source;
    bool trusted;
};

static int find_module(void *ctx, const char *name,
                       struct sandbox_module *found, struct err *err)
{
    const struct module *modules = ctx;

    for (; modules->name != NULL; modules++)
        if (strcmp(modules->name, name) == 0) {
            *found = module_of(modules->file, modules->source);
            found->trusted = modules->trusted;
            return 0;
        }
    if (strcmp(name, "torn") == 0)
        return err_set(err, ATE_ECORRUPT, "the bundle is torn");
    return err_set(err, ATE_ENOT_FOUND, "no module %s", name);
}

static void expect_load_failure(const struct module *modules, const char *name,
                                int code, const char *text)
{
    struct sandbox *s =
        sandbox_new((struct sandbox_limits){0}, find_module, (void *)modules);
    struct err err;

    int rc = sandbox_load(s, name, NULL, &err);
    if (rc == 0)
        rc = sandbox_seal(s, &err);
    expect_error(rc, &err, code, text);
    sandbox_free(s);
}

static int64_t call_for_integer(struct sandbox *s, int ref)
{
    struct err err;

    if (sandbox_call(s, ref, 0, 1, &err) != 0)
        fail_msg("%s", err.text);
    int64_t value = lua_tointeger(sandbox_L(s), -1);
    lua_pop(sandbox_L(s), 1);
    return value;
}

/* Upvalues, tables of the module, library tables, texts made, the stack. */
static void restore_resets_everything(void **state)
{
    static const char source[] =
        "local n, seen, names = 0, {}, {}\n"
        "local function deep(i) return i == 0 and 0 or 1 + deep(i - 1) end\n"
        "return function()\n"
        "    n = n + 1\n"
        "    seen[#seen + 1] = n\n"
        "    for i = 1, 500 do names['name ' .. i] = i end\n"
        "    local added = string.len == string.rep and 1000000 or 0\n"
        "    string.len = string.rep\n"
        "    deep(500)\n"
        "    return added + n * 1000 + #seen\n"
        "end";
    int ref;
    struct sandbox *s = open_source(source, &ref);

    (void)state;
    for (int i = 0; i < 5; i++) {
        sandbox_begin(s);
        assert_true(arena_image_matches(&s->arena));
        assert_int_equal(call_for_integer(s, ref), 1001);
        assert_false(arena_image_matches(&s->arena));
        assert_true(sandbox_memory_used(s) > 0);
    }
    assert_int_equal(call_for_integer(s, ref), 1002002); /* the same run */
    sandbox_begin(s);
    assert_int_equal(sandbox_memory_used(s), 0);
    assert_int_equal(sandbox_gas_used(s), 0);
    sandbox_free(s);
}

/* Work in every way that is charged, a bit different for each seed. */
static const char gas_source[] =
    "local ate = require('ate')\n"
    "return function()\n"
    "    local t, n = {}, 0\n"
    "    for i = 1, 400 do t['key ' .. i * 7919 % 401] = i end\n"
    "    for k, v in ate.each(t) do n = n + v * #k end\n"
    "    local list = {}\n"
    "    for i = 1, 300 do list[i] = i * 7919 % 307 end\n"
    "    table.sort(list, function(a, b) return a > b end)\n"
    "    table.sort(list)\n"
    "    n = n + #ate.hash.sha256(table.concat(list, ','))\n"
    "    return n + #('x'):rep(n % 1000):upper()\n"
    "end";

static uint64_t gas_of_fresh_state(size_t *memory)
{
    int ref;
    struct sandbox *s = open_source(gas_source, &ref);

    call_for_integer(s, ref);
    uint64_t gas = sandbox_gas_used(s);
    *memory = sandbox_memory_used(s);
    sandbox_free(s);
    return gas;
}

static void gas_is_equal_in_fresh_states(void **state)
{
    size_t memory, first_memory;
    uint64_t first = gas_of_fresh_state(&first_memory);

    (void)state;
    assert_true(first > 4000);
    for (int i = 0; i < 50; i++) {
        assert_int_equal(gas_of_fresh_state(&memory), first);
        assert_int_equal(memory, first_memory);
    }
}

static void gas_is_equal_in_runs_of_one_state(void **state)
{
    int ref;
    struct sandbox *s = open_source(gas_source, &ref);
    size_t memory;
    uint64_t fresh = gas_of_fresh_state(&memory);

    (void)state;
    for (int i = 0; i < 50; i++) {
        sandbox_begin(s);
        call_for_integer(s, ref);
        assert_int_equal(sandbox_gas_used(s), fresh);
    }
    sandbox_free(s);
}

/* Other processes have other addresses and other seeds of texts. */
static void gas_is_equal_across_processes(void **state)
{
    enum { PROCESSES = 8 };
    uint64_t *gas = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                         MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    size_t memory;
    uint64_t here = gas_of_fresh_state(&memory);

    (void)state;
    assert_true(gas != MAP_FAILED);
    for (int i = 0; i < PROCESSES; i++) {
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            free(malloc((size_t)(i + 1) * 100000));
            gas[i] = gas_of_fresh_state(&memory);
            _exit(0);
        }
        int status;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(status, 0);
        assert_int_equal(gas[i], here);
    }
    munmap(gas, 4096);
}

/* Each state hashes texts with a seed of its own. What is garbage, and when it
 * is collected, must not show in how much loading takes. */
static void loading_takes_the_same_in_every_state(void **state)
{
    static const char source[] =
        "local kept, texts = {}, {}\n"
        "for i = 1, 3000 do\n"
        "    local t = {['a' .. i] = i, ['b' .. i % 7] = {i}}\n"
        "    texts['k' .. i % 500] = ('x'):rep(i % 90) .. i\n"
        "    if i % 3 == 0 then kept[#kept + 1] = t end\n"
        "end\n"
        "return function() return #kept end";
    size_t loaded = 0;
    uint64_t gas = 0;

    (void)state;
    for (int i = 0; i < 20; i++) {
        int ref;
        struct err err;
        struct sandbox *s = sandbox_new((struct sandbox_limits){0}, NULL, NULL);
        struct sandbox_module module = module_of("bank.lua", source);
        assert_int_equal(sandbox_load_source(s, "bank", &module, &ref, &err),
                         0);
        assert_int_equal(sandbox_seal(s, &err), 0);
        assert_true(i == 0 || (s->loaded == loaded && s->gas_used == gas));
        loaded = s->loaded;
        gas = s->gas_used;
        assert_true(loaded > 2 * arena_image_size(&s->arena));
        assert_int_equal(call_for_integer(s, ref), 1000);
        sandbox_free(s);
    }
}

/* A process stops at the same step, whatever it is. */
static void gas_stops_at_the_same_step(void **state)
{
    static const char source[] = "local n = 0\n"
                                 "return function(count)\n"
                                 "    if count then return n end\n"
                                 "    while true do n = n + 1 end\n"
                                 "end";
    int64_t first = 0;

    (void)state;
    for (int i = 0; i < 20; i++) {
        int ref;
        struct err err;
        struct sandbox *s = open_source(source, &ref);
        struct sandbox_limits limits = {5000, SANDBOX_MEMORY_DEFAULT};
        sandbox_begin_within(s, limits);
        int rc = sandbox_call(s, ref, 0, 0, &err);
        expect_error(rc, &err, ATE_ELIMIT,
                     "ran longer than 5000 steps at bank.lua:4");
        assert_int_equal(sandbox_gas_used(s), 6000);
        s->dead = false; /* look at what it did: no run is like this */
        lua_sethook(sandbox_L(s), NULL, 0, 0);
        lua_pushboolean(sandbox_L(s), 1);
        assert_int_equal(sandbox_call(s, ref, 1, 1, &err), 0);
        int64_t n = lua_tointeger(sandbox_L(s), -1);
        assert_true(i == 0 || n == first);
        first = n;
        sandbox_free(s);
    }
}

static void other_limits_hold_for_one_run(void **state)
{
    static const char source[] =
        "return function() for i = 1, 10000 do end return 1 end";
    int ref;
    struct err err;
    struct sandbox *s = open_source(source, &ref);

    (void)state;
    sandbox_begin_within(s, (struct sandbox_limits){2000, 1 << 20});
    assert_int_equal(sandbox_call(s, ref, 0, 0, &err), ATE_ELIMIT);
    /* Dead until the next begin. */
    assert_int_equal(sandbox_call(s, ref, 0, 0, &err), ATE_ELIMIT);
    sandbox_begin(s);
    assert_int_equal(call_for_integer(s, ref), 1);
    sandbox_free(s);
}

static void memory_is_capped_per_run(void **state)
{
    static const char source[] = "return function()\n"
                                 "    local t = {}\n"
                                 "    for i = 1, 2000 do t[i] = {i, i, i} end\n"
                                 "    return #t\n"
                                 "end";
    int ref;
    struct err err;
    struct sandbox *s = open_source(source, &ref);

    (void)state;
    for (int i = 0; i < 3; i++) {
        sandbox_begin_within(s, (struct sandbox_limits){100000, 50000});
        int rc = sandbox_call(s, ref, 0, 0, &err);
        expect_error(rc, &err, ATE_ELIMIT,
                     "needs more than 50000 bytes of memory at bank.lua:3");
        sandbox_begin(s);
        assert_int_equal(call_for_integer(s, ref), 2000);
    }
    sandbox_free(s);
}

static void errors_name_file_and_line(void **state)
{
    (void)state;
    expect_failure("return function()\n\n  local x = nil + 1\nend", ATE_ESCRIPT,
                   "bank.lua:3: attempt to perform arithmetic on a nil value");
    expect_failure("return function()\n  error('own words')\nend", ATE_ESCRIPT,
                   "bank.lua:2: own words");
    expect_failure("local int = require('ate.int')\n"
                   "return function()\n"
                   "  local x = int.add(1, 'a')\n"
                   "end",
                   ATE_ESCRIPT,
                   "bank.lua:3: ate.int.add: argument 2 must be an integer");
    expect_failure("return function()\n  local s = ('x'):gsub('x')\nend",
                   ATE_ESCRIPT, "bank.lua:2: `string.gsub` is not available");
    expect_failure("return function()\n  while true do end\nend", ATE_ELIMIT,
                   "at bank.lua:2");
}

/* A call in tail position leaves no frame of its caller in plain LuaJIT. */
static void tail_calls_keep_their_place(void **state)
{
    (void)state;
    expect_failure("local int = require('ate.int')\n"
                   "return function(...)\n"
                   "  local x\n"
                   "  if x then\n"
                   "      return int.add(1, 2)\n"
                   "  end\n"
                   "  return int.add(1, 'a')\n"
                   "end",
                   ATE_ESCRIPT, "bank.lua:7: ate.int.add: argument 2");
    expect_failure("return function(...)\n"
                   "  return error('x', select(1, 1, ...))\n"
                   "end",
                   ATE_ESCRIPT, "bank.lua:2: x");
}

static const struct module trusted_modules[] = {
    {"ate.words", "ate/words.lua",
     "local words = {}\n"
     "function words.shout(text)\n"
     "    if text == nil then error('shout what?', 2) end\n"
     "    return text .. host.mark\n"
     "end\n"
     "function words.where() return host.where(1) end\n"
     "return host.freeze(words, 'ate.words')\n",
     true},
    {"uses", "uses.lua",
     "local words = require('ate.words')\n"
     "return function(bad)\n"
     "    local shouted = words.shout('hello')\n"
     "    if bad then local x = words.shout({}) end\n"
     "    if bad == nil then local x = words.shout() end\n"
     "    return shouted .. words.where()\n"
     "end\n",
     false},
    {"steals", "steals.lua", "local x = host.setmetatable", false},
    {"spoils", "spoils.lua",
     "require('ate.words').shout = function() return 'silence' end", false},
    {"looks", "looks.lua", "return require('nowhere')", false},
    {"first", "first.lua", "return require('second')", false},
    {"second", "second.lua", "\nlocal x = require('first')", false},
    {"reads_torn", "reads_torn.lua", "return require('torn')", false},
    {"fails", "fails.lua", "return require('breaks')", false},
    {"breaks", "breaks.lua", "local t\n\nreturn t.x", false},
    {"once", "once.lua", "return {}", false},
    {"twice", "twice.lua",
     "assert(require('once') == require('once'))\n"
     "assert(require('empty') == true)\n"
     "assert(... == 'twice')",
     false},
    {"empty", "empty.lua", "", false},
    {NULL, NULL, NULL, false},
};

static int add_mark(lua_State *L)
{
    sandbox_push_host(L);
    lua_pushstring(L, lua_touserdata(L, 1));
    lua_setfield(L, -2, "mark");
    return 0;
}

static struct sandbox *open_trusted(int *ref)
{
    struct err err;
    struct sandbox *s = sandbox_new((struct sandbox_limits){0}, find_module,
                                    (void *)trusted_modules);

    assert_int_equal(sandbox_setup(s, add_mark, (void *)"!", &err), 0);
    if (sandbox_load(s, "uses", ref, &err) != 0)
        fail_msg("%s", err.text);
    assert_int_equal(sandbox_load(s, "twice", NULL, &err), 0);
    assert_int_equal(sandbox_seal(s, &err), 0);
    sandbox_begin(s);
    return s;
}

static void trusted_lua_sees_host(void **state)
{
    int ref;
    struct err err;
    struct sandbox *s = open_trusted(&ref);

    (void)state;
    lua_pushboolean(sandbox_L(s), 0);
    assert_int_equal(sandbox_call(s, ref, 1, 1, &err), 0);
    assert_string_equal(lua_tostring(sandbox_L(s), -1), "hello!uses.lua:6");
    sandbox_free(s);
}

/* Whoever wrote the bundle can't do anything about a line of ours. */
static void errors_in_trusted_lua_name_the_caller(void **state)
{
    int ref;
    struct err err;
    struct sandbox *s = open_trusted(&ref);

    (void)state;
    lua_pushboolean(sandbox_L(s), 1);
    int rc = sandbox_call(s, ref, 1, 1, &err);
    expect_error(rc, &err, ATE_ESCRIPT,
                 "uses.lua:4: ate/words.lua:4: attempt to concatenate");
    sandbox_begin(s);
    rc = sandbox_call(s, ref, 0, 1, &err);
    expect_error(rc, &err, ATE_ESCRIPT, "uses.lua:5: shout what?");
    sandbox_free(s);
}

static void modules_are_found_once_or_refused(void **state)
{
    (void)state;
    expect_load_failure(trusted_modules, "steals", ATE_ESCRIPT,
                        "steals.lua:1: `host` is not declared");
    expect_load_failure(trusted_modules, "spoils", ATE_ESCRIPT,
                        "ate.words.shout was changed while");
    expect_load_failure(trusted_modules, "looks", ATE_ESCRIPT,
                        "looks.lua:1: there is no module 'nowhere'");
    expect_load_failure(trusted_modules, "first", ATE_ESCRIPT,
                        "second.lua:2: module 'first' requires itself");
    expect_load_failure(trusted_modules, "reads_torn", ATE_ECORRUPT,
                        "the bundle is torn");
    expect_load_failure(trusted_modules, "fails", ATE_ESCRIPT,
                        "breaks.lua:3: attempt to index");
}

/* sandbox_run, nesting and raising. */

struct inner {
    int ref;
    int rc;
    struct err err;
};

static int refuse(lua_State *L)
{
    struct err err;

    err_set(&err, ATE_EREFUSED, "too deep");
    snprintf(err.rule, sizeof(err.rule), "bank.too_deep");
    return sandbox_raise(L, &err);
}

/* Call the function in a protected call of its own, and say what came. */
static int call_inner(lua_State *L)
{
    struct sandbox *s = sandbox_of(L);
    struct inner *inner = s->run;

    inner->rc = sandbox_call(s, inner->ref, 0, 0, &inner->err);
    lua_pushinteger(L, inner->rc);
    return 1;
}

static int add_functions(lua_State *L)
{
    sandbox_push_host(L);
    lua_pushcfunction(L, refuse);
    lua_setfield(L, -2, "refuse");
    lua_pushcfunction(L, call_inner);
    lua_setfield(L, -2, "call_inner");
    return 0;
}

static struct sandbox *open_nested(const char *inner_source, int *outer,
                                   struct inner *inner)
{
    static const char source[] = "return function()\n"
                                 "    local code = host.call_inner()\n"
                                 "    for i = 1, 10 do end\n"
                                 "    return code\n"
                                 "end";
    struct sandbox *s = sandbox_new((struct sandbox_limits){0}, NULL, NULL);
    struct sandbox_module module = module_of("outer.lua", source);
    struct sandbox_module in = module_of("inner.lua", inner_source);
    struct err err;

    module.trusted = in.trusted = true;
    assert_int_equal(sandbox_setup(s, add_functions, NULL, &err), 0);
    assert_int_equal(sandbox_load_source(s, "outer", &module, outer, &err), 0);
    assert_int_equal(sandbox_load_source(s, "inner", &in, &inner->ref, &err),
                     0);
    assert_int_equal(sandbox_seal(s, &err), 0);
    sandbox_begin(s);
    s->run = inner;
    return s;
}

static void raised_error_passes_lua_unchanged(void **state)
{
    int outer;
    struct inner inner;
    struct sandbox *s =
        open_nested("return function() host.refuse() end", &outer, &inner);
    struct err err;

    (void)state;
    assert_int_equal(sandbox_call(s, inner.ref, 0, 0, &err), ATE_EREFUSED);
    assert_string_equal(err.text, "too deep");
    assert_string_equal(err.rule, "bank.too_deep");
    assert_int_equal(call_for_integer(s, outer), ATE_EREFUSED);
    assert_string_equal(inner.err.rule, "bank.too_deep");
    sandbox_free(s);
}

/* An inner protected call must not turn a passed limit into an answer. */
static void passed_limit_ends_the_outer_call_too(void **state)
{
    int outer;
    struct inner inner;
    struct err err;
    struct sandbox *s =
        open_nested("return function() while true do end end", &outer, &inner);

    (void)state;
    assert_int_equal(sandbox_call(s, outer, 0, 0, &err), ATE_ELIMIT);
    assert_int_equal(inner.rc, ATE_ELIMIT);
    assert_string_equal(err.text, inner.err.text);
    sandbox_free(s);
    s = open_nested("return function() local t = {}\n"
                    "for i = 1, 9e9 do t = {t, i} end end",
                    &outer, &inner);
    assert_int_equal(sandbox_call(s, outer, 0, 0, &err), ATE_ELIMIT);
    assert_non_null(strstr(err.text, "needs more than"));
    sandbox_free(s);
}

struct fill {
    int count;
    int64_t sum;
    int ref;
};

/* Make an argument that may not fit, call, keep the result. */
static int fill_and_call(lua_State *L)
{
    struct fill *fill = lua_touserdata(L, 1);

    lua_rawgeti(L, LUA_REGISTRYINDEX, fill->ref);
    lua_newtable(L);
    for (int i = 1; i <= fill->count; i++) {
        lua_pushfstring(L, "%d", i);
        lua_rawseti(L, -2, i);
    }
    lua_call(L, 1, 1);
    fill->sum = lua_tointeger(L, -1);
    return 0;
}

static void running_out_in_c_is_an_error(void **state)
{
    static const char source[] = "return function(t) return #t end";
    struct fill fill = {.count = 100};
    struct err err;
    struct sandbox *s = open_source(source, &fill.ref);

    (void)state;
    assert_int_equal(sandbox_run(s, fill_and_call, &fill, &err), 0);
    assert_int_equal(fill.sum, 100);
    fill.count = 1000000;
    int rc = sandbox_run(s, fill_and_call, &fill, &err);
    expect_error(rc, &err, ATE_ELIMIT, "of more than");
    sandbox_begin(s);
    fill.count = 7;
    assert_int_equal(sandbox_run(s, fill_and_call, &fill, &err), 0);
    assert_int_equal(fill.sum, 7);
    sandbox_free(s);
}

/* What another thread does: wait for a run, and stop it. */
static void *stop_the_next_run(void *ctx)
{
    struct watch *watch = ctx;
    uint64_t run;
    while ((run = watch_run(watch)) == 0)
        sched_yield();
    watch_stop(watch, run);
    return NULL;
}

static void begin_without_end(struct sandbox *s)
{
    struct sandbox_limits none = {.gas = UINT64_MAX, .memory = 1 << 20};
    sandbox_begin_within(s, none);
}

static void another_thread_stops_a_run(void **state)
{
    static const char source[] = "return function()\nwhile true do end end";
    int ref;
    struct err err;
    pthread_t thread;
    struct watch watch = {.limit_ms = 77};
    struct sandbox *s = open_source(source, &ref);

    (void)state;
    s->watch = &watch;
    begin_without_end(s);
    assert_int_equal(pthread_create(&thread, NULL, stop_the_next_run, &watch),
                     0);
    int rc = sandbox_call(s, ref, 0, 0, &err);
    pthread_join(thread, NULL);
    expect_error(rc, &err, ATE_EUNAVAILABLE,
                 "stopped at bank.lua:2, for it ran longer than 77 ms: an "
                 "alarm of this node, and no verdict");
    assert_true(sandbox_is_dead(s));
    assert_int_equal(watch_run(&watch), 0);
    sandbox_free(s);
}

static void a_stop_that_comes_late_stops_nothing(void **state)
{
    static const char source[] = "return function()\nwhile true do end end";
    int ref;
    struct err err;
    struct watch watch = {0};
    struct sandbox *s = open_source(source, &ref);

    (void)state;
    s->watch = &watch;
    assert_int_equal(sandbox_call(s, ref, 0, 0, &err), ATE_ELIMIT);
    watch_stop(&watch, 1);
    sandbox_begin(s);
    assert_int_equal(sandbox_call(s, ref, 0, 0, &err), ATE_ELIMIT);
    watch_stop(&watch, 3);
    sandbox_begin(s);
    assert_int_equal(sandbox_call(s, ref, 0, 0, &err), ATE_EUNAVAILABLE);
    sandbox_free(s);
}

/* As a rule that is asked while a method runs. */
struct nested {
    struct sandbox *inner;
    int ref;
    struct watch *watch;
    int rc;
    struct err err;
};

static int run_inner(lua_State *L)
{
    struct nested *n = lua_touserdata(L, 1);
    assert_int_equal(watch_run(n->watch), 1);
    assert_int_equal(sandbox_call(n->inner, n->ref, 0, 0, &n->err), ATE_ELIMIT);
    assert_int_equal(watch_run(n->watch), 1);
    watch_stop(n->watch, 1);
    sandbox_begin(n->inner);
    n->rc = sandbox_call(n->inner, n->ref, 0, 0, &n->err);
    return sandbox_raise(L, &n->err);
}

static void a_run_within_a_run_is_part_of_it(void **state)
{
    static const char source[] = "return function()\nwhile true do end end";
    struct watch watch = {0};
    struct nested n = {.watch = &watch};
    struct err err;
    int ref;
    struct sandbox *outer = open_source(source, &ref);

    (void)state;
    n.inner = open_source(source, &n.ref);
    outer->watch = &watch;
    n.inner->watch = &watch;
    assert_int_equal(sandbox_run(outer, run_inner, &n, &err), ATE_EUNAVAILABLE);
    assert_int_equal(n.rc, ATE_EUNAVAILABLE);
    assert_true(sandbox_is_dead(n.inner) && !sandbox_is_dead(outer));
    sandbox_begin(outer);
    assert_int_equal(sandbox_call(outer, ref, 0, 0, &err), ATE_ELIMIT);
    sandbox_free(n.inner);
    sandbox_free(outer);
}

static void failed_load_can_be_freed(void **state)
{
    struct sandbox *s = sandbox_new((struct sandbox_limits){0}, NULL, NULL);
    struct err err;

    (void)state;
    assert_int_equal(sandbox_load(s, "nothing", NULL, &err), ATE_ESCRIPT);
    sandbox_free(s);
    sandbox_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(restore_resets_everything),
        cmocka_unit_test(gas_is_equal_in_fresh_states),
        cmocka_unit_test(gas_is_equal_in_runs_of_one_state),
        cmocka_unit_test(gas_is_equal_across_processes),
        cmocka_unit_test(loading_takes_the_same_in_every_state),
        cmocka_unit_test(gas_stops_at_the_same_step),
        cmocka_unit_test(other_limits_hold_for_one_run),
        cmocka_unit_test(memory_is_capped_per_run),
        cmocka_unit_test(errors_name_file_and_line),
        cmocka_unit_test(tail_calls_keep_their_place),
        cmocka_unit_test(trusted_lua_sees_host),
        cmocka_unit_test(errors_in_trusted_lua_name_the_caller),
        cmocka_unit_test(modules_are_found_once_or_refused),
        cmocka_unit_test(raised_error_passes_lua_unchanged),
        cmocka_unit_test(passed_limit_ends_the_outer_call_too),
        cmocka_unit_test(running_out_in_c_is_an_error),
        cmocka_unit_test(another_thread_stops_a_run),
        cmocka_unit_test(a_stop_that_comes_late_stops_nothing),
        cmocka_unit_test(a_run_within_a_run_is_part_of_it),
        cmocka_unit_test(failed_load_can_be_freed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
