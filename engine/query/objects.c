/* get, list and history: versions of objects, with their bodies. */
#include <assert.h>
#include <string.h>

#include "acceptance/bundle_events.h"
#include "acceptance/engine_methods.h"
#include "base/msgpack.h"
#include "event/batch.h"
#include "query/inside.h"
#include "state/changes.h"

/* Why the object that the key names is not there. */
static int no_object(struct query *q, struct err *err)
{
    int rc = door_check_ref(&q->door, q->type, q->id, err);
    if (rc != 0)
        err_at(err, "key");
    return rc;
}

/* The object went away while the query waited: a list passes it. */
static int is_gone(struct query *q, struct err *err)
{
    q->has_object = false;
    if (q->kind != &query_get)
        return STEP_MORE;
    return no_object(q, err);
}

/* Tell the version at q->index, q->n; `body` is its. Where it is the newest no
 * more, that one is told. */
static int tell_version_of(struct query *q, struct bytes body, struct err *err)
{
    struct object o;
    if (state_object(q->door.version, q->id, &o) != OBJECT_LIVE)
        return is_gone(q, err);
    if (o.index != q->index || o.n != q->n)
        return STEP_MORE;
    bool is_result = q->kind == &query_get && !q->follow;
    struct buf *out = is_result ? &q->result : &q->row;
    query_put_version(q, q->type, &o.header, o.index, o.n, body, NULL, out);
    q->has_object = false;
    if (is_result)
        return STEP_END;
    if (q->kind == &query_get)
        follow_tell_value(q, chain_size(q->chain));
    else if (q->follow)
        followed_put(q);
    else
        query_emit(q);
    return STEP_MORE;
}

static void body_read(void *ctx, struct bytes header, struct bytes body,
                      int code, const struct err *err)
{
    struct query *q = ctx;
    struct err gone = {0};
    (void)header; /* that of the state, which may be converted, is told */
    chain_door(q->chain, &q->door);
    if (code == 0 && q->epoch == chain_epoch(q->chain) &&
        (code = tell_version_of(q, body, &gone)) < 0)
        err = &gone;
    query_resume(q, code < 0 ? code : 0, err);
}

/* Tell q->id, after its body was read if it has one. */
static int tell(struct query *q, struct err *err)
{
    struct object o;
    q->has_object = true;
    if (state_object(q->door.version, q->id, &o) != OBJECT_LIVE)
        return is_gone(q, err);
    q->index = o.index;
    q->n = o.n;
    if (!query_reads_body(&o.header))
        return tell_version_of(q, bytes_of(NULL, 0), err);
    q->waiting = true;
    chain_read_event(q->chain, query_kept(q), o.index, o.n, body_read, q);
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
        rc = args_wrong("key", "is missing", err);
    return rc;
}

/* ---- get ---- */

static bool is_told(const struct query *q, const struct object *o)
{
    return !q->has_object && o->index == q->index && o->n == q->n;
}

/* Whoever was told all up to `from` has seen what is older; a schema since then
 * may have changed its form. */
static bool was_seen(const struct query *q, const struct object *o)
{
    uint64_t from = q->following.from;
    return o->index < from && follow_is_within(q) &&
           !(o->converted && from < chain_changes(q->chain)->since);
}

static int get_begin(struct query *q, struct err *err)
{
    static const char *const names[] = {"follow", "from", "key", "type", NULL};
    static const char *const alone[] = {NULL};
    struct object o;
    int rc = query_check_args(q, names, err);
    if (rc == 0)
        rc = query_take_follow(q, alone, err);
    if (rc == 0)
        rc = query_take_type(q, err);
    if (rc == 0)
        rc = take_key(q, err);
    if (rc != 0)
        return rc;
    q->has_object = true;
    if (state_object(q->door.version, q->id, &o) == OBJECT_LIVE &&
        was_seen(q, &o)) {
        q->has_object = false;
        q->index = o.index;
        q->n = o.n;
    }
    return 0;
}

/* It was deleted: that is told, unless he knows, and is the end. */
static int follow_deleted(struct query *q, const struct object *o,
                          struct err *err)
{
    struct follow *f = &q->following;
    bool knows = f->is_told || f->from > 0;
    if (!knows || is_told(q, o) || was_seen(q, o))
        return no_object(q, err);
    q->has_object = false;
    q->index = o->index;
    q->n = o->n;
    buf_clear(&q->row);
    follow_tell_value(q, chain_size(q->chain));
    return STEP_MORE;
}

static int follow_object(struct query *q, struct err *err)
{
    struct follow *f = &q->following;
    struct object o;
    if (f->phase == FOLLOW_BEGIN && !follow_is_within(q))
        return follow_reset(q, err,
                            "position %llu lies behind the log's end, %llu",
                            (unsigned long long)f->from,
                            (unsigned long long)chain_size(q->chain));
    f->phase = FOLLOW_CHANGES;
    enum object_life life = state_object(q->door.version, q->id, &o);
    assert(life != OBJECT_ABSENT);
    if (life == OBJECT_SPENT)
        return follow_deleted(q, &o, err);
    if (!is_told(q, &o))
        return tell(q, err);
    if (f->is_told)
        return STEP_IDLE;
    follow_tell_position(q, chain_size(q->chain));
    return STEP_MORE;
}

