/* Rules: what they see, what they answer, and what is said then. */
#include "fixture_shop.h"

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
    buf_put_text(&whole, shop_begin);
    buf_put_bytes(&whole, buf_bytes(&source));
    buf_put_text(&whole, shop_end);
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

/* A value that the rule does not give is the event's, or a question mark: no
 * name in braces is ever told. */
static void a_text_has_no_holes(void **state)
{
    (void)state;
    rule_fails("text = '{from} has {amount} {left}', says = {left = money},",
               "return ate.deny({})", ATE_EREFUSED, "r: alice has 0.01 ?");
    rule_fails("text = '{from} has {amount} {left}', says = {left = money},",
               "return ate.deny({from = e.to, left = 5})", ATE_EREFUSED,
               "r: bob has 0.01 0.05");
    rule_fails("per = 'transaction', text = 'no {from}',\n"
               "says = {from = t.ref('account')},",
               "return ate.deny()", ATE_EREFUSED, "r: no ?");
}

/* The doc of a rule is prose. */
static void a_doc_is_told_as_it_is(void **state)
{
    struct world w;
    (void)state;
    open_with(&w, "shop:rule('r', {doc = 'No {from}.', on = {'transfer'},\n"
                  "    check = function(_, e)\n"
                  "        return e.amount ~= 7 or ate.deny()\n"
                  "    end})\n");
    world_fails(&w, "pay", "amount=0.07 from=alice to=bob", ATE_EREFUSED,
                "r: No {from}.");
    world_close(&w);
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

static void views_of_bodies_are_for_methods(void **state)
{
    (void)state;
    reads("return ctx.state.title:get('alice/1').title", "Hat");
    reads("return ctx.state.title:get('alice/2').extra", "x");
    rule_fails("", "return state.title:get('alice/1') == nil", ATE_ESCRIPT,
               "rules cannot read it");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules_see_event_state_and_transaction),
        cmocka_unit_test(a_rule_refuses_with_its_text),
        cmocka_unit_test(a_text_has_no_holes),
        cmocka_unit_test(a_doc_is_told_as_it_is),
        cmocka_unit_test(a_refusal_leaves_nothing),
        cmocka_unit_test(rules_answer_true_or_a_refusal),
        cmocka_unit_test(mistakes_in_rules_have_rule_file_and_line),
        cmocka_unit_test(limits_name_the_rule),
        cmocka_unit_test(replays_have_wider_limits),
        cmocka_unit_test(nothing_carries_over_from_event_to_event),
        cmocka_unit_test(changes_of_objects_are_seen),
        cmocka_unit_test(rules_over_a_transaction_see_all_of_it),
        cmocka_unit_test(events_so_far_are_seen_in_order),
        cmocka_unit_test(views_of_bodies_are_for_methods),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
