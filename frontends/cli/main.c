/* The command line: a Lua state in which lua/cli does all the work.
 *
 * What Lua needs from a program stands here: signals and the exit. After the
 * first SIGINT or SIGTERM Lua ends what it does in order; a second one ends
 * the program at once, which loses nothing that was acknowledged. */
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include "cli/manager.h"
#include "cli/reads.h"
#include "lua/binding.h"
#include "lua/host.h"
#include "repl/edit.h"
#ifndef WITHOUT_fuse
#include "mount/binding.h"
#endif
#ifndef WITHOUT_rest
#include "rest/module.h"
#endif

enum { EXIT_BROKEN = 1 };

static void on_signal(int number)
{
    if (number == SIGTERM)
        host_terminate();
    else
        host_interrupt();
    reads_interrupt();
}

static void on_kick(int number)
{
    (void)number; /* the call that it came into has ended */
}

static void hear_interrupts(void)
{
    struct sigaction action = {.sa_handler = on_signal};
    action.sa_flags = (int)(SA_RESETHAND | SA_RESTART);
    sigaction(SIGINT, &action, NULL);
}

static void catch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal}, before;
    struct sigaction kick = {.sa_handler = on_kick}; /* without SA_RESTART */
    action.sa_flags = (int)(SA_RESETHAND | SA_RESTART);
    sigaction(SIGINT, NULL, &before);
    if (before.sa_handler != SIG_IGN) /* a shell's background stays ignored */
        sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGALRM, &kick, NULL);
    signal(SIGXFSZ, SIG_IGN); /* a limit on files is an error of write() */
}

/* Chains are many files, callers are sockets: all that this process may open.
 */
static void raise_files(void)
{
    struct rlimit most;
    if (getrlimit(RLIMIT_NOFILE, &most) != 0)
        return;
    most.rlim_cur = most.rlim_max;
    setrlimit(RLIMIT_NOFILE, &most);
}

/* rearm(): the next signal is a first one again. */
static int rearm(lua_State *L)
{
    (void)L;
    catch_signals();
    return 0;
}

/* deafen(whether): Ctrl-C is for a program that this one waits for. */
static int deafen(lua_State *L)
{
    if (lua_toboolean(L, 1))
        signal(SIGINT, SIG_IGN);
    else
        hear_interrupts();
    return 0;
}

/* yield(whether): nothing is under way that would have to be ended in order, so
 * the first Ctrl-C ends the process. */
static int yield(lua_State *L)
{
    struct sigaction now;
    sigaction(SIGINT, NULL, &now);
    if (lua_toboolean(L, 1) && now.sa_handler == on_signal)
        signal(SIGINT, SIG_DFL);
    else if (!lua_toboolean(L, 1) && now.sa_handler == SIG_DFL)
        hear_interrupts();
    return 0;
}

/* ignore_pipe(whether): who reads what is written may stop doing so. */
static int ignore_pipe(lua_State *L)
{
    signal(SIGPIPE, lua_toboolean(L, 1) ? SIG_IGN : SIG_DFL);
    return 0;
}

static void preload(lua_State *L, const char *name, lua_CFunction open)
{
    lua_getglobal(L, "package");
    lua_getfield(L, -1, "preload");
    lua_pushcfunction(L, open);
    lua_setfield(L, -2, name);
    lua_pop(L, 2);
}

static int traceback(lua_State *L)
{
    if (lua_isstring(L, 1))
        luaL_traceback(L, L, lua_tostring(L, 1), 1);
    return 1;
}

/* Run in a protected call: arguments are argc and argv. */
static int run(lua_State *L)
{
    int argc = (int)lua_tointeger(L, 1);
    char **argv = lua_touserdata(L, 2);
    luaL_openlibs(L);
    reads_install(L);
    preload(L, "ate", luaopen_ate);
    preload(L, "ate.edit", luaopen_ate_edit);
    preload(L, "ate.manager", luaopen_ate_manager);
#ifndef WITHOUT_fuse
    preload(L, "ate.mount", luaopen_ate_mount);
#endif
#ifndef WITHOUT_rest
    preload(L, "ate.rest", luaopen_ate_rest);
#endif
    lua_getglobal(L, "require");
    lua_pushliteral(L, "ate");
    lua_call(L, 1, 1);
    catch_signals(); /* what they are told by is there from here on */
    lua_getfield(L, -1, "host");
    lua_pushcfunction(L, rearm);
    lua_setfield(L, -2, "rearm");
    lua_pushcfunction(L, deafen);
    lua_setfield(L, -2, "deafen");
    lua_pushcfunction(L, yield);
    lua_setfield(L, -2, "yield");
    lua_pushcfunction(L, ignore_pipe);
    lua_setfield(L, -2, "ignore_pipe");
    lua_getglobal(L, "require");
    lua_pushliteral(L, "ate.cli.main");
    lua_call(L, 1, 1);
    lua_newtable(L);
    for (int i = 1; i < argc; i++) {
        lua_pushstring(L, argv[i]);
        lua_rawseti(L, -2, i);
    }
    lua_call(L, 1, 1);
    return 1;
}

/* A standard stream that is closed is a descriptor that the next file of a
 * chain would get. Held open like this, input is at its end and output fails,
 * as it should. */
static int hold_streams(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDONLY) != fd)
            return -1;
    }
    return 0;
}

int main(int argc, char **argv)
{
    if (hold_streams() != 0)
        return EXIT_BROKEN;
    signal(SIGPIPE, SIG_DFL);
    raise_files();
    lua_State *L = luaL_newstate();
    if (L == NULL) {
        fputs("ate: no memory for Lua\n", stderr);
        return EXIT_BROKEN;
    }
    lua_pushcfunction(L, traceback);
    lua_pushcfunction(L, run);
    lua_pushinteger(L, argc);
    lua_pushlightuserdata(L, argv);
    int status = EXIT_BROKEN;
    if (lua_pcall(L, 2, 1, 1) == 0)
        status = (int)lua_tointeger(L, -1);
    else
        fprintf(stderr, "ate: a mistake in ate itself: %s\n",
                lua_tostring(L, -1));
    lua_close(L);
    bool failed_before = ferror(stdout) != 0; /* nobody knows why any more */
    if ((fflush(stdout) != 0 || failed_before) && status == 0) {
        fprintf(stderr, "ate: standard output: %s\n",
                failed_before ? "not all of it could be written"
                              : strerror(errno));
        status = EXIT_BROKEN;
    }
    return status;
}
