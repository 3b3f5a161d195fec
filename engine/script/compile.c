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
 * (4) The bytecode is dumped with its lines and names.
 * (5) The dump is scanned, and some instructions are replaced. */
#include "script/compile.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include <lauxlib.h>
#include <lua.h>
#include <luajit.h>

#include "base/err.h"
#include "base/memory.h"
#include "script/arena.h"
#include "script/rewrite.h"

enum {
    COMPILE_MEMORY = 8 << 20,
    COMPILE_BLOCK = 4 << 20,
    NO_CODE = '`', /* a byte that stands in texts and comments alone */
};

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
        rc = scan_dump(buf_bytes(&made), file, visit, ctx, lengths, err);
    if (rc == 0)
        rc = rewrite_dump(dump, buf_bytes(&made), file, err);
    if (rc != 0)
        dump->len = start;
    buf_deinit(&made);
    return rc;
}
