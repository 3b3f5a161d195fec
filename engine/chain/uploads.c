/* Putting large bodies: see the header.
 *
 * (1) An upload does one thing at a time, for the first of its requests; the
 *     others wait in order.
 * (2) `length` bytes are in the file and in the hasher. A piece is written
 *     before it is hashed: one that fails can be sent again.
 * (3) One that was there when the folder was opened is `stale` until its bytes
 *     were read into the hasher.
 * (4) A complete one is not touched again, except to move or drop it.
 * (5) One whose file is being dropped is nobody's body any more. Who asks for
 *     its id meanwhile waits, and begins it anew.
 * (6) Jobs on the file of a complete one run in one lane, so that what drops
 *     it never hits another that took its name. */
#include "chain/uploads.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/memory.h"
#include "event/body.h"

enum {
    READ_STEP = 1 << 20,
    SYNC_EVERY = 16 << 20, /* so that the disk is never far behind */
    NAME_MAX_LEN = 96,     /* of a file in put/ */
    AGES_AT_ONCE = 16,
};

struct upload {
    struct uploads *all;
    struct job job;
    struct task task;
    uint8_t id[UPLOAD_ID_SIZE];
    bool has_id; /* not of a complete one that was there at opening */
    bool sealed;
    bool stale;  /* invariant (3) */
    bool doubts; /* it was once: its end has to name the hash */
    bool made;   /* its file is there */
    bool busy;
    bool ended; /* the hasher is; its file may still have to be completed */
    bool complete;
    bool dropping; /* invariant (5) */
    bool claimed;
    uint64_t index; /* of the transaction that claimed it */
    int64_t touched_ms;
    uint64_t length;
    uint64_t unsynced;
    struct body_hasher hasher;
    struct bytes hashing; /* by the task */
    struct buf reread;
    uint8_t hash[HASH_SIZE];
    struct put *first;
    struct put **last;
    char path[LOG_PATH_MAX];
    char to[LOG_PATH_MAX];
    char folder[2][LOG_PATH_MAX];
};

struct listing {
    struct uploads *all;
    struct job job;
    struct buf names; /* a zero behind each */
    size_t known;     /* of these: they were taken over */
    size_t at;
    int64_t now;
    char path[LOG_PATH_MAX];
    char paths[AGES_AT_ONCE][LOG_PATH_MAX + NAME_MAX];
    uploads_opened *done;
};

/* ---- names ---- */

static void put_path(const char *folder, const char *name,
                     char path[LOG_PATH_MAX])
{
    char inner[NAME_MAX_LEN];
    int n = snprintf(inner, sizeof(inner), "put/%s", name);
    assert(n > 0 && n < NAME_MAX_LEN);
    log_path(path, folder, inner);
}

static void hex_name(struct bytes bytes, const char *ending,
                     char name[NAME_MAX_LEN])
{
    struct buf text = {0};
    hex_put(&text, bytes);
    int n = snprintf(name, NAME_MAX_LEN, "%s%s", buf_text(&text), ending);
    assert(n > 0 && n < NAME_MAX_LEN);
    buf_deinit(&text);
}

void uploads_path(const char *folder, const uint8_t hash[HASH_SIZE],
                  uint64_t length, bool sealed, bool is_put,
                  char path[LOG_PATH_MAX])
{
    char name[NAME_MAX_LEN];
    char ending[32] = "";
    if (is_put)
        snprintf(ending, sizeof(ending), ".%" PRIu64 "%s", length,
                 sealed ? "s" : "");
    hex_name(bytes_of(hash, HASH_SIZE), ending, name);
    if (is_put) {
        put_path(folder, name, path);
        return;
    }
    char inner[NAME_MAX_LEN + 8];
    snprintf(inner, sizeof(inner), "large/%s", name);
    log_path(path, folder, inner);
}

/* `<id>` or `<hash>.<length>`, an "s" behind it. False: neither. */
static bool read_name(struct upload *up, const char *name)
{
    size_t len = strlen(name);
    size_t digits = strspn(name, "0123456789abcdef");
    up->sealed = len > digits && name[len - 1] == 's';
    len -= up->sealed;
    if (digits == (size_t)2 * UPLOAD_ID_SIZE && len == digits)
        return hex_get(name, digits, up->id);
    if (digits != (size_t)2 * HASH_SIZE || name[digits] != '.')
        return false;
    const char *number = name + digits + 1;
    char *end = NULL;
    up->length = strtoull(number, &end, 10);
    up->complete = true;
    return number[0] >= '1' && number[0] <= '9' && end == name + len &&
           up->length <= LIMIT_BODY && hex_get(name, digits, up->hash);
}

