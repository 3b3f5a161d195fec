/* Following: whoever applies what is told has at each position exactly what a
 * read gives there; nothing is missed, nothing is told twice. */
#define _GNU_SOURCE /* memmem */
#include "fixture_follow.h"

#include "sim/rng.h"

/* ---- one who follows ---- */

static void grant(struct told *t, uint32_t chunks)
{
    if (t->query != NULL) {
        query_grant(t->query, chunks);
        query_run(t->query);
    }
}

/* ---- the shop ---- */

/* Some write, by chance. What is refused, for its key is spent, changes
 * nothing. */
static void write_by_chance(struct fixture_chain *f, struct rng *rng)
{
    struct fixture_call c;
    char title[64];
    char shelf[64];
    char pages[64];
    char body[3000] = "text=";
    uint64_t what = rng_below(rng, 10);
    snprintf(shelf, sizeof(shelf), "shelf=s%d", (int)rng_below(rng, 3));
    snprintf(title, sizeof(title), "title=b%d", (int)rng_below(rng, 40));
    snprintf(pages, sizeof(pages), "pages=%d", (int)rng_below(rng, 50));
    f->now += (int64_t)rng_below(rng, 700);
    if (what == 0)
        fixture_call(f, &c, 0, "book.delete", ARGS(shelf, title));
    else if (what == 1)
        fixture_call(f, &c, 0, "book.patch", ARGS(pages, shelf, title));
    else {
        memset(body + 5, 'x', rng_below(rng, 2) * 2000 + 5);
        fixture_call(f, &c, 0, "book.put", ARGS(pages, shelf, body, title));
    }
    fixture_end(&c);
}

/* ---- all of them, by chance ---- */

static const char *const reads[] = {
    "list type=book follow",
    "list type=book parent=s1 follow",
    "list type=shelf follow",
    "list type=sale follow",
    "view view=stock follow",
    "view view=stock where.shelf=s2 follow",
    "view view=thick follow",
    "view view=thick where.odd=true follow",
    "view view=text follow",
    "get type=shelf key=s0 follow",
    "call method=pages args.shelf=s1 follow",
    "call method=books args.shelf=s2 follow",
};
enum { READS = sizeof(reads) / sizeof(*reads), STEPS = 300 };

static void step_by_chance(struct fixture_chain *f, struct rng *rng,
                           struct told *told)
{
    write_by_chance(f, rng);
    for (size_t i = 0; i < READS; i++) {
        if (told[i].query == NULL)
            fail_msg("%s: %s", reads[i], told[i].err.text);
        if (rng_below(rng, 3) > 0)
            look(&told[i]);
        if (rng_below(rng, 8) == 0)
            grant(&told[i], (uint32_t)rng_below(rng, 4));
    }
}

/* How often somebody had to begin anew. */
static size_t followers(uint64_t seed, uint32_t changes_max)
{
    size_t resets = 0;
    struct rng rng = {seed};
    struct told told[READS] = {0};
    struct fixture_chain *f = open_shop(changes_max);
    for (int i = 0; i < 3; i++)
        put_shelf(f, i, i);
    for (size_t i = 0; i < READS; i++)
        begin(f, &told[i], reads[i], 1);
    fixture_run(f);
    for (int i = 0; i < STEPS; i++)
        step_by_chance(f, &rng, told);
    for (size_t i = 0; i < READS; i++) {
        grant(&told[i], 1000);
        fixture_run(f);
        agrees(f, &told[i], reads[i]);
        resets += told[i].resets;
        end(f, &told[i]);
    }
    close_shop(f);
    return resets;
}

static void whoever_applies_what_is_told_has_what_there_is(void **state)
{
    (void)state;
    uint64_t seed = 1;
    print_message("seed %llu\n", (unsigned long long)seed);
    for (uint64_t i = 0; i < 4; i++)
        assert_int_equal(followers(seed + i, 0), 0);
}

/* The same where little is remembered: there are resets, and they mend it. */
static void little_memory_costs_resets_and_nothing_else(void **state)
{
    (void)state;
    for (uint64_t i = 10; i < 14; i++)
        assert_true(followers(i, 8) > 0);
}

