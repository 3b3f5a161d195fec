/* The Lua of a chain as a read: byte for byte what was published, of each
 * version that the chain has, with the hash that root keys sign. */
#include "fixture_bundles.h"

#include "crypto/hash.h"
#include "event/bundle.h"

#define NOTE "shop:event('note', {doc = 'd', header = {n = t.integer()}})\n"
#define VERSION(n) NOTE "-- \xc3\xa9\t " #n "\n"

enum { APART = 300 }; /* transactions between a bundle and its activation */

/* Names and values in turn, sorted by name; "version=2" is text, as doors that
 * know no numbers say it. */
static void ask(struct fixture_chain *f, struct fixture_query *q,
                const char *const *given)
{
    struct buf args = {0};
    uint32_t count = 0;
    while (given[count] != NULL)
        count++;
    mp_put_map(&args, count);
    for (uint32_t i = 0; i < count; i++) {
        const char *eq = strchr(given[i], '=');
        mp_put_str(&args, bytes_of(given[i], (size_t)(eq - given[i])));
        mp_put_text(&args, eq + 1);
    }
    *q = (struct fixture_query){0};
    q->query = query_start(f->chain, bytes_of_text("source"), buf_bytes(&args),
                           10, query_chunk_came, query_over, q);
    query_run(q->query);
    fixture_run(f);
    assert_null(q->query);
    buf_deinit(&args);
}

static void ask_ok(struct fixture_chain *f, struct fixture_query *q,
                   const char *const *given)
{
    ask(f, q, given);
    if (q->code != 0)
        fail_msg("%s", q->err.text);
}

static void refuses(struct fixture_chain *f, const char *const *given, int code,
                    const char *text)
{
    struct fixture_query q;
    ask(f, &q, given);
    assert_int_equal(q.code, code);
    assert_string_equal(q.err.text, text);
    end_query(&q);
}

static struct bytes text_in(struct bytes map, const char *key)
{
    struct mp mp = mp_open(mp_map_get(map, key));
    struct bytes text = {0};
    if (mp.at == NULL || mp_get_str(&mp, &text, NULL) != 0)
        fail_msg("no text '%s'", key);
    return text;
}

static bool flag_in(struct bytes map, const char *key)
{
    struct mp mp = mp_open(mp_map_get(map, key));
    bool flag = false;
    if (mp.at != NULL)
        assert_int_equal(mp_get_bool(&mp, &flag, NULL), 0);
    return flag;
}

static uint64_t number_in(struct bytes map, const char *key)
{
    struct mp mp = mp_open(mp_map_get(map, key));
    uint64_t number = 0;
    assert_non_null(mp.at);
    assert_int_equal(mp_get_uint(&mp, &number, NULL), 0);
    return number;
}

static void assert_text(struct bytes map, const char *key, const char *want)
{
    struct bytes text = text_in(map, key);
    if (!bytes_equal(text, bytes_of_text(want)))
        fail_msg("%s: want %s, got %.*s", key, want, (int)text.len,
                 (const char *)text.data);
}

static void assert_hex(struct bytes map, const char *key,
                       const uint8_t hash[HASH_SIZE])
{
    struct buf digits = {0};
    hex_put(&digits, bytes_of(hash, HASH_SIZE));
    assert_text(map, key, buf_text(&digits));
    buf_deinit(&digits);
}

/* The text of shop in this version, and all that is told of it. */
static void assert_shop(struct fixture_chain *f, const char *const *given,
                        int version, const char *rest, bool in_force)
{
    struct fixture_query q;
    struct buf text = {0};
    struct buf bundle = {0};
    uint8_t hash[HASH_SIZE];
    shop_text(&text, version, rest);
    shop_bundle(&bundle, version, rest);
    ask_ok(f, &q, given);
    struct bytes told = buf_bytes(&q.result);
    assert_text(told, "source", buf_text(&text));
    assert_int_equal(number_in(told, "bytes"), text.len);
    sha256(buf_bytes(&text), hash);
    assert_hex(told, "sha256", hash);
    body_hash(buf_bytes(&bundle), hash);
    assert_hex(told, "bundle", hash);
    assert_text(told, "name", "shop");
    assert_text(told, "file", "shop.lua");
    assert_text(told, "schema", "shop");
    assert_int_equal(number_in(told, "version"), version);
    assert_int_equal(flag_in(told, "in_force"), in_force);
    assert_false(flag_in(told, "standard"));
    end_query(&q);
    buf_deinit(&text);
    buf_deinit(&bundle);
}

