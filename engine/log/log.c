/* Appending to a log, and what its other files share. docs/format.md section
 * 5 has the bytes; opening is in open.c, creation in create.c, reading in
 * read.c.
 *
 * (1) One operation at a time: a group, a mark, a creation, an opening or a
 *     poll. Reads go on beside it.
 * (2) A group is one job for the header file (the watermark of the commit
 *     before, the frames, a sync) and, if it has bodies, one for the body
 *     files (bodies, a sync), both at once. It is durable when both came back
 *     good; only then does `end` move, and only `end` ever gets into a
 *     watermark. So a watermark never speaks of what is not durable, whatever
 *     of the group's own job arrives first.
 * (3) The slot not written last takes the next watermark, and `marked` moves
 *     when its sync succeeded. One of the two slots is durable and whole at
 *     any time.
 * (4) After a sync that failed the kernel may have dropped the pages and call
 *     them clean, so nothing that this log still holds in memory or reads
 *     back proves what is on the disk: the log is FAILED and never writes
 *     again. The same for any failure whose extent is not known.
 * (5) A write that found no space left (ENOSPC, EDQUOT) touched only what lies
 *     above `end`, and no sync of its file followed. The files are cut back
 *     to `end` and synced; if that succeeds nothing of the group remains,
 *     which is what FULL says, and the log goes on. If it does not, (4).
 *
 * A crash leaves: everything below `end`; above it, any part of one group. */
#include "log/log.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/crc32c.h"
#include "base/memory.h"
#include "log/inside.h"

enum { KEEP_BUFFER = 1 << 20 }; /* more than that is given back */

void log_folder(char folder[LOG_PATH_MAX], const uint8_t chain[LOG_CHAIN_SIZE])
{
    int n = snprintf(folder, LOG_PATH_MAX, "%02x/", chain[0]);
    for (int i = 0; i < LOG_CHAIN_SIZE; i++)
        n += snprintf(folder + n, LOG_PATH_MAX - (size_t)n, "%02x", chain[i]);
}

void log_path(char path[LOG_PATH_MAX], const char *folder, const char *name)
{
    int n = snprintf(path, LOG_PATH_MAX, "%s%s%s", folder,
                     folder[0] != '\0' ? "/" : "", name);
    assert(n > 0 && n < LOG_PATH_MAX);
}

void log_file_path(const struct log *log, const char *name,
                   char path[LOG_PATH_MAX])
{
    log_path(path, log->folder, name);
}

void log_segment_path(const struct log *log, uint32_t segment,
                      char path[LOG_PATH_MAX])
{
    char name[32];
    snprintf(name, sizeof(name), "%" PRIu32 ".body", segment);
    log_file_path(log, name, path);
}

void log_set_generation(struct log *log, uint64_t generation)
{
    char name[32];
    snprintf(name, sizeof(name), "%" PRIu64 ".head", generation);
    log_file_path(log, name, log->head_path);
    log->end.generation = generation;
}

void log_start(struct log *log, log_done *done, void *ctx)
{
    assert(done != NULL);
    assert(log_is_idle(log));
    log->done = done;
    log->done_ctx = ctx;
    log->outcome.code = 0;
    log->outcome.rule[0] = '\0';
    log->outcome.reason[0] = '\0';
    log->outcome.at[0] = '\0';
    log->outcome.text[0] = '\0';
}

void log_begin(struct log *log, const struct disk *disk, const char *folder,
               enum log_mode mode, log_done *done, void *ctx)
{
    size_t len = strlen(folder);
    memset(log, 0, sizeof(*log));
    assert(len + sizeof("18446744073709551615.head") + 1 < LOG_PATH_MAX);
    memcpy(log->folder, folder, len + 1);
    log->state = LOG_OPENING;
    log->mode = mode;
    log->disk = disk;
    log->segment_size = LIMIT_BODY_SEGMENT;
    log->room_from = LOG_ROOM_FROM;
    log->head_lane = job_lane(LANE_HEADER, bytes_of(folder, len));
    log->body_lane = job_lane(LANE_BODIES, bytes_of(folder, len));
    log_file_path(log, "cur", log->cur_path);
    log_start(log, done, ctx);
}

void log_finish(struct log *log)
{
    log_done *done = log->done;
    struct err outcome = log->outcome;

    assert(done != NULL);
    assert(log->jobs == 0);
    log->done = NULL;
    done(log->done_ctx, outcome.code, &outcome);
}

