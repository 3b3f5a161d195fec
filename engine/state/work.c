/* The key of an entry is the worker's name, 00, and an item; of what was asked
 * outside 04, the item, and its number. Values:
 *
 *     EVENT   [event id, event header, fields or nil]
 *     DUE     row key
 *     PARKED  [log time, why, item, value of the item]
 *     ASK     [service, digest of the request, index, n, and those of the
 *             answer, or nil and nil]
 *
 * (1) A row whose time is not nil has an item, unless that was worked, dropped
 *     or parked; one that changes and keeps its time gets no new one.
 * (2) Fields are those of the schema in force, nil when the header's are.
 * (3) A row key is empty where no fold runs (no_rules.h), and nowhere else. */
#include "state/work.h"

#include <assert.h>
#include <string.h>

#include "base/err.h"
#include "base/limits.h"
#include "base/msgpack.h"
#include "state/rows.h"

/* ---- items ---- */

struct work_item work_item_at(enum work_class class, uint64_t index, uint64_t n)
{
    struct work_item item = {.len = WORK_PLACE_SIZE};
    item.bytes[0] = (uint8_t) class;
    put_be64(item.bytes + 1, index);
    put_be64(item.bytes + 9, n);
    return item;
}

static struct work_item work_item_due(int64_t time, struct bytes row_key)
{
    struct work_item item = {.len = WORK_DUE_SIZE};
    item.bytes[0] = WORK_DUE;
    put_be64(item.bytes + 1, (uint64_t)time ^ 1ull << 63);
    sha256(row_key, item.bytes + 9);
    return item;
}

static bool is_of(struct bytes item, enum work_class class, size_t len)
{
    return item.len == len && item.data[0] == class;
}

bool work_item_waits(struct bytes item)
{
    return is_of(item, WORK_EVENT, WORK_PLACE_SIZE) ||
           is_of(item, WORK_DUE, WORK_DUE_SIZE);
}

bool work_item_is_parked(struct bytes item)
{
    return is_of(item, WORK_PARKED, WORK_PLACE_SIZE);
}

enum work_class work_item_class(struct bytes item)
{
    assert(work_item_waits(item) || work_item_is_parked(item));
    return (enum work_class)item.data[0];
}

uint64_t work_item_index(struct bytes item)
{
    assert(item.len == WORK_PLACE_SIZE);
    return get_be64(item.data + 1);
}

uint64_t work_item_n(struct bytes item)
{
    assert(item.len == WORK_PLACE_SIZE);
    return get_be64(item.data + 9);
}

int64_t work_item_time(struct bytes item)
{
    assert(item.len == WORK_DUE_SIZE);
    return (int64_t)(get_be64(item.data + 1) ^ 1ull << 63);
}

/* ---- entries ---- */

enum { KEY_MAX = LIMIT_STATE_KEY };

struct key {
    uint8_t bytes[KEY_MAX];
    size_t len;
};

static void key_put(struct key *key, const void *data, size_t len)
{
    assert(len <= sizeof(key->bytes) - key->len);
    memcpy(key->bytes + key->len, data, len);
    key->len += len;
}

static struct key key_of(const char *worker, struct bytes item)
{
    struct key key = {.len = 0};
    key_put(&key, worker, strlen(worker) + 1);
    key_put(&key, item.data, item.len);
    return key;
}

static struct key ask_key(const char *worker, struct bytes item, uint64_t n)
{
    const uint8_t class = WORK_ASK;
    const uint8_t number = (uint8_t)n;
    struct key key = key_of(worker, bytes_of(&class, 1));
    key_put(&key, item.data, item.len);
    key_put(&key, &number, 1);
    return key;
}

static struct bytes key_bytes(const struct key *key)
{
    return bytes_of(key->bytes, key->len);
}

static void put(struct state *s, const char *worker, struct bytes item,
                struct bytes value)
{
    struct key key = key_of(worker, item);
    state_put(s, STATE_WORK, key_bytes(&key), value);
}

