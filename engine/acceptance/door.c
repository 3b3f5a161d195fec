#include "acceptance/door.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/hex.h"
#include "base/memory.h"
#include "base/msgpack.h"
#include "base/near.h"
#include "base/utf8.h"
#include "schema/amount.h"
#include "schema/describe.h"
#include "schema/handle.h"
#include "schema/time_text.h"

/* ---- values ---- */

static int want(struct err *err, const char *what, struct bytes value)
{
    struct mp mp = mp_open(value);
    enum mp_kind kind = MP_NIL;
    struct bytes text = {NULL, 0};
    static const char *const names[] = {
        [MP_NIL] = "nothing",   [MP_BOOL] = "a boolean", [MP_INT] = "a number",
        [MP_UINT] = "a number", [MP_STR] = "text",       [MP_BIN] = "bytes",
        [MP_ARRAY] = "a list",  [MP_MAP] = "a map"};
    mp_peek(&mp, &kind, NULL);
    if (kind == MP_BIN && mp_get_bin(&mp, &text, NULL) == 0 &&
        !utf8_valid(text))
        return err_set(err, ATE_EINVALID,
                       "want %s, got bytes that are not UTF-8", what);
    if (kind == MP_STR && mp_get_str(&mp, &text, NULL) == 0)
        return err_set(err, ATE_EINVALID, "want %s, got '%.*s'", what,
                       (int)(text.len > 60 ? 60 : text.len),
                       (const char *)text.data);
    return err_set(err, ATE_EINVALID, "want %s, got %s", what, names[kind]);
}

/* Numbers may come as text: a command line has nothing else. */
static bool text_of(struct bytes value, struct bytes *text)
{
    struct mp mp = mp_open(value);
    return mp_get_str(&mp, text, NULL) == 0;
}

static bool int_of(struct bytes value, int64_t *number)
{
    struct mp mp = mp_open(value);
    return mp_get_int(&mp, number, NULL) == 0;
}

static int take_text(struct bytes value, struct buf *out, struct err *err)
{
    struct bytes text;
    if (!text_of(value, &text))
        return want(err, "text", value);
    buf_put_bytes(out, value);
    return 0;
}

/* ---- refs ---- */

/* The id that a value names: its text, a number where the key is one, or the
 * id itself. */
static int get_ref(const struct door *d, const struct value_type *type,
                   struct bytes value, uint8_t id[OBJECT_ID_SIZE],
                   struct err *err)
{
    const struct event_type *target =
        schema_type(d->core->schema, bytes_of_text(type->target));
    struct mp mp = mp_open(value);
    const uint8_t *bytes = NULL;
    struct bytes text;
    int64_t number = 0;
    char digits[24];
    assert(target != NULL);
    if (mp_get_bin_of(&mp, OBJECT_ID_SIZE, &bytes, NULL) == 0) {
        memcpy(id, bytes, OBJECT_ID_SIZE);
        return door_check_ref(d, target, id, err);
    }
    if (int_of(value, &number)) {
        int n = snprintf(digits, sizeof(digits), "%lld", (long long)number);
        text = bytes_of(digits, (size_t)n);
    } else if (!text_of(value, &text)) {
        return want(err, "what names it, as text", value);
    }
    return door_get_ref(d, target, text, id, err);
}

/* ---- scopes ---- */

/* The object that a sibling field names. */
static int sibling_object(const struct door *d, const char *name,
                          const struct door_scope *scope, struct object *o,
                          struct err *err)
{
    const struct field *field =
        scope != NULL && scope->fields != NULL
            ? fields_find(scope->fields, bytes_of_text(name))
            : NULL;
    struct bytes value = {NULL, 0};
    if (field != NULL && field->type.kind == VALUE_REF)
        value = mp_map_get(scope->map, name);
    if (value.data == NULL)
        return err_set(err, ATE_EINVALID, "'%s' is missing", name);
    uint8_t id[OBJECT_ID_SIZE];
    int rc = get_ref(d, &field->type, value, id, err);
    if (rc != 0)
        return rc;
    enum object_life life = state_object(d->version, id, o);
    assert(life != OBJECT_ABSENT);
    return 0;
}

