/* Looking at stored transactions and bodies: reads that run beside everything
 * else. */
#include <assert.h>
#include <string.h>

#include "base/memory.h"
#include "chain/inside.h"
#include "chain/value.h"

int64_t chain_time_at(const struct chain *c, uint64_t index)
{
    int64_t time = (int64_t)c->core.genesis.log_time;
    state_time_at(chain_version(c), index, &time);
    return time;
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
    uint64_t index = frame->index;
    int rc = batch_open(&batch, payload, err);
    while (rc == 0 && (rc = batch_next(&batch, &m, err)) == 1) {
        rc = 0;
        if (m.refused)
            continue;
        if (index >= r->from && index < r->to)
            r->visit(r->ctx, index, &m, 0, NULL);
        index++;
    }
    return rc;
}

static void frame_read(struct log_read *read, int code, const struct err *why)
{
    struct reading *r = read->owner;
    struct err err = {0};
    if (code != 0) {
        reading_end(r, code, why);
        return;
    }
    if (read->header.type == LOG_GENESIS)
        r->visit(r->ctx, 0, NULL, 0, NULL);
    else
        code = visit_members(r, &read->header, buf_bytes(&read->bytes), &err);
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

/* ---- bodies ---- */

struct fetching {
    struct chain *chain;
    uint64_t index;
    uint64_t n;
    chain_body *got;
    void *ctx;
    uint64_t length;
    uint8_t hash[HASH_SIZE];
    char type[LIMIT_TYPE_NAME + 1]; /* of the event */
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
    f->got(f->ctx, body, code, code != 0 ? err : &none);
    buf_deinit(&f->read.bytes);
    mem_free(f);
}

/* Its hash is the header's, and it is what the type says: who wrote the log may
 * have judged neither. */
static int check_body(const struct fetching *f, struct bytes body,
                      struct err *err)
{
    const struct schema *schema = f->chain->core.schema;
    const struct event_type *type = schema_type(schema, bytes_of_text(f->type));
    int rc = body_check(body, f->length, f->hash, err);
    if (rc == 0 && type != NULL)
        rc = body_fits(schema, type, body, type->name, err);
    if (rc == 0)
        return 0;
    const struct log_read *r = &f->read;
    if (r->part == LOG_BODIES)
        err_wrap(err, "%s at offset %llu", r->path,
                 (unsigned long long)(r->header.body_offset + r->offset));
    else
        err_wrap(err, "%s: frame %llu", f->chain->log.head_path,
                 (unsigned long long)r->frame);
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

/* Walk the events of the frame up to the one that is wanted. */
static int find_body(struct fetching *f, const struct log_frame *frame,
                     struct bytes payload, struct body_place *place,
                     struct err *err)
{
    struct batch_reader batch;
    struct batch_member m;
    struct body_walk walk = {0};
    uint64_t index = frame->index;
    int rc = batch_open(&batch, payload, err);
    while (rc == 0 && (rc = batch_next(&batch, &m, err)) == 1) {
        rc = 0;
        if (m.refused)
            continue;
        struct batch_events events = batch_events(&m);
        struct bytes raw;
        for (uint64_t n = 0; batch_events_next(&events, &raw); n++) {
            struct event_header h;
            rc = event_header_get(raw, &h, err);
            if (rc != 0)
                return rc;
            bool wanted = index == f->index && n == f->n;
            if (wanted && h.body_length == 0)
                return err_set(err, ATE_ENOT_FOUND, "there is none");
            if (h.body_length == 0)
                continue;
            *place = body_walk_next(&walk, &h);
            if (!wanted)
                continue;
            if (place->home == BODY_LARGE)
                return err_set(err, ATE_ELIMIT,
                               "%llu bytes are read by ranges only",
                               (unsigned long long)h.body_length);
            f->length = h.body_length;
            memcpy(f->hash, h.body_hash, HASH_SIZE);
            assert(h.type.len <= LIMIT_TYPE_NAME);
            memcpy(f->type, h.type.data, h.type.len); /* a zero stays behind */
            return 0;
        }
        index++;
    }
    return rc != 0 ? rc : err_set(err, ATE_ENOT_FOUND, "no such event");
}

static void headers_read(struct log_read *read, int code, const struct err *why)
{
    struct fetching *f = read->owner;
    struct body_place place = {0};
    struct err err = {0};
    if (code != 0)
        err = *why;
    else
        code =
            find_body(f, &read->header, buf_bytes(&read->bytes), &place, &err);
    if (code != 0) {
        fetching_end(f, bytes_of(NULL, 0), code, &err);
        return;
    }
    buf_clear(&read->bytes);
    read->part = place.home == BODY_INLINE ? LOG_INLINE : LOG_BODIES;
    read->offset = place.offset;
    read->length = f->length;
    read->done = body_read;
    log_read(&f->chain->log, read);
}

void chain_read_body(struct chain *c, uint64_t index, uint64_t n,
                     chain_body *got, void *ctx)
{
    struct fetching *f = mem_zero(1, sizeof(*f));
    uint64_t frame = 0;
    *f = (struct fetching){
        .chain = c, .index = index, .n = n, .got = got, .ctx = ctx};
    c->looking++;
    if (!log_find(&c->log, index, &frame)) {
        struct err err;
        fetching_end(f, bytes_of(NULL, 0),
                     err_set(&err, ATE_ENOT_FOUND, "no such transaction"),
                     &err);
        return;
    }
    f->read = (struct log_read){
        .frame = frame,
        .part = LOG_PAYLOAD,
        .length = UINT64_MAX,
        .done = headers_read,
        .owner = f,
    };
    log_read(&c->log, &f->read);
}
