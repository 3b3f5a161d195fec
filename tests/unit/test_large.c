/* Reading a large body from its file: what is damaged, cut, missing, and what
 * moves meanwhile. And the forms of its handle. */
#include "fixture_chain.h"

#include <stdlib.h>

#include "base/limits.h"
#include "chain/inside.h"
#include "chain/large.h"
#include "chain/large_check.h"
#include "event/body.h"
#include "schema/handle.h"

enum {
    PIECE = LIMIT_BODY_PIECE,
    BODY = 6 * PIECE + 5, /* two steps and three bytes of padding */
    PIECES = 7,
};

struct bench {
    struct fixture_chain f;
    struct buf body;
    struct handle handle;
    char path[LOG_PATH_MAX]; /* of its file */
    char put[LOG_PATH_MAX];  /* where it was before it moved */
};

static void put_answered(struct put *put)
{
    *(bool *)put->owner = true;
}

static void put_body(struct bench *s)
{
    static const uint8_t id[UPLOAD_ID_SIZE];
    bool done = false;
    struct put put = {
        .id = id,
        .data = buf_bytes(&s->body),
        .ends = true,
        .done = put_answered,
        .owner = &done,
    };
    chain_put(s->f.chain, &put);
    fixture_run(&s->f);
    assert_true(done);
    assert_int_equal(put.code, 0);
    memcpy(s->handle.hash, put.body_hash, HASH_SIZE);
    s->handle.length = put.length;
}

static void name_body(struct bench *s)
{
    struct fixture_call c = {0};
    mp_put_map(&c.args, 3);
    mp_put_text(&c.args, "body");
    handle_put(&c.args, &s->handle);
    mp_put_text(&c.args, "name");
    mp_put_text(&c.args, "a");
    mp_put_text(&c.args, "year");
    mp_put_uint(&c.args, 1927);
    c.call.method = bytes_of_text("film.create");
    c.call.args = buf_bytes(&c.args);
    c.call.author = &s->f.keys[0];
    c.call.done = fixture_answered;
    c.call.owner = &c;
    chain_call(s->f.chain, &c.call);
    fixture_run(&s->f);
    assert_true(c.done);
    if (c.call.code != 0)
        fail_msg("%s", c.call.err.text);
    fixture_end(&c);
}

static int set_up(void **state)
{
    struct bench *s = mem_zero(1, sizeof(*s));
    char folder[LOG_PATH_MAX];
    fixture_create(&s->f, "tests/lua/schemas", "films");
    fixture_run(&s->f);
    for (uint32_t i = 0; i < BODY; i++)
        buf_put_u8(&s->body, (uint8_t)(i * 3 + i / 253));
    put_body(s);
    name_body(s);
    log_folder(folder, chain_core(s->f.chain)->id);
    upload_path(folder, s->handle.hash, BODY, false, false, s->path);
    upload_path(folder, s->handle.hash, BODY, false, true, s->put);
    assert_non_null(memory_disk_file(s->f.disk, s->path));
    *state = s;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *s = *state;
    buf_deinit(&s->body);
    fixture_close(&s->f);
    mem_free(s);
    return 0;
}

/* ---- reading ---- */

struct reader {
    struct buf bytes;
    bool under_way;
    bool ended;
    struct err err;
};

static void got(void *ctx, struct bytes bytes, int code, const struct err *err)
{
    struct reader *r = ctx;
    r->under_way = false;
    r->ended = bytes.len == 0;
    if (code != 0)
        r->err = *err;
    assert_true(bytes.len <= LARGE_STEP);
    buf_put_bytes(&r->bytes, bytes);
}

/* The code; what came before an error is good, too. `err` may be NULL. */
static int read_range(struct bench *s, uint64_t offset, uint64_t length,
                      struct err *err)
{
    struct reader r = {0};
    struct large_read *read =
        large_open(s->f.chain, &s->handle, false, offset, length, got, &r);
    while (!r.ended) {
        r.under_way = true;
        large_next(read);
        while (r.under_way)
            assert_true(s->f.pump(s->f.pump_ctx));
    }
    large_close(read);
    assert_int_equal(s->f.chain->looking, 0);
    uint64_t wanted = BODY - offset < length ? BODY - offset : length;
    assert_true(r.bytes.len <= wanted);
    assert_true(r.err.code != 0 || r.bytes.len == wanted);
    assert_memory_equal(r.bytes.data, s->body.data + offset, r.bytes.len);
    buf_deinit(&r.bytes);
    if (err != NULL)
        *err = r.err;
    return r.err.code;
}

static int check_all(struct bench *s, struct err *err)
{
    struct large_check *k = large_check_start(s->f.chain, fixture_done, &s->f);
    assert_non_null(k);
    assert_int_equal(large_check_total(k), BODY);
    s->f.is_done = false;
    fixture_wait(&s->f);
    *err = s->f.done_err;
    return s->f.done_code;
}

static struct buf *file(struct bench *s)
{
    return memory_disk_file(s->f.disk, s->path);
}

