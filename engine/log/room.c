/* Room ahead: zeros behind the end of the header file, over which the next
 * groups are written. A sync then finds neither a new size nor new blocks to
 * write down besides the bytes, and takes a half to three quarters of the time.
 *
 * (1) Zeros are no frame: to who walks the frames the log ends where they
 *     begin. Bytes behind the end that are not all zeros, or too many, were
 *     torn.
 * (2) A small file gets none: a folder may hold a million chains.
 * (3) It is made with the group that has passed what there was, under the same
 *     sync. Where there is no space for it the group goes without, and no more
 *     is made until the log is opened again.
 * (4) What is left is given back before the chain is closed. Nothing rests on
 *     that: it may fail, and needs no sync. */
#include <assert.h>
#include <string.h>

#include "log/inside.h"

enum {
    UNIT = 4096, /* of a file system's blocks */
    PART = 4,    /* of what there is, so much ahead */
    MORE_MAX = LOG_ROOM_MAX - UNIT,
};

size_t log_make_room(struct log *log)
{
    struct log_commit *c = log->commit;
    uint64_t end = c->next.offset;

    if (end <= log->room || end < log->room_from || log->is_cramped)
        return 0;
    uint64_t more = end / PART < MORE_MAX ? end / PART : MORE_MAX;
    c->room = (end + more + UNIT - 1) / UNIT * UNIT;
    size_t size = (size_t)(c->room - end);
    memset(buf_grow(&c->head, size), 0, size);
    return size;
}

static void given_back(struct job *job)
{
    struct log *log = log_job_end(job);

    log->room = log->end.offset;
    log_finish(log);
}

int log_give_room_back(struct log *log, log_done *done, void *ctx)
{
    if (log->state != LOG_READY || log->mode == LOG_READ_ONLY ||
        log->room <= log->end.offset)
        return 1;
    log_start(log, done, ctx);
    log_job_begin(log, &log->head_job, log->head_lane, given_back);
    job_truncate(&log->head_job, log->head_path, log->end.offset);
    log_job_submit(log, &log->head_job);
    return 0;
}
