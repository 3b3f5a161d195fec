/* Programs made by chance, each run four times: twice in one sandbox, with
 * another run in between, and in two further sandboxes, which have other
 * addresses and hash texts with other seeds. The same has to come of it each
 * time: what it gives, or the error with its text, and what it costs.
 *
 * SOAK in the environment repeats it so often, each time from the next seed;
 * SEED starts elsewhere. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "sandbox/sandbox.h"
#include "sim/lua_program.h"

static unsigned rounds = 1;
static uint64_t first_seed = 1;

struct result {
    int code;
    char text[ERR_TEXT_MAX]; /* of the error, or what was given */
    uint64_t gas;
    size_t memory;
};

/* A place of its own in memory, and something that was run there before. */
static struct sandbox *open_program(struct bytes source, int *ref)
{
    struct err err;
    struct sandbox *s = sandbox_new((struct sandbox_limits){0}, NULL, NULL);
    struct sandbox_module module = {.file = "p.lua", .source = source};
    if (sandbox_load_source(s, "p", &module, ref, &err) != 0)
        fail_msg("%s\n%.*s", err.text, (int)source.len,
                 (const char *)source.data);
    assert_int_equal(sandbox_seal(s, &err), 0);
    return s;
}

static struct result run(struct sandbox *s, int ref,
                         struct sandbox_limits limits)
{
    struct err err;
    struct result r = {0};
    lua_State *L = sandbox_L(s);
    sandbox_begin_within(s, limits);
    r.code = sandbox_call(s, ref, 0, 1, &err);
    if (r.code != 0)
        snprintf(r.text, sizeof(r.text), "%s", err.text);
    else
        snprintf(r.text, sizeof(r.text), "%s", lua_tostring(L, -1));
    if (r.code == 0)
        lua_pop(L, 1);
    r.gas = sandbox_gas_used(s);
    r.memory = sandbox_memory_used(s);
    return r;
}

static bool ran_out_of_memory(const struct result *r)
{
    return r->code == ATE_ELIMIT && strstr(r->text, "needs ") != NULL;
}

/* What a table takes from which texts were removed as keys depends on where
 * others fall: that is why memory may run out elsewhere. It binds only the node
 * that accepts. */
static void expect_same(uint64_t seed, const struct result *a,
                        const struct result *b, bool same_box)
{
    if (!same_box && (ran_out_of_memory(a) || ran_out_of_memory(b)))
        return;
    if (a->code != b->code || strcmp(a->text, b->text) != 0 ||
        a->gas != b->gas || (same_box && a->memory != b->memory))
        fail_msg("seed %llu: %d '%s' (%llu steps, %zu bytes) or %d '%s' (%llu "
                 "steps, %zu bytes)",
                 (unsigned long long)seed, a->code, a->text,
                 (unsigned long long)a->gas, a->memory, b->code, b->text,
                 (unsigned long long)b->gas, b->memory);
}

static void play(uint64_t seed, struct sandbox_limits limits, unsigned *good)
{
    static const struct sandbox_limits little = {3000, 20000};
    struct buf source = {0};
    struct sandbox *boxes[3];
    int refs[3];
    lua_program(&source, seed);
    boxes[0] = open_program(buf_bytes(&source), &refs[0]);
    struct result first = run(boxes[0], refs[0], limits);
    run(boxes[0], refs[0], little);
    struct result again = run(boxes[0], refs[0], limits);
    expect_same(seed, &first, &again, true);
    void *between = mem_alloc((size_t)(seed % 64 + 1) * 4096);
    for (int i = 1; i < 3; i++) {
        boxes[i] = open_program(buf_bytes(&source), &refs[i]);
        if (i == 2)
            run(boxes[i], refs[i], little);
        struct result other = run(boxes[i], refs[i], limits);
        expect_same(seed, &first, &other, false);
    }
    for (int i = 0; i < 3; i++)
        sandbox_free(boxes[i]);
    mem_free(between);
    *good += first.code == 0;
    buf_deinit(&source);
}

static void programs_come_to_the_same(void **state)
{
    static const struct sandbox_limits limits = {1000000, 4 << 20};
    unsigned good = 0;
    unsigned count = 800 * rounds;
    (void)state;
    for (unsigned i = 0; i < count; i++)
        play(first_seed + i, limits, &good);
    print_message("programs from seed %llu: %u, of which %u came to an end\n",
                  (unsigned long long)first_seed, count, good);
    assert_true(good > count / 4);
}

/* A limit may be passed anywhere. */
static void limits_end_them_at_the_same_place(void **state)
{
    unsigned good = 0;
    unsigned count = 400 * rounds;
    (void)state;
    for (unsigned i = 0; i < count; i++) {
        struct sandbox_limits limits = {1000 * (i % 20), 10000 + i % 97 * 200};
        play(first_seed + i, limits, &good);
    }
    print_message("with small limits %u of %u came to an end\n", good, count);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(programs_come_to_the_same),
        cmocka_unit_test(limits_end_them_at_the_same_place),
    };
    const char *text = getenv("SOAK");
    if (text != NULL && atoi(text) > 0)
        rounds = (unsigned)atoi(text);
    text = getenv("SEED");
    if (text != NULL)
        first_seed = strtoull(text, NULL, 10);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
