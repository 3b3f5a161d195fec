/* The file of tiles.
 *
 *     offset  size  field
 *          0     8  magic "ATETIL\0\1"
 *          8    32  chain id
 *         40     8  so many tiles, from the first on, are known to be durable
 *         48    12  zeros
 *         60     4  crc of bytes 0 to 59
 *         64        zeros up to 8192; then tiles of 8192 bytes each
 *
 * (1) A tile of level 0 is full with every 256th leaf; with it, in this order,
 *     one of level 1 when that was the 256th of those, and so on. So tile n of
 *     level 0 stands behind n + n/256 + n/65536 + ... others, and place and
 *     tile follow from each other.
 * (2) `have` tiles were written, from the first on, by this process or by one
 *     that synced them. The header speaks only of tiles that were synced
 *     before it was written, so a crash leaves: those that it speaks of;
 *     behind them, anything. What is behind is written again.
 * (3) A full tile stays in memory until it is durable in the log and written
 *     here, or never will be.
 * (4) After an error nothing more is written: the header keeps the last word.
 * (5) One job at a time. A log is closed when none is under way, so a file has
 *     one writer. */
#include "log/tiles.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/crc32c.h"
#include "base/memory.h"

static const uint8_t magic[8] = "ATETIL\0\1";

static_assert(TILES_LEVELS * TILES_WIDTH_BITS == 64, "levels cover all sizes");

/* ---- where tiles stand ---- */

/* Tiles that are full when `n` of level 0 are. */
static uint64_t full_with(uint64_t n)
{
    uint64_t count = 0;
    for (; n > 0; n >>= TILES_WIDTH_BITS)
        count += n;
    return count;
}

/* The tile of level 0 that is the last one below tile `index` of a level. */
static uint64_t last_below(unsigned level, uint64_t index)
{
    return ((index + 1) << (level * TILES_WIDTH_BITS)) - 1;
}

uint64_t tiles_position(unsigned level, uint64_t index)
{
    assert(level < TILES_LEVELS);
    return full_with(last_below(level, index)) + level;
}

/* Tiles of level 0 among the first `count`, and those of other levels that
 * became full with them. */
static uint64_t leaf_tiles(uint64_t count)
{
    uint64_t low = 0;
    uint64_t high = count + 1; /* full_with(n) >= n */
    while (high - low > 1) {
        uint64_t middle = low + (high - low) / 2;
        if (full_with(middle) <= count)
            low = middle;
        else
            high = middle;
    }
    return low;
}

void tiles_at(uint64_t position, unsigned *level, uint64_t *index)
{
    uint64_t n = leaf_tiles(position);
    *level = (unsigned)(position - full_with(n));
    *index = ((n + 1) >> (*level * TILES_WIDTH_BITS)) - 1;
    assert(tiles_position(*level, *index) == position);
}

uint64_t tiles_count(uint64_t size)
{
    return full_with(size >> TILES_WIDTH_BITS);
}

uint64_t tiles_covered(uint64_t count)
{
    return leaf_tiles(count) << TILES_WIDTH_BITS;
}

static uint64_t offset_of(uint64_t position)
{
    return (position + 1) * TILES_TILE;
}

/* ---- life ---- */

void tiles_init(struct tiles *t, const struct disk *disk, const char *folder,
                const uint8_t chain[LOG_CHAIN_SIZE], bool writes,
                void (*rested)(void *ctx), void *ctx)
{
    size_t len = strlen(folder);
    *t = (struct tiles){
        .disk = disk, .writes = writes, .rested = rested, .ctx = ctx};
    log_path(t->path, folder, "tiles");
    memcpy(t->folder, folder, len + 1);
    memcpy(t->chain, chain, LOG_CHAIN_SIZE);
    t->lane = job_lane(LANE_TILES, bytes_of(folder, len));
}

void tiles_deinit(struct tiles *t)
{
    assert(tiles_at_rest(t));
    for (unsigned l = 0; l < TILES_LEVELS; l++)
        mem_free(t->level[l].hashes);
    for (size_t i = 0; i < t->repair_count; i++)
        mem_free(t->repairs[i].bytes);
    buf_deinit(&t->bytes);
    *t = (struct tiles){0};
}

bool tiles_at_rest(const struct tiles *t)
{
    return !t->busy && t->loading == NULL;
}

static void pump(struct tiles *t);
static void drop_written(struct tiles *t);

static void begin(struct tiles *t, void (*done)(struct job *job))
{
    assert(!t->busy);
    t->busy = true;
    job_init(&t->job, t->lane, done, t);
}

/* Invariant (4). */
static void give_up(struct tiles *t)
{
    t->broken = true;
    t->wants_sync = false;
    drop_written(t);
}

static void job_ended(struct tiles *t)
{
    t->busy = false;
    pump(t);
    if (!t->busy && t->rested != NULL)
        t->rested(t->ctx);
}

