/* files and file: a chain's own files as they are on disk, for who checks the
 * chain by himself.
 *
 * (1) A name is one of those that docs/format.md, section 5, gives: it is
 *     judged by its form before it becomes a path, so none leads elsewhere, and
 *     what is the node's own ("verified", uploads under way) is not told.
 * (2) The bytes are not looked at. Files that the log appends to end where it
 *     is durable: what stands behind is written over, so whoever goes on with a
 *     copy where it ends would keep what never was. A log that was refused is
 *     told as it is.
 * (3) A job under way holds the chain open. */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/mapping.h"
#include "base/memory.h"
#include "base/msgpack.h"
#include "chain/chain.h"
#include "query/inside.h"

enum {
    NAME_SIZE = 112,       /* of the longest: put/<hash>.<length>s */
    DIGITS_MAX = 20,       /* of a number in a name */
    FILE_STEP = 256 << 10, /* bytes of a chunk */
    NAMES_MAX = 1 << 20,   /* of one folder */
};

static const char *const folders[] = {"", "large", "put"};
enum { FOLDERS = sizeof(folders) / sizeof(folders[0]) };

struct query_files {
    struct query *query;
    struct job job;
    struct buf bytes;
    char path[LOG_PATH_MAX];
    size_t folder; /* the next to list */
    char (*names)[NAME_SIZE];
    size_t count;
    size_t cap;
    size_t at; /* the next to tell */
    bool is_one;
    bool is_over;
    char after[NAME_SIZE];
    uint64_t offset;
    uint64_t left;
};

/* ---- names ---- */

/* Digits of a number, without zeros in front; 0: there are none. */
static size_t number_len(const char *text)
{
    size_t digits = strspn(text, "0123456789");
    return digits > DIGITS_MAX || (digits > 1 && text[0] == '0') ? 0 : digits;
}

static size_t hash_len(const char *text)
{
    size_t digits = strspn(text, "0123456789abcdef");
    return digits == (size_t)2 * HASH_SIZE ? digits : 0;
}

/* N.head, N.body. */
static bool is_part(const char *name)
{
    size_t n = number_len(name);
    return n > 0 && name[0] != '0' &&
           (strcmp(name + n, ".head") == 0 || strcmp(name + n, ".body") == 0);
}

static bool is_large(const char *name)
{
    size_t n = hash_len(name);
    return n > 0 && name[n] == '\0';
}

/* <hash>.<length>, an "s" behind it when it is sealed. */
static bool is_put(const char *name)
{
    size_t hash = hash_len(name);
    if (hash == 0 || name[hash] != '.')
        return false;
    const char *rest = name + hash + 1;
    size_t n = number_len(rest);
    return n > 0 && (rest[n] == '\0' || strcmp(rest + n, "s") == 0);
}

/* See (1). */
static bool is_own(const char *name)
{
    if (strncmp(name, "large/", 6) == 0)
        return is_large(name + 6);
    if (strncmp(name, "put/", 4) == 0)
        return is_put(name + 4);
    return strcmp(name, "cur") == 0 || strcmp(name, "tiles") == 0 ||
           is_part(name);
}

static int take_name(struct query *q, const char *arg, bool needed,
                     char name[NAME_SIZE], struct err *err)
{
    struct bytes text;
    int rc = query_take_text(q, arg, needed, &text, err);
    if (rc != 0 || text.data == NULL)
        return rc;
    if (text.len < NAME_SIZE && memchr(text.data, 0, text.len) == NULL) {
        memcpy(name, text.data, text.len);
        name[text.len] = '\0';
        if (is_own(name))
            return 0;
    }
    err_set(err, ATE_ENOT_FOUND, "a chain has no file '%.*s'",
            (int)(text.len < NAME_SIZE ? text.len : NAME_SIZE),
            (const char *)text.data);
    err_reason(err, "no_file");
    return err_at(err, arg);
}

static void add_name(struct query_files *f, const char *folder,
                     const char *name)
{
    char whole[NAME_SIZE];
    size_t before = strlen(folder);
    size_t len = strlen(name);
    if (before + 1 + len >= NAME_SIZE)
        return;
    memcpy(whole, folder, before);
    if (before > 0)
        whole[before++] = '/';
    memcpy(whole + before, name, len + 1);
    if (!is_own(whole) || strcmp(whole, f->after) <= 0)
        return;
    if (f->count == f->cap) {
        f->cap = f->cap > 0 ? 2 * f->cap : 16;
        f->names = mem_resize(f->names, f->cap * NAME_SIZE);
    }
    memcpy(f->names[f->count++], whole, NAME_SIZE);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(a, b);
}

/* ---- jobs ---- */

static struct query_files *files_new(struct query *q)
{
    struct query_files *f = mem_zero(1, sizeof(*f));
    f->query = q;
    q->files = f;
    return f;
}

void query_files_free(struct query_files *f)
{
    if (f == NULL)
        return;
    buf_deinit(&f->bytes);
    mem_free(f->names);
    mem_free(f);
}

static void begin_job(struct query_files *f, const char *name,
                      void (*done)(struct job *job))
{
    buf_clear(&f->bytes);
    const char *folder = chain_folder(f->query->chain);
    if (name[0] != '\0')
        log_path(f->path, folder, name);
    else
        memcpy(f->path, folder, LOG_PATH_MAX);
    job_init(&f->job, 0, done, f);
}

