/* Reading back a part of one frame: its payload, its inline section, or a range
 * of its bodies in the body file.
 *
 * Only frames below the log's end are read, which nothing changes any more, so
 * a read needs no order with what is written at the same time. The parts in the
 * header file are read with their whole frame, for their checksums; of bodies
 * any range is read, and whoever asked checks it against the body's hash. */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/memory.h"
#include "log/inside.h"

static void end(struct log_read *read, int code, struct err *err)
{
    assert(read->log->reads > 0);
    read->log->reads--;
    if (code != 0) {
        buf_clear(&read->bytes);
        err_wrap(err, "%s: frame %" PRIu64, read->log->head_path, read->frame);
    }
    read->done(read, code, err);
}

/* The range asked for within a part of `size` bytes. */
static int clip(struct log_read *read, uint64_t size, struct err *err)
{
    if (read->length == UINT64_MAX && read->offset <= size)
        read->length = size - read->offset;
    if (read->offset > size || read->length > size - read->offset)
        return err_set(err, ATE_EINVALID,
                       "%" PRIu64 " bytes at %" PRIu64
                       " are outside its %" PRIu64,
                       read->length, read->offset, size);
    return 0;
}

/* The frame's bytes are in read->bytes: leave the range of the part. */
static int take_part(struct log_read *read, struct err *err)
{
    struct bytes part;
    struct buf *b = &read->bytes;
    bool is_payload = read->part == LOG_PAYLOAD;

    int rc = log_frame_get(&read->header, buf_bytes(b), err);
    if (rc != 0 || read->part == LOG_WHOLE)
        return rc;
    part = is_payload ? read->header.payload : read->header.inlined;
    rc = clip(read, part.len, err);
    if (rc != 0)
        return rc;
    memmove(b->data, part.data + read->offset, read->length);
    b->len = read->length;
    read->header.payload = bytes_of(NULL, 0);
    read->header.inlined = bytes_of(NULL, 0);
    return 0;
}

static void bodies_read(struct job *job)
{
    struct log_read *read = job->owner;
    struct err err = {0};

    if (job->error != 0 && job->error != ENOENT)
        return end(read, job_err(job, &err), &err);
    if (job->error == ENOENT || job->op[0].result < read->length)
        return end(read,
                   err_set(&err, ATE_ECORRUPT,
                           "its bodies are missing in %s: they have to come "
                           "from another copy",
                           read->path),
                   &err);
    end(read, 0, &err);
}

static void submit_bodies(struct log_read *read)
{
    const struct log_frame *f = &read->header;
    struct err err = {0};

    buf_clear(&read->bytes);
    int rc = clip(read, f->body_len, &err);
    if (rc != 0 || read->length == 0)
        return end(read, rc, &err);
    log_segment_path(read->log, f->segment, read->path);
    job_init(&read->job, 0, bodies_read, read);
    job_read(&read->job, read->path, f->body_offset + read->offset,
             read->length, &read->bytes);
    job_submit(read->log->disk, &read->job);
}

static void frame_read(struct job *job)
{
    struct log_read *read = job->owner;
    struct err err = {0};
    int rc;

    if (job->error != 0)
        return end(read, job_err(job, &err), &err);
    if (job->op[0].result < job->op[0].length)
        rc = err_set(&err, ATE_ECORRUPT, "the file ends within it");
    else
        rc = log_frame_header(&read->header, read->bytes.data, &err);
    if (rc == 0 && read->header.sequence != read->frame)
        rc = err_set(&err, ATE_ECORRUPT, "another frame stands there");
    if (rc == 0 && read->part == LOG_BODIES)
        return submit_bodies(read);
    if (rc == 0 && log_frame_size(read->header.payload_len,
                                  read->header.inline_len) != read->bytes.len)
        rc = err_set(&err, ATE_ECORRUPT, "it has changed its size");
    if (rc == 0)
        rc = take_part(read, &err);
    end(read, rc, &err);
}

static void no_frame(struct job *job)
{
    struct log_read *read = job->owner;
    struct err err = {0};

    end(read, err_set(&err, ATE_ENOT_FOUND, "the log ends before it"), &err);
}

void log_read(struct log *log, struct log_read *read)
{
    assert(log->state != LOG_CLOSED);
    read->log = log;
    log->reads++;
    buf_clear(&read->bytes);
    job_init(&read->job, 0, frame_read, read);
    if (read->frame < log->end.frames) {
        uint64_t size = read->part == LOG_BODIES
                            ? LOG_FRAME_HEADER
                            : log_frame_length(log, read->frame);
        job_read(&read->job, log->head_path,
                 log_place_at(log, read->frame).offset, size, &read->bytes);
    } else {
        /* Answered later, too, as every read is. */
        read->job.done = no_frame;
        job_size(&read->job, log->head_path);
    }
    job_submit(log->disk, &read->job);
}
