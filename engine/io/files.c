/* (1) A job keeps every descriptor it used until it ends: a write and the
 *     sync behind it go through the same one, which is the one that learns of
 *     an error in between.
 * (2) A descriptor whose sync or write failed is forgotten at once and closed
 *     when its last user is through. So is one whose path was renamed,
 *     removed or replaced.
 * (3) Only regular files are opened, never by a link, and opening never
 *     waits: a folder may come from somebody else. */
#include "io/files.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/crc32c.h"
#include "base/err.h"
#include "base/memory.h"

enum { BUCKETS = 1024 };

struct file {
    char *path;
    int fd;
    uint32_t users;
    bool known; /* in a bucket and in the list */
    struct file *bucket_next;
    struct file *newer;
    struct file *older;
};

struct files {
    int folder;
    int lock;              /* -1: opened to read */
    pthread_mutex_t mutex; /* of all below */
    struct file *bucket[BUCKETS];
    struct file *newest;
    struct file *oldest;
    uint32_t count;
    uint32_t count_max;
};

/* A job's descriptors, invariant (1). */
struct use {
    struct files *files;
    struct file *held[JOB_OPS_MAX];
    uint32_t count;
};

/* ---- the descriptors that are open ---- */

static struct file **bucket_of(struct files *files, const char *path)
{
    return &files->bucket[crc32c(0, path, strlen(path)) % BUCKETS];
}

static struct file *look_up(struct files *files, const char *path)
{
    struct file *f = *bucket_of(files, path);
    while (f != NULL && strcmp(f->path, path) != 0)
        f = f->bucket_next;
    return f;
}

static void list_remove(struct files *files, struct file *f)
{
    *(f->newer != NULL ? &f->newer->older : &files->newest) = f->older;
    *(f->older != NULL ? &f->older->newer : &files->oldest) = f->newer;
}

static void list_add(struct files *files, struct file *f)
{
    f->newer = NULL;
    f->older = files->newest;
    *(f->older != NULL ? &f->older->newer : &files->oldest) = f;
    files->newest = f;
}

static void file_free(struct file *f)
{
    close(f->fd); /* what it could report was reported by the sync */
    mem_free(f->path);
    mem_free(f);
}

static void forget(struct files *files, struct file *f)
{
    struct file **p = bucket_of(files, f->path);
    if (!f->known)
        return;
    while (*p != f)
        p = &(*p)->bucket_next;
    *p = f->bucket_next;
    list_remove(files, f);
    f->known = false;
    files->count--;
    if (f->users == 0)
        file_free(f);
}

static void forget_path(struct files *files, const char *path)
{
    pthread_mutex_lock(&files->mutex);
    struct file *f = look_up(files, path);
    if (f != NULL)
        forget(files, f);
    pthread_mutex_unlock(&files->mutex);
}

static void make_room(struct files *files)
{
    struct file *f = files->oldest;
    while (f != NULL && files->count >= files->count_max) {
        struct file *newer = f->newer;
        if (f->users == 0)
            forget(files, f);
        f = newer;
    }
}

static void hold(struct use *use, struct file *f)
{
    assert(use->count < JOB_OPS_MAX);
    f->users++;
    use->held[use->count++] = f;
}

static void let_go(struct use *use)
{
    struct files *files = use->files;
    pthread_mutex_lock(&files->mutex);
    for (uint32_t i = 0; i < use->count; i++) {
        struct file *f = use->held[i];
        assert(f->users > 0);
        if (--f->users == 0 && !f->known)
            file_free(f);
    }
    pthread_mutex_unlock(&files->mutex);
    use->count = 0;
}

/* Enter a new descriptor, unless another thread was faster: then that one. */
static struct file *enter(struct use *use, const char *path, int fd)
{
    struct files *files = use->files;
    pthread_mutex_lock(&files->mutex);
    struct file *f = look_up(files, path);
    if (f != NULL) {
        close(fd);
    } else {
        make_room(files);
        f = mem_zero(1, sizeof(*f));
        f->path = mem_text(path);
        f->fd = fd;
        f->known = true;
        struct file **bucket = bucket_of(files, path);
        f->bucket_next = *bucket;
        *bucket = f;
        list_add(files, f);
        files->count++;
    }
    hold(use, f);
    pthread_mutex_unlock(&files->mutex);
    return f;
}

