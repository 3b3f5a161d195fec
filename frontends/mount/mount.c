/* (1) The door belongs to whoever holds the lock: threads of the device bring
 *     asks, the loop brings answers and time. Nobody waits with it in hand.
 * (2) The kernel may hold a folder or a page while it waits for us, and
 *     forgetting a name in that folder waits for it: so neither of them tells
 *     the kernel to forget, but leaves that to the notifier, in order.
 * (3) Whoever stops first answers all, and goes on answering "no" until the
 *     notifier has come back from the kernel. */
#define _GNU_SOURCE
#define FUSE_USE_VERSION 314
#include "mount/mount.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fuse_lowlevel.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <time.h>
#include <unistd.h>

#include "ate.h"
#include "base/buffer.h"
#include "mount/device.h"
#include "mount/door.h"
#include "mount/guard.h"
#include "mount/notifier.h"

enum {
    KEEP_S = 86400, /* until it is forgotten */
    TICK_MS = 100,
    FAREWELL_MS = 2000,
    DIRENT_MAX = 1 << 20,
};

struct mount {
    struct ate *ate;
    struct ate_port *port;
    pthread_mutex_t lock; /* of the door, and of what is asked there */
    struct door *door;
    struct fuse_session *session;
    struct device *device;
    struct notifier *notifier;
    struct guard *guard;
    char *dir;
    uid_t uid; /* that everything here belongs to: the process's own */
    gid_t gid;
    pthread_t thread;
    bool has_thread;
    int stop_fd, ended_fd;
    struct request *current; /* asked, and not told yet */
    bool is_stopping;
};

/* An ask of the kernel. */
struct request {
    struct mount *mount;
    fuse_req_t req;
    struct ask ask;
    struct fuse_file_info file;
    size_t size;
    off_t offset;
    bool is_told_of; /* libfuse is, that it may be interrupted */
};

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* The clock that files have. */
static int64_t wall_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
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

static uint64_t world_flush(void *ctx)
{
    return notifier_flush(((struct mount *)ctx)->notifier);
}

/* ---- answers to the kernel ---- */

static struct stat stat_of(const struct mount *m, const struct attr *attr)
{
    struct stat st = {
        .st_ino = attr->ino,
        .st_mode = (attr->is_folder ? S_IFDIR : S_IFREG) | attr->mode,
        .st_nlink = attr->is_folder ? 2 : 1,
        .st_uid = m->uid,
        .st_gid = m->gid,
        .st_size = (off_t)attr->size,
        .st_blksize = 4096,
        .st_blocks = (blkcnt_t)((attr->size + 511) / 512),
    };
    st.st_mtim.tv_sec = attr->mtime_ms / 1000;
    st.st_mtim.tv_nsec = attr->mtime_ms % 1000 * 1000000;
    st.st_atim = st.st_ctim = st.st_mtim;
    return st;
}

static struct fuse_entry_param entry_of(const struct mount *m,
                                        const struct told *told)
{
    double hold = told->keep ? KEEP_S : 0;
    return (struct fuse_entry_param){
        .ino = told->attr.ino,
        .attr = stat_of(m, &told->attr),
        .attr_timeout = hold,
        .entry_timeout = hold,
    };
}

static void fill_file(struct request *r, const struct told *told)
{
    r->file.fh = told->handle;
    r->file.direct_io = told->direct;
    r->file.keep_cache = !told->direct;
    r->file.nonseekable = told->is_stream;
    /* Nothing is judged when somebody who only reads closes it. */
    r->file.noflush = (r->file.flags & O_ACCMODE) == O_RDONLY;
    if (r->ask.kind == ASK_OPENDIR) {
        r->file.keep_cache = told->keep;
        r->file.cache_readdir = told->keep;
    }
}

/* ".", ".." and names, as many as fit. */
static void reply_names(struct request *r, const struct told *told)
{
    size_t room = r->size < DIRENT_MAX ? r->size : DIRENT_MAX;
    char *data = memory_new(room);
    size_t used = 0;
    off_t next = r->offset;
    size_t taken = 0;
    while (next < 2 || taken < told->name_count) {
        static const struct listed dots[] = {{".", DOOR_UNKNOWN, true},
                                             {"..", DOOR_UNKNOWN, true}};
        const struct listed *name =
            next < 2 ? &dots[next] : &told->names[taken];
        struct stat st = {.st_ino = name->ino,
                          .st_mode = name->is_folder ? S_IFDIR : S_IFREG};
        size_t need = fuse_add_direntry(r->req, data + used, room - used,
                                        name->name, &st, next + 1);
        if (need > room - used)
            break;
        used += need;
        taken += next >= 2;
        next++;
    }
    fuse_reply_buf(r->req, data, used);
    free(data);
}

