/* Functions of texts, also as methods: ("x"):rep(3). None takes a pattern. */
#define _GNU_SOURCE /* memmem */
#include <stdio.h>
#include <string.h>

#include "sandbox/lib.h"
#include "sandbox/sandbox.h"

enum { WIDTH_MAX = 99, FORMAT_SMALL = 512 };

static int length(lua_State *L)
{
    size_t len;

    lib_arg_text(L, 1, "string.len", &len);
    lua_pushinteger(L, (lua_Integer)len);
    return 1;
}

/* A position as Lua counts: negative from the end; below the start is 0. */
static int64_t position(int64_t at, size_t len)
{
    if (at >= 0)
        return at;
    at += (int64_t)len + 1;
    return at < 0 ? 0 : at;
}

/* Cut a range to the text; false when nothing of it is left. */
static bool range(lua_State *L, const char *function, size_t len,
                  int64_t otherwise_last, size_t *start, size_t *count)
{
    int64_t first = position(lib_arg_or(L, 2, function, 1), len);
    int64_t last = position(lib_arg_or(L, 3, function, otherwise_last), len);

    if (first < 1)
        first = 1;
    if (last > (int64_t)len)
        last = (int64_t)len;
    *start = (size_t)first - 1;
    *count = first <= last ? (size_t)(last - first + 1) : 0;
    return *count > 0;
}

static int sub(lua_State *L)
{
    size_t len, start, count;
    const char *text = lib_arg_text(L, 1, "string.sub", &len);

    if (!range(L, "string.sub", len, -1, &start, &count)) {
        lua_pushliteral(L, "");
        return 1;
    }
    sandbox_charge_bytes(L, count);
    lua_text_push(L, text + start, count);
    return 1;
}

static int byte(lua_State *L)
{
    size_t len, start, count;
    const char *text = lib_arg_text(L, 1, "string.byte", &len);
    int64_t first = lib_arg_or(L, 2, "string.byte", 1);

    if (!range(L, "string.byte", len, first, &start, &count))
        return 0;
    if (count > LIB_UNPACK_MAX)
        return sandbox_error(L, "string.byte: at most %d values",
                             LIB_UNPACK_MAX);
    sandbox_charge(L, count);
    luaL_checkstack(L, (int)count, "string.byte");
    for (size_t i = 0; i < count; i++)
        lua_pushinteger(L, (unsigned char)text[start + i]);
    return (int)count;
}

static int character(lua_State *L)
{
    char text[256];
    int count = lua_gettop(L);

    if (count > (int)sizeof(text))
        return sandbox_error(L, "string.char: at most %zu values",
                             sizeof(text));
    sandbox_charge(L, (uint64_t)count);
    for (int i = 0; i < count; i++) {
        int64_t value = lib_arg_integer(L, i + 1, "string.char");
        if (value < 0 || value > 255)
            return sandbox_error(L, "string.char: %lld is not a byte",
                                 (long long)value);
        text[i] = (char)value;
    }
    lua_text_push(L, text, (size_t)count);
    return 1;
}

static int rep(lua_State *L)
{
    size_t len;
    const char *text = lib_arg_text(L, 1, "string.rep", &len);
    int64_t count = lib_arg_integer(L, 2, "string.rep");

    if (count <= 0 || len == 0) {
        lua_pushliteral(L, "");
        return 1;
    }
    if (count > LIB_TEXT_MAX)
        lib_charge_text(L, SIZE_MAX, "string.rep");
    size_t total = len * (size_t)count;
    lib_charge_text(L, total, "string.rep");
    char *made = sandbox_scratch(L, total);
    for (size_t at = 0; at < total; at += len)
        memcpy(made + at, text, len);
    lua_text_push(L, made, total);
    sandbox_scratch_free(L, made, total);
    return 1;
}

/* Letters of ASCII between `from` and `from` + 25 become those at `to`. */
static int map_letters(lua_State *L, const char *function, char from, char to)
{
    size_t len;
    const char *text = lib_arg_text(L, 1, function, &len);

    lib_charge_text(L, len, function);
    char *made = sandbox_scratch(L, len);
    for (size_t i = 0; i < len; i++) {
        bool maps = text[i] >= from && text[i] <= from + 25;
        made[i] = maps ? (char)(text[i] - from + to) : text[i];
    }
    lua_text_push(L, made, len);
    sandbox_scratch_free(L, made, len);
    return 1;
}

