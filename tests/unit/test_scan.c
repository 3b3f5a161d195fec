#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "sandbox/compile.h"
#include "sandbox/hints.h"
#include "sandbox/lib.h"
#include "sandbox/rewrite.h"
#include "sandbox/scan.h"

static int write_dump(lua_State *L, const void *data, size_t len, void *ud)
{
    (void)L;
    buf_put(ud, data, len);
    return 0;
}

/* What LuaJIT itself makes of a source. */
static void dump_plain(struct buf *dump, const char *source, bool strip)
{
    lua_State *L = luaL_newstate();

    luaL_openlibs(L);
    if (luaL_loadbuffer(L, source, strlen(source), "@bank.lua") != 0)
        fail_msg("%s", lua_tostring(L, -1));
    if (strip) {
        lua_getglobal(L, "string");
        lua_getfield(L, -1, "dump");
        lua_pushvalue(L, 1);
        lua_pushboolean(L, 1);
        lua_call(L, 2, 1);
        size_t len;
        const char *text = lua_tolstring(L, -1, &len);
        buf_put(dump, text, len);
    } else {
        assert_int_equal(lua_dump(L, write_dump, dump), 0);
    }
    lua_close(L);
}

static void expect_scan(const char *source, int code, const char *text)
{
    struct buf dump = {0};
    struct err err = {0};

    dump_plain(&dump, source, false);
    int rc = scan_dump(buf_bytes(&dump), "bank.lua", NULL, NULL, NULL, &err);
    if (rc != code || strstr(err.text, text) == NULL)
        fail_msg("%s: %d '%s'", source, rc, err.text);
    buf_deinit(&dump);
}

static void powers_are_refused(void **state)
{
    (void)state;
    expect_scan("local a = 2\n\nreturn a ^ 3", ATE_ESCRIPT,
                "bank.lua:3: `^` is not available here: use ate.int.pow");
    expect_scan("local a = 2\nlocal function f()\n  return function()\n"
                "    return a ^ 2 end end",
                ATE_ESCRIPT, "bank.lua:4: `^`");
    expect_scan("local a = '^' -- ^\nreturn a", 0, "");
}

static void numbers_of_the_ffi_are_refused(void **state)
{
    (void)state;
    expect_scan("return 1LL", ATE_ESCRIPT, "bank.lua:1: numbers that end");
    expect_scan("\nlocal a = 1ULL", ATE_ESCRIPT, "bank.lua:2: numbers");
    expect_scan("return {2i}", ATE_ESCRIPT, "bank.lua:1: numbers");
    expect_scan("local t = {}\nreturn t[1LL]", ATE_ESCRIPT, "bank.lua:2:");
}

static void writes_to_globals_are_refused(void **state)
{
    (void)state;
    expect_scan("local a\nb = a", ATE_ESCRIPT,
                "bank.lua:2: `b` is not declared, and globals can't be set "
                "here: write `local b`");
    expect_scan("function f() end", ATE_ESCRIPT, "bank.lua:1: `f`");
    expect_scan("local t = {}\nt.a = 1\nfunction t.b() end", 0, "");
}

/* Every instruction that plain Lua compiles to is known. */
static void all_of_plain_lua_passes(void **state)
{
    (void)state;
    expect_scan(
        "local a, b, t = 1, 2.5, {1, 2, x = 'y', [3] = true, f = nil}\n"
        "local function v(...) local n = select('#', ...) return n, ... end\n"
        "for i = 1, 10, 2 do a = a + i - b * 2 / 3 % 4 end\n"
        "for k in v do break end\n"
        "for k, w in pairs(t) do t[k] = w end\n"
        "for k, w in next, t do t[k] = -w end\n"
        "while a < b do a = a + 1 if a == 3 then break end end\n"
        "repeat local c = a; b = b - 1; local f = function() return c end\n"
        "until not (b > 1 and a ~= 2 or a <= b and a >= b)\n"
        "goto over do local x = #t .. a .. 'z' end ::over::\n"
        "if a == 'x' or a == nil or a == true or a == b then a = -b end\n"
        "t[1], t.y, t[a] = v(v(1, v())) t = {v()} t = {1, v(...)}\n"
        "local function up() a = 1 b = 'x' t = nil a = b return up(v()) end\n"
        "t.m = function(self, x) return self:m(x), self end\n"
        "return t:m(1, v())",
        0, "");
}

