/* Entries of kind 1: `bundle` is the hash in force, `next` the bundle that may
 * be activated, `bundles` all that were activated, with the transactions that
 * did it. */
#include "acceptance/bundle_events.h"

#include <assert.h>
#include <string.h>

#include "acceptance/authority.h"
#include "acceptance/core_open.h"
#include "acceptance/event_fields.h"
#include "acceptance/logic.h"
#include "base/err.h"
#include "base/msgpack.h"
#include "schema/compat.h"

/* ---- fields ---- */

void activate_fields_put(struct buf *out, const struct activate_fields *f)
{
    struct mapping m = {0};
    event_fields_bin(&m, "bundle", f->bundle, HASH_SIZE);
    event_fields_bin(&m, "state", f->state, HASH_SIZE);
    mapping_put(&m, out);
}

int activate_fields_get(struct bytes map, struct activate_fields *f,
                        struct err *err)
{
    struct err unused;
    struct event_fields r = event_fields_open(map, err, &unused);
    *f = (struct activate_fields){0};
    f->bundle = event_fields_take_bin(&r, "bundle", HASH_SIZE, false);
    f->state = event_fields_take_bin(&r, "state", HASH_SIZE, true);
    return event_fields_end(&r, TYPE_ACTIVATE);
}

/* ---- entries ---- */

bool next_bundle_get(struct tree_version v, struct next_bundle *next)
{
    struct bytes value;
    if (!state_chain(v, "next", &value))
        return false;
    struct mp mp = mp_open(value);
    state_own(mp_get_array_of(&mp, 3, NULL));
    state_own(mp_get_bin_of(&mp, HASH_SIZE, &next->hash, NULL));
    state_own(mp_get_uint(&mp, &next->index, NULL));
    state_own(mp_get_uint(&mp, &next->n, NULL));
    return true;
}

static void put_next(struct state *s, const uint8_t *hash, uint64_t index,
                     uint64_t n)
{
    struct buf value = {0};
    mp_put_array(&value, 3);
    mp_put_bin(&value, bytes_of(hash, HASH_SIZE));
    mp_put_uint(&value, index);
    mp_put_uint(&value, n);
    state_put_chain(s, "next", buf_bytes(&value));
    buf_deinit(&value);
}

static struct mp open_activated(struct tree_version v, uint32_t *count)
{
    struct bytes value = {NULL, 0};
    struct mp mp = mp_open(value);
    *count = 0;
    if (state_chain(v, "bundles", &value)) {
        mp = mp_open(value);
        state_own(mp_get_array(&mp, count, NULL));
    }
    return mp;
}

size_t activated_count(struct tree_version v)
{
    uint32_t count;
    open_activated(v, &count);
    return count;
}

struct activated_bundle activated_get(struct tree_version v, size_t i)
{
    struct activated_bundle b = {0};
    uint32_t count;
    struct mp mp = open_activated(v, &count);
    assert(i < count);
    for (size_t k = 0; k <= i; k++) {
        state_own(mp_get_array_of(&mp, 2, NULL));
        state_own(mp_get_uint(&mp, &b.index, NULL));
        state_own(mp_get_bin_of(&mp, HASH_SIZE, &b.hash, NULL));
    }
    return b;
}

/* Append [index, hash] to `bundles`. */
static void put_activated(struct state *s, uint64_t index, const uint8_t *hash)
{
    struct buf value = {0};
    uint32_t count;
    struct mp mp = open_activated(state_head(s), &count);
    mp_put_array(&value, count + 1);
    if (count > 0)
        buf_put_bytes(&value, bytes_of(mp.at, (size_t)(mp.end - mp.at)));
    mp_put_array(&value, 2);
    mp_put_uint(&value, index);
    mp_put_bin(&value, bytes_of(hash, HASH_SIZE));
    state_put_chain(s, "bundles", buf_bytes(&value));
    buf_clear(&value);
    mp_put_bin(&value, bytes_of(hash, HASH_SIZE));
    state_put_chain(s, "bundle", buf_bytes(&value));
    state_delete(s, STATE_CHAIN, bytes_of_text("next"));
    buf_deinit(&value);
}

