/* Words of a command line, each ended by a zero byte, as /proc/PID/cmdline
 * shows them: whatever they are, the command line answers with an exit code.
 * What Lua raises there would be a mistake in ate itself. tests/fuzz/args.lua
 * keeps commands from doing anything. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

#include "lua/binding.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

enum { WORDS_MAX = 500 };

static lua_State *lua;
static int entry; /* in the registry */

static int traceback(lua_State *L)
{
    luaL_traceback(L, L, lua_tostring(L, 1), 1);
    return 1;
}

/* Modules of the program that tests do not link; nothing calls them here. */
static int open_nothing(lua_State *L)
{
    lua_newtable(L);
    return 1;
}

static void preload(const char *name, lua_CFunction open)
{
    lua_getglobal(lua, "package");
    lua_getfield(lua, -1, "preload");
    lua_pushcfunction(lua, open);
    lua_setfield(lua, -2, name);
    lua_pop(lua, 2);
}

static void fail(void)
{
    fprintf(stderr, "%s\n", lua_tostring(lua, -1));
    abort();
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    setenv("ATE_DATA", "/nowhere", 1);
    lua = luaL_newstate();
    if (lua == NULL)
        abort();
    luaL_openlibs(lua);
    preload("ate", luaopen_ate);
    preload("ate.edit", open_nothing);
    preload("ate.manager", open_nothing);
    if (luaL_loadfile(lua, "tests/fuzz/args.lua") != 0 ||
        lua_pcall(lua, 0, 1, 0) != 0)
        fail();
    entry = luaL_ref(lua, LUA_REGISTRYINDEX);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    lua_pushcfunction(lua, traceback);
    lua_rawgeti(lua, LUA_REGISTRYINDEX, entry);
    lua_newtable(lua);
    for (int i = 1; len > 0 && i <= WORDS_MAX; i++) {
        const uint8_t *end = memchr(data, 0, len);
        size_t size = end != NULL ? (size_t)(end - data) : len;
        lua_pushlstring(lua, (const char *)data, size);
        lua_rawseti(lua, -2, i);
        size_t taken = size + (end != NULL);
        data += taken;
        len -= taken;
    }
    if (lua_pcall(lua, 1, 0, -3) != 0)
        fail();
    lua_settop(lua, 0);
    /* What waits for it looks lost: LuaJIT's memory is not searched. */
    lua_gc(lua, LUA_GCCOLLECT, 0);
    return 0;
}
