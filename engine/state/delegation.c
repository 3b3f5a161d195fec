/* (1) What a delegation may give was compared with the one it rests on when it
 *     was made: rights, subtree, time and depth. None of these ever changes,
 *     nor do parents of objects, so only revocation and time are looked at
 *     again.
 * (2) A grant entry stands for each delegation, revoked ones too; of those that
 *     can be looked for, holders.c keeps entries. */
#include "state/delegation.h"

#include <string.h>

#include "base/err.h"
#include "base/limits.h"
#include "base/msgpack.h"

/* ---- entries ---- */

void delegation_read(struct bytes value, struct delegation *d)
{
    *d = (struct delegation){.until = INT64_MAX};
    struct mp mp = mp_open(value);
    state_own(mp_get_array_of(&mp, 11, NULL));
    state_own(mp_get_bin_of(&mp, KEY_ID_SIZE, &d->to, NULL));
    state_own(mp_get_bin_or_nil(&mp, OBJECT_ID_SIZE, &d->object, NULL));
    state_own(mp_skip(&mp, &d->rights, NULL));
    state_own(mp_get_uint(&mp, &d->depth, NULL));
    if (!mp_take_nil(&mp))
        state_own(mp_get_int(&mp, &d->until, NULL));
    state_own(mp_get_bin_or_nil(&mp, KEY_ID_SIZE, &d->act_for, NULL));
    state_own(mp_get_bin_of(&mp, KEY_ID_SIZE, &d->by, NULL));
    state_own(mp_get_bin_or_nil(&mp, EVENT_ID_SIZE, &d->auth_ref, NULL));
    state_own(mp_get_uint(&mp, &d->index, NULL));
    state_own(mp_get_uint(&mp, &d->n, NULL));
    d->revoked = !mp_take_nil(&mp);
    if (d->revoked)
        state_own(mp_get_uint(&mp, &d->revoked_index, NULL));
}

bool delegation_get(struct tree_version v, const uint8_t id[EVENT_ID_SIZE],
                    struct delegation *d)
{
    struct bytes value;
    if (!state_get(v, STATE_DELEGATION, bytes_of(id, EVENT_ID_SIZE), &value))
        return false;
    delegation_read(value, d);
    return true;
}

static void put_optional(struct buf *out, const uint8_t *data, size_t len)
{
    mp_put_bin_or_nil(out, bytes_of(data, data != NULL ? len : 0));
}

static void put_value(struct buf *out, const struct delegation *d)
{
    mp_put_array(out, 11);
    mp_put_bin(out, bytes_of(d->to, KEY_ID_SIZE));
    put_optional(out, d->object, OBJECT_ID_SIZE);
    buf_put_bytes(out, d->rights);
    mp_put_uint(out, d->depth);
    if (d->until == INT64_MAX)
        mp_put_nil(out);
    else
        mp_put_int(out, d->until);
    put_optional(out, d->act_for, KEY_ID_SIZE);
    mp_put_bin(out, bytes_of(d->by, KEY_ID_SIZE));
    put_optional(out, d->auth_ref, EVENT_ID_SIZE);
    mp_put_uint(out, d->index);
    mp_put_uint(out, d->n);
    if (d->revoked)
        mp_put_uint(out, d->revoked_index);
    else
        mp_put_nil(out);
}

void delegation_put(struct state *s, const uint8_t id[EVENT_ID_SIZE],
                    const struct delegation *d)
{
    struct buf key = {0};
    struct buf value = {0};
    put_value(&value, d);
    state_put(s, STATE_DELEGATION, bytes_of(id, EVENT_ID_SIZE),
              buf_bytes(&value));
    buf_put_be64(&key, d->index);
    buf_put_be64(&key, d->n);
    state_put(s, STATE_GRANT, buf_bytes(&key), bytes_of(id, EVENT_ID_SIZE));
    buf_deinit(&key);
    buf_deinit(&value);
}

