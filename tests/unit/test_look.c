#define _GNU_SOURCE /* memmem */
/* Bodies read back: what is wrong with one is an error with its place, whatever
 * it was that let it in. */
#include "fixture_chain.h"

#include "query/query.h"

enum { LONG = 3000 }; /* digits of 1,500 bytes */

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
    struct buf text; /* all of them */
};

static bool has(const struct told *t, const char *text)
{
    return memmem(t->text.data, t->text.len, text, strlen(text)) != NULL;
}

static void told_chunk(void *ctx, struct bytes value)
{
    struct told *t = ctx;
    t->chunks++;
    buf_put_bytes(&t->text, value);
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
    static struct buf text; /* of the last one */
    buf_clear(&text);
    *t = (struct told){.text = text};
    query_run(query_start(f->chain, bytes_of_text(query), buf_bytes(&args), 10,
                          told_chunk, told_done, t));
    fixture_run(f);
    assert_true(t->done);
    text = t->text;
    buf_deinit(&args);
    return t->code;
}

static void assert_corrupt(struct fixture_chain *f, const char *query,
                           const char *type, const char *key, const char *why)
{
    struct told t;
    assert_int_equal(ask(f, &t, query, type, key), ATE_ECORRUPT);
    if (strstr(t.err.text, "body of ") == NULL ||
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
    fixture_ok(f, 0, "file.put", ARGS(long_arg("body", 'f'), "name=a"));
    assert_int_equal(ask(f, &t, "get", "file", "a"), 0);
    type_of(f, "file")->raw_body->kind = VALUE_TEXT;
    assert_corrupt(f, "get", "file", "a", "not UTF-8");
    assert_corrupt(f, "list", "file", NULL, "not UTF-8");
}

static void bytes_are_no_fields(void **state)
{
    struct fixture_chain *f = *state;
    struct fixture_call c;
    fixture_ok(f, 0, "file.put", ARGS(long_arg("body", 'f'), "name=a"));
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

/* Change a byte of the body file, whose size is returned. */
static size_t flip(struct fixture_chain *f, size_t at)
{
    char folder[LOG_PATH_MAX];
    char path[LOG_PATH_MAX + 16];
    log_folder(folder, chain_core(f->chain)->id);
    snprintf(path, sizeof(path), "%s/1.body", folder);
    struct buf *file = memory_disk_file(f->disk, path);
    assert_non_null(file);
    assert_true(at < file->len);
    file->data[at] ^= 1;
    return file->len;
}

static void a_flipped_byte_of_a_body_is_found(void **state)
{
    struct fixture_chain *f = *state;
    fixture_ok(f, 0, "note.put", ARGS("name=a", long_arg("text", 'x')));
    flip(f, 1000);
    assert_corrupt(f, "get", "note", "a", "not what its hash says");
}

/* Older versions have bodies of their own; so has what was deleted. */
static void histories_have_their_bodies(void **state)
{
    struct fixture_chain *f = *state;
    struct told t;
    fixture_ok(f, 0, "note.put", ARGS("name=a", "text=first"));
    fixture_ok(f, 0, "note.put", ARGS("name=a", long_arg("text", 'x')));
    fixture_ok(f, 0, "note.delete", ARGS("name=a"));
    assert_int_equal(ask(f, &t, "history", "note", "a"), 0);
    assert_int_equal(t.chunks, 3);
    assert_true(has(&t, "first"));
    assert_true(has(&t, "xxxxxxxx"));
    assert_true(has(&t, "delete"));
    assert_int_equal(ask(f, &t, "get", "note", "a"), ATE_ENOT_FOUND);
    flip(f, 1000);
    assert_corrupt(f, "history", "note", "a", "not what its hash says");
}

static void verify(struct fixture_chain *f, const char *why)
{
    char folder[LOG_PATH_MAX];
    struct chain *chain = chain_new(&f->deps);
    const uint8_t *id = chain_core(f->chain)->id;
    log_folder(folder, id);
    chain_check_bodies(chain);
    chain_open(chain, folder, id, LOG_READ_ONLY, fixture_done, f);
    fixture_wait(f);
    if (f->done_code != ATE_ECORRUPT || strstr(f->done_err.text, why) == NULL)
        fail_msg("%s: %d %s", why, f->done_code, f->done_err.text);
    chain_free(chain);
}

/* Also those that no body hash covers: leaf hashes, and padding. */
static void a_check_of_all_bodies_finds_any_flipped_byte(void **state)
{
    struct fixture_chain *f = *state;
    static char text[70002];
    struct fixture_call c;
    memcpy(text, "text=", 5);
    memset(text + 5, 'x', sizeof(text) - 6);
    assert_int_equal(fixture_call(f, &c, 0, "note.put", ARGS("name=b", text)),
                     ATE_ELIMIT);
    fixture_end(&c); /* until larger ones are put first */
    fixture_ok(f, 0, "note.put", ARGS("name=a", long_arg("text", 'x')));
    fixture_ok(f, 0, "note.put", ARGS("name=b", long_arg("text", 'y')));
    struct err err = {0};
    if (chain_mark(f->chain, fixture_done, f, &err) == 0)
        fixture_wait(f); /* above the watermark it would be a torn end */
    size_t size = flip(f, 0);
    verify(f, "transaction 2: event 0: body in ");
    verify(f, "1.body at offset 0: body is not what its hash says");
    flip(f, 0);
    flip(f, size / 2);
    verify(f, "transaction 3: event 0: body in ");
    flip(f, size / 2);
    flip(f, size - 1);
    verify(f, "the checksum of its bodies from offset");
    flip(f, size - 1);
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
        bodies_test(histories_have_their_bodies),
        bodies_test(a_check_of_all_bodies_finds_any_flipped_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
