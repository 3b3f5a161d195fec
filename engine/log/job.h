/* job: a short list of file operations that a log thread performs in order.
 *
 * This is the whole of what the core asks of a disk. It fills in a job, hands
 * it to `disk->submit` and owns it again when `job->done(job)` is called: on
 * the core's own thread, later, never from within submit. In between the job
 * and all that it points to belong to the disk and stay where they are.
 *
 * The operations run in order; the first that fails ends the job and tells its
 * number and errno. Jobs of one lane run one after the other in the order they
 * were submitted; those of different lanes, and all of lane 0, run in any order
 * and at the same time.
 *
 * JOB_MAP gives a file's bytes without reading them: they come when they are
 * touched, and stay whatever happens to the name, until `disk->unmap`. The file
 * must not become shorter meanwhile.
 *
 * Paths are relative to the data folder, "" is the folder itself, and none
 * leads outside. Only JOB_CREATE and JOB_REPLACE make a file. A write is
 * durable when a JOB_SYNC of the same file later in the same job succeeded; a
 * name made, changed or removed is durable after JOB_SYNC_FOLDER of the folder
 * that holds it. */
#ifndef ATE_LOG_JOB_H
#define ATE_LOG_JOB_H

#include "base/bytes.h"

enum job_kind {
    JOB_MKDIR = 1,   /* path and the folders above; may be there already */
    JOB_CREATE,      /* an empty file; EEXIST when it is there */
    JOB_REPLACE,     /* an empty file, instead of one that may be there */
    JOB_READ,        /* append up to `length` bytes to `bytes` */
    JOB_WRITE,       /* `data` at `offset`, all of it */
    JOB_TRUNCATE,    /* to `offset` bytes */
    JOB_SYNC,        /* the file's bytes and size (fdatasync) */
    JOB_SYNC_FOLDER, /* the names in a folder */
    JOB_RENAME,      /* path to `to`, which is replaced */
    JOB_UNLINK,      /* the name; the file goes with its last user */
    JOB_RMDIR,       /* a folder; ENOTEMPTY when something is in it */
    JOB_SIZE,        /* result: the file's size */
    JOB_LIST,        /* append each name in it, sorted, a zero behind it */
    JOB_MAP,         /* `*mapped`: all of the file; empty when it is */
    JOB_MODE,        /* result: who may do what with the file, as chmod has it
                      */
    JOB_TIME,        /* result: when its bytes were written last */
};

struct job_op {
    enum job_kind kind;
    const char *path;     /* borrowed, as all pointers here, until done */
    const char *to;       /* RENAME */
    uint64_t offset;      /* READ, WRITE, TRUNCATE */
    uint64_t length;      /* READ */
    struct bytes data;    /* WRITE */
    struct buf *bytes;    /* READ, LIST; the submitter's */
    struct bytes *mapped; /* MAP; set when it succeeded */
    uint64_t result; /* READ: bytes got, less than length only at the file's
                        end; SIZE: size; MODE: mode; TIME: ms since 1970 */
};

enum { JOB_OPS_MAX = 24 };

struct job {
    struct job_op op[JOB_OPS_MAX];
    uint32_t count;
    uint64_t lane;
    void (*done)(struct job *job);
    void *owner; /* the submitter's */

    int error;       /* 0, or the errno of the operation that failed, */
    uint32_t failed; /* and its number: those before it were done */

    struct job *next; /* the disk's while it has the job */
};

/* A disk, as one of the drivers offers it: engine/io/disk.h (real files),
 * engine/io/memory_disk.h, tests/sim/sim_disk.h (faults). */
struct disk {
    void *ctx;
    void (*submit)(void *ctx, struct job *job);
    void (*unmap)(void *ctx, struct bytes mapped); /* at once */
};

/* All that have a lane of their own. */
enum job_lane {
    LANE_HEADER = 1, /* a chain's header file, */
    LANE_BODIES,     /* its body files, */
    LANE_TILES,      /* its tiles, each by the chain's folder */
    LANE_UPLOAD,     /* a complete upload, by its hash */
    LANE_KEYS,       /* the node's keys, by their folder, */
    LANE_NAMES,      /* and the file of its names */
};

/* The number of the lane of what `name` names, never 0. Two names may have one,
 * rarely: their jobs wait for each other then, and no more. */
uint64_t job_lane(enum job_lane which, struct bytes name);

/* Make an empty job. */
void job_init(struct job *job, uint64_t lane, void (*done)(struct job *job),
              void *owner);

/* Append one operation. */
void job_mkdir(struct job *job, const char *path);
void job_create(struct job *job, const char *path);
void job_replace(struct job *job, const char *path);
void job_read(struct job *job, const char *path, uint64_t offset,
              uint64_t length, struct buf *bytes);
void job_write(struct job *job, const char *path, uint64_t offset,
               struct bytes data);
void job_truncate(struct job *job, const char *path, uint64_t size);
void job_sync(struct job *job, const char *path);
void job_sync_folder(struct job *job, const char *path);
void job_rename(struct job *job, const char *path, const char *to);
void job_unlink(struct job *job, const char *path);
void job_rmdir(struct job *job, const char *path);
void job_size(struct job *job, const char *path);
void job_mode(struct job *job, const char *path);
void job_time(struct job *job, const char *path);
void job_list(struct job *job, const char *path, struct buf *names);
void job_map(struct job *job, const char *path, struct bytes *mapped);

void job_submit(const struct disk *disk, struct job *job);

struct err;
/* Fill `err` from a job that failed: "write of 1.head at 8192: No space left on
 * device". Returns the code (see err_errno()). */
int job_err(const struct job *job, struct err *err);
#endif
