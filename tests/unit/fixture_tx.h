/* Transactions made by hand, from docs/format.md, as somebody makes them who
 * has keys and none of this engine's methods; handed in as batches. */
#ifndef ATE_TESTS_FIXTURE_TX_H
#define ATE_TESTS_FIXTURE_TX_H

#include "fixture_chain.h"

#include "crypto/merkle.h"
#include "event/body.h"
#include "event/header.h"
#include "event/receipt.h"

enum {
    TX_EVENTS = 8,
    TX_SIGNERS = 4,
    PAIRS = 16, /* of people whom the fixture of chains does not know */
};

/* ---- people ---- */

/* The n-th of those whom neither the log nor the node knows. */
static inline const struct key_pair *pair(size_t n)
{
    static struct key_pair pairs[PAIRS];
    assert_true(n < PAIRS);
    fixture_pair(&pairs[n], (uint8_t)(30 + n));
    return &pairs[n];
}

/* ---- one transaction ---- */

struct tx {
    struct fixture_chain *f;
    const struct key_pair *author;
    uint64_t first_sequence;
    uint64_t seen_size;
    uint8_t seen_root[HASH_SIZE];
    uint8_t call_id[CALL_ID_SIZE];
    const char *method;
    bool has_bundle;
    uint8_t bundle[HASH_SIZE];
    const uint8_t *caller; /* or NULL */
    const uint8_t *token;  /* or NULL */
    struct buf events[TX_EVENTS];
    uint8_t ids[TX_EVENTS][EVENT_ID_SIZE];
    size_t count;
    struct buf inlined;
    struct buf bodies;
    struct buf read_set;
    struct buf result;
    struct signer signers[TX_SIGNERS]; /* beside the author */
    size_t signer_count;
    /* Set by tx_encode(). */
    struct buf header;
    uint8_t id[TX_ID_SIZE];
    struct further_sig sigs[TX_SIGNERS];
    uint8_t signatures[TX_SIGNERS][SIGN_SIZE];
};

/* One that is good as far as it goes: the author's next sequence, the log as it
 * is, a call id of its own. */
static inline void tx_begin(struct fixture_chain *f, struct tx *t,
                            const struct key_pair *author)
{
    struct author known;
    *t = (struct tx){.f = f, .author = author, .method = "by.hand"};
    if (state_author(chain_version(f->chain), author->id, &known))
        t->first_sequence = known.next_sequence;
    t->seen_size = chain_size(f->chain);
    chain_root(f->chain, t->seen_root);
    memset(t->call_id, 0xca, sizeof(t->call_id));
    put_be64(t->call_id, ++f->calls);
    t->has_bundle = true;
    memcpy(t->bundle, chain_core(f->chain)->bundle_hash, HASH_SIZE);
}

static inline void tx_end(struct tx *t)
{
    for (size_t i = 0; i < TX_EVENTS; i++)
        buf_deinit(&t->events[i]);
    buf_deinit(&t->inlined);
    buf_deinit(&t->bodies);
    buf_deinit(&t->read_set);
    buf_deinit(&t->result);
    buf_deinit(&t->header);
}

static inline void tx_sign(struct tx *t, const struct key_pair *signer,
                           const char *purpose)
{
    assert_true(t->signer_count < TX_SIGNERS);
    t->signers[t->signer_count++] =
        (struct signer){.pair = signer, .purpose = bytes_of_text(purpose)};
}

/* Add the event: its author, and the object id of a fact, are put in. */
static inline size_t tx_event(struct tx *t, struct event_header h)
{
    const uint8_t *chain = chain_core(t->f->chain)->id;
    uint8_t id[OBJECT_ID_SIZE];
    size_t n = t->count++;
    assert_true(n < TX_EVENTS);
    fact_id(chain, t->author->id, t->call_id, n, id);
    if (h.object == NULL)
        h.object = id;
    if (h.author == NULL)
        h.author = t->author->id;
    event_header_put(&t->events[n], &h);
    event_id(SUITE_1, chain, buf_bytes(&t->events[n]), t->ids[n]);
    return n;
}

