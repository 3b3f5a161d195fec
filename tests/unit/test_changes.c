/* changes: what is remembered of what changed, and what is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "state/changes.h"
#include "state/state.h"

static const uint8_t seed[MAP_SEED_LEN] = {1, 2, 3};

static struct bytes object(int i)
{
    static uint8_t key[17];
    memset(key, 0, sizeof(key));
    key[0] = STATE_OBJECT;
    key[1] = (uint8_t)i;
    return bytes_of(key, sizeof(key));
}

static size_t count_after(const struct changes *c, uint64_t number)
{
    const struct changed *item;
    size_t count = 0;
    while ((item = changes_after(c, number)) != NULL) {
        assert_true(item->number > number);
        number = item->number;
        count++;
    }
    return count;
}

/* However often an entry changes, who was away is told of it once. */
static void each_entry_stands_once_at_its_newest_change(void **state)
{
    struct changes c;
    (void)state;
    changes_init(&c, 16, seed);
    changes_add(&c, object(1), 5);
    changes_add(&c, object(2), 5);
    for (uint64_t size = 6; size < 1000; size++)
        changes_add(&c, object(1), size);
    assert_int_equal(count_after(&c, 0), 2);
    assert_int_equal(c.since, 0); /* nothing was forgotten */
    uint64_t number = 0;
    assert_true(changes_at(&c, 5, 1000, &number));
    assert_int_equal(count_after(&c, number), 1);
    assert_true(bytes_equal(change_key(changes_after(&c, number)), object(1)));
    assert_true(changes_at(&c, 999, 1000, &number));
    assert_null(changes_after(&c, number));
    assert_true(changes_last(&c, object(1)) > changes_last(&c, object(2)));
    assert_int_equal(changes_last(&c, object(3)), 0);
    changes_deinit(&c);
    changes_deinit(&c);
}

/* Whoever has not seen what was forgotten cannot go on; who has, can. */
static void what_is_forgotten_is_said(void **state)
{
    struct changes c;
    uint64_t number = 0;
    (void)state;
    changes_init(&c, 8, seed);
    for (int i = 0; i < 100; i++)
        changes_add(&c, object(i), (uint64_t)i + 1);
    assert_true(c.live <= 8 && c.live >= 4);
    assert_false(changes_reach(&c, 0));
    assert_true(changes_reach(&c, c.lost));
    assert_int_equal(count_after(&c, c.lost), c.live);
    assert_false(changes_at(&c, c.since - 1, 100, &number));
    assert_true(changes_at(&c, c.since, 100, &number));
    assert_int_equal(count_after(&c, number), 100 - c.since);
    assert_false(changes_at(&c, 101, 100, &number)); /* behind the end */
    changes_forget(&c, 100);
    assert_int_equal(c.live, 0);
    assert_false(changes_at(&c, 99, 100, &number));
    assert_true(changes_at(&c, 100, 100, &number));
    assert_int_equal(number, c.number);
    changes_deinit(&c);
}

/* Many entries of one size are one step of the log: who saw half of it saw
 * none. */
static void a_size_is_seen_whole_or_not(void **state)
{
    struct changes c;
    uint64_t number = 0;
    (void)state;
    changes_init(&c, 64, seed);
    for (int i = 0; i < 10; i++)
        changes_add(&c, object(i), 7);
    assert_true(changes_at(&c, 6, 7, &number));
    assert_int_equal(count_after(&c, number), 10);
    assert_true(changes_at(&c, 7, 7, &number));
    assert_int_equal(count_after(&c, number), 0);
    changes_deinit(&c);
}

/* The rows of a view are counted for the view, whatever kind they are of. */
static void views_change_with_their_rows(void **state)
{
    static const uint8_t kinds[] = {STATE_ROW, STATE_PRIVATE_ROW};
    struct changes c;
    (void)state;
    changes_init(&c, 64, seed);
    for (size_t i = 0; i < sizeof(kinds); i++) {
        char name[] = "?s.seen\0key";
        char owner[] = "?s.seen";
        uint64_t before = c.number;
        name[0] = (char)kinds[i];
        owner[0] = STATE_ROW;
        changes_add(&c, bytes_of(name, sizeof(name) - 1), 3);
        name[sizeof(name) - 2] = 'z';
        changes_add(&c, bytes_of(name, sizeof(name) - 1), 3);
        changes_added(&c, 3);
        changes_added(&c, 3);
        assert_int_equal(c.number - before, 3); /* two rows, one view */
        assert_true(changes_last(&c, bytes_of(owner, sizeof(owner))) > before);
    }
    assert_int_equal(c.live, 5);
    struct buf none = {0};
    assert_false(changes_owner_key(&none, object(1)));
    buf_deinit(&none);
    changes_deinit(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_entry_stands_once_at_its_newest_change),
        cmocka_unit_test(what_is_forgotten_is_said),
        cmocka_unit_test(a_size_is_seen_whole_or_not),
        cmocka_unit_test(views_change_with_their_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
