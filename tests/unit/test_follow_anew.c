/* Following: what makes a follower begin anew, and what ends it. */
#define _GNU_SOURCE /* memmem */
#include "fixture_follow.h"

/* ---- positions ---- */

static void a_position_that_is_too_old_begins_anew(void **state)
{
    struct told t = {0};
    (void)state;
    struct fixture_chain *f = open_shop(8);
    put_shelf(f, 0, 1);
    for (int i = 0; i < 30; i++)
        put_book(f, 0, i, i + 1, 5);
    begin(f, &t, "view view=thick follow from=3", 1000);
    assert_int_equal(t.resets, 1);
    assert_non_null(strstr(t.reset, "since 3 is not known any more"));
    agrees(f, &t, "view view=thick follow");
    end(f, &t);
    begin(f, &t, "list type=book follow from=9999", 1000);
    fixture_run(f);
    assert_int_equal(t.resets, 1);
    assert_non_null(strstr(t.reset, "position 9999 lies behind the log's end"));
    agrees(f, &t, "list type=book follow");
    end(f, &t);
    close_shop(f);
}

/* ---- one value ---- */

static void what_does_not_read_is_refused(void **state)
{
    static const struct {
        const char *words;
        int code;
        const char *text;
    } cases[] = {
        {"call method=book.put follow", ATE_EINVALID, "book.put: writes"},
        {"call method=boks follow", ATE_ENOT_FOUND, "did you mean 'books'"},
        {"call args.x=y follow", ATE_EINVALID, "'method' is missing"},
        {"call method=pages args=text", ATE_EINVALID, "'args' is a map"},
        {"view view=stock from=3", ATE_EINVALID, "'from' goes with 'follow'"},
        {"view view=stock limit=3 follow", ATE_EINVALID,
         "'limit' does not go with 'follow'"},
        {"list type=book order=last follow", ATE_EINVALID,
         "'order' does not go with 'follow'"},
        {"get type=shelf key=none follow", ATE_ENOT_FOUND, "none"},
        {"sum view=stock column=pages follow", ATE_EINVALID,
         "no argument 'follow'"},
    };
    struct told t = {0};
    (void)state;
    struct fixture_chain *f = open_shop(0);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        begin(f, &t, cases[i].words, 10);
        fixture_run(f);
        assert_true(t.done);
        assert_int_equal(t.code, cases[i].code);
        if (strstr(t.err.text, cases[i].text) == NULL)
            fail_msg("%s: %s", cases[i].words, t.err.text);
        told_end(&t);
    }
    close_shop(f);
}

static void a_deleted_object_ends_its_follower(void **state)
{
    struct told t = {0};
    (void)state;
    struct fixture_chain *f = open_shop(0);
    put_shelf(f, 0, 1);
    put_book(f, 0, 1, 5, 2000);
    begin(f, &t, "get type=book key=s0/b1 follow", 10);
    fixture_run(f);
    agrees(f, &t, "get type=book key=s0/b1");
    put_book(f, 0, 1, 6, 2000);
    look(&t);
    fixture_run(f);
    agrees(f, &t, "get type=book key=s0/b1");
    assert_int_equal(t.changes, 2);
    fixture_ok(f, 0, "book.delete", ARGS("shelf=s0", "title=b1"));
    look(&t);
    assert_true(t.gone);
    assert_int_equal(t.at, chain_size(f->chain));
    assert_true(t.done);
    assert_int_equal(t.code, ATE_ENOT_FOUND);
    assert_non_null(strstr(t.err.text, "deleted"));
    told_end(&t);
    close_shop(f);
}

/* ---- another schema ---- */

static void activate(struct fixture_chain *f, int version, const char *more)
{
    struct fixture_call c = {0};
    build(f, version, more);
    mp_put_map(&c.args, 1);
    mp_put_text(&c.args, "bundle");
    mp_put_bin(&c.args, buf_bytes(&f->bundle));
    c.call = (struct chain_call){
        .method = bytes_of_text("ate.bundle"),
        .args = buf_bytes(&c.args),
        .author = &f->keys[0],
        .done = fixture_answered,
        .owner = &c,
    };
    put_be64(c.call.call_id, ++f->calls);
    chain_call(f->chain, &c.call);
    fixture_run(f);
    if (c.call.code != 0)
        fail_msg("%s", c.call.err.text);
    fixture_end(&c);
    fixture_ok(f, 0, "ate.activate", ARGS());
}