/* A fact of this type; takes the fields. */
static inline size_t tx_fact(struct tx *t, const char *type, struct buf *fields,
                             const uint8_t *auth_ref)
{
    size_t n = tx_event(t, (struct event_header){
                               .type = bytes_of_text(type),
                               .auth_ref = auth_ref,
                               .fields = buf_bytes(fields),
                           });
    buf_deinit(fields);
    return n;
}

/* The event ate.key of this record. */
static inline size_t tx_key(struct tx *t, const struct key_record *record)
{
    struct buf fields = {0};
    mp_put_map(&fields, 3);
    mp_put_text(&fields, "box");
    mp_put_bin(&fields, bytes_of(record->box, BOX_PUBLIC_SIZE));
    mp_put_text(&fields, "sign");
    mp_put_bin(&fields, bytes_of(record->sign, SIGN_PUBLIC_SIZE));
    mp_put_text(&fields, "suite");
    mp_put_uint(&fields, SUITE_1);
    return tx_fact(t, "ate.key", &fields, NULL);
}

/* As docs/format.md section 4 lays bodies out. */
static inline void put_body(struct tx *t, struct bytes body, uint8_t hash[32])
{
    body_hash(body, hash);
    if (body.len <= LIMIT_BODY_INLINE) {
        buf_put_bytes(&t->inlined, body);
    } else {
        buf_put_bytes(&t->bodies, body);
        buf_pad(&t->bodies, 8);
    }
}

/* land.word, with a body that holds so many bytes; 0: none. */
static inline size_t tx_word_of(struct tx *t, const char *text, size_t body_len,
                                const uint8_t *auth_ref)
{
    struct buf fields = {0};
    struct buf body = {0};
    struct buf more = {0};
    uint8_t hash[HASH_SIZE];
    mp_put_map(&fields, 1);
    mp_put_text(&fields, "text");
    mp_put_text(&fields, text);
    struct event_header h = {
        .type = bytes_of_text("land.word"),
        .auth_ref = auth_ref,
        .fields = buf_bytes(&fields),
    };
    if (body_len > 0) {
        memset(buf_grow(&more, body_len), 'm', body_len);
        mp_put_map(&body, 1);
        mp_put_text(&body, "more");
        mp_put_str(&body, buf_bytes(&more));
        put_body(t, buf_bytes(&body), hash);
        h.body_length = body.len;
        h.body_hash = hash;
    }
    size_t n = tx_event(t, h);
    buf_deinit(&fields);
    buf_deinit(&body);
    buf_deinit(&more);
    return n;
}

static inline size_t tx_word(struct tx *t, const char *text)
{
    return tx_word_of(t, text, 0, NULL);
}

/* ---- trust events ---- */

static inline void put_record(struct buf *out, const struct key_record *record)
{
    mp_put_array(out, 3);
    mp_put_uint(out, record->suite);
    mp_put_bin(out, bytes_of(record->sign, SIGN_PUBLIC_SIZE));
    mp_put_bin(out, bytes_of(record->box, BOX_PUBLIC_SIZE));
}

struct give {
    const uint8_t *to;
    const char *rights;     /* "create,write", sorted */
    const uint8_t *object;  /* or NULL */
    const uint8_t *act_for; /* or NULL */
    const uint8_t *under;   /* auth_ref, or NULL */
    const struct key_record *key;
    uint64_t depth;
    int64_t until; /* 0: none */
};

static inline void put_rights(struct buf *out, const char *rights)
{
    uint32_t count = *rights != '\0';
    for (const char *p = rights; *p != '\0'; p++)
        count += *p == ',';
    mp_put_array(out, count);
    for (uint32_t i = 0; i < count; i++) {
        const char *end = strchr(rights, ',');
        size_t len = end != NULL ? (size_t)(end - rights) : strlen(rights);
        mp_put_str(out, bytes_of(rights, len));
        rights = end != NULL ? end + 1 : "";
    }
}

