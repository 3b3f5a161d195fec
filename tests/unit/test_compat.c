/* Which schema may follow on another: types grow, the rest takes an upgrade or
 * is refused, with the type, the field, the line and what to do. */
#include "fixture_bundles.h"

#include "schema/compat.h"

/* A type before and after, as its declaration; words of the refusal, or NULL.
 * `@` in `after` is where an upgrade may stand. */
struct change_case {
    const char *before;
    const char *after;
    const char *words;
};

static void load(struct schema *s, int version, const char *rest)
{
    struct buf text = {0};
    struct buf bundle = {0};
    struct err err;
    shop_text(&text, version, rest);
    if (bundle_build(&bundle, "shop", fixture_text, (void *)buf_text(&text), s,
                     NULL, &err) != 0)
        fail_msg("%s\n%s", err.text, buf_text(&text));
    buf_deinit(&text);
    buf_deinit(&bundle);
}

static int follows_as(const char *before, int version, const char *after,
                      struct err *err, bool *converts)
{
    struct schema was = {0};
    struct schema is = {0};
    load(&was, 1, before);
    load(&is, version, after);
    int rc = schema_may_follow(&was, &is, err);
    if (rc == 0 && is.type_count > 0 && was.type_count > 0)
        *converts = type_needs_upgrade(&was.types[0], &is.types[0]);
    schema_deinit(&was);
    schema_deinit(&is);
    return rc;
}

#define HEADER(fields)                                                         \
    "shop:event('note', {doc = 'd', header = {" fields "}})\n"
#define UPGRADED(fields)                                                       \
    "shop:event('note', {doc = 'd', header = {" fields "},\n"                  \
    "    upgrade = {[1] = function(old) return old end}})\n"
#define NOTE(options) "shop:event('note', {doc = 'd', " options "})\n"
#define ROOM(options) "shop:object('room', {doc = 'd', " options "})\n"

/* ---- what grows ---- */

