/* A read that waits is begun anew by the kernel after a signal, and so are the
 * engine's own calls, which have to be. To end it, a timer sends signals after
 * which nothing is begun anew, again and again until the read has come back:
 * one alone might come just before it begins. It runs while one of the
 * functions here does, and never beside the engine.
 *
 * They call what they stand for, and give its errors the place of who called
 * them. */
#include "cli/reads.h"

#include <lauxlib.h>
#include <lualib.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/time.h>

#include "lua/host.h"

enum { KICK_US = 5000 };

/* A signal handler has no argument to hang state on. */
static volatile sig_atomic_t is_reading, is_kicking;

static void kick(bool whether)
{
    struct timeval every = {.tv_usec = whether ? KICK_US : 0};
    struct itimerval timer = {every, every};
    is_kicking = whether;
    setitimer(ITIMER_REAL, &timer, NULL);
}

void reads_interrupt(void)
{
    if (is_reading && host_catches())
        kick(true);
}

/* "bad argument #2 to '?' (...)": nobody but the wrapper knows the name, and
 * that the first one stands before the colon. */
static void put_name(lua_State *L, const char *name, bool is_method)
{
    int number, at = 0;
    const char *text = lua_tostring(L, -1);
    if (sscanf(text, "bad argument #%d to '?'%n", &number, &at) != 1 || at == 0)
        return;
    number -= is_method && number > 1 ? 1 : 0;
    lua_pushfstring(L, "bad argument #%d to '%s'%s", number, name, text + at);
    lua_replace(L, -2);
}

/* Upvalues: the function of the library, its name, whether it is a method. */
static int guarded(lua_State *L)
{
    int count = lua_gettop(L);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    is_reading = 1;
    if (host_is_stopping(L))
        kick(true);
    int rc = lua_pcall(L, count, LUA_MULTRET, 0);
    is_reading = 0;
    if (is_kicking)
        kick(false);
    if (host_is_stopping(L))
        return host_stop(L);
    if (rc == 0)
        return lua_gettop(L);
    if (lua_type(L, -1) == LUA_TSTRING) {
        put_name(L, lua_tostring(L, lua_upvalueindex(2)),
                 lua_toboolean(L, lua_upvalueindex(3)));
        luaL_where(L, 1);
        lua_insert(L, -2);
        lua_concat(L, 2);
    }
    return lua_error(L);
}

/* Put `wrapper` in the place of the function on top of the stack. */
static void wrap(lua_State *L, const char *name, bool is_method,
                 lua_CFunction wrapper)
{
    lua_pushstring(L, name);
    lua_pushboolean(L, is_method);
    lua_pushcclosure(L, wrapper, 3);
}

/* io.lines() and file:lines() give a function that reads; upvalues as above. */
static int lines(lua_State *L)
{
    int results = guarded(L);
    if (results == 1 && lua_isfunction(L, -1))
        wrap(L, "lines", false, guarded);
    return results;
}

/* In the table on top of the stack. */
static void wrap_field(lua_State *L, const char *name, bool is_method,
                       lua_CFunction wrapper)
{
    lua_getfield(L, -1, name);
    wrap(L, name, is_method, wrapper);
    lua_setfield(L, -2, name);
}

void reads_install(lua_State *L)
{
    lua_getglobal(L, "io");
    wrap_field(L, "open", false, guarded); /* of a pipe that nobody writes */
    wrap_field(L, "read", false, guarded);
    wrap_field(L, "lines", false, lines);
    luaL_getmetatable(L, LUA_FILEHANDLE);
    lua_getfield(L, -1, "__index");
    wrap_field(L, "read", true, guarded);
    wrap_field(L, "lines", true, lines);
    lua_pop(L, 3);
}
