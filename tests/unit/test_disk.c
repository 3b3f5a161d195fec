#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "base/memory.h"
#include "io/disk.h"
#include "log/log.h"

struct fixture {
    char folder[256];
    struct real_disk *disk;
    struct job job;
    struct buf bytes;
    atomic_uint wakes;
    int code;
    struct err err;
    uint64_t frames;
};

static void wake(void *ctx)
{
    struct fixture *f = ctx;
    f->wakes++;
}

static int open_disk(struct fixture *f, struct real_disk **d, bool write,
                     uint32_t files_max)
{
    struct disk_options options = {.write = write,
                                   .create = write,
                                   .files_max = files_max,
                                   .wake = wake,
                                   .wake_ctx = f};
    return disk_open(d, f->folder, &options, &f->err);
}

static int setup(void **state)
{
    struct fixture *f = mem_zero(1, sizeof(*f));
    const char *base = getenv("TMPDIR");
    snprintf(f->folder, sizeof(f->folder), "%s/ate-disk-XXXXXX",
             base != NULL ? base : "/tmp");
    assert_non_null(mkdtemp(f->folder));
    assert_int_equal(open_disk(f, &f->disk, true, 0), 0);
    *state = f;
    return 0;
}

static void remove_all(const char *path)
{
    char inner[4096];
    struct dirent *e;
    DIR *dir = opendir(path);
    if (dir == NULL) {
        unlink(path);
        return;
    }
    while ((e = readdir(dir)) != NULL) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        snprintf(inner, sizeof(inner), "%s/%s", path, e->d_name);
        remove_all(inner);
    }
    closedir(dir);
    rmdir(path);
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    disk_close(f->disk);
    remove_all(f->folder);
    buf_deinit(&f->bytes);
    mem_free(f);
    return 0;
}

static void finished(struct job *job)
{
    job->owner = NULL;
}

static struct job *begin(struct fixture *f)
{
    job_init(&f->job, 0, finished, f);
    return &f->job;
}

/* Submit and wait; the job's errno. */
static int run(struct fixture *f)
{
    f->job.owner = f;
    job_submit(disk_interface(f->disk), &f->job);
    while (f->job.owner != NULL)
        disk_wait(f->disk);
    return f->job.error;
}

static const char *path(struct fixture *f, const char *name)
{
    static char full[512];
    snprintf(full, sizeof(full), "%s/%s", f->folder, name);
    return full;
}

static mode_t mode_of(struct fixture *f, const char *name)
{
    struct stat st;
    assert_int_equal(stat(path(f, name), &st), 0);
    return st.st_mode & 0777;
}

static void operations_do_what_they_say(void **state)
{
    struct fixture *f = *state;
    struct job *job = begin(f);

    job_mkdir(job, "ab/cdef");
    job_create(job, "ab/cdef/file");
    job_write(job, "ab/cdef/file", 4, bytes_of_text("text behind a hole"));
    job_truncate(job, "ab/cdef/file", 8);
    job_sync(job, "ab/cdef/file");
    job_rename(job, "ab/cdef/file", "ab/cdef/other");
    job_sync_folder(job, "ab/cdef");
    job_sync_folder(job, "");
    job_size(job, "ab/cdef/other");
    job_read(job, "ab/cdef/other", 2, 100, &f->bytes);
    assert_int_equal(run(f), 0);
    assert_int_equal(job->op[8].result, 8);
    assert_int_equal(job->op[9].result, 6);
    assert_int_equal(f->bytes.len, 6);
    assert_memory_equal(f->bytes.data, "\0\0text", 6);
    assert_int_equal(mode_of(f, "ab"), 0700);
    assert_int_equal(mode_of(f, "ab/cdef/other"), 0600);

    job = begin(f);
    buf_clear(&f->bytes);
    job_replace(job, "ab/cdef/other");
    job_replace(job, "ab/cdef/a");
    job_list(job, "ab/cdef", &f->bytes);
    job_unlink(job, "ab/cdef/a");
    job_size(job, "ab/cdef/other");
    assert_int_equal(run(f), 0);
    assert_int_equal(f->bytes.len, 8);
    assert_memory_equal(f->bytes.data, "a\0other\0", 8);
    assert_int_equal(job->op[4].result, 0);
}

