/* What the tests of keys, events and batches share: keys that are the same in
 * every run, and a signed batch with everything a batch can hold. */
#ifndef ATE_TESTS_UNIT_FIXTURE_EVENT_H
#define ATE_TESTS_UNIT_FIXTURE_EVENT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/hex.h"
#include "base/memory.h"
#include "base/msgpack.h"
#include "crypto/key.h"
#include "crypto/merkle.h"
#include "event/batch.h"
#include "event/header.h"

/* Key pair number n. */
static inline void fixture_pair(struct key_pair *pair, uint8_t n)
{
    uint8_t seed[SIGN_SEED_SIZE];
    uint8_t box[BOX_SECRET_SIZE];
    memset(seed, n, sizeof(seed));
    memset(box, n + 100, sizeof(box));
    assert_int_equal(crypto_init(NULL), 0);
    key_pair_from_seeds(pair, seed, box);
}

static inline void fixture_hex(const char *hex, uint8_t *out)
{
    assert_true(hex_get(hex, strlen(hex), out));
}

static inline void assert_hash(const uint8_t *hash, const char *hex)
{
    struct buf text = {0};
    hex_put(&text, bytes_of(hash, HASH_SIZE));
    assert_string_equal(buf_text(&text), hex);
    buf_deinit(&text);
}

static inline void assert_record(const struct key_record *got,
                                 const struct key_record *want)
{
    assert_int_equal(got->suite, want->suite);
    assert_memory_equal(got->sign, want->sign, SIGN_PUBLIC_SIZE);
    assert_memory_equal(got->box, want->box, BOX_PUBLIC_SIZE);
}

/* The call failed with this code, and its text holds `words`. */
static inline void assert_error(int rc, const struct err *err, int code,
                                const char *words)
{
    if (rc != code || strstr(err->text, words) == NULL)
        print_error("got %s: %s, want %s: ...%s\n", err_name(rc),
                    rc < 0 ? err->text : "", err_name(code), words);
    assert_int_equal(rc, code);
    assert_int_equal(err->code, code);
    assert_non_null(strstr(err->text, words));
}

/* An encoding as its parts: each is replaced by something wrong in turn. */
struct fixture_parts {
    struct buf part[16];
    size_t count;
};

static inline void fixture_parts_open(struct fixture_parts *p, struct bytes raw)
{
    struct mp mp = mp_open(raw);
    uint32_t count;
    *p = (struct fixture_parts){0};
    assert_int_equal(mp_get_array(&mp, &count, NULL), 0);
    assert_true(count <= 16);
    p->count = count;
    for (size_t i = 0; i < p->count; i++) {
        struct bytes part;
        assert_int_equal(mp_skip(&mp, &part, NULL), 0);
        buf_put_bytes(&p->part[i], part);
    }
}

/* The parts again, with number `n` replaced by the bytes of `hex`. */
static inline void fixture_parts_join(const struct fixture_parts *p, size_t n,
                                      const char *hex, struct buf *out)
{
    mp_put_array(out, (uint32_t)p->count);
    for (size_t i = 0; i < p->count; i++) {
        if (i == n)
            fixture_hex(hex, buf_grow(out, strlen(hex) / 2));
        else
            buf_put_bytes(out, buf_bytes(&p->part[i]));
    }
}

static inline void fixture_parts_close(struct fixture_parts *p)
{
    for (size_t i = 0; i < p->count; i++)
        buf_deinit(&p->part[i]);
}

typedef int fixture_decode(struct bytes raw, struct err *err);

/* Decode a copy that ends where the memory does, so that a sanitizer sees
 * whoever reads too far. */
static inline int fixture_decode_copy(fixture_decode *decode, struct bytes raw,
                                      struct err *err)
{
    uint8_t *copy = malloc(raw.len > 0 ? raw.len : 1);
    assert_non_null(copy);
    if (raw.len > 0)
        memcpy(copy, raw.data, raw.len);
    int rc = decode(bytes_of(copy, raw.len), err);
    free(copy);
    return rc;
}

/* Cut short anywhere, or with a byte more, it is refused. */
static inline void fixture_cut_everywhere(fixture_decode *decode,
                                          struct bytes raw)
{
    struct err err;
    struct buf longer = {0};
    assert_int_equal(fixture_decode_copy(decode, raw, &err), 0);
    for (size_t len = 0; len < raw.len; len++) {
        int rc = fixture_decode_copy(decode, bytes_of(raw.data, len), &err);
        assert_true(rc < 0);
        assert_int_equal(err.code, rc);
    }
    buf_put_bytes(&longer, raw);
    buf_put_u8(&longer, 0xc0);
    assert_true(fixture_decode_copy(decode, buf_bytes(&longer), &err) < 0);
    buf_deinit(&longer);
}

/* ---- A batch with everything. ---- */

enum { FIXTURE_EVENTS = 3 };

struct fixture_batch {
    struct key_pair author;
    struct key_pair witness[2];
    uint8_t chain[CHAIN_ID_SIZE];
    struct buf events[FIXTURE_EVENTS]; /* two of the first, one of the third */
    struct buf tx[2];                  /* headers of the first and the third */
    uint8_t ids[3][TX_ID_SIZE];        /* the second is refused */
    struct further_sig sigs[2];        /* of the first */
    uint8_t signatures[2][SIGN_SIZE];
    uint8_t verdict[HASH_SIZE];
    struct buf payload;
};

static inline struct bytes fixture_read_set(void)
{
    return bytes_of("\x91\x93\x03\xc4\x01k\xc4\x01v", 9);
}

static inline struct bytes fixture_result(void)
{
    return bytes_of("\x81\xa2ok\xc3", 5);
}

