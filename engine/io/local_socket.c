/* A socket's address is a path of at most 107 bytes, and folders may be deeper:
 * those are reached by way of a descriptor of theirs.
 *
 * The mode is set before the name is there, so that nobody is faster. */
#define _GNU_SOURCE /* O_PATH, struct ucred */
#include "io/local_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/err.h"

#define NAME "socket"

enum { BACKLOG = 128 };

struct address {
    struct sockaddr_un path;
    int folder; /* or -1 */
};

static int address_of(struct address *a, const char *folder, struct err *err)
{
    *a = (struct address){.path.sun_family = AF_UNIX, .folder = -1};
    char *path = a->path.sun_path;
    size_t room = sizeof(a->path.sun_path);
    if ((size_t)snprintf(path, room, "%s/" NAME, folder) < room)
        return 0;
    a->folder = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (a->folder < 0) {
        int posix = errno;
        int rc = err_errno(err, posix, "%s: opening the folder", folder);
        return posix == EACCES ? err_reason(err, "no_read_access") : rc;
    }
    snprintf(path, room, "/proc/self/fd/%d/" NAME, a->folder);
    return 0;
}

static void address_end(const struct address *a)
{
    if (a->folder >= 0)
        close(a->folder);
}

static const struct sockaddr *sockaddr_of(const struct address *a)
{
    return (const struct sockaddr *)(const void *)&a->path;
}

static int new_socket(int flags, const char *folder, struct err *err)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
    return fd >= 0 ? fd : err_errno(err, errno, "%s/" NAME, folder);
}

/* Only ever a socket. */
static int remove_stale(const struct address *a, const char *folder,
                        struct err *err)
{
    struct stat st;
    if (lstat(a->path.sun_path, &st) != 0)
        return errno == ENOENT ? 0 : err_errno(err, errno, "%s/" NAME, folder);
    if (!S_ISSOCK(st.st_mode))
        return err_set(err, ATE_ECONFLICT,
                       "%s/" NAME ": stands there and is no socket", folder);
    if (unlink(a->path.sun_path) != 0 && errno != ENOENT)
        return err_errno(err, errno, "%s/" NAME ": removing what was left",
                         folder);
    return 0;
}

int local_socket_listen(const char *folder, struct err *err)
{
    struct address a;
    int rc = address_of(&a, folder, err);
    if (rc != 0)
        return rc;
    int fd = new_socket(SOCK_NONBLOCK, folder, err);
    rc = fd >= 0 ? remove_stale(&a, folder, err) : fd;
    if (rc == 0 && (fchmod(fd, 0600) != 0 ||
                    bind(fd, sockaddr_of(&a), sizeof(a.path)) != 0 ||
                    listen(fd, BACKLOG) != 0))
        rc = err_errno(err, errno, "%s/" NAME ": listening", folder);
    address_end(&a);
    if (rc != 0 && fd >= 0)
        close(fd);
    return rc != 0 ? rc : fd;
}

static bool listens(int fd)
{
    struct sockaddr_un at = {0};
    socklen_t len = sizeof(at);
    int is_listening = 0, type = 0;
    socklen_t room = sizeof(int), more = sizeof(int);
    return getsockname(fd, (struct sockaddr *)(void *)&at, &len) == 0 &&
           at.sun_family == AF_UNIX &&
           getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &is_listening, &room) ==
               0 &&
           is_listening != 0 &&
           getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &more) == 0 &&
           type == SOCK_STREAM;
}

/* A socket's file knows nothing of its descriptor: compare the paths' files. */
static bool is_at(int fd, const struct address *a)
{
    struct sockaddr_un at = {0};
    socklen_t len = sizeof(at) - 1;
    struct stat own, wanted;
    return getsockname(fd, (struct sockaddr *)(void *)&at, &len) == 0 &&
           at.sun_path[0] == '/' && stat(at.sun_path, &own) == 0 &&
           stat(a->path.sun_path, &wanted) == 0 &&
           own.st_dev == wanted.st_dev && own.st_ino == wanted.st_ino;
}

int local_socket_adopt(int fd, const char *folder, struct err *err)
{
    struct address a;
    int rc = address_of(&a, folder, err);
    if (rc != 0)
        return rc;
    bool fits = listens(fd) && is_at(fd, &a);
    address_end(&a);
    if (!fits)
        return err_set(err, ATE_EINVALID,
                       "descriptor %d is no Unix socket that listens at "
                       "%s/" NAME,
                       fd, folder);
    if (fcntl(fd, F_SETFL, O_NONBLOCK) != 0 ||
        fcntl(fd, F_SETFD, FD_CLOEXEC) != 0)
        return err_errno(err, errno, "%s/" NAME, folder);
    return 0;
}

void local_socket_remove(const char *folder)
{
    struct address a;
    if (address_of(&a, folder, NULL) != 0)
        return;
    unlink(a.path.sun_path);
    address_end(&a);
}

/* Where nobody listens, there is no such file, or one that was left. */
static int not_connected(int posix, const char *folder, struct err *err)
{
    if (posix == ENOENT || posix == ECONNREFUSED || posix == ENOTSOCK ||
        posix == ENOTDIR)
        return err_set(err, ATE_ENOT_FOUND, "%s/" NAME ": nobody listens",
                       folder);
    if (posix == EAGAIN)
        return err_set(err, ATE_EUNAVAILABLE,
                       "%s/" NAME ": the process that listens takes nobody",
                       folder);
    return err_errno(err, posix, "%s/" NAME ": connecting", folder);
}

int local_socket_connect(const char *folder, int timeout_ms, struct err *err)
{
    struct address a;
    struct timeval most = {.tv_sec = timeout_ms / 1000,
                           .tv_usec = (long)(timeout_ms % 1000) * 1000};
    int rc = address_of(&a, folder, err);
    if (rc != 0)
        return rc;
    int fd = new_socket(timeout_ms == 0 ? SOCK_NONBLOCK : 0, folder, err);
    if (fd >= 0) {
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &most, sizeof(most));
        do
            rc = connect(fd, sockaddr_of(&a), sizeof(a.path));
        while (rc != 0 && errno == EINTR);
        if (rc == 0)
            rc = fcntl(fd, F_SETFL, O_NONBLOCK);
        if (rc != 0)
            rc = not_connected(errno, folder, err);
    }
    address_end(&a);
    if (rc != 0 && fd >= 0)
        close(fd);
    return rc != 0 ? rc : fd;
}

int local_socket_check(int fd, const char *folder, struct err *err)
{
    struct ucred other;
    struct stat st;
    socklen_t len = sizeof(other);
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &other, &len) != 0 ||
        stat(folder, &st) != 0)
        return err_errno(err, errno, "%s/" NAME ": who is there", folder);
    if (other.uid == 0 || other.uid == st.st_uid)
        return 0;
    return err_set(err, ATE_EDENIED, "%s is user %u's: user %u is not let in",
                   folder, (unsigned)st.st_uid, (unsigned)other.uid);
}
