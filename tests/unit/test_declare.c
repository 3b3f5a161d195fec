/* The schemas that the language has to carry, and what comes out of them. */
#include "fixture_schema.h"

#include "base/msgpack.h"
#include "base/version.h"
#include "crypto/hash.h"
#include "declare/assets.h"
#include "declare/declare.h"
#include "schema/value.h"

static const char SCHEMAS[] = "tests/lua/schemas";
static const char BANK[] = "examples/bank";

static const struct event_type *type_of(const struct schema *s,
                                        const char *name)
{
    const struct event_type *type = schema_type(s, bytes_of_text(name));
    if (type == NULL)
        fail_msg("no type %s", name);
    return type;
}

static const struct field *header_of(const struct schema *s, const char *type,
                                     const char *name)
{
    const struct field *field =
        fields_find(&type_of(s, type)->header, bytes_of_text(name));
    if (field == NULL)
        fail_msg("no field %s.%s", type, name);
    return field;
}

static const struct view *view_of(const struct schema *s, const char *name)
{
    const struct view *view = schema_view(s, bytes_of_text(name));
    if (view == NULL)
        fail_msg("no view %s", name);
    return view;
}

static const struct method *method_of(const struct schema *s, const char *name)
{
    const struct method *method = schema_method(s, bytes_of_text(name));
    if (method == NULL)
        fail_msg("no method %s", name);
    return method;
}

static const struct rule *rule_of(const struct schema *s, const char *name)
{
    for (size_t i = 0; i < s->rule_count; i++)
        if (strcmp(s->rules[i].name, name) == 0)
            return &s->rules[i];
    fail_msg("no rule %s", name);
    return NULL;
}

static void load(const char *folder, const char *name, struct schema *schema)
{
    struct buf bundle = {0};
    fixture_load(folder, name, &bundle, schema, NULL);
    buf_deinit(&bundle);
}

/* ---- what comes out ---- */

static void the_bank_is_what_it_says(void **state)
{
    struct schema s;
    (void)state;
    load(BANK, "bank", &s);
    assert_string_equal(s.main, "bank");
    assert_int_equal(s.part_count, 1);
    assert_int_equal(s.parts[0].version, 1);
    assert_false(s.parts[0].sealed);
    assert_string_equal(s.parts[0].doc, "Neighbours who owe each other.");
    assert_int_equal(s.type_count, 2);
    assert_int_equal(s.view_count, 1);
    assert_int_equal(s.rule_count, 2);

    const struct event_type *account = type_of(&s, "account");
    assert_string_equal(account->name, "bank.account");
    assert_string_equal(account->schema, "bank");
    assert_string_equal(account->where, "bank.lua:7");
    assert_true(account->is_object);
    assert_int_equal(account->key_count, 1);
    assert_string_equal(account->header.items[account->key[0]].name, "name");
    assert_int_equal(account->parent, -1);
    assert_int_equal(account->off, OFF_PATCH | OFF_DELETE);
    assert_int_equal(header_of(&s, "account", "name")->type.len_max, 40);
    assert_true(header_of(&s, "account", "owner")->type.once);

    const struct value_type *from = &header_of(&s, "transfer", "from")->type;
    assert_int_equal(from->kind, VALUE_REF);
    assert_string_equal(from->target, "bank.account");
    const struct value_type *amount =
        &header_of(&s, "transfer", "amount")->type;
    assert_int_equal(amount->kind, VALUE_AMOUNT);
    assert_int_equal(amount->scale, 2);
    assert_int_equal(amount->min, 1);
    assert_true(amount->max == SCHEMA_EXACT_MAX);
    schema_deinit(&s);
}

static void rules_stand_in_the_order_declared(void **state)
{
    struct schema s;
    (void)state;
    load(BANK, "bank", &s);
    assert_string_equal(s.rules[0].name, "bank.not_owner");
    assert_string_equal(s.rules[1].name, "bank.too_deep");
    assert_string_equal(s.rules[1].text, "{from} would hold {left}");
    assert_int_equal(s.rules[1].on.count, 1);
    assert_string_equal(s.rules[1].on.items[0], "bank.transfer");
    assert_int_equal(s.rules[1].says.count, 1);
    assert_int_equal(s.rules[1].says.items[0].type.scale, 2);
    assert_false(s.rules[1].per_transaction);
    assert_true(s.rules[0].function > 0);
    assert_true(s.rules[1].function != s.rules[0].function);
    schema_deinit(&s);
}

