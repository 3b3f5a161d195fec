/* The child holds one end of a socket and nothing else of its parent: no lock
 * of a data folder, no device of FUSE. It was forked from a process with
 * threads, so it only makes system calls. */
#define _GNU_SOURCE
#include "mount/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buffer.h"

enum { FD_MOST = 1 << 16 };

struct guard {
    int fd; /* -1: there is no process */
    pid_t pid;
    char *dir;
};

void guard_unmount(const char *dir)
{
    if (umount2(dir, MNT_DETACH) == 0 || errno != EPERM)
        return;
    pid_t pid = fork(); /* the helper of FUSE may, where we may not */
    if (pid == 0) {
        execlp("fusermount3", "fusermount3", "-u", "-z", "-q", "--", dir,
               (char *)NULL);
        _exit(1);
    }
    if (pid > 0)
        waitpid(pid, NULL, 0);
}

static void close_others(int keep)
{
    if (keep != 0)
        dup2(keep, 0);
#ifdef SYS_close_range
    if (syscall(SYS_close_range, 1u, ~0u, 0u) == 0)
        return;
#endif
    for (int fd = 1; fd < FD_MOST; fd++)
        close(fd);
}

/* The parent says a byte when it has unmounted; without one it is dead. What
 * it left answers every question with "not connected"; anything else that is
 * mounted there is not ours. */
static void watch(const char *dir)
{
    struct statfs st;
    char byte;
    ssize_t n;
    do {
        n = read(0, &byte, 1);
    } while (n < 0 && errno == EINTR);
    if (n == 1)
        _exit(0);
    if (statfs(dir, &st) != 0 && errno != ENOENT)
        guard_unmount(dir);
    _exit(0);
}

static void run_child(const char *dir, int fd)
{
    prctl(PR_SET_NAME, "unmounts"); /* `killall -9 ate` does not mean it */
    setsid();                       /* no Ctrl-C of the terminal */
    signal(SIGTERM, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    close_others(fd);
    if (chdir("/") != 0)
        _exit(1);
    watch(dir);
}

static void fork_child(struct guard *guard)
{
    int fds[2];
    guard->fd = -1;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0)
        return;
    guard->pid = fork();
    if (guard->pid == 0)
        run_child(guard->dir, fds[0]);
    close(fds[0]);
    if (guard->pid > 0)
        guard->fd = fds[1];
    else
        close(fds[1]);
}

struct guard *guard_start(const char *dir)
{
    struct guard *guard = memory_new(sizeof(*guard));
    guard->dir = memory_text(dir, strlen(dir));
    fork_child(guard);
    if (guard->fd >= 0)
        return guard;
    guard_stop(guard);
    return NULL;
}

static void end_child(struct guard *guard)
{
    if (guard->fd < 0)
        return;
    close(guard->fd);
    waitpid(guard->pid, NULL, 0);
}

int guard_fd(const struct guard *guard)
{
    return guard->fd;
}

void guard_renew(struct guard *guard)
{
    end_child(guard);
    fork_child(guard);
}

void guard_stop(struct guard *guard)
{
    if (guard == NULL)
        return;
    if (guard->fd >= 0 && send(guard->fd, "q", 1, MSG_NOSIGNAL) < 0)
        kill(guard->pid, SIGKILL); /* it is gone already, or will be */
    end_child(guard);
    free(guard->dir);
    free(guard);
}
