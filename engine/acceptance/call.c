/* Making events. A map of fields is split by the type into header and body; the
 * header is encoded once, and that encoding is what trial_add() judges, what is
 * hashed and what is stored. */
#include "acceptance/call.h"

#include <assert.h>
#include <string.h>

#include "acceptance/authority.h"
#include "acceptance/door.h"
#include "base/err.h"
#include "base/memory.h"
#include "base/msgpack.h"
#include "base/near.h"
#include "event/body.h"
#include "schema/fields.h"
#include "schema/handle.h"
#include "schema/value.h"
#include "state/work.h"

struct call_body {
    uint64_t index;
    uint64_t n;
    struct buf bytes;
};

void call_init(struct call *c)
{
    *c = (struct call){0};
    reads_init(&c->reads);
}

void call_deinit(struct call *c)
{
    trial_deinit(&c->trial);
    reads_deinit(&c->reads);
    buf_deinit(&c->result);
    for (size_t i = 0; i < c->body_count; i++)
        buf_deinit(&c->bodies[i].bytes);
    mem_free(c->bodies);
    buf_deinit(&c->asking.service);
    buf_deinit(&c->asking.request);
    *c = (struct call){0};
}

/* ---- reading ---- */

static bool notes(const struct call *c)
{
    return c->writes || c->watches;
}

/* What reads bodies differs from node to node, so a write never reads it to
 * decide. */
static bool notes_rows(const struct call *c, const struct view *view)
{
    return c->watches || (c->writes && !view->reads_bodies);
}

bool call_object(struct call *c, const uint8_t id[16], struct object *o)
{
    if (notes(c))
        reads_note(&c->reads, STATE_OBJECT, bytes_of(id, OBJECT_ID_SIZE));
    return state_object(c->version, id, o) == OBJECT_LIVE;
}

bool call_row(struct call *c, const struct view *view, struct bytes key,
              struct bytes *columns)
{
    if (notes_rows(c, view))
        reads_note(&c->reads,
                   view->reads_bodies ? STATE_PRIVATE_ROW : STATE_ROW, key);
    return row_get(c->version, view, key, columns);
}

/* Note what a step from `before` (empty: from the scan's end) to `at` passed;
 * at the end of the scan `at` is what it was, and the rest of the prefix was
 * seen. */
static void note_step(struct call *c, struct bytes prefix, struct bytes before,
                      struct bytes at, bool found, bool backward)
{
    struct buf from = {0};
    struct buf to = {0};
    struct buf *near = backward ? &to : &from; /* where the step began */
    struct buf *far = backward ? &from : &to;
    if (before.len > 0) {
        buf_put_bytes(near, before);
        if (!backward)
            buf_put_u8(near, 0);
    } else {
        buf_put_bytes(near, prefix);
        if (backward)
            buf_next_prefix(near);
    }
    if (found) {
        buf_put_bytes(far, at);
        if (!backward)
            buf_put_u8(far, 0);
    } else {
        buf_put_bytes(far, prefix);
        if (!backward)
            buf_next_prefix(far);
    }
    reads_note_range(&c->reads, prefix.data[0],
                     bytes_of(from.data + 1, from.len - 1),
                     bytes_of(to.data + 1, to.len - 1));
    buf_deinit(&from);
    buf_deinit(&to);
}

bool call_row_next(struct call *c, struct row_scan *scan, struct bytes *key,
                   struct bytes *columns)
{
    struct buf before = {0};
    if (notes(c))
        buf_put_bytes(&before, row_scan_position(scan));
    scan->v = c->version;
    bool found = row_scan_next(scan, key, columns);
    if (notes_rows(c, scan->view))
        note_step(c, buf_bytes(&scan->prefix), buf_bytes(&before),
                  row_scan_position(scan), found, scan->backward);
    buf_deinit(&before);
    return found;
}

bool call_object_next(struct call *c, struct object_scan *scan, uint8_t id[16])
{
    struct buf before = {0};
    if (notes(c))
        buf_put_bytes(&before, object_scan_position(scan));
    scan->v = c->version;
    bool found = object_scan_next(scan, id);
    if (notes(c))
        note_step(c, buf_bytes(&scan->prefix), buf_bytes(&before),
                  object_scan_position(scan), found, scan->backward);
    buf_deinit(&before);
    return found;
}

