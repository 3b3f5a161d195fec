/* view and sum: rows of views. The columns that `where` names and that the
 * view's order begins with become the scan's prefix; the others are looked at
 * row by row. */
#include <assert.h>
#include <string.h>

#include "base/memory.h"
#include "base/msgpack.h"
#include "base/near.h"
#include "query/inside.h"
#include "state/changes.h"

static int take_view(struct query *q, struct err *err)
{
    struct bytes name;
    const struct schema *s = chain_core(q->chain)->schema;
    int rc = query_take_text(q, "view", true, &name, err);
    if (rc != 0)
        return rc;
    q->view = schema_view(s, name);
    if (q->view != NULL)
        return 0;
    const char **names = mem_alloc((s->view_count + 1) * sizeof(*names));
    for (size_t i = 0; i < s->view_count; i++)
        names[i] = schema_short(s, s->views[i].name);
    rc = err_set(err, ATE_ENOT_FOUND, "no view '%.*s'", (int)name.len,
                 (const char *)name.data);
    near_tell(err, name, names, s->view_count, "");
    err_at(err, "view");
    mem_free(names);
    return rc;
}

/* The columns that rows stand in the order of, in that order. */
static size_t order_column(const struct view *view, size_t i)
{
    if (i < view->order_count)
        return view->order[i];
    i -= view->order_count;
    return i < view->key_count ? view->key[i] : SIZE_MAX;
}

/* Columns of rows, which may name what was deleted. */
static int take_columns(const struct query *q, struct bytes map,
                        struct buf *out, struct err *err)
{
    struct door door = q->door;
    door.takes_spent = true;
    return door_take(&door, &q->view->columns, map, TAKE_PART, q->view->name,
                     out, err);
}

static int take_where(struct query *q, struct buf *prefix, struct err *err)
{
    static const uint8_t empty_map = 0x80;
    struct bytes map = mp_map_get(buf_bytes(&q->args), "where");
    if (map.data == NULL)
        map = bytes_of(&empty_map, 1);
    int rc = take_columns(q, map, &q->where, err);
    bool leads = rc == 0;
    if (rc != 0)
        err_at(err, "where");
    for (size_t i = 0; leads; i++) {
        size_t column = order_column(q->view, i);
        if (column == SIZE_MAX)
            break;
        const struct field *field = &q->view->columns.items[column];
        struct bytes value = mp_map_get(buf_bytes(&q->where), field->name);
        leads = value.data != NULL;
        if (leads)
            value_put_ordered(prefix, &field->type, value);
    }
    return rc;
}

/* `after` is a row as it was told: the scan goes on behind it. */
static int take_after(struct query *q, struct buf *position, struct err *err)
{
    struct bytes map = mp_map_get(buf_bytes(&q->args), "after");
    struct buf stored = {0};
    if (map.data == NULL)
        return 0;
    int rc = take_columns(q, map, &stored, err);
    buf_put_u8(position, (uint8_t)row_scan_kind(q->view));
    row_key_begin(position, q->view);
    for (size_t i = 0; rc == 0; i++) {
        size_t column = order_column(q->view, i);
        if (column == SIZE_MAX)
            break;
        const struct field *field = &q->view->columns.items[column];
        struct bytes value = mp_map_get(buf_bytes(&stored), field->name);
        if (value.data == NULL) {
            rc =
                err_set(err, ATE_EINVALID,
                        "'after' is a whole row; '%s' is missing", field->name);
            err_at(err, field->name);
        } else {
            value_put_ordered(position, &field->type, value);
        }
    }
    buf_deinit(&stored);
    if (rc == 0)
        return 0;
    err_at(err, "after");
    return err_wrap(err, "after");
}

static int open_scan(struct query *q, struct err *err)
{
    struct buf prefix = {0};
    struct buf after = {0};
    int rc = take_view(q, err);
    if (rc == 0)
        rc = query_take_page(q, err);
    if (rc == 0)
        rc = take_where(q, &prefix, err);
    if (rc == 0)
        rc = take_after(q, &after, err);
    if (rc == 0)
        row_scan_open(&q->rows, q->door.version, q->view, buf_bytes(&prefix),
                      buf_bytes(&after), q->backward);
    buf_deinit(&prefix);
    buf_deinit(&after);
    return rc;
}

