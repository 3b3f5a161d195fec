#include "schema/handle.h"

#include <inttypes.h>
#include <string.h>

#include "base/err.h"
#include "base/hex.h"
#include "base/limits.h"
#include "base/msgpack.h"
#include "event/header.h"

struct handle handle_of(const struct event_header *header)
{
    struct handle handle = {.length = header->body_length};
    memcpy(handle.hash, header->body_hash, HASH_SIZE);
    return handle;
}

bool handle_is(struct bytes value)
{
    struct mp mp = mp_open(value);
    enum mp_kind kind = MP_NIL;
    return mp_peek(&mp, &kind, NULL) == 0 && kind == MP_MAP;
}

static int check_length(uint64_t length, struct err *err)
{
    if (length > LIMIT_BODY)
        return err_set(err, ATE_ELIMIT, "%" PRIu64 " bytes, at most %" PRIu64,
                       length, LIMIT_BODY);
    if (length <= LIMIT_BODY_PIECE)
        return err_set(err, ATE_EINVALID,
                       "%" PRIu64 " bytes are given as they are; a handle is "
                       "of more than %d",
                       length, LIMIT_BODY_PIECE);
    return 0;
}

static int no_handle(struct err *err)
{
    return err_set(err, ATE_EINVALID,
                   "a handle of a large body is a map of hash and length");
}

/* The raw values of exactly these two entries. */
static int split(struct bytes value, struct bytes *hash, struct bytes *length,
                 struct err *err)
{
    struct mp mp = mp_open(value);
    uint32_t count = 0;
    if (mp_get_map(&mp, &count, NULL) != 0 || count != 2)
        return no_handle(err);
    *hash = mp_map_get(value, "hash");
    *length = mp_map_get(value, "length");
    return hash->data != NULL && length->data != NULL ? 0 : no_handle(err);
}

int handle_get(struct bytes value, struct handle *handle, struct err *err)
{
    struct bytes hash;
    struct bytes length;
    const uint8_t *bytes = NULL;
    int rc = split(value, &hash, &length, err);
    if (rc != 0)
        return rc;
    struct mp mp = mp_open(hash);
    if (mp_get_bin_of(&mp, HASH_SIZE, &bytes, NULL) != 0)
        return no_handle(err);
    memcpy(handle->hash, bytes, HASH_SIZE);
    mp = mp_open(length);
    if (mp_get_uint(&mp, &handle->length, NULL) != 0)
        return no_handle(err);
    return check_length(handle->length, err);
}

void handle_put(struct buf *out, const struct handle *handle)
{
    mp_put_map(out, 2);
    mp_put_text(out, "hash");
    mp_put_bin(out, bytes_of(handle->hash, HASH_SIZE));
    mp_put_text(out, "length");
    mp_put_uint(out, handle->length);
}

static bool take_hash(struct bytes value, uint8_t out[HASH_SIZE])
{
    struct mp mp = mp_open(value);
    struct bytes text;
    const uint8_t *bytes = NULL;
    if (mp_get_bin_of(&mp, HASH_SIZE, &bytes, NULL) == 0) {
        memcpy(out, bytes, HASH_SIZE);
        return true;
    }
    mp = mp_open(value);
    return mp_get_str(&mp, &text, NULL) == 0 &&
           text.len == (size_t)2 * HASH_SIZE &&
           hex_get((const char *)text.data, text.len, out);
}

int handle_take(struct bytes value, struct buf *out, struct err *err)
{
    struct handle handle;
    struct bytes hash;
    struct bytes length;
    int rc = split(value, &hash, &length, err);
    if (rc != 0)
        return rc;
    struct mp mp = mp_open(length);
    if (!take_hash(hash, handle.hash) ||
        mp_get_uint(&mp, &handle.length, NULL) != 0)
        return no_handle(err);
    rc = check_length(handle.length, err);
    if (rc == 0)
        handle_put(out, &handle);
    return rc;
}

void handle_give(struct buf *out, const struct handle *handle)
{
    struct buf text = {0};
    hex_put(&text, bytes_of(handle->hash, HASH_SIZE));
    mp_put_map(out, 2);
    mp_put_text(out, "hash");
    mp_put_str(out, buf_bytes(&text));
    mp_put_text(out, "length");
    mp_put_uint(out, handle->length);
    buf_deinit(&text);
}
