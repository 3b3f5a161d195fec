/* What is written into files, and how values become names: without a door. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "mount/names.h"
#include "base/pack.h"
#include "mount/shape.h"
#include "base/buffer.h"
#include "mount/words.h"

/* ---- names ---- */

static void check_name(const char *value, size_t len, const char *name)
{
    struct buffer out = {0};
    struct buffer back = {0};
    name_put(&out, value, len);
    assert_string_equal(out.data, name);
    assert_true(name_take(&back, out.data, out.len));
    assert_int_equal(back.len, len);
    if (len > 0)
        assert_memory_equal(back.data, value, len);
    buffer_free(&out);
    buffer_free(&back);
}

/* Every value has one name, and gets back from it. */
static void values_become_names_and_return(void **state)
{
    (void)state;
    check_name("alice", 5, "alice");
    check_name("", 0, "%");
    check_name("%", 1, "%25");
    check_name("..", 2, "%2E.");
    check_name(".x", 2, "%2Ex");
    check_name("a/b", 3, "a%2Fb");
    check_name("a\0b", 3, "a%00b");
    check_name("100%", 4, "100%");
    check_name("%41", 3, "%2541");
    check_name("%%41", 4, "%%2541");
    check_name("a\nb\x7f", 4, "a%0Ab%7F");
    check_name("z\xc3\xbc", 3, "z\xc3\xbc");
}

static void every_short_value_has_a_name_of_its_own(void **state)
{
    static const char letters[] = {'%', '2', 'F', 'f', '/', '.', 'a', '\0'};
    enum { N = sizeof(letters), ALL = N * N * N * N };
    (void)state;
    for (int i = 0; i < ALL; i++) {
        char value[4] = {letters[i % N], letters[i / N % N],
                         letters[i / N / N % N], letters[i / N / N / N]};
        for (size_t len = 0; len <= 4; len++) {
            struct buffer name = {0};
            struct buffer back = {0};
            name_put(&name, value, len);
            assert_null(memchr(name.data, '/', name.len));
            assert_null(memchr(name.data, '\0', name.len));
            assert_true(name_take(&back, name.data, name.len));
            assert_int_equal(back.len, len);
            if (len > 0)
                assert_memory_equal(back.data, value, len);
            buffer_free(&name);
            buffer_free(&back);
        }
    }
}

/* Else one file had two names, and a change through one was not seen in the
 * other. */
static void other_spellings_are_no_names(void **state)
{
    static const char *const wrong[] = {"alic%65", "", ".x", "%2E%2E",
                                        "%C3%BC"};
    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        struct buffer back = {0};
        assert_false(name_take(&back, wrong[i], strlen(wrong[i])));
        buffer_free(&back);
    }
}

static void editors_files_are_told_by_their_names(void **state)
{
    (void)state;
    assert_true(name_is_scratch(".page.md.swp"));
    assert_true(name_is_scratch("page.md~"));
    assert_true(name_is_scratch("sedAb3dEf"));
    assert_true(name_is_scratch("#page#"));
    assert_false(name_is_scratch("#page.md"));
    assert_false(name_is_scratch("sediment"));
    assert_false(name_is_scratch("4913"));
    assert_false(name_is_scratch("page"));
}

/* ---- units ---- */

static void check_unit(const char *text, enum unit_kind kind, size_t size)
{
    size_t got;
    assert_int_equal(unit_next(text, strlen(text), &got), kind);
    assert_int_equal(got, size);
}

static void units_are_lines_and_documents(void **state)
{
    (void)state;
    check_unit("", UNIT_NONE, 0);
    check_unit("to=bob", UNIT_NONE, 0);
    check_unit("to=bob\nx", UNIT_LINE, 7);
    check_unit("\n", UNIT_BLANK, 1);
    check_unit("  # {\n", UNIT_BLANK, 6);
    check_unit("{\"a\":1}", UNIT_JSON, 7);
    check_unit(" {\"a\":\n{}}  \n{", UNIT_JSON, 13);
    check_unit("{\"a\":\"}\\\"\"", UNIT_NONE, 0);
    check_unit("{\"a\":\"}\\\"\"} b", UNIT_JSON, 11);
    check_unit("{", UNIT_NONE, 0);
}