/* ---- judging ---- */

static int need_root(const struct trial *t, const char *type, struct err *err)
{
    if (authority_is_root(t))
        return 0;
    return err_set(err, ATE_EDENIED, "%s: it takes the chain's root keys",
                   type);
}

static int check_follows(struct trial *t, struct bytes bundle, struct err *err)
{
    struct core *core = t->core;
    struct logic_limits limits = core_limits(core);
    struct logic *logic = NULL;
    int rc = core->maker->load(core->maker->ctx, bundle, &limits, &logic, err);
    if (rc != 0)
        return rc;
    rc = schema_may_follow(core->schema, logic->schema, err);
    logic->free(logic);
    return rc;
}

int apply_bundle(struct trial *t, const struct trial_event *e, size_t n,
                 struct err *err)
{
    struct mp mp = mp_open(e->header.fields);
    uint32_t count = 0;
    int rc = mp_get_map(&mp, &count, err);
    if (rc == 0 && count > 0)
        rc = err_set(err, ATE_EINVALID, TYPE_BUNDLE ": has no fields");
    if (rc == 0 && (e->body.data == NULL || e->body.len > LIMIT_BUNDLE))
        rc = err_set(err, ATE_EINVALID,
                     TYPE_BUNDLE ": its body is a bundle of at most %d bytes",
                     LIMIT_BUNDLE);
    if (rc != 0 || t->refold != NULL) {
        if (rc == 0)
            put_next(&t->core->state, e->header.body_hash, t->index, n);
        return rc;
    }
    rc = need_root(t, TYPE_BUNDLE, err);
    if (rc == 0)
        rc = check_follows(t, e->body, err);
    if (rc != 0)
        return rc;
    put_next(&t->core->state, e->header.body_hash, t->index, n);
    return 0;
}

int activation_allowed(const struct trial *t, const uint8_t *bundle,
                       struct err *err)
{
    struct next_bundle next;
    int rc = need_root(t, TYPE_ACTIVATE, err);
    if (rc != 0)
        return rc;
    if (!next_bundle_get(state_head(&t->core->state), &next))
        return err_set(err, ATE_ENOT_FOUND,
                       TYPE_ACTIVATE ": there is no bundle to be activated; "
                                     "ate.bundle brings one");
    if (bundle != NULL && memcmp(next.hash, bundle, HASH_SIZE) != 0)
        return err_set(err, ATE_ECONFLICT,
                       TYPE_ACTIVATE ": it names another bundle than the one "
                                     "that came last");
    return 0;
}

/* The chain's core has been exchanged for the one of that bundle before it. */
int apply_activate(struct trial *t, const struct trial_event *e, size_t n,
                   struct err *err)
{
    struct core *core = t->core;
    struct activate_fields f;
    int rc = activate_fields_get(e->header.fields, &f, err);
    if (rc != 0)
        return rc;
    if (t->refold == NULL) {
        if (n != 0)
            return err_set(err, ATE_EINVALID,
                           TYPE_ACTIVATE ": is alone in its transaction");
        rc = activation_allowed(t, f.bundle, err);
        if (rc != 0)
            return rc;
        if (memcmp(core->loaded, f.bundle, HASH_SIZE) != 0)
            return err_set(err, ATE_EUNAVAILABLE,
                           TYPE_ACTIVATE ": the log was not tried under this "
                                         "bundle yet");
    }
    put_activated(&core->state, t->index, f.bundle);
    return 0;
}

bool trial_activates(const struct trial *t)
{
    return t->count > 0 && t->events[0]->type == NULL &&
           bytes_equal(t->events[0]->header.type, bytes_of_text(TYPE_ACTIVATE));
}
