/* What `ate check` says of schemas that are allowed. */
#include "fixture_schema.h"

#include "declare/tokens.h"

static const char HEAD[] =
    "local ate = require('ate')\n"
    "local t = ate.types\n"
    "local shop = ate.schema('shop', {doc = 'A shop.', version = 1})\n"
    "shop:object('item', {\n"
    "    doc = 'What is sold.', key = {'name'}, off = {'patch', 'delete'},\n"
    "    header = {name = t.name(), owner = t.identity()},\n"
    "})\n"
    "shop:event('sold', {\n"
    "    doc = 'An item was sold.',\n"
    "    header = {item = t.ref('item'), pieces = t.integer()},\n"
    "    body = {note = t.text()},\n"
    "})\n";

/* The warnings of HEAD, `text` and the end; the caller frees. */
static struct buf warnings_of(const char *text)
{
    struct buf source = {0};
    struct buf bundle = {0};
    struct buf warnings = {0};
    struct err err;
    buf_printf(&source, "%s%sreturn shop\n", HEAD, text);
    if (bundle_build(&bundle, "shop", fixture_text, (void *)buf_text(&source),
                     NULL, &warnings, &err) != 0)
        fail_msg("%s", err.text);
    buf_deinit(&source);
    buf_deinit(&bundle);
    return warnings;
}

static void assert_warnings(const char *text, const char *want)
{
    struct buf got = warnings_of(text);
    assert_string_equal(buf_text(&got), want);
    buf_deinit(&got);
}

#define RULE(check)                                                            \
    "shop:rule('may_sell', {\n"                                                \
    "    doc = 'Who may sell.', on = {'sold'},\n"                              \
    "    check = " check ",\n"                                                 \
    "})\n"

static const char NOBODY[] =
    "sold: no rule looks at who writes one: whoever holds a key may "
    "(shop.lua:8)\n";

static void an_event_that_anybody_may_write_is_told(void **state)
{
    (void)state;
    assert_warnings("", NOBODY);
    assert_warnings(RULE("function(_, sold) return sold.pieces > 0 end"),
                    NOBODY);
    assert_warnings(RULE("function(_, sold, tx) -- tx:by(owner)\n"
                         "return sold.pieces > 0 and tx.time > 0 end"),
                    NOBODY);
    assert_warnings(RULE("function(_, sold, tx) local s = 'tx:by(owner)'\n"
                         "return s ~= '' end"),
                    NOBODY);
}

static void a_rule_that_asks_for_the_author_is_believed(void **state)
{
    (void)state;
    assert_warnings(RULE("function(state, sold, tx)\n"
                         "return tx:by(state.item:get(sold.item).owner) end"),
                    "");
    assert_warnings(
        RULE("function(_, sold, tx) return tx:may('sell', sold.item) end"), "");
    assert_warnings(RULE("function(_, _, tx) return tx.author ~= nil end"), "");
    assert_warnings(RULE("function(_, sold, tx)\n"
                         "for e in tx:each('sold') do return e.item == "
                         "sold.item end end"),
                    "");
}

static void a_function_it_calls_counts_too(void **state)
{
    (void)state;
    assert_warnings(
        "local function is_owner(state, sold, tx)\n"
        "    return tx:by(state.item:get(sold.item).owner)\n"
        "end\n"
        "local function owns(state, sold, tx)\n"
        "    return is_owner(state, sold, tx)\n"
        "end\n" RULE("function(s, sold, tx) return owns(s, sold, tx) end"),
        "");
}

static void an_object_that_anybody_may_change_is_told(void **state)
{
    struct buf got = warnings_of(RULE("function(_, _, tx) return tx.author ~= "
                                      "nil end") "shop:object('shelf', {\n"
                                                 "    doc = 'Where items "
                                                 "lie.', key = {'name'}, off = "
                                                 "{'patch'},\n"
                                                 "    header = {name = "
                                                 "t.name()},\n"
                                                 "})\n");
    (void)state;
    assert_string_equal(
        buf_text(&got),
        "shelf: no rule looks at who deletes one: whoever holds a key may; "
        "write a rule, or say off = {'patch', 'delete'} (shop.lua:17)\n");
    buf_deinit(&got);
}

#define SELLS                                                                  \
    RULE("function(state, sold, tx)\n"                                         \
         "return tx:by(state.item:get(sold.item).owner) end")
