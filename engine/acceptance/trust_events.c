#include "acceptance/trust_events.h"

#include <string.h>

#include "acceptance/materializer.h"
#include "base/err.h"
#include "base/msgpack.h"
#include "state/holders.h"

/* A key that the log does not know yet becomes known. */
static void learn_key(struct state *s, const struct key_record *record)
{
    uint8_t id[KEY_ID_SIZE];
    struct author author;
    struct buf raw = {0};
    key_id(record, id);
    if (state_author(state_head(s), id, &author))
        return;
    key_record_put(&raw, record);
    author = (struct author){.record = buf_bytes(&raw)};
    state_put_author(s, id, &author);
    buf_deinit(&raw);
}

/* `else_what`: what would do instead, for the text. */
static int need_root(const struct trial *t, const char *else_what,
                     struct err *err)
{
    struct roots roots;
    if (authority_is_root(t))
        return 0;
    roots_get(state_head(&t->core->state), &roots);
    return err_set(err, ATE_EDENIED,
                   "it takes %s%llu of the chain's %zu root key%s", else_what,
                   (unsigned long long)roots.threshold, roots.count,
                   roots.count == 1 ? "" : "s");
}

/* ---- delegation ---- */

static bool is_declared(const struct schema *s, struct bytes name)
{
    for (size_t i = 0; i < s->type_count; i++)
        for (size_t k = 0; k < s->types[i].right_count; k++)
            if (bytes_equal(name, bytes_of_text(s->types[i].rights[k].name)))
                return true;
    return false;
}

static int check_rights(const struct trial *t,
                        const struct delegation_fields *f, struct err *err)
{
    struct mp mp = mp_open(f->rights);
    uint32_t count = 0;
    bool acts = false;
    state_own(mp_get_array(&mp, &count, NULL));
    for (uint32_t i = 0; i < count; i++) {
        struct bytes name;
        char text[LIMIT_KIND_NAME + 1] = "";
        state_own(mp_get_str(&mp, &name, NULL));
        memcpy(text, name.data, name.len);
        acts |= bytes_equal(name, bytes_of_text(RIGHT_ACT_FOR));
        bool own = strlen(text) == name.len && right_is_own(text);
        if (t->refold != NULL || own || is_declared(t->core->schema, name))
            continue;
        err_set(err, ATE_EINVALID,
                "there is no right '%s': the engine has create, write, delete, "
                "delegate, grant_reading, order and act_for, and no type "
                "declares it",
                text);
        return err_at(err, "rights");
    }
    if (acts && (count > 1 || f->act_for == NULL))
        return err_set(err, ATE_EINVALID,
                       RIGHT_ACT_FOR ": stands alone, and names whom to act "
                                     "for");
    if (!acts && f->act_for != NULL)
        return err_set(err, ATE_EINVALID,
                       "it names whom to act for, without the right "
                       "'" RIGHT_ACT_FOR "'");
    return 0;
}

static int check_record(const struct delegation_fields *f, struct err *err)
{
    uint8_t id[KEY_ID_SIZE];
    if (!f->has_record)
        return 0;
    key_id(&f->record, id);
    if (memcmp(id, f->to, KEY_ID_SIZE) == 0)
        return 0;
    return err_set(err, ATE_EINVALID, "the key is not the one that gets it");
}

/* `id` NULL: the whole chain. */
static struct spot spot_of(const struct trial *t, const uint8_t *id)
{
    struct spot spot = {.object = id};
    struct object o;
    if (id != NULL &&
        state_object(state_head(&t->core->state), id, &o) != OBJECT_ABSENT)
        spot.parent = o.header.parent;
    return spot;
}

void delegation_spot(const struct trial *t, const struct trial_event *e,
                     struct spot *spot)
{
    struct delegation_fields f;
    if (delegation_fields_get(e->header.fields, &f, NULL) == 0)
        *spot = spot_of(t, f.object);
}

/* The object it is about, where it is about one. */
static int find_spot(const struct trial *t, const struct delegation_fields *f,
                     struct spot *spot, struct err *err)
{
    struct object o;
    *spot = spot_of(t, f->object);
    if (f->object == NULL ||
        state_object(state_head(&t->core->state), f->object, &o) == OBJECT_LIVE)
        return 0;
    return err_set(err, ATE_ENOT_FOUND, "its object is not there");
}