static void job_stops_at_the_first_failure(void **state)
{
    struct fixture *f = *state;
    struct job *job = begin(f);

    job_create(job, "file");
    job_create(job, "file");
    job_unlink(job, "file");
    assert_int_equal(run(f), EEXIST);
    assert_int_equal(job->failed, 1);
    assert_int_equal(access(path(f, "file"), F_OK), 0);

    job = begin(f);
    job_write(job, "missing", 0, bytes_of("x", 1));
    assert_int_equal(run(f), ENOENT);
    job = begin(f);
    job_list(job, "missing", &f->bytes);
    assert_int_equal(run(f), ENOENT);
    job = begin(f);
    job_mkdir(job, "ab/full");
    job_create(job, "ab/full/file");
    job_mkdir(job, "ab/empty");
    job_rmdir(job, "ab/empty");
    job_rmdir(job, "ab/full");
    assert_int_equal(run(f), ENOTEMPTY);
    assert_int_equal(job->failed, 4);
    assert_int_equal(access(path(f, "ab/empty"), F_OK), -1);
}

/* A name that leads to another file now must not reach the old one. */
static void renamed_files_are_opened_anew(void **state)
{
    struct fixture *f = *state;
    struct job *job = begin(f);

    job_create(job, "cur");
    job_write(job, "cur", 0, bytes_of_text("old"));
    job_create(job, "cur.tmp");
    job_write(job, "cur.tmp", 0, bytes_of_text("new"));
    job_rename(job, "cur.tmp", "cur");
    job_read(job, "cur", 0, 10, &f->bytes);
    assert_int_equal(run(f), 0);
    assert_string_equal(buf_text(&f->bytes), "new");
    job = begin(f);
    buf_clear(&f->bytes);
    job_replace(job, "cur.tmp");
    job_read(job, "cur.tmp", 0, 10, &f->bytes);
    assert_int_equal(run(f), 0);
    assert_int_equal(f->bytes.len, 0);
}

static void mapped_bytes_outlive_the_name(void **state)
{
    struct fixture *f = *state;
    const struct disk *disk = disk_interface(f->disk);
    struct bytes mapped;
    struct bytes empty;
    struct job *job = begin(f);
    job_create(job, "a");
    job_write(job, "a", 0, bytes_of_text("some bytes"));
    job_map(job, "a", &mapped);
    job_create(job, "b");
    job_map(job, "b", &empty);
    job_rename(job, "b", "a");
    assert_int_equal(run(f), 0);
    assert_true(bytes_equal(mapped, bytes_of_text("some bytes")));
    assert_int_equal(empty.len, 0);
    disk->unmap(disk->ctx, mapped);
    disk->unmap(disk->ctx, empty);
    job = begin(f);
    job_map(job, "b", &mapped);
    assert_int_equal(run(f), ENOENT);
}

static void links_and_folders_are_not_files(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(symlink("/etc/passwd", path(f, "link")), 0);
    assert_int_equal(mkfifo(path(f, "fifo"), 0600), 0);
    job_read(begin(f), "link", 0, 10, &f->bytes);
    assert_int_equal(run(f), ELOOP);
    job_read(begin(f), "fifo", 0, 10, &f->bytes);
    assert_int_equal(run(f), EINVAL);
    assert_int_equal(job_err(&f->job, &f->err), ATE_ECORRUPT);
    assert_non_null(strstr(f->err.text, "fifo: it is no regular file"));
    assert_int_equal(f->bytes.len, 0);
}

/* More files than may stay open: the bound holds, and all can be used. */
static void descriptors_are_bounded(void **state)
{
    struct fixture *f = *state;
    char names[40][16];
    unsigned open_files = 0;

    disk_close(f->disk);
    assert_int_equal(open_disk(f, &f->disk, true, 8), 0);
    for (int i = 0; i < 40; i++) {
        struct job *job = begin(f);
        snprintf(names[i], sizeof(names[i]), "file%d", i);
        job_create(job, names[i]);
        job_write(job, names[i], 0, bytes_of_text(names[i]));
        job_sync(job, names[i]);
        assert_int_equal(run(f), 0);
    }
    for (int i = 0; i < 40; i++) {
        buf_clear(&f->bytes);
        job_read(begin(f), names[i], 0, 16, &f->bytes);
        assert_int_equal(run(f), 0);
        assert_string_equal(buf_text(&f->bytes), names[i]);
    }
    for (int fd = 0; fd < 256; fd++) {
        char link[64];
        char target[512];
        snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
        ssize_t n = readlink(link, target, sizeof(target) - 1);
        if (n > 0) {
            target[n] = '\0';
            open_files += strstr(target, "/file") != NULL &&
                          strncmp(target, f->folder, strlen(f->folder)) == 0;
        }
    }
    assert_in_range(open_files, 1, 8);
}

