/* disk: real files below one data folder, worked on by log threads.
 *
 * Threads are started when jobs wait and none is free, up to a limit. Jobs of
 * one lane run one at a time, in order. Finished jobs wait in a list; `wake` is
 * called from a log thread when the list stops being empty, and the owner then
 * calls disk_reap() on its own thread, which calls job->done(). */
#ifndef ATE_IO_DISK_H
#define ATE_IO_DISK_H

#include "log/job.h"

struct err;
struct real_disk;

enum { DISK_THREADS = 32, DISK_FILES = 1024 };

struct disk_options {
    bool write;  /* take the lock; else nothing is ever changed */
    bool create; /* make the folder when it is not there; needs write */
    uint32_t threads_max;    /* 0: DISK_THREADS */
    uint32_t files_max;      /* descriptors kept open; 0: DISK_FILES */
    void (*wake)(void *ctx); /* from a log thread; NULL: the owner asks */
    void *wake_ctx;
};

/* Open the data folder at `path`; with `write` its lock, DATA/lock, is held
 * until disk_close(). Errors: NOT_FOUND, DENIED, UNAVAILABLE (another process
 * has it; the text has its pid), IO, FULL. */
int disk_open(struct real_disk **out, const char *path,
              const struct disk_options *options, struct err *err);

/* What the core submits jobs to; lives as long as the disk. */
const struct disk *disk_interface(struct real_disk *d);

/* Call done() of every job that is finished; returns how many. */
size_t disk_reap(struct real_disk *d);

/* Wait until a job is finished or none is under way, then reap. Returns how
 * many. */
size_t disk_wait(struct real_disk *d);

/* Waits for jobs under way without reaping them, ends the threads, gives the
 * lock back. NULL is harmless. */
void disk_close(struct real_disk *d);
#endif
