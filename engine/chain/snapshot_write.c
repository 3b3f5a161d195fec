/* Writing a snapshot beside the work.
 *
 * A version of the state is pinned where a group ends, written by the pool and
 * the disk in turn, some pieces at a time, under another name; what has to come
 * from the owner's thread, places and meta, is added on the way. Header and
 * name come last.
 *
 * (1) `out` holds the bytes of the file from `at` on; the first `tagged` of
 *     them are whole pieces with their tags in `table`.
 * (2) A failure leaves the snapshot that was there before; another try is made
 *     when the next one is due. */
#include <string.h>

#include "base/memory.h"
#include "base/tree_writer.h"
#include "chain/inside.h"
#include "chain/snapshot.h"

enum {
    STEP = 4 * SNAPSHOT_PIECE,       /* written at a time */
    SYNC_EVERY = 16 * SNAPSHOT_PIECE /* so that the disk is never far behind */
};

enum part { PART_PAGES, PART_PLACES, PART_META, PART_END };

struct snapshotting {
    struct task task;
    struct job job;
    struct chain *chain;
    struct tree *tree;
    struct tree_pin *pin;
    struct tree_writer *writer;
    struct snapshot_head head;
    struct mac_key key;
    enum part part;
    uint64_t placed; /* places that are in `out`, or written */
    struct buf meta;
    struct buf out;
    uint64_t at;
    size_t tagged;
    struct buf table;
    uint64_t unsynced;
    uint8_t page[PAGE_BYTES];
    char path[2][LOG_PATH_MAX]; /* while it is written, and then */
};

static void end(struct snapshotting *s)
{
    struct chain *c = s->chain;
    c->snapshotting = NULL;
    tree_writer_free(s->writer);
    tree_unpin(s->tree, s->pin);
    buf_deinit(&s->meta);
    buf_deinit(&s->out);
    buf_deinit(&s->table);
    mac_key_wipe(&s->key);
    mem_free(s);
    chain_rested(c);
}

static void unlinked(struct job *job)
{
    end(job->owner);
}

/* Invariant (2). */
static void give_up(struct snapshotting *s)
{
    job_init(&s->job, 0, unlinked, s);
    job_unlink(&s->job, s->path[0]);
    job_submit(s->chain->deps.disk, &s->job);
}

/* ---- on the pool ---- */

static void tag_piece(struct snapshotting *s, size_t len)
{
    uint8_t tag[MAC_TAG_SIZE];
    snapshot_piece_tag(&s->key, s->table.len / MAC_TAG_SIZE,
                       bytes_of(s->out.data + s->tagged, len), tag);
    buf_put(&s->table, tag, MAC_TAG_SIZE);
    s->tagged += len;
}

static void work(struct task *task)
{
    struct snapshotting *s = (struct snapshotting *)task;
    if (s->part == PART_PAGES && !tree_writer_next(s->writer, STEP, &s->out))
        s->part = PART_PLACES;
    while (s->out.len - s->tagged >= SNAPSHOT_PIECE)
        tag_piece(s, SNAPSHOT_PIECE);
    if (s->part == PART_END && s->out.len > s->tagged)
        tag_piece(s, s->out.len - s->tagged);
}

/* ---- between the steps ---- */

static void put_places(struct snapshotting *s)
{
    const struct log *log = &s->chain->log;
    while (s->placed < s->head.end.frames && s->out.len < STEP) {
        struct log_place place = log_place_at(log, s->placed++);
        buf_put(&s->out, &place, sizeof(place));
    }
    if (s->placed == s->head.end.frames)
        s->part = PART_META;
}

static void put_meta(struct snapshotting *s)
{
    snapshot_meta_end(s->chain, s->head.end.transactions, &s->meta);
    buf_put_bytes(&s->out, buf_bytes(&s->meta));
    s->head.meta_len = s->meta.len;
    s->part = PART_END;
}

static void finished(struct job *job)
{
    struct snapshotting *s = job->owner;
    if (job->error != 0)
        give_up(s);
    else
        end(s);
}

static void finish(struct snapshotting *s)
{
    struct job *job = &s->job;
    s->head.root = tree_writer_root(s->writer);
    s->head.pages = tree_writer_count(s->writer);
    snapshot_head_put(s->page, &s->head, &s->key, buf_bytes(&s->table));
    job_init(job, 0, finished, s);
    job_write(job, s->path[0], s->at, buf_bytes(&s->table));
    job_write(job, s->path[0], 0, bytes_of(s->page, PAGE_BYTES));
    job_sync(job, s->path[0]);
    job_rename(job, s->path[0], s->path[1]);
    job_sync_folder(job, s->chain->log.folder);
    job_submit(s->chain->deps.disk, job);
}

static void step(struct snapshotting *s);

