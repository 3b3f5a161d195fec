/* extra = [genesis bin, [further sig, ...], batch bin or nil, count, place,
 *          [hash bin 32, ...], [key record, ...]]
 *
 * (1) `batch` is the payload of the batch's frame with this one member, without
 *     read set and result; count, place and hashes lead from its tx id to the
 *     root that the author signed. For genesis: nil, 0, 0, [], [].
 * (2) Key records prove themselves: their hash is the id that the transaction
 *     names. They stand in the order of their ids.
 * (3) What is not signed is not believed before it has led to the root of the
 *     signed checkpoint; that covers all but the key records.
 * (4) Whatever is wrong with a file is CORRUPT: it does not prove what it
 *     should. */
#include "event/proof_file.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "base/err.h"
#include "base/hex.h"
#include "base/lines.h"
#include "base/memory.h"
#include "crypto/merkle.h"

static const char first_line[] = "c2sp.org/tlog-proof@v1";

enum { EXTRA_PARTS = 7 };

/* ---- writing ---- */

struct key_entry {
    uint8_t id[KEY_ID_SIZE];
    struct key_record record;
};

/* Invariant (2). */
static void add_key(const struct proof_leaf *leaf, const uint8_t *id,
                    struct key_entry *keys, size_t *count)
{
    struct key_record record;
    size_t at = 0;
    int order = 1;
    while (at < *count && (order = memcmp(id, keys[at].id, KEY_ID_SIZE)) > 0)
        at++;
    if ((at < *count && order == 0) || !leaf->find_key(leaf->ctx, id, &record))
        return;
    memmove(keys + at + 1, keys + at, (*count - at) * sizeof(*keys));
    memcpy(keys[at].id, id, KEY_ID_SIZE);
    keys[at].record = record;
    (*count)++;
}

static void put_keys(struct buf *out, const struct proof_leaf *leaf,
                     const struct batch_member *m)
{
    struct further_sig sigs[LIMIT_TX_SIGNATURES];
    struct key_entry keys[PROOF_FILE_KEYS_MAX];
    size_t count = 0;
    size_t sig_count = sigs_list(&m->sigs, sigs);
    add_key(leaf, m->tx.author, keys, &count);
    for (size_t i = 0; i < sig_count; i++)
        add_key(leaf, sigs[i].key_id, keys, &count);
    mp_put_array(out, (uint32_t)count);
    for (size_t i = 0; i < count; i++)
        key_record_put(out, &keys[i].record);
}

static void put_batch(struct buf *out, const struct batch_reader *r,
                      const struct batch_member *m)
{
    struct further_sig sigs[LIMIT_TX_SIGNATURES];
    struct batch_member bare = *m;
    struct buf payload = {0};
    bare.read_set = bytes_of(NULL, 0);
    bare.result = bytes_of(NULL, 0);
    batch_put(&payload, r->author, r->signature, 1);
    batch_copy_member(&payload, &bare, sigs, sigs_list(&m->sigs, sigs),
                      m->verdict);
    mp_put_bin(out, buf_bytes(&payload));
    buf_deinit(&payload);
}

static int id_node(void *ctx, unsigned height, uint64_t index,
                   uint8_t out[HASH_SIZE], struct err *err)
{
    const uint8_t(*hashes)[HASH_SIZE] = ctx;
    (void)err;
    merkle_root_of_hashes(hashes + (index << height), (size_t)1 << height, out);
    return 0;
}

static void put_hashes(struct buf *out, const struct proof *proof)
{
    mp_put_array(out, (uint32_t)proof->count);
    for (size_t i = 0; i < proof->count; i++)
        mp_put_bin(out, bytes_of(proof->hashes[i], HASH_SIZE));
}

/* The member, and the hashes of the ids of all. */
struct found {
    struct batch_reader batch;
    struct batch_member member;
    uint8_t id[TX_ID_SIZE];
    uint64_t index;
    uint64_t place;
    uint8_t (*hashes)[HASH_SIZE];
    size_t count;
};

