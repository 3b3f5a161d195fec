/* Transactions that are signed in several places: handed in to a chain, and
 * signed by a key of this folder. */
#include <string.h>

#include "acceptance/trial.h"
#include "base/hex.h"
#include "base/mapping.h"
#include "base/msgpack.h"
#include "node/inside.h"
#include "query/args.h"

/* ---- submit ---- */

static void put_result(const struct submit_result *r, struct buf *out)
{
    struct mapping m = {0};
    mapping_hex(&m, "tx", bytes_of(r->tx_id, TX_ID_SIZE));
    if (r->code != 0) {
        mapping_text(&m, "code", err_name(r->code));
        mapping_text(&m, "text", r->err->text);
        if (r->err->rule[0] != '\0')
            mapping_text(&m, "rule", r->err->rule);
    } else {
        mapping_base64(&m, "receipt", buf_bytes(&r->receipt));
        mapping_uint(&m, "index", r->index);
        mapping_bool(&m, "known", r->known);
    }
    mapping_put(&m, out);
}

/* A batch of one that was refused fails as a call does. */
static void submitted(struct chain_submit *submit)
{
    struct asked *a = submit->owner;
    struct buf out = {0};
    if (submit->code != 0) {
        asked_fail(a, &submit->err);
        return;
    }
    if (submit->count == 1 && submit->results[0].code != 0) {
        asked_fail(a, submit->results[0].err);
        return;
    }
    mp_put_array(&out, (uint32_t)submit->count);
    for (size_t i = 0; i < submit->count; i++) {
        put_result(&submit->results[i], &out);
        if (submit->results[i].code == 0)
            hosted_committed(a->hosted);
    }
    asked_end(a, 0, &submit->err, buf_bytes(&out));
    buf_deinit(&out);
}

static int take_proposal(struct asked *a, const char *const *names,
                         struct err *err)
{
    struct bytes text;
    struct bytes args = buf_bytes(&a->args);
    int rc = args_check(args, names, err);
    if (rc == 0)
        rc = args_text(args, "proposal", true, &text, err);
    if (rc == 0 && (rc = proposal_get(text, &a->proposal, err)) != 0)
        err_at(err, "proposal");
    return rc;
}

/* Names may be the same, so the id says which. */
static int for_another(const struct proposal *proposal, struct err *err)
{
    struct buf id = {0};
    hex_put(&id, bytes_of(proposal->chain, CHAIN_ID_SIZE));
    int rc = err_set(err, ATE_EINVALID,
                     "the proposal is for the chain %.*s whose id is %s",
                     (int)proposal->name.len, (const char *)proposal->name.data,
                     buf_text(&id));
    buf_deinit(&id);
    err_at(err, "proposal");
    return rc;
}

void serve_submit(struct asked *a)
{
    static const char *const names[] = {"proposal", NULL};
    struct err err;
    int rc = take_proposal(a, names, &err);
    if (rc == 0 && memcmp(a->proposal.chain, a->hosted->id, CHAIN_ID_SIZE) != 0)
        rc = for_another(&a->proposal, &err);
    if (rc != 0) {
        err_wrap(&err, "ate.submit");
        asked_fail(a, &err);
        return;
    }
    a->submit.parts = (struct signed_parts){
        a->proposal.payload,
        a->proposal.inlined,
        a->proposal.bodies,
    };
    a->submit.done = submitted;
    a->submit.owner = a;
    chain_submit(a->hosted->chain, &a->submit);
}

/* ---- sign ---- */

static int sign(struct asked *a, struct buf *text, struct err *err)
{
    static const char *const names[] = {"key", "proposal", "purpose", NULL};
    struct bytes args = buf_bytes(&a->args);
    struct bytes key = {NULL, 0};
    struct bytes purpose = {NULL, 0};
    const struct key_pair *pair = NULL;
    struct buf raw = {0};
    int rc = take_proposal(a, names, err);
    if (rc == 0)
        rc = args_text(args, "key", false, &key, err);
    if (rc == 0)
        rc = args_text(args, "purpose", false, &purpose, err);
    if (key.len == 0)
        key = bytes_of_text(KEY_NAME_ME);
    if (purpose.len == 0)
        purpose = bytes_of_text(PURPOSE_CO_AUTHOR);
    if (rc == 0 && !bytes_equal(purpose, bytes_of_text(PURPOSE_CO_AUTHOR)) &&
        !bytes_equal(purpose, bytes_of_text(PURPOSE_ROOT)))
        rc = args_wrong("purpose", "is " PURPOSE_CO_AUTHOR " or " PURPOSE_ROOT,
                        err);
    if (rc == 0 && (rc = keys_find(&a->node->keys, key, &pair, err)) != 0)
        err_at(err, "key");
    if (rc == 0)
        rc = proposal_sign(&a->proposal, pair, purpose, &raw, err);
    if (rc == 0)
        proposal_put(text, a->proposal.chain, a->proposal.name,
                     buf_bytes(&raw));
    buf_deinit(&raw);
    return rc;
}

void proposal_sign_ask(struct asked *a)
{
    struct mapping m = {0};
    struct buf text = {0};
    struct buf out = {0};
    struct err err = {0};
    if (sign(a, &text, &err) != 0) {
        err_wrap(&err, "proposal.sign");
        asked_fail(a, &err);
    } else {
        mapping_str(&m, "proposal", buf_bytes(&text));
        mapping_put(&m, &out);
        asked_end(a, 0, &err, buf_bytes(&out));
    }
    buf_deinit(&text);
    buf_deinit(&out);
}
