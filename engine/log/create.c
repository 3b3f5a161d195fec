/* Making a new chain.
 *
 * First a look: `cur` there means there is a chain; a header file longer than
 * our first frame means there was one whose `cur` was lost, which nobody may
 * write over. Anything else was left by a creation cut short, and is
 * replaced. Then one job:
 *
 *     folders, and their names synced from the top down
 *     header file: both slots and the first frame, synced
 *     first body file: its bodies, synced
 *     the folder synced, so that both files have their names
 *     cur.tmp written and synced, renamed to cur, the folder synced
 *
 * (1) The slots speak of a frame that is written beside them. That is safe
 *     only here, because without `cur`, which comes after the sync, nobody
 *     reads them.
 * (2) A crash leaves either no `cur`, and then there is no chain, or all of
 *     it.
 * (3) What failed is undone by the same rule: `cur` goes first, in case it is
 *     there, and nothing else goes unless its name is gone for good. What
 *     cannot be removed then, as when the disk takes nothing at all, stays
 *     behind without `cur`. */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/memory.h"
#include "log/inside.h"

enum { FOLDERS_MAX = 4 };

/* What is undone, one after the other; behind these the folders. */
enum undo {
    UNDO_CUR,
    UNDO_NAME,
    UNDO_TEMPORARY,
    UNDO_HEAD,
    UNDO_BODY,
    UNDO_OWN
};

struct log_creating {
    char above[FOLDERS_MAX][LOG_PATH_MAX]; /* from the data folder down */
    uint32_t count;                        /* of those */
    unsigned undoing;                      /* enum undo, or more */
    char temporary[LOG_PATH_MAX];
    uint8_t slots[2][LOG_SLOT_SIZE];
    uint8_t manifest[MANIFEST_SIZE];
    struct buf look;
};

static void end(struct log *log)
{
    struct log_creating *c = log->creating;
    log->creating = NULL;
    buf_deinit(&c->look);
    mem_free(c);
    if (log->outcome.code != 0)
        log_reset(log);
    log_finish(log);
}

static void undone(struct job *job);

/* Invariant (3). The data folder itself is above[0]. */
static void undo(struct log *log)
{
    struct log_creating *c = log->creating;
    struct job *job = &log->head_job;
    uint32_t above = c->undoing - UNDO_OWN; /* how far above the own one */

    log_job_begin(log, job, log->head_lane, undone);
    switch (c->undoing) {
    case UNDO_CUR:
        job_unlink(job, log->cur_path);
        break;
    case UNDO_NAME:
        job_sync_folder(job, log->folder);
        break;
    case UNDO_TEMPORARY:
        job_unlink(job, c->temporary);
        break;
    case UNDO_HEAD:
        job_unlink(job, log->head_path);
        break;
    case UNDO_BODY:
        job_unlink(job, log->body_path[0]);
        break;
    default:
        if (above >= c->count)
            return end(log);
        job_rmdir(job, above == 0 ? log->folder : c->above[c->count - above]);
    }
    log_job_submit(log, job);
}

static void undone(struct job *job)
{
    struct log *log = log_job_end(job);
    struct log_creating *c = log->creating;
    bool was_there = c->undoing != UNDO_CUR || job->error != ENOENT;

    if (c->undoing <= UNDO_NAME && was_there && job->error != 0)
        return end(log);
    c->undoing += was_there ? 1 : 2; /* no name of it that would have to go */
    undo(log);
}

static void made(struct job *job)
{
    struct log *log = log_job_end(job);

    if (job->error != 0) {
        job_err(job, &log->outcome);
        return undo(log);
    }
    log_adopt(log);
    log->state = LOG_READY;
    end(log);
}

/* The folders above the chain's own, top down; returns how many. */
static uint32_t folders_above(const struct log *log)
{
    char(*above)[LOG_PATH_MAX] = log->creating->above;
    uint32_t count = 1;

    above[0][0] = '\0';
    for (const char *p = log->folder; (p = strchr(p, '/')) != NULL; p++) {
        size_t len = (size_t)(p - log->folder);
        assert(count < FOLDERS_MAX);
        memcpy(above[count], log->folder, len);
        above[count++][len] = '\0';
    }
    return count;
}