static bool drop(struct state *s, const char *worker, struct bytes item)
{
    struct key key = key_of(worker, item);
    return state_delete(s, STATE_WORK, key_bytes(&key));
}

static bool get(struct tree_version v, const char *worker, struct bytes item,
                struct bytes *value)
{
    struct key key = key_of(worker, item);
    return state_get(v, STATE_WORK, key_bytes(&key), value);
}

/* ---- items come ---- */

static void put_event_value(struct buf *out, const uint8_t *event,
                            struct bytes raw, struct bytes fields)
{
    mp_put_array(out, 3);
    mp_put_bin(out, bytes_of(event, EVENT_ID_SIZE));
    mp_put_bin(out, raw);
    if (fields.len > 0)
        buf_put_bytes(out, fields);
    else
        mp_put_nil(out);
}

void work_note_event(struct state *s, const struct event_type *type,
                     const uint8_t event[EVENT_ID_SIZE], uint64_t index,
                     uint64_t n, struct bytes raw)
{
    struct work_item item = work_item_at(WORK_EVENT, index, n);
    struct buf value = {0};
    if (type->worker_count == 0)
        return;
    put_event_value(&value, event, raw, bytes_of(NULL, 0));
    for (size_t i = 0; i < type->worker_count; i++)
        put(s, type->workers[i], work_item_bytes(&item), buf_bytes(&value));
    buf_deinit(&value);
}

/* Invariant (3). */
void work_believe(struct state *s, const char *worker, struct bytes item)
{
    struct bytes value;
    struct buf unknown = {0};
    assert(work_item_class(item) == WORK_DUE);
    if (get(state_head(s), worker, item, &value))
        return;
    mp_put_bin(&unknown, bytes_of(NULL, 0));
    put(s, worker, item, buf_bytes(&unknown));
    buf_deinit(&unknown);
}

/* Of an item of class DUE. */
static bool is_believed(struct bytes value)
{
    return work_row_key(value).len == 0;
}

/* Invariant (1). */
void work_note_time(struct state *s, const char *worker, struct bytes row_key,
                    int64_t before, int64_t after)
{
    if (before == after)
        return;
    if (before != INT64_MIN) {
        struct work_item item = work_item_due(before, row_key);
        work_end(s, worker, work_item_bytes(&item));
    }
    if (after != INT64_MIN) {
        struct work_item item = work_item_due(after, row_key);
        struct buf value = {0};
        mp_put_bin(&value, row_key);
        put(s, worker, work_item_bytes(&item), buf_bytes(&value));
        buf_deinit(&value);
    }
}

/* ---- and go ---- */

bool work_get(struct tree_version v, const char *worker, struct bytes item,
              struct bytes *value)
{
    assert(work_item_waits(item));
    return get(v, worker, item, value);
}

void work_event(struct bytes item, struct bytes value, struct object *o)
{
    const uint8_t *id;
    struct mp mp = mp_open_known(value);
    *o = (struct object){
        .index = work_item_index(item),
        .n = work_item_n(item),
    };
    state_own(mp_get_array_of(&mp, 3, NULL));
    state_own(mp_get_bin_of(&mp, EVENT_ID_SIZE, &id, NULL));
    memcpy(o->event, id, EVENT_ID_SIZE);
    state_own(mp_get_bin(&mp, &o->raw, NULL));
    event_header_known(o->raw, &o->header);
    if (!mp_take_nil(&mp)) { /* invariant (2) */
        state_own(mp_skip(&mp, &o->header.fields, NULL));
        o->converted = true;
    }
}

struct bytes work_row_key(struct bytes value)
{
    struct bytes key;
    struct mp mp = mp_open_known(value);
    state_own(mp_get_bin(&mp, &key, NULL));
    return key;
}

void work_forget_asks(struct state *s, const char *worker, struct bytes item)
{
    for (uint64_t n = 0; n < WORK_ASKS_MAX; n++) {
        struct key key = ask_key(worker, item, n);
        if (!state_delete(s, STATE_WORK, key_bytes(&key)))
            return;
    }
}