static const char more_view[] =
    "shop:view('more', {doc = 'd', key = {'shelf'},\n"
    "    row = {shelf = t.ref('shelf'), n = t.default(t.integer(), 0)},\n"
    "    fold = {book = function(rows, book)\n"
    "        rows:add(book.shelf, {n = 1})\n"
    "    end}})\n";

static const char shape[] =
    "shop:method('shape', {doc = 'd', mode = '%s', args = {},\n"
    "    returns = t.integer(), run = function(ctx)\n"
    "        return ctx.caller and 1 or 2\n"
    "    end})\n";

static void activate_shape(struct fixture_chain *f, int version,
                           const char *mode)
{
    char text[sizeof(shape) + 10];
    snprintf(text, sizeof(text), shape, mode);
    activate(f, version, text);
}

/* What reads has no key to sign with: a method that writes from now on is not
 * run any more. */
static void a_method_that_begins_to_write_is_followed_no_more(void **state)
{
    struct told t = {0};
    (void)state;
    struct fixture_chain *f = open_shop(0);
    put_shelf(f, 0, 1);
    activate_shape(f, 2, "read");
    begin(f, &t, "call method=shape follow", 100);
    assert_int_equal(t.changes, 1);
    activate_shape(f, 3, "write");
    uint64_t size = chain_size(f->chain);
    look(&t);
    fixture_run(f);
    assert_true(t.done);
    assert_int_equal(t.code, ATE_EINVALID);
    assert_non_null(strstr(t.err.text, "shape: writes"));
    assert_int_equal(chain_size(f->chain), size);
    told_end(&t);
    close_shop(f);
}

static void another_schema_begins_anew_or_ends(void **state)
{
    struct told stock = {0};
    struct told more = {0};
    struct told list = {0};
    (void)state;
    struct fixture_chain *f = open_shop(0);
    put_shelf(f, 0, 1);
    put_book(f, 0, 1, 5, 5);
    activate(f, 2, more_view);
    uint64_t before = chain_size(f->chain);
    begin(f, &stock, "view view=stock follow", 100);
    begin(f, &more, "view view=more follow", 100);
    begin(f, &list, "list type=book follow", 100);
    fixture_run(f);
    assert_int_equal(more.count, 1);
    activate(f, 3, "");
    look(&stock);
    look(&more);
    look(&list);
    fixture_run(f);
    assert_int_equal(stock.resets, 1);
    assert_non_null(strstr(stock.reset, "another schema is in force"));
    agrees(f, &stock, "view view=stock");
    agrees(f, &list, "list type=book");
    assert_true(more.done);
    assert_int_equal(more.code, ATE_ENOT_FOUND);
    assert_non_null(strstr(more.err.text, "no view 'more'"));
    assert_non_null(strstr(more.err.text, "another schema is in force"));
    told_end(&more);
    end(f, &stock);
    end(f, &list);
    /* Who was away meanwhile hears of it, too. */
    char words[100];
    snprintf(words, sizeof(words), "view view=stock follow from=%d",
             (int)before);
    begin(f, &stock, words, 100);
    assert_int_equal(stock.resets, 1);
    end(f, &stock);
    snprintf(words, sizeof(words), "list type=book follow from=%d",
             (int)before);
    begin(f, &list, words, 100);
    fixture_run(f);
    assert_int_equal(list.resets, 1);
    agrees(f, &list, "list type=book");
    end(f, &list);
    close_shop(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_position_that_is_too_old_begins_anew),
        cmocka_unit_test(what_does_not_read_is_refused),
        cmocka_unit_test(a_deleted_object_ends_its_follower),
        cmocka_unit_test(another_schema_begins_anew_or_ends),
        cmocka_unit_test(a_method_that_begins_to_write_is_followed_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
