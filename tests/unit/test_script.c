/* The logic in Lua over a core: what rules, folds and methods see and do. */
#include "fixture_script.h"

#include <sys/wait.h>
#include <unistd.h>

/* What each test begins with; rules, methods and more are put behind it. */
static const char begin[] =
    "local ate = require('ate')\n"
    "local t = ate.types\n"
    "local shop = ate.schema('shop', {doc = 'A shop.', version = 1,\n"
    "    bodies = 'open',\n"
    "    context = {lang = t.default(t.text(), 'en')}})\n"
    "local money = t.amount({scale = 2})\n"
    "shop:object('account', {doc = 'd', key = {'name'},\n"
    "    header = {name = t.name({max = 40}), owner = t.once(t.identity()),\n"
    "        note = t.optional(t.text()),\n"
    "        tags = t.default(t.list(t.text()), {})},\n"
    "    rights = {audit = 'Look into it.'}})\n"
    "shop:object('item', {doc = 'd', parent = 'account', key = {'number'},\n"
    "    header = {account = t.ref('account'),\n"
    "        number = t.integer(), color = t.enum({'red', 'blue'})},\n"
    "    body = {title = t.text(), extra = t.optional(t.text())}})\n"
    "shop:event('transfer', {doc = 'd',\n"
    "    header = {from = t.ref('account'), to = t.ref('account'),\n"
    "        amount = money},\n"
    "    body = {memo = t.optional(t.text())}})\n"
    "shop:event('receipt', {doc = 'd', key = {'transfer'},\n"
    "    header = {transfer = t.ref('transfer')}})\n"
    "shop:view('balance', {doc = 'd', key = {'account'},\n"
    "    row = {account = t.ref('account'), amount = t.default(money, 0)},\n"
    "    fold = {transfer = function(rows, e)\n"
    "        rows:add(e.from, {amount = -e.amount})\n"
    "        rows:add({account = e.to}, {amount = e.amount})\n"
    "    end}})\n"
    "shop:view('board', {doc = 'd', key = {'account', 'item'},\n"
    "    order = {'account', 'color', 'updated'},\n"
    "    row = {account = t.ref('account'), item = t.ref('item'),\n"
    "        color = t.enum({'red', 'blue'}), updated = t.time(),\n"
    "        edits = t.default(t.integer(), 0), hint = t.optional(t.text())},\n"
    "    fold = {item = function(rows, item, tx)\n"
    "        local key = {item.account, item.id}\n"
    "        if item.change == 'delete' then\n"
    "            rows:delete(key)\n"
    "        else\n"
    "            rows:set(key, {color = item.color, updated = tx.index})\n"
    "            rows:add(key, {edits = 1})\n"
    "        end\n"
    "    end}})\n"
    "shop:view('title', {doc = 'd', reads = 'bodies', key = {'item'},\n"
    "    row = {item = t.ref('item'), title = t.text(),\n"
    "        extra = t.optional(t.text())},\n"
    "    fold = {item = function(rows, item)\n"
    "        if item.change == 'delete' then\n"
    "            rows:delete(item)\n"
    "        else\n"
    "            rows:set(item.id, {title = item.title, extra = item.extra})\n"
    "        end\n"
    "    end}})\n"
    "local all = {'account', 'item', 'transfer'}\n"
    "shop:rule('anybody', {doc = 'd', on = {'account', 'item', 'transfer',\n"
    "    'receipt'},\n"
    "    check = function(_, _, tx) return tx:by(tx.author) end})\n"
    "shop:method('pay', {doc = 'd', mode = 'write',\n"
    "    args = t.fields('transfer'), returns = t.ref('transfer'),\n"
    "    run = function(ctx, args) return ctx:emit('transfer', args) end})\n"
    "shop:method('sell', {doc = 'd', mode = 'write',\n"
    "    args = t.fields('item'),\n"
    "    run = function(ctx, args) return ctx:put('item', args).id end})\n";

static const char end[] = "return shop\n";

