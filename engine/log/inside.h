/* What the files of this folder share about a log, and nobody else sees. */
#ifndef ATE_LOG_INSIDE_H
#define ATE_LOG_INSIDE_H

#include "log/log.h"

/* What is being written: a group, a new chain or a watermark. Made at the first
 * write, kept for the next. */
struct log_commit {
    struct buf head;       /* what goes to the header file */
    struct watermark next; /* where the log ends when it is durable */
    struct log_place *places;
    size_t places_count;
    size_t places_cap;
    struct bytes bodies;
    uint8_t slot[LOG_SLOT_SIZE];
    struct watermark slot_mark; /* what `slot` says */
    bool has_slot;
    bool fatal;       /* a job failed in a way that is never retried */
    uint64_t room;    /* what log->room becomes */
    uint32_t room_op; /* of the job, that makes it; 0: none does */
};

/* Make `log` one that does an operation in `folder`. */
void log_begin(struct log *log, const struct disk *disk, const char *folder,
               enum log_mode mode, log_done *done, void *ctx);

/* Start an operation of an open log. */
void log_start(struct log *log, log_done *done, void *ctx);

/* The operation is over with log->outcome. The log may be gone afterwards. */
void log_finish(struct log *log);

/* Close, but let the operation under way finish with its outcome. */
void log_reset(struct log *log);

void log_set_generation(struct log *log, uint64_t generation);
void log_segment_path(const struct log *log, uint32_t segment,
                      char path[LOG_PATH_MAX]);
void log_file_path(const struct log *log, const char *name,
                   char path[LOG_PATH_MAX]);

/* Begin a job of this log that counts as under way; its done calls
 * log_job_end() first. */
void log_job_begin(struct log *log, struct job *job, uint64_t lane,
                   void (*done)(struct job *job));
void log_job_submit(struct log *log, struct job *job);
struct log *log_job_end(struct job *job);

/* The commit of this log, empty. */
struct log_commit *log_commit_begin(struct log *log);

/* Append an operation to `job` that writes a watermark saying `mark`, into the
 * slot that was not written last. It counts once its sync succeeded: until then
 * the next one goes to the same slot. */
void log_put_slot(struct log *log, struct job *job,
                  const struct watermark *mark);

/* Lay out the group's frames behind log->end in the commit. `bodies` of at most
 * two segments. */
void log_put_frames(struct log *log, const struct log_group *group);

/* Zeros that are to be written behind the frames of the commit, in its `head`,
 * too; how many. */
size_t log_make_room(struct log *log);

/* Everything of the commit is durable. */
void log_adopt(struct log *log);

int log_group_check(const struct log *log, const struct log_group *group,
                    struct err *err);

/* Remember where the next frame is. */
void log_place_push(struct log *log, uint64_t offset, uint64_t index);

/* The bytes of frame `number` in the header file. */
uint64_t log_frame_length(const struct log *log, uint64_t number);
#endif