static int submit(struct query_files *f)
{
    f->query->waiting = true;
    chain_job_begin(f->query->chain, &f->job);
    return STEP_WAIT;
}

/* What failed, but for what is not there and need not be. */
static void came(struct query_files *f, bool may_miss)
{
    struct err err = {0};
    int code = 0;
    if (f->job.error == ENOENT && !may_miss)
        code =
            err_set(&err, ATE_ENOT_FOUND, "%s: there is no such file", f->path);
    else if (f->job.error != 0 && f->job.error != ENOENT)
        code = job_err(&f->job, &err);
    chain_job_end(f->query->chain);
    query_resume(f->query, code, &err);
}

/* ---- files ---- */

static int files_begin(struct query *q, struct err *err)
{
    static const char *const names[] = {"after", "limit", "name", NULL};
    struct query_files *f = files_new(q);
    char name[NAME_SIZE] = "";
    int rc = query_check_args(q, names, err);
    if (rc == 0)
        rc = query_take_page(q, err);
    if (rc == 0)
        rc = take_name(q, "after", false, f->after, err);
    if (rc == 0)
        rc = take_name(q, "name", false, name, err);
    if (rc != 0 || name[0] == '\0')
        return rc;
    add_name(f, "", name);
    f->is_one = true;
    f->folder = FOLDERS;
    return 0;
}

static void listed(struct job *job)
{
    struct query_files *f = job->owner;
    const char *folder = folders[f->folder++];
    const char *at = (const char *)f->bytes.data;
    const char *end = at + f->bytes.len;
    if (job->error == 0)
        for (; at < end && f->count < NAMES_MAX; at += strlen(at) + 1)
            add_name(f, folder, at);
    if (f->folder == FOLDERS && f->count > 0)
        qsort(f->names, f->count, sizeof(*f->names), by_name);
    came(f, folder[0] != '\0');
}

/* Invariant (2). */
static uint64_t end_of(const struct query_files *f, const char *name)
{
    const struct log *log = chain_log(f->query->chain);
    char head[NAME_SIZE];
    char body[NAME_SIZE];
    snprintf(head, NAME_SIZE, "%" PRIu64 ".head", log->end.generation);
    snprintf(body, NAME_SIZE, "%" PRIu32 ".body", log->end.segment);
    if (log->state == LOG_READY && strcmp(name, head) == 0)
        return log->end.offset;
    if (log->state == LOG_READY && strcmp(name, body) == 0)
        return log->end.body_offset;
    return UINT64_MAX;
}

static void sized(struct job *job)
{
    struct query_files *f = job->owner;
    struct mapping m = {0};
    const char *name = f->names[f->at++];
    if (job->error == 0) {
        mapping_text(&m, "name", name);
        uint64_t end = end_of(f, name);
        mapping_uint(&m, "size",
                     job->op[0].result < end ? job->op[0].result : end);
        mapping_put(&m, &f->query->row);
        query_emit(f->query);
    }
    came(f, !f->is_one);
}

static int files_step(struct query *q, struct err *err)
{
    struct query_files *f = q->files;
    (void)err;
    if (f->folder < FOLDERS) {
        begin_job(f, folders[f->folder], listed);
        job_list(&f->job, f->path, &f->bytes);
        return submit(f);
    }
    if (f->at == f->count || q->limit == 0)
        return STEP_END;
    begin_job(f, f->names[f->at], sized);
    job_size(&f->job, f->path);
    return submit(f);
}

const struct query_kind query_files = {
    .name = "files",
    .begin = files_begin,
    .step = files_step,
    .of_damaged = true,
};

/* ---- file ---- */

static int file_begin(struct query *q, struct err *err)
{
    static const char *const names[] = {"length", "name", "offset", NULL};
    struct query_files *f = files_new(q);
    char name[NAME_SIZE] = "";
    f->left = UINT64_MAX;
    int rc = query_check_args(q, names, err);
    if (rc == 0)
        rc = query_take_uint(q, "offset", &f->offset, err);
    if (rc == 0)
        rc = query_take_uint(q, "length", &f->left, err);
    if (rc == 0)
        rc = take_name(q, "name", true, name, err);
    if (rc == 0 && f->offset > INT64_MAX)
        rc = args_wrong("offset", "is beyond any file", err);
    if (rc == 0)
        add_name(f, "", name);
    return rc;
}

static void file_read(struct job *job)
{
    struct query_files *f = job->owner;
    if (job->error == 0) {
        f->is_over = f->bytes.len < job->op[0].length;
        f->offset += f->bytes.len;
        f->left -= f->bytes.len;
        if (f->bytes.len > 0) {
            mp_put_bin(&f->query->row, buf_bytes(&f->bytes));
            query_emit(f->query);
        }
    }
    came(f, false);
}

static int file_step(struct query *q, struct err *err)
{
    struct query_files *f = q->files;
    (void)err;
    assert(f->count == 1);
    uint64_t end = end_of(f, f->names[0]);
    if (f->is_over || f->left == 0 || f->offset >= end)
        return STEP_END;
    uint64_t step = f->left < FILE_STEP ? f->left : FILE_STEP;
    begin_job(f, f->names[0], file_read);
    job_read(&f->job, f->path, f->offset,
             step < end - f->offset ? step : end - f->offset, &f->bytes);
    return submit(f);
}

const struct query_kind query_file = {
    .name = "file",
    .begin = file_begin,
    .step = file_step,
    .of_damaged = true,
};
