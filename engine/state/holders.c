/* (1) For each delegation whose transaction is at its end, unless it or one
 *     that it rests on is revoked, there is an entry of kind 0x46 for each of
 *     its rights at its place, one for any right anywhere, one for acting for
 *     its identity anywhere, and, if it rests on another, one of kind 0x4b.
 *     There is none else.
 * (2) None outlives what it rests on (trust_events.c), and log time never
 *     decreases: which one is in force is told by its own end alone. */
#include "state/holders.h"

#include <string.h>

#include "base/msgpack.h"

enum place { PLACE_CHAIN, PLACE_OBJECT, PLACE_ANY };
enum { TAIL = 8 + EVENT_ID_SIZE }; /* of a key: its end, its id */

/* ---- keys ---- */

/* Up to the end: identity, identity acted for or zeros, u8 length and name of
 * the right, u8 place and its object. */
static void put_prefix(struct buf *key, const struct held *hold,
                       struct bytes right, enum place place,
                       const uint8_t *object)
{
    static const uint8_t nobody[KEY_ID_SIZE];
    assert(right.len <= UINT8_MAX);
    buf_put(key, hold->to, KEY_ID_SIZE);
    buf_put(key, hold->act_for != NULL ? hold->act_for : nobody, KEY_ID_SIZE);
    buf_put_u8(key, (uint8_t)right.len);
    buf_put_bytes(key, right);
    buf_put_u8(key, (uint8_t)place);
    if (place == PLACE_OBJECT)
        buf_put(key, object, OBJECT_ID_SIZE);
}

/* So that bytes compare as times do. */
static uint64_t ordered(int64_t time)
{
    return (uint64_t)time ^ (uint64_t)1 << 63;
}

/* ---- entries of one delegation ---- */

/* What is done with each of its keys. */
typedef void each_key(struct state *s, struct bytes key);

static void put_entry(struct state *s, struct bytes key)
{
    state_put(s, STATE_HOLDER, key, bytes_of(NULL, 0));
}

static void delete_entry(struct state *s, struct bytes key)
{
    state_delete(s, STATE_HOLDER, key);
}

struct entry {
    const uint8_t *id;
    const struct delegation *d;
};

static void do_one(struct state *s, each_key *each, const struct entry *e,
                   struct bytes right, enum place place)
{
    struct buf key = {0};
    const struct delegation *d = e->d;
    bool any = right.len == 0;
    struct held hold = {.to = d->to, .act_for = any ? NULL : d->act_for};
    put_prefix(&key, &hold, right, place, d->object);
    buf_put_be64(&key, ordered(d->until));
    buf_put(&key, e->id, EVENT_ID_SIZE);
    each(s, buf_bytes(&key));
    buf_deinit(&key);
}

static void do_all(struct state *s, each_key *each, const struct entry *e)
{
    const struct delegation *d = e->d;
    enum place place = d->object != NULL ? PLACE_OBJECT : PLACE_CHAIN;
    struct mp mp = mp_open(d->rights);
    uint32_t count = 0;
    state_own(mp_get_array(&mp, &count, NULL));
    for (uint32_t i = 0; i < count; i++) {
        struct bytes right;
        state_own(mp_get_str(&mp, &right, NULL));
        do_one(s, each, e, right, place);
    }
    do_one(s, each, e, bytes_of(NULL, 0), PLACE_ANY);
    if (d->act_for != NULL)
        do_one(s, each, e, bytes_of_text(RIGHT_ACT_FOR), PLACE_ANY);
}

/* What the head says of it, kept while the head changes. */
static void copy(const struct state *s, const uint8_t id[EVENT_ID_SIZE],
                 struct buf *room, struct delegation *d)
{
    struct bytes value;
    bool there = state_get(state_head(s), STATE_DELEGATION,
                           bytes_of(id, EVENT_ID_SIZE), &value);
    assert(there);
    buf_put_bytes(room, value);
    delegation_read(buf_bytes(room), d);
}

/* ---- resting on another ---- */

enum { RESTING_SIZE = 2 * EVENT_ID_SIZE };

static void resting_key(uint8_t key[RESTING_SIZE], const uint8_t *up,
                        const uint8_t *id)
{
    memcpy(key, up, EVENT_ID_SIZE);
    memcpy(key + EVENT_ID_SIZE, id, EVENT_ID_SIZE);
}

static bool is_over(struct tree_version v, const struct delegation *d)
{
    struct delegation up = *d;
    while (!up.revoked && up.auth_ref != NULL) {
        bool there = delegation_get(v, up.auth_ref, &up);
        assert(there);
    }
    return up.revoked;
}