static int lower(lua_State *L)
{
    return map_letters(L, "string.lower", 'A', 'a');
}

static int upper(lua_State *L)
{
    return map_letters(L, "string.upper", 'a', 'A');
}

static const char *search(const char *text, size_t len, const char *part,
                          size_t part_len)
{
    return part_len == 0 ? text : memmem(text, len, part, part_len);
}

/* find(text, part, first): first and last position, or nil. */
static int find(lua_State *L)
{
    size_t len, part_len;
    const char *text = lib_arg_text(L, 1, "string.find", &len);
    const char *part = lib_arg_text(L, 2, "string.find", &part_len);
    int64_t first = position(lib_arg_or(L, 3, "string.find", 1), len);

    if (first < 1)
        first = 1;
    if (first > (int64_t)len + 1) {
        lua_pushnil(L);
        return 1;
    }
    size_t start = (size_t)first - 1;
    sandbox_charge_bytes(L, len - start + part_len);
    const char *found = search(text + start, len - start, part, part_len);
    if (found == NULL) {
        lua_pushnil(L);
        return 1;
    }
    lua_pushinteger(L, found - text + 1);
    lua_pushinteger(L, found - text + (ptrdiff_t)part_len);
    return 2;
}

/* split(text, separator, most): a list of at most `most` parts, the last of
 * which holds the rest. */
static int split(lua_State *L)
{
    size_t len, between;
    const char *text = lib_arg_text(L, 1, "string.split", &len);
    const char *separator = lib_arg_text(L, 2, "string.split", &between);
    int64_t most = lib_arg_or(L, 3, "string.split", INT64_MAX);
    const char *end = text + len;

    if (between == 0)
        return sandbox_error(L, "string.split: the separator is empty");
    if (most < 1)
        return sandbox_error(L, "string.split: at least one part");
    sandbox_charge_bytes(L, len);
    lua_newtable(L);
    for (int n = 1;; n++) {
        if (n > LIB_LIST_MAX)
            return sandbox_error(L, "string.split: more than %d parts",
                                 LIB_LIST_MAX);
        sandbox_charge(L, 1);
        const char *found = NULL;
        if (n < most)
            found = search(text, (size_t)(end - text), separator, between);
        lua_text_push(L, text, (size_t)((found == NULL ? end : found) - text));
        lua_rawseti(L, -2, n);
        if (found == NULL)
            return 1;
        text = found + between;
    }
}

static int starts(lua_State *L)
{
    size_t len, part_len;
    const char *text = lib_arg_text(L, 1, "string.starts", &len);
    const char *part = lib_arg_text(L, 2, "string.starts", &part_len);

    sandbox_charge_bytes(L, part_len);
    lua_pushboolean(L, part_len <= len && memcmp(text, part, part_len) == 0);
    return 1;
}

