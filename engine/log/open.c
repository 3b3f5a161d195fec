/* Opening a log, and following one that another process writes: what is known
 * of it before its frames are walked (recover.c).
 *
 * `cur` names the generation, the newer good slot of its header file is the
 * watermark W.
 *
 * (1) Opened to read, nothing is written. A process that writes at the same
 *     time may show us half a slot, so a bad one is read again.
 * (2) What was known before is as good as a watermark, once the last frame
 *     before it was found where it should be: nothing below is walked again. If
 *     it was not, nothing is said of the log; without, recover.c says it.
 * (3) Nothing is ever written between the slots, and between them and the
 *     frames. Where a byte is not zero, the log is shown up to its end, and
 *     refused then: what else was written over, we cannot tell. */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/memory.h"
#include "log/opening.h"

enum { ATTEMPTS_MAX = 3 }; /* to find a good slot beside a writer */

static void submit_slots(struct log *log);

/* ---- cur ---- */

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
    err_reason(&log->outcome, "chain_lost");
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
        if (rc == ATE_ECORRUPT)
            err_reason(&log->outcome, "chain_lost");
        return err_wrap(&log->outcome, "%s", log->cur_path);
    }
    if (!o->any_chain &&
        memcmp(manifest.chain, o->chain, sizeof(manifest.chain)) != 0) {
        err_set(&log->outcome, ATE_ECORRUPT, "%s: it belongs to another chain",
                log->cur_path);
        return err_reason(&log->outcome, "chain_lost");
    }
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

/* ---- the slots ---- */

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

/* Bad beside a good one: torn when the machine stopped, or damaged since. One
 * that was never written is neither. */
static void note_bad_slot(struct log *log, int which, const struct err *why)
{
    log->bad_slot = (struct err){0};
    if (bytes_are_zero(buf_bytes(&log->opening->slots[which])))
        return;
    err_set(&log->bad_slot, ATE_ECORRUPT,
            "%s: the slot at offset %" PRIu64 " is damaged: %s; the other one "
            "is good, and the next watermark replaces it",
            log->head_path, watermark_place((uint64_t)which), why->text);
}

/* Invariant (3). */
static void look_for_stains(struct log *log)
{
    struct log_opening *o = log->opening;

    for (int i = 0; i < 2; i++) {
        size_t at = bytes_zeros(buf_bytes(&o->gaps[i]));
        if (o->stain.code != 0 || at == o->gaps[i].len)
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
    if (rc[0] == ATE_EUNAVAILABLE || (rc[0] != 0 && rc[1] != 0)) {
        err_set(&log->outcome, o->why.code,
                "%s: neither of its watermarks is good: %s", log->head_path,
                o->why.text);
        return o->why.code == ATE_ECORRUPT
                   ? err_reason(&log->outcome, "chain_lost")
                   : o->why.code;
    }
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

/* ---- a start, invariant (2) ---- */

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
        return opening_walk(log);
    uint64_t counter = o->mark.counter;
    o->mark = log->end;
    o->mark.counter = counter;
    opening_walk(log);
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
        return opening_stale(log, "it is not the log that was known");
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
        return opening_stale(log, "it is not the log that was known");
    buf_clear(&o->piece);
    log_job_begin(log, job, 0, last_frame_read);
    job_read(job, log->head_path, last, end->offset - last, &o->piece);
    log_job_submit(log, job);
}

/* ---- both slots are read ---- */

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
        return opening_stale(log, "it was cut back");
    log->marked = o->mark;
    memcpy(log->end.chain, o->mark.chain, LOG_CHAIN_SIZE);
    o->at = log->end.offset;
    if (o->start != NULL)
        return begin_from(log);
    opening_walk(log);
}

static void slots_read(struct job *job)
{
    struct log *log = log_job_end(job);

    if (job->error == ENOENT) {
        err_set(&log->outcome, ATE_ECORRUPT, "%s is missing", log->head_path);
        err_reason(&log->outcome, "chain_lost");
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

/* ---- following ---- */

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
        return opening_stale(log, "another generation is live");
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
