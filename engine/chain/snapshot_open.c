/* Opening from a snapshot.
 *
 * All of the file is compared with its tags before anything in it is believed:
 * by the pool, at several GB a second. Then core, history and the log's tree
 * are as they were, the state's pages are mapped, and the tiles of the tree
 * come from their own file. */
#include <string.h>

#include "base/memory.h"
#include "base/tree_writer.h"
#include "chain/inside.h"
#include "chain/snapshot.h"

enum { SCANS = 4 };

/* Every SCANS-th piece. */
struct scan {
    struct task task;
    struct resuming *resuming;
    uint64_t first;
    bool good;
};

struct resuming {
    struct chain *chain;
    snapshot_then *then;
    struct job job;
    struct buf mark;
    struct bytes file;
    struct snapshot_head head;
    struct mac_key key;
    struct scan scans[SCANS];
    size_t scanning;
    struct bytes leaves;
    bool waits_for_tiles;
    char path[LOG_PATH_MAX];
};

static void end(struct resuming *r, bool found)
{
    struct chain *c = r->chain;
    snapshot_then *then = r->then;
    c->resuming = NULL;
    mac_key_wipe(&r->key);
    buf_deinit(&r->mark);
    mem_free(r);
    if (found)
        changes_forget(&c->changes, c->next_index);
    then(c, found);
}

/* Whatever is in doubt: the log knows better. */
static void pass_by(struct resuming *r)
{
    chain_forget(r->chain);
    end(r, false);
}

void snapshot_unmap(struct chain *c)
{
    if (c->resumed.file.len > 0)
        c->deps.disk->unmap(c->deps.disk->ctx, c->resumed.file);
    memset(&c->resumed, 0, sizeof(c->resumed));
}

/* ---- tiles ---- */

static void add_leaves(struct resuming *r)
{
    struct tiles *tiles = &r->chain->tiles;
    for (size_t at = 0; at < r->leaves.len; at += HASH_SIZE)
        tiles_add(tiles, r->leaves.data + at);
    tiles_durable(tiles, tiles->size);
}

static void tiles_loaded(void *ctx, int code, const struct err *err)
{
    struct resuming *r = ctx;
    struct chain *c = r->chain;
    (void)err;
    if (code == 0)
        add_leaves(r);
    if (code != 0 || !tiles_agree(&c->tiles, &c->tree)) {
        pass_by(r);
        return;
    }
    c->resumed.start = (struct log_start){
        .end = r->head.end,
        .places = (const struct log_place *)(r->file.data +
                                             snapshot_places_at(&r->head)),
    };
    end(r, true);
}

static void load_tiles(struct resuming *r)
{
    struct chain *c = r->chain;
    uint64_t size = c->next_index;
    r->waits_for_tiles = false;
    if (c->mode == LOG_READ_WRITE &&
        tiles_covered(c->tiles.have) < size - size % TILES_WIDTH)
        pass_by(r);
    else if (size >= TILES_WIDTH)
        tiles_load(&c->tiles, size, tiles_loaded, r);
    else
        tiles_loaded(r, 0, NULL);
}

void snapshot_tiles_rest(struct chain *c)
{
    if (c->resuming != NULL && c->resuming->waits_for_tiles)
        load_tiles(c->resuming);
}

/* ---- the core ---- */

static bool restore(struct resuming *r)
{
    struct chain *c = r->chain;
    struct err err;
    struct tree *tree = tree_new_mapped(r->file.data, r->head.pages,
                                        r->head.root, r->head.entries);
    struct bytes meta =
        bytes_of(r->file.data + snapshot_meta_at(&r->head), r->head.meta_len);
    return snapshot_meta_get(c, meta, tree, &r->leaves, &err) == 0 &&
           memcmp(c->core.id, r->head.end.chain, CHAIN_ID_SIZE) == 0 &&
           c->next_index == r->head.end.transactions;
}

static void scanned(struct task *task)
{
    struct scan *scan = (struct scan *)task;
    struct resuming *r = scan->resuming;
    struct chain *c = r->chain;
    bool good = true;
    if (--r->scanning > 0)
        return;
    for (size_t i = 0; i < SCANS; i++)
        good &= r->scans[i].good;
    if (!good || !restore(r)) {
        pass_by(r);
        return;
    }
    chain_begin_tiles(c);
    r->waits_for_tiles = true;
    if (tiles_at_rest(&c->tiles))
        load_tiles(r);
}

static void scan(struct task *task)
{
    struct scan *s = (struct scan *)task;
    struct resuming *r = s->resuming;
    uint64_t pieces = snapshot_pieces(&r->head);
    s->good = true;
    for (uint64_t i = s->first; i < pieces && s->good; i += SCANS)
        s->good = snapshot_piece_check(&r->head, r->file, &r->key, i);
}

static void begin_scans(struct resuming *r)
{
    const struct pool *pool = r->chain->deps.pool;
    r->scanning = SCANS;
    for (size_t i = 0; i < SCANS; i++)
        r->scans[i] = (struct scan){
            .task = {.work = scan, .done = scanned},
            .resuming = r,
            .first = i,
        };
    for (size_t i = 0; i < SCANS; i++) {
        struct task *task = &r->scans[i].task;
        if (pool != NULL) {
            pool->submit(pool->ctx, task);
            continue;
        }
        scan(task);
        scanned(task); /* the last one ends `r` */
    }
}

/* ---- the files ---- */

static bool head_is_good(struct resuming *r)
{
    struct chain *c = r->chain;
    if (snapshot_head_get(&r->head, r->file, NULL) != 0 ||
        memcmp(r->head.end.chain, c->id, CHAIN_ID_SIZE) != 0)
        return false;
    mac_key_make(&r->key, chain_node_pair(c), r->head.salt);
    return snapshot_head_check(&r->head, r->file, &r->key);
}

static void mapped(struct job *job)
{
    struct resuming *r = job->owner;
    if (job->error != 0) {
        end(r, false);
        return;
    }
    r->chain->resumed.file = r->file;
    if (head_is_good(r)) {
        verified_says(r->chain, &r->head.end);
        begin_scans(r);
    } else {
        pass_by(r);
    }
}

static void mark_read(struct job *job)
{
    struct resuming *r = job->owner;
    struct chain *c = r->chain;
    struct verified mark = {.end = {.frames = 0}};
    if (job->error == 0)
        verified_get(c, buf_bytes(&r->mark), &mark);
    verified_says(c, &mark.end);
    if (c->check_bodies) {
        end(r, false);
        return;
    }
    c->verified = mark;
    log_path(r->path, c->folder, "snapshot");
    job_init(&r->job, 0, mapped, r);
    job_map(&r->job, r->path, &r->file);
    job_submit(c->deps.disk, &r->job);
}

void snapshot_open(struct chain *c, snapshot_then *then)
{
    if (c->careful || c->any_id || chain_node_pair(c) == NULL) {
        then(c, false);
        return;
    }
    struct resuming *r = mem_zero(1, sizeof(*r));
    r->chain = c;
    r->then = then;
    c->resuming = r;
    log_path(r->path, c->folder, "verified");
    job_init(&r->job, 0, mark_read, r);
    job_read(&r->job, r->path, 0, VERIFIED_SIZE + 1, &r->mark);
    job_submit(c->deps.disk, &r->job);
}
