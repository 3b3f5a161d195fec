/* The frame of all queries: they are begun, take their steps, and end.
 *
 * (1) `done` is called once, by query_end(), which frees the query. What is
 *     granted or canceled is only noted, until query_run().
 * (2) A step is taken while there is credit for what it tells, no read of the
 *     query is under way, and no other step of it: a read that comes back
 *     within a step does not begin the next one.
 * (3) Each step sees the durable version as it is then. What its arguments
 *     named is of the schema that was in force at its begin: under another one
 *     it ends as STALE, or begins anew when it follows.
 * (4) A query that is canceled waits for nothing but the read under way: not
 *     for credit, not in the line, not for a schema to be exchanged. */
#include <assert.h>
#include <string.h>

#include "base/memory.h"
#include "base/msgpack.h"
#include "base/near.h"
#include "chain/large.h"
#include "chain/upgrade.h"
#include "event/body.h"
#include "query/inside.h"
#include "schema/amount.h"
#include "schema/fields.h"
#include "schema/handle.h"
#include "schema/time_text.h"

enum { KEPT_AT_REST_MAX = 4 << 20 /* bytes of a frame, without credit */ };

static const struct query_kind *const kinds[] = {
    &query_get,         &query_list,     &query_history,    &query_view,
    &query_sum,         &query_info,     &query_schema,     &query_tail,
    &query_grants,      &query_proposal, &query_checkpoint, &query_proof,
    &query_consistency, &query_tile,     &query_check,      &query_plan,
    &query_body,        &query_call,     &query_workers,    &query_work,
    &query_files,       &query_file,     &query_source};

enum { KINDS = sizeof(kinds) / sizeof(*kinds) };
static_assert((int)KINDS <= (int)QUERIES_MAX, "query_names() has no room");

static const struct query_kind *find_kind(struct bytes name)
{
    for (size_t i = 0; i < KINDS; i++)
        if (bytes_equal(bytes_of_text(kinds[i]->name), name))
            return kinds[i];
    return NULL;
}

bool query_is(struct bytes name)
{
    return find_kind(name) != NULL;
}

bool query_is_of_damaged(struct bytes name)
{
    const struct query_kind *kind = find_kind(name);
    return kind != NULL && kind->of_damaged;
}

size_t query_names(const char **names)
{
    for (size_t i = 0; i < KINDS; i++)
        names[i] = kinds[i]->name;
    return KINDS;
}

/* ---- life ---- */

struct query *query_start(struct chain *c, struct bytes method,
                          struct bytes args, uint32_t credit,
                          query_chunk *chunk, query_done *done, void *ctx)
{
    static const uint8_t empty_map = 0x80;
    struct query *q = mem_zero(1, sizeof(*q));
    q->chain = c;
    q->kind = find_kind(method);
    assert(q->kind != NULL);
    buf_put_bytes(&q->args, args.len > 0 ? args : bytes_of(&empty_map, 1));
    q->credit = credit;
    q->chunk = chunk;
    q->done = done;
    q->ctx = ctx;
    q->limit = UINT64_MAX;
    q->left = LINE_STEPS;
    ring_init(&q->in_line);
    return q;
}

void query_set_caller(struct query *q, const uint8_t caller[KEY_ID_SIZE])
{
    assert(!q->begun);
    memcpy(q->caller, caller, KEY_ID_SIZE);
}

void query_set_context(struct query *q, struct bytes context)
{
    assert(!q->begun);
    buf_put_bytes(&q->context, context);
}

void query_share_turns(struct query *q, struct query_line *line)
{
    assert(!q->begun);
    q->line = line;
}

struct last_frame *query_kept(struct query *q)
{
    if (q->kept == NULL)
        q->kept = mem_zero(1, sizeof(*q->kept));
    return q->kept;
}

static void drop_kept(struct query *q)
{
    if (q->kept == NULL)
        return;
    last_frame_drop(q->kept);
    mem_free(q->kept);
    q->kept = NULL;
}

static void query_end(struct query *q, int code, const struct err *err)
{
    struct err none = {0};
    ring_remove(&q->in_line);
    if (q->hold != NULL)
        hold_end(q->hold);
    q->done(q->ctx, code, code != 0 ? err : &none,
            code != 0 ? bytes_of(NULL, 0) : buf_bytes(&q->result));
    object_scan_close(&q->objects);
    row_scan_close(&q->rows);
    buf_deinit(&q->args);
    buf_deinit(&q->context);
    buf_deinit(&q->result);
    buf_deinit(&q->row);
    buf_deinit(&q->where);
    buf_deinit(&q->at);
    drop_kept(q);
    mem_free(q->hold);
    buf_deinit(&q->found);
    follow_deinit(&q->following);
    query_call_free(q->call);
    query_files_free(q->files);
    query_source_free(q->source);
    upgrade_free(q->upgrade);
    mem_free(q->survey);
    query_proof_free(q->proof);
    large_close(q->large);
    mem_free(q);
}

