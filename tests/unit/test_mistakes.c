/* tests/lua/mistakes/ holds a file for each mistake that an author of a schema
 * can make; its first line says what they are told. */
#include "fixture_schema.h"

#include <dirent.h>
#include <stdlib.h>

#include "base/memory.h"

static const char FOLDER[] = "tests/lua/mistakes";
static const char EXPECT[] = "-- expect: ";
enum { MISTAKES_MIN = 50, MISTAKES_MAX = 1024 };

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Names without .lua, sorted. */
static size_t list(char **names)
{
    size_t count = 0;
    DIR *folder = opendir(FOLDER);
    assert_non_null(folder);
    for (struct dirent *e = readdir(folder); e != NULL; e = readdir(folder)) {
        char *end = strstr(e->d_name, ".lua");
        if (end == NULL)
            continue;
        *end = '\0';
        assert_true(count < MISTAKES_MAX);
        names[count++] = mem_text(e->d_name);
    }
    closedir(folder);
    qsort(names, count, sizeof(names[0]), compare);
    return count;
}

static void expected(const char *name, char *text, size_t cap)
{
    char path[512];
    struct buf source = {0};
    snprintf(path, sizeof(path), "%s/%s.lua", FOLDER, name);
    assert_true(fixture_read(path, &source));
    const char *start = buf_text(&source);
    assert_memory_equal(start, EXPECT, sizeof(EXPECT) - 1);
    start += sizeof(EXPECT) - 1;
    snprintf(text, cap, "%.*s", (int)strcspn(start, "\n"), start);
    buf_deinit(&source);
}

/* True when the author is told what the file's first line says. */
static bool is_told_right(const char *name)
{
    char expect[ERR_TEXT_MAX];
    struct buf bundle = {0};
    struct schema schema = {0};
    struct err err = {0};
    expected(name, expect, sizeof(expect));
    int rc = bundle_build(&bundle, name, fixture_source, (void *)FOLDER,
                          &schema, NULL, &err);
    bool right = rc != 0 && strstr(err.text, expect) != NULL;
    if (!right)
        print_error("%s\n  want: %s\n  got:  %s\n", name, expect,
                    rc == 0 ? "no error" : err.text);
    buf_deinit(&bundle);
    schema_deinit(&schema);
    return right;
}

static void each_mistake_is_told_with_its_place(void **state)
{
    static char *names[MISTAKES_MAX];
    size_t count = list(names);
    size_t wrong = 0;
    (void)state;
    assert_true(count >= MISTAKES_MIN);
    for (size_t i = 0; i < count; i++) {
        if (!is_told_right(names[i]))
            wrong++;
        mem_free(names[i]);
    }
    assert_int_equal(wrong, 0);
}

static int build(const char *text, struct err *err)
{
    struct buf bundle = {0};
    int rc = bundle_build(&bundle, "shop", fixture_text, (void *)text, NULL,
                          NULL, err);
    buf_deinit(&bundle);
    return rc;
}

static void all_mistakes_are_told_in_the_order_of_lines(void **state)
{
    static const char text[] =
        "local ate = require('ate')\n"
        "local t = ate.types\n"
        "local shop = ate.schema('shop', {doc = 'A shop.', version = 1})\n"
        "shop:view('stock', {\n"
        "    doc = 'What is there.', key = {'item'},\n"
        "    row = {item = t.ref('itm')},\n"
        "    fold = {item = function() end},\n"
        "})\n"
        "shop:object('item', {\n"
        "    doc = 'What is sold.', key = {'name'},\n"
        "    header = {name = t.nam()},\n"
        "    of = {},\n"
        "})\n"
        "return shop\n";
    struct err err;
    (void)state;
    assert_int_equal(build(text, &err), ATE_EINVALID);
    assert_string_equal(
        err.text,
        "shop.stock.row.item: there is no type 'itm'; did you mean 'item'? "
        "(shop.lua:6)\n"
        "shop.item.of: no such key; did you mean 'off'? (shop.lua:9)\n"
        "shop.item.header.name: there is no t.nam; did you mean 'name'? "
        "(shop.lua:11)");
}

static void what_does_not_fit_the_text_is_counted(void **state)
{
    struct buf text = {0};
    struct err err;
    (void)state;
    buf_put_text(&text,
                 "local ate = require('ate')\n"
                 "local shop = ate.schema('shop', {doc = 'x', version = 1})\n");
    for (int i = 0; i < 100; i++)
        buf_printf(&text, "shop:object('item_%03d', {doc = 'x'})\n", i);
    buf_put_text(&text, "return shop\n");
    assert_int_equal(build(buf_text(&text), &err), ATE_EINVALID);
    assert_non_null(strstr(err.text, "shop.item_000.key: is missing"));
    assert_non_null(strstr(err.text, "\nand 9"));
    buf_deinit(&text);
}