/* ---- life ---- */

void uploads_init(struct uploads *u, const struct disk *disk,
                  const struct pool *pool, const char *folder,
                  struct tree_version (*state)(void *ctx),
                  void (*rested)(void *ctx), void *ctx)
{
    *u = (struct uploads){
        .disk = disk,
        .pool = pool,
        .state = state,
        .rested = rested,
        .ctx = ctx,
        .length_max = LIMIT_BODY,
    };
    snprintf(u->folder, sizeof(u->folder), "%s", folder);
}

static struct upload *add(struct uploads *u, int64_t now)
{
    struct upload *up = mem_zero(1, sizeof(*up));
    up->all = u;
    up->last = &up->first;
    up->touched_ms = now;
    u->items = mem_array_grow(u->items, u->count, &u->cap, sizeof(*u->items));
    u->items[u->count++] = up;
    return up;
}

static void free_upload(struct upload *up)
{
    body_hasher_deinit(&up->hasher);
    buf_deinit(&up->reread);
    mem_free(up);
}

static void forget(struct upload *up)
{
    struct uploads *u = up->all;
    size_t i = 0;
    while (u->items[i] != up)
        i++;
    u->items[i] = u->items[--u->count];
    free_upload(up);
}

void uploads_deinit(struct uploads *u)
{
    assert(uploads_at_rest(u));
    for (size_t i = 0; i < u->count; i++)
        free_upload(u->items[i]);
    mem_free(u->items);
    u->items = NULL;
    u->count = u->cap = 0;
}

bool uploads_at_rest(const struct uploads *u)
{
    return u->busy == 0;
}

static void rest(struct uploads *u)
{
    if (--u->busy == 0)
        u->rested(u->ctx);
}

/* Invariant (6). */
static uint64_t lane_of(const struct upload *up)
{
    return up->ended || up->complete ? get_be64(up->hash) | 1 : 0;
}

static void begin_job(struct upload *up, void (*done)(struct job *job))
{
    up->busy = true;
    up->all->busy++;
    job_init(&up->job, lane_of(up), done, up);
}

/* The job of `up`; nothing of it is under way any more. */
static struct upload *end_job(struct job *job)
{
    struct upload *up = job->owner;
    up->busy = false;
    return up;
}

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

static void name_paths(struct upload *up)
{
    char name[NAME_MAX_LEN];
    struct uploads *u = up->all;
    hex_name(bytes_of(up->id, UPLOAD_ID_SIZE), up->sealed ? "s" : "", name);
    put_path(u->folder, name, up->path);
    log_path(up->folder[0], u->folder, "put");
    log_path(up->folder[1], u->folder, "large");
}

/* As `put`, its first request, has it; nothing is there yet. */
static void begin(struct upload *up, const struct put *put)
{
    memcpy(up->id, put->id, UPLOAD_ID_SIZE);
    up->has_id = true;
    up->sealed = put->sealed;
    body_hasher_init(&up->hasher, up->sealed);
    name_paths(up);
}

static void begin_anew(struct upload *up)
{
    body_hasher_deinit(&up->hasher);
    up->stale = up->doubts = up->made = up->ended = false;
    up->complete = up->dropping = false;
    up->length = up->unsynced = 0;
    begin(up, up->first);
}

static void next(struct upload *up);

static void dropped(struct job *job)
{
    struct upload *up = end_job(job);
    struct uploads *u = up->all;
    if (up->first != NULL) {
        begin_anew(up);
        next(up);
    } else {
        forget(up); /* a file that stays is found when the folder is opened */
    }
    rest(u);
}

static void drop_file(struct upload *up)
{
    if (!up->made) {
        forget(up);
        return;
    }
    up->dropping = true;
    begin_job(up, dropped);
    job_unlink(&up->job, up->path);
    job_submit(up->all->disk, &up->job);
}

