/* The library that Lua sees: each line of a table is an expression and its
 * value as text, or the error it gives. */
#include <lauxlib.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sandbox/lib.h"
#include "sandbox/sandbox.h"

struct line {
    const char *expression;
    const char *value;
};

static const char head[] = "local ate = require('ate')\n"
                           "local int, date, text = ate.int, ate.date, "
                           "ate.text\n"
                           "local function list(...)\n"
                           "    local t = {...}\n"
                           "    for i = 1, select('#', ...) do\n"
                           "        t[i] = tostring(t[i])\n"
                           "    end\n"
                           "    return table.concat(t, ' ')\n"
                           "end\n"
                           "return function() return list(";

/* The value of `expression`, or "!" and the error without its place. */
static void evaluate(const char *expression, char *value, size_t cap)
{
    struct sandbox *s = sandbox_new((struct sandbox_limits){0}, NULL, NULL);
    struct buf source = {0};
    struct err err;
    int ref;

    buf_printf(&source, "%s%s) end", head, expression);
    struct sandbox_module module = {.file = "test.lua",
                                    .source = buf_bytes(&source)};
    int rc = sandbox_load_source(s, "test", &module, &ref, &err);
    if (rc == 0) {
        assert_int_equal(sandbox_seal(s, &err), 0);
        sandbox_begin(s);
        rc = sandbox_call(s, ref, 0, 1, &err);
    }
    if (rc == 0) {
        snprintf(value, cap, "%s", lua_tostring(sandbox_L(s), -1));
    } else {
        const char *colon = strstr(err.text, ": ");
        snprintf(value, cap, "!%s", colon == NULL ? err.text : colon + 2);
    }
    sandbox_free(s);
    buf_deinit(&source);
}

/* `count` lines; an error's text need only begin as the line says. */
static void check(const struct line *lines, size_t count)
{
    char value[2048];

    for (size_t i = 0; i < count; i++) {
        evaluate(lines[i].expression, value, sizeof(value));
        const char *want = lines[i].value;
        bool same = want[0] == '!' ? strncmp(value, want, strlen(want)) == 0
                                   : strcmp(value, want) == 0;
        if (!same)
            fail_msg("%s is '%s', not '%s'", lines[i].expression, value, want);
    }
}

#define CHECK(lines) check(lines, sizeof(lines) / sizeof(lines[0]))

static void base_is_lua_without_surprises(void **state)
{
    static const struct line lines[] = {
        {"type(nil), type(1), type('x'), type({}), type(type)",
         "nil number string table function"},
        {"select('#', nil, nil), select(2, 'a', 'b')", "2 b"},
        {"tostring(1), tostring(true), tostring('x'), tostring(nil)",
         "1 true x nil"},
        {"9007199254740992, -9007199254740992, 123456789012345",
         "9007199254740992 -9007199254740992 123456789012345"},
        {"0.5, 1e100, -1 / 0, 0 / 0, -(0 / 0)", "0.5 1e+100 -inf nan nan"},
        {"tonumber('12'), tonumber(' -7 '), tonumber('2.5e1'), tonumber(3)",
         "12 -7 25 3"},
        {"tonumber('ff', 16), tonumber('zz', 36), tonumber('102', 2)",
         "255 1295 nil"},
        {"tonumber(''), tonumber('-'), tonumber('.'), tonumber('1e')",
         "nil nil nil nil"},
        {"tonumber('9007199254740993')", "9007199254740992"},
        {"tonumber({}), tonumber(nil)", "nil nil"},
        {"unpack({1, 2, 3})", "1 2 3"},
        {"unpack({1, 2, 3}, 2, 4)", "2 3 nil"},
        {"assert(1, 2)", "1 2"},
        {"assert(false, 'no')", "!no"},
        {"assert(nil)", "!assertion failed"},
        {"error('boo')", "!boo"},
        {"#{1, 2, 3}, #{0} * 7 % 3, -7 % #{1, 2, 3}, 7 / 2", "3 1 2 3.5"},
    };
    (void)state;
    CHECK(lines);
}

