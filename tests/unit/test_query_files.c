/* A chain's own files as a read: which there are, their bytes by ranges and
 * under credit, and that no name leads to anything else. */
#include "fixture_chain.h"

#include <stdlib.h>

#include "chain/inside.h"
#include "query/query.h"
#include "event/body.h"

enum { BODY = (600 << 10) + 5, STEP = 256 << 10 };

struct bench {
    struct fixture_chain f;
    char folder[LOG_PATH_MAX];
    char large[LOG_PATH_MAX]; /* name of the file of a body that waits */
};

static void put_answered(struct put *put)
{
    *(bool *)put->owner = true;
}

/* A body that no call has named yet, whole or not. */
static void put_body(struct bench *s, uint8_t id_byte, bool ends)
{
    uint8_t id[UPLOAD_ID_SIZE] = {id_byte};
    struct buf body = {0};
    bool done = false;
    for (uint32_t i = 0; i < BODY; i++)
        buf_put_u8(&body, (uint8_t)(i * 3 + i / 253));
    struct put put = {
        .id = id,
        .data = buf_bytes(&body),
        .ends = ends,
        .done = put_answered,
        .owner = &done,
    };
    chain_put(s->f.chain, &put);
    fixture_run(&s->f);
    assert_true(done);
    assert_int_equal(put.code, 0);
    if (ends) {
        char path[LOG_PATH_MAX];
        upload_path(s->folder, put.body_hash, BODY, false, true, path);
        strcpy(s->large, path + strlen(s->folder) + 1);
    }
    buf_deinit(&body);
}

static int set_up(void **state)
{
    struct bench *s = mem_zero(1, sizeof(*s));
    fixture_create(&s->f, "tests/lua/schemas", "films");
    fixture_run(&s->f);
    log_folder(s->folder, chain_core(s->f.chain)->id);
    put_body(s, 1, true);
    put_body(s, 2, false); /* under way: the node's own */
    *state = s;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *s = *state;
    fixture_close(&s->f);
    mem_free(s);
    return 0;
}

/* ---- asking ---- */

struct asked {
    struct query *query;
    struct buf bytes; /* of all chunks, as they are told */
    struct buf names; /* with spaces behind */
    size_t chunks;
    bool done;
    int code;
    struct err err;
};

static void told(void *ctx, struct bytes chunk)
{
    struct asked *a = ctx;
    struct bytes name = {0};
    struct mp mp = mp_open(chunk);
    struct err err;
    a->chunks++;
    if (chunk.data[0] < 0x90) { /* a map */
        mp = mp_open(mp_map_get(chunk, "name"));
        assert_int_equal(mp_get_str(&mp, &name, &err), 0);
        buf_put_bytes(&a->names, name);
        buf_put_text(&a->names, " ");
    } else {
        assert_int_equal(mp_get_bin(&mp, &name, &err), 0);
        buf_put_bytes(&a->bytes, name);
    }
}

static void ended(void *ctx, int code, const struct err *err,
                  struct bytes result)
{
    struct asked *a = ctx;
    (void)result;
    a->done = true;
    a->code = code;
    a->err = *err;
}

/* `number` of the argument `counted`, where that is not NULL. */
static void start(struct bench *s, struct asked *a, const char *method,
                  uint32_t credit, const char *arg, const char *text,
                  const char *counted, uint64_t number)
{
    struct buf args = {0};
    mp_put_map(&args, (arg != NULL) + (counted != NULL));
    bool first = counted != NULL && (arg == NULL || strcmp(counted, arg) < 0);
    for (int i = 0; i < 2; i++) {
        if ((i == 0) == first && counted != NULL) {
            mp_put_text(&args, counted);
            mp_put_uint(&args, number);
        }
        if ((i == 1) == first && arg != NULL) {
            mp_put_text(&args, arg);
            mp_put_text(&args, text);
        }
    }
    *a = (struct asked){0};
    a->query = query_start(s->f.chain, bytes_of_text(method), buf_bytes(&args),
                           credit, told, ended, a);
    query_run(a->query);
    buf_deinit(&args);
}

static void forget(struct asked *a)
{
    buf_deinit(&a->bytes);
    buf_deinit(&a->names);
}

static void expect_names(struct bench *s, const char *arg, const char *text,
                         uint64_t limit, const char *names)
{
    struct asked a;
    start(s, &a, "files", 100, arg, text, limit > 0 ? "limit" : NULL, limit);
    fixture_run(&s->f);
    assert_true(a.done);
    assert_int_equal(a.code, 0);
    buf_put_u8(&a.names, 0);
    assert_string_equal((const char *)a.names.data, names);
    assert_true(chain_is_idle(s->f.chain));
    forget(&a);
}

/* ---- claims ---- */

static void files_are_those_of_the_format(void **state)
{
    struct bench *s = *state;
    char all[2 * LOG_PATH_MAX];
    snprintf(all, sizeof(all), "1.body 1.head cur %s ", s->large);
    expect_names(s, NULL, NULL, 0, all);
    expect_names(s, NULL, NULL, 2, "1.body 1.head ");
    snprintf(all, sizeof(all), "cur %s ", s->large);
    expect_names(s, "after", "1.head", 0, all);
    expect_names(s, "after", "1.head", 1, "cur ");
    expect_names(s, "after", "tiles", 0, "");
    expect_names(s, "name", "cur", 0, "cur ");
}

