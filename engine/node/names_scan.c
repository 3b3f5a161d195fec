/* The fan-out folders are listed one after the other; within one, up to
 * LOOKS_MAX chains are looked at at a time.
 *
 * (1) A name counts only when the id that the genesis hashes to is that of the
 *     folder.
 * (2) No name is given before all chains were looked at: which of two with one
 *     name is found first means nothing. */
#include "node/names_scan.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/memory.h"
#include "event/genesis.h"
#include "event/ids.h"
#include "log/log.h"
#include "log/manifest.h"

enum {
    LOOKS_MAX = 32,
    LOOK_PIECE = 8 << 10, /* most geneses fit */
    ID_DIGITS = 2 * NAMES_ID_SIZE,
    FAN_DIGITS = 2,
};

/* A chain that is being looked at. */
struct look {
    struct scan *scan;
    bool busy;
    bool has_cur;
    uint8_t id[NAMES_ID_SIZE];
    char path[LOG_PATH_MAX];
    struct job job;
    struct buf bytes;
};

/* A chain that was found, with the name of its genesis. */
struct found {
    uint8_t id[NAMES_ID_SIZE];
    char *name;
};

struct scan {
    const struct disk *disk;
    struct names *names;
    struct unnamed_list *unnamed;
    names_scan_done *done;
    void *ctx;
    struct job job;
    struct buf folders; /* names in the data folder, each with a zero */
    size_t folder;      /* where in it the next one stands */
    char path[LOG_PATH_MAX];
    struct buf chains; /* names in a fan-out folder, likewise */
    size_t chain;
    struct look looks[LOOKS_MAX];
    size_t busy;
    struct found *found;
    size_t count;
    size_t cap;
};

/* ---- those without a name ---- */

void unnamed_deinit(struct unnamed_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        mem_free(list->items[i].name);
    mem_free(list->items);
    *list = (struct unnamed_list){0};
}

const struct unnamed *unnamed_find(const struct unnamed_list *list,
                                   struct bytes name)
{
    for (size_t i = 0; i < list->count; i++)
        if (name.len > 0 &&
            bytes_equal(bytes_of_text(list->items[i].name), name))
            return &list->items[i];
    return NULL;
}

static struct err *add_unnamed(struct unnamed_list *list, const uint8_t *id,
                               const char *name)
{
    list->items = mem_array_grow(list->items, list->count, &list->cap,
                                 sizeof(*list->items));
    struct unnamed *u = &list->items[list->count++];
    *u = (struct unnamed){.name = mem_text(name)};
    memcpy(u->id, id, NAMES_ID_SIZE);
    return &u->why;
}

/* ---- the end ---- */

static int by_name(const void *a, const void *b)
{
    const struct found *x = a;
    const struct found *y = b;
    int order = strcmp(x->name, y->name);
    return order != 0 ? order : memcmp(x->id, y->id, NAMES_ID_SIZE);
}

static void clash(struct scan *s, const struct found *f, const uint8_t *other)
{
    char here[LOG_PATH_MAX];
    char there[LOG_PATH_MAX];
    log_folder(here, f->id);
    log_folder(there, other);
    err_set(add_unnamed(s->unnamed, f->id, f->name), ATE_ECONFLICT,
            "two chains are called '%s', in %s and in %s: move the folder of "
            "one away",
            f->name, here, there);
}

/* Those from `from` up to `to` claim one name. */
static void name_group(struct scan *s, size_t from, size_t to)
{
    uint8_t owner[NAMES_ID_SIZE];
    const struct found *f = &s->found[from];
    bool taken = names_find(s->names, bytes_of_text(f->name), owner);
    struct err err = {0};
    if (to - from == 1 && !taken) {
        if (names_add(s->names, f->id, bytes_of_text(f->name), &err) != 0)
            *add_unnamed(s->unnamed, f->id, f->name) = err;
        return;
    }
    for (size_t i = from; i < to; i++)
        clash(s, &s->found[i],
              taken ? owner : s->found[i > from ? from : from + 1].id);
}

