#define _GNU_SOURCE /* syncfs */
#include "lua/host.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <lauxlib.h>
#include "lua/scratch.h"

enum { READ_MAX = 1 << 16, POLL_MAX = 8 };

/* A signal handler has no argument to hang state on: these are the only
 * globals of the program. */
static int interrupt_fd = -1;
static lua_State *interrupt_state;
static volatile sig_atomic_t is_ending;

static int failed(lua_State *L, const char *what, const char *path)
{
    int saved = errno;
    lua_pushnil(L);
    lua_pushfstring(L, "%s %s: %s", what, path, strerror(saved));
    return 2;
}

/* Have interrupted() tell of it. */
static void note(void)
{
    static const uint64_t one = 1;
    if (interrupt_fd >= 0 && write(interrupt_fd, &one, sizeof(one)) < 0)
        errno = 0; /* it is full, and so has been interrupted already */
}

int host_stop(lua_State *L)
{
    lua_sethook(L, NULL, 0, 0);
    note(); /* who catches the error asks whether a signal came */
    return luaL_error(L, "interrupted");
}

static void stop_lua(lua_State *L, lua_Debug *where)
{
    (void)where;
    host_stop(L);
}

bool host_is_stopping(lua_State *L)
{
    return lua_gethook(L) == stop_lua;
}

bool host_catches(void)
{
    return interrupt_state != NULL;
}

static void stop_soon(void)
{
    if (interrupt_state != NULL)
        lua_sethook(interrupt_state, stop_lua,
                    LUA_MASKCALL | LUA_MASKRET | LUA_MASKCOUNT, 1);
}

void host_interrupt(void)
{
    int saved = errno;
    note();
    stop_soon();
    errno = saved;
}

void host_terminate(void)
{
    is_ending = 1;
    host_interrupt();
}

bool host_ending(void)
{
    return is_ending != 0;
}

int host_interrupt_fd(void)
{
    return interrupt_fd;
}

/* interrupted() -> whether the user asked to stop since the last time this
 * was called. */
static int host_interrupted(lua_State *L)
{
    uint64_t count;
    bool yes = interrupt_fd >= 0 &&
               read(interrupt_fd, &count, sizeof(count)) == sizeof(count);
    lua_pushboolean(L, yes);
    return 1;
}

/* ending() -> whether the user asked the whole program to end. */
static int host_is_ending(lua_State *L)
{
    lua_pushboolean(L, host_ending());
    return 1;
}

/* Whether there is something for interrupted() to tell. */
static bool is_interrupted(void)
{
    struct pollfd heard = {.fd = interrupt_fd, .events = POLLIN};
    return poll(&heard, 1, 0) > 0 && heard.revents != 0;
}

void host_told(lua_State *L)
{
    if (is_interrupted() && !host_ending())
        lua_sethook(L, NULL, 0, 0);
}

/* catch(whether): let host_interrupt() end Lua that computes; what came before
 * and was not told by interrupted() does so, too. */
static int host_catch(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TBOOLEAN);
    interrupt_state = lua_toboolean(L, 1) ? L : NULL;
    if (interrupt_state == NULL)
        lua_sethook(L, NULL, 0, 0);
    else if (is_interrupted())
        stop_soon();
    return 0;
}

/* pass_on(): what interrupted() told ends Lua that computes after all, for who
 * waited had an answer. */
static int host_pass_on(lua_State *L)
{
    (void)L;
    stop_soon();
    return 0;
}

/* is_terminal(fd) */
static int host_is_terminal(lua_State *L)
{
    lua_pushboolean(L, isatty((int)luaL_checkinteger(L, 1)));
    return 1;
}

/* columns(fd) -> of the terminal, or nil. */
static int host_columns(lua_State *L)
{
    struct winsize size;
    if (ioctl((int)luaL_checkinteger(L, 1), TIOCGWINSZ, &size) != 0 ||
        size.ws_col == 0)
        return 0;
    lua_pushinteger(L, size.ws_col);
    return 1;
}

/* rows(fd) -> of the terminal, or nil. */
static int host_rows(lua_State *L)
{
    struct winsize size;
    if (ioctl((int)luaL_checkinteger(L, 1), TIOCGWINSZ, &size) != 0 ||
        size.ws_row == 0)
        return 0;
    lua_pushinteger(L, size.ws_row);
    return 1;
}