static inline void fixture_event(struct fixture_batch *f, struct buf *out,
                                 uint8_t n)
{
    uint8_t id[OBJECT_ID_SIZE];
    uint8_t body_hash[HASH_SIZE];
    memset(id, n, sizeof(id));
    memset(body_hash, 0xb0, sizeof(body_hash));
    event_header_put(out, &(struct event_header){
                              .object = id,
                              .type = bytes_of_text("bank.transfer"),
                              .parent = n == 1 ? id : NULL,
                              .previous = n == 2 ? body_hash : NULL,
                              .author = f->author.id,
                              .auth_ref = n == 2 ? body_hash : NULL,
                              .flags = n == 2 ? EVENT_DELETES : 0,
                              .body_length = n == 1 ? 70000 : 0,
                              .body_hash = n == 1 ? body_hash : NULL,
                              .fields = bytes_of("\x81\xa1n\x07", 4),
                          });
}

/* Header of a transaction of events first to last; its id. */
static inline void fixture_tx(struct fixture_batch *f, struct buf *out,
                              size_t first, size_t last, uint8_t *id)
{
    uint8_t ids[FIXTURE_EVENTS][EVENT_ID_SIZE];
    uint8_t root[HASH_SIZE];
    uint8_t reads[HASH_SIZE];
    uint8_t result[HASH_SIZE];
    uint8_t call[CALL_ID_SIZE];
    size_t count = last - first + 1;
    for (size_t i = 0; i < count; i++)
        event_id(SUITE_1, f->chain, buf_bytes(&f->events[first + i]), ids[i]);
    merkle_root_of_ids((const uint8_t(*)[HASH_SIZE])ids, count, root);
    reads_digest(fixture_read_set(), reads);
    result_digest(fixture_result(), result);
    memset(call, 0xca, sizeof(call));
    tx_header_put(out, &(struct tx_header){
                           .author = f->author.id,
                           .first_sequence = 1000 + first,
                           .count = count,
                           .event_root = root,
                           .seen_size = first == 0 ? 5 : 0,
                           .seen_root = first == 0 ? root : NULL,
                           .call = {.id = call,
                                    .method = bytes_of_text("bank.transfer"),
                                    .reads = first == 0 ? reads : NULL,
                                    .result = result},
                       });
    tx_id(SUITE_1, f->chain, buf_bytes(out), id);
}

static inline void fixture_further_sigs(struct fixture_batch *f)
{
    static const char *const purposes[] = {"author", "endorse"};
    for (size_t i = 0; i < 2; i++) {
        struct bytes purpose = bytes_of_text(purposes[i]);
        further_sig_make(&f->witness[i], f->chain, purpose, f->ids[0],
                         f->signatures[i]);
        f->sigs[i] = (struct further_sig){.key_id = f->witness[i].id,
                                          .purpose = purpose,
                                          .signature = f->signatures[i]};
    }
    assert_true(sigs_sort(f->sigs, 2));
}

static inline void fixture_batch_put(struct fixture_batch *f)
{
    uint8_t signature[SIGN_SIZE];
    struct bytes events[FIXTURE_EVENTS];
    for (size_t i = 0; i < FIXTURE_EVENTS; i++)
        events[i] = buf_bytes(&f->events[i]);
    batch_sign(&f->author, f->chain, (const uint8_t(*)[TX_ID_SIZE])f->ids, 3,
               signature);
    batch_put(&f->payload, f->author.id, signature, 3);
    batch_put_member(&f->payload, &(struct batch_part){
                                      .tx_header = buf_bytes(&f->tx[0]),
                                      .sigs = f->sigs,
                                      .sig_count = 2,
                                      .events = events,
                                      .event_count = 2,
                                      .read_set = fixture_read_set(),
                                      .result = fixture_result(),
                                      .verdict = f->verdict,
                                  });
    batch_put_refused(&f->payload, f->ids[1]);
    batch_put_member(&f->payload, &(struct batch_part){
                                      .tx_header = buf_bytes(&f->tx[1]),
                                      .events = &events[2],
                                      .event_count = 1,
                                      .verdict = f->verdict,
                                  });
}

static inline void fixture_batch_open_in(struct fixture_batch *f,
                                         const uint8_t *chain)
{
    *f = (struct fixture_batch){0};
    fixture_pair(&f->author, 1);
    fixture_pair(&f->witness[0], 2);
    fixture_pair(&f->witness[1], 3);
    memcpy(f->chain, chain, sizeof(f->chain));
    memset(f->verdict, 0x77, sizeof(f->verdict));
    for (uint8_t i = 0; i < FIXTURE_EVENTS; i++)
        fixture_event(f, &f->events[i], (uint8_t)(i + 1));
    fixture_tx(f, &f->tx[0], 0, 1, f->ids[0]);
    memset(f->ids[1], 0xd0, TX_ID_SIZE);
    fixture_tx(f, &f->tx[1], 2, 2, f->ids[2]);
    fixture_further_sigs(f);
    fixture_batch_put(f);
}

static inline void fixture_batch_open(struct fixture_batch *f)
{
    uint8_t chain[CHAIN_ID_SIZE];
    memset(chain, 0xc0, sizeof(chain));
    fixture_batch_open_in(f, chain);
}

static inline void fixture_batch_close(struct fixture_batch *f)
{
    for (size_t i = 0; i < FIXTURE_EVENTS; i++)
        buf_deinit(&f->events[i]);
    buf_deinit(&f->tx[0]);
    buf_deinit(&f->tx[1]);
    buf_deinit(&f->payload);
}
#endif
