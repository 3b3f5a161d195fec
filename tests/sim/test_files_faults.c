/* The whole engine on real files, where each system call that touches one fails
 * in each way that the kernel knows, once and for ever, and is interrupted or
 * cut short: what was acknowledged is there when a new process opens the chain.
 *
 * The calls are replaced by linking: what engine/io/files.c asks the C library
 * for it gets from here. A short run tries every so many of them, from one that
 * the seed gives (seeds.h). */
#define _GNU_SOURCE
#include "sim/chain_life.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "io/disk.h"
#include "sim/real_folder.h"
#include "sim/rng.h"
#include "sim/seeds.h"

/* ---- the kernel ---- */

enum call_kind { CALL_OPEN, CALL_READ, CALL_WRITE, CALL_SYNC, CALL_NAME };

static struct {
    bool armed;
    bool for_ever;
    bool cuts; /* reads and writes do the half of it, and succeed */
    int error;
    unsigned long long at;
    atomic_ullong calls;
    atomic_ullong failed;
} kernel;

/* What the kernel would not say of such a call is no fault. */
static bool fits(enum call_kind kind)
{
    if (kernel.cuts)
        return kind == CALL_READ || kind == CALL_WRITE;
    switch (kernel.error) {
    case ENOSPC:
        return kind != CALL_READ;
    case EROFS:
        return kind == CALL_OPEN || kind == CALL_WRITE || kind == CALL_NAME;
    case EMFILE:
        return kind == CALL_OPEN;
    default:
        return true;
    }
}

static bool is_due(enum call_kind kind)
{
    unsigned long long n = atomic_fetch_add(&kernel.calls, 1);
    bool due = kernel.for_ever ? n >= kernel.at : n == kernel.at;
    if (!kernel.armed || !due || !fits(kind))
        return false;
    atomic_fetch_add(&kernel.failed, 1);
    return true;
}

static bool fails(enum call_kind kind)
{
    if (!is_due(kind))
        return false;
    errno = kernel.error;
    return true;
}

/* How much of a read or write is done; -1: it fails. */
static ssize_t part_of(enum call_kind kind, size_t len)
{
    if (!is_due(kind))
        return (ssize_t)len;
    if (kernel.cuts)
        return (ssize_t)(len > 1 ? len / 2 : len);
    errno = kernel.error;
    return -1;
}

int openat(int folder, const char *path, int flags, ...);
ssize_t pread(int fd, void *out, size_t len, off_t offset);
ssize_t pwrite(int fd, const void *from, size_t len, off_t offset);

int openat(int folder, const char *path, int flags, ...)
{
    if (fails(CALL_OPEN))
        return -1;
    return (int)syscall(SYS_openat, folder, path, flags, 0600);
}

ssize_t pread(int fd, void *out, size_t len, off_t offset)
{
    ssize_t part = part_of(CALL_READ, len);
    return part < 0 ? -1 : syscall(SYS_pread64, fd, out, (size_t)part, offset);
}

ssize_t pwrite(int fd, const void *from, size_t len, off_t offset)
{
    ssize_t part = part_of(CALL_WRITE, len);
    return part < 0 ? -1
                    : syscall(SYS_pwrite64, fd, from, (size_t)part, offset);
}

int fdatasync(int fd)
{
    return fails(CALL_SYNC) ? -1 : (int)syscall(SYS_fdatasync, fd);
}

int fsync(int fd)
{
    return fails(CALL_SYNC) ? -1 : (int)syscall(SYS_fsync, fd);
}

int ftruncate(int fd, off_t size)
{
    return fails(CALL_WRITE) ? -1 : (int)syscall(SYS_ftruncate, fd, size);
}

int mkdirat(int folder, const char *path, mode_t mode)
{
    return fails(CALL_NAME) ? -1
                            : (int)syscall(SYS_mkdirat, folder, path, mode);
}

int renameat(int from, const char *path, int to, const char *name)
{
    return fails(CALL_NAME) ? -1
                            : (int)syscall(SYS_renameat, from, path, to, name);
}