/* begin, `middle`, end. */
static void open_with(struct world *w, const char *middle)
{
    struct buf source = {0};
    buf_put_text(&source, begin);
    buf_put_text(&source, middle);
    buf_put_text(&source, end);
    world_open(w, buf_text(&source));
    buf_deinit(&source);
    world_gives(w, "account.create", "name=alice owner=me", "@alice");
    world_gives(w, "account.create", "name=bob owner=me", "@bob");
    world_gives(w, "pay", "amount=12.50 from=alice to=bob", "@3.0");
    world_gives(w, "sell", "account=alice color=red number=1 title=Hat",
                "@alice/1");
    world_gives(w, "sell",
                "account=alice color=blue extra=x number=2 title=Shoe",
                "@alice/2");
}

/* A world with one method `m` of this mode and body. */
static void open_method(struct world *w, const char *mode, const char *run)
{
    struct buf source = {0};
    buf_printf(&source,
               "shop:method('m', {doc = 'd', mode = '%s', args = {},\n"
               "    run = function(ctx, args)\n%s\nend})\n",
               mode, run);
    open_with(w, buf_text(&source));
    buf_deinit(&source);
}

static void reads(const char *run, const char *text)
{
    struct world w;
    open_method(&w, "read", run);
    world_gives(&w, "m", "", text);
    world_close(&w);
}

static void read_fails(const char *run, int code, const char *words)
{
    struct world w;
    open_method(&w, "read", run);
    world_fails(&w, "m", "", code, words);
    world_close(&w);
}

static void writes(const char *run, const char *text)
{
    struct world w;
    open_method(&w, "write", run);
    world_gives(&w, "m", "", text);
    world_close(&w);
}

static void write_fails(const char *run, int code, const char *words)
{
    struct world w;
    open_method(&w, "write", run);
    world_fails(&w, "m", "", code, words);
    world_close(&w);
}

/* A rule on transfers with this body, asked about one of alice to bob. */
static void open_rule(struct world *w, const char *options, const char *check)
{
    struct buf source = {0};
    buf_printf(&source,
               "shop:rule('r', {doc = 'It is so.', on = {'transfer'}, %s\n"
               "    check = function(state, e, tx)\n%s\nend})\n"
               "shop:method('pay2', {doc = 'd', mode = 'write', args = {},\n"
               "    run = function(ctx)\n"
               "        ctx:emit('transfer', {from = 'alice', to = 'bob',\n"
               "            amount = 1, memo = 'm'})\n"
               "    end})\n",
               options, check);
    struct buf whole = {0};
    buf_put_text(&whole, begin);
    buf_put_bytes(&whole, buf_bytes(&source));
    buf_put_text(&whole, end);
    world_open(w, buf_text(&whole));
    buf_deinit(&source);
    buf_deinit(&whole);
    world_gives(w, "account.create", "name=alice owner=me", "@alice");
    world_gives(w, "account.create", "name=bob owner=me", "@bob");
}

static void rule_passes(const char *check)
{
    struct world w;
    open_rule(&w, "", check);
    world_gives(&w, "pay2", "", NULL);
    world_close(&w);
}

static void rule_fails(const char *options, const char *check, int code,
                       const char *words)
{
    struct world w;
    open_rule(&w, options, check);
    world_fails(&w, "pay2", "", code, words);
    world_close(&w);
}

/* A view with this fold of transfers. */
static void fold_fails(const char *fold, int code, const char *words)
{
    struct world w;
    struct buf source = {0};
    buf_put_text(&source, begin);
    buf_printf(&source,
               "shop:view('v', {doc = 'd', key = {'n'},\n"
               "    row = {n = t.text({max = 99}), a = "
               "t.default(t.integer({max = 9}), "
               "0),\n"
               "        w = t.optional(t.text()), must = t.text()},\n"
               "    fold = {transfer = function(rows, e, tx)\n%s\nend}})\n",
               fold);
    buf_put_text(&source, end);
    world_open(&w, buf_text(&source));
    world_gives(&w, "account.create", "name=alice owner=me", "@alice");
    world_fails(&w, "pay", "amount=1.00 from=alice to=alice", code, words);
    buf_deinit(&source);
    world_close(&w);
}

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
    read_fails("return ctx.state.balance.get('alice')", ATE_ESCRIPT,
               "with a colon");
    read_fails("return ctx.state.balance:fetch('alice')", ATE_ESCRIPT,
               "get, each, sum and count");
    read_fails("return ctx.state.balance:get()", ATE_ESCRIPT,
               "'account' of the key is missing");
    read_fails("return ctx.state.board:get('alice')", ATE_ESCRIPT,
               "'item' of the key is missing");
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

