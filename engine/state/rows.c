/* A row is one entry: key = view name 00, ordered key columns; value = the map
 * of the other columns. A view with an `order` has a second entry a row, whose
 * key is view name 00, ordered order columns, ordered key columns, and whose
 * value is the row's key. */
#include "state/rows.h"

#include <assert.h>
#include <string.h>

#include "base/msgpack.h"
#include "schema/value.h"
#include "state/work.h"

static enum state_kind row_kind(const struct view *view)
{
    return view->reads_bodies ? STATE_PRIVATE_ROW : STATE_ROW;
}

enum state_kind row_scan_kind(const struct view *view)
{
    return view->order_count > 0 ? STATE_ROW_ORDER : row_kind(view);
}

void row_key_begin(struct buf *key, const struct view *view)
{
    buf_put(key, view->name, strlen(view->name) + 1);
}

bool row_get(struct tree_version v, const struct view *view, struct bytes key,
             struct bytes *columns)
{
    return state_get(v, row_kind(view), key, columns);
}

/* Where each key column's ordered form begins in `key`; at[key_count] is the
 * end. */
enum { ROW_KEY_COLUMNS_MAX = 32 };

static void split_key(const struct view *view, struct bytes key,
                      size_t at[ROW_KEY_COLUMNS_MAX + 1], struct buf *values)
{
    assert(view->key_count <= ROW_KEY_COLUMNS_MAX);
    size_t offset = strlen(view->name) + 1;
    for (size_t i = 0; i < view->key_count; i++) {
        const struct field *column = &view->columns.items[view->key[i]];
        at[i] = values->len;
        offset +=
            value_get_ordered(values, &column->type,
                              bytes_of(key.data + offset, key.len - offset));
    }
    at[view->key_count] = values->len;
    assert(offset == key.len);
}

static struct bytes key_column(const struct view *view, size_t column,
                               const size_t *at, const struct buf *values)
{
    for (size_t i = 0; i < view->key_count; i++)
        if (view->key[i] == column)
            return bytes_of(values->data + at[i], at[i + 1] - at[i]);
    return bytes_of(NULL, 0);
}

void row_whole(struct buf *out, const struct view *view, struct bytes key,
               struct bytes columns)
{
    size_t at[ROW_KEY_COLUMNS_MAX + 1];
    struct buf values = {0};
    split_key(view, key, at, &values);
    struct mp mp = mp_open_known(columns);
    uint32_t others = 0;
    int rc = mp_get_map(&mp, &others, NULL);
    assert(rc == 0);
    mp_put_map(out, others + (uint32_t)view->key_count);
    struct mp_walk walk = mp_walk_open(columns);
    for (size_t i = 0; i < view->columns.count; i++) {
        const char *name = view->columns.items[i].name;
        struct bytes value = view_is_key(view, i)
                                 ? key_column(view, i, at, &values)
                                 : mp_walk_get(&walk, name);
        if (value.data == NULL)
            continue;
        mp_put_text(out, name);
        buf_put_bytes(out, value);
    }
    buf_deinit(&values);
}

/* The key of a row's entry in the order of its view. */
static void order_key(struct buf *out, const struct view *view,
                      struct bytes key, struct bytes columns)
{
    size_t at[ROW_KEY_COLUMNS_MAX + 1];
    struct buf values = {0};
    split_key(view, key, at, &values);
    row_key_begin(out, view);
    for (size_t i = 0; i < view->order_count; i++) {
        size_t column = view->order[i];
        const struct field *field = &view->columns.items[column];
        struct bytes value = view_is_key(view, column)
                                 ? key_column(view, column, at, &values)
                                 : mp_map_get(columns, field->name);
        assert(value.data != NULL);
        value_put_ordered(out, &field->type, value);
    }
    size_t name = strlen(view->name) + 1;
    buf_put(out, key.data + name, key.len - name);
    buf_deinit(&values);
}

static void drop_order(struct state *s, const struct view *view,
                       struct bytes key)
{
    struct bytes columns;
    if (view->order_count == 0 || !row_get(state_head(s), view, key, &columns))
        return;
    buf_clear(&s->key);
    order_key(&s->key, view, key, columns);
    bool was_there = state_delete(s, STATE_ROW_ORDER, buf_bytes(&s->key));
    assert(was_there);
}

int64_t row_time(const struct view *view, size_t column, struct bytes key,
                 struct bytes columns)
{
    size_t at[ROW_KEY_COLUMNS_MAX + 1];
    struct buf values = {0};
    struct bytes value;
    int64_t time = INT64_MIN;
    if (view_is_key(view, column)) {
        split_key(view, key, at, &values);
        value = key_column(view, column, at, &values);
    } else {
        value = mp_map_get(columns, view->columns.items[column].name);
    }
    struct mp mp = mp_open_known(value);
    if (value.data != NULL)
        state_own(mp_get_int(&mp, &time, NULL));
    buf_deinit(&values);
    return time;
}

/* Workers wait for times in it. `columns` NULL: the row goes. */
static void note_times(struct state *s, const struct view *view,
                       struct bytes key, const struct bytes *columns)
{
    for (size_t i = 0; i < view->due_count; i++) {
        const struct due *due = &view->due[i];
        struct bytes was;
        int64_t before = INT64_MIN;
        int64_t after = INT64_MIN;
        if (row_get(state_head(s), view, key, &was))
            before = row_time(view, due->column, key, was);
        if (columns != NULL)
            after = row_time(view, due->column, key, *columns);
        work_note_time(s, due->worker, key, before, after);
    }
}

void row_put(struct state *s, const struct view *view, struct bytes key,
             struct bytes columns)
{
    note_times(s, view, key, &columns);
    drop_order(s, view, key);
    state_put(s, row_kind(view), key, columns);
    if (view->order_count == 0)
        return;
    buf_clear(&s->key);
    order_key(&s->key, view, key, columns);
    state_put(s, STATE_ROW_ORDER, buf_bytes(&s->key), key);
}

bool row_delete(struct state *s, const struct view *view, struct bytes key)
{
    note_times(s, view, key, NULL);
    drop_order(s, view, key);
    return state_delete(s, row_kind(view), key);
}

void row_scan_open(struct row_scan *scan, struct tree_version v,
                   const struct view *view, struct bytes prefix,
                   struct bytes after, bool backward)
{
    *scan = (struct row_scan){.view = view, .v = v, .backward = backward};
    buf_put_u8(&scan->prefix, (uint8_t)row_scan_kind(view));
    row_key_begin(&scan->prefix, view);
    buf_put_bytes(&scan->prefix, prefix);
    buf_put_bytes(&scan->at, after);
}

bool row_scan_next(struct row_scan *scan, struct bytes *key,
                   struct bytes *columns)
{
    struct bytes entry;
    struct bytes value;
    if (!state_step(scan->v, buf_bytes(&scan->prefix), &scan->at,
                    scan->backward, &entry, &value))
        return false;
    buf_clear(&scan->key);
    if (scan->view->order_count == 0) {
        buf_put(&scan->key, entry.data + 1, entry.len - 1);
        *columns = value;
    } else {
        buf_put_bytes(&scan->key, value);
        bool found =
            row_get(scan->v, scan->view, buf_bytes(&scan->key), columns);
        assert(found);
    }
    *key = buf_bytes(&scan->key);
    return true;
}

struct bytes row_scan_position(const struct row_scan *scan)
{
    return buf_bytes(&scan->at);
}

void row_scan_close(struct row_scan *scan)
{
    buf_deinit(&scan->prefix);
    buf_deinit(&scan->at);
    buf_deinit(&scan->key);
}