int query_take_object(struct query *q, struct object *o, struct err *err)
{
    int rc = query_take_type(q, err);
    if (rc == 0)
        rc = take_key(q, err);
    if (rc == 0 && state_object(q->door.version, q->id, o) != OBJECT_LIVE)
        rc = no_object(q, err);
    return rc;
}

static int get_step(struct query *q, struct err *err)
{
    if (q->follow)
        return follow_object(q, err);
    if (!q->has_object)
        return STEP_END;
    return tell(q, err);
}

const struct query_kind query_get = {
    .name = "get", .begin = get_begin, .step = get_step};

/* ---- following a list ---- */

enum { CATCH_UP_PIECE = 64 }; /* transactions read at a time */

static int list_next(struct query *q, struct err *err)
{
    q->objects.v = q->door.version;
    if (!q->has_object && !object_scan_next(&q->objects, q->id))
        return STEP_END;
    return tell(q, err);
}

static bool is_listed(const struct query *q, const struct object *o)
{
    static const uint8_t none[OBJECT_ID_SIZE];
    const uint8_t *parent = o->header.parent;
    if (!bytes_equal(o->header.type, bytes_of_text(q->type->name)))
        return false;
    if (q->parent == PARENT_ANY)
        return true;
    if (q->parent == PARENT_NONE)
        return parent == NULL || memcmp(parent, none, OBJECT_ID_SIZE) == 0;
    return parent != NULL && memcmp(parent, q->parent_id, OBJECT_ID_SIZE) == 0;
}

/* q->id changed. */
static int list_object_changed(struct query *q, struct err *err)
{
    struct object o;
    enum object_life life = state_object(q->door.version, q->id, &o);
    if (life == OBJECT_ABSENT || !is_listed(q, &o))
        return STEP_MORE;
    if (life == OBJECT_LIVE)
        return tell(q, err);
    struct buf id = {0};
    door_put_ref(&q->door, q->id, &id);
    buf_clear(&q->row);
    mp_put_map(&q->row, 1);
    mp_put_text(&q->row, "id");
    mp_put_str(&q->row, buf_bytes(&id));
    buf_deinit(&id);
    followed_gone(q);
    return STEP_MORE;
}

static int list_changed(struct query *q, struct bytes key, struct err *err)
{
    if (key.data[0] != STATE_OBJECT || key.len != 1 + OBJECT_ID_SIZE)
        return STEP_MORE;
    memcpy(q->id, key.data + 1, OBJECT_ID_SIZE);
    return list_object_changed(q, err);
}

static void list_owner(const struct query *q, struct buf *key)
{
    changes_type_key(key, q->type);
}

/* An object is found at its newest event: once, however often it changed. */
static void find_event(struct query *q, uint64_t index, uint64_t n,
                       const struct event_header *h)
{
    struct object o;
    q->switched |= bytes_equal(h->type, bytes_of_text(TYPE_ACTIVATE));
    if (bytes_equal(h->type, bytes_of_text(q->type->name)) &&
        state_object(q->door.version, h->object, &o) != OBJECT_ABSENT &&
        o.index == index && o.n == n)
        buf_put(&q->found, h->object, OBJECT_ID_SIZE);
}

static int find_events(void *ctx, const struct chain_tx *tx, struct err *err)
{
    struct query *q = ctx;
    struct bytes raw;
    (void)err;
    if (tx->index < q->following.from)
        return 0;
    q->following.from = tx->index + 1;
    if (tx->member == NULL || q->epoch != chain_epoch(q->chain))
        return 0;
    chain_door(q->chain, &q->door);
    struct batch_events events = batch_events(tx->member);
    for (uint64_t n = 0; batch_events_next(&events, &raw); n++) {
        struct event_header h;
        if (event_header_get(raw, &h, NULL) == 0)
            find_event(q, tx->index, n, &h);
    }
    return 0;
}

static void found_events(void *ctx, int code, const struct err *err)
{
    query_resume(ctx, code, err);
}

static int list_catch_up(struct query *q, struct err *err)
{
    if (q->switched)
        return follow_reset(q, err, "another schema came into force since");
    if (q->found_at < q->found.len) {
        memcpy(q->id, q->found.data + q->found_at, OBJECT_ID_SIZE);
        q->found_at += OBJECT_ID_SIZE;
        return list_object_changed(q, err);
    }
    q->found_at = 0;
    buf_clear(&q->found);
    if (q->following.from >= chain_size(q->chain))
        return STEP_END;
    q->waiting = true;
    chain_read_transactions(q->chain, q->following.from, CATCH_UP_PIECE,
                            find_events, found_events, q);
    return STEP_WAIT;
}