void delegation_revoke(struct state *s, const uint8_t id[EVENT_ID_SIZE],
                       uint64_t index)
{
    struct delegation d;
    struct buf value = {0};
    bool there = delegation_get(state_head(s), id, &d);
    assert(there && !d.revoked);
    d.revoked = true;
    d.revoked_index = index;
    put_value(&value, &d);
    state_put(s, STATE_DELEGATION, bytes_of(id, EVENT_ID_SIZE),
              buf_bytes(&value));
    buf_deinit(&value);
}

bool delegation_at(struct tree_version v, uint64_t index, uint64_t n,
                   uint8_t id[EVENT_ID_SIZE])
{
    uint8_t key[16];
    struct bytes value;
    put_be64(key, index);
    put_be64(key + 8, n);
    if (!state_get(v, STATE_GRANT, bytes_of(key, sizeof(key)), &value))
        return false;
    assert(value.len == EVENT_ID_SIZE);
    memcpy(id, value.data, EVENT_ID_SIZE);
    return true;
}

/* ---- rights ---- */

bool delegation_gives(const struct delegation *d, const char *right)
{
    struct mp mp = mp_open(d->rights);
    uint32_t count = 0;
    struct bytes name;
    state_own(mp_get_array(&mp, &count, NULL));
    for (uint32_t i = 0; i < count; i++) {
        state_own(mp_get_str(&mp, &name, NULL));
        if (bytes_equal(name, bytes_of_text(right)))
            return true;
    }
    return false;
}

/* Both are sorted: one walk. */
bool rights_within(struct bytes less, struct bytes more)
{
    struct mp a = mp_open(less);
    struct mp b = mp_open(more);
    uint32_t a_left = 0;
    uint32_t b_left = 0;
    struct bytes want;
    struct bytes have;
    state_own(mp_get_array(&a, &a_left, NULL));
    state_own(mp_get_array(&b, &b_left, NULL));
    for (; a_left > 0; a_left--) {
        state_own(mp_get_str(&a, &want, NULL));
        do {
            if (b_left-- == 0)
                return false;
            state_own(mp_get_str(&b, &have, NULL));
        } while (!bytes_equal(want, have));
    }
    return true;
}

/* ---- force ---- */

static int in_force_alone(const struct place_in_log *at,
                          const struct delegation *d, struct err *err)
{
    if (d->index >= at->index)
        return err_set(err, ATE_EDENIED,
                       "the delegation %llu.%llu counts from the next "
                       "transaction on",
                       (unsigned long long)d->index, (unsigned long long)d->n);
    if (d->revoked)
        return err_set(err, ATE_EDENIED,
                       "the delegation %llu.%llu was revoked by transaction "
                       "%llu",
                       (unsigned long long)d->index, (unsigned long long)d->n,
                       (unsigned long long)d->revoked_index);
    if (at->time >= d->until)
        return err_set(err, ATE_EDENIED,
                       "the time of the delegation %llu.%llu has passed",
                       (unsigned long long)d->index, (unsigned long long)d->n);
    return 0;
}

int delegation_in_force(const struct place_in_log *at,
                        const uint8_t id[EVENT_ID_SIZE], struct delegation *d,
                        struct err *err)
{
    if (!delegation_get(at->v, id, d))
        return err_set(err, ATE_EDENIED,
                       "the delegation that it names is not in the log");
    struct delegation up = *d;
    for (int depth = 0; depth <= DELEGATION_DEPTH_MAX; depth++) {
        int rc = in_force_alone(at, &up, err);
        if (rc != 0)
            return rc;
        if (up.auth_ref == NULL)
            return 0;
        bool there = delegation_get(at->v, up.auth_ref, &up);
        assert(there);
    }
    return err_set(err, ATE_EDENIED, "more than %d delegations in a row",
                   DELEGATION_DEPTH_MAX);
}

bool object_is_within(struct tree_version v, const uint8_t *top,
                      const uint8_t *id, const uint8_t *parent)
{
    struct object o;
    if (top == NULL || memcmp(id, top, OBJECT_ID_SIZE) == 0)
        return true;
    for (int depth = 0; parent != NULL && depth < LIMIT_PARENTS; depth++) {
        if (memcmp(parent, top, OBJECT_ID_SIZE) == 0)
            return true;
        if (state_object(v, parent, &o) == OBJECT_ABSENT)
            return false;
        parent = o.header.parent;
    }
    return false;
}