static void the_text_is_what_was_published(void **state)
{
    struct fixture_chain f;
    (void)state;
    shop_open(&f, VERSION(1));
    assert_shop(&f, ARGS("module=shop"), 1, VERSION(1), true);
    assert_shop(&f, ARGS("module=shop", "version=1"), 1, VERSION(1), true);
    fixture_close(&f);
}

/* The hash is that of `info`, which root keys sign to put it in force. */
static void modules_are_listed(void **state)
{
    static const char *const names[] = {"ate", "ate.types", "shop"};
    struct fixture_chain f;
    struct fixture_query q;
    uint32_t count = 0;
    (void)state;
    shop_open(&f, VERSION(1));
    ask_ok(&f, &q, ARGS());
    struct bytes told = buf_bytes(&q.result);
    assert_hex(told, "bundle", chain_core(f.chain)->bundle_hash);
    assert_text(told, "main", "shop");
    assert_text(told, "schema", "shop");
    assert_int_equal(number_in(told, "version"), 1);
    assert_true(flag_in(told, "in_force"));
    struct mp mp = mp_open(mp_map_get(told, "modules"));
    assert_int_equal(mp_get_array(&mp, &count, NULL), 0);
    assert_int_equal(count, 3);
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t *at = mp.at;
        assert_int_equal(mp_skip(&mp, NULL, NULL), 0);
        struct bytes module = bytes_of(at, (size_t)(mp.at - at));
        assert_text(module, "name", names[i]);
        assert_int_equal(flag_in(module, "standard"), i < 2);
        assert_true(number_in(module, "bytes") > 0);
        assert_null(mp_map_get(module, "source").data);
    }
    end_query(&q);
    fixture_close(&f);
}

static void fill(struct fixture_chain *f, int count)
{
    for (int i = 0; i < count; i++)
        fixture_ok(f, 0, "note.append", ARGS("n=5"));
}

static void assert_versions(struct fixture_chain *f)
{
    assert_shop(f, ARGS("module=shop"), 4, VERSION(4), true);
    assert_shop(f, ARGS("module=shop", "version=1"), 1, VERSION(1), false);
    assert_shop(f, ARGS("module=shop", "version=2"), 2, VERSION(2), false);
    assert_shop(f, ARGS("module=shop", "version=4"), 4, VERSION(4), true);
    assert_shop(f, ARGS("module=shop", "version=5"), 5, VERSION(5), false);
    refuses(f, ARGS("version=3"), ATE_ENOT_FOUND,
            "source: no version 3; there are 4, 5, 2, 1");
    refuses(f, ARGS("module=shpo", "version=2"), ATE_ENOT_FOUND,
            "source: no module 'shpo'; did you mean 'shop'?");
}

/* However far its event is from the one that put it in force; and the one that
 * root keys may put in force next: who signs for it has to read it before. */
static void each_version_is_told(void **state)
{
    struct fixture_chain f;
    struct err err;
    (void)state;
    shop_open(&f, VERSION(1));
    bring_ok(&f, 3, VERSION(3)); /* replaced, never in force */
    bring_ok(&f, 2, VERSION(2));
    fill(&f, APART);
    assert_int_equal(activate(&f, &err), 0);
    fill(&f, 1);
    switch_ok(&f, 4, VERSION(4));
    bring_ok(&f, 5, VERSION(5));
    assert_versions(&f);
    f.deps.snapshot_transactions = 1;
    assert_reopens(&f);
    assert_versions(&f);
    /* And opened from a snapshot, with no frame read. */
    fixture_conclude(&f);
    assert_int_equal(fixture_reopen(&f, LOG_READ_WRITE), 0);
    assert_true(f.chain->resumed.start.end.frames > 0);
    assert_versions(&f);
    fixture_close(&f);
}

