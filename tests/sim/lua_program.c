#include "sim/lua_program.h"

#include "sim/rng.h"

enum { DEPTH_MAX = 4, STATEMENTS = 40 };

struct writer {
    struct buf *out;
    struct rng rng;
};

static uint64_t below(struct writer *w, uint64_t n)
{
    return rng_below(&w->rng, n);
}

static void put(struct writer *w, const char *text)
{
    buf_put_text(w->out, text);
}

#define PICK(w, list) put(w, (list)[below(w, sizeof(list) / sizeof((list)[0]))])

static void number(struct writer *w, int depth);
static void text(struct writer *w, int depth);
static void statement(struct writer *w, int depth);

static void table(struct writer *w)
{
    static const char *const tables[] = {"a", "b", "c", "kept"};
    PICK(w, tables);
}

/* A value that is the key of a table. */
static void key(struct writer *w)
{
    static const char *const others[] = {"0.5", "-1", "true", "0", "1e15",
                                         "-0",  "a",  "n",    "2"};
    switch (below(w, 5)) {
    case 0:
    case 1:
        buf_printf(w->out, "%u", (unsigned)below(w, 9) + 1);
        return;
    case 2:
    case 3:
        buf_printf(w->out, "'k%u'", (unsigned)below(w, 9));
        return;
    default:
        PICK(w, others);
    }
}

static void value(struct writer *w, int depth)
{
    switch (below(w, 6)) {
    case 0:
        put(w, "nil");
        return;
    case 1:
        put(w, rng_coin(&w->rng) ? "{1, nil, 3}" : "{x = 1, 2}");
        return;
    case 2:
    case 3:
        text(w, depth);
        return;
    default:
        number(w, depth);
    }
}

static void two_numbers(struct writer *w, int depth, const char *between)
{
    put(w, "(");
    number(w, depth + 1);
    put(w, between);
    number(w, depth + 1);
    put(w, ")");
}

static void number(struct writer *w, int depth)
{
    static const char *const plain[] = {
        "0",     "1",   "2",   "7",      "-3",   "2.5", "1e15",
        "1e300", "0.1", "1/3", "(0/0)",  "huge", "-0",  "9007199254740992",
        "n",     "m",   "n",   "count",  "#s",   "#a",  "#b",
        "#kept", "#c",  "10",  "123456", "1e18",
    };
    static const char *const operators[] = {
        " + ", " - ", " * ", " / ", " + n % ", /* of two numbers is refused */
    };
    switch (depth >= DEPTH_MAX ? 0 : below(w, 9)) {
    case 1:
    case 2:
        put(w, "(");
        number(w, depth + 1);
        PICK(w, operators);
        number(w, depth + 1);
        put(w, ")");
        return;
    case 3:
        put(w, "select('#', unpack(");
        table(w);
        put(w, "))");
        return;
    case 4:
        put(w, rng_coin(&w->rng) ? "math.max" : "math.fmod");
        two_numbers(w, depth, ", ");
        return;
    case 5:
        put(w, "(tonumber(");
        text(w, depth + 1);
        put(w, ") or 4)");
        return;
    case 6:
        put(w, "#(");
        text(w, depth + 1);
        put(w, ")");
        return;
    case 7:
        put(w, "math.floor(");
        number(w, depth + 1);
        put(w, ")");
        return;
    default:
        PICK(w, plain);
    }
}

static void text(struct writer *w, int depth)
{
    static const char *const plain[] = {"''",   "'x'", "'10'",  "'0x1p4'",
                                        "s",    "s",   "'k1'",  "'\\0\\255'",
                                        "' 5'", "r",   "'nan'", "'Zz'"};
    switch (depth >= DEPTH_MAX ? 0 : below(w, 9)) {
    case 1:
    case 2:
        put(w, "(");
        text(w, depth + 1);
        put(w, " .. ");
        if (rng_coin(&w->rng))
            number(w, depth + 1);
        else
            text(w, depth + 1);
        put(w, ")");
        return;
    case 3:
        put(w, "tostring(");
        number(w, depth + 1);
        put(w, ")");
        return;
    case 4:
        put(w, "(");
        text(w, depth + 1);
        buf_printf(w->out, "):sub(%d, %d)", (int)below(w, 6) - 3,
                   (int)below(w, 9) - 3);
        return;
    case 5:
        put(w, "(");
        text(w, depth + 1);
        buf_printf(w->out, "):rep(%u)", (unsigned)below(w, 4));
        return;
    case 6:
        put(w, "string.format('%s/%5s', ");
        number(w, depth + 1);
        put(w, ", ");
        text(w, depth + 1);
        put(w, ")");
        return;
    case 7:
        put(w, "show(");
        table(w);
        put(w, ")");
        return;
    default:
        PICK(w, plain);
    }
}

static void condition(struct writer *w, int depth)
{
    static const char *const compare[] = {" < ",  " <= ", " > ",
                                          " >= ", " == ", " ~= "};
    bool numbers = rng_coin(&w->rng);
    for (int i = 0; i < 2; i++) {
        if (numbers)
            number(w, depth + 1);
        else
            text(w, depth + 1);
        if (i == 0)
            PICK(w, compare);
    }
}

static void set(struct writer *w, int depth)
{
    table(w);
    put(w, "[");
    key(w);
    put(w, "] = ");
    value(w, depth);
    put(w, "\n");
}

