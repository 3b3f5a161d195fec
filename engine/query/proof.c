/* checkpoint, proof, consistency, tile, check: what others believe without
 * believing us.
 *
 * A step tries to make the whole answer; what it lacks (a tile, a frame) is
 * read, and the next step tries again with what came. Whatever is told was
 * compared with the root of the durable log, which is in memory. */
#include <assert.h>
#include <string.h>

#include "base/hex.h"
#include "base/memory.h"
#include "base/msgpack.h"
#include "chain/checkpoint.h"
#include "chain/leaves.h"
#include "chain/proving.h"
#include "query/inside.h"
#include "event/proof_file.h"

/* What such a query has got so far. */
struct query_proof {
    struct proving *proving;
    uint64_t index; /* of a leaf, or of a tile */
    uint64_t from;
    uint64_t size; /* of the log, that it is about */
    unsigned level;
    uint64_t width;
    bool entries; /* leaves instead of hashes */
    bool has_root;
    uint8_t root[HASH_SIZE]; /* at `size` */
    struct buf note;
    bool is_given;      /* the note is the asker's */
    struct buf genesis; /* payload of frame 0 */
    struct buf payload; /* of the leaf's frame */
    uint64_t number;    /* of the leaf in it */
    struct buf leaves;  /* an entry bundle */
    uint64_t leaf_count;
    uint64_t term;   /* of the note that was shown */
    struct bytes tx; /* hex; a transaction that is to be compared */
    enum { NOT_COMPARED, SAME, ANOTHER } compared;
};

void query_proof_free(struct query_proof *p)
{
    if (p == NULL)
        return;
    proving_free(p->proving);
    buf_deinit(&p->note);
    buf_deinit(&p->genesis);
    buf_deinit(&p->payload);
    buf_deinit(&p->leaves);
    mem_free(p);
}

void query_proof_stop(struct query_proof *p)
{
    if (p != NULL)
        proving_stop(p->proving);
}

/* ---- arguments ---- */

static int begin(struct query *q, const char *const *names, struct err *err)
{
    q->proof = mem_zero(1, sizeof(*q->proof));
    q->proof->proving = proving_new(q->chain);
    return query_check_args(q, names, err);
}

/* UINT64_MAX: it is not there. */
static int take_number(struct query *q, const char *name, bool needed,
                       uint64_t *value, struct err *err)
{
    *value = UINT64_MAX;
    int rc = query_take_uint(q, name, value, err);
    if (rc == 0 && needed && *value == UINT64_MAX)
        rc = args_wrong(name, "is missing", err);
    return rc;
}

static int check_size(const struct query *q, const char *name, uint64_t size,
                      struct err *err)
{
    if (size <= chain_size(q->chain))
        return 0;
    err_set(err, ATE_ENOT_FOUND, "the log here has %llu transactions, not %llu",
            (unsigned long long)chain_size(q->chain), (unsigned long long)size);
    return err_at(err, name);
}

/* A note that the asker has; its size is then the one it is about. */
static int take_note(struct query *q, bool needed, struct err *err)
{
    struct query_proof *p = q->proof;
    struct bytes text;
    struct checkpoint checkpoint;
    int rc = query_take_text(q, "checkpoint", needed, &text, err);
    if (rc != 0 || text.data == NULL)
        return rc;
    rc = checkpoint_verify(q->chain, text, &checkpoint, &p->term, err);
    if (rc != 0)
        return err_at(err, "checkpoint");
    p->size = checkpoint.size;
    p->is_given = true;
    buf_put_bytes(&p->note, text);
    if (p->size > chain_size(q->chain))
        return err_set(err, ATE_EUNAVAILABLE,
                       "the checkpoint is of %llu transactions; the log here "
                       "has %llu, so they cannot be compared",
                       (unsigned long long)p->size,
                       (unsigned long long)chain_size(q->chain));
    return 0;
}

