/* Lists of further signatures.
 *
 * (1) Sorted by (key id, purpose), strictly: so no pair is there twice, and a
 *     set of signatures has one encoding and one hash.
 * (2) A checked list is walked again without errors. */
#include "event/sigs.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/limits.h"
#include "base/msgpack.h"
#include "base/utf8.h"

/* Lower-case letters, digits, '_', '.', '-'; 1 to LIMIT_KIND_NAME bytes. */
static bool purpose_valid(struct bytes purpose)
{
    return word_valid(purpose, LIMIT_KIND_NAME, "_.-");
}

static int compare(const struct further_sig *a, const struct further_sig *b)
{
    int order = memcmp(a->key_id, b->key_id, KEY_ID_SIZE);
    return order != 0 ? order : bytes_compare(a->purpose, b->purpose);
}

static int compare_for_sort(const void *a, const void *b)
{
    return compare(a, b);
}

bool sigs_sort(struct further_sig *list, size_t count)
{
    if (count > 1)
        qsort(list, count, sizeof(*list), compare_for_sort);
    for (size_t i = 1; i < count; i++)
        if (compare(&list[i - 1], &list[i]) == 0)
            return false;
    return true;
}

void sigs_put(struct buf *out, const struct further_sig *list, size_t count)
{
    assert(count <= LIMIT_TX_SIGNATURES);
    mp_put_array(out, (uint32_t)count);
    for (size_t i = 0; i < count; i++) {
        assert(i == 0 || compare(&list[i - 1], &list[i]) < 0);
        assert(purpose_valid(list[i].purpose));
        mp_put_array(out, 3);
        mp_put_bin(out, bytes_of(list[i].key_id, KEY_ID_SIZE));
        mp_put_str(out, list[i].purpose);
        mp_put_bin(out, bytes_of(list[i].signature, SIGN_SIZE));
    }
}

static int get_one(struct mp *mp, struct further_sig *sig, struct err *err)
{
    mp_get_array_of(mp, 3, err);
    mp_get_bin_of(mp, KEY_ID_SIZE, &sig->key_id, err);
    mp_get_str(mp, &sig->purpose, err);
    mp_get_bin_of(mp, SIGN_SIZE, &sig->signature, err);
    return mp->failed;
}

/* The next signature; `last` is the one before, if any. */
static int get_checked(struct mp *mp, const struct further_sig *last,
                       struct further_sig *sig, struct err *err)
{
    int rc = get_one(mp, sig, err);
    if (rc != 0)
        return rc;
    if (!purpose_valid(sig->purpose))
        return err_set(err, ATE_EINVALID, "its purpose is no name");
    if (last != NULL && compare(last, sig) >= 0)
        return err_set(err, ATE_EINVALID, "not sorted, or there twice");
    return 0;
}

int sigs_get(struct mp *mp, struct sigs *sigs, struct err *err)
{
    struct further_sig last;
    struct further_sig sig;
    const uint8_t *start = mp->at;
    uint32_t count = 0;
    int rc = mp_get_array(mp, &count, err);
    if (rc == 0 && count > LIMIT_TX_SIGNATURES)
        rc = err_set(err, ATE_ELIMIT, "%u further signatures, at most %d",
                     (unsigned)count, LIMIT_TX_SIGNATURES);
    for (uint32_t i = 0; rc == 0 && i < count; i++) {
        rc = get_checked(mp, i > 0 ? &last : NULL, &sig, err);
        if (rc != 0)
            err_wrap(err, "further signature %u", (unsigned)i);
        last = sig;
    }
    if (rc != 0) {
        mp->failed = rc;
        return rc;
    }
    *sigs = (struct sigs){
        .raw = bytes_of(start, (size_t)(mp->at - start)),
        .count = count,
    };
    return 0;
}

size_t sigs_list(const struct sigs *sigs, struct further_sig *list)
{
    struct mp mp = mp_open(sigs->raw);
    uint32_t count = 0;
    mp_get_array(&mp, &count, NULL);
    assert(count == sigs->count && count <= LIMIT_TX_SIGNATURES);
    for (uint32_t i = 0; i < count; i++) {
        int rc = get_one(&mp, &list[i], NULL);
        assert(rc == 0); /* (2) */
    }
    return count;
}

/* H("sign", suite, chain id, purpose, tx id). */
static void signed_hash(uint8_t suite, const uint8_t *chain_id,
                        struct bytes purpose, const uint8_t *tx_id,
                        uint8_t out[HASH_SIZE])
{
    struct hasher h;
    hash_begin(&h, LABEL_SIGN);
    hash_u8(&h, suite);
    hash_part_of(&h, chain_id, HASH_SIZE);
    hash_part(&h, purpose);
    hash_part_of(&h, tx_id, HASH_SIZE);
    hash_end(&h, out);
}

void further_sig_make(const struct key_pair *pair, const uint8_t *chain_id,
                      struct bytes purpose, const uint8_t *tx_id,
                      uint8_t signature[SIGN_SIZE])
{
    uint8_t hash[HASH_SIZE];
    assert(purpose_valid(purpose));
    signed_hash(pair->record.suite, chain_id, purpose, tx_id, hash);
    sign_bytes(pair->secret, bytes_of(hash, sizeof(hash)), signature);
}

bool further_sig_verify(const struct further_sig *sig,
                        const struct key_record *record,
                        const uint8_t *chain_id, const uint8_t *tx_id)
{
    uint8_t id[KEY_ID_SIZE];
    uint8_t hash[HASH_SIZE];
    key_id(record, id);
    if (memcmp(id, sig->key_id, KEY_ID_SIZE) != 0)
        return false;
    signed_hash(record->suite, chain_id, sig->purpose, tx_id, hash);
    return sign_verify(record->sign, bytes_of(hash, sizeof(hash)),
                       sig->signature);
}

void sigs_hash(const uint8_t *batch_signature, const struct sigs *sigs,
               uint8_t out[HASH_SIZE])
{
    struct further_sig list[LIMIT_TX_SIGNATURES];
    size_t count = sigs_list(sigs, list);
    struct hasher h;
    hash_begin(&h, LABEL_SIGS);
    hash_part_of(&h, batch_signature, SIGN_SIZE);
    for (size_t i = 0; i < count; i++) {
        hash_part_of(&h, list[i].key_id, KEY_ID_SIZE);
        hash_part(&h, list[i].purpose);
        hash_part_of(&h, list[i].signature, SIGN_SIZE);
    }
    hash_end(&h, out);
}
