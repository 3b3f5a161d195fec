/* tiles: the hashes of a log's tree in one file, so that proofs need no replay.
 *
 * They are those of C2SP tlog-tiles: tile n of level l holds the roots of 256
 * subtrees of 256^l leaves, from leaf n * 256^(l + 1) on. Full tiles stand in
 * the file `tiles` beside the log, in the order in which they became full
 * (docs/format.md section 5); what is not full yet is in memory.
 *
 * The file is derived from the log and never trusted: whoever reads a tile
 * compares it with what is in memory (chain/proving.h). It is written behind
 * the log, by jobs on a lane of its own, and synced when that is asked for.
 * Nothing here fails: without a file, or with one that cannot be written, there
 * are only fewer tiles on disk, until the log is opened again.
 *
 * The caller owns the struct; all runs on the thread that owns the chain. */
#ifndef ATE_LOG_TILES_H
#define ATE_LOG_TILES_H

#include "crypto/merkle.h"
#include "log/log.h"

enum {
    TILES_WIDTH_BITS = 8,
    TILES_WIDTH = 1 << TILES_WIDTH_BITS, /* hashes of a full tile */
    TILES_LEVELS = 64 / TILES_WIDTH_BITS,
    TILES_TILE = TILES_WIDTH * HASH_SIZE,
    TILES_HEADER = 64,          /* bytes used of the first TILES_TILE */
    TILES_GROUP = 16,           /* written with one job */
    TILES_REPAIRS_MAX = 8,      /* that wait */
    TILES_BEHIND_MAX = 1 << 16, /* leaves that wait to be written */
};

/* Hashes of one level that are in memory. */
struct tiles_level {
    uint64_t first; /* number of the first; a multiple of TILES_WIDTH */
    size_t count;
    size_t cap;
    uint8_t (*hashes)[HASH_SIZE];
};

struct tiles_repair {
    uint64_t position;
    uint8_t *bytes;
};

struct tiles {
    /* Read these, never set them. */
    uint64_t size;   /* leaves added */
    uint64_t synced; /* tiles that are durable: those in front */

    /* Private. */
    const struct disk *disk;
    char folder[LOG_PATH_MAX];
    char path[LOG_PATH_MAX];
    uint8_t chain[LOG_CHAIN_SIZE];
    uint64_t lane;
    bool writes;
    bool known;  /* what the file has, at least that it has nothing */
    bool there;  /* the file is, and its header is good */
    bool broken; /* nothing more is written */
    bool dirty;  /* repaired since the last sync */
    bool busy;   /* `job` is under way */
    bool fresh;  /* its name is not synced yet */
    bool wants_sync;
    bool whole;       /* the log has no more leaves than were added */
    uint64_t durable; /* leaves that may be written */
    uint64_t have;    /* tiles written: those in front */
    struct tiles_level level[TILES_LEVELS];
    struct tiles_repair repairs[TILES_REPAIRS_MAX];
    size_t repair_count;
    void (*rested)(void *ctx);
    void *ctx;
    struct job job;
    uint64_t writing; /* tiles of the job */
    uint8_t header[TILES_HEADER];
    struct buf bytes;
    struct tiles_loading *loading;
};

/* ---- where tiles stand ---- */

/* The place of a full tile in the file, counted in tiles. */
uint64_t tiles_position(unsigned level, uint64_t index);
/* The tile at a place. */
void tiles_at(uint64_t position, unsigned *level, uint64_t *index);
/* Full tiles of a tree of `size` leaves; and the largest size, a multiple of
 * TILES_WIDTH, all of whose full tiles are among the first `count`. */
uint64_t tiles_count(uint64_t size);
uint64_t tiles_covered(uint64_t count);

/* ---- life ---- */

/* An empty tree. `writes`: what becomes full is written to the folder, behind
 * what is known to be durable there. `rested` (or NULL) is called whenever what
 * was under way has ended. */
void tiles_init(struct tiles *t, const struct disk *disk, const char *folder,
                const uint8_t chain[LOG_CHAIN_SIZE], bool writes,
                void (*rested)(void *ctx), void *ctx);
/* Look what the file has. To be called once where tiles are written, before or
 * while leaves are added. `is_new`: there is no file. */
void tiles_open(struct tiles *t, bool is_new);
/* All leaves that the log has were added: there cannot be more in the file. */
void tiles_opened(struct tiles *t);
void tiles_deinit(struct tiles *t); /* nothing may be under way; safe twice */

void tiles_add(struct tiles *t, const uint8_t leaf_hash[HASH_SIZE]);
/* The log is durable up to here: tiles below may be written. */
void tiles_durable(struct tiles *t, uint64_t size);
/* Nothing is under way; reads are left out. */
bool tiles_at_rest(const struct tiles *t);
/* Make durable what is full; true: that is under way, and ends with a rest. */
bool tiles_sync(struct tiles *t);
/* Write nothing more: the log failed. */
void tiles_stop(struct tiles *t);

/* ---- reading ---- */

/* The root of 2^height leaves from `index` << height on, if it is in memory. */
bool tiles_node(const struct tiles *t, unsigned height, uint64_t index,
                uint8_t out[HASH_SIZE]);
/* The first `width` hashes of a tile, appended to `out`, if in memory. */
bool tiles_hashes(const struct tiles *t, unsigned level, uint64_t index,
                  size_t width, struct buf *out);
/* Does memory come to the roots of this tree, which is no larger? */
bool tiles_agree(const struct tiles *t, const struct merkle *tree);
/* The root of a whole tile. */
void tiles_root(const uint8_t tile[TILES_TILE], uint8_t root[HASH_SIZE]);

/* Read a full tile from the file. The caller owns the struct, which stays where
 * it is until done, and compares what comes with what it knows. */
struct tiles_read {
    unsigned level;
    uint64_t index;
    void (*done)(struct tiles_read *read);
    void *owner;

    struct buf bytes; /* TILES_TILE bytes, or none; the caller's to deinit */

    struct job job; /* private */
};
void tiles_fetch(const struct tiles *t, struct tiles_read *read);

/* A tile that was found bad in the file is this instead. */
void tiles_repair(struct tiles *t, unsigned level, uint64_t index,
                  const uint8_t tile[TILES_TILE]);

/* ---- without replay ---- */

/* Fill an empty tree from the file, as if `size` leaves had been added, but for
 * the last size % TILES_WIDTH, which the caller adds when done; tiles_agree()
 * then says whether the file is to be believed. Needs size >= TILES_WIDTH, and
 * tiles_covered(tiles) >= size - size % TILES_WIDTH of a file that
 * tiles_open() has looked at. Errors, in done: CORRUPT (a tile is missing);
 * then only tiles_deinit() is allowed. */
void tiles_load(struct tiles *t, uint64_t size,
                void (*done)(void *ctx, int code, const struct err *err),
                void *ctx);
#endif
