/* Chains for other readers: below the folder of ATE_DUMP, if there is one, what
 * tests made is left as `<program>-<pid>-<what>-<n>`, a chain's folder. `what`
 * is "left" for one that a test ended with, or "bad-CODE" for one whose last
 * batch opening refuses. tests/checker/agree.mjs compares what is said of them.
 */
#ifndef ATE_TESTS_FIXTURE_DUMP_H
#define ATE_TESTS_FIXTURE_DUMP_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/memory_disk.h"
#include "log/log.h"

static inline void dump_file(const char *folder, const char *name,
                             const struct buf *bytes)
{
    char path[700];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    if (bytes->len > 0) /* else there are no bytes to point to */
        assert_int_equal(fwrite(bytes->data, 1, bytes->len, file), bytes->len);
    fclose(file);
}

/* Of the program that runs. */
static inline const char *dump_program(char path[300])
{
    ssize_t len = readlink("/proc/self/exe", path, 299);
    assert_true(len > 0);
    path[len] = '\0';
    return strrchr(path, '/') + 1;
}

static inline void dump_chain(struct memory_disk *disk,
                              const char *chain_folder, const char *what)
{
    static const char *const files[] = {"cur", "1.head", "1.body", "tiles"};
    static int count;
    const char *root = getenv("ATE_DUMP");
    char folder[600];
    char path[LOG_PATH_MAX + 16];
    char exe[300];
    if (root == NULL)
        return;
    snprintf(folder, sizeof(folder), "%s/%s-%d-%s-%d", root, dump_program(exe),
             (int)getpid(), what, count++);
    assert_int_equal(mkdir(folder, 0755), 0);
    for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
        snprintf(path, sizeof(path), "%s/%s", chain_folder, files[i]);
        struct buf *bytes = memory_disk_file(disk, path);
        if (bytes != NULL)
            dump_file(folder, files[i], bytes);
    }
}
#endif