static void list_function(struct writer *w, int depth)
{
    static const char *const orders[] = {
        ", function(x, y) return #tostring(x) < #tostring(y) end",
        ", function() return true end",
        ", function(x, y) n = n + 1 return n % 3 == 0 end",
        ", function(x, y) a[#a + 1] = n return show(x) < show(y) end",
        "",
    };
    switch (below(w, 5)) {
    case 0:
        put(w, "table.insert(");
        table(w);
        put(w, ", ");
        number(w, depth + 1);
        put(w, ")\n");
        return;
    case 1:
        put(w, "note(table.remove(");
        table(w);
        put(w, "))\n");
        return;
    case 2:
        put(w, "table.sort(plain(");
        table(w);
        put(w, ")");
        PICK(w, orders);
        put(w, ")\n");
        return;
    case 3:
        put(w, "note(table.concat(plain(");
        table(w);
        put(w, "), ','))\n");
        return;
    default:
        table(w);
        put(w, "[#");
        table(w);
        put(w, " + 1] = ");
        number(w, depth + 1);
        put(w, "\n");
    }
}

static void loop(struct writer *w, int depth)
{
    switch (below(w, 3)) {
    case 0:
        put(w, "for i, v in ipairs(");
        table(w);
        put(w, ") do note(i) note(v)\n");
        break;
    case 1:
        put(w, "for k, v in ate.each(keyed(");
        table(w);
        put(w, ")) do note(k) note(v)\n");
        break;
    default:
        buf_printf(w->out, "for i = 1, %u do\n", (unsigned)below(w, 6));
    }
    for (uint64_t i = below(w, 3); i > 0; i--)
        statement(w, depth + 2);
    put(w, "end\n");
}

static void statement(struct writer *w, int depth)
{
    switch (below(w, depth >= DEPTH_MAX ? 6 : 11)) {
    case 0:
    case 1:
        set(w, depth);
        return;
    case 2:
        list_function(w, depth);
        return;
    case 3:
        put(w, rng_coin(&w->rng) ? "n = " : "m = ");
        number(w, depth);
        put(w, "\n");
        return;
    case 4:
        put(w, rng_coin(&w->rng) ? "s = short(" : "r = short(");
        text(w, depth);
        put(w, ")\n");
        return;
    case 5:
        put(w, "note(");
        value(w, depth);
        put(w, ")\n");
        return;
    case 6:
        loop(w, depth);
        return;
    case 7:
        put(w, "if ");
        condition(w, depth);
        put(w, " then\n");
        statement(w, depth + 1);
        put(w, "else\n");
        statement(w, depth + 1);
        put(w, "end\n");
        return;
    case 8:
        put(w, "note((function(x, ...) count = count + 1 return show({...})\n"
               ".. #{...} .. select('#', ...) end)(");
        value(w, depth);
        put(w, ", unpack(");
        table(w);
        put(w, ")))\n");
        return;
    case 9:
        put(w, "do local old = n calls[#calls + 1] = function()\n"
               "old = old + 1 note(old) return ");
        number(w, depth + 1);
        put(w, " end end\n");
        return;
    default:
        put(w, "if #calls > 0 then n = calls[#calls]() end\n");
    }
}

/* What stands around it. Only numbers and texts are joined and compared, most
 * of the time: an error ends the program. */
static const char before[] =
    "local ate = require('ate')\n"
    "local huge, count, kept, calls = 1 / 0, 0, {1, 2, 3, k1 = 5}, {}\n"
    "local trace\n"
    "local function show(x)\n"
    "    if type(x) ~= 'table' then\n"
    "        return type(x) == 'function' and 'f' or tostring(x)\n"
    "    end\n"
    "    local text = '{' .. #x .. ':'\n"
    "    for i = 1, 10 do\n"
    "        text = text .. type(x[i]) .. type(x['k' .. i]) .. ','\n"
    "    end\n"
    "    return text .. '}'\n"
    "end\n"
    "local function note(x) trace[#trace + 1] = show(x) end\n"
    "local function short(text) return text:sub(1, 200) end\n"
    "local function plain(t)\n"
    "    local list = {}\n"
    "    for i, v in ipairs(t) do\n"
    "        list[i] = type(v) == 'table' and #v or v\n"
    "    end\n"
    "    return list\n"
    "end\n"
    "local function keyed(t)\n"
    "    local map = {}\n"
    "    for i = 1, 9 do map[i], map['k' .. i] = t[i], t['k' .. i] end\n"
    "    return map\n"
    "end\n"
    "return function()\n"
    "    trace = {}\n"
    "    local a, b, c = {}, {1, 2, nil, 4, k2 = 2}, {n = 1, 5}\n"
    "    local n, m, s, r = 1, 2.5, 'abc', '12'\n";

static const char after[] =
    "    for _, t in ipairs({a, b, c, kept}) do note(t) end\n"
    "    local all = 0\n"
    "    for i, text in ipairs(trace) do\n"
    "        all = (all * 31 + #text) % 1000003\n"
    "        if text > 'm' then all = all + i end\n"
    "    end\n"
    "    return #trace .. '/' .. all .. '/' .. count .. '/'\n"
    "        .. ate.hash.sha256(short(table.concat(trace, ' ', #trace - 4)))\n"
    "end\n";

void lua_program(struct buf *out, uint64_t seed)
{
    struct writer w = {.out = out, .rng = {.state = seed}};
    put(&w, before);
    for (int i = 0; i < STATEMENTS; i++)
        statement(&w, 0);
    put(&w, after);
}