static void texts_have_methods(void **state)
{
    static const struct line lines[] = {
        {"('hello'):sub(2, 3), ('hello'):sub(-2), ('hello'):sub(9)", "el lo "},
        {"('hello'):sub(0), ('hello'):sub(3, 2), ('hello'):sub(2, -2)",
         "hello  ell"},
        {"('abc'):len(), #'abc', ('a\\0b'):len()", "3 3 3"},
        {"('abc'):byte(), ('abc'):byte(2), ('abc'):byte(1, -1)",
         "97 98 97 98 99"},
        {"('abc'):byte(9)", ""},
        {"string.char(104, 105), string.char()", "hi "},
        {"('ab'):rep(3), ('ab'):rep(0), ('ab'):rep(-1)", "ababab  "},
        {"('MiX\\195\\132'):lower(), ('MiX'):upper()", "mix\xc3\x84 MIX"},
        {"('a.b.c'):find('.'), ('a.b.c'):find('.', 3), ('abc'):find('x')",
         "2 4 nil"},
        {"('a.b.c'):find('.', 3)", "4 4"},
        {"('abc'):find(''), ('abc'):find('', 4), ('abc'):find('', 5)",
         "1 4 nil"},
        {"('abcabc'):find('c', -2)", "6 6"},
        {"unpack(('a,b,,c'):split(','))", "a b  c"},
        {"unpack(('a, b, c'):split(', ', 2))", "a b, c"},
        {"#(''):split(','), (''):split(',')[1]", "1 "},
        {"('hello'):starts('he'), ('hello'):starts('lo'), ('x'):starts('')",
         "true false true"},
        {"('hello'):ends('lo'), ('hello'):ends('he'), ('lo'):ends('hello')",
         "true false false"},
        {"'[' .. ('  a b\\t\\n'):trim() .. ']', '[' .. (' '):trim() .. ']'",
         "[a b] []"},
        {"('%d|%5d|%-5d|%05d|%x'):format(42, 42, 42, -42, 255)",
         "42|   42|42   |-0042|ff"},
        {"('%s|%5s|%-5s|%.2s|%%'):format('abc', 'ab', 'ab', 'abc')",
         "abc|   ab|ab   |ab|%"},
        {"('%s %s %s'):format(1, true, 9007199254740992)",
         "1 true 9007199254740992"},
        {"#('%s'):format(('x'):rep(60000))", "60000"},
        {"('%d'):format(1.5)", "!string.format: argument 2 must be"},
        {"('%5.1f'):format(1)", "!string.format: knows %d, %x, %s and %%"},
        {"('x'):gsub('x', 'y')", "!`string.gsub` is not available here"},
        {"('x').y", "!`string.y` is not available here"},
        {"string.sub({}, 1)", "!string.sub: argument 1 must be a text, got "
                              "table"},
        {"('x'):rep(1, 2), 'a' < 'b', 'Z' < 'a', '' < 'a'", "x true true true"},
    };
    (void)state;
    CHECK(lines);
}

/* Values of statements: a function is called at once. */
#define DO(body) "(function() " body " end)()"

static void tables_behave(void **state)
{
    static const struct line lines[] = {
        {DO("local t = {} table.insert(t, 'a') table.insert(t, 1, 'b') "
            "table.insert(t, 2, 'c') return unpack(t)"),
         "b c a"},
        {DO("local t = {1, 2, 3} return table.remove(t), table.remove(t, 1), "
            "#t, t[1]"),
         "3 1 1 2"},
        {"table.remove({})", ""},
        {"table.insert({}, 3, 1)", "!table.insert: position 3 is not"},
        {"table.insert({}, nil)", ""},
        {"table.insert({})", "!table.insert: takes a list"},
        {"table.concat({1, 'b', 2.5}, '-'), table.concat({})", "1-b-2.5 "},
        {"table.concat({'a', 'b', 'c'}, ',', 2, 3)", "b,c"},
        {"table.concat({9007199254740992})", "9007199254740992"},
        {"table.concat({{}})", "!table.concat: element 1 is a table"},
        {DO("local t = {3, 1, 2} table.sort(t) return unpack(t)"), "1 2 3"},
        {DO("local t = {'b', 'a', 'B', ''} table.sort(t) return unpack(t)"),
         " B a b"},
        {DO("local t = {3, 1, 2} table.sort(t, function(a, b) return a > b "
            "end) return unpack(t)"),
         "3 2 1"},
        /* Equal ones stay in their order. */
        {DO("local t = {'b1', 'a1', 'b2', 'a2', 'b3'} table.sort(t, "
            "function(x, y) return x:sub(1, 1) < y:sub(1, 1) end) "
            "return unpack(t)"),
         "a1 a2 b1 b2 b3"},
        {DO("local t = {} for i = 1, 1000 do t[i] = i * 7919 % 1009 end "
            "table.sort(t) for i = 2, 1000 do assert(t[i - 1] <= t[i]) end "
            "return #t"),
         "1000"},
        {DO("local t = {} for i = 1, 1000 do t[i] = i * 7919 % 1009 end "
            "table.sort(t, function(a, b) return a > b end) "
            "for i = 2, 1000 do assert(t[i - 1] >= t[i]) end return #t"),
         "1000"},
        {DO("local t = {} table.sort(t) table.sort(t, function() end) "
            "return #t"),
         "0"},
        {"table.unpack({1, 2})", "1 2"},
        {"table.getn({})", "!`table.getn` is not available here: write"},
    };
    (void)state;
    CHECK(lines);
}

