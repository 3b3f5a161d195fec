/* Large bodies through a node: put in pieces, named by calls, read back, gone
 * on with, dropped. The schema is tests/lua/schemas/films.lua. */
#define _GNU_SOURCE /* memmem */
#include "fixture_node.h"
#include "fixture_schema.h"

#include "base/hex.h"
#include "chain/inside.h"
#include "event/body.h"
#include "script/script.h"

enum {
    PIECE = LIMIT_BODY_PIECE,
    BODY = 2 * PIECE + 12345, /* the usual one here: three pieces */
    HOUR_MS = UPLOAD_KEEP_MS,
};

struct bench {
    struct world world;
    struct node *node;
    struct script_cache *cache;
    struct logic_maker maker;
    struct buf body;
    uint8_t hash[HASH_SIZE]; /* of it */
};

/* ---- a node ---- */

static void create_films(struct bench *s)
{
    struct buf bundle = {0};
    struct ask ask;
    fixture_load("tests/lua/schemas", "films", &bundle, NULL, NULL);
    ask_begin(s->node, &ask, REQUEST_CALL, NULL, "chain.create", ARGS());
    buf_clear(&ask.args);
    mp_put_map(&ask.args, 2);
    mp_put_text(&ask.args, "bundle");
    mp_put_bin(&ask.args, buf_bytes(&bundle));
    mp_put_text(&ask.args, "name");
    mp_put_text(&ask.args, "films");
    ask.request.args = buf_bytes(&ask.args);
    node_ask(s->node, &ask.request);
    world_run(&s->world, s->node);
    if (ask.code != 0)
        fail_msg("%s", ask.err.text);
    ask_end(&ask);
    buf_deinit(&bundle);
}

static int set_up(void **state)
{
    struct bench *s = mem_zero(1, sizeof(*s));
    world_init(&s->world);
    s->cache = script_cache_new(NULL);
    s->maker = script_maker(s->cache);
    s->world.maker = &s->maker;
    s->node = world_node(&s->world, false, 0);
    create_films(s);
    for (uint32_t i = 0; i < BODY; i++)
        buf_put_u8(&s->body, (uint8_t)(i * 7 + i / 251));
    body_hash(buf_bytes(&s->body), s->hash);
    *state = s;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *s = *state;
    world_stop(&s->world, s->node);
    world_deinit(&s->world);
    script_cache_free(s->cache);
    buf_deinit(&s->body);
    mem_free(s);
    return 0;
}

static void reopen(struct bench *s)
{
    world_stop(&s->world, s->node);
    s->node = world_node(&s->world, false, 0);
}

/* The chain, which has to be open. */
static struct chain *chain_of(struct bench *s)
{
    struct hosted *h = hosted_find(s->node, bytes_of_text("films"));
    assert_non_null(h);
    assert_non_null(h->chain);
    return h->chain;
}

static void file_path(struct bench *s, const char *inner,
                      char path[LOG_PATH_MAX])
{
    uint8_t id[NAMES_ID_SIZE];
    char folder[LOG_PATH_MAX];
    assert_true(names_find(&s->node->names.names, bytes_of_text("films"), id));
    log_folder(folder, id);
    log_path(path, folder, inner);
}

/* The body's file in put/ or in large/; NULL: it is not there. */
static struct buf *file_of(struct bench *s, const uint8_t *hash, bool is_put)
{
    uint8_t id[NAMES_ID_SIZE];
    char folder[LOG_PATH_MAX];
    char path[LOG_PATH_MAX];
    assert_true(names_find(&s->node->names.names, bytes_of_text("films"), id));
    log_folder(folder, id);
    uploads_path(folder, hash, s->body.len, false, is_put, path);
    return memory_disk_file(s->world.memory, path);
}

static struct buf *upload_file(struct bench *s, uint8_t id)
{
    char path[LOG_PATH_MAX];
    char inner[64] = "put/";
    for (size_t i = 0; i < UPLOAD_ID_SIZE; i++)
        snprintf(inner + 4 + 2 * i, 3, "%02x", id);
    file_path(s, inner, path);
    return memory_disk_file(s->world.memory, path);
}

