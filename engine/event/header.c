/* Event headers: an array of eleven.
 *
 *     object id, type, parent id, previous event id, author key id, auth_ref,
 *     flags, body length, body hash, seal, fields
 *
 * (1) What is accepted is canonical as a whole, so that one header has one
 *     encoding and one id: reading piece by piece looks at all but the order of
 *     a map's keys, and the two parts that may have maps are passed whole.
 * (2) The body hash is there exactly when the length is not 0.
 * (3) Unknown flags are refused: a later version may give them a meaning that
 *     this one would ignore. */
#include "event/header.h"

#include <assert.h>
#include <string.h>

#include "base/err.h"
#include "base/limits.h"
#include "base/msgpack.h"
#include "base/utf8.h"
#include "event/ids.h"
#include "event/parts.h"

enum { HEADER_PARTS = 11 };

bool event_type_valid(struct bytes type)
{
    if (type.len == 0 || type.len > LIMIT_TYPE_NAME)
        return false;
    const uint8_t *dot = memchr(type.data, '.', type.len);
    if (dot == NULL)
        return false;
    size_t before = (size_t)(dot - type.data);
    return word_valid(bytes_of(type.data, before), LIMIT_TYPE_NAME, "_") &&
           word_valid(bytes_of(dot + 1, type.len - before - 1), LIMIT_TYPE_NAME,
                      "_");
}

void event_header_put(struct buf *out, const struct event_header *header)
{
    assert(header->object != NULL && header->author != NULL);
    assert(event_type_valid(header->type));
    assert((header->flags & ~(uint64_t)EVENT_FLAGS) == 0);
    assert((header->body_hash != NULL) == (header->body_length > 0));
    assert(header->fields.len > 0);

    mp_put_array(out, HEADER_PARTS);
    mp_put_id(out, header->object, OBJECT_ID_SIZE);
    mp_put_str(out, header->type);
    mp_put_id(out, header->parent, OBJECT_ID_SIZE);
    mp_put_id(out, header->previous, EVENT_ID_SIZE);
    mp_put_id(out, header->author, HASH_SIZE);
    mp_put_id(out, header->auth_ref, EVENT_ID_SIZE);
    mp_put_uint(out, header->flags);
    mp_put_uint(out, header->body_length);
    mp_put_id(out, header->body_hash, HASH_SIZE);
    if (header->seal.data == NULL)
        mp_put_nil(out);
    else
        buf_put_bytes(out, header->seal);
    buf_put_bytes(out, header->fields);
}

/* One whole value of this kind, as its bytes. */
static int get_raw(struct mp *mp, enum mp_kind kind, struct bytes *raw,
                   struct err *err)
{
    enum mp_kind found = MP_NIL;
    int rc = mp_peek(mp, &found, err);
    if (rc == 0 && found != kind) {
        mp->failed = ATE_EINVALID;
        return err_set(err, mp->failed, "not %s",
                       kind == MP_MAP ? "a map" : "nil or an array");
    }
    return rc == 0 ? mp_skip(mp, raw, err) : rc;
}

static int get_type(struct mp *mp, struct bytes *type, struct err *err)
{
    int rc = mp_get_str(mp, type, err);
    if (rc == 0 && !mp->known && !event_type_valid(*type))
        return err_set(err, ATE_EINVALID,
                       "not of the form schema.type in lower-case letters, "
                       "digits and '_'");
    return rc;
}

static int get_flags(struct mp *mp, uint64_t *flags, struct err *err)
{
    int rc = mp_get_uint(mp, flags, err);
    if (rc == 0 && (*flags & ~(uint64_t)EVENT_FLAGS) != 0)
        return err_set(err, ATE_EINVALID, "0x%llx has bits without a meaning",
                       (unsigned long long)*flags);
    return rc;
}

static int get_body_length(struct mp *mp, uint64_t *length, struct err *err)
{
    int rc = mp_get_uint(mp, length, err);
    if (rc == 0 && *length > LIMIT_BODY)
        return err_set(err, ATE_ELIMIT, "%llu bytes, at most %llu",
                       (unsigned long long)*length,
                       (unsigned long long)LIMIT_BODY);
    return rc;
}

/* (2) */
static int get_body_hash(struct mp *mp, uint64_t length, const uint8_t **hash,
                         struct err *err)
{
    int rc = mp_get_bin_or_nil(mp, HASH_SIZE, hash, err);
    if (rc == 0 && (*hash != NULL) != (length > 0))
        return err_set(err, ATE_EINVALID,
                       length > 0 ? "missing" : "of nothing");
    return rc;
}

static int get_seal(struct mp *mp, struct bytes *seal, struct err *err)
{
    *seal = (struct bytes){0};
    return mp_take_nil(mp) ? 0 : get_raw(mp, MP_ARRAY, seal, err);
}

/* The parts in order; *part is the name of the one that was read last. */
static int get_parts(struct mp *mp, struct event_header *h, const char **part,
                     struct err *err)
{
    int rc;
    PART("shape", mp_get_array_of(mp, HEADER_PARTS, err));
    PART("object id", mp_get_bin_of(mp, OBJECT_ID_SIZE, &h->object, err));
    PART("type", get_type(mp, &h->type, err));
    PART("parent id", mp_get_bin_or_nil(mp, OBJECT_ID_SIZE, &h->parent, err));
    PART("previous event",
         mp_get_bin_or_nil(mp, EVENT_ID_SIZE, &h->previous, err));
    PART("author", mp_get_bin_of(mp, HASH_SIZE, &h->author, err));
    PART("auth_ref", mp_get_bin_or_nil(mp, EVENT_ID_SIZE, &h->auth_ref, err));
    PART("flags", get_flags(mp, &h->flags, err));
    PART("body length", get_body_length(mp, &h->body_length, err));
    PART("body hash", get_body_hash(mp, h->body_length, &h->body_hash, err));
    PART("seal", get_seal(mp, &h->seal, err));
    PART("fields", get_raw(mp, MP_MAP, &h->fields, err));
    PART("end", mp_done(mp, err));
    return 0;
}

struct bytes event_header_type(struct bytes raw)
{
    struct mp mp = mp_open(raw);
    const uint8_t *object;
    struct bytes type = {0};
    mp_get_array_of(&mp, HEADER_PARTS, NULL);
    mp_get_bin_of(&mp, OBJECT_ID_SIZE, &object, NULL);
    mp_get_str(&mp, &type, NULL);
    return type;
}

void event_header_known(struct bytes raw, struct event_header *header)
{
    *header = (struct event_header){0};
    struct mp mp = mp_open_known(raw);
    const char *part;
    int rc = get_parts(&mp, header, &part, NULL);
    assert(rc == 0);
}

int event_header_get(struct bytes raw, struct event_header *header,
                     struct err *err)
{
    if (raw.len > LIMIT_EVENT_HEADER)
        return err_set(err, ATE_ELIMIT, "event header of %zu bytes, at most %d",
                       raw.len, LIMIT_EVENT_HEADER);
    *header = (struct event_header){0};
    struct mp mp = mp_open(raw);
    const char *part;
    mp.above = 1; /* the parts stand in an array */
    int rc = get_parts(&mp, header, &part, err);
    if (rc != 0)
        err_wrap(err, "event header, %s", part);
    return rc;
}