/* Has the row all that `where` asks for? */
static bool matches(const struct query *q, struct bytes row)
{
    struct mp mp = mp_open(buf_bytes(&q->where));
    uint32_t count = 0;
    struct bytes name;
    struct bytes value;
    mp_get_map(&mp, &count, NULL);
    for (uint32_t i = 0; i < count; i++) {
        char text[LIMIT_KIND_NAME + 1];
        mp_get_str(&mp, &name, NULL);
        mp_skip(&mp, &value, NULL);
        size_t len = name.len < LIMIT_KIND_NAME ? name.len : LIMIT_KIND_NAME;
        memcpy(text, name.data, len);
        text[len] = '\0';
        if (!bytes_equal(mp_map_get(row, text), value))
            return false;
    }
    return true;
}

/* What came of looking for a row: it, or none, or that more are to be looked at
 * in the next step. */
enum found { FOUND_ROW, FOUND_NONE, FOUND_LATER };

/* Go on to the next row of version `v` that matches: whole, in `row`. */
static enum found next_row(struct query *q, struct tree_version v,
                           struct buf *row)
{
    struct bytes key;
    struct bytes columns;
    q->rows.v = v;
    while (row_scan_next(&q->rows, &key, &columns)) {
        buf_clear(row);
        row_whole(row, q->view, key, columns);
        if (matches(q, buf_bytes(row)))
            return FOUND_ROW;
        if (query_has_worked(q))
            return FOUND_LATER;
    }
    return FOUND_NONE;
}

/* ---- view ---- */

static int view_begin(struct query *q, struct err *err)
{
    static const char *const names[] = {"after", "follow", "from",  "limit",
                                        "order", "view",   "where", NULL};
    static const char *const alone[] = {"after", "limit", "order", NULL};
    int rc = query_check_args(q, names, err);
    if (rc == 0)
        rc = query_take_follow(q, alone, err);
    return rc != 0 ? rc : open_scan(q, err);
}

/* Put the next row into q->row. */
static enum found give_next_row(struct query *q)
{
    struct buf row = {0};
    enum found found = next_row(q, q->door.version, &row);
    if (found == FOUND_ROW)
        door_give(&q->door, &q->view->columns, buf_bytes(&row), &q->row);
    buf_deinit(&row);
    return found;
}

static int view_next(struct query *q, struct err *err)
{
    (void)err;
    enum found found = give_next_row(q);
    if (found == FOUND_ROW)
        followed_put(q);
    return found == FOUND_NONE ? STEP_END : STEP_MORE;
}

/* Do the columns of a row's key agree with `where`? Those of a row that is gone
 * are all there is to go by. */
static bool key_matches(const struct query *q, struct bytes key_columns)
{
    for (size_t i = 0; i < q->view->key_count; i++) {
        const char *name = q->view->columns.items[q->view->key[i]].name;
        struct bytes wanted = mp_map_get(buf_bytes(&q->where), name);
        if (wanted.data != NULL &&
            !bytes_equal(mp_map_get(key_columns, name), wanted))
            return false;
    }
    return true;
}

/* It is not among the rows that were asked for; whether it was is not known. */
static void row_gone(struct query *q, struct bytes key)
{
    static const uint8_t no_columns = 0x80;
    struct buf columns = {0};
    row_whole(&columns, q->view, key, bytes_of(&no_columns, 1));
    if (key_matches(q, buf_bytes(&columns))) {
        buf_clear(&q->row);
        door_give(&q->door, &q->view->columns, buf_bytes(&columns), &q->row);
        followed_gone(q);
    }
    buf_deinit(&columns);
}

static bool is_of_view(const struct query *q, struct bytes key)
{
    size_t name = strlen(q->view->name) + 1;
    enum state_kind kind =
        q->view->reads_bodies ? STATE_PRIVATE_ROW : STATE_ROW;
    return key.data[0] == kind && key.len > 1 + name &&
           memcmp(key.data + 1, q->view->name, name) == 0;
}

static int view_changed(struct query *q, struct bytes whole_key,
                        struct err *err)
{
    struct bytes columns;
    struct buf row = {0};
    (void)err;
    if (!is_of_view(q, whole_key))
        return STEP_MORE;
    struct bytes key = bytes_of(whole_key.data + 1, whole_key.len - 1);
    if (row_get(q->door.version, q->view, key, &columns))
        row_whole(&row, q->view, key, columns);
    if (row.len > 0 && matches(q, buf_bytes(&row))) {
        buf_clear(&q->row);
        door_give(&q->door, &q->view->columns, buf_bytes(&row), &q->row);
        followed_put(q);
    } else {
        row_gone(q, key);
    }
    buf_deinit(&row);
    return STEP_MORE;
}

