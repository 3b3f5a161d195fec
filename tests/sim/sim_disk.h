/* sim_disk: a disk in memory that forgets what was not synced.
 *
 * One action is one operation of a job. Jobs of different lanes take turns as
 * the seed decides. What a write changed lives in a cache until its file is
 * synced; names live there until their folder is. When the power goes, each
 * 512-byte sector of the cache, each size and each change of a name is kept or
 * lost by itself. A rename from folder to folder is one change, durable with
 * either of them, as journals have it. A failed sync leaves its sectors looking
 * clean, on the disk or not. */
#ifndef ATE_SIM_DISK_H
#define ATE_SIM_DISK_H

#include "log/job.h"

struct sim_disk;

enum sim_loss {
    SIM_KEEP_NONE, /* of what was not synced */
    SIM_KEEP_ALL,
    SIM_KEEP_SOME,    /* by the seed, each sector, size and name by itself */
    SIM_KEEP_GARBAGE, /* the same; new sectors that were lost hold garbage */
    SIM_KEEP_FILES,   /* by the seed, whole files */
    SIM_KEEP_CACHE,   /* not the power went, but the process was killed */
    SIM_LOSSES,
};

enum sim_fault_kind {
    SIM_NO_FAULT,
    SIM_ERROR,       /* the operation fails, nothing done */
    SIM_SHORT_WRITE, /* the first half is written, then it fails */
    SIM_LOSES_SYNC,  /* a sync fails; its sectors are kept or lost, and clean */
    SIM_LYING_SYNC,  /* the same, but it says all is well */
};

struct sim_fault {
    enum sim_fault_kind kind;
    uint64_t action; /* the first that fails */
    bool for_ever;   /* this and all of its kind after it, else this one */
    int error;       /* errno */
};

/* Each way in which an action can fail, to be tried in turn; by name. */
enum { SIM_FAULTS = 8 };
struct sim_named_fault {
    struct sim_fault fault;
    const char *text;
};
extern const struct sim_named_fault sim_faults[SIM_FAULTS];

struct sim_disk *sim_disk_new(uint64_t seed);
void sim_disk_free(struct sim_disk *d); /* jobs under way are forgotten */
const struct disk *sim_disk_interface(struct sim_disk *d);

/* Files and names, durable and not; no jobs, faults or hooks. */
struct sim_disk *sim_disk_copy(const struct sim_disk *d, uint64_t seed);

/* One action of one job; false when there is none. */
bool sim_disk_step(struct sim_disk *d);
void sim_disk_run(struct sim_disk *d);
uint64_t sim_disk_actions(const struct sim_disk *d); /* done so far */

/* Called before each action; may change the operation, or skip it (then true is
 * returned, and it counts as done and successful). */
typedef bool sim_hook(void *ctx, struct job_op *op);
void sim_disk_hook(struct sim_disk *d, sim_hook *hook, void *ctx);

void sim_disk_fault(struct sim_disk *d, const struct sim_fault *fault);
uint64_t sim_disk_faults(const struct sim_disk *d); /* that happened */

/* Every action from now on fails: what jobs are under way end so. */
void sim_disk_die(struct sim_disk *d);
/* The disk after the power came back: works again, without jobs. */
void sim_disk_revive(struct sim_disk *d, enum sim_loss loss, uint64_t seed);

/* A file as a process sees it, to read or to change behind its back; NULL:
 * none. */
struct buf *sim_disk_file(struct sim_disk *d, const char *path);
/* All names, sorted: for texts and comparisons. */
void sim_disk_names(const struct sim_disk *d, struct buf *out);
#endif
