/* device: threads that take asks from the kernel, one at a time each.
 *
 * There are several, though one of them works at a time: the kernel gives an
 * ask to one that waits, and where that is on the processor of who asks, none
 * has to be woken from its sleep, which takes longer than most asks do. */
#ifndef FRONTENDS_MOUNT_DEVICE_H
#define FRONTENDS_MOUNT_DEVICE_H

struct device;
struct fuse_buf;
struct fuse_session;

/* `ask` is the thread's, until this returns. */
typedef void device_take(void *owner, const struct fuse_buf *ask);

/* `take` is called on each of the threads; `owner` and the session outlive
 * them. NULL: there are no more threads or files. */
struct device *device_start(struct fuse_session *session, device_take *take,
                            void *owner);

/* Readable when the session has ended: somebody unmounted. The device's. */
int device_fd(const struct device *device);

/* Wait for what is being taken, and end. NULL is harmless. */
void device_stop(struct device *device);
#endif