static inline size_t tx_give(struct tx *t, struct give g)
{
    struct buf fields = {0};
    mp_put_map(&fields, 3 + (g.act_for != NULL) + (g.key != NULL) +
                            (g.object != NULL) + (g.until != 0));
    if (g.act_for != NULL) {
        mp_put_text(&fields, "act_for");
        mp_put_bin(&fields, bytes_of(g.act_for, 32));
    }
    mp_put_text(&fields, "depth");
    mp_put_uint(&fields, g.depth);
    if (g.key != NULL) {
        mp_put_text(&fields, "key");
        put_record(&fields, g.key);
    }
    if (g.object != NULL) {
        mp_put_text(&fields, "object");
        mp_put_bin(&fields, bytes_of(g.object, OBJECT_ID_SIZE));
    }
    mp_put_text(&fields, "rights");
    put_rights(&fields, g.rights);
    mp_put_text(&fields, "to");
    mp_put_bin(&fields, bytes_of(g.to, 32));
    if (g.until != 0) {
        mp_put_text(&fields, "until");
        mp_put_int(&fields, g.until);
    }
    return tx_fact(t, "ate.delegation", &fields, g.under);
}

static inline size_t tx_revoke(struct tx *t, const uint8_t *delegation)
{
    struct buf fields = {0};
    mp_put_map(&fields, 1);
    mp_put_text(&fields, "delegation");
    mp_put_bin(&fields, bytes_of(delegation, EVENT_ID_SIZE));
    return tx_fact(t, "ate.revocation", &fields, NULL);
}

struct key_set {
    struct key_record records[LIMIT_ROOT_KEYS + 1];
    size_t count;
    uint64_t k;
};

/* H("roots", [key record, ...], k). */
static inline void set_digest(const struct key_set *s, uint8_t out[HASH_SIZE])
{
    struct buf list = {0};
    struct buf all = {0};
    mp_put_array(&list, (uint32_t)s->count);
    for (size_t i = 0; i < s->count; i++)
        put_record(&list, &s->records[i]);
    buf_put_u8(&all, 5);
    buf_put_text(&all, "roots");
    put_be32(buf_grow(&all, 4), (uint32_t)list.len);
    buf_put_bytes(&all, buf_bytes(&list));
    put_be32(buf_grow(&all, 4), 8);
    buf_put_be64(&all, s->k);
    sha256(buf_bytes(&all), out);
    buf_deinit(&list);
    buf_deinit(&all);
}

static inline size_t tx_roots(struct tx *t, const struct key_set *s,
                              const uint8_t *next_or_null)
{
    struct buf fields = {0};
    mp_put_map(&fields, next_or_null != NULL ? 3 : 2);
    mp_put_text(&fields, "keys");
    mp_put_array(&fields, (uint32_t)s->count);
    for (size_t i = 0; i < s->count; i++)
        put_record(&fields, &s->records[i]);
    if (next_or_null != NULL) {
        mp_put_text(&fields, "next");
        mp_put_bin(&fields, bytes_of(next_or_null, HASH_SIZE));
    }
    mp_put_text(&fields, "threshold");
    mp_put_uint(&fields, s->k);
    return tx_fact(t, "ate.roots", &fields, NULL);
}

static inline size_t tx_order(struct tx *t, const struct key_record *record,
                              uint64_t term)
{
    struct buf fields = {0};
    mp_put_map(&fields, 2);
    mp_put_text(&fields, "key");
    put_record(&fields, record);
    mp_put_text(&fields, "term");
    mp_put_uint(&fields, term);
    return tx_fact(t, "ate.order", &fields, NULL);
}

/* ---- batches ---- */

struct handed {
    struct chain_submit submit;
    struct buf payload;
    struct buf inlined;
    struct buf bodies;
    bool done;
};