/* What it gives is no more than what the one it rests on has. */
static int check_less(const struct delegation_fields *f,
                      const struct delegation *up, struct err *err)
{
    bool acts = f->act_for != NULL;
    if (f->depth >= up->depth)
        return err_set(err, ATE_EDENIED,
                       "at depth %llu no more than %llu may rest on it",
                       (unsigned long long)up->depth,
                       (unsigned long long)up->depth - (up->depth > 0));
    if (f->until > up->until)
        return err_set(
            err, ATE_EDENIED, "it would outlive the delegation %llu.%llu",
            (unsigned long long)up->index, (unsigned long long)up->n);
    if (!rights_within(f->rights, up->rights))
        return err_set(err, ATE_EDENIED,
                       "it gives a right that the delegation %llu.%llu does "
                       "not",
                       (unsigned long long)up->index,
                       (unsigned long long)up->n);
    if (acts && (up->act_for == NULL ||
                 memcmp(up->act_for, f->act_for, KEY_ID_SIZE) != 0))
        return err_set(err, ATE_EDENIED,
                       "the delegation %llu.%llu is to act for somebody else",
                       (unsigned long long)up->index,
                       (unsigned long long)up->n);
    return 0;
}

/* It rests on nothing: k root keys give rights; everybody lets others act for
 * themselves, if the pipeline takes anything from them. */
static int check_bottom(struct trial *t, const struct trial_event *e,
                        const struct delegation_fields *f, struct err *err)
{
    if (f->depth > DELEGATION_DEPTH_MAX)
        return err_set(err, ATE_EINVALID, "its depth is at most %d",
                       DELEGATION_DEPTH_MAX);
    if (f->act_for == NULL)
        return need_root(t, "the right '" RIGHT_DELEGATE "' there, or ", err);
    if (memcmp(f->act_for, t->author, KEY_ID_SIZE) != 0)
        return err_set(err, ATE_EDENIED,
                       "only its author can let others act for it");
    if (pipeline_judge(&t->core->pipeline, t, e, NULL) == 0)
        return 0;
    return err_set(err, ATE_EDENIED,
                   "the chain's pipeline takes nothing from its author");
}

static int check_authority(struct trial *t, const struct trial_event *e,
                           const struct delegation_fields *f, struct err *err)
{
    struct delegation up;
    struct spot spot;
    int rc = find_spot(t, f, &spot, err);
    if (rc != 0)
        return rc;
    if (e->header.auth_ref == NULL)
        return check_bottom(t, e, f, err);
    const char *right = f->act_for != NULL ? RIGHT_ACT_FOR : RIGHT_DELEGATE;
    rc = authority_check(t, e->header.auth_ref, right, &spot, &up, err);
    return rc != 0 ? rc : check_less(f, &up, err);
}

/* The same event comes again when its author uses a call id again that was
 * forgotten. As it was revoked once, that stays; and what rests on it. */
static int check_new(const struct trial *t, const struct trial_event *e,
                     struct err *err)
{
    struct delegation known;
    if (!delegation_get(state_head(&t->core->state), e->id, &known))
        return 0;
    return err_set(err, ATE_ECONFLICT, "it is in the log already, as %llu.%llu",
                   (unsigned long long)known.index,
                   (unsigned long long)known.n);
}

int apply_delegation(struct trial *t, const struct trial_event *e, size_t n,
                     struct err *err)
{
    struct delegation_fields f;
    int rc = delegation_fields_get(e->header.fields, &f, err);
    if (rc != 0)
        return rc;
    rc = check_new(t, e, err);
    if (rc == 0)
        rc = check_rights(t, &f, err);
    if (rc == 0)
        rc = check_record(&f, err);
    if (rc == 0 && f.until <= t->time) {
        rc = err_set(err, ATE_EINVALID, "its time has passed already");
        err_at(err, "until");
    }
    if (rc == 0)
        rc = check_authority(t, e, &f, err);
    if (rc != 0)
        return err_wrap(err, TYPE_DELEGATION);
    if (f.has_record)
        learn_key(&t->core->state, &f.record);
    struct delegation d = {
        .to = f.to,
        .object = f.object,
        .rights = f.rights,
        .depth = f.depth,
        .until = f.until,
        .act_for = f.act_for,
        .by = t->author,
        .auth_ref = e->header.auth_ref,
        .index = t->index,
        .n = n,
    };
    delegation_put(&t->core->state, e->id, &d);
    return 0;
}

/* ---- revocation ---- */

void revocation_spot(const struct trial *t, const struct trial_event *e,
                     struct spot *spot)
{
    const uint8_t *id = NULL;
    struct delegation d;
    if (revocation_fields_get(e->header.fields, &id, NULL) == 0 &&
        delegation_get(state_head(&t->core->state), id, &d))
        *spot = spot_of(t, d.object);
}

/* Who made it, who holds it, and the same of all it rests on. */
static bool may_revoke(const struct trial *t, const struct delegation *d)
{
    struct tree_version v = state_head(&t->core->state);
    struct delegation up = *d;
    for (int depth = 0; depth <= DELEGATION_DEPTH_MAX; depth++) {
        struct spot spot = spot_of(t, up.object);
        if (authority_by(t, up.by, &spot) || authority_by(t, up.to, &spot))
            return true;
        if (up.auth_ref == NULL)
            break;
        bool there = delegation_get(v, up.auth_ref, &up);
        assert(there);
    }
    return authority_is_root(t);
}