static void end(struct scan *s, const struct err *err)
{
    assert(s->busy == 0);
    if (s->count > 0)
        qsort(s->found, s->count, sizeof(*s->found), by_name);
    for (size_t from = 0, to = 0; from < s->count; from = to) {
        while (to < s->count &&
               strcmp(s->found[from].name, s->found[to].name) == 0)
            to++;
        if (err->code == 0)
            name_group(s, from, to);
    }
    for (size_t i = 0; i < s->count; i++)
        mem_free(s->found[i].name);
    for (size_t i = 0; i < LOOKS_MAX; i++)
        buf_deinit(&s->looks[i].bytes);
    mem_free(s->found);
    buf_deinit(&s->folders);
    buf_deinit(&s->chains);
    s->done(s->ctx, err->code, err);
    mem_free(s);
}

/* ---- one chain ---- */

static void go_on(struct scan *s);

static void look_end(struct look *l)
{
    struct scan *s = l->scan;
    l->busy = false;
    s->busy--;
    go_on(s);
}

static void unreadable(struct look *l, const struct err *why)
{
    struct err *err = add_unnamed(l->scan->unnamed, l->id, "");
    err_set(err, ATE_ECORRUPT,
            "%s: what it is called cannot be read: %s; put it back from a "
            "copy, or move the folder away",
            l->path, why->text);
    look_end(l);
}

/* Invariant (1). */
static int take_genesis(const struct look *l, const struct log_frame *frame,
                        struct bytes *name, struct err *err)
{
    struct genesis_payload payload;
    struct genesis genesis;
    uint8_t id[CHAIN_ID_SIZE];
    struct bytes raw =
        bytes_of(l->bytes.data + LOG_FRAME_HEADER, frame->payload_len);
    int rc = genesis_payload_get(raw, &payload, err);
    if (rc == 0)
        rc = genesis_get(payload.genesis, &genesis, err);
    if (rc != 0)
        return rc;
    chain_id(payload.genesis, id);
    if (memcmp(id, l->id, CHAIN_ID_SIZE) != 0)
        return err_set(err, ATE_ECORRUPT, "its genesis is another chain's");
    *name = genesis.name;
    return 0;
}

static void add_found(struct scan *s, const uint8_t *id, struct bytes name)
{
    s->found = mem_array_grow(s->found, s->count, &s->cap, sizeof(*s->found));
    struct found *f = &s->found[s->count++];
    memcpy(f->id, id, NAMES_ID_SIZE);
    f->name = mem_zero(1, name.len + 1);
    memcpy(f->name, name.data, name.len);
}

static void head_read(struct job *job);

static void read_head(struct look *l, uint64_t length)
{
    uint64_t have = l->bytes.len;
    job_init(&l->job, 0, head_read, l);
    job_size(&l->job, l->path);
    job_read(&l->job, l->path, LOG_FRAMES_START + have, length - have,
             &l->bytes);
    job_submit(l->scan->disk, &l->job);
}

static void head_read(struct job *job)
{
    struct look *l = job->owner;
    struct log_frame frame = {0};
    struct bytes name = {NULL, 0};
    struct err err = {0};
    int rc = 0;
    if (job->error != 0)
        rc = job_err(job, &err);
    else if (l->bytes.len < LOG_FRAME_HEADER)
        rc = err_set(&err, ATE_ECORRUPT, "the file is too short");
    else
        rc = log_frame_header(&frame, l->bytes.data, &err);
    uint64_t want = LOG_FRAME_HEADER + (uint64_t)frame.payload_len;
    if (rc == 0 && l->bytes.len < want && want <= 2 * LIMIT_GENESIS &&
        job->op[1].result == job->op[1].length) {
        read_head(l, want);
        return;
    }
    if (rc == 0 && l->bytes.len < want)
        rc = err_set(&err, ATE_ECORRUPT, "its first frame is no genesis");
    if (rc == 0)
        rc = take_genesis(l, &frame, &name, &err);
    /* Without `cur` there is no chain, unless it was lost. */
    uint64_t first = log_frame_size(frame.payload_len, frame.inline_len);
    if (!l->has_cur &&
        (rc != 0 || job->op[0].result <= LOG_FRAMES_START + first)) {
        look_end(l);
        return;
    }
    if (rc != 0) {
        unreadable(l, &err);
        return;
    }
    add_found(l->scan, l->id, name);
    look_end(l);
}

