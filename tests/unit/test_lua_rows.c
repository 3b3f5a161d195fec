/* rows: what folds write, and sums over it. */
#include "fixture_shop.h"

/* A view with this fold of transfers. */
static void fold_fails(const char *fold, int code, const char *words)
{
    struct world w;
    struct buf source = {0};
    buf_put_text(&source, shop_begin);
    buf_printf(&source,
               "shop:view('v', {doc = 'd', key = {'n'},\n"
               "    row = {n = t.text({max = 99}), a = "
               "t.default(t.integer({max = 9}), "
               "0),\n"
               "        w = t.optional(t.text()), must = t.text()},\n"
               "    fold = {transfer = function(rows, e, tx)\n%s\nend}})\n",
               fold);
    buf_put_text(&source, shop_end);
    world_open(&w, buf_text(&source));
    world_gives(&w, "account.create", "name=alice owner=me", "@alice");
    world_fails(&w, "pay", "amount=1.00 from=alice to=alice", code, words);
    buf_deinit(&source);
    world_close(&w);
}

static void mistakes_in_folds_have_view_file_and_line(void **state)
{
    (void)state;
    fold_fails("rows:add('x', {a = 1})", ATE_ESCRIPT,
               "rows:add.must is missing");
    fold_fails("rows:set('x', {a = 10, must = 'm'})", ATE_ESCRIPT,
               "10 is above 9");
    fold_fails("rows:set('x', {must = 'm'})\n"
               "rows:add('x', {a = 5}) rows:add('x', {a = 5})",
               ATE_ESCRIPT, "10 is above 9");
    fold_fails("rows:set('x', {b = 1})", ATE_ESCRIPT, "no column 'b'");
    fold_fails("rows:set('x', {n = 'y'})", ATE_ESCRIPT, "part of the key");
    fold_fails("rows:set('x', {must = 1})", ATE_ESCRIPT,
               "rows:set.must: a text is needed, got 1");
    fold_fails("rows:set({}, {must = 'm'})", ATE_ESCRIPT, "is missing");
    fold_fails("rows:set(('x'):rep(200), {must = 'm'})", ATE_ESCRIPT,
               "at most 99 are allowed");
    fold_fails("rows:set('x', {must = 'm'}) rows:add('x', {w = 1})",
               ATE_ESCRIPT, "only whole numbers");
    fold_fails("rows:set('x')", ATE_ESCRIPT, "a table of columns is needed");
    fold_fails("rows.set('x')", ATE_ESCRIPT, "with a colon");
    fold_fails("rows:put('x')", ATE_ESCRIPT, "add, set, delete and get");
    fold_fails("return e.memo", ATE_ESCRIPT, "reads = 'bodies'");
    fold_fails("return tx:by(tx.author)", ATE_ESCRIPT, "only rules");
    fold_fails("e.amount()", ATE_ESCRIPT,
               "view v, fold of transfer: shop.lua:");
    fold_fails("while true do end", ATE_ELIMIT, "view v, fold of transfer");
}

static void folds_read_what_they_wrote(void **state)
{
    struct world w;
    (void)state;
    open_with(
        &w,
        "shop:view('v', {doc = 'd', key = {'n'},\n"
        "    row = {n = t.text({max = 99}), a = t.default(t.integer(), 3),\n"
        "        w = t.optional(t.text())},\n"
        "    fold = {receipt = function(rows, e)\n"
        "        assert(rows:get('x') == nil)\n"
        "        rows:add('x', {a = 4})\n"
        "        assert(rows:get('x').a == 7)\n"
        "        assert(rows:get('x').w == nil)\n"
        "        rows:set('x', {w = 'u'})\n"
        "        rows:set('y', {a = 1})\n"
        "        assert(rows:get({n = 'x'}).a == 7)\n"
        "        assert(rows:get({'x'}).w == 'u')\n"
        "        rows:delete('y')\n"
        "        rows:delete('z')\n"
        "    end}})\n"
        "shop:method('go', {doc = 'd', mode = 'write', args = {},\n"
        "    run = function(ctx)\n"
        "        for e in ctx.state.transfer:each() do\n"
        "            ctx:emit('receipt', {transfer = e})\n"
        "        end\n"
        "        return {ctx.state.v:count(),\n"
        "            ctx.state.v:sum('a')}\n"
        "    end})\n");
    world_gives(&w, "go", "", "[1,7]");
    world_close(&w);
}

