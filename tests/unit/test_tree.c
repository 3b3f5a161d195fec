/* tree: against a model, with marks, pins and walks, and the page accounts. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/tree.h"
#include "base/tree_writer.h"

/* ---- a small random source, so that a seed says everything ---- */

static uint64_t next_random(uint64_t *seed)
{
    *seed += 0x9e3779b97f4a7c15ULL;
    uint64_t x = *seed;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ULL;
    x = (x ^ x >> 27) * 0x94d049bb133111ebULL;
    return x ^ x >> 31;
}

static uint32_t below(uint64_t *seed, uint32_t end)
{
    return (uint32_t)(next_random(seed) % end);
}

/* ---- the model: a fixed universe of keys, by rank ---- */

enum { KEYS = 3000, MARKS_MAX = 5, PINS_MAX = 4, VALUE_MAX = 100 << 10 };

/* An entry's value is made from its seed whenever it is needed. */
struct entry {
    uint32_t seed; /* 0: absent */
    uint32_t len;
};

struct snapshot {
    struct entry entries[KEYS];
    uint32_t count;
};

struct model {
    uint64_t random;
    struct tree *tree;
    struct bytes keys[KEYS]; /* sorted */
    struct snapshot head;
    struct snapshot *marks[MARKS_MAX];
    struct tree_mark mark_of[MARKS_MAX];
    int mark_count;
    struct snapshot *pins[PINS_MAX];
    struct tree_pin *pin_of[PINS_MAX];
    uint8_t value[VALUE_MAX];
};

static int key_order(const void *a, const void *b)
{
    return bytes_compare(*(const struct bytes *)a, *(const struct bytes *)b);
}

/* Short keys differ early; long ones share all but their last bytes. */
static struct bytes make_key(uint64_t *random, uint32_t i, bool is_long)
{
    uint8_t key[TREE_KEY_MAX];
    size_t len = is_long ? TREE_KEY_MAX - below(random, 40) : 4;
    if (!is_long)
        len += below(random, 30);
    memset(key, 'k', len);
    if (!is_long)
        for (size_t j = 0; j < len - 4; j++)
            key[j] = (uint8_t)below(random, 4);
    put_be32(key + len - 4, i);
    return bytes_of(mem_copy(key, len), len);
}

static struct model *model_new(uint64_t seed, bool long_keys)
{
    struct model *m = mem_zero(1, sizeof(*m));
    m->random = seed;
    m->tree = tree_new();
    m->keys[0] = bytes_of(mem_copy("", 0), 0); /* the empty key is one too */
    for (uint32_t i = 1; i < KEYS; i++)
        m->keys[i] = make_key(&m->random, i, long_keys);
    qsort(m->keys, KEYS, sizeof(m->keys[0]), key_order);
    return m;
}

static void model_free(struct model *m)
{
    tree_free(m->tree);
    for (uint32_t i = 0; i < KEYS; i++)
        mem_free((void *)m->keys[i].data);
    for (int i = 0; i < MARKS_MAX; i++)
        mem_free(m->marks[i]);
    for (int i = 0; i < PINS_MAX; i++)
        mem_free(m->pins[i]);
    mem_free(m);
}

static struct bytes value_of(struct model *m, struct entry entry)
{
    uint64_t seed = entry.seed;
    for (size_t at = 0; at < entry.len; at += 8) {
        uint64_t word = next_random(&seed);
        size_t left = entry.len - at;
        memcpy(m->value + at, &word, left < 8 ? left : 8);
    }
    return bytes_of(m->value, entry.len);
}

static uint32_t random_len(struct model *m)
{
    switch (below(&m->random, 40)) {
    case 0:
        return 0;
    case 1:
        return below(&m->random, VALUE_MAX);
    case 2:
    case 3:
        return 900 + below(&m->random, 200); /* where values leave the page */
    case 4:
        return below(&m->random, 5000);
    default:
        return below(&m->random, 120);
    }
}

/* ---- comparing ---- */

