/* Values between doors and the log: amounts, times, refs, refusals. */
#include "fixture_chain.h"

#include "base/utf8.h"
#include "query/query.h"
#include "schema/amount.h"
#include "schema/time_text.h"

static void amounts_are_exact_texts(void **state)
{
    static const struct {
        const char *text;
        int scale;
        int64_t amount;
    } good[] = {
        {"12.50", 2, 1250},    {"12.5", 2, 1250},
        {"12", 2, 1200},       {"-0.01", 2, -1},
        {"0", 0, 0},           {"-7", 0, -7},
        {"0.000000001", 9, 1}, {"90071992547409.92", 2, 9007199254740992},
    };
    static const struct {
        const char *text;
        int scale;
    } bad[] = {{"", 2},
               {"-", 2},
               {".5", 2},
               {"5.", 2},
               {"1.234", 2},
               {"1,5", 2},
               {"1e3", 2},
               {"1.0", 0},
               {" 1", 2},
               {"+1", 2},
               {"1.2.3", 2},
               {"90071992547409.93", 2},
               {"99999999999999999999", 0},
               {"x", 18}};
    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
        int64_t amount = -99;
        assert_int_equal(amount_get(bytes_of_text(good[i].text), good[i].scale,
                                    NULL, &amount, NULL),
                         0);
        assert_int_equal(amount, good[i].amount);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        int64_t amount = 0;
        if (amount_get(bytes_of_text(bad[i].text), bad[i].scale, NULL, &amount,
                       NULL) == 0)
            fail_msg("'%s' was taken", bad[i].text);
    }
    struct buf text = {0};
    amount_put(&text, -5, 2);
    assert_string_equal(buf_text(&text), "-0.05");
    buf_clear(&text);
    amount_put(&text, 1250, 2);
    assert_string_equal(buf_text(&text), "12.50");
    buf_clear(&text);
    amount_put(&text, INT64_MIN, 0);
    assert_string_equal(buf_text(&text), "-9223372036854775808");
    buf_deinit(&text);
}

/* What is said of an amount is said as it was written. */
static void amounts_out_of_bounds_are_told_as_texts(void **state)
{
    struct door door = {0};
    struct value_type type = {
        .kind = VALUE_AMOUNT, .scale = 2, .min = 1, .max = 100000};
    static const struct {
        const char *text;
        const char *why;
    } bad[] = {
        {"-1", "x: -1.00 is below 0.01"},
        {"0", "x: 0.00 is below 0.01"},
        {"1000.01", "x: 1000.01 is above 1000.00"},
        {"99999999999999999",
         "x: '99999999999999999' is too large, at most 1000.00"},
        {"-99999999999999999",
         "x: '-99999999999999999' is too small, at least 0.01"},
        {"1.005", "x: want an amount with at most 2 decimals, got '1.005'"},
        {"+5", "x: want digits such as 12.50, got '+5'"},
        {"5.", "x: want digits such as 12.50, got '5.'"},
        {".5", "x: want digits such as 12.50, got '.5'"},
        {"1e3", "x: want digits such as 12.50, got '1e3'"},
        {"1_000", "x: want digits such as 12.50, got '1_000'"},
        {"", "x: want digits such as 12.50, got ''"},
        {"1,5", "x: want digits such as 12.50, with a point, got '1,5'"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        struct buf value = {0};
        struct buf out = {0};
        struct err err = {0};
        mp_put_text(&value, bad[i].text);
        assert_true(door_take_value(&door, &type, buf_bytes(&value), NULL, "x",
                                    &out, &err) < 0);
        assert_string_equal(err.text, bad[i].why);
        buf_deinit(&value);
        buf_deinit(&out);
    }
    struct buf stored = {0};
    struct err err = {0};
    mp_put_int(&stored, -100);
    assert_true(value_check(NULL, &type, buf_bytes(&stored), "x", &err) < 0);
    assert_string_equal(err.text, "x: -1.00 is below 0.01");
    type.scale = -1;
    assert_true(value_check(NULL, &type, buf_bytes(&stored), "x", &err) < 0);
    assert_string_equal(err.text, "x: -100 is below 1, in smallest units");
    buf_deinit(&stored);
}

static void times_are_iso_texts(void **state)
{
    static const struct {
        const char *text;
        int64_t ms;
    } both_ways[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"2026-11-22T11:18:53.123Z", 1795346333123},
        {"2000-02-29T23:59:59Z", 951868799000},
        {"2100-03-01T00:00:00Z", 4107542400000},
        {"1969-12-31T23:59:59.999Z", -1},
    };
    static const char *const bad[] = {"",
                                      "now",
                                      "2026-13-01",
                                      "2026-02-30",
                                      "2026-11-22T25:00:00Z",
                                      "2026-11-22T10:00:00",
                                      "2026-11-22T10:00:00+01:00",
                                      "2026"};
    int64_t ms;
    (void)state;
    for (size_t i = 0; i < sizeof(both_ways) / sizeof(*both_ways); i++) {
        struct buf text = {0};
        assert_int_equal(time_get(bytes_of_text(both_ways[i].text), &ms, NULL),
                         0);
        assert_int_equal(ms, both_ways[i].ms);
        time_put(&text, ms);
        assert_string_equal(buf_text(&text), both_ways[i].text);
        buf_deinit(&text);
    }
    assert_int_equal(time_get(bytes_of_text("2026-11-22"), &ms, NULL), 0);
    assert_int_equal(ms % 86400000, 0);
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        if (time_get(bytes_of_text(bad[i]), &ms, NULL) == 0)
            fail_msg("'%s' was taken", bad[i]);
}

