#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "base/memory.h"
#include "base/near.h"
#include "schema/schema.h"

static const char *near(const char *name, const char *const *names, size_t n)
{
    return near_name(bytes_of_text(name), names, n);
}

static void what_was_probably_meant_is_found(void **state)
{
    static const char *const keys[] = {"rest", "file", "content", "returns"};
    (void)state;
    assert_string_equal(near("rset", keys, 4), "rest");        /* swapped */
    assert_string_equal(near("fil", keys, 4), "file");         /* left out */
    assert_string_equal(near("contennt", keys, 4), "content"); /* too much */
    assert_string_equal(near("retarns", keys, 4), "returns");  /* replaced */
    assert_string_equal(near("rest", keys, 4), "rest");
}

static void what_is_far_off_is_not_suggested(void **state)
{
    static const char *const keys[] = {"rest", "file", "content"};
    static const char *const one[] = {"a"};
    char longest[200];
    (void)state;
    memset(longest, 'a', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    assert_null(near("owner", keys, 3));
    assert_null(near("tsre", keys, 3)); /* two swaps in four letters */
    assert_null(near("", keys, 3));
    assert_null(near(longest, one, 1));
    assert_null(near("rest", keys, 0));
}

static void the_nearest_is_taken_and_of_two_the_first(void **state)
{
    static const char *const names[] = {"amounts", "amount", "amouni"};
    static const char *const words[] = {"new", "view"};
    (void)state;
    assert_string_equal(near("vew", words, 2), "view"); /* begins alike */
    assert_string_equal(near("VIWE", words, 2), "view");
    assert_string_equal(near("amoun", names, 3), "amount");
    assert_string_equal(near("amounx", names, 3), "amount");
}

/* "bank" with types at both ends of the alphabet, and a foreign schema. */
static void make(struct schema *s)
{
    static const char *const types[] = {"a.b", "bank.account", "bank.transfer",
                                        "banker.account", "coins.wallet"};
    *s = (struct schema){.main = mem_text("bank")};
    s->type_count = sizeof(types) / sizeof(types[0]);
    s->types = mem_zero(s->type_count, sizeof(s->types[0]));
    for (size_t i = 0; i < s->type_count; i++)
        s->types[i].name = mem_text(types[i]);
    s->method_count = 2;
    s->methods = mem_zero(2, sizeof(s->methods[0]));
    s->methods[0].name = mem_text("bank.account.put");
    s->methods[1].name = mem_text("bank.transfer");
    s->view_count = 1;
    s->views = mem_zero(1, sizeof(s->views[0]));
    s->views[0].name = mem_text("bank.balance");
}

static const char *type_of(const struct schema *s, const char *name)
{
    const struct event_type *type = schema_type(s, bytes_of_text(name));
    return type == NULL ? NULL : type->name;
}

static void short_names_are_those_of_the_main_schema(void **state)
{
    struct schema s;
    (void)state;
    make(&s);
    assert_string_equal(type_of(&s, "account"), "bank.account");
    assert_string_equal(type_of(&s, "bank.account"), "bank.account");
    assert_string_equal(type_of(&s, "coins.wallet"), "coins.wallet");
    assert_string_equal(type_of(&s, "banker.account"), "banker.account");
    assert_string_equal(type_of(&s, "a.b"), "a.b");
    assert_null(type_of(&s, "wallet"));
    assert_null(type_of(&s, "bank"));
    assert_null(type_of(&s, "bank."));
    assert_null(type_of(&s, ""));
    assert_non_null(schema_method(&s, bytes_of_text("account.put")));
    assert_non_null(schema_method(&s, bytes_of_text("bank.transfer")));
    assert_null(schema_method(&s, bytes_of_text("account.get")));
    assert_non_null(schema_view(&s, bytes_of_text("balance")));
    assert_string_equal(schema_short(&s, "bank.account"), "account");
    assert_string_equal(schema_short(&s, "banker.account"), "banker.account");
    assert_string_equal(schema_short(&s, "coins.wallet"), "coins.wallet");
    schema_deinit(&s);
}

static void a_schema_can_be_freed_twice(void **state)
{
    struct schema s;
    (void)state;
    make(&s);
    schema_deinit(&s);
    assert_null(s.types);
    assert_int_equal(s.type_count, 0);
    schema_deinit(&s);
}

static void fields_are_found_by_name(void **state)
{
    struct field items[] = {
        {.name = "amount"}, {.name = "from"}, {.name = "to"}};
    struct fields fields = {.items = items, .count = 3};
    (void)state;
    assert_ptr_equal(fields_find(&fields, bytes_of_text("amount")), &items[0]);
    assert_ptr_equal(fields_find(&fields, bytes_of_text("to")), &items[2]);
    assert_null(fields_find(&fields, bytes_of_text("t")));
    assert_null(fields_find(&fields, bytes_of_text("too")));
    fields.count = 0;
    assert_null(fields_find(&fields, bytes_of_text("to")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_probably_meant_is_found),
        cmocka_unit_test(what_is_far_off_is_not_suggested),
        cmocka_unit_test(the_nearest_is_taken_and_of_two_the_first),
        cmocka_unit_test(short_names_are_those_of_the_main_schema),
        cmocka_unit_test(a_schema_can_be_freed_twice),
        cmocka_unit_test(fields_are_found_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
