#define _GNU_SOURCE /* memmem */
/* Questions about proofs, put to a chain: what it answers is checked by the
 * other side's means alone. */
#include "fixture_chain.h"

#include <stdlib.h>

#include "chain/inside.h"
#include "chain/leaves.h"
#include "query/query.h"
#include "crypto/proof.h"
#include "event/proof_file.h"
#include "event/receipt.h"
#include "log/tiles.h"

enum {
    SMALL = 900,          /* transactions: three full tiles and more */
    LARGE = 65536 + 1200, /* a full tile of level 1 */
    FLUSH = 100,          /* calls before one group */
    TX_HEX = 2 * TX_ID_SIZE,
};

struct fixture {
    struct fixture_chain chain;
    uint8_t (*hashes)[HASH_SIZE]; /* of all leaves, in order */
    uint64_t size;
    bool has_key;
    struct key_pair later; /* an order key to come */
    char path[LOG_PATH_MAX + 16];
};

/* ---- making ---- */

static const struct key_pair *order_pair(void *ctx, const uint8_t id[32])
{
    struct fixture *f = ctx;
    if (!f->has_key)
        return NULL;
    if (memcmp(id, f->later.id, KEY_ID_SIZE) == 0)
        return &f->later;
    return memcmp(id, f->chain.order.id, KEY_ID_SIZE) == 0 ? &f->chain.order
                                                           : NULL;
}

static int64_t now(void *ctx)
{
    struct fixture *f = ctx;
    return f->chain.now;
}

static bool keep_hash(void *ctx, uint64_t index,
                      const uint8_t leaf[LOG_LEAF_SIZE])
{
    struct fixture *f = ctx;
    hash_leaf(bytes_of(leaf, LOG_LEAF_SIZE), f->hashes[index]);
    return true;
}

static void leaves_done(void *ctx, int code, const struct err *err)
{
    (void)ctx;
    (void)err;
    assert_int_equal(code, 0);
}

/* What the leaves are, from the frames. */
static void read_hashes(struct fixture *f)
{
    f->size = chain_size(f->chain.chain);
    f->hashes = mem_resize(f->hashes, f->size * sizeof(*f->hashes));
    leaves_read(f->chain.chain, 0, f->size, keep_hash, leaves_done, f);
    fixture_run(&f->chain);
}

static void greet(struct fixture *f, uint64_t count)
{
    static struct fixture_call calls[FLUSH];
    for (uint64_t done = 0; done < count;) {
        uint64_t n = count - done < FLUSH ? count - done : FLUSH;
        /* Several batches in a group, and batches of several. */
        for (uint64_t i = 0; i < n; i++)
            fixture_begin(&f->chain, &calls[i], i * 3 > n, "greeting.append",
                          ARGS("to=you"));
        fixture_run(&f->chain);
        for (uint64_t i = 0; i < n; i++) {
            assert_true(calls[i].done && calls[i].call.code == 0);
            fixture_end(&calls[i]);
        }
        done += n;
        f->chain.now += 700;
    }
}

static void mark(struct fixture *f)
{
    struct err err;
    if (chain_mark(f->chain.chain, fixture_done, &f->chain, &err) == 0)
        fixture_wait(&f->chain);
    fixture_run(&f->chain);
    assert_true(chain_is_idle(f->chain.chain));
}

static struct fixture *make(uint64_t count)
{
    struct fixture *f = mem_zero(1, sizeof(*f));
    fixture_open_disk(&f->chain, NULL, NULL, NULL);
    f->chain.deps.order_pair = order_pair;
    f->chain.deps.now = now;
    f->chain.deps.ctx = f;
    f->has_key = true;
    fixture_pair(&f->later, 77);
    fixture_create_here(&f->chain, "examples/hello", "hello");
    greet(f, count);
    mark(f);
    read_hashes(f);
    log_folder(f->path, chain_core(f->chain.chain)->id);
    strcat(f->path, "/tiles");
    return f;
}

static int set_up(void **state)
{
    *state = make(SMALL);
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    fixture_close(&f->chain);
    mem_free(f->hashes);
    mem_free(f);
    return 0;
}

static void reopen(struct fixture *f, enum log_mode mode)
{
    mark(f);
    assert_int_equal(fixture_reopen(&f->chain, mode), 0);
}