struct ordered {
    struct job job;
    unsigned number;
    struct ordered_log *log;
};

struct ordered_log {
    unsigned done[8];
    unsigned left;
};

static void ordered_done(struct job *job)
{
    struct ordered *o = job->owner;
    unsigned lane = (unsigned)job->lane - 1;
    assert_int_equal(job->error, 0);
    assert_int_equal(o->log->done[lane], o->number);
    o->log->done[lane]++;
    o->log->left--;
}

/* Appends of one lane end in order, whatever others do at the same time. */
static void jobs_of_a_lane_run_in_order(void **state)
{
    struct fixture *f = *state;
    struct ordered_log log = {.left = 8 * 50};
    struct ordered *all = mem_zero(8 * 50, sizeof(*all));
    char names[8][8];

    for (unsigned lane = 0; lane < 8; lane++) {
        snprintf(names[lane], sizeof(names[lane]), "lane%u", lane);
        job_create(begin(f), names[lane]);
        assert_int_equal(run(f), 0);
    }
    for (unsigned i = 0; i < 8 * 50; i++) {
        struct ordered *o = &all[i];
        unsigned lane = i % 8;
        o->number = i / 8;
        o->log = &log;
        job_init(&o->job, lane + 1, ordered_done, o);
        job_write(&o->job, names[lane], o->number * sizeof(o->number),
                  bytes_of(&o->number, sizeof(o->number)));
        job_submit(disk_interface(f->disk), &o->job);
    }
    while (log.left > 0)
        disk_wait(f->disk);
    for (unsigned lane = 0; lane < 8; lane++) {
        unsigned numbers[50];
        buf_clear(&f->bytes);
        job_read(begin(f), names[lane], 0, 1000, &f->bytes);
        assert_int_equal(run(f), 0);
        assert_int_equal(f->bytes.len, sizeof(numbers));
        memcpy(numbers, f->bytes.data, sizeof(numbers));
        for (unsigned i = 0; i < 50; i++)
            assert_int_equal(numbers[i], i);
    }
    assert_true(f->wakes > 0);
    mem_free(all);
}

static void closing_waits_for_what_was_submitted(void **state)
{
    struct fixture *f = *state;
    struct job *job = begin(f);

    job_create(job, "late");
    job_write(job, "late", 0, bytes_of_text("text"));
    job_sync(job, "late");
    job_submit(disk_interface(f->disk), job);
    disk_close(f->disk);
    f->disk = NULL;
    struct stat st;
    assert_int_equal(stat(path(f, "late"), &st), 0);
    assert_int_equal(st.st_size, 4);
}

/* ---- the lock ---- */