/* The body at a place of the log. */
static int body_at(struct call *c, uint64_t index, uint64_t n,
                   struct bytes *body, struct err *err)
{
    for (size_t i = 0; i < c->body_count; i++) {
        if (c->bodies[i].index != index || c->bodies[i].n != n)
            continue;
        *body = buf_bytes(&c->bodies[i].bytes);
        return 0;
    }
    c->need_index = index;
    c->need_n = n;
    return err_set(err, ATE_ENEED, "the body of %llu.%llu",
                   (unsigned long long)index, (unsigned long long)n);
}

int call_body_of(struct call *c, const struct object *o, struct bytes *body,
                 struct err *err)
{
    if (o->header.body_length == 0)
        return err_set(err, ATE_ENOT_FOUND, "%.*s: it has no body",
                       (int)o->header.type.len,
                       (const char *)o->header.type.data);
    /* An object that this very call wrote. */
    if (c->writes && o->index == c->trial.index && o->n < c->trial.count) {
        *body = c->trial.events[o->n]->body;
        assert(body->data != NULL);
        return 0;
    }
    return body_at(c, o->index, o->n, body, err);
}

void call_give_body(struct call *c, uint64_t index, uint64_t n,
                    struct bytes body)
{
    c->bodies = mem_resize(c->bodies, (c->body_count + 1) * sizeof(*c->bodies));
    struct call_body *b = &c->bodies[c->body_count++];
    *b = (struct call_body){.index = index, .n = n};
    buf_put_bytes(&b->bytes, body);
}

/* ---- asking outside ---- */

static int begin_asking(struct call *c, uint64_t n, struct bytes service,
                        struct bytes request, const struct work_ask *ask,
                        struct err *err)
{
    struct work_asking *a = &c->asking;
    const struct work_run *w = c->work;
    struct bytes value;
    bool waits = work_get(c->before, w->worker->method.name, w->item, &value);
    assert(waits);
    a->is_asking = true;
    a->is_journaled = ask != NULL;
    a->n = n;
    a->index = ask != NULL ? ask->index : 0;
    a->ask_n = ask != NULL ? ask->n : 0;
    if (ask != NULL)
        work_effect_key(c->core->id, w->worker->method.name, w->item, value, n,
                        ask, a->key);
    buf_clear(&a->service);
    buf_clear(&a->request);
    buf_put_bytes(&a->service, service);
    buf_put_bytes(&a->request, request);
    return err_set(err, ATE_ENEED, "what %.*s answers", (int)service.len,
                   (const char *)service.data);
}

static int check_same_ask(const struct work_ask *ask, uint64_t n,
                          struct bytes service, struct bytes request,
                          struct err *err)
{
    uint8_t digest[HASH_SIZE];
    body_hash(request, digest);
    if (bytes_equal(ask->service, service) &&
        memcmp(digest, ask->digest, HASH_SIZE) == 0)
        return 0;
    return err_set(err, ATE_ECONFLICT,
                   "ctx:ask number %llu is not what was asked before, at "
                   "%llu.%llu: what a worker asks has to follow from its event "
                   "and from what was answered, not from what changes "
                   "meanwhile; drop it, or bring back what it asked",
                   (unsigned long long)n + 1, (unsigned long long)ask->index,
                   (unsigned long long)ask->n);
}

static int check_asks(const struct call *c, struct bytes service,
                      struct bytes request, struct err *err)
{
    if (c->work == NULL)
        return err_set(err, ATE_EINVALID,
                       "ctx:ask: only workers ask services; let a worker wait "
                       "for an event that the method makes");
    if (c->work->asked == WORK_ASKS_MAX)
        return err_set(err, ATE_ELIMIT,
                       "ctx:ask: a worker asks at most %d times for one event",
                       WORK_ASKS_MAX);
    if (service.len == 0 || service.len > LIMIT_KIND_NAME)
        return err_set(err, ATE_EINVALID, "ctx:ask: no name of a service");
    if (request.len > LIMIT_BODY_PIECE)
        return err_set(err, ATE_ELIMIT,
                       "ctx:ask: a request has at most %d bytes, this one %zu",
                       LIMIT_BODY_PIECE, request.len);
    return 0;
}