/* ---- slow ones ---- */

static void who_is_slow_is_told_the_newest_once(void **state)
{
    struct told t = {0};
    (void)state;
    struct fixture_chain *f = open_shop(0);
    put_shelf(f, 0, 1);
    put_shelf(f, 1, 1);
    put_book(f, 0, 1, 5, 10);
    begin(f, &t, "view view=stock follow", 1);
    assert_int_equal(t.chunks, 1);
    for (int i = 0; i < 100; i++) {
        put_book(f, 0, 1, i + 1, 10);
        look(&t);
    }
    assert_int_equal(t.chunks, 1); /* no credit, no chunk */
    size_t changes = t.changes;
    grant(&t, 5);
    assert_int_equal(t.chunks, 2);
    assert_int_equal(t.changes, changes + 1);
    agrees(f, &t, "view view=stock follow");
    look(&t);
    put_shelf(f, 1, 7); /* is nothing to the view */
    look(&t);
    assert_int_equal(t.chunks, 2);
    end(f, &t);
    close_shop(f);
}

/* More rows than fit a chunk: only the last of them has the position. */
static void large_contents_come_in_parts(void **state)
{
    struct told t = {0};
    (void)state;
    struct fixture_chain *f = open_shop(0);
    put_shelf(f, 0, 1);
    for (int i = 0; i < 200; i++)
        put_book(f, 0, i, i, 200);
    begin(f, &t, "list type=book follow", 1);
    fixture_run(f);
    assert_int_equal(t.chunks, 1);
    assert_false(t.is_whole);
    put_book(f, 0, 0, 999, 5); /* told already, and changed meanwhile */
    put_book(f, 0, 199, 998, 5);
    grant(&t, 100);
    fixture_run(f);
    assert_true(t.chunks > 2);
    assert_int_equal(t.positions, 1);
    agrees(f, &t, "list type=book follow");
    end(f, &t);
    close_shop(f);
}

/* ---- going on ---- */

/* From each position that was told on, what comes is what changed since: no
 * more, no less; through the memory, and from the log. */
static void goes_on(const char *words, bool reopened, bool is_exact)
{
    struct told from[12] = {0};
    struct rng rng = {77};
    struct fixture_chain *f = open_shop(reopened && is_exact ? 8 : 0);
    for (int i = 0; i < 3; i++)
        put_shelf(f, i, i);
    for (int i = 0; i < 12; i++) {
        for (int k = 0; k < 6; k++)
            write_by_chance(f, &rng);
        read_now(f, &from[i], words);
        from[i].at = chain_size(f->chain);
        from[i].done = false;
    }
    if (reopened)
        assert_int_equal(fixture_reopen(f, LOG_READ_WRITE), 0);
    for (int i = 0; i < 12; i++) {
        char with[300];
        snprintf(with, sizeof(with), "%s from=%d", words, (int)from[i].at);
        begin(f, &from[i], with, 1000);
        fixture_run(f);
        agrees(f, &from[i], words);
        assert_int_equal(from[i].resets, 0);
        assert_true(from[i].changes <= (size_t)(11 - i) * 6);
        end(f, &from[i]);
    }
    close_shop(f);
}

static void followers_go_on_from_where_they_stopped(void **state)
{
    (void)state;
    for (int reopened = 0; reopened < 2; reopened++) {
        goes_on("list type=book follow", reopened, true);
        goes_on("list type=book parent=s1 follow", reopened, true);
        goes_on("view view=stock follow", reopened, false);
        goes_on("view view=thick where.odd=true follow", reopened, false);
        goes_on("view view=text follow", reopened, false);
        goes_on("get type=shelf key=s1 follow", reopened, false);
    }
}

/* A quiet view of a busy chain: its follower hears of a position now and then,
 * for the last one would be forgotten. */
