/* A shop: the schema in which tests try what Lua sees and does. Rules, methods
 * and more are put behind what it has. */
#ifndef ATE_TESTS_UNIT_FIXTURE_SHOP_H
#define ATE_TESTS_UNIT_FIXTURE_SHOP_H

#include "fixture_script.h"

/* What each test begins with; rules, methods and more are put behind it. */
static const char shop_begin[] =
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

static const char shop_end[] = "return shop\n";

/* The shop with `middle` in it, two accounts, a transfer and two items. */
static inline void open_with(struct world *w, const char *middle)
{
    struct buf source = {0};
    buf_put_text(&source, shop_begin);
    buf_put_text(&source, middle);
    buf_put_text(&source, shop_end);
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
static inline void open_method(struct world *w, const char *mode,
                               const char *run)
{
    struct buf source = {0};
    buf_printf(&source,
               "shop:method('m', {doc = 'd', mode = '%s', args = {},\n"
               "    run = function(ctx, args)\n%s\nend})\n",
               mode, run);
    open_with(w, buf_text(&source));
    buf_deinit(&source);
}

static inline void reads(const char *run, const char *text)
{
    struct world w;
    open_method(&w, "read", run);
    world_gives(&w, "m", "", text);
    world_close(&w);
}

static inline void read_fails(const char *run, int code, const char *words)
{
    struct world w;
    open_method(&w, "read", run);
    world_fails(&w, "m", "", code, words);
    world_close(&w);
}

static inline void writes(const char *run, const char *text)
{
    struct world w;
    open_method(&w, "write", run);
    world_gives(&w, "m", "", text);
    world_close(&w);
}

static inline void write_fails(const char *run, int code, const char *words)
{
    struct world w;
    open_method(&w, "write", run);
    world_fails(&w, "m", "", code, words);
    world_close(&w);
}
#endif
