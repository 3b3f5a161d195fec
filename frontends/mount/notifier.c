/* (1) Forgetting a name waits for its folder, which somebody may hold who waits
 *     for us. So there are several threads: one at most tells names of a
 *     folder, and the others go on with the rest.
 * (2) A flush is reached when all has been told that was there before it, but
 *     for names in folders that who waits for it holds.
 * (3) No two wait for each other, each for names in a folder that the other
 *     holds: the last one of such a circle is reached at once, so that the
 *     others are when it has let its folder go. */
#define FUSE_USE_VERSION 314
#include "mount/notifier.h"

#include <fuse_lowlevel.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/buffer.h"

enum {
    SAME_LOOK = 32, /* this many are looked at for the same */
    THREADS = 4,
};

struct item {
    struct item *prev, *next;
    uint64_t place; /* counted */
    uint64_t ino;   /* of the folder, where there is a name */
    char *name;     /* or NULL */
    bool is_attr;   /* attributes alone, not what the kernel has of it */
};

struct flush {
    struct flush *next;
    uint64_t number;
    uint64_t place;         /* of the first item that it is not for */
    uint64_t folder, other; /* held by who waits for it; or 0 */
    bool is_seen;           /* while circles are looked for */
};

struct notifier {
    struct fuse_session *session;
    pthread_t threads[THREADS];
    size_t thread_count;
    pthread_mutex_t lock;
    pthread_cond_t more;
    struct item *first, *last;
    struct item *told[THREADS]; /* under way, in no order; or NULL */
    struct flush *flushes, *reached;
    uint64_t last_place, last_number;
    bool is_stopping;
    size_t stopped_count;
    int fd;
};

/* ---- the queue, under the lock ---- */

static void add(struct notifier *n, uint64_t ino, const char *name,
                bool is_attr)
{
    struct item *item = memory_new(sizeof(*item));
    item->place = ++n->last_place;
    item->is_attr = is_attr;
    item->ino = ino;
    item->name = name != NULL ? memory_string(name) : NULL;
    item->prev = n->last;
    *(n->last != NULL ? &n->last->next : &n->first) = item;
    n->last = item;
    pthread_cond_signal(&n->more);
}

static void take(struct notifier *n, struct item *item)
{
    *(item->prev != NULL ? &item->prev->next : &n->first) = item->next;
    *(item->next != NULL ? &item->next->prev : &n->last) = item->prev;
}

static void item_free(struct item *item)
{
    free(item->name);
    free(item);
}

/* (1) */
static bool is_taken(const struct notifier *n, const struct item *item)
{
    for (size_t i = 0; i < THREADS && item->name != NULL; i++)
        if (n->told[i] != NULL && n->told[i]->name != NULL &&
            n->told[i]->ino == item->ino)
            return true;
    return false;
}

static struct item *next_item(const struct notifier *n)
{
    struct item *item = n->first;
    while (item != NULL && is_taken(n, item))
        item = item->next;
    return item;
}

/* ---- flushes, under the lock ---- */

static bool waits_for(const struct flush *flush, const struct item *item)
{
    return item != NULL && item->place < flush->place &&
           (item->name == NULL ||
            (item->ino != flush->folder && item->ino != flush->other));
}

static bool is_reached(const struct notifier *n, const struct flush *flush)
{
    for (size_t i = 0; i < THREADS; i++)
        if (waits_for(flush, n->told[i]))
            return false;
    const struct item *item = n->first;
    while (item != NULL && item->place < flush->place &&
           !waits_for(flush, item))
        item = item->next;
    return !waits_for(flush, item);
}

static bool holds(const struct flush *flush, uint64_t folder)
{
    return folder == flush->folder || folder == flush->other;
}

/* Is a name told before `flush` is reached that stands in a folder of `holder`?
 */
static bool depends(const struct notifier *n, const struct flush *flush,
                    const struct flush *holder)
{
    for (size_t i = 0; i < THREADS; i++)
        if (waits_for(flush, n->told[i]) && n->told[i]->name != NULL &&
            holds(holder, n->told[i]->ino))
            return true;
    const struct item *item = n->first;
    for (; item != NULL && item->place < flush->place; item = item->next)
        if (waits_for(flush, item) && item->name != NULL &&
            holds(holder, item->ino))
            return true;
    return false;
}

/* (3): does one that `from` waits for wait for `flush`, by however many? What
 * they wait for grows no more, so it is looked for once. */
static bool leads_back(struct notifier *n, const struct flush *from,
                       const struct flush *flush)
{
    for (struct flush *next = n->flushes; next != NULL; next = next->next) {
        if (next->is_seen || !depends(n, from, next))
            continue;
        next->is_seen = true;
        if (depends(n, next, flush) || leads_back(n, next, flush))
            return true;
    }
    return false;
}

static bool closes_circle(struct notifier *n, const struct flush *flush)
{
    for (struct flush *other = n->flushes; other != NULL; other = other->next)
        other->is_seen = false;
    return leads_back(n, flush, flush);
}

static void wake(struct notifier *n)
{
    uint64_t one = 1;
    if (write(n->fd, &one, sizeof(one)) < 0)
        return; /* it is readable already */
}

