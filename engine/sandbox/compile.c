/* Compiling happens in steps, each of which can refuse:
 *
 * (1) The source is at most 64 KiB.
 * (2) Lua compiles it as text in a state of its own, within COMPILE_MEMORY.
 *     That state is dropped without closing it: all it owns is the arena. A
 *     literal such as 1LL makes the compiler load the FFI, there and only
 *     there.
 * (3) It holds no `^` outside texts and comments. The compiler folds `2 ^ 0.5`
 *     with the machine's pow(), whose last bit differs between machines, and
 *     nothing of it is left in the bytecode. What is text or comment only the
 *     compiler knows for sure, so it is asked: the source is compiled once more
 *     with another byte for each `^`, one that no code may hold. It passes, for
 *     what compiled before, exactly when all of them stand in texts and
 *     comments.
 * (4) It holds no `%` between two constants. The compiler folds that, too, and
 *     some machines multiply and subtract at once there, without rounding in
 *     between. What it folds it makes no instruction for: so the source is
 *     compiled once more with `%{}%` for each `%`, of which nothing is folded.
 *     Each that is code has then two instructions, and had one before.
 * (5) The bytecode is dumped with its lines and names.
 * (6) The dump is scanned, and some instructions are replaced. */
#include "sandbox/compile.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include <lauxlib.h>
#include <lua.h>
#include <luajit.h>

#include "base/err.h"
#include "base/memory.h"
#include "sandbox/arena.h"
#include "sandbox/dump.h"
#include "sandbox/rewrite.h"

enum {
    COMPILE_MEMORY = 8 << 20,
    COMPILE_BLOCK = 4 << 20,
    NO_CODE = '`', /* a byte that stands in texts and comments alone */
};

/* What (4) puts in place of a `%`. */
#define UNFOLDED "%{}%"

/* How errors name the source that is searched for `^`. */
#define POWER_CHUNK "=power"
#define POWER_CHUNK_LINE "power:%d:"

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

/* A state to compile in; all it owns is the arena. */
static lua_State *open_state(struct arena *arena)
{
    arena_init(arena, COMPILE_MEMORY);
    arena_limit(arena, COMPILE_MEMORY, COMPILE_BLOCK);
    lua_State *L = lua_newstate(allocate, arena);
    assert(L != NULL);
    luaJIT_setmode(L, 0, LUAJIT_MODE_ENGINE | LUAJIT_MODE_OFF);
    lua_gc(L, LUA_GCSTOP, 0); /* so that memory is the same each time */
    return L;
}

static int load_text(lua_State *L, struct bytes source, const char *chunk)
{
    const char *text = source.len == 0 ? "" : (const char *)source.data;
    return luaL_loadbufferx(L, text, source.len, chunk, "t");
}

static int refuse_memory(const char *file, struct err *err)
{
    return err_set(err, ATE_ELIMIT,
                   "%s needs more than %d bytes of memory to compile", file,
                   COMPILE_MEMORY);
}

static int translate(struct buf *dump, struct bytes source, const char *chunk,
                     struct err *err)
{
    struct arena arena;
    const char *file = chunk + 1;
    lua_State *L = open_state(&arena);
    int rc = 0;
    int status = load_text(L, source, chunk);
    if (status == 0)
        status = lua_dump(L, write_dump, dump);
    else if (status == LUA_ERRSYNTAX)
        rc = refuse_syntax(lua_tostring(L, -1), file, err);
    if (status == LUA_ERRMEM)
        rc = refuse_memory(file, err);
    else if (status != 0 && rc == 0)
        rc = err_set(err, ATE_ESCRIPT, "%s can't be compiled", file);
    arena_deinit(&arena);
    return rc;
}

/* A source that compiles, its copy with NO_CODE for each `^`: see (3). */
static int refuse_power(struct bytes copy, const char *file, struct err *err)
{
    struct arena arena;
    lua_State *L = open_state(&arena);
    int rc = 0;
    int line = 0;
    int status = load_text(L, copy, POWER_CHUNK);
    if (status == LUA_ERRSYNTAX &&
        sscanf(lua_tostring(L, -1), POWER_CHUNK_LINE, &line) == 1)
        rc = err_set(err, ATE_ESCRIPT,
                     "%s:%d: `^` is not available here: use ate.int.pow", file,
                     line);
    else if (status == LUA_ERRMEM)
        rc = refuse_memory(file, err);
    else if (status != 0)
        rc = err_set(err, ATE_ESCRIPT, "%s can't be compiled", file);
    arena_deinit(&arena);
    return rc;
}

