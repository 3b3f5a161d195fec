/* Stored values against their types.
 *
 * (1) A type's fields and a stored map are both sorted by name, so that one
 *     walk over both finds what is unknown and what is missing.
 * (2) Reading piece by piece leaves the order of a map's keys to us: the walk
 *     refuses a key that is not above the one before it. What passes
 *     fields_check is therefore canonical as a whole.
 * (3) The ordered form of two values of one type compares as the values do, and
 *     no ordered form is the beginning of another: keys are such forms one
 *     behind the other, and a list of leading columns is a range of keys. */
#include "schema/value.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/limits.h"
#include "base/msgpack.h"
#include "base/near.h"
#include "base/utf8.h"
#include "schema/amount.h"
#include "schema/handle.h"

enum {
    PATH_MAX_LEN = 256, /* of the name of a place in errors; longer is cut */
    SUGGEST_MAX = 64,   /* fields that are looked at for a suggestion */
    REF_LEN = 16,
    IDENTITY_LEN = 32,
};

static const uint64_t SIGN = UINT64_C(1) << 63;

static int invalid(struct err *err, const char *path, const char *why)
{
    return err_set(err, ATE_EINVALID, "%s: %s", path, why);
}

static int unlike(struct err *err, const char *path, const char *what,
                  struct bytes text)
{
    return err_set(err, ATE_EINVALID, "%s: not %s, got '%.*s'", path, what,
                   (int)text.len, (const char *)text.data);
}

/* Values are checked in two passes: the first asks only whether they are good,
 * with a path of NULL, and writes no text; the second, over a bad one, says
 * why. */
static const char *path_join(char *out, const char *path, struct bytes name)
{
    if (path == NULL)
        return NULL;
    return text_place(out, PATH_MAX_LEN, path, name);
}

static const char *path_item(char *out, const char *path, uint32_t i)
{
    if (path == NULL)
        return NULL;
    snprintf(out, PATH_MAX_LEN, "%s[%" PRIu32 "]", path, i + 1);
    return out;
}

/* ---- dates ---- */

static bool number_at(struct bytes text, size_t at, size_t digits, int *value)
{
    *value = 0;
    for (size_t i = at; i < at + digits; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        *value = *value * 10 + (text.data[i] - '0');
    }
    return true;
}

static int days_of(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    assert(month >= 1 && month <= 12);
    return days[month - 1] + (month == 2 && leap ? 1 : 0);
}

static bool month_at_start(struct bytes text, int *year, int *month)
{
    return number_at(text, 0, 4, year) && text.data[4] == '-' &&
           number_at(text, 5, 2, month) && *year >= 1 && *month >= 1 &&
           *month <= 12;
}

bool month_valid(struct bytes text)
{
    int year, month;
    return text.len == 7 && month_at_start(text, &year, &month);
}

bool date_valid(struct bytes text)
{
    int year, month, day;
    return text.len == 10 && month_at_start(text, &year, &month) &&
           text.data[7] == '-' && number_at(text, 8, 2, &day) && day >= 1 &&
           day <= days_of(year, month);
}

/* ---- checking ---- */

static int check_len(const struct value_type *type, uint64_t len,
                     const char *unit, const char *path, struct err *err)
{
    if (len > type->len_max)
        return err_set(err, ATE_EINVALID,
                       "%s: %" PRIu64 " %s, at most %" PRIu64 " are allowed",
                       path, len, unit, type->len_max);
    if (len < type->len_min)
        return err_set(err, ATE_EINVALID,
                       "%s: %" PRIu64 " %s, at least %" PRIu64 " are wanted",
                       path, len, unit, type->len_min);
    return 0;
}

/* Line feeds and tabs are text; NUL and the other control characters would
 * reach terminals and files as commands. */
static bool byte_printable(uint8_t byte)
{
    return (byte >= 0x20 || byte == '\n' || byte == '\t') && byte != 0x7f;
}

/* Is one of these eight bytes below 0x20, or 0x7f? */
static bool has_controls(const uint8_t *eight)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    uint64_t bytes;
    memcpy(&bytes, eight, sizeof(bytes));
    uint64_t deletes = bytes ^ (0x7f * ones);
    uint64_t below = (bytes - 0x20 * ones) & ~bytes;
    return ((below | ((deletes - ones) & ~deletes)) & (0x80 * ones)) != 0;
}

