/* Files and folders are one list of paths; a folder is a path without bytes
 * that can be written. The list is short in every use this disk has, so it is
 * searched from the front. */
#include "io/memory_disk.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

struct node {
    char *path;
    bool is_folder;
    unsigned mode;
    int64_t time_ms;
    struct buf bytes;
};

struct memory_disk {
    struct disk interface;
    struct node *nodes;
    size_t count;
    size_t cap;
    const int64_t *now_ms; /* NULL: there is no clock */
    struct job *first;     /* submitted, in order */
    struct job **last;
};

static void submit(void *ctx, struct job *job)
{
    struct memory_disk *d = ctx;
    job->next = NULL;
    *d->last = job;
    d->last = &job->next;
}

static void unmap(void *ctx, struct bytes mapped)
{
    (void)ctx;
    mem_free((void *)mapped.data);
}

struct memory_disk *memory_disk_new(void)
{
    struct memory_disk *d = mem_zero(1, sizeof(*d));
    d->interface = (struct disk){.ctx = d, .submit = submit, .unmap = unmap};
    d->last = &d->first;
    return d;
}

static void node_deinit(struct node *n)
{
    mem_free(n->path);
    buf_deinit(&n->bytes);
}

void memory_disk_free(struct memory_disk *d)
{
    if (d == NULL)
        return;
    for (size_t i = 0; i < d->count; i++)
        node_deinit(&d->nodes[i]);
    mem_free(d->nodes);
    mem_free(d);
}

const struct disk *memory_disk_interface(struct memory_disk *d)
{
    return &d->interface;
}

void memory_disk_clock(struct memory_disk *d, const int64_t *now_ms)
{
    d->now_ms = now_ms;
}

static struct node *find(struct memory_disk *d, const char *path)
{
    for (size_t i = 0; i < d->count; i++)
        if (strcmp(d->nodes[i].path, path) == 0)
            return &d->nodes[i];
    return NULL;
}

static void drop(struct memory_disk *d, struct node *n)
{
    node_deinit(n);
    *n = d->nodes[--d->count];
}

static void touch(const struct memory_disk *d, struct node *n)
{
    n->time_ms = d->now_ms != NULL ? *d->now_ms : INT64_MAX;
}

static struct node *add(struct memory_disk *d, const char *path, bool is_folder)
{
    d->nodes = mem_array_grow(d->nodes, d->count, &d->cap, sizeof(*d->nodes));
    struct node *n = &d->nodes[d->count++];
    *n = (struct node){
        .path = mem_text(path), .is_folder = is_folder, .mode = 0600};
    return n;
}

/* "" is the data folder, which is always there. */
static bool has_folder(struct memory_disk *d, const char *path, size_t len)
{
    for (size_t i = 0; i < d->count; i++)
        if (d->nodes[i].is_folder && strlen(d->nodes[i].path) == len &&
            memcmp(d->nodes[i].path, path, len) == 0)
            return true;
    return len == 0;
}

static size_t folder_len(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? (size_t)(slash - path) : 0;
}

static int make_folders(struct memory_disk *d, const char *path)
{
    char *part = mem_text(path);
    size_t len = strlen(path);

    for (size_t i = 1; i <= len; i++) {
        if (path[i] != '/' && path[i] != '\0')
            continue;
        part[i] = '\0';
        if (!has_folder(d, part, i))
            add(d, part, true);
        part[i] = path[i];
    }
    mem_free(part);
    return 0;
}

static int create(struct memory_disk *d, const char *path, bool replace)
{
    struct node *n = find(d, path);

    if (!has_folder(d, path, folder_len(path)))
        return ENOENT;
    if (n != NULL && !replace)
        return EEXIST;
    if (n == NULL)
        n = add(d, path, false);
    touch(d, n);
    buf_clear(&n->bytes);
    return 0;
}

static void truncate_to(struct buf *b, uint64_t size)
{
    if (size > b->len) {
        size_t more = size - b->len;
        memset(buf_grow(b, more), 0, more);
    }
    b->len = size;
}

static void write_at(struct buf *b, uint64_t offset, struct bytes data)
{
    if (data.len == 0)
        return;
    if (offset > b->len)
        truncate_to(b, offset);
    if (offset + data.len > b->len)
        buf_grow(b, offset + data.len - b->len);
    memcpy(b->data + offset, data.data, data.len);
}

static uint64_t read_at(const struct buf *b, const struct job_op *op)
{
    if (op->offset >= b->len)
        return 0;
    uint64_t left = b->len - op->offset;
    uint64_t len = op->length < left ? op->length : left;
    buf_put(op->bytes, b->data + op->offset, len);
    return len;
}

static int rename_file(struct memory_disk *d, const char *path, const char *to)
{
    struct node *old = find(d, to);

    if (find(d, path) == NULL || !has_folder(d, to, folder_len(to)))
        return ENOENT;
    if (old != NULL)
        drop(d, old);
    struct node *n = find(d, path);
    mem_free(n->path);
    n->path = mem_text(to);
    return 0;
}

