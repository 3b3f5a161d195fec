/* (1) An upload does one thing at a time, for the first of its requests; the
 *     others wait in order.
 * (2) `length` bytes are in the file and in the hasher. A piece is written
 *     before it is hashed: one that fails can be sent again.
 * (3) One that was there when the folder was opened is `stale` until its bytes
 *     were read into the hasher.
 * (4) A complete one is not touched again, except to move or drop it.
 * (5) One whose file is being dropped is nobody's body any more. Who asks for
 *     its id meanwhile waits, and begins it anew. */
#include "upload/putting.h"

#include <inttypes.h>
#include <string.h>

#include "upload/upload.h"

enum {
    READ_STEP = 1 << 20,
    SYNC_EVERY = 16 << 20, /* so that the disk is never far behind */
};

/* ---- answers ---- */

static void answer(struct upload *up, struct put *put, int code,
                   const struct err *err)
{
    put->code = code;
    if (code != 0)
        put->err = *err;
    put->length = up->length;
    put->done(put);
}

static void answer_first(struct upload *up, int code, const struct err *err)
{
    struct put *put = up->first;
    up->first = put->next;
    if (up->first == NULL)
        up->last = &up->first;
    answer(up, put, code, err);
}

/* ---- from nothing, and back ---- */

void putting_begin(struct upload *up, const struct put *put)
{
    memcpy(up->id, put->id, UPLOAD_ID_SIZE);
    up->has_id = true;
    up->sealed = put->sealed;
    body_hasher_init(&up->hasher, up->sealed);
    upload_name_paths(up);
}

static void begin_anew(struct upload *up)
{
    body_hasher_deinit(&up->hasher);
    up->stale = up->doubts = up->made = up->ended = false;
    up->complete = up->dropping = false;
    up->length = up->unsynced = 0;
    putting_begin(up, up->first);
}

static void dropped(struct job *job)
{
    struct upload *up = upload_job_end(job);
    struct uploads *u = up->all;
    if (up->first != NULL) {
        begin_anew(up);
        putting_next(up);
    } else {
        /* A file that stays is found when the folder is opened. */
        upload_forget(up);
    }
    upload_rest(u);
}

void putting_drop(struct upload *up)
{
    if (!up->made) {
        upload_forget(up);
        return;
    }
    up->dropping = true;
    upload_job_begin(up, dropped);
    job_unlink(&up->job, up->path);
    job_submit(up->all->disk, &up->job);
}

/* It is of no use any more: who waits is told why. */
static void drop(struct upload *up, const struct err *err)
{
    while (up->first != NULL)
        answer_first(up, err->code, err);
    putting_drop(up);
}

/* ---- invariant (3) ---- */

static void read_on(struct upload *up);

static void reread_hashed(struct task *task)
{
    struct upload *up = upload_hash_end(task);
    struct uploads *u = up->all;
    bool more = up->hashing.len == READ_STEP;
    if (!more) {
        up->stale = false;
        buf_deinit(&up->reread);
        putting_next(up);
    } else {
        read_on(up);
    }
    upload_rest(u);
}

static void reread_got(struct job *job)
{
    struct upload *up = upload_job_end(job);
    struct uploads *u = up->all;
    struct err err;
    if (job->error != 0) {
        answer_first(up, job_err(job, &err), &err);
        putting_next(up);
    } else {
        upload_hash(up, buf_bytes(&up->reread), reread_hashed);
    }
    upload_rest(u);
}

static void read_on(struct upload *up)
{
    buf_clear(&up->reread);
    upload_job_begin(up, reread_got);
    job_read(&up->job, up->path, up->length, READ_STEP, &up->reread);
    job_submit(up->all->disk, &up->job);
}

/* ---- a piece ---- */

static void piece_hashed(struct task *task)
{
    struct upload *up = upload_hash_end(task);
    struct uploads *u = up->all;
    up->first->data.len = 0; /* taken; it may end, too */
    putting_next(up);
    upload_rest(u);
}

/* After a sync that failed nobody knows what is on the disk, and the next one
 * would say that all is well. */
static bool lost_sync(const struct job *job)
{
    enum job_kind kind = job->op[job->failed].kind;
    return kind == JOB_SYNC || kind == JOB_SYNC_FOLDER;
}

static void job_failed(struct upload *up, const struct job *job)
{
    struct err err;
    job_err(job, &err);
    if (lost_sync(job)) {
        drop(up, &err);
        return;
    }
    answer_first(up, err.code, &err);
    putting_next(up);
}

static void piece_written(struct job *job)
{
    struct upload *up = upload_job_end(job);
    struct uploads *u = up->all;
    if (job->error != 0) {
        job_failed(up, job);
    } else {
        upload_hash(up, up->first->data, piece_hashed);
    }
    upload_rest(u);
}

static void write_piece(struct upload *up)
{
    struct put *put = up->first;
    struct err err;
    if (up->ended || put->offset != up->length) {
        err_set(&err, ATE_ECONFLICT,
                "it %s at offset %" PRIu64 ", not at %" PRIu64,
                up->ended ? "ended" : "goes on", up->length, put->offset);
        answer_first(up, err.code, &err);
        putting_next(up);
        return;
    }
    uint64_t most = up->all->length_max;
    if (up->length > most || put->data.len > most - up->length) {
        err_set(&err, ATE_ELIMIT, "a body has at most %" PRIu64 " bytes", most);
        drop(up, &err);
        return;
    }
    if (upload_held_besides(up) > most - up->length - put->data.len) {
        err_set(&err, ATE_ELIMIT,
                "bodies that no call names yet have at most %" PRIu64
                " bytes together; name one, or wait: those that nobody "
                "touches go after an hour",
                most);
        answer_first(up, err.code, &err);
        putting_next(up);
        return;
    }
    upload_job_begin(up, piece_written);
    job_write(&up->job, up->path, up->length, put->data);
    up->unsynced += put->data.len;
    if (up->unsynced >= SYNC_EVERY) {
        job_sync(&up->job, up->path);
        up->unsynced = 0;
    }
    job_submit(up->all->disk, &up->job);
}

