/* A name leads to a file by number; a file is what the disk holds, what the
 * cache holds, and which sectors differ. Changes of names wait in a list until
 * their folder is synced; when the power goes each is kept or lost by itself,
 * in order, and what lies below a lost folder is lost with it.
 *
 * Sizes: between two syncs a file may have been cut to `low` and grown again.
 * After a crash it has its old size, its new one, `low`, or any between. */
#include "sim/sim_disk.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "sim/rng.h"

enum { SECTOR = 512, FOLDER = -1 };

struct sim_file {
    struct buf disk;
    struct buf cache;
    struct buf dirty; /* one byte a sector */
    uint64_t low;
    bool size_dirty;
};

struct sim_name {
    char *path;
    int file; /* or FOLDER */
};

struct names_list {
    struct sim_name *at;
    size_t count;
    size_t cap;
};

struct name_change {
    char *path; /* gets `file`, or is removed */
    char *from; /* rename: this name goes at the same time */
    int file;
    bool removed;
};

struct sim_disk {
    struct disk interface;
    struct rng rng;
    struct sim_file *files;
    size_t files_count;
    size_t files_cap;
    struct names_list now;
    struct names_list durable;
    struct name_change *changes;
    size_t changes_count;
    size_t changes_cap;
    struct job *jobs; /* in the order they were submitted */
    uint64_t actions;
    sim_hook *hook;
    void *hook_ctx;
    struct sim_fault fault;
    uint64_t faults;
    bool dead;
};

const struct sim_named_fault sim_faults[SIM_FAULTS] = {
    {{.kind = SIM_ERROR, .error = EIO}, "EIO"},
    {{.kind = SIM_ERROR, .error = ENOSPC}, "ENOSPC"},
    {{.kind = SIM_ERROR, .error = EROFS}, "EROFS"},
    {{.kind = SIM_ERROR, .error = EMFILE}, "EMFILE"},
    {{.kind = SIM_ERROR, .error = EINTR}, "EINTR"},
    {{.kind = SIM_SHORT_WRITE, .error = ENOSPC}, "short, ENOSPC"},
    {{.kind = SIM_SHORT_WRITE, .error = EIO}, "short, EIO"},
    {{.kind = SIM_LOSES_SYNC, .error = EIO}, "lost sync"},
};

/* ---- names ---- */

static struct sim_name *list_find(const struct names_list *names,
                                  const char *path)
{
    for (size_t i = 0; i < names->count; i++)
        if (strcmp(names->at[i].path, path) == 0)
            return &names->at[i];
    return NULL;
}

static void list_remove(struct names_list *names, const char *path)
{
    struct sim_name *name = list_find(names, path);
    if (name == NULL)
        return;
    mem_free(name->path);
    *name = names->at[--names->count];
}

static void list_set(struct names_list *names, const char *path, int file)
{
    struct sim_name *name = list_find(names, path);
    if (name != NULL) {
        name->file = file;
        return;
    }
    names->at = mem_array_grow(names->at, names->count, &names->cap,
                               sizeof(*names->at));
    names->at[names->count++] =
        (struct sim_name){.path = mem_text(path), .file = file};
}

static void list_clear(struct names_list *names)
{
    for (size_t i = 0; i < names->count; i++)
        mem_free(names->at[i].path);
    names->count = 0;
}

static void list_copy(struct names_list *to, const struct names_list *from)
{
    list_clear(to);
    for (size_t i = 0; i < from->count; i++)
        list_set(to, from->at[i].path, from->at[i].file);
}

static size_t folder_len(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? (size_t)(slash - path) : 0;
}

static bool has_folder(const struct names_list *names, const char *path,
                       size_t len)
{
    for (size_t i = 0; i < names->count; i++)
        if (names->at[i].file == FOLDER && strlen(names->at[i].path) == len &&
            memcmp(names->at[i].path, path, len) == 0)
            return true;
    return len == 0;
}

static void change_free(struct name_change *c)
{
    mem_free(c->path);
    mem_free(c->from);
}

