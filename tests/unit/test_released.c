/* The engine's own Lua in bundles. This program embeds a lua/ate of its own, as
 * a later version would, and knows one that was released before. */
#include "fixture_chain.h"

#include "declare/assets.h"
#include "declare/declare.h"

static const char older[] =
    "local types = require('ate.types')\n"
    "return host.freeze({\n"
    "    types = types, deny = host.deny, age = 'older',\n"
    "    schema = host.declare('schema'),\n"
    "}, 'ate')\n";
static const char newer[] =
    "local types = require('ate.types')\n"
    "return host.freeze({\n"
    "    types = types, deny = host.deny, age = 'newer',\n"
    "    schema = host.declare('schema'),\n"
    "}, 'ate')\n";
static const char later[] = "return {schema = host.declare('schema')}\n";
static const char types[] =
    "return host.freeze({\n"
    "    text = host.type('text'), name = host.type('name'),\n"
    "}, 'ate.types')\n";

const struct lua_asset lua_assets[] = {
    {"ate", "ate/init.lua", newer, sizeof(newer) - 1},
    {"ate.types", "ate/types.lua", types, sizeof(types) - 1},
};
const size_t lua_asset_count = 2;
static const char other_shop[] = "return 'none'\n";
const struct lua_asset schema_assets[] = {
    {"ate:shop", "schemas/shop.lua", other_shop, sizeof(other_shop) - 1},
};
const size_t schema_asset_count = 1;
const struct lua_release lua_releases[] = {
    {"ate", "0.0.1",
     "3f4cc2afa6dd490f0c1dd63a02aec84990e487c3611a49fb2d3740b40e69c8e7"},
};
const size_t lua_release_count = 1;

static const char shop[] =
    "local ate = require('ate')\n"
    "local t = ate.types\n"
    "local shop = ate.schema('shop', {doc = 'A shop.', version = 1})\n"
    "shop:object('item', {\n"
    "    doc = 'What is sold.', key = {'name'},\n"
    "    header = {name = t.name(), made = t.text()},\n"
    "})\n"
    "shop:method('add', {\n"
    "    doc = 'Add one.', mode = 'write', args = {name = t.name()},\n"
    "    returns = t.text(),\n"
    "    run = function(ctx, args)\n"
    "        ctx:create('item', {name = args.name, made = ate.age})\n"
    "        return ate.age\n"
    "    end,\n"
    "})\n"
    "return shop\n";

/* A chain whose bundle has this as `ate`. */
static int create_with(struct fixture_chain *f, const char *module,
                       const char *source)
{
    struct bundle_module modules[] = {
        {bytes_of_text("ate"), bytes_of_text("ate/init.lua"),
         bytes_of_text(newer)},
        {bytes_of_text("ate.types"), bytes_of_text("ate/types.lua"),
         bytes_of_text(types)},
        {bytes_of_text("shop"), bytes_of_text("shop.lua"), bytes_of_text(shop)},
    };
    for (size_t i = 0; i < 2; i++)
        if (bytes_equal(modules[i].name, bytes_of_text(module)))
            modules[i].source = bytes_of_text(source);
    fixture_open_disk(f, NULL, NULL, NULL);
    assert_int_equal(
        bundle_put(&f->bundle, bytes_of_text("shop"), modules, 3, NULL), 0);
    return fixture_birth(f);
}

static void add_gives(struct fixture_chain *f, const char *name,
                      const char *given)
{
    struct fixture_call c;
    struct bytes text;
    char arg[64];
    snprintf(arg, sizeof(arg), "name=%s", name);
    if (fixture_call(f, &c, 0, "add", ARGS(arg)) != 0)
        fail_msg("%s", c.call.err.text);
    struct mp mp = mp_open(buf_bytes(&c.call.result));
    assert_int_equal(mp_get_str(&mp, &text, NULL), 0);
    assert_true(bytes_equal(text, bytes_of_text(given)));
    fixture_end(&c);
}

static void a_chain_runs_the_lua_of_its_own_bundle(void **state)
{
    struct fixture_chain f;
    (void)state;
    assert_int_equal(create_with(&f, "ate", older), 0);
    add_gives(&f, "a", "older");
    if (fixture_reopen(&f, LOG_READ_WRITE) != 0)
        fail_msg("%s", f.done_err.text);
    add_gives(&f, "b", "older");
    fixture_close(&f);
}

static void what_is_built_has_the_lua_of_this_version(void **state)
{
    struct fixture_chain f;
    (void)state;
    fixture_open_disk(&f, NULL, NULL, NULL);
    assert_int_equal(bundle_build(&f.bundle, "shop", fixture_text, (void *)shop,
                                  NULL, NULL, NULL),
                     0);
    assert_int_equal(fixture_birth(&f), 0);
    add_gives(&f, "a", "newer");
    fixture_close(&f);
}