static struct buf *tiles(struct fixture *f)
{
    return memory_disk_file(f->chain.disk, f->path);
}

/* ---- asking ---- */

struct told {
    bool done;
    int code;
    struct err err;
    struct buf result;
};

static void told_done(void *ctx, int code, const struct err *err,
                      struct bytes result)
{
    struct told *t = ctx;
    t->done = true;
    t->code = code;
    t->err = *err;
    buf_put_bytes(&t->result, result);
}

/* Arguments are "name=text" or "name#number", sorted. */
static int ask(struct fixture *f, struct told *t, const char *method,
               const char *const *args)
{
    struct buf map = {0};
    uint32_t count = 0;
    while (args[count] != NULL)
        count++;
    mp_put_map(&map, count);
    for (uint32_t i = 0; i < count; i++) {
        size_t name = strcspn(args[i], "=#");
        mp_put_str(&map, bytes_of(args[i], name));
        if (args[i][name] == '#')
            mp_put_uint(&map, strtoull(args[i] + name + 1, NULL, 10));
        else
            mp_put_text(&map, args[i] + name + 1);
    }
    *t = (struct told){0};
    struct query *q = query_start(f->chain.chain, bytes_of_text(method),
                                  buf_bytes(&map), 100, NULL, told_done, t);
    query_run(q);
    fixture_run(&f->chain);
    assert_true(t->done);
    assert_true(chain_is_idle(f->chain.chain));
    buf_deinit(&map);
    return t->code;
}

static void ask_ok(struct fixture *f, struct told *t, const char *method,
                   const char *const *args)
{
    if (ask(f, t, method, args) != 0)
        fail_msg("%s: %s", method, t->err.text);
}

static void ask_fails(struct fixture *f, const char *method,
                      const char *const *args, int code, const char *words)
{
    struct told t;
    int rc = ask(f, &t, method, args);
    if (rc != code || strstr(t.err.text, words) == NULL)
        fail_msg("%s: %d: %s", method, rc, t.err.text);
    buf_deinit(&t.result);
}

static struct bytes text_at(const struct told *t, const char *name)
{
    struct bytes text;
    struct mp mp = mp_open(mp_map_get(buf_bytes(&t->result), name));
    assert_int_equal(mp_get_str(&mp, &text, NULL), 0);
    return text;
}

static uint64_t number_at(const struct told *t, const char *name)
{
    uint64_t value = 0;
    struct mp mp = mp_open(mp_map_get(buf_bytes(&t->result), name));
    assert_int_equal(mp_get_uint(&mp, &value, NULL), 0);
    return value;
}

static void root_at(const struct told *t, const char *name, uint8_t out[32])
{
    struct bytes text = text_at(t, name);
    assert_true(text.len == 64 &&
                hex_get((const char *)text.data, text.len, out));
}

static const char *number_arg(char room[40], const char *name, uint64_t value)
{
    snprintf(room, 40, "%s#%llu", name, (unsigned long long)value);
    return room;
}

/* The root of a size, from the leaves. */
static void true_root(struct fixture *f, uint64_t size, uint8_t out[32])
{
    merkle_root_of_hashes((const uint8_t(*)[HASH_SIZE])f->hashes, size, out);
}

/* ---- proofs ---- */

static void assert_proved(struct fixture *f, struct bytes text, uint64_t index,
                          uint64_t size, const uint8_t *key)
{
    struct proof_file file;
    struct proof_checked checked;
    struct err err = {0};
    uint8_t root[HASH_SIZE];
    int rc = proof_file_get(text, &file, &err);
    if (rc == 0)
        rc = proof_file_check(&file, key, &checked, &err);
    if (rc != 0)
        fail_msg("%s", err.text);
    assert_true(file.index == index && checked.checkpoint.size == size);
    true_root(f, size, root);
    assert_memory_equal(checked.checkpoint.root, root, HASH_SIZE);
    assert_memory_equal(checked.chain, chain_core(f->chain.chain)->id,
                        CHAIN_ID_SIZE);
    assert_true(index == 0 || checked.author_checked);
    proof_file_deinit(&file);
}

static void prove(struct fixture *f, uint64_t index, uint64_t size)
{
    struct told t;
    char a[40];
    char b[40];
    ask_ok(f, &t, "proof",
           ARGS(number_arg(a, "index", index), number_arg(b, "size", size)));
    assert_proved(f, text_at(&t, "proof"), index, size, NULL);
    buf_deinit(&t.result);
}