static bool text_printable(struct bytes text)
{
    size_t i = 0;
    while (i < text.len)
        if (text.len - i >= 8 && !has_controls(text.data + i))
            i += 8;
        else if (byte_printable(text.data[i]))
            i++;
        else
            return false;
    return true;
}

static int check_enum(const struct value_type *type, struct bytes text,
                      const char *path, struct err *err)
{
    for (size_t i = 0; i < type->word_count; i++)
        if (bytes_equal(text, bytes_of_text(type->words[i])))
            return 0;
    char words[PATH_MAX_LEN] = "";
    size_t len = 0;
    for (size_t i = 0; i < type->word_count && len < sizeof(words); i++)
        len += (size_t)snprintf(words + len, sizeof(words) - len, "%s%s",
                                i > 0 ? ", " : "", type->words[i]);
    int rc = err_set(err, ATE_EINVALID, "%s: '%.*s' is none of %s", path,
                     (int)(text.len < LIMIT_NAME ? text.len : LIMIT_NAME),
                     (const char *)text.data, words);
    near_tell(err, text, (const char *const *)type->words, type->word_count,
              "");
    return rc;
}

static bool is_type_name(const struct schema *s, struct bytes text)
{
    const struct event_type *type = schema_type(s, text);
    return type != NULL && bytes_equal(bytes_of_text(type->name), text);
}

static int check_str(const struct schema *s, const struct value_type *type,
                     struct mp *mp, const char *path, struct err *err)
{
    struct bytes text;
    if (mp_get_str(mp, &text, err) != 0)
        return err_wrap(err, "%s: want text", path);
    switch (type->kind) {
    case VALUE_TEXT:
        if (!text_printable(text))
            return invalid(err, path, "control characters are not text");
        return check_len(type, text.len, "bytes", path, err);
    case VALUE_NAME:
        if (!name_valid(text))
            return invalid(err, path,
                           "not a name: 1 to 255 bytes without '/' and control "
                           "characters, no '.' in front");
        return check_len(type, text.len, "bytes", path, err);
    case VALUE_ENUM:
        return check_enum(type, text, path, err);
    case VALUE_DATE:
        return date_valid(text)
                   ? 0
                   : unlike(err, path, "a date such as 2026-11-22", text);
    case VALUE_MONTH:
        return month_valid(text)
                   ? 0
                   : unlike(err, path, "a month such as 2026-11", text);
    default:
        assert(type->kind == VALUE_EVENT_TYPE);
        return is_type_name(s, text)
                   ? 0
                   : invalid(err, path, "not the full name of a type here");
    }
}

/* Amounts as doors show them; only where that is not known here, because
 * another object has the scale, in smallest units. */
static int out_of_bounds(const struct value_type *type, int64_t value,
                         const char *side, int64_t bound, const char *path,
                         struct err *err)
{
    bool scaled = type->kind == VALUE_AMOUNT && type->scale >= 0;
    struct buf one = {0};
    struct buf other = {0};
    amount_put(&one, value, scaled ? type->scale : 0);
    amount_put(&other, bound, scaled ? type->scale : 0);
    int rc = err_set(
        err, ATE_EINVALID, "%s: %s is %s %s%s", path, buf_text(&one), side,
        buf_text(&other),
        type->kind == VALUE_AMOUNT && !scaled ? ", in smallest units" : "");
    buf_deinit(&one);
    buf_deinit(&other);
    return rc;
}

static int check_int(const struct value_type *type, struct mp *mp,
                     const char *path, struct err *err)
{
    int64_t value;
    if (mp_get_int(mp, &value, err) != 0)
        return err_wrap(err, "%s: want an integer", path);
    if (type->kind == VALUE_TIME)
        return value >= -SCHEMA_EXACT_MAX && value <= SCHEMA_EXACT_MAX
                   ? 0
                   : invalid(err, path, "not a time in milliseconds");
    if (value < type->min)
        return out_of_bounds(type, value, "below", type->min, path, err);
    if (value > type->max)
        return out_of_bounds(type, value, "above", type->max, path, err);
    return 0;
}

static int check_handle(const struct value_type *type, struct mp *mp,
                        const char *path, struct err *err)
{
    struct handle handle;
    struct bytes value;
    int rc = mp_skip(mp, &value, err);
    if (rc == 0)
        rc = handle_get(value, &handle, err);
    if (rc != 0)
        return err_wrap(err, "%s", path);
    return check_len(type, handle.length, "bytes", path, err);
}