#define DEED(header, check)                                                    \
    SELLS "shop:object('deed', {\n"                                            \
          "    doc = 'What one owns.', key = {'name'}, off = {'delete'},\n"    \
          "    header = {name = t.name(), " header "},\n"                      \
          "})\n"                                                               \
          "shop:rule('not_owner', {\n"                                         \
          "    doc = 'Whose it is.', on = {'deed'},\n"                         \
          "    check = function(state, deed, tx) return " check " end,\n"      \
          "})\n"

/* Whoever writes his own name there takes it. */
static void an_owner_that_a_change_names_is_told(void **state)
{
    (void)state;
    assert_warnings(DEED("owner = t.identity()", "tx:by(deed.owner)"),
                    "deed: rule not_owner asks for the owner that a change "
                    "writes, not for the one there was: say t.once(...), or "
                    "look at 'before' (shop.lua:18)\n");
    assert_warnings(
        DEED("item = t.ref('item')", "tx:by(state.item:get(deed.item).owner)"),
        "deed: rule not_owner asks for the item that a change "
        "writes, not for the one there was: say t.once(...), or "
        "look at 'before' (shop.lua:18)\n");
}

static void an_owner_that_stays_is_believed(void **state)
{
    (void)state;
    assert_warnings(DEED("owner = t.once(t.identity())", "tx:by(deed.owner)"),
                    "");
    assert_warnings(
        DEED("owner = t.identity()", "tx:by((deed.before or deed).owner)"), "");
    assert_warnings(
        DEED("owner = t.identity()", "tx:by(state.deed:get(deed.id).owner)"),
        "");
    assert_warnings(DEED("owner = t.once(t.identity()), item = t.ref('item')",
                         "tx:by(deed.owner) and deed.item ~= nil"),
                    "");
    assert_warnings(
        DEED("owner = t.identity()",
             "tx:by(deed.owner)") "shop:rule('stays', {\n"
                                  "    doc = 'It stays.', on = {'deed'},\n"
                                  "    check = function(_, deed)\n"
                                  "        return deed.before == nil\n"
                                  "            or deed.before.owner == "
                                  "deed.owner\n"
                                  "    end,\n"
                                  "})\n",
        "");
}

#define PAID(check)                                                            \
    SELLS "shop:event('paid', {\n"                                             \
          "    doc = 'It was paid.', with = 'sold',\n"                         \
          "    header = {item = t.ref('item')},\n"                             \
          "})\n"                                                               \
          "shop:rule('not_sold', {\n"                                          \
          "    doc = 'It was sold.', on = {'paid'},\n"                         \
          "    check = function(state, paid, tx) " check " end,\n"             \
          "})\n"

static void what_any_other_comes_with_is_told(void **state)
{
    (void)state;
    assert_warnings(PAID("return tx:by(state.item:get(paid.item).owner)"),
                    "paid: one sold is enough for any number that come with "
                    "it, whatever it is about: say which in a rule, with "
                    "tx:each('sold') (shop.lua:18)\n");
    assert_warnings(PAID("for sold in tx:each('sold') do "
                         "if sold.item == paid.item then return true end end "
                         "return ate.deny()"),
                    "");
}

static void a_field_that_is_not_there_is_told_with_its_line(void **state)
{
    (void)state;
    assert_warnings(
        RULE("function(_, sold, tx)\n"
             "    return tx.author and sold.peices > 0 end"),
        "may_sell: 'sold' has no field 'peices'; did you mean 'pieces'? "
        "(shop.lua:16)\n");
    assert_warnings(RULE("function(_, sold, tx)\n"
                         "    return tx.author and sold.note ~= '' end"),
                    "may_sell: 'note' is in the body, which is not seen here "
                    "(shop.lua:16)\n");
}