/* The size to be signed: as asked for, or the largest. */
static int take_size(struct query *q, struct err *err)
{
    struct query_proof *p = q->proof;
    uint64_t most = checkpoint_size(q->chain);
    int rc = take_number(q, "size", false, &p->size, err);
    if (rc != 0)
        return rc;
    if (p->size == UINT64_MAX)
        p->size = most;
    if (p->size == 0)
        return args_wrong("size", "is 1 or more", err);
    rc = check_size(q, "size", p->size, err);
    if (rc == 0 && p->size > most)
        rc = err_set(err, ATE_EUNAVAILABLE,
                     "%llu transactions are not known to be durable yet, "
                     "%llu are",
                     (unsigned long long)p->size, (unsigned long long)most);
    return rc;
}

/* ---- what has to be read ---- */

static void fetched(void *ctx, int code, const struct err *err)
{
    query_resume(ctx, code, err);
}

/* What a maker of proofs came to: on NEED, get what it needs. */
static int settle(struct query *q, int rc)
{
    if (rc != ATE_ENEED)
        return rc;
    q->waiting = true;
    proving_fetch(q->proof->proving, fetched, q);
    return STEP_WAIT;
}

/* The root at the size it is about. */
static int have_root(struct query *q, struct err *err)
{
    struct query_proof *p = q->proof;
    struct proof_source source = proving_source(p->proving);
    if (p->has_root)
        return 0;
    int rc = settle(q, proof_root(&source, p->size, p->root, err));
    p->has_root = rc == 0;
    return rc;
}

static int differs(const struct query_proof *p, struct err *err)
{
    return err_set(err, ATE_ECORRUPT,
                   "the checkpoint is of another log: its root at %llu "
                   "transactions is not the one that this chain had",
                   (unsigned long long)p->size);
}

/* The note: signed here, or shown and compared. */
static int have_note(struct query *q, struct err *err)
{
    struct query_proof *p = q->proof;
    struct checkpoint checkpoint = {.size = p->size};
    int rc = have_root(q, err);
    if (rc != 0)
        return rc;
    memcpy(checkpoint.root, p->root, HASH_SIZE);
    if (p->note.len == 0)
        return checkpoint_sign(q->chain, &checkpoint, &p->note, err);
    if (!p->is_given)
        return 0;
    rc = note_checkpoint_get(buf_bytes(&p->note), chain_core(q->chain)->id,
                             &checkpoint, err);
    if (rc == 0 && memcmp(checkpoint.root, p->root, HASH_SIZE) != 0)
        rc = differs(p, err);
    return rc;
}

static int keep_payload(void *ctx, const struct chain_tx *tx, struct err *err)
{
    struct query_proof *p = ((struct query *)ctx)->proof;
    (void)err;
    buf_put_bytes(tx->index == 0 ? &p->genesis : &p->payload, tx->payload);
    p->number = tx->index - tx->first;
    return 0;
}

static int read_payload(struct query *q, uint64_t index)
{
    q->waiting = true;
    chain_read_transactions(q->chain, index, 1, keep_payload, fetched, q);
    return STEP_WAIT;
}

/* The frames that a leaf's parts are in. */
static int have_frames(struct query *q)
{
    const struct query_proof *p = q->proof;
    if (p->genesis.len == 0)
        return read_payload(q, 0);
    if (p->index == 0 || p->payload.len > 0)
        return 0;
    return read_payload(q, p->index);
}

/* ---- checkpoint ---- */

static int checkpoint_begin(struct query *q, struct err *err)
{
    static const char *const names[] = {"size", NULL};
    int rc = begin(q, names, err);
    return rc != 0 ? rc : take_size(q, err);
}

static void put_place(struct query *q, struct mapping *m)
{
    const struct query_proof *p = q->proof;
    struct buf vkey = {0};
    mapping_uint(m, "size", p->size);
    mapping_hex(m, "root", bytes_of(p->root, HASH_SIZE));
    checkpoint_vkey(q->chain, p->size, &vkey);
    mapping_str(m, "vkey", buf_bytes(&vkey));
    buf_deinit(&vkey);
}

static int checkpoint_step(struct query *q, struct err *err)
{
    struct mapping m = {0};
    int rc = have_note(q, err);
    if (rc != 0)
        return rc;
    put_place(q, &m);
    mapping_str(&m, "checkpoint", buf_bytes(&q->proof->note));
    mapping_put(&m, &q->result);
    return STEP_END;
}

