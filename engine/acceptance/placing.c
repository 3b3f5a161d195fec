#include "acceptance/placing.h"

#include <assert.h>
#include <string.h>

#include "acceptance/door.h"
#include "base/err.h"
#include "base/msgpack.h"
#include "schema/value.h"

static const uint8_t zero_id[OBJECT_ID_SIZE];

/* For texts: "account alice". */
static void put_object_name(struct trial *t, const struct trial_event *e,
                            struct buf *out)
{
    struct door door = {
        .core = t->core,
        .version = state_head(&t->core->state),
        .names = t->core->names,
    };
    buf_printf(out, "%s ", schema_short(t->core->schema, e->type->name));
    door_put_ref(&door, e->header.object, out);
}

static int refuse_object(struct trial *t, const struct trial_event *e, int code,
                         const char *what, struct err *err)
{
    struct buf name = {0};
    put_object_name(t, e, &name);
    int rc = err_set(err, code, "%s %s", buf_text(&name), what);
    buf_deinit(&name);
    return rc;
}

static int check_parent(struct trial *t, const struct trial_event *e,
                        struct err *err)
{
    const struct event_type *type = e->type;
    if (type->parent < 0) {
        if (e->header.parent == NULL)
            return 0;
        return err_set(err, ATE_EINVALID, "%s: has no parent, yet one is given",
                       type->name);
    }
    const struct field *field = &type->header.items[type->parent];
    struct bytes value = mp_map_get(e->header.fields, field->name);
    if (value.data == NULL && field->type.optional && e->header.parent == NULL)
        return 0; /* at the top */
    int rc = value.data == NULL ? err_set(err, ATE_EINVALID, "is missing")
                                : value_check(t->core->schema, &field->type,
                                              value, field->name, err);
    if (rc != 0) {
        err_at(err, field->name);
        return err_wrap(err, "%s: parent '%s'", type->name, field->name);
    }
    struct mp mp = mp_open(value);
    const uint8_t *id = NULL;
    rc = mp_get_bin_of(&mp, OBJECT_ID_SIZE, &id, err);
    if (rc != 0)
        return err_wrap(err, "%s: parent '%s'", type->name, field->name);
    if (e->header.parent == NULL ||
        memcmp(e->header.parent, id, OBJECT_ID_SIZE) != 0)
        return err_set(err, ATE_EINVALID,
                       "%s: its parent is not what its field '%s' names",
                       type->name, field->name);
    return 0;
}

/* The object id that key and parent, or call and number, give. */
static int expected_id(struct trial *t, const struct trial_event *e,
                       uint8_t id[OBJECT_ID_SIZE], struct err *err)
{
    const struct event_type *type = e->type;
    if (type->key_count == 0) {
        fact_id(t->core->id, t->author, t->call_id, t->count, id);
        return 0;
    }
    struct buf key = {0};
    int rc = 0;
    mp_put_array(&key, (uint32_t)type->key_count);
    for (size_t i = 0; i < type->key_count && rc == 0; i++) {
        const struct field *field = &type->header.items[type->key[i]];
        struct bytes value = mp_map_get(e->header.fields, field->name);
        if (value.data == NULL)
            rc = err_set(err, ATE_EINVALID, "%s: key field '%s' is missing",
                         type->name, field->name);
        else
            rc = value_check(t->core->schema, &field->type, value, field->name,
                             err);
        if (rc == 0)
            buf_put_bytes(&key, value);
        else
            err_at(err, field->name);
    }
    if (rc == 0)
        object_id(t->core->id, e->header.type, e->header.parent,
                  buf_bytes(&key), id);
    buf_deinit(&key);
    return rc;
}

/* Key and parent have to fit an entry of the index of children, whatever the
 * stages of a pipeline look at. */
static int check_key_size(const struct trial_event *e, struct err *err)
{
    const struct event_type *type = e->type;
    size_t size = 1 + strlen(type->name) + 1 + OBJECT_ID_SIZE;
    struct buf key = {0};
    for (size_t i = 0; i < type->key_count; i++) {
        const struct field *field = &type->header.items[type->key[i]];
        value_put_ordered(&key, &field->type,
                          mp_map_get(e->header.fields, field->name));
    }
    size += key.len;
    buf_deinit(&key);
    if (size <= LIMIT_STATE_KEY)
        return 0;
    return err_set(err, ATE_ELIMIT,
                   "%s: its key takes %zu bytes, at most %d are possible",
                   type->name, size, LIMIT_STATE_KEY);
}