static void change_apply(struct names_list *names, const struct name_change *c)
{
    if (c->from != NULL)
        list_remove(names, c->from);
    if (c->removed)
        list_remove(names, c->path);
    else
        list_set(names, c->path, c->file);
}

static void change_add(struct sim_disk *d, struct name_change change)
{
    change.path = mem_text(change.path);
    if (change.from != NULL)
        change.from = mem_text(change.from);
    change_apply(&d->now, &change);
    d->changes = mem_array_grow(d->changes, d->changes_count, &d->changes_cap,
                                sizeof(*d->changes));
    d->changes[d->changes_count++] = change;
}

static bool is_in(const char *path, const char *folder, size_t len)
{
    return path != NULL && folder_len(path) == len &&
           memcmp(path, folder, len) == 0;
}

/* Those in the folder `path` become durable. */
static void changes_sync(struct sim_disk *d, const char *path)
{
    size_t len = strlen(path);
    size_t kept = 0;
    for (size_t i = 0; i < d->changes_count; i++) {
        struct name_change *c = &d->changes[i];
        if (is_in(c->path, path, len) || is_in(c->from, path, len)) {
            change_apply(&d->durable, c);
            change_free(c);
        } else {
            d->changes[kept++] = *c;
        }
    }
    d->changes_count = kept;
}

/* ---- files ---- */

static struct sim_file *file_of(struct sim_disk *d, const char *path)
{
    struct sim_name *name = list_find(&d->now, path);
    return name != NULL && name->file != FOLDER ? &d->files[name->file] : NULL;
}

static size_t sectors(uint64_t bytes)
{
    return (size_t)((bytes + SECTOR - 1) / SECTOR);
}

static void resize(struct buf *b, uint64_t size)
{
    if (size > b->len) {
        size_t more = size - b->len;
        memset(buf_grow(b, more), 0, more);
    }
    b->len = size;
}

static void set_size(struct sim_file *f, uint64_t size)
{
    /* What is cut off reads as zeros if the file grows again. */
    for (size_t i = (size_t)(size / SECTOR); i < sectors(f->cache.len); i++)
        f->dirty.data[i] = 1;
    f->low = size < f->low ? size : f->low;
    f->size_dirty = true;
    resize(&f->cache, size);
    if (f->dirty.len < sectors(size))
        resize(&f->dirty, sectors(size));
}

static void write_file(struct sim_file *f, uint64_t offset, struct bytes data)
{
    if (data.len == 0)
        return;
    if (offset + data.len > f->cache.len)
        set_size(f, offset + data.len);
    memcpy(f->cache.data + offset, data.data, data.len);
    /* Writing a page again makes its place in the file needed again, too. */
    f->size_dirty |= offset + data.len > f->disk.len;
    size_t last = sectors(offset + data.len);
    for (size_t i = (size_t)(offset / SECTOR); i < last; i++)
        f->dirty.data[i] = 1;
}

/* The first `len` bytes of sector i, as far as both hold them, go from the
 * cache to the disk. */
static void keep_part(struct sim_file *f, size_t i, size_t len)
{
    size_t start = i * SECTOR;
    size_t end = start + len;
    size_t size = f->disk.len < f->cache.len ? f->disk.len : f->cache.len;
    end = end < size ? end : size;
    if (start < end)
        memcpy(f->disk.data + start, f->cache.data + start, end - start);
}

static void keep_sector(struct sim_file *f, size_t i)
{
    keep_part(f, i, SECTOR);
}

static void clean(struct sim_file *f)
{
    if (f->dirty.len > 0)
        memset(f->dirty.data, 0, f->dirty.len);
    f->size_dirty = false;
    f->low = f->cache.len;
}

static void sync_file(struct sim_file *f)
{
    if (f->size_dirty)
        resize(&f->disk, f->cache.len);
    for (size_t i = 0; i < sectors(f->cache.len); i++)
        if (f->dirty.data[i])
            keep_sector(f, i);
    clean(f);
}