void tiles_stop(struct tiles *t)
{
    give_up(t);
}

/* ---- the header ---- */

static void put_header(struct tiles *t, uint64_t tiles)
{
    memset(t->header, 0, sizeof(t->header));
    memcpy(t->header, magic, sizeof(magic));
    memcpy(t->header + 8, t->chain, LOG_CHAIN_SIZE);
    put_le64(t->header + 40, tiles);
    put_le32(t->header + 60, crc32c(0, t->header, 60));
}

/* A file of a later version is left alone, what else is no file of this chain
 * is replaced. */
static void take_header(struct tiles *t, uint64_t file_size)
{
    const uint8_t *h = t->bytes.data;
    if (t->bytes.len >= sizeof(magic) &&
        memcmp(h, magic, sizeof(magic) - 1) == 0 &&
        h[sizeof(magic) - 1] > magic[sizeof(magic) - 1]) {
        give_up(t);
        return;
    }
    if (t->bytes.len < TILES_HEADER || get_le32(h + 60) != crc32c(0, h, 60) ||
        memcmp(h, magic, sizeof(magic)) != 0 ||
        memcmp(h + 8, t->chain, LOG_CHAIN_SIZE) != 0)
        return;
    uint64_t tiles = get_le64(h + 40);
    uint64_t fit =
        file_size < TILES_TILE ? 0 : (file_size - TILES_TILE) / TILES_TILE;
    t->there = true;
    t->have = tiles < fit ? tiles : fit;
    t->synced = t->have;
}

/* What the log does not fill cannot be of it. */
static void clip(struct tiles *t)
{
    uint64_t count = tiles_count(t->size);
    if (!t->whole || !t->known || t->have <= count)
        return;
    t->have = count;
    t->synced = count;
    t->dirty = true;
}

static void header_read(struct job *job)
{
    struct tiles *t = job->owner;
    t->known = true;
    if (job->error == 0)
        take_header(t, job->op[0].result);
    else if (job->error != ENOENT)
        give_up(t);
    clip(t);
    drop_written(t);
    job_ended(t);
}

void tiles_opened(struct tiles *t)
{
    t->whole = true;
    clip(t);
}

void tiles_open(struct tiles *t, bool is_new)
{
    assert(!t->known);
    t->known = !t->writes || is_new;
    if (t->known)
        return;
    begin(t, header_read);
    job_size(&t->job, t->path);
    job_read(&t->job, t->path, 0, TILES_HEADER, &t->bytes);
    job_submit(t->disk, &t->job);
}

/* ---- memory ---- */

void tiles_root(const uint8_t tile[TILES_TILE], uint8_t root[HASH_SIZE])
{
    merkle_root_of_hashes((const uint8_t(*)[HASH_SIZE])tile, TILES_WIDTH, root);
}

/* The hashes from number `from` on, if all `count` are in memory. */
static const uint8_t *in_memory(const struct tiles *t, unsigned level,
                                uint64_t from, uint64_t count)
{
    const struct tiles_level *l = &t->level[level];
    if (from < l->first || from - l->first > l->count ||
        count > l->count - (from - l->first))
        return NULL;
    return l->hashes[from - l->first];
}

static void push(struct tiles *t, unsigned level, const uint8_t *hash)
{
    struct tiles_level *l = &t->level[level];
    l->hashes =
        mem_array_grow(l->hashes, l->count, &l->cap, sizeof(l->hashes[0]));
    memcpy(l->hashes[l->count++], hash, HASH_SIZE);
    if (l->count % TILES_WIDTH == 0 && level + 1 < TILES_LEVELS) {
        uint8_t root[HASH_SIZE];
        tiles_root(l->hashes[l->count - TILES_WIDTH], root);
        push(t, level + 1, root);
    }
}

void tiles_add(struct tiles *t, const uint8_t leaf_hash[HASH_SIZE])
{
    assert(t->level[0].first + t->level[0].count == t->size);
    push(t, 0, leaf_hash);
    t->size++;
    if (t->level[0].count > TILES_BEHIND_MAX && !t->broken)
        give_up(t);
}

/* Invariant (3). */
static bool may_go(const struct tiles *t, unsigned level, uint64_t index)
{
    uint64_t last = last_below(level, index);
    if (last >= t->durable >> TILES_WIDTH_BITS)
        return false;
    return !t->writes || t->broken ||
           (t->known && tiles_position(level, index) < t->have);
}

static void drop_written(struct tiles *t)
{
    for (unsigned level = 0; level < TILES_LEVELS; level++) {
        struct tiles_level *l = &t->level[level];
        size_t go = 0;
        while (l->count - go >= TILES_WIDTH &&
               may_go(t, level, (l->first + go) >> TILES_WIDTH_BITS))
            go += TILES_WIDTH;
        if (go == 0)
            continue;
        l->first += go;
        l->count -= go;
        memmove(l->hashes, l->hashes + go, l->count * sizeof(l->hashes[0]));
    }
}

