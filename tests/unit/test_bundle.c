#include "fixture_event.h"

#include "base/limits.h"
#include "event/bundle.h"

static struct bundle_module module_of(const char *name, const char *source)
{
    return (struct bundle_module){.name = bytes_of_text(name),
                                  .file = bytes_of_text("bank.lua"),
                                  .source = bytes_of_text(source)};
}

static int decode(struct bytes raw, struct err *err)
{
    struct bundle bundle;
    return bundle_get(raw, &bundle, err);
}

static int put(struct buf *out, const char *main_module,
               struct bundle_module *modules, size_t count, struct err *err)
{
    return bundle_put(out, bytes_of_text(main_module), modules, count, err);
}

/* The order in which files were read does not show. */
static void bundles_are_sorted_and_round_trip(void **state)
{
    (void)state;
    struct bundle_module modules[] = {module_of("bank", "return 1"),
                                      module_of("ate", ""),
                                      module_of("ate.types", "return 2")};
    struct bundle_module swapped[] = {modules[2], modules[0], modules[1]};
    struct bundle_module found;
    struct bundle bundle;
    struct buf raw = {0};
    struct buf again = {0};
    struct err err;
    assert_int_equal(put(&raw, "bank", modules, 3, &err), 0);
    assert_int_equal(put(&again, "bank", swapped, 3, &err), 0);
    assert_true(bytes_equal(buf_bytes(&raw), buf_bytes(&again)));

    assert_int_equal(bundle_get(buf_bytes(&raw), &bundle, &err), 0);
    assert_true(bytes_equal(bundle.main_module, bytes_of_text("bank")));
    assert_int_equal(bundle.count, 3);
    static const char *const names[] = {"ate", "ate.types", "bank"};
    struct bundle_cursor cursor = bundle_modules(&bundle);
    for (size_t i = 0; i < 3; i++) {
        assert_true(bundle_next(&cursor, &found));
        assert_true(bytes_equal(found.name, bytes_of_text(names[i])));
        assert_true(bytes_equal(found.file, bytes_of_text("bank.lua")));
    }
    assert_false(bundle_next(&cursor, &found));
    assert_true(bundle_find(&bundle, bytes_of_text("ate.types"), &found));
    assert_true(bytes_equal(found.source, bytes_of_text("return 2")));
    assert_false(bundle_find(&bundle, bytes_of_text("at"), &found));
    fixture_cut_everywhere(decode, buf_bytes(&raw));
    buf_deinit(&raw);
    buf_deinit(&again);
}

/* Sources are compared as a whole: not how often, not where they stand. */
static void same_sources_have_other_names(void **state)
{
    (void)state;
    struct bundle_module modules[][2] = {
        {module_of("bank", "return 1"), module_of("x", "return 2")},
        {module_of("bank1", "return 1"), module_of("a", "return 2")},
        {module_of("bank", "return 1"), module_of("x", "return 3")},
        {module_of("bank", "return 1"), module_of("x", "return 1")},
    };
    struct bundle bundles[4];
    struct buf raw[4] = {0};
    struct err err;
    for (size_t i = 0; i < 4; i++) {
        const char *name = i == 1 ? "bank1" : "bank";
        assert_int_equal(put(&raw[i], name, modules[i], 2, &err), 0);
        assert_int_equal(bundle_get(buf_bytes(&raw[i]), &bundles[i], &err), 0);
    }
    assert_true(bundle_same_sources(&bundles[0], &bundles[1]));
    for (size_t i = 2; i < 4; i++) {
        assert_false(bundle_same_sources(&bundles[0], &bundles[i]));
        assert_false(bundle_same_sources(&bundles[i], &bundles[0]));
    }
    for (size_t i = 0; i < 4; i++)
        buf_deinit(&raw[i]);
}

