/* The small entries of the state: the chain's own, authors, call ids. */
#include "state/state.h"

#include <assert.h>
#include <string.h>

#include "base/msgpack.h"

bool state_author(struct tree_version v, const uint8_t id[32],
                  struct author *author)
{
    struct bytes value;
    if (!state_get(v, STATE_AUTHOR, bytes_of(id, KEY_ID_SIZE), &value))
        return false;
    struct mp mp = mp_open_known(value);
    state_own(mp_get_array_of(&mp, 2, NULL));
    state_own(mp_get_uint(&mp, &author->next_sequence, NULL));
    state_own(mp_skip(&mp, &author->record, NULL));
    return true;
}

void state_put_author(struct state *s, const uint8_t id[32],
                      const struct author *author)
{
    struct buf *value = &s->value;
    buf_clear(value);
    mp_put_array(value, 2);
    mp_put_uint(value, author->next_sequence);
    buf_put_bytes(value, author->record);
    state_put(s, STATE_AUTHOR, bytes_of(id, KEY_ID_SIZE), buf_bytes(value));
}

int64_t state_time(struct tree_version v)
{
    struct bytes value;
    int64_t time = 0;
    if (state_chain(v, "time", &value)) {
        struct mp mp = mp_open_known(value);
        state_own(mp_get_int(&mp, &time, NULL));
    }
    return time;
}

int64_t state_head_time(struct state *s)
{
    uint64_t stamp = state_stamp(s);
    if (s->time_stamp != stamp)
        s->time = state_time(state_head(s));
    s->time_stamp = stamp;
    return s->time;
}

void state_put_time(struct state *s, uint64_t index, int64_t time)
{
    uint8_t key[8];
    uint8_t value[8];
    buf_clear(&s->value);
    mp_put_int(&s->value, time);
    state_put_chain(s, "time", buf_bytes(&s->value));
    put_be64(key, index);
    put_be64(value, (uint64_t)time);
    state_put(s, STATE_BEAT, bytes_of(key, sizeof(key)),
              bytes_of(value, sizeof(value)));
}

bool state_before(struct tree_version v, enum state_kind kind, uint64_t index,
                  uint64_t *found, struct bytes *value)
{
    struct tree_cursor c;
    uint8_t key[9] = {(uint8_t)kind};
    put_be64(key + 1, index);
    if (!tree_seek_before(&c, v, bytes_of(key, sizeof(key))))
        return false;
    struct bytes at = tree_cursor_key(&c);
    if (at.data[0] != kind)
        return false;
    *found = get_be64(at.data + 1);
    *value = tree_cursor_value(&c);
    return true;
}

bool state_time_at(struct tree_version v, uint64_t index, int64_t *time)
{
    struct bytes value;
    uint64_t found = 0;
    assert(index < UINT64_MAX);
    if (!state_before(v, STATE_BEAT, index + 1, &found, &value))
        return false;
    *time = (int64_t)get_be64(value.data);
    return true;
}

void state_put_large(struct state *s, const uint8_t hash[HASH_SIZE],
                     const struct large *large)
{
    uint8_t value[9];
    put_be64(value, large->length);
    value[8] = large->sealed;
    state_put(s, STATE_LARGE, bytes_of(hash, HASH_SIZE),
              bytes_of(value, sizeof(value)));
}

static void read_large(struct bytes value, struct large *large)
{
    assert(value.len == 9);
    *large = (struct large){get_be64(value.data), value.data[8] != 0};
}

bool state_large(struct tree_version v, const uint8_t hash[HASH_SIZE],
                 struct large *large)
{
    struct bytes value;
    if (!state_get(v, STATE_LARGE, bytes_of(hash, HASH_SIZE), &value))
        return false;
    read_large(value, large);
    return true;
}

bool state_large_next(struct tree_version v, uint8_t hash[HASH_SIZE],
                      struct large *large)
{
    static const uint8_t prefix = STATE_LARGE;
    struct bytes key;
    struct bytes value;
    struct buf at = {0};
    buf_put_u8(&at, STATE_LARGE);
    buf_put(&at, hash, HASH_SIZE);
    bool found = state_step(v, bytes_of(&prefix, 1), &at, false, &key, &value);
    if (found) {
        memcpy(hash, key.data + 1, HASH_SIZE);
        read_large(value, large);
    }
    buf_deinit(&at);
    return found;
}

void state_put_chain(struct state *s, const char *key, struct bytes value)
{
    state_put(s, STATE_CHAIN, bytes_of_text(key), value);
}

bool state_chain(struct tree_version v, const char *key, struct bytes *value)
{
    return state_get(v, STATE_CHAIN, bytes_of_text(key), value);
}

bool state_call(struct tree_version v, const uint8_t id[16],
                struct call_entry *entry)
{
    struct bytes value;
    if (!state_get(v, STATE_CALL, bytes_of(id, CALL_ID_SIZE), &value))
        return false;
    struct mp mp = mp_open_known(value);
    state_own(mp_get_array_of(&mp, 3, NULL));
    state_own(mp_get_uint(&mp, &entry->index, NULL));
    state_own(mp_get_bin_or_nil(&mp, HASH_SIZE, &entry->args_digest, NULL));
    state_own(mp_get_bin_or_nil(&mp, HASH_SIZE, &entry->result_digest, NULL));
    return true;
}

/* STATE_CALL_TIME is sorted by time: the oldest call ids stand in front. */
static void forget_calls(struct state *s, int64_t before)
{
    const uint8_t kind = STATE_CALL_TIME;
    for (;;) {
        struct tree_cursor c;
        if (!tree_seek(&c, state_head(s), bytes_of(&kind, 1)))
            return;
        struct bytes key = tree_cursor_key(&c);
        if (key.data[0] != kind || (int64_t)get_be64(key.data + 1) >= before)
            return;
        uint8_t room[1 + 8 + CALL_ID_SIZE];
        assert(key.len == sizeof(room));
        memcpy(room, key.data, sizeof(room));
        state_delete(s, STATE_CALL, bytes_of(room + 9, CALL_ID_SIZE));
        state_delete(s, STATE_CALL_TIME, bytes_of(room + 1, 8 + CALL_ID_SIZE));
    }
}

void state_put_call(struct state *s, const uint8_t id[16],
                    const struct call_entry *entry, int64_t time,
                    int64_t keep_ms)
{
    assert(time >= 0);
    forget_calls(s, time - keep_ms);
    struct buf *value = &s->value;
    buf_clear(value);
    mp_put_array(value, 3);
    mp_put_uint(value, entry->index);
    mp_put_bin_or_nil(value, bytes_of(entry->args_digest,
                                      entry->args_digest ? HASH_SIZE : 0));
    mp_put_bin_or_nil(value, bytes_of(entry->result_digest,
                                      entry->result_digest ? HASH_SIZE : 0));
    state_put(s, STATE_CALL, bytes_of(id, CALL_ID_SIZE), buf_bytes(value));
    uint8_t key[8 + CALL_ID_SIZE];
    put_be64(key, (uint64_t)time);
    memcpy(key + 8, id, CALL_ID_SIZE);
    state_put(s, STATE_CALL_TIME, bytes_of(key, sizeof(key)),
              bytes_of(NULL, 0));
}
