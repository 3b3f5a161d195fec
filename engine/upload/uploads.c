/* All large bodies of a chain that are not in large/ yet: which request goes to
 * which, how many may be, how long they stay, and how they move.
 *
 * (1) There are UPLOADS_MAX at the most, besides those whose file is being
 *     dropped. Who begins one more is told so; what is there is kept.
 * (2) What is claimed is not dropped, and moves when its transaction is
 *     durable. A move that fails is tried again with the next group: until then
 *     the body is read where it was put. */
#include "upload/uploads.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "base/memory.h"
#include "upload/putting.h"
#include "upload/upload.h"

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

void uploads_deinit(struct uploads *u)
{
    assert(uploads_at_rest(u));
    for (size_t i = 0; i < u->count; i++)
        upload_free(u->items[i]);
    mem_free(u->items);
    u->items = NULL;
    u->count = u->cap = 0;
}

bool uploads_at_rest(const struct uploads *u)
{
    return u->busy == 0;
}

/* ---- requests ---- */

bool uploads_expire(struct uploads *u, int64_t now)
{
    bool waits = false;
    for (size_t i = u->count; i-- > 0;) {
        struct upload *up = u->items[i];
        if (!up->busy && !up->claimed && up->first == NULL &&
            now - up->touched_ms > UPLOAD_KEEP_MS)
            putting_drop(up);
        else
            waits = waits || !up->claimed;
    }
    return waits;
}

static struct upload *find_or_add(struct uploads *u, const struct put *put,
                                  int64_t now, struct err *err)
{
    struct upload *up = upload_find(u, put->id);
    if (up != NULL)
        return up;
    if (upload_count_kept(u) >= UPLOADS_MAX) {
        err_set(err, ATE_ELIMIT,
                "%d bodies are being put or wait for a call; those that nobody "
                "touches go after an hour",
                UPLOADS_MAX);
        return NULL;
    }
    up = upload_add(u, now);
    putting_begin(up, put);
    return up;
}

void uploads_put(struct uploads *u, struct put *put, int64_t now)
{
    struct err err = {0};
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
    putting_next(up);
}

/* ---- claiming ---- */

bool uploads_wait(const struct uploads *u, const uint8_t hash[HASH_SIZE],
                  uint64_t length, bool sealed)
{
    return upload_find_complete(u, hash, length, sealed) != NULL;
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
    struct upload *up = upload_job_end(job);
    struct uploads *u = up->all;
    if (job->error == 0)
        upload_forget(up); /* else it is read where it is, and moved later */
    upload_rest(u);
}

static void move(struct upload *up)
{
    struct uploads *u = up->all;
    struct job *job = &up->job;
    upload_path(u->folder, up->hash, up->length, up->sealed, false, up->to);
    upload_job_begin(up, moved);
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