static void each_goes_in_order(void **state)
{
    static const struct line lines[] = {
        {DO("local s = '' for k, v in ate.each({b = 1, a = 2, [10] = 3, "
            "[2] = 4, [-1] = 5, [0.5] = 6, B = 7}) do s = s .. k .. '=' .. v "
            ".. ' ' end return s"),
         "-1=5 0.5=6 2=4 10=3 B=7 a=2 b=1 "},
        {DO("local s = '' for k in ate.each({}) do s = s .. k end return s"),
         ""},
        {DO("local s = '' for k, v in ate.each({'x', 'y'}) do s = s .. k .. v "
            "end return s"),
         "1x2y"},
        {DO("local s, t = '', {} for i = 1, 300 do t['k' .. i * 77 % 307] = i "
            "end local last = '' for k in ate.each(t) do assert(last < k) "
            "last = k end return last"),
         "k99"},
        {"ate.each({[true] = 1})", "!ate.each: a key is a boolean"},
    };
    (void)state;
    CHECK(lines);
}

static void integers_are_exact_or_an_error(void **state)
{
    static const struct line lines[] = {
        {"int.add(1, 2), int.add(1, 2, 3), int.sub(1, 2), int.neg(5)",
         "3 6 -1 -5"},
        {"int.max, int.min, int.add(int.max, int.min)",
         "9007199254740992 -9007199254740992 0"},
        {"int.add(int.max, 1, -1)", "9007199254740992"},
        {"int.add(int.max, 1)", "!ate.int.add: the result is beyond 2^53"},
        {"int.sub(int.min, 1)", "!ate.int.sub: the result is beyond 2^53"},
        {"int.mul(94906265, 94906265), int.mul(-3, 4)", "9007199136250225 -12"},
        {"int.mul(94906266, 94906266)", "!ate.int.mul: the result is beyond"},
        {"int.div(7, 2), int.div(-7, 2), int.div(7, -2), int.div(-7, -2)",
         "3 -4 -4 3"},
        {"int.mod(7, 2), int.mod(-7, 2), int.mod(7, -2), int.mod(-7, -2)",
         "1 1 -1 -1"},
        {"int.div(1, 0)", "!ate.int.div: division by zero"},
        {"int.mod(1, 0)", "!ate.int.mod: division by zero"},
        {"int.muldiv(int.max, int.max, int.max), int.muldiv(-7, 3, 2)",
         "9007199254740992 -11"},
        {"int.muldiv(1, 1, 0)", "!ate.int.muldiv: division by zero"},
        {"int.pow(2, 53), int.pow(-2, 3), int.pow(0, 0), int.pow(0, 5)",
         "9007199254740992 -8 1 0"},
        {"int.pow(-1, 2), int.pow(-1, 3), int.pow(1, int.max)", "1 -1 1"},
        {"int.pow(2, 54)", "!ate.int.pow: the result is beyond 2^53"},
        {"int.pow(2, -1)", "!ate.int.pow: the exponent is negative"},
        {"int.abs(-5), int.abs(5), int.abs(int.min)", "5 5 9007199254740992"},
        {"int.cmp(1, 2), int.cmp(2, 2), int.cmp(3, 2)", "-1 0 1"},
        {"int.sum({1, 2, 3}), int.sum({})", "6 0"},
        {"int.sum({1, 0.5})", "!ate.int.sum: element 2 is not an integer"},
        {"int.is(1), int.is(0.5), int.is('1'), int.is(2 * int.max)",
         "true false false false"},
        {"int.add(1)", "!ate.int.add: argument 2 must be an integer"},
        {"int.add('1', 2)", "!ate.int.add: argument 1 must be an integer of "
                            "at most 2^53, got string"},
        {"int.add(0.1, 2)", "!ate.int.add: argument 1 must be an integer of "
                            "at most 2^53, got 0.1"},
    };
    (void)state;
    CHECK(lines);
}