/* Who adds beyond 2^53 is refused, so that all can read what stands there. */
static void sums_are_checked(void **state)
{
    struct world w;
    (void)state;
    open_with(
        &w,
        "shop:view('v', {doc = 'd', key = {'n'},\n"
        "    row = {n = t.text({max = 99}), a = t.default(t.integer(), 0)},\n"
        "    fold = {transfer = function(rows, e)\n"
        "        if e.amount < 10 then\n"
        "            rows:add('x', {a = e.amount * 1125899906842624})\n"
        "        end\n"
        "    end}})\n"
        "shop:method('read', {doc = 'd', mode = 'read', args = {},\n"
        "    run = function(ctx)\n"
        "        return ctx.state.v:get('x').a\n"
        "    end})\n");
    assert_int_equal(world_call(&w, "pay", "amount=0.06 from=alice to=bob"), 0);
    int rc = world_call(&w, "pay", "amount=0.04 from=alice to=bob");
    assert_error(rc, &w.err, ATE_ESCRIPT,
                 "v: rows:add.a: 11258999068426240 is above 9007199254740992");
    assert_int_equal(world_call(&w, "pay", "amount=0.02 from=alice to=bob"), 0);
    world_gives(&w, "read", "", "9007199254740992");
    world_close(&w);
}

/* ---- how much a transaction writes ---- */

/* `fold` for each of `n` events of one call; the gas of a run is not in the
 * way.
 */
static const char writing[] =
    "shop:event('tick', {doc = 'd', header = {n = t.integer()},\n"
    "    body = {note = t.optional(t.text())}})\n"
    "shop:rule('any', {doc = 'd', on = {'tick'},\n"
    "    check = function(_, _, tx) return tx:by(tx.author) end})\n"
    "shop:method('ticks', {doc = 'd', mode = 'write',\n"
    "    args = {n = t.integer()}, run = function(ctx, args)\n"
    "        for i = 1, args.n do ctx:emit('tick', {n = i}) end\n"
    "    end})\n";

static void open_writing(struct world *w, const char *reads, const char *fold)
{
    struct buf source = {0};
    buf_printf(&source,
               "%s%sshop:view('v', {doc = 'd', key = {'n'}, reads = '%s',\n"
               "    row = {n = t.integer(), text = t.optional(t.text({\n"
               "        max = 60000}))},\n"
               "    fold = {tick = function(rows, tick)\n%s\nend}})\n%s",
               shop_begin, writing, reads, fold, shop_end);
    world_open_gas(w, buf_text(&source), LIMIT_RUN_GAS);
    buf_deinit(&source);
}

static void rows_of_a_transaction_are_bounded(void **state)
{
    static const char fold[] =
        "local none = {}\n"
        "for i = 1, 32768 do rows:set(tick.n * 32768 - i, none) end\n";
    struct world w;
    (void)state;
    static_assert(LIMIT_TX_ROWS == 8 * 32768, "eight events write as many");
    for (int i = 0; i < 2; i++) {
        open_writing(&w, "headers", fold);
        w.replays = i == 1; /* for one who checks it is the same */
        world_gives(&w, "ticks", "n=8", "nothing");
        world_fails(&w, "ticks", "n=9", ATE_ELIMIT,
                    "a transaction writes at most 262144 rows");
        assert_int_equal(w.err.rule[0], '\0');
        world_close(&w);
    }
}

static void their_bytes_are_bounded(void **state)
{
    static const char fold[] =
        "local text = ('x'):rep(60000)\n"
        "for i = 1, 300 do rows:set(tick.n * 300 + i, {text = text}) end\n"
        "rows:delete(tick.n)\n";
    struct world w;
    (void)state;
    open_writing(&w, "headers", fold);
    world_fails(&w, "ticks", "n=4", ATE_ELIMIT,
                "the rows that a transaction writes are at most 67108864 "
                "bytes");
    world_gives(&w, "ticks", "n=3", "nothing");
    world_close(&w);
}

/* Whoever has no bodies has no such rows: they must not matter. */
static void private_rows_count_for_themselves(void **state)
{
    static const char fold[] =
        "local none = {}\n"
        "for i = 1, 32768 do rows:set(tick.n * 32768 - i, none) end\n";
    struct world w;
    (void)state;
    open_writing(&w, "bodies", fold);
    world_gives(&w, "ticks", "n=9", "nothing");
    assert_int_equal(w.core.fold_failures, 1);
    assert_non_null(strstr(w.core.fold_failure.text, "at most 262144 rows"));
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mistakes_in_folds_have_view_file_and_line),
        cmocka_unit_test(folds_read_what_they_wrote),
        cmocka_unit_test(sums_are_checked),
        cmocka_unit_test(rows_of_a_transaction_are_bounded),
        cmocka_unit_test(their_bytes_are_bounded),
        cmocka_unit_test(private_rows_count_for_themselves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
