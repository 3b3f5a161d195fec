/* The fields of trust events, to bytes and back. Maps are canonical, which the
 * header codec has seen to; here each field is asked for by its name, and none
 * may be left over. */
#include "chain/trust_events.h"

#include <string.h>

#include "base/err.h"
#include "base/msgpack.h"
#include "chain/mapping.h"

/* Of a map: as many entries as were found, no more. */
struct reader {
    struct bytes map;
    uint32_t found;
    int rc;
    struct err *err;
};

static struct mp read_field(struct reader *r, const char *name, bool optional)
{
    struct bytes value = mp_map_get(r->map, name);
    if (value.data != NULL)
        r->found++;
    else if (!optional && r->rc == 0)
        r->rc =
            err_set(r->err, ATE_EINVALID, "the field '%s' is missing", name);
    return mp_open(value);
}

static void ended(struct reader *r, struct mp *mp, const char *name, int rc)
{
    if (rc == 0)
        rc = mp_done(mp, r->err);
    if (rc != 0 && r->rc == 0)
        r->rc = err_wrap(r->err, "field '%s'", name);
}

static const uint8_t *read_bin(struct reader *r, const char *name, size_t len,
                               bool optional)
{
    const uint8_t *bin = NULL;
    struct mp mp = read_field(r, name, optional);
    if (r->rc == 0 && mp.at != NULL)
        ended(r, &mp, name, mp_get_bin_of(&mp, len, &bin, r->err));
    return bin;
}

static uint64_t read_uint(struct reader *r, const char *name)
{
    uint64_t value = 0;
    struct mp mp = read_field(r, name, false);
    if (r->rc == 0)
        ended(r, &mp, name, mp_get_uint(&mp, &value, r->err));
    return value;
}

/* False: there is none. */
static bool read_record(struct reader *r, const char *name, bool optional,
                        struct key_record *record)
{
    struct mp mp = read_field(r, name, optional);
    if (r->rc != 0 || mp.at == NULL)
        return false;
    ended(r, &mp, name, key_record_get(&mp, record, r->err));
    return r->rc == 0;
}

static int read_end(struct reader *r, const char *type)
{
    struct mp mp = mp_open(r->map);
    uint32_t count = 0;
    if (r->rc == 0)
        r->rc = mp_get_map(&mp, &count, r->err);
    if (r->rc == 0 && count != r->found)
        r->rc = err_set(r->err, ATE_EINVALID, "has a field that it does not "
                                              "know");
    return r->rc == 0 ? 0 : err_wrap(r->err, "%s", type);
}

static void put_record(struct mapping *m, const char *name,
                       const struct key_record *record)
{
    key_record_put(mapping_key(m, name), record);
}

static void put_bin(struct mapping *m, const char *name, const uint8_t *data,
                    size_t len)
{
    if (data != NULL)
        mp_put_bin(mapping_key(m, name), bytes_of(data, len));
}

/* ---- delegation ---- */

void delegation_fields_put(struct buf *out, const struct delegation_fields *f)
{
    struct mapping m = {0};
    put_bin(&m, "act_for", f->act_for, KEY_ID_SIZE);
    mapping_uint(&m, "depth", f->depth);
    if (f->has_record)
        put_record(&m, "key", &f->record);
    put_bin(&m, "object", f->object, OBJECT_ID_SIZE);
    buf_put_bytes(mapping_key(&m, "rights"), f->rights);
    put_bin(&m, "to", f->to, KEY_ID_SIZE);
    if (f->until != INT64_MAX)
        mapping_int(&m, "until", f->until);
    mapping_put(&m, out);
}

static int check_right_name(struct bytes name, struct bytes before,
                            struct err *err)
{
    if (name.len == 0 || name.len > LIMIT_KIND_NAME)
        return err_set(err, ATE_EINVALID, "a right's name has 1 to %d bytes",
                       LIMIT_KIND_NAME);
    if (before.data != NULL && bytes_compare(before, name) >= 0)
        return err_set(err, ATE_EINVALID,
                       "rights are sorted, and none is named twice");
    return 0;
}

static int check_rights(struct bytes rights, struct err *err)
{
    struct mp mp = mp_open(rights);
    struct bytes name = {NULL, 0};
    uint32_t count = 0;
    int rc = mp_get_array(&mp, &count, err);
    if (rc == 0 && (count == 0 || count > DELEGATION_RIGHTS_MAX))
        rc = err_set(err, ATE_EINVALID, "%u rights, there are 1 to %d", count,
                     DELEGATION_RIGHTS_MAX);
    for (uint32_t i = 0; i < count && rc == 0; i++) {
        struct bytes before = name;
        rc = mp_get_str(&mp, &name, err);
        if (rc == 0)
            rc = check_right_name(name, before, err);
    }
    return rc;
}