/* An open file that nobody hears of is closed again. */
static void give_up_file(struct request *r, const struct told *told)
{
    struct ask ask = {
        .kind = ASK_RELEASE, .ino = told->attr.ino, .handle = told->handle};
    if (r->ask.kind == ASK_OPENDIR)
        ask.ino = r->ask.ino;
    door_ask(r->mount->door, &ask);
}

static void reply_entry(struct request *r, const struct told *told)
{
    struct fuse_entry_param entry = entry_of(r->mount, told);
    int rc = r->ask.kind == ASK_CREATE
                 ? fuse_reply_create(r->req, &entry, &r->file)
                 : fuse_reply_entry(r->req, &entry);
    if (rc != 0 && r->ask.kind == ASK_CREATE)
        give_up_file(r, told);
    if (rc != 0)
        door_forget(r->mount->door, told->attr.ino, 1);
}

static void reply_attr(struct request *r, const struct told *told)
{
    struct stat st = stat_of(r->mount, &told->attr);
    fuse_reply_attr(r->req, &st, told->keep ? KEEP_S : 0);
}

static void reply(struct request *r, const struct told *told)
{
    switch (r->ask.kind) {
    case ASK_LOOKUP:
    case ASK_CREATE:
        fill_file(r, told);
        reply_entry(r, told);
        break;
    case ASK_GETATTR:
    case ASK_SETATTR:
        reply_attr(r, told);
        break;
    case ASK_OPEN:
    case ASK_OPENDIR:
        fill_file(r, told);
        if (fuse_reply_open(r->req, &r->file) != 0)
            give_up_file(r, told);
        break;
    case ASK_READ:
        fuse_reply_buf(r->req, told->data, told->len);
        break;
    case ASK_READDIR:
        reply_names(r, told);
        break;
    case ASK_WRITE:
        fuse_reply_write(r->req, told->len);
        break;
    case ASK_ACCESS:
    case ASK_FLUSH:
    case ASK_FSYNC:
    case ASK_RELEASE:
    case ASK_UNLINK:
    case ASK_RENAME:
        fuse_reply_err(r->req, 0);
        break;
    }
}

static void world_tell(void *ctx, void *token, const struct told *told)
{
    struct mount *m = ctx;
    struct request *r = token;
    if (r == NULL)
        return; /* ours, nobody waits for it */
    if (m->current == r)
        m->current = NULL;
    if (told->error != 0)
        fuse_reply_err(r->req, told->error);
    else
        reply(r, told);
    free(r);
}

/* ---- asks of the kernel ---- */

static void on_interrupt(fuse_req_t req, void *data)
{
    struct request *r = data;
    (void)req;
    assert(!r->is_told_of); /* see ask() */
    door_interrupt(r->mount->door, r);
}

static struct request *request_new(fuse_req_t req, enum ask_kind kind,
                                   fuse_ino_t ino,
                                   const struct fuse_file_info *file)
{
    struct request *r = memory_new(sizeof(*r));
    r->mount = fuse_req_userdata(req);
    r->req = req;
    r->ask = (struct ask){.kind = kind, .token = r, .ino = ino};
    if (file != NULL) {
        r->file = *file;
        r->ask.handle = file->fh;
        r->ask.flags = file->flags;
    }
    return r;
}

/* With the lock in hand no INTERRUPT comes in between. */
static void tell_of(struct request *r)
{
    r->is_told_of = true;
    fuse_req_interrupt_func(r->req, on_interrupt, r);
    r->is_told_of = false;
}

static void ask(struct request *r)
{
    struct mount *m = r->mount;
    if (m->is_stopping) {
        fuse_reply_err(r->req, ENOTCONN);
        free(r);
        return;
    }
    m->current = r;
    door_ask(m->door, &r->ask);
    bool waits = m->current == r; /* it takes a while */
    m->current = NULL;
    if (waits && fuse_req_interrupted(r->req)) /* another thread was faster: */
        door_interrupt(m->door, r); /* libfuse would look at `req` after it */
    else if (waits)
        tell_of(r);
}

static void on_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
    struct request *r = request_new(req, ASK_LOOKUP, parent, NULL);
    r->ask.name = name;
    ask(r);
}

static void on_forget(fuse_req_t req, fuse_ino_t ino, uint64_t count)
{
    struct mount *m = fuse_req_userdata(req);
    if (!m->is_stopping)
        door_forget(m->door, ino, count);
    fuse_reply_none(req);
}