/* Reading all of it and verify say the same: this. */
static void expect(struct bench *s, int code, const char *text)
{
    struct err err;
    assert_int_equal(read_range(s, 0, UINT64_MAX, &err), code);
    assert_non_null(strstr(err.text, s->path));
    if (strstr(err.text, text) == NULL)
        fail_msg("no '%s' in %s", text, err.text);
    assert_int_equal(check_all(s, &err), code);
    assert_non_null(strstr(err.text, s->path));
    assert_non_null(strstr(err.text, text));
}

/* ---- what is damaged ---- */

static void a_good_one_is_good(void **state)
{
    struct bench *s = *state;
    struct err err;
    assert_int_equal(read_range(s, 0, UINT64_MAX, NULL), 0);
    assert_int_equal(check_all(s, &err), 0);
}

/* Its own piece is not read; all others are. */
static void a_flipped_byte_hurts_its_own_piece_only(void **state)
{
    static const size_t places[] = {0,         PIECE - 1, PIECE,
                                    4 * PIECE, 6 * PIECE, BODY - 1};
    struct bench *s = *state;
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        size_t bad = places[i] / PIECE;
        char text[60];
        snprintf(text, sizeof(text), "the piece at offset %zu is not",
                 bad * PIECE);
        file(s)->data[places[i]] ^= 1;
        expect(s, ATE_ECORRUPT, text);
        for (uint64_t p = 0; p < PIECES; p++)
            assert_int_equal(read_range(s, p * PIECE, PIECE, NULL),
                             p == bad ? ATE_ECORRUPT : 0);
        file(s)->data[places[i]] ^= 1;
    }
    assert_int_equal(read_range(s, 0, UINT64_MAX, NULL), 0);
}

static void every_byte_behind_it_is_checked(void **state)
{
    struct bench *s = *state;
    size_t size = file(s)->len;
    assert_int_equal(size, body_large_size(BODY, false));
    for (size_t at = BODY; at < size; at++) {
        file(s)->data[at] ^= 0x10;
        expect(s, ATE_ECORRUPT,
               at < body_leaves_offset(BODY) ? "is not its padding"
                                             : "do not come to its hash");
        assert_int_equal(read_range(s, 0, 0, NULL), ATE_ECORRUPT);
        file(s)->data[at] ^= 0x10;
    }
}

static void a_cut_file_says_where_it_ends(void **state)
{
    static const size_t lens[] = {0, 1, PIECE, BODY - 1, BODY, BODY + 3};
    struct bench *s = *state;
    size_t size = file(s)->len;
    for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
        file(s)->len = lens[i];
        expect(s, ATE_ECORRUPT, "it ends within");
        file(s)->len = size;
    }
    file(s)->len = size - 1;
    expect(s, ATE_ECORRUPT, "it ends within");
    file(s)->len = size;
    buf_put_u8(file(s), 0);
    expect(s, ATE_ECORRUPT, "bytes stand behind its end");
    file(s)->len = size;
    assert_int_equal(read_range(s, 0, UINT64_MAX, NULL), 0);
}

static void a_missing_file_is_named(void **state)
{
    struct bench *s = *state;
    memory_disk_remove(s->f.disk, s->path);
    expect(s, ATE_ENOT_FOUND, "is missing; put it back");
}

static void a_body_of_another_length_is_not_it(void **state)
{
    static const int64_t more[] = {-1, 1, PIECE};
    struct bench *s = *state;
    for (size_t i = 0; i < 3; i++) {
        struct handle right = s->handle;
        struct reader r = {0};
        s->handle.length += (uint64_t)more[i];
        struct large_read *read =
            large_open(s->f.chain, &s->handle, false, 0, UINT64_MAX, got, &r);
        while (!r.ended) {
            large_next(read);
            fixture_run(&s->f);
        }
        assert_int_equal(r.err.code, ATE_ECORRUPT);
        large_close(read);
        buf_deinit(&r.bytes);
        s->handle = right;
    }
}

/* ---- what moves ---- */

static void move_file(struct bench *s, const char *from, const char *to)
{
    memory_disk_put(s->f.disk, to,
                    buf_bytes(memory_disk_file(s->f.disk, from)));
    memory_disk_remove(s->f.disk, from);
}

/* It moves between the look into large/ and that into put/, or between two
 * steps. */
static void it_may_move_before_each_step(void **state)
{
    struct bench *s = *state;
    for (int when = 0; when < 8; when++) {
        struct reader r = {0};
        int step = 0;
        move_file(s, s->path, s->put);
        struct large_read *read =
            large_open(s->f.chain, &s->handle, false, 0, UINT64_MAX, got, &r);
        while (!r.ended) {
            r.under_way = true;
            large_next(read);
            while (r.under_way) {
                if (step++ == when)
                    move_file(s, s->put, s->path);
                assert_true(s->f.pump(s->f.pump_ctx));
            }
        }
        large_close(read);
        if (r.err.code != 0)
            fail_msg("step %d: %s", when, r.err.text);
        assert_true(bytes_equal(buf_bytes(&r.bytes), buf_bytes(&s->body)));
        buf_deinit(&r.bytes);
        if (step <= when)
            move_file(s, s->put, s->path);
    }
}

