#include "acceptance/authority.h"

#include <string.h>

#include "acceptance/door.h"
#include "base/err.h"
#include "state/delegation.h"
#include "state/holders.h"
#include "state/roots.h"

static struct place_in_log here(const struct trial *t)
{
    return (struct place_in_log){
        .v = state_head(&t->core->state),
        .index = t->index,
        .time = t->time,
    };
}

static bool is(const uint8_t *a, const uint8_t *b)
{
    return memcmp(a, b, KEY_ID_SIZE) == 0;
}

static bool has_purpose(const struct further_sig *sig, const char *purpose)
{
    return bytes_equal(sig->purpose, bytes_of_text(purpose));
}

/* ---- who speaks ---- */

static bool signs(const struct trial *t, const uint8_t identity[32])
{
    if (is(identity, t->author))
        return true;
    for (size_t i = 0; i < t->sig_count; i++)
        if (has_purpose(&t->sigs[i], PURPOSE_CO_AUTHOR) &&
            is(identity, t->sigs[i].key_id))
            return true;
    return false;
}

static bool covers(const struct place_in_log *at, const struct delegation *d,
                   const struct spot *spot)
{
    if (spot->object == NULL)
        return d->object == NULL;
    return object_is_within(at->v, d->object, spot->object, spot->parent);
}

static bool look(const struct trial *t, const struct held *hold,
                 const uint8_t *object, uint8_t id[EVENT_ID_SIZE])
{
    struct place_in_log at = here(t);
    t->core->looks++;
    return holders_find(&at, hold, object, id);
}

/* One that covers the spot, as object_is_within() has it: of the whole chain,
 * of the object, or of what is above it, step by step. */
static bool find_hold(const struct trial *t, const struct held *hold,
                      const struct spot *spot, uint8_t id[EVENT_ID_SIZE])
{
    struct object o;
    const uint8_t *parent = spot->parent;
    if (look(t, hold, NULL, id))
        return true;
    if (spot->object == NULL)
        return false;
    if (look(t, hold, spot->object, id))
        return true;
    for (int depth = 0; parent != NULL && depth < LIMIT_PARENTS; depth++) {
        if (look(t, hold, parent, id))
            return true;
        if (state_object(state_head(&t->core->state), parent, &o) ==
            OBJECT_ABSENT)
            return false;
        parent = o.header.parent;
    }
    return false;
}

bool authority_find_act_for(const struct trial *t, const uint8_t identity[32],
                            const struct spot *spot, uint8_t id[EVENT_ID_SIZE])
{
    struct held hold = {t->author, RIGHT_ACT_FOR, identity};
    struct place_in_log at = here(t);
    if (spot != NULL)
        return find_hold(t, &hold, spot, id);
    t->core->looks++;
    return holders_find_anywhere(&at, &hold, id);
}

static bool acts_for(const struct trial *t, const uint8_t identity[32],
                     const struct spot *spot)
{
    uint8_t id[EVENT_ID_SIZE];
    return authority_find_act_for(t, identity, spot, id);
}

bool authority_by(const struct trial *t, const uint8_t identity[32],
                  const struct spot *spot)
{
    return signs(t, identity) || acts_for(t, identity, spot);
}

static struct door door_of(const struct trial *t)
{
    return (struct door){
        .core = t->core,
        .version = state_head(&t->core->state),
        .names = t->core->names,
    };
}

/* As a grant takes it: "account/alice or above it", or "/". What comes to be,
 * or is no more, has no grants of its own: those of its parent do. */
static void put_spot(const struct trial *t, const struct door *door,
                     const struct spot *spot, struct buf *out)
{
    if (spot == NULL) {
        buf_printf(out, "what it is about");
        return;
    }
    const uint8_t *const ids[] = {spot->object, spot->parent};
    struct object o;
    for (size_t i = 0; i < 2; i++) {
        if (ids[i] == NULL ||
            state_object(door->version, ids[i], &o) != OBJECT_LIVE)
            continue;
        char type[LIMIT_TYPE_NAME + 1] = "";
        memcpy(type, o.header.type.data, o.header.type.len);
        buf_printf(out, "%s/", schema_short(t->core->schema, type));
        door_put_ref(door, ids[i], out);
        buf_printf(out, " or above it");
        return;
    }
    buf_printf(out, "/");
}