void query_grant(struct query *q, uint32_t chunks)
{
    q->credit += chunks;
}

void query_cancel(struct query *q)
{
    q->canceled = true;
    query_proof_stop(q->proof);
}

bool query_is_stalled(const struct query *q)
{
    return q->stalled;
}

bool query_follows(const struct query *q)
{
    return q->follow;
}

/* What its arguments named is of a schema that is in force no more. */
static int begin_anew(struct query *q, struct err *err)
{
    if (!q->follow)
        return err_set(err, ATE_ESTALE,
                       "another schema is in force now; ask again");
    q->epoch = chain_epoch(q->chain);
    return follow_reset(q, err, "another schema is in force now");
}

/* Does it stand at a place that another schema does not have? */
static bool is_of_schema(const struct query *q)
{
    return q->kind->of_schema || q->type != NULL || q->view != NULL ||
           q->upgrade != NULL;
}

/* One step; what it came to, or a code. */
static int advance(struct query *q, struct err *err)
{
    if (q->canceled) {
        err_set(err, ATE_ECANCELED, "canceled");
        return err_reason(err, "by_asker");
    }
    if (q->failed != 0) {
        *err = q->err;
        return q->failed;
    }
    chain_door(q->chain, &q->door);
    if (q->begun && q->epoch != chain_epoch(q->chain) && is_of_schema(q))
        return begin_anew(q, err);
    if (!q->begun) {
        q->begun = true;
        q->epoch = chain_epoch(q->chain);
        int rc = q->kind->begin(q, err);
        return rc != 0 ? rc : STEP_MORE;
    }
    return q->kind->step(q, err);
}

bool query_has_worked(struct query *q)
{
    if (q->left > 0)
        q->left--;
    return q->left == 0;
}

/* The clock is looked at after so many steps only: who ends before pays
 * nothing. */
static bool has_to_rest(struct query *q)
{
    if (!query_has_worked(q))
        return false;
    q->left = LINE_STEPS;
    return q->line != NULL && query_line_is_over(q->line);
}

/* Nobody waits for it, or who does is slow: nothing that is large is kept. */
static void rest(struct query *q, bool is_idle)
{
    if (is_idle || (q->kept != NULL && q->kept->bytes.len > KEPT_AT_REST_MAX))
        drop_kept(q);
}

void query_run(struct query *q)
{
    struct err err = {0};
    bool rests = !ring_is_empty(&q->in_line) && !q->canceled;
    if (q->running || q->waiting || rests)
        return;
    q->stalled = chain_is_hidden(q->chain) && !q->canceled;
    if (q->stalled)
        return;
    q->running = true;
    for (;;) {
        if (q->credit == 0 && !q->canceled && q->begun) {
            rest(q, false);
            break;
        }
        if (!q->canceled && has_to_rest(q)) {
            ring_add(&q->line->waiting, &q->in_line);
            break;
        }
        int rc = advance(q, &err);
        if (rc == STEP_MORE)
            continue;
        if (rc == STEP_WAIT && !q->waiting)
            continue; /* its read came back at once */
        if (rc == STEP_IDLE)
            rest(q, true);
        if (rc == STEP_WAIT || rc == STEP_IDLE)
            break;
        if (rc != STEP_END && q->kind != &query_call) /* a method says itself */
            err_wrap(&err, "%s", q->kind->name);
        query_end(q, rc == STEP_END ? 0 : rc, &err);
        return;
    }
    q->running = false;
}

void query_resume(struct query *q, int code, const struct err *err)
{
    q->waiting = false;
    q->failed = code;
    if (code != 0)
        q->err = *err;
    query_run(q); /* does nothing when the read came back within a step */
}

void query_emit(struct query *q)
{
    assert(q->credit > 0);
    q->credit--;
    if (q->limit != UINT64_MAX)
        q->limit--;
    q->chunk(q->ctx, buf_bytes(&q->row));
    buf_clear(&q->row);
}

/* ---- arguments ---- */

int query_check_args(struct query *q, const char *const *names, struct err *err)
{
    return args_check(buf_bytes(&q->args), names, err);
}

int query_take_text(struct query *q, const char *name, bool needed,
                    struct bytes *text, struct err *err)
{
    return args_text(buf_bytes(&q->args), name, needed, text, err);
}

int query_take_uint(struct query *q, const char *name, uint64_t *value,
                    struct err *err)
{
    struct bytes raw = mp_map_get(buf_bytes(&q->args), name);
    struct mp mp = mp_open(raw);
    int64_t number = 0;
    struct bytes text;
    if (raw.data == NULL || mp_take_nil(&mp))
        return 0;
    bool good = mp_get_int(&mp, &number, NULL) == 0;
    if (!good) {
        mp = mp_open(raw);
        good = mp_get_str(&mp, &text, NULL) == 0 &&
               amount_get(text, 0, NULL, &number, NULL) == 0;
    }
    if (!good || number < 0)
        return args_wrong(name, "has to be a whole number", err);
    *value = (uint64_t)number;
    return 0;
}