static void views_of_bodies_are_for_methods(void **state)
{
    (void)state;
    reads("return ctx.state.title:get('alice/1').title", "Hat");
    reads("return ctx.state.title:get('alice/2').extra", "x");
    rule_fails("", "return state.title:get('alice/1') == nil", ATE_ESCRIPT,
               "rules cannot read it");
}

/* ---- writing ---- */

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

/* ---- rules ---- */

static void rules_see_event_state_and_transaction(void **state)
{
    (void)state;
    rule_passes("assert(e.amount == 1 and e.type == 'shop.transfer')\n"
                "assert(e.change == nil and e.before == nil)\n"
                "assert(state.balance:get(e.from).amount == 0)\n"
                "assert(state.account:get(e.to).name == 'bob')\n"
                "assert(tx.author == tx.caller and #tx.author == 32)\n"
                "assert(tx.time == 5000 and tx.index == 3)\n"
                "assert(tx:by(tx.author))\n"
                "assert(not tx:by(('x'):rep(32)))\n"
                "assert(tx:may('audit', e.from))\n"
                "local n = 0\n"
                "for other in tx:each('transfer') do n = n + other.amount end\n"
                "return n == 1");
}

static void a_rule_refuses_with_its_text(void **state)
{
    struct world w;
    (void)state;
    open_rule(&w, "text = '{from} would hold {left}', says = {left = money},",
              "return ate.deny({from = e.from, left = -51250})");
    world_fails(&w, "pay2", "", ATE_EREFUSED, "r: alice would hold -512.50");
    assert_string_equal(w.err.rule, "r");
    assert_string_equal(w.err.text, "r: alice would hold -512.50");
    world_close(&w);
    rule_fails("", "return ate.deny()", ATE_EREFUSED, "r: It is so.");
    rule_fails("", "return e.amount > 5 or ate.deny({who = tx.author})",
               ATE_EREFUSED, "r: It is so.");
}

static void a_refusal_leaves_nothing(void **state)
{
    struct world w;
    (void)state;
    open_with(&w, "shop:rule('little', {doc = 'd', on = {'transfer'},\n"
                  "    check = function(state, e)\n"
                  "        return state.balance:get(e.from).amount > -1500\n"
                  "            or ate.deny()\n"
                  "    end})\n"
                  "shop:method('thrice', {doc = 'd', mode = 'write',\n"
                  "    args = {}, run = function(ctx)\n"
                  "        for i = 1, 3 do\n"
                  "            ctx:emit('transfer', {from = 'alice',\n"
                  "                to = 'bob', amount = 200})\n"
                  "        end\n"
                  "    end})\n"
                  "shop:method('balance', {doc = 'd', mode = 'read',\n"
                  "    args = {}, run = function(ctx)\n"
                  "        return ctx.state.balance:get('bob').amount\n"
                  "    end})\n");
    world_fails(&w, "thrice", "", ATE_EREFUSED, "little: d");
    world_gives(&w, "balance", "", "1250");
    world_close(&w);
}

static void rules_answer_true_or_a_refusal(void **state)
{
    (void)state;
    rule_fails("", "return false", ATE_ESCRIPT, "rule r: returned false");
    rule_fails("", "", ATE_ESCRIPT, "rule r: returned nil");
    rule_fails("", "return 1", ATE_ESCRIPT, "shop.lua:");
    rule_fails("", "return {values = {}}", ATE_ESCRIPT, "returned table");
}

