/* An instruction whose time grows with what it works on is paid for by that:
 * else a few thousand of them keep a node busy for minutes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "fixture_sandbox.h"

static const struct sandbox_limits plenty = {UINT64_MAX, 32 << 20};

enum { PASSES = 100 };

/* Steps of `body` done PASSES times, after `before`, in one run. */
static uint64_t gas_of(const char *before, const char *body)
{
    struct buf source = {0};
    struct err err;
    int ref;

    buf_printf(&source, "return function()\n%s\nfor i = 1, %d do\n%s\nend end",
               before, PASSES, body);
    struct sandbox *s = open_source(buf_text(&source), &ref);
    uint64_t gas[2];
    for (int again = 0; again < 2; again++) {
        sandbox_begin_within(s, plenty);
        if (sandbox_call(s, ref, 0, 0, &err) != 0)
            fail_msg("%s: %s", buf_text(&source), err.text);
        gas[again] = sandbox_gas_used(s);
    }
    assert_int_equal(gas[0], gas[1]);
    sandbox_free(s);
    buf_deinit(&source);
    return gas[0];
}

#define ONE "local a = '1'"
#define DIGITS "local a = ('1'):rep(250)"

struct work {
    const char *body;
    const char *little; /* what it works on */
    const char *much;
    uint64_t least; /* steps of one pass over `much` */
};

static void work_is_paid_for_by_its_size(void **state)
{
    static const struct work works[] = {
        {"local x = a < a", "local a = 'x'", "local a = ('x'):rep(60000)",
         60000 / 16},
        {"local x = a >= a", "local a = 'x'", "local a = ('x'):rep(60000)",
         60000 / 16},
        {"local x = a .. a", "local a = 'x'", "local a = ('x'):rep(30000)",
         60000 / 16},
        {"local x = a .. 'y' .. i", "local a = 'x'",
         "local a = ('x'):rep(3000)", 3000 / 16},
        {"local x = a + 1", ONE, DIGITS, 250 * 250 / 64},
        {"local x = 1 - a", ONE, DIGITS, 250 * 250 / 64},
        {"local x = a * a", ONE, DIGITS, 2 * 250 * 250 / 64},
        {"local x = a / 2", ONE, DIGITS, 250 * 250 / 64},
        {"local x = a % 2", ONE, DIGITS, 250 * 250 / 64},
        {"local x = 2 % a", ONE, DIGITS, 250 * 250 / 64},
        {"local x = a % a", ONE, DIGITS, 2 * 250 * 250 / 64},
        {"local x = tonumber(a)", ONE, DIGITS, 250 * 250 / 64},
        {"local x = a + 1", ONE, "local a = ('1'):rep(60000)", 800 * 800 / 64},
        {"local x = a + 1", ONE, "local a = '1e-300'", 256 * 256 / 64},
        {"local x = a + 1", ONE, "local b = '1e-' local a = b .. '300'",
         256 * 256 / 64},
        {"local x = a + 1", ONE, "local b = '' local a = b .. '1e' .. '-300'",
         256 * 256 / 64},
        {"local x = -a", ONE, "local a = '0x' .. ('f'):rep(60000)", 60000 / 16},
        {"for k = a, 1 do end", ONE, "local a = (' '):rep(60000) .. 'inf'",
         60000 / 16},
        {"for k = 1, a do break end", ONE, "local a = '12345678e-9'",
         256 * 256 / 64},
        {"for k = 2, 1, a do end", ONE, DIGITS, 250 * 250 / 64},
        {"local x = #a", "local a = {}",
         "local a = {} for k = 1, 8000 do a[k] = k end", 8000 / 128},
        {"f(unpack(t))",
         "local t = {} local function f(...) return select('#', ...) end",
         "local t = {} for k = 1, 200 do t[k] = k end\n"
         "local function f(...) return select('#', ...) end",
         200 / 8},
        {"a[-i] = 1 a[-i] = nil", "local a = {}",
         "local a = {} for k = 1, 2047 do a[k + 0.5] = k end", 2048 * 24 / 16},
        {"local x = {unpack(t)}", "local t = {}",
         "local t = {} for k = 1, 200 do t[k] = k end", 200 * 8 / 16},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(works) / sizeof(works[0]); i++) {
        const struct work *w = &works[i];
        uint64_t little = gas_of(w->little, w->body);
        uint64_t setup = gas_of(w->much, "");
        uint64_t much = gas_of(w->much, w->body);
        if (little > 100 * PASSES)
            fail_msg("%s: %llu steps for little", w->body,
                     (unsigned long long)little);
        if (much < setup + PASSES * 9 / 10 * w->least)
            fail_msg("%s: %llu steps, less than %llu", w->body,
                     (unsigned long long)(much - setup),
                     (unsigned long long)(PASSES * 9 / 10 * w->least));
    }
}

