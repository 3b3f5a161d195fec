/* The state: entries, objects, rows in both orders, undo, and its root. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/hex.h"
#include "base/limits.h"
#include "base/msgpack.h"
#include "schema/value.h"
#include "state/reads.h"
#include "state/rows.h"

/* ---- a small schema, made by hand ---- */

static struct field account_fields[] = {
    {"name", NULL, {.kind = VALUE_TEXT, .len_max = 40}},
};
static size_t first_position[] = {0};
static struct event_type account = {
    .name = (char[]){"bank.account"},
    .is_object = true,
    .header = {account_fields, 1},
    .key = first_position,
    .key_count = 1,
    .parent = -1,
};
static struct field board_columns[] = {
    {"issue",
     NULL,
     {.kind = VALUE_INTEGER, .min = INT64_MIN, .max = INT64_MAX}},
    {"state", NULL, {.kind = VALUE_TEXT, .len_max = 10}},
};
static size_t second_position[] = {1};
static struct view by_key = {
    .name = (char[]){"t.plain"},
    .columns = {board_columns, 2},
    .key = first_position,
    .key_count = 1,
};
static struct view by_state = {
    .name = (char[]){"t.board"},
    .columns = {board_columns, 2},
    .key = first_position,
    .key_count = 1,
    .order = second_position,
    .order_count = 1,
};

static void make_raw(struct buf *raw, struct event_header *h, uint8_t id,
                     const char *name)
{
    static uint8_t object[16];
    static uint8_t author[32];
    struct buf fields = {0};
    memset(object, id, sizeof(object));
    mp_put_map(&fields, 1);
    mp_put_text(&fields, "name");
    mp_put_text(&fields, name);
    *h = (struct event_header){
        .object = object,
        .type = bytes_of_text("bank.account"),
        .author = author,
        .fields = buf_bytes(&fields),
    };
    buf_clear(raw);
    event_header_put(raw, h);
    buf_deinit(&fields);
    assert_int_equal(event_header_get(buf_bytes(raw), h, NULL), 0);
}

static void put_account(struct state *s, uint8_t id, const char *name,
                        uint64_t index)
{
    struct buf raw = {0};
    struct event_header h;
    uint8_t event[32];
    make_raw(&raw, &h, id, name);
    memset(event, id, sizeof(event));
    state_put_object(s, &account, event, index, 0, buf_bytes(&raw), &h, false);
    buf_deinit(&raw);
}

static void put_row(struct state *s, const struct view *view, int64_t issue,
                    const char *word)
{
    struct buf key = {0};
    struct buf value = {0};
    struct buf columns = {0};
    row_key_begin(&key, view);
    mp_put_int(&value, issue);
    value_put_ordered(&key, &board_columns[0].type, buf_bytes(&value));
    mp_put_map(&columns, 1);
    mp_put_text(&columns, "state");
    mp_put_text(&columns, word);
    row_put(s, view, buf_bytes(&key), buf_bytes(&columns));
    buf_deinit(&key);
    buf_deinit(&value);
    buf_deinit(&columns);
}

/* The issues of a scan, joined. */
static void scan(struct state *s, const struct view *view, const char *word,
                 bool backward, char *out)
{
    struct row_scan rows;
    struct buf prefix = {0};
    struct buf value = {0};
    struct buf whole = {0};
    struct bytes key;
    struct bytes columns;
    out[0] = '\0';
    if (word != NULL) {
        mp_put_text(&value, word);
        value_put_ordered(&prefix, &board_columns[1].type, buf_bytes(&value));
    }
    row_scan_open(&rows, state_head(s), view, buf_bytes(&prefix),
                  bytes_of(NULL, 0), backward);
    while (row_scan_next(&rows, &key, &columns)) {
        int64_t issue;
        buf_clear(&whole);
        row_whole(&whole, view, key, columns);
        struct mp mp = mp_open(mp_map_get(buf_bytes(&whole), "issue"));
        assert_int_equal(mp_get_int(&mp, &issue, NULL), 0);
        snprintf(out + strlen(out), 16, "%lld ", (long long)issue);
    }
    row_scan_close(&rows);
    buf_deinit(&prefix);
    buf_deinit(&value);
    buf_deinit(&whole);
}

static int set_up(void **state)
{
    static struct state s;
    state_init(&s);
    state_begin(&s);
    *state = &s;
    return 0;
}

static int tear_down(void **state)
{
    state_deinit(*state);
    return 0;
}

/* ---- tests ---- */

static void rows_stand_in_the_order_of_their_key(void **state)
{
    struct state *s = *state;
    char text[64];
    put_row(s, &by_key, 5, "open");
    put_row(s, &by_key, -3, "done");
    put_row(s, &by_key, 200, "doing");
    scan(s, &by_key, NULL, false, text);
    assert_string_equal(text, "-3 5 200 ");
    scan(s, &by_key, NULL, true, text);
    assert_string_equal(text, "200 5 -3 ");
}

