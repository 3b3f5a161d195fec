/* Transaction headers: an array of seven, the last of them the call's eight.
 *
 *     author key id, first sequence, count, event root, seen size, seen root,
 *     [call id, method, bundle, arguments, read set, result, caller, token]
 *
 * (1) The sequences of all events fit int64: an author mark can always count
 *     on.
 * (2) The seen root is there exactly when the seen size is not 0.
 * (3) Reading each part strictly is reading canonically: there is no map. */
#include "event/tx.h"

#include <assert.h>

#include "base/err.h"
#include "base/limits.h"
#include "base/msgpack.h"
#include "base/utf8.h"
#include "event/ids.h"
#include "event/parts.h"

enum { HEADER_PARTS = 7, CALL_PARTS = 8 };

/* Lower-case letters, digits, '_' and '.', 1 to LIMIT_TYPE_NAME bytes. */
static bool method_name_valid(struct bytes method)
{
    return word_valid(method, LIMIT_TYPE_NAME, "_.");
}

static void put_call(struct buf *out, const struct call_record *call)
{
    assert(call->id != NULL && method_name_valid(call->method));
    mp_put_array(out, CALL_PARTS);
    mp_put_bin(out, bytes_of(call->id, CALL_ID_SIZE));
    mp_put_str(out, call->method);
    mp_put_id(out, call->bundle, HASH_SIZE);
    mp_put_id(out, call->args, HASH_SIZE);
    mp_put_id(out, call->reads, HASH_SIZE);
    mp_put_id(out, call->result, HASH_SIZE);
    mp_put_id(out, call->caller, HASH_SIZE);
    mp_put_id(out, call->token, HASH_SIZE);
}

void tx_header_put(struct buf *out, const struct tx_header *header)
{
    assert(header->author != NULL && header->event_root != NULL);
    assert(header->count > 0 && header->count <= LIMIT_TX_EVENTS);
    assert(header->first_sequence <= TX_SEQUENCE_MAX);
    assert((header->seen_root != NULL) == (header->seen_size > 0));

    mp_put_array(out, HEADER_PARTS);
    mp_put_id(out, header->author, HASH_SIZE);
    mp_put_uint(out, header->first_sequence);
    mp_put_uint(out, header->count);
    mp_put_id(out, header->event_root, HASH_SIZE);
    mp_put_uint(out, header->seen_size);
    mp_put_id(out, header->seen_root, HASH_SIZE);
    put_call(out, &header->call);
}

/* (1) */
static int get_sequence(struct mp *mp, uint64_t *sequence, struct err *err)
{
    int rc = mp_get_uint(mp, sequence, err);
    if (rc == 0 && *sequence > TX_SEQUENCE_MAX)
        return err_set(err, ATE_ELIMIT, "%llu is too high",
                       (unsigned long long)*sequence);
    return rc;
}

static int get_count(struct mp *mp, uint64_t *count, struct err *err)
{
    int rc = mp_get_uint(mp, count, err);
    if (rc == 0 && *count == 0)
        return err_set(err, ATE_EINVALID, "no events");
    if (rc == 0 && *count > LIMIT_TX_EVENTS)
        return err_set(err, ATE_ELIMIT, "%llu events, at most %d",
                       (unsigned long long)*count, LIMIT_TX_EVENTS);
    return rc;
}

/* (2) */
static int get_seen_root(struct mp *mp, uint64_t seen_size,
                         const uint8_t **root, struct err *err)
{
    int rc = mp_get_bin_or_nil(mp, HASH_SIZE, root, err);
    if (rc == 0 && (*root != NULL) != (seen_size > 0))
        return err_set(err, ATE_EINVALID,
                       seen_size > 0 ? "missing" : "of an empty log");
    return rc;
}

static int get_method(struct mp *mp, struct bytes *method, struct err *err)
{
    int rc = mp_get_str(mp, method, err);
    if (rc == 0 && !method_name_valid(*method))
        return err_set(err, ATE_EINVALID,
                       "not a name in lower-case letters, digits, '_' and '.'");
    return rc;
}

static int get_call(struct mp *mp, struct call_record *c, const char **part,
                    struct err *err)
{
    int rc;
    PART("call", mp_get_array_of(mp, CALL_PARTS, err));
    PART("call id", mp_get_bin_of(mp, CALL_ID_SIZE, &c->id, err));
    PART("method", get_method(mp, &c->method, err));
    PART("bundle hash", mp_get_bin_or_nil(mp, HASH_SIZE, &c->bundle, err));
    PART("arguments digest", mp_get_bin_or_nil(mp, HASH_SIZE, &c->args, err));
    PART("read set digest", mp_get_bin_or_nil(mp, HASH_SIZE, &c->reads, err));
    PART("result digest", mp_get_bin_or_nil(mp, HASH_SIZE, &c->result, err));
    PART("caller", mp_get_bin_or_nil(mp, HASH_SIZE, &c->caller, err));
    PART("token id", mp_get_bin_or_nil(mp, HASH_SIZE, &c->token, err));
    return 0;
}

/* The parts in order; *part is the name of the one that was read last. */
static int get_parts(struct mp *mp, struct tx_header *h, const char **part,
                     struct err *err)
{
    int rc;
    PART("shape", mp_get_array_of(mp, HEADER_PARTS, err));
    PART("author", mp_get_bin_of(mp, HASH_SIZE, &h->author, err));
    PART("first sequence", get_sequence(mp, &h->first_sequence, err));
    PART("count", get_count(mp, &h->count, err));
    PART("event root", mp_get_bin_of(mp, HASH_SIZE, &h->event_root, err));
    PART("seen size", mp_get_uint(mp, &h->seen_size, err));
    PART("seen root", get_seen_root(mp, h->seen_size, &h->seen_root, err));
    rc = get_call(mp, &h->call, part, err);
    if (rc != 0)
        return rc;
    PART("end", mp_done(mp, err));
    return 0;
}

int tx_header_get(struct bytes raw, struct tx_header *header, struct err *err)
{
    if (raw.len > TX_HEADER_MAX)
        return err_set(err, ATE_ELIMIT,
                       "transaction header of %zu bytes, at most %d", raw.len,
                       TX_HEADER_MAX);
    struct mp mp = mp_open(raw);
    const char *part = NULL;
    *header = (struct tx_header){0};
    int rc = get_parts(&mp, header, &part, err);
    if (rc != 0)
        err_wrap(err, "transaction header, %s", part);
    return rc;
}
