/* A chain with its leaves' hashes beside it, and questions about proofs. */
#ifndef ATE_TESTS_FIXTURE_PROVING_H
#define ATE_TESTS_FIXTURE_PROVING_H

#include "fixture_chain.h"

#include <stdlib.h>

#include "chain/inside.h"
#include "chain/leaves.h"
#include "crypto/proof.h"
#include "event/proof_file.h"
#include "query/query.h"

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

static inline int64_t now(void *ctx)
{
    struct fixture *f = ctx;
    return f->chain.now;
}

static inline bool keep_hash(void *ctx, uint64_t index,
                             const uint8_t leaf[LOG_LEAF_SIZE])
{
    struct fixture *f = ctx;
    hash_leaf(bytes_of(leaf, LOG_LEAF_SIZE), f->hashes[index]);
    return true;
}

static inline void leaves_done(void *ctx, int code, const struct err *err)
{
    (void)ctx;
    (void)err;
    assert_int_equal(code, 0);
}

/* What the leaves are, from the frames. */
static inline void read_hashes(struct fixture *f)
{
    f->size = chain_size(f->chain.chain);
    f->hashes = mem_resize(f->hashes, f->size * sizeof(*f->hashes));
    leaves_read(f->chain.chain, 0, f->size, keep_hash, leaves_done, f);
    fixture_run(&f->chain);
}

static inline void greet(struct fixture *f, uint64_t count)
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

static inline void mark(struct fixture *f)
{
    struct err err;
    if (chain_mark(f->chain.chain, fixture_done, &f->chain, &err) == 0)
        fixture_wait(&f->chain);
    fixture_run(&f->chain);
    assert_true(chain_is_idle(f->chain.chain));
}

static inline struct fixture *make(uint64_t count)
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

static inline int set_up(void **state)
{
    *state = make(SMALL);
    return 0;
}

static inline int tear_down(void **state)
{
    struct fixture *f = *state;
    fixture_close(&f->chain);
    mem_free(f->hashes);
    mem_free(f);
    return 0;
}

static inline void reopen(struct fixture *f, enum log_mode mode)
{
    mark(f);
    assert_int_equal(fixture_reopen(&f->chain, mode), 0);
}

/* ---- asking ---- */

struct told {
    bool done;
    int code;
    struct err err;
    struct buf result;
};

static inline void told_done(void *ctx, int code, const struct err *err,
                             struct bytes result)
{
    struct told *t = ctx;
    t->done = true;
    t->code = code;
    t->err = *err;
    buf_put_bytes(&t->result, result);
}

/* Arguments are "name=text" or "name#number", sorted. */
static inline int ask(struct fixture *f, struct told *t, const char *method,
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

static inline void ask_ok(struct fixture *f, struct told *t, const char *method,
                          const char *const *args)
{
    if (ask(f, t, method, args) != 0)
        fail_msg("%s: %s", method, t->err.text);
}

static inline void ask_fails(struct fixture *f, const char *method,
                             const char *const *args, int code,
                             const char *words)
{
    struct told t;
    int rc = ask(f, &t, method, args);
    if (rc != code || strstr(t.err.text, words) == NULL)
        fail_msg("%s: %d: %s", method, rc, t.err.text);
    buf_deinit(&t.result);
}

static inline struct bytes text_at(const struct told *t, const char *name)
{
    struct bytes text;
    struct mp mp = mp_open(mp_map_get(buf_bytes(&t->result), name));
    assert_int_equal(mp_get_str(&mp, &text, NULL), 0);
    return text;
}

static inline uint64_t number_at(const struct told *t, const char *name)
{
    uint64_t value = 0;
    struct mp mp = mp_open(mp_map_get(buf_bytes(&t->result), name));
    assert_int_equal(mp_get_uint(&mp, &value, NULL), 0);
    return value;
}

static const char *number_arg(char room[40], const char *name, uint64_t value)
{
    snprintf(room, 40, "%s#%llu", name, (unsigned long long)value);
    return room;
}

/* The root of a size, from the leaves. */
static inline void true_root(struct fixture *f, uint64_t size, uint8_t out[32])
{
    merkle_root_of_hashes((const uint8_t(*)[HASH_SIZE])f->hashes, size, out);
}

/* ---- proofs ---- */

static inline void assert_proved(struct fixture *f, struct bytes text,
                                 uint64_t index, uint64_t size,
                                 const uint8_t *key)
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

static inline void prove(struct fixture *f, uint64_t index, uint64_t size)
{
    struct told t;
    char a[40];
    char b[40];
    ask_ok(f, &t, "proof",
           ARGS(number_arg(a, "index", index), number_arg(b, "size", size)));
    assert_proved(f, text_at(&t, "proof"), index, size, NULL);
    buf_deinit(&t.result);
}

static inline void prove_some(struct fixture *f, uint64_t step)
{
    for (uint64_t size = f->size;; size = size * 2 / 3) {
        for (uint64_t index = 0; index < size; index += step + index / 3)
            prove(f, index, size);
        prove(f, size - 1, size);
        if (size == 1)
            break;
    }
}
#endif
