/* kernel: what the kernel asks of a mount, as asks of a door, and the door's
 * answers to it. No thread and no loop: whoever calls has the door's lock. */
#ifndef FRONTENDS_MOUNT_KERNEL_H
#define FRONTENDS_MOUNT_KERNEL_H

#include <stdint.h>
#include <sys/types.h>

struct door;
struct fuse_lowlevel_ops;
struct request;
struct told;

struct kernel {
    struct door *door; /* NULL: it is closed, and all are told so */
    uid_t uid;         /* that everything here belongs to */
    gid_t gid;
    struct request *current; /* asked, and not told yet */
};

/* For a session of libfuse whose user data is a struct kernel. */
extern const struct fuse_lowlevel_ops kernel_operations;

/* The door's answer to what was asked with this token. */
void kernel_tell(struct kernel *k, void *token, const struct told *told);

int64_t wall_ms(void); /* the clock that files have */
#endif
