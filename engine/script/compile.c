/* Compiling happens in four steps, each of which can refuse:
 *
 * (1) The source is at most 64 KiB and holds no `^` outside texts and comments.
 *     The compiler folds `2 ^ 0.5` with the machine's pow(), whose last bit
 *     differs between machines, and nothing of it is left in the bytecode.
 * (2) Lua compiles it as text in a state of its own, within COMPILE_MEMORY.
 *     That state is dropped without closing it: all it owns is the arena. A
 *     literal such as 1LL makes the compiler load the FFI, there and only
 *     there.
 * (3) The bytecode is dumped with its lines and names.
 * (4) The dump is scanned, and calls in tail position are made plain ones. */
#include "script/compile.h"

#include <assert.h>
#include <string.h>

#include <lauxlib.h>
#include <lua.h>
#include <luajit.h>

#include "base/err.h"
#include "script/arena.h"
#include "script/tail.h"

enum { COMPILE_MEMORY = 8 << 20, COMPILE_BLOCK = 4 << 20 };

/* Where a source's plain text is searched, and for what. */
struct cursor {
    const uint8_t *at;
    const uint8_t *end;
    int line;
};

static bool starts(const struct cursor *c, const char *text)
{
    size_t len = strlen(text);
    return (size_t)(c->end - c->at) >= len && memcmp(c->at, text, len) == 0;
}

static bool at_newline(const struct cursor *c)
{
    return *c->at == '\n' || *c->at == '\r';
}

/* Pass one byte, or a line's end of either of its forms. */
static void step(struct cursor *c)
{
    bool newline = at_newline(c);
    uint8_t first = *c->at++;

    if (!newline)
        return;
    c->line++;
    if (c->at < c->end && at_newline(c) && *c->at != first)
        c->at++;
}

/* At `[`, `=`s and `[`: pass the long text and return true. */
static bool pass_long(struct cursor *c)
{
    const uint8_t *p = c->at + 1;
    while (p < c->end && *p == '=')
        p++;
    if (p >= c->end || *p != '[')
        return false;
    size_t level = (size_t)(p - c->at) - 1;
    for (c->at = p + 1; c->at < c->end; step(c)) {
        if (*c->at != ']' || (size_t)(c->end - c->at) < level + 2)
            continue;
        p = c->at + 1;
        while ((size_t)(p - c->at) <= level && *p == '=')
            p++;
        if ((size_t)(p - c->at) == level + 1 && *p == ']') {
            c->at = p + 1;
            return true;
        }
    }
    return true;
}

/* At a backslash: the character behind it, and for `\z` all white space. */
static void pass_escape(struct cursor *c)
{
    step(c);
    if (c->at == c->end)
        return;
    bool skips = *c->at == 'z';
    step(c);
    while (skips && c->at < c->end && strchr(" \t\v\f\n\r", *c->at) != NULL &&
           *c->at != '\0')
        step(c);
}

/* At a quote: to behind the closing one, or to the end of a torn text. */
static void pass_quoted(struct cursor *c)
{
    uint8_t quote = *c->at++;

    while (c->at < c->end && *c->at != quote && !at_newline(c)) {
        if (*c->at == '\\')
            pass_escape(c);
        else
            step(c);
    }
    if (c->at < c->end)
        step(c);
}

static void pass_comment(struct cursor *c)
{
    c->at += 2;
    if (c->at < c->end && *c->at == '[' && pass_long(c))
        return;
    while (c->at < c->end && !at_newline(c))
        c->at++;
}

/* The line of the first `^` in code, or 0. */
static int find_power(struct bytes source)
{
    struct cursor c = {source.data, source.data + source.len, 1};

    while (c.at < c.end) {
        if (*c.at == '^')
            return c.line;
        if (*c.at == '"' || *c.at == '\'')
            pass_quoted(&c);
        else if (starts(&c, "--"))
            pass_comment(&c);
        else if (*c.at != '[' || !pass_long(&c))
            step(&c);
    }
    return 0;
}

static int check_source(struct bytes source, const char *file, struct err *err)
{
    if (source.len > COMPILE_SOURCE_MAX)
        return err_set(err, ATE_ELIMIT,
                       "%s has %zu bytes, a Lua file may have %d: split it "
                       "and `require` the parts",
                       file, source.len, COMPILE_SOURCE_MAX);
    int line = find_power(source);
    if (line != 0)
        return err_set(err, ATE_ESCRIPT,
                       "%s:%d: `^` is not available here: use ate.int.pow",
                       file, line);
    return 0;
}

static void *allocate(void *ud, void *old, size_t old_size, size_t new_size)
{
    return arena_alloc(ud, old, old_size, new_size);
}

static int write_dump(lua_State *L, const void *data, size_t len, void *ud)
{
    (void)L;
    buf_put(ud, data, len);
    return 0;
}

/* Lua names file and line, but for bytecode, which has no lines. */
static int refuse_syntax(const char *text, const char *file, struct err *err)
{
    if (strchr(text, ':') == NULL)
        return err_set(err, ATE_ESCRIPT, "%s:1: not Lua source: %s", file,
                       text);
    return err_set(err, ATE_ESCRIPT, "%s", text);
}

static int translate(lua_State *L, struct buf *dump, struct bytes source,
                     const char *chunk, struct err *err)
{
    const char *file = chunk + 1;
    const char *text = source.len == 0 ? "" : (const char *)source.data;
    int status = luaL_loadbufferx(L, text, source.len, chunk, "t");
    if (status == 0)
        status = lua_dump(L, write_dump, dump);
    else if (status == LUA_ERRSYNTAX)
        return refuse_syntax(lua_tostring(L, -1), file, err);
    if (status == LUA_ERRMEM)
        return err_set(err, ATE_ELIMIT,
                       "%s needs more than %d bytes of memory to compile", file,
                       COMPILE_MEMORY);
    if (status != 0)
        return err_set(err, ATE_ESCRIPT, "%s can't be compiled", file);
    return 0;
}

int compile_source(struct buf *dump, struct bytes source, const char *chunk,
                   scan_visit visit, void *ctx, struct err *err)
{
    assert(chunk[0] == '@' || chunk[0] == '=');
    int rc = check_source(source, chunk + 1, err);
    if (rc != 0)
        return rc;

    struct arena arena;
    struct buf made = {0};
    size_t start = dump->len;
    arena_init(&arena, COMPILE_MEMORY);
    arena_limit(&arena, COMPILE_MEMORY, COMPILE_BLOCK);
    lua_State *L = lua_newstate(allocate, &arena);
    assert(L != NULL);
    luaJIT_setmode(L, 0, LUAJIT_MODE_ENGINE | LUAJIT_MODE_OFF);
    rc = translate(L, &made, source, chunk, err);
    arena_deinit(&arena);
    if (rc == 0)
        rc = scan_dump(buf_bytes(&made), chunk + 1, visit, ctx, err);
    if (rc == 0)
        rc = tail_rewrite(dump, buf_bytes(&made), chunk + 1, err);
    if (rc != 0)
        dump->len = start;
    buf_deinit(&made);
    return rc;
}