static void every_type_has_its_default_methods(void **state)
{
    struct schema s;
    (void)state;
    load(BANK, "bank", &s);
    const struct method *put = method_of(&s, "account.put");
    assert_int_equal(put->by_default, DEFAULT_PUT);
    assert_int_equal(put->mode, METHOD_WRITE);
    assert_ptr_equal(put->type, type_of(&s, "account"));
    assert_int_equal(put->args.count, 3); /* before, and its fields */
    assert_string_equal(put->returns->target, "bank.account");
    assert_null(schema_method(&s, bytes_of_text("account.patch")));
    assert_null(schema_method(&s, bytes_of_text("account.delete")));
    assert_null(schema_method(&s, bytes_of_text("account.append")));
    assert_null(schema_method(&s, bytes_of_text("transfer.put")));
    assert_int_equal(method_of(&s, "transfer.append")->args.count, 3);
    const struct method *get = method_of(&s, "account.get");
    assert_int_equal(get->args.count, 2); /* id or name */
    assert_true(get->args.items[0].type.optional);
    assert_int_equal(get->returns->kind, VALUE_STRUCT);
    assert_int_equal(get->returns->fields.count, 3);
    const struct method *fact = method_of(&s, "transfer.get");
    assert_int_equal(fact->args.count, 1);
    assert_false(fact->args.items[0].type.optional);
    for (size_t i = 1; i < s.method_count; i++)
        assert_true(strcmp(s.methods[i - 1].name, s.methods[i].name) < 0);
    schema_deinit(&s);
}

static void methods_keep_what_doors_own(void **state)
{
    struct schema s;
    (void)state;
    load(BANK, "bank", &s);
    const struct method *transfer = method_of(&s, "transfer");
    assert_int_equal(transfer->by_default, DEFAULT_NONE);
    assert_int_equal(transfer->runs, RUNS_BOTH);
    assert_int_equal(transfer->args.count, 3);
    assert_string_equal(transfer->returns->target, "bank.transfer");
    assert_int_equal(mp_check(transfer->annotations, NULL), 0);
    struct mp mp = mp_open(mp_map_get(transfer->annotations, "rest"));
    struct bytes rest;
    assert_int_equal(mp_get_str(&mp, &rest, NULL), 0);
    assert_true(
        bytes_equal(rest, bytes_of_text("POST /accounts/{from}/transfers")));
    assert_null(mp_map_get(transfer->annotations, "content").data);
    schema_deinit(&s);
}

static void views_know_their_keys_and_defaults(void **state)
{
    struct schema s;
    (void)state;
    load(BANK, "bank", &s);
    const struct view *balance = view_of(&s, "balance");
    assert_int_equal(balance->key_count, 1);
    assert_string_equal(balance->columns.items[balance->key[0]].name,
                        "account");
    assert_true(balance->gives_defaults);
    assert_false(balance->reads_bodies);
    assert_int_equal(balance->fold_count, 1);
    assert_string_equal(balance->folds[0].type, "bank.transfer");
    struct bytes zero = fields_find(&balance->columns, bytes_of_text("amount"))
                            ->type.default_value;
    assert_int_equal(zero.len, 1);
    assert_int_equal(zero.data[0], 0);
    schema_deinit(&s);

    load(SCHEMAS, "tracker", &s);
    const struct view *board = view_of(&s, "board");
    assert_int_equal(board->key_count, 2);
    assert_int_equal(board->order_count, 3);
    assert_string_equal(board->columns.items[board->order[0]].name, "project");
    assert_string_equal(board->columns.items[board->order[2]].name, "updated");
    assert_false(board->gives_defaults);
    assert_true(view_of(&s, "title")->reads_bodies);
    schema_deinit(&s);
}

/* A row of defaults says nothing that was not declared: where a column is
 * optional, or there is none outside the key, an absent row is absent. */
