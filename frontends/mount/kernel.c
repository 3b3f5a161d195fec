#define _GNU_SOURCE
#define FUSE_USE_VERSION 314
#include "mount/kernel.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <fuse_lowlevel.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include "base/buffer.h"
#include "mount/door.h"

enum {
    KEEP_S = 86400, /* until it is forgotten */
    DIRENT_MAX = 1 << 20,
    /* Behind the last entry, however many there are: who reads the end of a
     * list is where the kernel has kept another to its end. */
    LIST_END = 0x7fffffff,
};

/* An ask of the kernel. */
struct request {
    struct kernel *kernel;
    fuse_req_t req;
    struct ask ask;
    struct fuse_file_info file;
    size_t size;
    off_t offset;
    bool is_told_of; /* libfuse is, that it may be interrupted */
};

/* The clock that files have. */
int64_t wall_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* ---- answers to the kernel ---- */

static struct stat stat_of(const struct kernel *k, const struct attr *attr)
{
    struct stat st = {
        .st_ino = attr->ino,
        .st_mode = (attr->is_folder ? S_IFDIR : S_IFREG) | attr->mode,
        .st_nlink = attr->is_folder ? 2 : 1,
        .st_uid = k->uid,
        .st_gid = k->gid,
        .st_size = (off_t)attr->size,
        .st_blksize = 4096,
        .st_blocks = (blkcnt_t)((attr->size + 511) / 512),
    };
    st.st_mtim.tv_sec = attr->mtime_ms / 1000;
    st.st_mtim.tv_nsec = attr->mtime_ms % 1000 * 1000000;
    st.st_atim = st.st_ctim = st.st_mtim;
    return st;
}

static struct fuse_entry_param entry_of(const struct kernel *k,
                                        const struct told *told)
{
    double hold = told->keep ? KEEP_S : 0;
    return (struct fuse_entry_param){
        .ino = told->attr.ino,
        .attr = stat_of(k, &told->attr),
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
        r->file.cache_readdir = told->shares;
    }
}

/* The names from r->offset on, "." and ".." before them, as many as fit. */
static size_t put_names(struct request *r, const struct told *told, char *data,
                        size_t room)
{
    static const struct listed dots[] = {{".", DOOR_UNKNOWN, true},
                                         {"..", DOOR_UNKNOWN, true}};
    size_t before = r->offset < 2 ? 2 - (size_t)r->offset : 0;
    size_t count = before + told->name_count;
    size_t used = 0;
    for (size_t i = 0; i < count; i++) {
        const struct listed *name =
            i < before ? &dots[r->offset + (off_t)i] : &told->names[i - before];
        struct stat st = {.st_ino = name->ino,
                          .st_mode = name->is_folder ? S_IFDIR : S_IFREG};
        off_t next = i + 1 < count ? r->offset + (off_t)i + 1 : LIST_END;
        size_t need = fuse_add_direntry(r->req, data + used, room - used,
                                        name->name, &st, next);
        if (need > room - used)
            break;
        used += need;
    }
    return used;
}

/* When an end comes that is empty, the kernel takes what it has kept for all
 * there is; one that is too short for an entry ends the list, too, and leaves
 * that open. */
static void reply_names(struct request *r, const struct told *told)
{
    size_t room = r->size < DIRENT_MAX ? r->size : DIRENT_MAX;
    char *data = memory_new(room);
    size_t used = put_names(r, told, data, room);
    if (used == 0 && told->is_old && room > 0)
        used = 1;
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
    door_ask(r->kernel->door, &ask);
}

static void reply_entry(struct request *r, const struct told *told)
{
    struct fuse_entry_param entry = entry_of(r->kernel, told);
    int rc = r->ask.kind == ASK_CREATE
                 ? fuse_reply_create(r->req, &entry, &r->file)
                 : fuse_reply_entry(r->req, &entry);
    if (rc != 0 && r->ask.kind == ASK_CREATE)
        give_up_file(r, told);
    if (rc != 0)
        door_forget(r->kernel->door, told->attr.ino, 1);
}

static void reply_attr(struct request *r, const struct told *told)
{
    struct stat st = stat_of(r->kernel, &told->attr);
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
    case ASK_DELETE:
        fuse_reply_err(r->req, 0);
        break;
    }
}

void kernel_tell(struct kernel *k, void *token, const struct told *told)
{
    struct request *r = token;
    if (r == NULL)
        return; /* ours, nobody waits for it */
    if (k->current == r)
        k->current = NULL;
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
    assert(!r->is_told_of); /* see tell_of() */
    door_interrupt(r->kernel->door, r);
}

static struct request *request_new(fuse_req_t req, enum ask_kind kind,
                                   fuse_ino_t ino,
                                   const struct fuse_file_info *file)
{
    struct request *r = memory_new(sizeof(*r));
    r->kernel = fuse_req_userdata(req);
    r->req = req;
    r->ask = (struct ask){.kind = kind,
                          .token = r,
                          .ino = ino,
                          .pid = (uint32_t)fuse_req_ctx(req)->pid};
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
    struct kernel *k = r->kernel;
    if (k->door == NULL) {
        fuse_reply_err(r->req, ENOTCONN);
        free(r);
        return;
    }
    k->current = r;
    door_ask(k->door, &r->ask);
    bool waits = k->current == r; /* it takes a while */
    k->current = NULL;
    if (waits && fuse_req_interrupted(r->req)) /* another thread was faster: */
        door_interrupt(k->door, r); /* libfuse would look at `req` after it */
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
    struct kernel *k = fuse_req_userdata(req);
    if (k->door != NULL)
        door_forget(k->door, ino, count);
    fuse_reply_none(req);
}

static void on_forget_multi(fuse_req_t req, size_t count,
                            struct fuse_forget_data *forgets)
{
    struct kernel *k = fuse_req_userdata(req);
    for (size_t i = 0; i < count && k->door != NULL; i++)
        door_forget(k->door, forgets[i].ino, forgets[i].nlookup);
    fuse_reply_none(req);
}

static void on_getattr(fuse_req_t req, fuse_ino_t ino,
                       struct fuse_file_info *file)
{
    ask(request_new(req, ASK_GETATTR, ino, file));
}

static bool is_other_owner(const struct kernel *k, const struct stat *st,
                           int set)
{
    return ((set & FUSE_SET_ATTR_UID) != 0 && st->st_uid != k->uid) ||
           ((set & FUSE_SET_ATTR_GID) != 0 && st->st_gid != k->gid);
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
    r->ask.begins = offset == 0;
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

const struct fuse_lowlevel_ops kernel_operations = {
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