/* It is of no use any more: who waits is told why. */
static void drop(struct upload *up, const struct err *err)
{
    while (up->first != NULL)
        answer_first(up, err->code, err);
    drop_file(up);
}

/* ---- hashing ---- */

static void hash_work(struct task *task)
{
    struct upload *up =
        (struct upload *)((char *)task - offsetof(struct upload, task));
    body_hasher_put(&up->hasher, up->hashing);
}

static void hash_bytes(struct upload *up, struct bytes bytes,
                       void (*done)(struct task *task))
{
    const struct pool *pool = up->all->pool;
    up->busy = true;
    up->all->busy++;
    up->hashing = bytes;
    up->task.work = hash_work;
    up->task.done = done;
    if (pool != NULL) {
        pool->submit(pool->ctx, &up->task);
        return;
    }
    hash_work(&up->task);
    done(&up->task);
}

static struct upload *end_hash(struct task *task)
{
    struct upload *up =
        (struct upload *)((char *)task - offsetof(struct upload, task));
    up->busy = false;
    up->length += up->hashing.len;
    return up;
}

/* ---- invariant (3) ---- */

static void read_on(struct upload *up);

static void reread_hashed(struct task *task)
{
    struct upload *up = end_hash(task);
    struct uploads *u = up->all;
    bool more = up->hashing.len == READ_STEP;
    if (!more) {
        up->stale = false;
        buf_deinit(&up->reread);
        next(up);
    } else {
        read_on(up);
    }
    rest(u);
}

static void reread_got(struct job *job)
{
    struct upload *up = end_job(job);
    struct uploads *u = up->all;
    struct err err;
    if (job->error != 0) {
        answer_first(up, job_err(job, &err), &err);
        next(up);
    } else {
        hash_bytes(up, buf_bytes(&up->reread), reread_hashed);
    }
    rest(u);
}

static void read_on(struct upload *up)
{
    buf_clear(&up->reread);
    begin_job(up, reread_got);
    job_read(&up->job, up->path, up->length, READ_STEP, &up->reread);
    job_submit(up->all->disk, &up->job);
}

/* ---- a piece ---- */

static void piece_hashed(struct task *task)
{
    struct upload *up = end_hash(task);
    struct uploads *u = up->all;
    up->first->data.len = 0; /* taken; it may end, too */
    next(up);
    rest(u);
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
    next(up);
}

static void piece_written(struct job *job)
{
    struct upload *up = end_job(job);
    struct uploads *u = up->all;
    if (job->error != 0) {
        job_failed(up, job);
    } else {
        hash_bytes(up, up->first->data, piece_hashed);
    }
    rest(u);
}

/* Of all others that no transaction names. */
static uint64_t held_besides(const struct upload *up)
{
    const struct uploads *u = up->all;
    uint64_t held = 0;
    for (size_t i = 0; i < u->count; i++)
        if (u->items[i] != up && !u->items[i]->claimed)
            held += u->items[i]->length;
    return held;
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
        next(up);
        return;
    }
    uint64_t most = up->all->length_max;
    if (up->length > most || put->data.len > most - up->length) {
        err_set(&err, ATE_ELIMIT, "a body has at most %" PRIu64 " bytes", most);
        drop(up, &err);
        return;
    }
    if (held_besides(up) > most - up->length - put->data.len) {
        err_set(&err, ATE_ELIMIT,
                "bodies that no call names yet have at most %" PRIu64
                " bytes together; name one, or wait: those that nobody "
                "touches go after an hour",
                most);
        answer_first(up, err.code, &err);
        next(up);
        return;
    }
    begin_job(up, piece_written);
    job_write(&up->job, up->path, up->length, put->data);
    up->unsynced += put->data.len;
    if (up->unsynced >= SYNC_EVERY) {
        job_sync(&up->job, up->path);
        up->unsynced = 0;
    }
    job_submit(up->all->disk, &up->job);
}

/* ---- the end ---- */

static struct upload *find_complete(const struct uploads *u,
                                    const uint8_t hash[HASH_SIZE],
                                    uint64_t length, bool sealed)
{
    for (size_t i = 0; i < u->count; i++) {
        struct upload *up = u->items[i];
        if (up->complete && !up->dropping &&
            memcmp(up->hash, hash, HASH_SIZE) == 0 && up->length == length &&
            up->sealed == sealed)
            return up;
    }
    return NULL;
}

