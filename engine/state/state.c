/* Every entry's key in the tree begins with its kind, so that kinds 1 to 8,
 * which make up the state root, stand together in front.
 *
 * (1) Entries change only while a transaction is open.
 * (2) `changes` holds the key of each entry of kinds 2 to 5, and of private
 *     rows, that the open transaction touched, and the beginning of child
 *     entries (kind, type, 00) for each type of an object that it touched; in
 *     order, and once, after state_sort_changes(). Keeping it so all the time
 *     would move half of it for each new key.
 * (3) A child entry exists exactly for each live object of a schema's type.
 * (4) A fact without key is called by its place. Where its type has no parent
 *     the child entry says which one that is; else it has a place entry. */
#include "state/state.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/limits.h"
#include "base/memory.h"
#include "base/msgpack.h"
#include "schema/value.h"

const uint8_t object_any_parent[OBJECT_ID_SIZE];

static_assert((int)LIMIT_STATE_KEY <= (int)TREE_KEY_MAX, "keys fit the tree");
static_assert((int)LIMIT_STATE_VALUE <= (int)TREE_VALUE_MAX, "so do values");

void state_init(struct state *s)
{
    *s = (struct state){.tree = tree_new()};
}

void state_init_mapped(struct state *s, struct tree *tree)
{
    *s = (struct state){.tree = tree};
    state_all_is_durable(s);
}

void state_deinit(struct state *s)
{
    if (s->tree == NULL)
        return;
    if (s->open)
        state_undo(s);
    tree_unpin(s->tree, s->sealed);
    tree_unpin(s->tree, s->durable);
    tree_free(s->tree);
    mem_free(s->changes);
    scratch_deinit(&s->scratch);
    buf_deinit(&s->key);
    buf_deinit(&s->value);
    *s = (struct state){0};
}

/* ---- transactions and versions ---- */

void state_begin_final(struct state *s)
{
    assert(!s->open && !s->spoilt);
    s->open = true;
    s->can_undo = false;
    s->change_count = 0;
    scratch_reset(&s->scratch);
}

void state_begin(struct state *s)
{
    state_begin_final(s);
    s->can_undo = true;
    s->mark = tree_mark(s->tree);
}

void state_keep(struct state *s)
{
    assert(s->open);
    if (s->can_undo)
        tree_keep(s->tree, s->mark);
    s->open = false;
}

void state_undo(struct state *s)
{
    assert(s->open);
    if (s->can_undo)
        tree_undo(s->tree, s->mark);
    s->spoilt = !s->can_undo;
    s->open = false;
}

struct tree_version state_head(const struct state *s)
{
    return tree_head(s->tree);
}

struct tree_version state_durable(const struct state *s)
{
    if (s->durable == NULL)
        return (struct tree_version){.tree = s->tree, .root = 0};
    return tree_pinned(s->durable);
}

struct tree_pin *state_pin_durable(struct state *s)
{
    if (s->durable != NULL)
        tree_pin_again(s->durable);
    return s->durable;
}

void state_seal(struct state *s)
{
    assert(!s->open);
    assert(s->sealed == NULL);
    s->sealed = tree_pin(s->tree);
}

void state_sealed_is_durable(struct state *s)
{
    assert(s->sealed != NULL);
    tree_unpin(s->tree, s->durable);
    s->durable = s->sealed;
    s->sealed = NULL;
}

void state_all_is_durable(struct state *s)
{
    assert(s->sealed == NULL);
    state_seal(s);
    state_sealed_is_durable(s);
}

/* ---- entries ---- */

static struct bytes compose(uint8_t *room, enum state_kind kind,
                            struct bytes key)
{
    assert(key.len < LIMIT_STATE_KEY);
    room[0] = (uint8_t)kind;
    if (key.len > 0)
        memcpy(room + 1, key.data, key.len);
    return bytes_of(room, key.len + 1);
}

