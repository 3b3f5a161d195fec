/* (1) The door belongs to whoever holds the lock: threads of the device bring
 *     asks, the loop brings answers and time. Nobody waits with it in hand.
 * (2) The kernel may hold a folder or a page while it waits for us, and
 *     forgetting a name in that folder waits for it: so neither of them tells
 *     the kernel to forget, but leaves that to the notifier.
 * (3) Whoever stops first answers all, and goes on answering "no" until the
 *     notifier has come back from the kernel. */
#define _GNU_SOURCE
#define FUSE_USE_VERSION 314
#include "mount/mount.h"

#include <errno.h>
#include <fcntl.h>
#include <fuse_lowlevel.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/pidfd.h>
#include <time.h>
#include <unistd.h>

#include "ate.h"
#include "base/buffer.h"
#include "mount/device.h"
#include "mount/door.h"
#include "mount/fail.h"
#include "mount/guard.h"
#include "mount/kernel.h"
#include "mount/notifier.h"
#include "mount/place.h"

enum { TICK_MS = 100, HELD_TICK_MS = 5, FAREWELL_MS = 2000 };

struct mount {
    struct ate *ate;
    struct ate_port *port;
    pthread_mutex_t lock; /* of the door, and of what is asked there */
    struct kernel kernel; /* with the door */
    struct fuse_session *session;
    struct device *device;
    struct notifier *notifier;
    struct guard *guard;
    char *dir;
    bool has_made; /* the folder, which goes with it */
    pthread_t thread;
    bool has_thread;
    int stop_fd, ended_fd;
};

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* ---- what the door is told of the world ---- */

static uint64_t world_call(void *ctx, const struct ate_request *request)
{
    struct mount *m = ctx;
    return ate_call(m->ate, m->port, request);
}

static uint64_t world_read(void *ctx, const struct ate_request *request)
{
    struct mount *m = ctx;
    return ate_read(m->ate, m->port, request);
}

static void world_cancel(void *ctx, uint64_t call)
{
    ate_cancel(((struct mount *)ctx)->ate, call);
}

static void world_grant(void *ctx, uint64_t call, uint32_t chunks)
{
    ate_grant(((struct mount *)ctx)->ate, call, chunks);
}

static void world_forget_entry(void *ctx, uint64_t folder, const char *name)
{
    notifier_entry(((struct mount *)ctx)->notifier, folder, name);
}

static void world_forget_data(void *ctx, uint64_t ino)
{
    notifier_data(((struct mount *)ctx)->notifier, ino);
}

static void world_forget_attr(void *ctx, uint64_t ino)
{
    notifier_attr(((struct mount *)ctx)->notifier, ino);
}

/* One that nobody has waited for yet has ended, too. */
static bool world_lives(void *ctx, uint32_t pid)
{
    (void)ctx;
    int fd = pid != 0 ? pidfd_open((pid_t)pid, 0) : -1;
    if (fd < 0)
        return pid == 0 || errno != ESRCH; /* a thread; no more files */
    struct pollfd ended = {.fd = fd, .events = POLLIN};
    bool lives = poll(&ended, 1, 0) == 0;
    close(fd);
    return lives;
}

static uint64_t world_flush(void *ctx, uint64_t folder, uint64_t other)
{
    return notifier_flush(((struct mount *)ctx)->notifier, folder, other);
}

static void world_tell(void *ctx, void *token, const struct told *told)
{
    kernel_tell(&((struct mount *)ctx)->kernel, token, told);
}

/* ---- the loop ---- */

static void take_answers(struct mount *m)
{
    struct ate_answer answer;
    while (ate_port_next(m->port, &answer, 0) == 1) {
        if (m->kernel.door != NULL)
            door_answer(m->kernel.door, &answer);
        ate_free(&answer.value);
    }
}

static void take_flushes(struct mount *m)
{
    uint64_t number;
    while ((number = notifier_flushed(m->notifier)) != 0)
        if (m->kernel.door != NULL)
            door_flushed(m->kernel.door, number);
}