/* The scale of an amount's type: its own, or that of the object which its
 * sibling names. Errors: NOT_FOUND, INVALID. */
static int scale_of(const struct door *d, const struct value_type *type,
                    const struct door_scope *scope, int *scale, struct err *err)
{
    *scale = type->scale;
    if (type->scale >= 0)
        return 0;
    struct object o;
    int64_t value = 0;
    int rc = sibling_object(d, type->of, scope, &o, err);
    if (rc != 0)
        return rc;
    struct mp mp = mp_open(object_scale(&o));
    if (mp_get_int(&mp, &value, NULL) != 0)
        return err_set(err, ATE_EINVALID,
                       "what '%s' names has no scale from 0 to 18", type->of);
    *scale = (int)value;
    return 0;
}

/* ---- taking ---- */

static int take_integer(const struct value_type *type, struct bytes value,
                        struct buf *out, struct err *err)
{
    struct bytes text;
    int64_t number = 0;
    if (!int_of(value, &number)) {
        if (!text_of(value, &text))
            return want(err, "a whole number", value);
        int rc = amount_get(text, 0, type, &number, err);
        if (rc != 0)
            return rc;
    }
    mp_put_int(out, number);
    return 0;
}

static int out_of_bounds(const struct value_type *type, int64_t number,
                         int scale, struct err *err)
{
    bool below = number < type->min;
    struct buf one = {0};
    struct buf bound = {0};
    amount_put(&one, number, scale);
    amount_put(&bound, below ? type->min : type->max, scale);
    int rc = err_set(err, ATE_EINVALID, "%s is %s %s", buf_text(&one),
                     below ? "below" : "above", buf_text(&bound));
    buf_deinit(&one);
    buf_deinit(&bound);
    return rc;
}

static int take_amount(const struct door *d, const struct value_type *type,
                       struct bytes value, const struct door_scope *scope,
                       struct buf *out, struct err *err)
{
    struct bytes text;
    int64_t number = 0;
    int scale = 0;
    char digits[24];
    int rc = scale_of(d, type, scope, &scale, err);
    if (rc != 0)
        return rc;
    if (int_of(value, &number)) {
        int n = snprintf(digits, sizeof(digits), "%lld", (long long)number);
        text = bytes_of(digits, (size_t)n);
    } else if (!text_of(value, &text)) {
        return want(err, "an amount such as '12.50'", value);
    }
    rc = amount_get(text, scale, type, &number, err);
    if (rc != 0)
        return rc;
    if (number < type->min || number > type->max)
        return out_of_bounds(type, number, scale, err);
    mp_put_int(out, number);
    return 0;
}

static int take_boolean(struct bytes value, struct buf *out, struct err *err)
{
    struct mp mp = mp_open(value);
    struct bytes text;
    bool truth = false;
    if (mp_get_bool(&mp, &truth, NULL) != 0) {
        if (!text_of(value, &text))
            return want(err, "true or false", value);
        truth = bytes_equal(text, bytes_of_text("true"));
        if (!truth && !bytes_equal(text, bytes_of_text("false")))
            return want(err, "true or false", value);
    }
    mp_put_bool(out, truth);
    return 0;
}

static int take_time(struct bytes value, struct buf *out, struct err *err)
{
    struct bytes text;
    int64_t ms = 0;
    if (!int_of(value, &ms)) {
        if (!text_of(value, &text))
            return want(err, "a time such as '2026-11-22T10:00:00Z'", value);
        int rc = time_get(text, &ms, err);
        if (rc != 0)
            return rc;
    }
    mp_put_int(out, ms);
    return 0;
}

