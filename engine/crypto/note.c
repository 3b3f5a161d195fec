/* Signed notes (C2SP signed-note and tlog-checkpoint), as far as we use them.
 *
 * (1) What is signed is the three lines before the empty one, with their
 *     newlines.
 * (2) The first signature line is the chain's own: its name is the origin, and
 *     what its base64 holds is 4 bytes of key hash and 64 of Ed25519. Lines of
 *     others follow and may hold anything of 5 bytes or more.
 * (3) Key hash = first 4 bytes of SHA-256(name || 0x0A || 0x01 || public key).
 *     It picks a key and proves nothing.
 * (4) Numbers and base64 have one form each: no leading zero, no sign, padding
 *     complete, bits left over zero. What is accepted is what would be written.
 */
#include "crypto/note.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include <sodium.h>

#include "base/err.h"
#include "base/utf8.h"

#define ORIGIN_PREFIX "ate/"
#define DASH "\xe2\x80\x94 "

enum {
    ORIGIN_SIZE = 4 + 2 * HASH_SIZE,
    KEY_HASH_SIZE = 4,
    BLOB_SIZE = KEY_HASH_SIZE + SIGN_SIZE,
    BASE64_MAX = 4 * ((BLOB_SIZE + 2) / 3) + 1, /* with the final zero */
};

/* What a note says, inside its text. */
struct note {
    struct bytes body; /* (1) */
    struct checkpoint checkpoint;
    uint8_t blob[BLOB_SIZE]; /* (2) */
};

static void origin_of(const uint8_t *chain_id, char out[ORIGIN_SIZE + 1])
{
    memcpy(out, ORIGIN_PREFIX, 4);
    hex_put(out + 4, chain_id, HASH_SIZE);
}

static void key_hash(const char *name, const uint8_t *public_key,
                     uint8_t out[KEY_HASH_SIZE])
{
    uint8_t full[HASH_SIZE];
    struct hasher h;
    hash_begin_bare(&h);
    hash_bare(&h, bytes_of_text(name));
    hash_bare(&h, bytes_of("\x0a\x01", 2));
    hash_bare(&h, bytes_of(public_key, SIGN_PUBLIC_SIZE));
    hash_end(&h, full);
    memcpy(out, full, KEY_HASH_SIZE);
}

static void put_base64(struct buf *out, const uint8_t *data, size_t len)
{
    char text[BASE64_MAX];
    assert(len <= BLOB_SIZE);
    sodium_bin2base64(text, sizeof(text), data, len,
                      sodium_base64_VARIANT_ORIGINAL);
    buf_put_text(out, text);
}

void note_checkpoint_put(struct buf *out, const uint8_t chain_id[HASH_SIZE],
                         const struct checkpoint *checkpoint,
                         const struct key_pair *pair)
{
    size_t start = out->len;
    char origin[ORIGIN_SIZE + 1];
    origin_of(chain_id, origin);
    buf_printf(out, "%s\n%" PRIu64 "\n", origin, checkpoint->size);
    put_base64(out, checkpoint->root, HASH_SIZE);
    buf_put_text(out, "\n");

    uint8_t blob[BLOB_SIZE];
    key_hash(origin, pair->record.sign, blob);
    sign_bytes(pair->secret, bytes_of(out->data + start, out->len - start),
               blob + KEY_HASH_SIZE);
    buf_printf(out, "\n" DASH "%s ", origin);
    put_base64(out, blob, sizeof(blob));
    buf_put_text(out, "\n");
}

/* Take one line, without its newline. */
static bool take_line(struct bytes *rest, struct bytes *line)
{
    if (rest->len == 0)
        return false;
    const uint8_t *end = memchr(rest->data, '\n', rest->len);
    if (end == NULL)
        return false;
    *line = bytes_of(rest->data, (size_t)(end - rest->data));
    *rest = bytes_of(end + 1, rest->len - line->len - 1);
    return true;
}

/* (4) */
static bool parse_size(struct bytes text, uint64_t *size)
{
    if (text.len == 0 || (text.len > 1 && text.data[0] == '0'))
        return false;
    *size = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        if (__builtin_mul_overflow(*size, 10u, size) ||
            __builtin_add_overflow(*size, text.data[i] - '0', size))
            return false;
    }
    return true;
}

/* Decoded bytes, at most `cap`; -1 when it is not base64 (4). */
static int parse_base64(struct bytes text, uint8_t *out, size_t cap)
{
    size_t len = 0;
    int rc =
        sodium_base642bin(out, cap, (const char *)text.data, text.len, NULL,
                          &len, NULL, sodium_base64_VARIANT_ORIGINAL);
    return rc == 0 ? (int)len : -1;
}