void tiles_durable(struct tiles *t, uint64_t size)
{
    assert(size >= t->durable && size <= t->size);
    bool is_tile = size >> TILES_WIDTH_BITS != t->durable >> TILES_WIDTH_BITS;
    t->durable = size;
    if (!is_tile)
        return;
    drop_written(t);
    pump(t);
}

bool tiles_node(const struct tiles *t, unsigned height, uint64_t index,
                uint8_t out[HASH_SIZE])
{
    unsigned level = height / TILES_WIDTH_BITS;
    unsigned up = height % TILES_WIDTH_BITS;
    const uint8_t *hashes = in_memory(t, level, index << up, (uint64_t)1 << up);
    if (hashes == NULL)
        return false;
    merkle_root_of_hashes((const uint8_t(*)[HASH_SIZE])hashes, (size_t)1 << up,
                          out);
    return true;
}

bool tiles_hashes(const struct tiles *t, unsigned level, uint64_t index,
                  size_t width, struct buf *out)
{
    assert(width <= TILES_WIDTH);
    const uint8_t *hashes =
        in_memory(t, level, index << TILES_WIDTH_BITS, width);
    if (hashes == NULL)
        return false;
    buf_put(out, hashes, width * HASH_SIZE);
    return true;
}

bool tiles_agree(const struct tiles *t, const struct merkle *tree)
{
    for (unsigned height = 0; height < 64; height++) {
        uint8_t node[HASH_SIZE];
        if ((tree->size >> height & 1) == 0)
            continue;
        if (!tiles_node(t, height, (tree->size >> height) - 1, node) ||
            memcmp(node, tree->peaks[height], HASH_SIZE) != 0)
            return false;
    }
    return true;
}

/* ---- writing ---- */

static void written(struct job *job)
{
    struct tiles *t = job->owner;
    if (job->error != 0) {
        give_up(t);
    } else {
        t->fresh |= !t->there;
        t->there = true;
        t->have += t->writing;
        drop_written(t);
    }
    job_ended(t);
}

/* Tiles from `have` on, as many as a job takes. */
static void collect(struct tiles *t)
{
    buf_clear(&t->bytes);
    for (t->writing = 0; t->writing < TILES_GROUP; t->writing++) {
        unsigned level;
        uint64_t index;
        tiles_at(t->have + t->writing, &level, &index);
        if (last_below(level, index) >= t->durable >> TILES_WIDTH_BITS)
            return;
        if (!tiles_hashes(t, level, index, TILES_WIDTH, &t->bytes))
            return; /* it was given up */
    }
}

static bool write_tiles(struct tiles *t)
{
    collect(t);
    if (t->writing == 0)
        return false;
    begin(t, written);
    if (!t->there) {
        put_header(t, 0);
        job_replace(&t->job, t->path);
        job_write(&t->job, t->path, 0, bytes_of(t->header, sizeof(t->header)));
    }
    job_write(&t->job, t->path, offset_of(t->have), buf_bytes(&t->bytes));
    job_submit(t->disk, &t->job);
    return true;
}

static void repaired(struct job *job)
{
    struct tiles *t = job->owner;
    mem_free(t->repairs[0].bytes);
    t->repair_count--;
    memmove(t->repairs, t->repairs + 1, t->repair_count * sizeof(*t->repairs));
    t->dirty = true;
    if (job->error != 0)
        give_up(t);
    job_ended(t);
}

static bool write_repair(struct tiles *t)
{
    if (t->repair_count == 0)
        return false;
    begin(t, repaired);
    job_write(&t->job, t->path, offset_of(t->repairs[0].position),
              bytes_of(t->repairs[0].bytes, TILES_TILE));
    job_submit(t->disk, &t->job);
    return true;
}

void tiles_repair(struct tiles *t, unsigned level, uint64_t index,
                  const uint8_t tile[TILES_TILE])
{
    uint64_t position = tiles_position(level, index);
    if (!t->there || t->broken || position >= t->have ||
        t->repair_count == TILES_REPAIRS_MAX)
        return;
    for (size_t i = 0; i < t->repair_count; i++)
        if (t->repairs[i].position == position)
            return;
    t->repairs[t->repair_count++] = (struct tiles_repair){
        .position = position,
        .bytes = mem_copy(tile, TILES_TILE),
    };
    pump(t);
}

/* Invariant (2). */
static void synced(struct job *job)
{
    struct tiles *t = job->owner;
    if (job->error != 0) {
        give_up(t);
    } else {
        t->synced = t->writing;
        t->dirty = false;
        t->fresh = false;
    }
    job_ended(t);
}