static int take_identity(const struct door *d, struct bytes value,
                         struct buf *out, struct err *err)
{
    struct bytes text;
    uint8_t id[KEY_ID_SIZE];
    struct mp mp = mp_open(value);
    const uint8_t *bytes = NULL;
    if (mp_get_bin_of(&mp, KEY_ID_SIZE, &bytes, NULL) == 0) {
        mp_put_bin(out, bytes_of(bytes, KEY_ID_SIZE));
        return 0;
    }
    if (!text_of(value, &text))
        return want(err, "the name of a key, or key:<hex>", value);
    int rc = door_get_identity(d, text, id, err);
    if (rc == 0)
        mp_put_bin(out, bytes_of(id, KEY_ID_SIZE));
    return rc;
}

static int take_ref(const struct door *d, const struct value_type *type,
                    struct bytes value, struct buf *out, struct err *err)
{
    uint8_t id[OBJECT_ID_SIZE];
    int rc = get_ref(d, type, value, id, err);
    if (rc == 0)
        mp_put_bin(out, bytes_of(id, OBJECT_ID_SIZE));
    return rc;
}

#define BYTES_WANTED "bytes, in text as hexadecimal digits"

static int take_blob(const struct value_type *type, struct bytes value,
                     struct buf *out, struct err *err)
{
    if (type->large && handle_is(value))
        return handle_take(value, out, err);
    struct mp mp = mp_open(value);
    struct bytes bytes;
    if (mp_get_bin(&mp, &bytes, NULL) == 0) {
        mp_put_bin(out, bytes);
        return 0;
    }
    if (!text_of(value, &bytes) || bytes.len % 2 != 0)
        return want(err, BYTES_WANTED, value);
    uint8_t *decoded = mem_alloc(bytes.len / 2 + 1);
    bool good = hex_get((const char *)bytes.data, bytes.len, decoded);
    if (good)
        mp_put_bin(out, bytes_of(decoded, bytes.len / 2));
    mem_free(decoded);
    return good ? 0 : want(err, BYTES_WANTED, value);
}

static int take_value(const struct door *d, const struct value_type *type,
                      struct bytes value, const struct door_scope *scope,
                      const char *name, struct buf *out, struct err *err);

static int take_list(const struct door *d, const struct value_type *type,
                     struct bytes value, const struct door_scope *scope,
                     struct buf *out, struct err *err)
{
    struct mp mp = mp_open(value);
    uint32_t count = 0;
    if (mp_get_array(&mp, &count, NULL) != 0)
        return want(err, "a list", value);
    mp_put_array(out, count);
    for (uint32_t i = 0; i < count; i++) {
        struct bytes item;
        int rc = mp_skip(&mp, &item, err);
        if (rc == 0)
            rc = take_value(d, type->item, item, scope, NULL, out, err);
        if (rc != 0) {
            err_at_item(err, i);
            return err_wrap(err, "item %u", i + 1);
        }
    }
    return 0;
}

static int take_plain(const struct door *d, const struct value_type *type,
                      struct bytes value, const struct door_scope *scope,
                      struct buf *out, struct err *err)
{
    switch (type->kind) {
    case VALUE_INTEGER:
        return take_integer(type, value, out, err);
    case VALUE_AMOUNT:
        return take_amount(d, type, value, scope, out, err);
    case VALUE_BOOLEAN:
        return take_boolean(value, out, err);
    case VALUE_TIME:
        return take_time(value, out, err);
    case VALUE_IDENTITY:
        return take_identity(d, value, out, err);
    case VALUE_REF:
        return take_ref(d, type, value, out, err);
    case VALUE_BLOB:
        return take_blob(type, value, out, err);
    default: /* all that is text */
        return take_text(value, out, err);
    }
}

static int take_map(const struct door *d, const struct fields *fields,
                    struct bytes map, enum door_taking taking, struct buf *out,
                    struct err *err);

/* Errors begin with `name`, unless that is NULL: then the caller puts a place
 * in front. */
static int take_value(const struct door *d, const struct value_type *type,
                      struct bytes value, const struct door_scope *scope,
                      const char *name, struct buf *out, struct err *err)
{
    size_t start = out->len;
    int rc;
    if (type->kind == VALUE_STRUCT)
        rc = take_map(d, &type->fields, value, TAKE_WHOLE, out, err);
    else if (type->kind == VALUE_LIST)
        rc = take_list(d, type, value, scope, out, err);
    else
        rc = take_plain(d, type, value, scope, out, err);
    if (rc != 0 && name != NULL)
        err_wrap(err, "%s", name);
    if (rc == 0)
        rc = value_check(d->core->schema, type,
                         bytes_of(out->data + start, out->len - start),
                         name != NULL ? name : "value", err);
    if (rc != 0 && name != NULL)
        err_at(err, name);
    return rc;
}