/* Invariant (1). */
static void add_header_file(struct log *log, struct job *job)
{
    struct log_commit *c = log->commit;

    job_replace(job, log->head_path);
    c->slot_mark = c->next;
    c->has_slot = true;
    for (uint64_t i = 0; i < 2; i++) {
        uint8_t *slot = log->creating->slots[i];
        c->slot_mark.counter = i;
        watermark_put(slot, &c->slot_mark);
        job_write(job, log->head_path, watermark_place(i),
                  bytes_of(slot, LOG_SLOT_SIZE));
    }
    job_write(job, log->head_path, LOG_FRAMES_START, buf_bytes(&c->head));
    job_sync(job, log->head_path);
}

static void add_cur(struct log *log, struct job *job)
{
    struct log_creating *c = log->creating;

    log->manifest.generation = log->end.generation;
    memcpy(log->manifest.chain, log->end.chain, sizeof(log->manifest.chain));
    memcpy(log->manifest.first, log->commit->next.hash, LOG_HASH_SIZE);
    manifest_put(c->manifest, &log->manifest);
    job_replace(job, c->temporary);
    job_write(job, c->temporary, 0, bytes_of(c->manifest, MANIFEST_SIZE));
    job_sync(job, c->temporary);
    job_rename(job, c->temporary, log->cur_path);
    job_sync_folder(job, log->folder);
}

static void make(struct log *log)
{
    struct job *job = &log->head_job;

    log_job_begin(log, job, log->head_lane, made);
    if (log->folder[0] != '\0') {
        uint32_t count = log->creating->count = folders_above(log);
        job_mkdir(job, log->folder);
        for (uint32_t i = 0; i < count; i++)
            job_sync_folder(job, log->creating->above[i]);
    }
    add_header_file(log, job);
    job_replace(job, log->body_path[0]);
    if (log->commit->bodies.len > 0)
        job_write(job, log->body_path[0], 0, log->commit->bodies);
    job_sync(job, log->body_path[0]);
    job_sync_folder(job, log->folder);
    add_cur(log, job);
    log_job_submit(log, job);
}

static void measured(struct job *job)
{
    struct log *log = log_job_end(job);

    if (job->error != 0 && job->error != ENOENT) {
        job_err(job, &log->outcome);
        return end(log);
    }
    if (job->error == 0 && job->op[0].result > log->commit->next.offset) {
        err_set(&log->outcome, ATE_ECORRUPT,
                "%s is missing, but %s has frames of a chain: put cur back "
                "from a copy",
                log->cur_path, log->head_path);
        return end(log);
    }
    make(log);
}

static void looked(struct job *job)
{
    struct log *log = log_job_end(job);

    if (job->error == 0) {
        err_set(&log->outcome, ATE_ECONFLICT, "%s: there is a chain already",
                log->cur_path);
        return end(log);
    }
    if (job->error != ENOENT) {
        job_err(job, &log->outcome);
        return end(log);
    }
    log_job_begin(log, &log->head_job, log->head_lane, measured);
    job_size(&log->head_job, log->head_path);
    log_job_submit(log, &log->head_job);
}

void log_create(struct log *log, const struct disk *disk, const char *folder,
                const uint8_t chain[LOG_CHAIN_SIZE],
                const struct log_group *first, log_done *done, void *ctx)
{
    assert(first->count == 1 && first->entries[0].type == LOG_GENESIS);
    log_begin(log, disk, folder, LOG_READ_WRITE, done, ctx);
    log->creating = mem_zero(1, sizeof(*log->creating));
    log_file_path(log, "cur.tmp", log->creating->temporary);
    memcpy(log->end.chain, chain, LOG_CHAIN_SIZE);
    log_set_generation(log, 1);
    log->end.offset = LOG_FRAMES_START;
    log->end.segment = 1;
    log_segment_path(log, 1, log->body_path[0]);

    int rc = log_group_check(log, first, NULL);
    assert(rc == 0); /* a genesis and a bundle are far below the limits */
    log_commit_begin(log);
    log_put_frames(log, first);

    log_job_begin(log, &log->head_job, log->head_lane, looked);
    job_read(&log->head_job, log->cur_path, 0, MANIFEST_SIZE,
             &log->creating->look);
    log_job_submit(log, &log->head_job);
}