/* Any integer is a time, though not one that people live in. */
static void the_first_and_the_last_time_are_shown(void **state)
{
    struct buf text = {0};
    (void)state;
    time_put(&text, INT64_MIN);
    assert_string_equal(buf_text(&text), "-292275055-05-16T16:47:04.192Z");
    buf_clear(&text);
    time_put(&text, INT64_MAX);
    assert_string_equal(buf_text(&text), "292278994-08-17T07:12:55.807Z");
    buf_deinit(&text);
}

static int set_up(void **state)
{
    struct fixture_chain *f = mem_zero(1, sizeof(*f));
    fixture_create(f, "tests/lua/schemas", "tracker");
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    fixture_close(*state);
    mem_free(*state);
    return 0;
}

/* A parent's name stands in front of its children's; the last key takes the
 * rest. */
static void refs_are_written_with_their_parents(void **state)
{
    struct fixture_chain *f = *state;
    struct door door;
    struct buf text = {0};
    uint8_t id[16];
    struct err err = {0};
    fixture_ok(f, 0, "project.put", ARGS("group=me", "slug=ate"));
    fixture_ok(f, 0, "report", ARGS("project=ate", "text=long", "title=First"));
    fixture_ok(f, 0, "page.put",
               ARGS("path=home", "project=ate", "text=hello"));
    chain_door(f->chain, &door);
    const struct schema *s = chain_core(f->chain)->schema;
    const struct event_type *issue = schema_type(s, bytes_of_text("issue"));
    const struct event_type *page = schema_type(s, bytes_of_text("page"));
    assert_int_equal(
        door_get_ref(&door, issue, bytes_of_text("ate/1"), id, &err), 0);
    door_put_ref(&door, id, &text);
    assert_string_equal(buf_text(&text), "ate/1");
    assert_int_equal(
        door_get_ref(&door, page, bytes_of_text("ate/home"), id, &err), 0);
    buf_clear(&text);
    door_put_ref(&door, id, &text);
    assert_string_equal(buf_text(&text), "ate/home");
    assert_int_equal(
        door_get_ref(&door, issue, bytes_of_text("ate/2"), id, &err),
        ATE_ENOT_FOUND);
    assert_non_null(strstr(err.text, "issue 'ate/2'"));
    assert_int_equal(door_get_ref(&door, issue, bytes_of_text("ate"), id, &err),
                     ATE_EINVALID);
    assert_int_equal(
        door_get_ref(&door, issue, bytes_of_text("other/1"), id, &err),
        ATE_ENOT_FOUND);
    assert_int_equal(
        door_get_ref(&door, issue, bytes_of_text("ate/x"), id, &err),
        ATE_EINVALID);
    buf_deinit(&text);
}

