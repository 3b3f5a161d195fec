/* Keys of rows: refs in them are to the types that their columns say. */
#include "fixture_shop.h"

#include "event/bundle.h"

/* A view by accounts, whose rows are all defaults; `fold` is what it does with
 * a receipt, which names a transfer. */
static void open_folding(struct world *w, const char *fold)
{
    struct buf source = {0};
    buf_printf(&source,
               "shop:view('v', {doc = 'd', key = {'n', 'account'},\n"
               "    row = {n = t.integer(), account = t.ref('account'),\n"
               "        a = t.default(t.integer(), 3)},\n"
               "    fold = {receipt = function(rows, e)\n%s\nend}})\n"
               "shop:method('go', {doc = 'd', mode = 'write', args = {},\n"
               "    run = function(ctx)\n"
               "        for e in ctx.state.transfer:each() do\n"
               "            ctx:emit('receipt', {transfer = e})\n"
               "        end\n"
               "    end})\n",
               fold);
    open_with(w, buf_text(&source));
    buf_deinit(&source);
}

static void fold_fails(const char *fold, const char *words)
{
    struct world w;
    open_folding(&w, fold);
    world_fails(&w, "go", "", ATE_ESCRIPT, words);
    world_close(&w);
}

/* Where no row stands, the answer would be one of defaults, or none. */
static void a_view_is_not_asked_by_another_type(void **state)
{
    static const char item[] =
        "local item = ctx.state.item:get('alice/1').id\n";
    static const struct {
        const char *ask;
        const char *words;
    } rows[] = {
        {"balance:get(item)", "balance:get.account: "},
        {"balance:get({item})", "balance:get.account: "},
        {"balance:get({account = item})", "balance:get.account: "},
        {"balance:count(item)", "balance:count.account: "},
        {"balance:sum('amount', item)", "balance:sum.account: "},
        {"balance:each(item)", "balance:each.account: "},
        {"balance:each(nil, {after = item})", "after.account: "},
        {"board:get({item, 'alice/1'})", "board:get.account: "},
        {"board:count({item})", "board:count.account: "},
        {"item:each(item)", "item:each: "},
        {"item:count(item)", "item:count: "},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct buf run = {0};
        struct buf words = {0};
        buf_printf(&run, "%sreturn ctx.state.%s", item, rows[i].ask);
        buf_printf(&words, "%sthe ref names a shop.item, not a shop.account",
                   rows[i].words);
        read_fails(buf_text(&run), ATE_ESCRIPT, buf_text(&words));
        write_fails(buf_text(&run), ATE_ESCRIPT, buf_text(&words));
        buf_deinit(&run);
        buf_deinit(&words);
    }
    read_fails("return ctx.state.board:get({'bob', 'alice/1'}) or\n"
               "    ctx.state.board:get({'alice', 'bob'})",
               ATE_ESCRIPT, "no key of a shop.item");
}

/* What an id was of stays known when it is spent. */
static void a_deleted_object_has_its_type(void **state)
{
    (void)state;
    write_fails("local id = ctx.state.item:get('alice/1').id\n"
                "ctx:delete('item', id)\n"
                "return ctx.state.balance:get(id).amount",
                ATE_ESCRIPT, "the ref names a shop.item, not a shop.account");
    writes("local id = ctx:create('account', {name = 'eve',\n"
           "    owner = ctx.caller}).id\n"
           "ctx:delete('account', id)\n"
           "return ctx.state.balance:get(id).amount",
           "0");
}

static void rows_are_not_written_by_another_type(void **state)
{
    static const char words[] =
        ".account: the ref names a shop.transfer, not a shop.account";
    static const char *const ways[] = {
        "rows:add({1, e.transfer}, {a = 1})",
        "rows:set({1, e.transfer}, {a = 1})",
        "rows:delete({1, e.transfer})",
        "rows:get({1, e.transfer})",
        "rows:get({n = 1, account = e.transfer})",
    };
    struct world w;
    (void)state;
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
        fold_fails(ways[i], words);
    fold_fails("rows:add({1, e.id}, {a = 1})",
               "v: rows:add.account: the ref names a shop.receipt, not a "
               "shop.account");
    open_folding(&w, "rows:add({1, 'alice'}, {a = 1})\n"
                     "rows:add({1, 'nobody'}, {a = 1})\n"
                     "rows:delete({2, 'alice'})\n");
    world_gives(&w, "go", "", "nothing");
    world_close(&w);
}