int query_take_flag(struct query *q, const char *name, bool *flag,
                    struct err *err)
{
    struct bytes raw = mp_map_get(buf_bytes(&q->args), name);
    struct mp mp = mp_open(raw);
    struct bytes text;
    if (raw.data == NULL || mp_get_bool(&mp, flag, NULL) == 0)
        return 0;
    mp = mp_open(raw);
    if (mp_get_str(&mp, &text, NULL) != 0 ||
        (!bytes_equal(text, bytes_of_text("true")) &&
         !bytes_equal(text, bytes_of_text("false"))))
        return args_wrong(name, "is true or false", err);
    *flag = text.len == 4;
    return 0;
}

int query_take_page(struct query *q, struct err *err)
{
    struct bytes order;
    int rc = query_take_uint(q, "limit", &q->limit, err);
    if (rc == 0)
        rc = query_take_text(q, "order", false, &order, err);
    if (rc != 0 || order.data == NULL)
        return rc;
    q->backward = bytes_equal(order, bytes_of_text("last"));
    if (!q->backward && !bytes_equal(order, bytes_of_text("first")))
        return args_wrong("order", "is 'first' or 'last'", err);
    return 0;
}

int query_take_type(struct query *q, struct err *err)
{
    struct bytes name;
    const struct schema *s = chain_core(q->chain)->schema;
    int rc = query_take_text(q, "type", true, &name, err);
    if (rc != 0)
        return rc;
    q->type = schema_type(s, name);
    if (q->type != NULL)
        return 0;
    const char **names = mem_alloc((s->type_count + 1) * sizeof(*names));
    for (size_t i = 0; i < s->type_count; i++)
        names[i] = schema_short(s, s->types[i].name);
    rc = err_set(err, ATE_ENOT_FOUND, "no type '%.*s'", (int)name.len,
                 (const char *)name.data);
    near_tell(err, name, names, s->type_count, "");
    err_at(err, "type");
    mem_free(names);
    return rc;
}

/* ---- rows of objects ---- */

static void put_meta(struct query *q, const struct event_header *header,
                     uint64_t index, uint64_t n, const char *change,
                     struct buf *out)
{
    struct mapping m = {0};
    struct buf text = {0};
    buf_printf(&text, "%llu.%llu", (unsigned long long)index,
               (unsigned long long)n);
    mapping_str(&m, "at", buf_bytes(&text));
    buf_clear(&text);
    door_put_identity(&q->door, header->author, &text);
    mapping_str(&m, "author", buf_bytes(&text));
    mapping_text_or_not(&m, "change", change);
    buf_clear(&text);
    time_put(&text, chain_time_at(q->chain, index));
    mapping_str(&m, "time", buf_bytes(&text));
    mapping_put(&m, out);
    buf_deinit(&text);
}

bool query_reads_body(const struct event_header *header)
{
    enum body_home home = body_home_of(header);
    return home == BODY_INLINE || home == BODY_FILE;
}

static void put_large(const struct event_header *header, struct buf *out)
{
    struct handle handle = handle_of(header);
    mp_put_map(out, 1);
    mp_put_text(out, "body");
    handle_give(out, &handle);
}

void query_put_body(struct query *q, const struct event_type *type,
                    struct bytes body, struct buf *out)
{
    if (type->raw_body == NULL) {
        door_give(&q->door, &type->body, body, out);
        return;
    }
    mp_put_map(out, 1);
    mp_put_text(out, "body");
    if (type->raw_body->kind == VALUE_BLOB)
        mp_put_bin(out, body);
    else
        mp_put_str(out, body);
}

void query_put_version(struct query *q, const struct event_type *type,
                       const struct event_header *header, uint64_t index,
                       uint64_t n, struct bytes body,
                       const char *change_or_null, struct buf *out)
{
    struct buf fields = {0};
    struct buf more = {0};
    struct buf both = {0};
    struct buf meta = {0};
    struct buf id = {0};
    door_give(&q->door, &type->header, header->fields, &fields);
    if (body_home_of(header) == BODY_LARGE)
        put_large(header, &more);
    else if (body.data != NULL)
        query_put_body(q, type, body, &more);
    fields_merge(&both, buf_bytes(&fields), buf_bytes(&more));
    door_put_ref(&q->door, header->object, &id);
    mp_put_map(&meta, 2);
    mp_put_text(&meta, "_");
    put_meta(q, header, index, n, change_or_null, &meta);
    mp_put_text(&meta, "id");
    mp_put_str(&meta, buf_bytes(&id));
    fields_merge(out, buf_bytes(&both), buf_bytes(&meta));
    buf_deinit(&fields);
    buf_deinit(&more);
    buf_deinit(&both);
    buf_deinit(&meta);
    buf_deinit(&id);
}
