#include "event/proof_report.h"

#include <string.h>

#include "base/err.h"
#include "base/hex.h"
#include "base/mapping.h"
#include "base/msgpack.h"
#include "event/header.h"
#include "event/proof_file.h"
#include "event/receipt.h"

/* ---- values ---- */

static void put_hex(struct buf *out, struct bytes bytes)
{
    struct buf text = {0};
    hex_put(&text, bytes);
    mp_put_str(out, buf_bytes(&text));
    buf_deinit(&text);
}

/* The value at the reader again, bytes as text. It was checked before. */
static void put_plain(struct mp *mp, struct buf *out)
{
    enum mp_kind kind = MP_NIL;
    struct bytes raw;
    uint32_t count = 0;
    mp_peek(mp, &kind, NULL);
    if (kind == MP_BIN) {
        mp_get_bin(mp, &raw, NULL);
        put_hex(out, raw);
    } else if (kind == MP_ARRAY) {
        mp_get_array(mp, &count, NULL);
        mp_put_array(out, count);
        for (uint32_t i = 0; i < count; i++)
            put_plain(mp, out);
    } else if (kind == MP_MAP) {
        mp_get_map(mp, &count, NULL);
        mp_put_map(out, count);
        for (uint32_t i = 0; i < 2 * count; i++)
            put_plain(mp, out);
    } else {
        mp_skip(mp, &raw, NULL);
        buf_put_bytes(out, raw);
    }
}

static void put_key(struct mapping *m, const char *name, const uint8_t *id)
{
    struct buf text = {0};
    buf_put_text(&text, "key:");
    hex_put(&text, bytes_of(id, KEY_ID_SIZE));
    mapping_str(m, name, buf_bytes(&text));
    buf_deinit(&text);
}

static void put_checkpoint(struct mapping *m, const uint8_t *chain,
                           const struct checkpoint *checkpoint,
                           struct bytes text)
{
    mapping_hex(m, "chain", bytes_of(chain, CHAIN_ID_SIZE));
    mapping_uint(m, "size", checkpoint->size);
    mapping_hex(m, "root", bytes_of(checkpoint->root, HASH_SIZE));
    mapping_str(m, "checkpoint", text);
}

/* ---- proofs ---- */

static const char *change_of(const struct event_header *h)
{
    if ((h->flags & EVENT_DELETES) != 0)
        return "delete";
    return h->previous != NULL ? "edit" : "new";
}

static void put_event(const struct proof_file *f, const uint8_t *chain,
                      struct bytes raw, struct buf *out)
{
    struct event_header h;
    struct mapping m = {0};
    uint8_t id[EVENT_ID_SIZE];
    if (event_header_get(raw, &h, NULL) != 0) {
        mp_put_nil(out); /* it was checked: cannot be */
        return;
    }
    event_id(f->genesis.suite, chain, raw, id);
    mapping_str(&m, "type", h.type);
    mapping_text(&m, "change", change_of(&h));
    mapping_hex(&m, "event", bytes_of(id, sizeof(id)));
    mapping_hex(&m, "object", bytes_of(h.object, OBJECT_ID_SIZE));
    if (h.parent != NULL)
        mapping_hex(&m, "parent", bytes_of(h.parent, OBJECT_ID_SIZE));
    if (h.body_length > 0) {
        mapping_uint(&m, "body_length", h.body_length);
        mapping_hex(&m, "body_hash", bytes_of(h.body_hash, HASH_SIZE));
    }
    struct mp mp = mp_open(h.fields);
    put_plain(&mp, mapping_key(&m, "fields"));
    mapping_put(&m, out);
}

static void put_events(const struct proof_file *f, const uint8_t *chain,
                       struct buf *out)
{
    struct batch_events events = batch_events(&f->member);
    struct bytes raw;
    mp_put_array(out, f->member.event_count);
    while (batch_events_next(&events, &raw))
        put_event(f, chain, raw, out);
}

static void put_sigs(const struct proof_file *f, const struct sigs *sigs,
                     struct buf *out)
{
    struct further_sig list[LIMIT_TX_SIGNATURES];
    size_t count = sigs_list(sigs, list);
    mp_put_array(out, (uint32_t)count);
    for (size_t i = 0; i < count; i++) {
        struct mapping m = {0};
        struct key_record any;
        put_key(&m, "key", list[i].key_id);
        mapping_str(&m, "purpose", list[i].purpose);
        mapping_bool(&m, "checked", proof_file_key(f, list[i].key_id, &any));
        mapping_put(&m, out);
    }
}

static void put_member(const struct proof_file *f,
                       const struct proof_checked *checked, struct mapping *m)
{
    const struct tx_header *tx = &f->member.tx;
    put_key(m, "author", tx->author);
    mapping_bool(m, "author_checked", checked->author_checked);
    mapping_str(m, "method", tx->call.method);
    mapping_hex(m, "call", bytes_of(tx->call.id, CALL_ID_SIZE));
    if (tx->call.caller != NULL)
        put_key(m, "caller", tx->call.caller);
    put_events(f, checked->chain, mapping_key(m, "events"));
    put_sigs(f, &f->member.sigs, mapping_key(m, "signatures"));
}