static void lose_sync(struct sim_file *f, struct rng *rng)
{
    if (f->size_dirty && rng_coin(rng))
        resize(&f->disk, f->cache.len);
    for (size_t i = 0; i < sectors(f->cache.len); i++)
        if (f->dirty.data[i] && rng_coin(rng))
            keep_sector(f, i);
    clean(f);
}

/* ---- the power goes ---- */

static uint64_t size_after(const struct sim_file *f, enum sim_loss loss,
                           struct rng *rng)
{
    uint64_t low = f->low < f->disk.len ? f->low : f->disk.len;
    uint64_t high = f->cache.len > f->disk.len ? f->cache.len : f->disk.len;

    if (!f->size_dirty || loss == SIM_KEEP_NONE)
        return f->disk.len;
    if (loss == SIM_KEEP_ALL)
        return f->cache.len;
    switch (rng_below(rng, 5)) {
    case 0:
        return f->disk.len;
    case 1:
        return f->low;
    case 2:
        return low + rng_below(rng, high - low + 1);
    default:
        return f->cache.len;
    }
}

/* Bytes that a file got without any write of theirs having arrived. */
static void fill(struct buf *b, uint64_t from, enum sim_loss loss,
                 struct rng *rng)
{
    uint64_t start = (from + SECTOR - 1) / SECTOR * SECTOR;
    if (loss != SIM_KEEP_GARBAGE)
        return;
    for (uint64_t i = start; i < b->len; i++)
        b->data[i] = (uint8_t)rng_next(rng);
}

static void file_lose_power(struct sim_file *f, enum sim_loss loss,
                            struct rng *rng)
{
    enum sim_loss here = loss;
    if (loss == SIM_KEEP_FILES)
        here = rng_coin(rng) ? SIM_KEEP_ALL : SIM_KEEP_NONE;
    uint64_t before = f->disk.len;
    uint64_t size = size_after(f, here, rng);
    bool some = here == SIM_KEEP_SOME || here == SIM_KEEP_GARBAGE;

    /* Cut and grown again: what stood there may be gone. */
    if (size > f->low && before > f->low && some && rng_coin(rng))
        memset(f->disk.data + f->low, 0, before - f->low);
    resize(&f->disk, size);
    if (size > before)
        fill(&f->disk, before, here, rng);
    for (size_t i = 0; i < sectors(f->cache.len); i++) {
        if (!f->dirty.data[i] || here == SIM_KEEP_NONE)
            continue;
        if (some && rng_below(rng, 8) == 0)
            keep_part(f, i, 8 * rng_below(rng, SECTOR / 8)); /* torn */
        else if (!some || rng_coin(rng))
            keep_sector(f, i);
    }
    buf_clear(&f->cache);
    buf_put_bytes(&f->cache, buf_bytes(&f->disk));
    resize(&f->dirty, sectors(size));
    clean(f);
}

/* What lies below a folder that is not there is not there. */
static void drop_unreachable(struct names_list *names)
{
    for (size_t i = 0; i < names->count;) {
        char *path = names->at[i].path;
        if (has_folder(names, path, folder_len(path))) {
            i++;
            continue;
        }
        mem_free(path);
        names->at[i] = names->at[--names->count];
        i = 0;
    }
}

static void names_lose_power(struct sim_disk *d, enum sim_loss loss,
                             struct rng *rng)
{
    for (size_t i = 0; i < d->changes_count; i++) {
        bool keep =
            loss == SIM_KEEP_ALL || (loss != SIM_KEEP_NONE && rng_coin(rng));
        if (keep)
            change_apply(&d->durable, &d->changes[i]);
        change_free(&d->changes[i]);
    }
    d->changes_count = 0;
    drop_unreachable(&d->durable);
    list_copy(&d->now, &d->durable);
}