static void math_and_bits_are_plain(void **state)
{
    static const struct line lines[] = {
        {"math.floor(1.5), math.floor(-1.5), math.ceil(1.5), math.abs(-2)",
         "1 -2 2 2"},
        {"math.min(3, 1, 2), math.max(3, 1, 2), math.fmod(-7, 3)", "1 3 -1"},
        {"math.fmod(1, 0)", "!math.fmod: division by zero"},
        {"math.min()", "!math.min: argument 1 must be a number, got nil"},
        {"math.sqrt(2)", "!`math.sqrt` is not available here: use integers"},
        {"bit.band(0xff, 0x0f), bit.bor(1, 2, 4), bit.bxor(5, 1)", "15 7 4"},
        {"bit.bnot(0), bit.tobit(0xffffffff), bit.lshift(1, 31)",
         "-1 -1 -2147483648"},
        {"bit.rshift(-1, 28), bit.arshift(-16, 2), bit.arshift(16, 2)",
         "15 -4 4"},
        {"bit.arshift(-1, 0), bit.arshift(-1, 31), bit.rshift(1, 32)",
         "-1 -1 1"},
        {"bit.rol(0x12345678, 8) == 0x34567812, bit.ror(1, 1), bit.rol(1, 0)",
         "true -2147483648 1"},
        {"bit.band(0.5, 1)", "!bit.band: argument 1 must be an integer"},
    };
    (void)state;
    CHECK(lines);
}

static void dates_are_of_the_calendar(void **state)
{
    static const struct line lines[] = {
        {"date.month('2026-11-22'), date.year('2026-11-22'), "
         "date.day('2026-11-22')",
         "2026-11 2026 22"},
        {"date.parse('2026-11-22')", "2026 11 22"},
        {"date.of(2024, 2, 29), date.of(1, 1, 1)", "2024-02-29 0001-01-01"},
        {"date.of(2023, 2, 29)", "!ate.date.of: there is no such day"},
        {"date.valid('2024-02-29'), date.valid('2023-02-29'), "
         "date.valid('1900-02-29'), date.valid('2000-02-29')",
         "true false false true"},
        {"date.valid('2026-1-1'), date.valid('2026-13-01'), date.valid(5), "
         "date.valid('0000-01-01'), date.valid('2026-11-22x')",
         "false false false false false"},
        {"date.add_days('2026-11-22', 40), date.add_days('2024-03-01', -1)",
         "2027-01-01 2024-02-29"},
        {"date.add_days('2026-01-01', 365 * 400 + 97)", "2426-01-01"},
        {"date.days_between('2026-11-22', '2027-11-22'), "
         "date.days_between('2026-11-22', '2026-11-21')",
         "365 -1"},
        {"date.days_between('0001-01-01', '9999-12-31')", "3652058"},
        {"date.of_time(0), date.of_time(86399999), date.of_time(86400000), "
         "date.of_time(-1)",
         "1970-01-01 1970-01-01 1970-01-02 1969-12-31"},
        {"date.to_time('1970-01-02'), date.to_time('2026-11-22')",
         "86400000 1795305600000"},
        {"date.of_time(date.to_time('0001-01-01'))", "0001-01-01"},
        {"date.weekday('2026-11-22'), date.weekday('1970-01-01'), "
         "date.weekday('1969-12-29'), date.weekday('0001-01-01')",
         "7 4 1 1"},
        {"date.month('2026-11')", "!ate.date.month: '2026-11' is no date"},
        {"ate.time.second, ate.time.minute, ate.time.hour, ate.time.day, "
         "ate.time.week",
         "1000 60000 3600000 86400000 604800000"},
    };
    (void)state;
    CHECK(lines);
}

/* Day by day through the years in which all rules of leap years show. */
/* A number has one text, whoever makes it. On other machines 0 / 0 has another
 * sign, and Lua's own `..` shows it. */