/* A row that changes its place in the order leaves no entry behind. */
static void rows_move_within_their_order(void **state)
{
    struct state *s = *state;
    char text[64];
    put_row(s, &by_state, 1, "open");
    put_row(s, &by_state, 2, "open");
    put_row(s, &by_state, 3, "done");
    scan(s, &by_state, "open", false, text);
    assert_string_equal(text, "1 2 ");
    put_row(s, &by_state, 1, "done");
    scan(s, &by_state, "open", false, text);
    assert_string_equal(text, "2 ");
    scan(s, &by_state, "done", true, text);
    assert_string_equal(text, "3 1 ");
    scan(s, &by_state, NULL, false, text);
    assert_string_equal(text, "1 3 2 ");
}

static void objects_are_found_spent_and_listed(void **state)
{
    struct state *s = *state;
    struct object o;
    uint8_t id[16];
    memset(id, 7, sizeof(id));
    assert_int_equal(state_object(state_head(s), id, &o), OBJECT_ABSENT);
    put_account(s, 7, "zoe", 3);
    put_account(s, 9, "ada", 4);
    assert_int_equal(state_object(state_head(s), id, &o), OBJECT_LIVE);
    assert_int_equal(o.index, 3);
    struct object_scan list;
    object_scan_open(&list, state_head(s), &account, NULL, bytes_of(NULL, 0),
                     false);
    assert_true(object_scan_next(&list, id));
    assert_int_equal(id[0], 9); /* ada before zoe */
    assert_true(object_scan_next(&list, id));
    assert_int_equal(id[0], 7);
    assert_false(object_scan_next(&list, id));
    object_scan_close(&list);
    uint8_t event[32] = {1};
    struct event_header h = o.header;
    struct buf copy = {0};
    buf_put_bytes(&copy, o.raw);
    assert_int_equal(event_header_get(buf_bytes(&copy), &h, NULL), 0);
    state_spend_object(s, &account, event, 8, 0, &h);
    memset(id, 7, sizeof(id));
    assert_int_equal(state_object(state_head(s), id, &o), OBJECT_SPENT);
    assert_int_equal(o.index, 8);
    struct bytes name;
    struct mp mp = mp_open(object_key(&o, &account, 0));
    assert_int_equal(mp_get_str(&mp, &name, NULL), 0);
    assert_true(bytes_equal(name, bytes_of_text("zoe")));
    assert_null(object_scale(&o).data);
    uint64_t index = UINT64_MAX;
    uint64_t n = 0;
    assert_true(state_version_before(state_head(s), id, &index, &n));
    assert_int_equal(index, 8);
    assert_true(state_version_before(state_head(s), id, &index, &n));
    assert_int_equal(index, 3);
    assert_false(state_version_before(state_head(s), id, &index, &n));
    buf_deinit(&copy);
}

/* Undo leaves nothing, not even in the indexes; pins see what they saw. */
static void undo_and_pins_keep_versions_apart(void **state)
{
    struct state *s = *state;
    uint8_t before[32];
    uint8_t after[32];
    put_row(s, &by_state, 1, "open");
    state_keep(s);
    state_all_is_durable(s);
    state_root(state_head(s), before);
    state_begin(s);
    put_row(s, &by_state, 1, "done");
    put_row(s, &by_state, 2, "open");
    put_account(s, 4, "eve", 1);
    state_root(state_head(s), after);
    assert_memory_not_equal(before, after, 32);
    state_root(state_durable(s), after);
    assert_memory_equal(before, after, 32);
    state_undo(s);
    state_root(state_head(s), after);
    assert_memory_equal(before, after, 32);
    state_begin(s);
}

/* The root is a function of the entries, not of the way they came about. */
static void the_root_does_not_depend_on_history(void **state)
{
    struct state *s = *state;
    struct state other;
    uint8_t a[32];
    uint8_t b[32];
    state_root(state_head(s), a);
    memset(b, 0, sizeof(b));
    assert_memory_equal(a, b, 32); /* of nothing: zeros */
    for (int i = 0; i < 300; i++)
        put_row(s, &by_key, i, "open");
    for (int i = 0; i < 300; i += 2)
        put_row(s, &by_key, i, "done");
    state_init(&other);
    state_begin(&other);
    for (int i = 299; i >= 0; i--)
        put_row(&other, &by_key, i, i % 2 == 0 ? "done" : "open");
    state_root(state_head(s), a);
    state_root(state_head(&other), b);
    assert_memory_equal(a, b, 32);
    state_deinit(&other);
}

