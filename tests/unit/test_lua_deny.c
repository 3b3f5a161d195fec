/* What a rule's refusal comes to when it is not what the rule returns. */
#include "fixture_shop.h"

static const char SMALL[] =
    "local function small(e)\n"
    "    return e.amount < 100 or ate.deny({amount = e.amount})\n"
    "end\n"
    "local function even(e)\n"
    "    return e.amount % 2 == 0 or ate.deny({amount = e.amount})\n"
    "end\n"
    "shop:rule('small_and_even', {doc = 'd', on = {'transfer'},\n"
    "    text = 'not {amount}', check = function(_, e)\n"
    "        return small(e) and even(e)\n"
    "    end})\n";

/* Made while loading, for all. */
static const char ONE_FOR_ALL[] =
    "local NO = ate.deny({})\n"
    "shop:rule('small', {doc = 'd', on = {'transfer'}, text = 'too much',\n"
    "    check = function(_, e) return e.amount < 100 or NO end})\n";

static void bundle_of(const char *text, struct buf *bundle)
{
    struct buf source = {0};
    struct err err;
    buf_put_text(&source, shop_begin);
    buf_put_text(&source, text);
    buf_put_text(&source, shop_end);
    if (bundle_build(bundle, "shop", fixture_text, (void *)buf_text(&source),
                     NULL, NULL, &err) != 0)
        fail_msg("%s", err.text);
    buf_deinit(&source);
}

static void begin(struct world *w, struct bytes bundle)
{
    world_open_bundle(w, bundle, 100000);
    world_gives(w, "account.create", "name=alice owner=me", "@alice");
    world_gives(w, "account.create", "name=bob owner=me", "@bob");
}

/* Both helpers are asked; that the first one refused is not forgotten. */
static void a_refusal_is_not_passed_over(void **state)
{
    struct world w;
    struct buf bundle = {0};
    (void)state;
    bundle_of(SMALL, &bundle);
    begin(&w, buf_bytes(&bundle));
    world_fails(&w, "pay", "amount=1.02 from=alice to=bob", ATE_ESCRIPT,
                "made an ate.deny() and returned true");
    world_fails(&w, "pay", "amount=0.03 from=alice to=bob", ATE_EREFUSED,
                "small_and_even: not 0.03");
    world_fails(&w, "pay", "amount=1.03 from=alice to=bob", ATE_EREFUSED,
                "small_and_even: not 1.03");
    world_gives(&w, "pay", "amount=0.02 from=alice to=bob", NULL);
    world_close(&w);
    buf_deinit(&bundle);
}

static void one_that_stands_at_the_top_is_for_who_returns_it(void **state)
{
    struct world w;
    struct buf bundle = {0};
    (void)state;
    bundle_of(ONE_FOR_ALL, &bundle);
    begin(&w, buf_bytes(&bundle));
    world_gives(&w, "pay", "amount=0.99 from=alice to=bob", NULL);
    world_fails(&w, "pay", "amount=1.00 from=alice to=bob", ATE_EREFUSED,
                "small: too much");
    world_close(&w);
    buf_deinit(&bundle);
}

/* The ate of before, in place of today's. */
static void with_older_ate(struct bytes raw, struct buf *out)
{
    static const char path[] =
        "tests/golden/lua/"
        "dd39ebdba9d17841768340371011f71ccd4f8a9131b1223c313caa93b472a27d.lua";
    struct bundle bundle;
    struct bundle_module modules[8];
    struct buf older = {0};
    struct err err;
    size_t count = 0;
    assert_true(fixture_read(path, &older));
    assert_int_equal(bundle_get(raw, &bundle, &err), 0);
    struct bundle_cursor cursor = bundle_modules(&bundle);
    while (bundle_next(&cursor, &modules[count])) {
        if (bytes_equal(modules[count].name, bytes_of_text("ate")))
            modules[count].source = buf_bytes(&older);
        count++;
    }
    assert_int_equal(bundle_put(out, bundle.main_module, modules, count, &err),
                     0);
    buf_deinit(&older);
}

/* Verdicts of chains rest on what it gave. */
static void older_bundles_are_judged_as_ever(void **state)
{
    struct world w;
    struct buf bundle = {0};
    struct buf older = {0};
    (void)state;
    bundle_of(SMALL, &bundle);
    with_older_ate(buf_bytes(&bundle), &older);
    begin(&w, buf_bytes(&older));
    world_gives(&w, "pay", "amount=1.02 from=alice to=bob", NULL);
    world_close(&w);
    buf_deinit(&bundle);
    buf_deinit(&older);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_refusal_is_not_passed_over),
        cmocka_unit_test(one_that_stands_at_the_top_is_for_who_returns_it),
        cmocka_unit_test(older_bundles_are_judged_as_ever),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
