/* A node from the outside: names of chains, and keys. */
#define _GNU_SOURCE /* memmem */
#include "fixture_plain.h"

/* ---- creating and naming ---- */

static void creating_makes_keys_and_a_name(void **state)
{
    struct bench *s = *state;
    struct ask ask;
    assert_int_equal(call(&s->world, s->node, &ask, NULL, "chain.ls", ARGS()),
                     0);
    assert_true(contains(&ask.result, "bank"));
    ask_end(&ask);
    assert_int_equal(call(&s->world, s->node, &ask, NULL, "key.ls", ARGS()), 0);
    assert_true(contains(&ask.result, "me"));
    assert_false(contains(&ask.result, "node"));
    ask_end(&ask);
    assert_int_equal(
        call(&s->world, s->node, &ask, NULL, "key.ls", ARGS("all=true")), 0);
    assert_true(contains(&ask.result, "node"));
    ask_end(&ask);
    assert_non_null(memory_disk_file(s->world.memory, "keys/me.key"));
    struct buf *names = memory_disk_file(s->world.memory, "names");
    assert_non_null(names);
    assert_true(contains(names, " bank\n"));
}

/* Only one of two gets the name, though neither was there when both asked. */
static void a_name_is_given_once(void **state)
{
    struct bench *s = *state;
    struct ask one;
    struct ask other;
    start_call(s->node, &one, NULL, "chain.create",
               ARGS("bundle=bin:toy", "name=shop"));
    start_call(s->node, &other, NULL, "chain.create",
               ARGS("bundle=bin:toy2", "name=shop"));
    world_run(&s->world, s->node);
    assert_int_equal(one.code, 0);
    assert_true(text_is(&one.result, "schema", "toy"));
    assert_int_equal(other.code, ATE_ECONFLICT);
    ask_end(&one);
    ask_end(&other);
}

static void what_cannot_be_created_leaves_nothing(void **state)
{
    static const struct {
        const char *args[4];
        int code;
    } cases[] = {
        {{"bundle=bin:no toy", "name=x"}, ATE_ESCRIPT},
        {{"bundle=bin:toy", "name=.x"}, ATE_EINVALID},
        {{"bundle=bin:toy", "name=bank/x"}, ATE_ECONFLICT},
        {{"bundle=bin:toy"}, ATE_EINVALID},
        {{"name=x"}, ATE_EINVALID},
        {{"bundle=bin:toy", "nam=x"}, ATE_EINVALID},
        {{"bundle=bin:toy", "name=x", "version=#4"}, ATE_ECONFLICT},
    };
    struct bench *s = *state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct ask ask;
        int code =
            call(&s->world, s->node, &ask, NULL, "chain.create", cases[i].args);
        if (code != cases[i].code)
            fail_msg("case %zu: %d, %s", i, code, ask.err.text);
        ask_end(&ask);
    }
    struct ask ask;
    assert_int_equal(call(&s->world, s->node, &ask, "x", "note.append", ARGS()),
                     ATE_ENOT_FOUND);
    ask_end(&ask);
}

static void unknown_names_are_suggested(void **state)
{
    struct bench *s = *state;
    struct ask ask;
    assert_int_equal(read_(&s->world, s->node, &ask, "bnak", "info", ARGS()),
                     ATE_ENOT_FOUND);
    assert_non_null(strstr(ask.err.text, "did you mean 'bank'"));
    ask_end(&ask);
    assert_int_equal(read_(&s->world, s->node, &ask, "bank", "inof", ARGS()),
                     ATE_ENOT_FOUND);
    assert_non_null(strstr(ask.err.text, "did you mean 'info'"));
    ask_end(&ask);
    assert_int_equal(call(&s->world, s->node, &ask, NULL, "chain.lss", ARGS()),
                     ATE_ENOT_FOUND);
    assert_non_null(strstr(ask.err.text, "did you mean 'chain.ls'"));
    ask_end(&ask);
    assert_int_equal(
        call(&s->world, s->node, &ask, "bank", "note.appendd", ARGS()),
        ATE_ENOT_FOUND);
    ask_end(&ask);
}

/* ---- who signs ---- */

static void unknown_keys_do_not_sign(void **state)
{
    struct bench *s = *state;
    struct ask ask;
    ask_begin(s->node, &ask, REQUEST_CALL, "bank", "note.append",
              ARGS("text=a"));
    ask.request.as = bytes_of_text("mee");
    node_ask(s->node, &ask.request);
    world_run(&s->world, s->node);
    assert_int_equal(ask.code, ATE_ENOT_FOUND);
    assert_non_null(strstr(ask.err.text, "did you mean 'me'"));
    ask_end(&ask);
}

