#include <string.h>

#include "base/msgpack.h"
#include "chain/inside.h"
#include "chain/snapshot.h"

enum { META_PARTS = 12 };

static void put_peaks(struct buf *out, const struct merkle *tree)
{
    struct buf peaks = {0};
    for (unsigned height = 0; height < 64; height++)
        if ((tree->size >> height & 1) != 0)
            buf_put(&peaks, tree->peaks[height], HASH_SIZE);
    mp_put_bin(out, buf_bytes(&peaks));
    buf_deinit(&peaks);
}

static bool take_peaks(struct merkle *tree, uint64_t size, struct bytes raw)
{
    size_t at = 0;
    *tree = (struct merkle){.size = size};
    for (unsigned height = 0; height < 64; height++) {
        if ((size >> height & 1) == 0)
            continue;
        if (raw.len - at < HASH_SIZE)
            return false;
        memcpy(tree->peaks[height], raw.data + at, HASH_SIZE);
        at += HASH_SIZE;
    }
    return at == raw.len;
}

/* In memory, as their tile is not full and durable. */
static void put_leaves(const struct chain *c, struct buf *out)
{
    struct buf leaves = {0};
    uint64_t size = c->durable.size;
    bool there = tiles_hashes(&c->tiles, 0, size >> TILES_WIDTH_BITS,
                              size % TILES_WIDTH, &leaves);
    assert(there);
    mp_put_bin(out, buf_bytes(&leaves));
    buf_deinit(&leaves);
}

void snapshot_meta_put(const struct chain *c, struct buf *out)
{
    const struct core *core = &c->core;
    struct buf history = {0};
    history_put(&c->history, c->durable.size, &history);
    mp_put_array(out, META_PARTS);
    mp_put_bin(out, buf_bytes(&core->genesis_raw));
    mp_put_bin(out, core->logic->bundle);
    mp_put_bin(out, bytes_of(core->bundle_hash, HASH_SIZE));
    mp_put_uint(out, c->durable.size);
    put_peaks(out, &c->durable);
    put_leaves(c, out);
    mp_put_bin(out, buf_bytes(&history));
    const char *failure =
        core->fold_failures > 0 ? core->fold_failure.text : "";
    mp_put_uint(out, core->fold_failures);
    mp_put_bin(out, bytes_of_text(failure));
    buf_deinit(&history);
}

void snapshot_meta_end(const struct chain *c, uint64_t size, struct buf *out)
{
    const struct rooting *r = &c->rooting;
    bool had = r->known && r->size <= size;
    mp_put_uint(out, had ? r->size : 0);
    mp_put_bool(out, had && r->told);
    mp_put_bin(out, bytes_of(r->root, HASH_SIZE));
}

struct meta {
    struct bytes genesis;
    struct bytes bundle;
    const uint8_t *bundle_hash;
    uint64_t size;
    struct bytes peaks;
    struct bytes leaves;
    struct bytes history;
    uint64_t fold_failures;
    struct bytes fold_failure;
    uint64_t rooted;
    bool told;
    const uint8_t *root;
};

static int read_meta(struct bytes raw, struct meta *m, struct err *err)
{
    struct mp mp = mp_open(raw);
    mp_get_array_of(&mp, META_PARTS, err);
    mp_get_bin(&mp, &m->genesis, err);
    mp_get_bin(&mp, &m->bundle, err);
    mp_get_bin_of(&mp, HASH_SIZE, &m->bundle_hash, err);
    mp_get_uint(&mp, &m->size, err);
    mp_get_bin(&mp, &m->peaks, err);
    mp_get_bin(&mp, &m->leaves, err);
    mp_get_bin(&mp, &m->history, err);
    mp_get_uint(&mp, &m->fold_failures, err);
    mp_get_bin(&mp, &m->fold_failure, err);
    mp_get_uint(&mp, &m->rooted, err);
    mp_get_bool(&mp, &m->told, err);
    mp_get_bin_of(&mp, HASH_SIZE, &m->root, err);
    return mp_done(&mp, err);
}

static void take_rooting(struct chain *c, const struct meta *m)
{
    uint64_t newest = m->size - m->size % rooting_every(c);
    c->rooting.size = newest;
    c->rooting.known = newest > 0 && m->rooted == newest;
    c->rooting.told = m->told;
    memcpy(c->rooting.root, m->root, HASH_SIZE);
}

static void take_core(struct core *core, const struct meta *m,
                      struct tree *tree)
{
    state_deinit(&core->state);
    state_init_mapped(&core->state, tree);
    memcpy(core->bundle_hash, m->bundle_hash, HASH_SIZE);
    core->fold_failures = m->fold_failures;
    if (m->fold_failures > 0)
        err_set(&core->fold_failure, ATE_ESCRIPT, "%.*s",
                (int)m->fold_failure.len, (const char *)m->fold_failure.data);
}

int snapshot_meta_get(struct chain *c, struct bytes meta, struct tree *tree,
                      struct bytes *leaves, struct err *err)
{
    struct meta m;
    int rc = read_meta(meta, &m, err);
    if (rc == 0 && (!take_peaks(&c->tree, m.size, m.peaks) ||
                    m.leaves.len != m.size % TILES_WIDTH * HASH_SIZE ||
                    !history_get(&c->history, m.history)))
        rc = err_set(err, ATE_ECORRUPT, "its parts do not fit");
    if (rc == 0)
        rc = core_open_with(&c->core, m.genesis, m.bundle, c->deps.logic,
                            c->deps.materializers, err);
    if (rc != 0) {
        tree_free(tree);
        return rc;
    }
    take_core(&c->core, &m, tree);
    take_rooting(c, &m);
    c->next_index = m.size;
    *leaves = m.leaves;
    return 0;
}