static const struct followed followed_list = {
    .next = list_next,
    .changed = list_changed,
    .owner = list_owner,
    .catch_up = list_catch_up,
};

/* ---- list ---- */

/* Where a parent is optional, an empty one means: those that have none. */
static int take_parent(struct query *q, struct err *err)
{
    bool given = mp_map_get(buf_bytes(&q->args), "parent").data != NULL;
    q->parent = q->type->parent >= 0 ? PARENT_ANY : PARENT_NONE;
    if (!given)
        return 0;
    if (q->type->parent < 0) {
        err_set(err, ATE_EINVALID, "%s has no parent", q->type->name);
        return err_at(err, "parent");
    }
    const struct field *field = &q->type->header.items[q->type->parent];
    const struct event_type *type = schema_type(
        chain_core(q->chain)->schema, bytes_of_text(field->type.target));
    struct bytes text;
    if (field->type.optional &&
        query_take_text(q, "parent", false, &text, NULL) == 0 &&
        text.data != NULL && text.len == 0) {
        q->parent = PARENT_NONE;
        return 0;
    }
    int rc = take_ref(q, "parent", type, q->parent_id, &given, err);
    if (given)
        q->parent = PARENT_GIVEN;
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

static const uint8_t *parent_of(const struct query *q)
{
    if (q->parent == PARENT_ANY)
        return object_any_parent;
    return q->parent == PARENT_GIVEN ? q->parent_id : NULL;
}

static int list_begin(struct query *q, struct err *err)
{
    static const char *const names[] = {"after", "follow", "from", "limit",
                                        "order", "parent", "type", NULL};
    static const char *const alone[] = {"after", "limit", "order", NULL};
    struct buf after = {0};
    int rc = query_check_args(q, names, err);
    if (rc == 0)
        rc = query_take_follow(q, alone, err);
    if (rc == 0)
        rc = query_take_type(q, err);
    if (rc == 0)
        rc = query_take_page(q, err);
    if (rc == 0)
        rc = take_parent(q, err);
    if (rc == 0)
        rc = take_after(q, &after, err);
    if (rc == 0)
        object_scan_open(&q->objects, q->door.version, q->type, parent_of(q),
                         buf_bytes(&after), q->backward);
    buf_deinit(&after);
    return rc;
}

static int list_step(struct query *q, struct err *err)
{
    if (q->follow)
        return follow_step(q, &followed_list, err);
    if (!q->has_object && q->limit == 0)
        return STEP_END;
    return list_next(q, err);
}

const struct query_kind query_list = {
    .name = "list", .begin = list_begin, .step = list_step};

/* ---- history ---- */

/* Where to go on: behind the version that stands there. */
static int take_version(struct query *q, struct err *err)
{
    struct bytes after = {NULL, 0};
    q->index = UINT64_MAX;
    int rc = query_take_text(q, "after", false, &after, err);
    if (rc != 0 || after.data == NULL ||
        engine_place_get(after, &q->index, &q->n))
        return rc;
    return args_wrong("after",
                      "is the place of a version, such as 12.0, as its _.at "
                      "says it",
                      err);
}

static int history_begin(struct query *q, struct err *err)
{
    static const char *const names[] = {"after", "key", "limit", "type", NULL};
    int rc = query_check_args(q, names, err);
    if (rc == 0)
        rc = query_take_type(q, err);
    if (rc == 0)
        rc = query_take_page(q, err);
    if (rc == 0)
        rc = take_key(q, err);
    if (rc == 0 && !q->type->is_object) {
        rc = err_set(err, ATE_EINVALID,
                     "%s is an event, which has no history; use get",
                     q->type->name);
        err_at(err, "type");
    }
    if (rc == 0)
        rc = take_version(q, err);
    return rc;
}

static const char *change_of(const struct event_header *h)
{
    if (h->previous == NULL)
        return "new";
    return (h->flags & EVENT_DELETES) != 0 ? "delete" : "edit";
}

static void version_read(void *ctx, struct bytes raw, struct bytes body,
                         int code, const struct err *err)
{
    struct query *q = ctx;
    struct event_header header;
    struct err bad = {0};
    bool goes_on = code == 0 && q->epoch == chain_epoch(q->chain);
    if (goes_on && (code = event_header_get(raw, &header, &bad)) != 0)
        err = &bad;
    if (goes_on && code == 0) {
        chain_door(q->chain, &q->door);
        query_put_version(q, q->type, &header, q->index, q->n, body,
                          change_of(&header), &q->row);
        query_emit(q);
    }
    query_resume(q, code, err);
}

static int history_step(struct query *q, struct err *err)
{
    (void)err;
    if (q->limit == 0 ||
        !state_version_before(q->door.version, q->id, &q->index, &q->n))
        return STEP_END;
    q->waiting = true;
    chain_read_event(q->chain, query_kept(q), q->index, q->n, version_read, q);
    return STEP_WAIT;
}

const struct query_kind query_history = {
    .name = "history", .begin = history_begin, .step = history_step};