/* One entry and two, worked out by hand with the words of docs/format.md. */
static void the_root_is_that_of_the_format(void **state)
{
    struct state *s = *state;
    uint8_t slot[2][32];
    uint8_t leaf[2][32];
    uint8_t root[32];
    uint8_t want[32];
    const char *keys[] = {"x", "yy"};
    for (int i = 0; i < 2; i++) {
        struct hasher h;
        state_put_chain(s, keys[i], bytes_of("v", 1));
        hash_begin(&h, LABEL_SLOT);
        hash_u8(&h, 1);
        hash_part(&h, bytes_of_text(keys[i]));
        hash_end(&h, slot[i]);
        hash_begin(&h, LABEL_LEAF);
        hash_part(&h, bytes_of(slot[i], 32));
        hash_part(&h, bytes_of("v", 1));
        hash_end(&h, leaf[i]);
        state_root(state_head(s), root);
        if (i == 0)
            assert_memory_equal(root, leaf[0], 32);
    }
    unsigned bit = 0;
    while (((slot[0][bit / 8] ^ slot[1][bit / 8]) >> (7 - bit % 8) & 1) == 0)
        bit++;
    int left = (slot[0][bit / 8] >> (7 - bit % 8) & 1) != 0;
    struct hasher h;
    hash_begin(&h, LABEL_NODE);
    hash_u64(&h, bit);
    hash_part(&h, bytes_of(leaf[left], 32));
    hash_part(&h, bytes_of(leaf[!left], 32));
    hash_end(&h, want);
    assert_memory_equal(root, want, 32);
}

/* Call ids that are older than a day of log time are forgotten, oldest first.
 */
static void call_ids_are_kept_for_their_time(void **state)
{
    struct state *s = *state;
    struct call_entry entry = {.index = 1};
    struct call_entry found;
    uint8_t id[16] = {1};
    uint8_t later[16] = {2};
    state_put_call(s, id, &entry, 1000, 500);
    assert_true(state_call(state_head(s), id, &found));
    state_put_call(s, later, &entry, 1500, 500);
    assert_true(state_call(state_head(s), id, &found));
    state_put_call(s, (uint8_t[16]){3}, &entry, 1501, 500);
    assert_false(state_call(state_head(s), id, &found));
    assert_true(state_call(state_head(s), later, &found));
}

/* What the transaction itself wrote does not count in its read set: the digests
 * are over what stood there before. */
static void read_sets_tell_of_the_state_before(void **state)
{
    struct state *s = *state;
    struct reads early;
    struct reads late;
    struct buf a = {0};
    struct buf b = {0};
    put_row(s, &by_key, 1, "open");
    put_row(s, &by_key, 4, "open");
    state_keep(s);
    struct tree_version before = state_head(s);
    state_begin(s);
    struct buf from = {0};
    struct buf to = {0};
    row_key_begin(&from, &by_key);
    row_key_begin(&to, &by_key);
    buf_next_prefix(&to);
    reads_init(&early);
    reads_note_range(&early, STATE_ROW, buf_bytes(&from), buf_bytes(&to));
    reads_note(&early, STATE_ROW, buf_bytes(&from));
    assert_int_equal(reads_put(&early, before, &a, NULL), 0);
    put_row(s, &by_key, 1, "done");
    put_row(s, &by_key, 2, "new");
    struct row_scan rows;
    struct bytes key;
    struct bytes columns;
    row_scan_open(&rows, state_head(s), &by_key, bytes_of(NULL, 0),
                  bytes_of(NULL, 0), true);
    assert_true(row_scan_next(&rows, &key, &columns));
    row_delete(s, &by_key, key);
    row_scan_close(&rows);
    reads_init(&late);
    reads_note(&late, STATE_ROW, buf_bytes(&from));
    reads_note(&late, STATE_ROW, buf_bytes(&from));
    reads_note_range(&late, STATE_ROW, buf_bytes(&from), buf_bytes(&to));
    assert_int_equal(reads_put(&late, before, &b, NULL), 0);
    assert_true(bytes_equal(buf_bytes(&a), buf_bytes(&b)));
    assert_int_equal(mp_check(buf_bytes(&a), NULL), 0);
    uint64_t left = LIMIT_TX_READS;
    assert_int_equal(reads_check(buf_bytes(&a), before, &left, NULL), 0);
    assert_int_equal(reads_check(buf_bytes(&a), state_head(s), &left, NULL),
                     ATE_ESTALE);
    reads_deinit(&early);
    reads_deinit(&late);
    buf_deinit(&a);
    buf_deinit(&b);
    buf_deinit(&from);
    buf_deinit(&to);
}