static int remove_folder(struct memory_disk *d, const char *path)
{
    struct node *n = find(d, path);

    if (n == NULL)
        return ENOENT;
    if (!n->is_folder)
        return ENOTDIR;
    for (size_t i = 0; i < d->count; i++) {
        const char *other = d->nodes[i].path;
        if (folder_len(other) == strlen(path) &&
            memcmp(other, path, strlen(path)) == 0)
            return ENOTEMPTY;
    }
    drop(d, n);
    return 0;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int list(struct memory_disk *d, const struct job_op *op)
{
    size_t len = strlen(op->path);
    const char **names = mem_zero(d->count + 1, sizeof(*names));
    size_t count = 0;
    bool there = has_folder(d, op->path, len);

    for (size_t i = 0; there && i < d->count; i++) {
        const char *path = d->nodes[i].path;
        size_t above = folder_len(path);
        if (above == len && memcmp(path, op->path, len) == 0)
            names[count++] = path + (len > 0 ? len + 1 : 0);
    }
    qsort(names, count, sizeof(*names), compare_names);
    for (size_t i = 0; i < count; i++)
        buf_put(op->bytes, names[i], strlen(names[i]) + 1);
    mem_free(names);
    return there ? 0 : ENOENT;
}

/* What needs the file to be there. */
/* Nothing where there is nothing. */
static struct bytes map(const struct buf *file)
{
    if (file->len == 0)
        return (struct bytes){0};
    return bytes_of(mem_copy(file->data, file->len), file->len);
}

static int run_on_file(struct memory_disk *d, struct job_op *op)
{
    struct node *n = find(d, op->path);

    if (n == NULL)
        return ENOENT;
    if (n->is_folder)
        return EISDIR;
    switch (op->kind) {
    case JOB_READ:
        op->result = read_at(&n->bytes, op);
        return 0;
    case JOB_WRITE:
        touch(d, n);
        write_at(&n->bytes, op->offset, op->data);
        return 0;
    case JOB_TRUNCATE:
        touch(d, n);
        truncate_to(&n->bytes, op->offset);
        return 0;
    case JOB_SIZE:
        op->result = n->bytes.len;
        return 0;
    case JOB_MODE:
        op->result = n->mode;
        return 0;
    case JOB_TIME:
        op->result = (uint64_t)n->time_ms;
        return 0;
    case JOB_UNLINK:
        drop(d, n);
        return 0;
    case JOB_MAP:
        *op->mapped = map(&n->bytes);
        return 0;
    default:
        assert(op->kind == JOB_SYNC);
        return 0;
    }
}

static int run(struct memory_disk *d, struct job_op *op)
{
    switch (op->kind) {
    case JOB_MKDIR:
        return make_folders(d, op->path);
    case JOB_CREATE:
    case JOB_REPLACE:
        return create(d, op->path, op->kind == JOB_REPLACE);
    case JOB_RENAME:
        return rename_file(d, op->path, op->to);
    case JOB_RMDIR:
        return remove_folder(d, op->path);
    case JOB_LIST:
        return list(d, op);
    case JOB_SYNC_FOLDER:
        return has_folder(d, op->path, strlen(op->path)) ? 0 : ENOENT;
    default:
        return run_on_file(d, op);
    }
}

size_t memory_disk_reap(struct memory_disk *d)
{
    struct job *job = d->first;
    size_t count = 0;

    /* What done() submits waits for the next time. */
    d->first = NULL;
    d->last = &d->first;
    while (job != NULL) {
        struct job *next = job->next;
        for (uint32_t i = 0; i < job->count && job->error == 0; i++) {
            job->error = run(d, &job->op[i]);
            job->failed = job->error != 0 ? i : 0;
        }
        job->done(job);
        job = next;
        count++;
    }
    return count;
}

void memory_disk_run(struct memory_disk *d)
{
    while (memory_disk_reap(d) > 0)
        ;
}

struct buf *memory_disk_file(struct memory_disk *d, const char *path)
{
    struct node *n = find(d, path);
    return n != NULL && !n->is_folder ? &n->bytes : NULL;
}

void memory_disk_remove(struct memory_disk *d, const char *path)
{
    struct node *n = find(d, path);
    assert(n != NULL);
    drop(d, n);
}

void memory_disk_chmod(struct memory_disk *d, const char *path, unsigned mode)
{
    struct node *n = find(d, path);
    assert(n != NULL);
    n->mode = mode;
}

void memory_disk_put(struct memory_disk *d, const char *path,
                     struct bytes bytes)
{
    char *folder = mem_text(path);
    folder[folder_len(path)] = '\0';
    if (folder[0] != '\0')
        make_folders(d, folder);
    mem_free(folder);
    int rc = create(d, path, true);
    assert(rc == 0);
    buf_put_bytes(memory_disk_file(d, path), bytes);
}