bool state_get(struct tree_version v, enum state_kind kind, struct bytes key,
               struct bytes *value)
{
    uint8_t room[LIMIT_STATE_KEY];
    if (key.len >= LIMIT_STATE_KEY)
        return false; /* nothing as long was ever put */
    return tree_get(v, compose(room, kind, key), value);
}

static int compare_changes(const void *a, const void *b)
{
    return bytes_compare(*(const struct bytes *)a, *(const struct bytes *)b);
}

void state_sort_changes(struct state *s)
{
    size_t kept = 0;
    if (s->change_count > 0)
        qsort(s->changes, s->change_count, sizeof(*s->changes),
              compare_changes);
    for (size_t i = 0; i < s->change_count; i++)
        if (kept == 0 || !bytes_equal(s->changes[kept - 1], s->changes[i]))
            s->changes[kept++] = s->changes[i];
    s->change_count = kept;
}

static void note(struct state *s, struct bytes whole_key)
{
    if (s->change_count > 0 &&
        bytes_equal(s->changes[s->change_count - 1], whole_key))
        return;
    s->changes = mem_array_grow(s->changes, s->change_count, &s->change_cap,
                                sizeof(*s->changes));
    s->changes[s->change_count++] = scratch_copy(&s->scratch, whole_key);
}

uint64_t state_stamp(const struct state *s)
{
    return 1 + s->seldom_puts + tree_undos(s->tree);
}

static void note_change(struct state *s, enum state_kind kind,
                        struct bytes whole_key)
{
    s->seldom_puts += kind == STATE_CHAIN || kind == STATE_TERM;
    if ((kind >= STATE_OBJECT && kind <= STATE_KEYRING) ||
        kind == STATE_PRIVATE_ROW)
        note(s, whole_key);
}

/* An object or fact of this type was touched. */
static void note_type(struct state *s, const struct event_type *type)
{
    buf_clear(&s->key);
    buf_put_u8(&s->key, STATE_CHILD);
    buf_put(&s->key, type->name, strlen(type->name) + 1);
    note(s, buf_bytes(&s->key));
}

void state_put(struct state *s, enum state_kind kind, struct bytes key,
               struct bytes value)
{
    assert(s->open);
    assert(value.len <= LIMIT_STATE_VALUE);
    uint8_t room[LIMIT_STATE_KEY];
    struct bytes whole_key = compose(room, kind, key);
    note_change(s, kind, whole_key);
    tree_put(s->tree, whole_key, value);
}

bool state_delete(struct state *s, enum state_kind kind, struct bytes key)
{
    assert(s->open);
    uint8_t room[LIMIT_STATE_KEY];
    struct bytes whole_key = compose(room, kind, key);
    note_change(s, kind, whole_key);
    return tree_delete(s->tree, whole_key);
}

/* ---- objects ---- */

enum { OBJECT_SCALE_MAX = 18 };

/* [event, index, n, type, parent or nil, [key field, ...]], and the scale. */
static void get_spent(struct mp *mp, uint32_t count, struct object *o)
{
    struct event_header *h = &o->header;
    *h = (struct event_header){0};
    o->raw = bytes_of(NULL, 0);
    o->converted = false;
    state_own(mp_get_str(mp, &h->type, NULL));
    state_own(mp_get_bin_or_nil(mp, OBJECT_ID_SIZE, &h->parent, NULL));
    state_own(mp_skip(mp, &o->spent_key, NULL));
    if (count == 7)
        state_own(mp_skip(mp, &o->spent_scale, NULL));
}

