/* How an opening or a poll ends, and the window through which it reads the
 * header file: no more than a piece and one frame at a time. */
#include "log/opening.h"

#include <assert.h>
#include <string.h>

#include "base/memory.h"

/* ---- its ends ---- */

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

void opening_stale(struct log *log, const char *what)
{
    err_set(&log->outcome, ATE_ESTALE, "%s: %s: close it and open it again",
            log->head_path, what);
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
    log->room = log->cut > 0 ? log->end.offset : log->opening->size;
    finish(log);
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