static void absent_rows_have_all_defaults_or_are_nil(void **state)
{
    static const char text[] =
        "local ate = require('ate')\n"
        "local t = ate.types\n"
        "local shop = ate.schema('shop', {doc = 'A shop.', version = 1})\n"
        "shop:event('sold', {doc = 'd', header = {name = t.name()}})\n"
        "local function view(name, row)\n"
        "    row.name = t.name()\n"
        "    shop:view(name, {doc = 'd', key = {'name'}, row = row,\n"
        "        fold = {sold = function() end}})\n"
        "end\n"
        "local one = t.default(t.integer(), 1)\n"
        "view('all', {a = one, b = one})\n"
        "view('some', {a = one, b = t.integer()})\n"
        "view('optional', {a = one, b = t.optional(t.integer())})\n"
        "view('none', {})\n"
        "return shop\n";
    struct buf bundle = {0};
    struct schema s;
    struct err err;
    (void)state;
    if (bundle_build(&bundle, "shop", fixture_text, (void *)text, &s, NULL,
                     &err) != 0)
        fail_msg("%s", err.text);
    assert_true(view_of(&s, "all")->gives_defaults);
    assert_false(view_of(&s, "some")->gives_defaults);
    assert_false(view_of(&s, "optional")->gives_defaults);
    assert_false(view_of(&s, "none")->gives_defaults);
    buf_deinit(&bundle);
    schema_deinit(&s);
}

/* It is true anyway, so saying it is no mistake. */
static void key_and_parent_may_be_once(void **state)
{
    static const char text[] =
        "local ate = require('ate')\n"
        "local t = ate.types\n"
        "local shop = ate.schema('shop', {doc = 'A shop.', version = 1})\n"
        "shop:object('shelf', {doc = 'd', key = {'name'},\n"
        "    header = {name = t.once(t.name())}})\n"
        "shop:object('item', {doc = 'd', parent = 'shelf', key = {'number'},\n"
        "    header = {shelf = t.once(t.ref('shelf')),\n"
        "        number = t.once(t.integer()), price = t.integer()}})\n"
        "return shop\n";
    struct buf bundle = {0};
    struct schema s;
    struct err err;
    (void)state;
    if (bundle_build(&bundle, "shop", fixture_text, (void *)text, &s, NULL,
                     &err) != 0)
        fail_msg("%s", err.text);
    assert_true(header_of(&s, "item", "number")->type.once);
    assert_true(header_of(&s, "item", "shelf")->type.once);
    buf_deinit(&bundle);
    schema_deinit(&s);
}

static void books_have_amounts_of_many_scales(void **state)
{
    struct schema s;
    (void)state;
    load(SCHEMAS, "books", &s);
    const struct value_type *list = &header_of(&s, "entry", "postings")->type;
    assert_int_equal(list->kind, VALUE_LIST);
    assert_int_equal(list->len_min, 2);
    assert_int_equal(list->len_max, 64);
    assert_int_equal(list->item->kind, VALUE_STRUCT);
    const struct field *units =
        fields_find(&list->item->fields, bytes_of_text("units"));
    assert_int_equal(units->type.scale, -1);
    assert_string_equal(units->type.of, "commodity");
    const struct event_type *book = type_of(&s, "book");
    assert_int_equal(book->right_count, 2);
    assert_string_equal(book->rights[0].name, "close");
    assert_string_equal(book->rights[1].doc, "Book entries.");
    const struct event_type *entry = type_of(&s, "entry");
    assert_string_equal(entry->header.items[entry->parent].name, "book");
    assert_int_equal(entry->key_count, 0);
    assert_true(entry->keep > 0);
    assert_int_equal(view_of(&s, "balance")->key_count, 3);
    const struct value_type *returns = method_of(&s, "balance")->returns;
    assert_int_equal(returns->scale, -1);
    assert_string_equal(returns->of, "commodity");
    schema_deinit(&s);
}

