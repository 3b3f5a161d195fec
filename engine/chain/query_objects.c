/* get, list and history: versions of objects, with their bodies. */
#include <assert.h>
#include <string.h>

#include "base/msgpack.h"
#include "chain/query_inside.h"
#include "event/batch.h"

/* The object went away while the query waited: a list passes it. */
static int is_gone(const struct query *q, struct err *err)
{
    if (q->kind != &query_get)
        return STEP_MORE;
    return door_check_ref(&q->door, q->type, q->id, err);
}

static int tell_object(struct query *q, struct bytes body, struct err *err)
{
    struct object o;
    if (state_object(q->door.version, q->id, &o) != OBJECT_LIVE)
        return is_gone(q, err);
    struct buf *out = q->kind == &query_get ? &q->result : &q->row;
    query_put_version(q, q->type, &o.header, o.index, o.n, body, NULL, out);
    if (q->kind == &query_get)
        return STEP_END;
    query_emit(q);
    return STEP_MORE;
}

static void body_read(void *ctx, struct bytes body, int code,
                      const struct err *err)
{
    struct query *q = ctx;
    struct err gone = {0};
    chain_door(q->chain, &q->door);
    if (code == 0 && (code = tell_object(q, body, &gone)) < 0)
        err = &gone;
    q->has_object = false;
    query_resume(q, code < 0 ? code : 0, err);
}

/* Tell q->id, after its body was read if it has one. */
static int tell(struct query *q, struct err *err)
{
    struct object o;
    if (state_object(q->door.version, q->id, &o) != OBJECT_LIVE)
        return is_gone(q, err);
    if (!query_reads_body(&o.header))
        return tell_object(q, bytes_of(NULL, 0), err);
    q->waiting = true;
    chain_read_body(q->chain, o.index, o.n, body_read, q);
    return STEP_WAIT;
}

/* An argument that names an object of `type`, which may be spent; *given: it is
 * there. */
static int take_ref(struct query *q, const char *name,
                    const struct event_type *type, uint8_t id[OBJECT_ID_SIZE],
                    bool *given, struct err *err)
{
    struct door door = q->door;
    struct bytes raw = mp_map_get(buf_bytes(&q->args), name);
    struct value_type ref = {.kind = VALUE_REF, .target = type->name};
    struct buf value = {0};
    struct mp mp = mp_open(raw);
    *given = raw.data != NULL && !mp_take_nil(&mp);
    if (!*given)
        return 0;
    door.takes_spent = true;
    int rc = door_take_value(&door, &ref, raw, NULL, name, &value, err);
    if (rc == 0) {
        const uint8_t *taken = NULL;
        mp = mp_open(buf_bytes(&value));
        rc = mp_get_bin_of(&mp, OBJECT_ID_SIZE, &taken, err);
        if (rc == 0)
            memcpy(id, taken, OBJECT_ID_SIZE);
    }
    buf_deinit(&value);
    return rc;
}

static int take_key(struct query *q, struct err *err)
{
    bool given = false;
    int rc = take_ref(q, "key", q->type, q->id, &given, err);
    if (rc == 0 && !given)
        rc = err_set(err, ATE_EINVALID, "'key' is missing");
    return rc;
}

/* ---- get ---- */

static int get_begin(struct query *q, struct err *err)
{
    static const char *const names[] = {"key", "type", NULL};
    int rc = query_check_args(q, names, err);
    if (rc == 0)
        rc = query_take_type(q, err);
    if (rc == 0)
        rc = take_key(q, err);
    q->has_object = true;
    return rc;
}

int query_take_object(struct query *q, struct object *o, struct err *err)
{
    int rc = query_take_type(q, err);
    if (rc == 0)
        rc = take_key(q, err);
    if (rc == 0 && state_object(q->door.version, q->id, o) != OBJECT_LIVE)
        rc = door_check_ref(&q->door, q->type, q->id, err);
    return rc;
}

static int get_step(struct query *q, struct err *err)
{
    if (!q->has_object)
        return STEP_END;
    return tell(q, err);
}

const struct query_kind query_get = {"get", get_begin, get_step};

/* ---- list ---- */

/* Where a parent is optional, an empty one means: those that have none. */
static int take_parent(struct query *q, const uint8_t **parent,
                       uint8_t id[OBJECT_ID_SIZE], struct err *err)
{
    bool given = mp_map_get(buf_bytes(&q->args), "parent").data != NULL;
    *parent = q->type->parent >= 0 ? object_any_parent : NULL;
    if (!given)
        return 0;
    if (q->type->parent < 0)
        return err_set(err, ATE_EINVALID, "%s has no parent", q->type->name);
    const struct field *field = &q->type->header.items[q->type->parent];
    const struct event_type *type = schema_type(
        chain_core(q->chain)->schema, bytes_of_text(field->type.target));
    struct bytes text;
    if (field->type.optional &&
        query_take_text(q, "parent", false, &text, NULL) == 0 &&
        text.data != NULL && text.len == 0) {
        *parent = NULL;
        return 0;
    }
    int rc = take_ref(q, "parent", type, id, &given, err);
    if (given)
        *parent = id;
    return rc;
}

