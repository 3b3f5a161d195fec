/* (1) A tile of level l is checked against one hash of level l + 1, which is in
 *     memory or in a tile of that level that was checked before. Levels end in
 *     memory, so each tile that is not there has one above it.
 * (2) Making a tile of a level above 0 reads the 256 tiles below it; only when
 *     their roots do not come to the right one, the leaves themselves. Since
 *     that is dear, such tiles are kept by the chain, a few of them. */
#include "chain/proving.h"

#include <assert.h>
#include <string.h>

#include "base/memory.h"
#include "chain/inside.h"
#include "chain/leaves.h"

struct place {
    unsigned level;
    uint64_t index;
};

struct held {
    struct place place;
    uint8_t bytes[TILES_TILE];
};

struct proving {
    struct chain *chain;
    struct held **held;
    size_t count;
    size_t cap;
    struct place need;
    bool stopped;

    /* A fetch under way. */
    struct place target; /* `need`, or one above it */
    uint8_t root[HASH_SIZE];
    struct tiles_read read;
    struct held *making;
    size_t made;        /* of its hashes */
    struct merkle part; /* the hash being made from leaves */
    chain_done *done;
    void *ctx;
};

struct proving *proving_new(struct chain *c)
{
    struct proving *p = mem_zero(1, sizeof(*p));
    p->chain = c;
    return p;
}

void proving_free(struct proving *p)
{
    if (p == NULL)
        return;
    assert(p->done == NULL);
    for (size_t i = 0; i < p->count; i++)
        mem_free(p->held[i]);
    mem_free(p->held);
    mem_free(p->making);
    buf_deinit(&p->read.bytes);
    mem_free(p);
}

void proving_stop(struct proving *p)
{
    p->stopped = true;
}

/* ---- what is at hand ---- */

static struct held *find(const struct proving *p, struct place place)
{
    for (size_t i = 0; i < p->count; i++)
        if (p->held[i]->place.level == place.level &&
            p->held[i]->place.index == place.index)
            return p->held[i];
    return NULL;
}

static void hold(struct proving *p, struct held *tile)
{
    p->held = mem_array_grow(p->held, p->count, &p->cap, sizeof(*p->held));
    p->held[p->count++] = tile;
}

static struct place tile_of(unsigned level, uint64_t hash)
{
    return (struct place){level, hash >> TILES_WIDTH_BITS};
}

/* Root of 2^height leaves, if memory or a tile has it. */
static bool at_hand(const struct proving *p, unsigned height, uint64_t index,
                    uint8_t out[HASH_SIZE])
{
    unsigned level = height / TILES_WIDTH_BITS;
    unsigned up = height % TILES_WIDTH_BITS;
    if (tiles_node(&p->chain->tiles, height, index, out))
        return true;
    const struct held *tile = find(p, tile_of(level, index << up));
    if (tile == NULL)
        return false;
    size_t first = (size_t)(index << up) % TILES_WIDTH;
    const uint8_t *hashes = tile->bytes + first * HASH_SIZE;
    merkle_root_of_hashes((const uint8_t(*)[HASH_SIZE])hashes, (size_t)1 << up,
                          out);
    return true;
}

static int need(struct proving *p, struct place place, struct err *err)
{
    p->need = place;
    return err_set(err, ATE_ENEED, "a tile has to be read first");
}

static int node(void *ctx, unsigned height, uint64_t index,
                uint8_t out[HASH_SIZE], struct err *err)
{
    struct proving *p = ctx;
    assert(height < 64 && index < UINT64_MAX >> height);
    assert((index + 1) << height <= p->chain->durable.size);
    if (at_hand(p, height, index, out))
        return 0;
    return need(p,
                tile_of(height / TILES_WIDTH_BITS,
                        index << (height % TILES_WIDTH_BITS)),
                err);
}

struct proof_source proving_source(struct proving *p)
{
    return (struct proof_source){.node = node, .ctx = p};
}

int proving_tile(struct proving *p, unsigned level, uint64_t index,
                 size_t width, struct buf *out, struct err *err)
{
    struct place place = {level, index};
    if (tiles_hashes(&p->chain->tiles, level, index, width, out))
        return 0;
    const struct held *tile = find(p, place);
    if (tile == NULL)
        return need(p, place, err);
    buf_put(out, tile->bytes, width * HASH_SIZE);
    return 0;
}

/* ---- tiles that the chain keeps (2) ---- */

struct spare_tiles {
    struct held tile[SPARE_TILES];
    size_t count;
    size_t next;
};

static void spare_put(struct chain *c, const struct held *tile)
{
    if (c->spare == NULL)
        c->spare = mem_zero(1, sizeof(*c->spare));
    struct spare_tiles *s = c->spare;
    s->tile[s->next] = *tile;
    s->next = (s->next + 1) % SPARE_TILES;
    if (s->count < SPARE_TILES)
        s->count++;
}

static bool spare_get(struct proving *p, struct place place)
{
    const struct spare_tiles *s = p->chain->spare;
    for (size_t i = 0; s != NULL && i < s->count; i++)
        if (s->tile[i].place.level == place.level &&
            s->tile[i].place.index == place.index) {
            hold(p, mem_copy(&s->tile[i], sizeof(s->tile[i])));
            return true;
        }
    return false;
}