static void prove_some(struct fixture *f, uint64_t step)
{
    for (uint64_t size = f->size;; size = size * 2 / 3) {
        for (uint64_t index = 0; index < size; index += step + index / 3)
            prove(f, index, size);
        prove(f, size - 1, size);
        if (size == 1)
            break;
    }
}

static void every_transaction_is_proved_at_any_size(void **state)
{
    struct fixture *f = *state;
    for (uint64_t index = 0; index < f->size; index += 7)
        prove(f, index, f->size);
    prove_some(f, 50);
    reopen(f, LOG_READ_WRITE);
    prove_some(f, 100);
    reopen(f, LOG_READ_ONLY);
    prove_some(f, 100);
}

static void the_newest_checkpoint_is_the_default(void **state)
{
    struct fixture *f = *state;
    struct told t;
    ask_ok(f, &t, "proof", ARGS("index#5"));
    assert_proved(f, text_at(&t, "proof"), 5, f->size, NULL);
    assert_true(number_at(&t, "size") == f->size);
    buf_deinit(&t.result);
}

static void consistency_is_proved_between_any_sizes(void **state)
{
    struct fixture *f = *state;
    char a[40];
    char b[40];
    for (uint64_t to = f->size; to > 0; to = to * 3 / 4) {
        for (uint64_t from = 0; from <= to; from += 1 + to / 9) {
            struct told t;
            struct proof proof = {0};
            uint8_t root[2][HASH_SIZE];
            uint8_t want[HASH_SIZE];
            struct err err = {0};
            ask_ok(f, &t, "consistency",
                   ARGS(number_arg(a, "from", from), number_arg(b, "to", to)));
            root_at(&t, "from_root", root[0]);
            root_at(&t, "to_root", root[1]);
            true_root(f, from, want);
            assert_memory_equal(root[0], want, HASH_SIZE);
            true_root(f, to, want);
            assert_memory_equal(root[1], want, HASH_SIZE);
            struct mp mp = mp_open(mp_map_get(buf_bytes(&t.result), "hashes"));
            uint32_t count = 0;
            assert_int_equal(mp_get_array(&mp, &count, NULL), 0);
            for (uint32_t i = 0; i < count; i++) {
                struct bytes hex;
                assert_int_equal(mp_get_str(&mp, &hex, NULL), 0);
                assert_true(hex_get((const char *)hex.data, hex.len,
                                    proof.hashes[proof.count++]));
            }
            assert_int_equal(proof_check_consistency(&proof, from, root[0], to,
                                                     root[1], &err),
                             0);
            buf_deinit(&t.result);
        }
    }
}

static void what_is_not_there_is_not_proved(void **state)
{
    struct fixture *f = *state;
    char a[40];
    ask_fails(f, "proof", ARGS(number_arg(a, "index", f->size)), ATE_ENOT_FOUND,
              "not among");
    ask_fails(f, "proof", ARGS("index#5", "size#5"), ATE_ENOT_FOUND,
              "not among the 5");
    ask_fails(f, "proof", ARGS("index#5", "size#100000"), ATE_ENOT_FOUND,
              "not 100000");
    ask_fails(f, "proof", ARGS("size#9"), ATE_EINVALID, "'index' is missing");
    ask_fails(f, "proof", ARGS("index=x"), ATE_EINVALID, "whole number");
    ask_fails(f, "proof", ARGS("idx#1"), ATE_EINVALID, "no argument");
    ask_fails(f, "checkpoint", ARGS("size#0"), ATE_EINVALID, "1 or more");
    ask_fails(f, "checkpoint", ARGS("size#100000"), ATE_ENOT_FOUND, "here has");
    ask_fails(f, "consistency", ARGS("from#9", "to#8"), ATE_EINVALID,
              "at most 'to'");
    ask_fails(f, "consistency", ARGS("from#100000"), ATE_ENOT_FOUND,
              "not 100000");
}

/* ---- tiles ---- */