static void view_owner(const struct query *q, struct buf *key)
{
    changes_view_key(key, q->view);
}

static const struct followed followed_view = {
    .next = view_next,
    .changed = view_changed,
    .owner = view_owner,
};

static int view_step(struct query *q, struct err *err)
{
    if (q->follow)
        return follow_step(q, &followed_view, err);
    if (q->limit == 0)
        return STEP_END;
    enum found found = give_next_row(q);
    if (found == FOUND_ROW)
        query_emit(q);
    return found == FOUND_NONE ? STEP_END : STEP_MORE;
}

const struct query_kind query_view = {
    .name = "view", .begin = view_begin, .step = view_step};

/* ---- sum ---- */

static int take_column(struct query *q, const struct field **column,
                       struct err *err)
{
    struct bytes name;
    int rc = query_take_text(q, "column", true, &name, err);
    if (rc != 0)
        return rc;
    *column = fields_find(&q->view->columns, name);
    if (*column == NULL)
        err_set(err, ATE_ENOT_FOUND, "%s has no column '%.*s'", q->view->name,
                (int)name.len, (const char *)name.data);
    else if ((*column)->type.kind != VALUE_INTEGER &&
             (*column)->type.kind != VALUE_AMOUNT)
        err_set(err, ATE_EINVALID, "%s.%s is no number", q->view->name,
                (*column)->name);
    else
        return 0;
    return err_at(err, "column");
}

static int sum_begin(struct query *q, struct err *err)
{
    static const char *const names[] = {"column", "view", "where", NULL};
    const struct field *column = NULL;
    int rc = query_check_args(q, names, err);
    if (rc == 0)
        rc = open_scan(q, err);
    if (rc == 0)
        rc = take_column(q, &column, err);
    if (rc == 0 && column->type.of != NULL &&
        mp_map_get(buf_bytes(&q->where), column->type.of).data == NULL) {
        rc = err_set(err, ATE_EINVALID,
                     "%s.%s has the scale of its '%s': sum over one of them, "
                     "with where",
                     q->view->name, column->name, column->type.of);
        err_at(err, column->type.of);
        err_at(err, "where");
    }
    return rc;
}

/* All of it is over the version that it began with. */
static struct tree_version summed_version(struct query *q)
{
    if (q->hold == NULL)
        return q->door.version;
    return hold_version(q->hold);
}

static int add_to_sum(struct query *q, struct bytes value, struct err *err)
{
    struct mp mp = mp_open(value);
    int64_t amount = 0;
    if (mp_get_int(&mp, &amount, NULL) == 0 &&
        __builtin_add_overflow(q->sum, amount, &q->sum))
        return err_set(err, ATE_ELIMIT, "the sum is too large");
    return 0;
}

/* Add rows: STEP_MORE, or STEP_END when all are. */
static int add_rows(struct query *q, const struct field *column,
                    struct err *err)
{
    struct tree_version v = summed_version(q);
    struct buf row = {0};
    enum found found;
    int rc;
    do {
        found = next_row(q, v, &row);
        rc = found == FOUND_NONE ? STEP_END : STEP_MORE;
        if (found == FOUND_ROW)
            rc = add_to_sum(q, mp_map_get(buf_bytes(&row), column->name), err);
    } while (found == FOUND_ROW && rc == STEP_MORE && !query_has_worked(q));
    buf_deinit(&row);
    return rc;
}

static int sum_step(struct query *q, struct err *err)
{
    const struct field *column = NULL;
    struct buf value = {0};
    int rc = take_column(q, &column, err);
    if (rc == 0)
        rc = add_rows(q, column, err);
    if (rc == STEP_MORE && q->hold == NULL) {
        q->hold = mem_zero(1, sizeof(*q->hold));
        hold_begin(q->hold, q->chain);
    }
    if (rc != STEP_END)
        return rc;
    struct door_scope scope = {&q->view->columns, buf_bytes(&q->where)};
    mp_put_int(&value, q->sum);
    door_give_value(&q->door, &column->type, buf_bytes(&value), &scope,
                    &q->result);
    buf_deinit(&value);
    return rc;
}

const struct query_kind query_sum = {
    .name = "sum", .begin = sum_begin, .step = sum_step};