static void read_rights(struct reader *r, struct bytes *rights)
{
    struct mp mp = read_field(r, "rights", false);
    if (r->rc != 0)
        return;
    *rights = bytes_of(mp.at, (size_t)(mp.end - mp.at));
    ended(r, &mp, "rights",
          check_rights(*rights, r->err) == 0 ? mp_skip(&mp, NULL, r->err)
                                             : r->err->code);
}

int delegation_fields_get(struct bytes map, struct delegation_fields *f,
                          struct err *err)
{
    struct err unused;
    struct reader r = {.map = map, .err = err != NULL ? err : &unused};
    *f = (struct delegation_fields){.until = INT64_MAX};
    f->act_for = read_bin(&r, "act_for", KEY_ID_SIZE, true);
    f->depth = read_uint(&r, "depth");
    f->has_record = read_record(&r, "key", true, &f->record);
    f->object = read_bin(&r, "object", OBJECT_ID_SIZE, true);
    read_rights(&r, &f->rights);
    f->to = read_bin(&r, "to", KEY_ID_SIZE, false);
    struct mp mp = read_field(&r, "until", true);
    if (r.rc == 0 && mp.at != NULL)
        ended(&r, &mp, "until", mp_get_int(&mp, &f->until, r.err));
    return read_end(&r, TYPE_DELEGATION);
}

/* ---- revocation ---- */

void revocation_fields_put(struct buf *out, const uint8_t id[EVENT_ID_SIZE])
{
    struct mapping m = {0};
    put_bin(&m, "delegation", id, EVENT_ID_SIZE);
    mapping_put(&m, out);
}

int revocation_fields_get(struct bytes map, const uint8_t **id,
                          struct err *err)
{
    struct err unused;
    struct reader r = {.map = map, .err = err != NULL ? err : &unused};
    *id = read_bin(&r, "delegation", EVENT_ID_SIZE, false);
    return read_end(&r, TYPE_REVOCATION);
}

/* ---- roots ---- */

void roots_fields_put(struct buf *out, const struct roots_fields *f)
{
    struct mapping m = {0};
    struct buf *keys = mapping_key(&m, "keys");
    mp_put_array(keys, (uint32_t)f->count);
    for (size_t i = 0; i < f->count; i++)
        key_record_put(keys, &f->records[i]);
    put_bin(&m, "next", f->next, HASH_SIZE);
    mapping_uint(&m, "threshold", f->threshold);
    mapping_put(&m, out);
}

static void read_keys(struct reader *r, struct roots_fields *f)
{
    uint32_t count = 0;
    struct mp mp = read_field(r, "keys", false);
    if (r->rc != 0)
        return;
    int rc = mp_get_array(&mp, &count, r->err);
    if (rc == 0 && (count == 0 || count > LIMIT_ROOT_KEYS))
        rc = err_set(r->err, ATE_EINVALID, "%u root keys, there are 1 to %d",
                     count, LIMIT_ROOT_KEYS);
    for (uint32_t i = 0; i < count && rc == 0; i++)
        rc = key_record_get(&mp, &f->records[i], r->err);
    f->count = rc == 0 ? count : 0;
    ended(r, &mp, "keys", rc);
}

int roots_fields_get(struct bytes map, struct roots_fields *f, struct err *err)
{
    struct err unused;
    struct reader r = {.map = map, .err = err != NULL ? err : &unused};
    *f = (struct roots_fields){0};
    read_keys(&r, f);
    f->next = read_bin(&r, "next", HASH_SIZE, true);
    f->threshold = read_uint(&r, "threshold");
    return read_end(&r, TYPE_ROOTS);
}

/* ---- order ---- */

void order_fields_put(struct buf *out, const struct order_fields *f)
{
    struct mapping m = {0};
    put_record(&m, "key", &f->record);
    mapping_uint(&m, "term", f->term);
    mapping_put(&m, out);
}

int order_fields_get(struct bytes map, struct order_fields *f, struct err *err)
{
    struct err unused;
    struct reader r = {.map = map, .err = err != NULL ? err : &unused};
    *f = (struct order_fields){0};
    read_record(&r, "key", false, &f->record);
    f->term = read_uint(&r, "term");
    return read_end(&r, TYPE_ORDER);
}