/* Texts that stand in the source were made by nobody. */
static void texts_of_the_source_are_known(void **state)
{
    static const char *const forms[] = {
        "return function() local a = '%s' for i = 1, 1000 do\n"
        "local x = %s end end",
        "local t = {x = '%s'} return function() local a = t.x\n"
        "for i = 1, 1000 do local x = %s end end",
        "return function() local t = {'%s'} local a = t[1]\n"
        "for i = 1, 1000 do local x = %s end end",
    };
    static const char *const works[] = {"a < a", "a + 1"};
    static const uint64_t least[] = {30000 / 16 * 1000, 800 * 800 / 64 * 1000};
    char long_text[30001];
    struct err err;

    (void)state;
    memset(long_text, '1', sizeof(long_text) - 1);
    long_text[sizeof(long_text) - 1] = '\0';
    for (size_t i = 0; i < 3; i++)
        for (size_t k = 0; k < 2; k++) {
            struct buf source = {0};
            int ref;
            buf_printf(&source, forms[i], long_text, works[k]);
            struct sandbox *s = open_source(buf_text(&source), &ref);
            for (int again = 0; again < 2; again++) {
                sandbox_begin_within(s, plenty);
                assert_int_equal(sandbox_call(s, ref, 0, 0, &err), 0);
                assert_true(sandbox_gas_used(s) >= least[k]);
            }
            sandbox_free(s);
            buf_deinit(&source);
        }
}

/* What one run made is nothing to the next. */
static void long_texts_end_with_their_run(void **state)
{
    static const char source[] =
        "return function(long)\n"
        "    local a = ('1'):rep(long and 60000 or 1)\n"
        "    for i = 1, 200 do local x = a < a and a + 1 end\n"
        "end";
    struct err err;
    uint64_t gas[3];
    int ref;
    struct sandbox *s = open_source(source, &ref);

    (void)state;
    for (int i = 0; i < 3; i++) {
        sandbox_begin_within(s, plenty);
        lua_pushboolean(sandbox_L(s), i == 1);
        assert_int_equal(sandbox_call(s, ref, 1, 0, &err), 0);
        gas[i] = sandbox_gas_used(s);
    }
    assert_true(gas[1] > 100 * gas[0]);
    assert_int_equal(gas[0], gas[2]);
    sandbox_free(s);
}

/* ---- keys that collide ---- */

enum { KEYS = 1300, PLACES = 2048 };

static uint32_t rotate(uint32_t x, unsigned by)
{
    return x << by | x >> (32 - by);
}

/* As LuaJIT hashes a number: nobody draws a seed for that. */
static uint32_t hash_of(double number)
{
    uint64_t bits;
    memcpy(&bits, &number, sizeof(bits));
    uint32_t lo = (uint32_t)bits, hi = (uint32_t)(bits >> 32) << 1;
    lo ^= hi;
#if defined(__x86_64__)
    hi = rotate(hi, 14);
    lo -= hi;
    hi = rotate(hi, 5);
    hi ^= lo;
    return hi - rotate(lo, 13);
#else
    lo -= rotate(hi, 14);
    hi = lo ^ rotate(hi, 19);
    return hi - rotate(lo, 13);
#endif
}

