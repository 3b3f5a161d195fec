/* The payload of a batch frame.
 *
 *     [author key id, batch signature, [member, ...]]
 *     member = [tx header, [further sig, ...], [event header, ...],
 *               read set or nil, result or nil, verdict digest]
 *           or the tx id of a refused one
 *
 * (1) Every length is bounded before it is believed: members, signatures,
 *     events, the sum of event headers, read set, result.
 * (2) A section of length 0 is written as nil and nothing else.
 * (3) Who signs the batch is the author of each transaction in it, and of each
 *     event of those.
 * (4) A refused member is known by its tx id alone, so that the root over all
 *     ids, and with it the signature, can still be checked. */
#include "event/batch.h"

#include <assert.h>
#include <string.h>

#include "base/err.h"
#include "base/memory.h"
#include "base/limits.h"
#include "crypto/merkle.h"
#include "event/parts.h"

enum { BATCH_PARTS = 3, MEMBER_PARTS = 6 };

void batch_put(struct buf *out, const uint8_t author[KEY_ID_SIZE],
               const uint8_t signature[SIGN_SIZE], size_t members)
{
    assert(members > 0 && members <= LIMIT_BATCH_TXS);
    mp_put_array(out, BATCH_PARTS);
    mp_put_bin(out, bytes_of(author, KEY_ID_SIZE));
    mp_put_bin(out, bytes_of(signature, SIGN_SIZE));
    mp_put_array(out, (uint32_t)members);
}

void batch_put_member(struct buf *out, const struct batch_part *part)
{
    assert(part->event_count > 0 && part->event_count <= LIMIT_TX_EVENTS);
    assert(part->read_set.len <= LIMIT_READ_SET);
    assert(part->result.len <= LIMIT_RESULT);
    mp_put_array(out, MEMBER_PARTS);
    mp_put_bin(out, part->tx_header);
    sigs_put(out, part->sigs, part->sig_count);
    mp_put_array(out, (uint32_t)part->event_count);
    for (size_t i = 0; i < part->event_count; i++)
        mp_put_bin(out, part->events[i]);
    mp_put_bin_or_nil(out, part->read_set);
    mp_put_bin_or_nil(out, part->result);
    mp_put_bin(out, bytes_of(part->verdict, HASH_SIZE));
}

void batch_copy_member(struct buf *out, const struct batch_member *member,
                       const struct further_sig *sigs, size_t sig_count,
                       const uint8_t *verdict)
{
    struct bytes *list = mem_alloc((member->event_count + 1) * sizeof(*list));
    struct batch_events events = batch_events(member);
    size_t count = 0;
    while (batch_events_next(&events, &list[count]))
        count++;
    struct batch_part part = {
        .tx_header = member->tx_header,
        .sigs = sigs,
        .sig_count = sig_count,
        .events = list,
        .event_count = count,
        .read_set = member->read_set,
        .result = member->result,
        .verdict = verdict,
    };
    batch_put_member(out, &part);
    mem_free(list);
}

void batch_put_refused(struct buf *out, const uint8_t tx_id[TX_ID_SIZE])
{
    mp_put_bin(out, bytes_of(tx_id, TX_ID_SIZE));
}

int batch_open(struct batch_reader *r, struct bytes payload, struct err *err)
{
    *r = (struct batch_reader){.mp = mp_open(payload)};
    struct mp *mp = &r->mp;
    if (payload.len > LIMIT_FRAME_PAYLOAD)
        return err_set(err, ATE_ELIMIT, "batch of %zu bytes, at most %d",
                       payload.len, LIMIT_FRAME_PAYLOAD);
    mp_get_array_of(mp, BATCH_PARTS, err);
    mp_get_bin_of(mp, KEY_ID_SIZE, &r->author, err);
    mp_get_bin_of(mp, SIGN_SIZE, &r->signature, err);
    mp_get_array(mp, &r->count, err);
    int rc = mp->failed;
    if (rc == 0 && r->count == 0)
        rc = err_set(err, ATE_EINVALID, "no transactions");
    if (rc == 0 && r->count > LIMIT_BATCH_TXS)
        rc = err_set(err, ATE_ELIMIT, "%u transactions, at most %d",
                     (unsigned)r->count, LIMIT_BATCH_TXS);
    if (rc != 0)
        err_wrap(err, "batch");
    return rc;
}