/* Split "dash name base64" into name and what the base64 holds. */
static bool parse_signature(struct bytes line, struct bytes *name,
                            uint8_t blob[NOTE_MAX], int *len)
{
    size_t dash = strlen(DASH);
    if (line.len < dash || memcmp(line.data, DASH, dash) != 0)
        return false;
    struct bytes rest = bytes_of(line.data + dash, line.len - dash);
    const uint8_t *space =
        rest.len == 0 ? NULL : memchr(rest.data, ' ', rest.len);
    if (space == NULL || space == rest.data)
        return false;
    *name = bytes_of(rest.data, (size_t)(space - rest.data));
    if (memchr(name->data, '+', name->len) != NULL)
        return false;
    struct bytes code = bytes_of(space + 1, rest.len - name->len - 1);
    *len = parse_base64(code, blob, NOTE_MAX);
    return *len > KEY_HASH_SIZE;
}

/* Only newlines among the control characters, and UTF-8 throughout. */
static bool is_note_text(struct bytes text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((text.data[i] < 0x20 && text.data[i] != '\n') ||
            text.data[i] == 0x7f)
            return false;
    return utf8_valid(text);
}

static const char *parse_body(struct bytes *rest, const char *origin,
                              struct note *note)
{
    const uint8_t *start = rest->data;
    struct bytes line;
    if (!take_line(rest, &line) || !bytes_equal(line, bytes_of_text(origin)))
        return "its origin is not this chain";
    if (!take_line(rest, &line) || !parse_size(line, &note->checkpoint.size))
        return "its size is not a number";
    if (!take_line(rest, &line) ||
        parse_base64(line, note->checkpoint.root, HASH_SIZE) != HASH_SIZE)
        return "its root is not 32 bytes in base64";
    note->body = bytes_of(start, (size_t)(rest->data - start));
    if (!take_line(rest, &line) || line.len != 0)
        return "no empty line behind its root";
    return NULL;
}

static const char *parse_signatures(struct bytes rest, const char *origin,
                                    struct note *note)
{
    uint8_t blob[NOTE_MAX];
    int len;
    struct bytes line;
    struct bytes name;
    for (int i = 0; i < NOTE_SIGNATURES_MAX; i++) {
        if (rest.len == 0 && i > 0)
            return NULL;
        if (!take_line(&rest, &line) ||
            !parse_signature(line, &name, blob, &len))
            return "a signature line is malformed";
        if (i > 0)
            continue;
        if (!bytes_equal(name, bytes_of_text(origin)) || len != BLOB_SIZE)
            return "its first signature is not the chain's";
        memcpy(note->blob, blob, BLOB_SIZE);
    }
    return rest.len == 0 ? NULL : "too many signatures";
}

static int parse(struct bytes text, const char *origin, struct note *note,
                 struct err *err)
{
    if (text.len > NOTE_MAX)
        return err_set(err, ATE_ELIMIT, "checkpoint of %zu bytes, at most %d",
                       text.len, NOTE_MAX);
    const char *wrong = NULL;
    if (!is_note_text(text))
        wrong = "it is not plain text";
    if (wrong == NULL)
        wrong = parse_body(&text, origin, note);
    if (wrong == NULL)
        wrong = parse_signatures(text, origin, note);
    if (wrong != NULL)
        return err_set(err, ATE_EINVALID, "checkpoint of %s: %s", origin,
                       wrong);
    return 0;
}

int note_checkpoint_get(struct bytes text, const uint8_t chain_id[HASH_SIZE],
                        struct checkpoint *checkpoint, struct err *err)
{
    char origin[ORIGIN_SIZE + 1];
    struct note note;
    origin_of(chain_id, origin);
    int rc = parse(text, origin, &note, err);
    if (rc == 0)
        *checkpoint = note.checkpoint;
    return rc;
}

int note_checkpoint_verify(struct bytes text, const uint8_t chain_id[HASH_SIZE],
                           const uint8_t public_key[SIGN_PUBLIC_SIZE],
                           struct checkpoint *checkpoint, struct err *err)
{
    char origin[ORIGIN_SIZE + 1];
    struct note note;
    origin_of(chain_id, origin);
    int rc = parse(text, origin, &note, err);
    if (rc != 0)
        return rc;
    uint8_t hash[KEY_HASH_SIZE];
    key_hash(origin, public_key, hash);
    if (memcmp(hash, note.blob, KEY_HASH_SIZE) != 0)
        return err_set(err, ATE_ECORRUPT,
                       "checkpoint of %s: signed by another key", origin);
    if (!sign_verify(public_key, note.body, note.blob + KEY_HASH_SIZE))
        return err_set(err, ATE_ECORRUPT,
                       "checkpoint of %s: its signature is wrong", origin);
    *checkpoint = note.checkpoint;
    return 0;
}
