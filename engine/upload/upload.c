/* (1) Jobs on the file of a complete upload run in one lane, so that what drops
 *     it never hits another that took its name.
 * (2) The hasher is the task's while one is under way. */
#include "upload/upload.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "base/memory.h"

/* ---- the list ---- */

struct upload *upload_add(struct uploads *u, int64_t now)
{
    struct upload *up = mem_zero(1, sizeof(*up));
    up->all = u;
    up->last = &up->first;
    up->touched_ms = now;
    u->items = mem_array_grow(u->items, u->count, &u->cap, sizeof(*u->items));
    u->items[u->count++] = up;
    return up;
}

void upload_free(struct upload *up)
{
    body_hasher_deinit(&up->hasher);
    buf_deinit(&up->reread);
    mem_free(up);
}

void upload_forget(struct upload *up)
{
    struct uploads *u = up->all;
    size_t i = 0;
    while (u->items[i] != up)
        i++;
    u->items[i] = u->items[--u->count];
    upload_free(up);
}

struct upload *upload_find(const struct uploads *u, const uint8_t *id)
{
    for (size_t i = 0; i < u->count; i++)
        if (u->items[i]->has_id && !u->items[i]->claimed &&
            memcmp(u->items[i]->id, id, UPLOAD_ID_SIZE) == 0)
            return u->items[i];
    return NULL;
}

struct upload *upload_find_complete(const struct uploads *u,
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

uint64_t upload_held_besides(const struct upload *up)
{
    const struct uploads *u = up->all;
    uint64_t held = 0;
    for (size_t i = 0; i < u->count; i++)
        if (u->items[i] != up && !u->items[i]->claimed)
            held += u->items[i]->length;
    return held;
}

size_t upload_count_kept(const struct uploads *u)
{
    size_t count = 0;
    for (size_t i = 0; i < u->count; i++)
        count += !u->items[i]->dropping;
    return count;
}

void upload_name_paths(struct upload *up)
{
    struct uploads *u = up->all;
    upload_id_path(u->folder, up->id, up->sealed, up->path);
    log_path(up->folder[0], u->folder, "put");
    log_path(up->folder[1], u->folder, "large");
}

/* ---- jobs and tasks ---- */

/* Invariant (1). */
static uint64_t lane_of(const struct upload *up)
{
    return up->ended || up->complete
               ? job_lane(LANE_UPLOAD, bytes_of(up->hash, HASH_SIZE))
               : 0;
}

void upload_job_begin(struct upload *up, void (*done)(struct job *job))
{
    up->busy = true;
    up->all->busy++;
    job_init(&up->job, lane_of(up), done, up);
}

struct upload *upload_job_end(struct job *job)
{
    struct upload *up = job->owner;
    up->busy = false;
    return up;
}

void upload_rest(struct uploads *u)
{
    if (--u->busy == 0)
        u->rested(u->ctx);
}

static void hash_work(struct task *task)
{
    struct upload *up =
        (struct upload *)((char *)task - offsetof(struct upload, task));
    body_hasher_put(&up->hasher, up->hashing);
}

void upload_hash(struct upload *up, struct bytes bytes,
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

struct upload *upload_hash_end(struct task *task)
{
    struct upload *up =
        (struct upload *)((char *)task - offsetof(struct upload, task));
    up->busy = false;
    up->length += up->hashing.len;
    return up;
}
