#include "log/job.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/crc32c.h"
#include "base/err.h"

uint64_t job_lane(enum job_lane which, struct bytes name)
{
    return (uint64_t)which << 32 | crc32c(0, name.data, name.len);
}

void job_init(struct job *job, uint64_t lane, void (*done)(struct job *job),
              void *owner)
{
    memset(job, 0, sizeof(*job));
    job->lane = lane;
    job->done = done;
    job->owner = owner;
}

static struct job_op *add(struct job *job, enum job_kind kind, const char *path)
{
    assert(job->count < JOB_OPS_MAX);
    assert(path != NULL);
    struct job_op *op = &job->op[job->count++];
    op->kind = kind;
    op->path = path;
    return op;
}

void job_mkdir(struct job *job, const char *path)
{
    add(job, JOB_MKDIR, path);
}

void job_create(struct job *job, const char *path)
{
    add(job, JOB_CREATE, path);
}

void job_replace(struct job *job, const char *path)
{
    add(job, JOB_REPLACE, path);
}

void job_read(struct job *job, const char *path, uint64_t offset,
              uint64_t length, struct buf *bytes)
{
    assert(bytes != NULL);
    struct job_op *op = add(job, JOB_READ, path);
    op->offset = offset;
    op->length = length;
    op->bytes = bytes;
}

void job_write(struct job *job, const char *path, uint64_t offset,
               struct bytes data)
{
    struct job_op *op = add(job, JOB_WRITE, path);
    op->offset = offset;
    op->data = data;
}

void job_truncate(struct job *job, const char *path, uint64_t size)
{
    add(job, JOB_TRUNCATE, path)->offset = size;
}

void job_sync(struct job *job, const char *path)
{
    add(job, JOB_SYNC, path);
}

void job_sync_folder(struct job *job, const char *path)
{
    add(job, JOB_SYNC_FOLDER, path);
}

void job_rename(struct job *job, const char *path, const char *to)
{
    assert(to != NULL);
    add(job, JOB_RENAME, path)->to = to;
}

void job_unlink(struct job *job, const char *path)
{
    add(job, JOB_UNLINK, path);
}

void job_rmdir(struct job *job, const char *path)
{
    add(job, JOB_RMDIR, path);
}

void job_size(struct job *job, const char *path)
{
    add(job, JOB_SIZE, path);
}

void job_mode(struct job *job, const char *path)
{
    add(job, JOB_MODE, path);
}

void job_time(struct job *job, const char *path)
{
    add(job, JOB_TIME, path);
}

void job_list(struct job *job, const char *path, struct buf *names)
{
    assert(names != NULL);
    add(job, JOB_LIST, path)->bytes = names;
}

void job_map(struct job *job, const char *path, struct bytes *mapped)
{
    assert(mapped != NULL);
    add(job, JOB_MAP, path)->mapped = mapped;
}

void job_submit(const struct disk *disk, struct job *job)
{
    assert(job->count > 0);
    assert(job->done != NULL);
    job->error = 0;
    job->failed = 0;
    job->next = NULL;
    disk->submit(disk->ctx, job);
}

static const char *job_kind_text(enum job_kind kind)
{
    static const char *const text[] = {
        [JOB_MKDIR] = "making the folder",
        [JOB_CREATE] = "creation",
        [JOB_REPLACE] = "creation",
        [JOB_READ] = "read",
        [JOB_WRITE] = "write",
        [JOB_TRUNCATE] = "truncation",
        [JOB_SYNC] = "sync",
        [JOB_SYNC_FOLDER] = "sync of the folder",
        [JOB_RENAME] = "renaming",
        [JOB_UNLINK] = "removal",
        [JOB_RMDIR] = "removal of the folder",
        [JOB_SIZE] = "asking the size",
        [JOB_LIST] = "listing",
        [JOB_MAP] = "mapping",
        [JOB_TIME] = "asking the time",
        [JOB_MODE] = "asking the mode",
    };
    assert(kind >= JOB_MKDIR && kind <= JOB_TIME);
    return text[kind];
}

/* A folder, a device, a pipe, or a symbolic link stands at the path, and a disk
 * opens none of them. */
static bool is_irregular(const struct job *job, const struct job_op *op)
{
    bool opens =
        op->kind == JOB_READ || op->kind == JOB_SIZE || op->kind == JOB_MAP;
    return opens && (job->error == EINVAL || job->error == ELOOP ||
                     job->error == EISDIR);
}

int job_err(const struct job *job, struct err *err)
{
    assert(job->error != 0);
    assert(job->failed < job->count);
    const struct job_op *op = &job->op[job->failed];
    const char *path = op->path[0] != '\0' ? op->path : "the data folder";
    if (is_irregular(job, op))
        return err_set(err, ATE_ECORRUPT, "%s: it is no regular file", path);
    bool has_place = op->kind == JOB_READ || op->kind == JOB_WRITE;
    int rc = has_place ? err_errno(err, job->error, "%s: %s at offset %llu",
                                   path, job_kind_text(op->kind),
                                   (unsigned long long)op->offset)
                       : err_errno(err, job->error, "%s: %s", path,
                                   job_kind_text(op->kind));
    return job->error == EACCES ? err_reason(err, "no_file_access") : rc;
}
