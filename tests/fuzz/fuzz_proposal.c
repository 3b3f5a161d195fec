/* Proposals: the text, and what it holds. What is accepted is written again to
 * the same text; a signature that is added is there, once, and the rest as it
 * was. The first byte picks: a text, or what stands in its third line. */
#include <assert.h>
#include <string.h>

#include "base/limits.h"
#include "event/genesis.h"
#include "event/proposal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static const struct key_pair *signer(void)
{
    static struct key_pair pair;
    static const uint8_t seed[SIGN_SEED_SIZE] = {1};
    static const uint8_t box[BOX_SECRET_SIZE] = {2};
    if (pair.record.suite == 0) {
        int rc = crypto_init(NULL);
        assert(rc == 0);
        key_pair_from_seeds(&pair, seed, box);
    }
    return &pair;
}

static bool has_signature(const struct batch_member *m,
                          const struct key_pair *pair)
{
    static struct further_sig sigs[LIMIT_TX_SIGNATURES];
    size_t count = sigs_list(&m->sigs, sigs);
    size_t found = 0;
    for (size_t i = 0; i < count; i++)
        found += memcmp(sigs[i].key_id, pair->id, KEY_ID_SIZE) == 0 &&
                 bytes_equal(sigs[i].purpose, bytes_of_text("author"));
    return found == 1;
}

static void check_members(struct bytes payload, const struct key_pair *pair)
{
    struct batch_reader r;
    struct batch_member m;
    int rc = batch_open(&r, payload, NULL);
    assert(rc == 0);
    while ((rc = batch_next(&r, &m, NULL)) == 1)
        assert(m.refused || has_signature(&m, pair));
    assert(rc == 0);
}

/* Signed, and signed again: the same. */
static void check_signing(const struct proposal *p)
{
    struct proposal q;
    struct buf raw = {0};
    struct buf again = {0};
    struct buf text = {0};
    struct bytes purpose = bytes_of_text("author");
    if (proposal_sign(p, signer(), purpose, &raw, NULL) == 0) {
        proposal_put(&text, p->chain, p->name, buf_bytes(&raw));
        int rc = proposal_get(buf_bytes(&text), &q, NULL);
        assert(rc == 0 && bytes_equal(q.inlined, p->inlined) &&
               bytes_equal(q.bodies, p->bodies));
        check_members(q.payload, signer());
        rc = proposal_sign(&q, signer(), purpose, &again, NULL);
        assert(rc == 0 && bytes_equal(buf_bytes(&raw), buf_bytes(&again)));
        proposal_deinit(&q);
    }
    buf_deinit(&raw);
    buf_deinit(&again);
    buf_deinit(&text);
}

static void check_text(struct bytes given)
{
    struct proposal p;
    struct buf text = {0};
    if (proposal_get(given, &p, NULL) == 0) {
        assert(chain_name_valid(p.name));
        proposal_put(&text, p.chain, p.name, buf_bytes(&p.raw));
        assert(bytes_equal(buf_bytes(&text), given));
        check_signing(&p);
    }
    buf_deinit(&text);
    proposal_deinit(&p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const uint8_t chain[CHAIN_ID_SIZE] = {7};
    struct buf text = {0};
    if (len == 0)
        return 0;
    struct bytes rest = bytes_of(data + 1, len - 1);
    if (data[0] % 4 == 0) {
        check_text(rest);
        return 0;
    }
    struct buf raw = {0};
    if (data[0] % 4 == 1) {
        buf_put_bytes(&raw, rest);
    } else { /* a payload, or one with regions of bodies */
        mp_put_array(&raw, 3);
        mp_put_bin(&raw, rest);
        mp_put_bin(&raw, data[0] % 4 == 2 ? bytes_of(NULL, 0) : rest);
        mp_put_bin(&raw, bytes_of(NULL, 0));
    }
    proposal_put(&text, chain, bytes_of_text("a/b"), buf_bytes(&raw));
    check_text(buf_bytes(&text));
    buf_deinit(&raw);
    buf_deinit(&text);
    return 0;
}