static void assert_tile(struct fixture *f, unsigned level, uint64_t index,
                        uint64_t width)
{
    struct told t;
    struct bytes data;
    char a[40];
    char b[40];
    char c[40];
    ask_ok(f, &t, "tile",
           ARGS(number_arg(a, "index", index), number_arg(b, "level", level),
                number_arg(c, "width", width)));
    struct mp mp = mp_open(mp_map_get(buf_bytes(&t.result), "data"));
    assert_int_equal(mp_get_bin(&mp, &data, NULL), 0);
    assert_int_equal(data.len, width * HASH_SIZE);
    uint64_t leaves = (uint64_t)1 << (level * TILES_WIDTH_BITS);
    for (uint64_t i = 0; i < width; i++) {
        uint8_t want[HASH_SIZE];
        merkle_root_of_hashes(
            (const uint8_t(*)[HASH_SIZE])(f->hashes +
                                          (index * TILES_WIDTH + i) * leaves),
            leaves, want);
        assert_memory_equal(data.data + i * HASH_SIZE, want, HASH_SIZE);
    }
    buf_deinit(&t.result);
}

static void tiles_are_those_of_the_leaves(void **state)
{
    struct fixture *f = *state;
    uint64_t full = f->size / TILES_WIDTH;
    for (int mode = 0; mode < 2; mode++) {
        for (uint64_t i = 0; i < full; i++) {
            assert_tile(f, 0, i, TILES_WIDTH);
            assert_tile(f, 0, i, 1 + i);
        }
        assert_tile(f, 0, full, f->size % TILES_WIDTH);
        assert_tile(f, 0, full, 1);
        assert_tile(f, 1, 0, full);
        assert_tile(f, 1, 0, 1);
        reopen(f, LOG_READ_ONLY);
    }
    ask_fails(f, "tile", ARGS("index#0", "level#2"), ATE_ENOT_FOUND,
              "no such tile");
    ask_fails(f, "tile", ARGS("index#100", "level#0"), ATE_ENOT_FOUND,
              "no such tile");
    ask_fails(f, "tile", ARGS("index#0", "level#0", "width#257"),
              ATE_ENOT_FOUND, "no such tile");
    ask_fails(f, "tile", ARGS("index#0", "level#0", "width#0"), ATE_ENOT_FOUND,
              "no such tile");
    ask_fails(f, "tile", ARGS("index#18446744073709551615", "level#0"),
              ATE_EINVALID, "");
    ask_fails(f, "tile", ARGS("index#0", "level#8"), ATE_ENOT_FOUND,
              "so large");
    ask_fails(f, "tile", ARGS("index#0", "level=leaves"), ATE_EINVALID,
              "whole number");
}

static void entries_are_the_leaves(void **state)
{
    struct fixture *f = *state;
    for (uint64_t index = 0; index <= f->size / TILES_WIDTH; index++) {
        struct told t;
        struct bytes data;
        char a[40];
        ask_ok(f, &t, "tile",
               ARGS(number_arg(a, "index", index), "level=entries"));
        uint64_t width = number_at(&t, "width");
        struct mp mp = mp_open(mp_map_get(buf_bytes(&t.result), "data"));
        assert_int_equal(mp_get_bin(&mp, &data, NULL), 0);
        assert_int_equal(data.len, width * (2 + LOG_LEAF_SIZE));
        for (uint64_t i = 0; i < width; i++) {
            const uint8_t *at = data.data + i * (2 + LOG_LEAF_SIZE);
            uint8_t hash[HASH_SIZE];
            assert_int_equal(at[0] << 8 | at[1], LOG_LEAF_SIZE);
            hash_leaf(bytes_of(at + 2, LOG_LEAF_SIZE), hash);
            assert_memory_equal(hash, f->hashes[index * TILES_WIDTH + i],
                                HASH_SIZE);
        }
        buf_deinit(&t.result);
    }
}

/* ---- files that cannot be believed ---- */

static void a_damaged_tile_is_made_again(void **state)
{
    struct fixture *f = *state;
    struct buf good = {0};
    buf_put_bytes(&good, buf_bytes(tiles(f)));
    for (uint64_t i = 1; i <= 3; i++)
        tiles(f)->data[i * TILES_TILE + 1000] ^= 0x40;
    prove_some(f, 40);
    assert_true(bytes_equal(buf_bytes(tiles(f)), buf_bytes(&good)));
    buf_deinit(&good);
}

