/* Large bodies through a node: put in pieces, named by calls, read back, gone
 * on with. */
#define _GNU_SOURCE /* memmem */
#include "fixture_puts.h"

/* ---- from the first piece to the last byte ---- */

static void a_body_comes_back_as_it_was_put(void **state)
{
    struct bench *s = *state;
    struct ask end;
    put_part(s, 1, 0, PIECE + 1);
    assert_int_equal(offset_of(s, 1), PIECE + 1);
    put_part(s, 1, PIECE + 1, 1);
    put_part(s, 1, PIECE + 2, BODY - PIECE - 2);
    start_put(s, &end, &(struct piece){.id = 1, .end = true});
    world_run(&s->world, s->node);
    assert_hash(&end, s->hash);
    assert_int_equal(int_at(&end.result, "length"), BODY);
    ask_end(&end);
    assert_non_null(file_of(s, s->hash, true));
    assert_null(upload_file(s, 1));
    film_ok(s, "metropolis");
    assert_null(file_of(s, s->hash, true));
    struct buf *file = file_of(s, s->hash, false);
    assert_non_null(file);
    assert_int_equal(file->len, body_large_size(BODY, false));
    check_film(s, "metropolis");
}

static void ranges_may_begin_and_end_anywhere(void **state)
{
    static const uint64_t at[] = {
        0,         1,        PIECE - 1, PIECE,    PIECE + 1,
        2 * PIECE, BODY - 1, BODY,      BODY + 1, UINT64_MAX >> 1};
    static const uint64_t lengths[] = {
        0, 1, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE + 2, BODY, INT64_MAX};
    struct bench *s = *state;
    put_whole(s, 1);
    film_ok(s, "a");
    for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++)
        for (size_t j = 0; j < sizeof(lengths) / sizeof(lengths[0]); j++)
            check_range(s, "a", at[i], lengths[j]);
}

/* Whatever the number of pieces is, the last one full or of one byte. */
static void every_length_is_whole(void **state)
{
    static const size_t lengths[] = {PIECE + 1,     PIECE + 7,
                                     PIECE + 8,     2 * PIECE,
                                     2 * PIECE + 1, 2 * PIECE + 12344};
    struct bench *s = *state;
    for (uint8_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        char name[2] = {(char)('a' + i), 0};
        s->body.len = lengths[i];
        body_hash(buf_bytes(&s->body), s->hash);
        put_part(s, i, 0, lengths[i]);
        assert_int_equal(
            put(s, &(struct piece){.id = i, .end = true, .hash = s->hash},
                NULL),
            0);
        film_ok(s, name);
        struct buf *file = file_of(s, s->hash, false);
        assert_non_null(file);
        assert_int_equal(file->len, body_large_size(lengths[i], false));
        check_film(s, name);
    }
}

/* ---- what is wrong ---- */

static void another_offset_says_where_it_goes_on(void **state)
{
    struct bench *s = *state;
    put_part(s, 1, 0, 1000);
    struct piece wrong = {.id = 1, .data = part(s, 0, 10)};
    assert_int_equal(put(s, &wrong, "goes on at offset 1000, not at 0"),
                     ATE_ECONFLICT);
    wrong.offset = 1001;
    assert_int_equal(put(s, &wrong, "offset 1000, not at 1001"), ATE_ECONFLICT);
    put_part(s, 1, 1000, BODY - 1000);
    assert_int_equal(
        put(s, &(struct piece){.id = 1, .end = true, .hash = s->hash}, NULL),
        0);
}

/* Also who comes while it goes is answered: by a new one. */
static void a_false_hash_takes_it_away(void **state)
{
    struct bench *s = *state;
    struct ask end;
    struct ask again;
    uint8_t hash[HASH_SIZE] = {1};
    put_part(s, 1, 0, BODY);
    start_put(s, &end, &(struct piece){.id = 1, .end = true, .hash = hash});
    for (int i = 0; i < 100 && !end.done; i++) {
        node_flush(s->node);
        if (!end.done)
            world_reap(&s->world);
    }
    assert_true(end.done);
    assert_int_equal(end.code, ATE_EINVALID);
    assert_non_null(strstr(end.err.text, "another hash"));
    ask_end(&end);
    start_put(s, &again, &(struct piece){.id = 1, .data = part(s, 0, 5)});
    world_run(&s->world, s->node);
    assert_true(again.done);
    assert_int_equal(again.code, 0);
    assert_int_equal(int_at(&again.result, "offset"), 5);
    ask_end(&again);
    assert_int_equal(offset_of(s, 1), 5);
    assert_int_equal(film(s, "a", s->hash, BODY, "nobody put"), ATE_ENOT_FOUND);
}

