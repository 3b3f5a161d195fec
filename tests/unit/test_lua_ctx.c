/* ctx: what methods write, call and give. */
#include "fixture_shop.h"

static void emitting_gives_a_ref(void **state)
{
    (void)state;
    writes("local ref = ctx:emit('transfer',\n"
           "    {from = 'alice', to = ctx.state.account:get('bob'),\n"
           "     amount = 3, memo = 'x'})\n"
           "assert(#ref == 17)\n"
           "return {ctx.state.balance:get('bob').amount,\n"
           "    ctx.state.transfer:get(ref).amount,\n"
           "    ctx:get('transfer', ref).memo}",
           "[1253,3,x]");
}

static void objects_are_created_put_patched_and_deleted(void **state)
{
    (void)state;
    writes("local c = ctx:create('account', {name = 'carol',\n"
           "    owner = ctx.caller, note = 'n'})\n"
           "assert(c.name == 'carol' and c.note == 'n' and #c.tags == 0)\n"
           "c = ctx:patch('account', c, {note = 'm', tags = {'a', 'b'}})\n"
           "assert(c.note == 'm' and c.tags[2] == 'b')\n"
           "c = ctx:patch('account', 'carol', {note = ctx.none})\n"
           "assert(c.note == nil and #c.tags == 2)\n"
           "c = ctx:put('account', {name = 'carol', owner = ctx.caller})\n"
           "assert(#c.tags == 0)\n"
           "ctx:delete('account', c.id)\n"
           "return {tostring(ctx:get('account', 'carol')),\n"
           "    ctx.state.account:count()}",
           "[nil,2]");
    writes("local i = ctx:put('item', {account = 'bob', number = 7,\n"
           "    color = 'red', title = 'T'})\n"
           "i = ctx:patch('item', i, {color = 'blue'})\n"
           "local row = ctx.state.board:get({'bob', i})\n"
           "return {i.title, i.color, row.color, row.edits}",
           "[T,blue,blue,2]");
    writes("local i = ctx:put('item', {account = 'bob', number = 7,\n"
           "    color = 'red', title = 'T'})\n"
           "i.color = 'blue'\n"
           "i = ctx:put('item', i)\n"
           "return {i.title, i.color}",
           "[T,blue]");
}

static void writing_mistakes_are_named(void **state)
{
    (void)state;
    write_fails("ctx:emit('transfr', {})", ATE_ESCRIPT,
                "did you mean 'transfer'?");
    write_fails("ctx:emit('transfer', {from = 'alice', to = 'bob',\n"
                "    amount = 12.5})",
                ATE_ESCRIPT,
                "transfer.amount: a whole number is needed, got 12.5");
    write_fails("ctx:emit('transfer', {form = 'alice', to = 'bob',\n"
                "    amount = 1})",
                ATE_ESCRIPT,
                "transfer has no field 'form'; did you mean 'from'?");
    write_fails("ctx:emit('transfer', {from = 'alice', amount = 1})",
                ATE_EINVALID, "to");
    write_fails("ctx:emit('transfer', {from = 'zoe', to = 'bob',\n"
                "    amount = 1})",
                ATE_ENOT_FOUND, "no such shop.account");
    write_fails("ctx:emit('transfer', nil)", ATE_ESCRIPT, "a table is needed");
    write_fails("ctx:emit('account', {name = 'x', owner = ctx.caller})",
                ATE_EINVALID, "is an object");
    write_fails("ctx:create('account', {name = 'alice', owner = ctx.caller})",
                ATE_ECONFLICT, "exists already");
    write_fails("ctx:create('account', {name = 'x', owner = 'me'})",
                ATE_ESCRIPT, "account.owner: an identity");
    write_fails("ctx:create('account', {name = 'x', owner = ctx.caller,\n"
                "    tags = {'a', 5}})",
                ATE_ESCRIPT, "account.tags[2]: a text is needed, got 5");
    write_fails("ctx:create('account', {name = 'x', owner = ctx.caller,\n"
                "    tags = {a = 'b'}})",
                ATE_ESCRIPT, "account.tags: a list is needed");
    write_fails("ctx:create('account', {name = 'x/y', owner = ctx.caller})",
                ATE_EINVALID, "not a name");
    write_fails("ctx:patch('account', 'zoe', {note = 'n'})", ATE_ENOT_FOUND,
                "no such shop.account");
    write_fails("ctx:delete('account', 'zoe')", ATE_ENOT_FOUND,
                "no such shop.account");
    write_fails("ctx:patch('account', 'bob', {owner = 5})", ATE_ESCRIPT,
                "identity");
    write_fails("ctx.emit('transfer', {})", ATE_ESCRIPT, "with a colon");
}

