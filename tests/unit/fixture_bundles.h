/* A chain of the schema shop, whose text a test writes, and bundles that follow
 * on it: brought, activated, proposed, tried. */
#ifndef ATE_TESTS_UNIT_FIXTURE_BUNDLES_H
#define ATE_TESTS_UNIT_FIXTURE_BUNDLES_H

#include "fixture_tx.h"

#include "acceptance/bundle_events.h"
#include "chain/inside.h"
#include "chain/upgrade.h"
#include "query/query.h"
#include "state/roots.h"

/* The schema shop of this version; `rest` declares what is in it. */
static inline void shop_text(struct buf *out, int version, const char *rest)
{
    buf_printf(out,
               "local ate = require('ate')\n"
               "local t = ate.types\n"
               "local shop = ate.schema('shop', {doc = 'A shop.',\n"
               "    version = %d, bodies = 'open'})\n"
               "%s\nreturn shop\n",
               version, rest);
}

static inline void shop_bundle(struct buf *out, int version, const char *rest)
{
    struct buf text = {0};
    struct err err;
    shop_text(&text, version, rest);
    int rc = bundle_build(out, "shop", fixture_text, (void *)buf_text(&text),
                          NULL, NULL, &err);
    if (rc != 0)
        fail_msg("%s\n%s", err.text, buf_text(&text));
    buf_deinit(&text);
}

/* A chain of version 1; only keys[0], its root key, may write, and strangers.
 */
static inline void shop_birth(struct fixture_chain *f, const char *rest)
{
    shop_bundle(&f->bundle, 1, rest);
    if (fixture_birth(f) != 0)
        fail_msg("%s", f->done_err.text);
}

static inline void shop_open(struct fixture_chain *f, const char *rest)
{
    fixture_open_disk(f, NULL, NULL, NULL);
    shop_birth(f, rest);
}

/* Begin a call whose arguments are a map; takes it. */
static inline void begin_call(struct fixture_chain *f, struct fixture_call *c,
                              int key, const char *method, struct buf args)
{
    *c = (struct fixture_call){.args = args};
    c->call.method = bytes_of_text(method);
    c->call.args = buf_bytes(&c->args);
    c->call.author = &f->keys[key];
    put_be64(c->call.call_id, ++f->calls);
    c->call.done = fixture_answered;
    c->call.owner = c;
}

static inline struct buf bundle_args(int version, const char *rest)
{
    struct buf args = {0};
    struct buf bundle = {0};
    shop_bundle(&bundle, version, rest);
    mp_put_map(&args, 1);
    mp_put_text(&args, "bundle");
    mp_put_bin(&args, buf_bytes(&bundle));
    buf_deinit(&bundle);
    return args;
}

/* What it came to; `err` gets why not. */
static inline int end_call(struct fixture_call *c, struct err *err)
{
    int code = c->call.code;
    assert_true(c->done);
    *err = c->call.err;
    buf_deinit(&c->call.proposal);
    fixture_end(c);
    return code;
}

static inline int bring(struct fixture_chain *f, int version, const char *rest,
                        struct err *err)
{
    struct fixture_call c;
    begin_call(f, &c, 0, "ate.bundle", bundle_args(version, rest));
    chain_call(f->chain, &c.call);
    fixture_run(f);
    return end_call(&c, err);
}

static inline void begin_activation(struct fixture_chain *f,
                                    struct fixture_call *c)
{
    begin_call(f, c, 0, "ate.activate", (struct buf){0});
    chain_call(f->chain, &c->call);
}

static inline int activate(struct fixture_chain *f, struct err *err)
{
    struct fixture_call c;
    begin_activation(f, &c);
    fixture_run(f);
    return end_call(&c, err);
}

static inline void bring_ok(struct fixture_chain *f, int version,
                            const char *rest)
{
    struct err err;
    if (bring(f, version, rest, &err) != 0)
        fail_msg("ate.bundle: %s", err.text);
}

static inline void switch_ok(struct fixture_chain *f, int version,
                             const char *rest)
{
    struct err err;
    bring_ok(f, version, rest);
    if (activate(f, &err) != 0)
        fail_msg("ate.activate: %s", err.text);
}

static inline void assert_refused(int code, const struct err *err, int want,
                                  const char *words)
{
    if (code != want || strstr(err->text, words) == NULL)
        fail_msg("want %s: ...%s..., got %s: %s", err_name(want), words,
                 err_name(code), code != 0 ? err->text : "accepted");
}

