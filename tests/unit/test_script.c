/* The logic in Lua over a core: several schemas, shared bundles, the same
 * answers everywhere. */
#include "fixture_shop.h"

#include <sys/wait.h>
#include <unistd.h>

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
    buf_put_text(&source, shop_begin);
    buf_put_text(&source, shop_end);
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
    struct script_cache *cache = script_cache_new(NULL);
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
        cmocka_unit_test(schemas_see_each_other_by_full_names),
        cmocka_unit_test(chains_with_one_bundle_share_it),
        cmocka_unit_test(a_bad_bundle_is_no_logic),
        cmocka_unit_test(twenty_processes_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