/* One for each entry of a read set, one for each that its ranges hold, and what
 * long values weigh beside. */
static void what_read_sets_stand_for_is_counted(void **state)
{
    static char text[READS_STEP * 3];
    struct state *s = *state;
    struct reads r;
    struct err err;
    struct buf set = {0};
    struct buf from = {0};
    struct buf to = {0};
    memset(text, 'x', sizeof(text) - 1);
    for (int i = 1; i <= 5; i++)
        put_row(s, &by_key, i, i == 5 ? text : "open");
    state_keep(s);
    state_begin(s);
    row_key_begin(&from, &by_key);
    row_key_begin(&to, &by_key);
    buf_next_prefix(&to);
    reads_init(&r);
    reads_note(&r, STATE_ROW, buf_bytes(&from)); /* not there: 1 */
    reads_note_range(&r, STATE_ROW, buf_bytes(&from), buf_bytes(&to));
    assert_int_equal(reads_put(&r, state_head(s), &set, NULL), 0);
    uint64_t price = 1 + 1 + 5 + 3;
    for (uint64_t short_of = 0; short_of <= price; short_of++) {
        uint64_t left = price - short_of;
        int rc = reads_check(buf_bytes(&set), state_head(s), &left, &err);
        assert_int_equal(rc, short_of == 0 ? 0 : ATE_ELIMIT);
        assert_int_equal(left, 0);
    }
    reads_deinit(&r);
    buf_deinit(&set);
    buf_deinit(&from);
    buf_deinit(&to);
}

/* Who makes a read set counts as those do who compare it. */
static void read_sets_stand_for_a_bound(void **state)
{
    enum { ROWS = 4000, FIT = LIMIT_TX_READS / (1 + ROWS) };
    struct state *s = *state;
    struct buf to = {0};
    struct err err;
    for (int i = 1; i <= ROWS; i++)
        put_row(s, &by_key, i, "open");
    state_keep(s);
    state_begin(s);
    row_key_begin(&to, &by_key);
    buf_next_prefix(&to);
    for (uint32_t ranges = FIT; ranges <= FIT + 1; ranges++) {
        struct reads r;
        struct buf set = {0};
        reads_init(&r);
        for (uint32_t i = 0; i < ranges; i++) { /* each from elsewhere */
            uint8_t more[4] = {0, 0, (uint8_t)(i >> 8), (uint8_t)i};
            struct buf from = {0};
            row_key_begin(&from, &by_key);
            buf_put(&from, more, sizeof(more));
            reads_note_range(&r, STATE_ROW, buf_bytes(&from), buf_bytes(&to));
            buf_deinit(&from);
        }
        int rc = reads_put(&r, state_head(s), &set, &err);
        assert_int_equal(rc, ranges == FIT ? 0 : ATE_ELIMIT);
        if (ranges > FIT) {
            assert_non_null(strstr(err.text, "the method looked at too much"));
            assert_int_equal(set.len, 0);
        }
        reads_deinit(&r);
        buf_deinit(&set);
    }
    buf_deinit(&to);
}

/* What was looked up goes with a write, and with what undoes it. */
static void log_time_is_that_of_the_head(void **state)
{
    struct state *s = *state;
    assert_int_equal(state_head_time(s), 0);
    state_put_time(s, 1, 1000);
    assert_int_equal(state_head_time(s), 1000);
    state_keep(s);
    uint64_t stamp = state_stamp(s);
    state_begin(s);
    put_account(s, 1, "alice", 0);
    state_keep(s);
    assert_int_equal(state_stamp(s), stamp);
    state_begin(s);
    state_put_time(s, 2, 2000);
    assert_int_equal(state_head_time(s), 2000);
    state_undo(s);
    assert_int_equal(state_head_time(s), 1000);
    struct tree_mark mark = tree_mark(s->tree);
    state_begin(s);
    state_put_time(s, 2, 3000);
    state_keep(s);
    assert_int_equal(state_head_time(s), 3000);
    tree_undo(s->tree, mark);
    assert_int_equal(state_head_time(s), 1000);
    assert_true(state_stamp(s) != stamp);
    state_begin(s);
}

#define state_test(name)                                                       \
    cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        state_test(rows_stand_in_the_order_of_their_key),
        state_test(rows_move_within_their_order),
        state_test(objects_are_found_spent_and_listed),
        state_test(undo_and_pins_keep_versions_apart),
        state_test(the_root_does_not_depend_on_history),
        state_test(the_root_is_that_of_the_format),
        state_test(call_ids_are_kept_for_their_time),
        state_test(read_sets_tell_of_the_state_before),
        state_test(what_read_sets_stand_for_is_counted),
        state_test(read_sets_stand_for_a_bound),
        state_test(log_time_is_that_of_the_head),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