/* Reads of globals are reported with their member and line. */

struct seen {
    char text[1024];
};

static int see(void *ctx, const struct scan_global *global, struct err *err)
{
    struct seen *seen = ctx;
    size_t len = strlen(seen->text);

    snprintf(seen->text + len, sizeof(seen->text) - len, "%s.%s:%d ",
             global->name, global->member, global->line);
    if (strcmp(global->name, "stop") == 0)
        return err_set(err, ATE_EDENIED, "stopped");
    return 0;
}

static void reads_of_globals_are_reported(void **state)
{
    struct buf dump = {0};
    struct seen seen = {0};
    struct err err;

    (void)state;
    dump_plain(&dump,
               "local a = string.rep\n"
               "local b = pairs\n\n"
               "local function f() return os.time(), a.b end\n"
               "return math",
               false);
    assert_int_equal(
        scan_dump(buf_bytes(&dump), "bank.lua", see, &seen, NULL, &err), 0);
    assert_string_equal(seen.text, "os.time:4 string.rep:1 pairs.:2 math.:5 ");
    buf_clear(&dump);
    dump_plain(&dump, "return stop, never", false);
    assert_int_equal(
        scan_dump(buf_bytes(&dump), "bank.lua", see, &seen, NULL, &err),
        ATE_EDENIED);
    assert_null(strstr(seen.text, "never"));
    buf_deinit(&dump);
}

/* Line offsets are one, two or four bytes wide. */
static void lines_of_long_functions_are_right(void **state)
{
    static const int lengths[] = {10, 254, 255, 256, 300, 65535, 70000};

    (void)state;
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        struct buf source = {0};
        char want[64];
        buf_put_text(&source, "local a = 1");
        for (int n = 1; n < lengths[i]; n++)
            buf_put_text(&source, "\n");
        buf_put_text(&source, "b = a");
        snprintf(want, sizeof(want), "bank.lua:%d: `b`", lengths[i]);
        expect_scan(buf_text(&source), ATE_ESCRIPT, want);
        buf_deinit(&source);
    }
}

static void stripped_and_foreign_dumps_are_corrupt(void **state)
{
    struct buf dump = {0};
    struct err err;

    (void)state;
    dump_plain(&dump, "return 1", true);
    assert_int_equal(
        scan_dump(buf_bytes(&dump), "bank.lua", NULL, NULL, NULL, &err),
        ATE_ECORRUPT);
    buf_deinit(&dump);
    assert_int_equal(
        scan_dump(bytes_of("\x1bLua", 4), "f", NULL, NULL, NULL, &err),
        ATE_ECORRUPT);
    assert_int_equal(scan_dump(bytes_of("", 0), "f", NULL, NULL, NULL, &err),
                     ATE_ECORRUPT);
}

/* Each cut and each changed byte is refused or passed, never misread: run it
 * under the address sanitizer. */
static void torn_dumps_are_never_overread(void **state)
{
    struct buf dump = {0}, out = {0};
    struct err err;

    (void)state;
    dump_plain(&dump,
               "local t = {1, 2.5, 'x', y = {}}\n"
               "local function f(a) return t[a] end\n"
               "return function() return f(1e100) end",
               false);
    for (size_t len = 0; len < dump.len; len++) {
        uint8_t *copy = malloc(len + 1);
        memcpy(copy, dump.data, len);
        struct bytes cut = bytes_of(copy, len);
        assert_int_equal(scan_dump(cut, "f", NULL, NULL, NULL, &err),
                         ATE_ECORRUPT);
        assert_int_equal(rewrite_dump(&out, cut, "f", &err), ATE_ECORRUPT);
        free(copy);
    }
    for (size_t at = 0; at < dump.len; at++)
        for (int bit = 0; bit < 8; bit++) {
            dump.data[at] ^= (uint8_t)(1 << bit);
            scan_dump(buf_bytes(&dump), "f", NULL, NULL, NULL, &err);
            rewrite_dump(&out, buf_bytes(&dump), "f", &err);
            buf_clear(&out);
            dump.data[at] ^= (uint8_t)(1 << bit);
        }
    buf_deinit(&dump);
    buf_deinit(&out);
}

/* The rewritten program answers as the plain one does. */

