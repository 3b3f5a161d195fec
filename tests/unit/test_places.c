/* Facts that are called by their place in the log: found at once, with and
 * without a parent, and by nothing but digits. */
#define _GNU_SOURCE /* memmem */
#include "fixture_bundles.h"

#define FACTS                                                                  \
    "shop:object('box', {doc = 'd', key = {'name'},\n"                         \
    "    header = {name = t.name()}})\n"                                       \
    "shop:event('plain', {doc = 'd', header = {v = t.text()}})\n"              \
    "shop:event('inside', {doc = 'd', parent = 'box',\n"                       \
    "    header = {box = t.ref('box'), v = t.text()}})\n"                      \
    "shop:event('maybe', {doc = 'd', parent = 'box',\n"                        \
    "    header = {box = t.optional(t.ref('box')), v = t.text()}})\n"          \
    "shop:event('about', {doc = 'd',\n"                                        \
    "    header = {plain = t.ref('plain'), inside = t.ref('inside')}})\n"      \
    "shop:method('three', {doc = 'd', mode = 'write', args = {},\n"            \
    "    run = function(ctx)\n"                                                \
    "        for n = 1, 3 do ctx:emit('plain', {v = 'three-' .. n}) end\n"     \
    "    end})\n"

static const struct {
    const char *type;
    const char *place;
    const char *value; /* NULL: none of this type is there */
} found[] = {
    {"plain", "3.0", "first"},      {"inside", "4.0", "in-box"},
    {"maybe", "5.0", "in-box-too"}, {"maybe", "6.0", "in-none"},
    {"plain", "7.0", "three-1"},    {"plain", "7.2", "three-3"},
    {"plain", "7.3", NULL},         {"plain", "4.0", NULL},
    {"inside", "3.0", NULL},        {"inside", "5.0", NULL},
    {"maybe", "4.0", NULL},         {"plain", "2.0", NULL},
    {"plain", "999999.0", NULL},    {"maybe", "6.1", NULL},
};
enum { FOUND = sizeof(found) / sizeof(*found) };

static int set_up(void **state)
{
    struct fixture_chain *f = mem_zero(1, sizeof(*f));
    shop_open(f, FACTS);
    fixture_ok(f, 0, "box.put", ARGS("name=a")); /* 2 */
    fixture_ok(f, 0, "plain.append", ARGS("v=first"));
    fixture_ok(f, 0, "inside.append", ARGS("box=a", "v=in-box"));
    fixture_ok(f, 0, "maybe.append", ARGS("box=a", "v=in-box-too"));
    fixture_ok(f, 0, "maybe.append", ARGS("v=in-none"));
    assert_int_equal(fixture_ok(f, 0, "three", ARGS()), 7);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    fixture_close(*state);
    mem_free(*state);
    return 0;
}

/* What it gives is left in `q`, to be ended. */
static int get(struct fixture_chain *f, struct fixture_query *q,
               const char *type, const char *key)
{
    struct buf args = {0};
    *q = (struct fixture_query){0};
    mp_put_map(&args, 2);
    mp_put_text(&args, "key");
    mp_put_text(&args, key);
    mp_put_text(&args, "type");
    mp_put_text(&args, type);
    q->query = query_start(f->chain, bytes_of_text("get"), buf_bytes(&args), 1,
                           query_chunk_came, query_over, q);
    buf_deinit(&args);
    query_run(q->query);
    fixture_run(f);
    return q->code;
}

static bool text_at(const struct fixture_query *q, const char *name,
                    const char *text)
{
    struct bytes value;
    struct mp mp = mp_open(mp_map_get(buf_bytes(&q->result), name));
    assert_int_equal(mp_get_str(&mp, &value, NULL), 0);
    return bytes_equal(value, bytes_of_text(text));
}

static void assert_found(struct fixture_chain *f)
{
    for (size_t i = 0; i < FOUND; i++) {
        struct fixture_query q;
        int code = get(f, &q, found[i].type, found[i].place);
        if (code != (found[i].value != NULL ? 0 : ATE_ENOT_FOUND))
            fail_msg("%s %s: %s", found[i].type, found[i].place, q.err.text);
        if (code == 0) {
            assert_true(text_at(&q, "v", found[i].value));
            assert_true(text_at(&q, "id", found[i].place));
        }
        end_query(&q);
    }
}

