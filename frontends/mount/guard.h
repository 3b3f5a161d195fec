/* guard: a process that unmounts when this one dies without having done so. */
#ifndef FRONTENDS_MOUNT_GUARD_H
#define FRONTENDS_MOUNT_GUARD_H

struct guard;

/* Fork it; NULL when that fails. */
struct guard *guard_start(const char *dir);

/* All is well: it ends, and is waited for. NULL is harmless. */
void guard_stop(struct guard *guard);

/* Unmount a mount whose process is gone, even where files are open in it. */
void guard_unmount(const char *dir);
#endif
