/* ate.put: pieces of a large body, before the call that names it. */
#include <string.h>

#include "base/hex.h"
#include "base/mapping.h"
#include "base/msgpack.h"
#include "node/inside.h"
#include "query/args.h"

static void put_done(struct put *put)
{
    struct asked *a = put->owner;
    struct mapping m = {0};
    struct buf out = {0};
    if (put->code != 0) {
        err_wrap(&put->err, "ate.put");
        asked_fail(a, &put->err);
        return;
    }
    if (put->ends) {
        mapping_hex(&m, "hash", bytes_of(put->body_hash, HASH_SIZE));
        mapping_uint(&m, "length", put->length);
    } else {
        mapping_uint(&m, "offset", put->length);
    }
    mapping_put(&m, &out);
    asked_end(a, 0, &put->err, buf_bytes(&out));
    buf_deinit(&out);
}

/* `size` bytes, as they are or as hexadecimal text. */
static int take_hex(struct bytes args, const char *name, bool needed,
                    size_t size, uint8_t *out, bool *there, struct err *err)
{
    struct bytes value = {NULL, 0};
    *there = false;
    if (args_bytes(args, name, false, &value, NULL) == 0) {
        if (value.data == NULL)
            return needed ? args_wrong(name, "is missing", err) : 0;
        *there = value.len == size;
        if (*there)
            memcpy(out, value.data, size);
    } else if (args_text(args, name, false, &value, NULL) == 0) {
        *there = value.len == 2 * size &&
                 hex_get((const char *)value.data, value.len, out);
    }
    if (*there)
        return 0;
    err_set(err, ATE_EINVALID,
            "'%s' has to be %zu bytes, or %zu hexadecimal digits", name, size,
            2 * size);
    return err_at(err, name);
}

/* Bytes as they are, or as hexadecimal text, which is decoded into `room`. */
static int take_data(struct bytes args, struct buf *room, struct bytes *data,
                     struct err *err)
{
    struct bytes text = {NULL, 0};
    if (args_bytes(args, "data", false, data, NULL) == 0)
        return 0;
    if (args_text(args, "data", false, &text, NULL) != 0 ||
        !hex_get((const char *)text.data, text.len,
                 buf_grow(room, text.len / 2)))
        return args_wrong(
            "data", "has to be bytes, or hexadecimal digits, two a byte", err);
    *data = buf_bytes(room);
    return 0;
}

static int take(struct asked *a, struct err *err)
{
    static const char *const names[] = {"data",   "end",    "hash", "id",
                                        "offset", "sealed", NULL};
    struct bytes args = buf_bytes(&a->args);
    struct asked_put *p = &a->putting;
    int64_t offset = 0;
    bool there = false;
    int rc = args_check(args, names, err);
    if (rc == 0)
        rc = take_hex(args, "id", true, UPLOAD_ID_SIZE, p->id, &there, err);
    if (rc == 0)
        rc = take_data(args, &p->room, &p->put.data, err);
    if (rc == 0)
        rc = args_int(args, "offset", &there, &offset, err);
    if (rc == 0 && offset < 0)
        rc = args_wrong("offset", "says where the data begins, from 0 on", err);
    if (rc == 0)
        rc = args_bool(args, "end", &p->put.ends, err);
    if (rc == 0)
        rc = args_bool(args, "sealed", &p->put.sealed, err);
    if (rc == 0)
        rc = take_hex(args, "hash", false, HASH_SIZE, p->hash, &there, err);
    p->put.offset = (uint64_t)offset;
    p->put.hash = there ? p->hash : NULL;
    p->put.id = p->id;
    return rc;
}

void serve_put(struct asked *a)
{
    struct err err;
    a->putting = (struct asked_put){.put = {.done = put_done, .owner = a}};
    if (take(a, &err) != 0) {
        err_wrap(&err, "ate.put");
        asked_fail(a, &err);
        return;
    }
    chain_put(a->hosted->chain, &a->putting.put);
}
