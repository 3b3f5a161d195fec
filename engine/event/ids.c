#include "event/ids.h"

#include <assert.h>
#include <string.h>

enum { VERDICT_KIND_MIN = 2, VERDICT_KIND_MAX = 5 };

void chain_id(struct bytes genesis, uint8_t out[CHAIN_ID_SIZE])
{
    hash_of(LABEL_GENESIS, genesis, out);
}

/* H(label, suite, chain id, header). */
static void header_id(enum label label, uint8_t suite, const uint8_t *chain,
                      struct bytes header, uint8_t out[HASH_SIZE])
{
    struct hasher h;
    hash_begin(&h, label);
    hash_u8(&h, suite);
    hash_part_of(&h, chain, CHAIN_ID_SIZE);
    hash_part(&h, header);
    hash_end(&h, out);
}

void event_id(uint8_t suite, const uint8_t *chain, struct bytes header,
              uint8_t out[EVENT_ID_SIZE])
{
    header_id(LABEL_EVENT, suite, chain, header, out);
}

void tx_id(uint8_t suite, const uint8_t *chain, struct bytes header,
           uint8_t out[TX_ID_SIZE])
{
    header_id(LABEL_TX, suite, chain, header, out);
}

void object_id(const uint8_t *chain, struct bytes type,
               const uint8_t *parent_id, struct bytes key_fields,
               uint8_t out[OBJECT_ID_SIZE])
{
    static const uint8_t no_parent[OBJECT_ID_SIZE];
    uint8_t full[HASH_SIZE];
    struct hasher h;
    hash_begin(&h, LABEL_OBJECT);
    hash_part_of(&h, chain, CHAIN_ID_SIZE);
    hash_part(&h, type);
    hash_part_of(&h, parent_id == NULL ? no_parent : parent_id, OBJECT_ID_SIZE);
    hash_part(&h, key_fields);
    hash_end(&h, full);
    memcpy(out, full, OBJECT_ID_SIZE);
}

void fact_id(const uint8_t *chain, const uint8_t *author_key_id,
             const uint8_t *call_id, uint64_t n, uint8_t out[OBJECT_ID_SIZE])
{
    uint8_t full[HASH_SIZE];
    struct hasher h;
    hash_begin(&h, LABEL_FACT);
    hash_part_of(&h, chain, CHAIN_ID_SIZE);
    hash_part_of(&h, author_key_id, HASH_SIZE);
    hash_part_of(&h, call_id, CALL_ID_SIZE);
    hash_u64(&h, n);
    hash_end(&h, full);
    memcpy(out, full, OBJECT_ID_SIZE);
}

void args_digest(struct bytes arguments, uint8_t out[HASH_SIZE])
{
    hash_of(LABEL_ARGS, arguments, out);
}

void reads_digest(struct bytes read_set, uint8_t out[HASH_SIZE])
{
    hash_of(LABEL_READS, read_set, out);
}

void result_digest(struct bytes result, uint8_t out[HASH_SIZE])
{
    hash_of(LABEL_RESULT, result, out);
}

void verdict_begin(struct verdict *v)
{
    v->kind = 0;
    hash_begin(&v->hasher, LABEL_VERDICT);
}

void verdict_event(struct verdict *v, const uint8_t id[EVENT_ID_SIZE])
{
    assert(v->kind == 0);
    hash_part_of(&v->hasher, id, EVENT_ID_SIZE);
}

void verdict_entry(struct verdict *v, uint8_t kind, struct bytes key,
                   const struct bytes *value)
{
    assert(kind >= VERDICT_KIND_MIN && kind <= VERDICT_KIND_MAX);
    assert(kind >= v->kind);
    assert(value == NULL || value->len > 0); /* else it would read as deleted */
    struct bytes nothing = {0};
    v->kind = kind;
    hash_u8(&v->hasher, kind);
    hash_part(&v->hasher, key);
    hash_part(&v->hasher, value == NULL ? nothing : *value);
}

void verdict_end(struct verdict *v, uint8_t out[HASH_SIZE])
{
    hash_end(&v->hasher, out);
}

void log_leaf(uint8_t suite, uint64_t index, const uint8_t tx[TX_ID_SIZE],
              const uint8_t sigs[HASH_SIZE], const uint8_t verdict[HASH_SIZE],
              uint8_t out[LOG_LEAF_SIZE])
{
    out[0] = suite;
    put_be64(out + 1, index);
    memcpy(out + 9, tx, HASH_SIZE);
    memcpy(out + 9 + HASH_SIZE, sigs, HASH_SIZE);
    memcpy(out + 9 + 2 * HASH_SIZE, verdict, HASH_SIZE);
}