void holders_add(struct state *s, const uint8_t id[EVENT_ID_SIZE])
{
    struct buf room = {0};
    struct delegation d;
    copy(s, id, &room, &d);
    if (!is_over(state_head(s), &d)) {
        do_all(s, put_entry, &(struct entry){id, &d});
        if (d.auth_ref != NULL) {
            uint8_t key[RESTING_SIZE];
            resting_key(key, d.auth_ref, id);
            state_put(s, STATE_RESTING, bytes_of(key, RESTING_SIZE),
                      bytes_of(NULL, 0));
        }
    }
    buf_deinit(&room);
}

static void drop_one(struct state *s, const uint8_t id[EVENT_ID_SIZE])
{
    struct buf room = {0};
    struct delegation d;
    copy(s, id, &room, &d);
    do_all(s, delete_entry, &(struct entry){id, &d});
    if (d.auth_ref != NULL) {
        uint8_t key[RESTING_SIZE];
        resting_key(key, d.auth_ref, id);
        state_delete(s, STATE_RESTING, bytes_of(key, RESTING_SIZE));
    }
    buf_deinit(&room);
}

/* Some one that rests on `up`. */
static bool find_resting(struct tree_version v, const uint8_t *up,
                         uint8_t id[EVENT_ID_SIZE])
{
    uint8_t prefix[1 + EVENT_ID_SIZE] = {STATE_RESTING};
    struct bytes key;
    struct bytes value;
    struct buf at = {0};
    memcpy(prefix + 1, up, EVENT_ID_SIZE);
    bool found = state_step(v, bytes_of(prefix, sizeof(prefix)), &at, false,
                            &key, &value);
    if (found)
        memcpy(id, key.data + 1 + EVENT_ID_SIZE, EVENT_ID_SIZE);
    buf_deinit(&at);
    return found;
}

/* Downwards first, so that what was dropped is the way back. */
void holders_drop(struct state *s, const uint8_t id[EVENT_ID_SIZE])
{
    uint8_t path[DELEGATION_DEPTH_MAX + 1][EVENT_ID_SIZE];
    size_t depth = 0;
    memcpy(path[0], id, EVENT_ID_SIZE);
    drop_one(s, path[0]);
    for (;;) {
        uint8_t next[EVENT_ID_SIZE];
        if (find_resting(state_head(s), path[depth], next)) {
            assert(depth < DELEGATION_DEPTH_MAX);
            memcpy(path[++depth], next, EVENT_ID_SIZE);
            drop_one(s, next);
        } else if (depth-- == 0) {
            return;
        }
    }
}

/* ---- asking ---- */

/* The last to end of those whose keys begin so. */
static bool find_last(const struct place_in_log *at, struct bytes prefix,
                      uint8_t id[EVENT_ID_SIZE])
{
    struct bytes key;
    struct bytes value;
    struct delegation d;
    struct buf place = {0};
    bool found = state_step(at->v, prefix, &place, true, &key, &value);
    assert(!found || key.len == prefix.len + TAIL);
    if (found) {
        const uint8_t *tail = key.data + prefix.len;
        found = get_be64(tail) > ordered(at->time);
        memcpy(id, tail + 8, EVENT_ID_SIZE);
    }
    buf_deinit(&place);
    assert(!found || delegation_in_force(at, id, &d, NULL) == 0);
    return found;
}

static bool find(const struct place_in_log *at, const struct held *hold,
                 enum place place, const uint8_t *object,
                 uint8_t id[EVENT_ID_SIZE])
{
    struct buf prefix = {0};
    struct bytes right = {NULL, 0};
    if (hold->right != NULL)
        right = bytes_of_text(hold->right);
    buf_put_u8(&prefix, STATE_HOLDER);
    put_prefix(&prefix, hold, right, place, object);
    bool found = find_last(at, buf_bytes(&prefix), id);
    buf_deinit(&prefix);
    return found;
}

bool holders_find(const struct place_in_log *at, const struct held *hold,
                  const uint8_t *object, uint8_t id[EVENT_ID_SIZE])
{
    assert(hold->right != NULL);
    return find(at, hold, object != NULL ? PLACE_OBJECT : PLACE_CHAIN, object,
                id);
}

bool holders_find_anywhere(const struct place_in_log *at,
                           const struct held *hold, uint8_t id[EVENT_ID_SIZE])
{
    assert((hold->right != NULL) == (hold->act_for != NULL));
    return find(at, hold, PLACE_ANY, NULL, id);
}