static void check_entry(struct model *m, const struct snapshot *want,
                        struct tree_version v, uint32_t rank)
{
    struct bytes value;
    bool found = tree_get(v, m->keys[rank], &value);
    assert_int_equal(found, want->entries[rank].seed != 0);
    if (found)
        assert_true(bytes_equal(value, value_of(m, want->entries[rank])));
}

static void check_cursor(struct model *m, const struct snapshot *want,
                         const struct tree_cursor *c, uint32_t rank)
{
    assert_true(bytes_equal(tree_cursor_key(c), m->keys[rank]));
    assert_true(
        bytes_equal(tree_cursor_value(c), value_of(m, want->entries[rank])));
}

static void check_walk(struct model *m, const struct snapshot *want,
                       struct tree_version v)
{
    struct tree_cursor c;
    bool on = tree_seek(&c, v, (struct bytes){0});
    for (uint32_t rank = 0; rank < KEYS; rank++) {
        if (want->entries[rank].seed == 0)
            continue;
        assert_true(on);
        check_cursor(m, want, &c, rank);
        on = tree_next(&c);
    }
    assert_false(on);
    assert_false(tree_next(&c));
    on = tree_seek_last(&c, v);
    for (uint32_t rank = KEYS; rank-- > 0;) {
        if (want->entries[rank].seed == 0)
            continue;
        assert_true(on);
        check_cursor(m, want, &c, rank);
        on = tree_previous(&c);
    }
    assert_false(on);
    assert_false(tree_previous(&c));
}

/* Both seeks around a key that may be absent, and a step to and fro. */
static void check_seek(struct model *m, const struct snapshot *want,
                       struct tree_version v, uint32_t rank)
{
    uint32_t at = rank;
    while (at < KEYS && want->entries[at].seed == 0)
        at++;
    uint32_t before = rank;
    while (before > 0 && want->entries[before - 1].seed == 0)
        before--;
    struct tree_cursor c;
    assert_int_equal(tree_seek(&c, v, m->keys[rank]), at < KEYS);
    if (at < KEYS) {
        check_cursor(m, want, &c, at);
        assert_int_equal(tree_previous(&c), before > 0);
        if (before > 0)
            check_cursor(m, want, &c, before - 1);
    }
    assert_int_equal(tree_seek_before(&c, v, m->keys[rank]), before > 0);
    if (before > 0) {
        check_cursor(m, want, &c, before - 1);
        assert_int_equal(tree_next(&c), at < KEYS);
        if (at < KEYS)
            check_cursor(m, want, &c, at);
    }
}

/* ---- steps ---- */

static void step_put(struct model *m)
{
    uint32_t rank = below(&m->random, KEYS);
    struct entry *entry = &m->head.entries[rank];
    m->head.count += entry->seed == 0;
    entry->seed = below(&m->random, UINT32_MAX) | 1;
    entry->len = random_len(m);
    tree_put(m->tree, m->keys[rank], value_of(m, *entry));
    check_entry(m, &m->head, tree_head(m->tree), rank);
}

static void delete_rank(struct model *m, uint32_t rank)
{
    bool there = m->head.entries[rank].seed != 0;
    assert_int_equal(tree_delete(m->tree, m->keys[rank]), there);
    m->head.entries[rank] = (struct entry){0};
    m->head.count -= there;
}

/* Whole ranges too, so that pages run empty. */
static void step_delete(struct model *m)
{
    uint32_t rank = below(&m->random, KEYS);
    uint32_t count = below(&m->random, 8) == 0 ? below(&m->random, 60) : 1;
    for (uint32_t i = rank; i < rank + count && i < KEYS; i++)
        delete_rank(m, i);
}

static void step_mark(struct model *m)
{
    if (m->mark_count == MARKS_MAX)
        return;
    int i = m->mark_count++;
    if (m->marks[i] == NULL)
        m->marks[i] = mem_alloc(sizeof(m->head));
    *m->marks[i] = m->head;
    m->mark_of[i] = tree_mark(m->tree);
}

