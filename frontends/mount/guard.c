/* The child holds one end of a pipe and nothing else of its parent: no lock of
 * a data folder, no device of FUSE. It was forked from a process with threads,
 * so it only makes system calls. */
#define _GNU_SOURCE
#include "mount/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buffer.h"

enum { FD_MOST = 1 << 16 };

struct guard {
    int fd;
    pid_t pid;
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
    setsid(); /* no Ctrl-C of the terminal */
    signal(SIGTERM, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    close_others(fd);
    if (chdir("/") != 0)
        _exit(1);
    watch(dir);
}

struct guard *guard_start(const char *dir)
{
    int fds[2];
    if (pipe2(fds, O_CLOEXEC) != 0)
        return NULL;
    pid_t pid = fork();
    if (pid == 0)
        run_child(dir, fds[0]);
    close(fds[0]);
    if (pid < 0) {
        close(fds[1]);
        return NULL;
    }
    struct guard *guard = memory_new(sizeof(*guard));
    *guard = (struct guard){.fd = fds[1], .pid = pid};
    return guard;
}

void guard_stop(struct guard *guard)
{
    if (guard == NULL)
        return;
    if (write(guard->fd, "q", 1) < 0)
        kill(guard->pid, SIGKILL); /* it is gone already, or will be */
    close(guard->fd);
    waitpid(guard->pid, NULL, 0);
    free(guard);
}
