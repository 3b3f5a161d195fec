/* Checkpoints and key files: whatever is accepted says the same when it is
 * written again. */
#include <assert.h>
#include <string.h>

#include "crypto/note.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check_note(struct bytes text)
{
    static const uint8_t chain[HASH_SIZE];
    static struct key_pair pair;
    struct checkpoint checkpoint;
    struct buf out = {0};
    if (note_checkpoint_get(text, chain, &checkpoint, NULL) != 0)
        return;
    if (pair.record.suite == 0) {
        static const uint8_t seed[SIGN_SEED_SIZE];
        key_pair_from_seeds(&pair, seed, seed);
    }
    note_checkpoint_put(&out, chain, &checkpoint, &pair);
    /* All is the same up to the signatures, which begin with the dash. */
    size_t body =
        (size_t)((uint8_t *)memchr(out.data, 0xe2, out.len) - out.data);
    assert(text.len > body && memcmp(text.data, out.data, body) == 0);
    int rc = note_checkpoint_verify(buf_bytes(&out), chain, pair.record.sign,
                                    &checkpoint, NULL);
    assert(rc == 0);
    note_checkpoint_verify(text, chain, pair.record.sign, &checkpoint, NULL);
    buf_deinit(&out);
}

static void check_key_file(struct bytes text)
{
    struct key_pair pair;
    struct key_pair again;
    struct buf out = {0};
    if (key_pair_read(text, &pair, NULL) != 0)
        return;
    key_pair_write(&out, &pair);
    assert(out.len == text.len);
    int rc = key_pair_read(buf_bytes(&out), &again, NULL);
    assert(rc == 0 && memcmp(&pair, &again, sizeof(pair)) == 0);
    buf_wipe(&out);
    key_pair_wipe(&pair);
    key_pair_wipe(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    check_note(bytes_of(data, len));
    check_key_file(bytes_of(data, len));
    return 0;
}
