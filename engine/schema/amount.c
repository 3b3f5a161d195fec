#include "schema/amount.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"

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