/* The array of event headers, walked for its bounds (1). */
static int get_events(struct mp *mp, struct batch_member *m, struct err *err)
{
    const uint8_t *start = mp->at;
    size_t total = 0;
    int rc = mp_get_array(mp, &m->event_count, err);
    if (rc == 0 && m->event_count != m->tx.count)
        return err_set(
            err, ATE_EINVALID, "%u of them, the transaction header says %llu",
            (unsigned)m->event_count, (unsigned long long)m->tx.count);
    for (uint32_t i = 0; rc == 0 && i < m->event_count; i++) {
        struct bytes header;
        rc = mp_get_bin(mp, &header, err);
        if (rc != 0)
            break;
        total += header.len;
        if (header.len > LIMIT_EVENT_HEADER || total > LIMIT_TX_HEADERS)
            return err_set(err, ATE_ELIMIT,
                           "number %u is over %d bytes, or all over %d",
                           (unsigned)i, LIMIT_EVENT_HEADER, LIMIT_TX_HEADERS);
    }
    m->events = bytes_of(start, (size_t)(mp->at - start));
    return rc;
}

/* Read set or result; data NULL when it is not there (2). */
static int get_section(struct mp *mp, size_t max, struct bytes *section,
                       struct err *err)
{
    *section = (struct bytes){0};
    if (mp_take_nil(mp))
        return 0;
    int rc = mp_get_bin(mp, section, err);
    if (rc == 0 && section->len == 0)
        return err_set(err, ATE_EINVALID, "empty, want nil");
    if (rc == 0 && section->len > max)
        return err_set(err, ATE_ELIMIT, "%zu bytes, at most %zu", section->len,
                       max);
    return rc;
}

/* A section without a digest proves nothing about itself. */
static int get_covered(struct mp *mp, size_t max, const uint8_t *digest,
                       struct bytes *section, struct err *err)
{
    int rc = get_section(mp, max, section, err);
    if (rc == 0 && section->data != NULL && digest == NULL)
        return err_set(err, ATE_EINVALID,
                       "the transaction header has no digest of it");
    return rc;
}

/* (3) */
static int get_tx_header(struct batch_reader *r, struct batch_member *m,
                         struct err *err)
{
    int rc = mp_get_bin(&r->mp, &m->tx_header, err);
    if (rc == 0)
        rc = tx_header_get(m->tx_header, &m->tx, err);
    if (rc == 0 && memcmp(m->tx.author, r->author, KEY_ID_SIZE) != 0)
        rc = err_set(err, ATE_EINVALID, "its author is not the batch's");
    return rc;
}

static int get_accepted(struct batch_reader *r, struct batch_member *m,
                        const char **part, struct err *err)
{
    int rc;
    struct mp *mp = &r->mp;
    PART("shape", mp_get_array_of(mp, MEMBER_PARTS, err));
    PART("header", get_tx_header(r, m, err));
    PART("further signatures", sigs_get(mp, &m->sigs, err));
    PART("event headers", get_events(mp, m, err));
    PART("read set",
         get_covered(mp, LIMIT_READ_SET, m->tx.call.reads, &m->read_set, err));
    PART("result",
         get_covered(mp, LIMIT_RESULT, m->tx.call.result, &m->result, err));
    PART("verdict digest", mp_get_bin_of(mp, HASH_SIZE, &m->verdict, err));
    return 0;
}

int batch_next(struct batch_reader *r, struct batch_member *member,
               struct err *err)
{
    *member = (struct batch_member){0};
    struct mp *mp = &r->mp;
    const char *part = "shape";
    enum mp_kind kind = MP_NIL;
    if (r->next == r->count) {
        int rc = mp_done(mp, err);
        if (rc != 0)
            err_wrap(err, "batch, end");
        return rc;
    }
    int rc = mp_peek(mp, &kind, err);
    if (rc == 0 && kind == MP_BIN) {
        member->refused = true;
        rc = mp_get_bin_of(mp, TX_ID_SIZE, &member->refused_id, err);
    } else if (rc == 0) {
        rc = get_accepted(r, member, &part, err);
    }
    if (rc != 0) {
        mp->failed = rc;
        err_wrap(err, "batch, transaction %u, %s", (unsigned)r->next, part);
        return rc;
    }
    r->next++;
    return 1;
}

struct batch_events batch_events(const struct batch_member *member)
{
    struct batch_events events = {.mp = mp_open(member->events)};
    assert(!member->refused);
    int rc = mp_get_array(&events.mp, &events.left, NULL);
    assert(rc == 0 && events.left == member->event_count);
    return events;
}

bool batch_events_next(struct batch_events *events, struct bytes *header)
{
    if (events->left == 0)
        return false;
    int rc = mp_get_bin(&events->mp, header, NULL);
    assert(rc == 0); /* batch_next walked it */
    events->left--;
    return true;
}

void batch_member_id(const struct batch_member *member, uint8_t suite,
                     const uint8_t *chain_id, uint8_t out[TX_ID_SIZE])
{
    if (member->refused)
        memcpy(out, member->refused_id, TX_ID_SIZE);
    else
        tx_id(suite, chain_id, member->tx_header, out);
}

