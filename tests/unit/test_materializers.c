/* The stages of a pipeline, asked by trials over a core. */
#include "fixture_script.h"

#include "materializers/materializers.h"

static const char source[] =
    "local ate = require('ate')\n"
    "local t = ate.types\n"
    "local shop = ate.schema('shop', {doc = 'd', version = 1,\n"
    "    bodies = 'open'})\n"
    "shop:object('account', {doc = 'd', key = {'name'},\n"
    "    header = {name = t.name(), owner = t.once(t.identity()),\n"
    "        limit = t.optional(t.once(t.integer())),\n"
    "        note = t.optional(t.text({max = 8}))},\n"
    "    off = {'delete'}})\n"
    "shop:object('fixed', {doc = 'd', key = {'name'},\n"
    "    header = {name = t.name(), n = t.integer()}, off = {'patch'}})\n"
    "shop:object('closed', {doc = 'd', key = {'name'},\n"
    "    header = {name = t.name()}, off = {'create'}})\n"
    "shop:object('page', {doc = 'd', key = {'name'},\n"
    "    header = {name = t.name()}, body = t.text({max = 8})})\n"
    "shop:object('room', {doc = 'd', parent = 'account', key = {'name'},\n"
    "    header = {account = t.ref('account'), name = t.name()}})\n"
    "shop:event('moved', {doc = 'd', header = {from = t.ref('account'),\n"
    "    to = t.list(t.ref('account'))}, with = 'noted'})\n"
    "shop:event('noted', {doc = 'd', header = {n = t.integer()},\n"
    "    body = {text = t.text({max = 8})}})\n"
    "shop:event('retired', {doc = 'd', header = {n = t.integer()},\n"
    "    off = {'append'}})\n"
    "shop:event('gone', {doc = 'd', header = {room = t.ref('room')}})\n"
    "local order = {}\n"
    "local function rule(name, on, per)\n"
    "    shop:rule(name, {doc = name, on = {on}, per = per,\n"
    "        check = function(state, e, tx)\n"
    "            if per then return ate.deny() end\n"
    "            return e.n < 10 or ate.deny() end})\n"
    "end\n"
    "rule('z_first', 'noted')\n"
    "rule('a_second', 'noted')\n"
    "rule('whole', 'gone', 'transaction')\n"
    "shop:rule('all', {doc = 'd', on = {'account', 'fixed', 'closed',\n"
    "    'page', 'room', 'moved', 'noted', 'retired', 'gone'},\n"
    "    check = function(_, _, tx) return tx:by(tx.author) end})\n"
    "local function method(name, run)\n"
    "    shop:method(name, {doc = 'd', mode = 'write', args = {}, run = run})\n"
    "end\n"
    "method('alone', function(ctx)\n"
    "    ctx:emit('moved', {from = 'alice', to = {'alice'}})\n"
    "end)\n"
    "method('together', function(ctx)\n"
    "    ctx:emit('moved', {from = 'alice', to = {'alice'}})\n"
    "    ctx:emit('noted', {n = 1, text = 'x'})\n"
    "end)\n"
    "method('fresh', function(ctx)\n"
    "    local new = ctx:create('account', {name = 'new',\n"
    "        owner = ctx.caller})\n"
    "    ctx:emit('moved', {from = new, to = {}})\n"
    "    ctx:emit('noted', {n = 1, text = 'x'})\n"
    "end)\n"
    "method('nobody', function(ctx)\n"
    "    ctx:emit('moved', {from = 'alice', to = {'alice', 'nobody'}})\n"
    "end)\n"
    "method('wrong', function(ctx)\n"
    "    local f = ctx:put('fixed', {name = 'f', n = 1})\n"
    "    ctx:emit('moved', {from = f.id, to = {}})\n"
    "end)\n"
    "method('retire', function(ctx) ctx:emit('retired', {n = 1}) end)\n"
    "method('remove', function(ctx) ctx:delete('account', 'alice') end)\n"
    "method('change', function(ctx)\n"
    "    ctx:patch('fixed', ctx:put('fixed', {name = 'g', n = 1}), {n = 2})\n"
    "end)\n"
    "method('open', function(ctx) ctx:create('closed', {name = 'c'}) end)\n"
    "method('owner', function(ctx)\n"
    "    ctx:patch('account', 'alice', {owner = ('x'):rep(32)})\n"
    "end)\n"
    "method('limit', function(ctx)\n"
    "    ctx:patch('account', 'alice', {limit = 5})\n"
    "end)\n"
    "method('note', function(ctx)\n"
    "    ctx:patch('account', 'alice', {note = 'short'})\n"
    "end)\n"
    "method('long', function(ctx)\n"
    "    ctx:patch('account', 'alice', {note = 'much too long'})\n"
    "end)\n"
    "method('page', function(ctx)\n"
    "    return ctx:put('page', {name = 'p', body = 'text'}).body\n"
    "end)\n"
    "method('long_page', function(ctx)\n"
    "    ctx:put('page', {name = 'p', body = 'much too long'})\n"
    "end)\n"
    "method('no_page', function(ctx) ctx:put('page', {name = 'p'}) end)\n"
    "method('no_text', function(ctx) ctx:emit('noted', {n = 1}) end)\n"
    "method('long_text', function(ctx)\n"
    "    ctx:emit('noted', {n = 1, text = 'much too long'})\n"
    "end)\n"
    "method('ten', function(ctx) ctx:emit('noted', {n = 10, text = ''}) end)\n"
    "method('dead', function(ctx)\n"
    "    local r = ctx:put('room', {account = 'alice', name = 'r'})\n"
    "    ctx:delete('room', r)\n"
    "    ctx:emit('gone', {room = r})\n"
    "end)\n"
    "method('leave', function(ctx)\n"
    "    local r = ctx:put('room', {account = 'alice', name = 's'})\n"
    "    ctx:emit('gone', {room = r})\n"
    "end)\n"
    "return shop\n";

