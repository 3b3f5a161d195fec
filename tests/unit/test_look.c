/* Bodies read back: what is wrong with one is an error with its place, whatever
 * it was that let it in. */
#include "fixture_chain.h"

#include "chain/query.h"

enum { LONG = 2000 }; /* in base64 */

static int set_up(void **state)
{
    struct fixture_chain *f = mem_zero(1, sizeof(*f));
    fixture_create(f, "tests/lua/schemas", "bodies");
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    fixture_close(*state);
    mem_free(*state);
    return 0;
}

/* "NAME=ccc...", long enough for the body file. */
static const char *long_arg(const char *name, char c)
{
    static char text[LONG + 16];
    int n = snprintf(text, sizeof(text), "%s=", name);
    memset(text + n, c, LONG);
    text[n + LONG] = '\0';
    return text;
}

struct told {
    bool done;
    int code;
    struct err err;
    size_t chunks;
};

static void told_chunk(void *ctx, struct bytes value)
{
    struct told *t = ctx;
    (void)value;
    t->chunks++;
}

static void told_done(void *ctx, int code, const struct err *err,
                      struct bytes result)
{
    struct told *t = ctx;
    (void)result;
    t->done = true;
    t->code = code;
    t->err = *err;
}

static int ask(struct fixture_chain *f, struct told *t, const char *query,
               const char *type, const char *key)
{
    struct buf args = {0};
    mp_put_map(&args, key != NULL ? 2 : 1);
    if (key != NULL) {
        mp_put_text(&args, "key");
        mp_put_text(&args, key);
    }
    mp_put_text(&args, "type");
    mp_put_text(&args, type);
    *t = (struct told){0};
    query_run(query_start(f->chain, bytes_of_text(query), buf_bytes(&args), 10,
                          told_chunk, told_done, t));
    fixture_run(f);
    assert_true(t->done);
    buf_deinit(&args);
    return t->code;
}

static void assert_corrupt(struct fixture_chain *f, const char *query,
                           const char *type, const char *key, const char *why)
{
    struct told t;
    assert_int_equal(ask(f, &t, query, type, key), ATE_ECORRUPT);
    if (strstr(t.err.text, "body of 2.0: ") == NULL ||
        strstr(t.err.text, "1.body at offset 0: ") == NULL ||
        strstr(t.err.text, why) == NULL)
        fail_msg("%s", t.err.text);
}

/* The type as the chain has it, to be made another: so a body that is good for
 * one is bad for the other. */
static struct event_type *type_of(struct fixture_chain *f, const char *name)
{
    const struct schema *s = chain_core(f->chain)->schema;
    return (struct event_type *)(uintptr_t)schema_type(s, bytes_of_text(name));
}

static void bytes_are_no_text(void **state)
{
    struct fixture_chain *f = *state;
    struct told t;
    fixture_ok(f, 0, "file.put", ARGS(long_arg("body", '/'), "name=a"));
    assert_int_equal(ask(f, &t, "get", "file", "a"), 0);
    type_of(f, "file")->raw_body->kind = VALUE_TEXT;
    assert_corrupt(f, "get", "file", "a", "not UTF-8");
    assert_corrupt(f, "list", "file", NULL, "not UTF-8");
}

static void bytes_are_no_fields(void **state)
{
    struct fixture_chain *f = *state;
    struct fixture_call c;
    fixture_ok(f, 0, "file.put", ARGS(long_arg("body", '/'), "name=a"));
    struct event_type *type = type_of(f, "file");
    struct event_type was = *type;
    type->raw_body = NULL;
    type->body = type_of(f, "note")->body;
    assert_corrupt(f, "get", "file", "a", "msgpack");
    assert_int_equal(fixture_call(f, &c, 0, "file.patch", ARGS("name=a")),
                     ATE_ECORRUPT);
    assert_non_null(strstr(c.call.err.text, "1.body at offset 0"));
    fixture_end(&c);
    *type = was;
}

static void fields_of_another_type_are_no_fields(void **state)
{
    struct fixture_chain *f = *state;
    struct fixture_call c;
    fixture_ok(f, 0, "note.put", ARGS("name=a", long_arg("text", 'x')));
    struct event_type *type = type_of(f, "note");
    assert_string_equal(type->body.items[1].name, "text");
    type->body.items[1].type.kind = VALUE_INTEGER;
    assert_corrupt(f, "get", "note", "a", "note.text: want an integer");
    assert_int_equal(
        fixture_call(f, &c, 0, "note.patch", ARGS("name=a", "title=A")),
        ATE_ECORRUPT);
    fixture_end(&c);
    type->body.items[1].type.kind = VALUE_TEXT;
    type->body.items[1].type.len_max = 10;
    assert_corrupt(f, "get", "note", "a", "at most 10 are allowed");
}

static void a_flipped_byte_of_a_body_is_found(void **state)
{
    struct fixture_chain *f = *state;
    char folder[LOG_PATH_MAX];
    char path[LOG_PATH_MAX + 16];
    fixture_ok(f, 0, "note.put", ARGS("name=a", long_arg("text", 'x')));
    log_folder(folder, chain_core(f->chain)->id);
    snprintf(path, sizeof(path), "%s/1.body", folder);
    struct buf *file = memory_disk_file(f->disk, path);
    assert_non_null(file);
    file->data[1000] ^= 1;
    assert_corrupt(f, "get", "note", "a", "not what its hash says");
}

#define bodies_test(name)                                                      \
    cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        bodies_test(bytes_are_no_text),
        bodies_test(bytes_are_no_fields),
        bodies_test(fields_of_another_type_are_no_fields),
        bodies_test(a_flipped_byte_of_a_body_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