bool log_is_idle(const struct log *log)
{
    return log->done == NULL;
}

void log_job_begin(struct log *log, struct job *job, uint64_t lane,
                   void (*done)(struct job *job))
{
    job_init(job, lane, done, log);
}

void log_job_submit(struct log *log, struct job *job)
{
    log->jobs++;
    job_submit(log->disk, job);
}

struct log *log_job_end(struct job *job)
{
    struct log *log = job->owner;
    assert(log->jobs > 0);
    log->jobs--;
    return log;
}

struct log_place log_place_at(const struct log *log, uint64_t number)
{
    assert(number < log->end.frames);
    return number < log->first_count ? log->first_places[number]
                                     : log->places[number - log->first_count];
}

void log_place_push(struct log *log, uint64_t offset, uint64_t index)
{
    assert(log->end.frames >= log->first_count);
    size_t count = log->end.frames - log->first_count;
    log->places = mem_array_grow(log->places, count, &log->places_cap,
                                 sizeof(*log->places));
    log->places[count] = (struct log_place){offset, index};
}

uint64_t log_frame_length(const struct log *log, uint64_t number)
{
    uint64_t after = number + 1 < log->end.frames
                         ? log_place_at(log, number + 1).offset
                         : log->end.offset;
    return after - log_place_at(log, number).offset;
}

bool log_find(const struct log *log, uint64_t index, uint64_t *frame)
{
    uint64_t low = 0;
    uint64_t high = log->end.frames;

    if (index >= log->end.transactions)
        return false;
    /* The last frame whose first index is at most `index`: of several with the
     * same one all but the last fill none. */
    while (high - low > 1) {
        uint64_t middle = low + (high - low) / 2;
        if (log_place_at(log, middle).index <= index)
            low = middle;
        else
            high = middle;
    }
    *frame = low;
    return true;
}

struct log_commit *log_commit_begin(struct log *log)
{
    if (log->commit == NULL)
        log->commit = mem_zero(1, sizeof(*log->commit));
    struct log_commit *c = log->commit;
    buf_clear(&c->head);
    c->next = log->end;
    c->places_count = 0;
    c->bodies = bytes_of(NULL, 0);
    c->has_slot = false;
    c->fatal = false;
    c->room = log->room;
    c->room_op = 0;
    return c;
}

void log_put_slot(struct log *log, struct job *job,
                  const struct watermark *mark)
{
    struct log_commit *c = log->commit;
    c->slot_mark = *mark;
    c->slot_mark.counter = log->marked.counter + 1;
    c->has_slot = true;
    watermark_put(c->slot, &c->slot_mark);
    job_write(job, log->head_path, watermark_place(c->slot_mark.counter),
              bytes_of(c->slot, LOG_SLOT_SIZE));
}

int log_group_check(const struct log *log, const struct log_group *group,
                    struct err *err)
{
    uint64_t bodies = 0;

    assert(group->count > 0);
    if (group->count > LOG_GROUP_FRAMES_MAX ||
        group->bodies.len > LOG_GROUP_BODIES_MAX)
        return err_set(err, ATE_ELIMIT,
                       "%s: %zu frames with %zu bytes of bodies are over the "
                       "limit of one group",
                       log->folder, group->count, group->bodies.len);
    for (size_t i = 0; i < group->count; i++) {
        const struct log_entry *e = &group->entries[i];
        if (e->payload.len > LIMIT_FRAME_PAYLOAD ||
            e->inlined.len > LOG_INLINE_MAX)
            return err_set(err, ATE_ELIMIT,
                           "%s: a frame of %zu and %zu bytes is over the limit",
                           log->folder, e->payload.len, e->inlined.len);
        assert(e->body_len % 8 == 0);
        assert(e->body_len <= log->segment_size);
        bodies += e->body_len;
    }
    assert(bodies == group->bodies.len);
    return 0;
}

/* Where a frame's bodies go: a frame's never cross a segment. */
static void place_bodies(const struct log *log, struct watermark *next,
                         struct log_frame *frame)
{
    if (next->body_offset + frame->body_len > log->segment_size) {
        next->segment++;
        next->body_offset = 0;
    }
    assert(next->segment <= log->end.segment + 1);
    frame->segment = next->segment;
    frame->body_offset = next->body_offset;
    next->body_offset += frame->body_len;
}