static int check_bin(const struct value_type *type, struct mp *mp,
                     const char *path, struct err *err)
{
    const uint8_t *fixed;
    struct bytes bytes;
    enum mp_kind kind;
    switch (type->kind) {
    case VALUE_IDENTITY:
        if (mp_get_bin_of(mp, IDENTITY_LEN, &fixed, err) != 0)
            return err_wrap(err, "%s: want an identity, 32 bytes", path);
        return 0;
    case VALUE_REF:
        if (mp_get_bin_of(mp, REF_LEN, &fixed, err) != 0)
            return err_wrap(err, "%s: want a ref, 16 bytes", path);
        return 0;
    default:
        assert(type->kind == VALUE_BLOB);
        if (type->large && mp_peek(mp, &kind, NULL) == 0 && kind == MP_MAP)
            return check_handle(type, mp, path, err);
        if (mp_get_bin(mp, &bytes, err) != 0)
            return err_wrap(err, "%s: want bytes", path);
        return check_len(type, bytes.len, "bytes", path, err);
    }
}

static int check_at(const struct schema *s, const struct value_type *type,
                    struct mp *mp, const char *path, struct err *err);
static int check_map_at(const struct schema *s, const struct fields *fields,
                        struct mp *mp, const char *path, struct err *err);

static int check_list(const struct schema *s, const struct value_type *type,
                      struct mp *mp, const char *path, struct err *err)
{
    uint32_t count;
    if (mp_get_array(mp, &count, err) != 0)
        return err_wrap(err, "%s: want a list", path);
    int rc = check_len(type, count, "items", path, err);
    for (uint32_t i = 0; rc == 0 && i < count; i++) {
        char item[PATH_MAX_LEN];
        rc = check_at(s, type->item, mp, path_item(item, path, i), err);
        if (rc != 0)
            err_at_item(err, i);
    }
    return rc;
}

static int check_at(const struct schema *s, const struct value_type *type,
                    struct mp *mp, const char *path, struct err *err)
{
    bool value;
    switch (type->kind) {
    case VALUE_TEXT:
    case VALUE_NAME:
    case VALUE_ENUM:
    case VALUE_DATE:
    case VALUE_MONTH:
    case VALUE_EVENT_TYPE:
        return check_str(s, type, mp, path, err);
    case VALUE_INTEGER:
    case VALUE_AMOUNT:
    case VALUE_TIME:
        return check_int(type, mp, path, err);
    case VALUE_BLOB:
    case VALUE_IDENTITY:
    case VALUE_REF:
        return check_bin(type, mp, path, err);
    case VALUE_BOOLEAN:
        if (mp_get_bool(mp, &value, err) != 0)
            return err_wrap(err, "%s: want true or false", path);
        return 0;
    case VALUE_STRUCT:
        return check_map_at(s, &type->fields, mp, path, err);
    case VALUE_LIST:
        return check_list(s, type, mp, path, err);
    case VALUE_PAGE:
        break;
    }
    return invalid(err, path, "a page is returned, never stored");
}

static int unknown_field(const struct fields *fields, struct bytes name,
                         const char *path, struct err *err)
{
    const char *names[SUGGEST_MAX];
    char room[PATH_MAX_LEN];
    size_t count = fields->count < SUGGEST_MAX ? fields->count : SUGGEST_MAX;
    for (size_t i = 0; i < count; i++)
        names[i] = fields->items[i].name;
    invalid(err, path_join(room, path, name), "no such field");
    near_tell(err, name, names, count, "");
    err_at_name(err, name);
    return ATE_EINVALID;
}

static int missing_field(const struct field *field, const char *path,
                         struct err *err)
{
    char room[PATH_MAX_LEN];
    invalid(err, path_join(room, path, bytes_of_text(field->name)),
            "is missing");
    err_at(err, field->name);
    return ATE_EINVALID;
}

