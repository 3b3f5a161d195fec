/* body: the bytes of one, whole or a range of it, as chunks. A large one is
 * read and verified in steps; credit holds it back. */
#include <assert.h>
#include <string.h>

#include "base/hex.h"
#include "base/msgpack.h"
#include "chain/large.h"
#include "query/inside.h"
#include "event/body.h"

static void emit_bytes(struct query *q, struct bytes bytes)
{
    mp_put_bin(&q->row, bytes);
    query_emit(q);
}

/* ---- arguments ---- */

static int take_hash(struct query *q, struct bytes text, struct handle *handle,
                     bool *sealed, struct err *err)
{
    struct large large;
    if (text.len != (size_t)2 * HASH_SIZE ||
        !hex_get((const char *)text.data, text.len, handle->hash))
        return args_wrong(
            "hash", "is that of a large body, 64 hexadecimal digits", err);
    if (!state_large(q->door.version, handle->hash, &large)) {
        err_set(err, ATE_ENOT_FOUND, "the log has no such large body");
        return err_at(err, "hash");
    }
    handle->length = large.length;
    *sealed = large.sealed;
    return 0;
}

static void got_large(void *ctx, struct bytes bytes, int code,
                      const struct err *err);

static int body_begin(struct query *q, struct err *err)
{
    static const char *const names[] = {"hash",   "key",  "length",
                                        "offset", "type", NULL};
    struct bytes hash;
    struct handle handle;
    bool sealed = false;
    struct object o;
    q->range_length = UINT64_MAX;
    int rc = query_check_args(q, names, err);
    if (rc == 0)
        rc = query_take_uint(q, "offset", &q->range_offset, err);
    if (rc == 0)
        rc = query_take_uint(q, "length", &q->range_length, err);
    if (rc == 0)
        rc = query_take_text(q, "hash", false, &hash, err);
    if (rc == 0 && hash.data != NULL) {
        rc = take_hash(q, hash, &handle, &sealed, err);
    } else if (rc == 0) {
        rc = query_take_object(q, &o, err);
        if (rc == 0 && body_home_of(&o.header) != BODY_LARGE) {
            q->has_object = true;
            return 0;
        }
        if (rc == 0)
            handle = handle_of(&o.header);
        if (rc == 0)
            sealed = o.header.seal.data != NULL;
    }
    if (rc == 0)
        q->large = large_open(q->chain, &handle, sealed, q->range_offset,
                              q->range_length, got_large, q);
    return rc;
}

/* ---- a small one ---- */

static void small_read(void *ctx, struct bytes body, int code,
                       const struct err *err)
{
    struct query *q = ctx;
    uint64_t from = q->range_offset < body.len ? q->range_offset : body.len;
    uint64_t left = body.len - from;
    uint64_t count = q->range_length < left ? q->range_length : left;
    if (code == 0 && count > 0)
        emit_bytes(q, bytes_of(body.data + from, (size_t)count));
    query_resume(q, code, err);
}

static int tell_small(struct query *q, struct err *err)
{
    struct object o;
    if (state_object(q->door.version, q->id, &o) != OBJECT_LIVE)
        return door_check_ref(&q->door, q->type, q->id, err);
    q->has_object = false;
    if (o.header.body_length == 0)
        return err_set(err, ATE_ENOT_FOUND, "it has no body");
    q->waiting = true;
    chain_read_body(q->chain, o.index, o.n, small_read, q);
    return STEP_WAIT;
}

/* ---- a large one ---- */

static void got_large(void *ctx, struct bytes bytes, int code,
                      const struct err *err)
{
    struct query *q = ctx;
    q->large_ended = bytes.len == 0;
    if (code == 0 && bytes.len > 0)
        emit_bytes(q, bytes);
    query_resume(q, code, err);
}

static int body_step(struct query *q, struct err *err)
{
    if (q->has_object)
        return tell_small(q, err);
    if (q->large == NULL || q->large_ended)
        return STEP_END;
    q->waiting = true;
    large_next(q->large);
    return STEP_WAIT;
}

const struct query_kind query_body = {
    .name = "body", .begin = body_begin, .step = body_step};
