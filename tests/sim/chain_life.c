#include "sim/chain_life.h"

#include "chain/inside.h"
#include "unit/fixture_large.h"
#include "event/body.h"

enum { SNAPSHOT_EVERY = 3, MARKS_MAX = 16 };

void life_init(struct life *l)
{
    struct err err = {0};
    memset(l, 0, sizeof(*l));
    int rc =
        bundle_build(&l->bundle, "films", fixture_source,
                     (void *)(uintptr_t) "tests/lua/schemas", NULL, NULL, &err);
    if (rc != 0)
        fail_msg("%s", err.text);
    for (uint32_t at = 0; at < LIFE_BODY; at++)
        buf_put_u8(&l->body, (uint8_t)(1 + at * 5 + at / 241));
    body_hash(buf_bytes(&l->body), l->hash);
    l->cache = script_cache_new(NULL);
}

void life_deinit(struct life *l)
{
    buf_deinit(&l->bundle);
    buf_deinit(&l->body);
    script_cache_free(l->cache);
}

void life_reset(struct life *l)
{
    l->born = false;
    l->acked = 0;
    l->last = 0;
    l->named = false;
    l->refused = 0;
    l->why[0] = '\0';
}

/* ---- one step ---- */

static void note_refused(struct life *l, const struct err *err)
{
    if (l->refused++ == 0)
        snprintf(l->why, sizeof(l->why), "%s", err->text);
}

static void tell(struct life *l)
{
    if (l->told != NULL)
        l->told(l->told_ctx, l);
}

static void take_answer(struct life *l, const struct chain_call *call)
{
    if (call->code != 0) {
        note_refused(l, &call->err);
        return;
    }
    if (call->index + 1 > l->acked) {
        l->acked = call->index + 1;
        l->last = call->index;
        memcpy(l->last_tx, call->tx_id, TX_ID_SIZE);
    }
    tell(l);
}

static void put_head(struct fixture_call *c, uint32_t count)
{
    *c = (struct fixture_call){0};
    mp_put_map(&c->args, count);
    mp_put_text(&c->args, "body");
}

static int end_call(struct life *l, struct fixture_call *c, const char *method)
{
    struct fixture_chain *f = &l->f;
    c->call.method = bytes_of_text(method);
    c->call.args = buf_bytes(&c->args);
    c->call.author = &f->keys[0];
    put_be64(c->call.call_id, ++f->calls);
    c->call.done = fixture_answered;
    c->call.owner = c;
    chain_call(f->chain, &c->call);
    fixture_run(f);
    if (!c->done)
        fail_msg("%s was never answered", method);
    take_answer(l, &c->call);
    int code = c->call.code;
    fixture_end(c);
    return code;
}

static void put_name(struct fixture_call *c, const char *name)
{
    mp_put_text(&c->args, "name");
    mp_put_text(&c->args, name);
}

/* A script of so many bytes: in the frame, or in a body file. */
static int write_script(struct life *l, const char *name, size_t len)
{
    struct fixture_call c;
    char text[4096];
    memset(text, 'x', sizeof(text));
    assert(len < sizeof(text));
    text[len] = '\0';
    put_head(&c, 2);
    mp_put_text(&c.args, text);
    put_name(&c, name);
    return end_call(l, &c, "script.create");
}

static int name_film(struct life *l, const char *name)
{
    struct fixture_call c;
    put_head(&c, 3);
    mp_put_map(&c.args, 2);
    mp_put_text(&c.args, "hash");
    mp_put_bin(&c.args, bytes_of(l->hash, HASH_SIZE));
    mp_put_text(&c.args, "length");
    mp_put_uint(&c.args, LIFE_BODY);
    put_name(&c, name);
    mp_put_text(&c.args, "year");
    mp_put_uint(&c.args, 1927);
    return end_call(l, &c, "film.create");
}

static void put_answered(struct put *put)
{
    *(bool *)put->owner = true;
}

static int put_part(struct life *l, uint64_t from, uint64_t to, bool ends,
                    uint64_t *length)
{
    static const uint8_t id[UPLOAD_ID_SIZE] = {1, 2, 3};
    bool done = false;
    struct put put = {
        .id = id,
        .offset = from,
        .data = bytes_of(l->body.data + from, to - from),
        .ends = ends,
        .hash = ends ? l->hash : NULL,
        .done = put_answered,
        .owner = &done,
    };
    chain_put(l->f.chain, &put);
    fixture_run(&l->f);
    if (!done)
        fail_msg("a put was never answered");
    *length = put.length;
    l->f.done_err = put.err;
    return put.code;
}

/* From where it is to the end; once more if something else came of that. */
static int put_rest(struct life *l)
{
    uint64_t at = 0;
    int rc = put_part(l, 0, 0, false, &at);
    if (rc == 0 && at < LIFE_BODY)
        rc = put_part(l, at, LIFE_BODY, false, &at);
    if (rc == 0)
        rc = put_part(l, 0, 0, true, &at);
    if (rc != ATE_EINVALID)
        return rc;
    rc = put_part(l, 0, LIFE_BODY, false, &at);
    return rc == 0 ? put_part(l, 0, 0, true, &at) : rc;
}

static int put_body(struct life *l)
{
    int rc = put_rest(l);
    if (rc != 0)
        note_refused(l, &l->f.done_err);
    return rc;
}

