/* How refs are written: the parent's text and the key fields, joined by '/';
 * what has no key by its place in the log, "<index>.<n>". A key field that is
 * the parent itself is not written twice. Every key field is one segment, a ref
 * among them as many as what it names has; the last field takes the rest of the
 * text, so that a text key may hold a '/'. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/hex.h"
#include "base/msgpack.h"
#include "chain/door.h"

enum { REF_DEPTH_MAX = 8 };

static const struct event_type *target_of(const struct door *d,
                                          const struct field *field)
{
    return schema_type(d->core->schema, bytes_of_text(field->type.target));
}

static bool is_written(const struct event_type *type, size_t k)
{
    return (int)type->key[k] != type->parent;
}

/* ---- writing ---- */

static void put_place(const struct object *o, struct buf *text)
{
    buf_printf(text, "%llu.%llu", (unsigned long long)o->index,
               (unsigned long long)o->n);
}

static void put_ref(const struct door *d, const uint8_t id[16], int depth,
                    struct buf *text);

static void put_key_value(const struct door *d, const struct field *field,
                          struct bytes value, int depth, struct buf *text)
{
    struct mp mp = mp_open(value);
    struct bytes str;
    const uint8_t *id = NULL;
    int64_t number = 0;
    bool truth = false;
    if (mp_get_str(&mp, &str, NULL) == 0) {
        buf_put_bytes(text, str);
        return;
    }
    mp = mp_open(value);
    switch (field->type.kind) {
    case VALUE_REF:
        if (mp_get_bin_of(&mp, OBJECT_ID_SIZE, &id, NULL) == 0)
            put_ref(d, id, depth + 1, text);
        return;
    case VALUE_IDENTITY:
        if (mp_get_bin_of(&mp, KEY_ID_SIZE, &id, NULL) == 0)
            door_put_identity(d, id, text);
        return;
    case VALUE_BOOLEAN:
        if (mp_get_bool(&mp, &truth, NULL) == 0)
            buf_put_text(text, truth ? "true" : "false");
        return;
    default:
        if (mp_get_int(&mp, &number, NULL) == 0)
            buf_printf(text, "%lld", (long long)number);
        return;
    }
}

static void put_ref(const struct door *d, const uint8_t id[16], int depth,
                    struct buf *text)
{
    struct object o;
    if (depth > REF_DEPTH_MAX ||
        state_object(d->version, id, &o) == OBJECT_ABSENT) {
        buf_put_text(text, "/?");
        return;
    }
    const struct event_type *type = schema_type(d->core->schema, o.header.type);
    if (type == NULL || type->key_count == 0) {
        put_place(&o, text);
        return;
    }
    size_t start = text->len;
    if (o.header.parent != NULL)
        put_ref(d, o.header.parent, depth + 1, text);
    for (size_t i = 0; i < type->key_count; i++) {
        const struct field *field = &type->header.items[type->key[i]];
        if (!is_written(type, i))
            continue;
        if (text->len > start)
            buf_put_u8(text, '/');
        put_key_value(d, field, object_key(&o, type, i), depth, text);
    }
}

void door_put_ref(const struct door *d, const uint8_t id[16], struct buf *text)
{
    put_ref(d, id, 0, text);
}

/* ---- reading ---- */

static size_t segments(const struct door *d, const struct event_type *type,
                       int depth)
{
    size_t count = 0;
    if (type == NULL || type->key_count == 0 || depth > REF_DEPTH_MAX)
        return 1;
    if (type->parent >= 0)
        count += segments(d, target_of(d, &type->header.items[type->parent]),
                          depth + 1);
    for (size_t i = 0; i < type->key_count; i++) {
        const struct field *field = &type->header.items[type->key[i]];
        if (is_written(type, i))
            count += field->type.kind == VALUE_REF
                         ? segments(d, target_of(d, field), depth + 1)
                         : 1;
    }
    return count;
}

/* Cut `count` segments off the front of `text`; all of it when `rest` is asked
 * for. */
static bool cut(struct bytes *text, size_t count, bool rest,
                struct bytes *front)
{
    size_t at = 0;
    if (rest) {
        *front = *text;
        *text = bytes_of(NULL, 0);
        return front->len > 0;
    }
    for (size_t seen = 0; at < text->len; at++)
        if (text->data[at] == '/' && ++seen == count)
            break;
    *front = bytes_of(text->data, at);
    if (at == text->len)
        return false; /* nothing is left for the next field */
    *text = bytes_of(text->data + at + 1, text->len - at - 1);
    return at > 0;
}

static int no_such(const struct door *d, const struct event_type *type,
                   struct bytes text, struct err *err)
{
    return err_set(err, ATE_ENOT_FOUND, "no %s '%.*s'",
                   schema_short(d->core->schema, type->name), (int)text.len,
                   (const char *)text.data);
}

static int is_spent(const struct door *d, const struct event_type *type,
                    const uint8_t id[16], struct err *err)
{
    struct buf text = {0};
    put_ref(d, id, 0, &text);
    int rc =
        err_set(err, ATE_ENOT_FOUND, "%s %s was deleted, and its key is spent",
                schema_short(d->core->schema, type->name), buf_text(&text));
    buf_deinit(&text);
    return rc;
}

static int get_ref(const struct door *d, const struct event_type *type,
                   struct bytes text, int depth, uint8_t id[16],
                   struct err *err);