static int find_member(const struct proof_leaf *leaf, struct found *f,
                       struct err *err)
{
    struct batch_member m;
    uint64_t accepted = 0;
    bool found = false;
    int rc = batch_open(&f->batch, leaf->payload, err);
    if (rc != 0)
        return rc;
    f->hashes = mem_alloc(f->batch.count * sizeof(*f->hashes));
    while ((rc = batch_next(&f->batch, &m, err)) == 1) {
        uint8_t id[TX_ID_SIZE];
        batch_member_id(&m, leaf->suite, leaf->chain, id);
        if (!m.refused && accepted++ == leaf->number) {
            found = true;
            f->member = m;
            f->place = f->count;
            memcpy(f->id, id, TX_ID_SIZE);
        }
        hash_leaf(bytes_of(id, TX_ID_SIZE), f->hashes[f->count++]);
    }
    if (rc == 0 && !found)
        rc = err_set(err, ATE_EINVALID, "the batch has no such transaction");
    return rc;
}

static void put_found(struct buf *out, const struct proof_leaf *leaf,
                      const struct found *f)
{
    struct proof proof;
    struct proof_source source = {.node = id_node, .ctx = f->hashes};
    put_batch(out, &f->batch, &f->member);
    mp_put_uint(out, f->count);
    mp_put_uint(out, f->place);
    int rc = proof_inclusion(&source, f->place, f->count, &proof, NULL);
    assert(rc == 0);
    put_hashes(out, &proof);
    put_keys(out, leaf, &f->member);
}

static void put_genesis_rest(struct buf *out)
{
    mp_put_nil(out);
    mp_put_uint(out, 0);
    mp_put_uint(out, 0);
    mp_put_array(out, 0);
    mp_put_array(out, 0);
}

/* The hash of a leaf: of a member's, or of genesis. */
static void hash_member(uint8_t suite, uint64_t index,
                        const uint8_t id[TX_ID_SIZE], const uint8_t *signature,
                        const struct batch_member *m, uint8_t out[HASH_SIZE])
{
    uint8_t sigs[HASH_SIZE];
    uint8_t leaf[LOG_LEAF_SIZE];
    sigs_hash(signature, &m->sigs, sigs);
    log_leaf(suite, index, id, sigs, m->verdict, leaf);
    hash_leaf(bytes_of(leaf, sizeof(leaf)), out);
}

static void hash_genesis(uint8_t suite, const uint8_t *chain,
                         const struct sigs *sigs, uint8_t out[HASH_SIZE])
{
    uint8_t leaf[LOG_LEAF_SIZE];
    genesis_leaf(suite, chain, sigs, leaf);
    hash_leaf(bytes_of(leaf, sizeof(leaf)), out);
}

int proof_file_extra(struct buf *extra, const struct proof_leaf *leaf,
                     uint8_t leaf_hash[HASH_SIZE], struct err *err)
{
    struct genesis_payload g;
    struct found f = {0};
    int rc = genesis_payload_get(leaf->genesis_payload, &g, err);
    if (rc == 0 && leaf->payload.len > 0)
        rc = find_member(leaf, &f, err);
    if (rc != 0) {
        mem_free(f.hashes);
        return rc;
    }
    mp_put_array(extra, EXTRA_PARTS);
    mp_put_bin(extra, g.genesis);
    buf_put_bytes(extra, g.sigs.raw);
    if (leaf->payload.len > 0) {
        put_found(extra, leaf, &f);
        hash_member(leaf->suite, leaf->index, f.id, f.batch.signature,
                    &f.member, leaf_hash);
    } else {
        put_genesis_rest(extra);
        hash_genesis(leaf->suite, leaf->chain, &g.sigs, leaf_hash);
    }
    mem_free(f.hashes);
    return 0;
}

void proof_file_put(struct buf *text, struct bytes extra, uint64_t index,
                    const struct proof *proof, struct bytes checkpoint)
{
    buf_printf(text, "%s\nextra ", first_line);
    base64_put(text, extra);
    buf_printf(text, "\nindex %" PRIu64 "\n", index);
    for (size_t i = 0; i < proof->count; i++) {
        base64_put(text, bytes_of(proof->hashes[i], HASH_SIZE));
        buf_put_text(text, "\n");
    }
    buf_put_text(text, "\n");
    buf_put_bytes(text, checkpoint);
}

/* ---- reading: the lines ---- */

struct lines {
    struct bytes rest;
    struct bytes line; /* taken last */
    unsigned number;   /* its */
};

static bool next_line(struct lines *l)
{
    l->number++;
    return line_take(&l->rest, &l->line);
}

static int wrong_line(const struct lines *l, const char *what, struct err *err)
{
    return err_set(err, ATE_ECORRUPT, "line %u: %s", l->number, what);
}

