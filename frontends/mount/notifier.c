#define FUSE_USE_VERSION 314
#include "mount/notifier.h"

#include <fuse_lowlevel.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/buffer.h"

enum { SAME_LOOK = 32 }; /* this many are looked at for the same */

struct item {
    struct item *prev, *next;
    uint64_t ino;    /* of the folder, where there is a name */
    char *name;      /* or NULL */
    uint64_t number; /* a flush, and nothing else */
};

struct notifier {
    struct fuse_session *session;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t more;
    struct item *first, *last;
    uint64_t last_number, reached, told;
    bool is_busy, is_stopping, has_stopped;
    int fd;
};

/* ---- the queue, under the lock ---- */

static void add(struct notifier *n, struct item *item)
{
    item->prev = n->last;
    *(n->last != NULL ? &n->last->next : &n->first) = item;
    n->last = item;
    pthread_cond_signal(&n->more);
}

static struct item *take(struct notifier *n)
{
    struct item *item = n->first;
    n->first = item->next;
    *(n->first != NULL ? &n->first->prev : &n->last) = NULL;
    return item;
}

static void item_free(struct item *item)
{
    free(item->name);
    free(item);
}

/* ---- the thread ---- */

static void wake(struct notifier *n)
{
    uint64_t one = 1;
    if (write(n->fd, &one, sizeof(one)) < 0)
        return; /* it is readable already */
}

/* What the kernel does not have, it need not forget: errors say nothing. */
static void tell(struct notifier *n, const struct item *item)
{
    if (item->name != NULL)
        fuse_lowlevel_notify_inval_entry(n->session, item->ino, item->name,
                                         strlen(item->name));
    else
        fuse_lowlevel_notify_inval_inode(n->session, item->ino, 0, 0);
}

static void *run(void *arg)
{
    struct notifier *n = arg;
    pthread_mutex_lock(&n->lock);
    while (!n->is_stopping) {
        if (n->first == NULL) {
            pthread_cond_wait(&n->more, &n->lock);
            continue;
        }
        struct item *item = take(n);
        n->is_busy = true;
        pthread_mutex_unlock(&n->lock);
        if (item->number == 0)
            tell(n, item);
        pthread_mutex_lock(&n->lock);
        n->is_busy = false;
        if (item->number != 0) {
            n->reached = item->number;
            wake(n);
        }
        item_free(item);
    }
    n->has_stopped = true;
    wake(n);
    pthread_mutex_unlock(&n->lock);
    return NULL;
}

/* ---- the loop's side ---- */

struct notifier *notifier_new(struct fuse_session *session)
{
    struct notifier *n = memory_new(sizeof(*n));
    n->session = session;
    n->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    pthread_mutex_init(&n->lock, NULL);
    pthread_cond_init(&n->more, NULL);
    if (n->fd >= 0 && pthread_create(&n->thread, NULL, run, n) == 0)
        return n;
    if (n->fd >= 0)
        close(n->fd);
    free(n);
    return NULL;
}

void notifier_entry(struct notifier *n, uint64_t folder, const char *name)
{
    struct item *item = memory_new(sizeof(*item));
    item->ino = folder;
    item->name = memory_string(name);
    pthread_mutex_lock(&n->lock);
    add(n, item);
    pthread_mutex_unlock(&n->lock);
}

/* Is it said already, and nothing since asked whether it was done? */
static bool is_said(const struct notifier *n, uint64_t ino)
{
    int left = SAME_LOOK;
    for (const struct item *i = n->last; i != NULL && left-- > 0; i = i->prev) {
        if (i->number != 0)
            return false;
        if (i->name == NULL && i->ino == ino)
            return true;
    }
    return false;
}

void notifier_data(struct notifier *n, uint64_t ino)
{
    pthread_mutex_lock(&n->lock);
    if (!is_said(n, ino)) {
        struct item *item = memory_new(sizeof(*item));
        item->ino = ino;
        add(n, item);
    }
    pthread_mutex_unlock(&n->lock);
}

uint64_t notifier_flush(struct notifier *n)
{
    uint64_t number = 0;
    pthread_mutex_lock(&n->lock);
    if (n->first != NULL || n->is_busy) {
        struct item *item = memory_new(sizeof(*item));
        number = item->number = ++n->last_number;
        add(n, item);
    }
    pthread_mutex_unlock(&n->lock);
    return number;
}

int notifier_fd(const struct notifier *n)
{
    return n->fd;
}

uint64_t notifier_flushed(struct notifier *n)
{
    uint64_t count;
    uint64_t reached = 0;
    pthread_mutex_lock(&n->lock);
    if (n->reached != n->told && read(n->fd, &count, sizeof(count)) > 0)
        reached = n->told = n->reached;
    pthread_mutex_unlock(&n->lock);
    return reached;
}

void notifier_stop(struct notifier *n)
{
    pthread_mutex_lock(&n->lock);
    n->is_stopping = true;
    pthread_cond_signal(&n->more);
    pthread_mutex_unlock(&n->lock);
}

bool notifier_has_stopped(struct notifier *n)
{
    pthread_mutex_lock(&n->lock);
    bool has = n->has_stopped;
    pthread_mutex_unlock(&n->lock);
    return has;
}

void notifier_free(struct notifier *n)
{
    if (n == NULL)
        return;
    notifier_stop(n);
    pthread_join(n->thread, NULL);
    while (n->first != NULL)
        item_free(take(n));
    pthread_mutex_destroy(&n->lock);
    pthread_cond_destroy(&n->more);
    close(n->fd);
    free(n);
}