static void put_proof(const struct proof_file *f,
                      const struct proof_checked *checked, struct buf *out)
{
    struct mapping m = {0};
    struct buf vkey = {0};
    mapping_text(&m, "kind", "proof");
    put_checkpoint(&m, checked->chain, &checked->checkpoint, f->checkpoint);
    mapping_str(&m, "name", f->genesis.name);
    mapping_uint(&m, "index", f->index);
    mapping_hex(&m, "tx", bytes_of(checked->tx, TX_ID_SIZE));
    note_vkey_put(&vkey, checked->chain, checked->order);
    mapping_str(&m, "vkey", buf_bytes(&vkey));
    mapping_bool(&m, "vkey_of_genesis", checked->order_is_first);
    if (f->is_genesis) {
        mapping_text(&m, "method", "genesis");
        mp_put_array(mapping_key(&m, "events"), 0);
        put_sigs(f, &f->root_sigs, mapping_key(&m, "signatures"));
    } else {
        put_member(f, checked, &m);
    }
    mapping_put(&m, out);
    buf_deinit(&vkey);
}

/* A vkey is of one chain, and the text has to be of it. */
static int take_vkey(struct bytes vkey, struct bytes checkpoint,
                     uint8_t key[SIGN_PUBLIC_SIZE], struct err *err)
{
    uint8_t chain[CHAIN_ID_SIZE];
    uint8_t named[CHAIN_ID_SIZE];
    int rc = note_vkey_get(vkey, chain, key, err);
    if (rc == 0 && note_origin(checkpoint, named, err) != 0)
        return err->code = ATE_ECORRUPT;
    if (rc == 0 && memcmp(chain, named, CHAIN_ID_SIZE) != 0)
        rc = err_set(err, ATE_ECORRUPT,
                     "the checkpoint is of another chain than the key");
    return rc;
}

static int report_proof(struct bytes text, struct bytes vkey, struct buf *out,
                        struct err *err)
{
    struct proof_file f;
    struct proof_checked checked;
    uint8_t key[SIGN_PUBLIC_SIZE];
    int rc = proof_file_get(text, &f, err);
    if (rc == 0 && vkey.len > 0)
        rc = take_vkey(vkey, f.checkpoint, key, err);
    if (rc == 0)
        rc = proof_file_check(&f, vkey.len > 0 ? key : NULL, &checked, err);
    if (rc == 0)
        put_proof(&f, &checked, out);
    proof_file_deinit(&f);
    return rc;
}

/* ---- receipts ---- */

static int check_receipt(const struct receipt *r, struct bytes vkey,
                         uint8_t *chain, struct checkpoint *checkpoint,
                         struct err *err)
{
    uint8_t key[SIGN_PUBLIC_SIZE];
    int rc = note_origin(r->checkpoint, chain, err);
    if (rc == 0)
        rc = note_checkpoint_get(r->checkpoint, chain, checkpoint, err);
    if (rc != 0)
        return err->code = ATE_ECORRUPT;
    if (r->index >= checkpoint->size)
        return err_set(err, ATE_ECORRUPT,
                       "its checkpoint does not cover transaction %llu",
                       (unsigned long long)r->index);
    if (vkey.len == 0)
        return 0;
    rc = take_vkey(vkey, r->checkpoint, key, err);
    if (rc == 0)
        rc = note_checkpoint_verify(r->checkpoint, chain, key, checkpoint, err);
    return rc;
}

static void put_receipt(const struct receipt *r, const uint8_t *chain,
                        const struct checkpoint *checkpoint, bool is_signed,
                        struct buf *out)
{
    struct mapping m = {0};
    mapping_text(&m, "kind", "receipt");
    put_checkpoint(&m, chain, checkpoint, r->checkpoint);
    mapping_uint(&m, "index", r->index);
    mapping_hex(&m, "tx", bytes_of(r->tx_id, TX_ID_SIZE));
    mapping_bool(&m, "signed", is_signed);
    mapping_put(&m, out);
}

static int report_receipt(struct bytes text, struct bytes vkey, struct buf *out,
                          struct err *err)
{
    struct buf raw = {0};
    struct receipt receipt;
    struct checkpoint checkpoint;
    uint8_t chain[CHAIN_ID_SIZE];
    while (text.len > 0 && text.data[text.len - 1] == '\n')
        text.len--;
    int rc = 0;
    if (!base64_get((const char *)text.data, text.len, &raw) ||
        receipt_get(buf_bytes(&raw), &receipt, err) != 0)
        rc = err_set(err, ATE_ECORRUPT,
                     "neither a proof (it begins with "
                     "\"c2sp.org/tlog-proof@v1\") nor a receipt in base64");
    if (rc == 0) {
        rc = check_receipt(&receipt, vkey, chain, &checkpoint, err);
        if (rc != 0)
            err_wrap(err, "receipt");
    }
    if (rc == 0)
        put_receipt(&receipt, chain, &checkpoint, vkey.len > 0, out);
    buf_deinit(&raw);
    return rc;
}

int proof_report(struct bytes text, struct bytes vkey, struct buf *out,
                 struct err *err)
{
    if (text.len > PROOF_FILE_MAX)
        return err_set(err, ATE_ELIMIT, "proof: %zu bytes, at most %d",
                       text.len, PROOF_FILE_MAX);
    if (proof_file_is(text))
        return report_proof(text, vkey, out, err);
    return report_receipt(text, vkey, out, err);
}
