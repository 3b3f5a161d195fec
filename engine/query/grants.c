/* grants: the delegations of a chain, in the order of the log; those that were
 * revoked or have ended only when asked for. */
#include <string.h>

#include "base/msgpack.h"
#include "query/inside.h"
#include "schema/time_text.h"
#include "state/delegation.h"

static int begin(struct query *q, struct err *err)
{
    static const char *const names[] = {"all", "limit", "order", "to", NULL};
    struct bytes to;
    int rc = query_check_args(q, names, err);
    if (rc == 0)
        rc = query_take_page(q, err);
    if (rc == 0)
        rc = query_take_flag(q, "all", &q->all, err);
    if (rc == 0)
        rc = query_take_text(q, "to", false, &to, err);
    if (rc == 0 && to.data != NULL)
        rc = door_get_identity(&q->door, to, q->identity, err);
    q->has_identity = rc == 0 && to.data != NULL;
    return rc;
}

static void put_identity(struct query *q, struct mapping *m, const char *name,
                         const uint8_t *id)
{
    struct buf text = {0};
    door_put_identity(&q->door, id, &text);
    mapping_str(m, name, buf_bytes(&text));
    buf_deinit(&text);
}

static void put_place(struct mapping *m, const char *name, uint64_t index,
                      uint64_t n)
{
    struct buf text = {0};
    buf_printf(&text, "%llu.%llu", (unsigned long long)index,
               (unsigned long long)n);
    mapping_str(m, name, buf_bytes(&text));
    buf_deinit(&text);
}

static void put_object(struct query *q, struct mapping *m,
                       const struct delegation *d)
{
    struct buf text = {0};
    if (d->object == NULL)
        buf_put_text(&text, "/");
    else
        query_put_object(q, d->object, &text);
    mapping_str(m, "object", buf_bytes(&text));
    buf_deinit(&text);
}

/* In force now: at the next place, under the log time that there is. */
static bool in_force(struct query *q, const uint8_t id[EVENT_ID_SIZE])
{
    struct place_in_log now = {
        .v = q->door.version,
        .index = chain_size(q->chain),
        .time = state_time(q->door.version),
    };
    struct delegation d;
    return delegation_in_force(&now, id, &d, NULL) == 0;
}

static void put_row(struct query *q, const struct delegation *d, bool now)
{
    struct mapping m = {0};
    struct delegation up;
    struct buf time = {0};
    put_place(&m, "grant", d->index, d->n);
    put_object(q, &m, d);
    buf_put_bytes(mapping_key(&m, "rights"), d->rights);
    put_identity(q, &m, "to", d->to);
    put_identity(q, &m, "by", d->by);
    mapping_uint(&m, "depth", d->depth);
    if (d->act_for != NULL)
        put_identity(q, &m, "act_for", d->act_for);
    if (d->until != INT64_MAX) {
        time_put(&time, d->until);
        mapping_str(&m, "until", buf_bytes(&time));
    }
    if (d->auth_ref != NULL &&
        delegation_get(q->door.version, d->auth_ref, &up))
        put_place(&m, "under", up.index, up.n);
    mapping_bool(&m, "in_force", now);
    if (d->revoked)
        mapping_uint(&m, "revoked", d->revoked_index);
    buf_deinit(&time);
    mapping_put(&m, &q->row);
}

static int step(struct query *q, struct err *err)
{
    static const uint8_t kind = STATE_GRANT;
    struct bytes key;
    struct bytes id;
    struct delegation d;
    (void)err;
    if (q->limit == 0 || !state_step(q->door.version, bytes_of(&kind, 1),
                                     &q->at, q->backward, &key, &id))
        return STEP_END;
    bool there = delegation_get(q->door.version, id.data, &d);
    assert(there);
    bool now = in_force(q, id.data);
    if ((!now && !q->all) ||
        (q->has_identity && memcmp(d.to, q->identity, KEY_ID_SIZE) != 0))
        return STEP_MORE;
    put_row(q, &d, now);
    query_emit(q);
    return STEP_MORE;
}

const struct query_kind query_grants = {
    .name = "grants", .begin = begin, .step = step};
