/* Processes that die otherwise than in order, in front of a file system that
 * stands for the mount. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mount/guard.h"

enum { WAIT_MS = 20000, TURN_MS = 5 };

static void *wait_for_end(void *fd)
{
    char byte;
    while (read(*(int *)fd, &byte, 1) < 0)
        ;
    _exit(0);
}

/* A killed process one of whose threads the kernel does not let go: its first
 * thread has ended, what it has open stays open. */
static void half_die(const char *dir, int end, int begun)
{
    pthread_t thread;
    bool good = guard_start(dir) != NULL &&
                pthread_create(&thread, NULL, wait_for_end, &end) == 0 &&
                write(begun, "b", 1) == 1;
    if (good)
        syscall(SYS_exit, 0);
    _exit(1);
}

static bool is_mounted(const char *dir)
{
    struct stat in, above;
    assert_int_equal(stat(dir, &in), 0);
    assert_int_equal(stat("/tmp", &above), 0);
    return in.st_dev != above.st_dev;
}

static void who_cannot_die_loses_the_mount(void **state)
{
    char dir[] = "/tmp/ate-guard-XXXXXX";
    int end[2], begun[2], status;
    char byte;
    (void)state;
    if (unshare(CLONE_NEWNS) != 0)
        skip(); /* not root */
    assert_non_null(mkdtemp(dir));
    assert_int_equal(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
    assert_int_equal(mount("guarded", dir, "ramfs", 0, NULL), 0);
    assert_true(is_mounted(dir));
    assert_int_equal(pipe(end), 0);
    assert_int_equal(pipe(begun), 0);
    pid_t pid = fork();
    if (pid == 0) {
        close(end[1]);
        half_die(dir, end[0], begun[1]);
    }
    assert_int_equal(read(begun[0], &byte, 1), 1);
    for (int ms = 0; ms < WAIT_MS && is_mounted(dir); ms += TURN_MS)
        poll(NULL, 0, TURN_MS);
    bool was_kept = is_mounted(dir);
    if (was_kept)
        umount2(dir, MNT_DETACH);
    assert_int_equal(waitpid(pid, &status, WNOHANG), 0); /* it has not died */
    close(end[1]);
    waitpid(pid, &status, 0);
    rmdir(dir);
    assert_false(was_kept);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_cannot_die_loses_the_mount),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
