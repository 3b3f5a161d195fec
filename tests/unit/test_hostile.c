/* Scripts that try to run for ever, take all memory, crash the engine, reach
 * outside, or leave something behind. Each says in its first line what comes of
 * it: `-- expect: LIMIT text` or `SCRIPT text` (the error's text holds `text`)
 * or `VALUE text` (what its function returns).
 *
 * A script is loaded; when it gives a function, that is called in two runs,
 * which have to end in the same way with the same gas. Then the sandbox has to
 * work as if nothing had been. */
#include <dirent.h>
#include <lauxlib.h>
#include <lualib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/memory.h"
#include "sandbox/compile.h"
#include "sandbox/sandbox.h"

enum { SCRIPT_MAX = 80 << 10, SECONDS_MAX = 10 };

struct outcome {
    const char *kind; /* as the first line says it */
    char text[ERR_TEXT_MAX];
    uint64_t gas;
};

static const char probe_source[] =
    "local n = 0\n"
    "return function() n = n + 1; return n + ('abc'):len() * 7 end";

static int call_kind(lua_State *L)
{
    int *is_function = lua_touserdata(L, 1);
    lua_rawgeti(L, LUA_REGISTRYINDEX, *is_function);
    *is_function = lua_isfunction(L, -1);
    return 0;
}

static void set_error(struct outcome *o, const struct err *err)
{
    o->kind = err_name(err->code);
    snprintf(o->text, sizeof(o->text), "%s", err->text);
}

static void run(struct sandbox *s, int ref, struct outcome *o)
{
    struct err err;
    lua_State *L = sandbox_L(s);

    sandbox_begin(s);
    if (sandbox_call(s, ref, 0, 1, &err) != 0) {
        set_error(o, &err);
    } else {
        o->kind = "VALUE";
        snprintf(o->text, sizeof(o->text), "%s",
                 lua_tostring(L, -1) == NULL ? luaL_typename(L, -1)
                                             : lua_tostring(L, -1));
        lua_pop(L, 1);
    }
    o->gas = sandbox_gas_used(s);
}

static void works_as_before(struct sandbox *s, int probe)
{
    struct err err;
    lua_State *L = sandbox_L(s);

    sandbox_begin(s);
    assert_int_equal(sandbox_call(s, probe, 0, 1, &err), 0);
    assert_int_equal(lua_tointeger(L, -1), 22);
    lua_pop(L, 1);
}

/* Load, seal, run twice. */
static void play(const char *file, struct bytes source, struct outcome *o)
{
    struct err err;
    struct outcome again;
    int probe, ref;
    struct sandbox *s = sandbox_new((struct sandbox_limits){0}, NULL, NULL);
    struct sandbox_module before = {.file = "probe.lua",
                                    .source = bytes_of_text(probe_source)};
    struct sandbox_module module = {.file = file, .source = source};

    assert_int_equal(sandbox_load_source(s, "probe", &before, &probe, &err), 0);
    if (sandbox_load_source(s, "hostile", &module, &ref, &err) != 0 ||
        sandbox_seal(s, &err) != 0) {
        set_error(o, &err);
        sandbox_free(s);
        return;
    }
    int is_function = ref;
    sandbox_begin(s);
    assert_int_equal(sandbox_run(s, call_kind, &is_function, &err), 0);
    if (is_function) {
        run(s, ref, o);
        works_as_before(s, probe);
        run(s, ref, &again);
        assert_string_equal(o->kind, again.kind);
        assert_string_equal(o->text, again.text);
        assert_int_equal(o->gas, again.gas);
    } else {
        *o = (struct outcome){.kind = "VALUE"};
    }
    works_as_before(s, probe);
    sandbox_free(s);
}

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Play and compare; a script that hangs is ended by the alarm. */
static void expect(const char *file, struct bytes source, const char *kind,
                   const char *text)
{
    struct outcome o = {0};
    double start = seconds();

    alarm(SECONDS_MAX);
    play(file, source, &o);
    alarm(0);
    if (strcmp(o.kind, kind) != 0 || strstr(o.text, text) == NULL)
        fail_msg("%s: expected %s %s, got %s %s", file, kind, text, o.kind,
                 o.text);
    if (seconds() - start > 1)
        print_message("%s took %.2f s\n", file, seconds() - start);
}

static const char *corpus(void)
{
    return access("tests/lua/hostile", R_OK) == 0 ? "tests/lua/hostile"
                                                  : "../lua/hostile";
}

static size_t read_script(const char *name, char *text)
{
    char path[512];

    snprintf(path, sizeof(path), "%s/%s", corpus(), name);
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    size_t len = fread(text, 1, SCRIPT_MAX, f);
    fclose(f);
    assert_true(len > 0 && len < SCRIPT_MAX);
    text[len] = '\0';
    return len;
}

