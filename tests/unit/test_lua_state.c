/* state: what Lua reads, views, objects and bodies. */
#include "fixture_shop.h"

/* ---- reading ---- */

static void views_are_read_by_key_sum_and_walk(void **state)
{
    (void)state;
    reads("return ctx.state.balance:get('alice').amount", "-1250");
    reads("return ctx.state.balance:get({account = 'bob'}).amount", "1250");
    reads("return ctx.state.balance:get({'bob'}).amount", "1250");
    reads("return ctx.state.balance:get(ctx:get('account', 'bob')).amount",
          "1250");
    reads("return ctx.state.balance:sum('amount')", "0");
    reads("return ctx.state.balance:sum('amount', {account = 'bob'})", "1250");
    reads("return ctx.state.balance:count()", "2");
    reads("return ctx.state.board:count({account = 'alice'})", "2");
    reads("return ctx.state.board:count({account = 'bob'})", "0");
    reads("return ctx.state.board:count('alice')", "2");
    reads("local s = 0\n"
          "for row in ctx.state.balance:each() do s = s + row.amount end\n"
          "return s",
          "0");
}

static void an_absent_row_has_its_defaults_or_is_nil(void **state)
{
    (void)state;
    reads("return ctx.state.board:get({'bob', 'alice/1'})", "nothing");
    struct world w;
    open_method(&w, "read", "return ctx.state.balance:get('carol')");
    world_gives(&w, "account.create", "name=carol owner=me", "@carol");
    world_gives(&w, "m", "", "{account=@carol,amount=0}");
    world_close(&w);
}

