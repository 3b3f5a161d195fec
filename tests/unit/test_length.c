/* The length of a list is told by what the list holds, however it came to hold
 * that. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "fixture_sandbox.h"
#include "sandbox/length.h"

/* Ways to come to a table of which t[1], t[2] and t[4] are there, and t[3] is
 * not. `t` is returned, with other things in it at times. */
static const char *const ways[] = {
    "return {1, 2, nil, 4}",
    "local t = {1, 2, 3, 4} t[3] = nil return t",
    "return {[1] = 1, [2] = 2, [4] = 4}",
    "local t = {} t[4] = 4 t[2] = 2 t[1] = 1 return t",
    "local t = {} for i = 4, 1, -1 do t[i] = i end t[3] = nil return t",
    "local t = {} for i = 1, 64 do t[i] = i end\n"
    "for i = 5, 64 do t[i] = nil end t[3] = nil return t",
    "local t = {n = 1, m = 2} t[1] = 1 t[2] = 2 t[4] = 4 t.n = nil return t",
    "local t = {} for i = 1, 20 do t['k' .. i] = i end\n"
    "for i = 1, 20, 3 do t['k' .. i] = nil end\n"
    "t[1] = 1 t[4] = 4 t[2] = 2 return t",
    "local t = {} for i = 1, 7 do t['a' .. i] = i t['a' .. i - 1] = nil end\n"
    "for i = 1, 4 do t[i] = i t['b' .. i] = 1 t['b' .. i - 1] = nil end\n"
    "t[3] = nil return t",
    "local t = {} t[1], t[2] = 1, 2 for i = 4, 400, 2 do t[i] = i end return t",
    "local t = {1, 2} table.insert(t, 3) t[4] = 4 t[3] = nil return t",
    "local t = {1, 2, 0, 3, 4} table.remove(t, 3) t[3] = nil return t",
    "local function f(...) return {...} end return f(1, 2, nil, 4, nil)",
};
enum { WAYS = sizeof(ways) / sizeof(ways[0]) };

/* All that asks for a length: they have to agree. */
static const char asked[] =
    "\nend\nreturn function()\n"
    "    local t, seen = make(), {}\n"
    "    seen[1] = #t\n"
    "    seen[2] = select('#', unpack(t))\n"
    "    seen[3] = select('#', table.unpack(t, 1))\n"
    "    seen[4] = #table.concat(t)\n"
    "    local n = 0 for _ in ipairs(t) do n = n + 1 end\n"
    "    seen[5] = n\n"
    "    table.sort(t, function(a, b) return a > b end)\n"
    "    seen[6] = t[1]\n"
    "    table.insert(t, 9)\n"
    "    seen[7] = t[3] == 9 and 2 or 0\n"
    "    t[3] = nil\n"
    "    seen[8] = table.remove(t) + 1\n"
    "    return table.concat(seen, ',')\n"
    "end\n";

static void a_length_is_what_the_table_holds(void **state)
{
    char source[2048];

    (void)state;
    for (size_t i = 0; i < WAYS; i++) {
        snprintf(source, sizeof(source), "local function make()\n%s%s", ways[i],
                 asked);
        for (int again = 0; again < 20; again++) /* each with other hashes */
            expect_text(source, "2,2,2,2,2,2,2,2");
    }
}

static void lists_without_holes_have_their_length(void **state)
{
    char source[512], wanted[32];

    (void)state;
    for (int n = 0; n < 600; n = n * 3 / 2 + 1) {
        snprintf(source, sizeof(source),
                 "return function() local t, u = {}, {}\n"
                 "for i = 1, %d do t[#t + 1] = i u[%d - i] = i end\n"
                 "local one = #t t[1] = nil\n"
                 "return one .. ',' .. #u .. ',' .. #t end",
                 n, n);
        snprintf(wanted, sizeof(wanted), "%d,%d,0", n, n > 0 ? n - 1 : 0);
        expect_text(source, wanted);
    }
    expect_text("local t = {} return function() return #t .. #'' .. #'abc'\n"
                ".. #{nil, 2} .. #{[2] = 2} .. #{[0] = 1} end",
                "003000");
}

/* On a machine whose tables look otherwise. */
static void asking_one_by_one_gives_the_same(void **state)
{
    static const char source[] =
        "return function() local t, n = {}, 0\n"
        "for i = 1, 300 do t[#t + 1] = i n = n + #t end\n"
        "for i = 300, 1, -7 do t[i] = nil n = n + #t end\n"
        "return n end";
    struct err err;
    double given[2];
    uint64_t gas[2];
    int ref;
    struct sandbox *s = open_source(source, &ref);

    (void)state;
    assert_true(s->sees_arrays); /* here it has to */
    for (int i = 0; i < 2; i++) {
        sandbox_begin(s);
        s->sees_arrays = i == 0;
        assert_int_equal(sandbox_call(s, ref, 0, 1, &err), 0);
        given[i] = lua_tonumber(sandbox_L(s), -1);
        gas[i] = sandbox_gas_used(s);
    }
    assert_true(given[0] == given[1] && given[0] > 300);
    assert_int_equal(gas[0], gas[1]);
    sandbox_free(s);
}

/* Appending takes steps that grow with the list, but slowly. */
static void appending_in_a_loop_is_cheap(void **state)
{
    char text[512];
    static const char source[] = "return function() local t = {}\n"
                                 "for i = 1, 2000 do t[#t + 1] = i end\n"
                                 "return #t end";

    (void)state;
    uint64_t gas = run_source(source, text);
    assert_string_equal(text, "2000");
    assert_in_range(gas, 2000, 60000);
}

static void what_has_no_length_is_named(void **state)
{
    (void)state;
    expect_failure("return function() local list\n return #list end",
                   ATE_ESCRIPT,
                   "bank.lua:2: attempt to get length of local 'list' (a nil "
                   "value)");
    expect_failure("return function() local t = {}\n return #t.items end",
                   ATE_ESCRIPT, "attempt to get length of field 'items'");
    expect_failure("local n = 5 return function() return #n end", ATE_ESCRIPT,
                   "attempt to get length of upvalue 'n' (a number value)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_length_is_what_the_table_holds),
        cmocka_unit_test(lists_without_holes_have_their_length),
        cmocka_unit_test(asking_one_by_one_gives_the_same),
        cmocka_unit_test(appending_in_a_loop_is_cheap),
        cmocka_unit_test(what_has_no_length_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
