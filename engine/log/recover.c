/* Opening a log, and following one that another process writes.
 *
 * `cur` names the generation, the newer good slot of its header file is the
 * watermark W, and the frames are walked from the first. The rule:
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
 * (6) Opened to read, nothing is written. A process that writes at the same
 *     time may show us half a slot, so a bad one is read again; half a
 *     frame is the end for now. What a poll finds must agree with W like all
 *     else, or the log was cut back behind us: then it is opened again.
 * (7) What was known before is as good as a watermark, once the last frame
 *     before it was found where it should be: nothing below is walked again.
 *     If it was not, nothing is said of the log; without, (1) says it.
 * (8) Nothing is ever written between the slots, and between them and the
 *     frames. Where a byte is not zero, the log is shown up to its end, and
 *     refused then: what else was written over, we cannot tell.
 *
 * The file is read in pieces into a window that holds no more than a piece and
 * one frame. */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/crc32c.h"
#include "base/memory.h"
#include "log/opening.h"

enum { ATTEMPTS_MAX = 3 }; /* to find a good slot beside a writer */

enum found {
    FOUND_FRAME = 0,
    FOUND_MORE = 1, /* more of the file has to be read first */
    /* or a negative code: no good frame, with opening->why */
};

static void walk(struct log *log);
static void stop(struct log *log);
static void check_bodies(struct log *log);
static void begin_from(struct log *log);
static void submit_slots(struct log *log);

static void finish(struct log *log)
{
    struct log_opening *o = log->opening;

    log->opening = NULL;
    buf_deinit(&o->small);
    buf_deinit(&o->slots[0]);
    buf_deinit(&o->slots[1]);
    buf_deinit(&o->gaps[0]);
    buf_deinit(&o->gaps[1]);
    buf_deinit(&o->window);
    buf_deinit(&o->piece);
    mem_free(o);
    log_finish(log);
}

void opening_give_up(struct log *log)
{
    assert(log->outcome.code != 0);
    if (!log->opening->poll)
        log_reset(log);
    finish(log);
}

void opening_give_up_job(struct log *log, const struct job *job)
{
    job_err(job, &log->outcome);
    opening_give_up(log);
}

void opening_refuse(struct log *log)
{
    assert(log->outcome.code != 0);
    log->state = LOG_REFUSED;
    log->cause = log->outcome;
    finish(log);
}

void opening_ready(struct log *log)
{
    log->state = LOG_READY;
    finish(log);
}

/* ---- cur and the slots ---- */

static void stale(struct log *log, const char *what)
{
    err_set(&log->outcome, ATE_ESTALE, "%s: %s: close it and open it again",
            log->head_path, what);
    opening_give_up(log);
}

static void listed(struct job *job)
{
    struct log *log = log_job_end(job);
    const struct buf *names = &log->opening->small;
    const char *folder = log->folder[0] != '\0' ? log->folder : "the folder";
    size_t at = 0;
    bool files = false;

    if (job->error != 0 && job->error != ENOENT)
        return opening_give_up_job(log, job);
    while (at < names->len) {
        const char *name = (const char *)names->data + at;
        size_t len = strlen(name);
        files |= len > 5 && memcmp(name + len - 5, ".head", 5) == 0;
        at += len + 1;
    }
    if (files)
        err_set(&log->outcome, ATE_ECORRUPT,
                "%s is missing beside a header file: it was lost, or the "
                "creation of the chain never ended",
                log->cur_path);
    else
        err_set(&log->outcome, ATE_ENOT_FOUND, "%s: there is no chain", folder);
    opening_give_up(log);
}

static void submit_list(struct log *log)
{
    struct job *job = &log->head_job;

    buf_clear(&log->opening->small);
    log_job_begin(log, job, 0, listed);
    job_list(job, log->folder, &log->opening->small);
    log_job_submit(log, job);
}

static int take_manifest(struct log *log)
{
    struct log_opening *o = log->opening;
    struct manifest manifest;

    int rc = manifest_get(&manifest, buf_bytes(&o->small), &log->outcome);
    if (rc != 0) {
        err_wrap(&log->outcome, "%s", log->cur_path);
        return rc;
    }
    if (!o->any_chain &&
        memcmp(manifest.chain, o->chain, sizeof(manifest.chain)) != 0)
        return err_set(&log->outcome, ATE_ECORRUPT,
                       "%s: it belongs to another chain", log->cur_path);
    log->manifest = manifest;
    return 0;
}

