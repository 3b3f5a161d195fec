/* The recovery rule. open.c knows the watermark W; the frames are walked from
 * the first, or from where the log is known:
 *
 * (1) Below W every frame has to be good and W has to agree with them: anything
 *     else is damage to what was durable, and refuses. Nothing is changed then.
 * (2) At or above W the first frame that is not good is the end: it was being
 *     written when the machine stopped. A frame whose bodies did not arrive is
 *     not good either. Below W bodies are not looked at.
 * (3) A frame is good when its checksums are, and when sequence, index, chain
 *     hash and place of bodies follow from the frame before.
 * (4) Opened to write, the files are then made to agree: repair.c.
 * (5) A read error is never taken for the end of the log.
 * (6) What a poll finds must agree with W like all else, or the log was cut
 *     back behind us: then it is opened again. Half a frame is the end for
 *     now. */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/crc32c.h"
#include "log/opening.h"

enum found {
    FOUND_FRAME = 0,
    FOUND_MORE = 1, /* more of the file has to be read first */
    /* or a negative code: no good frame, with opening->why */
};

static void stop(struct log *log);
static void check_bodies(struct log *log);

/* ---- what is wrong ---- */

/* A place within the header file, for people. */
static void name_place(struct log *log, uint64_t frame, uint64_t offset,
                       uint64_t index)
{
    err_wrap(&log->outcome,
             "%s: frame %" PRIu64 " at offset %" PRIu64
             " (from transaction %" PRIu64 ")",
             log->head_path, frame, offset, index);
}

/* Invariant (1). */
static void damaged(struct log *log, const char *why)
{
    err_set(&log->outcome, ATE_ECORRUPT,
            "%s; all below offset %" PRIu64 " had been durable: what stands "
            "before it can be read, the rest comes from another copy",
            why, log->opening->mark.offset);
    err_reason(&log->outcome, "log_damaged");
    name_place(log, log->end.frames, log->end.offset, log->end.transactions);
    opening_refuse(log);
}

static void mark_disagrees(struct log *log)
{
    if (log->opening->poll)
        return opening_stale(log,
                             "it was cut back and has gone on differently");
    damaged(log, "the watermark disagrees with the frames before it");
}

/* ---- a frame ---- */

/* Does W, which ends here, agree with the frames? */
static bool mark_agrees(const struct log *log)
{
    const struct watermark *mark = &log->opening->mark;
    const struct watermark *end = &log->end;

    return mark->frames == end->frames &&
           mark->transactions == end->transactions &&
           mark->segment == end->segment &&
           mark->body_offset == end->body_offset &&
           memcmp(mark->hash, end->hash, LOG_HASH_SIZE) == 0;
}

/* Invariant (3), what the frame before decides. */
static int follows(const struct log *log, const struct log_frame *f,
                   struct err *err)
{
    const struct watermark *end = &log->end;

    if (f->sequence != end->frames || f->index != end->transactions)
        return err_set(err, ATE_ECORRUPT,
                       "it is frame %" PRIu64 " from transaction %" PRIu64
                       ", out of its place",
                       f->sequence, f->index);
    if (memcmp(f->before, end->hash, LOG_HASH_SIZE) != 0)
        return err_set(err, ATE_ECORRUPT,
                       "it does not continue the frame before it");
    if ((f->type == LOG_GENESIS) != (f->sequence == 0) ||
        (f->sequence == 0 &&
         memcmp(f->hash, log->manifest.first, LOG_HASH_SIZE) != 0))
        return err_set(err, ATE_ECORRUPT,
                       "it is not the first frame that cur names");
    if (f->body_len > 0 &&
        !(f->segment == end->segment && f->body_offset == end->body_offset) &&
        !(f->segment == end->segment + 1 && f->body_offset == 0))
        return err_set(err, ATE_ECORRUPT,
                       "its bodies do not follow those before");
    return 0;
}

/* The frame at log->end into opening->frame. */
static int find_frame(struct log *log)
{
    struct log_opening *o = log->opening;
    uint64_t offset = log->end.offset;
    uint64_t left = o->size - offset;

    if (left < LOG_FRAME_HEADER)
        return err_set(&o->why, ATE_ECORRUPT, "the file ends here");
    if (!opening_have(log, offset, LOG_FRAME_HEADER, opening_walk))
        return FOUND_MORE;
    int rc = log_frame_header(&o->frame, opening_at(log, offset), &o->why);
    if (rc != 0)
        return rc;
    uint64_t size = log_frame_size(o->frame.payload_len, o->frame.inline_len);
    if (size > left)
        return err_set(&o->why, ATE_ECORRUPT, "the file ends within it");
    if (offset < o->mark.offset && offset + size > o->mark.offset)
        return err_set(&o->why, ATE_ECORRUPT,
                       "it reaches across the watermark");
    if (!opening_have(log, offset, size, opening_walk))
        return FOUND_MORE;
    rc = log_frame_get(&o->frame, bytes_of(opening_at(log, offset), size),
                       &o->why);
    if (rc != 0)
        return rc;
    o->frame.offset = offset;
    return follows(log, &o->frame, &o->why);
}