/* Another one came to the same meanwhile; its file was replaced by this one's,
 * or it is in the log already. True: this one is of no use. */
static bool is_spare(const struct upload *up)
{
    struct upload *same =
        find_complete(up->all, up->hash, up->length, up->sealed);
    if (same == NULL)
        return false;
    if (same->claimed)
        return true;
    forget(same);
    return false;
}

static void completed(struct job *job)
{
    struct upload *up = end_job(job);
    struct uploads *u = up->all;
    bool named = job->error == 0 || job->op[job->failed].path == up->folder[0];
    if (named)
        memcpy(up->path, up->to, sizeof(up->path));
    if (job->error != 0) {
        job_failed(up, job);
        rest(u);
        return;
    }
    bool spare = is_spare(up);
    up->complete = true;
    body_hasher_deinit(&up->hasher);
    next(up);
    if (spare)
        forget(up);
    rest(u);
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
    struct upload *same = find_complete(u, up->hash, up->length, up->sealed);
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
    next(up);
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
    uploads_path(u->folder, up->hash, up->length, up->sealed, true, up->to);
    begin_job(up, completed);
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
    struct upload *up = end_job(job);
    struct uploads *u = up->all;
    struct err err;
    if (job->error != 0) {
        job_err(job, &err);
        drop(up, &err);
    } else {
        up->made = true;
        u->has_folder = true;
        next(up);
    }
    rest(u);
}

static void make(struct upload *up)
{
    struct job *job = &up->job;
    begin_job(up, made);
    if (!up->all->has_folder) {
        job_mkdir(job, up->folder[0]);
        job_sync_folder(job, up->all->folder);
    }
    job_replace(job, up->path);
    job_submit(up->all->disk, job);
}

/* Invariant (1). */
static void next(struct upload *up)
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
        next(up);
    }
}

/* ---- requests ---- */

bool uploads_expire(struct uploads *u, int64_t now)
{
    bool waits = false;
    for (size_t i = u->count; i-- > 0;) {
        struct upload *up = u->items[i];
        if (!up->busy && !up->claimed && up->first == NULL &&
            now - up->touched_ms > UPLOAD_KEEP_MS)
            drop_file(up);
        else
            waits = waits || !up->claimed;
    }
    return waits;
}

static struct upload *find(struct uploads *u, const uint8_t *id)
{
    for (size_t i = 0; i < u->count; i++)
        if (u->items[i]->has_id && !u->items[i]->claimed &&
            memcmp(u->items[i]->id, id, UPLOAD_ID_SIZE) == 0)
            return u->items[i];
    return NULL;
}

static size_t count_kept(const struct uploads *u)
{
    size_t count = 0;
    for (size_t i = 0; i < u->count; i++)
        count += !u->items[i]->dropping;
    return count;
}

static struct upload *find_or_add(struct uploads *u, const struct put *put,
                                  int64_t now, struct err *err)
{
    struct upload *up = find(u, put->id);
    if (up != NULL || count_kept(u) >= UPLOADS_MAX) {
        if (up == NULL)
            err_set(err, ATE_ELIMIT,
                    "%d bodies are being put or wait for a call; those that "
                    "nobody touches go after an hour",
                    UPLOADS_MAX);
        return up;
    }
    up = add(u, now);
    begin(up, put);
    return up;
}

void uploads_put(struct uploads *u, struct put *put, int64_t now)
{
    struct err err;
    uploads_expire(u, now);
    struct upload *up = find_or_add(u, put, now, &err);
    if (up == NULL) {
        put->code = err.code;
        put->err = err;
        put->done(put);
        return;
    }
    up->touched_ms = now;
    put->next = NULL;
    *up->last = put;
    up->last = &put->next;
    next(up);
}

/* ---- claiming ---- */

bool uploads_wait(const struct uploads *u, const uint8_t hash[HASH_SIZE],
                  uint64_t length, bool sealed)
{
    return find_complete(u, hash, length, sealed) != NULL;
}

