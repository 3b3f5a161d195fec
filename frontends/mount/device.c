/* A thread can be canceled while it waits for the kernel, and nowhere else. */
#define FUSE_USE_VERSION 314
#include "mount/device.h"

#include <errno.h>
#include <fuse_lowlevel.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/buffer.h"

enum { DEVICE_THREADS = 3 };

struct device {
    struct fuse_session *session;
    device_take *take;
    void *owner;
    int ended_fd;
    size_t count;
    pthread_t threads[DEVICE_THREADS];
};

/* Canceling unwinds it: a variable whose address is known would stay marked on
 * the stack, and the address sanitizer would find what comes there. */
static int receive(struct fuse_session *session, struct fuse_buf *ask)
{
    pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
    int got = fuse_session_receive_buf(session, ask);
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
    return got;
}

static void buf_free(void *memory)
{
    struct fuse_buf *ask = memory;
    free(ask->mem);
}

static void *run(void *memory)
{
    struct device *d = memory;
    struct fuse_buf ask = {0};
    uint64_t one = 1;
    int got = 0;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
    pthread_cleanup_push(buf_free, &ask);
    while (!fuse_session_exited(d->session)) {
        got = receive(d->session, &ask);
        if (got > 0)
            d->take(d->owner, &ask);
        else if (got != -EINTR && got != -EAGAIN)
            break;
    }
    pthread_cleanup_pop(1);
    if (write(d->ended_fd, &one, sizeof(one)) < 0)
        return NULL; /* another one has said it */
    return NULL;
}

struct device *device_start(struct fuse_session *session, device_take *take,
                            void *owner)
{
    struct device *d = memory_new(sizeof(*d));
    *d = (struct device){
        .session = session,
        .take = take,
        .owner = owner,
        .ended_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC),
    };
    while (d->ended_fd >= 0 && d->count < DEVICE_THREADS &&
           pthread_create(&d->threads[d->count], NULL, run, d) == 0)
        d->count++;
    if (d->count == DEVICE_THREADS)
        return d;
    device_stop(d);
    return NULL;
}

int device_fd(const struct device *d)
{
    return d->ended_fd;
}

void device_stop(struct device *d)
{
    if (d == NULL)
        return;
    for (size_t i = 0; i < d->count; i++)
        pthread_cancel(d->threads[i]);
    for (size_t i = 0; i < d->count; i++)
        pthread_join(d->threads[i], NULL);
    if (d->ended_fd >= 0)
        close(d->ended_fd);
    free(d);
}