static inline int64_t version_now(struct fixture_chain *f)
{
    return schema_part(chain_core(f->chain)->schema, "shop")->version;
}

/* ---- what it adds up to ---- */

struct both_sides {
    uint8_t log[HASH_SIZE];
    uint8_t state[HASH_SIZE];
    uint64_t size;
};

static inline struct both_sides sides_now(struct fixture_chain *f)
{
    struct both_sides s = {.size = chain_size(f->chain)};
    chain_root(f->chain, s.log);
    state_root(chain_version(f->chain), s.state);
    return s;
}

static inline void assert_sides(struct fixture_chain *f, struct both_sides was)
{
    struct both_sides is = sides_now(f);
    assert_int_equal(is.size, was.size);
    assert_memory_equal(is.log, was.log, HASH_SIZE);
    assert_memory_equal(is.state, was.state, HASH_SIZE);
}

/* Opened again, by its writer and by a reader, it is what it was. */
static inline void assert_reopens(struct fixture_chain *f)
{
    struct both_sides was = sides_now(f);
    int64_t version = version_now(f);
    for (int mode = 0; mode < 2; mode++) {
        int rc = fixture_reopen(f, mode == 0 ? LOG_READ_ONLY : LOG_READ_WRITE);
        if (rc != 0)
            fail_msg("reopening: %s", f->done_err.text);
        assert_sides(f, was);
        assert_int_equal(version_now(f), version);
    }
}

/* ---- reads ---- */

struct fixture_query {
    struct query *query; /* NULL: it has ended */
    struct buf rows;     /* one after the other */
    size_t count;
    struct buf result;
    int code;
    struct err err;
};

static inline void query_chunk_came(void *ctx, struct bytes row)
{
    struct fixture_query *q = ctx;
    buf_put_bytes(&q->rows, row);
    q->count++;
}

static inline void query_over(void *ctx, int code, const struct err *err,
                              struct bytes result)
{
    struct fixture_query *q = ctx;
    q->query = NULL;
    q->code = code;
    q->err = *err;
    buf_put_bytes(&q->result, result);
}

/* `name` is "view=total", or NULL. */
static inline void begin_query(struct fixture_chain *f, struct fixture_query *q,
                               const char *method, const char *name,
                               uint32_t credit)
{
    struct buf args = {0};
    const char *eq = name != NULL ? strchr(name, '=') : NULL;
    *q = (struct fixture_query){0};
    mp_put_map(&args, eq != NULL);
    if (eq != NULL) {
        mp_put_str(&args, bytes_of(name, (size_t)(eq - name)));
        mp_put_text(&args, eq + 1);
    }
    q->query = query_start(f->chain, bytes_of_text(method), buf_bytes(&args),
                           credit, query_chunk_came, query_over, q);
    buf_deinit(&args);
    query_run(q->query);
}

static inline void end_query(struct fixture_query *q)
{
    assert_null(q->query);
    buf_deinit(&q->rows);
    buf_deinit(&q->result);
}

/* All rows of a view as their encoded maps, one after the other. */
static inline void rows_of(struct fixture_chain *f, const char *view,
                           struct buf *rows, size_t *count)
{
    struct fixture_query q;
    char name[64];
    snprintf(name, sizeof(name), "view=%s", view);
    begin_query(f, &q, "view", name, 1000);
    fixture_run(f);
    if (q.code != 0)
        fail_msg("view %s: %s", view, q.err.text);
    buf_clear(rows);
    buf_put_bytes(rows, buf_bytes(&q.rows));
    *count = q.count;
    end_query(&q);
}

/* The view has one row, and in it this value, as doors say it. */
static inline void assert_value(struct fixture_chain *f, const char *view,
                                const char *column, const char *value)
{
    struct buf rows = {0};
    size_t count = 0;
    struct bytes text;
    rows_of(f, view, &rows, &count);
    assert_int_equal(count, 1);
    struct mp mp = mp_open(mp_map_get(buf_bytes(&rows), column));
    int64_t number = 0;
    char shown[64];
    if (mp_get_int(&mp, &number, NULL) == 0) {
        snprintf(shown, sizeof(shown), "%lld", (long long)number);
    } else {
        mp = mp_open(mp_map_get(buf_bytes(&rows), column));
        assert_int_equal(mp_get_str(&mp, &text, NULL), 0);
        snprintf(shown, sizeof(shown), "%.*s", (int)text.len,
                 (const char *)text.data);
    }
    assert_string_equal(shown, value);
    buf_deinit(&rows);
}
#endif