static void cur_read(struct job *job)
{
    struct log *log = log_job_end(job);

    if (job->error == ENOENT)
        return submit_list(log);
    if (job->error != 0)
        return opening_give_up_job(log, job);
    if (take_manifest(log) != 0)
        return opening_give_up(log);
    log_set_generation(log, log->manifest.generation);
    submit_slots(log);
}

/* A watermark that belongs here; UNAVAILABLE when a later program wrote it. */
static int take_slot(struct log *log, struct bytes slot, struct watermark *mark)
{
    struct log_opening *o = log->opening;

    if (slot.len < LOG_SLOT_SIZE)
        return err_set(&o->why, ATE_ECORRUPT, "it is cut short");
    int rc = watermark_get(mark, slot.data, &o->why);
    if (rc != 0)
        return rc;
    if (mark->generation != log->manifest.generation)
        return err_set(&o->why, ATE_ECORRUPT, "it is of another generation");
    bool is_ours =
        memcmp(mark->chain, log->manifest.chain, sizeof(log->manifest.chain)) ==
            0 &&
        (o->any_chain || memcmp(mark->chain, o->chain, LOG_CHAIN_SIZE) == 0);
    if (!is_ours)
        return err_set(&o->why, ATE_ECORRUPT, "it belongs to another chain");
    return 0;
}

static bool is_zero(struct bytes bytes, size_t *at)
{
    for (*at = 0; *at < bytes.len; (*at)++)
        if (bytes.data[*at] != 0)
            return false;
    return true;
}

/* Bad beside a good one: torn when the machine stopped, or damaged since. One
 * that was never written is neither. */
static void note_bad_slot(struct log *log, int which, const struct err *why)
{
    size_t at;

    log->bad_slot = (struct err){0};
    if (is_zero(buf_bytes(&log->opening->slots[which]), &at))
        return;
    err_set(&log->bad_slot, ATE_ECORRUPT,
            "%s: the slot at offset %" PRIu64 " is damaged: %s; the other one "
            "is good, and the next watermark replaces it",
            log->head_path, watermark_place((uint64_t)which), why->text);
}

/* Invariant (8). */
static void look_for_stains(struct log *log)
{
    struct log_opening *o = log->opening;

    for (int i = 0; i < 2; i++) {
        size_t at;
        if (o->stain.code != 0 || is_zero(buf_bytes(&o->gaps[i]), &at))
            continue;
        err_set(&o->stain, ATE_ECORRUPT,
                "%s: the byte at offset %" PRIu64 " is not zero, and nothing "
                "is ever written there: something else has; the frames are "
                "good",
                log->head_path,
                watermark_place((uint64_t)i) + LOG_SLOT_SIZE + at);
    }
}

/* The newer of the good slots into opening->mark. */
static int take_slots(struct log *log)
{
    struct log_opening *o = log->opening;
    struct watermark mark[2];
    struct err why[2];
    int rc[2];

    for (int i = 0; i < 2; i++) {
        rc[i] = take_slot(log, buf_bytes(&o->slots[i]), &mark[i]);
        why[i] = o->why;
        if (rc[i] == ATE_EUNAVAILABLE)
            break;
    }
    if (rc[0] == ATE_EUNAVAILABLE || (rc[0] != 0 && rc[1] != 0))
        return err_set(&log->outcome, o->why.code,
                       "%s: neither of its watermarks is good: %s",
                       log->head_path, o->why.text);
    if (rc[1] == ATE_EUNAVAILABLE)
        return err_set(&log->outcome, rc[1], "%s: %s", log->head_path,
                       o->why.text);
    int newer = rc[0] != 0 || (rc[1] == 0 && mark[1].counter > mark[0].counter);
    o->mark = mark[newer];
    log->bad_slot = (struct err){0};
    if (rc[!newer] != 0)
        note_bad_slot(log, !newer, &why[!newer]);
    return 0;
}

/* What a job that began with add_slots() found. */
static void begin_walk(struct log *log, const struct job *job)
{
    struct log_opening *o = log->opening;

    o->size = job->op[0].result;
    int rc = take_slots(log);
    bool torn = rc != 0 || (log->bad_slot.code != 0 && !o->poll);
    if (torn && log->mode == LOG_READ_ONLY && ++o->attempts < ATTEMPTS_MAX)
        return submit_slots(log);
    if (rc != 0)
        return opening_give_up(log);
    look_for_stains(log);
    log->outcome.code = 0;
    if (o->size < log->end.offset && o->poll)
        return stale(log, "it was cut back");
    log->marked = o->mark;
    memcpy(log->end.chain, o->mark.chain, LOG_CHAIN_SIZE);
    o->at = log->end.offset;
    if (o->start != NULL)
        return begin_from(log);
    walk(log);
}