/* ---- putting ---- */

struct piece {
    uint8_t id; /* 16 times */
    uint64_t offset;
    struct bytes data;
    bool end;
    bool sealed;
    const uint8_t *hash;
};

static void start_put(struct bench *s, struct ask *ask, const struct piece *p)
{
    uint8_t id[UPLOAD_ID_SIZE];
    memset(id, p->id, sizeof(id));
    ask_begin(s->node, ask, REQUEST_CALL, "films", "ate.put", ARGS());
    struct buf *args = &ask->args;
    buf_clear(args);
    mp_put_map(args, 1 + 2 * (p->data.len > 0) + p->end + p->sealed +
                         (p->hash != NULL));
    if (p->data.len > 0) {
        mp_put_text(args, "data");
        mp_put_bin(args, p->data);
    }
    if (p->end) {
        mp_put_text(args, "end");
        mp_put_bool(args, true);
    }
    if (p->hash != NULL) {
        mp_put_text(args, "hash");
        mp_put_bin(args, bytes_of(p->hash, HASH_SIZE));
    }
    mp_put_text(args, "id");
    mp_put_bin(args, bytes_of(id, sizeof(id)));
    if (p->data.len > 0) {
        mp_put_text(args, "offset");
        mp_put_uint(args, p->offset);
    }
    if (p->sealed) {
        mp_put_text(args, "sealed");
        mp_put_bool(args, true);
    }
    ask->request.args = buf_bytes(args);
    node_ask(s->node, &ask->request);
}

/* The answer's code; the text of an error has to have `text` in it. */
static int put(struct bench *s, const struct piece *p, const char *text)
{
    struct ask ask;
    start_put(s, &ask, p);
    world_run(&s->world, s->node);
    assert_true(ask.done);
    int code = ask.code;
    if (code != 0 && (text == NULL || strstr(ask.err.text, text) == NULL))
        fail_msg("%s", ask.err.text);
    if (code == 0 && text != NULL)
        fail_msg("no '%s'", text);
    ask_end(&ask);
    return code;
}

static int64_t offset_of(struct bench *s, uint8_t id)
{
    struct ask ask;
    start_put(s, &ask, &(struct piece){.id = id});
    world_run(&s->world, s->node);
    assert_true(ask.done);
    if (ask.code != 0)
        fail_msg("%s", ask.err.text);
    int64_t offset = int_at(&ask.result, "offset");
    ask_end(&ask);
    return offset;
}

static void assert_hash(const struct ask *ask, const uint8_t *hash)
{
    struct buf text = {0};
    if (ask->code != 0)
        fail_msg("%s", ask->err.text);
    hex_put(&text, bytes_of(hash, HASH_SIZE));
    assert_true(text_is(&ask->result, "hash", buf_text(&text)));
    buf_deinit(&text);
}

/* Bytes of the body from `from` on. */
static struct bytes part(const struct bench *s, size_t from, size_t count)
{
    assert_true(from + count <= s->body.len);
    return bytes_of(s->body.data + from, count);
}

static void put_part(struct bench *s, uint8_t id, size_t from, size_t count)
{
    assert_int_equal(put(s,
                         &(struct piece){.id = id,
                                         .offset = from,
                                         .data = part(s, from, count)},
                         NULL),
                     0);
}

/* All of it at once. */
static void start_whole(struct bench *s, struct ask *ask, uint8_t id)
{
    start_put(
        s, ask,
        &(struct piece){.id = id, .data = buf_bytes(&s->body), .end = true});
}

static void put_whole(struct bench *s, uint8_t id)
{
    struct ask ask;
    start_whole(s, &ask, id);
    world_run(&s->world, s->node);
    assert_true(ask.done);
    assert_hash(&ask, s->hash);
    assert_int_equal(int_at(&ask.result, "length"), BODY);
    ask_end(&ask);
}

