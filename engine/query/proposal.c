/* proposal: what a proposal would write into this chain, so that who is to sign
 * it sees it as doors show things. Nothing of it is judged here. */
#include <string.h>

#include "base/msgpack.h"
#include "query/inside.h"
#include "event/proposal.h"

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

static int put_members(struct query *q, const struct proposal *p,
                       struct err *err)
{
    struct batch_reader r;
    struct batch_member m;
    int rc = batch_open(&r, p->payload, err);
    if (rc == 0)
        mp_put_array(&q->result, r.count);
    while (rc == 0 && (rc = batch_next(&r, &m, err)) == 1) {
        struct mapping map = {0};
        rc = 0;
        if (!m.refused) {
            query_put_member(q, &map, chain_size(q->chain), &m);
            put_signers(q, &m, mapping_key(&map, "signed"));
        }
        mapping_put(&map, &q->result);
    }
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
    proposal_deinit(&p);
    return rc != 0 ? rc : STEP_END;
}

const struct query_kind query_proposal = {"proposal", begin, step};