/* ---- a start, invariant (7) ---- */

static void take_start(struct log *log)
{
    struct log_opening *o = log->opening;
    const struct log_start *start = o->start;

    o->start = NULL;
    log->first_places = start->places;
    log->first_count = start->end.frames;
    log->end = start->end;
    o->at = log->end.offset;
    if (o->mark.offset >= log->end.offset)
        return walk(log);
    uint64_t counter = o->mark.counter;
    o->mark = log->end;
    o->mark.counter = counter;
    walk(log);
}

static void last_frame_read(struct job *job)
{
    struct log *log = log_job_end(job);
    struct log_opening *o = log->opening;
    const struct watermark *end = &o->start->end;
    struct log_frame f = {0};

    if (job->error != 0)
        return opening_give_up_job(log, job);
    struct bytes bytes = buf_bytes(&o->piece);
    bool good = job->op[0].result == job->op[0].length &&
                log_frame_header(&f, bytes.data, NULL) == 0 &&
                log_frame_size(f.payload_len, f.inline_len) == bytes.len &&
                log_frame_get(&f, bytes, NULL) == 0;
    if (!good || f.sequence + 1 != end->frames ||
        f.index + f.count != end->transactions ||
        memcmp(f.hash, end->hash, LOG_HASH_SIZE) != 0)
        return stale(log, "it is not the log that was known");
    take_start(log);
}

static void begin_from(struct log *log)
{
    struct log_opening *o = log->opening;
    const struct watermark *end = &o->start->end;
    struct job *job = &log->head_job;

    assert(end->frames > 0);
    uint64_t last = o->start->places[end->frames - 1].offset;
    if (end->generation != log->manifest.generation ||
        memcmp(end->chain, o->mark.chain, LOG_CHAIN_SIZE) != 0 ||
        last < LOG_FRAMES_START || last + LOG_FRAME_HEADER > end->offset ||
        end->offset > o->size)
        return stale(log, "it is not the log that was known");
    buf_clear(&o->piece);
    log_job_begin(log, job, 0, last_frame_read);
    job_read(job, log->head_path, last, end->offset - last, &o->piece);
    log_job_submit(log, job);
}

static void slots_read(struct job *job)
{
    struct log *log = log_job_end(job);

    if (job->error == ENOENT) {
        err_set(&log->outcome, ATE_ECORRUPT, "%s is missing", log->head_path);
        return opening_give_up(log);
    }
    if (job->error != 0)
        return opening_give_up_job(log, job);
    begin_walk(log, job);
}

static void add_slots(struct log *log, struct job *job)
{
    struct log_opening *o = log->opening;

    job_size(job, log->head_path);
    for (uint64_t i = 0; i < 2; i++) {
        buf_clear(&o->slots[i]);
        job_read(job, log->head_path, watermark_place(i), LOG_SLOT_SIZE,
                 &o->slots[i]);
        if (o->poll)
            continue;
        buf_clear(&o->gaps[i]);
        job_read(job, log->head_path, watermark_place(i) + LOG_SLOT_SIZE,
                 LOG_SLOT_STEP - LOG_SLOT_SIZE, &o->gaps[i]);
    }
}

static void submit_slots(struct log *log)
{
    log_job_begin(log, &log->head_job, 0, slots_read);
    add_slots(log, &log->head_job);
    log_job_submit(log, &log->head_job);
}

/* ---- the window ---- */

static void piece_read(struct job *job)
{
    struct log *log = log_job_end(job);
    struct log_opening *o = log->opening;

    if (job->error != 0)
        return opening_give_up_job(log, job);
    if (job->op[0].result < job->op[0].length)
        o->size = o->at + o->window.len; /* it has become shorter */
    o->then(log);
}