static void reach(struct notifier *n)
{
    struct flush **at = &n->flushes;
    while (*at != NULL) {
        struct flush *flush = *at;
        if (!is_reached(n, flush)) {
            at = &flush->next;
            continue;
        }
        *at = flush->next;
        flush->next = n->reached;
        n->reached = flush;
        wake(n);
    }
}

static void flushes_free(struct flush *flush)
{
    while (flush != NULL) {
        struct flush *next = flush->next;
        free(flush);
        flush = next;
    }
}

/* ---- the threads ---- */

/* What the kernel does not have, it need not forget: errors say nothing. */
static void tell(struct notifier *n, const struct item *item)
{
    if (item->name != NULL)
        fuse_lowlevel_notify_inval_entry(n->session, item->ino, item->name,
                                         strlen(item->name));
    else
        fuse_lowlevel_notify_inval_inode(n->session, item->ino,
                                         item->is_attr ? -1 : 0, 0);
}

static void tell_next(struct notifier *n, struct item *item)
{
    size_t i = 0;
    while (n->told[i] != NULL)
        i++;
    take(n, item);
    n->told[i] = item;
    pthread_mutex_unlock(&n->lock);
    tell(n, item);
    pthread_mutex_lock(&n->lock);
    n->told[i] = NULL;
    item_free(item);
    reach(n);
}

static void *run(void *arg)
{
    struct notifier *n = arg;
    pthread_mutex_lock(&n->lock);
    while (!n->is_stopping) {
        struct item *item = next_item(n);
        if (item != NULL)
            tell_next(n, item);
        else
            pthread_cond_wait(&n->more, &n->lock);
    }
    n->stopped_count++;
    wake(n);
    pthread_mutex_unlock(&n->lock);
    return NULL;
}

/* ---- the loop's side ---- */

static bool start(struct notifier *n)
{
    while (n->thread_count < THREADS &&
           pthread_create(&n->threads[n->thread_count], NULL, run, n) == 0)
        n->thread_count++;
    return n->thread_count > 0;
}

struct notifier *notifier_new(struct fuse_session *session)
{
    struct notifier *n = memory_new(sizeof(*n));
    n->session = session;
    n->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    pthread_mutex_init(&n->lock, NULL);
    pthread_cond_init(&n->more, NULL);
    if (n->fd >= 0 && start(n))
        return n;
    if (n->fd >= 0)
        close(n->fd);
    free(n);
    return NULL;
}

void notifier_entry(struct notifier *n, uint64_t folder, const char *name)
{
    pthread_mutex_lock(&n->lock);
    add(n, folder, name, false);
    pthread_mutex_unlock(&n->lock);
}

/* Is it said already, and not told yet? */
static bool is_said(const struct notifier *n, uint64_t ino, bool is_attr)
{
    int left = SAME_LOOK;
    for (const struct item *i = n->last; i != NULL && left-- > 0; i = i->prev)
        if (i->name == NULL && i->ino == ino && (is_attr || !i->is_attr))
            return true;
    return false;
}

static void say(struct notifier *n, uint64_t ino, bool is_attr)
{
    pthread_mutex_lock(&n->lock);
    if (!is_said(n, ino, is_attr))
        add(n, ino, NULL, is_attr);
    pthread_mutex_unlock(&n->lock);
}

void notifier_data(struct notifier *n, uint64_t ino)
{
    say(n, ino, false);
}

void notifier_attr(struct notifier *n, uint64_t ino)
{
    say(n, ino, true);
}

uint64_t notifier_flush(struct notifier *n, uint64_t folder, uint64_t other)
{
    uint64_t number = 0;
    pthread_mutex_lock(&n->lock);
    struct flush flush = {
        .place = n->last_place + 1, .folder = folder, .other = other};
    if (!is_reached(n, &flush) && !closes_circle(n, &flush)) {
        number = flush.number = ++n->last_number;
        flush.next = n->flushes;
        n->flushes = memory_new(sizeof(flush));
        *n->flushes = flush;
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
    uint64_t number = 0;
    pthread_mutex_lock(&n->lock);
    struct flush *flush = n->reached;
    if (flush != NULL) {
        number = flush->number;
        n->reached = flush->next;
        free(flush);
    } else if (read(n->fd, &count, sizeof(count)) < 0) {
        number = 0; /* nothing woke us */
    }
    pthread_mutex_unlock(&n->lock);
    return number;
}

void notifier_stop(struct notifier *n)
{
    pthread_mutex_lock(&n->lock);
    n->is_stopping = true;
    pthread_cond_broadcast(&n->more);
    pthread_mutex_unlock(&n->lock);
}

bool notifier_has_stopped(struct notifier *n)
{
    pthread_mutex_lock(&n->lock);
    bool has = n->stopped_count == n->thread_count;
    pthread_mutex_unlock(&n->lock);
    return has;
}

void notifier_free(struct notifier *n)
{
    if (n == NULL)
        return;
    notifier_stop(n);
    for (size_t i = 0; i < n->thread_count; i++)
        pthread_join(n->threads[i], NULL);
    for (struct item *item = n->first, *next; item != NULL; item = next) {
        next = item->next;
        item_free(item);
    }
    flushes_free(n->flushes);
    flushes_free(n->reached);
    pthread_mutex_destroy(&n->lock);
    pthread_cond_destroy(&n->more);
    close(n->fd);
    free(n);
}