static void it_may_go_away_while_it_is_read(void **state)
{
    struct bench *s = *state;
    struct reader r = {0};
    struct large_read *read =
        large_open(s->f.chain, &s->handle, false, 0, UINT64_MAX, got, &r);
    large_next(read);
    fixture_run(&s->f);
    assert_true(r.bytes.len > 0);
    memory_disk_remove(s->f.disk, s->path);
    large_next(read);
    fixture_run(&s->f);
    assert_int_equal(r.err.code, ATE_ENOT_FOUND);
    large_close(read);
    buf_deinit(&r.bytes);
}

static void verify_can_be_stopped(void **state)
{
    struct bench *s = *state;
    struct large_check *k = large_check_start(s->f.chain, fixture_done, &s->f);
    s->f.is_done = false;
    large_check_stop(k);
    fixture_wait(&s->f);
    assert_int_equal(s->f.done_code, ATE_ECANCELED);
}

/* ---- handles ---- */

static void put_entry(struct buf *out, const char *name, const char *hex,
                      uint64_t length)
{
    uint8_t hash[HASH_SIZE] = {0xab};
    mp_put_text(out, name);
    if (strcmp(name, "length") == 0)
        mp_put_uint(out, length);
    else if (hex != NULL)
        mp_put_text(out, hex);
    else
        mp_put_bin(out, bytes_of(hash, HASH_SIZE));
}

static const char *const hex_hash =
    "ab00000000000000000000000000000000000000000000000000000000000000";

static void a_handle_has_two_forms(void **state)
{
    struct buf stored = {0};
    struct buf door = {0};
    struct buf taken = {0};
    struct handle handle = {.hash = {0xab}, .length = PIECE + 1};
    struct handle back;
    struct bytes text;
    (void)state;
    handle_put(&stored, &handle);
    assert_true(handle_is(buf_bytes(&stored)));
    assert_int_equal(handle_get(buf_bytes(&stored), &back, NULL), 0);
    assert_memory_equal(&back, &handle, sizeof(back));
    handle_give(&door, &handle);
    struct mp mp = mp_open(mp_map_get(buf_bytes(&door), "hash"));
    assert_int_equal(mp_get_str(&mp, &text, NULL), 0);
    assert_true(bytes_equal(text, bytes_of_text(hex_hash)));
    assert_int_equal(handle_take(buf_bytes(&door), &taken, NULL), 0);
    assert_true(bytes_equal(buf_bytes(&taken), buf_bytes(&stored)));
    buf_clear(&taken);
    assert_int_equal(handle_take(buf_bytes(&stored), &taken, NULL), 0);
    assert_true(bytes_equal(buf_bytes(&taken), buf_bytes(&stored)));
    buf_deinit(&stored);
    buf_deinit(&door);
    buf_deinit(&taken);
}

static void what_is_no_handle_is_refused(void **state)
{
    static const struct {
        const char *one; /* names of the entries, */
        const char *other;
        const char *hex; /* the hash, NULL: as bytes */
        uint64_t length;
        int code;
    } cases[] = {
        {"hash", "length", NULL, PIECE, ATE_EINVALID},
        {"hash", "length", NULL, 0, ATE_EINVALID},
        {"hash", "length", NULL, LIMIT_BODY + 1, ATE_ELIMIT},
        {"hash", "length", NULL, UINT64_MAX, ATE_ELIMIT},
        {"hash", "length", "ab", PIECE + 1, ATE_EINVALID},
        {"hash", "hush", NULL, PIECE + 1, ATE_EINVALID},
        {"hush", "length", NULL, PIECE + 1, ATE_EINVALID},
        {"hash", NULL, NULL, PIECE + 1, ATE_EINVALID},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct buf map = {0};
        struct buf out = {0};
        struct handle handle;
        struct err err;
        mp_put_map(&map, cases[i].other != NULL ? 2 : 1);
        put_entry(&map, cases[i].one, cases[i].hex, cases[i].length);
        if (cases[i].other != NULL)
            put_entry(&map, cases[i].other, cases[i].hex, cases[i].length);
        if (handle_get(buf_bytes(&map), &handle, &err) != cases[i].code)
            fail_msg("case %zu", i);
        if (handle_take(buf_bytes(&map), &out, &err) != cases[i].code)
            fail_msg("case %zu at the door", i);
        assert_int_equal(out.len, 0);
        buf_deinit(&map);
        buf_deinit(&out);
    }
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(a_good_one_is_good),
        T(a_flipped_byte_hurts_its_own_piece_only),
        T(every_byte_behind_it_is_checked),
        T(a_cut_file_says_where_it_ends),
        T(a_missing_file_is_named),
        T(a_body_of_another_length_is_not_it),
        T(it_may_move_before_each_step),
        T(it_may_go_away_while_it_is_read),
        T(verify_can_be_stopped),
        cmocka_unit_test(a_handle_has_two_forms),
        cmocka_unit_test(what_is_no_handle_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
