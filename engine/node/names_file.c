/* (1) The file is `size` bytes of good lines; a new one is written behind them,
 *     after the file was cut to that size.
 * (2) A line counts when its sync succeeded. After a failure other than a full
 *     disk it is not known what the file holds, and nothing more is written
 *     until it has been read again.
 * (3) A file that was not good is replaced only when every chain that is there
 *     has a name: otherwise the next one who reads it would find it good, and
 *     miss that chain. */
#include "node/names_file.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#define NAMES_PATH "names"
#define NAMES_NEW NAMES_PATH ".tmp"
#define NAMES_OLD NAMES_PATH ".damaged"

enum { NAMES_PIECE = 1 << 20 }; /* read at a time */

static uint64_t names_lane(void)
{
    return job_lane(LANE_NAMES, bytes_of_text(NAMES_PATH));
}

void names_file_init(struct names_file *file, const struct disk *disk)
{
    memset(file, 0, sizeof(*file));
    file->disk = disk;
    names_init(&file->names);
}

void names_file_deinit(struct names_file *file)
{
    assert(!file->busy);
    if (file->disk == NULL)
        return;
    names_deinit(&file->names);
    unnamed_deinit(&file->unnamed);
    buf_deinit(&file->bytes);
    buf_deinit(&file->name);
    file->disk = NULL;
}

bool names_file_is_busy(const struct names_file *file)
{
    return file->busy;
}

static void begin(struct names_file *file, names_file_done *done, void *ctx)
{
    assert(!file->busy);
    file->busy = true;
    file->done = done;
    file->ctx = ctx;
    buf_clear(&file->bytes);
}

static void end(struct names_file *file, const struct err *err)
{
    file->busy = false;
    buf_deinit(&file->bytes);
    file->done(file->ctx, err->code, err);
}

/* ---- reading ---- */

/* What was read takes the place of what was known. */
static void accept(struct names_file *file)
{
    names_deinit(&file->names);
    unnamed_deinit(&file->unnamed);
    file->names = file->fresh;
    file->unnamed = file->fresh_unnamed;
    file->fresh_unnamed = (struct unnamed_list){0};
    file->failed.code = 0;
}

static void written_anew(struct job *job)
{
    struct names_file *file = job->owner;
    if (job->error == 0) {
        file->is_there = true;
        file->size = file->bytes.len;
    } else {
        job_err(job, &file->failed);
    }
    end(file, &(struct err){0}); /* all that is read is known */
}

static void put_lines(struct names_file *file)
{
    struct buf after = {0};
    struct bytes name;
    uint8_t id[NAMES_ID_SIZE];
    buf_clear(&file->bytes);
    while (names_next(&file->names, buf_bytes(&after), &name, id)) {
        names_line(&file->bytes, id, name);
        buf_clear(&after);
        buf_put_bytes(&after, name);
    }
    buf_deinit(&after);
}

static void write_anew(struct names_file *file)
{
    struct job *job = &file->job;
    put_lines(file);
    job_init(job, names_lane(), written_anew, file);
    job_replace(job, NAMES_NEW);
    job_write(job, NAMES_NEW, 0, buf_bytes(&file->bytes));
    job_sync(job, NAMES_NEW);
    if (file->is_there)
        job_rename(job, NAMES_PATH, NAMES_OLD);
    job_rename(job, NAMES_NEW, NAMES_PATH);
    job_sync_folder(job, "");
    job_submit(file->disk, job);
}

/* Invariant (3). */
static void scanned(void *ctx, int code, const struct err *err)
{
    struct names_file *file = ctx;
    bool was_empty = file->bytes.len == 0;
    struct err none = {0};
    if (code != 0) {
        names_deinit(&file->fresh);
        unnamed_deinit(&file->fresh_unnamed);
        end(file, err);
        return;
    }
    accept(file);
    file->size = 0;
    if (file->unnamed.count > 0) {
        err_set(&file->failed, ATE_EUNAVAILABLE, "%s",
                file->unnamed.items[0].why.text);
        end(file, &none);
    } else if (file->writes && !(was_empty && file->names.count == 0)) {
        write_anew(file);
    } else {
        end(file, &none);
    }
}

static void take(struct names_file *file)
{
    struct bytes bytes = buf_bytes(&file->bytes);
    names_init(&file->fresh);
    if (names_parse(&file->fresh, bytes, NULL) != 0 || bytes.len == 0) {
        names_scan(file->disk, &file->fresh, &file->fresh_unnamed, scanned,
                   file);
        return;
    }
    accept(file);
    file->size = bytes.len;
    end(file, &(struct err){0});
}

static void read_more(struct names_file *file);

static void piece_read(struct job *job)
{
    struct names_file *file = job->owner;
    struct err err = {0};
    file->is_there = job->error != ENOENT;
    if (job->error != 0 && job->error != ENOENT) {
        job_err(job, &err);
        end(file, &err);
        return;
    }
    if (job->error == 0 && job->op[0].result == NAMES_PIECE)
        read_more(file);
    else
        take(file);
}

static void read_more(struct names_file *file)
{
    job_init(&file->job, names_lane(), piece_read, file);
    job_read(&file->job, NAMES_PATH, file->bytes.len, NAMES_PIECE,
             &file->bytes);
    job_submit(file->disk, &file->job);
}

void names_file_read(struct names_file *file, bool writes,
                     names_file_done *done, void *ctx)
{
    begin(file, done, ctx);
    file->writes = writes;
    read_more(file);
}

/* ---- adding ---- */

static bool was_full(const struct job *job)
{
    return (job->error == ENOSPC || job->error == EDQUOT) &&
           job->op[job->failed].kind == JOB_WRITE;
}

static void line_written(struct job *job)
{
    struct names_file *file = job->owner;
    struct err err = {0};
    if (job->error == 0) {
        file->is_there = true;
        file->size += file->bytes.len;
        names_add(&file->names, file->id, buf_bytes(&file->name), &err);
    } else {
        job_err(job, &err);
        /* It may have been made before the failure. */
        file->is_there |= job->failed > 0;
        if (!was_full(job))
            file->failed = err;
    }
    end(file, &err);
}

void names_file_add(struct names_file *file, const uint8_t id[NAMES_ID_SIZE],
                    struct bytes name, names_file_done *done, void *ctx)
{
    struct err err = {0};
    struct job *job = &file->job;
    begin(file, done, ctx);
    if (file->failed.code != 0)
        err_set(&err, ATE_EUNAVAILABLE,
                NAMES_PATH ": nothing is written to it: %s", file->failed.text);
    else
        names_check(&file->names, name, &err);
    if (err.code != 0) {
        end(file, &err);
        return;
    }
    memcpy(file->id, id, NAMES_ID_SIZE);
    buf_clear(&file->name);
    buf_put_bytes(&file->name, name);
    names_line(&file->bytes, id, name);

    job_init(job, names_lane(), line_written, file);
    if (file->is_there)
        job_truncate(job, NAMES_PATH, file->size);
    else
        job_create(job, NAMES_PATH);
    job_write(job, NAMES_PATH, file->size, buf_bytes(&file->bytes));
    job_sync(job, NAMES_PATH);
    if (!file->is_there)
        job_sync_folder(job, "");
    job_submit(file->disk, job);
}