static void expect_refused(const char *module, const char *source)
{
    struct fixture_chain f;
    char quoted[32];
    snprintf(quoted, sizeof(quoted), "'%s'", module);
    assert_int_equal(create_with(&f, module, source), ATE_EUNAVAILABLE);
    assert_int_equal(f.done_err.code, ATE_EUNAVAILABLE);
    assert_non_null(strstr(f.done_err.text, quoted));
    assert_non_null(strstr(f.done_err.text, "update ate"));
    fixture_close(&f);
}

/* Whoever makes a bundle must not bring code that sees `host`: not of a version
 * to come, not of theirs, and not ours under another of our names. */
static void lua_that_no_version_had_is_refused(void **state)
{
    (void)state;
    expect_refused("ate", later);
    expect_refused("ate", types);
    expect_refused("ate.types", older);
    expect_refused("ate.types", "return {host = host}");
}

/* No version had a module of this name. */
static void a_name_of_ours_alone_gives_nothing(void **state)
{
    struct bundle_module modules[] = {
        {bytes_of_text("ate"), bytes_of_text("ate/init.lua"),
         bytes_of_text(later)},
        {bytes_of_text("ate.mine"), bytes_of_text("ate/mine.lua"),
         bytes_of_text("return host")},
        {bytes_of_text("shop"), bytes_of_text("shop.lua"),
         bytes_of_text("return require('ate.mine')")},
    };
    struct bundle bundle;
    struct buf raw = {0};
    struct err err;
    struct schema schema;
    (void)state;
    assert_int_equal(bundle_put(&raw, bytes_of_text("shop"), modules, 3, NULL),
                     0);
    assert_int_equal(bundle_get(buf_bytes(&raw), &bundle, NULL), 0);
    struct sandbox *s =
        sandbox_new((struct sandbox_limits){0}, bundle_find_module, &bundle);
    assert_int_equal(declare_load(s, "shop", &schema, &err), ATE_EUNAVAILABLE);
    assert_non_null(strstr(err.text, "'ate.mine'"));
    sandbox_free(s);
    buf_deinit(&raw);
}

/* A bundle of three modules, the last of which is the main one, `ate:shop`. */
static void put_standard(struct buf *out, const char *source)
{
    struct bundle_module modules[] = {
        {bytes_of_text("ate"), bytes_of_text("ate/init.lua"),
         bytes_of_text(newer)},
        {bytes_of_text("ate.types"), bytes_of_text("ate/types.lua"),
         bytes_of_text(types)},
        {bytes_of_text("ate:shop"), bytes_of_text("schemas/shop.lua"),
         bytes_of_text(source)},
    };
    assert_int_equal(
        bundle_put(out, bytes_of_text("ate:shop"), modules, 3, NULL), 0);
}

/* A later version may have another schema of this name, or none. */
static void a_standard_schema_is_the_one_of_the_bundle(void **state)
{
    struct fixture_chain f;
    (void)state;
    fixture_open_disk(&f, NULL, NULL, NULL);
    put_standard(&f.bundle, shop);
    assert_int_equal(fixture_birth(&f), 0);
    add_gives(&f, "a", "newer");
    if (fixture_reopen(&f, LOG_READ_WRITE) != 0)
        fail_msg("%s", f.done_err.text);
    add_gives(&f, "b", "newer");
    fixture_close(&f);
}

/* Nor is anything allowed to code for its name alone. */
static void a_standard_schema_sees_what_others_see(void **state)
{
    struct bundle bundle;
    struct buf raw = {0};
    struct err err;
    struct schema schema;
    (void)state;
    put_standard(&raw, "return host.declare('schema')");
    assert_int_equal(bundle_get(buf_bytes(&raw), &bundle, NULL), 0);
    struct sandbox *s =
        sandbox_new((struct sandbox_limits){0}, bundle_find_module, &bundle);
    assert_int_equal(declare_load(s, "ate:shop", &schema, &err), ATE_ESCRIPT);
    assert_non_null(strstr(err.text, "schemas/shop.lua:1"));
    sandbox_free(s);
    buf_deinit(&raw);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_chain_runs_the_lua_of_its_own_bundle),
        cmocka_unit_test(what_is_built_has_the_lua_of_this_version),
        cmocka_unit_test(lua_that_no_version_had_is_refused),
        cmocka_unit_test(a_name_of_ours_alone_gives_nothing),
        cmocka_unit_test(a_standard_schema_is_the_one_of_the_bundle),
        cmocka_unit_test(a_standard_schema_sees_what_others_see),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