/* Invariant (3). Returns 0 or an errno. */
static int open_file(struct files *files, const char *path, int flags, int *fd)
{
    struct stat st;
    int access = files->lock >= 0 ? O_RDWR : O_RDONLY;

    if (flags != 0 && files->lock < 0)
        return EROFS;
    *fd = openat(files->folder, path,
                 access | flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
    if (*fd < 0)
        return errno;
    if (fstat(*fd, &st) == 0 && S_ISREG(st.st_mode))
        return 0;
    close(*fd);
    return EINVAL;
}

/* The descriptor of a path when it is open; this job's own first. */
static struct file *find_open(struct use *use, const char *path)
{
    struct files *files = use->files;
    struct file *f;

    for (uint32_t i = 0; i < use->count; i++) {
        f = use->held[i];
        if (f->known && strcmp(f->path, path) == 0)
            return f;
    }
    f = look_up(files, path);
    if (f != NULL) {
        list_remove(files, f);
        list_add(files, f);
        hold(use, f);
    }
    return f;
}

static int get_file(struct use *use, const char *path, struct file **out)
{
    struct files *files = use->files;
    int fd;

    pthread_mutex_lock(&files->mutex);
    *out = find_open(use, path);
    pthread_mutex_unlock(&files->mutex);
    if (*out != NULL)
        return 0;
    int rc = open_file(files, path, 0, &fd);
    if (rc == 0)
        *out = enter(use, path, fd);
    return rc;
}

/* ---- operations; each returns 0 or an errno ---- */

static int create(struct use *use, const char *path, int flags)
{
    int fd;
    int rc = open_file(use->files, path, O_CREAT | flags, &fd);
    if (rc != 0)
        return rc;
    forget_path(use->files, path);
    enter(use, path, fd);
    return 0;
}

static int read_all(int fd, struct job_op *op)
{
    op->result = 0;
    while (op->result < op->length) {
        uint64_t left = op->length - op->result;
        size_t step = left < (1 << 20) ? (size_t)left : 1 << 20;
        buf_reserve(op->bytes, step);
        ssize_t n = pread(fd, op->bytes->data + op->bytes->len, step,
                          (off_t)(op->offset + op->result));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno;
        if (n == 0)
            return 0;
        op->bytes->len += (size_t)n;
        op->result += (uint64_t)n;
    }
    return 0;
}

static int write_all(int fd, const struct job_op *op)
{
    size_t done = 0;
    while (done < op->data.len) {
        ssize_t n = pwrite(fd, op->data.data + done, op->data.len - done,
                           (off_t)(op->offset + done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? errno : EIO;
        done += (size_t)n;
    }
    return 0;
}

static int truncate_file(int fd, uint64_t size)
{
    int rc;
    do
        rc = ftruncate(fd, (off_t)size);
    while (rc != 0 && errno == EINTR);
    return rc == 0 ? 0 : errno;
}

/* Never again on the same descriptor: after a failure it would say all is well.
 */
static int sync_data(int fd)
{
    return fdatasync(fd) == 0 ? 0 : errno;
}

static int size_of(int fd, uint64_t *size)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return errno;
    *size = (uint64_t)st.st_size;
    return 0;
}

static int mode_of(int fd, uint64_t *mode)
{
    struct stat st;

    if (fstat(fd, &st) != 0)
        return errno;
    *mode = st.st_mode & 07777;
    return 0;
}

static int time_of(int fd, uint64_t *ms)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return errno;
    int64_t s = st.st_mtim.tv_sec < 0 ? 0 : st.st_mtim.tv_sec;
    *ms = (uint64_t)s * 1000 + (uint64_t)st.st_mtim.tv_nsec / 1000000;
    return 0;
}

static int map_file(int fd, struct bytes *mapped)
{
    uint64_t size = 0;
    int rc = size_of(fd, &size);
    *mapped = bytes_of(NULL, 0);
    if (rc != 0 || size == 0)
        return rc;
    if (size > SIZE_MAX)
        return EFBIG;
    void *at = mmap(NULL, (size_t)size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (at == MAP_FAILED)
        return errno;
    *mapped = bytes_of(at, (size_t)size);
    return 0;
}

void files_unmap(struct bytes mapped)
{
    if (mapped.len > 0)
        munmap((void *)mapped.data, mapped.len);
}

static int run_on_fd(struct job_op *op, int fd)
{
    switch (op->kind) {
    case JOB_READ:
        return read_all(fd, op);
    case JOB_WRITE:
        return write_all(fd, op);
    case JOB_TRUNCATE:
        return truncate_file(fd, op->offset);
    case JOB_SYNC:
        return sync_data(fd);
    case JOB_MAP:
        return map_file(fd, op->mapped);
    case JOB_MODE:
        return mode_of(fd, &op->result);
    case JOB_TIME:
        return time_of(fd, &op->result);
    default:
        assert(op->kind == JOB_SIZE);
        return size_of(fd, &op->result);
    }
}

static int run_on_file(struct use *use, struct job_op *op)
{
    struct files *files = use->files;
    struct file *f;

    int rc = get_file(use, op->path, &f);
    if (rc != 0)
        return rc;
    bool reads = op->kind == JOB_READ || op->kind == JOB_SIZE ||
                 op->kind == JOB_MAP || op->kind == JOB_MODE ||
                 op->kind == JOB_TIME;
    rc = files->lock < 0 && !reads ? EROFS : run_on_fd(op, f->fd);
    if (rc != 0 && !reads) {
        pthread_mutex_lock(&files->mutex);
        forget(files, f); /* invariant (2); this job still holds it */
        pthread_mutex_unlock(&files->mutex);
    }
    return rc;
}

static int make_folders(struct files *files, const char *path)
{
    char part[PATH_MAX];
    size_t len = strlen(path);

    if (len >= sizeof(part))
        return ENAMETOOLONG;
    memcpy(part, path, len + 1);
    for (size_t i = 1; i <= len; i++) {
        if (path[i] != '/' && path[i] != '\0')
            continue;
        part[i] = '\0';
        if (mkdirat(files->folder, part, 0700) != 0 && errno != EEXIST)
            return errno;
        part[i] = path[i];
    }
    return 0;
}

static int open_folder(struct files *files, const char *path, int *fd)
{
    *fd = openat(files->folder, path[0] != '\0' ? path : ".",
                 O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return *fd >= 0 ? 0 : errno;
}

static int sync_folder(struct files *files, const char *path)
{
    int fd;
    int rc = open_folder(files, path, &fd);
    if (rc != 0)
        return rc;
    if (fsync(fd) != 0)
        rc = errno;
    close(fd);
    return rc;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static int read_names(DIR *dir, char ***names, size_t *count)
{
    size_t cap = 0;
    struct dirent *entry;

    *names = NULL;
    *count = 0;
    while (errno = 0, (entry = readdir(dir)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        *names = mem_array_grow(*names, *count, &cap, sizeof(**names));
        (*names)[(*count)++] = mem_text(entry->d_name);
    }
    return errno;
}

static int list(struct files *files, const struct job_op *op)
{
    char **names;
    size_t count;
    int fd;

    int rc = open_folder(files, op->path, &fd);
    if (rc != 0)
        return rc;
    DIR *dir = fdopendir(fd);
    if (dir == NULL) {
        rc = errno;
        close(fd);
        return rc;
    }
    rc = read_names(dir, &names, &count);
    closedir(dir);
    if (count > 0)
        qsort(names, count, sizeof(*names), compare_names);
    for (size_t i = 0; i < count; i++) {
        buf_put(op->bytes, names[i], strlen(names[i]) + 1);
        mem_free(names[i]);
    }
    mem_free(names);
    return rc;
}

static int rename_file(struct use *use, const char *path, const char *to)
{
    struct files *files = use->files;

    forget_path(files, path);
    forget_path(files, to);
    int rc = renameat(files->folder, path, files->folder, to);
    return rc == 0 ? 0 : errno;
}

static int unlink_file(struct use *use, const char *path)
{
    forget_path(use->files, path);
    return unlinkat(use->files->folder, path, 0) == 0 ? 0 : errno;
}

static int remove_folder(struct files *files, const char *path)
{
    return unlinkat(files->folder, path, AT_REMOVEDIR) == 0 ? 0 : errno;
}

static bool changes_names(enum job_kind kind)
{
    return kind == JOB_MKDIR || kind == JOB_CREATE || kind == JOB_REPLACE ||
           kind == JOB_RENAME || kind == JOB_UNLINK || kind == JOB_RMDIR ||
           kind == JOB_SYNC_FOLDER;
}

static int run(struct use *use, struct job_op *op)
{
    if (use->files->lock < 0 && changes_names(op->kind))
        return EROFS;
    switch (op->kind) {
    case JOB_MKDIR:
        return make_folders(use->files, op->path);
    case JOB_CREATE:
        return create(use, op->path, O_EXCL);
    case JOB_REPLACE:
        return create(use, op->path, O_TRUNC);
    case JOB_SYNC_FOLDER:
        return sync_folder(use->files, op->path);
    case JOB_RENAME:
        return rename_file(use, op->path, op->to);
    case JOB_UNLINK:
        return unlink_file(use, op->path);
    case JOB_RMDIR:
        return remove_folder(use->files, op->path);
    case JOB_LIST:
        return list(use->files, op);
    default:
        return run_on_file(use, op);
    }
}

void files_run(struct files *files, struct job *job)
{
    struct use use = {.files = files};

    for (uint32_t i = 0; i < job->count && job->error == 0; i++) {
        job->error = run(&use, &job->op[i]);
        job->failed = i;
    }
    let_go(&use);
}

/* ---- the data folder ---- */

/* As err_errno(); where it is the right that is missing, with a reason. */
static int no_access(struct err *err, int posix, const char *reason,
                     const char *path, const char *what)
{
    int rc = err_errno(err, posix, "%s%s", path, what);
    return posix == EACCES ? err_reason(err, reason) : rc;
}

/* Make the folder and those above it, and let the new names last. */
static int make_data_folder(const char *path, struct err *err)
{
    char part[PATH_MAX];
    size_t len = strlen(path);

    if (len == 0 || len >= sizeof(part))
        return err_set(err, ATE_EINVALID, "'%s': not a path", path);
    memcpy(part, path, len + 1);
    for (size_t i = 1; i <= len; i++) {
        if (path[i] != '/' && path[i] != '\0')
            continue;
        part[i] = '\0';
        if (mkdir(part, 0700) == 0) {
            char *slash = strrchr(part, '/');
            struct files above = {.folder = AT_FDCWD};
            if (slash != NULL)
                *slash = '\0';
            int rc = sync_folder(&above, slash == part   ? "/"
                                         : slash != NULL ? part
                                                         : "");
            if (rc != 0)
                return err_errno(err, rc, "%s: sync of the folder above", path);
        } else if (errno != EEXIST) {
            return no_access(err, errno, "no_folder_access", part,
                             ": making the folder");
        }
        memcpy(part, path, len + 1);
    }
    return 0;
}

static int locked_by_other(int fd, const char *path, struct err *err)
{
    char pid[32];
    ssize_t n = pread(fd, pid, sizeof(pid) - 1, 0);
    n = n > 0 ? n : 0;
    pid[n] = '\0';
    pid[strspn(pid, "0123456789")] = '\0';
    err_set(err, ATE_EUNAVAILABLE,
            "%s: another process is writing there (pid %s)", path,
            pid[0] != '\0' ? pid : "unknown");
    return err_reason(err, "folder_busy");
}

/* The lock goes with the descriptor, so also when the process is killed. */
static int take_lock(struct files *files, const char *path, struct err *err)
{
    char pid[32];
    int fd = openat(files->folder, "lock",
                    O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return no_access(err, errno, "no_write_access", path, "/lock: opening");
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        int rc = errno == EWOULDBLOCK
                     ? locked_by_other(fd, path, err)
                     : err_errno(err, errno, "%s/lock: locking", path);
        close(fd);
        return rc;
    }
    int n = snprintf(pid, sizeof(pid), "%ld\n", (long)getpid());
    if (ftruncate(fd, 0) != 0 || pwrite(fd, pid, (size_t)n, 0) != n) {
        /* The pid only helps people: a full disk must not keep us from opening
         * to read what is there. */
    }
    files->lock = fd;
    return 0;
}

int files_open(struct files **out, const char *path, bool write, bool create,
               uint32_t open_max, struct err *err)
{
    int rc = 0;

    *out = NULL;
    if (create)
        rc = make_data_folder(path, err);
    if (rc != 0)
        return rc;
    struct files *files = mem_zero(1, sizeof(*files));
    files->lock = -1;
    files->count_max = open_max;
    pthread_mutex_init(&files->mutex, NULL);
    files->folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (files->folder < 0)
        rc = no_access(err, errno, "no_read_access", path,
                       ": opening the folder");
    if (rc == 0 && write)
        rc = take_lock(files, path, err);
    if (rc != 0) {
        files_close(files);
        return rc;
    }
    *out = files;
    return 0;
}

void files_close(struct files *files)
{
    if (files == NULL)
        return;
    while (files->newest != NULL) {
        assert(files->newest->users == 0);
        forget(files, files->newest);
    }
    if (files->lock >= 0)
        close(files->lock);
    if (files->folder >= 0)
        close(files->folder);
    pthread_mutex_destroy(&files->mutex);
    mem_free(files);
}