int apply_revocation(struct trial *t, const struct trial_event *e, size_t n,
                     struct err *err)
{
    struct state *state = &t->core->state;
    const uint8_t *id = NULL;
    struct delegation d;
    (void)n;
    int rc = revocation_fields_get(e->header.fields, &id, err);
    if (rc != 0)
        return rc;
    if (!delegation_get(state_head(state), id, &d))
        return err_set(err, ATE_ENOT_FOUND,
                       TYPE_REVOCATION ": there is no such delegation");
    if (d.revoked)
        return err_set(err, ATE_ECONFLICT,
                       TYPE_REVOCATION ": transaction %llu revoked it",
                       (unsigned long long)d.revoked_index);
    if (!may_revoke(t, &d))
        return err_set(err, ATE_EDENIED,
                       TYPE_REVOCATION ": those who made or hold %llu.%llu, or "
                                       "one that it rests on, revoke it, and "
                                       "the root keys",
                       (unsigned long long)d.index, (unsigned long long)d.n);
    delegation_revoke(state, id, t->index);
    holders_drop(state, id);
    return 0;
}

void trust_finish(struct trial *t)
{
    struct bytes type = bytes_of_text(TYPE_DELEGATION);
    for (size_t i = 0; i < t->count; i++)
        if (t->events[i]->type == NULL &&
            bytes_equal(t->events[i]->header.type, type))
            holders_add(&t->core->state, t->events[i]->id);
}

/* ---- roots ---- */

/* k of the new keys agree, too, so that none is made root by mistake. */
static int check_new_agree(const struct trial *t, const struct roots_fields *f,
                           struct err *err)
{
    uint64_t count = 0;
    for (size_t i = 0; i < f->count; i++) {
        uint8_t id[KEY_ID_SIZE];
        key_id(&f->records[i], id);
        bool agrees = memcmp(id, t->author, KEY_ID_SIZE) == 0;
        for (size_t k = 0; k < t->sig_count; k++)
            agrees |=
                memcmp(id, t->sigs[k].key_id, KEY_ID_SIZE) == 0 &&
                bytes_equal(t->sigs[k].purpose, bytes_of_text(PURPOSE_ROOT));
        count += agrees;
    }
    if (count >= f->threshold)
        return 0;
    return err_set(err, ATE_EDENIED,
                   "%llu of the new keys have to sign it, too, %llu did",
                   (unsigned long long)f->threshold, (unsigned long long)count);
}

int apply_roots(struct trial *t, const struct trial_event *e, size_t n,
                struct err *err)
{
    struct state *state = &t->core->state;
    struct roots_fields f;
    struct roots now;
    (void)n;
    int rc = roots_fields_get(e->header.fields, &f, err);
    if (rc != 0)
        return rc;
    rc = roots_check(f.records, f.count, f.threshold, err);
    if (rc == 0)
        rc = need_root(t, "", err);
    if (rc == 0)
        rc = check_new_agree(t, &f, err);
    if (rc != 0)
        return err_wrap(err, TYPE_ROOTS);
    roots_get(state_head(state), &now);
    if (now.has_next) {
        uint8_t digest[HASH_SIZE];
        roots_digest(f.records, f.count, f.threshold, digest);
        if (memcmp(digest, now.next, HASH_SIZE) != 0)
            return err_set(err, ATE_EDENIED,
                           TYPE_ROOTS ": it is another set of keys than the "
                                      "one that was committed to");
    }
    for (size_t i = 0; i < f.count; i++)
        learn_key(state, &f.records[i]);
    roots_put(state, f.records, f.count, f.threshold, f.next);
    return 0;
}

/* ---- order ---- */

int apply_order(struct trial *t, const struct trial_event *e, size_t n,
                struct err *err)
{
    struct state *state = &t->core->state;
    struct order_fields f;
    struct term now;
    struct spot all = {0};
    (void)n;
    int rc = order_fields_get(e->header.fields, &f, err);
    if (rc != 0)
        return rc;
    term_get(state_head(state), &now);
    if (f.term != now.number + 1)
        return err_set(err, ATE_ECONFLICT,
                       TYPE_ORDER ": term %llu follows on %llu, not %llu",
                       (unsigned long long)now.number + 1,
                       (unsigned long long)now.number,
                       (unsigned long long)f.term);
    if (!authority_may(t, RIGHT_ORDER, &all) &&
        need_root(t, "the right '" RIGHT_ORDER "' on the whole chain, or ",
                  err) != 0)
        return err_wrap(err, TYPE_ORDER);
    learn_key(state, &f.record);
    term_put(state, f.term, t->index, &f.record);
    return 0;
}