void sim_disk_revive(struct sim_disk *d, enum sim_loss loss, uint64_t seed)
{
    struct rng rng = {seed};

    assert(d->jobs == NULL);
    d->dead = false;
    d->fault.kind = SIM_NO_FAULT;
    d->hook = NULL;
    if (loss == SIM_KEEP_CACHE)
        return;
    for (size_t i = 0; i < d->files_count; i++)
        file_lose_power(&d->files[i], loss, &rng);
    names_lose_power(d, loss, &rng);
}

void sim_disk_die(struct sim_disk *d)
{
    d->dead = true;
}

/* ---- a disk ---- */

static void submit(void *ctx, struct job *job)
{
    struct sim_disk *d = ctx;
    struct job **p = &d->jobs;
    while (*p != NULL)
        p = &(*p)->next;
    *p = job;
    job->next = NULL;
    job->failed = 0; /* the next operation, until it ends */
}

static void unmap(void *ctx, struct bytes mapped)
{
    (void)ctx;
    mem_free((void *)mapped.data);
}

struct sim_disk *sim_disk_new(uint64_t seed)
{
    struct sim_disk *d = mem_zero(1, sizeof(*d));
    d->interface = (struct disk){.ctx = d, .submit = submit, .unmap = unmap};
    d->rng.state = seed;
    return d;
}

const struct disk *sim_disk_interface(struct sim_disk *d)
{
    return &d->interface;
}

void sim_disk_free(struct sim_disk *d)
{
    if (d == NULL)
        return;
    for (size_t i = 0; i < d->files_count; i++) {
        buf_deinit(&d->files[i].disk);
        buf_deinit(&d->files[i].cache);
        buf_deinit(&d->files[i].dirty);
    }
    mem_free(d->files);
    list_clear(&d->now);
    list_clear(&d->durable);
    mem_free(d->now.at);
    mem_free(d->durable.at);
    for (size_t i = 0; i < d->changes_count; i++)
        change_free(&d->changes[i]);
    mem_free(d->changes);
    mem_free(d);
}

static struct sim_file *file_add(struct sim_disk *d)
{
    d->files = mem_array_grow(d->files, d->files_count, &d->files_cap,
                              sizeof(*d->files));
    struct sim_file *f = &d->files[d->files_count++];
    memset(f, 0, sizeof(*f));
    return f;
}

struct sim_disk *sim_disk_copy(const struct sim_disk *d, uint64_t seed)
{
    struct sim_disk *copy = sim_disk_new(seed);

    for (size_t i = 0; i < d->files_count; i++) {
        const struct sim_file *f = &d->files[i];
        struct sim_file *to = file_add(copy);
        buf_put_bytes(&to->disk, buf_bytes(&f->disk));
        buf_put_bytes(&to->cache, buf_bytes(&f->cache));
        buf_put_bytes(&to->dirty, buf_bytes(&f->dirty));
        to->low = f->low;
        to->size_dirty = f->size_dirty;
    }
    list_copy(&copy->now, &d->durable);
    list_copy(&copy->durable, &d->durable);
    for (size_t i = 0; i < d->changes_count; i++)
        change_add(copy, d->changes[i]);
    list_copy(&copy->now, &d->now);
    return copy;
}

/* ---- operations; each returns 0 or an errno ---- */

static void make_folders(struct sim_disk *d, const char *path)
{
    char *part = mem_text(path);
    size_t len = strlen(path);

    for (size_t i = 1; i <= len; i++) {
        if (path[i] != '/' && path[i] != '\0')
            continue;
        part[i] = '\0';
        if (!has_folder(&d->now, part, i))
            change_add(d, (struct name_change){.path = part, .file = FOLDER});
        part[i] = path[i];
    }
    mem_free(part);
}

static int create(struct sim_disk *d, struct job_op *op)
{
    struct sim_file *f = file_of(d, op->path);

    if (!has_folder(&d->now, op->path, folder_len(op->path)))
        return ENOENT;
    if (f != NULL && op->kind == JOB_CREATE)
        return EEXIST;
    if (f != NULL) {
        set_size(f, 0);
        return 0;
    }
    file_add(d);
    change_add(d, (struct name_change){.path = (char *)op->path,
                                       .file = (int)d->files_count - 1});
    return 0;
}