/* Whose key is only known by its public part orders elsewhere. */
static void a_public_key_does_not_order(void **state)
{
    struct bench *s = *state;
    struct ask ask;
    call_ok(&s->world, s->node, NULL, "key.add",
            ARGS("name=other", "public=ate-pub 1\n"
                               "sign f7be307e0bdc99cfddb7e9d310125fb9"
                               "d323e31fbf570f6bad081244eea80b26\n"
                               "box cde4409b6a17310ec784b8c6beb7f391"
                               "7313d10496b08146132daa8301f2645a\n"));
    note(s, "bank", "one");
    call_ok(&s->world, s->node, "bank", "ate.order", ARGS("to=other"));
    assert_int_equal(
        call(&s->world, s->node, &ask, "bank", "note.append", ARGS("text=two")),
        ATE_EUNAVAILABLE);
    assert_non_null(strstr(ask.err.text, "does not hold"));
    ask_end(&ask);
}

/* ---- keys that were lost, or are open ---- */

/* Whoever writes under a new key is somebody else to the chains. */
static void me_is_made_only_where_nothing_is(void **state)
{
    struct bench *s = *state;
    struct world *w = &s->world;
    struct ask ask;
    struct buf kept = {0};
    call_ok(w, s->node, NULL, "key.new", ARGS("name=bob"));
    world_stop(w, s->node);
    buf_put_bytes(&kept, buf_bytes(memory_disk_file(w->memory, "keys/me.key")));
    memory_disk_remove(w->memory, "keys/me.key");
    s->node = world_node(w, false, 0);
    assert_int_equal(
        call(w, s->node, &ask, "bank", "note.append", ARGS("text=x")),
        ATE_ENOT_FOUND);
    assert_non_null(strstr(ask.err.text, "put keys/me.key back"));
    assert_non_null(strstr(ask.err.text, "(there are: bob)"));
    ask_end(&ask);
    assert_int_equal(call(w, s->node, &ask, NULL, "chain.create",
                          ARGS("bundle=bin:toy", "name=new")),
                     ATE_ENOT_FOUND);
    ask_end(&ask);
    assert_int_equal(read_(w, s->node, &ask, "bank", "list", ARGS("type=note")),
                     0);
    ask_end(&ask);
    assert_null(memory_disk_file(w->memory, "keys/me.key"));
    world_stop(w, s->node);
    memory_disk_put(w->memory, "keys/me.key", buf_bytes(&kept));
    s->node = world_node(w, false, 0);
    note(s, "bank", "x");
    buf_deinit(&kept);
}

static void open_keys_sign_nothing(void **state)
{
    struct bench *s = *state;
    struct world *w = &s->world;
    struct ask ask;
    static const char *const files[] = {"keys/me.key", "keys/node.key"};
    for (size_t i = 0; i < 2; i++) {
        world_stop(w, s->node);
        memory_disk_chmod(w->memory, files[i], 0644);
        s->node = world_node(w, false, 0);
        assert_int_equal(
            call(w, s->node, &ask, "bank", "note.append", ARGS("text=x")),
            ATE_EDENIED);
        assert_non_null(strstr(ask.err.text, "chmod 600 '/data/keys/"));
        assert_non_null(strstr(ask.err.text, files[i]));
        ask_end(&ask);
        assert_int_equal(call(w, s->node, &ask, NULL, "chain.create",
                              ARGS("bundle=bin:toy", "name=new")),
                         ATE_EDENIED);
        ask_end(&ask);
        assert_int_equal(
            read_(w, s->node, &ask, "bank", "list", ARGS("type=note")), 0);
        ask_end(&ask);
        assert_int_equal(call(w, s->node, &ask, "bank", "note.list", ARGS()),
                         0);
        ask_end(&ask);
        memory_disk_chmod(w->memory, files[i], 0600);
    }
    world_stop(w, s->node);
    s->node = world_node(w, false, 0);
    note(s, "bank", "x");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(creating_makes_keys_and_a_name),
        TEST(a_name_is_given_once),
        TEST(what_cannot_be_created_leaves_nothing),
        TEST(unknown_names_are_suggested),
        TEST(unknown_keys_do_not_sign),
        TEST(a_public_key_does_not_order),
        TEST(me_is_made_only_where_nothing_is),
        TEST(open_keys_sign_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