/* A rule sees the state before its event: what is new stands nowhere yet, and
 * has its type nevertheless. */
static void a_rule_knows_what_it_judges(void **state)
{
    struct world w;
    (void)state;
    open_with(&w, "shop:rule('r', {doc = 'd', on = {'transfer'},\n"
                  "    check = function(state, e)\n"
                  "        if e.amount == 1 then\n"
                  "            return state.balance:get(e.id).amount == 0\n"
                  "        end\n"
                  "        return state.balance:get(e.to).amount < 9999\n"
                  "    end})\n"
                  "shop:rule('w', {doc = 'd', on = {'account'},\n"
                  "    per = 'transaction', check = function(state, tx)\n"
                  "        for e in tx:each('account') do\n"
                  "            assert(state.balance:get(e.id).amount == 0)\n"
                  "        end\n"
                  "        return true\n"
                  "    end})\n"
                  "shop:rule('n', {doc = 'd', on = {'account'},\n"
                  "    check = function(state, e)\n"
                  "        return state.balance:get(e).amount == 0 and\n"
                  "            state.balance:get(e.id).amount == 0\n"
                  "    end})\n");
    world_gives(&w, "account.create", "name=carol owner=me", "@carol");
    world_gives(&w, "pay", "amount=1.00 from=alice to=carol", "@7.0");
    int rc = world_call(&w, "pay", "amount=0.01 from=alice to=carol");
    assert_error(rc, &w.err, ATE_ESCRIPT,
                 "balance:get.account: the ref names a shop.transfer, not a "
                 "shop.account");
    world_close(&w);
}

/* ---- bundles from before it was asked ---- */

/* The ate.types of before, in place of today's. */
static void with_older_types(struct bytes raw, struct buf *out)
{
    static const char path[] =
        "tests/golden/lua/"
        "a55cacf8f9e77037be9487a5c41e01ace0122ccb659607521b3564ef43508614.lua";
    struct bundle bundle;
    struct bundle_module modules[8];
    struct buf types = {0};
    struct err err;
    size_t count = 0;
    assert_true(fixture_read(path, &types));
    assert_int_equal(bundle_get(raw, &bundle, &err), 0);
    struct bundle_cursor cursor = bundle_modules(&bundle);
    while (bundle_next(&cursor, &modules[count])) {
        if (bytes_equal(modules[count].name, bytes_of_text("ate.types")))
            modules[count].source = buf_bytes(&types);
        count++;
    }
    assert_int_equal(bundle_put(out, bundle.main_module, modules, count, &err),
                     0);
    buf_deinit(&types);
}

/* Verdicts of chains rest on the answers that their rules were given. */
static void older_bundles_are_answered_as_ever(void **state)
{
    struct world w;
    struct buf source = {0};
    struct buf bundle = {0};
    struct buf older = {0};
    struct err err;
    (void)state;
    buf_put_text(&source, shop_begin);
    buf_put_text(&source,
                 "shop:method('m', {doc = 'd', mode = 'read', args = {},\n"
                 "    run = function(ctx)\n"
                 "        local item = ctx.state.item:get('alice/1').id\n"
                 "        return ctx.state.balance:get(item).amount\n"
                 "            + ctx.state.balance:count(item)\n"
                 "            + ctx.state.item:count(item)\n"
                 "    end})\n");
    buf_put_text(&source, shop_end);
    if (bundle_build(&bundle, "shop", fixture_text, (void *)buf_text(&source),
                     NULL, NULL, &err) != 0)
        fail_msg("%s", err.text);
    with_older_types(buf_bytes(&bundle), &older);
    world_open_bundle(&w, buf_bytes(&older), 100000);
    world_gives(&w, "account.create", "name=alice owner=me", "@alice");
    world_gives(&w, "sell", "account=alice color=red number=1 title=Hat",
                "@alice/1");
    world_gives(&w, "m", "", "0");
    world_close(&w);
    buf_deinit(&source);
    buf_deinit(&bundle);
    buf_deinit(&older);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_view_is_not_asked_by_another_type),
        cmocka_unit_test(a_deleted_object_has_its_type),
        cmocka_unit_test(rows_are_not_written_by_another_type),
        cmocka_unit_test(a_rule_knows_what_it_judges),
        cmocka_unit_test(older_bundles_are_answered_as_ever),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