int call_ask(struct call *c, struct bytes service, struct bytes request,
             struct bytes *answer, struct err *err)
{
    struct work_ask ask;
    int rc = check_asks(c, service, request, err);
    if (rc != 0)
        return rc;
    uint64_t n = c->work->asked++;
    if (!work_ask(c->before, c->work->worker->method.name, c->work->item, n,
                  &ask))
        return begin_asking(c, n, service, request, NULL, err);
    rc = check_same_ask(&ask, n, service, request, err);
    if (rc != 0)
        return rc;
    if (!ask.answered)
        return begin_asking(c, n, service, request, &ask, err);
    return body_at(c, ask.answer_index, ask.answer_n, answer, err);
}

/* ---- writing ---- */

/* A new version of an object, or a fact, while it is put together. */
struct draft {
    const struct event_type *type;
    struct buf header;   /* map of header fields */
    struct buf body;     /* the stored body, unless it is a large one: */
    struct handle large; /* length 0: it is not */
    struct buf raw;      /* the event header */
};

static void draft_deinit(struct draft *d)
{
    buf_deinit(&d->header);
    buf_deinit(&d->body);
    buf_deinit(&d->raw);
}

static int unknown_field(const struct event_type *type, struct bytes name,
                         struct err *err)
{
    size_t count = type->header.count + type->body.count;
    const char **names = mem_alloc((count + 1) * sizeof(*names));
    size_t n = 0;
    for (size_t i = 0; i < type->header.count; i++)
        names[n++] = type->header.items[i].name;
    for (size_t i = 0; i < type->body.count; i++)
        names[n++] = type->body.items[i].name;
    int rc = err_set(err, ATE_EINVALID, "%s: no field '%.*s'", type->name,
                     (int)name.len, (const char *)name.data);
    near_tell(err, name, names, n, "");
    mem_free(names);
    return rc;
}

static bool is_raw_body(const struct event_type *type, struct bytes name)
{
    return type->raw_body != NULL && bytes_equal(name, bytes_of_text("body"));
}

/* The first name that is no field. */
static int refuse_names(const struct event_type *type, struct bytes map,
                        struct err *err)
{
    struct mp_walk walk = mp_walk_open(map);
    while (walk.name.data != NULL &&
           (fields_find(&type->header, walk.name) != NULL ||
            fields_find(&type->body, walk.name) != NULL ||
            is_raw_body(type, walk.name)))
        mp_walk_next(&walk);
    return unknown_field(type, walk.name, err);
}

static int check_names(const struct event_type *type, struct bytes map,
                       struct err *err)
{
    struct mp mp = mp_open(map);
    uint32_t count = 0;
    int rc = mp_get_map(&mp, &count, err);
    if (rc != 0)
        return rc;
    uint32_t known = fields_known(&type->header, map);
    if (type->body.count > 0)
        known += fields_known(&type->body, map);
    if (type->raw_body != NULL && mp_map_get(map, "body").data != NULL)
        known++;
    return known == count ? 0 : refuse_names(type, map, err);
}

static int take_raw_body(struct draft *d, struct bytes map, struct err *err)
{
    struct bytes value = mp_map_get(map, "body");
    if (value.data == NULL)
        return 0;
    struct mp mp = mp_open(value);
    struct bytes bytes;
    bool is_large = d->type->raw_body->large && handle_is(value);
    int rc;
    if (is_large)
        rc = handle_get(value, &d->large, err);
    else if (d->type->raw_body->kind == VALUE_BLOB)
        rc = mp_get_bin(&mp, &bytes, err);
    else
        rc = mp_get_str(&mp, &bytes, err);
    if (rc != 0) {
        err_at(err, "body");
        return err_wrap(err, "%s: body", d->type->name);
    }
    if (!is_large)
        buf_put_bytes(&d->body, bytes);
    return 0;
}