int authority_check_caller(const struct trial *t, const struct spot *spot,
                           struct err *err)
{
    if (authority_by(t, t->caller, spot))
        return 0;
    struct door door = door_of(t);
    struct buf who = {0};
    struct buf where = {0};
    door_put_identity(&door, t->caller, &who);
    put_spot(t, &door, spot, &where);
    int rc = err_set(err, ATE_EDENIED,
                     "its author may not act for %s here; %s lets it by "
                     "granting act_for on %s, or signs, too",
                     buf_text(&who), buf_text(&who), buf_text(&where));
    buf_deinit(&who);
    buf_deinit(&where);
    return rc;
}

/* ---- roots ---- */

bool authority_is_root(const struct trial *t)
{
    struct roots roots;
    bool agrees[LIMIT_ROOT_KEYS] = {false};
    uint64_t count = 0;
    roots_get(state_head(&t->core->state), &roots);
    int at = roots_find(&roots, t->author);
    if (at >= 0)
        agrees[at] = true;
    for (size_t i = 0; i < t->sig_count; i++) {
        at = roots_find(&roots, t->sigs[i].key_id);
        if (at >= 0 && has_purpose(&t->sigs[i], PURPOSE_ROOT))
            agrees[at] = true;
    }
    for (size_t i = 0; i < roots.count; i++)
        count += agrees[i];
    return count >= roots.threshold;
}

/* ---- rights ---- */

int authority_check(const struct trial *t, const uint8_t id[EVENT_ID_SIZE],
                    const char *right, const struct spot *spot,
                    struct delegation *d, struct err *err)
{
    struct place_in_log at = here(t);
    int rc = delegation_in_force(&at, id, d, err);
    if (rc != 0)
        return rc;
    unsigned long long index = d->index;
    unsigned long long n = d->n;
    if (!authority_by(t, d->to, spot))
        return err_set(err, ATE_EDENIED,
                       "the delegation %llu.%llu is another's", index, n);
    if (!delegation_gives(d, right))
        return err_set(err, ATE_EDENIED,
                       "the delegation %llu.%llu does not give the right '%s'",
                       index, n, right);
    if (!covers(&at, d, spot))
        return err_set(err, ATE_EDENIED,
                       "the delegation %llu.%llu is about another object",
                       index, n);
    return 0;
}

bool authority_find(const struct trial *t, const char *right,
                    const struct spot *spot, uint8_t id[EVENT_ID_SIZE])
{
    struct held hold = {t->author, right, NULL};
    if (find_hold(t, &hold, spot, id))
        return true;
    for (size_t i = 0; i < t->sig_count; i++) {
        hold.to = t->sigs[i].key_id;
        if (has_purpose(&t->sigs[i], PURPOSE_CO_AUTHOR) &&
            find_hold(t, &hold, spot, id))
            return true;
    }
    hold.to = t->caller;
    return !is(t->caller, t->author) && find_hold(t, &hold, spot, id) &&
           authority_by(t, t->caller, spot);
}

bool authority_may(const struct trial *t, const char *right,
                   const struct spot *spot)
{
    uint8_t id[EVENT_ID_SIZE];
    return authority_is_root(t) || authority_find(t, right, spot, id);
}

bool authority_holds_any(const struct trial *t)
{
    struct held hold = {.to = t->author};
    struct place_in_log at = here(t);
    uint8_t id[EVENT_ID_SIZE];
    t->core->looks++;
    return holders_find_anywhere(&at, &hold, id);
}

/* ---- events ---- */

const char *authority_right(enum change change)
{
    switch (change) {
    case CHANGE_EDIT:
        return RIGHT_WRITE;
    case CHANGE_DELETE:
        return RIGHT_DELETE;
    case CHANGE_FACT:
    case CHANGE_NEW:
    default:
        return RIGHT_CREATE;
    }
}

int authority_check_event(const struct trial *t, const struct trial_event *e,
                          struct err *err)
{
    struct spot spot = {e->header.object, e->header.parent};
    struct delegation d;
    int rc = authority_check(t, e->header.auth_ref, authority_right(e->change),
                             &spot, &d, err);
    return rc == 0 ? 0 : err_wrap(err, "%s", e->type->name);
}

void authority_put_want(const struct trial *t, const struct trial_event *e,
                        struct buf *out)
{
    struct door door = door_of(t);
    struct spot spot = {e->header.object, e->header.parent};
    buf_printf(out, "'%s' on ", authority_right(e->change));
    put_spot(t, &door, &spot, out);
}