static void mistakes_in_rules_have_rule_file_and_line(void **state)
{
    (void)state;
    rule_fails("", "return e.amount.x.y", ATE_ESCRIPT, "rule r: shop.lua:");
    rule_fails("", "return e.form", ATE_ESCRIPT, "did you mean 'from'?");
    rule_fails("", "return e.memo", ATE_ESCRIPT,
               "transfer.memo stands in the body, which rules do not see");
    rule_fails("", "return state.acount", ATE_ESCRIPT,
               "did you mean 'account'?");
    rule_fails("", "return tx:may('adit', e.from)", ATE_ESCRIPT,
               "declares no right 'adit'; did you mean 'audit'?");
    rule_fails("", "return tx:by(nil)", ATE_ESCRIPT, "an identity is needed");
    rule_fails("", "return tx:each('transfr')", ATE_ESCRIPT,
               "did you mean 'transfer'?");
    rule_fails("", "return tx.athor", ATE_ESCRIPT, "did you mean 'author'?");
    rule_fails("", "tx.author = 1 return true", ATE_ESCRIPT, "no values");
    rule_fails("", "error('boom')", ATE_ESCRIPT, "boom");
}

static void limits_name_the_rule(void **state)
{
    (void)state;
    rule_fails("", "while true do end", ATE_ELIMIT, "rule r: ran longer");
    rule_fails("", "local t = {} for i = 1, 50000 do t[i] = {i} end",
               ATE_ELIMIT, "rule r: needs");
    rule_fails("", "local function f() return 1 + f() end return f() == 1",
               ATE_ELIMIT, "rule r:");
}

/* Limits bind the node that accepts: who replays gets 16 times as much. */
static void replays_have_wider_limits(void **state)
{
    struct world w;
    (void)state;
    open_rule(&w, "", "for i = 1, 300000 do end return true");
    world_fails(&w, "pay2", "", ATE_ELIMIT, "rule r: ran longer");
    w.replays = true;
    world_gives(&w, "pay2", "", NULL);
    world_close(&w);
}

/* What one event's rules leave in an upvalue, the next event's do not see. */
static void nothing_carries_over_from_event_to_event(void **state)
{
    struct world w;
    (void)state;
    open_with(&w, "local seen = 0\n"
                  "shop:rule('once', {doc = 'd', on = {'transfer'},\n"
                  "    check = function()\n"
                  "        seen = seen + 1\n"
                  "        return seen == 1 or ate.deny()\n"
                  "    end})\n"
                  "local runs = 0\n"
                  "shop:method('twice', {doc = 'd', mode = 'write',\n"
                  "    args = {}, run = function(ctx)\n"
                  "        runs = runs + 1\n"
                  "        for i = 1, 2 do\n"
                  "            ctx:emit('transfer', {from = 'alice',\n"
                  "                to = 'bob', amount = 2})\n"
                  "        end\n"
                  "        return runs\n"
                  "    end})\n");
    world_gives(&w, "twice", "", "1");
    world_gives(&w, "twice", "", "1");
    world_close(&w);
}

static void changes_of_objects_are_seen(void **state)
{
    struct world w;
    (void)state;
    open_with(&w, "shop:rule('log', {doc = '{change} {was} {now}',\n"
                  "    on = {'item'}, text = '{change} {was} {now}',\n"
                  "    says = {change = t.text(), was = t.text(),\n"
                  "        now = t.text()},\n"
                  "    check = function(state, e, tx)\n"
                  "        if e.number ~= 9 then return true end\n"
                  "        if e.change == 'new' and e.color == 'red' then\n"
                  "            return true\n"
                  "        end\n"
                  "        return ate.deny({change = e.change,\n"
                  "            was = e.before and e.before.color or 'none',\n"
                  "            now = e.color})\n"
                  "    end})\n");
    const char *red = "account=bob color=red number=9 title=T";
    const char *blue = "account=bob color=blue number=9 title=T";
    world_fails(&w, "sell", blue, ATE_EREFUSED, "log: new none blue");
    world_gives(&w, "sell", red, NULL);
    world_fails(&w, "sell", blue, ATE_EREFUSED, "log: edit red blue");
    world_fails(&w, "item.delete", "id=bob/9", ATE_EREFUSED,
                "log: delete red red");
    world_close(&w);
}