/* Of a map whose names were checked. */
static int draft_fill(struct draft *d, struct bytes map, struct err *err)
{
    fields_take(&d->header, &d->type->header, map);
    if (d->type->raw_body != NULL)
        return take_raw_body(d, map, err);
    if (d->type->body.count == 0)
        return 0;
    fields_take(&d->body, &d->type->body, map);
    if (d->body.len == 1) /* an empty map: no body */
        buf_clear(&d->body);
    return 0;
}

/* The value of a ref field: nil when absent or no id. */
static const uint8_t *ref_field(struct bytes fields, const struct field *field)
{
    struct bytes value = mp_map_get(fields, field->name);
    const uint8_t *id = NULL;
    if (value.data == NULL)
        return NULL;
    struct mp mp = mp_open(value);
    return mp_get_bin_of(&mp, OBJECT_ID_SIZE, &id, NULL) == 0 ? id : NULL;
}

static const uint8_t *parent_of(const struct event_type *type,
                                struct bytes fields)
{
    if (type->parent < 0)
        return NULL;
    return ref_field(fields, &type->header.items[type->parent]);
}

/* The delegation that an event rests on, if the pipeline asks for one and the
 * root keys do not sign. False: none, and the pipeline may refuse it. */
static bool find_auth_ref(const struct call *c,
                          const struct event_header *header,
                          const struct event_type *type,
                          uint8_t id[EVENT_ID_SIZE])
{
    struct spot spot = {header->object, header->parent};
    enum change change = type->is_object ? CHANGE_NEW : CHANGE_FACT;
    if (!c->core->pipeline.takes_delegations || authority_is_root(&c->trial))
        return false;
    if (header->previous != NULL)
        change =
            (header->flags & EVENT_DELETES) != 0 ? CHANGE_DELETE : CHANGE_EDIT;
    return authority_find(&c->trial, authority_right(change), &spot, id);
}

static int refuse_length(const struct draft *d, struct err *err)
{
    const struct value_type *raw = d->type->raw_body;
    err_set(err, ATE_ELIMIT,
            "%s: a body in a call has at most %d bytes, this one has %zu%s",
            d->type->name, LIMIT_BODY_PIECE, d->body.len,
            raw != NULL && raw->large ? "; put it first (ate.put)" : "");
    if (raw != NULL)
        err_at(err, "body");
    return ATE_ELIMIT;
}

static int draft_add(struct call *c, struct draft *d, const uint8_t id[16],
                     const uint8_t *previous, uint64_t flags, struct err *err)
{
    uint8_t hash[HASH_SIZE];
    struct event_header header = {
        .object = id,
        .type = bytes_of_text(d->type->name),
        .parent = parent_of(d->type, buf_bytes(&d->header)),
        .previous = previous,
        .author = c->author,
        .flags = flags,
        .body_length = d->body.len,
        .fields = buf_bytes(&d->header),
    };
    if (d->body.len > LIMIT_BODY_PIECE)
        return refuse_length(d, err);
    if (d->large.length > 0) {
        header.body_length = d->large.length;
        header.body_hash = d->large.hash;
    } else if (d->body.len > 0) {
        body_hash(buf_bytes(&d->body), hash);
        header.body_hash = hash;
    }
    uint8_t auth_ref[EVENT_ID_SIZE];
    if (find_auth_ref(c, &header, d->type, auth_ref))
        header.auth_ref = auth_ref;
    event_header_put(&d->raw, &header);
    if (d->raw.len > LIMIT_EVENT_HEADER)
        return err_set(err, ATE_ELIMIT,
                       "%s: an event's header is at most %d bytes, this one "
                       "has %zu; move fields into the body",
                       d->type->name, LIMIT_EVENT_HEADER, d->raw.len);
    struct bytes body = {NULL, 0};
    if (d->body.len > 0)
        body = buf_bytes(&d->body);
    int rc = trial_add(&c->trial, buf_bytes(&d->raw), body, err);
    c->version = state_head(&c->core->state);
    return rc;
}