static int get_key_value(const struct door *d, const struct field *field,
                         struct bytes text, int depth, struct buf *out,
                         struct err *err)
{
    if (field->type.kind == VALUE_REF) {
        uint8_t id[OBJECT_ID_SIZE];
        int rc = get_ref(d, target_of(d, field), text, depth + 1, id, err);
        if (rc == 0)
            mp_put_bin(out, bytes_of(id, OBJECT_ID_SIZE));
        return rc;
    }
    struct buf value = {0};
    mp_put_str(&value, text);
    int rc = door_take_value(d, &field->type, buf_bytes(&value), NULL,
                             field->name, out, err);
    buf_deinit(&value);
    return rc;
}

/* "<index>.<n>": look the event up among those of its type. */
static int get_place(const struct door *d, const struct event_type *type,
                     struct bytes text, uint8_t id[16], struct err *err)
{
    char room[48];
    char *end = NULL;
    if (text.len == 0 || text.len >= sizeof(room))
        return no_such(d, type, text, err);
    memcpy(room, text.data, text.len);
    room[text.len] = '\0';
    uint64_t index = strtoull(room, &end, 10);
    if (*end != '.' || end == room)
        return err_set(err, ATE_EINVALID,
                       "%s has no key: name it by its place in the log, such "
                       "as 12.0",
                       schema_short(d->core->schema, type->name));
    char *number = end + 1;
    uint64_t n = strtoull(number, &end, 10);
    if (*end != '\0' || end == number)
        return no_such(d, type, text, err);
    struct object_scan scan;
    struct object o;
    bool found = false;
    object_scan_open(&scan, d->version, type, object_any_parent,
                     bytes_of(NULL, 0), false);
    while (!found && object_scan_next(&scan, id))
        found = state_object(d->version, id, &o) == OBJECT_LIVE &&
                o.index == index && o.n == n;
    object_scan_close(&scan);
    return found ? 0 : no_such(d, type, text, err);
}

static int get_parent(const struct door *d, const struct event_type *type,
                      struct bytes *text, bool rest, int depth, uint8_t id[16],
                      struct err *err)
{
    const struct event_type *parent =
        target_of(d, &type->header.items[type->parent]);
    struct bytes whole = *text;
    struct bytes front;
    if (!cut(text, segments(d, parent, depth), rest, &front))
        return err_set(err, ATE_EINVALID,
                       "'%.*s' is not enough to name a %s: its %s stands in "
                       "front, then '/'",
                       (int)whole.len, (const char *)whole.data,
                       schema_short(d->core->schema, type->name),
                       type->header.items[type->parent].name);
    return get_ref(d, parent, front, depth + 1, id, err);
}

/* How many key fields are written. */
static size_t written(const struct event_type *type)
{
    size_t count = 0;
    for (size_t i = 0; i < type->key_count; i++)
        count += is_written(type, i);
    return count;
}

static int get_ref(const struct door *d, const struct event_type *type,
                   struct bytes text, int depth, uint8_t id[16],
                   struct err *err)
{
    struct bytes whole = text;
    uint8_t parent[OBJECT_ID_SIZE];
    size_t left = written(type);
    int rc = 0;
    assert(depth <= REF_DEPTH_MAX);
    if (type->key_count == 0)
        return get_place(d, type, text, id, err);
    if (type->parent >= 0)
        rc = get_parent(d, type, &text, left == 0, depth, parent, err);
    struct buf key = {0};
    mp_put_array(&key, (uint32_t)type->key_count);
    for (size_t i = 0; i < type->key_count && rc == 0; i++) {
        const struct field *field = &type->header.items[type->key[i]];
        struct bytes front;
        if (!is_written(type, i)) {
            mp_put_bin(&key, bytes_of(parent, OBJECT_ID_SIZE));
            continue;
        }
        size_t need = field->type.kind == VALUE_REF
                          ? segments(d, target_of(d, field), depth)
                          : 1;
        if (!cut(&text, need, --left == 0, &front))
            rc = no_such(d, type, whole, err);
        else
            rc = get_key_value(d, field, front, depth, &key, err);
    }
    struct object o;
    if (rc == 0) {
        object_id(d->core->id, bytes_of_text(type->name),
                  type->parent >= 0 ? parent : NULL, buf_bytes(&key), id);
        switch (state_object(d->version, id, &o)) {
        case OBJECT_ABSENT:
            rc = no_such(d, type, whole, err);
            break;
        case OBJECT_SPENT: /* what is below it can be there */
            if (depth == 0 && !d->takes_spent)
                rc = is_spent(d, type, id, err);
            break;
        default:
            break;
        }
    }
    buf_deinit(&key);
    return rc;
}

int door_get_ref(const struct door *d, const struct event_type *type,
                 struct bytes text, uint8_t id[16], struct err *err)
{
    return get_ref(d, type, text, 0, id, err);
}

int door_check_ref(const struct door *d, const struct event_type *type,
                   const uint8_t id[16], struct err *err)
{
    struct object o;
    const struct schema *schema = d->core->schema;
    enum object_life life = state_object(d->version, id, &o);
    if (life == OBJECT_ABSENT)
        return err_set(err, ATE_ENOT_FOUND, "no %s has this id",
                       schema_short(schema, type->name));
    if (bytes_equal(o.header.type, bytes_of_text(type->name)))
        return life == OBJECT_LIVE || d->takes_spent
                   ? 0
                   : is_spent(d, type, id, err);
    const struct event_type *found = schema_type(schema, o.header.type);
    struct buf text = {0};
    assert(found != NULL);
    put_ref(d, id, 0, &text);
    int rc = err_set(err, ATE_ENOT_FOUND, "no %s has this id, but the %s %s",
                     schema_short(schema, type->name),
                     schema_short(schema, found->name), buf_text(&text));
    buf_deinit(&text);
    return rc;
}