static void rules_over_a_transaction_see_all_of_it(void **state)
{
    struct world w;
    (void)state;
    open_with(&w, "shop:rule('receipted', {doc = 'd', on = {'transfer'},\n"
                  "    per = 'transaction', text = '{count} and {sum}',\n"
                  "    says = {count = t.integer(), sum = t.integer()},\n"
                  "    check = function(state, tx)\n"
                  "        local sum, count = 0, 0\n"
                  "        for e in tx:each('transfer') do\n"
                  "            sum = sum + e.amount\n"
                  "            if state.receipt:get({transfer = e}) then\n"
                  "                count = count + 1\n"
                  "            end\n"
                  "        end\n"
                  "        return sum ~= 7 or count == 2\n"
                  "            or ate.deny({count = count, sum = sum})\n"
                  "    end})\n"
                  "shop:method('both', {doc = 'd', mode = 'write',\n"
                  "    args = {receipts = t.integer()},\n"
                  "    run = function(ctx, args)\n"
                  "        local a = {3, 4}\n"
                  "        for i = 1, 2 do\n"
                  "            local ref = ctx:emit('transfer',\n"
                  "                {from = 'alice', to = 'bob',\n"
                  "                 amount = a[i]})\n"
                  "            if i <= args.receipts then\n"
                  "                ctx:emit('receipt', {transfer = ref})\n"
                  "            end\n"
                  "        end\n"
                  "    end})\n");
    world_fails(&w, "both", "receipts=1", ATE_EREFUSED, "receipted: 1 and 7");
    world_gives(&w, "both", "receipts=2", "nothing");
    world_close(&w);
}

/* A guard has to be emitted before what asks for it. */
static void events_so_far_are_seen_in_order(void **state)
{
    struct world w;
    (void)state;
    open_with(&w, "shop:rule('announced', {doc = 'd', on = {'receipt'},\n"
                  "    check = function(state, e, tx)\n"
                  "        local kinds = {}\n"
                  "        for o in tx:each('transfer') do\n"
                  "            kinds[#kinds + 1] = o.amount\n"
                  "        end\n"
                  "        return table.concat(kinds, ' ') == '1 2'\n"
                  "            or ate.deny()\n"
                  "    end})\n"
                  "shop:method('ordered', {doc = 'd', mode = 'write',\n"
                  "    args = {n = t.integer()}, run = function(ctx, args)\n"
                  "        for i = 1, 3 do\n"
                  "            local ref = ctx:emit('transfer',\n"
                  "                {from = 'alice', to = 'bob',\n"
                  "                 amount = i})\n"
                  "            if i == args.n then\n"
                  "                ctx:emit('receipt', {transfer = ref})\n"
                  "            end\n"
                  "        end\n"
                  "    end})\n");
    world_gives(&w, "ordered", "n=2", "nothing");
    world_fails(&w, "ordered", "n=1", ATE_EREFUSED, "announced");
    world_fails(&w, "ordered", "n=3", ATE_EREFUSED, "announced");
    world_close(&w);
}

/* ---- folds ---- */

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
        "        assert(rows:get('x').a == 3)\n"
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

/* 2^53 is where Lua ends, 2^63 where the state does. */
static void sums_are_checked(void **state)
{
    struct world w;
    (void)state;
    open_with(
        &w,
        "shop:view('v', {doc = 'd', key = {'n'},\n"
        "    row = {n = t.text({max = 99}), a = t.default(t.integer(), 0)},\n"
        "    fold = {transfer = function(rows, e)\n"
        "        if e.amount == 7 then\n"
        "            for i = 1, 2 do\n"
        "                rows:add('x', {a = 2 * 2251799813685248})\n"
        "                rows:add('x', {a = 2 * 2251799813685248})\n"
        "            end\n"
        "        end\n"
        "    end}})\n"
        "shop:method('read', {doc = 'd', mode = 'read', args = {},\n"
        "    run = function(ctx)\n"
        "        return ctx.state.v:get('x').a\n"
        "    end})\n");
    int rc = world_call(&w, "pay", "amount=0.07 from=alice to=bob");
    if (rc == 0)
        world_fails(&w, "read", "", ATE_ESCRIPT, "beyond 2^53");
    else
        assert_error(rc, &w.err, ATE_ESCRIPT, "above");
    world_close(&w);
}

