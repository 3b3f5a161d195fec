/* Dates are texts such as 2026-11-22 of the years 0001 to 9999, months such as
 * 2026-11; times are milliseconds since 1970 UTC. All of it is arithmetic on
 * days since 1970-01-01 (proleptic Gregorian); no clock, no time zone. */
#include <stdio.h>
#include <string.h>

#include "sandbox/lib.h"
#include "sandbox/sandbox.h"

enum { DATE_LEN = 10, MONTH_LEN = 7 };

#define DAY_MS INT64_C(86400000)

struct date {
    int year;
    int month;
    int day;
};

static bool is_leap(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int month_days(int year, int month)
{
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30,
                                   31, 31, 30, 31, 30, 31};
    return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

static bool is_valid(int64_t year, int64_t month, int64_t day)
{
    return year >= 1 && year <= 9999 && month >= 1 && month <= 12 && day >= 1 &&
           day <= month_days((int)year, (int)month);
}

/* `count` digits; -1 when one is none. */
static int read_digits(const char *text, int count)
{
    int value = 0;

    for (int i = 0; i < count; i++) {
        if (text[i] < '0' || text[i] > '9')
            return -1;
        value = value * 10 + (text[i] - '0');
    }
    return value;
}

static bool read_date(const char *text, size_t len, struct date *date)
{
    if (len != DATE_LEN || text[4] != '-' || text[7] != '-')
        return false;
    *date = (struct date){read_digits(text, 4), read_digits(text + 5, 2),
                          read_digits(text + 8, 2)};
    return is_valid(date->year, date->month, date->day);
}

static struct date arg_date(lua_State *L, int arg, const char *function)
{
    struct date date;
    size_t len;
    const char *text = lib_arg_text(L, arg, function, &len);

    if (!read_date(text, len, &date))
        sandbox_error(L, "%s: '%.20s' is no date such as 2026-11-22", function,
                      text);
    return date;
}

/* Days since 1970-01-01: years begin in March, so that a leap day is last. */
static int64_t days_of(struct date date)
{
    int64_t year = date.year - (date.month <= 2);
    int64_t month = (date.month + 9) % 12;
    int64_t day_of_year = (153 * month + 2) / 5 + date.day - 1;
    return year * 365 + year / 4 - year / 100 + year / 400 + day_of_year -
           719468;
}

static struct date date_of(int64_t days)
{
    int64_t shifted = days + 719468;
    int64_t era = shifted / 146097;
    int64_t in_era = shifted % 146097;
    int64_t year =
        (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
    int64_t in_year = in_era - (365 * year + year / 4 - year / 100);
    int64_t month = (5 * in_year + 2) / 153;
    struct date date = {
        .year = (int)(year + era * 400 + (month >= 10)),
        .month = (int)(month < 10 ? month + 3 : month - 9),
        .day = (int)(in_year - (153 * month + 2) / 5 + 1),
    };
    return date;
}

static int push_date(lua_State *L, struct date date)
{
    char text[40];

    snprintf(text, sizeof(text), "%04d-%02d-%02d", date.year, date.month,
             date.day);
    lua_pushlstring(L, text, DATE_LEN);
    return 1;
}

static int push_days(lua_State *L, int64_t days, const char *function)
{
    int64_t first = days_of((struct date){1, 1, 1});
    int64_t last = days_of((struct date){9999, 12, 31});

    if (days < first || days > last)
        return sandbox_error(L,
                             "%s: the date is not within 0001-01-01 to "
                             "9999-12-31",
                             function);
    return push_date(L, date_of(days));
}

static int valid(lua_State *L)
{
    struct date date;
    size_t len;
    bool is_date = lua_type(L, 1) == LUA_TSTRING;

    if (is_date) {
        const char *text = lua_tolstring(L, 1, &len);
        is_date = read_date(text, len, &date);
    }
    lua_pushboolean(L, is_date);
    return 1;
}

/* parse(date): year, month, day. */
static int parse(lua_State *L)
{
    struct date date = arg_date(L, 1, "ate.date.parse");

    lua_pushinteger(L, date.year);
    lua_pushinteger(L, date.month);
    lua_pushinteger(L, date.day);
    return 3;
}

/* of(year, month, day): the date as a text. */
static int of(lua_State *L)
{
    int64_t year = lib_arg_integer(L, 1, "ate.date.of");
    int64_t month = lib_arg_integer(L, 2, "ate.date.of");
    int64_t day = lib_arg_integer(L, 3, "ate.date.of");

    if (!is_valid(year, month, day))
        return sandbox_error(L, "ate.date.of: there is no such day");
    return push_date(L, (struct date){(int)year, (int)month, (int)day});
}

static int month(lua_State *L)
{
    arg_date(L, 1, "ate.date.month");
    lua_pushlstring(L, lua_tostring(L, 1), MONTH_LEN);
    return 1;
}

static int year(lua_State *L)
{
    lua_pushinteger(L, arg_date(L, 1, "ate.date.year").year);
    return 1;
}

static int day(lua_State *L)
{
    lua_pushinteger(L, arg_date(L, 1, "ate.date.day").day);
    return 1;
}

/* weekday(date): 1 is Monday, 7 is Sunday. 1970-01-01 was a Thursday. */
static int weekday(lua_State *L)
{
    int64_t days = days_of(arg_date(L, 1, "ate.date.weekday"));
    lua_pushinteger(L, (lua_Integer)(((days + 3) % 7 + 7) % 7 + 1));
    return 1;
}

static int add_days(lua_State *L)
{
    int64_t days = days_of(arg_date(L, 1, "ate.date.add_days"));
    int64_t more = lib_arg_integer(L, 2, "ate.date.add_days");
    return push_days(L, days + more, "ate.date.add_days");
}

/* days_between(from, to): negative when `to` is earlier. */
static int days_between(lua_State *L)
{
    int64_t from = days_of(arg_date(L, 1, "ate.date.days_between"));
    int64_t to = days_of(arg_date(L, 2, "ate.date.days_between"));
    lua_pushnumber(L, (double)(to - from));
    return 1;
}

/* of_time(ms): the day in UTC. */
static int of_time(lua_State *L)
{
    int64_t ms = lib_arg_integer(L, 1, "ate.date.of_time");
    int64_t days = ms / DAY_MS - (ms % DAY_MS < 0);
    return push_days(L, days, "ate.date.of_time");
}

/* to_time(date): its first millisecond in UTC. */
static int to_time(lua_State *L)
{
    int64_t days = days_of(arg_date(L, 1, "ate.date.to_time"));
    lib_push_integer(L, days * DAY_MS, "ate.date.to_time");
    return 1;
}

static const luaL_Reg date_functions[] = {
    {"valid", valid},     {"parse", parse},
    {"of", of},           {"month", month},
    {"year", year},       {"day", day},
    {"weekday", weekday}, {"add_days", add_days},
    {"of_time", of_time}, {"days_between", days_between},
    {"to_time", to_time}, {NULL, NULL},
};

const struct library lib_date = {"ate.date", date_functions, NULL};

static const luaL_Reg time_functions[] = {{NULL, NULL}};

static const struct lib_constant time_constants[] = {
    {"second", 1000},  {"minute", 60000},   {"hour", 3600000},
    {"day", 86400000}, {"week", 604800000}, {NULL, 0},
};

const struct library lib_time = {"ate.time", time_functions, time_constants};