/* (3) */
static int decode_event(const struct batch_member *member,
                        struct batch_event *e, struct err *err)
{
    int rc = event_header_get(e->raw, &e->header, err);
    if (rc == 0 &&
        memcmp(e->header.author, member->tx.author, KEY_ID_SIZE) != 0)
        rc = err_set(err, ATE_EINVALID, "its author is not the transaction's");
    return rc;
}

int batch_member_decode(const struct batch_member *member, uint8_t suite,
                        const uint8_t *chain_id, struct batch_event *events,
                        struct err *err)
{
    struct batch_events left = batch_events(member);
    for (size_t i = 0; batch_events_next(&left, &events[i].raw); i++) {
        int rc = decode_event(member, &events[i], err);
        if (rc != 0)
            return err_wrap(err, "event %zu", i);
        event_id(suite, chain_id, events[i].raw, events[i].id);
    }
    return 0;
}

static int check_events(const struct batch_member *member,
                        const struct batch_event *events, struct err *err)
{
    struct merkle tree;
    uint8_t root[HASH_SIZE];
    assert(member->tx.event_root != NULL);
    merkle_init(&tree);
    for (uint32_t i = 0; i < member->event_count; i++)
        merkle_append_leaf(&tree, bytes_of(events[i].id, EVENT_ID_SIZE));
    merkle_root(&tree, root);
    if (memcmp(root, member->tx.event_root, HASH_SIZE) != 0)
        return err_set(err, ATE_ECORRUPT,
                       "its events are not what its header says");
    return 0;
}

/* A section that is there has to be the one the header speaks of. */
static int check_section(const char *name, struct bytes section,
                         enum label label, const uint8_t *digest,
                         struct err *err)
{
    uint8_t hash[HASH_SIZE];
    if (section.data == NULL)
        return 0;
    hash_of(label, section, hash);
    if (digest == NULL || memcmp(hash, digest, HASH_SIZE) != 0)
        return err_set(err, ATE_ECORRUPT, "its %s is not what its header says",
                       name);
    return 0;
}

int batch_member_check(const struct batch_member *member,
                       const struct batch_event *events, struct err *err)
{
    const struct call_record *call = &member->tx.call;
    int rc = check_events(member, events, err);
    if (rc == 0)
        rc = check_section("read set", member->read_set, LABEL_READS,
                           call->reads, err);
    if (rc == 0)
        rc = check_section("result", member->result, LABEL_RESULT, call->result,
                           err);
    if (rc == 0 && member->result.data != NULL &&
        mp_check(member->result, err) != 0)
        rc = err_wrap(err, "its result");
    return rc;
}

int batch_member_check_whole(const struct batch_member *member, struct err *err)
{
    const struct call_record *call = &member->tx.call;
    if (call->reads != NULL && member->read_set.data == NULL)
        return err_set(err, ATE_EINVALID, "its read set was left out");
    if (call->result != NULL && member->result.data == NULL)
        return err_set(err, ATE_EINVALID, "its result was left out");
    return 0;
}

void batch_signed_hash(uint8_t suite, const uint8_t *chain_id, uint64_t count,
                       const uint8_t root[HASH_SIZE], uint8_t out[HASH_SIZE])
{
    struct hasher h;
    hash_begin(&h, LABEL_BATCH);
    hash_u8(&h, suite);
    hash_part_of(&h, chain_id, CHAIN_ID_SIZE);
    hash_u64(&h, count);
    hash_part_of(&h, root, HASH_SIZE);
    hash_end(&h, out);
}

void batch_sign(const struct key_pair *pair, const uint8_t *chain_id,
                const uint8_t (*tx_ids)[TX_ID_SIZE], size_t count,
                uint8_t signature[SIGN_SIZE])
{
    uint8_t hash[HASH_SIZE];
    assert(count > 0 && count <= LIMIT_BATCH_TXS);
    merkle_root_of_ids(tx_ids, count, hash);
    batch_signed_hash(pair->record.suite, chain_id, count, hash, hash);
    sign_bytes(pair->secret, bytes_of(hash, sizeof(hash)), signature);
}

bool batch_signature_verify(const struct key_record *author,
                            const uint8_t *chain_id,
                            const uint8_t (*tx_ids)[TX_ID_SIZE], size_t count,
                            const uint8_t signature[SIGN_SIZE])
{
    uint8_t hash[HASH_SIZE];
    merkle_root_of_ids(tx_ids, count, hash);
    batch_signed_hash(author->suite, chain_id, count, hash, hash);
    return sign_verify(author->sign, bytes_of(hash, sizeof(hash)), signature);
}
