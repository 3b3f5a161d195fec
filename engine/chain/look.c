/* Looking at stored transactions and bodies: reads that run beside everything
 * else. */
#include <assert.h>
#include <string.h>

#include "base/memory.h"
#include "base/msgpack.h"
#include "chain/inside.h"
#include "chain/last_frame.h"
#include "schema/value.h"

int64_t chain_time_at(const struct chain *c, uint64_t index)
{
    int64_t time = (int64_t)c->core.genesis.log_time;
    state_time_at(chain_version(c), index, &time);
    return time;
}

/* ---- jobs ---- */

void chain_job_begin(struct chain *c, struct job *job)
{
    c->looking++;
    job_submit(c->deps.disk, job);
}

void chain_job_end(struct chain *c)
{
    c->looking--;
}

/* ---- transactions ---- */

struct reading {
    struct chain *chain;
    uint64_t from;
    uint64_t to; /* not included */
    chain_visit *visit;
    chain_done *done;
    void *ctx;
    struct log_read read;
};

static void reading_end(struct reading *r, int code, const struct err *err)
{
    struct err none = {0};
    r->chain->looking--;
    r->done(r->ctx, code, err != NULL ? err : &none);
    buf_deinit(&r->read.bytes);
    mem_free(r);
}

static void reading_next(struct reading *r);

static int visit_members(struct reading *r, const struct log_frame *frame,
                         struct bytes payload, struct err *err)
{
    struct batch_reader batch;
    struct batch_member m;
    struct chain_tx tx = {frame->index, frame->index, payload, &batch, &m};
    int rc = batch_open(&batch, payload, err);
    while (rc == 0 && (rc = batch_next(&batch, &m, err)) == 1) {
        rc = 0;
        if (m.refused)
            continue;
        if (tx.index >= r->from && tx.index < r->to)
            rc = r->visit(r->ctx, &tx, err);
        tx.index++;
    }
    return rc;
}

static void frame_read(struct log_read *read, int code, const struct err *why)
{
    struct reading *r = read->owner;
    struct bytes payload = buf_bytes(&read->bytes);
    struct chain_tx genesis = {.payload = payload};
    struct err err = {0};
    if (code != 0)
        err = *why;
    else if (read->header.type == LOG_GENESIS)
        code = r->visit(r->ctx, &genesis, &err);
    else
        code = visit_members(r, &read->header, payload, &err);
    if (code != 0) {
        reading_end(r, code, &err);
        return;
    }
    r->from = read->header.index + read->header.count;
    reading_next(r);
}

static void reading_next(struct reading *r)
{
    uint64_t frame = 0;
    if (r->from >= r->to) {
        reading_end(r, 0, NULL);
        return;
    }
    if (!log_find(&r->chain->log, r->from, &frame)) {
        struct err err;
        reading_end(r,
                    err_set(&err, ATE_ENOT_FOUND, "no transaction %llu",
                            (unsigned long long)r->from),
                    &err);
        return;
    }
    buf_clear(&r->read.bytes);
    r->read.frame = frame;
    r->read.part = LOG_PAYLOAD;
    r->read.offset = 0;
    r->read.length = UINT64_MAX;
    r->read.done = frame_read;
    r->read.owner = r;
    log_read(&r->chain->log, &r->read);
}

void chain_read_transactions(struct chain *c, uint64_t from, uint64_t count,
                             chain_visit *visit, chain_done *done, void *ctx)
{
    struct reading *r = mem_zero(1, sizeof(*r));
    r->chain = c;
    r->from = from;
    r->to = from + count < from ? UINT64_MAX : from + count;
    if (r->to > c->durable.size)
        r->to = c->durable.size;
    r->visit = visit;
    r->done = done;
    r->ctx = ctx;
    c->looking++;
    reading_next(r);
}

/* ---- events and their bodies ---- */

struct fetching {
    struct chain *chain;
    uint64_t index;
    uint64_t n;
    uint64_t frame;
    struct last_frame own;
    struct last_frame *kept; /* `own`, or who asks keeps it */
    chain_event *got;        /* or, of a body that has to be there, */
    chain_body *got_body;
    void *ctx;
    struct event_header header; /* within what is kept */
    struct bytes raw;
    struct log_read read;
};

static void fetching_end(struct fetching *f, struct bytes body, int code,
                         struct err *err)
{
    struct err none = {0};
    if (code != 0)
        err_wrap(err, "chain %.*s: body of %llu.%llu",
                 (int)f->chain->core.genesis.name.len,
                 (const char *)f->chain->core.genesis.name.data,
                 (unsigned long long)f->index, (unsigned long long)f->n);
    f->chain->looking--;
    if (f->got_body != NULL)
        f->got_body(f->ctx, body, code, code != 0 ? err : &none);
    else
        f->got(f->ctx, f->raw, body, code, code != 0 ? err : &none);
    buf_deinit(&f->read.bytes);
    last_frame_drop(&f->own);
    mem_free(f);
}

static void fetching_fail(struct fetching *f, int code, struct err *err)
{
    fetching_end(f, bytes_of(NULL, 0), code, err);
}

/* Its hash is the header's, and it is what the type says: who wrote the log may
 * have judged neither. */