static void a_reader_repairs_nothing_and_proves_all(void **state)
{
    struct fixture *f = *state;
    reopen(f, LOG_READ_ONLY);
    for (uint64_t i = 1; i <= 3; i++)
        tiles(f)->data[i * TILES_TILE + 1000] ^= 0x40;
    struct buf before = {0};
    buf_put_bytes(&before, buf_bytes(tiles(f)));
    prove_some(f, 40);
    tiles_are_those_of_the_leaves(state);
    assert_true(bytes_equal(buf_bytes(tiles(f)), buf_bytes(&before)));
    buf_deinit(&before);
}

static void without_a_file_all_is_proved(void **state)
{
    struct fixture *f = *state;
    reopen(f, LOG_READ_ONLY);
    tiles(f)->len = 0;
    prove_some(f, 40);
    tiles_are_those_of_the_leaves(state);
    reopen(f, LOG_READ_WRITE); /* and a writer fills it again */
    mark(f);
    assert_int_equal(tiles(f)->len, (3 + 1) * TILES_TILE);
    prove_some(f, 40);
}

static void another_chain_s_tiles_are_no_use(void **state)
{
    struct fixture *f = *state;
    struct fixture *other = make(SMALL + 100);
    memcpy(tiles(f)->data, tiles(other)->data, tiles(f)->len);
    prove_some(f, 40);
    reopen(f, LOG_READ_ONLY);
    memcpy(tiles(f)->data, tiles(other)->data, tiles(f)->len);
    prove_some(f, 40);
    void *gone = other;
    tear_down(&gone);
}

/* Reading frames anew shows what has changed since they were replayed. */
static void a_log_that_changed_proves_nothing_false(void **state)
{
    struct fixture *f = *state;
    char head[LOG_PATH_MAX + 16];
    reopen(f, LOG_READ_ONLY);
    tiles(f)->len = 0;
    log_folder(head, chain_core(f->chain.chain)->id);
    strcat(head, "/1.head");
    struct buf *file = memory_disk_file(f->chain.disk, head);
    file->data[file->len / 3] ^= 1;
    ask_fails(f, "proof", ARGS("index#2"), ATE_ECORRUPT, "frame");
}

/* The last transaction of the frame at `at` gets another verdict. */
static void spoil(struct buf *file, uint64_t at)
{
    struct log_frame frame;
    struct buf payload = {0};
    struct buf again = {0};
    struct err err;
    assert_int_equal(
        log_frame_get(&frame, bytes_of(file->data + at, file->len - at), &err),
        0);
    buf_put_bytes(&payload, frame.payload);
    payload.data[payload.len - 1] ^= 1;
    frame.payload = buf_bytes(&payload);
    log_frame_put(&again, &frame);
    memcpy(file->data + at, again.data, again.len);
    buf_deinit(&payload);
    buf_deinit(&again);
}

/* A frame is undone as a whole, with leaves that filled a tile. */
static void a_bad_frame_over_the_end_of_a_tile_is_refused(void **state)
{
    struct fixture *f = *state;
    struct chain *c = f->chain.chain;
    char head[LOG_PATH_MAX + 16];
    log_folder(head, chain_core(c)->id);
    strcat(head, "/1.head");
    uint64_t at = 0;
    uint64_t frames = c->log.end.frames;
    for (uint64_t i = 1; i + 1 < frames && at == 0; i++) {
        uint64_t first = log_place_at(&c->log, i).index;
        uint64_t next = log_place_at(&c->log, i + 1).index;
        if (first / TILES_WIDTH != next / TILES_WIDTH &&
            first % TILES_WIDTH != 0 && next % TILES_WIDTH != 0)
            at = log_place_at(&c->log, i).offset;
    }
    assert_true(at > 0);
    spoil(memory_disk_file(f->chain.disk, head), at);
    assert_int_equal(fixture_reopen(&f->chain, LOG_READ_ONLY), ATE_ECORRUPT);
    assert_non_null(strstr(f->chain.done_err.text, "the verdict differs"));
    assert_true(chain_size(f->chain.chain) % TILES_WIDTH != 0);
}

/* ---- checkpoints ---- */