static int take_bin(struct fixture_chain *f, const char *target,
                    const uint8_t id[16], struct err *err)
{
    struct door door;
    struct buf value = {0};
    struct buf out = {0};
    char name[64];
    snprintf(name, sizeof(name), "tracker.%s", target);
    struct value_type ref = {.kind = VALUE_REF, .target = name};
    chain_door(f->chain, &door);
    mp_put_bin(&value, bytes_of(id, 16));
    int rc = door_take_value(&door, &ref, buf_bytes(&value), NULL, target, &out,
                             err);
    assert_true(rc != 0 || bytes_equal(buf_bytes(&out), buf_bytes(&value)));
    buf_deinit(&value);
    buf_deinit(&out);
    return rc;
}

static void find(struct fixture_chain *f, const char *type, const char *key,
                 uint8_t id[16])
{
    struct door door;
    struct err err = {0};
    chain_door(f->chain, &door);
    const struct schema *s = chain_core(f->chain)->schema;
    if (door_get_ref(&door, schema_type(s, bytes_of_text(type)),
                     bytes_of_text(key), id, &err) != 0)
        fail_msg("%s", err.text);
}

/* Programs may give the 16 bytes of an id: they have to name what is there,
 * and of the right type. */
static void ids_given_as_bytes_are_looked_up(void **state)
{
    struct fixture_chain *f = *state;
    struct err err = {0};
    uint8_t project[16];
    uint8_t nothing[16] = {1};
    fixture_ok(f, 0, "project.put", ARGS("group=me", "slug=ate"));
    find(f, "project", "ate", project);
    assert_int_equal(take_bin(f, "project", project, &err), 0);
    assert_int_equal(take_bin(f, "project", nothing, &err), ATE_ENOT_FOUND);
    assert_string_equal(err.text, "project: no project has this id");
    assert_int_equal(take_bin(f, "issue", project, &err), ATE_ENOT_FOUND);
    assert_string_equal(err.text,
                        "issue: no issue has this id, but the project ate");
}

struct told {
    bool done;
    int code;
    struct err err;
    struct buf result;
};

static void told_chunk(void *ctx, struct bytes value)
{
    (void)ctx;
    (void)value;
}

static void told_done(void *ctx, int code, const struct err *err,
                      struct bytes result)
{
    struct told *t = ctx;
    t->done = true;
    t->code = code;
    t->err = *err;
    buf_put_bytes(&t->result, result);
}

static int get_bin(struct fixture_chain *f, const char *type,
                   const uint8_t id[16], struct told *t)
{
    struct buf args = {0};
    mp_put_map(&args, 2);
    mp_put_text(&args, "key");
    mp_put_bin(&args, bytes_of(id, 16));
    mp_put_text(&args, "type");
    mp_put_text(&args, type);
    *t = (struct told){0};
    query_run(query_start(f->chain, bytes_of_text("get"), buf_bytes(&args), 10,
                          told_chunk, told_done, t));
    fixture_run(f);
    assert_true(t->done);
    buf_deinit(&args);
    buf_deinit(&t->result);
    return t->code;
}

/* A get ends, whatever the id names; a delete of one type takes nothing of
 * another. */
static void ids_of_others_are_refused_by_default_methods(void **state)
{
    struct fixture_chain *f = *state;
    struct told t;
    uint8_t project[16];
    uint8_t nothing[16] = {1};
    fixture_ok(f, 0, "project.put", ARGS("group=me", "slug=ate"));
    fixture_ok(f, 0, "page.put",
               ARGS("path=home", "project=ate", "text=hello"));
    find(f, "project", "ate", project);
    assert_int_equal(get_bin(f, "project", project, &t), 0);
    assert_int_equal(get_bin(f, "project", nothing, &t), ATE_ENOT_FOUND);
    assert_int_equal(get_bin(f, "page", project, &t), ATE_ENOT_FOUND);

    struct fixture_call c = {0};
    mp_put_map(&c.args, 1);
    mp_put_text(&c.args, "id");
    mp_put_bin(&c.args, bytes_of(project, 16));
    c.call = (struct chain_call){
        .method = bytes_of_text("page.delete"),
        .args = buf_bytes(&c.args),
        .author = &f->keys[0],
        .call_id = {99},
        .done = fixture_answered,
        .owner = &c,
    };
    chain_call(f->chain, &c.call);
    fixture_run(f);
    assert_int_equal(c.call.code, ATE_ENOT_FOUND);
    fixture_end(&c);
    assert_int_equal(get_bin(f, "project", project, &t), 0);
}

