#define _GNU_SOURCE /* SOCK_CLOEXEC */
#include "cli/manager.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <lauxlib.h>

enum { FIRST_SOCKET = 3, SOCKETS_MAX = 16 };

/* A signal handler has no argument to hang it on. */
static int hangup_fd = -1;

static int failed(lua_State *L, const char *what)
{
    lua_pushnil(L);
    lua_pushfstring(L, "%s: %s", what, strerror(errno));
    return 2;
}

/* ---- notify ---- */

static int notify(lua_State *L)
{
    size_t len;
    const char *text = luaL_checklstring(L, 1, &len);
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    if (path == NULL || path[0] == '\0') {
        lua_pushboolean(L, false);
        return 1;
    }
    size_t path_len = strlen(path);
    if ((path[0] != '/' && path[0] != '@') || path_len > sizeof(to.sun_path)) {
        errno = EINVAL;
        return failed(L, "NOTIFY_SOCKET");
    }
    memcpy(to.sun_path, path, path_len);
    if (path[0] == '@')
        to.sun_path[0] = '\0'; /* no file */
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return failed(L, "NOTIFY_SOCKET");
    socklen_t room =
        (socklen_t)(offsetof(struct sockaddr_un, sun_path) + path_len);
    ssize_t n = sendto(fd, text, len, MSG_NOSIGNAL,
                       (const struct sockaddr *)(const void *)&to, room);
    int saved = errno;
    close(fd);
    errno = saved;
    if (n != (ssize_t)len)
        return failed(L, "NOTIFY_SOCKET");
    lua_pushboolean(L, true);
    return 1;
}

/* ---- sockets ---- */

/* A number of the environment, or -1. */
static long number_of(const char *name)
{
    const char *text = getenv(name);
    char *end;
    if (text == NULL || *text == '\0')
        return -1;
    errno = 0;
    long number = strtol(text, &end, 10);
    return errno == 0 && *end == '\0' ? number : -1;
}

static bool is_unix(int fd)
{
    struct sockaddr_storage at = {0};
    socklen_t len = sizeof(at);
    return getsockname(fd, (struct sockaddr *)&at, &len) == 0 &&
           at.ss_family == AF_UNIX;
}

/* Push {fd, name, unix}; `*names` moves on to the next one's. */
static void push_socket(lua_State *L, int fd, const char **names)
{
    size_t len = strcspn(*names, ":");
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    lua_createtable(L, 0, 3);
    lua_pushinteger(L, fd);
    lua_setfield(L, -2, "fd");
    lua_pushlstring(L, *names, len);
    lua_setfield(L, -2, "name");
    lua_pushboolean(L, is_unix(fd));
    lua_setfield(L, -2, "unix");
    *names += len + ((*names)[len] == ':');
}

static int sockets(lua_State *L)
{
    const char *names = getenv("LISTEN_FDNAMES");
    long count =
        number_of("LISTEN_PID") == (long)getpid() ? number_of("LISTEN_FDS") : 0;
    lua_newtable(L);
    if (names == NULL)
        names = "";
    for (int i = 0; i < count && i < SOCKETS_MAX; i++) {
        push_socket(L, FIRST_SOCKET + i, &names);
        lua_rawseti(L, -2, i + 1);
    }
    unsetenv("LISTEN_PID");
    unsetenv("LISTEN_FDS");
    unsetenv("LISTEN_FDNAMES");
    return 1;
}

/* ---- SIGHUP ---- */

static void hung_up(int number)
{
    static const uint64_t one = 1;
    int saved = errno;
    (void)number;
    if (write(hangup_fd, &one, sizeof(one)) < 0)
        errno = 0; /* it is full, and so is readable already */
    errno = saved;
}

static int hangups(lua_State *L)
{
    struct sigaction action = {.sa_handler = hung_up};
    if (hangup_fd < 0)
        hangup_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (hangup_fd < 0)
        return failed(L, "SIGHUP");
    action.sa_flags = (int)SA_RESTART;
    sigaction(SIGHUP, &action, NULL);
    lua_pushinteger(L, hangup_fd);
    return 1;
}

int luaopen_ate_manager(lua_State *L)
{
    static const luaL_Reg functions[] = {{"notify", notify},
                                         {"sockets", sockets},
                                         {"hangups", hangups},
                                         {NULL, NULL}};
    lua_newtable(L);
    luaL_register(L, NULL, functions);
    return 1;
}