static int ends(lua_State *L)
{
    size_t len, part_len;
    const char *text = lib_arg_text(L, 1, "string.ends", &len);
    const char *part = lib_arg_text(L, 2, "string.ends", &part_len);

    sandbox_charge_bytes(L, part_len);
    lua_pushboolean(L, part_len <= len &&
                           memcmp(text + len - part_len, part, part_len) == 0);
    return 1;
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static int trim(lua_State *L)
{
    size_t len;
    const char *text = lib_arg_text(L, 1, "string.trim", &len);
    const char *end = text + len;

    sandbox_charge_bytes(L, len);
    while (text < end && is_space(*text))
        text++;
    while (end > text && is_space(end[-1]))
        end--;
    lua_text_push(L, text, (size_t)(end - text));
    return 1;
}

/* format: %d, %x, %s and %%, with flags `-` and `0`, and a width; %s with a
 * precision too. */

struct spec {
    char verb;
    bool left;
    bool zeros;
    int width;
    int precision; /* -1: none */
};

static int read_width(lua_State *L, const char **at, const char *end)
{
    int width = 0;

    for (; *at < end && **at >= '0' && **at <= '9'; (*at)++) {
        width = width * 10 + (**at - '0');
        if (width > WIDTH_MAX)
            sandbox_error(L, "string.format: a width is at most %d", WIDTH_MAX);
    }
    return width;
}

/* At what follows a `%`. */
static struct spec read_spec(lua_State *L, const char **at, const char *end)
{
    struct spec spec = {.precision = -1};

    for (; *at < end && (**at == '-' || **at == '0'); (*at)++) {
        spec.left |= **at == '-';
        spec.zeros |= **at == '0';
    }
    spec.width = read_width(L, at, end);
    if (*at < end && **at == '.') {
        (*at)++;
        spec.precision = read_width(L, at, end);
    }
    spec.verb = *at < end ? *(*at)++ : '\0';
    if (spec.verb == '\0' || strchr("dxs%", spec.verb) == NULL ||
        (spec.precision >= 0 && spec.verb != 's'))
        sandbox_error(L, "string.format: knows %%d, %%x, %%s and %%%%");
    return spec;
}

/* The text that a verb stands for; `room` holds what is made here. */
static const char *verb_text(lua_State *L, const struct spec *spec, int arg,
                             char room[LIB_NUMBER_TEXT], size_t *len)
{
    if (spec->verb == 's')
        return lib_any_text(L, arg, "string.format", room, len);
    if (spec->verb == '%') {
        *len = 1;
        return "%";
    }
    int64_t value = lib_arg_integer(L, arg, "string.format");
    if (spec->verb == 'x' && value < 0)
        sandbox_error(L, "string.format: %%x takes no negative number");
    *len =
        (size_t)snprintf(room, LIB_NUMBER_TEXT,
                         spec->verb == 'x' ? "%llx" : "%lld", (long long)value);
    return room;
}

/* What is made: on the C stack at first, then in scratch memory. */
struct made {
    char *text;
    size_t len;
    size_t cap; /* FORMAT_SMALL or LIB_TEXT_MAX */
};

static void put(lua_State *L, struct made *made, const char *text, size_t len)
{
    if (len > LIB_TEXT_MAX - made->len)
        lib_charge_text(L, SIZE_MAX, "string.format");
    if (len > made->cap - made->len) {
        char *larger = sandbox_scratch(L, LIB_TEXT_MAX);
        memcpy(larger, made->text, made->len);
        made->text = larger;
        made->cap = LIB_TEXT_MAX;
    }
    sandbox_charge_bytes(L, len);
    memcpy(made->text + made->len, text, len);
    made->len += len;
}

static void put_padded(lua_State *L, struct made *made, const struct spec *spec,
                       const char *text, size_t len)
{
    char pad[WIDTH_MAX];
    bool zeros = spec->zeros && !spec->left && spec->verb != 's';

    if (spec->precision >= 0 && len > (size_t)spec->precision)
        len = (size_t)spec->precision;
    size_t missing = (size_t)spec->width > len ? (size_t)spec->width - len : 0;
    memset(pad, zeros ? '0' : ' ', missing);
    if (zeros && missing > 0 && len > 0 && text[0] == '-') {
        put(L, made, text++, 1);
        len--;
    }
    if (!spec->left)
        put(L, made, pad, missing);
    put(L, made, text, len);
    if (spec->left)
        put(L, made, pad, missing);
}

static int format(lua_State *L)
{
    char room[LIB_NUMBER_TEXT], small[FORMAT_SMALL];
    size_t len;
    const char *at = lib_arg_text(L, 1, "string.format", &len);
    const char *end = at + len;
    struct made made = {small, 0, FORMAT_SMALL};

    for (int arg = 2; at < end;) {
        const char *percent = memchr(at, '%', (size_t)(end - at));
        const char *stop = percent == NULL ? end : percent;
        put(L, &made, at, (size_t)(stop - at));
        if (percent == NULL)
            break;
        at = percent + 1;
        struct spec spec = read_spec(L, &at, end);
        size_t text_len;
        const char *text = verb_text(L, &spec, arg, room, &text_len);
        put_padded(L, &made, &spec, text, text_len);
        if (spec.verb != '%')
            arg++;
    }
    lua_text_push(L, made.text, made.len);
    if (made.text != small)
        sandbox_scratch_free(L, made.text, LIB_TEXT_MAX);
    return 1;
}

static const luaL_Reg functions[] = {
    {"len", length},     {"sub", sub},   {"byte", byte},
    {"char", character}, {"rep", rep},   {"lower", lower},
    {"upper", upper},    {"find", find}, {"split", split},
    {"starts", starts},  {"ends", ends}, {"trim", trim},
    {"format", format},  {NULL, NULL},
};

const struct library lib_string = {"string", functions, NULL};
