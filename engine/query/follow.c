/* Following: first the whole content, then what changes; or, from a position
 * on, only what changed since.
 *
 * A chunk is a map: `changes`, a list of {put: row} and {gone: key} to be
 * applied in order, or `value`; `at`, the size of the log whose content is told
 * with it; `reset`, a text: what was told before counts no more.
 *
 * (1) The whole content is read from the durable version as that moves on, and
 *     then told again is what changed meanwhile. So a chunk without `at` is a
 *     part; with the one that has it, all is as it stands at that size.
 * (2) What changed is looked up when it is told: who is slow is told the newest
 *     of it, once. Nothing is kept for him but the number of a change.
 * (3) Where so much changed that some is forgotten, the query begins anew. */
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/msgpack.h"
#include "query/inside.h"
#include "state/changes.h"

enum { FOLLOW_CHUNK = 16 << 10, FOLLOW_WHY_MAX = 200 };

void follow_deinit(struct follow *f)
{
    buf_deinit(&f->changes);
    buf_deinit(&f->reset);
}

/* ---- arguments ---- */

int query_take_follow(struct query *q, const char *const *alone,
                      struct err *err)
{
    struct bytes args = buf_bytes(&q->args);
    int rc = query_take_flag(q, "follow", &q->follow, err);
    if (rc == 0)
        rc = query_take_uint(q, "from", &q->following.from, err);
    if (rc != 0)
        return rc;
    if (!q->follow && mp_map_get(args, "from").data != NULL)
        return args_wrong("from", "goes with 'follow'", err);
    for (size_t i = 0; q->follow && alone[i] != NULL; i++)
        if (mp_map_get(args, alone[i]).data != NULL)
            return args_wrong(
                alone[i], "does not go with 'follow', which tells all", err);
    return 0;
}

/* ---- telling ---- */

static void add_change(struct query *q, const char *what)
{
    struct follow *f = &q->following;
    mp_put_map(&f->changes, 1);
    mp_put_text(&f->changes, what);
    buf_put_bytes(&f->changes, buf_bytes(&q->row));
    buf_clear(&q->row);
    f->count++;
    f->has_changes = true;
}

void followed_put(struct query *q)
{
    add_change(q, "put");
}

void followed_gone(struct query *q)
{
    add_change(q, "gone");
}

static void put_reset(struct query *q, struct mapping *m)
{
    struct follow *f = &q->following;
    if (f->reset.len > 0)
        mapping_str(m, "reset", buf_bytes(&f->reset));
    buf_clear(&f->reset);
}

/* `at` 0: what waits is a part. */
static void tell_changes_at(struct query *q, uint64_t at)
{
    struct follow *f = &q->following;
    struct mapping m = {0};
    if (at != 0)
        mapping_uint(&m, "at", at);
    if (f->count > 0) {
        struct buf *list = mapping_key(&m, "changes");
        mp_put_array(list, f->count);
        buf_put_bytes(list, buf_bytes(&f->changes));
    }
    put_reset(q, &m);
    mapping_put(&m, &q->row);
    query_emit(q);
    buf_clear(&f->changes);
    f->count = 0;
    f->has_changes = false;
}

void follow_tell_position(struct query *q, uint64_t size)
{
    struct follow *f = &q->following;
    tell_changes_at(q, size);
    f->told = f->number;
    f->is_told = true;
}

void follow_tell_value(struct query *q, uint64_t size)
{
    struct buf value = q->row;
    struct mapping m = {0};
    q->row = (struct buf){0};
    mapping_uint(&m, "at", size);
    if (value.len > 0)
        buf_put_bytes(mapping_key(&m, "value"), buf_bytes(&value));
    else
        mapping_bool(&m, "gone", true);
    put_reset(q, &m);
    mapping_put(&m, &q->row);
    query_emit(q);
    q->following.is_told = true;
    buf_deinit(&value);
}

/* ---- beginning anew ---- */

static void forget(struct query *q)
{
    struct follow *f = &q->following;
    object_scan_close(&q->objects);
    row_scan_close(&q->rows);
    q->objects = (struct object_scan){0};
    q->rows = (struct row_scan){0};
    buf_clear(&q->where);
    buf_clear(&q->row);
    buf_clear(&q->found);
    q->found_at = 0;
    q->switched = false;
    q->has_object = false;
    q->type = NULL;
    q->view = NULL;
    q->index = q->n = 0;
    buf_clear(&f->changes);
    f->count = 0;
    f->phase = FOLLOW_BEGIN;
    f->is_told = false;
}