/* ---- several schemas ---- */

static const char coins[] =
    "local ate = require('ate')\n"
    "local t = ate.types\n"
    "local coins = ate.schema('coins', {doc = 'd', version = 1})\n"
    "coins:object('wallet', {doc = 'd', key = {'name'},\n"
    "    header = {name = t.name(), owner = t.once(t.identity())}})\n"
    "coins:event('held', {doc = 'd', parent = 'from', key = {'name'},\n"
    "    header = {name = t.name(), from = t.ref('wallet'),\n"
    "        guard = t.event_type()}})\n"
    "coins:event('freed', {doc = 'd', parent = 'held', key = {'held'},\n"
    "    header = {held = t.ref('held'), to = t.ref('wallet')}})\n"
    "coins:view('held_by', {doc = 'd', key = {'wallet'},\n"
    "    row = {wallet = t.ref('wallet'), n = t.default(t.integer(), 0)},\n"
    "    fold = {held = function(rows, e) rows:add(e.from, {n = 1}) end}})\n"
    "coins:rule('not_freed', {doc = 'd', on = {'freed'},\n"
    "    text = 'no {guard} frees {held}', says = {guard = t.text()},\n"
    "    check = function(state, freed, tx)\n"
    "        local held = state.held:get(freed.held)\n"
    "        for e in tx:each(held.guard) do\n"
    "            if e.held == freed.held then return true end\n"
    "        end\n"
    "        return ate.deny({guard = held.guard, held = freed.held})\n"
    "    end})\n"
    "coins:rule('by', {doc = 'd', on = {'wallet', 'held'},\n"
    "    check = function(_, _, tx) return tx:by(tx.author) end})\n"
    "coins:method('free', {doc = 'd', mode = 'write',\n"
    "    args = t.fields('freed'),\n"
    "    run = function(ctx, args) return ctx:emit('freed', args) end})\n"
    "return coins\n";

static const char escrow[] =
    "local ate = require('ate')\n"
    "local coins = require('coins')\n"
    "local t = ate.types\n"
    "local escrow = ate.schema('escrow', {doc = 'd', version = 1})\n"
    "escrow:event('settled', {doc = 'd', with = 'coins.freed',\n"
    "    header = {held = t.ref('coins.held')}})\n"
    "escrow:rule('by', {doc = 'd', on = {'settled'},\n"
    "    check = function(state, e, tx)\n"
    "        local held = state.coins.held:get(e.held)\n"
    "        return held.guard == 'escrow.settled'\n"
    "            and state.coins.held_by:get(held.from).n > 0\n"
    "    end})\n"
    "escrow:method('open', {doc = 'd', mode = 'write', args = {},\n"
    "    returns = t.ref('coins.held'), run = function(ctx)\n"
    "        ctx:put('coins.wallet', {name = 'w', owner = ctx.caller})\n"
    "        return ctx:emit('coins.held', {name = 'h', from = 'w',\n"
    "            guard = 'settled'})\n"
    "    end})\n"
    "escrow:method('settle', {doc = 'd', mode = 'write', args = {},\n"
    "    run = function(ctx)\n"
    "        ctx:emit('settled', {held = 'w/h'})\n"
    "        return ctx:call('coins.free', {held = 'w/h', to = 'w'})\n"
    "    end})\n"
    "escrow:method('steal', {doc = 'd', mode = 'write', args = {},\n"
    "    run = function(ctx)\n"
    "        ctx:emit('coins.freed', {held = 'w/h', to = 'w'})\n"
    "        ctx:emit('settled', {held = 'w/h'})\n"
    "    end})\n"
    "escrow:method('half', {doc = 'd', mode = 'write', args = {},\n"
    "    run = function(ctx) ctx:emit('settled', {held = 'w/h'}) end})\n"
    "escrow:method('short', {doc = 'd', mode = 'write', args = {},\n"
    "    run = function(ctx) ctx:emit('freed', {held = 'w/h'}) end})\n"
    "return escrow\n";

