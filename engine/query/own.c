/* Events of the engine's own as people read them: names of keys and objects,
 * places of grants, times. What is no such value, as in a proposal that nobody
 * has judged yet, is shown as it is. */
#include <assert.h>

#include "acceptance/engine_types.h"
#include "base/err.h"
#include "base/msgpack.h"
#include "query/inside.h"
#include "schema/time_text.h"
#include "state/delegation.h"
#include "state/work.h"

/* What their fields hold that people would not read as it is stored. */
enum shown {
    SHOWN_IDENTITY,
    SHOWN_KEY,  /* a key record, as its key's name or id */
    SHOWN_KEYS, /* an array of them */
    SHOWN_OBJECT,
    SHOWN_GRANT, /* the event id of a delegation, as its place */
    SHOWN_TIME,
    SHOWN_ITEM, /* what a worker works, as work_item_text() has it */
    SHOWN_RAW,
};

static const struct {
    const char *type;
    const char *field;
    enum shown as;
} shown_fields[] = {
    {"ate.answer", "item", SHOWN_ITEM},
    {"ate.ask", "item", SHOWN_ITEM},
    {"ate.delegation", "act_for", SHOWN_IDENTITY},
    {"ate.delegation", "key", SHOWN_KEY},
    {"ate.delegation", "object", SHOWN_OBJECT},
    {"ate.delegation", "to", SHOWN_IDENTITY},
    {"ate.delegation", "until", SHOWN_TIME},
    {"ate.heartbeat", "time", SHOWN_TIME},
    {"ate.order", "key", SHOWN_KEY},
    {"ate.revocation", "delegation", SHOWN_GRANT},
    {"ate.roots", "keys", SHOWN_KEYS},
    {"ate.work", "item", SHOWN_ITEM},
};

static enum shown shown_as(struct bytes type, struct bytes field)
{
    for (size_t i = 0; i < sizeof(shown_fields) / sizeof(*shown_fields); i++)
        if (bytes_equal(type, bytes_of_text(shown_fields[i].type)) &&
            bytes_equal(field, bytes_of_text(shown_fields[i].field)))
            return shown_fields[i].as;
    return SHOWN_RAW;
}

void query_put_object(struct query *q, const uint8_t id[OBJECT_ID_SIZE],
                      struct buf *text)
{
    struct object o;
    const struct schema *s = chain_core(q->chain)->schema;
    const struct event_type *type = NULL;
    if (state_object(q->door.version, id, &o) != OBJECT_ABSENT)
        type = schema_type(s, o.header.type);
    if (type != NULL)
        buf_printf(text, "%s/", schema_short(s, type->name));
    door_put_ref(&q->door, id, text);
}

/* False: it is not in this log. */
static bool put_grant(struct query *q, const uint8_t id[EVENT_ID_SIZE],
                      struct buf *text)
{
    struct delegation d;
    bool there = delegation_get(q->door.version, id, &d);
    if (there)
        buf_printf(text, "%llu.%llu", (unsigned long long)d.index,
                   (unsigned long long)d.n);
    return there;
}

static bool put_key(struct query *q, struct mp *mp, struct buf *text)
{
    struct key_record record;
    uint8_t id[KEY_ID_SIZE];
    if (key_record_get(mp, &record, NULL) != 0)
        return false;
    key_id(&record, id);
    door_put_identity(&q->door, id, text);
    return true;
}

/* False: the value is not what it ought to be, as in a proposal that nobody has
 * judged yet; it is then shown as it is. */