static void types_grow(void **state)
{
    static const struct {
        const char *before;
        const char *after;
        bool converts;
    } cases[] = {
        {HEADER("a = t.text()"), HEADER("a = t.text()"), false},
        {HEADER("a = t.text()"),
         HEADER("a = t.text(), b = t.optional(t.text())"), false},
        {HEADER("a = t.text()"),
         HEADER("a = t.text(), b = t.default(t.integer(), 3)"), true},
        {HEADER("a = t.optional(t.integer())"),
         HEADER("a = t.default(t.integer(), 3)"), true},
        {HEADER("a = t.default(t.integer(), 3)"), HEADER("a = t.integer()"),
         false},
        {HEADER("a = t.integer({min = 1, max = 5})"),
         HEADER("a = t.integer({min = 0, max = 6})"), false},
        {HEADER("a = t.text({max = 10})"), HEADER("a = t.text({max = 11})"),
         false},
        {HEADER("a = t.enum({'x', 'y'})"),
         HEADER("a = t.enum({'z', 'y', 'x'})"), false},
        {HEADER("a = t.list(t.enum({'x'}))"),
         HEADER("a = t.list(t.enum({'x', 'y'}))"), false},
        {HEADER("a = t.struct({b = t.text()})"),
         HEADER("a = t.struct({b = t.text(), c = t.optional(t.text())})"),
         false},
        {NOTE("body = {a = t.text()}"),
         NOTE("body = {a = t.text(), b = t.optional(t.text())}"), false},
        {NOTE("body = t.blob({max = 10})"), NOTE("body = t.blob({max = 20})"),
         false},
        {HEADER("a = t.text()"),
         HEADER("a = t.text()") ROOM("key = {'n'}, "
                                     "header = {n = "
                                     "t.name()}"),
         false},
        {HEADER("a = t.text()"), UPGRADED("a = t.text()"), true},
        {HEADER("a = t.text()"),
         NOTE("header = {a = t.text()}, off = {'append'}"), false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct err err = {0};
        bool converts = false;
        if (follows_as(cases[i].before, 2, cases[i].after, &err, &converts) !=
            0)
            fail_msg("%s -> %s: %s", cases[i].before, cases[i].after, err.text);
        if (converts != cases[i].converts)
            fail_msg("%s -> %s: converts: %d", cases[i].before, cases[i].after,
                     converts);
    }
}

/* ---- what needs an upgrade, and may have one ---- */

static const struct {
    const char *before;
    const char *after;
    const char *words;
} upgradable[] = {
    {"a = t.text()", "a = t.text(), b = t.text()",
     "shop.note.b is new, and needs a default or has to be optional"},
    {"a = t.text(), b = t.text()", "a = t.text()", "shop.note.b is gone"},
    {"a = t.text()", "a = t.integer()", "shop.note.a is of another kind"},
    {"a = t.optional(t.text())", "a = t.text()",
     "shop.note.a may be absent in what is stored; let it be optional or give "
     "it a default"},
    {"a = t.integer({min = 0})", "a = t.integer({min = 1})",
     "shop.note.a has narrower bounds"},
    {"a = t.integer()", "a = t.integer({max = 7})",
     "shop.note.a has narrower bounds"},
    {"a = t.text({max = 9})", "a = t.text({max = 8})",
     "shop.note.a has narrower lengths"},
    {"a = t.amount({scale = 2})", "a = t.amount({scale = 3})",
     "shop.note.a has another scale"},
    {"a = t.enum({'x', 'y'})", "a = t.enum({'x'})",
     "shop.note.a lacks a word that it had"},
    {"a = t.list(t.text())", "a = t.list(t.integer())",
     "shop.note.a is of another kind"},
    {"a = t.list(t.text(), {max = 9})", "a = t.list(t.text(), {max = 8})",
     "shop.note.a has narrower lengths"},
    {"a = t.struct({b = t.text(), c = t.text()})",
     "a = t.struct({b = t.text()})", "shop.note.a lacks a field that it had"},
    {"a = t.struct({b = t.text()})",
     "a = t.struct({b = t.text(), c = t.text()})",
     "shop.note.a has a new field, which has to be optional there"},
};

static void the_rest_takes_an_upgrade(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(upgradable) / sizeof(*upgradable); i++) {
        struct err err = {0};
        bool converts = false;
        char before[256];
        char after[256];
        snprintf(before, sizeof(before), HEADER("%s"), upgradable[i].before);
        snprintf(after, sizeof(after), HEADER("%s"), upgradable[i].after);
        int rc = follows_as(before, 2, after, &err, &converts);
        assert_refused(rc, &err, ATE_EINVALID, upgradable[i].words);
        assert_non_null(strstr(err.text, "shop.lua:"));
        assert_non_null(strstr(err.text, "types only grow, the rest takes "
                                         "upgrade = {[1] = function(old)"));
        snprintf(after, sizeof(after), UPGRADED("%s"), upgradable[i].after);
        rc = follows_as(before, 2, after, &err, &converts);
        if (rc != 0)
            fail_msg("%s: %s", after, err.text);
        assert_true(converts);
    }
}

/* Bundles from before numbers ended where Lua's do left them free. */
static void free_numbers_count_as_exact(void **state)
{
    struct schema was = {0};
    struct schema is = {0};
    struct err err;
    (void)state;
    load(&was, 2, HEADER("a = t.integer()"));
    load(&is, 3, HEADER("a = t.integer()"));
    struct value_type *a = &was.types[0].header.items[0].type;
    assert_int_equal(a->kind, VALUE_INTEGER);
    a->min = INT64_MIN;
    a->max = INT64_MAX;
    assert_int_equal(schema_may_follow(&was, &is, &err), 0);
    is.types[0].header.items[0].type.min = -SCHEMA_EXACT_MAX + 1;
    int rc = schema_may_follow(&was, &is, &err);
    assert_refused(rc, &err, ATE_EINVALID, "narrower bounds");
    schema_deinit(&was);
    schema_deinit(&is);
}

/* An upgrade of another version is none of this one. */
static void an_upgrade_is_for_one_version(void **state)
{
    struct schema was = {0};
    struct schema is = {0};
    struct err err;
    (void)state;
    load(&was, 2, HEADER("a = t.text()"));
    load(&is, 3, UPGRADED("a = t.integer()"));
    int rc = schema_may_follow(&was, &is, &err);
    assert_refused(rc, &err, ATE_EINVALID, "upgrade = {[2] = function(old)");
    schema_deinit(&was);
    schema_deinit(&is);
}

/* ---- what nothing can change ---- */

