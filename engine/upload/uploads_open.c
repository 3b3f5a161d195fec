/* What is in put/ when the folder is opened.
 *
 * (1) Each file that is one of ours becomes an upload, any other stays as it
 *     is.
 * (2) Opening is no reason to keep a file longer: each is as old as its file.
 *     One that says to be of the future, or does not say, is as old as the
 *     opening.
 * (3) One that was not complete may have lost bytes that were answered for: it
 *     is read again, and its end has to name the hash.
 * (4) A complete one that the state has was claimed before, and moves. */
#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "upload/upload.h"

enum { AGES_AT_ONCE = 16 };

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

static void take_file(struct uploads *u, const char *name, int64_t touched_ms)
{
    struct large large;
    struct upload_name said;
    if (!upload_name_get(&said, name))
        return; /* not ours: it stays */
    struct upload *up = upload_add(u, touched_ms);
    memcpy(up->id, said.id, UPLOAD_ID_SIZE);
    memcpy(up->hash, said.hash, HASH_SIZE);
    up->sealed = said.sealed;
    up->complete = said.complete;
    up->length = said.length;
    upload_name_paths(up);
    up->made = true;
    if (!up->complete) {
        up->has_id = true;
        up->stale = up->doubts = true;
        body_hasher_init(&up->hasher, up->sealed);
        return;
    }
    upload_put_path(u->folder, name, up->path);
    up->claimed = state_large(u->state(u->ctx), up->hash, &large);
}

static void end_listing(struct listing *l, int code, const struct err *err)
{
    struct uploads *u = l->all;
    uploads_durable(u, UINT64_MAX);
    l->done(u->ctx, code, err);
    buf_deinit(&l->names);
    mem_free(l);
    upload_rest(u);
}

static const char *next_name(struct listing *l)
{
    const char *name = (const char *)l->names.data + l->at;
    l->at += strlen(name) + 1;
    return name;
}

static void find_ages(struct listing *l);

/* Invariant (2). */
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