void log_put_frames(struct log *log, const struct log_group *group)
{
    struct log_commit *c = log->commit;
    const uint8_t *bodies = group->bodies.data;
    uint64_t start = c->next.offset;

    c->bodies = group->bodies;
    for (size_t i = 0; i < group->count; i++) {
        const struct log_entry *e = &group->entries[i];
        struct log_frame frame = {.type = e->type,
                                  .sequence = c->next.frames,
                                  .index = c->next.transactions,
                                  .count = e->count,
                                  .body_len = e->body_len,
                                  .payload = e->payload,
                                  .inlined = e->inlined};
        memcpy(frame.before, c->next.hash, LOG_HASH_SIZE);
        if (e->body_len > 0) {
            frame.body_crc = crc32c(0, bodies, e->body_len);
            bodies += e->body_len;
            place_bodies(log, &c->next, &frame);
        }
        c->places = mem_array_grow(c->places, c->places_count, &c->places_cap,
                                   sizeof(*c->places));
        c->places[c->places_count++] =
            (struct log_place){c->next.offset, frame.index};
        log_frame_put(&c->head, &frame);
        c->next.frames++;
        c->next.transactions += e->count;
        memcpy(c->next.hash, frame.hash, LOG_HASH_SIZE);
        c->next.offset = start + c->head.len;
    }
}

static void give_back_memory(struct log_commit *c)
{
    if (c->head.cap > KEEP_BUFFER)
        buf_deinit(&c->head);
}

void log_adopt(struct log *log)
{
    struct log_commit *c = log->commit;

    for (size_t i = 0; i < c->places_count; i++) {
        log_place_push(log, c->places[i].offset, c->places[i].index);
        log->end.frames++;
    }
    log->end = c->next;
    log->room = c->room > c->next.offset ? c->room : c->next.offset;
    if (!c->has_slot)
        return;
    log->marked = c->slot_mark;
    log->bad_slot.code = 0; /* it went where that was */
}

/* Invariant (4). */
static void fail(struct log *log)
{
    log->state = LOG_FAILED;
    log->outcome.code = ATE_EIO;
    err_wrap(&log->outcome, "the log writes nothing more until it is opened "
                            "again");
    log->cause = log->outcome;
}

static bool no_space(const struct job *job)
{
    enum job_kind kind = job->op[job->failed].kind;
    return (job->error == ENOSPC || job->error == EDQUOT) &&
           (kind == JOB_WRITE || kind == JOB_REPLACE);
}

/* Keep the failure to report: the first, but rather one that is fatal. */
static void note_failure(struct log *log, const struct job *job)
{
    bool fatal = !no_space(job);

    if (log->outcome.code == 0 || (fatal && !log->commit->fatal))
        job_err(job, &log->outcome);
    log->commit->fatal |= fatal;
}

static void part_done(struct job *job);

static void undo_done(struct job *job)
{
    struct log *log = log_job_end(job);
    if (job->error != 0) {
        job_err(job, &log->outcome);
        err_wrap(&log->outcome, "no space was left, and taking back failed");
        fail(log);
    }
    log->room = log->end.offset;
    log_finish(log);
}

/* Invariant (5). */
static void undo(struct log *log)
{
    struct job *job = &log->head_job;

    log_job_begin(log, job, log->head_lane, undo_done);
    job_truncate(job, log->head_path, log->end.offset);
    job_sync(job, log->head_path);
    if (log->commit->bodies.len > 0) {
        log_segment_path(log, log->end.segment, log->body_path[0]);
        job_truncate(job, log->body_path[0], log->end.body_offset);
        job_sync(job, log->body_path[0]);
    }
    log_job_submit(log, job);
}

/* Invariant (3) of room.c: all that is missing is the sync. */
static void go_without_room(struct log *log)
{
    struct log_commit *c = log->commit;
    struct job *job = &log->head_job;

    log->is_cramped = true;
    c->room = c->next.offset;
    log_job_begin(log, job, log->head_lane, part_done);
    job_sync(job, log->head_path);
    log_job_submit(log, job);
}

static void part_done(struct job *job)
{
    struct log *log = log_job_end(job);
    uint32_t room_op = log->commit->room_op;

    if (job->error != 0 && job == &log->head_job && room_op > 0 &&
        job->failed == room_op && no_space(job))
        return go_without_room(log);
    if (job->error != 0)
        note_failure(log, job);
    if (log->jobs > 0)
        return;
    if (log->outcome.code == 0)
        log_adopt(log);
    else if (log->commit->fatal)
        fail(log);
    else
        return undo(log);
    give_back_memory(log->commit);
    log_finish(log);
}