static int two_modules(void *ctx, const char *module, struct buf *file,
                       struct buf *text, struct err *err)
{
    (void)ctx;
    (void)err;
    buf_printf(file, "%s.lua", module);
    buf_put_text(text, strcmp(module, "coins") == 0 ? coins : escrow);
    return 0;
}

static void schemas_see_each_other_by_full_names(void **state)
{
    struct world w;
    struct err err;
    struct buf bundle = {0};
    (void)state;
    if (bundle_build(&bundle, "escrow", two_modules, NULL, NULL, NULL, &err) !=
        0)
        fail_msg("%s", err.text);
    world_open_bundle(&w, buf_bytes(&bundle), 100000);
    world_gives(&w, "open", "", "@w/h");
    world_fails(&w, "half", "", ATE_EREFUSED,
                "escrow.settled never comes without coins.freed");
    world_fails(&w, "steal", "", ATE_EREFUSED,
                "coins.not_freed: no escrow.settled frees w/h");
    world_fails(&w, "short", "", ATE_ESCRIPT, "did you mean 'coins.freed'?");
    world_gives(&w, "settle", "", "@w/h");
    buf_deinit(&bundle);
    world_close(&w);
}

/* ---- sharing ---- */

static void chains_with_one_bundle_share_it(void **state)
{
    struct world w;
    struct err err;
    struct buf bundle = {0};
    struct logic *other = NULL;
    struct logic *third = NULL;
    struct logic_limits limits = {.gas = 100000, .memory = 1 << 20};
    (void)state;
    struct buf source = {0};
    buf_put_text(&source, begin);
    buf_put_text(&source, end);
    assert_int_equal(bundle_build(&bundle, "shop", fixture_text,
                                  (void *)buf_text(&source), NULL, NULL, &err),
                     0);
    world_open(&w, buf_text(&source));
    assert_int_equal(
        w.maker.load(w.maker.ctx, buf_bytes(&bundle), &limits, &other, &err),
        0);
    assert_ptr_equal(other->schema, w.core.schema);
    limits.gas++;
    assert_int_equal(
        w.maker.load(w.maker.ctx, buf_bytes(&bundle), &limits, &third, &err),
        0);
    assert_ptr_not_equal(third->schema, w.core.schema);
    third->free(third);
    other->free(other);
    world_gives(&w, "account.create", "name=alice owner=me", "@alice");
    buf_deinit(&bundle);
    buf_deinit(&source);
    world_close(&w);
}

static void a_bad_bundle_is_no_logic(void **state)
{
    struct err err;
    struct logic *logic = NULL;
    struct logic_limits limits = {.gas = 1000, .memory = 1 << 20};
    struct script_cache *cache = script_cache_new();
    struct logic_maker maker = script_maker(cache);
    (void)state;
    assert_int_equal(
        maker.load(maker.ctx, bytes_of_text("x"), &limits, &logic, &err),
        ATE_EINVALID);
    assert_null(logic);
    script_cache_free(cache);
}

/* ---- the same everywhere ---- */