static void step_end_mark(struct model *m, bool undo)
{
    if (m->mark_count == 0)
        return;
    int i = --m->mark_count;
    if (undo) {
        tree_undo(m->tree, m->mark_of[i]);
        m->head = *m->marks[i];
    } else {
        tree_keep(m->tree, m->mark_of[i]);
    }
}

static void drop_pin(struct model *m, int i)
{
    if (m->pin_of[i] != NULL)
        check_walk(m, m->pins[i], tree_pinned(m->pin_of[i]));
    tree_unpin(m->tree, m->pin_of[i]);
    m->pin_of[i] = NULL;
}

static void step_pin(struct model *m)
{
    int i = (int)below(&m->random, PINS_MAX);
    drop_pin(m, i); /* also while marks are open */
    if (m->mark_count > 0)
        return;
    if (m->pins[i] == NULL)
        m->pins[i] = mem_alloc(sizeof(m->head));
    *m->pins[i] = m->head;
    m->pin_of[i] = tree_pin(m->tree);
}

static void step_look(struct model *m)
{
    uint32_t rank = below(&m->random, KEYS);
    check_entry(m, &m->head, tree_head(m->tree), rank);
    check_seek(m, &m->head, tree_head(m->tree), rank);
    int i = (int)below(&m->random, PINS_MAX);
    if (m->pin_of[i] == NULL)
        return;
    check_entry(m, m->pins[i], tree_pinned(m->pin_of[i]), rank);
    check_seek(m, m->pins[i], tree_pinned(m->pin_of[i]), rank);
}

static void step(struct model *m, bool growing)
{
    uint32_t what = below(&m->random, 100);
    if (what < (growing ? 55u : 20u))
        step_put(m);
    else if (what < 70)
        step_delete(m);
    else if (what < 78)
        step_mark(m);
    else if (what < 82)
        step_end_mark(m, true);
    else if (what < 87)
        step_end_mark(m, false);
    else if (what < 88)
        step_pin(m);
    else
        step_look(m);
}

/* With neither marks nor pins every page has to come back. */
static void empty_out(struct model *m)
{
    while (m->mark_count > 0)
        step_end_mark(m, false);
    for (uint32_t i = 0; i < KEYS; i++)
        delete_rank(m, i);
    tree_check(m->tree);
    for (int i = 0; i < PINS_MAX; i++)
        drop_pin(m, i);
    tree_check(m->tree);
    struct tree_stats stats;
    tree_stats(m->tree, &stats);
    assert_int_equal(stats.entries, 0);
    assert_int_equal(stats.pages_used, 0);
}

static void run_model(uint64_t seed, bool long_keys, int steps)
{
    print_message("seed %llu\n", (unsigned long long)seed);
    struct model *m = model_new(seed, long_keys);
    for (int i = 0; i < steps; i++) {
        step(m, i / 2500 % 3 != 2);
        if (i % 250 == 0)
            tree_check(m->tree);
        if (i % 1000 == 0)
            check_walk(m, &m->head, tree_head(m->tree));
        struct tree_stats stats;
        tree_stats(m->tree, &stats);
        assert_int_equal(stats.entries, m->head.count);
    }
    empty_out(m);
    model_free(m);
}

/* TREE_SEED tries one more. */
static void tree_behaves_as_a_sorted_map(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 3; seed++)
        run_model(seed, false, 30000);
    const char *more = getenv("TREE_SEED");
    if (more != NULL)
        run_model(strtoull(more, NULL, 10), false, 200000);
}

/* Branches of four cells: deep trees, branches with a single child. */
static void longest_keys_behave_too(void **state)
{
    (void)state;
    for (uint64_t seed = 11; seed <= 12; seed++)
        run_model(seed, true, 20000);
    const char *more = getenv("TREE_SEED");
    if (more != NULL)
        run_model(strtoull(more, NULL, 10), true, 200000);
}

/* ---- single claims ---- */