static void on_forget_multi(fuse_req_t req, size_t count,
                            struct fuse_forget_data *forgets)
{
    struct mount *m = fuse_req_userdata(req);
    for (size_t i = 0; i < count && !m->is_stopping; i++)
        door_forget(m->door, forgets[i].ino, forgets[i].nlookup);
    fuse_reply_none(req);
}

static void on_getattr(fuse_req_t req, fuse_ino_t ino,
                       struct fuse_file_info *file)
{
    ask(request_new(req, ASK_GETATTR, ino, file));
}

static bool is_other_owner(const struct mount *m, const struct stat *st,
                           int set)
{
    return ((set & FUSE_SET_ATTR_UID) != 0 && st->st_uid != m->uid) ||
           ((set & FUSE_SET_ATTR_GID) != 0 && st->st_gid != m->gid);
}

static void on_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *st, int set,
                       struct fuse_file_info *file)
{
    if (is_other_owner(fuse_req_userdata(req), st, set)) {
        fuse_reply_err(req, EPERM);
        return;
    }
    struct request *r = request_new(req, ASK_SETATTR, ino, file);
    r->ask.set = ((set & FUSE_SET_ATTR_SIZE) != 0 ? SET_SIZE : 0) |
                 ((set & FUSE_SET_ATTR_MODE) != 0 ? SET_MODE : 0) |
                 ((set & FUSE_SET_ATTR_MTIME) != 0 ? SET_MTIME : 0);
    r->ask.offset = (uint64_t)st->st_size;
    r->ask.mode = st->st_mode;
    r->ask.mtime_ms =
        (int64_t)st->st_mtim.tv_sec * 1000 + st->st_mtim.tv_nsec / 1000000;
    if ((set & FUSE_SET_ATTR_MTIME_NOW) != 0)
        r->ask.mtime_ms = wall_ms();
    ask(r);
}

static void on_access(fuse_req_t req, fuse_ino_t ino, int mask)
{
    struct request *r = request_new(req, ASK_ACCESS, ino, NULL);
    r->ask.flags = mask;
    ask(r);
}

static void on_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *file)
{
    ask(request_new(req, ASK_OPEN, ino, file));
}

static void on_create(fuse_req_t req, fuse_ino_t parent, const char *name,
                      mode_t mode, struct fuse_file_info *file)
{
    struct request *r = request_new(req, ASK_CREATE, parent, file);
    r->ask.handle = 0;
    r->ask.name = name;
    r->ask.mode = mode;
    ask(r);
}

static void on_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset,
                    struct fuse_file_info *file)
{
    struct request *r = request_new(req, ASK_READ, ino, file);
    r->ask.size = size;
    r->ask.offset = (uint64_t)offset;
    ask(r);
}

static void on_write(fuse_req_t req, fuse_ino_t ino, const char *data,
                     size_t size, off_t offset, struct fuse_file_info *file)
{
    struct request *r = request_new(req, ASK_WRITE, ino, file);
    r->ask.data = data;
    r->ask.size = size;
    r->ask.offset = (uint64_t)offset;
    ask(r);
}

static void on_flush(fuse_req_t req, fuse_ino_t ino,
                     struct fuse_file_info *file)
{
    ask(request_new(req, ASK_FLUSH, ino, file));
}

static void on_fsync(fuse_req_t req, fuse_ino_t ino, int data_only,
                     struct fuse_file_info *file)
{
    (void)data_only;
    ask(request_new(req, ASK_FSYNC, ino, file));
}

static void on_release(fuse_req_t req, fuse_ino_t ino,
                       struct fuse_file_info *file)
{
    ask(request_new(req, ASK_RELEASE, ino, file));
}

static void on_opendir(fuse_req_t req, fuse_ino_t ino,
                       struct fuse_file_info *file)
{
    struct request *r = request_new(req, ASK_OPENDIR, ino, file);
    r->ask.handle = 0;
    ask(r);
}

static void on_readdir(fuse_req_t req, fuse_ino_t ino, size_t size,
                       off_t offset, struct fuse_file_info *file)
{
    struct request *r = request_new(req, ASK_READDIR, ino, file);
    r->size = size;
    r->offset = offset;
    r->ask.offset = offset > 2 ? (uint64_t)offset - 2 : 0;
    ask(r);
}

static void on_unlink(fuse_req_t req, fuse_ino_t parent, const char *name)
{
    struct request *r = request_new(req, ASK_UNLINK, parent, NULL);
    r->ask.name = name;
    ask(r);
}