static void checkpoints_are_signed_by_the_order_key(void **state)
{
    struct fixture *f = *state;
    static const uint64_t sizes[] = {1, 2, 255, 256, 300, SMALL};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
        struct told t;
        struct checkpoint checkpoint;
        struct err err;
        uint8_t root[HASH_SIZE];
        uint8_t chain[HASH_SIZE];
        uint8_t key[SIGN_PUBLIC_SIZE];
        char a[40];
        ask_ok(f, &t, "checkpoint", ARGS(number_arg(a, "size", sizes[i])));
        assert_int_equal(note_vkey_get(text_at(&t, "vkey"), chain, key, &err),
                         0);
        assert_memory_equal(chain, chain_core(f->chain.chain)->id,
                            CHAIN_ID_SIZE);
        assert_memory_equal(key, f->chain.order.record.sign, SIGN_PUBLIC_SIZE);
        assert_int_equal(note_checkpoint_verify(text_at(&t, "checkpoint"),
                                                chain, key, &checkpoint, &err),
                         0);
        assert_true(checkpoint.size == sizes[i]);
        true_root(f, sizes[i], root);
        assert_memory_equal(checkpoint.root, root, HASH_SIZE);
        buf_deinit(&t.result);
    }
}

/* Beside a writer a reader sees frames that may yet be lost. */
static void a_reader_signs_what_is_marked(void **state)
{
    struct fixture *f = *state;
    struct told t;
    uint64_t marked = f->size;
    greet(f, 10); /* the last group is durable, and no mark tells of it */
    read_hashes(f);
    char folder[LOG_PATH_MAX];
    struct chain *writer = f->chain.chain;
    log_folder(folder, chain_core(writer)->id);
    f->chain.chain = chain_new(&f->chain.deps);
    chain_open(f->chain.chain, folder, chain_core(writer)->id, LOG_READ_ONLY,
               fixture_done, &f->chain);
    fixture_wait(&f->chain);
    assert_true(chain_size(f->chain.chain) == f->size);
    ask_ok(f, &t, "checkpoint", ARGS());
    assert_true(number_at(&t, "size") == marked);
    buf_deinit(&t.result);
    char a[40];
    ask_fails(f, "checkpoint", ARGS(number_arg(a, "size", f->size)),
              ATE_EUNAVAILABLE, "not known to be durable");
    chain_free(f->chain.chain);
    f->chain.chain = writer;
}

static void without_the_key_nothing_is_signed(void **state)
{
    struct fixture *f = *state;
    struct told t;
    struct buf note = {0};
    ask_ok(f, &t, "checkpoint", ARGS("size#700"));
    buf_put_text(&note, "checkpoint=");
    buf_put_bytes(&note, text_at(&t, "checkpoint"));
    buf_deinit(&t.result);
    f->has_key = false;
    ask_fails(f, "checkpoint", ARGS(), ATE_EUNAVAILABLE, "does not hold");
    ask_fails(f, "proof", ARGS("index#5"), ATE_EUNAVAILABLE, "does not hold");
    /* But one that was signed elsewhere will do. */
    ask_ok(f, &t, "proof", ARGS(buf_text(&note), "index#5"));
    assert_proved(f, text_at(&t, "proof"), 5, 700, NULL);
    buf_deinit(&t.result);
    ask_fails(f, "proof", ARGS(buf_text(&note), "index#700"), ATE_ENOT_FOUND,
              "not among");
    buf_deinit(&note);
}

static void put_note(struct buf *arg, const uint8_t *chain, uint64_t size,
                     const uint8_t *root, const struct key_pair *pair)
{
    struct checkpoint checkpoint = {.size = size};
    memcpy(checkpoint.root, root, HASH_SIZE);
    buf_clear(arg);
    buf_put_text(arg, "checkpoint=");
    note_checkpoint_put(arg, chain, &checkpoint, pair);
}