static void written(struct job *job)
{
    struct snapshotting *s = job->owner;
    if (job->error != 0) {
        give_up(s);
        return;
    }
    s->at += s->tagged;
    memmove(s->out.data, s->out.data + s->tagged, s->out.len - s->tagged);
    s->out.len -= s->tagged;
    s->tagged = 0;
    step(s);
}

static void write_pieces(struct snapshotting *s)
{
    job_init(&s->job, 0, written, s);
    job_write(&s->job, s->path[0], s->at, bytes_of(s->out.data, s->tagged));
    s->unsynced += s->tagged;
    if (s->unsynced >= SYNC_EVERY) {
        job_sync(&s->job, s->path[0]);
        s->unsynced = 0;
    }
    job_submit(s->chain->deps.disk, &s->job);
}

static void worked(struct task *task)
{
    struct snapshotting *s = (struct snapshotting *)task;
    if (s->tagged > 0)
        write_pieces(s);
    else
        step(s);
}

static void step(struct snapshotting *s)
{
    const struct pool *pool = s->chain->deps.pool;
    if (s->part == PART_END && s->out.len == 0) {
        finish(s);
        return;
    }
    if (s->part == PART_PLACES)
        put_places(s);
    else if (s->part == PART_META)
        put_meta(s);
    s->task.work = work;
    s->task.done = worked;
    if (pool != NULL) {
        pool->submit(pool->ctx, &s->task);
        return;
    }
    work(&s->task);
    worked(&s->task);
}

static void begun(struct job *job)
{
    struct snapshotting *s = job->owner;
    if (job->error != 0)
        end(s);
    else
        step(s);
}

/* ---- from outside ---- */

uint64_t snapshot_transactions(uint64_t entries)
{
    uint64_t share = entries / SNAPSHOT_TRANSACTIONS_SHARE;
    if (share < SNAPSHOT_TRANSACTIONS_MIN)
        return SNAPSHOT_TRANSACTIONS_MIN;
    if (share > SNAPSHOT_TRANSACTIONS_MAX)
        return SNAPSHOT_TRANSACTIONS_MAX;
    return share;
}

static uint64_t own_transactions(const struct chain *c)
{
    uint32_t own = c->deps.snapshot_transactions;
    return own != 0 ? own
                    : snapshot_transactions(tree_entries(c->core.state.tree));
}

static uint64_t snapshot_events(const struct chain *c)
{
    uint32_t own = c->deps.snapshot_events;
    uint64_t share = tree_entries(c->core.state.tree) / SNAPSHOT_SHARE;
    if (own != 0)
        return own;
    return share > SNAPSHOT_EVENTS ? share : SNAPSHOT_EVENTS;
}

static bool is_due(const struct chain *c, uint64_t transactions,
                   uint64_t events)
{
    return c->snapshotting == NULL && c->switching == NULL && !c->any_id &&
           c->log.mode == LOG_READ_WRITE && c->why.code == 0 &&
           chain_node_pair(c) != NULL &&
           (c->fresh_transactions >= transactions || c->fresh_events >= events);
}

static void pin(struct chain *c)
{
    struct snapshotting *s = mem_zero(1, sizeof(*s));
    s->chain = c;
    s->tree = c->core.state.tree;
    s->head.entries = tree_entries(s->tree);
    s->pin = tree_pin(s->tree);
    c->snapshotting = s;
    c->fresh_transactions = 0;
    c->fresh_events = 0;
}

void snapshot_pin(struct chain *c)
{
    if (is_due(c, UINT64_MAX, snapshot_events(c)))
        pin(c);
}

void snapshot_drop(struct chain *c)
{
    if (c->snapshotting != NULL && c->snapshotting->writer == NULL)
        end(c->snapshotting);
}

void snapshot_go(struct chain *c)
{
    struct snapshotting *s = c->snapshotting;
    if (s == NULL || s->writer != NULL)
        return;
    s->writer = tree_writer_new(tree_pinned(s->pin));
    s->head.end = c->log.end;
    c->deps.random(c->deps.ctx, s->head.salt, MAC_SALT_SIZE);
    mac_key_make(&s->key, chain_node_pair(c), s->head.salt);
    snapshot_meta_put(c, &s->meta);
    s->at = PAGE_BYTES;
    log_path(s->path[0], c->log.folder, "snapshot.new");
    log_path(s->path[1], c->log.folder, "snapshot");
    job_init(&s->job, 0, begun, s);
    job_replace(&s->job, s->path[0]);
    job_submit(c->deps.disk, &s->job);
}

bool snapshot_at_rest(struct chain *c)
{
    if (!is_due(c, own_transactions(c), UINT64_MAX))
        return false;
    pin(c);
    snapshot_go(c);
    return true;
}