static void on_rename(fuse_req_t req, fuse_ino_t parent, const char *name,
                      fuse_ino_t to, const char *to_name, unsigned flags)
{
    struct request *r = request_new(req, ASK_RENAME, parent, NULL);
    r->ask.name = name;
    r->ask.to = to;
    r->ask.to_name = to_name;
    r->ask.flags = (int)flags;
    ask(r);
}

/* ---- what no chain has ---- */

static void on_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name,
                     mode_t mode)
{
    (void)parent;
    (void)name;
    (void)mode;
    fuse_reply_err(req, EPERM);
}

static void on_mknod(fuse_req_t req, fuse_ino_t parent, const char *name,
                     mode_t mode, dev_t device)
{
    (void)device;
    on_mkdir(req, parent, name, mode);
}

static void on_rmdir(fuse_req_t req, fuse_ino_t parent, const char *name)
{
    on_mkdir(req, parent, name, 0);
}

static void on_symlink(fuse_req_t req, const char *link, fuse_ino_t parent,
                       const char *name)
{
    (void)link;
    on_mkdir(req, parent, name, 0);
}

static void on_link(fuse_req_t req, fuse_ino_t ino, fuse_ino_t parent,
                    const char *name)
{
    (void)ino;
    on_mkdir(req, parent, name, 0);
}

static void on_statfs(fuse_req_t req, fuse_ino_t ino)
{
    struct statvfs st = {
        .f_bsize = 4096,
        .f_frsize = 4096,
        .f_blocks = DOOR_SCRATCH_MAX / 4096,
        .f_bfree = DOOR_SCRATCH_MAX / 4096,
        .f_bavail = DOOR_SCRATCH_MAX / 4096,
        .f_files = DOOR_SCRATCH_FILES,
        .f_ffree = DOOR_SCRATCH_FILES,
        .f_namemax = 255,
    };
    (void)ino;
    fuse_reply_statfs(req, &st);
}

/* Sizes never change under a number, so the kernel need not drop pages for
 * that; and it may keep what it lists. */
static void on_init(void *userdata, struct fuse_conn_info *conn)
{
    (void)userdata;
    conn->want &=
        ~(unsigned)(FUSE_CAP_AUTO_INVAL_DATA | FUSE_CAP_READDIRPLUS |
                    FUSE_CAP_READDIRPLUS_AUTO | FUSE_CAP_WRITEBACK_CACHE);
    conn->want |= conn->capable & FUSE_CAP_EXPLICIT_INVAL_DATA;
    conn->want |= conn->capable & FUSE_CAP_ATOMIC_O_TRUNC;
}

static const struct fuse_lowlevel_ops operations = {
    .init = on_init,
    .lookup = on_lookup,
    .forget = on_forget,
    .forget_multi = on_forget_multi,
    .getattr = on_getattr,
    .setattr = on_setattr,
    .access = on_access,
    .open = on_open,
    .create = on_create,
    .read = on_read,
    .write = on_write,
    .flush = on_flush,
    .fsync = on_fsync,
    .release = on_release,
    .opendir = on_opendir,
    .readdir = on_readdir,
    .releasedir = on_release,
    .unlink = on_unlink,
    .rename = on_rename,
    .mkdir = on_mkdir,
    .mknod = on_mknod,
    .rmdir = on_rmdir,
    .symlink = on_symlink,
    .link = on_link,
    .statfs = on_statfs,
};

/* ---- the loop ---- */

static void take_answers(struct mount *m)
{
    struct ate_answer answer;
    while (ate_port_next(m->port, &answer, 0) == 1) {
        if (m->door != NULL)
            door_answer(m->door, &answer);
        ate_free(&answer.value);
    }
}

static void take_flushes(struct mount *m)
{
    uint64_t number = notifier_flushed(m->notifier);
    if (number != 0 && m->door != NULL)
        door_flushed(m->door, number);
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
    if (m->door != NULL)
        door_tick(m->door, now_ms());
}

static void take_ask(void *owner, const struct fuse_buf *ask)
{
    struct mount *m = owner;
    enter(m);
    fuse_session_process_buf(m->session, ask);
    leave(m);
}