enum object_life state_object(struct tree_version v, const uint8_t id[16],
                              struct object *o)
{
    struct bytes value;
    if (!state_get(v, STATE_OBJECT, bytes_of(id, OBJECT_ID_SIZE), &value))
        return OBJECT_ABSENT;
    struct mp mp = mp_open_known(value);
    uint32_t count = 0;
    const uint8_t *event = NULL;
    o->spent_key = bytes_of(NULL, 0);
    o->spent_scale = bytes_of(NULL, 0);
    state_own(mp_get_array(&mp, &count, NULL));
    state_own(mp_get_bin_of(&mp, EVENT_ID_SIZE, &event, NULL));
    memcpy(o->event, event, EVENT_ID_SIZE);
    state_own(mp_get_uint(&mp, &o->index, NULL));
    state_own(mp_get_uint(&mp, &o->n, NULL));
    if (count > 5) {
        get_spent(&mp, count, o);
        return OBJECT_SPENT;
    }
    state_own(mp_get_bin(&mp, &o->raw, NULL));
    event_header_known(o->raw, &o->header);
    o->converted = count == 5;
    if (o->converted)
        state_own(mp_skip(&mp, &o->header.fields, NULL));
    return OBJECT_LIVE;
}

static struct bytes key_field(const struct event_header *header,
                              const struct event_type *type, size_t i)
{
    return mp_map_get(header->fields, type->header.items[type->key[i]].name);
}

struct bytes object_key(const struct object *o, const struct event_type *type,
                        size_t i)
{
    struct bytes value = {NULL, 0};
    uint32_t count = 0;
    assert(i < type->key_count);
    if (o->spent_key.data == NULL)
        return key_field(&o->header, type, i);
    struct mp mp = mp_open_known(o->spent_key);
    state_own(mp_get_array(&mp, &count, NULL));
    for (size_t k = 0; k <= i && k < count; k++)
        state_own(mp_skip(&mp, &value, NULL));
    return value;
}

static struct bytes scale_field(const struct event_header *header)
{
    struct bytes value = mp_map_get(header->fields, "scale");
    struct mp mp = mp_open_known(value);
    int64_t scale = 0;
    if (value.data != NULL && mp_get_int(&mp, &scale, NULL) == 0 &&
        scale >= 0 && scale <= OBJECT_SCALE_MAX)
        return value;
    return bytes_of(NULL, 0);
}

struct bytes object_scale(const struct object *o)
{
    return o->spent_key.data == NULL ? scale_field(&o->header) : o->spent_scale;
}

/* Of the index of children: type 00, parent or zeros. */
static void child_key_begin(struct buf *key, const struct event_type *type,
                            const uint8_t *parent)
{
    static const uint8_t none[OBJECT_ID_SIZE];
    buf_clear(key);
    buf_put(key, type->name, strlen(type->name) + 1);
    buf_put(key, parent != NULL ? parent : none, OBJECT_ID_SIZE);
}

/* Then the key's ordered form; without a key: a fact's place in the log, an
 * object's id. */
static void child_key(struct buf *key, const struct event_type *type,
                      const struct event_header *header, uint64_t index,
                      uint64_t n)
{
    child_key_begin(key, type, header->parent);
    for (size_t i = 0; i < type->key_count; i++)
        value_put_ordered(key, &type->header.items[type->key[i]].type,
                          key_field(header, type, i));
    if (type->key_count == 0 && type->is_object) {
        buf_put(key, header->object, OBJECT_ID_SIZE);
    } else if (type->key_count == 0) {
        buf_put_be64(key, index);
        buf_put_be64(key, n);
    }
}

/* Invariant (4). */
static bool has_place_entries(const struct event_type *type)
{
    return type->key_count == 0 && !type->is_object && type->parent >= 0;
}

static void place_key(struct buf *key, const struct event_type *type,
                      uint64_t index, uint64_t n)
{
    buf_clear(key);
    buf_put(key, type->name, strlen(type->name) + 1);
    buf_put_be64(key, index);
    buf_put_be64(key, n);
}

static void put_place(struct state *s, const struct event_type *type,
                      const struct event_header *header, uint64_t index,
                      uint64_t n)
{
    place_key(&s->key, type, index, n);
    state_put(s, STATE_PLACE, buf_bytes(&s->key),
              bytes_of(header->object, OBJECT_ID_SIZE));
}