/* ---- fetching ---- */

static void fetch_next(struct proving *p);

static void fetch_end(struct proving *p, int code, const struct err *err)
{
    chain_done *done = p->done;
    struct err none = {0};
    p->chain->looking--;
    p->done = NULL;
    done(p->ctx, code, code != 0 ? err : &none);
}

static bool is_right(const struct proving *p, const uint8_t *bytes)
{
    uint8_t root[HASH_SIZE];
    tiles_root(bytes, root);
    return memcmp(root, p->root, HASH_SIZE) == 0;
}

/* The tile in p->making is the right one. */
static void take_made(struct proving *p)
{
    struct held *tile = p->making;
    p->making = NULL;
    tiles_repair(&p->chain->tiles, tile->place.level, tile->place.index,
                 tile->bytes);
    if (tile->place.level > 0)
        spare_put(p->chain, tile);
    hold(p, tile);
    fetch_next(p);
}

/* ---- from leaves ---- */

static void add_made(struct proving *p, const uint8_t hash[HASH_SIZE])
{
    assert(p->made < TILES_WIDTH);
    memcpy(p->making->bytes + p->made++ * HASH_SIZE, hash, HASH_SIZE);
}

static bool leaf_read(void *ctx, uint64_t index,
                      const uint8_t leaf[LOG_LEAF_SIZE])
{
    struct proving *p = ctx;
    (void)index;
    uint64_t leaves = (uint64_t)1 << (p->target.level * TILES_WIDTH_BITS);
    merkle_append_leaf(&p->part, bytes_of(leaf, LOG_LEAF_SIZE));
    if (p->part.size == leaves) {
        uint8_t root[HASH_SIZE];
        merkle_root(&p->part, root);
        add_made(p, root);
        merkle_init(&p->part);
    }
    return !p->stopped;
}

static void leaves_done(void *ctx, int code, const struct err *why)
{
    struct proving *p = ctx;
    struct err err;
    if (code == 0 && (p->made != TILES_WIDTH || !is_right(p, p->making->bytes)))
        code = err_set(
            &err, ATE_ECORRUPT,
            "%s: transactions from %llu on are not what they were "
            "when the log was opened",
            p->chain->log.head_path,
            (unsigned long long)(p->target.index << ((p->target.level + 1) *
                                                     TILES_WIDTH_BITS)));
    else if (code != 0)
        err = *why;
    if (code != 0)
        fetch_end(p, code, &err);
    else
        take_made(p);
}

static void make_from_leaves(struct proving *p)
{
    unsigned height = (p->target.level + 1) * TILES_WIDTH_BITS;
    p->made = 0;
    merkle_init(&p->part);
    leaves_read(p->chain, p->target.index << height,
                (p->target.index + 1) << height, leaf_read, leaves_done, p);
}

/* ---- from the tiles below ---- */

static void read_below(struct proving *p);

static void below_read(struct tiles_read *read)
{
    struct proving *p = read->owner;
    uint8_t root[HASH_SIZE];
    if (read->bytes.len == 0 || p->stopped) {
        make_from_leaves(p);
        return;
    }
    tiles_root(read->bytes.data, root);
    add_made(p, root);
    if (p->made < TILES_WIDTH)
        read_below(p);
    else if (is_right(p, p->making->bytes))
        take_made(p);
    else
        make_from_leaves(p);
}

static void read_below(struct proving *p)
{
    p->read.level = p->target.level - 1;
    p->read.index = p->target.index * TILES_WIDTH + p->made;
    p->read.done = below_read;
    p->read.owner = p;
    tiles_fetch(&p->chain->tiles, &p->read);
}

/* ---- from the file ---- */

static void tile_read(struct tiles_read *read)
{
    struct proving *p = read->owner;
    p->making = mem_zero(1, sizeof(*p->making));
    p->making->place = p->target;
    p->made = 0;
    if (read->bytes.len == TILES_TILE && is_right(p, read->bytes.data)) {
        struct held *tile = p->making;
        p->making = NULL;
        memcpy(tile->bytes, read->bytes.data, TILES_TILE);
        hold(p, tile);
        fetch_next(p);
    } else if (p->target.level > 0) {
        read_below(p);
    } else {
        make_from_leaves(p);
    }
}

/* Invariant (1). */
static void fetch_next(struct proving *p)
{
    if (find(p, p->need) != NULL) {
        fetch_end(p, 0, NULL);
        return;
    }
    p->target = p->need;
    while (!at_hand(p, (p->target.level + 1) * TILES_WIDTH_BITS,
                    p->target.index, p->root)) {
        p->target = tile_of(p->target.level + 1, p->target.index);
        assert(p->target.level + 1 < TILES_LEVELS);
    }
    if (spare_get(p, p->target)) {
        fetch_next(p);
        return;
    }
    p->read.level = p->target.level;
    p->read.index = p->target.index;
    p->read.done = tile_read;
    p->read.owner = p;
    tiles_fetch(&p->chain->tiles, &p->read);
}

void proving_fetch(struct proving *p, chain_done *done, void *ctx)
{
    assert(p->done == NULL);
    p->done = done;
    p->ctx = ctx;
    p->chain->looking++;
    fetch_next(p);
}