static void schemas_of_one_chain_know_each_other(void **state)
{
    struct schema s;
    (void)state;
    load(SCHEMAS, "escrow", &s);
    assert_string_equal(s.main, "escrow");
    assert_int_equal(s.part_count, 2);
    assert_non_null(schema_part(&s, "coins"));
    assert_non_null(schema_part(&s, "escrow"));
    const struct event_type *settled = type_of(&s, "settled");
    assert_string_equal(settled->with, "coins.freed");
    assert_string_equal(header_of(&s, "settled", "held")->type.target,
                        "coins.held");
    assert_string_equal(settled->header.items[settled->parent].name, "deal");
    assert_int_equal(header_of(&s, "coins.held", "guard")->type.kind,
                     VALUE_EVENT_TYPE);
    assert_true(rule_of(&s, "escrow.not_paid_in")->per_transaction);
    assert_string_equal(schema_short(&s, "escrow.deal"), "deal");
    assert_string_equal(schema_short(&s, "coins.moved"), "coins.moved");
    const struct method *open = method_of(&s, "open");
    assert_non_null(fields_find(&open->args, bytes_of_text("terms")));
    schema_deinit(&s);

    load(SCHEMAS, "coins", &s);
    assert_int_equal(rule_of(&s, "coins.not_owner")->on.count, 2);
    assert_int_equal(view_of(&s, "balance")->fold_count, 4);
    schema_deinit(&s);
}

static void a_tracker_has_bodies_and_a_context(void **state)
{
    struct schema s;
    (void)state;
    load(SCHEMAS, "tracker", &s);
    assert_int_equal(s.parts[0].version, 2);
    assert_int_equal(s.parts[0].context.count, 1);
    const struct event_type *issue = type_of(&s, "issue");
    assert_int_equal(issue->body.count, 2);
    const struct value_type *labels = &header_of(&s, "issue", "labels")->type;
    assert_int_equal(labels->default_value.len, 1);
    assert_int_equal(labels->default_value.data[0], 0x90);
    const struct method *save = method_of(&s, "save_page");
    assert_non_null(mp_map_get(save->annotations, "content").data);
    assert_int_equal(method_of(&s, "board")->returns->kind, VALUE_PAGE);
    assert_string_equal(method_of(&s, "board")->returns->target,
                        "tracker.board");
    const struct method *patch = method_of(&s, "issue.patch");
    for (size_t i = 0; i < patch->args.count; i++) {
        assert_true(patch->args.items[i].type.optional);
        assert_int_equal(patch->args.items[i].type.default_value.len, 0);
    }
    schema_deinit(&s);
}

static void a_body_may_be_one_text(void **state)
{
    static const char text[] =
        "local ate = require('ate')\n"
        "local t = ate.types\n"
        "local shop = ate.schema('shop', {doc = 'x', version = 1})\n"
        "shop:object('page', {\n"
        "    doc = 'x', key = {'name'}, header = {name = t.name({doc = "
        "'N'})},\n"
        "    body = t.text({max = 100000000}),\n"
        "})\n"
        "shop:method('save', {\n"
        "    doc = 'x', mode = 'write', args = t.fields('page'),\n"
        "    content = 'body', run = function() end,\n"
        "})\n"
        "return shop\n";
    struct buf bundle = {0};
    struct schema s;
    struct err err = {0};
    (void)state;
    int rc = bundle_build(&bundle, "shop", fixture_text, (void *)text, &s, NULL,
                          &err);
    assert_string_equal(err.text, "");
    assert_int_equal(rc, 0);
    assert_int_equal(type_of(&s, "page")->raw_body->len_max, 100000000);
    assert_string_equal(header_of(&s, "page", "name")->doc, "N");
    assert_int_equal(method_of(&s, "save")->args.count, 2);
    assert_int_equal(method_of(&s, "page.put")->args.count, 3);
    buf_deinit(&bundle);
    schema_deinit(&s);
}

/* ---- bundles ---- */

static void a_bundle_holds_all_that_was_loaded(void **state)
{
    struct buf raw = {0};
    struct bundle bundle;
    struct bundle_module module;
    (void)state;
    fixture_load(SCHEMAS, "escrow", &raw, NULL, NULL);
    assert_int_equal(bundle_get(buf_bytes(&raw), &bundle, NULL), 0);
    assert_int_equal(bundle.count, 4);
    assert_true(bundle_find(&bundle, bytes_of_text("ate"), &module));
    assert_true(bundle_find(&bundle, bytes_of_text("ate.types"), &module));
    assert_true(bundle_find(&bundle, bytes_of_text("coins"), &module));
    assert_true(bytes_equal(module.file, bytes_of_text("coins.lua")));
    assert_true(bundle_find(&bundle, bytes_of_text("escrow"), &module));
    buf_deinit(&raw);
}

