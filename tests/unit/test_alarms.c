/* What ends a run without being a verdict, and what is said then. */
#include "fixture_script.h"

#include <pthread.h>

static const char source[] =
    "local ate = require('ate')\n"
    "local t = ate.types\n"
    "local shop = ate.schema('shop', {doc = 'A shop.', version = 1})\n"
    "local function spin()\n"
    "    while true do end\n"
    "end\n"
    "shop:object('item', {doc = 'd', key = {'name'},\n"
    "    header = {name = t.name()}})\n"
    "shop:view('count', {doc = 'd', key = {'name'},\n"
    "    row = {name = t.name(), changes = t.default(t.integer(), 0)},\n"
    "    fold = {item = function(rows, item)\n"
    "        if item.name == 'fold' then spin() end\n"
    "        rows:add(item.name, {changes = 1})\n"
    "    end}})\n"
    "shop:rule('slow', {doc = 'd', on = {'item'},\n"
    "    check = function(_, item)\n"
    "        if item.name == 'rule' then spin() end\n"
    "        return true\n"
    "    end})\n"
    "shop:method('add', {doc = 'd', mode = 'write',\n"
    "    args = {name = t.name()}, run = function(ctx, args)\n"
    "        if args.name == 'method' then spin() end\n"
    "        ctx:create('item', args)\n"
    "    end})\n"
    "return shop\n";

/* ---- runs that take too long ---- */

struct stopper {
    struct watch *watch;
    atomic_bool ends;
};

/* Runs of a few steps end before they notice. */
static void *stop_all_runs(void *ctx)
{
    struct stopper *s = ctx;
    while (!atomic_load(&s->ends)) {
        uint64_t run = watch_run(s->watch);
        if (run != 0)
            watch_stop(s->watch, run);
    }
    return NULL;
}

static void expect_stopped(const char *name, const char *words)
{
    struct world w;
    pthread_t thread;
    struct buf args = {0};
    world_open_gas(&w, source, UINT64_MAX);
    w.watch.limit_ms = 2000;
    struct stopper stopper = {.watch = &w.watch};
    buf_printf(&args, "name=%s", name);
    assert_int_equal(pthread_create(&thread, NULL, stop_all_runs, &stopper), 0);
    world_fails(&w, "add", buf_text(&args), ATE_EUNAVAILABLE, words);
    atomic_store(&stopper.ends, true);
    pthread_join(thread, NULL);
    assert_non_null(strstr(w.err.text, "ran longer than 2000 ms: an alarm of "
                                       "this node, and no verdict"));
    assert_int_equal(w.err.rule[0], '\0');
    world_gives(&w, "add", "name=quick", "nothing");
    world_close(&w);
    buf_deinit(&args);
}

static void what_was_stopped_is_named(void **state)
{
    (void)state;
    expect_stopped("rule", "rule slow: stopped at shop.lua:5");
    expect_stopped("fold", "view count, fold of item: stopped at shop.lua:5");
    expect_stopped("method", "method add: stopped at shop.lua:5");
}

/* ---- replays that need too much ---- */

/* Nothing is done with a world after a replay that failed. */
static void fails_again(const char *schema, uint64_t gas, const char *name,
                        const char *words)
{
    struct world w;
    struct buf args = {0};
    buf_printf(&args, "name=%s", name);
    world_open_gas(&w, schema, gas);
    world_fails(&w, "item.create", buf_text(&args), ATE_ELIMIT, words);
    assert_null(strstr(w.err.text, "alarm"));
    w.replays = true;
    world_fails(&w, "item.create", buf_text(&args), ATE_EUNAVAILABLE, words);
    assert_string_equal(w.err.reason, "replay_limit");
    world_close(&w);
    buf_deinit(&args);
}

static void a_replay_over_sixteen_times_the_limits_is_an_alarm(void **state)
{
    (void)state;
    fails_again(source, 100000, "rule", "rule slow: ran longer than");
    fails_again(source, 100000, "fold",
                "view count, fold of item: ran longer than");
}

static void so_it_is_for_memory(void **state)
{
    static const char hungry[] =
        "local ate = require('ate')\n"
        "local t = ate.types\n"
        "local shop = ate.schema('shop', {doc = 'A shop.', version = 1})\n"
        "shop:object('item', {doc = 'd', key = {'name'},\n"
        "    header = {name = t.name()}})\n"
        "shop:rule('hungry', {doc = 'd', on = {'item'},\n"
        "    check = function(_, item)\n"
        "        local all = {}\n"
        "        for i = 1, 4000 do\n"
        "            all[i] = string.rep(item.name, 60000 + i)\n"
        "        end\n"
        "        return #all == 4000\n"
        "    end})\n"
        "return shop\n";
    (void)state;
    fails_again(hungry, 1000000000, "x", "rule hungry: needs more than");
}

/* An upgrade runs while a log is tried again, so it has as much. */
static void so_it_is_for_upgrades(void **state)
{
    static const char newer[] =
        "local ate = require('ate')\n"
        "local t = ate.types\n"
        "local shop = ate.schema('shop', {doc = 'A shop.', version = 2})\n"
        "shop:object('item', {doc = 'd', key = {'name'},\n"
        "    header = {name = t.name()},\n"
        "    upgrade = {[1] = function(old)\n"
        "        while old.name == 'x' do end\n"
        "        return old\n"
        "    end}})\n"
        "return shop\n";
    static const uint8_t fields[] = {0x81, 0xa4, 'n', 'a', 'm', 'e', 0xa1, 'x'};
    struct world w;
    struct buf out = {0};
    struct err err;
    (void)state;
    world_open(&w, newer);
    const struct event_type *type =
        schema_type(w.core.schema, bytes_of_text("item"));
    int rc =
        w.core.logic->upgrade(w.core.logic, type, type->upgrades[0].function,
                              bytes_of(fields, sizeof(fields)), &out, &err);
    assert_error(rc, &err, ATE_EUNAVAILABLE,
                 "upgrade of shop.item: ran longer");
    assert_string_equal(err.reason, "replay_limit");
    buf_deinit(&out);
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_stopped_is_named),
        cmocka_unit_test(a_replay_over_sixteen_times_the_limits_is_an_alarm),
        cmocka_unit_test(so_it_is_for_memory),
        cmocka_unit_test(so_it_is_for_upgrades),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