static void an_object_is_over_at_its_last_brace(void **state)
{
    static const struct {
        const char *text;
        bool is_over;
    } texts[] = {
        {"", false},
        {" \n", false},
        {"{", false},
        {"{}", true},
        {"\n {\"a\":{}} \n", true},
        {"{\"a\":{}", false},
        {"{\"a\":\"}", false},
        {"{\"a\":1},\n", true},
        {"{\"a\":1} x", true},
        {"[", true},
        {"a=1", true},
        {"{} {}", true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
        if (document_is_over(texts[i].text, strlen(texts[i].text)) !=
            texts[i].is_over)
            fail_msg("%s", texts[i].text);
    assert_true(document_is_over("\0", 1));
}

/* ---- arguments ---- */

static struct fields some_fields(void)
{
    static struct field items[] = {
        {.name = (char *)"to", .kind = (char *)"ref"},
        {.name = (char *)"amount", .kind = (char *)"amount"},
        {.name = (char *)"count", .kind = (char *)"integer", .optional = true},
        {.name = (char *)"yes", .kind = (char *)"boolean", .optional = true},
        {.name = (char *)"tags",
         .kind = (char *)"list",
         .item_kind = (char *)"text",
         .optional = true},
        {.name = (char *)"raw", .kind = (char *)"blob", .optional = true},
        {.name = (char *)"more", .kind = (char *)"struct", .optional = true},
    };
    return (struct fields){items, sizeof(items) / sizeof(*items)};
}

/* The arguments of a text as JSON, or what is wrong behind "! ". */
static char *args_of(const char *text, const char *given_to)
{
    struct fields fields = some_fields();
    struct given given = {"to", given_to};
    struct buffer args = {0};
    struct buffer out = {0};
    size_t size;
    enum unit_kind kind = unit_next(text, strlen(text), &size);
    assert_true(kind == UNIT_LINE || kind == UNIT_JSON);
    int rc = unit_args(
        &args, kind, text, size,
        &(struct unit_terms){&fields, &given, given_to != NULL, &out});
    if (rc == 0) {
        struct pack value = pack_open(args.data, args.len);
        assert_int_equal(pack_size(&value), args.len);
        assert_int_equal(out.len, 0);
        json_put(&out, &value, NULL);
    }
    buffer_free(&args);
    return out.data;
}

static void check_args(const char *text, const char *given_to, const char *want)
{
    char *got = args_of(text, given_to);
    if (strcmp(got, want) != 0)
        fail_msg("%s: %s, not %s", text, got, want);
    free(got);
}

static void words_are_arguments(void **state)
{
    (void)state;
    check_args("to=bob amount=12.50\n", NULL,
               "{\"to\":\"bob\",\"amount\":\"12.50\"}");
    check_args("  amount=1\t\r\n", "bob", "{\"amount\":\"1\",\"to\":\"bob\"}");
    check_args("to=bob\n", "bob", "{\"to\":\"bob\"}");
    check_args("to='two words' amount=\"a\\\"b\\n\"\n", NULL,
               "{\"to\":\"two words\",\"amount\":\"a\\\"b\\n\"}");
    check_args("to=a\\ b count=-7 yes=no\n", NULL,
               "{\"to\":\"a b\",\"count\":-7,\"yes\":false}");
    check_args("tags=a,b to=\n", NULL, "{\"tags\":[\"a\",\"b\"],\"to\":\"\"}");
    check_args("tags=[\"x,y\"] raw=\x01z more={\"a\":1}\n", NULL,
               "{\"tags\":[\"x,y\"],\"raw\":\"017a\",\"more\":{\"a\":1}}");
    check_args("count=1.5\n", NULL, "{\"count\":\"1.5\"}"); /* the engine's */
    check_args("count=9223372036854775808\n", NULL,
               "{\"count\":\"9223372036854775808\"}");
    check_args("to=@/etc/passwd\n", NULL, "{\"to\":\"@/etc/passwd\"}");
}

static void wrong_words_say_why(void **state)
{
    (void)state;
    check_args("bob\n", NULL, "'bob' is not of the form key=value");
    check_args("=bob\n", NULL, "'' is not of the form key=value");
    check_args("who=bob\n", NULL,
               "'who' is no argument; there are: to, amount, count, "
               "yes, tags, raw, more");
    check_args("cuont=1\n", NULL,
               "'cuont' is no argument; did you mean 'count'?");
    check_args("to=a to=b\n", NULL, "'to' is given twice");
    check_args("to='a\n", NULL, "a quote in 'to' stays open");
    check_args("to=b\xc3\xb6\xff count=1\n", NULL,
               "'to' is text, and no UTF-8 from its byte 3 on");
    check_args("tags=a,\xe4 to=b\n", NULL,
               "'tags' is text, and no UTF-8 from its byte 0 on");
    check_args("yes=maybe\n", NULL, "'yes' is true or false, not 'maybe'");
    check_args("to=al\n", "bob", "'to' is bob in the path, and not 'al'");
}

static void documents_are_arguments(void **state)
{
    (void)state;
    check_args("{\"to\":\"bob\",\"count\":9007199254740993}", NULL,
               "{\"to\":\"bob\",\"count\":9007199254740993}");
    check_args("{\"amount\":\"1\"}", "bob",
               "{\"amount\":\"1\",\"to\":\"bob\"}");
    check_args("{\"to\":\"al\"}", "bob",
               "'to' is bob in the path, and something else in the document");
    check_args("{\"x\":1}", NULL,
               "'x' is no argument; there are: to, amount, count, yes, tags, "
               "raw, more");
    check_args("{\"amuont\":1}", NULL,
               "'amuont' is no argument; did you mean 'amount'?");
    char *why = args_of("{\"to\":\"a\",\"to\":\"b\"}", NULL);
    assert_non_null(strstr(why, "no JSON, line 1"));
    free(why);
}

/* jansson would go 2048 deep. */
static void deep_documents_are_refused(void **state)
{
    char text[512] = "{\"to\":";
    (void)state;
    memset(text + 6, '[', 100);
    memset(text + 106, ']', 100);
    text[206] = '}';
    check_args(text, NULL, "JSON more than 64 deep");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_become_names_and_return),
        cmocka_unit_test(every_short_value_has_a_name_of_its_own),
        cmocka_unit_test(other_spellings_are_no_names),
        cmocka_unit_test(editors_files_are_told_by_their_names),
        cmocka_unit_test(units_are_lines_and_documents),
        cmocka_unit_test(an_object_is_over_at_its_last_brace),
        cmocka_unit_test(words_are_arguments),
        cmocka_unit_test(wrong_words_say_why),
        cmocka_unit_test(documents_are_arguments),
        cmocka_unit_test(deep_documents_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