/* The bodies of the commit, in the current segment and perhaps the next. */
static void submit_bodies(struct log *log)
{
    const struct log_commit *c = log->commit;
    struct job *job = &log->body_job;
    uint64_t next_len =
        c->next.segment > log->end.segment ? c->next.body_offset : 0;
    uint64_t here_len = c->bodies.len - next_len;

    log_job_begin(log, job, log->body_lane, part_done);
    if (here_len > 0) {
        log_segment_path(log, log->end.segment, log->body_path[0]);
        job_write(job, log->body_path[0], log->end.body_offset,
                  bytes_of(c->bodies.data, here_len));
        job_sync(job, log->body_path[0]);
    }
    if (next_len > 0) {
        log_segment_path(log, c->next.segment, log->body_path[1]);
        job_replace(job, log->body_path[1]);
        job_write(job, log->body_path[1], 0,
                  bytes_of(c->bodies.data + here_len, next_len));
        job_sync(job, log->body_path[1]);
        job_sync_folder(job, log->folder);
    }
    log_job_submit(log, job);
}

static int check_writable(const struct log *log, struct err *err)
{
    if (log->state == LOG_READY && log->mode == LOG_READ_WRITE)
        return 0;
    if (log->state == LOG_REFUSED || log->state == LOG_FAILED)
        return err_set(err, ATE_EUNAVAILABLE, "%s: read-only since: %s",
                       log->folder, log->cause.text);
    return err_set(err, ATE_EUNAVAILABLE, "%s: not open for writing",
                   log->folder);
}

int log_append(struct log *log, const struct log_group *group, log_done *done,
               void *ctx, struct err *err)
{
    int rc = check_writable(log, err);
    if (rc == 0)
        rc = log_group_check(log, group, err);
    if (rc != 0)
        return rc;
    log_start(log, done, ctx);
    struct log_commit *c = log_commit_begin(log);
    struct job *job = &log->head_job;
    log_job_begin(log, job, log->head_lane, part_done);
    if (log->marked.offset != log->end.offset)
        log_put_slot(log, job, &log->end);
    log_put_frames(log, group);
    size_t room = log_make_room(log);
    size_t len = c->head.len - room;
    job_write(job, log->head_path, log->end.offset,
              bytes_of(c->head.data, len));
    c->room_op = room > 0 ? job->count : 0;
    if (room > 0)
        job_write(job, log->head_path, c->next.offset,
                  bytes_of(c->head.data + len, room));
    job_sync(job, log->head_path);
    if (c->bodies.len > 0)
        submit_bodies(log);
    log_job_submit(log, job);
    return 0;
}

static void mark_done(struct job *job)
{
    struct log *log = log_job_end(job);

    if (job->error == 0)
        log_adopt(log);
    else
        note_failure(log, job);
    if (log->commit->fatal)
        fail(log);
    log_finish(log);
}

int log_mark(struct log *log, log_done *done, void *ctx, struct err *err)
{
    int rc = check_writable(log, err);
    if (rc != 0)
        return rc;
    if (log->marked.offset == log->end.offset)
        return 1;
    log_start(log, done, ctx);
    log_commit_begin(log);
    log_job_begin(log, &log->head_job, log->head_lane, mark_done);
    log_put_slot(log, &log->head_job, &log->end);
    job_sync(&log->head_job, log->head_path);
    log_job_submit(log, &log->head_job);
    return 0;
}

void log_reset(struct log *log)
{
    if (log->commit != NULL) {
        buf_deinit(&log->commit->head);
        mem_free(log->commit->places);
        mem_free(log->commit);
    }
    log->commit = NULL;
    mem_free(log->places);
    log->places = NULL;
    log->places_cap = 0;
    log->first_places = NULL;
    log->first_count = 0;
    memset(&log->end, 0, sizeof(log->end));
    memset(&log->marked, 0, sizeof(log->marked));
    log->room = 0;
    log->state = LOG_CLOSED;
}

void log_close(struct log *log)
{
    assert(log_is_idle(log));
    assert(log->jobs == 0 && log->reads == 0);
    assert(log->opening == NULL);
    log_reset(log);
}
