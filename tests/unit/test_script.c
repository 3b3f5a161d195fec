/* The logic in Lua over a core: several schemas, shared bundles, the same
 * answers everywhere. */
#define _GNU_SOURCE /* memmem */
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

/* ---- what one function leaves, no other finds ---- */

/* Every function says what it finds, and leaves all it can. */
static const char leaving[] =
    "local count, seen, nested = 0, {}, {list = {}}\n"
    "local function found(who)\n"
    "    local text = count .. #seen .. #nested.list .. #ate.date.of(1, 1, 1)\n"
    "    count = count + 1\n"
    "    seen[#seen + 1] = who\n"
    "    nested.list[1] = seen\n"
    "    ate.date.of = function() return who end\n"
    "    return text\n"
    "end\n"
    "shop:rule('one', {doc = 'd', on = {'transfer'}, text = 'one {found}',\n"
    "    says = {found = t.text()}, check = function()\n"
    "        local text = found('one')\n"
    "        return text == '00010' or ate.deny({found = text})\n"
    "    end})\n"
    "shop:rule('two', {doc = 'd', on = {'transfer'}, text = 'two {found}',\n"
    "    says = {found = t.text()}, check = function()\n"
    "        local text = found('two')\n"
    "        return text == '00010' or ate.deny({found = text})\n"
    "    end})\n"
    "shop:rule('whole', {doc = 'd', on = {'transfer'}, text = '{found}',\n"
    "    per = 'transaction', says = {found = t.text()}, check = function()\n"
    "        local text = found('whole')\n"
    "        return text == '00010' or ate.deny({found = text})\n"
    "    end})\n"
    "for _, name in ipairs({'first', 'second'}) do\n"
    "    shop:view(name, {doc = 'd', key = {'transfer'},\n"
    "        row = {transfer = t.ref('transfer'), found = t.text()},\n"
    "        fold = {transfer = function(rows, e)\n"
    "            rows:set(e.id, {found = found(name)})\n"
    "        end}})\n"
    "end\n"
    "shop:method('three', {doc = 'd', mode = 'write', args = {},\n"
    "    returns = t.list(t.text()), run = function(ctx)\n"
    "        local texts = {found('three')}\n"
    "        for i = 1, 3 do\n"
    "            local pay = ctx:emit('transfer', {from = 'alice',\n"
    "                to = 'bob', amount = i})\n"
    "            texts[#texts + 1] = ctx.state.first:get(pay).found\n"
    "            texts[#texts + 1] = ctx.state.second:get(pay).found\n"
    "        end\n"
    "        return texts\n"
    "    end})\n"
    "shop:method('fails', {doc = 'd', mode = 'write', args = {},\n"
    "    run = function(ctx)\n"
    "        found('fails')\n"
    "        ctx:emit('transfer', {from = 'alice', to = 'bob', amount = 1})\n"
    "        error('as it should')\n"
    "    end})\n"
    "shop:method('looks', {doc = 'd', mode = 'read', args = {},\n"
    "    returns = t.text(), run = function() return found('looks') end})\n";

/* Rules and folds of one event are apart, too: a view that is folded anew from
 * the log is folded without the rules, and alone. */
static void no_function_finds_what_another_left(void **state)
{
    static const char found[] = "[00010,00010,00010,00010,00010,00010,00010]";
    struct world w;
    uint8_t verdict[HASH_SIZE];

    (void)state;
    open_with(&w, leaving);
    uint64_t index = w.index;
    world_gives(&w, "three", "", found);
    memcpy(verdict, w.verdict, sizeof(verdict));
    world_close(&w);
    open_with(&w, leaving);
    for (int i = 0; i < 3; i++) {
        world_gives(&w, "looks", "", "00010");
        world_fails(&w, "fails", "", ATE_ESCRIPT, "as it should");
    }
    assert_int_equal(w.index, index);
    world_gives(&w, "three", "", found);
    assert_memory_equal(w.verdict, verdict, sizeof(verdict));
    w.replays = true;
    world_gives(&w, "three", "", found);
    world_close(&w);
}

static void put_digests(struct world *w, struct buf *out)
{
    const struct schema *s = w->core.schema;
    for (size_t i = 0; i < s->rule_count; i++) {
        uint8_t digest[HASH_SIZE];
        w->core.logic->digest(w->core.logic, s->rules[i].function, digest);
        buf_put(out, digest, sizeof(digest));
    }
}

/* Whether a function changed is asked of what the files left, not of what runs
 * made of it since, and not of the order in which a table is walked. */
static void a_digest_is_of_what_was_loaded(void **state)
{
    static const char many[] =
        "local words = {}\n"
        "for i = 1, 600 do words['word' .. i] = i end\n"
        "shop:rule('known', {doc = 'd', on = {'item'}, check = function()\n"
        "    words.word1 = words.word1 + 1\n"
        "    return words.word600 == 600\n"
        "end})\n";
    struct buf digests[2] = {{0}, {0}};
    struct buf source = {0};

    (void)state;
    buf_put_text(&source, leaving);
    buf_put_text(&source, many);
    for (int i = 0; i < 2; i++) {
        struct world w;
        open_with(&w, buf_text(&source));
        if (i == 1)
            world_gives(&w, "three", "", NULL);
        put_digests(&w, &digests[i]);
        world_gives(&w, "three", "", NULL); /* and nobody is disturbed */
        put_digests(&w, &digests[i]);
        world_close(&w);
    }
    assert_int_equal(digests[0].len, digests[1].len);
    assert_memory_equal(digests[0].data, digests[1].data, digests[0].len);
    assert_memory_equal(digests[0].data, digests[0].data + digests[0].len / 2,
                        digests[0].len / 2);
    for (int i = 0; i < 2; i++)
        buf_deinit(&digests[i]);
    buf_deinit(&source);
}

/* Together they have the gas of one run. */
static void functions_of_an_event_share_its_gas(void **state)
{
    static const char spend[] =
        "for i = 1, 4 do\n"
        "    shop:rule('r' .. i, {doc = 'd', on = {'transfer'},\n"
        "        check = function(_, e)\n"
        "            for k = 1, e.amount * 10 do end\n"
        "            return true\n"
        "        end})\n"
        "end\n";
    struct world w;

    (void)state;
    open_with(&w, spend);
    world_gives(&w, "pay", "amount=2.00 from=alice to=bob", NULL);
    world_fails(&w, "pay", "amount=40.00 from=alice to=bob", ATE_ELIMIT,
                "rule r3: ran longer than 100000 steps");
    world_close(&w);
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
        cmocka_unit_test(no_function_finds_what_another_left),
        cmocka_unit_test(a_digest_is_of_what_was_loaded),
        cmocka_unit_test(functions_of_an_event_share_its_gas),
        cmocka_unit_test(twenty_processes_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