static void walks_have_limit_order_and_after(void **state)
{
    (void)state;
    const char *walk = "local out = {}\n"
                       "for row in ctx.state.board:each('alice', %s) do\n"
                       "    out[#out + 1] = row.color .. row.updated\n"
                       "end\n"
                       "return table.concat(out, ' ')";
    static const struct {
        const char *options;
        const char *text;
    } rows[] = {
        {"nil", "blue5 red4"},
        {"{}", "blue5 red4"},
        {"{order = 'last_first'}", "red4 blue5"},
        {"{limit = 1}", "blue5"},
        {"{limit = 0}", ""},
        {"{order = 'last_first', limit = 1}", "red4"},
        {"{after = {account = 'alice', color = 'blue', updated = 5,"
         " item = 'alice/2'}}",
         "red4"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct buf run = {0};
        buf_printf(&run, walk, rows[i].options);
        reads(buf_text(&run), rows[i].text);
        buf_deinit(&run);
    }
    reads("local first\n"
          "for row in ctx.state.board:each('alice') do first = row break end\n"
          "for row in ctx.state.board:each('alice', {after = first}) do\n"
          "    return row.color\n"
          "end",
          "red");
}

static void objects_are_read_by_ref_text_and_fields(void **state)
{
    (void)state;
    reads("return ctx.state.account:get('alice').name", "alice");
    reads("return ctx.state.account:get('nobody')", "nothing");
    reads("return ctx.state.item:get('alice/1').color", "red");
    reads("return ctx.state.item:get({account = 'alice', number = 2}).color",
          "blue");
    reads("local a = ctx.state.account:get('alice')\n"
          "return ctx.state.item:get({account = a, number = 2}).number",
          "2");
    reads("return ctx.state.account:get('alice').note", "nothing");
    reads("return ctx.state.account:get('alice').tags", "[]");
    reads("return ctx.state.account:get('alice').type", "shop.account");
    reads("return ctx.state.account:get('alice').id", "@alice");
    reads("return ctx.state.account:get('alice').owner == ctx.caller", "true");
    reads("return ctx.state.account:count()", "2");
    reads("return ctx.state.item:count('alice')", "2");
    reads("return ctx.state.item:count('bob')", "0");
}

static void objects_are_walked_in_the_order_of_their_keys(void **state)
{
    (void)state;
    const char *walk = "local out = {}\n"
                       "for o in ctx.state.item:each(%s) do\n"
                       "    out[#out + 1] = o.number\n"
                       "end\n"
                       "return out";
    static const struct {
        const char *arguments;
        const char *text;
    } rows[] = {
        {"", "[1,2]"},
        {"'alice'", "[1,2]"},
        {"'bob'", "[]"},
        {"'alice', {order = 'last_first'}", "[2,1]"},
        {"'alice', {limit = 1}", "[1]"},
        {"'alice', {after = 'alice/1'}", "[2]"},
        {"nil, {after = 'alice/2', order = 'last_first'}", "[1]"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct buf run = {0};
        buf_printf(&run, walk, rows[i].arguments);
        reads(buf_text(&run), rows[i].text);
        buf_deinit(&run);
    }
    reads("for e in ctx.state.transfer:each() do return e.amount end", "1250");
}

static void reading_mistakes_are_named(void **state)
{
    (void)state;
    read_fails("return ctx.state.balanc:get('alice')", ATE_ESCRIPT,
               "did you mean 'balance'?");
    read_fails("return ctx.state.account:get('alice').form", ATE_ESCRIPT,
               "account has no field 'form'");
    read_fails("return ctx.state.account:get('alice').nam", ATE_ESCRIPT,
               "did you mean 'name'?");
    read_fails("return ctx.state.balance:get('alice').amout", ATE_ESCRIPT,
               "balance has no column 'amout'; did you mean 'amount'?");
    read_fails("return args.x", ATE_ESCRIPT, "m has no argument 'x'");
    read_fails("local item = ctx.state.item:get('alice/1')\n"
               "return ctx.state.account:each(nil, {after = item.id})",
               ATE_ESCRIPT, "the ref names a shop.item, not a shop.account");
    read_fails("return ctx.state.balance.get('alice')", ATE_ESCRIPT,
               "with a colon");
    read_fails("return ctx.state.balance:fetch('alice')", ATE_ESCRIPT,
               "get, each, sum and count");
    read_fails("return ctx.state.balance:get()", ATE_ESCRIPT,
               "'account' of the key is missing");
    read_fails("return ctx.state.board:get('alice')", ATE_ESCRIPT,
               "'item' of the key is missing");
    read_fails("return ctx.state.board:count({'alice', nil, 1})", ATE_ESCRIPT,
               "a list is needed for a key, got a table without [2]");
    read_fails("return ctx.state.board:get({account = 'alice', itm = 1})",
               ATE_ESCRIPT, "did you mean 'item'?");
    read_fails("return ctx.state.board:get({account = 'alice', hint = 'x'})",
               ATE_ESCRIPT, "'hint' is no part of the key");
    read_fails("return ctx.state.board:count({color = 'red'})", ATE_ESCRIPT,
               "'color' is given without 'account'");
    read_fails("return ctx.state.board:count({'alice', 'green'})", ATE_ESCRIPT,
               "'green' is none of red, blue");
    read_fails("return ctx.state.balance:sum('account')", ATE_ESCRIPT,
               "is no number");
    read_fails("return ctx.state.balance:sum('amout')", ATE_ESCRIPT,
               "did you mean 'amount'?");
    read_fails("return ctx.state.item:get('alice')", ATE_ESCRIPT,
               "no key of a shop.item");
    read_fails("return ctx.state.item:get('alice/one')", ATE_ESCRIPT,
               "no key of a shop.item");
    read_fails("return ctx.state.transfer:get('1.0')", ATE_ESCRIPT,
               "has no key");
    read_fails("return ctx.state.item:get(ctx:get('account', 'bob'))",
               ATE_ESCRIPT, "a shop.item is needed, got a shop.account");
    read_fails("return ctx.state.item:get(ctx:get('account', 'bob').id)",
               ATE_ESCRIPT, "the ref names a shop.account");
    read_fails("return ctx.state.account:each('bob')", ATE_ESCRIPT,
               "has no parent");
    read_fails("return ctx.state.board:each(nil, {order = 'up'})", ATE_ESCRIPT,
               "'first' or 'last_first'");
    read_fails("return ctx.state.board:each(nil, {limits = 1})", ATE_ESCRIPT,
               "not 'limits'");
    read_fails("ctx.state.balance = 1", ATE_ESCRIPT, "takes no values");
}

static void the_other_fields_of_ctx(void **state)
{
    (void)state;
    reads("return ctx.where", "client");
    reads("return ctx.time", "5000");
    reads("return ctx.caller", "me");
    reads("return ctx.author", "nothing");
    reads("return ctx.claims", "nothing");
    reads("return ctx.data.lang", "en");
    writes("return ctx.author", "me");
    read_fails("return ctx.data.lng", ATE_ESCRIPT, "did you mean 'lang'?");
    read_fails("return ctx.wher", ATE_ESCRIPT, "did you mean 'where'?");
    read_fails("ctx.x = 1", ATE_ESCRIPT, "takes no values");
}

/* A loop that is left early and begun again must not step the other's slot. */
static void loops_do_not_mix(void **state)
{
    (void)state;
    reads("local old\n"
          "for i = 1, 3 do\n"
          "    local step = ctx.state.item:each()\n"
          "    step() step() step()\n"
          "    old = old or step\n"
          "end\n"
          "local new = ctx.state.item:each()\n"
          "return {tostring(old()), new().number}",
          "[nil,1]");
    read_fails("while true do ctx.state.item:each()() end", ATE_ELIMIT,
               "method m: needs more");
}

/* ---- bodies ---- */

static void a_body_is_asked_for_when_it_is_touched(void **state)
{
    struct world w;
    (void)state;
    open_method(&w, "read",
                "local i = ctx.state.item:get('alice/1')\n"
                "if i.color == 'blue' then return 'no' end\n"
                "return {i.title, tostring(i.extra), i.color, i.title}");
    world_fails(&w, "m", "", ATE_ENEED, "body");
    w.keeps_bodies = true;
    mp_put_map(&w.body, 1);
    mp_put_text(&w.body, "title");
    mp_put_text(&w.body, "Hat");
    world_gives(&w, "m", "", "[Hat,nil,red,Hat]");
    world_close(&w);
    reads("return ctx.state.item:get('alice/1').number", "1");
}

/* A table that names an object may hold itself. */
static void keys_nest_to_a_depth(void **state)
{
    static const char box[] =
        "shop:object('box', {doc = 'd', key = {'inside', 'name'},\n"
        "    header = {inside = t.ref('box'), name = t.name()}})\n"
        "shop:rule('any', {doc = 'd', on = {'box'},\n"
        "    check = function(_, _, tx) return tx:by(tx.author) end})\n"
        "shop:method('m', {doc = 'd', mode = 'read', args = {},\n"
        "    run = function(ctx)\n"
        "        local key = {name = 'a'}\n"
        "        key.inside = key\n"
        "        return ctx.state.box:get(key)\n"
        "    end})\n"
        "shop:method('deep', {doc = 'd', mode = 'read', args = {},\n"
        "    run = function(ctx)\n"
        "        local key = ('x'):rep(17)\n"
        "        key = '\\0' .. key:sub(2)\n"
        "        for _ = 1, 16 do key = {name = 'a', inside = key} end\n"
        "        local one = ctx.state.box:get(key) == nil\n"
        "        return one and ctx.state.box:get(key) == nil\n"
        "    end})\n";
    struct world w;

    (void)state;
    open_with(&w, box);
    world_fails(&w, "m", "", ATE_ESCRIPT, "box:get.inside.inside.inside");
    assert_non_null(strstr(w.err.text, "keys nest at most 16 deep"));
    world_gives(&w, "deep", "", "true");
    world_close(&w);
}

/* C would take what stands before a zero byte for the name. */
static void names_hold_no_zero_byte(void **state)
{
    static const char *const runs[] = {
        "return ctx.state['account\\0']",
        "return ctx.state.account:get({['name\\0'] = 'x', name = 'alice'})",
        "return ctx.state.account['get\\0']",
        "return ctx.state.account:get('alice')['owner\\0']",
        "return ctx.state.account:get('alice')['id\\0']",
        "return ctx.state.board:count({['account\\0'] = 'alice'})",
        "return ctx.state.board:each(nil, {['limit\\0'] = 1})",
        "return ctx.state.board:sum('edits\\0')",
        "return ctx['time\\0']",
        "return ctx:get('account\\0', 'alice')",
        "return ctx:call('pay\\0', {})",
        "return ctx:call('m', {['n\\0'] = 1})",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(runs) / sizeof(runs[0]); i++)
        read_fails(runs[i], ATE_ESCRIPT, "'?'");
    read_fails("return ctx.state.board:each(nil, {order = 'first\\0'})",
               ATE_ESCRIPT, "order is 'first' or 'last_first'");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(views_are_read_by_key_sum_and_walk),
        cmocka_unit_test(an_absent_row_has_its_defaults_or_is_nil),
        cmocka_unit_test(walks_have_limit_order_and_after),
        cmocka_unit_test(objects_are_read_by_ref_text_and_fields),
        cmocka_unit_test(objects_are_walked_in_the_order_of_their_keys),
        cmocka_unit_test(reading_mistakes_are_named),
        cmocka_unit_test(the_other_fields_of_ctx),
        cmocka_unit_test(loops_do_not_mix),
        cmocka_unit_test(a_body_is_asked_for_when_it_is_touched),
        cmocka_unit_test(keys_nest_to_a_depth),
        cmocka_unit_test(names_hold_no_zero_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