static int setup(void **state)
{
    struct world *w = mem_zero(1, sizeof(*w));
    world_open(w, source);
    world_gives(w, "account.create", "name=alice owner=me", "@alice");
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    world_close(*state);
    mem_free(*state);
    return 0;
}

static void every_stage_is_found_by_name(void **state)
{
    static const char *const names[] = {"accept-all", "master-key-validator",
                                        "serializer", "structured-logic",
                                        "trust-delegation"};
    (void)state;
    for (size_t i = 0; i < 5; i++)
        assert_string_equal(materializers[i]->name, names[i]);
    assert_null(materializers[5]);
}

static void what_a_type_turns_off_is_denied(void **state)
{
    world_fails(*state, "retire", "", ATE_EDENIED, "'append' off");
    world_fails(*state, "remove", "", ATE_EDENIED, "'delete' off");
    world_fails(*state, "change", "", ATE_EDENIED, "'patch' off");
    world_fails(*state, "open", "", ATE_EDENIED, "'create' off");
}

static void once_is_once(void **state)
{
    world_fails(*state, "owner", "", ATE_EINVALID,
                "account alice: owner: is set once");
    world_fails(*state, "limit", "", ATE_EINVALID,
                "account alice: limit: is set once");
    world_gives(*state, "note", "", "nothing");
}

static void headers_fit_their_type(void **state)
{
    world_fails(*state, "long", "", ATE_EINVALID, "note: 13 bytes");
}

static void bodies_fit_their_type(void **state)
{
    world_gives(*state, "page", "", "text");
    world_fails(*state, "long_page", "", ATE_EINVALID, "body: 13 bytes");
    world_fails(*state, "no_text", "", ATE_EINVALID, "noted");
    world_fails(*state, "long_text", "", ATE_EINVALID, "text: 13 bytes");
}

static void refs_name_what_is_live(void **state)
{
    world_gives(*state, "fresh", "", "nothing");
    world_fails(*state, "nobody", "", ATE_ENOT_FOUND,
                "moved: to[2]: no such shop.account");
    world_fails(*state, "wrong", "", ATE_EINVALID,
                "names a shop.fixed, want a shop.account");
    world_fails(*state, "dead", "", ATE_ENOT_FOUND, "was deleted");
}

static void rules_are_asked_in_the_order_declared(void **state)
{
    struct world *w = *state;
    world_fails(w, "ten", "", ATE_EREFUSED, "z_first");
    assert_string_equal(w->err.rule, "z_first");
}

static void rules_of_the_whole_are_asked_at_its_end(void **state)
{
    world_fails(*state, "leave", "", ATE_EREFUSED, "whole");
}

static void an_event_comes_with_its_company(void **state)
{
    world_fails(*state, "alone", "", ATE_EREFUSED,
                "shop.moved never comes without shop.noted");
    world_gives(*state, "together", "", "nothing");
}