static inline void tx_encode(struct tx *t)
{
    const uint8_t *chain = chain_core(t->f->chain)->id;
    uint8_t root[HASH_SIZE];
    uint8_t reads[HASH_SIZE];
    uint8_t result[HASH_SIZE];
    merkle_root_of_ids((const uint8_t(*)[HASH_SIZE])t->ids, t->count, root);
    reads_digest(buf_bytes(&t->read_set), reads);
    result_digest(buf_bytes(&t->result), result);
    buf_clear(&t->header);
    tx_header_put(&t->header,
                  &(struct tx_header){
                      .author = t->author->id,
                      .first_sequence = t->first_sequence,
                      .count = t->count,
                      .event_root = root,
                      .seen_size = t->seen_size,
                      .seen_root = t->seen_size > 0 ? t->seen_root : NULL,
                      .call = {.id = t->call_id,
                               .method = bytes_of_text(t->method),
                               .bundle = t->has_bundle ? t->bundle : NULL,
                               .reads = t->read_set.len > 0 ? reads : NULL,
                               .result = t->result.len > 0 ? result : NULL,
                               .caller = t->caller,
                               .token = t->token},
                  });
    tx_id(SUITE_1, chain, buf_bytes(&t->header), t->id);
    for (size_t i = 0; i < t->signer_count; i++) {
        const struct signer *s = &t->signers[i];
        further_sig_make(s->pair, chain, s->purpose, t->id, t->signatures[i]);
        t->sigs[i] = (struct further_sig){
            .key_id = s->pair->id,
            .purpose = s->purpose,
            .signature = t->signatures[i],
        };
    }
    assert_true(sigs_sort(t->sigs, t->signer_count));
}

static inline void put_tx(struct handed *h, struct tx *t)
{
    static const uint8_t no_verdict[HASH_SIZE];
    struct bytes events[TX_EVENTS];
    for (size_t i = 0; i < t->count; i++)
        events[i] = buf_bytes(&t->events[i]);
    batch_put_member(&h->payload, &(struct batch_part){
                                      .tx_header = buf_bytes(&t->header),
                                      .sigs = t->sigs,
                                      .sig_count = t->signer_count,
                                      .events = events,
                                      .event_count = t->count,
                                      .read_set = buf_bytes(&t->read_set),
                                      .result = buf_bytes(&t->result),
                                      .verdict = no_verdict,
                                  });
    buf_put_bytes(&h->inlined, buf_bytes(&t->inlined));
    buf_put_bytes(&h->bodies, buf_bytes(&t->bodies));
}

static inline void was_told(struct chain_submit *submit)
{
    struct handed *h = submit->owner;
    h->done = true;
}

/* The transactions as one batch of the first one's author, not yet handed in.
 */
static inline void batch_of(struct handed *h, struct tx *txs, size_t count)
{
    uint8_t signature[SIGN_SIZE];
    uint8_t(*ids)[TX_ID_SIZE] = mem_alloc(count * sizeof(*ids));
    *h = (struct handed){0};
    for (size_t i = 0; i < count; i++) {
        tx_encode(&txs[i]);
        memcpy(ids[i], txs[i].id, TX_ID_SIZE);
    }
    batch_sign(txs->author, chain_core(txs->f->chain)->id,
               (const uint8_t(*)[TX_ID_SIZE])ids, count, signature);
    batch_put(&h->payload, txs->author->id, signature, count);
    for (size_t i = 0; i < count; i++)
        put_tx(h, &txs[i]);
    mem_free(ids);
}

/* Hand it in; what it waits for is not waited for. */
static inline void hand_in(struct fixture_chain *f, struct handed *h)
{
    h->done = false;
    h->submit = (struct chain_submit){
        .parts = {buf_bytes(&h->payload), buf_bytes(&h->inlined),
                  buf_bytes(&h->bodies)},
        .done = was_told,
        .owner = h,
    };
    chain_submit(f->chain, &h->submit);
}

static inline void handed_end(struct handed *h)
{
    chain_submit_deinit(&h->submit);
    buf_deinit(&h->payload);
    buf_deinit(&h->inlined);
    buf_deinit(&h->bodies);
}

/* The code of the batch, or else of its first member; and its text. */
static inline int handed_code(const struct handed *h, const char **text)
{
    assert_true(h->done);
    *text = h->submit.err.text;
    if (h->submit.code != 0)
        return h->submit.code;
    if (h->submit.results[0].code != 0)
        *text = h->submit.results[0].err->text;
    return h->submit.results[0].code;
}

#endif
