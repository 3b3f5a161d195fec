/* files: the real files below one data folder, and the jobs done on them.
 *
 * Descriptors stay open between jobs, up to a limit; the one least recently
 * used goes first. Jobs may be run by any threads at the same time. */
#ifndef ATE_IO_FILES_H
#define ATE_IO_FILES_H

#include "log/job.h"

struct err;
struct files;

/* Open the folder; `write` takes its lock, `create` makes it, and what is above
 * it, when it is not there. Errors: as disk_open(). */
int files_open(struct files **out, const char *path, bool write, bool create,
               uint32_t open_max, struct err *err);

/* No job may be running. Gives the lock back. NULL is harmless. */
void files_close(struct files *files);

/* Do all of the job, on this thread; sets what the disk sets in it, and does
 * not call its `done`. */
void files_run(struct files *files, struct job *job);
/* Of what a JOB_MAP gave. */
void files_unmap(struct bytes mapped);
#endif