static bool put_shown(struct query *q, enum shown as, struct bytes value,
                      struct buf *text)
{
    struct mp mp = mp_open(value);
    const uint8_t *id = NULL;
    int64_t time = 0;
    struct bytes item;
    switch (as) {
    case SHOWN_IDENTITY:
        if (mp_get_bin_of(&mp, KEY_ID_SIZE, &id, NULL) != 0)
            return false;
        door_put_identity(&q->door, id, text);
        return true;
    case SHOWN_OBJECT:
        if (mp_get_bin_of(&mp, OBJECT_ID_SIZE, &id, NULL) != 0)
            return false;
        query_put_object(q, id, text);
        return true;
    case SHOWN_GRANT:
        return mp_get_bin_of(&mp, EVENT_ID_SIZE, &id, NULL) == 0 &&
               put_grant(q, id, text);
    case SHOWN_TIME:
        if (mp_get_int(&mp, &time, NULL) != 0)
            return false;
        time_put(text, time);
        return true;
    case SHOWN_ITEM:
        if (mp_get_bin(&mp, &item, NULL) != 0 ||
            !(work_item_waits(item) || work_item_is_parked(item)))
            return false;
        work_item_text(item, text);
        return true;
    case SHOWN_KEY:
        return put_key(q, &mp, text);
    case SHOWN_KEYS:
    case SHOWN_RAW:
    default:
        return false;
    }
}

static void put_keys(struct query *q, struct bytes value, struct buf *out)
{
    struct mp mp = mp_open(value);
    struct buf list = {0};
    struct buf text = {0};
    uint32_t count = 0;
    int rc = mp_get_array(&mp, &count, NULL);
    mp_put_array(&list, count);
    for (uint32_t i = 0; i < count && rc == 0; i++) {
        buf_clear(&text);
        if (!put_key(q, &mp, &text))
            rc = ATE_EINVALID;
        mp_put_str(&list, buf_bytes(&text));
    }
    buf_put_bytes(out, rc == 0 ? buf_bytes(&list) : value);
    buf_deinit(&list);
    buf_deinit(&text);
}

static void put_own_field(struct query *q, struct bytes type, struct bytes name,
                          struct bytes value, struct buf *out)
{
    enum shown as = shown_as(type, name);
    struct buf text = {0};
    if (as == SHOWN_KEYS)
        put_keys(q, value, out);
    else if (as != SHOWN_RAW && put_shown(q, as, value, &text))
        mp_put_str(out, buf_bytes(&text));
    else
        buf_put_bytes(out, value);
    buf_deinit(&text);
}

/* ate.key is a key record by its fields. */
static bool put_key_event(struct query *q, const struct event_header *h,
                          struct buf *out)
{
    struct key_record record;
    uint8_t id[KEY_ID_SIZE];
    struct buf text = {0};
    if (!bytes_equal(h->type, bytes_of_text(TYPE_KEY)) ||
        key_fields_get(h->fields, &record, NULL) != 0)
        return false;
    key_id(&record, id);
    door_put_identity(&q->door, id, &text);
    mp_put_map(out, 1);
    mp_put_text(out, "key");
    mp_put_str(out, buf_bytes(&text));
    buf_deinit(&text);
    return true;
}

void query_put_own_fields(struct query *q, const struct event_header *h,
                          struct buf *out)
{
    struct mp mp = mp_open(h->fields);
    uint32_t count = 0;
    int rc = mp_get_map(&mp, &count, NULL);
    assert(rc == 0); /* the header codec has seen to it */
    if (put_key_event(q, h, out))
        return;
    mp_put_map(out, count);
    for (uint32_t i = 0; i < count; i++) {
        struct bytes name;
        struct bytes value;
        rc = mp_get_str(&mp, &name, NULL);
        assert(rc == 0);
        rc = mp_skip(&mp, &value, NULL);
        assert(rc == 0);
        mp_put_str(out, name);
        put_own_field(q, h->type, name, value, out);
    }
}

void query_put_under(struct query *q, const struct event_header *h,
                     struct mapping *m)
{
    struct buf text = {0};
    if (h->auth_ref != NULL && put_grant(q, h->auth_ref, &text))
        mapping_str(m, "under", buf_bytes(&text));
    buf_deinit(&text);
}
