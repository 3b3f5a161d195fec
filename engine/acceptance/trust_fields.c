/* The fields of trust events, to bytes and back. */
#include "acceptance/event_fields.h"
#include "acceptance/trust_events.h"

static void put_record(struct mapping *m, const char *name,
                       const struct key_record *record)
{
    key_record_put(mapping_key(m, name), record);
}

/* ---- delegation ---- */

void delegation_fields_put(struct buf *out, const struct delegation_fields *f)
{
    struct mapping m = {0};
    event_fields_bin(&m, "act_for", f->act_for, KEY_ID_SIZE);
    mapping_uint(&m, "depth", f->depth);
    if (f->has_record)
        put_record(&m, "key", &f->record);
    event_fields_bin(&m, "object", f->object, OBJECT_ID_SIZE);
    buf_put_bytes(mapping_key(&m, "rights"), f->rights);
    event_fields_bin(&m, "to", f->to, KEY_ID_SIZE);
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

static void read_rights(struct event_fields *r, struct bytes *rights)
{
    struct mp mp = event_fields_take(r, "rights", false);
    if (r->rc != 0)
        return;
    *rights = bytes_of(mp.at, (size_t)(mp.end - mp.at));
    event_fields_took(r, &mp, "rights",
                      check_rights(*rights, r->err) == 0
                          ? mp_skip(&mp, NULL, r->err)
                          : r->err->code);
}

/* The last moment there is stands for none, in the state, too: said in one way.
 */
static void read_until(struct event_fields *r, int64_t *until)
{
    struct mp mp = event_fields_take(r, "until", true);
    if (r->rc != 0 || mp.at == NULL)
        return;
    int rc = mp_get_int(&mp, until, r->err);
    if (rc == 0 && *until == INT64_MAX)
        rc = err_set(r->err, ATE_EINVALID, "left out when it never ends");
    event_fields_took(r, &mp, "until", rc);
}

int delegation_fields_get(struct bytes map, struct delegation_fields *f,
                          struct err *err)
{
    struct err unused;
    struct event_fields r = event_fields_open(map, err, &unused);
    *f = (struct delegation_fields){.until = INT64_MAX};
    f->act_for = event_fields_take_bin(&r, "act_for", KEY_ID_SIZE, true);
    f->depth = event_fields_take_uint(&r, "depth");
    f->has_record = event_fields_take_record(&r, "key", true, &f->record);
    f->object = event_fields_take_bin(&r, "object", OBJECT_ID_SIZE, true);
    read_rights(&r, &f->rights);
    f->to = event_fields_take_bin(&r, "to", KEY_ID_SIZE, false);
    read_until(&r, &f->until);
    return event_fields_end(&r, TYPE_DELEGATION);
}

/* ---- revocation ---- */

void revocation_fields_put(struct buf *out, const uint8_t id[EVENT_ID_SIZE])
{
    struct mapping m = {0};
    event_fields_bin(&m, "delegation", id, EVENT_ID_SIZE);
    mapping_put(&m, out);
}

int revocation_fields_get(struct bytes map, const uint8_t **id, struct err *err)
{
    struct err unused;
    struct event_fields r = event_fields_open(map, err, &unused);
    *id = event_fields_take_bin(&r, "delegation", EVENT_ID_SIZE, false);
    return event_fields_end(&r, TYPE_REVOCATION);
}

/* ---- roots ---- */

void roots_fields_put(struct buf *out, const struct roots_fields *f)
{
    struct mapping m = {0};
    struct buf *keys = mapping_key(&m, "keys");
    mp_put_array(keys, (uint32_t)f->count);
    for (size_t i = 0; i < f->count; i++)
        key_record_put(keys, &f->records[i]);
    event_fields_bin(&m, "next", f->next, HASH_SIZE);
    mapping_uint(&m, "threshold", f->threshold);
    mapping_put(&m, out);
}

static void read_keys(struct event_fields *r, struct roots_fields *f)
{
    uint32_t count = 0;
    struct mp mp = event_fields_take(r, "keys", false);
    if (r->rc != 0)
        return;
    int rc = mp_get_array(&mp, &count, r->err);
    if (rc == 0 && (count == 0 || count > LIMIT_ROOT_KEYS))
        rc = err_set(r->err, ATE_EINVALID, "%u root keys, there are 1 to %d",
                     count, LIMIT_ROOT_KEYS);
    for (uint32_t i = 0; i < count && rc == 0; i++)
        rc = key_record_get(&mp, &f->records[i], r->err);
    f->count = rc == 0 ? count : 0;
    event_fields_took(r, &mp, "keys", rc);
}

int roots_fields_get(struct bytes map, struct roots_fields *f, struct err *err)
{
    struct err unused;
    struct event_fields r = event_fields_open(map, err, &unused);
    *f = (struct roots_fields){0};
    read_keys(&r, f);
    f->next = event_fields_take_bin(&r, "next", HASH_SIZE, true);
    f->threshold = event_fields_take_uint(&r, "threshold");
    return event_fields_end(&r, TYPE_ROOTS);
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
    struct event_fields r = event_fields_open(map, err, &unused);
    *f = (struct order_fields){0};
    event_fields_take_record(&r, "key", false, &f->record);
    f->term = event_fields_take_uint(&r, "term");
    return event_fields_end(&r, TYPE_ORDER);
}