static enum answer asked(struct world *w, const struct materializer *stage,
                         const struct key_pair *author,
                         const struct further_sig *sig)
{
    struct err err;
    struct trial trial = {.core = &w->core,
                          .author = author->id,
                          .sigs = sig,
                          .sig_count = sig != NULL};
    struct trial_event event = {0};
    return stage->accept(&trial, &event, &err);
}

static void root_keys_are_a_yes(void **state)
{
    struct world *w = *state;
    struct further_sig root = {
        .key_id = w->me.id,
        .purpose = bytes_of_text(PURPOSE_ROOT),
    };
    const struct materializer *stage = &master_key_validator;
    assert_int_equal(asked(w, stage, &w->me, NULL), ANSWER_YES);
    assert_int_equal(asked(w, stage, &w->other, NULL), ANSWER_ABSTAIN);
    assert_int_equal(asked(w, stage, &w->other, &root), ANSWER_YES);
    root.purpose = bytes_of_text(PURPOSE_CO_AUTHOR); /* means less */
    assert_int_equal(asked(w, stage, &w->other, &root), ANSWER_ABSTAIN);
    root.purpose = bytes_of_text(PURPOSE_ROOT);
    root.key_id = w->other.id;
    assert_int_equal(asked(w, stage, &w->other, &root), ANSWER_ABSTAIN);
    assert_int_equal(asked(w, &accept_all, &w->other, NULL), ANSWER_YES);
}

/* Types of the engine's own are not theirs to judge. */
static void engine_types_are_passed_over(void **state)
{
    assert_int_equal(
        asked(*state, &serializer, &((struct world *)*state)->me, NULL),
        ANSWER_ABSTAIN);
    assert_int_equal(
        asked(*state, &structured_logic, &((struct world *)*state)->me, NULL),
        ANSWER_ABSTAIN);
}

/* ---- events that no method makes ---- */

struct forged {
    struct event_header header;
    uint8_t id[OBJECT_ID_SIZE];
    uint8_t hash[HASH_SIZE];
    struct buf fields;
    struct buf body;
};

static void forge_noted(struct forged *f, struct world *w,
                        const uint8_t *call_id)
{
    *f = (struct forged){0};
    mp_put_map(&f->fields, 1);
    mp_put_text(&f->fields, "n");
    mp_put_int(&f->fields, 1);
    fact_id(w->core.id, w->me.id, call_id, 0, f->id);
    f->header.object = f->id;
    f->header.type = bytes_of_text("shop.noted");
    f->header.author = w->me.id;
}

static int add_forged(struct forged *f, struct world *w, const uint8_t *call_id,
                      bool at_hand, struct err *err)
{
    struct buf raw = {0};
    struct trial trial = {.core = &w->core,
                          .index = w->index,
                          .time = 5000,
                          .author = w->me.id,
                          .caller = w->me.id,
                          .call_id = call_id};
    f->header.fields = buf_bytes(&f->fields);
    f->header.body_length = f->body.len;
    body_hash(buf_bytes(&f->body), f->hash);
    f->header.body_hash = f->body.len > 0 ? f->hash : NULL;
    event_header_put(&raw, &f->header);
    trial_begin(&trial);
    struct bytes body = {NULL, 0};
    if (at_hand && f->body.len > 0)
        body = buf_bytes(&f->body);
    int rc = trial_add(&trial, buf_bytes(&raw), body, err);
    trial_deinit(&trial);
    buf_deinit(&raw);
    return rc;
}

static void forged_end(struct forged *f)
{
    buf_deinit(&f->fields);
    buf_deinit(&f->body);
}

/* Whoever holds no body takes the header's word. */
static void a_body_is_judged_where_it_is_at_hand(void **state)
{
    static const uint8_t call_id[CALL_ID_SIZE] = {1};
    struct world *w = *state;
    struct err err;
    struct forged f;
    forge_noted(&f, w, call_id);
    assert_error(add_forged(&f, w, call_id, true, &err), &err, ATE_EINVALID,
                 "has a body by its type");
    buf_put_text(&f.body, "no msgpack");
    assert_error(add_forged(&f, w, call_id, true, &err), &err, ATE_EINVALID,
                 "noted: body: want a map");
    assert_int_equal(add_forged(&f, w, call_id, false, &err), 0);
    forged_end(&f);
}