static int get_hashes(struct lines *l, struct proof *proof, struct err *err)
{
    for (proof->count = 0;; proof->count++) {
        if (!next_line(l))
            return wrong_line(l, "an empty line and a checkpoint have to come",
                              err);
        if (l->line.len == 0)
            return 0;
        if (proof->count == PROOF_HASHES_MAX)
            return wrong_line(l, "more hashes than any log needs", err);
        if (!base64_get_fixed(l->line, proof->hashes[proof->count], HASH_SIZE))
            return wrong_line(l, "it is not a hash in base64", err);
    }
}

static int get_lines(struct lines *l, struct proof_file *f, struct err *err)
{
    if (!next_line(l) || !bytes_equal(l->line, bytes_of_text(first_line)))
        return wrong_line(l, "it is not \"c2sp.org/tlog-proof@v1\"", err);
    if (!next_line(l) || !word_take(&l->line, "extra ") ||
        !base64_get((const char *)l->line.data, l->line.len, &f->raw))
        return wrong_line(l,
                          "it is not \"extra\" and base64, with what ate "
                          "proves",
                          err);
    if (!next_line(l) || !word_take(&l->line, "index ") ||
        !decimal_get(l->line, &f->index))
        return wrong_line(l, "it is not \"index\" and a number", err);
    int rc = get_hashes(l, &f->proof, err);
    f->checkpoint = l->rest;
    return rc;
}

/* ---- reading: extra ---- */

static void get_proof(struct mp *mp, struct proof *proof, struct err *err)
{
    uint32_t count = 0;
    mp_get_array(mp, &count, err);
    if (mp->failed == 0 && count > PROOF_FILE_BATCH_PATH_MAX)
        mp->failed = err_set(err, ATE_ELIMIT, "%u hashes of a batch", count);
    for (uint32_t i = 0; i < count && mp->failed == 0; i++) {
        const uint8_t *hash = NULL;
        if (mp_get_bin_of(mp, HASH_SIZE, &hash, err) == 0)
            memcpy(proof->hashes[proof->count++], hash, HASH_SIZE);
    }
}

/* Invariant (2). */
static void get_keys(struct mp *mp, struct proof_file *f, struct err *err)
{
    uint32_t count = 0;
    uint8_t before[KEY_ID_SIZE];
    uint8_t id[KEY_ID_SIZE];
    mp_get_array(mp, &count, err);
    if (mp->failed == 0 && count > PROOF_FILE_KEYS_MAX)
        mp->failed = err_set(err, ATE_ELIMIT, "%u keys", count);
    for (uint32_t i = 0; i < count && mp->failed == 0; i++) {
        if (key_record_get(mp, &f->keys[i], err) != 0)
            return;
        key_id(&f->keys[i], id);
        if (i > 0 && memcmp(before, id, KEY_ID_SIZE) >= 0)
            mp->failed = err_set(err, ATE_EINVALID, "keys out of order");
        memcpy(before, id, KEY_ID_SIZE);
        f->key_count++;
    }
}

/* The one member of its batch. */
static int get_member(struct bytes payload, struct proof_file *f,
                      struct err *err)
{
    struct batch_reader end;
    struct batch_member none;
    int rc = batch_open(&f->batch, payload, err);
    if (rc == 0 && f->batch.count != 1)
        rc = err_set(err, ATE_EINVALID, "%u transactions", f->batch.count);
    if (rc == 0)
        rc = batch_next(&f->batch, &f->member, err);
    if (rc < 0)
        return rc;
    end = f->batch;
    rc = batch_next(&end, &none, err);
    if (rc == 0 && f->member.refused)
        rc = err_set(err, ATE_EINVALID, "a transaction that was refused");
    if (rc == 0 &&
        (f->member.read_set.data != NULL || f->member.result.data != NULL))
        rc = err_set(err, ATE_EINVALID, "a read set or a result");
    return rc;
}

