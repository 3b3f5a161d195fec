#include "acceptance/engine_types.h"

#include <string.h>

#include "acceptance/bundle_events.h"
#include "acceptance/door.h"
#include "acceptance/event_fields.h"
#include "acceptance/trust_events.h"
#include "acceptance/work_events.h"
#include "base/err.h"
#include "base/msgpack.h"

bool engine_type_is(struct bytes type)
{
    return type.len > 4 && memcmp(type.data, "ate.", 4) == 0;
}

static bool is(struct bytes type, const char *name)
{
    return bytes_equal(type, bytes_of_text(name));
}

bool engine_type_alone(const struct trial *t)
{
    return t->count > 0 && is(t->events[0]->header.type, TYPE_HEARTBEAT);
}

/* ---- fields ---- */

void heartbeat_put(struct buf *fields, const struct heartbeat *h)
{
    struct mapping m = {0};
    event_fields_bin(&m, "root", h->root, HASH_SIZE);
    event_fields_bin(&m, "state", h->state, HASH_SIZE);
    mapping_uint(&m, "size", h->size);
    mapping_int(&m, "time", h->time);
    mapping_put(&m, fields);
}

int heartbeat_get(struct bytes fields, struct heartbeat *h, struct err *err)
{
    struct err unused;
    struct event_fields r = event_fields_open(fields, err, &unused);
    h->root = event_fields_take_bin(&r, "root", HASH_SIZE, false);
    h->state = event_fields_take_bin(&r, "state", HASH_SIZE, true);
    h->size = event_fields_take_uint(&r, "size");
    h->time = event_fields_take_int(&r, "time", false, 0);
    if (r.rc == 0 && h->time < 0)
        r.rc = err_set(r.err, ATE_EINVALID, "its time is before 1970");
    return event_fields_end(&r, TYPE_HEARTBEAT);
}

void key_fields_put(struct buf *fields, const struct key_record *record)
{
    struct mapping m = {0};
    event_fields_bin(&m, "box", record->box, sizeof(record->box));
    event_fields_bin(&m, "sign", record->sign, sizeof(record->sign));
    mapping_uint(&m, "suite", record->suite);
    mapping_put(&m, fields);
}

int key_fields_get(struct bytes fields, struct key_record *record,
                   struct err *err)
{
    struct err unused;
    struct event_fields r = event_fields_open(fields, err, &unused);
    const uint8_t *box =
        event_fields_take_bin(&r, "box", sizeof(record->box), false);
    const uint8_t *sign =
        event_fields_take_bin(&r, "sign", sizeof(record->sign), false);
    uint64_t suite = event_fields_take_uint(&r, "suite");
    if (r.rc == 0 && suite != SUITE_1)
        r.rc = err_set(r.err, ATE_EINVALID, "suite %llu is not known",
                       (unsigned long long)suite);
    int rc = event_fields_end(&r, TYPE_KEY);
    if (rc != 0)
        return rc;
    record->suite = SUITE_1;
    memcpy(record->box, box, sizeof(record->box));
    memcpy(record->sign, sign, sizeof(record->sign));
    return 0;
}

/* ---- judging ---- */

struct engine_type {
    const char *name;
    bool may_rest; /* on a delegation, as its auth_ref */
    bool has_body;
    int (*apply)(struct trial *t, const struct trial_event *e, size_t n,
                 struct err *err);
};

/* They are facts without key and parent, and most without body. */
static int check_plain_fact(struct trial *t, const struct trial_event *e,
                            size_t n, const struct engine_type *type,
                            struct err *err)
{
    uint8_t id[OBJECT_ID_SIZE];
    fact_id(t->core->id, t->author, t->call_id, n, id);
    const struct event_header *h = &e->header;
    if (memcmp(id, h->object, OBJECT_ID_SIZE) == 0 && h->parent == NULL &&
        h->previous == NULL && h->flags == 0 &&
        (h->body_length > 0) == type->has_body &&
        (type->may_rest || h->auth_ref == NULL))
        return 0;
    return err_set(err, ATE_EINVALID,
                   "%s: is a plain fact without key and parent, %s a body",
                   type->name, type->has_body ? "with" : "without");
}

static bool signs(const struct trial *t, const uint8_t id[KEY_ID_SIZE])
{
    bool does = memcmp(id, t->author, KEY_ID_SIZE) == 0;
    for (size_t i = 0; i < t->sig_count; i++)
        does |= memcmp(id, t->sigs[i].key_id, KEY_ID_SIZE) == 0;
    return does;
}