static int check_body(const struct fetching *f, struct bytes body,
                      struct err *err)
{
    const struct schema *schema = f->chain->core.schema;
    const struct event_header *h = &f->header;
    const struct event_type *type = schema_type(schema, h->type);
    int rc = body_check(body, h->body_length, h->body_hash, err);
    if (rc == 0) /* of the engine's own all are values */
        rc = type != NULL ? body_fits(schema, type, body, type->name, err)
                          : mp_check(body, err);
    if (rc == 0)
        return 0;
    const struct log_read *r = &f->read;
    if (r->part == LOG_BODIES)
        err_wrap(err, "%s at offset %llu", r->path,
                 (unsigned long long)(r->header.body_offset + r->offset));
    else
        err_wrap(err, "%s: frame %llu", f->chain->log.head_path,
                 (unsigned long long)f->frame);
    return err->code = ATE_ECORRUPT;
}

static void body_read(struct log_read *read, int code, const struct err *why)
{
    struct fetching *f = read->owner;
    struct err err = {0};
    if (code != 0)
        err = *why;
    else
        code = check_body(f, buf_bytes(&read->bytes), &err);
    fetching_end(f, buf_bytes(&read->bytes), code, &err);
}

static void give_inlined(struct fetching *f, uint64_t from)
{
    struct bytes part = f->kept->frame.inlined;
    uint64_t length = f->header.body_length;
    struct err err = {0};
    if (from > part.len || length > part.len - from) {
        fetching_fail(
            f,
            err_set(&err, ATE_ECORRUPT, "%s: frame %llu is too short for it",
                    f->chain->log.head_path, (unsigned long long)f->frame),
            &err);
        return;
    }
    struct bytes body = bytes_of(part.data + from, (size_t)length);
    int rc = check_body(f, body, &err);
    fetching_end(f, body, rc, &err);
}

static void read_body(struct fetching *f, uint64_t from)
{
    f->read = (struct log_read){
        .frame = f->frame,
        .part = LOG_BODIES,
        .offset = from,
        .length = f->header.body_length,
        .done = body_read,
        .owner = f,
    };
    log_read(&f->chain->log, &f->read);
}

/* Nothing is read, or has to be. */
static void give_none(struct fetching *f)
{
    struct err err = {0};
    int rc = 0;
    if (f->got_body != NULL && f->header.body_length == 0)
        rc = err_set(&err, ATE_ENOT_FOUND, "there is none");
    else if (f->got_body != NULL)
        rc = err_set(&err, ATE_ELIMIT, "%llu bytes are read by ranges only",
                     (unsigned long long)f->header.body_length);
    fetching_end(f, bytes_of(NULL, 0), rc, &err);
}

/* The body of genesis is the first bundle. */
static void give_first_bundle(struct fetching *f)
{
    const struct genesis *g = &f->chain->core.genesis;
    f->header = (struct event_header){
        .type = bytes_of_text(TYPE_BUNDLE),
        .body_length = g->bundle_length,
        .body_hash = g->bundle_hash,
    };
    give_inlined(f, 0);
}

/* Its frame is kept. */
static void fetch(struct fetching *f)
{
    if (f->kept->frame.type == LOG_GENESIS && f->got_body != NULL) {
        give_first_bundle(f);
        return;
    }
    const struct frame_event *e = last_frame_find(f->kept, f->index, f->n);
    struct err err = {0};
    int rc;
    if (e == NULL) {
        rc = err_set(&err, ATE_ENOT_FOUND, "no such event");
        fetching_fail(f, rc, &err);
        return;
    }
    f->raw = last_frame_header(f->kept, e);
    rc = event_header_get(f->raw, &f->header, &err);
    assert(rc == 0); /* last_frame_take() has seen to it */
    enum body_home home = body_home_of(&f->header);
    if (home == BODY_INLINE)
        give_inlined(f, e->body);
    else if (home == BODY_FILE)
        read_body(f, e->body);
    else
        give_none(f);
}

static void frame_came(struct log_read *read, int code, const struct err *why)
{
    struct fetching *f = read->owner;
    struct err err = {0};
    if (code != 0)
        err = *why;
    else if (read->header.index > f->index)
        code = err_set(&err, ATE_ECORRUPT,
                       "the frame of transaction %llu begins behind it",
                       (unsigned long long)f->index);
    else
        code = last_frame_take(f->kept, read, &err);
    if (code != 0)
        fetching_fail(f, code, &err);
    else
        fetch(f);
}

static void fetching_begin(struct fetching *f)
{
    struct err err;
    f->chain->looking++;
    if (!log_find(&f->chain->log, f->index, &f->frame)) {
        int rc = err_set(&err, ATE_ENOT_FOUND, "no such transaction");
        fetching_fail(f, rc, &err);
        return;
    }
    if (last_frame_has(f->kept, f->frame)) {
        fetch(f);
        return;
    }
    f->read = (struct log_read){
        .frame = f->frame,
        .part = LOG_WHOLE,
        .done = frame_came,
        .owner = f,
    };
    log_read(&f->chain->log, &f->read);
}

void chain_read_body(struct chain *c, uint64_t index, uint64_t n,
                     chain_body *got, void *ctx)
{
    struct fetching *f = mem_zero(1, sizeof(*f));
    *f = (struct fetching){
        .chain = c, .index = index, .n = n, .got_body = got, .ctx = ctx};
    f->kept = &f->own;
    fetching_begin(f);
}

void chain_read_event(struct chain *c, struct last_frame *kept, uint64_t index,
                      uint64_t n, chain_event *got, void *ctx)
{
    struct fetching *f = mem_zero(1, sizeof(*f));
    *f = (struct fetching){.chain = c,
                           .index = index,
                           .n = n,
                           .kept = kept,
                           .got = got,
                           .ctx = ctx};
    fetching_begin(f);
}
