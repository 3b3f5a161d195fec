#include "chain/large.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/memory.h"
#include "chain/inside.h"

enum {
    LEAVES_STEP = 1 << 20, /* bytes of leaf hashes read at a time */
    LOOKS = 3,             /* see look_elsewhere() */
    STEP_PIECES = LARGE_STEP / LIMIT_BODY_PIECE,
};

struct large_read {
    struct chain *chain;
    struct handle handle;
    bool sealed;
    size_t piece_size;
    uint64_t pieces;
    uint64_t at;  /* the next byte to tell */
    uint64_t end; /* behind the last one */
    large_got *got;
    void *ctx;
    bool checked; /* the leaf hashes are */
    bool is_put;  /* it is looked for where it was put */
    int moves;    /* since it was found last */
    struct merkle tree;
    uint64_t leaf;      /* the next one to check */
    uint64_t wanted;    /* bytes of the hashes that are read */
    uint64_t first;     /* piece of the range, */
    uint64_t last;      /* and the one behind the last */
    struct buf leaves;  /* their hashes */
    uint64_t step_from; /* first piece of the step */
    struct buf bytes;
    struct job job;
    char path[LOG_PATH_MAX];
};

static void name_path(struct large_read *r)
{
    upload_path(r->chain->folder, r->handle.hash, r->handle.length, r->sealed,
                r->is_put, r->path);
}

struct large_read *large_open(struct chain *c, const struct handle *handle,
                              bool sealed, uint64_t offset, uint64_t length,
                              large_got *got, void *ctx)
{
    struct large_read *r = mem_zero(1, sizeof(*r));
    uint64_t whole = handle->length;
    r->chain = c;
    r->handle = *handle;
    r->sealed = sealed;
    r->piece_size = body_piece_size(sealed);
    r->pieces = body_pieces(whole, sealed);
    r->at = offset < whole ? offset : whole;
    r->end = length < whole - r->at ? r->at + length : whole;
    r->first = r->at / r->piece_size;
    r->last = body_pieces(r->end, sealed);
    r->got = got;
    r->ctx = ctx;
    merkle_init(&r->tree);
    name_path(r);
    return r;
}

void large_close(struct large_read *r)
{
    if (r == NULL)
        return;
    buf_deinit(&r->leaves);
    buf_deinit(&r->bytes);
    mem_free(r);
}

static void tell(struct large_read *r, struct bytes bytes, int code,
                 struct err *err)
{
    struct err none = {0};
    if (code != 0)
        err_wrap(err, "%s", r->path);
    r->chain->looking--;
    r->got(r->ctx, bytes, code, code != 0 ? err : &none);
}

static void fail(struct large_read *r, struct err *err)
{
    tell(r, bytes_of(NULL, 0), err->code, err);
}

static void read_at(struct large_read *r, uint64_t offset, uint64_t length,
                    void (*done)(struct job *job))
{
    buf_clear(&r->bytes);
    job_init(&r->job, 0, done, r);
    job_read(&r->job, r->path, offset, length, &r->bytes);
    job_submit(r->chain->deps.disk, &r->job);
}

/* It moves from put/ to large/, and never back: it is looked for in large/, in
 * put/, and in large/ once more. False: there is no such file. */
static bool look_elsewhere(struct large_read *r)
{
    if (++r->moves == LOOKS)
        return false;
    r->is_put = !r->is_put;
    name_path(r);
    return true;
}

/* ---- leaf hashes ---- */

static void go_on(struct large_read *r);
static void leaves_read(struct job *job);

/* With the padding in front of the first, and one byte more than there should
 * be behind the last. */
static void read_leaves(struct large_read *r)
{
    uint64_t left = (r->pieces - r->leaf) * HASH_SIZE;
    uint64_t at = body_leaves_offset(r->handle.length) + r->leaf * HASH_SIZE;
    uint64_t pad = r->leaf == 0 ? at - r->handle.length : 0;
    r->wanted = pad + (left < LEAVES_STEP ? left : LEAVES_STEP);
    read_at(r, at - pad, r->wanted + (left <= LEAVES_STEP), leaves_read);
}

static void take_leaves(struct large_read *r)
{
    for (size_t at = r->bytes.len % HASH_SIZE; at < r->bytes.len;
         at += HASH_SIZE, r->leaf++) {
        const uint8_t *leaf = r->bytes.data + at;
        merkle_append_hash(&r->tree, leaf);
        if (r->leaf >= r->first && r->leaf < r->last)
            buf_put(&r->leaves, leaf, HASH_SIZE);
    }
}