/* ---- naming ---- */

static void put_handle(struct buf *args, const uint8_t *hash, uint64_t length)
{
    mp_put_map(args, 2);
    mp_put_text(args, "hash");
    mp_put_bin(args, bytes_of(hash, HASH_SIZE));
    mp_put_text(args, "length");
    mp_put_uint(args, length);
}

/* A film of a year, so that its rules are content. */
static void start_film(struct bench *s, struct ask *ask, const char *name,
                       const uint8_t *hash, uint64_t length)
{
    ask_begin(s->node, ask, REQUEST_CALL, "films", "film.create", ARGS());
    buf_clear(&ask->args);
    mp_put_map(&ask->args, 3);
    mp_put_text(&ask->args, "body");
    put_handle(&ask->args, hash, length);
    mp_put_text(&ask->args, "name");
    mp_put_text(&ask->args, name);
    mp_put_text(&ask->args, "year");
    mp_put_uint(&ask->args, 1927);
    ask->request.args = buf_bytes(&ask->args);
    node_ask(s->node, &ask->request);
}

static int film(struct bench *s, const char *name, const uint8_t *hash,
                uint64_t length, const char *text)
{
    struct ask ask;
    start_film(s, &ask, name, hash, length);
    world_run(&s->world, s->node);
    assert_true(ask.done);
    if (ask.code != 0 && (text == NULL || strstr(ask.err.text, text) == NULL))
        fail_msg("%s: %s", name, ask.err.text);
    int code = ask.code;
    ask_end(&ask);
    return code;
}

static void film_ok(struct bench *s, const char *name)
{
    assert_int_equal(film(s, name, s->hash, s->body.len, NULL), 0);
}

/* ---- reading ---- */

static void gather(const struct buf *chunks, struct buf *out)
{
    struct mp mp = mp_open(buf_bytes(chunks));
    struct bytes bytes;
    while (mp.at < mp.end) {
        assert_int_equal(mp_get_bin(&mp, &bytes, NULL), 0);
        assert_true(bytes.len > 0);
        buf_put_bytes(out, bytes);
    }
}

static void check_read(struct bench *s, struct ask *ask, uint64_t offset,
                       uint64_t length)
{
    struct buf got = {0};
    assert_true(ask->done);
    if (ask->code != 0)
        fail_msg("%llu: %s", (unsigned long long)offset, ask->err.text);
    uint64_t from = offset < s->body.len ? offset : s->body.len;
    uint64_t left = s->body.len - from;
    gather(&ask->chunks, &got);
    assert_true(bytes_equal(buf_bytes(&got),
                            part(s, from, length < left ? length : left)));
    buf_deinit(&got);
    ask_end(ask);
}

static void start_range(struct bench *s, struct ask *ask, const char *name,
                        uint64_t offset, uint64_t length)
{
    char key[60];
    char args[2][60];
    snprintf(key, sizeof(key), "key=%s", name);
    snprintf(args[0], sizeof(args[0]), "length=#%llu",
             (unsigned long long)length);
    snprintf(args[1], sizeof(args[1]), "offset=#%llu",
             (unsigned long long)offset);
    ask_begin(s->node, ask, REQUEST_READ, "films", "body",
              ARGS(key, args[0], args[1], "type=film"));
    ask->request.credit = 1000;
    node_ask(s->node, &ask->request);
}

static void check_range(struct bench *s, const char *name, uint64_t offset,
                        uint64_t length)
{
    struct ask ask;
    start_range(s, &ask, name, offset, length);
    world_run(&s->world, s->node);
    check_read(s, &ask, offset, length);
}

static void check_film(struct bench *s, const char *name)
{
    check_range(s, name, 0, BODY + 1);
}

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
        {{"data=bin:x", "id=00112233445566778899aabbccddeeff"}, "'offset'"},
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
    uploads_path(folder, s->hash, BODY, false, false, from);
    uploads_path(folder, s->hash, BODY, false, true, to);
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