static bool is_synced(const struct tiles *t)
{
    return t->synced == t->have && !t->dirty;
}

static bool write_header(struct tiles *t)
{
    if (!t->wants_sync || is_synced(t))
        return false;
    t->writing = t->have;
    put_header(t, t->writing);
    begin(t, synced);
    job_sync(&t->job, t->path);
    job_write(&t->job, t->path, 0, bytes_of(t->header, sizeof(t->header)));
    job_sync(&t->job, t->path);
    if (t->fresh)
        job_sync_folder(&t->job, t->folder);
    job_submit(t->disk, &t->job);
    return true;
}

static void pump(struct tiles *t)
{
    if (t->busy || t->loading != NULL || !t->writes || !t->known || t->broken)
        return;
    if (!write_tiles(t) && !write_repair(t) && !write_header(t))
        t->wants_sync = false;
}

bool tiles_sync(struct tiles *t)
{
    if (!t->writes || t->broken)
        return false;
    t->wants_sync = true;
    pump(t);
    return t->busy;
}

/* ---- reading ---- */

static void fetched(struct job *job)
{
    struct tiles_read *read = job->owner;
    if (job->error != 0 || read->bytes.len < TILES_TILE)
        buf_clear(&read->bytes);
    read->done(read);
}

void tiles_fetch(const struct tiles *t, struct tiles_read *read)
{
    buf_clear(&read->bytes);
    job_init(&read->job, 0, fetched, read);
    job_read(&read->job, t->path,
             offset_of(tiles_position(read->level, read->index)), TILES_TILE,
             &read->bytes);
    job_submit(t->disk, &read->job);
}

/* ---- without replay ---- */

/* The tile of each level that is not full holds the roots of full tiles of the
 * level below; these are read, some at a time. */
struct tiles_loading {
    uint64_t size;
    unsigned level; /* being filled, from 1 on */
    size_t left;    /* tiles of the level below, still to be read for it */
    void (*done)(void *ctx, int code, const struct err *err);
    void *ctx;
    struct job job;
    struct buf tiles[TILES_GROUP];
};

static void load_some(struct tiles *t);

static void load_end(struct tiles *t, int code, const struct err *err)
{
    struct tiles_loading *o = t->loading;
    struct err none = {0};
    t->loading = NULL;
    for (size_t i = 0; i < TILES_GROUP; i++)
        buf_deinit(&o->tiles[i]);
    if (code == 0) {
        t->level[0].first = o->size - o->size % TILES_WIDTH;
        t->size = t->level[0].first;
        t->durable = t->size;
    }
    o->done(o->ctx, code, code != 0 ? err : &none);
    mem_free(o);
}

static void loaded(struct job *job)
{
    struct tiles *t = job->owner;
    struct tiles_loading *o = t->loading;
    struct err err;
    for (uint32_t i = 0; i < job->count; i++) {
        uint8_t root[HASH_SIZE];
        if (job->error != 0 || o->tiles[i].len < TILES_TILE) {
            load_end(t,
                     err_set(&err, ATE_ECORRUPT,
                             "%s: a tile of level %u is "
                             "missing",
                             t->path, o->level - 1),
                     &err);
            return;
        }
        tiles_root(o->tiles[i].data, root);
        push(t, o->level, root);
    }
    o->left -= job->count;
    load_some(t);
}

/* How many hashes the tile of a level has that is not full. */
static size_t partial(uint64_t size, unsigned level)
{
    return (size >> (level * TILES_WIDTH_BITS)) % TILES_WIDTH;
}

static void load_some(struct tiles *t)
{
    struct tiles_loading *o = t->loading;
    while (o->left == 0) {
        if (++o->level == TILES_LEVELS) {
            load_end(t, 0, NULL);
            return;
        }
        o->left = partial(o->size, o->level);
        uint64_t hashes = o->size >> (o->level * TILES_WIDTH_BITS);
        t->level[o->level].first = hashes - o->left;
    }
    uint64_t index = o->size >> (o->level * TILES_WIDTH_BITS);
    job_init(&o->job, 0, loaded, t);
    for (size_t i = 0; i < TILES_GROUP && i < o->left; i++) {
        buf_clear(&o->tiles[i]);
        job_read(&o->job, t->path,
                 offset_of(tiles_position(o->level - 1, index - o->left + i)),
                 TILES_TILE, &o->tiles[i]);
    }
    job_submit(t->disk, &o->job);
}

void tiles_load(struct tiles *t, uint64_t size,
                void (*done)(void *ctx, int code, const struct err *err),
                void *ctx)
{
    assert(t->size == 0 && size >= TILES_WIDTH && tiles_at_rest(t));
    t->loading = mem_zero(1, sizeof(*t->loading));
    t->loading->size = size;
    t->loading->done = done;
    t->loading->ctx = ctx;
    load_some(t);
}
