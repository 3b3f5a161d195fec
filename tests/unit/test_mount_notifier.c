/* What the kernel is told to forget, by a kernel whose folders 7 and 10 are
 * held. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <poll.h>
#include <pthread.h>
#include <sys/types.h>

#include "mount/notifier.h"

enum { HELD = 7, FREE = 8, FILE_INO = 9, OTHER = 10, WAIT_MS = 20000 };

static pthread_mutex_t folder = PTHREAD_MUTEX_INITIALIZER; /* HELD */
static pthread_mutex_t other = PTHREAD_MUTEX_INITIALIZER;  /* OTHER */
static pthread_mutex_t counts = PTHREAD_MUTEX_INITIALIZER;
static int inside, most_inside, told_entries, told_data;

int fuse_lowlevel_notify_inval_entry(void *session, uint64_t parent,
                                     const char *name, size_t len);
int fuse_lowlevel_notify_inval_inode(void *session, uint64_t ino, off_t offset,
                                     off_t len);

int fuse_lowlevel_notify_inval_entry(void *session, uint64_t parent,
                                     const char *name, size_t len)
{
    (void)session;
    (void)name;
    (void)len;
    pthread_mutex_lock(&counts);
    inside += parent == HELD;
    most_inside = inside > most_inside ? inside : most_inside;
    pthread_mutex_unlock(&counts);
    pthread_mutex_t *held = parent == HELD    ? &folder
                            : parent == OTHER ? &other
                                              : NULL;
    if (held != NULL)
        pthread_mutex_lock(held);
    pthread_mutex_lock(&counts);
    inside -= parent == HELD;
    told_entries++;
    pthread_mutex_unlock(&counts);
    if (held != NULL)
        pthread_mutex_unlock(held);
    return 0;
}

int fuse_lowlevel_notify_inval_inode(void *session, uint64_t ino, off_t offset,
                                     off_t len)
{
    (void)session;
    (void)ino;
    (void)offset;
    (void)len;
    pthread_mutex_lock(&counts);
    told_data++;
    pthread_mutex_unlock(&counts);
    return 0;
}

/* The next flush that is reached. */
static uint64_t reached(struct notifier *n)
{
    struct pollfd fd = {.fd = notifier_fd(n), .events = POLLIN};
    uint64_t number = notifier_flushed(n);
    while (number == 0) {
        if (poll(&fd, 1, WAIT_MS) != 1)
            fail_msg("no flush was reached");
        number = notifier_flushed(n);
    }
    return number;
}

static void who_holds_a_folder_does_not_wait_for_its_names(void **state)
{
    (void)state;
    pthread_mutex_lock(&folder);
    struct notifier *n = notifier_new(NULL);
    assert_non_null(n);
    notifier_entry(n, HELD, "a");
    notifier_entry(n, HELD, "b");
    notifier_entry(n, FREE, "c");
    notifier_data(n, FILE_INO);
    uint64_t all = notifier_flush(n, 0, 0);
    assert_true(all != 0);
    uint64_t others = notifier_flush(n, HELD, 0);
    if (others != 0)
        assert_int_equal(reached(n), others);
    assert_int_equal(notifier_flush(n, FREE, HELD), 0);
    pthread_mutex_lock(&counts);
    assert_int_equal(told_entries, 1);
    assert_int_equal(told_data, 1);
    pthread_mutex_unlock(&counts);
    assert_int_equal(notifier_flushed(n), 0);
    pthread_mutex_unlock(&folder);
    assert_int_equal(reached(n), all);
    assert_int_equal(notifier_flush(n, 0, 0), 0);
    pthread_mutex_lock(&counts);
    assert_int_equal(told_entries, 3);
    assert_int_equal(most_inside, 1); /* the others were free meanwhile */
    pthread_mutex_unlock(&counts);
    notifier_free(n);
}

/* Two that remove in two folders at once: each would wait for the other until
 * the time for it is over. The last one goes on, and with it the first. */
static void two_who_hold_folders_do_not_wait_for_each_other(void **state)
{
    (void)state;
    pthread_mutex_lock(&folder);
    pthread_mutex_lock(&other);
    struct notifier *n = notifier_new(NULL);
    notifier_entry(n, HELD, "a");
    notifier_entry(n, OTHER, "b");
    uint64_t nobody = notifier_flush(n, FREE, 0); /* who waits for both */
    uint64_t first = notifier_flush(n, HELD, 0);
    assert_true(nobody != 0 && first != 0);
    assert_int_equal(notifier_flush(n, OTHER, 0), 0);
    pthread_mutex_unlock(&other);
    assert_int_equal(reached(n), first);
    pthread_mutex_unlock(&folder);
    assert_int_equal(reached(n), nobody);
    notifier_free(n);
}

/* One may hold two, as a rename does; who holds nothing closes no circle. */
static void no_circle_of_those_who_wait_stays(void **state)
{
    (void)state;
    pthread_mutex_lock(&folder);
    pthread_mutex_lock(&other);
    struct notifier *n = notifier_new(NULL);
    notifier_entry(n, OTHER, "b");
    uint64_t first = notifier_flush(n, HELD, 0);
    assert_true(first != 0); /* for OTHER */
    notifier_entry(n, HELD, "a");
    uint64_t second = notifier_flush(n, OTHER, FREE); /* for HELD: a circle */
    assert_int_equal(second, 0);
    assert_true(notifier_flush(n, 0, 0) != 0);
    pthread_mutex_unlock(&other);
    assert_int_equal(reached(n), first);
    pthread_mutex_unlock(&folder);
    assert_true(reached(n) != 0);
    notifier_free(n);
}

static void what_waits_is_dropped_at_the_end(void **state)
{
    (void)state;
    pthread_mutex_lock(&folder);
    struct notifier *n = notifier_new(NULL);
    notifier_entry(n, HELD, "a");
    notifier_entry(n, HELD, "b");
    assert_true(notifier_flush(n, 0, 0) != 0);
    notifier_stop(n);
    pthread_mutex_unlock(&folder);
    notifier_free(n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_holds_a_folder_does_not_wait_for_its_names),
        cmocka_unit_test(two_who_hold_folders_do_not_wait_for_each_other),
        cmocka_unit_test(no_circle_of_those_who_wait_stays),
        cmocka_unit_test(what_waits_is_dropped_at_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
