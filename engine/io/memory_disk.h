/* memory_disk: a disk in memory, for chains that need not last and for tests.
 *
 * Jobs run when they are reaped, in the order they were submitted. Nothing here
 * fails but what a caller asks wrongly (ENOENT, EEXIST). */
#ifndef ATE_IO_MEMORY_DISK_H
#define ATE_IO_MEMORY_DISK_H

#include "log/job.h"

struct memory_disk;

struct memory_disk *memory_disk_new(void);
void memory_disk_free(struct memory_disk *d); /* NULL is harmless */
const struct disk *memory_disk_interface(struct memory_disk *d);

/* What JOB_TIME goes by, ms; it outlives the disk. Without one every file was
 * written just now. */
void memory_disk_clock(struct memory_disk *d, const int64_t *now_ms);

/* Run the jobs submitted until now and call their done(); returns how many. */
size_t memory_disk_reap(struct memory_disk *d);
/* Until none is left. */
void memory_disk_run(struct memory_disk *d);

/* For tests: a file's bytes, to read or to change in place; NULL: no such file.
 * Valid until the next reap. */
struct buf *memory_disk_file(struct memory_disk *d, const char *path);
/* Make or replace a file, and the folders above it. */
void memory_disk_put(struct memory_disk *d, const char *path,
                     struct bytes bytes);
void memory_disk_remove(struct memory_disk *d, const char *path); /* is there */
/* Of a file that is there. Without, it is 0600. */
void memory_disk_chmod(struct memory_disk *d, const char *path, unsigned mode);
#endif