/* KEYS numbers, each with a comma, that all come to one place of a table. */
static void put_colliding(struct buf *out)
{
    for (uint32_t n = 3000000, count = 0; count < KEYS; n++)
        if (hash_of(n) % (2 * PLACES) == 5) {
            buf_printf(out, "%u,", (unsigned)n);
            count++;
        }
}

/* Has the sandbox found long chains, when some thousand keys were looked for
 * again and again? */
static bool finds(const char *keys, uint64_t *gas)
{
    struct buf source = {0};
    struct err err;
    int ref;
    buf_printf(&source,
               "local list = {%s}\n"
               "return function()\n"
               "    local seen, n, texts, tables = {}, 0, {}, {}\n"
               "    for i = 1, %d do\n"
               "        seen[list[i] or i * 7] = true\n"
               "        texts['k' .. i] = i\n"
               "        tables[{}] = i\n"
               "    end\n"
               "    for k = 1, 20 do\n"
               "        for i = 1, %d do n = seen[list[i]] and n + 1 end\n"
               "    end\n"
               "end",
               keys, KEYS, KEYS);
    struct sandbox *s = open_source(buf_text(&source), &ref);
    uint64_t each[2];
    for (int again = 0; again < 2; again++) {
        sandbox_begin_within(s, plenty);
        assert_false(s->tables.found);
        if (sandbox_call(s, ref, 0, 0, &err) != 0)
            fail_msg("%s", err.text);
        each[again] = sandbox_gas_used(s);
    }
    assert_int_equal(each[0], each[1]);
    bool found = s->tables.found;
    *gas = each[0];
    sandbox_free(s);
    buf_deinit(&source);
    return found;
}

/* The author of a body chooses numbers that all come to one place; a schema
 * that keeps them as keys would look at each for each. */
static void keys_that_collide_make_steps_dear(void **state)
{
    struct buf colliding = {0}, spread = {0};
    uint64_t dear, cheap;

    (void)state;
    put_colliding(&colliding);
    for (unsigned i = 0; i < KEYS; i++)
        buf_printf(&spread, "%u,", 3000000 + 17 * i);
    assert_true(finds(buf_text(&colliding), &dear));
    for (int i = 0; i < 5; i++)
        assert_false(finds(buf_text(&spread), &cheap));
    assert_true(dear > 8 * cheap);
    buf_deinit(&colliding);
    buf_deinit(&spread);
}

/* Neither among many tables nor behind such as come and go. */
static void no_table_hides_a_chain(void **state)
{
    struct buf keys = {0}, source = {0};
    struct err err;
    int ref;

    (void)state;
    put_colliding(&keys);
    buf_printf(&source,
               "local list = {%s}\n"
               "return function()\n"
               "    local others, seen = {}, {}\n"
               "    for k = 1, 20 do\n"
               "        others[k] = {}\n"
               "        for i = 1, 300 do others[k]['k' .. i] = i end\n"
               "    end\n"
               "    for i = 1, %d do seen[list[i]] = true end\n"
               "    for k = 1, 40 do\n"
               "        local t = {}\n"
               "        for i = 1, 600 do t[i * 7.5] = i end\n"
               "    end\n"
               "end",
               buf_text(&keys), KEYS);
    struct sandbox *s = open_source(buf_text(&source), &ref);
    sandbox_begin_within(s, plenty);
    assert_int_equal(sandbox_call(s, ref, 0, 0, &err), 0);
    assert_true(s->tables.found);
    sandbox_begin(s);
    assert_false(s->tables.found);
    assert_int_equal(s->tables.count, s->image_tables.count);
    sandbox_free(s);
    buf_deinit(&keys);
    buf_deinit(&source);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(work_is_paid_for_by_its_size),
        cmocka_unit_test(texts_of_the_source_are_known),
        cmocka_unit_test(long_texts_end_with_their_run),
        cmocka_unit_test(keys_that_collide_make_steps_dear),
        cmocka_unit_test(no_table_hides_a_chain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