/* False: somebody stops it, or unmounted it. */
static bool turn(struct mount *m, int timeout_ms)
{
    struct pollfd fds[] = {
        {.fd = ate_port_fd(m->port), .events = POLLIN},
        {.fd = notifier_fd(m->notifier), .events = POLLIN},
        {.fd = m->stop_fd, .events = POLLIN},
        {.fd = device_fd(m->device), .events = POLLIN},
    };
    poll(fds, sizeof(fds) / sizeof(*fds), timeout_ms);
    enter(m);
    take_flushes(m);
    leave(m);
    return fds[2].revents == 0 && fds[3].revents == 0;
}

/* (3) */
static void say_farewell(struct mount *m)
{
    pthread_mutex_lock(&m->lock);
    door_free(m->door);
    m->door = NULL;
    m->is_stopping = true;
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
    while (turn(m, TICK_MS))
        ;
    say_farewell(m);
    tell_ended(m);
    return NULL;
}

/* ---- mounting ---- */

static int fail(struct ate_error *error, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static int fail(struct ate_error *error, int code, const char *format, ...)
{
    va_list args;
    *error = (struct ate_error){.code = code};
    va_start(args, format);
    vsnprintf(error->text, sizeof(error->text), format, args);
    va_end(args);
    return code;
}

/* A mount whose process died is no folder any more. */
static void clear_dead(const char *dir)
{
    struct statfs st;
    if (statfs(dir, &st) != 0 && errno == ENOTCONN)
        guard_unmount(dir);
}

static int check_dir(const char *dir, struct ate_error *error)
{
    clear_dead(dir);
    DIR *folder = opendir(dir);
    if (folder == NULL)
        return fail(error, errno == ENOENT ? ATE_NOT_FOUND : ATE_INVALID,
                    "mount %s: %s", dir, strerror(errno));
    int count = 0;
    while (count < 3 && readdir(folder) != NULL)
        count++;
    closedir(folder);
    if (count > 2)
        return fail(error, ATE_INVALID,
                    "mount %s: there are files in it, which the mount would "
                    "hide; take an empty folder",
                    dir);
    return 0;
}

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
    m->session = fuse_session_new(&args, &operations, sizeof(operations), m);
    fuse_opt_free_args(&args);
    if (m->session == NULL)
        return fail(error, ATE_UNAVAILABLE, "mount %s: FUSE: %s", m->dir, said);
    if (fuse_session_mount(m->session, m->dir) != 0) {
        fail(error, ATE_UNAVAILABLE, "mount %s: FUSE: %s", m->dir, said);
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
        .flush = world_flush,
    };
    const struct door_options door = {
        .as = options->as,
        .deadline_ms = options->deadline_ms,
        .epoch_ms = wall_ms() - now_ms(),
    };
    sigset_t all, before;
    m->door = door_new(&world, &door, now_ms());
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    m->notifier = notifier_new(m->session);
    if (m->notifier != NULL)
        m->device = device_start(m->session, take_ask, m);
    m->has_thread =
        m->device != NULL && pthread_create(&m->thread, NULL, loop, m) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!m->has_thread)
        return fail(error, ATE_UNAVAILABLE, "mount %s: no more threads",
                    m->dir);
    return 0;
}

int mount_start(struct mount **out, struct ate *ate, const char *dir,
                const struct mount_options *options, struct ate_error *error)
{
    *out = NULL;
    clear_dead(dir);
    char *real = realpath(dir, NULL);
    int rc = check_dir(real != NULL ? real : dir, error);
    if (rc != 0) {
        free(real);
        return rc;
    }
    struct mount *m = memory_new(sizeof(*m));
    pthread_mutex_init(&m->lock, NULL);
    m->ate = ate;
    m->dir = real;
    m->uid = geteuid();
    m->gid = getegid();
    m->stop_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    m->ended_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    m->port = ate_port_new();
    if (m->stop_fd < 0 || m->ended_fd < 0 || m->port == NULL)
        rc = fail(error, ATE_UNAVAILABLE, "mount %s: too many open files", dir);
    if (rc == 0)
        ate_port_gather(m->port);
    if (rc == 0)
        rc = start_session(m, error);
    if (rc == 0 && (m->guard = guard_start(m->dir)) == NULL)
        rc = fail(error, ATE_UNAVAILABLE, "mount %s: no more processes", dir);
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
    door_free(m->door);
    if (m->session != NULL) {
        fuse_session_unmount(m->session);
        clear_dead(m->dir); /* libfuse leaves one whose connection was cut */
        notifier_free(m->notifier);
        fuse_session_destroy(m->session);
    }
    guard_stop(m->guard);
    ate_port_free(m->port);
    pthread_mutex_destroy(&m->lock);
    close_fd(m->stop_fd);
    close_fd(m->ended_fd);
    free(m->dir);
    free(m);
}