static void false_checkpoints_are_refused(void **state)
{
    struct fixture *f = *state;
    const uint8_t *chain = chain_core(f->chain.chain)->id;
    const struct key_pair *order = &f->chain.order;
    static const uint8_t other[CHAIN_ID_SIZE] = {1};
    uint8_t root[HASH_SIZE];
    struct buf arg = {0};
    struct told t;
    true_root(f, 700, root);
    put_note(&arg, chain, 700, root, order);
    ask_ok(f, &t, "check", ARGS(buf_text(&arg)));
    assert_true(number_at(&t, "size") == 700 && number_at(&t, "term") == 1);
    buf_deinit(&t.result);
    put_note(&arg, other, 700, root, order);
    ask_fails(f, "check", ARGS(buf_text(&arg)), ATE_ECORRUPT, "another chain");
    put_note(&arg, chain, 700, root, &f->later);
    ask_fails(f, "check", ARGS(buf_text(&arg)), ATE_ECORRUPT, "no order key");
    put_note(&arg, chain, 701, root, order);
    ask_fails(f, "check", ARGS(buf_text(&arg)), ATE_ECORRUPT, "another log");
    ask_fails(f, "proof", ARGS(buf_text(&arg), "index#1"), ATE_ECORRUPT,
              "another log");
    put_note(&arg, chain, 100000, root, order);
    ask_fails(f, "check", ARGS(buf_text(&arg)), ATE_EUNAVAILABLE,
              "cannot be compared");
    put_note(&arg, chain, 0, root, order);
    ask_fails(f, "check", ARGS(buf_text(&arg)), ATE_ECORRUPT, "of nothing");
    ask_fails(f, "check", ARGS("checkpoint=hello"), ATE_ECORRUPT, "names no");
    ask_fails(f, "check", ARGS(), ATE_EINVALID, "missing");
    buf_deinit(&arg);
}

static void receipts_are_compared_with_the_chain(void **state)
{
    struct fixture *f = *state;
    struct fixture_call c;
    struct receipt receipt;
    struct told t;
    struct buf note = {0};
    struct buf tx = {0};
    char a[40];
    assert_int_equal(
        fixture_call(&f->chain, &c, 1, "greeting.append", ARGS("to=me")), 0);
    assert_int_equal(receipt_get(buf_bytes(&c.call.receipt), &receipt, NULL),
                     0);
    greet(f, 20);
    buf_put_text(&note, "checkpoint=");
    buf_put_bytes(&note, receipt.checkpoint);
    buf_put_text(&tx, "tx=");
    hex_put(&tx, bytes_of(receipt.tx_id, TX_ID_SIZE));
    ask_ok(f, &t, "check",
           ARGS(buf_text(&note), number_arg(a, "index", receipt.index),
                buf_text(&tx)));
    assert_true(number_at(&t, "index") == receipt.index);
    buf_deinit(&t.result);
    ask_fails(f, "check",
              ARGS(buf_text(&note), number_arg(a, "index", receipt.index - 1),
                   buf_text(&tx)),
              ATE_ECORRUPT, "is another one");
    ask_fails(f, "check",
              ARGS(buf_text(&note), number_arg(a, "index", receipt.index + 1),
                   buf_text(&tx)),
              ATE_ECORRUPT, "does not cover");
    ask_fails(f, "check", ARGS(buf_text(&note), "index#3"), ATE_EINVALID,
              "'tx' is missing");
    fixture_end(&c);
    buf_deinit(&note);
    buf_deinit(&tx);
}

/* ---- terms ---- */

static void checkpoints_follow_the_terms(void **state)
{
    struct fixture *f = *state;
    struct fixture_call c;
    struct told t;
    struct buf arg = {0};
    const uint8_t *chain = chain_core(f->chain.chain)->id;
    uint8_t root[HASH_SIZE];
    char a[40];
    f->chain.keys[2] = f->later; /* known as bob */
    int rc = fixture_call(&f->chain, &c, 0, "ate.order", ARGS("to=bob"));
    if (rc != 0)
        fail_msg("%s", c.call.err.text);
    uint64_t end = c.call.index + 1;
    fixture_end(&c);
    greet(f, 10);
    read_hashes(f);
    for (int mode = 0; mode < 2; mode++) {
        for (uint64_t size = end - 1; size <= end + 1; size++) {
            uint64_t term = size < end ? 1 : 2;
            ask_ok(f, &t, "proof",
                   ARGS("index#3", number_arg(a, "size", size)));
            assert_proved(f, text_at(&t, "proof"), 3, size,
                          term == 1 ? NULL : f->later.record.sign);
            buf_deinit(&t.result);
            true_root(f, size, root);
            put_note(&arg, chain, size, root, &f->later);
            if (term == 1)
                ask_fails(f, "check", ARGS(buf_text(&arg)), ATE_ECORRUPT,
                          "of term 2, but the log stands in term 1");
            else
                ask_ok(f, &t, "check", ARGS(buf_text(&arg)));
            if (term == 2)
                buf_deinit(&t.result);
            /* Where the transaction ends the term, both keys will do. */
            put_note(&arg, chain, size, root, &f->chain.order);
            if (size > end)
                ask_fails(f, "check", ARGS(buf_text(&arg)), ATE_ECORRUPT,
                          "of term 1, but the log stands in term 2");
            else
                ask_ok(f, &t, "check", ARGS(buf_text(&arg)));
            if (size <= end)
                buf_deinit(&t.result);
        }
        reopen(f, LOG_READ_WRITE);
        chain = chain_core(f->chain.chain)->id;
    }
    buf_deinit(&arg);
}