static int rename_file(struct sim_disk *d, const struct job_op *op)
{
    struct sim_name *name = list_find(&d->now, op->path);

    if (name == NULL || !has_folder(&d->now, op->to, folder_len(op->to)))
        return ENOENT;
    change_add(d, (struct name_change){.path = (char *)op->to,
                                       .from = (char *)op->path,
                                       .file = name->file});
    return 0;
}

static int remove_folder(struct sim_disk *d, const char *path)
{
    size_t len = strlen(path);

    if (!has_folder(&d->now, path, len))
        return ENOENT;
    for (size_t i = 0; i < d->now.count; i++)
        if (is_in(d->now.at[i].path, path, len))
            return ENOTEMPTY;
    change_add(d, (struct name_change){.path = (char *)path, .removed = true});
    return 0;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Names in a folder; all paths when `folder` is NULL. */
static void put_names(const struct sim_disk *d, const char *folder,
                      struct buf *out)
{
    size_t len = folder != NULL ? strlen(folder) : 0;
    const char **names = mem_zero(d->now.count + 1, sizeof(*names));
    size_t count = 0;

    for (size_t i = 0; i < d->now.count; i++) {
        const char *path = d->now.at[i].path;
        if (folder == NULL)
            names[count++] = path;
        else if (is_in(path, folder, len))
            names[count++] = path + (len > 0 ? len + 1 : 0);
    }
    qsort(names, count, sizeof(*names), compare_names);
    for (size_t i = 0; i < count; i++)
        buf_put(out, names[i], strlen(names[i]) + 1);
    mem_free(names);
}

static uint64_t read_file(const struct sim_file *f, const struct job_op *op)
{
    if (op->offset >= f->cache.len)
        return 0;
    uint64_t left = f->cache.len - op->offset;
    uint64_t len = op->length < left ? op->length : left;
    buf_put(op->bytes, f->cache.data + op->offset, len);
    return len;
}

/* Nothing where there is nothing. */
static struct bytes map(const struct buf *file)
{
    if (file->len == 0)
        return (struct bytes){0};
    return bytes_of(mem_copy(file->data, file->len), file->len);
}

static int run_on_file(struct sim_disk *d, struct job_op *op)
{
    struct sim_file *f = file_of(d, op->path);

    if (f == NULL)
        return ENOENT;
    switch (op->kind) {
    case JOB_READ:
        op->result = read_file(f, op);
        return 0;
    case JOB_WRITE:
        write_file(f, op->offset, op->data);
        return 0;
    case JOB_TRUNCATE:
        if (op->offset != f->cache.len)
            set_size(f, op->offset);
        return 0;
    case JOB_SYNC:
        sync_file(f);
        return 0;
    case JOB_MAP:
        *op->mapped = map(&f->cache);
        return 0;
    case JOB_MODE:
        op->result = 0600;
        return 0;
    case JOB_TIME:
        op->result = INT64_MAX; /* just now */
        return 0;
    case JOB_UNLINK:
        change_add(
            d, (struct name_change){.path = (char *)op->path, .removed = true});
        return 0;
    default:
        assert(op->kind == JOB_SIZE);
        op->result = f->cache.len;
        return 0;
    }
}

static int run(struct sim_disk *d, struct job_op *op)
{
    switch (op->kind) {
    case JOB_MKDIR:
        make_folders(d, op->path);
        return 0;
    case JOB_CREATE:
    case JOB_REPLACE:
        return create(d, op);
    case JOB_RENAME:
        return rename_file(d, op);
    case JOB_RMDIR:
        return remove_folder(d, op->path);
    case JOB_LIST:
    case JOB_SYNC_FOLDER:
        if (!has_folder(&d->now, op->path, strlen(op->path)))
            return ENOENT;
        if (op->kind == JOB_LIST)
            put_names(d, op->path, op->bytes);
        else
            changes_sync(d, op->path);
        return 0;
    default:
        return run_on_file(d, op);
    }
}

/* ---- faults ---- */

/* May this operation fail with this error? */
static bool fault_fits(const struct sim_fault *fault, const struct job_op *op)
{
    bool makes = op->kind == JOB_WRITE || op->kind == JOB_CREATE ||
                 op->kind == JOB_REPLACE || op->kind == JOB_MKDIR ||
                 op->kind == JOB_RENAME;
    switch (fault->kind) {
    case SIM_NO_FAULT:
        return false;
    case SIM_ERROR:
        return fault->error != ENOSPC || makes;
    case SIM_SHORT_WRITE:
        return op->kind == JOB_WRITE;
    default:
        return op->kind == JOB_SYNC;
    }
}

static bool is_faulty(const struct sim_disk *d, const struct job_op *op)
{
    uint64_t at = d->fault.action;
    bool due = d->fault.for_ever ? d->actions >= at : d->actions == at;
    return due && fault_fits(&d->fault, op);
}

static int run_faulty(struct sim_disk *d, struct job_op *op)
{
    struct sim_file *f = file_of(d, op->path);

    d->faults++;
    if (f == NULL)
        return d->fault.error;
    if (d->fault.kind == SIM_SHORT_WRITE) {
        write_file(f, op->offset, bytes_of(op->data.data, op->data.len / 2));
        return d->fault.error;
    }
    if (op->kind == JOB_SYNC)
        lose_sync(f, &d->rng);
    return d->fault.kind == SIM_LYING_SYNC ? 0 : d->fault.error;
}

/* ---- turns ---- */

/* The first job of its lane is the one that may run. */
static bool may_run(const struct sim_disk *d, const struct job *job)
{
    if (job->lane == 0)
        return true;
    for (const struct job *j = d->jobs; j != job; j = j->next)
        if (j->lane == job->lane)
            return false;
    return true;
}

static struct job *choose(struct sim_disk *d)
{
    uint64_t count = 0;
    struct job *chosen = NULL;
    for (struct job *job = d->jobs; job != NULL; job = job->next)
        if (may_run(d, job) && rng_below(&d->rng, ++count) == 0)
            chosen = job;
    return chosen;
}

static int perform(struct sim_disk *d, struct job_op *op)
{
    int rc;

    if (d->dead)
        return EIO;
    if (d->hook != NULL && d->hook(d->hook_ctx, op))
        rc = 0;
    else if (is_faulty(d, op))
        rc = run_faulty(d, op);
    else
        rc = run(d, op);
    d->actions++;
    return rc;
}

bool sim_disk_step(struct sim_disk *d)
{
    struct job *job = choose(d);

    if (job == NULL)
        return false;
    job->error = perform(d, &job->op[job->failed]);
    if (job->error == 0 && ++job->failed < job->count)
        return true;
    struct job **p = &d->jobs;
    while (*p != job)
        p = &(*p)->next;
    *p = job->next;
    job->done(job);
    return true;
}

void sim_disk_run(struct sim_disk *d)
{
    while (sim_disk_step(d))
        ;
}

uint64_t sim_disk_actions(const struct sim_disk *d)
{
    return d->actions;
}

void sim_disk_hook(struct sim_disk *d, sim_hook *hook, void *ctx)
{
    d->hook = hook;
    d->hook_ctx = ctx;
}

void sim_disk_fault(struct sim_disk *d, const struct sim_fault *fault)
{
    d->fault = *fault;
}

uint64_t sim_disk_faults(const struct sim_disk *d)
{
    return d->faults;
}

struct buf *sim_disk_file(struct sim_disk *d, const char *path)
{
    struct sim_file *f = file_of(d, path);
    return f != NULL ? &f->cache : NULL;
}

void sim_disk_names(const struct sim_disk *d, struct buf *out)
{
    put_names(d, NULL, out);
}