static void a_file_comes_as_far_as_there_is_credit(void **state)
{
    struct bench *s = *state;
    char path[LOG_PATH_MAX];
    struct asked a;
    log_path(path, s->folder, s->large);
    const struct buf *file = memory_disk_file(s->f.disk, path);
    assert_non_null(file);
    start(s, &a, "file", 1, "name", s->large, NULL, 0);
    for (size_t chunks = 1; chunks <= 3; chunks++) {
        fixture_run(&s->f);
        assert_int_equal(a.chunks, chunks);
        assert_false(a.done);
        query_grant(a.query, 1);
        query_run(a.query);
    }
    fixture_run(&s->f);
    assert_true(a.done);
    assert_int_equal(a.code, 0);
    assert_int_equal(a.bytes.len, file->len);
    assert_memory_equal(a.bytes.data, file->data, file->len);
    forget(&a);
}

static void a_range_is_that_of_the_file(void **state)
{
    struct bench *s = *state;
    static const uint64_t offsets[] = {0, 1, STEP - 1, STEP, BODY + 1};
    char path[LOG_PATH_MAX];
    log_path(path, s->folder, s->large);
    const struct buf *file = memory_disk_file(s->f.disk, path);
    for (size_t i = 0; i < sizeof(offsets) / sizeof(*offsets); i++) {
        struct asked a;
        start(s, &a, "file", 100, "name", s->large, "offset", offsets[i]);
        fixture_run(&s->f);
        assert_true(a.done && a.code == 0);
        assert_int_equal(a.bytes.len, file->len - offsets[i]);
        assert_memory_equal(a.bytes.data, file->data + offsets[i], a.bytes.len);
        forget(&a);
        start(s, &a, "file", 100, "name", s->large, "length", offsets[i]);
        fixture_run(&s->f);
        assert_true(a.done && a.code == 0);
        assert_int_equal(a.bytes.len, offsets[i]);
        forget(&a);
    }
    struct asked a;
    start(s, &a, "file", 100, "name", "cur", "offset", 1000);
    fixture_run(&s->f);
    assert_true(a.done && a.code == 0 && a.chunks == 0);
    forget(&a);
}

/* What is not of the chain, whether it is there or not. */
static void no_name_leads_elsewhere(void **state)
{
    struct bench *s = *state;
    static const char *const names[] = {
        "",
        ".",
        "..",
        "../cur",
        "/cur",
        "cur/",
        "./cur",
        "verified",
        "snapshot",
        "1.head.x",
        "01.head",
        "0.head",
        "-1.head",
        ".head",
        "head",
        "large",
        "large/",
        "large/../cur",
        "large/abc",
        "put/..",
        "put/020000",
        "1.heads",
        "names",
        "../../names",
        "lock",
        "99999999999999999999999.head",
        "put/02000000000000000000000000000000",
    };
    static const char *const methods[] = {"file", "files"};
    for (size_t i = 0; i < 2 * sizeof(names) / sizeof(*names); i++) {
        struct asked a;
        start(s, &a, methods[i % 2], 100, "name", names[i / 2], NULL, 0);
        fixture_run(&s->f);
        assert_true(a.done);
        if (a.code != ATE_ENOT_FOUND || a.chunks != 0)
            fail_msg("%s of '%s': %d", methods[i % 2], names[i / 2], a.code);
        assert_non_null(strstr(a.err.text, "a chain has no file"));
        forget(&a);
    }
}

static void a_file_that_is_not_there_is_not_found(void **state)
{
    struct bench *s = *state;
    static const char *const methods[] = {"file", "files"};
    for (size_t i = 0; i < 2; i++) {
        struct asked a;
        start(s, &a, methods[i], 100, "name", "7.body", NULL, 0);
        fixture_run(&s->f);
        assert_true(a.done);
        assert_int_equal(a.code, ATE_ENOT_FOUND);
        assert_non_null(strstr(a.err.text, "7.body"));
        assert_true(chain_is_idle(s->f.chain));
        forget(&a);
    }
}

static void what_nobody_waits_for_ends(void **state)
{
    struct bench *s = *state;
    struct asked a;
    start(s, &a, "file", 1, "name", s->large, NULL, 0);
    assert_false(chain_is_idle(s->f.chain)); /* a read is under way */
    query_cancel(a.query);
    query_run(a.query);
    fixture_run(&s->f);
    assert_true(a.done);
    assert_int_equal(a.code, ATE_ECANCELED);
    assert_true(chain_is_idle(s->f.chain));
    forget(&a);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(files_are_those_of_the_format),
        TEST(a_file_comes_as_far_as_there_is_credit),
        TEST(a_range_is_that_of_the_file),
        TEST(no_name_leads_elsewhere),
        TEST(a_file_that_is_not_there_is_not_found),
        TEST(what_nobody_waits_for_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