static void play_script(const char *name)
{
    static char text[SCRIPT_MAX];
    static const char mark[] = "-- expect: ";
    char kind[32], wanted[512];
    size_t len = read_script(name, text);

    if (strncmp(text, mark, strlen(mark)) != 0)
        fail_msg("%s: the first line says nothing of what to expect", name);
    const char *line = text + strlen(mark);
    const char *end = strchr(line, '\n');
    assert_non_null(end);
    const char *space = memchr(line, ' ', (size_t)(end - line));
    const char *stop = space == NULL ? end : space;
    snprintf(kind, sizeof(kind), "%.*s", (int)(stop - line), line);
    snprintf(wanted, sizeof(wanted), "%.*s",
             space == NULL ? 0 : (int)(end - space - 1),
             space == NULL ? "" : space + 1);
    expect(name, bytes_of(text, len), kind, wanted);
}

static int is_script(const struct dirent *entry)
{
    size_t len = strlen(entry->d_name);
    return len > 4 && strcmp(entry->d_name + len - 4, ".lua") == 0;
}

static void every_script_ends_as_it_says(void **state)
{
    struct dirent **names;
    int count = scandir(corpus(), &names, is_script, alphasort);

    (void)state;
    assert_true(count >= 60);
    for (int i = 0; i < count; i++) {
        play_script(names[i]->d_name);
        free(names[i]);
    }
    free(names);
    print_message("%d hostile scripts\n", count);
}

/* Sources that are too large or too odd to keep as files. */

static void put_times(struct buf *b, const char *text, int times)
{
    for (int i = 0; i < times; i++)
        buf_put_text(b, text);
}

static void expect_buf(struct buf *b, const char *kind, const char *text)
{
    expect("made.lua", buf_bytes(b), kind, text);
    buf_clear(b);
}

static void deep_nesting_is_refused(void **state)
{
    struct buf b = {0};

    (void)state;
    buf_put_text(&b, "return ");
    put_times(&b, "(", 30000);
    put_times(&b, ")", 30000);
    expect_buf(&b, "SCRIPT", "too many syntax levels");
    buf_put_text(&b, "return ");
    put_times(&b, "{", 20000);
    expect_buf(&b, "SCRIPT", "too many syntax levels");
    put_times(&b, "do ", 20000);
    expect_buf(&b, "SCRIPT", "too many syntax levels");
    put_times(&b, "local function f() ", 3000);
    expect_buf(&b, "SCRIPT", "too many syntax levels");
    buf_put_text(&b, "return ");
    put_times(&b, "-", 1);
    put_times(&b, "not ", 10000);
    buf_put_text(&b, "1");
    expect_buf(&b, "SCRIPT", "too many syntax levels");
    buf_put_text(&b, "return 'a'");
    put_times(&b, " .. 'a'", 8000);
    expect_buf(&b, "SCRIPT", "made.lua:1:");
    buf_deinit(&b);
}

static void large_sources_are_bounded(void **state)
{
    struct buf b = {0};

    (void)state;
    put_times(&b, "local x = 1\n", 6000);
    expect_buf(&b, "LIMIT", "split it and `require` the parts");
    put_times(&b, "local x = 1\n", 300);
    expect_buf(&b, "SCRIPT", "more than 200 local variables");
    buf_put_text(&b, "return {");
    put_times(&b, "1,", 30000);
    buf_put_text(&b, "}");
    expect_buf(&b, "VALUE", "");
    buf_put_text(&b, "return function() local t = {");
    put_times(&b, "1,", 30000);
    buf_put_text(&b, "} end");
    expect_buf(&b, "LIMIT", "table of more than");
    put_times(&b, "a", 65000);
    expect_buf(&b, "SCRIPT", "made.lua:1:");
    buf_put_text(&b, "return function(");
    put_times(&b, "a,", 300);
    buf_put_text(&b, "b) end");
    expect_buf(&b, "SCRIPT", "made.lua:1:");
    buf_put_text(&b, "local x = 1 ");
    put_times(&b, "x = x and x or x ", 3800);
    expect_buf(&b, "VALUE", "");
    put_times(&b, "goto a ", 9000);
    expect_buf(&b, "SCRIPT", "made.lua:1:");
    put_times(&b, "\n", 65536);
    expect_buf(&b, "VALUE", "");
    buf_put_text(&b, "--[[");
    put_times(&b, "^", 60000);
    expect_buf(&b, "SCRIPT", "unfinished long comment");
    buf_deinit(&b);
}

static void many_constants_and_functions_are_bounded(void **state)
{
    struct buf b = {0};

    (void)state;
    buf_put_text(&b, "return {");
    for (int i = 0; i < 5000; i++)
        buf_printf(&b, "'k%d',", i);
    buf_put_text(&b, "}");
    expect_buf(&b, "VALUE", "");
    put_times(&b, "local function f() end do local function g() end end\n",
              100);
    expect_buf(&b, "VALUE", "");
    buf_put_text(&b, "return function() local t = ");
    put_times(&b, "{", 150);
    put_times(&b, "}", 150);
    buf_put_text(&b, " return 'deep' end");
    expect_buf(&b, "VALUE", "deep");
    buf_deinit(&b);
}

static int write_dump(lua_State *L, const void *data, size_t len, void *ud)
{
    (void)L;
    buf_put(ud, data, len);
    return 0;
}

