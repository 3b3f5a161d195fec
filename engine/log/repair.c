/* The end of opening a log to write: what lies behind its end is cut off, what
 * the watermark W does not cover is made durable, and then a watermark says so.
 *
 * (1) What W does not cover may have been written by a process that was killed
 *     before its sync, or by one whose sync failed. In the second case the
 *     kernel calls the pages clean though they never reached the disk, and a
 *     sync of ours would succeed without doing anything. So it is written again
 *     first, and with it the slot that holds W, for the next watermark goes to
 *     the other one.
 * (2) Nothing is written when W covers everything and nothing lies behind. Only
 *     after the first watermarks, those of the creation, it is done even so: a
 *     process killed at its very end may have left the name `cur` unsynced.
 * (3) A crash within leaves W in place, or a later watermark that is true; all
 *     of this is then done again. */
#include <assert.h>
#include <errno.h>

#include "log/opening.h"

/* ---- writing a range of a file again ---- */

static void copy(struct log *log);

static void piece_written(struct job *job)
{
    struct log *log = log_job_end(job);

    if (job->error != 0)
        return opening_give_up_job(log, job);
    log->opening->copy_at += log->opening->piece.len;
    copy(log);
}

static void piece_read(struct job *job)
{
    struct log *log = log_job_end(job);
    struct log_opening *o = log->opening;

    if (job->error != 0)
        return opening_give_up_job(log, job);
    if (job->op[0].result < job->op[0].length) {
        err_set(&log->outcome, ATE_EIO, "%s: became shorter while it was read",
                o->copy_path);
        return opening_give_up(log);
    }
    log_job_begin(log, &log->head_job, o->copy_lane, piece_written);
    job_write(&log->head_job, o->copy_path, o->copy_at, buf_bytes(&o->piece));
    log_job_submit(log, &log->head_job);
}

static void copy(struct log *log)
{
    struct log_opening *o = log->opening;
    uint64_t left = o->copy_to - o->copy_at;

    if (left == 0)
        return o->copied(log);
    buf_clear(&o->piece);
    log_job_begin(log, &log->head_job, o->copy_lane, piece_read);
    job_read(&log->head_job, o->copy_path, o->copy_at,
             left < LOG_PIECE ? left : LOG_PIECE, &o->piece);
    log_job_submit(log, &log->head_job);
}

static void copy_range(struct log *log, const char *path, uint64_t lane,
                       uint64_t from, uint64_t to,
                       void (*copied)(struct log *log))
{
    struct log_opening *o = log->opening;

    o->copy_path = path;
    o->copy_lane = lane;
    o->copy_at = from;
    o->copy_to = to > from ? to : from;
    o->copied = copied;
    copy(log);
}

/* ---- the header file ---- */

static void marked(struct job *job)
{
    struct log *log = log_job_end(job);

    if (job->error != 0)
        return opening_give_up_job(log, job);
    log_adopt(log);
    opening_ready(log);
}

static void head_synced(struct job *job)
{
    struct log *log = log_job_end(job);

    if (job->error != 0)
        return opening_give_up_job(log, job);
    log_commit_begin(log);
    log_job_begin(log, job, log->head_lane, marked);
    log_put_slot(log, job, &log->end);
    job_sync(job, log->head_path);
    log_job_submit(log, job);
}

static void head_copied(struct log *log)
{
    struct log_commit *c = log_commit_begin(log);
    struct job *job = &log->head_job;
    const struct watermark *mark = &log->opening->mark;

    log_job_begin(log, job, log->head_lane, head_synced);
    if (log->cut > 0)
        job_truncate(job, log->head_path, log->end.offset);
    watermark_put(c->slot, mark);
    job_write(job, log->head_path, watermark_place(mark->counter),
              bytes_of(c->slot, LOG_SLOT_SIZE));
    job_sync(job, log->head_path);
    job_sync_folder(job, log->folder);
    log_job_submit(log, job);
}

/* ---- body files, from the one that W names to the last ---- */

static void repair_segment(struct log *log);

static void segment_synced(struct job *job)
{
    struct log *log = log_job_end(job);

    if (job->error != 0)
        return opening_give_up_job(log, job);
    log->opening->segment++;
    repair_segment(log);
}

static void segment_copied(struct log *log)
{
    struct log_opening *o = log->opening;
    struct job *job = &log->body_job;

    log_job_begin(log, job, log->body_lane, segment_synced);
    if (o->segment == log->end.segment)
        job_truncate(job, o->path, log->end.body_offset);
    job_sync(job, o->path);
    log_job_submit(log, job);
}

static void segment_measured(struct job *job)
{
    struct log *log = log_job_end(job);
    struct log_opening *o = log->opening;
    bool first = o->segment == o->mark.segment;
    bool last = o->segment == log->end.segment;

    if (job->error != 0)
        return opening_give_up_job(log, job);
    copy_range(log, o->path, log->body_lane, first ? o->mark.body_offset : 0,
               last ? log->end.body_offset : job->op[0].result, segment_copied);
}

static void repair_segment(struct log *log)
{
    struct log_opening *o = log->opening;
    struct job *job = &log->body_job;

    if (o->segment > log->end.segment)
        return copy_range(log, log->head_path, log->head_lane, o->mark.offset,
                          log->end.offset, head_copied);
    log_segment_path(log, o->segment, o->path);
    log_job_begin(log, job, log->body_lane, segment_measured);
    job_size(job, o->path);
    log_job_submit(log, job);
}

/* ---- what there is to do ---- */

static void measured(struct job *job)
{
    struct log *log = log_job_end(job);
    struct log_opening *o = log->opening;

    if (job->error == ENOENT) {
        err_set(&log->outcome, ATE_ECORRUPT,
                "%s is missing: put it back from a copy", o->path);
        return opening_refuse(log);
    }
    if (job->error != 0)
        return opening_give_up_job(log, job);
    if (o->mark.counter > 1 && log->cut == 0 &&
        o->mark.offset == log->end.offset &&
        job->op[0].result <= log->end.body_offset)
        return opening_ready(log); /* invariant (2) */
    o->segment = o->mark.segment;
    repair_segment(log);
}

/* Is there a good header of a later frame in what will be cut off? */
static void scan(struct log *log)
{
    struct log_opening *o = log->opening;
    struct log_frame later;

    for (; log->cut > 0 && o->scan + LOG_FRAME_HEADER <= o->size;
         o->scan += 8) {
        if (!opening_have(log, o->scan, LOG_FRAME_HEADER, scan))
            return;
        if (log_frame_header(&later, opening_at(log, o->scan), NULL) == 0 &&
            later.sequence > log->end.frames) {
            log->suspect = true;
            break;
        }
    }
    log_segment_path(log, log->end.segment, o->path);
    log_job_begin(log, &log->body_job, log->body_lane, measured);
    job_size(&log->body_job, o->path);
    log_job_submit(log, &log->body_job);
}

void opening_repair(struct log *log)
{
    assert(log->end.offset >= log->opening->mark.offset);
    log->opening->scan = log->end.offset;
    scan(log);
}
