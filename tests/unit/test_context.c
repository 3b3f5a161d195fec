/* What a caller says beside arguments, checked as its schema declares it. */
#include "fixture_chain.h"

#include "acceptance/context.h"

static int set_up(void **state)
{
    *state = fixture_new("tests/lua/schemas", "tracker");
    return 0;
}

/* Of the method, from {name = value}; `name` NULL: of {}. */
static int take(struct fixture_chain *f, const char *method, const char *name,
                bool value, struct buf *out, struct err *err)
{
    const struct schema *s = chain_core(f->chain)->schema;
    struct door door;
    struct buf given = {0};
    chain_door(f->chain, &door);
    mp_put_map(&given, name != NULL);
    if (name != NULL) {
        mp_put_text(&given, name);
        mp_put_bool(&given, value);
    }
    buf_clear(out);
    int rc = context_take(&door, schema_method(s, bytes_of_text(method)),
                          buf_bytes(&given), TAKE_WHOLE, out, err);
    buf_deinit(&given);
    return rc;
}

static void what_is_declared_is_taken(void **state)
{
    struct buf out = {0};
    struct err err;
    assert_int_equal(take(*state, "board", "me_first", true, &out, &err), 0);
    struct mp mp = mp_open(mp_map_get(buf_bytes(&out), "me_first"));
    bool value = false;
    assert_int_equal(mp_get_bool(&mp, &value, &err), 0);
    assert_true(value);
    buf_deinit(&out);
}

/* A digest tells it from what came with the defaults. */
static void nothing_stays_nothing(void **state)
{
    struct buf out = {0};
    struct err err;
    assert_int_equal(take(*state, "board", NULL, false, &out, &err), 0);
    assert_int_equal(out.len, 0);
    buf_deinit(&out);
}

static void a_mistake_is_named(void **state)
{
    struct buf out = {0};
    struct err err;
    assert_int_equal(take(*state, "board", "me_frist", true, &out, &err),
                     ATE_EINVALID);
    assert_non_null(strstr(err.text, "did you mean 'me_first'?"));
    assert_non_null(strstr(err.text, "context: "));
    buf_deinit(&out);
}

static void default_methods_check_and_use_none(void **state)
{
    struct buf out = {0};
    struct err err;
    const char *list = "project.list";
    assert_int_equal(take(*state, list, "me_first", true, &out, &err), 0);
    assert_int_equal(out.len, 0);
    assert_int_equal(take(*state, list, "me_frist", true, &out, &err),
                     ATE_EINVALID);
    buf_deinit(&out);
}

/* The bytes that chains hold of calls without a context stay what they were. */
static void a_digest_covers_it(void **state)
{
    (void)state;
    uint8_t before[HASH_SIZE];
    uint8_t without[HASH_SIZE];
    uint8_t with[HASH_SIZE];
    struct bytes args = bytes_of("\x80", 1);
    hash_of(LABEL_ARGS, args, before);
    args_digest(args, bytes_of(NULL, 0), without);
    args_digest(args, bytes_of("\x80", 1), with);
    assert_memory_equal(before, without, HASH_SIZE);
    assert_memory_not_equal(with, without, HASH_SIZE);
}

#define with_tracker(name)                                                     \
    cmocka_unit_test_setup_teardown(name, set_up, fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_tracker(what_is_declared_is_taken),
        with_tracker(nothing_stays_nothing),
        with_tracker(a_mistake_is_named),
        with_tracker(default_methods_check_and_use_none),
        cmocka_unit_test(a_digest_covers_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
