/* mount: a door (door.h) behind a mount point of FUSE, with threads of its own:
 * some that take what the kernel asks, one for what the engine answers and for
 * time, one that tells the kernel what to forget, for that may wait for an
 * answer of the others. */
#ifndef FRONTENDS_MOUNT_MOUNT_H
#define FRONTENDS_MOUNT_MOUNT_H

#include <stdint.h>

struct ate;
struct ate_error;
struct mount;

struct mount_options {
    const char *as;       /* the key that signs; NULL: me */
    uint32_t deadline_ms; /* of whatever a program asks; 0: 30 s */
};

/* Mount at the empty folder `dir`, which is made when it is not there, though
 * none above it, and then goes with the mount. `ate` stays the caller's, and
 * open until mount_stop(). When this process dies, another one that was forked
 * here unmounts. Errors: those of place_take(), UNAVAILABLE (FUSE), IO. */
int mount_start(struct mount **out, struct ate *ate, const char *dir,
                const struct mount_options *options, struct ate_error *error);

/* Readable when somebody else unmounted it. Owned by the mount. */
int mount_fd(const struct mount *mount);

/* Answer what is under way, unmount, wait for the threads. NULL is harmless. */
void mount_stop(struct mount *mount);
#endif