/* Show opening->frame to the owner, and count it; false: refused. */
static bool take_frame(struct log *log)
{
    struct log_opening *o = log->opening;
    const struct log_frame *f = &o->frame;

    o->before = log->end;
    log_place_push(log, f->offset, f->index);
    log->end.offset += log_frame_size(f->payload_len, f->inline_len);
    log->end.frames++;
    log->end.transactions += f->count;
    memcpy(log->end.hash, f->hash, LOG_HASH_SIZE);
    if (f->body_len > 0) {
        log->end.segment = f->segment;
        log->end.body_offset = f->body_offset + f->body_len;
    }
    int rc = o->visit != NULL ? o->visit(o->visit_ctx, f, &log->outcome) : 0;
    if (rc >= 0) {
        assert(rc == 0 || rc == LOG_PAUSE);
        o->paused = rc == LOG_PAUSE;
        return true;
    }
    log->outcome.code = rc;
    log->end = o->before;
    name_place(log, f->sequence, f->offset, f->index);
    opening_refuse(log);
    return false;
}

/* ---- bodies above W, invariant (2) ---- */

static void bodies_read(struct job *job)
{
    struct log *log = log_job_end(job);
    struct log_opening *o = log->opening;

    if (job->error != 0 && job->error != ENOENT)
        return opening_give_up_job(log, job);
    if (o->piece.len == 0) {
        err_set(&o->why, ATE_ECORRUPT, "its bodies are not all there");
        return stop(log);
    }
    o->body_crc = crc32c(o->body_crc, o->piece.data, o->piece.len);
    o->body_done += o->piece.len;
    if (o->body_done < o->frame.body_len)
        return check_bodies(log);
    if (o->body_crc != o->frame.body_crc) {
        err_set(&o->why, ATE_ECORRUPT,
                "the checksum of its bodies does not match");
        return stop(log);
    }
    if (take_frame(log))
        opening_walk(log);
}

/* Read on in the bodies of opening->frame. */
static void check_bodies(struct log *log)
{
    struct log_opening *o = log->opening;
    struct job *job = &log->body_job;
    uint64_t left = o->frame.body_len - o->body_done;

    buf_clear(&o->piece);
    log_segment_path(log, o->frame.segment, o->path);
    log_job_begin(log, job, 0, bodies_read);
    job_read(job, o->path, o->frame.body_offset + o->body_done,
             left < LOG_PIECE ? left : LOG_PIECE, &o->piece);
    log_job_submit(log, job);
}

/* ---- the walk ---- */

void opening_walk(struct log *log)
{
    struct log_opening *o = log->opening;

    while (!o->paused) {
        if (log->end.offset == o->mark.offset && !mark_agrees(log))
            return mark_disagrees(log);
        if (log->end.offset >= o->size)
            return stop(log);
        int rc = find_frame(log);
        if (rc == FOUND_MORE)
            return;
        if (rc != 0)
            return stop(log);
        if (o->frame.body_len > 0 && log->end.offset >= o->mark.offset) {
            o->body_done = 0;
            o->body_crc = 0;
            return check_bodies(log);
        }
        if (!take_frame(log))
            return;
    }
}

void log_resume(struct log *log, int code, const struct err *why)
{
    struct log_opening *o = log->opening;

    assert(o != NULL && o->paused && code <= 0);
    o->paused = false;
    if (code == 0)
        return opening_walk(log);
    log->outcome = *why;
    log->outcome.code = code;
    log->end = o->before;
    name_place(log, o->frame.sequence, o->frame.offset, o->frame.index);
    opening_refuse(log);
}

/* Behind the end: zeros are room that was made for more (room.c), all else was
 * torn. */
static void look_behind(struct log *log)
{
    struct log_opening *o = log->opening;
    uint64_t end = log->end.offset;
    uint64_t left = o->size > end ? o->size - end : 0;

    log->cut = left;
    if (left > 0 && left <= LOG_ROOM_MAX) {
        if (!opening_have(log, end, left, look_behind))
            return;
        if (bytes_are_zero(bytes_of(opening_at(log, end), left)))
            log->cut = 0;
    }
    if (log->mode != LOG_READ_ONLY)
        return opening_repair(log);
    opening_ready(log);
}

/* There is no further good frame at log->end. */
static void stop(struct log *log)
{
    struct log_opening *o = log->opening;

    if (log->end.offset < o->mark.offset && o->poll)
        return mark_disagrees(log);
    if (log->end.offset < o->mark.offset)
        return damaged(log, log->end.offset < o->size ? o->why.text
                                                      : "the file ends here");
    if (o->stain.code != 0) {
        log->outcome = o->stain;
        return opening_refuse(log);
    }
    look_behind(log);
}