/* Of a proposal, mostly: it names who is still to sign. */
static int refuse_unsigned(const struct trial *t, const uint8_t id[KEY_ID_SIZE],
                           struct err *err)
{
    struct door door = {.core = t->core, .names = t->core->names};
    struct buf name = {0};
    door_put_identity(&door, id, &name);
    int rc = err_set(err, ATE_EINVALID,
                     TYPE_KEY ": %s has not signed the transaction",
                     buf_text(&name));
    buf_deinit(&name);
    return rc;
}

bool engine_type_is_key(const struct trial_event *e)
{
    return is(e->header.type, TYPE_KEY);
}

static int apply_key(struct trial *t, const struct trial_event *e, size_t n,
                     struct err *err)
{
    struct state *state = &t->core->state;
    struct key_record record;
    struct author author;
    int rc = key_fields_get(e->header.fields, &record, err);
    if (rc != 0)
        return rc;
    uint8_t id[KEY_ID_SIZE];
    key_id(&record, id);
    bool leads = true;
    for (size_t i = 0; i < n; i++)
        leads &= engine_type_is_key(t->events[i]);
    if (!leads)
        return err_set(err, ATE_EINVALID,
                       TYPE_KEY ": stands at the head of its transaction");
    if (!signs(t, id))
        return refuse_unsigned(t, id, err);
    if (state_author(state_head(state), id, &author))
        return err_set(err, ATE_ECONFLICT, TYPE_KEY ": this key is known");
    struct buf raw = {0};
    key_record_put(&raw, &record);
    author = (struct author){.record = buf_bytes(&raw)};
    state_put_author(state, id, &author);
    buf_deinit(&raw);
    return 0;
}

static int apply_heartbeat(struct trial *t, const struct trial_event *e,
                           size_t n, struct err *err)
{
    struct state *state = &t->core->state;
    struct heartbeat h;
    struct term term;
    int rc = heartbeat_get(e->header.fields, &h, err);
    if (rc != 0)
        return rc;
    if (n != 0)
        return err_set(err, ATE_EINVALID,
                       TYPE_HEARTBEAT ": is alone in its transaction");
    term_get(state_head(state), &term);
    if (memcmp(t->author, term.id, KEY_ID_SIZE) != 0)
        return err_set(err, ATE_EDENIED,
                       TYPE_HEARTBEAT ": only the order key of the term signs "
                                      "it");
    if (h.time < state_head_time(state))
        return err_set(err, ATE_EINVALID,
                       TYPE_HEARTBEAT ": log time goes back");
    state_put_time(state, t->index, h.time);
    return 0;
}

static const struct engine_type engine_types[] = {
    {TYPE_KEY, false, false, apply_key},
    {TYPE_HEARTBEAT, false, false, apply_heartbeat},
    {TYPE_DELEGATION, true, false, apply_delegation},
    {TYPE_REVOCATION, false, false, apply_revocation},
    {TYPE_ROOTS, false, false, apply_roots},
    {TYPE_ORDER, false, false, apply_order},
    {TYPE_BUNDLE, false, true, apply_bundle},
    {TYPE_ACTIVATE, false, false, apply_activate},
    {TYPE_WORK, false, false, apply_work},
    {TYPE_ASK, false, true, apply_ask},
    {TYPE_ANSWER, false, true, apply_answer},
};

void engine_type_spot(const struct trial *t, const struct trial_event *e,
                      struct spot *spot)
{
    *spot = (struct spot){0};
    if (is(e->header.type, TYPE_DELEGATION))
        delegation_spot(t, e, spot);
    else if (is(e->header.type, TYPE_REVOCATION))
        revocation_spot(t, e, spot);
}

bool engine_types_have_company(const struct trial *t)
{
    bool strangers = false;
    for (size_t i = 0; i < t->count; i++) {
        if (t->events[i]->type != NULL)
            return true;
        strangers |= engine_type_is_key(t->events[i]);
    }
    return !strangers || authority_is_root(t);
}

int engine_type_apply(struct trial *t, const struct trial_event *e, size_t n,
                      struct err *err)
{
    for (size_t i = 0; i < sizeof(engine_types) / sizeof(*engine_types); i++) {
        const struct engine_type *type = &engine_types[i];
        if (!is(e->header.type, type->name))
            continue;
        int rc = check_plain_fact(t, e, n, type, err);
        return rc != 0 ? rc : type->apply(t, e, n, err);
    }
    return err_set(err, ATE_EUNAVAILABLE,
                   "%.*s: a type of the engine that this version does not "
                   "know; a later one does",
                   (int)e->header.type.len, (const char *)e->header.type.data);
}