static void numbers_have_one_text(void **state)
{
    static const struct line numbers[] = {
        {"0", "0"},
        {"-0", "0"},
        {"1 / (1 / 0 * -1)", "0"},
        {"-7", "-7"},
        {"1e15", "1000000000000000"},
        {"123456789012345", "123456789012345"},
        {"2 * 2 * 1125899906842624 * 2", "9007199254740992"},
        {"-9007199254740992", "-9007199254740992"},
        {"1e17", "100000000000000000"},
        {"999999999999999872", "999999999999999872"},
        {"1e18", "1e+18"},
        {"1e300", "1e+300"},
        {"0.1", "0.1"},
        {"1 / 3", "0.33333333333333"},
        {"2 / 3 * 1e6", "666666.66666667"},
        {"-1.5e-7", "-1.5e-07"},
        {"1e-310", "1e-310"},
        {"0.0001", "0.0001"},
        {"0.00001", "1e-05"},
        {"12345.6789", "12345.6789"},
        {"1.5e100", "1.5e+100"},
        {"1e14 + 0.5", "1e+14"},
        {"99999999999999.9", "1e+14"},
        {"1 / 0", "inf"},
        {"-1 / 0", "-inf"},
        {"0 / 0", "nan"},
        {"-(0 / 0)", "nan"},
        {"1 / 0 - 1 / 0", "nan"},
    };
    static const char *const ways[] = {
        "(%s) .. ''",         "'' .. (%s)",
        "tostring(%s)",       "string.format('%%s', %s)",
        "table.concat({%s})",
    };
    char expression[128], value[128];

    (void)state;
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        for (size_t k = 0; k < sizeof(ways) / sizeof(ways[0]); k++) {
            /* Not a constant: nothing is worked out by the compiler. */
            snprintf(expression, sizeof(expression), ways[k],
                     numbers[i].expression);
            evaluate(expression, value, sizeof(value));
            if (strcmp(value, numbers[i].value) != 0)
                fail_msg("%s is %s, not %s", expression, value,
                         numbers[i].value);
        }
}

/* The 14 digits of C, wherever a point is a point. */
static void fractions_are_written_as_by_c(void **state)
{
    char text[LIB_NUMBER_TEXT], wanted[64];
    uint64_t bits = 1;

    (void)state;
    for (int i = 0; i < 200000; i++) {
        double number;
        bits = bits * 6364136223846793005u + 1442695040888963407u;
        uint64_t mixed = bits ^ bits >> 29;
        memcpy(&number, &mixed, sizeof(number));
        if (i % 4 == 1) /* of few digits, and of a usual size */
            number = (double)(int64_t)(mixed % 2000001) / 1000 - 1000;
        else if (i % 4 == 2)
            number = (double)(mixed % 1000000007) * 1e-9;
        if (!isfinite(number) ||
            (number == floor(number) && fabs(number) < 1e18))
            continue;
        size_t len = lib_number_text(text, number);
        snprintf(wanted, sizeof(wanted), "%.14g", number);
        assert_string_equal(text, wanted);
        assert_int_equal(len, strlen(wanted));
    }
}

static void texts_are_joined(void **state)
{
    static const struct line lines[] = {
        {"'a' .. 'b', 'a' .. 1 .. 'b' .. 2.5", "ab a1b2.5"},
        {"'' .. ''", ""},
        {"#(('x'):rep(65535) .. 'y')", "65536"},
        {"#(('x'):rep(65535) .. 10)", "!..: the text would have more than"},
        {"'a' .. nil", "!attempt to concatenate a nil value"},
        {"'a' .. true", "!attempt to concatenate a boolean value"},
        {"(function(t) return 'a' .. t.b end)({b = {}})",
         "!attempt to concatenate field 'b' (a table value)"},
        {"(function(a, b) return a .. 'x' .. b end)('x')",
         "!attempt to concatenate local 'b' (a nil value)"},
        {"(function(...) return select('#', 1, ('a' .. 'b'), ...) end)(1, 2)",
         "4"},
    };
    (void)state;
    CHECK(lines);
}

/* A hundred parts in one expression, and more than a function has slots for. */
static void many_texts_are_joined(void **state)
{
    char value[2048];
    struct buf expression = {0};

    (void)state;
    buf_put_text(&expression, "#(''");
    for (int i = 0; i < 100; i++)
        buf_printf(&expression, " .. %d", i);
    buf_put_text(&expression, ")");
    evaluate(buf_text(&expression), value, sizeof(value));
    assert_string_equal(value, "190");
    buf_clear(&expression);
    buf_put_text(&expression, "''");
    for (int i = 0; i < 150; i++)
        buf_put_text(&expression, " .. ''");
    evaluate(buf_text(&expression), value, sizeof(value));
    assert_string_equal(value, "!the function is too long: make it two");
    buf_deinit(&expression);
}