/* ---- what nobody wants ---- */

static void nobody_waits_longer_than_an_hour(void **state)
{
    struct bench *s = *state;
    put_part(s, 1, 0, 10);
    put_whole(s, 2);
    world_pass(&s->world, s->node, HOUR_MS);
    assert_int_equal(offset_of(s, 1), 10); /* touched */
    assert_non_null(file_of(s, s->hash, true));
    world_pass(&s->world, s->node, 1);
    assert_int_equal(offset_of(s, 3), 0);
    assert_null(file_of(s, s->hash, true));
    assert_int_equal(film(s, "a", s->hash, BODY, "more than an hour ago"),
                     ATE_ENOT_FOUND);
    world_pass(&s->world, s->node, HOUR_MS);
    assert_int_equal(offset_of(s, 1), 0); /* who comes back begins anew */
    put_part(s, 1, 0, 20);
    assert_int_equal(upload_file(s, 1)->len, 20);
}

/* Time that passes while the chain is closed is time, and opening it, however
 * often, gives nothing a new hour. */
static void opening_makes_nothing_younger(void **state)
{
    struct bench *s = *state;
    put_part(s, 1, 0, 10);
    put_whole(s, 2);
    for (int i = 0; i < 3; i++) {
        s->world.wall_ms += HOUR_MS / 4;
        reopen(s);
        assert_int_equal(offset_of(s, 9), 0); /* it is open */
    }
    assert_non_null(upload_file(s, 1));
    put_part(s, 1, 10, 10); /* this one is gone on with */
    s->world.wall_ms += HOUR_MS / 4 + 1;
    reopen(s);
    assert_int_equal(offset_of(s, 8), 0);
    world_pass(&s->world, s->node, 0);
    assert_null(file_of(s, s->hash, true));
    assert_int_equal(upload_file(s, 1)->len, 20);
    s->world.wall_ms += HOUR_MS;
    reopen(s);
    assert_int_equal(offset_of(s, 7), 0);
    world_pass(&s->world, s->node, 0);
    assert_null(upload_file(s, 1));
}

/* More files than are asked for their age at once. */
static void many_are_found_with_their_age(void **state)
{
    struct bench *s = *state;
    for (uint8_t i = 0; i < 50; i++) {
        put_part(s, i, 0, 1);
        s->world.wall_ms += 1000;
    }
    s->world.wall_ms += HOUR_MS - 25500;
    reopen(s);
    assert_int_equal(offset_of(s, 99), 0);
    world_pass(&s->world, s->node, 0);
    for (uint8_t i = 0; i < 50; i++)
        assert_true((upload_file(s, i) != NULL) == (i >= 25));
}

/* A clock that went back makes no file of the future live for ever. */
static void a_file_of_the_future_is_as_old_as_the_opening(void **state)
{
    struct bench *s = *state;
    s->world.wall_ms += 10 * HOUR_MS;
    put_part(s, 1, 0, 10);
    s->world.wall_ms -= 10 * HOUR_MS;
    reopen(s);
    assert_int_equal(offset_of(s, 9), 0);
    world_pass(&s->world, s->node, HOUR_MS);
    assert_non_null(upload_file(s, 1));
    world_pass(&s->world, s->node, 1);
    assert_int_equal(offset_of(s, 8), 0);
    assert_null(upload_file(s, 1));
}

/* Nobody has to come for that, and until then the chain stays open: who puts
 * slowly does not have to name a hash at the end. */
static void it_goes_by_itself(void **state)
{
    struct bench *s = *state;
    put_whole(s, 1);
    put_part(s, 2, 0, BODY);
    for (int i = 0; i < 50; i++)
        world_pass(&s->world, s->node, 70000);
    assert_non_null(file_of(s, s->hash, true));
    assert_non_null(chain_of(s));
    assert_int_equal(put(s, &(struct piece){.id = 2, .end = true}, NULL), 0);
    for (int i = 0; i < 60; i++)
        world_pass(&s->world, s->node, 70000);
    assert_null(file_of(s, s->hash, true));
    struct hosted *h = hosted_find(s->node, bytes_of_text("films"));
    assert_true(h == NULL || h->chain == NULL);
}