static int get_key(struct fixture_chain *f, const char *type, const char *key,
                   bool takes_spent, uint8_t id[16], struct err *err)
{
    struct door door;
    chain_door(f->chain, &door);
    door.takes_spent = takes_spent;
    const struct schema *s = chain_core(f->chain)->schema;
    return door_get_ref(&door, schema_type(s, bytes_of_text(type)),
                        bytes_of_text(key), id, err);
}

/* Its last version says what it was called, and nothing else will ever be
 * called so; what is below it stays within reach. */
static void what_was_deleted_is_called_as_before(void **state)
{
    struct fixture_chain *f = *state;
    struct fixture_call c;
    struct door door;
    struct err err = {0};
    struct told t;
    struct buf text = {0};
    uint8_t project[16];
    uint8_t page[16];
    fixture_ok(f, 0, "project.put", ARGS("group=me", "slug=#ate"));
    fixture_ok(f, 0, "page.put",
               ARGS("path=home", "project=#ate", "text=hello"));
    find(f, "project", "#ate", project);
    find(f, "page", "#ate/home", page);
    fixture_ok(f, 0, "project.delete", ARGS("slug=#ate"));

    chain_door(f->chain, &door);
    door_put_ref(&door, project, &text);
    assert_string_equal(buf_text(&text), "#ate");
    buf_clear(&text);
    door_put_ref(&door, page, &text);
    assert_string_equal(buf_text(&text), "#ate/home");
    assert_int_equal(get_key(f, "page", "#ate/home", false, page, &err), 0);
    assert_int_equal(get_key(f, "project", "#ate", true, page, &err), 0);
    assert_memory_equal(page, project, 16);
    assert_int_equal(get_key(f, "project", "#ate", false, page, &err),
                     ATE_ENOT_FOUND);
    assert_string_equal(err.text,
                        "project #ate was deleted, and its key is spent");
    assert_int_equal(get_bin(f, "project", project, &t), ATE_ENOT_FOUND);
    assert_non_null(strstr(t.err.text, "project #ate was deleted"));

    assert_int_equal(
        fixture_call(f, &c, 0, "project.patch", ARGS("group=bob", "slug=#ate")),
        ATE_ENOT_FOUND);
    assert_string_equal(c.call.err.text,
                        "project #ate was deleted, and its key is spent");
    fixture_end(&c);
    assert_int_equal(
        fixture_call(f, &c, 0, "page.create",
                     ARGS("path=new", "project=#ate", "text=hello")),
        ATE_ENOT_FOUND);
    assert_string_equal(
        c.call.err.text,
        "project: project #ate was deleted, and its key is spent");
    fixture_end(&c);
    fixture_ok(f, 0, "page.delete", ARGS("path=home", "project=#ate"));
    assert_int_equal(fixture_reopen(f, LOG_READ_WRITE), 0);
    chain_door(f->chain, &door);
    buf_clear(&text);
    door_put_ref(&door, project, &text);
    assert_string_equal(buf_text(&text), "#ate");
    buf_deinit(&text);
}

/* What never was has a text that no key can have. */
static void what_never_was_is_called_nothing(void **state)
{
    struct fixture_chain *f = *state;
    struct door door;
    struct buf text = {0};
    uint8_t nothing[16] = {1};
    chain_door(f->chain, &door);
    door_put_ref(&door, nothing, &text);
    assert_string_equal(buf_text(&text), "/?");
    assert_false(name_valid(bytes_of_text("/?")));
    buf_deinit(&text);
}