/* ---- the end ---- */

/* Another one came to the same meanwhile; its file was replaced by this one's,
 * or it is in the log already. True: this one is of no use. */
static bool is_spare(const struct upload *up)
{
    struct upload *same =
        upload_find_complete(up->all, up->hash, up->length, up->sealed);
    if (same == NULL)
        return false;
    if (same->claimed)
        return true;
    upload_forget(same);
    return false;
}

static void completed(struct job *job)
{
    struct upload *up = upload_job_end(job);
    struct uploads *u = up->all;
    bool named = job->error == 0 || job->op[job->failed].path == up->folder[0];
    if (named)
        memcpy(up->path, up->to, sizeof(up->path));
    if (job->error != 0) {
        job_failed(up, job);
        upload_rest(u);
        return;
    }
    bool spare = is_spare(up);
    up->complete = true;
    body_hasher_deinit(&up->hasher);
    putting_next(up);
    if (spare)
        upload_forget(up);
    upload_rest(u);
}

static bool is_named(const struct upload *up, const struct put *put)
{
    return put->hash == NULL || memcmp(put->hash, up->hash, HASH_SIZE) == 0;
}

static bool ends_well(const struct upload *up, const struct put *put,
                      struct err *err)
{
    if (up->doubts && put->hash == NULL)
        err_set(err, ATE_EINVALID,
                "it was begun before the chain was opened last: its end has to "
                "name the hash");
    else if (body_pieces(up->length, up->sealed) < 2)
        err_set(err, ATE_EINVALID,
                "%" PRIu64 " bytes are put with the call itself; what is put "
                "first has more than %zu",
                up->length, body_piece_size(up->sealed));
    else if (!is_named(up, put))
        err_set(err, ATE_EINVALID,
                "its bytes come to another hash than the one that was named; "
                "put it again");
    else
        return true;
    return false;
}

/* Whoever puts it again may have lost the answer: it is kept for him. */
static bool is_here(const struct upload *up)
{
    const struct uploads *u = up->all;
    struct upload *same =
        upload_find_complete(u, up->hash, up->length, up->sealed);
    struct large large;
    if (same != NULL)
        same->touched_ms = up->touched_ms;
    return same != NULL || (state_large(u->state(u->ctx), up->hash, &large) &&
                            large.length == up->length);
}

/* Its end again, after it is complete. */
static void end_again(struct upload *up)
{
    struct err err;
    if (is_named(up, up->first)) {
        memcpy(up->first->body_hash, up->hash, HASH_SIZE);
        answer_first(up, 0, NULL);
    } else {
        err_set(&err, ATE_ECONFLICT,
                "it ended with another hash than the one that is named");
        answer_first(up, err.code, &err);
    }
    putting_next(up);
}

static void finish(struct upload *up)
{
    struct uploads *u = up->all;
    struct put *put = up->first;
    struct job *job = &up->job;
    struct err err;
    if (!up->ended)
        body_hasher_end(&up->hasher, up->hash);
    up->ended = true;
    if (!ends_well(up, put, &err)) {
        drop(up, &err);
        return;
    }
    if (is_here(up)) {
        memcpy(put->body_hash, up->hash, HASH_SIZE);
        answer_first(up, 0, NULL);
        drop(up, &(struct err){.code = ATE_ECONFLICT, .text = "it has ended"});
        return;
    }
    upload_path(u->folder, up->hash, up->length, up->sealed, true, up->to);
    upload_job_begin(up, completed);
    job_truncate(job, up->path, up->length);
    job_write(job, up->path, body_leaves_offset(up->length),
              buf_bytes(&up->hasher.leaves));
    job_sync(job, up->path);
    job_rename(job, up->path, up->to);
    job_sync_folder(job, up->folder[0]);
    job_submit(u->disk, job);
}

/* ---- what comes next ---- */

static void made(struct job *job)
{
    struct upload *up = upload_job_end(job);
    struct uploads *u = up->all;
    struct err err;
    if (job->error != 0) {
        job_err(job, &err);
        drop(up, &err);
    } else {
        up->made = true;
        u->has_folder = true;
        putting_next(up);
    }
    upload_rest(u);
}

static void make(struct upload *up)
{
    struct job *job = &up->job;
    upload_job_begin(up, made);
    if (!up->all->has_folder) {
        job_mkdir(job, up->folder[0]);
        job_sync_folder(job, up->all->folder);
    }
    job_replace(job, up->path);
    job_submit(up->all->disk, job);
}

/* Invariant (1). */
void putting_next(struct upload *up)
{
    struct put *put = up->first;
    if (up->busy || put == NULL)
        return;
    if (!up->made) {
        make(up);
    } else if (up->stale) {
        read_on(up);
    } else if (put->data.len > 0) {
        write_piece(up);
    } else if (put->ends && up->complete) {
        end_again(up);
    } else if (put->ends) {
        finish(up);
    } else {
        answer_first(up, 0, NULL);
        putting_next(up);
    }
}
