/* The texts of amounts, times, identities and refusals. */
#include <assert.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/hex.h"
#include "base/msgpack.h"
#include "chain/door.h"
#include "chain/schema.h"

/* ---- amounts ---- */

enum { SCALE_MAX = 18 };

void amount_put(struct buf *text, int64_t amount, int scale)
{
    char digits[24];
    uint64_t size = amount < 0 ? -(uint64_t)amount : (uint64_t)amount;
    assert(scale >= 0 && scale <= SCALE_MAX);
    int n = snprintf(digits, sizeof(digits), "%0*llu", scale + 1,
                     (unsigned long long)size);
    if (amount < 0)
        buf_put_u8(text, '-');
    buf_put(text, digits, (size_t)(n - scale));
    if (scale == 0)
        return;
    buf_put_u8(text, '.');
    buf_put(text, digits + n - scale, (size_t)scale);
}

static const char *shown(struct bytes text, int *len)
{
    *len = (int)(text.len > 60 ? 60 : text.len);
    return (const char *)text.data;
}

static int bad_form(struct bytes text, int scale, struct err *err)
{
    int len;
    const char *got = shown(text, &len);
    if (scale == 0)
        return err_set(err, ATE_EINVALID, "want a whole number, got '%.*s'",
                       len, got);
    bool comma = text.len > 0 && memchr(text.data, ',', text.len) != NULL;
    return err_set(err, ATE_EINVALID,
                   "want digits such as 12.5%.*s%s, got '%.*s'", scale - 1,
                   "00000000000000000", comma ? ", with a point" : "", len,
                   got);
}

/* The bound that digits pass which are too many for any. */
static int64_t bound_of(const struct value_type *type, bool negative)
{
    int64_t most = SCHEMA_EXACT_MAX;
    if (negative)
        return type != NULL && type->min > -most ? type->min : -most;
    return type != NULL && type->max < most ? type->max : most;
}

static int too_large(struct bytes text, int scale,
                     const struct value_type *type, struct err *err)
{
    int len;
    const char *got = shown(text, &len);
    bool negative = text.data[0] == '-';
    struct buf bound = {0};
    amount_put(&bound, bound_of(type, negative), scale);
    int rc = err_set(err, ATE_EINVALID, "'%.*s' is too %s, at %s %s", len, got,
                     negative ? "small" : "large", negative ? "least" : "most",
                     buf_text(&bound));
    buf_deinit(&bound);
    return rc;
}

/* Digits, perhaps a minus before them, a point and digits behind them. */
static bool has_form(struct bytes text, size_t *decimals)
{
    size_t whole = 0;
    bool point = false;
    *decimals = 0;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.data[i];
        if (c == '-' && i == 0)
            continue;
        if (c == '.' && !point && whole > 0)
            point = true;
        else if (c < '0' || c > '9')
            return false;
        else
            *(point ? decimals : &whole) += 1;
    }
    return whole > 0 && point == (*decimals > 0);
}

int amount_get(struct bytes text, int scale, const struct value_type *type,
               int64_t *amount, struct err *err)
{
    assert(scale >= 0 && scale <= SCALE_MAX);
    const int64_t most = SCHEMA_EXACT_MAX;
    int64_t value = 0;
    size_t decimals;
    if (!has_form(text, &decimals) || (scale == 0 && decimals > 0))
        return bad_form(text, scale, err);
    if (decimals > (size_t)scale) {
        int len;
        const char *got = shown(text, &len);
        return err_set(err, ATE_EINVALID,
                       "want an amount with at most %d decimals, got '%.*s'",
                       scale, len, got);
    }
    for (size_t i = 0; i < text.len && value <= most; i++)
        if (text.data[i] != '-' && text.data[i] != '.')
            value = value * 10 + (text.data[i] - '0');
    for (size_t k = decimals; k < (size_t)scale && value <= most; k++)
        value *= 10;
    if (value > most)
        return too_large(text, scale, type, err);
    *amount = text.data[0] == '-' ? -value : value;
    return 0;
}

/* ---- times ---- */

enum { DAY_MS = 86400000 };

/* Days since 1970-01-01 of a day of the Gregorian calendar, and back; years
 * begin in March here, so that the leap day is the last one. */