void work_end(struct state *s, const char *worker, struct bytes item)
{
    if (drop(s, worker, item))
        work_forget_asks(s, worker, item);
}

static void put_parked(struct state *s, const char *worker, struct bytes place,
                       int64_t time, struct bytes why, struct bytes item,
                       struct bytes value)
{
    struct buf out = {0};
    mp_put_array(&out, 4);
    mp_put_int(&out, time);
    mp_put_str(&out, why);
    mp_put_bin(&out, item);
    buf_put_bytes(&out, value);
    put(s, worker, place, buf_bytes(&out));
    buf_deinit(&out);
}

void work_park(struct state *s, const char *worker, struct bytes item,
               struct bytes place, int64_t time, struct bytes why)
{
    struct bytes value;
    struct buf copy = {0};
    if (!work_get(state_head(s), worker, item, &value))
        return;
    buf_put_bytes(&copy, value);
    drop(s, worker, item);
    put_parked(s, worker, place, time, why, item, buf_bytes(&copy));
    buf_deinit(&copy);
}

bool work_parked(struct tree_version v, const char *worker, struct bytes place,
                 struct work_parked *parked)
{
    struct bytes entry;
    assert(work_item_is_parked(place));
    if (!get(v, worker, place, &entry))
        return false;
    struct mp mp = mp_open_known(entry);
    state_own(mp_get_array_of(&mp, 4, NULL));
    state_own(mp_get_int(&mp, &parked->time, NULL));
    state_own(mp_get_str(&mp, &parked->why, NULL));
    state_own(mp_get_bin(&mp, &parked->item, NULL));
    state_own(mp_skip(&mp, &parked->value, NULL));
    return true;
}

/* Is it still that time's row? */
static bool has_its_time(struct tree_version v, const struct worker *worker,
                         const struct work_parked *parked)
{
    struct bytes columns;
    int64_t time = INT64_MIN;
    struct bytes key = work_row_key(parked->value);
    if (is_believed(parked->value))
        return true;
    if (row_get(v, worker->view, key, &columns))
        time = row_time(worker->view, worker->column, key, columns);
    return time == work_item_time(parked->item);
}

void work_retry(struct state *s, const struct worker *worker,
                struct bytes place)
{
    const char *name = worker->method.name;
    struct work_parked parked;
    struct buf copy = {0};
    if (!work_parked(state_head(s), name, place, &parked))
        return;
    bool waits =
        work_item_class(parked.item) == WORK_EVENT ||
        (worker->view != NULL && has_its_time(state_head(s), worker, &parked));
    if (!waits) {
        work_drop(s, name, place);
        return;
    }
    buf_put_bytes(&copy, parked.item);
    buf_put_bytes(&copy, parked.value);
    size_t len = parked.item.len;
    drop(s, name, place);
    put(s, name, bytes_of(copy.data, len),
        bytes_of(copy.data + len, copy.len - len));
    buf_deinit(&copy);
}

void work_drop(struct state *s, const char *worker, struct bytes place)
{
    struct work_parked parked;
    struct work_item item;
    struct bytes value;
    if (!work_parked(state_head(s), worker, place, &parked))
        return;
    item.len = parked.item.len;
    memcpy(item.bytes, parked.item.data, item.len);
    bool believed =
        work_item_class(parked.item) == WORK_DUE && is_believed(parked.value);
    drop(s, worker, place);
    /* A row that was deleted and came again waits anew under the same item. */
    if (!believed &&
        !get(state_head(s), worker, work_item_bytes(&item), &value))
        work_forget_asks(s, worker, work_item_bytes(&item));
}

/* ---- what was asked outside ---- */