static void the_same_files_make_the_same_bundle(void **state)
{
    struct buf one = {0};
    struct buf two = {0};
    (void)state;
    fixture_load(SCHEMAS, "tracker", &one, NULL, NULL);
    fixture_load(SCHEMAS, "tracker", &two, NULL, NULL);
    assert_true(bytes_equal(buf_bytes(&one), buf_bytes(&two)));
    buf_deinit(&one);
    buf_deinit(&two);
}

static bool is_listed(const char *module, const char *hash)
{
    for (size_t i = 0; i < lua_release_count; i++)
        if (strcmp(lua_releases[i].module, module) == 0 &&
            strcmp(lua_releases[i].hash, hash) == 0)
            return true;
    return false;
}

static void hash_text(struct bytes source, char text[2 * HASH_SIZE + 1])
{
    uint8_t hash[HASH_SIZE];
    sha256(source, hash);
    for (int i = 0; i < HASH_SIZE; i++)
        snprintf(text + 2 * i, 3, "%02x", hash[i]);
}

/* What is built today is in bundles tomorrow. */
static void lua_ate_is_listed_in_ate_released(void **state)
{
    char hash[2 * HASH_SIZE + 1];
    (void)state;
    for (size_t i = 0; i < lua_asset_count; i++) {
        const struct lua_asset *asset = &lua_assets[i];
        hash_text(bytes_of(asset->source, asset->len), hash);
        if (!is_listed(asset->module, hash))
            fail_msg("lua/%s changed: its line in lua/ate.released is\n%s  %s  "
                     "%s\nand the head of that file says what to do",
                     asset->file, hash, asset->module, ENGINE_VERSION);
    }
}

/* And what was built once has to be there for tests. */
static void what_ate_released_lists_is_kept(void **state)
{
    (void)state;
    for (size_t i = 0; i < lua_release_count; i++) {
        const struct lua_release *release = &lua_releases[i];
        char hash[2 * HASH_SIZE + 1] = "";
        char path[128];
        struct buf source = {0};
        for (size_t k = 0; k < lua_asset_count; k++)
            if (strcmp(lua_assets[k].module, release->module) == 0)
                hash_text(bytes_of(lua_assets[k].source, lua_assets[k].len),
                          hash);
        if (strcmp(hash, release->hash) == 0)
            continue;
        snprintf(path, sizeof(path), "tests/golden/lua/%s.lua", release->hash);
        if (!fixture_read(path, &source))
            fail_msg("there is no %s, which %s of ate %s had", path,
                     release->module, release->version);
        hash_text(buf_bytes(&source), hash);
        assert_string_equal(hash, release->hash);
        buf_deinit(&source);
    }
}

/* Load a stored bundle as a chain does, and seal. */
static struct sandbox *open_bundle(struct bytes raw, struct bundle *bundle,
                                   struct schema *schema)
{
    struct err err;
    char name[128];
    assert_int_equal(bundle_get(raw, bundle, NULL), 0);
    snprintf(name, sizeof(name), "%.*s", (int)bundle->main_module.len,
             (const char *)bundle->main_module.data);
    struct sandbox *s =
        sandbox_new((struct sandbox_limits){0}, bundle_find_module, bundle);
    if (declare_load(s, name, schema, &err) != 0)
        fail_msg("%s", err.text);
    if (sandbox_seal(s, &err) != 0)
        fail_msg("%s", err.text);
    return s;
}

static int call_check(lua_State *L)
{
    const int *function = lua_touserdata(L, 1);
    lua_rawgeti(L, LUA_REGISTRYINDEX, *function);
    lua_pushnil(L);
    lua_pushnil(L);
    lua_call(L, 2, 0);
    return 0;
}