static int64_t days_of(int64_t year, int month, int day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t of_era = year - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year -
           719468;
}

static void day_of(int64_t days, int64_t *year, int *month, int *day)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t of_era = days - era * 146097;
    int64_t year_of_era =
        (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year =
        of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t m = (5 * of_year + 2) / 153;
    *day = (int)(of_year - (153 * m + 2) / 5 + 1);
    *month = (int)(m < 10 ? m + 3 : m - 9);
    *year = year_of_era + era * 400 + (*month <= 2);
}

void time_put(struct buf *text, int64_t ms)
{
    int64_t days = ms / DAY_MS - (ms % DAY_MS < 0);
    int64_t rest = ms % DAY_MS + (ms % DAY_MS < 0 ? DAY_MS : 0);
    int64_t year;
    int month;
    int day;
    day_of(days, &year, &month, &day);
    buf_printf(text, "%04lld-%02d-%02dT%02lld:%02lld:%02lld", (long long)year,
               month, day, (long long)(rest / 3600000),
               (long long)(rest / 60000 % 60), (long long)(rest / 1000 % 60));
    if (rest % 1000 != 0)
        buf_printf(text, ".%03lld", (long long)(rest % 1000));
    buf_put_u8(text, 'Z');
}

/* `width` digits at `*at`, then `*at` moves on. */
static bool digits(const char **at, int width, int *value)
{
    *value = 0;
    for (int i = 0; i < width; i++, (*at)++) {
        if (**at < '0' || **at > '9')
            return false;
        *value = *value * 10 + (**at - '0');
    }
    return true;
}

static bool take(const char **at, char c)
{
    if (**at != c)
        return false;
    (*at)++;
    return true;
}

static bool parse_clock(const char **at, int64_t *ms)
{
    int hour;
    int minute;
    int second = 0;
    int milli = 0;
    if (!digits(at, 2, &hour) || !take(at, ':') || !digits(at, 2, &minute))
        return false;
    if (take(at, ':') && !digits(at, 2, &second))
        return false;
    if (take(at, '.') && !digits(at, 3, &milli))
        return false;
    *ms = (((int64_t)hour * 60 + minute) * 60 + second) * 1000 + milli;
    return hour < 24 && minute < 60 && second < 60;
}

static bool parse_time(const char *at, int64_t *ms)
{
    int year;
    int month;
    int day;
    int64_t clock = 0;
    const char *date = at;
    if (!digits(&at, 4, &year) || !take(&at, '-') || !digits(&at, 2, &month) ||
        !take(&at, '-') || !digits(&at, 2, &day))
        return false;
    if (!date_valid(bytes_of(date, 10)))
        return false;
    if (take(&at, 'T') && (!parse_clock(&at, &clock) || !take(&at, 'Z')))
        return false;
    *ms = days_of(year, month, day) * DAY_MS + clock;
    return *at == '\0';
}

int time_get(struct bytes text, int64_t *ms, struct err *err)
{
    char room[32];
    if (text.len < sizeof(room)) {
        memcpy(room, text.data, text.len);
        room[text.len] = '\0';
        if (parse_time(room, ms))
            return 0;
    }
    return err_set(err, ATE_EINVALID,
                   "want a time such as 2026-11-22T10:00:00Z, got '%.*s'",
                   (int)(text.len > 60 ? 60 : text.len),
                   (const char *)text.data);
}

/* ---- identities ---- */

void door_put_identity(const struct door *d, const uint8_t id[32],
                       struct buf *text)
{
    if (d->names != NULL && d->names->name(d->names->ctx, id, text))
        return;
    buf_put_text(text, "key:");
    hex_put(text, bytes_of(id, KEY_ID_SIZE));
}