static void every_day_follows_the_one_before(void **state)
{
    static const struct line lines[] = {
        {DO("local d = '1999-12-31' for i = 1, 800 do "
            "local n = date.add_days(d, 1) "
            "assert(d < n and date.valid(n)) "
            "assert(date.days_between(d, n) == 1) "
            "assert(date.of_time(date.to_time(n)) == n) "
            "d = n end return d"),
         "2002-03-10"},
        {DO("local d = '1899-12-31' for i = 1, 100 do "
            "d = date.add_days(d, 1) end return d"),
         "1900-04-10"},
    };
    (void)state;
    CHECK(lines);
}

static void texts_hash_and_hex(void **state)
{
    static const struct line lines[] = {
        {"ate.hash.sha256('abc')", "ba7816bf8f01cfea414140de5dae2223b00361a396"
                                   "177a9cb410ff61f20015ad"},
        {"text.len('\\195\\164bc'), text.len('\\255'), text.len('')",
         "3 nil 0"},
        {"text.valid('\\195\\164'), text.valid('\\195')", "true false"},
        {"text.is_name('books'), text.is_name('.a'), text.is_name('a/b'), "
         "text.is_name('')",
         "true false false false"},
        {"text.hex('\\0\\255a'), text.unhex('00ff61') == '\\0\\255a'",
         "00ff61 true"},
        {"text.unhex('0'), text.unhex('zz'), text.unhex('')", "nil nil "},
        {"text.replace('a.b.c', '.', '::'), text.replace('aaa', 'aa', 'b')",
         "a::b::c ba"},
        {"text.replace('abc', 'x', 'y'), text.replace('abc', 'abc', '')",
         "abc "},
        {"ate.hash.md5('x')", "!`ate.hash.md5` is not available here"},
    };
    (void)state;
    CHECK(lines);
}

/* Work is charged by what it moves, not by the call. */
static uint64_t gas_of(const char *expression)
{
    struct sandbox *s = sandbox_new((struct sandbox_limits){0}, NULL, NULL);
    struct buf source = {0};
    struct err err;
    int ref;

    buf_printf(&source, "%s%s) end", head, expression);
    struct sandbox_module module = {.file = "test.lua",
                                    .source = buf_bytes(&source)};
    assert_int_equal(sandbox_load_source(s, "test", &module, &ref, &err), 0);
    assert_int_equal(sandbox_seal(s, &err), 0);
    sandbox_begin(s);
    if (sandbox_call(s, ref, 0, 0, &err) != 0)
        fail_msg("%s: %s", expression, err.text);
    uint64_t gas = sandbox_gas_used(s);
    sandbox_free(s);
    buf_deinit(&source);
    return gas;
}

static void work_is_charged_by_its_size(void **state)
{
    static const char *const pairs[][2] = {
        {"#('x'):rep(10)", "#('x'):rep(60000)"},
        {"#(('x'):rep(60000):sub(1, 1))", "#(('x'):rep(60000):sub(2))"},
        {"#(('x'):rep(100):upper())", "#(('x'):rep(60000):upper())"},
        {"('x'):rep(60000):find('x')", "('x'):rep(60000):find('xy')"},
        {"ate.hash.sha256('x')", "ate.hash.sha256(('x'):rep(60000))"},
        {"#(',,'):split(',')", "#((','):rep(3000):split(','))"},
        {"text.replace('x', 'x', 'y') == ''",
         "text.replace(('x'):rep(30000), 'x', 'y') == ''"},
        {"#table.concat({'x', 'y'})",
         "#table.concat({('x'):rep(30000), ('y'):rep(30000)})"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        uint64_t little = gas_of(pairs[i][0]), much = gas_of(pairs[i][1]);
        if (i == 3) /* both look through the whole text */
            assert_true(little >= 60000 / SANDBOX_BYTES_STEP);
        else if (much < little + 1000)
            fail_msg("%s: %llu, %s: %llu", pairs[i][0],
                     (unsigned long long)little, pairs[i][1],
                     (unsigned long long)much);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(base_is_lua_without_surprises),
        cmocka_unit_test(texts_have_methods),
        cmocka_unit_test(tables_behave),
        cmocka_unit_test(each_goes_in_order),
        cmocka_unit_test(integers_are_exact_or_an_error),
        cmocka_unit_test(math_and_bits_are_plain),
        cmocka_unit_test(dates_are_of_the_calendar),
        cmocka_unit_test(numbers_have_one_text),
        cmocka_unit_test(fractions_are_written_as_by_c),
        cmocka_unit_test(texts_are_joined),
        cmocka_unit_test(many_texts_are_joined),
        cmocka_unit_test(every_day_follows_the_one_before),
        cmocka_unit_test(texts_hash_and_hex),
        cmocka_unit_test(work_is_charged_by_its_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