static void what_is_not_there_is_told(void **state)
{
    struct fixture_chain f;
    (void)state;
    shop_open(&f, VERSION(1));
    refuses(&f, ARGS("module=shp"), ATE_ENOT_FOUND,
            "source: no module 'shp'; did you mean 'shop'?");
    refuses(&f, ARGS("module=shop.lua"), ATE_ENOT_FOUND,
            "source: no module 'shop.lua'; there are ate, ate.types, shop");
    refuses(&f, ARGS("module="), ATE_ENOT_FOUND,
            "source: no module ''; there are ate, ate.types, shop");
    refuses(&f, ARGS("version=2"), ATE_ENOT_FOUND,
            "source: no version 2; there are 1");
    refuses(&f, ARGS("version=two"), ATE_EINVALID,
            "source: 'version' has to be a whole number");
    refuses(&f, ARGS("modul=shop"), ATE_EINVALID,
            "source: no argument 'modul'; did you mean 'module'?");
    fixture_close(&f);
}

/* The bundle of f, and one module more. */
static void add_module(struct fixture_chain *f, const char *name,
                       const char *source)
{
    struct bundle bundle;
    struct bundle_module modules[8];
    struct buf out = {0};
    size_t count = 0;
    assert_int_equal(bundle_get(buf_bytes(&f->bundle), &bundle, NULL), 0);
    struct bundle_cursor cursor = bundle_modules(&bundle);
    while (bundle_next(&cursor, &modules[count]))
        count++;
    modules[count++] = (struct bundle_module){
        bytes_of_text(name), bytes_of_text("x.lua"), bytes_of_text(source)};
    assert_int_equal(bundle_put(&out, bundle.main_module, modules, count, NULL),
                     0);
    buf_deinit(&f->bundle);
    f->bundle = out;
}

static bool is_standard(struct fixture_chain *f, const char *module)
{
    struct fixture_query q;
    ask_ok(f, &q, ARGS(module));
    bool standard = flag_in(buf_bytes(&q.result), "standard");
    end_query(&q);
    return standard;
}

/* Who publishes may call his text as he likes; only the engine's own text is
 * called standard. */
static void a_name_makes_no_standard_module(void **state)
{
    struct fixture_chain f;
    (void)state;
    fixture_open_disk(&f, NULL, NULL, NULL);
    shop_bundle(&f.bundle, 1, NOTE);
    add_module(&f, "ate:ledger", "return {}\n");
    assert_int_equal(fixture_birth(&f), 0);
    assert_false(is_standard(&f, "module=ate:ledger"));
    assert_true(is_standard(&f, "module=ate.types"));
    fixture_close(&f);
    fixture_open_disk(&f, NULL, NULL, NULL);
    assert_int_equal(
        bundle_build(&f.bundle, "ate:ledger", NULL, NULL, NULL, NULL, NULL), 0);
    assert_int_equal(fixture_birth(&f), 0);
    assert_true(is_standard(&f, "module=ate:ledger"));
    fixture_close(&f);
}

/* A plan says which bundle it is about. */
static void a_plan_has_the_hash(void **state)
{
    struct fixture_chain f;
    struct fixture_query q = {0};
    struct buf args = bundle_args(2, VERSION(2));
    struct buf bundle = {0};
    uint8_t hash[HASH_SIZE];
    (void)state;
    shop_open(&f, VERSION(1));
    shop_bundle(&bundle, 2, VERSION(2));
    body_hash(buf_bytes(&bundle), hash);
    q.query = query_start(f.chain, bytes_of_text("plan"), buf_bytes(&args), 10,
                          query_chunk_came, query_over, &q);
    query_run(q.query);
    fixture_run(&f);
    assert_int_equal(q.code, 0);
    assert_hex(buf_bytes(&q.result), "bundle", hash);
    end_query(&q);
    buf_deinit(&args);
    buf_deinit(&bundle);
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_text_is_what_was_published),
        cmocka_unit_test(modules_are_listed),
        cmocka_unit_test(each_version_is_told),
        cmocka_unit_test(what_is_not_there_is_told),
        cmocka_unit_test(a_name_makes_no_standard_module),
        cmocka_unit_test(a_plan_has_the_hash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
