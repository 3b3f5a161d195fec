#include "event/proposal.h"

#include <assert.h>
#include <string.h>

#include "base/err.h"
#include "base/hex.h"
#include "base/limits.h"
#include "base/lines.h"
#include "base/memory.h"
#include "event/genesis.h"

static const char first_line[] = "ate-proposal 1\n";
static const char chain_word[] = "chain ";

enum { PROPOSAL_TEXT_MAX = LIMIT_FRAME_PAYLOAD }; /* bytes */

void proposal_put(struct buf *text, const uint8_t chain[CHAIN_ID_SIZE],
                  struct bytes name, struct bytes raw)
{
    buf_put_text(text, first_line);
    buf_put_text(text, chain_word);
    hex_put(text, bytes_of(chain, CHAIN_ID_SIZE));
    buf_put_text(text, " ");
    buf_put_bytes(text, name);
    buf_put_text(text, "\n");
    base64_put(text, raw);
    buf_put_text(text, "\n");
}

static bool get_chain(struct bytes line, struct proposal *p)
{
    enum { HEX = 2 * CHAIN_ID_SIZE };
    if (!word_take(&line, chain_word) || line.len < HEX + 1 ||
        !hex_get((const char *)line.data, HEX, p->chain) ||
        line.data[HEX] != ' ')
        return false;
    p->name = bytes_of(line.data + HEX + 1, line.len - HEX - 1);
    return chain_name_valid(p->name);
}

int proposal_get(struct bytes text, struct proposal *p, struct err *err)
{
    struct bytes line;
    *p = (struct proposal){0};
    if (text.len > PROPOSAL_TEXT_MAX)
        return err_set(err, ATE_ELIMIT, "proposal: at most %d bytes",
                       PROPOSAL_TEXT_MAX);
    if (!word_take(&text, first_line))
        return err_set(err, ATE_EINVALID,
                       "proposal: its first line is not \"ate-proposal 1\"");
    if (!line_take(&text, &line) || !get_chain(line, p))
        return err_set(err, ATE_EINVALID,
                       "proposal: its second line is not \"chain\", an id and "
                       "a name");
    if (!line_take(&text, &line) || text.len > 0 ||
        !base64_get((const char *)line.data, line.len, &p->raw))
        return err_set(err, ATE_EINVALID,
                       "proposal: its third line, the last, is not base64");
    struct mp mp = mp_open(buf_bytes(&p->raw));
    int rc = mp_get_array_of(&mp, 3, err);
    if (rc == 0)
        rc = mp_get_bin(&mp, &p->payload, err);
    if (rc == 0)
        rc = mp_get_bin(&mp, &p->inlined, err);
    if (rc == 0)
        rc = mp_get_bin(&mp, &p->bodies, err);
    if (rc == 0)
        rc = mp_done(&mp, err);
    return rc == 0 ? 0 : err_wrap(err, "proposal");
}

void proposal_deinit(struct proposal *p)
{
    buf_deinit(&p->raw);
    *p = (struct proposal){0};
}

/* ---- signing ---- */

/* The member with one signature more. */
static int sign_member(struct buf *payload, const struct batch_member *m,
                       const uint8_t *chain_id, const struct key_pair *pair,
                       struct bytes purpose, struct err *err)
{
    struct further_sig sigs[LIMIT_TX_SIGNATURES + 1];
    uint8_t id[TX_ID_SIZE];
    uint8_t signature[SIGN_SIZE];
    if (m->refused) {
        batch_put_refused(payload, m->refused_id);
        return 0;
    }
    if (memcmp(m->tx.author, pair->id, KEY_ID_SIZE) == 0)
        return err_set(err, ATE_ECONFLICT, "its author has signed it");
    size_t count = sigs_list(&m->sigs, sigs);
    batch_member_id(m, pair->record.suite, chain_id, id);
    further_sig_make(pair, chain_id, purpose, id, signature);
    sigs[count++] = (struct further_sig){
        .key_id = pair->id,
        .purpose = purpose,
        .signature = signature,
    };
    if (!sigs_sort(sigs, count))
        count = sigs_list(&m->sigs, sigs); /* it is there */
    if (count > LIMIT_TX_SIGNATURES)
        return err_set(err, ATE_ELIMIT, "at most %d keys sign with it",
                       LIMIT_TX_SIGNATURES);
    batch_copy_member(payload, m, sigs, count, m->verdict);
    return 0;
}

int proposal_sign(const struct proposal *p, const struct key_pair *pair,
                  struct bytes purpose, struct buf *raw, struct err *err)
{
    struct batch_reader r;
    struct batch_member m;
    struct buf payload = {0};
    int rc = batch_open(&r, p->payload, err);
    if (rc == 0)
        batch_put(&payload, r.author, r.signature, r.count);
    while (rc == 0 && (rc = batch_next(&r, &m, err)) == 1)
        rc = sign_member(&payload, &m, p->chain, pair, purpose, err);
    if (rc == 0) {
        mp_put_array(raw, 3);
        mp_put_bin(raw, buf_bytes(&payload));
        mp_put_bin(raw, p->inlined);
        mp_put_bin(raw, p->bodies);
    }
    buf_deinit(&payload);
    return rc == 0 ? 0 : err_wrap(err, "proposal");
}