/* What the door asked is begun here (ate_port_gather). */
static void leave(struct mount *m)
{
    take_answers(m);
    pthread_mutex_unlock(&m->lock);
}

static void enter(struct mount *m)
{
    pthread_mutex_lock(&m->lock);
    if (m->kernel.door != NULL)
        door_tick(m->kernel.door, now_ms());
}

static void take_ask(void *owner, const struct fuse_buf *ask)
{
    struct mount *m = owner;
    enter(m);
    fuse_session_process_buf(m->session, ask);
    leave(m);
}

/* Until the next tick. */
static int timeout_of(struct mount *m)
{
    pthread_mutex_lock(&m->lock);
    bool holds = m->kernel.door != NULL && door_held(m->kernel.door) > 0;
    pthread_mutex_unlock(&m->lock);
    return holds ? HELD_TICK_MS : TICK_MS;
}

/* False: somebody stops it, or unmounted it. */
static bool turn(struct mount *m, int timeout_ms)
{
    struct pollfd fds[] = {
        {.fd = ate_port_fd(m->port), .events = POLLIN},
        {.fd = notifier_fd(m->notifier), .events = POLLIN},
        {.fd = m->stop_fd, .events = POLLIN},
        {.fd = device_fd(m->device), .events = POLLIN},
        {.fd = guard_fd(m->guard)},
    };
    poll(fds, sizeof(fds) / sizeof(*fds), timeout_ms);
    if (fds[4].revents != 0)
        guard_renew(m->guard);
    enter(m);
    take_flushes(m);
    leave(m);
    return fds[2].revents == 0 && fds[3].revents == 0;
}

/* What was unlinked is deleted before it ends. */
static void finish(struct mount *m)
{
    int64_t end = now_ms() + FAREWELL_MS;
    enter(m);
    door_finish(m->kernel.door);
    leave(m);
    while (timeout_of(m) == HELD_TICK_MS && now_ms() < end) {
        struct pollfd answers = {.fd = ate_port_fd(m->port), .events = POLLIN};
        poll(&answers, 1, HELD_TICK_MS);
        enter(m);
        leave(m);
    }
}

/* (3) */
static void say_farewell(struct mount *m)
{
    pthread_mutex_lock(&m->lock);
    door_free(m->kernel.door);
    m->kernel.door = NULL;
    pthread_mutex_unlock(&m->lock);
    notifier_stop(m->notifier);
    int64_t end = now_ms() + FAREWELL_MS;
    while (!notifier_has_stopped(m->notifier) && now_ms() < end) {
        poll(NULL, 0, TICK_MS / 10);
        enter(m);
        leave(m);
    }
}

static void tell_ended(struct mount *m)
{
    uint64_t one = 1;
    if (write(m->ended_fd, &one, sizeof(one)) < 0)
        return; /* it is full: that has been said */
}

static void *loop(void *arg)
{
    struct mount *m = arg;
    while (turn(m, timeout_of(m)))
        ;
    finish(m);
    say_farewell(m);
    tell_ended(m);
    return NULL;
}

/* ---- mounting ---- */

/* libfuse explains itself line by line; the first one is what went wrong. */
static _Thread_local char said[256];

static void on_log(enum fuse_log_level level, const char *format, va_list args)
{
    (void)level;
    if (said[0] == '\0')
        vsnprintf(said, sizeof(said), format, args);
    said[strcspn(said, "\n")] = '\0';
}

static int start_session(struct mount *m, struct ate_error *error)
{
    char *argv[] = {(char *)"ate", (char *)"-o",
                    (char *)"fsname=ate,subtype=ate", NULL};
    struct fuse_args args = FUSE_ARGS_INIT(3, argv);
    said[0] = '\0';
    fuse_set_log_func(on_log);
    m->session = fuse_session_new(&args, &kernel_operations,
                                  sizeof(kernel_operations), &m->kernel);
    fuse_opt_free_args(&args);
    if (m->session == NULL)
        return mount_fail(error, ATE_UNAVAILABLE, "mount %s: FUSE: %s", m->dir,
                          said);
    if (fuse_session_mount(m->session, m->dir) != 0) {
        mount_fail(error, ATE_UNAVAILABLE, "mount %s: FUSE: %s", m->dir, said);
        fuse_session_destroy(m->session);
        m->session = NULL;
        return error->code;
    }
    fcntl(fuse_session_fd(m->session), F_SETFD, FD_CLOEXEC);
    return 0;
}