static struct bytes number_key(uint8_t room[8], uint64_t number)
{
    put_be64(room, number);
    return bytes_of(room, 8);
}

static void empty_tree_has_nothing(void **state)
{
    (void)state;
    struct tree *t = tree_new();
    struct bytes value;
    struct tree_cursor c;
    struct bytes key = bytes_of_text("a");
    assert_false(tree_get(tree_head(t), key, &value));
    assert_false(tree_delete(t, key));
    assert_false(tree_seek(&c, tree_head(t), key));
    assert_false(tree_seek_before(&c, tree_head(t), key));
    assert_false(tree_seek_last(&c, tree_head(t)));
    assert_false(tree_next(&c));
    assert_false(tree_previous(&c));
    tree_check(t);
    tree_free(t);
    tree_free(NULL);
}

/* Thousands of chains may be open: a small one must cost little. */
static void tiny_tree_is_below_16_kib(void **state)
{
    (void)state;
    struct tree *t = tree_new();
    uint8_t room[8];
    for (uint64_t i = 0; i < 20; i++) {
        struct tree_mark mark = tree_mark(t);
        tree_put(t, number_key(room, i), bytes_of_text("a short value"));
        tree_keep(t, mark);
    }
    struct tree_stats stats;
    tree_stats(t, &stats);
    assert_int_equal(stats.pages_used, 1);
    assert_true(stats.bytes_reserved < 16 << 10);
    tree_free(t);
}

static void largest_key_and_value_fit(void **state)
{
    (void)state;
    struct tree *t = tree_new();
    uint8_t *big = mem_zero(1, TREE_VALUE_MAX);
    struct bytes key = bytes_of(big, TREE_KEY_MAX);
    big[TREE_VALUE_MAX - 1] = 7;
    tree_put(t, key, bytes_of(big, TREE_VALUE_MAX));
    struct bytes value;
    assert_true(tree_get(tree_head(t), key, &value));
    assert_int_equal(value.len, TREE_VALUE_MAX);
    assert_int_equal(value.data[TREE_VALUE_MAX - 1], 7);
    assert_true(tree_delete(t, key));
    struct tree_stats stats;
    tree_stats(t, &stats);
    assert_int_equal(stats.pages_used, 0);
    assert_true(stats.bytes_reserved < 16 << 10); /* a long value goes back */
    mem_free(big);
    tree_free(t);
}

static void appending_fills_pages(void **state)
{
    (void)state;
    struct tree *t = tree_new();
    uint8_t room[8];
    for (uint64_t i = 0; i < 20000; i++)
        tree_put(t, number_key(room, i), bytes_of("0123456789abcdef", 16));
    tree_check(t);
    struct tree_stats stats;
    tree_stats(t, &stats);
    /* 34 bytes an entry with its slot, 120 in a page */
    assert_true(stats.pages_used < 20000 / 120 + 10);
    tree_free(t);
}

static void undo_gives_pages_back_at_once(void **state)
{
    (void)state;
    struct tree *t = tree_new();
    uint8_t room[8];
    tree_put(t, number_key(room, 0), bytes_of_text("kept"));
    struct tree_stats before;
    tree_stats(t, &before);
    struct tree_mark mark = tree_mark(t);
    for (uint64_t i = 0; i < 5000; i++)
        tree_put(t, number_key(room, i), bytes_of_text("undone"));
    tree_undo(t, mark);
    struct tree_stats after;
    tree_stats(t, &after);
    assert_int_equal(after.entries, 1);
    assert_int_equal(after.pages_used, before.pages_used);
    struct bytes value;
    assert_true(tree_get(tree_head(t), number_key(room, 0), &value));
    assert_true(bytes_equal(value, bytes_of_text("kept")));
    tree_check(t);
    tree_free(t);
}

