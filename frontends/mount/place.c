#include "mount/place.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "ate.h"
#include "base/buffer.h"
#include "mount/fail.h"
#include "mount/guard.h"

enum { FUSE_MAGIC = 0x65735546 };

/* A mount whose process died is no folder any more. */
static bool is_dead(const char *dir)
{
    struct statfs st;
    return statfs(dir, &st) != 0 && errno == ENOTCONN;
}

void place_clear(const char *dir)
{
    if (is_dead(dir))
        guard_unmount(dir);
}

bool place_is_mounted(const char *dir)
{
    struct statfs st;
    return statfs(dir, &st) == 0 && st.f_type == FUSE_MAGIC;
}

/* The folder that it stands in. */
static char *above(const char *dir)
{
    size_t len = strlen(dir);
    while (len > 1 && dir[len - 1] == '/')
        len--;
    while (len > 0 && dir[len - 1] != '/')
        len--;
    return len > 0 ? memory_text(dir, len) : memory_text(".", 1);
}

static bool is_below(const char *path, const char *folder)
{
    size_t len = strlen(folder);
    return strncmp(path, folder, len) == 0 &&
           (path[len] == '/' || path[len] == '\0');
}

/* Folders there come and go by the kernel alone, whatever rights they show. */
static int check_kernel(const char *dir, struct ate_error *error)
{
    char *over = above(dir);
    char *path = realpath(dir, NULL);
    if (path == NULL)
        path = realpath(over, NULL);
    bool is_kernels =
        path != NULL && (is_below(path, "/proc") || is_below(path, "/sys"));
    free(path);
    free(over);
    return is_kernels ? mount_fail(error, ATE_INVALID,
                                   "mount %s: the kernel alone makes folders "
                                   "in /proc and /sys; take one elsewhere",
                                   dir)
                      : 0;
}

/* Where there is none, the folder is made; those above it are not: who mistypes
 * a path hears of that. */
static int check_above(const char *dir, struct ate_error *error)
{
    char *path = above(dir);
    struct stat st;
    int rc = 0;
    if (stat(path, &st) != 0 || !S_ISDIR(st.st_mode))
        rc = mount_fail(error, ATE_NOT_FOUND,
                        "mount %s: there is no folder to make it in; make that "
                        "first, with mkdir -p",
                        dir);
    else if (lstat(dir, &st) == 0)
        rc = mount_fail(error, ATE_INVALID, "mount %s: is a link to nothing",
                        dir);
    else if (access(path, W_OK | X_OK) != 0)
        rc = mount_fail(error, ATE_DENIED, "mount %s: making the folder: %s",
                        dir, strerror(errno));
    free(path);
    return rc;
}

static int check_folder(const char *dir, struct ate_error *error)
{
    DIR *folder = opendir(dir);
    if (folder == NULL)
        return mount_fail(error, errno == EACCES ? ATE_DENIED : ATE_INVALID,
                          "mount %s: %s", dir, strerror(errno));
    int count = 0;
    while (count < 3 && readdir(folder) != NULL)
        count++;
    closedir(folder);
    if (count > 2)
        return mount_fail(
            error, ATE_INVALID,
            "mount %s: there are files in it, which the mount would "
            "hide; take an empty folder",
            dir);
    if (access(dir, W_OK) != 0)
        return mount_fail(error, ATE_DENIED, "mount %s: %s", dir,
                          strerror(errno));
    return 0;
}

int place_check(const char *dir, struct ate_error *error)
{
    struct stat st;
    if (is_dead(dir))
        return 0; /* what is below shows when it is cleared */
    int rc = check_kernel(dir, error);
    if (rc != 0)
        return rc;
    if (stat(dir, &st) == 0)
        return S_ISDIR(st.st_mode)
                   ? check_folder(dir, error)
                   : mount_fail(error, ATE_INVALID, "mount %s: is a file", dir);
    if (errno == ENOENT)
        return check_above(dir, error);
    return mount_fail(error, errno == EACCES ? ATE_DENIED : ATE_INVALID,
                      "mount %s: %s", dir, strerror(errno));
}

int place_take(const char *dir, char **real, bool *made,
               struct ate_error *error)
{
    *made = false;
    place_clear(dir);
    int rc = place_check(dir, error);
    if (rc != 0)
        return rc;
    *made = mkdir(dir, 0777) == 0;
    if (!*made && errno != EEXIST)
        return mount_fail(error, ATE_IO, "mount %s: making the folder: %s", dir,
                          strerror(errno));
    *real = realpath(dir, NULL);
    if (*real != NULL)
        return 0;
    return mount_fail(error, ATE_IO, "mount %s: %s", dir, strerror(errno));
}