/* Bodies come back with their objects, also from a method that asks for one. */
static void bodies_are_read_when_they_are_needed(void **state)
{
    struct fixture_chain *f = *state;
    struct fixture_call c;
    char long_text[4000];
    memset(long_text, 'x', sizeof(long_text));
    memcpy(long_text, "text=", 5);
    long_text[sizeof(long_text) - 1] = '\0';
    fixture_ok(f, 0, "project.put", ARGS("group=me", "slug=ate"));
    fixture_ok(f, 0, "page.put", ARGS("path=home", "project=ate", long_text));
    assert_int_equal(fixture_reopen(f, LOG_READ_WRITE), 0);
    assert_int_equal(fixture_call(f, &c, 0, "page", ARGS("page=ate/home")), 0);
    assert_true(c.call.result.len > 3900);
    fixture_end(&c);
    /* A patch of the header keeps the body, which has to be fetched for it. */
    fixture_ok(f, 0, "report", ARGS("project=ate", "text=long", "title=First"));
    assert_int_equal(fixture_reopen(f, LOG_READ_WRITE), 0);
    fixture_ok(f, 0, "move", ARGS("issue=ate/1", "to=doing"));
    assert_int_equal(fixture_reopen(f, LOG_READ_WRITE), 0);
}

static void mistakes_name_field_and_place(void **state)
{
    struct fixture_chain *f = *state;
    struct fixture_call c;
    fixture_ok(f, 0, "project.put", ARGS("group=me", "slug=ate"));
    assert_int_equal(fixture_call(f, &c, 0, "issue.create",
                                  ARGS("number=x", "project=ate", "state=open",
                                       "text=a", "title=b")),
                     ATE_EINVALID);
    assert_non_null(
        strstr(c.call.err.text, "number: want a whole number, got 'x'"));
    fixture_end(&c);
    assert_int_equal(fixture_call(f, &c, 0, "issue.create",
                                  ARGS("number=1", "project=ate", "state=opne",
                                       "text=a", "title=b")),
                     ATE_EINVALID);
    assert_non_null(strstr(c.call.err.text, "did you mean 'open'"));
    fixture_end(&c);
    assert_int_equal(
        fixture_call(f, &c, 0, "project.put", ARGS("group=nobody", "slug=x")),
        ATE_ENOT_FOUND);
    assert_non_null(strstr(c.call.err.text, "there are: me, alice, bob"));
    fixture_end(&c);
}

/* ---- a tree of one type ---- */

static int set_up_folders(void **state)
{
    struct fixture_chain *f = mem_zero(1, sizeof(*f));
    fixture_create(f, "tests/lua/schemas", "folders");
    *state = f;
    return 0;
}

static void assert_named(struct fixture_chain *f, const char *type,
                         const char *key)
{
    struct door door;
    struct buf text = {0};
    uint8_t id[16];
    find(f, type, key, id);
    chain_door(f->chain, &door);
    door_put_ref(&door, id, &text);
    assert_string_equal(buf_text(&text), key);
    buf_deinit(&text);
}

