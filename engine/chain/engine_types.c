#include "chain/engine_types.h"

#include <string.h>

#include "base/err.h"
#include "base/msgpack.h"
#include "chain/authority.h"
#include "chain/trust_events.h"

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
    mp_put_map(fields, h->state != NULL ? 4 : 3);
    mp_put_text(fields, "root");
    mp_put_bin(fields, bytes_of(h->root, HASH_SIZE));
    mp_put_text(fields, "size");
    mp_put_uint(fields, h->size);
    if (h->state != NULL) {
        mp_put_text(fields, "state");
        mp_put_bin(fields, bytes_of(h->state, HASH_SIZE));
    }
    mp_put_text(fields, "time");
    mp_put_int(fields, h->time);
}

static int expect_key(struct mp *mp, const char *name, struct err *err)
{
    struct bytes key;
    int rc = mp_get_str(mp, &key, err);
    if (rc == 0 && !is(key, name))
        rc = err_set(err, ATE_EINVALID, "field '%s' is missing", name);
    return rc;
}

int heartbeat_get(struct bytes fields, struct heartbeat *h, struct err *err)
{
    struct mp mp = mp_open(fields);
    uint32_t count = 0;
    *h = (struct heartbeat){0};
    int rc = mp_get_map(&mp, &count, err);
    if (rc == 0 && count != 3 && count != 4)
        rc = err_set(err, ATE_EINVALID, "has %u fields", count);
    if (rc == 0)
        rc = expect_key(&mp, "root", err);
    if (rc == 0)
        rc = mp_get_bin_of(&mp, HASH_SIZE, &h->root, err);
    if (rc == 0)
        rc = expect_key(&mp, "size", err);
    if (rc == 0)
        rc = mp_get_uint(&mp, &h->size, err);
    if (rc == 0 && count == 4)
        rc = expect_key(&mp, "state", err);
    if (rc == 0 && count == 4)
        rc = mp_get_bin_of(&mp, HASH_SIZE, &h->state, err);
    if (rc == 0)
        rc = expect_key(&mp, "time", err);
    if (rc == 0)
        rc = mp_get_int(&mp, &h->time, err);
    if (rc == 0)
        rc = mp_done(&mp, err);
    if (rc == 0 && h->time < 0)
        rc = err_set(err, ATE_EINVALID, "its time is before 1970");
    return rc == 0 ? 0 : err_wrap(err, TYPE_HEARTBEAT);
}

void key_fields_put(struct buf *fields, const struct key_record *record)
{
    mp_put_map(fields, 3);
    mp_put_text(fields, "box");
    mp_put_bin(fields, bytes_of(record->box, sizeof(record->box)));
    mp_put_text(fields, "sign");
    mp_put_bin(fields, bytes_of(record->sign, sizeof(record->sign)));
    mp_put_text(fields, "suite");
    mp_put_uint(fields, record->suite);
}

int key_fields_get(struct bytes fields, struct key_record *record,
                   struct err *err)
{
    struct mp mp = mp_open(fields);
    uint32_t count = 0;
    const uint8_t *box = NULL;
    const uint8_t *sign = NULL;
    uint64_t suite = 0;
    int rc = mp_get_map(&mp, &count, err);
    if (rc == 0 && count != 3)
        rc = err_set(err, ATE_EINVALID, "has %u fields, 3 are needed", count);
    if (rc == 0)
        rc = expect_key(&mp, "box", err);
    if (rc == 0)
        rc = mp_get_bin_of(&mp, sizeof(record->box), &box, err);
    if (rc == 0)
        rc = expect_key(&mp, "sign", err);
    if (rc == 0)
        rc = mp_get_bin_of(&mp, sizeof(record->sign), &sign, err);
    if (rc == 0)
        rc = expect_key(&mp, "suite", err);
    if (rc == 0)
        rc = mp_get_uint(&mp, &suite, err);
    if (rc == 0)
        rc = mp_done(&mp, err);
    if (rc == 0 && suite != SUITE_1)
        rc = err_set(err, ATE_EINVALID, "suite %llu is not known",
                     (unsigned long long)suite);
    if (rc != 0)
        return err_wrap(err, TYPE_KEY);
    record->suite = SUITE_1;
    memcpy(record->box, box, sizeof(record->box));
    memcpy(record->sign, sign, sizeof(record->sign));
    return 0;
}

/* ---- judging ---- */

/* They are facts without body, key and parent; `may_rest`: it may rest on a
 * delegation. */
static int check_plain_fact(struct trial *t, const struct trial_event *e,
                            size_t n, bool may_rest, struct err *err)
{
    uint8_t id[OBJECT_ID_SIZE];
    fact_id(t->core->id, t->author, t->call_id, n, id);
    const struct event_header *h = &e->header;
    if (memcmp(id, h->object, OBJECT_ID_SIZE) == 0 && h->parent == NULL &&
        h->previous == NULL && h->flags == 0 && h->body_length == 0 &&
        (may_rest || h->auth_ref == NULL))
        return 0;
    return err_set(err, ATE_EINVALID,
                   "%.*s: is a plain fact without body, key and parent",
                   (int)h->type.len, (const char *)h->type.data);
}

static bool signs(const struct trial *t, const uint8_t id[KEY_ID_SIZE])
{
    bool does = memcmp(id, t->author, KEY_ID_SIZE) == 0;
    for (size_t i = 0; i < t->sig_count; i++)
        does |= memcmp(id, t->sigs[i].key_id, KEY_ID_SIZE) == 0;
    return does;
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
        leads &= is(t->events[i]->header.type, TYPE_KEY);
    if (!leads || !signs(t, id))
        return err_set(err, ATE_EINVALID,
                       TYPE_KEY ": stands at the head of a transaction that "
                                "the key signs");
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
    if (h.time < state_time(state_head(state)))
        return err_set(err, ATE_EINVALID,
                       TYPE_HEARTBEAT ": log time goes back");
    struct buf time = {0};
    mp_put_int(&time, h.time);
    state_put_chain(state, "time", buf_bytes(&time));
    buf_deinit(&time);
    return 0;
}

static const struct engine_type {
    const char *name;
    bool may_rest; /* on a delegation, as its auth_ref */
    int (*apply)(struct trial *t, const struct trial_event *e, size_t n,
                 struct err *err);
} engine_types[] = {
    {TYPE_KEY, false, apply_key},
    {TYPE_HEARTBEAT, false, apply_heartbeat},
    {TYPE_DELEGATION, true, apply_delegation},
    {TYPE_REVOCATION, false, apply_revocation},
    {TYPE_ROOTS, false, apply_roots},
    {TYPE_ORDER, false, apply_order},
};

bool engine_types_have_company(const struct trial *t)
{
    bool strangers = false;
    for (size_t i = 0; i < t->count; i++) {
        if (t->events[i]->type != NULL)
            return true;
        strangers |= is(t->events[i]->header.type, TYPE_KEY);
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
        int rc = check_plain_fact(t, e, n, type->may_rest, err);
        return rc != 0 ? rc : type->apply(t, e, n, err);
    }
    return err_set(err, ATE_EUNAVAILABLE,
                   "%.*s: a type of the engine that this version does not "
                   "know; a later one does",
                   (int)e->header.type.len, (const char *)e->header.type.data);
}