static void folds_and_methods_are_looked_at_too(void **state)
{
    (void)state;
    assert_warnings(
        RULE(
            "function(_, _, tx) return tx.author ~= nil end") "shop:view('"
                                                              "stock', {\n"
                                                              "    doc = 'x', "
                                                              "key = "
                                                              "{'item'},\n"
                                                              "    row = {item "
                                                              "= "
                                                              "t.ref('item'), "
                                                              "pieces = "
                                                              "t.integer()},\n"
                                                              "    fold = "
                                                              "{sold = "
                                                              "function(rows, "
                                                              "e)\n"
                                                              "        "
                                                              "rows:add(e.itm, "
                                                              "{pieces = "
                                                              "e.pieces})\n"
                                                              "    end},\n"
                                                              "})\n"
                                                              "shop:method('"
                                                              "sell', {\n"
                                                              "    doc = 'x', "
                                                              "mode = 'write', "
                                                              "args = "
                                                              "t.fields('sold')"
                                                              ",\n"
                                                              "    run = "
                                                              "function(ctx, "
                                                              "args)\n"
                                                              "        "
                                                              "ctx:emit('sold',"
                                                              " {item = "
                                                              "args.item, "
                                                              "pieces = "
                                                              "args.piece})\n"
                                                              "    end,\n"
                                                              "})\n",
        "stock: 'e' has no field 'itm'; did you mean 'item'? (shop.lua:21)\n"
        "sell: 'args' has no field 'piece'; did you mean 'pieces'? "
        "(shop.lua:27)\n");
}

static const char METHOD_OF_C[] = RULE("function(_, _, tx) return tx.author ~= "
                                       "nil end") "shop:method('sell', {\n"
                                                  "    doc = 'x', mode = "
                                                  "'write',\n"
                                                  "    run = function(c)\n"
                                                  "        "
                                                  "c.state.item:get('x')\n"
                                                  "        "
                                                  "c.state.nope:get('x')\n"
                                                  "        c:emit('sold', {})\n"
                                                  "        c:emit('shop.sold', "
                                                  "{})\n"
                                                  "        c:put(\"itm\", {})\n"
                                                  "        c:emit('nope', {})\n"
                                                  "        "
                                                  "c:emit(c.data.which, {})\n"
                                                  "        c:call('nope', {})\n"
                                                  "        "
                                                  "c.other.state.nope:get('x')"
                                                  "\n"
                                                  "    end,\n"
                                                  "})\n";

static void views_and_types_that_are_not_there_are_told(void **state)
{
    (void)state;
    assert_warnings(RULE("function(state, sold, tx)\n"
                         "    local item = state.item:get(sold.item)\n"
                         "    local same = state.shop.item:get(sold.item)\n"
                         "    return state.itme:get(sold.item) == nil\n"
                         "        or tx:by(item.owner) end"),
                    "may_sell: there is no view and no type 'itme' "
                    "(shop.lua:18)\n");
    assert_warnings(METHOD_OF_C,
                    "sell: there is no view and no type 'nope' (shop.lua:21)\n"
                    "sell: there is no type 'itm' (shop.lua:24)\n"
                    "sell: there is no type 'nope' (shop.lua:25)\n");
}

static void the_bank_is_without_warnings(void **state)
{
    struct buf bundle = {0};
    struct buf warnings = {0};
    (void)state;
    fixture_load("examples/bank", "bank", &bundle, NULL, &warnings);
    assert_string_equal(buf_text(&warnings), "");
    buf_deinit(&bundle);
    buf_deinit(&warnings);
}

/* ---- tokens ---- */

static void put_member(void *ctx, const struct token_member *member)
{
    buf_printf(ctx, "%.*s.%.*s:%d ", (int)member->object.len,
               (const char *)member->object.data, (int)member->member.len,
               (const char *)member->member.data, member->line);
}

static void assert_members(const char *source, const char *want)
{
    struct buf got = {0};
    tokens_members(bytes_of_text(source), 1, 100, put_member, &got);
    assert_string_equal(buf_text(&got), want);
    buf_deinit(&got);
}

static void members_are_found_in_lua(void **state)
{
    (void)state;
    assert_members("a.b", "a.b:1 ");
    assert_members("a:b(c . d)", "a.b:1 c.d:1 ");
    assert_members("a.b.c", "a.b:1 .c:1 ");
    assert_members("f().x", ".x:1 ");
    assert_members("a\n.\nb", "a.b:3 ");
    assert_members("a .. b", "");
    assert_members("a..b.c", "b.c:1 ");
    assert_members("f(...).x", ".x:1 ");
    assert_members("1.5 + x.y", "x.y:1 ");
    assert_members("'a.b' .. \"c\\\".d\" .. e.f", "e.f:1 ");
    assert_members("[[a.b\n]] .. [==[ ]] c.d ]==] .. e.f", "e.f:2 ");
    assert_members("-- a.b\nc.d --[[ e.f\n]] g.h", "c.d:2 g.h:3 ");
    assert_members("t[a.b]", "a.b:1 ");
}