int unlinkat(int folder, const char *path, int flags)
{
    return fails(CALL_NAME) ? -1
                            : (int)syscall(SYS_unlinkat, folder, path, flags);
}

/* ---- trials ---- */

/* EINTR for ever would be a kernel that never works: once is enough. */
static const struct {
    int error;
    bool cuts;
    bool for_ever;
    const char *text;
} faults[] = {
    {EIO, false, false, "EIO"},
    {EIO, false, true, "EIO for ever"},
    {ENOSPC, false, false, "ENOSPC"},
    {ENOSPC, false, true, "ENOSPC for ever"},
    {EROFS, false, true, "EROFS for ever"},
    {EMFILE, false, false, "EMFILE"},
    {EMFILE, false, true, "EMFILE for ever"},
    {EINTR, false, false, "EINTR"},
    {0, true, false, "a short count"},
    {0, true, true, "short counts for ever"},
};

enum { KINDS = sizeof(faults) / sizeof(*faults), TRIALS = 60 };

struct trials {
    struct life life;
    struct real_folder folder;
    uint64_t faults;
    uint64_t refused; /* calls that were told so */
    uint64_t kept;    /* transactions acknowledged, and found again */
};

/* The data folder is there; then calls fail, if they are to. */
static void run_life(struct trials *t, bool armed)
{
    struct real_disk *disk = real_folder_open(&t->folder);
    life_reset(&t->life);
    atomic_store(&kernel.calls, 0);
    atomic_store(&kernel.failed, 0);
    kernel.armed = armed;
    life_run(&t->life, disk_interface(disk), real_folder_pump, disk);
    kernel.armed = false;
    disk_close(disk);
}

static void try_fault(struct trials *t, size_t kind, unsigned long long at)
{
    char what[80];
    kernel.error = faults[kind].error;
    kernel.cuts = faults[kind].cuts;
    kernel.for_ever = faults[kind].for_ever;
    kernel.at = at;
    run_life(t, true);
    snprintf(what, sizeof(what), "%s at call %llu", faults[kind].text, at);
    /* Half a count is no error. */
    if (kernel.cuts && t->life.refused > 0)
        fail_msg("%s: %s", what, t->life.why);
    t->faults += atomic_load(&kernel.failed) > 0;
    t->refused += t->life.refused;
    t->kept += t->life.acked;
    struct real_disk *disk = real_folder_open(&t->folder);
    life_check(&t->life, disk_interface(disk), real_folder_pump, disk, what);
    disk_close(disk);
    real_folder_empty(&t->folder);
}

static void no_call_that_fails_loses_what_was_acknowledged(void **state)
{
    struct trials *t = mem_zero(1, sizeof(*t));
    struct rng rng = {seeds_first()};
    (void)state;
    print_message("seed %llu (SEED sets it)\n", (unsigned long long)rng.state);
    real_folder_make(&t->folder);
    life_init(&t->life);
    run_life(t, false);
    unsigned long long calls = atomic_load(&kernel.calls);
    if (t->life.refused > 0)
        fail_msg("good files: %s", t->life.why);
    real_folder_empty(&t->folder);
    unsigned long long trials = seeds_rounds(1) * (unsigned long long)TRIALS;
    unsigned long long step = 1 + calls * KINDS / trials;
    unsigned long long i = rng_below(&rng, step);
    for (; i < calls * KINDS; i += step)
        try_fault(t, i % KINDS, i / KINDS);
    print_message("%llu of %llu calls failed, %llu requests were told, %llu "
                  "transactions found again\n",
                  (unsigned long long)t->faults, calls,
                  (unsigned long long)t->refused, (unsigned long long)t->kept);
    assert_true(t->faults > TRIALS / 3 && t->refused > 0 && t->kept > TRIALS);
    life_deinit(&t->life);
    real_folder_remove(&t->folder);
    mem_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_call_that_fails_loses_what_was_acknowledged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