int door_take_value(const struct door *d, const struct value_type *type,
                    struct bytes value, const struct door_scope *scope,
                    const char *path, struct buf *out, struct err *err)
{
    return take_value(d, type, value, scope, path, out, err);
}

static int unknown_field(const struct fields *fields, struct bytes name,
                         struct err *err)
{
    const char **names = mem_alloc((fields->count + 1) * sizeof(*names));
    struct buf list = {0};
    for (size_t i = 0; i < fields->count; i++) {
        names[i] = fields->items[i].name;
        buf_printf(&list, "%s%s", i > 0 ? ", " : "; there are: ", names[i]);
    }
    err_set(err, ATE_EINVALID, "no field '%.*s'", (int)name.len,
            (const char *)name.data);
    err_at_name(err, name);
    near_tell(err, name, names, fields->count,
              fields->count == 0 ? "; it takes none" : buf_text(&list));
    buf_deinit(&list);
    mem_free(names);
    return ATE_EINVALID;
}

static bool is_nil(struct bytes value)
{
    return value.len == 1 && value.data[0] == 0xc0;
}

static int check_names(const struct fields *fields, struct bytes map,
                       struct err *err)
{
    struct mp mp = mp_open(map);
    uint32_t count = 0;
    if (mp_get_map(&mp, &count, NULL) != 0)
        return want(err, "a map of fields", map);
    if (fields_known(fields, map) == count)
        return 0;
    struct mp_walk walk = mp_walk_open(map);
    while (walk.name.data != NULL && fields_find(fields, walk.name) != NULL)
        mp_walk_next(&walk);
    return unknown_field(fields, walk.name, err);
}

static bool is_lacking(const struct field *field, struct bytes value)
{
    bool is_needed =
        !field->type.optional && field->type.default_value.len == 0;
    return is_needed && (value.data == NULL || is_nil(value));
}

/* "amount (amount)", "to (ref account)" */
static void put_missing(const struct door *d, const struct field *field,
                        struct buf *out)
{
    const struct value_type *type = &field->type;
    buf_printf(out, "%s%s (%s", out->len > 0 ? ", " : "", field->name,
               describe_kind(type->kind));
    if (type->kind == VALUE_REF)
        buf_printf(out, " %s", schema_short(d->core->schema, type->target));
    buf_put_text(out, ")");
}

static int point_at_lacking(const struct fields *fields, struct bytes map,
                            struct err *err)
{
    struct mp_walk walk = mp_walk_open(map);
    for (size_t i = 0; i < fields->count; i++) {
        const struct field *field = &fields->items[i];
        if (is_lacking(field, mp_walk_get(&walk, field->name)))
            err_at_also(err, field->name);
    }
    return ATE_EINVALID;
}

/* All that are missing are told at once, with their types. */
static int check_there(const struct door *d, const struct fields *fields,
                       struct bytes map, struct err *err)
{
    struct mp_walk walk = mp_walk_open(map);
    struct buf list = {0};
    const struct field *first = NULL;
    size_t count = 0;
    for (size_t i = 0; i < fields->count; i++) {
        const struct field *field = &fields->items[i];
        struct bytes value = mp_walk_get(&walk, field->name);
        if (!is_lacking(field, value))
            continue;
        first = first != NULL ? first : field;
        put_missing(d, field, &list);
        count++;
    }
    if (count == 1)
        err_set(err, ATE_EINVALID, "%s: is missing%s", first->name,
                buf_text(&list) + strlen(first->name));
    else if (count > 1)
        err_set(err, ATE_EINVALID, "%s: are missing", buf_text(&list));
    buf_deinit(&list);
    return count == 0 ? 0 : point_at_lacking(fields, map, err);
}