static void some_things_stay_for_ever(void **state)
{
#define NEW ", upgrade = {[1] = function(old) return old end}"
    static const struct change_case cases[] = {
        {ROOM("key = {'n'}, header = {n = t.name(), m = t.name()}"),
         ROOM("key = {'n', 'm'}, header = {n = t.name(), m = t.name()}" NEW),
         "shop.room keeps its key for ever"},
        {ROOM("key = {'n'}, header = {n = t.name()}"),
         ROOM("key = {'n'}, header = {n = t.integer()}" NEW),
         "shop.room keeps its key for ever"},
        {ROOM("key = {'n'}, header = {n = t.name(), r = t.ref('room')}"),
         ROOM("key = {'n'}, parent = 'r', header = {n = t.name(), r = "
              "t.ref('room')}" NEW),
         "shop.room keeps its parent for ever"},
        {NOTE("header = {a = t.text()}"),
         "shop:object('note', {doc = 'd', key = {'a'}, header = {a = "
         "t.name()}})\n",
         "shop.note was an object or an event, and stays one"},
        {NOTE("body = t.blob()"), NOTE("body = t.text()" NEW),
         "shop.note keeps the kind of its body for ever"},
        {NOTE("body = t.blob()"), NOTE("body = {a = t.text()}" NEW),
         "shop.note keeps the kind of its body for ever"},
        {NOTE("body = {a = t.text()}"),
         NOTE("body = {a = t.text(), b = t.text()}" NEW),
         "shop.note.body has a new field, which has to be optional there"},
        {NOTE("body = {a = t.text(), b = t.text()}"),
         NOTE("body = {a = t.text()}" NEW),
         "shop.note.body lacks a field that it had"},
        {NOTE("body = t.text({max = 9})"), NOTE("body = t.text({max = 8})" NEW),
         "shop.note.body has narrower lengths"},
        {NOTE("header = {a = t.text()}"), "",
         "shop.note: is gone; types only grow (turn its methods off instead)"},
    };
#undef NEW
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct err err = {0};
        bool converts = false;
        int rc =
            follows_as(cases[i].before, 2, cases[i].after, &err, &converts);
        assert_refused(rc, &err, ATE_EINVALID, cases[i].words);
    }
}

static void versions_count_up(void **state)
{
    struct err err = {0};
    bool converts = false;
    struct schema was = {0};
    struct schema is = {0};
    (void)state;
    int rc = follows_as(HEADER("a = t.text()"), 1,
                        HEADER("a = t.text(), b = t.optional(t.text())"), &err,
                        &converts);
    assert_refused(rc, &err, ATE_EINVALID,
                   "schema shop: its version is 1 as before; count it up");
    load(&was, 3, HEADER("a = t.text()"));
    load(&is, 2, HEADER("a = t.text()"));
    rc = schema_may_follow(&was, &is, &err);
    assert_refused(rc, &err, ATE_EINVALID,
                   "schema shop: version 2 follows on 3; count it up");
    schema_deinit(&was);
    schema_deinit(&is);
}

/* Sealed bodies cannot become open, nor one schema another. */
static void schemas_stay_themselves(void **state)
{
    struct schema was = {0};
    struct schema is = {0};
    struct err err;
    (void)state;
    load(&was, 1, HEADER("a = t.text()"));
    load(&is, 2, HEADER("a = t.text()"));
    is.parts[0].sealed = true;
    assert_refused(schema_may_follow(&was, &is, &err), &err, ATE_EINVALID,
                   "schema shop: keeps bodies = 'open' for ever");
    schema_deinit(&is);
    is = (struct schema){0};
    struct buf bundle = {0};
    fixture_load("examples/bank", "bank", &bundle, &is, NULL);
    assert_refused(schema_may_follow(&was, &is, &err), &err, ATE_EINVALID,
                   "the chain's schema is shop, this one is bank");
    schema_deinit(&was);
    schema_deinit(&is);
    buf_deinit(&bundle);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(types_grow),
        cmocka_unit_test(the_rest_takes_an_upgrade),
        cmocka_unit_test(free_numbers_count_as_exact),
        cmocka_unit_test(an_upgrade_is_for_one_version),
        cmocka_unit_test(some_things_stay_for_ever),
        cmocka_unit_test(versions_count_up),
        cmocka_unit_test(schemas_stay_themselves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