static void source_that_is_no_lua_does_no_harm(void **state)
{
    static const char *const sources[] = {"'a", "[[a", "--[[a", "a.",
                                          ".a", "[=",  "\\",    "'\\"};
    (void)state;
    for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
        struct buf got = {0};
        tokens_members(bytes_of_text(sources[i]), 1, 100, put_member, &got);
        buf_deinit(&got);
    }
}

#define UNIT(scale, off)                                                       \
    "shop:object('unit', {doc = 'd', key = {'code'},\n"                        \
    "    header = {code = t.name(), scale = " scale "}, off = " off "})\n"     \
    "shop:rule('r', {doc = 'd', on = {'unit', 'sold'},\n"                      \
    "    check = function(_, _, tx) return tx:by(tx.author) end})\n"

#define SUMS                                                                   \
    "shop:view('sums', {doc = 'd', key = {'unit'}, row = {\n"                  \
    "    unit = t.ref('unit'), sum = t.default(t.amount({of = 'unit'}), 0),\n" \
    "}, fold = {sold = function() end}})\n"

/* Who edits the scale edits every amount that is there. */
static void a_scale_that_may_change_is_told(void **state)
{
    static const char told[] =
        "unit.scale: amounts are stored in units of it, so it must never "
        "change: say t.once(t.integer(...)) (shop.lua:13)\n";
    (void)state;
    assert_warnings(UNIT("t.integer()", "{'delete'}") SUMS, told);
    assert_warnings(UNIT("t.once(t.integer())", "{'delete'}") SUMS, "");
    assert_warnings(UNIT("t.integer()", "{'patch'}") SUMS, "");
    assert_warnings(UNIT("t.integer()", "{'delete'}"), "");
}

#define VIEW(folds)                                                            \
    "shop:view('sum', {\n"                                                     \
    "    doc = 'Sums.', key = {'item'},\n"                                     \
    "    row = {item = t.ref('item'), n = t.default(t.integer(), 0)},\n"       \
    "    fold = {" folds "},\n"                                                \
    "})\n"

#define ASKS RULE("function(_, _, tx) return tx.author ~= nil end")

/* Who writes -1 piece gets one. */
static void what_may_be_negative_is_not_taken_away(void **state)
{
    (void)state;
    assert_warnings(ASKS VIEW("sold = function(rows, sold)\n"
                              "rows:add(sold.item, {n = -sold.pieces}) end"),
                    "sum: 'pieces' is taken away and may be below zero, which "
                    "adds: say its min (shop.lua:21)\n");
    assert_warnings(ASKS VIEW("sold = function(rows, sold)\n"
                              "rows:add(sold.item, {n = sold.pieces}) end"),
                    "");
    assert_warnings(
        ASKS "shop:event('gone', {doc = 'Gone.', header = {item = "
             "t.ref('item'), n = t.integer({min = 0})}})\n"
             "shop:rule('r', {doc = 'R.', on = {'gone'},\n"
             "check = function(_, _, tx) return tx.author ~= nil end})\n" VIEW(
                 "gone = function(rows, e) rows:add(e.item, {n = -e.n}) end"),
        "");
}

#define GIVEN(amount)                                                          \
    ASKS "shop:event('given', {doc = 'Given.', header = {item = "              \
         "t.ref('item'),\n"                                                    \
         "outs = t.list(t.struct({item = t.ref('item'), n = " amount           \
         "}))}})\n"                                                            \
         "shop:rule('r', {doc = 'R.', on = {'given'},\n"                       \
         "check = function(_, _, tx) return tx.author ~= nil end})\n" VIEW(    \
             "given = function(rows, given)\n"                                 \
             "for _, o in ipairs(given.outs) do\n"                             \
             "rows:add(given.item, {n = -o.n}) "                               \
             "rows:add(o.item, {n = o.n}) end end")