static const char operations[] =
    "_G['#'] = function(x)\n"
    "    return (type(x) == 'table' or type(x) == 'string') and #x\n"
    "end\n"
    "_G['..'] = function(...)\n"
    "    for i = 1, select('#', ...) do\n"
    "        local kind = type((select(i, ...)))\n"
    "        if kind ~= 'string' and kind ~= 'number' then return false end\n"
    "    end\n"
    "    return table.concat({...})\n"
    "end\n"
    "_G['...'] = function() end\n"
    "_G['<'] = function(a, b) compared = compared + 1 end\n"
    "_G['+'] = function(...) counted = counted + select('#', ...) end\n"
    "compared, counted = 0, 0\n";

static char *answer_of(struct bytes dump)
{
    lua_State *L = luaL_newstate();

    luaL_openlibs(L);
    assert_int_equal(luaL_dostring(L, operations), 0);
    if (luaL_loadbuffer(L, (const char *)dump.data, dump.len, "@bank.lua") !=
            0 ||
        lua_pcall(L, 0, 1, 0) != 0)
        fail_msg("%s", lua_tostring(L, -1));
    char *answer = strdup(lua_tostring(L, -1));
    lua_close(L);
    return answer;
}

/* What the rewritten one answers, which the plain one can not. */
static void expect_rewritten(const char *source, const char *want)
{
    struct buf plain = {0}, made = {0};
    struct err err;

    dump_plain(&plain, source, false);
    assert_int_equal(rewrite_dump(&made, buf_bytes(&plain), "f", &err), 0);
    char *answer = answer_of(buf_bytes(&made));
    assert_string_equal(answer, want);
    free(answer);
    buf_deinit(&plain);
    buf_deinit(&made);
}

static void expect_same_answer(const char *source, const char *want)
{
    struct buf plain = {0}, made = {0};
    struct err err;

    dump_plain(&plain, source, false);
    if (rewrite_dump(&made, buf_bytes(&plain), "bank.lua", &err) != 0)
        fail_msg("%s", err.text);
    char *before = answer_of(buf_bytes(&plain));
    char *after = answer_of(buf_bytes(&made));
    assert_string_equal(before, want);
    assert_string_equal(after, want);
    free(before);
    free(after);
    buf_deinit(&plain);
    buf_deinit(&made);
}

static void rewritten_calls_return_the_same(void **state)
{
    (void)state;
    expect_same_answer("local function f(...) return ... end\n"
                       "local function g(...) return f(1, ...) end\n"
                       "local function h() return g(g(2, 3)) end\n"
                       "return table.concat({h()}, ',')",
                       "1,1,2,3");
    expect_same_answer("local function none() end\n"
                       "local function f() return none() end\n"
                       "return select('#', f()) .. select('#', (f()))",
                       "01");
    /* Upvalues are closed, and jumps lead over the added instructions. */
    expect_same_answer(
        "local function id(x) return x end\n"
        "local function f(n)\n"
        "    local sum = 0\n"
        "    for i = 1, n do\n"
        "        local add = function() sum = sum + i return id(sum) end\n"
        "        if i == 5 then return id(add()) end\n"
        "        if i % 2 == 0 then goto next end\n"
        "        add()\n"
        "        ::next::\n"
        "    end\n"
        "    while sum < 100 do\n"
        "        if sum == 50 then return id('fifty') end\n"
        "        sum = sum + 1\n"
        "    end\n"
        "    for k, v in pairs({1, 2, 3}) do\n"
        "        if v == 3 then return id(sum + k) end\n"
        "    end\n"
        "end\n"
        "return f(10) .. '/' .. f(2) .. '/' .. f(0)",
        "9/fifty/fifty");
    expect_same_answer(
        "local t = {n = 3}\n"
        "function t:get(x) return x and self:get() or self.n end\n"
        "local function f(x) return x and t:get(x) end\n"
        "return tostring(f(true)) .. tostring(f(false))",
        "3false");
}

static void rewritten_operations_return_the_same(void **state)
{
    (void)state;
    expect_same_answer("local t = {n = {1, 2, 3}}\n"
                       "local a, b = 'x', 5\n"
                       "local function f(...) return ... end\n"
                       "local s = a .. b .. #t.n .. f(a .. b, #a) .. 'z'\n"
                       "for i = 1, #t.n do\n"
                       "    local c = i\n"
                       "    s = s .. (i == 2 and 'two' .. i or #s)\n"
                       "    if #s > 100 then break end\n"
                       "    t[#t + 1] = function() c = c .. '!' return c end\n"
                       "end\n"
                       "return s .. t[1]() .. t[1]() .. t[3]()",
                       "x53x5z6two2111!1!!3!");
}

