/* Keys. The file of a pair is exactly
 *
 *     ate-key 1\n
 *     sign <seed, 64 hex>\n
 *     box <secret key, 64 hex>\n
 *
 * The public halves are not stored: they follow from the secrets, and cannot
 * disagree with them. */
#include "crypto/key.h"

#include <assert.h>
#include <string.h>

#include <sodium.h>

#include "base/err.h"
#include "base/hex.h"
#include "base/lines.h"
#include "base/msgpack.h"

static_assert(BOX_PUBLIC_SIZE == crypto_scalarmult_BYTES, "libsodium's sizes");
static_assert(BOX_SECRET_SIZE == crypto_scalarmult_SCALARBYTES, "");

enum {
    HEX_SIZE = 64,
    KEY_FILE_SIZE = 10 + 5 + HEX_SIZE + 1 + 4 + HEX_SIZE + 1
};

void key_record_put(struct buf *out, const struct key_record *record)
{
    mp_put_array(out, 3);
    mp_put_uint(out, record->suite);
    mp_put_bin(out, bytes_of(record->sign, sizeof(record->sign)));
    mp_put_bin(out, bytes_of(record->box, sizeof(record->box)));
}

int key_record_get(struct mp *mp, struct key_record *record, struct err *err)
{
    uint64_t suite = 0;
    const uint8_t *sign_key = NULL;
    const uint8_t *box_key = NULL;
    mp_get_array_of(mp, 3, err);
    mp_get_uint(mp, &suite, err);
    mp_get_bin_of(mp, SIGN_PUBLIC_SIZE, &sign_key, err);
    mp_get_bin_of(mp, BOX_PUBLIC_SIZE, &box_key, err);
    if (mp->failed != 0)
        return mp->failed;
    if (suite != SUITE_1) {
        mp->failed = ATE_EINVALID;
        return err_set(err, mp->failed,
                       "key record of suite %llu, this version knows 1",
                       (unsigned long long)suite);
    }
    record->suite = (uint8_t)suite;
    memcpy(record->sign, sign_key, SIGN_PUBLIC_SIZE);
    memcpy(record->box, box_key, BOX_PUBLIC_SIZE);
    return 0;
}

int key_record_decode(struct bytes raw, struct key_record *record,
                      struct err *err)
{
    struct mp mp = mp_open(raw);
    int rc = key_record_get(&mp, record, err);
    if (rc == 0)
        rc = mp_done(&mp, err);
    if (rc != 0)
        err_wrap(err, "key record");
    return rc;
}

void key_id(const struct key_record *record, uint8_t out[KEY_ID_SIZE])
{
    uint8_t raw[KEY_RECORD_MAX];
    struct buf b = {.data = raw, .cap = sizeof(raw)};
    key_record_put(&b, record);
    assert(b.data == raw && b.len == KEY_RECORD_MAX);
    hash_of(LABEL_KEY, buf_bytes(&b), out);
}

void key_pair_from_seeds(struct key_pair *pair,
                         const uint8_t sign_seed[SIGN_SEED_SIZE],
                         const uint8_t box_secret[BOX_SECRET_SIZE])
{
    pair->record.suite = SUITE_1;
    sign_pair(sign_seed, pair->record.sign, pair->secret);
    memcpy(pair->box_secret, box_secret, BOX_SECRET_SIZE);
    int rc = crypto_scalarmult_base(pair->record.box, pair->box_secret);
    assert(rc == 0);
    key_id(&pair->record, pair->id);
}

void key_pair_wipe(struct key_pair *pair)
{
    sodium_memzero(pair, sizeof(*pair));
}

static void put_half(struct buf *out, const char *word, const uint8_t half[32])
{
    buf_put_text(out, word);
    hex_put(out, bytes_of(half, 32));
    buf_put_text(out, "\n");
}

void key_pair_write(struct buf *out, const struct key_pair *pair)
{
    buf_reserve(out, KEY_FILE_SIZE);
    buf_put_text(out, "ate-key 1\n");
    put_half(out, "sign ", pair->secret); /* the seed is its first half */
    put_half(out, "box ", pair->box_secret);
}

static bool take_half(struct bytes *rest, const char *word, uint8_t half[32])
{
    if (!word_take(rest, word) || rest->len < HEX_SIZE ||
        !hex_get((const char *)rest->data, HEX_SIZE, half))
        return false;
    *rest = bytes_of(rest->data + HEX_SIZE, rest->len - HEX_SIZE);
    return word_take(rest, "\n");
}

int key_pair_read(struct bytes text, struct key_pair *pair, struct err *err)
{
    uint8_t seed[SIGN_SEED_SIZE];
    uint8_t box_secret[BOX_SECRET_SIZE];
    const char *wrong = NULL;
    if (!word_take(&text, "ate-key 1\n"))
        wrong = "its first line is not \"ate-key 1\"";
    else if (!take_half(&text, "sign ", seed))
        wrong = "its second line is not \"sign\" and 64 hex digits";
    else if (!take_half(&text, "box ", box_secret))
        wrong = "its third line is not \"box\" and 64 hex digits";
    else if (text.len > 0)
        wrong = "something follows its third line";
    if (wrong == NULL)
        key_pair_from_seeds(pair, seed, box_secret);
    else
        key_pair_wipe(pair);
    sodium_memzero(seed, sizeof(seed));
    sodium_memzero(box_secret, sizeof(box_secret));
    if (wrong == NULL)
        return 0;
    err_set(err, ATE_EINVALID, "not a key file: %s", wrong);
    return err_reason(err, "bad_key_file");
}

void key_record_write(struct buf *out, const struct key_record *record)
{
    buf_put_text(out, "ate-pub 1\n");
    put_half(out, "sign ", record->sign);
    put_half(out, "box ", record->box);
}

int key_record_read(struct bytes text, struct key_record *record,
                    struct err *err)
{
    const char *wrong = NULL;
    record->suite = SUITE_1;
    if (!word_take(&text, "ate-pub 1\n"))
        wrong = "its first line is not \"ate-pub 1\"";
    else if (!take_half(&text, "sign ", record->sign))
        wrong = "its second line is not \"sign\" and 64 hex digits";
    else if (!take_half(&text, "box ", record->box))
        wrong = "its third line is not \"box\" and 64 hex digits";
    else if (text.len > 0)
        wrong = "something follows its third line";
    return wrong == NULL
               ? 0
               : err_set(err, ATE_EINVALID, "no public key: %s", wrong);
}

void buf_wipe(struct buf *b)
{
    if (b->data != NULL)
        sodium_memzero(b->data, b->cap);
    buf_deinit(b);
}