/* A batch is one mark around thousands; what they replace must not pile up. */
static void kept_marks_inside_a_mark_cost_nothing(void **state)
{
    (void)state;
    struct tree *t = tree_new();
    uint8_t room[8];
    for (uint64_t i = 0; i < 2000; i++)
        tree_put(t, number_key(room, i), bytes_of_text("a value"));
    struct tree_stats before;
    tree_stats(t, &before);
    struct tree_mark batch = tree_mark(t);
    for (uint64_t i = 0; i < 20000; i++) {
        struct tree_mark tx = tree_mark(t);
        tree_put(t, number_key(room, i % 2000), bytes_of_text("another"));
        tree_keep(t, tx);
    }
    struct tree_stats stats;
    tree_stats(t, &stats);
    assert_true(stats.pages_used <= before.pages_used * 2 + 4);
    tree_keep(t, batch);
    tree_stats(t, &stats);
    assert_int_equal(stats.pages_used, before.pages_used);
    tree_check(t);
    tree_free(t);
}

/* A reader that stays must not make the writer keep every version since. */
static void old_pin_costs_one_version(void **state)
{
    (void)state;
    struct tree *t = tree_new();
    uint8_t room[8];
    for (uint64_t i = 0; i < 2000; i++)
        tree_put(t, number_key(room, i), bytes_of_text("a value"));
    struct tree_stats before;
    tree_stats(t, &before);
    struct tree_pin *old = tree_pin(t);
    struct tree_pin *durable = NULL;
    for (uint64_t i = 0; i < 20000; i++) {
        tree_put(t, number_key(room, i % 2000), bytes_of_text("another"));
        struct tree_pin *newer = tree_pin(t);
        tree_unpin(t, durable);
        durable = newer;
    }
    struct tree_stats stats;
    tree_stats(t, &stats);
    assert_true(stats.pages_used <= before.pages_used * 2 + 8);
    tree_unpin(t, old);
    tree_unpin(t, durable);
    tree_check(t);
    tree_stats(t, &stats);
    assert_int_equal(stats.pages_used, before.pages_used);
    tree_free(t);
}

struct reader {
    struct tree_version version;
    uint64_t entries;
    uint64_t sum;
};

static void *read_pinned(void *argument)
{
    struct reader *reader = argument;
    struct tree_cursor c;
    bool on = tree_seek(&c, reader->version, (struct bytes){0});
    for (; on; on = tree_next(&c)) {
        reader->entries++;
        reader->sum += tree_cursor_value(&c).len;
    }
    return NULL;
}

/* The thread sanitizer is the judge; without it this shows little. */
static void pin_may_be_read_on_another_thread(void **state)
{
    (void)state;
    struct tree *t = tree_new();
    uint8_t room[8];
    uint8_t value[3000] = {0};
    for (uint64_t i = 0; i < 3000; i++)
        tree_put(t, number_key(room, i), bytes_of(value, i));
    struct tree_pin *pin = tree_pin(t);
    struct reader reader = {.version = tree_pinned(pin)};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, read_pinned, &reader), 0);
    for (uint64_t i = 0; i < 6000; i++) {
        struct tree_mark mark = tree_mark(t);
        tree_put(t, number_key(room, i), bytes_of(value, 2999 - i % 3000));
        tree_keep(t, mark);
        tree_delete(t, number_key(room, i / 2));
        if (i % 100 == 0)
            tree_unpin(t, tree_pin(t));
    }
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(reader.entries, 3000);
    assert_int_equal(reader.sum, 2999 * 3000 / 2);
    tree_unpin(t, pin);
    tree_check(t);
    tree_free(t);
}

static void freeing_ends_open_marks_and_pins(void **state)
{
    (void)state;
    struct tree *t = tree_new();
    uint8_t room[8];
    tree_put(t, number_key(room, 1), bytes_of_text("a"));
    tree_pin(t);
    tree_put(t, number_key(room, 2), bytes_of_text("b"));
    tree_pin(t);
    tree_mark(t);
    uint8_t long_value[5000] = {0};
    tree_put(t, number_key(room, 3), bytes_of(long_value, 5000));
    tree_free(t); /* the sanitizer would see a leak */
}

