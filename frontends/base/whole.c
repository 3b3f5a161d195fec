#include "base/whole.h"

#include <string.h>

enum { EXPONENT_MAX = 1 << 30 };

bool whole_text(const char *text, size_t len, int64_t *number)
{
    bool is_negative = len > 0 && text[0] == '-';
    int64_t sum = 0; /* below zero, where there is one more */
    size_t i = is_negative ? 1 : 0;
    if (i == len)
        return false;
    for (; i < len; i++) {
        int digit = text[i] - '0';
        if (digit < 0 || digit > 9 || __builtin_mul_overflow(sum, 10, &sum) ||
            __builtin_sub_overflow(sum, digit, &sum))
            return false;
    }
    *number = sum;
    return is_negative || !__builtin_sub_overflow(0, sum, number);
}

/* What stands behind the `e`; beyond EXPONENT_MAX all are the same. */
static int64_t exponent_of(const char *text, size_t len)
{
    bool is_negative = len > 0 && text[0] == '-';
    int64_t exponent = 0;
    for (size_t i = len > 0 && (is_negative || text[0] == '+'); i < len; i++)
        if (exponent < EXPONENT_MAX)
            exponent = exponent * 10 + (text[i] - '0');
    return is_negative ? -exponent : exponent;
}

static bool add_digit(int64_t *sum, int digit)
{
    *sum = *sum * 10 + digit;
    return *sum <= WHOLE_MAX;
}

bool whole_json(const char *text, size_t len, int64_t *number)
{
    size_t start = text[0] == '-' ? 1 : 0;
    size_t digits = start;
    while (digits < len && text[digits] != 'e' && text[digits] != 'E')
        digits++;
    const char *dot = memchr(text, '.', digits);
    int64_t point = dot != NULL ? dot - text : (int64_t)digits;
    point -= (int64_t)start;
    if (digits < len)
        point += exponent_of(text + digits + 1, len - digits - 1);
    int64_t sum = 0, at = 0; /* digits before `point` are whole */
    for (size_t i = start; i < digits; i++) {
        if (text[i] == '.')
            continue;
        int digit = text[i] - '0';
        if (at++ < point ? !add_digit(&sum, digit) : digit != 0)
            return false;
    }
    for (; sum > 0 && at < point; at++)
        if (!add_digit(&sum, 0))
            return false;
    *number = start > 0 ? -sum : sum;
    return true;
}