static void functions_outlive_their_declarations(void **state)
{
    struct buf raw = {0};
    struct bundle bundle;
    struct schema schema;
    struct err err;
    (void)state;
    fixture_load(BANK, "bank", &raw, NULL, NULL);
    struct sandbox *s = open_bundle(buf_bytes(&raw), &bundle, &schema);
    for (int i = 0; i < 3; i++) {
        int function = rule_of(&schema, "bank.too_deep")->function;
        sandbox_begin(s);
        assert_int_equal(sandbox_run(s, call_check, &function, &err),
                         ATE_ESCRIPT);
        assert_non_null(strstr(err.text, "bank.lua:"));
    }
    sandbox_free(s);
    schema_deinit(&schema);
    buf_deinit(&raw);
}

static void two_loads_give_functions_the_same_numbers(void **state)
{
    struct buf raw = {0};
    struct bundle bundle;
    struct schema one, two;
    (void)state;
    fixture_load(SCHEMAS, "escrow", &raw, NULL, NULL);
    struct sandbox *a = open_bundle(buf_bytes(&raw), &bundle, &one);
    struct sandbox *b = open_bundle(buf_bytes(&raw), &bundle, &two);
    assert_int_equal(one.rule_count, two.rule_count);
    for (size_t i = 0; i < one.rule_count; i++)
        assert_int_equal(one.rules[i].function, two.rules[i].function);
    for (size_t i = 0; i < one.method_count; i++)
        assert_int_equal(one.methods[i].function, two.methods[i].function);
    sandbox_free(a);
    sandbox_free(b);
    schema_deinit(&one);
    schema_deinit(&two);
    buf_deinit(&raw);
}

/* What stays in Lua of a schema of `events` events, in bytes. */
static int live_bytes(int events)
{
    struct buf text = {0};
    struct buf raw = {0};
    struct bundle bundle;
    struct schema schema;
    struct err err;
    buf_put_text(&text, "local ate = require('ate')\n"
                        "local t = ate.types\n"
                        "local shop = ate.schema('shop', {doc = 'x', version "
                        "= 1})\n");
    for (int n = 0; n < events; n++)
        buf_printf(&text,
                   "shop:event('sold_%d', {doc = 'x', header = {a = "
                   "t.text({max = 5}), b = t.integer({min = 1})}})\n",
                   n);
    buf_put_text(&text, "return shop\n");
    if (bundle_build(&raw, "shop", fixture_text, (void *)buf_text(&text), NULL,
                     NULL, &err) != 0)
        fail_msg("%s", err.text);
    struct sandbox *s = open_bundle(buf_bytes(&raw), &bundle, &schema);
    lua_State *L = sandbox_L(s);
    int live = lua_gc(L, LUA_GCCOUNT, 0) * 1024 + lua_gc(L, LUA_GCCOUNTB, 0);
    sandbox_free(s);
    schema_deinit(&schema);
    buf_deinit(&raw);
    buf_deinit(&text);
    return live;
}

static void declarations_do_not_stay_in_lua(void **state)
{
    int one = live_bytes(1);
    int many = live_bytes(200);
    (void)state;
    print_message("live: %d bytes with 1 event, %d with 200\n", one, many);
    assert_true(many < one + 16 * 1024);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_bank_is_what_it_says),
        cmocka_unit_test(rules_stand_in_the_order_declared),
        cmocka_unit_test(every_type_has_its_default_methods),
        cmocka_unit_test(methods_keep_what_doors_own),
        cmocka_unit_test(views_know_their_keys_and_defaults),
        cmocka_unit_test(absent_rows_have_all_defaults_or_are_nil),
        cmocka_unit_test(key_and_parent_may_be_once),
        cmocka_unit_test(books_have_amounts_of_many_scales),
        cmocka_unit_test(schemas_of_one_chain_know_each_other),
        cmocka_unit_test(a_tracker_has_bodies_and_a_context),
        cmocka_unit_test(a_body_may_be_one_text),
        cmocka_unit_test(a_bundle_holds_all_that_was_loaded),
        cmocka_unit_test(the_same_files_make_the_same_bundle),
        cmocka_unit_test(lua_ate_is_listed_in_ate_released),
        cmocka_unit_test(what_ate_released_lists_is_kept),
        cmocka_unit_test(functions_outlive_their_declarations),
        cmocka_unit_test(two_loads_give_functions_the_same_numbers),
        cmocka_unit_test(declarations_do_not_stay_in_lua),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