/* Also in a state that was made again, from the log, from a snapshot, and under
 * another schema. */
static void facts_are_found_by_their_places(void **state)
{
    struct fixture_chain *f = *state;
    assert_found(f);
    assert_int_equal(fixture_reopen(f, LOG_READ_WRITE), 0);
    assert_found(f);
    f->deps.snapshot_transactions = 1;
    assert_int_equal(fixture_reopen(f, LOG_READ_WRITE), 0);
    fixture_conclude(f);
    assert_int_equal(fixture_reopen(f, LOG_READ_WRITE), 0);
    assert_found(f);
    switch_ok(f, 2, FACTS);
    assert_found(f);
}

/* By one entry of the state, which no other fact is looked at for. */
static void a_place_is_looked_up(void **state)
{
    struct fixture_chain *f = *state;
    const struct schema *s = chain_core(f->chain)->schema;
    for (size_t i = 0; i < FOUND; i++) {
        const struct event_type *type =
            schema_type(s, bytes_of_text(found[i].type));
        uint8_t id[OBJECT_ID_SIZE];
        struct object o;
        char *end;
        uint64_t index = strtoull(found[i].place, &end, 10);
        uint64_t n = strtoull(end + 1, NULL, 10);
        struct tree_version v = chain_version(f->chain);
        bool there = state_at_place(v, type, index, n, id);
        assert_int_equal(there, found[i].value != NULL);
        if (!there)
            continue;
        assert_int_equal(state_object(v, id, &o), OBJECT_LIVE);
        assert_int_equal(o.index, index);
        assert_int_equal(o.n, n);
    }
}

/* One way to write a place: none with a sign, a blank or a number that is taken
 * modulo 2^64. */
static void a_place_is_digits(void **state)
{
    static const char *const none[] = {
        "+3.0",
        " 3.0",
        "3.+0",
        "3. 0",
        "3.-0",
        "3.0 ",
        "3.0.0",
        "3.0/0",
        "3.",
        ".0",
        "3",
        "-18446744073709551613.0",
        "-3.0",
        "0x3.0",
        "3,0",
        "",
        ".",
        "18446744073709551619.0",
        "3.18446744073709551616",
        "18446744073709551615.0",
        "3.99999999999999999999999999999999999999999999999999999999999",
    };
    struct fixture_chain *f = *state;
    for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++) {
        struct fixture_query q;
        int code = get(f, &q, "plain", none[i]);
        if (code != ATE_ENOT_FOUND && code != ATE_EINVALID)
            fail_msg("'%s' is taken", none[i]);
        end_query(&q);
    }
    struct fixture_query q;
    assert_int_equal(get(f, &q, "plain", "first"), ATE_EINVALID);
    assert_non_null(strstr(q.err.text, "such as 12.0"));
    end_query(&q);
}

/* Arguments that are refs, and pages. */
static void places_are_taken_wherever_facts_are_named(void **state)
{
    struct fixture_chain *f = *state;
    struct fixture_call c;
    fixture_ok(f, 0, "about.append", ARGS("inside=4.0", "plain=7.1"));
    assert_int_equal(
        fixture_call(f, &c, 0, "about.append", ARGS("inside=5.0", "plain=7.1")),
        ATE_ENOT_FOUND);
    fixture_end(&c);
    struct buf args = {0};
    struct fixture_query q = {0};
    mp_put_map(&args, 2);
    mp_put_text(&args, "after");
    mp_put_text(&args, "7.0");
    mp_put_text(&args, "type");
    mp_put_text(&args, "plain");
    q.query = query_start(f->chain, bytes_of_text("list"), buf_bytes(&args), 9,
                          query_chunk_came, query_over, &q);
    query_run(q.query);
    assert_null(q.query);
    assert_int_equal(q.count, 2);
    end_query(&q);
    buf_deinit(&args);
}

#define place_test(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        place_test(facts_are_found_by_their_places),
        place_test(a_place_is_looked_up),
        place_test(a_place_is_digits),
        place_test(places_are_taken_wherever_facts_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