/* Invariants (1) and (2). */
static int check_map_at(const struct schema *s, const struct fields *fields,
                        struct mp *mp, const char *path, struct err *err)
{
    uint32_t count;
    size_t next = 0; /* the first field that has not been passed */
    struct bytes before = {0};
    if (mp_get_map(mp, &count, err) != 0)
        return err_wrap(err, "%s: want a map of fields", path);
    for (uint32_t i = 0; i < count; i++) {
        struct bytes name;
        char full[PATH_MAX_LEN];
        int order = -1;
        if (mp_get_str(mp, &name, err) != 0)
            return err_wrap(err, "%s: want a field's name", path);
        if (i > 0 && bytes_compare(before, name) >= 0)
            return invalid(err, path, "its fields are not sorted and unique");
        before = name;
        for (; next < fields->count; next++) {
            const struct field *field = &fields->items[next];
            order = bytes_compare(bytes_of_text(field->name), name);
            if (order >= 0)
                break;
            if (!field->type.optional)
                return missing_field(field, path, err);
        }
        if (next == fields->count || order != 0)
            return unknown_field(fields, name, path, err);
        int rc = check_at(s, &fields->items[next].type, mp,
                          path_join(full, path, name), err);
        if (rc != 0) {
            err_at_name(err, name);
            return rc;
        }
        next++;
    }
    for (; next < fields->count; next++)
        if (!fields->items[next].type.optional)
            return missing_field(&fields->items[next], path, err);
    return 0;
}

int value_check(const struct schema *s, const struct value_type *type,
                struct bytes value, const char *path, struct err *err)
{
    struct mp mp = mp_open(value);
    if (check_at(s, type, &mp, NULL, NULL) == 0 && mp_done(&mp, NULL) == 0)
        return 0;
    mp = mp_open(value);
    int rc = check_at(s, type, &mp, path, err);
    if (rc == 0 && mp_done(&mp, err) != 0)
        rc = err_wrap(err, "%s", path);
    return rc;
}

int fields_check(const struct schema *s, const struct fields *fields,
                 struct bytes map, const char *path, struct err *err)
{
    struct mp mp = mp_open(map);
    if (check_map_at(s, fields, &mp, NULL, NULL) == 0 &&
        mp_done(&mp, NULL) == 0)
        return 0;
    mp = mp_open(map);
    int rc = check_map_at(s, fields, &mp, path, err);
    if (rc == 0 && mp_done(&mp, err) != 0)
        rc = err_wrap(err, "%s", path);
    return rc;
}

/* ---- refs ---- */

struct ref_walk {
    int (*ref)(void *ctx, const char *path, const char *target,
               const uint8_t *id, struct err *err);
    void *ctx;
};

static int walk_fields(const struct ref_walk *walk, const struct fields *fields,
                       struct mp *mp, const char *path, struct err *err);

static bool may_hold_refs(const struct value_type *type)
{
    return type->kind == VALUE_REF || type->kind == VALUE_STRUCT ||
           type->kind == VALUE_LIST;
}

static int walk_value(const struct ref_walk *walk,
                      const struct value_type *type, struct mp *mp,
                      const char *path, struct err *err)
{
    const uint8_t *id;
    uint32_t count;
    int rc = 0;
    switch (type->kind) {
    case VALUE_REF:
        rc = mp_get_bin_of(mp, REF_LEN, &id, err);
        return rc != 0 ? rc : walk->ref(walk->ctx, path, type->target, id, err);
    case VALUE_STRUCT:
        return walk_fields(walk, &type->fields, mp, path, err);
    case VALUE_LIST:
        rc = mp_get_array(mp, &count, err);
        for (uint32_t i = 0; rc == 0 && i < count; i++) {
            char item[PATH_MAX_LEN];
            path_item(item, path, i);
            rc = walk_value(walk, type->item, mp, item, err);
            if (rc != 0)
                err_at_item(err, i);
        }
        return rc;
    default:
        return mp_skip(mp, NULL, err);
    }
}

static int walk_fields(const struct ref_walk *walk, const struct fields *fields,
                       struct mp *mp, const char *path, struct err *err)
{
    uint32_t count;
    int rc = mp_get_map(mp, &count, err);
    for (uint32_t i = 0; rc == 0 && i < count; i++) {
        struct bytes name;
        char full[PATH_MAX_LEN];
        rc = mp_get_str(mp, &name, err);
        if (rc != 0)
            break;
        const struct field *field = fields_find(fields, name);
        if (field == NULL || !may_hold_refs(&field->type))
            rc = mp_skip(mp, NULL, err);
        else
            rc = walk_value(walk, &field->type, mp, path_join(full, path, name),
                            err);
        if (rc != 0)
            err_at_name(err, name);
    }
    return rc;
}