/* kind(path) -> 'file', 'folder', 'other' or nil. */
static int host_kind(lua_State *L)
{
    struct stat st;
    if (stat(luaL_checkstring(L, 1), &st) != 0)
        return 0;
    lua_pushstring(L, S_ISREG(st.st_mode)   ? "file"
                      : S_ISDIR(st.st_mode) ? "folder"
                                            : "other");
    return 1;
}

/* make_folder(path) -> true | nil, text. It may be there already; the folders
 * above it are made, too. */
static int host_make_folder(lua_State *L)
{
    char path[PATH_MAX];
    size_t len;
    const char *wanted = luaL_checklstring(L, 1, &len);
    luaL_argcheck(L, len > 0 && len < sizeof(path), 1, "too long a path");
    memcpy(path, wanted, len + 1);
    for (size_t i = 1; i <= len; i++) {
        if (path[i] != '/' && path[i] != '\0')
            continue;
        char saved = path[i];
        path[i] = '\0';
        struct stat st;
        if (mkdir(path, 0777) != 0 &&
            (errno != EEXIST || stat(path, &st) != 0 || !S_ISDIR(st.st_mode)))
            return failed(L, "make folder", path);
        path[i] = saved;
    }
    lua_pushboolean(L, true);
    return 1;
}

static void release_dir(void *resource)
{
    closedir(resource);
}

/* names(path) -> sorted list of what is in a folder | nil, text. */
static int host_names(lua_State *L)
{
    const char *path = luaL_checkstring(L, 1);
    struct scratch *scratch = scratch_push(L, release_dir);
    DIR *dir = scratch->resource = opendir(path);
    if (dir == NULL)
        return failed(L, "folder", path);
    lua_newtable(L);
    struct dirent *entry;
    for (int n = 0; (entry = readdir(dir)) != NULL;) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        lua_pushstring(L, entry->d_name);
        lua_rawseti(L, -2, ++n);
    }
    scratch_release(scratch);
    lua_getglobal(L, "table");
    lua_getfield(L, -1, "sort");
    lua_pushvalue(L, -3);
    lua_call(L, 1, 0);
    lua_pop(L, 1);
    return 1;
}

/* sync(path) -> true | nil, text: what was written to the file system that
 * holds `path` is on its disk. */
static int host_sync(lua_State *L)
{
    const char *path = luaL_checkstring(L, 1);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return failed(L, "sync", path);
    int rc = syncfs(fd);
    int saved = errno;
    close(fd);
    errno = saved;
    if (rc != 0)
        return failed(L, "sync", path);
    lua_pushboolean(L, true);
    return 1;
}

/* real_path(path) -> absolute path without links | nil, text. */
static int host_real_path(lua_State *L)
{
    char resolved[PATH_MAX];
    const char *path = luaL_checkstring(L, 1);
    if (realpath(path, resolved) == NULL)
        return failed(L, "path", path);
    lua_pushstring(L, resolved);
    return 1;
}

/* clock() -> milliseconds of a clock that only goes forward. */
static int host_clock(lua_State *L)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    lua_pushnumber(L, (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6);
    return 1;
}

/* wait({fd...}, timeout_ms) -> {[fd] = true}, whether the user asked to stop.
 * A timeout of -1 is for ever. */
static int host_wait(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    int timeout_ms = (int)luaL_checkinteger(L, 2);
    int count = (int)lua_objlen(L, 1);
    struct pollfd fds[POLL_MAX + 1];
    luaL_argcheck(L, count <= POLL_MAX, 1, "too many descriptors");
    for (int i = 0; i < count; i++) {
        lua_rawgeti(L, 1, i + 1);
        fds[i] = (struct pollfd){.fd = (int)luaL_checkinteger(L, -1),
                                 .events = POLLIN};
        lua_pop(L, 1);
    }
    fds[count] = (struct pollfd){.fd = interrupt_fd, .events = POLLIN};
    int rc = poll(fds, (nfds_t)count + 1, timeout_ms);
    if (rc < 0 && errno != EINTR)
        return luaL_error(L, "poll: %s", strerror(errno));
    lua_newtable(L);
    for (int i = 0; i < count && rc > 0; i++) {
        lua_pushboolean(L, true);
        if (fds[i].revents != 0)
            lua_rawseti(L, -2, fds[i].fd);
        else
            lua_pop(L, 1);
    }
    lua_pushboolean(L, rc < 0 || (rc > 0 && fds[count].revents != 0));
    return 2;
}