const struct query_kind query_checkpoint = {
    .name = "checkpoint", .begin = checkpoint_begin, .step = checkpoint_step};

/* ---- proof ---- */

static int proof_begin(struct query *q, struct err *err)
{
    static const char *const names[] = {"checkpoint", "index", "size", NULL};
    int rc = begin(q, names, err);
    if (rc == 0)
        rc = take_number(q, "index", true, &q->proof->index, err);
    if (rc == 0)
        rc = take_note(q, false, err);
    if (rc == 0 && !q->proof->is_given)
        rc = take_size(q, err);
    if (rc == 0 && q->proof->index >= q->proof->size) {
        rc = err_set(err, ATE_ENOT_FOUND,
                     "transaction %llu is not among the %llu that the "
                     "checkpoint covers",
                     (unsigned long long)q->proof->index,
                     (unsigned long long)q->proof->size);
        err_at(err, "index");
    }
    return rc;
}

static bool find_key(void *ctx, const uint8_t id[KEY_ID_SIZE],
                     struct key_record *record)
{
    struct query *q = ctx;
    struct author author;
    return state_author(chain_version(q->chain), id, &author) &&
           key_record_decode(author.record, record, NULL) == 0;
}

static int put_proof(struct query *q, const struct proof *proof,
                     struct err *err)
{
    struct query_proof *p = q->proof;
    struct buf extra = {0};
    struct buf text = {0};
    struct mapping m = {0};
    uint8_t hash[HASH_SIZE];
    struct proof_leaf leaf = {
        .genesis_payload = buf_bytes(&p->genesis),
        .payload = buf_bytes(&p->payload),
        .number = p->number,
        .index = p->index,
        .suite = chain_core(q->chain)->genesis.suite,
        .chain = chain_core(q->chain)->id,
        .find_key = find_key,
        .ctx = q,
    };
    int rc = proof_file_extra(&extra, &leaf, hash, err);
    if (rc == 0)
        rc =
            proof_check_inclusion(proof, hash, p->index, p->size, p->root, err);
    if (rc == 0) {
        proof_file_put(&text, buf_bytes(&extra), p->index, proof,
                       buf_bytes(&p->note));
        put_place(q, &m);
        mapping_uint(&m, "index", p->index);
        mapping_str(&m, "proof", buf_bytes(&text));
        mapping_put(&m, &q->result);
    }
    buf_deinit(&extra);
    buf_deinit(&text);
    return rc;
}

static int proof_step(struct query *q, struct err *err)
{
    struct query_proof *p = q->proof;
    struct proof_source source = proving_source(p->proving);
    struct proof proof;
    int rc = have_note(q, err);
    if (rc == 0)
        rc = have_frames(q);
    if (rc == 0)
        rc =
            settle(q, proof_inclusion(&source, p->index, p->size, &proof, err));
    if (rc == 0)
        rc = put_proof(q, &proof, err);
    return rc != 0 ? rc : STEP_END;
}

const struct query_kind query_proof = {
    .name = "proof", .begin = proof_begin, .step = proof_step};

/* ---- consistency ---- */

static int consistency_begin(struct query *q, struct err *err)
{
    static const char *const names[] = {"from", "to", NULL};
    struct query_proof *p;
    int rc = begin(q, names, err);
    p = q->proof;
    if (rc == 0)
        rc = take_number(q, "from", true, &p->from, err);
    if (rc == 0)
        rc = take_number(q, "to", false, &p->size, err);
    if (rc == 0 && p->size == UINT64_MAX)
        p->size = chain_size(q->chain);
    if (rc == 0)
        rc = check_size(q, "to", p->size, err);
    if (rc == 0 && p->from > p->size)
        rc = check_size(q, "from", p->from, err);
    if (rc == 0 && p->from > p->size)
        rc = args_wrong("from", "is at most 'to'", err);
    return rc;
}