static bool leaves_are_good(const struct large_read *r)
{
    uint8_t root[HASH_SIZE];
    merkle_root(&r->tree, root);
    return memcmp(root, r->handle.hash, HASH_SIZE) == 0;
}

static int missing(struct err *err)
{
    return err_set(err, ATE_ENOT_FOUND,
                   "the file of a large body is missing; put it back from a "
                   "copy of the chain's folder");
}

static int check_leaves_read(const struct large_read *r, struct err *err)
{
    size_t pad = r->wanted % HASH_SIZE;
    if (r->bytes.len < r->wanted)
        return err_set(err, ATE_ECORRUPT,
                       "it ends within the hashes of its pieces");
    if (r->bytes.len > r->wanted)
        return err_set(err, ATE_ECORRUPT,
                       "bytes stand behind its end, offset %" PRIu64,
                       body_large_size(r->handle.length, r->sealed));
    if (!body_padding_is(bytes_of(r->bytes.data, pad)))
        return err_set(err, ATE_ECORRUPT,
                       "what stands behind the body, at offset %" PRIu64
                       ", is not its padding",
                       r->handle.length);
    return 0;
}

static void leaves_read(struct job *job)
{
    struct large_read *r = job->owner;
    struct err err;
    if (job->error == ENOENT && look_elsewhere(r)) {
        read_leaves(r);
        return;
    }
    if (job->error == ENOENT) {
        missing(&err);
    } else if (job->error != 0) {
        job_err(job, &err);
    } else if (check_leaves_read(r, &err) == 0) {
        take_leaves(r);
        r->moves = 0;
        if (r->leaf < r->pieces) {
            read_leaves(r);
            return;
        }
        r->checked = leaves_are_good(r);
        if (r->checked) {
            go_on(r);
            return;
        }
        err_set(&err, ATE_ECORRUPT,
                "the hashes of its pieces, from offset %" PRIu64
                " on, do not come to its hash",
                body_leaves_offset(r->handle.length));
    }
    fail(r, &err);
}

/* ---- pieces ---- */

static size_t piece_len(const struct large_read *r, uint64_t piece)
{
    uint64_t left = r->handle.length - piece * r->piece_size;
    return left < r->piece_size ? (size_t)left : r->piece_size;
}

static int check_pieces(const struct large_read *r, struct err *err)
{
    size_t at = 0;
    for (uint64_t p = r->step_from; at < r->bytes.len; p++) {
        struct bytes piece = bytes_of(r->bytes.data + at, piece_len(r, p));
        if (!body_piece_is(r->leaves.data + (p - r->first) * HASH_SIZE, piece))
            return err_set(err, ATE_ECORRUPT,
                           "the piece at offset %" PRIu64
                           " is not what its hash says",
                           p * r->piece_size);
        at += piece.len;
    }
    return 0;
}

static void pieces_read(struct job *job)
{
    struct large_read *r = job->owner;
    struct err err;
    uint64_t from = r->step_from * r->piece_size;
    if (job->error == ENOENT && look_elsewhere(r)) {
        go_on(r);
        return;
    }
    r->moves = 0;
    if (job->error == ENOENT) {
        missing(&err);
    } else if (job->error != 0) {
        job_err(job, &err);
    } else if (r->bytes.len != job->op[0].length) {
        err_set(&err, ATE_ECORRUPT,
                "it ends at offset %" PRIu64 ", within the body",
                from + r->bytes.len);
    } else if (check_pieces(r, &err) == 0) {
        uint64_t behind = from + r->bytes.len;
        uint64_t end = behind < r->end ? behind : r->end;
        struct bytes told =
            bytes_of(r->bytes.data + (r->at - from), (size_t)(end - r->at));
        r->at = end;
        tell(r, told, 0, NULL);
        return;
    }
    fail(r, &err);
}

static void go_on(struct large_read *r)
{
    if (r->at == r->end) {
        tell(r, bytes_of(NULL, 0), 0, NULL);
        return;
    }
    r->step_from = r->at / r->piece_size;
    uint64_t to = r->step_from + STEP_PIECES;
    if (to > r->last)
        to = r->last;
    uint64_t from = r->step_from * r->piece_size;
    uint64_t behind = to * r->piece_size;
    if (behind > r->handle.length)
        behind = r->handle.length;
    read_at(r, from, behind - from, pieces_read);
}

void large_next(struct large_read *r)
{
    r->chain->looking++;
    if (r->checked)
        go_on(r);
    else
        read_leaves(r);
}