bool work_ask(struct tree_version v, const char *worker, struct bytes item,
              uint64_t n, struct work_ask *ask)
{
    struct bytes value;
    struct key key = ask_key(worker, item, n);
    assert(n < WORK_ASKS_MAX);
    *ask = (struct work_ask){0};
    if (!state_get(v, STATE_WORK, key_bytes(&key), &value))
        return false;
    struct mp mp = mp_open_known(value);
    state_own(mp_get_array_of(&mp, 6, NULL));
    state_own(mp_get_str(&mp, &ask->service, NULL));
    state_own(mp_get_bin_of(&mp, HASH_SIZE, &ask->digest, NULL));
    state_own(mp_get_uint(&mp, &ask->index, NULL));
    state_own(mp_get_uint(&mp, &ask->n, NULL));
    ask->answered = !mp_take_nil(&mp);
    if (ask->answered) {
        state_own(mp_get_uint(&mp, &ask->answer_index, NULL));
        state_own(mp_get_uint(&mp, &ask->answer_n, NULL));
    }
    return true;
}

void work_put_ask(struct state *s, const char *worker, struct bytes item,
                  uint64_t n, const struct work_ask *ask)
{
    struct key key = ask_key(worker, item, n);
    struct buf out = {0};
    mp_put_array(&out, 6);
    mp_put_str(&out, ask->service);
    mp_put_bin(&out, bytes_of(ask->digest, HASH_SIZE));
    mp_put_uint(&out, ask->index);
    mp_put_uint(&out, ask->n);
    if (ask->answered) {
        mp_put_uint(&out, ask->answer_index);
        mp_put_uint(&out, ask->answer_n);
    } else {
        mp_put_nil(&out);
        mp_put_nil(&out);
    }
    state_put(s, STATE_WORK, key_bytes(&key), buf_bytes(&out));
    buf_deinit(&out);
}

void work_effect_key(const uint8_t *chain_id, const char *worker,
                     struct bytes item, struct bytes value, uint64_t n,
                     const struct work_ask *ask, uint8_t out[HASH_SIZE])
{
    struct hasher h;
    struct object o;
    struct buf about = {0};
    if (work_item_class(item) == WORK_EVENT) {
        work_event(item, value, &o);
        buf_put(&about, o.event, EVENT_ID_SIZE);
    } else { /* a row may get the same time again */
        buf_put_bytes(&about, item);
        buf_put_be64(&about, ask->index);
        buf_put_be64(&about, ask->n);
    }
    hash_begin(&h, LABEL_EFFECT);
    hash_part(&h, bytes_of(chain_id, CHAIN_ID_SIZE));
    hash_part(&h, bytes_of_text(worker));
    hash_part(&h, buf_bytes(&about));
    hash_u64(&h, n);
    hash_end(&h, out);
    buf_deinit(&about);
}

/* ---- walking ---- */

void work_prefix(struct buf *out, const char *worker, enum work_class class)
{
    buf_put_u8(out, STATE_WORK);
    buf_put(out, worker, strlen(worker) + 1);
    buf_put_u8(out, (uint8_t) class);
}

struct bytes work_item_in(const char *worker, struct bytes key)
{
    size_t before = 1 + strlen(worker) + 1;
    assert(key.len > before);
    return bytes_of(key.data + before, key.len - before);
}

/* ---- another schema ---- */

struct carrying {
    struct tree_version from;
    struct state *to;
    const struct schema *after;
    const struct worker *worker;
    work_convert *convert;
    void *ctx;
};

/* The value of an event's item under the new schema. 1: its type is none that
 * the worker waits for any more. */
static int carry_event(const struct carrying *c, struct bytes item,
                       struct bytes value, struct buf *out, struct err *err)
{
    struct object o;
    struct buf fields = {0};
    work_event(item, value, &o);
    const struct event_type *type = schema_type(c->after, o.header.type);
    bool waits = false;
    for (size_t i = 0; type != NULL && i < type->worker_count; i++)
        waits |= strcmp(type->workers[i], c->worker->method.name) == 0;
    if (!waits)
        return 1;
    int rc = c->convert(c->ctx, type, &o.header, o.header.fields, &fields, err);
    struct bytes now = fields.len > 0 ? buf_bytes(&fields) : bytes_of(NULL, 0);
    if (fields.len == 0 && o.converted)
        now = o.header.fields;
    if (rc == 0)
        put_event_value(out, o.event, o.raw, now);
    buf_deinit(&fields);
    return rc;
}

