/* Large bodies through a node: put in pieces, named by calls, read back. The
 * schema is tests/lua/schemas/films.lua. Needs _GNU_SOURCE: memmem. */
#ifndef ATE_TESTS_FIXTURE_PUTS_H
#define ATE_TESTS_FIXTURE_PUTS_H

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

static inline void create_films(struct bench *s)
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

static inline int set_up(void **state)
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

static inline int tear_down(void **state)
{
    struct bench *s = *state;
    world_stop(&s->world, s->node);
    world_deinit(&s->world);
    script_cache_free(s->cache);
    buf_deinit(&s->body);
    mem_free(s);
    return 0;
}

static inline void reopen(struct bench *s)
{
    world_stop(&s->world, s->node);
    s->node = world_node(&s->world, false, 0);
}

/* The chain, which has to be open. */
static inline struct chain *chain_of(struct bench *s)
{
    struct hosted *h = hosted_find(s->node, bytes_of_text("films"));
    assert_non_null(h);
    assert_non_null(h->chain);
    return h->chain;
}

static inline void file_path(struct bench *s, const char *inner,
                             char path[LOG_PATH_MAX])
{
    uint8_t id[NAMES_ID_SIZE];
    char folder[LOG_PATH_MAX];
    assert_true(names_find(&s->node->names.names, bytes_of_text("films"), id));
    log_folder(folder, id);
    log_path(path, folder, inner);
}

/* The body's file in put/ or in large/; NULL: it is not there. */
static inline struct buf *file_of(struct bench *s, const uint8_t *hash,
                                  bool is_put)
{
    uint8_t id[NAMES_ID_SIZE];
    char folder[LOG_PATH_MAX];
    char path[LOG_PATH_MAX];
    assert_true(names_find(&s->node->names.names, bytes_of_text("films"), id));
    log_folder(folder, id);
    upload_path(folder, hash, s->body.len, false, is_put, path);
    return memory_disk_file(s->world.memory, path);
}

static inline struct buf *upload_file(struct bench *s, uint8_t id)
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

static inline void start_put(struct bench *s, struct ask *ask,
                             const struct piece *p)
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
static inline int put(struct bench *s, const struct piece *p, const char *text)
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

static inline int64_t offset_of(struct bench *s, uint8_t id)
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

static inline void assert_hash(const struct ask *ask, const uint8_t *hash)
{
    struct buf text = {0};
    if (ask->code != 0)
        fail_msg("%s", ask->err.text);
    hex_put(&text, bytes_of(hash, HASH_SIZE));
    assert_true(text_is(&ask->result, "hash", buf_text(&text)));
    buf_deinit(&text);
}

/* Bytes of the body from `from` on. */
static inline struct bytes part(const struct bench *s, size_t from,
                                size_t count)
{
    assert_true(from + count <= s->body.len);
    return bytes_of(s->body.data + from, count);
}

static inline void put_part(struct bench *s, uint8_t id, size_t from,
                            size_t count)
{
    assert_int_equal(put(s,
                         &(struct piece){.id = id,
                                         .offset = from,
                                         .data = part(s, from, count)},
                         NULL),
                     0);
}

/* All of it at once. */
static inline void start_whole(struct bench *s, struct ask *ask, uint8_t id)
{
    start_put(
        s, ask,
        &(struct piece){.id = id, .data = buf_bytes(&s->body), .end = true});
}

static inline void put_whole(struct bench *s, uint8_t id)
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

static inline void put_handle(struct buf *args, const uint8_t *hash,
                              uint64_t length)
{
    mp_put_map(args, 2);
    mp_put_text(args, "hash");
    mp_put_bin(args, bytes_of(hash, HASH_SIZE));
    mp_put_text(args, "length");
    mp_put_uint(args, length);
}

/* A film of a year, so that its rules are content. */
static inline void start_film(struct bench *s, struct ask *ask,
                              const char *name, const uint8_t *hash,
                              uint64_t length)
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

static inline int film(struct bench *s, const char *name, const uint8_t *hash,
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

static inline void film_ok(struct bench *s, const char *name)
{
    assert_int_equal(film(s, name, s->hash, s->body.len, NULL), 0);
}

/* ---- reading ---- */

static inline void gather(const struct buf *chunks, struct buf *out)
{
    struct mp mp = mp_open(buf_bytes(chunks));
    struct bytes bytes;
    while (mp.at < mp.end) {
        assert_int_equal(mp_get_bin(&mp, &bytes, NULL), 0);
        assert_true(bytes.len > 0);
        buf_put_bytes(out, bytes);
    }
}

static inline void check_read(struct bench *s, struct ask *ask, uint64_t offset,
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

static inline void start_range(struct bench *s, struct ask *ask,
                               const char *name, uint64_t offset,
                               uint64_t length)
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

static inline void check_range(struct bench *s, const char *name,
                               uint64_t offset, uint64_t length)
{
    struct ask ask;
    start_range(s, &ask, name, offset, length);
    world_run(&s->world, s->node);
    check_read(s, &ask, offset, length);
}

static inline void check_film(struct bench *s, const char *name)
{
    check_range(s, name, 0, BODY + 1);
}
#endif