static void what_is_small_belongs_into_the_call(void **state)
{
    struct bench *s = *state;
    put_part(s, 1, 0, PIECE);
    assert_int_equal(put(s, &(struct piece){.id = 1, .end = true},
                         "65536 bytes are put with the call itself"),
                     ATE_EINVALID);
    assert_int_equal(put(s, &(struct piece){.id = 2, .end = true}, "0 bytes"),
                     ATE_EINVALID);
    assert_null(upload_file(s, 1));
    assert_int_equal(film(s, "a", s->hash, PIECE, "a handle is of more"),
                     ATE_EINVALID);
}

static void no_body_is_larger_than_one_may_be(void **state)
{
    struct bench *s = *state;
    offset_of(s, 9); /* opens the chain */
    chain_of(s)->uploads.length_max = BODY - 1;
    put_part(s, 1, 0, BODY - 1);
    assert_int_equal(
        put(s,
            &(struct piece){.id = 1, .offset = BODY - 1, .data = part(s, 0, 1)},
            "at most 143416 bytes"),
        ATE_ELIMIT);
    assert_null(upload_file(s, 1));
    put_part(s, 1, 0, BODY - 1);
    assert_int_equal(film(s, "a", s->hash, LIMIT_BODY + 1, "at most"),
                     ATE_ELIMIT);
}

static void arguments_are_checked(void **state)
{
    static const struct {
        const char *args[4];
        const char *text;
    } cases[] = {
        {{NULL}, "ate.put: 'id' is missing"},
        {{"id=abc"}, "'id' has to be 16 bytes, or 32 hexadecimal digits"},
        {{"id=bin:abc"}, "'id' has to be 16 bytes, or 32 hexadecimal digits"},
        {{"id=#12"}, "'id' has to be 16 bytes, or 32 hexadecimal digits"},
        {{"id=00112233445566778899aabbccddeeff", "offset=#-1"}, "'offset'"},
        {{"hash=12", "id=00112233445566778899aabbccddeeff"},
         "'hash' has to be 32 bytes, or 64"},
        {{"id=00112233445566778899aabbccddeeff", "of=#1"}, "of"},
        {{"data=text", "id=00112233445566778899aabbccddeeff", "offset=#0"},
         "data"},
    };
    struct bench *s = *state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct ask ask;
        int code =
            call(&s->world, s->node, &ask, "films", "ate.put", cases[i].args);
        if (code != ATE_EINVALID || strstr(ask.err.text, cases[i].text) == NULL)
            fail_msg("case %zu: %d, %s", i, code, ask.err.text);
        ask_end(&ask);
    }
}

/* Nobody put these bytes, not so many of them, not in pieces of that size. */
static void a_handle_has_to_be_of_what_was_put(void **state)
{
    struct bench *s = *state;
    uint8_t hash[HASH_SIZE] = {1};
    assert_int_equal(film(s, "a", s->hash, BODY, "nobody put"), ATE_ENOT_FOUND);
    assert_int_equal(put(s,
                         &(struct piece){.id = 1,
                                         .data = buf_bytes(&s->body),
                                         .end = true,
                                         .sealed = true},
                         NULL),
                     0);
    assert_int_equal(film(s, "a", s->hash, BODY, "nobody put"), ATE_ENOT_FOUND);
    struct body_hasher hasher;
    uint8_t sealed[HASH_SIZE];
    body_hasher_init(&hasher, true);
    body_hasher_put(&hasher, buf_bytes(&s->body));
    body_hasher_end(&hasher, sealed);
    body_hasher_deinit(&hasher);
    assert_int_equal(film(s, "a", sealed, BODY, "nobody put"), ATE_ENOT_FOUND);
    put_whole(s, 2);
    assert_int_equal(film(s, "a", s->hash, BODY - 1, "nobody put"),
                     ATE_ENOT_FOUND);
    assert_int_equal(film(s, "a", hash, BODY, "nobody put"), ATE_ENOT_FOUND);
    film_ok(s, "a");
    assert_int_equal(film(s, "b", s->hash, BODY + 1, "nobody put"),
                     ATE_ENOT_FOUND);
    check_film(s, "a");
}