static int carry_parked(const struct carrying *c, struct bytes place,
                        struct bytes entry, struct err *err)
{
    struct work_parked parked;
    struct buf value = {0};
    const char *name = c->worker->method.name;
    (void)entry;
    bool there = work_parked(c->from, name, place, &parked);
    assert(there);
    if (work_item_class(parked.item) == WORK_DUE)
        return 0; /* what was tried again made it */
    int rc = carry_event(c, parked.item, parked.value, &value, err);
    if (rc == 0)
        put_parked(c->to, name, place, parked.time, parked.why, parked.item,
                   buf_bytes(&value));
    buf_deinit(&value);
    return rc < 0 ? rc : 0;
}

static bool is_parked(const struct carrying *c, struct bytes item)
{
    struct buf prefix = {0};
    struct buf at = {0};
    struct bytes key;
    struct bytes value;
    struct work_parked parked;
    const char *name = c->worker->method.name;
    bool found = false;
    work_prefix(&prefix, name, WORK_PARKED);
    while (!found && state_step(state_head(c->to), buf_bytes(&prefix), &at,
                                false, &key, &value)) {
        found = work_parked(state_head(c->to), name, work_item_in(name, key),
                            &parked) &&
                bytes_equal(parked.item, item);
    }
    buf_deinit(&prefix);
    buf_deinit(&at);
    return found;
}

static void carry_ask(const struct carrying *c, struct bytes rest,
                      struct bytes entry)
{
    struct bytes value;
    const char *name = c->worker->method.name;
    struct bytes item = bytes_of(rest.data + 1, rest.len - 2);
    if (get(state_head(c->to), name, item, &value) || is_parked(c, item))
        put(c->to, name, rest, entry);
}

static int carry_entry(const struct carrying *c, enum work_class class,
                       struct bytes rest, struct bytes entry, struct err *err)
{
    struct buf value = {0};
    int rc = 0;
    if (class == WORK_PARKED)
        return carry_parked(c, rest, entry, err);
    if (class == WORK_ASK) {
        carry_ask(c, rest, entry);
        return 0;
    }
    rc = carry_event(c, rest, entry, &value, err);
    if (rc == 0)
        put(c->to, c->worker->method.name, rest, buf_bytes(&value));
    buf_deinit(&value);
    return rc < 0 ? rc : 0;
}

static int carry_class(const struct carrying *c, enum work_class class,
                       struct err *err)
{
    struct buf prefix = {0};
    struct buf at = {0};
    struct bytes key;
    struct bytes value;
    const char *name = c->worker->method.name;
    int rc = 0;
    work_prefix(&prefix, name, class);
    while (rc == 0 &&
           state_step(c->from, buf_bytes(&prefix), &at, false, &key, &value))
        rc = carry_entry(c, class, work_item_in(name, key), value, err);
    buf_deinit(&prefix);
    buf_deinit(&at);
    return rc;
}

int work_carry(struct tree_version from, const struct schema *before,
               struct state *to, const struct schema *after,
               work_convert *convert, void *ctx, struct err *err)
{
    static const enum work_class classes[] = {WORK_EVENT, WORK_PARKED,
                                              WORK_ASK}; /* in this order */
    struct carrying c = {
        .from = from, .to = to, .after = after, .convert = convert, .ctx = ctx};
    int rc = 0;
    for (size_t i = 0; i < after->worker_count; i++) {
        c.worker = &after->workers[i];
        if (schema_worker(before, bytes_of_text(c.worker->method.name)) == NULL)
            continue;
        for (size_t k = 0; k < sizeof(classes) / sizeof(*classes) && rc == 0;
             k++)
            rc = carry_class(&c, classes[k], err);
        if (rc != 0)
            return err_wrap(err, "worker %s", c.worker->method.name);
    }
    return 0;
}