/* A transaction cannot claim what is being removed, and what is put meanwhile
 * is not removed with it. */
static void what_goes_cannot_be_claimed(void **state)
{
    struct bench *s = *state;
    struct ask asks[3];
    put_whole(s, 1);
    s->world.wall_ms += HOUR_MS + 1;
    node_tick(s->node, s->world.wall_ms, s->world.steady_us);
    start_put(s, &asks[0], &(struct piece){.id = 9});
    node_flush(s->node);
    start_film(s, &asks[1], "a", s->hash, BODY);
    start_whole(s, &asks[2], 2);
    world_run(&s->world, s->node);
    assert_int_equal(asks[0].code, 0);
    bool accepted = asks[1].code == 0;
    assert_true(accepted || asks[1].code == ATE_ENOT_FOUND);
    assert_hash(&asks[2], s->hash);
    for (size_t i = 0; i < 3; i++)
        ask_end(&asks[i]);
    if (accepted)
        check_film(s, "a");
    film_ok(s, "b");
    check_film(s, "b");
}

/* Whoever puts it again counts on it for another hour. */
static void putting_it_again_keeps_it(void **state)
{
    struct bench *s = *state;
    put_whole(s, 1);
    world_pass(&s->world, s->node, HOUR_MS);
    put_whole(s, 2);
    world_pass(&s->world, s->node, HOUR_MS);
    assert_int_equal(offset_of(s, 3), 0);
    film_ok(s, "a");
    check_film(s, "a");
}

static void so_many_and_no_more(void **state)
{
    struct bench *s = *state;
    for (int i = 0; i < UPLOADS_MAX - 1; i++)
        put_part(s, (uint8_t)i, 0, 1);
    put_whole(s, 255);
    uint8_t id[UPLOAD_ID_SIZE] = {1};
    struct ask ask;
    struct buf text = {0};
    char arg[64];
    hex_put(&text, bytes_of(id, sizeof(id)));
    snprintf(arg, sizeof(arg), "id=%s", buf_text(&text));
    buf_deinit(&text);
    assert_int_equal(
        call(&s->world, s->node, &ask, "films", "ate.put", ARGS(arg)),
        ATE_ELIMIT);
    assert_non_null(strstr(ask.err.text, "256 bodies"));
    ask_end(&ask);
    put_part(s, 7, 1, 1); /* those that are there go on */
    film_ok(s, "a");
    call_ok(&s->world, s->node, "films", "ate.put", ARGS(arg));
    world_pass(&s->world, s->node, HOUR_MS + 1);
    assert_int_equal(offset_of(s, 3), 0);
}

/* All that waits goes at once, and makes room at once. */
static void room_comes_with_the_hour(void **state)
{
    struct bench *s = *state;
    for (int i = 0; i < UPLOADS_MAX; i++)
        put_part(s, (uint8_t)i, 0, 1);
    world_pass(&s->world, s->node, HOUR_MS + 1);
    call_ok(&s->world, s->node, "films", "ate.put",
            ARGS("id=000102030405060708090a0b0c0d0e0f"));
}

/* ---- several ---- */

static void the_same_may_be_put_at_once(void **state)
{
    struct bench *s = *state;
    struct ask one;
    struct ask other;
    start_whole(s, &one, 1);
    start_whole(s, &other, 2);
    world_run(&s->world, s->node);
    assert_hash(&one, s->hash);
    assert_hash(&other, s->hash);
    ask_end(&one);
    ask_end(&other);
    put_whole(s, 3); /* and after the other */
    assert_null(upload_file(s, 3));
    film_ok(s, "a");
    put_whole(s, 4); /* and when it is in the log */
    assert_null(upload_file(s, 4));
    assert_null(file_of(s, s->hash, true));
    film_ok(s, "b");
    check_film(s, "a");
    check_film(s, "b");
    world_pass(&s->world, s->node, HOUR_MS + 1);
    assert_int_equal(offset_of(s, 9), 0);
    check_film(s, "a");
    reopen(s);
    check_film(s, "b");
}