static int start_threads(struct mount *m, const struct mount_options *options,
                         struct ate_error *error)
{
    const struct world world = {
        .ctx = m,
        .call = world_call,
        .read = world_read,
        .cancel = world_cancel,
        .grant = world_grant,
        .tell = world_tell,
        .forget_entry = world_forget_entry,
        .forget_data = world_forget_data,
        .forget_attr = world_forget_attr,
        .lives = world_lives,
        .flush = world_flush,
    };
    const struct door_options door = {
        .as = options->as,
        .deadline_ms = options->deadline_ms,
        .epoch_ms = wall_ms() - now_ms(),
    };
    sigset_t all, before;
    m->kernel.door = door_new(&world, &door, now_ms());
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    m->notifier = notifier_new(m->session);
    if (m->notifier != NULL)
        m->device = device_start(m->session, take_ask, m);
    m->has_thread =
        m->device != NULL && pthread_create(&m->thread, NULL, loop, m) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!m->has_thread)
        return mount_fail(error, ATE_UNAVAILABLE, "mount %s: no more threads",
                          m->dir);
    return 0;
}

int mount_start(struct mount **out, struct ate *ate, const char *dir,
                const struct mount_options *options, struct ate_error *error)
{
    bool made;
    char *real;
    *out = NULL;
    int rc = place_take(dir, &real, &made, error);
    if (rc != 0)
        return rc;
    struct mount *m = memory_new(sizeof(*m));
    m->has_made = made;
    pthread_mutex_init(&m->lock, NULL);
    m->ate = ate;
    m->dir = real;
    m->kernel.uid = geteuid();
    m->kernel.gid = getegid();
    m->stop_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    m->ended_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    m->port = ate_port_new();
    if (m->stop_fd < 0 || m->ended_fd < 0 || m->port == NULL)
        rc = mount_fail(error, ATE_UNAVAILABLE, "mount %s: too many open files",
                        dir);
    if (rc == 0)
        ate_port_gather(m->port);
    if (rc == 0)
        rc = start_session(m, error);
    if (rc == 0 && (m->guard = guard_start(m->dir)) == NULL)
        rc = mount_fail(error, ATE_UNAVAILABLE, "mount %s: no more processes",
                        dir);
    if (rc == 0)
        rc = start_threads(m, options, error);
    if (rc != 0) {
        mount_stop(m);
        return rc;
    }
    *out = m;
    return 0;
}

int mount_fd(const struct mount *m)
{
    return m->ended_fd;
}

static void close_fd(int fd)
{
    if (fd >= 0)
        close(fd);
}

void mount_stop(struct mount *m)
{
    uint64_t one = 1;
    if (m == NULL)
        return;
    if (m->has_thread && write(m->stop_fd, &one, sizeof(one)) == sizeof(one))
        pthread_join(m->thread, NULL);
    else if (m->device != NULL)
        say_farewell(m);
    device_stop(m->device);
    door_free(m->kernel.door);
    if (m->session != NULL) {
        fuse_session_unmount(m->session);
        place_clear(m->dir); /* libfuse leaves one whose connection was cut */
        notifier_free(m->notifier);
        fuse_session_destroy(m->session);
    }
    guard_stop(m->guard);
    if (m->has_made)
        rmdir(m->dir); /* not when somebody has put something there */
    ate_port_free(m->port);
    pthread_mutex_destroy(&m->lock);
    close_fd(m->stop_fd);
    close_fd(m->ended_fd);
    free(m->dir);
    free(m);
}