static int consistency_step(struct query *q, struct err *err)
{
    struct query_proof *p = q->proof;
    struct proof_source source = proving_source(p->proving);
    struct proof proof;
    struct mapping m = {0};
    uint8_t from_root[HASH_SIZE];
    int rc = have_root(q, err);
    if (rc == 0)
        rc = settle(q, proof_root(&source, p->from, from_root, err));
    if (rc == 0)
        rc = settle(q,
                    proof_consistency(&source, p->from, p->size, &proof, err));
    if (rc == 0)
        rc = proof_check_consistency(&proof, p->from, from_root, p->size,
                                     p->root, err);
    if (rc != 0)
        return rc;
    mapping_uint(&m, "from", p->from);
    mapping_hex(&m, "from_root", bytes_of(from_root, HASH_SIZE));
    mapping_uint(&m, "to", p->size);
    mapping_hex(&m, "to_root", bytes_of(p->root, HASH_SIZE));
    struct buf *out = mapping_key(&m, "hashes");
    mp_put_array(out, (uint32_t)proof.count);
    for (size_t i = 0; i < proof.count; i++) {
        struct buf hex = {0};
        hex_put(&hex, bytes_of(proof.hashes[i], HASH_SIZE));
        mp_put_str(out, buf_bytes(&hex));
        buf_deinit(&hex);
    }
    mapping_put(&m, &q->result);
    return STEP_END;
}

const struct query_kind query_consistency = {.name = "consistency",
                                             .begin = consistency_begin,
                                             .step = consistency_step};

/* ---- tile ---- */

static int take_level(struct query *q, struct err *err)
{
    struct query_proof *p = q->proof;
    struct bytes text;
    uint64_t level;
    if (query_take_text(q, "level", false, &text, NULL) == 0 &&
        bytes_equal(text, bytes_of_text("entries"))) {
        p->entries = true;
        return 0;
    }
    int rc = take_number(q, "level", true, &level, err);
    if (rc == 0 && level >= TILES_LEVELS) {
        rc = err_set(err, ATE_ENOT_FOUND,
                     "no log is so large that it has tiles of level %llu",
                     (unsigned long long)level);
        err_at(err, "level");
    }
    p->level = (unsigned)level;
    return rc;
}

static int tile_begin(struct query *q, struct err *err)
{
    static const char *const names[] = {"index", "level", "width", NULL};
    struct query_proof *p;
    int rc = begin(q, names, err);
    p = q->proof;
    if (rc == 0)
        rc = take_level(q, err);
    if (rc == 0)
        rc = take_number(q, "index", true, &p->index, err);
    if (rc == 0)
        rc = take_number(q, "width", false, &p->width, err);
    if (rc != 0)
        return rc;
    p->size = chain_size(q->chain);
    uint64_t hashes = p->size >> (p->level * TILES_WIDTH_BITS);
    uint64_t there = 0;
    if (p->index <= hashes >> TILES_WIDTH_BITS)
        there = hashes - (p->index << TILES_WIDTH_BITS);
    there = there < TILES_WIDTH ? there : TILES_WIDTH;
    if (p->width == UINT64_MAX)
        p->width = there;
    if (there == 0 || p->width == 0 || p->width > there)
        return err_set(err, ATE_ENOT_FOUND,
                       "a log of %llu transactions has no such tile",
                       (unsigned long long)p->size);
    return 0;
}

static bool add_leaf(void *ctx, uint64_t index,
                     const uint8_t leaf[LOG_LEAF_SIZE])
{
    struct query *q = ctx;
    uint8_t length[2] = {LOG_LEAF_SIZE >> 8, LOG_LEAF_SIZE & 0xff};
    (void)index;
    buf_put(&q->proof->leaves, length, sizeof(length));
    buf_put(&q->proof->leaves, leaf, LOG_LEAF_SIZE);
    q->proof->leaf_count++;
    return !q->canceled;
}

/* Each leaf has the hash that the tile has for it. */
static int check_leaves(const struct query_proof *p, const struct buf *hashes,
                        struct err *err)
{
    enum { STEP = 2 + LOG_LEAF_SIZE };
    for (uint64_t i = 0; i < p->width; i++) {
        uint8_t hash[HASH_SIZE];
        hash_leaf(bytes_of(p->leaves.data + i * STEP + 2, LOG_LEAF_SIZE), hash);
        if (memcmp(hash, hashes->data + i * HASH_SIZE, HASH_SIZE) != 0)
            return err_set(err, ATE_ECORRUPT,
                           "transaction %llu is not what it was when the log "
                           "was opened",
                           (unsigned long long)(p->index * TILES_WIDTH + i));
    }
    return 0;
}