int fields_each_ref(const struct fields *fields, struct bytes map,
                    int (*ref)(void *ctx, const char *path, const char *target,
                               const uint8_t *id, struct err *err),
                    void *ctx, struct err *err)
{
    struct ref_walk walk = {.ref = ref, .ctx = ctx};
    struct mp mp = mp_open_known(map);
    return walk_fields(&walk, fields, &mp, "", err);
}

/* ---- ordered form ---- */

bool value_kind_orders(enum value_kind kind)
{
    return kind != VALUE_BLOB && kind != VALUE_STRUCT && kind != VALUE_LIST &&
           kind != VALUE_PAGE;
}

static void put_ordered_text(struct buf *out, struct bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        buf_put_u8(out, text.data[i]);
        if (text.data[i] == 0)
            buf_put_u8(out, 0xff);
    }
    buf_put(out, "\0", 2);
}

/* The value was checked before it came here: a failure is our own. */
void value_put_ordered(struct buf *out, const struct value_type *type,
                       struct bytes value)
{
    struct mp mp = mp_open(value);
    struct bytes bytes;
    int64_t number;
    bool truth;
    int rc;
    assert(value_kind_orders(type->kind));
    switch (type->kind) {
    case VALUE_INTEGER:
    case VALUE_AMOUNT:
    case VALUE_TIME:
        rc = mp_get_int(&mp, &number, NULL);
        assert(rc == 0);
        buf_put_be64(out, (uint64_t)number ^ SIGN);
        return;
    case VALUE_BOOLEAN:
        rc = mp_get_bool(&mp, &truth, NULL);
        assert(rc == 0);
        buf_put_u8(out, truth ? 1 : 0);
        return;
    case VALUE_REF:
    case VALUE_IDENTITY:
        rc = mp_get_bin(&mp, &bytes, NULL);
        assert(rc == 0);
        assert(bytes.len == (type->kind == VALUE_REF ? REF_LEN : IDENTITY_LEN));
        buf_put_bytes(out, bytes);
        return;
    default:
        rc = mp_get_str(&mp, &bytes, NULL);
        assert(rc == 0);
        put_ordered_text(out, bytes);
        return;
    }
}

static size_t get_ordered_text(struct buf *out, struct bytes at)
{
    struct buf text = {0};
    size_t i = 0;
    while (i + 1 < at.len && (at.data[i] != 0 || at.data[i + 1] == 0xff)) {
        buf_put_u8(&text, at.data[i]);
        i += at.data[i] == 0 ? 2 : 1;
    }
    bool whole =
        i + 1 < at.len && at.data[i + 1] == 0 && utf8_valid(buf_bytes(&text));
    if (whole)
        mp_put_str(out, buf_bytes(&text));
    buf_deinit(&text);
    return whole ? i + 2 : 0;
}

size_t value_get_ordered(struct buf *out, const struct value_type *type,
                         struct bytes at)
{
    size_t len;
    assert(value_kind_orders(type->kind));
    switch (type->kind) {
    case VALUE_INTEGER:
    case VALUE_AMOUNT:
    case VALUE_TIME:
        if (at.len < 8)
            return 0;
        mp_put_int(out, (int64_t)(get_be64(at.data) ^ SIGN));
        return 8;
    case VALUE_BOOLEAN:
        if (at.len < 1 || at.data[0] > 1)
            return 0;
        mp_put_bool(out, at.data[0] == 1);
        return 1;
    case VALUE_REF:
    case VALUE_IDENTITY:
        len = type->kind == VALUE_REF ? REF_LEN : IDENTITY_LEN;
        if (at.len < len)
            return 0;
        mp_put_bin(out, bytes_of(at.data, len));
        return len;
    default:
        return get_ordered_text(out, at);
    }
}

/* ---- defaults ---- */