static void positions_of_quiet_ones_stay_good(void **state)
{
    struct told t = {0};
    struct told again = {0};
    char words[100];
    (void)state;
    struct fixture_chain *f = open_shop(16);
    put_shelf(f, 0, 1);
    put_shelf(f, 1, 1);
    put_book(f, 1, 1, 5, 5);
    begin(f, &t, "view view=stock where.shelf=s1 follow", 1000);
    for (int i = 0; i < 100; i++) {
        put_shelf(f, 0, i);
        put_book(f, 0, i, 1, 5);
        look(&t);
    }
    assert_int_equal(t.changes, 1);
    snprintf(words, sizeof(words),
             "view view=stock where.shelf=s1 follow from=%d", (int)t.at);
    begin(f, &again, words, 10);
    assert_int_equal(again.resets, 0);
    end(f, &again);
    end(f, &t);
    close_shop(f);
}

/* ---- one value ---- */

static void methods_run_again_when_what_they_read_changed(void **state)
{
    struct told pages = {0};
    struct told books = {0};
    (void)state;
    struct fixture_chain *f = open_shop(0);
    put_shelf(f, 0, 1);
    put_shelf(f, 1, 1);
    begin(f, &pages, "call method=pages args.shelf=s0 follow", 100);
    begin(f, &books, "call method=books args.shelf=s0 follow", 100);
    assert_int_equal(pages.chunks, 1);
    put_book(f, 1, 1, 5, 5); /* another shelf: the same value, not told */
    look(&pages);
    look(&books);
    assert_int_equal(pages.chunks + books.chunks, 2);
    put_book(f, 0, 1, 7, 5);
    look(&pages);
    look(&books);
    assert_int_equal(pages.chunks + books.chunks, 4);
    agrees(f, &pages, "call method=pages args.shelf=s0");
    agrees(f, &books, "call method=books args.shelf=s0");
    assert_int_equal(books.at, chain_size(f->chain));
    char words[100];
    snprintf(words, sizeof(words),
             "call method=books args.shelf=s0 follow from=%d", (int)books.at);
    end(f, &pages);
    end(f, &books);
    begin(f, &books, words, 100);
    assert_int_equal(books.changes, 0); /* nothing since */
    assert_int_equal(books.positions, 1);
    end(f, &books);
    close_shop(f);
}

/* ---- beside a writer ---- */

/* While a log is read, what is new in it is not told before all is there. */
static void readers_tell_what_a_poll_brought(void **state)
{
    struct told t = {0};
    (void)state;
    struct fixture_chain *f = open_shop(0);
    put_shelf(f, 0, 1);
    put_book(f, 0, 1, 5, 5);
    struct chain *writer = f->chain;
    char folder[LOG_PATH_MAX];
    log_folder(folder, chain_core(writer)->id);
    struct chain *reader = chain_new(&f->deps);
    chain_open(reader, folder, chain_core(writer)->id, LOG_READ_ONLY,
               fixture_done, f);
    fixture_wait(f);
    assert_int_equal(f->done_code, 0);
    f->chain = reader;
    begin(f, &t, "view view=stock follow", 100);
    f->chain = writer;
    for (int i = 0; i < 20; i++)
        put_book(f, 0, i, i, 5);
    look(&t);
    assert_int_equal(t.chunks, 1);
    chain_poll(reader, fixture_done, f);
    look(&t);
    fixture_wait(f);
    f->chain = reader;
    look(&t);
    assert_int_equal(t.chunks, 2);
    agrees(f, &t, "view view=stock");
    end(f, &t);
    f->chain = writer;
    chain_free(reader);
    close_shop(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whoever_applies_what_is_told_has_what_there_is),
        cmocka_unit_test(little_memory_costs_resets_and_nothing_else),
        cmocka_unit_test(who_is_slow_is_told_the_newest_once),
        cmocka_unit_test(large_contents_come_in_parts),
        cmocka_unit_test(followers_go_on_from_where_they_stopped),
        cmocka_unit_test(positions_of_quiet_ones_stay_good),
        cmocka_unit_test(methods_run_again_when_what_they_read_changed),
        cmocka_unit_test(readers_tell_what_a_poll_brought),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
