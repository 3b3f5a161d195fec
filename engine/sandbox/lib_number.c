/* The text of a number, made of its digits and nothing else: Lua's own has had
 * mistakes in zeros at the end, shows the signs of 0 and of what is no number,
 * of which the latter differs between kinds of machines, and printf() asks the
 * locale what a point looks like. Only the digits are asked of printf(), which
 * rounds them as they should be. */
#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "sandbox/lib.h"

enum {
    DIGITS = 14,
    SMALLEST_PLAIN = -4, /* 0.0001 is not 1e-04 */
};

/* A whole number below 10^18. */
static size_t whole_text(char text[LIB_NUMBER_TEXT], int64_t number)
{
    char digits[LIB_NUMBER_TEXT];
    int64_t rest = number < 0 ? -number : number;
    size_t count = 0, len = 0;

    do {
        digits[count++] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    if (number < 0)
        text[len++] = '-';
    while (count > 0)
        text[len++] = digits[--count];
    text[len] = '\0';
    return len;
}

/* d.ddd * 10^exponent: the digits without zeros at the end. */
struct digits {
    char text[DIGITS];
    int count;
    int exponent;
};

static struct digits digits_of(double number)
{
    struct digits d = {.count = 0};
    char room[64];

    snprintf(room, sizeof(room), "%.*e", DIGITS - 1, fabs(number));
    const char *at = room;
    for (; *at != 'e'; at++)
        if (*at >= '0' && *at <= '9' && d.count < DIGITS)
            d.text[d.count++] = *at;
    assert(d.count == DIGITS);
    d.exponent = atoi(at + 1);
    while (d.count > 1 && d.text[d.count - 1] == '0')
        d.count--;
    return d;
}

/* Digits from `first` on, zeros behind the last, with a point before `point`.
 */
static size_t put_digits(char *text, const struct digits *d, int first,
                         int point)
{
    size_t len = 0;

    for (int i = first; i < d->count || i < point; i++) {
        if (i == point)
            text[len++] = '.';
        text[len++] = i >= 0 && i < d->count ? d->text[i] : '0';
    }
    return len;
}

/* As %.14g writes it where a point is a point. */
static size_t fraction_text(char text[LIB_NUMBER_TEXT], double number)
{
    struct digits d = digits_of(number);
    size_t len = 0;

    if (number < 0)
        text[len++] = '-';
    if (d.exponent >= SMALLEST_PLAIN && d.exponent < DIGITS) {
        int first = d.exponent < 0 ? d.exponent : 0;
        len += put_digits(text + len, &d, first, d.exponent + 1);
        text[len] = '\0';
        return len;
    }
    len += put_digits(text + len, &d, 0, 1);
    return len + (size_t)snprintf(text + len, LIB_NUMBER_TEXT - len, "e%c%02d",
                                  d.exponent < 0 ? '-' : '+', abs(d.exponent));
}

size_t lib_number_text(char text[LIB_NUMBER_TEXT], double number)
{
    if (fabs(number) < 1e18 && number == (double)(int64_t)number)
        return whole_text(text, (int64_t)number);
    if (isfinite(number))
        return fraction_text(text, number);
    return (size_t)snprintf(text, LIB_NUMBER_TEXT, "%s",
                            isnan(number) ? "nan"
                            : number < 0  ? "-inf"
                                          : "inf");
}