static void mark(struct life *l)
{
    struct err err = {0};
    l->f.is_done = false;
    if (chain_mark(l->f.chain, fixture_done, &l->f, &err) == 0)
        fixture_wait(&l->f);
    fixture_run(&l->f);
}

/* As a node closes a chain; what fails is left. */
static void conclude(struct life *l)
{
    struct err err = {0};
    fixture_run(&l->f);
    for (int i = 0; i < MARKS_MAX && chain_is_idle(l->f.chain); i++) {
        l->f.is_done = false;
        if (chain_conclude(l->f.chain, fixture_done, &l->f, &err) != 0)
            return;
        fixture_wait(&l->f);
        fixture_run(&l->f);
    }
}

/* ---- the life ---- */

static void begin(struct life *l, const struct disk *disk,
                  bool (*pump)(void *ctx), void *ctx)
{
    struct fixture_chain *f = &l->f;
    uint64_t calls = f->calls;
    fixture_open_disk(f, disk, pump, ctx);
    f->calls = calls; /* no call id comes twice */
    f->deps.snapshot_events = SNAPSHOT_EVERY;
    f->deps.snapshot_transactions = 2;
    f->bundle = l->bundle;
    script_cache_free(f->cache);
    f->cache = l->cache;
    f->maker = script_maker(f->cache);
}

static void end(struct life *l)
{
    fixture_run(&l->f);
    chain_free(l->f.chain);
}

static void live(struct life *l)
{
    write_script(l, "short", 10);
    write_script(l, "long", 3000);
    if (put_body(l) == 0)
        l->named = name_film(l, "first") == 0;
    mark(l);
    write_script(l, "late", 700);
    write_script(l, "later", 2000);
    conclude(l);
}

void life_run(struct life *l, const struct disk *disk, bool (*pump)(void *ctx),
              void *ctx)
{
    begin(l, disk, pump, ctx);
    int rc = fixture_birth(&l->f);
    memcpy(l->id, chain_core(l->f.chain)->id, sizeof(l->id));
    if (rc == 0) {
        l->born = true;
        l->acked = 1;
        tell(l);
        live(l);
    } else {
        note_refused(l, &l->f.done_err);
    }
    end(l);
}

/* ---- afterwards ---- */

static int is_last(void *ctx, const struct chain_tx *tx, struct err *err)
{
    struct life *l = ctx;
    uint8_t id[TX_ID_SIZE];
    (void)err;
    assert_int_equal(tx->index, l->last);
    batch_member_id(tx->member, SUITE_1, l->id, id);
    assert_memory_equal(id, l->last_tx, sizeof(id));
    l->last = UINT64_MAX; /* seen */
    return 0;
}

static void read_done(void *ctx, int code, const struct err *err)
{
    (void)ctx;
    (void)err;
    assert_int_equal(code, 0);
}

static int open_chain(struct life *l)
{
    char folder[LOG_PATH_MAX];
    log_folder(folder, l->id);
    l->f.is_done = false;
    l->f.chain = chain_new(&l->f.deps);
    chain_open(l->f.chain, folder, l->id, LOG_READ_WRITE, fixture_done, &l->f);
    fixture_wait(&l->f);
    return l->f.done_code;
}

static void check_open(struct life *l, const char *what)
{
    char name[40];
    if (chain_size(l->f.chain) < l->acked)
        fail_msg("%s: %llu of %llu transactions are there", what,
                 (unsigned long long)chain_size(l->f.chain),
                 (unsigned long long)l->acked);
    if (l->last > 0) {
        chain_read_transactions(l->f.chain, l->last, 1, is_last, read_done, l);
        fixture_run(&l->f);
        assert_true(l->last == UINT64_MAX);
    }
    if (l->named)
        assert_large(&l->f, l->hash, buf_bytes(&l->body));
    l->refused = 0;
    snprintf(name, sizeof(name), "after %llu", (unsigned long long)l->f.calls);
    write_script(l, name, 1500);
    if (!l->named)
        put_body(l);
    name_film(l, name);
    if (l->refused > 0)
        fail_msg("%s: it does not go on: %s", what, l->why);
    assert_large(&l->f, l->hash, buf_bytes(&l->body));
    conclude(l);
}

void life_check(struct life *l, const struct disk *disk,
                bool (*pump)(void *ctx), void *ctx, const char *what)
{
    begin(l, disk, pump, ctx);
    int rc = open_chain(l);
    bool never_born = !l->born && (rc == ATE_ENOT_FOUND || rc == ATE_ECORRUPT);
    l->refused = 0;
    l->why[0] = '\0';
    if (rc == 0)
        check_open(l, what);
    else if (!never_born)
        fail_msg("%s: refused: %s", what, l->f.done_err.text);
    end(l);
}

int life_open(struct life *l, const struct disk *disk, bool (*pump)(void *ctx),
              void *ctx, bool verifies)
{
    char folder[LOG_PATH_MAX];
    begin(l, disk, pump, ctx);
    log_folder(folder, l->id);
    if (verifies)
        l->f.deps.node_pair = NULL;
    l->f.chain = chain_new(&l->f.deps);
    if (verifies)
        chain_check_bodies(l->f.chain);
    chain_open(l->f.chain, folder, l->id,
               verifies ? LOG_READ_ONLY : LOG_READ_WRITE, fixture_done, &l->f);
    fixture_wait(&l->f);
    return l->f.done_code;
}

void life_close(struct life *l)
{
    end(l);
}