/* `after` is the id of an object, as the rows have it. */
static int take_after(struct query *q, struct buf *position, struct err *err)
{
    uint8_t id[OBJECT_ID_SIZE];
    struct object o;
    bool given = false;
    int rc = take_ref(q, "after", q->type, id, &given, err);
    if (rc != 0 || !given)
        return rc;
    enum object_life life = state_object(q->door.version, id, &o);
    assert(life != OBJECT_ABSENT);
    object_scan_place(position, q->type, &o);
    return 0;
}

static int list_begin(struct query *q, struct err *err)
{
    static const char *const names[] = {"after",  "limit", "order",
                                        "parent", "type",  NULL};
    uint8_t id[OBJECT_ID_SIZE];
    const uint8_t *parent = NULL;
    struct buf after = {0};
    int rc = query_check_args(q, names, err);
    if (rc == 0)
        rc = query_take_type(q, err);
    if (rc == 0)
        rc = query_take_page(q, err);
    if (rc == 0)
        rc = take_parent(q, &parent, id, err);
    if (rc == 0)
        rc = take_after(q, &after, err);
    if (rc == 0)
        object_scan_open(&q->objects, q->door.version, q->type, parent,
                         buf_bytes(&after), q->backward);
    buf_deinit(&after);
    return rc;
}

static int list_step(struct query *q, struct err *err)
{
    q->objects.v = q->door.version;
    if (q->limit == 0 || !object_scan_next(&q->objects, q->id))
        return STEP_END;
    return tell(q, err);
}

const struct query_kind query_list = {"list", list_begin, list_step};

/* ---- history ---- */

static int history_begin(struct query *q, struct err *err)
{
    static const char *const names[] = {"key", "limit", "type", NULL};
    int rc = query_check_args(q, names, err);
    if (rc == 0)
        rc = query_take_type(q, err);
    if (rc == 0)
        rc = query_take_page(q, err);
    if (rc == 0)
        rc = take_key(q, err);
    if (rc == 0 && !q->type->is_object)
        rc = err_set(err, ATE_EINVALID,
                     "%s is an event, which has no history; use get",
                     q->type->name);
    q->index = UINT64_MAX;
    return rc;
}

static const char *change_of(const struct event_header *h)
{
    if (h->previous == NULL)
        return "new";
    return (h->flags & EVENT_DELETES) != 0 ? "delete" : "edit";
}

/* Keep the header of the version that is told next. */
static void version_read(void *ctx, uint64_t index,
                         const struct batch_member *member, int code,
                         const struct err *err)
{
    struct query *q = ctx;
    (void)index;
    (void)err;
    if (code != 0 || member == NULL)
        return;
    struct batch_events events = batch_events(member);
    struct bytes raw;
    for (uint64_t n = 0; batch_events_next(&events, &raw); n++) {
        if (n != q->n)
            continue;
        buf_clear(&q->version);
        buf_put_bytes(&q->version, raw);
    }
}

static int version_header(struct query *q, struct event_header *header,
                          struct err *err)
{
    if (q->version.len == 0)
        return err_set(err, ATE_ECORRUPT, "there is no event %llu.%llu",
                       (unsigned long long)q->index, (unsigned long long)q->n);
    return event_header_get(buf_bytes(&q->version), header, err);
}

static void tell_version(struct query *q, const struct event_header *header,
                         struct bytes body)
{
    chain_door(q->chain, &q->door);
    query_put_version(q, q->type, header, q->index, q->n, body,
                      change_of(header), &q->row);
    query_emit(q);
}

static void version_body_read(void *ctx, struct bytes body, int code,
                              const struct err *err)
{
    struct query *q = ctx;
    struct event_header header;
    struct err bad = {0};
    if (code == 0 && (code = version_header(q, &header, &bad)) != 0)
        err = &bad;
    if (code == 0)
        tell_version(q, &header, body);
    query_resume(q, code, err);
}

static void versions_done(void *ctx, int code, const struct err *err)
{
    struct query *q = ctx;
    struct event_header header;
    struct err bad = {0};
    if (code == 0 && (code = version_header(q, &header, &bad)) != 0)
        err = &bad;
    if (code == 0 && query_reads_body(&header)) {
        chain_read_body(q->chain, q->index, q->n, version_body_read, q);
        return;
    }
    if (code == 0)
        tell_version(q, &header, bytes_of(NULL, 0));
    query_resume(q, code, err);
}

static int history_step(struct query *q, struct err *err)
{
    (void)err;
    if (q->limit == 0 ||
        !state_version_before(q->door.version, q->id, &q->index, &q->n))
        return STEP_END;
    q->waiting = true;
    buf_clear(&q->version);
    chain_read_transactions(q->chain, q->index, 1, version_read, versions_done,
                            q);
    return STEP_WAIT;
}

const struct query_kind query_history = {"history", history_begin,
                                         history_step};