/* Keys are unique below their parent, and those at the top among themselves. */
static void a_parent_may_be_optional(void **state)
{
    struct fixture_chain *f = *state;
    struct fixture_call c;
    struct err err = {0};
    uint8_t id[16];
    fixture_ok(f, 0, "folder.create", ARGS("name=a"));
    fixture_ok(f, 0, "folder.create", ARGS("name=b"));
    fixture_ok(f, 0, "folder.create", ARGS("above=a", "name=b"));
    fixture_ok(f, 0, "folder.create", ARGS("above=a/b", "name=a"));
    fixture_ok(f, 0, "file.put", ARGS("name=top"));
    fixture_ok(f, 0, "file.put", ARGS("folder=a/b/a", "name=deep"));
    fixture_ok(f, 0, "share.put", ARGS("folder=a/b", "who=bob"));
    assert_int_equal(fixture_call(f, &c, 0, "folder.create", ARGS("name=b")),
                     ATE_ECONFLICT);
    fixture_end(&c);
    assert_int_equal(
        fixture_call(f, &c, 0, "folder.create", ARGS("above=a", "name=b")),
        ATE_ECONFLICT);
    fixture_end(&c);
    assert_named(f, "folder", "a");
    assert_named(f, "folder", "a/b");
    assert_named(f, "folder", "a/b/a");
    assert_named(f, "file", "top");
    assert_named(f, "file", "a/b/a/deep");
    assert_named(f, "share", "a/b/bob");
    static const char *const not_there[] = {"",   "c",  "a/c",  "b/b",
                                            "/a", "a/", "a//b", "a/b/a/a"};
    for (size_t i = 0; i < sizeof(not_there) / sizeof(*not_there); i++)
        if (get_key(f, "folder", not_there[i], false, id, &err) == 0)
            fail_msg("'%s' was found", not_there[i]);
    assert_int_equal(get_key(f, "share", "bob", false, id, &err),
                     ATE_ENOT_FOUND);
    fixture_ok(f, 0, "folder.patch", ARGS("above=a", "name=b", "note=x"));
    fixture_ok(f, 0, "folder.patch", ARGS("name=b", "note=y"));
    fixture_ok(f, 0, "note", ARGS("note=z", "path=a/b/a"));
    assert_int_equal(fixture_call(f, &c, 0, "read", ARGS("path=a/b/a")), 0);
    assert_memory_equal(c.call.result.data + 1, "z", 1);
    fixture_end(&c);
    assert_int_equal(fixture_call(f, &c, 0, "read", ARGS("path=b")), 0);
    assert_memory_equal(c.call.result.data + 1, "y", 1);
    fixture_end(&c);
    assert_int_equal(fixture_reopen(f, LOG_READ_WRITE), 0);
}

/* A way up always ends, so walking it needs no other bound. */
static void objects_stand_at_most_so_deep(void **state)
{
    struct fixture_chain *f = *state;
    struct fixture_call c;
    struct buf path = {0};
    struct buf arg = {0};
    struct err err = {0};
    uint8_t id[16];
    fixture_ok(f, 0, "folder.create", ARGS("name=x"));
    buf_put_text(&path, "x");
    for (int i = 0; i < LIMIT_PARENTS; i++) {
        buf_clear(&arg);
        buf_printf(&arg, "above=%s", buf_text(&path));
        fixture_ok(f, 0, "folder.create", ARGS(buf_text(&arg), "name=x"));
        buf_put_text(&path, "/x");
    }
    assert_named(f, "folder", buf_text(&path));
    buf_clear(&arg);
    buf_printf(&arg, "above=%s", buf_text(&path));
    assert_int_equal(
        fixture_call(f, &c, 0, "folder.create", ARGS(buf_text(&arg), "name=x")),
        ATE_ELIMIT);
    fixture_end(&c);
    for (int i = 0; i < 100000; i++)
        buf_put_text(&path, "/x");
    assert_int_equal(get_key(f, "folder", buf_text(&path), false, id, &err),
                     ATE_ENOT_FOUND);
    buf_deinit(&path);
    buf_deinit(&arg);
}

#define folders_test(name)                                                     \
    cmocka_unit_test_setup_teardown(name, set_up_folders, tear_down)
#define tracker_test(name)                                                     \
    cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(amounts_are_exact_texts),
        cmocka_unit_test(amounts_out_of_bounds_are_told_as_texts),
        cmocka_unit_test(times_are_iso_texts),
        cmocka_unit_test(the_first_and_the_last_time_are_shown),
        tracker_test(refs_are_written_with_their_parents),
        tracker_test(ids_given_as_bytes_are_looked_up),
        tracker_test(ids_of_others_are_refused_by_default_methods),
        tracker_test(what_was_deleted_is_called_as_before),
        tracker_test(what_never_was_is_called_nothing),
        tracker_test(bodies_are_read_when_they_are_needed),
        tracker_test(mistakes_name_field_and_place),
        folders_test(a_parent_may_be_optional),
        folders_test(objects_stand_at_most_so_deep),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