/* Whatever the steps of the two, and of a claim, in between: each step of the
 * disk is tried. */
static void the_same_may_be_claimed_while_it_is_put(void **state)
{
    struct bench *s = *state;
    for (int steps = 0; steps < 12; steps++) {
        struct ask asks[3];
        char name[16];
        snprintf(name, sizeof(name), "f%d", steps);
        s->body.data[0]++;
        body_hash(buf_bytes(&s->body), s->hash);
        start_whole(s, &asks[0], 1);
        node_flush(s->node);
        for (int i = 0; i < steps; i++) {
            world_reap(&s->world);
            node_flush(s->node);
        }
        start_whole(s, &asks[1], 2);
        start_film(s, &asks[2], name, s->hash, BODY);
        world_run(&s->world, s->node);
        assert_hash(&asks[0], s->hash);
        assert_hash(&asks[1], s->hash);
        if (asks[2].code == ATE_ENOT_FOUND)
            film_ok(s, name);
        else
            assert_int_equal(asks[2].code, 0);
        for (size_t i = 0; i < 3; i++)
            ask_end(&asks[i]);
        check_film(s, name);
    }
    world_pass(&s->world, s->node, HOUR_MS + 1);
    assert_int_equal(offset_of(s, 9), 0);
    check_film(s, "f11");
}

static void two_transactions_may_name_one(void **state)
{
    struct bench *s = *state;
    struct ask one;
    struct ask other;
    put_whole(s, 1);
    start_film(s, &one, "a", s->hash, BODY);
    start_film(s, &other, "b", s->hash, BODY);
    world_run(&s->world, s->node);
    assert_int_equal(one.code, 0);
    assert_int_equal(other.code, 0);
    ask_end(&one);
    ask_end(&other);
    check_film(s, "a");
    check_film(s, "b");
    call_ok(&s->world, s->node, "films", "copy", ARGS("name=c", "of=a"));
    call_ok(&s->world, s->node, "films", "film.delete", ARGS("name=a"));
    check_film(s, "b");
    check_film(s, "c");
}

/* Between any two steps: it is in put/, on its way, or in large/. */
static void it_is_read_while_it_moves(void **state)
{
    enum { READS = 40 };
    struct bench *s = *state;
    struct ask film_ask;
    struct ask reads[READS];
    int count = 0;
    put_whole(s, 1);
    start_film(s, &film_ask, "a", s->hash, BODY);
    for (size_t busy = 1; busy > 0 && count < READS;) {
        node_flush(s->node);
        if (film_ask.done)
            start_range(s, &reads[count++], "a", 0, BODY);
        busy = world_reap(&s->world);
    }
    world_run(&s->world, s->node);
    assert_int_equal(film_ask.code, 0);
    ask_end(&film_ask);
    assert_true(count > 1);
    for (int i = 0; i < count; i++)
        check_read(s, &reads[i], 0, BODY);
}

/* ---- the disk fails ---- */

static void a_piece_that_failed_is_sent_again(void **state)
{
    struct bench *s = *state;
    put_part(s, 1, 0, PIECE);
    s->world.broken = JOB_WRITE;
    s->world.broken_in = "put/";
    struct piece piece = {
        .id = 1, .offset = PIECE, .data = part(s, PIECE, BODY - PIECE)};
    assert_int_equal(put(s, &piece, "write"), ATE_EIO);
    assert_int_equal(
        put(s, &(struct piece){.id = 2, .data = part(s, 0, 1)}, "write"),
        ATE_EIO);
    s->world.broken = 0;
    assert_int_equal(offset_of(s, 1), PIECE);
    assert_int_equal(put(s, &piece, NULL), 0);
    s->world.broken = JOB_RENAME;
    assert_int_equal(put(s, &(struct piece){.id = 1, .end = true}, "renaming"),
                     ATE_EIO);
    s->world.broken = 0;
    assert_int_equal(
        put(s, &(struct piece){.id = 1, .end = true, .hash = s->hash}, NULL),
        0);
    film_ok(s, "a");
    check_film(s, "a");
}