int follow_reset(struct query *q, struct err *err, const char *why, ...)
{
    struct follow *f = &q->following;
    char text[FOLLOW_WHY_MAX];
    va_list args;
    va_start(args, why);
    vsnprintf(text, sizeof(text), why, args);
    va_end(args);
    forget(q);
    int rc = q->kind->begin(q, err);
    if (rc != 0)
        return err_wrap(err, "%s", text);
    f->from = 0;
    f->has_changes = true;
    buf_clear(&f->reset);
    buf_put_text(&f->reset, text);
    return STEP_MORE;
}

bool follow_is_within(const struct query *q)
{
    return q->following.from <= chain_size(q->chain);
}

/* ---- steps of those that follow rows ---- */

/* Where to begin: at the whole, or at what changed since. */
static int begin(struct query *q, const struct followed *kind, struct err *err)
{
    struct follow *f = &q->following;
    const struct changes *c = chain_changes(q->chain);
    uint64_t size = chain_size(q->chain);
    f->number = c->number;
    f->phase = FOLLOW_ALL;
    if (f->from == 0)
        return STEP_MORE;
    if (!follow_is_within(q))
        return follow_reset(
            q, err, "position %llu lies behind the log's end, %llu",
            (unsigned long long)f->from, (unsigned long long)size);
    f->phase = FOLLOW_CHANGES;
    if (changes_at(c, f->from, size, &f->number))
        return STEP_MORE;
    if (kind->catch_up == NULL)
        return follow_reset(q, err,
                            "what changed since %llu is not known any more",
                            (unsigned long long)f->from);
    f->phase = FOLLOW_LOG;
    return STEP_MORE;
}

static int tell_all(struct query *q, const struct followed *kind,
                    struct err *err)
{
    int rc = kind->next(q, err);
    if (rc != STEP_END)
        return rc;
    q->following.phase = FOLLOW_CHANGES;
    return STEP_MORE;
}

static int catch_up(struct query *q, const struct followed *kind,
                    struct err *err)
{
    int rc = kind->catch_up(q, err);
    if (rc != STEP_END)
        return rc;
    q->following.number = chain_changes(q->chain)->number;
    q->following.phase = FOLLOW_CHANGES;
    return STEP_MORE;
}

/* All is told up to the log's end. A position is told, too, when the last one
 * will soon be one whose changes are forgotten. */
static int rest(struct query *q)
{
    struct follow *f = &q->following;
    const struct changes *c = chain_changes(q->chain);
    f->number = c->number;
    if (!f->has_changes && f->is_told && f->number - f->told < c->max / 4)
        return STEP_IDLE;
    follow_tell_position(q, chain_size(q->chain));
    return STEP_MORE;
}

static bool is_touched(const struct query *q, const struct followed *kind)
{
    struct buf key = {0};
    kind->owner(q, &key);
    bool touched = changes_last(chain_changes(q->chain), buf_bytes(&key)) >
                   q->following.number;
    buf_deinit(&key);
    return touched;
}

static int tell_changes(struct query *q, const struct followed *kind,
                        struct err *err)
{
    struct follow *f = &q->following;
    const struct changes *c = chain_changes(q->chain);
    if (!changes_reach(c, f->number))
        return follow_reset(q, err,
                            "more changed than is remembered, before it was "
                            "told");
    if (!is_touched(q, kind))
        return rest(q);
    const struct changed *change = changes_after(c, f->number);
    assert(change != NULL);
    f->number = change->number;
    return kind->changed(q, change_key(change), err);
}

int follow_step(struct query *q, const struct followed *kind, struct err *err)
{
    struct follow *f = &q->following;
    if (chain_changes(q->chain)->ahead)
        return STEP_IDLE;
    if (f->changes.len >= FOLLOW_CHUNK) {
        tell_changes_at(q, 0);
        return STEP_MORE;
    }
    switch (f->phase) {
    case FOLLOW_BEGIN:
        return begin(q, kind, err);
    case FOLLOW_ALL:
        return tell_all(q, kind, err);
    case FOLLOW_LOG:
        return catch_up(q, kind, err);
    case FOLLOW_CHANGES:
    default:
        return tell_changes(q, kind, err);
    }
}