bool state_at_place(struct tree_version v, const struct event_type *type,
                    uint64_t index, uint64_t n, uint8_t id[16])
{
    static const struct event_header no_parent;
    bool by_place = has_place_entries(type);
    struct buf key = {0};
    struct bytes value;
    assert(type->key_count == 0);
    if (by_place)
        place_key(&key, type, index, n);
    else
        child_key(&key, type, &no_parent, index, n);
    bool found = state_get(v, by_place ? STATE_PLACE : STATE_CHILD,
                           buf_bytes(&key), &value);
    if (found)
        memcpy(id, value.data, OBJECT_ID_SIZE);
    buf_deinit(&key);
    return found;
}

static void put_version(struct state *s, const struct event_header *header,
                        uint64_t index, uint64_t n)
{
    buf_clear(&s->key);
    buf_put(&s->key, header->object, OBJECT_ID_SIZE);
    buf_put_be64(&s->key, index);
    buf_put_be64(&s->key, n);
    state_put(s, STATE_VERSION, buf_bytes(&s->key), bytes_of(NULL, 0));
}

void state_put_object(struct state *s, const struct event_type *type,
                      const uint8_t event[32], uint64_t index, uint64_t n,
                      struct bytes raw, const struct event_header *header,
                      bool converted)
{
    buf_clear(&s->value);
    mp_put_array(&s->value, converted ? 5 : 4);
    mp_put_bin(&s->value, bytes_of(event, EVENT_ID_SIZE));
    mp_put_uint(&s->value, index);
    mp_put_uint(&s->value, n);
    mp_put_bin(&s->value, raw);
    if (converted)
        buf_put_bytes(&s->value, header->fields);
    state_put(s, STATE_OBJECT, bytes_of(header->object, OBJECT_ID_SIZE),
              buf_bytes(&s->value));
    note_type(s, type);
    if (type->is_object)
        put_version(s, header, index, n);
    if (has_place_entries(type))
        put_place(s, type, header, index, n);
    if (header->previous != NULL)
        return; /* key and parent never change: the entry is there */
    child_key(&s->key, type, header, index, n);
    state_put(s, STATE_CHILD, buf_bytes(&s->key),
              bytes_of(header->object, OBJECT_ID_SIZE));
}

void state_spend_object(struct state *s, const struct event_type *type,
                        const uint8_t event[32], uint64_t index, uint64_t n,
                        const struct event_header *header)
{
    struct bytes scale = scale_field(header);
    note_type(s, type);
    put_version(s, header, index, n);
    buf_clear(&s->value);
    mp_put_array(&s->value, scale.data != NULL ? 7 : 6);
    mp_put_bin(&s->value, bytes_of(event, EVENT_ID_SIZE));
    mp_put_uint(&s->value, index);
    mp_put_uint(&s->value, n);
    mp_put_text(&s->value, type->name);
    mp_put_bin_or_nil(
        &s->value,
        bytes_of(header->parent, header->parent != NULL ? OBJECT_ID_SIZE : 0));
    mp_put_array(&s->value, (uint32_t)type->key_count);
    for (size_t i = 0; i < type->key_count; i++)
        buf_put_bytes(&s->value, key_field(header, type, i));
    buf_put_bytes(&s->value, scale);
    state_put(s, STATE_OBJECT, bytes_of(header->object, OBJECT_ID_SIZE),
              buf_bytes(&s->value));
    child_key(&s->key, type, header, index, n);
    bool was_there = state_delete(s, STATE_CHILD, buf_bytes(&s->key));
    assert(was_there);
}

void object_scan_open(struct object_scan *scan, struct tree_version v,
                      const struct event_type *type, const uint8_t *parent,
                      struct bytes after, bool backward)
{
    static const uint8_t none[OBJECT_ID_SIZE];
    *scan = (struct object_scan){.v = v, .backward = backward};
    buf_put_u8(&scan->prefix, STATE_CHILD);
    buf_put(&scan->prefix, type->name, strlen(type->name) + 1);
    if (parent != object_any_parent)
        buf_put(&scan->prefix, parent != NULL ? parent : none, OBJECT_ID_SIZE);
    buf_put_bytes(&scan->at, after);
}