/* What is stored of a field: what is given, in stored form, or as nil where
 * that deletes it, or its default; or nothing. */
enum taken { TAKES_NOTHING, TAKES_VALUE, TAKES_NIL, TAKES_DEFAULT };

static enum taken taken_as(const struct field *field, struct bytes value,
                           enum door_taking taking)
{
    if (value.data != NULL && !is_nil(value))
        return TAKES_VALUE;
    if (taking == TAKE_PART)
        return value.data != NULL ? TAKES_NIL : TAKES_NOTHING;
    return taking == TAKE_WHOLE && field->type.default_value.len > 0
               ? TAKES_DEFAULT
               : TAKES_NOTHING;
}

static uint32_t count_taken(const struct fields *fields, struct bytes map,
                            enum door_taking taking)
{
    struct mp_walk walk = mp_walk_open(map);
    uint32_t count = 0;
    for (size_t i = 0; i < fields->count; i++) {
        const struct field *field = &fields->items[i];
        struct bytes value = mp_walk_get(&walk, field->name);
        count += taken_as(field, value, taking) != TAKES_NOTHING;
    }
    return count;
}

static int take_field(const struct door *d, const struct field *field,
                      struct bytes value, const struct door_scope *scope,
                      enum door_taking taking, struct buf *out, struct err *err)
{
    enum taken taken = taken_as(field, value, taking);
    if (taken == TAKES_NOTHING)
        return 0;
    mp_put_text(out, field->name);
    if (taken == TAKES_VALUE)
        return take_value(d, &field->type, value, scope, field->name, out, err);
    if (taken == TAKES_NIL)
        mp_put_nil(out);
    else
        buf_put_bytes(out, field->type.default_value);
    return 0;
}

/* An amount cannot be read when its sibling names nothing: then that is meant,
 * in whatever order the two are taken. */
static void blame_sibling(const struct door *d, const struct field *field,
                          const struct door_scope *scope, struct err *err)
{
    const struct value_type *type = &field->type;
    while (type->kind == VALUE_LIST)
        type = type->item;
    if (type->kind != VALUE_AMOUNT || type->scale >= 0 || err == NULL)
        return;
    struct bytes value = mp_map_get(scope->map, type->of);
    const struct field *sibling =
        fields_find(scope->fields, bytes_of_text(type->of));
    struct buf unused = {0};
    struct err why;
    if (sibling != NULL && value.data != NULL && !is_nil(value) &&
        take_value(d, &sibling->type, value, scope, sibling->name, &unused,
                   &why) != 0)
        *err = why;
    buf_deinit(&unused);
}

static int take_map(const struct door *d, const struct fields *fields,
                    struct bytes map, enum door_taking taking, struct buf *out,
                    struct err *err)
{
    size_t start = out->len;
    int rc = check_names(fields, map, err);
    if (rc == 0 && taking != TAKE_PART)
        rc = check_there(d, fields, map, err);
    if (rc != 0)
        return rc;
    struct door_scope scope = {fields, map};
    struct mp_walk walk = mp_walk_open(map);
    mp_put_map(out, count_taken(fields, map, taking));
    for (size_t i = 0; i < fields->count && rc == 0; i++) {
        const struct field *field = &fields->items[i];
        rc = take_field(d, field, mp_walk_get(&walk, field->name), &scope,
                        taking, out, err);
        if (rc != 0)
            blame_sibling(d, field, &scope, err);
    }
    if (rc != 0)
        out->len = start;
    return rc;
}

int door_take(const struct door *d, const struct fields *fields,
              struct bytes map, enum door_taking taking, const char *what,
              struct buf *out, struct err *err)
{
    int rc = take_map(d, fields, map, taking, out, err);
    return rc == 0 || what == NULL ? rc : err_wrap(err, "%s", what);
}

/* ---- giving ---- */

static void give_text(struct buf *out, struct buf *text)
{
    mp_put_str(out, buf_bytes(text));
    buf_deinit(text);
}