static void nor_is_what_stands_in_a_list(void **state)
{
    (void)state;
    assert_warnings(GIVEN("t.integer()"),
                    "sum: 'n' is taken away and may be below zero, which adds: "
                    "say its min (shop.lua:26)\n");
    assert_warnings(GIVEN("t.integer({min = 1})"), "");
}

#define STOCK(off)                                                             \
    "shop:object('stock', {doc = 'Stock.', key = {'no'}, off = {" off "},\n"   \
    "header = {no = t.integer(), item = t.ref('item')}})\n"                    \
    "shop:rule('r', {doc = 'R.', on = {'stock'},\n"                            \
    "check = function(_, _, tx) return tx.author ~= nil end})\n"

static void an_object_is_added_up_by_its_changes(void **state)
{
    (void)state;
    assert_warnings(
        ASKS STOCK("")
            VIEW("stock = function(rows, e) rows:add(e.item, {n = 1}) end"),
        "sum: the fold of stock adds, and looks at no change: what is edited "
        "or deleted is added again (shop.lua:21)\n");
    assert_warnings(
        ASKS STOCK("'patch'")
            VIEW("stock = function(rows, e) rows:add(e.item, {n = 1}) end"),
        "sum: the fold of stock adds, and looks at no change: what is deleted "
        "is added again (shop.lua:21)\n");
    assert_warnings(
        ASKS STOCK("'patch', 'delete'")
            VIEW("stock = function(rows, e) rows:add(e.item, {n = 1}) end"),
        "");
    assert_warnings(ASKS STOCK("") VIEW(
                        "stock = function(rows, e)\n"
                        "if e.change == 'new' then rows:add(e.item, {n = 1}) "
                        "end end"),
                    "");
}

static void what_a_source_hides_is_told(void **state)
{
    (void)state;
    assert_warnings(ASKS "-- looks like a comment\rlocal x\n",
                    "a carriage return within a line: what follows is code, "
                    "also behind a comment (shop.lua:17)\n");
    assert_warnings(ASKS "-- \xe2\x80\xae\n-- \xe2\x81\xa6\n",
                    "U+202E, which nobody sees: what is shown may not be what "
                    "runs (shop.lua:17)\n");
    assert_warnings(ASKS "-- \x1b[2K\n",
                    "a control character, U+001B: what is shown may not be "
                    "what runs (shop.lua:17)\n");
    assert_warnings(ASKS "local a = 'n\xc3\xb6'\nlocal \xd0\xb0 = 1\n",
                    "the name '\xd0\xb0' has letters that may look like others "
                    "(shop.lua:18)\n");
    assert_warnings(ASKS "-- caf\xc3\xa9 \xe2\x82\xac\r\n\tlocal a\r\n", "");
    /* Lua's lines, and so where a rule stands, are those of both ends. */
    assert_warnings("-- one\r\n-- two\r\n" RULE(
                        "function(_, sold)\r\nreturn sold.peices > 0 end"),
                    "sold: no rule looks at who writes one: whoever holds a "
                    "key may (shop.lua:8)\n"
                    "may_sell: 'sold' has no field 'peices'; did you mean "
                    "'pieces'? (shop.lua:18)\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_scale_that_may_change_is_told),
        cmocka_unit_test(an_event_that_anybody_may_write_is_told),
        cmocka_unit_test(a_rule_that_asks_for_the_author_is_believed),
        cmocka_unit_test(a_function_it_calls_counts_too),
        cmocka_unit_test(an_object_that_anybody_may_change_is_told),
        cmocka_unit_test(an_owner_that_a_change_names_is_told),
        cmocka_unit_test(an_owner_that_stays_is_believed),
        cmocka_unit_test(what_any_other_comes_with_is_told),
        cmocka_unit_test(a_field_that_is_not_there_is_told_with_its_line),
        cmocka_unit_test(folds_and_methods_are_looked_at_too),
        cmocka_unit_test(views_and_types_that_are_not_there_are_told),
        cmocka_unit_test(what_may_be_negative_is_not_taken_away),
        cmocka_unit_test(nor_is_what_stands_in_a_list),
        cmocka_unit_test(an_object_is_added_up_by_its_changes),
        cmocka_unit_test(what_a_source_hides_is_told),
        cmocka_unit_test(the_bank_is_without_warnings),
        cmocka_unit_test(members_are_found_in_lua),
        cmocka_unit_test(source_that_is_no_lua_does_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