static int get_extra(struct proof_file *f, struct err *err)
{
    struct mp mp = mp_open(buf_bytes(&f->raw));
    struct bytes payload = {NULL, 0};
    mp_get_array_of(&mp, EXTRA_PARTS, err);
    mp_get_bin(&mp, &f->genesis_raw, err);
    if (mp.failed == 0)
        sigs_get(&mp, &f->root_sigs, err);
    f->is_genesis = mp.failed == 0 && mp_take_nil(&mp);
    if (!f->is_genesis)
        mp_get_bin(&mp, &payload, err);
    mp_get_uint(&mp, &f->count, err);
    mp_get_uint(&mp, &f->place, err);
    get_proof(&mp, &f->batch_proof, err);
    get_keys(&mp, f, err);
    int rc = mp.failed != 0 ? mp.failed : mp_done(&mp, err);
    if (rc == 0)
        rc = genesis_get(f->genesis_raw, &f->genesis, err);
    if (rc == 0 && !f->is_genesis)
        rc = get_member(payload, f, err);
    if (rc == 0 && f->is_genesis &&
        (f->count != 0 || f->place != 0 || f->batch_proof.count != 0 ||
         f->key_count != 0 || f->index != 0))
        rc = err_set(err, ATE_EINVALID, "genesis with parts of a transaction");
    if (rc == 0 && !f->is_genesis && f->index == 0)
        rc = err_set(err, ATE_EINVALID, "a transaction in place of genesis");
    return rc;
}

bool proof_file_is(struct bytes text)
{
    size_t len = strlen(first_line);
    return text.len > len && memcmp(text.data, first_line, len) == 0;
}

int proof_file_get(struct bytes text, struct proof_file *f, struct err *err)
{
    struct lines l = {.rest = text};
    *f = (struct proof_file){0};
    if (text.len > PROOF_FILE_MAX)
        return err_set(err, ATE_ELIMIT, "proof: %zu bytes, at most %d",
                       text.len, PROOF_FILE_MAX);
    int rc = get_lines(&l, f, err);
    if (rc == 0 && get_extra(f, err) != 0) {
        err->code = rc = ATE_ECORRUPT; /* (4) */
        err_wrap(err, "line 2: what the leaf is made of");
    }
    return rc != 0 ? err_wrap(err, "proof") : 0;
}

void proof_file_deinit(struct proof_file *f)
{
    buf_deinit(&f->raw);
}

/* ---- checking ---- */

bool proof_file_key(const struct proof_file *f, const uint8_t id[KEY_ID_SIZE],
                    struct key_record *record)
{
    uint8_t found[KEY_ID_SIZE];
    for (size_t i = 0; i <= f->key_count + f->genesis.root_count; i++) {
        const struct key_record *one =
            i < f->key_count ? &f->keys[i]
            : i < f->key_count + f->genesis.root_count
                ? &f->genesis.roots[i - f->key_count]
                : &f->genesis.order;
        key_id(one, found);
        if (memcmp(found, id, KEY_ID_SIZE) != 0)
            continue;
        *record = *one;
        return true;
    }
    return false;
}

/* Invariant (4). */
static int corrupt(int rc, const char *what, struct err *err)
{
    if (rc == 0)
        return 0;
    err->code = ATE_ECORRUPT;
    return err_wrap(err, "%s", what);
}

static int check_genesis(const struct proof_file *f, const uint8_t *chain,
                         struct err *err)
{
    uint8_t named[CHAIN_ID_SIZE];
    int rc = note_origin(f->checkpoint, named, err);
    if (rc == 0 && memcmp(named, chain, CHAIN_ID_SIZE) != 0)
        rc = err_set(err, ATE_ECORRUPT,
                     "its hash is not the id of the chain that the checkpoint "
                     "names");
    if (rc == 0)
        rc = genesis_verify(&f->genesis, &f->root_sigs, chain, err);
    return corrupt(rc, "genesis", err);
}

static int check_checkpoint(const struct proof_file *f,
                            const uint8_t *order_key,
                            struct proof_checked *checked, struct err *err)
{
    const uint8_t *first = f->genesis.order.sign;
    const uint8_t *key = order_key != NULL ? order_key : first;
    int rc = note_checkpoint_verify(f->checkpoint, checked->chain, key,
                                    &checked->checkpoint, err);
    memcpy(checked->order, key, SIGN_PUBLIC_SIZE);
    checked->order_is_first = memcmp(key, first, SIGN_PUBLIC_SIZE) == 0;
    if (rc == ATE_ECORRUPT && order_key == NULL)
        err_set(err, rc,
                "the order key that genesis names did not sign it; if the "
                "chain has had another since, give the one that you trust");
    return corrupt(rc, "checkpoint", err);
}