static int key_id_of(const struct core *core, const struct event_type *type,
                     struct bytes fields, uint8_t id[16], struct err *err)
{
    struct buf key = {0};
    int rc = 0;
    mp_put_array(&key, (uint32_t)type->key_count);
    for (size_t i = 0; i < type->key_count && rc == 0; i++) {
        const struct field *field = &type->header.items[type->key[i]];
        struct bytes value = mp_map_get(fields, field->name);
        if (value.data == NULL)
            value = field->type.default_value;
        if (value.len == 0)
            rc = err_set(err, ATE_EINVALID, "'%s' is missing", field->name);
        else
            rc = value_check(core->schema, &field->type, value, field->name,
                             err);
        if (rc == 0)
            buf_put_bytes(&key, value);
        else
            err_at(err, field->name);
    }
    const uint8_t *parent = parent_of(type, fields);
    if (rc == 0 && type->parent >= 0 && parent == NULL &&
        !type->header.items[type->parent].type.optional) {
        const char *name = type->header.items[type->parent].name;
        rc = err_set(err, ATE_EINVALID, "'%s' is missing", name);
        err_at(err, name);
    }
    if (rc == 0)
        object_id(core->id, bytes_of_text(type->name), parent, buf_bytes(&key),
                  id);
    buf_deinit(&key);
    return rc == 0 ? 0
                   : err_wrap(err, "%s: key",
                              schema_short(core->schema, type->name));
}

int call_key_id(const struct core *core, const struct event_type *type,
                struct bytes fields, uint8_t id[16], struct err *err)
{
    assert(type->key_count > 0);
    return key_id_of(core, type, fields, id, err);
}

static int new_id(struct call *c, const struct event_type *type,
                  struct bytes fields, uint8_t id[16], struct err *err)
{
    if (type->key_count > 0)
        return key_id_of(c->core, type, fields, id, err);
    fact_id(c->core->id, c->author, c->trial.call_id, c->trial.count, id);
    return 0;
}

static int check_writes(const struct call *c, const char *what, struct err *err)
{
    if (c->writes)
        return 0;
    return err_set(err, ATE_EINVALID,
                   "%s: %s is not possible in a method of mode = 'read'",
                   c->method != NULL ? c->method->name : "?", what);
}

/* Make and add one version. `o` is what stands there, or NULL. */
static int write_version(struct call *c, const struct event_type *type,
                         struct bytes fields, const uint8_t id[16],
                         const struct object *o, struct err *err)
{
    uint8_t previous[EVENT_ID_SIZE];
    if (o != NULL)
        memcpy(previous, o->event, sizeof(previous));
    struct draft d = {.type = type};
    int rc = draft_fill(&d, fields, err);
    if (rc == 0)
        rc = draft_add(c, &d, id, o != NULL ? previous : NULL, 0, err);
    draft_deinit(&d);
    return rc;
}

static int check_kind(const struct event_type *type, const char *what,
                      struct err *err)
{
    bool is_emitted = strcmp(what, "emit") == 0;
    assert(type != NULL);
    if (type->is_object != is_emitted)
        return 0;
    if (is_emitted)
        return err_set(err, ATE_EINVALID,
                       "%s: is an object; use put or create instead of emit",
                       type->name);
    return err_set(err, ATE_EINVALID,
                   "%s: is an event; emit it, %s is for objects", type->name,
                   what);
}

/* What stands before a version that is written whole; and its id. */
static int begin_version(struct call *c, const char *what,
                         const struct event_type *type, struct bytes fields,
                         uint8_t id[16], struct err *err)
{
    int rc = check_writes(c, what, err);
    if (rc == 0)
        rc = check_kind(type, what, err);
    if (rc == 0)
        rc = check_names(type, fields, err);
    return rc != 0 ? rc : new_id(c, type, fields, id, err);
}

int call_emit(struct call *c, const struct event_type *type,
              struct bytes fields, uint8_t id[16], struct err *err)
{
    int rc = begin_version(c, "emit", type, fields, id, err);
    return rc != 0 ? rc : write_version(c, type, fields, id, NULL, err);
}