static int tile_step(struct query *q, struct err *err)
{
    struct query_proof *p = q->proof;
    struct buf hashes = {0};
    struct mapping m = {0};
    int rc = settle(q, proving_tile(p->proving, p->level, p->index, p->width,
                                    &hashes, err));
    if (rc == 0 && p->entries && p->leaf_count < p->width) {
        uint64_t first = p->index << TILES_WIDTH_BITS;
        q->waiting = true;
        leaves_read(q->chain, first, first + p->width, add_leaf, fetched, q);
        rc = STEP_WAIT;
    } else if (rc == 0 && p->entries) {
        rc = check_leaves(p, &hashes, err);
    }
    if (rc == 0) {
        mapping_uint(&m, "width", p->width);
        mp_put_bin(mapping_key(&m, "data"),
                   buf_bytes(p->entries ? &p->leaves : &hashes));
        mapping_put(&m, &q->result);
        rc = STEP_END;
    }
    buf_deinit(&hashes);
    return rc;
}

const struct query_kind query_tile = {
    .name = "tile", .begin = tile_begin, .step = tile_step};

/* ---- check ---- */

/* A checkpoint that somebody shows, and perhaps a transaction under it. */
static int check_begin(struct query *q, struct err *err)
{
    static const char *const names[] = {"checkpoint", "index", "tx", NULL};
    struct query_proof *p;
    int rc = begin(q, names, err);
    p = q->proof;
    if (rc == 0)
        rc = take_note(q, true, err);
    if (rc == 0)
        rc = take_number(q, "index", false, &p->index, err);
    if (rc == 0)
        rc = query_take_text(q, "tx", p->index != UINT64_MAX, &p->tx, err);
    if (rc == 0 && p->tx.data != NULL && p->index >= p->size)
        rc = err_set(err, ATE_ECORRUPT,
                     "the checkpoint does not cover transaction %llu",
                     (unsigned long long)p->index);
    return rc;
}

static int compare_tx(void *ctx, const struct chain_tx *tx, struct err *err)
{
    struct query *q = ctx;
    struct query_proof *p = q->proof;
    const struct core *core = chain_core(q->chain);
    uint8_t id[TX_ID_SIZE];
    uint8_t wanted[TX_ID_SIZE];
    (void)err;
    memcpy(id, core->id, TX_ID_SIZE); /* of genesis */
    if (tx->member != NULL)
        batch_member_id(tx->member, core->genesis.suite, core->id, id);
    bool is_it = p->tx.len == 2 * TX_ID_SIZE &&
                 hex_get((const char *)p->tx.data, p->tx.len, wanted) &&
                 memcmp(wanted, id, TX_ID_SIZE) == 0;
    p->compared = is_it ? SAME : ANOTHER;
    return 0;
}

static int check_step(struct query *q, struct err *err)
{
    struct query_proof *p = q->proof;
    struct mapping m = {0};
    int rc = have_note(q, err);
    if (rc == 0 && p->tx.data != NULL && p->compared == NOT_COMPARED) {
        q->waiting = true;
        chain_read_transactions(q->chain, p->index, 1, compare_tx, fetched, q);
        return STEP_WAIT;
    }
    if (rc == 0 && p->compared == ANOTHER)
        rc = err_set(err, ATE_ECORRUPT,
                     "transaction %llu of this chain is another one",
                     (unsigned long long)p->index);
    if (rc != 0)
        return rc;
    put_place(q, &m);
    mapping_uint(&m, "term", p->term);
    if (p->tx.data != NULL)
        mapping_uint(&m, "index", p->index);
    mapping_put(&m, &q->result);
    return STEP_END;
}

const struct query_kind query_check = {
    .name = "check", .begin = check_begin, .step = check_step};