static void only_bodies_that_are_blobs_are_large(void **state)
{
    static const struct {
        const char *method;
        const char *field;
        bool in_list;
    } cases[] = {
        {"poster.create", "picture", false},
        {"script.create", "body", false},
        {"reel.create", "frames", true},
        {"hang", "bytes", false},
    };
    struct bench *s = *state;
    put_whole(s, 1);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct ask ask;
        ask_begin(s->node, &ask, REQUEST_CALL, "films", cases[i].method,
                  ARGS());
        buf_clear(&ask.args);
        mp_put_map(&ask.args, 2);
        if (strcmp(cases[i].field, "name") > 0) {
            mp_put_text(&ask.args, "name");
            mp_put_text(&ask.args, "a");
        }
        mp_put_text(&ask.args, cases[i].field);
        if (cases[i].in_list)
            mp_put_array(&ask.args, 1);
        put_handle(&ask.args, s->hash, BODY);
        if (strcmp(cases[i].field, "name") < 0) {
            mp_put_text(&ask.args, "name");
            mp_put_text(&ask.args, "a");
        }
        ask.request.args = buf_bytes(&ask.args);
        node_ask(s->node, &ask.request);
        world_run(&s->world, s->node);
        assert_true(ask.done);
        if (ask.code != ATE_EINVALID && ask.code != ATE_ESCRIPT)
            fail_msg("%s: %d %s", cases[i].method, ask.code, ask.err.text);
        ask_end(&ask);
    }
    film_ok(s, "a"); /* it is still there */
}

static void what_has_ended_takes_no_more(void **state)
{
    struct bench *s = *state;
    uint8_t hash[HASH_SIZE] = {1};
    struct ask asks[4];
    put_part(s, 1, 0, BODY);
    start_put(s, &asks[0], &(struct piece){.id = 1, .end = true});
    start_put(s, &asks[1],
              &(struct piece){.id = 1, .offset = BODY, .data = part(s, 0, 5)});
    start_put(s, &asks[2],
              &(struct piece){.id = 1, .end = true, .hash = s->hash});
    start_put(s, &asks[3], &(struct piece){.id = 1, .end = true, .hash = hash});
    world_run(&s->world, s->node);
    assert_hash(&asks[0], s->hash);
    assert_int_equal(asks[1].code, ATE_ECONFLICT);
    assert_non_null(strstr(asks[1].err.text, "ended at offset 143417"));
    assert_hash(&asks[2], s->hash);
    assert_int_equal(asks[3].code, ATE_ECONFLICT);
    for (size_t i = 0; i < 4; i++)
        ask_end(&asks[i]);
    /* Whose answer was lost asks again. */
    assert_int_equal(offset_of(s, 1), BODY);
    start_put(s, &asks[0], &(struct piece){.id = 1, .end = true});
    world_run(&s->world, s->node);
    assert_hash(&asks[0], s->hash);
    ask_end(&asks[0]);
    film_ok(s, "a");
    check_film(s, "a");
    assert_int_equal(offset_of(s, 1), 0); /* the id is free again */
}

/* ---- opened anew ---- */

static void it_goes_on_after_the_chain_was_opened_anew(void **state)
{
    struct bench *s = *state;
    put_part(s, 1, 0, PIECE + 100);
    put_part(s, 2, 0, BODY);
    reopen(s);
    assert_int_equal(offset_of(s, 1), PIECE + 100);
    put_part(s, 1, PIECE + 100, BODY - PIECE - 100);
    assert_int_equal(
        put(s, &(struct piece){.id = 2, .end = true}, "has to name the hash"),
        ATE_EINVALID);
    assert_null(upload_file(s, 2));
    assert_int_equal(
        put(s, &(struct piece){.id = 1, .end = true, .hash = s->hash}, NULL),
        0);
    film_ok(s, "a");
    check_film(s, "a");
}