static int check_author(const struct proof_file *f,
                        struct proof_checked *checked, struct err *err)
{
    struct key_record author;
    uint8_t root[HASH_SIZE];
    uint8_t hash[HASH_SIZE];
    if (f->count > LIMIT_BATCH_TXS)
        return err_set(err, ATE_ECORRUPT, "its batch has %llu members",
                       (unsigned long long)f->count);
    hash_leaf(bytes_of(checked->tx, TX_ID_SIZE), hash);
    int rc = proof_inclusion_root(&f->batch_proof, hash, f->place, f->count,
                                  root, err);
    if (rc != 0)
        return corrupt(rc, "its batch", err);
    checked->author_checked = proof_file_key(f, f->member.tx.author, &author);
    if (!checked->author_checked)
        return 0;
    batch_signed_hash(author.suite, checked->chain, f->count, root, hash);
    if (!sign_verify(author.sign, bytes_of(hash, sizeof(hash)),
                     f->batch.signature))
        return err_set(err, ATE_ECORRUPT, "its author's signature is not good");
    return 0;
}

static int check_further(const struct proof_file *f,
                         struct proof_checked *checked, struct err *err)
{
    struct further_sig sigs[LIMIT_TX_SIGNATURES];
    size_t count = sigs_list(&f->member.sigs, sigs);
    for (size_t i = 0; i < count; i++) {
        struct key_record record;
        if (!proof_file_key(f, sigs[i].key_id, &record))
            continue;
        if (!further_sig_verify(&sigs[i], &record, checked->chain, checked->tx))
            return err_set(
                err, ATE_ECORRUPT, "the signature for '%.*s' is not good",
                (int)sigs[i].purpose.len, (const char *)sigs[i].purpose.data);
        checked->further_checked++;
    }
    return 0;
}

/* Keys that sign nothing have no business here: a damaged one would be such. */
static int check_keys(const struct proof_file *f, struct err *err)
{
    struct further_sig sigs[LIMIT_TX_SIGNATURES];
    size_t count = sigs_list(&f->member.sigs, sigs);
    for (size_t i = 0; i < f->key_count; i++) {
        uint8_t id[KEY_ID_SIZE];
        key_id(&f->keys[i], id);
        bool signs = memcmp(id, f->member.tx.author, KEY_ID_SIZE) == 0;
        for (size_t k = 0; k < count && !signs; k++)
            signs = memcmp(id, sigs[k].key_id, KEY_ID_SIZE) == 0;
        if (!signs)
            return err_set(err, ATE_ECORRUPT,
                           "the file has a key that signed nothing of it");
    }
    return 0;
}

/* From its parts to the leaf's hash. */
static int check_member(const struct proof_file *f,
                        struct proof_checked *checked,
                        uint8_t leaf_hash[HASH_SIZE], struct err *err)
{
    uint8_t suite = f->genesis.suite;
    struct batch_event *events =
        mem_alloc(f->member.event_count * sizeof(*events));
    batch_member_id(&f->member, suite, checked->chain, checked->tx);
    int rc =
        batch_member_decode(&f->member, suite, checked->chain, events, err);
    if (rc == 0)
        rc = batch_member_check(&f->member, events, err);
    mem_free(events);
    if (rc == 0)
        rc = check_keys(f, err);
    if (rc == 0)
        rc = check_author(f, checked, err);
    if (rc == 0)
        rc = check_further(f, checked, err);
    hash_member(suite, f->index, checked->tx, f->batch.signature, &f->member,
                leaf_hash);
    return corrupt(rc, "transaction", err);
}

int proof_file_check(const struct proof_file *f,
                     const uint8_t order_key[SIGN_PUBLIC_SIZE],
                     struct proof_checked *checked, struct err *err)
{
    uint8_t leaf_hash[HASH_SIZE];
    *checked = (struct proof_checked){0};
    chain_id(f->genesis_raw, checked->chain);
    int rc = check_genesis(f, checked->chain, err);
    if (rc == 0)
        rc = check_checkpoint(f, order_key, checked, err);
    if (rc == 0 && f->is_genesis) {
        memcpy(checked->tx, checked->chain, TX_ID_SIZE);
        hash_genesis(f->genesis.suite, checked->chain, &f->root_sigs,
                     leaf_hash);
    } else if (rc == 0) {
        rc = check_member(f, checked, leaf_hash, err);
    }
    if (rc == 0)
        rc = corrupt(proof_check_inclusion(&f->proof, leaf_hash, f->index,
                                           checked->checkpoint.size,
                                           checked->checkpoint.root, err),
                     "inclusion", err);
    return rc != 0 ? err_wrap(err, "proof") : 0;
}
