#include "io/source_files.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/limits.h"
#include "base/memory.h"

enum { READ_PIECE = 65536 };

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9') || c == '_' || c == '-';
}

/* Words joined by dots: nothing of it can lead out of the folder. */
static bool module_valid(const char *module)
{
    bool in_word = false;
    for (; *module != '\0'; module++) {
        if (!is_word(*module) && !(*module == '.' && in_word))
            return false;
        in_word = *module != '.';
    }
    return in_word;
}

void source_files_close(struct source_files *files)
{
    mem_free(files->folder);
    mem_free(files->main_module);
    *files = (struct source_files){0};
}

static int read_all(int fd, const char *path, struct buf *out, struct err *err)
{
    size_t start = out->len;
    for (;;) {
        buf_reserve(out, READ_PIECE);
        ssize_t n = read(fd, out->data + out->len, READ_PIECE);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_errno(err, errno, "%s: read", path);
        if (n == 0)
            return 0;
        out->len += (size_t)n;
        if (out->len - start > LIMIT_BUNDLE)
            return err_set(err, ATE_ELIMIT,
                           "%s: all Lua of a schema is at most %d bytes", path,
                           LIMIT_BUNDLE);
    }
}

static int read_file(const char *path, struct buf *out, struct err *err)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return err_errno(err, errno, "%s", path);
    int rc;
    if (fstat(fd, &st) != 0)
        rc = err_errno(err, errno, "%s", path);
    else if (!S_ISREG(st.st_mode))
        rc = err_set(err, ATE_EINVALID, "%s: not a regular file", path);
    else
        rc = read_all(fd, path, out, err);
    close(fd);
    return rc;
}

int source_files_open(struct source_files *files, const char *path,
                      struct err *err)
{
    static const char ending[] = ".lua";
    const char *slash = strrchr(path, '/');
    const char *name = slash != NULL ? slash + 1 : path;
    size_t len = strlen(name);
    size_t ending_len = sizeof(ending) - 1;
    *files = (struct source_files){0};
    if (len <= ending_len || strcmp(name + len - ending_len, ending) != 0)
        return err_set(err, ATE_EINVALID,
                       "%s: a schema is a file of Lua, NAME.lua", path);
    files->main_module = mem_text(name);
    files->main_module[len - ending_len] = '\0';
    files->folder = mem_text(path);
    files->folder[name - path] = '\0';
    int rc = 0;
    if (!module_valid(files->main_module) ||
        strchr(files->main_module, '.') != NULL)
        rc = err_set(err, ATE_EINVALID,
                     "%s: the file of a schema is named by letters, digits, "
                     "'_' and '-'",
                     path);
    struct buf source = {0};
    if (rc == 0)
        rc = read_file(path, &source, err);
    buf_deinit(&source);
    if (rc != 0)
        source_files_close(files);
    return rc;
}

int source_files_read(void *ctx, const char *module, struct buf *file,
                      struct buf *source, struct err *err)
{
    const struct source_files *files = ctx;
    struct buf path = {0};
    size_t start = file->len;
    if (!module_valid(module))
        return err_set(err, ATE_EINVALID,
                       "'%s' is no name of a module: letters, digits, '_' and "
                       "'-', with dots for folders",
                       module);
    buf_put_text(file, module);
    for (size_t i = start; i < file->len; i++)
        if (file->data[i] == '.')
            file->data[i] = '/';
    buf_put_text(file, ".lua");
    buf_put_text(&path, files->folder);
    buf_put(&path, file->data + start, file->len - start);
    int rc = read_file(buf_text(&path), source, err);
    buf_deinit(&path);
    return rc;
}
