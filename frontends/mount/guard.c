/* The child holds one end of a socket and nothing else of its parent: no lock
 * of a data folder, no device of FUSE. It was forked from a process with
 * threads, so it only makes system calls. */
#define _GNU_SOURCE
#include "mount/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buffer.h"

enum { FD_MOST = 1 << 16, LOOK_MS = 500 };

struct guard {
    int fd; /* -1: there is no process */
    pid_t pid;
    char *dir;
    char stat[32]; /* where the kernel tells how the parent is */
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

/* What is mounted there; nobody is asked. 0: that cannot be seen. */
static dev_t device_of(const char *dir)
{
    struct statx st;
    int flags = AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT;
    return statx(AT_FDCWD, dir, flags, 0, &st) == 0
               ? makedev(st.stx_dev_major, st.stx_dev_minor)
               : 0;
}

/* Has the first thread of a process ended? `fd`: of its `stat`. */
static bool is_dying(int fd)
{
    char text[256];
    ssize_t len = pread(fd, text, sizeof(text), 0);
    const char *name = len > 0 ? memrchr(text, ')', (size_t)len) : NULL;
    return name != NULL && name + 2 < text + len && name[2] == 'Z';
}

/* Every question that is open gets an error. What fails is tried again. */
static void break_connection(const char *dir, dev_t device)
{
    char path[64];
    if (device == 0 || device_of(dir) != device)
        return; /* it is away; anything else that is mounted is not ours */
    if (umount2(dir, MNT_FORCE | MNT_DETACH) == 0)
        return;
    snprintf(path, sizeof(path), "/sys/fs/fuse/connections/%u/abort",
             minor(device));
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    ssize_t told = write(fd, "1", 1);
    (void)told; /* there is no other way */
    close(fd);
}

/* The parent says a byte when it has unmounted; without one it is dead. What
 * it left answers every question with "not connected"; anything else that is
 * mounted there is not ours. */
static void watch(const char *dir, int stat)
{
    struct statfs st;
    char byte;
    dev_t device = device_of(dir);
    struct pollfd told = {.fd = 0, .events = POLLIN};
    while (poll(&told, 1, LOOK_MS) <= 0)
        if (is_dying(stat))
            break_connection(dir, device);
    if (read(0, &byte, 1) == 1)
        _exit(0);
    if (statfs(dir, &st) != 0 && errno != ENOENT)
        guard_unmount(dir);
    _exit(0);
}

static void run_child(const struct guard *guard, int fd)
{
    prctl(PR_SET_NAME, "unmounts"); /* `killall -9 ate` does not mean it */
    setsid();                       /* no Ctrl-C of the terminal */
    signal(SIGTERM, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    close_others(fd);
    if (chdir("/") != 0)
        _exit(1);
    watch(guard->dir, open(guard->stat, O_RDONLY | O_CLOEXEC));
}

static void fork_child(struct guard *guard)
{
    int fds[2];
    guard->fd = -1;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0)
        return;
    guard->pid = fork();
    if (guard->pid == 0)
        run_child(guard, fds[0]);
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
    snprintf(guard->stat, sizeof(guard->stat), "/proc/%d/stat", getpid());
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