/* To the last bit, and of signs, too. */
static void remainders_are_the_same(void **state)
{
    static const char source[] =
        "local list = {0, 1, -1, 2, 0.3, -0.3, 5.3, 0.7, -7.25, 1e15 + 0.3,\n"
        "    1e17, 3, 1e-20, -1e-20, 123456789.123, 1e300, 2^53 - 1, 0.1,\n"
        "    1 / 3, -2 / 3, '12.5', 1 / 0, -1e17}\n"
        "local seen = {}\n"
        "local function put(x)\n"
        "    seen[#seen + 1] = x ~= x and 'nan' or ('%.17g'):format(x)\n"
        "end\n"
        "local seed = 1\n"
        "local function random()\n"
        "    seed = (seed * 16807) % 2147483647\n"
        "    return (seed / 2147483647 - 0.5) * 10 ^ (seed % 19)\n"
        "end\n"
        "for i = 1, 300 do list[#list + 1] = random() end\n"
        "for i, x in ipairs(list) do\n"
        "    for k = 1, #list, 7 do put(x % list[k]) end\n"
        "    put(x % 3) put(x % 0.7) put(x % -5) put(7.5 % x) put(-3 % x)\n"
        "    local y = x y = y % y put(y)\n"
        "    local z = 2 z = z % x put(z)\n"
        "end\n"
        "return #seen .. ' ' .. table.concat(seen, ' ')";
    struct buf plain = {0}, made = {0};
    struct err err;

    (void)state;
    dump_plain(&plain, source, false);
    assert_int_equal(rewrite_dump(&made, buf_bytes(&plain), "f", &err), 0);
    assert_true(made.len > plain.len);
    char *before = answer_of(buf_bytes(&plain));
    char *after = answer_of(buf_bytes(&made));
    assert_true(strlen(before) > 100000);
    assert_string_equal(before, after);
    free(before);
    free(after);
    buf_deinit(&plain);
    buf_deinit(&made);
}

/* Only what may be two texts is worth a call. */
static void comparisons_of_numbers_stay(void **state)
{
    (void)state;
    expect_same_answer("local a, b = {n = 1}, {n = 'x'}\n"
                       "local n, s = 0, ''\n"
                       "for i = 1, 3 do\n"
                       "    if a.n < 2 and 0 <= a.n then n = n + 1 end\n"
                       "    if a.n + 1 > a.n * 3 or #s > a.n then n = 9 end\n"
                       "end\n"
                       "return n .. ',' .. compared",
                       "3,0");
}

static void comparisons_of_texts_are_asked_about(void **state)
{
    static const char source[] = "local a, b, n = {n = 1}, {n = 2}, 0\n"
                                 "if a.n < b.n then n = n + 1 end\n"
                                 "if a.n <= b.n then n = n + 1 end\n"
                                 "if not (a.n > b.n) then n = n + 1 end\n"
                                 "if not (a.n >= b.n) then n = n + 1 end\n"
                                 "local least = 5\n"
                                 "for _, v in ipairs({7, 3, 4}) do\n"
                                 "    if v < least then least = v end\n"
                                 "end\n"
                                 "return n .. least .. ',' .. compared";

    (void)state;
    expect_rewritten(source, "43,7");
}

/* Each value that may be a text, of all that counts. */
static void arithmetic_of_texts_is_asked_about(void **state)
{
    static const char source[] =
        "local t, n = {n = 2, m = '3'}, 0\n"
        "local list = {t.n + 1, 1 - t.m, t.n * t.m, t.n / 2, t.m % 2,\n"
        "    7 % t.m, t.m % t.n, -t.m, (t.n + 1) * 2 - 1}\n" /* 11 */
        "for i = t.m, 5, t.n do n = n + i end\n"             /* 3 + 2 * 2 */
        "for i = 1, 2 do n = n + i * 2 end\n"                /* 2 * 2 */
        "for i = 1, 1 do\n"
        "    repeat local x = i + 1 i = t.m until x == 4\n" /* 2 */
        "end\n"
        "for i = 1, 2 do\n"
        "    local function f() i = t.m end f() n = n + i\n" /* 2 * 2 */
        "end\n"
        "return table.concat(list, ' ') .. ' ' .. n .. ',' .. counted";

    (void)state;
    expect_rewritten(source, "3 -2 6 1 1 1 1 -3 5 20,28");
}