/* A raw body is stored without msgpack around it, so nobody but us looks. */
static void a_raw_text_is_text(void **state)
{
    static const uint8_t call_id[CALL_ID_SIZE] = {1};
    static const char *const bad[] = {"\xff", "a\xc3", "\xed\xa0\x80", "a\x1b"};
    struct world *w = *state;
    struct err err;
    struct forged f;
    struct buf key = {0};
    mp_put_array(&key, 1);
    mp_put_text(&key, "p");
    forge_noted(&f, w, call_id);
    buf_clear(&f.fields);
    mp_put_map(&f.fields, 1);
    mp_put_text(&f.fields, "name");
    mp_put_text(&f.fields, "p");
    f.header.type = bytes_of_text("shop.page");
    object_id(w->core.id, f.header.type, NULL, buf_bytes(&key), f.id);
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        buf_clear(&f.body);
        buf_put_text(&f.body, bad[i]);
        assert_error(add_forged(&f, w, call_id, true, &err), &err, ATE_EINVALID,
                     "text");
    }
    buf_clear(&f.body);
    buf_put_text(&f.body, "good");
    assert_int_equal(add_forged(&f, w, call_id, true, &err), 0);
    forged_end(&f);
    buf_deinit(&key);
}

static void a_body_where_the_type_has_none_is_invalid(void **state)
{
    static const uint8_t call_id[CALL_ID_SIZE] = {1};
    struct world *w = *state;
    struct err err;
    struct forged f;
    forge_noted(&f, w, call_id);
    f.header.type = bytes_of_text("shop.retired");
    buf_put_text(&f.body, "x");
    assert_true(add_forged(&f, w, call_id, false, &err) < 0);
    forged_end(&f);
}

static void unknown_fields_are_invalid(void **state)
{
    static const uint8_t call_id[CALL_ID_SIZE] = {1};
    struct world *w = *state;
    struct err err;
    struct forged f;
    forge_noted(&f, w, call_id);
    buf_clear(&f.fields);
    mp_put_map(&f.fields, 2);
    mp_put_text(&f.fields, "m");
    mp_put_int(&f.fields, 1);
    mp_put_text(&f.fields, "n");
    mp_put_int(&f.fields, 1);
    assert_error(add_forged(&f, w, call_id, false, &err), &err, ATE_EINVALID,
                 "noted: m: no such field");
    forged_end(&f);
}

/* Names with many zero bytes cannot be, but many long ones can. */
static void a_key_that_fits_no_entry_is_over_a_limit(void **state)
{
    struct world w;
    struct buf text = {0};
    (void)state;
    buf_put_text(&text,
                 "local ate = require('ate')\n"
                 "local t = ate.types\n"
                 "local shop = ate.schema('shop', {doc = 'd', version = 1})\n"
                 "shop:object('o', {doc = 'd', key = {'a', 'b', 'c', 'd', "
                 "'e'},\n"
                 "    header = {a = t.name(), b = t.name(), c = t.name(),\n"
                 "        d = t.name(), e = t.name()}})\n"
                 "shop:method('m', {doc = 'd', mode = 'write', args = {},\n"
                 "    run = function(ctx)\n"
                 "        local s = ('x'):rep(250)\n"
                 "        ctx:put('o', {a = s, b = s, c = s, d = s, e = s})\n"
                 "    end})\n"
                 "return shop\n");
    world_open(&w, buf_text(&text));
    world_fails(&w, "m", "", ATE_ELIMIT, "its key takes");
    world_close(&w);
    buf_deinit(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_stage_is_found_by_name),
        cmocka_unit_test_setup_teardown(what_a_type_turns_off_is_denied, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(once_is_once, setup, teardown),
        cmocka_unit_test_setup_teardown(headers_fit_their_type, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(bodies_fit_their_type, setup, teardown),
        cmocka_unit_test_setup_teardown(refs_name_what_is_live, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(rules_are_asked_in_the_order_declared,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(rules_of_the_whole_are_asked_at_its_end,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(an_event_comes_with_its_company, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(root_keys_are_a_yes, setup, teardown),
        cmocka_unit_test_setup_teardown(engine_types_are_passed_over, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_body_is_judged_where_it_is_at_hand,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(a_raw_text_is_text, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_body_where_the_type_has_none_is_invalid, setup, teardown),
        cmocka_unit_test_setup_teardown(unknown_fields_are_invalid, setup,
                                        teardown),
        cmocka_unit_test(a_key_that_fits_no_entry_is_over_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