bool object_scan_next(struct object_scan *scan, uint8_t id[16])
{
    struct bytes key;
    struct bytes value;
    if (!state_step(scan->v, buf_bytes(&scan->prefix), &scan->at,
                    scan->backward, &key, &value))
        return false;
    assert(value.len == OBJECT_ID_SIZE);
    memcpy(id, value.data, OBJECT_ID_SIZE);
    return true;
}

void object_scan_place(struct buf *out, const struct event_type *type,
                       const struct object *o)
{
    struct buf key = {0};
    buf_put_u8(out, STATE_CHILD);
    if (o->spent_key.data == NULL) {
        child_key(&key, type, &o->header, o->index, o->n);
    } else {
        child_key_begin(&key, type, o->header.parent);
        for (size_t i = 0; i < type->key_count; i++)
            value_put_ordered(&key, &type->header.items[type->key[i]].type,
                              object_key(o, type, i));
    }
    buf_put_bytes(out, buf_bytes(&key));
    buf_deinit(&key);
}

bool state_version_before(struct tree_version v, const uint8_t id[16],
                          uint64_t *index, uint64_t *n)
{
    struct buf key = {0};
    struct tree_cursor c;
    buf_put_u8(&key, STATE_VERSION);
    buf_put(&key, id, OBJECT_ID_SIZE);
    buf_put_be64(&key, *index);
    buf_put_be64(&key, *index == UINT64_MAX ? UINT64_MAX : *n);
    bool found =
        tree_seek_before(&c, v, buf_bytes(&key)) &&
        tree_cursor_key(&c).len == key.len &&
        memcmp(tree_cursor_key(&c).data, key.data, 1 + OBJECT_ID_SIZE) == 0;
    if (found) {
        const uint8_t *place = tree_cursor_key(&c).data + 1 + OBJECT_ID_SIZE;
        *index = get_be64(place);
        *n = get_be64(place + 8);
    }
    buf_deinit(&key);
    return found;
}

struct bytes object_scan_position(const struct object_scan *scan)
{
    return buf_bytes(&scan->at);
}

void object_scan_close(struct object_scan *scan)
{
    buf_deinit(&scan->prefix);
    buf_deinit(&scan->at);
}

/* ---- steps of scans ---- */

static bool seek_forward(struct tree_cursor *c, struct tree_version v,
                         struct bytes prefix, const struct buf *at)
{
    if (at->len == 0)
        return tree_seek(c, v, prefix);
    if (!tree_seek(c, v, buf_bytes(at)))
        return false;
    if (!bytes_equal(tree_cursor_key(c), buf_bytes(at)))
        return true;
    return tree_next(c);
}

static bool seek_backward(struct tree_cursor *c, struct tree_version v,
                          struct bytes prefix, const struct buf *at)
{
    if (at->len > 0)
        return tree_seek_before(c, v, buf_bytes(at));
    struct buf end = {0};
    buf_put_bytes(&end, prefix);
    bool found = buf_next_prefix(&end) ? tree_seek_before(c, v, buf_bytes(&end))
                                       : tree_seek_last(c, v);
    buf_deinit(&end);
    return found;
}

static bool has_prefix(struct bytes key, struct bytes prefix)
{
    return key.len >= prefix.len &&
           memcmp(key.data, prefix.data, prefix.len) == 0;
}

bool state_step(struct tree_version v, struct bytes prefix, struct buf *at,
                bool backward, struct bytes *key, struct bytes *value)
{
    struct tree_cursor c;
    bool found = backward ? seek_backward(&c, v, prefix, at)
                          : seek_forward(&c, v, prefix, at);
    if (!found || !has_prefix(tree_cursor_key(&c), prefix))
        return false;
    buf_clear(at);
    buf_put_bytes(at, tree_cursor_key(&c));
    *key = buf_bytes(at);
    *value = tree_cursor_value(&c);
    return true;
}