/* A second process gets a text with our pid; one that reads only gets in. */
static void second_process_is_told_the_first_ones_pid(void **state)
{
    struct fixture *f = *state;
    char ours[32];

    snprintf(ours, sizeof(ours), "(pid %ld)", (long)getpid());
    pid_t child = fork();
    if (child == 0) {
        struct real_disk *d;
        int rc = open_disk(f, &d, true, 0);
        if (rc != ATE_EUNAVAILABLE || strstr(f->err.text, ours) == NULL)
            _exit(1);
        _exit(open_disk(f, &d, false, 0) == 0 ? 0 : 2);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    disk_close(f->disk);
    assert_int_equal(open_disk(f, &f->disk, true, 0), 0);
}

static void reading_only_changes_nothing(void **state)
{
    struct fixture *f = *state;

    job_create(begin(f), "file");
    assert_int_equal(run(f), 0);
    disk_close(f->disk);
    assert_int_equal(open_disk(f, &f->disk, false, 0), 0);
    job_write(begin(f), "file", 0, bytes_of_text("x"));
    assert_int_equal(run(f), EROFS);
    job_replace(begin(f), "file");
    assert_int_equal(run(f), EROFS);
    job_unlink(begin(f), "file");
    assert_int_equal(run(f), EROFS);
    job_size(begin(f), "file");
    assert_int_equal(run(f), 0);
    job_mode(begin(f), "file");
    assert_int_equal(run(f), 0);
    assert_int_equal(f->job.op[0].result, 0600);
    job_time(begin(f), "file");
    assert_int_equal(run(f), 0);
}

static void a_file_says_when_it_was_written(void **state)
{
    struct fixture *f = *state;
    char path[300];
    struct timespec times[2] = {{.tv_sec = 1}, {1234567, 89000000}};
    job_create(begin(f), "file");
    assert_int_equal(run(f), 0);
    snprintf(path, sizeof(path), "%s/file", f->folder);
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
    job_time(begin(f), "file");
    assert_int_equal(run(f), 0);
    assert_int_equal(f->job.op[0].result, 1234567089);
    times[1].tv_sec = -5; /* before 1970 */
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
    job_time(begin(f), "file");
    assert_int_equal(run(f), 0);
    assert_int_equal(f->job.op[0].result, 89);
    job_time(begin(f), "none");
    assert_int_equal(run(f), ENOENT);
}

static void folder_is_made_only_when_asked(void **state)
{
    struct fixture *f = *state;
    char base[256];
    struct disk_options options = {.write = true};
    struct real_disk *d;

    memcpy(base, f->folder, sizeof(base));
    strcat(f->folder, "/a/b");
    assert_int_equal(disk_open(&d, f->folder, &options, &f->err),
                     ATE_ENOT_FOUND);
    assert_null(d);
    options.create = true;
    assert_int_equal(disk_open(&d, f->folder, &options, &f->err), 0);
    disk_close(d);
    memcpy(f->folder, base, sizeof(base));
    assert_int_equal(mode_of(f, "a/b"), 0700);
}

/* Of a thread of the disk that tells of a job: hands over the next. */
struct follower {
    struct real_disk *disk;
    struct job first, next;
    atomic_int told;
};

static void hand_over_next(void *ctx)
{
    struct follower *f = ctx;
    if (f->told++ == 0)
        job_submit(disk_interface(f->disk), &f->next);
}

static void what_is_handed_over_by_who_tells_is_worked(void **state)
{
    struct fixture *x = *state;
    struct follower f = {.told = 0};
    struct disk_options options = {
        .write = true, .wake = hand_over_next, .wake_ctx = &f};
    char folder[sizeof(x->folder) + 8];
    snprintf(folder, sizeof(folder), "%s/told", x->folder);
    options.create = true;
    assert_int_equal(disk_open(&f.disk, folder, &options, &x->err), 0);
    job_init(&f.first, 1, finished, &f);
    job_init(&f.next, 1, finished, &f);
    job_mkdir(&f.first, "one");
    job_mkdir(&f.next, "two");
    f.first.owner = f.next.owner = &f;
    job_submit(disk_interface(f.disk), &f.first);
    while (f.first.owner != NULL || f.next.owner != NULL)
        disk_wait(f.disk);
    disk_close(f.disk);
    assert_int_equal(mode_of(x, "told/two"), 0700);
}

/* ---- a log on it ---- */

static const uint8_t chain[LOG_CHAIN_SIZE] = {0x12, 0x34};

static void log_over(void *ctx, int code, const struct err *err)
{
    struct fixture *f = ctx;
    f->code = code;
    f->err = *err;
}

enum { WAITING = 1 };

static int wait_for(struct fixture *f)
{
    while (f->code == WAITING)
        disk_wait(f->disk);
    return f->code;
}

static int visit(void *ctx, const struct log_frame *frame, struct err *err)
{
    struct fixture *f = ctx;
    (void)frame;
    (void)err;
    f->frames++;
    return 0;
}

static int create_log(struct fixture *f, struct log *log, struct bytes bundle)
{
    struct log_entry entry = {.type = LOG_GENESIS,
                              .count = 1,
                              .payload = bytes_of_text("genesis"),
                              .body_len = bundle.len};
    struct log_group group = {&entry, 1, bundle};
    char folder[LOG_PATH_MAX];

    log_folder(folder, chain);
    f->code = WAITING;
    log_create(log, disk_interface(f->disk), folder, chain, &group, log_over,
               f);
    return wait_for(f);
}

static int append(struct fixture *f, struct log *log, struct bytes payload)
{
    struct log_entry entry = {
        .type = LOG_BATCH, .count = 1, .payload = payload, .body_len = 16};
    struct log_group group = {&entry, 1, bytes_of_text("sixteen bytes...")};
    f->code = WAITING;
    int rc = log_append(log, &group, log_over, f, &f->err);
    return rc == 0 ? wait_for(f) : rc;
}

static int open_log(struct fixture *f, struct log *log, enum log_mode mode)
{
    char folder[LOG_PATH_MAX];
    log_folder(folder, chain);
    f->code = WAITING;
    f->frames = 0;
    log_open(log, disk_interface(f->disk), folder, chain, mode, visit, f,
             log_over, f);
    return wait_for(f);
}

static void log_lives_in_real_files(void **state)
{
    struct fixture *f = *state;
    struct log log;

    assert_int_equal(create_log(f, &log, bytes_of_text("")), 0);
    for (int i = 0; i < 20; i++)
        assert_int_equal(append(f, &log, bytes_of_text("payload")), 0);
    log_close(&log);
    disk_close(f->disk);
    assert_int_equal(open_disk(f, &f->disk, true, 0), 0);
    assert_int_equal(open_log(f, &log, LOG_READ_WRITE), 0);
    assert_int_equal(f->frames, 21);
    assert_int_equal(log.marked.frames, 21);
    log_close(&log);
}

/* One of 1 MiB in place of the folder. False: it may not be mounted here. */
static bool begin_small_disk(struct fixture *f)
{
    disk_close(f->disk);
    f->disk = NULL;
    if (mount("tmpfs", f->folder, "tmpfs", 0, "size=1m") != 0)
        return false;
    assert_int_equal(open_disk(f, &f->disk, true, 0), 0);
    return true;
}

static void end_small_disk(struct fixture *f)
{
    disk_close(f->disk);
    f->disk = NULL;
    assert_int_equal(umount(f->folder), 0);
}

/* Nothing of a chain for which there is no room stays. */
static void full_disk_keeps_nothing_of_a_creation(void **state)
{
    struct fixture *f = *state;
    struct log log;
    char folder[LOG_PATH_MAX];
    size_t len = 2 << 20;
    uint8_t *large = mem_zero(len, 1);

    if (!begin_small_disk(f)) {
        mem_free(large);
        skip();
    }
    assert_int_equal(create_log(f, &log, bytes_of(large, len)), ATE_EFULL);
    log_folder(folder, chain);
    assert_int_equal(access(path(f, folder), F_OK), -1);
    *strchr(folder, '/') = '\0'; /* what held it alone, too */
    assert_int_equal(access(path(f, folder), F_OK), -1);
    assert_int_equal(create_log(f, &log, bytes_of(large, 8)), 0);
    assert_int_equal(access(path(f, folder), F_OK), 0);
    log_close(&log);
    end_small_disk(f);
    mem_free(large);
}

/* A full disk refuses a group and takes the next one that fits. */
static void full_disk_refuses_and_goes_on(void **state)
{
    struct fixture *f = *state;
    struct log log;
    size_t len = 200 << 10;
    uint8_t *large = mem_zero(len, 1);
    unsigned stored = 1;

    if (!begin_small_disk(f)) {
        mem_free(large);
        skip();
    }
    assert_int_equal(create_log(f, &log, bytes_of_text("")), 0);
    int rc;
    while ((rc = append(f, &log, bytes_of(large, len))) == 0)
        stored++;
    assert_int_equal(rc, ATE_EFULL);
    assert_int_equal(log.state, LOG_READY);
    assert_int_equal(append(f, &log, bytes_of(large, len)), ATE_EFULL);
    assert_int_equal(append(f, &log, bytes_of_text("small")), 0);
    stored++;
    log_close(&log);
    assert_int_equal(open_log(f, &log, LOG_READ_ONLY), 0);
    assert_int_equal(f->frames, stored);
    log_close(&log);
    end_small_disk(f);
    mem_free(large);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(operations_do_what_they_say),
        TEST(job_stops_at_the_first_failure),
        TEST(renamed_files_are_opened_anew),
        TEST(mapped_bytes_outlive_the_name),
        TEST(links_and_folders_are_not_files),
        TEST(descriptors_are_bounded),
        TEST(jobs_of_a_lane_run_in_order),
        TEST(closing_waits_for_what_was_submitted),
        TEST(what_is_handed_over_by_who_tells_is_worked),
        TEST(second_process_is_told_the_first_ones_pid),
        TEST(reading_only_changes_nothing),
        TEST(a_file_says_when_it_was_written),
        TEST(folder_is_made_only_when_asked),
        TEST(log_lives_in_real_files),
        TEST(full_disk_keeps_nothing_of_a_creation),
        TEST(full_disk_refuses_and_goes_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