static void bad_files_are_errors(void **state)
{
    (void)state;
    struct bundle_module twice[] = {module_of("a", ""), module_of("b", ""),
                                    module_of("a", "x")};
    struct bundle_module bytes[] = {module_of("a", "\xff")};
    struct bundle_module nameless[] = {module_of("", "")};
    struct bundle_module one[] = {module_of("a", "")};
    struct bundle_module fileless[] = {module_of("a", "")};
    struct buf raw = {0};
    struct err err;
    fileless[0].file = bytes_of_text("");
    assert_error(put(&raw, "a", twice, 3, &err), &err, ATE_EINVALID,
                 "module a is there twice");
    assert_error(put(&raw, "a", bytes, 1, &err), &err, ATE_EINVALID,
                 "module a: its source is not UTF-8");
    assert_error(put(&raw, "a", nameless, 1, &err), &err, ATE_EINVALID,
                 "a module's name");
    assert_error(put(&raw, "a", fileless, 1, &err), &err, ATE_EINVALID,
                 "its file name");
    assert_error(put(&raw, "b", one, 1, &err), &err, ATE_EINVALID,
                 "main module b");
    assert_error(put(&raw, "b", one, 0, &err), &err, ATE_EINVALID,
                 "main module b");
    assert_int_equal(raw.len, 0);
    buf_deinit(&raw);
}

static void size_is_bounded(void **state)
{
    (void)state;
    static struct bundle_module many[LIMIT_BUNDLE_MODULES + 1];
    struct bundle_module large[] = {module_of("a", "")};
    struct buf raw = {0};
    struct err err;
    assert_error(put(&raw, "a", many, LIMIT_BUNDLE_MODULES + 1, &err), &err,
                 ATE_ELIMIT, "257 modules");
    char *source = mem_alloc(LIMIT_BUNDLE + 1);
    memset(source, 'x', LIMIT_BUNDLE + 1);
    large[0].source = bytes_of(source, LIMIT_BUNDLE + 1);
    assert_error(put(&raw, "a", large, 1, &err), &err, ATE_ELIMIT, "of Lua");
    large[0].source = bytes_of(source, LIMIT_BUNDLE);
    assert_error(put(&raw, "a", large, 1, &err), &err, ATE_ELIMIT, "over");
    assert_int_equal(raw.len, 0);
    assert_error(decode(bytes_of(source, LIMIT_BUNDLE + 1), &err), &err,
                 ATE_ELIMIT, "bundle of");
    mem_free(source);
    buf_deinit(&raw);
}

static void malformed_bundles_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "c0",       /* nothing */
        "92a16190", /* no modules */
        "92c4016191"
        "93a161a166a0", /* main is bytes */
        "92a16191"
        "92a161a166", /* no source */
        "92a16191"
        "93a0a166a0", /* no name */
        "92a16191"
        "93a161a0a0", /* no file */
        "92a16191"
        "93a162a166a0", /* another main */
        "92a16192"
        "93a162a166a0"
        "93a161a166a0", /* not sorted */
        "92a16192"
        "93a161a166a0"
        "93a161a166a0", /* twice */
        "92a16191"
        "93a161a166c400",         /* source is bytes */
        "92a1619193a161a2660aa0", /* a newline in a file name */
    };
    struct err err;
    struct buf raw = {0};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        buf_clear(&raw);
        fixture_hex(bad[i], buf_grow(&raw, strlen(bad[i]) / 2));
        assert_error(fixture_decode_copy(decode, buf_bytes(&raw), &err), &err,
                     ATE_EINVALID, "bundle: ");
    }
    buf_clear(&raw);
    static const char good[] = "92a1619193a161a166a0";
    fixture_hex(good, buf_grow(&raw, strlen(good) / 2));
    assert_int_equal(decode(buf_bytes(&raw), &err), 0);
    buf_deinit(&raw);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bundles_are_sorted_and_round_trip),
        cmocka_unit_test(same_sources_have_other_names),
        cmocka_unit_test(bad_files_are_errors),
        cmocka_unit_test(size_is_bounded),
        cmocka_unit_test(malformed_bundles_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