int call_create(struct call *c, const struct event_type *type,
                struct bytes fields, uint8_t id[16], struct err *err)
{
    int rc = begin_version(c, "create", type, fields, id, err);
    return rc != 0 ? rc : write_version(c, type, fields, id, NULL, err);
}

int call_put(struct call *c, const struct event_type *type, struct bytes fields,
             uint8_t id[16], struct err *err)
{
    struct object o;
    int rc = begin_version(c, "put", type, fields, id, err);
    if (rc != 0)
        return rc;
    bool live = call_object(c, id, &o);
    return write_version(c, type, fields, id, live ? &o : NULL, err);
}

static int not_live(const struct call *c, const uint8_t id[16], struct err *err)
{
    struct object o;
    struct door door = {
        .core = c->core,
        .version = c->version,
        .names = c->core->names,
    };
    if (state_object(c->version, id, &o) == OBJECT_ABSENT)
        return err_set(err, ATE_ENOT_FOUND, "the object is not there");
    const struct event_type *type = schema_type(c->core->schema, o.header.type);
    assert(type != NULL);
    return door_check_ref(&door, type, id, err);
}

/* The live object of an id and its type. */
static int find_object(struct call *c, const uint8_t id[16], struct object *o,
                       const struct event_type **type, struct err *err)
{
    if (!call_object(c, id, o))
        return not_live(c, id, err);
    *type = schema_type(c->core->schema, o->header.type);
    assert(*type != NULL);
    return 0;
}

/* All fields of a version in one map: header, and body when it has one. */
static int whole_fields(struct call *c, const struct object *o,
                        const struct event_type *type, struct buf *out,
                        struct err *err)
{
    struct bytes body = {NULL, 0};
    bool is_large = body_home_of(&o->header) == BODY_LARGE;
    if (o->header.body_length > 0 && !is_large) {
        int rc = call_body_of(c, o, &body, err);
        if (rc != 0)
            return rc;
    }
    struct buf raw_body = {0};
    struct handle handle;
    if (type->raw_body != NULL && (body.len > 0 || is_large)) {
        mp_put_map(&raw_body, 1);
        mp_put_text(&raw_body, "body");
        if (is_large)
            handle = handle_of(&o->header);
        if (is_large)
            handle_put(&raw_body, &handle);
        else if (type->raw_body->kind == VALUE_BLOB)
            mp_put_bin(&raw_body, body);
        else
            mp_put_str(&raw_body, body);
        body = buf_bytes(&raw_body);
    }
    fields_merge(out, o->header.fields, body);
    buf_deinit(&raw_body);
    return 0;
}

int call_patch(struct call *c, const uint8_t id[16], struct bytes fields,
               struct err *err)
{
    struct object o;
    const struct event_type *type = NULL;
    struct buf before = {0};
    struct buf after = {0};
    int rc = check_writes(c, "patch", err);
    if (rc == 0)
        rc = find_object(c, id, &o, &type, err);
    if (rc == 0)
        rc = check_kind(type, "patch", err);
    if (rc == 0)
        rc = check_names(type, fields, err);
    if (rc == 0)
        rc = whole_fields(c, &o, type, &before, err);
    if (rc == 0) {
        fields_merge(&after, buf_bytes(&before), fields);
        rc = write_version(c, type, buf_bytes(&after), id, &o, err);
    }
    buf_deinit(&before);
    buf_deinit(&after);
    return rc;
}

int call_delete(struct call *c, const uint8_t id[16], struct err *err)
{
    struct object o;
    const struct event_type *type = NULL;
    int rc = check_writes(c, "delete", err);
    if (rc == 0)
        rc = find_object(c, id, &o, &type, err);
    if (rc == 0)
        rc = check_kind(type, "delete", err);
    if (rc != 0)
        return rc;
    uint8_t previous[EVENT_ID_SIZE];
    memcpy(previous, o.event, sizeof(previous));
    struct draft d = {.type = type};
    buf_put_bytes(&d.header, o.header.fields);
    rc = draft_add(c, &d, id, previous, EVENT_DELETES, err);
    draft_deinit(&d);
    return rc;
}