/* Bytecode would be run as it is: any memory could be read and written. */
static void bytecode_is_refused(void **state)
{
    struct buf b = {0};
    lua_State *L = luaL_newstate();

    (void)state;
    assert_int_equal(luaL_loadstring(L, "return 1"), 0);
    assert_int_equal(lua_dump(L, write_dump, &b), 0);
    lua_close(L);
    expect_buf(&b, "SCRIPT", "made.lua");
    buf_put(&b, "\x1bLua\x51\0\1\4\10\4\10\0", 12);
    expect_buf(&b, "SCRIPT", "made.lua");
    buf_put(&b, "\x1b", 1);
    expect_buf(&b, "SCRIPT", "made.lua");
    buf_put(&b, "\xef\xbb\xbf\x1bLJ\x02", 7);
    expect_buf(&b, "SCRIPT", "made.lua");
    buf_deinit(&b);
}

static void odd_bytes_are_no_source(void **state)
{
    struct buf b = {0};

    (void)state;
    expect_buf(&b, "VALUE", ""); /* nothing at all */
    buf_put(&b, "\0\0\0", 3);
    expect_buf(&b, "SCRIPT", "made.lua:1:");
    buf_put_text(&b, "return \"\\xff");
    expect_buf(&b, "SCRIPT", "unfinished string");
    /* A carriage return ends a comment for Lua, so it has to for us. */
    buf_put_text(&b, "-- \r return 2 ^ 0.5");
    expect_buf(&b, "SCRIPT", "`^` is not available");
    buf_put_text(&b, "return '\\z\n\n' .. 2 ^ 2");
    expect_buf(&b, "SCRIPT", "made.lua:3: `^` is not available");
    buf_put_text(&b, "return '\\\r\n' .. 2 ^ 2");
    expect_buf(&b, "SCRIPT", "made.lua:2: `^` is not available");
    buf_put_text(&b, "local a = {} local b = {1} return a[b[1]] ^ 2 --]]");
    expect_buf(&b, "SCRIPT", "`^` is not available");
    buf_deinit(&b);
}

/* Lua passes over a first line that begins with `#`, and over a byte order
 * mark: what looks like the beginning of a text there is none. */
static void no_power_hides_behind_the_first_line(void **state)
{
    static const char *const first[] = {
        "# it's",         "#[[", "#[==[", "# \"", "#--[[", "\xef\xbb\xbf# it's",
        "\xef\xbb\xbf--",
    };
    struct buf b = {0};

    (void)state;
    for (size_t i = 0; i < sizeof(first) / sizeof(first[0]); i++) {
        buf_put_text(&b, first[i]);
        buf_put_text(&b, "\nreturn function() return 2 ^ 0.5 end\n--]==]]]");
        expect_buf(&b, "SCRIPT", "made.lua:2: `^` is not available");
        buf_put_text(&b, first[i]);
        buf_put_text(&b, " ^\nreturn function() return '^`' end");
        expect_buf(&b, "VALUE", "^`");
    }
    buf_deinit(&b);
}

/* ---- machine code ---- */

/* Executable memory that belongs to no file is what a JIT compiler makes. */
static int executable_maps(void)
{
    char line[1024];
    int count = 0;
    FILE *f = fopen("/proc/self/maps", "r");
    assert_non_null(f);
    while (fgets(line, sizeof(line), f) != NULL) {
        char flags[8] = "";
        char name[512] = "";
        sscanf(line, "%*s %7s %*s %*s %*s %511s", flags, name);
        count += strchr(flags, 'x') != NULL && name[0] == '\0';
    }
    fclose(f);
    return count;
}

static const char hot_source[] = "local function hot()\n"
                                 "    local sum = 0\n"
                                 "    for i = 1, 10000 do sum = sum + i end\n"
                                 "    return sum\n"
                                 "end\n";

/* Nothing stops a loop that was compiled, so none may be. An ordinary state
 * shows that this would be seen. */
static void no_loop_is_compiled(void **state)
{
    struct buf b = {0};
    int before = executable_maps();

    (void)state;
    buf_put_text(&b, hot_source);
    buf_put_text(&b, "for i = 1, 5 do hot() end return hot");
    expect_buf(&b, "VALUE", "50005000");
    assert_int_equal(executable_maps(), before);

    lua_State *L = luaL_newstate();
    luaL_openlibs(L);
    buf_put_text(&b, hot_source);
    buf_put_text(&b, "for i = 1, 100 do hot() end");
    assert_int_equal(luaL_loadbuffer(L, (const char *)b.data, b.len, "hot"), 0);
    assert_int_equal(lua_pcall(L, 0, 0, 0), 0);
    assert_true(executable_maps() > before);
    lua_close(L);
    buf_deinit(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_script_ends_as_it_says),
        cmocka_unit_test(deep_nesting_is_refused),
        cmocka_unit_test(large_sources_are_bounded),
        cmocka_unit_test(many_constants_and_functions_are_bounded),
        cmocka_unit_test(bytecode_is_refused),
        cmocka_unit_test(odd_bytes_are_no_source),
        cmocka_unit_test(no_power_hides_behind_the_first_line),
        cmocka_unit_test(no_loop_is_compiled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
