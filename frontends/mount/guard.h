/* guard: a process that unmounts when this one dies without having done so. */
#ifndef FRONTENDS_MOUNT_GUARD_H
#define FRONTENDS_MOUNT_GUARD_H

struct guard;

/* Fork it; NULL when that fails. */
struct guard *guard_start(const char *dir);

/* Becomes ready, in whatever way, when the process has ended; -1: there is
 * none. */
int guard_fd(const struct guard *guard);

/* It has ended, killed by somebody: fork another. Where that fails there is
 * none from then on. */
void guard_renew(struct guard *guard);

/* All is well: it ends, and is waited for. NULL is harmless. */
void guard_stop(struct guard *guard);

/* Unmount a mount whose process is gone, even where files are open in it. */
void guard_unmount(const char *dir);
#endif
