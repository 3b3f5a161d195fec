/* How refs are written: the parent's text and the key fields, joined by '/';
 * what has no key by its place in the log, "<index>.<n>". A key field that is
 * the parent itself is not written twice. Every key field is one piece, a ref
 * among them as many as what it names has. Where a parent is optional there may
 * be more pieces than the type needs: those in front are the parent's. */
#include <assert.h>
#include <string.h>

#include "acceptance/door.h"
#include "base/err.h"
#include "base/hex.h"
#include "base/msgpack.h"

enum { REF_HOPS_MAX = LIMIT_PARENTS + 8 }; /* parents, and keys within keys */

static const struct event_type *target_of(const struct door *d,
                                          const struct field *field)
{
    return schema_type(d->core->schema, bytes_of_text(field->type.target));
}

/* ---- writing ---- */

static void put_place(const struct object *o, struct buf *text)
{
    buf_put_decimal(text, o->index);
    buf_put_u8(text, '.');
    buf_put_decimal(text, o->n);
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

static void put_key(const struct door *d, const struct event_type *type,
                    const struct object *o, int depth, struct buf *text)
{
    size_t start = text->len;
    if (o->header.parent != NULL)
        put_ref(d, o->header.parent, depth + 1, text);
    for (size_t i = 0; i < type->key_count; i++) {
        const struct field *field = &type->header.items[type->key[i]];
        if (!event_type_writes(type, i))
            continue;
        if (text->len > start)
            buf_put_u8(text, '/');
        put_key_value(d, field, object_key(o, type, i), depth, text);
    }
}

static void put_ref(const struct door *d, const uint8_t id[16], int depth,
                    struct buf *text)
{
    struct object o;
    if (depth > REF_HOPS_MAX ||
        state_object(d->version, id, &o) == OBJECT_ABSENT) {
        buf_put_text(text, "/?");
        return;
    }
    const struct event_type *type = schema_type(d->core->schema, o.header.type);
    if (type == NULL || type->key_count == 0)
        put_place(&o, text);
    else
        put_key(d, type, &o, depth, text);
}

void door_put_ref(const struct door *d, const uint8_t id[16], struct buf *text)
{
    put_ref(d, id, 0, text);
}

void door_put_key(const struct door *d, const struct event_type *type,
                  const struct event_header *header, struct buf *text)
{
    struct object o = {.header = *header};
    if (type->key_count > 0)
        put_key(d, type, &o, 0, text);
}

/* ---- reading ---- */

static size_t count_pieces(struct bytes text)
{
    size_t count = 1;
    for (size_t i = 0; i < text.len; i++)
        count += text.data[i] == '/';
    return count;
}

/* Take `count` pieces off the front of `text`; false when one is empty. */
static bool cut(struct bytes *text, size_t count, struct bytes *front)
{
    size_t at = 0;
    size_t start = 0;
    for (; at < text->len; at++) {
        if (text->data[at] != '/')
            continue;
        if (at == start)
            return false;
        start = at + 1;
        if (--count == 0)
            break;
    }
    *front = bytes_of(text->data, at);
    bool more = at < text->len;
    bool is_good = more || at > start;
    *text = more ? bytes_of(text->data + at + 1, text->len - at - 1)
                 : bytes_of(NULL, 0);
    return is_good;
}

/* The pieces of one part; what the whole has too many goes to one that varies.
 */
static size_t share(struct key_pieces part, size_t *surplus)
{
    size_t count = part.least;
    if (part.vary) {
        count += *surplus;
        *surplus = 0;
    }
    return count;
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
    if (rc != 0)
        err_at_none(err); /* of what refers, all is meant */
    return rc;
}

/* Take digits off the front of `text`; false: there are none, or too many. */
static bool take_number(struct bytes *text, uint64_t *number)
{
    size_t at = 0;
    bool fits = true;
    *number = 0;
    for (; at < text->len && text->data[at] >= '0' && text->data[at] <= '9';
         at++)
        fits = fits && !__builtin_mul_overflow(*number, 10, number) &&
               !__builtin_add_overflow(*number, text->data[at] - '0', number);
    *text = bytes_of(text->data + at, text->len - at);
    return fits && at > 0;
}

/* "<index>.<n>" */
static int get_place(const struct door *d, const struct event_type *type,
                     struct bytes text, uint8_t id[16], struct err *err)
{
    struct bytes rest = text;
    uint64_t index = 0;
    uint64_t n = 0;
    bool fits = take_number(&rest, &index);
    if (rest.len == text.len || rest.len == 0 || rest.data[0] != '.')
        return err_set(err, ATE_EINVALID,
                       "%s has no key: name it by its place in the log, such "
                       "as 12.0",
                       schema_short(d->core->schema, type->name));
    rest = bytes_of(rest.data + 1, rest.len - 1);
    if (!fits || !take_number(&rest, &n) || rest.len > 0 ||
        !state_at_place(d->version, type, index, n, id))
        return no_such(d, type, text, err);
    return 0;
}

/* What is read of a text key. */
struct reading {
    struct bytes whole;
    struct bytes text; /* what is left of it */
    size_t surplus;    /* pieces more than the type needs */
    bool has_parent;
    uint8_t parent[OBJECT_ID_SIZE];
    struct buf key; /* array of the key fields */
};

static int get_parent(const struct door *d, const struct event_type *type,
                      struct reading *r, int depth, struct err *err)
{
    struct bytes front;
    size_t count =
        share(schema_parent_pieces(d->core->schema, type), &r->surplus);
    r->has_parent = count > 0;
    if (!r->has_parent)
        return 0;
    if (!cut(&r->text, count, &front))
        return no_such(d, type, r->whole, err);
    return get_ref(d, target_of(d, &type->header.items[type->parent]), front,
                   depth + 1, r->parent, err);
}

static int get_key(const struct door *d, const struct event_type *type,
                   struct reading *r, int depth, struct err *err)
{
    int rc = 0;
    mp_put_array(&r->key, (uint32_t)type->key_count);
    for (size_t i = 0; i < type->key_count && rc == 0; i++) {
        const struct field *field = &type->header.items[type->key[i]];
        struct bytes front;
        if (!event_type_writes(type, i)) {
            mp_put_bin(&r->key, bytes_of(r->parent, OBJECT_ID_SIZE));
            continue;
        }
        size_t count =
            share(schema_field_pieces(d->core->schema, field), &r->surplus);
        if (!cut(&r->text, count, &front))
            return no_such(d, type, r->whole, err);
        rc = get_key_value(d, field, front, depth, &r->key, err);
    }
    return rc;
}

static int check_count(const struct door *d, const struct event_type *type,
                       struct reading *r, struct err *err)
{
    const char *name = schema_short(d->core->schema, type->name);
    struct key_pieces need = schema_key_pieces(d->core->schema, type);
    size_t count = count_pieces(r->text);
    if (count < need.least && type->parent >= 0)
        return err_set(err, ATE_EINVALID,
                       "'%.*s' is not enough to name a %s: its %s stands in "
                       "front, then '/'",
                       (int)r->whole.len, (const char *)r->whole.data, name,
                       type->header.items[type->parent].name);
    if (count < need.least || (count > need.least && !need.vary))
        return no_such(d, type, r->whole, err);
    r->surplus = count - need.least;
    return 0;
}

static int check_life(const struct door *d, const struct event_type *type,
                      struct bytes whole, int depth, const uint8_t id[16],
                      struct err *err)
{
    struct object o;
    switch (state_object(d->version, id, &o)) {
    case OBJECT_ABSENT:
        return no_such(d, type, whole, err);
    case OBJECT_SPENT: /* what is below it can be there */
        return depth > 0 || d->takes_spent ? 0 : is_spent(d, type, id, err);
    case OBJECT_LIVE:
    default:
        return 0;
    }
}

static int get_ref(const struct door *d, const struct event_type *type,
                   struct bytes text, int depth, uint8_t id[16],
                   struct err *err)
{
    struct reading r = {.whole = text, .text = text};
    if (type->key_count == 0)
        return get_place(d, type, text, id, err);
    if (depth > REF_HOPS_MAX)
        return no_such(d, type, text, err);
    int rc = check_count(d, type, &r, err);
    if (rc == 0)
        rc = get_parent(d, type, &r, depth, err);
    if (rc == 0)
        rc = get_key(d, type, &r, depth, err);
    if (rc == 0) {
        object_id(d->core->id, bytes_of_text(type->name),
                  r.has_parent ? r.parent : NULL, buf_bytes(&r.key), id);
        rc = check_life(d, type, text, depth, id, err);
    }
    buf_deinit(&r.key);
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