/* The next sync would say that all is well, and it may not be. */
static void a_sync_that_failed_takes_it_away(void **state)
{
    static const enum job_kind kinds[] = {JOB_SYNC, JOB_SYNC_FOLDER};
    struct bench *s = *state;
    for (size_t i = 0; i < 2; i++) {
        put_part(s, 1, 0, BODY);
        s->world.broken = kinds[i];
        s->world.broken_in = "put";
        assert_int_equal(put(s, &(struct piece){.id = 1, .end = true}, "sync"),
                         ATE_EIO);
        s->world.broken = 0;
        assert_int_equal(offset_of(s, 1), 0);
        assert_int_equal(film(s, "a", s->hash, BODY, "nobody put"),
                         ATE_ENOT_FOUND);
    }
    put_whole(s, 1);
    film_ok(s, "a");
    check_film(s, "a");
}

/* What cannot move is read where it is, and moves with a later commit. */
static void a_move_that_failed_is_made_good(void **state)
{
    struct bench *s = *state;
    put_whole(s, 1);
    s->world.broken = JOB_MKDIR;
    s->world.broken_in = "large";
    film_ok(s, "a");
    check_film(s, "a");
    assert_non_null(file_of(s, s->hash, true));
    s->world.broken = 0;
    call_ok(&s->world, s->node, "films", "script.create",
            ARGS("body=words", "name=x"));
    assert_null(file_of(s, s->hash, true));
    check_film(s, "a");
}

/* ---- the node stops ---- */

static void what_is_under_way_is_answered_before_the_end(void **state)
{
    struct bench *s = *state;
    for (int steps = 0; steps < 8; steps++) {
        struct ask asks[4];
        int stopped = 1;
        s->body.data[0]++;
        start_put(s, &asks[0],
                  &(struct piece){.id = 1, .data = part(s, 0, PIECE)});
        start_put(s, &asks[1],
                  &(struct piece){.id = 1,
                                  .offset = PIECE,
                                  .data = part(s, PIECE, BODY - PIECE)});
        start_put(s, &asks[2], &(struct piece){.id = 1, .end = true});
        start_whole(s, &asks[3], 2);
        for (int i = 0; i < steps; i++) {
            node_flush(s->node);
            world_reap(&s->world);
        }
        node_stop(s->node, node_ready, &stopped);
        world_run(&s->world, s->node);
        assert_int_equal(stopped, 0);
        for (size_t i = 0; i < 4; i++) {
            assert_int_equal(asks[i].code, 0);
            ask_end(&asks[i]);
        }
        node_free(s->node);
        s->node = world_node(&s->world, false, 0);
    }
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
        T(nobody_waits_longer_than_an_hour),
        T(opening_makes_nothing_younger),
        T(many_are_found_with_their_age),
        T(a_file_of_the_future_is_as_old_as_the_opening),
        T(it_goes_by_itself),
        T(what_goes_cannot_be_claimed),
        T(putting_it_again_keeps_it),
        T(so_many_and_no_more),
        T(room_comes_with_the_hour),
        T(the_same_may_be_put_at_once),
        T(the_same_may_be_claimed_while_it_is_put),
        T(two_transactions_may_name_one),
        T(it_is_read_while_it_moves),
        T(a_piece_that_failed_is_sent_again),
        T(a_sync_that_failed_takes_it_away),
        T(a_move_that_failed_is_made_good),
        T(what_is_under_way_is_answered_before_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