/* Who walks up from it comes to an end. */
static int check_depth(struct trial *t, const struct trial_event *e,
                       struct err *err)
{
    struct tree_version v = state_head(&t->core->state);
    const uint8_t *parent = e->header.parent;
    struct object o;
    for (int depth = 0; parent != NULL; depth++) {
        if (depth == LIMIT_PARENTS)
            return err_set(err, ATE_ELIMIT,
                           "%s: at most %d objects stand above another",
                           e->type->name, LIMIT_PARENTS);
        parent = state_object(v, parent, &o) != OBJECT_ABSENT ? o.header.parent
                                                              : NULL;
    }
    return 0;
}

static int place_first(struct trial *t, struct trial_event *e, struct err *err)
{
    uint8_t id[OBJECT_ID_SIZE];
    int rc = expected_id(t, e, id, err);
    if (rc != 0)
        return rc;
    if (memcmp(id, e->header.object, OBJECT_ID_SIZE) != 0)
        return err_set(err, ATE_EINVALID,
                       "%s: its object id is not that of its key",
                       e->type->name);
    rc = check_key_size(e, err);
    if (rc == 0)
        rc = check_depth(t, e, err);
    if (rc != 0)
        return rc;
    if ((e->header.flags & EVENT_DELETES) != 0)
        return err_set(err, ATE_EINVALID, "%s: deletes what it begins",
                       e->type->name);
    struct object o;
    switch (state_object(state_head(&t->core->state), id, &o)) {
    case OBJECT_LIVE:
        return refuse_object(t, e, ATE_ECONFLICT, "exists already", err);
    case OBJECT_SPENT:
        return refuse_object(t, e, ATE_ECONFLICT,
                             "was deleted, and its key is spent", err);
    case OBJECT_ABSENT:
    default:
        e->change = e->type->is_object ? CHANGE_NEW : CHANGE_FACT;
        return 0;
    }
}

static int place_next(struct trial *t, struct trial_event *e, struct err *err)
{
    const char *name = e->type->name;
    if (!e->type->is_object)
        return err_set(err, ATE_EINVALID,
                       "%s: is an event, which no later one changes", name);
    struct object o;
    if (state_object(state_head(&t->core->state), e->header.object, &o) !=
        OBJECT_LIVE)
        return err_set(err, ATE_ENOT_FOUND, "%s: what it changes is not there",
                       name);
    if (memcmp(o.event, e->header.previous, EVENT_ID_SIZE) != 0)
        return refuse_object(t, e, ATE_ECONFLICT,
                             "was changed by another event meanwhile", err);
    if (!bytes_equal(o.header.type, e->header.type))
        return err_set(err, ATE_EINVALID, "%s: the object is of type %.*s",
                       name, (int)o.header.type.len,
                       (const char *)o.header.type.data);
    uint8_t id[OBJECT_ID_SIZE];
    int rc = e->type->key_count > 0 ? expected_id(t, e, id, err) : 0;
    if (rc != 0)
        return rc;
    const uint8_t *was = o.header.parent ? o.header.parent : zero_id;
    const uint8_t *is = e->header.parent ? e->header.parent : zero_id;
    if (memcmp(was, is, OBJECT_ID_SIZE) != 0 ||
        (e->type->key_count > 0 &&
         memcmp(id, e->header.object, OBJECT_ID_SIZE) != 0))
        return refuse_object(t, e, ATE_EINVALID,
                             "keeps its key and parent for ever", err);
    e->before = scratch_copy(&t->scratch, o.raw);
    event_header_known(e->before, &e->before_header);
    if (o.converted)
        e->before_header.fields = scratch_copy(&t->scratch, o.header.fields);
    e->change = CHANGE_EDIT;
    if ((e->header.flags & EVENT_DELETES) == 0)
        return 0;
    e->change = CHANGE_DELETE;
    bool same = t->core->unconverted ||
                bytes_equal(e->header.fields, e->before_header.fields);
    if (!same || e->header.body_length != 0)
        return refuse_object(t, e, ATE_EINVALID,
                             "is deleted with its last fields and no body",
                             err);
    return 0;
}

int placing_check(struct trial *t, struct trial_event *e, struct err *err)
{
    int rc = check_parent(t, e, err);
    if (rc != 0)
        return rc;
    return e->header.previous == NULL ? place_first(t, e, err)
                                      : place_next(t, e, err);
}