/* Names of variables in errors still belong to the right instructions. */
static void rewritten_functions_keep_their_names(void **state)
{
    (void)state;
    expect_same_answer(
        "local function id(...) return ... end\n"
        "local function f(a)\n"
        "    if a == 1 then return id(a) end\n"
        "    if a == 2 then return id(a) end\n"
        "    local first = nil\n"
        "    do local inner = 1 if a == 3 then return id(inner) end end\n"
        "    local second\n"
        "    if a == 4 then return first.x end\n"
        "    if a == 6 then return #first end\n"
        "    if a == 7 then return 'x' .. a .. second end\n"
        "    if a == 8 then return first + a end\n"
        "    if a == 9 then return -second end\n"
        "    if a == 10 then for i = 1, first do return i end end\n"
        "    return id(second.x)\n"
        "end\n"
        "local function text(n)\n"
        "    return select(2, pcall(f, n))\n"
        "end\n"
        "return text(4) .. '|' .. text(5) .. '|' .. text(3)\n"
        "    .. '|' .. text(6) .. '|' .. text(7) .. '|' .. text(8)\n"
        "    .. '|' .. text(9) .. '|' .. text(10)",
        "bank.lua:8: attempt to index local 'first' (a nil value)|"
        "bank.lua:14: attempt to index local 'second' (a nil value)|1|"
        "bank.lua:9: attempt to get length of local 'first' (a nil value)|"
        "bank.lua:10: attempt to concatenate local 'second' (a nil value)|"
        "bank.lua:11: attempt to perform arithmetic on local 'first' "
        "(a nil value)|"
        "bank.lua:12: attempt to perform arithmetic on local 'second' "
        "(a nil value)|"
        "bank.lua:13: 'for' limit must be a number");
}

static void hints_say_what_to_use(void **state)
{
    char text[256];

    (void)state;
    assert_string_equal(
        hint_sentence(text, sizeof(text), "pairs", NULL),
        "`pairs` is not available here, as its order differs between "
        "machines: use ate.each");
    assert_non_null(strstr(hint_sentence(text, sizeof(text), "io", "open"),
                           "`io.open` is not available here: code here"));
    assert_non_null(strstr(hint_sentence(text, sizeof(text), "bnk", ""),
                           "`bnk` is not declared"));
    assert_null(hint_find("ipairs"));
    assert_true(lib_has("string", "rep"));
    assert_true(lib_has("ipairs", ""));
    assert_false(lib_has("string", "gsub"));
    assert_false(lib_has("pairs", ""));
}

/* No hint is for something that is there, and none advises what is not. */
static void hints_and_library_agree(void **state)
{
    static const char *const there[] = {"type",   "error",  "ipairs",
                                        "string", "math",   "table",
                                        "bit",    "unpack", "require"};

    (void)state;
    for (size_t i = 0; i < sizeof(there) / sizeof(there[0]); i++) {
        assert_true(lib_has(there[i], ""));
        assert_null(hint_find(there[i]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(powers_are_refused),
        cmocka_unit_test(numbers_of_the_ffi_are_refused),
        cmocka_unit_test(writes_to_globals_are_refused),
        cmocka_unit_test(all_of_plain_lua_passes),
        cmocka_unit_test(reads_of_globals_are_reported),
        cmocka_unit_test(lines_of_long_functions_are_right),
        cmocka_unit_test(stripped_and_foreign_dumps_are_corrupt),
        cmocka_unit_test(torn_dumps_are_never_overread),
        cmocka_unit_test(rewritten_calls_return_the_same),
        cmocka_unit_test(rewritten_operations_return_the_same),
        cmocka_unit_test(remainders_are_the_same),
        cmocka_unit_test(comparisons_of_numbers_stay),
        cmocka_unit_test(comparisons_of_texts_are_asked_about),
        cmocka_unit_test(arithmetic_of_texts_is_asked_about),
        cmocka_unit_test(rewritten_functions_keep_their_names),
        cmocka_unit_test(hints_say_what_to_use),
        cmocka_unit_test(hints_and_library_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
