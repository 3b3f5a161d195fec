#include "schema/time_text.h"

#include <stdbool.h>
#include <string.h>

#include "schema/value.h"

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