/* Some transactions, good and bad; what they leave, and what they cost. */
static void play(struct buf *out)
{
    struct world w;
    uint8_t root[HASH_SIZE];
    uint64_t gas = 0;
    open_with(&w, "shop:rule('little', {doc = 'd', on = {'transfer'},\n"
                  "    check = function(state, e, tx)\n"
                  "        local sum = 0\n"
                  "        for row in state.balance:each() do\n"
                  "            sum = ate.int.add(sum, row.amount)\n"
                  "        end\n"
                  "        return sum == 0 and e.amount < 5000\n"
                  "            or ate.deny()\n"
                  "    end})\n"
                  "shop:method('many', {doc = 'd', mode = 'write',\n"
                  "    args = {n = t.integer()}, run = function(ctx, args)\n"
                  "        for i = 1, args.n do\n"
                  "            ctx:put('item', {account = 'bob', number = i,\n"
                  "                color = i % 2 == 0 and 'red' or 'blue',\n"
                  "                title = 'Item ' .. i})\n"
                  "            ctx:emit('transfer', {from = 'bob',\n"
                  "                to = 'alice', amount = i})\n"
                  "        end\n"
                  "        return ctx.state.board:count('bob')\n"
                  "    end})\n");
    for (int i = 1; i < 12; i++) {
        char args[32];
        snprintf(args, sizeof(args), "n=%d", i);
        world_gives(&w, "many", args, NULL);
        gas += w.gas;
        buf_put(out, w.verdict, sizeof(w.verdict));
        world_fails(&w, "pay", "amount=60.00 from=alice to=bob", ATE_EREFUSED,
                    "little");
        gas += w.gas;
    }
    state_root(state_head(&w.core.state), root);
    buf_put(out, root, sizeof(root));
    buf_put_be64(out, gas);
    world_close(&w);
}

static void play_in_child(int fd, size_t padding)
{
    /* Other addresses and another environment in each process. */
    void *shift = mem_alloc(1 + padding * 4096);
    struct buf out = {0};
    play(&out);
    ssize_t n = write(fd, out.data, out.len);
    _exit(n == (ssize_t)out.len && shift != NULL ? 0 : 1);
}

static void twenty_processes_agree(void **state)
{
    enum { PROCESSES = 20, ROOM = 4096 };
    struct buf mine = {0};
    (void)state;
    play(&mine);
    assert_true(mine.len < ROOM);
    for (size_t i = 0; i < PROCESSES; i++) {
        uint8_t theirs[ROOM];
        size_t len = 0;
        int fd[2];
        int status = 0;
        assert_int_equal(pipe(fd), 0);
        pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
            close(fd[0]);
            play_in_child(fd[1], i);
        }
        close(fd[1]);
        for (;;) {
            ssize_t n = read(fd[0], theirs + len, sizeof(theirs) - len);
            if (n <= 0)
                break;
            len += (size_t)n;
        }
        close(fd[0]);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
        assert_int_equal(len, mine.len);
        assert_memory_equal(theirs, mine.data, len);
    }
    buf_deinit(&mine);
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
        cmocka_unit_test(views_of_bodies_are_for_methods),
        cmocka_unit_test(emitting_gives_a_ref),
        cmocka_unit_test(objects_are_created_put_patched_and_deleted),
        cmocka_unit_test(writing_mistakes_are_named),
        cmocka_unit_test(a_method_that_reads_cannot_write),
        cmocka_unit_test(methods_call_methods),
        cmocka_unit_test(results_fit_what_is_declared),
        cmocka_unit_test(rules_see_event_state_and_transaction),
        cmocka_unit_test(a_rule_refuses_with_its_text),
        cmocka_unit_test(a_refusal_leaves_nothing),
        cmocka_unit_test(rules_answer_true_or_a_refusal),
        cmocka_unit_test(mistakes_in_rules_have_rule_file_and_line),
        cmocka_unit_test(limits_name_the_rule),
        cmocka_unit_test(replays_have_wider_limits),
        cmocka_unit_test(nothing_carries_over_from_event_to_event),
        cmocka_unit_test(changes_of_objects_are_seen),
        cmocka_unit_test(rules_over_a_transaction_see_all_of_it),
        cmocka_unit_test(events_so_far_are_seen_in_order),
        cmocka_unit_test(mistakes_in_folds_have_view_file_and_line),
        cmocka_unit_test(folds_read_what_they_wrote),
        cmocka_unit_test(sums_are_checked),
        cmocka_unit_test(schemas_see_each_other_by_full_names),
        cmocka_unit_test(chains_with_one_bundle_share_it),
        cmocka_unit_test(a_bad_bundle_is_no_logic),
        cmocka_unit_test(twenty_processes_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
