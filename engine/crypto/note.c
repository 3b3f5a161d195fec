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

#include "base/err.h"
#include "base/hex.h"
#include "base/lines.h"
#include "base/utf8.h"

#define ORIGIN_PREFIX "ate/"
#define DASH "\xe2\x80\x94 "

enum {
    ORIGIN_SIZE = 4 + 2 * HASH_SIZE,
    KEY_HASH_SIZE = 4,
    BLOB_SIZE = KEY_HASH_SIZE + SIGN_SIZE,
    VKEY_BLOB_SIZE = 1 + SIGN_PUBLIC_SIZE,
    VKEY_HEX_SIZE = 2 * KEY_HASH_SIZE,
    TYPE_ED25519 = 1,
};

/* What a note says, inside its text. */
struct note {
    struct bytes body; /* (1) */
    struct checkpoint checkpoint;
    uint8_t blob[BLOB_SIZE]; /* (2) */
};

static void origin_of(const uint8_t *chain_id, char out[ORIGIN_SIZE + 1])
{
    struct buf b = {.data = (uint8_t *)out, .cap = ORIGIN_SIZE + 1};
    buf_put_text(&b, ORIGIN_PREFIX);
    hex_put(&b, bytes_of(chain_id, HASH_SIZE));
    assert(b.len == ORIGIN_SIZE && b.data == (uint8_t *)out);
    out[ORIGIN_SIZE] = '\0';
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

void note_checkpoint_put(struct buf *out, const uint8_t chain_id[HASH_SIZE],
                         const struct checkpoint *checkpoint,
                         const struct key_pair *pair)
{
    size_t start = out->len;
    char origin[ORIGIN_SIZE + 1];
    origin_of(chain_id, origin);
    buf_printf(out, "%s\n%" PRIu64 "\n", origin, checkpoint->size);
    base64_put(out, bytes_of(checkpoint->root, HASH_SIZE));
    buf_put_text(out, "\n");

    uint8_t blob[BLOB_SIZE];
    key_hash(origin, pair->record.sign, blob);
    sign_bytes(pair->secret, bytes_of(out->data + start, out->len - start),
               blob + KEY_HASH_SIZE);
    buf_printf(out, "\n" DASH "%s ", origin);
    base64_put(out, bytes_of(blob, sizeof(blob)));
    buf_put_text(out, "\n");
}

/* Split "dash name base64" into name and what the base64 holds, appended to
 * `blob`. */
static bool parse_signature(struct bytes line, struct bytes *name,
                            struct buf *blob)
{
    if (!word_take(&line, DASH) || line.len == 0)
        return false;
    const uint8_t *space = memchr(line.data, ' ', line.len);
    if (space == NULL || space == line.data)
        return false;
    *name = bytes_of(line.data, (size_t)(space - line.data));
    if (memchr(name->data, '+', name->len) != NULL)
        return false;
    struct bytes code = bytes_of(space + 1, line.len - name->len - 1);
    return base64_get((const char *)code.data, code.len, blob) &&
           blob->len > KEY_HASH_SIZE;
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
    if (!line_take(rest, &line) || !bytes_equal(line, bytes_of_text(origin)))
        return "its origin is not this chain";
    if (!line_take(rest, &line) || !decimal_get(line, &note->checkpoint.size))
        return "its size is not a number";
    if (!line_take(rest, &line) ||
        !base64_get_fixed(line, note->checkpoint.root, HASH_SIZE))
        return "its root is not 32 bytes in base64";
    note->body = bytes_of(start, (size_t)(rest->data - start));
    if (!line_take(rest, &line) || line.len != 0)
        return "no empty line behind its root";
    return NULL;
}

/* Line number `n`, from 0; the first is the chain's (2). */
static const char *check_signature(struct bytes line, int n, const char *origin,
                                   struct note *note)
{
    struct buf blob = {0};
    struct bytes name;
    const char *wrong = NULL;
    if (!parse_signature(line, &name, &blob))
        wrong = "a signature line is malformed";
    else if (n == 0 && (!bytes_equal(name, bytes_of_text(origin)) ||
                        blob.len != BLOB_SIZE))
        wrong = "its first signature is not the chain's";
    else if (n == 0)
        memcpy(note->blob, blob.data, BLOB_SIZE);
    buf_deinit(&blob);
    return wrong;
}

static const char *parse_signatures(struct bytes rest, const char *origin,
                                    struct note *note)
{
    struct bytes line;
    const char *wrong = NULL;
    int n = 0;
    do {
        if (n == NOTE_SIGNATURES_MAX)
            return "it has too many signatures";
        if (!line_take(&rest, &line))
            return "a signature line is missing or cut short";
        wrong = check_signature(line, n++, origin, note);
    } while (wrong == NULL && rest.len > 0);
    return wrong;
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

/* ---- what names a chain or a key ---- */

/* Exactly "ate/" and an id in lower-case digits. */
static bool parse_origin(struct bytes text, uint8_t chain_id[HASH_SIZE])
{
    char origin[ORIGIN_SIZE + 1];
    if (text.len != ORIGIN_SIZE ||
        !hex_get((const char *)text.data + strlen(ORIGIN_PREFIX), 2 * HASH_SIZE,
                 chain_id))
        return false;
    origin_of(chain_id, origin);
    return bytes_equal(text, bytes_of_text(origin));
}

int note_origin(struct bytes text, uint8_t chain_id[HASH_SIZE], struct err *err)
{
    struct bytes line;
    if (line_take(&text, &line) && parse_origin(line, chain_id))
        return 0;
    return err_set(err, ATE_EINVALID,
                   "checkpoint: its first line names no chain of ate");
}

void note_vkey_put(struct buf *out, const uint8_t chain_id[HASH_SIZE],
                   const uint8_t public_key[SIGN_PUBLIC_SIZE])
{
    char origin[ORIGIN_SIZE + 1];
    uint8_t hash[KEY_HASH_SIZE];
    uint8_t blob[VKEY_BLOB_SIZE] = {TYPE_ED25519};
    origin_of(chain_id, origin);
    key_hash(origin, public_key, hash);
    memcpy(blob + 1, public_key, SIGN_PUBLIC_SIZE);
    buf_printf(out, "%s+", origin);
    hex_put(out, bytes_of(hash, sizeof(hash)));
    buf_put_text(out, "+");
    base64_put(out, bytes_of(blob, sizeof(blob)));
}

int note_vkey_get(struct bytes text, uint8_t chain_id[HASH_SIZE],
                  uint8_t public_key[SIGN_PUBLIC_SIZE], struct err *err)
{
    const size_t code = ORIGIN_SIZE + 1 + VKEY_HEX_SIZE + 1;
    uint8_t blob[VKEY_BLOB_SIZE];
    struct buf again = {0};
    bool ok = text.len > code &&
              parse_origin(bytes_of(text.data, ORIGIN_SIZE), chain_id) &&
              base64_get_fixed(bytes_of(text.data + code, text.len - code),
                               blob, sizeof(blob)) &&
              blob[0] == TYPE_ED25519;
    if (ok) {
        memcpy(public_key, blob + 1, SIGN_PUBLIC_SIZE);
        note_vkey_put(&again, chain_id, public_key);
        ok = bytes_equal(text, buf_bytes(&again));
    }
    buf_deinit(&again);
    if (ok)
        return 0;
    return err_set(err, ATE_EINVALID,
                   "not a key that checks notes of a chain: it looks like "
                   "ate/<chain id>+<8 hex>+<base64>");
}