/* make_private(path) -> true | nil, text: a file that is there and that its
 * owner alone can read. */
static int host_make_private(lua_State *L)
{
    const char *path = luaL_checkstring(L, 1);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return failed(L, "open", path);
    int rc = fchmod(fd, 0600);
    int saved = errno;
    close(fd);
    errno = saved;
    if (rc != 0)
        return failed(L, "mode of", path);
    lua_pushboolean(L, true);
    return 1;
}

/* open(path) -> fd for reading | nil, text. It is closed with the process. A
 * pipe is opened at once, and has nothing to read until somebody writes: who
 * waits for that with wait() can be interrupted. */
static int host_open(lua_State *L)
{
    const char *path = luaL_checkstring(L, 1);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || fcntl(fd, F_SETFL, 0) < 0)
        return failed(L, "open", path);
    lua_pushinteger(L, fd);
    return 1;
}

/* open_file(path) -> fd of a regular file for reading | nil, text, name of a
 * code. Nothing is waited for: a pipe that nobody writes would stop us. */
static int host_open_file(lua_State *L)
{
    const char *path = luaL_checkstring(L, 1);
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    int rc = fd < 0 ? -1 : fstat(fd, &st);
    int saved = errno;
    if (rc == 0 && S_ISREG(st.st_mode)) {
        lua_pushinteger(L, fd);
        return 1;
    }
    if (fd >= 0)
        close(fd);
    const char *code = saved == ENOENT || saved == ENOTDIR ? "NOT_FOUND"
                       : saved == EACCES                   ? "DENIED"
                                                           : "IO";
    lua_pushnil(L);
    lua_pushstring(L, rc != 0               ? strerror(saved)
                      : S_ISDIR(st.st_mode) ? "is a folder"
                                            : "is no regular file");
    lua_pushstring(L, rc != 0 ? code : "INVALID");
    return 3;
}

/* close(fd) */
static int host_close(lua_State *L)
{
    close((int)luaL_checkinteger(L, 1));
    return 0;
}

/* size(fd) -> bytes of a file, 0 of what has no size. */
static int host_size(lua_State *L)
{
    struct stat st;
    bool is_file =
        fstat((int)luaL_checkinteger(L, 1), &st) == 0 && S_ISREG(st.st_mode);
    lua_pushnumber(L, is_file ? (lua_Number)st.st_size : 0);
    return 1;
}

/* read(fd [, most]) -> some bytes, '' at the end | nil, text. */
static int host_read(lua_State *L)
{
    char buffer[READ_MAX];
    int fd = (int)luaL_checkinteger(L, 1);
    lua_Integer most = luaL_optinteger(L, 2, READ_MAX);
    size_t len = most < 1 ? 1 : most < READ_MAX ? (size_t)most : READ_MAX;
    ssize_t n;
    do {
        n = read(fd, buffer, len);
    } while (n < 0 && errno == EINTR);
    if (n < 0)
        return failed(L, "read", "input");
    lua_pushlstring(L, buffer, (size_t)n);
    return 1;
}

int host_push(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"is_terminal", host_is_terminal},
        {"columns", host_columns},
        {"rows", host_rows},
        {"kind", host_kind},
        {"make_folder", host_make_folder},
        {"make_private", host_make_private},
        {"names", host_names},
        {"real_path", host_real_path},
        {"sync", host_sync},
        {"clock", host_clock},
        {"wait", host_wait},
        {"open", host_open},
        {"open_file", host_open_file},
        {"close", host_close},
        {"size", host_size},
        {"read", host_read},
        {"interrupted", host_interrupted},
        {"ending", host_is_ending},
        {"catch", host_catch},
        {"pass_on", host_pass_on},
        {NULL, NULL},
    };
    if (interrupt_fd < 0)
        interrupt_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    lua_newtable(L);
    luaL_register(L, NULL, functions);
    return 1;
}