void uploads_claim(struct uploads *u, const uint8_t hash[HASH_SIZE],
                   uint64_t index)
{
    for (size_t i = 0; i < u->count; i++) {
        struct upload *up = u->items[i];
        if (!up->complete || up->claimed || up->dropping ||
            memcmp(up->hash, hash, HASH_SIZE) != 0)
            continue;
        up->claimed = true;
        up->index = index;
    }
}

static void moved(struct job *job)
{
    struct upload *up = end_job(job);
    struct uploads *u = up->all;
    if (job->error == 0)
        forget(up); /* else it is read where it is, and moved later */
    rest(u);
}

static void move(struct upload *up)
{
    struct uploads *u = up->all;
    struct job *job = &up->job;
    uploads_path(u->folder, up->hash, up->length, up->sealed, false, up->to);
    begin_job(up, moved);
    job_mkdir(job, up->folder[1]);
    job_sync_folder(job, u->folder);
    job_rename(job, up->path, up->to);
    job_sync_folder(job, up->folder[1]);
    job_sync_folder(job, up->folder[0]);
    job_submit(u->disk, job);
}

void uploads_durable(struct uploads *u, uint64_t size)
{
    for (size_t i = u->count; i-- > 0;) {
        struct upload *up = u->items[i];
        if (up->claimed && !up->busy && up->index < size)
            move(up);
    }
}

/* ---- opening ---- */

static void take_file(struct uploads *u, const char *name, int64_t touched_ms)
{
    struct large large;
    struct upload *up = add(u, touched_ms);
    if (!read_name(up, name)) {
        forget(up); /* not ours: it stays */
        return;
    }
    name_paths(up);
    up->made = true;
    if (!up->complete) {
        up->has_id = true;
        up->stale = up->doubts = true;
        body_hasher_init(&up->hasher, up->sealed);
        return;
    }
    put_path(u->folder, name, up->path);
    up->claimed = state_large(u->state(u->ctx), up->hash, &large);
}

static void end_listing(struct listing *l, int code, const struct err *err)
{
    struct uploads *u = l->all;
    uploads_durable(u, UINT64_MAX);
    l->done(u->ctx, code, err);
    buf_deinit(&l->names);
    mem_free(l);
    rest(u);
}

static const char *next_name(struct listing *l)
{
    const char *name = (const char *)l->names.data + l->at;
    l->at += strlen(name) + 1;
    return name;
}

static void find_ages(struct listing *l);

/* Opening is no reason to keep a file longer. One that says to be of the
 * future, or does not say, is as old as the opening. */
static void found_ages(struct job *job)
{
    struct listing *l = job->owner;
    uint32_t count = job->error != 0 ? job->failed + 1 : job->count;
    l->at = l->known;
    for (uint32_t i = 0; i < count; i++) {
        bool says = job->error == 0 || i < job->failed;
        uint64_t ms = says ? job->op[i].result : UINT64_MAX;
        take_file(l->all, next_name(l),
                  ms < (uint64_t)l->now ? (int64_t)ms : l->now);
    }
    l->known = l->at;
    find_ages(l);
}

/* Of as many files as go into a job. */
static void find_ages(struct listing *l)
{
    if (l->known == l->names.len) {
        end_listing(l, 0, &(struct err){0});
        return;
    }
    job_init(&l->job, 0, found_ages, l);
    for (uint32_t i = 0; i < AGES_AT_ONCE && l->at < l->names.len; i++) {
        int n = snprintf(l->paths[i], sizeof(l->paths[i]), "%s/%s", l->path,
                         next_name(l));
        assert(n > 0 && (size_t)n < sizeof(l->paths[i]));
        job_time(&l->job, l->paths[i]);
    }
    job_submit(l->all->disk, &l->job);
}

static void listed(struct job *job)
{
    struct listing *l = job->owner;
    struct err err = {0};
    l->all->has_folder = job->error == 0;
    if (job->error != 0 && job->error != ENOENT)
        end_listing(l, job_err(job, &err), &err);
    else
        find_ages(l);
}

void uploads_open(struct uploads *u, int64_t now, uploads_opened *done)
{
    struct listing *l = mem_zero(1, sizeof(*l));
    *l = (struct listing){.all = u, .now = now, .done = done};
    log_path(l->path, u->folder, "put");
    u->busy++;
    job_init(&l->job, 0, listed, l);
    job_list(&l->job, l->path, &l->names);
    job_submit(u->disk, &l->job);
}
