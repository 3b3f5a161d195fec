/* proposal: what a proposal would write into this chain, so that who is to sign
 * it sees it as doors show things. Whether it may be written is not judged
 * here; but what is shown is what was signed, bodies too, by those who are
 * named. */
#include <string.h>

#include "base/memory.h"
#include "base/msgpack.h"
#include "chain/member.h"
#include "event/proposal.h"
#include "query/inside.h"
#include "schema/value.h"

/* While one is told. */
struct telling {
    struct batch_reader batch;
    struct member_bodies bodies;
    uint8_t (*ids)[TX_ID_SIZE]; /* of all members so far */
    size_t count;
};

static int begin(struct query *q, struct err *err)
{
    static const char *const names[] = {"proposal", NULL};
    (void)q;
    return query_check_args(q, names, err);
}

static void put_signers(struct query *q, const struct batch_member *m,
                        struct buf *out)
{
    struct further_sig sigs[LIMIT_TX_SIGNATURES];
    size_t count = sigs_list(&m->sigs, sigs);
    mp_put_array(out, (uint32_t)count);
    for (size_t i = 0; i < count; i++) {
        struct buf text = {0};
        door_put_identity(&q->door, sigs[i].key_id, &text);
        buf_printf(&text, " (%.*s)", (int)sigs[i].purpose.len,
                   (const char *)sigs[i].purpose.data);
        mp_put_str(out, buf_bytes(&text));
        buf_deinit(&text);
    }
}

/* Which body it is, and what it says where a type tells how. */
static int put_body(struct query *q, struct telling *t,
                    const struct event_header *h, struct buf *out,
                    struct err *err)
{
    const struct schema *s = chain_core(q->chain)->schema;
    const struct event_type *type = schema_type(s, h->type);
    struct mapping m = {0};
    struct bytes body = {NULL, 0};
    int rc = member_body(&t->bodies, h, &body, err);
    if (rc == 0 && body.data != NULL)
        rc = body_check(body, h->body_length, h->body_hash, err);
    if (rc != 0)
        return rc;
    if (type != NULL && body.data != NULL &&
        body_fits(s, type, body, type->name, NULL) == 0)
        query_put_body(q, type, body, mapping_key(&m, "fields"));
    mapping_hex(&m, "hash", bytes_of(h->body_hash, HASH_SIZE));
    mapping_uint(&m, "length", h->body_length);
    mapping_put(&m, out);
    return 0;
}

/* One for each event, nil where there is none. */
static int put_bodies(struct query *q, struct telling *t,
                      const struct batch_member *m, struct buf *out,
                      struct err *err)
{
    struct batch_events events = batch_events(m);
    struct bytes raw;
    int rc = 0;
    mp_put_array(out, m->event_count);
    for (uint32_t n = 0; rc == 0 && batch_events_next(&events, &raw); n++) {
        struct event_header h;
        rc = event_header_get(raw, &h, err);
        if (rc == 0 && h.body_length > 0)
            rc = put_body(q, t, &h, out, err);
        else
            mp_put_nil(out);
        if (rc != 0)
            err_wrap(err, "event %u", (unsigned)n);
    }
    return rc;
}

static int put_member(struct query *q, struct telling *t,
                      const struct batch_member *m, struct err *err)
{
    struct mapping map = {0};
    uint8_t *id = t->ids[t->count++];
    int rc = 0;
    batch_member_id(m, SUITE_1, chain_core(q->chain)->id, id);
    if (!m->refused) {
        rc = member_check_sigs(q->chain, m, id, err);
        query_put_member(q, &map, chain_size(q->chain), m);
        put_signers(q, m, mapping_key(&map, "signed"));
        if (rc == 0)
            rc = put_bodies(q, t, m, mapping_key(&map, "bodies"), err);
    }
    mapping_put(&map, &q->result);
    return rc;
}

/* Of its author, over all of it. */
static int check_author(struct query *q, const struct telling *t,
                        struct bytes payload, struct err *err)
{
    struct key_record author;
    int rc = member_author(q->chain, payload, t->batch.author, &author, err);
    if (rc != 0 || batch_signature_verify(&author, chain_core(q->chain)->id,
                                          (const uint8_t(*)[TX_ID_SIZE])t->ids,
                                          t->count, t->batch.signature))
        return rc;
    return err_set(err, ATE_ECORRUPT, "its author's signature is not good");
}

static int put_members(struct query *q, const struct proposal *p,
                       struct err *err)
{
    struct telling t = {.bodies = {.inlined = p->inlined, .file = p->bodies}};
    struct batch_member m;
    int rc = batch_open(&t.batch, p->payload, err);
    if (rc != 0)
        return rc;
    t.ids = mem_zero(t.batch.count, sizeof(*t.ids));
    mp_put_array(&q->result, t.batch.count);
    while (rc == 0 && (rc = batch_next(&t.batch, &m, err)) == 1)
        rc = put_member(q, &t, &m, err);
    if (rc == 0)
        rc = check_author(q, &t, p->payload, err);
    mem_free(t.ids);
    return rc;
}

static int step(struct query *q, struct err *err)
{
    struct proposal p;
    struct bytes text;
    const uint8_t *id = chain_core(q->chain)->id;
    int rc = query_take_text(q, "proposal", true, &text, err);
    if (rc != 0)
        return rc;
    rc = proposal_get(text, &p, err);
    if (rc == 0 && memcmp(p.chain, id, CHAIN_ID_SIZE) != 0)
        rc = err_set(err, ATE_EINVALID, "it is another chain's");
    if (rc == 0)
        rc = put_members(q, &p, err);
    if (rc != 0)
        err_at(err, "proposal");
    proposal_deinit(&p);
    return rc != 0 ? rc : STEP_END;
}

const struct query_kind query_proposal = {
    .name = "proposal", .begin = begin, .step = step};