/* ---- a log with full tiles of level 1 ---- */

static void prove_few(struct fixture *f)
{
    static const uint64_t sizes[] = {65535, 65536, 65537, 66000, LARGE};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++)
        for (uint64_t index = 100; index < sizes[i]; index += sizes[i] / 3)
            prove(f, index, sizes[i]);
    assert_tile(f, 1, 0, TILES_WIDTH);
    assert_tile(f, 2, 0, 1);
}

static void tiles_above_are_made_again_too(void **state)
{
    (void)state;
    struct fixture *f = make(LARGE);
    struct buf good = {0};
    reopen(f, LOG_READ_WRITE);
    mark(f);
    buf_put_bytes(&good, buf_bytes(tiles(f)));
    uint64_t one = (tiles_position(1, 0) + 1) * TILES_TILE;
    prove_few(f);
    /* The tile of level 1, then also one below it. */
    tiles(f)->data[one + 5] ^= 1;
    prove_few(f);
    assert_true(bytes_equal(buf_bytes(tiles(f)), buf_bytes(&good)));
    reopen(f, LOG_READ_WRITE);
    tiles(f)->data[one + 5] ^= 1;
    tiles(f)->data[9 * TILES_TILE + 5] ^= 1;
    prove_few(f);
    assert_memory_equal(tiles(f)->data + one, good.data + one, TILES_TILE);
    reopen(f, LOG_READ_ONLY);
    tiles(f)->len = 0;
    prove_few(f);
    buf_deinit(&good);
    void *gone = f;
    tear_down(&gone);
}

/* What takes long ends when nobody waits for it. */
static void a_long_fetch_can_be_canceled(void **state)
{
    struct fixture *f = *state;
    struct told t = {0};
    struct buf map = {0};
    reopen(f, LOG_READ_ONLY);
    tiles(f)->len = 0;
    mp_put_map(&map, 1);
    mp_put_text(&map, "index");
    mp_put_uint(&map, 2);
    struct query *q = query_start(f->chain.chain, bytes_of_text("proof"),
                                  buf_bytes(&map), 100, NULL, told_done, &t);
    query_run(q);
    memory_disk_reap(f->chain.disk);
    query_cancel(q);
    query_run(q);
    fixture_run(&f->chain);
    assert_true(t.done);
    assert_int_equal(t.code, ATE_ECANCELED);
    assert_true(chain_is_idle(f->chain.chain));
    buf_deinit(&map);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(every_transaction_is_proved_at_any_size),
        TEST(the_newest_checkpoint_is_the_default),
        TEST(consistency_is_proved_between_any_sizes),
        TEST(what_is_not_there_is_not_proved),
        TEST(tiles_are_those_of_the_leaves),
        TEST(entries_are_the_leaves),
        TEST(a_damaged_tile_is_made_again),
        TEST(a_reader_repairs_nothing_and_proves_all),
        TEST(without_a_file_all_is_proved),
        TEST(another_chain_s_tiles_are_no_use),
        TEST(a_log_that_changed_proves_nothing_false),
        TEST(a_bad_frame_over_the_end_of_a_tile_is_refused),
        TEST(checkpoints_are_signed_by_the_order_key),
        TEST(a_reader_signs_what_is_marked),
        TEST(without_the_key_nothing_is_signed),
        TEST(false_checkpoints_are_refused),
        TEST(receipts_are_compared_with_the_chain),
        TEST(checkpoints_follow_the_terms),
        TEST(a_long_fetch_can_be_canceled),
        cmocka_unit_test(tiles_above_are_made_again_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
