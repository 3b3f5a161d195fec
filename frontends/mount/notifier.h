/* notifier: threads that tell the kernel what to forget. Each of these may be
 * called from any thread. */
#ifndef FRONTENDS_MOUNT_NOTIFIER_H
#define FRONTENDS_MOUNT_NOTIFIER_H

#include <stdbool.h>
#include <stdint.h>

struct fuse_session;
struct notifier;

struct notifier *notifier_new(struct fuse_session *session); /* or NULL */
void notifier_entry(struct notifier *notifier, uint64_t folder,
                    const char *name);
void notifier_data(struct notifier *notifier, uint64_t ino);
void notifier_attr(struct notifier *notifier, uint64_t ino); /* and no data */

/* A number for all until now, but for names in two folders, which who waits for
 * it holds; 0: nothing is left of it, or who holds another folder waits for
 * these two. */
uint64_t notifier_flush(struct notifier *notifier, uint64_t folder,
                        uint64_t other);

/* Readable when such numbers were reached; one after another, then 0. */
int notifier_fd(const struct notifier *notifier);
uint64_t notifier_flushed(struct notifier *notifier);

/* Drop what waits, and end after what is under way. */
void notifier_stop(struct notifier *notifier);
bool notifier_has_stopped(struct notifier *notifier);
void notifier_free(struct notifier *notifier); /* waits; NULL is harmless */
#endif