static void put_with_defaults(struct buf *out, const struct value_type *type,
                              struct bytes value)
{
    if (type->kind == VALUE_STRUCT) {
        fields_add_defaults(out, &type->fields, value);
        return;
    }
    bool has_structs =
        type->kind == VALUE_LIST &&
        (type->item->kind == VALUE_STRUCT || type->item->kind == VALUE_LIST);
    if (!has_structs) {
        buf_put_bytes(out, value);
        return;
    }
    struct mp mp = mp_open(value);
    uint32_t count;
    int rc = mp_get_array(&mp, &count, NULL);
    if (rc != 0) { /* no list: the check that follows says so */
        buf_put_bytes(out, value);
        return;
    }
    mp_put_array(out, count);
    for (uint32_t i = 0; i < count; i++) {
        struct bytes item;
        rc = mp_skip(&mp, &item, NULL);
        assert(rc == 0);
        put_with_defaults(out, type->item, item);
    }
}

uint32_t fields_known(const struct fields *fields, struct bytes map)
{
    struct mp_walk walk = mp_walk_open(map);
    uint32_t count = 0;
    for (size_t i = 0; i < fields->count && walk.name.data != NULL; i++)
        count += mp_walk_get(&walk, fields->items[i].name).data != NULL;
    return count;
}

/* How many defaults stand for what the map lacks. */
static uint32_t lacking(const struct fields *fields, struct bytes map)
{
    struct mp_walk walk = mp_walk_open(map);
    uint32_t count = 0;
    for (size_t i = 0; i < fields->count; i++)
        count += fields->items[i].type.default_value.len > 0 &&
                 mp_walk_get(&walk, fields->items[i].name).data == NULL;
    return count;
}

/* The entry of one field, if there is one. */
static void put_field(struct buf *out, const struct field *field,
                      struct bytes value)
{
    bool given = value.data != NULL;
    if (!given && field->type.default_value.len == 0)
        return;
    mp_put_text(out, field->name);
    if (given)
        put_with_defaults(out, &field->type, value);
    else
        buf_put_bytes(out, field->type.default_value);
}

void fields_take(struct buf *out, const struct fields *fields, struct bytes map)
{
    struct mp_walk walk = mp_walk_open(map);
    mp_put_map(out, fields_known(fields, map) + lacking(fields, map));
    for (size_t i = 0; i < fields->count; i++)
        put_field(out, &fields->items[i],
                  mp_walk_get(&walk, fields->items[i].name));
}

void fields_add_defaults(struct buf *out, const struct fields *fields,
                         struct bytes map)
{
    struct mp mp = mp_open_known(map);
    struct mp_walk walk = mp_walk_open(map);
    size_t i = 0;
    uint32_t count;
    if (mp_get_map(&mp, &count, NULL) != 0) {
        buf_put_bytes(out, map); /* no map: the check that follows says so */
        return;
    }
    mp_put_map(out, count + lacking(fields, map));
    while (i < fields->count || walk.name.data != NULL) {
        const struct field *field =
            i < fields->count ? &fields->items[i] : NULL;
        int order = field == NULL ? 1
                    : walk.name.data == NULL
                        ? -1
                        : bytes_compare(bytes_of_text(field->name), walk.name);
        if (order <= 0) {
            put_field(out, field, order == 0 ? walk.value : bytes_of(NULL, 0));
            i++;
        } else { /* no field: the check that follows says so */
            mp_put_str(out, walk.name);
            buf_put_bytes(out, walk.value);
        }
        if (order >= 0)
            mp_walk_next(&walk);
    }
}

/* ---- bodies ---- */

static int raw_body_fits(const struct schema *s, const struct value_type *type,
                         struct bytes body, const char *path, struct err *err)
{
    struct buf value = {0};
    if (type->kind == VALUE_TEXT && !utf8_valid(body))
        return invalid(err, path, "want text, got bytes that are not UTF-8");
    if (type->kind == VALUE_TEXT)
        mp_put_str(&value, body);
    else
        mp_put_bin(&value, body);
    int rc = value_check(s, type, buf_bytes(&value), path, err);
    buf_deinit(&value);
    return rc;
}

int body_fits(const struct schema *s, const struct event_type *type,
              struct bytes body, const char *path, struct err *err)
{
    if (type->raw_body != NULL)
        return raw_body_fits(s, type->raw_body, body, path, err);
    struct buf whole = {0};
    int rc = mp_check(body, err);
    if (rc != 0) {
        err_wrap(err, "%s", path);
        return rc;
    }
    fields_add_defaults(&whole, &type->body, body);
    rc = fields_check(s, &type->body, buf_bytes(&whole), path, err);
    buf_deinit(&whole);
    return rc;
}