int door_get_identity(const struct door *d, struct bytes text, uint8_t id[32],
                      struct err *err)
{
    if (text.len == 4 + 2 * KEY_ID_SIZE && memcmp(text.data, "key:", 4) == 0 &&
        hex_get((const char *)text.data + 4, text.len - 4, id))
        return 0;
    if (d->names != NULL && d->names->find(d->names->ctx, text, id))
        return 0;
    struct buf list = {0};
    if (d->names != NULL)
        d->names->list(d->names->ctx, &list);
    int rc = err_set(err, ATE_ENOT_FOUND,
                     "no key '%.*s'; there are: %s (make one with "
                     "`ate key new`, or give key:<hex>)",
                     (int)(text.len > 80 ? 80 : text.len),
                     (const char *)text.data, buf_text(&list));
    buf_deinit(&list);
    return rc;
}

/* ---- refusals ---- */

/* What the rule gave and the event's fields, in the order in which a name is
 * looked for: its value and its type, each by itself. */
struct said {
    struct door_scope scopes[2];
    size_t count;
};

static bool gives(struct bytes map, const char *name, struct bytes *value)
{
    *value = map.len > 0 ? mp_map_get(map, name) : bytes_of(NULL, 0);
    return value->data != NULL;
}

/* The fields that have a type for `name`; NULL: none. */
static const struct fields *find_typed(const struct said *said,
                                       const char *name)
{
    for (size_t i = 0; i < said->count; i++) {
        const struct fields *fields = said->scopes[i].fields;
        if (fields != NULL && fields_find(fields, bytes_of_text(name)) != NULL)
            return fields;
    }
    return NULL;
}

/* Where an amount finds what it is of: that is looked for as all names of a
 * text are, for the event may have it where the rule gave the amount. */
static struct door_scope scope_of(const struct said *said,
                                  const struct value_type *type)
{
    struct door_scope scope = {NULL, {NULL, 0}};
    struct bytes value;
    if (type->kind != VALUE_AMOUNT || type->scale >= 0)
        return scope;
    for (size_t i = 0; i < said->count && scope.map.data == NULL; i++) {
        if (gives(said->scopes[i].map, type->of, &value))
            scope.map = said->scopes[i].map;
    }
    scope.fields = find_typed(said, type->of);
    return scope;
}

static void put_said(const struct door *d, const struct said *said,
                     const char *name, struct bytes value, struct buf *out)
{
    const struct fields *typed = find_typed(said, name);
    struct buf given = {0};
    struct bytes text;
    int64_t number = 0;
    bool truth = false;
    if (typed != NULL) {
        const struct field *field = fields_find(typed, bytes_of_text(name));
        struct door_scope scope = scope_of(said, &field->type);
        door_give_value(d, &field->type, value, &scope, &given);
        value = buf_bytes(&given);
    }
    struct mp mp = mp_open(value);
    enum mp_kind kind = MP_NIL;
    mp_peek(&mp, &kind, NULL);
    if (kind == MP_STR && mp_get_str(&mp, &text, NULL) == 0)
        buf_put_bytes(out, text);
    else if (kind == MP_INT && mp_get_int(&mp, &number, NULL) == 0)
        buf_printf(out, "%lld", (long long)number);
    else if (kind == MP_BOOL && mp_get_bool(&mp, &truth, NULL) == 0)
        buf_put_text(out, truth ? "true" : "false");
    else
        buf_put_text(out, kind == MP_NIL ? "nothing" : "...");
    buf_deinit(&given);
}

void door_refusal(const struct door *d, const char *text,
                  const struct fields *event_fields, struct bytes event,
                  const struct fields *says, struct bytes values,
                  struct buf *out)
{
    const struct said given = {{{says, values}, {event_fields, event}}, 2};
    const struct said own = {{{event_fields, event}}, 1};
    while (*text != '\0') {
        const char *close = *text == '{' ? strchr(text, '}') : NULL;
        if (close == NULL) {
            buf_put_u8(out, (uint8_t)*text++);
            continue;
        }
        struct bytes value;
        char name[LIMIT_KIND_NAME + 1];
        size_t len = (size_t)(close - text - 1);
        if (len > LIMIT_KIND_NAME)
            len = LIMIT_KIND_NAME;
        memcpy(name, text + 1, len);
        name[len] = '\0';
        if (gives(values, name, &value))
            put_said(d, &given, name, value, out);
        else if (event_fields != NULL && gives(event, name, &value))
            put_said(d, &own, name, value, out);
        else
            buf_put_u8(out, '?');
        text = close + 1;
    }
}
