#include "rest/bearer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sodium.h>
#include <unistd.h>

#include "ate.h"
#include "base/buffer.h"
#include "rest/base64url.h"

enum { SECRET = 32 };

static int fail(struct ate_error *error, int code, const char *what,
                const char *path, const char *why)
{
    *error = (struct ate_error){.code = code};
    snprintf(error->text, sizeof(error->text), "%s %.600s: %s", what, path,
             why);
    return code;
}

static int fail_errno(struct ate_error *error, const char *what,
                      const char *path)
{
    int code = errno == EACCES || errno == EPERM || errno == EROFS ? ATE_DENIED
               : errno == ENOENT                    ? ATE_NOT_FOUND
               : errno == ENOSPC || errno == EDQUOT ? ATE_FULL
                                                    : ATE_IO;
    return fail(error, code, what, path, strerror(errno));
}

static bool is_key(const char *text, size_t len)
{
    return len == BEARER_LEN && memcmp(text, "ate_", 4) == 0;
}

/* Read the file, which has to be the owner's alone. Nothing is waited for: a
 * pipe would stop the door. */
static int load(struct bearer *b, struct ate_error *error)
{
    char text[BEARER_LEN + 2];
    int fd = open(b->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return fail_errno(error, "read", b->path);
    int rc = fstat(fd, &b->seen);
    bool is_file = rc == 0 && S_ISREG(b->seen.st_mode);
    ssize_t len = is_file ? read(fd, text, sizeof(text)) : 0;
    close(fd);
    if (rc != 0 || len < 0)
        return fail_errno(error, "read", b->path);
    if ((b->seen.st_mode & 077) != 0)
        return fail(error, ATE_DENIED, "read", b->path,
                    "others may read it, so it is no secret; chmod 600, then "
                    "ate key bearer --new");
    if (len > 0 && text[len - 1] == '\n')
        len--;
    if (!is_key(text, (size_t)len))
        return fail(error, ATE_CORRUPT, "read", b->path,
                    "it holds no bearer key; ate key bearer --new makes one");
    memcpy(b->key, text, BEARER_LEN);
    b->key[BEARER_LEN] = '\0';
    sodium_memzero(text, sizeof(text));
    return 0;
}

static int write_key(int fd, struct buffer *text)
{
    ssize_t len = write(fd, buffer_string(text), text->len);
    int rc = len == (ssize_t)text->len && fsync(fd) == 0 ? 0 : -1;
    return close(fd) == 0 ? rc : -1;
}

/* A file of its own that is renamed: the key is never seen half. Where two
 * make one at a time, the first that is there stays, but for `anew`. */
static int make(struct bearer *b, bool anew, struct ate_error *error)
{
    uint8_t secret[SECRET];
    char temporary[sizeof(b->path) + 16];
    struct buffer text = {0};
    snprintf(temporary, sizeof(temporary), "%s.%ld", b->path, (long)getpid());
    unlink(temporary);
    int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return fail_errno(error, "make", temporary);
    randombytes_buf(secret, sizeof(secret));
    buffer_text(&text, "ate_");
    base64url_put(&text, secret, sizeof(secret));
    buffer_byte(&text, '\n');
    int rc = write_key(fd, &text);
    sodium_memzero(secret, sizeof(secret));
    sodium_memzero(text.data, text.len);
    buffer_free(&text);
    if (rc == 0)
        rc = anew ? rename(temporary, b->path) : link(temporary, b->path);
    bool was_there = rc != 0 && errno == EEXIST;
    if (rc != 0 && !was_there)
        fail_errno(error, "make", b->path);
    unlink(temporary);
    return rc == 0 || was_there ? 0 : error->code;
}

int bearer_open(struct bearer *b, const char *folder, bool anew,
                struct ate_error *error)
{
    *b = (struct bearer){0};
    if (sodium_init() < 0)
        return fail(error, ATE_IO, "start", "libsodium", "it does not start");
    int len = snprintf(b->path, sizeof(b->path), "%s/bearer", folder);
    if (len < 0 || (size_t)len >= sizeof(b->path))
        return fail(error, ATE_LIMIT, "open", folder, "the path is too long");
    if (!anew && load(b, error) == 0)
        return 0;
    if (!anew && error->code != ATE_NOT_FOUND)
        return error->code;
    int rc = make(b, anew, error);
    return rc != 0 ? rc : load(b, error);
}

void bearer_close(struct bearer *b)
{
    sodium_memzero(b, sizeof(*b));
}

/* A key that was taken back counts no more, hence a look at the file: for all
 * requests of a millisecond together, as each costs two microseconds. */
static void look_again(struct bearer *b, uint64_t now_ms)
{
    struct stat now;
    struct ate_error unused;
    char before[BEARER_LEN + 1];
    if (now_ms == b->looked_ms)
        return;
    b->looked_ms = now_ms;
    bool is_there = stat(b->path, &now) == 0;
    if (is_there && now.st_ino == b->seen.st_ino &&
        now.st_mtim.tv_sec == b->seen.st_mtim.tv_sec &&
        now.st_mtim.tv_nsec == b->seen.st_mtim.tv_nsec &&
        now.st_mode == b->seen.st_mode)
        return;
    memcpy(before, b->key, sizeof(before));
    if (!is_there || load(b, &unused) != 0)
        sodium_memzero(b->key, sizeof(b->key));
    b->number += sodium_memcmp(before, b->key, sizeof(before)) != 0;
    sodium_memzero(before, sizeof(before));
}

uint64_t bearer_number(struct bearer *b, uint64_t now_ms)
{
    look_again(b, now_ms);
    return b->number;
}

bool bearer_is(struct bearer *b, const char *key, size_t len, uint64_t now_ms)
{
    look_again(b, now_ms);
    return b->key[0] != '\0' && len == BEARER_LEN &&
           sodium_memcmp(b->key, key, BEARER_LEN) == 0;
}

bool bearer_opens(struct bearer *b, const char *text, size_t len,
                  uint64_t now_ms)
{
    static const char scheme[] = "bearer ";
    size_t start = strlen(scheme);
    if (len <= start || strncasecmp(text, scheme, start) != 0)
        return false;
    while (start < len && text[start] == ' ') /* RFC 6750, 2.1 */
        start++;
    return bearer_is(b, text + start, len - start, now_ms);
}