bool opening_have(struct log *log, uint64_t from, uint64_t len,
                  void (*then)(struct log *log))
{
    struct log_opening *o = log->opening;
    uint64_t end = o->at + o->window.len;

    assert(from >= o->at && from + len <= o->size);
    if (from + len <= end)
        return true;
    size_t keep = from < end ? (size_t)(end - from) : 0;
    if (keep > 0)
        memmove(o->window.data, o->window.data + (from - o->at), keep);
    o->window.len = keep;
    o->at = from;
    uint64_t want = o->size - from < LOG_PIECE ? o->size - from : LOG_PIECE;
    want = want < len ? len : want;
    o->then = then;
    log_job_begin(log, &log->head_job, 0, piece_read);
    job_read(&log->head_job, log->head_path, from + keep, want - keep,
             &o->window);
    log_job_submit(log, &log->head_job);
    return false;
}

const uint8_t *opening_at(const struct log *log, uint64_t offset)
{
    assert(offset >= log->opening->at);
    return log->opening->window.data + (offset - log->opening->at);
}

/* ---- the walk ---- */

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
    name_place(log, log->end.frames, log->end.offset, log->end.transactions);
    opening_refuse(log);
}

static void mark_disagrees(struct log *log)
{
    if (log->opening->poll)
        return stale(log, "it was cut back and has gone on differently");
    damaged(log, "the watermark disagrees with the frames before it");
}

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
    if (!opening_have(log, offset, LOG_FRAME_HEADER, walk))
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
    if (!opening_have(log, offset, size, walk))
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
        walk(log);
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

static void walk(struct log *log)
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
        return walk(log);
    log->outcome = *why;
    log->outcome.code = code;
    log->end = o->before;
    name_place(log, o->frame.sequence, o->frame.offset, o->frame.index);
    opening_refuse(log);
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
    if (log->mode != LOG_READ_ONLY)
        return opening_repair(log);
    log->cut = log->end.offset < o->size ? o->size - log->end.offset : 0;
    opening_ready(log);
}

/* ---- starting ---- */

static struct log_opening *opening_new(log_visit *visit, void *visit_ctx)
{
    struct log_opening *o = mem_zero(1, sizeof(*o));
    o->visit = visit;
    o->visit_ctx = visit_ctx;
    return o;
}

void log_open(struct log *log, const struct disk *disk, const char *folder,
              const uint8_t *chain, enum log_mode mode, log_visit *visit,
              void *visit_ctx, log_done *done, void *ctx)
{
    log_open_from(log, disk, folder, chain, mode, NULL, visit, visit_ctx, done,
                  ctx);
}

void log_open_from(struct log *log, const struct disk *disk, const char *folder,
                   const uint8_t *chain, enum log_mode mode,
                   const struct log_start *start, log_visit *visit,
                   void *visit_ctx, log_done *done, void *ctx)
{
    log_begin(log, disk, folder, mode, done, ctx);
    struct log_opening *o = opening_new(visit, visit_ctx);
    log->opening = o;
    o->start = start;
    o->any_chain = chain == NULL;
    if (chain != NULL)
        memcpy(o->chain, chain, LOG_CHAIN_SIZE);
    log->end.offset = LOG_FRAMES_START;
    log->end.segment = 1;

    log_job_begin(log, &log->head_job, 0, cur_read);
    job_read(&log->head_job, log->cur_path, 0, MANIFEST_SIZE + 1, &o->small);
    log_job_submit(log, &log->head_job);
}

uint64_t log_opening_size(const struct log *log)
{
    return log->opening != NULL ? log->opening->size : 0;
}

static void polled(struct job *job)
{
    struct log *log = log_job_end(job);
    uint64_t generation = log->manifest.generation;

    if (job->error != 0)
        return opening_give_up_job(log, job);
    if (take_manifest(log) != 0)
        return opening_give_up(log);
    if (log->manifest.generation != generation) {
        log->manifest.generation = generation;
        return stale(log, "another generation is live");
    }
    begin_walk(log, job);
}

void log_poll(struct log *log, log_visit *visit, void *visit_ctx,
              log_done *done, void *ctx)
{
    assert(log->state == LOG_READY && log->mode == LOG_READ_ONLY);
    log_start(log, done, ctx);
    struct log_opening *o = opening_new(visit, visit_ctx);
    log->opening = o;
    o->poll = true;
    memcpy(o->chain, log->end.chain, LOG_CHAIN_SIZE);

    log_job_begin(log, &log->head_job, 0, polled);
    add_slots(log, &log->head_job);
    job_read(&log->head_job, log->cur_path, 0, MANIFEST_SIZE + 1, &o->small);
    log_job_submit(log, &log->head_job);
}