static void no_right_is_called_like_one_of_the_engine(void **state)
{
    static const char *const names[] = {
        "create",        "write", "delete",  "delegate",
        "grant_reading", "order", "act_for",
    };
    struct err err;
    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct buf text = {0};
        char path[64];
        buf_printf(&text,
                   "local ate = require('ate')\n"
                   "local t = ate.types\n"
                   "local shop = ate.schema('shop', {doc = 'x', version = 1})\n"
                   "shop:object('item', {doc = 'x', key = {'name'},\n"
                   "    header = {name = t.name()}, rights = {%s = 'x'}})\n"
                   "return shop\n",
                   names[i]);
        snprintf(path, sizeof(path), "shop.item.rights.%s: is a right",
                 names[i]);
        assert_int_equal(build(buf_text(&text), &err), ATE_EINVALID);
        assert_non_null(strstr(err.text, path));
        buf_deinit(&text);
    }
}

static void a_lua_error_names_file_and_line(void **state)
{
    struct err err;
    (void)state;
    assert_int_equal(build("local x\nreturn x.y\n", &err), ATE_ESCRIPT);
    assert_non_null(strstr(err.text, "shop.lua:2"));
    assert_int_equal(build("local x = = 1\n", &err), ATE_ESCRIPT);
    assert_non_null(strstr(err.text, "shop.lua:1"));
}

static void what_is_required_has_to_be_there(void **state)
{
    struct err err;
    (void)state;
    assert_true(build("return require('coins')\n", &err) != 0);
    assert_non_null(strstr(err.text, "coins"));
    assert_true(build("return require('ate.nothing')\n", &err) != 0);
    assert_non_null(strstr(err.text, "ate.nothing"));
}

/* A table of fields that holds itself 40 times would be 40^8 fields. */
static void what_holds_itself_comes_to_an_end(void **state)
{
    static const char text[] =
        "local ate = require('ate')\n"
        "local t = ate.types\n"
        "local shop = ate.schema('shop', {doc = 'A shop.', version = 1})\n"
        "local fields = {}\n"
        "for i = 1, 40 do\n"
        "    fields['f' .. i] = t.struct(fields)\n"
        "end\n"
        "shop:event('deep', {doc = 'x', header = fields})\n"
        "return shop\n";
    struct err err;
    (void)state;
    assert_int_equal(build(text, &err), ATE_EINVALID);
    assert_non_null(strstr(err.text, "nest at most 8 deep"));
}

static void there_is_an_end_to_declarations(void **state)
{
    static const char text[] =
        "local ate = require('ate')\n"
        "local shop = ate.schema('shop', {doc = 'A shop.', version = 1})\n"
        "for i = 1, 5000 do\n"
        "    shop:event('e' .. i, {doc = 'x'})\n"
        "end\n"
        "return shop\n";
    struct err err;
    (void)state;
    assert_int_equal(build(text, &err), ATE_EINVALID);
    assert_non_null(strstr(err.text, "more than 4096 declarations"));
}

static void nothing_is_declared_after_loading(void **state)
{
    static const char text[] =
        "local ate = require('ate')\n"
        "local shop = ate.schema('shop', {doc = 'A shop.', version = 1})\n"
        "shop:method('late', {\n"
        "    doc = 'Declares too late.', mode = 'write',\n"
        "    run = function() shop:object('item', {}) end,\n"
        "})\n"
        "return shop\n";
    struct err err;
    (void)state;
    assert_int_equal(build(text, &err), 0); /* fails when it is called */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_mistake_is_told_with_its_place),
        cmocka_unit_test(all_mistakes_are_told_in_the_order_of_lines),
        cmocka_unit_test(what_does_not_fit_the_text_is_counted),
        cmocka_unit_test(no_right_is_called_like_one_of_the_engine),
        cmocka_unit_test(a_lua_error_names_file_and_line),
        cmocka_unit_test(what_is_required_has_to_be_there),
        cmocka_unit_test(what_holds_itself_comes_to_an_end),
        cmocka_unit_test(there_is_an_end_to_declarations),
        cmocka_unit_test(nothing_is_declared_after_loading),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