/* Bytes that were lost with the power are noticed. */
static void lost_bytes_are_noticed(void **state)
{
    struct bench *s = *state;
    put_part(s, 1, 0, BODY);
    world_stop(&s->world, s->node);
    struct node *node = world_node(&s->world, false, 0);
    s->node = node;
    upload_file(s, 1)->data[77] ^= 1;
    assert_int_equal(put(s,
                         &(struct piece){.id = 1, .end = true, .hash = s->hash},
                         "another hash"),
                     ATE_EINVALID);
    assert_int_equal(film(s, "a", s->hash, BODY, "nobody put"), ATE_ENOT_FOUND);
}

static void what_is_complete_is_claimed_later(void **state)
{
    struct bench *s = *state;
    put_whole(s, 1);
    reopen(s);
    film_ok(s, "a");
    reopen(s);
    check_film(s, "a");
    assert_non_null(file_of(s, s->hash, false));
}

/* The power failed after the transaction was durable, before the file moved:
 * it is read where it is, and moves when the chain is opened. */
static void what_was_claimed_moves_when_opened(void **state)
{
    struct bench *s = *state;
    char from[LOG_PATH_MAX];
    char to[LOG_PATH_MAX];
    char folder[LOG_PATH_MAX];
    put_whole(s, 1);
    film_ok(s, "a");
    world_stop(&s->world, s->node);
    s->node = world_node(&s->world, true, 0);
    file_path(s, "cur", folder);
    *strrchr(folder, '/') = 0;
    upload_path(folder, s->hash, BODY, false, false, from);
    upload_path(folder, s->hash, BODY, false, true, to);
    memory_disk_put(s->world.memory, to,
                    buf_bytes(memory_disk_file(s->world.memory, from)));
    memory_disk_remove(s->world.memory, from);
    check_film(s, "a"); /* by who only reads */
    assert_int_equal(
        put(s, &(struct piece){.id = 1, .data = part(s, 0, 1)}, ""),
        ATE_EUNAVAILABLE);
    world_stop(&s->world, s->node);
    assert_non_null(memory_disk_file(s->world.memory, to));
    s->node = world_node(&s->world, false, 0);
    check_film(s, "a");
    assert_null(memory_disk_file(s->world.memory, to));
    assert_non_null(memory_disk_file(s->world.memory, from));
    check_film(s, "a");
}

static void a_foreign_file_stays(void **state)
{
    struct bench *s = *state;
    char path[LOG_PATH_MAX];
    put_part(s, 1, 0, 10);
    file_path(s, "put/notes.txt", path);
    memory_disk_put(s->world.memory, path, bytes_of_text("hello"));
    reopen(s);
    assert_int_equal(offset_of(s, 1), 10);
    world_pass(&s->world, s->node, HOUR_MS + 1);
    assert_int_equal(offset_of(s, 2), 0);
    assert_non_null(memory_disk_file(s->world.memory, path));
}

static void a_file_that_cannot_be_read_is_said_to_all(void **state)
{
    struct bench *s = *state;
    struct ask asks[2];
    put_part(s, 1, 0, BODY);
    reopen(s);
    assert_int_equal(film(s, "a", s->hash, BODY, "nobody put"), ATE_ENOT_FOUND);
    s->world.broken = JOB_READ;
    s->world.broken_in = "put/";
    for (size_t i = 0; i < 2; i++)
        start_put(s, &asks[i], &(struct piece){.id = 1});
    world_run(&s->world, s->node);
    for (size_t i = 0; i < 2; i++) {
        assert_true(asks[i].done);
        assert_int_equal(asks[i].code, ATE_EIO);
        ask_end(&asks[i]);
    }
    s->world.broken = 0;
    assert_int_equal(offset_of(s, 1), BODY);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(a_body_comes_back_as_it_was_put),
        T(ranges_may_begin_and_end_anywhere),
        T(every_length_is_whole),
        T(another_offset_says_where_it_goes_on),
        T(a_false_hash_takes_it_away),
        T(what_is_small_belongs_into_the_call),
        T(no_body_is_larger_than_one_may_be),
        T(arguments_are_checked),
        T(a_handle_has_to_be_of_what_was_put),
        T(only_bodies_that_are_blobs_are_large),
        T(what_has_ended_takes_no_more),
        T(it_goes_on_after_the_chain_was_opened_anew),
        T(lost_bytes_are_noticed),
        T(what_is_complete_is_claimed_later),
        T(what_was_claimed_moves_when_opened),
        T(a_foreign_file_stays),
        T(a_file_that_cannot_be_read_is_said_to_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
