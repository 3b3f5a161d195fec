#define _GNU_SOURCE /* nftw */
#include "sim/real_folder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "io/disk.h"

static int remove_one(const char *path, const struct stat *st, int kind,
                      struct FTW *ftw)
{
    (void)st;
    (void)kind;
    (void)ftw;
    return remove(path);
}

static void remove_all(const char *path)
{
    nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

void real_folder_make(struct real_folder *f)
{
    const char *base = getenv("TMPDIR");
    snprintf(f->root, sizeof(f->root), "%s/ate-sim-XXXXXX",
             base != NULL ? base : "/tmp");
    assert_non_null(mkdtemp(f->root));
    snprintf(f->data, sizeof(f->data), "%s/data", f->root);
}

void real_folder_remove(struct real_folder *f)
{
    remove_all(f->root);
}

struct real_disk *real_folder_open(struct real_folder *f)
{
    struct disk_options options = {
        .write = true, .create = true, .threads_max = 2};
    struct real_disk *disk;
    struct err err = {0};
    if (disk_open(&disk, f->data, &options, &err) != 0)
        fail_msg("%s", err.text);
    return disk;
}

void real_folder_empty(struct real_folder *f)
{
    remove_all(f->data);
}

bool real_folder_pump(void *disk)
{
    return disk_wait(disk) > 0;
}