static void put_be32_key(uint8_t key[4], uint32_t number)
{
    for (int i = 0; i < 4; i++)
        key[i] = (uint8_t)(number >> (24 - 8 * i));
}

static void compare_versions(struct tree_version a, struct tree_version b)
{
    struct tree_cursor x;
    struct tree_cursor y;
    bool more_x = tree_seek(&x, a, bytes_of(NULL, 0));
    bool more_y = tree_seek(&y, b, bytes_of(NULL, 0));
    while (more_x && more_y) {
        assert_true(bytes_equal(tree_cursor_key(&x), tree_cursor_key(&y)));
        assert_true(bytes_equal(tree_cursor_value(&x), tree_cursor_value(&y)));
        more_x = tree_next(&x);
        more_y = tree_next(&y);
    }
    assert_int_equal(more_x, more_y);
}

/* A version that was written out reads the same when it is mapped, and can be
 * written to; what is mapped stays as it was. */
static void written_versions_are_mapped_again(void **state)
{
    (void)state;
    struct tree *t = tree_new();
    struct buf out = {0};
    uint8_t key[4];
    struct buf value = {0};
    for (uint32_t i = 0; i < 20000; i++) {
        put_be32_key(key, i * 7919 % 20000);
        buf_clear(&value);
        buf_reserve(&value, 9000);
        memset(value.data, (int)(i % 251), 9000);
        value.len = i % 97 == 0 ? 9000 : i % 50;
        tree_put(t, bytes_of(key, 4), buf_bytes(&value));
    }
    struct tree_pin *pin = tree_pin(t);
    put_be32_key(key, 5);
    tree_delete(t, bytes_of(key, 4)); /* after the pin */
    buf_put(&out, (uint8_t[4096]){0}, 4096);
    struct tree_writer *w = tree_writer_new(tree_pinned(pin));
    while (tree_writer_next(w, 30000, &out))
        ;
    assert_int_equal(out.len, (size_t)tree_writer_count(w) * 4096);
    struct tree *m = tree_new_mapped(out.data, tree_writer_count(w),
                                     tree_writer_root(w), 20000);
    tree_writer_free(w);
    tree_check(m);
    compare_versions(tree_pinned(pin), tree_head(m));
    struct buf before = {0};
    buf_put_bytes(&before, buf_bytes(&out));
    struct tree_mark mark = tree_mark(m);
    for (uint32_t i = 0; i < 20000; i += 3) {
        put_be32_key(key, i);
        if (i % 2 == 0)
            tree_delete(m, bytes_of(key, 4));
        else
            tree_put(m, bytes_of(key, 4), bytes_of("changed", 7));
    }
    tree_check(m);
    tree_undo(m, mark);
    compare_versions(tree_pinned(pin), tree_head(m));
    for (uint32_t i = 0; i < 20000; i++) {
        put_be32_key(key, i);
        tree_delete(m, bytes_of(key, 4));
    }
    tree_check(m);
    assert_int_equal(tree_entries(m), 0);
    assert_true(bytes_equal(buf_bytes(&before), buf_bytes(&out)));
    tree_free(m);
    tree_unpin(t, pin);
    tree_free(t);
    buf_deinit(&out);
    buf_deinit(&before);
    buf_deinit(&value);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(written_versions_are_mapped_again),
        cmocka_unit_test(empty_tree_has_nothing),
        cmocka_unit_test(tiny_tree_is_below_16_kib),
        cmocka_unit_test(largest_key_and_value_fit),
        cmocka_unit_test(appending_fills_pages),
        cmocka_unit_test(undo_gives_pages_back_at_once),
        cmocka_unit_test(kept_marks_inside_a_mark_cost_nothing),
        cmocka_unit_test(old_pin_costs_one_version),
        cmocka_unit_test(pin_may_be_read_on_another_thread),
        cmocka_unit_test(freeing_ends_open_marks_and_pins),
        cmocka_unit_test(tree_behaves_as_a_sorted_map),
        cmocka_unit_test(longest_keys_behave_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