static void give_list(const struct door *d, const struct value_type *type,
                      struct bytes value, const struct door_scope *scope,
                      struct buf *out)
{
    struct mp mp = mp_open(value);
    uint32_t count = 0;
    struct bytes item;
    /* of a proposal, which nobody has judged yet */
    if (mp_get_array(&mp, &count, NULL) != 0) {
        buf_put_bytes(out, value);
        return;
    }
    mp_put_array(out, count);
    for (uint32_t i = 0; i < count; i++) {
        mp_skip(&mp, &item, NULL);
        door_give_value(d, type->item, item, scope, out);
    }
}

/* Rows of a view; a method may have left columns out or put others in. */
static void give_page(const struct door *d, const struct value_type *type,
                      struct bytes value, struct buf *out)
{
    const struct view *view =
        schema_view(d->core->schema, bytes_of_text(type->target));
    struct mp mp = mp_open(value);
    uint32_t count = 0;
    struct bytes row;
    if (view == NULL || mp_get_array(&mp, &count, NULL) != 0) {
        buf_put_bytes(out, value);
        return;
    }
    mp_put_array(out, count);
    for (uint32_t i = 0; i < count; i++) {
        mp_skip(&mp, &row, NULL);
        door_give(d, &view->columns, row, out);
    }
}

static void give_amount(const struct door *d, const struct value_type *type,
                        struct bytes value, const struct door_scope *scope,
                        struct buf *out)
{
    int64_t amount = 0;
    int scale = 0;
    struct buf text = {0};
    struct door any = *d;
    any.takes_spent = true;
    if (!int_of(value, &amount) ||
        scale_of(&any, type, scope, &scale, NULL) != 0) {
        buf_put_bytes(out, value);
        return;
    }
    amount_put(&text, amount, scale);
    give_text(out, &text);
}

void door_give_value(const struct door *d, const struct value_type *type,
                     struct bytes value, const struct door_scope *scope,
                     struct buf *out)
{
    struct mp mp = mp_open(value);
    const uint8_t *id = NULL;
    int64_t number = 0;
    struct buf text = {0};
    struct handle handle;
    switch (type->kind) {
    case VALUE_AMOUNT:
        give_amount(d, type, value, scope, out);
        return;
    case VALUE_TIME:
        if (!int_of(value, &number))
            break;
        time_put(&text, number);
        give_text(out, &text);
        return;
    case VALUE_IDENTITY:
        if (mp_get_bin_of(&mp, KEY_ID_SIZE, &id, NULL) != 0)
            break;
        door_put_identity(d, id, &text);
        give_text(out, &text);
        return;
    case VALUE_REF:
        if (mp_get_bin_of(&mp, OBJECT_ID_SIZE, &id, NULL) != 0)
            break;
        door_put_ref(d, id, &text);
        give_text(out, &text);
        return;
    case VALUE_STRUCT:
        door_give(d, &type->fields, value, out);
        return;
    case VALUE_LIST:
        give_list(d, type, value, scope, out);
        return;
    case VALUE_PAGE:
        give_page(d, type, value, out);
        return;
    case VALUE_BLOB:
        if (!handle_is(value) || handle_get(value, &handle, NULL) != 0)
            break;
        handle_give(out, &handle);
        return;
    default:
        break;
    }
    buf_put_bytes(out, value);
}

void door_give(const struct door *d, const struct fields *fields,
               struct bytes map, struct buf *out)
{
    struct door_scope scope = {fields, map};
    struct mp mp = mp_open(map);
    uint32_t count = 0;
    int rc = mp_get_map(&mp, &count, NULL);
    if (rc != 0) {
        buf_put_bytes(out, map);
        return;
    }
    mp_put_map(out, count);
    for (uint32_t i = 0; i < count; i++) {
        struct bytes name;
        struct bytes value;
        mp_get_str(&mp, &name, NULL);
        mp_skip(&mp, &value, NULL);
        const struct field *field = fields_find(fields, name);
        mp_put_str(out, name);
        if (field != NULL)
            door_give_value(d, &field->type, value, &scope, out);
        else
            buf_put_bytes(out, value);
    }
}