static int check_power(struct bytes source, const char *file, struct err *err)
{
    if (source.len == 0 || memchr(source.data, '^', source.len) == NULL)
        return 0;
    uint8_t *copy = mem_copy(source.data, source.len);
    for (size_t i = 0; i < source.len; i++)
        if (copy[i] == '^')
            copy[i] = NO_CODE;
    int rc = refuse_power(bytes_of(copy, source.len), file, err);
    mem_free(copy);
    return rc;
}

static void put_unfolded(struct buf *copy, struct bytes source)
{
    for (size_t i = 0; i < source.len; i++)
        if (source.data[i] == '%')
            buf_put_text(copy, UNFOLDED);
        else
            buf_put_u8(copy, source.data[i]);
}

/* The lines of all that is divided with a remainder, an int for each. */
static void put_remainders(struct buf *lines, struct bytes dump)
{
    struct dump_reader r = {dump.data, dump.data + dump.len, false};
    struct dump_proto p;

    for (bool more = dump_header(&r); more;) {
        more = dump_proto_open(&p, dump_next(&r));
        for (uint32_t i = 0; more && i < p.instructions; i++) {
            unsigned op = dump_op(dump_code(&p, i));
            int line = dump_line(&p, i);
            if (op == OP_MODVV || op == OP_MODVN || op == OP_MODNV)
                buf_put(lines, &line, sizeof(line));
        }
        if (more)
            dump_proto_close(&p);
    }
}

static size_t count_line(struct bytes lines, int line)
{
    size_t count = 0;
    int there;

    for (size_t i = 0; i < lines.len; i += sizeof(there)) {
        memcpy(&there, lines.data + i, sizeof(there));
        count += there == line;
    }
    return count;
}

/* A line with a `%` that was folded, or 0. `unfolded` has two instructions for
 * each; where a line ends behind a `%`, the second has the line of what
 * follows. */
static int find_folded(struct bytes made, struct bytes unfolded)
{
    struct buf all = {0}, lines = {0};
    int found = 0, line;

    put_remainders(&all, unfolded);
    put_remainders(&lines, made);
    if (all.len > 2 * lines.len)
        for (size_t i = 0; i < all.len && found == 0; i += sizeof(line)) {
            memcpy(&line, all.data + i, sizeof(line));
            if (count_line(buf_bytes(&all), line) >
                2 * count_line(buf_bytes(&lines), line))
                found = line;
        }
    buf_deinit(&lines);
    buf_deinit(&all);
    return found;
}

/* A source that compiles, to `made`: see (4). */
static int check_remainder(struct bytes source, struct bytes made,
                           const char *chunk, struct err *err)
{
    struct buf copy = {0}, unfolded = {0};
    int line = 0;

    if (source.len == 0 || memchr(source.data, '%', source.len) == NULL)
        return 0;
    put_unfolded(&copy, source);
    int rc = translate(&unfolded, buf_bytes(&copy), chunk, err);
    if (rc == 0)
        line = find_folded(made, buf_bytes(&unfolded));
    if (line != 0)
        rc = err_set(err, ATE_ESCRIPT,
                     "%s:%d: `%%` of two numbers is not available here: write "
                     "what it comes to",
                     chunk + 1, line);
    buf_deinit(&unfolded);
    buf_deinit(&copy);
    return rc;
}

int compile_source(struct buf *dump, struct bytes source, const char *chunk,
                   scan_visit visit, void *ctx, struct text_lengths *lengths,
                   struct err *err)
{
    struct buf made = {0};
    size_t start = dump->len;
    const char *file = chunk + 1;

    assert(chunk[0] == '@' || chunk[0] == '=');
    if (source.len > COMPILE_SOURCE_MAX)
        return err_set(err, ATE_ELIMIT,
                       "%s has %zu bytes, a Lua file may have %d: split it "
                       "and `require` the parts",
                       file, source.len, COMPILE_SOURCE_MAX);
    int rc = translate(&made, source, chunk, err);
    if (rc == 0)
        rc = check_power(source, file, err);
    if (rc == 0)
        rc = check_remainder(source, buf_bytes(&made), chunk, err);
    if (rc == 0)
        rc = scan_dump(buf_bytes(&made), file, visit, ctx, lengths, err);
    if (rc == 0)
        rc = rewrite_dump(dump, buf_bytes(&made), file, err);
    if (rc != 0)
        dump->len = start;
    buf_deinit(&made);
    return rc;
}