static void a_method_that_reads_cannot_write(void **state)
{
    (void)state;
    static const char *const functions[] = {
        "emit('transfer', {})",     "create('account', {})",
        "put('account', {})",       "patch('account', 'bob', {})",
        "delete('account', 'bob')",
    };
    for (size_t i = 0; i < 5; i++) {
        struct buf run = {0};
        buf_printf(&run, "ctx:%s", functions[i]);
        read_fails(buf_text(&run), ATE_ESCRIPT, "mode = 'read'");
        buf_deinit(&run);
    }
    read_fails("ctx:call('pay', {})", ATE_ESCRIPT, "pay writes");
}

static void methods_call_methods(void **state)
{
    (void)state;
    writes("local ref = ctx:call('pay', {from = 'alice', to = 'bob',\n"
           "    amount = 5})\n"
           "return ctx:get('transfer', ref).amount",
           "5");
    writes("local ref = ctx:call('account.create', {name = 'carol',\n"
           "    owner = ctx.caller})\n"
           "ctx:call('account.patch', {id = ref, note = 'n'})\n"
           "local note = ctx:get('account', ref).note\n"
           "ctx:call('account.delete', {id = ref})\n"
           "return {note, tostring(ctx:get('account', ref))}",
           "[n,nil]");
    write_fails("ctx:call('pay', {from = 'alice', to = 'bob'})", ATE_ESCRIPT,
                "amount");
    write_fails("ctx:call('pay', {from = 'alice', too = 'bob'})", ATE_ESCRIPT,
                "pay has no argument 'too'; did you mean 'to'?");
    write_fails("ctx:call('payy')", ATE_ESCRIPT, "did you mean 'pay'?");
    write_fails("ctx:call('account.get', {id = 'bob'})", ATE_ESCRIPT,
                "use ctx:get");
    write_fails("ctx:call('m')", ATE_ESCRIPT, "nest too deep");
}

static void results_fit_what_is_declared(void **state)
{
    struct world w;
    (void)state;
    open_with(&w,
              "local function m(name, returns, run)\n"
              "    shop:method(name, {doc = 'd', mode = 'read', args = {},\n"
              "        returns = returns, run = run})\n"
              "end\n"
              "m('none', t.integer(), function() end)\n"
              "m('maybe', t.optional(t.integer()), function() end)\n"
              "m('half', t.integer(), function() return 0.5 end)\n"
              "m('big', t.integer({max = 5}), function() return 6 end)\n"
              "m('ref', t.ref('account'), function(ctx)\n"
              "    return ctx:get('account', 'bob') end)\n"
              "m('key', t.ref('account'), function() return 'bob' end)\n"
              "m('page', t.page('balance'), function(ctx)\n"
              "    local page = {}\n"
              "    for row in ctx.state.balance:each() do\n"
              "        row.extra = 'e'\n"
              "        page[#page + 1] = row\n"
              "    end\n"
              "    table.sort(page, function(a, b)\n"
              "        return a.amount < b.amount end)\n"
              "    return page\n"
              "end)\n"
              "m('plain', nil, function(ctx)\n"
              "    return {a = {1, 'x', true}, b = {}, c = {d = -1}}\n"
              "end)\n"
              "m('object', nil, function(ctx)\n"
              "    return ctx:get('account', 'bob')\n"
              "end)\n"
              "m('func', nil, function() return function() end end)\n");
    world_fails(&w, "none", "", ATE_ESCRIPT, "none returns nothing");
    world_gives(&w, "maybe", "", "nothing");
    world_fails(&w, "half", "", ATE_ESCRIPT, "got 0.5");
    world_fails(&w, "big", "", ATE_ESCRIPT, "6 is above 5");
    world_gives(&w, "ref", "", "@bob");
    world_gives(&w, "key", "", "@bob");
    world_gives(&w, "page", "",
                "[{account=@alice,amount=-1250,extra=e},"
                "{account=@bob,amount=1250,extra=e}]");
    world_gives(&w, "plain", "", "{a=[1,x,true],b=[],c={d=-1}}");
    world_gives(&w, "object", "", "{name=bob,owner=me,tags=[]}");
    world_fails(&w, "func", "", ATE_ESCRIPT, "got a function");
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(emitting_gives_a_ref),
        cmocka_unit_test(objects_are_created_put_patched_and_deleted),
        cmocka_unit_test(writing_mistakes_are_named),
        cmocka_unit_test(a_method_that_reads_cannot_write),
        cmocka_unit_test(methods_call_methods),
        cmocka_unit_test(results_fit_what_is_declared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