static void cur_read(struct job *job)
{
    struct look *l = job->owner;
    struct manifest manifest = {.generation = 1};
    char folder[LOG_PATH_MAX];
    l->has_cur = job->error != ENOENT && job->error != ENOTDIR;
    if (job->error == 0 &&
        manifest_get(&manifest, buf_bytes(&l->bytes), NULL) != 0)
        manifest.generation = 1; /* opening the chain says what is wrong */
    log_folder(folder, l->id);
    int n = snprintf(l->path, sizeof(l->path), "%s/%" PRIu64 ".head", folder,
                     manifest.generation);
    assert(n > 0 && n < (int)sizeof(l->path));
    buf_clear(&l->bytes);
    read_head(l, LOOK_PIECE);
}

static void look_at(struct scan *s, const uint8_t id[NAMES_ID_SIZE])
{
    struct look *l = s->looks;
    char folder[LOG_PATH_MAX];
    while (l->busy)
        l++;
    assert(l < s->looks + LOOKS_MAX);
    l->scan = s;
    l->busy = true;
    memcpy(l->id, id, NAMES_ID_SIZE);
    s->busy++;
    log_folder(folder, id);
    int n = snprintf(l->path, sizeof(l->path), "%s/cur", folder);
    assert(n > 0 && n < (int)sizeof(l->path));
    buf_clear(&l->bytes);
    job_init(&l->job, 0, cur_read, l);
    job_read(&l->job, l->path, 0, MANIFEST_SIZE + 1, &l->bytes);
    job_submit(s->disk, &l->job);
}

/* ---- folders ---- */

/* The next name of a list; NULL at its end. */
static const char *next_name(const struct buf *list, size_t *at)
{
    if (*at >= list->len)
        return NULL;
    const char *name = (const char *)list->data + *at;
    *at += strlen(name) + 1;
    return name;
}

static bool is_fan(const char *name)
{
    uint8_t byte;
    return strlen(name) == FAN_DIGITS && hex_get(name, FAN_DIGITS, &byte);
}

static void folder_listed(struct job *job)
{
    struct scan *s = job->owner;
    struct err err = {0};
    if (job->error != 0 && job->error != ENOTDIR && job->error != ENOENT) {
        job_err(job, &err);
        end(s, &err);
        return;
    }
    go_on(s);
}

static void list_next(struct scan *s)
{
    struct err none = {0};
    const char *name;
    do
        name = next_name(&s->folders, &s->folder);
    while (name != NULL && !is_fan(name));
    if (name == NULL) {
        end(s, &none);
        return;
    }
    snprintf(s->path, sizeof(s->path), "%s", name);
    buf_clear(&s->chains);
    s->chain = 0;
    job_init(&s->job, 0, folder_listed, s);
    job_list(&s->job, s->path, &s->chains);
    job_submit(s->disk, &s->job);
}

static void go_on(struct scan *s)
{
    uint8_t id[NAMES_ID_SIZE];
    struct bytes known;
    while (s->busy < LOOKS_MAX) {
        const char *name = next_name(&s->chains, &s->chain);
        if (name == NULL)
            break;
        if (strlen(name) == ID_DIGITS && hex_get(name, ID_DIGITS, id) &&
            memcmp(name, s->path, FAN_DIGITS) == 0 &&
            !names_of(s->names, id, &known))
            look_at(s, id);
    }
    if (s->busy == 0)
        list_next(s);
}

void names_scan(const struct disk *disk, struct names *names,
                struct unnamed_list *unnamed, names_scan_done *done, void *ctx)
{
    struct scan *s = mem_zero(1, sizeof(*s));
    assert(unnamed->count == 0);
    s->disk = disk;
    s->names = names;
    s->unnamed = unnamed;
    s->done = done;
    s->ctx = ctx;
    job_init(&s->job, 0, folder_listed, s);
    job_list(&s->job, "", &s->folders);
    job_submit(disk, &s->job);
}
